//! The messages by UDP, as a projector program hears them.

mod common;

use std::net::UdpSocket;
use std::time::Duration;

use common::{any_port, get, snapshot};
use ghostball_broadcast::{Access, AccessToken, Server, ServerConfig};
use ghostball_world::{Alert, AlertCode, AlertLevel};
use serde_json::{Value, json};

#[test]
fn states_go_to_one_address_by_udp_with_or_without_a_token() {
    for token in [None, Some(AccessToken::new("0123456789abcdef").unwrap())] {
        let listener = UdpSocket::bind("127.0.0.1:0").unwrap();
        listener.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let (_server, bridge) = Server::start(ServerConfig {
            udp: Some(listener.local_addr().unwrap()),
            access: Access {
                token,
                ..Access::default()
            },
            ..any_port()
        })
        .unwrap();
        bridge.publish(snapshot(7, 0.25), None);
        let mut datagram = vec![0; 65_536];
        let mut kinds = Vec::new();
        while !kinds.contains(&"state".to_owned()) {
            let length = listener.recv(&mut datagram).unwrap();
            let message: Value = serde_json::from_slice(&datagram[..length]).unwrap();
            kinds.push(message["type"].as_str().unwrap().to_owned());
            if message["type"] == "state" {
                assert_eq!(message["data"]["balls"][0]["position"]["x"], 0.25);
                assert_eq!(message["data"]["frame_number"], 7);
            }
        }
        assert!(
            !kinds.contains(&"connection".to_owned()),
            "answers are for those who ask: {kinds:?}"
        );
    }
}

#[test]
fn what_no_datagram_holds_is_counted_and_the_sink_is_no_client() {
    let listener = UdpSocket::bind("127.0.0.1:0").unwrap();
    listener.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let (server, bridge) = Server::start(ServerConfig {
        udp: Some(listener.local_addr().unwrap()),
        ..any_port()
    })
    .unwrap();
    let mut alert = Alert {
        level: AlertLevel::Error,
        code: AlertCode::CameraUnavailable,
        begins: true,
        text: "x".repeat(70_000),
    };
    bridge.alert(alert.clone());
    alert.text = "short".to_owned();
    bridge.alert(alert);
    let mut datagram = vec![0; 65_536];
    let length = listener.recv(&mut datagram).unwrap();
    let message: Value = serde_json::from_slice(&datagram[..length]).unwrap();
    assert_eq!(
        (&message["data"]["message"], &message["sequence"]),
        (&json!("short"), &json!(1))
    );
    let (_, metrics) = get(&server, "/api/v1/websocket/metrics");
    let metrics: Value = serde_json::from_str(&metrics).unwrap();
    assert_eq!(metrics["udp"], json!({"sent": 1, "too_long": 1, "failed": 0}));
    assert_eq!(metrics["connections"]["opened"], 0);
}
