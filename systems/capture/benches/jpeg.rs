//! What a camera's JPEG costs, from its bytes to planes, and by how much that exceeds reading the planes once.
//!
//! A rendered table in 4:2:2, as webcams have it, and 4:2:0, 1280x720 and 1920x1080. Where `GHOSTBALL_SHARED` names the folder
//! of the shared footage, also its images: the median over those of one size.
//!
//! On that footage, one thread of a quiet machine, medians of 99 images of 1280x720 and 34 of 1920x1080, milliseconds:
//!
//! | decoder | 720p | 1080p |
//! |---|---|---|
//! | zune-jpeg 0.5 and our own splitting into planes | 4.69 | 10.3 |
//! | libjpeg-turbo 2.1.5, as `turbojpeg` calls it, straight to planes | 2.73 | 5.97 |
//!
//! Turbo takes just under 60 % of that, and is C and assembler that need CMake and NASM to build: not taken, as one core decodes 1080p at
//! 97 frames a second without it.

use std::collections::BTreeMap;
use std::error::Error;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

use criterion::Criterion;
use ghostball_capture::JpegDecoder;
use ghostball_simulation::{SimulatedTable, SimulationOptions};
use ghostball_world::Picture;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

const SIZES: [[u16; 2]; 2] = [[1280, 720], [1920, 1080]];
const SAMPLINGS: [(&str, SamplingFactor); 2] =
    [("4:2:2", SamplingFactor::F_2_1), ("4:2:0", SamplingFactor::F_2_2)];
/// Passes over an image of the footage, of which the best counts.
const PASSES: u32 = 15;

fn main() -> Result<(), Box<dyn Error>> {
    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    for ([width, height], (name, sampling)) in SIZES.into_iter().flat_map(|size| SAMPLINGS.map(|s| (size, s)))
    {
        let jpeg = rendered(width, height, sampling)?;
        let (mut decoder, mut picture) = (JpegDecoder::default(), Picture::default());
        decoder.decode(&jpeg, &mut picture)?;
        let mut best = f64::INFINITY;
        criterion.bench_function(&format!("{name} {width}x{height}"), |bencher| {
            bencher.iter_custom(|count| {
                let started = now();
                for _ in 0..count {
                    black_box(decoder.decode(&jpeg, &mut picture).is_ok());
                }
                let elapsed = started.elapsed();
                best = best.min(1e3 * elapsed.as_secs_f64() / count as f64);
                elapsed
            });
        });
        tell(
            &format!("rendered, {name} {width}x{height}, {} KB", jpeg.len() / 1000),
            best,
            &picture,
        );
    }
    match std::env::var_os("GHOSTBALL_SHARED") {
        Some(shared) => measure_footage(&PathBuf::from(shared).join("footage/images")),
        None => {
            println_to_developer("footage: skipped, GHOSTBALL_SHARED is not set");
            Ok(())
        }
    }
}

/// A picture of the simulated table.
fn rendered(width: u16, height: u16, sampling: SamplingFactor) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut table = SimulatedTable::new(SimulationOptions {
        width: width.into(),
        height: height.into(),
        ..SimulationOptions::default()
    })?;
    let mut picture = Picture::default();
    table.render_next(&mut picture)?;
    let pixels = (0..picture.height()).flat_map(|y| (0..picture.width()).map(move |x| (x, y)));
    let rgb: Vec<u8> = pixels.flat_map(|(x, y)| picture.rgb_at(x, y)).collect();
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, 85);
    encoder.set_sampling_factor(sampling);
    encoder.encode(&rgb, width, height, ColorType::Rgb)?;
    Ok(jpeg)
}

fn measure_footage(images: &Path) -> Result<(), Box<dyn Error>> {
    let (mut decoder, mut picture) = (JpegDecoder::default(), Picture::default());
    let mut by_size: BTreeMap<[u32; 2], Vec<f64>> = BTreeMap::new();
    let mut last_of_size: BTreeMap<[u32; 2], Picture> = BTreeMap::new();
    for path in jpegs_below(images)? {
        let jpeg = std::fs::read(&path)?;
        decoder.decode(&jpeg, &mut picture)?;
        let best = best_of(|| {
            black_box(decoder.decode(&jpeg, &mut picture).is_ok());
        });
        let size = [picture.width(), picture.height()];
        by_size.entry(size).or_default().push(best);
        last_of_size.insert(size, picture.clone());
    }
    for (size @ [width, height], mut times) in by_size {
        times.sort_by(f64::total_cmp);
        let what = format!("footage, median of {} images of {width}x{height}", times.len());
        tell(&what, times[times.len() / 2], &last_of_size[&size]);
    }
    Ok(())
}

fn jpegs_below(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut jpegs = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            jpegs.extend(jpegs_below(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "jpg") {
            jpegs.push(path);
        }
    }
    jpegs.sort();
    Ok(jpegs)
}

/// Milliseconds.
fn best_of(mut pass: impl FnMut()) -> f64 {
    let time = |_| {
        let started = now();
        pass();
        1e3 * started.elapsed().as_secs_f64()
    };
    (0..PASSES).map(time).fold(f64::INFINITY, f64::min)
}

fn tell(what: &str, ms: f64, picture: &Picture) {
    let read = best_of(|| {
        black_box(picture.bytes().iter().map(|byte| u64::from(*byte)).sum::<u64>());
    });
    println_to_developer(&format!(
        "{what}: {ms:.2} ms, {:.1} times a plain read, {:.0} % of a core at 30 frames a second",
        ms / read,
        ms * 3.0
    ));
}

#[expect(
    clippy::disallowed_methods,
    reason = "a bench measures how long the work takes"
)]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::print_stdout, reason = "a bench tells its results")]
fn println_to_developer(line: &str) {
    println!("{line}");
}
