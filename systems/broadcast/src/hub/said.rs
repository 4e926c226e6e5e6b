//! What the hub is told by the readers of its clients, and asked by HTTP.

use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};

use crate::session::{End, Vitals};
use crate::space::Space;
use crate::wire::{Command, ConnectionsData, ErrorData, Frame, MetricsData};

/// Messages on their way to the hub; a reader waits while it is full, and with it its client.
const INBOX: usize = 1024;

/// A message to the hub. Clients are named by their place.
#[derive(Debug)]
pub(crate) enum Said {
    Join(Box<Newcomer>),
    /// The client sent a message, or what was to be one.
    Message(usize, Result<Command, ErrorData>),
    /// A frame of the protocol for the client; the last one where its connection ends.
    Control(usize, Vec<u8>, bool),
    Leave(usize),
    /// The answer to a client of this name, which was at this place.
    Simulated(usize, String, Result<Frame, String>),
    AskMetrics(oneshot::Sender<MetricsData>),
    AskConnections(oneshot::Sender<ConnectionsData>),
}

/// A client that comes.
#[derive(Debug)]
pub(crate) struct Newcomer {
    pub(crate) stream: Arc<TcpStream>,
    pub(crate) client_id: String,
    pub(crate) address: String,
    pub(crate) space: Space,
    /// Subscribed to without having to ask.
    pub(crate) streams: Vec<String>,
    pub(crate) vitals: Arc<Vitals>,
    /// Tells its reader to close.
    pub(crate) kick: oneshot::Sender<End>,
    /// Tells its reader the place.
    pub(crate) index: oneshot::Sender<usize>,
}

/// The way to the hub.
#[derive(Clone, Debug)]
pub(crate) struct HubHandle {
    inbox: mpsc::Sender<Said>,
}

impl HubHandle {
    pub(super) fn new() -> (Self, mpsc::Receiver<Said>) {
        let (sender, receiver) = mpsc::channel(INBOX);
        (Self { inbox: sender }, receiver)
    }

    /// `false` where the hub has ended.
    pub(crate) async fn say(&self, said: Said) -> bool {
        self.inbox.send(said).await.is_ok()
    }

    /// From a thread apart.
    pub(super) fn say_blocking(&self, said: Said) {
        // At the end of the server there is nobody to answer.
        self.inbox.blocking_send(said).ok();
    }

    /// `None` where the hub has ended.
    pub(crate) async fn metrics(&self) -> Option<MetricsData> {
        let (answer, metrics) = oneshot::channel();
        self.say(Said::AskMetrics(answer)).await;
        metrics.await.ok()
    }

    /// Likewise.
    pub(crate) async fn connections(&self) -> Option<ConnectionsData> {
        let (answer, connections) = oneshot::channel();
        self.say(Said::AskConnections(answer)).await;
        connections.await.ok()
    }
}
