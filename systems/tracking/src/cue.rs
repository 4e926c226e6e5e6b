//! The stick: a light smoothing of what is seen, and what the player does with it.

use ghostball_world::{CueInImage, CuePose, CueState};
use glam::DVec2;

/// Time constant of the smoothing, seconds: a third of the shortest backswing, so that a stroke stays visible.
const SMOOTHING_SECS: f64 = 0.05;
/// A tip or butt that jumps farther than this between frames is another stick, or another look at it, metres. A stick
/// at 5 m/s goes 0.17 m in a thirtieth of a second.
const JUMP: f64 = 0.3;
/// How long a stick that is not seen stays in the world, seconds.
const GRACE_SECS: f64 = 0.15;
/// How far ahead of the tip a ball may be and still be aimed at, metres: players aim from up to half a stick away.
const AIM_REACH: f64 = 0.7;
/// A stick that advances on its ball faster than this strikes, m/s; feathering is slower than the slowest shot.
const STRIKING_SPEED: f64 = 0.5;

/// The stick in one frame, mapped into table space.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeenCue {
    /// Tip and butt, metres.
    pub pose: CuePose,
    /// Where it was seen, pixels.
    pub in_image: CueInImage,
}

/// Follows the stick from frame to frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CueFollower {
    followed: Option<Followed>,
}

/// The stick as it is believed to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Followed {
    /// Tip and butt, smoothed, metres; the confidence fades while the stick is not seen.
    pub pose: CuePose,
    /// Where it is seen in this frame.
    pub in_image: Option<CueInImage>,
    /// What the player does.
    pub state: CueState,
    unseen_secs: f64,
    /// Speed of the tip along the stick, m/s, forwards positive.
    forward_speed: f64,
}

impl CueFollower {
    /// Takes in one frame, `dt_secs` after the one before; `balls` are the centres of the balls on the table and
    /// `ball_radius` their radius, metres.
    pub fn follow(
        &mut self,
        seen: Option<SeenCue>,
        dt_secs: f64,
        balls: impl Iterator<Item = DVec2>,
        ball_radius: f64,
    ) -> Option<&Followed> {
        self.followed = match (self.followed, seen) {
            (Some(before), Some(seen)) if is_same_stick(&before.pose, &seen.pose) => {
                Some(before.moved_to(seen, dt_secs))
            }
            (_, Some(seen)) => Some(Followed {
                pose: seen.pose,
                in_image: Some(seen.in_image),
                state: CueState::Resting,
                unseen_secs: 0.0,
                forward_speed: 0.0,
            }),
            (Some(before), None) => before.unseen(dt_secs),
            (None, None) => None,
        };
        if let Some(followed) = &mut self.followed {
            followed.state = match points_at_a_ball(&followed.pose, balls, ball_radius) {
                false => CueState::Resting,
                true if followed.forward_speed > STRIKING_SPEED => CueState::Striking,
                true => CueState::Aiming,
            };
        }
        self.followed.as_ref()
    }
}

impl Followed {
    fn moved_to(self, seen: SeenCue, dt_secs: f64) -> Self {
        let gain = 1.0 - libm::exp(-dt_secs / SMOOTHING_SECS);
        let before = self.pose;
        let pose = CuePose {
            tip_in_table: before.tip_in_table.lerp(seen.pose.tip_in_table, gain),
            butt_in_table: before.butt_in_table.lerp(seen.pose.butt_in_table, gain),
            confidence: before.confidence + gain * (seen.pose.confidence - before.confidence),
        };
        let forward_speed = match pose.direction_in_table() {
            Some(direction) if dt_secs > 0.0 => {
                (pose.tip_in_table - before.tip_in_table).dot(direction) / dt_secs
            }
            _ => self.forward_speed,
        };
        Self {
            pose,
            in_image: Some(seen.in_image),
            unseen_secs: 0.0,
            forward_speed,
            ..self
        }
    }

    fn unseen(self, dt_secs: f64) -> Option<Self> {
        let unseen_secs = self.unseen_secs + dt_secs;
        let pose = CuePose {
            confidence: self.pose.confidence * libm::exp(-dt_secs / GRACE_SECS),
            ..self.pose
        };
        (unseen_secs < GRACE_SECS).then_some(Self {
            pose,
            in_image: None,
            unseen_secs,
            forward_speed: 0.0,
            ..self
        })
    }
}

fn is_same_stick(before: &CuePose, now: &CuePose) -> bool {
    // The butt is where the picture, a hand or the table's edge cuts the stick off: it may jump along the stick.
    let turned = match (before.direction_in_table(), now.direction_in_table()) {
        (Some(before), Some(now)) => before.perp_dot(now).abs() > 0.2 || before.dot(now) < 0.0,
        _ => true,
    };
    before.tip_in_table.distance(now.tip_in_table) < JUMP && !turned
}

fn points_at_a_ball(pose: &CuePose, mut balls: impl Iterator<Item = DVec2>, ball_radius: f64) -> bool {
    let Some(direction) = pose.direction_in_table() else {
        return false;
    };
    balls.any(|ball| {
        let to_ball = ball - pose.tip_in_table;
        let ahead = to_ball.dot(direction);
        let beside = to_ball.perp_dot(direction).abs();
        // The tip may be seen over the near half of the ball that it touches.
        (-ball_radius..AIM_REACH).contains(&ahead) && beside < ball_radius
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DT: f64 = 1.0 / 30.0;
    const RADIUS: f64 = 0.028;

    fn stick(tip: DVec2) -> SeenCue {
        let butt = tip - DVec2::X;
        SeenCue {
            pose: CuePose {
                tip_in_table: tip,
                butt_in_table: butt,
                confidence: 0.8,
            },
            in_image: CueInImage {
                tip_in_image: tip * 500.0,
                butt_in_image: butt * 500.0,
            },
        }
    }

    fn follow(follower: &mut CueFollower, seen: Option<SeenCue>, ball: DVec2) -> Option<Followed> {
        follower.follow(seen, DT, [ball].into_iter(), RADIUS).copied()
    }

    #[test]
    fn a_stick_exists_while_it_is_seen_and_a_moment_longer() {
        let mut follower = CueFollower::default();
        assert_eq!(follow(&mut follower, None, DVec2::ZERO), None);
        assert!(follow(&mut follower, Some(stick(DVec2::ZERO)), DVec2::X).is_some());
        let unseen: Vec<_> = (0..8)
            .map(|_| follow(&mut follower, None, DVec2::X).is_some())
            .collect();
        assert_eq!(unseen, [true, true, true, true, false, false, false, false]);
    }

    #[test]
    fn a_stick_that_points_at_a_ball_aims_and_one_that_does_not_rests() {
        let mut follower = CueFollower::default();
        let state = |follower: &mut CueFollower, ball| {
            follow(follower, Some(stick(DVec2::ZERO)), ball).map(|cue| cue.state)
        };
        assert_eq!(
            state(&mut follower, DVec2::new(0.1, 0.01)),
            Some(CueState::Aiming)
        );
        assert_eq!(
            state(&mut follower, DVec2::new(0.1, 0.1)),
            Some(CueState::Resting)
        );
        assert_eq!(
            state(&mut follower, DVec2::new(-0.3, 0.0)),
            Some(CueState::Resting)
        );
    }

    #[test]
    fn a_stick_thrust_at_its_ball_strikes() {
        let mut follower = CueFollower::default();
        let mut state = None;
        for n in 0..4 {
            let tip = DVec2::X * (2.0 * DT * f64::from(n));
            state = follow(&mut follower, Some(stick(tip)), DVec2::X * 0.3).map(|cue| cue.state);
        }
        assert_eq!(state, Some(CueState::Striking));
    }

    #[test]
    fn smoothing_calms_a_trembling_stick_and_lets_another_stick_jump() {
        let mut follower = CueFollower::default();
        let mut spread: f64 = 0.0;
        for n in 0..30 {
            let tip = DVec2::Y * if n % 2 == 0 { 0.002 } else { -0.002 };
            let followed = follow(&mut follower, Some(stick(tip)), DVec2::X).unwrap();
            if n > 10 {
                spread = spread.max(followed.pose.tip_in_table.y.abs());
            }
        }
        assert!(spread < 0.001, "{spread}");
        let elsewhere = follow(&mut follower, Some(stick(DVec2::new(0.0, 0.5))), DVec2::X).unwrap();
        assert_eq!(elsewhere.pose.tip_in_table.y, 0.5);
    }
}
