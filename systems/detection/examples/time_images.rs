//! Measures how long balls and cue take on image files, with table and cloth known.
//!
//! `time_images [--repeat N] IMAGE...` prints, per image, the best of N (30) passes in milliseconds, and at the end the
//! medians over the images of each size. `fill`, `edges` and `votes` are the parts that find candidates; `all` is everything.

mod load;
mod timing;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use ghostball_detection::balls::edges::EdgeFinder;
use ghostball_detection::balls::place::BallPlace;
use ghostball_detection::balls::votes::Votes;
use ghostball_detection::balls::work::WorkPicture;
use ghostball_detection::cue::{CueFinder, CueScene};
use ghostball_detection::{ClothModel, Detector};
use ghostball_world::{BallSet, Sightings};
use load::load;
use timing::{best_of, median};

#[expect(clippy::print_stdout, reason = "its output goes to stdout")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut paths: Vec<String> = std::env::args().skip(1).collect();
    let mut repeat = 30;
    if let Some(at) = paths.iter().position(|path| path == "--repeat") {
        repeat = paths.get(at + 1).ok_or("--repeat needs a number")?.parse()?;
        paths.drain(at..at + 2);
    }
    let mut by_size: BTreeMap<[u32; 2], Vec<[f64; 9]>> = BTreeMap::new();
    let row = |what: &str, [learn, fill, edge, votes, cue, all, edges, candidates, balls]: [f64; 9]| {
        println!(
            "{what:40} learn {learn:6.3}  fill {fill:6.3}  edges {edge:6.3}  votes {votes:6.3}  cue {cue:6.3}  all {all:6.3} ms  edges {edges:6.0}  candidates {candidates:4.0}  balls {balls:3.0}"
        );
    };
    for path in paths {
        let picture = load(Path::new(&path))?;
        let size = [picture.width(), picture.height()];
        let mut detector = Detector::new(BallSet::Auto);
        let Ok(table) = detector.find_table(&picture) else {
            println!("{path:40} no table");
            continue;
        };
        let planes = picture.planes().ok_or("a picture without planes")?;
        let mut sightings = Sightings::default();
        detector.see_balls_and_cue(&picture, &table, &mut sightings)?;
        let mut failed = None;
        let all = best_of(repeat, || {
            failed = detector.see_balls_and_cue(&picture, &table, &mut sightings).err();
        });
        if let Some(error) = failed {
            return Err(error.into());
        }
        let mut cloth = ClothModel::new();
        let learn = best_of(repeat, || cloth.learn(&planes, &table.corners_in_image));
        let place = BallPlace::new(&table);
        let mut work = WorkPicture::new(&place, size.map(|v| v as usize));
        let fill = best_of(repeat, || work.fill(&planes));
        let (mut votes, mut candidates) = (Votes::default(), Vec::new());
        let noise = cloth.spread.map(|spread| spread.max(1.0));
        let mut edges = EdgeFinder::new(&place, &work);
        let edge = best_of(repeat, || edges.find(&work, noise));
        let find = best_of(repeat, || votes.find(&edges, &work, &place, 160, &mut candidates));
        let mut cues = CueFinder::new();
        let find_cue = best_of(repeat, || {
            cues.find(&CueScene {
                planes: &planes,
                table: &table,
                cloth: &cloth,
                work: &work,
                edges: edges.edges(),
                balls: &sightings.balls,
            });
        });
        let counts = [edges.edges().len(), candidates.len(), sightings.balls.len()].map(|n| n as f64);
        let figures = [
            learn, fill, edge, find, find_cue, all, counts[0], counts[1], counts[2],
        ];
        row(&path, figures);
        by_size.entry(size).or_default().push(figures);
    }
    for ([width, height], images) in by_size {
        let median = |i: usize| median(images.iter().map(|figures| figures[i]).collect());
        let what = format!("median of {} at {width}x{height}", images.len());
        row(&what, std::array::from_fn(median));
    }
    Ok(())
}
