//! Where the balls will go.

use bevy_ecs::resource::Resource;
use glam::DVec2;
use serde::{Deserialize, Serialize};

use crate::{PocketName, TrackId};

/// What a prediction starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// Balls that move now.
    Motion,
    /// The cue stick as it is aimed now, struck at an assumed speed.
    Aim,
}

/// What brought a ball onto a stretch of its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PathKind {
    /// The ball's way until its first contact.
    Primary,
    /// After a cushion.
    Reflection,
    /// After another ball.
    Collision,
}

impl PathKind {
    /// As the contract spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Reflection => "reflection",
            Self::Collision => "collision",
        }
    }
}

/// A straight piece of a path, metres in table space. A curved path is a chain of them within 1 mm of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PathLine {
    /// The ball that runs here.
    pub ball: TrackId,
    /// Where the piece begins.
    pub start: DVec2,
    /// Where it ends.
    pub end: DVec2,
    /// What brought the ball here.
    pub kind: PathKind,
    /// 0 to 1.
    pub confidence: f64,
}

/// What a ball will touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PredictedContact {
    /// Another ball.
    Ball(TrackId),
    /// A cushion.
    Cushion,
    /// A pocket: the ball is potted.
    Pocket(PocketName),
}

impl PredictedContact {
    /// As it is told: `ball_ball`, `ball_cushion`, `ball_pocket`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ball(_) => "ball_ball",
            Self::Cushion => "ball_cushion",
            Self::Pocket(_) => "ball_pocket",
        }
    }

    /// The ball that is touched.
    pub const fn ball(self) -> Option<TrackId> {
        match self {
            Self::Ball(other) => Some(other),
            Self::Cushion | Self::Pocket(_) => None,
        }
    }
}

/// A contact to come.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictedCollision {
    /// The ball that runs into something.
    pub ball: TrackId,
    /// What it runs into.
    pub contact: PredictedContact,
    /// Where the ball's centre is at that moment, metres in table space.
    pub position: DVec2,
    /// Angle between the ball's way and the normal of contact, radians, 0 (full) to π/2 (grazing).
    pub angle: f64,
    /// Seconds from now.
    pub time: f64,
    /// 0 to 1.
    pub confidence: f64,
}

/// Where a ball will be when it first touches an object ball.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GhostBall {
    /// The ball that will be there.
    pub ball: TrackId,
    /// Its centre, metres in table space.
    pub position: DVec2,
}

/// Where a ball's way ends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictedRest {
    /// The ball.
    pub ball: TrackId,
    /// Its centre, metres in table space.
    pub position: DVec2,
    /// The pocket that takes it, or `None` where it comes to rest on the cloth.
    pub pocketed: Option<PocketName>,
}

/// How likely a ball falls into a pocket.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The ball.
    pub ball: TrackId,
    /// The pocket.
    pub pocket: PocketName,
    /// 0 to 1.
    pub probability: f64,
}

/// One predicted course of events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// What it starts from.
    pub origin: Origin,
    /// The ball it is about: the aimed one, or the fastest that moves.
    pub ball: TrackId,
    /// Paths of every ball that moves, in order of ball and time.
    pub lines: Vec<PathLine>,
    /// Contacts in order of time.
    pub collisions: Vec<PredictedCollision>,
    /// First contacts with object balls, in order of time.
    pub ghost_balls: Vec<GhostBall>,
    /// End of every ball that moves, in order of ball.
    pub rest: Vec<PredictedRest>,
    /// Pots and their probabilities, in order of ball.
    pub outcomes: Vec<Outcome>,
    /// 0 to 1.
    pub confidence: f64,
}

/// What is predicted from the current frame; `None` when nothing moves and no cue is aimed.
#[derive(Resource, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Predictions {
    /// Newest prediction.
    pub current: Option<Prediction>,
}
