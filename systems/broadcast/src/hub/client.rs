//! One client as the hub has it: its socket and what waits for it.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;

use rustix::net::{SendFlags, send};
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::rate::RateLimit;
use super::tally::Tally;
use crate::WallTime;
use crate::config::IntegrationConfig;
use crate::filters::Filters;
use crate::session::{End, Vitals};
use crate::space::Space;
use crate::stream::Stream;
use crate::wire::Frame;

/// Messages that may wait for a client besides the one under way: alerts of every kind, the events of a break, answers
/// to a whole burst of questions. One more, and the client is closed: it has lost one.
const MAX_WAITING: usize = 128;

/// What is newest about a client's lag counts a tenth.
const LAG_WEIGHT: f32 = 0.1;

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// The socket has it, or the part of it that it had room for; the rest follows before anything else.
    Yes,
    /// There was no room for any of it.
    Full,
    /// The connection is broken.
    Broken,
}

/// A message that counts, an answer, or a control frame.
#[derive(Debug)]
struct Waiting {
    bytes: Bytes,
    /// Sent again so often, and not before then; `None` for what waits as long as the client does.
    retry: Option<Retry>,
}

#[derive(Debug)]
enum Bytes {
    Message(Arc<Frame>),
    /// As it is.
    Control(Vec<u8>),
    /// As it is, and nothing after it.
    Last(Vec<u8>),
}

#[derive(Clone, Copy, Debug)]
struct Retry {
    at: Instant,
    attempt: u32,
}

/// A stream the client has subscribed to.
#[derive(Clone, Debug)]
pub(super) struct Subscription {
    pub(super) stream: Stream,
    pub(super) filters: Filters,
    /// The lane it is a member of.
    pub(super) lane: usize,
}

/// What is seldom looked at.
#[derive(Debug)]
pub(super) struct About {
    pub(super) client_id: String,
    pub(super) address: String,
    pub(super) space: Space,
    pub(super) connected_at: WallTime,
    pub(super) vitals: Arc<Vitals>,
    pub(super) subscriptions: Vec<Subscription>,
    pub(super) messages: RateLimit,
    pub(super) simulations: RateLimit,
    pub(super) ping_at: Instant,
    /// Tells the reader to close.
    pub(super) kick: Option<oneshot::Sender<End>>,
    /// Messages a second, and how many there had been when that was worked out.
    pub(super) rate: f64,
    pub(super) counted: u64,
    /// For clients whose quality follows their lag.
    pub(super) gets_less: bool,
}

#[derive(Debug)]
pub(super) struct Client {
    stream: Arc<TcpStream>,
    /// Messages sent so far.
    pub(super) sequence: u64,
    pub(super) bytes_sent: u64,
    pub(super) skipped: u64,
    /// How often there was no room of late, 0 to 1.
    lag: f32,
    /// Since when nothing has been taken though something is there.
    stuck_since: Option<Instant>,
    /// What is left of the frame under way.
    rest: Vec<u8>,
    rest_at: usize,
    waiting: VecDeque<Waiting>,
    /// The hub looks at it with every beat.
    pub(super) is_watched: bool,
    pub(super) about: Box<About>,
}

impl Client {
    pub(super) fn new(stream: Arc<TcpStream>, about: About) -> Self {
        Self {
            stream,
            sequence: 0,
            bytes_sent: 0,
            skipped: 0,
            lag: 0.0,
            stuck_since: None,
            rest: Vec::new(),
            rest_at: 0,
            waiting: VecDeque::new(),
            is_watched: false,
            about: Box::new(about),
        }
    }

    /// Whether the next message may go at once.
    pub(super) fn is_clear(&self) -> bool {
        self.rest.is_empty() && self.waiting.is_empty()
    }

    /// Sends a message now; only where [`is_clear`](Self::is_clear).
    pub(super) fn send(&mut self, frame: &mut Frame, now: Instant) -> Sent {
        let sent = self.write(frame.numbered(self.sequence + 1), now);
        if sent == Sent::Yes {
            self.sequence += 1;
        }
        sent
    }

    /// A message found no room, and a newer one will take its place.
    pub(super) fn lagged(&mut self, now: Instant) {
        self.lag += LAG_WEIGHT * (1.0 - self.lag);
        self.stuck_since.get_or_insert(now);
    }

    /// Lets a message that counts wait; `false` where there is no place.
    pub(super) fn wait_to_retry(&mut self, frame: Arc<Frame>, first_retry_at: Instant) -> bool {
        let retry = Retry {
            at: first_retry_at,
            attempt: 0,
        };
        self.push(Bytes::Message(frame), Some(retry))
    }

    /// Lets an answer wait for its turn, likewise.
    pub(super) fn wait(&mut self, frame: Frame) -> bool {
        self.push(Bytes::Message(Arc::new(frame)), None)
    }

    /// The same for a frame that is no message; the socket is shut down for writing after the last one.
    pub(super) fn wait_control(&mut self, frame: Vec<u8>, is_last: bool) -> bool {
        let bytes = match is_last {
            true => Bytes::Last(frame),
            false => Bytes::Control(frame),
        };
        self.push(bytes, None)
    }

    fn push(&mut self, bytes: Bytes, retry: Option<Retry>) -> bool {
        let has_place = self.waiting.len() < MAX_WAITING || matches!(bytes, Bytes::Last(_));
        if has_place {
            self.waiting.push_back(Waiting { bytes, retry });
        }
        has_place
    }

    /// Sends what waits, as far as there is room: [`Sent::Yes`] once nothing is left. Costs no system call while the
    /// socket is known to be full.
    pub(super) fn flush(&mut self, now: Instant, scratch: &mut Frame, tally: &mut Tally) -> Sent {
        if !self.rest.is_empty() {
            let rest = std::mem::take(&mut self.rest);
            let at = std::mem::take(&mut self.rest_at);
            match self.write(&rest[at..], now) {
                Sent::Yes if self.rest.is_empty() => {}
                Sent::Yes => return Sent::Full,
                Sent::Full => {
                    (self.rest, self.rest_at) = (rest, at);
                    return Sent::Full;
                }
                Sent::Broken => return Sent::Broken,
            }
        }
        while let Some(next) = self.waiting.front() {
            let sent = match &next.bytes {
                Bytes::Message(frame) => {
                    scratch.clone_from(frame);
                    let sent = self.send(scratch, now);
                    if sent == Sent::Yes {
                        tally.sent(scratch);
                    }
                    sent
                }
                Bytes::Control(bytes) | Bytes::Last(bytes) => {
                    let bytes = bytes.clone();
                    self.write(&bytes, now)
                }
            };
            if sent != Sent::Yes {
                return sent;
            }
            let sent = self.waiting.pop_front();
            if !self.rest.is_empty() {
                return Sent::Full;
            }
            if let Some(Waiting {
                bytes: Bytes::Last(_),
                ..
            }) = sent
            {
                self.shut_down();
            }
        }
        Sent::Yes
    }

    /// Notes retries that have come due and failed; `None` where one of them was the last.
    pub(super) fn retried(&mut self, now: Instant, config: &IntegrationConfig) -> Option<u64> {
        let mut retries = 0;
        for retry in self
            .waiting
            .iter_mut()
            .filter_map(|waiting| waiting.retry.as_mut())
        {
            while retry.at <= now {
                if retry.attempt >= config.max_retries {
                    return None;
                }
                retries += 1;
                retry.attempt += 1;
                // After the last one there is nothing more to wait for.
                retry.at += match retry.attempt < config.max_retries {
                    true => config.retry_base_delay * 2_u32.saturating_pow(retry.attempt),
                    false => Duration::ZERO,
                };
            }
        }
        Some(retries)
    }

    fn write(&mut self, bytes: &[u8], now: Instant) -> Sent {
        let written = match self.stuck_since {
            // Straight to the system: to ask tokio first whether there is room is a cache miss for each client and
            // message, and measured a twentieth of the whole.
            None => send(&*self.stream, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL).map_err(Into::into),
            Some(_) => self.stream.try_write(bytes),
        };
        match written {
            Ok(written) => {
                self.bytes_sent += written as u64;
                self.lag -= LAG_WEIGHT * self.lag;
                self.stuck_since = None;
                if written < bytes.len() {
                    // Kept as it is: it carries this client's number. One frame at most.
                    self.rest = bytes[written..].to_vec();
                    self.stuck_since = Some(now);
                }
                Sent::Yes
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.lagged(now);
                Sent::Full
            }
            Err(_) => Sent::Broken,
        }
    }

    /// The client learns that nothing more comes, and can still be heard.
    fn shut_down(&self) {
        if let Err(error) = SockRef::from(&*self.stream).shutdown(Shutdown::Write) {
            tracing::debug!(%error, "a connection was gone before its end was told");
        }
    }

    /// 0: takes everything at once; 1: is always behind.
    pub(super) fn lag(&self) -> f64 {
        f64::from(self.lag)
    }

    pub(super) fn quality_score(&self) -> f64 {
        ((1.0 - self.lag()) * 1e3).round() / 1e3
    }

    /// How long nothing has been taken though something is there.
    pub(super) fn stuck_for(&self, now: Instant) -> Duration {
        self.stuck_since.map_or(Duration::ZERO, |since| now - since)
    }

    /// Messages that wait, and bytes of the one under way.
    pub(super) fn backlog(&self) -> (usize, usize) {
        (self.waiting.len(), self.rest.len() - self.rest_at)
    }

    /// Closes the connection, as soon as its reader hears of it; whether it was not being closed already.
    pub(super) fn kick(&mut self, end: End) -> bool {
        // A reader that has left hears nothing, and needs to hear nothing.
        self.about.kick.take().is_some_and(|kick| kick.send(end).is_ok())
    }
}
