//! Where on each ray a ball ends, to a fraction of a pixel, once its outline is known to two pixels or so.
//!
//! The colours on both sides of the supposed outline tell which share of the colour between them is the ball's; summed up
//! across the border, that is how far the ball reaches, however the border is blurred. All of it is smooth in the picture
//! and in the supposed outline: unlike the choice of one edge among several, it tells nearly the same place in two pictures
//! that are nearly the same.

use super::polar::{PerRay, RAYS};

/// Samples across a border, half of them on either side.
pub const TAPS: usize = 6;
/// How far apart they are, in pixels of the plane: so that the outermost are past the blur of a sharp picture, and hardly
/// farther, for a ball is darker and darker towards its rim.
pub const TAP_SPACING: f32 = 0.5;
/// How much the four samples in the middle count, which may be on the border.
const WINDOW: [f32; 4] = [0.6, 1.0, 1.0, 0.6];
/// Their sum, and that of their squares.
const WINDOW_SUM: f32 = WINDOW[0] + WINDOW[1] + WINDOW[2] + WINDOW[3];
const WINDOW_SQUARES: f32 =
    WINDOW[0] * WINDOW[0] + WINDOW[1] * WINDOW[1] + WINDOW[2] * WINDOW[2] + WINDOW[3] * WINDOW[3];
/// By how much their sum of shares grows as the ball grows by a pixel, where a border is three pixels wide.
const GROWTH: f32 = 1.07;
/// No border is farther from the supposed one than the outermost samples, in pixels of the plane.
const REACH: f32 = 0.5 * (TAPS - 1) as f32 * TAP_SPACING;
/// A border is never known better than by this share of a pixel of the plane.
const FINEST: f32 = 0.05;
/// Less contrast than a tenth of a standard deviation of values tells nothing.
const LEAST_CONTRAST: f32 = 0.01;

/// Samples of a plane across the supposed border, from the inside.
pub type Taps = [PerRay; TAPS];

/// What is seen on the rays in one plane or two of the same kind.
#[derive(Clone, Copy, Debug)]
pub struct Borders {
    /// How far outside the supposed outline the ball ends, pixels.
    pub offset: PerRay,
    /// One by the variance of that, pixels to the power of -2.
    pub weight: PerRay,
}

/// Finds borders. `pitch_px` is how far apart the planes' pixels are, and `variance` that of their values.
pub fn borders<const N: usize>(planes: [&Taps; N], pitch_px: f32, variance: f32) -> Borders {
    let mut borders = Borders {
        offset: [0.0; RAYS],
        weight: [0.0; RAYS],
    };
    let area = pitch_px * pitch_px;
    // Neighbouring samples, and rays, share the larger pixels.
    let noise = area * variance * WINDOW_SQUARES / (GROWTH * GROWTH);
    for ray in 0..RAYS {
        let (mut contrast, mut seen) = (0.0, 0.0);
        for taps in planes {
            let [a, b, c, d, e, f] = taps.each_ref().map(|tap| tap[ray]);
            let (inside, outside) = (0.5 * (a + b), 0.5 * (e + f));
            let step = inside - outside;
            contrast += step * step;
            let window = WINDOW[0] * b + WINDOW[1] * c + WINDOW[2] * d + WINDOW[3] * e;
            seen += step * (window - WINDOW_SUM * outside);
        }
        let per_contrast = 1.0 / contrast.max(LEAST_CONTRAST * variance);
        let offset = (seen * per_contrast - 0.5 * WINDOW_SUM) * (1.0 / GROWTH);
        borders.offset[ray] = pitch_px * offset.clamp(-REACH, REACH);
        borders.weight[ray] = 1.0 / (area * (noise * per_contrast + FINEST * FINEST));
    }
    borders
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A border that is a ramp of some width, between two values, as it is seen from `off` pixels inside it.
    fn ramp(off: f32, width: f32, [inside, outside]: [f32; 2]) -> Taps {
        std::array::from_fn(|i| {
            let from_border = (i as f32 - 0.5 * (TAPS - 1) as f32) * TAP_SPACING - off;
            let share = (0.5 - from_border / width).clamp(0.0, 1.0);
            [outside + share * (inside - outside); RAYS]
        })
    }

    #[test]
    fn a_border_is_found_to_a_fraction_of_a_pixel_whatever_its_blur_and_height() {
        for (width, values) in [(1.5, [90.0, 40.0]), (2.0, [40.0, 60.0]), (2.5, [200.0, 120.0])] {
            for at in [-0.7, -0.2, 0.5] {
                let mut supposed = 0.0;
                for _ in 0..8 {
                    supposed += borders([&ramp(at - supposed, width, values)], 1.0, 1.0).offset[3];
                }
                assert!((supposed - at).abs() < 0.06, "{supposed} at {at}, {width} wide");
            }
        }
    }

    #[test]
    fn a_border_of_more_contrast_counts_more_and_none_counts_nothing() {
        let weight = |values| borders([&ramp(0.0, 1.0, values)], 1.0, 900.0).weight[0];
        assert!(weight([100.0, 60.0]) > 3.0 * weight([100.0, 80.0]));
        assert!(weight([100.0, 80.0]) > 30.0 * weight([100.0, 100.0]));
    }
}
