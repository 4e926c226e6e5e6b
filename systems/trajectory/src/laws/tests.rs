//! Shots of a table whose laws are known, seen with a camera's noise.

use ghostball_physics::{BallState, Limits, Simulator, Strike, strike};

use ghostball_simulation::Random;

use super::*;
use crate::scene::Scene;
use crate::scene::tests::geometry;
use ghostball_world::TrackId;
use glam::DVec2;

/// A cloth and cushions unlike the usual ones.
const TRUTH: Laws = Laws {
    rolling_friction: 0.0135,
    sliding_friction: 0.27,
    cushion_restitution: 0.74,
    cushion_friction: 0.14,
};

/// Ways of `shots` shots of a cue ball among two others, filmed 30 times a second with places off by `noise` metres.
fn filmed(shots: usize, noise: f64, truth: Laws) -> Ways {
    let mut random = Random::from_seed(7);
    let mut scene = Scene::new(truth.applied_to(Physics::default()));
    scene.set_table(&geometry());
    let mut ways = Ways::new(&geometry());
    let mut simulator = Simulator::new();
    let mut time = 0.0;
    for _ in 0..shots {
        let place = |random: &mut Random| {
            DVec2::new(1.1 * random.between(-1.0, 1.0), 0.5 * random.between(-1.0, 1.0))
        };
        let mut balls: Vec<BallState> = Vec::new();
        while balls.len() < 3 {
            let position = place(&mut random);
            if balls.iter().all(|ball| ball.position.distance(position) > 0.1) {
                balls.push(BallState::at_rest(position));
            }
        }
        let stroke = Strike {
            stick_speed: 1.4 + 0.8 * random.between(-1.0, 1.0),
            direction: 3.1 * random.between(-1.0, 1.0),
            offset_up: 0.3 * random.between(-1.0, 1.0),
            ..Strike::default()
        };
        let (velocity, spin) = strike(&scene.physics.ball, &stroke);
        balls[0] = BallState::moving(balls[0].position, velocity, spin);
        let shot = simulator
            .run(&scene.shape, &scene.physics, &balls, &Limits::default())
            .unwrap();
        let frames = (shot.duration * 30.0) as usize + 10;
        for frame in 0..frames {
            let at = frame as f64 / 30.0;
            let seen: Vec<SeenBall> = (0..balls.len())
                .filter_map(|ball| {
                    let state = shot.state_at(ball, at)?;
                    let off = noise * DVec2::new(random.normal(), random.normal());
                    (!state.motion.is_pocketed()).then_some(SeenBall {
                        id: TrackId(ball as u32),
                        position: state.position + off,
                        tracked: state.position + off,
                        is_moving: at < shot.duration && state.motion.is_moving(),
                    })
                })
                .collect();
            ways.look(time + at, &seen);
        }
        time += frames as f64 / 30.0;
    }
    ways
}

impl Ways {
    /// Adds the shots of another recording.
    fn append(&mut self, other: &Self) {
        let before = self.shots();
        self.end_recording();
        self.done
            .extend(other.stretches().into_iter().map(|stretch| Stretch {
                shot: before + stretch.shot,
                ..stretch
            }));
        self.shots += other.shots();
    }
}

fn assert_near(fitted: &FittedLaws, truth: Laws, tolerances: [f64; 4]) {
    let (found, truth) = (fitted.laws.to_array(), truth.to_array());
    for ((found, truth), tolerance) in found.iter().zip(truth).zip(tolerances) {
        assert!((found / truth - 1.0).abs() < tolerance, "{fitted:#?}");
    }
}

#[test]
fn the_laws_of_a_table_are_recovered_from_a_dozen_shots() {
    let ways = filmed(12, 0.5e-3, TRUTH);
    let fitted = fit(&ways, &geometry(), Physics::default()).unwrap();
    assert_near(&fitted, TRUTH, [0.02, 0.05, 0.02, 0.1]);
    assert_eq!(fitted.shots, 12);
    assert!(fitted.is_held_out && !fitted.is_usual && fitted.bounces >= 12);
    assert!(
        fitted.error_after < 0.3 * fitted.error_before && fitted.error_after < 0.015,
        "{fitted:#?}"
    );
}

#[test]
fn laws_that_tell_other_shots_no_better_than_the_usual_ones_are_not_taken() {
    let usual = Laws::of(&Physics::default());
    // Shots of two tables, as unlike the usual one in one way as in the other: what one tells is wrong on the other.
    let [slow, fast] = [1.6, 1.0 / 1.6].map(|share| Laws {
        rolling_friction: share * usual.rolling_friction,
        ..usual
    });
    let mut ways = filmed(1, 0.5e-3, slow);
    ways.append(&filmed(1, 0.5e-3, fast));
    let fitted = fit(&ways, &geometry(), Physics::default()).unwrap();
    assert!(
        fitted.is_usual && fitted.error_after >= fitted.error_before,
        "{fitted:#?}"
    );
    assert_eq!(fitted.laws, usual);
}

#[test]
fn one_shot_tells_friction_and_what_it_does_not_tell_stays_as_usual() {
    let ways = filmed(1, 0.5e-3, TRUTH);
    let fitted = fit(&ways, &geometry(), Physics::default()).unwrap();
    assert!(
        (fitted.laws.rolling_friction / TRUTH.rolling_friction - 1.0).abs() < 0.1,
        "{fitted:#?}"
    );
    assert!(!fitted.is_held_out);
}

#[test]
fn nothing_is_fitted_where_nothing_moves() {
    let mut ways = Ways::new(&geometry());
    let still = SeenBall {
        id: TrackId(1),
        position: DVec2::ZERO,
        tracked: DVec2::ZERO,
        is_moving: false,
    };
    for frame in 0..20 {
        ways.look(f64::from(frame) / 30.0, &[still]);
    }
    assert_eq!(
        fit(&ways, &geometry(), Physics::default()),
        Err(LawsError::NothingMoved { frames: 20 })
    );
    for frame in 20..24 {
        let position = DVec2::new(f64::from(frame) * 0.02, 0.0);
        let ball = SeenBall {
            position,
            tracked: position,
            is_moving: true,
            ..still
        };
        ways.look(f64::from(frame) / 30.0, &[ball]);
    }
    assert_eq!(
        fit(&ways, &geometry(), Physics::default()),
        Err(LawsError::TooShort { shots: 1 })
    );
}
