//! Keeps a live source going: whatever happens to it, it is opened again until it gives frames.
//!
//! An outage is told once when it begins and once when it ends, however often it is tried in between and whatever those
//! attempts say.
#![allow(
    clippy::disallowed_methods,
    reason = "how long a camera has been silent is about the host, not about the table"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use ghostball_world::{Frame, FramePool};

use crate::{CaptureError, FrameSource, SourceDescription, SourceTimes};

/// A camera that starts may take this long for its first frame: webcams measure light and focus first.
const STARTING_LIMIT: Duration = Duration::from_secs(5);

/// Pauses between attempts, and how many of each; the last one for ever. Short at first, for most hiccups pass at once;
/// never longer than a second, so that a camera is back well within three after it was plugged in.
const PAUSES: [(u32, Duration); 3] = [
    (5, Duration::from_millis(100)),
    (5, Duration::from_millis(300)),
    (u32::MAX, Duration::from_millis(1000)),
];

/// Opens the source anew, as often as it is asked to.
pub(crate) trait Opener: Send {
    /// The source, if it is there.
    fn open(&mut self) -> Result<Box<dyn FrameSource>, CaptureError>;
}

/// A source that lasts longer than what it stands for.
pub(crate) struct Supervisor<O> {
    opener: O,
    /// `None` during an outage.
    source: Option<Box<dyn FrameSource>>,
    description: SourceDescription,
    /// How long it may be silent between two frames.
    frozen_after: Duration,
    /// When the last frame came, or the source was opened.
    last_sign: Instant,
    /// Whether a frame has come since it was opened.
    has_started: bool,
    outage: Option<Outage>,
    /// What sources before this one had counted.
    damaged_before: u64,
    missed_before: u64,
}

struct Outage {
    began: Instant,
    attempts: u32,
}

impl<O: Opener> Supervisor<O> {
    /// Takes over a source that is open already, or none yet: then `cause` says why.
    pub(crate) fn new(
        opener: O,
        source: Result<Box<dyn FrameSource>, (SourceDescription, CaptureError)>,
        frozen_after: Duration,
    ) -> Self {
        let (description, source, absence) = match source {
            Ok(source) => (source.description().clone(), Some(source), None),
            Err((description, cause)) => (description, None, Some(cause)),
        };
        let mut supervisor = Self {
            opener,
            source,
            description,
            frozen_after,
            last_sign: Instant::now(),
            has_started: false,
            outage: None,
            damaged_before: 0,
            missed_before: 0,
        };
        if let Some(cause) = absence {
            supervisor.note_failure(&cause);
        }
        supervisor
    }

    fn give_up(&mut self, cause: CaptureError) -> CaptureError {
        if let Some(source) = self.source.take() {
            self.damaged_before += source.damaged();
            self.missed_before += source.missed();
        }
        let retry_after = self.note_failure(&cause);
        CaptureError::Outage {
            cause: Box::new(cause),
            retry_after,
        }
    }

    /// Tells the first failure of an outage; how long to wait before the next attempt.
    fn note_failure(&mut self, cause: &CaptureError) -> Duration {
        let outage = self.outage.get_or_insert_with(|| {
            tracing::error!("{cause}; trying again until it works");
            Outage {
                began: Instant::now(),
                attempts: 0,
            }
        });
        outage.attempts = outage.attempts.saturating_add(1);
        tracing::debug!("attempt {}: {cause}", outage.attempts);
        let mut left = outage.attempts;
        PAUSES
            .iter()
            .find(|(times, _)| {
                let is_here = left <= *times;
                left = left.saturating_sub(*times);
                is_here
            })
            .map_or(Duration::from_secs(1), |(_, pause)| *pause)
    }

    fn note_frame(&mut self) {
        self.last_sign = Instant::now();
        self.has_started = true;
        if let Some(outage) = self.outage.take() {
            let secs = outage.began.elapsed().as_secs_f64();
            tracing::info!("{}: back after {secs:.1} s", self.description.name);
        }
    }

    /// Whether it has been silent for longer than it may.
    fn is_frozen(&self) -> bool {
        let limit = if self.has_started {
            self.frozen_after
        } else {
            self.frozen_after.max(STARTING_LIMIT)
        };
        self.last_sign.elapsed() >= limit
    }
}

impl<O: Opener> FrameSource for Supervisor<O> {
    fn description(&self) -> &SourceDescription {
        &self.description
    }

    fn next_frame(&mut self, pool: &mut FramePool) -> Result<Option<Arc<Frame>>, CaptureError> {
        if self.source.is_none() {
            match self.opener.open() {
                Ok(source) => {
                    self.description = source.description().clone();
                    self.source = Some(source);
                    self.last_sign = Instant::now();
                    self.has_started = false;
                }
                Err(cause) => return Err(self.give_up(cause)),
            }
        }
        let Some(source) = &mut self.source else {
            return Ok(None);
        };
        match source.next_frame(pool) {
            Ok(frame) => {
                self.note_frame();
                Ok(frame)
            }
            Err(CaptureError::TimedOut { name, .. }) => {
                let after = self.last_sign.elapsed();
                let silent = CaptureError::TimedOut { name, after };
                // A driver that sends nothing any more is often woken by a new start, and by nothing else.
                Err(match self.is_frozen() {
                    true => self.give_up(silent),
                    false => silent,
                })
            }
            Err(cause) => Err(self.give_up(cause)),
        }
    }

    fn damaged(&self) -> u64 {
        self.damaged_before + self.source.as_ref().map_or(0, |source| source.damaged())
    }

    fn missed(&self) -> u64 {
        self.missed_before + self.source.as_ref().map_or(0, |source| source.missed())
    }

    fn times(&self) -> SourceTimes {
        self.source
            .as_ref()
            .map(|source| source.times())
            .unwrap_or_default()
    }

    fn hold_exposure(&mut self, hold: bool) {
        if let Some(source) = &mut self.source {
            source.hold_exposure(hold);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// What a source does when it is asked for a frame, and what opening it gives.
    enum Event {
        Frame,
        Silence,
        Unplugged,
        CannotOpen,
    }

    type Script = VecDeque<Event>;

    struct Scripted {
        description: SourceDescription,
        script: Script,
    }

    fn description() -> SourceDescription {
        SourceDescription {
            name: "scripted".to_owned(),
            width: 1,
            height: 1,
            frame_rate: 30.0,
            expected_frames: None,
            span: None,
            live: true,
        }
    }

    fn gone() -> CaptureError {
        CaptureError::CameraGone {
            device: "/dev/video0".into(),
        }
    }

    impl FrameSource for Scripted {
        fn description(&self) -> &SourceDescription {
            &self.description
        }

        fn next_frame(&mut self, pool: &mut FramePool) -> Result<Option<Arc<Frame>>, CaptureError> {
            match self.script.pop_front() {
                Some(Event::Frame) => pool.fill(|_| Ok(())).map(Some),
                Some(Event::Silence) => Err(CaptureError::TimedOut {
                    name: "scripted".to_owned(),
                    after: Duration::ZERO,
                }),
                _ => Err(gone()),
            }
        }

        fn damaged(&self) -> u64 {
            1
        }
    }

    /// One script for each time it is opened.
    struct Scripts(VecDeque<Script>);

    impl Opener for Scripts {
        fn open(&mut self) -> Result<Box<dyn FrameSource>, CaptureError> {
            match self.0.pop_front() {
                Some(script) if !matches!(script.front(), Some(Event::CannotOpen)) => {
                    Ok(Box::new(Scripted {
                        description: description(),
                        script,
                    }))
                }
                _ => Err(gone()),
            }
        }
    }

    fn supervised(scripts: Vec<Vec<Event>>) -> Supervisor<Scripts> {
        let scripts = scripts.into_iter().map(Script::from).collect();
        // Nothing may be silent at all.
        Supervisor::new(Scripts(scripts), Err((description(), gone())), Duration::ZERO)
    }

    /// `None` for a frame, else the pause before the next attempt.
    fn next(source: &mut Supervisor<Scripts>, pool: &mut FramePool) -> Option<Duration> {
        match source.next_frame(pool) {
            Ok(_) => None,
            Err(CaptureError::Outage { retry_after, .. }) => Some(retry_after),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_source_that_comes_and_goes_is_opened_until_it_gives_frames() {
        use Event::{CannotOpen, Frame, Unplugged};
        let mut source = supervised(vec![
            vec![CannotOpen],
            vec![Frame, Frame, Unplugged],
            vec![CannotOpen],
            vec![Unplugged],
            vec![Frame],
        ]);
        let mut pool = FramePool::default();
        let mut came = || next(&mut source, &mut pool).is_none();
        let came: Vec<bool> = (0..7).map(|_| came()).collect();
        assert_eq!(came, [false, true, true, false, false, false, true]);
        // Each of the three that were opened left out one frame.
        assert_eq!(source.damaged(), 3);
    }

    #[test]
    fn pauses_grow_and_stay_short_enough_to_be_back_within_three_seconds() {
        let mut source = supervised((0..100).map(|_| vec![Event::CannotOpen]).collect());
        let mut pool = FramePool::default();
        let pauses: Vec<Duration> = (0..100).filter_map(|_| next(&mut source, &mut pool)).collect();
        assert!(pauses.is_sorted() && pauses.len() == 100);
        assert_eq!(pauses[0], Duration::from_millis(100));
        assert_eq!(pauses[99], Duration::from_secs(1));
    }

    #[test]
    fn a_source_that_falls_silent_is_started_anew_and_one_that_starts_has_time() {
        use Event::{Frame, Silence};
        let mut source = supervised(vec![vec![Silence, Frame, Silence], vec![Frame]]);
        let mut pool = FramePool::default();
        let silent = source.next_frame(&mut pool);
        assert!(matches!(silent, Err(CaptureError::TimedOut { .. })), "it starts");
        assert_eq!(next(&mut source, &mut pool), None);
        assert!(next(&mut source, &mut pool).is_some(), "it is frozen");
        assert_eq!(next(&mut source, &mut pool), None);
    }
}
