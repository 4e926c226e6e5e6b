//! A camera over a rectangle: what is unknown of it, and what it would see.

use ghostball_world::{Lens, PlaneInView};
use glam::{DMat3, DVec2, DVec3};

use super::{LensBelief, SeenTable};

/// Number of unknowns: logarithm of the focal length, k1, axis x and y, three turns, three shifts, logarithm of the
/// table's width.
pub(super) const UNKNOWNS: usize = 11;
/// Which of them is the focal length.
pub(super) const FOCAL: usize = 0;

/// Lens, pose and table; lengths by half the table's length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Model {
    pub lens: Lens,
    camera_from_table: DMat3,
    /// The middle of the table in camera space.
    middle: DVec3,
    /// Half of the playing surface across and down in the picture.
    half: DVec2,
    width_growth: f64,
    is_upright: bool,
}

impl Model {
    /// The pose that a lens as believed in and the rough corners give.
    pub fn start(seen: &SeenTable, belief: &LensBelief) -> Option<Self> {
        let [a, b, c, d] = seen.corners_in_image;
        let is_upright = a.distance(d) + b.distance(c) > a.distance(b) + d.distance(c);
        let half = if is_upright {
            DVec2::new(seen.width_by_length, 1.0)
        } else {
            DVec2::new(1.0, seen.width_by_length)
        };
        let corners = corners_of(half);
        let view = PlaneInView::through(belief.lens, &seen.corners_in_image, &corners).ok()?;
        let matrix = view.ray_from_table().matrix();
        let x = matrix.x_axis.normalize_or_zero();
        let z = x.cross(matrix.y_axis).normalize_or_zero();
        let model = Self {
            lens: belief.lens,
            camera_from_table: DMat3::from_cols(x, z.cross(x), z),
            middle: matrix.z_axis,
            half,
            width_growth: 0.0,
            is_upright,
        };
        let is_right = (model.camera_from_table.determinant() - 1.0).abs() < 1e-6;
        (is_right && model.middle.is_finite() && model.middle.z > 0.0).then_some(model)
    }

    /// The model with its unknowns changed by this much.
    pub fn moved(&self, by: &[f64; UNKNOWNS]) -> Self {
        let [
            focal,
            k1,
            x,
            y,
            turn_x,
            turn_y,
            turn_z,
            shift_x,
            shift_y,
            shift_z,
            width,
        ] = *by;
        let turn = DVec3::new(turn_x, turn_y, turn_z);
        let lens = Lens {
            focal_px: self.lens.focal_px * libm::exp(focal.clamp(-3.0, 3.0)),
            center_in_image: self.lens.center_in_image + DVec2::new(x, y),
            radial: [self.lens.radial[0] + k1, self.lens.radial[1]],
        };
        // A longer lens shows the same from farther away: moving the table with it keeps the unknowns apart.
        let depth = libm::exp((focal + shift_z).clamp(-3.0, 3.0));
        let scale = self.middle.z;
        Self {
            lens,
            camera_from_table: rotation(turn) * self.camera_from_table,
            middle: self.middle * DVec3::new(1.0, 1.0, depth) + scale * DVec3::new(shift_x, shift_y, 0.0),
            width_growth: self.width_growth + width,
            ..*self
        }
    }

    /// Half of the playing surface across and down in the picture, by half its length.
    pub fn half(&self) -> DVec2 {
        self.half
    }

    /// The plane so far below the noses, by the table's length. Places are those that a table of the proportions
    /// believed in would have, as they are when positions are told.
    pub fn balls_in_view(&self, below: f64) -> Option<PlaneInView> {
        let corners = self.corner_rays().map(|ray| self.lens.image_from_ray(ray));
        let noses = PlaneInView::through(self.lens, &corners, &corners_of(self.half)).ok()?;
        noses.lowered(2.0 * below, 0.0).ok()
    }

    /// Directions of the corners, TL TR BR BL.
    pub fn corner_rays(&self) -> [DVec2; 4] {
        let growth = libm::exp(self.width_growth.clamp(-1.0, 1.0));
        let half = if self.is_upright {
            DVec2::new(self.half.x * growth, self.half.y)
        } else {
            DVec2::new(self.half.x, self.half.y * growth)
        };
        corners_of(half).map(|corner| {
            let p = self.camera_from_table * corner.extend(0.0) + self.middle;
            p.truncate() / p.z
        })
    }

    /// How far `point_in_image` lies off a side, pixels.
    pub fn off_side_px(&self, side: &[DVec2; 2], point_in_image: DVec2) -> f64 {
        let along = (side[1] - side[0]).normalize_or_zero();
        let ray = self.lens.ray_from_image(point_in_image);
        self.lens.focal_px * along.perp_dot(ray - side[0])
    }

    /// Half axis of a ball's outline towards the optical axis by that across: 1/cos of its angle (see `PlaneInView`;
    /// balls are small), and what the lens adds.
    pub fn stretch_at(&self, center_in_image: DVec2) -> f64 {
        let ray = self.lens.ray_from_image(center_in_image);
        let r2 = ray.length_squared();
        let derivative = self.lens.image_from_ray_derivative(ray);
        let towards = ray.normalize_or(DVec2::X);
        let [along, across] = [towards, towards.perp()].map(|direction| (derivative * direction).length());
        (1.0 + r2).sqrt() * along / across
    }

    /// How far lens and table are from what is believed, in standard deviations.
    pub fn add_priors(&self, belief: &LensBelief, aspect_sigma: f64, out: &mut Vec<f64>) {
        let axis = (self.lens.center_in_image - belief.lens.center_in_image) / belief.center_spread_px;
        out.extend([
            libm::log(self.lens.focal_px / belief.lens.focal_px) / belief.focal_spread,
            (self.lens.radial[0] - belief.lens.radial[0]) / belief.radial_spread,
            axis.x,
            axis.y,
            self.width_growth / aspect_sigma,
        ]);
    }
}

/// TL TR BR BL, y up.
fn corners_of(DVec2 { x, y }: DVec2) -> [DVec2; 4] {
    [[-x, y], [x, y], [x, -y], [-x, -y]].map(DVec2::from)
}

/// Rotation by |turn| radians about `turn` (Rodrigues).
fn rotation(turn: DVec3) -> DMat3 {
    let angle = turn.length();
    if angle < 1e-12 {
        return DMat3::from_cols(
            DVec3::new(1.0, turn.z, -turn.y),
            DVec3::new(-turn.z, 1.0, turn.x),
            DVec3::new(turn.y, -turn.x, 1.0),
        );
    }
    let axis = turn / angle;
    let (sin, cos) = libm::sincos(angle);
    let column = |v: DVec3| v * cos + axis.cross(v) * sin + axis * (axis.dot(v) * (1.0 - cos));
    DMat3::from_cols(column(DVec3::X), column(DVec3::Y), column(DVec3::Z))
}
