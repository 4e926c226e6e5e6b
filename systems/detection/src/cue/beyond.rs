//! The stick on the far side of the border: over the rail, the room, a sleeve.
//!
//! There is no cloth there to be unlike. A bar is what differs from what lies on both sides of it, and the stick's is in line
//! with what is seen of it over the bed, and as wide or wider.

use ghostball_world::Planes;
use glam::DVec2;

use super::slice::WEIGHTS;
use crate::sample::color_near;

/// Distance of the slices, and how far the stick is followed, ball diameters: half a metre, past hand and wrist.
pub(crate) const STEP: f64 = 0.25;
const FARTHEST: f64 = 9.0;
/// How far beside the line of what is seen over the bed the stick may be, ball diameters, and how much farther for each step:
/// three degrees, which is how well its direction is known by a piece of one diameter.
const BESIDE: f64 = 0.15;
const TURN: f64 = 0.05 * STEP;
/// How far off the stick's axis its middle may be seen, ball diameters: a pixel or two, as what lies beside it is of any
/// colour.
const IN_LINE: f64 = 0.05;
/// Share of the bars found that have to be in line, and how many, two ball diameters: floors have patterns, and hands fingers.
const LEAST_SHARE: f64 = 0.5;
const LEAST_SEEN: usize = 8;
/// On both sides a strip so wide, beginning so far from the stick's edge, ball diameters: beyond the blur.
const STRIP: f64 = 0.2;
const BLUR: f64 = 0.08;
/// Of the stick's width, so much is its middle: the rest is its edges.
const MIDDLE: f64 = 0.7;
/// Its width by that over the bed: its edges are told otherwise there, halfway instead of where it ends, and it grows to its
/// butt by a third at most in half a metre.
const WIDTHS: [f64; 2] = [0.5, 1.3];
/// Wood, sleeves and floors are so many times less even than cloth.
const UNEVEN: f32 = 3.0;
/// Samples of a slice at most.
const MOST_SAMPLES: usize = 96;

/// The stick over the bed, pixels, in a frame along it: places are `center + at * along + off * along.perp()`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inner {
    pub center: DVec2,
    pub along: DVec2,
    /// `at` where it crosses the border.
    pub border: f64,
    /// (at, off) in the middle of what is seen of it.
    pub middle: (f64, f64),
    /// 1 where outside is towards larger `at`, else -1.
    pub outward: f64,
    pub width_px: f64,
    /// Of a ball.
    pub diameter_px: f64,
    /// Least difference on cloth, of the kind that [`super::slice::off_cloth`] gives, that is no noise.
    pub least: f32,
}

/// Appends where the stick goes on beyond the border, (at, off) of its middle, and tells at how many places; `None` where
/// nothing there is in line with it.
pub(crate) fn follow(planes: &Planes, inner: &Inner, middles: &mut Vec<(f64, f64)>) -> Option<usize> {
    let before = middles.len();
    for step in 0..(FARTHEST / STEP) as usize {
        let at = inner.border + inner.outward * (step as f64 + 0.5) * STEP * inner.diameter_px;
        let beside = (BESIDE + TURN * step as f64) * inner.diameter_px;
        let Some(profile) = Profile::of(planes, inner, at, beside) else {
            break;
        };
        middles.extend(profile.bar(inner, beside).map(|off| (at, inner.middle.1 + off)));
    }
    // The stick's line goes through its middle over the bed, and through the most of these.
    let found = &middles[before..];
    let slopes = found
        .iter()
        .map(|(at, off)| (off - inner.middle.1) / (at - inner.middle.0));
    let is_near = |slope: f64, (at, off): (f64, f64)| {
        let expected = inner.middle.1 + slope * (at - inner.middle.0);
        (off - expected).abs() <= IN_LINE * inner.diameter_px
    };
    let (slope, seen) = slopes
        .map(|slope| {
            (
                slope,
                found.iter().filter(|place| is_near(slope, **place)).count(),
            )
        })
        .max_by_key(|(_, seen)| *seen)?;
    if seen < LEAST_SEEN || (seen as f64) < LEAST_SHARE * found.len() as f64 {
        return None;
    }
    let mut index = 0;
    middles.retain(|place| {
        index += 1;
        index <= before || is_near(slope, *place)
    });
    Some(seen)
}

/// Colours across the stick.
struct Profile {
    /// Sums of all samples before, weighted.
    sums: [[f32; 3]; MOST_SAMPLES + 1],
    count: usize,
    /// Distance of the samples, and of the first from the middle, pixels.
    step: f64,
    first: f64,
}

impl Profile {
    /// `None` where it leaves the picture.
    fn of(planes: &Planes, inner: &Inner, at: f64, beside: f64) -> Option<Self> {
        let half = beside + 0.5 * inner.width_px + (BLUR + STRIP) * inner.diameter_px;
        let step = f64::max(1.0, 2.0 * half / (MOST_SAMPLES - 1) as f64);
        let count = (2.0 * half / step) as usize + 1;
        let mut sums = [[0.0; 3]; MOST_SAMPLES + 1];
        for i in 0..count {
            let place = inner.center
                + at * inner.along
                + (inner.middle.1 - half + i as f64 * step) * inner.along.perp();
            let color = color_near(planes, place)?;
            sums[i + 1] = std::array::from_fn(|c| sums[i][c] + WEIGHTS[c] * color[c]);
        }
        Some(Self {
            sums,
            count,
            step,
            first: -half,
        })
    }

    /// Mean colour from one place to another, pixels from the middle.
    fn mean(&self, from: f64, to: f64) -> [f32; 3] {
        let index = |place: f64| ((place - self.first) / self.step).round().max(0.0) as usize;
        let from = index(from).min(self.count - 1);
        let to = (index(to) + 1).clamp(from + 1, self.count);
        std::array::from_fn(|c| (self.sums[to][c] - self.sums[from][c]) / (to - from) as f32)
    }

    /// How far beside the middle of the slice the stick's middle is, pixels.
    fn bar(&self, inner: &Inner, beside: f64) -> Option<f64> {
        let places = (2.0 * beside / self.step) as usize + 1;
        let (middle, most) = (0..places)
            .map(|i| i as f64 * self.step - beside)
            .map(|middle| (middle, self.contrast(inner, middle)))
            .max_by(|a, b| a.1.total_cmp(&b.1))?;
        if most < UNEVEN * inner.least {
            return None;
        }
        let [left, right] = [-1.0, 1.0].map(|side| self.edge(inner, middle, side));
        let (left, right) = (left?, right?);
        let width = (right - left) / inner.width_px;
        (WIDTHS[0]..=WIDTHS[1])
            .contains(&width)
            .then_some(0.5 * (left + right))
    }

    /// How much a stick whose middle is here differs from what lies on that side of it where it differs less.
    fn contrast(&self, inner: &Inner, middle: f64) -> f32 {
        let inside = self.inside(inner, middle);
        let [left, right] = [-1.0, 1.0].map(|side| distance(inside, self.strip(inner, middle, side)));
        left.min(right)
    }

    fn inside(&self, inner: &Inner, middle: f64) -> [f32; 3] {
        let half = 0.5 * MIDDLE * inner.width_px;
        self.mean(middle - half, middle + half)
    }

    /// What lies beside a stick, `side` is 1 or -1.
    fn strip(&self, inner: &Inner, middle: f64, side: f64) -> [f32; 3] {
        let near = middle + side * (0.5 * inner.width_px + BLUR * inner.diameter_px);
        let far = near + side * STRIP * inner.diameter_px;
        self.mean(near.min(far), near.max(far))
    }

    /// Where the colour is halfway from the stick's to what lies on this side of it.
    fn edge(&self, inner: &Inner, middle: f64, side: f64) -> Option<f64> {
        let (inside, beside) = (self.inside(inner, middle), self.strip(inner, middle, side));
        let past_halfway = |at: f64| {
            let here = self.mean(at, at);
            distance(here, inside) - distance(here, beside)
        };
        let steps = ((0.5 * inner.width_px + (BLUR + STRIP) * inner.diameter_px) / self.step) as usize;
        let (mut at, mut before) = (middle, past_halfway(middle));
        for _ in 0..steps {
            let next = at + side * self.step;
            let value = past_halfway(next);
            if before <= 0.0 && value > 0.0 {
                return Some(at + side * self.step * f64::from(before / (before - value)));
            }
            (at, before) = (next, value);
        }
        None
    }
}

fn distance(a: [f32; 3], b: [f32; 3]) -> f32 {
    let square = |i: usize| (a[i] - b[i]) * (a[i] - b[i]);
    (square(0) + square(1) + square(2)).sqrt()
}
