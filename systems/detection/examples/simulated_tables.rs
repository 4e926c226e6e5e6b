//! Looks at simulated tables of many seeds and prints, for each, what was missed and how far off the rest is.
//!
//! `simulated_tables [--from N] [--count N] [--seeds 3,17,40] [--table truth] [--rolling RADII] [--all] [--pictures FOLDER
//! [--worst N]]`
//!
//! With `--rolling`, balls that have room roll and draw streaks of that length. One line per seed that is not perfect (all
//! with `--all`), then the totals. With `--pictures`, the worst frames (of all with `--all`) are written as PNG, truth in green and what was seen
//! in red, with enlarged cut-outs of everything missed (yellow frame) or invented (magenta frame) below.
#![expect(clippy::print_stdout, reason = "its output goes to stdout")]

#[path = "../tests/simulated/mod.rs"]
mod simulated;

use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use ghostball_detection::{BallFinder, ClothModel, Detector};
use ghostball_simulation::{GroundTruth, Specimen};
use ghostball_world::{BallSet, CircleInImage};
use glam::DVec2;
use simulated::{Outcome, Rendered, TableFrom, Totals, mean, set_rolling};

const GREEN: [u8; 3] = [60, 255, 60];
const RED: [u8; 3] = [255, 40, 40];
const YELLOW: [u8; 3] = [255, 255, 0];
const MAGENTA: [u8; 3] = [255, 0, 255];

fn main() -> Result<(), Box<dyn Error>> {
    let (mut from, mut count, mut worst) = (0_u64, 200_u64, 12_usize);
    let (mut seeds, mut folder) = (None, None::<PathBuf>);
    let (mut table_from, mut prints_all) = (TableFrom::Picture, false);
    let mut streak_in_radii = 0.0;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .ok_or_else(|| format!("{argument} needs a value"))
        };
        match argument.as_str() {
            "--from" => from = value()?.parse()?,
            "--count" => count = value()?.parse()?,
            "--worst" => worst = value()?.parse()?,
            "--seeds" => {
                seeds = Some(
                    value()?
                        .split(',')
                        .map(str::parse)
                        .collect::<Result<Vec<u64>, _>>()?,
                )
            }
            "--table" if value()? == "truth" => table_from = TableFrom::Truth,
            "--rolling" => streak_in_radii = value()?.parse()?,
            "--pictures" => folder = Some(value()?.into()),
            "--all" => prints_all = true,
            _ => return Err(format!("unknown argument {argument}").into()),
        }
    }
    let seeds = seeds.unwrap_or_else(|| (from..from + count).collect());
    let mut detector = Detector::new(BallSet::Auto);
    let (mut totals, mut bad) = (Totals::default(), Vec::new());
    println!(
        "seed game layout size cloth | balls missed invented | centre px mean/most | corners px | ball size % | kinds \
         numbers | place mm"
    );
    let specimen_of = |seed| {
        let mut specimen = Specimen::random(seed);
        if streak_in_radii > 0.0 {
            set_rolling(&mut specimen, streak_in_radii);
        }
        specimen
    };
    for seed in seeds {
        let specimen = specimen_of(seed);
        let rendered = Rendered::new(&specimen);
        let outcome = rendered.look(table_from, &mut detector);
        let mut one = Totals::default();
        one.add(&outcome);
        totals.merge(&one);
        let badness = cost(&one);
        if badness > 0.0 || prints_all {
            print_line(&specimen, &rendered, &outcome, &one);
        }
        if folder.is_some() && (badness > 0.0 || prints_all) {
            bad.push((badness, seed));
        }
    }
    println!("{totals}");
    if let Some(folder) = folder {
        std::fs::create_dir_all(&folder)?;
        bad.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (_, seed) in bad.iter().take(worst) {
            let rendered = Rendered::new(&specimen_of(*seed));
            let outcome = rendered.look(table_from, &mut detector);
            write_picture(&rendered, &outcome, &folder.join(format!("seed_{seed}.png")))?;
        }
    }
    Ok(())
}

/// 0 where nothing is missed or invented and all is where it belongs.
fn cost(one: &Totals) -> f64 {
    let wrong = (one.missed + one.invented) as f64;
    let corners = one.corner_errors_px.first().copied().unwrap_or(100.0);
    let most = one.errors_px.iter().copied().fold(0.0, f64::max);
    wrong + if corners > 4.0 { corners } else { 0.0 } + if most > 0.8 { most } else { 0.0 }
}

fn print_line(specimen: &Specimen, rendered: &Rendered, outcome: &Outcome, one: &Totals) {
    let [r, g, b] = specimen.hall.look.cloth;
    let most = one.errors_px.iter().copied().fold(0.0, f64::max);
    let optional = |value: Option<f64>| value.map_or("none".to_owned(), |value| format!("{value:.2}"));
    println!(
        "{} {} {:?} {}x{} #{r:02x}{g:02x}{b:02x} | {} {} {} | {:.3}/{:.2} | {} | {} | {}/{} {}/{} | {:.2}",
        specimen.seed,
        specimen.game.name(),
        specimen.layout,
        specimen.size[0],
        specimen.size[1],
        rendered.truth.balls.len(),
        one.missed,
        one.invented,
        mean(&one.errors_px),
        most,
        optional(outcome.corner_error_px),
        optional(outcome.ball_size_error.map(|error| 100.0 * error)),
        one.kinds,
        one.hits,
        one.numbers,
        one.numbered,
        1e3 * mean(&one.place_errors),
    );
    for ball in &outcome.missed {
        let CircleInImage { center, radius } = ball.circle_in_image;
        println!(
            "    missed {:?} {} at {:.1} {:.1} radius {:.1}, seen {:.2}{}",
            ball.kind,
            ball.number.map_or(String::new(), |n| n.to_string()),
            center.x,
            center.y,
            radius,
            ball.visible_share,
            if ball.is_moving { ", moving" } else { "" }
        );
        print_why(rendered, outcome, center, radius);
    }
    for ball in &outcome.invented {
        let CircleInImage { center, radius } = ball.circle;
        println!(
            "    invented at {:.1} {:.1} radius {:.1} confidence {:.2}",
            center.x, center.y, radius, ball.confidence
        );
    }
    for pair in outcome
        .pairs
        .iter()
        .filter(|pair| pair.error_px > 0.8 && !pair.truth.is_moving)
    {
        let center = pair.truth.circle_in_image.center;
        println!(
            "    off by {:.2} at {:.1} {:.1}",
            pair.error_px, center.x, center.y
        );
    }
}

/// What was seen round a place where a ball was missed: candidates within a radius, with what speaks for them.
fn print_why(rendered: &Rendered, outcome: &Outcome, center: DVec2, radius: f64) {
    let (Some(table), Some(planes)) = (&outcome.table, rendered.picture.planes()) else {
        return;
    };
    let mut cloth = ClothModel::new();
    cloth.learn(&planes, &table.corners_in_image);
    let size = [rendered.picture.width(), rendered.picture.height()];
    let mut finder = BallFinder::new(table, size, BallSet::Auto);
    finder.find(&planes, &cloth, &mut Vec::new());
    for (found, truth) in table
        .pockets_in_image
        .iter()
        .zip(&rendered.truth.table.pockets_in_image)
    {
        if truth.center.distance(center) < truth.radius + 3.0 * radius {
            println!(
                "        near a pocket at {:.1} {:.1} radius {:.1}, found at {:.1} {:.1} radius {:.1}",
                truth.center.x, truth.center.y, truth.radius, found.center.x, found.center.y, found.radius
            );
        }
    }
    for (candidate, rim, score) in finder.looked_at() {
        let off = candidate.center.distance(center);
        if off <= radius {
            let [agreeing, covered, dark, free, beyond] =
                [rim.agreeing, rim.covered, rim.dark, rim.free, rim.beyond].map(u32::count_ones);
            println!(
                "        {off:.1} px beside it: score {score:.2}, votes {:.2}, rays of 32: {agreeing} rim, {covered} \
                 covered, {dark} dark, {free} free, {beyond} beyond; radius {:.1}, fill {:.2} {:.2}, hollow {}, shade {}, \
                 highlight {}, gloss {}",
                candidate.share,
                rim.ellipse.radius,
                rim.fill,
                rim.dark_fill,
                rim.is_hollow,
                rim.is_shade,
                rim.has_highlight,
                rim.is_glossy,
            );
        }
    }
}

/// Red, green, blue; rows from the top.
struct Drawing {
    width: usize,
    height: usize,
    bytes: Vec<u8>,
}

impl Drawing {
    fn dot(&mut self, at: DVec2, color: [u8; 3]) {
        let (x, y) = (at.x.round(), at.y.round());
        if x >= 0.0 && y >= 0.0 && (x as usize) < self.width && (y as usize) < self.height {
            let start = 3 * (y as usize * self.width + x as usize);
            self.bytes[start..start + 3].copy_from_slice(&color);
        }
    }

    fn line(&mut self, from: DVec2, to: DVec2, color: [u8; 3]) {
        let steps = from.distance(to).ceil().max(1.0) as u32;
        for i in 0..=steps {
            self.dot(from.lerp(to, f64::from(i) / f64::from(steps)), color);
        }
    }

    fn circle(&mut self, circle: CircleInImage, color: [u8; 3]) {
        let corner = |i: u32| {
            let (sin, cos) = libm::sincos(core::f64::consts::TAU * f64::from(i) / 60.0);
            circle.center + circle.radius * DVec2::new(cos, sin)
        };
        for i in 0..60 {
            self.line(corner(i), corner(i + 1), color);
        }
    }
}

/// Enlargement of the cut-outs, and their width in the picture.
const ZOOM: usize = 6;
const CUT: usize = 64;

fn write_picture(rendered: &Rendered, outcome: &Outcome, path: &Path) -> Result<(), Box<dyn Error>> {
    let picture = &rendered.picture;
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let missed = outcome
        .missed
        .iter()
        .map(|ball| (ball.circle_in_image.center, YELLOW));
    let invented = outcome.invented.iter().map(|ball| (ball.circle.center, MAGENTA));
    let off = outcome.pairs.iter().filter(|pair| pair.error_px > 0.8);
    let off = off.map(|pair| (pair.truth.circle_in_image.center, RED));
    let cuts: Vec<(DVec2, [u8; 3])> = missed.chain(invented).chain(off).take(16).collect();
    let side = ZOOM * CUT;
    let columns = (width / side).max(1);
    let mut drawing = Drawing {
        width,
        height: height + cuts.len().div_ceil(columns) * side,
        bytes: Vec::new(),
    };
    drawing.bytes.resize(3 * width * drawing.height, 0);
    for y in 0..height {
        for x in 0..width {
            drawing.dot(DVec2::new(x as f64, y as f64), picture.rgb_at(x as u32, y as u32));
        }
    }
    outline(&rendered.truth, outcome, &mut drawing, DVec2::ZERO, 1.0, true);
    for (i, (center, color)) in cuts.iter().enumerate() {
        let corner = DVec2::new((i % columns * side) as f64, (height + i / columns * side) as f64);
        let start = center.round() - DVec2::splat(0.5 * CUT as f64);
        let mut cut = Drawing {
            width: side,
            height: side,
            bytes: vec![0; 3 * side * side],
        };
        for y in 0..side {
            for x in 0..side {
                let from = start + DVec2::new((x / ZOOM) as f64, (y / ZOOM) as f64);
                if from.cmpge(DVec2::ZERO).all() && from.x < width as f64 && from.y < height as f64 {
                    let color = picture.rgb_at(from.x as u32, from.y as u32);
                    cut.dot(DVec2::new(x as f64, y as f64), color);
                }
            }
        }
        outline(
            &rendered.truth,
            outcome,
            &mut cut,
            start - 0.5,
            ZOOM as f64,
            false,
        );
        let last = side as f64 - 1.0;
        let frame = [[0.0, 0.0], [last, 0.0], [last, last], [0.0, last]].map(DVec2::from);
        for i in 0..4 {
            cut.line(frame[i], frame[(i + 1) % 4], *color);
        }
        for y in 0..side {
            let to = 3 * ((corner.y as usize + y) * width + corner.x as usize);
            drawing.bytes[to..to + 3 * side].copy_from_slice(&cut.bytes[3 * y * side..3 * (y + 1) * side]);
        }
    }
    let file = BufWriter::new(File::create(path)?);
    let mut encoder = png::Encoder::new(file, drawing.width as u32, drawing.height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::Fast);
    encoder.write_header()?.write_image_data(&drawing.bytes)?;
    Ok(())
}

/// Truth in green, what was seen in red; `start` is the point of the picture at the drawing's corner.
fn outline(
    truth: &GroundTruth,
    outcome: &Outcome,
    drawing: &mut Drawing,
    start: DVec2,
    zoom: f64,
    has_table: bool,
) {
    let shown = |point: DVec2| zoom * (point - start) - if zoom > 1.0 { 0.5 } else { 0.0 };
    let circle = |circle: CircleInImage| CircleInImage {
        center: shown(circle.center),
        radius: zoom * circle.radius,
    };
    if has_table {
        let found = outcome.table.map(|table| (table.corners_in_image, RED));
        for (corners, color) in [(truth.table.corners_in_image, GREEN)].into_iter().chain(found) {
            for i in 0..4 {
                drawing.line(shown(corners[i]), shown(corners[(i + 1) % 4]), color);
            }
        }
        for pocket in &truth.table.pockets_in_image {
            drawing.circle(circle(*pocket), GREEN);
        }
    }
    for ball in &truth.balls {
        drawing.circle(circle(ball.circle_in_image), GREEN);
    }
    let pairs = outcome.pairs.iter().map(|pair| pair.seen.circle);
    for seen in pairs.chain(outcome.invented.iter().map(|ball| ball.circle)) {
        drawing.circle(circle(seen), RED);
    }
}
