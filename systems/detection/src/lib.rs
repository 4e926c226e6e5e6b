//! A frame to sightings: the table, the balls on it, the cue stick over it. No memory of balls from frame to frame.

pub mod balls;
pub mod calibration;
pub mod cloth;
pub mod cue;
pub mod detector;
pub mod error;
#[cfg(test)]
mod fixture;
pub mod kind;
mod lookout;
mod median;
mod memory;
pub mod plugin;
pub mod quad;
mod sample;
pub mod table;
pub mod watch;

pub use balls::BallFinder;
pub use calibration::{Calibration, CalibrationError, Calibrator};
pub use cloth::ClothModel;
pub use cue::CueFinder;
pub use detector::Detector;
pub use error::{DetectionError, TableNotFound};
pub use plugin::DetectionPlugin;
pub use quad::Quad;
pub use table::TableFinder;
pub use watch::{TableNews, TableWatch, TableWatchSettings};
