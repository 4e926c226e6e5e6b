//! The same messages by UDP, to one address: a datagram each, as a client that never asks for anything would get them.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use super::encodable;
use crate::config::{CompressionConfig, ServerConfig};
use crate::counters::Counters;
use crate::filters::Filters;
use crate::publication::{Publication, View};
use crate::space::Space;
use crate::stream::Stream;
use crate::wire::{Frame, UdpMetrics};

/// Told by UDP: whatever is no answer and no picture.
const STREAMS: [Stream; 6] = [
    Stream::State,
    Stream::Trajectory,
    Stream::Events,
    Stream::Motion,
    Stream::Alert,
    Stream::Config,
];

/// More does not go into a datagram (65535 less the heads of IPv4 and UDP, bytes).
const MAX_DATAGRAM_BYTES: usize = 65_507;

/// Losses are logged this often at most, with their sum.
const LOG_INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct UdpSink {
    socket: UdpSocket,
    target: SocketAddr,
    space: Space,
    counters: Arc<Counters>,
    frame: Frame,
    sequence: u64,
    log_at: Instant,
}

impl UdpSink {
    /// `None` where none is wanted, or none can be had, which is logged.
    pub(super) fn open(config: &ServerConfig, counters: Arc<Counters>) -> Option<Self> {
        let target = config.udp?;
        let any = match target {
            SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        };
        let socket = UdpSocket::bind(any).and_then(|socket| {
            socket.set_broadcast(true)?;
            socket.set_nonblocking(true)?;
            Ok(socket)
        });
        let socket = socket.inspect_err(|error| tracing::error!(%error, %target, "nothing is sent by UDP"));
        Some(Self {
            socket: socket.ok()?,
            target,
            space: config.default_space,
            counters,
            frame: Frame::default(),
            sequence: 0,
            log_at: Instant::now(),
        })
    }

    /// Sends a message, if it is one of those that go by UDP. One that does not go is lost and counted: there is nobody
    /// who could be asked whether it came.
    pub(super) fn send(&mut self, publication: &Publication, now: Instant) {
        if !STREAMS.contains(&publication.stream) {
            return;
        }
        // What all get who ask for nothing else; the rate is that of the publisher.
        let view = View::new(publication.stream, self.space, &Filters::at(1.0), false);
        let encoded = publication.encode(&view, &CompressionConfig::default(), &mut self.frame);
        if encodable(encoded).is_none() {
            return;
        }
        let text = self.frame.text(self.sequence + 1);
        let counters = &self.counters;
        let lost = match text.len() {
            0..=MAX_DATAGRAM_BYTES => match self.socket.send_to(text, self.target) {
                Ok(_) => {
                    self.sequence += 1;
                    counters.udp_sent.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                Err(error) => {
                    counters.udp_failed.fetch_add(1, Ordering::Relaxed);
                    error.to_string()
                }
            },
            bytes => {
                counters.udp_too_long.fetch_add(1, Ordering::Relaxed);
                format!("expected at most {MAX_DATAGRAM_BYTES} bytes, found {bytes}")
            }
        };
        if self.log_at <= now {
            self.log_at = now + LOG_INTERVAL;
            let UdpMetrics { too_long, failed, .. } = metrics(counters);
            let stream = publication.stream.name();
            tracing::warn!(stream, too_long, failed, "a message did not go by UDP: {lost}");
        }
    }
}

/// What went, and what did not.
pub(super) fn metrics(counters: &Counters) -> UdpMetrics {
    UdpMetrics {
        sent: counters.udp_sent.load(Ordering::Relaxed),
        too_long: counters.udp_too_long.load(Ordering::Relaxed),
        failed: counters.udp_failed.load(Ordering::Relaxed),
    }
}
