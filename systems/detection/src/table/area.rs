//! Roughly where the cloth is: the area of one colour that looks most like a table.

use ghostball_world::{ColorRange, Planes};
use glam::DVec2;

use super::line::{Line, line_through_most, meet};
use crate::TableNotFound;
use crate::quad::Quad;

/// Cells along the longer side of the picture: a ball is one or two of them, a rail five.
const CELLS_ALONG: usize = 256;
/// Least share of the picture that the cloth covers.
const LEAST_SHARE: f64 = 0.05;
/// Steepest side looked for: a camera turned by 25° against the table, or as much perspective.
const STEEPEST: f64 = 0.47;
/// Frequent chromas looked at, and frequent brightnesses of each.
const CHROMAS: usize = 4;
const LUMAS: usize = 2;
/// Light on cloth relative to its most frequent brightness: from the darkest corner to under the lamp.
const LEAST_LIGHT: f32 = 0.4;
const MOST_LIGHT: f32 = 1.7;

/// A colour that could be the cloth's.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shade {
    /// Its most frequent Y, U, V.
    pub color: [f32; 3],
    /// Y of black.
    pub black: f32,
    /// How far chroma may be from that of this colour in the same light.
    pub reach: f32,
    /// The same where tint drifts over the table: only as far as it does so little by little.
    pub farthest: f32,
    /// How far the chroma of neighbouring places of cloth may differ.
    pub step: f32,
}

impl Shade {
    /// How far a colour's chroma is from that of this one in the same light; infinite in impossible light. Light
    /// scales Y above black and chroma alike.
    #[inline]
    pub fn distance(&self, [y, u, v]: [f32; 3]) -> f32 {
        let light = (y - self.black) / (self.color[0] - self.black).max(1.0);
        if !(LEAST_LIGHT..=MOST_LIGHT).contains(&light) {
            return f32::INFINITY;
        }
        // Sensors saturate chroma before luma: bright cloth has no more of it.
        let light = light.min(1.2);
        let du = u - 128.0 - light * (self.color[1] - 128.0);
        let dv = v - 128.0 - light * (self.color[2] - 128.0);
        (du * du + dv * dv).sqrt()
    }

    /// Whether a colour is this one, in whatever light.
    #[inline]
    pub fn covers(&self, color: [f32; 3]) -> bool {
        self.distance(color) <= self.reach
    }
}

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
    columns: usize,
    rows: usize,
    step: usize,
    colors: Vec<[f32; 3]>,
    chroma: Vec<u32>,
    labels: Vec<u32>,
    stack: Vec<u32>,
    areas: Vec<(u32, u32)>,
    spans: Vec<(usize, usize)>,
    points: Vec<(f64, f64)>,
    bins: Vec<u32>,
    found: Vec<ClothArea>,
}

const NOT_CLOTH: u32 = u32::MAX;
const UNVISITED: u32 = u32::MAX - 1;
const SEED: u32 = u32::MAX - 2;

impl AreaFinder {
    /// Areas that could be a table's cloth, the likeliest first; never empty.
    pub fn find(&mut self, planes: &Planes) -> Result<&[ClothArea], TableNotFound> {
        self.shrink(planes);
        self.found.clear();
        let mut largest = 0;
        for shade in self.frequent_shades(planes).into_iter().flatten() {
            self.label_areas(&shade);
            largest = largest.max(self.areas.first().map_or(0, |a| a.0));
            if let Some((score, outline)) = self.best_outline() {
                let outline = self.to_image(outline);
                self.found.push(ClothArea {
                    outline,
                    shade,
                    score,
                });
            }
        }
        self.found.sort_by(|a, b| b.score.total_cmp(&a.score));
        if self.found.is_empty() {
            return Err(TableNotFound::NoCloth {
                expected: 100.0 * LEAST_SHARE,
                found: 100.0 * f64::from(largest) / self.colors.len().max(1) as f64,
            });
        }
        Ok(&self.found)
    }

    /// Four pixels of each cell stand for it.
    fn shrink(&mut self, planes: &Planes) {
        let (width, height) = (planes.luma.width, planes.luma.height);
        self.step = width.max(height).div_ceil(CELLS_ALONG).max(1);
        self.columns = (width / self.step).max(1);
        self.rows = (height / self.step).max(1);
        let (near, far) = (self.step / 4, (3 * self.step) / 4);
        self.colors.clear();
        for row in 0..self.rows {
            for column in 0..self.columns {
                let mut sum = [0.0; 3];
                for (dx, dy) in [(near, near), (far, near), (near, far), (far, far)] {
                    let x = (column * self.step + dx).min(width - 1);
                    let y = (row * self.step + dy).min(height - 1);
                    let color = crate::sample::color_of(planes, x, y);
                    sum = [0, 1, 2].map(|i| sum[i] + 0.25 * f32::from(color[i]));
                }
                self.colors.push(sum);
            }
        }
    }

    fn frequent_shades(&mut self, planes: &Planes) -> [Option<Shade>; CHROMAS * LUMAS] {
        const BINS: usize = 64;
        let black = if planes.color.range == ColorRange::Limited {
            16.0
        } else {
            0.0
        };
        let bin = |value: f32| ((value / 4.0) as usize).clamp(1, BINS - 2);
        self.chroma.clear();
        self.chroma.resize(BINS * BINS, 0);
        for [_, u, v] in &self.colors {
            self.chroma[bin(*v) * BINS + bin(*u)] += 1;
        }
        let mut shades = [None; CHROMAS * LUMAS];
        for chroma_rank in 0..CHROMAS {
            let (mut most, mut peak) = (0, (1, 1));
            for row in 1..BINS - 1 {
                for column in 1..BINS - 1 {
                    let mass = (row - 1..=row + 1)
                        .map(|r| {
                            self.chroma[r * BINS + column - 1..=r * BINS + column + 1]
                                .iter()
                                .sum::<u32>()
                        })
                        .sum();
                    if mass > most {
                        (most, peak) = (mass, (row, column));
                    }
                }
            }
            if f64::from(most) < 0.5 * LEAST_SHARE * self.colors.len() as f64 {
                break;
            }
            let center = [peak.1, peak.0].map(|bin| 4.0 * bin as f32 + 2.0);
            let lumas = self.frequent_lumas(center);
            for (luma_rank, luma) in lumas.into_iter().enumerate() {
                shades[chroma_rank * LUMAS + luma_rank] = luma.map(|luma| self.shade_at(center, luma, black));
            }
            for row in peak.0.saturating_sub(2)..=(peak.0 + 2).min(BINS - 1) {
                for column in peak.1.saturating_sub(2)..=(peak.1 + 2).min(BINS - 1) {
                    self.chroma[row * BINS + column] = 0;
                }
            }
        }
        shades
    }

    fn frequent_lumas(&self, [u, v]: [f32; 2]) -> [Option<f32>; LUMAS] {
        let mut counts = [0_u32; 66];
        for color in &self.colors {
            if (color[1] - u).abs() <= 6.0 && (color[2] - v).abs() <= 6.0 {
                counts[(color[0] / 4.0) as usize + 1] += 1;
            }
        }
        let mut lumas = [None; LUMAS];
        for luma in &mut lumas {
            // A window of ±8 levels holds the noise of dark cameras.
            let mass = |bin: usize| {
                counts[bin.saturating_sub(2)..=(bin + 2).min(65)]
                    .iter()
                    .sum::<u32>()
            };
            let Some(peak) = (1..65).max_by_key(|bin| (mass(*bin), *bin)) else {
                break;
            };
            if f64::from(mass(peak)) < 0.02 * self.colors.len() as f64 {
                break;
            }
            *luma = Some(4.0 * peak as f32 - 2.0);
            let (from, to) = ((peak * 2 / 3).min(peak - 1), (peak * 4 / 3).min(65));
            counts[from..=to].fill(0);
        }
        lumas
    }

    /// The colour of the peak, made exact, and how far its chroma spreads.
    fn shade_at(&self, [u, v]: [f32; 2], luma: f32, black: f32) -> Shade {
        let rough = Shade {
            color: [luma, u, v],
            black,
            reach: 16.0,
            farthest: 16.0,
            step: 16.0,
        };
        let (mut sum, mut n) = ([0.0_f32; 3], 0.0);
        for color in self.colors.iter().filter(|color| rough.covers(**color)) {
            if (color[0] - luma).abs() <= 16.0 {
                sum = [0, 1, 2].map(|i| sum[i] + color[i]);
                n += 1.0;
            }
        }
        let color = if n > 0.0 { sum.map(|s| s / n) } else { rough.color };
        let exact = Shade { color, ..rough };
        let mut distances = [0_u32; 64];
        let mut count = 0;
        for color in self.colors.iter().filter(|color| exact.covers(**color)) {
            distances[((4.0 * exact.distance(*color)) as usize).min(63)] += 1;
            count += 1;
        }
        let mut below = 0;
        let median = distances.iter().position(|d| {
            below += d;
            2 * below >= count
        });
        // The median distance in a plane is 1.18 standard deviations; five hold everything but objects, also where the
        // light's tint changes over the table. Half-way to grey is another colour.
        let saturation =
            ((color[1] - 128.0) * (color[1] - 128.0) + (color[2] - 128.0) * (color[2] - 128.0)).sqrt();
        let spread = (median.unwrap_or(0) as f32 + 0.5) / 4.0 / 1.18;
        let reach = (4.0 * spread)
            .clamp(5.0, 5.0 + 0.3 * saturation)
            .max(0.2 * saturation);
        let farthest = (2.5 * reach).min(8.0 + 0.6 * saturation).max(reach);
        Shade {
            reach,
            farthest,
            ..exact
        }
    }

    /// Connected areas of this shade, largest first.
    fn label_areas(&mut self, shade: &Shade) {
        self.labels.clear();
        self.labels
            .extend(self.colors.iter().map(|color| match shade.distance(*color) {
                distance if distance <= shade.reach => SEED,
                distance if distance <= shade.farthest => UNVISITED,
                _ => NOT_CLOTH,
            }));
        self.areas.clear();
        let mut next = 0;
        for start in 0..self.labels.len() {
            if self.labels[start] != SEED {
                continue;
            }
            self.labels[start] = next;
            self.stack.push(start as u32);
            let mut count = 0;
            while let Some(at) = self.stack.pop() {
                let at = at as usize;
                count += 1;
                let (x, y) = (at % self.columns, at / self.columns);
                let neighbours = [
                    (x > 0).then(|| at - 1),
                    (x + 1 < self.columns).then(|| at + 1),
                    (y > 0).then(|| at - self.columns),
                    (y + 1 < self.rows).then(|| at + self.columns),
                ];
                // From cell to cell the tint may change with the light, little by little: not at an edge.
                let [_, u, v] = self.colors[at];
                for neighbour in neighbours.into_iter().flatten() {
                    let [_, nu, nv] = self.colors[neighbour];
                    let grows = self.labels[neighbour] == UNVISITED
                        && (nu - u) * (nu - u) + (nv - v) * (nv - v) <= shade.step * shade.step;
                    if grows || self.labels[neighbour] == SEED {
                        self.labels[neighbour] = next;
                        self.stack.push(neighbour as u32);
                    }
                }
            }
            self.areas.push((count, next));
            next += 1;
        }
        self.areas
            .sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    }

    /// The outline, on the grid, of the largest area, joined by others where that makes it more of a table: an arm or
    /// a cable across the table cuts the cloth in pieces.
    fn best_outline(&mut self) -> Option<(f64, Quad)> {
        const PIECES: usize = 5;
        let cells = self.colors.len() as f64;
        let mut best: Option<(f64, Quad)> = None;
        for first in 0..self.areas.len().min(2) {
            let mut joined: [u32; PIECES] = [NOT_CLOTH; PIECES];
            let mut count = 0;
            let mut here: Option<(f64, Quad)> = None;
            for piece in first..self.areas.len().min(first + PIECES) {
                let (area, label) = self.areas[piece];
                if f64::from(area) < LEAST_SHARE * cells * if piece == first { 1.0 } else { 0.1 } {
                    break;
                }
                joined[count] = label;
                let outline = self.outline_of(&joined[..=count]);
                if let Some(found) = outline
                    .and_then(|quad| self.score(quad, &joined[..=count]))
                    .filter(|found| here.is_none_or(|best| found.0 > best.0))
                {
                    here = Some(found);
                    count += 1;
                }
            }
            if let Some(here) = here
                && best.is_none_or(|best| here.0 > best.0)
            {
                best = Some(here);
            }
        }
        best
    }

    fn outline_of(&mut self, joined: &[u32]) -> Option<Quad> {
        let (columns, rows) = (self.columns, self.rows);
        let [left, right] =
            self.lines_of_sides(rows, columns, joined, |row, column| row * columns + column)?;
        let [top, bottom] =
            self.lines_of_sides(columns, rows, joined, |column, row| row * columns + column)?;
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

    /// Fits lines through the first and the last cell of each of `count` rows (or columns) of `length` cells.
    fn lines_of_sides(
        &mut self,
        count: usize,
        length: usize,
        joined: &[u32],
        at: impl Fn(usize, usize) -> usize,
    ) -> Option<[Line; 2]> {
        self.spans.clear();
        for i in 0..count {
            let is_cloth = |j: &usize| joined.contains(&self.labels[at(i, *j)]);
            let first = (0..length).find(is_cloth);
            let last = (0..length).rev().find(is_cloth);
            self.spans.push(first.zip(last).unwrap_or((1, 0)));
        }
        let mut lines = [Line::default(); 2];
        for (side, line) in lines.iter_mut().enumerate() {
            self.points.clear();
            for (i, (first, last)) in self.spans.iter().enumerate().filter(|(_, span)| span.0 <= span.1) {
                let across = if side == 0 {
                    *first as f64 - 0.5
                } else {
                    *last as f64 + 0.5
                };
                self.points.push((i as f64, across));
            }
            *line = line_through_most(&self.points, 1.0, STEEPEST, &mut self.bins)?.0;
        }
        Some(lines)
    }

    /// How much of a table this outline is: area of cloth inside, weighted by how fully cloth fills it, how little of
    /// the cloth is outside, and how near its proportions are to 2:1.
    fn score(&self, outline: Quad, joined: &[u32]) -> Option<(f64, Quad)> {
        let (mut inside, mut cloth) = (0.0, 0.0);
        for y in outline.rows(self.rows) {
            let Some(span) = outline.span(y, self.columns) else {
                continue;
            };
            for x in span {
                inside += 1.0;
                cloth += f64::from(u8::from(joined.contains(&self.labels[y * self.columns + x])));
            }
        }
        let all: u32 = self
            .areas
            .iter()
            .filter(|area| joined.contains(&area.1))
            .map(|area| area.0)
            .sum();
        let fill = cloth / outline.area().max(inside).max(1.0);
        let kept = cloth / f64::from(all.max(1));
        let aspect = super::aspect_of(&outline);
        let off = libm::log(0.5 * aspect) / 0.3;
        if fill < 0.5 || kept < 0.5 || !off.is_finite() {
            return None;
        }
        Some((cloth * fill * fill * kept * kept * libm::exp(-off * off), outline))
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
