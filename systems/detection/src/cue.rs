//! The cue stick over the table.
//!
//! A stick is a long, straight, thin bar that comes from outside: two nearly parallel edges, one the mirror of the
//! other, 10 to 30 mm apart (0.17 to 0.7 ball diameters), with nothing but stick, hand or arm between its tip and the
//! border. Edges vote for lines (Hough transform with gradient direction, Ballard 1981), pairs of lines are followed
//! from the border inwards. Lines drawn or projected on the cloth are too thin, arms too wide and not straight, planks
//! and rulers do not come from outside.

use ghostball_world::{CueSighting, Planes, TableSighting};
use glam::DVec2;

use crate::cloth::ClothModel;
use crate::quad::Quad;
use crate::sample::{color_of, luma_at};
use crate::table::line::least_squares;

/// Ball radius on the grid that is searched, cells: the thinnest stick is two to three cells wide.
const BALL_RADIUS: f64 = 7.5;
const DIAMETER: f64 = 2.0 * BALL_RADIUS;
/// Distance of a stick's edges by a ball's diameter: least and most.
const WIDTH: [f64; 2] = [0.17, 0.7];
/// Least length over which both edges are seen, ball diameters: the part before the hand.
const LEAST_SLIM: f64 = 2.0;
/// Least share of the way from tip to border over which both edges are seen: hands and arms hide the rest.
const LEAST_SLIM_SHARE: f64 = 0.3;
/// Least share of that way that is covered by anything.
const LEAST_COVER: f64 = 0.85;
/// Nothing is looked at nearer to the noses than this, ball diameters: they throw dark straight shadows.
const MARGIN: f64 = 1.1;
/// Gaps in a stick are glints: up to this, cells.
const GAP: usize = 6;
/// Gradient of an edge: standard deviations of cloth, and least difference of brightness.
const EDGE_SIGMAS: f32 = 5.0;
const LEAST_EDGE: f32 = 8.0;
/// Directions told apart, and how far a gradient may be off its edge's, degrees.
const DIRECTIONS: usize = 360;
const SPREAD: i32 = 8;
/// Places along a stick where its width is measured.
const SLICES: u32 = 48;
/// Pairs of lines that are followed.
const MOST_PAIRS: usize = 12;

/// Finds the cue stick. Holds buffers.
#[derive(Clone, Debug, Default)]
pub struct CueFinder {
    columns: usize,
    rows: usize,
    step: f64,
    origin: DVec2,
    luma: Vec<f32>,
    edges: Vec<Edge>,
    /// Index into `edges` plus one; 0 where there is none.
    edge_at: Vec<u32>,
    votes: Vec<u16>,
    offsets: usize,
    pairs: Vec<Pair>,
    directions: Vec<DVec2>,
}

/// A place where brightness changes; `direction` in degrees points to the brighter side.
#[derive(Clone, Copy, Debug)]
struct Edge {
    x: u16,
    y: u16,
    direction: i32,
}

/// Two lines with one normal, at two distances along it from the grid's middle, whose edges point at each other or
/// away from each other.
#[derive(Clone, Copy, Debug)]
struct Pair {
    votes: u16,
    direction: usize,
    first: f64,
    second: f64,
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
        if !(radius_px.is_finite() && radius_px > 1.0) {
            return None;
        }
        let bed = quad.inset(2.0 * MARGIN * radius_px)?;
        if bed.area() < 64.0 * radius_px * radius_px {
            return None;
        }
        self.fill(planes, &bed, radius_px);
        self.find_edges((EDGE_SIGMAS * cloth.spread[0]).max(LEAST_EDGE));
        self.vote();
        self.find_pairs();
        let mut best: Option<CueSighting> = None;
        for pair in &self.pairs {
            if let Some(cue) = self.follow(pair, planes, &quad, cloth)
                && best.is_none_or(|best| cue.confidence > best.confidence)
            {
                best = Some(cue);
            }
        }
        best
    }

    /// Brightness on a grid over the bed; not a number outside of it.
    fn fill(&mut self, planes: &Planes, bed: &Quad, radius_px: f64) {
        let (least, most) = bed.bounds();
        self.step = (radius_px / BALL_RADIUS).max(1.0);
        self.origin = least;
        let size = (most - least) / self.step;
        self.columns = size.x.clamp(0.0, 2000.0) as usize + 1;
        self.rows = size.y.clamp(0.0, 2000.0) as usize + 1;
        self.luma.clear();
        self.luma.resize(self.columns * self.rows, f32::NAN);
        let (width, height) = (planes.luma.width, planes.luma.height);
        for row in 0..self.rows {
            let y = (least.y + row as f64 * self.step).round();
            if y < 0.0 || y + 1.0 >= height as f64 {
                continue;
            }
            let y = y as usize;
            let Some(span) = bed.span(y, width - 1) else {
                continue;
            };
            for column in 0..self.columns {
                let x = (least.x + column as f64 * self.step).round();
                if x < span.start as f64 || x >= span.end as f64 {
                    continue;
                }
                let x = x as usize;
                let sum = [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)]
                    .iter()
                    .map(|(x, y)| u32::from(planes.luma.at(*x, *y)))
                    .sum::<u32>();
                self.luma[row * self.columns + column] = 0.25 * sum as f32;
            }
        }
    }

    fn find_edges(&mut self, least: f32) {
        self.edges.clear();
        self.edge_at.clear();
        self.edge_at.resize(self.luma.len(), 0);
        for y in 1..self.rows.saturating_sub(1) {
            for x in 1..self.columns.saturating_sub(1) {
                let at = y * self.columns + x;
                let dx = self.luma[at + 1] - self.luma[at - 1];
                let dy = self.luma[at + self.columns] - self.luma[at - self.columns];
                // Not a number at the border of the bed compares as false.
                if dx * dx + dy * dy >= least * least {
                    let direction = libm::atan2f(dy, dx).to_degrees().round() as i32;
                    self.edges.push(Edge {
                        x: x as u16,
                        y: y as u16,
                        direction,
                    });
                    self.edge_at[at] = self.edges.len() as u32;
                }
            }
        }
    }

    fn middle(&self) -> DVec2 {
        0.5 * DVec2::new(self.columns as f64, self.rows as f64)
    }

    fn vote(&mut self) {
        if self.directions.is_empty() {
            self.directions.extend((0..DIRECTIONS).map(|degrees| {
                let (sin, cos) = libm::sincos((degrees as f64).to_radians());
                DVec2::new(cos, sin)
            }));
        }
        let middle = self.middle();
        self.offsets = 2 * (middle.length() as usize + 2);
        self.votes.clear();
        self.votes.resize(DIRECTIONS * self.offsets, 0);
        for edge in &self.edges {
            let place = DVec2::new(f64::from(edge.x), f64::from(edge.y)) - middle;
            for off in -SPREAD..=SPREAD {
                let direction = (edge.direction + off).rem_euclid(DIRECTIONS as i32) as usize;
                let offset = place.dot(self.directions[direction]) + 0.5 * self.offsets as f64;
                let vote = &mut self.votes[direction * self.offsets + offset as usize];
                *vote = vote.saturating_add(1);
            }
        }
    }

    /// Pairs of lines at a stick's width with opposite edges, those with most votes first.
    fn find_pairs(&mut self) {
        self.pairs.clear();
        let least = (LEAST_SLIM * DIAMETER) as u16;
        let half = DIRECTIONS / 2;
        let widths = (WIDTH[0] * DIAMETER).floor() as usize..=(WIDTH[1] * DIAMETER).ceil() as usize;
        let center = 0.5 * self.offsets as f64;
        for direction in 0..DIRECTIONS {
            for offset in 0..self.offsets {
                let votes = self.votes[direction * self.offsets + offset];
                if votes < least {
                    continue;
                }
                let mut best: Option<Pair> = None;
                // A stick tapers: its edges are up to a degree off parallel. Seen from the other side, directions
                // turn round and offsets change sign.
                for lean in [0, DIRECTIONS - 1, 1] {
                    let opposite = (direction + half + lean) % DIRECTIONS;
                    for width in widths.clone() {
                        let Some(across) = self.offsets.checked_sub(offset + width + 1) else {
                            continue;
                        };
                        let found = self.votes[opposite * self.offsets + across].min(votes);
                        if found >= least && best.is_none_or(|best| found > best.votes) {
                            let first = offset as f64 + 0.5 - center;
                            let second = first + width as f64;
                            best = Some(Pair {
                                votes: found,
                                direction,
                                first,
                                second,
                            });
                        }
                    }
                    for width in widths.clone() {
                        let Some(across) = (self.offsets - 1 + width).checked_sub(offset) else {
                            continue;
                        };
                        if across >= self.offsets {
                            continue;
                        }
                        let found = self.votes[opposite * self.offsets + across].min(votes);
                        if found >= least && best.is_none_or(|best| found > best.votes) {
                            let first = offset as f64 + 0.5 - center;
                            let second = first - width as f64;
                            best = Some(Pair {
                                votes: found,
                                direction,
                                first,
                                second,
                            });
                        }
                    }
                }
                self.pairs.extend(best);
            }
        }
        self.pairs
            .sort_by(|a, b| b.votes.cmp(&a.votes).then(a.direction.cmp(&b.direction)));
        let mut kept = 0;
        for i in 0..self.pairs.len() {
            let pair = self.pairs[i];
            if kept < MOST_PAIRS && !self.pairs[..kept].iter().any(|other| are_alike(&pair, other)) {
                self.pairs[kept] = pair;
                kept += 1;
            }
        }
        self.pairs.truncate(kept);
    }

    /// Whether an edge that points this way, or away from it, crosses the normal here within a cell and a half.
    fn has_edge(&self, place: DVec2, normal: DVec2, direction: i32) -> bool {
        [0.0, -1.0, 1.0, -1.6, 1.6].iter().any(|off| {
            let at = (place + *off * normal).round();
            if at.x < 0.0 || at.y < 0.0 || at.x >= self.columns as f64 || at.y >= self.rows as f64 {
                return false;
            }
            let index = self.edge_at[at.y as usize * self.columns + at.x as usize];
            index > 0 && {
                let off = (self.edges[index as usize - 1].direction - direction).rem_euclid(360);
                off <= 40 || off >= 320
            }
        })
    }

    /// Follows a pair of lines from the border inwards.
    fn follow(&self, pair: &Pair, planes: &Planes, quad: &Quad, cloth: &ClothModel) -> Option<CueSighting> {
        let normal = self.directions[pair.direction];
        let along = normal.perp();
        let center = self.middle() + 0.5 * (pair.first + pair.second) * normal;
        let reach = self.middle().length() as i64 + 2;
        let half_width = 0.5 * (pair.first - pair.second);
        let direction = pair.direction as i32;
        let look = |at: i64| {
            let place = center + at as f64 * along;
            let cell = place.round();
            if cell.x < 0.0 || cell.y < 0.0 || cell.x >= self.columns as f64 || cell.y >= self.rows as f64 {
                return Seen::Outside;
            }
            if self.luma[cell.y as usize * self.columns + cell.x as usize].is_nan() {
                return Seen::Outside;
            }
            // Sticks taper: what is a cell off at one end is still the stick's edge.
            if self.has_edge(place + half_width * normal, normal, direction)
                && self.has_edge(place - half_width * normal, normal, direction + 180)
            {
                return Seen::Stick;
            }
            let at = (self.origin + cell * self.step).round();
            let (x, y) = (at.x.max(0.0) as usize, at.y.max(0.0) as usize);
            if x >= planes.luma.width || y >= planes.luma.height {
                return Seen::Outside;
            }
            let color = color_of(planes, x, y).map(f32::from);
            if cloth.is_covered(x as f32, y as f32, color) {
                Seen::Covered
            } else {
                Seen::Cloth
            }
        };
        let first = (-reach..=reach).find(|at| look(*at) != Seen::Outside)?;
        let last = (-reach..=reach).rev().find(|at| look(*at) != Seen::Outside)?;
        let stick = [walk(first, 1, last, look), walk(last, -1, first, look)];
        let best = stick
            .iter()
            .flatten()
            .max_by_key(|stick| (stick.slim, stick.tip))?;
        let to_image = |at: f64, off: f64| self.origin + (center + at * along + off * normal) * self.step;
        let (tip, border) = (best.tip as f64, best.border as f64);
        // Where the stick's middle is along the line, measured in the picture itself.
        let slice_of = |i: u32| {
            let at = tip + (border - tip) * f64::from(i) / f64::from(SLICES);
            let slice = slice_at(planes, cloth, to_image(at, 0.0), normal, self.step * DIAMETER)?;
            (look(at.round() as i64) == Seen::Stick).then_some((at, slice))
        };
        let mut widths = [0.0; SLICES as usize];
        let mut count = 0;
        for (_, (_, width)) in (0..SLICES).filter_map(slice_of) {
            widths[count] = width;
            count += 1;
        }
        let widths = &mut widths[..count];
        widths.sort_by(f64::total_cmp);
        if !(WIDTH[0]..=WIDTH[1]).contains(widths.get(count / 2)?) {
            return None;
        }
        let middles = (0..SLICES)
            .filter_map(slice_of)
            .map(|(at, (off, _))| (at, off * DIAMETER, 1.0));
        let line = least_squares(middles).unwrap_or_default();
        let (tip, inner_butt) = (to_image(tip, line.at(tip)), to_image(border, line.at(border)));
        let butt = quad.leave(tip, inner_butt - tip).unwrap_or(inner_butt);
        Some(CueSighting {
            tip_in_image: tip,
            butt_in_image: butt,
            confidence: best.confidence(),
        })
    }
}

/// Middle and width of a bar that crosses this place, in ball diameters along the normal: the stretch whose brightness
/// is at least half as far from the cloth's as it gets. Lines a pixel or two wide look wider to the search grid.
fn slice_at(
    planes: &Planes,
    cloth: &ClothModel,
    place: DVec2,
    normal: DVec2,
    diameter_px: f64,
) -> Option<(f64, f64)> {
    const SAMPLES: usize = 49;
    let across = |i: usize| (i as f64 / (SAMPLES - 1) as f64 - 0.5) * 1.6;
    let mut off_cloth = [0.0_f32; SAMPLES];
    for (i, off) in off_cloth.iter_mut().enumerate() {
        let at = place + across(i) * diameter_px * normal;
        *off = luma_at(planes, at) - cloth.color_at(at.x as f32, at.y as f32)[0];
    }
    let middle = SAMPLES / 4..SAMPLES - SAMPLES / 4;
    let peak = middle.max_by(|a, b| off_cloth[*a].abs().total_cmp(&off_cloth[*b].abs()))?;
    let half = 0.5 * off_cloth[peak];
    let belongs = |i: &usize| half.is_finite() && off_cloth[*i] * half.signum() >= half.abs();
    let first = (0..=peak).rev().take_while(belongs).last()?;
    let last = (peak..SAMPLES).take_while(belongs).last()?;
    // Where brightness crosses the half, between two samples.
    let crossing = |inner: usize, outer: usize| {
        let (a, b) = (off_cloth[inner], off_cloth[outer]);
        let share = if a == b {
            0.5
        } else {
            f64::from((a - half) / (a - b))
        };
        across(inner) + share.clamp(0.0, 1.0) * (across(outer) - across(inner))
    };
    let from = if first > 0 {
        crossing(first, first - 1)
    } else {
        across(first)
    };
    let to = if last + 1 < SAMPLES {
        crossing(last, last + 1)
    } else {
        across(last)
    };
    (from.is_finite() && to.is_finite()).then_some((0.5 * (from + to), to - from))
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Seen {
    Outside,
    Cloth,
    Covered,
    Stick,
}

/// A stick from the border to its tip, cells along its line.
#[derive(Clone, Copy, Debug)]
struct Stick {
    border: i64,
    tip: i64,
    slim: u32,
}

impl Stick {
    /// 0 to 1: how much of it was seen, and how long that is against a hand's reach before the bridge.
    fn confidence(&self) -> f64 {
        let slim = f64::from(self.slim);
        let share = (slim / (self.tip.abs_diff(self.border) as f64 + 1.0)).min(1.0);
        share.sqrt() * (slim / (3.0 * LEAST_SLIM * DIAMETER)).min(1.0)
    }
}

/// Walks from the border inwards as long as something covers the cloth; the last stretch of stick is the tip.
fn walk(border: i64, step: i64, end: i64, look: impl Fn(i64) -> Seen) -> Option<Stick> {
    let (mut at, mut gap, mut walked, mut covered, mut slim, mut run) =
        (border, 0, 0_u32, 0_u32, 0_u32, 0_u32);
    let mut stick: Option<(Stick, u32, u32)> = None;
    while gap <= GAP {
        walked += 1;
        match look(at) {
            Seen::Stick => {
                (gap, covered, slim, run) = (0, covered + 1, slim + 1, run + 1);
                // A few cells in a row: single ones are the rims of balls.
                if run >= GAP as u32 {
                    stick = Some((
                        Stick {
                            border,
                            tip: at,
                            slim,
                        },
                        walked,
                        covered,
                    ));
                }
            }
            Seen::Covered => (gap, covered, run) = (0, covered + 1, run.saturating_sub(1)),
            Seen::Cloth | Seen::Outside => (gap, run) = (gap + 1, 0),
        }
        if at == end {
            // Across the whole table lies no stick that anybody plays with.
            return None;
        }
        at += step;
    }
    let (stick, walked, covered) = stick?;
    let slim = f64::from(stick.slim);
    let is_stick = slim >= LEAST_SLIM * DIAMETER
        && slim >= LEAST_SLIM_SHARE * f64::from(walked)
        && f64::from(covered) >= LEAST_COVER * f64::from(walked);
    is_stick.then_some(stick)
}

/// Whether two pairs are of one stick: nearly one direction, or the opposite, and one place.
fn are_alike(a: &Pair, b: &Pair) -> bool {
    let turn = (a.direction as i32 - b.direction as i32).rem_euclid(DIRECTIONS as i32 / 2);
    let turned = a.direction.abs_diff(b.direction).abs_diff(DIRECTIONS / 2) <= 3;
    let (a, b) = (a.first + a.second, b.first + b.second);
    let apart = if turned { a + b } else { a - b };
    (turn <= 2 || turn >= DIRECTIONS as i32 / 2 - 2) && apart.abs() < 2.0 * WIDTH[1] * DIAMETER
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Drawn, draw};
    use ghostball_world::{CircleInImage, Homography};

    fn look(drawn: &Drawn) -> (Option<CueSighting>, Homography) {
        let picture = draw(drawn);
        let planes = picture.planes().unwrap();
        let halves = [[-1.0, -0.5], [1.0, -0.5], [1.0, 0.5], [-1.0, 0.5]].map(DVec2::from);
        let map = Homography::from_four_points(&halves, &drawn.corners_in_image).unwrap();
        let table = TableSighting {
            corners_in_image: drawn.corners_in_image,
            pockets_in_image: [CircleInImage::default(); 6],
            ball_radius_px: drawn.ball_radius * map.scale_at(DVec2::ZERO),
            confidence: 1.0,
        };
        let mut cloth = ClothModel::new();
        cloth.learn(&planes, &table.corners_in_image);
        (CueFinder::new().find(&planes, &table, &cloth), map)
    }

    #[test]
    fn a_stick_from_outside_is_seen_with_its_tip() {
        for (tip, butt) in [
            ([-0.3, 0.02], [-1.3, 0.3]),
            ([0.3, 0.2], [0.5, 0.9]),
            ([0.75, -0.1], [1.4, 0.05]),
        ] {
            let stick = [tip, butt].map(DVec2::from);
            let (cue, map) = look(&Drawn {
                stick: Some(stick),
                ..Drawn::default()
            });
            let cue = cue.unwrap();
            let expected = map.apply(stick[0]);
            assert!(
                cue.tip_in_image.distance(expected) < 8.0,
                "{cue:?}, tip expected at {expected}"
            );
            let direction = (cue.tip_in_image - cue.butt_in_image).normalize();
            let drawn = (expected - map.apply(stick[1])).normalize();
            assert!(direction.dot(drawn) > libm::cos(0.02), "{direction} {drawn}");
        }
    }

    #[test]
    fn a_table_with_balls_alone_has_no_stick() {
        assert_eq!(look(&Drawn::default()).0, None);
    }

    #[test]
    fn a_ruler_on_the_cloth_is_no_stick() {
        let ruler = [[-0.4, 0.0], [0.3, 0.12]].map(DVec2::from);
        assert_eq!(
            look(&Drawn {
                stick: Some(ruler),
                ..Drawn::default()
            })
            .0,
            None
        );
    }
}
