//! The cushion noses, from the cloth's rough outline.
//!
//! Cloth covers the bed and the cushions. Seen from above, each side of a table shows, from outside in: the rail, an
//! edge, the cushion's cloth (about 0.045 of the table's width on every kind of table: 45 to 50 mm), the nose, then
//! the bed, shaded near the nose. The nose is an edge between cloth and cloth; how strong it is and which side is the
//! darker depends on the lamp. What is sure: it is long and straight, lies at the same distance from the rail on all
//! four sides, and the four noses bound a surface of 2:1.

use ghostball_world::{Lens, Planes};
use glam::DVec2;

use super::bend::{sharpest_radial, shown_quad, straight_quad};
use super::line::{Line, meet};
use super::perspective::{is_side_long, strangeness, with_side_completed};
use super::shade::Shade;
use super::strip::{CUSHION, Choice, SAMPLES_PER_WIDTH, Strip};
use crate::quad::Quad;
use crate::sample::color_near;

/// What speaks against a hidden side: less than the clear sight of a rail or an edge speaks for one that is seen.
const HIDDEN_COST: f64 = 0.8;
/// By how much cushion widths can differ and be alike: perspective and soft edges.
const CUSHION_PLAY: f64 = 0.1;
/// The noses as found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noses {
    pub quad: Quad,
    /// What bends the sides, about: not the camera's lens, but one that bends them alike.
    pub lens: Lens,
    /// The outer edge of the cushions' cloth.
    pub cloth: Quad,
    /// The side that is hidden: it lies where the others put it.
    pub hidden: Option<usize>,
    /// Whether the picture gets brighter inwards at each side's nose, where that was seen.
    pub rising: [Option<bool>; 4],
    /// How much of a table it is: compares different outlines of one picture.
    pub score: f64,
    /// The same without the pockets, which some tables have not: each side that shows rail and nose where they belong
    /// counts about 1.3.
    pub plain_score: f64,
    /// 0 to 1: how much of noses and pockets was seen.
    pub confidence: f64,
}

/// One choice for each side.
#[derive(Clone, Copy, Debug)]
struct Combination {
    score: f64,
    /// Without the pockets.
    plain: f64,
    choices: [Choice; 4],
    hidden: Option<usize>,
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
        let mut lens = Lens::usual([planes.luma.width, planes.luma.height].map(|size| size as u32));
        self.place(outline, &lens)?;
        self.strips
            .iter_mut()
            .for_each(|strip| strip.glance(planes, &lens));
        lens.radial[0] = sharpest_radial(&self.strips, &lens);
        let (width, sides_are_long) = self.place(outline, &lens)?;
        for strip in &mut self.strips {
            strip.fill(planes, &lens, shade);
            strip.find_edges(&mut self.votes);
            strip.weigh_options(width, &mut self.places);
        }
        self.choose(planes, shade, &lens, width, sides_are_long)
    }

    /// Lays strips along the four sides; gives the table's width in samples and which sides are the long ones.
    fn place(&mut self, outline: &Quad, lens: &Lens) -> Option<(f64, [bool; 4])> {
        let outline = &straight_quad(lens, outline);
        let [a, b, c, d] = outline.corners;
        let (across, down) = (a.distance(b) + d.distance(c), a.distance(d) + b.distance(c));
        let width_px = 0.5 * across.min(down);
        if width_px.is_nan() || width_px < 16.0 {
            return None;
        }
        let spacing_px = (width_px / SAMPLES_PER_WIDTH).max(0.5);
        let sides_are_long = [0, 1, 2, 3].map(|i| is_side_long(outline, i));
        for ((strip, side), is_long) in self.strips.iter_mut().zip(outline.sides()).zip(sides_are_long) {
            strip.place(side, spacing_px, is_long);
        }
        Some((width_px / spacing_px, sides_are_long))
    }

    /// Tries every combination of what the four sides offer, also with one of them hidden, and keeps the one that is
    /// most of a table.
    fn choose(
        &mut self,
        planes: &Planes,
        shade: &Shade,
        lens: &Lens,
        width: f64,
        sides_are_long: [bool; 4],
    ) -> Option<Noses> {
        let size = DVec2::new(planes.luma.width as f64, planes.luma.height as f64);
        let mut best: Option<Combination> = None;
        for hidden in [None, Some(0), Some(1), Some(2), Some(3)] {
            let counts = [0, 1, 2, 3].map(|i| {
                if hidden == Some(i) {
                    1
                } else {
                    self.strips[i].options.len()
                }
            });
            for combination in 0..counts.iter().product() {
                let mut rest = combination;
                let choices = [0, 1, 2, 3].map(|i| {
                    let choice = self.strips[i].options[rest % counts[i]];
                    rest /= counts[i];
                    if hidden == Some(i) {
                        Choice::rough(-HIDDEN_COST)
                    } else {
                        choice
                    }
                });
                let seen: f64 = choices.iter().map(|choice| choice.score).sum();
                if best.is_some_and(|best| seen + MOST_POCKET_EVIDENCE <= best.score) {
                    continue;
                }
                let (choices, agreement) = agree(choices, width);
                let here = Combination {
                    score: 0.0,
                    plain: 0.0,
                    choices,
                    hidden,
                };
                let Some(quad) = self.quad_of(&here, &choices.map(|c| c.line), sides_are_long, size) else {
                    continue;
                };
                let plain = seen + agreement - strangeness(&quad, size);
                if best.is_some_and(|best| plain + MOST_POCKET_EVIDENCE <= best.score) {
                    continue;
                }
                let score = plain + pocket_evidence(planes, shade, lens, &quad);
                if best.is_none_or(|best| score > best.score) {
                    best = Some(Combination { score, plain, ..here });
                }
            }
        }
        let best = best?;
        let lines = best.choices.map(|choice| choice.line);
        let quad = self.quad_of(&best, &lines, sides_are_long, size)?;
        let seen: f64 = best
            .choices
            .iter()
            .filter_map(|choice| choice.edge)
            .map(|edge| edge.strength)
            .sum();
        let confidence =
            0.5 * (0.25 * seen + pocket_evidence(planes, shade, lens, &quad).max(0.0) / MOST_POCKET_EVIDENCE);
        let common = common_cushion(&best.choices);
        let cloth = quad
            .inset(-common * width * self.strips[0].spacing_px)
            .unwrap_or(quad);
        Some(Noses {
            quad: shown_quad(lens, &quad),
            lens: *lens,
            cloth: shown_quad(lens, &cloth),
            hidden: best.hidden,
            rising: best.choices.map(|choice| choice.edge.map(|edge| edge.rising)),
            score: best.score,
            plain_score: best.plain,
            confidence: confidence.clamp(0.0, 1.0),
        })
    }

    fn quad_of(
        &self,
        combination: &Combination,
        lines: &[Line; 4],
        sides_are_long: [bool; 4],
        picture_size: DVec2,
    ) -> Option<Quad> {
        let placed = [0, 1, 2, 3].map(|i| self.strips[i].in_pinhole(lines[i]));
        let corner = |i: usize, j: usize| meet(placed[i].0, placed[i].1, placed[j].0, placed[j].1);
        let quad = Quad::new([corner(3, 0)?, corner(0, 1)?, corner(1, 2)?, corner(2, 3)?]);
        match combination.hidden {
            None => Some(quad),
            Some(hidden) => with_side_completed(&quad, hidden, sides_are_long[hidden], picture_size),
        }
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

/// The most that [`pocket_evidence`] says.
const MOST_POCKET_EVIDENCE: f64 = 3.0;

/// What is where the pockets should be: 3 where all six are dark holes with cloth before them, 0 where nothing tells,
/// less where cloth is in their place.
fn pocket_evidence(planes: &Planes, shade: &Shade, lens: &Lens, quad: &Quad) -> f64 {
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
        let center = lens.bent(pocket.center);
        let hole: f64 = around
            .iter()
            .filter_map(|offset| color_near(planes, center + DVec2::from(*offset)))
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
        let cloth = color_near(planes, lens.bent(before))
            .map_or(0.0, |color| if shade.covers(color) { 0.2 } else { -0.1 });
        evidence += 0.3 * hole / 9.0 + cloth;
    }
    evidence
}
