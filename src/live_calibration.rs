//! A calibration while the program runs: frames are looked at on a thread apart, and the table is followed meanwhile.

use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use bevy_ecs::prelude::*;
use glam::DVec2;
use serde_json::json;

use crate::broadcast::{
    BridgeHandle, CalibrationStatus, CalibrationView, Refusal, RefusalReason, Request, WorldCommand,
};
use crate::calibration_file::{self, CalibrationFile, PhysicsRecord};
use crate::detection::{Calibration, Calibrator, DetectionError};
use crate::world::{AdmittedChange, CurrentFrame, Frame, TableSpecification};

/// Most frames that are looked at; fewer when they change nothing any more. As `ghostball calibrate` has it.
const FRAMES: u32 = 60;

/// The calibration that is under way, if any, and who is told.
#[derive(Resource)]
pub struct LiveCalibration {
    bridge: BridgeHandle,
    run: Option<Run>,
    /// Friction and cushions that came with the file, if any: a new look at the table changes nothing of them.
    physics: Option<PhysicsRecord>,
}

/// One calibration under way. Dropped, its thread ends after the frame it looks at.
struct Run {
    /// Holds one frame: the thread looks at the next when it has time. Full: the frame is left out.
    frames: SyncSender<Arc<Frame>>,
    /// Locked by nobody: a resource has to be fit for several threads.
    news: Mutex<Receiver<News>>,
    looked_at: u32,
}

enum News {
    LookedAt(u32),
    Done(Option<Box<Calibration>>, Option<DetectionError>),
}

impl LiveCalibration {
    /// Tells of the calibration that the program was started with.
    pub fn new(bridge: BridgeHandle, file: Option<&CalibrationFile>) -> Self {
        bridge.publish_calibration(file.map_or_else(CalibrationView::default, in_force));
        let physics = file.and_then(|file| file.physics);
        Self {
            bridge,
            run: None,
            physics,
        }
    }
}

/// Carries out [`WorldCommand::Calibrate`].
pub fn start(world: &mut World, request: Request) {
    let specification = world
        .get_resource::<TableSpecification>()
        .copied()
        .unwrap_or_default();
    let answer = begin(world, specification, &request.command);
    request.answer(answer);
}

fn begin(
    world: &mut World,
    specification: TableSpecification,
    command: &WorldCommand,
) -> Result<serde_json::Value, Refusal> {
    let Some(mut live) = world.get_resource_mut::<LiveCalibration>() else {
        return Err(Refusal::new(
            RefusalReason::NotFound,
            "this program cannot be calibrated while it runs",
        ));
    };
    if live.run.is_some() {
        return Err(Refusal::new(
            RefusalReason::Conflict,
            "a calibration is under way already",
        ));
    }
    let mut calibrator = Calibrator::new(specification);
    if let WorldCommand::Calibrate {
        corners: Some(corners),
    } = command
    {
        if corners.as_flattened().iter().any(|number| !number.is_finite()) {
            return Err(Refusal::new(
                RefusalReason::Invalid,
                "expected corners with finite numbers",
            ));
        }
        calibrator = calibrator.with_corners(corners.map(DVec2::from));
    }
    let (frames, seen) = sync_channel(1);
    let (tell, news) = sync_channel(4);
    std::thread::Builder::new()
        .name("calibration".to_owned())
        .spawn(move || look(calibrator, &seen, &tell))
        .map_err(|error| Refusal::new(RefusalReason::Failed, format!("no thread is to be had: {error}")))?;
    live.run = Some(Run {
        frames,
        news: Mutex::new(news),
        looked_at: 0,
    });
    let before = live.bridge.calibration();
    live.bridge.publish_calibration(CalibrationView {
        status: CalibrationStatus::Running,
        frames: 0,
        message: None,
        ..before
    });
    Ok(json!({"status": CalibrationStatus::Running}))
}

/// The thread: looks at frames until they change nothing any more.
fn look(mut calibrator: Calibrator, frames: &Receiver<Arc<Frame>>, tell: &SyncSender<News>) {
    let (mut looked_at, mut why) = (0, None);
    while looked_at < FRAMES && !calibrator.is_settled() {
        let Ok(frame) = frames.recv() else { return };
        looked_at += 1;
        if let Err(error) = calibrator.look(&frame.picture) {
            why = Some(error);
        }
        // Nobody minds if this one is not told.
        tell.try_send(News::LookedAt(looked_at)).ok();
    }
    tell.send(News::Done(calibrator.finish().map(Box::new), why)).ok();
}

/// Hands the newest frame to a calibration under way, and takes what came of it. Called after each frame.
pub fn go_on(world: &mut World) {
    let frame = world
        .get_resource::<CurrentFrame>()
        .and_then(|frame| frame.0.clone());
    let Some(mut live) = world.get_resource_mut::<LiveCalibration>() else {
        return;
    };
    let Some(run) = &mut live.run else { return };
    if let Some(frame) = frame {
        // The thread may be busy with another, or done.
        run.frames.try_send(frame).ok();
    }
    let done = loop {
        match run
            .news
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .try_recv()
        {
            Ok(News::LookedAt(frames)) => run.looked_at = frames,
            Ok(News::Done(calibration, why)) => break Some((calibration, why)),
            Err(TryRecvError::Empty) => break None,
            Err(TryRecvError::Disconnected) => break Some((None, None)),
        }
    };
    let frames = run.looked_at;
    let before = live.bridge.calibration();
    let Some((calibration, why)) = done else {
        if frames != before.frames {
            live.bridge
                .publish_calibration(CalibrationView { frames, ..before });
        }
        return;
    };
    live.run = None;
    let Some(camera) = calibration.map(|calibration| *calibration) else {
        let why = why.map(|why| format!(" (the last: {why})")).unwrap_or_default();
        let message = format!("a table was expected, found none in {frames} frames{why}");
        tracing::warn!("calibration: {message}");
        live.bridge.publish_calibration(CalibrationView {
            status: CalibrationStatus::Failed,
            frames,
            message: Some(message),
            ..before
        });
        return;
    };
    let file = CalibrationFile {
        camera: camera.clone(),
        physics: live.physics,
    };
    live.bridge.publish_calibration(CalibrationView {
        frames,
        ..in_force(&file)
    });
    tracing::info!(
        "calibrated in {frames} frames: noses off the table's sides by {:.2} px, {:.2} mm",
        camera.errors.nose_px,
        camera.errors.nose_mm
    );
    if let (Some(mut change), Ok(text)) = (
        world.get_resource_mut::<AdmittedChange>(),
        toml::to_string(&camera),
    ) {
        change.calibration = Some(text);
    }
    put_into_force(world, camera);
}

/// From the next frame on, the table is where this calibration says.
pub fn put_into_force(world: &mut World, camera: Calibration) {
    if let Some(mut specification) = world.get_resource_mut::<TableSpecification>() {
        *specification = camera.specification(&specification);
    }
    world.insert_resource(camera);
}

fn in_force(file: &CalibrationFile) -> CalibrationView {
    let text = calibration_file::to_text(file).ok();
    let table = text.as_deref().and_then(|text| text.parse::<toml::Table>().ok());
    CalibrationView {
        status: CalibrationStatus::Done,
        frames: file.camera.errors.frames,
        message: None,
        calibration: table.and_then(|table| serde_json::to_value(table).ok()),
        file: text,
    }
}
