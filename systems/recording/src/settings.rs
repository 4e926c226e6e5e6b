//! How a recording is made.

use std::time::Duration;

use ghostball_world::Picture;

use crate::queue::QueuePolicy;

/// How a recording is made.
#[derive(Clone, Copy, Debug)]
pub struct RecordingSettings {
    /// What happens when the disk does not keep up.
    pub policy: QueuePolicy,
    /// Time between two keyframes, by the stamps: what a seek has to play at most. One is also taken at the beginning and
    /// after every gap.
    pub keyframe_interval: Duration,
    /// What makes JPEGs of pictures that no camera has made one of; `None`: they are kept without loss. A replay is the
    /// recorded run only where nothing was lost.
    pub jpeg: Option<JpegEncoder>,
}

/// Makes JPEGs.
#[derive(Clone, Copy, Debug)]
pub struct JpegEncoder {
    /// 1 to 100.
    pub quality: u8,
    /// Makes a JPEG of a picture at a quality, or says why not.
    pub encode: fn(&Picture, u8) -> Result<Vec<u8>, String>,
}

impl RecordingSettings {
    /// With a keyframe every ten seconds: playing on from one takes a second or two, and one takes less than a millisecond of
    /// the table and 70 to 200 kB of the disk (16 balls, with and without a shot predicted).
    pub const fn new(policy: QueuePolicy) -> Self {
        Self {
            policy,
            keyframe_interval: Duration::from_secs(10),
            jpeg: None,
        }
    }
}
