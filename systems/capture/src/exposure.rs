//! When a camera has to keep its exposure.
//!
//! A player who leans over the table makes an automatic exposure brighten the whole picture, and with it every colour.

use bevy_ecs::prelude::*;
use ghostball_world::{Ball, Table};

/// Whether exposure and gain are to stay as they are.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExposureHold {
    /// Whether they are ever to be held: as configured.
    pub during_play: bool,
    /// Whether they are to be held now.
    pub now: bool,
}

/// There is play while balls are seen on a table. Without them the light may have changed for good (the lamp is off, the
/// camera was moved), and the camera has to find its exposure anew.
pub(crate) fn decide_hold(
    mut hold: ResMut<ExposureHold>,
    tables: Query<(), With<Table>>,
    balls: Query<(), With<Ball>>,
) {
    let now = hold.during_play && !tables.is_empty() && !balls.is_empty();
    hold.set_if_neq(ExposureHold { now, ..*hold });
}
