//! The WebSocket as a client sees it.

mod common;

use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use common::{Client, http, snapshot, start, wait_for_state};
use ghostball_world::{Alert, AlertCode, AlertLevel, Origin, Prediction, Snapshot};
use serde_json::json;
use tokio::time::{Instant, sleep};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

#[tokio::test]
async fn a_client_is_greeted_subscribes_and_gets_the_current_state_at_once() {
    let (server, bridge) = start();
    bridge.publish(snapshot(7, 0.635), None);
    wait_for_state(&server);
    let mut client = Client::connect(&server, "/api/v1/ws").await;
    let subscribed = client.subscribe(&["state", "trajectory"]).await;
    assert_eq!(subscribed["data"]["streams"], json!(["state", "trajectory"]));
    assert_eq!(subscribed["sequence"], 2, "nothing comes before a subscription");
    let (first, second) = (client.next().await, client.next().await);
    assert_eq!((&first["sequence"], &second["sequence"]), (&json!(3), &json!(4)));
    let (state, trajectory) = if first["type"] == "state" {
        (first, second)
    } else {
        (second, first)
    };
    assert_eq!(
        (&state["type"], &trajectory["type"]),
        (&json!("state"), &json!("trajectory"))
    );
    assert_eq!(state["data"]["frame_number"], 7);
    assert_eq!(
        state["data"]["balls"][0]["position"],
        json!({"x": 0.635, "y": 0.0, "scale": [1.0, 1.0]})
    );
    assert_eq!(trajectory["data"]["collisions"], json!([]));
}

#[tokio::test]
async fn all_four_paths_lead_to_the_same_handler_in_the_space_asked_for() {
    let (server, bridge) = start();
    bridge.publish(snapshot(0, 0.635), None);
    for path in [
        "/api/v1/ws",
        "/ws",
        "/api/v1/game/state/ws",
        "/api/v1/websocket/ws",
    ] {
        let mut client = Client::connect(&server, &format!("{path}?coords=4k&subscribe=state&token=x")).await;
        let state = client.next_of("state").await;
        assert_eq!(
            state["data"]["balls"][0]["position"],
            json!({"x": 2720.0, "y": 1080.0, "scale": [1.0, 1.0]})
        );
    }
    let refused = Client::connect_silently(&server, "/ws?coords=furlongs")
        .await
        .err()
        .unwrap();
    assert!(refused.to_string().contains("400"), "{refused}");
}

#[tokio::test]
async fn what_changed_comes_and_what_did_not_comes_as_keep_alive() {
    let (server, bridge) = start();
    let mut client = Client::connect(&server, "/ws?subscribe=state").await;
    bridge.publish(snapshot(0, 0.1), None);
    assert_eq!(client.next_of("state").await["data"]["sequence"], 1);
    bridge.publish(snapshot(1, 0.2), None);
    let moved = client.next_of("state").await;
    assert_eq!(
        (&moved["data"]["sequence"], &moved["data"]["frame_number"]),
        (&json!(2), &json!(1))
    );
    // Nothing more happens.
    for sequence in [3, 4] {
        let keep_alive = client.next_of("state").await;
        assert_eq!(keep_alive["data"]["sequence"], sequence);
        assert_eq!(keep_alive["data"]["frame_number"], 1);
    }
}

#[tokio::test]
async fn states_are_kept_alive_while_only_the_prediction_changes() {
    let (server, bridge) = start();
    let mut client = Client::connect(&server, "/ws?subscribe=state").await;
    let publishing = tokio::spawn(async move {
        for number in 0..100 {
            let mut aimed = Snapshot::clone(&snapshot(number, 0.1));
            aimed.prediction = Some(Prediction {
                origin: Origin::Aim,
                ball: aimed.balls[0].track_id,
                lines: vec![],
                collisions: vec![],
                ghost_balls: vec![],
                rest: vec![],
                outcomes: vec![],
                confidence: 0.01 * number as f64,
            });
            bridge.publish(Arc::new(aimed), None);
            sleep(Duration::from_millis(50)).await;
        }
    });
    let first = client.next_of("state").await["data"]["frame_number"].clone();
    let kept_alive = client.next_of("state").await["data"]["frame_number"].clone();
    assert!(!publishing.is_finished() && kept_alive.as_u64() > first.as_u64());
    publishing.abort();
}

#[tokio::test]
async fn a_client_gets_no_more_than_it_asked_for_and_always_the_newest() {
    let (server, bridge) = start();
    let mut client = Client::connect(&server, "/ws").await;
    let filters = json!({"state": {"max_fps": 5}});
    client
        .send(json!({"type": "subscribe", "data": {"streams": ["state"], "filters": filters}}))
        .await;
    client.next_of("subscribed").await;
    let publishing = tokio::spawn(async move {
        let started = Instant::now();
        for number in 0..60 {
            bridge.publish(snapshot(number, 0.01 * number as f64), None);
            sleep(Duration::from_millis(20)).await;
        }
        (bridge, started.elapsed())
    });
    let (mut last, mut count) = (-1, 0);
    while last < 59 {
        let number = client.next_of("state").await["data"]["frame_number"]
            .as_i64()
            .unwrap();
        assert!(number > last, "{number} after {last}");
        (last, count) = (number, count + 1);
    }
    let (_bridge, took) = publishing.await.unwrap();
    assert!(
        f64::from(count) <= 5.0 * took.as_secs_f64() + 3.0,
        "{count} states in {took:?}"
    );
}

#[tokio::test]
async fn streams_and_filters_that_cannot_be_had_are_named_and_the_rest_applies() {
    let (server, _bridge) = start();
    let mut client = Client::connect(&server, "/ws").await;
    let data = json!({"streams": ["state", "weather"], "filters": {"max_fps": 0, "quality": "low"}});
    client.send(json!({"type": "subscribe", "data": data})).await;
    let subscribed = client.next().await;
    assert_eq!(
        subscribed["data"],
        json!({"streams": ["state"], "all_subscriptions": ["state"]})
    );
    let (streams, filters) = (client.next().await, client.next().await);
    assert_eq!(streams["data"]["code"], "INVALID_SUBSCRIBE_FORMAT");
    assert!(
        streams["data"]["message"]
            .as_str()
            .unwrap()
            .contains("\"weather\" (unknown)")
    );
    assert_eq!(
        filters["data"]["details"],
        json!(["max_fps: expected a number above 0, to 240, found 0"])
    );
    client
        .send(json!({"type": "unsubscribe", "data": {"streams": ["state"]}}))
        .await;
    let unsubscribed = client.next_of("unsubscribed").await;
    assert_eq!(
        unsubscribed["data"],
        json!({"streams": ["state"], "all_subscriptions": []})
    );
}

#[tokio::test]
async fn nonsense_is_answered_and_the_connection_stays() {
    let (server, _bridge) = start();
    let mut client = Client::connect(&server, "/ws").await;
    for (text, code) in [
        ("{", "INVALID_JSON"),
        ("3", "INVALID_JSON"),
        ("{}", "UNKNOWN_MESSAGE_TYPE"),
        (r#"{"type":"simulate","data":{}}"#, "MESSAGE_HANDLER_ERROR"),
        (
            r#"{"type":"subscribe","data":{"streams":[1]}}"#,
            "INVALID_SUBSCRIBE_FORMAT",
        ),
        (
            r#"{"type":"subscribe","data":{"streams":[],"filters":3}}"#,
            "INVALID_SUBSCRIBE_FORMAT",
        ),
        (
            r#"{"type":"unsubscribe","data":[]}"#,
            "INVALID_UNSUBSCRIBE_FORMAT",
        ),
    ] {
        client.send_raw(Message::text(text)).await;
        let error = client.next().await;
        assert_eq!(
            (&error["type"], &error["data"]["code"]),
            (&json!("error"), &json!(code)),
            "{text}"
        );
    }
    client
        .send(json!({"type": "ping", "data": {"anything": 1}}))
        .await;
    let quality = client.next().await["data"]["quality_score"].as_f64();
    assert!(
        quality.is_some_and(|quality| (0.0..=1.0).contains(&quality)),
        "{quality:?}"
    );
    client
        .send(json!({"type": "heartbeat", "data": {"clientTime": 5}}))
        .await;
    assert_eq!(client.next().await["data"]["clientTime"], 5);
    client.send(json!({"type": "get_status"})).await;
    let status = client.next().await;
    assert_eq!(
        (&status["type"], &status["data"]["message_count"]),
        (&json!("status"), &json!(10))
    );
}

#[tokio::test]
async fn too_many_messages_are_refused_and_far_too_many_end_the_connection() {
    let (server, _bridge) = start();
    let mut client = Client::connect(&server, "/ws").await;
    for _ in 0..1001 {
        client.send(json!({"type": "pong"})).await;
    }
    assert_eq!(client.next().await["data"]["code"], "RATE_LIMIT");
    assert_eq!(client.farewell().await.code, CloseCode::Policy);
}

#[tokio::test]
async fn a_binary_message_is_no_json_and_one_too_long_ends_the_connection() {
    let (server, _bridge) = start();
    let mut client = Client::connect(&server, "/ws").await;
    client.send_raw(Message::binary(vec![1, 2, 3])).await;
    assert_eq!(client.next().await["data"]["code"], "INVALID_JSON");
    client.send_raw(Message::text("x".repeat(70_000))).await;
    assert_eq!(client.farewell().await.code, CloseCode::Size);
}

#[tokio::test]
async fn a_client_that_does_not_read_costs_the_others_nothing() {
    let (server, bridge) = start();
    let _stalled = Client::connect(&server, "/ws?subscribe=state,trajectory").await;
    let mut healthy = Client::connect(&server, "/ws?subscribe=state").await;
    for number in 0..90_u64 {
        bridge.publish(snapshot(number, 0.01 * number as f64), None);
        let mut seen = healthy.next_of("state").await["data"]["frame_number"].as_u64();
        while seen != Some(number) {
            seen = healthy.next_of("state").await["data"]["frame_number"].as_u64();
        }
    }
}

#[tokio::test]
async fn a_zlib_client_gets_the_same_state_in_fewer_bytes() {
    let (server, bridge) = start();
    bridge.publish(snapshot(3, 0.25), None);
    let mut client = Client::connect(&server, "/ws").await;
    let data = json!({"streams": ["state"], "filters": {"compression": "zlib"}});
    client.send(json!({"type": "subscribe", "data": data})).await;
    client.next_of("subscribed").await;
    let Message::Binary(bytes) = client.next_raw().await else {
        panic!("expected a compressed state");
    };
    let mut text = String::new();
    flate2::read::ZlibDecoder::new(&bytes[..])
        .read_to_string(&mut text)
        .unwrap();
    let state: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&state["sequence"], &state["data"]["frame_number"]),
        (&json!(3), &json!(3))
    );
    assert!(bytes.len() < text.len() / 2, "{} of {}", bytes.len(), text.len());
}

#[tokio::test]
async fn alerts_come_once_and_those_that_last_also_to_those_who_come_later() {
    let (server, bridge) = start();
    let alert = |begins| Alert {
        level: if begins {
            AlertLevel::Error
        } else {
            AlertLevel::Info
        },
        code: AlertCode::CameraUnavailable,
        begins,
        text: "no frame for 2 s".to_owned(),
    };
    let mut early = Client::connect(&server, "/ws?subscribe=alert").await;
    early.send(json!({"type": "ping"})).await;
    early.next_of("pong").await;
    bridge.alert(alert(true));
    let begins = early.next_of("alert").await;
    assert_eq!(begins["data"]["code"], "HW_CAMERA_UNAVAILABLE");
    let mut late = Client::connect(&server, "/ws?subscribe=alert").await;
    assert_eq!(late.next().await["data"], begins["data"]);
    bridge.alert(alert(false));
    for client in [&mut early, &mut late] {
        assert_eq!(client.next().await["data"]["details"]["condition"], "ends");
    }
    let mut afterwards = Client::connect(&server, "/ws?subscribe=alert").await;
    afterwards.send(json!({"type": "ping"})).await;
    assert_eq!(afterwards.next().await["type"], "pong");
    assert_eq!(bridge.alerts_dropped(), 0);
}

#[tokio::test]
async fn clients_are_told_when_the_server_ends_and_the_port_is_free_again() {
    let (server, _bridge) = start();
    let listen = server.local_addr();
    let mut client = Client::connect(&server, "/ws").await;
    tokio::task::spawn_blocking(move || drop(server)).await.unwrap();
    assert_eq!(client.farewell().await.code, CloseCode::Away);
    let config = ghostball_broadcast::ServerConfig {
        listen,
        ..Default::default()
    };
    assert!(ghostball_broadcast::Server::start(config).is_ok());
}

#[test]
fn pages_from_elsewhere_get_no_web_socket() {
    let (server, _bridge) = start();
    let handshake = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let foreign = format!("{handshake}Origin: https://example.org\r\n");
    let (status, body) = http(&server, "GET", "/ws", &foreign);
    assert_eq!(status, 403);
    assert!(
        body.contains("expected a page of this server, found Origin"),
        "{body}"
    );
    let rebound = format!("{handshake}Host: example.org\r\nOrigin: http://example.org\r\n");
    assert_eq!(http(&server, "GET", "/ws", &rebound).0, 403);
    let (status, body) = http(&server, "GET", "/ws", "");
    assert_eq!(status, 426);
    assert!(body.contains("expected a WebSocket handshake"), "{body}");
}

#[test]
fn a_handshake_that_is_none_is_told_what_one_is() {
    let (server, _bridge) = start();
    let ask = |first: &str, version: &str| {
        let mut stream = std::net::TcpStream::connect(server.local_addr()).unwrap();
        let request = format!(
            "{first}\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{version}\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = [0; 2000];
        let read = stream.read(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[..read]).to_lowercase()
    };
    let version = "Sec-WebSocket-Version: 13\r\n";
    assert!(ask("GET /ws HTTP/1.1", version).starts_with("http/1.1 101"));
    for other in ["", "Sec-WebSocket-Version: 8\r\n"] {
        let answer = ask("GET /ws HTTP/1.1", other);
        assert!(answer.starts_with("http/1.1 426"), "{answer}");
        assert!(
            answer.contains("\r\nsec-websocket-version: 13\r\n")
                && answer.contains("\r\nupgrade: websocket\r\n"),
            "{answer}"
        );
    }
    for first in ["HEAD /ws HTTP/1.1", "GET /ws HTTP/1.0"] {
        let answer = ask(first, version);
        assert!(answer.split(' ').nth(1) == Some("400"), "{answer}");
    }
}
