//! What prediction adds to a frame with sixteen balls, the fan of outcomes included, held against its bound.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a bench tells times, and criterion's macros make undocumented items"
)]

use std::time::{Duration, Instant};

use bevy_app::App;
use bevy_ecs::prelude::*;
use criterion::{Criterion, criterion_group, criterion_main};
use ghostball_simulation::Random;
use ghostball_trajectory::PredictPlugin;
use ghostball_world::{
    Ball, BallKind, Confidence, Cue, CuePose, FrameClock, FrameTick, PositionInTable, Predictions, Stamp,
    Table, TableGeometry, TableSighting, TableSpecification, TrackId, VelocityInTable, WorldPlugin,
};
use glam::DVec2;

/// What prediction may add to a frame, milliseconds.
const AT_MOST_MS: f64 = 1.0;
/// Layouts that are looked at.
const LAYOUTS: u64 = 200;
const REPETITIONS: usize = 15;

/// A nine-foot table seen straight from above, 500 pixels per metre.
fn geometry() -> Option<TableGeometry> {
    let sighting = TableSighting::from_above(DVec2::new(2.54, 1.27), 0.028575, 500.0);
    TableGeometry::from_sighting(&sighting, &TableSpecification::default()).ok()
}

/// A table with sixteen balls, the first of them moving or aimed at.
fn table(seed: u64, is_aimed: bool) -> (App, Option<Entity>) {
    let mut random = Random::from_seed(seed);
    let mut app = App::new();
    app.add_plugins((WorldPlugin, PredictPlugin));
    let world = app.world_mut();
    if let Some(geometry) = geometry() {
        world.spawn((Table, geometry));
    }
    let mut places: Vec<DVec2> = Vec::new();
    while places.len() < 16 {
        let place = DVec2::new(1.15 * random.between(-1.0, 1.0), 0.55 * random.between(-1.0, 1.0));
        if places.iter().all(|other| other.distance(place) > 0.06) {
            places.push(place);
        }
    }
    let direction = DVec2::from_angle(std::f64::consts::PI * random.between(-1.0, 1.0));
    let speed = 2.5 + 1.5 * random.between(-1.0, 1.0);
    let mut first = None;
    for (index, place) in places.iter().enumerate() {
        let is_first = index == 0;
        let velocity = if is_first && !is_aimed {
            speed * direction
        } else {
            DVec2::ZERO
        };
        let ball = world.spawn((
            Ball { radius: 0.028_575 },
            TrackId(index as u32 + 1),
            if is_first { BallKind::Cue } else { BallKind::Solid },
            PositionInTable(*place),
            VelocityInTable(velocity),
            Confidence(0.9),
        ));
        first = first.or(Some(ball.id()));
    }
    if is_aimed {
        let tip = places[0] - 0.05 * direction;
        let pose = CuePose {
            tip_in_table: tip,
            butt_in_table: tip - direction,
            confidence: 0.9,
            direction_sigma: 0.0,
        };
        first = Some(world.spawn((Cue, pose)).id());
    }
    (app, first)
}

/// One frame in which something is new: the ball goes faster, the stick turns, by less than anybody sees.
fn frame(app: &mut App, entity: Option<Entity>) -> Duration {
    let world = app.world_mut();
    if let Some(mut entity) = entity.and_then(|entity| world.get_entity_mut(entity).ok()) {
        if let Some(mut velocity) = entity.get_mut::<VelocityInTable>() {
            velocity.0 *= 1.000_001;
        }
        if let Some(mut pose) = entity.get_mut::<CuePose>() {
            let side = if pose.butt_in_table.x * 1e6 % 2.0 > 1.0 {
                2e-3
            } else {
                -2e-3
            };
            pose.butt_in_table.x += side;
        }
    }
    let mut clock = world.resource_mut::<FrameClock>();
    let next = clock.captured_at.nanos + 33_333_333;
    clock.advance_to(Stamp::from_nanos(next));
    let began = Instant::now();
    world.run_schedule(FrameTick);
    began.elapsed()
}

fn frames(criterion: &mut Criterion) {
    for (name, is_aimed) in [("16 balls, one moves", false), ("16 balls, stick aimed", true)] {
        let mut told = 0;
        let mut times: Vec<f64> = (0..LAYOUTS)
            .map(|seed| {
                let (mut app, entity) = table(seed, is_aimed);
                let times = (0..REPETITIONS).map(|_| frame(&mut app, entity).as_secs_f64() * 1e3);
                let best = times.fold(f64::INFINITY, f64::min);
                let current = &app.world().resource::<Predictions>().current;
                told += usize::from(current.as_ref().is_some_and(|now| !now.outcomes.is_empty()));
                best
            })
            .collect();
        times.sort_unstable_by(f64::total_cmp);
        let mean = times.iter().sum::<f64>() / times.len() as f64;
        let (p95, most) = (times[times.len() * 95 / 100], times[times.len() - 1]);
        println!(
            "{name}: mean {mean:.3} ms, p95 {p95:.3} ms, longest {most:.3} ms, {:.2} of the bound of {AT_MOST_MS} ms at p95; \
             {told} of {LAYOUTS} with chances of pots",
            p95 / AT_MOST_MS
        );
        let (mut app, entity) = table(3, is_aimed);
        criterion.bench_function(name, |bencher| bencher.iter(|| frame(&mut app, entity)));
    }
}

criterion_group!(benches, frames);
criterion_main!(benches);
