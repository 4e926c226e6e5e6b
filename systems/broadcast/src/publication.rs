//! One publication of a stream, encoded once for every view of it.

use std::sync::{Arc, Mutex, PoisonError};

use ghostball_world::{EventBall, Snapshot};
use glam::DVec2;

use crate::space::Space;
use crate::stream::Stream;
use crate::wire::{
    Compression, Encoded, EventsData, Issue, MotionData, StateData, StateQuality, TrajectoryData,
};

/// What tells the messages of two clients apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) space: Space,
    pub(crate) quality: StateQuality,
    pub(crate) compression: Compression,
}

/// A snapshot as published on one stream.
#[derive(Debug)]
pub(crate) struct Publication {
    stream: Stream,
    snapshot: Arc<Snapshot>,
    issue: Issue,
    /// The ball that a message of motion is about, and how it starts.
    motion: Option<(EventBall, Option<DVec2>)>,
    /// Bounded by the number of distinct views: twelve.
    views: Mutex<Vec<(View, Encoded)>>,
}

impl Publication {
    /// `stream` is state, trajectory or events.
    pub(crate) fn new(stream: Stream, snapshot: Arc<Snapshot>, issue: Issue) -> Self {
        Self {
            stream,
            snapshot,
            issue,
            motion: None,
            views: Mutex::default(),
        }
    }

    /// One ball of the snapshot starts, with this velocity, or stops, without.
    pub(crate) fn of_motion(
        snapshot: Arc<Snapshot>,
        ball: EventBall,
        velocity: Option<DVec2>,
        issue: Issue,
    ) -> Self {
        Self {
            motion: Some((ball, velocity)),
            ..Self::new(Stream::Motion, snapshot, issue)
        }
    }

    pub(crate) fn stream(&self) -> Stream {
        self.stream
    }

    pub(crate) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    pub(crate) fn issue(&self) -> Issue {
        self.issue
    }

    /// The message as `view` has it. The first to ask encodes it, for all.
    pub(crate) fn encoded(&self, view: View) -> Result<Encoded, serde_json::Error> {
        let mut views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, encoded)) = views.iter().find(|(known, _)| *known == view) {
            return Ok(encoded.clone());
        }
        let (name, timestamp) = (self.stream.name(), self.issue.timestamp);
        let encoded = match (self.stream, &self.motion) {
            (_, Some((ball, velocity))) => {
                let data = MotionData::new(&self.snapshot, (ball, *velocity), view.space, timestamp);
                Encoded::new(name, timestamp, &data, view.compression)?
            }
            (Stream::Trajectory, None) => {
                let data = TrajectoryData::new(&self.snapshot, view.space, self.issue);
                Encoded::new(name, timestamp, &data, view.compression)?
            }
            (Stream::Events, None) => {
                let data = EventsData::new(&self.snapshot, view.space);
                Encoded::new(name, timestamp, &data, view.compression)?
            }
            _ => {
                let data = StateData::new(&self.snapshot, view.space, view.quality, self.issue);
                Encoded::new(name, timestamp, &data, view.compression)?
            }
        };
        views.push((view, encoded.clone()));
        Ok(encoded)
    }
}
