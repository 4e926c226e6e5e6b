//! Keeps a rate.

use std::time::Duration;

use tokio::time::Instant;

/// Says when the next message may go. It keeps its beat: one that comes a little late does not push back the ones after
/// it. One may come early: by a whole period, for the beat began with a greeting or a snapshot, at any moment between two
/// frames, and a source at just this rate would wait for ever by what it was off then; and by a quarter more for its
/// jitter. Counted from beat to beat, early ones do not raise the rate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pacer {
    period: Duration,
    due: Instant,
}

impl Pacer {
    /// At most `rate` a second (above 0); the first at once.
    pub(crate) fn new(rate: f64, now: Instant) -> Self {
        // A day, where the rate is so small that the period has no end.
        let period = Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::from_secs(86_400));
        Self { period, due: now }
    }

    /// When the next one may go.
    pub(crate) fn due(&self) -> Instant {
        let early = self.period + self.period / 4;
        self.due.checked_sub(early).unwrap_or(self.due)
    }

    /// Notes that one went.
    pub(crate) fn sent(&mut self, now: Instant) {
        self.due = (self.due + self.period).max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_does_not_cost_messages_and_a_burst_stays_one() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut pacer = Pacer::new(10.0, start);
        let mut sent = Vec::new();
        // 20 a second come in, with jitter; then a pause, then all at once.
        for ms in [0, 52, 99, 151, 203, 249, 301, 900, 901, 902, 903] {
            if pacer.due() <= at(ms) {
                pacer.sent(at(ms));
                sent.push(ms);
            }
        }
        assert_eq!(sent, [0, 52, 99, 203, 301, 900, 901, 902]);
    }

    #[test]
    fn a_source_at_just_the_rate_does_not_wait_whenever_the_beat_began() {
        let start = Instant::now();
        for off in 0..100 {
            let mut pacer = Pacer::new(10.0, start);
            pacer.sent(start);
            for frame in 0..50 {
                let now = start + Duration::from_millis(off + 100 * frame);
                assert!(pacer.due() <= now, "{off} {frame}");
                pacer.sent(now);
            }
        }
    }
}
