//! Errors as clients of the HTTP interface see them.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

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
