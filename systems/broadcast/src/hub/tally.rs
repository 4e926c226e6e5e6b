//! What the hub counts, and whom it has to look after.

use std::time::Duration;

use tokio::time::Instant;

use crate::wire::Frame;

/// The mean latency is over about so many messages.
const MEAN_OVER: f64 = 1000.0;

/// The peak latency is of this time, or twice.
const PEAK_OVER: Duration = Duration::from_secs(30);

/// Counts since the start; and clients that something has happened to, until they are looked after.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) messages_sent: u64,
    pub(super) bytes_sent: u64,
    pub(super) failed_sends: u64,
    pub(super) broken_sends: u64,
    pub(super) skipped: u64,
    pub(super) too_old: u64,
    /// Deliveries that a client had no room for, or whose connection broke.
    pub(super) refused: u64,
    pub(super) retries: u64,
    pub(super) encoded: u64,
    pub(super) compressed: u64,
    text_bytes: u64,
    compressed_bytes: u64,
    pub(super) cleaned_up: u64,
    pub(super) opened: u64,
    pub(super) closed: u64,
    pub(super) rate_limited: u64,
    pub(super) pings_sent: u64,
    pub(super) timed_out: u64,
    /// Messages in the mean.
    measured: u64,
    mean_latency_ms: f64,
    peaks_ms: [f64; 2],
    peak_since: Instant,
    /// Something waits for their sockets.
    pub(super) blocked: Vec<usize>,
    /// Their connections are broken.
    pub(super) broken: Vec<usize>,
    /// They have lost a message that counts.
    pub(super) lost: Vec<usize>,
}

impl Tally {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            messages_sent: 0,
            bytes_sent: 0,
            failed_sends: 0,
            broken_sends: 0,
            skipped: 0,
            too_old: 0,
            refused: 0,
            retries: 0,
            encoded: 0,
            compressed: 0,
            text_bytes: 0,
            compressed_bytes: 0,
            cleaned_up: 0,
            opened: 0,
            closed: 0,
            rate_limited: 0,
            pings_sent: 0,
            timed_out: 0,
            measured: 0,
            mean_latency_ms: 0.0,
            peaks_ms: [0.0; 2],
            peak_since: now,
            blocked: Vec::new(),
            broken: Vec::new(),
            lost: Vec::new(),
        }
    }

    /// A message went out.
    pub(super) fn sent(&mut self, frame: &Frame) {
        self.messages_sent += 1;
        self.bytes_sent += frame.payload_len() as u64;
        if frame.is_compressed() {
            self.compressed += 1;
            self.text_bytes += frame.text_len() as u64;
            self.compressed_bytes += frame.payload_len() as u64;
        }
    }

    /// So many messages went out in a row, the first and the last so long after they were handed over.
    pub(super) fn latency(&mut self, first: Duration, last: Duration, messages: u64) {
        if messages == 0 {
            return;
        }
        let millis = |time: Duration| time.as_secs_f64() * 1e3;
        let mean = 0.5 * (millis(first) + millis(last));
        self.measured += messages;
        // Of the first ones, all count the same.
        let weight = messages as f64 / (self.measured as f64).min(messages as f64 + MEAN_OVER);
        self.mean_latency_ms += weight * (mean - self.mean_latency_ms);
        self.peaks_ms[0] = self.peaks_ms[0].max(millis(last));
    }

    /// Forgets old peaks.
    pub(super) fn turn_over(&mut self, now: Instant) {
        if now - self.peak_since >= PEAK_OVER {
            self.peaks_ms = [0.0, self.peaks_ms[0]];
            self.peak_since = now;
        }
    }

    /// Mean and peak, milliseconds.
    pub(super) fn latencies_ms(&self) -> (f64, f64) {
        (self.mean_latency_ms, self.peaks_ms[0].max(self.peaks_ms[1]))
    }

    /// What is left of compressed texts; 1 before the first.
    pub(super) fn compression_ratio(&self) -> f64 {
        match self.text_bytes {
            0 => 1.0,
            bytes => self.compressed_bytes as f64 / bytes as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_follows_and_the_peak_is_forgotten() {
        let start = Instant::now();
        let mut tally = Tally::new(start);
        let ms = Duration::from_millis;
        for _ in 0..100 {
            tally.latency(ms(1), ms(3), 100);
        }
        assert!((tally.latencies_ms().0 - 2.0).abs() < 0.01 && tally.latencies_ms().1 == 3.0);
        tally.latency(ms(40), ms(40), 1);
        tally.turn_over(start + ms(30_000));
        assert_eq!(tally.latencies_ms().1, 40.0);
        tally.turn_over(start + ms(60_000));
        assert_eq!(tally.latencies_ms().1, 0.0);
    }
}
