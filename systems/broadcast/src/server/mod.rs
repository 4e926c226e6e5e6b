//! The server: one port, one network thread.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::bridge::{BridgeEnd, bridge};
use crate::{BridgeHandle, BroadcastError};

/// What the server is told at its start.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerConfig {
    /// Where to listen; port 0 takes any that is free. Loopback only, until access tokens exist. Default 127.0.0.1:8000.
    pub listen: SocketAddr,
    /// States a second at most, 1 to 240. Default 30: what clients ask for when they ask for nothing.
    pub target_fps: f64,
    /// Connections at a time, HTTP and WebSocket together; more wait until one closes. Default 10000.
    pub max_connections: usize,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8000)),
            target_fps: 30.0,
            max_connections: 10_000,
        }
    }
}

/// A running server. Dropping it says goodbye to the clients, closes the port and ends the thread.
#[derive(Debug)]
pub struct Server {
    local_addr: SocketAddr,
    shutdown: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
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
        if !listen.ip().is_loopback() {
            return Err(BroadcastError::NotLoopback { listen });
        }
        let no_runtime = |source| BroadcastError::Runtime { source };
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
        let (shutdown, until_shutdown) = watch::channel(false);
        let thread = std::thread::Builder::new()
            .name("network".to_owned())
            .spawn(move || serve(runtime, listener, config, end, until_shutdown))
            .map_err(no_runtime)?;
        let server = Self {
            local_addr,
            shutdown,
            thread: Some(thread),
        };
        Ok((server, handle))
    }

    /// Where it listens: the address asked for, with the port that was found where 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
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

fn serve(
    runtime: Runtime,
    listener: TcpListener,
    _config: ServerConfig,
    _end: BridgeEnd,
    mut until_shutdown: watch::Receiver<bool>,
) {
    runtime.block_on(async move {
        let _listener = listener;
        until_shutdown.wait_for(|stop| *stop).await.ok();
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
}
