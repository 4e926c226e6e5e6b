//! A simulated table: plays shots for ever and renders camera frames with the exact truth beside each frame.
//!
//! [`SimulatedTable`] is the whole: a [`Game`] played from a seed, seen by a camera above the table. Everything that
//! differs from table to table (cloth, rails, lamps, where the camera hangs) comes from the same seed, and so does
//! every byte of every picture.

mod background;
mod ball;
mod ball_paint;
mod camera;
mod canvas;
mod cloth;
mod color;
mod cue_stick;
mod look;
mod options;
mod player;
mod rack;
mod random;
mod renderer;
mod scene;
mod shadow;
mod shot_choice;
mod simulated_table;
mod stage;
mod strip;
mod stroke;
mod table_model;
mod tile;
mod truth;

pub use camera::{Camera, CameraPose, EllipseInImage};
pub use look::{Lamp, Look, Sights};
pub use options::{Game, SimulationError, SimulationOptions};
pub use player::Player;
pub use random::Random;
pub use renderer::{Renderer, render_scene};
pub use scene::{Scene, SceneBall, SceneCue};
pub use simulated_table::SimulatedTable;
pub use table_model::{CushionOutline, TableModel};
pub use truth::{GroundTruth, TrueBall, TrueCue, TrueTable};
