//! The log: diagnostics go to standard error; their last lines are kept, with the time, for `/api/v1/logs`.

use std::io::{self, IsTerminal as _, Write};
use std::sync::LazyLock;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::{MakeWriter, layer};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::broadcast::LogTail;

/// One for the program, as its log is.
static TAIL: LazyLock<LogTail> = LazyLock::new(LogTail::default);

/// Begins to log. `GHOSTBALL_LOG=debug` shows more.
pub fn start() {
    let filter = EnvFilter::try_from_env("GHOSTBALL_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let to_stderr = layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .without_time();
    let to_tail = layer().with_writer(Tail).with_ansi(false).with_target(false);
    tracing_subscriber::registry()
        .with(filter)
        .with(to_stderr)
        .with(to_tail)
        .init();
}

/// The last lines.
pub fn tail() -> LogTail {
    TAIL.clone()
}

/// Writes into the tail.
struct Tail;

impl<'a> MakeWriter<'a> for Tail {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}

impl Write for Tail {
    /// Is given whole lines.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        TAIL.push(String::from_utf8_lossy(line).trim_end());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
