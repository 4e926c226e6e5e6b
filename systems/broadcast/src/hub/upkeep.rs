//! What the hub does now and then: tells how it all does, pings, closes who is gone, tidies up.

use std::sync::Arc;

use tokio::time::Instant;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::{Hub, encodable};
use crate::filters::QualityLevel;
use crate::publication::Publication;
use crate::publisher::Publisher;
use crate::session::End;
use crate::stream::Stream;
use crate::wire::MetricsMessage;

/// Who lags more than this gets states of low quality where it asked for `auto`, until it lags less than that.
const LAGS_ABOVE: f64 = 0.5;
const KEEPS_UP_BELOW: f64 = 0.1;

/// An empty ping frame.
const PING: [u8; 2] = [0x89, 0x00];

impl Hub {
    /// Every half second: how it all does, and who has gone silent.
    pub(super) fn report(&mut self, publisher: &mut Publisher) {
        let now = Instant::now();
        let performance = publisher.meter().look(now, self.clients.len());
        (self.fps, self.frames_dropped) = (performance.fps, performance.dropped_frames);
        let data = serde_json::to_value(performance);
        self.publish_data(Stream::Performance, data);
        self.reports += 1;
        if self.reports.is_multiple_of(2) {
            let metrics = self.metrics();
            let message = MetricsMessage {
                fps: self.fps,
                latency_ms: metrics.broadcaster.average_latency,
                dropped_frames: self.frames_dropped,
                metrics,
            };
            self.publish_data(Stream::Metrics, serde_json::to_value(message));
            self.check_clients(now);
            self.tally.turn_over(now);
        }
        if self.clean_up_at <= now {
            self.clean_up_at = now + self.config.broadcaster.cleanup.interval;
            self.clean_up(now);
        }
    }

    pub(super) fn publish_data(
        &mut self,
        stream: Stream,
        data: Result<serde_json::Value, serde_json::Error>,
    ) {
        if let Some(data) = encodable(data) {
            let sequence = self.next_number(stream);
            self.publish(&Arc::new(Publication::of_data(stream, sequence, data)));
        }
    }

    /// Pings, closes who is gone, and sees who lags. Once a second.
    pub(super) fn check_clients(&mut self, now: Instant) {
        let handler = self.config.handler;
        let (mut due, mut silent, mut stuck, mut changed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (index, client) in &mut self.clients {
            let sent = client.sequence - client.about.counted;
            client.about.counted = client.sequence;
            // Over about five seconds.
            client.about.rate += 0.2 * (sent as f64 - client.about.rate);
            if client.about.vitals.silent_for(now) >= handler.connection_timeout {
                silent.push(index);
            } else if client.stuck_for(now) >= handler.connection_timeout {
                stuck.push(index);
            } else if client.about.ping_at <= now {
                client.about.ping_at = now + handler.ping_interval;
                due.push(index);
            }
            let lags = match client.about.gets_less {
                true => client.lag() > KEEPS_UP_BELOW,
                false => client.lag() > LAGS_ABOVE,
            };
            if lags != client.about.gets_less {
                client.about.gets_less = lags;
                changed.push(index);
            }
        }
        for index in due {
            if let Some(client) = self.clients.get_mut(index)
                && client.wait_control(PING.to_vec(), false)
            {
                self.tally.pings_sent += 1;
            }
            self.flush_now(index, now);
        }
        for index in silent {
            self.tally.timed_out += 1;
            self.close(index, End::Close(CloseCode::Again, "no sign of life"), now);
        }
        for index in stuck {
            self.tally.timed_out += 1;
            self.close(index, End::Close(CloseCode::Again, "takes nothing"), now);
        }
        for index in changed {
            self.change_quality(index, now);
        }
    }

    /// Moves a client whose quality follows its lag to the lane for it.
    pub(super) fn change_quality(&mut self, index: usize, now: Instant) {
        let filters = self.clients.get(index).and_then(|client| {
            let mut subscriptions = client.about.subscriptions.iter();
            let state = subscriptions.find(|subscription| subscription.stream == Stream::State)?;
            Some(state.filters.clone()).filter(|filters| filters.quality_level == QualityLevel::Auto)
        });
        if let Some(filters) = filters {
            self.unsubscribe_from(index, Stream::State, now);
            self.join(index, Stream::State, filters, false, now);
        }
    }

    /// Lets go of what nobody uses any more.
    pub(super) fn clean_up(&mut self, now: Instant) {
        let age = self.config.broadcaster.fps.limiter_cleanup_age;
        let before = self.lanes.len();
        self.lanes.retain(|_, lane| lane.unused_for(now) < age);
        self.tally.cleaned_up += (before - self.lanes.len()) as u64;
        for (_, client) in &mut self.clients {
            let about = &mut client.about;
            let forgotten = [
                about.messages.forget(age, now),
                about.simulations.forget(age, now),
            ];
            self.tally.cleaned_up += forgotten.into_iter().filter(|forgotten| *forgotten).count() as u64;
        }
        self.pictures.clean_up(now);
    }
}
