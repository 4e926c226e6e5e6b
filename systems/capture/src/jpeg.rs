//! JPEG, as files and cameras have it, to planes.

use std::time::{Duration, Instant};

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
    /// What the last one took.
    took: Duration,
}

impl JpegDecoder {
    /// Decodes a baseline or progressive JPEG into full-range BT.601 planes (JFIF), a grey one into one plane.
    ///
    /// A JPEG that is cut off or damaged is an error: half a picture would have half a table in it.
    #[allow(clippy::disallowed_methods, reason = "how long it takes is for metrics alone")]
    pub fn decode(&mut self, bytes: &[u8], picture: &mut Picture) -> Result<(), ImageError> {
        let began = Instant::now();
        let decoded = self.decode_whole(bytes, picture);
        self.took = began.elapsed();
        decoded
    }

    /// How long the last one took, on this machine and at that moment.
    pub fn took(&self) -> Duration {
        self.took
    }

    fn decode_whole(&mut self, bytes: &[u8], picture: &mut Picture) -> Result<(), ImageError> {
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

/// Y, Cb, Cr of each pixel to planes with chroma averaged over 2x2 pixels. Two rows at a time, while they are in the cache.
#[multiversion::multiversion(targets("x86_64+avx2"))]
fn split_into_planes(interleaved: &[u8], width: usize, height: usize, planes: &mut [u8]) {
    if interleaved.is_empty() {
        return;
    }
    let (chroma_width, chroma_height) = (width.div_ceil(2), height.div_ceil(2));
    let (luma, chroma) = planes.split_at_mut(width * height);
    let (us, vs) = chroma.split_at_mut(chroma_width * chroma_height);
    let luma_rows = luma.chunks_mut(2 * width);
    let chroma_rows = us.chunks_mut(chroma_width).zip(vs.chunks_mut(chroma_width));
    for ((rows, luma), (us, vs)) in interleaved.chunks(6 * width).zip(luma_rows).zip(chroma_rows) {
        for (target, pixel) in luma.iter_mut().zip(rows.chunks_exact(3)) {
            *target = pixel[0];
        }
        // The last row of an odd number of rows stands for two, and so does the last pixel of a row.
        let (upper, lower) = rows.split_at(3 * width);
        let lower = if lower.is_empty() { upper } else { lower };
        let pairs = upper.chunks_exact(6).zip(lower.chunks_exact(6));
        for ((u, v), (upper, lower)) in us.iter_mut().zip(vs.iter_mut()).zip(pairs) {
            let mean = |at: usize| {
                let sum = u16::from(upper[at])
                    + u16::from(upper[at + 3])
                    + u16::from(lower[at])
                    + u16::from(lower[at + 3]);
                ((sum + 2) / 4) as u8
            };
            (*u, *v) = (mean(1), mean(2));
        }
        if width % 2 == 1
            && let ([.., u], [.., v]) = (us, vs)
        {
            let mean = |at: usize| ((u16::from(upper[at]) + u16::from(lower[at])).div_ceil(2)) as u8;
            let last = 3 * (width - 1);
            (*u, *v) = (mean(last + 1), mean(last + 2));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_of_any_size_hold_each_luma_and_the_mean_of_each_two_by_two_chroma() {
        for (width, height) in [
            (1_usize, 1_usize),
            (2, 1),
            (1, 2),
            (3, 5),
            (8, 6),
            (67, 33),
            (64, 2),
        ] {
            let interleaved: Vec<u8> = (0..3 * width * height)
                .map(|i| (i * i * 7 + i / 5) as u8)
                .collect();
            let (chroma_width, chroma_height) = (width.div_ceil(2), height.div_ceil(2));
            let chroma_count = chroma_width * chroma_height;
            let mut planes = vec![0; width * height + 2 * chroma_count];
            split_into_planes(&interleaved, width, height, &mut planes);
            let at = |x: usize, y: usize, component: usize| {
                interleaved[3 * (y.min(height - 1) * width + x.min(width - 1)) + component]
            };
            for (i, luma) in planes[..width * height].iter().enumerate() {
                assert_eq!(*luma, at(i % width, i / width, 0));
            }
            for (i, chroma) in planes[width * height..].iter().enumerate() {
                let (component, i) = (1 + i / chroma_count, i % chroma_count);
                let (x, y) = (2 * (i % chroma_width), 2 * (i / chroma_width));
                let around = [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)];
                let sum: u16 = around.iter().map(|(x, y)| u16::from(at(*x, *y, component))).sum();
                assert_eq!(u16::from(*chroma), (sum + 2) / 4, "{width}x{height}, {i}");
            }
        }
    }
}
