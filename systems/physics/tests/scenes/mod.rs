//! Shots that the tests and the bench play: random, but the same on every machine and every run.

#![allow(dead_code, reason = "each test and the bench use a part of it")]

use ghostball_physics::{
    BallBallModel, BallProperties, BallState, CushionModel, Physics, Strike, TableShape, strike,
};
use glam::DVec2;

/// A table with balls on it, one of which moves.
#[derive(Clone, Debug)]
pub struct Scene {
    pub table: TableShape,
    pub physics: Physics,
    pub balls: Vec<BallState>,
}

/// Random numbers after Steele, Lea & Flood, Fast splittable pseudorandom number generators (2014).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// At least `low`, less than `high`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn chance(&mut self, probability: f64) -> bool {
        self.between(0.0, 1.0) < probability
    }
}

/// The game whose break is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Game {
    EightBall,
    NineBall,
    Snooker,
}

impl Game {
    pub const ALL: [Self; 3] = [Self::EightBall, Self::NineBall, Self::Snooker];

    fn ball(self) -> BallProperties {
        match self {
            Self::EightBall | Self::NineBall => BallProperties::default(),
            Self::Snooker => BallProperties {
                radius: 0.026_25,
                mass: 0.14,
                ..BallProperties::default()
            },
        }
    }

    /// Length and width of the playing surface, metres.
    fn surface(self) -> (f64, f64) {
        match self {
            Self::EightBall | Self::NineBall => (2.54, 1.27),
            Self::Snooker => (3.569, 1.778),
        }
    }

    /// The balls to break, the foremost first, their neighbours `gap` metres apart.
    fn rack(self, gap: f64) -> Vec<DVec2> {
        let pitch = 2.0 * self.ball().radius + gap;
        let rows = |head: f64, counts: &[u32]| -> Vec<DVec2> {
            let mut balls = Vec::new();
            let mut x = head;
            for &count in counts {
                for place in 0..count {
                    let y = pitch * (f64::from(place) - 0.5 * f64::from(count - 1));
                    balls.push(DVec2::new(x, y));
                }
                x += pitch * 0.75_f64.sqrt();
            }
            balls
        };
        match self {
            Self::EightBall => rows(0.635, &[1, 2, 3, 4, 5]),
            Self::NineBall => rows(0.635, &[1, 2, 3, 2, 1]),
            Self::Snooker => {
                let pink = 0.892;
                let mut balls = rows(pink + pitch + 1e-3, &[1, 2, 3, 4, 5]);
                let colors = [(pink, 0.0), (0.0, 0.0), (1.46, 0.0)];
                let baulk = [(-1.047, 0.0), (-1.047, 0.292), (-1.047, -0.292)];
                balls.extend(colors.into_iter().chain(baulk).map(DVec2::from));
                balls
            }
        }
    }
}

fn angle(direction: DVec2) -> f64 {
    libm::atan2(direction.y, direction.x)
}

/// A break from near the head string, soft to very hard, full in the face to a miss, with any spin; the
/// rack touches, is tight by a nanometre, or has gaps up to a millimetre.
pub fn random_break(game: Game, seed: u64) -> Scene {
    let mut random = Random::new(seed);
    let ball = game.ball();
    let (length, width) = game.surface();
    let ball_ball = if random.chance(0.2) {
        BallBallModel::FrictionlessElastic
    } else {
        BallBallModel::Frictional
    };
    let cushion = if random.chance(0.2) {
        CushionModel::Han
    } else {
        CushionModel::StrongeCompliant
    };
    let gap = match random.between(0.0, 4.0) {
        kind if kind < 1.0 => 0.0,
        kind if kind < 2.0 => 1e-9,
        kind if kind < 3.0 => 1e-5,
        _ => random.between(0.0, 1e-3),
    };
    let mut places = game.rack(gap);
    if random.chance(0.5) {
        for place in &mut places {
            // Neighbours come nearer by less than the gap.
            let shift = 0.35 * gap;
            *place += DVec2::new(random.between(-shift, shift), random.between(-shift, shift));
        }
    }
    let cue = DVec2::new(
        -length * random.between(0.25, 0.27),
        width * random.between(-0.2, 0.2),
    );
    let full = (places[0] - cue).normalize();
    let off_line = if random.chance(0.3) {
        0.0
    } else {
        random.between(-1.8, 1.8) * ball.radius
    };
    let (velocity, spin) = strike(
        &ball,
        &Strike {
            stick_speed: random.between(0.6, 7.0),
            direction: angle(places[0] + off_line * full.perp() - cue),
            offset_left: random.between(-0.5, 0.5),
            offset_up: random.between(-0.5, 0.5),
            elevation: random.between(0.0, 0.1),
            ..Strike::default()
        },
    );
    let mut balls: Vec<BallState> = places.into_iter().map(BallState::at_rest).collect();
    balls.push(BallState::moving(cue, velocity, spin));
    Scene {
        table: TableShape::pool(length, width, ball.radius),
        physics: Physics {
            ball,
            ball_ball,
            cushion,
        },
        balls,
    }
}

/// The cue ball hits an 8-ball rack at 8 m/s, a little off its middle: the balls lie 33 to 88 µm apart.
pub fn eight_ball_break() -> Scene {
    let mut random = Random::new(8);
    let ball = BallProperties::default();
    let mut places = Game::EightBall.rack(6e-5);
    for place in &mut places {
        *place += DVec2::new(random.between(-1e-5, 1e-5), random.between(-1e-5, 1e-5));
    }
    let cue = DVec2::new(-0.635, 0.1);
    let velocity = 8.0 * (places[0] + DVec2::new(0.0, 0.004) - cue).normalize();
    let mut balls: Vec<BallState> = places.into_iter().map(BallState::at_rest).collect();
    balls.push(BallState::moving(cue, velocity, glam::DVec3::ZERO));
    Scene {
        table: TableShape::pool(2.54, 1.27, ball.radius),
        physics: Physics::default(),
        balls,
    }
}

/// Sixteen balls anywhere on a seven-foot table; the cue ball is struck with 0.5 to 5.8 m/s in any direction with any
/// spin, as in the reference's random shots.
pub fn sixteen_balls(seed: u64) -> Scene {
    let mut random = Random::new(seed);
    let ball = BallProperties::default();
    let table = TableShape::pool(1.9812, 0.9906, ball.radius);
    let mut places: Vec<DVec2> = Vec::new();
    while places.len() < 16 {
        let reach = 0.5 * DVec2::new(table.length, table.width) - ball.radius - 0.01;
        let place = reach * DVec2::new(random.between(-1.0, 1.0), random.between(-1.0, 1.0));
        if places
            .iter()
            .all(|other| other.distance(place) > 2.0 * ball.radius + 1e-3)
        {
            places.push(place);
        }
    }
    let (velocity, spin) = strike(
        &ball,
        &Strike {
            stick_speed: random.between(0.5, 5.8),
            direction: random.between(0.0, std::f64::consts::TAU),
            offset_left: random.between(-0.5, 0.5),
            offset_up: random.between(-0.5, 0.5),
            elevation: random.between(-0.5, 0.5).max(0.0),
            ..Strike::default()
        },
    );
    let mut balls: Vec<BallState> = places.into_iter().map(BallState::at_rest).collect();
    balls[0] = BallState::moving(balls[0].position, velocity, spin);
    Scene {
        table,
        physics: Physics::default(),
        balls,
    }
}

/// One ball rolled off along the middle of the table: it comes back from one rail.
pub fn straight_shot() -> Scene {
    let ball = BallProperties::default();
    Scene {
        table: TableShape::pool(1.9812, 0.9906, ball.radius),
        physics: Physics::default(),
        balls: vec![BallState::moving(
            DVec2::new(-0.5, 0.0),
            DVec2::new(1.54, 0.0),
            glam::DVec3::ZERO,
        )],
    }
}
