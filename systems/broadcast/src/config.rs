//! What the server is told at its start. Each field has the name, unit, range and default of its configuration key.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ghostball_world::{Prediction, Snapshot, Stroke};

use crate::LogTail;
use crate::access::Access;
use crate::space::Space;

/// What the server is told at its start.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerConfig {
    /// Where to listen; port 0 takes any that is free. Without a token on loopback only. Default 127.0.0.1:8000.
    pub listen: SocketAddr,
    /// Who may use it. Default everybody who reaches it.
    pub access: Access,
    /// Where the messages go by UDP as well: `api.udp`. Default nowhere.
    pub udp: Option<SocketAddr>,
    /// The coordinates of clients that do not ask for any. Default metres.
    pub default_space: Space,
    /// What `/logs` shows. Default nothing.
    pub log: LogTail,
    /// Where the alignment of the projector is kept. Default nowhere: until the program ends.
    pub state_folder: Option<PathBuf>,
    /// `api.websocket.broadcaster`.
    pub broadcaster: BroadcasterConfig,
    /// `api.websocket.handler`.
    pub handler: HandlerConfig,
    /// `integration`.
    pub integration: IntegrationConfig,
    /// What answers `simulate`; without it clients are told that nothing does.
    pub simulator: Option<Simulator>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8000)),
            access: Access::default(),
            udp: None,
            default_space: Space::Metres,
            log: LogTail::default(),
            state_folder: None,
            broadcaster: BroadcasterConfig::default(),
            handler: HandlerConfig::default(),
            integration: IntegrationConfig::default(),
            simulator: None,
        }
    }
}

/// How messages are made: `api.websocket.broadcaster`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BroadcasterConfig {
    /// `compression`.
    pub compression: CompressionConfig,
    /// `frame_queue`.
    pub frame_queue: FrameQueueConfig,
    /// `frame_buffer`.
    pub frame_buffer: FrameBufferConfig,
    /// `fps`.
    pub fps: FpsConfig,
    /// `cleanup.interval_seconds`, above 0. What nobody uses any more is let go this often. Default 30 s.
    pub cleanup: CleanupConfig,
}

/// When messages to zlib clients are compressed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CompressionConfig {
    /// Shorter texts go as they are, bytes. Default 1024.
    pub threshold_bytes: usize,
    /// 0 (stored) to 9 (smallest). Default 6, zlib's own: beyond it the size hardly falls, and the time does rise.
    pub level: u32,
    /// Kept only below this share of the original size, 0 to 1. Default 0.9.
    pub ratio_threshold: f64,
}

impl Default for CompressionConfig {
    fn default() -> Self {
        Self {
            threshold_bytes: 1024,
            level: 6,
            ratio_threshold: 0.9,
        }
    }
}

/// Pictures on their way into the `frame` stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameQueueConfig {
    /// Whether the stream is served at all. Default no: pictures as text are a third longer and have crashed browsers;
    /// video is the MJPEG endpoint.
    pub enabled: bool,
    /// Pictures that wait to be encoded, 1 or more; when full the oldest goes and is counted. Default 10.
    pub max_size: usize,
}

impl Default for FrameQueueConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            max_size: 10,
        }
    }
}

/// Messages of the `frame` stream that are kept for those who come later.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrameBufferConfig {
    /// So many, 1 or more. Default 100.
    pub max_size: usize,
    /// No longer than this. Default 5 s.
    pub max_age: Duration,
}

impl Default for FrameBufferConfig {
    fn default() -> Self {
        Self {
            max_size: 100,
            max_age: Duration::from_secs(5),
        }
    }
}

/// Rates of clients.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FpsConfig {
    /// Messages a second of one stream for clients that name no rate, above 0 to 240. Default 30.
    pub default_target_fps: f64,
    /// What is remembered for keeping a rate is forgotten after it was not used for so long. Default 300 s.
    pub limiter_cleanup_age: Duration,
}

impl Default for FpsConfig {
    fn default() -> Self {
        Self {
            default_target_fps: 30.0,
            limiter_cleanup_age: Duration::from_secs(300),
        }
    }
}

/// Tidying up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CleanupConfig {
    /// Time between two rounds, above 0. Default 30 s.
    pub interval: Duration,
}

impl Default for CleanupConfig {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(30),
        }
    }
}

/// How connections are kept: `api.websocket.handler`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandlerConfig {
    /// A WebSocket ping goes out this often. Default 30 s.
    pub ping_interval: Duration,
    /// A client that shows no sign of life, or takes nothing, for so long is closed with 1013. Default 60 s.
    pub connection_timeout: Duration,
    /// Messages of a client in any minute that are answered; ten times as many close the connection. Default 100.
    pub max_message_rate: usize,
    /// WebSocket connections at a time, 1 or more. Default 10000.
    pub max_connections: usize,
    /// The same of one address; 0 means: no limit. Default 0.
    pub max_connections_per_ip: usize,
    /// The longest message a client may send, bytes, 125 or more. Default 65536.
    pub max_message_bytes: usize,
}

impl Default for HandlerConfig {
    fn default() -> Self {
        Self {
            ping_interval: Duration::from_secs(30),
            connection_timeout: Duration::from_secs(60),
            max_message_rate: 100,
            max_connections: 10_000,
            max_connections_per_ip: 0,
            max_message_bytes: 65_536,
        }
    }
}

/// What goes out, and what happens when it does not: `integration`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IntegrationConfig {
    /// States a second at most, 1 to 240. Default 30: what clients ask for when they ask for nothing.
    pub target_fps: f64,
    /// `broadcast_max_retries`, 0 to 10. Default 3.
    pub max_retries: u32,
    /// `broadcast_retry_base_delay_sec`: before the first retry; doubled for each one after it. Default 0.1 s.
    pub retry_base_delay: Duration,
    /// Deliveries that fail in a row before all pause, 1 or more. Default 10.
    pub circuit_breaker_threshold: u32,
    /// How long they pause. Default 30 s.
    pub circuit_breaker_timeout: Duration,
}

impl Default for IntegrationConfig {
    fn default() -> Self {
        Self {
            target_fps: 30.0,
            max_retries: 3,
            retry_base_delay: Duration::from_millis(100),
            circuit_breaker_threshold: 10,
            circuit_breaker_timeout: Duration::from_secs(30),
        }
    }
}

type Answer = dyn Fn(&Snapshot, &Stroke) -> Result<Prediction, String> + Send + Sync;

/// Answers where the balls of a snapshot would go after a stroke; in an error it says what was expected and found. Runs on a
/// thread apart.
#[derive(Clone)]
pub struct Simulator(Arc<Answer>);

impl Simulator {
    /// Answers with `answer`.
    pub fn new(
        answer: impl Fn(&Snapshot, &Stroke) -> Result<Prediction, String> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(answer))
    }

    pub(crate) fn answer(&self, snapshot: &Snapshot, stroke: &Stroke) -> Result<Prediction, String> {
        (self.0)(snapshot, stroke)
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Simulator")
    }
}

impl PartialEq for Simulator {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
