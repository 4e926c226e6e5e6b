//! What everything that draws has to know.

use crate::camera::Camera;
use crate::color::Encoder;
use crate::look::Look;

/// From where, in which light, into which numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stage<'a> {
    pub camera: &'a Camera,
    pub look: &'a Look,
    pub encoder: &'a Encoder,
}
