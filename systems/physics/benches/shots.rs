//! How long shots take, each with its ratio to a bound and to the best open engine.
//!
//! pooltool 0.6.0 measured warm, on one thread, on the machine of the reference files: times differ from machine to machine,
//! the order of magnitude of the ratio does not.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a bench tells times, and criterion's macros make undocumented items"
)]

#[path = "../tests/scenes/mod.rs"]
mod scenes;

use std::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use ghostball_physics::{Limits, Simulator};
use scenes::{Game, Scene, eight_ball_break, random_break, sixteen_balls, straight_shot};

/// What a time is held against, milliseconds.
struct Bound {
    name: &'static str,
    at_most_ms: f64,
    pooltool_ms: f64,
}

impl Bound {
    fn tell(&self, ms: f64) {
        println!(
            "{}: {ms:.4} ms, {:.2} of the bound of {} ms, pooltool 0.6.0 {} ms: {:.0} times as fast",
            self.name,
            ms / self.at_most_ms,
            self.at_most_ms,
            self.pooltool_ms,
            self.pooltool_ms / ms
        );
    }
}

fn play(simulator: &mut Simulator, scene: &Scene) -> usize {
    simulator
        .run(&scene.table, &scene.physics, &scene.balls, &Limits::default())
        .map_or(0, |shot| shot.events.len())
}

/// Shortest of `repetitions` times of one shot, milliseconds: what else runs on the machine only adds to it.
fn best_ms(simulator: &mut Simulator, scene: &Scene, repetitions: usize) -> f64 {
    (0..repetitions)
        .map(|_| {
            let start = Instant::now();
            black_box(play(simulator, black_box(scene)));
            start.elapsed().as_secs_f64() * 1e3
        })
        .fold(f64::INFINITY, f64::min)
}

fn single_shots(criterion: &mut Criterion) {
    let mut simulator = Simulator::new();
    let straight = Bound {
        name: "straight shot, one rail",
        at_most_ms: 0.005,
        pooltool_ms: 0.86,
    };
    let breaking = Bound {
        name: "8-ball break, cue ball 8 m/s",
        at_most_ms: 0.5,
        pooltool_ms: 54.0,
    };
    for (bound, scene) in [(straight, straight_shot()), (breaking, eight_ball_break())] {
        bound.tell(best_ms(&mut simulator, &scene, 1_000));
        criterion.bench_function(bound.name, |bencher| {
            bencher.iter(|| play(&mut simulator, black_box(&scene)));
        });
    }
}

fn random_shots(criterion: &mut Criterion) {
    let mut simulator = Simulator::new();
    let scenes: Vec<Scene> = (0..200).map(sixteen_balls).collect();
    let mut times: Vec<f64> = scenes
        .iter()
        .map(|scene| best_ms(&mut simulator, scene, 50))
        .collect();
    times.sort_unstable_by(f64::total_cmp);
    let mean = Bound {
        name: "200 random 16-ball shots, mean",
        at_most_ms: 0.1,
        pooltool_ms: 20.6,
    };
    mean.tell(times.iter().sum::<f64>() / times.len() as f64);
    let p95 = Bound {
        name: "200 random 16-ball shots, p95",
        at_most_ms: 0.25,
        pooltool_ms: 46.9,
    };
    p95.tell(times[190]);
    let mut turn = 0;
    criterion.bench_function("200 random 16-ball shots", |bencher| {
        bencher.iter(|| {
            turn = (turn + 1) % scenes.len();
            play(&mut simulator, black_box(&scenes[turn]))
        });
    });
}

fn random_breaks(_: &mut Criterion) {
    let mut simulator = Simulator::new();
    let mut times: Vec<f64> = (0..10_000)
        .map(|seed| {
            let game = Game::ALL[seed as usize % Game::ALL.len()];
            best_ms(&mut simulator, &random_break(game, seed), 3)
        })
        .collect();
    times.sort_unstable_by(f64::total_cmp);
    let longest = times[times.len() - 1];
    println!(
        "10,000 random breaks: mean {:.3} ms, longest {longest:.3} ms, {:.2} of the bound of 5 ms",
        times.iter().sum::<f64>() / times.len() as f64,
        longest / 5.0
    );
}

criterion_group!(shots, single_shots, random_shots, random_breaks);
criterion_main!(shots);
