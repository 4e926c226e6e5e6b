//! Writes frames of a simulated table as PNG files, to look at, and says how long a frame takes.
//!
//! `cargo run --release -p ghostball_simulation --example render_frames -- OUT_FOLDER [SEED [GAME [FRAMES [EVERY [WIDTHxHEIGHT]]]]]`
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a tool for developers that measures time"
)]

use std::fs::File;
use std::path::Path;
use std::time::Instant;

use ghostball_simulation::{SimulatedTable, SimulationOptions};
use ghostball_world::Picture;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |i: usize, default: &str| arguments.get(i).map_or(default.to_owned(), Clone::clone);
    let folder = argument(0, ".");
    let (frames, every) = (
        argument(3, "300").parse::<u64>()?,
        argument(4, "30").parse::<u64>()?.max(1),
    );
    let size = argument(5, "1280x720");
    let (width, height) = size.split_once('x').ok_or("expected a size like 1280x720")?;
    let options = SimulationOptions {
        seed: argument(1, "1").parse()?,
        game: argument(2, "8ball").parse()?,
        width: width.parse()?,
        height: height.parse()?,
        ..SimulationOptions::default()
    };
    let began = Instant::now();
    let mut table = SimulatedTable::new(options)?;
    println!("set up in {:.0} ms", 1e3 * began.elapsed().as_secs_f64());
    let mut picture = Picture::default();
    let mut millis = Vec::new();
    for frame in 0..frames {
        let began = Instant::now();
        table.render_next(&mut picture)?;
        millis.push(1e3 * began.elapsed().as_secs_f64());
        if frame % every == 0 {
            write_png(&picture, &Path::new(&folder).join(format!("{frame:05}.png")))?;
        }
    }
    millis.sort_by(f64::total_cmp);
    let at = |share: usize| millis.get((millis.len() * share / 100).min(millis.len().saturating_sub(1)));
    println!(
        "ms per frame: median {:.2}, 95 % {:.2}, most {:.2}",
        at(50).unwrap_or(&0.0),
        at(95).unwrap_or(&0.0),
        at(100).unwrap_or(&0.0)
    );
    Ok(())
}

fn write_png(picture: &Picture, path: &Path) -> Result<(), Failure> {
    let (width, height) = (picture.width(), picture.height());
    let pixels = (0..height).flat_map(|y| (0..width).flat_map(move |x| picture.rgb_at(x, y)));
    let mut encoder = png::Encoder::new(File::create(path)?, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder
        .write_header()?
        .write_image_data(&pixels.collect::<Vec<u8>>())?;
    Ok(())
}
