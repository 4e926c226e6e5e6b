//! The runner: one pass of the schedule per camera frame. The camera is the clock.

use std::sync::Arc;
use std::time::Duration;

use bevy_app::{App, PluginsState};
use bevy_ecs::world::World;

use crate::capture::{
    CaptureCounters, CaptureError, ExposureHold, FrameReceiver, PendingFrame, Received, SourceHealth,
};
use crate::commands;
use crate::follower::{Agreement, Follower};
use crate::live_calibration;
use crate::playback;
use crate::recording;
use crate::world::{CurrentFrame, IdleTick, LatestSnapshot, Snapshot};

/// How long to wait for a frame before saying that none came.
const IDLE_AFTER: Duration = Duration::from_millis(100);

/// What one step of the runner did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A frame went through the pipeline.
    Frame,
    /// No frame came for a while.
    Idle,
    /// There is no frame any more.
    End,
}

/// Takes frames from the capture ring and drives the app with them.
pub struct Runner {
    app: App,
    frames: FrameReceiver,
    follower: Option<Follower>,
}

impl Runner {
    /// Puts the app's plugins in order; no frame is taken yet.
    pub fn new(mut app: App, frames: FrameReceiver) -> Self {
        if app.plugins_state() != PluginsState::Cleaned {
            app.finish();
            app.cleanup();
        }
        Self {
            app,
            frames,
            follower: None,
        }
    }

    /// Makes the states those of the recording that the frames are from, wherever they begin. Nothing is lost on the way
    /// to this runner then ([`RingPolicy::Replay`](crate::capture::RingPolicy)).
    pub fn following(self, follower: Follower) -> Self {
        Self {
            follower: Some(follower),
            ..self
        }
    }

    /// What is known of how the states compare with those recorded.
    pub fn agreement(&self) -> Option<Agreement> {
        self.follower.as_ref().map(Follower::agreement)
    }

    /// Waits for one frame and runs the schedule on it.
    pub fn step(&mut self) -> Result<Step, CaptureError> {
        match self.frames.receive(IDLE_AFTER) {
            Received::Frame(frame) => {
                self.app.insert_resource(self.frames.health());
                let world = self.app.world_mut();
                commands::admit(world);
                if let Some(follower) = &mut self.follower {
                    follower.before(world, &frame.recorded);
                }
                recording::take_keyframe(world, frame.captured_at);
                self.app.insert_resource(PendingFrame(Some(Arc::clone(&frame))));
                self.app.update();
                if let Some(follower) = &mut self.follower {
                    follower.after(self.app.world(), &frame.recorded);
                }
                playback::tell(self.app.world());
                live_calibration::go_on(self.app.world_mut());
                let hold = self.app.world().resource::<ExposureHold>().now;
                self.frames.hold_exposure(hold);
                Ok(Step::Frame)
            }
            Received::Idle => {
                // Also of a replay: how else could a paused one go on?
                commands::admit(self.app.world_mut());
                // What happens between frames depends on the host's clock: a replay must not see it.
                if self.frames.description().live {
                    self.app.insert_resource(self.frames.health());
                    self.app.world_mut().run_schedule(IdleTick);
                }
                Ok(Step::Idle)
            }
            Received::End => {
                // Who has seen the end may want to see it again.
                commands::admit(self.app.world_mut());
                // The last frame often goes through before its source is read on and found to end.
                playback::tell(self.app.world());
                Ok(Step::End)
            }
            Received::Failed(error) => Err(error),
        }
    }

    /// Whether the last frame only leads to the place in a recording that was sought.
    pub fn is_leading(&self) -> bool {
        let frame = &self.app.world().resource::<CurrentFrame>().0;
        frame.as_ref().is_some_and(|frame| frame.recorded.is_leading)
    }

    /// What has come from the source, and what was lost on the way.
    pub fn counters(&self) -> CaptureCounters {
        self.frames.counters()
    }

    /// How the source is.
    pub fn source_health(&self) -> SourceHealth {
        self.frames.health()
    }

    /// The world between two frames.
    pub fn world_mut(&mut self) -> &mut World {
        self.app.world_mut()
    }

    /// The world as it was after the last frame.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.app.world().resource::<LatestSnapshot>().0)
    }
}
