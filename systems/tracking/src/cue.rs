//! The stick: a steady line through what is seen, and what the player does with it.

use ghostball_world::{CueInImage, CuePose, CueState, SeenStroke, TrackId};
use serde::{Deserialize, Serialize};

use crate::swing::{AimedBall, Swing};

/// Time constant of the smoothing of a steady stick, seconds: a player aims for longer…
const STEADY_SECS: f64 = 0.25;
/// …and of one that is turned or shifted.
const TURNING_SECS: f64 = 0.03;
/// A stick whose direction, radians, or place across, metres, is off by so much on average of the last frames is being turned
/// or shifted.
const TURNING: f64 = 0.005;
const SHIFTING: f64 = 0.003;
/// Weight of one frame in that average.
const DRIFT_GAIN: f64 = 0.3;
/// A look at the stick that is off by so many times that is a hand or a rail taken for it, unless it is seen so many times in
/// a row.
const ASTRAY: f64 = 5.0;
const ASTRAY_FRAMES: u32 = 3;
/// A tip that trembles along the stick by less than this, metres, does not move.
const TREMBLING: f64 = 0.003;
/// A tip or butt that jumps farther than this between frames is another stick, or another look at it, metres. A stick
/// at 5 m/s goes 0.17 m in a thirtieth of a second.
const JUMP: f64 = 0.3;
/// How long a stick that is not seen stays in the world, seconds.
const GRACE_SECS: f64 = 0.15;

/// The stick in one frame, mapped into table space.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeenCue {
    /// Tip and butt, metres.
    pub pose: CuePose,
    /// Where it was seen, pixels.
    pub in_image: CueInImage,
}

/// Follows the stick from frame to frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CueFollower {
    followed: Option<Followed>,
    swing: Swing,
}

/// The stick as it is believed to be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Followed {
    /// Tip and butt, smoothed, metres; the confidence fades while the stick is not seen.
    pub pose: CuePose,
    /// Where it is seen in this frame.
    pub in_image: Option<CueInImage>,
    /// What the player does.
    pub state: CueState,
    /// The ball it points at.
    pub aimed_ball: Option<TrackId>,
    unseen_secs: f64,
    turn: Drift,
    shift: Drift,
    astray_frames: u32,
}

/// How far what is seen of something has been off lately, on average.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Drift {
    mean: f64,
    frames: u32,
}

impl Drift {
    /// The share of `off` to follow, `dt_secs` after the frame before; it counts as turning beyond `turning`.
    fn follow(&mut self, off: f64, turning: f64, dt_secs: f64) -> f64 {
        self.mean += DRIFT_GAIN * (off - self.mean);
        self.frames += 1;
        let secs = if self.mean.abs() > turning {
            TURNING_SECS
        } else {
            STEADY_SECS
        };
        let steady = 1.0 - libm::exp(-dt_secs / secs);
        // The first looks are all there is to go by.
        off * steady.max(1.0 / f64::from(self.frames + 1))
    }
}

impl CueFollower {
    /// Takes in one frame, `dt_secs` after the one before; `balls` are those on the table and `ball_radius` their radius,
    /// metres.
    pub fn follow(
        &mut self,
        seen: Option<SeenCue>,
        dt_secs: f64,
        balls: impl Iterator<Item = AimedBall> + Clone,
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
                aimed_ball: None,
                unseen_secs: 0.0,
                turn: Drift::default(),
                shift: Drift::default(),
                astray_frames: 0,
            }),
            (Some(before), None) => before.unseen(dt_secs),
            (None, None) => None,
        };
        let pose = self.followed.map(|followed| followed.pose);
        let tip = seen.and(pose);
        self.swing
            .follow(tip.as_ref(), pose.as_ref(), dt_secs, balls, ball_radius);
        if let Some(followed) = &mut self.followed {
            followed.state = self.swing.state();
            followed.aimed_ball = self.swing.aimed_ball();
        }
        self.followed.as_ref()
    }

    /// The stick as it struck this ball, if that was seen a moment ago.
    pub fn stroke_at(&self, ball: TrackId) -> Option<SeenStroke> {
        self.swing.stroke_at(ball)
    }
}

impl Followed {
    fn moved_to(mut self, seen: SeenCue, dt_secs: f64) -> Self {
        (self.in_image, self.unseen_secs) = (Some(seen.in_image), 0.0);
        let before = self.pose;
        let confidence = before.confidence + 0.5 * (seen.pose.confidence - before.confidence);
        let (Some(direction), Some(seen_direction)) =
            (before.direction_in_table(), seen.pose.direction_in_table())
        else {
            return Self {
                pose: seen.pose,
                ..self
            };
        };
        let turned = direction.perp_dot(seen_direction);
        let off = seen.pose.tip_in_table - before.tip_in_table;
        let (along, across) = (off.dot(direction), direction.perp_dot(off));
        let is_astray = turned.abs() > ASTRAY * TURNING || across.abs() > ASTRAY * SHIFTING;
        self.astray_frames = if is_astray { self.astray_frames + 1 } else { 0 };
        let (turned, across) = if !is_astray {
            (
                self.turn.follow(turned, TURNING, dt_secs),
                self.shift.follow(across, SHIFTING, dt_secs),
            )
        } else if self.astray_frames >= ASTRAY_FRAMES {
            (self.turn, self.shift) = (Drift::default(), Drift::default());
            (turned, across)
        } else {
            (0.0, 0.0)
        };
        let along = if along.abs() < TREMBLING {
            0.5 * along
        } else {
            along
        };
        let tip_in_table = before.tip_in_table + along * direction + across * direction.perp();
        let direction = (direction + turned * direction.perp()).normalize_or(direction);
        let length = seen.pose.tip_in_table.distance(seen.pose.butt_in_table);
        self.pose = CuePose {
            tip_in_table,
            butt_in_table: tip_in_table - length * direction,
            confidence,
            direction_sigma: seen.pose.direction_sigma,
        };
        self
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

#[cfg(test)]
mod tests {
    use glam::DVec2;

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
                direction_sigma: 0.0,
            },
            in_image: CueInImage {
                tip_in_image: tip * 500.0,
                butt_in_image: butt * 500.0,
            },
        }
    }

    fn follow(follower: &mut CueFollower, seen: Option<SeenCue>, ball: DVec2) -> Option<Followed> {
        let ball = AimedBall {
            id: TrackId(7),
            position: ball,
            is_moving: false,
            is_cue_ball: false,
        };
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
    fn one_look_at_a_hand_does_not_turn_a_steady_stick() {
        let mut follower = CueFollower::default();
        let turned = |radians: f64| SeenCue {
            pose: CuePose {
                butt_in_table: -DVec2::from_angle(radians),
                ..stick(DVec2::ZERO).pose
            },
            ..stick(DVec2::ZERO)
        };
        let angle = |follower: &mut CueFollower, radians| {
            follow(follower, Some(turned(radians)), DVec2::X).map_or(f64::NAN, |cue| cue.pose.angle())
        };
        for n in 0..30 {
            angle(&mut follower, if n % 2 == 0 { 0.003 } else { -0.003 });
        }
        assert!(angle(&mut follower, 0.08).abs() < 0.001);
        assert!(angle(&mut follower, 0.0).abs() < 0.001);
        // One that is turned is followed.
        for n in 0..20 {
            angle(&mut follower, 0.004 * f64::from(n));
        }
        let off = angle(&mut follower, 0.08) - 0.08;
        assert!(off.abs() < 0.006, "{off}");
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
