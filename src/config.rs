//! Configuration: one TOML file, every key with a default. `assets/ghostball.toml` is its reference, and a test holds
//! the two together. Order of precedence: command line, environment, file, default.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::calibration_file::{self, CalibrationFile, CalibrationFileError};
use crate::world::{BallSet, TableSpecification};

/// Everything that can be configured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The service.
    pub api: Api,
    /// The table under the camera.
    pub table: Table,
    /// Predicted paths.
    pub trajectory: Trajectory,
    /// What `--calibration` names; no key of the file.
    #[serde(skip)]
    pub calibration: Option<CalibrationFile>,
}

/// The service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Api {
    /// Where it listens.
    pub server: Server,
}

/// Where the service listens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Address to listen on: of this machine alone, for there is no access control yet.
    pub host: IpAddr,
    /// Port, 0 to 65535; 0 takes any free one.
    pub port: u16,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            host: IpAddr::from([127, 0, 0, 1]),
            port: 8000,
        }
    }
}

/// The table under the camera.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Table {
    /// Playing surface along the long axis, metres, 0.3 to 10.
    pub length: f64,
    /// Playing surface along the short axis, metres, 0.3 to `length`.
    pub width: f64,
    /// Radius of a ball, metres, 0.01 to 0.1; 0 means: measured from the picture.
    pub ball_radius: f64,
    /// Height of the cushion noses above the cloth, metres, 0.02 to 0.06; 0 means: as the rules have it.
    pub nose_height: f64,
    /// The balls in play.
    pub ball_set: BallSet,
}

impl Default for Table {
    fn default() -> Self {
        let table = TableSpecification::default();
        Self {
            length: table.length,
            width: table.width,
            ball_radius: 0.0,
            nose_height: 0.0,
            ball_set: table.ball_set,
        }
    }
}

impl Table {
    /// As the systems want it.
    pub fn specification(&self) -> TableSpecification {
        TableSpecification {
            length: self.length,
            width: self.width,
            ball_radius: (self.ball_radius > 0.0).then_some(self.ball_radius),
            nose_height: (self.nose_height > 0.0).then_some(self.nose_height),
            ball_set: self.ball_set,
        }
    }
}

/// Predicted paths.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Trajectory {
    /// Speed at which an aimed cue stick is assumed to strike, metres per second, 0.1 to 15.
    pub assumed_stick_speed: f64,
}

impl Default for Trajectory {
    fn default() -> Self {
        Self {
            assumed_stick_speed: 2.0,
        }
    }
}

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not TOML, an unknown key, or a value of the wrong type.
    #[error("{origin}: {message}")]
    Malformed {
        /// The file and line, or the environment variable.
        origin: String,
        /// What is wrong.
        message: String,
    },
    /// A value out of its range.
    #[error("configuration key {key}: expected {expected}, found {found}")]
    OutOfRange {
        /// The key.
        key: &'static str,
        /// Its range.
        expected: &'static str,
        /// The value.
        found: String,
    },
}

const ENVIRONMENT_PREFIX: &str = "GHOSTBALL_";
/// Variables with the prefix that are no configuration.
const NOT_CONFIGURATION: [&str; 8] = [
    "GHOSTBALL_SHARED",
    "GHOSTBALL_LOG",
    "GHOSTBALL_BIN",
    "GHOSTBALL_SEEDS",
    "GHOSTBALL_SHOTS",
    "GHOSTBALL_BREAKS",
    "GHOSTBALL_URL",
    "GHOSTBALL_BROWSER",
];

impl Config {
    /// Reads `file`, if given, lays the environment (`GHOSTBALL_API__SERVER__PORT=9000`) over it and checks the result.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let mut config = match file {
            None => Self::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
                    path: path.to_owned(),
                    source,
                })?;
                toml::from_str(&text).map_err(|error| malformed_at(path, &text, &error))?
            }
        };
        // Names that are no text cannot be ours.
        let mut variables: Vec<(String, OsString)> = environment
            .into_iter()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .filter(|(name, _)| {
                name.starts_with(ENVIRONMENT_PREFIX) && !NOT_CONFIGURATION.contains(&name.as_str())
            })
            .collect();
        variables.sort();
        for (name, value) in variables {
            let value = value.into_string().map_err(|value| ConfigError::Malformed {
                origin: format!("environment variable {name}"),
                message: format!("expected UTF-8, found {value:?}"),
            })?;
            config = config.with_variable(&name, &value)?;
        }
        config.check()?;
        Ok(config)
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

    fn with_variable(&self, name: &str, value: &str) -> Result<Self, ConfigError> {
        let malformed = |message: String| ConfigError::Malformed {
            origin: format!("environment variable {name}"),
            message,
        };
        let mut tree = toml::Table::try_from(self).map_err(|error| malformed(error.to_string()))?;
        let keys = name[ENVIRONMENT_PREFIX.len()..].to_lowercase();
        let keys: Vec<_> = keys.split("__").collect();
        // What reads as TOML is TOML (numbers, booleans); anything else is a string.
        let value = format!("v = {value}")
            .parse::<toml::Table>()
            .ok()
            .and_then(|mut table| table.remove("v"))
            .unwrap_or_else(|| toml::Value::String(value.to_owned()));
        let Some((last, path)) = keys.split_last() else {
            return Ok(self.clone());
        };
        let mut here = &mut tree;
        for key in path {
            here = here
                .get_mut(*key)
                .and_then(toml::Value::as_table_mut)
                .ok_or_else(|| malformed(format!("unknown key `{}`", keys.join("."))))?;
        }
        here.insert((*last).to_owned(), value);
        let config: Self = tree
            .try_into()
            .map_err(|error: toml::de::Error| malformed(error.message().to_owned()))?;
        Ok(Self {
            calibration: self.calibration.clone(),
            ..config
        })
    }

    fn check(&self) -> Result<(), ConfigError> {
        let within = |key, value: f64, low: f64, high: f64, expected| {
            // Written so that NaN is out of range too.
            if (low..=high).contains(&value) {
                Ok(())
            } else {
                Err(ConfigError::OutOfRange {
                    key,
                    expected,
                    found: value.to_string(),
                })
            }
        };
        let table = &self.table;
        within("table.length", table.length, 0.3, 10.0, "0.3 to 10 metres")?;
        within(
            "table.width",
            table.width,
            0.3,
            table.length,
            "0.3 metres to table.length",
        )?;
        if table.ball_radius != 0.0 {
            within(
                "table.ball_radius",
                table.ball_radius,
                0.01,
                0.1,
                "0 (measured) or 0.01 to 0.1 metres",
            )?;
        }
        if table.nose_height != 0.0 {
            within(
                "table.nose_height",
                table.nose_height,
                0.02,
                0.06,
                "0 (as the rules have it) or 0.02 to 0.06 metres",
            )?;
        }
        let speed = self.trajectory.assumed_stick_speed;
        within(
            "trajectory.assumed_stick_speed",
            speed,
            0.1,
            15.0,
            "0.1 to 15 metres per second",
        )
    }
}

fn malformed_at(path: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let line = error.span().map_or(1, |span| {
        1 + text[..span.start.min(text.len())].matches('\n').count()
    });
    ConfigError::Malformed {
        origin: format!("{}, line {line}", path.display()),
        message: error.message().replace('\n', " "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::load(
            None,
            variables
                .iter()
                .map(|(k, v)| (OsString::from(k), OsString::from(v))),
        )
    }

    #[test]
    fn the_reference_configuration_holds_every_key_with_its_default() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/ghostball.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let reference: toml::Table = text.parse().unwrap();
        assert_eq!(reference, toml::Table::try_from(Config::default()).unwrap());
    }

    #[test]
    fn the_environment_overrides_single_keys() {
        let config = with(&[
            ("GHOSTBALL_API__SERVER__PORT", "9000"),
            ("GHOSTBALL_TABLE__BALL_SET", "snooker"),
        ])
        .unwrap();
        assert_eq!(
            (config.api.server.port, config.table.ball_set),
            (9000, BallSet::Snooker)
        );
    }

    #[test]
    fn an_unknown_key_is_named() {
        let error = with(&[("GHOSTBALL_API__SERVER__PROT", "9000")])
            .unwrap_err()
            .to_string();
        assert!(error.contains("PROT") && error.contains("port"), "{error}");
        assert!(with(&[("GHOSTBALL_NO__SUCH", "1")]).is_err());
    }

    #[test]
    fn a_mistake_in_the_file_is_told_with_its_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[table]\nlength = 2.54\nwidht = 1.27\n").unwrap();
        let error = Config::load(Some(file.path()), []).unwrap_err().to_string();
        assert!(error.contains("line 3") && error.contains("widht"), "{error}");
    }

    #[test]
    fn a_value_out_of_range_is_refused() {
        let error = with(&[("GHOSTBALL_TABLE__LENGTH", "nan")])
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("configuration key table.length: expected 0.3 to 10 metres"),
            "{error}"
        );
    }
}
