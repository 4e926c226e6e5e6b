//! Edges in the work picture: where colour changes more than cloth does, one pixel thin.
//!
//! Sobel's gradient in the channel where it stands out most, and of that the crests across the edge (non-maximum
//! suppression, Canny 1986, with two directions). Only pixels that a ball's rim can reach are looked at.
//!
//! Cost: everything that is done to each pixel is done to bytes, in loops that compilers turn into vector instructions
//! (some 50 operations per 16 pixels of 3 channels); single pixels are touched only where there is a crest.

use super::mask::RimMask;
use super::place::BallPlace;
use super::work::{LANES, WorkPicture};

/// An edge is a step of at least this many standard deviations of the cloth's pixels.
pub(super) const LEAST_STEP_SIGMAS: f32 = 5.0;
/// Edge pixels are at most this share of all: beyond that the picture is no table, and the work stays bounded.
const MOST_EDGES: usize = 4;
/// A pixel on the crest of an edge in the [`WorkPicture`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Column in the work picture.
    pub x: i16,
    /// Row in the work picture.
    pub y: i16,
    /// Gradient towards larger x: Sobel's sum, 8 times the change per pixel, of the channel where it is strongest by
    /// that channel's noise.
    pub gx: i16,
    /// The same towards larger y.
    pub gy: i16,
}

/// Finds edges where balls can be. Made once per table.
#[derive(Clone, Debug, Default)]
pub struct EdgeFinder {
    mask: RimMask,
    /// Of each channel the last rows, y modulo 4: means of pixels and those left and right of them.
    across: [[Vec<u8>; 4]; 3],
    /// Likewise: means of pixels and those above and below them.
    along: [[Vec<u8>; 4]; 3],
    gx: Vec<u8>,
    gy: Vec<u8>,
    /// Of the last rows: how much the gradient exceeds the least step; 0 where no edge is.
    strength: [Vec<u8>; 4],
    /// Of the same rows: 255 where the gradient is rather horizontal than vertical, else 0.
    horizontal: [Vec<u8>; 4],
    crests: Vec<u8>,
    places: Vec<u16>,
    edges: Vec<Edge>,
    /// Of each group of [`LANES`] columns, row by row without the outermost columns: how many edges there are before.
    /// One more than groups.
    before_group: Vec<u32>,
}

impl EdgeFinder {
    /// For work pictures like this one, with balls at this place.
    pub fn new(place: &BallPlace, work: &WorkPicture) -> Self {
        let (w, h) = (work.width, work.height);
        fn rows<const N: usize>(w: usize) -> [Vec<u8>; N] {
            std::array::from_fn(|_| vec![0; w])
        }
        Self {
            mask: RimMask::new(place, work),
            across: std::array::from_fn(|_| rows(w)),
            along: std::array::from_fn(|_| rows(w)),
            gx: vec![0; w],
            gy: vec![0; w],
            strength: rows(w),
            horizontal: rows(w),
            crests: vec![0; w],
            // One more than can be used.
            places: vec![0; w + 1],
            edges: Vec::new(),
            before_group: vec![0; w / LANES * h + 1],
        }
    }

    /// The edges found last, row by row.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// The edges in a row of the work picture in columns from `least` to `most`, and perhaps a few to the left of these.
    pub fn edges_near(&self, y: usize, least: usize, most: usize) -> &[Edge] {
        let per_row = self.crests.len() / LANES;
        let group_of = |x: usize| y * per_row + (x.saturating_sub(1) / LANES).min(per_row);
        let bound = |group: usize| self.before_group.get(group).map(|count| *count as usize);
        let (Some(first), Some(end)) = (bound(group_of(least)), bound(group_of(most + LANES))) else {
            return &[];
        };
        &self.edges[first..end]
    }

    /// Finds the edges of a picture like the one this was made for. `noise` is the standard deviation of cloth pixels
    /// (Y, U, V).
    pub fn find(&mut self, work: &WorkPicture, noise: [f32; 3]) {
        self.edges.clear();
        self.before_group.fill(0);
        let (w, h) = (work.width, work.height);
        if w < 3 || h < 3 || self.mask.columns.len() != h || self.crests.len() != w {
            return;
        }
        // Means of three pixels on both sides of an edge, two pixels apart, differ by the whole step where that takes up
        // to two pixels. One less, so that what exceeds it is not 0.
        let least = noise.map(|n| (LEAST_STEP_SIGMAS * n - 0.5).clamp(0.0, 254.0) as u8);
        find(self, work, least);
    }

    #[inline(always)]
    fn smooth_row(&mut self, work: &WorkPicture, y: usize) {
        let w = work.width;
        for (plane, rows) in work.channels().iter().zip(&mut self.across) {
            let row = &plane[y * w..(y + 1) * w];
            smooth([row, &row[1..], &row[2..]], &mut rows[y % 4][1..w - 1]);
        }
    }

    /// How strong gradients are in row `y`; the rows above and below have to be smoothed.
    #[inline(always)]
    fn measure_row(&mut self, work: &WorkPicture, least: [u8; 3], y: usize) {
        let w = work.width;
        let strength = &mut self.strength[y % 4];
        strength.fill(0);
        let columns = self.mask.columns[y].clone();
        if columns.is_empty() {
            return;
        }
        let (gx, gy) = (&mut self.gx[columns.clone()], &mut self.gy[columns.clone()]);
        gx.fill(0);
        gy.fill(0);
        // Channels with more noise than the best one are lowered before they are compared.
        let channels = work.channels();
        let floor = least[..channels.len()].iter().fold(255, |a, b| a.min(*b));
        for (channel, plane) in channels.iter().enumerate() {
            let [a, b, c] = [y - 1, y, y + 1].map(|y| &plane[y * w..(y + 1) * w]);
            let around = columns.start - 1..columns.end + 1;
            let along = &mut self.along[channel][y % 4][around.clone()];
            smooth([a, b, c].map(|row| &row[around.clone()]), along);
            let [above, below] = [y + 3, y + 1].map(|y| &self.across[channel][y % 4][columns.clone()]);
            raise(
                [&*along, &along[2..], above, below],
                least[channel] - floor,
                gx,
                gy,
            );
        }
        let horizontal = &mut self.horizontal[y % 4][columns.clone()];
        combine([gx, gy], floor, &mut strength[columns], horizontal);
    }

    /// Takes the edges in row `y`; the rows above and below have to be measured.
    #[inline(always)]
    fn collect_row(&mut self, work: &WorkPicture, least: [u8; 3], y: usize) {
        let w = work.width;
        let columns = self.mask.columns[y].clone();
        let groups = &mut self.before_group[w / LANES * y..w / LANES * (y + 1)];
        groups.fill(self.edges.len() as u32);
        if !columns.is_empty() {
            let [above, row, below] = [y + 3, y, y + 1].map(|y| &self.strength[y % 4]);
            let crests = &mut self.crests[columns.clone()];
            mark_crests(
                [
                    &above[columns.clone()],
                    &row[columns.start - 1..columns.end + 1],
                    &below[columns.clone()],
                ],
                &self.horizontal[y % 4][columns.clone()],
                &self.mask.of_row(y)[columns.clone()],
                crests,
            );
            // What is marked is written for good, the rest is written over: without a jump that nothing foretells.
            let mut count = 0;
            for (group, marks) in (columns.start / LANES..).zip(crests.as_chunks::<LANES>().0) {
                for (part, marks) in marks.as_chunks::<8>().0.iter().enumerate() {
                    if u64::from_le_bytes(*marks) != 0 {
                        for (x, mark) in (group * LANES + 8 * part + 1..).zip(marks) {
                            self.places[count] = x as u16;
                            count += usize::from(*mark);
                        }
                    }
                }
            }
            let steps = Steps::new(work, least, y, &self.along, &self.across);
            let mask = self.mask.of_row(y);
            let mut group = 0;
            for x in self.places[..count].iter().map(|x| usize::from(*x)) {
                let edge = steps.edge_at(x);
                if self.mask.is_of_nose(mask[x], [edge.gx, edge.gy]) {
                    continue;
                }
                let groups_before = group..(x - 1) / LANES + 1;
                group = group.max(groups_before.end);
                groups[groups_before].fill(self.edges.len() as u32);
                self.edges.push(edge);
            }
            groups[group..].fill(self.edges.len() as u32);
        }
    }

    /// No more edges come, from row `y` on.
    fn columns_are_done(&mut self, y: usize) {
        let count = self.edges.len() as u32;
        let per_row = self.crests.len() / LANES;
        self.before_group[per_row * y..].fill(count);
    }
}

/// All rows, one after the other: what a row needs is still in the processor's nearest cache.
#[multiversion::multiversion(targets("x86_64+avx2"))]
fn find(finder: &mut EdgeFinder, work: &WorkPicture, least: [u8; 3]) {
    let h = work.height;
    let most = work.width * h / MOST_EDGES;
    finder.strength.iter_mut().for_each(|row| row.fill(0));
    for y in 0..=h {
        if y < h {
            finder.smooth_row(work, y);
        }
        if (2..h).contains(&y) {
            finder.measure_row(work, least, y - 1);
        }
        if y == h {
            finder.strength[(h - 1) % 4].fill(0);
        }
        if y >= 3 {
            if finder.edges.len() > most {
                finder.columns_are_done(y - 2);
                return;
            }
            finder.collect_row(work, least, y - 2);
        }
    }
    finder.columns_are_done(h - 1);
}

/// Gradients in one row.
struct Steps<'a> {
    work: &'a WorkPicture,
    least: [u8; 3],
    y: usize,
    along: [&'a [u8]; 3],
    above: [&'a [u8]; 3],
    below: [&'a [u8]; 3],
}

impl<'a> Steps<'a> {
    #[inline(always)]
    fn new(
        work: &'a WorkPicture,
        least: [u8; 3],
        y: usize,
        along: &'a [[Vec<u8>; 4]; 3],
        across: &'a [[Vec<u8>; 4]; 3],
    ) -> Self {
        let w = work.width;
        Self {
            work,
            least,
            y,
            along: along.each_ref().map(|rows| &rows[y % 4][..w]),
            above: across.each_ref().map(|rows| &rows[(y + 3) % 4][..w]),
            below: across.each_ref().map(|rows| &rows[(y + 1) % 4][..w]),
        }
    }

    /// The edge in a column, by the channel in which it exceeds the least step most.
    #[inline(always)]
    fn edge_at(&self, x: usize) -> Edge {
        let (mut strongest, mut excess) = (0, i16::MIN);
        for channel in 0..self.work.channels().len() {
            let along = self.along[channel];
            let gx = along[x - 1].abs_diff(along[x + 1]);
            let gy = self.above[channel][x].abs_diff(self.below[channel][x]);
            let over = i16::from(gx.max(gy)) - i16::from(self.least[channel]);
            if over > excess {
                (strongest, excess) = (channel, over);
            }
        }
        let w = self.work.width;
        let at = self.y * w + x;
        let plane = &self.work.planes[strongest];
        // Three pixels of a row: one check, and no closure that is called for each.
        let row = |from: usize| match plane[from..].first_chunk::<3>() {
            Some([left, middle, right]) => [i16::from(*left), i16::from(*middle), i16::from(*right)],
            None => [0; 3],
        };
        let (a, b, c) = (row(at - w - 1), row(at - 1), row(at + w - 1));
        Edge {
            x: x as i16,
            y: self.y as i16,
            gx: a[2] + 2 * b[2] + c[2] - a[0] - 2 * b[0] - c[0],
            gy: c[0] + 2 * c[1] + c[2] - a[0] - 2 * a[1] - a[2],
        }
    }
}

/// Mean, rounded up: one vector instruction.
#[inline(always)]
fn mean(a: u8, b: u8) -> u8 {
    ((u16::from(a) + u16::from(b) + 1) >> 1) as u8
}

/// Means of three neighbours, the middle one counting twice.
#[inline(always)]
fn smooth([a, b, c]: [&[u8]; 3], out: &mut [u8]) {
    let n = out.len();
    let (a, b, c) = (&a[..n], &b[..n], &c[..n]);
    for x in 0..n {
        out[x] = mean(mean(a[x], c[x]), b[x]);
    }
}

/// Raises gradients to this channel's, lowered by `by`, where that is stronger.
#[inline(always)]
fn raise([left, right, top, bottom]: [&[u8]; 4], by: u8, gx: &mut [u8], gy: &mut [u8]) {
    let n = gx.len();
    let (left, right, top, bottom) = (&left[..n], &right[..n], &top[..n], &bottom[..n]);
    let gy = &mut gy[..n];
    for x in 0..n {
        gx[x] = gx[x].max(left[x].abs_diff(right[x]).saturating_sub(by));
        gy[x] = gy[x].max(top[x].abs_diff(bottom[x]).saturating_sub(by));
    }
}

/// By how much gradients exceed the least, and which are rather horizontal.
#[inline(always)]
fn combine([gx, gy]: [&[u8]; 2], least: u8, strength: &mut [u8], horizontal: &mut [u8]) {
    let n = strength.len();
    let (gx, gy, horizontal) = (&gx[..n], &gy[..n], &mut horizontal[..n]);
    for x in 0..n {
        let (gx, gy) = (gx[x], gy[x]);
        // Length, at most 12 % too long: the mean of the largest and the sum.
        let length = mean(gx.max(gy), gx.saturating_add(gy));
        strength[x] = length.saturating_sub(least);
        horizontal[x] = 0_u8.wrapping_sub(u8::from(gx >= gy));
    }
}

/// 1 where a pixel is stronger than its neighbours across the edge, else 0. The middle row begins a pixel earlier and
/// ends a pixel later.
#[inline(always)]
fn mark_crests([above, row, below]: [&[u8]; 3], horizontal: &[u8], mask: &[u8], crests: &mut [u8]) {
    let n = crests.len();
    let (above, below, horizontal, mask) = (&above[..n], &below[..n], &horizontal[..n], &mask[..n]);
    let (left, row, right) = (&row[..n], &row[1..=n], &row[2..n + 2]);
    for x in 0..n {
        let h = horizontal[x];
        let before = (left[x] & h) | (above[x] & !h);
        let after = (right[x] & h) | (below[x] & !h);
        crests[x] = u8::from(row[x] > before) & u8::from(row[x] >= after) & mask[x];
    }
}
