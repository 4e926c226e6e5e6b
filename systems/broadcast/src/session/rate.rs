//! How much a client may say.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// Messages of a client in any minute that are answered.
const MESSAGES_PER_MINUTE: usize = 100;

/// This many more, answered or not, and the connection is closed.
const ABUSE_FACTOR: usize = 10;

/// What to do with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Answer,
    Refuse,
    Close,
}

/// Counts the messages of the last minute; holds a thousand moments at most.
#[derive(Debug, Default)]
pub(super) struct RateLimit {
    received: VecDeque<Instant>,
}

impl RateLimit {
    pub(super) fn judge(&mut self, now: Instant) -> Verdict {
        while self
            .received
            .front()
            .is_some_and(|earliest| now - *earliest >= Duration::from_secs(60))
        {
            self.received.pop_front();
        }
        if self.received.len() >= MESSAGES_PER_MINUTE * ABUSE_FACTOR {
            return Verdict::Close;
        }
        self.received.push_back(now);
        if self.received.len() > MESSAGES_PER_MINUTE {
            Verdict::Refuse
        } else {
            Verdict::Answer
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_are_answered_a_thousand_are_borne_and_a_minute_later_all_is_forgiven() {
        let start = Instant::now();
        let mut limit = RateLimit::default();
        let verdicts: Vec<_> = (0..1001)
            .map(|ms| limit.judge(start + Duration::from_millis(ms)))
            .collect();
        assert_eq!((verdicts[99], verdicts[100]), (Verdict::Answer, Verdict::Refuse));
        assert_eq!((verdicts[999], verdicts[1000]), (Verdict::Refuse, Verdict::Close));
        assert_eq!(limit.judge(start + Duration::from_secs(62)), Verdict::Answer);
    }
}
