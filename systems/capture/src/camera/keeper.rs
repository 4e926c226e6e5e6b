//! A camera that is found and opened again after it went away, under whatever number it comes back.

use crate::camera::CameraSource;
use crate::camera::identity::{self, KnownCamera};
use crate::camera::offers::PREFERRED_FPS;
use crate::supervisor::{Opener, Supervisor};
use crate::{CameraSpec, CaptureError, FrameSource, SourceDescription};

/// Opens a camera and keeps it going. One that is not there yet is waited for; what waiting cannot mend is an error.
pub(crate) fn watch(spec: &CameraSpec) -> Result<Box<dyn FrameSource>, CaptureError> {
    let mut finder = CameraFinder {
        spec: spec.clone(),
        known: None,
    };
    let first = match finder.open() {
        Ok(source) => Ok(source),
        Err(
            wrong @ (CaptureError::NotACamera { .. }
            | CaptureError::CameraForbidden { .. }
            | CaptureError::CameraFormat { .. }),
        ) => return Err(wrong),
        Err(absent) => Err((description_of_absent(spec), absent)),
    };
    Ok(Box::new(Supervisor::new(finder, first, spec.config.frozen_after)))
}

/// What can be said of a camera that nobody has seen yet.
fn description_of_absent(spec: &CameraSpec) -> SourceDescription {
    SourceDescription {
        name: spec.device.display().to_string(),
        width: spec.width.unwrap_or(0),
        height: spec.height.unwrap_or(0),
        frame_rate: spec.fps.unwrap_or(PREFERRED_FPS).into(),
        expected_frames: None,
        span: None,
        live: true,
    }
}

struct CameraFinder {
    spec: CameraSpec,
    /// From the first time on that it was opened.
    known: Option<KnownCamera>,
}

impl Opener for CameraFinder {
    fn open(&mut self) -> Result<Box<dyn FrameSource>, CaptureError> {
        if let Some(known) = &self.known {
            // By any other name it is the same camera; and what is at its old place now may be another one.
            self.spec.device = known.find().ok_or_else(|| self.absent(known))?;
        }
        let (source, known) = CameraSource::open(&self.spec)?;
        self.known.get_or_insert(known);
        Ok(Box::new(source))
    }
}

impl CameraFinder {
    /// Why a camera that was there before is not found.
    fn absent(&self, known: &KnownCamera) -> CaptureError {
        let device = self.spec.device.clone();
        let there = identity::capture_nodes()
            .into_iter()
            .find(|(node, _, _)| *node == device);
        match there {
            Some((_, capabilities, _)) => CaptureError::AnotherCamera {
                device,
                expected: format!("{} at {}", known.identity.card, known.identity.bus),
                found: format!("{} at {}", capabilities.card, capabilities.bus),
            },
            None => CaptureError::CameraMissing { device },
        }
    }
}
