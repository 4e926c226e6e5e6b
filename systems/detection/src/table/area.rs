//! Roughly where the cloth is: the areas of one colour that look most like a table.

use ghostball_world::Planes;
use glam::DVec2;

use super::outline::OutlineFinder;
use super::shade::{Grain, Shade, ShadeFinder};
use crate::TableNotFound;
use crate::quad::Quad;

/// Cells along the longer side of the picture: a ball is about one of them, a rail three.
const CELLS_ALONG: usize = 160;
/// Least share of the picture that the cloth covers.
pub(crate) const LEAST_SHARE: f64 = 0.05;
/// Largest areas of one shade that are looked at: hands, sticks and cables cut the cloth into pieces.
pub(crate) const PIECES: usize = 6;
/// From cell to cell, light on cloth changes by less than this share and so many levels of noise: half as much light at
/// the table's end as in its middle is 1 % per cell.
const LIGHT_STEP: [f32; 2] = [0.08, 3.0];
/// Share of the picture's border that cloth of one table takes at most: with a quarter of the table out of sight, a short
/// side and a bit of both long ones. An area that takes more is cloth and floor in one.
const MOST_BORDER: f64 = 0.33;
/// Outlines that differ by less than this, cells, lead to the same noses.
const SAME_OUTLINE: f64 = 2.5;

/// The cloth as found on the coarse grid.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClothArea {
    /// Its outline in image space, pixels: the rails, or shadows under the cushions where those are dark.
    pub outline: Quad,
    /// Its colour.
    pub shade: Shade,
    /// How much of a table it is, by itself.
    pub score: f64,
}

/// Finds the cloth. Holds buffers.
#[derive(Clone, Debug, Default)]
pub(crate) struct AreaFinder {
    grid: Grid,
    colors: Vec<[f32; 3]>,
    shades: ShadeFinder,
    stack: Vec<u32>,
    sizes: Vec<(u32, u16)>,
    outlines: OutlineFinder,
    found: Vec<ClothArea>,
    is_with_floor: bool,
}

/// Which area each cell belongs to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grid {
    pub columns: usize,
    pub rows: usize,
    /// Pixels per cell, both ways.
    pub step: usize,
    pub labels: Vec<u16>,
}

/// Labels of cells that belong to no area: of another colour; of this one at most; surely of this one.
const NOT_CLOTH: u16 = u16::MAX;
const MAYBE: u16 = u16::MAX - 1;
const SEED: u16 = u16::MAX - 2;

impl AreaFinder {
    /// Areas that could be a table's cloth, the likeliest first; never empty.
    pub fn find(&mut self, planes: &Planes, grain: Grain) -> Result<&[ClothArea], TableNotFound> {
        self.found.clear();
        self.is_with_floor = false;
        self.shrink(planes, grain);
        let mut largest = 0;
        let shades = self.shades.frequent(planes, &self.colors, LEAST_SHARE, grain);
        for shade in shades.into_iter().flatten() {
            for (shade, by_light) in [(shade, false), (shade.in_near_light(), true)] {
                self.label_areas(&shade, by_light, grain);
                let (size, label) = self.sizes.first().copied().unwrap_or((0, NOT_CLOTH));
                largest = largest.max(size);
                self.is_with_floor |= self.grid.share_of_border(label) > MOST_BORDER;
                let outlines = self.outlines.find(&self.grid, &self.sizes, LEAST_SHARE);
                for (score, outline) in outlines.into_iter().flatten() {
                    self.found.push(ClothArea {
                        outline: self.grid.to_image(outline),
                        shade,
                        score,
                    });
                }
            }
        }
        self.found.sort_by(|a, b| b.score.total_cmp(&a.score));
        self.drop_similar();
        if self.found.is_empty() {
            return Err(TableNotFound::NoCloth {
                expected: 100.0 * LEAST_SHARE,
                found: 100.0 * f64::from(largest) / self.colors.len().max(1) as f64,
            });
        }
        Ok(&self.found)
    }

    /// Whether one of the areas of the last picture goes on to so much of its border that there is more than cloth in it:
    /// a finer grain may tell cloth and floor apart.
    pub fn is_with_floor(&self) -> bool {
        self.is_with_floor
    }

    /// Keeps the best of outlines that are about the same.
    fn drop_similar(&mut self) {
        let limit = SAME_OUTLINE * self.grid.step as f64;
        let mut kept = 0;
        for i in 0..self.found.len() {
            let area = self.found[i];
            let is_new = self.found[..kept].iter().all(|better| {
                let pairs = better.outline.corners.iter().zip(&area.outline.corners);
                pairs.into_iter().any(|(a, b)| a.distance(*b) > limit)
            });
            if is_new {
                self.found[kept] = area;
                kept += 1;
            }
        }
        self.found.truncate(kept);
    }

    /// Some pixels of each cell stand for it.
    fn shrink(&mut self, planes: &Planes, grain: Grain) {
        let (width, height) = (planes.luma.width, planes.luma.height);
        let step = width.max(height).div_ceil(CELLS_ALONG).max(1);
        let (columns, rows) = ((width / step).max(1), (height / step).max(1));
        let samples = grain.samples;
        let share = 1.0 / (samples * samples) as f32;
        self.colors.clear();
        for row in 0..rows {
            for column in 0..columns {
                let mut sum = [0.0; 3];
                for sample in 0..samples * samples {
                    let [dx, dy] =
                        [sample % samples, sample / samples].map(|i| (2 * i + 1) * step / (2 * samples));
                    let x = (column * step + dx).min(width - 1);
                    let y = (row * step + dy).min(height - 1);
                    let color = crate::sample::color_of(planes, x, y);
                    sum = [0, 1, 2].map(|i| sum[i] + share * f32::from(color[i]));
                }
                self.colors.push(sum);
            }
        }
        (self.grid.columns, self.grid.rows, self.grid.step) = (columns, rows, step);
    }

    /// Connected areas of this shade, largest first. Tint and, if `by_light`, brightness may drift over an area little
    /// by little, but not change at an edge.
    fn label_areas(&mut self, shade: &Shade, by_light: bool, grain: Grain) {
        let light_noise = grain.noise(LIGHT_STEP[1]);
        let (columns, rows) = (self.grid.columns, self.grid.rows);
        let labels = &mut self.grid.labels;
        labels.clear();
        labels.extend(self.colors.iter().map(|color| match shade.distance(*color) {
            distance if distance <= shade.reach => SEED,
            distance if distance <= shade.farthest => MAYBE,
            _ => NOT_CLOTH,
        }));
        self.sizes.clear();
        let mut next = 0;
        for start in 0..labels.len() {
            if labels[start] != SEED || next == SEED - 1 {
                continue;
            }
            labels[start] = next;
            self.stack.push(start as u32);
            let mut count = 0;
            while let Some(at) = self.stack.pop() {
                let at = at as usize;
                count += 1;
                let (x, y) = (at % columns, at / columns);
                let neighbours = [
                    (x > 0).then(|| at - 1),
                    (x + 1 < columns).then(|| at + 1),
                    (y > 0).then(|| at - columns),
                    (y + 1 < rows).then(|| at + columns),
                ];
                let [luma, u, v] = self.colors[at];
                let light_step = LIGHT_STEP[0] * (luma - shade.black) + light_noise;
                for neighbour in neighbours.into_iter().flatten() {
                    let label = labels[neighbour];
                    if label != SEED && label != MAYBE {
                        continue;
                    }
                    let [luma_there, nu, nv] = self.colors[neighbour];
                    let is_near = (nu - u) * (nu - u) + (nv - v) * (nv - v) <= shade.step * shade.step;
                    let is_as_bright = (luma_there - luma).abs() <= light_step;
                    let joins = if by_light {
                        is_near && is_as_bright
                    } else {
                        label == SEED || is_near
                    };
                    if joins {
                        labels[neighbour] = next;
                        self.stack.push(neighbour as u32);
                    }
                }
            }
            self.sizes.push((count, next));
            next += 1;
        }
        self.sizes
            .sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        self.sizes.truncate(PIECES);
    }
}

impl Grid {
    /// Share of the cells along the picture's border that have this label.
    fn share_of_border(&self, label: u16) -> f64 {
        let count = |labels: &[u16]| labels.iter().filter(|l| **l == label).count();
        let mut rows = self.labels.chunks_exact(self.columns.max(1));
        let (first, last) = (rows.next(), rows.next_back());
        let ends = [first, last].into_iter().flatten().map(count).sum::<usize>();
        let sides = rows
            .map(|row| count(&row[..1]) + count(&row[row.len() - 1..]))
            .sum::<usize>();
        (ends + sides) as f64 / (2 * (self.columns + self.rows)) as f64
    }

    fn to_image(&self, outline: Quad) -> Quad {
        let step = self.step as f64;
        Quad::new(
            outline
                .corners
                .map(|corner| (corner + DVec2::splat(0.5)) * step - DVec2::splat(0.5)),
        )
    }
}
