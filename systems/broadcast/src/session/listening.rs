//! The reading side of a socket whose writing side belongs to the hub.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};
use tokio_tungstenite::tungstenite::Bytes;

use super::progress::Progress;

/// A message that has begun has to end within this.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(8);

/// Reads from the socket, with an error where a message takes too long to come; what is written to it is kept for [`Listening::take_written`].
#[derive(Debug)]
pub(super) struct Listening {
    stream: Arc<TcpStream>,
    already_read: Bytes,
    written: Vec<u8>,
    progress: Progress,
    /// When the message on its way has to be there.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Listening {
    pub(super) fn new(stream: Arc<TcpStream>, already_read: Bytes) -> Self {
        // Nothing, too, would hold on to the buffer it was read into: 8 KiB for as long as the client is there.
        let already_read = if already_read.is_empty() {
            Bytes::new()
        } else {
            Bytes::copy_from_slice(&already_read)
        };
        Self {
            stream,
            already_read,
            written: Vec::new(),
            progress: Progress::default(),
            deadline: None,
        }
    }

    /// Whole frames.
    pub(super) fn take_written(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.written)
    }

    fn note(&mut self, came: &[u8]) {
        self.progress.advance(came);
        if !self.progress.is_unfinished() {
            self.deadline = None;
        } else if self.deadline.is_none() {
            self.deadline = Some(Box::pin(sleep(MESSAGE_TIMEOUT)));
        }
    }
}

impl AsyncRead for Listening {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.already_read.is_empty() {
            let taken = self.already_read.len().min(buffer.remaining());
            let first = self.already_read.split_to(taken);
            buffer.put_slice(&first);
            self.note(&first);
            return Poll::Ready(Ok(()));
        }
        loop {
            match self.stream.poll_read_ready(context) {
                Poll::Ready(ready) => ready?,
                Poll::Pending => {
                    if let Some(deadline) = &mut self.deadline {
                        ready!(deadline.as_mut().poll(context));
                        return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                    }
                    return Poll::Pending;
                }
            }
            let room = buffer.initialize_unfilled();
            match self.stream.try_read(room) {
                Ok(read) => {
                    self.note(&room[..read]);
                    buffer.advance(read);
                    return Poll::Ready(Ok(()));
                }
                // Somebody was wrong about its readiness; now it is known.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Listening {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.written.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
