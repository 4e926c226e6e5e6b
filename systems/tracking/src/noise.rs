//! How precisely balls are seen: learnt from those that lie still.

use serde::{Deserialize, Serialize};

/// The scatter of sightings, pixels. It differs between cameras, lenses, lamps and codecs by a factor of ten, so it is
/// measured all the time instead of being configured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PixelNoise {
    /// Variance of one coordinate in units of the ball's apparent radius, squared.
    variance: f64,
    radius_px: f64,
}

/// First guess, and bounds, as fractions of a ball's apparent radius: a fitted circle of 50 edge pixels, each good to
/// a few tenths of a pixel, has about 3 % of its radius. Less than 1 % is luck, more than 12 % is not noise.
const PRIOR_RADII: f64 = 0.03;
const FLOOR_RADII: f64 = 0.01;
const CEILING_RADII: f64 = 0.12;
/// Weight of one sighting: the memory reaches back 200 of them, half a second of a full table.
const GAIN: f64 = 0.005;
/// A residual beyond this many sigmas counts as this many: one askew sighting must not open the gates for all.
const CLIP_SIGMAS: f64 = 3.0;

impl Default for PixelNoise {
    fn default() -> Self {
        Self {
            variance: PRIOR_RADII * PRIOR_RADII,
            radius_px: 1.0,
        }
    }
}

impl PixelNoise {
    /// Balls appear with this radius, pixels: what was learnt scales with it.
    pub fn balls_appear(&mut self, radius_px: f64) {
        if radius_px.is_finite() && radius_px > 0.0 {
            self.radius_px = radius_px;
        }
    }

    /// Standard deviation of one coordinate of a sighting, pixels.
    pub fn sigma_px(&self) -> f64 {
        self.variance.sqrt() * self.radius_px
    }

    /// A ball at rest was seen `residual_px` from where it lies.
    pub fn learn(&mut self, residual_px: f64) {
        let residual = residual_px / self.radius_px;
        // Two coordinates share the squared distance.
        let one_coordinate = 0.5 * residual * residual;
        let clipped = one_coordinate.min(CLIP_SIGMAS * CLIP_SIGMAS * self.variance);
        self.variance += GAIN * (clipped - self.variance);
        self.variance = self
            .variance
            .clamp(FLOOR_RADII * FLOOR_RADII, CEILING_RADII * CEILING_RADII);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_learnt_up_and_down_within_its_bounds() {
        let mut noise = PixelNoise::default();
        noise.balls_appear(15.0);
        for _ in 0..2_000 {
            noise.learn(1.0 * std::f64::consts::SQRT_2);
        }
        assert!((noise.sigma_px() - 1.0).abs() < 0.01, "{}", noise.sigma_px());
        for _ in 0..5_000 {
            noise.learn(0.0);
        }
        assert!((noise.sigma_px() - 0.15).abs() < 1e-9, "{}", noise.sigma_px());
    }

    #[test]
    fn one_wild_sighting_changes_little() {
        let mut noise = PixelNoise::default();
        noise.balls_appear(15.0);
        let before = noise.sigma_px();
        noise.learn(500.0);
        assert!(noise.sigma_px() < 1.05 * before);
    }
}
