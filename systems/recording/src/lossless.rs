//! Pictures that no camera has made a JPEG of, kept without loss: the bytes of the picture as a PNG.
//!
//! Measured on 1280x720 planes: PNG by rows is 2.7 ms and 43 % of the bytes for a simulated table (29 % for one from a
//! video); LZ4 leaves 78 %, Zstandard 53 % in twice the time, and both need a C compiler. A viewer shows such a PNG in
//! grey, with the colour planes beneath the picture; a text chunk in it tells how to read them.

use std::io::Cursor;

use ghostball_world::{ColorEncoding, ColorMatrix, ColorRange, Picture, PixelFormat};

use crate::error::LosslessError;

/// Key of the text chunk that holds the picture's shape.
const SHAPE_KEY: &str = "ghostball";
/// No picture that a source gives has more bytes: 65 megapixels of RGB.
const MOST_BYTES: usize = 1 << 28;

const FORMATS: [(PixelFormat, &str); 5] = [
    (PixelFormat::Grey, "grey"),
    (PixelFormat::Yuyv, "yuyv"),
    (PixelFormat::Nv12, "nv12"),
    (PixelFormat::Yuv420, "yuv420"),
    (PixelFormat::Rgb, "rgb"),
];
const RANGES: [(ColorRange, &str); 2] = [(ColorRange::Full, "full"), (ColorRange::Limited, "limited")];
const MATRICES: [(ColorMatrix, &str); 2] = [(ColorMatrix::Bt601, "bt601"), (ColorMatrix::Bt709, "bt709")];

fn name_of<T: PartialEq>(names: &[(T, &'static str)], value: &T) -> &'static str {
    names
        .iter()
        .find(|(known, _)| known == value)
        .map_or("", |(_, name)| name)
}

fn value_of<T: Copy>(names: &[(T, &str)], name: Option<&str>) -> Option<T> {
    let found = names.iter().find(|(_, known)| Some(*known) == name);
    found.map(|(value, _)| *value)
}

/// Writes a picture of any format as a PNG into `out`.
pub(crate) fn encode(picture: &Picture, out: &mut Vec<u8>) -> Result<(), LosslessError> {
    let failed = |error: png::EncodingError| LosslessError(error.to_string());
    out.clear();
    let bytes = picture.bytes();
    let (columns, color) = match picture.format() {
        PixelFormat::Rgb => (picture.width(), png::ColorType::Rgb),
        PixelFormat::Yuyv => (picture.width() * 2, png::ColorType::Grayscale),
        PixelFormat::Grey | PixelFormat::Nv12 | PixelFormat::Yuv420 => {
            (picture.width(), png::ColorType::Grayscale)
        }
    };
    let row_bytes = columns as usize * color.samples();
    let rows = bytes.len().div_ceil(row_bytes.max(1));
    let mut encoder = png::Encoder::new(&mut *out, columns, rows as u32);
    encoder.set_color(color);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    // Luma and chroma alternate in a row of YUYV: only the row above is alike.
    let filter = match picture.format() {
        PixelFormat::Yuyv | PixelFormat::Nv12 => png::Filter::Up,
        PixelFormat::Grey | PixelFormat::Yuv420 | PixelFormat::Rgb => png::Filter::Sub,
    };
    encoder.set_filter(filter);
    let shape = format!(
        "{} {}x{} {} {}",
        name_of(&FORMATS, &picture.format()),
        picture.width(),
        picture.height(),
        name_of(&RANGES, &picture.color().range),
        name_of(&MATRICES, &picture.color().matrix),
    );
    encoder
        .add_text_chunk(SHAPE_KEY.to_owned(), shape)
        .map_err(failed)?;
    let mut writer = encoder.write_header().map_err(failed)?;
    // Planes of odd sizes leave the last row short.
    let missing = rows * row_bytes - bytes.len();
    if missing == 0 {
        writer.write_image_data(bytes).map_err(failed)?;
    } else {
        let mut whole = bytes.to_vec();
        whole.resize(bytes.len() + missing, 0);
        writer.write_image_data(&whole).map_err(failed)?;
    }
    writer.finish().map_err(failed)
}

/// Reads what `encode` wrote into `picture`, whose buffer is used again. `scratch` is for rows that end short.
pub fn decode_lossless(
    bytes: &[u8],
    picture: &mut Picture,
    scratch: &mut Vec<u8>,
) -> Result<(), LosslessError> {
    let failed = |error: png::DecodingError| LosslessError(error.to_string());
    let limits = png::Limits { bytes: MOST_BYTES };
    let mut reader = png::Decoder::new_with_limits(Cursor::new(bytes), limits)
        .read_info()
        .map_err(failed)?;
    let texts = &reader.info().uncompressed_latin1_text;
    let shape = texts.iter().find(|chunk| chunk.keyword == SHAPE_KEY);
    let shape = shape.ok_or_else(|| LosslessError("one without a shape".to_owned()))?;
    let unreadable = || LosslessError(format!("the shape '{}'", shape.text));
    let (format, width, height, color) = read_shape(&shape.text).ok_or_else(unreadable)?;
    let expected = format
        .byte_count(width, height)
        .filter(|count| *count <= MOST_BYTES)
        .ok_or_else(unreadable)?;
    let found = reader
        .output_buffer_size()
        .ok_or_else(|| LosslessError("one that is too large".to_owned()))?;
    // The last row may be padded, by less than itself.
    if found < expected || found - expected >= 3 * (width as usize).max(1) * 2 {
        return Err(LosslessError(format!(
            "{found} bytes for a picture of {expected}"
        )));
    }
    let target = picture
        .reshape(format, width, height, color)
        .map_err(|error| LosslessError(error.to_string()))?;
    if found == expected {
        reader.next_frame(target).map_err(failed)?;
    } else {
        scratch.resize(found, 0);
        reader.next_frame(scratch).map_err(failed)?;
        target.copy_from_slice(&scratch[..expected]);
    }
    Ok(())
}

fn read_shape(text: &str) -> Option<(PixelFormat, u32, u32, ColorEncoding)> {
    let mut words = text.split(' ');
    let format = value_of(&FORMATS, words.next())?;
    let (width, height) = words.next()?.split_once('x')?;
    let (width, height) = (width.parse().ok()?, height.parse().ok()?);
    let range = value_of(&RANGES, words.next())?;
    let matrix = value_of(&MATRICES, words.next())?;
    Some((format, width, height, ColorEncoding { range, matrix }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_picture() -> impl Strategy<Value = Picture> {
        let shape = (0..5_usize, 1..40_u32, 1..40_u32, 0..2_usize, 0..2_usize);
        shape.prop_flat_map(|(format, width, height, range, matrix)| {
            let format = FORMATS[format].0;
            // YUYV comes in pairs of pixels.
            let width = if format == PixelFormat::Yuyv {
                width * 2
            } else {
                width
            };
            let color = ColorEncoding {
                range: RANGES[range].0,
                matrix: MATRICES[matrix].0,
            };
            let count = format.byte_count(width, height).unwrap();
            prop::collection::vec(any::<u8>(), count)
                .prop_map(move |bytes| Picture::new(format, width, height, color, bytes).unwrap())
        })
    }

    proptest! {
        #[test]
        fn a_picture_of_any_format_and_size_comes_back_as_it_was(picture in any_picture()) {
            let (mut png, mut back) = (Vec::new(), Picture::default());
            encode(&picture, &mut png).unwrap();
            decode_lossless(&png, &mut back, &mut Vec::new()).unwrap();
            prop_assert_eq!(back, picture);
        }
    }

    #[test]
    fn a_png_that_is_not_ours_or_lies_about_its_size_is_refused() {
        let picture = Picture::new(PixelFormat::Grey, 4, 4, ColorEncoding::default(), vec![9; 16]).unwrap();
        let mut png = Vec::new();
        encode(&picture, &mut png).unwrap();
        let refuse = |bytes: &[u8]| {
            let mut picture = Picture::default();
            decode_lossless(bytes, &mut picture, &mut Vec::new())
                .unwrap_err()
                .to_string()
        };
        assert!(refuse(b"no png").contains("expected a PNG that ghostball wrote"));
        assert!(!refuse(&png[..png.len() / 2]).is_empty());

        let mut other = Vec::new();
        let mut encoder = png::Encoder::new(&mut other, 4, 4);
        encoder.set_color(png::ColorType::Grayscale);
        encoder
            .add_text_chunk(SHAPE_KEY.to_owned(), "grey 4000x4000 full bt601".to_owned())
            .unwrap();
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&[0; 16]).unwrap();
        writer.finish().unwrap();
        assert!(
            refuse(&other).ends_with("found 16 bytes for a picture of 16000000"),
            "{}",
            refuse(&other)
        );
    }
}
