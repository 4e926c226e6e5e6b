//! The messages by UDP, as a projector program hears them.

mod common;

use std::net::UdpSocket;
use std::time::Duration;

use common::{any_port, snapshot};
use ghostball_broadcast::{Access, AccessToken, Server, ServerConfig};
use serde_json::Value;

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
