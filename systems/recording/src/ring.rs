//! The last minutes, kept on the disk in case somebody wants them.
//!
//! The ring is a row of short recordings, each of which begins with a keyframe. The pipeline only ever changes from one
//! recorder to the next, which lies ready: files are created, ended, joined and deleted on a thread of their own.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ghostball_world::Stamp;

use crate::about::About;
use crate::channel::Topic;
use crate::doctor;
use crate::error::RecordingError;
use crate::reader::RecordingReader;
use crate::recorder::Recorder;
use crate::settings::RecordingSettings;

/// How much is kept.
#[derive(Clone, Debug)]
pub struct RingSettings {
    /// Where the parts lie. Nothing else may be in it: what an earlier run left is deleted.
    pub folder: PathBuf,
    /// So much time by the stamps, and up to a part more.
    pub keep: Duration,
    /// At most so many bytes, whatever the time, and up to a part more.
    pub most_bytes: u64,
    /// How the parts are recorded.
    pub recording: RecordingSettings,
}

/// A ring has so many parts: what is kept too long is one of them.
const PARTS: u32 = 10;

/// Saves that wait for the next frame; more are refused.
const MOST_WAITING: usize = 8;

/// What is asked of the thread. Never more than one part that has ended and what was wanted with it waits beside what the
/// thread is at: a part ends only where the next lies ready, and that is made when the one before has come.
enum Job {
    /// This part is over.
    Ended(Recorder),
    /// Those before it are wanted as one recording.
    Save(Wanted),
}

/// Somebody wants the last so much time as a recording.
struct Wanted {
    last: Duration,
    path: PathBuf,
    /// Called with what came of it, on the ring's thread.
    saved: Box<dyn FnOnce(Result<SavedRing, RecordingError>) + Send + Sync>,
}

/// What was saved.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedRing {
    /// Where.
    pub path: PathBuf,
    /// Frames in it.
    pub frames: u64,
    /// From the first frame to the last.
    pub duration: Duration,
}

/// The pipeline's end of a ring. Dropped, it is deleted.
pub struct Ring {
    current: Option<Recorder>,
    /// When the current part began.
    began_at: Option<Stamp>,
    /// How long a part is.
    part: Duration,
    /// To be saved once the current part is over: at the next frame.
    wanted: Vec<Wanted>,
    jobs: Option<Sender<Job>>,
    /// A recorder that has taken nothing yet. Locked by nobody: a resource has to be fit for several threads.
    ready: Mutex<Receiver<Recorder>>,
    thread: Option<JoinHandle<()>>,
}

impl Ring {
    /// Begins with nothing.
    pub fn start(about: About, settings: RingSettings) -> Result<Self, RecordingError> {
        clear(&settings.folder)?;
        let mut keeper = Keeper {
            about,
            part_number: 0,
            parts: VecDeque::new(),
            settings,
        };
        let part = (keeper.settings.keep / PARTS).max(Duration::from_secs(1));
        let current = keeper.create()?;
        let (jobs, asked) = channel();
        // One lies ready.
        let (give, ready) = sync_channel(1);
        let folder = keeper.settings.folder.clone();
        let thread = thread::Builder::new()
            .name("ring".to_owned())
            .spawn(move || keeper.run(&asked, &give))
            .map_err(RecordingError::io(&folder, "start a thread for the ring"))?;
        Ok(Self {
            current: Some(current),
            began_at: None,
            part,
            wanted: Vec::new(),
            jobs: Some(jobs),
            ready: Mutex::new(ready),
            thread: Some(thread),
        })
    }

    /// Begins the next part with the frame of this stamp, if that is due and a recorder lies ready; the part under way goes
    /// on otherwise.
    pub(crate) fn turn(&mut self, captured_at: Stamp) {
        if !self.is_turn_due(captured_at) {
            return;
        }
        let ready = self.ready.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let (Ok(mut next), Some(jobs)) = (ready.try_recv(), &self.jobs) {
            if let Some(mut ended) = self.current.take() {
                next.follow(&mut ended);
                jobs.send(Job::Ended(ended)).ok();
            }
            self.current = Some(next);
            self.began_at = Some(captured_at);
            for wanted in self.wanted.drain(..) {
                jobs.send(Job::Save(wanted)).ok();
            }
        }
    }

    fn is_turn_due(&mut self, captured_at: Stamp) -> bool {
        let began_at = *self.began_at.get_or_insert(captured_at);
        let is_over = captured_at < began_at || captured_at.since(began_at) >= self.part;
        is_over || !self.wanted.is_empty()
    }

    /// The recorder of the part under way.
    pub(crate) fn current(&mut self) -> Option<&mut Recorder> {
        self.current.as_mut()
    }

    /// Saves the last so much time, from the keyframe before it on, as a recording of its own; a file that is there is
    /// replaced. It begins with the next frame, and the pipeline goes on meanwhile. Refused where too many wait already.
    pub fn save(
        &mut self,
        last: Duration,
        path: PathBuf,
        saved: impl FnOnce(Result<SavedRing, RecordingError>) + Send + Sync + 'static,
    ) {
        if self.wanted.len() >= MOST_WAITING {
            return saved(Err(RecordingError::Busy { path }));
        }
        self.wanted.push(Wanted {
            last,
            path,
            saved: Box::new(saved),
        });
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        if let (Some(jobs), Some(ended)) = (self.jobs.take(), self.current.take()) {
            jobs.send(Job::Ended(ended)).ok();
        }
        // It may want to hand over a recorder.
        self.ready = Mutex::new(sync_channel(0).1);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the ring's thread panicked");
        }
    }
}

/// A part that is over.
struct Part {
    path: PathBuf,
    bytes: u64,
    span: Option<(Stamp, Stamp)>,
}

/// The thread's side.
struct Keeper {
    about: About,
    settings: RingSettings,
    part_number: u64,
    /// Oldest first.
    parts: VecDeque<Part>,
}

impl Keeper {
    fn run(mut self, asked: &Receiver<Job>, give: &SyncSender<Recorder>) {
        self.offer(give);
        while let Ok(job) = asked.recv() {
            match job {
                Job::Ended(recorder) => {
                    self.offer(give);
                    self.take(recorder);
                    self.forget_old();
                }
                Job::Save(Wanted { last, path, saved }) => saved(self.save(last, &path)),
            }
        }
        if let Err(error) = clear(&self.settings.folder) {
            tracing::warn!("{error}");
        }
    }

    fn create(&mut self) -> Result<Recorder, RecordingError> {
        self.part_number += 1;
        let name = format!("{PREFIX}{:08}.mcap", self.part_number);
        let path = self.settings.folder.join(name);
        Recorder::create(&path, &self.about, self.settings.recording)
    }

    fn offer(&mut self, give: &SyncSender<Recorder>) {
        match self.create() {
            // Whoever was to take it is gone, or has one.
            Ok(recorder) => drop(give.try_send(recorder)),
            Err(error) => tracing::error!("the ring goes on in one part: {error}"),
        }
    }

    fn take(&mut self, recorder: Recorder) {
        let path = recorder.path().to_owned();
        let bytes = match recorder.finish() {
            Ok(counters) => counters.bytes,
            Err(error) => {
                tracing::error!("{error}");
                0
            }
        };
        let span = RecordingReader::open(&path).ok().and_then(|reader| reader.span());
        self.parts.push_back(Part { path, bytes, span });
    }

    fn forget_old(&mut self) {
        let is_too_old = |part: &Part, newest: Option<Stamp>| match (part.span, newest) {
            (Some((_, last)), Some(newest)) => newest.since(last) > self.settings.keep,
            _ => false,
        };
        let newest = self.newest();
        let mut bytes: u64 = self.parts.iter().map(|part| part.bytes).sum();
        while let Some(oldest) = self.parts.front()
            && (bytes > self.settings.most_bytes || is_too_old(oldest, newest))
        {
            bytes = bytes.saturating_sub(oldest.bytes);
            if let Err(error) = std::fs::remove_file(&oldest.path) {
                tracing::warn!("{}: cannot delete it: {error}", oldest.path.display());
            }
            self.parts.pop_front();
        }
    }

    fn newest(&self) -> Option<Stamp> {
        let spans = self.parts.iter().rev().filter_map(|part| part.span);
        spans.map(|(_, last)| last).next()
    }

    fn save(&self, last: Duration, path: &Path) -> Result<SavedRing, RecordingError> {
        let newest = self.newest();
        let is_wanted = |part: &&Part| match (part.span, newest) {
            (Some((_, end)), Some(newest)) => newest.since(end) < last,
            _ => false,
        };
        let wanted: Vec<_> = self.parts.iter().filter(is_wanted).collect();
        let paths: Vec<_> = wanted.iter().map(|part| part.path.as_path()).collect();
        let from = newest.map_or(0, |newest| {
            newest
                .nanos
                .saturating_sub(u64::try_from(last.as_nanos()).unwrap_or(u64::MAX))
        });
        doctor::join(&paths, Stamp::from_nanos(from), path)?;
        let reader = RecordingReader::open(path)?;
        let span = reader.span();
        Ok(SavedRing {
            path: path.to_owned(),
            frames: reader.count(Topic::Camera),
            duration: span.map_or(Duration::ZERO, |(first, last)| last.since(first)),
        })
    }
}

/// Parts are called so.
const PREFIX: &str = "ring-";

/// Makes the folder, and deletes the parts that are in it.
fn clear(folder: &Path) -> Result<(), RecordingError> {
    std::fs::create_dir_all(folder).map_err(RecordingError::io(folder, "create it"))?;
    let files = std::fs::read_dir(folder).map_err(RecordingError::io(folder, "read it"))?;
    for file in files.flatten() {
        let name = file.file_name();
        let is_part = name.to_string_lossy().starts_with(PREFIX);
        if is_part && let Err(error) = std::fs::remove_file(file.path()) {
            tracing::warn!("{}: cannot delete it: {error}", file.path().display());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ghostball_world::{ColorEncoding, Frame, Picture, PixelFormat};

    use super::*;
    use crate::QueuePolicy;

    fn at(n: u64) -> Stamp {
        Stamp::from_nanos(n * 100_000_000)
    }

    /// Here, the pipeline waits for the next recorder.
    fn turn(ring: &mut Ring, captured_at: Stamp) {
        while ring.is_turn_due(captured_at) {
            ring.turn(captured_at);
            thread::yield_now();
        }
    }

    fn take(ring: &mut Ring, n: u64) {
        let captured_at = at(n);
        let frame = Frame {
            sequence: n,
            captured_at,
            picture: Picture::new(
                PixelFormat::Grey,
                8,
                8,
                ColorEncoding::default(),
                vec![n as u8; 64],
            )
            .unwrap(),
            ..Frame::default()
        };
        turn(ring, captured_at);
        let recorder = ring.current().unwrap();
        if recorder.wants_keyframe(captured_at) {
            recorder.take_keyframe(captured_at, n.to_string().as_bytes());
        }
        recorder.take_frame(&frame, |state| state.extend(n.to_string().bytes()));
    }

    fn settings(folder: &Path) -> RingSettings {
        RingSettings {
            folder: folder.join("ring"),
            keep: Duration::from_secs(20),
            most_bytes: u64::MAX,
            recording: RecordingSettings {
                keyframe_interval: Duration::from_secs(1),
                ..RecordingSettings::new(QueuePolicy::Wait)
            },
        }
    }

    /// Saves before the `n`th frame, and waits; numbers of the frames that are in it, and the keyframe before the first.
    fn save(ring: &mut Ring, n: u64, seconds: u64, path: &Path) -> (Vec<u64>, u64) {
        let (tell, told) = channel();
        ring.save(Duration::from_secs(seconds), path.to_owned(), move |saved| {
            tell.send(saved).unwrap();
        });
        turn(ring, at(n));
        let saved = told.recv().unwrap().unwrap();
        let mut reader = RecordingReader::open(path).unwrap();
        let (mut frames, mut first) = (Vec::new(), None);
        let number = |data: &[u8]| std::str::from_utf8(data).unwrap().parse::<u64>().unwrap();
        while let Some(message) = reader.next_message().unwrap() {
            match message.topic {
                Topic::State => frames.push(number(message.data)),
                Topic::Keyframe => drop(first.get_or_insert(number(message.data))),
                _ => {}
            }
        }
        assert_eq!(saved.frames, frames.len() as u64);
        assert!(crate::check(path).unwrap().is_healthy());
        (frames, first.unwrap())
    }

    #[test]
    fn the_last_minutes_are_kept_no_more_and_saved_from_a_keyframe_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("saved.mcap");
        let settings = settings(folder.path());
        let parts = settings.folder.clone();
        let mut ring = Ring::start(About::default(), settings).unwrap();
        (0..600).for_each(|n| take(&mut ring, n));
        let (frames, keyframe) = save(&mut ring, 600, 5, &path);
        assert_eq!(frames.last(), Some(&599));
        assert!((50..=60).contains(&frames.len()), "{}", frames.len());
        assert!(frames.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{frames:?}");
        assert_eq!(keyframe, frames[0]);
        // It goes on, and tells all that it has.
        (600..700).for_each(|n| take(&mut ring, n));
        let (frames, _) = save(&mut ring, 700, 1000, &path);
        assert_eq!(frames.last(), Some(&699));
        assert!((200..=250).contains(&frames.len()), "{}", frames.len());
        assert!(frames.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{frames:?}");
        drop(ring);
        assert_eq!(std::fs::read_dir(parts).unwrap().count(), 0);
        assert!(path.is_file());
    }

    #[test]
    fn saves_that_nothing_comes_of_are_refused_when_too_many_wait() {
        let folder = tempfile::tempdir().unwrap();
        let mut ring = Ring::start(About::default(), settings(folder.path())).unwrap();
        let (tell, told) = channel();
        // No frame comes.
        for n in 0..=MOST_WAITING {
            let tell = tell.clone();
            let path = folder.path().join(format!("{n}.mcap"));
            ring.save(Duration::from_secs(1), path, move |saved| {
                tell.send(saved).unwrap()
            });
        }
        let refused = told.try_recv().unwrap().unwrap_err();
        assert!(matches!(refused, RecordingError::Busy { .. }), "{refused}");
        assert!(told.try_recv().is_err());
    }

    #[test]
    fn however_long_it_is_to_be_a_ring_has_its_size() {
        let folder = tempfile::tempdir().unwrap();
        let settings = RingSettings {
            most_bytes: 100_000,
            ..settings(folder.path())
        };
        let parts = settings.folder.clone();
        let mut ring = Ring::start(About::default(), settings).unwrap();
        (0..1500).for_each(|n| take(&mut ring, n));
        let (frames, _) = save(&mut ring, 1500, 1000, &folder.path().join("saved.mcap"));
        assert!(frames.len() < 400, "{}", frames.len());
        let sizes = std::fs::read_dir(parts).unwrap();
        let bytes: u64 = sizes.map(|file| file.unwrap().metadata().unwrap().len()).sum();
        assert!(bytes < 200_000, "{bytes}");
    }
}
