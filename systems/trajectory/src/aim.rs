//! The aimed stick: which ball it points at, and where that ball would go.

use ghostball_physics::{BallProperties, BallState, Strike, strike};
use ghostball_world::{BallKind, CuePose};
use glam::DVec2;

use crate::scene::Scene;

/// How far ahead of the tip a ball may be and still be aimed at, metres: players aim from up to half a stick away.
const REACH: f64 = 0.7;

/// A ball that the stick points at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Aim {
    /// Index of the ball in the scene.
    pub ball: usize,
    /// Direction of the stick, radians.
    pub direction: f64,
}

/// What `pose` aims at: the first ball on the stick's line, if that is the cue ball. A ball of unknown kind may be the
/// cue ball, and so may any where none is known to be; an object ball is nothing one aims a stick at.
pub fn aim_of(pose: &CuePose, scene: &Scene) -> Option<Aim> {
    let direction = pose.direction_in_table()?;
    let radius = scene.physics.ball.radius;
    let knows_cue_ball = scene.balls.iter().any(|ball| ball.kind == BallKind::Cue);
    let ahead = |position: DVec2| (position - pose.tip_in_table).dot(direction);
    let on_line = |position: DVec2| {
        let beside = (position - pose.tip_in_table).perp_dot(direction).abs();
        // The tip may be seen over the near half of the ball that it touches.
        (-radius..REACH).contains(&ahead(position)) && beside < radius
    };
    let first = (0..scene.balls.len())
        .filter(|index| on_line(scene.balls[*index].position))
        .min_by(|a, b| ahead(scene.balls[*a].position).total_cmp(&ahead(scene.balls[*b].position)))?;
    let may_be_struck = match scene.balls[first].kind {
        BallKind::Cue | BallKind::Unknown => true,
        _ => !knows_cue_ball,
    };
    may_be_struck.then_some(Aim {
        ball: first,
        direction: libm::atan2(direction.y, direction.x),
    })
}

/// A ball at `position` just after the stick has struck it in its middle.
pub fn struck(position: DVec2, direction: f64, stick_speed: f64, properties: &BallProperties) -> BallState {
    let stroke = Strike {
        stick_speed,
        direction,
        ..Strike::default()
    };
    let (velocity, spin) = strike(properties, &stroke);
    BallState::moving(position, velocity, spin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::tests::{ball, scene};

    fn pose(tip: [f64; 2], butt: [f64; 2]) -> CuePose {
        CuePose {
            tip_in_table: DVec2::from(tip),
            butt_in_table: DVec2::from(butt),
            confidence: 0.9,
            direction_sigma: 0.0,
        }
    }

    #[test]
    fn a_stick_aims_at_the_cue_ball_in_front_of_it() {
        let scene = scene(&[
            ball(1, BallKind::Red, 0.4, 0.0),
            ball(2, BallKind::Cue, 0.0, 0.01),
        ]);
        let aim = aim_of(&pose([-0.1, 0.0], [-0.9, 0.0]), &scene);
        assert_eq!(
            aim,
            Some(Aim {
                ball: 1,
                direction: 0.0
            })
        );
        assert_eq!(aim_of(&pose([-0.9, 0.0], [-0.1, 0.0]), &scene), None);
        assert_eq!(aim_of(&pose([-0.1, 0.0], [-0.1, 0.0]), &scene), None);
    }

    #[test]
    fn a_stick_that_points_at_an_object_ball_aims_at_nothing() {
        let scene = scene(&[ball(1, BallKind::Red, 0.0, 0.0), ball(2, BallKind::Cue, 0.3, 0.0)]);
        assert_eq!(aim_of(&pose([-0.1, 0.0], [-0.9, 0.0]), &scene), None);
    }

    #[test]
    fn where_kinds_are_unknown_the_first_ball_is_aimed_at() {
        let scene = scene(&[
            ball(1, BallKind::Unknown, 0.3, 0.0),
            ball(2, BallKind::Unknown, 0.0, 0.0),
        ]);
        let aim = aim_of(&pose([-0.1, 0.0], [-0.9, 0.0]), &scene);
        assert_eq!(aim.map(|aim| aim.ball), Some(1));
    }
}
