//! How much a client may say.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// This many times the limit, answered or not, and the connection is closed.
const ABUSE_FACTOR: usize = 10;

/// What to do with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Answer,
    Refuse,
    Close,
}

/// Counts the messages of the last while; holds ten times the limit of moments at most.
#[derive(Debug)]
pub(super) struct RateLimit {
    limit: usize,
    window: Duration,
    received: VecDeque<Instant>,
}

impl RateLimit {
    /// So many messages in any such time.
    pub(super) fn new(limit: usize, window: Duration) -> Self {
        Self {
            limit,
            window,
            received: VecDeque::new(),
        }
    }

    pub(super) fn judge(&mut self, now: Instant) -> Verdict {
        while self
            .received
            .front()
            .is_some_and(|earliest| now - *earliest >= self.window)
        {
            self.received.pop_front();
        }
        if self.received.len() >= self.limit.saturating_mul(ABUSE_FACTOR) {
            return Verdict::Close;
        }
        self.received.push_back(now);
        if self.received.len() > self.limit {
            Verdict::Refuse
        } else {
            Verdict::Answer
        }
    }

    /// Gives its memory back where nothing was said for so long; whether it had any.
    pub(super) fn forget(&mut self, age: Duration, now: Instant) -> bool {
        let age = age.max(self.window);
        let is_old = self.received.back().is_some_and(|latest| now - *latest >= age);
        if is_old {
            self.received = VecDeque::new();
        }
        is_old
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_are_answered_a_thousand_are_borne_and_a_minute_later_all_is_forgiven() {
        let start = Instant::now();
        let minute = Duration::from_secs(60);
        let mut limit = RateLimit::new(100, minute);
        let verdicts: Vec<_> = (0..1001)
            .map(|ms| limit.judge(start + Duration::from_millis(ms)))
            .collect();
        assert_eq!((verdicts[99], verdicts[100]), (Verdict::Answer, Verdict::Refuse));
        assert_eq!((verdicts[999], verdicts[1000]), (Verdict::Refuse, Verdict::Close));
        let later = start + Duration::from_secs(62);
        assert_eq!(limit.judge(later), Verdict::Answer);
        let age = Duration::from_secs(300);
        assert!(!limit.forget(age, later + minute));
        assert!(limit.forget(age, later + age) && limit.received.capacity() == 0);
        assert!(!limit.forget(age, later + age), "there is nothing left");
    }
}
