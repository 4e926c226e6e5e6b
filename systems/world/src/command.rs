//! What clients asked for.

use bevy_ecs::message::Message;

/// A client's command was admitted: before the frame that comes next, or the one that is worked off.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub struct CommandAdmitted {
    /// The command as JSON, for the recording.
    pub json: String,
}
