//! Errors as clients of the HTTP interface see them.

use axum::Json;
use axum::extract::{FromRequestParts, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// `{"error": {"code", "message"}}` with the status that fits.
#[derive(Debug)]
pub(super) struct HttpError {
    status: StatusCode,
    message: String,
}

#[derive(Serialize)]
struct Body {
    error: Details,
}

#[derive(Serialize)]
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
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let name = self.status.canonical_reason().unwrap_or("error");
        let error = Details {
            code: name.to_uppercase().replace([' ', '-'], "_"),
            message: self.message,
        };
        (self.status, Json(Body { error })).into_response()
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
