//! A simulated table: plays shots for ever and renders camera frames with the exact truth beside each frame.
//!
//! [`SimulatedTable`] is the whole: a [`Game`] played from a seed, seen by a camera above the table. Everything that
//! differs from table to table (cloth, rails, lamps, where the camera hangs) comes from the same seed, and so does
//! every byte of every picture.

mod options;
mod simulated_table;
mod truth;

pub use options::{Game, SimulationError, SimulationOptions};
pub use simulated_table::SimulatedTable;
pub use truth::{GroundTruth, TrueBall, TrueCue, TrueTable};
