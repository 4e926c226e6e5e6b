//! The camera above the table: a pinhole, and the lens in it.

use ghostball_world::{CircleInImage, Homography};
use glam::{DMat2, DMat3, DVec2, DVec3};

use crate::{Lens, Random, TableModel};

/// How the camera hangs. Its height follows: the whole table fits into the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CameraPose {
    /// Focal length in picture widths: 0.5 (wide) to 1.5 (long).
    pub focal_length: f64,
    /// Where the camera hangs beside the middle of the table, metres in table space.
    pub offset_in_table: DVec2,
    /// The point of the bed it looks at, metres in table space.
    pub looks_at_in_table: DVec2,
    /// How far it is turned about its own axis, radians.
    pub roll: f64,
    /// Room around the table, share of the picture's size; negative: the rails' outer edges are cut off.
    pub margin: f64,
    /// What the lens does to straight lines.
    pub lens: Lens,
}

impl Default for CameraPose {
    /// Straight down from above the middle.
    fn default() -> Self {
        Self {
            focal_length: 0.8,
            offset_in_table: DVec2::ZERO,
            looks_at_in_table: DVec2::ZERO,
            roll: 0.0,
            margin: 0.03,
            lens: Lens::NONE,
        }
    }
}

impl CameraPose {
    /// Hung by hand: a few centimetres and degrees off, never the same twice.
    pub fn random(random: &mut Random) -> Self {
        let mut spot = |reach: f64| DVec2::new(random.between(-reach, reach), random.between(-reach, reach));
        let offset_in_table = spot(0.12);
        let looks_at_in_table = spot(0.04);
        Self {
            focal_length: random.between(0.68, 1.0),
            offset_in_table,
            looks_at_in_table,
            roll: random.between(-0.018, 0.018),
            margin: random.between(0.012, 0.035),
            lens: Lens::NONE,
        }
    }
}

/// A camera: `image = principal point + focal length · lens((x, y) / z)` with the axes below.
///
/// Without its lens it shows the pinhole's picture, in which lines are straight and balls are ellipses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    position: DVec3,
    /// Rows: the picture's right, the picture's down, the direction of view; in table space.
    camera_from_table: DMat3,
    focal_px: f64,
    principal_in_image: DVec2,
    lens: Lens,
}

impl Camera {
    /// A camera of this picture size hung as low as the table allows.
    pub fn above(table: &TableModel, pose: &CameraPose, width: u32, height: u32) -> Self {
        let size = DVec2::new(f64::from(width), f64::from(height));
        let room = 0.5 * size * (1.0 - 2.0 * pose.margin);
        let outer = table.half_outer_size();
        // Corners, and the middles of the rails, which a barrel bends outwards.
        let turns = [-1.0, 0.0, 1.0];
        let border = || {
            turns
                .iter()
                .flat_map(|x| turns.iter().map(|y| DVec2::new(*x, *y)))
        };
        let middle = 0.5 * (size - DVec2::ONE);
        let fits = |camera: &Self| {
            border().all(|side| {
                let at = camera.project((outer * side).extend(table.rail_height)) - middle;
                at.x.abs() <= room.x && at.y.abs() <= room.y
            })
        };
        // Bisection: at 0.3 m no table fits, at 30 m every table does.
        let (mut low, mut high) = (0.3, 30.0);
        for _ in 0..40 {
            let middle = 0.5 * (low + high);
            if fits(&Self::at_height(middle, pose, size)) {
                high = middle;
            } else {
                low = middle;
            }
        }
        Self::at_height(high, pose, size)
    }

    fn at_height(height: f64, pose: &CameraPose, size: DVec2) -> Self {
        let position = pose.offset_in_table.extend(height);
        let forward = (pose.looks_at_in_table.extend(0.0) - position).normalize_or(DVec3::NEG_Z);
        let (sin, cos) = libm::sincos(pose.roll);
        let right = DVec3::new(cos, sin, 0.0).reject_from_normalized(forward);
        let right = right.normalize_or(DVec3::X);
        let down = forward.cross(right);
        Self {
            position,
            camera_from_table: DMat3::from_cols(right, down, forward).transpose(),
            focal_px: pose.focal_length * size.x,
            principal_in_image: 0.5 * (size - DVec2::ONE) + size.x * pose.lens.principal_offset,
            lens: pose.lens,
        }
    }

    /// Where it hangs, metres in table space.
    pub fn position(&self) -> DVec3 {
        self.position
    }

    /// Pixels per metre, one metre in front of the camera.
    pub fn focal_px(&self) -> f64 {
        self.focal_px
    }

    /// The picture's right and down and the direction of view, unit vectors in table space.
    pub fn axes(&self) -> [DVec3; 3] {
        let axes = self.camera_from_table.transpose();
        [axes.x_axis, axes.y_axis, axes.z_axis]
    }

    /// Distance of a point from the camera along the direction of view, metres.
    pub fn depth(&self, point_in_table: DVec3) -> f64 {
        (self.camera_from_table * (point_in_table - self.position)).z
    }

    /// The lens.
    pub fn lens(&self) -> Lens {
        self.lens
    }

    /// Where the optical axis meets the picture, pixels.
    pub fn principal_in_image(&self) -> DVec2 {
        self.principal_in_image
    }

    /// Where a point of table space is seen, pixels.
    pub fn project(&self, point_in_table: DVec3) -> DVec2 {
        self.image_from_pinhole(self.project_by_pinhole(point_in_table))
    }

    /// Where it would be seen without the lens.
    pub fn project_by_pinhole(&self, point_in_table: DVec3) -> DVec2 {
        let p = self.camera_from_table * (point_in_table - self.position);
        self.principal_in_image + self.focal_px * p.truncate() / p.z
    }

    /// Where a point of the pinhole's picture is in this camera's.
    pub fn image_from_pinhole(&self, point_in_pinhole: DVec2) -> DVec2 {
        if self.lens.k1 == 0.0 {
            return point_in_pinhole;
        }
        let p = (point_in_pinhole - self.principal_in_image) / self.focal_px;
        self.principal_in_image + self.focal_px * self.lens.distorted(p)
    }

    /// The inverse of [`Self::image_from_pinhole`].
    pub fn pinhole_from_image(&self, point_in_image: DVec2) -> DVec2 {
        if self.lens.k1 == 0.0 {
            return point_in_image;
        }
        let p = (point_in_image - self.principal_in_image) / self.focal_px;
        self.principal_in_image + self.focal_px * self.lens.undistorted(p)
    }

    /// What a small step at a point of the pinhole's picture becomes in this camera's.
    pub(crate) fn lens_derivative(&self, point_in_pinhole: DVec2) -> DMat2 {
        self.lens
            .derivative((point_in_pinhole - self.principal_in_image) / self.focal_px)
    }

    /// Direction, in table space, of what is seen at a point of the picture. Not of unit length.
    pub fn ray(&self, point_in_image: DVec2) -> DVec3 {
        let p = self
            .lens
            .undistorted((point_in_image - self.principal_in_image) / self.focal_px);
        self.camera_from_table.transpose() * p.extend(1.0)
    }

    /// The map from the horizontal plane at `height` (metres above the bed) to the pinhole's picture.
    pub fn pinhole_from_plane(&self, height: f64) -> Homography {
        let r = self.camera_from_table;
        let origin = r * (DVec3::Z * height - self.position);
        Homography::from_matrix(self.intrinsics() * DMat3::from_cols(r.x_axis, r.y_axis, origin))
    }

    /// The outline of a sphere in the pinhole's picture.
    ///
    /// A ray d from the camera touches the sphere of centre c and radius r where (d·c)² = |d|² (|c|² − r²): a cone,
    /// whose section with the image plane is the conic c cᵀ − (|c|² − r²) I in camera space (Hartley & Zisserman,
    /// Multiple View Geometry, 2nd ed., §8.3: the outline of a quadric).
    pub fn sphere_outline(&self, center_in_table: DVec3, radius: f64) -> EllipseInImage {
        let c = self.camera_from_table * (center_in_table - self.position);
        let cone = DMat3::from_cols(c * c.x, c * c.y, c * c.z)
            - DMat3::from_diagonal(DVec3::splat(c.length_squared() - radius * radius));
        let back = self.intrinsics().inverse();
        EllipseInImage::from_conic(back.transpose() * cone * back)
    }

    /// The image of a horizontal circle in the pinhole's picture.
    pub fn circle_outline(&self, center_in_table: DVec3, radius: f64) -> EllipseInImage {
        let c = center_in_table.truncate();
        let conic = DMat3::from_cols(
            DVec3::new(1.0, 0.0, -c.x),
            DVec3::new(0.0, 1.0, -c.y),
            DVec3::new(-c.x, -c.y, c.length_squared() - radius * radius),
        );
        let plane_from_image = self.pinhole_from_plane(center_in_table.z).matrix().inverse();
        EllipseInImage::from_conic(plane_from_image.transpose() * conic * plane_from_image)
    }

    /// What the lens makes of an ellipse of the pinhole's picture: the ellipse of the same area, centre of mass and second
    /// moments. (The true curve departs from it by a few hundredths of a pixel for a ball at the edge of a wide picture.)
    pub fn ellipse_through_lens(&self, in_pinhole: &EllipseInImage) -> EllipseInImage {
        if self.lens.k1 == 0.0 {
            return *in_pinhole;
        }
        const SIDES: usize = 48;
        let offset_from_unit = in_pinhole.unit_from_offset.inverse();
        let middle = self.image_from_pinhole(in_pinhole.center);
        let corner = |i: usize| {
            let (sin, cos) = libm::sincos(core::f64::consts::TAU * i as f64 / SIDES as f64);
            self.image_from_pinhole(in_pinhole.center + offset_from_unit * DVec2::new(cos, sin)) - middle
        };
        // Area, first and second moments of the polygon, as sums over the triangles to the middle.
        let (mut area, mut first, mut second) = (0.0, DVec2::ZERO, DMat2::ZERO);
        for i in 0..SIDES {
            let (p, q) = (corner(i), corner(i + 1));
            let double = p.perp_dot(q);
            let sum = p + q;
            let outer = |v: DVec2| DMat2::from_cols(v * v.x, v * v.y);
            area += 0.5 * double;
            first += sum * (double / 6.0);
            second += (outer(p) + outer(q) + outer(sum)) * (double / 24.0);
        }
        let shift = first / area;
        let spread = second * (1.0 / area) - DMat2::from_cols(shift * shift.x, shift * shift.y);
        // A circle's variance is a quarter of its radius squared; the polygon of n sides inscribed in it has
        // (2 + cos(2π/n)) / 3 of that.
        let inscribed = (2.0 + libm::cos(core::f64::consts::TAU / SIDES as f64)) / 3.0;
        EllipseInImage {
            center: middle + shift,
            unit_from_offset: root_of(spread.inverse() * (0.25 * inscribed)),
        }
    }

    fn intrinsics(&self) -> DMat3 {
        DMat3::from_cols(
            DVec3::X * self.focal_px,
            DVec3::Y * self.focal_px,
            self.principal_in_image.extend(1.0),
        )
    }
}

/// Root of a symmetric positive 2x2 matrix, by Cayley-Hamilton.
fn root_of(shape: DMat2) -> DMat2 {
    let root_det = shape.determinant().max(0.0).sqrt();
    let trace = shape.x_axis.x + shape.y_axis.y;
    (shape + DMat2::from_diagonal(DVec2::splat(root_det))) * (1.0 / (trace + 2.0 * root_det).sqrt())
}

/// An ellipse in image space: the points with |`unit_from_offset` (p − `center`)| ≤ 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EllipseInImage {
    /// Its centre, pixels.
    pub center: DVec2,
    /// Symmetric; takes offsets from the centre to the unit disc.
    pub unit_from_offset: DMat2,
}

impl EllipseInImage {
    /// The ellipse pᵀ Q p = 0 with p = (x, y, 1): its centre is −A⁻¹ b with A, b the blocks of Q.
    fn from_conic(q: DMat3) -> Self {
        let a = DMat2::from_cols(q.x_axis.truncate(), q.y_axis.truncate());
        let b = q.z_axis.truncate();
        let center = -(a.inverse() * b);
        let at_center = q.z_axis.z + b.dot(center);
        Self {
            center,
            unit_from_offset: root_of(a * (-1.0 / at_center)),
        }
    }

    /// The circle of the same centre and area.
    pub fn circle(&self) -> CircleInImage {
        CircleInImage {
            center: self.center,
            radius: 1.0 / self.unit_from_offset.determinant().abs().sqrt(),
        }
    }

    /// Whether a point lies in it.
    pub fn contains(&self, point_in_image: DVec2) -> bool {
        (self.unit_from_offset * (point_in_image - self.center)).length_squared() <= 1.0
    }

    /// Half its width and height, pixels.
    pub fn half_extent(&self) -> DVec2 {
        let offset_from_unit = self.unit_from_offset.inverse();
        DVec2::new(offset_from_unit.row(0).length(), offset_from_unit.row(1).length())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Game;
    use proptest::prelude::*;

    fn camera(seed: u64) -> Camera {
        let table = TableModel::for_game(Game::EightBall);
        Camera::above(
            &table,
            &CameraPose::random(&mut Random::from_seed(seed)),
            1280,
            720,
        )
    }

    #[test]
    fn x_is_right_and_y_is_up_in_the_picture() {
        let camera = camera(3);
        let middle = camera.project(DVec3::ZERO);
        assert!(camera.project(DVec3::X).x > middle.x + 100.0);
        assert!(camera.project(DVec3::Y).y < middle.y - 100.0);
    }

    #[test]
    fn the_whole_table_is_in_the_picture() {
        for seed in 0..20 {
            let camera = camera(seed);
            let outer = TableModel::for_game(Game::EightBall).half_outer_size();
            for (sx, sy) in [(1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0), (1.0, -1.0)] {
                let at = camera.project((outer * DVec2::new(sx, sy)).extend(0.04));
                assert!(
                    (0.0..1280.0).contains(&at.x) && (0.0..720.0).contains(&at.y),
                    "{at}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn rays_through_an_outline_touch_the_sphere(seed in 0..50_u64, x in -1.2..1.2, y in -0.6..0.6, turn in 0.0..6.3) {
            let camera = camera(seed);
            let (center, radius) = (DVec3::new(x, y, 0.028), 0.028);
            let outline = camera.sphere_outline(center, radius);
            let (sin, cos) = libm::sincos(turn);
            let on_edge = outline.center + outline.unit_from_offset.inverse() * DVec2::new(cos, sin);
            let ray = camera.ray(on_edge).normalize();
            let distance = (center - camera.position()).reject_from_normalized(ray).length();
            prop_assert!((distance - radius).abs() < 1e-9, "{}", distance);
            // The image of the sphere's centre lies within a tenth of a pixel.
            prop_assert!(outline.center.distance(camera.project(center)) < 0.15);
        }

        #[test]
        fn a_plane_maps_as_its_points_do(seed in 0..50_u64, x in -1.2..1.2, y in -0.6..0.6, z in 0.0..0.1) {
            let camera = camera(seed);
            let point = DVec2::new(x, y);
            let at = camera.pinhole_from_plane(z).apply(point);
            prop_assert!(at.distance(camera.project_by_pinhole(point.extend(z))) < 1e-9);
            let ray = camera.ray(at);
            let hit = camera.position() + ray * ((z - camera.position().z) / ray.z);
            prop_assert!(hit.truncate().distance(point) < 1e-9);
        }
    }
}
