//! What following adds to a frame with twenty-two balls, held against its bound.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a bench tells times, and criterion's macros make undocumented items"
)]

use std::time::Instant;

use bevy_app::App;
use criterion::{Criterion, criterion_group, criterion_main};
use ghostball_physics::{BallState, Limits, Physics, Simulator, TableShape};
use ghostball_tracking::TrackPlugin;
use ghostball_world::{
    BallKind, BallSighting, CircleInImage, FrameClock, FrameTick, Sightings, Stamp, Table, TableGeometry,
    TableSighting, TableSpecification, WorldPlugin,
};
use glam::{DVec2, DVec3};

/// What following may add to a frame, milliseconds.
const AT_MOST_MS: f64 = 0.1;
const BALLS: usize = 22;
const FRAMES: u64 = 300;
const REPETITIONS: usize = 15;

/// All of a snooker set; `moving` of them go up and down between the long cushions.
fn sightings(frame: u64, moving: usize) -> Sightings {
    let balls = (0..BALLS).map(|ball| {
        let (column, row) = ((ball / 2) as f64, (ball % 2) as f64);
        let phase = (frame as f64 * 0.02 + 0.1 * column) % 1.0;
        let swing = if ball < moving {
            180.0 * (2.0 * phase - 1.0).abs()
        } else {
            0.0
        };
        // Half a pixel of noise that repeats every 17 frames.
        let noise = 0.5 * (((frame + ball as u64) * 7 % 17) as f64 / 8.0 - 1.0);
        BallSighting {
            circle: CircleInImage {
                center: DVec2::new(160.0 + 110.0 * column + noise, 150.0 + 300.0 * row + swing),
                radius: 14.3,
            },
            streak_in_image: None,
            kind: if ball == 0 { BallKind::Cue } else { BallKind::Red },
            number: None,
            confidence: 0.9,
        }
    });
    Sightings {
        balls: balls.collect(),
        cue: None,
    }
}

/// The first three seconds of a break at 8 m/s, after one of rest, by physics.
fn a_break() -> Vec<Sightings> {
    const RADIUS: f64 = 0.028575;
    let mut physics = Physics::default();
    physics.ball.radius = RADIUS;
    let cue_ball = BallState::moving(DVec2::new(-0.635, 0.01), DVec2::new(8.0, 0.0), DVec3::ZERO);
    let mut balls = vec![cue_ball];
    for row in 0..5 {
        for place in 0..=row {
            // A tenth of a millimetre apart.
            let spacing = 2.0 * RADIUS + 1e-4;
            let aside = f64::from(place) - 0.5 * f64::from(row);
            let position = DVec2::new(0.635 + 0.866_025 * spacing * f64::from(row), spacing * aside);
            balls.push(BallState::at_rest(position));
        }
    }
    let mut simulator = Simulator::new();
    let shape = TableShape::pool(2.54, 1.27, RADIUS);
    let Ok(shot) = simulator.run(&shape, &physics, &balls, &Limits::default()) else {
        return Vec::new();
    };
    let places = |frame: i32| {
        let time = (f64::from(frame - 30) / 30.0).max(0.0);
        let states = (0..balls.len()).filter_map(|ball| Some((ball, shot.state_at(ball, time)?)));
        states
            .filter(|(_, state)| !state.motion.is_pocketed())
            .map(|(ball, state)| BallSighting {
                circle: CircleInImage {
                    center: (state.position + DVec2::new(1.27, 0.635)) * 500.0,
                    radius: 14.3,
                },
                streak_in_image: None,
                kind: if ball == 0 { BallKind::Cue } else { BallKind::Red },
                number: None,
                confidence: 0.9,
            })
            .collect()
    };
    (0..120)
        .map(|frame| Sightings {
            balls: places(frame),
            cue: None,
        })
        .collect()
}

/// What each frame of a break takes, milliseconds: the best of several.
fn breaking() {
    let script = a_break();
    let mut best = vec![f64::INFINITY; script.len()];
    for _ in 0..REPETITIONS {
        let (mut app, mut next) = (table(), 0);
        for (best, seen) in best.iter_mut().zip(&script) {
            *best = best.min(follow(&mut app, std::slice::from_ref(seen), &mut next));
        }
    }
    let mean = best.iter().sum::<f64>() / best.len() as f64;
    let longest = best.iter().copied().fold(0.0, f64::max);
    println!(
        "a break of 16 balls: {mean:.4} ms a frame, {:.2} of the bound; the longest frame {longest:.4} ms, {:.1} of it",
        mean / AT_MOST_MS,
        longest / AT_MOST_MS
    );
}

fn table() -> App {
    let mut app = App::new();
    app.add_plugins((WorldPlugin, TrackPlugin));
    let sighting = TableSighting::from_above(DVec2::new(2.54, 1.27), 0.028575, 500.0);
    if let Ok(geometry) = TableGeometry::from_sighting(&sighting, &TableSpecification::default()) {
        app.world_mut().spawn((Table, geometry));
    }
    app
}

/// Milliseconds a frame, with the schedule and the snapshot.
fn follow(app: &mut App, script: &[Sightings], next: &mut u64) -> f64 {
    let mut spent_secs = 0.0;
    for seen in script {
        let world = app.world_mut();
        world
            .resource_mut::<FrameClock>()
            .advance_to(Stamp::from_nanos(*next * 33_333_333));
        world.resource_mut::<Sightings>().balls.clone_from(&seen.balls);
        *next += 1;
        let began = Instant::now();
        world.run_schedule(FrameTick);
        spent_secs += began.elapsed().as_secs_f64();
    }
    spent_secs * 1e3 / script.len() as f64
}

fn following(criterion: &mut Criterion) {
    breaking();
    for moving in [0, 6, BALLS] {
        let script: Vec<Sightings> = (0..FRAMES).map(|frame| sightings(frame, moving)).collect();
        let (mut app, mut next) = (table(), 0);
        let best = (0..REPETITIONS)
            .map(|_| follow(&mut app, &script, &mut next))
            .fold(f64::INFINITY, f64::min);
        println!(
            "22 balls, {moving} of them moving: {best:.4} ms a frame, {:.2} of the bound of {AT_MOST_MS} ms",
            best / AT_MOST_MS
        );
        criterion.bench_function(&format!("follow 22 balls, {moving} moving"), |bencher| {
            bencher.iter(|| follow(&mut app, &script[..1], &mut next));
        });
    }
}

criterion_group!(benches, following);
criterion_main!(benches);
