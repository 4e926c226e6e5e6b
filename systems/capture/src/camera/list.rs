//! The cameras of this machine.

use std::path::PathBuf;

use serde::Serialize;
use v4l::Device;

pub use crate::camera::offers::ModeOffer;
pub use crate::camera::query::{Choice, ControlInfo};
use crate::camera::{identity, offers, query};

/// All cameras that are plugged in.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CameraDevices {
    /// By the number of their node.
    pub devices: Vec<CameraDevice>,
}

/// A camera: a V4L2 node that captures pictures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CameraDevice {
    /// Its node today, such as `/dev/video0`.
    pub device: PathBuf,
    /// Its name for ever, under `/dev/v4l/by-id`; `None` where udev gives it none.
    pub by_id: Option<PathBuf>,
    /// What it calls itself.
    pub name: String,
    /// The kernel's driver.
    pub driver: String,
    /// Where it is plugged in.
    pub bus: String,
    /// What it can deliver.
    pub modes: Vec<ModeOffer>,
    /// What can be set.
    pub controls: Vec<ControlInfo>,
}

impl CameraDevices {
    /// Asks all of them. Takes some milliseconds for each; one that is in use answers too.
    pub fn list() -> Self {
        let devices = identity::capture_nodes()
            .into_iter()
            .filter_map(|(node, capabilities, _)| {
                let device = Device::with_path(&node).ok()?;
                Some(CameraDevice {
                    by_id: identity::by_id(&node),
                    device: node,
                    name: capabilities.card,
                    driver: capabilities.driver,
                    bus: capabilities.bus,
                    modes: offers::all_of(&device),
                    controls: query::controls(&device.handle()),
                })
            })
            .collect();
        Self { devices }
    }
}
