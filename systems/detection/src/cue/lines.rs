//! Straight lines along which bars lie.
//!
//! A Hough transform (Duda & Hart 1972) in which each bar votes only for lines of nearly its own direction (Ballard
//! 1981); then the middles of the bars on a line are fitted by total least squares.

use glam::{DVec2, Vec2};

use super::bars::Bar;

/// Directions told apart, and how many degrees they are apart.
const DIRECTIONS: usize = 90;
const DEGREES: f32 = 2.0;
/// Pixels per offset told apart. Lines are counted over three of them, and exact only once they are fitted.
const OFFSET: f32 = 2.0;
/// How far a bar's direction may be off its line's, in such directions: gradients on a small grid are that rough.
const SPREAD: i32 = 3;
/// The sine of that, and a little more: 8 degrees.
const TURNED: f64 = 0.139;
/// A bar this near to a line, pixels, lies on it; the first fit reaches as far as the votes.
const REACH: f64 = 1.6;
const FIRST_REACH: f64 = 3.0;

/// A line through the work picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Line {
    pub center: DVec2,
    /// Unit length.
    pub along: DVec2,
}

impl Line {
    /// Where along the line and how far beside it a place is.
    pub fn locate(&self, place: DVec2) -> (f64, f64) {
        let off = place - self.center;
        (off.dot(self.along), off.dot(self.along.perp()))
    }

    /// Whether a bar has this line's direction and lies within `reach` pixels of it.
    fn is_near(&self, bar: &Bar, reach: f64) -> bool {
        let (_, across) = self.locate(bar.middle.as_dvec2());
        across.abs() <= reach && bar.normal.as_dvec2().dot(self.along).abs() <= TURNED
    }
}

/// Finds lines among bars, one after the other, those with most bars first. Holds buffers.
#[derive(Clone, Debug, Default)]
pub(crate) struct LineFinder {
    votes: Vec<i16>,
    offsets: usize,
    normals: Vec<Vec2>,
    middle: Vec2,
    /// Bars that are on no line yet.
    rest: Vec<Bar>,
    near: Vec<Bar>,
    /// Bars on the line that was found last.
    pub held: Vec<Bar>,
}

impl LineFinder {
    /// Takes the bars of a picture of this size.
    pub fn start(&mut self, bars: &[Bar], size: [usize; 2]) {
        if self.normals.is_empty() {
            self.normals.extend((0..DIRECTIONS).map(|step| {
                let (sin, cos) = libm::sincosf((DEGREES * step as f32).to_radians());
                Vec2::new(cos, sin)
            }));
        }
        self.middle = 0.5 * Vec2::new(size[0] as f32, size[1] as f32);
        // A row of votes has a margin, so that neighbours need no check.
        self.offsets = 2 * ((self.middle.length() / OFFSET) as usize + 3);
        self.votes.clear();
        self.votes.resize(DIRECTIONS * self.offsets, 0);
        self.rest.clear();
        self.rest.extend_from_slice(bars);
        for bar in bars {
            self.vote(bar, 1);
        }
    }

    /// The line with most bars of those that are left, and its bars in [`LineFinder::held`]; `None` where no line has
    /// `least`.
    pub fn next(&mut self, least: usize) -> Option<Line> {
        if self.rest.len() < least {
            return None;
        }
        let (votes, normal, offset) = self.peak();
        if (votes as usize) < least {
            return None;
        }
        let center = self.middle + OFFSET * (offset as f32 + 0.5 - 0.5 * self.offsets as f32) * normal;
        let mut line = Line {
            center: center.as_dvec2(),
            along: normal.perp().as_dvec2(),
        };
        self.near.clear();
        let near = self.rest.iter().filter(|bar| line.is_near(bar, FIRST_REACH));
        self.near.extend(near);
        for reach in [FIRST_REACH, REACH, REACH] {
            line = fit(&line, &self.near, reach).unwrap_or(line);
        }
        self.held.clear();
        let before = self.rest.len();
        for i in (0..before).rev() {
            let bar = self.rest[i];
            if line.is_near(&bar, REACH) {
                self.held.push(bar);
                self.rest.swap_remove(i);
                self.vote(&bar, -1);
            }
        }
        (self.rest.len() < before).then_some(line)
    }

    /// Adds `weight` to all lines that a bar may lie on.
    fn vote(&mut self, bar: &Bar, weight: i16) {
        let direction = (degrees_of(bar.normal) / DEGREES + 0.5) as i32;
        let place = bar.middle - self.middle;
        for off in -SPREAD..=SPREAD {
            let direction = (direction + off).rem_euclid(DIRECTIONS as i32) as usize;
            let offset = place.dot(self.normals[direction]) / OFFSET + 0.5 * self.offsets as f32;
            let vote = &mut self.votes[direction * self.offsets + offset as usize];
            *vote = vote.saturating_add(weight);
        }
    }

    /// Votes, normal and offset of the line with most votes, counted over three neighbouring offsets.
    fn peak(&self) -> (i16, Vec2, usize) {
        let three = |row: &[i16], at: usize| row[at - 1].saturating_add(row[at]).saturating_add(row[at + 1]);
        let most_of = |row: &[i16]| {
            let neighbours = row.iter().zip(&row[1..]).zip(&row[2..]);
            neighbours
                .map(|((a, b), c)| a.saturating_add(*b).saturating_add(*c))
                .fold(0, i16::max)
        };
        let rows = || self.votes.chunks_exact(self.offsets).zip(&self.normals);
        let mut best = (0, Vec2::X, 1);
        for (row, normal) in rows() {
            // The greatest of a row is found faster than where it is.
            let most = most_of(row);
            if most > best.0 {
                let at = (1..self.offsets - 1).find(|at| three(row, *at) == most);
                best = (most, *normal, at.unwrap_or(1));
            }
        }
        best
    }
}

/// Direction of a unit vector or its opposite, 0 to 180 degrees, within a third of a degree (Rajan et al., Efficient
/// Approximations for the Arctangent Function, IEEE Signal Processing Magazine 23(3), 2006): a tenth of the spread that is
/// voted for, at a fraction of the exact function's cost.
fn degrees_of(normal: Vec2) -> f32 {
    let (x, y) = (normal.x.abs(), normal.y.abs());
    let slope = x.min(y) / x.max(y).max(f32::MIN_POSITIVE);
    let flat = slope * (45.0 + 15.64 * (1.0 - slope));
    let first = if y > x { 90.0 - flat } else { flat };
    if (normal.x < 0.0) == (normal.y < 0.0) {
        first
    } else {
        180.0 - first
    }
}

/// The line through the middles of the bars within `reach` pixels of `line`, by total least squares.
fn fit(line: &Line, bars: &[Bar], reach: f64) -> Option<Line> {
    let (mut count, mut sum) = (0.0, DVec2::ZERO);
    let held = || bars.iter().filter(|bar| line.is_near(bar, reach));
    for bar in held() {
        count += 1.0;
        sum += bar.middle.as_dvec2();
    }
    if count < 2.0 {
        return None;
    }
    let center = sum / count;
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for bar in held() {
        let off = bar.middle.as_dvec2() - center;
        xx += off.x * off.x;
        xy += off.x * off.y;
        yy += off.y * off.y;
    }
    let (sin, cos) = libm::sincos(0.5 * libm::atan2(2.0 * xy, xx - yy));
    Some(Line {
        center,
        along: DVec2::new(cos, sin),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_are_right_within_half_a_degree() {
        for degrees in 0..360 {
            let (sin, cos) = libm::sincosf((degrees as f32).to_radians());
            let off = (degrees_of(Vec2::new(cos, sin)) - degrees as f32).rem_euclid(180.0);
            assert!(off.min(180.0 - off) < 0.5, "{degrees}: {off}");
        }
    }

    #[test]
    fn lines_come_in_the_order_of_their_bars_and_each_once() {
        let bar = |x: f32, y: f32, normal: Vec2| Bar {
            middle: Vec2::new(x, y),
            normal,
            width: 5.0,
        };
        let level = (0..80).map(|x| bar(20.0 + x as f32, 40.0, Vec2::Y));
        let upright = (0..50).map(|y| bar(70.0, 20.0 + y as f32, -Vec2::X));
        let bars: Vec<Bar> = level.chain(upright).collect();
        let mut finder = LineFinder::default();
        finder.start(&bars, [200, 100]);
        let first = finder.next(20).unwrap();
        assert_eq!(finder.held.len(), 80);
        assert!(first.along.y.abs() < 1e-6 && (first.center.y - 40.0).abs() < 1e-6);
        let second = finder.next(20).unwrap();
        assert_eq!(finder.held.len(), 50);
        assert!(second.along.x.abs() < 1e-6 && (second.center.x - 70.0).abs() < 1e-6);
        assert_eq!(finder.next(20), None);
    }
}
