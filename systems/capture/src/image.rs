//! Still images: JPEG and PNG.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use ghostball_world::{ColorEncoding, Frame, Picture, PictureError, PixelFormat};

use crate::{CaptureError, jpeg};

/// Longest side of an image that is decoded, in pixels. Beyond it a file rather lies than shows a table.
pub const MAX_IMAGE_SIDE: u32 = 8192;

/// Shortest side of an image that is worth looking at, in pixels: a table in it would have balls of one pixel.
pub const MIN_IMAGE_SIDE: u32 = 64;

/// Largest file that is read as an image: what [`MAX_IMAGE_SIDE`] squared takes uncompressed.
const MAX_FILE_BYTES: u64 = 3 * (MAX_IMAGE_SIDE as u64) * (MAX_IMAGE_SIDE as u64);

/// Why bytes are no picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// Neither JPEG nor PNG.
    #[error("not an image; expected a JPEG or PNG file, found {found}")]
    Unknown {
        /// What the file begins with.
        found: String,
    },
    /// The file ends before its picture does, or holds nonsense.
    #[error("the {format} is damaged or cut off ({cause}); copy or take it again")]
    Damaged {
        /// JPEG or PNG.
        format: &'static str,
        /// What the decoder says.
        cause: String,
    },
    /// A kind of image that is not decoded.
    #[error("a {format} of {found} is not supported; expected {expected}")]
    Unsupported {
        /// JPEG or PNG.
        format: &'static str,
        /// What it is.
        found: String,
        /// What it may be.
        expected: &'static str,
    },
    /// Larger than any camera's.
    #[error("the image has {width}x{height} pixels; expected at most {MAX_IMAGE_SIDE} either way")]
    TooLarge {
        /// Its width.
        width: u64,
        /// Its height.
        height: u64,
    },
    /// Too small to show a table.
    #[error("the image has {width}x{height} pixels; expected at least {MIN_IMAGE_SIDE} both ways")]
    TooSmall {
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
    },
    /// No pixels.
    #[error(transparent)]
    Picture(#[from] PictureError),
}

/// Reads the image at `path` into `frame`: its picture, and the JPEG bytes where it is a JPEG. Sequence and stamp stay.
pub fn read_image(path: &Path, frame: &mut Frame) -> Result<(), CaptureError> {
    read_file(path, &mut frame.jpeg)?;
    let bytes = std::mem::take(&mut frame.jpeg);
    let decoded = decode_image(&bytes, &mut frame.picture);
    frame.jpeg = bytes;
    if !jpeg::is_jpeg(&frame.jpeg) {
        frame.jpeg.clear();
    }
    let usable = decoded.and_then(|()| {
        let (width, height) = (frame.picture.width(), frame.picture.height());
        match width.min(height) {
            MIN_IMAGE_SIDE.. => Ok(()),
            _ => Err(ImageError::TooSmall { width, height }),
        }
    });
    usable.map_err(|cause| CaptureError::Image {
        path: path.to_owned(),
        cause,
    })
}

/// Decodes a JPEG or PNG, whichever it is, into `picture`, whose buffer is used again. What is not a whole, sound
/// image is an error; the picture then holds leftovers.
pub fn decode_image(bytes: &[u8], picture: &mut Picture) -> Result<(), ImageError> {
    if jpeg::is_jpeg(bytes) {
        if !jpeg::has_end(bytes) {
            let cause = "its end is missing".to_owned();
            return Err(ImageError::Damaged {
                format: "JPEG",
                cause,
            });
        }
        jpeg::JpegDecoder::default().decode(bytes, picture)
    } else if bytes.starts_with(PNG_SIGNATURE) {
        decode_png(bytes, picture)
    } else {
        let found = match bytes {
            [] => "an empty file".to_owned(),
            _ => format!("bytes {:02x?}", &bytes[..bytes.len().min(4)]),
        };
        Err(ImageError::Unknown { found })
    }
}

const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

fn decode_png(bytes: &[u8], picture: &mut Picture) -> Result<(), ImageError> {
    let damaged = |e: png::DecodingError| ImageError::Damaged {
        format: "PNG",
        cause: e.to_string(),
    };
    let limits = png::Limits {
        bytes: 4 * (MAX_FILE_BYTES as usize),
    };
    let mut decoder = png::Decoder::new_with_limits(std::io::Cursor::new(bytes), limits);
    // Palettes become colours, depths below 8 become 8, and 16 bits lose their lower half.
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
    let header = decoder.read_header_info().map_err(damaged)?;
    let (width, height) = (header.width, header.height);
    check_size(width.into(), height.into())?;
    let mut reader = decoder.read_info().map_err(damaged)?;
    let (color, _) = reader.output_color_type();
    let format = match color {
        png::ColorType::Grayscale | png::ColorType::GrayscaleAlpha => PixelFormat::Grey,
        _ => PixelFormat::Rgb,
    };
    let samples = color.samples();
    let keep = if format == PixelFormat::Grey { 1 } else { 3 };
    let target = picture.reshape(format, width, height, ColorEncoding::default())?;
    if samples == keep {
        reader.next_frame(target).map_err(damaged)?;
        return Ok(());
    }
    let mut with_alpha = vec![0; target.len() / keep * samples];
    reader.next_frame(&mut with_alpha).map_err(damaged)?;
    for (pixel, source) in target
        .chunks_exact_mut(keep)
        .zip(with_alpha.chunks_exact(samples))
    {
        pixel.copy_from_slice(&source[..keep]);
    }
    Ok(())
}

/// Refuses sizes before anything is allocated for them.
pub(crate) fn check_size(width: u64, height: u64) -> Result<(), ImageError> {
    let limit = u64::from(MAX_IMAGE_SIDE);
    if width > limit || height > limit {
        return Err(ImageError::TooLarge { width, height });
    }
    Ok(())
}

/// The whole file, into a buffer that is used again.
fn read_file(path: &Path, bytes: &mut Vec<u8>) -> Result<(), CaptureError> {
    let failed = |cause: std::io::Error| match cause.kind() {
        std::io::ErrorKind::NotFound => CaptureError::Missing {
            path: path.to_owned(),
        },
        _ => CaptureError::Io {
            path: path.to_owned(),
            action: "read",
            cause,
        },
    };
    bytes.clear();
    File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES).read_to_end(bytes))
        .map_err(failed)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

    use super::*;

    /// A picture with something in every block.
    fn rgb(width: u16, height: u16) -> Vec<u8> {
        let pixel = |x: u16, y: u16| [(x * 7 % 256) as u8, (y * 5 % 256) as u8, ((x ^ y) % 256) as u8];
        (0..height)
            .flat_map(|y| (0..width).flat_map(move |x| pixel(x, y)))
            .collect()
    }

    fn jpeg(width: u16, height: u16, set_up: impl FnOnce(&mut Encoder<&mut Vec<u8>>)) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, 95);
        set_up(&mut encoder);
        encoder
            .encode(&rgb(width, height), width, height, ColorType::Rgb)
            .unwrap();
        bytes
    }

    fn png(color: png::ColorType, depth: png::BitDepth, data: &[u8], width: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, 2);
        encoder.set_color(color);
        encoder.set_depth(depth);
        encoder.write_header().unwrap().write_image_data(data).unwrap();
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<Picture, ImageError> {
        let mut picture = Picture::default();
        decode_image(bytes, &mut picture).map(|()| picture)
    }

    #[test]
    fn jpegs_of_every_sampling_become_planes_of_the_right_colours() {
        for sampling in [
            SamplingFactor::F_1_1,
            SamplingFactor::F_2_1,
            SamplingFactor::F_2_2,
        ] {
            for progressive in [false, true] {
                // Flat colour: subsampling cannot change it.
                let mut bytes = Vec::new();
                let mut encoder = Encoder::new(&mut bytes, 95);
                encoder.set_sampling_factor(sampling);
                encoder.set_progressive(progressive);
                encoder
                    .encode(&[30, 140, 90].repeat(35 * 19), 35, 19, ColorType::Rgb)
                    .unwrap();
                let picture = decode(&bytes).unwrap();
                assert_eq!(
                    (picture.format(), picture.width(), picture.height()),
                    (PixelFormat::Yuv420, 35, 19)
                );
                for (x, y) in [(0, 0), (34, 18), (17, 9)] {
                    let found = picture.rgb_at(x, y);
                    let close = found.iter().zip([30, 140, 90]).all(|(a, b)| a.abs_diff(b) <= 3);
                    assert!(close, "{sampling:?} {found:?}");
                }
            }
        }
    }

    #[test]
    fn chroma_is_averaged_over_its_pixels() {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, 100);
        encoder.set_sampling_factor(SamplingFactor::F_1_1);
        // Columns of red and blue in turn: each pair has their mean colour.
        let row: Vec<u8> = [[200, 0, 0], [0, 0, 200]].concat().repeat(8);
        encoder.encode(&row.repeat(16), 16, 16, ColorType::Rgb).unwrap();
        let picture = decode(&bytes).unwrap();
        let chroma = picture.planes().unwrap().chroma.unwrap();
        let color = ColorEncoding::default();
        let [_, u, v] = color.yuv_from_rgb([100.0, 0.0, 100.0]);
        assert!((f32::from(chroma.u.at(3, 3)) - u).abs() < 4.0);
        assert!((f32::from(chroma.v.at(3, 3)) - v).abs() < 4.0);
    }

    #[test]
    fn grey_stays_grey() {
        let mut bytes = Vec::new();
        Encoder::new(&mut bytes, 95)
            .encode(&[90; 64], 8, 8, ColorType::Luma)
            .unwrap();
        let picture = decode(&bytes).unwrap();
        assert_eq!(
            (picture.format(), picture.bytes()[0].abs_diff(90) < 2),
            (PixelFormat::Grey, true)
        );
    }

    #[test]
    fn a_jpeg_that_is_cut_off_anywhere_is_an_error() {
        for progressive in [false, true] {
            let bytes = jpeg(64, 48, |encoder| encoder.set_progressive(progressive));
            assert!(decode(&bytes).is_ok());
            for end in 0..bytes.len() {
                assert!(decode(&bytes[..end]).is_err(), "{end} of {} bytes", bytes.len());
            }
        }
    }

    #[test]
    fn flipped_bytes_never_panic() {
        let bytes = jpeg(32, 32, |_| ());
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x55;
            decode(&damaged).ok();
        }
    }

    #[test]
    fn bytes_after_the_end_do_not_matter() {
        let mut bytes = jpeg(32, 32, |_| ());
        let whole = decode(&bytes).unwrap();
        bytes.extend_from_slice(&[0; 500]);
        assert_eq!(decode(&bytes).unwrap(), whole);
    }

    #[test]
    fn a_camera_may_leave_the_huffman_tables_out() {
        let bytes = jpeg(48, 32, |_| ());
        let mut without = bytes[..2].to_vec();
        let mut at = 2;
        loop {
            let length = 2 + usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
            if bytes[at + 1] == 0xda {
                without.extend_from_slice(&bytes[at..]);
                break;
            }
            if bytes[at + 1] != 0xc4 {
                without.extend_from_slice(&bytes[at..at + length]);
            }
            at += length;
        }
        assert!(without.len() < bytes.len());
        assert_eq!(decode(&without).unwrap(), decode(&bytes).unwrap());
    }

    #[test]
    fn impossible_sizes_are_refused_before_memory_is_taken() {
        let mut bytes = jpeg(32, 32, |_| ());
        let frame_header = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
        bytes[frame_header + 5..frame_header + 9].copy_from_slice(&[0xff; 4]);
        assert_eq!(
            decode(&bytes),
            Err(ImageError::TooLarge {
                width: 65535,
                height: 65535
            })
        );
        bytes[frame_header + 5..frame_header + 9].copy_from_slice(&[0x1f; 4]);
        let text = decode(&bytes).unwrap_err().to_string();
        assert!(text.contains("cannot hold 7967x7967 pixels"), "{text}");
    }

    #[test]
    fn pngs_lose_alpha_and_depth_and_palettes_but_not_colour() {
        use png::{BitDepth, ColorType};
        let rgb_of = |bytes: &[u8]| decode(bytes).map(|p| (p.format(), p.rgb_at(0, 0))).unwrap();
        let rgba = png(ColorType::Rgba, BitDepth::Eight, &[10, 20, 30, 0].repeat(4), 2);
        assert_eq!(rgb_of(&rgba), (PixelFormat::Rgb, [10, 20, 30]));
        let deep = png(
            ColorType::Rgb,
            BitDepth::Sixteen,
            &[10, 99, 20, 99, 30, 99].repeat(4),
            2,
        );
        assert_eq!(rgb_of(&deep), (PixelFormat::Rgb, [10, 20, 30]));
        let grey = png(
            ColorType::GrayscaleAlpha,
            BitDepth::Eight,
            &[70, 255].repeat(4),
            2,
        );
        assert_eq!(rgb_of(&grey), (PixelFormat::Grey, [70; 3]));
        let cut_off = &rgba[..rgba.len() - 30];
        assert!(matches!(
            decode(cut_off),
            Err(ImageError::Damaged { format: "PNG", .. })
        ));
    }

    #[test]
    fn what_is_no_image_is_named() {
        let text = |bytes: &[u8]| decode(bytes).unwrap_err().to_string();
        assert_eq!(
            text(b""),
            "not an image; expected a JPEG or PNG file, found an empty file"
        );
        assert_eq!(
            text(b"hello"),
            "not an image; expected a JPEG or PNG file, found bytes [68, 65, 6c, 6c]"
        );
    }

    #[test]
    fn a_jpeg_file_is_kept_as_bytes_and_a_png_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a.jpg"), folder.path().join("b.png"));
        let bytes = jpeg(64, 64, |_| ());
        fs::write(&a, &bytes).unwrap();
        let too_small = png(png::ColorType::Rgb, png::BitDepth::Eight, &[1; 12], 2);
        fs::write(&b, too_small).unwrap();
        let mut frame = Frame::default();
        read_image(&a, &mut frame).unwrap();
        assert_eq!((frame.jpeg.as_slice(), frame.picture.width()), (&bytes[..], 64));
        let error = read_image(&b, &mut frame).unwrap_err().to_string();
        assert!(
            error.ends_with("the image has 2x2 pixels; expected at least 64 both ways"),
            "{error}"
        );
        assert!(frame.jpeg.is_empty());
        let error = read_image(folder.path(), &mut frame).unwrap_err();
        assert!(matches!(error, CaptureError::Io { .. }));
    }
}
