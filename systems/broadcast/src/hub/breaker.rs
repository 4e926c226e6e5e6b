//! The circuit breaker: where nothing gets through, less is tried.

use std::time::Duration;

use tokio::time::Instant;

/// Opens after so many deliveries have failed in a row; after a pause one is tried, and its outcome decides.
#[derive(Debug)]
pub(super) struct Breaker {
    threshold: u32,
    pause: Duration,
    failures_in_a_row: u32,
    opened: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Open { until: Instant },
    Trial,
}

impl Breaker {
    pub(super) fn new(threshold: u32, pause: Duration) -> Self {
        Self {
            threshold: threshold.max(1),
            pause,
            failures_in_a_row: 0,
            opened: 0,
            state: State::Closed,
        }
    }

    /// Whether to deliver now. The first time after a pause is the trial.
    pub(super) fn lets_pass(&mut self, now: Instant) -> bool {
        if let State::Open { until } = self.state
            && until <= now
        {
            self.state = State::Trial;
            return true;
        }
        !matches!(self.state, State::Open { .. })
    }

    /// What a message that waits has to wait for, besides its client.
    pub(super) fn earliest(&self, now: Instant) -> Instant {
        match self.state {
            State::Open { until } => until.max(now),
            _ => now,
        }
    }

    /// A delivery succeeded; whether that ends a pause.
    pub(super) fn succeeded(&mut self) -> bool {
        self.failures_in_a_row = 0;
        let was_broken = self.state != State::Closed;
        self.state = State::Closed;
        was_broken
    }

    /// A delivery failed; whether that begins a pause that was not there before.
    pub(super) fn failed(&mut self, now: Instant) -> bool {
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        match self.state {
            State::Closed if self.failures_in_a_row >= self.threshold => {
                self.open(now);
                self.opened += 1;
                true
            }
            _ => false,
        }
    }

    /// Nobody took the trial.
    pub(super) fn trial_failed(&mut self, now: Instant) {
        if self.state == State::Trial {
            self.open(now);
        }
    }

    fn open(&mut self, now: Instant) {
        self.state = State::Open {
            until: now + self.pause,
        };
    }

    pub(super) fn metrics(&self) -> crate::wire::BreakerMetrics {
        crate::wire::BreakerMetrics {
            state: match self.state {
                State::Closed => "closed",
                State::Open { .. } => "open",
                State::Trial => "trial",
            },
            failures_in_a_row: self.failures_in_a_row,
            opened: self.opened,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_failures_in_a_row_open_it_and_one_trial_decides() {
        let start = Instant::now();
        let at = |secs| start + Duration::from_secs(secs);
        let mut breaker = Breaker::new(10, Duration::from_secs(30));
        for _ in 0..9 {
            assert!(!breaker.failed(start));
        }
        breaker.succeeded();
        for _ in 0..9 {
            assert!(!breaker.failed(start), "they were not in a row");
        }
        assert!(breaker.failed(start) && !breaker.failed(start));
        assert!(!breaker.lets_pass(at(29)));
        assert_eq!(breaker.earliest(at(1)), at(30));
        assert!(breaker.lets_pass(at(30)));
        breaker.trial_failed(at(30));
        assert!(!breaker.lets_pass(at(59)) && breaker.lets_pass(at(60)));
        assert!(breaker.succeeded(), "the pause is over");
        assert!(breaker.lets_pass(at(61)) && !breaker.succeeded());
        assert_eq!((breaker.metrics().state, breaker.metrics().opened), ("closed", 1));
    }
}
