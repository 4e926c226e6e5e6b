//! Runs detection over image files and prints what `ghostball detect --json` would, for scoring while developing.
//!
//! `detect_images IMAGE... > DETECTIONS.json`

mod load;

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use ghostball_detection::Detector;
use ghostball_world::{BallSet, BallSighting, Sightings, TableSighting};
use serde_json::{Map, Value, json};

#[expect(
    clippy::disallowed_methods,
    reason = "a developer's tool measures how long the work takes"
)]
#[expect(clippy::print_stdout, reason = "its output goes to stdout")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut all = Map::new();
    let mut detector = Detector::new(BallSet::Auto);
    let mut sightings = Sightings::default();
    for path in std::env::args().skip(1) {
        let picture = load::load(Path::new(&path))?;
        let started = Instant::now();
        let table = detector.find_table(&picture);
        if let Ok(table) = &table {
            detector.know_table(&picture, table)?;
        }
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
        "lens": table.lens.map(|lens| json!({
            "focal_px": lens.focal_px,
            "center": lens.center_in_image.to_array(),
            "radial": lens.radial,
        })),
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
