//! The cue stick as the camera sees it: a tapered round stick.

use glam::{DVec2, DVec3};

use crate::camera::Camera;
use crate::canvas::Canvas;
use crate::color::{Linear, linear, plus, scaled};
use crate::look::Look;
use crate::scene::SceneCue;
use crate::stage::Stage;
use crate::strip::Strip;
use crate::tile::Tile;

/// Radius at tip and butt, metres: tips of 13 mm, butts of 29 mm.
const RADII: [f64; 2] = [0.0065, 0.0145];

/// Parts from the tip: where each ends (metres) and its sRGB colour.
const PARTS: [(f32, [u8; 3]); 8] = [
    (0.007, [58, 92, 138]),
    (0.030, [236, 232, 220]),
    (0.745, [222, 184, 132]),
    (0.757, [40, 40, 42]),
    (1.060, [74, 34, 22]),
    (1.074, [196, 190, 176]),
    (1.370, [38, 36, 40]),
    (2.000, [74, 34, 22]),
];

/// The outline of a cue.
pub(crate) fn cue_strip(camera: &Camera, cue: &SceneCue) -> Strip {
    Strip::new(camera, [cue.tip, cue.butt()], RADII)
}

/// Draws the cue over the canvas.
pub(crate) fn draw_cue(canvas: &mut Canvas, tile: &mut Tile, stage: &Stage, cue: &SceneCue) {
    let Stage {
        camera,
        look,
        encoder,
    } = *stage;
    let strip = cue_strip(camera, cue);
    let paints = PARTS.map(|(end, color)| (end, linear(color)));
    let (tip, butt) = (cue.tip, cue.butt());
    let axis = (butt - tip).normalize_or(DVec3::X);
    let toward = (camera.position() - tip)
        .reject_from_normalized(axis)
        .normalize_or(DVec3::Z);
    let aside = toward.cross(axis);
    // The light on a round stick changes across it: from its share straight up and to both sides.
    let (up, left) = (toward.z as f32, aside.z as f32);
    let lamps = cue_lamps(look, tip, toward, aside);
    for y in strip.rows(canvas.height).step_by(2) {
        let columns = strip.columns(y, canvas.width);
        if columns.is_empty() {
            continue;
        }
        let low = [columns.start as f64, y as f64];
        let high = [columns.end as f64 - 2.0, y as f64];
        if !tile.cover(canvas, low, high) {
            continue;
        }
        let left_edge = tile.left;
        for row in y..y + 2 {
            for (x, sample) in (left_edge..).zip(tile.row(row)) {
                let point = DVec2::new(x as f64, row as f64);
                let coverage = strip.coverage(point) as f32;
                if coverage <= 0.0 {
                    continue;
                }
                let at = strip.at(point);
                let across = (at.off_px / at.half_px.max(0.5)).clamp(-1.0, 1.0) as f32;
                let height = (1.0 - across * across).sqrt();
                let sky = 0.5 + 0.5 * (height * up + across * left);
                let mut light = look.ambient_share() as f32 * sky;
                let mut glint = 0.0;
                for (upward, sideward) in &lamps[..look.lamps.len().min(lamps.len())] {
                    let cosine = (height * upward + across * sideward).max(0.0);
                    light += cosine;
                    glint += 0.25 * cosine * cosine * cosine * cosine;
                }
                let from_tip = (at.along * cue.length) as f32;
                let place = tip + axis * (at.along * cue.length);
                let dim = look.irradiance(place.with_z(0.0)) / look.irradiance(tip.with_z(0.0)).max(1e-3);
                let albedo = paints
                    .iter()
                    .find(|(end, _)| from_tip < *end)
                    .map_or([0.1; 3], |(_, color)| *color);
                let lacquer = if from_tip > 0.03 { 0.08 * glint } else { 0.0 };
                let color: Linear = plus(scaled(albedo, light), [lacquer; 3]);
                let yuv = encoder.yuv(scaled(color, dim));
                *sample = [coverage, coverage * yuv[0], coverage * yuv[1], coverage * yuv[2]];
            }
        }
        tile.blend(canvas);
    }
}

/// Each lamp's light on the stick's upper side and on its side, at the tip.
fn cue_lamps(look: &Look, tip: DVec3, toward: DVec3, aside: DVec3) -> [(f32, f32); 8] {
    let mut lamps = [(0.0, 0.0); 8];
    for (light, lamp) in lamps.iter_mut().zip(&look.lamps) {
        let direction = (lamp.position - tip).normalize_or(DVec3::Z);
        let strength = lamp.share * lamp.falloff(tip) / direction.z.max(0.05);
        *light = (
            (strength * direction.dot(toward)) as f32,
            (strength * direction.dot(aside)) as f32,
        );
    }
    lamps
}
