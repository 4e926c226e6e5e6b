//! The bounded queue between the pipeline and the recording thread.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::entry::Entry;

/// What happens when the disk does not keep up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueuePolicy {
    /// Frames are left out of the recording and counted: the table never waits for a disk.
    Lose,
    /// The pipeline waits: for sources that lose nothing by waiting.
    Wait,
}

/// Why frames are lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The disk refuses: it is full, or gone. With the system's own words.
    DiskFull(String),
    /// The disk is too slow.
    DiskSlow,
}

/// What was recorded, and what was not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordingCounters {
    /// Frames written, or on their way.
    pub recorded: u64,
    /// Frames left out.
    pub lost: u64,
    /// Bytes on the disk.
    pub bytes: u64,
}

/// Frames on their way to the disk.
pub(crate) struct Queue {
    inner: Mutex<Inner>,
    /// Signalled whenever anything has changed.
    changed: Condvar,
    policy: QueuePolicy,
    /// It takes no more once it holds this many bytes.
    most_bytes: usize,
}

#[derive(Default)]
struct Inner {
    entries: VecDeque<Entry>,
    /// Entries whose buffers can be used again.
    free: Vec<Entry>,
    bytes: usize,
    /// Nothing more will be put in.
    closed: bool,
    /// Nothing more will be taken out.
    abandoned: bool,
    /// The disk refuses at the moment.
    refused: Option<String>,
    /// Frames were lost since there was room the last time.
    is_losing: bool,
    counters: RecordingCounters,
}

/// What the recording thread gets.
pub(crate) enum Taken {
    /// The next frame.
    Entry(Entry),
    /// Nothing for a while.
    Idle,
    /// There is no more.
    Closed,
}

impl Queue {
    pub(crate) fn new(policy: QueuePolicy, most_bytes: usize) -> Self {
        Self {
            inner: Mutex::default(),
            changed: Condvar::new(),
            policy,
            most_bytes,
        }
    }

    /// A panic elsewhere leaves it consistent: each change is a few assignments.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the next frame will be taken; waits for room where that is the policy. One that will not is counted as lost.
    pub(crate) fn has_room(&self) -> bool {
        let full = |inner: &mut Inner| inner.bytes >= self.most_bytes && !inner.abandoned;
        let mut inner = self.lock();
        if self.policy == QueuePolicy::Wait {
            // A full disk is not worth waiting for.
            let wait = |inner: &mut Inner| full(inner) && inner.refused.is_none();
            inner = self
                .changed
                .wait_while(inner, wait)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let has_room = !full(&mut inner) && !inner.abandoned;
        inner.is_losing = !has_room;
        inner.counters.lost += u64::from(!has_room);
        has_room
    }

    /// An entry to fill.
    pub(crate) fn blank(&self) -> Entry {
        self.lock().free.pop().unwrap_or_default()
    }

    /// Puts an entry in. Whether it fits was asked before.
    pub(crate) fn put(&self, entry: Entry) {
        let mut inner = self.lock();
        inner.bytes += entry.byte_count();
        inner.counters.recorded += 1;
        inner.entries.push_back(entry);
        drop(inner);
        self.changed.notify_all();
    }

    /// Takes the oldest entry, waiting for one up to `timeout`.
    pub(crate) fn take(&self, timeout: Duration) -> Taken {
        let nothing = |inner: &mut Inner| inner.entries.is_empty() && !inner.closed;
        let (mut inner, _) = self
            .changed
            .wait_timeout_while(self.lock(), timeout, nothing)
            .unwrap_or_else(PoisonError::into_inner);
        match inner.entries.pop_front() {
            Some(entry) => Taken::Entry(entry),
            None if inner.closed => Taken::Closed,
            None => Taken::Idle,
        }
    }

    /// Gives back an entry that was written: only now is there room for another.
    pub(crate) fn recycle(&self, entry: Entry) {
        let mut inner = self.lock();
        inner.bytes = inner.bytes.saturating_sub(entry.byte_count());
        inner.free.push(entry);
        drop(inner);
        self.changed.notify_all();
    }

    /// Sleeps up to `pause`; shorter when nothing more will be put in.
    pub(crate) fn pause(&self, pause: Duration) {
        let open = |inner: &mut Inner| !inner.closed;
        let waited = self.changed.wait_timeout_while(self.lock(), pause, open);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Says that nothing more will be put in.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Says that nothing more will be taken out: what still waits is lost.
    pub(crate) fn abandon(&self) {
        let mut inner = self.lock();
        let waiting = inner.entries.len() as u64;
        inner.counters.recorded -= waiting.min(inner.counters.recorded);
        inner.counters.lost += waiting;
        inner.entries.clear();
        inner.abandoned = true;
        drop(inner);
        self.changed.notify_all();
    }

    /// Notes how much of the file is on the disk, and whether the disk refuses more.
    pub(crate) fn note_disk(&self, bytes: u64, refused: Option<String>) {
        let mut inner = self.lock();
        inner.counters.bytes = bytes;
        inner.refused = refused;
        drop(inner);
        self.changed.notify_all();
    }

    /// Counts frames that were taken out and could not be written after all.
    pub(crate) fn note_lost(&self, frames: u64) {
        let mut inner = self.lock();
        inner.counters.recorded -= frames.min(inner.counters.recorded);
        inner.counters.lost += frames;
    }

    pub(crate) fn counters(&self) -> RecordingCounters {
        self.lock().counters
    }

    /// What is wrong at the moment.
    pub(crate) fn trouble(&self) -> Option<Trouble> {
        let inner = self.lock();
        match &inner.refused {
            Some(why) => Some(Trouble::DiskFull(why.clone())),
            None => inner.is_losing.then_some(Trouble::DiskSlow),
        }
    }
}
