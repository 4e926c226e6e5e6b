//! What the world's thread tells of itself that nobody waits for.

use std::sync::{Arc, Mutex, PoisonError};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// Where the frames come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SourceView {
    /// For people.
    pub name: String,
    /// Whether it goes on by itself, as a camera does.
    pub live: bool,
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

/// The newest of each, for whoever asks. Locked for the time of a copy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Clone, Debug, Default)]
struct Inner {
    source: Option<SourceView>,
    calibration: CalibrationView,
}

impl Facts {
    pub(crate) fn set_source(&self, source: SourceView) {
        self.lock().source = Some(source);
    }

    pub(crate) fn source(&self) -> Option<SourceView> {
        self.lock().source.clone()
    }

    pub(crate) fn set_calibration(&self, calibration: CalibrationView) {
        self.lock().calibration = calibration;
    }

    pub(crate) fn calibration(&self) -> CalibrationView {
        self.lock().calibration.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
