//! Which camera it is, whatever number its node has today.

use std::fs;
use std::path::{Path, PathBuf};

use v4l::Device;
use v4l::capability::Flags;

use crate::camera::query::{self, Capabilities};

/// What stays the same when a camera is unplugged and plugged in again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CameraIdentity {
    /// Its name.
    pub(crate) card: String,
    /// The port: where it is plugged in.
    pub(crate) bus: String,
    /// USB vendor and product.
    model: Option<(String, String)>,
    /// USB serial number, where it has one.
    serial: Option<String>,
    /// Which of the nodes of its device this is.
    index: Option<String>,
}

impl CameraIdentity {
    pub(crate) fn of(node: &Path, capabilities: &Capabilities) -> Self {
        let sysfs = sysfs_of(node);
        let read = |name: &str| {
            let text = fs::read_to_string(sysfs.as_ref()?.join(name)).ok()?;
            Some(text.trim().to_owned()).filter(|text| !text.is_empty())
        };
        // The node belongs to an interface of a USB device; the device's own facts are one level up.
        let usb = |name: &str| read(&format!("device/../{name}"));
        Self {
            card: capabilities.card.clone(),
            bus: capabilities.bus.clone(),
            model: usb("idVendor").zip(usb("idProduct")),
            serial: usb("serial"),
            index: read("index"),
        }
    }

    /// Whether it can be the same camera, at this port or another.
    fn is_like(&self, other: &Self) -> bool {
        let same =
            |Self {
                 card,
                 model,
                 serial,
                 index,
                 ..
             }: &Self| { (card.clone(), model.clone(), serial.clone(), index.clone()) };
        same(self) == same(other)
    }
}

/// A camera that is found again.
#[derive(Clone, Debug)]
pub(crate) struct KnownCamera {
    pub(crate) identity: CameraIdentity,
    /// Others like it were plugged in as well: only the port tells them apart.
    has_twin: bool,
}

impl KnownCamera {
    /// Remembers the camera at `node`.
    pub(crate) fn at(node: &Path, capabilities: &Capabilities) -> Self {
        let identity = CameraIdentity::of(node, capabilities);
        let twins = capture_nodes()
            .into_iter()
            .filter(|(_, _, there)| there.is_like(&identity) && there.bus != identity.bus);
        Self {
            has_twin: twins.count() > 0,
            identity,
        }
    }

    /// Its node now, if it is plugged in: at its port, or else at another.
    pub(crate) fn find(&self) -> Option<PathBuf> {
        let mut like = capture_nodes();
        like.retain(|(_, _, there)| there.is_like(&self.identity));
        let at_port = like
            .iter()
            .position(|(_, _, there)| there.bus == self.identity.bus);
        let index = match at_port {
            None if self.has_twin || like.is_empty() => return None,
            None => 0,
            Some(index) => index,
        };
        Some(like.swap_remove(index).0)
    }
}

/// All nodes that capture pictures and stream, by their numbers. Cameras have others too, for their metadata.
pub(crate) fn capture_nodes() -> Vec<(PathBuf, Capabilities, CameraIdentity)> {
    let Ok(entries) = fs::read_dir("/dev") else {
        return Vec::new();
    };
    let mut numbers: Vec<u32> = entries
        .filter_map(|entry| {
            let name = entry.ok()?.file_name();
            name.to_str()?.strip_prefix("video")?.parse().ok()
        })
        .collect();
    numbers.sort_unstable();
    let camera = |number: u32| {
        let node = PathBuf::from(format!("/dev/video{number}"));
        let device = Device::with_path(&node).ok()?;
        let capabilities = query::capabilities(&device.handle()).ok()?;
        let identity = CameraIdentity::of(&node, &capabilities);
        capabilities
            .flags
            .contains(Flags::VIDEO_CAPTURE | Flags::STREAMING)
            .then_some((node, capabilities, identity))
    };
    numbers.into_iter().filter_map(camera).collect()
}

/// The name that udev gives to a camera, which says its make and serial number: the same whatever its number.
pub(crate) fn by_id(node: &Path) -> Option<PathBuf> {
    let node = fs::canonicalize(node).ok()?;
    let mut names: Vec<PathBuf> = fs::read_dir("/dev/v4l/by-id")
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|name| fs::canonicalize(name).is_ok_and(|target| target == node))
        .collect();
    names.sort();
    names.into_iter().next()
}

/// Where the kernel tells about a node.
fn sysfs_of(node: &Path) -> Option<PathBuf> {
    let node = fs::canonicalize(node).ok()?;
    Some(Path::new("/sys/class/video4linux").join(node.file_name()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(bus: &str, serial: Option<&str>) -> CameraIdentity {
        CameraIdentity {
            card: "Camera".to_owned(),
            bus: bus.to_owned(),
            model: Some(("046d".to_owned(), "082d".to_owned())),
            serial: serial.map(str::to_owned),
            index: Some("0".to_owned()),
        }
    }

    #[test]
    fn a_camera_is_the_same_at_another_port_and_another_one_is_not() {
        let known = camera("usb-1", Some("A"));
        assert!(known.is_like(&camera("usb-2", Some("A"))));
        assert!(!known.is_like(&camera("usb-1", Some("B"))));
        let metadata = CameraIdentity {
            index: Some("1".to_owned()),
            ..known.clone()
        };
        assert!(!known.is_like(&metadata));
    }
}
