//! One side of a table, laid out straight across its rough outline, and what its nose could be.
//!
//! From outside in, each side of a table shows the rail, an edge, the cushion's cloth, the nose, then the bed, shaded
//! near the nose. The nose is an edge between cloth and cloth; how strong it is and which side is the darker depends on
//! the lamps.

use std::ops::AddAssign;

use ghostball_world::{Lens, Planes};
use glam::DVec2;

use super::line::{Line, least_squares};
use super::shade::Shade;
use crate::sample::{color_near, luma_at};

/// Places along a side where it is probed.
const PROBES: usize = 96;
/// Probes side by side for which the bed's colour is told once: light changes little over a few balls.
const ALIKE: usize = 3;
/// Samples across a side, outside and inside of the rough outline each.
pub(crate) const REACH: usize = 45;
pub(crate) const SAMPLES: usize = 2 * REACH + 1;
/// Samples across the table's width: with [`REACH`] it makes the strip reach 0.09 of the width to both sides, which
/// holds rail edge, cushion and shadow whichever of them the rough outline is.
pub(crate) const SAMPLES_PER_WIDTH: f64 = 480.0;
/// Most by which one end of an edge can be farther in than the other, samples: what the rough outline can be off.
pub(crate) const LEAN: i32 = 11;
/// Cushion width by table width: least, typical, most. Full-size snooker has 0.028, nine-foot pool 0.04, small
/// tables 0.05.
pub(crate) const CUSHION: [f64; 3] = [0.02, 0.043, 0.075];
/// By how much nose and rail may lean against each other, samples.
const LEAN_PLAY: f64 = 5.6;
/// Edges nearer to each other than this, samples, are one.
const SAME_EDGE: f64 = 2.5;
/// What stands for an edge that is out of the noise, where edges are whole numbers: those of all probes fit into them.
const CLEAR: i16 = 64;
/// Edges, rails and choices kept per side.
const EDGES: usize = 8;
const RAILS: usize = 4;
const CHOICES: usize = 6;

/// One side of the cloth, laid out straight: columns of `SAMPLES` values from outside in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Strip {
    luma: Vec<f32>,
    /// 1 where there is cloth in whatever light, and in about the light of the bed before it.
    cloth: Vec<f32>,
    lit_cloth: Vec<f32>,
    cloth_gradient: Vec<f32>,
    gradient: Vec<f32>,
    clipped: Vec<f32>,
    glanced: Vec<i16>,
    along: Vec<f64>,
    /// Of the rough outline: its middle, from end to end, and the direction inwards, where a pinhole would show them.
    pub middle: DVec2,
    pub side: DVec2,
    pub inward: DVec2,
    pub spacing_px: f64,
    is_long: bool,
    pub rails: Vec<Edge>,
    pub edges: Vec<Edge>,
    pub options: Vec<Choice>,
}

/// A straight edge in a strip; `line` in samples from the outside over the share of the side (−0.5 to 0.5).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Edge {
    pub line: Line,
    /// Share of the probes that show it, 0 to 1.
    pub strength: f64,
    /// Whether it gets brighter inwards.
    pub rising: bool,
}

/// Where a side's nose could be.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Choice {
    pub line: Line,
    /// The edge that shows it; `None` where nothing does.
    pub edge: Option<Edge>,
    /// Distance from the rail by the table's width, where nose and rail are both seen.
    pub cushion: Option<f64>,
    /// Needs the cushions' width of the other sides: `line` is the rail.
    pub is_rail: bool,
    pub score: f64,
}

impl Shade {
    /// This shade as it is seen on the bed at `place(0..1)`, where tint and light may be others.
    fn seen_at(&self, planes: &Planes, place: impl Fn(f64) -> DVec2) -> Self {
        let (mut sum, mut n) = ([0.0; 3], 0.0);
        for i in 0..16 {
            let Some(color) = color_near(planes, place(f64::from(i) / 16.0)) else {
                continue;
            };
            if self.distance(color) <= self.farthest {
                sum = [0, 1, 2].map(|i| sum[i] + color[i]);
                n += 1.0;
            }
        }
        if n < 8.0 {
            *self
        } else {
            Self {
                color: sum.map(|s| s / n),
                ..*self
            }
        }
    }
}

impl Choice {
    /// The rough outline, where nothing is seen.
    pub fn rough(score: f64) -> Self {
        let line = Line {
            offset: REACH as f64,
            slope: 0.0,
        };
        Self {
            line,
            score,
            ..Self::default()
        }
    }
}

impl Strip {
    /// Lies along the side from `from` to `to`, which are where a pinhole would show them.
    pub fn place(&mut self, (from, to): (DVec2, DVec2), spacing_px: f64, is_long: bool) {
        self.side = to - from;
        self.middle = from + 0.5 * self.side;
        self.inward = self.side.perp().normalize_or_zero();
        self.spacing_px = spacing_px;
        self.is_long = is_long;
        self.along.clear();
        self.luma.clear();
        self.cloth.clear();
        self.lit_cloth.clear();
    }

    /// Numbers of the probes and where they are along the side: none at the pockets.
    fn places(&self) -> impl Iterator<Item = (usize, f64)> + use<> {
        let gap = if self.is_long { 0.045 } else { 0.0 };
        let along = |probe| 0.84 * ((probe as f64 + 0.5) / PROBES as f64 - 0.5);
        let places = (0..PROBES).map(move |probe| (probe, along(probe)));
        places.filter(move |(_, along)| along.abs() >= gap)
    }

    /// Where a probe's samples are seen through the lens, which bends so short a way like a parabola.
    fn samples(&self, lens: &Lens, along: f64) -> impl Iterator<Item = DVec2> + use<> {
        let [outer, middle, inner] = [-1.0, 0.0, 1.0].map(|share| {
            let across = share * REACH as f64 * self.spacing_px;
            lens.bent(self.middle + along * self.side + across * self.inward)
        });
        let (way, bend) = (0.5 * (inner - outer), 0.5 * (outer + inner) - middle);
        (0..SAMPLES).map(move |sample| {
            let share = sample as f64 / REACH as f64 - 1.0;
            middle + share * (way + share * bend)
        })
    }

    /// Looks at the light of some of the probes: enough to tell how edges are bent.
    pub fn glance(&mut self, planes: &Planes, lens: &Lens) {
        for (_, along) in self.places().step_by(ALIKE) {
            self.along.push(along);
            self.luma
                .extend(self.samples(lens, along).map(|at| luma_at(planes, at)));
        }
        fill_gradient(&self.luma, 1, &mut self.gradient);
        let scale = f32::from(CLEAR) / (2.0 * self.noise());
        let clear = f32::from(CLEAR);
        self.glanced.clear();
        self.glanced.extend(
            self.gradient
                .iter()
                .map(|gradient| (scale * gradient).clamp(-clear, clear) as i16),
        );
    }

    /// Looks at everything.
    pub fn fill(&mut self, planes: &Planes, lens: &Lens, shade: &Shade) {
        let mut here = *shade;
        for (probe, along) in self.places() {
            if probe % ALIKE == 0 {
                here = shade.seen_at(planes, |step| {
                    let across = (REACH as f64 * self.spacing_px) * (1.0 + step);
                    lens.bent(self.middle + along * self.side + across * self.inward)
                });
            }
            let here_lit = here.in_near_light();
            self.along.push(along);
            for at in self.samples(lens, along) {
                let color = color_near(planes, at);
                self.luma.push(color.map_or(f32::NAN, |c| c[0]));
                self.cloth
                    .push(color.map_or(0.0, |c| f32::from(u8::from(here.covers(c)))));
                self.lit_cloth
                    .push(color.map_or(0.0, |c| f32::from(u8::from(here_lit.covers(c)))));
            }
        }
        self.clip_gradient();
    }

    /// How clearly a probe shows an edge of brightness at each sample: 1 where it stands out of the noise, less for hints.
    fn clip_gradient(&mut self) {
        fill_gradient(&self.luma, 1, &mut self.gradient);
        let scale = -1.0 / (2.0 * self.noise());
        self.clipped.clear();
        self.clipped.extend(
            self.gradient
                .iter()
                .map(|gradient| (scale * gradient).clamp(-1.0, 1.0)),
        );
    }

    /// Edges of brightness of each probe that was glanced at: its place along the side, and at each sample how clear an edge
    /// is, up to [`CLEAR`].
    pub fn glanced(&self) -> impl Iterator<Item = (f64, &[i16])> {
        self.along.iter().copied().zip(self.glanced.chunks_exact(SAMPLES))
    }

    fn probes(&self) -> usize {
        self.along.len()
    }

    pub fn find_edges(&mut self, votes: &mut Vec<f32>) {
        self.edges.clear();
        self.rails.clear();
        // The rail: cloth inside of it, none outside. Cushions may be lit as the bed is or not, and rails may be as dark as
        // cloth in the dark: both are tried. Over three samples, as the colour edge is soft.
        for lit in [false, true] {
            let cloth = if lit { &self.lit_cloth } else { &self.cloth };
            fill_gradient(cloth, 3, &mut self.cloth_gradient);
            self.vote(&self.cloth_gradient, votes);
            let first = self.rails.len();
            keep_peaks(votes, false, &mut self.rails);
            self.rails.truncate(first + RAILS);
        }
        self.drop_double_rails();
        // Edges of brightness: votes count how many probes show one here.
        self.vote(&self.clipped, votes);
        keep_peaks(votes, false, &mut self.edges);
        votes.iter_mut().for_each(|vote| *vote = -*vote);
        keep_peaks(votes, true, &mut self.edges);
        self.edges.sort_by(|a, b| b.strength.total_cmp(&a.strength));
        self.edges.truncate(EDGES);
    }

    /// Of rails in the same place, the one that more probes show.
    fn drop_double_rails(&mut self) {
        self.rails.sort_by(|a, b| b.strength.total_cmp(&a.strength));
        let mut kept = 0;
        for i in 0..self.rails.len() {
            let rail = self.rails[i];
            if self.rails[..kept]
                .iter()
                .all(|other| (other.line.offset - rail.line.offset).abs() > SAME_EDGE)
            {
                self.rails[kept] = rail;
                kept += 1;
            }
        }
        self.rails.truncate(kept);
    }

    /// Robust standard deviation of the gradient in the inner half, where there is bed and little else.
    fn noise(&self) -> f32 {
        let mut counts = [0_u32; 256];
        let mut n = 0;
        for column in self.gradient.chunks_exact(SAMPLES) {
            for gradient in &column[SAMPLES - REACH / 2..] {
                counts[((8.0 * gradient.abs()) as usize).min(255)] += 1;
                n += 1;
            }
        }
        let mut below = 0;
        let median = counts.iter().position(|c| {
            below += c;
            2 * below >= n
        });
        (1.4826 * (median.unwrap_or(0) as f32 + 0.5) / 8.0).max(0.6)
    }

    /// Mean of the gradient along every straight line: `SAMPLES` offsets for each lean.
    fn vote(&self, gradient: &[f32], votes: &mut Vec<f32>) {
        votes.clear();
        let share = 1.0 / self.probes().max(1) as f32;
        for lean in -LEAN..=LEAN {
            let first = votes.len();
            votes.resize(first + SAMPLES, 0.0);
            let sums = &mut votes[first..];
            for (along, column) in self.along.iter().zip(gradient.chunks_exact(SAMPLES)) {
                let shift = (f64::from(lean) * along).round() as isize;
                add_shifted(sums, column, shift);
            }
            sums.iter_mut().for_each(|sum| *sum *= share);
        }
    }

    /// What this side offers: edges at a cushion's distance from a rail, rails alone, edges alone.
    pub fn weigh_options(&mut self, width: f64, places: &mut Vec<(f64, f64)>) {
        self.options.clear();
        for rail in &self.rails {
            // Shadows under the cushion look like a rail, but cloth follows outside of them.
            let outer = self
                .rails
                .iter()
                .filter(|other| other.line.offset < rail.line.offset - SAME_EDGE);
            let outer = outer.map(|other| other.strength).fold(0.0, f64::max);
            let rail_score = 0.5 * rail.strength - 0.25 * outer;
            for edge in &self.edges {
                let nose = self.nose_before(rail, edge, rail_score, width);
                self.options.extend(nose);
            }
            self.options.push(Choice {
                line: rail.line,
                edge: None,
                cushion: None,
                is_rail: true,
                score: rail_score,
            });
        }
        // Where cushions have another tint than the bed, an edge of brightness shows the rail.
        for rail in &self.edges {
            if self
                .rails
                .iter()
                .any(|other| (other.line.offset - rail.line.offset).abs() <= SAME_EDGE)
            {
                continue;
            }
            for edge in &self.edges {
                let nose = self.nose_before(rail, edge, 0.35 * rail.strength, width);
                self.options.extend(nose);
            }
        }
        for edge in &self.edges {
            let score = 0.5 * edge.strength - 0.2;
            self.options.push(Choice {
                line: edge.line,
                edge: Some(*edge),
                score,
                ..Choice::default()
            });
        }
        // Nothing seen at all: the rough outline.
        self.options.push(Choice::rough(-0.2));
        self.options.sort_by(|a, b| b.score.total_cmp(&a.score));
        self.options.truncate(CHOICES);
        // Whole samples and leans make tables strange that are none.
        for i in 0..self.options.len() {
            if let Some(edge) = self.options[i].edge {
                self.options[i].line = self.refine(&edge, places);
            }
        }
    }

    /// An edge taken for the nose before this rail; `None` where no cushion is so wide.
    fn nose_before(&self, rail: &Edge, edge: &Edge, rail_score: f64, width: f64) -> Option<Choice> {
        let cushion = (edge.line.offset - rail.line.offset) / width;
        let lean = (edge.line.slope - rail.line.slope) / LEAN_PLAY;
        if !(CUSHION[0]..CUSHION[2]).contains(&cushion) || lean.abs() > 1.0 {
            return None;
        }
        // The cushion's cloth is plain: an edge on it says that the nose is there instead.
        let before = self.edges.iter().filter(|other| {
            let from_rail = other.line.offset - rail.line.offset;
            from_rail > 0.5 * CUSHION[0] * width + 2.0 && other.line.offset < edge.line.offset - 4.0
        });
        let spoilt = before.map(|other| other.strength).fold(0.0, f64::max);
        let beyond = self.edge_beyond(edge, width);
        // Lamps hang over the middle of tables: the nose throws a shadow on the bed.
        let shaded = if edge.rising { 0.7 } else { 1.0 };
        let against = 0.5 * spoilt.min(edge.strength) + 0.5 * beyond + 0.3 * lean * lean;
        Some(Choice {
            line: edge.line,
            edge: Some(*edge),
            cushion: Some(cushion),
            is_rail: false,
            score: rail_score + shaded * edge.strength - against,
        })
    }

    /// Strength of the clearest edge just inside of one that is taken for the nose. The bed gets brighter where the
    /// cushion's shadow ends, but not darker.
    fn edge_beyond(&self, nose: &Edge, width: f64) -> f64 {
        let inside = self.edges.iter().filter(|other| {
            let from_nose = other.line.offset - nose.line.offset;
            let is_shadow = !nose.rising && other.rising;
            from_nose > SAME_EDGE && from_nose < CUSHION[2] * width && !is_shadow
        });
        inside.map(|other| other.strength).fold(0.0, f64::max)
    }

    /// The edge to a fraction of a sample: least squares through where each probe shows it steepest.
    fn refine(&self, edge: &Edge, places: &mut Vec<(f64, f64)>) -> Line {
        let sign = if edge.rising { 1.0 } else { -1.0 };
        let mut line = edge.line;
        for reach in [3.0, 2.0] {
            places.clear();
            for (along, column) in self.along.iter().zip(self.gradient.chunks_exact(SAMPLES)) {
                let middle = line.at(*along);
                let first = (middle - reach).ceil().max(1.0) as usize;
                let last = (middle + reach).floor().min(SAMPLES as f64 - 2.0);
                if last < first as f64 {
                    continue;
                }
                let (mut at, mut steepest) = (0, 0.0);
                for (i, g) in column.iter().enumerate().take(last as usize + 1).skip(first) {
                    if sign * g > steepest {
                        (at, steepest) = (i, sign * g);
                    }
                }
                if at == 0 {
                    continue;
                }
                let (before, after) = (sign * column[at - 1], sign * column[at + 1]);
                let bend = 2.0 * steepest - before - after;
                let shift = if bend > 1e-3 {
                    0.5 * (after - before) / bend
                } else {
                    0.0
                };
                places.push((*along, at as f64 + f64::from(shift.clamp(-0.5, 0.5))));
            }
            for _ in 0..4 {
                let current = line;
                let weighted = places.iter().map(|(along, across)| {
                    let off = (across - current.at(*along)) / reach;
                    // Tukey's biweight: what lies a whole reach away does not count.
                    let weight = (1.0 - off * off).max(0.0);
                    (*along, *across, weight * weight)
                });
                let Some(better) = least_squares(weighted) else {
                    return edge.line;
                };
                line = better;
            }
        }
        line
    }

    /// A point of the line and its direction, where a pinhole would show them.
    pub fn in_pinhole(&self, line: Line) -> (DVec2, DVec2) {
        let place = |along: f64| {
            let across = (line.at(along) - REACH as f64) * self.spacing_px;
            self.middle + along * self.side + across * self.inward
        };
        (place(-0.5), place(0.5) - place(-0.5))
    }
}

/// Adds to each offset of a line what a probe has at it: sample `offset + shift`.
pub(crate) fn add_shifted<T: Copy + AddAssign>(sums: &mut [T], column: &[T], shift: isize) {
    let count = column.len() as isize;
    let from = shift.clamp(0, count) as usize;
    let into = (-shift).clamp(0, count) as usize;
    for (sum, value) in sums[into..].iter_mut().zip(&column[from..]) {
        *sum += *value;
    }
}

/// Difference of what follows and what comes before each sample, `reach` samples each.
fn fill_gradient(values: &[f32], reach: usize, gradient: &mut Vec<f32>) {
    gradient.clear();
    gradient.resize(values.len(), 0.0);
    for (column, out) in values
        .chunks_exact(SAMPLES)
        .zip(gradient.chunks_exact_mut(SAMPLES))
    {
        for at in reach..SAMPLES - reach {
            let after: f32 = column[at + 1..=at + reach].iter().sum();
            let before: f32 = column[at - reach..at].iter().sum();
            let change = (after - before) / reach as f32;
            out[at] = if change.is_finite() { change } else { 0.0 };
        }
    }
}

fn keep_peaks(votes: &[f32], rising: bool, edges: &mut Vec<Edge>) {
    let first = edges.len();
    let mut best = [(0.0_f32, 0); SAMPLES];
    for (lean, row) in (-LEAN..=LEAN).zip(votes.chunks_exact(SAMPLES)) {
        for (best, vote) in best.iter_mut().zip(row) {
            if *vote > best.0 {
                *best = (*vote, lean);
            }
        }
    }
    for (offset, (vote, lean)) in best.iter().enumerate() {
        let mut around = offset.saturating_sub(3)..=(offset + 3).min(SAMPLES - 1);
        let is_peak = around.all(|o| best[o].0 < *vote || (best[o].0 == *vote && o >= offset));
        if *vote > 0.15 && is_peak {
            let line = Line {
                offset: offset as f64,
                slope: f64::from(*lean),
            };
            edges.push(Edge {
                line,
                strength: f64::from(*vote),
                rising,
            });
        }
    }
    edges[first..].sort_by(|a, b| b.strength.total_cmp(&a.strength));
}
