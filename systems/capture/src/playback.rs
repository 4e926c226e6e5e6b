//! How a source that does not run by itself is played: paused, frame by frame, faster, slower, from elsewhere.

use std::sync::Arc;
use std::time::Duration;

use ghostball_world::Frame;

use crate::ring::{Pace, Ring, Shared};

/// What was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Playback {
    pub(crate) pace: Pace,
    pub(crate) is_paused: bool,
    /// Frames that are given all the same.
    pub(crate) steps: u32,
    /// Where to go, until the source goes there.
    pub(crate) seek: Option<Duration>,
    /// Changes with whatever the capture thread has to know of.
    pub(crate) revision: u64,
}

impl Playback {
    pub(crate) fn new(pace: Pace) -> Self {
        Self {
            pace,
            is_paused: false,
            steps: 0,
            seek: None,
            revision: 0,
        }
    }

    /// Whether this frame may be given to the runner now.
    pub(crate) fn lets_pass(&self, frame: &Frame) -> bool {
        !self.is_paused || self.steps > 0 || frame.recorded.is_leading
    }

    /// This frame was given.
    pub(crate) fn note(&mut self, frame: &Frame) {
        if self.is_paused && !frame.recorded.is_leading {
            self.steps = self.steps.saturating_sub(1);
        }
    }
}

/// How a source is played at the moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlaybackState {
    /// How fast.
    pub pace: Pace,
    /// Whether it stands.
    pub is_paused: bool,
    /// Whether the last frame was given.
    pub has_ended: bool,
}

/// Controls how a source is played. With one of these about, the source is kept after its end, to be played from elsewhere.
#[derive(Clone, Debug)]
pub struct PlaybackControl {
    pub(crate) shared: Arc<Shared>,
}

impl PlaybackControl {
    /// How it is played at the moment.
    pub fn state(&self) -> PlaybackState {
        let ring = self.shared.lock();
        PlaybackState {
            pace: ring.playback.pace,
            is_paused: ring.playback.is_paused,
            has_ended: ring.ended && ring.frames.is_empty(),
        }
    }

    /// Stops after the frame that was given last.
    pub fn pause(&self) {
        self.change(|ring| (ring.playback.is_paused, ring.playback.steps) = (true, 0));
    }

    /// Goes on.
    pub fn resume(&self) {
        self.change(|ring| ring.playback.is_paused = false);
    }

    /// Gives so many frames, and stands.
    pub fn step(&self, frames: u32) {
        self.change(|ring| {
            let playback = &mut ring.playback;
            let before = if playback.is_paused { playback.steps } else { 0 };
            (playback.is_paused, playback.steps) = (true, before.saturating_add(frames));
        });
    }

    /// Plays at this pace.
    pub fn set_pace(&self, pace: Pace) {
        self.change(|ring| ring.playback.pace = pace);
    }

    /// Goes to a place so long after the first frame; where it stands, one frame of there is given.
    pub fn seek(&self, since_first: Duration) {
        self.change(|ring| {
            // Of the old place; none can come any more once it is known what is sought.
            ring.frames.clear();
            ring.ended = false;
            ring.playback.seek = Some(since_first);
            ring.playback.steps = u32::from(ring.playback.is_paused);
        });
    }

    fn change(&self, change: impl FnOnce(&mut Ring)) {
        let mut ring = self.shared.lock();
        change(&mut ring);
        ring.playback.revision += 1;
        drop(ring);
        self.shared.changed.notify_all();
    }
}
