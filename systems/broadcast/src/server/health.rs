//! Whether it works.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::Shared;
use crate::{SourceHealthView, WallTime};

/// Frames flow while the newest is younger than this: the slowest cameras in use give five a second.
const FRAMES_FLOW_WITHIN: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Status {
    Healthy,
    Degraded,
    Unhealthy,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Health {
    status: Status,
    timestamp: WallTime,
    /// Seconds.
    uptime: f64,
    version: &'static str,
    components: Components,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Components {
    source: SourceStatus,
    frames: FramesHealth,
    table: TableHealth,
    network: NetworkHealth,
}

#[derive(Debug, Serialize, JsonSchema)]
struct FramesHealth {
    status: Status,
    message: &'static str,
    /// Seconds since the newest; null before the first.
    age: Option<f64>,
    frame_number: Option<u64>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SourceStatus {
    status: Status,
    #[serde(flatten)]
    health: SourceHealthView,
}

#[derive(Debug, Serialize, JsonSchema)]
struct TableHealth {
    status: Status,
    message: &'static str,
}

#[derive(Debug, Serialize, JsonSchema)]
struct NetworkHealth {
    status: Status,
    websocket_clients: usize,
    messages_sent: u64,
    bytes_sent: u64,
    failed_sends: u64,
    failed_accepts: u64,
    pictures_encoded: u64,
}

impl Health {
    fn of(shared: &Shared) -> Self {
        let now = WallTime::now();
        let newest = shared.snapshot.borrow().clone();
        let age = newest.as_ref().map(|newest| now.since(newest.received_at));
        let (frames_status, message) = match age {
            None => (Status::Unhealthy, "no frame has come from the source yet"),
            Some(age) if age > FRAMES_FLOW_WITHIN => (Status::Unhealthy, "frames have stopped"),
            Some(_) => (Status::Healthy, "frames flow"),
        };
        let table = match newest
            .as_ref()
            .is_some_and(|newest| newest.snapshot.table.is_some())
        {
            true => (Status::Healthy, "the table is found"),
            false => (Status::Degraded, "no table is found in the picture"),
        };
        let source = shared.facts.source_health();
        let source_status = match source.away {
            true => Status::Unhealthy,
            false => Status::Healthy,
        };
        let counters = &shared.counters;
        let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        Self {
            status: match (source_status, frames_status) {
                (Status::Healthy, Status::Healthy) => table.0,
                (Status::Healthy, _) => frames_status,
                _ => source_status,
            },
            timestamp: now,
            uptime: now.since(shared.started_at).as_secs_f64(),
            version: env!("CARGO_PKG_VERSION"),
            components: Components {
                source: SourceStatus {
                    status: source_status,
                    health: source,
                },
                frames: FramesHealth {
                    status: frames_status,
                    message,
                    age: age.map(|age| age.as_secs_f64()),
                    frame_number: newest.map(|newest| newest.snapshot.frame_number),
                },
                table: TableHealth {
                    status: table.0,
                    message: table.1,
                },
                network: NetworkHealth {
                    status: Status::Healthy,
                    websocket_clients: counters.sessions.load(Ordering::Relaxed),
                    messages_sent: count(&counters.messages_sent),
                    bytes_sent: count(&counters.bytes_sent),
                    failed_sends: count(&counters.failed_sends),
                    failed_accepts: count(&counters.failed_accepts),
                    pictures_encoded: count(&counters.pictures_encoded),
                },
            },
        }
    }
}

/// How it is; says so with 200 also when it is not well. And: it answers, so it lives.
pub(super) async fn health(State(shared): State<Arc<Shared>>) -> Response {
    Json(Health::of(&shared)).into_response()
}

/// 503 until frames flow.
pub(super) async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    let health = Health::of(&shared);
    let status = match health.components.frames.status {
        Status::Healthy => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(health)).into_response()
}
