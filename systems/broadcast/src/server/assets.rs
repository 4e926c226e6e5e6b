//! The web client, embedded.

use axum::body::Body;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use rust_embed::RustEmbed;

use super::reply::HttpError;

#[derive(RustEmbed)]
#[folder = "../../assets/web"]
struct Assets;

/// Nothing from elsewhere: the page works without a network, and nothing can be slipped into it.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Whatever has no route of its own: a file of the web client, or nothing.
pub(super) async fn file_or_nothing(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = match uri.path().trim_start_matches('/') {
        "" => "index.html",
        path => path,
    };
    let Some(file) = Assets::get(path) else {
        let message = format!(
            "nothing is at {:?}; the web client is at /, the interface below /api/v1",
            uri.path()
        );
        return HttpError::new(StatusCode::NOT_FOUND, message).into_response();
    };
    if method != Method::GET && method != Method::HEAD {
        let message = format!("expected GET of {:?}, found {method}", uri.path());
        return HttpError::new(StatusCode::METHOD_NOT_ALLOWED, message).into_response();
    }
    let hash = file.metadata.sha256_hash();
    let tag: String = hash[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{tag}\"");
    let is_known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let status = if is_known {
        StatusCode::NOT_MODIFIED
    } else {
        StatusCode::OK
    };
    let body = if is_known {
        Body::empty()
    } else {
        Body::from(file.data.into_owned())
    };
    let described = [
        (header::CONTENT_TYPE, content_type(path).to_owned()),
        // Asked for each time, answered by the tag: a new version is seen at once.
        (header::CACHE_CONTROL, "no-cache".to_owned()),
        (header::ETAG, tag),
        (
            header::CONTENT_SECURITY_POLICY,
            CONTENT_SECURITY_POLICY.to_owned(),
        ),
    ];
    (status, described, body).into_response()
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "json" | "webmanifest" => "application/json",
        "png" => "image/png",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}
