//! The plugin in an app: what the world holds is what clients get.

mod common;

use bevy_app::App;
use common::{Client, start, wait_for_state};
use ghostball_broadcast::BroadcastPlugin;
use ghostball_world::{
    Alert, AlertCode, AlertLevel, Ball, BallKind, IdleTick, PositionInTable, TrackId, WorldPlugin,
};
use glam::DVec2;
use serde_json::json;

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
