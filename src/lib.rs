//! The program `ghostball`: command line, configuration, assembling the plugins, the runner. Nothing else.
//!
//! Every stage of the pipeline is a crate of its own under `systems/`, re-exported here under its short name.

pub use ghostball_broadcast as broadcast;
pub use ghostball_capture as capture;
pub use ghostball_detection as detection;
pub use ghostball_physics as physics;
pub use ghostball_recording as recording;
pub use ghostball_simulation as simulation;
pub use ghostball_tracking as tracking;
pub use ghostball_trajectory as trajectory;
pub use ghostball_world as world;

pub mod app;
pub mod calibrate;
pub mod calibration_file;
pub mod cli;
pub mod commands;
pub mod config;
pub mod detect;
pub mod devices;
pub mod fit;
pub mod follower;
pub mod inspect;
pub mod live_calibration;
pub mod log;
pub mod output;
pub mod playback;
pub mod probe;
pub mod record;
mod recorded;
pub mod recordings;
pub mod replay;
pub mod rows;
pub mod run;
pub mod runner;
pub mod simulate;
pub mod token;
