//! Where the balls will go: from entities to predicted paths, by physics.
//!
//! Once per frame [`PredictPlugin`] looks at the balls and the stick and fills
//! [`Predictions`](ghostball_world::Predictions): the whole future of balls that move, or of the ball that the stick is
//! aimed at, or nothing. A table on which nothing changes costs nothing.
//!
//! | module | job |
//! |---|---|
//! | `scene` | the world as physics wants it |
//! | `aim` | which ball the stick points at |
//! | `course` | a simulated shot told as lines, contacts, ghost balls and ends |
//! | `spread` | how an error grows on the way: confidences |
//! | `fan` | the same shot many times over: chances of pots |
//! | `predictor` | what to predict, and whether anything is new |
//! | [`laws`] | friction and cushions of one table, fitted to shots seen on it |
//! | `what_if` | strokes that nobody has played |
//! | `entities` | the only module that knows bevy's queries |

mod aim;
mod course;
mod entities;
mod fan;
pub mod laws;
mod predictor;
mod scene;
mod spread;
mod what_if;

pub use predictor::PredictConfig;
pub use what_if::what_if;

use bevy_app::{App, Plugin};
use bevy_ecs::prelude::*;
use ghostball_world::{FrameSystems, FrameTick, Remember as _};

/// Keeps [`Predictions`](ghostball_world::Predictions) up to date, in [`FrameSystems::Predict`]. What it assumes is in
/// [`PredictConfig`].
pub struct PredictPlugin;

impl Plugin for PredictPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<PredictConfig>()
            .init_resource::<entities::Memory>()
            .remember_with(
                "prediction",
                entities::Memory::remembered,
                entities::Memory::remember,
            )
            .add_systems(FrameTick, entities::predict.in_set(FrameSystems::Predict));
    }
}
