//! The configuration that a command works with: that of a recording, where one is replayed, so that the same comes out.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::calibration_file;
use crate::capture::SourceSpec;
use crate::config::{self, Config, Effective, Setting, layers};
use crate::recording::{About, RecordingReader};
use crate::run::{RunError, listen_at};

/// Sections that decide what is seen and predicted. The others are the service's, and no business of a recording.
const SECTIONS_OF_STATES: [&str; 2] = ["table", "trajectory"];

/// A configuration with its calibration.
pub(crate) struct Loaded {
    /// The configuration, and where it is from.
    pub(crate) effective: Effective,
    /// The same with the calibration.
    pub(crate) config: Config,
    /// Where the calibration comes from, for error texts.
    pub(crate) calibration_file: Option<PathBuf>,
    /// The calibration, as it was written.
    pub(crate) calibration_text: Option<String>,
}

/// Loads what the command line names. What it leaves out is taken from the source, where that is a recording.
pub(crate) fn load(
    source: Option<&SourceSpec>,
    config: Option<&Path>,
    calibration: Option<&Path>,
    listen: Option<SocketAddr>,
) -> Result<Loaded, RunError> {
    let recorded = match source {
        Some(SourceSpec::Recording(path)) if path.is_file() => {
            let about = RecordingReader::open(path)?.about().clone();
            Some((path.as_path(), about))
        }
        _ => None,
    };
    let settings = match &recorded {
        Some((path, about)) if config.is_none() => {
            check_version(path, about);
            settings_of_states(path, &about.configuration)
        }
        _ => Vec::new(),
    };
    let effective = Effective::load_with(config, settings, std::env::vars_os(), listen_at(listen))?;
    let (file, text) = match (calibration, recorded) {
        (Some(path), _) => (Some(path.to_owned()), Some(calibration_file::read_text(path)?)),
        (None, Some((path, about))) => (Some(path.to_owned()), about.calibration),
        (None, None) => (None, None),
    };
    let calibration = match (&file, &text) {
        (Some(file), Some(text)) => Some(calibration_file::from_text(file, text)?),
        _ => None,
    };
    Ok(Loaded {
        config: Config {
            calibration,
            ..effective.config.clone()
        },
        effective,
        calibration_file: file,
        calibration_text: text,
    })
}

fn check_version(path: &Path, about: &About) {
    let own = env!("CARGO_PKG_VERSION");
    if about.version != own {
        tracing::warn!(
            "{}: recorded by version {}, this is {own}: states may differ",
            path.display(),
            about.version
        );
    }
}

/// Of a recorded configuration, what decides states. Keys that are no more are left out.
fn settings_of_states(path: &Path, text: &str) -> Vec<Setting> {
    let known = config::keys();
    // What is no configuration tells nothing.
    let mut settings = layers::from_file(path, text, &known).unwrap_or_default();
    settings.retain(|setting| {
        let section = setting.key.split('.').next().unwrap_or_default();
        SECTIONS_OF_STATES.contains(&section) && known.iter().any(|key| key.name == setting.key)
    });
    settings
}
