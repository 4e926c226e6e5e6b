//! What is recorded of one frame, all of it or nothing.

use ghostball_world::{Frame, Picture, Stamp};

/// One frame with everything that belongs to it. Its buffers are used again.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    /// The driver's count.
    pub(crate) sequence: u64,
    /// When it was captured.
    pub(crate) captured_at: Stamp,
    /// The camera's JPEG; empty where it gave none.
    pub(crate) jpeg: Vec<u8>,
    /// The picture, where there is no JPEG of it.
    pub(crate) picture: Picture,
    /// The world after it: JSON.
    pub(crate) state: Vec<u8>,
    /// Alerts of the same tick: JSON, one each.
    pub(crate) alerts: Vec<Vec<u8>>,
    /// What clients changed before it: JSON; empty where nothing.
    pub(crate) change: Vec<u8>,
    /// The memory of all systems before it; empty where none was taken.
    pub(crate) keyframe: Vec<u8>,
    /// Frames before it that were lost.
    pub(crate) lost_before: u64,
}

impl Entry {
    /// Copies the picture, so that the frame's buffer is free again: a slow disk must not hold up the camera.
    pub(crate) fn take_frame(&mut self, frame: &Frame) {
        self.sequence = frame.sequence;
        self.captured_at = frame.captured_at;
        self.jpeg.clear();
        self.jpeg.extend_from_slice(&frame.jpeg);
        if frame.jpeg.is_empty() {
            let from = &frame.picture;
            // An empty picture has no shape to take on: there is nothing to record of it.
            if let Ok(bytes) = self
                .picture
                .reshape(from.format(), from.width(), from.height(), from.color())
            {
                bytes.copy_from_slice(from.bytes());
            }
        }
    }

    /// Bytes that it holds in the queue.
    pub(crate) fn byte_count(&self) -> usize {
        let picture = if self.jpeg.is_empty() {
            self.picture.bytes().len()
        } else {
            self.jpeg.len()
        };
        let alerts: usize = self.alerts.iter().map(Vec::len).sum();
        picture + self.state.len() + self.keyframe.len() + self.change.len() + alerts
    }
}
