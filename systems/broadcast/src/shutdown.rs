//! The end of the server.

use tokio::sync::watch;

/// Held by everybody who has to end with the server; the server waits until the last one is dropped.
#[derive(Clone, Debug)]
pub(crate) struct UntilShutdown(watch::Receiver<bool>);

impl UntilShutdown {
    /// A new one, and the end that calls for it by sending `true`.
    pub(crate) fn new() -> (watch::Sender<bool>, Self) {
        let (stop, stopped) = watch::channel(false);
        (stop, Self(stopped))
    }

    /// Waits until the server ends. Loses nothing when it is cancelled.
    pub(crate) async fn wait(&mut self) {
        // An error means that the server is gone without a word: an end as well.
        self.0.wait_for(|stop| *stop).await.ok();
    }
}
