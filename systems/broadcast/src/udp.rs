//! The same messages by UDP, to one address.
//!
//! It is a WebSocket client like any other, of this very server: it gets what clients get, by the rules by which they get
//! it, and knows nothing of how they are made.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use futures_util::StreamExt as _;
use serde::Deserialize;
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::sleep;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::AccessToken;

/// Told by UDP: whatever is no answer and no picture.
const STREAMS: [&str; 6] = ["state", "trajectory", "events", "motion", "alert", "config"];

/// More does not go into a datagram (65535 less the heads of IPv4 and UDP, bytes).
const MAX_DATAGRAM_BYTES: usize = 65_507;

/// After a failure it is tried again so much later.
const PAUSE: Duration = Duration::from_secs(1);

/// What is looked at of a message.
#[derive(Deserialize)]
struct Kind<'a> {
    r#type: &'a str,
}

/// Why nothing is sent any more.
#[derive(Debug, thiserror::Error)]
enum UdpError {
    #[error(transparent)]
    Socket(#[from] std::io::Error),
    #[error(transparent)]
    WebSocket(#[from] tungstenite::Error),
    #[error("the connection was closed")]
    Closed,
}

/// Sends for ever what the server at `server` publishes to `target`.
pub(crate) async fn run(server: SocketAddr, token: Option<AccessToken>, target: SocketAddr) {
    let token = token
        .map(|token| format!("&token={}", token.reveal()))
        .unwrap_or_default();
    let reachable = SocketAddr::new(
        match server.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        },
        server.port(),
    );
    let url = format!(
        "ws://{reachable}/api/v1/ws?subscribe={}{token}",
        STREAMS.join(",")
    );
    let mut failed = false;
    loop {
        let Err(error) = forward(reachable, &url, target).await;
        // Once, not every second; the address of the request, which holds the token, is in no error.
        if !failed {
            tracing::warn!(%error, %target, "nothing is sent by UDP; it is tried again");
        }
        failed = true;
        sleep(PAUSE).await;
    }
}

async fn forward(
    server: SocketAddr,
    url: &str,
    target: SocketAddr,
) -> Result<std::convert::Infallible, UdpError> {
    let any = match target {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let socket = UdpSocket::bind(any).await?;
    socket.set_broadcast(true)?;
    let (mut messages, _) = client_async(url, TcpStream::connect(server).await?).await?;
    while let Some(message) = messages.next().await {
        let Message::Text(text) = message? else { continue };
        let kind = serde_json::from_str::<Kind<'_>>(&text);
        if !kind.is_ok_and(|kind| STREAMS.contains(&kind.r#type)) {
            continue;
        }
        if text.len() > MAX_DATAGRAM_BYTES {
            tracing::debug!(
                bytes = text.len(),
                "a message is too long for a datagram and left out"
            );
            continue;
        }
        // Nobody listening is no failure: the next may be heard.
        if let Err(error) = socket.send_to(text.as_bytes(), target).await {
            tracing::debug!(%error, "a datagram was not sent");
        }
    }
    Err(UdpError::Closed)
}
