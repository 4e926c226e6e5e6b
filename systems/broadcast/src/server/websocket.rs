//! The way from an HTTP request to a WebSocket session.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::reply::{Asked, HttpError};
use super::{Shared, Slot};
use crate::session::{self, Wishes};
use crate::space::Space;

/// `coords=metres|4k|camera&subscribe=state,trajectory`. A `token` was looked at by the guard.
#[derive(Debug, Deserialize)]
pub(super) struct WebSocketQuery {
    coords: Option<String>,
    subscribe: Option<String>,
}

/// Answers the handshake of RFC 6455, then hands the connection to a session.
pub(super) async fn upgrade(
    State(shared): State<Arc<Shared>>,
    Asked(query): Asked<WebSocketQuery>,
    Extension(slot): Extension<Slot>,
    mut request: Request,
) -> Result<Response, HttpError> {
    let key = check_handshake(request.headers())?;
    let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes()))
        .map_err(|_| HttpError::new(StatusCode::BAD_REQUEST, "expected a Sec-WebSocket-Key of base64"))?;
    let wishes = Wishes {
        space: space(query.coords.as_deref(), shared.default_space)?,
        streams: query.subscribe.as_deref().map_or_else(Vec::new, |names| {
            names
                .split(',')
                .take(32)
                .map(|name| name.trim().to_owned())
                .filter(|name| !name.is_empty())
                .collect()
        }),
    };
    let counters = shared.surroundings.counters.clone();
    let client_id = format!(
        "client-{}",
        counters.clients_so_far.fetch_add(1, Ordering::Relaxed) + 1
    );
    let surroundings = shared.surroundings.clone();
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let connection = match upgraded.await {
            Ok(connection) => TokioIo::new(connection),
            Err(error) => {
                tracing::debug!(%error, "a WebSocket client left during its handshake");
                return;
            }
        };
        let config = Some(session::websocket_config());
        let socket = WebSocketStream::from_raw_socket(connection, Role::Server, config).await;
        counters.sessions.fetch_add(1, Ordering::Relaxed);
        session::run(socket, client_id, wishes, surroundings).await;
        counters.sessions.fetch_sub(1, Ordering::Relaxed);
        drop(slot);
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    Ok(response)
}

/// The client's key, where this is a handshake.
fn check_handshake(headers: &HeaderMap) -> Result<String, HttpError> {
    let has_token = |name, token: &str| {
        headers.get_all(name).iter().any(|value| {
            let mut tokens = value.to_str().unwrap_or("").split(',');
            tokens.any(|found| found.trim().eq_ignore_ascii_case(token))
        })
    };
    if !has_token(header::CONNECTION, "upgrade") || !has_token(header::UPGRADE, "websocket") {
        let message =
            "expected a WebSocket handshake (Connection: Upgrade, Upgrade: websocket), found a plain request";
        return Err(HttpError::new(StatusCode::UPGRADE_REQUIRED, message));
    }
    if !has_token(header::SEC_WEBSOCKET_VERSION, "13") {
        return Err(HttpError::new(
            StatusCode::BAD_REQUEST,
            "expected Sec-WebSocket-Version: 13",
        ));
    }
    let key = headers
        .get(header::SEC_WEBSOCKET_KEY)
        .and_then(|key| key.to_str().ok());
    // Sixteen bytes in base64.
    match key {
        Some(key) if key.len() == 24 => Ok(key.to_owned()),
        _ => Err(HttpError::new(
            StatusCode::BAD_REQUEST,
            "expected a Sec-WebSocket-Key of 16 bytes in base64",
        )),
    }
}

/// The space a client asked for, or the one for those who did not.
pub(super) fn space(asked: Option<&str>, default: Space) -> Result<Space, HttpError> {
    asked.map_or(Ok(default), |name| {
        Space::from_name(name).ok_or_else(|| {
            let message = format!("expected coords to be metres, 4k or camera, found {name:?}");
            HttpError::new(StatusCode::BAD_REQUEST, message)
        })
    })
}
