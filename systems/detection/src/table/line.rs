//! Straight lines through points of which many belong to something else.

use glam::{DMat3, DVec2, DVec3};

/// A line `across = offset + slope · along`; which coordinate is which is the user's choice.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Line {
    pub offset: f64,
    pub slope: f64,
}

impl Line {
    pub fn at(&self, along: f64) -> f64 {
        self.offset + self.slope * along
    }
}

/// The line that most of `points` (along, across) lie on within `tolerance` and not steeper than `steepest`, and the
/// share of `points` on it.
///
/// A Hough transform (Duda & Hart 1972) over slope and offset, coarse and then fine, then least squares over the points
/// on the line.
pub(crate) fn line_through_most(
    points: &[(f64, f64)],
    tolerance: f64,
    steepest: f64,
    bins: &mut Vec<u32>,
) -> Option<(Line, f64)> {
    /// The coarse round has so many times the tolerance, and its steps of slope are as much longer.
    const COARSE: f64 = 2.0;
    let (first, last) = (points.first()?, points.last()?);
    let middle = 0.5 * (first.0 + last.0);
    let half = 0.5 * (last.0 - first.0).abs();
    // From one slope to the next, the ends of the line move by the tolerance.
    let step = tolerance / half.max(tolerance);
    let coarse = vote(
        points,
        middle,
        COARSE * tolerance,
        (0.0, steepest, COARSE * step),
        bins,
    );
    let mut line = vote(
        points,
        middle,
        tolerance,
        (coarse.slope, 1.5 * COARSE * step, 0.5 * step),
        bins,
    );
    for factor in [2.5, 1.5, 1.0] {
        let near = |p: &&(f64, f64)| (p.1 - line.at(p.0)).abs() <= factor * tolerance;
        line = least_squares(points.iter().filter(near).map(|p| (p.0, p.1, 1.0)))?;
    }
    let on_it = points
        .iter()
        .filter(|p| (p.1 - line.at(p.0)).abs() <= tolerance)
        .count();
    Some((line, on_it as f64 / points.len() as f64))
}

/// The line with most points in a bin of `tolerance`, over slopes (middle, reach, step).
fn vote(
    points: &[(f64, f64)],
    middle: f64,
    tolerance: f64,
    (slope, reach, step): (f64, f64, f64),
    bins: &mut Vec<u32>,
) -> Line {
    let slopes = (reach / step).ceil().clamp(1.0, 1000.0) as i32;
    let mut best = (0, Line::default());
    for i in -slopes..=slopes {
        let slope = slope + reach * f64::from(i) / f64::from(slopes);
        let offset_of = |point: &(f64, f64)| point.1 - slope * (point.0 - middle);
        let (least, most) = points
            .iter()
            .map(offset_of)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), offset| {
                (a.min(offset), b.max(offset))
            });
        let count = ((most - least) / tolerance).clamp(0.0, 1e5) as usize + 3;
        bins.clear();
        bins.resize(count, 0);
        for point in points {
            let bin = ((offset_of(point) - least) / tolerance) as usize;
            bins[(bin + 1).min(count - 2)] += 1;
        }
        for bin in 1..count - 1 {
            // A line on the border of two bins has half of its points in each.
            let votes = bins[bin] + bins[bin - 1].max(bins[bin + 1]);
            if votes > best.0 {
                let offset = (bin as f64 - 0.5) * tolerance + least;
                best = (
                    votes,
                    Line {
                        offset: offset - slope * middle,
                        slope,
                    },
                );
            }
        }
    }
    best.1
}

/// Weighted least squares through (along, across, weight); `None` for less than two distinct places.
pub(crate) fn least_squares(points: impl Iterator<Item = (f64, f64, f64)>) -> Option<Line> {
    let (mut n, mut x, mut y, mut xx, mut xy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (along, across, weight) in points {
        n += weight;
        x += weight * along;
        y += weight * across;
        xx += weight * along * along;
        xy += weight * along * across;
    }
    let determinant = n * xx - x * x;
    if determinant <= 1e-9 * n * n {
        return None;
    }
    let slope = (n * xy - x * y) / determinant;
    Some(Line {
        offset: (y - slope * x) / n,
        slope,
    })
}

/// A slightly bent line `across = offset + slope · x + bend · x²` with `x = along − middle`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Curve {
    pub middle: f64,
    pub offset: f64,
    pub slope: f64,
    pub bend: f64,
}

impl Curve {
    /// Through two ends, as bent as a third point near the middle says; (along, across) each.
    pub fn through((a, at_a): (f64, f64), between: (f64, f64), (b, at_b): (f64, f64)) -> Self {
        let slope = (at_b - at_a) / (b - a);
        let line = Self {
            middle: 0.5 * (a + b),
            offset: 0.5 * (at_a + at_b),
            slope: if slope.is_finite() { slope } else { 0.0 },
            bend: 0.0,
        };
        let (bow, half) = (between.1 - line.at(between.0), 0.5 * (b - a));
        let bend = -bow / (half * half);
        Self {
            offset: line.offset + bow,
            bend: if bend.is_finite() { bend } else { 0.0 },
            ..line
        }
    }

    pub fn at(&self, along: f64) -> f64 {
        let x = along - self.middle;
        self.offset + x * (self.slope + x * self.bend)
    }

    pub fn slope_at(&self, along: f64) -> f64 {
        self.slope + 2.0 * self.bend * (along - self.middle)
    }
}

/// The curve through most of `points` (along, across) near a first guess: least squares, weighted by Tukey's biweight
/// of the distance over three times `scale`; `None` where too few points are near or they lie too close together.
pub(crate) fn curve_through(points: &[(f64, f64)], guess: Curve, scale: f64) -> Option<Curve> {
    const ROUNDS: usize = 6;
    const LEAST_POINTS: f64 = 8.0;
    let mut curve = guess;
    for _ in 0..ROUNDS {
        // Normal equations; coordinates along in units of the points' reach, so that all sums are of one size.
        let reach = points
            .iter()
            .map(|p| (p.0 - curve.middle).abs())
            .fold(1.0, f64::max);
        let (mut sums, mut right) = ([0.0; 5], [0.0; 3]);
        for (along, across) in points {
            let off = (across - curve.at(*along)) / (3.0 * scale);
            let weight = (1.0 - off * off).max(0.0);
            let weight = weight * weight;
            let x = (along - curve.middle) / reach;
            let mut power = weight;
            for (i, sum) in sums.iter_mut().enumerate() {
                *sum += power;
                if let Some(right) = right.get_mut(i) {
                    *right += power * across;
                }
                power *= x;
            }
        }
        if sums[0] < LEAST_POINTS {
            return None;
        }
        let [n, x, xx, xxx, xxxx] = sums;
        let matrix = DMat3::from_cols_array(&[n, x, xx, x, xx, xxx, xx, xxx, xxxx]);
        if matrix.determinant().abs() < 1e-6 * n * n * n {
            return None;
        }
        let found = matrix.inverse() * DVec3::from(right);
        curve = Curve {
            middle: curve.middle,
            offset: found.x,
            slope: found.y / reach,
            bend: found.z / (reach * reach),
        };
    }
    Some(curve)
}

/// Where the line through `a` in direction `u` meets the line through `b` in direction `v`.
pub(crate) fn meet(a: DVec2, u: DVec2, b: DVec2, v: DVec2) -> Option<DVec2> {
    let parallel = u.perp_dot(v);
    if parallel.abs() < 1e-9 * u.length() * v.length() || parallel == 0.0 {
        return None;
    }
    Some(a + u * ((b - a).perp_dot(v) / parallel))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_though_half_of_its_points_are_hidden() {
        let points: Vec<_> = (0..100)
            .map(|i| {
                let along = f64::from(i);
                let hidden = (20..65).contains(&i);
                (
                    along,
                    30.0 + 0.1 * along
                        + if hidden {
                            15.0 + 3.0 * libm::sin(along)
                        } else {
                            0.0
                        },
                )
            })
            .collect();
        let (line, share) = line_through_most(&points, 1.0, 0.47, &mut Vec::new()).unwrap();
        assert!(
            (line.offset - 30.0).abs() < 0.1 && (line.slope - 0.1).abs() < 0.01,
            "{line:?}"
        );
        assert!((share - 0.55).abs() < 0.03, "{share}");
    }

    #[test]
    fn one_point_or_none_makes_no_line() {
        assert_eq!(line_through_most(&[], 1.0, 0.47, &mut Vec::new()), None);
        assert_eq!(line_through_most(&[(1.0, 2.0)], 1.0, 0.47, &mut Vec::new()), None);
    }
}
