//! Video files through the `ffmpeg` program. (Being written.)
use crate::{CaptureError, FrameSource, SourceDescription};
use ghostball_world::{Frame, FramePool};
use std::path::Path;
use std::sync::Arc;
pub(crate) struct VideoSource {
    description: SourceDescription,
}
impl VideoSource {
    pub(crate) fn open(path: &Path) -> Result<Self, CaptureError> {
        Err(CaptureError::Video {
            path: path.to_owned(),
            found: "being written".to_owned(),
        })
    }
}
impl FrameSource for VideoSource {
    fn description(&self) -> &SourceDescription {
        &self.description
    }
    fn next_frame(&mut self, _: &mut FramePool) -> Result<Option<Arc<Frame>>, CaptureError> {
        Ok(None)
    }
}
