//! One WebSocket connection as it is heard: tokio-tungstenite reads and checks what the client says, the hub is told.
//!
//! Only the hub writes. What tungstenite has to say of its own (pongs, the closing handshake) is caught by the
//! [`Listening`] side of the socket and handed to the hub, so that frames never mix.

mod gate;
mod listening;
mod progress;

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

pub(crate) use self::gate::{Gate, Refused};
use self::listening::Listening;
use crate::counters::Counters;
use crate::hub::{HubHandle, Newcomer, Said};
use crate::shutdown::UntilShutdown;
use crate::space::Space;
use crate::wire::parse_command;

/// How long a client that is being closed is waited for.
const FAREWELL_TIMEOUT: Duration = Duration::from_millis(500);

/// Small: clients say little, and tungstenite zeroes the buffer on every poll of the stream. Its default of 128 KiB
/// measured a quarter of a server's time, and 140 KiB of memory for each client. It grows for a longer message.
const READ_BUFFER_BYTES: usize = 512;

/// Signs of life, counted where they are seen.
#[derive(Debug)]
pub(crate) struct Vitals {
    since: Instant,
    /// Milliseconds from `since` to the last sign.
    last_sign: AtomicU64,
    pub(crate) messages_received: AtomicU64,
    pub(crate) bytes_received: AtomicU64,
}

impl Vitals {
    fn new() -> Self {
        Self {
            since: Instant::now(),
            last_sign: AtomicU64::new(0),
            messages_received: AtomicU64::new(0),
            bytes_received: AtomicU64::new(0),
        }
    }

    fn sign(&self) {
        let millis = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_sign.store(millis, Ordering::Relaxed);
    }

    /// How long nothing has come from the client.
    pub(crate) fn silent_for(&self, now: Instant) -> Duration {
        let last = self.since + Duration::from_millis(self.last_sign.load(Ordering::Relaxed));
        now.saturating_duration_since(last)
    }
}

/// Why a connection ends.
#[derive(Debug)]
pub(crate) enum End {
    /// The client closed, or is not there any more.
    Gone,
    /// We close.
    Close(CloseCode, &'static str),
}

/// A connection after its handshake.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    /// What came with the handshake and belongs to us.
    pub(crate) already_read: Bytes,
    pub(crate) client_id: String,
    pub(crate) address: String,
    pub(crate) space: Space,
    pub(crate) streams: Vec<String>,
    pub(crate) max_message_bytes: usize,
}

/// Serves one connection until it ends.
pub(crate) async fn run(
    connection: Connection,
    hub: HubHandle,
    counters: Arc<Counters>,
    // Kept to the last word: the server waits for it.
    mut until_shutdown: UntilShutdown,
) {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_message_size(Some(connection.max_message_bytes))
        .max_frame_size(Some(connection.max_message_bytes));
    let stream = Arc::new(connection.stream);
    let listening = Listening::new(stream.clone(), connection.already_read);
    let socket = WebSocketStream::from_raw_socket(listening, Role::Server, Some(config)).await;
    let vitals = Arc::new(Vitals::new());
    let (kick, mut kicked) = oneshot::channel();
    let (index, place) = oneshot::channel();
    let newcomer = Newcomer {
        stream,
        client_id: connection.client_id,
        address: connection.address,
        space: connection.space,
        streams: connection.streams,
        vitals: vitals.clone(),
        kick,
        index,
    };
    hub.say(Said::Join(Box::new(newcomer))).await;
    let Ok(index) = place.await else {
        return;
    };
    let mut reader = Reader {
        socket,
        index,
        hub,
        vitals,
        counters,
    };
    let end = tokio::select! {
        end = reader.listen() => end,
        end = &mut kicked => end.unwrap_or(End::Gone),
        () = until_shutdown.wait() => End::Close(CloseCode::Away, "the server ends"),
    };
    tracing::debug!(index, ?end, "connection ends");
    // Apart: it would take its place in memory from the beginning.
    Box::pin(reader.say_farewell(end)).await;
    reader.hub.say(Said::Leave(index)).await;
}

struct Reader {
    socket: WebSocketStream<Listening>,
    index: usize,
    hub: HubHandle,
    vitals: Arc<Vitals>,
    counters: Arc<Counters>,
}

impl Reader {
    async fn listen(&mut self) -> End {
        loop {
            let message = match self.socket.next().await {
                Some(Ok(message)) => message,
                Some(Err(error)) => return end_of(&error),
                None => return End::Gone,
            };
            self.vitals.sign();
            if let Some(end) = self.receive(message).await {
                return end;
            }
        }
    }

    async fn receive(&mut self, message: Message) -> Option<End> {
        let text = match &message {
            Message::Text(text) => text.as_str(),
            // No JSON, and told so like any other text that is none.
            Message::Binary(_) => "",
            Message::Close(_) => return Some(End::Gone),
            Message::Ping(_) => {
                // Tungstenite has its pong ready.
                self.socket.flush().await.ok();
                return self.pass_on(false).await;
            }
            Message::Pong(_) | Message::Frame(_) => return None,
        };
        let bytes = message.len() as u64;
        self.vitals.messages_received.fetch_add(1, Ordering::Relaxed);
        self.vitals.bytes_received.fetch_add(bytes, Ordering::Relaxed);
        self.counters.messages_received.fetch_add(1, Ordering::Relaxed);
        self.counters.bytes_received.fetch_add(bytes, Ordering::Relaxed);
        let said = Said::Message(self.index, parse_command(text));
        match self.hub.say(said).await {
            true => None,
            false => Some(End::Gone),
        }
    }

    /// Has the hub send what tungstenite has to say.
    async fn pass_on(&mut self, is_last: bool) -> Option<End> {
        let frames = self.socket.get_mut().take_written();
        if frames.is_empty() && !is_last {
            return None;
        }
        match self.hub.say(Said::Control(self.index, frames, is_last)).await {
            true => None,
            false => Some(End::Gone),
        }
    }

    /// Sends the close frame and waits for the client's end, so that it learns why; not for long.
    async fn say_farewell(&mut self, end: End) {
        // Errors mean that all is said.
        match end {
            // Tungstenite has its answer to the client's close ready, where there was one.
            End::Gone => self.socket.flush().await.ok(),
            End::Close(code, reason) => {
                let frame = CloseFrame {
                    code,
                    reason: reason.into(),
                };
                self.socket.close(Some(frame)).await.ok()
            }
        };
        self.pass_on(true).await;
        // Read to the end: what is left unread when a socket is closed resets it, and the client may lose our reason.
        let farewell = async {
            let mut scraps = [0; 1024];
            while self
                .socket
                .get_mut()
                .read(&mut scraps)
                .await
                .is_ok_and(|read| read > 0)
            {}
        };
        // A client that does not leave in time is cut off.
        timeout(FAREWELL_TIMEOUT, farewell).await.ok();
    }
}

/// What a broken connection deserves: a client that breaks the protocol is told how.
fn end_of(error: &Error) -> End {
    match error {
        Error::Capacity(_) => End::Close(CloseCode::Size, "the message is too long"),
        Error::Utf8(_) => End::Close(CloseCode::Invalid, "expected UTF-8"),
        Error::Io(error) if error.kind() == ErrorKind::TimedOut => {
            End::Close(CloseCode::Policy, "a message was not finished in time")
        }
        Error::Protocol(_) => End::Close(CloseCode::Protocol, "expected frames as in RFC 6455"),
        _ => End::Gone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_takes_little_memory_while_it_is_quiet() {
        fn size<T>(_: impl Fn(Connection, HubHandle, Arc<Counters>, UntilShutdown) -> T) -> usize {
            size_of::<T>()
        }
        assert!(size(run) < 3000, "{}", size(run));
    }
}
