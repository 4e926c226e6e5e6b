//! Errors as clients of the HTTP interface see them.

use std::fmt;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Refusal, RefusalReason};

/// `{"error": {"code", "message"}}` with the status that fits.
#[derive(Debug)]
pub(super) struct HttpError {
    status: StatusCode,
    message: String,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Body {
    error: Details,
}

#[derive(Serialize, JsonSchema)]
struct Details {
    code: String,
    message: String,
}

impl HttpError {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }
}

/// How a client may show who it is.
pub(super) const CHALLENGE: &str = "Bearer realm=\"ghostball\"";

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let status = self.status;
        let name = self.status.canonical_reason().unwrap_or("error");
        let error = Details {
            code: name.to_uppercase().replace([' ', '-'], "_"),
            message: self.message,
        };
        let mut response = (self.status, Json(Body { error })).into_response();
        let told: &[_] = match status {
            StatusCode::UNAUTHORIZED => &[(header::WWW_AUTHENTICATE, CHALLENGE)],
            // RFC 9110, 15.5.22, and RFC 6455, 4.4: what to upgrade to, and which version of it.
            StatusCode::UPGRADE_REQUIRED => &[
                (header::CONNECTION, "Upgrade"),
                (header::UPGRADE, "websocket"),
                (header::SEC_WEBSOCKET_VERSION, "13"),
            ],
            _ => &[],
        };
        for (name, value) in told {
            let value = HeaderValue::from_static(value);
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// What was asked for in the address, or an error that is told like all others.
pub(super) struct Asked<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, HttpError> {
        let Query(asked) = Query::from_request_parts(parts, state)
            .await
            .map_err(|rejection| HttpError::new(rejection.status(), rejection.body_text()))?;
        Ok(Self(asked))
    }
}

/// What was sent, as JSON; an empty body is the default. The content type has to be JSON where there is a body: a page from
/// elsewhere cannot send that without being asked first whether it may.
pub(super) struct Sent<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for Sent<T> {
    type Rejection = HttpError;

    async fn from_request(request: Request, state: &S) -> Result<Self, HttpError> {
        let content_type = request.headers().get(header::CONTENT_TYPE).cloned();
        let body = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| HttpError::new(rejection.status(), rejection.body_text()))?;
        if body.is_empty() {
            return Ok(Self(T::default()));
        }
        let kind = content_type
            .as_ref()
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or("none");
        if !kind.starts_with("application/json") {
            let message = format!("expected Content-Type: application/json, found {kind}");
            return Err(HttpError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
        }
        let sent = serde_json::from_slice(&body).map_err(|error| {
            HttpError::new(StatusCode::BAD_REQUEST, format!("expected other JSON: {error}"))
        })?;
        Ok(Self(sent))
    }
}

impl From<Refusal> for HttpError {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.reason {
            RefusalReason::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            RefusalReason::NotFound => StatusCode::NOT_FOUND,
            RefusalReason::Conflict => StatusCode::CONFLICT,
            RefusalReason::Busy => StatusCode::SERVICE_UNAVAILABLE,
            RefusalReason::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, refusal.message)
    }
}
