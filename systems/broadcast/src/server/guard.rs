//! Who is let in: whoever shows the token where there is one, and no page from elsewhere.
//!
//! Three things are looked at, of every request:
//!
//! - the **token**: as `Authorization: Bearer`, `?token=` or the cookie that the first visit of the page leaves;
//! - **Host**, where no token was shown: a page from elsewhere can point its own name at this machine (DNS rebinding) and
//!   would then count as ours; so the name has to be one that nobody else can have. It cannot bring our cookie along, so
//!   whoever shows the token may call this machine as he likes;
//! - **Origin** and `Sec-Fetch-Site`, which browsers add by themselves: what a page from elsewhere asks for is refused,
//!   reading and writing, HTTP and WebSocket. There is no CORS that would allow it anything. Programs send neither.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tokio::time::timeout;

use super::Shared;
use super::login;
use super::reply::HttpError;
use crate::access::{Access, Origin};

/// A request has to have come, and to be answered, within so long; what streams on after that is not meant.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// The longest body a request may have, bytes.
pub(super) const MAX_BODY_BYTES: usize = 64 * 1024;

/// Whom the guard lets in.
#[derive(Debug)]
pub(super) struct Guard {
    access: Access,
    /// Where the server listens.
    listen: SocketAddr,
    /// What this machine is called.
    machine: Option<String>,
}

/// Why a request is let in, as far as it matters later.
enum Pass {
    /// Nobody has to show anything, or reading is open.
    Open,
    /// The token was shown, in the address.
    ShownInAddress,
    /// The token was shown otherwise.
    Shown,
}

impl Guard {
    pub(super) fn new(access: Access, listen: SocketAddr) -> Self {
        let machine = std::fs::read_to_string("/proc/sys/kernel/hostname");
        Self {
            access,
            listen,
            machine: machine.ok().map(|name| name.trim().to_owned()),
        }
    }

    fn judge(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Pass, HttpError> {
        let host = authority(headers).ok_or_else(|| {
            HttpError::new(
                StatusCode::BAD_REQUEST,
                "expected a Host header with a name and port, found none",
            )
        })?;
        let pass = self.check_token(method, uri, headers)?;
        if matches!(pass, Pass::Open) {
            self.check_host(&host)?;
        }
        self.check_origin(headers, &host)?;
        check_length(headers)?;
        Ok(pass)
    }

    fn check_token(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Pass, HttpError> {
        let Some(token) = &self.access.token else {
            return Ok(Pass::Open);
        };
        let in_address = token_in_address(uri);
        let otherwise = bearer(headers).or_else(|| cookie(headers, &login::cookie_name(self.listen.port())));
        let is_token = |shown: Option<&str>| shown.is_some_and(|shown| token.is(shown));
        if is_token(in_address) {
            return Ok(Pass::ShownInAddress);
        }
        // A wrong one in the address is not made good by a cookie: who shows it wants to know.
        if is_token(otherwise) && in_address.is_none() {
            return Ok(Pass::Shown);
        }
        let message = match (in_address, otherwise) {
            (None, None) => {
                let is_read = matches!(*method, Method::GET | Method::HEAD);
                if self.access.open_read && is_read {
                    return Ok(Pass::Open);
                }
                "expected the access token (?token=…, Authorization: Bearer … or the cookie of the page), found none"
            }
            _ => "expected the access token of this server, found another",
        };
        Err(HttpError::new(StatusCode::UNAUTHORIZED, message))
    }

    fn check_host(&self, host: &Authority) -> Result<(), HttpError> {
        let mut allowed = self.access.allowed_origins.iter().map(Origin::authority);
        if self.is_this_machine(host.host()) || allowed.any(|allowed| allowed == host) {
            return Ok(());
        }
        let message = format!(
            "expected Host to be localhost or an address of this machine, found {:?}; names it goes by elsewhere belong \
             into api.server.allowed_origins",
            host.as_str()
        );
        Err(HttpError::new(StatusCode::FORBIDDEN, message))
    }

    /// Whether nobody else can have this name.
    fn is_this_machine(&self, host: &str) -> bool {
        let is_local = self.listen.ip().is_loopback();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(ip) = bare.parse::<IpAddr>() {
            // Who asks for an address gets to that address, whatever page he is on.
            return !is_local || ip.is_loopback();
        }
        let is_machine = || {
            let machine = self.machine.as_deref().filter(|name| !name.is_empty());
            machine.is_some_and(|name| {
                host.eq_ignore_ascii_case(name) || host.eq_ignore_ascii_case(&format!("{name}.local"))
            })
        };
        host.eq_ignore_ascii_case("localhost") || (!is_local && is_machine())
    }

    /// A browser says which page asks: it has to be one of ours.
    fn check_origin(&self, headers: &HeaderMap, host: &Authority) -> Result<(), HttpError> {
        let refuse = |found: &str| {
            let message = format!("expected a page of this server, found {found}");
            Err(HttpError::new(StatusCode::FORBIDDEN, message))
        };
        if let Some(origin) = headers.get(header::ORIGIN) {
            let text = origin.to_str().unwrap_or("?");
            let known = Origin::new(text).is_ok_and(|origin| {
                origin.authority() == host || self.access.allowed_origins.contains(&origin)
            });
            return if known {
                Ok(())
            } else {
                refuse(&format!("Origin {text:?}"))
            };
        }
        // Pictures and scripts are asked for without an origin. To follow a link from elsewhere is no harm.
        let says = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let site = says(HeaderName::from_static("sec-fetch-site"));
        let is_visit = says(HeaderName::from_static("sec-fetch-dest")) == Some("document");
        match site {
            Some(site @ ("cross-site" | "same-site")) if !is_visit => {
                refuse(&format!("Sec-Fetch-Site {site:?}"))
            }
            _ => Ok(()),
        }
    }
}

/// Refuses whom it has to, in time, and marks all answers as ours.
pub(super) async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let guard = &shared.guard;
    let judged = guard.judge(request.method(), request.uri(), request.headers());
    let is_page = login::is_page(request.method(), request.uri());
    let mut response = match (judged, &guard.access.token) {
        (Ok(Pass::ShownInAddress), Some(token)) if is_page => {
            login::remember(request.uri(), token, guard.listen.port())
        }
        (Ok(_), _) => match timeout(REQUEST_TIMEOUT, next.run(request)).await {
            Ok(response) => response,
            Err(_) => {
                let message = format!(
                    "expected the whole request within {} s",
                    REQUEST_TIMEOUT.as_secs()
                );
                HttpError::new(StatusCode::REQUEST_TIMEOUT, message).into_response()
            }
        },
        (Err(error), Some(_)) if is_page && error.status() == StatusCode::UNAUTHORIZED => {
            login::ask(&error.to_string())
        }
        (Err(error), _) => error.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// Refuses a body that will be too long before it is sent; one that says nothing of its length is read up to there.
fn check_length(headers: &HeaderMap) -> Result<(), HttpError> {
    let length: Option<usize> = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse().ok());
    match length {
        Some(length) if length > MAX_BODY_BYTES => {
            let message = format!("expected a body of at most {MAX_BODY_BYTES} bytes, found {length}");
            Err(HttpError::new(StatusCode::PAYLOAD_TOO_LARGE, message))
        }
        _ => Ok(()),
    }
}

fn authority(headers: &HeaderMap) -> Option<Authority> {
    headers.get(header::HOST)?.to_str().ok()?.parse().ok()
}

/// `?token=…`; a token has no letters that an address has to spell otherwise.
fn token_in_address(uri: &Uri) -> Option<&str> {
    uri.query()?
        .split('&')
        .find_map(|pair| pair.strip_prefix("token="))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::AccessToken;

    const TOKEN: &str = "0123456789abcdef-token";

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_str(value).unwrap(),
            )
        };
        pairs.iter().map(pair).collect()
    }

    fn guard(listen: &str, access: Access) -> Guard {
        Guard {
            machine: Some("tablebox".to_owned()),
            ..Guard::new(access, listen.parse().unwrap())
        }
    }

    fn with_token(open_read: bool) -> Guard {
        let token = Some(AccessToken::new(TOKEN).unwrap());
        let allowed_origins = vec![Origin::new("https://club.example.org").unwrap()];
        guard(
            "0.0.0.0:8000",
            Access {
                token,
                open_read,
                allowed_origins,
            },
        )
    }

    /// The status with which a request is refused; 200 otherwise.
    fn status(guard: &Guard, method: Method, uri: &str, pairs: &[(&'static str, &str)]) -> u16 {
        let judged = guard.judge(&method, &uri.parse().unwrap(), &headers(pairs));
        judged.map_or_else(|error| error.status().as_u16(), |_| 200)
    }

    #[test]
    fn without_a_token_only_names_that_nobody_else_can_have_are_hosts() {
        let local = guard("127.0.0.1:8000", Access::default());
        let wide = with_token(true);
        for (host, by_local, by_wide) in [
            ("localhost", 200, 200),
            ("localhost:8000", 200, 200),
            ("127.8.8.8", 200, 200),
            ("[::1]:8000", 200, 200),
            ("LOCALHOST:1", 200, 200),
            ("192.168.1.4:8000", 403, 200),
            ("tablebox:8000", 403, 200),
            ("tablebox.local:8000", 403, 200),
            ("club.example.org", 403, 200),
            ("tablebox.example.org:8000", 403, 403),
            ("example.org", 403, 403),
            ("localhost.example.org:8000", 403, 403),
            ("127.0.0.1.nip.io", 403, 403),
            ("", 400, 400),
        ] {
            let found = [&local, &wide].map(|guard| status(guard, Method::GET, "/", &[("host", host)]));
            assert_eq!(found, [by_local, by_wide], "{host}");
        }
        assert_eq!(status(&local, Method::GET, "/", &[]), 400);
        let bearer = format!("Bearer {TOKEN}");
        let shown = [("host", "table.example.org"), ("authorization", bearer.as_str())];
        assert_eq!(
            status(&wide, Method::GET, "/", &shown),
            200,
            "who shows the token may call it so"
        );
    }

    #[test]
    fn no_page_from_elsewhere_reads_or_steers() {
        let local = guard("127.0.0.1:8000", Access::default());
        for method in [Method::GET, Method::PUT, Method::POST] {
            let of = |origin| {
                let pairs = [("host", "localhost:8000"), ("origin", origin)];
                status(&local, method.clone(), "/api/v1/ws", &pairs)
            };
            assert_eq!(of("http://localhost:8000"), 200);
            for origin in [
                "http://localhost:3000",
                "http://127.0.0.1:8000",
                "https://example.org",
                "https://localhost:8000.example.org",
                "null",
                "file://",
                "",
            ] {
                assert_eq!(of(origin), 403, "{method} {origin}");
            }
        }
        let fetched = |site, dest| {
            let pairs = [
                ("host", "localhost:8000"),
                ("sec-fetch-site", site),
                ("sec-fetch-dest", dest),
            ];
            status(&local, Method::GET, "/api/v1/stream/video/frame", &pairs)
        };
        assert_eq!(fetched("cross-site", "image"), 403);
        assert_eq!(fetched("same-site", "script"), 403);
        assert_eq!(fetched("cross-site", "document"), 200, "following a link");
        assert_eq!(fetched("same-origin", "image"), 200);
        assert_eq!(fetched("none", "document"), 200);
    }

    #[test]
    fn an_allowed_page_may_what_our_own_may() {
        let wide = with_token(false);
        let bearer = format!("Bearer {TOKEN}");
        let of = |origin| {
            let pairs = [
                ("host", "tablebox:8000"),
                ("origin", origin),
                ("authorization", bearer.as_str()),
            ];
            status(&wide, Method::PUT, "/api/v1/config", &pairs)
        };
        assert_eq!(of("https://club.example.org"), 200);
        assert_eq!(of("http://club.example.org"), 403);
        assert_eq!(of("https://club.example.org:444"), 403);
    }

    #[test]
    fn the_token_is_taken_from_address_header_or_cookie() {
        for open_read in [false, true] {
            let wide = with_token(open_read);
            let ask = |method: Method, uri: &str, more: &[(&'static str, &str)]| {
                let pairs = [&[("host", "tablebox:8000")], more].concat();
                status(&wide, method, uri, &pairs)
            };
            let bearer = format!("bearer {TOKEN}");
            let cookie = format!("other=1; ghostball-token-8000={TOKEN}");
            let right: [(String, Vec<(&'static str, &str)>); 3] = [
                (format!("/api/v1/config?a=b&token={TOKEN}"), vec![]),
                ("/api/v1/config".to_owned(), vec![("authorization", &bearer)]),
                ("/api/v1/config".to_owned(), vec![("cookie", &cookie)]),
            ];
            for (uri, more) in &right {
                for method in [Method::GET, Method::PUT] {
                    assert_eq!(ask(method, uri, more), 200, "{uri} {more:?}");
                }
            }
            assert_eq!(ask(Method::PUT, "/api/v1/config", &[]), 401);
            assert_eq!(
                ask(Method::GET, "/api/v1/config", &[]),
                if open_read { 200 } else { 401 }
            );
            for wrong in ["0123456789abcdef-toke", "0123456789abcdef-tokem", ""] {
                let bearer = format!("Bearer {wrong}");
                assert_eq!(
                    ask(Method::GET, "/", &[("authorization", &bearer)]),
                    401,
                    "{wrong}"
                );
                assert_eq!(
                    ask(Method::GET, &format!("/?token={wrong}"), &[("cookie", &cookie)]),
                    401,
                    "{wrong}"
                );
            }
            let other_port = format!("ghostball-token-80={TOKEN}");
            assert_eq!(ask(Method::PUT, "/", &[("cookie", &other_port)]), 401);
        }
    }
}
