//! The hub: one loop owns the clients, and writes to each of them straight from what happens.
//!
//! ```text
//! publication ──► lane (stream and view): encoded and framed once ──► client: its number put in, one `send`
//! ```
//!
//! - Of state, trajectory, performance, metrics and frame only the newest counts: a client without room for it keeps the
//!   unsent rest of the frame under way, and a mark that the lane's newest message is still to come. So it holds one frame
//!   at most, however long it lags.
//! - Events, motion, alert and config count each: they wait in a bounded queue, are retried for 0.7 s, and then the
//!   client has lost one and is closed.
//! - Clients with something to come are looked at every few milliseconds. That costs no system call while their sockets
//!   are full: tokio remembers, and epoll says when there is room.
//!
//! No permessage-deflate: every client that negotiated it sends its own messages compressed, which tungstenite refuses
//! (0.30, issue 2 of its repository, open since 2017), so that reading would need frames, fragments and inflating of our
//! own. A client that wants fewer bytes asks for `compression: "zlib"`: the same deflate, once per view, shared by all.

mod answers;
mod breaker;
mod client;
mod lane;
mod rate;
mod report;
mod said;
mod subscriptions;
mod tally;
mod udp;
mod upkeep;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ghostball_world::{Alert, AlertCode, AlertLevel};
use slab::Slab;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use self::breaker::Breaker;
use self::client::{Client, Sent};
use self::lane::{Lane, Retries};
pub(crate) use self::said::{HubHandle, Newcomer, Said};
use self::tally::Tally;
use self::udp::UdpSink;
use crate::config::ServerConfig;
use crate::counters::Counters;
use crate::pictures::Pictures;
use crate::publication::Publication;
use crate::publisher::{News, Publisher, of_alert, of_config, of_whole_config};
use crate::session::End;
use crate::stream::Stream;
use crate::wire::Frame;

/// How often clients are looked at that something waits for. A quarter of the shortest time between two messages that
/// anybody may ask for.
const BEAT: Duration = Duration::from_millis(5);

/// How often `performance` comes; `metrics` come every other time.
const PERFORMANCE_INTERVAL: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(crate) struct Hub {
    config: ServerConfig,
    counters: Arc<Counters>,
    handle: HubHandle,
    inbox: mpsc::Receiver<Said>,
    clients: Slab<Client>,
    lanes: Slab<Lane>,
    /// What new subscribers get: the newest of each stream, and the conditions that last.
    current: BTreeMap<Stream, Arc<Publication>>,
    open_alerts: BTreeMap<AlertCode, Arc<Publication>>,
    breaker: Breaker,
    tally: Tally,
    pictures: Pictures,
    udp: Option<UdpSink>,
    sequences: BTreeMap<Stream, u64>,
    simulations: usize,
    /// Clients that something waits for.
    blocked: Vec<usize>,
    next_beat: Instant,
    clean_up_at: Instant,
    scratch: Frame,
    started_at: Instant,
    reports: u64,
    fps: f64,
    frames_dropped: u64,
}

impl Hub {
    pub(crate) fn new(
        config: ServerConfig,
        counters: Arc<Counters>,
        pictures: Pictures,
    ) -> (Self, HubHandle) {
        let (handle, inbox) = HubHandle::new();
        let now = Instant::now();
        let integration = config.integration;
        let hub = Self {
            udp: UdpSink::open(&config, counters.clone()),
            counters,
            handle: handle.clone(),
            inbox,
            clients: Slab::new(),
            lanes: Slab::new(),
            current: BTreeMap::new(),
            open_alerts: BTreeMap::new(),
            breaker: Breaker::new(
                integration.circuit_breaker_threshold,
                integration.circuit_breaker_timeout,
            ),
            tally: Tally::new(now),
            pictures,
            sequences: BTreeMap::new(),
            simulations: 0,
            blocked: Vec::new(),
            next_beat: now,
            clean_up_at: now + config.broadcaster.cleanup.interval,
            scratch: Frame::default(),
            started_at: now,
            reports: 0,
            fps: 0.0,
            frames_dropped: 0,
            config,
        };
        (hub, handle)
    }

    /// Serves all clients until it is dropped.
    pub(crate) async fn run(mut self, mut publisher: Publisher) {
        let mut reports = interval(PERFORMANCE_INTERVAL);
        reports.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let wakes = self.wakes();
            tokio::select! {
                biased;
                news = publisher.next() => self.tell(news, &mut publisher),
                () = sleep_until(wakes.unwrap_or(self.started_at)), if wakes.is_some() => self.beat(),
                _ = reports.tick() => self.report(&mut publisher),
                publication = self.pictures.next() => self.publish(&publication),
                Some(said) = self.inbox.recv() => self.hear(said),
            }
            self.look_after();
        }
    }

    /// When somebody has to be looked at again.
    fn wakes(&self) -> Option<Instant> {
        let lanes = self
            .lanes
            .iter()
            .filter_map(|(_, lane)| lane.wakes(self.next_beat));
        let blocked = (!self.blocked.is_empty()).then_some(self.next_beat);
        // No more often than that, whatever is due.
        lanes.chain(blocked).min().map(|at| at.max(self.next_beat))
    }

    fn tell(&mut self, news: News, publisher: &mut Publisher) {
        match news {
            News::Publication(publication) => {
                self.publish(&publication);
                if publication.stream == Stream::State {
                    publisher.meter().published(publication.since.elapsed());
                }
            }
            News::Alert(alert) => self.tell_alert(&alert),
            News::Config(change, view) => {
                let sequence = self.next_number(Stream::Config);
                let whole = Arc::new(of_whole_config(&view, sequence));
                let before = self.current.insert(Stream::Config, whole.clone());
                let told = match (change, before) {
                    (Some(change), Some(_)) => encodable(of_config(&change, sequence)).map(Arc::new),
                    // Who has come before it does not know what has changed.
                    _ => Some(whole),
                };
                if let Some(told) = told {
                    self.publish(&told);
                }
            }
        }
    }

    fn tell_alert(&mut self, alert: &Alert) {
        let sequence = self.next_number(Stream::Alert);
        let Some(publication) = encodable(of_alert(alert, sequence)).map(Arc::new) else {
            return;
        };
        match alert.begins {
            true => drop(self.open_alerts.insert(alert.code, publication.clone())),
            false => drop(self.open_alerts.remove(&alert.code)),
        }
        self.publish(&publication);
    }

    fn next_number(&mut self, stream: Stream) -> u64 {
        let number = self.sequences.entry(stream).or_default();
        *number += 1;
        *number
    }

    /// Gives a publication to everybody who subscribed to its stream.
    fn publish(&mut self, publication: &Arc<Publication>) {
        let now = Instant::now();
        let stream = publication.stream;
        if !stream.is_reliable() {
            self.current.insert(stream, publication.clone());
        }
        if let Some(udp) = &mut self.udp {
            udp.send(publication, now);
        }
        let is_open = !self.breaker.lets_pass(now);
        if is_open && !stream.is_reliable() {
            self.tally.skipped += self.subscribers(stream) as u64;
            return;
        }
        let before = (self.tally.messages_sent, self.tally.refused);
        let retry = Retries {
            is_open,
            first_at: self.breaker.earliest(now) + self.config.integration.retry_base_delay,
        };
        let compression = &self.config.broadcaster.compression;
        for (_, lane) in self.lanes.iter_mut().filter(|(_, lane)| lane.stream == stream) {
            if lane.take(publication, now, compression, &mut self.tally) {
                match stream.is_reliable() {
                    true => lane.deliver_all(&mut self.clients, retry, &mut self.tally),
                    false => lane.deliver(&mut self.clients, &mut self.tally),
                }
            }
        }
        // Where it was nobody's turn, or nobody is there, nothing was tried.
        if !is_open && before != (self.tally.messages_sent, self.tally.refused) {
            self.judge_delivery(self.tally.messages_sent > before.0, now);
        }
    }

    /// Tells the breaker how a delivery went.
    fn judge_delivery(&mut self, succeeded: bool, now: Instant) {
        if !succeeded {
            self.breaker.trial_failed(now);
        } else if self.breaker.succeeded() {
            self.tell_alert(&Alert {
                level: AlertLevel::Info,
                code: AlertCode::BroadcastFailing,
                begins: false,
                text: "messages reach clients again".to_owned(),
            });
        }
    }

    fn subscribers(&self, stream: Stream) -> usize {
        let lanes = self.lanes.iter().filter(|(_, lane)| lane.stream == stream);
        lanes.map(|(_, lane)| lane.members()).sum()
    }

    /// Looks at clients that something waits for, and ends windows.
    fn beat(&mut self) {
        let now = Instant::now();
        self.next_beat = now + BEAT;
        if self.breaker.earliest(now) > now {
            // Who is answered gets what waits for it with the answer; nothing else is tried.
            return;
        }
        let mut blocked = std::mem::take(&mut self.blocked);
        blocked.retain(|index| self.flush(*index, now));
        self.blocked.append(&mut blocked);
        let compression = &self.config.broadcaster.compression;
        let retry = Retries {
            is_open: false,
            first_at: now + self.config.integration.retry_base_delay,
        };
        for (_, lane) in &mut self.lanes {
            lane.deliver_to_waiting(&mut self.clients, &mut self.tally);
            if lane.close_window(now, compression, &mut self.tally) {
                match lane.stream.is_reliable() {
                    true => lane.deliver_all(&mut self.clients, retry, &mut self.tally),
                    false => lane.deliver(&mut self.clients, &mut self.tally),
                }
            }
        }
    }

    /// Sends what waits for a client; whether something still does.
    fn flush(&mut self, index: usize, now: Instant) -> bool {
        let Some(client) = self.clients.get_mut(index) else {
            return false;
        };
        match client.flush(now, &mut self.scratch, &mut self.tally) {
            Sent::Yes => {
                client.is_watched = false;
                false
            }
            Sent::Full => {
                match client.retried(now, &self.config.integration) {
                    Some(retries) => self.tally.retries += retries,
                    None => self.tally.lost.push(index),
                }
                true
            }
            Sent::Broken => {
                client.is_watched = false;
                self.tally.broken.push(index);
                false
            }
        }
    }

    /// Looks after the clients that something has happened to.
    fn look_after(&mut self) {
        let now = Instant::now();
        let has_blocked = !self.tally.blocked.is_empty();
        for index in std::mem::take(&mut self.tally.blocked) {
            if let Some(client) = self.clients.get_mut(index)
                && !std::mem::replace(&mut client.is_watched, true)
            {
                self.blocked.push(index);
            }
        }
        if has_blocked {
            self.next_beat = self.next_beat.max(now);
        }
        for index in std::mem::take(&mut self.tally.broken) {
            self.tally.broken_sends += u64::from(self.close(index, End::Gone, now));
        }
        for index in std::mem::take(&mut self.tally.lost) {
            let end = End::Close(CloseCode::Again, "a message was lost: too slow");
            if !self.close(index, end, now) {
                // What else it had waiting is lost with it, and counts as one.
                continue;
            }
            self.tally.failed_sends += 1;
            if self.breaker.failed(now) {
                tracing::error!("no client takes any message: delivery pauses");
                self.tell_alert(&Alert {
                    level: AlertLevel::Error,
                    code: AlertCode::BroadcastFailing,
                    begins: true,
                    text: "no client takes any message; delivery pauses, then tries again".to_owned(),
                });
            }
        }
        let counters = &self.counters;
        counters
            .messages_sent
            .store(self.tally.messages_sent, Ordering::Relaxed);
        counters
            .bytes_sent
            .store(self.tally.bytes_sent, Ordering::Relaxed);
        counters
            .failed_sends
            .store(self.tally.failed_sends, Ordering::Relaxed);
    }

    /// Ends a client's subscriptions and has its reader say goodbye.
    /// Whether it was not being closed already.
    fn close(&mut self, index: usize, end: End, now: Instant) -> bool {
        self.leave_lanes(index, now);
        let client = self.clients.get_mut(index);
        client.is_some_and(|client| client.kick(end))
    }
}

/// What cannot be encoded is lost, and said to be.
fn encodable<T>(result: Result<T, serde_json::Error>) -> Option<T> {
    result
        .inspect_err(|error| tracing::error!(%error, "message lost: it cannot be encoded"))
        .ok()
}
