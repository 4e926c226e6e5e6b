//! V4L2 cameras. (Being written.)

use crate::{CameraSpec, CaptureError, FrameSource, SourceDescription};
use ghostball_world::{Frame, FramePool};
use std::sync::Arc;
pub(crate) struct CameraSource {
    description: SourceDescription,
}
impl CameraSource {
    pub(crate) fn open(camera: &CameraSpec) -> Result<Self, CaptureError> {
        Err(CaptureError::NotACamera {
            device: camera.device.clone(),
            found: "being written".to_owned(),
        })
    }
}
impl FrameSource for CameraSource {
    fn description(&self) -> &SourceDescription {
        &self.description
    }
    fn next_frame(&mut self, _: &mut FramePool) -> Result<Option<Arc<Frame>>, CaptureError> {
        Ok(None)
    }
}
