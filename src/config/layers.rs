//! Where values come from: file, environment, command line. Each layer is read into settings that know their origin.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::error::{Mistake, Problem};
use super::key::{Key, Kind};

/// Where a value comes from. The later are stronger.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Nobody said otherwise.
    Default,
    /// The configuration file.
    File {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// An environment variable.
    Environment(String),
    /// An option of the command line.
    CommandLine(&'static str),
    /// A client, over the network.
    Client,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => write!(f, "default"),
            Self::File { path, line } => write!(f, "{}, line {line}", path.display()),
            Self::Environment(name) => write!(f, "environment variable {name}"),
            Self::CommandLine(option) => write!(f, "command line {option}"),
            Self::Client => write!(f, "the request"),
        }
    }
}

/// A key, what it is set to, and by whom.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// The key, as written.
    pub key: String,
    /// The value, not yet checked.
    pub value: toml::Value,
    /// Who says so.
    pub origin: Origin,
}

/// What a file says.
pub fn from_file(path: &Path, text: &str, keys: &[Key]) -> Result<Vec<Setting>, Problem> {
    let table = text.parse::<toml::Table>().map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        Problem {
            origin: Some(Origin::File {
                path: path.to_owned(),
                line: line_at(text, start),
            }),
            key: String::new(),
            mistake: Mistake::Syntax(error.message().replace('\n', " ")),
        }
    })?;
    let lines = lines(text);
    let origin = |key: &str| Origin::File {
        path: path.to_owned(),
        line: lines.get(key).copied().unwrap_or(1),
    };
    let mut settings = Vec::new();
    flatten("", table, keys, &origin, &mut settings);
    settings.sort_by(|a, b| (&a.origin, &a.key).cmp(&(&b.origin, &b.key)));
    Ok(settings)
}

/// What a client asks for: as the file has it, or with dotted keys.
pub fn from_client(table: toml::Table, keys: &[Key]) -> Vec<Setting> {
    let mut settings = Vec::new();
    flatten("", table, keys, &|_| Origin::Client, &mut settings);
    settings
}

/// Takes the tables apart, down to the keys; what is in no known section is left whole, to be told of.
fn flatten(
    prefix: &str,
    table: toml::Table,
    keys: &[Key],
    origin: &impl Fn(&str) -> Origin,
    settings: &mut Vec<Setting>,
) {
    for (name, value) in table {
        let name = super::section::join(prefix, &name);
        let is_section = || keys.iter().any(|key| is_within(&key.name, &name));
        match value {
            toml::Value::Table(inner) if is_section() => flatten(&name, inner, keys, origin, settings),
            value => settings.push(Setting {
                origin: origin(&name),
                key: name,
                value,
            }),
        }
    }
}

/// Whether `key` stands in `section` or in one of its sections.
pub(super) fn is_within(key: &str, section: &str) -> bool {
    key.strip_prefix(section)
        .is_some_and(|rest| rest.starts_with('.'))
}

/// In which line each key and table stands.
fn lines(text: &str) -> BTreeMap<String, usize> {
    fn walk(prefix: &str, table: &DeTable<'_>, text: &str, lines: &mut BTreeMap<String, usize>) {
        for (key, value) in table {
            let name = super::section::join(prefix, key.get_ref());
            lines.insert(name.clone(), line_at(text, key.span().start));
            if let DeValue::Table(inner) = value.get_ref() {
                walk(&name, inner, text, lines);
            }
        }
    }
    let mut lines = BTreeMap::new();
    if let Ok(table) = DeTable::parse(text) {
        walk("", table.get_ref(), text, &mut lines);
    }
    lines
}

fn line_at(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    1 + before.filter(|byte| **byte == b'\n').count()
}

const PREFIX: &str = "GHOSTBALL_";
/// Variables with the prefix that are no configuration: for logging, and for the tests.
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

/// What the environment says: `GHOSTBALL_API__SERVER__PORT=9000`.
pub fn from_environment(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    keys: &[Key],
) -> Result<Vec<Setting>, Problem> {
    // Names that are no text cannot be ours.
    let mut ours: Vec<(String, OsString)> = variables
        .into_iter()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| name.starts_with(PREFIX) && !NOT_CONFIGURATION.contains(&name.as_str()))
        .collect();
    ours.sort();
    let settings = ours.into_iter().map(|(name, value)| {
        let key = name[PREFIX.len()..].to_lowercase().replace("__", ".");
        let origin = Origin::Environment(name);
        match value.into_string() {
            Ok(text) => {
                let kind = keys.iter().find(|known| known.name == key).map(|key| key.kind);
                let value = read(&text, kind);
                Ok(Setting { key, value, origin })
            }
            Err(value) => Err(Problem {
                origin: Some(origin),
                key,
                mistake: Mistake::Value {
                    expected: "UTF-8".to_owned(),
                    found: format!("{value:?}"),
                },
            }),
        }
    });
    settings.collect()
}

/// The text of a variable as a value: where the key takes text it is taken literally, else it is TOML.
fn read(text: &str, kind: Option<Kind>) -> toml::Value {
    let literal = || toml::Value::String(text.to_owned());
    let as_toml = || format!("v = {text}").parse::<toml::Table>().ok()?.remove("v");
    match kind {
        Some(Kind::Text | Kind::Address | Kind::Choice(_)) => literal(),
        // Also without brackets and quotes: `a,b`.
        Some(Kind::Texts) => as_toml().unwrap_or_else(|| {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            items
                .map(|item| toml::Value::String(item.to_owned()))
                .collect::<Vec<_>>()
                .into()
        }),
        _ => as_toml().unwrap_or_else(literal),
    }
}
