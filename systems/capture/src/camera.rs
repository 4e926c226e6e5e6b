//! V4L2 cameras: memory-mapped streaming with a time-out.
//!
//! One camera that is opened once. [`keeper`] opens it again after it was unplugged.
#![allow(
    clippy::disallowed_methods,
    reason = "the time-out is about the host; frames carry the driver's stamps"
)]

use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ghostball_world::{Frame, FramePool, Stamp};
use v4l::buffer::{Flags, Metadata, Type};
use v4l::capability::Flags as Capability;
use v4l::io::mmap::Stream;
use v4l::io::traits::CaptureStream as _;
use v4l::{Device, Timestamp};

use crate::jpeg::JpegDecoder;
use crate::{CameraFormat, CameraSpec, CaptureError, FrameSource, SourceDescription, SourceTimes};

pub(crate) mod controls;
mod identity;
pub(crate) mod keeper;
pub(crate) mod list;
mod mode;
mod offers;
mod query;

use controls::HeldExposure;
use identity::KnownCamera;
use mode::CameraMode;

/// The driver is waited for in slices of this, so that whoever wants to stop is heard.
const SLICE: Duration = Duration::from_millis(250);

/// As long as this the first frame is waited for in one go: it would be lost in the first slice that ends without it.
const FIRST_WAIT: Duration = Duration::from_secs(2);

/// An automatic exposure has settled by then.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// Buffers lent to the driver: one being filled, one being read, two for hiccups of this program.
const BUFFERS: u32 = 4;

/// `POLLIN` of poll(2): there is something to read.
const POLLIN: i16 = 1;

/// A camera that streams.
pub(crate) struct CameraSource {
    device: PathBuf,
    /// `None` only while being dropped.
    stream: Option<Stream<'static>>,
    /// Whether a frame has come. Before, all buffers are with the driver.
    has_started: bool,
    /// Whether the time for the first frame ran out: the next buffer has to be waited for before any is given back.
    all_lent: bool,
    mode: CameraMode,
    /// `None` where nobody wants pictures.
    decoder: Option<JpegDecoder>,
    description: SourceDescription,
    opened_at: Instant,
    held: Option<HeldExposure>,
    /// The number that the driver should give to the next frame.
    next_sequence: Option<u32>,
    damaged: u64,
    missed: u64,
    times: SourceTimes,
}

impl CameraSource {
    /// Opens the camera at the node that `spec` names; also what to know it by.
    pub(crate) fn open(spec: &CameraSpec) -> Result<(Self, KnownCamera), CaptureError> {
        let path = &spec.device;
        if path.as_os_str().as_bytes().contains(&0) || !path.exists() {
            return Err(CaptureError::CameraMissing { device: path.clone() });
        }
        let device = Device::with_path(path).map_err(|cause| failed(path, "open it", cause))?;
        let handle = device.handle();
        let capabilities =
            query::capabilities(&handle).map_err(|cause| match failed(path, "query it", cause) {
                // ENOTTY and its like: it does not know what was asked.
                CaptureError::Camera { .. } => not_a_camera(path, "it is no V4L2 device"),
                known => known,
            })?;
        let has = |flags| capabilities.flags.contains(flags);
        if !has(Capability::VIDEO_CAPTURE | Capability::STREAMING) {
            let found = match has(Capability::VIDEO_CAPTURE_MPLANE) {
                true => "it delivers multi-planar pictures only",
                false => "it is a V4L2 device that captures no pictures",
            };
            return Err(not_a_camera(path, found));
        }
        let mode = CameraMode::negotiate(&device, spec)?;
        controls::apply(&handle, path, &spec.config.controls);
        let mut stream = Stream::with_buffers(&device, Type::VideoCapture, BUFFERS)
            .map_err(|cause| failed(path, "get its buffers", cause))?;
        stream.set_timeout(FIRST_WAIT);
        let asked = mode::asked(spec);
        tracing::info!(
            "camera {}: {}, asked for {asked}, it gives {mode}",
            path.display(),
            capabilities.card
        );
        let known = KnownCamera::at(path, &capabilities);
        let source = Self {
            device: path.clone(),
            stream: Some(stream),
            has_started: false,
            all_lent: false,
            mode,
            decoder: (!spec.bytes_alone).then(JpegDecoder::default),
            description: SourceDescription {
                name: format!("{} ({})", path.display(), capabilities.card),
                width: mode.width,
                height: mode.height,
                frame_rate: mode.frame_rate,
                expected_frames: None,
                span: None,
                live: true,
            },
            opened_at: Instant::now(),
            held: None,
            next_sequence: None,
            damaged: 0,
            missed: 0,
            times: SourceTimes::default(),
        };
        Ok((source, known))
    }

    /// Waits for one buffer and makes a frame of it; `None` for a buffer that is no good.
    fn next_buffer(&mut self, pool: &mut FramePool) -> io::Result<Option<Arc<Frame>>> {
        let Some(stream) = &mut self.stream else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        // Asked for a frame when there is none, `next` would have given its last buffer back, and would do so again.
        if (self.has_started || self.all_lent) && stream.handle().poll(POLLIN, SLICE.as_millis() as i32)? == 0
        {
            return Err(io::ErrorKind::TimedOut.into());
        }
        if self.all_lent {
            // All buffers are with the driver: this one comes back, but cannot be read.
            stream.dequeue()?;
            (self.all_lent, self.has_started) = (false, true);
            return Ok(None);
        }
        let began = Instant::now();
        let (bytes, meta) = match stream.next() {
            Ok(buffer) => buffer,
            Err(error) => {
                self.all_lent = matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::Interrupted);
                return Err(error);
            }
        };
        self.has_started = true;
        // Some drivers repeat a number or begin again: only a step forward says that something is missing.
        if let Some(ahead) = self.next_sequence.map(|next| meta.sequence.wrapping_sub(next))
            && ahead < u32::MAX / 2
        {
            self.missed += u64::from(ahead);
        }
        self.next_sequence = Some(meta.sequence.wrapping_add(1));
        let (mode, decoder) = (self.mode, self.decoder.as_mut());
        // The error flag says that the driver knows the picture to be torn.
        let Some(bytes) = bytes
            .get(..meta.bytesused as usize)
            .filter(|_| !meta.flags.contains(Flags::ERROR))
        else {
            return Ok(None);
        };
        let filled = pool.fill(|frame| fill(frame, bytes, meta, mode, decoder)).ok();
        let decode = self.decoder.as_ref().map(JpegDecoder::took).unwrap_or_default();
        self.times = SourceTimes {
            capture: began.elapsed().saturating_sub(decode),
            decode,
        };
        Ok(filled)
    }
}

impl FrameSource for CameraSource {
    fn description(&self) -> &SourceDescription {
        &self.description
    }

    fn next_frame(&mut self, pool: &mut FramePool) -> Result<Option<Arc<Frame>>, CaptureError> {
        let started = Instant::now();
        loop {
            match self.next_buffer(pool) {
                Ok(Some(frame)) => return Ok(Some(frame)),
                Ok(None) => self.damaged += 1,
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) if cause.kind() == io::ErrorKind::TimedOut => {
                    return Err(self.timed_out(started));
                }
                Err(cause) => return Err(failed(&self.device, "read from it", cause)),
            }
            // A camera that sends nothing but rubbish is as good as a silent one.
            if started.elapsed() > SLICE {
                return Err(self.timed_out(started));
            }
        }
    }

    fn damaged(&self) -> u64 {
        self.damaged
    }

    fn times(&self) -> SourceTimes {
        self.times
    }

    fn missed(&self) -> u64 {
        self.missed
    }

    fn hold_exposure(&mut self, hold: bool) {
        let Some(handle) = self.stream.as_ref().map(|stream| stream.handle()) else {
            return;
        };
        if hold && self.held.is_none() && self.opened_at.elapsed() >= SETTLED_AFTER {
            self.held = Some(HeldExposure::hold(&handle));
        } else if !hold && let Some(held) = self.held.take() {
            held.release(&handle);
        }
    }
}

impl CameraSource {
    fn timed_out(&self, started: Instant) -> CaptureError {
        CaptureError::TimedOut {
            name: self.description.name.clone(),
            after: started.elapsed(),
        }
    }
}

impl Drop for CameraSource {
    fn drop(&mut self) {
        // The stream panics in its drop when a driver refuses to stop. Nothing is left to be done about that.
        let stream = self.stream.take();
        if catch_unwind(AssertUnwindSafe(move || drop(stream))).is_err() {
            tracing::warn!(
                "camera {}: the driver refused to stop streaming",
                self.device.display()
            );
        }
    }
}

/// Makes a frame of a buffer; `Err` when the picture is not whole.
fn fill(
    frame: &mut Frame,
    bytes: &[u8],
    meta: &Metadata,
    mode: CameraMode,
    decoder: Option<&mut JpegDecoder>,
) -> Result<(), ()> {
    frame.sequence = meta.sequence.into();
    frame.captured_at = stamp(meta.timestamp);
    frame.jpeg.clear();
    if mode.format == CameraFormat::Mjpg {
        frame.jpeg.extend_from_slice(bytes);
        return decoder.map_or(Ok(()), |decoder| {
            decoder.decode(bytes, &mut frame.picture).map_err(|_| ())
        });
    }
    mode.copy_pixels(bytes, &mut frame.picture).ok_or(())
}

/// The driver's stamp: microseconds of the host's monotonic clock.
fn stamp(at: Timestamp) -> Stamp {
    let (secs, micros) = (at.sec.max(0) as u64, at.usec.max(0) as u64);
    Stamp::from_nanos(
        secs.saturating_mul(1_000_000_000)
            .saturating_add(micros.saturating_mul(1_000)),
    )
}

fn not_a_camera(device: &Path, found: &str) -> CaptureError {
    CaptureError::NotACamera {
        device: device.to_owned(),
        found: found.to_owned(),
    }
}

/// What a driver's error means.
pub(crate) fn failed(device: &Path, action: &'static str, cause: io::Error) -> CaptureError {
    // No such device, or one that is on its way out: `io::ErrorKind` has no name for these.
    const GONE: [i32; 2] = [19, 6];
    let device = device.to_owned();
    match cause.kind() {
        io::ErrorKind::NotFound => CaptureError::CameraMissing { device },
        io::ErrorKind::ResourceBusy => CaptureError::CameraBusy { device },
        io::ErrorKind::PermissionDenied => CaptureError::CameraForbidden { device },
        _ if cause.raw_os_error().is_some_and(|code| GONE.contains(&code)) => {
            CaptureError::CameraGone { device }
        }
        _ => CaptureError::Camera {
            device,
            action,
            cause,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_error(device: &str) -> String {
        let spec = CameraSpec {
            device: device.into(),
            ..CameraSpec::default()
        };
        CameraSource::open(&spec).err().unwrap().to_string()
    }

    #[test]
    fn what_is_no_camera_is_named_as_such() {
        let missing = open_error("/dev/video-that-is-not-there");
        assert_eq!(
            missing,
            "camera /dev/video-that-is-not-there: there is no such device; plug it in, or give another"
        );
        assert_eq!(
            open_error("/dev/null"),
            "camera /dev/null: it is no V4L2 device; expected a video capture device with streaming"
        );
        assert!(open_error("/dev/a\0b").contains("no such device"));
    }

    #[test]
    fn errors_of_drivers_get_their_meaning() {
        let error = |errno| {
            failed(
                Path::new("/dev/video0"),
                "read from it",
                io::Error::from_raw_os_error(errno),
            )
        };
        assert!(matches!(error(19), CaptureError::CameraGone { .. }));
        assert!(matches!(error(16), CaptureError::CameraBusy { .. }));
        assert!(matches!(error(13), CaptureError::CameraForbidden { .. }));
        assert!(matches!(error(2), CaptureError::CameraMissing { .. }));
        assert!(matches!(error(5), CaptureError::Camera { .. }));
    }

    #[test]
    fn stamps_are_the_drivers_microseconds() {
        assert_eq!(stamp(Timestamp::new(5, 250_000)).nanos, 5_250_000_000);
        assert_eq!(stamp(Timestamp::new(-1, 0)).nanos, 0);
    }
}
