//! Commands of clients: taken from the bridge before each frame, and while no frame comes, and carried out one by one.

use bevy_ecs::prelude::*;

use crate::broadcast::{BridgeHandle, Refusal, RefusalReason, Request, WorldCommand};
use crate::capture::CameraDevices;
use crate::config::change;
use crate::world::AdmittedChange;
use crate::{live_calibration, playback, recordings};

/// Commands carried out before one frame, so that no flood of them holds it up.
const COMMANDS_PER_FRAME: usize = 8;

/// Where commands come from. Without it none do.
#[derive(Resource, Clone)]
pub struct CommandSource(pub BridgeHandle);

/// Carries out what clients have asked for since the last time. What that changes of the states to come is noted in
/// [`AdmittedChange`], to be recorded with the frame that follows.
pub fn admit(world: &mut World) {
    let Some(CommandSource(bridge)) = world.get_resource().cloned() else {
        return;
    };
    for _ in 0..COMMANDS_PER_FRAME {
        let Some(request) = bridge.next_request() else {
            return;
        };
        dispatch(world, request);
    }
}

/// Puts into force again what was changed while a recording was made.
pub fn admit_again(world: &mut World, change: &AdmittedChange) -> Result<(), toml::de::Error> {
    if let Some(text) = &change.configuration {
        change::apply_again(world, text)?;
    }
    if let Some(text) = &change.calibration {
        live_calibration::put_into_force(world, toml::from_str(text)?);
    }
    Ok(())
}

/// Who carries out what. Nothing here may wait: what takes longer keeps the request and answers later.
fn dispatch(world: &mut World, request: Request) {
    match &request.command {
        WorldCommand::Configure { .. } | WorldCommand::ResetConfiguration { .. } => {
            change::carry_out(world, request)
        }
        WorldCommand::Calibrate { .. } => live_calibration::start(world, request),
        WorldCommand::ListDevices => list_devices(request),
        WorldCommand::Record { .. } | WorldCommand::ListRecordings => recordings::carry_out(world, request),
        WorldCommand::Replay { .. } => playback::carry_out(world, request),
    }
}

/// Cameras take their time to answer: they are asked on a thread apart.
fn list_devices(request: Request) {
    let listed = std::thread::Builder::new()
        .name("devices".to_owned())
        .spawn(move || {
            let devices = serde_json::to_value(CameraDevices::list());
            request.answer(devices.map_err(|error| Refusal::new(RefusalReason::Failed, error)));
        });
    if let Err(error) = listed {
        // The request is gone with the thread, and answered as failed.
        tracing::error!(%error, "no thread is to be had to list the cameras");
    }
}
