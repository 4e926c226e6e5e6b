//! What the interface offers, for programs: OpenAPI 3.1 of HTTP, JSON schemas of WebSocket messages; both made from the
//! types that are sent.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::config::Reset;
use super::health::Health;
use super::projector::Alignment;
use super::recording;
use super::replay::{Frames, Place, Speed};
use super::reply::{self, HttpError};
use super::system::{Corners, LogData};
use super::video::VideoStatus;
use crate::wire::{ConnectionsData, HistoryData, MetricsData, StateData, schema};
use crate::{CalibrationView, ConfigView, ReplayView};

/// What an operation takes or gives.
enum Content {
    /// Nothing.
    None,
    /// JSON of this type.
    Json(fn(&mut SchemaGenerator) -> Schema),
    /// JSON of any shape.
    AnyJson,
    /// Another media type.
    Other(&'static str),
    /// The connection goes on as a WebSocket.
    WebSocket,
}

/// One method of one path.
struct Operation {
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    /// Name, JSON type and meaning.
    query: &'static [(&'static str, &'static str, &'static str)],
    body: Content,
    status: u16,
    answer: Content,
}

fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

const COORDS: (&str, &str, &str) = ("coords", "string", "metres, 4k or camera");
const VIDEO: &[(&str, &str, &str)] = &[
    (
        "quality",
        "integer",
        "1 to 100; as the camera has it where nobody says",
    ),
    ("fps", "number", "at most so many a second, 1 to 60"),
    ("width", "integer", "pixels, at least 16; never made larger"),
    (
        "overlay",
        "integer",
        "1: balls, stick and predicted paths are drawn over it; 0",
    ),
];
const SOCKET: &[(&str, &str, &str)] = &[
    COORDS,
    ("subscribe", "string", "streams, separated by commas"),
    ("token", "string", "the access token, where one is asked for"),
];

const fn get(path: &'static str, summary: &'static str, answer: Content) -> Operation {
    Operation {
        method: "get",
        path,
        summary,
        query: &[],
        body: Content::None,
        status: 200,
        answer,
    }
}

const fn change(method: &'static str, path: &'static str, summary: &'static str, body: Content) -> Operation {
    Operation {
        method,
        body,
        ..get(path, summary, Content::AnyJson)
    }
}

const fn replay(path: &'static str, summary: &'static str, body: Content) -> Operation {
    Operation {
        answer: Content::Json(of::<ReplayView>),
        ..change("post", path, summary, body)
    }
}

const OPERATIONS: &[Operation] = &[
    Operation {
        query: SOCKET,
        status: 101,
        ..get("/api/v1/ws", "Messages as they come", Content::WebSocket)
    },
    Operation {
        query: SOCKET,
        status: 101,
        ..get("/ws", "The same", Content::WebSocket)
    },
    Operation {
        query: SOCKET,
        status: 101,
        ..get("/api/v1/game/state/ws", "The same", Content::WebSocket)
    },
    Operation {
        query: SOCKET,
        status: 101,
        ..get("/api/v1/websocket/ws", "The same", Content::WebSocket)
    },
    get("/api/v1/health", "How it is", Content::Json(of::<Health>)),
    get(
        "/api/v1/health/live",
        "Answers, so it lives",
        Content::Json(of::<Health>),
    ),
    get(
        "/api/v1/health/ready",
        "503 until frames flow",
        Content::Json(of::<Health>),
    ),
    get(
        "/api/v1/config",
        "Every value in force, and where it came from",
        Content::Json(of::<ConfigView>),
    ),
    change(
        "put",
        "/api/v1/config",
        "Change values: all or none",
        Content::AnyJson,
    ),
    change(
        "post",
        "/api/v1/config/reset",
        "Back to the defaults",
        Content::Json(of::<Reset>),
    ),
    get(
        "/api/v1/config/schema",
        "JSON schema of the configuration",
        Content::AnyJson,
    ),
    get(
        "/api/v1/calibration",
        "The calibration and its errors",
        Content::Json(of::<CalibrationView>),
    ),
    Operation {
        status: 202,
        ..change("post", "/api/v1/calibration", "Calibrate", Content::None)
    },
    Operation {
        status: 202,
        ..change(
            "put",
            "/api/v1/calibration/corners",
            "Calibrate with corners by hand",
            Content::Json(of::<Corners>),
        )
    },
    get("/api/v1/devices", "The cameras of this machine", Content::AnyJson),
    Operation {
        query: &[("lines", "integer", "how many; 100 where nobody says")],
        ..get("/api/v1/logs", "The end of the log", Content::Json(of::<LogData>))
    },
    get(
        "/api/v1/projector",
        "Points of table and projector that lie on each other",
        Content::Json(of::<Alignment>),
    ),
    Operation {
        answer: Content::Json(of::<Alignment>),
        ..change(
            "put",
            "/api/v1/projector",
            "Other points, all of them",
            Content::Json(of::<Alignment>),
        )
    },
    change(
        "post",
        "/api/v1/recording",
        "Begin or end a recording, or save the last seconds",
        Content::Json(of::<recording::Asked>),
    ),
    get("/api/v1/recordings", "What was recorded", Content::AnyJson),
    get(
        "/api/v1/replay",
        "How a recording is played",
        Content::Json(of::<ReplayView>),
    ),
    replay("/api/v1/replay/pause", "Stand", Content::None),
    replay("/api/v1/replay/resume", "Go on", Content::None),
    replay("/api/v1/replay/seek", "Go elsewhere", Content::Json(of::<Place>)),
    replay(
        "/api/v1/replay/step",
        "Play single frames, and stand",
        Content::Json(of::<Frames>),
    ),
    replay(
        "/api/v1/replay/speed",
        "Play faster or slower",
        Content::Json(of::<Speed>),
    ),
    Operation {
        query: &[COORDS],
        ..get(
            "/api/v1/game/state",
            "The data of the newest state message",
            Content::Json(of::<StateData>),
        )
    },
    Operation {
        query: &[COORDS, ("limit", "integer", "at most so many")],
        ..get(
            "/api/v1/game/history",
            "Finished shots, newest first",
            Content::Json(of::<HistoryData>),
        )
    },
    get(
        "/api/v1/websocket/metrics",
        "How delivery does",
        Content::Json(of::<MetricsData>),
    ),
    get(
        "/api/v1/websocket/connections",
        "Every WebSocket connection",
        Content::Json(of::<ConnectionsData>),
    ),
    Operation {
        query: VIDEO,
        ..get(
            "/api/v1/stream/video",
            "Pictures without end",
            Content::Other("multipart/x-mixed-replace"),
        )
    },
    Operation {
        query: VIDEO,
        ..get(
            "/api/v1/stream/video/frame",
            "The newest picture",
            Content::Other("image/jpeg"),
        )
    },
    get(
        "/api/v1/stream/video/status",
        "What there is to watch",
        Content::Json(of::<VideoStatus>),
    ),
    get("/api/v1/openapi.json", "This document", Content::AnyJson),
    get(
        "/api/v1/schema/{message}",
        "JSON schema of a WebSocket message",
        Content::AnyJson,
    ),
    get("/metrics", "Numbers for Prometheus", Content::Other("text/plain")),
];

/// The OpenAPI document.
pub(super) async fn document() -> Json<Value> {
    Json(openapi())
}

fn openapi() -> Value {
    let mut settings = SchemaSettings::draft2020_12().for_serialize();
    settings.definitions_path = "/components/schemas".into();
    let mut generator = settings.into_generator();
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let described = operation.described(&mut generator);
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = described;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "ghostball",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A billiard table as a camera sees it. WebSocket messages: /api/v1/schema/{message}.",
        },
        "paths": paths,
        "components": {
            "schemas": schema::closed(generator.take_definitions(true)),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "query": {"type": "apiKey", "in": "query", "name": "token"},
            },
        },
        // Where the server listens on loopback nobody is asked.
        "security": [{}, {"bearer": []}, {"query": []}],
    })
}

impl Operation {
    fn described(&self, generator: &mut SchemaGenerator) -> Value {
        let query = self.query.iter().map(|(name, kind, meaning)| {
            json!({"name": name, "in": "query", "description": meaning, "schema": {"type": kind}})
        });
        let in_path = self
            .path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let in_path = in_path
            .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}));
        let parameters: Vec<_> = in_path.chain(query).collect();
        let mut answer = json!({"description": self.summary});
        if let Some(content) = self.answer.described(generator) {
            answer["content"] = content;
        }
        let error = of::<reply::Body>(generator);
        let mut described = json!({
            "summary": self.summary,
            "parameters": parameters,
            "responses": {
                self.status.to_string(): answer,
                "default": {
                    "description": "Why not",
                    "content": {"application/json": {"schema": error}},
                },
            },
        });
        if let Some(content) = self.body.described(generator) {
            described["requestBody"] = json!({"content": content});
        }
        described
    }
}

impl Content {
    fn described(&self, generator: &mut SchemaGenerator) -> Option<Value> {
        match self {
            Self::None | Self::WebSocket => None,
            Self::Json(schema) => Some(json!({"application/json": {"schema": schema(generator)}})),
            Self::AnyJson => Some(json!({"application/json": {"schema": true}})),
            Self::Other(media) => Some(json!({*media: {}})),
        }
    }
}

/// The schema of one kind of message.
pub(super) async fn message_schema(Path(message): Path<String>) -> Result<Json<Value>, HttpError> {
    schema::of_message(&message).map(Json).ok_or_else(|| {
        let known: Vec<_> = schema::message_types().collect();
        let message = format!("expected one of {}, found {message:?}", known.join(", "));
        HttpError::new(StatusCode::NOT_FOUND, message)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_document_holds_every_path_that_is_answered() {
        let router = include_str!("http.rs");
        let parts = router.split(".route(").skip(1);
        let routed: BTreeSet<_> = parts.map(|part| part.split('"').nth(1).unwrap()).collect();
        let told: BTreeSet<_> = OPERATIONS.iter().map(|operation| operation.path).collect();
        assert_eq!(routed, told);
        // And each that takes something is told with it.
        for (path, methods) in openapi()["paths"].as_object().unwrap() {
            let routed = router
                .split(".route(")
                .find(|part| part.contains(&format!("\"{path}\"")))
                .unwrap();
            let routed = routed.split(".route").next().unwrap();
            for method in ["get", "put", "post"] {
                let is_told = methods.get(method).is_some();
                let is_routed = routed.contains(&format!("{method}("));
                assert_eq!(is_told, is_routed, "{method} {path}");
            }
        }
    }
}
