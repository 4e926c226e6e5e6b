//! Recording in the app.

use bevy_app::{App, Plugin};
use bevy_ecs::prelude::*;
use ghostball_world::{
    Alert, AlertCode, AlertLevel, CommandAdmitted, CurrentFrame, FrameSystems, FrameTick, LatestSnapshot,
    Snapshot,
};

use crate::queue::Trouble;
use crate::recorder::Recorder;

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
    /// What was last told of the disk.
    told: Option<Trouble>,
}

impl Recording {
    /// Whether something new is wrong, or no more: the old condition and the new one.
    fn news(&mut self) -> Option<(Option<Trouble>, Option<Trouble>)> {
        let trouble = self.recorder.as_ref().and_then(Recorder::trouble);
        let is_news = code(trouble.as_ref()) != code(self.told.as_ref());
        is_news.then(|| (std::mem::replace(&mut self.told, trouble.clone()), trouble))
    }
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
    mut commands: MessageReader<CommandAdmitted>,
    mut recording: ResMut<Recording>,
    mut alerts: ParamSet<(MessageReader<Alert>, MessageWriter<Alert>)>,
) {
    let recording = &mut *recording;
    let mut reader = alerts.p0();
    match &mut recording.recorder {
        Some(recorder) => {
            for alert in reader.read() {
                recorder.take_alert(alert);
            }
            for command in commands.read() {
                recorder.take_command(&command.json);
            }
            if let Some(frame) = &frame.0 {
                recorder.take_frame(frame, |out| (state.0)(&snapshot.0, out));
            }
        }
        None => {
            reader.clear();
            commands.clear();
        }
    }
    let Some((before, after)) = recording.news() else {
        return;
    };
    let lost = recording
        .recorder
        .as_ref()
        .map_or(0, |recorder| recorder.counters().lost);
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
