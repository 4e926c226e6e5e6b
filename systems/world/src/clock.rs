//! Time as the camera tells it.

use std::time::Duration;

use bevy_ecs::resource::Resource;
use serde::{Deserialize, Serialize};

/// When a frame was captured: nanoseconds on the source's own monotonic clock. Its zero means nothing; only
/// differences do. Wall-clock time is attached once, at the edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Stamp {
    /// Nanoseconds since the source's own zero.
    pub nanos: u64,
}

impl Stamp {
    /// The stamp `nanos` nanoseconds after the source's zero.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self { nanos }
    }

    /// Time from `earlier` to `self`; zero when `earlier` is the later one (a camera's clock can jump back).
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.nanos.saturating_sub(earlier.nanos))
    }
}

/// The clock of the systems: it stands at the current frame and moves only when the next one is admitted.
#[derive(Resource, Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct FrameClock {
    /// Frames admitted before this one; 0 for the first.
    pub frame_number: u64,
    /// When the current frame was captured.
    pub captured_at: Stamp,
    /// Time since the frame before; zero for the first frame, and where the stamps stand still or run backwards.
    pub dt: Duration,
    /// Time since the first frame: the sum of all `dt`.
    pub since_first: Duration,
    started: bool,
}

impl FrameClock {
    /// Moves the clock to a frame captured at `captured_at`.
    pub fn advance_to(&mut self, captured_at: Stamp) {
        if self.started {
            self.frame_number += 1;
            self.dt = captured_at.since(self.captured_at);
            self.since_first += self.dt;
        }
        self.started = true;
        self.captured_at = captured_at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_frame_has_number_zero_and_no_dt() {
        let mut clock = FrameClock::default();
        clock.advance_to(Stamp::from_nanos(5_000));
        assert_eq!((clock.frame_number, clock.dt), (0, Duration::ZERO));
    }

    #[test]
    fn dt_is_the_difference_of_stamps_and_never_negative() {
        let mut clock = FrameClock::default();
        for nanos in [100, 400, 300, 350] {
            clock.advance_to(Stamp::from_nanos(nanos));
        }
        assert_eq!(clock.frame_number, 3);
        assert_eq!(clock.dt, Duration::from_nanos(50));
        assert_eq!(clock.since_first, Duration::from_nanos(350));
    }
}
