//! One publication of a stream, encoded once for every view of it.

use std::sync::{Arc, Mutex, PoisonError};

use ghostball_world::Snapshot;

use crate::space::Space;
use crate::stream::Stream;
use crate::wire::{Compression, Encoded, Issue, StateData, StateQuality, TrajectoryData};

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
    /// Bounded by the number of distinct views: twelve.
    views: Mutex<Vec<(View, Encoded)>>,
}

impl Publication {
    /// `stream` is state or trajectory.
    pub(crate) fn new(stream: Stream, snapshot: Arc<Snapshot>, issue: Issue) -> Self {
        Self {
            stream,
            snapshot,
            issue,
            views: Mutex::default(),
        }
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
        let encoded = match self.stream {
            Stream::Trajectory => {
                let data = TrajectoryData::new(&self.snapshot, view.space, self.issue);
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
