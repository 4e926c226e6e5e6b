//! `trajectory`: where the balls will go.

use ghostball_world::{
    GhostBall, Origin, Outcome, PathLine, PocketName, PredictedCollision, PredictedRest, Prediction,
    Snapshot, TrackId,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::Issue;
use super::state::{round_degrees, round_share};
use crate::WallTime;
use crate::space::{Point, Projection, Space};

/// The data of a `trajectory` message; without a prediction all lists are empty, and `ball_id` is null.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TrajectoryData {
    ball_id: Option<String>,
    lines: Vec<LineData>,
    collisions: Vec<CollisionData>,
    ghost_balls: Vec<GhostBallData>,
    rest: Vec<RestData>,
    outcomes: Vec<OutcomeData>,
    confidence: f64,
    /// What the whole prediction stage took; 0 where nobody measures.
    calculation_time_ms: f64,
    line_count: usize,
    collision_count: usize,
    sequence: u64,
    timestamp: WallTime,
}

impl TrajectoryData {
    pub(crate) fn new(snapshot: &Snapshot, space: Space, issue: Issue) -> Self {
        let to_wire = ToWire {
            name_of: &|ball| snapshot.name_of(ball),
            projection: &Projection::new(space, snapshot),
        };
        let prediction = snapshot.prediction.as_ref();
        let lines = prediction.map_or_else(Vec::new, |p| {
            p.lines.iter().filter_map(|l| to_wire.line(l)).collect()
        });
        let collisions = prediction.map_or_else(Vec::new, |p| {
            p.collisions.iter().filter_map(|c| to_wire.collision(c)).collect()
        });
        Self {
            ball_id: prediction.map(|p| snapshot.name_of(p.ball)),
            line_count: lines.len(),
            collision_count: collisions.len(),
            lines,
            collisions,
            ghost_balls: prediction.map_or_else(Vec::new, |p| {
                p.ghost_balls
                    .iter()
                    .filter_map(|g| to_wire.ghost_ball(g))
                    .collect()
            }),
            rest: prediction.map_or_else(Vec::new, |p| {
                p.rest.iter().filter_map(|r| to_wire.rest(r)).collect()
            }),
            outcomes: prediction.map_or_else(Vec::new, |p| {
                p.outcomes.iter().map(|o| to_wire.outcome(o)).collect()
            }),
            confidence: prediction.map_or(0.0, |p| round_share(p.confidence)),
            calculation_time_ms: issue.calculation_time.as_secs_f64() * 1e3,
            sequence: issue.sequence,
            timestamp: issue.timestamp,
        }
    }
}

/// What was predicted for a shot.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ExpectedData {
    /// `aim`: from the stick, just before it struck, at an assumed speed; `motion`: from the balls, just after.
    origin: &'static str,
    ball_id: String,
    lines: Vec<LineData>,
    rest: Vec<RestData>,
    outcomes: Vec<OutcomeData>,
    confidence: f64,
}

impl ExpectedData {
    /// `name_of` tells the name of a ball, which may be gone.
    pub(super) fn new(
        prediction: &Prediction,
        projection: &Projection,
        name_of: &dyn Fn(TrackId) -> String,
    ) -> Self {
        let to_wire = ToWire { name_of, projection };
        Self {
            origin: match prediction.origin {
                Origin::Aim => "aim",
                Origin::Motion => "motion",
            },
            ball_id: name_of(prediction.ball),
            lines: prediction.lines.iter().filter_map(|l| to_wire.line(l)).collect(),
            rest: prediction.rest.iter().filter_map(|r| to_wire.rest(r)).collect(),
            outcomes: prediction.outcomes.iter().map(|o| to_wire.outcome(o)).collect(),
            confidence: round_share(prediction.confidence),
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
struct LineData {
    start: Point,
    end: Point,
    r#type: &'static str,
    confidence: f64,
    ball_id: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct CollisionData {
    position: Point,
    x: f64,
    y: f64,
    r#type: &'static str,
    ball_id: String,
    ball1_id: String,
    ball2_id: Option<String>,
    /// Degrees between the ball's way and the normal of contact.
    angle: f64,
    /// Seconds from the frame on.
    time: f64,
    time_to_collision: f64,
    confidence: f64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct GhostBallData {
    position: Point,
    ball_id: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct RestData {
    ball_id: String,
    position: Point,
    #[schemars(with = "Option<String>")]
    pocketed: Option<PocketName>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct OutcomeData {
    ball_id: String,
    #[schemars(with = "String")]
    pocket: PocketName,
    probability: f64,
}

struct ToWire<'a> {
    name_of: &'a dyn Fn(TrackId) -> String,
    projection: &'a Projection<'a>,
}

impl ToWire<'_> {
    fn id(&self, ball: TrackId) -> String {
        (self.name_of)(ball)
    }

    fn line(&self, line: &PathLine) -> Option<LineData> {
        Some(LineData {
            start: self.projection.point(line.start)?,
            end: self.projection.point(line.end)?,
            r#type: line.kind.name(),
            confidence: round_share(line.confidence),
            ball_id: self.id(line.ball),
        })
    }

    fn collision(&self, collision: &PredictedCollision) -> Option<CollisionData> {
        let position = self.projection.point(collision.position)?;
        let time = (collision.time * 1e4).round() / 1e4;
        Some(CollisionData {
            position,
            x: position.x,
            y: position.y,
            r#type: collision.contact.name(),
            ball_id: self.id(collision.ball),
            ball1_id: self.id(collision.ball),
            ball2_id: collision.contact.ball().map(|other| self.id(other)),
            angle: round_degrees(collision.angle),
            time,
            time_to_collision: time,
            confidence: round_share(collision.confidence),
        })
    }

    fn ghost_ball(&self, ghost_ball: &GhostBall) -> Option<GhostBallData> {
        Some(GhostBallData {
            position: self.projection.point(ghost_ball.position)?,
            ball_id: self.id(ghost_ball.ball),
        })
    }

    fn rest(&self, rest: &PredictedRest) -> Option<RestData> {
        Some(RestData {
            ball_id: self.id(rest.ball),
            position: self.projection.point(rest.position)?,
            pocketed: rest.pocketed,
        })
    }

    fn outcome(&self, outcome: &Outcome) -> OutcomeData {
        OutcomeData {
            ball_id: self.id(outcome.ball),
            pocket: outcome.pocket,
            probability: round_share(outcome.probability),
        }
    }
}
