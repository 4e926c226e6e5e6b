//! Where the projector's picture lies on the table: points that a person has brought together. Kept here for projector
//! programs; ghostball itself draws nothing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Shared;
use super::reply::{HttpError, Sent};

/// More are of no use: four fix the picture, the others tell how well.
const MAX_POINTS: usize = 64;

/// Points that lie on each other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Alignment {
    points: Vec<AlignmentPoint>,
}

/// A point of the table and the pixel that lights it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AlignmentPoint {
    /// Metres from the middle of the playing surface, x along the long axis, y up.
    table: Position,
    /// Pixels of the projector.
    projector: Position,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Position {
    x: f64,
    y: f64,
}

/// Keeps the alignment in a file; without one, until the program ends.
#[derive(Debug)]
pub(super) struct Projector {
    file: Option<PathBuf>,
    alignment: Mutex<Alignment>,
}

impl Projector {
    /// Reads what was kept. A file that cannot be read is told of, and replaced when there is something to keep.
    pub(super) fn new(folder: Option<&Path>) -> Self {
        let file = folder.map(|folder| folder.join("projector.json"));
        let kept = file.as_deref().map(|file| match fs::read(file) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::from),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Alignment::default()),
            Err(error) => Err(error),
        });
        let kept = kept.unwrap_or_else(|| Ok(Alignment::default()));
        let alignment = kept.unwrap_or_else(|error| {
            tracing::warn!(%error, "the alignment of the projector cannot be read");
            Alignment::default()
        });
        Self {
            file,
            alignment: Mutex::new(alignment),
        }
    }

    fn alignment(&self) -> Alignment {
        self.alignment
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Waits for the disk.
    fn keep(&self, alignment: Alignment) -> io::Result<()> {
        // Held while it is written, so that the file is that of the last who came.
        let mut kept = self.alignment.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &self.file {
            let new = file.with_extension("json.new");
            fs::create_dir_all(file.parent().unwrap_or(Path::new(".")))?;
            fs::write(&new, serde_json::to_vec_pretty(&alignment)?)?;
            fs::rename(&new, file)?;
        }
        *kept = alignment;
        Ok(())
    }
}

/// The points as they are.
pub(super) async fn show(State(shared): State<Arc<Shared>>) -> Json<Alignment> {
    Json(shared.projector.alignment())
}

/// Other points, all of them.
pub(super) async fn change(
    State(shared): State<Arc<Shared>>,
    Sent(alignment): Sent<Alignment>,
) -> Result<Json<Alignment>, HttpError> {
    let found = alignment.points.len();
    if found > MAX_POINTS {
        let message = format!("expected at most {MAX_POINTS} points, found {found}");
        return Err(HttpError::new(StatusCode::UNPROCESSABLE_ENTITY, message));
    }
    let (projector, kept) = (Arc::clone(&shared.projector), alignment.clone());
    let failed = |error: &dyn std::fmt::Display| {
        let message = format!("the points cannot be kept: {error}");
        HttpError::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    };
    tokio::task::spawn_blocking(move || projector.keep(kept))
        .await
        .map_err(|error| failed(&error))?
        .map_err(|error| failed(&error))?;
    Ok(Json(alignment))
}
