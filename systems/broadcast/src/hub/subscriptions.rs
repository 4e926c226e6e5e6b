//! Who gets what: clients join lanes and leave them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::client::Subscription;
use super::lane::{Lane, Member, Waits};
use super::{Hub, encodable};
use crate::filters::{Filters, filters_for, known_streams};
use crate::pacer::Pacer;
use crate::publication::{Publication, View};
use crate::stream::Stream;
use crate::wire::{ErrorCode, Frame, SubscribedData};

/// Distinct views at a time: each is encoded for itself, which takes some 20 us of every tick.
const MAX_LANES: usize = 512;

impl Hub {
    pub(super) fn subscribe(
        &mut self,
        index: usize,
        names: &[String],
        given: &Map<String, Value>,
        is_answered: bool,
        now: Instant,
    ) {
        let (mut streams, complaint) = known_streams(names, self.pictures.is_enabled());
        let mut wrong = Vec::new();
        let mut joined = Vec::new();
        for stream in &streams {
            let default = Filters::at(self.config.broadcaster.fps.default_target_fps);
            let (filters, wrong_here) = filters_for(*stream, given, default);
            wrong.extend(wrong_here);
            let is_new = self.unsubscribe_from(index, *stream, now);
            if self.find_lane(index, *stream, &filters, now).is_none() {
                wrong.push(format!(
                    "{}: too many clients ask for different views",
                    stream.name()
                ));
                continue;
            }
            joined.push((*stream, filters, is_new));
        }
        streams.retain(|stream| joined.iter().any(|(joined, ..)| joined == stream));
        // The answer comes first, then what there is of each stream.
        if is_answered {
            let mut all = self.subscriptions(index);
            all.extend(streams.iter().map(|stream| stream.name()));
            all.sort_by_key(|name| Stream::from_name(name));
            let answer = SubscribedData {
                streams: streams.iter().map(|stream| stream.name()).collect(),
                all_subscriptions: all,
            };
            self.send(index, "subscribed", &answer);
        }
        if let Some(message) = complaint {
            self.complain(index, ErrorCode::InvalidSubscribeFormat, message, None);
        }
        if !wrong.is_empty() {
            wrong.sort_unstable();
            wrong.dedup();
            let message = format!("filters that do not apply: {}", wrong.join("; "));
            self.complain(
                index,
                ErrorCode::InvalidSubscribeFormat,
                message,
                Some(wrong.into()),
            );
        }
        for (stream, filters, is_new) in joined {
            self.join(index, stream, filters, is_new, now);
        }
    }

    /// Makes the client a member of the lane that its filters ask for, and gives it what there is.
    pub(super) fn join(
        &mut self,
        index: usize,
        stream: Stream,
        filters: Filters,
        is_new: bool,
        now: Instant,
    ) {
        let Some(lane) = self.find_lane(index, stream, &filters, now) else {
            return;
        };
        let member = Member {
            client: index,
            pacer: self.pacer(stream, filters.max_fps, now),
            max_latency: Duration::from_millis(filters.max_latency_ms.into()),
            waits: match stream.is_reliable() {
                true => Waits::No,
                false => Waits::ForRoom,
            },
        };
        let current = match stream.is_reliable() {
            true => None,
            false => self.current_of(stream, now),
        };
        let compression = &self.config.broadcaster.compression;
        self.lanes[lane].join(member, current, compression, &mut self.tally);
        if let Some(client) = self.clients.get_mut(index) {
            let subscription = Subscription {
                stream,
                filters,
                lane,
            };
            client.about.subscriptions.push(subscription);
        }
        let waiting: Vec<_> = match stream {
            Stream::Alert if is_new => self.open_alerts.values().cloned().collect(),
            Stream::Config => self.current.get(&Stream::Config).cloned().into_iter().collect(),
            _ => Vec::new(),
        };
        for publication in waiting {
            let mut frame = Frame::default();
            let view = &self.lanes[lane].view;
            let encoded = publication.encode(view, &self.config.broadcaster.compression, &mut frame);
            if encodable(encoded).is_some() {
                self.send_frame(index, frame, now);
            }
        }
        self.lanes[lane].deliver_to_waiting(&mut self.clients, &mut self.tally);
        self.pictures.set_wanted(self.subscribers(Stream::Frame) > 0);
    }

    /// `None` where the publisher keeps that rate already: a second beat beside its own would only lose or delay what
    /// falls between the two.
    fn pacer(&self, stream: Stream, max_fps: f64, now: Instant) -> Option<Pacer> {
        let is_paced = matches!(stream, Stream::State | Stream::Trajectory);
        let is_kept = is_paced && max_fps >= self.config.integration.target_fps;
        (!is_kept).then(|| Pacer::new(max_fps, now))
    }

    pub(super) fn current_of(&mut self, stream: Stream, now: Instant) -> Option<Arc<Publication>> {
        match stream {
            Stream::Frame => self.pictures.newest(now),
            _ => self.current.get(&stream).cloned(),
        }
    }

    /// The lane that these filters ask for, made where there is none yet. Where there are too many, it takes the place of
    /// the one that has been empty for longest; `None` where somebody is in each.
    pub(super) fn find_lane(
        &mut self,
        index: usize,
        stream: Stream,
        filters: &Filters,
        now: Instant,
    ) -> Option<usize> {
        let about = &self.clients.get(index)?.about;
        let view = View::new(stream, about.space, filters, about.gets_less);
        let window = filters.window(stream);
        let known = self
            .lanes
            .iter()
            .find(|(_, lane)| lane.stream == stream && lane.window == window && lane.view == view);
        if let Some((known, _)) = known {
            return Some(known);
        }
        if self.lanes.len() >= MAX_LANES {
            // One that was left or made just now may be for the same request.
            let empty = self
                .lanes
                .iter()
                .filter(|(_, lane)| !lane.unused_for(now).is_zero());
            let (longest, _) = empty.max_by_key(|(_, lane)| lane.unused_for(now))?;
            self.lanes.remove(longest);
            self.tally.cleaned_up += 1;
        }
        Some(self.lanes.insert(Lane::new(stream, view, window, now)))
    }

    pub(super) fn unsubscribe(&mut self, index: usize, names: &[String], now: Instant) {
        let (streams, complaint) = known_streams(names, true);
        for stream in &streams {
            self.unsubscribe_from(index, *stream, now);
        }
        self.pictures.set_wanted(self.subscribers(Stream::Frame) > 0);
        let answer = SubscribedData {
            streams: streams.iter().map(|stream| stream.name()).collect(),
            all_subscriptions: self.subscriptions(index),
        };
        self.send(index, "unsubscribed", &answer);
        if let Some(message) = complaint {
            self.complain(index, ErrorCode::InvalidUnsubscribeFormat, message, None);
        }
    }

    /// Whether there was no subscription.
    pub(super) fn unsubscribe_from(&mut self, index: usize, stream: Stream, now: Instant) -> bool {
        let Some(client) = self.clients.get_mut(index) else {
            return true;
        };
        let subscriptions = &mut client.about.subscriptions;
        let Some(at) = subscriptions
            .iter()
            .position(|subscription| subscription.stream == stream)
        else {
            return true;
        };
        let subscription = subscriptions.swap_remove(at);
        if let Some(lane) = self.lanes.get_mut(subscription.lane) {
            lane.leave(index, now);
        }
        false
    }

    pub(super) fn subscriptions(&self, index: usize) -> Vec<&'static str> {
        let Some(client) = self.clients.get(index) else {
            return Vec::new();
        };
        let mut streams: Vec<_> = client.about.subscriptions.iter().map(|s| s.stream).collect();
        streams.sort_unstable();
        streams.into_iter().map(Stream::name).collect()
    }

    pub(super) fn leave_lanes(&mut self, index: usize, now: Instant) {
        let Some(client) = self.clients.get_mut(index) else {
            return;
        };
        for subscription in client.about.subscriptions.drain(..) {
            if let Some(lane) = self.lanes.get_mut(subscription.lane) {
                lane.leave(index, now);
            }
        }
    }
}
