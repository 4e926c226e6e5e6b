//! How the stick moves along its own axis: practice swings, strike, follow-through.

use core::f64::consts::TAU;

/// One stroke. Times count from when the stick comes into sight; distances from where the tip meets the ball,
/// backwards positive, metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stroke {
    swings: u32,
    /// How far the tip is drawn back before the strike, and how long the way forward takes.
    draw_back: f64,
    forward_secs: f64,
    speed: f64,
    /// By how much the aim is off at first, radians.
    wander: f64,
}

/// The tip waits this far behind the ball between swings.
const REST_GAP: f64 = 0.012;
/// Depth of a practice swing.
const SWING: f64 = 0.075;
const SWING_SECS: f64 = 0.55;
/// From out of sight up to the ball, and back.
const APPROACH: f64 = 0.5;
const APPROACH_SECS: f64 = 0.4;
const STILL_SECS: f64 = 0.25;
const DRAW_BACK_SECS: f64 = 0.4;
/// How far the tip goes on after the strike, and how long it then stays.
const FOLLOW_THROUGH: f64 = 0.07;
const FOLLOW_SECS: f64 = 0.12;
const STAY_SECS: f64 = 0.3;
const LEAVE_SECS: f64 = 0.35;

impl Stroke {
    /// The stick is out of sight this long after the strike, seconds.
    pub const LEAVES_WITHIN: f64 = FOLLOW_SECS + STAY_SECS + LEAVE_SECS;

    /// A stroke that hits at `speed` (m/s) after some practice swings; the aim is off by `wander` (radians) at first.
    pub fn new(speed: f64, swings: u32, wander: f64) -> Self {
        let draw_back = (0.06 + 0.05 * speed).min(0.28);
        Self {
            swings,
            draw_back,
            // Constant acceleration from rest to `speed`.
            forward_secs: 2.0 * (draw_back + REST_GAP) / speed.max(0.1),
            speed,
            wander,
        }
    }

    /// When the tip meets the ball, seconds.
    pub fn strikes_at(&self) -> f64 {
        APPROACH_SECS + SWING_SECS * f64::from(self.swings) + STILL_SECS + DRAW_BACK_SECS + self.forward_secs
    }

    /// How far the tip is behind the ball, and by how much the aim is still off; `None` when the stick has gone.
    pub fn at(&self, time: f64) -> Option<(f64, f64)> {
        let settle = (time / (APPROACH_SECS + 0.5 * SWING_SECS)).min(1.0);
        let wander = self.wander * (1.0 - ease(settle));
        let mut t = time;
        if t < APPROACH_SECS {
            return Some((REST_GAP + APPROACH * (1.0 - ease(t / APPROACH_SECS)), wander));
        }
        t -= APPROACH_SECS;
        let swinging = SWING_SECS * f64::from(self.swings);
        if t < swinging {
            let phase = TAU * t / SWING_SECS;
            return Some((REST_GAP + SWING * 0.5 * (1.0 - libm::cos(phase)), wander));
        }
        t -= swinging;
        if t < STILL_SECS {
            return Some((REST_GAP, wander));
        }
        t -= STILL_SECS;
        if t < DRAW_BACK_SECS {
            return Some((REST_GAP + self.draw_back * ease(t / DRAW_BACK_SECS), 0.0));
        }
        t -= DRAW_BACK_SECS;
        if t < self.forward_secs {
            let share = t / self.forward_secs;
            return Some(((REST_GAP + self.draw_back) * (1.0 - share * share), 0.0));
        }
        t -= self.forward_secs;
        if t < FOLLOW_SECS + STAY_SECS {
            // The ball is faster than the stick from the strike on.
            let forward = FOLLOW_THROUGH.min(0.5 * self.speed * FOLLOW_SECS);
            let left = 1.0 - (t / FOLLOW_SECS).min(1.0);
            return Some((-forward * (1.0 - left * left), 0.0));
        }
        t -= FOLLOW_SECS + STAY_SECS;
        (t < LEAVE_SECS).then(|| {
            let forward = FOLLOW_THROUGH.min(0.5 * self.speed * FOLLOW_SECS);
            let share = t / LEAVE_SECS;
            (-forward + (APPROACH + 0.6) * share * share, 0.0)
        })
    }
}

/// 0 to 1 without a jerk at either end.
fn ease(share: f64) -> f64 {
    share * share * (3.0 - 2.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tip_moves_without_jumps_and_meets_the_ball_at_the_strike() {
        let stroke = Stroke::new(2.0, 2, 0.01);
        let end = stroke.strikes_at() + Stroke::LEAVES_WITHIN;
        let mut before = stroke.at(0.0).unwrap();
        for i in 1..10_000 {
            let time = f64::from(i) * 1e-4 * end;
            let Some(now) = stroke.at(time) else { continue };
            assert!((now.0 - before.0).abs() < 10.0 * end * 1e-4, "{time}");
            if time < stroke.strikes_at() {
                assert!(now.0 > 0.0);
            }
            before = now;
        }
        assert!(stroke.at(stroke.strikes_at()).unwrap().0.abs() < 1e-9);
        assert_eq!(stroke.at(end + 1e-6), None);
    }
}
