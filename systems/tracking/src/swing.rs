//! What the player does with the stick: aims, swings it to and fro, strikes.
//!
//! Told by the gap between the tip and the ball it points at. In a practice stroke the gap opens and closes and the tip stays
//! behind the ball; in a strike it closes altogether, and the ball sets off.

use ghostball_world::{CuePose, CueState, SeenStroke, TrackId};
use glam::DVec2;
use serde::{Deserialize, Serialize};

/// How far ahead of the tip a ball may be and still be aimed at, metres: players aim from up to half a stick away.
const AIM_REACH: f64 = 0.7;
/// A tip slower than this along the stick, m/s, rests: 4 mm in a thirtieth of a second, as much as a tip is seen to tremble.
const SWINGING_SPEED: f64 = 0.12;
/// A gap that closes again by less than this, in radii, is no practice stroke, but a hand that trembles.
const LEAST_SWING_RADII: f64 = 0.5;
/// A stick is at its ball once the gap has been smaller than this, in radii; before that it only comes.
const ADDRESS_RADII: f64 = 3.0;
/// A swing that ended so long ago, seconds, is no longer going on: longer than the turn between back and forth takes.
const PAUSE_SECS: f64 = 0.25;
/// A ball that sets off when the tip was no farther behind it than this, in radii, and what the tip goes in two frames, was
/// struck by it.
const STRUCK_RADII: f64 = 2.0;
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
    /// Of the tip, m/s, in the last two frames, forwards positive; the later first.
    speeds: [f64; 2],
    frame_secs: f64,
    /// The greatest gap it was drawn back to since the last practice stroke ended.
    drawn_back: Option<f64>,
    is_near: bool,
    swung_secs_ago: f64,
    practice_strokes: u32,
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
            let ball = balls.clone().find(|ball| ball.id == address.ball);
            let has_set_off = ball.is_none_or(|ball| ball.is_moving);
            if has_set_off {
                if address.can_have_struck(ball_radius) {
                    self.struck = Some((address.ball, address.stroke(ball_radius)));
                    self.struck_secs_ago = 0.0;
                }
                self.address = None;
            }
        }
        if believed.is_none() {
            self.address = None;
        }
        let Some(pose) = seen else { return };
        let aimed = pose
            .direction_in_table()
            .and_then(|direction| aimed_ball(pose, direction, balls, ball_radius));
        self.address = match (self.address, aimed) {
            (Some(before), Some(now)) if before.ball == now.ball => Some(before.moved_to(now, ball_radius)),
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
            speeds: [speed, self.speeds[0]],
            frame_secs,
            drawn_back: self.drawn_back,
            is_near: self.is_near || now.gap < ADDRESS_RADII * ball_radius,
            swung_secs_ago: self.swung_secs_ago,
            practice_strokes: self.practice_strokes,
            ..now
        };
        if !next.is_near {
            return next;
        }
        if speed.abs() > SWINGING_SPEED {
            next.swung_secs_ago = 0.0;
        }
        if speed < -SWINGING_SPEED {
            next.drawn_back = Some(now.gap.max(self.drawn_back.unwrap_or(now.gap)));
        }
        let has_stopped = speed <= SWINGING_SPEED && self.speeds[0] > SWINGING_SPEED;
        let least = LEAST_SWING_RADII * ball_radius;
        let has_swung = next.drawn_back.is_some_and(|back| back - now.gap > least);
        if has_stopped && has_swung {
            next.practice_strokes += 1;
            next.drawn_back = None;
        }
        next
    }

    /// Whether the tip is at its ball before the next frame, if nothing stops it.
    fn reaches_ball(&self) -> bool {
        let [speed, _] = self.speeds;
        self.is_near && speed > SWINGING_SPEED && self.gap < speed * self.frame_secs
    }

    fn can_have_struck(&self, ball_radius: f64) -> bool {
        let [speed, _] = self.speeds;
        let reach = STRUCK_RADII * ball_radius + speed * (2.0 * self.frame_secs + self.unseen_secs);
        speed > SWINGING_SPEED && self.gap < reach
    }

    /// The stick at the ball: it went on gaining speed as it did in the last two frames.
    fn stroke(&self, ball_radius: f64) -> SeenStroke {
        let [late, early] = self.speeds;
        let gain = ((late - early) / self.frame_secs).max(0.0);
        let now = late + 0.5 * gain * self.frame_secs;
        let speed = (now.max(0.0) * now.max(0.0) + 2.0 * gain * self.gap.max(0.0)).sqrt();
        SeenStroke {
            speed,
            direction: libm::atan2(self.direction.y, self.direction.x),
            side: -self.beside / ball_radius,
            practice_strokes: self.practice_strokes,
        }
    }
}

/// The first resting ball on the line of a stick at `pose`.
fn aimed_ball(
    pose: &CuePose,
    direction: DVec2,
    balls: impl Iterator<Item = AimedBall>,
    ball_radius: f64,
) -> Option<Address> {
    let ahead = |ball: &AimedBall| (ball.position - pose.tip_in_table).dot(direction);
    let left = |ball: &AimedBall| direction.perp_dot(pose.tip_in_table - ball.position);
    // The tip may be seen over the near half of the ball that it touches.
    let is_on_line =
        |ball: &AimedBall| (-ball_radius..AIM_REACH).contains(&ahead(ball)) && left(ball).abs() < ball_radius;
    let first = balls
        .filter(|ball| !ball.is_moving && is_on_line(ball))
        .min_by(|a, b| ahead(a).total_cmp(&ahead(b)))?;
    let beside = left(&first);
    let gap = ahead(&first) - (ball_radius * ball_radius - beside * beside).max(0.0).sqrt();
    Some(Address {
        ball: first.id,
        gap,
        beside,
        direction,
        unseen_secs: 0.0,
        speeds: [0.0; 2],
        frame_secs: 0.0,
        drawn_back: None,
        is_near: gap < ADDRESS_RADII * ball_radius,
        swung_secs_ago: f64::INFINITY,
        practice_strokes: 0,
    })
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
    };

    fn pose(gap: f64, beside: f64) -> CuePose {
        let tip = DVec2::new(-gap - RADIUS, beside);
        CuePose {
            tip_in_table: tip,
            butt_in_table: tip - DVec2::X,
            confidence: 0.9,
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
    fn of_two_balls_on_its_line_the_stick_aims_at_the_nearer() {
        let far = AimedBall {
            id: TrackId(1),
            position: DVec2::X * 0.2,
            is_moving: false,
        };
        let mut swing = Swing::default();
        let pose = pose(0.1, 0.0);
        swing.follow(Some(&pose), Some(&pose), DT, [far, BALL].into_iter(), RADIUS);
        assert_eq!(swing.aimed_ball(), Some(BALL.id));
    }
}
