//! Where in the work picture a ball's rim can be, and which edges there are of a nose instead. Made once per table.

use std::ops::Range;

use glam::DVec2;

use super::place::BallPlace;
use super::work::{LANES, WorkPicture};

/// A ball at a nose reaches beyond the line that was found for it by what that line is wrong and the ball's outline is
/// wider than expected; in radii.
const BEYOND_NOSE: f64 = 0.5;
/// In a pocket's jaws its centre can be on that line.
const BEYOND_NOSE_IN_JAWS: f64 = 1.2;
/// How far from a pocket's centre a ball in its jaws reaches: pocket radii, and ball radii beyond.
const JAWS: (f64, f64) = (1.5, 1.2);

/// Edges this near to a nose, radii inside it, and within 10 degrees (the sine) of its direction are of the nose or of the
/// shadow under it: a nose 36 mm above the cloth throws one as wide as that under a lamp at 45 degrees. The far side of
/// a ball at rest there is two radii away and stays.
const NOSE_SHADOW: f64 = 1.6;
const NOSE_DIRECTION: f32 = 0.174;

/// Of each pixel of the work picture: where it lies.
#[derive(Clone, Debug, Default)]
pub(super) struct RimMask {
    /// Row by row: odd where a ball's rim can be, and there twice the number of the nose near by, 1 to 4, more.
    values: Vec<u8>,
    /// Columns in each row that hold all such pixels; none in the outermost pixels, and a multiple of [`LANES`] of them.
    pub columns: Vec<Range<usize>>,
    width: usize,
    /// Unit vectors along the noses.
    noses: [[f32; 2]; 4],
}

impl RimMask {
    /// For work pictures like this one, with balls at this place.
    pub fn new(place: &BallPlace, work: &WorkPicture) -> Self {
        let (w, h) = (work.width, work.height);
        let along = |(a, b): (DVec2, DVec2)| (b - a).normalize_or_zero().as_vec2().to_array();
        let mut mask = Self {
            values: vec![0; w * h],
            columns: vec![0..0; h],
            width: w,
            noses: place.quad().sides().map(along),
        };
        for y in 1..h.saturating_sub(1) {
            for span in spans_of_row(place, work, y) {
                let span = span.start.max(1)..span.end.min(w.saturating_sub(1));
                if !span.is_empty() {
                    mask.open(y, span);
                }
            }
            mask.mark_noses(place, work, y);
        }
        mask
    }

    fn open(&mut self, y: usize, span: Range<usize>) {
        self.values[y * self.width..][span.clone()].fill(1);
        let columns = &mut self.columns[y];
        let (mut start, mut end) = (span.start, span.end);
        if columns.start < columns.end {
            (start, end) = (start.min(columns.start), end.max(columns.end));
        }
        start = (start - 1) / LANES * LANES + 1;
        end = (end - 1).next_multiple_of(LANES) + 1;
        *columns = start..end;
    }

    fn mark_noses(&mut self, place: &BallPlace, work: &WorkPicture, y: usize) {
        let radius = place.radius_at_middle();
        let row = &mut self.values[y * self.width..(y + 1) * self.width];
        let [x0, y_in_image] = work.in_image(0.0, y as f64);
        for (number, (a, b)) in (1..).zip(place.quad().sides()) {
            let normal = (b - a).perp().normalize_or_zero();
            // How far inside a column is beyond what is near: first + column * step.
            let first = normal.dot(DVec2::new(x0, y_in_image) - a) - NOSE_SHADOW * radius;
            let step = normal.x * work.scale as f64;
            let column = |at: f64| at.clamp(0.0, self.width as f64) as usize;
            let near = if step > 0.0 {
                0..column((-first / step).ceil())
            } else if step < 0.0 {
                column((-first / step).floor() + 1.0)..self.width
            } else {
                0..if first < 0.0 { self.width } else { 0 }
            };
            for value in row[near].iter_mut().filter(|value| **value != 0) {
                *value = 1 + 2 * number;
            }
        }
        // In a pocket's jaws the noses bend away.
        for (center, pocket_radius) in place.pockets() {
            let (reach, height) = (pocket_radius + JAWS.1 * radius, y_in_image - center.y);
            let half = (reach * reach - height * height).max(0.0).sqrt();
            let column = |x: f64| ((x - x0) / work.scale as f64).clamp(0.0, self.width as f64) as usize;
            for value in &mut row[column(center.x - half)..column(center.x + half)] {
                *value = 1.min(*value);
            }
        }
    }

    /// The values of a row: odd where edges are asked for.
    pub fn of_row(&self, y: usize) -> &[u8] {
        &self.values[y * self.width..(y + 1) * self.width]
    }

    /// Whether an edge with this gradient, at a pixel with this value, is of a nose.
    #[inline(always)]
    pub fn is_of_nose(&self, value: u8, gradient: [i16; 2]) -> bool {
        let Some([x, y]) = self.noses.get(usize::from(value / 2).wrapping_sub(1)) else {
            return false;
        };
        let [gx, gy] = gradient.map(f32::from);
        let turned = gx * x + gy * y;
        turned * turned < NOSE_DIRECTION * NOSE_DIRECTION * (gx * gx + gy * gy)
    }
}

/// Columns of a row of the work picture where a ball's rim can be, in any order.
fn spans_of_row(place: &BallPlace, work: &WorkPicture, y: usize) -> Vec<Range<usize>> {
    let radius = place.quad().corners.map(|corner| place.radius_at(corner));
    let radius = radius.into_iter().fold(0.0, f64::max);
    let [x0, y_in_image] = work.in_image(0.0, y as f64);
    let inside = |margin: f64| {
        let (mut least, mut most) = (f64::NEG_INFINITY, f64::INFINITY);
        for (a, b) in place.quad().sides() {
            let normal = (b - a).perp().normalize_or_zero();
            // normal.x * x >= bound
            let bound = normal.dot(a) - normal.y * y_in_image - margin;
            if normal.x > 0.0 {
                least = least.max(bound / normal.x);
            } else if normal.x < 0.0 {
                most = most.min(bound / normal.x);
            } else if bound > 0.0 {
                most = f64::NEG_INFINITY;
            }
        }
        (least, most)
    };
    let to_columns = |(least, most): (f64, f64)| {
        let column = |x: f64| ((x - x0) / work.scale as f64).clamp(0.0, work.width as f64) as usize;
        column(least)..column(most) + 1
    };
    let (least, most) = inside(BEYOND_NOSE_IN_JAWS * radius);
    let jaws = place.pockets().iter().filter_map(|(center, pocket_radius)| {
        let reach = JAWS.0 * pocket_radius + JAWS.1 * radius;
        let height = y_in_image - center.y;
        let half = (reach * reach - height * height).max(0.0).sqrt();
        let (least, most) = (least.max(center.x - half), most.min(center.x + half));
        (half > 0.0 && least < most).then_some((least, most))
    });
    let bed = Some(inside(BEYOND_NOSE * radius)).filter(|(least, most)| least < most);
    bed.into_iter().chain(jaws).map(to_columns).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ghostball_world::{CircleInImage, TableSighting};

    #[test]
    fn edges_along_a_nose_are_left_out_beside_it_only_and_not_in_the_jaws() {
        let corners = [[100.0, 100.0], [700.0, 110.0], [700.0, 410.0], [100.0, 400.0]].map(DVec2::from);
        let table = TableSighting {
            corners_in_image: corners,
            pockets_in_image: corners
                .map(|center| CircleInImage { center, radius: 20.0 })
                .iter()
                .copied()
                .chain([CircleInImage::default(); 2])
                .collect::<Vec<_>>()
                .try_into()
                .unwrap(),
            ball_radius_px: 10.0,
            lens: None,
            confidence: 1.0,
        };
        let place = BallPlace::new(&table);
        let work = WorkPicture::new(&place, [800, 500]);
        let mask = RimMask::new(&place, &work);
        let is_of_nose = |place: [f64; 2], gradient: [i16; 2]| {
            let [x, y] = [0, 1].map(|axis| place[axis] as usize - work.origin[axis]);
            mask.is_of_nose(mask.of_row(y)[x], gradient)
        };
        // The upper nose runs one degree downwards.
        assert!(is_of_nose([400.0, 112.0], [-2, 100]));
        assert!(is_of_nose([400.0, 112.0], [2, -100]));
        assert!(!is_of_nose([400.0, 112.0], [40, 100]));
        assert!(!is_of_nose([400.0, 130.0], [-2, 100]));
        assert!(!is_of_nose([115.0, 112.0], [-2, 100]));
        assert!(is_of_nose([690.0, 250.0], [100, 0]));
    }
}
