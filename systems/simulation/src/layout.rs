//! Balls as they lie about: for pictures of every situation, not only of those that one game passes through.

use core::f64::consts::TAU;

use glam::{DQuat, DVec2, DVec3};

use crate::rack::{Placed, rack};
use crate::{Game, Player, Random, Scene, SceneArm, SceneBall, SceneCue, TableModel};

/// How the balls of a scene were put there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// As before the first shot.
    Racked,
    /// Some moment of a game, balls in motion and the player's stick included.
    Played,
    /// Anywhere.
    Spread,
    /// In touching clusters.
    Clustered,
    /// Along the cushions, most of them frozen to one.
    Frozen,
    /// Some in the jaws of the pockets.
    InJaws,
    /// At most three.
    Few,
}

impl Layout {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Racked,
        Self::Played,
        Self::Spread,
        Self::Clustered,
        Self::Frozen,
        Self::InJaws,
        Self::Few,
    ];

    /// A scene of this kind.
    pub fn scene(self, game: Game, table: &TableModel, random: &mut Random) -> Scene {
        if self == Self::Played {
            let mut scene = Scene::default();
            let until = random.between(1.0, 40.0);
            Player::new(game, table.clone(), random.next_u64()).play_until(until, &mut scene);
            return scene;
        }
        let mut balls = rack(game, table, random);
        if self != Self::Racked {
            balls = self.scattered(&balls, table, random);
        }
        let balls = balls.iter().zip(1..).map(|(ball, id)| SceneBall {
            table_from_body: any_turn(random),
            ..SceneBall::at_rest(id, ball.kind, ball.number, ball.position_in_table)
        });
        let balls: Vec<SceneBall> = balls.collect();
        let cue = random.chance(0.25).then(|| any_cue(&balls, table, random));
        Scene {
            balls,
            cue,
            ..Scene::default()
        }
    }

    /// Some of the balls, elsewhere.
    fn scattered(self, racked: &[Placed], table: &TableModel, random: &mut Random) -> Vec<Placed> {
        let mut set = racked.to_vec();
        random.shuffle(&mut set[1..]);
        let count = match self {
            Self::Few => random.below(4).min(set.len()),
            _ => 1 + random.below(set.len()),
        };
        let mut balls: Vec<Placed> = Vec::new();
        for ball in &set[..count] {
            // Where there is no room left, the ball has been potted.
            let place = (0..60)
                .map(|_| self.any_place(&balls, table, random))
                .find(|place| is_free(*place, &balls, table));
            balls.extend(place.map(|position_in_table| Placed {
                position_in_table,
                ..*ball
            }));
        }
        balls
    }

    fn any_place(self, balls: &[Placed], table: &TableModel, random: &mut Random) -> DVec2 {
        let (half, radius) = (table.half_size(), table.ball_radius);
        let reach = half - radius;
        let anywhere = DVec2::new(
            random.between(-reach.x, reach.x),
            random.between(-reach.y, reach.y),
        );
        let odds = random.unit();
        let neighbour = (!balls.is_empty()).then(|| balls[random.below(balls.len())].position_in_table);
        // Frozen is within a tenth of a millimetre.
        let gap = if random.chance(0.6) {
            random.between(1e-6, 1e-4)
        } else {
            random.between(0.0, 0.006)
        };
        match (self, neighbour) {
            (Self::Clustered, Some(neighbour)) if odds < 0.75 => touching(neighbour, radius, gap, random),
            (Self::Frozen, Some(neighbour)) if odds < 0.2 => touching(neighbour, radius, gap, random),
            (Self::Frozen, _) if odds < 0.8 => {
                let side = if random.chance(0.5) { 1.0 } else { -1.0 };
                if random.chance(0.6) {
                    DVec2::new(anywhere.x, side * (reach.y - gap))
                } else {
                    DVec2::new(side * (reach.x - gap), anywhere.y)
                }
            }
            (Self::InJaws, _) if odds < 0.6 && !table.shape.pockets.is_empty() => {
                let pocket = &table.shape.pockets[random.below(table.shape.pockets.len())];
                // From the edge of the hole up to a ball's width before the mouth.
                let is_in_corner = f64::from(pocket.center.x.abs() > 0.1);
                let inward = DVec2::new(
                    -is_in_corner * pocket.center.x.signum(),
                    -pocket.center.y.signum(),
                )
                .normalize();
                let before = pocket.radius + random.between(0.001, 2.0 * radius);
                pocket.center + before * inward + random.between(-1.0, 1.0) * radius * inward.perp()
            }
            _ => anywhere,
        }
    }
}

/// An arm from any side of the table: the bridge hand, one that points or takes a ball.
pub(crate) fn any_arm(table: &TableModel, random: &mut Random) -> SceneArm {
    let half = table.half_size();
    let hand_in_table = DVec2::new(random.between(-half.x, half.x), random.between(-half.y, half.y));
    // From the nearer long rail, at any angle that a player reaches.
    let inward = if hand_in_table.y < 0.0 {
        DVec2::Y
    } else {
        DVec2::NEG_Y
    };
    let (sin, cos) = libm::sincos(random.between(-0.9, 0.9));
    let skins = [
        [224, 172, 138],
        [198, 134, 96],
        [141, 85, 54],
        [92, 58, 40],
        [240, 200, 172],
    ];
    let sleeve = [0; 3].map(|_| random.between(8.0, 235.0) as u8);
    SceneArm {
        hand_in_table,
        direction: DVec2::new(cos, sin).rotate(inward),
        spread: random.between(0.0, 0.4),
        bare_share: random.between(0.05, 1.0),
        skin: skins[random.below(skins.len())],
        sleeve,
    }
}

/// Up to four of the balls that are not on the table, in its pockets.
pub(crate) fn any_potted(
    game: Game,
    table: &TableModel,
    on_table: &[SceneBall],
    random: &mut Random,
) -> Vec<SceneBall> {
    let pockets = &table.shape.pockets;
    let is_gone = |ball: &Placed| {
        let same = |on: &&SceneBall| (on.kind, on.number) == (ball.kind, ball.number);
        on_table.iter().filter(same).count() == 0
    };
    let mut gone: Vec<Placed> = rack(game, table, random).into_iter().filter(is_gone).collect();
    random.shuffle(&mut gone);
    gone.truncate(if pockets.is_empty() { 0 } else { random.below(5) });
    let lying = gone.iter().map(|ball| {
        let pocket = &pockets[random.below(pockets.len())];
        let reach = 0.6 * (pocket.radius - table.ball_radius).max(0.0);
        let aside = DVec2::new(random.between(-reach, reach), random.between(-reach, reach));
        SceneBall {
            table_from_body: any_turn(random),
            ..SceneBall::at_rest(0, ball.kind, ball.number, pocket.center + aside)
        }
    });
    lying.collect()
}

fn touching(neighbour: DVec2, radius: f64, gap: f64, random: &mut Random) -> DVec2 {
    let (sin, cos) = libm::sincos(random.between(0.0, TAU));
    neighbour + (2.0 * radius + gap) * DVec2::new(cos, sin)
}

/// Whether a ball can lie there: in no cushion, over no hole, in no other ball.
fn is_free(place: DVec2, balls: &[Placed], table: &TableModel) -> bool {
    let (shape, radius) = (&table.shape, table.ball_radius);
    let from_segment = |start: DVec2, end: DVec2| {
        let way = end - start;
        let share = ((place - start).dot(way) / way.length_squared()).clamp(0.0, 1.0);
        place.distance(start + share * way)
    };
    let is_in_mouth = || {
        shape
            .pockets
            .iter()
            .any(|pocket| pocket.center.distance(place) < pocket.radius + 2.5 * radius)
    };
    (shape.holds(place, 0.0) || is_in_mouth())
        && shape
            .cushions
            .iter()
            .all(|cushion| from_segment(cushion.start, cushion.end) >= radius - 1e-9)
        && shape
            .jaws
            .iter()
            .all(|jaw| jaw.center.distance(place) >= jaw.radius + radius)
        && shape
            .pockets
            .iter()
            .all(|pocket| pocket.center.distance(place) > pocket.radius)
        && balls
            .iter()
            .all(|ball| ball.position_in_table.distance(place) > 2.0 * radius)
}

fn any_turn(random: &mut Random) -> DQuat {
    let axis = DVec3::new(random.normal(), random.normal(), random.normal()).normalize_or(DVec3::Z);
    DQuat::from_axis_angle(axis, random.between(0.0, TAU))
}

/// A stick behind the first ball, or wherever one is carried over the table.
fn any_cue(balls: &[SceneBall], table: &TableModel, random: &mut Random) -> SceneCue {
    let (sin, cos) = libm::sincos(random.between(0.0, TAU));
    let direction = DVec2::new(cos, sin);
    let half = table.half_size();
    let (tip, height) = match balls.first() {
        Some(ball) if random.chance(0.7) => {
            let before = table.ball_radius + random.between(0.005, 0.15);
            (ball.position_in_table - before * direction, table.ball_radius)
        }
        _ => (
            DVec2::new(random.between(-half.x, half.x), random.between(-half.y, half.y)),
            random.between(0.07, 0.2),
        ),
    };
    SceneCue {
        tip: tip.extend(height),
        direction,
        // Over what lies in its way, and over the rail.
        elevation: random.between(0.06, 0.25),
        length: SceneCue::USUAL_LENGTH,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balls_lie_in_nothing_and_the_layouts_are_what_they_are_called() {
        for game in Game::ALL {
            let table = TableModel::for_game(game);
            for seed in 0..40 {
                for layout in Layout::ALL {
                    let scene = layout.scene(game, &table, &mut Random::from_seed(seed));
                    for (i, ball) in scene.balls.iter().enumerate() {
                        for other in &scene.balls[..i] {
                            let distance = ball.position_in_table.distance(other.position_in_table);
                            assert!(
                                distance > 2.0 * table.ball_radius - 1e-6,
                                "{layout:?} {seed} {distance}"
                            );
                        }
                    }
                    if layout == Layout::Few {
                        assert!(scene.balls.len() <= 3);
                    }
                }
            }
        }
        let table = TableModel::for_game(Game::EightBall);
        let scenes = |layout: Layout| {
            (0..40).map(move |seed| {
                layout.scene(
                    Game::EightBall,
                    &TableModel::for_game(Game::EightBall),
                    &mut Random::from_seed(seed),
                )
            })
        };
        let in_jaws = scenes(Layout::InJaws).flat_map(|scene| scene.balls);
        assert!(
            in_jaws
                .filter(|ball| !table.shape.holds(ball.position_in_table, table.ball_radius))
                .count()
                > 20
        );
        let frozen = scenes(Layout::Frozen).flat_map(|scene| scene.balls);
        let is_frozen = |ball: &SceneBall| {
            let beside = table.half_size() - ball.position_in_table.abs() - table.ball_radius;
            beside.min_element() < 1.1e-4
        };
        assert!(frozen.filter(is_frozen).count() > 60);
    }
}
