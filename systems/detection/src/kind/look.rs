//! The colours of one ball.

use ghostball_world::{BallSighting, CircleInImage, ColorEncoding, Planes};
use glam::{Mat3, Vec3};

use super::white::White;
use crate::cloth::ClothModel;
use crate::sample::color_of;

/// Pixels looked at per ball, about: the shares below are then right within a few hundredths.
const SAMPLES: f64 = 150.0;
/// The outermost part of a ball, in radii, mixes with what is behind it.
const INNER: f64 = 0.92;
/// White paint keeps this share of white's luma in its own shade (Lambert's law at 60°, through gamma: 0.7, less what
/// balls about it take).
const LEAST_LUMA: f32 = 0.45 * 255.0;
/// White's chroma is below this share of its luma: half of what the palest paint of a set has.
const MOST_CHROMA: f32 = 0.13;
/// In the dark, chroma's noise does not shrink with luma.
const LEAST_LUMA_OF_CHROMA: f32 = 0.3 * 255.0;
/// What is farther from white than this share of what is farthest is paint; less is paint mixed with white.
const CORE: f32 = 0.6;
/// The farthest tenth can be noise.
const FARTHEST: f32 = 0.9;
/// Less than this share beside white is noise.
const LEAST_COLORED: f32 = 0.04;
/// Light differs over a table by at most this factor both ways; what differs by more is a fault of the cloth's model.
const MOST_GAIN: f32 = 1.4;

/// The colours of one ball, as a white light in the middle of the table would show them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Look {
    /// Of what is painted in colour: Y, U, V, with white at (255, 0, 0). Of all where all is white.
    pub color: Vec3,
    /// Share of the ball that `color` was seen on. 0: all is white.
    pub color_share: f32,
    /// Share of the ball that is white.
    pub white: f32,
    /// How far about white lies: its longest axis' standard deviation, radii, times the root of its share. A number's
    /// disc has 0.06 to 0.12, caps of a stripe 0.3 to 0.45.
    pub white_spread: f32,
    /// How sure detection is that it is a ball, 0 to 1.
    pub confidence: f32,
}

/// A pixel of a ball: its colour, and where it is, in radii from the centre.
#[derive(Clone, Copy, Debug)]
struct Sample {
    color: Vec3,
    dx: f32,
    dy: f32,
}

/// The pixels of a picture's balls. Keeps its buffers.
#[derive(Clone, Debug, Default)]
pub(super) struct Samples {
    samples: Vec<Sample>,
    /// Where each ball's samples end.
    ends: Vec<usize>,
}

impl Samples {
    /// Takes the samples of these balls.
    pub fn take<'a>(&mut self, planes: &Planes, circles: impl Iterator<Item = &'a CircleInImage>) {
        self.samples.clear();
        self.ends.clear();
        let (from_raw, offset) = full_range(planes.color);
        for circle in circles {
            let center = circle.center;
            let radius = INNER * circle.radius;
            let every = ((std::f64::consts::PI * radius * radius / SAMPLES) as usize).max(1);
            // As square as it goes.
            let down = (1..=64).take_while(|d| d * d <= every).last().unwrap_or(1);
            let across = (every / down).max(1);
            let first = |center: f64| (center - radius).max(0.0).ceil() as usize;
            let end = |center: f64, count: usize| ((center + radius + 1.0).max(0.0) as usize).min(count);
            let per_radius = 1.0 / circle.radius;
            for y in (first(center.y)..end(center.y, planes.luma.height)).step_by(down) {
                let dy = y as f64 - center.y;
                for x in (first(center.x)..end(center.x, planes.luma.width)).step_by(across) {
                    let dx = x as f64 - center.x;
                    if dx * dx + dy * dy <= radius * radius {
                        let [luma, u, v] = color_of(planes, x, y).map(f32::from);
                        self.samples.push(Sample {
                            color: from_raw * Vec3::new(luma, u, v) + offset,
                            dx: (dx * per_radius) as f32,
                            dy: (dy * per_radius) as f32,
                        });
                    }
                }
            }
            self.ends.push(self.samples.len());
        }
    }

    /// The colours of all balls: Y, U, V of full range, U and V about 0.
    pub fn colors(&self) -> impl Iterator<Item = Vec3> {
        self.samples.iter().map(|sample| sample.color)
    }

    /// How many samples a ball has, on average.
    pub fn per_ball(&self) -> f32 {
        self.samples.len() as f32 / self.ends.len().max(1) as f32
    }

    /// What each ball looks like where white is `white`.
    pub fn looks(&self, white: &White) -> impl Iterator<Item = Look> {
        let balance = white.balance();
        let start = |ball: usize| ball.checked_sub(1).map_or(0, |before| self.ends[before]);
        (0..self.ends.len()).map(move |ball| Look::of(&self.samples[start(ball)..self.ends[ball]], balance))
    }
}

impl Look {
    fn of(samples: &[Sample], balance: Mat3) -> Self {
        if samples.is_empty() {
            return Self::default();
        }
        let mut white = Spot::default();
        let mut distances = [0_u32; DISTANCES];
        for sample in samples {
            let color = balance * sample.color;
            if is_white(color) {
                white.add(sample.dx, sample.dy);
            } else {
                distances[distance_from_white(color)] += 1;
            }
        }
        let count = samples.len() as f32;
        let colored = samples.len() as u32 - white.count;
        let shows_color = colored >= 3 && colored as f32 >= LEAST_COLORED * count;
        let farthest = quantile(&distances, colored, FARTHEST) as f32;
        let mut channels = [[0_u32; 256]; 3];
        let mut core = 0;
        for sample in samples {
            let color = balance * sample.color;
            let is_core = !is_white(color) && distance_from_white(color) as f32 > CORE * farthest;
            if is_core || !shows_color {
                core += u32::from(is_core);
                for (channel, value) in channels
                    .iter_mut()
                    .zip([color.x, color.y + 128.0, color.z + 128.0])
                {
                    channel[value.clamp(0.0, 255.0) as usize] += 1;
                }
            }
        }
        let of = if shows_color { core } else { samples.len() as u32 };
        let [y, u, v] = channels.map(|channel| quantile(&channel, of, 0.5) as f32);
        let share = white.count as f32 / count;
        Self {
            color: Vec3::new(y, u - 128.0, v - 128.0),
            color_share: if shows_color { core as f32 / count } else { 0.0 },
            white: share,
            white_spread: share.sqrt() * white.longest_axis(),
            confidence: 1.0,
        }
    }

    /// The same of this ball in the light of the table's middle. The cloth about it tells how bright the light is there.
    pub fn relit(self, cloth: &ClothModel, ball: &BallSighting) -> Self {
        let circle = &ball.circle;
        let light = cloth.color_at(circle.center.x as f32, circle.center.y as f32)[0] - cloth.black;
        // The root: a ball stands up out of the cloth and gets light from all sides, where a cushion shades the cloth.
        let brighter = (cloth.color[0] - cloth.black).max(1.0) / light.max(1.0);
        let gain = brighter.sqrt().clamp(1.0 / MOST_GAIN, MOST_GAIN);
        Self {
            color: gain * self.color,
            confidence: ball.confidence as f32,
            ..self
        }
    }
}

/// Distances from white are counted in steps of 4.
const DISTANCES: usize = 64;

fn is_white(color: Vec3) -> bool {
    let most = MOST_CHROMA * color.x.max(LEAST_LUMA_OF_CHROMA);
    color.x > LEAST_LUMA && color.y * color.y + color.z * color.z < most * most
}

/// Luma counts less: white's own shade is white.
fn distance_from_white(color: Vec3) -> usize {
    let luma = 255.0 - color.x.min(255.0);
    let squared = 0.5 * luma * luma + color.y * color.y + color.z * color.z;
    (0.25 * squared.sqrt()).min((DISTANCES - 1) as f32) as usize
}

/// The value that `share` of the `count` values in a histogram do not exceed.
fn quantile(histogram: &[u32], count: u32, share: f32) -> usize {
    let mut below = 0;
    let at = histogram.iter().position(|n| {
        below += n;
        below as f32 >= share * count as f32
    });
    at.unwrap_or(0)
}

/// What turns raw Y, U, V into those of full range and BT.601, U and V about 0.
fn full_range(encoding: ColorEncoding) -> (Mat3, Vec3) {
    let turned = |raw: Vec3| {
        let rgb = encoding.rgb_from_yuv(raw.x, raw.y, raw.z);
        let [y, u, v] = ColorEncoding::default().yuv_from_rgb(rgb);
        Vec3::new(y, u - 128.0, v - 128.0)
    };
    let zero = turned(Vec3::ZERO);
    let column = |axis: Vec3| turned(axis) - zero;
    (
        Mat3::from_cols(column(Vec3::X), column(Vec3::Y), column(Vec3::Z)),
        zero,
    )
}

/// Sums over white pixels.
#[derive(Clone, Copy, Debug, Default)]
struct Spot {
    count: u32,
    x: f32,
    y: f32,
    xx: f32,
    xy: f32,
    yy: f32,
}

impl Spot {
    fn add(&mut self, x: f32, y: f32) {
        self.count += 1;
        self.x += x;
        self.y += y;
        self.xx += x * x;
        self.xy += x * y;
        self.yy += y * y;
    }

    /// Standard deviation along the longest axis.
    fn longest_axis(&self) -> f32 {
        let n = self.count.max(1) as f32;
        let (x, y) = (self.x / n, self.y / n);
        let (xx, xy, yy) = (self.xx / n - x * x, self.xy / n - x * y, self.yy / n - y * y);
        // The larger eigenvalue of the covariance.
        let (mean, half) = (0.5 * (xx + yy), 0.5 * (xx - yy));
        (mean + (half * half + xy * xy).sqrt()).max(0.0).sqrt()
    }
}
