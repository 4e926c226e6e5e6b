//! What the network thread did not take from the world's: counted, and told at most once a second.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Losses are told no more often than this.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// Handed over to a queue that was full.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    /// Frames whose events were lost.
    events: AtomicU64,
    alerts: AtomicU64,
    told_at: Mutex<Option<Instant>>,
}

impl Losses {
    /// The events of one frame were lost.
    pub(crate) fn lose_events(&self) {
        self.events.fetch_add(1, Ordering::Relaxed);
        self.tell(Instant::now());
    }

    /// An alert was lost.
    pub(crate) fn lose_alert(&self) {
        self.alerts.fetch_add(1, Ordering::Relaxed);
        self.tell(Instant::now());
    }

    /// Frames whose events were lost so far.
    pub(crate) fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }

    /// Alerts lost so far.
    pub(crate) fn alerts(&self) -> u64 {
        self.alerts.load(Ordering::Relaxed)
    }

    fn tell(&self, now: Instant) {
        if self.is_due(now) {
            let (events, alerts) = (self.events(), self.alerts());
            tracing::error!(
                events,
                alerts,
                "the network thread does not take what it is handed: events of so many frames, and so many alerts, are lost"
            );
        }
    }

    fn is_due(&self, now: Instant) -> bool {
        let mut told_at = self.told_at.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = told_at.is_none_or(|told_at| now.duration_since(told_at) >= TOLD_EVERY);
        if is_due {
            *told_at = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_told_once_a_second_at_most_and_all_counted() {
        let losses = Losses::default();
        let start = Instant::now();
        let due = [0, 10, 999, 1000, 1500, 2001].map(|ms| losses.is_due(start + Duration::from_millis(ms)));
        assert_eq!(due, [true, false, false, true, false, true]);
        for _ in 0..3 {
            losses.lose_events();
        }
        losses.lose_alert();
        assert_eq!((losses.events(), losses.alerts()), (3, 1));
    }
}
