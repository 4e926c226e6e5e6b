//! What the hub tells of itself.

use std::sync::atomic::Ordering;

use super::{Hub, udp};
use crate::WallTime;
use crate::stream::Stream;
use crate::wire::{
    BroadcasterMetrics, ConnectionData, ConnectionMetrics, ConnectionsData, MetricsData, StreamData,
    Subscriptions,
};

/// Who lags more than this is counted as lagging.
const LAGS: f64 = 0.5;

impl Hub {
    pub(super) fn metrics(&self) -> MetricsData {
        let tally = &self.tally;
        let (average_latency, peak_latency) = tally.latencies_ms();
        let count = |stream| self.subscribers(stream);
        let counters = &self.counters;
        MetricsData {
            broadcaster: BroadcasterMetrics {
                average_latency: round(average_latency),
                peak_latency: round(peak_latency),
                messages_sent: tally.messages_sent,
                bytes_sent: tally.bytes_sent,
                failed_sends: tally.failed_sends,
                broken_sends: tally.broken_sends,
                skipped: tally.skipped,
                too_old: tally.too_old,
                retries: tally.retries,
                compression_ratio: round(tally.compression_ratio()),
                compressed_messages: tally.compressed,
                encoded_messages: tally.encoded,
                views: self.lanes.len(),
                cleaned_up: tally.cleaned_up,
                circuit_breaker: self.breaker.metrics(),
            },
            connections: ConnectionMetrics {
                active: self.clients.len(),
                opened: tally.opened,
                closed: tally.closed,
                refused: counters.refused.load(Ordering::Relaxed),
                messages_received: counters.messages_received.load(Ordering::Relaxed),
                bytes_received: counters.bytes_received.load(Ordering::Relaxed),
                rate_limited: tally.rate_limited,
                pings_sent: tally.pings_sent,
                timed_out: tally.timed_out,
                lagging: self
                    .clients
                    .iter()
                    .filter(|(_, client)| client.lag() > LAGS)
                    .count(),
                subscriptions: Subscriptions {
                    state: count(Stream::State),
                    trajectory: count(Stream::Trajectory),
                    events: count(Stream::Events),
                    motion: count(Stream::Motion),
                    alert: count(Stream::Alert),
                    config: count(Stream::Config),
                    performance: count(Stream::Performance),
                    metrics: count(Stream::Metrics),
                    frame: count(Stream::Frame),
                },
            },
            frame_metrics: self.pictures.metrics(),
            udp: udp::metrics(counters),
            timestamp: WallTime::now(),
        }
    }

    pub(super) fn connections(&self) -> ConnectionsData {
        let connections: Vec<_> = self
            .clients
            .iter()
            .map(|(_, client)| {
                let about = &client.about;
                let (queued, unsent_bytes) = client.backlog();
                let streams = about.subscriptions.iter().map(|subscription| StreamData {
                    name: subscription.stream.name(),
                    filters: subscription.filters.clone(),
                });
                ConnectionData {
                    client_id: about.client_id.clone(),
                    address: about.address.clone(),
                    connected_at: about.connected_at,
                    coords: about.space.name(),
                    streams: streams.collect(),
                    messages_sent: client.sequence,
                    bytes_sent: client.bytes_sent,
                    messages_received: about.vitals.messages_received.load(Ordering::Relaxed),
                    bytes_received: about.vitals.bytes_received.load(Ordering::Relaxed),
                    rate: round(about.rate),
                    lag: round(client.lag()),
                    queued,
                    unsent_bytes,
                    skipped: client.skipped,
                    quality_score: client.quality_score(),
                }
            })
            .collect();
        ConnectionsData {
            count: connections.len(),
            connections,
            timestamp: WallTime::now(),
        }
    }
}

/// Three digits are more than any of these is good for.
fn round(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}
