//! The configuration as clients see it.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

/// The configuration in force.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct ConfigView {
    /// Every value, in its sections.
    pub config: Map<String, Value>,
    /// Where each value came from, by dotted key.
    pub origins: Map<String, Value>,
    /// Keys whose values take effect when the program starts again.
    pub pending: Vec<String>,
    /// Changes so far, the newest last; at most [`Self::RECENT`].
    #[serde(skip)]
    pub recent: Vec<ConfigChange>,
    /// JSON schema of `config`.
    #[serde(skip)]
    pub schema: Arc<Value>,
}

impl ConfigView {
    /// Changes that are kept for the network thread: more than come before it has looked.
    pub const RECENT: usize = 16;
}

/// A change of the configuration, as announced on the stream `config`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ConfigChange {
    /// Counted from 1.
    #[serde(skip)]
    pub number: u64,
    /// The top section that changed.
    pub section: String,
    /// All its values, as they are now.
    pub config: Value,
    /// What changed, for a person.
    pub change_summary: String,
}
