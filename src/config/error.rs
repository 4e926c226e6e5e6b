//! Why a configuration is refused.

use std::fmt;
use std::path::PathBuf;

use super::layers::Origin;

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
    /// Something in it is wrong.
    #[error("{}", joined(.0))]
    Wrong(Vec<Problem>),
}

fn joined(problems: &[Problem]) -> String {
    let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
    told.join("; ")
}

impl From<Problem> for ConfigError {
    fn from(problem: Problem) -> Self {
        Self::Wrong(vec![problem])
    }
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Where it was said.
    pub origin: Option<Origin>,
    /// Of which key; empty where the file is no TOML.
    pub key: String,
    /// What is wrong with it.
    pub mistake: Mistake,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// There is no such key.
    UnknownKey {
        /// The key that was probably meant.
        nearest: String,
    },
    /// The value does not fit.
    Value {
        /// What the key takes.
        expected: String,
        /// What was found.
        found: String,
    },
    /// The file is no TOML.
    Syntax(String),
}

impl Problem {
    /// A value that does not go with others; `origin` is found out later.
    pub(super) fn contradiction(key: &str, expected: String, found: impl ToString) -> Self {
        let found = found.to_string();
        Self {
            origin: None,
            key: key.to_owned(),
            mistake: Mistake::Value { expected, found },
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        let key = &self.key;
        match &self.mistake {
            Mistake::UnknownKey { nearest } => {
                write!(f, "there is no configuration key {key}; the nearest is {nearest}")
            }
            Mistake::Value { expected, found } => {
                write!(f, "configuration key {key}: expected {expected}, found {found}")
            }
            Mistake::Syntax(message) => write!(f, "expected TOML: {message}"),
        }
    }
}
