//! What detection costs, and by how much that exceeds reading the frame once.
//!
//! Rendered tables, pool with 16 balls and snooker with 22, 1280x720 and 1920x1080: balls and cue with the table known, the
//! table from nothing, and a plain read of the frame (the sum of its bytes), all in one run and one thread. Snooker costs
//! more: its balls are half as large in the picture, so all of it is looked at in full detail. Where `GHOSTBALL_SHARED` names the
//! folder of the shared footage, also balls and cue on its images: the median over those of one size.

#[path = "../examples/load/mod.rs"]
mod load;
#[path = "../examples/timing/mod.rs"]
mod timing;

use std::collections::BTreeMap;
use std::error::Error;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

use criterion::Criterion;
use ghostball_detection::Detector;
use ghostball_simulation::{Game, Specimen};
use ghostball_world::{BallSet, Picture, PixelFormat, Sightings};
use load::load;
use timing::{best_of, median};

const SIZES: [[u32; 2]; 2] = [[1280, 720], [1920, 1080]];
/// Games, and all the balls of each.
const GAMES: [(Game, &str, usize); 2] = [(Game::EightBall, "pool", 16), (Game::Snooker, "snooker", 22)];
/// Passes over an image of the footage, of which the best counts.
const PASSES: u32 = 15;

fn main() -> Result<(), Box<dyn Error>> {
    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    let mut report = Report::default();
    for (size, (game, name, balls)) in SIZES.into_iter().flat_map(|size| GAMES.map(|game| (size, game))) {
        let picture = rendered(game, balls, size)?;
        let [width, height] = size;
        let mut bench = |what: &str, pass: &mut dyn FnMut()| {
            report.measure(
                &mut criterion,
                size,
                &format!("{what}, {name} {width}x{height}"),
                pass,
            );
        };
        bench("plain read", &mut || {
            black_box(sum(&picture));
        });
        let mut detector = Detector::new(BallSet::Auto);
        let table = detector.find_table(&picture)?;
        bench("table from nothing", &mut || {
            black_box(detector.find_table(&picture).ok());
        });
        let mut sightings = Sightings::default();
        detector.see_balls_and_cue(&picture, &table, &mut sightings)?;
        bench("balls and cue", &mut || {
            black_box(detector.see_balls_and_cue(&picture, &table, &mut sightings).ok());
        });
    }
    report.print();
    match std::env::var_os("GHOSTBALL_SHARED") {
        Some(shared) => measure_footage(&PathBuf::from(shared).join("footage/images")),
        None => {
            println_to_developer("footage: skipped, GHOSTBALL_SHARED is not set");
            Ok(())
        }
    }
}

/// The first table of the simulated ones with all balls on it and nobody's arm over them.
fn rendered(game: Game, balls: usize, size: [u32; 2]) -> Result<Picture, Box<dyn Error>> {
    let specimen = (0..)
        .map(Specimen::random)
        .find(|specimen| {
            specimen.game == game && specimen.scene.balls.len() == balls && specimen.scene.arm.is_none()
        })
        .ok_or("no full table")?;
    let specimen = Specimen {
        size,
        format: PixelFormat::Yuv420,
        ..specimen
    };
    Ok(specimen.render()?.0)
}

/// The sum of all bytes of a picture's planes.
fn sum(picture: &Picture) -> u64 {
    let Some(planes) = picture.planes() else { return 0 };
    let sum = |samples: &[u8]| samples.iter().map(|sample| u64::from(*sample)).sum::<u64>();
    let chroma = planes
        .chroma
        .map_or(0, |chroma| sum(chroma.u.samples) + sum(chroma.v.samples));
    sum(planes.luma.samples) + chroma
}

/// Best times, milliseconds.
#[derive(Default)]
struct Report(Vec<([u32; 2], String, f64)>);

impl Report {
    fn measure(&mut self, criterion: &mut Criterion, size: [u32; 2], what: &str, pass: &mut dyn FnMut()) {
        let mut best = f64::INFINITY;
        criterion.bench_function(what, |bencher| {
            bencher.iter_custom(|count| {
                let started = now();
                for _ in 0..count {
                    pass();
                }
                let elapsed = started.elapsed();
                best = best.min(1e3 * elapsed.as_secs_f64() / count as f64);
                elapsed
            });
        });
        // Filters on the command line leave some out.
        if best.is_finite() {
            self.0.push((size, what.to_owned(), best));
        }
    }

    fn print(&self) {
        for (size, what, ms) in &self.0 {
            let read = self
                .0
                .iter()
                .find(|(of, what, _)| of == size && what.starts_with("plain"));
            let ratio = read.map_or(String::new(), |(_, _, read)| {
                format!(", {:.1} times a plain read", ms / read)
            });
            println_to_developer(&format!("{what}: {ms:.3} ms{ratio}"));
        }
    }
}

fn measure_footage(images: &Path) -> Result<(), Box<dyn Error>> {
    let mut by_size: BTreeMap<[u32; 2], Vec<[f64; 2]>> = BTreeMap::new();
    for path in images_below(images)? {
        let picture = load(&path)?;
        let size = [picture.width(), picture.height()];
        let mut detector = Detector::new(BallSet::Auto);
        let Ok(table) = detector.find_table(&picture) else {
            continue;
        };
        let mut sightings = Sightings::default();
        let seen = best_of(PASSES, || {
            black_box(detector.see_balls_and_cue(&picture, &table, &mut sightings).ok());
        });
        let read = best_of(PASSES, || {
            black_box(sum(&picture));
        });
        by_size.entry(size).or_default().push([seen, read]);
    }
    for ([width, height], times) in by_size {
        let [seen, read] = [0, 1].map(|i| median(times.iter().map(|times| times[i]).collect()));
        println_to_developer(&format!(
            "footage, balls and cue, median of {} images of {width}x{height}: {seen:.3} ms, {:.1} times a plain read",
            times.len(),
            seen / read
        ));
    }
    Ok(())
}

fn images_below(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut images = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            images.extend(images_below(&path)?);
        } else if path.extension().is_some_and(|e| e == "jpg" || e == "png") {
            images.push(path);
        }
    }
    images.sort();
    Ok(images)
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
