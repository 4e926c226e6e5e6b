//! What can go wrong on the way in.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use ghostball_recording::RecordingError;
use ghostball_simulation::SimulationError;

use crate::image::ImageError;

/// Why a source cannot be named, opened or read. Each text names the thing, what was expected and found, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The source's name fits none of the kinds.
    #[error("source '{name}': {found}; expected {SOURCES}")]
    UnknownSource {
        /// As it was given.
        name: String,
        /// What it looks like instead.
        found: String,
    },
    /// The query names something that this kind of source does not have.
    #[error("source '{name}': unknown option '{key}'; expected one of {known}")]
    UnknownKey {
        /// As it was given.
        name: String,
        /// The key that nobody knows.
        key: String,
        /// All keys of this kind of source.
        known: &'static str,
    },
    /// A value that its key cannot take.
    #[error("source '{name}': {key} is '{found}'; expected {expected}")]
    BadValue {
        /// As it was given.
        name: String,
        /// The key.
        key: String,
        /// What it may be.
        expected: String,
        /// Its value.
        found: String,
    },
    /// A recording that cannot be read.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// No such file or folder.
    #[error("{}: there is no such file or folder; check the path", path.display())]
    Missing {
        /// Where it was expected.
        path: PathBuf,
    },
    /// A folder without a single image.
    #[error("{}: the folder holds no image; expected .jpg, .jpeg or .png files", path.display())]
    EmptyFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The operating system refuses.
    #[error("{}: cannot {action}: {cause}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system says.
        cause: io::Error,
    },
    /// An image that is no picture.
    #[error("{}: {cause}", path.display())]
    Image {
        /// The image.
        path: PathBuf,
        /// What is wrong with it.
        cause: ImageError,
    },
    /// The program that decodes videos is not there.
    #[error("{}: videos need the program '{program}', which was not found; install it (apt install ffmpeg) or give a folder of images", path.display())]
    FfmpegMissing {
        /// The video that needs it.
        path: PathBuf,
        /// Which program.
        program: &'static str,
    },
    /// The file is no video, is broken, or holds nothing to see.
    #[error("{}: {found}; expected a video that ffmpeg can decode", path.display())]
    Video {
        /// The video.
        path: PathBuf,
        /// What is wrong with it.
        found: String,
    },
    /// A simulated table that cannot be.
    #[error("source '{name}': {cause}")]
    SimulationOptions {
        /// As it was given.
        name: String,
        /// What is wrong with its options.
        cause: SimulationError,
    },
    /// The simulated table could not render.
    #[error("simulated table: {0}")]
    Simulation(#[from] SimulationError),
    /// No such device.
    #[error("camera {}: there is no such device; plug it in, or give another", device.display())]
    CameraMissing {
        /// The device.
        device: PathBuf,
    },
    /// A device, but none that captures pictures.
    #[error("camera {}: {found}; expected a video capture device with streaming", device.display())]
    NotACamera {
        /// The device.
        device: PathBuf,
        /// What it is instead.
        found: String,
    },
    /// Another program streams from it.
    #[error("camera {}: another program is using it; stop that program", device.display())]
    CameraBusy {
        /// The device.
        device: PathBuf,
    },
    /// The device's permissions keep us out.
    #[error("camera {}: no permission to open it; add this user to the group 'video' and log in again", device.display())]
    CameraForbidden {
        /// The device.
        device: PathBuf,
    },
    /// The camera does not deliver what was asked for.
    #[error("camera {}: asked for {asked}, it gives {given}; ask for what it has", device.display())]
    CameraFormat {
        /// The device.
        device: PathBuf,
        /// What was wanted.
        asked: String,
        /// What the driver settled on.
        given: String,
    },
    /// Where the camera was, there is another one.
    #[error("camera {}: another camera is there ({found}); plug {expected} in again, or restart to take the other", device.display())]
    AnotherCamera {
        /// The device.
        device: PathBuf,
        /// The camera that was watched.
        expected: String,
        /// The one that is there now.
        found: String,
    },
    /// The camera was unplugged while in use.
    #[error("camera {}: it is gone (unplugged or reset); plug it in again", device.display())]
    CameraGone {
        /// The device.
        device: PathBuf,
    },
    /// The driver refuses.
    #[error("camera {}: cannot {action}: {cause}", device.display())]
    Camera {
        /// The device.
        device: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the driver says.
        cause: io::Error,
    },
    /// No frame within the time that a live source is given. Not the end: the next call may bring one.
    #[error("{name}: no frame for {:.1} s; check the camera and its cable", after.as_secs_f64())]
    TimedOut {
        /// The source.
        name: String,
        /// How long was waited.
        after: Duration,
    },
    /// A supervised source gives nothing for now. Not the end: asked again after the pause, it tries to get going again.
    #[error("{cause}")]
    Outage {
        /// Why.
        cause: Box<CaptureError>,
        /// When to ask again.
        retry_after: Duration,
    },
    /// The capture thread could not be started, or died.
    #[error("the capture thread failed: {cause}")]
    Thread {
        /// Why.
        cause: String,
    },
}

/// The kinds of sources, for error texts.
const SOURCES: &str = "'sim', a camera (/dev/video0), a recording (.mcap), a video (.mp4 .avi .mkv .mjpeg .y4m), an image (.jpg .png) or a folder of images";

impl CaptureError {
    /// Whether the source was *named* wrongly (exit code 2) rather than unreadable (exit code 1).
    pub fn is_wrong_usage(&self) -> bool {
        matches!(
            self,
            Self::UnknownSource { .. }
                | Self::UnknownKey { .. }
                | Self::BadValue { .. }
                | Self::SimulationOptions { .. }
        )
    }
}
