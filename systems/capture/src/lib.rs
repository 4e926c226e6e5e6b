//! Frames in: from a camera, a recording, a video, images or the simulated table.
//!
//! A [`SourceSpec`] names a source, [`open`] opens it as a [`FrameSource`], [`spawn`] puts it on a thread of its own
//! and hands its frames over through a bounded ring. The runner takes them out ([`FrameReceiver::receive`]) and leaves
//! each as [`PendingFrame`] for [`CapturePlugin`] to admit.
//!
//! Pixels stay as the source delivers them; JPEGs become planes on the capture thread. Nothing is converted to RGB.

mod admit;
mod camera;
mod error;
mod exposure;
mod folder;
mod image;
mod jpeg;
mod nut;
mod outage;
mod playback;
mod probe;
mod recording;
mod ring;
mod simulated;
mod source;
mod spec;
mod stamps;
mod supervisor;
mod video;

use bevy_app::{App, Plugin};
use bevy_ecs::prelude::*;
use ghostball_world::{FrameSystems, FrameTick, IdleTick};

pub use ghostball_simulation::SimulationOptions;

pub use admit::PendingFrame;
pub use camera::controls::{CameraConfig, CameraControls, ControlSetting, PowerLine};
pub use camera::list::{CameraDevice, CameraDevices, Choice, ControlInfo, ModeOffer};
pub use error::CaptureError;
pub use exposure::ExposureHold;
pub use image::{ImageError, MAX_IMAGE_SIDE, MIN_IMAGE_SIDE, decode_image, read_image};
pub use jpeg::JpegDecoder;
#[doc(hidden)]
pub use nut::read_as_container;
pub use playback::{PlaybackControl, PlaybackState};
pub use ring::{
    CaptureCounters, FrameReceiver, Pace, Received, RingPolicy, SourceHealth, spawn, spawn_repeating,
};
pub use source::{FrameSource, SourceDescription, SourceTimes, open, open_lasting};
pub use spec::{CameraFormat, CameraSpec, SourceSpec};

/// Admits the [`PendingFrame`] of each tick, tells of outages ([`SourceHealth`]) and says when a camera's exposure is to
/// be held ([`ExposureHold`]).
pub struct CapturePlugin;

impl Plugin for CapturePlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<PendingFrame>()
            .init_resource::<SourceHealth>()
            .init_resource::<outage::ToldOutages>()
            .init_resource::<ExposureHold>()
            .add_systems(
                FrameTick,
                (
                    (admit::admit_frame, outage::tell_outages).in_set(FrameSystems::Admit),
                    exposure::decide_hold.in_set(FrameSystems::Record),
                ),
            )
            .add_systems(IdleTick, outage::tell_outages.in_set(FrameSystems::Admit));
    }
}
