//! Components of a ball entity.

use bevy_ecs::component::Component;
use glam::DVec2;
use serde::{Deserialize, Serialize};

use crate::CircleInImage;

/// Marks the entity of one physical ball that is on the table.
#[derive(Component, Clone, Copy, Debug)]
#[require(
    TrackId,
    BallKind,
    BallNumber,
    PositionInTable,
    VelocityInTable,
    Motion,
    Confidence
)]
pub struct Ball {
    /// Radius in metres.
    pub radius: f64,
}

/// Names one physical ball from the moment it is first seen until it leaves the table. Never reused in a session.
#[derive(
    Component, Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct TrackId(pub u32);

/// What a ball is, as far as it is known.
#[derive(
    Component, Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum BallKind {
    /// Not told yet.
    #[default]
    Unknown,
    /// The cue ball.
    Cue,
    /// Pool, 1 to 7.
    Solid,
    /// Pool, 9 to 15.
    Stripe,
    /// Pool, 8.
    Eight,
    /// Snooker and carom.
    Red,
    /// Snooker and carom.
    Yellow,
    /// Snooker.
    Green,
    /// Snooker.
    Brown,
    /// Snooker.
    Blue,
    /// Snooker.
    Pink,
    /// Snooker.
    Black,
}

impl BallKind {
    /// As the contract spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Cue => "cue",
            Self::Solid => "solid",
            Self::Stripe => "stripe",
            Self::Eight => "eight",
            Self::Red => "red",
            Self::Yellow => "yellow",
            Self::Green => "green",
            Self::Brown => "brown",
            Self::Blue => "blue",
            Self::Pink => "pink",
            Self::Black => "black",
        }
    }

    /// The name of a ball for people and clients: `cue`, `1` to `15` once the number is known, before that `t17`.
    pub fn name_with(self, number: Option<u8>, track_id: TrackId) -> String {
        match (self, number) {
            (Self::Cue, _) => "cue".to_owned(),
            (_, Some(number)) => number.to_string(),
            (_, None) => format!("t{}", track_id.0),
        }
    }
}

/// The number printed on a pool ball (1 to 15), once it is known; `None` for the cue ball and unnumbered sets.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BallNumber(pub Option<u8>);

/// Centre of a ball in table space, metres.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq)]
pub struct PositionInTable(pub DVec2);

/// Velocity of a ball in table space, metres per second.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq)]
pub struct VelocityInTable(pub DVec2);

/// Whether a ball moves.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Motion {
    /// At rest on the cloth.
    #[default]
    Still,
    /// Moving.
    Moving,
}

/// How sure the tracker is that the ball is where it says: 0 to 1.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq)]
pub struct Confidence(pub f64);

/// Where the ball was seen in the current frame. Absent while it is hidden.
#[derive(Component, Clone, Copy, Debug, PartialEq)]
pub struct SeenInImage(pub CircleInImage);

/// The ball was not seen in this many frames in a row, yet is believed to be on the table.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hidden {
    /// Frames since it was last seen; at least 1.
    pub frames: u32,
}
