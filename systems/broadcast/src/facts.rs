//! What the world's thread tells of itself that nobody waits for.

use std::sync::{Arc, Mutex, PoisonError};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::losses::Losses;

/// Where the frames come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SourceView {
    /// For people.
    pub name: String,
    /// Whether it goes on by itself, as a camera does.
    pub live: bool,
}

/// How the source is, and what came of its frames since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SourceHealthView {
    /// Whether it is away: no frames come, and it is tried again and again.
    pub away: bool,
    /// How often it went away.
    pub outages: u64,
    /// Why it is or was away last; null when it never was.
    pub last_error: Option<Arc<str>>,
    /// Frames that it gave.
    pub frames_captured: u64,
    /// Frames that the pipeline was too busy for.
    pub frames_dropped: u64,
    /// Frames that came damaged and were left out.
    pub frames_damaged: u64,
    /// Frames that a camera took and never delivered, by its own count of them.
    pub frames_missed: u64,
}

/// How far a calibration has come, and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct CalibrationView {
    /// `none` was made or given, one is `running`, `done`, or the last has `failed`.
    pub status: CalibrationStatus,
    /// Frames looked at, of the last one.
    pub frames: u32,
    /// Why it failed.
    pub message: Option<String>,
    /// The calibration in force, with its errors in pixels and millimetres.
    pub calibration: Option<Value>,
    /// The same as a file for `--calibration`.
    pub file: Option<String>,
}

/// How far a calibration has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CalibrationStatus {
    /// There is none: the table is as it is found in the pictures.
    #[default]
    None,
    /// Frames are looked at.
    Running,
    /// It is in force.
    Done,
    /// It came to nothing.
    Failed,
}

/// How a recording is played.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ReplayView {
    /// The recording.
    pub source: String,
    /// Since its first frame.
    pub position_seconds: f64,
    /// From its first frame to its last.
    pub duration_seconds: f64,
    /// Whether it stands.
    pub paused: bool,
    /// Whether its last frame was played.
    pub ended: bool,
    /// Times real time; null: as fast as frames can be worked off.
    pub speed: Option<f64>,
    /// Whether it begins again at its end.
    #[serde(rename = "loop")]
    pub repeats: bool,
}

impl ReplayView {
    /// What is said where there is none.
    pub const NONE: &str = "a recording (.mcap) was expected as the source, and it is none";
}

/// The newest of each, for whoever asks. Locked for the time of a copy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    inner: Arc<Mutex<Inner>>,
    losses: Arc<Losses>,
}

#[derive(Clone, Debug, Default)]
struct Inner {
    source_health: SourceHealthView,
    source: Option<SourceView>,
    calibration: CalibrationView,
    replay: Option<ReplayView>,
}

impl Facts {
    /// What was handed over and not taken.
    pub(crate) fn losses(&self) -> &Losses {
        &self.losses
    }

    pub(crate) fn set_source(&self, source: SourceView) {
        self.lock().source = Some(source);
    }

    pub(crate) fn source(&self) -> Option<SourceView> {
        self.lock().source.clone()
    }

    pub(crate) fn set_source_health(&self, health: SourceHealthView) {
        self.lock().source_health = health;
    }

    pub(crate) fn source_health(&self) -> SourceHealthView {
        self.lock().source_health.clone()
    }

    pub(crate) fn set_calibration(&self, calibration: CalibrationView) {
        self.lock().calibration = calibration;
    }

    pub(crate) fn calibration(&self) -> CalibrationView {
        self.lock().calibration.clone()
    }

    pub(crate) fn set_replay(&self, replay: ReplayView) {
        self.lock().replay = Some(replay);
    }

    pub(crate) fn replay(&self) -> Option<ReplayView> {
        self.lock().replay.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
