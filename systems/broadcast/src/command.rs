//! Commands: what clients ask of the world's thread, over HTTP or WebSocket, and its answers.
//!
//! ```text
//! network thread   CommandSender::ask ──bounded queue──► BridgeHandle::next_request   world's thread (the runner)
//!                  Answer             ◄────oneshot───── Request::answer
//! ```
//!
//! To add one: a variant of [`WorldCommand`], an arm of `dispatch` in `src/commands.rs`, and a route (or message) that asks:
//! `shared.commands.ask(WorldCommand::…).await` gives JSON or a [`Refusal`], which is an answer of HTTP as it is. A command
//! that takes longer than a frame keeps its [`Request`] and answers later, from any thread.

use std::fmt;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// Commands that wait for the world's thread. When full, the next is refused: far more than persons can ask for between
/// two frames.
pub(crate) const COMMAND_QUEUE: usize = 64;

/// The world's thread gets so long for an answer; a client that waits longer gives up anyway.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// What a client can ask of the world's thread.
#[derive(Clone, Debug, PartialEq)]
pub enum WorldCommand {
    /// Change values of the configuration: keys in their sections, or dotted. Answered with what that changed.
    Configure {
        /// As the configuration file has them.
        values: serde_json::Map<String, serde_json::Value>,
    },
    /// Take values of the configuration back to what they are by default. Answered as [`Self::Configure`].
    ResetConfiguration {
        /// Keys or sections; none means all.
        keys: Vec<String>,
    },
    /// List the cameras of this machine. Answered with what `ghostball devices --json` prints.
    ListDevices,
    /// Calibrate from the frames that come now. Answered when it has begun; how it goes on is published.
    Calibrate {
        /// Where the noses meet, set by hand: TL TR BR BL, pixels.
        corners: Option<[[f64; 2]; 4]>,
    },
    /// Record, or save what was kept. Answered with the file, once it is whole where it ends.
    Record {
        /// What to do.
        action: RecordAction,
    },
    /// List the recordings that were made for clients.
    ListRecordings,
    /// Play the recording that is the source otherwise. Answered with a [`ReplayView`](crate::ReplayView).
    Replay {
        /// How.
        action: ReplayAction,
    },
}

/// What can be done about recordings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RecordAction {
    /// Begin one.
    Start,
    /// End the one under way.
    Stop,
    /// Save what the ring keeps.
    SaveLast {
        /// So much of it, above 0.
        seconds: f64,
    },
}

/// How a recording can be played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReplayAction {
    /// Stand at the frame that was played last.
    Pause,
    /// Go on.
    Resume,
    /// Play so many frames, and stand.
    Step {
        /// From 1.
        frames: u32,
    },
    /// Go to another place.
    Seek {
        /// Since the first frame.
        seconds: f64,
    },
    /// Play faster or slower.
    Speed {
        /// Times real time, above 0; `None`: as fast as frames can be worked off.
        speed: Option<f64>,
    },
}

/// What a client gets: JSON, or why not.
pub type Answer = Result<serde_json::Value, Refusal>;

/// Why a command is not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Whose fault it is.
    pub reason: RefusalReason,
    /// What was expected, and what was found.
    pub message: String,
}

/// Whose fault it is that a command is not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalReason {
    /// The command is wrong in itself.
    Invalid,
    /// It is about something that does not exist.
    NotFound,
    /// It does not go with how things are.
    Conflict,
    /// Not now; it may be asked again.
    Busy,
    /// It was right, and still it failed.
    Failed,
}

impl Refusal {
    /// Refuses for this reason.
    pub fn new(reason: RefusalReason, message: impl fmt::Display) -> Self {
        Self {
            reason,
            message: message.to_string(),
        }
    }
}

/// A command on its way. Dropped without an answer, it is answered as failed.
#[derive(Debug)]
pub struct Request {
    /// What is asked for.
    pub command: WorldCommand,
    answer: oneshot::Sender<Answer>,
}

impl Request {
    /// Sends the answer; a client that has left does not mind.
    pub fn answer(self, answer: Answer) {
        self.answer.send(answer).ok();
    }
}

/// The network's end of the queue.
#[derive(Clone, Debug)]
pub(crate) struct CommandSender {
    queue: mpsc::Sender<Request>,
}

/// Both ends of a queue for commands.
pub(crate) fn command_queue() -> (CommandSender, mpsc::Receiver<Request>) {
    let (queue, requests) = mpsc::channel(COMMAND_QUEUE);
    (CommandSender { queue }, requests)
}

impl CommandSender {
    /// Asks the world's thread and waits for its answer.
    pub(crate) async fn ask(&self, command: WorldCommand) -> Answer {
        let (answer, answered) = oneshot::channel();
        self.queue
            .try_send(Request { command, answer })
            .map_err(|error| {
                let message = match error {
                    mpsc::error::TrySendError::Full(_) => {
                        format!("{COMMAND_QUEUE} commands wait already; try again in a moment")
                    }
                    mpsc::error::TrySendError::Closed(_) => "the program ends".to_owned(),
                };
                Refusal::new(RefusalReason::Busy, message)
            })?;
        match timeout(ANSWER_TIMEOUT, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(Refusal::new(
                RefusalReason::Failed,
                "nobody carries this command out",
            )),
            Err(_) => {
                let message = format!(
                    "no answer within {} s; it may still come about",
                    ANSWER_TIMEOUT.as_secs()
                );
                Err(Refusal::new(RefusalReason::Busy, message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reset() -> WorldCommand {
        WorldCommand::ResetConfiguration { keys: Vec::new() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_queue_refuses_and_a_silent_world_is_given_up() {
        let (sender, mut requests) = command_queue();
        let asked: Vec<_> = (0..COMMAND_QUEUE)
            .map(|_| {
                tokio::spawn({
                    let sender = sender.clone();
                    async move { sender.ask(reset()).await }
                })
            })
            .collect();
        while sender.queue.capacity() > 0 {
            tokio::task::yield_now().await;
        }
        let refused = sender.ask(reset()).await.unwrap_err();
        assert_eq!(
            (refused.reason, refused.message.contains("64 commands wait")),
            (RefusalReason::Busy, true)
        );

        requests.try_recv().unwrap().answer(Ok(7.into()));
        drop(requests.try_recv().unwrap());
        let mut answers = Vec::new();
        for answer in asked {
            answers.push(answer.await.unwrap());
        }
        assert_eq!(answers[0], Ok(7.into()));
        assert_eq!(answers[1].as_ref().unwrap_err().reason, RefusalReason::Failed);
        assert!(
            answers[2]
                .as_ref()
                .unwrap_err()
                .message
                .contains("no answer within 10 s")
        );
    }
}
