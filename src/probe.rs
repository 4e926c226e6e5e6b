//! Measures the stages of each frame, between the sets, so that no system has to look at the host's clock.
#![allow(clippy::disallowed_methods, reason = "measuring is what this is for")]

use std::time::Instant;

use bevy_app::{App, Plugin};
use bevy_ecs::prelude::*;

use crate::capture::{SourceHealth, SourceTimes};
use crate::world::{FrameSystems, FrameTick, StageTimes};

/// Keeps [`StageTimes`] up to date.
pub struct ProbePlugin;

impl Plugin for ProbePlugin {
    fn build(&self, app: &mut App) {
        use FrameSystems::{Admit, Detect, Predict, Record, Track};
        app.init_resource::<Mark>().add_systems(
            FrameTick,
            (
                start.after(Admit).before(Detect),
                detected.after(Detect).before(Track),
                tracked.after(Track).before(Predict),
                predicted.after(Predict).before(Record),
            ),
        );
    }
}

/// When the stage under way began.
#[derive(Resource, Default)]
struct Mark(Option<Instant>);

impl Mark {
    /// Ends a stage and begins the next: how long the one that ended took.
    fn lap(&mut self) -> std::time::Duration {
        let now = Instant::now();
        self.0
            .replace(now)
            .map_or_else(Default::default, |began| now - began)
    }
}

fn start(mut mark: ResMut<Mark>, mut times: ResMut<StageTimes>, source: Res<SourceHealth>) {
    let SourceTimes { capture, decode } = source.times;
    *times = StageTimes {
        capture,
        decode,
        ..StageTimes::default()
    };
    mark.lap();
}

fn detected(mut mark: ResMut<Mark>, mut times: ResMut<StageTimes>) {
    times.detect = mark.lap();
}

fn tracked(mut mark: ResMut<Mark>, mut times: ResMut<StageTimes>) {
    times.track = mark.lap();
}

fn predicted(mut mark: ResMut<Mark>, mut times: ResMut<StageTimes>) {
    times.predict = mark.lap();
}
