//! Frames in: from a camera, a video, images or the simulated table.
//!
//! A [`SourceSpec`] names a source, [`open`] opens it as a [`FrameSource`], [`spawn`] puts it on a thread of its own
//! and hands its frames over through a bounded ring. The runner takes them out ([`FrameReceiver::receive`]) and leaves
//! each as [`PendingFrame`] for [`CapturePlugin`] to admit.
//!
//! Pixels stay as the source delivers them; JPEGs become planes on the capture thread. Nothing is converted to RGB.

mod admit;
mod camera;
mod camera_mode;
mod error;
mod folder;
mod image;
mod jpeg;
mod nut;
mod probe;
mod ring;
mod simulated;
mod source;
mod spec;
mod stamps;
mod video;

use bevy_app::{App, Plugin};
use bevy_ecs::prelude::*;
use ghostball_world::{FrameSystems, FrameTick};

pub use ghostball_simulation::SimulationOptions;

pub use admit::PendingFrame;
pub use error::CaptureError;
pub use image::{ImageError, MAX_IMAGE_SIDE, MIN_IMAGE_SIDE, decode_image, read_image};
pub use ring::{CaptureCounters, FrameReceiver, Pace, Received, RingPolicy, spawn, spawn_repeating};
pub use source::{FrameSource, SourceDescription, open};
pub use spec::{CameraFormat, CameraSpec, SourceSpec};

/// Admits the [`PendingFrame`] of each tick.
pub struct CapturePlugin;

impl Plugin for CapturePlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<PendingFrame>()
            .add_systems(FrameTick, admit::admit_frame.in_set(FrameSystems::Admit));
    }
}
