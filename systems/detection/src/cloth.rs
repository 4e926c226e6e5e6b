//! What the cloth looks like, learned from the frame itself.
//!
//! Lamps light a table unevenly, and cameras see its rim darker and in another tint than its middle. So cloth is not
//! one colour but a *field*: the median colour of cloth-coloured pixels in each cell of a coarse grid, interpolated
//! between. How much pixels stray from that field (noise, weave, wear) is the unit in which differences are told.

use ghostball_world::{ColorRange, Planes};
use glam::DVec2;
use serde::{Deserialize, Serialize};

use crate::quad::Quad;
pub(crate) use crate::sample::color_of;

/// Cells along the longer side of the table: each a few balls wide, so that no ball fills one.
const CELLS_ALONG: usize = 24;
/// Pixels looked at per frame: enough for a median in every cell, few enough to cost about one millisecond.
const SAMPLES: f64 = 30_000.0;
/// Chroma histogram: bins of 4 values, finer than any cloth's spread.
const CHROMA_BINS: usize = 64;
/// Farthest a pixel's chroma can be from the cloth's most frequent one and be cloth: covers the light's falloff.
const CHROMA_REACH: f32 = 28.0;
/// A cell shows cloth when at least this share of it does; else its neighbours tell.
const LEAST_SHARE: f32 = 0.3;
/// Standard deviations of a normal distribution per median absolute deviation.
const SIGMA_PER_MAD: f32 = 1.4826;
/// Rounding to whole numbers alone gives this standard deviation (1/√12); no spread is below it.
const ROUNDING_SIGMA: f32 = 0.2887;
/// Standard deviations beyond which a pixel is no cloth, by its chroma or its light.
const FAR: f32 = 5.0;
/// Shadows keep more than this share of the light: lamps over a table are wide or several.
const LEAST_LIGHT: f32 = 0.5;
/// Cloth is never brighter than its surroundings by more than this: glints and projected light are.
const MOST_LIGHT: f32 = 1.35;
/// How much of a change is followed each time a cell is refreshed: half of it within three rounds over the table, a second
/// or so; lamps warm up slower, and the noise of a mean is halved.
const REFRESH_RATE: f32 = 0.25;
/// No pixel counts for a larger change than this, in standard deviations of cloth pixels (Huber 1964), so that the shadows
/// of balls hardly do; the light is followed by several values a second.
const REFRESH_REACH: f32 = 5.0;
/// Compression smooths chroma to almost nothing on plain cloth and errs by about this much elsewhere.
const COMPRESSION_SIGMA: f32 = 1.5;

/// Colour of the cloth all over the table. Colours are Y, U, V as in the picture (0 to 255).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ClothModel {
    /// Median colour over the whole table.
    pub color: [f32; 3],
    /// Standard deviation (robust) of Y, U and V of cloth pixels round the local colour.
    pub spread: [f32; 3],
    /// The Y that means black: shadows pull the cloth's colour towards (black, 128, 128).
    pub black: f32,
    /// The Y that means white.
    pub white: f32,
    /// Share of the table that looked like cloth, 0 to 1.
    pub share: f32,
    cells: Vec<Cell>,
    columns: usize,
    rows: usize,
    cell_px: f32,
    origin: [f32; 2],
    /// The row of cells that is refreshed next.
    next_row: usize,
    #[serde(skip)]
    scratch: Scratch,
}

/// [`ClothModel::is_covered`] at one place, with what is the same for all of its pixels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClothHere {
    black: f32,
    by_scale: f32,
    light: [f32; 2],
    tint: [f32; 2],
    weight: [f32; 2],
}

impl ClothHere {
    /// Whether a colour is neither cloth nor cloth in a shadow.
    #[inline]
    pub fn is_covered(&self, color: [f32; 3]) -> bool {
        let light = (color[0] - self.black) * self.by_scale;
        let u = (color[1] - 128.0 - light * self.tint[0]) * self.weight[0];
        let v = (color[2] - 128.0 - light * self.tint[1]) * self.weight[1];
        (light < self.light[0]) | (light > self.light[1]) | (u * u + v * v > FAR * FAR)
    }
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Cell {
    color: [f32; 3],
    known: bool,
}

#[derive(Clone, Debug, Default)]
struct Scratch {
    samples: Vec<Sample>,
    chroma: Vec<u32>,
    histograms: Vec<[[u16; 256]; 3]>,
    unknown: Vec<(usize, [f32; 3])>,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    x: f32,
    y: f32,
    color: [u8; 3],
    is_cloth: bool,
}

impl ClothModel {
    /// A model that knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same without buffers.
    pub(crate) fn without_buffers(&self) -> Self {
        Self {
            cells: self.cells.clone(),
            scratch: Scratch::default(),
            ..*self
        }
    }

    /// Whether there is a cell for every place of its grid.
    pub(crate) fn is_whole(&self) -> bool {
        self.cells.is_empty() || self.columns.checked_mul(self.rows) == Some(self.cells.len())
    }

    /// Looks at the table whose cushion noses meet in `corners_in_image` (TL TR BR BL) and learns its cloth anew.
    /// A quarter of it may be hidden. Buffers are used again.
    pub fn learn(&mut self, planes: &Planes, corners_in_image: &[DVec2; 4]) {
        [self.black, self.white] = match planes.color.range {
            ColorRange::Full => [0.0, 255.0],
            ColorRange::Limited => [16.0, 235.0],
        };
        let quad = Quad::new(*corners_in_image);
        self.take_samples(planes, &quad);
        self.mark_cloth();
        self.lay_grid(&quad);
        self.fill_cells();
        self.fill_unknown_cells();
        self.measure_spread();
    }

    /// Follows slow changes of the light, one row of cells per call, so that the whole table is gone over a few times a
    /// second at a cost that a frame does not feel. What is not cloth by the colour that is known is left out, and where
    /// little cloth is seen nothing is learnt: an arm that rests on the table does not become cloth.
    ///
    /// For pictures of the table that was last learnt; other changes than of light are for [`ClothModel::learn`].
    pub fn refresh(&mut self, planes: &Planes, corners_in_image: &[DVec2; 4]) {
        if self.cells.is_empty() {
            return;
        }
        let row = self.next_row % self.rows;
        self.next_row = row + 1;
        let quad = Quad::new(*corners_in_image);
        let (width, height) = (planes.luma.width, planes.luma.height);
        // A mean of a quarter as many pixels as a median is learnt from is as good.
        let step = 2 * sampling_step(&quad);
        let first = (self.origin[1] + row as f32 * self.cell_px).max(0.0) as usize;
        let last = (self.origin[1] + (row + 1) as f32 * self.cell_px).max(0.0) as usize;
        let mut seen = [0_u32; CELLS_ALONG + 1];
        let mut cloth = seen;
        let mut changes = [[0.0_f32; 3]; CELLS_ALONG + 1];
        for y in (first..last.min(height)).step_by(step) {
            let Some(span) = quad.span(y, width) else { continue };
            let (mut column, mut end) = (usize::MAX, 0);
            let (mut known, mut here) = ([0.0; 3], self.here(self.color));
            for x in span.step_by(step) {
                if x >= end {
                    let at = ((x as f32 - self.origin[0]) / self.cell_px).max(0.0) as usize;
                    column = at.min(self.columns - 1);
                    end = (self.origin[0] + (at + 1) as f32 * self.cell_px).max(0.0).ceil() as usize;
                    known = self.cells[row * self.columns + column].color;
                    here = self.here(known);
                }
                seen[column] += 1;
                let color = color_of(planes, x, y).map(f32::from);
                if !here.is_covered(color) {
                    cloth[column] += 1;
                    for (i, change) in changes[column].iter_mut().enumerate() {
                        let most = REFRESH_REACH * self.spread[i];
                        *change += (color[i] - known[i]).clamp(-most, most);
                    }
                }
            }
        }
        for column in 0..self.columns {
            if cloth[column] == 0 || (cloth[column] as f32) < LEAST_SHARE * seen[column] as f32 {
                continue;
            }
            let color = &mut self.cells[row * self.columns + column].color;
            for (known, change) in color.iter_mut().zip(&changes[column]) {
                *known += REFRESH_RATE * change / cloth[column] as f32;
            }
        }
    }

    /// Colour (Y, U, V) that cloth has at this place of the picture when nothing covers or shades it.
    #[inline]
    pub fn color_at(&self, x: f32, y: f32) -> [f32; 3] {
        if self.cells.is_empty() {
            return self.color;
        }
        let along = |at: f32, origin: f32, count: usize| {
            let cell = ((at - origin) / self.cell_px - 0.5).clamp(0.0, (count - 1) as f32);
            let first = (cell as usize).min(count.saturating_sub(2));
            (first, (first + 1).min(count - 1), cell - first as f32)
        };
        let (x0, x1, fx) = along(x, self.origin[0], self.columns);
        let (y0, y1, fy) = along(y, self.origin[1], self.rows);
        let [a, b] = [x0, x1].map(|x| self.cells[y0 * self.columns + x].color);
        let [c, d] = [x0, x1].map(|x| self.cells[y1 * self.columns + x].color);
        let mut color = [0.0; 3];
        for i in 0..3 {
            let top = a[i] + (b[i] - a[i]) * fx;
            let bottom = c[i] + (d[i] - c[i]) * fx;
            color[i] = top + (bottom - top) * fy;
        }
        color
    }

    /// How far `color`, seen at (x, y), is from lit cloth, in standard deviations of cloth pixels (Euclidean over Y,
    /// U, V).
    #[inline]
    pub fn difference(&self, x: f32, y: f32, color: [f32; 3]) -> f32 {
        let cloth = self.color_at(x, y);
        let mut sum = 0.0;
        for i in 0..3 {
            let d = (color[i] - cloth[i]) / self.spread[i];
            sum += d * d;
        }
        sum.sqrt()
    }

    /// What share of the cloth's light arrives if `color` at (x, y) is shaded cloth, and how far the chroma is from
    /// what that shade of cloth would have, in standard deviations. A shadow takes the same share of all light, so Y
    /// above black and the chroma's distance from neutral shrink alike.
    #[inline]
    pub fn shade(&self, x: f32, y: f32, color: [f32; 3]) -> (f32, f32) {
        let cloth = self.color_at(x, y);
        let light = (color[0] - self.black).max(0.0) / (cloth[0] - self.black).max(1.0);
        let off = |i: usize| (color[i] - 128.0 - light * (cloth[i] - 128.0)) / self.spread[i];
        let (u, v) = (off(1), off(2));
        (light, (u * u + v * v).sqrt())
    }

    /// Whether `color` at (x, y) is neither cloth nor cloth in a shadow: too dark, too bright or of another tint.
    #[inline]
    pub fn is_covered(&self, x: f32, y: f32, color: [f32; 3]) -> bool {
        self.is_covered_where(self.color_at(x, y), color)
    }

    /// [`ClothModel::is_covered`] where the colour of the cloth is known: it hardly changes within a ball's radius.
    #[inline]
    pub fn is_covered_where(&self, cloth: [f32; 3], color: [f32; 3]) -> bool {
        self.here(cloth).is_covered(color)
    }

    /// What tells covered from bare where the cloth has this colour, for many pixels of one place.
    #[inline]
    pub(crate) fn here(&self, cloth: [f32; 3]) -> ClothHere {
        let scale = (cloth[0] - self.black).max(1.0);
        let noise = FAR * self.spread[0] / scale;
        ClothHere {
            black: self.black,
            by_scale: 1.0 / scale,
            light: [LEAST_LIGHT - noise, MOST_LIGHT + noise],
            tint: [cloth[1] - 128.0, cloth[2] - 128.0],
            weight: [1, 2].map(|i: usize| 1.0 / self.spread[i].max(COMPRESSION_SIGMA)),
        }
    }

    fn take_samples(&mut self, planes: &Planes, quad: &Quad) {
        let samples = &mut self.scratch.samples;
        samples.clear();
        let step = sampling_step(quad);
        let (width, height) = (planes.luma.width, planes.luma.height);
        for y in quad.rows(height).step_by(step) {
            let Some(span) = quad.span(y, width) else { continue };
            for x in span.step_by(step) {
                samples.push(Sample {
                    x: x as f32,
                    y: y as f32,
                    color: color_of(planes, x, y),
                    is_cloth: false,
                });
            }
        }
    }

    /// The most frequent chroma is the cloth's; its neighbourhood, as wide as it proves to spread, belongs to it.
    fn mark_cloth(&mut self) {
        let Scratch { samples, chroma, .. } = &mut self.scratch;
        chroma.clear();
        chroma.resize(CHROMA_BINS * CHROMA_BINS, 0);
        let bin = |s: &Sample| (usize::from(s.color[2]) / 4) * CHROMA_BINS + usize::from(s.color[1]) / 4;
        for sample in samples.iter() {
            chroma[bin(sample)] += 1;
        }
        let [u, v] = peak_of(chroma);
        let distance = |s: &Sample| {
            let (du, dv) = (f32::from(s.color[1]) - u, f32::from(s.color[2]) - v);
            (du * du + dv * dv).sqrt()
        };
        let mut distances = [0_u32; 256];
        let mut near = 0;
        for d in samples.iter().map(distance).filter(|d| *d < CHROMA_REACH) {
            distances[d as usize] += 1;
            near += 1;
        }
        // The median distance in a plane is 1.18 standard deviations (Rayleigh); three of those hold 99 %.
        let radius = (median_of(&distances, near) / 1.18 * 3.0).clamp(6.0, CHROMA_REACH);
        let mut count = 0;
        for sample in samples.iter_mut() {
            sample.is_cloth = distance(sample) <= radius;
            count += u32::from(sample.is_cloth);
        }
        self.share = count as f32 / (samples.len().max(1)) as f32;
    }

    fn lay_grid(&mut self, quad: &Quad) {
        let (least, most) = quad.bounds();
        let size = (most - least).max(DVec2::ONE);
        self.cell_px = (size.max_element() / CELLS_ALONG as f64).max(1.0) as f32;
        self.columns = ((size.x as f32 / self.cell_px).ceil() as usize).clamp(1, CELLS_ALONG + 1);
        self.rows = ((size.y as f32 / self.cell_px).ceil() as usize).clamp(1, CELLS_ALONG + 1);
        self.origin = [least.x as f32, least.y as f32];
    }

    fn cell_of(&self, sample: &Sample) -> usize {
        let column = ((sample.x - self.origin[0]) / self.cell_px).max(0.0) as usize;
        let row = ((sample.y - self.origin[1]) / self.cell_px).max(0.0) as usize;
        row.min(self.rows - 1) * self.columns + column.min(self.columns - 1)
    }

    fn fill_cells(&mut self) {
        let count = self.columns * self.rows;
        let mut scratch = std::mem::take(&mut self.scratch);
        let histograms = &mut scratch.histograms;
        // One more than cells: the last gathers all of them.
        histograms.resize(count + 1, [[0; 256]; 3]);
        histograms.fill([[0; 256]; 3]);
        let mut seen = [0_u32; (CELLS_ALONG + 1) * (CELLS_ALONG + 1)];
        let mut cloth = seen;
        for sample in &scratch.samples {
            let cell = self.cell_of(sample);
            seen[cell] += 1;
            if sample.is_cloth {
                cloth[cell] += 1;
                for (i, value) in sample.color.iter().enumerate() {
                    for histogram in [cell, count] {
                        let same = &mut histograms[histogram][i][usize::from(*value)];
                        *same = same.saturating_add(1);
                    }
                }
            }
        }
        let medians = |h: &[[u16; 256]; 3], n: u32| [0, 1, 2].map(|i| median_of(&h[i].map(u32::from), n));
        self.cells.clear();
        for cell in 0..count {
            let known = cloth[cell] > 0 && cloth[cell] as f32 >= LEAST_SHARE * seen[cell] as f32;
            let color = if known {
                medians(&histograms[cell], cloth[cell])
            } else {
                [0.0; 3]
            };
            self.cells.push(Cell { color, known });
        }
        self.color = medians(&histograms[count], cloth.iter().sum());
        self.scratch = scratch;
    }

    /// Lets known cells grow into the unknown ones, ring by ring.
    fn fill_unknown_cells(&mut self) {
        let (columns, rows) = (self.columns as isize, self.rows as isize);
        if !self.cells.iter().any(|cell| cell.known) {
            self.cells.fill(Cell {
                color: self.color,
                known: true,
            });
        }
        let mut filled = std::mem::take(&mut self.scratch.unknown);
        while self.cells.iter().any(|cell| !cell.known) {
            filled.clear();
            for at in 0..self.cells.len() {
                if self.cells[at].known {
                    continue;
                }
                let (x, y) = (at as isize % columns, at as isize / columns);
                let (mut sum, mut n) = ([0.0; 3], 0.0);
                for (nx, ny) in [(x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)] {
                    if nx < 0 || ny < 0 || nx >= columns || ny >= rows {
                        continue;
                    }
                    let cell = self.cells[(ny * columns + nx) as usize];
                    if cell.known {
                        n += 1.0;
                        sum = [0, 1, 2].map(|i| sum[i] + cell.color[i]);
                    }
                }
                if n > 0.0 {
                    filled.push((at, sum.map(|s| s / n)));
                }
            }
            for (at, color) in &filled {
                self.cells[*at] = Cell {
                    color: *color,
                    known: true,
                };
            }
        }
        self.scratch.unknown = filled;
    }

    fn measure_spread(&mut self) {
        // Deviations in quarters of a value: the median of a quiet camera is below 1.
        let mut deviations = [[0_u32; 256]; 3];
        let mut n = 0;
        let cloth = self.scratch.samples.iter().filter(|s| s.is_cloth);
        // One median needs fewer than hundreds do.
        for sample in cloth.step_by(4) {
            let cloth = self.color_at(sample.x, sample.y);
            for i in 0..3 {
                let deviation = (f32::from(sample.color[i]) - cloth[i]).abs();
                deviations[i][((4.0 * deviation) as usize).min(255)] += 1;
            }
            n += 1;
        }
        self.spread = deviations.map(|d| (median_of(&d, n) / 4.0 * SIGMA_PER_MAD).max(ROUNDING_SIGMA));
    }
}

/// Pixels from one sample to the next, both ways.
fn sampling_step(quad: &Quad) -> usize {
    ((quad.area() / SAMPLES).sqrt() as usize).clamp(1, 64)
}

/// Centre of mass of the 3x3 bins that hold most, as U and V.
fn peak_of(histogram: &[u32]) -> [f32; 2] {
    let around = |row: usize, column: usize| {
        (row - 1..=row + 1).flat_map(move |r| (column - 1..=column + 1).map(move |c| (r, c)))
    };
    let (mut best, mut peak) = (0, (1, 1));
    for row in 1..CHROMA_BINS - 1 {
        for column in 1..CHROMA_BINS - 1 {
            let mass = around(row, column)
                .map(|(r, c)| histogram[r * CHROMA_BINS + c])
                .sum();
            if mass > best {
                (best, peak) = (mass, (row, column));
            }
        }
    }
    let (mut u, mut v) = (0.0, 0.0);
    for (r, c) in around(peak.0, peak.1) {
        let mass = histogram[r * CHROMA_BINS + c] as f32 / best.max(1) as f32;
        u += mass * (4.0 * c as f32 + 1.5);
        v += mass * (4.0 * r as f32 + 1.5);
    }
    [u, v]
}

/// Median of `n` values counted in a histogram, interpolated inside its bin; 0 of none.
fn median_of(histogram: &[u32; 256], n: u32) -> f32 {
    let half = 0.5 * n as f32;
    let mut below = 0.0;
    for (value, count) in histogram.iter().enumerate() {
        let count = *count as f32;
        if count > 0.0 && below + count >= half {
            return value as f32 - 0.5 + (half - below) / count;
        }
        below += count;
    }
    0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Drawn, draw};

    #[test]
    fn a_slow_change_of_light_is_followed_and_a_thing_that_lies_there_is_not() {
        let corners = Drawn::default().corners_in_image;
        let mut cloth = ClothModel::new();
        let picture = draw(&Drawn::default());
        cloth.learn(&picture.planes().unwrap(), &corners);
        let before = cloth.color_at(400.0, 220.0);
        let dimmer = Drawn {
            cloth: [95.0, 114.0, 97.0],
            clutter: Some([[-0.05, -0.05], [0.2, 0.2]].map(DVec2::from)),
            ..Drawn::default()
        };
        let picture = draw(&dimmer);
        for _ in 0..400 {
            cloth.refresh(&picture.planes().unwrap(), &corners);
        }
        let learnt = {
            let mut cloth = ClothModel::new();
            let picture = draw(&Drawn {
                clutter: None,
                ..dimmer
            });
            cloth.learn(&picture.planes().unwrap(), &corners);
            cloth
        };
        for (x, y) in [(200.0, 150.0), (300.0, 300.0), (600.0, 120.0), (650.0, 330.0)] {
            let (followed, wanted) = (cloth.color_at(x, y), learnt.color_at(x, y));
            for i in 0..3 {
                assert!(
                    (followed[i] - wanted[i]).abs() < 2.5,
                    "{followed:?} {wanted:?} at {x}, {y}"
                );
            }
        }
        let under = cloth.color_at(420.0, 240.0);
        assert!((under[0] - before[0]).abs() < 25.0, "{under:?} {before:?}");
    }
}
