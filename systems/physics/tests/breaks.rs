//! Random breaks: the hardest that a table has to offer. `GHOSTBALL_BREAKS=10000` plays more of them.

#![allow(clippy::print_stdout, reason = "what was found is told")]

mod scenes;

use ghostball_physics::{BallState, Ended, Limits, Shot, Simulator};
use scenes::{Game, Scene, random_break};

/// What a break may not exceed.
#[derive(Clone, Copy, Debug, Default)]
struct Extremes {
    events: usize,
    /// Metres by which two balls overlap, at an event or half way to the next.
    overlap: f64,
    /// Growth of the energy over that of the start.
    growth: f64,
    /// How far a centre is outside the lines of the noses, metres.
    outside: f64,
}

/// Measures a shot at every event and half way between events.
fn measure(scene: &Scene, shot: &Shot, extremes: &mut Extremes) {
    let ball = &scene.physics.ball;
    let reach = 0.5 * glam::DVec2::new(scene.table.length, scene.table.width);
    let energy = |states: &[BallState]| -> f64 { states.iter().map(|state| state.energy(ball)).sum() };
    let at_start = energy(&scene.balls);
    let mut left = at_start;
    let mut before = 0.0;
    extremes.events = extremes.events.max(shot.events.len());
    for event in &shot.events {
        assert!(event.time >= before, "time runs backwards at {}", event.time);
        for time in [0.5 * (before + event.time), event.time] {
            let states: Vec<BallState> = (0..scene.balls.len())
                .map(|ball| shot.state_at(ball, time).expect("a ball"))
                .collect();
            assert!(states.iter().all(BallState::is_finite), "at {time}: {states:?}");
            let now = energy(&states);
            extremes.growth = extremes.growth.max((now - left) / at_start);
            left = now;
            let on_table: Vec<&BallState> = states
                .iter()
                .filter(|state| !state.motion.is_pocketed())
                .collect();
            for (i, state) in on_table.iter().enumerate() {
                extremes.outside = extremes.outside.max((state.position.abs() - reach).max_element());
                for other in &on_table[..i] {
                    let overlap = 2.0 * ball.radius - state.position.distance(other.position);
                    extremes.overlap = extremes.overlap.max(overlap);
                }
            }
        }
        before = event.time;
    }
}

#[test]
fn no_break_explodes_overlaps_escapes_or_gains_energy() {
    let count: u64 = std::env::var("GHOSTBALL_BREAKS")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(500);
    let mut simulator = Simulator::new();
    let mut extremes = Extremes::default();
    for seed in 0..count {
        let game = Game::ALL[seed as usize % Game::ALL.len()];
        let scene = random_break(game, seed);
        let shot = simulator
            .run(&scene.table, &scene.physics, &scene.balls, &Limits::default())
            .expect("a sound shot");
        assert_eq!(shot.ended, Ended::AtRest, "{game:?} {seed}");
        measure(&scene, shot, &mut extremes);
        // Between the jaws a centre comes a radius behind the line of the noses at most, in a pocket it is taken.
        let fine = extremes.events <= 1_000
            && extremes.overlap <= 1e-9
            && extremes.growth <= 1e-12
            && extremes.outside <= scene.physics.ball.radius;
        assert!(fine, "{game:?} {seed}: {extremes:?}");
    }
    println!("{count} breaks: {extremes:?}");
}
