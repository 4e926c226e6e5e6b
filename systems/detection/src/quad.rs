//! Convex quadrilaterals in image space.

use std::ops::Range;

use glam::DVec2;

/// Four corners in image space, pixels, clockwise TL TR BR BL.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quad {
    /// The corners.
    pub corners: [DVec2; 4],
}

impl Quad {
    /// The quadrilateral with these corners.
    pub const fn new(corners: [DVec2; 4]) -> Self {
        Self { corners }
    }

    /// Area, square pixels (shoelace formula).
    pub fn area(&self) -> f64 {
        let [a, b, c, d] = self.corners;
        0.5 * (c - a).perp_dot(d - b).abs()
    }

    /// Mean of the longer pair of opposite sides, pixels.
    pub fn length(&self) -> f64 {
        let [a, b, c, d] = self.corners;
        0.5 * (a.distance(b) + d.distance(c)).max(a.distance(d) + b.distance(c))
    }

    /// Whether the corners are in order and no inner angle is 180° or more.
    pub fn is_clockwise(&self) -> bool {
        let sides = self.sides().map(|(a, b)| b - a);
        (0..4).all(|i| sides[i].perp_dot(sides[(i + 1) % 4]) > 0.0)
    }

    /// Least and greatest coordinates.
    pub fn bounds(&self) -> (DVec2, DVec2) {
        let [a, b, c, d] = self.corners;
        (a.min(b).min(c.min(d)), a.max(b).max(c.max(d)))
    }

    /// Sides from corner to corner: top, right, bottom, left.
    pub fn sides(&self) -> [(DVec2, DVec2); 4] {
        let [a, b, c, d] = self.corners;
        [(a, b), (b, c), (c, d), (d, a)]
    }

    /// Whether `point` is inside or on the border.
    pub fn contains(&self, point: DVec2) -> bool {
        self.sides()
            .iter()
            .all(|(a, b)| (*b - *a).perp_dot(point - *a) >= 0.0)
    }

    /// The quadrilateral whose sides lie `by` pixels farther in; `None` where nothing is left of it.
    pub fn inset(&self, by: f64) -> Option<Self> {
        let sides = self.sides().map(|(a, b)| {
            let side = b - a;
            (a + by * side.perp().normalize_or_zero(), side)
        });
        let corner = |i: usize, j: usize| {
            let ((a, u), (b, v)) = (sides[i], sides[j]);
            let corner = a + u * ((b - a).perp_dot(v) / u.perp_dot(v));
            corner.is_finite().then_some(corner)
        };
        let inner = Self::new([corner(3, 0)?, corner(0, 1)?, corner(1, 2)?, corner(2, 3)?]);
        let is_inside = inner.corners.iter().all(|corner| self.contains(*corner));
        let is_upright = inner
            .sides()
            .iter()
            .zip(self.sides())
            .all(|(i, o)| (i.1 - i.0).dot(o.1 - o.0) > 0.0);
        (is_inside && is_upright).then_some(inner)
    }

    /// Where the way from `from` (inside) in `direction` crosses a side.
    pub fn leave(&self, from: DVec2, direction: DVec2) -> Option<DVec2> {
        let way = |(a, b): (DVec2, DVec2)| {
            let side = b - a;
            let parallel = direction.perp_dot(side);
            // Clockwise sides are crossed outwards where this is positive.
            (parallel > 0.0).then(|| (a - from).perp_dot(side) / parallel)
        };
        let nearest = self
            .sides()
            .into_iter()
            .filter_map(way)
            .fold(f64::INFINITY, f64::min);
        (nearest.is_finite() && nearest >= 0.0).then(|| from + nearest * direction)
    }

    /// Rows of a picture of this height that it can touch.
    pub fn rows(&self, height: usize) -> Range<usize> {
        let (least, most) = self.bounds();
        pixels(least.y, most.y, height)
    }

    /// Columns of row `y` that lie inside, in a picture of this width.
    pub fn span(&self, y: usize, width: usize) -> Option<Range<usize>> {
        let y = y as f64;
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        for (a, b) in self.sides() {
            if (a.y <= y) == (b.y <= y) {
                continue;
            }
            let x = a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x);
            (least, most) = (least.min(x), most.max(x));
        }
        let span = pixels(least, most, width);
        (!span.is_empty()).then_some(span)
    }
}

/// Whole pixels from `least` to `most`, both included, inside 0 to `count`; empty for what is not finite.
fn pixels(least: f64, most: f64, count: usize) -> Range<usize> {
    if !least.is_finite() || !most.is_finite() || most < 0.0 {
        return 0..0;
    }
    let first = least.max(0.0).ceil() as usize;
    let last = (most.floor() as usize).min(count.saturating_sub(1));
    if count == 0 || first > last {
        0..0
    } else {
        first..last + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quad() -> Quad {
        Quad::new([[2.0, 1.0], [8.0, 1.0], [8.0, 5.0], [2.0, 5.0]].map(DVec2::from))
    }

    #[test]
    fn a_row_inside_spans_from_side_to_side() {
        assert_eq!(quad().span(3, 100), Some(2..9));
        assert_eq!(quad().span(3, 6), Some(2..6));
        assert_eq!(quad().span(6, 100), None);
    }

    #[test]
    fn it_contains_its_middle_and_nothing_outside() {
        assert!(quad().contains(DVec2::new(5.0, 3.0)));
        assert!(!quad().contains(DVec2::new(5.0, 5.5)));
        assert_eq!(quad().area(), 24.0);
    }

    #[test]
    fn an_inset_moves_every_side_inwards_until_nothing_is_left() {
        let inner = quad().inset(1.0).unwrap();
        assert_eq!(
            inner.corners,
            [[3.0, 2.0], [7.0, 2.0], [7.0, 4.0], [3.0, 4.0]].map(DVec2::from)
        );
        assert_eq!(quad().inset(2.5), None);
    }

    #[test]
    fn the_way_out_ends_on_the_side_it_crosses() {
        let out = quad().leave(DVec2::new(5.0, 3.0), DVec2::new(1.0, 0.5));
        assert_eq!(out, Some(DVec2::new(8.0, 4.5)));
    }

    #[test]
    fn corners_that_are_no_numbers_span_nothing() {
        let broken = Quad::new([DVec2::NAN; 4]);
        assert_eq!(broken.span(0, 10), None);
        assert!(broken.rows(10).is_empty());
    }
}
