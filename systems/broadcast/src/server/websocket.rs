//! The way from an HTTP request to a WebSocket session.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, Version, header};
use axum::response::Response;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::reply::{Asked, HttpError};
use super::{Shared, Slot};
use crate::session::{self, Connection, Refused};
use crate::space::Space;

/// `coords=metres|4k|camera&subscribe=state,trajectory`. A `token` was looked at by the guard.
#[derive(Debug, Deserialize)]
pub(super) struct WebSocketQuery {
    coords: Option<String>,
    subscribe: Option<String>,
}

/// Names in `subscribe` that are looked at.
const MAX_STREAMS: usize = 32;

/// Answers the handshake of RFC 6455, then hands the connection to a session.
pub(super) async fn upgrade(
    State(shared): State<Arc<Shared>>,
    Asked(query): Asked<WebSocketQuery>,
    Extension((slot, address)): Extension<(Slot, SocketAddr)>,
    mut request: Request,
) -> Result<Response, HttpError> {
    let key = check_handshake(&request)?;
    let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes()))
        .map_err(|_| HttpError::new(StatusCode::BAD_REQUEST, "expected a Sec-WebSocket-Key of base64"))?;
    let space = space(query.coords.as_deref(), shared.setup.default_space)?;
    let streams = query.subscribe.as_deref().map_or_else(Vec::new, |names| {
        let names = names.split(',').take(MAX_STREAMS).map(str::trim);
        names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
    });
    let pass = shared.gate.enter(address.ip()).map_err(|refused| {
        shared.counters.refused.fetch_add(1, Ordering::Relaxed);
        refuse(refused)
    })?;
    let number = shared.counters.clients_so_far.fetch_add(1, Ordering::Relaxed) + 1;
    let (hub, counters) = (shared.hub.clone(), shared.counters.clone());
    let until_shutdown = shared.until_shutdown.clone();
    let max_message_bytes = shared.setup.handler.max_message_bytes;
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let connection = match upgraded.await {
            Ok(connection) => connection,
            Err(error) => {
                tracing::debug!(%error, "a WebSocket client left during its handshake");
                return;
            }
        };
        // What hyper was given by `converse`.
        let Ok(parts) = connection.downcast::<TokioIo<TcpStream>>() else {
            tracing::error!("a WebSocket connection is no TCP connection");
            return;
        };
        let connection = Connection {
            stream: parts.io.into_inner(),
            already_read: parts.read_buf,
            client_id: format!("client-{number}"),
            address: address.to_string(),
            space,
            streams,
            max_message_bytes,
        };
        counters.sessions.fetch_add(1, Ordering::Relaxed);
        // On the heap, apart: this future would be as large as its largest part otherwise.
        Box::pin(session::run(connection, hub, counters.clone(), until_shutdown)).await;
        counters.sessions.fetch_sub(1, Ordering::Relaxed);
        drop((slot, pass));
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    Ok(response)
}

fn refuse(refused: Refused) -> HttpError {
    match refused {
        Refused::Full(most) => HttpError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("expected at most {most} WebSocket connections, all are taken; try again later"),
        ),
        Refused::AddressFull(most) => HttpError::new(
            StatusCode::TOO_MANY_REQUESTS,
            format!("expected at most {most} WebSocket connections from one address, all are taken"),
        ),
    }
}

/// The client's key, where this is a handshake.
fn check_handshake(request: &Request) -> Result<String, HttpError> {
    let headers = request.headers();
    let has_token = |name, token: &str| {
        headers.get_all(name).iter().any(|value| {
            let mut tokens = value.to_str().unwrap_or("").split(',');
            tokens.any(|found| found.trim().eq_ignore_ascii_case(token))
        })
    };
    // Routes for GET serve HEAD as well.
    if request.method() != Method::GET || request.version() < Version::HTTP_11 {
        return Err(HttpError::new(
            StatusCode::BAD_REQUEST,
            "expected a WebSocket handshake by GET and HTTP/1.1",
        ));
    }
    if !has_token(header::CONNECTION, "upgrade") || !has_token(header::UPGRADE, "websocket") {
        let message =
            "expected a WebSocket handshake (Connection: Upgrade, Upgrade: websocket), found a plain request";
        return Err(HttpError::new(StatusCode::UPGRADE_REQUIRED, message));
    }
    if !has_token(header::SEC_WEBSOCKET_VERSION, "13") {
        return Err(HttpError::new(
            StatusCode::UPGRADE_REQUIRED,
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
