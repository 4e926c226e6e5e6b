//! How large the balls look, when nobody said.
//!
//! On the bed, what is no cloth is drawn as a mask, and in it the largest discs that fit are looked for (maxima of the
//! distance to the nearest cloth). A disc with cloth nearly all round it is a ball, alone or touching another; arms,
//! sticks and planks go on beyond their discs. Each ball's rim is then measured in brightness at full
//! resolution. The
//! median of those that agree is the size; a game has many balls of one size, and clutter of many.

use ghostball_world::{Homography, Planes};
use glam::DVec2;

use super::distance::{DistanceMap, OBJECT};
use crate::cloth::ClothModel;
use crate::quad::Quad;
use crate::sample::{color_of, luma_at};

/// Ball radius by half the table's length: full-size snooker (26.25 mm on 3.569 m) has 0.0147, pool 0.0225 (9 ft) to
/// 0.0289 (7 ft), six-foot tables 0.031, toys up to 0.056.
const RADIUS: [f64; 2] = [0.0135, 0.058];
/// Where no ball is seen: a ball of nine-foot pool.
const USUAL_RADIUS: f64 = 0.0225;
/// Cells of the mask per half length: the smallest balls have a radius of four.
const CELLS: f64 = 300.0;
/// Cells side by side for which the cloth's colour is told once: two small balls.
const ALIKE: usize = 8;
/// Least share of cloth round a ball, at 1.3 radii: projected rings and a cluster of balls leave this much free.
const LEAST_CLEAR: f64 = 0.45;
/// Share of cloth round a ball that lies alone or touches one other, which takes a seventh: it counts more.
const ALONE: f64 = 0.75;
const WEIGHT_ALONE: u32 = 3;
/// Least share of a rim that has to be seen.
const LEAST_RIM: f64 = 0.75;
/// Sizes of pool, carom and small tables. Full-size snooker's balls look much smaller, like prints, glints and
/// fingertips: it takes as many as four lone balls to believe in them. Those of toys look larger, like little else that
/// is round: two do.
const COMMON: std::ops::Range<f64> = 0.0195..0.034;
const LEAST_SMALL: u32 = 4 * WEIGHT_ALONE;
const LEAST_LARGE: u32 = 2 * WEIGHT_ALONE;
const RAYS: usize = 24;
/// Least change of brightness across a rim.
const LEAST_STEP: f32 = 4.0;
/// Sizes that differ by less than this share are one size, seen in perspective and with noise.
const AGREEMENT: f64 = 0.12;

/// Measures balls. Holds buffers.
#[derive(Clone, Debug)]
pub(crate) struct BallSizer {
    directions: [DVec2; RAYS],
    /// What is no cloth.
    mask: DistanceMap,
    radii: Vec<(f64, u32)>,
}

impl Default for BallSizer {
    fn default() -> Self {
        let mut directions = [DVec2::ZERO; RAYS];
        for (ray, direction) in directions.iter_mut().enumerate() {
            let (sin, cos) = libm::sincos(std::f64::consts::TAU * ray as f64 / RAYS as f64);
            *direction = DVec2::new(cos, sin);
        }
        Self {
            directions,
            mask: DistanceMap::default(),
            radii: Vec::new(),
        }
    }
}

impl BallSizer {
    /// Radius of a ball at the middle of the table, pixels, and how much tells so: 3 for each
    /// lone ball, 1 for others.
    pub fn measure(
        &mut self,
        planes: &Planes,
        quad: &Quad,
        image_from_halves: &Homography,
        cloth: &ClothModel,
    ) -> (f64, u32) {
        let half_px = image_from_halves.scale_at(DVec2::ZERO);
        let step = (half_px / CELLS).max(1.0);
        let (origin, _) = quad.bounds();
        self.draw(planes, quad, cloth, step);
        self.mask.measure();
        self.radii.clear();
        let halves_from_image = image_from_halves.inverse().unwrap_or(Homography::IDENTITY);
        let (least, most) = (RADIUS[0] * half_px / step, RADIUS[1] * half_px / step);
        for row in 1..self.mask.rows.saturating_sub(1) {
            for column in 1..self.mask.columns.saturating_sub(1) {
                let Some((radius, weight)) = self.disc_at(column, row, 0.75 * least, 1.2 * most) else {
                    continue;
                };
                let center = origin + step * DVec2::new(column as f64, row as f64);
                if let Some(radius_px) = rim_of(planes, &self.directions, center, radius * step) {
                    let scale = image_from_halves.scale_at(halves_from_image.apply(center));
                    let radius = radius_px / scale;
                    if (RADIUS[0]..RADIUS[1]).contains(&radius) {
                        self.radii.push((radius, weight));
                    }
                }
            }
        }
        self.radii.sort_by(|a, b| a.0.total_cmp(&b.0));
        let split = |at: f64| self.radii.partition_point(|r| r.0 < at);
        let (first, last) = (split(COMMON.start), split(COMMON.end));
        let common = largest_group(&self.radii[first..last]);
        let small = largest_group(&self.radii[..first]);
        let large = largest_group(&self.radii[last..]);
        let believed = if small.1 >= LEAST_SMALL && small.1 > 2 * common.1.max(large.1) {
            small
        } else if large.1 >= LEAST_LARGE && large.1 > 2 * common.1 {
            large
        } else {
            common
        };
        match believed {
            (_, 0) => (USUAL_RADIUS * half_px, 0),
            (radius, weight) => (radius * half_px, weight),
        }
    }

    fn draw(&mut self, planes: &Planes, quad: &Quad, cloth: &ClothModel, step: f64) {
        let (least, most) = quad.bounds();
        let size = (most - least) / step;
        let [columns, rows] = [size.x, size.y].map(|size| size.clamp(0.0, 4096.0) as usize + 1);
        self.mask.reset(columns, rows);
        for row in 0..rows {
            let y = (least.y + step * row as f64).round();
            if y < 0.0 || y >= planes.luma.height as f64 {
                continue;
            }
            let Some(span) = quad.span(y as usize, planes.luma.width) else {
                continue;
            };
            let x_of = |column: usize| least.x + step * column as f64;
            let column_of = |x: usize| ((x as f64 - least.x) / step).max(0.0);
            let first = column_of(span.start).ceil() as usize;
            let end = (column_of(span.end - 1) as usize + 1).min(columns);
            let cells = self.mask.row_mut(row);
            for block in (first..end).step_by(ALIKE) {
                let here = cloth.here(cloth.color_at(x_of(block + ALIKE / 2) as f32, y as f32));
                for (column, cell) in (block..end.min(block + ALIKE)).zip(&mut cells[block..]) {
                    let color = color_of(planes, x_of(column) as usize, y as usize).map(f32::from);
                    *cell = if here.is_covered(color) { OBJECT } else { 0 };
                }
            }
        }
    }

    /// Radius in cells of the disc that fits here, where it is larger than all about it and cloth surrounds it.
    fn disc_at(&self, column: usize, row: usize, least: f64, most: f64) -> Option<(f64, u32)> {
        let here = self.mask.distances[row * self.mask.columns + column];
        // The distance to the first cell of cloth is half a cell more than that to the object's border.
        let radius = f64::from(here) / 3.0 - 0.5;
        if !(least..most).contains(&radius) {
            return None;
        }
        // Most cells are outdone by a neighbour; the caller keeps clear of the border.
        let at = row * self.mask.columns + column;
        let neighbours = [at - 1, at + 1, at - self.mask.columns, at + self.mask.columns];
        if neighbours.iter().any(|at| self.mask.distances[*at] > here) {
            return None;
        }
        let reach = (0.7 * radius) as usize;
        for y in row.saturating_sub(reach)..=(row + reach).min(self.mask.rows - 1) {
            for x in column.saturating_sub(reach)..=(column + reach).min(self.mask.columns - 1) {
                let other = self.mask.distances[y * self.mask.columns + x];
                if other > here || (other == here && (y, x) < (row, column)) {
                    return None;
                }
            }
        }
        let mut clear = 0;
        for direction in self.directions {
            let at = DVec2::new(column as f64, row as f64) + (1.3 * radius + 1.0) * direction;
            let (x, y) = (at.x.round(), at.y.round());
            let inside =
                x >= 0.0 && y >= 0.0 && (x as usize) < self.mask.columns && (y as usize) < self.mask.rows;
            let is_cloth = inside && self.mask.distances[y as usize * self.mask.columns + x as usize] == 0;
            clear += usize::from(is_cloth);
        }
        let clear = clear as f64 / RAYS as f64;
        let weight = if clear >= ALONE { WEIGHT_ALONE } else { 1 };
        (clear >= LEAST_CLEAR).then_some((radius, weight))
    }
}

/// Weighted median and weight of the heaviest run of sorted sizes within [`AGREEMENT`] of each other.
fn largest_group(sorted: &[(f64, u32)]) -> (f64, u32) {
    let (mut best, mut group, mut first, mut weight) = (0, &sorted[..0], 0, 0);
    for (last, (radius, own_weight)) in sorted.iter().enumerate() {
        weight += own_weight;
        while *radius > sorted[first].0 * (1.0 + AGREEMENT) {
            weight -= sorted[first].1;
            first += 1;
        }
        if weight > best {
            (best, group) = (weight, &sorted[first..=last]);
        }
    }
    let mut below = 0;
    let median = group.iter().find(|(_, weight)| {
        below += weight;
        2 * below >= best
    });
    (median.map_or(0.0, |m| m.0), best)
}

/// Radius of the circle near this disc along which brightness changes most, pixels: a ball's rim. Colour is of no use
/// here: cameras and compression smear it over several pixels.
fn rim_of(planes: &Planes, directions: &[DVec2; RAYS], center: DVec2, radius_px: f64) -> Option<f64> {
    /// Shares of the disc's radius tried: smeared colour and shadows make the disc larger than the ball, not smaller.
    const SHARES: [f64; 2] = [0.55, 1.1];
    const RADII: usize = 16;
    /// Where the centre may be instead, by the radius.
    const SHIFTS: [[f64; 2]; 5] = [[0.0, 0.0], [0.15, 0.0], [-0.15, 0.0], [0.0, 0.15], [0.0, -0.15]];
    /// Brightness steps count up to this, so that no glint or shadow outweighs the rest of the rim.
    const MOST_STEP: f32 = 20.0;
    let spacing = radius_px * (SHARES[1] - SHARES[0]) / (RADII - 1) as f64;
    let mut best = (0.0_f32, 0.0);
    for shift in SHIFTS {
        let center = center + radius_px * DVec2::from(shift);
        let mut change = [0.0_f32; RADII];
        let mut rays = [0_u32; RADII];
        for towards in directions {
            let mut values = [f32::NAN; RADII + 2];
            for (i, value) in values.iter_mut().enumerate() {
                let radius = SHARES[0] * radius_px + (i as f64 - 1.0) * spacing;
                *value = luma_at(planes, center + radius * *towards);
            }
            for (i, window) in values.windows(3).enumerate() {
                let step = (window[2] - window[0]).abs();
                if step >= LEAST_STEP {
                    change[i] += step.min(MOST_STEP);
                    rays[i] += 1;
                }
            }
        }
        for i in 1..RADII - 1 {
            if change[i] > best.0 && f64::from(rays[i]) >= LEAST_RIM * RAYS as f64 {
                let bend = 2.0 * change[i] - change[i - 1] - change[i + 1];
                let off = if bend > 0.0 {
                    0.5 * (change[i + 1] - change[i - 1]) / bend
                } else {
                    0.0
                };
                let at = i as f64 + f64::from(off.clamp(-0.5, 0.5));
                best = (change[i], SHARES[0] * radius_px + at * spacing);
            }
        }
    }
    (best.0 > 0.0).then_some(best.1)
}
