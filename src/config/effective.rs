//! The configuration as it is in force: all layers, one over the other, checked.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::error::{ConfigError, Mistake, Problem};
use super::key::Key;
use super::keys::Config;
use super::layers::{self, Origin, Setting};

/// The configuration, and where each value came from.
#[derive(Clone, Debug)]
pub struct Effective {
    /// What the program works with.
    pub config: Config,
    /// Where the value of each key came from.
    pub origins: BTreeMap<String, Origin>,
    /// The file that was read, if any.
    pub file: Option<PathBuf>,
    /// What the file holds.
    pub text: String,
    /// Where changes are saved: the file that was read, or the one that would have been, had it been there.
    pub save_to: Option<PathBuf>,
    /// What is stronger than the file, and stays so when the file changes.
    stronger: Vec<Setting>,
}

impl Effective {
    /// Reads `file`, or else [the usual one](usual_file) where it exists, lays the environment and then the command line
    /// over it, and checks the result.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        command_line: Vec<Setting>,
    ) -> Result<Self, ConfigError> {
        Self::load_with(file, Vec::new(), environment, command_line)
    }

    /// As [`Effective::load`], with the settings of a recording: stronger than the file, weaker than the environment.
    pub fn load_with(
        file: Option<&Path>,
        recorded: Vec<Setting>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        command_line: Vec<Setting>,
    ) -> Result<Self, ConfigError> {
        let environment: Vec<_> = environment.into_iter().collect();
        let usual = usual_file(&environment);
        let save_to = file.map(Path::to_owned).or_else(|| usual.clone());
        let file = file
            .map(Path::to_owned)
            .or_else(|| usual.filter(|path| path.exists()));
        let text = match &file {
            None => String::new(),
            Some(path) => std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
                path: path.clone(),
                source,
            })?,
        };
        let mut stronger = recorded;
        stronger.extend(layers::from_environment(environment, &super::keys())?);
        stronger.extend(command_line);
        Self::of(file, save_to, text, stronger)
    }

    /// What sets a key and is stronger than the file.
    pub fn stronger_origin(&self, key: &str) -> Option<&Origin> {
        let setting = self.stronger.iter().rev().find(|setting| setting.key == key);
        setting.map(|setting| &setting.origin)
    }

    /// As it would be if the file held `text`.
    pub fn with_text(&self, text: String) -> Result<Self, ConfigError> {
        let file = self.save_to.clone();
        Self::of(file.clone(), file, text, self.stronger.clone())
    }

    fn of(
        file: Option<PathBuf>,
        save_to: Option<PathBuf>,
        text: String,
        stronger: Vec<Setting>,
    ) -> Result<Self, ConfigError> {
        let keys = super::keys();
        // Changes that cannot be saved come from no file.
        let path = file.as_deref().unwrap_or(Path::new("(not saved)"));
        let settings = layers::from_file(path, &text, &keys)?;
        let mut values: BTreeMap<String, toml::Value> = keys
            .iter()
            .map(|key| (key.name.clone(), key.default.clone()))
            .collect();
        let mut origins: BTreeMap<String, Origin> = keys
            .iter()
            .map(|key| (key.name.clone(), Origin::Default))
            .collect();
        let mut problems = Vec::new();
        for setting in settings.into_iter().chain(stronger.iter().cloned()) {
            match check(&setting, &keys) {
                Ok(value) => {
                    values.insert(setting.key.clone(), value);
                    origins.insert(setting.key, setting.origin);
                }
                Err(problem) => problems.push(problem),
            }
        }
        if !problems.is_empty() {
            return Err(ConfigError::Wrong(problems));
        }
        let config = assemble(values)?;
        let contradictions = config.contradictions();
        if !contradictions.is_empty() {
            let told = contradictions.into_iter().map(|problem| Problem {
                origin: origins.get(&problem.key).cloned(),
                ..problem
            });
            return Err(ConfigError::Wrong(told.collect()));
        }
        Ok(Self {
            config,
            origins,
            file,
            text,
            save_to,
            stronger,
        })
    }

    /// The value of each key, in the order of their names.
    pub fn values(&self) -> BTreeMap<String, toml::Value> {
        Self::values_of(&self.config)
    }

    /// The value that each key has in `config`.
    pub fn values_of(config: &Config) -> BTreeMap<String, toml::Value> {
        let tree = toml::Table::try_from(config).unwrap_or_default();
        let value = |key: &Key| {
            let mut here = toml::Value::Table(tree.clone());
            for name in key.name.split('.') {
                here = here.get(name)?.clone();
            }
            Some((key.name.clone(), here))
        };
        super::keys().iter().filter_map(value).collect()
    }
}

/// Where the configuration is looked for when nobody says where: `ghostball/ghostball.toml` in the folder that systemd
/// (`CONFIGURATION_DIRECTORY`) or the XDG base directory specification (`XDG_CONFIG_HOME`, else `~/.config`) names.
pub fn usual_file(environment: &[(OsString, OsString)]) -> Option<PathBuf> {
    let folder = |name: &str| {
        let value = environment.iter().find(|(known, _)| known == name);
        let folder = value.map(|(_, folder)| PathBuf::from(folder));
        // Relative ones are to be ignored, as XDG has it; an empty one is relative.
        folder.filter(|folder| folder.is_absolute())
    };
    folder("CONFIGURATION_DIRECTORY")
        .or_else(|| folder("XDG_CONFIG_HOME").map(|folder| folder.join("ghostball")))
        .or_else(|| folder("HOME").map(|home| home.join(".config/ghostball")))
        .map(|folder| folder.join("ghostball.toml"))
}

/// The setting's value as its key has it.
pub fn check(setting: &Setting, keys: &[Key]) -> Result<toml::Value, Problem> {
    let problem = |mistake| Problem {
        origin: Some(setting.origin.clone()),
        key: setting.key.clone(),
        mistake,
    };
    if let Some(key) = keys.iter().find(|key| key.name == setting.key) {
        return key.accept(setting.value.clone()).map_err(|mismatch| {
            problem(Mistake::Value {
                expected: mismatch.expected,
                found: mismatch.found,
            })
        });
    }
    if keys.iter().any(|key| layers::is_within(&key.name, &setting.key)) {
        return Err(problem(Mistake::Value {
            expected: "a section with keys".to_owned(),
            found: setting.value.to_string(),
        }));
    }
    let nearest = nearest(&setting.key, keys);
    Err(problem(Mistake::UnknownKey { nearest }))
}

/// The key that was probably meant: fewest letters to change, in its whole name or in its last part; of several the one
/// that is declared first.
pub fn nearest(wrong: &str, keys: &[Key]) -> String {
    let own_name = |name: &str| {
        name.rsplit_once('.')
            .map_or(name.to_owned(), |(_, own)| own.to_owned())
    };
    let distance = |name: &str| {
        let whole = strsim::damerau_levenshtein(wrong, name);
        // The right key in the wrong section is a little farther than a misspelt one in the right section.
        let last = 2 + strsim::damerau_levenshtein(&own_name(wrong), &own_name(name));
        whole.min(last)
    };
    let sections = keys.iter().map(Key::section);
    let names = keys.iter().map(|key| key.name.as_str()).chain(sections);
    names
        .min_by_key(|name| distance(name))
        .unwrap_or("none")
        .to_owned()
}

/// Puts checked values back into their sections.
fn assemble(values: BTreeMap<String, toml::Value>) -> Result<Config, ConfigError> {
    let mut tree = toml::Table::new();
    for (name, value) in values {
        insert(&mut tree, &name, value);
    }
    tree.try_into().map_err(|error: toml::de::Error| {
        ConfigError::from(Problem {
            origin: None,
            key: String::new(),
            mistake: Mistake::Syntax(error.message().to_owned()),
        })
    })
}

fn insert(table: &mut toml::Table, name: &str, value: toml::Value) {
    let Some((section, rest)) = name.split_once('.') else {
        table.insert(name.to_owned(), value);
        return;
    };
    let inner = table.entry(section).or_insert_with(|| toml::Table::new().into());
    // Keys are declared in sections: none is a section too.
    if let toml::Value::Table(inner) = inner {
        insert(inner, rest, value);
    }
}
