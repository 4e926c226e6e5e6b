//! `frame`: the camera's picture as text.

use schemars::JsonSchema;
use serde::Serialize;

use crate::WallTime;

/// The data of a `frame` message.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PictureData {
    pub(crate) frame_number: u64,
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Always `jpeg`.
    pub(crate) format: &'static str,
    /// Always `base64`, with padding (RFC 4648 §4).
    pub(crate) encoding: &'static str,
    pub(crate) image: String,
    pub(crate) sequence: u64,
    pub(crate) timestamp: WallTime,
}
