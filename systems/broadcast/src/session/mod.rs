//! One WebSocket connection, from its greeting to its end.

mod lane;
mod rate;
mod subscription;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::sync::broadcast;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use self::lane::Lane;
use self::rate::{RateLimit, Verdict};
use self::subscription::{filters_for, known_streams};
use crate::WallTime;
use crate::counters::Counters;
use crate::publication::{Publication, View};
use crate::publisher::Feeds;
use crate::shutdown::UntilShutdown;
use crate::space::Space;
use crate::stream::Stream;
use crate::wire::{
    Command, Compression, ConnectionData, Encoded, ErrorCode, ErrorData, HeartbeatData, PongData, StatusData,
    SubscribedData, parse_command,
};

/// A WebSocket ping goes out this often.
const PING_INTERVAL: Duration = Duration::from_secs(30);

/// A client that shows no sign of life, or takes nothing, for so long is closed.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a client that is being closed is waited for.
const FAREWELL_TIMEOUT: Duration = Duration::from_millis(500);

/// A connection that takes so long to take a message is always behind: the time between two frames of a usual camera.
const FRAME_TIME: Duration = Duration::from_millis(33);

/// The longest message a client may send, bytes.
const MAX_MESSAGE_BYTES: usize = 65_536;

/// Small buffers: clients say little, and the default read buffer of 128 KiB is zeroed on every poll of the stream,
/// which measured a quarter of the server's time with a thousand clients.
pub(crate) fn websocket_config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(4096)
        .write_buffer_size(0)
        .max_write_buffer_size(1 << 20)
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES))
}

/// What a session has in common with all others.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    pub(crate) feeds: Feeds,
    pub(crate) counters: Arc<Counters>,
    pub(crate) until_shutdown: UntilShutdown,
}

/// What the client asked for in the address.
#[derive(Clone, Debug)]
pub(crate) struct Wishes {
    pub(crate) space: Space,
    pub(crate) streams: Vec<String>,
}

/// Serves one connection until it ends.
pub(crate) async fn run(
    socket: WebSocketStream<TokioIo<Upgraded>>,
    client_id: String,
    wishes: Wishes,
    surroundings: Surroundings,
) {
    let Surroundings {
        feeds,
        counters,
        // Kept to the last word: the server waits for it.
        mut until_shutdown,
    } = surroundings;
    let mut session = Session {
        socket,
        client_id,
        space: wishes.space,
        connected_at: WallTime::now(),
        state: Lane::new(feeds.state.clone()),
        trajectory: Lane::new(feeds.trajectory.clone()),
        happenings: None,
        events: None,
        motion: None,
        alerts: None,
        feeds,
        counters,
        rate_limit: RateLimit::default(),
        sequence: 0,
        bytes_sent: 0,
        bytes_received: 0,
        lag_share: 0.0,
        last_sign_of_life: Instant::now(),
    };
    let end = match session.greet(&wishes.streams).await {
        Ok(()) => session.serve(&mut until_shutdown).await,
        Err(end) => end,
    };
    tracing::debug!(client = session.client_id, ?end, "connection ends");
    session.say_farewell(end).await;
}

/// Why a session ends.
#[derive(Debug)]
enum End {
    /// The client closed, or is not there any more.
    Gone,
    /// We close.
    Close(CloseCode, &'static str),
}

/// What woke a session up.
enum Event {
    Received(Option<Result<Message, Error>>),
    Due(Stream, Arc<Publication>, subscription::Filters),
    Happened(Result<Arc<Publication>, broadcast::error::RecvError>),
    Alert(Result<Encoded, broadcast::error::RecvError>),
    PingDue,
    Shutdown,
}

struct Session {
    socket: WebSocketStream<TokioIo<Upgraded>>,
    client_id: String,
    space: Space,
    connected_at: WallTime,
    state: Lane,
    trajectory: Lane,
    /// What happens on the table; `None` while neither events nor motion are subscribed to.
    happenings: Option<broadcast::Receiver<Arc<Publication>>>,
    /// How the client wants events and motion; `None` while not subscribed.
    events: Option<subscription::Filters>,
    motion: Option<subscription::Filters>,
    /// `None` while not subscribed.
    alerts: Option<broadcast::Receiver<Encoded>>,
    feeds: Feeds,
    counters: Arc<Counters>,
    rate_limit: RateLimit,
    /// Messages sent so far.
    sequence: u64,
    bytes_sent: u64,
    bytes_received: u64,
    /// How long the connection takes to take a message, in frames, at most one; mean over the last ten or so.
    lag_share: f64,
    last_sign_of_life: Instant,
}

impl Session {
    async fn greet(&mut self, streams: &[String]) -> Result<(), End> {
        let timestamp = WallTime::now();
        let greeting = Encoded::new(
            "connection",
            timestamp,
            &ConnectionData {
                client_id: &self.client_id,
                status: "connected",
                timestamp,
            },
            Compression::None,
        );
        self.send_encoded(greeting).await?;
        if !streams.is_empty() {
            self.subscribe(streams, &serde_json::Map::new(), false).await?;
        }
        Ok(())
    }

    async fn serve(&mut self, until_shutdown: &mut UntilShutdown) -> End {
        let mut pings = interval_at(Instant::now() + PING_INTERVAL, PING_INTERVAL);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let event = tokio::select! {
                received = self.socket.next() => Event::Received(received),
                (publication, filters) = self.state.next() => Event::Due(Stream::State, publication, filters),
                (publication, filters) = self.trajectory.next() => {
                    Event::Due(Stream::Trajectory, publication, filters)
                }
                happening = next_of(&mut self.happenings) => Event::Happened(happening),
                alert = next_of(&mut self.alerts) => Event::Alert(alert),
                _ = pings.tick() => Event::PingDue,
                () = until_shutdown.wait() => Event::Shutdown,
            };
            let outcome = match event {
                Event::Received(Some(Ok(message))) => self.receive(message).await,
                Event::Received(Some(Err(error))) => Err(end_of(&error)),
                Event::Received(None) => Err(End::Gone),
                Event::Due(stream, publication, filters) => {
                    self.send_due(stream, &publication, filters).await
                }
                Event::Happened(Ok(publication)) => {
                    let wanted = match publication.stream() {
                        Stream::Motion => self.motion,
                        _ => self.events,
                    };
                    match wanted {
                        Some(filters) => self.send_due(publication.stream(), &publication, filters).await,
                        None => Ok(()),
                    }
                }
                Event::Happened(Err(_)) => Err(End::Close(CloseCode::Again, "events were lost: too slow")),
                Event::Alert(Ok(alert)) => self.send_encoded(Ok(alert)).await,
                Event::Alert(Err(_)) => Err(End::Close(CloseCode::Again, "alerts were lost: too slow")),
                Event::PingDue => self.ping().await,
                Event::Shutdown => Err(End::Close(CloseCode::Away, "the server ends")),
            };
            if let Err(end) = outcome {
                return end;
            }
        }
    }

    async fn receive(&mut self, message: Message) -> Result<(), End> {
        let now = Instant::now();
        self.last_sign_of_life = now;
        self.bytes_received += message.len() as u64;
        let text = match &message {
            Message::Text(text) => text.as_str(),
            Message::Close(_) => return Err(End::Gone),
            // Answered by the library.
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => return Ok(()),
            // No JSON, and told so like any other text that is none.
            Message::Binary(_) => "",
        };
        match self.rate_limit.judge(now) {
            Verdict::Answer => match parse_command(text) {
                Ok(command) => self.obey(command).await,
                Err(error) => self.send("error", &error).await,
            },
            Verdict::Refuse => {
                let message = "expected at most 100 messages a minute; this one is not answered".to_owned();
                self.complain(ErrorCode::RateLimit, message, None).await
            }
            Verdict::Close => Err(End::Close(
                CloseCode::Policy,
                "far more than 100 messages a minute",
            )),
        }
    }

    async fn obey(&mut self, command: Command) -> Result<(), End> {
        match command {
            Command::Pong => Ok(()),
            Command::Ping => {
                let pong = PongData {
                    timestamp: WallTime::now(),
                    quality_score: self.quality_score(),
                };
                self.send("pong", &pong).await
            }
            Command::Heartbeat { client_time } => {
                let timestamp = WallTime::now();
                let response = HeartbeatData {
                    client_time,
                    server_time: timestamp,
                    timestamp,
                };
                self.send("heartbeat_response", &response).await
            }
            Command::GetStatus => {
                let timestamp = WallTime::now();
                let status = StatusData {
                    client_id: &self.client_id,
                    connected_at: self.connected_at,
                    uptime: timestamp.since(self.connected_at).as_secs_f64(),
                    subscriptions: self.subscriptions(),
                    message_count: self.sequence,
                    bytes_sent: self.bytes_sent,
                    bytes_received: self.bytes_received,
                    quality_score: self.quality_score(),
                    is_alive: true,
                };
                let encoded = Encoded::new("status", timestamp, &status, Compression::None);
                self.send_encoded(encoded).await
            }
            Command::Subscribe { streams, filters } => self.subscribe(&streams, &filters, true).await,
            Command::Unsubscribe { streams } => self.unsubscribe(&streams).await,
        }
    }

    async fn subscribe(
        &mut self,
        names: &[String],
        given: &serde_json::Map<String, serde_json::Value>,
        is_answered: bool,
    ) -> Result<(), End> {
        let (streams, complaint) = known_streams(names);
        let mut wrong = Vec::new();
        let mut open_alerts = Vec::new();
        for stream in &streams {
            let (filters, wrong_here) = filters_for(*stream, given);
            wrong.extend(wrong_here);
            match stream {
                Stream::State => self.state.subscribe(filters),
                Stream::Trajectory => self.trajectory.subscribe(filters),
                Stream::Events => self.events = Some(filters),
                Stream::Motion => self.motion = Some(filters),
                Stream::Alert if self.alerts.is_none() => {
                    // First listen, then look: an alert in between comes twice rather than never.
                    self.alerts = Some(self.feeds.alerts.subscribe());
                    open_alerts = self.feeds.open_alerts.borrow().values().cloned().collect();
                }
                _ => {}
            }
        }
        self.listen_for_happenings();
        if is_answered {
            let answer = SubscribedData {
                streams: streams.iter().map(|stream| stream.name()).collect(),
                all_subscriptions: self.subscriptions(),
            };
            self.send("subscribed", &answer).await?;
        }
        if let Some(message) = complaint {
            self.complain(ErrorCode::InvalidSubscribeFormat, message, None)
                .await?;
        }
        if !wrong.is_empty() {
            wrong.sort_unstable();
            wrong.dedup();
            let message = format!("filters that do not apply: {}", wrong.join("; "));
            self.complain(ErrorCode::InvalidSubscribeFormat, message, Some(wrong.into()))
                .await?;
        }
        for alert in open_alerts {
            self.send_encoded(Ok(alert)).await?;
        }
        Ok(())
    }

    async fn unsubscribe(&mut self, names: &[String]) -> Result<(), End> {
        let (streams, complaint) = known_streams(names);
        for stream in &streams {
            match stream {
                Stream::State => self.state.unsubscribe(),
                Stream::Trajectory => self.trajectory.unsubscribe(),
                Stream::Events => self.events = None,
                Stream::Motion => self.motion = None,
                Stream::Alert => self.alerts = None,
                _ => {}
            }
        }
        self.listen_for_happenings();
        let answer = SubscribedData {
            streams: streams.iter().map(|stream| stream.name()).collect(),
            all_subscriptions: self.subscriptions(),
        };
        self.send("unsubscribed", &answer).await?;
        match complaint {
            Some(message) => {
                self.complain(ErrorCode::InvalidUnsubscribeFormat, message, None)
                    .await
            }
            None => Ok(()),
        }
    }

    /// Listens for events and motions exactly while one of them is subscribed to.
    fn listen_for_happenings(&mut self) {
        if self.events.is_none() && self.motion.is_none() {
            self.happenings = None;
        } else if self.happenings.is_none() {
            self.happenings = Some(self.feeds.happenings.subscribe());
        }
    }

    fn subscriptions(&self) -> Vec<&'static str> {
        let subscribed = [
            (Stream::State, self.state.is_subscribed()),
            (Stream::Trajectory, self.trajectory.is_subscribed()),
            (Stream::Events, self.events.is_some()),
            (Stream::Motion, self.motion.is_some()),
            (Stream::Alert, self.alerts.is_some()),
        ];
        let subscribed = subscribed.iter().filter(|(_, is_subscribed)| *is_subscribed);
        subscribed.map(|(stream, _)| stream.name()).collect()
    }

    fn quality_score(&self) -> f64 {
        ((1.0 - self.lag_share) * 1e3).round() / 1e3
    }

    async fn ping(&mut self) -> Result<(), End> {
        if self.last_sign_of_life.elapsed() >= CONNECTION_TIMEOUT {
            return Err(End::Close(CloseCode::Again, "no sign of life for 60 s"));
        }
        self.send_raw(Message::Ping(Default::default())).await
    }

    async fn send_due(
        &mut self,
        stream: Stream,
        publication: &Publication,
        filters: subscription::Filters,
    ) -> Result<(), End> {
        let view = View {
            space: self.space,
            quality: match stream {
                Stream::State => filters.quality,
                _ => Default::default(),
            },
            compression: filters.compression,
        };
        self.send_encoded(publication.encoded(view)).await
    }

    async fn complain(
        &mut self,
        code: ErrorCode,
        message: String,
        details: Option<serde_json::Value>,
    ) -> Result<(), End> {
        let error = ErrorData {
            code,
            message,
            details,
        };
        self.send("error", &error).await
    }

    async fn send<T: Serialize>(&mut self, r#type: &'static str, data: &T) -> Result<(), End> {
        self.send_encoded(Encoded::new(r#type, WallTime::now(), data, Compression::None))
            .await
    }

    async fn send_encoded(&mut self, encoded: Result<Encoded, serde_json::Error>) -> Result<(), End> {
        match encoded {
            Ok(encoded) => {
                self.sequence += 1;
                self.send_raw(encoded.message(self.sequence)).await
            }
            Err(error) => {
                tracing::error!(%error, "message lost: it cannot be encoded");
                Ok(())
            }
        }
    }

    async fn send_raw(&mut self, message: Message) -> Result<(), End> {
        let bytes = message.len() as u64;
        let started = Instant::now();
        let sent = timeout(CONNECTION_TIMEOUT, self.socket.send(message)).await;
        let waited = started.elapsed().as_secs_f64() / FRAME_TIME.as_secs_f64();
        self.lag_share += 0.1 * (waited.min(1.0) - self.lag_share);
        match sent {
            Ok(Ok(())) => {
                self.bytes_sent += bytes;
                self.counters.messages_sent.fetch_add(1, Ordering::Relaxed);
                self.counters.bytes_sent.fetch_add(bytes, Ordering::Relaxed);
                Ok(())
            }
            Ok(Err(_)) => {
                self.counters.failed_sends.fetch_add(1, Ordering::Relaxed);
                Err(End::Gone)
            }
            Err(_) => {
                self.counters.failed_sends.fetch_add(1, Ordering::Relaxed);
                Err(End::Close(CloseCode::Again, "takes nothing for 60 s"))
            }
        }
    }

    /// Sends the close frame and waits for the client's, so that it learns why; not for long.
    async fn say_farewell(&mut self, end: End) {
        let frame = match end {
            End::Gone => None,
            End::Close(code, reason) => Some(CloseFrame {
                code,
                reason: reason.into(),
            }),
        };
        let farewell = async {
            if self.socket.close(frame).await.is_ok() {
                while let Some(Ok(_)) = self.socket.next().await {}
            }
        };
        // A client that does not answer in time is dropped.
        timeout(FAREWELL_TIMEOUT, farewell).await.ok();
    }
}

/// The next message of a queue; never returns while there is no subscription.
async fn next_of<T: Clone>(
    queue: &mut Option<broadcast::Receiver<T>>,
) -> Result<T, broadcast::error::RecvError> {
    match queue {
        Some(queue) => queue.recv().await,
        None => std::future::pending().await,
    }
}

/// What a broken connection deserves: a client that breaks the protocol is told how.
fn end_of(error: &Error) -> End {
    match error {
        Error::Capacity(_) => End::Close(CloseCode::Size, "expected messages of at most 65536 bytes"),
        Error::Utf8(_) => End::Close(CloseCode::Invalid, "expected UTF-8"),
        Error::Protocol(_) => End::Close(CloseCode::Protocol, "expected frames as in RFC 6455"),
        _ => End::Gone,
    }
}
