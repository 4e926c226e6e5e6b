//! Still images: JPEG and PNG.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use ghostball_world::{ColorEncoding, Frame, Picture, PictureError, PixelFormat};

use crate::{CaptureError, jpeg};

/// Longest side of an image that is decoded, in pixels. Beyond it a file rather lies than shows a table.
pub const MAX_IMAGE_SIDE: u32 = 8192;

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
    decoded.map_err(|cause| CaptureError::Image {
        path: path.to_owned(),
        cause,
    })
}

/// Decodes a JPEG or PNG, whichever it is, into `picture`, whose buffer is used again. What is not a whole, sound
/// image is an error; the picture then holds leftovers.
pub fn decode_image(bytes: &[u8], picture: &mut Picture) -> Result<(), ImageError> {
    if jpeg::is_jpeg(bytes) {
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
