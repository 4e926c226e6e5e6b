//! The six pockets.

use ghostball_world::{CircleInImage, Homography};
use glam::DVec2;

use crate::quad::Quad;

/// Where pockets are on most tables, by half the length: x along the long axis, y along the short one, and radius.
/// Corner pockets lie about on the corner of the noses, those in the middle behind the nose line.
const USUAL: [[f64; 3]; 6] = [
    [-1.0, -0.5, 0.06],
    [0.0, -0.525, 0.053],
    [1.0, -0.5, 0.06],
    [1.0, 0.5, 0.06],
    [0.0, 0.525, 0.053],
    [-1.0, 0.5, 0.06],
];

/// Pockets where most tables have them, and a place on the cloth before each; `None` for a degenerate quadrilateral.
pub(crate) fn usual(quad: &Quad) -> Option<([CircleInImage; 6], [DVec2; 6])> {
    let map = image_from_halves(quad)?;
    let pockets = USUAL.map(|[x, y, r]| {
        let place = DVec2::new(x, y);
        CircleInImage {
            center: map.apply(place),
            radius: r * map.scale_at(place),
        }
    });
    let before = USUAL.map(|[x, y, r]| {
        let place = DVec2::new(x, y);
        map.apply(place - 2.0 * r * place.normalize_or_zero())
    });
    Some((pockets, before))
}

/// To the picture from the table in units of half its length.
pub(crate) fn image_from_halves(quad: &Quad) -> Option<Homography> {
    let mut corners = quad.corners;
    let [a, b, c, d] = corners;
    if a.distance(d) + b.distance(c) > a.distance(b) + d.distance(c) {
        corners.rotate_left(1);
    }
    let table = [[-1.0, -0.5], [1.0, -0.5], [1.0, 0.5], [-1.0, 0.5]].map(DVec2::from);
    Homography::from_four_points(&table, &corners).ok()
}
