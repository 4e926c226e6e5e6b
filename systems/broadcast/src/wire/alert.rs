//! `alert`: conditions that somebody should know of.

use ghostball_world::Alert;
use schemars::JsonSchema;
use serde::Serialize;

use crate::WallTime;

/// The data of an `alert` message.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AlertData<'a> {
    level: &'static str,
    message: &'a str,
    code: &'static str,
    details: AlertDetails,
    timestamp: WallTime,
    sequence: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct AlertDetails {
    /// `begins` or `ends`.
    condition: &'static str,
}

impl<'a> AlertData<'a> {
    pub(crate) fn new(alert: &'a Alert, sequence: u64, timestamp: WallTime) -> Self {
        Self {
            level: alert.level.name(),
            message: &alert.text,
            code: alert.code.name(),
            details: AlertDetails {
                condition: if alert.begins { "begins" } else { "ends" },
            },
            timestamp,
            sequence,
        }
    }
}
