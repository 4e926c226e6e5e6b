//! Why the server could not start.

use std::io;
use std::net::SocketAddr;

/// Why the server could not start. Each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum BroadcastError {
    /// Somebody else listens there.
    #[error(
        "cannot listen on {listen}: port {port} is already in use; stop the program that uses it, or choose another \
         port, for example --listen {ip}:{next}",
        port = .listen.port(), ip = printable_ip(*.listen), next = next_port(*.listen)
    )]
    PortInUse {
        /// The address asked for.
        listen: SocketAddr,
    },
    /// The address would be reachable by others, and there is no token to tell them apart by.
    #[error(
        "cannot listen on {listen}: everybody on the network could use it; expected an access token, or a loopback address, \
         for example --listen 127.0.0.1:{port}",
        port = .listen.port()
    )]
    NoToken {
        /// The address asked for.
        listen: SocketAddr,
    },
    /// The address is refused for another reason.
    #[error("cannot listen on {listen}: {cause}; choose another address with --listen")]
    Bind {
        /// The address asked for.
        listen: SocketAddr,
        /// What the system says.
        cause: io::Error,
    },
    /// No thread or no event queue is to be had.
    #[error("cannot start the network thread: {cause}; the system is out of threads or open files")]
    Runtime {
        /// What the system says.
        cause: io::Error,
    },
}

impl BroadcastError {
    /// Tells the causes of a failed bind apart.
    pub(crate) fn from_bind(listen: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::PortInUse { listen },
            _ => Self::Bind {
                listen,
                cause: source,
            },
        }
    }
}

fn printable_ip(listen: SocketAddr) -> String {
    match listen {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    }
}

fn next_port(listen: SocketAddr) -> u16 {
    listen.port().checked_add(1).unwrap_or(8000)
}
