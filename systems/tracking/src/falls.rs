//! Whether, when and how a ball fell that was lost near a pocket: physics, from where it was seen last.
//!
//! The straight way of a ball often ends at a jaw, which turns it into the pocket after all. Nobody sees the last of its way.

use ghostball_physics::{BallState, EventKind, Limits, Physics, Simulator, TableShape};
use ghostball_world::PocketName;
use glam::{DVec2, DVec3};
use serde::{Deserialize, Serialize};

use crate::bed::{Bed, TableForm};
use crate::kalman::BallFilter;

/// A ball is played on for so long, seconds: one that creeps to the edge takes no longer from where it is hidden by it.
const LONGEST_SECS: f64 = 2.0;
/// A ball that rattles touches the jaws a few times; more events than this are a ball that plays on.
const MOST_EVENTS: usize = 20;
/// Cushions and jaws on the way that are told, the first.
const MOST_TOUCHES: usize = 4;

/// How a ball fell.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fall {
    /// Into which pocket.
    pub pocket: PocketName,
    /// Seconds after it was seen last.
    pub after_secs: f64,
    /// The cushions and jaws it touched before: seconds after it was seen last, and where its centre was, metres.
    pub touches: [Option<(f64, DVec2)>; MOST_TOUCHES],
}

/// Plays lost balls on. Keeps its buffers; nothing is remembered.
#[derive(Clone, Debug, Default)]
pub struct Faller {
    physics: Physics,
    simulator: Simulator,
    shape: TableShape,
    form: Option<TableForm>,
}

impl Faller {
    /// How the ball falls that was like this when it was seen last, if nothing but the table turns it.
    pub fn play(&mut self, ball: &BallFilter, bed: &Bed) -> Option<Fall> {
        if self.form != Some(bed.form) {
            self.form = Some(bed.form);
            self.physics.ball.radius = bed.form.ball_radius;
            self.shape = bed.form.shape();
        }
        let state = if ball.is_sliding() {
            BallState::moving(ball.position, ball.velocity, DVec3::ZERO)
        } else {
            BallState::rolling(ball.position, ball.velocity, &self.physics.ball)
        };
        let limits = Limits {
            events: MOST_EVENTS,
            time: LONGEST_SECS,
        };
        let shot = self
            .simulator
            .run(&self.shape, &self.physics, &[state], &limits)
            .ok()?;
        let mut touches = [None; MOST_TOUCHES];
        let mut touched = 0;
        for event in &shot.events {
            match event.kind {
                EventKind::Cushion { .. } | EventKind::Jaw { .. } if touched < MOST_TOUCHES => {
                    touches[touched] = Some((event.time, event.first.before.position));
                    touched += 1;
                }
                EventKind::Pocket { pocket, .. } => {
                    return Some(Fall {
                        pocket: *PocketName::ALL.get(pocket)?,
                        after_secs: event.time,
                        touches,
                    });
                }
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bed::tests::geometry;

    /// How a ball falls that was seen here last, rolling on with this velocity, m/s.
    fn fall(position: DVec2, velocity: DVec2) -> Option<Fall> {
        let ball = BallFilter::after_a_touch(position, velocity, 0.01, 0.0, 5e-4);
        Faller::default().play(&ball, &Bed::of(&geometry()))
    }

    #[test]
    fn a_ball_that_comes_along_the_cushion_falls_by_way_of_the_jaw() {
        let reach = Bed::of(&geometry()).half_reach;
        let fallen = fall(DVec2::new(reach.x, reach.y - 3e-3), DVec2::new(1.5, -0.05)).unwrap();
        assert_eq!(fallen.pocket, PocketName::TopRight);
        let (at, _) = fallen.touches[0].unwrap();
        assert!(at < fallen.after_secs && fallen.after_secs < 0.1, "{fallen:?}");
    }

    #[test]
    fn a_ball_that_goes_straight_into_the_pocket_touches_nothing_and_one_on_the_bed_does_not_fall() {
        let fallen = fall(DVec2::new(1.15, 0.515), DVec2::new(1.0, 1.0)).unwrap();
        assert_eq!((fallen.pocket, fallen.touches[0]), (PocketName::TopRight, None));
        assert_eq!(fall(DVec2::ZERO, DVec2::new(0.3, 0.1)), None);
    }
}
