//! How long the stages of a frame take.

use std::time::Duration;

use bevy_ecs::resource::Resource;

/// How long the stages of the current frame took, as measured from outside the systems; zero for stages that are still
/// to come and where nobody measures. For people and metrics: nothing that a system works out may depend on it.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageTimes {
    /// Taking the newest frame over from its source, on the capture thread, beside the other stages; without waiting for it.
    pub capture: Duration,
    /// Making planes of its JPEG, in the same place.
    pub decode: Duration,
    /// [`FrameSystems::Detect`](crate::FrameSystems::Detect).
    pub detect: Duration,
    /// [`FrameSystems::Track`](crate::FrameSystems::Track).
    pub track: Duration,
    /// [`FrameSystems::Predict`](crate::FrameSystems::Predict).
    pub predict: Duration,
}

impl StageTimes {
    /// From when the frame came into the world to its prediction.
    pub fn total(&self) -> Duration {
        self.detect + self.track + self.predict
    }
}
