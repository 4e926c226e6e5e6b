//! JPEG, as files and cameras have it, to planes.

use ghostball_world::{ColorEncoding, Picture, PixelFormat};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder as ZuneDecoder;

use crate::image::{ImageError, check_size};

/// Whether the bytes begin as a JPEG does.
pub(crate) fn is_jpeg(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xff, 0xd8, 0xff])
}

/// Whether a JPEG's end is there. Files have to have it; the decoder notices a lack of more than a few bytes by itself, and
/// some cameras leave the end out.
pub(crate) fn has_end(bytes: &[u8]) -> bool {
    let pixels = Layout::of(bytes).map_or(&[][..], |layout| &bytes[layout.scan_at..]);
    pixels.windows(2).rev().any(|pair| pair == [0xff, 0xd9])
}

/// Decodes JPEGs one after the other with the same buffers.
#[derive(Debug, Default)]
pub struct JpegDecoder {
    /// Y, Cb, Cr of each pixel.
    interleaved: Vec<u8>,
    /// A JPEG to which something had to be added.
    completed: Vec<u8>,
}

impl JpegDecoder {
    /// Decodes a baseline or progressive JPEG into full-range BT.601 planes (JFIF), a grey one into one plane.
    ///
    /// A JPEG that is cut off or damaged is an error: half a picture would have half a table in it.
    pub fn decode(&mut self, bytes: &[u8], picture: &mut Picture) -> Result<(), ImageError> {
        let bytes = match Layout::of(bytes) {
            Some(Layout {
                has_huffman_tables: false,
                ..
            }) => {
                complete(bytes, &mut self.completed);
                &self.completed
            }
            _ => bytes,
        };
        // The size is checked below, with a better text.
        let options = DecoderOptions::default()
            .set_strict_mode(true)
            .set_max_width(usize::from(u16::MAX))
            .set_max_height(usize::from(u16::MAX));
        let mut decoder = ZuneDecoder::new_with_options(ZCursor::new(bytes), options);
        decoder.decode_headers().map_err(damaged)?;
        let (width, height) = decoder.dimensions().unwrap_or_default();
        check_size(width as u64, height as u64)?;
        // Every block of 8x8 pixels takes a bit at least: a size that the bytes cannot fill gets no memory.
        if width.div_ceil(8) * height.div_ceil(8) > 8 * bytes.len() {
            let cause = format!("{} bytes cannot hold {width}x{height} pixels", bytes.len());
            return Err(ImageError::Damaged {
                format: "JPEG",
                cause,
            });
        }
        let (out, format) = match decoder.input_colorspace() {
            Some(ColorSpace::Luma) => (ColorSpace::Luma, PixelFormat::Grey),
            Some(ColorSpace::YCbCr) => (ColorSpace::YCbCr, PixelFormat::Yuv420),
            Some(ColorSpace::RGB) => (ColorSpace::RGB, PixelFormat::Rgb),
            other => {
                return Err(ImageError::Unsupported {
                    format: "JPEG",
                    found: other.map_or_else(|| "unknown colours".to_owned(), |c| format!("{c:?} colours")),
                    expected: "YCbCr, RGB or grey",
                });
            }
        };
        decoder.set_options(options.jpeg_set_out_colorspace(out));
        let target = picture.reshape(format, width as u32, height as u32, ColorEncoding::default())?;
        if format != PixelFormat::Yuv420 {
            return decoder.decode_into(target).map_err(damaged);
        }
        self.interleaved.resize(3 * width * height, 0);
        decoder.decode_into(&mut self.interleaved).map_err(damaged)?;
        split_into_planes(&self.interleaved, width, height, target);
        Ok(())
    }
}

fn damaged(error: zune_jpeg::errors::DecodeErrors) -> ImageError {
    ImageError::Damaged {
        format: "JPEG",
        cause: error.to_string().trim_matches('"').to_owned(),
    }
}

/// What the markers before the first scan tell.
struct Layout {
    has_huffman_tables: bool,
    /// Where the first scan begins.
    scan_at: usize,
}

impl Layout {
    /// Goes from marker to marker; `None` where there is no scan.
    fn of(bytes: &[u8]) -> Option<Self> {
        const HUFFMAN_TABLES: u8 = 0xc4;
        const SCAN: u8 = 0xda;
        let mut has_huffman_tables = false;
        let mut at = 2;
        loop {
            let marker = match bytes.get(at..at + 2)? {
                [0xff, 0xff] => {
                    at += 1;
                    continue;
                }
                [0xff, marker] => *marker,
                _ => return None,
            };
            if marker == SCAN {
                return Some(Self {
                    has_huffman_tables,
                    scan_at: at,
                });
            }
            has_huffman_tables |= marker == HUFFMAN_TABLES;
            let length = bytes.get(at + 2..at + 4)?;
            at += 2 + usize::from(u16::from_be_bytes([length[0], length[1]]));
        }
    }
}

/// Webcams may leave out the Huffman tables, as AVI files do. The marker of those tells the decoder to take the standard
/// ones (OpenDML AVI 1.02, "Motion JPEG").
fn complete(bytes: &[u8], completed: &mut Vec<u8>) {
    const AVI_MARKER: &[u8] = b"\xff\xe0\x00\x07AVI1\x00";
    let (start, rest) = bytes.split_at(bytes.len().min(2));
    completed.clear();
    for part in [start, AVI_MARKER, rest] {
        completed.extend_from_slice(part);
    }
}

/// Y, Cb, Cr of each pixel to planes with chroma averaged over 2x2 pixels.
fn split_into_planes(interleaved: &[u8], width: usize, height: usize, planes: &mut [u8]) {
    let (chroma_width, chroma_height) = (width.div_ceil(2), height.div_ceil(2));
    let (luma, chroma) = planes.split_at_mut(width * height);
    let (us, vs) = chroma.split_at_mut(chroma_width * chroma_height);
    for (target, pixel) in luma.iter_mut().zip(interleaved.chunks_exact(3)) {
        *target = pixel[0];
    }
    let row = |y: usize| &interleaved[3 * width * y..3 * width * (y + 1)];
    for cy in 0..chroma_height {
        let upper = row(2 * cy);
        let lower = row((2 * cy + 1).min(height - 1));
        for cx in 0..chroma_width {
            let (left, right) = (6 * cx, 6 * cx + if 2 * cx + 1 < width { 3 } else { 0 });
            let mean = |component: usize| {
                let sum = u16::from(upper[left + component])
                    + u16::from(upper[right + component])
                    + u16::from(lower[left + component])
                    + u16::from(lower[right + component]);
                ((sum + 2) / 4) as u8
            };
            us[cy * chroma_width + cx] = mean(1);
            vs[cy * chroma_width + cx] = mean(2);
        }
    }
}
