//! What white looks like on a table: the tint and brightness of its light.

use ghostball_world::ColorEncoding;
use glam::{Mat3, Vec3};
use serde::{Deserialize, Serialize};

/// Ratios of chroma to luma that white can have: a candle's light, through a camera that does nothing about it, has
/// 0.25 (sRGB of a black body at 2700 K).
const REACH: f32 = 0.25;
/// Cells of the histogram of these ratios, along each axis: of 0.02, as 8-bit chroma scatters.
const CELLS: usize = 25;
/// Standard deviation of white's ratios between cameras: most balance white nearly.
const USUAL: f32 = 0.1;
/// White's shade and highlights are this near to it.
const NEAR: f32 = 0.05;
/// Pixels at least this bright tell white.
pub(super) const BRIGHT: f32 = 128.0;
/// As much white, in balls, weighs as much as what was known before.
const DOUBT: f32 = 0.15;
/// White paint is brighter than this share of its pixels: its lit side, without its shade.
const LIT_SHARE: f32 = 0.8;
/// Turns of narrowing in.
const REFINEMENTS: usize = 2;

/// What white looks like. Y of 0 to 255; U and V as shares of Y.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct White {
    luma: f32,
    u: f32,
    v: f32,
}

impl Default for White {
    /// A camera's that balances white and exposes well.
    fn default() -> Self {
        Self {
            luma: 235.0,
            u: 0.0,
            v: 0.0,
        }
    }
}

impl White {
    /// Turns Y, U, V (U and V about 0) of the picture into those under a light that makes white (255, 0, 0): red, green
    /// and blue are divided by white's (von Kries 1902). The camera's gamma makes no difference to a ratio.
    pub fn balance(&self) -> Mat3 {
        let encoding = ColorEncoding::default();
        let rgb = |yuv: Vec3| Vec3::from_array(encoding.rgb_from_yuv(yuv.x, yuv.y + 128.0, yuv.z + 128.0));
        let yuv = |rgb: Vec3| {
            let [y, u, v] = encoding.yuv_from_rgb(rgb.to_array());
            Vec3::new(y, u - 128.0, v - 128.0)
        };
        let rgb_from_yuv = Mat3::from_cols(rgb(Vec3::X), rgb(Vec3::Y), rgb(Vec3::Z));
        let yuv_from_rgb = Mat3::from_cols(yuv(Vec3::X), yuv(Vec3::Y), yuv(Vec3::Z));
        let white = rgb(self.luma * Vec3::new(1.0, self.u, self.v)).max(Vec3::splat(1.0));
        yuv_from_rgb * Mat3::from_diagonal(255.0 / white) * rgb_from_yuv
    }
}

/// Finds what white looks like. Keeps its buffers.
#[derive(Clone, Debug)]
pub(super) struct WhiteFinder {
    /// How usual the ratios of each cell are for white, 0 to 1, times the smoothing's weight.
    usual: [[f32; CELLS]; CELLS],
    bright: Vec<Vec3>,
}

impl Default for WhiteFinder {
    fn default() -> Self {
        let ratio = |cell: usize| (cell as f32 + 0.5) * (2.0 * REACH / CELLS as f32) - REACH;
        let one = |cell: usize| libm::expf(-0.5 * (ratio(cell) / USUAL) * (ratio(cell) / USUAL));
        Self {
            usual: std::array::from_fn(|v| std::array::from_fn(|u| one(u) * one(v))),
            bright: Vec::new(),
        }
    }
}

impl WhiteFinder {
    /// White by the pixels of a picture's balls that are brighter than [`BRIGHT`] (Y, U, V, with U and V about 0). A ball
    /// has `pixels_per_ball`, bright or not; `before` is what was known.
    ///
    /// Bright pixels of one tint, the more usual the better, are white: cue ball, stripes, numbers, highlights.
    pub fn find(&mut self, bright: impl Iterator<Item = Vec3>, pixels_per_ball: f32, before: White) -> White {
        self.bright.clear();
        let mut counts = [[0_u16; CELLS + 2]; CELLS + 2];
        let cell = |ratio: f32| ((ratio + REACH) * (CELLS as f32 / (2.0 * REACH))) as usize + 1;
        for pixel in bright {
            let (u, v) = (pixel.y / pixel.x, pixel.z / pixel.x);
            if u.abs() < REACH && v.abs() < REACH {
                let count = &mut counts[cell(v).min(CELLS)][cell(u).min(CELLS)];
                *count = count.saturating_add(1);
                self.bright.push(Vec3::new(pixel.x, u, v));
            }
        }
        let mut best = (0.0, 0, 0);
        for v in 0..CELLS {
            for u in 0..CELLS {
                let rows = &counts[v..v + 3];
                let sum: u32 = rows
                    .iter()
                    .flat_map(|row| &row[u..u + 3])
                    .map(|n| u32::from(*n))
                    .sum();
                let score = self.usual[v][u] * sum as f32;
                if score > best.0 {
                    best = (score, u, v);
                }
            }
        }
        let (score, u, v) = best;
        if score <= 0.0 {
            return before;
        }
        let ratio = |cell: usize| (cell as f32 + 0.5) * (2.0 * REACH / CELLS as f32) - REACH;
        let mut white = [ratio(u), ratio(v)];
        let mut luma = [0_u32; 256];
        let mut count = 0_u32;
        for _ in 0..REFINEMENTS {
            let mut sum = [0.0; 2];
            count = 0;
            luma.fill(0);
            for pixel in &self.bright {
                if (pixel.y - white[0]).abs() < NEAR && (pixel.z - white[1]).abs() < NEAR {
                    sum = [sum[0] + pixel.y, sum[1] + pixel.z];
                    count += 1;
                    luma[pixel.x.clamp(0.0, 255.0) as usize] += 1;
                }
            }
            if count == 0 {
                return before;
            }
            white = sum.map(|s| s / count as f32);
        }
        let mut below = 0;
        let lit = luma.iter().position(|n| {
            below += n;
            below as f32 >= LIT_SHARE * count as f32
        });
        let mass = count as f32 / pixels_per_ball.max(1.0);
        let trust = mass / (mass + DOUBT);
        let blend = |new: f32, old: f32| old + trust * (new - old);
        White {
            luma: blend(lit.unwrap_or(255) as f32, before.luma),
            u: blend(white[0], before.u),
            v: blend(white[1], before.v),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_of_a_warm_light_is_found_among_yellow_and_balanced_away() {
        let warm = Vec3::new(230.0, -36.0, 8.0);
        let yellow = Vec3::new(170.0, -88.0, 48.0);
        let pixels = (0..300).map(|i| {
            if i % 3 == 0 {
                yellow
            } else {
                warm * (1.0 - 0.001 * i as f32)
            }
        });
        let white = WhiteFinder::default().find(pixels, 100.0, White::default());
        let balanced = white.balance() * warm;
        assert!(
            (balanced - Vec3::new(255.0, 0.0, 0.0)).length() < 20.0,
            "{white:?} {balanced}"
        );
    }

    #[test]
    fn a_table_without_white_keeps_the_light_it_had() {
        let before = White {
            luma: 200.0,
            u: -0.1,
            v: 0.05,
        };
        let reds = (0..100).map(|_| Vec3::new(140.0, -50.0, 90.0));
        assert_eq!(WhiteFinder::default().find(reds, 100.0, before), before);
    }
}
