//! What the player does with the stick: aims, swings it to and fro, strikes.
//!
//! Told by the gap between the tip and the ball it points at. In a practice stroke the gap opens and closes and the tip stays
//! behind the ball; in a strike it closes altogether, and the ball sets off.

use ghostball_world::{CuePose, CueState, SeenStroke, TrackId};
use glam::DVec2;
use serde::{Deserialize, Serialize};

/// How far ahead of the tip a ball may be and still be aimed at, metres: players aim from up to half a stick away.
const AIM_REACH: f64 = 0.7;
/// A ball whose middle is no farther ahead of the tip than this, in radii, is not aimed at, but lies under the stick: a tip that
/// touches a ball is 0.9 radii behind its middle, and seen to a quarter of a radius.
const LEAST_AHEAD_RADII: f64 = 0.5;
/// A tip slower than this along the stick, m/s, rests: 4 mm in a thirtieth of a second, as much as a tip is seen to tremble.
const SWINGING_SPEED: f64 = 0.12;
/// A gap that closes again by less than this, in radii, is no practice stroke: a tip just behind its ball is seen now where it
/// ends, now where the ball begins, half a radius to and fro.
const LEAST_SWING_RADII: f64 = 1.0;
/// A stick is at its ball once the gap has been smaller than this, in radii; before that it only comes.
const ADDRESS_RADII: f64 = 3.0;
/// A swing that ended so long ago, seconds, is no longer going on: longer than the turn between back and forth takes.
const PAUSE_SECS: f64 = 0.25;
/// A ball that sets off when the tip was no farther behind it than this, in radii, and what the tip goes in two frames, was
/// struck by it.
const STRUCK_RADII: f64 = 2.0;
/// It is seen to have set off so soon after the tip was seen to come, seconds: within two frames of 15 a second.
const SET_OFF_SECS: f64 = 0.15;
/// How long a strike is shown, and how long after it the ball must have been seen to set off, seconds.
const STRIKE_SECS: f64 = 0.3;
const STRUCK_SECS: f64 = 1.0;

/// A ball that a stick may be aimed at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AimedBall {
    /// Which.
    pub id: TrackId,
    /// Centre, metres.
    pub position: DVec2,
    /// Whether it moves.
    pub is_moving: bool,
    /// Whether it is the cue ball, as far as is known.
    pub is_cue_ball: bool,
}

/// A ball that is aimed at, and how the tip has come and gone since.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Address {
    ball: TrackId,
    /// From the tip to the ball's surface along the stick, metres, when it was seen last.
    gap: f64,
    /// How far beside the ball's middle the stick points, metres, to the left positive.
    beside: f64,
    direction: DVec2,
    unseen_secs: f64,
    /// Of the tip, m/s, forwards positive.
    speed: f64,
    /// The last time it went forwards.
    forward: Option<Forward>,
    /// The greatest gap it was drawn back to since the last practice stroke ended.
    drawn_back: Option<f64>,
    is_near: bool,
    swung_secs_ago: f64,
    practice_strokes: u32,
}

/// A tip on its way to the ball.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Forward {
    /// Metres per second, in the last two frames; the later first.
    speeds: [f64; 2],
    frame_secs: f64,
    gap: f64,
    secs_ago: f64,
    /// It stopped, and that was taken for the end of a practice stroke.
    is_practice: bool,
}

/// Tells what the player does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Swing {
    address: Option<Address>,
    is_in_sight: bool,
    struck: Option<(TrackId, SeenStroke)>,
    struck_secs_ago: f64,
}

impl Swing {
    /// Takes in one frame: the stick as it is `seen`, and as it is `believed` to be where it is not, and the balls.
    pub fn follow(
        &mut self,
        seen: Option<&CuePose>,
        believed: Option<&CuePose>,
        dt_secs: f64,
        balls: impl Iterator<Item = AimedBall> + Clone,
        ball_radius: f64,
    ) {
        self.is_in_sight = believed.is_some();
        self.struck_secs_ago += dt_secs;
        if let Some(address) = &mut self.address {
            address.unseen_secs += dt_secs;
            address.swung_secs_ago += dt_secs;
            if let Some(forward) = &mut address.forward {
                forward.secs_ago += dt_secs;
            }
            let ball = balls.clone().find(|ball| ball.id == address.ball);
            let has_set_off = ball.is_none_or(|ball| ball.is_moving);
            if has_set_off {
                if let Some(forward) = address.may_have_struck(ball_radius) {
                    self.struck = Some((address.ball, address.stroke(forward, ball_radius)));
                    self.struck_secs_ago = 0.0;
                }
                self.address = None;
            }
        }
        if believed.is_none() {
            self.address = None;
        }
        let Some(pose) = seen else { return };
        let aimed = Address::of(pose, balls, ball_radius);
        self.address = match (self.address, aimed) {
            (Some(before), Some(now)) if before.ball == now.ball => Some(before.moved_to(now, ball_radius)),
            // The tip has come up to its ball and points past it: whether that sets off is seen a frame later.
            (Some(before), _) if before.may_have_struck(ball_radius).is_some() => Some(before),
            (_, aimed) => aimed,
        };
    }

    /// What the player does now.
    pub fn state(&self) -> CueState {
        if self.struck.is_some() && self.struck_secs_ago < STRIKE_SECS {
            return CueState::Striking;
        }
        match &self.address {
            None => CueState::Resting,
            Some(address) if address.reaches_ball() => CueState::Striking,
            Some(address) if address.is_near && address.swung_secs_ago < PAUSE_SECS => CueState::Practising,
            Some(_) => CueState::Aiming,
        }
    }

    /// The ball the stick points at.
    pub fn aimed_ball(&self) -> Option<TrackId> {
        self.address
            .filter(|_| self.is_in_sight)
            .map(|address| address.ball)
    }

    /// How this ball was struck, if it was a moment ago.
    pub fn stroke_at(&self, ball: TrackId) -> Option<SeenStroke> {
        self.struck
            .filter(|(struck, _)| *struck == ball && self.struck_secs_ago < STRUCK_SECS)
            .map(|(_, stroke)| stroke)
    }
}

impl Address {
    fn moved_to(self, now: Self, ball_radius: f64) -> Self {
        let frame_secs = self.unseen_secs.max(1e-3);
        let speed = (self.gap - now.gap) / frame_secs;
        let mut next = Self {
            speed,
            forward: self.forward,
            drawn_back: self.drawn_back,
            is_near: self.is_near || now.gap < ADDRESS_RADII * ball_radius,
            swung_secs_ago: self.swung_secs_ago,
            practice_strokes: self.practice_strokes,
            ..now
        };
        if speed > SWINGING_SPEED {
            next.forward = Some(Forward {
                speeds: [speed, self.speed],
                frame_secs,
                gap: now.gap,
                secs_ago: 0.0,
                is_practice: false,
            });
        }
        if !next.is_near {
            return next;
        }
        if speed.abs() > SWINGING_SPEED {
            next.swung_secs_ago = 0.0;
        }
        if speed < -SWINGING_SPEED {
            next.drawn_back = Some(now.gap.max(self.drawn_back.unwrap_or(now.gap)));
        }
        let has_stopped = speed <= SWINGING_SPEED && self.speed > SWINGING_SPEED;
        let least = LEAST_SWING_RADII * ball_radius;
        let has_swung = next.drawn_back.is_some_and(|back| back - now.gap > least);
        if has_stopped && has_swung {
            next.practice_strokes += 1;
            next.drawn_back = None;
            if let Some(forward) = &mut next.forward {
                forward.is_practice = true;
            }
        }
        next
    }

    /// Whether the tip is at its ball before the next frame, if nothing stops it.
    fn reaches_ball(&self) -> bool {
        let is_on_its_way =
            |forward: &Forward| self.speed > SWINGING_SPEED && self.gap < self.speed * forward.frame_secs;
        self.is_near && self.forward.as_ref().is_some_and(is_on_its_way)
    }

    /// The way forwards by which the tip may have come to the ball by now.
    fn may_have_struck(&self, ball_radius: f64) -> Option<Forward> {
        self.forward.filter(|forward| {
            let reach_secs = 2.0 * forward.frame_secs + forward.secs_ago;
            forward.secs_ago < SET_OFF_SECS
                && forward.gap < STRUCK_RADII * ball_radius + forward.speeds[0] * reach_secs
        })
    }

    /// The stick at the ball: it went on gaining speed as it did in the last two frames.
    fn stroke(&self, forward: Forward, ball_radius: f64) -> SeenStroke {
        let [late, early] = forward.speeds;
        let gain = ((late - early) / forward.frame_secs).max(0.0);
        let now = late + 0.5 * gain * forward.frame_secs;
        let speed = (now.max(0.0) * now.max(0.0) + 2.0 * gain * forward.gap.max(0.0)).sqrt();
        SeenStroke {
            speed,
            direction: libm::atan2(self.direction.y, self.direction.x),
            side: -self.beside / ball_radius,
            // What seemed to be one more was the strike.
            practice_strokes: self
                .practice_strokes
                .saturating_sub(u32::from(forward.is_practice)),
        }
    }
}

/// The resting ball that a stick at `pose`, which points in `direction`, is aimed at: the cue ball if that is on its line, over
/// whatever lies before it, or else the first.
pub fn first_on_line(
    pose: &CuePose,
    direction: DVec2,
    balls: impl Iterator<Item = AimedBall>,
    ball_radius: f64,
) -> Option<AimedBall> {
    let ahead = |ball: &AimedBall| (ball.position - pose.tip_in_table).dot(direction);
    let beside = |ball: &AimedBall| direction.perp_dot(ball.position - pose.tip_in_table).abs();
    let is_on_line = |ball: &AimedBall| {
        (LEAST_AHEAD_RADII * ball_radius..AIM_REACH).contains(&ahead(ball)) && beside(ball) < ball_radius
    };
    balls
        .filter(|ball| !ball.is_moving && is_on_line(ball))
        .min_by(|a, b| {
            let nearer = ahead(a).total_cmp(&ahead(b));
            b.is_cue_ball.cmp(&a.is_cue_ball).then(nearer)
        })
}

impl Address {
    /// Of the ball that a stick at `pose` is aimed at.
    fn of(pose: &CuePose, balls: impl Iterator<Item = AimedBall>, ball_radius: f64) -> Option<Self> {
        let direction = pose.direction_in_table()?;
        let ball = first_on_line(pose, direction, balls, ball_radius)?;
        let to_ball = ball.position - pose.tip_in_table;
        let beside = -direction.perp_dot(to_ball);
        let gap = to_ball.dot(direction) - (ball_radius * ball_radius - beside * beside).max(0.0).sqrt();
        Some(Self {
            ball: ball.id,
            gap,
            beside,
            direction,
            unseen_secs: 0.0,
            speed: 0.0,
            forward: None,
            drawn_back: None,
            is_near: gap < ADDRESS_RADII * ball_radius,
            swung_secs_ago: f64::INFINITY,
            practice_strokes: 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DT: f64 = 1.0 / 30.0;
    const RADIUS: f64 = 0.028;
    const BALL: AimedBall = AimedBall {
        id: TrackId(3),
        position: DVec2::ZERO,
        is_moving: false,
        is_cue_ball: false,
    };

    fn pose(gap: f64, beside: f64) -> CuePose {
        let tip = DVec2::new(-gap - RADIUS, beside);
        CuePose {
            tip_in_table: tip,
            butt_in_table: tip - DVec2::X,
            confidence: 0.9,
            direction_sigma: 0.0,
        }
    }

    fn look(swing: &mut Swing, gap: f64, ball: AimedBall) -> CueState {
        let pose = pose(gap, 0.0);
        swing.follow(Some(&pose), Some(&pose), DT, [ball].into_iter(), RADIUS);
        swing.state()
    }

    /// The gap in a practice stroke of half a second, frame by frame.
    fn practice() -> impl Iterator<Item = f64> {
        (1..=15).map(|n| 0.012 + 0.04 * (1.0 - libm::cos(std::f64::consts::TAU * f64::from(n) / 15.0)))
    }

    #[test]
    fn aiming_practice_and_strike_are_told_apart() {
        let mut swing = Swing::default();
        for _ in 0..10 {
            assert_eq!(look(&mut swing, 0.012, BALL), CueState::Aiming);
        }
        for round in 0..3 {
            let states: Vec<_> = practice().map(|gap| look(&mut swing, gap, BALL)).collect();
            let practising = states
                .iter()
                .filter(|state| **state == CueState::Practising)
                .count();
            assert!(practising >= 12, "{round}: {states:?}");
            assert!(!states.contains(&CueState::Striking), "{round}: {states:?}");
        }
        for _ in 0..12 {
            look(&mut swing, 0.012, BALL);
        }
        assert_eq!(look(&mut swing, 0.012, BALL), CueState::Aiming);
        // Back, and forward at a constant acceleration of 9 m/s² up to 2 m/s.
        for n in 1..=12 {
            look(&mut swing, 0.012 + 0.02 * f64::from(n), BALL);
        }
        let gap = |secs: f64| 0.252 - 4.5 * secs * secs;
        let mut state = CueState::Resting;
        for n in 1..=6 {
            state = look(&mut swing, gap(f64::from(n) * DT), BALL);
        }
        assert_eq!(state, CueState::Practising);
        assert_eq!(look(&mut swing, gap(7.0 * DT), BALL), CueState::Striking);
        let away = AimedBall {
            position: DVec2::X * 0.05,
            is_moving: true,
            ..BALL
        };
        assert_eq!(look(&mut swing, -0.03, away), CueState::Striking);
        let stroke = swing.stroke_at(BALL.id).unwrap();
        assert!((stroke.speed - 2.13).abs() < 0.1, "{stroke:?}");
        assert_eq!(stroke.practice_strokes, 3, "{stroke:?}");
        assert_eq!(swing.stroke_at(TrackId(4)), None);
    }

    #[test]
    fn english_is_seen_from_above() {
        let mut swing = Swing::default();
        // To the player's right: the stick points along x, its right is towards negative y.
        let right = |gap| pose(gap - RADIUS * (1.0 - 0.75_f64.sqrt()), -0.5 * RADIUS);
        for gap in [0.06, 0.04, 0.02] {
            swing.follow(
                Some(&right(gap)),
                Some(&right(gap)),
                DT,
                [BALL].into_iter(),
                RADIUS,
            );
        }
        let right = right(0.0);
        let away = AimedBall {
            is_moving: true,
            ..BALL
        };
        swing.follow(Some(&right), Some(&right), DT, [away].into_iter(), RADIUS);
        let stroke = swing.stroke_at(BALL.id).unwrap();
        assert!((stroke.side - 0.5).abs() < 1e-9, "{stroke:?}");
    }

    #[test]
    fn a_stick_over_another_ball_is_aimed_at_the_cue_ball_beyond() {
        let cue_ball = AimedBall {
            id: TrackId(1),
            position: DVec2::X * 0.2,
            is_cue_ball: true,
            ..BALL
        };
        let pose = pose(0.1, 0.0);
        let first = |balls: &[AimedBall]| first_on_line(&pose, DVec2::X, balls.iter().copied(), RADIUS);
        assert_eq!(first(&[BALL, cue_ball]), Some(cue_ball));
        assert_eq!(first(&[BALL]), Some(BALL));
        // One that the tip lies over is not aimed at.
        let under = AimedBall {
            position: pose.tip_in_table + 0.4 * RADIUS * DVec2::X,
            ..BALL
        };
        assert_eq!(first(&[under]), None);
    }

    #[test]
    fn of_two_balls_on_its_line_the_stick_aims_at_the_nearer() {
        let far = AimedBall {
            id: TrackId(1),
            position: DVec2::X * 0.2,
            ..BALL
        };
        let mut swing = Swing::default();
        let pose = pose(0.1, 0.0);
        swing.follow(Some(&pose), Some(&pose), DT, [far, BALL].into_iter(), RADIUS);
        assert_eq!(swing.aimed_ball(), Some(BALL.id));
    }
}
