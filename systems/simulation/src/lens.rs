//! What a lens does to the straight lines of a pinhole's picture.

use glam::{DMat2, DVec2};

/// Radial distortion and a principal point off the picture's middle.
///
/// A point at `q` focal lengths from the principal point in a pinhole's picture is shown at `q (1 + k1 |q|²)`: the first
/// term of Brown's model (Decentering Distortion of Lenses, Photogrammetric Engineering 32, 1966), as OpenCV writes it.
/// Where a barrel would fold the picture back over itself, further out than any picture reaches, it grows evenly instead.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Lens {
    /// Negative for a barrel, as nearly all webcams have it: −0.15 to 0.05.
    pub k1: f64,
    /// The principal point, from the middle of the picture, picture widths.
    pub principal_offset: DVec2,
}

/// Least growth of the distance from the principal point with that in a pinhole's picture.
const LEAST_GROWTH: f64 = 0.4;
/// Newton steps: for a growth of at least [`LEAST_GROWTH`] the fifth changes nothing.
const STEPS: u32 = 5;

impl Lens {
    /// A pinhole.
    pub const NONE: Self = Self {
        k1: 0.0,
        principal_offset: DVec2::ZERO,
    };

    /// Square of the distance from which on the picture grows evenly, focal lengths.
    fn limit(&self) -> f64 {
        if self.k1 < 0.0 {
            (1.0 - LEAST_GROWTH) / (-3.0 * self.k1)
        } else {
            f64::INFINITY
        }
    }

    /// Where a point of the pinhole's picture is shown; both in focal lengths from the principal point.
    pub fn distorted(&self, in_pinhole: DVec2) -> DVec2 {
        if self.k1 == 0.0 {
            return in_pinhole;
        }
        in_pinhole * (1.0 + self.k1 * in_pinhole.length_squared().min(self.limit()))
    }

    /// The inverse of [`Self::distorted`].
    pub fn undistorted(&self, shown: DVec2) -> DVec2 {
        if self.k1 == 0.0 {
            return shown;
        }
        let limit = self.limit();
        let last = 1.0 + self.k1 * limit;
        let squared = shown.length_squared();
        if squared >= limit * last * last {
            return shown / last;
        }
        // s (1 + k1 |shown|² s²) = 1 for the factor s.
        let c = self.k1 * squared;
        // From the first terms of its series in c, which is good for a small one.
        let small = c.clamp(-0.15, 0.1);
        let mut s = 1.0 - small * (1.0 - small * (3.0 - 12.0 * small));
        for _ in 0..STEPS {
            s -= (s + c * s * s * s - 1.0) / (1.0 + 3.0 * c * s * s);
        }
        shown * s
    }

    /// What a small step in the pinhole's picture becomes at a point of it: columns for steps right and down.
    pub fn derivative(&self, in_pinhole: DVec2) -> DMat2 {
        let squared = in_pinhole.length_squared();
        if self.k1 == 0.0 {
            return DMat2::IDENTITY;
        }
        if squared > self.limit() {
            return DMat2::IDENTITY * (1.0 + self.k1 * self.limit());
        }
        let outer = DMat2::from_cols(in_pinhole * in_pinhole.x, in_pinhole * in_pinhole.y);
        DMat2::IDENTITY * (1.0 + self.k1 * squared) + outer * (2.0 * self.k1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_a_lens_bends_is_straightened_again(k1 in -0.15..0.06, x in -3.0..3.0, y in -3.0..3.0) {
            let lens = Lens { k1, ..Lens::NONE };
            let point = DVec2::new(x, y);
            let back = lens.undistorted(lens.distorted(point));
            prop_assert!(back.distance(point) < 1e-6 * (1.0 + point.length()), "{} {}", back, point);
        }

        #[test]
        fn the_derivative_agrees_with_small_steps(k1 in -0.15..0.06, x in -0.8..0.8, y in -0.8..0.8) {
            let lens = Lens { k1, ..Lens::NONE };
            let point = DVec2::new(x, y);
            let step = 1e-6;
            let columns = [DVec2::X, DVec2::Y].map(|axis| (lens.distorted(point + step * axis) - lens.distorted(point - step * axis)) / (2.0 * step));
            let derivative = lens.derivative(point);
            prop_assert!(columns[0].distance(derivative.x_axis) < 1e-6);
            prop_assert!(columns[1].distance(derivative.y_axis) < 1e-6);
        }
    }
}
