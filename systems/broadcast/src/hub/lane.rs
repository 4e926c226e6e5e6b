//! Everybody who gets the same messages: one stream in one view.

use std::sync::Arc;
use std::time::Duration;

use slab::Slab;
use tokio::time::Instant;

use super::client::{Client, Sent};
use super::tally::Tally;
use crate::WallTime;
use crate::config::CompressionConfig;
use crate::pacer::Pacer;
use crate::publication::{Publication, View};
use crate::stream::Stream;
use crate::wire::Frame;

#[derive(Debug)]
pub(super) struct Lane {
    pub(super) stream: Stream,
    pub(super) view: View,
    /// What happens in such a time comes in one message; zero: at once.
    pub(super) window: Duration,
    /// The newest message, and what it tells.
    frame: Frame,
    newest: Option<Arc<Publication>>,
    /// What the window has so far, oldest first, and when it ends.
    collected: Vec<Arc<Publication>>,
    window_ends: Option<Instant>,
    members: Vec<Member>,
    /// Some member has not got the newest message.
    has_waiting: bool,
    used_at: Instant,
}

/// A subscriber.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    /// Its place in the slab.
    pub(super) client: usize,
    /// `None`: takes all that is published.
    pub(super) pacer: Option<Pacer>,
    /// What is older is dropped; zero: nothing is.
    pub(super) max_latency: Duration,
    /// What for the newest message is still to come.
    pub(super) waits: Waits,
}

/// What a member has not got the newest message for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// It has got it.
    No,
    /// Its socket.
    ForRoom,
    /// Its rate.
    ForTurn,
}

/// When what counts is tried again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retries {
    /// The circuit breaker is open: nothing is tried now.
    pub(super) is_open: bool,
    /// When, the first time.
    pub(super) first_at: Instant,
}

/// Messages of a window that are kept: so many that a usual camera fills ten seconds.
const MAX_COLLECTED: usize = 300;

impl Lane {
    pub(super) fn new(stream: Stream, view: View, window: Duration, now: Instant) -> Self {
        Self {
            stream,
            view,
            window,
            frame: Frame::default(),
            newest: None,
            collected: Vec::new(),
            window_ends: None,
            members: Vec::new(),
            has_waiting: false,
            used_at: now,
        }
    }

    pub(super) fn members(&self) -> usize {
        self.members.len()
    }

    /// How long nobody has been here.
    pub(super) fn unused_for(&self, now: Instant) -> Duration {
        match self.members.is_empty() {
            true => now - self.used_at,
            false => Duration::ZERO,
        }
    }

    /// When to look at the lane again, besides for what is published; `None`: not before.
    pub(super) fn wakes(&self, next_beat: Instant) -> Option<Instant> {
        let waits = self.has_waiting.then_some(next_beat);
        [waits, self.window_ends].into_iter().flatten().min()
    }

    /// Lets a client in. The current message, where there is one, waits for it.
    pub(super) fn join(
        &mut self,
        member: Member,
        current: Option<Arc<Publication>>,
        config: &CompressionConfig,
        tally: &mut Tally,
    ) {
        if self.newest.is_none()
            && let Some(current) = current
        {
            self.encode(current, config, tally);
        }
        let waits = match self.newest {
            Some(_) => member.waits,
            None => Waits::No,
        };
        self.has_waiting |= waits != Waits::No;
        self.members.push(Member { waits, ..member });
    }

    pub(super) fn leave(&mut self, client: usize, now: Instant) {
        if let Some(at) = self.members.iter().position(|member| member.client == client) {
            self.members.swap_remove(at);
        }
        self.used_at = now;
        if self.members.is_empty() {
            // Nothing is encoded or collected for nobody, and what was is old when somebody comes.
            (self.frame, self.newest, self.collected) = (Frame::default(), None, Vec::new());
            (self.window_ends, self.has_waiting) = (None, false);
        }
    }

    /// Takes something new in; whether it is to be delivered now.
    pub(super) fn take(
        &mut self,
        publication: &Arc<Publication>,
        now: Instant,
        config: &CompressionConfig,
        tally: &mut Tally,
    ) -> bool {
        if self.members.is_empty() {
            return false;
        }
        if self.window.is_zero() {
            return self.encode(publication.clone(), config, tally);
        }
        if self.stream == Stream::State || self.collected.len() == MAX_COLLECTED {
            // Of a state only the newest is told.
            tally.skipped += u64::from(!self.collected.is_empty());
            self.collected.drain(..1.min(self.collected.len()));
        }
        self.collected.push(publication.clone());
        self.window_ends.get_or_insert(now + self.window);
        false
    }

    /// Closes a window that has ended; whether something is to be delivered now.
    pub(super) fn close_window(
        &mut self,
        now: Instant,
        config: &CompressionConfig,
        tally: &mut Tally,
    ) -> bool {
        if self.window_ends.is_none_or(|ends| ends > now) {
            return false;
        }
        self.window_ends = None;
        match Publication::of_window(std::mem::take(&mut self.collected)) {
            Some(window) => self.encode(Arc::new(window), config, tally),
            None => false,
        }
    }

    /// Once for all members.
    fn encode(
        &mut self,
        publication: Arc<Publication>,
        config: &CompressionConfig,
        tally: &mut Tally,
    ) -> bool {
        match publication.encode(&self.view, config, &mut self.frame) {
            Ok(()) => {
                tally.encoded += 1;
                self.newest = Some(publication);
                true
            }
            Err(error) => {
                tracing::error!(%error, stream = self.stream.name(), "message lost: it cannot be encoded");
                self.newest = None;
                false
            }
        }
    }

    /// Gives the newest message to every member: at once, or when its rate and its socket allow.
    pub(super) fn deliver(&mut self, clients: &mut Slab<Client>, tally: &mut Tally) {
        let Some(newest) = self.newest.clone() else {
            return;
        };
        let began = Instant::now();
        self.has_waiting = false;
        let age = age(&newest);
        let sent_before = tally.messages_sent;
        for member in &mut self.members {
            let Some(client) = clients.get_mut(member.client) else {
                continue;
            };
            if member.waits != Waits::No {
                tally.skipped += 1;
                client.skipped += 1;
            }
            member.waits = Waits::ForRoom;
            self.has_waiting |= give(&mut self.frame, member, client, age, began, tally);
        }
        let sent = tally.messages_sent - sent_before;
        tally.latency(began - newest.since, newest.since.elapsed(), sent);
    }

    /// The same for those who have not got it yet.
    pub(super) fn deliver_to_waiting(&mut self, clients: &mut Slab<Client>, tally: &mut Tally) {
        let Some(newest) = self.newest.clone().filter(|_| self.has_waiting) else {
            return;
        };
        let now = Instant::now();
        self.has_waiting = false;
        let age = age(&newest);
        for member in self.members.iter_mut().filter(|member| member.waits != Waits::No) {
            if let Some(client) = clients.get_mut(member.client) {
                self.has_waiting |= give(&mut self.frame, member, client, age, now, tally);
            }
        }
    }

    /// Gives a message that counts to every member; who has no room for it now gets it later.
    pub(super) fn deliver_all(&mut self, clients: &mut Slab<Client>, retries: Retries, tally: &mut Tally) {
        let Some(newest) = self.newest.clone() else {
            return;
        };
        let began = Instant::now();
        let age = age(&newest);
        let sent_before = tally.messages_sent;
        let mut shared = None;
        for member in &self.members {
            let Some(client) = clients.get_mut(member.client) else {
                continue;
            };
            if !member.max_latency.is_zero() && age > member.max_latency {
                tally.too_old += 1;
                continue;
            }
            let sent = match client.is_clear() && !retries.is_open {
                true => client.send(&mut self.frame, began),
                false => Sent::Full,
            };
            tally.refused += u64::from(!matches!(sent, Sent::Yes));
            match sent {
                Sent::Yes => {
                    tally.sent(&self.frame);
                    if !client.is_clear() {
                        tally.blocked.push(member.client);
                    }
                }
                Sent::Broken => tally.broken.push(member.client),
                Sent::Full => {
                    let frame = shared.get_or_insert_with(|| Arc::new(self.frame.clone()));
                    match client.wait_to_retry(frame.clone(), retries.first_at) {
                        true => tally.blocked.push(member.client),
                        false => tally.lost.push(member.client),
                    }
                }
            }
        }
        let sent = tally.messages_sent - sent_before;
        tally.latency(began - newest.since, newest.since.elapsed(), sent);
    }
}

/// Gives a message of which only the newest counts to one member; whether it is still waiting for it.
fn give(
    frame: &mut Frame,
    member: &mut Member,
    client: &mut Client,
    age: Duration,
    now: Instant,
    tally: &mut Tally,
) -> bool {
    let has_turn = member.pacer.is_none_or(|pacer| match member.waits {
        Waits::ForTurn => pacer.held_until() <= now,
        Waits::ForRoom | Waits::No => pacer.lets_pass(now),
    });
    if !has_turn {
        member.waits = Waits::ForTurn;
        return true;
    }
    if !member.max_latency.is_zero() && age > member.max_latency {
        tally.too_old += 1;
        member.waits = Waits::No;
        return false;
    }
    if !client.is_clear() {
        tally.refused += 1;
        client.lagged(now);
        return true;
    }
    let sent = client.send(frame, now);
    tally.refused += u64::from(!matches!(sent, Sent::Yes));
    match sent {
        Sent::Yes => {
            tally.sent(frame);
            if let Some(pacer) = &mut member.pacer {
                pacer.sent(now);
            }
            member.waits = Waits::No;
            if !client.is_clear() {
                tally.blocked.push(member.client);
            }
            false
        }
        Sent::Full => true,
        Sent::Broken => {
            tally.broken.push(member.client);
            member.waits = Waits::No;
            false
        }
    }
}

/// How old what a message tells is.
fn age(publication: &Publication) -> Duration {
    WallTime::now().since(publication.issue.captured_at)
}
