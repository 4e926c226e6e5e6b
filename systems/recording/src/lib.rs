//! Recordings: MCAP files (<https://mcap.dev>), written beside the table and read back exactly.
//!
//! A recording holds the camera's JPEGs untouched (other pictures without loss), stamps and driver sequence numbers, the
//! world after each frame, alerts, configuration and calibration. `log_time` is when a frame was captured, on the
//! source's own clock; the wall clock is in one metadata field alone. It opens in Foxglove and with every MCAP library.
//!
//! Frames go through a bounded queue to a thread of its own ([`Recorder`]). A disk that is full or slow costs frames of
//! the recording, counted and told, and never holds up the table. Chunks are written out whole, twice a second and more,
//! so that a kill loses less than the last second.
//!
//! | module | job |
//! |---|---|
//! | `channel` | what is in a recording, and the schemas that others know it by |
//! | `lossless` | pictures that no camera has made a JPEG of |
//! | `entry` | what is recorded of one frame |
//! | `queue` | frames on their way to the disk |
//! | `writer` | entries to bytes |
//! | `disk` | bytes to the disk, whole chunks only |
//! | `recorder` | the thread, and the pipeline's end of it |
//! | `ring` | the last minutes, in case somebody wants them |
//! | `settings` | how a recording is made |
//! | `file` | where the chunks of a file are, and how it ends |
//! | `reader` | chunks to messages |
//! | `doctor` | checks a recording and mends it |
//! | `plugin` | the only module that knows bevy's queries |

mod about;
mod channel;
mod disk;
mod doctor;
mod entry;
mod error;
mod file;
mod lossless;
mod plugin;
mod queue;
mod reader;
mod recorder;
mod ring;
mod settings;
mod writer;

pub use about::About;
pub use channel::Topic;
pub use doctor::{Diagnosis, check, damaged_name, mend};
pub use error::{LosslessError, RecordingError};
pub use file::Ending;
pub use lossless::decode_lossless;
pub use plugin::{RecordPlugin, Recording, WriteState, take_keyframe};
pub use queue::{QueuePolicy, RecordingCounters, Trouble};
pub use reader::{Message, PictureFormat, PictureReader, RecordingReader};
pub use recorder::Recorder;
pub use ring::{Ring, RingSettings, SavedRing};
pub use settings::{JpegEncoder, RecordingSettings};
