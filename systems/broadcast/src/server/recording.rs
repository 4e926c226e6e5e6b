//! Recordings: begun, ended, saved from the ring, listed.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::Shared;
use super::reply::{HttpError, Sent};
use crate::{RecordAction, WorldCommand};

/// What to do: one of these.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Asked {
    /// Begin to record.
    start: bool,
    /// End it.
    stop: bool,
    /// Save so many seconds before now, above 0, from the ring.
    save_last_seconds: Option<f64>,
}

pub(super) async fn record(
    State(shared): State<Arc<Shared>>,
    Sent(asked): Sent<Asked>,
) -> Result<Json<Value>, HttpError> {
    let action = match (asked.start, asked.stop, asked.save_last_seconds) {
        (true, false, None) => RecordAction::Start,
        (false, true, None) => RecordAction::Stop,
        (false, false, Some(seconds)) => RecordAction::SaveLast { seconds },
        _ => {
            let message = "expected one of {\"start\": true}, {\"stop\": true} and {\"save_last_seconds\": 60}, found none or several";
            return Err(HttpError::new(StatusCode::UNPROCESSABLE_ENTITY, message));
        }
    };
    Ok(Json(shared.commands.ask(WorldCommand::Record { action }).await?))
}

pub(super) async fn list(State(shared): State<Arc<Shared>>) -> Result<Json<Value>, HttpError> {
    Ok(Json(shared.commands.ask(WorldCommand::ListRecordings).await?))
}
