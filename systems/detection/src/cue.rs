//! The cue stick over the table.
//!
//! A stick is a long, straight, thin bar that comes from outside: two nearly parallel edges, one the mirror of the
//! other, 10 to 30 mm apart (0.17 to 0.7 ball diameters), with nothing but stick, hand or arm between its tip and the
//! border.
//!
//! 1. `bars`: edges that face each other at a stick's width; those of balls (`ball_map`) are left out.
//! 2. `lines`: the straight lines along which such places lie.
//! 3. `walk`: each line is followed from the border inwards, to the tip.
//! 4. `slice`: at full resolution, the stick's middle and width across the line; `beyond`: the same past the border, where
//!    little is seen before it; `axis`: the straight line through them; `tip`: where that ends.
//!
//! Lines drawn or projected on the cloth are too thin, arms too wide and not straight, cables not straight either,
//! planks and rulers neither come from outside nor taper, shadows are cloth.

mod axis;
mod ball_map;
mod bars;
mod beyond;
mod lines;
mod slice;
mod tip;
mod walk;

use ghostball_world::{BallSighting, CueSighting, Planes, TableSighting};
use glam::DVec2;

use crate::balls::edges::Edge;
use crate::balls::work::WorkPicture;
use crate::cloth::ClothModel;
use crate::median::upper_median;
use crate::quad::Quad;
use crate::sample::color_of;
use axis::axis_through;
use ball_map::BallMap;
use bars::BarFinder;
use beyond::Inner;
use lines::{Line, LineFinder};
use slice::{Slice, least_difference, slice_at};
use tip::tip_near;
use walk::{LEAST_LONE_SLIM, LEAST_SHORT, LEAST_SLIM, Reach, Seen, lone, walk};

/// Distance of a stick's edges by a ball's diameter: least and most.
const WIDTH: [f64; 2] = [0.17, 0.7];
/// Of the bars that a stick gives, one for two pixels of its length, so many are asked for by pixel of the least length.
const LEAST_BARS: f64 = 0.3;
/// A line is followed from this near the noses, ball diameters: farther out are the edges of the noses.
const MARGIN: f64 = 0.4;
/// Lines that are followed, at most, until one of them is this surely a stick.
const MOST_LINES: usize = 6;
const SURE: f64 = 0.9;
/// Places along a stick where it is measured.
const SLICES: usize = 48;
/// Greatest share of those at which there may be a shadow only.
const MOST_SHADED: f64 = 0.5;
/// How far, in the median, a stick's middle may be from a straight line, ball diameters: half a pixel or so.
const STRAIGHT: f64 = 0.02;
/// How much wider the butt's half of a stick is than the tip's, at least: tips of 9 to 13 mm, butts of 29 mm give 1.4
/// and more.
const LEAST_TAPER: f64 = 1.2;
/// So many slices that are too thin for a stick are a line, where two in a row are not.
const LINE: usize = 3;
/// A stick is so many times wider than such a line, at least; a cable does not change its width at once.
const ABRUPT: f64 = 1.5;

/// Finds the cue stick. Holds buffers.
#[derive(Clone, Debug, Default)]
pub struct CueFinder {
    ball_map: BallMap,
    bars: BarFinder,
    lines: LineFinder,
    /// Where along the line that is followed both edges of a stick are seen.
    is_stick: Vec<bool>,
    /// What lies across the line that is followed, and where along it, pixels.
    slices: Vec<(f64, Slice)>,
    /// Where along the line, and how far beside it, the stick's middle is, pixels.
    middles: Vec<(f64, f64)>,
    /// Of which a median is taken: widths, distances, differences.
    values: Vec<f64>,
}

/// What a stick is looked for in.
#[derive(Clone, Copy, Debug)]
pub struct CueScene<'a> {
    /// The picture.
    pub planes: &'a Planes<'a>,
    /// The table in it.
    pub table: &'a TableSighting,
    /// What the cloth looks like in this picture.
    pub cloth: &'a ClothModel,
    /// The picture's part with the table, reduced.
    pub work: &'a WorkPicture,
    /// The edges in that.
    pub edges: &'a [Edge],
    /// The balls in the picture: a stick ends where a ball begins.
    pub balls: &'a [BallSighting],
}

impl CueFinder {
    /// A finder without buffers yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The stick over this table; `None` where there is none.
    pub fn find(&mut self, scene: &CueScene) -> Option<CueSighting> {
        let diameter_px = 2.0 * scene.table.ball_radius_px;
        let quad = Quad::new(scene.table.corners_in_image);
        if !(diameter_px.is_finite() && diameter_px > 2.0) {
            return None;
        }
        let bed = quad.inset(MARGIN * diameter_px)?;
        let scale = scene.work.scale as f64;
        let diameter = diameter_px / scale;
        let size = [scene.work.width, scene.work.height];
        // Half a pixel either way is the grid's error.
        let widths = [WIDTH[0] * diameter - 0.5, WIDTH[1] * diameter + 0.5];
        self.ball_map.draw(scene.balls, scene.work);
        let is_wanted = |edge: &Edge| self.ball_map.is_beside([edge.x, edge.y]);
        self.bars
            .find(scene.edges, size, widths.map(|w| w as f32), is_wanted);
        let least = (LEAST_BARS * LEAST_SHORT * diameter) as usize;
        self.lines.start(&self.bars.bars, size);
        let mut best: Option<CueSighting> = None;
        for _ in 0..MOST_LINES {
            let Some(line) = self.lines.next(least) else { break };
            let found = self.follow(&line, scene, &quad, &bed);
            if let Some(cue) = found
                && best.is_none_or(|best| cue.confidence > best.confidence)
            {
                best = Some(cue);
            }
            if best.is_some_and(|best| best.confidence >= SURE) {
                break;
            }
        }
        best
    }

    /// Follows a line from both borders of the bed inwards.
    fn follow(&mut self, line: &Line, scene: &CueScene, quad: &Quad, bed: &Quad) -> Option<CueSighting> {
        let scale = scene.work.scale as f64;
        let diameter_px = 2.0 * scene.table.ball_radius_px;
        let center = DVec2::from(scene.work.in_image(line.center.x, line.center.y));
        let (from, to) = crossing(bed, center, line.along)?;
        // Cells are pixels of the work picture.
        let cells = ((to - from) / scale) as usize + 1;
        self.is_stick.clear();
        self.is_stick.resize(cells, false);
        for bar in &self.lines.held {
            let (along, _) = line.locate(bar.middle.as_dvec2());
            // Bars are two pixels apart along a level edge, up to three along a slanting one.
            let cell = along - from / scale;
            for cell in [cell - 1.0, cell, cell + 1.0] {
                if let Some(is_stick) = self.is_stick.get_mut((cell + 0.5).max(0.0) as usize) {
                    *is_stick = true;
                }
            }
        }
        let look = |cell: usize| {
            if self.is_stick[cell] {
                Seen::Stick
            } else {
                cover_at(scene, center + (from + scale * cell as f64) * line.along)
            }
        };
        let diameter = diameter_px / scale;
        let ways = [
            walk(cells, diameter, look).map(|reach| (reach, from, 1.0)),
            walk(cells, diameter, |cell| look(cells - 1 - cell)).map(|reach| (reach, to, -1.0)),
        ];
        let from_outside = ways.into_iter().flatten().max_by_key(|(reach, ..)| reach.slim);
        let axis = [center, line.along];
        if let Some((reach, border, sign)) = from_outside {
            if !reach.is_short() && self.lines.held.len() < (LEAST_BARS * LEAST_SLIM * diameter) as usize {
                return None;
            }
            let tip = border + sign * scale * reach.tip as f64;
            let (cue, _) = self.measure(scene, axis, [from, border, tip], &reach)?;
            let outward = cue.butt_in_image - cue.tip_in_image;
            return Some(CueSighting {
                butt_in_image: quad.leave(cue.tip_in_image, outward).unwrap_or(cue.butt_in_image),
                ..cue
            });
        }
        // A stick that lies on the table, or is held over it from afar: of all straight bars only sticks taper.
        let slim = self.is_stick.iter().filter(|is_stick| **is_stick).count();
        if (slim as f64) < LEAST_LONE_SLIM * diameter {
            return None;
        }
        let (ends, reach) = lone(cells, diameter, look)?;
        let [first, last] = ends.map(|cell| from + scale * cell as f64);
        let (cue, widening) = self.measure(scene, axis, [from, last, first], &reach)?;
        if widening >= LEAST_TAPER {
            return Some(cue);
        }
        let (cue, widening) = self.measure(scene, axis, [from, first, last], &reach)?;
        (widening >= LEAST_TAPER).then_some(cue)
    }

    /// Where the stick is exactly: its axis from slices across it, its tip along that. And how much wider its half
    /// at the butt is than that at the tip.
    fn measure(
        &mut self,
        scene: &CueScene,
        [center, along]: [DVec2; 2],
        [from, border, tip]: [f64; 3],
        reach: &Reach,
    ) -> Option<(CueSighting, f64)> {
        let diameter_px = 2.0 * scene.table.ball_radius_px;
        self.slice(scene, [center, along], [from, border, tip]);
        // The whole bed at most: where edges are faint, the stick goes on past the last that were seen.
        let (mut tip, mut reach, mut inwards_px) = (tip, *reach, scene.planes.luma.width as f64);
        let line = self.leave_line(diameter_px);
        if let Some(LineAhead { stick_ends, begins }) = line {
            let cell = |at: f64| ((at - from) / scene.work.scale as f64).max(0.0) as usize;
            let [end, border] = [stick_ends, border].map(cell);
            let cells = self.is_stick.get(end.min(border)..end.max(border))?;
            let slim = cells.iter().filter(|is_stick| **is_stick).count();
            reach = reach.cut_to(cells.len(), slim)?;
            (tip, inwards_px) = (stick_ends, (begins - stick_ends).abs());
        }
        let width_px = self.width_px(diameter_px)?;
        let widening = self.widening(tip, border, width_px);
        self.middles.clear();
        self.middles
            .extend(self.slices.iter().map(|(at, slice)| (*at, slice.off)));
        // Where a line begins at the border, what is left of it there may look like the end of a stick.
        if reach.is_short() || line.is_some() {
            let inner = Inner {
                center,
                along,
                border,
                middle: self.middle()?,
                outward: (border - tip).signum(),
                width_px,
                diameter_px,
                least: least_difference(scene.cloth),
            };
            let seen = beyond::follow(scene.planes, &inner, &mut self.middles)?;
            reach = reach.with_beyond(seen as f64 * beyond::STEP);
        }
        let (axis, typical) = axis_through(&self.middles, &mut self.values)?;
        let bend = typical / (STRAIGHT * diameter_px);
        if bend > 1.0 {
            return None;
        }
        let place = |at: f64| center + at * along + axis.at(at) * along.perp();
        let outward = (place(border) - place(tip)).normalize_or_zero();
        let cue = CueSighting {
            tip_in_image: tip_near(scene, place(tip), outward, inwards_px, &mut self.values),
            butt_in_image: place(border),
            confidence: reach.confidence() * (1.0 - bend * bend),
        };
        Some((cue, widening))
    }

    /// How wide it is; `None` where no stick is so thin or so wide, or a shadow may be all that is seen.
    fn width_px(&mut self, diameter_px: f64) -> Option<f64> {
        self.values.clear();
        self.values
            .extend(self.slices.iter().map(|(_, slice)| slice.width));
        let width_px = upper_median(&mut self.values)?;
        let shaded = self.slices.iter().filter(|(_, slice)| slice.is_shade).count();
        let is_shadow = shaded as f64 > MOST_SHADED * self.slices.len() as f64;
        let is_stick = (WIDTH[0]..=WIDTH[1]).contains(&(width_px / diameter_px)) && !is_shadow;
        is_stick.then_some(width_px)
    }

    /// How much wider its half at the border is than that at the tip. A half of which nothing is seen is taken to be as wide as
    /// it usually is.
    fn widening(&self, tip: f64, border: f64, width_px: f64) -> f64 {
        let mut widths = [(0.0, 0); 2];
        for (at, slice) in &self.slices {
            let (sum, count) = &mut widths[usize::from((at - tip).abs() > (at - border).abs())];
            (*sum, *count) = (*sum + slice.width, *count + 1);
        }
        let [at_tip, at_border] = widths.map(|(sum, count)| {
            if count > 0 {
                sum / f64::from(count)
            } else {
                width_px
            }
        });
        at_border / at_tip
    }

    /// The middle of what is seen of it: along the line, and beside it.
    fn middle(&mut self) -> Option<(f64, f64)> {
        let mut median = |of: fn(&(f64, f64)) -> f64| {
            self.values.clear();
            self.values.extend(self.middles.iter().map(of));
            upper_median(&mut self.values)
        };
        Some((median(|(at, _)| *at)?, median(|(_, off)| *off)?))
    }

    /// Looks across the line where both edges of a stick are seen, from `tip` to `border`.
    fn slice(&mut self, scene: &CueScene, [center, along]: [DVec2; 2], [from, border, tip]: [f64; 3]) {
        let diameter_px = 2.0 * scene.table.ball_radius_px;
        self.slices.clear();
        for i in 0..SLICES {
            let at = tip + (border - tip) * (i as f64 + 0.5) / SLICES as f64;
            let cell = ((at - from) / scene.work.scale as f64) as usize;
            if self.is_stick.get(cell) != Some(&true) {
                continue;
            }
            let place = center + at * along;
            if let Some(slice) = slice_at(scene.planes, scene.cloth, place, along.perp(), diameter_px) {
                self.slices.push((at, slice));
            }
        }
    }

    /// The line that goes on from the stick, as a predicted path does that is projected: thinner than any stick. `None` without
    /// one. Leaves the slices that belong to the stick.
    fn leave_line(&mut self, diameter_px: f64) -> Option<LineAhead> {
        let is_stick = |(_, slice): &(f64, Slice)| slice.width >= WIDTH[0] * diameter_px;
        let first = self.slices.windows(2).position(|two| two.iter().all(is_stick))?;
        if first < LINE {
            return None;
        }
        let mut width = |slices: &[(f64, Slice)]| {
            self.values.clear();
            self.values.extend(slices.iter().map(|(_, slice)| slice.width));
            upper_median(&mut self.values)
        };
        let (line, stick) = self.slices.split_at(first);
        if width(stick)? < ABRUPT * width(line)? {
            return None;
        }
        let ahead = LineAhead {
            stick_ends: self.slices[first].0,
            begins: self.slices[first - 1].0,
        };
        self.slices.drain(..first);
        Some(ahead)
    }
}

/// A line that goes on from a stick's tip; places along it, pixels.
#[derive(Clone, Copy, Debug)]
struct LineAhead {
    /// Where the stick is seen last.
    stick_ends: f64,
    /// Where the line is seen first.
    begins: f64,
}

/// Whether cloth, lit or shaded, is here.
fn cover_at(scene: &CueScene, at: DVec2) -> Seen {
    let [x, y] = [at.x, at.y].map(|v| (v + 0.5).max(0.0) as usize);
    if x >= scene.planes.luma.width || y >= scene.planes.luma.height {
        return Seen::Cloth;
    }
    let color = color_of(scene.planes, x, y).map(f32::from);
    if scene.cloth.is_covered(x as f32, y as f32, color) {
        Seen::Covered
    } else {
        Seen::Cloth
    }
}

/// Where a line enters and leaves a quadrilateral, pixels along it.
fn crossing(quad: &Quad, center: DVec2, along: DVec2) -> Option<(f64, f64)> {
    let (mut from, mut to) = (f64::NEG_INFINITY, f64::INFINITY);
    for (a, b) in quad.sides() {
        let side = b - a;
        let (inside, speed) = (side.perp_dot(center - a), side.perp_dot(along));
        if speed.abs() < f64::EPSILON {
            continue;
        }
        let at = -inside / speed;
        if speed > 0.0 {
            from = from.max(at);
        } else {
            to = to.min(at);
        }
    }
    (from.is_finite() && to.is_finite() && from < to).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balls::BallFinder;
    use crate::fixture::{Drawn, draw};
    use ghostball_world::{BallSet, CircleInImage, Homography};

    fn look(drawn: &Drawn) -> (Option<CueSighting>, Homography) {
        let picture = draw(drawn);
        let planes = picture.planes().unwrap();
        let halves = [[-1.0, -0.5], [1.0, -0.5], [1.0, 0.5], [-1.0, 0.5]].map(DVec2::from);
        let map = Homography::from_four_points(&halves, &drawn.corners_in_image).unwrap();
        let table = TableSighting {
            corners_in_image: drawn.corners_in_image,
            pockets_in_image: [CircleInImage::default(); 6],
            ball_radius_px: drawn.ball_radius * map.scale_at(DVec2::ZERO),
            lens: None,
            confidence: 1.0,
        };
        let mut cloth = ClothModel::new();
        cloth.learn(&planes, &table.corners_in_image);
        let mut balls = Vec::new();
        let mut finder = BallFinder::new(&table, [picture.width(), picture.height()], BallSet::Auto);
        finder.find(&planes, &cloth, &mut balls);
        let (work, edges) = finder.edges();
        let scene = CueScene {
            planes: &planes,
            table: &table,
            cloth: &cloth,
            work,
            edges,
            balls: &balls,
        };
        (CueFinder::new().find(&scene), map)
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
                cue.tip_in_image.distance(expected) < 2.0,
                "{cue:?}, tip expected at {expected}"
            );
            let direction = (cue.tip_in_image - cue.butt_in_image).normalize();
            let drawn = (expected - map.apply(stick[1])).normalize();
            assert!(direction.dot(drawn) > libm::cos(0.005), "{direction} {drawn}");
        }
    }

    #[test]
    fn a_tip_over_the_bed_that_goes_on_beyond_the_border_is_a_stick() {
        let tip = DVec2::new(-0.94, 0.15);
        let of_length = |length: f64| {
            look(&Drawn {
                stick: Some([tip, tip + length * DVec2::new(-0.9, 0.436)]),
                ..Drawn::default()
            })
        };
        let (cue, map) = of_length(0.3);
        let cue = cue.unwrap();
        assert!(cue.tip_in_image.distance(map.apply(tip)) < 2.0, "{cue:?}");
        let direction = (cue.tip_in_image - cue.butt_in_image).normalize();
        let drawn = (map.apply(tip) - map.apply(tip + DVec2::new(-0.18, 0.0872))).normalize();
        assert!(direction.dot(drawn) > libm::cos(0.03), "{direction} {drawn}");
        // A finger, or chalk on the rail.
        assert_eq!(of_length(0.08).0, None);
    }

    #[test]
    fn a_predicted_path_that_is_projected_before_a_stick_does_not_lengthen_it() {
        let [tip, butt, end] = [[-0.3, 0.02], [-1.3, 0.3], [0.35, -0.162]].map(DVec2::from);
        let (cue, map) = look(&Drawn {
            stick: Some([tip, butt]),
            line: Some([tip, end]),
            ..Drawn::default()
        });
        let cue = cue.unwrap();
        assert!(
            cue.tip_in_image.distance(map.apply(tip)) < 6.0,
            "{cue:?} {}",
            map.apply(tip)
        );
    }

    #[test]
    fn a_table_with_balls_alone_has_no_stick() {
        assert_eq!(look(&Drawn::default()).0, None);
    }

    #[test]
    fn a_stick_that_lies_on_the_cloth_is_seen_with_its_tip_at_the_thin_end() {
        let stick = [[-0.4, -0.1], [0.4, 0.12]].map(DVec2::from);
        for [tip, butt] in [stick, [stick[1], stick[0]]] {
            let (cue, map) = look(&Drawn {
                stick: Some([tip, butt]),
                ..Drawn::default()
            });
            let cue = cue.unwrap();
            assert!(cue.tip_in_image.distance(map.apply(tip)) < 3.0, "{cue:?}");
            assert!(cue.butt_in_image.distance(map.apply(butt)) < 12.0, "{cue:?}");
        }
    }

    #[test]
    fn a_ruler_on_the_cloth_is_no_stick() {
        let ruler = [[-0.4, 0.03], [0.3, 0.045]].map(DVec2::from);
        assert_eq!(
            look(&Drawn {
                clutter: Some(ruler),
                ..Drawn::default()
            })
            .0,
            None
        );
    }
}
