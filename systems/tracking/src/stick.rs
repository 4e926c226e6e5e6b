//! Where the stick is that is seen: it lies higher the farther it is from its tip.
//!
//! The tip is about as high as a ball's middle, where it has to hit. The stick rises from there, over the rail: players hold
//! it as flat as they can. What is seen of its far end is therefore not in the plane of the balls, and taken to be there
//! would turn the stick by up to two degrees, away from the middle of the picture.

use ghostball_world::{CuePose, CueSighting, TableFromImage, TableGeometry};
use glam::DVec2;

/// A stick on a bridge hand is never flatter than this, radians (3°): hand and butt have their thickness.
const USUAL_ELEVATION: f64 = 0.05;
/// Steeper than this, radians, nobody plays but for a jump.
const STEEPEST_ELEVATION: f64 = 0.5;
/// Of the stick's middle above the nose it passes over, metres: half its thickness there, and fingers.
const ROOM: f64 = 0.02;
/// The elevation changes by hundredths when the far end is moved; twice is enough.
const ROUNDS: u32 = 2;

/// The stick of this sighting, seen from straight above.
pub fn pose_of(cue: &CueSighting, geometry: &TableGeometry) -> CuePose {
    let tip_in_table = geometry.table_from_image.apply(cue.tip_in_image);
    let mut pose = CuePose {
        tip_in_table,
        butt_in_table: geometry.table_from_image.apply(cue.butt_in_image),
        confidence: cue.confidence,
    };
    // Without a lens nothing is known of how high anything is.
    if geometry.lens.is_none() {
        return pose;
    }
    for _ in 0..ROUNDS {
        let length = pose.butt_in_table.distance(tip_in_table);
        let above_tip = length * libm::tan(elevation_of(&pose, geometry));
        let below_noses = geometry.nose_height - geometry.ball_radius - above_tip;
        if let Ok(plane) = geometry.noses_in_view.lowered(below_noses, 0.0) {
            pose.butt_in_table = TableFromImage::new(plane).apply(cue.butt_in_image);
        }
    }
    pose
}

/// How steep a stick has to be that comes over the rail behind it.
fn elevation_of(pose: &CuePose, geometry: &TableGeometry) -> f64 {
    let Some(direction) = pose.direction_in_table() else {
        return USUAL_ELEVATION;
    };
    let half_size = 0.5 * DVec2::new(geometry.length, geometry.width);
    let to_rail = |axis: usize| {
        let back = -direction[axis];
        (half_size[axis] * back.signum() - pose.tip_in_table[axis]) / back
    };
    let distances = [0, 1].map(to_rail).into_iter();
    let distance = distances
        .filter(|distance| distance.is_finite())
        .fold(f64::INFINITY, f64::min);
    let rise = geometry.nose_height + ROOM - geometry.ball_radius;
    libm::atan(rise / distance.max(ROOM)).clamp(USUAL_ELEVATION, STEEPEST_ELEVATION)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bed::tests::geometry;
    use ghostball_world::{Lens, TableSighting, TableSpecification};

    /// The same table, whose camera hangs `1000 px / 500 px/m` = 2 m above the noses.
    fn seen_through_a_lens() -> TableGeometry {
        let sighting = TableSighting {
            lens: Some(Lens {
                focal_px: 1000.0,
                center_in_image: DVec2::new(735.0, 417.5),
                radial: [0.0; 2],
            }),
            ..TableSighting::from_above(DVec2::new(2.54, 1.27), 0.028575, 500.0)
        };
        TableGeometry::from_sighting(&sighting, &TableSpecification::default()).unwrap()
    }

    #[test]
    fn a_stick_that_rises_to_the_rail_is_not_turned_by_perspective() {
        let geometry = seen_through_a_lens();
        let (tip, direction) = (DVec2::new(0.5, 0.4), DVec2::from_angle(-0.1));
        let length = 0.9;
        let flat = CuePose {
            tip_in_table: tip,
            butt_in_table: tip - length * direction,
            confidence: 1.0,
        };
        let rise = length * libm::tan(elevation_of(&flat, &geometry));
        let plane = geometry
            .noses_in_view
            .lowered(geometry.nose_height - geometry.ball_radius - rise, 0.0)
            .unwrap();
        let ray = plane.ray_from_table().apply(flat.butt_in_table);
        let seen = CueSighting {
            tip_in_image: geometry.image_from_table.apply(tip),
            butt_in_image: plane.lens().image_from_ray(ray),
            confidence: 1.0,
        };
        let wrong = geometry.table_from_image.apply(seen.butt_in_image);
        let turned = (tip - wrong).angle_to(direction).to_degrees().abs();
        assert!(turned > 0.15, "{turned}: nothing to mend");
        let pose = pose_of(&seen, &geometry);
        let off = pose
            .direction_in_table()
            .unwrap()
            .angle_to(direction)
            .to_degrees();
        assert!(off.abs() < 0.02, "{off}");
    }

    #[test]
    fn near_the_rail_a_stick_is_steeper() {
        let geometry = geometry();
        let elevation = |x: f64| {
            let tip_in_table = DVec2::new(x, 0.0);
            let pose = CuePose {
                tip_in_table,
                butt_in_table: tip_in_table - DVec2::X,
                confidence: 1.0,
            };
            elevation_of(&pose, &geometry)
        };
        assert_eq!(elevation(0.0), USUAL_ELEVATION);
        assert!(elevation(-1.2) > 0.2 && elevation(-5.0) <= STEEPEST_ELEVATION);
    }
}
