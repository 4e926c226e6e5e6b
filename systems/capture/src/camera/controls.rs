//! Exposure, gain, white balance, focus and power line of a camera.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use v4l::device::Handle;
use v4l::sys;

use crate::camera::query;

/// What is configured of cameras.
#[derive(Clone, Debug, PartialEq)]
pub struct CameraConfig {
    /// A camera that is silent for this long is taken to be frozen and started anew. 1 s is twice the longest exposure
    /// that webcams take in the dark.
    pub frozen_after: Duration,
    /// Set whenever the camera is opened.
    pub controls: CameraControls,
}

impl Default for CameraConfig {
    fn default() -> Self {
        Self {
            frozen_after: Duration::from_secs(1),
            controls: CameraControls::default(),
        }
    }
}

/// What a camera's controls are set to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CameraControls {
    /// Time of exposure, seconds.
    pub exposure: ControlSetting,
    /// Amplification, in the camera's own unit.
    pub gain: ControlSetting,
    /// Colour temperature that is shown as white, kelvin.
    pub white_balance: ControlSetting,
    /// Distance of focus, in the camera's own unit; 0 is mostly infinity.
    pub focus: ControlSetting,
    /// What lamps flicker with.
    pub power_line: PowerLine,
}

/// How a control is set. In configuration: `"unchanged"`, `"auto"`, or a number.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum ControlSetting {
    /// As the camera has it.
    #[default]
    Unchanged,
    /// The camera chooses.
    Auto,
    /// By hand.
    Value(f64),
}

/// What lamps flicker with. In configuration: `"unchanged"`, `"off"`, `"50hz"`, `"60hz"` or `"auto"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PowerLine {
    /// As the camera has it.
    #[default]
    Unchanged,
    /// They do not flicker.
    Off,
    /// Twice the mains' 50 hertz.
    #[serde(rename = "50hz")]
    Hz50,
    /// Twice the mains' 60 hertz.
    #[serde(rename = "60hz")]
    Hz60,
    /// The camera finds out.
    Auto,
}

impl Serialize for ControlSetting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unchanged => serializer.serialize_str("unchanged"),
            Self::Auto => serializer.serialize_str("auto"),
            Self::Value(value) => serializer.serialize_f64(*value),
        }
    }
}

impl<'de> Deserialize<'de> for ControlSetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = ControlSetting;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "\"unchanged\", \"auto\" or a number")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ControlSetting, E> {
                match text {
                    "unchanged" => Ok(ControlSetting::Unchanged),
                    "auto" => Ok(ControlSetting::Auto),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<ControlSetting, E> {
                Ok(ControlSetting::Value(value))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<ControlSetting, E> {
                Ok(ControlSetting::Value(value as f64))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<ControlSetting, E> {
                Ok(ControlSetting::Value(value as f64))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// A control that the camera can also choose by itself, and the one that says whether it does
/// (<https://docs.kernel.org/userspace-api/media/v4l/ext-ctrls-camera.html>).
struct Automatic {
    name: &'static str,
    switch: u32,
    /// Values of the switch that mean automatic, the preferred first: cameras have some of them only.
    on: &'static [i32],
    /// Value of the switch that means by hand.
    off: i32,
    value: u32,
    /// Steps of the control per unit of the configuration.
    steps_per_unit: f64,
}

/// In steps of 100 microseconds. Aperture priority is what webcams call automatic: they have no aperture.
const EXPOSURE: Automatic = Automatic {
    name: "exposure",
    switch: sys::V4L2_CID_EXPOSURE_AUTO,
    on: &[3, 0, 2],
    off: 1,
    value: sys::V4L2_CID_EXPOSURE_ABSOLUTE,
    steps_per_unit: 1e4,
};
const GAIN: Automatic = Automatic {
    name: "gain",
    switch: sys::V4L2_CID_AUTOGAIN,
    on: &[1],
    off: 0,
    value: sys::V4L2_CID_GAIN,
    steps_per_unit: 1.0,
};
const WHITE_BALANCE: Automatic = Automatic {
    name: "white_balance",
    switch: sys::V4L2_CID_AUTO_WHITE_BALANCE,
    on: &[1],
    off: 0,
    value: sys::V4L2_CID_WHITE_BALANCE_TEMPERATURE,
    steps_per_unit: 1.0,
};
const FOCUS: Automatic = Automatic {
    name: "focus",
    switch: sys::V4L2_CID_FOCUS_AUTO,
    on: &[1],
    off: 0,
    value: sys::V4L2_CID_FOCUS_ABSOLUTE,
    steps_per_unit: 1.0,
};

impl Automatic {
    /// Sets it; what could not be done, for people.
    fn apply(&self, handle: &Handle, setting: ControlSetting) -> Option<String> {
        let name = self.name;
        match setting {
            ControlSetting::Unchanged => None,
            ControlSetting::Auto => {
                let done = self
                    .on
                    .iter()
                    .any(|on| query::set(handle, self.switch, *on).is_ok());
                (!done).then(|| format!("{name} = \"auto\": the camera has no such automatic"))
            }
            ControlSetting::Value(value) => {
                // Cameras without the automatic lack the switch.
                query::set(handle, self.switch, self.off).ok();
                let steps = (value * self.steps_per_unit).round() as i32;
                match query::set(handle, self.value, steps) {
                    Ok(given) if given == steps => None,
                    Ok(given) => {
                        let given = f64::from(given) / self.steps_per_unit;
                        Some(format!("{name} = {value}: the camera takes {given}"))
                    }
                    Err(error) => Some(format!("{name} = {value}: the camera refuses ({error})")),
                }
            }
        }
    }

    /// Keeps what the automatic has chosen; the switch as it was, to be put back, where that was on.
    fn hold(&self, handle: &Handle) -> Option<i32> {
        let switch = query::get(handle, self.switch).ok()?;
        if switch == self.off {
            return None;
        }
        // Without being told, some cameras go back to what was set by hand last.
        let chosen = query::get(handle, self.value).ok();
        query::set(handle, self.switch, self.off).ok()?;
        if let Some(chosen) = chosen {
            query::set(handle, self.value, chosen).ok();
        }
        Some(switch)
    }
}

/// Sets all controls that are configured. What a camera does not have or take is told, and no reason not to use it.
pub(crate) fn apply(handle: &Handle, node: &Path, controls: &CameraControls) {
    let power_line = match controls.power_line {
        PowerLine::Unchanged => None,
        PowerLine::Off => Some(0),
        PowerLine::Hz50 => Some(1),
        PowerLine::Hz60 => Some(2),
        PowerLine::Auto => Some(3),
    };
    let refused = power_line
        .and_then(|value| query::set(handle, sys::V4L2_CID_POWER_LINE_FREQUENCY, value).err())
        .map(|error| format!("power_line: the camera refuses ({error})"));
    let problems = [
        EXPOSURE.apply(handle, controls.exposure),
        GAIN.apply(handle, controls.gain),
        WHITE_BALANCE.apply(handle, controls.white_balance),
        FOCUS.apply(handle, controls.focus),
        refused,
    ];
    for problem in problems.into_iter().flatten() {
        tracing::warn!("camera {}: {problem}", node.display());
    }
}

/// Exposure, gain and white balance as they were chosen, and how to let go of them.
#[derive(Debug)]
pub(crate) struct HeldExposure {
    switches: [(u32, Option<i32>); 3],
}

impl HeldExposure {
    /// Keeps them as they are from now on.
    pub(crate) fn hold(handle: &Handle) -> Self {
        Self {
            switches: [EXPOSURE, GAIN, WHITE_BALANCE].map(|one| (one.switch, one.hold(handle))),
        }
    }

    /// Lets the camera choose again what it chose before.
    pub(crate) fn release(self, handle: &Handle) {
        for (switch, value) in self.switches {
            if let Some(value) = value {
                query::set(handle, switch, value).ok();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct One {
        v: ControlSetting,
    }

    #[test]
    fn a_setting_is_a_word_or_a_number() {
        for (json, setting) in [
            (r#"{"v":"unchanged"}"#, ControlSetting::Unchanged),
            (r#"{"v":"auto"}"#, ControlSetting::Auto),
            (r#"{"v":0.01}"#, ControlSetting::Value(0.01)),
        ] {
            let parsed: One = serde_json::from_str(json).unwrap();
            assert_eq!(parsed, One { v: setting });
            assert_eq!(serde_json::to_string(&parsed).unwrap(), json);
        }
        assert_eq!(
            serde_json::from_str::<One>(r#"{"v":5}"#).unwrap().v,
            ControlSetting::Value(5.0)
        );
        assert!(serde_json::from_str::<One>(r#"{"v":"bright"}"#).is_err());
    }
}
