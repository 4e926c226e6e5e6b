//! Where in the picture balls can be, and how large they look there.

use ghostball_world::{Homography, TableSighting};
use glam::DVec2;

use super::work::WorkPicture;
use crate::quad::Quad;

/// A ball at rest on the cloth touches a cushion's nose at best, so its centre stays one radius away from the nose
/// line; this share of the radius is asked for, the rest is for errors of the corners.
const NEAREST_TO_NOSE: f64 = 0.75;
/// A centre nearer to a pocket's centre than this share of the pocket's radius has no slate below it: potted.
const NEAREST_TO_POCKET: f64 = 0.9;
/// Within this share of a pocket's radius the noses bend away and a ball can lie between them.
const POCKET_JAWS: f64 = 1.5;
/// How near the nose line a ball may be in a pocket's jaws, in radii.
const NEAREST_TO_NOSE_IN_JAWS: f64 = 0.0;
/// Perspective never makes a ball smaller or larger than this against one in the middle of the table.
const RADIUS_RATIO: (f64, f64) = (0.5, 2.0);

/// Where balls can be on one table in one camera's pictures.
#[derive(Clone, Debug)]
pub struct BallPlace {
    quad: Quad,
    /// Unit normals of the four sides, pointing inside.
    normals: [DVec2; 4],
    pockets: [(DVec2, f64); 6],
    /// Apparent radius in pixels is the affine function `radius[0] * x + radius[1] * y + radius[2]`.
    radius: [f64; 3],
    radius_at_middle: f64,
}

impl BallPlace {
    /// For the table as it was sighted.
    pub fn new(table: &TableSighting) -> Self {
        let corners = table.corners_in_image;
        let middle = 0.25 * corners.iter().copied().sum::<DVec2>();
        let quad = Quad::new(corners);
        let normals = quad.sides().map(|(a, b)| {
            let normal = (b - a).perp().normalize_or_zero();
            if normal.dot(middle - a) < 0.0 {
                -normal
            } else {
                normal
            }
        });
        Self {
            quad,
            normals,
            pockets: table.pockets_in_image.map(|p| (p.center, p.radius)),
            radius: radius_plane(&corners, table.ball_radius_px),
            radius_at_middle: table.ball_radius_px,
        }
    }

    /// Apparent radius of a ball in the middle of the table, pixels.
    pub fn radius_at_middle(&self) -> f64 {
        self.radius_at_middle
    }

    /// Apparent radius of a ball here, pixels.
    #[inline]
    pub fn radius_at(&self, p: DVec2) -> f64 {
        let [a, b, c] = self.radius;
        let (least, most) = RADIUS_RATIO;
        (a * p.x + b * p.y + c).clamp(least * self.radius_at_middle, most * self.radius_at_middle)
    }

    /// Coefficients of x, y and 1 of the apparent radius in the work picture, pixels there.
    pub fn radius_in(&self, work: &WorkPicture) -> [f32; 3] {
        let [a, b, c] = self.radius;
        let [x, y] = work.in_image(0.0, 0.0);
        let at_origin = (a * x + b * y + c) / work.scale as f64;
        [a, b, at_origin].map(|v| v as f32)
    }

    /// The playing surface.
    pub fn quad(&self) -> &Quad {
        &self.quad
    }

    /// The pockets' centres and radii.
    pub fn pockets(&self) -> &[(DVec2, f64); 6] {
        &self.pockets
    }

    /// Distance to the nearest nose line, pixels; negative outside.
    #[inline]
    pub fn inside_by(&self, p: DVec2) -> f64 {
        let corners = &self.quad.corners;
        (0..4)
            .map(|i| (p - corners[i]).dot(self.normals[i]))
            .fold(f64::INFINITY, f64::min)
    }

    /// Whether this is over a cushion or in a pocket.
    pub fn is_beyond_cloth(&self, p: DVec2) -> bool {
        self.inside_by(p) < 0.0
            || self
                .pockets
                .iter()
                .any(|(center, radius)| p.distance(*center) < *radius)
    }

    /// Whether a ball that lies on the cloth can have its centre here.
    pub fn allows_center(&self, p: DVec2) -> bool {
        let radius = self.radius_at(p);
        let inside_by = self.inside_by(p);
        if inside_by < NEAREST_TO_NOSE_IN_JAWS * radius {
            return false;
        }
        let mut in_jaws = false;
        for (center, pocket_radius) in self.pockets {
            let distance = p.distance(center);
            if distance < NEAREST_TO_POCKET * pocket_radius {
                return false;
            }
            in_jaws |= distance < POCKET_JAWS * pocket_radius;
        }
        in_jaws || inside_by >= NEAREST_TO_NOSE * radius
    }
}

/// The apparent radius goes with the inverse of the depth, and the third row of the homography from table to picture
/// is the depth up to scale (Hartley & Zisserman, 2nd ed., §8.1.1). Through the inverse map the inverse depth is affine
/// in picture coordinates. The table's proportions do not matter for it, so the unit square serves as table.
fn radius_plane(corners: &[DVec2; 4], radius_at_middle: f64) -> [f64; 3] {
    let flat = [0.0, 0.0, radius_at_middle];
    let unit = [DVec2::ZERO, DVec2::X, DVec2::ONE, DVec2::Y];
    let Ok(table_from_image) = Homography::from_four_points(corners, &unit) else {
        return flat;
    };
    let Ok(image_from_table) = table_from_image.inverse() else {
        return flat;
    };
    let row = table_from_image.matrix().transpose().z_axis;
    let middle = image_from_table.apply(DVec2::splat(0.5));
    let at_middle = row.dot(middle.extend(1.0));
    let plane = (row * (radius_at_middle / at_middle)).to_array();
    if plane.iter().all(|v| v.is_finite()) {
        plane
    } else {
        flat
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ghostball_world::CircleInImage;

    fn table(corners: [[f64; 2]; 4]) -> TableSighting {
        let corners_in_image = corners.map(DVec2::from);
        let [a, b, c, d] = corners_in_image;
        TableSighting {
            corners_in_image,
            pockets_in_image: [a, 0.5 * (a + b), b, c, 0.5 * (c + d), d]
                .map(|center| CircleInImage { center, radius: 30.0 }),
            ball_radius_px: 15.0,
            lens: None,
            confidence: 1.0,
        }
    }

    #[test]
    fn a_ball_fits_on_the_cloth_but_not_in_a_cushion_or_pocket() {
        let place = BallPlace::new(&table([
            [100.0, 100.0],
            [1100.0, 100.0],
            [1100.0, 600.0],
            [100.0, 600.0],
        ]));
        assert!(place.allows_center(DVec2::new(300.0, 300.0)));
        assert!(place.allows_center(DVec2::new(300.0, 115.0)));
        assert!(!place.allows_center(DVec2::new(300.0, 108.0)));
        assert!(!place.allows_center(DVec2::new(600.0, 115.0)));
        assert!(place.allows_center(DVec2::new(126.0, 126.0)));
        assert!(!place.allows_center(DVec2::new(90.0, 300.0)));
        assert!((place.radius_at(DVec2::new(900.0, 150.0)) - 15.0).abs() < 1e-9);
    }

    #[test]
    fn balls_look_larger_where_the_table_does() {
        let place = BallPlace::new(&table([
            [300.0, 100.0],
            [900.0, 100.0],
            [1100.0, 600.0],
            [100.0, 600.0],
        ]));
        let far = place.radius_at(DVec2::new(600.0, 100.0));
        let near = place.radius_at(DVec2::new(600.0, 600.0));
        assert!((near / far - 1000.0 / 600.0).abs() < 1e-9, "{near} {far}");
    }

    #[test]
    fn degenerate_corners_allow_nothing_and_break_nothing() {
        let place = BallPlace::new(&table([[100.0, 100.0]; 4]));
        assert!(!place.allows_center(DVec2::new(300.0, 300.0)));
        assert!(place.radius_at(DVec2::ZERO).is_finite());
    }
}
