//! Finding the table in one frame with no help.
//!
//! Coarse to fine: the area of cloth on a grid of some 256 cells (`area`), then the cushion noses along its four
//! sides (`cushions`), pockets and ball size.

mod area;
mod ball_size;
mod bend;
mod cushions;
mod distance;
pub(crate) mod line;
pub(crate) mod noses;
mod outline;
mod perspective;
mod pockets;
mod shade;
mod strip;

use ghostball_world::{
    BallSet, BallSighting, CircleInImage, Lens, Planes, TableGeometry, TableSighting, TableSpecification,
};
use glam::DVec2;

use bend::{shown_quad, straight_quad};
use cushions::Noses;
use perspective::{aspect_of, is_side_long, with_side_completed};
use pockets::{PocketPlaces, Pockets, SeenBalls};
use shade::Grain;

use crate::TableNotFound;
use crate::balls::BallFinder;
use crate::balls::size::{BallScale, COMMON_SHARE};
use crate::cloth::ClothModel;
use crate::quad::Quad;

/// Pixels both ways below which no table is looked for: balls would be smaller than 2 pixels.
const LEAST_SIZE: usize = 96;
/// Length by width that an outline of noses may have, whatever the perspective.
const ASPECT: std::ops::Range<f64> = 1.5..2.7;
/// Areas of cloth tried before the best is taken.
const MOST_AREAS: usize = 5;
/// Most rounds per area: the noses found in one make a better outline for the next. The third is for tables of which the
/// second brought a side into sight that the first outline had out of reach.
const ROUNDS: usize = 3;
/// By how much the score rises where a side comes into sight.
const A_SIDE: f64 = 1.0;
/// Confidence below which nothing was seen but a plain area.
const LEAST_CONFIDENCE: f64 = 0.15;
/// Score of the sides from which no second round is made: all four show rail and nose where they belong; and from which
/// no other area is tried: three do, and the fourth in part.
const SURE: f64 = 4.4;
const LIKELY: f64 = 3.6;
/// Evidence of the balls' size from which it is only refined: two lone balls, or a cluster.
const SURE_OF_SIZE: u32 = 5;
/// The noses are known within this many pixels before they are traced.
const TRACE_REACH_PX: f64 = 2.5;

/// How far off corners set by hand can be, by the table's length: some pixels.
const HAND_REACH: f64 = 0.006;
/// Height of the noses by a ball's radius (WPA: 63.5 % of its diameter).
const NOSE_BY_RADIUS: f64 = 1.27;

/// Finds the table in a frame. Holds buffers that are used again.
#[derive(Clone, Debug, Default)]
pub struct TableFinder {
    areas: area::AreaFinder,
    cushions: cushions::CushionFinder,
    noses: noses::NoseTracer,
    cloth: ClothModel,
    balls: ball_size::BallSizer,
    ball_scale: BallScale,
    ball_evidence: u32,
    ball_by_length: Option<f64>,
    balls_seen: Vec<BallSighting>,
    pockets: Option<Pockets>,
}

impl TableFinder {
    /// A finder without buffers yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells the radius of a ball by the table's length, where that is known: it is then not measured.
    pub fn set_ball_by_length(&mut self, ball_by_length: Option<f64>) {
        self.ball_by_length = ball_by_length;
    }

    /// What the cloth looks like in the picture of the table found last.
    pub fn cloth(&self) -> &ClothModel {
        &self.cloth
    }

    /// Where the cushion noses were seen in the table found last: places in image space, pixels, in clockwise order,
    /// for the top, right, bottom and left side. Up to some 200 a side, none at the pockets; none on a side that
    /// is hidden. Each is right within a fraction of a pixel, and lies where the lens puts it: a straight nose may look
    /// bent.
    pub fn nose_points(&self) -> [&[DVec2]; 4] {
        self.noses.sides().each_ref().map(|side| side.points.as_slice())
    }

    /// Finds the table in one frame: the playing surface between the noses, the pockets, and about the size of a ball,
    /// which [`TableFinder::measure_ball`] makes exact.
    pub fn find(&mut self, planes: &Planes) -> Result<TableSighting, TableNotFound> {
        let (width, height) = (planes.luma.width, planes.luma.height);
        if width.min(height) < LEAST_SIZE {
            return Err(TableNotFound::PictureTooSmall {
                expected: LEAST_SIZE,
                width,
                height,
            });
        }
        let no_cushions = |found| TableNotFound::NoCushions { found };
        let mut found = Err(no_cushions(0.0));
        for grain in Grain::ALL {
            let seen = self.noses_seen(planes, grain);
            // Closer looks see more of everything, so that they have to see a table.
            let is_likely = seen.as_ref().is_ok_and(|noses| noses.plain_score >= LIKELY);
            if is_likely || found.is_err() {
                found = seen;
            }
            if is_likely || !self.areas.is_with_floor() {
                break;
            }
        }
        let noses = found?;
        let aspect = aspect_of(&noses.quad);
        let is_small = noses.quad.area() < area::LEAST_SHARE * (width * height) as f64;
        if !ASPECT.contains(&aspect) || is_small || noses.confidence < LEAST_CONFIDENCE {
            return Err(no_cushions(aspect));
        }
        let mut quad = self
            .noses
            .trace(planes, &noses.lens, &noses.quad, noses.rising, TRACE_REACH_PX);
        if let Some(hidden) = noses.hidden {
            // The sides that are seen are known better now; a part of the hidden one may be seen as well.
            let size = DVec2::new(width as f64, height as f64);
            let seen = straight_quad(&noses.lens, &quad);
            let is_long = is_side_long(&seen, hidden);
            let completed = with_side_completed(&seen, hidden, is_long, size);
            quad = completed.map_or(quad, |completed| shown_quad(&noses.lens, &completed));
            quad = self
                .noses
                .trace(planes, &noses.lens, &quad, noses.rising, 2.0 * TRACE_REACH_PX);
        }
        self.sighting_of(planes, quad, noses.confidence)
    }

    /// The most of a table that the areas of one grain lead to.
    fn noses_seen(&mut self, planes: &Planes, grain: Grain) -> Result<Noses, TableNotFound> {
        let areas = self.areas.find(planes, grain)?;
        let mut best: Option<Noses> = None;
        for area in areas.iter().take(MOST_AREAS) {
            let mut outline = area.outline;
            let mut last = None;
            for _ in 0..ROUNDS {
                let Some(noses) = self.cushions.find(planes, &outline, &area.shade) else {
                    break;
                };
                outline = noses.cloth;
                let brings_a_side = last.is_none_or(|last| noses.plain_score > last + A_SIDE);
                last = Some(noses.plain_score);
                if best.is_none_or(|best| noses.score > best.score) {
                    best = Some(noses);
                }
                if noses.plain_score >= SURE || !brings_a_side {
                    break;
                }
            }
            if best.is_some_and(|best| best.plain_score >= LIKELY) {
                break;
            }
        }
        best.ok_or_else(|| TableNotFound::NoCushions {
            found: aspect_of(&areas[0].outline),
        })
    }

    /// The table whose corners are known about, clockwise TL TR BR BL, pixels: what is seen of its noses next to them, its
    /// pockets, about the size of a ball.
    pub fn around(
        &mut self,
        planes: &Planes,
        corners_in_image: [DVec2; 4],
    ) -> Result<TableSighting, TableNotFound> {
        let quad = Quad::new(corners_in_image);
        let reach_px = HAND_REACH * quad.length();
        self.noses.trace(planes, &Lens::NONE, &quad, [None; 4], reach_px);
        self.sighting_of(planes, quad, 1.0)
    }

    fn sighting_of(
        &mut self,
        planes: &Planes,
        quad: Quad,
        confidence: f64,
    ) -> Result<TableSighting, TableNotFound> {
        let map = pockets::image_from_halves(&quad).ok_or_else(|| TableNotFound::NoCushions {
            found: aspect_of(&quad),
        })?;
        self.cloth.learn(planes, &quad.corners);
        let mut table = TableSighting {
            corners_in_image: quad.corners,
            pockets_in_image: pockets::usual(&quad).map(|(usual, _)| usual).unwrap_or_default(),
            ball_radius_px: 0.0,
            lens: None,
            confidence,
        };
        if let Some(ball_by_length) = self.ball_by_length {
            table.ball_radius_px = ball_by_length * quad.length();
        } else {
            (table.ball_radius_px, self.ball_evidence) = self.balls.measure(planes, &quad, &map, &self.cloth);
        }
        Ok(table)
    }

    /// Moves the pockets of the table found last to where they are seen, of any size.
    pub fn find_pockets(&mut self, planes: &Planes, table: &mut TableSighting) {
        self.look_at_pockets(planes, table, None);
        self.place_pockets(table);
    }

    fn look_at_pockets(&mut self, planes: &Planes, table: &TableSighting, balls: Option<SeenBalls>) {
        let places = PocketPlaces::new(planes, table, &self.cloth, balls);
        self.pockets = places.and_then(|places| places.pockets());
    }

    /// Moves them to where they were seen last; by [`TableFinder::measure_ball`]: of a size that the balls fit into, behind those
    /// in their mouths.
    pub fn place_pockets(&self, table: &mut TableSighting) {
        let usual = || pockets::usual(&Quad::new(table.corners_in_image)).map(|(usual, _)| usual);
        let in_image = self.pockets.map(|pockets| pockets.in_image).or_else(usual);
        table.pockets_in_image = in_image.unwrap_or(table.pockets_in_image);
    }

    /// Radius of a ball at the middle of the table found last, pixels, as the ball finder fits it. Looks at the pockets once
    /// more, now that it is known. Costs as much as finding balls twice, a few times where hardly any are seen.
    pub fn measure_ball(&mut self, planes: &Planes, table: &TableSighting) -> f64 {
        let ball_radius_px = self.ball_radius_px(planes, table);
        self.look_behind_balls(planes, table, ball_radius_px);
        ball_radius_px
    }

    /// Looks at the pockets past the balls that lie before them.
    fn look_behind_balls(&mut self, planes: &Planes, table: &TableSighting, ball_radius_px: f64) {
        let quad = Quad::new(table.corners_in_image);
        let radius = 2.0 * ball_radius_px / quad.length();
        // Pockets that were taken for the balls in their mouths would hide them.
        let with_far_pockets = TableSighting {
            pockets_in_image: pockets::farthest(&quad, radius).unwrap_or(table.pockets_in_image),
            ball_radius_px,
            ..*table
        };
        let size = [planes.luma.width as u32, planes.luma.height as u32];
        let mut finder = BallFinder::new(&with_far_pockets, size, BallSet::Auto);
        finder.find_nameless(planes, &self.cloth, &mut self.balls_seen);
        let circles: Vec<CircleInImage> = self.balls_seen.iter().map(|ball| ball.circle).collect();
        let balls = SeenBalls {
            radius,
            in_image: &circles,
        };
        self.look_at_pockets(planes, table, Some(balls));
    }

    fn ball_radius_px(&mut self, planes: &Planes, table: &TableSighting) -> f64 {
        if let Some(ball_by_length) = self.ball_by_length {
            return ball_at_middle(table, ball_by_length);
        }
        let are_narrow = self.pockets.and_then(|pockets| pockets.are_narrow);
        let half_length = 0.5 * Quad::new(table.corners_in_image).length();
        let is_small = table.ball_radius_px < COMMON_SHARE * half_length;
        let suits = are_narrow.is_none_or(|narrow| narrow == is_small);
        let refined = (suits && self.ball_evidence >= SURE_OF_SIZE)
            .then(|| self.ball_scale.refine(planes, table, &self.cloth))
            .flatten()
            .or_else(|| self.ball_scale.measure(planes, table, &self.cloth, are_narrow));
        refined.map_or(table.ball_radius_px, |(radius, _)| radius)
    }
}

/// Apparent radius at the middle of the table of balls with this radius by its length, pixels.
fn ball_at_middle(table: &TableSighting, ball_by_length: f64) -> f64 {
    // A lens shows the middle of the picture larger than its border, or smaller. Lengths by the table's length.
    let specification = TableSpecification {
        length: 1.0,
        width: 0.5,
        ball_radius: Some(ball_by_length),
        nose_height: Some(NOSE_BY_RADIUS * ball_by_length),
        ..TableSpecification::default()
    };
    match (table.lens, TableGeometry::from_sighting(table, &specification)) {
        (Some(_), Ok(geometry)) => geometry.ball_in_image(DVec2::ZERO).radius,
        _ => ball_by_length * Quad::new(table.corners_in_image).length(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Drawn, draw};

    fn worst_corner(drawn: &Drawn) -> f64 {
        let picture = draw(drawn);
        let table = TableFinder::new().find(&picture.planes().unwrap()).unwrap();
        let pairs = table.corners_in_image.iter().zip(&drawn.corners_in_image);
        pairs
            .map(|(found, drawn)| found.distance(*drawn))
            .fold(0.0, f64::max)
    }

    #[test]
    fn the_noses_are_found_on_cloth_of_any_colour() {
        let green = Drawn::default();
        let blue = Drawn {
            cloth: [120.0, 170.0, 80.0],
            rail: [40.0, 128.0, 128.0],
            ..green
        };
        let grey = Drawn {
            cloth: [115.0, 128.0, 128.0],
            floor: [30.0, 128.0, 128.0],
            ..green
        };
        let red = Drawn {
            cloth: [85.0, 110.0, 190.0],
            rail: [120.0, 105.0, 140.0],
            ..green
        };
        for drawn in [green, blue, grey, red] {
            let worst = worst_corner(&drawn);
            assert!(worst < 1.5, "{worst} px with {drawn:?}");
        }
    }

    #[test]
    fn the_noses_are_found_though_a_plank_lies_on_a_cushion() {
        let clutter = Some([[-0.9, -0.56], [-0.1, -0.44]].map(DVec2::from));
        let worst = worst_corner(&Drawn {
            clutter,
            ..Drawn::default()
        });
        assert!(worst < 3.0, "{worst} px");
    }

    #[test]
    fn a_turned_camera_sees_the_same_table() {
        let corners_in_image =
            [[120.0, 40.0], [700.0, 80.0], [680.0, 370.0], [100.0, 330.0]].map(DVec2::from);
        let worst = worst_corner(&Drawn {
            corners_in_image,
            ..Drawn::default()
        });
        assert!(worst < 2.0, "{worst} px");
    }

    #[test]
    fn balls_of_any_size_are_measured() {
        for ball_radius in [0.0225, 0.0256, 0.029] {
            let drawn = Drawn {
                ball_radius,
                ..Drawn::default()
            };
            let picture = draw(&drawn);
            let table = TableFinder::new().find(&picture.planes().unwrap()).unwrap();
            let expected = ball_radius * 0.5 * Quad::new(drawn.corners_in_image).length();
            let ratio = table.ball_radius_px / expected;
            assert!((ratio - 1.0).abs() < 0.08, "{ratio} of {ball_radius}");
        }
    }

    #[test]
    fn a_picture_without_a_table_has_none() {
        let plain = Drawn {
            cloth: [60.0, 128.0, 128.0],
            rail: [60.0, 128.0, 128.0],
            ..Drawn::default()
        };
        let picture = draw(&Drawn {
            corners_in_image: plain.corners_in_image.map(|c| c * 0.01),
            ..plain
        });
        assert!(TableFinder::new().find(&picture.planes().unwrap()).is_err());
    }
}
