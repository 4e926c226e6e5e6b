//! The colours of one ball.

use ghostball_world::{BallSighting, CircleInImage, ColorEncoding, Planes};
use glam::{Mat3, Vec3, Vec3Swizzles as _};

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
/// Less than half of the way from white to paint.
const NEARER_WHITE: f32 = 0.4;
/// Chroma of white beside the most brilliant paint, as a share of its luma: a border smears over a quarter of it.
const MOST_SMEARED: f32 = 0.22;
/// In the dark, chroma's noise does not shrink with luma.
const LEAST_LUMA_OF_CHROMA: f32 = 0.3 * 255.0;
/// In its middle, within this many radii, white is lit from above: what has less than this share of its mean luma there
/// is ink, unless a lamp stands low.
const MIDDLE: f32 = 0.75;
const LEAST_LIT: f32 = 0.8;
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
    /// Share of the white in its middle that is dim: thin ink.
    pub ink: f32,
    /// How sure detection is that it is a ball, 0 to 1.
    pub confidence: f32,
}

/// A pixel of a ball: Y, U, V as in the picture, and where it is, in radii from the centre.
#[derive(Clone, Copy, Debug)]
struct Sample {
    color: [u8; 3],
    dx: f32,
    dy: f32,
}

impl Sample {
    fn is_middle(&self) -> bool {
        self.dx * self.dx + self.dy * self.dy < MIDDLE * MIDDLE
    }
}

/// The pixels of a picture's balls. Keeps its buffers.
#[derive(Clone, Debug, Default)]
pub(super) struct Samples {
    samples: Vec<Sample>,
    /// Where each ball's samples end.
    ends: Vec<usize>,
    /// What turns their colours into those of full range and BT.601, with U and V about 0.
    from_raw: ColorMap,
    seen: Vec<Seen>,
}

/// An affine map of colours.
#[derive(Clone, Copy, Debug, Default)]
struct ColorMap {
    matrix: Mat3,
    offset: Vec3,
}

/// A pixel of a ball under white light.
#[derive(Clone, Copy, Debug)]
struct Seen {
    color: Vec3,
    /// Cell of its distance from white; `WHITE` for white itself.
    distance: u8,
}

impl Samples {
    /// Takes the samples of these balls.
    pub fn take<'a>(&mut self, planes: &Planes, circles: impl Iterator<Item = &'a CircleInImage>) {
        self.samples.clear();
        self.ends.clear();
        self.from_raw = ColorMap::full_range(planes.color);
        for circle in circles {
            let center = circle.center;
            let radius = INNER * circle.radius;
            let every = ((std::f64::consts::PI * radius * radius / SAMPLES) as usize).max(1);
            // As square as it goes.
            let down = (1..=64).take_while(|d| d * d <= every).last().unwrap_or(1);
            let across = (every / down).max(1);
            let first = |center: f64| (center - radius).max(0.0).ceil() as usize;
            let end = |center: f64, count: usize| ((center + radius + 1.0).max(0.0) as usize).min(count);
            let per_radius = (1.0 / circle.radius) as f32;
            let most = (INNER * INNER) as f32;
            for y in (first(center.y)..end(center.y, planes.luma.height)).step_by(down) {
                let dy = per_radius * (y as f64 - center.y) as f32;
                for x in (first(center.x)..end(center.x, planes.luma.width)).step_by(across) {
                    let dx = per_radius * (x as f64 - center.x) as f32;
                    if dx * dx + dy * dy <= most {
                        let color = color_of(planes, x, y);
                        self.samples.push(Sample { color, dx, dy });
                    }
                }
            }
            self.ends.push(self.samples.len());
        }
    }

    /// Colours that are at least so bright, Y of 0 to 255: Y, U, V of full range, U and V about 0.
    pub fn brighter_than(&self, least: f32) -> impl Iterator<Item = Vec3> {
        let rows = self.from_raw;
        let colors = self.samples.iter().map(move |sample| sample.color);
        // Y of the picture is that of full range, or less; most samples need no look at their chroma.
        let in_picture = ((least - rows.offset.x) / rows.matrix.x_axis.x.max(1e-3)).clamp(0.0, 255.0) as u8;
        let bright = colors.filter(move |color| color[0] >= in_picture);
        bright
            .map(move |color| rows.of(color))
            .filter(move |color| color.x > least)
    }

    /// How many samples a ball has, on average.
    pub fn per_ball(&self) -> f32 {
        self.samples.len() as f32 / self.ends.len().max(1) as f32
    }

    /// A colour of the picture, as it is where white is `white`.
    pub fn balanced(&self, color: [f32; 3], white: &White) -> Vec3 {
        white.balance() * (self.from_raw.matrix * Vec3::from_array(color) + self.from_raw.offset)
    }

    /// Replaces `out` by what each ball looks like where white is `white`.
    pub fn looks(&mut self, white: &White, out: &mut Vec<Look>) {
        let balance = white.balance();
        let map = ColorMap {
            matrix: balance * self.from_raw.matrix,
            offset: balance * self.from_raw.offset,
        };
        out.clear();
        let mut start = 0;
        for end in &self.ends {
            out.push(Look::of(&self.samples[start..*end], &map, &mut self.seen));
            start = *end;
        }
    }
}

impl ColorMap {
    /// To full range and BT.601, U and V about 0.
    fn full_range(encoding: ColorEncoding) -> Self {
        let turned = |raw: Vec3| {
            let rgb = encoding.rgb_from_yuv(raw.x, raw.y, raw.z);
            let [y, u, v] = ColorEncoding::default().yuv_from_rgb(rgb);
            Vec3::new(y, u - 128.0, v - 128.0)
        };
        let offset = turned(Vec3::ZERO);
        let column = |axis: Vec3| turned(axis) - offset;
        Self {
            matrix: Mat3::from_cols(column(Vec3::X), column(Vec3::Y), column(Vec3::Z)),
            offset,
        }
    }

    #[inline]
    fn of(&self, color: [u8; 3]) -> Vec3 {
        self.matrix * Vec3::from_array(color.map(f32::from)) + self.offset
    }
}

impl Look {
    fn of(samples: &[Sample], map: &ColorMap, seen: &mut Vec<Seen>) -> Self {
        if samples.is_empty() {
            return Self::default();
        }
        let mut white = Spot::default();
        let mut distances = [0_u32; DISTANCES];
        seen.clear();
        let (mut lit, mut white_middle) = (0.0, 0_u32);
        for sample in samples {
            let color = map.of(sample.color);
            let is_middle = sample.is_middle();
            let distance = if is_white(color, MOST_CHROMA) {
                white.add(sample.dx, sample.dy);
                lit += if is_middle { color.x } else { 0.0 };
                white_middle += u32::from(is_middle);
                WHITE
            } else {
                let distance = distance_from_white(color);
                distances[usize::from(distance)] += 1;
                distance
            };
            seen.push(Seen { color, distance });
        }
        let count = samples.len() as f32;
        let colored = samples.len() as u32 - white.count;
        let shows_color = colored >= 3 && colored as f32 >= LEAST_COLORED * count;
        let farthest = quantile(&distances, colored, FARTHEST) as f32;
        let is_core = |pixel: &&Seen| {
            !shows_color || pixel.distance != WHITE && f32::from(pixel.distance) > CORE * farthest
        };
        let (color, core) = middle_of(seen.iter().filter(is_core));
        // Chroma is smeared over the borders of paint: there, what is nearer to white than to the paint is white, too.
        let smeared = (NEARER_WHITE * color.yz().length() / color.x.max(1.0)).min(MOST_SMEARED);
        if shows_color && smeared > MOST_CHROMA {
            for (sample, pixel) in samples.iter().zip(seen.iter()) {
                if pixel.distance != WHITE && is_white(pixel.color, smeared) {
                    white.add(sample.dx, sample.dy);
                }
            }
        }
        let least_lit = LEAST_LIT * lit / (white_middle as f32).max(1.0);
        let is_ink = |(sample, pixel): &(&Sample, &Seen)| {
            pixel.distance == WHITE && pixel.color.x < least_lit && sample.is_middle()
        };
        let ink = samples.iter().zip(seen.iter()).filter(is_ink).count();
        let share = white.count as f32 / count;
        Self {
            color,
            color_share: if shows_color { core / count } else { 0.0 },
            white: share,
            white_spread: share.sqrt() * white.longest_axis(),
            ink: ink as f32 / (white_middle as f32).max(1.0),
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

/// Distances from white are counted in cells of 4.
const DISTANCES: usize = 64;
/// In place of a distance.
const WHITE: u8 = u8::MAX;

#[inline]
fn is_white(color: Vec3, most_chroma: f32) -> bool {
    let most = most_chroma * color.x.max(LEAST_LUMA_OF_CHROMA);
    color.x > LEAST_LUMA && color.y * color.y + color.z * color.z < most * most
}

/// Luma counts less: white's own shade is white.
#[inline]
fn distance_from_white(color: Vec3) -> u8 {
    let luma = 255.0 - color.x.min(255.0);
    let squared = 0.5 * luma * luma + color.y * color.y + color.z * color.z;
    (0.25 * squared.sqrt()).min((DISTANCES - 1) as f32) as u8
}

/// The cell that `share` of the `count` values in a histogram do not exceed.
fn quantile(histogram: &[u32], count: u32, share: f32) -> usize {
    let least = (share * count as f32) as u32;
    let mut below = 0;
    let at = histogram.iter().position(|n| {
        below += n;
        below > least
    });
    at.unwrap_or(0)
}

/// The mean of the colours, and how many there are.
fn middle_of<'a>(pixels: impl Iterator<Item = &'a Seen>) -> (Vec3, f32) {
    let (sum, count) = pixels.fold((Vec3::ZERO, 0.0_f32), |(sum, count), pixel| {
        (sum + pixel.color, count + 1.0)
    });
    (sum / count.max(1.0), count)
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
