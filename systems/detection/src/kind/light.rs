//! What light and camera do to all paints of a table alike, beyond what white tells.

use glam::{DMat4, DVec4, Mat3, Vec3};
use serde::{Deserialize, Serialize};

/// How paints look on one table. Default: as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Light {
    /// Added to Y, steps of 255.
    veil: f32,
    /// Logarithm of the factor of Y, U and V: exposure.
    gain: f32,
    /// Logarithm of the factor of U and V.
    saturation: f32,
    /// Turn of U and V about neutral, radians: what of the light's tint white did not tell.
    hue: f32,
}

/// Standard deviations of the four between tables and cameras, once white is balanced: cameras differ in saturation by
/// a fifth, their matrices turn hues by some degrees.
const SIGMAS: [f32; 4] = [12.0, 0.15, 0.2, 0.09];

impl Light {
    /// What a paint looks like.
    pub fn shows(&self) -> impl Fn(Vec3) -> Vec3 + use<> {
        let (sin, cos) = libm::sincosf(self.hue);
        let gain = libm::expf(self.gain);
        let k = gain * libm::expf(self.saturation);
        let veil = self.veil;
        move |paint| {
            let (u, v) = (cos * paint.y - sin * paint.z, sin * paint.y + cos * paint.z);
            Vec3::new(gain * paint.x + veil, k * u, k * v)
        }
    }

    /// Logarithm of how likely such a light is, up to a constant.
    pub fn ln_prior(&self) -> f32 {
        let values = [self.veil, self.gain, self.saturation, self.hue];
        -0.5 * values
            .iter()
            .zip(SIGMAS)
            .map(|(v, sigma)| (v / sigma) * (v / sigma))
            .sum::<f32>()
    }
}

/// Finds the light under which paints look most like the balls that are thought to have them: one step of Gauss and
/// Newton from the light so far.
pub(super) struct LightFit {
    so_far: Light,
    information: DMat4,
    pull: DVec4,
}

impl LightFit {
    /// From this light.
    pub fn from(so_far: Light) -> Self {
        let weights = SIGMAS.map(|sigma| 1.0 / f64::from(sigma * sigma));
        let values = [so_far.veil, so_far.gain, so_far.saturation, so_far.hue].map(f64::from);
        Self {
            so_far,
            information: DMat4::from_diagonal(DVec4::from_array(weights)),
            pull: -DVec4::from_array(weights) * DVec4::from_array(values),
        }
    }

    /// A paint that should be seen as `expected` is seen as `seen`, give or take this covariance.
    pub fn add(&mut self, expected: Vec3, seen: Vec3, covariance: Mat3) {
        let weight = covariance.inverse();
        let chroma = Vec3::new(0.0, expected.y, expected.z);
        let ways = [Vec3::X, expected, chroma, Vec3::new(0.0, -expected.z, expected.y)];
        let weighted = ways.map(|way| weight * way);
        let mut information = [[0.0; 4]; 4];
        let mut pull = [0.0; 4];
        for i in 0..4 {
            for j in 0..4 {
                information[i][j] = f64::from(ways[i].dot(weighted[j]));
            }
            pull[i] = f64::from(weighted[i].dot(seen - expected));
        }
        self.information += DMat4::from_cols_array_2d(&information);
        self.pull += DVec4::from_array(pull);
    }

    /// The light that fits best.
    pub fn solve(&self) -> Light {
        let step = self.information.inverse() * self.pull;
        // Within what tables do: a step of Newton from wrong names can leap.
        let bounded =
            |value: f32, step: f64, sigma: f32| (value + step as f32).clamp(-3.0 * sigma, 3.0 * sigma);
        let so_far = self.so_far;
        Light {
            veil: bounded(so_far.veil, step.x, SIGMAS[0]),
            gain: bounded(so_far.gain, step.y, SIGMAS[1]),
            saturation: bounded(so_far.saturation, step.z, SIGMAS[2]),
            hue: bounded(so_far.hue, step.w, SIGMAS[3]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_light_is_found_again_from_what_it_shows() {
        let truth = Light {
            veil: 4.0,
            gain: -0.1,
            saturation: 0.15,
            hue: 0.06,
        };
        let paints = [
            Vec3::new(76.0, -27.0, 89.0),
            Vec3::new(187.0, -90.0, 40.0),
            Vec3::new(70.0, 60.0, -33.0),
        ];
        let mut light = Light::default();
        for _ in 0..4 {
            let mut fit = LightFit::from(light);
            for paint in paints {
                fit.add(
                    light.shows()(paint),
                    truth.shows()(paint),
                    Mat3::from_diagonal(Vec3::splat(0.25)),
                );
            }
            light = fit.solve();
        }
        assert!((light.hue - truth.hue).abs() < 0.01, "{light:?}");
        assert!((light.saturation - truth.saturation).abs() < 0.03, "{light:?}");
        assert!((light.gain - truth.gain).abs() < 0.03, "{light:?}");
    }
}
