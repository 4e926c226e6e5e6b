//! What a camera was asked for and what it agreed to.

use std::fmt;

use ghostball_world::{ColorEncoding, ColorMatrix, ColorRange, Picture, PixelFormat};
use v4l::format::{Colorspace, Quantization};
use v4l::video::Capture as _;
use v4l::video::capture::Parameters;
use v4l::{Device, Format};

use crate::camera::failed;
use crate::camera::offers::{self, PREFERRED_FPS};
use crate::{CameraFormat, CameraSpec, CaptureError, MAX_IMAGE_SIDE};

/// How a camera delivers its frames.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct CameraMode {
    pub(crate) format: CameraFormat,
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Bytes from one row to the next; larger than a row where the driver pads. Of no meaning for MJPEG.
    stride: usize,
    color: ColorEncoding,
    pub(crate) frame_rate: f64,
}

impl CameraMode {
    /// Sets the camera up. A driver asked for what it does not have silently takes something else: what it took is compared. Another rate is only worth a warning: pictures are stamped.
    pub(crate) fn negotiate(device: &Device, spec: &CameraSpec) -> Result<Self, CaptureError> {
        let path = &spec.device;
        let refused = |asked, given| CaptureError::CameraFormat {
            device: path.clone(),
            asked,
            given,
        };
        let offers = offers::all_of(device);
        let Some(offer) = offers::best(&offers, spec) else {
            let given = offers.iter().filter(|offer| offer.is_understood).take(8);
            let given: Vec<_> = given
                .map(|offer| format!("{} {}x{}", offer.format, offer.width, offer.height))
                .collect();
            let given = match given.is_empty() {
                true => "nothing that ghostball can read".to_owned(),
                false => given.join(", "),
            };
            return Err(refused(asked(spec), given));
        };
        let Some(format) = CameraFormat::named(&offer.format) else {
            return Err(refused(asked(spec), offer.format.clone()));
        };
        let (fourcc, width, height) = (format.code(), offer.width, offer.height);
        let given = device
            .set_format(&Format::new(width, height, fourcc))
            .map_err(|cause| failed(path, "set its format", cause))?;
        let size_given = (given.width, given.height) == (width, height);
        let sane =
            (1..=MAX_IMAGE_SIDE).contains(&given.width) && (1..=MAX_IMAGE_SIDE).contains(&given.height);
        if given.fourcc != fourcc || !size_given || !sane {
            return Err(refused(
                format!("{} {width}x{height}", offer.format),
                format!("{} {}x{}", given.fourcc, given.width, given.height),
            ));
        }
        Ok(Self {
            format,
            width: given.width,
            height: given.height,
            stride: given.stride as usize,
            color: color(&given),
            frame_rate: negotiate_rate(device, spec),
        })
    }

    /// The pixels of a raw buffer, without padding; `None` when the buffer is too short.
    pub(crate) fn copy_pixels(&self, bytes: &[u8], picture: &mut Picture) -> Option<()> {
        let (width, height) = (self.width as usize, self.height as usize);
        let (format, row_bytes, rows) = match self.format {
            CameraFormat::Mjpg => return None,
            CameraFormat::Yuyv => (PixelFormat::Yuyv, 2 * width, height),
            CameraFormat::Grey => (PixelFormat::Grey, width, height),
            CameraFormat::Rgb3 => (PixelFormat::Rgb, 3 * width, height),
            // Both planes have rows of the same length when the width is even, and NV12 drivers give no other.
            CameraFormat::Nv12 if width.is_multiple_of(2) => {
                (PixelFormat::Nv12, width, height + height.div_ceil(2))
            }
            CameraFormat::Nv12 => return None,
        };
        let stride = self.stride.max(row_bytes);
        let target = picture
            .reshape(format, self.width, self.height, self.color)
            .ok()?;
        // The last row may come without its padding.
        if bytes.len() < stride * (rows - 1) + row_bytes {
            return None;
        }
        for (to, from) in target.chunks_exact_mut(row_bytes).zip(bytes.chunks(stride)) {
            to.copy_from_slice(&from[..row_bytes]);
        }
        Some(())
    }
}

impl fmt::Display for CameraMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            format,
            width,
            height,
            frame_rate,
            ..
        } = self;
        write!(
            f,
            "{} {width}x{height} at {frame_rate:.2} frames a second",
            format.fourcc()
        )
    }
}

/// What is insisted on, for people.
pub(crate) fn asked(spec: &CameraSpec) -> String {
    let format = spec.format.map_or("any format", CameraFormat::fourcc);
    let size = spec.width.zip(spec.height);
    let size = size.map_or_else(
        || "any size".to_owned(),
        |(width, height)| format!("{width}x{height}"),
    );
    let fps = spec
        .fps
        .map_or_else(String::new, |fps| format!(" at {fps} frames a second"));
    format!("{format}, {size}{fps}")
}

/// Frames per second that the driver settled on. Drivers without a rate keep quiet about it.
fn negotiate_rate(device: &Device, spec: &CameraSpec) -> f64 {
    let asked = spec.fps.unwrap_or(PREFERRED_FPS);
    let given = device
        .set_params(&Parameters::with_fps(asked))
        .ok()
        .filter(|given| given.interval.numerator > 0 && given.interval.denominator > 0)
        .map(|given| f64::from(given.interval.denominator) / f64::from(given.interval.numerator));
    let rate = given.unwrap_or(f64::from(asked));
    // 29.97 is what a camera means by 30.
    if spec.fps.is_some() && (rate / f64::from(asked) - 1.0).abs() > 0.01 {
        let device = spec.device.display();
        tracing::warn!("camera {device}: asked for {asked} frames a second, it gives {rate:.2}");
    }
    rate
}

/// What the driver says the numbers mean, with the kernel's defaults
/// (<https://docs.kernel.org/userspace-api/media/v4l/colorspaces-defs.html>).
fn color(format: &Format) -> ColorEncoding {
    let full = match format.quantization {
        Quantization::FullRange => true,
        Quantization::LimitedRange => false,
        Quantization::Default => matches!(format.colorspace, Colorspace::JPEG),
    };
    let matrix = match format.colorspace {
        Colorspace::Rec709 | Colorspace::DCIP3 => ColorMatrix::Bt709,
        _ => ColorMatrix::Bt601,
    };
    let range = if full {
        ColorRange::Full
    } else {
        ColorRange::Limited
    };
    ColorEncoding { range, matrix }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(format: CameraFormat, stride: usize) -> CameraMode {
        CameraMode {
            format,
            width: 4,
            height: 2,
            stride,
            color: ColorEncoding::default(),
            frame_rate: 30.0,
        }
    }

    #[test]
    fn padding_at_the_end_of_rows_is_left_out() {
        let mut picture = Picture::default();
        let bytes: Vec<u8> = (0..16).collect();
        assert!(
            mode(CameraFormat::Grey, 8)
                .copy_pixels(&bytes, &mut picture)
                .is_some()
        );
        assert_eq!(picture.bytes(), [0, 1, 2, 3, 8, 9, 10, 11]);
        assert!(
            mode(CameraFormat::Yuyv, 8)
                .copy_pixels(&bytes, &mut picture)
                .is_some()
        );
        assert_eq!(picture.bytes(), bytes);
        assert!(
            mode(CameraFormat::Nv12, 5)
                .copy_pixels(&bytes, &mut picture)
                .is_some()
        );
        assert_eq!(picture.bytes(), [0, 1, 2, 3, 5, 6, 7, 8, 10, 11, 12, 13]);
    }

    #[test]
    fn a_buffer_that_is_too_short_makes_no_picture() {
        let mut picture = Picture::default();
        assert!(
            mode(CameraFormat::Yuyv, 8)
                .copy_pixels(&[0; 15], &mut picture)
                .is_none()
        );
        assert!(
            mode(CameraFormat::Grey, 0)
                .copy_pixels(&[], &mut picture)
                .is_none()
        );
    }
}
