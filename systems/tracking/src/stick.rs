//! Where the stick is that is seen: it lies higher the farther it is from its tip.
//!
//! The tip is about as high as a ball's middle, where it has to hit. The stick rises from there, over the rail and the balls
//! that lie under it: players hold it as flat as they can. What is seen of its far end is therefore not in the plane of the
//! balls, and taken to be there would turn the stick, away from the middle of the picture: by up to two degrees over a rail,
//! by ten over a ball that lies just behind the one that is aimed at.

use ghostball_world::{CuePose, CueSighting, TableFromImage, TableGeometry};
use glam::DVec2;

use crate::swing::{AimedBall, first_on_line};

/// A stick on a bridge hand is never flatter than this, radians (3°): hand and butt have their thickness.
const USUAL_ELEVATION: f64 = 0.05;
/// Steeper than this, radians, nobody plays but for a jump.
const STEEPEST_ELEVATION: f64 = 0.5;
/// Of the stick's middle above the nose or ball it passes over, and beside a ball that it passes, metres: half its thickness
/// there, and fingers.
const ROOM: f64 = 0.02;
/// Nearer than this, metres, nothing is passed over, but touched.
const NEAREST: f64 = 0.03;
/// Standard deviation of how high the tip hits, ball radii: most players stay within half a radius of the middle.
const HIT_SIGMA_RADII: f64 = 0.25;
/// And of the slope itself: a hand is never quite as low as it can be (1°); and at most, as steeper sticks are held with care.
const HOLD_SIGMA: f64 = 0.02;
const MOST_SIGMA: f64 = 0.1;
/// What is passed over is found by the far end, and moves it; the elevation then changes by hundredths.
const ROUNDS: u32 = 3;

/// The stick of this sighting, seen from straight above, over `balls`.
pub fn pose_of(
    cue: &CueSighting,
    geometry: &TableGeometry,
    balls: impl Iterator<Item = AimedBall> + Clone,
) -> CuePose {
    let tip_in_table = geometry.table_from_image.apply(cue.tip_in_image);
    let mut pose = CuePose {
        tip_in_table,
        butt_in_table: geometry.table_from_image.apply(cue.butt_in_image),
        confidence: cue.confidence,
        direction_sigma: 0.0,
    };
    // Without a lens nothing is known of how high anything is.
    if geometry.lens.is_none() {
        return pose;
    }
    let in_plane = |above_balls: f64, place: DVec2| {
        let below_noses = geometry.nose_height - geometry.ball_radius - above_balls;
        let plane = geometry.noses_in_view.lowered(below_noses, 0.0);
        plane.map(|plane| TableFromImage::new(plane).apply(place))
    };
    let inclined = |slope: f64, to_aim: f64, pose: &CuePose| {
        let to_butt = to_aim + pose.butt_in_table.distance(pose.tip_in_table);
        let tip_in_table = in_plane(slope * to_aim, cue.tip_in_image).ok()?;
        let butt_in_table = in_plane(slope * to_butt, cue.butt_in_image).ok()?;
        Some(CuePose {
            tip_in_table,
            butt_in_table,
            ..*pose
        })
    };
    let mut last = None;
    for _ in 0..ROUNDS {
        let incline = Incline::of(&pose, geometry, balls.clone());
        pose = inclined(incline.slope, incline.to_aim, &pose).unwrap_or(pose);
        last = Some(incline);
    }
    let steeper = last.and_then(|last| inclined(last.slope + last.slope_sigma, last.to_aim, &pose));
    pose.direction_sigma = steeper.map_or(0.0, |steeper| angle_between(&pose, &steeper));
    pose
}

/// By how much two sticks point elsewhere, radians.
fn angle_between(a: &CuePose, b: &CuePose) -> f64 {
    match (a.direction_in_table(), b.direction_in_table()) {
        (Some(a), Some(b)) => libm::atan2(a.perp_dot(b).abs(), a.dot(b)),
        _ => 0.0,
    }
}

/// How a stick rises from the ball it points at.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Incline {
    /// Metres up for a metre back.
    slope: f64,
    /// Standard deviation of that.
    slope_sigma: f64,
    /// From the tip to where the stick is as high as a ball's middle, metres: it goes to and fro on a line through there.
    to_aim: f64,
}

impl Incline {
    /// Of a stick that passes over the rail and the balls behind it, and no higher than it has to.
    fn of(pose: &CuePose, geometry: &TableGeometry, balls: impl Iterator<Item = AimedBall> + Clone) -> Self {
        let radius = geometry.ball_radius;
        let least = libm::tan(USUAL_ELEVATION);
        let Some(direction) = pose.direction_in_table() else {
            return Self {
                slope: least,
                slope_sigma: HOLD_SIGMA,
                to_aim: 0.0,
            };
        };
        let to_aim = first_on_line(pose, direction, balls.clone(), radius)
            .map_or(0.0, |ball| (ball.position - pose.tip_in_table).dot(direction));
        let half_size = 0.5 * DVec2::new(geometry.length, geometry.width);
        let distances = [0, 1].map(|axis: usize| {
            let back = -direction[axis];
            (half_size[axis] * back.signum() - pose.tip_in_table[axis]) / back
        });
        let to_rail = distances
            .into_iter()
            .filter(|distance| distance.is_finite())
            .fold(f64::INFINITY, f64::min);
        // Over something so high, so far behind the tip: the slope, and how much of it a higher or lower hit makes.
        let over = |height: f64, behind: f64| {
            let distance = (behind + to_aim).max(NEAREST);
            [
                (height + ROOM - radius) / distance,
                HIT_SIGMA_RADII * radius / distance,
            ]
        };
        let length = pose.tip_in_table.distance(pose.butt_in_table);
        let behind_tip = |ball: &AimedBall| (pose.tip_in_table - ball.position).dot(direction);
        let is_under = |ball: &AimedBall| {
            let beside = (ball.position - pose.tip_in_table).perp_dot(direction).abs();
            // One that rolls away from the tip lies ahead of it.
            !ball.is_moving && (radius - to_aim..length).contains(&behind_tip(ball)) && beside < radius + ROOM
        };
        // The room is kept from where the ball begins.
        let over_balls = balls
            .filter(is_under)
            .map(|ball| over(2.0 * radius, behind_tip(&ball) - radius));
        let steeper = |a: [f64; 2], b: [f64; 2]| if b[0] > a[0] { b } else { a };
        let [slope, of_hit] = over_balls.fold(
            steeper([least, 0.0], over(geometry.nose_height, to_rail)),
            steeper,
        );
        Self {
            slope: slope.min(libm::tan(STEEPEST_ELEVATION)),
            slope_sigma: libm::hypot(HOLD_SIGMA, of_hit).min(MOST_SIGMA),
            to_aim,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bed::tests::geometry;
    use ghostball_world::{Lens, TableSighting, TableSpecification, TrackId};

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
            direction_sigma: 0.0,
        };
        let rise = length * Incline::of(&flat, &geometry, std::iter::empty()).slope;
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
        let pose = pose_of(&seen, &geometry, std::iter::empty());
        let off = pose
            .direction_in_table()
            .unwrap()
            .angle_to(direction)
            .to_degrees();
        assert!(off.abs() < 0.02, "{off}");
    }

    #[test]
    fn where_a_stick_points_is_less_sure_near_the_rail() {
        let geometry = seen_through_a_lens();
        let sigma = |y: f64| {
            let place = |x: f64| geometry.image_from_table.apply(DVec2::new(x, y));
            let seen = CueSighting {
                tip_in_image: place(0.6),
                butt_in_image: place(1.2),
                confidence: 1.0,
            };
            pose_of(&seen, &geometry, std::iter::empty()).direction_sigma
        };
        let across = |y: f64| {
            let place = |y: f64| geometry.image_from_table.apply(DVec2::new(0.9, y));
            let seen = CueSighting {
                tip_in_image: place(y),
                butt_in_image: place(y + 0.1),
                confidence: 1.0,
            };
            pose_of(&seen, &geometry, std::iter::empty()).direction_sigma
        };
        // Towards the middle of the picture, perspective does not turn it.
        assert!(sigma(0.0) < 1e-6, "{}", sigma(0.0));
        assert!((0.001..0.03).contains(&sigma(0.4)), "{}", sigma(0.4));
        assert!(across(0.5) > 2.0 * across(0.0), "{} {}", across(0.5), across(0.0));
    }

    #[test]
    fn over_a_ball_behind_the_cue_ball_a_stick_is_steeper() {
        let geometry = geometry();
        let ball = |x: f64, y: f64, is_cue_ball| AimedBall {
            id: TrackId(1),
            position: DVec2::new(x, y),
            is_moving: false,
            is_cue_ball,
        };
        let pose = CuePose {
            tip_in_table: DVec2::new(-0.1, 0.0),
            butt_in_table: DVec2::new(-1.1, 0.0),
            confidence: 1.0,
            direction_sigma: 0.0,
        };
        let incline = |other| Incline::of(&pose, &geometry, [ball(0.0, 0.0, true), other].into_iter());
        let over = incline(ball(-0.3, 0.01, false));
        // Two centimetres above a ball of 57.15 mm that begins 0.3 m less a radius behind the middle of the cue ball.
        assert!((over.slope - 0.048575 / 0.271425).abs() < 1e-9, "{over:?}");
        assert!((over.to_aim - 0.1).abs() < 1e-9, "{over:?}");
        let beside = incline(ball(-0.3, 0.06, false));
        assert_eq!(beside.slope, libm::tan(USUAL_ELEVATION));
        // Under the tip itself.
        assert!(incline(ball(-0.08, 0.0, false)).slope > 0.5);
    }

    #[test]
    fn near_the_rail_a_stick_is_steeper() {
        let geometry = geometry();
        let slope = |x: f64| {
            let tip_in_table = DVec2::new(x, 0.0);
            let pose = CuePose {
                tip_in_table,
                butt_in_table: tip_in_table - DVec2::X,
                confidence: 1.0,
                direction_sigma: 0.0,
            };
            Incline::of(&pose, &geometry, std::iter::empty()).slope
        };
        assert_eq!(slope(0.0), libm::tan(USUAL_ELEVATION));
        assert!(slope(-1.2) > 0.2 && slope(-5.0) <= libm::tan(STEEPEST_ELEVATION));
    }
}
