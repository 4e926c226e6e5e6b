//! A client that knows nothing but `/openapi.json` and `/schema/*`.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "helpers of tests, outside of test functions; plays frames at the pace of a camera"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use common::{Client, any_port, frame, get, http, snapshot, start, wait_for_state};
use ghostball_broadcast::{BridgeHandle, ConfigView, ReplayView, Server, ServerConfig, Simulator};
use ghostball_world::{
    Alert, AlertCode, AlertLevel, EventBall, GhostBall, Origin, Outcome, PathKind, PathLine, PocketName,
    PredictedCollision, PredictedContact, PredictedRest, Prediction, SeenStroke, Shot, ShotPath, Snapshot,
    TableEvent, TableEventKind,
};
use glam::DVec2;
use jsonschema::Validator;
use serde_json::{Value, json};

fn json_of(server: &Server, path: &str) -> Value {
    let (status, body) = get(server, path);
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).unwrap()
}

/// Checks a message by the schema of its type.
fn check(server: &Server, message: &Value, seen: &mut BTreeMap<String, Validator>) {
    let kind = message["type"].as_str().unwrap().to_owned();
    let validator = seen.entry(kind.clone()).or_insert_with(|| {
        let schema = json_of(server, &format!("/api/v1/schema/{kind}"));
        jsonschema::draft202012::options()
            .should_validate_formats(true)
            .build(&schema)
            .unwrap()
    });
    let errors: Vec<_> = validator
        .iter_errors(message)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?} in {message}");
}

/// Every message that a server sends, by its type.
const MESSAGES: [&str; 17] = [
    "alert",
    "config",
    "connection",
    "error",
    "events",
    "frame",
    "heartbeat_response",
    "metrics",
    "motion",
    "performance",
    "pong",
    "simulated",
    "state",
    "status",
    "subscribed",
    "trajectory",
    "unsubscribed",
];

/// One of everything that can be predicted.
fn prediction(snapshot: &Snapshot) -> Prediction {
    let [ball, other] = [0, 1].map(|index| snapshot.balls[index].track_id);
    let (position, pocket) = (snapshot.balls[1].position_in_table, PocketName::TopLeft);
    let contacts = [
        PredictedContact::Ball(other),
        PredictedContact::Cushion,
        PredictedContact::Pocket(pocket),
    ];
    Prediction {
        origin: Origin::Aim,
        ball,
        lines: vec![PathLine {
            ball,
            start: DVec2::ZERO,
            end: position,
            kind: PathKind::Primary,
            confidence: 1.0,
        }],
        collisions: contacts
            .map(|contact| PredictedCollision {
                ball,
                contact,
                position,
                angle: 0.5,
                time: 0.1,
                confidence: 0.9,
            })
            .into(),
        ghost_balls: vec![GhostBall { ball, position }],
        rest: [None, Some(pocket)]
            .map(|pocketed| PredictedRest {
                ball,
                position,
                pocketed,
            })
            .into(),
        outcomes: vec![Outcome {
            ball,
            pocket,
            probability: 0.5,
        }],
        confidence: 1.0,
    }
}

/// One of everything that can happen.
fn events(snapshot: &Snapshot) -> Vec<TableEvent> {
    let [ball, other] = [0, 1].map(|index| {
        let ball = &snapshot.balls[index];
        EventBall {
            track_id: ball.track_id,
            kind: ball.kind,
            number: ball.number,
            position_in_table: ball.position_in_table,
        }
    });
    let event = |kind| TableEvent {
        at: Duration::from_millis(snapshot.frame_number),
        kind,
    };
    let shot = Shot {
        start: vec![ball, other],
        end: vec![other],
        paths: vec![ShotPath {
            ball,
            points: vec![(Duration::ZERO, DVec2::ZERO), (Duration::from_secs(1), DVec2::X)],
        }],
        events: vec![event(TableEventKind::Cushion(ball))],
        ..Shot::default()
    };
    let kinds = [
        TableEventKind::Started(ball, DVec2::X),
        TableEventKind::Stopped(other),
        TableEventKind::ShotStarted(ball, DVec2::X, Some(SeenStroke::default())),
        TableEventKind::BallInHand(ball),
        TableEventKind::BallCollision(ball, other),
        TableEventKind::Cushion(ball),
        TableEventKind::Potted(other, PocketName::TopLeft),
        TableEventKind::BallPlaced(ball),
        TableEventKind::BallRemoved(other),
        TableEventKind::ShotEnded(Arc::new(shot)),
    ];
    kinds.map(event).into()
}

/// Plays until nobody holds the other end.
fn play(bridge: &BridgeHandle, until: &std::sync::mpsc::Receiver<()>) {
    bridge.alert(Alert {
        level: AlertLevel::Error,
        code: AlertCode::CalibrationLost,
        begins: true,
        text: "the table is gone".to_owned(),
    });
    let mut number = 1;
    while until.try_recv() != Err(std::sync::mpsc::TryRecvError::Disconnected) {
        let mut snapshot = Snapshot::clone(&snapshot(number, 0.01 * (number % 50) as f64));
        snapshot.prediction = Some(prediction(&snapshot));
        snapshot.events = events(&snapshot);
        bridge.publish(Arc::new(snapshot), Some(frame(number)));
        number += 1;
        std::thread::sleep(Duration::from_millis(40));
    }
}

#[tokio::test]
async fn every_message_of_a_session_is_as_its_schema_says() {
    let mut config = ServerConfig {
        simulator: Some(Simulator::new(|snapshot, _| Ok(prediction(snapshot)))),
        ..any_port()
    };
    config.broadcaster.frame_queue.enabled = true;
    let (server, bridge) = Server::start(config).unwrap();
    bridge.publish(snapshot(0, 0.0), None);
    bridge.publish_config(ConfigView::default());
    wait_for_state(&server);
    let mut seen = BTreeMap::new();
    for coords in ["metres", "4k", "camera"] {
        let path = format!("/api/v1/ws?coords={coords}");
        let mut client = Client::connect_silently(&server, &path).await.unwrap();
        let streams = [
            "state",
            "trajectory",
            "events",
            "motion",
            "alert",
            "config",
            "performance",
            "metrics",
            "frame",
            "no",
        ];
        for message in [
            json!({"type": "subscribe", "data": {"streams": ["state"]}}),
            json!({"type": "unsubscribe", "data": {"streams": ["state"]}}),
            json!({"type": "subscribe", "data": {"streams": streams}}),
            json!({"type": "ping", "data": {}}),
            json!({"type": "heartbeat", "data": {"clientTime": 7}}),
            json!({"type": "get_status", "data": {}}),
            json!({"type": "simulate", "data": {"strike": {"speed": 2, "angle": 90}}}),
            json!({"type": "nonsense", "data": {}}),
        ] {
            client.send(message).await;
        }
        let (playing, until) = std::sync::mpsc::channel();
        let player = tokio::task::spawn_blocking({
            let bridge = bridge.clone();
            move || play(&bridge, &until)
        });
        let mut missing = BTreeSet::from(MESSAGES);
        let began = std::time::Instant::now();
        let mut states = 0;
        while !missing.is_empty() || states < 10 {
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "did not come: {missing:?}"
            );
            let message = client.next().await;
            let kind = message["type"].as_str().unwrap();
            missing.remove(kind);
            states += usize::from(kind == "state");
            check(&server, &message, &mut seen);
        }
        drop::<std::sync::mpsc::Sender<()>>(playing);
        player.await.unwrap();
    }
}

#[test]
fn a_wrong_message_is_not_what_the_schema_says() {
    let (server, bridge) = start();
    bridge.publish(snapshot(0, 0.0), None);
    wait_for_state(&server);
    let schema = json_of(&server, "/api/v1/schema/state");
    let validator = jsonschema::validator_for(&schema).unwrap();
    let data = json_of(&server, "/api/v1/game/state");
    let right = json!({"type": "state", "timestamp": data["timestamp"], "sequence": 1, "data": data});
    assert!(validator.is_valid(&right));
    for (pointer, wrong) in [
        ("/type", json!("trajectory")),
        ("/data/balls/0/position", json!({"x": 1.0, "y": 2.0})),
        ("/data/balls/0/is_moving", json!("no")),
        ("/data/frame_number", json!(-1)),
        ("/data/table/corners", json!([])),
    ] {
        let mut message = right.clone();
        *message.pointer_mut(pointer).unwrap() = wrong;
        assert!(!validator.is_valid(&message), "{pointer}");
    }
    let mut more = right.clone();
    more["data"]["balls"][0]["colour"] = json!("red");
    assert!(!validator.is_valid(&more), "a field that nobody told of");
}

#[tokio::test]
async fn every_answer_is_as_the_document_says() {
    let (server, bridge) = start();
    bridge.publish(snapshot(0, 0.0), None);
    bridge.publish_replay(ReplayView {
        source: "game.mcap".to_owned(),
        position_seconds: 1.0,
        duration_seconds: 2.0,
        paused: false,
        ended: false,
        speed: None,
        repeats: true,
    });
    wait_for_state(&server);
    let _listed = Client::connect(&server, "/api/v1/ws?subscribe=state").await;
    let document = json_of(&server, "/api/v1/openapi.json");
    assert_eq!(document["openapi"], "3.1.0");
    let validator = |schema: &Value| {
        let mut schema = schema.clone();
        schema["components"] = document["components"].clone();
        jsonschema::draft202012::new(&schema).unwrap()
    };
    let mut checked = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        let Some(schema) = methods.pointer("/get/responses/200/content/application~1json/schema") else {
            continue;
        };
        if !schema.is_object() {
            continue;
        }
        let answer = json_of(&server, path);
        let errors: Vec<_> = validator(schema)
            .iter_errors(&answer)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{path}: {errors:?} in {answer}");
        checked += 1;
    }
    assert!(checked >= 8, "{checked}");
    let error =
        document.pointer("/paths/~1api~1v1~1config/put/responses/default/content/application~1json/schema");
    let (_, refused) = http(&server, "PUT", "/api/v1/config", "Content-Length: 70000\r\n");
    assert!(
        validator(error.unwrap()).is_valid(&serde_json::from_str(&refused).unwrap()),
        "{refused}"
    );
    let (status, body) = get(&server, "/api/v1/schema/nonsense");
    assert!(
        status == 404 && body.contains("expected one of alert, "),
        "{body}"
    );
}
