//! The cue stick over the table.
//!
//! A stick is a long, straight, thin bar: 12 mm wide at the tip, 25 to 30 mm where it crosses the cushion, so 0.2 to
//! 0.6 ball diameters, and it comes from outside. Everything on the bed that is no cloth is cut into runs, row by row
//! and column by column; runs of a stick's width whose middles lie on one line are a stick if nothing but stick, hand
//! or arm is between their inner end and the border. Lines drawn or projected on the cloth are too thin, arms too
//! wide, planks and rulers do not come from outside.

use ghostball_world::{CueSighting, Planes, TableSighting};
use glam::DVec2;

use crate::cloth::{ClothModel, color_of};
use crate::quad::Quad;
use crate::table::line::{Line, line_through_most};

/// Ball radius on the grid that is searched, cells: a stick's tip is two cells wide.
const BALL_RADIUS: f64 = 5.0;
/// Width of a stick by a ball's diameter: least and most, with room for blur and a shadow beside it.
const WIDTH: [f64; 2] = [0.13, 0.75];
/// Least length that is seen of one, ball diameters.
const LEAST_LENGTH: f64 = 4.0;
/// Nothing is looked at nearer to the noses than this, ball diameters: they throw dark straight shadows.
const MARGIN: f64 = 1.1;
/// Light on cloth below which it is no shadow but something dark.
const LEAST_LIGHT: f32 = 0.5;
/// Light above which it is no cloth but something bright.
const MOST_LIGHT: f32 = 1.35;
/// Standard deviations of chroma beyond which it is no cloth.
const FAR_CHROMA: f32 = 5.0;
/// Least share of the way from the tip to the border that is covered by stick, hand or arm.
const LEAST_COVER: f64 = 0.85;
/// Least share of the visible stick where its width is a stick's.
const LEAST_SLIM: f64 = 0.5;
/// Lines tried before it is believed that there is none.
const TRIES: usize = 4;
/// Steepest line looked for in each direction: a little over 45°.
const STEEPEST: f64 = 1.1;

/// Finds the cue stick. Holds buffers.
#[derive(Clone, Debug, Default)]
pub struct CueFinder {
    columns: usize,
    rows: usize,
    step: f64,
    origin: DVec2,
    cells: Vec<u8>,
    runs: Vec<Run>,
    points: Vec<(f64, f64)>,
    bins: Vec<u32>,
}

const OUTSIDE: u8 = 2;
const OBJECT: u8 = 1;
const CLOTH: u8 = 0;

/// Cells of one row (or column) that are no cloth and of a stick's width.
#[derive(Clone, Copy, Debug)]
struct Run {
    along: f64,
    middle: f64,
    width: f64,
    is_used: bool,
}

impl CueFinder {
    /// A finder without buffers yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The stick over this table; `None` where there is none. `cloth` is what the cloth looks like in this picture.
    pub fn find(
        &mut self,
        planes: &Planes,
        table: &TableSighting,
        cloth: &ClothModel,
    ) -> Option<CueSighting> {
        let radius_px = table.ball_radius_px;
        let quad = Quad::new(table.corners_in_image);
        let bed = quad.inset(2.0 * MARGIN * radius_px)?;
        if !(radius_px.is_finite() && radius_px > 1.0) || bed.area() < 16.0 * radius_px * radius_px {
            return None;
        }
        self.fill(planes, &bed, cloth, radius_px);
        let mut best: Option<CueSighting> = None;
        for is_steep in [true, false] {
            self.cut_runs(is_steep);
            for _ in 0..TRIES {
                let Some(cue) = self.next_stick(is_steep, &quad) else {
                    break;
                };
                if let Some(cue) = cue
                    && best.is_none_or(|best| cue.confidence > best.confidence)
                {
                    best = Some(cue);
                }
            }
        }
        best
    }

    /// Marks what is no cloth on a grid over the bed.
    fn fill(&mut self, planes: &Planes, bed: &Quad, cloth: &ClothModel, radius_px: f64) {
        let (least, most) = bed.bounds();
        self.step = (radius_px / BALL_RADIUS).max(1.0);
        self.origin = least;
        let size = (most - least) / self.step;
        self.columns = (size.x.clamp(0.0, 4096.0) as usize) + 1;
        self.rows = (size.y.clamp(0.0, 4096.0) as usize) + 1;
        self.cells.clear();
        self.cells.resize(self.columns * self.rows, OUTSIDE);
        for row in 0..self.rows {
            let y = (least.y + row as f64 * self.step).round();
            if y < 0.0 || y >= planes.luma.height as f64 {
                continue;
            }
            let Some(span) = bed.span(y as usize, planes.luma.width) else {
                continue;
            };
            for column in 0..self.columns {
                let x = (least.x + column as f64 * self.step).round();
                if x < span.start as f64 || x >= span.end as f64 {
                    continue;
                }
                let color = color_of(planes, x as usize, y as usize).map(f32::from);
                let (light, off_chroma) = cloth.shade(x as f32, y as f32, color);
                let is_cloth = (LEAST_LIGHT..MOST_LIGHT).contains(&light) && off_chroma < FAR_CHROMA;
                self.cells[row * self.columns + column] = if is_cloth { CLOTH } else { OBJECT };
            }
        }
    }

    /// Cells of a row for steep sticks, of a column for level ones.
    fn at(&self, is_steep: bool, along: usize, across: usize) -> u8 {
        let (row, column) = if is_steep {
            (along, across)
        } else {
            (across, along)
        };
        self.cells[row * self.columns + column]
    }

    fn cut_runs(&mut self, is_steep: bool) {
        self.runs.clear();
        let (count, length) = if is_steep {
            (self.rows, self.columns)
        } else {
            (self.columns, self.rows)
        };
        let diameter = 2.0 * BALL_RADIUS;
        // A run across a leaning stick is longer than the stick is wide.
        let most = (WIDTH[1] * diameter * libm::sqrt(1.0 + STEEPEST * STEEPEST)) as usize;
        for along in 0..count {
            let mut start = 0;
            for across in 0..=length {
                let is_object = across < length && self.at(is_steep, along, across) == OBJECT;
                if is_object {
                    continue;
                }
                let width = across - start;
                // Runs that touch the border could be of anything.
                let inside = start > 0
                    && across < length
                    && self.at(is_steep, along, start - 1) == CLOTH
                    && self.at(is_steep, along, across) == CLOTH;
                if inside && width >= 1 && width <= most {
                    self.runs.push(Run {
                        along: along as f64,
                        middle: 0.5 * (start + across - 1) as f64,
                        width: width as f64,
                        is_used: false,
                    });
                }
                start = across + 1;
            }
        }
    }

    /// The line that most of the unused runs lie on: outer `None` when there is none left, inner when it is no stick.
    fn next_stick(&mut self, is_steep: bool, quad: &Quad) -> Option<Option<CueSighting>> {
        self.points.clear();
        self.points.extend(
            self.runs
                .iter()
                .filter(|run| !run.is_used)
                .map(|run| (run.along, run.middle)),
        );
        let diameter = 2.0 * BALL_RADIUS;
        if (self.points.len() as f64) < LEAST_SLIM * LEAST_LENGTH * diameter / (1.0 + STEEPEST) {
            return None;
        }
        let (line, _) = line_through_most(&self.points, 1.0, STEEPEST, &mut self.bins)?;
        let slant = libm::sqrt(1.0 + line.slope * line.slope);
        let (mut first, mut last, mut count) = (f64::INFINITY, f64::NEG_INFINITY, 0);
        let (mut widths, mut squares) = (0.0, 0.0);
        for run in self.runs.iter_mut().filter(|run| !run.is_used) {
            if (run.middle - line.at(run.along)).abs() > 1.5 {
                continue;
            }
            run.is_used = true;
            let width = run.width / slant / diameter;
            if (WIDTH[0]..WIDTH[1]).contains(&width) {
                (first, last) = (first.min(run.along), last.max(run.along));
                widths += width;
                squares += width * width;
                count += 1;
            }
        }
        if count < 3 {
            return None;
        }
        let n = f64::from(count);
        let width = widths / n;
        let uneven = ((squares / n - width * width).max(0.0)).sqrt() / width;
        let stick = self.stick_along(is_steep, line);
        Some(stick.and_then(|stick| {
            let length = (stick.to - stick.from).abs() * slant / diameter;
            let slim = n / ((stick.to - stick.from).abs() + 1.0);
            if length < LEAST_LENGTH || slim < LEAST_SLIM || uneven > 0.5 {
                return None;
            }
            let place = |along: f64| {
                let across = line.at(along);
                let cell = if is_steep {
                    DVec2::new(across, along)
                } else {
                    DVec2::new(along, across)
                };
                self.origin + cell * self.step
            };
            let (tip, inner_butt) = (place(stick.tip()), place(stick.butt()));
            let butt = quad.leave(tip, inner_butt - tip).unwrap_or(inner_butt);
            let confidence = slim.min(1.0) * (1.0 - uneven) * (length / (2.0 * LEAST_LENGTH)).min(1.0);
            Some(CueSighting {
                tip_in_image: tip,
                butt_in_image: butt,
                confidence,
            })
        }))
    }

    /// Follows a line from each border inwards for as long as it is covered.
    fn stick_along(&self, is_steep: bool, line: Line) -> Option<Stick> {
        let (count, length) = if is_steep {
            (self.rows, self.columns)
        } else {
            (self.columns, self.rows)
        };
        let state = |along: usize| {
            let across = line.at(along as f64).round();
            if across < 0.0 || across >= length as f64 {
                return OUTSIDE;
            }
            self.at(is_steep, along, across as usize)
        };
        let first = (0..count).find(|along| state(*along) != OUTSIDE)?;
        let last = (0..count).rev().find(|along| state(*along) != OUTSIDE)?;
        // Gaps are glints and the fingers' shade: up to half a ball.
        let gap = BALL_RADIUS as usize;
        let follow = |from: usize, inwards: &mut dyn Iterator<Item = usize>| {
            let (mut tip, mut covered, mut walked, mut covered_at_tip) = (from, 0, 0, (0, 1));
            for along in inwards {
                walked += 1;
                if state(along) == OBJECT {
                    covered += 1;
                    (tip, covered_at_tip) = (along, (covered, walked));
                } else if along.abs_diff(tip) > gap {
                    break;
                }
            }
            let cover = f64::from(covered_at_tip.0) / f64::from(covered_at_tip.1);
            (cover >= LEAST_COVER).then_some(tip)
        };
        let from_first = follow(first, &mut (first..=last)).map(|tip| (first, tip));
        let from_last = follow(last, &mut (first..=last).rev()).map(|tip| (last, tip));
        let longer = |a: Option<(usize, usize)>, b: Option<(usize, usize)>| match (a, b) {
            (Some(a), Some(b)) => Some(if a.0.abs_diff(a.1) >= b.0.abs_diff(b.1) {
                a
            } else {
                b
            }),
            (a, b) => a.or(b),
        };
        let (from, to) = longer(from_first, from_last)?;
        // Across the whole table lies no stick that anybody plays with: a gantry, a shadow, the table's edge.
        (from.abs_diff(to) + gap < last - first).then_some(Stick {
            from: from as f64,
            to: to as f64,
        })
    }
}

/// A stick on its line: from the border to its tip.
#[derive(Clone, Copy, Debug)]
struct Stick {
    from: f64,
    to: f64,
}

impl Stick {
    fn tip(&self) -> f64 {
        self.to
    }

    fn butt(&self) -> f64 {
        self.from
    }
}
