//! Wall-clock time, attached once, at the edge.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use ghostball_world::Stamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

/// A moment in UTC: microseconds since 1970-01-01. On the wire an ISO-8601 string with microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct WallTime {
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub micros: i64,
}

impl WallTime {
    /// The moment of the call.
    #[allow(
        clippy::disallowed_methods,
        reason = "the edge: the one place where wall-clock time comes in"
    )]
    pub fn now() -> Self {
        let since_epoch = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            micros: i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX),
        }
    }

    /// When the host's monotonic clock began.
    pub(crate) fn of_monotonic_zero() -> Self {
        let since = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let micros = since
            .tv_sec
            .saturating_mul(1_000_000)
            .saturating_add(since.tv_nsec / 1000);
        Self {
            micros: Self::now().micros.saturating_sub(micros),
        }
    }

    /// Seconds since 1970-01-01.
    pub fn as_secs(self) -> f64 {
        self.micros as f64 * 1e-6
    }

    /// So long before.
    pub fn before(self, time: Duration) -> Self {
        let micros = i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        Self {
            micros: self.micros.saturating_sub(micros),
        }
    }

    /// Time from `earlier` to `self`; zero where the clock was set back in between.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.micros.saturating_sub(earlier.micros)).unwrap_or(0))
    }
}

impl fmt::Display for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = DateTime::<Utc>::from_timestamp_micros(self.micros).unwrap_or(DateTime::<Utc>::MAX_UTC);
        f.write_str(&moment.to_rfc3339_opts(SecondsFormat::Micros, false))
    }
}

impl Serialize for WallTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for WallTime {
    fn schema_name() -> Cow<'static, str> {
        "WallTime".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "date-time",
            "description": "ISO-8601, UTC, with microseconds."
        })
    }
}

/// Tells the wall-clock time of camera stamps.
///
/// Cameras are stamped by the host's monotonic clock as a rule (V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC): a stamp that lies a
/// moment before now on that clock is taken for one of it.
///
/// The zero of other stamps is unknown, so the difference of both clocks is taken from the frames as they arrive. A frame
/// arrives after it was captured, by a time that varies: the smallest difference seen is nearest to the truth. It is
/// given up slowly, because stamps can run slower than the wall (a clock that drifts, a source that cannot keep up).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CaptureClock {
    /// Wall time of the stamps' zero, microseconds; `None` before the first frame.
    zero_micros: Option<i64>,
}

impl CaptureClock {
    /// No pipeline that is still working is this far behind: a larger lag means that the stamps jumped (a recording
    /// that was paused or starts over, a camera that was reset), and the clocks are compared anew.
    const MAX_LAG_MICROS: i64 = 2_000_000;

    /// One in so many parts of a frame's lag is put down to drift: the smallest lag is forgotten within seconds, and
    /// the jitter of single frames (tens of milliseconds) moves the clock by less than one.
    const FORGETTING: i64 = 64;

    /// Wall time of `captured_at`, of a frame that came in at `arrived_at`; the host's monotonic clock began at
    /// `monotonic_zero`. Never after `arrived_at`.
    pub(crate) fn captured_at(
        &mut self,
        captured_at: Stamp,
        arrived_at: WallTime,
        monotonic_zero: WallTime,
    ) -> WallTime {
        let stamp_micros = i64::try_from(captured_at.nanos / 1000).unwrap_or(i64::MAX);
        let by_the_host = WallTime {
            micros: monotonic_zero.micros.saturating_add(stamp_micros),
        };
        if (0..=Self::MAX_LAG_MICROS).contains(&(arrived_at.micros.saturating_sub(by_the_host.micros))) {
            self.zero_micros = Some(monotonic_zero.micros);
            return by_the_host;
        }
        let zero_if_instant = arrived_at.micros.saturating_sub(stamp_micros);
        let zero = match self.zero_micros {
            Some(zero) if zero_if_instant - zero <= Self::MAX_LAG_MICROS => {
                let lag = (zero_if_instant - zero).max(0);
                zero.min(zero_if_instant) + lag / Self::FORGETTING
            }
            _ => zero_if_instant,
        };
        self.zero_micros = Some(zero);
        WallTime {
            micros: zero.saturating_add(stamp_micros),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_in_iso_8601_with_microseconds() {
        let moment = WallTime {
            micros: 1_767_268_800_000_000,
        };
        assert_eq!(moment.to_string(), "2026-01-01T12:00:00.000000+00:00");
    }

    const MONOTONIC_ZERO: WallTime = WallTime {
        micros: 500_000_000_000,
    };

    #[test]
    fn stamps_of_the_hosts_clock_are_exact_however_late_the_frames_come() {
        // 500,000 s after the clock began; stamps of another clock follow.
        let frames = [
            (500_000_000, 1_000_000_020),
            (500_000_033, 1_000_000_083),
            (7, 1_000_000_100),
        ];
        assert_eq!(walls(&frames), [1_000_000_000, 1_000_000_033, 1_000_000_100]);
        let zero = WallTime::of_monotonic_zero().since(WallTime::default());
        assert!(
            zero > Duration::ZERO && WallTime::now().since(WallTime::of_monotonic_zero()) > Duration::ZERO
        );
    }

    fn walls(frames: &[(u64, i64)]) -> Vec<i64> {
        let mut clock = CaptureClock::default();
        let wall = |(stamp_ms, received_ms): &(u64, i64)| {
            let received = WallTime {
                micros: received_ms * 1000,
            };
            clock
                .captured_at(Stamp::from_nanos(stamp_ms * 1_000_000), received, MONOTONIC_ZERO)
                .micros
                / 1000
        };
        frames.iter().map(wall).collect()
    }

    #[test]
    fn the_frame_that_arrived_fastest_sets_the_clock() {
        // The first may be late; the second shows it. Then one is late by 50 ms; then the recording starts over.
        let frames = [(0, 1_000_050), (100, 1_000_110), (200, 1_000_260), (0, 1_009_000)];
        assert_eq!(walls(&frames), [1_000_050, 1_000_110, 1_000_210, 1_009_000]);
    }

    #[test]
    fn stamps_that_run_slowly_are_followed() {
        // Half speed: 33 ms of stamps in 66 ms of wall time.
        let frames: Vec<_> = (0..600).map(|n| (33 * n, 1_000_000 + 66 * n as i64)).collect();
        let last = walls(&frames)[599];
        assert!((frames[599].1 - last) < 2_200, "{}", frames[599].1 - last);
    }
}
