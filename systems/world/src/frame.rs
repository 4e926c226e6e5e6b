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
