//! `metrics`, `/websocket/metrics` and `/websocket/connections`: how delivery does.

use schemars::JsonSchema;
use serde::Serialize;

use crate::WallTime;
use crate::filters::Filters;

/// The answer of `/websocket/metrics`; since the start of the server where nothing else is said.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct MetricsData {
    pub(crate) broadcaster: BroadcasterMetrics,
    pub(crate) connections: ConnectionMetrics,
    pub(crate) frame_metrics: FrameMetrics,
    pub(crate) udp: UdpMetrics,
    pub(crate) timestamp: WallTime,
}

/// The data of a `metrics` message.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct MetricsMessage {
    #[serde(flatten)]
    pub(crate) metrics: MetricsData,
    /// Frames a second that go through the pipeline.
    pub(crate) fps: f64,
    /// As `average_latency`.
    pub(crate) latency_ms: f64,
    /// Frames that were lost before the pipeline.
    pub(crate) dropped_frames: u64,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct BroadcasterMetrics {
    /// From the handover of a snapshot to a client's socket, milliseconds; mean over about the last thousand messages.
    pub(crate) average_latency: f64,
    /// The longest of the last minute, milliseconds. A message that waited for its own client is not counted.
    pub(crate) peak_latency: f64,
    pub(crate) messages_sent: u64,
    /// Payloads, as they went out.
    pub(crate) bytes_sent: u64,
    /// Messages that count and were not taken in time; each ends its connection.
    pub(crate) failed_sends: u64,
    /// Connections that broke under a message.
    pub(crate) broken_sends: u64,
    /// Messages of which only the newest counts that were replaced before their client took them, or came too soon for
    /// its rate.
    pub(crate) skipped: u64,
    /// Messages that were too old for the client's `max_latency_ms`.
    pub(crate) too_old: u64,
    /// Attempts to send a message that counts again.
    pub(crate) retries: u64,
    /// What is left of texts that zlib clients got compressed, of their bytes; 1 before the first.
    pub(crate) compression_ratio: f64,
    pub(crate) compressed_messages: u64,
    /// Messages encoded, each for all clients with the same view.
    pub(crate) encoded_messages: u64,
    /// Distinct views that are kept.
    pub(crate) views: usize,
    /// Views and limiters that nobody used any more and that were let go.
    pub(crate) cleaned_up: u64,
    pub(crate) circuit_breaker: BreakerMetrics,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct BreakerMetrics {
    /// `closed`, `open`, or `trial`.
    pub(crate) state: &'static str,
    pub(crate) failures_in_a_row: u32,
    pub(crate) opened: u64,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ConnectionMetrics {
    pub(crate) active: usize,
    pub(crate) opened: u64,
    pub(crate) closed: u64,
    /// Turned away because there were too many, or too many of one address.
    pub(crate) refused: u64,
    pub(crate) messages_received: u64,
    pub(crate) bytes_received: u64,
    /// Answered with RATE_LIMIT.
    pub(crate) rate_limited: u64,
    pub(crate) pings_sent: u64,
    /// Closed without a sign of life.
    pub(crate) timed_out: u64,
    /// Clients that are behind now.
    pub(crate) lagging: usize,
    pub(crate) subscriptions: Subscriptions,
}

/// Subscribers of each stream.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub(crate) struct Subscriptions {
    pub(crate) state: usize,
    pub(crate) trajectory: usize,
    pub(crate) events: usize,
    pub(crate) motion: usize,
    pub(crate) alert: usize,
    pub(crate) config: usize,
    pub(crate) performance: usize,
    pub(crate) metrics: usize,
    pub(crate) frame: usize,
}

/// The `frame` stream.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub(crate) struct FrameMetrics {
    pub(crate) enabled: bool,
    pub(crate) queued: usize,
    pub(crate) queue_size: usize,
    /// Pictures that the queue had no place for.
    pub(crate) dropped: u64,
    pub(crate) published: u64,
    pub(crate) buffered: usize,
    pub(crate) buffer_size: usize,
}

/// The messages that go by UDP as well.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct UdpMetrics {
    pub(crate) sent: u64,
    /// Messages that are longer than a datagram can be: predicted paths of a whole break may be.
    pub(crate) too_long: u64,
    /// Datagrams that the system did not take.
    pub(crate) failed: u64,
}

/// The answer of `/websocket/connections`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ConnectionsData {
    pub(crate) connections: Vec<ConnectionData>,
    pub(crate) count: usize,
    pub(crate) timestamp: WallTime,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ConnectionData {
    pub(crate) client_id: String,
    pub(crate) address: String,
    pub(crate) connected_at: WallTime,
    pub(crate) coords: &'static str,
    pub(crate) streams: Vec<StreamData>,
    pub(crate) messages_sent: u64,
    pub(crate) bytes_sent: u64,
    pub(crate) messages_received: u64,
    pub(crate) bytes_received: u64,
    /// Messages a second that went to it, over the last seconds.
    pub(crate) rate: f64,
    /// 0: takes everything at once; 1: is always behind.
    pub(crate) lag: f64,
    /// Messages that wait, and bytes of the one under way.
    pub(crate) queued: usize,
    pub(crate) unsent_bytes: usize,
    pub(crate) skipped: u64,
    pub(crate) quality_score: f64,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct StreamData {
    pub(crate) name: &'static str,
    pub(crate) filters: Filters,
}
