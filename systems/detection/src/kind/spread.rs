//! How far colours stray, and how likely one is to be seen.

use glam::{Mat3, Vec3};

/// Density of colours where nothing is known: one over the volume that R, G, B of 0 to 255 take in Y, U, V (255³ times
/// the determinant of BT.601's matrix, 0.236), as a logarithm.
pub(super) const LN_ANY_COLOR: f32 = -15.18;
/// ln 2π, three halves.
const LN_NORM: f32 = 2.756_815_6;

/// Standard deviations of a colour, along the ways in which light, paint and camera change it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spread {
    /// Of Y alone: a veil of mirrored surroundings, the camera's black level. Steps of 255.
    pub veil: f32,
    /// Of Y, U and V together: more or less light. A share.
    pub gain: f32,
    /// Of U and V together: more or less paint. A share.
    pub saturation: f32,
    /// The same for what is pale: cameras stretch contrast, which adds saturation in proportion to light. A share of Y.
    pub contrast: f32,
    /// Of U and V about neutral, radians.
    pub hue: f32,
    /// In every direction: what surroundings and cloth shine on. Steps of 255.
    pub noise: f32,
}

impl Spread {
    /// Between sets of different makers and ages, and cameras. Neighbouring names of the rules (red, orange, yellow;
    /// blue, purple) are two to three of these apart.
    pub const OF_PAINT: Self = Self {
        veil: 28.0,
        gain: 0.05,
        saturation: 0.3,
        contrast: 0.12,
        hue: 0.175,
        noise: 9.0,
    };
    /// Between balls of one paint on one table: light differs with the place by more than the paint does.
    pub const OF_BALL: Self = Self {
        veil: 3.0,
        gain: 0.17,
        saturation: 0.08,
        contrast: 0.0,
        hue: 0.052,
        noise: 0.0,
    };
    /// Between a solid and a stripe of one paint: beside white, paint is seen paler.
    pub const OF_PAIR: Self = Self {
        veil: 8.0,
        gain: 0.15,
        saturation: 0.12,
        contrast: 0.0,
        hue: 0.07,
        noise: 0.0,
    };
    /// Of what is seen beside white on a cue ball: shade, spots, and what stands about it.
    pub const OF_SHADED_WHITE: Self = Self {
        veil: 60.0,
        gain: 0.0,
        saturation: 0.0,
        contrast: 0.0,
        hue: 0.0,
        noise: 20.0,
    };

    /// Covariance about a colour.
    pub fn covariance_about(&self, color: Vec3) -> Mat3 {
        let chroma = Vec3::new(0.0, color.y, color.z);
        let length = chroma.length().max(1.0);
        let along = self.saturation * self.saturation
            + (self.contrast * color.x / length) * (self.contrast * color.x / length);
        outer(Vec3::X, self.veil * self.veil)
            + outer(color, self.gain * self.gain)
            + outer(chroma, along)
            + outer(Vec3::new(0.0, -color.z, color.y), self.hue * self.hue)
            + Mat3::from_diagonal(Vec3::splat(self.noise * self.noise))
    }
}

/// The matrix of v vᵀ, times a factor.
pub(super) fn outer(v: Vec3, factor: f32) -> Mat3 {
    let scaled = factor * v;
    Mat3::from_cols(scaled * v.x, scaled * v.y, scaled * v.z)
}

/// Logarithm of the density of a normal distribution at `offset` from its middle.
#[inline]
pub(super) fn ln_density(offset: Vec3, covariance: Mat3) -> f32 {
    let squared = offset.dot(covariance.inverse() * offset);
    -0.5 * (squared + libm::logf(covariance.determinant())) - LN_NORM
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn density_is_that_of_independent_axes() {
        let covariance = Mat3::from_diagonal(Vec3::new(4.0, 9.0, 25.0));
        let axis = |x: f32, sigma: f32| {
            -0.5 * (x / sigma) * (x / sigma) - libm::logf(sigma) - 0.5 * libm::logf(core::f32::consts::TAU)
        };
        let expected = axis(1.0, 2.0) + axis(-2.0, 3.0) + axis(7.0, 5.0);
        let found = ln_density(Vec3::new(1.0, -2.0, 7.0), covariance);
        assert!((found - expected).abs() < 1e-4, "{found} {expected}");
    }

    #[test]
    fn light_is_less_of_a_surprise_than_another_hue() {
        let red = Vec3::new(76.0, -27.0, 89.0);
        let covariance = Spread::OF_BALL.covariance_about(red) + Mat3::from_diagonal(Vec3::splat(20.0));
        let darker = ln_density(-0.25 * red, covariance);
        let browner = ln_density(Vec3::new(0.0, -15.0, -18.0), covariance);
        assert!(darker > browner + 3.0, "{darker} {browner}");
    }
}
