//! Clients play a recording as they like: `/api/v1/replay`.

use std::time::Duration;

use bevy_ecs::prelude::*;

use crate::broadcast::{
    BridgeHandle, Refusal, RefusalReason, ReplayAction, ReplayView, Request, WorldCommand,
};
use crate::capture::{FrameReceiver, Pace, PlaybackControl};
use crate::world::{LatestSnapshot, Stamp};

/// The recording that is played. Without it, the source is none.
#[derive(Resource)]
pub struct Playing {
    control: PlaybackControl,
    bridge: BridgeHandle,
    name: String,
    /// Stamps of the first and the last frame.
    span: (Stamp, Stamp),
    repeats: bool,
}

impl Playing {
    /// Of the source of these frames; `None` where no place in it can be sought.
    pub fn new(frames: &FrameReceiver, bridge: BridgeHandle, repeats: bool) -> Option<Self> {
        let description = frames.description();
        Some(Self {
            span: description.span?,
            name: description.name.clone(),
            control: frames.control(),
            bridge,
            repeats,
        })
    }

    fn view(&self, world: &World) -> ReplayView {
        let (first, last) = self.span;
        let newest = world.get_resource::<LatestSnapshot>();
        let at = newest
            .map_or(first, |newest| newest.0.captured_at)
            .clamp(first, last);
        let state = self.control.state();
        ReplayView {
            source: self.name.clone(),
            position_seconds: at.since(first).as_secs_f64(),
            duration_seconds: last.since(first).as_secs_f64(),
            paused: state.is_paused,
            ended: state.has_ended,
            speed: match state.pace {
                Pace::Max => None,
                Pace::Speed(speed) => Some(speed),
            },
            repeats: self.repeats,
        }
    }
}

/// Tells where the replay is; does nothing where there is none.
pub fn tell(world: &World) {
    if let Some(playing) = world.get_resource::<Playing>() {
        playing.bridge.publish_replay(playing.view(world));
    }
}

/// Carries out [`WorldCommand::Replay`].
pub fn carry_out(world: &mut World, request: Request) {
    let answer = match (&request.command, world.get_resource::<Playing>()) {
        (WorldCommand::Replay { action }, Some(playing)) => {
            let done = act(action, &playing.control);
            done.map(|()| serde_json::to_value(playing.view(world)).unwrap_or_default())
        }
        _ => Err(Refusal::new(RefusalReason::NotFound, ReplayView::NONE)),
    };
    tell(world);
    request.answer(answer);
}

fn act(action: &ReplayAction, control: &PlaybackControl) -> Result<(), Refusal> {
    let invalid = |expected: &str, found: f64| {
        let message = format!("expected {expected}, found {found}");
        Err(Refusal::new(RefusalReason::Invalid, message))
    };
    match *action {
        ReplayAction::Pause => control.pause(),
        ReplayAction::Resume => control.resume(),
        ReplayAction::Step { frames: 0 } => return invalid("at least 1 frame", 0.0),
        ReplayAction::Step { frames } => control.step(frames),
        ReplayAction::Seek { seconds } => match Duration::try_from_secs_f64(seconds) {
            Ok(since_first) => control.seek(since_first),
            Err(_) => return invalid("seconds since the first frame, at least 0", seconds),
        },
        ReplayAction::Speed { speed: None } => control.set_pace(Pace::Max),
        ReplayAction::Speed { speed: Some(speed) } if speed.is_finite() && speed > 0.0 => {
            control.set_pace(Pace::Speed(speed));
        }
        ReplayAction::Speed { speed } => return invalid("a speed above 0", speed.unwrap_or_default()),
    }
    Ok(())
}
