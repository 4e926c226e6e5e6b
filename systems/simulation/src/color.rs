//! Colours: light adds up linearly, a camera delivers it gamma-encoded.

/// Red, green and blue, proportional to light; 1 is what the camera shows as full.
pub(crate) type Linear = [f32; 3];

/// The light of an sRGB colour (0 to 255), with the plain gamma of 2.2 that [`Encoder`] undoes.
pub(crate) fn linear(srgb: [u8; 3]) -> Linear {
    srgb.map(|c| libm::pow(f64::from(c) / 255.0, 2.2) as f32)
}

/// Every component times a factor.
pub(crate) fn scaled(color: Linear, factor: f32) -> Linear {
    color.map(|c| c * factor)
}

/// Component by component.
pub(crate) fn times(a: Linear, b: Linear) -> Linear {
    [a[0] * b[0], a[1] * b[1], a[2] * b[2]]
}

/// Component by component.
pub(crate) fn plus(a: Linear, b: Linear) -> Linear {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

/// `a` at 0, `b` at 1.
pub(crate) fn mixed(a: Linear, b: Linear, share: f32) -> Linear {
    plus(scaled(a, 1.0 - share), scaled(b, share))
}

/// 0 below `low`, 1 above `high`, smooth between; `low` < `high`.
pub(crate) fn smooth_step(low: f32, high: f32, value: f32) -> f32 {
    let t = ((value - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// From light to the numbers of a full-range BT.601 picture, by table: exponentials are too slow for every pixel.
#[derive(Clone, Debug)]
pub(crate) struct Encoder {
    gamma: Vec<f32>,
}

const STEPS: f32 = 4096.0;

impl Encoder {
    /// Gamma 2.2.
    pub fn new() -> Self {
        let value = |step: u32| 255.0 * libm::pow(f64::from(step) / f64::from(STEPS), 1.0 / 2.2) as f32;
        Self {
            gamma: (0..=STEPS as u32).map(value).collect(),
        }
    }

    /// 0 to 255 for light of 0 to 1; brighter light clips, as in a camera.
    #[inline]
    pub fn gamma(&self, light: f32) -> f32 {
        // Float to integer saturates: NaN and negative light become 0.
        let step = ((light * STEPS + 0.5) as usize).min(self.gamma.len() - 1);
        self.gamma[step]
    }

    /// Y, U and V, 0 to 255 (ITU-R BT.601, full range, as JPEG has it).
    #[inline]
    pub fn yuv(&self, light: Linear) -> [f32; 3] {
        let [r, g, b] = light.map(|c| self.gamma(c));
        let y = 0.299 * r + 0.587 * g + 0.114 * b;
        [
            y,
            128.0 + (b - y) * (0.5 / 0.886),
            128.0 + (r - y) * (0.5 / 0.701),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ghostball_world::ColorEncoding;

    #[test]
    fn encoding_gives_back_the_colour_it_came_from() {
        let encoder = Encoder::new();
        for srgb in [[255, 255, 255], [0, 0, 0], [200, 30, 90]] {
            let [y, u, v] = encoder.yuv(linear(srgb));
            let back = ColorEncoding::default().rgb_from_yuv(y, u, v);
            for (expected, found) in srgb.iter().zip(back) {
                assert!((f32::from(*expected) - found).abs() < 1.0, "{srgb:?} {back:?}");
            }
        }
    }
}
