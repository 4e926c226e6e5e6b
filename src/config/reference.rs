//! What is written from the keys: the reference configuration, the configuration in force, the JSON schema.

use std::fmt::Write as _;

use serde_json::json;

use super::effective::Effective;
use super::key::{Applies, Key};

const HEAD: &str = "\
# The reference configuration of ghostball: every key, its unit, range, default and why that default.
# A value here is the default; a copy with only the keys that you change is enough:
#     ghostball run --config my-table.toml
# Without --config, ghostball/ghostball.toml in the configuration folder (~/.config) is read where there is one.
# Stronger than the file: the environment (GHOSTBALL_API__SERVER__PORT=9000) and the command line.
# Written by `ghostball config reference`.
";

/// The text of `assets/ghostball.toml`.
pub fn reference() -> String {
    let mut text = HEAD.to_owned();
    let mut section = "";
    let keys = super::keys();
    for key in &keys {
        if key.section() != section {
            section = key.section();
            text.push('\n');
            comment(&mut text, key.section_doc);
            line(&mut text, format_args!("[{section}]"));
        }
        comment(&mut text, key.doc);
        let effect = match key.applies {
            Applies::AtStart => "",
            Applies::AtOnce => "; a change takes effect at once",
        };
        line(
            &mut text,
            format_args!("# {}{effect}.", sentence(&key.expectation())),
        );
        line(&mut text, format_args!("{} = {}", key.own_name(), key.default));
    }
    text
}

/// Every value in force, with its origin: TOML that can be kept.
pub fn effective(effective: &Effective) -> String {
    let (mut text, mut section) = (String::new(), "");
    let (keys, values) = (super::keys(), effective.values());
    for key in &keys {
        if key.section() != section {
            let gap = if section.is_empty() { "" } else { "\n" };
            section = key.section();
            line(&mut text, format_args!("{gap}[{section}]"));
        }
        if let (Some(value), Some(origin)) = (values.get(&key.name), effective.origins.get(&key.name)) {
            line(&mut text, format_args!("{} = {value} # {origin}", key.own_name()));
        }
    }
    text
}

/// The file as JSON schema.
pub fn schema() -> serde_json::Value {
    let mut root = object("Configuration of ghostball");
    for key in &super::keys() {
        place(&mut root, key);
    }
    root["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    root
}

fn place(root: &mut serde_json::Value, key: &Key) {
    let mut here = root;
    for name in key.section().split('.') {
        let properties = &mut here["properties"];
        if properties[name].is_null() {
            properties[name] = object("");
        }
        here = &mut properties[name];
    }
    here["description"] = key.section_doc.concat().trim().into();
    here["properties"][key.own_name()] = key.schema();
}

fn object(title: &str) -> serde_json::Value {
    let mut object = json!({"type": "object", "additionalProperties": false, "properties": {}});
    if !title.is_empty() {
        object["title"] = title.into();
    }
    object
}

fn comment(text: &mut String, lines: &[&str]) {
    for doc in lines {
        line(text, format_args!("#{doc}"));
    }
}

fn line(text: &mut String, content: std::fmt::Arguments<'_>) {
    // A String takes whatever is written to it.
    writeln!(text, "{content}").ok();
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
