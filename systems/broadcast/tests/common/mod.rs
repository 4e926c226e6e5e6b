//! A server, made-up snapshots, and clients to look at it from outside.

// Each test file uses its own part of this.
#![allow(dead_code, reason = "shared by several test programs")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests, outside of test functions"
)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream as StdTcpStream};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use ghostball_broadcast::{BridgeHandle, Server, ServerConfig};
use ghostball_world::{
    BallKind, BallSnapshot, CircleInImage, ColorEncoding, Frame, Picture, PixelFormat, Snapshot, Stamp,
    TableGeometry, TableSighting, TableSpecification, TrackId,
};
use glam::DVec2;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame as WebSocketFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{self, Message};

/// Nothing here takes so long unless it never comes.
const PATIENCE: Duration = Duration::from_secs(20);

pub fn any_port() -> ServerConfig {
    ServerConfig {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        ..ServerConfig::default()
    }
}

pub fn start() -> (Server, BridgeHandle) {
    Server::start(any_port()).unwrap()
}

/// Frame `number`: the cue ball at `x`, one more ball at rest, no cue.
pub fn snapshot(number: u64, x: f64) -> Arc<Snapshot> {
    let corners = [[140.0, 110.0], [1140.0, 110.0], [1140.0, 610.0], [140.0, 610.0]].map(DVec2::from);
    let sighting = TableSighting {
        corners_in_image: corners,
        pockets_in_image: [CircleInImage {
            center: corners[0],
            radius: 20.0,
        }; 6],
        ball_radius_px: 11.25,
        lens: None,
        confidence: 1.0,
    };
    let table = TableGeometry::from_sighting(&sighting, &TableSpecification::default()).unwrap();
    let ball = |track, kind, number, position: DVec2| BallSnapshot {
        track_id: TrackId(track),
        kind,
        number,
        position_in_table: position,
        velocity_in_table: DVec2::ZERO,
        radius: 0.028575,
        is_moving: false,
        confidence: 0.9,
        seen_in_image: Some(table.ball_in_image(position)),
    };
    Arc::new(Snapshot {
        frame_number: number,
        captured_at: Stamp::from_nanos(number * 33_333_333),
        picture_size: [1280, 720],
        balls: vec![
            ball(0, BallKind::Cue, None, DVec2::new(x, 0.0)),
            ball(1, BallKind::Stripe, Some(9), DVec2::new(-0.5, 0.25)),
        ],
        table: Some(table),
        ..Snapshot::default()
    })
}

/// A grey picture of 64x32.
pub fn frame(number: u64) -> Arc<Frame> {
    let picture = Picture::new(
        PixelFormat::Grey,
        64,
        32,
        ColorEncoding::default(),
        vec![number as u8; 2048],
    );
    Arc::new(Frame {
        sequence: number,
        picture: picture.unwrap(),
        ..Frame::default()
    })
}

/// A WebSocket client.
pub struct Client {
    socket: WebSocketStream<TcpStream>,
}

impl Client {
    /// Connects and checks the greeting.
    pub async fn connect(server: &Server, path: &str) -> Self {
        let mut client = Self::connect_silently(server, path).await.unwrap();
        let greeting = client.next().await;
        assert_eq!(
            (&greeting["type"], &greeting["sequence"]),
            (&json!("connection"), &json!(1))
        );
        assert_eq!(greeting["data"]["status"], "connected");
        client
    }

    pub async fn connect_silently(server: &Server, path: &str) -> Result<Self, tungstenite::Error> {
        let stream = TcpStream::connect(server.local_addr()).await.unwrap();
        Self::connect_over(stream, server, path).await
    }

    pub async fn connect_over(
        stream: TcpStream,
        server: &Server,
        path: &str,
    ) -> Result<Self, tungstenite::Error> {
        let url = format!("ws://{}{path}", server.local_addr());
        let (socket, _) = tokio_tungstenite::client_async(url, stream).await?;
        Ok(Self { socket })
    }

    pub async fn send(&mut self, message: Value) {
        self.send_raw(Message::text(message.to_string())).await;
    }

    pub async fn send_raw(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// The first frame of a text of several.
    pub async fn send_fragment(&mut self, text: &[u8]) {
        let first = WebSocketFrame::message(text.to_vec(), OpCode::Data(Data::Text), false);
        self.send_raw(Message::Frame(first)).await;
    }

    pub async fn subscribe(&mut self, streams: &[&str]) -> Value {
        self.send(json!({"type": "subscribe", "data": {"streams": streams}}))
            .await;
        self.next_of("subscribed").await
    }

    /// The next message, which has to be one that the old web client would take.
    pub async fn next(&mut self) -> Value {
        loop {
            let message = self.next_raw().await;
            let Message::Text(text) = message else {
                assert!(
                    matches!(message, Message::Ping(_) | Message::Pong(_)),
                    "{message:?}"
                );
                continue;
            };
            let value: Value = serde_json::from_str(&text).unwrap();
            assert!(
                value["timestamp"].is_string() && value["data"].is_object(),
                "{text}"
            );
            return value;
        }
    }

    pub async fn next_of(&mut self, r#type: &str) -> Value {
        loop {
            let message = self.next().await;
            if message["type"] == r#type {
                return message;
            }
        }
    }

    pub async fn next_raw(&mut self) -> Message {
        let next = timeout(PATIENCE, self.socket.next()).await;
        next.expect("a message in time")
            .expect("the connection stays open")
            .unwrap()
    }

    /// Reads until the server closes.
    pub async fn farewell(&mut self) -> CloseFrame {
        loop {
            if let Message::Close(frame) = self.next_raw().await {
                return frame.expect("a close frame with a reason");
            }
        }
    }
}

/// One HTTP request over a connection of its own: status and body.
pub fn http(server: &Server, method: &str, path: &str, headers: &str) -> (u16, String) {
    let mut stream = StdTcpStream::connect(server.local_addr()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let host = if headers.contains("Host:") {
        String::new()
    } else {
        format!("Host: {}\r\n", server.local_addr())
    };
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\n{host}Connection: close\r\n{headers}\r\n"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer with a head");
    let status = head.split(' ').nth(1).expect("a status line").parse().unwrap();
    (status, body.to_owned())
}

pub fn get(server: &Server, path: &str) -> (u16, String) {
    http(server, "GET", path, "")
}

/// Waits until the server has published what was handed over.
pub fn wait_for_state(server: &Server) {
    let started = Instant::now();
    while get(server, "/api/v1/game/state").0 != 200 {
        assert!(started.elapsed() < PATIENCE, "no state was published");
    }
}
