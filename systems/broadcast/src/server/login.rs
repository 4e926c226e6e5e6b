//! The first visit with a token: it is kept in a cookie and taken out of the address.

use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse as _, Response};

use crate::access::AccessToken;

/// A screen beside the table is set up once: a year, seconds.
const COOKIE_AGE_SECONDS: u32 = 365 * 24 * 3600;

/// Nothing but this page, and its form leads back to us.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'";

/// Browsers keep cookies for a name, whatever the port: so the port is in its name.
pub(super) fn cookie_name(port: u16) -> String {
    format!("ghostball-token-{port}")
}

/// Whether this is for a person's eyes: the web client, not the interface.
pub(super) fn is_page(method: &Method, uri: &Uri) -> bool {
    let path = uri.path();
    matches!(*method, Method::GET | Method::HEAD)
        && !["/api/", "/ws", "/metrics"]
            .iter()
            .any(|interface| path.starts_with(interface))
}

/// Keeps the token in a cookie, and asks for the same page without it in the address: addresses are seen by others.
///
/// The cookie is not for scripts, and is not sent along by pages from elsewhere, except when a link is followed.
pub(super) fn remember(uri: &Uri, token: &AccessToken, port: u16) -> Response {
    let others = uri.query().unwrap_or_default().split('&');
    let others: Vec<_> = others
        .filter(|pair| !pair.is_empty() && !pair.starts_with("token="))
        .collect();
    let path = uri.path().trim_start_matches('/');
    let clean = if others.is_empty() {
        format!("/{path}")
    } else {
        format!("/{path}?{}", others.join("&"))
    };
    let cookie = format!(
        "{}={}; Path=/; Max-Age={COOKIE_AGE_SECONDS}; HttpOnly; SameSite=Lax",
        cookie_name(port),
        token.reveal()
    );
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::LOCATION, clean),
        (header::SET_COOKIE, cookie),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ] {
        if let Ok(mut value) = HeaderValue::try_from(value) {
            value.set_sensitive(true);
            headers.insert(name, value);
        }
    }
    response
}

/// Asks a person for the token.
pub(super) fn ask(message: &str) -> Response {
    // The message is ours, with nothing of the request in it.
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>ghostball</title><style>body{{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;\
         padding:0 1rem;background:#10151b;color:#dce3ea}}input,button{{font:inherit;padding:.4rem .6rem}}</style>\
         <h1>ghostball</h1><p>{message}.</p><p>The program that serves this table tells where its token is when it \
         starts.</p><form action=\"/\"><input type=\"password\" name=\"token\" aria-label=\"Access token\" autofocus \
         autocomplete=\"current-password\"> <button>Enter</button></form></html>"
    );
    let described = [
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(CONTENT_SECURITY_POLICY),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static(super::reply::CHALLENGE),
        ),
    ];
    (StatusCode::UNAUTHORIZED, described, Html(page)).into_response()
}
