//! One publication of a stream, as each view of it has it.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use ghostball_world::{EventBall, Snapshot};
use glam::DVec2;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::WallTime;
use crate::config::CompressionConfig;
use crate::filters::{Compression, Fields, Filters};
use crate::space::Space;
use crate::stream::Stream;
use crate::wire::{EventsData, Frame, Issue, MotionData, StateData, StateQuality, TrajectoryData};

/// What tells the messages of two clients apart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct View {
    space: Space,
    quality: StateQuality,
    fields: Fields,
    /// Thousandths: nobody means more digits, and clients that mean the same share a view.
    min_confidence: u16,
    compression: Compression,
}

impl View {
    /// The same for all whose messages on `stream` do not differ.
    pub(crate) fn new(stream: Stream, space: Space, filters: &Filters, is_lagging: bool) -> Self {
        Self {
            space: if stream.has_places() { space } else { Space::Metres },
            quality: match stream {
                Stream::State => filters.quality(is_lagging),
                _ => StateQuality::Full,
            },
            fields: filters.fields.clone(),
            min_confidence: match stream {
                Stream::State | Stream::Trajectory => (filters.min_confidence * 1e3).round() as u16,
                _ => 0,
            },
            compression: filters.compression,
        }
    }
}

/// Something that is told to whoever subscribed to its stream.
#[derive(Debug)]
pub(crate) struct Publication {
    pub(crate) stream: Stream,
    pub(crate) issue: Issue,
    /// Since when it could have been on its way.
    pub(crate) since: Instant,
    content: Content,
}

#[derive(Debug)]
enum Content {
    /// State, trajectory and events.
    World(Arc<Snapshot>),
    /// One ball of the snapshot starts, with this velocity, or stops, without.
    Motion(Arc<Snapshot>, EventBall, Option<DVec2>),
    /// What looks the same to everybody.
    Data(Value),
    /// All of a window of time, oldest first; never empty.
    Window(Vec<Arc<Publication>>),
}

/// The data of a message.
#[derive(Serialize)]
#[serde(untagged)]
enum Data {
    State(Box<StateData>),
    Trajectory(TrajectoryData),
    Events(EventsData),
    Motion(MotionData),
    Json(Value),
}

impl Publication {
    /// `stream` is state, trajectory or events.
    pub(crate) fn of_world(stream: Stream, snapshot: Arc<Snapshot>, issue: Issue, since: Instant) -> Self {
        Self {
            stream,
            issue,
            since,
            content: Content::World(snapshot),
        }
    }

    pub(crate) fn of_motion(
        snapshot: Arc<Snapshot>,
        (ball, velocity): (EventBall, Option<DVec2>),
        issue: Issue,
        since: Instant,
    ) -> Self {
        Self {
            stream: Stream::Motion,
            issue,
            since,
            content: Content::Motion(snapshot, ball, velocity),
        }
    }

    /// Of now, and the same for everybody.
    pub(crate) fn of_data(stream: Stream, sequence: u64, data: Value) -> Self {
        let timestamp = WallTime::now();
        Self {
            stream,
            issue: Issue {
                sequence,
                captured_at: timestamp,
                timestamp,
                calculation_time: Duration::ZERO,
            },
            since: Instant::now(),
            content: Content::Data(data),
        }
    }

    /// What happened within a window, as one; `None` where nothing did.
    pub(crate) fn of_window(parts: Vec<Arc<Self>>) -> Option<Self> {
        let newest = parts.last()?;
        Some(Self {
            stream: newest.stream,
            issue: newest.issue,
            since: Instant::now(),
            content: Content::Window(parts),
        })
    }

    /// `None` where it is not about the world.
    pub(crate) fn snapshot(&self) -> Option<&Arc<Snapshot>> {
        match &self.content {
            Content::World(snapshot) | Content::Motion(snapshot, ..) => Some(snapshot),
            Content::Data(_) => None,
            Content::Window(parts) => parts.last().and_then(|newest| newest.snapshot()),
        }
    }

    /// Encodes the message as `view` has it.
    pub(crate) fn encode(
        &self,
        view: &View,
        config: &CompressionConfig,
        frame: &mut Frame,
    ) -> Result<(), serde_json::Error> {
        let mut data = self.data(view)?;
        if !view.fields.is_all() {
            let mut filtered = serde_json::to_value(data)?;
            view.fields.apply(&mut filtered);
            data = Data::Json(filtered);
        }
        let compression = match view.compression {
            Compression::None => None,
            Compression::Zlib => Some(config),
        };
        frame.encode(self.stream.name(), self.issue.timestamp, &data, compression)
    }

    fn data(&self, view: &View) -> Result<Data, serde_json::Error> {
        let issue = self.issue;
        Ok(match &self.content {
            Content::World(snapshot) => {
                let snapshot = sure_enough(snapshot, view.min_confidence);
                match self.stream {
                    Stream::Trajectory => Data::Trajectory(TrajectoryData::new(&snapshot, view.space, issue)),
                    Stream::Events => Data::Events(EventsData::new(&snapshot, view.space)),
                    _ => Data::State(Box::new(StateData::new(
                        &snapshot,
                        view.space,
                        view.quality,
                        issue,
                    ))),
                }
            }
            Content::Motion(snapshot, ball, velocity) => {
                let motion = (ball, *velocity);
                Data::Motion(MotionData::new(snapshot, motion, view.space, issue.timestamp))
            }
            Content::Data(data) => Data::Json(data.clone()),
            Content::Window(parts) => {
                let parts = parts.iter().map(|part| serde_json::to_value(part.data(view)?));
                Data::Json(joined(self.stream, parts.collect::<Result<_, _>>()?))
            }
        })
    }
}

/// All of a window in one: every event in one list; the newest trajectory, with the ones before it in `window`; of
/// anything else the newest.
fn joined(stream: Stream, mut parts: Vec<Value>) -> Value {
    match stream {
        Stream::Events => {
            let lists = parts.iter_mut().map(|part| part["events"].take());
            let events = lists.filter_map(|list| match list {
                Value::Array(list) => Some(list),
                _ => None,
            });
            json!({"events": events.flatten().collect::<Vec<_>>()})
        }
        _ => {
            let mut newest = parts.pop().unwrap_or_default();
            if stream == Stream::Trajectory
                && let Some(fields) = newest.as_object_mut()
            {
                fields.insert("window".to_owned(), Value::Array(parts));
            }
            newest
        }
    }
}

/// Without what is less sure than so many thousandths.
fn sure_enough(snapshot: &Snapshot, min_confidence: u16) -> Cow<'_, Snapshot> {
    if min_confidence == 0 {
        return Cow::Borrowed(snapshot);
    }
    let least = f64::from(min_confidence) * 1e-3;
    let mut sure = snapshot.clone();
    sure.balls.retain(|ball| ball.confidence >= least);
    sure.cue = sure.cue.filter(|cue| cue.pose.confidence >= least);
    if let Some(prediction) = &mut sure.prediction {
        prediction.lines.retain(|line| line.confidence >= least);
        prediction
            .collisions
            .retain(|collision| collision.confidence >= least);
        prediction.outcomes.retain(|outcome| outcome.probability >= least);
    }
    Cow::Owned(sure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn issue(sequence: u64) -> Issue {
        Issue {
            sequence,
            captured_at: fixture::NOON,
            timestamp: fixture::NOON,
            calculation_time: Duration::ZERO,
        }
    }

    fn view(stream: Stream, change: impl FnOnce(&mut Filters)) -> View {
        let mut filters = Filters::at(30.0);
        change(&mut filters);
        View::new(stream, Space::Metres, &filters, false)
    }

    fn message(publication: &Publication, view: &View) -> Value {
        let mut frame = Frame::default();
        let config = CompressionConfig::default();
        publication.encode(view, &config, &mut frame).unwrap();
        let bytes = frame.numbered(1);
        let text = &bytes[bytes.iter().position(|byte| *byte == b'{').unwrap()..];
        serde_json::from_slice(text).unwrap()
    }

    fn publication(stream: Stream, sequence: u64) -> Publication {
        let snapshot = Arc::new(fixture::snapshot());
        Publication::of_world(stream, snapshot, issue(sequence), Instant::now())
    }

    #[test]
    fn what_is_not_sure_enough_is_left_out() {
        let mut snapshot = fixture::snapshot();
        snapshot.balls[2].confidence = 0.3;
        let state = |least| {
            let snapshot = Arc::new(snapshot.clone());
            let publication = Publication::of_world(Stream::State, snapshot, issue(1), Instant::now());
            message(
                &publication,
                &view(Stream::State, |filters| filters.min_confidence = least),
            )
        };
        assert_eq!(state(0.3)["data"]["ball_count"], 4);
        assert_eq!(state(0.31)["data"]["ball_count"], 3);
        assert_eq!(state(0.81)["data"]["cue"], Value::Null, "its confidence is 0.8");
        let sure = view(Stream::Trajectory, |filters| filters.min_confidence = 0.8);
        let trajectory = message(&publication(Stream::Trajectory, 1), &sure);
        assert_eq!(trajectory["data"]["collision_count"], 1);
        assert_eq!(trajectory["data"]["outcomes"], json!([]));
    }

    #[test]
    fn only_the_fields_that_are_wanted_come() {
        let wanted = view(Stream::State, |filters| {
            filters.fields.include = ["balls.id", "sequence"].map(str::to_owned).into();
        });
        let state = message(&publication(Stream::State, 9), &wanted);
        assert_eq!(
            state["data"],
            json!({"balls": [{"id": "cue"}, {"id": "8"}, {"id": "2"}, {"id": "t17"}], "sequence": 9})
        );
    }

    #[test]
    fn a_window_holds_all_trajectories_and_the_newest_state() {
        let window = |stream| {
            let parts = (1..4).map(|sequence| Arc::new(publication(stream, sequence)));
            let window = Publication::of_window(parts.collect()).unwrap();
            message(&window, &view(stream, |_| {}))["data"].clone()
        };
        let trajectory = window(Stream::Trajectory);
        assert_eq!(trajectory["sequence"], 3);
        let earlier = trajectory["window"].as_array().unwrap();
        assert_eq!(
            (&earlier[0]["sequence"], &earlier[1]["sequence"]),
            (&json!(1), &json!(2))
        );
        let state = window(Stream::State);
        assert_eq!((&state["sequence"], &state["window"]), (&json!(3), &Value::Null));
        assert!(Publication::of_window(Vec::new()).is_none());
    }

    #[test]
    fn views_differ_only_where_messages_do() {
        let filters = Filters {
            quality_level: crate::filters::QualityLevel::Low,
            min_confidence: 0.5,
            ..Filters::at(30.0)
        };
        let plain = Filters::at(5.0);
        for stream in [Stream::Alert, Stream::Config, Stream::Metrics] {
            let of = |space, filters| View::new(stream, space, filters, false);
            assert_eq!(
                of(Space::Camera, &filters),
                of(Space::Metres, &plain),
                "{stream:?}"
            );
        }
        let of = |space, filters| View::new(Stream::State, space, filters, false);
        assert_ne!(of(Space::Camera, &plain), of(Space::Metres, &plain));
        assert_ne!(of(Space::Metres, &filters), of(Space::Metres, &plain));
    }
}
