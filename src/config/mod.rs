//! Configuration: one TOML file, every key with a default. Stronger than the file is the environment
//! (`GHOSTBALL_API__SERVER__PORT=9000`), stronger still the command line.
//!
//! Each key is declared once, in `keys`, with its doc, range, unit and default; checks, the reference
//! `assets/ghostball.toml`, `ghostball config …` and the JSON schema all come from there.
//!
//! | module | job |
//! |---|---|
//! | `keys` | what can be configured |
//! | `section` | how that is declared |
//! | `key` | what is known of a key |
//! | `layers` | where values come from |
//! | `effective` | all of them, one over the other |
//! | `reference` | what is written from the keys |
//! | `change`, `save` | changes by clients while the program runs |
//! | `command` | `ghostball config` |

pub mod change;
pub mod command;
pub mod delivery;
pub mod effective;
pub mod error;
pub mod key;
pub mod keys;
pub mod layers;
pub mod reference;
pub mod save;
pub mod section;
#[cfg(test)]
mod tests;

pub use effective::Effective;
pub use error::{ConfigError, Problem};
pub use key::{Applies, ConfigValue, Key, Kind, Range};
pub use keys::Config;
pub use layers::{Origin, Setting};
pub use section::{Section, join};

use std::ffi::OsString;
use std::path::Path;

use crate::calibration_file::{self, CalibrationFileError};
use crate::world::TableSpecification;

/// All keys, in the order of their declaration.
pub fn keys() -> Vec<Key> {
    let mut keys = Vec::new();
    Config::describe("", &mut keys);
    keys
}

impl Config {
    /// Reads `file`, or else the usual one, lays the environment over it and checks the result.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        Effective::load(file, environment, Vec::new()).map(|effective| effective.config)
    }

    /// Takes the table from a calibration, if one is given.
    pub fn with_calibration(self, file: Option<&Path>) -> Result<Self, CalibrationFileError> {
        let calibration = file.map(calibration_file::read).transpose()?;
        Ok(Self { calibration, ..self })
    }

    /// The table as the systems want it: the calibration knows more of it than the configuration.
    pub fn specification(&self) -> TableSpecification {
        let configured = self.table.specification();
        self.calibration
            .as_ref()
            .map_or(configured, |file| file.camera.specification(&configured))
    }
}
