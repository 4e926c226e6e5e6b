//! What the server counts.

use std::sync::atomic::{AtomicU64, AtomicUsize};

/// Counts since the start of the server.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// WebSocket messages that were sent.
    pub(crate) messages_sent: AtomicU64,
    /// Their bytes, before framing.
    pub(crate) bytes_sent: AtomicU64,
    /// WebSocket messages that count and could not be sent; each ends its connection.
    pub(crate) failed_sends: AtomicU64,
    /// WebSocket messages that clients sent.
    pub(crate) messages_received: AtomicU64,
    /// Their bytes, before framing.
    pub(crate) bytes_received: AtomicU64,
    /// WebSocket connections that were turned away because there were too many.
    pub(crate) refused: AtomicU64,
    /// Datagrams that were sent.
    pub(crate) udp_sent: AtomicU64,
    /// Messages that no datagram can hold.
    pub(crate) udp_too_long: AtomicU64,
    /// Datagrams that the system did not take.
    pub(crate) udp_failed: AtomicU64,
    /// Connections that could not be accepted, for want of files or memory.
    pub(crate) failed_accepts: AtomicU64,
    /// Pictures that were encoded for the video.
    pub(crate) pictures_encoded: AtomicU64,
    /// Open WebSocket connections.
    pub(crate) sessions: AtomicUsize,
    /// Names the next client.
    pub(crate) clients_so_far: AtomicU64,
}
