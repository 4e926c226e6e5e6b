//! Keeps a rate.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Says whether a message may go now, at a rate. It keeps a beat (the generic cell rate algorithm, ITU-T I.371): one that
/// comes a little late does not push back the ones after it, and one may come early by a whole period, for the beat began
/// with a greeting or a snapshot, at any moment between two frames; and by a quarter more for its jitter.
///
/// One that comes too early still is held back, for longer than the next one takes to come where there is a next one: so
/// a source that is a little too fast, as no clock is like another, loses one message in so many, and all others go at
/// once. Held back for just the time they are early, they would all be late: by more and more, up to a whole period.
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

    /// Whether a message that comes now may go at once.
    pub(crate) fn lets_pass(&self, now: Instant) -> bool {
        now + self.period + self.period / 4 >= self.due
    }

    /// When a message that was held back goes, where no newer one came.
    pub(crate) fn held_until(&self) -> Instant {
        self.due
    }

    /// Notes that one went.
    pub(crate) fn sent(&mut self, now: Instant) {
        self.due = (self.due + self.period).max(now);
    }
}

/// The newest of a source, at a rate.
#[derive(Debug)]
pub(crate) struct Paced<T> {
    source: watch::Receiver<T>,
    pacer: Pacer,
    is_held: bool,
}

impl<T: Clone> Paced<T> {
    pub(crate) fn new(source: watch::Receiver<T>, rate: f64) -> Self {
        Self {
            source,
            pacer: Pacer::new(rate, Instant::now()),
            is_held: false,
        }
    }

    /// The next that may go, [`Paced::sent`] or not; `None` where the source has ended and all went. Loses nothing when
    /// it is cancelled.
    pub(crate) async fn next(&mut self) -> Option<T> {
        loop {
            let turn = sleep_until(self.pacer.held_until());
            let is_new = tokio::select! {
                biased;
                changed = self.source.changed() => match changed {
                    Ok(()) => true,
                    Err(_) if self.is_held => false,
                    Err(_) => return None,
                },
                () = turn, if self.is_held => false,
            };
            self.is_held = is_new && !self.pacer.lets_pass(Instant::now());
            if !self.is_held {
                return Some(self.source.borrow_and_update().clone());
            }
        }
    }

    /// Notes that it went.
    pub(crate) fn sent(&mut self) {
        self.pacer.sent(Instant::now());
    }

    /// What there is now.
    pub(crate) fn newest(&self) -> T {
        self.source.borrow().clone()
    }

    /// What there is now counts as new.
    pub(crate) fn look_again(&mut self) {
        self.source.mark_changed();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of these come at once, and how late those are that were held back and not replaced, at ten a second.
    fn paced(arrivals: &[f64]) -> (usize, Vec<f64>) {
        let start = Instant::now();
        let at = |ms: f64| start + Duration::from_secs_f64(ms * 1e-3);
        let mut pacer = Pacer::new(10.0, start);
        let mut at_once = 0;
        let mut held = Vec::new();
        for (arrival, next) in arrivals
            .iter()
            .zip(arrivals.iter().skip(1).chain([&f64::INFINITY]))
        {
            if pacer.lets_pass(at(*arrival)) {
                pacer.sent(at(*arrival));
                at_once += 1;
            } else if pacer.held_until() < start + Duration::from_secs_f64(next.min(1e9) * 1e-3) {
                held.push((pacer.held_until() - at(*arrival)).as_secs_f64() * 1e3);
                let turn = pacer.held_until();
                pacer.sent(turn);
            }
        }
        (at_once, held)
    }

    #[test]
    fn jitter_does_not_cost_messages_and_a_burst_stays_one() {
        // 20 a second come in, with jitter; then a pause, then all at once, of which the last is not lost.
        let arrivals = [
            0.0, 52.0, 99.0, 151.0, 203.0, 249.0, 301.0, 900.0, 901.0, 902.0, 903.0,
        ];
        let (at_once, held) = paced(&arrivals);
        assert_eq!((at_once, held.len()), (8, 1), "{held:?}");
        assert!(held[0] < 250.0, "{held:?}");
    }

    #[test]
    fn a_source_at_just_the_rate_does_not_wait_whenever_the_beat_began() {
        for off in 0..100 {
            let arrivals: Vec<_> = (0..50)
                .map(|frame| f64::from(off) + 100.0 * f64::from(frame))
                .collect();
            let (at_once, held) = paced(&[&[0.0], &arrivals[..]].concat());
            assert_eq!((at_once, held.len()), (51, 0), "{off}");
        }
    }

    #[test]
    fn a_clock_that_runs_fast_costs_one_message_in_many_and_delays_none() {
        // A thousandth too fast, with a pause that lets the beat fall behind, and with jitter of a tenth.
        let arrivals: Vec<_> = (0..5000)
            .map(|frame| {
                let pause = if frame > 20 { 450.0 } else { 0.0 };
                99.9 * f64::from(frame) + pause + f64::from(frame * 7 % 20) - 10.0
            })
            .map(|ms: f64| ms.max(0.0))
            .collect();
        let (at_once, held) = paced(&arrivals);
        assert!((4985..5000).contains(&at_once), "{at_once}");
        assert!(held.is_empty(), "{held:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_held_back_comes_when_nothing_newer_does_and_also_after_the_end() {
        let (sender, source) = watch::channel(0);
        let mut paced = Paced::new(source, 10.0);
        let began = Instant::now();
        let mut came = Vec::new();
        for number in 1..=5 {
            sender.send_replace(number);
            while let Ok(Some(next)) = tokio::time::timeout(Duration::from_millis(1), paced.next()).await {
                paced.sent();
                came.push(next);
            }
        }
        assert_eq!(came, [1, 2], "what a burst may have");
        assert_eq!(paced.next().await, Some(5));
        assert!(began.elapsed() > Duration::from_millis(150));
        paced.sent();
        paced.sent();
        sender.send_replace(6);
        drop(sender);
        assert_eq!((paced.next().await, paced.next().await), (Some(6), None));
    }
}
