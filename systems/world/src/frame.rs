//! Frames and their reuse.

use std::sync::Arc;

use bevy_ecs::resource::Resource;

use crate::{Picture, Stamp};

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

/// Frames whose buffers are used again once nobody holds them, so that capture allocates nothing after warm-up.
///
/// It grows by one whenever all its frames are in use: its size is bounded by the queues that hold frames.
#[derive(Debug, Default)]
pub struct FramePool {
    frames: Vec<Arc<Frame>>,
}

impl FramePool {
    /// Fills a free frame with `fill` and hands it out. What the frame holds before is unspecified; on `Err` the frame
    /// goes back to the pool.
    pub fn fill<E>(&mut self, fill: impl FnOnce(&mut Frame) -> Result<(), E>) -> Result<Arc<Frame>, E> {
        let free = self
            .frames
            .iter_mut()
            .position(|frame| Arc::get_mut(frame).is_some());
        let index = free.unwrap_or_else(|| {
            self.frames.push(Arc::default());
            self.frames.len() - 1
        });
        let frame = &mut self.frames[index];
        // Always unique here: either just found so or just made. `make_mut` would copy otherwise, never fail.
        fill(Arc::make_mut(frame))?;
        Ok(Arc::clone(frame))
    }

    /// Frames the pool has made so far.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether no frame was ever asked for.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_used_again_once_nobody_holds_it() {
        let mut pool = FramePool::default();
        let fill = |n| {
            move |frame: &mut Frame| -> Result<(), ()> {
                frame.sequence = n;
                Ok(())
            }
        };
        let first = pool.fill(fill(1)).unwrap();
        let second = pool.fill(fill(2)).unwrap();
        assert_eq!((first.sequence, second.sequence, pool.len()), (1, 2, 2));
        drop(first);
        let third = pool.fill(fill(3)).unwrap();
        assert_eq!((third.sequence, second.sequence, pool.len()), (3, 2, 2));
    }
}
