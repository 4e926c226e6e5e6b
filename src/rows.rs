//! What the command line prints: the lines of `replay --jsonl` and the objects of `detect --json`.
//!
//! A replay prints the same bytes on every run: no wall-clock time, no measured duration, numbers rounded to what they
//! are worth (micrometres, thousandths of a pixel).

use std::collections::BTreeMap;
use std::fmt;

use glam::DVec2;
use serde::Serialize;

use crate::world::{
    BallSighting, BallSnapshot, CircleInImage, CueSighting, CueSnapshot, EventBall, Prediction, Shot,
    ShotPath, Snapshot, TableEvent, TableSighting, TrackId,
};

/// A point on the table, metres.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Point {
    x: f64,
    y: f64,
}

impl Point {
    /// Rounds a point of table space to micrometres.
    pub fn in_table(point: DVec2) -> Self {
        Self {
            x: micro(point.x),
            y: micro(point.y),
        }
    }
}

/// One frame of a replay.
#[derive(Debug, Serialize)]
pub struct FrameRow {
    frame: u64,
    t: f64,
    balls: Vec<BallRow>,
    cue: Option<CueRow>,
    trajectory: Option<TrajectoryRow>,
    events: Vec<EventRow>,
}

/// Something that was found out in this frame to have happened.
#[derive(Debug, Serialize)]
struct EventRow {
    r#type: &'static str,
    /// When it happened, seconds since the first frame.
    t: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    track_id: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ball_id: Option<String>,
    /// The other ball of a collision.
    #[serde(skip_serializing_if = "Option::is_none")]
    other_track_id: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    other_id: Option<String>,
    /// At which a shot started, m/s.
    #[serde(skip_serializing_if = "Option::is_none")]
    speed: Option<f64>,
    /// Radians anticlockwise from the x axis of table space.
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pocket: Option<crate::world::PocketName>,
    /// The stick that started a shot, where it was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    stroke: Option<StrokeRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<Point>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shot: Option<ShotRow>,
}

/// A finished shot.
#[derive(Debug, Serialize)]
struct ShotRow {
    start_t: f64,
    end_t: f64,
    start: Vec<PlaceRow>,
    end: Vec<PlaceRow>,
    paths: Vec<PathRow>,
    prediction: Option<TrajectoryRow>,
    events: Vec<EventRow>,
}

/// The way of one ball in a shot.
#[derive(Debug, Serialize)]
struct PathRow {
    track_id: u32,
    ball_id: String,
    /// Seconds since the first frame, x and y in metres.
    points: Vec<[f64; 3]>,
}

/// A stick that struck a ball.
#[derive(Debug, Serialize)]
struct StrokeRow {
    speed: f64,
    direction: f64,
    side: f64,
    practice_strokes: u32,
}

/// Where a ball lay.
#[derive(Debug, Serialize)]
struct PlaceRow {
    track_id: u32,
    ball_id: String,
    kind: &'static str,
    position: Point,
}

#[derive(Debug, Serialize)]
struct BallRow {
    track_id: u32,
    id: String,
    kind: &'static str,
    number: Option<u8>,
    position: Point,
    velocity: Point,
    is_moving: bool,
    confidence: f64,
    image: Option<CircleRow>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct CircleRow {
    x: f64,
    y: f64,
    r: f64,
}

#[derive(Debug, Serialize)]
struct CueRow {
    tip: Point,
    butt: Point,
    angle: f64,
    state: &'static str,
    stroke: Option<&'static str>,
    aimed_track_id: Option<u32>,
    confidence: f64,
    image: Option<StickRow>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct StickRow {
    tip: [f64; 2],
    butt: [f64; 2],
}

#[derive(Debug, Serialize)]
struct TrajectoryRow {
    track_id: u32,
    ball_id: String,
    lines: Vec<LineRow>,
    collisions: Vec<CollisionRow>,
    ghost_balls: Vec<GhostRow>,
    rest: Vec<RestRow>,
    outcomes: Vec<OutcomeRow>,
    confidence: f64,
}

#[derive(Debug, Serialize)]
struct LineRow {
    ball_id: String,
    start: Point,
    end: Point,
    r#type: &'static str,
    confidence: f64,
}

#[derive(Debug, Serialize)]
struct CollisionRow {
    r#type: &'static str,
    ball_id: String,
    ball2_id: Option<String>,
    position: Point,
    angle: f64,
    time: f64,
    confidence: f64,
}

#[derive(Debug, Serialize)]
struct GhostRow {
    ball_id: String,
    position: Point,
}

#[derive(Debug, Serialize)]
struct RestRow {
    track_id: u32,
    ball_id: String,
    position: Point,
    pocketed: Option<crate::world::PocketName>,
}

#[derive(Debug, Serialize)]
struct OutcomeRow {
    ball_id: String,
    pocket: crate::world::PocketName,
    probability: f64,
}

impl From<&Snapshot> for FrameRow {
    fn from(snapshot: &Snapshot) -> Self {
        Self {
            frame: snapshot.frame_number,
            t: micro(snapshot.since_first.as_secs_f64()),
            balls: snapshot.balls.iter().map(BallRow::from).collect(),
            cue: snapshot.cue.as_ref().map(CueRow::from),
            trajectory: snapshot
                .prediction
                .as_ref()
                .map(|prediction| trajectory_row(prediction, |ball| snapshot.name_of(ball))),
            events: event_rows(&snapshot.events),
        }
    }
}

/// What happened; single motions are told by `is_moving` of the balls.
fn event_rows(events: &[TableEvent]) -> Vec<EventRow> {
    let events = events.iter().filter(|event| !event.kind.is_motion());
    events.map(EventRow::from).collect()
}

impl From<&TableEvent> for EventRow {
    fn from(event: &TableEvent) -> Self {
        let (ball, other) = (event.kind.ball(), event.kind.other_ball());
        let launch = event.kind.launch();
        Self {
            r#type: event.kind.name(),
            t: micro(event.at.as_secs_f64()),
            track_id: ball.map(|ball| ball.track_id.0),
            ball_id: ball.map(EventBall::name),
            other_id: other.map(EventBall::name),
            other_track_id: other.map(|other| other.track_id.0),
            speed: launch.map(|(speed, _)| micro(speed)),
            direction: launch.map(|(_, direction)| micro(direction)),
            pocket: event.kind.pocket(),
            stroke: event.kind.stroke().map(|stroke| StrokeRow {
                speed: micro(stroke.speed),
                direction: micro(stroke.direction),
                side: milli(stroke.side),
                practice_strokes: stroke.practice_strokes,
            }),
            position: ball.map(|ball| Point::in_table(ball.position_in_table)),
            shot: event.kind.shot().map(ShotRow::from),
        }
    }
}

impl From<&Shot> for ShotRow {
    fn from(shot: &Shot) -> Self {
        Self {
            start_t: micro(shot.started_at.as_secs_f64()),
            end_t: micro(shot.ended_at.as_secs_f64()),
            start: shot.start.iter().map(PlaceRow::from).collect(),
            end: shot.end.iter().map(PlaceRow::from).collect(),
            paths: shot.paths.iter().map(PathRow::from).collect(),
            prediction: shot
                .prediction
                .as_ref()
                .map(|prediction| trajectory_row(prediction, |ball| shot.name_of(ball))),
            events: event_rows(&shot.events),
        }
    }
}

impl From<&ShotPath> for PathRow {
    fn from(path: &ShotPath) -> Self {
        let points = path
            .points
            .iter()
            .map(|(at, place)| [at.as_secs_f64(), place.x, place.y].map(micro));
        Self {
            track_id: path.ball.track_id.0,
            ball_id: path.ball.name(),
            points: points.collect(),
        }
    }
}

impl From<&EventBall> for PlaceRow {
    fn from(ball: &EventBall) -> Self {
        Self {
            track_id: ball.track_id.0,
            ball_id: ball.name(),
            kind: ball.kind.name(),
            position: Point::in_table(ball.position_in_table),
        }
    }
}

impl From<&BallSnapshot> for BallRow {
    fn from(ball: &BallSnapshot) -> Self {
        Self {
            track_id: ball.track_id.0,
            id: ball.name(),
            kind: ball.kind.name(),
            number: ball.number,
            position: Point::in_table(ball.position_in_table),
            velocity: Point::in_table(ball.velocity_in_table),
            is_moving: ball.is_moving,
            confidence: milli(ball.confidence),
            image: ball.seen_in_image.map(CircleRow::from),
        }
    }
}

impl From<CircleInImage> for CircleRow {
    fn from(circle: CircleInImage) -> Self {
        Self {
            x: milli(circle.center.x),
            y: milli(circle.center.y),
            r: milli(circle.radius),
        }
    }
}

impl From<&CueSnapshot> for CueRow {
    fn from(cue: &CueSnapshot) -> Self {
        Self {
            tip: Point::in_table(cue.pose.tip_in_table),
            butt: Point::in_table(cue.pose.butt_in_table),
            angle: milli(cue.pose.angle().to_degrees()),
            state: cue.state.name(),
            stroke: cue.state.stroke(),
            aimed_track_id: cue.aimed_ball.map(|ball| ball.0),
            confidence: milli(cue.pose.confidence),
            image: cue.in_image.map(|stick| StickRow {
                tip: pixel(stick.tip_in_image),
                butt: pixel(stick.butt_in_image),
            }),
        }
    }
}

fn trajectory_row(prediction: &Prediction, name: impl Fn(TrackId) -> String) -> TrajectoryRow {
    TrajectoryRow {
        track_id: prediction.ball.0,
        ball_id: name(prediction.ball),
        lines: prediction
            .lines
            .iter()
            .map(|line| LineRow {
                ball_id: name(line.ball),
                start: Point::in_table(line.start),
                end: Point::in_table(line.end),
                r#type: line.kind.name(),
                confidence: milli(line.confidence),
            })
            .collect(),
        collisions: prediction
            .collisions
            .iter()
            .map(|collision| CollisionRow {
                r#type: collision.contact.name(),
                ball_id: name(collision.ball),
                ball2_id: collision.contact.ball().map(&name),
                position: Point::in_table(collision.position),
                angle: milli(collision.angle.to_degrees()),
                time: micro(collision.time),
                confidence: milli(collision.confidence),
            })
            .collect(),
        ghost_balls: prediction
            .ghost_balls
            .iter()
            .map(|ghost| GhostRow {
                ball_id: name(ghost.ball),
                position: Point::in_table(ghost.position),
            })
            .collect(),
        rest: prediction
            .rest
            .iter()
            .map(|rest| RestRow {
                track_id: rest.ball.0,
                ball_id: name(rest.ball),
                position: Point::in_table(rest.position),
                pocketed: rest.pocketed,
            })
            .collect(),
        outcomes: prediction
            .outcomes
            .iter()
            .map(|outcome| OutcomeRow {
                ball_id: name(outcome.ball),
                pocket: outcome.pocket,
                probability: milli(outcome.probability),
            })
            .collect(),
        confidence: milli(prediction.confidence),
    }
}

/// What was found in the pictures, by their names as given.
pub type DetectRows = BTreeMap<String, DetectRow>;

/// What was found in one picture.
#[derive(Debug, Serialize)]
pub struct DetectRow {
    /// Width and height, pixels.
    pub size: [u32; 2],
    /// The table; `null` where none was found.
    pub table: Option<TableRow>,
    /// Balls on it.
    pub balls: Vec<SightingRow>,
    /// The cue stick, if one lies over it.
    pub cue: Option<StickSightingRow>,
    /// Finding balls and cue with the table known, milliseconds.
    pub ms: f64,
    /// Finding the table, milliseconds.
    pub table_ms: f64,
}

/// A table in a picture, pixels.
#[derive(Debug, Serialize)]
pub struct TableRow {
    corners: [[f64; 2]; 4],
    pockets: [[f64; 3]; 6],
}

impl From<&TableSighting> for TableRow {
    fn from(table: &TableSighting) -> Self {
        Self {
            corners: table.corners_in_image.map(pixel),
            pockets: table.pockets_in_image.map(|pocket| {
                let [x, y] = pixel(pocket.center);
                [x, y, milli(pocket.radius)]
            }),
        }
    }
}

/// A ball in a picture.
#[derive(Debug, Serialize)]
pub struct SightingRow {
    /// Centre and radius, pixels.
    #[serde(flatten)]
    circle: CircleRow,
    kind: &'static str,
    number: Option<u8>,
    /// On the table, metres; only where the table's size was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<Point>,
    /// How far it went while the shutter was open, pixels, in this direction or the opposite one; only where motion has drawn
    /// it out. The centre is that of the streak then.
    #[serde(skip_serializing_if = "Option::is_none")]
    streak: Option<[f64; 2]>,
    confidence: f64,
}

impl SightingRow {
    /// A sighting and, where the table's size is known, its place on the table.
    pub fn new(ball: &BallSighting, position_in_table: Option<DVec2>) -> Self {
        Self {
            circle: ball.circle.into(),
            kind: ball.kind.name(),
            number: ball.number,
            position: position_in_table.map(Point::in_table),
            streak: ball.streak_in_image.map(pixel),
            confidence: milli(ball.confidence),
        }
    }
}

impl fmt::Display for SightingRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CircleRow { x, y, r } = self.circle;
        let number = self
            .number
            .map_or_else(String::new, |number| format!(" {number}"));
        let kind = format!("{}{number}", self.kind);
        write!(f, "{kind:10} at {x:8.2}, {y:8.2}  radius {r:5.2} px")?;
        if let Some(position) = self.position {
            write!(f, "  on the table {:+.4}, {:+.4} m", position.x, position.y)?;
        }
        if let Some([x, y]) = self.streak {
            write!(f, "  streak {x:+.1}, {y:+.1} px")?;
        }
        write!(f, "  confidence {:.2}", self.confidence)
    }
}

/// A cue stick in a picture, pixels.
#[derive(Debug, Serialize)]
pub struct StickSightingRow {
    #[serde(flatten)]
    stick: StickRow,
    confidence: f64,
}

impl From<&CueSighting> for StickSightingRow {
    fn from(cue: &CueSighting) -> Self {
        Self {
            stick: StickRow {
                tip: pixel(cue.tip_in_image),
                butt: pixel(cue.butt_in_image),
            },
            confidence: milli(cue.confidence),
        }
    }
}

fn pixel(point: DVec2) -> [f64; 2] {
    [milli(point.x), milli(point.y)]
}

/// Rounds to a thousandth. Adding zero turns −0 into 0.
pub fn milli(value: f64) -> f64 {
    (value * 1e3).round() / 1e3 + 0.0
}

fn micro(value: f64) -> f64 {
    (value * 1e6).round() / 1e6 + 0.0
}
