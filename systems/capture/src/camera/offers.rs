//! What a camera can deliver, and which of it is asked for.

use serde::Serialize;
use v4l::frameinterval::FrameIntervalEnum;
use v4l::framesize::FrameSizeEnum;
use v4l::video::Capture as _;
use v4l::{Device, FourCC};

use crate::{CameraFormat, CameraSpec};

/// Asked for where nothing else is: what every webcam has, and enough to see a ball of a nine-foot table 20 px wide.
pub(crate) const PREFERRED_SIZE: (u32, u32) = (1280, 720);
/// Asked for where nothing else is.
pub(crate) const PREFERRED_FPS: u32 = 30;

/// Sizes that are listed of a camera that has any size within limits.
const USUAL_SIZES: [(u32, u32); 4] = [(640, 360), (640, 480), PREFERRED_SIZE, (1920, 1080)];

/// One format and size of a camera.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModeOffer {
    /// Four-character code, as `MJPG`.
    pub format: String,
    /// Whether ghostball can read this format.
    pub is_understood: bool,
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Frames per second, the most first; empty where the driver does not say.
    pub fps: Vec<f64>,
}

/// Everything that a camera can deliver, as far as its driver tells.
pub(crate) fn all_of(device: &Device) -> Vec<ModeOffer> {
    let mut offers = Vec::new();
    for description in device.enum_formats().unwrap_or_default() {
        let fourcc = description.fourcc;
        let mut sizes: Vec<(u32, u32)> = Vec::new();
        for size in device.enum_framesizes(fourcc).unwrap_or_default() {
            match size.size {
                FrameSizeEnum::Discrete(size) => sizes.push((size.width, size.height)),
                FrameSizeEnum::Stepwise(range) => {
                    sizes.extend(USUAL_SIZES.into_iter().filter(|(width, height)| {
                        (range.min_width..=range.max_width).contains(width)
                            && (range.min_height..=range.max_height).contains(height)
                    }))
                }
            }
        }
        sizes.sort_unstable();
        sizes.dedup();
        let format = String::from_utf8_lossy(&fourcc.repr).trim_end().to_owned();
        offers.extend(sizes.into_iter().map(|(width, height)| ModeOffer {
            is_understood: CameraFormat::of(fourcc).is_some(),
            format: format.clone(),
            width,
            height,
            fps: rates(device, fourcc, width, height),
        }));
    }
    offers
}

fn rates(device: &Device, fourcc: FourCC, width: u32, height: u32) -> Vec<f64> {
    let per_second =
        |interval: &v4l::Fraction| f64::from(interval.denominator) / f64::from(interval.numerator);
    let mut rates: Vec<f64> = device
        .enum_frameintervals(fourcc, width, height)
        .unwrap_or_default()
        .iter()
        .flat_map(|offer| match &offer.interval {
            FrameIntervalEnum::Discrete(interval) => vec![per_second(interval)],
            FrameIntervalEnum::Stepwise(range) => vec![per_second(&range.min), per_second(&range.max)],
        })
        .filter(|rate| rate.is_finite() && *rate > 0.0)
        .collect();
    rates.sort_by(|a, b| b.total_cmp(a));
    rates.dedup();
    rates
}

/// The offer to ask for: of the size and format that are insisted on, one that reaches the rate, as near to the preferred
/// size as may be, and of those the one that costs least to read. `None` where there is no such offer.
pub(crate) fn best<'a>(offers: &'a [ModeOffer], spec: &CameraSpec) -> Option<&'a ModeOffer> {
    let wanted_fps = f64::from(spec.fps.unwrap_or(PREFERRED_FPS));
    let size = spec.width.zip(spec.height);
    let area = |(width, height): (u32, u32)| f64::from(width) * f64::from(height);
    offers
        .iter()
        .filter_map(|offer| {
            let format = CameraFormat::named(&offer.format)?;
            let here = (offer.width, offer.height);
            let is_wanted =
                spec.format.is_none_or(|wanted| wanted == format) && size.is_none_or(|wanted| wanted == here);
            // A camera means 30 by 29.97.
            let shortfall = offer.fps.first().map_or(0.0, |most| (wanted_fps - most).max(0.0));
            let shortfall = if shortfall < 0.01 * wanted_fps {
                0.0
            } else {
                shortfall
            };
            let distance = (area(here) / area(PREFERRED_SIZE)).ln().abs();
            // Where rates are unknown, only compressed frames are sure to come fast enough over USB 2.
            let is_doubtful = offer.fps.is_empty() && format != CameraFormat::Mjpg;
            is_wanted.then_some((offer, (shortfall, distance, is_doubtful, format.cost())))
        })
        .min_by(|(_, (s1, d1, u1, c1)), (_, (s2, d2, u2, c2))| {
            s1.total_cmp(s2)
                .then(d1.total_cmp(d2))
                .then(u1.cmp(u2))
                .then(c1.cmp(c2))
        })
        .map(|(offer, _)| offer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(format: &str, width: u32, height: u32, fps: &[f64]) -> ModeOffer {
        ModeOffer {
            format: format.to_owned(),
            is_understood: true,
            width,
            height,
            fps: fps.to_vec(),
        }
    }

    /// A webcam on USB 2.
    fn webcam() -> Vec<ModeOffer> {
        vec![
            offer("YUYV", 640, 480, &[30.0, 15.0]),
            offer("YUYV", 1280, 720, &[10.0]),
            offer("MJPG", 640, 480, &[30.0]),
            offer("MJPG", 1280, 720, &[30.0]),
            offer("MJPG", 1920, 1080, &[30.0]),
            offer("H264", 1280, 720, &[60.0]),
        ]
    }

    fn chosen(offers: &[ModeOffer], spec: &CameraSpec) -> Option<(String, u32)> {
        best(offers, spec).map(|offer| (offer.format.clone(), offer.width))
    }

    #[test]
    fn the_rate_comes_first_then_the_size_then_what_is_cheap_to_read() {
        let any = CameraSpec::default();
        let is = |format: &str, width| Some((format.to_owned(), width));
        assert_eq!(chosen(&webcam(), &any), is("MJPG", 1280));
        let slow = CameraSpec {
            fps: Some(10),
            ..CameraSpec::default()
        };
        assert_eq!(chosen(&webcam(), &slow), is("YUYV", 1280));
        let fast_bus = [webcam(), vec![offer("NV12", 1280, 720, &[60.0])]].concat();
        assert_eq!(chosen(&fast_bus, &any), is("NV12", 1280));
        let untold = [offer("YUYV", 1280, 720, &[]), offer("MJPG", 1280, 720, &[])];
        assert_eq!(chosen(&untold, &any), is("MJPG", 1280));
    }

    #[test]
    fn what_is_insisted_on_is_kept_or_refused() {
        let spec = |format, size: Option<(u32, u32)>| CameraSpec {
            format,
            width: size.map(|size| size.0),
            height: size.map(|size| size.1),
            ..CameraSpec::default()
        };
        let yuyv = spec(Some(CameraFormat::Yuyv), None);
        assert_eq!(chosen(&webcam(), &yuyv), Some(("YUYV".to_owned(), 640)));
        let large = spec(None, Some((1920, 1080)));
        assert_eq!(chosen(&webcam(), &large), Some(("MJPG".to_owned(), 1920)));
        assert_eq!(chosen(&webcam(), &spec(Some(CameraFormat::Nv12), None)), None);
        assert_eq!(chosen(&webcam(), &spec(None, Some((800, 600)))), None);
    }
}
