//! The cushion noses, from the cloth's rough outline.
//!
//! Cloth covers the bed and the cushions. Seen from above, each side of a table shows, from outside in: the rail, an
//! edge, the cushion's cloth (about 0.045 of the table's width on every kind of table: 45 to 50 mm), the nose, then
//! the bed, shaded near the nose. The nose is an edge between cloth and cloth; how strong it is and which side is the
//! darker depends on the lamp. What is sure: it is long and straight, lies at the same distance from the rail on all
//! four sides, and the four noses bound a surface of 2:1.

use ghostball_world::Planes;
use glam::{DVec2, DVec3};

use super::area::Shade;
use super::line::{Line, least_squares, meet};
use crate::quad::Quad;
use crate::sample::color_near;

/// Places along a side where it is probed.
const PROBES: usize = 128;
/// Samples across a side, outside and inside of the rough outline each.
const REACH: usize = 56;
const SAMPLES: usize = 2 * REACH + 1;
/// Samples across the table's width: with [`REACH`] it makes the strip reach 0.09 of the width to both sides, which
/// holds rail edge, cushion and shadow whichever of them the rough outline is.
const SAMPLES_PER_WIDTH: f64 = 600.0;
/// Most by which one end of an edge can be farther in than the other, samples: what the rough outline can be off.
const LEAN: i32 = 14;
/// Cushion width by table width: least, typical, most. Full-size snooker has 0.028, nine-foot pool 0.04, small
/// tables 0.05.
const CUSHION: [f64; 3] = [0.02, 0.043, 0.075];
/// By how much cushion widths can differ and be alike: perspective and soft edges.
const CUSHION_PLAY: f64 = 0.1;
/// Log of how far length by width may be from 2 without speaking against a table, and by how much its sides may be
/// off the right angle, radians: what lenses bend.
const ASPECT_PLAY: f64 = 0.03;
const SKEW_PLAY: f64 = 0.012;
/// By how much nose and rail may lean against each other, samples.
const LEAN_PLAY: f64 = 7.0;
/// Edges, rails and choices kept per side.
const EDGES: usize = 8;
const RAILS: usize = 4;
const CHOICES: usize = 6;

/// One side of the cloth, laid out straight: columns of `SAMPLES` values from outside in.
#[derive(Clone, Debug, Default)]
struct Strip {
    luma: Vec<f32>,
    cloth: Vec<f32>,
    gradient: Vec<f32>,
    clipped: Vec<f32>,
    along: Vec<f64>,
    middle: DVec2,
    side: DVec2,
    inward: DVec2,
    spacing_px: f64,
    rails: Vec<Edge>,
    edges: Vec<Edge>,
    options: Vec<Choice>,
}

/// A straight edge in a strip; `line` in samples from the outside over the share of the side (−0.5 to 0.5).
#[derive(Clone, Copy, Debug, Default)]
struct Edge {
    line: Line,
    /// Share of the probes that show it, 0 to 1.
    strength: f64,
    /// Whether it gets brighter inwards.
    rising: bool,
}

/// Where a side's nose could be.
#[derive(Clone, Copy, Debug, Default)]
struct Choice {
    line: Line,
    /// The edge that shows it; `None` where nothing does.
    edge: Option<Edge>,
    /// Distance from the rail by the table's width, where nose and rail are both seen.
    cushion: Option<f64>,
    /// Needs the cushions' width of the other sides: `line` is the rail.
    is_rail: bool,
    score: f64,
}

/// The noses as found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noses {
    pub quad: Quad,
    /// The outer edge of the cushions' cloth.
    pub cloth: Quad,
    /// Whether the picture gets brighter inwards at each side's nose, where that was seen.
    pub rising: [Option<bool>; 4],
    /// How much of a table it is: compares different outlines of one picture.
    pub score: f64,
    /// 0 to 1: how much of noses and pockets was seen.
    pub confidence: f64,
}

/// Finds the noses. Holds buffers.
#[derive(Clone, Debug, Default)]
pub(crate) struct CushionFinder {
    strips: [Strip; 4],
    votes: Vec<f32>,
    places: Vec<(f64, f64)>,
}

impl CushionFinder {
    /// The noses inside a rough outline of cloth of this shade.
    pub fn find(&mut self, planes: &Planes, outline: &Quad, shade: &Shade) -> Option<Noses> {
        let [a, b, c, d] = outline.corners;
        let (across, down) = (a.distance(b) + d.distance(c), a.distance(d) + b.distance(c));
        let width_px = 0.5 * across.min(down);
        if width_px.is_nan() || width_px < 16.0 {
            return None;
        }
        let spacing_px = (width_px / SAMPLES_PER_WIDTH).max(0.5);
        let sides = outline.sides();
        for (i, (strip, (from, to))) in self.strips.iter_mut().zip(sides).enumerate() {
            let is_long = (i % 2 == 0) == (across >= down);
            strip.fill(planes, shade, from, to, spacing_px, is_long);
            strip.find_edges(&mut self.votes);
            strip.weigh_options(width_px / spacing_px);
        }
        self.choose(planes, shade, width_px / spacing_px)
    }

    /// Tries every combination of what the four sides offer and keeps the one that is most of a table.
    fn choose(&mut self, planes: &Planes, shade: &Shade, width: f64) -> Option<Noses> {
        let counts = [0, 1, 2, 3].map(|i| self.strips[i].options.len());
        let mut best: Option<(f64, [Choice; 4])> = None;
        for combination in 0..counts.iter().product() {
            let mut rest = combination;
            let choices = [0, 1, 2, 3].map(|i| {
                let choice = self.strips[i].options[rest % counts[i]];
                rest /= counts[i];
                choice
            });
            let (choices, agreement) = agree(choices, width);
            let Some(quad) = self.quad_of(&choices.map(|c| c.line)) else {
                continue;
            };
            let seen: f64 = choices.iter().map(|choice| choice.score).sum();
            let score = seen + agreement - strangeness(planes, &quad) + pocket_evidence(planes, shade, &quad);
            if best.is_none_or(|best| score > best.0) {
                best = Some((score, choices));
            }
        }
        let (score, choices) = best?;
        let lines = [0, 1, 2, 3].map(|i| {
            choices[i].edge.map_or(choices[i].line, |edge| {
                self.strips[i].refine(&edge, &mut self.places)
            })
        });
        let quad = self.quad_of(&lines)?;
        let seen: f64 = choices
            .iter()
            .filter_map(|choice| choice.edge)
            .map(|edge| edge.strength)
            .sum();
        let confidence = 0.5 * (0.25 * seen + pocket_evidence(planes, shade, &quad).max(0.0) / 3.0);
        let common = common_cushion(&choices);
        let cloth = quad
            .inset(-common * width * self.strips[0].spacing_px)
            .unwrap_or(quad);
        Some(Noses {
            quad,
            cloth,
            rising: choices.map(|choice| choice.edge.map(|edge| edge.rising)),
            score,
            confidence: confidence.clamp(0.0, 1.0),
        })
    }

    fn quad_of(&self, lines: &[Line; 4]) -> Option<Quad> {
        let placed = [0, 1, 2, 3].map(|i| self.strips[i].in_image(lines[i]));
        let corner = |i: usize, j: usize| meet(placed[i].0, placed[i].1, placed[j].0, placed[j].1);
        Some(Quad::new([
            corner(3, 0)?,
            corner(0, 1)?,
            corner(1, 2)?,
            corner(2, 3)?,
        ]))
    }
}

/// Mean of the cushions' widths (by the table's width) that were seen; the typical width counts as half of one.
fn common_cushion(choices: &[Choice; 4]) -> f64 {
    let seen = || choices.iter().filter_map(|choice| choice.cushion);
    (seen().sum::<f64>() + 0.5 * CUSHION[1]) / (seen().count() as f64 + 0.5)
}

/// Gives sides without a visible nose the width of the others' cushions; also how well all widths agree, 0 or less.
fn agree(mut choices: [Choice; 4], width: f64) -> ([Choice; 4], f64) {
    let common = common_cushion(&choices);
    let play = CUSHION_PLAY * common + 1.0 / width;
    let mut off = 0.0;
    for choice in &mut choices {
        if let Some(cushion) = choice.cushion {
            off += (cushion - common) * (cushion - common) / (play * play);
        }
        if choice.is_rail {
            choice.line.offset += common * width;
        }
    }
    (choices, -0.25 * off.min(8.0))
}

/// How little this quadrilateral looks like a rectangle of 2:1 seen by a camera, 0 to 8.
///
/// For the homography `H = K [r1 r2 t]` from the table, the columns `K⁻¹h1` and `K⁻¹h2` are perpendicular and of one
/// length (Zhang 2000, "A flexible new technique for camera calibration", §2.3). `K` has square pixels and its centre
/// in the picture's; of the focal lengths that cameras have, the one that fits best counts.
fn strangeness(planes: &Planes, quad: &Quad) -> f64 {
    const WORST: f64 = 8.0;
    /// Focal length by the picture's longer side: from wide angle to almost parallel.
    const FOCAL: [f64; 6] = [0.5, 0.7, 1.0, 1.5, 2.5, 5.0];
    let Some(map) = super::pockets::image_from_halves(quad) else {
        return WORST;
    };
    let size = DVec2::new(planes.luma.width as f64, planes.luma.height as f64);
    let center = (0.5 * size).extend(0.0);
    let columns = [map.matrix().x_axis, map.matrix().y_axis].map(|h| h - h.z * center);
    let mut least = WORST;
    for focal in FOCAL {
        let focal_px = focal * size.max_element();
        let [a, b] = columns.map(|h| DVec3::new(h.x / focal_px, h.y / focal_px, h.z));
        let skew = a.dot(b) / (a.length() * b.length()) / SKEW_PLAY;
        let stretch = libm::log(a.length() / b.length()) / ASPECT_PLAY;
        let off = skew * skew + stretch * stretch;
        if off < least {
            least = off;
        }
    }
    least
}

/// What is where the pockets should be: 3 where all six are dark holes with cloth before them, 0 where nothing tells,
/// less where cloth is in their place.
fn pocket_evidence(planes: &Planes, shade: &Shade, quad: &Quad) -> f64 {
    let Some((pockets, before)) = super::pockets::usual(quad) else {
        return 0.0;
    };
    let mut evidence = 0.0;
    for (pocket, before) in pockets.iter().zip(before) {
        let reach = 0.6 * pocket.radius;
        let diagonal = 0.7 * reach;
        let around = [
            [0.0, 0.0],
            [reach, 0.0],
            [-reach, 0.0],
            [0.0, reach],
            [0.0, -reach],
            [diagonal, diagonal],
            [-diagonal, diagonal],
            [diagonal, -diagonal],
            [-diagonal, -diagonal],
        ];
        let hole: f64 = around
            .iter()
            .filter_map(|offset| color_near(planes, pocket.center + DVec2::from(*offset)))
            .map(|color| {
                if shade.covers(color) {
                    -1.0
                } else if color[0] - shade.black < 0.6 * (shade.color[0] - shade.black) {
                    1.0
                } else {
                    0.3
                }
            })
            .sum();
        let cloth =
            color_near(planes, before).map_or(0.0, |color| if shade.covers(color) { 0.2 } else { -0.1 });
        evidence += 0.3 * hole / 9.0 + cloth;
    }
    evidence
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

impl Strip {
    fn fill(
        &mut self,
        planes: &Planes,
        shade: &Shade,
        from: DVec2,
        to: DVec2,
        spacing_px: f64,
        is_long: bool,
    ) {
        let side = to - from;
        self.middle = from + 0.5 * side;
        self.side = side;
        self.inward = side.perp().normalize_or_zero();
        self.spacing_px = spacing_px;
        self.along.clear();
        self.luma.clear();
        self.cloth.clear();
        for probe in 0..PROBES {
            let along = 0.84 * ((probe as f64 + 0.5) / PROBES as f64 - 0.5);
            // The pockets in the middle of the long sides.
            if is_long && along.abs() < 0.045 {
                continue;
            }
            let here = shade.seen_at(planes, |step| {
                self.middle + along * side + (REACH as f64 * spacing_px) * (1.0 + step) * self.inward
            });
            self.along.push(along);
            for sample in 0..SAMPLES {
                let across = (sample as f64 - REACH as f64) * spacing_px;
                let at = self.middle + along * side + across * self.inward;
                let color = color_near(planes, at);
                self.luma.push(color.map_or(f32::NAN, |c| c[0]));
                self.cloth
                    .push(color.map_or(0.0, |c| f32::from(u8::from(here.covers(c)))));
            }
        }
    }

    fn probes(&self) -> usize {
        self.along.len()
    }

    fn find_edges(&mut self, votes: &mut Vec<f32>) {
        self.edges.clear();
        self.rails.clear();
        // The rail: cloth inside of it, none outside. Over three samples, as the colour edge is soft.
        self.fill_gradient(3, true);
        self.vote(&self.gradient, votes);
        keep_peaks(votes, false, &mut self.rails);
        self.rails.truncate(RAILS);
        // Edges of brightness.
        self.fill_gradient(1, false);
        let noise = self.noise();
        // Votes count how many probes show an edge here that stands out of the noise, half votes for hints.
        let scale = -1.0 / (2.0 * noise);
        self.clipped.clear();
        self.clipped.extend(
            self.gradient
                .iter()
                .map(|gradient| (scale * gradient).clamp(-1.0, 1.0)),
        );
        self.vote(&self.clipped, votes);
        keep_peaks(votes, false, &mut self.edges);
        votes.iter_mut().for_each(|vote| *vote = -*vote);
        keep_peaks(votes, true, &mut self.edges);
        self.edges.truncate(EDGES);
    }

    /// Difference of what follows and what comes before each sample, `reach` samples each.
    fn fill_gradient(&mut self, reach: usize, of_cloth: bool) {
        let values = if of_cloth { &self.cloth } else { &self.luma };
        self.gradient.clear();
        self.gradient.resize(values.len(), 0.0);
        for (column, out) in values
            .chunks_exact(SAMPLES)
            .zip(self.gradient.chunks_exact_mut(SAMPLES))
        {
            for at in reach..SAMPLES - reach {
                let after: f32 = column[at + 1..=at + reach].iter().sum();
                let before: f32 = column[at - reach..at].iter().sum();
                let gradient = (after - before) / reach as f32;
                out[at] = if gradient.is_finite() { gradient } else { 0.0 };
            }
        }
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
                // Offset `o` of the line is sample `o + shift` of this probe.
                let from = shift.clamp(0, SAMPLES as isize) as usize;
                let into = (-shift).clamp(0, SAMPLES as isize) as usize;
                for (sum, gradient) in sums[into..].iter_mut().zip(&column[from..]) {
                    *sum += gradient;
                }
            }
            sums.iter_mut().for_each(|sum| *sum *= share);
        }
    }

    /// What this side offers: edges at a cushion's distance from a rail, rails alone, edges alone.
    fn weigh_options(&mut self, width: f64) {
        self.options.clear();
        for rail in &self.rails {
            // Shadows under the cushion look like a rail, but cloth follows outside of them.
            let outer = self
                .rails
                .iter()
                .filter(|other| other.line.offset < rail.line.offset - 3.0);
            let outer = outer.map(|other| other.strength).fold(0.0, f64::max);
            let rail_score = 0.5 * rail.strength - 0.25 * outer;
            for edge in &self.edges {
                let cushion = (edge.line.offset - rail.line.offset) / width;
                let lean = (edge.line.slope - rail.line.slope) / LEAN_PLAY;
                if !(CUSHION[0]..CUSHION[2]).contains(&cushion) || lean.abs() > 1.0 {
                    continue;
                }
                // The cushion's cloth is plain: an edge on it says that the nose is there instead.
                let before = self.edges.iter().filter(|other| {
                    let from_rail = other.line.offset - rail.line.offset;
                    from_rail > 0.5 * CUSHION[0] * width + 2.0 && other.line.offset < edge.line.offset - 4.0
                });
                let spoilt = before.map(|other| other.strength).fold(0.0, f64::max);
                // Lamps hang over the middle of tables: the nose throws a shadow on the bed.
                let shaded = if edge.rising { 0.7 } else { 1.0 };
                let score =
                    rail_score + shaded * edge.strength - 0.5 * spoilt.min(edge.strength) - 0.3 * lean * lean;
                self.options.push(Choice {
                    line: edge.line,
                    edge: Some(*edge),
                    cushion: Some(cushion),
                    is_rail: false,
                    score,
                });
            }
            self.options.push(Choice {
                line: rail.line,
                edge: None,
                cushion: None,
                is_rail: true,
                score: rail_score,
            });
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
        let rough = Line {
            offset: REACH as f64,
            slope: 0.0,
        };
        self.options.push(Choice {
            line: rough,
            score: -0.2,
            ..Choice::default()
        });
        self.options.sort_by(|a, b| b.score.total_cmp(&a.score));
        self.options.truncate(CHOICES);
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

    /// A point of the line and its direction in image space.
    fn in_image(&self, line: Line) -> (DVec2, DVec2) {
        let place = |along: f64| {
            let across = (line.at(along) - REACH as f64) * self.spacing_px;
            self.middle + along * self.side + across * self.inward
        };
        (place(-0.5), place(0.5) - place(-0.5))
    }
}

fn keep_peaks(votes: &[f32], rising: bool, edges: &mut Vec<Edge>) {
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
    edges.sort_by(|a, b| b.strength.total_cmp(&a.strength));
}
