//! How the pipeline does, from one look at it to the next.

use std::fs;
use std::time::Duration;

use ghostball_world::StageTimes;
use tokio::time::Instant;

use crate::wire::{PerformanceData, StagesData};

/// Bytes of a page of memory, and ticks of the processor's clock a second, as Linux reports them on every machine that
/// this program is built for.
const PAGE_BYTES: f64 = 4096.0;
const TICKS_PER_SECOND: f64 = 100.0;

/// Adds up what passes, until it is looked at.
#[derive(Debug)]
pub(crate) struct Meter {
    target_fps: f64,
    since: Instant,
    /// The last frame before, and the newest.
    frames: Option<(u64, u64)>,
    /// How many frames are in the sums: where the network is late it does not see all.
    measured: u32,
    stages: StageTimes,
    publish: Duration,
    published: u32,
    frames_dropped: u64,
    cpu: Option<Duration>,
}

impl Meter {
    pub(crate) fn new(target_fps: f64, now: Instant) -> Self {
        Self {
            target_fps,
            since: now,
            frames: None,
            measured: 0,
            stages: StageTimes::default(),
            publish: Duration::ZERO,
            published: 0,
            frames_dropped: 0,
            cpu: processor_time(),
        }
    }

    /// A frame went through the pipeline.
    pub(crate) fn frame(&mut self, number: u64, times: &StageTimes) {
        let before = self.frames.map_or(number, |(before, _)| before.min(number));
        self.frames = Some((before, number));
        self.measured += 1;
        self.stages.capture += times.capture;
        self.stages.decode += times.decode;
        self.stages.detect += times.detect;
        self.stages.track += times.track;
        self.stages.predict += times.predict;
    }

    /// A state went to all clients, so long after it was handed over.
    pub(crate) fn published(&mut self, took: Duration) {
        self.publish += took;
        self.published += 1;
    }

    /// Frames that were lost before the pipeline, so far.
    pub(crate) fn set_frames_dropped(&mut self, so_far: u64) {
        self.frames_dropped = so_far;
    }

    /// What has passed since the last time, and starts anew.
    pub(crate) fn look(&mut self, now: Instant, clients: usize) -> PerformanceData {
        let elapsed = (now - self.since).as_secs_f64().max(1e-3);
        let frames = self.frames.map_or(0, |(before, newest)| newest - before);
        let mean_ms = |sum: Duration, count: u32| round(sum.as_secs_f64() * 1e3 / f64::from(count.max(1)));
        let stages = StagesData {
            capture: mean_ms(self.stages.capture, self.measured),
            decode: mean_ms(self.stages.decode, self.measured),
            detect: mean_ms(self.stages.detect, self.measured),
            track: mean_ms(self.stages.track, self.measured),
            predict: mean_ms(self.stages.predict, self.measured),
            publish: mean_ms(self.publish, self.published),
        };
        let cpu = processor_time();
        let cpu_percent = match (self.cpu, cpu) {
            (Some(before), Some(now)) => (now.saturating_sub(before)).as_secs_f64() / elapsed * 100.0,
            _ => 0.0,
        };
        *self = Self {
            since: now,
            frames: self.frames.map(|(_, newest)| (newest, newest)),
            cpu,
            ..Self::new(self.target_fps, now)
        }
        .with_frames_dropped(self.frames_dropped);
        PerformanceData {
            fps: round(frames as f64 / elapsed),
            target_fps: self.target_fps,
            frame_time_ms: round(stages.detect + stages.track + stages.predict),
            stages,
            dropped_frames: self.frames_dropped,
            cpu_percent: round(cpu_percent),
            memory_mb: round(memory_bytes().unwrap_or(0.0) / 1e6),
            clients,
        }
    }

    fn with_frames_dropped(mut self, so_far: u64) -> Self {
        self.frames_dropped = so_far;
        self
    }
}

/// Microseconds, where the unit is milliseconds: nothing here is measured better.
fn round(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// What this process has used of the processors; `None` where the system does not tell (proc(5), fields 14 and 15 of
/// `stat`).
fn processor_time() -> Option<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name before may hold anything, also blanks and brackets.
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    let (user, system) = (ticks()?, ticks()?);
    Some(Duration::from_secs_f64((user + system) as f64 / TICKS_PER_SECOND))
}

/// Memory in use (proc(5), the second field of `statm`).
fn memory_bytes() -> Option<f64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages as f64 * PAGE_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_of_what_passed_since_the_last_look() {
        let start = Instant::now();
        let mut meter = Meter::new(30.0, start);
        let times = |ms| StageTimes {
            detect: Duration::from_millis(ms),
            predict: Duration::from_millis(1),
            ..StageTimes::default()
        };
        for number in 0..16 {
            // Every other frame is not seen by the network.
            meter.frame(2 * number, &times(4));
        }
        meter.published(Duration::from_millis(3));
        meter.set_frames_dropped(7);
        let first = meter.look(start + Duration::from_secs(1), 5);
        assert_eq!((first.fps, first.clients, first.dropped_frames), (30.0, 5, 7));
        assert_eq!((first.stages.detect, first.stages.publish), (4.0, 3.0));
        assert_eq!(first.frame_time_ms, 5.0);
        assert!(first.memory_mb > 1.0, "{}", first.memory_mb);
        meter.frame(45, &times(8));
        let second = meter.look(start + Duration::from_secs(2), 5);
        assert_eq!((second.fps, second.stages.detect), (15.0, 8.0));
        let third = meter.look(start + Duration::from_secs(3), 0);
        assert_eq!(
            (third.fps, third.stages.detect, third.dropped_frames),
            (0.0, 0.0, 7)
        );
    }
}
