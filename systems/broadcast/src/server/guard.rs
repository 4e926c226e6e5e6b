//! Who is let in while there are no access tokens: this machine, and pages that came from this server.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::reply::HttpError;

/// Refuses requests that a page from elsewhere may have sent on, and marks all answers as ours.
///
/// A page from elsewhere can point its own name at this machine (DNS rebinding) and would then count as ours: so the
/// name in `Host` has to be one of this machine.
pub(super) async fn guard(request: Request, next: Next) -> Response {
    let mut response = match check_host(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    headers.insert(
        "cross-origin-resource-policy",
        HeaderValue::from_static("same-origin"),
    );
    headers.insert("referrer-policy", HeaderValue::from_static("no-referrer"));
    response
}

fn check_host(headers: &HeaderMap) -> Result<(), HttpError> {
    let host = authority(headers, header::HOST).ok_or_else(|| {
        HttpError::new(
            StatusCode::BAD_REQUEST,
            "expected a Host header with a name and port, found none",
        )
    })?;
    if is_this_machine(host.host()) {
        return Ok(());
    }
    let message = format!(
        "expected Host to be localhost or a loopback address, found {:?}",
        host.as_str()
    );
    Err(HttpError::new(StatusCode::FORBIDDEN, message))
}

/// A browser says where a page that opens a WebSocket came from: it has to be here. Programs say nothing.
pub(super) fn check_origin(headers: &HeaderMap) -> Result<(), HttpError> {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return Ok(());
    };
    let origin = origin.to_str().unwrap_or("?");
    let came_from = origin
        .split_once("://")
        .and_then(|(_, authority)| authority.parse::<Authority>().ok());
    if came_from.is_some() && came_from == authority(headers, header::HOST) {
        return Ok(());
    }
    let message = format!("expected a page of this server, found Origin {origin:?}");
    Err(HttpError::new(StatusCode::FORBIDDEN, message))
}

fn authority(headers: &HeaderMap, name: header::HeaderName) -> Option<Authority> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn only_names_of_this_machine_are_hosts() {
        for host in [
            "localhost",
            "localhost:8000",
            "127.0.0.1:8000",
            "127.8.8.8",
            "[::1]:8000",
            "LOCALHOST:1",
        ] {
            assert!(check_host(&headers(&[("host", host)])).is_ok(), "{host}");
        }
        for host in [
            "example.org",
            "localhost.example.org:8000",
            "192.168.1.4:8000",
            "",
            "127.0.0.1.nip.io",
        ] {
            assert!(check_host(&headers(&[("host", host)])).is_err(), "{host}");
        }
        assert!(check_host(&HeaderMap::new()).is_err());
    }

    #[test]
    fn only_pages_of_this_server_open_web_sockets() {
        let allowed =
            |origin| check_origin(&headers(&[("host", "localhost:8000"), ("origin", origin)])).is_ok();
        assert!(allowed("http://localhost:8000"));
        for origin in [
            "http://localhost:3000",
            "http://127.0.0.1:8000",
            "https://example.org",
            "null",
            "file://",
        ] {
            assert!(!allowed(origin), "{origin}");
        }
        assert!(check_origin(&headers(&[("host", "localhost:8000")])).is_ok());
    }
}
