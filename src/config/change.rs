//! Changes of the configuration while the program runs: checked whole, applied, told to the clients, saved.

use std::sync::Arc;
use std::sync::mpsc::channel;

use bevy_app::App;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use toml_edit::DocumentMut;

use super::effective::{Effective, check};
use super::error::{ConfigError, Problem};
use super::key::{Applies, Key};
use super::keys::Trajectory;
use super::layers::{self, Origin};
use super::save::{Save, Saver};
use super::{Config, reference};
use crate::broadcast::{
    BridgeHandle, ConfigChange, ConfigView, Refusal, RefusalReason, Request, WorldCommand,
};
use crate::trajectory::PredictConfig;
use crate::world::AdmittedChange;

/// The configuration in force, and who is told when it changes.
#[derive(Resource)]
struct InForce {
    effective: Effective,
    /// As the program was started.
    at_start: Config,
    bridge: BridgeHandle,
    saver: Saver,
}

/// Lets clients see the configuration and change it.
pub fn serve(app: &mut App, effective: Effective, bridge: BridgeHandle) -> std::io::Result<()> {
    let in_force = InForce {
        at_start: effective.config.clone(),
        saver: Saver::start(effective.text.clone())?,
        effective,
        bridge,
    };
    let schema = Arc::new(reference::schema());
    in_force.publish(Vec::new(), schema);
    app.insert_resource(in_force);
    Ok(())
}

/// Carries out [`WorldCommand::Configure`] and [`WorldCommand::ResetConfiguration`].
pub fn carry_out(world: &mut World, request: Request) {
    let Some(in_force) = world.get_resource::<InForce>() else {
        let message = "the configuration of this program cannot be changed while it runs";
        return request.answer(Err(Refusal::new(RefusalReason::NotFound, message)));
    };
    let next = match in_force.after(&request.command) {
        Ok(next) => next,
        Err(refusal) => return request.answer(Err(refusal)),
    };
    let changed = in_force.differences(&next);
    let (until_in_force, in_force_from) = channel::<()>();
    let saved = Save {
        path: next.save_to.clone(),
        after: next.text.clone(),
        answer: answer(&next, &changed),
        in_force: in_force_from,
        request,
    };
    // First, for it may refuse.
    if !in_force.saver.save(saved) {
        return;
    }
    let at_once = OfStates {
        trajectory: next.config.trajectory.clone(),
    };
    apply(world, &at_once);
    if let (Some(mut change), Ok(text)) = (
        world.get_resource_mut::<AdmittedChange>(),
        toml::to_string(&at_once),
    ) {
        change.configuration = Some(text);
    }
    if let Some(mut in_force) = world.get_resource_mut::<InForce>() {
        in_force.effective = next;
        in_force.announce(&changed);
    }
    drop(until_in_force);
}

/// The sections with keys that say [`Applies::AtOnce`], all of which are about states.
#[derive(Serialize, Deserialize)]
struct OfStates {
    trajectory: Trajectory,
}

/// Puts the values into force that need no new start.
fn apply(world: &mut World, config: &OfStates) {
    if let Some(mut predict) = world.get_resource_mut::<PredictConfig>() {
        predict.assumed_speed = config.trajectory.assumed_stick_speed;
    }
}

/// Puts into force what [`AdmittedChange::configuration`] tells.
pub fn apply_again(world: &mut World, text: &str) -> Result<(), toml::de::Error> {
    toml::from_str(text).map(|config| apply(world, &config))
}

fn answer(next: &Effective, changed: &[Key]) -> Value {
    let values = next.values();
    let value = |key: &Key| (key.name.clone(), to_json(values.get(&key.name)));
    let at_start = changed.iter().filter(|key| key.applies == Applies::AtStart);
    json!({
        "changed": changed.iter().map(value).collect::<Map<_, _>>(),
        "at_next_start": at_start.map(|key| &key.name).collect::<Vec<_>>(),
        "saved": next.save_to,
    })
}

fn to_json(value: Option<&toml::Value>) -> Value {
    value
        .and_then(|value| serde_json::to_value(value).ok())
        .unwrap_or_default()
}

impl InForce {
    /// The configuration as it would be after `command`, checked whole.
    fn after(&self, command: &WorldCommand) -> Result<Effective, Refusal> {
        let invalid = |error: &dyn std::fmt::Display| Refusal::new(RefusalReason::Invalid, error);
        let keys = super::keys();
        let text = &self.effective.text;
        let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
            Refusal::new(
                RefusalReason::Failed,
                format!("the file is no TOML any more: {}", error.message()),
            )
        })?;
        match command {
            WorldCommand::Configure { values } => {
                let table = toml::Table::try_from(values).map_err(|error| invalid(&error))?;
                for setting in layers::from_client(table, &keys) {
                    let value = check(&setting, &keys).map_err(|problem| invalid(&problem))?;
                    self.check_not_overridden(&setting.key)?;
                    set(&mut document, &setting.key, &value)?;
                }
            }
            WorldCommand::ResetConfiguration { keys: named } => {
                for name in named {
                    if !keys
                        .iter()
                        .any(|key| &key.name == name || layers::is_within(&key.name, name))
                    {
                        let nearest = super::effective::nearest(name, &keys);
                        return Err(invalid(&format!(
                            "there is no configuration key or section {name}; the nearest is {nearest}"
                        )));
                    }
                }
                let is_named = |key: &Key| {
                    let mut named = named.iter();
                    named.any(|name| &key.name == name || layers::is_within(&key.name, name))
                };
                for key in keys.iter().filter(|key| named.is_empty() || is_named(key)) {
                    remove(document.as_table_mut(), &key.name);
                }
            }
            other => {
                return Err(Refusal::new(
                    RefusalReason::Failed,
                    format!("expected a change of the configuration, found {other:?}"),
                ));
            }
        }
        // Where in the file a contradiction would stand is of no use to a client.
        let without_place = |problem: &Problem| {
            Problem {
                origin: None,
                ..problem.clone()
            }
            .to_string()
        };
        self.effective
            .with_text(document.to_string())
            .map_err(|error| match error {
                ConfigError::Wrong(problems) => {
                    invalid(&problems.iter().map(without_place).collect::<Vec<_>>().join("; "))
                }
                error => Refusal::new(RefusalReason::Failed, error),
            })
    }

    /// Refuses a change that something stronger than the file would undo.
    fn check_not_overridden(&self, key: &str) -> Result<(), Refusal> {
        let message = match self.effective.stronger_origin(key) {
            None => return Ok(()),
            Some(Origin::File { path, .. }) => format!(
                "configuration key {key} is that of {}, which is played: the states are made again as they were",
                path.display()
            ),
            Some(origin) => {
                format!(
                    "configuration key {key} is set by {origin}, which is stronger than the file: change it there"
                )
            }
        };
        Err(Refusal::new(RefusalReason::Conflict, message))
    }

    /// The keys that have other values in `next`.
    fn differences(&self, next: &Effective) -> Vec<Key> {
        let (before, after) = (self.effective.values(), next.values());
        let differs = |key: &Key| before.get(&key.name) != after.get(&key.name);
        super::keys().into_iter().filter(differs).collect()
    }

    /// Tells the clients, a message for each section.
    fn announce(&self, changed: &[Key]) {
        let last = self.bridge.config();
        let (mut recent, schema) = (last.recent.clone(), Arc::clone(&last.schema));
        let config = tree(&self.effective.config);
        let values = self.effective.values();
        let mut number = recent.last().map_or(0, |change| change.number);
        for (section, values_of_section) in &config {
            let told = changed.iter().filter(|key| layers::is_within(&key.name, section));
            let told = told.map(|key| format!("{} = {}", key.name, to_json(values.get(&key.name))));
            let told: Vec<_> = told.collect();
            if !told.is_empty() {
                number += 1;
                recent.push(ConfigChange {
                    number,
                    section: section.clone(),
                    config: values_of_section.clone(),
                    change_summary: told.join(", "),
                });
            }
        }
        let old = recent.len().saturating_sub(ConfigView::RECENT);
        recent.drain(..old);
        self.publish(recent, schema);
    }

    fn publish(&self, recent: Vec<ConfigChange>, schema: Arc<Value>) {
        let origin = |(key, origin): (&String, &Origin)| (key.clone(), origin.to_string().into());
        let at_start = Effective::values_of(&self.at_start);
        let values = self.effective.values();
        let is_pending =
            |key: &Key| key.applies == Applies::AtStart && values.get(&key.name) != at_start.get(&key.name);
        let pending = super::keys().into_iter().filter(is_pending);
        self.bridge.publish_config(ConfigView {
            config: tree(&self.effective.config),
            origins: self.effective.origins.iter().map(origin).collect(),
            pending: pending.map(|key| key.name).collect(),
            recent,
            schema,
        });
    }
}

fn tree(config: &Config) -> Map<String, Value> {
    match serde_json::to_value(config) {
        Ok(Value::Object(tree)) => tree,
        _ => Map::new(),
    }
}

/// Sets a key in the file; comments and order stay.
fn set(document: &mut DocumentMut, name: &str, value: &toml::Value) -> Result<(), Refusal> {
    let failed = |what: &str| {
        Refusal::new(
            RefusalReason::Failed,
            format!("configuration key {name} cannot be written: {what}"),
        )
    };
    let value: toml_edit::Value = value
        .to_string()
        .parse()
        .map_err(|_| failed("its value is no TOML"))?;
    let mut names = name.split('.').peekable();
    let mut here = document.as_table_mut() as &mut dyn toml_edit::TableLike;
    while let Some(name) = names.next() {
        if names.peek().is_none() {
            match here.get_mut(name).and_then(toml_edit::Item::as_value_mut) {
                // What stands behind the value stays.
                Some(old) => {
                    let decor = old.decor().clone();
                    *old = value;
                    *old.decor_mut() = decor;
                }
                None => {
                    here.insert(name, toml_edit::Item::Value(value));
                }
            }
            return Ok(());
        }
        let mut section = toml_edit::Table::new();
        section.set_implicit(true);
        here = here
            .entry(name)
            .or_insert(toml_edit::Item::Table(section))
            .as_table_like_mut()
            .ok_or_else(|| failed("its section is none"))?;
    }
    Ok(())
}

fn remove(table: &mut dyn toml_edit::TableLike, name: &str) {
    match name.split_once('.') {
        None => drop(table.remove(name)),
        Some((section, rest)) => {
            if let Some(inner) = table
                .get_mut(section)
                .and_then(toml_edit::Item::as_table_like_mut)
            {
                remove(inner, rest);
            }
        }
    }
}
