//! Recording in the app.

use bevy_app::{App, Plugin};
use bevy_ecs::prelude::*;
use ghostball_world::{
    AdmittedChange, Alert, AlertCode, AlertLevel, CurrentFrame, FrameSystems, FrameTick, LatestSnapshot,
    Snapshot, Stamp, save_memory,
};

use crate::queue::Trouble;
use crate::recorder::Recorder;
use crate::ring::Ring;

/// Records in [`FrameSystems::Record`], while there is a [`Recording`]. `write_state` puts a snapshot into JSON.
pub struct RecordPlugin {
    write_state: WriteState,
}

/// Puts the world after a frame into JSON.
pub type WriteState = fn(&Snapshot, &mut Vec<u8>);

impl RecordPlugin {
    /// With the way in which states are written.
    pub fn new(write_state: WriteState) -> Self {
        Self { write_state }
    }
}

impl Plugin for RecordPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Recording>()
            .insert_resource(StateWriter(self.write_state))
            .add_systems(FrameTick, record.in_set(FrameSystems::Record));
    }
}

/// The recording under way, if any.
#[derive(Resource, Default)]
pub struct Recording {
    /// Takes frames while it is there.
    pub recorder: Option<Recorder>,
    /// Keeps the last minutes while it is there.
    pub ring: Option<Ring>,
    /// What was last told of the disk.
    told: Option<Trouble>,
    /// What the systems remember; a buffer.
    keyframe: Vec<u8>,
    /// The world after a frame, JSON; a buffer.
    state: Vec<u8>,
    /// One line in the log for the first that cannot be saved.
    has_warned: bool,
}

impl Recording {
    /// Those under way.
    fn recorders(&mut self) -> impl Iterator<Item = &mut Recorder> {
        let ring = self.ring.as_mut().and_then(Ring::current);
        self.recorder.iter_mut().chain(ring)
    }

    /// Whether something new is wrong, or no more: the old condition and the new one.
    fn news(&mut self) -> Option<(Option<Trouble>, Option<Trouble>)> {
        let trouble = self.recorders().find_map(|recorder| recorder.trouble());
        let is_news = code(trouble.as_ref()) != code(self.told.as_ref());
        is_news.then(|| (std::mem::replace(&mut self.told, trouble.clone()), trouble))
    }
}

/// Takes a keyframe, where one is due, before the frame with this stamp is admitted. To be called between frames.
pub fn take_keyframe(world: &mut World, captured_at: Stamp) {
    let Some(mut recording) = world.get_resource_mut::<Recording>() else {
        return;
    };
    if let Some(ring) = &mut recording.ring {
        ring.turn(captured_at);
    }
    let mut is_due = false;
    for recorder in recording.recorders() {
        is_due |= recorder.wants_keyframe(captured_at);
    }
    if !is_due {
        return;
    }
    let mut keyframe = std::mem::take(&mut recording.keyframe);
    let saved = save_memory(world, &mut keyframe);
    let Some(mut recording) = world.get_resource_mut::<Recording>() else {
        return;
    };
    match saved {
        Ok(()) => {
            for recorder in recording.recorders() {
                if recorder.wants_keyframe(captured_at) {
                    recorder.take_keyframe(captured_at, &keyframe);
                }
            }
        }
        Err(error) => {
            if !std::mem::replace(&mut recording.has_warned, true) {
                tracing::error!("a replay of this recording cannot begin within it: {error}");
            }
        }
    }
    recording.keyframe = keyframe;
}

#[derive(Resource)]
struct StateWriter(WriteState);

fn code(trouble: Option<&Trouble>) -> Option<AlertCode> {
    trouble.map(|trouble| match trouble {
        Trouble::DiskFull(_) => AlertCode::DiskFull,
        Trouble::DiskSlow => AlertCode::DiskSlow,
    })
}

/// Hands the frame and what became of it to the recording thread, and tells when the disk does not keep up.
fn record(
    frame: Res<CurrentFrame>,
    snapshot: Res<LatestSnapshot>,
    state: Res<StateWriter>,
    mut change: ResMut<AdmittedChange>,
    mut recording: ResMut<Recording>,
    mut alerts: ParamSet<(MessageReader<Alert>, MessageWriter<Alert>)>,
) {
    let recording = &mut *recording;
    let mut reader = alerts.p0();
    let change = std::mem::take(change.bypass_change_detection());
    for alert in reader.read() {
        recording
            .recorders()
            .for_each(|recorder| recorder.take_alert(alert));
    }
    if !change.is_empty() {
        // Two texts are always JSON.
        let change = serde_json::to_vec(&change).unwrap_or_default();
        recording
            .recorders()
            .for_each(|recorder| recorder.take_change(&change));
    }
    if let Some(frame) = &frame.0
        && recording.recorders().next().is_some()
    {
        // Once for all recorders.
        let mut json = std::mem::take(&mut recording.state);
        json.clear();
        (state.0)(&snapshot.0, &mut json);
        for recorder in recording.recorders() {
            recorder.take_frame(frame, |out| out.extend_from_slice(&json));
        }
        recording.state = json;
    }
    let Some((before, after)) = recording.news() else {
        return;
    };
    let lost: u64 = recording
        .recorders()
        .map(|recorder| recorder.counters().lost)
        .sum();
    let mut writer = alerts.p1();
    if let Some(code) = code(before.as_ref()) {
        writer.write(Alert {
            level: AlertLevel::Info,
            code,
            begins: false,
            text: format!("frames are recorded again; {lost} are missing"),
        });
    }
    if let Some(trouble) = after {
        let (code, text) = match trouble {
            Trouble::DiskFull(why) => (
                AlertCode::DiskFull,
                format!("the recording cannot be written: {why}; make room on the disk"),
            ),
            Trouble::DiskSlow => (
                AlertCode::DiskSlow,
                "the disk is too slow for the recording: frames are left out of it".to_owned(),
            ),
        };
        writer.write(Alert {
            level: AlertLevel::Error,
            code,
            begins: true,
            text,
        });
    }
}
