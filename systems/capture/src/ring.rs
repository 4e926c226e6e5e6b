//! The capture thread and the bounded ring between it and the runner.
//!
//! This is where the host clock is read: to wait, never to say when a frame was captured.
#![allow(
    clippy::disallowed_methods,
    reason = "pacing and time-outs are about the host, not about the table"
)]

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bevy_ecs::resource::Resource;
use ghostball_world::{Frame, FramePool, Stamp};

use crate::playback::{Playback, PlaybackControl};
use crate::{CaptureError, FrameSource, SourceDescription, SourceSpec, SourceTimes, open};

/// What happens when the ring is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RingPolicy {
    /// The oldest frame makes room and is counted as dropped: the newest picture is the one that matters.
    Live,
    /// The source waits: every frame counts.
    Replay,
}

/// How fast frames are taken from the source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// As fast as they come.
    Max,
    /// By their stamps: 1.0 is real time, 2.0 is twice as fast. Anything but a positive number means [`Pace::Max`].
    Speed(f64),
}

/// What has passed through the ring since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CaptureCounters {
    /// Frames that the source gave.
    pub captured: u64,
    /// Frames that nobody took in time. Always 0 with [`RingPolicy::Replay`].
    pub dropped: u64,
    /// Frames that came damaged and were left out.
    pub damaged: u64,
    /// Frames that the driver took and never delivered, by its own count of them.
    pub missed: u64,
    /// How often a supervised source went away.
    pub outages: u64,
}

/// How the source is.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceHealth {
    /// What has passed so far.
    pub counters: CaptureCounters,
    /// Whether a supervised source is away: no frames come, and it is tried again and again.
    pub is_away: bool,
    /// Why it is or was away last; `None` when it never was.
    pub last_outage: Option<Arc<str>>,
    /// What its newest frame took.
    pub times: SourceTimes,
}

/// What the receiver gives.
#[derive(Debug)]
pub enum Received {
    /// The next frame.
    Frame(Arc<Frame>),
    /// Nothing within the time given.
    Idle,
    /// There was a last frame. Said again on every later call.
    End,
    /// The source failed. After that: [`Received::End`].
    Failed(CaptureError),
}

/// The runner's end of the ring. Dropping it stops the thread, waits for it, and closes the source.
#[derive(Debug)]
pub struct FrameReceiver {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    description: SourceDescription,
}

#[derive(Debug)]
pub(crate) struct Shared {
    ring: Mutex<Ring>,
    /// Signalled whenever anything in the ring has changed.
    pub(crate) changed: Condvar,
    policy: RingPolicy,
    capacity: usize,
}

#[derive(Debug)]
pub(crate) struct Ring {
    pub(crate) frames: VecDeque<Arc<Frame>>,
    pub(crate) playback: Playback,
    /// After its end, the source waits for another place to be sought.
    is_kept: bool,
    health: SourceHealth,
    hold_exposure: bool,
    failure: Option<CaptureError>,
    /// The source gives no more, unless another place is sought.
    pub(crate) ended: bool,
    /// The receiver takes no more.
    stopped: bool,
}

/// Starts a thread that takes frames from `source` and puts them into a ring of `capacity` frames (1 to 64).
pub fn spawn(
    source: Box<dyn FrameSource>,
    policy: RingPolicy,
    pace: Pace,
    capacity: usize,
) -> Result<FrameReceiver, CaptureError> {
    start(source, None, policy, pace, capacity)
}

/// As [`spawn`], and opens the source again whenever it ends. Stamps and sequence start anew with it; the pace goes on.
/// A source that ends without a single frame is not opened again.
pub fn spawn_repeating(
    spec: SourceSpec,
    policy: RingPolicy,
    pace: Pace,
    capacity: usize,
) -> Result<FrameReceiver, CaptureError> {
    start(open(&spec)?, Some(spec), policy, pace, capacity)
}

fn start(
    source: Box<dyn FrameSource>,
    again: Option<SourceSpec>,
    policy: RingPolicy,
    pace: Pace,
    capacity: usize,
) -> Result<FrameReceiver, CaptureError> {
    let shared = Arc::new(Shared {
        ring: Mutex::new(Ring {
            frames: VecDeque::new(),
            playback: Playback::new(pace),
            is_kept: false,
            health: SourceHealth::default(),
            hold_exposure: false,
            failure: None,
            ended: false,
            stopped: false,
        }),
        changed: Condvar::new(),
        policy,
        capacity: capacity.clamp(1, 64),
    });
    let description = source.description().clone();
    let for_thread = Arc::clone(&shared);
    let thread = thread::Builder::new()
        .name("capture".to_owned())
        .spawn(move || {
            let finish = FinishOnDrop(&for_thread);
            capture(source, again, finish.0);
        })
        .map_err(|e| CaptureError::Thread { cause: e.to_string() })?;
    Ok(FrameReceiver {
        shared,
        thread: Some(thread),
        description,
    })
}

impl FrameReceiver {
    /// Waits up to `timeout` for the next frame.
    pub fn receive(&self, timeout: Duration) -> Received {
        let nothing_yet = |ring: &mut Ring| match ring.frames.front() {
            Some(frame) => !ring.playback.lets_pass(frame),
            None => !ring.ended,
        };
        let (mut ring, _) = self
            .shared
            .changed
            .wait_timeout_while(self.shared.lock(), timeout, nothing_yet)
            .unwrap_or_else(PoisonError::into_inner);
        if ring
            .frames
            .front()
            .is_some_and(|frame| ring.playback.lets_pass(frame))
            && let Some(frame) = ring.frames.pop_front()
        {
            ring.playback.note(&frame);
            drop(ring);
            self.shared.changed.notify_all();
            return Received::Frame(frame);
        }
        match ring.failure.take() {
            Some(error) => Received::Failed(error),
            None if ring.ended && ring.frames.is_empty() => Received::End,
            None => Received::Idle,
        }
    }

    /// Controls how the source is played; from now on it is kept after its end.
    pub fn control(&self) -> PlaybackControl {
        self.shared.lock().is_kept = true;
        PlaybackControl {
            shared: Arc::clone(&self.shared),
        }
    }

    /// What has passed so far.
    pub fn counters(&self) -> CaptureCounters {
        self.shared.lock().health.counters
    }

    /// How the source is.
    pub fn health(&self) -> SourceHealth {
        self.shared.lock().health.clone()
    }

    /// Asks a camera to keep exposure and gain as they are, or to go on choosing them.
    pub fn hold_exposure(&self, hold: bool) {
        self.shared.lock().hold_exposure = hold;
    }

    /// What is known of the source.
    pub fn description(&self) -> &SourceDescription {
        &self.description
    }
}

impl Drop for FrameReceiver {
    fn drop(&mut self) {
        self.shared.lock().stopped = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the capture thread panicked");
        }
    }
}

/// Tells the receiver that nothing more comes, however the thread ends: a panic must not leave the runner waiting.
struct FinishOnDrop<'a>(&'a Shared);

impl Drop for FinishOnDrop<'_> {
    fn drop(&mut self) {
        let mut ring = self.0.lock();
        if thread::panicking() {
            let cause = "it panicked; this is a defect in ghostball".to_owned();
            ring.failure = Some(CaptureError::Thread { cause });
        }
        ring.ended = true;
        drop(ring);
        self.0.changed.notify_all();
    }
}

/// The capture thread, until the source ends or fails or nobody receives any more.
fn capture(mut source: Box<dyn FrameSource>, again: Option<SourceSpec>, shared: &Shared) {
    let mut pool = FramePool::default();
    let mut pacer = Pacer::new(shared.lock().playback.pace, source.description().frame_rate);
    let (mut damaged_before, mut missed_before) = (0, 0);
    let mut frames_of_lap = 0_u64;
    loop {
        let mut ring = shared.lock();
        let hold = ring.hold_exposure;
        let seek = ring.playback.seek.take();
        drop(ring);
        if let Some(since_first) = seek {
            source.seek(since_first);
            pacer.anchor = None;
        }
        source.hold_exposure(hold);
        if !source.description().live {
            let revision = shared.revision();
            match shared.wait_until(pacer.begin_at(), revision) {
                Waited::Due => (),
                Waited::Changed => continue,
                Waited::Stopped => return,
            }
        }
        let asked_at = Instant::now();
        let next = source.next_frame(&mut pool);
        let mut times = source.times();
        if !source.description().live {
            // It was worked for all the time.
            pacer.made_in = asked_at.elapsed();
            times.capture = pacer.made_in.saturating_sub(times.decode);
        }
        let mut ring = shared.lock();
        ring.health.times = times;
        ring.health.counters.damaged = damaged_before + source.damaged();
        ring.health.counters.missed = missed_before + source.missed();
        if ring.stopped {
            return;
        }
        let frame = match next {
            Ok(Some(frame)) => frame,
            Ok(None) => {
                let Some(spec) = again.as_ref().filter(|_| frames_of_lap > 0) else {
                    drop(ring);
                    if shared.wait_for_seek() {
                        continue;
                    }
                    return;
                };
                damaged_before = ring.health.counters.damaged;
                missed_before = ring.health.counters.missed;
                frames_of_lap = 0;
                drop(ring);
                match open(spec) {
                    Ok(opened) => {
                        source = opened;
                        pacer.start_again();
                    }
                    Err(error) => {
                        shared.lock().failure = Some(error);
                        return;
                    }
                }
                continue;
            }
            Err(CaptureError::TimedOut { .. }) => continue,
            Err(CaptureError::Outage { cause, retry_after }) => {
                ring.health.begin_outage(&cause);
                drop(ring);
                let (at, revision) = (Instant::now().checked_add(retry_after), shared.revision());
                if shared.wait_until(at, revision) == Waited::Stopped {
                    return;
                }
                continue;
            }
            Err(error) => {
                ring.failure = Some(error);
                return;
            }
        };
        ring.health.is_away = false;
        drop(ring);
        frames_of_lap += 1;
        if !wait_for_turn(&frame, &mut pacer, shared) || !shared.push(frame) {
            return;
        }
    }
}

/// Waits until a frame is due; false when nobody receives any more.
fn wait_for_turn(frame: &Frame, pacer: &mut Pacer, shared: &Shared) -> bool {
    loop {
        let playback = shared.lock().playback;
        // What is not shown has no time of its own, and elsewhere there are other frames.
        if frame.recorded.is_leading || playback.seek.is_some() {
            return true;
        }
        pacer.set_pace(playback.pace);
        match shared.wait_until(pacer.due(frame.captured_at), playback.revision) {
            Waited::Due => return true,
            Waited::Changed => {}
            Waited::Stopped => return false,
        }
    }
}

/// How waiting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waited {
    Due,
    /// It is to be played otherwise.
    Changed,
    /// Nobody receives any more.
    Stopped,
}

impl SourceHealth {
    /// The cause that counts is the first: what attempts say later is mostly that it is still away.
    fn begin_outage(&mut self, cause: &CaptureError) {
        if !std::mem::replace(&mut self.is_away, true) {
            self.counters.outages += 1;
            self.last_outage = Some(cause.to_string().into());
        }
    }
}

impl Shared {
    /// A panic elsewhere leaves the ring consistent: each change to it is a single statement.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a frame in; false when nobody receives any more.
    fn push(&self, frame: Arc<Frame>) -> bool {
        let mut ring = self.lock();
        ring.health.counters.captured += 1;
        if self.policy == RingPolicy::Replay {
            let full = |ring: &mut Ring| {
                ring.frames.len() >= self.capacity && !ring.stopped && ring.playback.seek.is_none()
            };
            ring = self
                .changed
                .wait_while(ring, full)
                .unwrap_or_else(PoisonError::into_inner);
        }
        // Another place is sought: this frame is none of it.
        if ring.playback.seek.is_some() {
            return !ring.stopped;
        }
        while ring.frames.len() >= self.capacity {
            ring.frames.pop_front();
            ring.health.counters.dropped += 1;
        }
        ring.frames.push_back(frame);
        let received = !ring.stopped;
        drop(ring);
        self.changed.notify_all();
        received
    }

    fn revision(&self) -> u64 {
        self.lock().playback.revision
    }

    /// Sleeps until `due`, unless something is changed after this `revision`.
    fn wait_until(&self, due: Option<Instant>, revision: u64) -> Waited {
        let mut ring = self.lock();
        while let Some(left) = due.and_then(|due| due.checked_duration_since(Instant::now()))
            && !left.is_zero()
            && !ring.stopped
            && ring.playback.revision == revision
        {
            (ring, _) = self
                .changed
                .wait_timeout(ring, left)
                .unwrap_or_else(PoisonError::into_inner);
        }
        match (ring.stopped, ring.playback.revision == revision) {
            (true, _) => Waited::Stopped,
            (false, false) => Waited::Changed,
            (false, true) => Waited::Due,
        }
    }

    /// The source is at its end: waits for another place to be sought; false when none ever will be.
    fn wait_for_seek(&self) -> bool {
        let mut ring = self.lock();
        ring.ended = ring.playback.seek.is_none();
        drop(ring);
        self.changed.notify_all();
        let none_sought = |ring: &mut Ring| ring.is_kept && ring.playback.seek.is_none() && !ring.stopped;
        let waited = self.changed.wait_while(self.lock(), none_sought);
        let mut ring = waited.unwrap_or_else(PoisonError::into_inner);
        let is_sought = ring.playback.seek.is_some() && !ring.stopped;
        ring.ended = !is_sought;
        is_sought
    }
}

/// Says when a frame is due on the host's clock.
struct Pacer {
    speed: Option<f64>,
    /// Nominal frames a second of the source.
    frame_rate: f64,
    /// When a frame was due, and its stamp: what the next ones are measured from.
    anchor: Option<(Instant, Stamp)>,
    /// When the last frame was due.
    last_due: Option<Instant>,
    /// Whether the next frame is the first of a source that was opened again.
    starts_again: bool,
    /// Time from one frame to the next: nominally, and from the last of a source to its first when it starts again.
    interval: Duration,
    /// How long it took to make the last frame.
    made_in: Duration,
}

impl Pacer {
    /// A frame that comes this late moves all later ones: no rush to catch up after a pause.
    const MAX_LATENESS: Duration = Duration::from_millis(500);

    fn new(pace: Pace, frame_rate: f64) -> Self {
        let mut pacer = Self {
            speed: None,
            anchor: None,
            last_due: None,
            starts_again: false,
            frame_rate,
            interval: Duration::ZERO,
            made_in: Duration::ZERO,
        };
        pacer.set_pace(pace);
        pacer
    }

    /// Another pace counts from the last frame on.
    fn set_pace(&mut self, pace: Pace) {
        let speed = match pace {
            Pace::Speed(speed) if speed.is_finite() && speed > 0.0 => Some(speed),
            Pace::Speed(_) | Pace::Max => None,
        };
        if speed != self.speed {
            (self.speed, self.anchor) = (speed, None);
        }
        let interval_secs = 1.0 / (self.frame_rate * speed.unwrap_or(1.0));
        self.interval = Duration::try_from_secs_f64(interval_secs).unwrap_or_default();
    }

    /// The source was opened again: its first frame follows the last one like any other.
    fn start_again(&mut self) {
        self.starts_again = true;
    }

    /// When to begin making the next frame; `None` for at once.
    ///
    /// Half an interval before it is due: the frame given last is being analysed until then, and a scheduler that has
    /// put both threads on one processor would make that wait for this. Where a frame takes more than half of that time,
    /// there is none to lose.
    fn begin_at(&self) -> Option<Instant> {
        let last_due = self.last_due.filter(|_| self.anchor.is_some())?;
        (4 * self.made_in < self.interval).then_some(last_due + self.interval / 2)
    }

    /// When the frame with this stamp is due; `None` for at once.
    fn due(&mut self, stamp: Stamp) -> Option<Instant> {
        let speed = self.speed?;
        let now = Instant::now();
        if std::mem::take(&mut self.starts_again) {
            self.anchor = self.last_due.map(|last| (last + self.interval, stamp));
        }
        let due = self.anchor.and_then(|(at, first)| {
            let after = Duration::try_from_secs_f64(stamp.since(first).as_secs_f64() / speed).ok()?;
            let due = at.checked_add(after)?;
            (stamp >= first && now.saturating_duration_since(due) < Self::MAX_LATENESS).then_some(due)
        });
        if due.is_none() {
            self.anchor = Some((now, stamp));
        }
        self.last_due = Some(due.unwrap_or(now));
        due
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    /// Gives `count` frames 10 ms apart by their stamps, with whatever errors come in between.
    struct Numbers {
        description: SourceDescription,
        next: u64,
        count: u64,
        error_at: Option<(u64, fn() -> CaptureError)>,
        /// Raised when the source is dropped.
        closed: Arc<AtomicU64>,
    }

    impl Numbers {
        fn up_to(count: u64) -> Self {
            let description = SourceDescription {
                name: "numbers".to_owned(),
                width: 1,
                height: 1,
                frame_rate: 100.0,
                expected_frames: Some(count),
                span: None,
                live: false,
            };
            Self {
                description,
                next: 0,
                count,
                error_at: None,
                closed: Arc::default(),
            }
        }
    }

    impl FrameSource for Numbers {
        fn description(&self) -> &SourceDescription {
            &self.description
        }

        fn next_frame(&mut self, pool: &mut FramePool) -> Result<Option<Arc<Frame>>, CaptureError> {
            if let Some((_, error)) = self.error_at.take_if(|(at, _)| *at == self.next) {
                return Err(error());
            }
            let number = self.next;
            self.next += 1;
            if number == self.count {
                return Ok(None);
            }
            pool.fill(|frame| {
                frame.sequence = number;
                frame.captured_at = Stamp::from_nanos(number * 10_000_000);
                Ok(())
            })
            .map(Some)
        }
    }

    impl Drop for Numbers {
        fn drop(&mut self) {
            self.closed.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn start(source: Numbers, policy: RingPolicy, capacity: usize) -> FrameReceiver {
        spawn(Box::new(source), policy, Pace::Max, capacity).unwrap()
    }

    /// Sequence numbers of all frames up to the end.
    fn take_all(receiver: &FrameReceiver) -> Vec<u64> {
        let mut numbers = Vec::new();
        loop {
            match receiver.receive(LONG) {
                Received::Frame(frame) => numbers.push(frame.sequence),
                Received::End => return numbers,
                other => panic!("{other:?}"),
            }
        }
    }

    /// Until the thread has given all it has.
    fn wait_for_end(receiver: &FrameReceiver) {
        let ring = receiver.shared.lock();
        drop(
            receiver
                .shared
                .changed
                .wait_while(ring, |ring| !ring.ended)
                .unwrap(),
        );
    }

    #[test]
    fn a_replay_gives_every_frame_in_order_and_then_the_end() {
        let receiver = start(Numbers::up_to(500), RingPolicy::Replay, 2);
        assert_eq!(take_all(&receiver), (0..500).collect::<Vec<_>>());
        assert!(matches!(receiver.receive(LONG), Received::End));
        assert_eq!(
            receiver.counters(),
            CaptureCounters {
                captured: 500,
                ..CaptureCounters::default()
            }
        );
    }

    #[test]
    fn a_full_live_ring_drops_the_oldest_and_counts_it() {
        let receiver = start(Numbers::up_to(10), RingPolicy::Live, 3);
        wait_for_end(&receiver);
        assert_eq!(take_all(&receiver), [7, 8, 9]);
        let counters = CaptureCounters {
            captured: 10,
            dropped: 7,
            ..CaptureCounters::default()
        };
        assert_eq!(receiver.counters(), counters);
    }

    #[test]
    fn a_failure_comes_after_the_frames_before_it_and_once() {
        let mut source = Numbers::up_to(9);
        source.error_at = Some((2, || CaptureError::CameraGone {
            device: "/dev/video0".into(),
        }));
        let receiver = start(source, RingPolicy::Replay, 4);
        wait_for_end(&receiver);
        assert!(matches!(receiver.receive(LONG), Received::Frame(_)));
        assert!(matches!(receiver.receive(LONG), Received::Frame(_)));
        assert!(matches!(
            receiver.receive(LONG),
            Received::Failed(CaptureError::CameraGone { .. })
        ));
        assert!(matches!(receiver.receive(LONG), Received::End));
    }

    #[test]
    fn a_time_out_is_lived_through() {
        let mut source = Numbers::up_to(3);
        source.error_at = Some((1, || CaptureError::TimedOut {
            name: String::new(),
            after: Duration::ZERO,
        }));
        let receiver = start(source, RingPolicy::Replay, 2);
        assert_eq!(take_all(&receiver), [0, 1, 2]);
        assert_eq!(receiver.counters().outages, 0);
    }

    #[test]
    fn an_outage_is_counted_and_ends_with_the_next_frame() {
        let mut source = Numbers::up_to(3);
        source.error_at = Some((1, || CaptureError::Outage {
            cause: Box::new(CaptureError::CameraGone {
                device: "/dev/video0".into(),
            }),
            retry_after: Duration::from_millis(1),
        }));
        let receiver = start(source, RingPolicy::Replay, 2);
        assert_eq!(take_all(&receiver), [0, 1, 2]);
        let health = receiver.health();
        assert_eq!((health.counters.outages, health.is_away), (1, false));
        assert!(health.last_outage.unwrap().contains("it is gone"));
    }

    #[test]
    fn a_panic_on_the_capture_thread_is_a_failure() {
        let mut source = Numbers::up_to(3);
        source.error_at = Some((0, || panic!("as the test wants it")));
        let receiver = start(source, RingPolicy::Replay, 2);
        assert!(matches!(
            receiver.receive(LONG),
            Received::Failed(CaptureError::Thread { .. })
        ));
    }

    #[test]
    fn dropping_the_receiver_closes_a_source_that_waits_for_room() {
        let source = Numbers::up_to(u64::MAX);
        let closed = Arc::clone(&source.closed);
        let receiver = start(source, RingPolicy::Replay, 2);
        assert!(matches!(receiver.receive(LONG), Received::Frame(_)));
        drop(receiver);
        assert_eq!(closed.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn nothing_yet_is_idle() {
        let receiver = spawn(
            Box::new(Numbers::up_to(2)),
            RingPolicy::Replay,
            Pace::Speed(1e-6),
            2,
        )
        .unwrap();
        assert!(matches!(receiver.receive(LONG), Received::Frame(_)));
        // The second is due in hours; dropping must not wait for it.
        assert!(matches!(receiver.receive(Duration::ZERO), Received::Idle));
    }

    #[test]
    fn a_frame_is_begun_half_an_interval_before_it_is_due_unless_it_takes_long() {
        let mut pacer = Pacer::new(Pace::Speed(1.0), 25.0);
        assert_eq!(pacer.begin_at(), None);
        pacer.due(Stamp::from_nanos(0));
        let (start, _) = pacer.anchor.unwrap();
        pacer.made_in = Duration::from_millis(9);
        assert_eq!(pacer.begin_at(), Some(start + Duration::from_millis(20)));
        pacer.made_in = Duration::from_millis(10);
        assert_eq!(pacer.begin_at(), None);
        pacer.made_in = Duration::ZERO;
        pacer.set_pace(Pace::Max);
        assert_eq!(pacer.begin_at(), None);
    }

    #[test]
    fn frames_are_due_by_their_stamps_and_never_hurry_after_a_jump() {
        let stamp = |millis: u64| Stamp::from_nanos(millis * 1_000_000);
        let mut pacer = Pacer::new(Pace::Speed(2.0), 25.0);
        assert_eq!(pacer.due(stamp(1000)), None);
        let (start, _) = pacer.anchor.unwrap();
        assert_eq!(pacer.due(stamp(1100)), Some(start + Duration::from_millis(50)));
        assert_eq!(pacer.due(stamp(3000)), Some(start + Duration::from_millis(1000)));
        // Opened again: one frame after the last, at twice the speed.
        pacer.start_again();
        assert_eq!(pacer.due(stamp(20)), Some(start + Duration::from_millis(1020)));
        assert_eq!(pacer.due(stamp(60)), Some(start + Duration::from_millis(1040)));
        // The clock of the source went back: from here on anew.
        assert_eq!(pacer.due(stamp(10)), None);
        assert_eq!(Pacer::new(Pace::Max, 25.0).due(stamp(5)), None);
        assert_eq!(Pacer::new(Pace::Speed(f64::NAN), 25.0).due(stamp(5)), None);
    }
}
