//! What a camera makes of a rectangle of 2:1.
//!
//! The camera has square pixels and looks through the middle of the picture; its focal length is not known, but lies in
//! a range. In coordinates with the focal length as their unit and the middle of the picture as their origin, a point
//! of the picture is the direction of a ray, and a line of the picture the normal of the plane that it is seen in.

use glam::{DVec2, DVec3};

use super::pockets::image_from_halves;
use crate::quad::Quad;

/// Focal length by the picture's longer side: from wide angle to almost parallel.
const FOCAL: [f64; 2] = [0.5, 5.0];
/// That of most cameras above tables.
const USUAL_FOCAL: f64 = 0.9;
/// Log of how far length by width may be from 2 without speaking against a table, and by how much its sides may be
/// off the right angle, radians: what lenses bend.
const ASPECT_PLAY: f64 = 0.015;
const SKEW_PLAY: f64 = 0.006;
/// The most that [`strangeness`] says.
const STRANGEST: f64 = 8.0;

/// Length by width: the mean of the longer pair of sides by that of the shorter.
pub(crate) fn aspect_of(quad: &Quad) -> f64 {
    let [a, b, c, d] = quad.corners;
    let (across, down) = (a.distance(b) + d.distance(c), a.distance(d) + b.distance(c));
    across.max(down) / across.min(down)
}

/// How little a quadrilateral looks like a rectangle of 2:1 seen by a camera, 0 to 8.
///
/// For the homography `H = K [r1 r2 t]` from the table, the columns `K⁻¹h1` and `K⁻¹h2` are perpendicular and of one
/// length (Zhang 2000, "A flexible new technique for camera calibration", §2.3). The focal length that fits best counts.
pub(crate) fn strangeness(quad: &Quad, picture_size: DVec2) -> f64 {
    let Some(map) = image_from_halves(quad) else {
        return STRANGEST;
    };
    let center = (0.5 * picture_size).extend(0.0);
    let [a, b] = [map.matrix().x_axis, map.matrix().y_axis].map(|h| h - h.z * center);
    let (a_xy, b_xy) = (a.truncate(), b.truncate());
    // Both conditions are linear in 1/f²: each has its own best focal length, and where it has none, any will do.
    let skewed = -a.z * b.z / a_xy.dot(b_xy);
    let stretched = (b.z * b.z - a.z * a.z) / (a_xy.length_squared() - b_xy.length_squared());
    let [shortest, longest] = FOCAL.map(|focal| focal * picture_size.max_element());
    let (least, most) = (1.0 / (longest * longest), 1.0 / (shortest * shortest));
    [skewed, stretched, least, most]
        .into_iter()
        .filter(|square| square.is_finite())
        .map(|square| square.clamp(least, most))
        .fold(STRANGEST, |strangeness, square| {
            let dot = a_xy.dot(b_xy) * square + a.z * b.z;
            let [a, b] = [(a_xy, a.z), (b_xy, b.z)].map(|(xy, z)| xy.length_squared() * square + z * z);
            let skew = dot / (a * b).sqrt() / SKEW_PLAY;
            let stretch = 0.5 * libm::log(a / b) / ASPECT_PLAY;
            let off = skew * skew + stretch * stretch;
            if off < strangeness { off } else { strangeness }
        })
}

/// Whether a side (0 top, 1 right, 2 bottom, 3 left) is one of the longer pair.
pub(crate) fn is_side_long(quad: &Quad, side: usize) -> bool {
    let [a, b, c, d] = quad.corners;
    let (across, down) = (a.distance(b) + d.distance(c), a.distance(d) + b.distance(c));
    side.is_multiple_of(2) == (across >= down)
}

/// The table's outline with side `hidden` (0 top, 1 right, 2 bottom, 3 left) where the other three and the proportions
/// of a table put it: half a table length from the side across, or twice the width where that side `is_long`.
pub(crate) fn with_side_completed(
    quad: &Quad,
    hidden: usize,
    is_long: bool,
    picture_size: DVec2,
) -> Option<Quad> {
    let focal_px = USUAL_FOCAL * picture_size.max_element();
    let ray = |i: usize| ((quad.corners[(hidden + i) % 4] - 0.5 * picture_size) / focal_px).extend(1.0);
    let [h, n, a, b] = [0, 1, 2, 3].map(ray);
    // Planes through the camera and the sides: the neighbours, and the side across from corner a to b.
    let (next, before, across) = (n.cross(a), b.cross(h), a.cross(b));
    // What is parallel in space to both neighbours, and what is perpendicular to it along the side across.
    let towards = next.cross(before).try_normalize()?;
    let along = across.cross(towards).try_normalize()?;
    // The point on the ray of b that the direction `along` leads to from a.
    let b = b * (a.cross(along).dot(b.cross(along)) / b.cross(along).length_squared());
    let depth = a.distance(b) * if is_long { 0.5 } else { 2.0 };
    let on = |ray: DVec3| (ray.z > 0.05).then(|| 0.5 * picture_size + focal_px * ray.truncate() / ray.z);
    [1.0, -1.0].into_iter().find_map(|sign| {
        let mut corners = quad.corners;
        corners[hidden] = on(b + sign * depth * towards)?;
        corners[(hidden + 1) % 4] = on(a + sign * depth * towards)?;
        let completed = Quad::new(corners);
        completed.is_clockwise().then_some(completed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ghostball_world::Homography;
    use glam::DMat3;
    use proptest::prelude::*;

    const SIZE: DVec2 = DVec2::new(1280.0, 720.0);

    /// A table of 2:1 below a tilted camera.
    fn seen(tilt: DVec2, turn: f64, focal: f64) -> Quad {
        let (sx, cx) = libm::sincos(tilt.x);
        let (sy, cy) = libm::sincos(tilt.y);
        let (st, ct) = libm::sincos(turn);
        let turned = DMat3::from_cols_array(&[ct, st, 0.0, -st, ct, 0.0, 0.0, 0.0, 1.0]);
        let x = DMat3::from_cols_array(&[1.0, 0.0, 0.0, 0.0, cx, sx, 0.0, -sx, cx]);
        let y = DMat3::from_cols_array(&[cy, 0.0, -sy, 0.0, 1.0, 0.0, sy, 0.0, cy]);
        let pose = x * y * turned;
        let focal_px = focal * SIZE.x;
        let corners = [[-1.0, -0.5], [1.0, -0.5], [1.0, 0.5], [-1.0, 0.5]].map(|[x, y]| {
            let at = pose * DVec3::new(x, y, 0.0) + DVec3::new(0.0, 0.0, 2.6 * focal);
            0.5 * SIZE + focal_px * at.truncate() / at.z
        });
        Quad::new(corners)
    }

    #[test]
    fn a_side_that_is_hidden_lies_where_the_other_three_put_it() {
        let quad = seen(DVec2::new(0.2, -0.15), 0.1, USUAL_FOCAL);
        for hidden in 0..4 {
            // Only the directions of the neighbours are known, not how far they go.
            let mut cut = quad;
            let (i, j) = (hidden, (hidden + 1) % 4);
            cut.corners[i] = quad.corners[i].lerp(quad.corners[(hidden + 3) % 4], 0.3);
            cut.corners[j] = quad.corners[j].lerp(quad.corners[(hidden + 2) % 4], 0.2);
            let completed = with_side_completed(&cut, hidden, hidden % 2 == 0, SIZE).unwrap();
            for (found, expected) in completed.corners.iter().zip(quad.corners) {
                assert!(found.distance(expected) < 1e-6, "{hidden}: {found} {expected}");
            }
        }
    }

    #[test]
    fn a_table_cut_short_is_strange() {
        let quad = seen(DVec2::new(0.02, 0.01), 0.1, 1.0);
        let halves = [[-1.0, -0.5], [1.0, -0.5], [1.0, 0.5], [-1.0, 0.5]].map(DVec2::from);
        let map = Homography::from_four_points(&halves, &quad.corners).unwrap();
        let cut = [[-1.0, -0.5], [0.8, -0.5], [0.8, 0.5], [-1.0, 0.5]].map(|c| map.apply(DVec2::from(c)));
        assert_eq!(strangeness(&Quad::new(cut), SIZE), STRANGEST);
    }

    proptest! {
        #[test]
        fn a_table_under_any_camera_is_not_strange(
            tilt_x in -0.3_f64..0.3, tilt_y in -0.3_f64..0.3, turn in -0.3_f64..0.3, focal in 0.6_f64..2.0,
        ) {
            let quad = seen(DVec2::new(tilt_x, tilt_y), turn, focal);
            prop_assert!(strangeness(&quad, SIZE) < 0.1, "{}", strangeness(&quad, SIZE));
        }
    }
}
