//! What a recording says of itself, before its first frame.

use std::collections::BTreeMap;

/// Name of the metadata record.
pub(crate) const METADATA: &str = "ghostball";
/// Name of the attached configuration.
pub(crate) const CONFIGURATION: &str = "configuration.toml";
/// Name of the attached calibration.
pub(crate) const CALIBRATION: &str = "calibration.toml";

/// Where a recording comes from and what it was made with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct About {
    /// Version of the program that wrote it.
    pub version: String,
    /// The source, for people.
    pub source: String,
    /// Nominal frames a second of the source; 0 where unknown. Stamps are exact, this is not.
    pub frame_rate: f64,
    /// Wall-clock time of its beginning, ISO 8601 in UTC. Nothing else in a recording depends on the wall clock.
    pub started_at: String,
    /// The effective configuration, TOML.
    pub configuration: String,
    /// The calibration in use, TOML; `None` where the table is found from the pictures alone.
    pub calibration: Option<String>,
}

impl About {
    /// As a metadata record has it. Texts that are long are attachments.
    pub(crate) fn metadata(&self) -> BTreeMap<String, String> {
        [
            ("version", self.version.clone()),
            ("source", self.source.clone()),
            ("frame_rate", self.frame_rate.to_string()),
            ("started_at", self.started_at.clone()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into()
    }

    /// Takes what a metadata record tells; what it leaves out stays as it is.
    pub(crate) fn take_metadata(&mut self, metadata: &BTreeMap<String, String>) {
        let text = |key: &str| metadata.get(key).cloned().unwrap_or_default();
        self.version = text("version");
        self.source = text("source");
        self.frame_rate = text("frame_rate")
            .parse()
            .ok()
            .filter(|rate: &f64| rate.is_finite() && *rate >= 0.0)
            .unwrap_or(0.0);
        self.started_at = text("started_at");
    }
}
