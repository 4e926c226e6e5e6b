//! A table as a body in space: what the camera sees and what the balls run on have the same measures.

use core::f64::consts::{FRAC_1_SQRT_2, FRAC_PI_2, FRAC_PI_4};

use ghostball_physics::{PocketDimensions, TableShape};
use ghostball_world::{BallSet, TableSpecification};
use glam::DVec2;

use crate::Game;

/// One cushion seen from above.
#[derive(Clone, Debug, PartialEq)]
pub struct CushionOutline {
    /// A convex polygon, metres in table space.
    corners_in_table: Vec<DVec2>,
    /// Its least and greatest coordinates.
    bounds: [DVec2; 2],
    /// A point of the nose, and the unit vector from the nose to the back.
    nose_in_table: DVec2,
    outward: DVec2,
}

/// Measures of a table, metres; heights above the bed.
#[derive(Clone, Debug, PartialEq)]
pub struct TableModel {
    /// What the balls meet; it fixes the playing surface, the noses' height and the pockets.
    pub shape: TableShape,
    /// Radius of a ball.
    pub ball_radius: f64,
    /// Which balls are used.
    pub ball_set: BallSet,
    /// From nose to back of a cushion.
    pub cushion_width: f64,
    /// From the back of the cushion to the outer edge of the table.
    pub rail_width: f64,
    /// Height of the rails' upper side.
    pub rail_height: f64,
    /// Six, or four on a carom table.
    pub cushions: Vec<CushionOutline>,
}

/// Width of the cushions of a table without pockets.
const CAROM_CUSHION: f64 = 0.0508;

impl TableModel {
    /// The table this game is played on: WPA nine-foot pool, WPBSA twelve-foot snooker, UMB match carom.
    pub fn for_game(game: Game) -> Self {
        match game {
            Game::EightBall | Game::NineBall => Self::sized(game, 2.54, 1.27, 0.028_575),
            Game::Snooker => Self::sized(game, 3.569, 1.778, 0.026_25),
            Game::Carom => Self::sized(game, 2.84, 1.42, 0.030_75),
        }
    }

    /// A table for this game with another playing surface and balls of another radius, metres; pockets suit the balls.
    pub fn sized(game: Game, length: f64, width: f64, ball_radius: f64) -> Self {
        let ball_set = match game {
            Game::EightBall | Game::NineBall => BallSet::AmericanPool,
            Game::Snooker => BallSet::Snooker,
            Game::Carom => BallSet::Carom,
        };
        let pockets = match game {
            Game::EightBall | Game::NineBall => Some(PocketDimensions::pool(ball_radius)),
            Game::Snooker => Some(PocketDimensions::snooker(ball_radius)),
            Game::Carom => None,
        };
        let shape = match &pockets {
            Some(pockets) => TableShape::with_pockets(length, width, ball_radius, pockets),
            None => TableShape::without_pockets(length, width, ball_radius),
        };
        let half = 0.5 * DVec2::new(length, width);
        Self {
            cushion_width: pockets.map_or(CAROM_CUSHION, |pockets| pockets.cushion_depth),
            cushions: match &pockets {
                Some(pockets) => six_cushions(half, pockets),
                None => four_cushions(half, CAROM_CUSHION),
            },
            rail_width: 0.095,
            rail_height: shape.cushion_height + 0.005,
            shape,
            ball_radius,
            ball_set,
        }
    }

    /// As configuration has it.
    pub fn specification(&self) -> TableSpecification {
        TableSpecification {
            length: self.shape.length,
            width: self.shape.width,
            ball_radius: Some(self.ball_radius),
            nose_height: Some(self.shape.cushion_height),
            ball_set: self.ball_set,
        }
    }

    /// Half the playing surface: its corner at positive x and y.
    pub fn half_size(&self) -> DVec2 {
        0.5 * DVec2::new(self.shape.length, self.shape.width)
    }

    /// Half of the whole table seen from above.
    pub fn half_outer_size(&self) -> DVec2 {
        self.half_size() + DVec2::splat(self.cushion_width + self.rail_width)
    }

    /// Corners of the playing surface, TL TR BR BL in a picture that has x to the right and y up.
    pub fn corners_in_table(&self) -> [DVec2; 4] {
        corners_of(self.half_size())
    }
}

fn corners_of(half: DVec2) -> [DVec2; 4] {
    let DVec2 { x, y } = half;
    [
        DVec2::new(-x, y),
        DVec2::new(x, y),
        DVec2::new(x, -y),
        DVec2::new(-x, -y),
    ]
}

fn four_cushions(half: DVec2, depth: f64) -> Vec<CushionOutline> {
    let inner = corners_of(half);
    let back = inner.map(|corner| corner + DVec2::splat(depth) * corner.signum());
    (0..4)
        .map(|i| {
            let j = (i + 1) % 4;
            CushionOutline::new(
                vec![inner[i], inner[j], back[j], back[i]],
                inner[i],
                (inner[j] - inner[i]).perp().normalize_or_zero(),
            )
        })
        .collect()
}

fn six_cushions(half: DVec2, pockets: &PocketDimensions) -> Vec<CushionOutline> {
    let depth = pockets.cushion_depth;
    let corner = End {
        mouth_point: pockets.corner.width * FRAC_1_SQRT_2,
        angle: FRAC_PI_4 - pockets.corner.angle,
        rounding: pockets.corner.jaw_radius,
    };
    let middle = End {
        mouth_point: 0.5 * pockets.middle.width,
        angle: FRAC_PI_2 - pockets.middle.angle,
        rounding: pockets.middle.jaw_radius,
    };
    // The upper right long cushion and the right short one; the others are their mirror images.
    let mut long = middle.outline(depth);
    long.extend(
        corner
            .outline(depth)
            .iter()
            .rev()
            .map(|p| DVec2::new(half.x - p.x, p.y)),
    );
    long.iter_mut().for_each(|p| p.y += half.y);
    let mut short = corner.outline(depth);
    short.extend(
        corner
            .outline(depth)
            .iter()
            .rev()
            .map(|p| DVec2::new(2.0 * half.y - p.x, p.y)),
    );
    short
        .iter_mut()
        .for_each(|p| *p = DVec2::new(half.x + p.y, half.y - p.x));
    let mirrored = |corners: &[DVec2], nose: DVec2, outward: DVec2, sx: f64, sy: f64| {
        let mirror = DVec2::new(sx, sy);
        CushionOutline::new(
            corners.iter().map(|corner| *corner * mirror).collect(),
            nose * mirror,
            outward * mirror,
        )
    };
    let above = |sx, sy| mirrored(&long, half, DVec2::Y, sx, sy);
    let beside = |sx| mirrored(&short, half, DVec2::X, sx, 1.0);
    vec![
        above(-1.0, 1.0),
        above(1.0, 1.0),
        beside(1.0),
        above(1.0, -1.0),
        above(-1.0, -1.0),
        beside(-1.0),
    ]
}

/// The end of a cushion at a pocket: x along the nose away from the middle of the mouth, y from the nose backwards.
struct End {
    /// Where nose and jaw would meet if they were not rounded.
    mouth_point: f64,
    /// By how much the jaw is turned back from the nose.
    angle: f64,
    /// Radius of the rounding between both.
    rounding: f64,
}

impl End {
    /// From the back over the jaw and its rounding to the nose.
    fn outline(&self, depth: f64) -> Vec<DVec2> {
        const STEPS: u32 = 6;
        let (sin, cos) = libm::sincos(self.angle);
        let center = DVec2::new(
            self.mouth_point + self.rounding * libm::tan(0.5 * self.angle),
            self.rounding,
        );
        let around = |turn: f64| {
            let (sin, cos) = libm::sincos(turn);
            center - self.rounding * DVec2::new(sin, cos)
        };
        let jaw_start = around(self.angle);
        let reach = ((depth - jaw_start.y) / sin).max(0.0);
        let mut outline = vec![jaw_start + reach * DVec2::new(-cos, sin)];
        outline.extend((0..=STEPS).map(|i| around(self.angle * (1.0 - f64::from(i) / f64::from(STEPS)))));
        outline
    }
}

impl CushionOutline {
    fn new(corners_in_table: Vec<DVec2>, nose_in_table: DVec2, outward: DVec2) -> Self {
        let wide = [DVec2::INFINITY, DVec2::NEG_INFINITY];
        let bounds = corners_in_table
            .iter()
            .fold(wide, |[low, high], corner| [low.min(*corner), high.max(*corner)]);
        Self {
            corners_in_table,
            bounds,
            nose_in_table,
            outward,
        }
    }

    /// Whether a point lies on the cushion; its border belongs to it.
    pub fn contains(&self, point_in_table: DVec2) -> bool {
        let [low, high] = self.bounds;
        if point_in_table.cmplt(low).any() || point_in_table.cmpgt(high).any() {
            return false;
        }
        let corners = &self.corners_in_table;
        let depth = self.outward.dot(point_in_table - self.nose_in_table);
        if depth < 0.0 {
            return false;
        }
        let (mut is_left, mut is_right) = (true, true);
        for (i, corner) in corners.iter().enumerate() {
            let next = corners[(i + 1) % corners.len()];
            let side = (next - corner).perp_dot(point_in_table - corner);
            is_left &= side >= 0.0;
            is_right &= side <= 0.0;
        }
        is_left || is_right
    }

    /// Distance of a point from the line of the nose, metres, towards the back.
    pub fn depth_at(&self, point_in_table: DVec2) -> f64 {
        self.outward.dot(point_in_table - self.nose_in_table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_of_a_cushion_is_what_balls_meet() {
        for game in Game::ALL {
            let table = TableModel::for_game(game);
            let is_cushion = |at: DVec2| table.cushions.iter().any(|cushion| cushion.contains(at));
            for segment in &table.shape.cushions {
                let middle = 0.5 * (segment.start + segment.end);
                assert!(is_cushion(middle - 1e-4 * segment.normal), "{game:?} {middle}");
                assert!(!is_cushion(middle + 1e-4 * segment.normal), "{game:?} {middle}");
            }
        }
    }

    #[test]
    fn pockets_lie_outside_the_playing_surface() {
        for game in Game::ALL {
            let table = TableModel::for_game(game);
            let half = table.half_size();
            assert_eq!(table.shape.pockets.len(), if game == Game::Carom { 0 } else { 6 });
            for pocket in &table.shape.pockets {
                let center = pocket.center.abs();
                assert!(center.x > half.x || center.y > half.y, "{game:?}");
            }
        }
    }
}
