//! What happens on the table, and shots as a whole.

use std::sync::Arc;
use std::time::Duration;

use bevy_ecs::message::Message;
use glam::DVec2;
use serde::{Deserialize, Serialize};

use crate::{BallKind, PocketName, Prediction, TrackId};

/// A ball as it was known when something happened to it: it may have left the table since.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventBall {
    /// Names the ball.
    pub track_id: TrackId,
    /// What it is.
    pub kind: BallKind,
    /// Its number, 1 to 15, where it has one that is known.
    pub number: Option<u8>,
    /// Where its centre was, metres in table space.
    pub position_in_table: DVec2,
}

impl EventBall {
    /// The ball's name for people and clients, as [`BallSnapshot::name`](crate::BallSnapshot::name).
    pub fn name(&self) -> String {
        self.kind.name_with(self.number, self.track_id)
    }
}

/// The stick as it was seen to strike a ball.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SeenStroke {
    /// Its speed along itself when the tip met the ball, metres per second.
    pub speed: f64,
    /// Where it pointed, radians anticlockwise from the x axis of table space, seen from above.
    pub direction: f64,
    /// How far beside the ball's middle it pointed, in radii, to the player's right positive; how high it hit is not seen from
    /// above.
    pub side: f64,
    /// Practice strokes before it.
    pub practice_strokes: u32,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TableEventKind {
    /// All balls stood, and this one was set in motion, at so many metres per second as soon as that was known; with what was
    /// seen of the stick.
    ShotStarted(EventBall, DVec2, Option<SeenStroke>),
    /// These two balls touched; each is where it was then.
    BallCollision(EventBall, EventBall),
    /// This ball touched a cushion; its position is where its centre was then.
    Cushion(EventBall),
    /// This ball fell into this pocket; its position is where it was seen last.
    Potted(EventBall, PocketName),
    /// This ball was put on the table while no shot was on.
    BallPlaced(EventBall),
    /// The cue ball left the table, and no shot is on: whoever plays next may place it.
    BallInHand(EventBall),
    /// This ball is no longer on the table, and fell into no pocket; its position is where it was seen last.
    BallRemoved(EventBall),
    /// All balls stand again.
    ShotEnded(Arc<Shot>),
    /// This ball was at rest and moves, at so many metres per second. Told to those who ask for motion, not for events.
    Started(EventBall, DVec2),
    /// This ball moved and is at rest. Likewise.
    Stopped(EventBall),
}

impl TableEventKind {
    /// As the contract spells it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ShotStarted(..) => "shot_started",
            Self::BallCollision(..) => "ball_collision",
            Self::Cushion(_) => "cushion",
            Self::Potted(..) => "potted",
            Self::BallPlaced(_) => "ball_placed",
            Self::BallInHand(_) => "ball_in_hand",
            Self::BallRemoved(_) => "ball_removed",
            Self::ShotEnded(_) => "shot_ended",
            Self::Started(..) | Self::Stopped(_) => "motion",
        }
    }

    /// The ball it happened to.
    pub const fn ball(&self) -> Option<&EventBall> {
        match self {
            Self::ShotStarted(ball, ..)
            | Self::BallCollision(ball, _)
            | Self::Cushion(ball)
            | Self::Potted(ball, _)
            | Self::BallPlaced(ball)
            | Self::BallInHand(ball)
            | Self::BallRemoved(ball)
            | Self::Started(ball, _)
            | Self::Stopped(ball) => Some(ball),
            Self::ShotEnded(_) => None,
        }
    }

    /// The other ball of a collision.
    pub const fn other_ball(&self) -> Option<&EventBall> {
        match self {
            Self::BallCollision(_, other) => Some(other),
            _ => None,
        }
    }

    /// Speed, m/s, and direction, radians anticlockwise from the x axis of table space, at which a shot started.
    pub fn launch(&self) -> Option<(f64, f64)> {
        match self {
            Self::ShotStarted(_, velocity, _) => {
                Some((velocity.length(), libm::atan2(velocity.y, velocity.x)))
            }
            _ => None,
        }
    }

    /// What was seen of the stick that started a shot.
    pub const fn stroke(&self) -> Option<&SeenStroke> {
        match self {
            Self::ShotStarted(_, _, stroke) => stroke.as_ref(),
            _ => None,
        }
    }

    /// The ball that starts, with its velocity, metres per second, or stops, without; `None` for what is more than that.
    pub const fn motion(&self) -> Option<(&EventBall, Option<DVec2>)> {
        match self {
            Self::Started(ball, velocity) => Some((ball, Some(*velocity))),
            Self::Stopped(ball) => Some((ball, None)),
            _ => None,
        }
    }

    /// The pocket it happened at.
    pub const fn pocket(&self) -> Option<PocketName> {
        match self {
            Self::Potted(_, pocket) => Some(*pocket),
            _ => None,
        }
    }

    /// The whole shot, where one ended.
    pub fn shot(&self) -> Option<&Shot> {
        match self {
            Self::ShotEnded(shot) => Some(shot),
            _ => None,
        }
    }

    /// Whether it is only a ball that starts or stops.
    pub const fn is_motion(&self) -> bool {
        matches!(self, Self::Started(..) | Self::Stopped(_))
    }
}

/// Something that happened on the table. It is told in the frame in which it is sure, which may be later than `at`.
#[derive(Message, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableEvent {
    /// When it happened, time since the first frame.
    pub at: Duration,
    /// What happened.
    pub kind: TableEventKind,
}

/// A shot, from the first ball that moved until all stood.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Shot {
    /// When the first ball was set in motion, time since the first frame.
    pub started_at: Duration,
    /// When the last ball came to rest, likewise; not before `started_at`.
    pub ended_at: Duration,
    /// The balls as they lay before, in order of their track.
    pub start: Vec<EventBall>,
    /// The balls as they lie after, likewise.
    pub end: Vec<EventBall>,
    /// The ways of the balls that moved, in order of their track.
    pub paths: Vec<ShotPath>,
    /// What was predicted for it: from the stick just before the strike, or else from the balls just after.
    pub prediction: Option<Prediction>,
    /// What happened in it but its start, end and single motions, in the order in which it was told; the first
    /// [`Shot::MOST_EVENTS`].
    pub events: Vec<TableEvent>,
}

/// The way of one ball in a shot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShotPath {
    /// The ball, where it lay before.
    pub ball: EventBall,
    /// Where its centre was when, metres and time since the first frame: the corners of a line that is nowhere farther than
    /// [`ShotPath::TOLERANCE`] from where it was followed. From two to [`ShotPath::MOST_POINTS`].
    pub points: Vec<(Duration, DVec2)>,
}

impl ShotPath {
    /// Metres: half of what is seen of a ball's place on most tables.
    pub const TOLERANCE: f64 = 0.001;
    /// A ball touches a handful of things, and curves between a few of them.
    pub const MOST_POINTS: usize = 64;
}

impl Shot {
    /// No more events are kept of one shot: many times the balls there are.
    pub const MOST_EVENTS: usize = 64;

    /// The name of a ball of this shot for people and clients, also of one that is gone.
    pub fn name_of(&self, ball: TrackId) -> String {
        let mut known = self.start.iter().chain(&self.end);
        let ball_of_shot = known.find(|known| known.track_id == ball);
        ball_of_shot.map_or_else(|| BallKind::Unknown.name_with(None, ball), EventBall::name)
    }
}
