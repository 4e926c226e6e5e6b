//! Pixels as cameras deliver them.

/// How the pixels lie in memory. Rows are packed without padding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PixelFormat {
    /// One byte of luma per pixel.
    #[default]
    Grey,
    /// Y U Y V: two bytes per pixel, chroma shared by two pixels of a row. Width is even.
    Yuyv,
    /// A plane of luma, then one of interleaved U V at half the size both ways (odd sizes rounded up).
    Nv12,
    /// Planes Y, U, V; the latter two at half the size both ways (odd sizes rounded up). As I420.
    Yuv420,
    /// Three bytes per pixel: R G B.
    Rgb,
}

impl PixelFormat {
    /// Bytes of a picture of this format and size; `None` where the count overflows or the width does not suit.
    pub fn byte_count(self, width: u32, height: u32) -> Option<usize> {
        let (w, h) = (width as usize, height as usize);
        let luma = w.checked_mul(h)?;
        let chroma = w.div_ceil(2).checked_mul(h.div_ceil(2))?;
        match self {
            Self::Grey => Some(luma),
            Self::Yuyv if w % 2 == 1 => None,
            Self::Yuyv => luma.checked_mul(2),
            Self::Nv12 | Self::Yuv420 => luma.checked_add(chroma.checked_mul(2)?),
            Self::Rgb => luma.checked_mul(3),
        }
    }
}

/// Which values mean black and white.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ColorRange {
    /// 0 to 255, as JPEG has it.
    #[default]
    Full,
    /// Luma 16 to 235, chroma 16 to 240, as video has it.
    Limited,
}

/// Which weights make luma of red, green and blue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ColorMatrix {
    /// ITU-R BT.601: JPEG, webcams, standard definition.
    #[default]
    Bt601,
    /// ITU-R BT.709: high definition video.
    Bt709,
}

/// What the numbers of a YUV picture mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ColorEncoding {
    /// Black and white levels.
    pub range: ColorRange,
    /// Luma weights.
    pub matrix: ColorMatrix,
}

impl ColorEncoding {
    /// Red, green, blue (0 to 255, not clamped) of one pixel. ITU-R BT.601-7 §2.5 and BT.709-6 §3.
    pub fn rgb_from_yuv(self, y: f32, u: f32, v: f32) -> [f32; 3] {
        let (kr, kb) = self.luma_weights();
        let kg = 1.0 - kr - kb;
        let (y, chroma_gain) = match self.range {
            ColorRange::Full => (y, 1.0),
            ColorRange::Limited => ((y - 16.0) * (255.0 / 219.0), 255.0 / 224.0),
        };
        let (cb, cr) = ((u - 128.0) * chroma_gain, (v - 128.0) * chroma_gain);
        let r = y + 2.0 * (1.0 - kr) * cr;
        let b = y + 2.0 * (1.0 - kb) * cb;
        [r, (y - kr * r - kb * b) / kg, b]
    }

    /// Y, U, V (not rounded) of red, green and blue (0 to 255).
    pub fn yuv_from_rgb(self, [r, g, b]: [f32; 3]) -> [f32; 3] {
        let (kr, kb) = self.luma_weights();
        let y = kr * r + (1.0 - kr - kb) * g + kb * b;
        let (cb, cr) = ((b - y) / (2.0 * (1.0 - kb)), (r - y) / (2.0 * (1.0 - kr)));
        match self.range {
            ColorRange::Full => [y, cb + 128.0, cr + 128.0],
            ColorRange::Limited => [
                y * (219.0 / 255.0) + 16.0,
                cb * (224.0 / 255.0) + 128.0,
                cr * (224.0 / 255.0) + 128.0,
            ],
        }
    }

    const fn luma_weights(self) -> (f32, f32) {
        match self.matrix {
            ColorMatrix::Bt601 => (0.299, 0.114),
            ColorMatrix::Bt709 => (0.2126, 0.0722),
        }
    }
}

/// Why pixels do not make a picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// The size has no pixels, is odd where the format wants it even, or is beyond what memory holds.
    #[error("a {format:?} picture of {width}x{height} is not possible")]
    Size {
        /// The format asked for.
        format: PixelFormat,
        /// The width asked for.
        width: u32,
        /// The height asked for.
        height: u32,
    },
    /// Too few or too many bytes.
    #[error("a {format:?} picture of {width}x{height} has {expected} bytes, found {found}")]
    ByteCount {
        /// The format.
        format: PixelFormat,
        /// The width.
        width: u32,
        /// The height.
        height: u32,
        /// Bytes such a picture has.
        expected: usize,
        /// Bytes that came.
        found: usize,
    },
}

/// A picture: pixels in one of the [`PixelFormat`]s.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    format: PixelFormat,
    width: u32,
    height: u32,
    color: ColorEncoding,
    bytes: Vec<u8>,
}

/// One component of a picture: sample (x, y) is `samples[y * stride + x * step]`.
#[derive(Clone, Copy, Debug)]
pub struct Plane<'a> {
    /// From the first sample on.
    pub samples: &'a [u8],
    /// Samples per row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Bytes from one row to the next.
    pub stride: usize,
    /// Bytes from one sample to the next.
    pub step: usize,
}

impl Plane<'_> {
    /// The sample in column `x` of row `y`.
    #[inline]
    pub fn at(&self, x: usize, y: usize) -> u8 {
        self.samples[y * self.stride + x * self.step]
    }
}

/// Both colour components of a picture: luma sample (x, y) belongs to chroma (x >> shift_x, y >> shift_y).
#[derive(Clone, Copy, Debug)]
pub struct Chroma<'a> {
    /// Blue difference, 128 is neutral.
    pub u: Plane<'a>,
    /// Red difference, 128 is neutral.
    pub v: Plane<'a>,
    /// Horizontal subsampling as a power of two.
    pub shift_x: u32,
    /// Vertical subsampling as a power of two.
    pub shift_y: u32,
}

/// A picture by its components, whatever its layout.
#[derive(Clone, Copy, Debug)]
pub struct Planes<'a> {
    /// Brightness, at full size.
    pub luma: Plane<'a>,
    /// Colour; `None` for a grey picture.
    pub chroma: Option<Chroma<'a>>,
    /// What the numbers mean.
    pub color: ColorEncoding,
}

impl Picture {
    /// Wraps `bytes`, which have to be exactly those of such a picture.
    pub fn new(
        format: PixelFormat,
        width: u32,
        height: u32,
        color: ColorEncoding,
        bytes: Vec<u8>,
    ) -> Result<Self, PictureError> {
        let expected = checked_byte_count(format, width, height)?;
        if bytes.len() != expected {
            let found = bytes.len();
            return Err(PictureError::ByteCount {
                format,
                width,
                height,
                expected,
                found,
            });
        }
        Ok(Self {
            format,
            width,
            height,
            color,
            bytes,
        })
    }

    /// Makes this a picture of another shape, keeping its buffer, and gives its bytes to fill. They hold leftovers.
    pub fn reshape(
        &mut self,
        format: PixelFormat,
        width: u32,
        height: u32,
        color: ColorEncoding,
    ) -> Result<&mut [u8], PictureError> {
        let expected = checked_byte_count(format, width, height)?;
        self.bytes.resize(expected, 0);
        (self.format, self.width, self.height, self.color) = (format, width, height, color);
        Ok(&mut self.bytes)
    }

    /// Layout of the pixels.
    pub fn format(&self) -> PixelFormat {
        self.format
    }

    /// Pixels per row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// What the numbers mean.
    pub fn color(&self) -> ColorEncoding {
        self.color
    }

    /// All bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The picture by its components; `None` for [`PixelFormat::Rgb`] (see [`Picture::convert_to_yuv420`]) and for a
    /// picture without pixels.
    pub fn planes(&self) -> Option<Planes<'_>> {
        let (w, h) = (self.width as usize, self.height as usize);
        let (cw, ch) = (w.div_ceil(2), h.div_ceil(2));
        if w == 0 || h == 0 {
            return None;
        }
        let bytes = &self.bytes[..];
        let plane = |offset: usize, width, height, stride, step| Plane {
            samples: &bytes[offset..],
            width,
            height,
            stride,
            step,
        };
        let (luma, chroma) = match self.format {
            PixelFormat::Rgb => return None,
            PixelFormat::Grey => (plane(0, w, h, w, 1), None),
            PixelFormat::Yuyv => {
                let (u, v) = (plane(1, cw, h, 2 * w, 4), plane(3, cw, h, 2 * w, 4));
                (
                    plane(0, w, h, 2 * w, 2),
                    Some(Chroma {
                        u,
                        v,
                        shift_x: 1,
                        shift_y: 0,
                    }),
                )
            }
            PixelFormat::Nv12 => {
                let (u, v) = (
                    plane(w * h, cw, ch, 2 * cw, 2),
                    plane(w * h + 1, cw, ch, 2 * cw, 2),
                );
                (
                    plane(0, w, h, w, 1),
                    Some(Chroma {
                        u,
                        v,
                        shift_x: 1,
                        shift_y: 1,
                    }),
                )
            }
            PixelFormat::Yuv420 => {
                let (u, v) = (plane(w * h, cw, ch, cw, 1), plane(w * h + cw * ch, cw, ch, cw, 1));
                (
                    plane(0, w, h, w, 1),
                    Some(Chroma {
                        u,
                        v,
                        shift_x: 1,
                        shift_y: 1,
                    }),
                )
            }
        };
        Some(Planes {
            luma,
            chroma,
            color: self.color,
        })
    }

    /// Red, green, blue of one pixel; black outside the picture. For looking at single pixels, not for whole pictures.
    pub fn rgb_at(&self, x: u32, y: u32) -> [u8; 3] {
        if x >= self.width || y >= self.height {
            return [0; 3];
        }
        let (x, y) = (x as usize, y as usize);
        match self.planes() {
            Some(planes) => {
                let luma = f32::from(planes.luma.at(x, y));
                let (u, v) = planes.chroma.map_or((128, 128), |c| {
                    (
                        c.u.at(x >> c.shift_x, y >> c.shift_y),
                        c.v.at(x >> c.shift_x, y >> c.shift_y),
                    )
                });
                planes
                    .color
                    .rgb_from_yuv(luma, f32::from(u), f32::from(v))
                    .map(|c| c.round() as u8)
            }
            None => {
                let at = 3 * (y * self.width as usize + x);
                [self.bytes[at], self.bytes[at + 1], self.bytes[at + 2]]
            }
        }
    }

    /// Writes this picture, whatever its format, as full-range BT.601 [`PixelFormat::Yuv420`] into `out`, whose buffer
    /// is used again.
    pub fn convert_to_yuv420(&self, out: &mut Self) -> Result<(), PictureError> {
        let color = ColorEncoding::default();
        let (w, h) = (self.width as usize, self.height as usize);
        let (cw, ch) = (w.div_ceil(2), h.div_ceil(2));
        let bytes = out.reshape(PixelFormat::Yuv420, self.width, self.height, color)?;
        let (luma, chroma) = bytes.split_at_mut(w * h);
        let (us, vs) = chroma.split_at_mut(cw * ch);
        for cy in 0..ch {
            for cx in 0..cw {
                let (mut u_sum, mut v_sum, mut n) = (0.0, 0.0, 0.0);
                for y in 2 * cy..(2 * cy + 2).min(h) {
                    for x in 2 * cx..(2 * cx + 2).min(w) {
                        let rgb = self.rgb_at(x as u32, y as u32).map(f32::from);
                        let [pixel_y, u, v] = color.yuv_from_rgb(rgb);
                        luma[y * w + x] = pixel_y.round() as u8;
                        u_sum += u;
                        v_sum += v;
                        n += 1.0;
                    }
                }
                us[cy * cw + cx] = (u_sum / n).round() as u8;
                vs[cy * cw + cx] = (v_sum / n).round() as u8;
            }
        }
        Ok(())
    }
}

fn checked_byte_count(format: PixelFormat, width: u32, height: u32) -> Result<usize, PictureError> {
    let impossible = PictureError::Size {
        format,
        width,
        height,
    };
    if width == 0 || height == 0 {
        return Err(impossible);
    }
    format
        .byte_count(width, height)
        .filter(|count| isize::try_from(*count).is_ok())
        .ok_or(impossible)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMATS: [PixelFormat; 5] = [
        PixelFormat::Grey,
        PixelFormat::Yuyv,
        PixelFormat::Nv12,
        PixelFormat::Yuv420,
        PixelFormat::Rgb,
    ];

    #[test]
    fn every_sample_of_every_format_lies_inside_the_buffer() {
        for format in FORMATS {
            for (width, height) in [(2, 1), (4, 4), (6, 5), (640, 3)] {
                let count = format.byte_count(width, height).unwrap();
                let picture =
                    Picture::new(format, width, height, ColorEncoding::default(), vec![77; count]).unwrap();
                let Some(planes) = picture.planes() else { continue };
                assert_eq!(planes.luma.at(width as usize - 1, height as usize - 1), 77);
                if let Some(c) = planes.chroma {
                    assert_eq!(
                        c.u.at(
                            (width as usize - 1) >> c.shift_x,
                            (height as usize - 1) >> c.shift_y
                        ),
                        77
                    );
                    assert_eq!(
                        c.v.at(
                            (width as usize - 1) >> c.shift_x,
                            (height as usize - 1) >> c.shift_y
                        ),
                        77
                    );
                }
            }
        }
    }

    #[test]
    fn a_wrong_byte_count_is_named() {
        let error = Picture::new(PixelFormat::Rgb, 2, 2, ColorEncoding::default(), vec![0; 11]).unwrap_err();
        assert_eq!(error.to_string(), "a Rgb picture of 2x2 has 12 bytes, found 11");
    }

    #[test]
    fn colours_survive_the_way_to_yuv_and_back() {
        for matrix in [ColorMatrix::Bt601, ColorMatrix::Bt709] {
            for range in [ColorRange::Full, ColorRange::Limited] {
                let color = ColorEncoding { range, matrix };
                for rgb in [[0.0, 0.0, 0.0], [255.0, 255.0, 255.0], [200.0, 30.0, 90.0]] {
                    let [y, u, v] = color.yuv_from_rgb(rgb);
                    let back = color.rgb_from_yuv(y, u, v);
                    assert!(
                        rgb.iter().zip(back).all(|(a, b)| (a - b).abs() < 0.01),
                        "{rgb:?} {back:?}"
                    );
                }
            }
        }
    }
}
