//! The kernel's virtual camera, and the faults that it can be told to have.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};
use ghostball_capture::CameraDevices;
use v4l::Device;
use v4l::control::{Control, Value};

/// The virtual camera: one capture node, a webcam.
pub(crate) struct Vivid {
    pub(crate) node: String,
}

impl Vivid {
    /// Loads it, and waits for its node.
    pub(crate) fn load() -> anyhow::Result<Self> {
        modprobe(&[
            "vivid",
            "n_devs=1",
            "node_types=0x1",
            "num_inputs=1",
            "input_types=0",
        ])?;
        for _ in 0..100 {
            let devices = CameraDevices::list().devices;
            if let Some(device) = devices.iter().find(|device| device.driver == "vivid") {
                let node = device.device.display().to_string();
                return Ok(Self { node });
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("vivid gives no capture node");
    }

    /// Sets one of its controls, or presses one of its buttons.
    pub(crate) fn set(&self, name: &str, value: i64) -> anyhow::Result<()> {
        let devices = CameraDevices::list().devices;
        let device = devices
            .iter()
            .find(|device| device.device.display().to_string() == self.node);
        let controls = &device.context("vivid is gone")?.controls;
        let control = controls.iter().find(|control| control.name == name);
        let control = control.with_context(|| {
            let names: Vec<_> = controls.iter().map(|control| control.name.as_str()).collect();
            format!("vivid has no control '{name}', only {}", names.join(", "))
        })?;
        let set = Control {
            id: control.id,
            value: Value::Integer(value),
        };
        Device::with_path(&self.node)?
            .set_control(set)
            .with_context(|| format!("cannot set '{name}'"))
    }
}

/// Loads kernel modules.
pub(crate) fn modprobe(arguments: &[&str]) -> anyhow::Result<()> {
    let status = Command::new("modprobe").args(arguments).status()?;
    if !status.success() {
        bail!("modprobe {} failed", arguments.join(" "));
    }
    Ok(())
}
