//! The delivery rules, each with its configuration key, and what tells of it.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

#[path = "../common/mod.rs"]
mod common;
mod slow_clients;

use std::sync::Arc;
use std::time::Duration;

use common::{Client, any_port, frame, get, snapshot, wait_for_state};
use ghostball_broadcast::{
    BridgeHandle, ConfigChange, ConfigView, Server, ServerConfig, Simulator, SourceHealthView,
};
use ghostball_world::{
    Alert, AlertCode, AlertLevel, BallSnapshot, EventBall, Origin, PathKind, PathLine, Prediction, Snapshot,
    StageTimes, Stamp, TableEvent, TableEventKind, TrackId,
};
use glam::DVec2;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

const SOON: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(20);

fn serve(change: impl FnOnce(&mut ServerConfig)) -> (Server, BridgeHandle) {
    let mut config = any_port();
    change(&mut config);
    Server::start(config).unwrap()
}

fn metrics(server: &Server) -> Value {
    let (status, body) = get(server, "/api/v1/websocket/metrics");
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

/// Waits until the metrics are as wanted.
async fn wait_for(server: &Server, is_there: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let found = metrics(server);
        if is_there(&found) {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "{found:#}");
        sleep(SOON).await;
    }
}

fn connection(server: &Server, index: usize) -> Value {
    let (_, body) = get(server, "/api/v1/websocket/connections");
    serde_json::from_str::<Value>(&body).unwrap()["connections"][index].clone()
}

async fn subscribed(server: &Server, streams: &[&str], filters: Value) -> Client {
    let mut client = Client::connect(server, "/ws").await;
    let data = json!({"streams": streams, "filters": filters});
    client.send(json!({"type": "subscribe", "data": data})).await;
    client.next_of("subscribed").await;
    client
}

/// A client that has subscribed and reads nothing: its kernel keeps little.
async fn stalled(server: &Server, streams: &str) -> tokio::net::TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(server.local_addr()).await.unwrap();
    let request = format!(
        "GET /ws?subscribe={streams} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

fn alert(begins: bool, text: &str) -> Alert {
    Alert {
        level: AlertLevel::Error,
        code: AlertCode::CameraUnavailable,
        begins,
        text: text.to_owned(),
    }
}

/// Something that happened, in frame `number`.
fn eventful(number: u64) -> Arc<Snapshot> {
    let mut snapshot = Snapshot::clone(&snapshot(number, 0.01 * number as f64));
    let ball = snapshot.balls[1];
    let ball = EventBall {
        track_id: ball.track_id,
        kind: ball.kind,
        number: ball.number,
        position_in_table: ball.position_in_table,
    };
    snapshot.events = vec![TableEvent {
        at: Duration::from_secs(number),
        kind: TableEventKind::ShotStarted(ball, DVec2::X, None),
    }];
    Arc::new(snapshot)
}

#[tokio::test]
async fn compression_keeps_to_its_threshold_and_tells_what_it_saves() {
    for (threshold, is_compressed) in [(1024, true), (100_000, false)] {
        let (server, bridge) = serve(|config| config.broadcaster.compression.threshold_bytes = threshold);
        bridge.publish(snapshot(0, 0.5), None);
        wait_for_state(&server);
        let mut client = subscribed(&server, &["state"], json!({"compression": "zlib"})).await;
        assert_eq!(client.next_raw().await.is_binary(), is_compressed);
        let broadcaster = &metrics(&server)["broadcaster"];
        assert_eq!(
            broadcaster["compressed_messages"].as_u64().unwrap() > 0,
            is_compressed
        );
        assert_eq!(
            broadcaster["compression_ratio"].as_f64().unwrap() < 0.5,
            is_compressed
        );
    }
}

#[tokio::test]
async fn a_message_is_encoded_once_for_all_who_see_the_same() {
    let (server, bridge) = serve(|_| {});
    let mut clients = Vec::new();
    for coords in ["metres", "metres", "metres", "4k"] {
        let path = format!("/ws?coords={coords}&subscribe=state");
        let mut client = Client::connect(&server, &path).await;
        client.send(json!({"type": "ping"})).await;
        client.next_of("pong").await;
        clients.push(client);
    }
    bridge.publish(snapshot(0, 0.5), None);
    for client in &mut clients {
        assert_eq!(client.next_of("state").await["data"]["sequence"], 1);
    }
    let broadcaster = &metrics(&server)["broadcaster"];
    assert_eq!(
        (&broadcaster["encoded_messages"], &broadcaster["views"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(broadcaster["failed_sends"], 0);
    assert!(broadcaster["average_latency"].as_f64().unwrap() > 0.0);
    assert!(broadcaster["peak_latency"].as_f64() >= broadcaster["average_latency"].as_f64());
}

#[tokio::test]
async fn clients_that_name_no_rate_get_the_one_that_is_configured() {
    let (server, bridge) = serve(|config| {
        config.broadcaster.fps.default_target_fps = 4.0;
        config.integration.target_fps = 100.0;
    });
    let mut slow = subscribed(&server, &["state"], json!({})).await;
    let mut fast = subscribed(&server, &["state"], json!({"max_fps": 200})).await;
    let began = Instant::now();
    for number in 0..50 {
        bridge.publish(snapshot(number, 0.01 * number as f64), None);
        sleep(SOON).await;
    }
    let took = began.elapsed().as_secs_f64();
    let mut counts = [0; 2];
    for (client, count) in [&mut slow, &mut fast].into_iter().zip(&mut counts) {
        while client.next_of("state").await["data"]["frame_number"] != 49 {
            *count += 1;
        }
    }
    assert!(
        f64::from(counts[0]) <= 4.0 * took + 3.0 && counts[1] > 3 * counts[0],
        "{counts:?} in {took}"
    );
    let listed = connection(&server, 0);
    assert_eq!(listed["streams"][0]["filters"]["max_fps"], 4.0);
    assert!(listed["skipped"].as_u64().unwrap() > 20, "{listed}");
    assert!(metrics(&server)["broadcaster"]["skipped"].as_u64().unwrap() > 20);
}

#[tokio::test]
async fn events_of_a_window_come_in_one_message_and_of_states_the_newest() {
    let (server, bridge) = serve(|config| config.integration.target_fps = 240.0);
    let filters = json!({"aggregation_window_ms": 400, "max_fps": 240});
    let mut client = subscribed(&server, &["events", "state"], filters).await;
    for number in 0..5 {
        bridge.publish(eventful(number), None);
        sleep(SOON).await;
    }
    let (first, second) = (client.next().await, client.next().await);
    let (events, state) = match first["type"] == "events" {
        true => (first, second),
        false => (second, first),
    };
    let times: Vec<_> = events["data"]["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| &event["t"])
        .collect();
    assert_eq!(times, [0.0, 1.0, 2.0, 3.0, 4.0]);
    assert_eq!(
        (&state["type"], &state["data"]["frame_number"]),
        (&json!("state"), &json!(4))
    );
}

#[tokio::test]
async fn what_is_too_old_for_a_client_is_dropped() {
    let (server, bridge) = serve(|_| {});
    let mut patient = subscribed(&server, &["state"], json!({})).await;
    let mut eager = subscribed(&server, &["state"], json!({"max_latency_ms": 200})).await;
    bridge.publish(snapshot(0, 0.1), None);
    assert_eq!(eager.next_of("state").await["data"]["frame_number"], 0);
    sleep(Duration::from_millis(300)).await;
    // Captured a moment after the first, and on its way ever since.
    let mut late = Snapshot::clone(&snapshot(1, 0.2));
    late.captured_at = Stamp::from_nanos(1);
    bridge.publish(Arc::new(late), None);
    while patient.next_of("state").await["data"]["frame_number"] != 1 {}
    assert!(metrics(&server)["broadcaster"]["too_old"].as_u64().unwrap() >= 1);
    bridge.publish(snapshot(30, 0.3), None);
    assert_eq!(eager.next_of("state").await["data"]["frame_number"], 30);
}

#[tokio::test]
async fn what_a_frame_took_counts_from_its_capture() {
    let (server, bridge) = serve(|_| {});
    let mut client = subscribed(&server, &["state"], json!({})).await;
    let times = StageTimes {
        detect: Duration::from_millis(250),
        predict: Duration::from_millis(50),
        ..StageTimes::default()
    };
    bridge.publish_measured(snapshot(0, 0.1), None, times);
    let data = client.next_of("state").await["data"].take();
    let moment = |key: &str| chrono::DateTime::parse_from_rfc3339(data[key].as_str().unwrap()).unwrap();
    let age = moment("timestamp") - moment("captured_at");
    assert!(age.num_milliseconds() >= 300, "{age}");
}

#[tokio::test]
async fn pictures_come_as_text_only_where_they_are_switched_on() {
    let (server, _bridge) = serve(|_| {});
    let mut client = Client::connect(&server, "/ws?subscribe=frame").await;
    let error = client.next_of("error").await;
    assert!(
        error["data"]["message"]
            .as_str()
            .unwrap()
            .contains("frame (switched off)"),
        "{error}"
    );
    assert_eq!(metrics(&server)["frame_metrics"]["enabled"], false);

    let (server, bridge) = serve(|config| config.broadcaster.frame_queue.enabled = true);
    let mut early = subscribed(&server, &["frame"], json!({})).await;
    bridge.publish(snapshot(0, 0.0), Some(frame(7)));
    let picture = early.next_of("frame").await["data"].clone();
    assert_eq!(
        (&picture["frame_number"], &picture["width"]),
        (&json!(7), &json!(64))
    );
    assert!(
        picture["image"].as_str().unwrap().starts_with("/9j/"),
        "a JPEG in base64"
    );
    // Who comes later gets the newest that is kept.
    let mut late = subscribed(&server, &["frame"], json!({})).await;
    assert_eq!(late.next_of("frame").await["data"]["frame_number"], 7);
    let pictures = metrics(&server)["frame_metrics"].clone();
    assert_eq!(
        (
            &pictures["queue_size"],
            &pictures["buffer_size"],
            &pictures["dropped"]
        ),
        (&json!(10), &json!(100), &json!(0))
    );
    assert!(pictures["published"].as_u64().unwrap() >= 1 && pictures["buffered"].as_u64().unwrap() >= 1);
}

#[tokio::test]
async fn clients_are_pinged_and_those_without_a_sign_of_life_are_closed() {
    let (server, _bridge) = serve(|config| {
        config.handler.ping_interval = Duration::from_millis(300);
        config.handler.connection_timeout = Duration::from_secs(3);
    });
    let mut alive = Client::connect(&server, "/ws").await;
    let began = Instant::now();
    let _silent = stalled(&server, "").await;
    // Reading answers the pings.
    let reading = tokio::spawn(async move {
        while alive.next_raw().await.is_ping() {
            if began.elapsed() > Duration::from_secs(6) {
                return;
            }
        }
        panic!("closed though it answered");
    });
    let found = wait_for(&server, |metrics| metrics["connections"]["timed_out"] == 1).await;
    assert!(
        found["connections"]["pings_sent"].as_u64().unwrap() >= 3,
        "{found:#}"
    );
    assert!(began.elapsed() >= Duration::from_secs(3));
    reading.await.unwrap();
    assert_eq!(metrics(&server)["connections"]["active"], 0, "the other has left");
}

#[tokio::test]
async fn more_messages_than_allowed_are_refused_and_counted() {
    let (server, _bridge) = serve(|config| config.handler.max_message_rate = 5);
    let mut client = Client::connect(&server, "/ws").await;
    for _ in 0..6 {
        client.send(json!({"type": "ping"})).await;
    }
    for _ in 0..5 {
        assert_eq!(client.next().await["type"], "pong");
    }
    let refused = client.next().await;
    assert_eq!(refused["data"]["code"], "RATE_LIMIT");
    assert!(
        refused["data"]["message"]
            .as_str()
            .unwrap()
            .contains("at most 5 messages a minute")
    );
    assert_eq!(metrics(&server)["connections"]["rate_limited"], 1);
    assert_eq!(metrics(&server)["connections"]["messages_received"], 6);
}

#[tokio::test]
async fn too_long_messages_are_those_above_the_configured_length() {
    let (server, _bridge) = serve(|config| config.handler.max_message_bytes = 200);
    let mut client = Client::connect(&server, "/ws").await;
    client.send_raw(Message::text(" ".repeat(200))).await;
    assert_eq!(client.next().await["data"]["code"], "INVALID_JSON");
    client.send_raw(Message::text(" ".repeat(201))).await;
    assert_eq!(client.farewell().await.code, CloseCode::Size);
}

#[tokio::test]
async fn so_many_connections_are_let_in_and_the_rest_is_told() {
    let (server, _bridge) = serve(|config| config.handler.max_connections = 2);
    let first = Client::connect(&server, "/ws").await;
    let _second = Client::connect(&server, "/ws").await;
    let refused = Client::connect_silently(&server, "/ws").await.err().unwrap();
    assert!(refused.to_string().contains("503"), "{refused}");
    assert_eq!(metrics(&server)["connections"]["refused"], 1);
    drop(first);
    wait_for(&server, |metrics| metrics["connections"]["active"] == 1).await;
    let began = Instant::now();
    while Client::connect_silently(&server, "/ws").await.is_err() {
        assert!(began.elapsed() < PATIENCE, "the place stays taken");
    }

    let (server, _bridge) = serve(|config| config.handler.max_connections_per_ip = 1);
    let _first = Client::connect(&server, "/ws").await;
    let refused = Client::connect_silently(&server, "/ws").await.err().unwrap();
    assert!(refused.to_string().contains("429"), "{refused}");
}

#[tokio::test]
async fn the_configuration_and_its_changes_are_told() {
    let (server, bridge) = serve(|_| {});
    let view = |changes: u64| {
        let change = |number: u64| ConfigChange {
            number,
            section: "api".to_owned(),
            config: json!({"port": number}),
            change_summary: format!("api.port = {number}"),
        };
        let config = json!({"api": {"port": changes}, "table": {}});
        ConfigView {
            config: config.as_object().unwrap().clone(),
            recent: (1..=changes).map(change).collect(),
            ..ConfigView::default()
        }
    };
    let mut eager = subscribed(&server, &["config"], json!({})).await;
    bridge.publish_config(view(0));
    let mut early = subscribed(&server, &["config"], json!({})).await;
    for client in [&mut eager, &mut early] {
        let whole = client.next_of("config").await["data"].clone();
        assert_eq!(
            (&whole["section"], &whole["config"]["api"]["port"]),
            (&json!(""), &json!(0))
        );
    }
    bridge.publish_config(view(1));
    let change = json!({"section": "api", "config": {"port": 1}, "change_summary": "api.port = 1"});
    assert_eq!(early.next_of("config").await["data"], change);
    // The network may see two at once.
    bridge.publish_config(view(3));
    for number in [2, 3] {
        assert_eq!(early.next_of("config").await["data"]["config"]["port"], number);
    }
    let mut late = subscribed(&server, &["config"], json!({})).await;
    assert_eq!(
        late.next_of("config").await["data"]["config"]["api"]["port"],
        3,
        "the whole, as it is now"
    );
}

#[tokio::test]
async fn performance_comes_twice_a_second_and_metrics_once() {
    let (server, bridge) = serve(|_| {});
    bridge.publish_source_health(SourceHealthView {
        frames_dropped: 3,
        frames_damaged: 2,
        ..SourceHealthView::default()
    });
    let mut client = subscribed(&server, &["performance", "metrics"], json!({})).await;
    client.next_of("metrics").await;
    let (mut performances, mut last) = (0, Value::Null);
    let metrics = loop {
        let message = client.next().await;
        if message["type"] == "metrics" {
            break message["data"].clone();
        }
        performances += 1;
        last = message["data"].clone();
    };
    assert_eq!(performances, 2);
    assert_eq!(
        (&last["clients"], &last["dropped_frames"], &last["target_fps"]),
        (&json!(1), &json!(5), &json!(30.0))
    );
    for stage in ["capture", "decode", "detect", "track", "predict", "publish"] {
        assert!(last["stages"][stage].is_number(), "{last}");
    }
    assert!(last["memory_mb"].as_f64().unwrap() > 1.0);
    assert_eq!(metrics["dropped_frames"], 5);
    assert!(metrics["fps"].is_number() && metrics["latency_ms"].is_number());
    assert_eq!(metrics["connections"]["subscriptions"]["metrics"], 1);
}

fn straight_on(_: &Snapshot, stroke: &ghostball_world::Stroke) -> Result<Prediction, String> {
    if stroke.stick_speed > 10.0 {
        return Err("expected a slower stroke".to_owned());
    }
    let line = PathLine {
        ball: stroke.ball,
        start: DVec2::ZERO,
        end: stroke.direction_in_table,
        kind: PathKind::Primary,
        confidence: 1.0,
    };
    Ok(Prediction {
        origin: Origin::Aim,
        ball: stroke.ball,
        lines: vec![line],
        collisions: vec![],
        ghost_balls: vec![],
        rest: vec![],
        outcomes: vec![],
        confidence: 1.0,
    })
}

#[tokio::test]
async fn what_would_happen_is_answered_within_a_limit_of_its_own() {
    let (server, bridge) = serve(|config| {
        config.simulator = Some(Simulator::new(straight_on));
        config.handler.max_message_rate = 3;
    });
    let mut client = Client::connect(&server, "/ws?coords=4k").await;
    let ask = |speed: f64| json!({"type": "simulate", "data": {"strike": {"speed": speed, "angle": 90}}});
    client.send(ask(1.0)).await;
    assert_eq!(
        client.next().await["data"]["code"],
        "MESSAGE_HANDLER_ERROR",
        "there is no table yet"
    );
    bridge.publish(snapshot(0, 0.5), None);
    wait_for_state(&server);
    client.send(ask(2.0)).await;
    let simulated = client.next().await;
    assert_eq!(
        (&simulated["type"], &simulated["data"]["ball_id"]),
        (&json!("simulated"), &json!("cue"))
    );
    let end = &simulated["data"]["lines"][0]["end"];
    assert_eq!(
        (&end["x"], end["y"].as_f64() > Some(1080.0)),
        (&json!(1920.0), true),
        "down the screen"
    );
    assert_eq!(simulated["data"]["collisions"], json!([]));
    client.send(ask(12.0)).await;
    assert_eq!(client.next().await["data"]["message"], "expected a slower stroke");
    let mut codes = Vec::new();
    for _ in 0..20 {
        client.send(json!({"type": "simulate", "data": {}})).await;
    }
    client.send(ask(1.0)).await;
    // No strike is no simulation: those are ordinary messages, of which three are answered.
    for _ in 0..21 {
        let message = client.next().await;
        codes.push(message["data"]["code"].as_str().unwrap_or("simulated").to_owned());
        if codes.last().unwrap() == "simulated" {
            break;
        }
    }
    assert_eq!(
        codes
            .iter()
            .filter(|code| *code == "MESSAGE_HANDLER_ERROR")
            .count(),
        3,
        "{codes:?}"
    );
    assert_eq!(
        codes.last().unwrap(),
        "simulated",
        "outside of that limit: {codes:?}"
    );
    sleep(Duration::from_millis(1100)).await;
    for _ in 0..31 {
        client.send(ask(99.0)).await;
    }
    let mut refused = 0;
    for _ in 0..31 {
        refused += u32::from(client.next().await["data"]["code"] == "RATE_LIMIT");
    }
    assert_eq!(refused, 1);
}

#[tokio::test]
async fn fields_and_quality_follow_the_filters() {
    let (server, bridge) = serve(|_| {});
    bridge.publish(snapshot(0, 0.5), None);
    wait_for_state(&server);
    let filters = json!({"include_fields": ["balls.id", "balls.confidence"], "min_confidence": 0.5});
    let mut some = subscribed(&server, &["state"], filters).await;
    assert_eq!(
        some.next_of("state").await["data"],
        json!({"balls": [{"id": "cue", "confidence": 0.9}, {"id": "9", "confidence": 0.9}]})
    );
    let mut sure = subscribed(&server, &["state"], json!({"min_confidence": 0.95})).await;
    assert_eq!(sure.next_of("state").await["data"]["ball_count"], 0);
    let mut low = subscribed(&server, &["state"], json!({"quality": "low"})).await;
    let balls = low.next_of("state").await["data"]["balls"].clone();
    assert_eq!(balls[0].as_object().unwrap().len(), 5, "{balls}");
    // Filters of a stream can be changed.
    low.send(json!({"type": "subscribe", "data": {"streams": ["state"], "filters": {"quality": "ultra"}}}))
        .await;
    let answer = low.next_of("subscribed").await;
    assert_eq!(answer["data"]["all_subscriptions"], json!(["state"]));
    assert!(low.next_of("state").await["data"]["balls"][0]["velocity"].is_object());
}

#[tokio::test]
async fn an_unfinished_message_is_not_waited_for_for_ever() {
    let (server, _bridge) = serve(|_| {});
    let mut client = Client::connect(&server, "/ws").await;
    let began = Instant::now();
    client.send_fragment(b"{\"never\":").await;
    // A ping in between does not help.
    client.send_raw(Message::Ping(Default::default())).await;
    assert_eq!(client.farewell().await.code, CloseCode::Policy);
    assert!(began.elapsed() < Duration::from_secs(10));
}
