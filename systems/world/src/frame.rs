//! Frames.

use std::sync::Arc;

use bevy_ecs::resource::Resource;

use crate::{Picture, Pool, Stamp};

/// One picture from a source.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    /// The source's own count, as the driver gives it: a gap means frames that never arrived.
    pub sequence: u64,
    /// When it was captured.
    pub captured_at: Stamp,
    /// Its pixels, in the camera's own format.
    pub picture: Picture,
    /// The camera's own JPEG bytes, where that is what it delivered (for passing through and recording); else empty.
    pub jpeg: Vec<u8>,
    /// What a recording tells of it.
    pub recorded: Recorded,
}

/// What a recording tells of a frame beside its picture; nothing of frames from elsewhere.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recorded {
    /// The frame recorded before this one is not the one that was given before it: it is the first, frames are missing, or
    /// another place was sought.
    pub is_cut: bool,
    /// It is played for what the systems remember after it alone, and not shown: it lies before the place that was sought.
    pub is_leading: bool,
    /// What the systems remembered before it (see [`load_memory`](crate::load_memory)); empty where that was not taken.
    pub keyframe: Vec<u8>,
    /// What clients had changed before it: an [`AdmittedChange`](crate::AdmittedChange) as JSON; empty where nothing.
    pub change: Vec<u8>,
    /// The world after it: a line of `ghostball replay --jsonl`; empty where it was not recorded.
    pub state: Vec<u8>,
}

impl Recorded {
    /// Forgets everything; keeps the buffers.
    pub fn clear(&mut self) {
        (self.is_cut, self.is_leading) = (false, false);
        self.keyframe.clear();
        self.change.clear();
        self.state.clear();
    }
}

/// The frame that this tick is about.
#[derive(Resource, Clone, Debug, Default)]
pub struct CurrentFrame(pub Option<Arc<Frame>>);

impl CurrentFrame {
    /// Its pixels; `None` before the first frame.
    pub fn picture(&self) -> Option<&Picture> {
        self.0.as_ref().map(|frame| &frame.picture)
    }
}

/// Frames whose buffers are used again: capture allocates nothing after warm-up.
pub type FramePool = Pool<Frame>;
