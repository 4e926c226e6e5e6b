//! The cushion noses to a fraction of a pixel, where they are known to a few pixels.
//!
//! Along each side, the brightness of columns (or rows) of pixels is followed across the nose, and the steepest place
//! is taken, with a parabola through its neighbours. No pixel is interpolated: that would draw the places to the middle
//! of pixels. A robust curve through them, `across = a + b·along + c·along²`, throws out what is no nose; lenses bend
//! long straight edges by several pixels, so the curve is no line.

use ghostball_world::{Lens, Planes};
use glam::DVec2;

use super::line::{Curve, curve_through};
use super::perspective::is_side_long;
use crate::quad::Quad;

/// Places looked at per side: with the noise of one place at about 0.3 pixels, a curve through them is known to 0.03.
const PLACES: usize = 240;
/// Columns of pixels summed per place, against noise.
const COLUMNS: isize = 3;
/// Share of a side left out at each end: a corner pocket's mouth takes up to 0.065 of the length, and the nose bends
/// before it.
const CORNER_GAP: f64 = 0.075;
/// Half of what the middle pockets take of a long side, with the bends beside them.
const MIDDLE_GAP: f64 = 0.045;
/// On short sides the same pockets take twice the share.
const SHORT_CORNER_GAP: f64 = 2.0 * CORNER_GAP;
/// Farthest from the place expected that is looked at.
const MOST_REACH: usize = 12;
/// Values of a column: the reach on both sides and one more for the gradient.
const COLUMN: usize = 2 * MOST_REACH + 3;
/// Least steepness, values per pixel: quantised plain cloth has half of this.
const LEAST_STEEPNESS: f32 = 1.0;
/// Share of the places that have to show the nose for the side to be believed.
const LEAST_SHARE: f64 = 0.2;

/// One side as traced.
#[derive(Clone, Debug, Default)]
pub(crate) struct Side {
    /// Places of the nose in image space, pixels, in clockwise order.
    pub points: Vec<DVec2>,
    /// Whether the picture gets brighter there from the cushion to the bed.
    pub rising: bool,
    /// Share of the places looked at that show the nose on the curve, 0 to 1.
    pub share: f64,
}

/// Traces noses. Holds buffers.
#[derive(Clone, Debug, Default)]
pub(crate) struct NoseTracer {
    sides: [Side; 4],
    places: Vec<(f64, f64)>,
    kept: Vec<(f64, f64)>,
}

/// How a side is walked along: over columns of pixels where it is more level than upright, else over rows.
#[derive(Clone, Copy, Debug)]
struct Walk {
    over_columns: bool,
    /// Least and greatest coordinate along.
    from: f64,
    to: f64,
    /// Whether the bed follows at greater coordinates across.
    is_bed_after: bool,
}

impl Walk {
    fn new((from, to): (DVec2, DVec2)) -> Self {
        let side = to - from;
        let over_columns = side.x.abs() >= side.y.abs();
        let (a, b) = if over_columns {
            (from.x, to.x)
        } else {
            (from.y, to.y)
        };
        // Clockwise, y downwards: the bed is on the right hand.
        let inward = side.perp();
        Self {
            over_columns,
            from: a.min(b),
            to: a.max(b),
            is_bed_after: if over_columns { inward.y } else { inward.x } > 0.0,
        }
    }

    fn split(&self, point: DVec2) -> (f64, f64) {
        if self.over_columns {
            (point.x, point.y)
        } else {
            (point.y, point.x)
        }
    }

    fn join(&self, (along, across): (f64, f64)) -> DVec2 {
        if self.over_columns {
            DVec2::new(along, across)
        } else {
            DVec2::new(across, along)
        }
    }
}

impl NoseTracer {
    /// The sides as traced last: top, right, bottom, left.
    pub fn sides(&self) -> &[Side; 4] {
        &self.sides
    }

    /// Traces the noses near `quad`, at most `reach_px` from its sides as `lens` bends them, and gives the quadrilateral of the curves found;
    /// a side that is not seen stays where it was. `rising` tells on which sides the bed is the brighter, where known.
    pub fn trace(
        &mut self,
        planes: &Planes,
        lens: &Lens,
        quad: &Quad,
        rising: [Option<bool>; 4],
        reach_px: f64,
    ) -> Quad {
        let mut curves = [(Walk::new(quad.sides()[0]), Curve::default()); 4];
        for (i, ends) in quad.sides().into_iter().enumerate() {
            let is_long = is_side_long(quad, i);
            let walk = Walk::new(ends);
            let middle = lens.bent(0.5 * (lens.straightened(ends.0) + lens.straightened(ends.1)));
            let line = Curve::through(walk.split(ends.0), walk.split(middle), walk.split(ends.1));
            let mut best = (line, Side::default());
            for rises in [true, false] {
                if rising[i].is_some_and(|known| known != rises) {
                    continue;
                }
                let (curve, share) = self.follow(planes, &walk, line, is_long, rises, reach_px);
                if share > best.1.share && share >= LEAST_SHARE {
                    best.0 = curve;
                    best.1.share = share;
                    best.1.rising = rises;
                    best.1.points.clear();
                    best.1
                        .points
                        .extend(self.kept.iter().map(|place| walk.join(*place)));
                }
            }
            let (from, to) = (walk.split(ends.0).0, walk.split(ends.1).0);
            if from > to {
                best.1.points.reverse();
            }
            curves[i] = (walk, best.0);
            self.sides[i] = best.1;
        }
        let corner = |i: usize, j: usize, near: DVec2| {
            meet(&curves[i], &curves[j], near).filter(|at| at.distance(near) < 4.0 * reach_px + 4.0)
        };
        let [a, b, c, d] = quad.corners;
        Quad::new([
            corner(3, 0, a).unwrap_or(a),
            corner(0, 1, b).unwrap_or(b),
            corner(1, 2, c).unwrap_or(c),
            corner(2, 3, d).unwrap_or(d),
        ])
    }

    /// The curve along the steepest places near `line`, and the share of the places that lie on it; these are in
    /// `kept`.
    fn follow(
        &mut self,
        planes: &Planes,
        walk: &Walk,
        line: Curve,
        is_long: bool,
        rises: bool,
        reach_px: f64,
    ) -> (Curve, f64) {
        let mut curve = line;
        let mut reach = reach_px.clamp(1.5, MOST_REACH as f64);
        let mut looked_at = 0;
        for _ in 0..3 {
            looked_at = self.find_places(planes, walk, &curve, is_long, rises, reach);
            let scale = (0.5 * reach).max(1.0);
            let Some(better) = curve_through(&self.places, curve, scale) else {
                return (line, 0.0);
            };
            curve = better;
            reach = (0.5 * reach).max(1.5);
        }
        self.kept.clear();
        self.kept.extend(
            self.places
                .iter()
                .filter(|(along, across)| (across - curve.at(*along)).abs() < 1.0),
        );
        (curve, self.kept.len() as f64 / looked_at.max(1) as f64)
    }

    fn find_places(
        &mut self,
        planes: &Planes,
        walk: &Walk,
        curve: &Curve,
        is_long: bool,
        rises: bool,
        reach: f64,
    ) -> usize {
        self.places.clear();
        let length = walk.to - walk.from;
        let gap = if is_long { CORNER_GAP } else { SHORT_CORNER_GAP };
        let count = PLACES.min(length.max(0.0) as usize);
        let sign = if rises == walk.is_bed_after { 1.0 } else { -1.0 };
        let mut looked_at = 0;
        for i in 0..count {
            let share = (i as f64 + 0.5) / count as f64;
            if share < gap || share > 1.0 - gap || (is_long && (share - 0.5).abs() < MIDDLE_GAP) {
                continue;
            }
            looked_at += 1;
            let along = (walk.from + share * length).round();
            if let Some(edge) = steepest(planes, walk.over_columns, along, curve.at(along), sign, reach) {
                self.places.push((along, edge.across));
            }
        }
        looked_at
    }
}

/// An edge of brightness.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steepest {
    /// Where it is, pixels.
    pub across: f64,
    /// Values per pixel.
    pub steepness: f32,
    /// Mean value round it.
    pub level: f32,
}

/// Where the picture gets brightest fastest (`sign` 1) or darkest (−1) across the direction walked, within `reach` of
/// `expected`; `None` where it is plain or the place is outside the picture.
pub(crate) fn steepest(
    planes: &Planes,
    over_columns: bool,
    along: f64,
    expected: f64,
    sign: f32,
    reach: f64,
) -> Option<Steepest> {
    let (width, height) = (planes.luma.width as isize, planes.luma.height as isize);
    let (count_along, count_across) = if over_columns {
        (width, height)
    } else {
        (height, width)
    };
    let first = (expected - reach).floor() as isize - 1;
    let last = (expected + reach).ceil() as isize + 1;
    let along = along as isize;
    let half = COLUMNS / 2;
    let length = usize::try_from(last - first + 1)
        .ok()
        .filter(|n| (3..=COLUMN).contains(n))?;
    if first < 0 || last >= count_across || along < half || along + half >= count_along {
        return None;
    }
    let mut values = [0.0_f32; COLUMN];
    for (i, value) in values.iter_mut().take(length).enumerate() {
        let across = (first + i as isize) as usize;
        for column in along - half..=along + half {
            let (x, y) = if over_columns {
                (column as usize, across)
            } else {
                (across, column as usize)
            };
            *value += f32::from(planes.luma.at(x, y));
        }
    }
    let slope = |i: usize| sign * (values[i + 1] - values[i - 1]) / (2 * COLUMNS) as f32;
    let (mut at, mut best) = (0, LEAST_STEEPNESS);
    for i in 1..length - 1 {
        if slope(i) > best {
            (at, best) = (i, slope(i));
        }
    }
    if at < 2 || at + 2 >= length {
        return None;
    }
    let (before, after) = (slope(at - 1), slope(at + 1));
    let bend = 2.0 * best - before - after;
    let shift = if bend > 1e-3 {
        0.5 * (after - before) / bend
    } else {
        0.0
    };
    let sum: f32 = values.iter().take(length).sum();
    Some(Steepest {
        across: first as f64 + at as f64 + f64::from(shift.clamp(-0.5, 0.5)),
        steepness: best,
        level: sum / (length as f32 * COLUMNS as f32),
    })
}

/// Where the curves of two neighbouring sides cross, near a place.
fn meet(a: &(Walk, Curve), b: &(Walk, Curve), near: DVec2) -> Option<DVec2> {
    let mut at = near;
    for _ in 0..3 {
        let tangent = |(walk, curve): &(Walk, Curve)| {
            let (along, _) = walk.split(at);
            let on = walk.join((along, curve.at(along)));
            (on, walk.join((1.0, curve.slope_at(along))))
        };
        let ((p, u), (q, v)) = (tangent(a), tangent(b));
        at = super::line::meet(p, u, q, v)?;
    }
    at.is_finite().then_some(at)
}
