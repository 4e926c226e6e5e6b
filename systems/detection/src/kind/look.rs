//! The colours of one ball.

use ghostball_world::{CircleInImage, Planes};

use crate::cloth::ClothModel;
use crate::sample::color_of;

/// Pixels looked at per ball, about.
const SAMPLES: f64 = 200.0;
/// The outermost part of a ball mixes with what is behind it.
const INNER: f64 = 0.9;
/// From here on, in radii, it is near the rim.
const RIM: f64 = 0.65;
/// White paint reaches this share of the brightest luma and stays this close to neutral chroma.
const WHITE_LUMA: f32 = 0.55;
const WHITE_CHROMA: f32 = 32.0;

/// Light differs over a table by at most this factor both ways; what differs by more is a fault of the cloth's model.
const MOST_GAIN: f32 = 1.4;
/// A ball of which less than this share is coloured does not show its colour.
const LEAST_COLORED: f32 = 0.1;

/// The colours of one ball, Y, U, V, as the light in the middle of the table would show them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// Median of what is not white; of all where all is white.
    pub color: [f32; 3],
    /// Median of all.
    pub mean: [f32; 3],
    /// Share of the ball that is white.
    pub white: f32,
    /// Share of what lies near the rim that is white: a stripe's ends are there, a number's spot seldom.
    pub rim_white: f32,
    /// Whether more than its white is seen.
    pub shows_color: bool,
}

impl Look {
    /// How much speaks for a stripe rather than a spot: white anywhere, and more so near the rim. 0 to 1.5.
    pub fn stripedness(&self) -> f32 {
        0.5 * self.white + self.rim_white
    }

    /// What is seen inside a circle. The cloth about it tells how bright the light is there.
    pub fn at(planes: &Planes, cloth: &ClothModel, circle: &CircleInImage) -> Self {
        let mut all = [[0_u16; 256]; 3];
        let mut colored = [[0_u16; 256]; 3];
        let (mut count, mut white) = (0_u16, 0_u16);
        let (mut rim_count, mut rim_white) = (0_u16, 0_u16);
        let radius = INNER * circle.radius;
        let step = ((std::f64::consts::PI * radius * radius / SAMPLES).sqrt() as usize).clamp(1, 64);
        let first = |center: f64| (center - radius).max(0.0).ceil() as usize;
        let last =
            |center: f64, count: usize| ((center + radius).max(0.0) as usize).min(count.saturating_sub(1));
        let center = circle.center;
        for y in (first(center.y)..=last(center.y, planes.luma.height)).step_by(step) {
            for x in (first(center.x)..=last(center.x, planes.luma.width)).step_by(step) {
                let (dx, dy) = (x as f64 - center.x, y as f64 - center.y);
                if dx * dx + dy * dy > radius * radius || count == u16::MAX {
                    continue;
                }
                let color = color_of(planes, x, y);
                let [luma, u, v] = color.map(f32::from);
                let (u, v) = (u - 128.0, v - 128.0);
                let is_white = luma >= WHITE_LUMA * 255.0 && u * u + v * v < WHITE_CHROMA * WHITE_CHROMA;
                count += 1;
                white += u16::from(is_white);
                if dx * dx + dy * dy > RIM * RIM * circle.radius * circle.radius {
                    rim_count += 1;
                    rim_white += u16::from(is_white);
                }
                for i in 0..3 {
                    all[i][usize::from(color[i])] += 1;
                    colored[i][usize::from(color[i])] += u16::from(!is_white);
                }
            }
        }
        let light = cloth.color_at(center.x as f32, center.y as f32)[0] - cloth.black;
        // The root: a ball stands up out of the cloth and gets light from all sides, where a cushion shades the cloth.
        let brighter = (cloth.color[0] - cloth.black).max(1.0) / light.max(1.0);
        let gain = brighter.sqrt().clamp(1.0 / MOST_GAIN, MOST_GAIN);
        let relight = |color: [f32; 3]| {
            let [y, u, v] = color;
            [
                (cloth.black + gain * (y - cloth.black)).min(255.0),
                128.0 + gain * (u - 128.0),
                128.0 + gain * (v - 128.0),
            ]
        };
        let mean = relight([0, 1, 2].map(|i| median(&all[i], count)));
        let rest = count - white;
        let shows_color = f32::from(rest) > LEAST_COLORED * f32::from(count);
        Self {
            color: if shows_color {
                relight([0, 1, 2].map(|i| median(&colored[i], rest)))
            } else {
                mean
            },
            mean,
            white: f32::from(white) / f32::from(count.max(1)),
            rim_white: f32::from(rim_white) / f32::from(rim_count.max(1)),
            shows_color,
        }
    }
}

fn median(histogram: &[u16; 256], count: u16) -> f32 {
    let mut below = 0;
    for (value, n) in histogram.iter().enumerate() {
        below += u32::from(*n);
        if 2 * below >= u32::from(count) {
            return value as f32;
        }
    }
    0.0
}
