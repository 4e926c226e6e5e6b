//! How a recording is played: seen and controlled.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::Shared;
use super::reply::{HttpError, Sent};
use crate::{ReplayAction, ReplayView, WorldCommand};

type Played = Result<Json<Value>, HttpError>;

async fn ask(shared: &Shared, action: ReplayAction) -> Played {
    Ok(Json(shared.commands.ask(WorldCommand::Replay { action }).await?))
}

/// How it is played at the moment.
pub(super) async fn show(State(shared): State<Arc<Shared>>) -> Result<Json<ReplayView>, HttpError> {
    let none = || HttpError::new(StatusCode::NOT_FOUND, ReplayView::NONE);
    shared.facts.replay().map(Json).ok_or_else(none)
}

pub(super) async fn pause(State(shared): State<Arc<Shared>>) -> Played {
    ask(&shared, ReplayAction::Pause).await
}

pub(super) async fn resume(State(shared): State<Arc<Shared>>) -> Played {
    ask(&shared, ReplayAction::Resume).await
}

/// A place in the recording.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    /// Since the first frame.
    seconds: f64,
}

pub(super) async fn seek(State(shared): State<Arc<Shared>>, Sent(place): Sent<Place>) -> Played {
    let seconds = place.seconds;
    ask(&shared, ReplayAction::Seek { seconds }).await
}

/// Single frames.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Frames {
    /// How many, from 1; 1 where nobody says.
    frames: u32,
}

impl Default for Frames {
    fn default() -> Self {
        Self { frames: 1 }
    }
}

pub(super) async fn step(State(shared): State<Arc<Shared>>, Sent(Frames { frames }): Sent<Frames>) -> Played {
    ask(&shared, ReplayAction::Step { frames }).await
}

/// How fast it is played.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Speed {
    /// Times real time, above 0; null: as fast as frames can be worked off.
    speed: Option<f64>,
}

pub(super) async fn speed(State(shared): State<Arc<Shared>>, Sent(Speed { speed }): Sent<Speed>) -> Played {
    ask(&shared, ReplayAction::Speed { speed }).await
}
