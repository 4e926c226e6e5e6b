//! What the machine and the program tell of themselves: log, cameras, calibration.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Shared;
use super::reply::{Asked, HttpError, Sent};
use crate::{CalibrationView, WorldCommand};

#[derive(Debug, Deserialize)]
pub(super) struct LogQuery {
    /// How many; 100 where nobody says.
    lines: Option<usize>,
}

/// The end of the log.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct LogData {
    /// The newest last.
    lines: Vec<String>,
}

/// The last lines of the log.
pub(super) async fn logs(State(shared): State<Arc<Shared>>, Asked(query): Asked<LogQuery>) -> Json<LogData> {
    Json(LogData {
        lines: shared.log.last(query.lines.unwrap_or(100)),
    })
}

/// The cameras of this machine, with what they can deliver.
pub(super) async fn devices(State(shared): State<Arc<Shared>>) -> Result<Json<Value>, HttpError> {
    Ok(Json(shared.commands.ask(WorldCommand::ListDevices).await?))
}

/// The calibration in force, and how far a new one has come.
pub(super) async fn calibration(State(shared): State<Arc<Shared>>) -> Json<CalibrationView> {
    Json(shared.facts.calibration())
}

/// Starts a calibration; it goes on for some seconds, and the table is followed meanwhile.
pub(super) async fn calibrate(
    State(shared): State<Arc<Shared>>,
) -> Result<(StatusCode, Json<Value>), HttpError> {
    let answer = shared
        .commands
        .ask(WorldCommand::Calibrate { corners: None })
        .await?;
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

/// Corners by hand.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Corners {
    /// Where the cushion noses meet: top left, top right, bottom right, bottom left in the picture, pixels.
    corners: Vec<Corner>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Corner {
    x: f64,
    y: f64,
}

/// Starts a calibration with these corners.
pub(super) async fn set_corners(
    State(shared): State<Arc<Shared>>,
    Sent(Corners { corners }): Sent<Corners>,
) -> Result<(StatusCode, Json<Value>), HttpError> {
    let corners: Vec<_> = corners.iter().map(|corner| [corner.x, corner.y]).collect();
    let found = corners.len();
    let corners = <[[f64; 2]; 4]>::try_from(corners).map_err(|_| {
        let message = format!("expected 4 corners, top left first and then clockwise, found {found}");
        HttpError::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    })?;
    let command = WorldCommand::Calibrate {
        corners: Some(corners),
    };
    Ok((StatusCode::ACCEPTED, Json(shared.commands.ask(command).await?)))
}
