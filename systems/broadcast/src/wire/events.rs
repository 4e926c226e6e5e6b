//! `events`, `motion`, and the history of shots: what happened.

use ghostball_world::{BallKind, EventBall, PocketName, SeenStroke, Shot, ShotPath, Snapshot, TableEvent};
use glam::DVec2;
use schemars::JsonSchema;
use serde::Serialize;

use super::trajectory::ExpectedData;
use crate::WallTime;
use crate::space::{Point, Projection, Space};

/// The data of an `events` message: what was found out in one frame.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct EventsData {
    events: Vec<EventData>,
}

impl EventsData {
    /// Single motions are left out.
    pub(crate) fn new(snapshot: &Snapshot, space: Space) -> Self {
        let projection = Projection::new(space, snapshot);
        let events = snapshot.events.iter().filter(|event| !event.kind.is_motion());
        Self {
            events: events.map(|event| EventData::new(event, &projection)).collect(),
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
struct EventData {
    r#type: &'static str,
    /// Seconds since the first frame.
    t: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ball_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    track_id: Option<u32>,
    /// The other ball of a collision.
    #[serde(skip_serializing_if = "Option::is_none")]
    other_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    other_track_id: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pocket: Option<PocketName>,
    /// At which a shot started, m/s.
    #[serde(skip_serializing_if = "Option::is_none")]
    speed: Option<f64>,
    /// Radians anticlockwise from the x axis of table space.
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<f64>,
    /// The stick that started a shot, where it was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    stroke: Option<StrokeData>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<Point>,
    /// The whole shot, where one ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    shot: Option<ShotData>,
}

impl EventData {
    fn new(event: &TableEvent, projection: &Projection) -> Self {
        let (ball, other) = (event.kind.ball(), event.kind.other_ball());
        let launch = event.kind.launch();
        Self {
            r#type: event.kind.name(),
            t: micro(event.at.as_secs_f64()),
            ball_id: ball.map(EventBall::name),
            track_id: ball.map(|ball| ball.track_id.0),
            other_id: other.map(EventBall::name),
            other_track_id: other.map(|other| other.track_id.0),
            speed: launch.map(|(speed, _)| micro(speed)),
            direction: launch.map(|(_, direction)| micro(direction)),
            pocket: event.kind.pocket(),
            stroke: event.kind.stroke().map(StrokeData::new),
            position: ball.and_then(|ball| projection.point(ball.position_in_table)),
            shot: event.kind.shot().map(|shot| ShotData::new(shot, projection)),
        }
    }
}

/// A stick that struck a ball.
#[derive(Debug, Serialize, JsonSchema)]
struct StrokeData {
    /// Of the tip when it met the ball, m/s.
    speed: f64,
    /// Radians anticlockwise from the x axis of table space.
    direction: f64,
    /// How far beside the ball's middle it pointed, in radii of the ball, to the player's right above 0.
    side: f64,
    /// Practice strokes before it.
    practice_strokes: u32,
}

impl StrokeData {
    fn new(stroke: &SeenStroke) -> Self {
        Self {
            speed: micro(stroke.speed),
            direction: micro(stroke.direction),
            side: micro(stroke.side),
            practice_strokes: stroke.practice_strokes,
        }
    }
}

/// One finished shot.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ShotData {
    /// Seconds since the first frame.
    start_t: f64,
    end_t: f64,
    /// Seconds.
    duration: f64,
    start: Vec<PlaceData>,
    end: Vec<PlaceData>,
    /// The ways of the balls that moved.
    paths: Vec<PathData>,
    /// What was predicted for it.
    prediction: Option<ExpectedData>,
    /// What happened in between.
    events: Vec<EventData>,
}

/// The way of one ball.
#[derive(Debug, Serialize, JsonSchema)]
struct PathData {
    track_id: u32,
    ball_id: String,
    /// Corners, in order of time; the ball went straight between them.
    points: Vec<PassedData>,
}

/// Where a ball was when.
#[derive(Debug, Serialize, JsonSchema)]
struct PassedData {
    /// Seconds since the first frame.
    t: f64,
    position: Point,
}

impl PathData {
    fn new(path: &ShotPath, projection: &Projection) -> Self {
        let points = path.points.iter().filter_map(|(at, place)| {
            Some(PassedData {
                t: micro(at.as_secs_f64()),
                position: projection.point(*place)?,
            })
        });
        Self {
            track_id: path.ball.track_id.0,
            ball_id: path.ball.name(),
            points: points.collect(),
        }
    }
}

impl ShotData {
    fn new(shot: &Shot, projection: &Projection) -> Self {
        let places = |balls: &[EventBall]| {
            let places = balls.iter().filter_map(|ball| PlaceData::new(ball, projection));
            places.collect()
        };
        Self {
            start_t: micro(shot.started_at.as_secs_f64()),
            end_t: micro(shot.ended_at.as_secs_f64()),
            duration: micro(shot.ended_at.saturating_sub(shot.started_at).as_secs_f64()),
            start: places(&shot.start),
            end: places(&shot.end),
            paths: shot
                .paths
                .iter()
                .map(|path| PathData::new(path, projection))
                .collect(),
            prediction: shot
                .prediction
                .as_ref()
                .map(|prediction| ExpectedData::new(prediction, projection, &|ball| shot.name_of(ball))),
            events: shot
                .events
                .iter()
                .map(|event| EventData::new(event, projection))
                .collect(),
        }
    }
}

/// Where a ball lay.
#[derive(Debug, Serialize, JsonSchema)]
struct PlaceData {
    track_id: u32,
    ball_id: String,
    r#type: &'static str,
    position: Point,
}

impl PlaceData {
    /// `None` where its place has none in this space.
    fn new(ball: &EventBall, projection: &Projection) -> Option<Self> {
        Some(Self {
            track_id: ball.track_id.0,
            ball_id: ball.name(),
            r#type: ball.kind.name(),
            position: projection.point(ball.position_in_table)?,
        })
    }
}

/// The data of a `motion` message: one ball started or stopped.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MotionData {
    ball_id: String,
    track_id: u32,
    /// Null where it has no place in the client's space.
    position: Option<Point>,
    velocity: Option<Point>,
    is_moving: bool,
    /// 0 for the cue ball, null where it is not known.
    number: Option<u8>,
    timestamp: WallTime,
}

impl MotionData {
    /// `ball` starts with a velocity, metres per second, or stops, without.
    pub(crate) fn new(
        snapshot: &Snapshot,
        (ball, velocity): (&EventBall, Option<DVec2>),
        space: Space,
        timestamp: WallTime,
    ) -> Self {
        let projection = Projection::new(space, snapshot);
        let position = ball.position_in_table;
        Self {
            ball_id: ball.name(),
            track_id: ball.track_id.0,
            position: projection.point(position),
            velocity: projection.velocity(position, velocity.unwrap_or_default()),
            is_moving: velocity.is_some(),
            number: match ball.kind {
                BallKind::Cue => Some(0),
                _ => ball.number,
            },
            timestamp,
        }
    }
}

/// The answer of `/game/history`: finished shots, newest first.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct HistoryData {
    shots: Vec<ShotData>,
    count: usize,
}

impl HistoryData {
    /// The shots that ended in these snapshots.
    pub(crate) fn new<'a>(snapshots: impl Iterator<Item = &'a Snapshot>, space: Space) -> Self {
        let shots_of = |snapshot: &'a Snapshot| {
            let projection = Projection::new(space, snapshot);
            let ended = snapshot.events.iter().filter_map(|event| event.kind.shot());
            ended
                .map(|shot| ShotData::new(shot, &projection))
                .collect::<Vec<_>>()
        };
        let shots: Vec<_> = snapshots.flat_map(shots_of).collect();
        Self {
            count: shots.len(),
            shots,
        }
    }
}

/// Rounds to a millionth.
fn micro(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}
