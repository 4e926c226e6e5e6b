//! Pictures to JPEG, straight from the camera's planes.

use ghostball_world::{ColorEncoding, Picture, PictureError, PixelFormat, Snapshot};
use jpeg_encoder::{Encoder, EncodingError, ImageBuffer, JpegColorType, SamplingFactor};

use super::overlay::{Dot, Overlay};

/// Why a picture could not be encoded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EncodeError {
    /// Nothing to encode.
    #[error("expected a picture with pixels, found one of {width}x{height}")]
    Empty { width: u32, height: u32 },
    /// JPEG counts in 16 bits.
    #[error("expected a picture of at most 65535 pixels each way, found {width}x{height}")]
    TooLarge { width: u32, height: u32 },
    /// The pixels cannot be read.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// The encoder gives up.
    #[error("the picture cannot be encoded: {0}")]
    Encoder(#[from] EncodingError),
}

/// A JPEG of a picture at a quality of 1 to 100, or why there is none.
pub fn encode_jpeg(picture: &Picture, quality: u8) -> Result<Vec<u8>, String> {
    encode(picture, quality, None, None).map_err(|error| error.to_string())
}

/// Encodes `picture` at `quality` (1 to 100), made smaller to `width` pixels where that is less than it has, with what
/// `seen` tells drawn over it.
pub(crate) fn encode(
    picture: &Picture,
    quality: u8,
    width: Option<u32>,
    seen: Option<&Snapshot>,
) -> Result<Vec<u8>, EncodeError> {
    let (full_width, full_height) = (picture.width(), picture.height());
    let size = |width, height| (width, height);
    let mut converted = Picture::default();
    let picture = match picture.format() {
        PixelFormat::Rgb => {
            picture.convert_to_yuv420(&mut converted)?;
            &converted
        }
        _ => picture,
    };
    let (width, height) = match width {
        Some(width) if width < full_width => {
            let height = (u64::from(full_height) * u64::from(width)).div_ceil(u64::from(full_width));
            size(width.max(1), u32::try_from(height).unwrap_or(u32::MAX).max(1))
        }
        _ => size(full_width, full_height),
    };
    let too_large = |_| EncodeError::TooLarge { width, height };
    let (narrow, low) = (
        u16::try_from(width).map_err(too_large)?,
        u16::try_from(height).map_err(too_large)?,
    );
    let planes = picture.planes().ok_or(EncodeError::Empty { width, height })?;
    let image = PlanesToJpeg {
        planes,
        to_jpeg: Affine::to_jpeg(planes.color),
        width: narrow,
        height: low,
        overlay: seen.map(|seen| Overlay::new(seen, [full_width, full_height], [narrow, low])),
    };
    let mut bytes = Vec::with_capacity(usize::from(narrow) * usize::from(low) / 6);
    let mut encoder = Encoder::new(&mut bytes, quality.clamp(1, 100));
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.encode_image(image)?;
    Ok(bytes)
}

/// Feeds the encoder row by row, at the size wanted.
struct PlanesToJpeg<'a> {
    planes: ghostball_world::Planes<'a>,
    to_jpeg: Option<Affine>,
    width: u16,
    height: u16,
    overlay: Option<Overlay>,
}

impl PlanesToJpeg<'_> {
    /// Samples of the full picture that make sample `at` of `count`.
    fn span(at: usize, count: usize, full: usize) -> std::ops::Range<usize> {
        let start = at * full / count;
        start..((at + 1) * full / count).max(start + 1)
    }

    fn dots(&self, y: u16) -> &[Dot] {
        self.overlay
            .as_ref()
            .map_or(&[], |overlay| overlay.row(usize::from(y)))
    }

    fn luma(&self, x: usize, rows: &std::ops::Range<usize>) -> u8 {
        let columns = Self::span(x, usize::from(self.width), self.planes.luma.width);
        let count = (rows.len() * columns.len()) as u32;
        let sum: u32 = rows
            .clone()
            .flat_map(|row| columns.clone().map(move |column| (column, row)))
            .map(|(column, row)| u32::from(self.planes.luma.at(column, row)))
            .sum();
        ((sum + count / 2) / count) as u8
    }
}

impl ImageBuffer for PlanesToJpeg<'_> {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        match self.planes.chroma {
            Some(_) => JpegColorType::Ycbcr,
            None => JpegColorType::Luma,
        }
    }

    fn width(&self) -> u16 {
        self.width
    }

    fn height(&self) -> u16 {
        self.height
    }

    fn fill_buffers(&self, y: u16, [luma, blue, red, _]: &mut [Vec<u8>; 4]) {
        let (width, source) = (usize::from(self.width), &self.planes.luma);
        let rows = Self::span(usize::from(y), usize::from(self.height), source.height);
        let from = luma.len();
        if width == source.width && source.step == 1 {
            let start = rows.start * source.stride;
            luma.extend_from_slice(&source.samples[start..start + width]);
        } else {
            luma.extend((0..width).map(|x| self.luma(x, &rows)));
        }
        let Some(chroma) = &self.planes.chroma else {
            if let Some(to_jpeg) = &self.to_jpeg {
                luma[from..]
                    .iter_mut()
                    .for_each(|sample| *sample = to_jpeg.apply([*sample, 128, 128])[0]);
            }
            for dot in self.dots(y) {
                luma[from + dot.x] = dot.yuv[0];
            }
            return;
        };
        let (from_blue, from_red) = (blue.len(), red.len());
        // Chroma is coarse already: the sample in the middle stands for all.
        let row = ((rows.start + rows.end) / 2).min(source.height - 1) >> chroma.shift_y;
        for x in 0..width {
            let columns = Self::span(x, width, source.width);
            let column = ((columns.start + columns.end) / 2).min(source.width - 1) >> chroma.shift_x;
            blue.push(chroma.u.at(column, row));
            red.push(chroma.v.at(column, row));
        }
        if let Some(to_jpeg) = &self.to_jpeg {
            let samples = luma[from..]
                .iter_mut()
                .zip(&mut blue[from_blue..])
                .zip(&mut red[from_red..]);
            for ((y, u), v) in samples {
                [*y, *u, *v] = to_jpeg.apply([*y, *u, *v]);
            }
        }
        for dot in self.dots(y) {
            [luma[from + dot.x], blue[from_blue + dot.x], red[from_red + dot.x]] = dot.yuv;
        }
    }
}

/// One colour encoding to another: both are linear in red, green and blue, so the way between them is a matrix and an
/// offset, here in 16.16 fixed point.
struct Affine {
    columns: [[i32; 3]; 3],
    offset: [i32; 3],
}

impl Affine {
    /// To what JPEG means (full-range BT.601, JFIF 1.02); `None` where it is that already.
    fn to_jpeg(from: ColorEncoding) -> Option<Self> {
        let jpeg = ColorEncoding::default();
        if from == jpeg {
            return None;
        }
        let map = |y, u, v| jpeg.yuv_from_rgb(from.rgb_from_yuv(y, u, v));
        let fixed = |value: f32| (value * 65536.0).round() as i32;
        let offset = map(0.0, 0.0, 0.0);
        let unit = 256.0;
        let column = |at: [f32; 3]| [0, 1, 2].map(|i| fixed((at[i] - offset[i]) / unit));
        Some(Self {
            columns: [
                column(map(unit, 0.0, 0.0)),
                column(map(0.0, unit, 0.0)),
                column(map(0.0, 0.0, unit)),
            ],
            offset: offset.map(|value| fixed(value) + 0x8000),
        })
    }

    fn apply(&self, yuv: [u8; 3]) -> [u8; 3] {
        [0, 1, 2].map(|i| {
            let sum = (0..3).fold(self.offset[i], |sum, k| {
                sum + self.columns[k][i] * i32::from(yuv[k])
            });
            (sum >> 16).clamp(0, 255) as u8
        })
    }
}

#[cfg(test)]
mod tests {
    use ghostball_world::{ColorMatrix, ColorRange};
    use zune_core::bytestream::ZCursor;

    use super::*;

    /// A picture of one colour in each format and encoding.
    fn plain(format: PixelFormat, color: ColorEncoding, rgb: [u8; 3], width: u32, height: u32) -> Picture {
        let [y, u, v] = color
            .yuv_from_rgb(rgb.map(f32::from))
            .map(|sample| sample.round() as u8);
        let (w, h) = (width as usize, height as usize);
        let chroma = w.div_ceil(2) * h.div_ceil(2);
        let bytes = match format {
            PixelFormat::Grey => vec![y; w * h],
            PixelFormat::Yuyv => [y, u, y, v].repeat(w * h / 2),
            PixelFormat::Nv12 => [vec![y; w * h], [u, v].repeat(chroma)].concat(),
            PixelFormat::Yuv420 => [vec![y; w * h], vec![u; chroma], vec![v; chroma]].concat(),
            PixelFormat::Rgb => rgb.repeat(w * h),
        };
        Picture::new(format, width, height, color, bytes).unwrap()
    }

    fn decoded(jpeg: &[u8]) -> (usize, usize, Vec<u8>) {
        let mut decoder = zune_jpeg::JpegDecoder::new(ZCursor::new(jpeg));
        let pixels = decoder.decode().unwrap();
        let (width, height) = decoder.dimensions().unwrap();
        (width, height, pixels)
    }

    #[test]
    fn every_format_and_colour_encoding_keeps_its_colour() {
        for format in [
            PixelFormat::Yuyv,
            PixelFormat::Nv12,
            PixelFormat::Yuv420,
            PixelFormat::Rgb,
        ] {
            for matrix in [ColorMatrix::Bt601, ColorMatrix::Bt709] {
                for range in [ColorRange::Full, ColorRange::Limited] {
                    let rgb = [40, 130, 90];
                    let picture = plain(format, ColorEncoding { range, matrix }, rgb, 34, 18);
                    let (width, height, pixels) = decoded(&encode(&picture, 90, None, None).unwrap());
                    assert_eq!((width, height), (34, 18));
                    let far = pixels.chunks(3).find(|pixel| {
                        pixel
                            .iter()
                            .zip(rgb)
                            .any(|(found, wanted)| found.abs_diff(wanted) > 4)
                    });
                    assert_eq!(far, None, "{format:?} {matrix:?} {range:?}");
                }
            }
        }
    }

    #[test]
    fn a_smaller_width_keeps_the_shape_and_a_larger_one_changes_nothing() {
        let picture = plain(PixelFormat::Nv12, ColorEncoding::default(), [200, 30, 60], 64, 48);
        for (asked, found) in [(32, (32, 24)), (10, (10, 8)), (1, (1, 1)), (640, (64, 48))] {
            let (width, height, _) = decoded(&encode(&picture, 80, Some(asked), None).unwrap());
            assert_eq!((width, height), found);
        }
    }

    #[test]
    fn a_shrunk_picture_is_the_mean_of_its_parts() {
        let stripes: Vec<u8> = (0..64 * 32).map(|i| if i % 2 == 0 { 60 } else { 140 }).collect();
        let picture = Picture::new(PixelFormat::Grey, 64, 32, ColorEncoding::default(), stripes).unwrap();
        let (_, _, pixels) = decoded(&encode(&picture, 95, Some(16), None).unwrap());
        assert!(pixels.iter().all(|pixel| pixel.abs_diff(100) <= 2), "{pixels:?}");
    }

    #[test]
    fn a_picture_without_pixels_is_refused() {
        assert!(matches!(
            encode(&Picture::default(), 80, None, None),
            Err(EncodeError::Empty { .. })
        ));
    }
}
