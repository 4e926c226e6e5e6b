//! The recording thread and the pipeline's end of it.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ghostball_world::{Alert, Frame, Stamp};

use crate::about::About;
use crate::disk::{Disk, Storage};
use crate::entry::Entry;
use crate::error::RecordingError;
use crate::queue::{Queue, QueuePolicy, RecordingCounters, Taken, Trouble};
use crate::settings::RecordingSettings;
use crate::writer::{EncodeError, EntryWriter};

/// Bytes that may wait for the disk: five seconds of a camera's JPEGs at 1280x720 and 30 a second, and still a
/// quarter of what the program may take.
const QUEUE_BYTES: usize = 32 << 20;
/// The same where the pipeline waits for the disk: a few frames, so that a kill does not cost more than the last second.
const SHORT_QUEUE_BYTES: usize = 8 << 20;
/// How long to wait before a disk that refused is asked again.
const RETRY_AFTER: Duration = Duration::from_millis(500);
/// A chunk of a source that has fallen silent is written out after this time.
const IDLE_AFTER: Duration = Duration::from_millis(500);

/// A recording under way. Dropping it ends the file as [`Recorder::finish`] does.
pub struct Recorder {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<Result<(), RecordingError>>>,
    path: PathBuf,
    /// Whether there is room for the frame to come, once that was asked.
    has_room: Option<bool>,
    /// Frames lost since the last one that was taken.
    lost_before: u64,
    keyframe_interval: Duration,
    /// When the last keyframe was taken.
    keyframe_at: Option<Stamp>,
    /// The keyframe of the frame to come.
    keyframe: Vec<u8>,
    /// Alerts that go with the next frame that is taken.
    alerts: Vec<Vec<u8>>,
    /// What clients changed before the frame that comes next.
    change: Vec<u8>,
}

impl Recorder {
    /// Creates the file and starts the thread. A file that is there is kept as it is until the first frame comes, which
    /// may be never where the camera's name is mistyped; then it is written over.
    pub fn create(path: &Path, about: &About, settings: RecordingSettings) -> Result<Self, RecordingError> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        let file = options
            .open(path)
            .map_err(RecordingError::io(path, "create it"))?;
        let holds = file.metadata().map_or(0, |about| about.len());
        let queue_bytes = match settings.policy {
            QueuePolicy::Lose => QUEUE_BYTES,
            QueuePolicy::Wait => SHORT_QUEUE_BYTES,
        };
        Self::start(path, about, settings, queue_bytes, Box::new(file), holds > 0)
    }

    fn start(
        path: &Path,
        about: &About,
        settings: RecordingSettings,
        queue_bytes: usize,
        storage: Box<dyn Storage>,
        holds_another: bool,
    ) -> Result<Self, RecordingError> {
        let queue = Arc::new(Queue::new(settings.policy, queue_bytes));
        let writer = EntryWriter::new(about, settings.jpeg).map_err(encoding(path))?;
        let writing = Writing {
            queue: Arc::clone(&queue),
            disk: if holds_another {
                Disk::over(storage)
            } else {
                Disk::new(storage)
            },
            waits_for_frame: holds_another,
            writer,
            block: Vec::new(),
            frames_in_block: 0,
            path: path.to_owned(),
            has_warned: false,
        };
        let thread = thread::Builder::new()
            .name("recording".to_owned())
            .spawn(move || writing.run())
            .map_err(RecordingError::io(path, "start the recording thread"))?;
        Ok(Self {
            queue,
            thread: Some(thread),
            path: path.to_owned(),
            has_room: None,
            lost_before: 0,
            keyframe_interval: settings.keyframe_interval,
            keyframe_at: None,
            keyframe: Vec::new(),
            alerts: Vec::new(),
            change: Vec::new(),
        })
    }

    /// Where it goes.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a keyframe should be taken before the frame with this stamp is admitted: at the beginning, after a gap, and
    /// now and then; never before a frame that will be lost.
    pub fn wants_keyframe(&mut self, captured_at: Stamp) -> bool {
        let is_due = |at: Stamp| captured_at < at || captured_at.since(at) >= self.keyframe_interval;
        let is_due = self.lost_before > 0 || self.keyframe_at.is_none_or(is_due);
        is_due && *self.has_room.get_or_insert_with(|| self.queue.has_room())
    }

    /// Takes the memory of all systems as it is before the next frame.
    pub fn take_keyframe(&mut self, captured_at: Stamp, keyframe: &[u8]) {
        self.keyframe.clear();
        self.keyframe.extend_from_slice(keyframe);
        self.keyframe_at = Some(captured_at);
    }

    /// Takes an alert; it is recorded with the next frame.
    pub fn take_alert(&mut self, alert: &Alert) {
        /// Alerts are rare. If ever so many wait, the disk is full and nobody will miss the last of them.
        const MOST_WAITING: usize = 100;
        if self.alerts.len() < MOST_WAITING {
            let text = serde_json::json!({
                "level": alert.level.name(),
                "code": alert.code.name(),
                "begins": alert.begins,
                "message": alert.text,
            });
            self.alerts.push(text.to_string().into_bytes());
        }
    }

    /// Takes what clients changed before the frame that comes next; JSON.
    pub fn take_change(&mut self, json: &[u8]) {
        self.change.clear();
        self.change.extend_from_slice(json);
    }

    /// Takes a frame with the state of the world after it, or counts it as lost where the disk does not keep up.
    pub fn take_frame(&mut self, frame: &Frame, write_state: impl FnOnce(&mut Vec<u8>)) {
        if !self.has_room.take().unwrap_or_else(|| self.queue.has_room()) {
            self.lost_before += 1;
            // What was changed is in the keyframe that follows.
            self.change.clear();
            return;
        }
        let mut entry = self.queue.blank();
        entry.take_frame(frame);
        entry.state.clear();
        write_state(&mut entry.state);
        entry.keyframe.clear();
        std::mem::swap(&mut entry.keyframe, &mut self.keyframe);
        entry.alerts.clear();
        std::mem::swap(&mut entry.alerts, &mut self.alerts);
        entry.change.clear();
        std::mem::swap(&mut entry.change, &mut self.change);
        entry.lost_before = std::mem::take(&mut self.lost_before);
        self.queue.put(entry);
    }

    /// Goes on where `before` ends: what that could not tell any more is told here.
    pub(crate) fn follow(&mut self, before: &mut Self) {
        self.lost_before = std::mem::take(&mut before.lost_before);
        self.alerts = std::mem::take(&mut before.alerts);
    }

    /// What was recorded so far.
    pub fn counters(&self) -> RecordingCounters {
        self.queue.counters()
    }

    /// What is wrong at the moment.
    pub fn trouble(&self) -> Option<Trouble> {
        self.queue.trouble()
    }

    /// Writes what still waits and ends the file with its index.
    pub fn finish(mut self) -> Result<RecordingCounters, RecordingError> {
        self.end()?;
        Ok(self.counters())
    }

    fn end(&mut self) -> Result<(), RecordingError> {
        self.queue.close();
        let Some(thread) = self.thread.take() else {
            return Ok(());
        };
        thread.join().unwrap_or_else(|_| {
            Err(RecordingError::Encoding {
                path: self.path.clone(),
                cause: "the recording thread panicked; this is a defect in ghostball".to_owned(),
            })
        })
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::error!("{error}");
        }
    }
}

fn encoding(path: &Path) -> impl FnOnce(EncodeError) -> RecordingError {
    move |error| RecordingError::Encoding {
        path: path.to_owned(),
        cause: error.to_string(),
    }
}

/// What the recording thread works with.
struct Writing {
    queue: Arc<Queue>,
    disk: Disk,
    /// Nothing is written before the first frame, over a file that is there.
    waits_for_frame: bool,
    writer: EntryWriter,
    /// Whole chunks on their way to the disk.
    block: Vec<u8>,
    /// Frames since the last block.
    frames_in_block: u64,
    path: PathBuf,
    /// One line in the log for the first frame that cannot be encoded.
    has_warned: bool,
}

impl Writing {
    fn run(mut self) -> Result<(), RecordingError> {
        // However it ends: the pipeline must not wait for a thread that is gone.
        let queue = Arc::clone(&self.queue);
        let _abandon = AbandonOnDrop(&queue);
        self.write_out()?;
        loop {
            match queue.take(IDLE_AFTER) {
                Taken::Entry(entry) => self.record(entry)?,
                Taken::Idle => {
                    self.end_chunk()?;
                    self.write_out()?;
                }
                Taken::Closed => break,
            }
        }
        if self.waits_for_frame {
            tracing::warn!("{}: no frame came, so it is left as it was", self.path.display());
            return Ok(());
        }
        self.writer.finish().map_err(encoding(&self.path))?;
        self.write_out()
    }

    fn record(&mut self, mut entry: Entry) -> Result<(), RecordingError> {
        self.waits_for_frame = false;
        match self.writer.write(&mut entry) {
            Ok(()) => self.frames_in_block += 1,
            Err(error) => {
                self.queue.note_lost(1);
                if !std::mem::replace(&mut self.has_warned, true) {
                    tracing::error!("{}: a frame cannot be recorded: {error}", self.path.display());
                }
            }
        }
        let captured_at = entry.captured_at;
        if self.writer.is_chunk_due(captured_at) {
            self.end_chunk()?;
        }
        let written = self.write_out();
        self.queue.recycle(entry);
        written
    }

    fn end_chunk(&mut self) -> Result<(), RecordingError> {
        self.writer.end_chunk().map_err(encoding(&self.path))
    }

    /// Writes whole chunks to the disk. While it refuses, nothing more is taken from the queue, and what the queue cannot
    /// hold is lost; once the recording ends it is asked a last time.
    fn write_out(&mut self) -> Result<(), RecordingError> {
        if self.waits_for_frame {
            return Ok(());
        }
        self.writer.take_bytes(&mut self.block);
        if self.block.is_empty() {
            return Ok(());
        }
        loop {
            let is_last_try = self.queue.is_closed();
            match self.disk.write(&self.block) {
                Ok(()) => {
                    self.block.clear();
                    self.frames_in_block = 0;
                    self.queue.note_disk(self.disk.length(), None);
                    return Ok(());
                }
                Err(cause) if is_last_try => {
                    self.queue.note_lost(self.frames_in_block);
                    return Err(refusal(&self.path, cause));
                }
                Err(cause) => {
                    self.queue.note_disk(self.disk.length(), Some(cause.to_string()));
                    self.queue.pause(RETRY_AFTER);
                }
            }
        }
    }
}

fn refusal(path: &Path, cause: io::Error) -> RecordingError {
    RecordingError::io(
        path,
        "write the end of it; `ghostball doctor` repairs what is there",
    )(cause)
}

struct AbandonOnDrop<'a>(&'a Queue);

impl Drop for AbandonOnDrop<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

#[cfg(test)]
mod tests;
