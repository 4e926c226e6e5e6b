//! The plugin in an app: what the world holds is what clients get.

mod common;

use std::sync::Arc;
use std::time::Duration;

use bevy_app::App;
use common::{Client, get, start, wait_for_state};
use ghostball_broadcast::BroadcastPlugin;
use ghostball_world::{
    Alert, AlertCode, AlertLevel, Ball, BallKind, EventBall, IdleTick, PocketName, PositionInTable, Shot,
    TableEvent, TableEventKind, TrackId, WorldPlugin,
};
use glam::DVec2;
use serde_json::{Value, json};

#[tokio::test]
async fn balls_and_alerts_of_the_world_reach_a_client_each_once() {
    let (server, bridge) = start();
    let mut app = App::new();
    app.add_plugins((WorldPlugin, BroadcastPlugin::new(bridge)));
    let position = PositionInTable(DVec2::new(0.25, -0.5));
    app.world_mut()
        .spawn((Ball { radius: 0.0286 }, TrackId(4), BallKind::Cue, position));
    let mut client = Client::connect(&server, "/ws?subscribe=state,alert").await;
    client.send(json!({"type": "ping"})).await;
    client.next_of("pong").await;
    app.update();
    wait_for_state(&server);
    let state = client.next_of("state").await;
    assert_eq!(
        state["data"]["balls"][0]["position"],
        json!({"x": 0.25, "y": -0.5, "scale": [1.0, 1.0]})
    );
    assert_eq!(
        (&state["data"]["cue"], &state["data"]["table"]),
        (&json!(null), &json!(null))
    );

    app.world_mut().write_message(Alert {
        level: AlertLevel::Warning,
        code: AlertCode::CalibrationLost,
        begins: true,
        text: "the table is gone".to_owned(),
    });
    app.world_mut().run_schedule(IdleTick);
    app.update();
    assert_eq!(client.next_of("alert").await["data"]["sequence"], 1);
    app.world_mut().write_message(Alert {
        level: AlertLevel::Info,
        code: AlertCode::CalibrationLost,
        begins: false,
        text: "the table is back".to_owned(),
    });
    app.update();
    assert_eq!(
        client.next_of("alert").await["data"]["sequence"],
        2,
        "the first went once"
    );
}

#[tokio::test]
async fn what_happens_reaches_those_who_ask_once_and_finished_shots_are_remembered() {
    let (server, bridge) = start();
    let mut app = App::new();
    app.add_plugins((WorldPlugin, BroadcastPlugin::new(bridge)));
    let mut client = Client::connect(&server, "/ws?subscribe=events").await;
    let mut mover = Client::connect(&server, "/ws?subscribe=motion").await;
    for client in [&mut client, &mut mover] {
        client.send(json!({"type": "ping"})).await;
        client.next_of("pong").await;
    }
    let ball = EventBall {
        track_id: TrackId(7),
        kind: BallKind::Solid,
        number: Some(3),
        position_in_table: DVec2::new(0.25, -0.5),
    };
    // More shots than are remembered.
    for shot in 0..110 {
        let at = Duration::from_secs(shot);
        let potted = TableEventKind::Potted(ball, PocketName::TopLeft);
        let ended = TableEventKind::ShotEnded(Arc::new(Shot {
            started_at: at,
            ended_at: at,
            ..Shot::default()
        }));
        for kind in [TableEventKind::Started(ball, DVec2::X), potted, ended] {
            app.world_mut().write_message(TableEvent { at, kind });
        }
        app.update();
        // A frame in which nothing happened tells nothing again.
        app.update();
        let message = client.next().await;
        assert_eq!(message["type"], "events");
        let events = message["data"]["events"].as_array().unwrap();
        assert_eq!(events.len(), 2, "motion is a stream of its own");
        assert_eq!(
            (
                &events[0]["type"],
                &events[0]["ball_id"],
                &events[0]["pocket"],
                &events[0]["t"]
            ),
            (
                &json!("potted"),
                &json!("3"),
                &json!("top_left"),
                &json!(shot as f64)
            )
        );
        let motion = mover.next().await;
        assert_eq!(
            (
                &motion["type"],
                &motion["data"]["is_moving"],
                &motion["data"]["velocity"]["x"]
            ),
            (&json!("motion"), &json!(true), &json!(1.0))
        );
    }
    let history = |query: &str| -> Value {
        let (status, body) = get(&server, &format!("/api/v1/game/history{query}"));
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    };
    let all = history("");
    let shots = all["shots"].as_array().unwrap();
    assert_eq!((&all["count"], shots.len()), (&json!(100), 100));
    assert_eq!(shots[0]["start_t"], json!(109.0), "newest first");
    assert_eq!(shots[99]["start_t"], json!(10.0), "the oldest go first");
    assert_eq!(history("?limit=2")["shots"][1]["start_t"], json!(108.0));
    assert_eq!(get(&server, "/api/v1/game/history?limit=-1").0, 400);
}
