//! The outline of cloth on the coarse grid, also where one side of it is hidden.

use glam::DVec2;

use super::area::{Grid, PIECES};
use super::line::{Line, line_through_most, meet};
use super::perspective::{aspect_of, with_side_completed};
use crate::quad::Quad;

/// Steepest side looked for: a camera turned by 25° against the table, or as much perspective.
const STEEPEST: f64 = 0.47;
/// A piece of cloth is joined to larger ones if it has at least this share of what cloth must have.
const LEAST_PIECE: f64 = 0.1;
/// Log of how far length by width may be from 2 for a third of the score.
const ASPECT_PLAY: f64 = 0.3;
/// Least share of an outline that cloth fills, and of the cloth that is inside.
const LEAST_FILL: f64 = 0.5;
/// Most of an outline's length that may lie on the picture's border: that of a table of which a quarter is out of sight. The
/// outline of a floor lies there all around.
const MOST_AT_BORDER: f64 = 0.4;
/// A hidden side is believed in where the outline without it is so much worse.
const HIDDEN: f64 = 0.85;

/// An outline on the grid and how much of a table it is.
type Scored = (f64, Quad);

/// Finds outlines. Holds buffers.
#[derive(Clone, Debug, Default)]
pub(crate) struct OutlineFinder {
    /// First and last cell of each row (column) for each of the largest areas.
    rows: [Vec<(u16, u16)>; PIECES],
    columns: [Vec<(u16, u16)>; PIECES],
    /// Cells of the areas joined, in each row before each column.
    before: Vec<u16>,
    points: Vec<(f64, f64)>,
    bins: Vec<u32>,
}

impl OutlineFinder {
    /// The outline of the largest areas (`sizes`: cells and label), joined where that makes them more of a table: an arm
    /// or a cable across the table cuts the cloth in pieces. As seen, and with one side where the others put it.
    pub fn find(&mut self, grid: &Grid, sizes: &[(u32, u16)], least_share: f64) -> [Option<Scored>; 2] {
        let least = least_share * grid.labels.len() as f64;
        self.measure_spans(grid, sizes);
        let mut best: [Option<Scored>; 2] = [None; 2];
        for first in 0..sizes.len().min(2) {
            let mut joined = [false; PIECES];
            let mut here: [Option<Scored>; 2] = [None; 2];
            for piece in first..sizes.len() {
                let area = f64::from(sizes[piece].0);
                if area < least * if piece == first { 1.0 } else { LEAST_PIECE } {
                    break;
                }
                joined[piece] = true;
                let found = self.outlines_of(grid, sizes, &joined);
                let is_better =
                    (0..2).any(|i| score_of(&found[i]) > score_of(&here[0]).max(score_of(&here[1])));
                if is_better {
                    here = found;
                } else {
                    joined[piece] = false;
                }
            }
            for (best, here) in best.iter_mut().zip(here) {
                if score_of(&here) > score_of(best) {
                    *best = here;
                }
            }
        }
        best
    }

    /// One pass over the grid for all areas.
    fn measure_spans(&mut self, grid: &Grid, sizes: &[(u32, u16)]) {
        for (spans, count) in [(&mut self.rows, grid.rows), (&mut self.columns, grid.columns)] {
            for span in spans {
                span.clear();
                span.resize(count, (u16::MAX, 0));
            }
        }
        for (y, row) in grid.labels.chunks_exact(grid.columns.max(1)).enumerate() {
            for (x, label) in row.iter().enumerate() {
                let Some(rank) = sizes.iter().position(|size| size.1 == *label) else {
                    continue;
                };
                let span = &mut self.rows[rank][y];
                *span = (span.0.min(x as u16), span.1.max(x as u16));
                let span = &mut self.columns[rank][x];
                *span = (span.0.min(y as u16), span.1.max(y as u16));
            }
        }
    }

    fn outlines_of(
        &mut self,
        grid: &Grid,
        sizes: &[(u32, u16)],
        joined: &[bool; PIECES],
    ) -> [Option<Scored>; 2] {
        let Some(seen) = self.outline_seen(joined) else {
            return [None; 2];
        };
        self.count_before(grid, sizes, joined);
        let all: u32 = sizes
            .iter()
            .zip(joined)
            .filter(|(_, joined)| **joined)
            .map(|(size, _)| size.0)
            .sum();
        let size = DVec2::new(grid.columns as f64, grid.rows as f64);
        let mut completed: Option<Scored> = None;
        for hidden in 0..4 {
            for is_long in [true, false] {
                let quad = with_side_completed(&seen, hidden, is_long, size);
                let scored = quad.and_then(|quad| self.score(grid, quad, all));
                if let Some((score, quad)) = scored
                    && HIDDEN * score > score_of(&completed)
                {
                    completed = Some((HIDDEN * score, quad));
                }
            }
        }
        [self.score(grid, seen, all), completed]
    }

    fn outline_seen(&mut self, joined: &[bool; PIECES]) -> Option<Quad> {
        let [left, right] = lines_of(&self.rows, joined, &mut self.points, &mut self.bins)?;
        let [top, bottom] = lines_of(&self.columns, joined, &mut self.points, &mut self.bins)?;
        let upright = |line: Line| (DVec2::new(line.offset, 0.0), DVec2::new(line.slope, 1.0));
        let level = |line: Line| (DVec2::new(0.0, line.offset), DVec2::new(1.0, line.slope));
        let corner = |a: Line, b: Line| {
            let ((a, u), (b, v)) = (level(a), upright(b));
            meet(a, u, b, v)
        };
        Some(Quad::new([
            corner(top, left)?,
            corner(top, right)?,
            corner(bottom, right)?,
            corner(bottom, left)?,
        ]))
    }

    fn count_before(&mut self, grid: &Grid, sizes: &[(u32, u16)], joined: &[bool; PIECES]) {
        self.before.clear();
        for row in grid.labels.chunks_exact(grid.columns.max(1)) {
            let mut count = 0;
            self.before.push(0);
            for label in row {
                let is_cloth = sizes
                    .iter()
                    .zip(joined)
                    .any(|(size, joined)| *joined && size.1 == *label);
                count += u16::from(is_cloth);
                self.before.push(count);
            }
        }
    }

    /// How much of a table this outline is: area of cloth inside, weighted by how fully cloth fills it, how little of
    /// the cloth is outside, and how near its proportions are to 2:1.
    fn score(&self, grid: &Grid, outline: Quad, all: u32) -> Option<Scored> {
        let (mut inside, mut cloth) = (0.0, 0.0);
        for y in outline.rows(grid.rows) {
            let Some(span) = outline.span(y, grid.columns) else {
                continue;
            };
            let row = y * (grid.columns + 1);
            inside += span.len() as f64;
            cloth += f64::from(self.before[row + span.end] - self.before[row + span.start]);
        }
        let fill = cloth / outline.area().max(inside).max(1.0);
        let kept = cloth / f64::from(all.max(1));
        let size = DVec2::new(grid.columns as f64, grid.rows as f64);
        let at_border = share_at_border(&outline, size);
        let off = libm::log(0.5 * aspect_of(&outline)) / ASPECT_PLAY;
        if fill < LEAST_FILL || kept < LEAST_FILL || at_border > MOST_AT_BORDER || !off.is_finite() {
            return None;
        }
        Some((cloth * fill * fill * kept * kept * libm::exp(-off * off), outline))
    }
}

/// Share of an outline's length that lies within a cell of the border of a picture of this size, or beyond it.
fn share_at_border(outline: &Quad, size: DVec2) -> f64 {
    let (mut at_border, mut all) = (0.0, 0.0);
    for (from, to) in outline.sides() {
        let (least, most) = (from.min(to), from.max(to));
        let is_beyond = most.min_element() < 0.5 || (least - size).max_element() > -1.5;
        let length = from.distance(to);
        all += length;
        at_border += if is_beyond { length } else { 0.0 };
    }
    at_border / all
}

fn score_of(scored: &Option<Scored>) -> f64 {
    scored.map_or(0.0, |scored| scored.0)
}

/// Lines through the first and through the last cells of all rows (or columns).
fn lines_of(
    spans: &[Vec<(u16, u16)>; PIECES],
    joined: &[bool; PIECES],
    points: &mut Vec<(f64, f64)>,
    bins: &mut Vec<u32>,
) -> Option<[Line; 2]> {
    let mut lines = [Line::default(); 2];
    for (side, line) in lines.iter_mut().enumerate() {
        points.clear();
        for i in 0..spans[0].len() {
            let of_joined = || {
                spans
                    .iter()
                    .zip(joined)
                    .filter(|(_, joined)| **joined)
                    .map(|(spans, _)| spans[i])
            };
            let first = of_joined().map(|span| span.0).min().unwrap_or(u16::MAX);
            let last = of_joined().map(|span| span.1).max().unwrap_or(0);
            if first <= last {
                let across = if side == 0 {
                    f64::from(first) - 0.5
                } else {
                    f64::from(last) + 0.5
                };
                points.push((i as f64, across));
            }
        }
        *line = line_through_most(points, 1.0, STEEPEST, bins)?.0;
    }
    Some(lines)
}
