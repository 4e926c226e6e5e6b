//! Where balls may be: every edge votes for the centres of the circles whose rim it can be.
//!
//! A gradient Hough transform for one known radius (Kimme, Ballard & Sklansky 1975, "Finding circles by an array of
//! accumulators"): an edge of a disc points to or away from its centre, so an edge pixel with unit gradient `g` votes
//! for `p ± r g`. Edges count alike whatever their contrast, so that a dim ball is found beside a bright one.

use glam::DVec2;

use super::place::BallPlace;
use super::work::WorkPicture;

/// An edge is a step of at least this many standard deviations of the cloth's pixels.
const LEAST_STEP_SIGMAS: f32 = 5.0;
/// Weight of a channel whose noise is 1; others weigh less, in whole numbers.
const UNIT: f32 = 32.0;
/// Pixels that are passed over together where none of them is an edge.
const BLOCK: usize = 32;
/// Radii voted for, in 1/128 of apparent radii: a ball seen away from the picture's middle is an ellipse, longer along the
/// line to the middle.
const RADII: [i32; 4] = [118, 128, 138, 148];
/// One, in the fixed-point numbers of radii and of pixels.
const ONE: i32 = 128;
/// Edge pixels are at most this share of all: beyond that the picture is no table, and the work stays bounded.
const MOST_EDGES: usize = 4;
/// Votes that a candidate needs, as a share of the edge pixels on a whole rim.
const LEAST_SHARE: f32 = 0.60;

/// A place where a ball may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// In the picture, pixels.
    pub center: DVec2,
    /// Share of a whole rim that voted for it; above 1 is possible.
    pub share: f32,
}

/// Buffers of the vote.
#[derive(Clone, Debug, Default)]
pub struct Votes {
    strength: Vec<i16>,
    votes: Vec<u16>,
    sums: Vec<u16>,
    edges: Vec<Edge>,
}

/// A pixel on the crest of an edge in the [`WorkPicture`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Column in the work picture.
    pub x: i16,
    /// Row in the work picture.
    pub y: i16,
    /// Gradient towards larger x: Sobel's sum, 8 times the change per pixel, of the channel where it stands out most
    /// from that channel's noise.
    pub gx: i16,
    /// The same towards larger y.
    pub gy: i16,
}

impl Votes {
    /// Edge pixels of the last picture, row by row.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// Finds candidates, best first, at most `most`. `noise` is the standard deviation of cloth pixels (Y, U, V).
    pub fn find(
        &mut self,
        work: &WorkPicture,
        place: &BallPlace,
        noise: [f32; 3],
        most: usize,
        out: &mut Vec<Candidate>,
    ) {
        out.clear();
        let (w, h) = (work.width, work.height);
        if w < 8 || h < 8 {
            return;
        }
        let weights = noise.map(|n| (UNIT / n).clamp(1.0, UNIT) as i16);
        self.measure_edges(work, weights);
        self.collect_edges(work, weights);
        self.cast(work, place);
        self.sum_squares(w, h);
        self.take_peaks(work, place, most, out);
    }

    /// How steep each pixel's surroundings are: Sobel's gradient in the channel where it is strongest.
    fn measure_edges(&mut self, work: &WorkPicture, weights: [i16; 3]) {
        let (w, h) = (work.width, work.height);
        // The border stays 0.
        self.strength.resize(w * h, 0);
        let channels = if work.has_chroma() { 3 } else { 1 };
        for y in 1..h - 1 {
            let out = &mut self.strength[y * w + 1..(y + 1) * w - 1];
            out.fill(0);
            for (plane, weight) in work.planes.iter().zip(weights).take(channels) {
                let [a, b, c] = [y - 1, y, y + 1].map(|y| &plane[y * w..(y + 1) * w]);
                strongest_in_row([a, b, c], weight, out);
            }
        }
    }

    /// Collects the crests of edges, with their directions.
    fn collect_edges(&mut self, work: &WorkPicture, weights: [i16; 3]) {
        let (w, h) = (work.width, work.height);
        self.edges.clear();
        let channels = if work.has_chroma() { 3 } else { 1 };
        let planes = &work.planes[..channels];
        let most = w * h / MOST_EDGES;
        // A step that spreads over two pixels gives half of itself as the gradient of each; Sobel's sum is 8 gradients.
        let least = (0.5 * LEAST_STEP_SIGMAS * 8.0 / 4.0 * UNIT) as i16;
        let strength = &self.strength;
        for y in 1..h - 1 {
            let [above, row, below] = [y - 1, y, y + 1].map(|y| &strength[y * w..(y + 1) * w]);
            for (block, values) in row.chunks(BLOCK).enumerate() {
                if values.iter().fold(0, |most, v| most.max(*v)) < least {
                    continue;
                }
                let end = (block * BLOCK + values.len()).min(w - 1);
                for x in (block * BLOCK).max(1)..end {
                    let e = row[x];
                    if e < least {
                        continue;
                    }
                    let is_crest = [
                        e >= row[x - 1] && e >= row[x + 1],
                        e >= above[x] && e >= below[x],
                        e >= above[x - 1] && e >= below[x + 1],
                        e >= above[x + 1] && e >= below[x - 1],
                    ];
                    if is_crest == [false; 4] {
                        continue;
                    }
                    let [gx, gy] = gradient(planes, w, weights, y * w + x);
                    let along = if gx.abs() > 2 * gy.abs() {
                        0
                    } else if gy.abs() > 2 * gx.abs() {
                        1
                    } else if (gx > 0) == (gy > 0) {
                        2
                    } else {
                        3
                    };
                    if is_crest[along] {
                        if self.edges.len() == most {
                            return;
                        }
                        self.edges.push(Edge {
                            x: x as i16,
                            y: y as i16,
                            gx,
                            gy,
                        });
                    }
                }
            }
        }
    }

    fn cast(&mut self, work: &WorkPicture, place: &BallPlace) {
        let (w, h) = (work.width, work.height);
        self.votes.clear();
        self.votes.resize(w * h, 0);
        let [a, b, c] = place.radius_in(work);
        for edge in &self.edges {
            let [x, y, gx, gy] = [edge.x, edge.y, edge.gx, edge.gy].map(f32::from);
            // A reduced ball has a radius of 6 to 12, twice that in extreme perspective.
            let radius = (a * x + b * y + c).clamp(1.0, 64.0);
            let per_length = radius / (gx * gx + gy * gy).sqrt().max(1.0);
            // Fixed point: conversions from floating point, with their checks, would cost more than all else.
            let [dx, dy] = [gx, gy].map(|g| (g * per_length * ONE as f32) as i32);
            let [x, y] = [edge.x, edge.y].map(|v| i32::from(v) * ONE * ONE + ONE * ONE / 2);
            for factor in RADII {
                let (dx, dy) = (dx * factor, dy * factor);
                for [vx, vy] in [[x + dx, y + dy], [x - dx, y - dy]] {
                    // Negative numbers become too large.
                    let [vx, vy] = [vx, vy].map(|v| (v / (ONE * ONE)) as u32 as usize);
                    if vx < w && vy < h {
                        self.votes[vy * w + vx] += 1;
                    }
                }
            }
        }
    }

    /// Sums of 3x3 votes.
    fn sum_squares(&mut self, w: usize, h: usize) {
        // The border stays 0.
        self.sums.resize(w * h, 0);
        for y in 1..h - 1 {
            let [a, b, c] = [y - 1, y, y + 1].map(|y| &self.votes[y * w..(y + 1) * w]);
            let column = |x: usize| a[x] + b[x] + c[x];
            let out = &mut self.sums[y * w..(y + 1) * w];
            for (x, out) in out.iter_mut().enumerate().take(w - 1).skip(1) {
                *out = column(x - 1) + column(x) + column(x + 1);
            }
        }
    }

    fn is_peak(&self, w: usize, [x, y]: [usize; 2], reach: usize) -> bool {
        let votes = self.sums[y * w + x];
        (y - reach..=y + reach).all(|ny| {
            let row = &self.sums[ny * w + x - reach..=ny * w + x + reach];
            let before = (ny, x - reach);
            row.iter()
                .enumerate()
                .all(|(i, other)| *other < votes || (*other == votes && (before.0, before.1 + i) >= (y, x)))
        })
    }

    fn take_peaks(&self, work: &WorkPicture, place: &BallPlace, most: usize, out: &mut Vec<Candidate>) {
        let (w, h) = (work.width, work.height);
        let middle_radius = place.radius_at_middle() / work.scale as f64;
        // Twice half a radius apart: balls are never nearer than two.
        let reach = (0.4 * middle_radius) as usize + 1;
        let whole = |radius: f64| (std::f64::consts::TAU * radius) as f32;
        // The radius is affine in the place, so it is least in a corner.
        let [a, b, c] = place.radius_in(work);
        let (right, bottom) = (w as f32, h as f32);
        let least_radius = [0.0, a * right].map(|x| [0.0, b * bottom].map(|y| f64::from(x + y + c)));
        let least_radius = least_radius
            .as_flattened()
            .iter()
            .copied()
            .fold(middle_radius, f64::min)
            .max(1.0);
        let least_votes = (LEAST_SHARE * whole(least_radius)) as u16;
        for y in reach..h.saturating_sub(reach) {
            let row = &self.sums[y * w..(y + 1) * w];
            for (block, values) in row.chunks(BLOCK).enumerate() {
                if values.iter().fold(0, |most, v| most.max(*v)) < least_votes {
                    continue;
                }
                let end = (block * BLOCK + values.len()).min(w.saturating_sub(reach));
                for x in (block * BLOCK).max(reach)..end {
                    let votes = row[x];
                    if votes < least_votes
                        || votes < row[x - 1]
                        || votes < row[x + 1]
                        || !self.is_peak(w, [x, y], reach)
                    {
                        continue;
                    }
                    let center = DVec2::from(work.in_image(x as f64, y as f64));
                    let share = f32::from(votes) / whole(place.radius_at(center) / work.scale as f64);
                    if share >= LEAST_SHARE && place.allows_center(center) {
                        out.push(Candidate { center, share });
                    }
                }
            }
        }
        out.sort_by(|a, b| b.share.total_cmp(&a.share));
        out.truncate(most);
    }
}

/// Raises `out` to what this channel's gradient is, where that is stronger. A sum of absolute values is at most 2 * 1020;
/// a quarter of it times the weight fits 16 bits.
fn strongest_in_row([a, b, c]: [&[u8]; 3], weight: i16, out: &mut [i16]) {
    let n = out.len();
    let (a0, a1, a2) = (&a[..n], &a[1..=n], &a[2..n + 2]);
    let (b0, b2) = (&b[..n], &b[2..n + 2]);
    let (c0, c1, c2) = (&c[..n], &c[1..=n], &c[2..n + 2]);
    for x in 0..n {
        let [a0, a1, a2] = [a0[x], a1[x], a2[x]].map(i16::from);
        let [b0, b2] = [b0[x], b2[x]].map(i16::from);
        let [c0, c1, c2] = [c0[x], c1[x], c2[x]].map(i16::from);
        let gx = (a2 + 2 * b2 + c2 - a0 - 2 * b0 - c0).abs();
        let gy = (c0 + 2 * c1 + c2 - a0 - 2 * a1 - a2).abs();
        // Length within 6 %: the larger and 3/8 of the smaller.
        let length = gx.max(gy) + 3 * (gx.min(gy) / 8);
        out[x] = out[x].max(length / 4 * weight);
    }
}

/// Gradient (Sobel's sums) of the channel in which it is strongest.
#[inline]
fn gradient(planes: &[Vec<u8>], w: usize, weights: [i16; 3], at: usize) -> [i16; 2] {
    let (mut best, mut strongest) = ([0; 2], -1);
    for (plane, weight) in planes.iter().zip(weights) {
        let [a, b, c] = [at - w - 1, at - 1, at + w - 1].map(|from| &plane[from..from + 3]);
        let [a, b, c] = [a, b, c].map(|row| [row[0], row[1], row[2]].map(i16::from));
        let gx = a[2] + 2 * b[2] + c[2] - a[0] - 2 * b[0] - c[0];
        let gy = c[0] + 2 * c[1] + c[2] - a[0] - 2 * a[1] - a[2];
        let strength = i32::from(gx.abs().max(gy.abs())) * i32::from(weight);
        if strength > strongest {
            (best, strongest) = ([gx, gy], strength);
        }
    }
    best
}
