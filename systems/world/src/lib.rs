//! The vocabulary of ghostball: what every system reads and writes, and when.
//!
//! # Units and spaces
//!
//! SI throughout: metres, seconds, radians, kilograms. A name carries its space:
//!
//! - **image space** (`center_in_image`): pixels of the source picture, `(0, 0)` the centre of the top-left pixel,
//!   x right, y down, as OpenCV has it.
//! - **table space** (`position_in_table`): metres, origin at the centre of the playing surface, x along the long
//!   axis (to the right in the picture), y along the short axis and *up* in the picture, z up from the cloth.
//!   The playing surface is bounded by the cushion noses. The space is right-handed seen from above.
//! - A transform from image to table is called `table_from_image`.
//!
//! # Time
//!
//! The camera is the clock. One pass of the [`FrameTick`] schedule per frame; [`FrameClock`] carries the frame's
//! [`Stamp`] and the time since the one before. No system reads the host's clock.
//!
//! # Data flows one way
//!
//! [`FrameSystems`] names the stages: a frame is admitted, seen ([`Sightings`]), followed (ball and cue entities),
//! predicted ([`Predictions`]), recorded ([`LatestSnapshot`]) and published.

mod alert;
mod ball;
mod clock;
mod command;
mod cue;
mod event;
mod frame;
mod geometry;
mod lens;
mod memory;
mod picture;
mod pool;
mod prediction;
mod schedule;
mod sighting;
mod snapshot;
mod specification;
mod stage_times;
mod stroke;
mod table;
mod view;

pub use alert::{Alert, AlertCode, AlertLevel};
pub use ball::{
    Ball, BallKind, BallNumber, Confidence, Hidden, Motion, PositionInTable, SeenInImage, TrackId,
    VelocityInTable,
};
pub use clock::{FrameClock, Stamp};
pub use command::AdmittedChange;
pub use cue::{AimedAt, Cue, CueInImage, CuePose, CueState};
pub use event::{EventBall, SeenStroke, Shot, ShotPath, TableEvent, TableEventKind};
pub use frame::{CurrentFrame, Frame, FramePool, Recorded};
pub use geometry::{CircleInImage, GeometryError, Homography};
pub use lens::Lens;
pub use memory::{Memories, MemoryError, Remember, load_memory, save_memory};
pub use picture::{
    Chroma, ColorEncoding, ColorMatrix, ColorRange, Picture, PictureError, PixelFormat, Plane, Planes,
};
pub use pool::Pool;
pub use prediction::{
    GhostBall, Origin, Outcome, PathKind, PathLine, PredictedCollision, PredictedContact, PredictedRest,
    Prediction, Predictions,
};
pub use schedule::{FrameSystems, FrameTick, IdleTick, WorldPlugin};
pub use sighting::{BallSighting, CueSighting, Sightings, TableSighting};
pub use snapshot::{BallSnapshot, CueSnapshot, LatestSnapshot, Snapshot, TableSnapshot};
pub use specification::{BallSet, PocketName, TableSpecification};
pub use stage_times::StageTimes;
pub use stroke::Stroke;
pub use table::{Table, TableGeometry, turned_to_table};
pub use view::{ImageFromTable, PlaneInView, TableFromImage};
