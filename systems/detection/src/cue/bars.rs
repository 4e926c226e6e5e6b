//! Places between two edges that face each other across the width of a stick.
//!
//! The edges are those that vote for balls, so no pixel is touched again. From an edge the way along its gradient, and
//! against it, is searched for one that points the opposite way, whatever the bar's direction, colour and contrast. Of
//! two edges that face each other one points down (or right), so only those are searched from; and of those every
//! second, on a chessboard: a stick has dozens.

use glam::Vec2;

use crate::balls::edges::Edge;

/// Farthest from antiparallel that the gradients of a bar's two sides may be: cosine of 30 degrees.
const ANTIPARALLEL: f32 = -0.87;
/// Distance of the places looked at along a gradient, pixels: no row of pixels is stepped over.
const STEP: f32 = 1.0;

/// Fixed-point numbers of pixels; work pictures are less than 2^15 wide.
const ONE_BITS: u32 = 16;
const ONE: i32 = 1 << ONE_BITS;

/// A place in the middle of something bar-like, in the work picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bar {
    pub middle: Vec2,
    /// Across the bar, unit length; either way.
    pub normal: Vec2,
    /// Pixels.
    pub width: f32,
}

/// Finds bars among edges. Holds buffers.
#[derive(Clone, Debug, Default)]
pub(crate) struct BarFinder {
    /// Index of the edge at each pixel plus one; 0 where there is none.
    edge_at: Vec<u16>,
    size: [usize; 2],
    /// Where `edge_at` is not 0.
    marked: Vec<u32>,
    wanted: Vec<Edge>,
    normals: Vec<Vec2>,
    /// What was found last.
    pub bars: Vec<Bar>,
}

impl BarFinder {
    /// Replaces [`BarFinder::bars`] by those between `edges` in a picture of this size, of a width (pixels) in
    /// `widths`, of edges where `is_wanted`.
    pub fn find(
        &mut self,
        edges: &[Edge],
        size: [usize; 2],
        widths: [f32; 2],
        is_wanted: impl Fn(&Edge) -> bool,
    ) {
        self.wanted.clear();
        let wanted = edges.iter().filter(|edge| is_wanted(edge));
        self.wanted.extend(wanted.take(usize::from(u16::MAX)));
        let edges = std::mem::take(&mut self.wanted);
        self.mark(&edges, size);
        self.bars.clear();
        let [width, height] = self.size;
        let steps = ((widths[1] - widths[0]) / STEP) as usize + 1;
        let is_first = |(edge, _): &(&Edge, _)| (edge.gy, edge.gx) > (0, 0) && (edge.x + edge.y) % 2 == 0;
        for (edge, normal) in edges.iter().zip(&self.normals).filter(is_first) {
            let from = Vec2::new(f32::from(edge.x), f32::from(edge.y));
            for side in [1.0, -1.0] {
                // In fixed point: conversions, with their checks, would cost more than all else.
                let fixed = |v: f32| (v * ONE as f32) as i32;
                let start = from + 0.5 + side * widths[0] * *normal;
                let mut place = [fixed(start.x), fixed(start.y)];
                let step = [fixed(side * STEP * normal.x), fixed(side * STEP * normal.y)];
                for _ in 0..steps {
                    // Negative numbers become too large.
                    let [x, y] = place.map(|v| (v >> ONE_BITS) as usize);
                    place = [place[0].wrapping_add(step[0]), place[1].wrapping_add(step[1])];
                    if x >= width || y >= height {
                        break;
                    }
                    let found = self.edge_at[y * width + x] as usize;
                    if found == 0 {
                        continue;
                    }
                    let (other, other_normal) = (&edges[found - 1], self.normals[found - 1]);
                    if normal.dot(other_normal) > ANTIPARALLEL {
                        continue;
                    }
                    let to = Vec2::new(f32::from(other.x), f32::from(other.y));
                    let across = (*normal - other_normal).normalize_or_zero();
                    let bar_width = (to - from).dot(across).abs();
                    if (widths[0]..=widths[1]).contains(&bar_width) {
                        self.bars.push(Bar {
                            middle: 0.5 * (from + to),
                            normal: across,
                            width: bar_width,
                        });
                        break;
                    }
                }
            }
        }
        self.wanted = edges;
    }

    /// Notes where edges are. Crests are one pixel wide, so a pixel beside each is marked too: no way slips through
    /// diagonally.
    fn mark(&mut self, edges: &[Edge], size: [usize; 2]) {
        if self.size != size {
            self.size = size;
            self.edge_at.clear();
            self.edge_at.resize(size[0] * size[1], 0);
        } else {
            for at in &self.marked {
                self.edge_at[*at as usize] = 0;
            }
        }
        self.marked.clear();
        self.normals.clear();
        for (index, edge) in (1_u16..=u16::MAX).zip(edges) {
            let gradient = Vec2::new(f32::from(edge.gx), f32::from(edge.gy));
            self.normals.push(gradient.normalize_or_zero());
            let at = edge.y as usize * size[0] + edge.x as usize;
            for at in [at, at + 1] {
                if let Some(mark) = self.edge_at.get_mut(at)
                    && *mark == 0
                {
                    *mark = index;
                    self.marked.push(at as u32);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_found_once_along_its_length_and_a_lone_edge_is_none() {
        let side = |y, gy| (10..60).map(move |x| Edge { x, y, gx: 0, gy });
        let edges: Vec<Edge> = side(20, 300).chain(side(26, -200)).chain(side(60, 100)).collect();
        let mut finder = BarFinder::default();
        for _ in 0..2 {
            finder.find(&edges, [80, 80], [2.0, 9.0], |_| true);
            assert_eq!(finder.bars.len(), 25);
            assert!(
                finder
                    .bars
                    .iter()
                    .all(|bar| bar.middle.y == 23.0 && bar.width == 6.0)
            );
        }
    }

    #[test]
    fn edges_that_point_the_same_way_are_no_bar() {
        let side = |y| (10..60).map(move |x| Edge { x, y, gx: 0, gy: 300 });
        let edges: Vec<Edge> = side(20).chain(side(26)).collect();
        let mut finder = BarFinder::default();
        finder.find(&edges, [80, 80], [2.0, 9.0], |_| true);
        assert_eq!(finder.bars, []);
    }
}
