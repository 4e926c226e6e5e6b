//! Who answers which path.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post, put};
use serde::Deserialize;

use super::reply::{Asked, HttpError};
use super::websocket::space;
use super::{
    Shared, assets, config, guard, health, openapi, projector, prometheus, recording, replay, system, video,
    websocket,
};
use crate::wire::{HistoryData, StateData, StateQuality};

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/api/v1/ws", get(websocket::upgrade))
        .route("/ws", get(websocket::upgrade))
        .route("/api/v1/game/state/ws", get(websocket::upgrade))
        .route("/api/v1/websocket/ws", get(websocket::upgrade))
        .route("/api/v1/health", get(health::health))
        .route("/api/v1/health/live", get(health::health))
        .route("/api/v1/health/ready", get(health::ready))
        .route("/api/v1/config", get(config::show).put(config::change))
        .route("/api/v1/config/reset", post(config::reset))
        .route("/api/v1/config/schema", get(config::schema))
        .route(
            "/api/v1/calibration",
            get(system::calibration).post(system::calibrate),
        )
        .route("/api/v1/calibration/corners", put(system::set_corners))
        .route("/api/v1/devices", get(system::devices))
        .route("/api/v1/logs", get(system::logs))
        .route("/api/v1/projector", get(projector::show).put(projector::change))
        .route("/api/v1/recording", post(recording::record))
        .route("/api/v1/recordings", get(recording::list))
        .route("/api/v1/replay", get(replay::show))
        .route("/api/v1/replay/pause", post(replay::pause))
        .route("/api/v1/replay/resume", post(replay::resume))
        .route("/api/v1/replay/seek", post(replay::seek))
        .route("/api/v1/replay/step", post(replay::step))
        .route("/api/v1/replay/speed", post(replay::speed))
        .route("/api/v1/openapi.json", get(openapi::document))
        .route("/api/v1/schema/{message}", get(openapi::message_schema))
        .route("/metrics", get(prometheus::metrics))
        .route("/api/v1/game/state", get(game_state))
        .route("/api/v1/game/history", get(game_history))
        .route("/api/v1/websocket/metrics", get(metrics))
        .route("/api/v1/websocket/connections", get(connections))
        .route("/api/v1/stream/video", get(video::stream))
        .route("/api/v1/stream/video/frame", get(video::picture))
        .route("/api/v1/stream/video/status", get(video::status))
        .fallback(assets::file_or_nothing)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(guard::MAX_BODY_BYTES))
        .layer(from_fn_with_state(shared.clone(), guard::guard))
        .with_state(shared)
}

async fn method_not_allowed(method: Method, uri: Uri) -> HttpError {
    let message = format!("expected another method than {method} for {:?}", uri.path());
    HttpError::new(StatusCode::METHOD_NOT_ALLOWED, message)
}

#[derive(Debug, Deserialize)]
struct StateQuery {
    coords: Option<String>,
}

/// The data of the newest state message.
async fn game_state(
    State(shared): State<Arc<Shared>>,
    Asked(query): Asked<StateQuery>,
) -> Result<Response, HttpError> {
    let space = space(query.coords.as_deref(), shared.setup.default_space)?;
    let newest = shared.feeds.state.borrow().clone();
    let newest = newest.ok_or_else(|| {
        HttpError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "no frame has come from the source yet; try again",
        )
    })?;
    let snapshot = newest.snapshot().cloned().unwrap_or_default();
    let data = StateData::new(&snapshot, space, StateQuality::Full, newest.issue);
    Ok(Json(data).into_response())
}

#[derive(Debug, Deserialize)]
struct HistoryQuery {
    coords: Option<String>,
    limit: Option<usize>,
}

/// Finished shots, newest first; all that are remembered without a limit.
async fn game_history(
    State(shared): State<Arc<Shared>>,
    Asked(query): Asked<HistoryQuery>,
) -> Result<Response, HttpError> {
    let space = space(query.coords.as_deref(), shared.setup.default_space)?;
    let shots = shared.feeds.history.borrow().clone();
    let newest = shots.iter().rev().take(query.limit.unwrap_or(usize::MAX));
    Ok(Json(HistoryData::new(newest.map(Arc::as_ref), space)).into_response())
}

/// How delivery does.
async fn metrics(State(shared): State<Arc<Shared>>) -> Result<Response, HttpError> {
    let metrics = shared.hub.metrics().await.ok_or_else(ending)?;
    Ok(Json(metrics).into_response())
}

/// Every WebSocket connection.
async fn connections(State(shared): State<Arc<Shared>>) -> Result<Response, HttpError> {
    let connections = shared.hub.connections().await.ok_or_else(ending)?;
    Ok(Json(connections).into_response())
}

fn ending() -> HttpError {
    HttpError::new(StatusCode::SERVICE_UNAVAILABLE, "the server is ending")
}
