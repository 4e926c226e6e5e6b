//! Runs detection over image files and prints what `ghostball detect --json` would, for scoring while developing.
//!
//! `detect_images IMAGE... > DETECTIONS.json`

use std::error::Error;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::Instant;

use ghostball_detection::Detector;
use ghostball_world::{BallSet, BallSighting, ColorEncoding, Picture, PixelFormat, Sightings, TableSighting};
use serde_json::{Map, Value, json};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

#[expect(
    clippy::disallowed_methods,
    reason = "a developer's tool measures how long the work takes"
)]
#[expect(clippy::print_stdout, reason = "its output goes to stdout")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut all = Map::new();
    let mut detector = Detector::new(BallSet::Auto);
    let mut converted = Picture::default();
    let mut sightings = Sightings::default();
    for path in std::env::args().skip(1) {
        let mut picture = load(Path::new(&path))?;
        if picture.planes().is_none() {
            picture.convert_to_yuv420(&mut converted)?;
            std::mem::swap(&mut picture, &mut converted);
        }
        let started = Instant::now();
        let table = detector.find_table(&picture);
        let table_ms = 1e3 * started.elapsed().as_secs_f64();
        let started = Instant::now();
        match &table {
            Ok(table) => detector.see_balls_and_cue(&picture, table, &mut sightings)?,
            Err(_) => sightings = Sightings::default(),
        }
        let ms = 1e3 * started.elapsed().as_secs_f64();
        let found = json!({
            "size": [picture.width(), picture.height()],
            "table": table.as_ref().map_or_else(|error| json!({ "error": error.to_string() }), table_as_json),
            "balls": sightings.balls.iter().map(ball_as_json).collect::<Vec<_>>(),
            "cue": sightings.cue.map(|cue| json!({
                "tip": cue.tip_in_image.to_array(),
                "butt": cue.butt_in_image.to_array(),
                "confidence": cue.confidence,
            })),
            "ms": ms,
            "table_ms": table_ms,
        });
        all.insert(path, found);
    }
    println!("{}", Value::Object(all));
    Ok(())
}

fn table_as_json(table: &TableSighting) -> Value {
    json!({
        "corners": table.corners_in_image.map(|corner| corner.to_array()),
        "pockets": table.pockets_in_image.map(|pocket| [pocket.center.x, pocket.center.y, pocket.radius]),
        "ball_radius_px": table.ball_radius_px,
        "confidence": table.confidence,
    })
}

fn ball_as_json(ball: &BallSighting) -> Value {
    json!({
        "x": ball.circle.center.x,
        "y": ball.circle.center.y,
        "r": ball.circle.radius,
        "kind": ball.kind.name(),
        "number": ball.number,
        "confidence": ball.confidence,
    })
}

fn load(path: &Path) -> Result<Picture, Box<dyn Error>> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("png") => load_png(path),
        _ => load_jpeg(path),
    }
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
