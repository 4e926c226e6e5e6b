//! What every source is: something that gives one frame after the other.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ghostball_world::{Frame, FramePool, Stamp};

use crate::spec::SourceSpec;
use crate::{CaptureError, camera, folder, recording, simulated, video};

/// What is known of a source before its first frame.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceDescription {
    /// For people: the file, the device, the simulated table.
    pub name: String,
    /// Pixels per row. In a folder: of the first image, others may differ.
    pub width: u32,
    /// Rows. In a folder: of the first image, others may differ.
    pub height: u32,
    /// Nominal frames per second. Stamps are exact, this is not.
    pub frame_rate: f64,
    /// About how many frames will come, for a progress bar; `None` where nobody knows.
    pub expected_frames: Option<u64>,
    /// Stamps of the first and the last frame, where any place between them can be sought.
    pub span: Option<(Stamp, Stamp)>,
    /// Whether frames come by themselves and are lost when nobody takes them.
    pub live: bool,
}

/// What a frame took before the pipeline, on the capture thread. For people and metrics alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceTimes {
    /// Taking it over from its source; waiting for it is no part of that.
    pub capture: Duration,
    /// Making planes of its JPEG.
    pub decode: Duration,
}

/// Gives one frame after the other. Lives on the capture thread, where it may block and decode.
pub trait FrameSource: Send {
    /// What is known before the first frame.
    fn description(&self) -> &SourceDescription;

    /// The next frame, in a buffer of `pool`; `None` after the last.
    ///
    /// A live source waits a bounded time and then says [`CaptureError::TimedOut`]: it may be asked again. So may one that
    /// says [`CaptureError::Outage`], after a pause. After any other error it is done for and has to be opened anew.
    fn next_frame(&mut self, pool: &mut FramePool) -> Result<Option<Arc<Frame>>, CaptureError>;

    /// Frames so far that came damaged and were left out.
    fn damaged(&self) -> u64 {
        0
    }

    /// Frames so far that the driver took and never delivered, by its own count of them.
    fn missed(&self) -> u64 {
        0
    }

    /// What the last frame took, where that is known.
    fn times(&self) -> SourceTimes {
        SourceTimes::default()
    }

    /// Goes to a place so long after the first frame, or a little before where that is needed to know the world there:
    /// those frames say so. False where no place can be sought.
    fn seek(&mut self, _since_first: Duration) -> bool {
        false
    }

    /// Asks a camera to keep exposure and gain as they are now, or to go on choosing them. Asked before every frame.
    fn hold_exposure(&mut self, _hold: bool) {}
}

/// As [`open`], and a camera that fails is opened again until it works: [`CaptureError::Outage`] says that it is away. It
/// need not be there yet; only what waiting cannot mend is an error here.
pub fn open_lasting(spec: &SourceSpec) -> Result<Box<dyn FrameSource>, CaptureError> {
    match spec {
        SourceSpec::Camera(camera) => camera::keeper::watch(camera),
        _ => open(spec),
    }
}

/// Opens a source. Whatever is wrong with it that can be seen before the first frame, is an error here.
pub fn open(spec: &SourceSpec) -> Result<Box<dyn FrameSource>, CaptureError> {
    let images = |paths: Vec<PathBuf>, name| folder::ImageSource::open(paths, name);
    Ok(match spec {
        SourceSpec::Simulation(options) => Box::new(simulated::SimulatedSource::open(options)?),
        SourceSpec::Camera(camera) => Box::new(camera::CameraSource::open(camera)?.0),
        SourceSpec::Recording(path) => Box::new(recording::RecordingSource::open(path)?),
        SourceSpec::Video(path) => Box::new(video::VideoSource::open(path)?),
        SourceSpec::Image(path) => Box::new(images(vec![path.clone()], path)?),
        SourceSpec::Folder(path) => Box::new(images(folder::images_in(path)?, path)?),
    })
}
