//! What is on the table at one instant, to be rendered.

use ghostball_world::BallKind;
use glam::{DQuat, DVec2, DVec3};

/// A ball on the bed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SceneBall {
    /// Names the ball in the truth.
    pub id: u32,
    /// What it is.
    pub kind: BallKind,
    /// Its number, 1 to 15, on a pool ball other than the cue ball.
    pub number: Option<u8>,
    /// Its centre, metres in table space.
    pub position_in_table: DVec2,
    /// Metres per second; blurs the ball where the shutter stays open.
    pub velocity_in_table: DVec2,
    /// Whether the truth calls it moving.
    pub is_moving: bool,
    /// How it is turned: of unit length. The body's z axis passes through its printed numbers, its y axis through the
    /// white caps of a stripe.
    pub table_from_body: DQuat,
}

impl SceneBall {
    /// A ball at rest with a number facing up.
    pub fn at_rest(id: u32, kind: BallKind, number: Option<u8>, position_in_table: DVec2) -> Self {
        Self {
            id,
            kind,
            number,
            position_in_table,
            velocity_in_table: DVec2::ZERO,
            is_moving: false,
            table_from_body: DQuat::IDENTITY,
        }
    }
}

/// A cue stick over the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SceneCue {
    /// Foremost point of the tip, metres in table space.
    pub tip: DVec3,
    /// Where it points, seen from above: of unit length.
    pub direction: DVec2,
    /// How much the butt is higher than the tip, radians.
    pub elevation: f64,
    /// Metres.
    pub length: f64,
}

impl SceneCue {
    /// Length of a usual cue, metres (58 inches).
    pub const USUAL_LENGTH: f64 = 1.47;

    /// Rear end, metres in table space.
    pub fn butt(&self) -> DVec3 {
        let (sin, cos) = libm::sincos(self.elevation);
        self.tip + self.length * (-self.direction * cos).extend(sin)
    }
}

/// A player's arm that reaches over the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SceneArm {
    /// The knuckles, seen from above, metres in table space.
    pub hand_in_table: DVec2,
    /// Where the fingers point, seen from above: of unit length.
    pub direction: DVec2,
    /// How far the fingers are spread: 0 (closed) to 0.4.
    pub spread: f64,
    /// Share of the forearm that no sleeve covers, 0 to 1.
    pub bare_share: f64,
    /// sRGB.
    pub skin: [u8; 3],
    /// sRGB.
    pub sleeve: [u8; 3],
}

/// Everything that is not fixed to the table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene {
    /// Balls on the bed, none inside another.
    pub balls: Vec<SceneBall>,
    /// The cue stick, while it is over the table.
    pub cue: Option<SceneCue>,
    /// An arm over the table, above the balls and the stick.
    pub arm: Option<SceneArm>,
    /// Balls that lie in a pocket, where they are seen from above: none of the truth's balls.
    pub potted: Vec<SceneBall>,
}
