//! Every message, byte for byte, with the clock standing at noon.

use std::sync::Arc;
use std::time::Duration;

use ghostball_world::{
    Alert, AlertCode, AlertLevel, BallKind, EventBall, PocketName, SeenStroke, Shot, ShotPath, Snapshot,
    TableEvent, TableEventKind, TrackId,
};
use glam::DVec2;
use serde::Serialize;
use serde_json::json;

use super::*;
use crate::config::CompressionConfig;
use crate::fixture::{NOON, snapshot};
use crate::space::Space;

const ISSUE: Issue = Issue {
    sequence: 42,
    captured_at: crate::WallTime {
        micros: NOON.micros - 25_000,
    },
    timestamp: NOON,
    calculation_time: Duration::from_micros(250),
};

/// What is in the frame of a message.
fn payload(r#type: &'static str, data: &impl Serialize, compression: Option<&CompressionConfig>) -> Vec<u8> {
    let mut frame = Frame::default();
    frame.encode(r#type, NOON, data, compression).unwrap();
    let len = frame.payload_len();
    let bytes = frame.numbered(7);
    bytes[bytes.len() - len..].to_vec()
}

fn text(r#type: &'static str, data: &impl Serialize) -> String {
    String::from_utf8(payload(r#type, data, None)).unwrap()
}

/// The message as text, laid out for reading: compact JSON, one line per field of `data`.
fn message(r#type: &'static str, data: &impl Serialize) -> String {
    let text = text(r#type, data);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(
        value["timestamp"].is_string() && value["data"].is_object(),
        "a client would drop {text}"
    );
    serde_json::to_string_pretty(&value).unwrap()
}

#[test]
fn the_envelope_is_sequence_type_timestamp_and_data() {
    insta::assert_snapshot!(
        text("pong", &json!({})),
        @r#"{"sequence":         7,"type":"pong","timestamp":"2026-01-01T12:00:00.000000+00:00","data":{}}"#
    );
}

#[test]
fn a_compressed_message_is_the_same_message() {
    use std::io::Read as _;
    let data = StateData::new(&snapshot(), Space::Metres, StateQuality::Full, ISSUE);
    let plain = text("state", &data);
    let zlib = payload("state", &data, Some(&CompressionConfig::default()));
    let mut inflated = String::new();
    flate2::read::ZlibDecoder::new(&zlib[..])
        .read_to_string(&mut inflated)
        .unwrap();
    assert_eq!(inflated, plain);
    assert!(
        zlib.len() * 10 < plain.len() * 9,
        "{} of {}",
        zlib.len(),
        plain.len()
    );
    let pong = payload("pong", &json!({}), Some(&CompressionConfig::default()));
    assert_eq!(pong[0], b'{', "short messages stay text");
}

#[test]
fn state_in_metres() {
    let data = StateData::new(&snapshot(), Space::Metres, StateQuality::Full, ISSUE);
    insta::assert_snapshot!(message("state", &data));
}

#[test]
fn state_on_the_4k_canvas() {
    let data = StateData::new(&snapshot(), Space::Canvas4k, StateQuality::Full, ISSUE);
    insta::assert_snapshot!(message("state", &data));
}

#[test]
fn state_in_the_camera_picture() {
    let data = StateData::new(&snapshot(), Space::Camera, StateQuality::Full, ISSUE);
    insta::assert_snapshot!(message("state", &data));
}

#[test]
fn state_of_low_quality() {
    let snapshot = Snapshot {
        cue: None,
        table: None,
        ..snapshot()
    };
    let data = StateData::new(&snapshot, Space::Metres, StateQuality::Low, ISSUE);
    insta::assert_snapshot!(message("state", &data));
}

#[test]
fn state_before_anything_is_seen() {
    let data = StateData::new(&Snapshot::default(), Space::Canvas4k, StateQuality::Full, ISSUE);
    insta::assert_snapshot!(message("state", &data));
}

#[test]
fn trajectory_in_metres() {
    insta::assert_snapshot!(message(
        "trajectory",
        &TrajectoryData::new(&snapshot(), Space::Metres, ISSUE)
    ));
}

#[test]
fn trajectory_on_the_4k_canvas() {
    insta::assert_snapshot!(message(
        "trajectory",
        &TrajectoryData::new(&snapshot(), Space::Canvas4k, ISSUE)
    ));
}

#[test]
fn trajectory_when_nothing_is_predicted() {
    let snapshot = Snapshot {
        prediction: None,
        ..snapshot()
    };
    insta::assert_snapshot!(message(
        "trajectory",
        &TrajectoryData::new(&snapshot, Space::Metres, ISSUE)
    ));
}

fn event_ball(track_id: u32, kind: BallKind, number: Option<u8>, position: [f64; 2]) -> EventBall {
    EventBall {
        track_id: TrackId(track_id),
        kind,
        number,
        position_in_table: DVec2::from(position),
    }
}

/// A whole shot, told at once: a ball is struck, another potted, one taken away and put back.
fn eventful() -> Snapshot {
    let at = |millis: u64, kind| TableEvent {
        at: Duration::from_millis(millis),
        kind,
    };
    let cue = event_ball(3, BallKind::Cue, None, [0.5, 0.3]);
    let eight = event_ball(4, BallKind::Eight, Some(8), [1.2, -0.6]);
    let unnamed = event_ball(17, BallKind::Stripe, None, [-0.4, -0.2]);
    let potted = at(2_500, TableEventKind::Potted(eight, PocketName::BottomRight));
    let shot = Shot {
        started_at: Duration::from_millis(1_000),
        ended_at: Duration::from_millis(4_250),
        start: vec![cue, eight],
        end: vec![cue],
        paths: vec![ShotPath {
            ball: eight,
            points: vec![
                (Duration::from_millis(1_500), eight.position_in_table),
                (Duration::from_millis(2_500), DVec2::new(1.25, -0.625)),
            ],
        }],
        prediction: snapshot().prediction,
        events: vec![potted.clone()],
    };
    let stroke = SeenStroke {
        speed: 1.25,
        direction: -0.25,
        side: 0.5,
        practice_strokes: 2,
    };
    Snapshot {
        events: vec![
            at(1_000, TableEventKind::Started(cue, DVec2::new(1.0, -0.25))),
            at(
                1_000,
                TableEventKind::ShotStarted(cue, DVec2::new(1.0, -0.25), Some(stroke)),
            ),
            at(1_500, TableEventKind::BallCollision(cue, eight)),
            at(1_750, TableEventKind::Cushion(eight)),
            potted,
            at(4_250, TableEventKind::ShotEnded(Arc::new(shot))),
            at(9_000, TableEventKind::BallRemoved(unnamed)),
            at(12_000, TableEventKind::BallPlaced(unnamed)),
            at(13_000, TableEventKind::BallInHand(cue)),
        ],
        ..snapshot()
    }
}

#[test]
fn events_in_metres() {
    insta::assert_snapshot!(message("events", &EventsData::new(&eventful(), Space::Metres)));
}

#[test]
fn events_in_the_camera_picture() {
    insta::assert_snapshot!(message("events", &EventsData::new(&eventful(), Space::Camera)));
}

#[test]
fn motion() {
    let snapshot = eventful();
    let motion = snapshot.events[0].kind.motion().unwrap();
    insta::assert_snapshot!(message(
        "motion",
        &MotionData::new(&snapshot, motion, Space::Metres, NOON)
    ));
}

#[test]
fn history() {
    let snapshot = eventful();
    let data = HistoryData::new([&snapshot].into_iter(), Space::Canvas4k);
    insta::assert_snapshot!(serde_json::to_string_pretty(&data).unwrap());
}

#[test]
fn alert() {
    let alert = Alert {
        level: AlertLevel::Error,
        code: AlertCode::CameraUnavailable,
        begins: true,
        text: "no frame for 2 s: check the cable of /dev/video0".to_owned(),
    };
    insta::assert_snapshot!(message("alert", &AlertData::new(&alert, 3, NOON)));
}

#[test]
fn connection() {
    let data = GreetingData {
        client_id: "client-1",
        status: "connected",
        timestamp: NOON,
    };
    insta::assert_snapshot!(message("connection", &data));
}

#[test]
fn subscribed() {
    let data = SubscribedData {
        streams: vec!["state"],
        all_subscriptions: vec!["state", "trajectory"],
    };
    insta::assert_snapshot!(message("subscribed", &data));
}

#[test]
fn pong() {
    let data = PongData {
        timestamp: NOON,
        quality_score: 0.987,
    };
    insta::assert_snapshot!(message("pong", &data));
}

#[test]
fn heartbeat_response() {
    let data = HeartbeatData {
        client_time: json!(1_767_268_800_123_i64),
        server_time: NOON,
        timestamp: NOON,
    };
    insta::assert_snapshot!(message("heartbeat_response", &data));
}

#[test]
fn status() {
    let data = StatusData {
        client_id: "client-1",
        connected_at: NOON,
        uptime: 12.5,
        subscriptions: vec!["state"],
        message_count: 375,
        bytes_sent: 900_000,
        bytes_received: 512,
        quality_score: 1.0,
        is_alive: true,
    };
    insta::assert_snapshot!(message("status", &data));
}

#[test]
fn error() {
    insta::assert_snapshot!(message(
        "error",
        &parse_command(r#"{"type":"dance"}"#).unwrap_err()
    ));
}
