//! Runs the ball finder over raw pictures whose table is known, for measuring it apart from the table finder.
//!
//! `find_balls MANIFEST > DETECTIONS.json`; a line of the manifest is `FILE NAME WIDTH HEIGHT BALL_RADIUS` followed by
//! 4 corners (x y) and 6 pockets (x y r). Files are planes Y, U, V (4:2:0).

use std::error::Error;
use std::time::Instant;

use ghostball_detection::{BallFinder, ClothModel};
use ghostball_world::{BallSet, CircleInImage, ColorEncoding, Picture, PixelFormat, TableSighting};
use glam::DVec2;
use serde_json::{Map, Value, json};

#[expect(
    clippy::disallowed_methods,
    reason = "a developer's tool measures how long the work takes"
)]
#[expect(clippy::print_stdout, reason = "its output goes to stdout")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut all = Map::new();
    let manifest = std::env::args().nth(1).ok_or("a manifest is needed")?;
    let root = std::path::Path::new(&manifest).parent().ok_or("no folder")?;
    let rounds = std::env::args().nth(2).map_or(Ok(1), |n| n.parse())?;
    for line in std::fs::read_to_string(&manifest)?.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let v: Vec<f64> = words[2..].iter().map(|w| w.parse()).collect::<Result<_, _>>()?;
        let bytes = std::fs::read(root.join(words[0]))?;
        let (width, height) = (v[0] as u32, v[1] as u32);
        let picture = Picture::new(
            PixelFormat::Yuv420,
            width,
            height,
            ColorEncoding::default(),
            bytes,
        )?;
        let planes = picture.planes().ok_or("an empty picture")?;
        let table = TableSighting {
            corners_in_image: [0, 1, 2, 3].map(|i| DVec2::new(v[3 + 2 * i], v[4 + 2 * i])),
            pockets_in_image: [0, 1, 2, 3, 4, 5].map(|i| CircleInImage {
                center: DVec2::new(v[11 + 3 * i], v[12 + 3 * i]),
                radius: v[13 + 3 * i],
            }),
            ball_radius_px: v[2],
            lens: None,
            confidence: 1.0,
        };
        let mut cloth = ClothModel::new();
        cloth.learn(&planes, &table.corners_in_image);
        let mut finder = BallFinder::new(&table, [width, height], BallSet::Auto);
        let mut balls = Vec::new();
        finder.find(&planes, &cloth, &mut balls);
        let mut best = f64::INFINITY;
        for _ in 0..rounds {
            let started = Instant::now();
            finder.find(&planes, &cloth, &mut balls);
            best = best.min(1e3 * started.elapsed().as_secs_f64());
        }
        let bits = |b: u32| f64::from(b.count_ones()) / 32.0;
        let list: Vec<Value> = balls
            .iter()
            .map(|b| {
                json!({"x": b.circle.center.x, "y": b.circle.center.y, "r": b.circle.radius,
                    "kind": b.kind.name(), "number": b.number, "confidence": b.confidence})
            })
            .collect();
        let looked: Vec<Value> = finder
            .looked_at()
            .map(|(c, r, score)| {
                json!({"x": r.ellipse.center.x, "y": r.ellipse.center.y, "r": r.ellipse.radius, "cx": c.center.x, "cy": c.center.y, "e": r.ellipse.elongation,
                "share": c.share, "score": score, "fill": r.fill, "dark_fill": r.dark_fill, "contrast": r.roughness, "inner": r.inner, "outer": r.outer, "ratio": r.inner / r.outer.max(1.0),
                "agree": bits(r.agreeing), "free": bits(r.free), "covered": bits(r.covered), "beyond": bits(r.beyond)})
            })
            .collect();
        all.insert(
            words[1].into(),
            json!({"balls": list, "ms": best, "looked": looked, "noise": cloth.spread}),
        );
    }
    println!("{}", Value::Object(all));
    Ok(())
}
