//! A USB webcam in user space, plugged into the running kernel over USB/IP: the kernel's own `uvcvideo` drives it, so
//! that `/dev/video0` is what a real webcam gives.
//!
//! USB Video Class 1.0, MJPEG in one size and at one rate, over a bulk endpoint.

mod controls;
mod descriptors;
mod link;

use std::fs;
use std::net::Shutdown;
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use controls::Controls;

/// Bytes of one transfer of the stream.
pub(crate) const PAYLOAD: usize = 16 * 1024;

/// What kind of camera it is, and what it sees.
#[derive(Clone, Debug)]
pub(crate) struct CameraModel {
    pub(crate) width: u16,
    pub(crate) height: u16,
    pub(crate) fps: u32,
    /// Shown one after the other, and again.
    pub(crate) frames: Arc<Vec<Vec<u8>>>,
}

impl CameraModel {
    /// The driver reserves this much for a frame.
    fn largest_frame(&self) -> u32 {
        2 * u32::from(self.width) * u32::from(self.height)
    }

    /// Time from frame to frame, units of 100 ns.
    fn interval(&self) -> u32 {
        10_000_000 / self.fps
    }
}

/// What can be done to a camera from outside, and what it has noted.
#[derive(Debug, Default)]
pub(crate) struct Condition {
    /// It answers, and sends no frames.
    pub(crate) is_frozen: bool,
    /// Its controls, as set by the driver.
    pub(crate) controls: Controls,
    /// Frames that it could not send in time since the stream began.
    pub(crate) skipped: u64,
}

/// A camera that can be plugged in and out.
pub(crate) struct SimulatedCamera {
    condition: Arc<Mutex<Condition>>,
    plugged: Option<(UnixStream, JoinHandle<()>)>,
}

impl SimulatedCamera {
    /// Not plugged in yet.
    pub(crate) fn new() -> Self {
        Self {
            condition: Arc::default(),
            plugged: None,
        }
    }

    /// Plugs it in. The node comes a while later.
    pub(crate) fn plug(&mut self, model: &CameraModel) -> anyhow::Result<()> {
        self.unplug();
        self.condition().controls = Controls::default();
        let (ours, kernels) = UnixStream::pair()?;
        // Port 0, any device number, high speed.
        let attach = format!("0 {} 65538 3", kernels.as_raw_fd());
        let deadline = Instant::now() + Duration::from_secs(10);
        // The port is free again some milliseconds after it was left.
        while let Err(error) = fs::write("/sys/devices/platform/vhci_hcd.0/attach", &attach) {
            if Instant::now() > deadline {
                return Err(error).context("cannot plug the camera into vhci_hcd");
            }
            thread::sleep(Duration::from_millis(20));
        }
        let (link, model, condition) = (ours.try_clone()?, model.clone(), Arc::clone(&self.condition));
        let thread = thread::spawn(move || link::serve(link, &model, &condition));
        self.plugged = Some((ours, thread));
        Ok(())
    }

    /// Pulls it out.
    pub(crate) fn unplug(&mut self) {
        if let Some((link, thread)) = self.plugged.take() {
            link.shutdown(Shutdown::Both).ok();
            thread.join().ok();
        }
    }

    /// Its condition, to look at and to change.
    pub(crate) fn condition(&self) -> MutexGuard<'_, Condition> {
        lock(&self.condition)
    }
}

impl Drop for SimulatedCamera {
    fn drop(&mut self) {
        self.unplug();
    }
}

fn lock(condition: &Mutex<Condition>) -> MutexGuard<'_, Condition> {
    condition.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until a node that captures pictures is there, and no longer than ten seconds.
pub(crate) fn wait_for_node() -> anyhow::Result<String> {
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        if let Some(device) = ghostball_capture::CameraDevices::list().devices.first() {
            return Ok(device.device.display().to_string());
        }
        thread::sleep(Duration::from_millis(50));
    }
    bail!("no camera came up within 10 s")
}
