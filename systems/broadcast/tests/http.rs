//! HTTP as a client sees it, and how the server starts.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod common;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use common::{any_port, frame, get, http, snapshot, start, wait_for_state};
use ghostball_broadcast::{BroadcastError, Server, ServerConfig, SourceHealthView, SourceView};
use ghostball_world::{CircleInImage, Snapshot};
use glam::DVec2;
use serde_json::{Value, json};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

fn json_of(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

#[test]
fn it_lives_at_once_and_is_ready_when_frames_flow() {
    let (server, bridge) = start();
    assert_eq!(get(&server, "/api/v1/health/live").0, 200);
    let (status, body) = get(&server, "/api/v1/health/ready");
    assert_eq!((status, &json_of(&body)["status"]), (503, &json!("unhealthy")));
    bridge.publish(snapshot(5, 0.0), None);
    let (status, body) = get(&server, "/api/v1/health/ready");
    let health = json_of(&body);
    assert_eq!((status, &health["status"]), (200, &json!("healthy")));
    assert_eq!(health["components"]["frames"]["frame_number"], 5);
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn the_state_is_that_of_the_newest_message() {
    let (server, bridge) = start();
    let (status, body) = get(&server, "/api/v1/game/state");
    assert_eq!(
        (status, &json_of(&body)["error"]["code"]),
        (503, &json!("SERVICE_UNAVAILABLE"))
    );
    bridge.publish(snapshot(0, 0.635), None);
    wait_for_state(&server);
    let state = json_of(&get(&server, "/api/v1/game/state?coords=camera").1);
    assert_eq!(
        state["balls"][0]["position"],
        json!({"x": 890.0, "y": 360.0, "scale": [3.0, 3.0]})
    );
    assert_eq!((&state["ball_count"], &state["cue"]), (&json!(2), &Value::Null));
}

#[test]
fn the_web_client_is_served_with_its_types_and_comes_again_only_when_it_changed() {
    let (server, _bridge) = start();
    let (status, page) = get(&server, "/");
    assert_eq!(status, 200);
    assert!(page.contains("<canvas"), "{page}");
    for path in page
        .split('"')
        .filter(|part| part.ends_with(".js") || part.ends_with(".css"))
    {
        assert_eq!(get(&server, &format!("/{path}")).0, 200, "{path}");
    }
    let mut stream = TcpStream::connect(server.local_addr()).unwrap();
    write!(
        stream,
        "GET /app.js HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("content-type: text/javascript"), "{answer}");
    let tag = answer
        .lines()
        .find_map(|line| line.strip_prefix("etag: "))
        .unwrap();
    let (status, body) = http(&server, "GET", "/app.js", &format!("If-None-Match: {tag}\r\n"));
    assert_eq!((status, body.as_str()), (304, ""));
}

#[test]
fn wrong_requests_are_refused_in_json_with_what_was_expected() {
    let (server, _bridge) = start();
    for (method, path, status, text) in [
        ("GET", "/nothing/here", 404, "nothing is at"),
        ("GET", "/../Cargo.toml", 404, "nothing is at"),
        ("GET", "/api/v1/nothing", 404, "nothing is at"),
        (
            "POST",
            "/api/v1/game/state",
            405,
            "expected another method than POST",
        ),
        ("DELETE", "/app.js", 405, "expected GET of"),
        (
            "GET",
            "/api/v1/game/state?coords=miles",
            400,
            "expected coords to be metres, 4k or camera",
        ),
        (
            "GET",
            "/api/v1/stream/video?quality=0",
            400,
            "expected quality from 1 to 100",
        ),
        (
            "GET",
            "/api/v1/stream/video?fps=900",
            400,
            "expected fps from 1 to 60",
        ),
        (
            "GET",
            "/api/v1/stream/video?width=1",
            400,
            "expected a width of at least 16",
        ),
        ("GET", "/api/v1/stream/video?width=wide", 400, "width"),
        ("GET", "/api/v1/stream/video/frame", 503, "no frame has come"),
    ] {
        let (found, body) = http(&server, method, path, "");
        assert_eq!(found, status, "{method} {path}: {body}");
        let message = json_of(&body)["error"]["message"].clone();
        assert!(
            message.as_str().unwrap().contains(text),
            "{method} {path}: {message}"
        );
    }
}

#[test]
fn requests_under_a_foreign_name_are_refused() {
    let (server, _bridge) = start();
    let (status, body) = http(&server, "GET", "/", "Host: example.org\r\n");
    assert_eq!(status, 403);
    assert!(body.contains("expected Host to be localhost"), "{body}");
}

fn viewer(server: &Server, query: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(server.local_addr()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let path = format!("/api/v1/stream/video?{query}");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut reader = BufReader::new(stream);
    let head = head_of(&mut reader);
    assert!(
        head.contains("content-type: multipart/x-mixed-replace; boundary=frame"),
        "{head}"
    );
    reader
}

#[test]
fn what_is_seen_is_drawn_into_the_video_for_those_who_want_it() {
    let (server, bridge) = start();
    let mut seen = Snapshot::clone(&snapshot(0, 0.0));
    seen.balls.truncate(1);
    seen.balls[0].seen_in_image = Some(CircleInImage {
        center: DVec2::new(20.0, 16.0),
        radius: 6.0,
    });
    bridge.publish(Arc::new(seen), Some(frame(10)));
    let [mut first, mut second, mut plain] =
        ["overlay=1", "overlay=1", "overlay=0"].map(|query| viewer(&server, query));
    let drawn = next_picture(&mut first);
    assert_eq!(drawn, next_picture(&mut second));
    let brightness = |jpeg: &[u8]| {
        let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::Luma);
        let samples = JpegDecoder::new_with_options(ZCursor::new(jpeg), options)
            .decode()
            .unwrap();
        [26, 20, 50].map(|x| samples[16 * 64 + x])
    };
    let [on_circle, inside, elsewhere] = brightness(&drawn);
    assert!(
        on_circle > 100 && inside < 60 && elsewhere < 30,
        "{:?}",
        brightness(&drawn)
    );
    assert!(
        brightness(&next_picture(&mut plain))
            .iter()
            .all(|sample| *sample < 30)
    );
    let health = json_of(&get(&server, "/api/v1/health").1);
    assert_eq!(health["components"]["network"]["pictures_encoded"], 2);
    let (status, body) = get(&server, "/api/v1/stream/video?overlay=2");
    assert!(
        status == 400 && body.contains("expected overlay 0 or 1, found 2"),
        "{body}"
    );
}

#[test]
fn the_video_is_a_chain_of_jpegs_encoded_once_for_all_who_watch() {
    let (server, bridge) = start();
    bridge.publish(snapshot(0, 0.0), Some(frame(10)));
    let mut viewers: Vec<_> = (0..3).map(|_| viewer(&server, "quality=70&width=32")).collect();
    for number in 1..3 {
        for viewer in &mut viewers {
            let jpeg = next_picture(viewer);
            assert_eq!(
                (&jpeg[..2], &jpeg[jpeg.len() - 2..]),
                (&[0xff, 0xd8][..], &[0xff, 0xd9][..])
            );
        }
        bridge.publish(snapshot(number, 0.0), Some(frame(number)));
    }
    viewers.iter_mut().for_each(|viewer| drop(next_picture(viewer)));
    let health = json_of(&get(&server, "/api/v1/health").1);
    assert_eq!(health["components"]["network"]["pictures_encoded"], 3);
    assert_eq!(get(&server, "/api/v1/stream/video/frame").0, 200);
}

fn head_of(reader: &mut BufReader<TcpStream>) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0, "{head}");
    }
    head
}

/// One part of the stream, which comes as one chunk.
fn next_picture(reader: &mut BufReader<TcpStream>) -> Vec<u8> {
    let mut size = String::new();
    reader.read_line(&mut size).unwrap();
    let size = usize::from_str_radix(size.trim(), 16).unwrap();
    let mut chunk = vec![0; size + 2];
    reader.read_exact(&mut chunk).unwrap();
    let start = chunk.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let head = String::from_utf8_lossy(&chunk[..start]).into_owned();
    assert!(
        head.starts_with("--frame\r\nContent-Type: image/jpeg\r\nContent-Length: "),
        "{head}"
    );
    let length: usize = head.lines().nth(2).unwrap()["Content-Length: ".len()..]
        .parse()
        .unwrap();
    chunk[start..start + length].to_vec()
}

#[test]
fn a_port_in_use_is_told_with_what_to_do() {
    let (server, _bridge) = start();
    let listen = server.local_addr();
    let config = ServerConfig { listen, ..any_port() };
    let error = Server::start(config).unwrap_err();
    assert!(matches!(error, BroadcastError::PortInUse { .. }));
    let port = listen.port();
    assert_eq!(
        error.to_string(),
        format!(
            "cannot listen on 127.0.0.1:{port}: port {port} is already in use; stop the program that uses it, or choose \
             another port, for example --listen 127.0.0.1:{}",
            port.checked_add(1).unwrap_or(8000)
        )
    );
}

#[test]
fn an_address_that_others_can_reach_is_refused_without_a_token() {
    let listen: SocketAddr = "0.0.0.0:8000".parse().unwrap();
    let error = Server::start(ServerConfig { listen, ..any_port() }).unwrap_err();
    assert!(matches!(error, BroadcastError::NoToken { .. }));
    assert!(error.to_string().contains("--listen 127.0.0.1:8000"), "{error}");
}

#[test]
fn a_source_that_is_away_is_seen_with_its_reason() {
    let (server, bridge) = start();
    bridge.publish(snapshot(41, 0.0), None);
    let source = || json_of(&get(&server, "/api/v1/health").1)["components"]["source"].clone();
    assert_eq!(
        (&source()["status"], &source()["outages"]),
        (&json!("healthy"), &json!(0))
    );
    bridge.publish_source_health(SourceHealthView {
        away: true,
        outages: 2,
        last_error: Some("unplugged".into()),
        frames_missed: 7,
        ..SourceHealthView::default()
    });
    let found = source();
    assert_eq!(
        (&found["status"], &found["away"]),
        (&json!("unhealthy"), &json!(true))
    );
    assert_eq!(
        (&found["last_error"], &found["frames_missed"]),
        (&json!("unplugged"), &json!(7))
    );
    assert_eq!(json_of(&get(&server, "/api/v1/health").1)["status"], "unhealthy");
    let page = get(&server, "/metrics").1;
    for line in [
        "ghostball_source_away 1",
        "ghostball_source_outages_total 2",
        "ghostball_source_frames_missed_total 7",
    ] {
        assert!(page.lines().any(|found| found == line), "{line} in {page}");
    }
}

#[test]
fn prometheus_finds_every_number_with_its_kind() {
    let (server, bridge) = start();
    bridge.publish(snapshot(41, 0.0), None);
    let (status, page) = get(&server, "/metrics");
    assert_eq!(status, 200);
    let lines: Vec<_> = page.lines().collect();
    let value = |name: &str| {
        let line = lines
            .iter()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} in {page}"))
            .parse::<f64>()
            .unwrap()
    };
    assert_eq!(value("ghostball_frames_total"), 42.0);
    assert_eq!(
        (
            value("ghostball_events_lost_total"),
            value("ghostball_alerts_lost_total")
        ),
        (0.0, 0.0)
    );
    assert_eq!(
        (value("ghostball_balls"), value("ghostball_table_found")),
        (2.0, 1.0)
    );
    assert_eq!(value("ghostball_websocket_clients"), 0.0);
    assert!(value("ghostball_network_tasks") >= 1.0);
    assert!(value("process_resident_memory_bytes") > 1e6 && value("process_cpu_seconds_total") >= 0.0);
    assert!(value("ghostball_stage_seconds{stage=\"detect\"}") >= 0.0);
    for line in lines.iter().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        assert!(value.parse::<f64>().is_ok(), "{line}");
        let name = series.split('{').next().unwrap();
        assert!(
            lines.contains(&format!("# TYPE {name} counter").as_str())
                || lines.contains(&format!("# TYPE {name} gauge").as_str())
        );
    }
}

/// A request with a body of JSON.
fn send(server: &Server, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let body = body.to_string();
    let headers = format!(
        "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    // The head ends with the body, which takes the empty line with it.
    let (status, answer) = http(server, method, path, &headers);
    (status, json_of(&answer))
}

#[test]
fn the_alignment_of_the_projector_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let config = || ServerConfig {
        state_folder: Some(folder.path().join("state")),
        ..any_port()
    };
    let point = json!({"table": {"x": 0.5, "y": -0.25}, "projector": {"x": 960, "y": 540}});
    let points =
        json!({"points": [{"table": {"x": 0.5, "y": -0.25}, "projector": {"x": 960.0, "y": 540.0}}]});
    {
        let (server, _bridge) = Server::start(config()).unwrap();
        assert_eq!(
            json_of(&get(&server, "/api/v1/projector").1),
            json!({"points": []})
        );
        let sent = json!({"points": [point]});
        assert_eq!(
            send(&server, "PUT", "/api/v1/projector", &sent),
            (200, points.clone())
        );
        let many = json!({"points": vec![&point; 65]});
        assert_eq!(send(&server, "PUT", "/api/v1/projector", &many).0, 422);
        assert_eq!(
            send(&server, "PUT", "/api/v1/projector", &json!({"pionts": []})).0,
            400
        );
    }
    let (server, _bridge) = Server::start(config()).unwrap();
    assert_eq!(json_of(&get(&server, "/api/v1/projector").1), points);
}

#[test]
fn the_end_of_the_log_and_the_state_of_the_video_are_shown() {
    let config = any_port();
    for n in 0..200 {
        config.log.push(&format!("line {n}"));
    }
    let (server, bridge) = Server::start(config).unwrap();
    let lines = |query: &str| json_of(&get(&server, &format!("/api/v1/logs{query}")).1)["lines"].clone();
    assert_eq!(lines("?lines=2"), json!(["line 198", "line 199"]));
    assert_eq!(lines("").as_array().unwrap().len(), 100);

    let status = || json_of(&get(&server, "/api/v1/stream/video/status").1);
    assert_eq!(
        (&status()["available"], &status()["source"]),
        (&json!(false), &Value::Null)
    );
    bridge.publish_source(SourceView {
        name: "a camera".to_owned(),
        live: true,
    });
    bridge.publish(snapshot(3, 0.0), Some(frame(3)));
    let status = status();
    assert_eq!(
        (&status["available"], &status["width"], &status["height"]),
        (&json!(true), &json!(64), &json!(32))
    );
    assert_eq!(
        (&status["source"]["name"], &status["frame_number"]),
        (&json!("a camera"), &json!(3))
    );
}
