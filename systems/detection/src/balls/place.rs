//! Where in the picture balls can be, and how large they look there.

use ghostball_world::{Homography, Lens, TableSighting};
use glam::DVec2;

use super::work::WorkPicture;
use crate::quad::Quad;

/// A ball at rest on the cloth touches a cushion's nose at best, so its centre stays one radius away from the nose
/// line; this share of the radius is asked for, the rest is for errors of the corners.
const NEAREST_TO_NOSE: f64 = 0.75;
/// The same where the lens is not known: common ones bend the long rails by up to half a ball's radius.
const NEAREST_TO_BENT_NOSE: f64 = 0.35;
/// A centre nearer to a pocket's centre than this share of the pocket's radius has no slate below it: potted. Mouths are found
/// to a tenth of their radius or so where balls lie in them.
const NEAREST_TO_POCKET: f64 = 0.85;
/// Every pocket lets a ball through: those of snooker, the tightest, are 83 mm wide for balls of 52.5 mm. Where less is seen
/// dark, the rest is its lining. In ball radii.
pub(crate) const LEAST_POCKET: f64 = 1.5;
/// Within a ball's radius of a pocket's opening the noses bend away and a ball can lie between them, this many radii
/// behind the line of the noses.
const JAWS: f64 = 1.0;
const DEEPEST_IN_JAWS: f64 = 0.8;
/// The noses begin to bend farther from it, where one still leaves room for a centre on their line: jaws that are rounded
/// with 1.5 to 2 ball radii, as those of snooker are.
const BENDING: f64 = 1.75;
/// Focal length of a usual camera that is hung so high that it sees the whole table, by the table's length.
const FOCAL_BY_LENGTH: f64 = 0.9;
/// Perspective never makes a ball smaller or larger than this against one in the middle of the table.
const RADIUS_RATIO: (f64, f64) = (0.5, 2.0);

/// Where balls can be on one table in one camera's pictures.
#[derive(Clone, Debug)]
pub struct BallPlace {
    quad: Quad,
    lens: Option<Lens>,
    /// Corners where a lens without distortion would show them.
    straight_corners: [DVec2; 4],
    /// Unit normals of the four sides between those, pointing inside.
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
        let quad = Quad::new(corners);
        // Without distortion the lens only scales.
        let lens = table.lens.filter(|lens| lens.radial != [0.0; 2]);
        let straight_corners =
            corners.map(|corner| lens.as_ref().map_or(corner, |lens| lens.straightened(corner)));
        let inside = 0.25 * straight_corners.iter().copied().sum::<DVec2>();
        let normals = [0, 1, 2, 3].map(|i| {
            let (a, b) = (straight_corners[i], straight_corners[(i + 1) % 4]);
            let normal = (b - a).perp().normalize_or_zero();
            if normal.dot(inside - a) < 0.0 {
                -normal
            } else {
                normal
            }
        });
        Self {
            quad,
            lens,
            straight_corners,
            normals,
            pockets: table.pockets_in_image.map(|p| {
                let least = LEAST_POCKET * table.ball_radius_px;
                (p.center, if p.radius > 0.0 { p.radius.max(least) } else { 0.0 })
            }),
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

    /// Distance on the cloth of two places that are `between` apart in the picture, in pixels at `p`: a table that is
    /// seen at an angle is foreshortened along the line on which balls look smaller. There the radius falls by the
    /// tangent of the angle per focal length, of which no more is known than that the table fills the picture.
    pub fn distance_on_cloth(&self, p: DVec2, between: DVec2) -> f64 {
        let [a, b, _] = self.radius;
        let focal_px = self
            .lens
            .map_or(FOCAL_BY_LENGTH * self.quad.length(), |lens| lens.focal_px);
        let deeper = focal_px / self.radius_at(p) * DVec2::new(a, b).dot(between);
        (between.length_squared() + deeper * deeper).sqrt()
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

    /// Distance to the nearest nose line, pixels; negative outside. Through a bent lens: where it would be straight.
    #[inline]
    pub fn inside_by(&self, p: DVec2) -> f64 {
        let p = self.lens.as_ref().map_or(p, |lens| lens.straightened(p));
        let corners = &self.straight_corners;
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

    /// Whether a pocket's opening is within `reach` pixels.
    pub fn is_near_pocket(&self, p: DVec2, reach: f64) -> bool {
        self.pockets
            .iter()
            .any(|(center, radius)| p.distance(*center) < radius + reach)
    }

    /// Whether a ball that lies on the cloth can have its centre here.
    pub fn allows_center(&self, p: DVec2) -> bool {
        let radius = self.radius_at(p);
        let inside_by = self.inside_by(p);
        if inside_by < -DEEPEST_IN_JAWS * radius {
            return false;
        }
        let mut in_jaws = false;
        for (center, pocket_radius) in self.pockets {
            let distance = p.distance(center);
            if distance < NEAREST_TO_POCKET * pocket_radius {
                return false;
            }
            in_jaws |= distance < pocket_radius + JAWS * radius
                || inside_by >= 0.0 && pocket_radius > 0.0 && distance < pocket_radius + BENDING * radius;
        }
        let nearest = if self.lens.is_some() {
            NEAREST_TO_NOSE
        } else {
            NEAREST_TO_BENT_NOSE
        };
        in_jaws || inside_by >= nearest * radius
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
impl BallPlace {
    /// On a table of 1000 by 500 pixels, seen from above, with balls of 15 pixels' radius.
    pub fn from_above() -> Self {
        Self::new(&TableSighting {
            corners_in_image: [[100.0, 100.0], [1100.0, 100.0], [1100.0, 600.0], [100.0, 600.0]]
                .map(DVec2::from),
            pockets_in_image: Default::default(),
            ball_radius_px: 15.0,
            lens: None,
            confidence: 1.0,
        })
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
        assert!(
            place.allows_center(DVec2::new(300.0, 108.0)),
            "a lens may bend the rail"
        );
        assert!(!place.allows_center(DVec2::new(300.0, 104.0)));
        assert!(!place.allows_center(DVec2::new(600.0, 115.0)));
        assert!(place.allows_center(DVec2::new(126.0, 126.0)));
        assert!(!place.allows_center(DVec2::new(90.0, 300.0)));
        assert!((place.radius_at(DVec2::new(900.0, 150.0)) - 15.0).abs() < 1e-9);
    }

    #[test]
    fn a_ball_hangs_in_jaws_behind_the_nose_line_but_not_over_the_hole() {
        let mut table = table([[100.0, 100.0], [1100.0, 100.0], [1100.0, 600.0], [100.0, 600.0]]);
        table.pockets_in_image[1].center.y = 85.0;
        let place = BallPlace::new(&table);
        assert!(place.allows_center(DVec2::new(626.0, 103.0)));
        // Where the noses begin to bend, before their line.
        assert!(place.allows_center(DVec2::new(649.0, 101.0)));
        assert!(!place.allows_center(DVec2::new(649.0, 99.0)));
        assert!(!place.allows_center(DVec2::new(610.0, 105.0)));
        assert!(!place.allows_center(DVec2::new(660.0, 95.0)));
    }

    #[test]
    fn a_ball_at_a_rail_that_the_lens_bends_is_allowed_and_a_thing_on_the_rail_is_not() {
        let corners = [[100.0, 100.0], [1100.0, 100.0], [1100.0, 600.0], [100.0, 600.0]];
        let lens = Lens {
            focal_px: 900.0,
            center_in_image: DVec2::new(600.0, 350.0),
            radial: [-0.1, 0.0],
        };
        let place = BallPlace::new(&TableSighting {
            lens: Some(lens),
            ..table(corners)
        });
        // The rail between the corners is shown farther out than the straight line.
        let rail = |x: f64| {
            let [a, b] = [corners[0], corners[1]].map(|c| lens.ray_from_image(DVec2::from(c)));
            lens.image_from_ray(a.lerp(b, x))
        };
        let middle = rail(0.3);
        assert!(middle.y < 98.0, "{middle}");
        assert!(place.allows_center(middle + DVec2::new(0.0, 14.0)));
        assert!(!place.allows_center(middle + DVec2::new(0.0, 9.0)));
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
