//! A camera's lens: from places in the picture to directions of view, and back.

use glam::{DMat2, DVec2};
use serde::{Deserialize, Serialize};

/// A pinhole camera with square pixels and radial distortion.
///
/// What is seen in direction (x, y, 1) of the camera's space (x right, y down, z along the optical axis), with
/// r² = x² + y², is shown at `center + focal · (1 + k1 r² + k2 r⁴) · (x, y)` (Brown, Decentering Distortion of Lenses,
/// Photogrammetric Engineering 32, 1966; Zhang, A Flexible New Technique for Camera Calibration, PAMI 22, 2000, §3.3;
/// the same numbers as OpenCV's `k1`, `k2`).
///
/// The polynomial of a barrel lens folds the picture back over itself at some radius, farther out than the lens was
/// measured. From where its growth falls below [`Lens::LEAST_GROWTH`] it goes on straight, so every place has one
/// direction and every direction one place.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lens {
    /// Focal length, pixels.
    pub focal_px: f64,
    /// Where the optical axis meets the picture, pixels.
    pub center_in_image: DVec2,
    /// k1 and k2: negative k1 is a barrel (nearly all webcams), positive a pincushion.
    pub radial: [f64; 2],
}

impl Lens {
    /// Focal length of an unknown camera by the longer side of its picture.
    ///
    /// Cameras that are hung above tables see the whole of one from 1.5 to 3 m: webcams and phones with a horizontal
    /// field of view of 55° (0.96) to 78° (0.62); in the middle of that, by ratio, lies 0.77, which is 66°.
    pub const USUAL_FOCAL: f64 = 0.77;
    /// Standard deviation of the logarithm of that: the range above is ± 1.2 of it.
    pub const USUAL_FOCAL_SPREAD: f64 = 0.18;
    /// Pixels are directions: for plain homographies.
    pub const NONE: Self = Self {
        focal_px: 1.0,
        center_in_image: DVec2::ZERO,
        radial: [0.0; 2],
    };
    /// Least growth of the distance from the centre with that in a pinhole's picture.
    pub const LEAST_GROWTH: f64 = 0.4;

    /// An unknown camera that delivers pictures of this width and height, pixels: [`Lens::USUAL_FOCAL`], the optical
    /// axis in the middle, straight lines.
    pub fn usual(size: [u32; 2]) -> Self {
        let size = DVec2::new(f64::from(size[0]), f64::from(size[1]));
        Self {
            focal_px: Self::USUAL_FOCAL * size.max_element().max(1.0),
            center_in_image: 0.5 * (size - DVec2::ONE),
            radial: [0.0; 2],
        }
    }

    /// The same camera where its pictures are this many times larger. Pixel centres lie half a pixel from the border.
    pub fn scaled(&self, factor: f64) -> Self {
        let half = DVec2::splat(0.5);
        Self {
            focal_px: factor * self.focal_px,
            center_in_image: factor * (self.center_in_image + half) - half,
            ..*self
        }
    }

    /// Direction (x, y, 1) of what is shown at `point_in_image`.
    pub fn ray_from_image(&self, point_in_image: DVec2) -> DVec2 {
        let shown = (point_in_image - self.center_in_image) / self.focal_px;
        let [k1, k2] = self.radial;
        let radius = shown.length();
        if (k1 == 0.0 && k2 == 0.0) || radius == 0.0 {
            return shown;
        }
        shown * (self.undistorted(radius) / radius)
    }

    /// Where direction (x, y, 1) is shown.
    pub fn image_from_ray(&self, ray: DVec2) -> DVec2 {
        let (growth, _) = self.growth(ray.length());
        self.center_in_image + self.focal_px * growth * ray
    }

    /// Where a pinhole of the same focal length would show what this lens shows at `point_in_image`.
    pub fn straightened(&self, point_in_image: DVec2) -> DVec2 {
        self.center_in_image + self.focal_px * self.ray_from_image(point_in_image)
    }

    /// Where this lens shows what a pinhole of the same focal length would show at `straight`: the inverse of
    /// [`Self::straightened`].
    pub fn bent(&self, straight: DVec2) -> DVec2 {
        self.image_from_ray((straight - self.center_in_image) / self.focal_px)
    }

    /// What a small step in direction becomes in the picture, pixels: columns for steps in x and y.
    pub fn image_from_ray_derivative(&self, ray: DVec2) -> DMat2 {
        let radius = ray.length();
        let (growth, change) = self.growth(radius);
        let along = if radius > 0.0 { change / radius } else { 0.0 };
        let outer = DMat2::from_cols(ray * ray.x, ray * ray.y);
        self.focal_px * (DMat2::from_diagonal(DVec2::splat(growth)) + along * outer)
    }

    /// `(1 + k1 r² + k2 r⁴)` and its derivative by r, continued beyond [`Self::limit`].
    fn growth(&self, radius: f64) -> (f64, f64) {
        let [k1, k2] = self.radial;
        let inner = radius.min(self.limit());
        let r2 = inner * inner;
        let growth = 1.0 + r2 * (k1 + r2 * k2);
        let change = inner * (2.0 * k1 + 4.0 * k2 * r2);
        if radius <= inner {
            return (growth, change);
        }
        // Distance from the centre is d(r) = d(inner) + d'(inner) (r − inner) from here on.
        let slope = growth + inner * change;
        let distance = growth * inner + slope * (radius - inner);
        (distance / radius, (slope * radius - distance) / (radius * radius))
    }

    /// Radius from which on the distance from the centre grows evenly: d' = 1 + 3 k1 r² + 5 k2 r⁴ = least growth there.
    fn limit(&self) -> f64 {
        let [k1, k2] = self.radial;
        let (a, b, c) = (5.0 * k2, 3.0 * k1, 1.0 - Self::LEAST_GROWTH);
        // The least positive root of a s² + b s + c, s = r²; c is positive.
        let discriminant = b * b - 4.0 * a * c;
        if discriminant < 0.0 {
            return f64::INFINITY;
        }
        let q = -0.5 * (b + discriminant.sqrt().copysign(b));
        let [s, t] = [q / a, c / q].map(|s| if s > 0.0 { s } else { f64::INFINITY });
        s.min(t).sqrt()
    }

    /// The inverse of r ↦ r · growth(r), by Newton's method, kept inside brackets.
    fn undistorted(&self, shown: f64) -> f64 {
        // The growth is at least the least one.
        let (mut low, mut high) = (0.0, shown / Self::LEAST_GROWTH + 1.0);
        let mut radius = shown;
        for _ in 0..50 {
            let (growth, change) = self.growth(radius);
            let off = radius * growth - shown;
            if off > 0.0 {
                high = radius;
            } else {
                low = radius;
            }
            let step = off / (growth + radius * change);
            let next = radius - step;
            if step.abs() <= 1e-13 * (1.0 + radius) {
                return next;
            }
            radius = if next > low && next < high {
                next
            } else {
                0.5 * (low + high)
            };
        }
        radius
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lens(k1: f64, k2: f64) -> Lens {
        Lens {
            radial: [k1, k2],
            ..Lens::usual([1280, 720])
        }
    }

    proptest! {
        #[test]
        fn every_direction_has_its_place(k1 in -0.4..0.4, k2 in -0.2..0.2, x in -4.0..4.0, y in -4.0..4.0) {
            let lens = lens(k1, k2);
            let ray = DVec2::new(x, y);
            let back = lens.ray_from_image(lens.image_from_ray(ray));
            prop_assert!(back.distance(ray) < 1e-8 * (1.0 + ray.length()), "{} {}", ray, back);
        }

        #[test]
        fn every_place_has_its_direction(k1 in -0.4..0.4, k2 in -0.2..0.2, x in -2000.0..4000.0, y in -2000.0..4000.0) {
            let lens = lens(k1, k2);
            let place = DVec2::new(x, y);
            prop_assert!(lens.image_from_ray(lens.ray_from_image(place)).distance(place) < 1e-6);
            prop_assert!(lens.bent(lens.straightened(place)).distance(place) < 1e-6);
        }

        #[test]
        fn the_derivative_agrees_with_small_steps(k1 in -0.3..0.3, k2 in -0.1..0.1, x in -2.0..2.0, y in -2.0..2.0) {
            let lens = lens(k1, k2);
            let ray = DVec2::new(x, y);
            let step = 1e-6;
            let derivative = lens.image_from_ray_derivative(ray);
            for (axis, column) in [(DVec2::X, derivative.x_axis), (DVec2::Y, derivative.y_axis)] {
                let difference = lens.image_from_ray(ray + step * axis) - lens.image_from_ray(ray - step * axis);
                prop_assert!((difference / (2.0 * step)).distance(column) < 1e-2, "{} {}", difference, column);
            }
        }
    }

    #[test]
    fn a_barrel_shows_what_is_far_out_nearer_to_the_middle() {
        let ray = DVec2::new(0.5, 0.2);
        let offset = |k1| (lens(k1, 0.0).image_from_ray(ray) - lens(0.0, 0.0).image_from_ray(ray)).dot(ray);
        assert!(offset(-0.1) < -1.0 && offset(0.1) > 1.0);
    }

    #[test]
    fn half_the_picture_has_half_the_focal_length_about_the_same_middle() {
        let half = Lens::usual([1920, 1080]).scaled(0.5);
        assert!((half.focal_px - Lens::usual([960, 540]).focal_px).abs() < 1e-9);
        assert!(
            half.center_in_image
                .distance(Lens::usual([960, 540]).center_in_image)
                < 1e-9
        );
    }
}
