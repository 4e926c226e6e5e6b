//! Tells what was seen round a place in a picture: why a ball was found there, or not.
//!
//! `look_at IMAGE X Y` prints every candidate within a ball's radius of the place with what speaks for it and against it,
//! on the table that is found in the picture.

mod load;

use std::error::Error;
use std::path::Path;

use ghostball_detection::{BallFinder, ClothModel, Detector};
use ghostball_world::BallSet;
use glam::DVec2;
use load::load;

#[expect(clippy::print_stdout, reason = "its output goes to stdout")]
fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [path, x, y] = &words[..] else {
        return Err("expected IMAGE X Y".into());
    };
    let place = DVec2::new(x.parse()?, y.parse()?);
    let picture = load(Path::new(path))?;
    let table = Detector::new(BallSet::Auto).find_table(&picture)?;
    let planes = picture.planes().ok_or("a picture without planes")?;
    let mut cloth = ClothModel::new();
    cloth.learn(&planes, &table.corners_in_image);
    let mut finder = BallFinder::new(&table, [picture.width(), picture.height()], BallSet::Auto);
    finder.find(&planes, &cloth, &mut Vec::new());
    println!(
        "cloth varies by {:?} (Y, U, V); a ball's radius is {:.2} px",
        cloth.spread, table.ball_radius_px
    );
    for (candidate, rim, score) in finder.looked_at() {
        if candidate.center.distance(place) <= table.ball_radius_px {
            println!(
                "score {score:.2}, votes {:.2} of a rim: {rim:#?}",
                candidate.share
            );
        }
    }
    Ok(())
}
