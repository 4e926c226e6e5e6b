//! Components of the cue stick's entity, which exists while a cue is seen over the table.

use bevy_ecs::component::Component;
use glam::DVec2;
use serde::{Deserialize, Serialize};

use crate::TrackId;

/// Marks the entity of the cue stick.
#[derive(Component, Clone, Copy, Debug, Default)]
#[require(CuePose, CueState, AimedAt)]
pub struct Cue;

/// The ball that the stick points at.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AimedAt(pub Option<TrackId>);

/// The stick seen from straight above, metres in table space.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CuePose {
    /// The end towards the ball.
    pub tip_in_table: DVec2,
    /// The far end of what is seen of the stick; it may lie outside the table.
    pub butt_in_table: DVec2,
    /// 0 to 1.
    pub confidence: f64,
    /// Standard deviation of the direction, radians, as it is not seen from above how high the stick is held: much near a rail.
    pub direction_sigma: f64,
}

impl CuePose {
    /// Unit vector from butt to tip; `None` where both coincide.
    pub fn direction_in_table(&self) -> Option<DVec2> {
        (self.tip_in_table - self.butt_in_table).try_normalize()
    }

    /// Direction from butt to tip, radians counter-clockwise from the table's x axis, −π to π; 0 without a direction.
    pub fn angle(&self) -> f64 {
        let direction = self.direction_in_table().unwrap_or(DVec2::X);
        libm::atan2(direction.y, direction.x)
    }
}

/// The stick as seen in the current frame, pixels.
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CueInImage {
    /// The end towards the ball.
    pub tip_in_image: DVec2,
    /// The far end of what is seen of the stick.
    pub butt_in_image: DVec2,
}

/// What the player does with the cue.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CueState {
    /// Lies or rests without pointing at a ball.
    #[default]
    Resting,
    /// Points at a ball.
    Aiming,
    /// Points at a ball and swings to and fro behind it.
    Practising,
    /// Reaches the ball it points at, or has just struck it.
    Striking,
}

impl CueState {
    /// What kind of stroke goes on: `practice` or `strike`.
    pub const fn stroke(self) -> Option<&'static str> {
        match self {
            Self::Resting | Self::Aiming => None,
            Self::Practising => Some("practice"),
            Self::Striking => Some("strike"),
        }
    }

    /// As the contract spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resting => "resting",
            Self::Aiming | Self::Practising => "aiming",
            Self::Striking => "striking",
        }
    }
}
