//! What clients change.

use bevy_ecs::resource::Resource;
use serde::{Deserialize, Serialize};

/// What clients put into force since the frame before, checked: it is recorded with the frame that comes next, and put
/// into force before that frame again when the recording is replayed. Each part is whole, so that the last one counts.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdmittedChange {
    /// The sections of the configuration that can change states while the program runs, TOML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
    /// The calibration, TOML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<String>,
}

impl AdmittedChange {
    /// Whether nothing was changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
