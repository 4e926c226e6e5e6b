//! How one camera sees the plane in which the balls' centres lie.
//!
//! Corners are seen on the cushion noses, balls below them. With the lens known, the noses' rectangle gives the
//! camera's pose (Zhang, A Flexible New Technique for Camera Calibration, PAMI 22, 2000, §3.1), the pose any plane
//! parallel to it. A sphere's outline is an ellipse, whose centre is not the image of the sphere's centre (Hartley &
//! Zisserman, Multiple View Geometry, 2nd ed., §8.3): the conic of a sphere of radius R at (X, Y, Z) is
//! `c cᵀ − (|c|² − R²) I`, and its centre comes out as `(X, Y) / Z / (1 − R²/Z²)`.

use glam::{DMat2, DMat3, DVec2};
use serde::{Deserialize, Serialize};

use crate::{CircleInImage, GeometryError, Homography, Lens};

/// A plane parallel to the cloth as one camera sees it; places on it are in table space, metres.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlaneInView {
    lens: Lens,
    /// From the plane to directions (x, y, 1); with a depth in metres where the camera's pose is known.
    ray_from_table: Homography,
    table_from_ray: Homography,
    /// Radius of the spheres whose outlines are seen, metres; 0 for what lies in the plane itself.
    sphere_radius: f64,
}

impl PlaneInView {
    /// The plane through these four points of table space, seen at these places.
    pub fn through(
        lens: Lens,
        points_in_image: &[DVec2; 4],
        points_in_table: &[DVec2; 4],
    ) -> Result<Self, GeometryError> {
        let rays = points_in_image.map(|point| lens.ray_from_image(point));
        let map = Homography::from_four_points(points_in_table, &rays)?.matrix();
        // The columns are two axes of table space and its origin in camera space, up to a common factor. The axes have
        // length one; with four points that are not quite a rectangle's, their mean has.
        let length = 0.5 * (map.x_axis.length() + map.y_axis.length());
        // What is seen is in front of the camera.
        let ray_from_table = Homography::from_matrix(map * (map.z_axis.z.signum() / length));
        Ok(Self {
            lens,
            ray_from_table,
            table_from_ray: ray_from_table.inverse()?,
            sphere_radius: 0.0,
        })
    }

    /// The plane `by` metres below this one, in which spheres of this radius have their centres.
    pub fn lowered(&self, by: f64, sphere_radius: f64) -> Result<Self, GeometryError> {
        let DMat3 {
            x_axis,
            y_axis,
            z_axis: origin,
        } = self.ray_from_table.matrix();
        // z of table space points up, so down is where y × x points.
        let down = y_axis.cross(x_axis).normalize_or_zero();
        let matrix = DMat3::from_cols(x_axis, y_axis, origin + by * down);
        let ray_from_table = Homography::from_matrix(matrix);
        Ok(Self {
            ray_from_table,
            table_from_ray: ray_from_table.inverse()?,
            sphere_radius,
            ..*self
        })
    }

    /// The lens it is seen through.
    pub fn lens(&self) -> &Lens {
        &self.lens
    }

    /// From places of the plane to directions (x, y, 1) of the camera.
    pub fn ray_from_table(&self) -> &Homography {
        &self.ray_from_table
    }

    /// Distance from the camera along its optical axis, metres.
    pub fn depth_at(&self, position_in_table: DVec2) -> f64 {
        (self.ray_from_table.matrix() * position_in_table.extend(1.0)).z
    }

    /// The outline of a sphere with its centre here: the circle of the same centre and area.
    pub fn sphere_in_image(&self, position_in_table: DVec2, radius: f64) -> CircleInImage {
        let ray = self.ray_from_table.apply(position_in_table);
        let depth = self.depth_at(position_in_table);
        let share = (radius / depth) * (radius / depth);
        // Half axes of the conic at the head of the module: across, and towards the optical axis.
        let across = (share / (1.0 - share)).sqrt();
        let along = across * ((ray.length_squared() + 1.0 - share) / (1.0 - share)).sqrt();
        let derivative = self.lens.image_from_ray_derivative(ray);
        CircleInImage {
            center: self.lens.image_from_ray(ray / (1.0 - share)),
            radius: (across * along * derivative.determinant().abs()).sqrt(),
        }
    }

    fn image_from_table(&self, position_in_table: DVec2) -> DVec2 {
        let ray = self.ray_from_table.apply(position_in_table);
        let shift = self.sphere_radius / self.depth_at(position_in_table);
        self.lens.image_from_ray(ray / (1.0 - shift * shift))
    }

    fn table_from_image(&self, point_in_image: DVec2) -> DVec2 {
        let seen = self.lens.ray_from_image(point_in_image);
        let mut position = self.table_from_ray.apply(seen);
        if self.sphere_radius > 0.0 {
            // The depth changes by thousandths over the shift, the shift by 1e-6 of itself.
            for _ in 0..2 {
                let shift = self.sphere_radius / self.depth_at(position);
                position = self.table_from_ray.apply(seen * (1.0 - shift * shift));
            }
        }
        position
    }

    /// Pixels per metre in x and y: the columns.
    fn derivative_at(&self, position_in_table: DVec2) -> DMat2 {
        let ray = self.ray_from_table.apply(position_in_table);
        let step = |axis| self.ray_from_table.apply_direction(position_in_table, axis);
        self.lens.image_from_ray_derivative(ray) * DMat2::from_cols(step(DVec2::X), step(DVec2::Y))
    }
}

/// From the outlines of balls in the picture to where their centres are, metres.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableFromImage(PlaneInView);

impl TableFromImage {
    /// For balls with their centres in this plane.
    pub fn new(plane: PlaneInView) -> Self {
        Self(plane)
    }

    /// Where what is seen at `point_in_image` is.
    pub fn apply(&self, point_in_image: DVec2) -> DVec2 {
        self.0.table_from_image(point_in_image)
    }

    /// Metres per pixel around `point_in_image`, mean over all directions: the root of the Jacobian's determinant.
    pub fn scale_at(&self, point_in_image: DVec2) -> f64 {
        let position = self.apply(point_in_image);
        1.0 / self.0.derivative_at(position).determinant().abs().sqrt()
    }
}

/// From where balls are to the centres of their outlines in the picture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageFromTable(PlaneInView);

impl ImageFromTable {
    /// For balls with their centres in this plane.
    pub fn new(plane: PlaneInView) -> Self {
        Self(plane)
    }

    /// Where a ball at `position_in_table` is seen.
    pub fn apply(&self, position_in_table: DVec2) -> DVec2 {
        self.0.image_from_table(position_in_table)
    }

    /// Pixels per metre around `position_in_table`, mean over all directions: the root of the Jacobian's determinant.
    pub fn scale_at(&self, position_in_table: DVec2) -> f64 {
        self.0.derivative_at(position_in_table).determinant().abs().sqrt()
    }

    /// What a small displacement `direction` at `position_in_table` becomes (the Jacobian applied to it).
    pub fn apply_direction(&self, position_in_table: DVec2, direction: DVec2) -> DVec2 {
        self.0.derivative_at(position_in_table) * direction
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glam::DVec3;
    use proptest::prelude::*;

    /// A camera that looks down at a table from somewhere above it.
    #[derive(Clone, Copy, Debug)]
    struct Camera {
        position: DVec3,
        right: DVec3,
        down: DVec3,
        forward: DVec3,
        lens: Lens,
    }

    impl Camera {
        fn ray(&self, p: DVec3) -> DVec2 {
            let p = p - self.position;
            DVec2::new(p.dot(self.right), p.dot(self.down)) / p.dot(self.forward)
        }

        fn image(&self, p: DVec3) -> DVec2 {
            self.lens.image_from_ray(self.ray(p))
        }

        /// The middle of a sphere's outline, from points all round the circle along which rays touch it.
        fn outline_center(&self, center: DVec3, radius: f64) -> DVec2 {
            let view = center - self.position;
            let share = radius * radius / view.length_squared();
            let (a, b) = view.normalize().any_orthonormal_pair();
            let (mut least, mut most) = (DVec2::INFINITY, DVec2::NEG_INFINITY);
            for i in 0..2000 {
                let (sin, cos) = libm::sincos(f64::from(i) * core::f64::consts::TAU / 2000.0);
                let touched = center - share * view + radius * (1.0 - share).sqrt() * (cos * a + sin * b);
                let ray = self.ray(touched);
                (least, most) = (least.min(ray), most.max(ray));
            }
            self.lens.image_from_ray(0.5 * (least + most))
        }
    }

    const CORNERS: [[f64; 2]; 4] = [[-1.27, 0.635], [1.27, 0.635], [1.27, -0.635], [-1.27, -0.635]];

    fn camera() -> impl Strategy<Value = Camera> {
        let spot = || (-0.5..0.5, -0.5..0.5).prop_map(|(x, y)| DVec2::new(x, y));
        (
            spot(),
            spot(),
            1.5..3.5_f64,
            -0.2..0.2_f64,
            0.5..1.3_f64,
            -0.2..0.1_f64,
        )
            .prop_map(|(stands, looks, height, roll, focal, k1)| {
                let position = stands.extend(height);
                let forward = (looks.extend(0.0) - position).normalize();
                let (sin, cos) = libm::sincos(roll);
                let right = DVec3::new(cos, sin, 0.0)
                    .reject_from_normalized(forward)
                    .normalize();
                Camera {
                    position,
                    right,
                    down: forward.cross(right),
                    forward,
                    lens: Lens {
                        focal_px: focal * 1280.0,
                        radial: [k1, 0.0],
                        ..Lens::usual([1280, 720])
                    },
                }
            })
    }

    fn noses(camera: &Camera, height: f64) -> PlaneInView {
        let corners = CORNERS.map(DVec2::from);
        let seen = corners.map(|corner| camera.image(corner.extend(height)));
        PlaneInView::through(camera.lens, &seen, &corners).unwrap()
    }

    proptest! {
        #[test]
        fn balls_are_placed_from_their_outlines(camera in camera(), x in -1.2..1.2, y in -0.6..0.6) {
            let (radius, nose) = (0.0286, 0.0363);
            let balls = noses(&camera, nose).lowered(nose - radius, radius).unwrap();
            let place = DVec2::new(x, y);
            let seen = camera.outline_center(place.extend(radius), radius);
            let found = TableFromImage::new(balls).apply(seen);
            prop_assert!(found.distance(place) < 1e-6, "{} for {}", found, place);
            prop_assert!(ImageFromTable::new(balls).apply(place).distance(seen) < 1e-3);
            prop_assert!(balls.sphere_in_image(place, radius).center.distance(seen) < 1e-3);
            let depth = (place.extend(radius) - camera.position).dot(camera.forward);
            prop_assert!((balls.depth_at(place) - depth).abs() < 1e-9);
        }

        #[test]
        fn picture_and_table_are_inverse_to_each_other(camera in camera(), x in 0.0..1280.0, y in 0.0..720.0) {
            let balls = noses(&camera, 0.0363).lowered(0.0077, 0.0286).unwrap();
            let (to, back) = (TableFromImage::new(balls), ImageFromTable::new(balls));
            let point = DVec2::new(x, y);
            prop_assert!(back.apply(to.apply(point)).distance(point) < 1e-6);
            let around = to.scale_at(point) * back.scale_at(to.apply(point));
            prop_assert!((around - 1.0).abs() < 1e-9);
        }

        #[test]
        fn directions_agree_with_small_steps(camera in camera(), x in -1.2..1.2, y in -0.6..0.6) {
            let balls = noses(&camera, 0.0363).lowered(0.0077, 0.0286).unwrap();
            let map = ImageFromTable::new(balls);
            let (place, step) = (DVec2::new(x, y), 1e-5);
            let share = (0.0286 / balls.depth_at(place)) * (0.0286 / balls.depth_at(place));
            for axis in [DVec2::X, DVec2::Y] {
                let difference = (map.apply(place + step * axis) - map.apply(place - step * axis)) / (2.0 * step);
                let direction = map.apply_direction(place, axis);
                // But for the shift of an outline's centre, whose share of the way from the axis changes with the depth:
                // a thousandth from a metre away.
                prop_assert!(direction.distance(difference) < (1e-4 + 4.0 * share) * difference.length());
            }
        }
    }

    #[test]
    fn a_ball_off_the_axis_covers_more_of_the_picture() {
        let lens = Lens::usual([1280, 720]);
        let plane = DMat3::from_cols(DVec3::X, -DVec3::Y, 2.0 * DVec3::Z);
        let plane = PlaneInView {
            lens,
            ray_from_table: Homography::from_matrix(plane),
            table_from_ray: Homography::from_matrix(plane.inverse()),
            sphere_radius: 0.0,
        };
        let middle = plane.sphere_in_image(DVec2::ZERO, 0.03).radius;
        let side = plane.sphere_in_image(DVec2::new(1.2, 0.0), 0.03).radius;
        assert!((middle - lens.focal_px * 0.03 / 2.0).abs() < 0.01, "{middle}");
        // At 31 degrees, the root of 1/cos.
        assert!((side / middle - 1.08).abs() < 0.01, "{}", side / middle);
    }
}
