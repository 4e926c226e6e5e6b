//! A frame to sightings: the table, the balls on it, the cue stick over it. No memory of balls from frame to frame.

pub mod balls;
pub mod cloth;
pub mod error;
pub mod kind;
pub mod quad;
pub mod table;

pub use balls::BallFinder;
pub use cloth::ClothModel;
pub use error::{DetectionError, TableNotFound};
pub use quad::Quad;
pub use table::TableFinder;
