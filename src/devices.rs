//! `ghostball devices`: the cameras of this machine.

use std::fmt::Write as _;

use crate::capture::{CameraDevice, CameraDevices};
use crate::cli::DevicesArgs;
use crate::output::{Output, OutputError};

/// Writes what there is to standard output.
pub fn devices(args: &DevicesArgs) -> Result<(), OutputError> {
    let found = CameraDevices::list();
    let mut output = Output::create("-".as_ref())?;
    if args.json {
        output.write_line(&found)?;
    } else if found.devices.is_empty() {
        tracing::info!("no camera is plugged in; `ghostball run` goes without one, on the simulated table");
    } else {
        for device in &found.devices {
            output.write_text(&described(device))?;
        }
    }
    output.finish()
}

/// A camera for people: its names, what it can deliver, what can be set.
fn described(device: &CameraDevice) -> String {
    let CameraDevice {
        device: node,
        by_id,
        name,
        driver,
        bus,
        modes,
        controls,
    } = device;
    let mut text = format!("{}  {name} ({driver}, {bus})\n", node.display());
    // Writing to a string cannot fail.
    let mut line = |arguments: std::fmt::Arguments<'_>| writeln!(text, "    {arguments}").ok();
    if let Some(by_id) = by_id {
        line(format_args!("always: {}", by_id.display()));
    }
    for mode in modes {
        let rates: Vec<_> = mode.fps.iter().map(|rate| format!("{rate:.4}")).collect();
        let rates = rates
            .iter()
            .map(|rate| rate.trim_end_matches('0').trim_end_matches('.'));
        let rates = rates.collect::<Vec<_>>().join(", ");
        let note = if mode.is_understood {
            ""
        } else {
            "  (not understood)"
        };
        line(format_args!(
            "{} {}x{} at {rates} frames a second{note}",
            mode.format, mode.width, mode.height
        ));
    }
    for control in controls {
        let value = control
            .value
            .map_or_else(|| "?".to_owned(), |value| value.to_string());
        let choices: Vec<_> = control
            .choices
            .iter()
            .map(|choice| format!("{} {}", choice.value, choice.name))
            .collect();
        let range = match choices.is_empty() {
            true => format!(
                "{} to {} in steps of {}",
                control.minimum, control.maximum, control.step
            ),
            false => choices.join(", "),
        };
        let note = if control.is_inactive {
            ", without effect now"
        } else {
            ""
        };
        line(format_args!(
            "{} = {value} ({range}; at first {}{note})",
            control.name, control.default
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Choice, ControlInfo, ModeOffer};

    #[test]
    fn a_camera_is_described_with_all_that_it_has() {
        let device = CameraDevice {
            device: "/dev/video2".into(),
            by_id: Some("/dev/v4l/by-id/usb-Maker_Camera_0001-video-index0".into()),
            name: "Camera".to_owned(),
            driver: "uvcvideo".to_owned(),
            bus: "usb-0000:00:14.0-1".to_owned(),
            modes: vec![
                ModeOffer {
                    format: "MJPG".to_owned(),
                    is_understood: true,
                    width: 1280,
                    height: 720,
                    fps: vec![30.0, 30000.0 / 1001.0],
                },
                ModeOffer {
                    format: "H264".to_owned(),
                    is_understood: false,
                    width: 1920,
                    height: 1080,
                    fps: vec![60.0],
                },
            ],
            controls: vec![
                ControlInfo {
                    id: 1,
                    name: "Gain".to_owned(),
                    kind: "integer",
                    minimum: 0,
                    maximum: 255,
                    step: 1,
                    default: 64,
                    value: Some(70),
                    is_inactive: true,
                    choices: Vec::new(),
                },
                ControlInfo {
                    id: 2,
                    name: "Auto Exposure".to_owned(),
                    kind: "menu",
                    minimum: 0,
                    maximum: 3,
                    step: 1,
                    default: 3,
                    value: None,
                    is_inactive: false,
                    choices: vec![
                        Choice {
                            value: 1,
                            name: "Manual Mode".to_owned(),
                        },
                        Choice {
                            value: 3,
                            name: "Aperture Priority Mode".to_owned(),
                        },
                    ],
                },
            ],
        };
        assert_eq!(
            described(&device),
            "/dev/video2  Camera (uvcvideo, usb-0000:00:14.0-1)\n    \
             always: /dev/v4l/by-id/usb-Maker_Camera_0001-video-index0\n    \
             MJPG 1280x720 at 30, 29.97 frames a second\n    \
             H264 1920x1080 at 60 frames a second  (not understood)\n    \
             Gain = 70 (0 to 255 in steps of 1; at first 64, without effect now)\n    \
             Auto Exposure = ? (1 Manual Mode, 3 Aperture Priority Mode; at first 3)\n"
        );
    }
}
