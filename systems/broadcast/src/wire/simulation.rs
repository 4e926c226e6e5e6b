//! `simulate` and `simulated`: what would happen.

use std::sync::Arc;

use ghostball_world::{BallKind, BallSnapshot, Prediction, Snapshot, Stroke, TrackId};
use glam::DVec2;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Issue;
use super::trajectory::TrajectoryData;
use crate::space::{Projection, Space};

/// More balls than any game has.
const MAX_BALLS: usize = 32;

/// The data of a `simulate` message. Places are in the client's space; `balls` and `cue` may be those of a state.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct SimulateRequest {
    /// Instead of those on the table.
    balls: Option<Vec<BallRequest>>,
    /// Tells the direction, where the strike does not; instead of the one that is seen.
    cue: Option<CueRequest>,
    strike: StrikeRequest,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct BallRequest {
    id: String,
    position: PlaceRequest,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct CueRequest {
    tip_position: PlaceRequest,
    butt_position: PlaceRequest,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
struct PlaceRequest {
    x: f64,
    y: f64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct StrikeRequest {
    /// Default `cue`.
    ball_id: Option<String>,
    /// Direction of the stick, degrees from the x axis towards the y axis of the space, as `cue.angle`.
    angle: Option<f64>,
    /// Of the stick at impact, m/s, above 0, to 15: the fastest breaks.
    speed: f64,
    /// Where the tip hits, radii to the right of the ball's middle and above it; together at most 0.7.
    #[serde(default)]
    side: f64,
    #[serde(default)]
    top: f64,
    /// How steeply the stick points down, degrees, 0 to 85.
    #[serde(default)]
    elevation: f64,
}

impl SimulateRequest {
    pub(crate) fn parse(data: Map<String, Value>) -> Result<Self, String> {
        serde_json::from_value(Value::Object(data)).map_err(|error| {
            format!("expected data {{balls?, cue?, strike: {{speed, angle?, ball_id?, side?, top?, elevation?}}}}, found: {error}")
        })
    }

    /// The table that is asked about, and the stroke on it.
    pub(crate) fn on(&self, snapshot: &Snapshot, space: Space) -> Result<(Snapshot, Stroke), String> {
        if snapshot.table.is_none() {
            return Err("expected a table, none is found in the picture".to_owned());
        }
        let projection = Projection::new(space, snapshot);
        let place = |place: PlaceRequest| {
            let found = projection.table_point(DVec2::new(place.x, place.y));
            found.ok_or_else(|| format!("expected a place on the table, found ({}, {})", place.x, place.y))
        };
        let mut table = snapshot.clone();
        if let Some(balls) = &self.balls {
            if balls.len() > MAX_BALLS {
                return Err(format!(
                    "expected at most {MAX_BALLS} balls, found {}",
                    balls.len()
                ));
            }
            let radius = snapshot.table.as_ref().map_or(0.0, |table| table.ball_radius);
            let asked = balls.iter().zip(0_u32..).map(|(ball, index)| {
                let known = snapshot.balls.iter().find(|known| known.name() == ball.id);
                Ok(BallSnapshot {
                    position_in_table: place(ball.position)?,
                    ..known.map_or_else(|| unknown(&ball.id, index, radius), at_rest)
                })
            });
            table.balls = asked.collect::<Result<_, String>>()?;
            table.balls.sort_unstable_by_key(|ball| ball.track_id);
        } else {
            table.balls = snapshot.balls.iter().map(at_rest).collect();
        }
        let id = self.strike.ball_id.as_deref().unwrap_or("cue");
        let ball = table.balls.iter().find(|ball| ball.name() == id);
        let ball = ball.ok_or_else(|| format!("expected a ball to strike on the table, found no {id:?}"))?;
        let direction = match (self.strike.angle, &self.cue, &snapshot.cue) {
            (Some(degrees), ..) => {
                let (sin, cos) = libm::sincos(degrees.to_radians());
                projection.table_direction(ball.position_in_table, DVec2::new(cos, sin))
            }
            (None, Some(cue), _) => Some(place(cue.tip_position)? - place(cue.butt_position)?),
            (None, None, Some(cue)) => cue.pose.direction_in_table(),
            (None, None, None) => None,
        };
        let direction = direction.and_then(DVec2::try_normalize);
        let stroke = Stroke {
            ball: ball.track_id,
            direction_in_table: direction
                .ok_or("expected strike.angle or a cue to tell the direction, found neither")?,
            stick_speed: within("strike.speed", self.strike.speed, 0.01, 15.0)?,
            side: within("strike.side", self.strike.side, -0.7, 0.7)?,
            top: within("strike.top", self.strike.top, -0.7, 0.7)?,
            elevation: within("strike.elevation", self.strike.elevation, 0.0, 85.0)?.to_radians(),
        };
        if libm::hypot(stroke.side, stroke.top) > 0.7 {
            return Err(
                "expected strike.side and strike.top at most 0.7 from the middle together".to_owned(),
            );
        }
        Ok((table, stroke))
    }
}

fn within(name: &str, value: f64, least: f64, most: f64) -> Result<f64, String> {
    match (least..=most).contains(&value) {
        true => Ok(value),
        false => Err(format!("expected {name} from {least} to {most}, found {value}")),
    }
}

fn at_rest(ball: &BallSnapshot) -> BallSnapshot {
    BallSnapshot {
        velocity_in_table: DVec2::ZERO,
        is_moving: false,
        confidence: 1.0,
        seen_in_image: None,
        ..*ball
    }
}

/// A ball that is not on the table: `cue`, a number, or anything else.
fn unknown(id: &str, index: u32, radius: f64) -> BallSnapshot {
    let number = id.parse().ok().filter(|number| (1..=15).contains(number));
    let kind = match (id, number) {
        ("cue", _) => BallKind::Cue,
        (_, Some(8)) => BallKind::Eight,
        (_, Some(..8)) => BallKind::Solid,
        (_, Some(_)) => BallKind::Stripe,
        (_, None) => BallKind::Unknown,
    };
    BallSnapshot {
        // Above all tracks, and in the order in which they were named.
        track_id: TrackId(u32::MAX - MAX_BALLS as u32 + index),
        kind,
        number,
        position_in_table: DVec2::ZERO,
        velocity_in_table: DVec2::ZERO,
        radius,
        is_moving: false,
        confidence: 1.0,
        seen_in_image: None,
    }
}

/// The data of a `simulated` message: as `trajectory`.
pub(crate) fn simulated(
    mut table: Snapshot,
    prediction: Prediction,
    space: Space,
    issue: Issue,
) -> impl Serialize + Send {
    table.prediction = Some(prediction);
    let table = Arc::new(table);
    TrajectoryData::new(&table, space, issue)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixture;

    fn asked(data: Value) -> Result<(Snapshot, Stroke), String> {
        let Value::Object(data) = data else {
            panic!("not an object");
        };
        SimulateRequest::parse(data)?.on(&fixture::snapshot(), Space::Canvas4k)
    }

    #[test]
    fn balls_and_directions_are_in_the_clients_space() {
        let balls = json!([
            {"id": "cue", "position": {"x": 1920, "y": 1080, "scale": [1, 1]}},
            {"id": "11", "position": {"x": 2720, "y": 1080}},
        ]);
        // Down the screen is down the table's y axis.
        let (table, stroke) = asked(json!({"balls": balls, "strike": {"speed": 2, "angle": 90}})).unwrap();
        assert_eq!(table.balls.len(), 2);
        assert_eq!(table.balls[0].track_id, stroke.ball);
        assert!(table.balls[0].position_in_table.length() < 1e-9);
        assert!(table.balls[1].position_in_table.distance(DVec2::new(0.635, 0.0)) < 1e-9);
        assert_eq!(
            (table.balls[1].kind, table.balls[1].number),
            (BallKind::Stripe, Some(11))
        );
        assert!(
            stroke.direction_in_table.distance(DVec2::NEG_Y) < 1e-9,
            "{stroke:?}"
        );
    }

    #[test]
    fn what_is_not_given_is_as_it_is_on_the_table() {
        let (table, stroke) = asked(json!({"strike": {"speed": 3}})).unwrap();
        assert_eq!(table.balls.len(), 4);
        assert!(table.balls.iter().all(|ball| !ball.is_moving));
        assert!(
            stroke.direction_in_table.distance(DVec2::X) < 1e-9,
            "the stick that is seen"
        );
    }

    #[test]
    fn what_cannot_be_played_is_told() {
        for (data, expected) in [
            (json!({}), "missing field `strike`"),
            (json!({"strike": {"speed": 2, "spin": 1}}), "unknown field `spin`"),
            (
                json!({"strike": {"speed": 99}}),
                "expected strike.speed from 0.01 to 15, found 99",
            ),
            (
                json!({"strike": {"speed": 2, "side": 0.6, "top": -0.6}}),
                "at most 0.7 from the middle",
            ),
            (json!({"strike": {"speed": 2, "ball_id": "7"}}), "found no \"7\""),
            (json!({"balls": [], "strike": {"speed": 2}}), "found no \"cue\""),
        ] {
            let error = asked(data.clone()).unwrap_err();
            assert!(error.contains(expected), "{data}: {error}");
        }
    }
}
