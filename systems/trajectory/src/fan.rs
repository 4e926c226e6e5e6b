//! Not one course but many: how likely a ball falls, given what is not known exactly.

use ghostball_physics::{BallMotion, BallState, Limits, Simulator};
use ghostball_world::{Outcome, PocketName};

use crate::scene::Scene;

/// Midpoints of seven equally likely parts of the normal distribution, in standard deviations.
const DIRECTIONS: [f64; 7] = [-1.465_2, -0.791_6, -0.366_1, 0.0, 0.366_1, 0.791_6, 1.465_2];
/// The same of three.
const SPEEDS: [f64; 3] = [-0.967_4, 0.0, 0.967_4];
/// Courses of more events than this are left alone: every collision multiplies an error by about five, so that pots
/// beyond are chance, and twenty breaks a frame would cost more time than a frame has.
pub const MOST_EVENTS: usize = 60;

/// Plays the same shot again and again, a little different each time; keeps its buffers.
#[derive(Clone, Debug, Default)]
pub struct Fan {
    simulator: Simulator,
    states: Vec<BallState>,
    pots: Vec<[f64; 6]>,
}

impl Fan {
    /// Fills `outcomes` with the pots of the balls of `scene` and their chances, in order of ball and pocket. The start
    /// of ball `index` is `start(direction, speed)`, both offsets in standard deviations.
    pub fn play(
        &mut self,
        scene: &Scene,
        index: usize,
        start: impl Fn(f64, f64) -> BallState,
        outcomes: &mut Vec<Outcome>,
    ) {
        outcomes.clear();
        self.states.clone_from(&scene.states);
        self.pots.clear();
        self.pots.resize(scene.balls.len(), [0.0; 6]);
        let weight = 1.0 / (DIRECTIONS.len() * SPEEDS.len()) as f64;
        let limits = Limits {
            events: 2 * MOST_EVENTS,
            ..Limits::default()
        };
        for direction in DIRECTIONS {
            for speed in SPEEDS {
                self.states[index] = start(direction, speed);
                let Ok(shot) = self
                    .simulator
                    .run(&scene.shape, &scene.physics, &self.states, &limits)
                else {
                    continue;
                };
                for (ball, end) in shot.end.iter().enumerate() {
                    if let BallMotion::Pocketed(pocket) = end.motion {
                        self.pots[ball][scene.pocket_name(pocket) as usize] += weight;
                    }
                }
            }
        }
        for (ball, pots) in scene.balls.iter().zip(&self.pots) {
            for (pocket, probability) in PocketName::ALL.into_iter().zip(pots) {
                if *probability > 0.0 {
                    outcomes.push(Outcome {
                        ball: ball.id,
                        pocket,
                        probability: probability.min(1.0),
                    });
                }
            }
        }
    }
}
