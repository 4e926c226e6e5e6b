//! Commands of clients: taken from the bridge before each frame, and while no frame comes, and carried out one by one.

use bevy_ecs::prelude::*;

use crate::broadcast::{BridgeHandle, Request, WorldCommand};
use crate::config::change;
use crate::world::CommandAdmitted;

/// Commands carried out before one frame, so that no flood of them holds it up.
const COMMANDS_PER_FRAME: usize = 8;

/// Where commands come from. Without it none do.
#[derive(Resource, Clone)]
pub struct CommandSource(pub BridgeHandle);

/// Carries out what clients have asked for since the last time. What is admitted is told as [`CommandAdmitted`], so that it
/// can be recorded with the frame that follows.
pub fn admit(world: &mut World) {
    let Some(CommandSource(bridge)) = world.get_resource().cloned() else {
        return;
    };
    for _ in 0..COMMANDS_PER_FRAME {
        let Some(request) = bridge.next_request() else {
            return;
        };
        if let Ok(json) = serde_json::to_string(&request.command) {
            world.write_message(CommandAdmitted { json });
        }
        dispatch(world, request);
    }
}

/// Who carries out what. Nothing here may wait: what takes longer keeps the request and answers later.
fn dispatch(world: &mut World, request: Request) {
    match &request.command {
        WorldCommand::Configure { .. } | WorldCommand::ResetConfiguration { .. } => {
            change::carry_out(world, request)
        }
    }
}
