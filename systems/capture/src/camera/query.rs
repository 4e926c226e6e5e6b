//! The few questions to a driver that are asked without the `v4l` crate.
//!
//! It panics on a camera's name that is cut off inside a character (31 bytes are all there is), and on kinds of
//! controls that are newer than itself.
#![allow(
    unsafe_code,
    reason = "ioctls: each request goes with the one structure that the kernel's header pairs it with"
)]

use std::io;

use serde::Serialize;
use v4l::device::Handle;
use v4l::sys;
use v4l::v4l2::vidioc;

/// What a device says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Capabilities {
    pub(crate) driver: String,
    /// The camera's name.
    pub(crate) card: String,
    /// Where it is plugged in.
    pub(crate) bus: String,
    /// Of this node, as [`v4l::capability::Flags`].
    pub(crate) flags: v4l::capability::Flags,
}

/// One control of a camera, as its driver describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ControlInfo {
    /// The kernel's number for it (`V4L2_CID_…`).
    pub id: u32,
    /// The driver's name for it.
    pub name: String,
    /// `integer`, `boolean`, `menu`, `button`, or `other`.
    pub kind: &'static str,
    /// Least value.
    pub minimum: i32,
    /// Greatest value.
    pub maximum: i32,
    /// Values go in steps of this.
    pub step: i32,
    /// What it is set to at first.
    pub default: i32,
    /// What it is set to; `None` where it cannot be read.
    pub value: Option<i32>,
    /// Whether it has no effect at the moment, mostly because an automatic is on.
    pub is_inactive: bool,
    /// What the values of a menu mean.
    pub choices: Vec<Choice>,
}

/// One value of a menu.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// The value.
    pub value: i32,
    /// What it means.
    pub name: String,
}

/// One request with its structure, which the driver reads and fills.
///
/// # Safety
///
/// `T` is the structure that `request` is defined with.
unsafe fn ask<T>(handle: &Handle, request: vidioc::_IOC_TYPE, argument: &mut T) -> io::Result<()> {
    // SAFETY: the kernel reads and writes one `T`, which is borrowed for the whole call.
    unsafe { v4l::v4l2::ioctl(handle.fd(), request, std::ptr::from_mut(argument).cast()) }
}

/// Text up to the first zero, with whatever is no UTF-8 replaced.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).trim().to_owned()
}

pub(crate) fn capabilities(handle: &Handle) -> io::Result<Capabilities> {
    let mut answer = sys::v4l2_capability {
        driver: [0; 16],
        card: [0; 32],
        bus_info: [0; 32],
        version: 0,
        capabilities: 0,
        device_caps: 0,
        reserved: [0; 3],
    };
    // SAFETY: VIDIOC_QUERYCAP goes with v4l2_capability.
    unsafe { ask(handle, vidioc::VIDIOC_QUERYCAP, &mut answer) }?;
    // Old drivers speak for all their nodes at once.
    let of_this_node = match answer.capabilities & sys::V4L2_CAP_DEVICE_CAPS {
        0 => answer.capabilities,
        _ => answer.device_caps,
    };
    Ok(Capabilities {
        driver: text(&answer.driver),
        card: text(&answer.card),
        bus: text(&answer.bus_info),
        flags: v4l::capability::Flags::from_bits_truncate(of_this_node),
    })
}

/// All simple controls, in the order of their numbers.
pub(crate) fn controls(handle: &Handle) -> Vec<ControlInfo> {
    /// More than any driver has: one that never ends must not keep us.
    const MOST: usize = 1000;
    let mut controls = Vec::new();
    let mut id = 0;
    while controls.len() < MOST {
        let mut answer = sys::v4l2_queryctrl {
            id: id | sys::V4L2_CTRL_FLAG_NEXT_CTRL,
            type_: 0,
            name: [0; 32],
            minimum: 0,
            maximum: 0,
            step: 0,
            default_value: 0,
            flags: 0,
            reserved: [0; 2],
        };
        // SAFETY: VIDIOC_QUERYCTRL goes with v4l2_queryctrl.
        if unsafe { ask(handle, vidioc::VIDIOC_QUERYCTRL, &mut answer) }.is_err() || answer.id <= id {
            break;
        }
        id = answer.id;
        if answer.flags & sys::V4L2_CTRL_FLAG_DISABLED == 0
            && answer.type_ != sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_CTRL_CLASS
        {
            controls.push(described(handle, &answer));
        }
    }
    controls
}

fn described(handle: &Handle, answer: &sys::v4l2_queryctrl) -> ControlInfo {
    let is_menu = answer.type_ == sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_MENU;
    let kind = match answer.type_ {
        sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_INTEGER => "integer",
        sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_BOOLEAN => "boolean",
        sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_BUTTON => "button",
        _ if is_menu => "menu",
        _ => "other",
    };
    let (from, to) = (answer.minimum.max(0), answer.maximum.min(255));
    let choices = match is_menu {
        true => (from..=to)
            .filter_map(|value| choice(handle, answer.id, value))
            .collect(),
        false => Vec::new(),
    };
    ControlInfo {
        id: answer.id,
        name: text(&answer.name),
        kind,
        minimum: answer.minimum,
        maximum: answer.maximum,
        step: answer.step,
        default: answer.default_value,
        value: get(handle, answer.id).ok(),
        is_inactive: answer.flags & sys::V4L2_CTRL_FLAG_INACTIVE != 0,
        choices,
    }
}

/// What a value of a menu means; drivers leave out those that the camera lacks.
fn choice(handle: &Handle, id: u32, value: i32) -> Option<Choice> {
    let mut answer = sys::v4l2_querymenu {
        id,
        index: value as u32,
        __bindgen_anon_1: sys::v4l2_querymenu__bindgen_ty_1 { name: [0; 32] },
        reserved: 0,
    };
    // SAFETY: VIDIOC_QUERYMENU goes with v4l2_querymenu.
    unsafe { ask(handle, vidioc::VIDIOC_QUERYMENU, &mut answer) }.ok()?;
    // SAFETY: any bytes are a name, and the kernel fills it in for menus.
    let name = unsafe { answer.__bindgen_anon_1.name };
    Some(Choice {
        value,
        name: text(&name),
    })
}

pub(crate) fn get(handle: &Handle, id: u32) -> io::Result<i32> {
    let mut answer = sys::v4l2_control { id, value: 0 };
    // SAFETY: VIDIOC_G_CTRL goes with v4l2_control.
    unsafe { ask(handle, vidioc::VIDIOC_G_CTRL, &mut answer) }?;
    Ok(answer.value)
}

/// Sets a control; the driver takes the nearest value that it has, which is returned.
pub(crate) fn set(handle: &Handle, id: u32, value: i32) -> io::Result<i32> {
    let mut request = sys::v4l2_control { id, value };
    // SAFETY: VIDIOC_S_CTRL goes with v4l2_control.
    unsafe { ask(handle, vidioc::VIDIOC_S_CTRL, &mut request) }?;
    Ok(request.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_cut_off_inside_a_character_is_still_a_name() {
        assert_eq!(text(b"USB \xe6\x91\x84\xe5\x83\0\0"), "USB \u{6444}\u{fffd}");
        assert_eq!(text(b"no zero"), "no zero");
        assert_eq!(text(b""), "");
    }
}
