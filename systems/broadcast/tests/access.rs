//! Who is let in, as a browser and a program on the network find it.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod common;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use common::{Client, any_port, get, http, snapshot, start, wait_for_state};
use ghostball_broadcast::{Access, AccessToken, BridgeHandle, Server, ServerConfig};
use tokio_tungstenite::tungstenite;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A server that asks for the token, as on an address that others can reach.
fn guarded(open_read: bool) -> (Server, BridgeHandle) {
    let access = Access {
        token: Some(AccessToken::new(TOKEN).unwrap()),
        open_read,
        ..Access::default()
    };
    let (server, bridge) = Server::start(ServerConfig { access, ..any_port() }).unwrap();
    bridge.publish(snapshot(0, 0.0), None);
    (server, bridge)
}

/// Head and body of an answer.
fn answer(server: &Server, path: &str, headers: &str) -> (String, String) {
    let mut stream = TcpStream::connect(server.local_addr()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let host = server.local_addr();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

const EVERYTHING: [&str; 7] = [
    "/",
    "/app.js",
    "/api/v1/health",
    "/api/v1/game/state",
    "/api/v1/stream/video",
    "/api/v1/config",
    "/api/v1/ws",
];

#[test]
fn without_the_token_nobody_gets_anything_and_no_answer_holds_it() {
    let (server, _bridge) = guarded(false);
    for path in EVERYTHING {
        for wrong in [
            "",
            "?token=0123456789abcdef0123456789abcdee",
            "?token=",
            "?token=0123456789abcdef",
        ] {
            let (head, body) = answer(&server, &format!("{path}{wrong}"), "");
            assert!(head.starts_with("HTTP/1.1 401 "), "{path}{wrong}: {head}");
            assert!(head.contains("www-authenticate: Bearer"), "{head}");
            assert!(
                !format!("{head}{body}").contains("0123456789"),
                "{path}{wrong}: {body}"
            );
        }
    }
    let page = answer(&server, "/", "").1;
    assert!(
        page.contains("<form") && page.contains("expected the access token"),
        "{page}"
    );
    assert_eq!(http(&server, "PUT", "/api/v1/config", "").0, 401);
}

#[test]
fn the_first_visit_leaves_a_cookie_and_a_clean_address() {
    let (server, _bridge) = guarded(false);
    let port = server.local_addr().port();
    let (head, _) = answer(&server, &format!("/?a=b&token={TOKEN}"), "");
    assert!(head.starts_with("HTTP/1.1 303 "), "{head}");
    assert!(head.lines().any(|line| line == "location: /?a=b"), "{head}");
    let cookie = format!("ghostball-token-{port}={TOKEN}");
    assert!(
        head.contains(&format!("set-cookie: {cookie}; Path=/; ")),
        "{head}"
    );
    assert!(
        head.contains("HttpOnly") && head.contains("SameSite=Lax"),
        "{head}"
    );
    let cookie = format!("Cookie: theme=dark; {cookie}\r\n");
    for path in ["/", "/app.js", "/api/v1/health", "/api/v1/config"] {
        assert_eq!(http(&server, "GET", path, &cookie).0, 200, "{path}");
    }
    // An address cannot be made to lead elsewhere.
    let (head, _) = answer(&server, &format!("//example.org/?token={TOKEN}"), "");
    assert!(
        head.lines().any(|line| line == "location: /example.org/"),
        "{head}"
    );
}

#[test]
fn with_open_reading_only_changes_need_the_token() {
    let (server, _bridge) = guarded(true);
    wait_for_state(&server);
    for path in ["/", "/app.js", "/api/v1/game/state", "/api/v1/config"] {
        assert_eq!(get(&server, path).0, 200, "{path}");
    }
    for (method, path) in [("PUT", "/api/v1/config"), ("POST", "/api/v1/config/reset")] {
        assert_eq!(http(&server, method, path, "").0, 401, "{method} {path}");
    }
    let foreign = "Origin: http://example.org\r\n";
    assert_eq!(http(&server, "GET", "/api/v1/game/state", foreign).0, 403);
    let rebound = "Host: example.org\r\nOrigin: http://example.org\r\n";
    assert_eq!(http(&server, "GET", "/api/v1/game/state", rebound).0, 403);
}

#[tokio::test]
async fn a_web_socket_opens_with_the_token_and_not_without() {
    let (server, _bridge) = guarded(false);
    Client::connect(&server, &format!("/api/v1/ws?subscribe=state&token={TOKEN}")).await;
    for path in ["/api/v1/ws", "/ws?token=0123456789abcdef0123456789abcdee"] {
        let refused = Client::connect_silently(&server, path).await.err().unwrap();
        let tungstenite::Error::Http(response) = refused else {
            panic!("{refused}");
        };
        assert_eq!(response.status(), 401);
    }
}

#[test]
fn a_page_of_another_origin_can_neither_read_nor_steer() {
    let (server, _bridge) = start();
    let handshake =
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let own = format!("Origin: http://{}\r\n", server.local_addr());
    assert_eq!(http(&server, "GET", "/api/v1/health", &own).0, 200);
    for origin in [
        "http://example.org",
        "http://localhost:1",
        "null",
        "https://127.0.0.1.example.org",
    ] {
        let foreign = format!("Origin: {origin}\r\n");
        for (method, path) in [
            ("GET", "/api/v1/game/state"),
            ("GET", "/api/v1/config"),
            ("PUT", "/api/v1/config"),
            ("POST", "/api/v1/config/reset"),
            ("OPTIONS", "/api/v1/config"),
        ] {
            assert_eq!(
                http(&server, method, path, &foreign).0,
                403,
                "{method} {path} {origin}"
            );
        }
        let upgrade = format!("{foreign}{handshake}");
        assert_eq!(http(&server, "GET", "/api/v1/ws", &upgrade).0, 403, "{origin}");
    }
    for path in EVERYTHING {
        let head = answer(
            &server,
            path,
            "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Dest: image\r\n",
        )
        .0;
        assert!(head.starts_with("HTTP/1.1 403 "), "{path}: {head}");
        assert!(
            head.contains("cross-origin-resource-policy: same-origin"),
            "{head}"
        );
        assert!(!head.contains("access-control-allow"), "{head}");
    }
}

#[test]
fn a_request_that_is_too_long_is_refused() {
    let (server, _bridge) = start();
    let long = format!("X-Long: {}\r\n", "x".repeat(20_000));
    let (head, _) = answer(&server, "/api/v1/health", &long);
    assert!(head.starts_with("HTTP/1.1 431 "), "{head}");
    let mut stream = TcpStream::connect(server.local_addr()).unwrap();
    let head = "PUT /api/v1/config HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
                Content-Length: 100000\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}
