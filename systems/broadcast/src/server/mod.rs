//! The server: one port, one network thread.

mod assets;
mod config;
mod guard;
mod health;
mod http;
mod login;
mod openapi;
mod projector;
mod prometheus;
mod recording;
mod replay;
mod reply;
mod system;
mod video;
mod websocket;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::{Extension, Router};
use ghostball_world::Frame;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};

use self::guard::Guard;
use self::projector::Projector;
use crate::bridge::{BridgeEnd, Handover, bridge};
use crate::command::CommandSender;
use crate::counters::Counters;
use crate::facts::Facts;
use crate::hub::{Hub, HubHandle};
use crate::pictures::Pictures;
use crate::publisher::{Feeds, Publisher};
use crate::session::Gate;
use crate::shutdown::UntilShutdown;
use crate::video::Video;
use crate::{BridgeHandle, BroadcastError, ConfigView, LogTail, ServerConfig, WallTime};

/// A running server. Dropping it says goodbye to the clients, closes the port and ends the thread.
#[derive(Debug)]
pub struct Server {
    local_addr: SocketAddr,
    shutdown: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
    counters: Arc<Counters>,
}

/// What the kernel keeps for a client that does not read, bytes (it doubles the number): a dozen states, and the largest
/// part of a video frame. Left to itself it would grow to megabytes: minutes of stale states.
const SEND_BUFFER_BYTES: u32 = 64 * 1024;

/// Connections the kernel completes before they are accepted; more are refused by it.
const BACKLOG: u32 = 1024;

impl Server {
    /// Takes the port, then starts the network thread. The world's end of the bridge comes with it.
    pub fn start(config: ServerConfig) -> Result<(Self, BridgeHandle), BroadcastError> {
        let listen = config.listen;
        if !listen.ip().is_loopback() && config.access.token.is_none() {
            return Err(BroadcastError::NoToken { listen });
        }
        let no_runtime = |cause| BroadcastError::Runtime { cause };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .max_blocking_threads(2)
            .build()
            .map_err(no_runtime)?;
        let (listener, local_addr) = {
            let _inside = runtime.enter();
            bind(listen).map_err(|source| BroadcastError::from_bind(listen, source))?
        };
        let (handle, end) = bridge();
        let (shutdown, until_shutdown) = UntilShutdown::new();
        let counters = Arc::new(Counters::default());
        let thread = std::thread::Builder::new()
            .name("network".to_owned())
            .spawn({
                let counters = Arc::clone(&counters);
                move || {
                    serve(
                        runtime,
                        listener,
                        local_addr,
                        config,
                        end,
                        until_shutdown,
                        counters,
                    )
                }
            })
            .map_err(no_runtime)?;
        let server = Self {
            local_addr,
            shutdown,
            thread: Some(thread),
            counters,
        };
        Ok((server, handle))
    }

    /// Where it listens: the address asked for, with the port that was found where 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Open WebSocket connections.
    pub fn clients(&self) -> usize {
        self.counters.sessions.load(Ordering::Relaxed)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.send_replace(true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the network thread had ended before it was told to");
        }
    }
}

fn bind(listen: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = if listen.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // A port that was just closed can be taken again at once; one in use cannot.
    socket.set_reuseaddr(true)?;
    // Accepted connections inherit it.
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.bind(listen)?;
    let listener = socket.listen(BACKLOG)?;
    let local_addr = listener.local_addr()?;
    Ok((listener, local_addr))
}

/// One of the connections that may be open at a time; free again when the last clone is dropped.
type Slot = Arc<OwnedSemaphorePermit>;

/// What the handlers of requests share.
#[derive(Debug)]
struct Shared {
    started_at: WallTime,
    setup: ServerConfig,
    guard: Guard,
    log: LogTail,
    projector: Arc<Projector>,
    facts: Facts,
    snapshot: watch::Receiver<Option<Handover>>,
    frame: watch::Receiver<Option<Arc<Frame>>>,
    config: watch::Receiver<Arc<ConfigView>>,
    commands: CommandSender,
    video: Arc<Video>,
    feeds: Feeds,
    hub: HubHandle,
    gate: Gate,
    counters: Arc<Counters>,
    until_shutdown: UntilShutdown,
}

/// Clients get so long to take their last message when the server ends.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// Connections besides those of WebSockets, for everything else that HTTP has to offer, and to tell those who are too
/// many that they are.
const SPARE_CONNECTIONS: usize = 256;

/// A client gets so long for the head of its request: it is gone within ten seconds, also on a busy machine.
const HEADER_TIMEOUT: Duration = Duration::from_secs(9);

/// A connection that takes none of what is sent for so long is closed: twice what a WebSocket client gets, which is told
/// why.
const SEND_TIMEOUT: Duration = Duration::from_secs(120);

/// The longest head of a request, bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// Without open files or memory to accept with, this long is waited for some to be given back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The network thread.
fn serve(
    runtime: Runtime,
    listener: TcpListener,
    local_addr: SocketAddr,
    config: ServerConfig,
    end: BridgeEnd,
    mut until_shutdown: UntilShutdown,
    counters: Arc<Counters>,
) {
    runtime.block_on(async move {
        let video = Arc::new(Video::new(counters.clone()));
        let (snapshot, frame) = (end.snapshot.clone(), end.frame.clone());
        let (config_view, commands, facts) = (end.config.clone(), end.commands.clone(), end.facts.clone());
        let pictures = Pictures::new(&config.broadcaster, frame.clone(), video.clone());
        let (publisher, feeds) = Publisher::new(end, config.integration.target_fps.clamp(1.0, 240.0));
        let (hub, handle) = Hub::new(config.clone(), counters.clone(), pictures);
        // Everybody who has to end with the server holds a receiver of this: it closes when the last one is gone.
        let (stop, stopped) = UntilShutdown::new();
        let handler = config.handler;
        let shared = Arc::new(Shared {
            started_at: WallTime::now(),
            guard: Guard::new(config.access.clone(), local_addr),
            log: config.log.clone(),
            projector: Arc::new(Projector::new(config.state_folder.as_deref())),
            facts,
            setup: config,
            snapshot,
            frame,
            config: config_view,
            commands,
            video,
            feeds,
            hub: handle,
            gate: Gate::new(handler.max_connections, handler.max_connections_per_ip),
            counters,
            until_shutdown: stopped,
        });
        let max_connections = handler.max_connections.saturating_add(SPARE_CONNECTIONS);
        // On its own: it says goodbye to the clients when the rest has ended.
        let hub = tokio::spawn(hub.run(publisher));
        tokio::select! {
            () = accept(listener, max_connections, shared) => {}
            () = until_shutdown.wait() => {}
        }
        stop.send_replace(true);
        if timeout(SHUTDOWN_TIMEOUT, stop.closed()).await.is_err() {
            tracing::warn!("some clients did not take their leave and are cut off");
        }
        hub.abort();
    });
    runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
}

/// Accepts connections for ever, no more than `max_connections` at a time: the next waits until one closes.
async fn accept(listener: TcpListener, max_connections: usize, shared: Arc<Shared>) {
    let slots = Arc::new(Semaphore::new(max_connections.clamp(1, Semaphore::MAX_PERMITS)));
    let router = http::router(shared.clone());
    loop {
        let Ok(slot) = slots.clone().acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((connection, address)) => {
                // A WebSocket session takes the slot over from the request that started it.
                let router = router.clone().layer(Extension((Slot::new(slot), address)));
                let until_shutdown = shared.until_shutdown.clone();
                tokio::spawn(converse(connection, router, until_shutdown));
            }
            Err(error) => {
                let failed = shared.counters.failed_accepts.fetch_add(1, Ordering::Relaxed) + 1;
                // Ten a second at most, so one a second is logged.
                if failed % 10 == 1 {
                    tracing::warn!(%error, failed, "a connection could not be accepted");
                }
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Answers the requests of one connection.
async fn converse(connection: TcpStream, router: Router, mut until_shutdown: UntilShutdown) {
    // States are small and late ones worthless: none waits for company.
    // One that takes nothing for too long is given up by the kernel.
    let options = connection
        .set_nodelay(true)
        .and_then(|()| SockRef::from(&connection).set_tcp_user_timeout(Some(SEND_TIMEOUT)));
    if let Err(error) = options {
        tracing::debug!(%error, "a connection stays as the system has it");
    }
    let service = TowerToHyperService::new(router);
    let conversation = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(connection), service)
        .with_upgrades();
    tokio::pin!(conversation);
    let ended = tokio::select! {
        ended = conversation.as_mut() => ended,
        () = until_shutdown.wait() => {
            conversation.as_mut().graceful_shutdown();
            conversation.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}
