//! Image files as pictures, for the developer's tools.

use std::error::Error;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use ghostball_world::{ColorEncoding, Picture, PixelFormat};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

/// The picture in a file, as planes.
pub fn load(path: &Path) -> Result<Picture, Box<dyn Error>> {
    let picture = match path.extension().and_then(|extension| extension.to_str()) {
        Some("png") => load_png(path)?,
        _ => load_jpeg(path)?,
    };
    if picture.planes().is_some() {
        return Ok(picture);
    }
    let mut converted = Picture::default();
    picture.convert_to_yuv420(&mut converted)?;
    Ok(converted)
}

fn load_jpeg(path: &Path) -> Result<Picture, Box<dyn Error>> {
    let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::YCbCr);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(std::fs::read(path)?), options);
    let pixels = decoder.decode()?;
    let (width, height) = decoder.dimensions().ok_or("a JPEG without a size")?;
    let mut picture = Picture::default();
    let format = PixelFormat::Yuv420;
    let bytes = picture.reshape(format, width as u32, height as u32, ColorEncoding::default())?;
    let (chroma_width, chroma_height) = (width.div_ceil(2), height.div_ceil(2));
    let (luma, chroma) = bytes.split_at_mut(width * height);
    for (out, pixel) in luma.iter_mut().zip(pixels.chunks_exact(3)) {
        *out = pixel[0];
    }
    for (plane, out) in chroma.chunks_exact_mut(chroma_width * chroma_height).enumerate() {
        for y in 0..chroma_height {
            for x in 0..chroma_width {
                let at = |dx: usize, dy: usize| {
                    let (x, y) = ((2 * x + dx).min(width - 1), (2 * y + dy).min(height - 1));
                    u32::from(pixels[3 * (y * width + x) + 1 + plane])
                };
                out[y * chroma_width + x] = ((at(0, 0) + at(1, 0) + at(0, 1) + at(1, 1) + 2) / 4) as u8;
            }
        }
    }
    Ok(picture)
}

fn load_png(path: &Path) -> Result<Picture, Box<dyn Error>> {
    let mut decoder = png::Decoder::new(BufReader::new(File::open(path)?));
    decoder.set_transformations(png::Transformations::normalize_to_color8() | png::Transformations::STRIP_16);
    let mut reader = decoder.read_info()?;
    let mut bytes = vec![0; reader.output_buffer_size().ok_or("a PNG too large for memory")?];
    let info = reader.next_frame(&mut bytes)?;
    let samples = info.color_type.samples();
    let rgb = bytes[..info.buffer_size()]
        .chunks_exact(samples)
        .flat_map(|pixel| {
            if samples >= 3 {
                [pixel[0], pixel[1], pixel[2]]
            } else {
                [pixel[0]; 3]
            }
        })
        .collect();
    Ok(Picture::new(
        PixelFormat::Rgb,
        info.width,
        info.height,
        ColorEncoding::default(),
        rgb,
    )?)
}
