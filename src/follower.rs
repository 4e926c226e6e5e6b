//! A replay that follows its recording: it remembers what the recorded run remembered, and is told what that was told.

use bevy_ecs::world::World;

use crate::commands;
use crate::record::write_state;
use crate::world::{LatestSnapshot, Recorded, load_memory, save_memory};

/// How far a replay is the recorded run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    /// Frames whose state is that recorded, byte for byte.
    pub same: u64,
    /// Frames whose state is another one.
    pub different: u64,
    /// Frames with nothing to be compared with: no state was recorded, or frames are missing before them and no keyframe
    /// was taken since.
    pub unknown: u64,
    /// The first frame whose state is another one, counted from 0 as the recording does.
    pub first_different: Option<u64>,
    /// Keyframes that are not what was remembered in their place, to the last bit.
    pub different_keyframes: u64,
}

/// Keeps a replay in step with its recording.
#[derive(Debug, Default)]
pub struct Follower {
    /// Everything that the recorded run saw was seen here too, from a keyframe on.
    is_in_step: bool,
    /// Whether states are compared, and how they compared so far.
    checks: bool,
    agreement: Agreement,
    buffer: Vec<u8>,
    /// One line in the log for the first keyframe that cannot be read.
    has_warned: bool,
}

impl Follower {
    /// One that compares every state with that recorded, or does not.
    pub fn new(checks: bool) -> Self {
        Self {
            checks,
            ..Self::default()
        }
    }

    /// Makes the world what it was before this frame, as far as the recording tells. To be called between frames.
    pub fn before(&mut self, world: &mut World, recorded: &Recorded) {
        self.is_in_step &= !recorded.is_cut;
        if !recorded.change.is_empty() {
            self.admit(world, &recorded.change);
        }
        if recorded.keyframe.is_empty() {
            return;
        }
        if !self.is_in_step {
            match load_memory(world, &recorded.keyframe) {
                Ok(()) => self.is_in_step = true,
                Err(error) if !std::mem::replace(&mut self.has_warned, true) => {
                    tracing::warn!("states can differ from those recorded: {error}");
                }
                Err(_) => {}
            }
        } else if self.checks {
            let is_same = save_memory(world, &mut self.buffer).is_ok() && self.buffer == recorded.keyframe;
            self.agreement.different_keyframes += u64::from(!is_same);
        }
    }

    fn admit(&mut self, world: &mut World, change: &[u8]) {
        let admitted = serde_json::from_slice(change)
            .map_err(|error| error.to_string())
            .and_then(|change| commands::admit_again(world, &change).map_err(|error| error.to_string()));
        if let Err(error) = admitted {
            tracing::warn!("a change that was made while this was recorded is none that is known: {error}");
        }
    }

    /// Compares what became of this frame with what was recorded of it.
    pub fn after(&mut self, world: &World, recorded: &Recorded) {
        if !self.checks {
            return;
        }
        let snapshot = &world.resource::<LatestSnapshot>().0;
        let agreement = &mut self.agreement;
        if !self.is_in_step || recorded.state.is_empty() {
            agreement.unknown += 1;
            return;
        }
        self.buffer.clear();
        write_state(snapshot, &mut self.buffer);
        if self.buffer == recorded.state {
            agreement.same += 1;
        } else {
            agreement.different += 1;
            agreement.first_different.get_or_insert(snapshot.frame_number);
        }
    }

    /// How states compared so far.
    pub fn agreement(&self) -> Agreement {
        self.agreement
    }
}
