//! The world as physics wants it: a table shape, a ball's properties, and a state per ball.

use ghostball_physics::{BallProperties, BallState, Physics, PocketDimensions, TableShape};
use ghostball_world::{BallKind, PocketName, TableGeometry, TableSpecification, TrackId};
use glam::DVec2;
use serde::{Deserialize, Serialize};

/// Slower than this, m/s, a ball has a few millimetres to go: it is taken to stand.
const STANDING_SPEED: f64 = 0.02;
/// Rounds of pushing overlapping balls apart: each halves what is left of the overlap in a cluster.
const PARTING_ROUNDS: usize = 8;
/// Gap left between balls that were pushed apart, metres: far below what is measured, far above rounding.
const PARTING_GAP: f64 = 1e-6;

/// A ball as tracking believes it to be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BallOnTable {
    /// Its name.
    pub id: TrackId,
    /// What it is.
    pub kind: BallKind,
    /// Centre, metres.
    pub position: DVec2,
    /// Metres per second; zero at rest.
    pub velocity: DVec2,
    /// Seconds since it started from rest; 0 at rest, infinite where nobody saw it start.
    pub moving_secs: f64,
    /// 0 to 1.
    pub confidence: f64,
}

/// Table and balls, ready to be simulated. Keeps its buffers.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Cushions and pockets.
    pub shape: TableShape,
    /// The laws of this table.
    pub physics: Physics,
    /// The balls, in order of name; one with a hole beneath it is not among them.
    pub balls: Vec<BallOnTable>,
    /// Their states, index for index.
    pub states: Vec<BallState>,
    /// What the pockets of `shape` are called.
    pocket_names: Vec<PocketName>,
    geometry: Option<TableGeometry>,
}

impl Scene {
    /// A scene without table or balls, for a table of these laws; the size of the balls will be the table's.
    pub fn new(physics: Physics) -> Self {
        Self {
            shape: TableShape::default(),
            physics,
            balls: Vec::new(),
            states: Vec::new(),
            pocket_names: Vec::new(),
            geometry: None,
        }
    }

    /// Sets the table up; does nothing when it is the same as before. Returns whether it changed.
    pub fn set_table(&mut self, geometry: &TableGeometry) -> bool {
        if self.geometry.as_ref() == Some(geometry) {
            return false;
        }
        let (length, width, radius) = (geometry.length, geometry.width, geometry.ball_radius);
        self.geometry = Some(*geometry);
        self.physics.ball.radius = radius;
        let has_pockets = geometry.pockets_in_image.iter().any(|pocket| pocket.radius > 0.0);
        let shape = if !has_pockets {
            TableShape::without_pockets(length, width, radius)
        } else if length < TableSpecification::LEAST_SNOOKER_LENGTH {
            TableShape::pool(length, width, radius)
        } else {
            TableShape::with_pockets(length, width, radius, &PocketDimensions::snooker(radius))
        };
        self.shape = TableShape {
            cushion_height: geometry.nose_height,
            ..shape
        };
        // Names follow the picture, which may stand on its head or on its side; places do not.
        let centers = geometry.pockets_in_table();
        self.pocket_names.clear();
        self.pocket_names.extend(self.shape.pockets.iter().map(|pocket| {
            let distance = |name: &PocketName| centers[*name as usize].distance_squared(pocket.center);
            let nearest = PocketName::ALL
                .into_iter()
                .min_by(|a, b| distance(a).total_cmp(&distance(b)));
            nearest.unwrap_or(PocketName::TopLeft)
        }));
        true
    }

    /// The table that was set up last.
    pub fn geometry(&self) -> Option<&TableGeometry> {
        self.geometry.as_ref()
    }

    /// Name of a pocket of the shape.
    pub fn pocket_name(&self, index: usize) -> PocketName {
        self.pocket_names
            .get(index)
            .copied()
            .unwrap_or(PocketName::TopLeft)
    }

    /// Puts the balls on the table, in order of name. Measured places overlap cushions and each other by a millimetre
    /// or so: they are moved apart.
    pub fn set_balls(&mut self, balls: impl Iterator<Item = BallOnTable>) {
        self.balls.clear();
        self.balls.extend(balls.filter(|ball| {
            let is_known = ball.position.is_finite() && ball.velocity.is_finite();
            is_known && !falls(&self.shape, ball.position, self.physics.ball.radius)
        }));
        self.balls.sort_unstable_by_key(|ball| ball.id);
        self.part();
        let properties = self.physics.ball;
        self.states.clear();
        self.states
            .extend(self.balls.iter().map(|ball| state_of(ball, &properties)));
    }

    /// Whether any ball moves.
    pub fn moves(&self) -> bool {
        self.states.iter().any(|state| state.motion.is_moving())
    }

    fn part(&mut self) {
        let radius = self.physics.ball.radius;
        let apart = 2.0 * radius + PARTING_GAP;
        for _ in 0..PARTING_ROUNDS {
            let mut overlaps = false;
            for b in 1..self.balls.len() {
                for a in 0..b {
                    let between = self.balls[b].position - self.balls[a].position;
                    let distance = between.length();
                    if distance < 2.0 * radius {
                        let push = 0.5 * (apart - distance) * between.normalize_or(DVec2::X);
                        self.balls[a].position -= push;
                        self.balls[b].position += push;
                        overlaps = true;
                    }
                }
            }
            for ball in &mut self.balls {
                keep_on_bed(&self.shape, &mut ball.position, radius);
            }
            if !overlaps {
                break;
            }
        }
    }
}

/// Whether a pocket takes a ball at `position`: it is over the hole, or behind the line of the noses at its mouth, where
/// nothing but the hole is left to it.
fn falls(shape: &TableShape, position: DVec2, radius: f64) -> bool {
    let behind = if is_within(shape, position, 0.0) {
        0.0
    } else {
        radius
    };
    shape
        .pockets
        .iter()
        .any(|pocket| position.distance(pocket.center) < pocket.radius + behind)
}

/// Whether `position` lies between the lines of the noses, or behind them by no more than `behind`, metres.
pub fn is_within(shape: &TableShape, position: DVec2, behind: f64) -> bool {
    let reach = 0.5 * DVec2::new(shape.length, shape.width) + DVec2::splat(behind);
    position.abs().cmple(reach).all()
}

/// Draws a ball back from the cushion it was measured to be in, and from the rounded jaws at the pockets, where there is
/// no nose.
pub fn keep_on_bed(shape: &TableShape, position: &mut DVec2, radius: f64) {
    let at_pocket = is_within(shape, *position, 0.0)
        && shape
            .pockets
            .iter()
            .any(|pocket| position.distance(pocket.center) < pocket.radius + 2.0 * radius);
    if !at_pocket {
        let reach = 0.5 * DVec2::new(shape.length, shape.width) - DVec2::splat(radius + PARTING_GAP);
        *position = position.clamp(-reach.max(DVec2::ZERO), reach.max(DVec2::ZERO));
    }
    for jaw in &shape.jaws {
        let off = *position - jaw.center;
        let apart = jaw.radius + radius + PARTING_GAP;
        if off.length() < apart {
            *position = jaw.center + apart * off.normalize_or(-position.normalize_or(DVec2::X));
        }
    }
}

/// A ball's state with the spin it most likely has.
///
/// A ball that starts from rest, struck in its middle or hit by another, has no spin at first and slides: friction
/// μ g takes speed from it and adds spin, so that after `t` seconds at speed `v` its slip has come down from v + μ g t to
/// v − 2.5 μ g t (Marlow, The Physics of Pocket Billiards, 1995, ch. 5: slip decays by 3.5 μ g). Once that is nothing, it
/// rolls. Side spin cannot be seen and is left out.
pub fn state_of(ball: &BallOnTable, properties: &BallProperties) -> BallState {
    let speed = ball.velocity.length();
    if speed < STANDING_SPEED {
        return BallState::at_rest(ball.position);
    }
    let friction = properties.sliding_friction * properties.gravity;
    let slip = speed - 2.5 * friction * ball.moving_secs;
    if slip <= 0.0 {
        return BallState::rolling(ball.position, ball.velocity, properties);
    }
    let rolling_share = 1.0 - slip / speed;
    let spin = (rolling_share / properties.radius) * ball.velocity.perp();
    BallState::moving(ball.position, ball.velocity, spin.extend(0.0))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use ghostball_physics::BallMotion;
    use ghostball_world::{TableSighting, TableSpecification};

    /// A nine-foot table seen straight from above, 500 pixels per metre.
    pub(crate) fn geometry() -> TableGeometry {
        let sighting = TableSighting::from_above(DVec2::new(2.54, 1.27), 0.028575, 500.0);
        TableGeometry::from_sighting(&sighting, &TableSpecification::default()).unwrap()
    }

    pub(crate) fn ball(id: u32, kind: BallKind, x: f64, y: f64) -> BallOnTable {
        BallOnTable {
            id: TrackId(id),
            kind,
            position: DVec2::new(x, y),
            velocity: DVec2::ZERO,
            moving_secs: 0.0,
            confidence: 1.0,
        }
    }

    pub(crate) fn scene(balls: &[BallOnTable]) -> Scene {
        let mut scene = Scene::new(Physics::default());
        scene.set_table(&geometry());
        scene.set_balls(balls.iter().copied());
        scene
    }

    #[test]
    fn pockets_are_called_as_in_the_picture() {
        let scene = scene(&[]);
        let names: Vec<_> = (0..6).map(|index| scene.pocket_name(index)).collect();
        assert_eq!(names, PocketName::ALL);
    }

    #[test]
    fn a_full_size_snooker_table_has_its_own_pockets_and_noses_are_as_high_as_they_are_known_to_be() {
        let specification = TableSpecification {
            length: 3.569,
            width: 1.778,
            nose_height: Some(0.034),
            ..TableSpecification::default()
        };
        let sighting = TableSighting::from_above(DVec2::new(3.569, 1.778), 0.026_25, 300.0);
        let geometry = TableGeometry::from_sighting(&sighting, &specification).unwrap();
        let mut scene = Scene::new(Physics::default());
        scene.set_table(&geometry);
        let radius = geometry.ball_radius;
        assert!((scene.shape.pockets[0].radius / radius - 0.0445 / 0.026_25).abs() < 1e-9);
        assert_eq!(scene.shape.cushion_height, 0.034);
    }

    #[test]
    fn balls_measured_into_each_other_or_a_cushion_are_moved_apart() {
        let scene = scene(&[
            ball(1, BallKind::Red, 0.3, 0.0),
            ball(2, BallKind::Red, 0.355, 0.0),
            ball(3, BallKind::Red, 0.5, 0.62),
        ]);
        let place = |n: usize| scene.balls[n].position;
        assert!(place(0).distance(place(1)) >= 2.0 * scene.physics.ball.radius);
        assert!(place(2).y <= 0.635 - scene.physics.ball.radius);
    }

    #[test]
    fn a_ball_over_a_hole_is_left_out_and_order_is_by_name() {
        let scene = scene(&[
            ball(7, BallKind::Red, 0.3, 0.0),
            ball(3, BallKind::Red, 0.0, 0.0),
            ball(5, BallKind::Red, 1.28, 0.64),
        ]);
        let ids: Vec<u32> = scene.balls.iter().map(|ball| ball.id.0).collect();
        assert_eq!(ids, [3, 7]);
    }

    #[test]
    fn a_ball_believed_behind_the_noses_is_taken_by_the_pocket_there_or_drawn_back() {
        let scene = scene(&[
            ball(1, BallKind::Red, 0.075, 0.66),
            ball(2, BallKind::Red, 0.15, 0.66),
            ball(3, BallKind::Red, 3.0, -0.2),
        ]);
        let ids: Vec<u32> = scene.balls.iter().map(|ball| ball.id.0).collect();
        assert_eq!(ids, [2, 3]);
        let radius = scene.physics.ball.radius;
        assert!(scene.balls[0].position.y <= 0.635 - radius);
        assert!(scene.balls[1].position.x <= 1.27 - radius);
    }

    #[test]
    fn a_ball_slides_at_first_and_rolls_later() {
        let moving = |moving_secs| BallOnTable {
            velocity: DVec2::X,
            moving_secs,
            ..ball(1, BallKind::Cue, 0.0, 0.0)
        };
        let state = |moving_secs| scene(&[moving(moving_secs)]).states[0];
        assert_eq!(state(0.0).motion, BallMotion::Sliding);
        assert_eq!(state(0.0).spin.length(), 0.0);
        // 1 m/s over 2.5 · 0.2 · 9.81.
        assert_eq!(state(0.19).motion, BallMotion::Sliding);
        assert_eq!(state(0.21).motion, BallMotion::Rolling);
    }
}
