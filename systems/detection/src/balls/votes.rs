//! Where balls may be: every edge votes for the centres of the circles whose rim it can be.
//!
//! A gradient Hough transform for one known radius (Kimme, Ballard & Sklansky 1975, "Finding circles by an array of
//! accumulators"): an edge of a disc points to or away from its centre, so an edge pixel with unit gradient `g` votes
//! for `p ± r g`. Edges count alike whatever their contrast, so that a dim ball is found beside a bright one.
//!
//! Cost: some 10 ns per edge; the sums of all squares of votes, in bytes, which compilers turn into vector instructions;
//! and half a microsecond per peak, for the sectors in which it has a rim.

use glam::DVec2;

use super::edges::{Edge, EdgeFinder};
use super::place::BallPlace;
use super::work::{LANES, WorkPicture};

/// Radii voted for, in apparent radii: a ball seen away from the picture's middle is an ellipse, up to 1.2 times longer
/// along the line to the middle. Squares of votes reach a fifth of a radius beyond these.
const RADII: [f32; 2] = [0.92, 1.08];
/// A reduced ball has a radius of 6 to 12, twice that in extreme perspective; pictures with another have no balls.
const MOST_RADIUS: f32 = 64.0;
/// What a vote counts, by the length of a rim in pixels: a lone ball's whole rim comes to about 3.
const VOTE: f32 = 2.0;
/// Votes that a candidate needs, by the length of a rim: a fifth of what a lone ball has.
pub(super) const LEAST_SHARE: f32 = 0.6;
/// Of sixteen sectors round a candidate so many need an edge that can be its rim: half of them, as a ball has that an
/// arm covers up to its middle. Two lines have six.
const LEAST_SECTORS: u32 = 8;
/// Where that edge has to be, in radii: a candidate may be a fifth of a radius beside its ball.
const RIM: [f32; 2] = [0.8, 1.25];
/// Cosine of the most that the gradient there may be off the direction to the candidate: for the same reason and the
/// noise of a weak edge, 26 degrees.
const LEAST_COSINE: f32 = 0.9;
/// Peaks nearer than so many radii and a pixel, along either axis, are one. Balls are two radii apart, but shadows and
/// neighbours vote for places in between, at times more than a half hidden ball's own rim.
const ONE_PEAK: f64 = 0.3;

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
    /// Cells are pixels of the work picture with `margin` more on all sides, so that no vote falls beside them.
    margin: usize,
    columns: usize,
    rows: usize,
    votes: Vec<u8>,
    /// Sums of three votes one above the other, in one row.
    triples: Vec<u8>,
    /// Sums of 3x3 votes.
    sums: Vec<u8>,
    /// Of each edge: its cell, and from there to the cell of each radius.
    places: Vec<i32>,
    offsets: [Vec<i32>; RADII.len()],
    /// Cells with the most votes of all their neighbours.
    peaks: Vec<u32>,
}

impl Votes {
    /// Finds candidates, best first, at most `most`.
    pub fn find(
        &mut self,
        edges: &EdgeFinder,
        work: &WorkPicture,
        place: &BallPlace,
        most: usize,
        out: &mut Vec<Candidate>,
    ) {
        out.clear();
        if work.width < 8 || work.height < 8 {
            return;
        }
        let (least, most_radius) = radii_in(work, place);
        let reach = (most_radius * RADII[1]) as usize;
        // Room for rounding, and for the squares round the outermost votes.
        self.margin = reach + 4;
        self.columns = (work.width + 2 * self.margin).next_multiple_of(LANES) + 2;
        self.rows = work.height + 2 * self.margin;
        self.sums.resize(self.rows * self.columns, 0);
        cast(self, edges.edges(), place.radius_in(work), [least, most_radius]);
        let least_votes = LEAST_SHARE / VOTE * std::f32::consts::TAU * least;
        find_peaks(self, least_votes.clamp(1.0, 255.0) as u8);
        self.take_candidates(edges, work, place, out);
        out.truncate(most);
    }

    /// The share of a whole rim that voted, in the last picture, for a place or one a pixel beside it.
    pub fn share_at(&self, center: DVec2, work: &WorkPicture, place: &BallPlace) -> f32 {
        let [x, y] = work.from_image(center).map(|v| libm::round(v) as i64);
        let most = (-1..=1)
            .flat_map(|dy| (-1..=1).map(move |dx| [x + dx, y + dy]))
            .filter_map(|cell| {
                let [x, y] = cell.map(|v| usize::try_from(v + self.margin as i64));
                let (x, y) = (x.ok()?, y.ok()?);
                (x < self.columns).then(|| self.sums.get(y * self.columns + x))?
            })
            .fold(0, |most, votes| most.max(*votes));
        share_of(most, place.radius_at(center) / work.scale as f64)
    }

    /// Whether nothing within `reach` has more votes, nor as many and comes later.
    fn is_highest(&self, at: usize, reach: usize) -> bool {
        let votes = self.sums[at];
        (0..=2 * reach).all(|dy| {
            let first = at + dy * self.columns - reach * (self.columns + 1);
            let row = &self.sums[first..=first + 2 * reach];
            row.iter()
                .enumerate()
                .all(|(dx, other)| *other < votes || (*other == votes && first + dx >= at))
        })
    }

    fn take_candidates(
        &self,
        edges: &EdgeFinder,
        work: &WorkPicture,
        place: &BallPlace,
        out: &mut Vec<Candidate>,
    ) {
        let reach = (ONE_PEAK * place.radius_at_middle() / work.scale as f64) as usize + 1;
        // What reaches beyond the margin is too large for a ball.
        let reach = reach.min(self.margin);
        for at in self.peaks.iter().map(|at| *at as usize) {
            let [x, y] = [at % self.columns, at / self.columns].map(|v| v.wrapping_sub(self.margin));
            if x >= work.width || y >= work.height {
                continue;
            }
            let [x, y] = [x, y].map(|v| v as f32);
            let center = DVec2::from(work.in_image(f64::from(x), f64::from(y)));
            let radius = place.radius_at(center) / work.scale as f64;
            let share = share_of(self.sums[at], radius);
            if share >= LEAST_SHARE
                && self.is_highest(at, reach)
                && place.allows_center(center)
                && sectors_with_rim(edges, [x, y], radius as f32).count_ones() >= LEAST_SECTORS
            {
                out.push(Candidate { center, share });
            }
        }
        out.sort_by(|a, b| b.share.total_cmp(&a.share));
    }
}

/// Votes by the length of a rim of this radius, in pixels of the work picture.
fn share_of(votes: u8, radius: f64) -> f32 {
    VOTE * f32::from(votes) / (std::f32::consts::TAU * radius as f32)
}

/// Radii that occur in the work picture, least and most, pixels there: they are affine in the place, so the extremes are
/// in corners.
fn radii_in(work: &WorkPicture, place: &BallPlace) -> (f32, f32) {
    let [a, b, c] = place.radius_in(work);
    let (right, bottom) = (a * work.width as f32, b * work.height as f32);
    let radii = [c, c + right, c + bottom, c + right + bottom].map(|r| r.clamp(1.0, MOST_RADIUS));
    let least = radii.into_iter().fold(MOST_RADIUS, f32::min);
    (least, radii.into_iter().fold(1.0, f32::max))
}

/// Each edge votes for the centres on both sides.
#[multiversion::multiversion(targets("x86_64+avx2"))]
fn cast(votes: &mut Votes, edges: &[Edge], [a, b, c]: [f32; 3], [least, most]: [f32; 2]) {
    let (columns, margin) = (votes.columns as i32, votes.margin as i32);
    votes.votes.clear();
    votes.votes.resize(votes.rows * votes.columns, 0);
    let n = edges.len();
    votes.places.resize(n, 0);
    votes.offsets.iter_mut().for_each(|offsets| offsets.resize(n, 0));
    let places = &mut votes.places[..n];
    let [near, far] = votes.offsets.each_mut().map(|offsets| &mut offsets[..n]);
    // Arithmetic first, several edges at once, then the votes.
    for i in 0..n {
        let edge = edges[i];
        let [x, y, gx, gy] = [edge.x, edge.y, edge.gx, edge.gy].map(f32::from);
        let radius = (a * x + b * y + c).clamp(least, most);
        let per_length = radius / (gx * gx + gy * gy).max(1.0).sqrt();
        let offset = |factor: f32| {
            let [dx, dy] = [gx, gy].map(|g| rounded(g * per_length * factor));
            dy * columns + dx
        };
        places[i] = (i32::from(edge.y) + margin) * columns + i32::from(edge.x) + margin;
        near[i] = offset(RADII[0]);
        far[i] = offset(RADII[1]);
    }
    let votes = &mut votes.votes[..];
    for i in 0..n {
        for at in [
            places[i] + near[i],
            places[i] - near[i],
            places[i] + far[i],
            places[i] - far[i],
        ] {
            if let Some(votes) = votes.get_mut(at as usize) {
                *votes = votes.saturating_add(1);
            }
        }
    }
}

/// The nearest whole number, below 2^22: the last bits of a number near 2^23 are whole. Conversions, with their checks,
/// keep compilers from handling several numbers at once.
#[inline(always)]
fn rounded(v: f32) -> i32 {
    const BASE: f32 = 12_582_912.0;
    (v + BASE).to_bits() as i32 - BASE.to_bits() as i32
}

/// Sums the squares of votes, and finds those that have at least so many and no fewer than their neighbours.
#[multiversion::multiversion(targets("x86_64+avx2"))]
fn find_peaks(votes: &mut Votes, least: u8) {
    let columns = votes.columns;
    votes.peaks.clear();
    votes.triples.resize(columns, 0);
    for y in 1..votes.rows {
        if y + 1 < votes.rows {
            let [a, b, c] = [y - 1, y, y + 1].map(|y| &votes.votes[y * columns..(y + 1) * columns]);
            add([a, b, c], &mut votes.triples);
            let triples = &votes.triples;
            let sums = &mut votes.sums[y * columns + 1..(y + 1) * columns - 1];
            add([triples, &triples[1..], &triples[2..]], sums);
        }
        if y < 2 {
            continue;
        }
        let y = y - 1;
        let [above, row, below] = [y - 1, y, y + 1].map(|y| &votes.sums[y * columns..(y + 1) * columns]);
        for (group, values) in row[1..].as_chunks::<LANES>().0.iter().enumerate() {
            if values.iter().fold(0, |most, v| most.max(*v)) < least {
                continue;
            }
            let first = group * LANES;
            let around = |row: &[u8]| -> [u8; LANES] {
                let row = &row[first..first + LANES + 2];
                std::array::from_fn(|i| row[i].max(row[i + 1]).max(row[i + 2]))
            };
            let (above, below) = (around(above), around(below));
            let beside: [u8; LANES] = std::array::from_fn(|i| row[first + i].max(row[first + i + 2]));
            for (i, v) in values.iter().enumerate() {
                if *v >= least && *v >= above[i].max(below[i]).max(beside[i]) {
                    votes.peaks.push((y * columns + first + 1 + i) as u32);
                }
            }
        }
    }
}

/// Of sixteen sectors round a place those with an edge across them near a radius, one bit each.
fn sectors_with_rim(edges: &EdgeFinder, [x, y]: [f32; 2], radius: f32) -> u32 {
    let [least, most] = RIM.map(|r| r * radius);
    let mut sectors = 0_u32;
    for row in (y - most).max(0.0) as usize..=(y + most) as usize {
        for edge in edges.edges_near(row, (x - most).max(0.0) as usize, (x + most) as usize) {
            let (dx, dy) = (f32::from(edge.x) - x, f32::from(edge.y) - y);
            let (gx, gy) = (f32::from(edge.gx), f32::from(edge.gy));
            let distance = dx * dx + dy * dy;
            let along = dx * gx + dy * gy;
            // All conditions at once: jumps that nothing foretells cost more.
            let is_rim = (distance >= least * least)
                & (distance <= most * most)
                & (along * along >= LEAST_COSINE * LEAST_COSINE * distance * (gx * gx + gy * gy));
            sectors |= u32::from(is_rim) << sector_of(dx, dy);
        }
    }
    sectors
}

/// In which of sixteen equal sectors a direction lies.
fn sector_of(dx: f32, dy: f32) -> u32 {
    /// tan 22.5°
    const SLANT: f32 = 0.414_213_57;
    let (x, y) = (dx.abs(), dy.abs());
    let in_quarter = u32::from(y > SLANT * x) + u32::from(y > x) + u32::from(SLANT * y > x);
    4 * (u32::from(dx < 0.0) + 2 * u32::from(dy < 0.0)) + in_quarter
}

/// Sums, cell by cell.
#[inline(always)]
fn add([a, b, c]: [&[u8]; 3], out: &mut [u8]) {
    let n = out.len();
    let (a, b, c) = (&a[..n], &b[..n], &c[..n]);
    for x in 0..n {
        out[x] = a[x].saturating_add(b[x]).saturating_add(c[x]);
    }
}
