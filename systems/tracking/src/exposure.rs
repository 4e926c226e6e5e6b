//! How long the shutter is open: learnt from the streaks of balls whose speed is known.

use glam::DVec2;
use serde::{Deserialize, Serialize};

/// Streaks after which the exposure is known: one of a few is a shadow's.
const KNOWING_STREAKS: f64 = 4.0;
/// Streaks that its mean reaches back: some seconds of one ball. Cameras follow the light slowly.
const MEMORY: f64 = 50.0;
/// Cosine of how far a streak may be off the way of its ball: those of half a radius are off by less than 10° mostly.
const SAME_WAY: f64 = 0.95;

/// The time for which the shutter is open, as streaks tell it. They may be told shorter than they are: what is learnt from them
/// goes with them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Exposure {
    secs: f64,
    /// Streaks in the mean, up to [`MEMORY`].
    streaks: f64,
}

impl Exposure {
    /// Seconds; `None` while too few streaks were seen to say so.
    pub fn secs(&self) -> Option<f64> {
        (self.streaks >= KNOWING_STREAKS).then_some(self.secs)
    }

    /// A ball with this velocity, m/s, drew this streak, metres, in pictures that are taken every `frame_secs`.
    pub fn learn(&mut self, streak: DVec2, velocity: DVec2, frame_secs: f64) {
        let way = streak.dot(velocity.normalize_or_zero()).abs();
        let secs = way / velocity.length();
        // The shutter is closed before the next picture.
        if way < SAME_WAY * streak.length() || !(secs > 0.0 && secs <= frame_secs) {
            return;
        }
        self.streaks = (self.streaks + 1.0).min(MEMORY);
        self.secs += (secs - self.secs) / self.streaks;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exposure_is_known_after_a_few_streaks_whichever_way_they_are_told() {
        let mut exposure = Exposure::default();
        for sign in [1.0, -1.0, 1.0, 1.0] {
            assert_eq!(exposure.secs(), None);
            exposure.learn(sign * 0.02 * DVec2::X, 2.0 * DVec2::X, 0.033);
        }
        assert!(exposure.secs().is_some_and(|secs| (secs - 0.01).abs() < 1e-9));
    }

    #[test]
    fn what_lies_across_the_way_or_is_longer_than_it_is_no_streak() {
        let mut exposure = Exposure::default();
        for _ in 0..10 {
            exposure.learn(0.02 * DVec2::Y, 2.0 * DVec2::X, 0.033);
            exposure.learn(0.02 * DVec2::X, 0.1 * DVec2::X, 0.033);
            exposure.learn(0.02 * DVec2::X, DVec2::ZERO, 0.033);
        }
        assert_eq!(exposure, Exposure::default());
    }
}
