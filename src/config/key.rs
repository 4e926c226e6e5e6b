//! What a configuration key is: its name, kind, range and default, as declared with [`section!`](super::section).

use std::net::IpAddr;

use serde_json::json;

use crate::broadcast::Space;
use crate::capture::{ControlSetting, PowerLine};
use crate::world::BallSet;

/// One key of the configuration.
#[derive(Clone, Debug)]
pub struct Key {
    /// With its sections: `table.length`.
    pub name: String,
    /// What it is for, its default and why; the lines of its doc comment.
    pub doc: &'static [&'static str],
    /// What the section it stands in is for.
    pub section_doc: &'static [&'static str],
    /// What values it takes.
    pub kind: Kind,
    /// Which numbers; of a list, nothing.
    pub range: Option<Range>,
    /// Unit of a number, or nothing.
    pub unit: &'static str,
    /// What it is unless somebody says otherwise.
    pub default: toml::Value,
    /// When a change takes effect.
    pub applies: Applies,
}

/// What values a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// Text.
    Text,
    /// An IP address.
    Address,
    /// Several texts.
    Texts,
    /// One of a few names.
    Choice(&'static [&'static str]),
    /// Any number, or one of a few names.
    NumberOr(&'static [&'static str]),
}

/// Which numbers a key takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The least.
    pub low: f64,
    /// The greatest.
    pub high: f64,
    /// One more, outside of them, with a meaning of its own.
    pub or: Option<f64>,
}

/// When a change that comes over the network takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applies {
    /// When the program starts again.
    AtStart,
    /// With the next frame.
    AtOnce,
}

/// A type that a key can have.
pub trait ConfigValue {
    /// What values it takes.
    const KIND: Kind;
    /// As the file has it.
    fn to_toml(&self) -> toml::Value;
}

macro_rules! config_value {
    ($($type:ty: $kind:expr, $to_toml:expr;)+) => {
        $(impl ConfigValue for $type {
            const KIND: Kind = $kind;
            fn to_toml(&self) -> toml::Value {
                let to_toml: fn(&Self) -> toml::Value = $to_toml;
                to_toml(self)
            }
        })+
    };
}

config_value! {
    bool: Kind::Boolean, |value| toml::Value::Boolean(*value);
    u16: Kind::Integer, |value| toml::Value::Integer((*value).into());
    u32: Kind::Integer, |value| toml::Value::Integer((*value).into());
    f64: Kind::Number, |value| toml::Value::Float(*value);
    String: Kind::Text, |value| toml::Value::String(value.clone());
    IpAddr: Kind::Address, |value| toml::Value::String(value.to_string());
    Vec<String>: Kind::Texts, |value| value.iter().cloned().map(toml::Value::String).collect::<Vec<_>>().into();
    BallSet: Kind::Choice(&["auto", "american_pool", "tv_pool", "snooker", "carom"]), named;
    Space: Kind::Choice(&["metres", "4k", "camera"]), named;
    ControlSetting: Kind::NumberOr(&["unchanged", "auto"]), named;
    PowerLine: Kind::Choice(&["unchanged", "off", "50hz", "60hz", "auto"]), named;
}

/// The name that serde gives to a variant.
fn named<T: serde::Serialize>(value: &T) -> toml::Value {
    toml::Value::try_from(value).unwrap_or_else(|_| toml::Value::String(String::new()))
}

impl Key {
    /// A key without a range and a unit, whose changes take effect at the next start.
    pub fn new<T: ConfigValue>(
        name: String,
        default: &T,
        doc: &'static [&'static str],
        section_doc: &'static [&'static str],
    ) -> Self {
        Self {
            name,
            doc,
            section_doc,
            kind: T::KIND,
            range: None,
            unit: "",
            default: default.to_toml(),
            applies: Applies::AtStart,
        }
    }

    /// … with a range, and the value outside of it, if any.
    pub fn within(mut self, low: f64, high: f64, or: &[f64]) -> Self {
        let or = or.first().copied();
        self.range = Some(Range { low, high, or });
        self
    }

    /// … with a unit.
    pub fn measured_in(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    /// … whose changes take effect when `applies` says.
    pub fn applying(mut self, applies: Applies) -> Self {
        self.applies = applies;
        self
    }

    /// The value as this key's type has it, or what was expected.
    pub fn accept(&self, value: toml::Value) -> Result<toml::Value, Mismatch> {
        let fits = match (self.kind, &value) {
            (Kind::Boolean, toml::Value::Boolean(_))
            | (Kind::Integer, toml::Value::Integer(_))
            | (Kind::Text, toml::Value::String(_)) => Some(value.clone()),
            (Kind::Number | Kind::NumberOr(_), toml::Value::Float(_)) => Some(value.clone()),
            (Kind::Number | Kind::NumberOr(_), toml::Value::Integer(whole)) => {
                Some(toml::Value::Float(*whole as f64))
            }
            (Kind::Address, toml::Value::String(text)) => text
                .parse::<IpAddr>()
                .ok()
                .map(|ip| toml::Value::String(ip.to_string())),
            (Kind::Choice(names) | Kind::NumberOr(names), toml::Value::String(text)) => {
                names.contains(&text.as_str()).then(|| value.clone())
            }
            (Kind::Texts, toml::Value::Array(items)) => {
                items.iter().all(toml::Value::is_str).then(|| value.clone())
            }
            _ => None,
        };
        let fits = fits.filter(|value| self.range.is_none_or(|range| range.holds(value)));
        fits.ok_or_else(|| Mismatch {
            expected: self.expectation(),
            found: value.to_string(),
        })
    }

    /// What this key takes, for a person.
    pub fn expectation(&self) -> String {
        let range = self.range.map(|range| {
            let or = range.or.map(|or| format!("{or} or ")).unwrap_or_default();
            let unit = if self.unit.is_empty() {
                String::new()
            } else {
                format!(" {}", self.unit)
            };
            format!("{or}{} to {}{unit}", range.low, range.high)
        });
        let number = |kind: &str| match &range {
            Some(range) => range.clone(),
            None => kind.to_owned(),
        };
        match self.kind {
            Kind::Boolean => "true or false".to_owned(),
            Kind::Integer => number("a whole number"),
            Kind::Number => number("a number"),
            Kind::Text => "text".to_owned(),
            Kind::Address => "an IP address".to_owned(),
            Kind::Texts => "a list of texts".to_owned(),
            Kind::Choice(names) => format!("one of {}", quoted(names)),
            Kind::NumberOr(names) => format!("{}, or {}", quoted(names), number("a number")),
        }
    }

    /// The section it stands in: `table` of `table.length`.
    pub fn section(&self) -> &str {
        self.name.rsplit_once('.').map_or("", |(section, _)| section)
    }

    /// Its own name: `length` of `table.length`.
    pub fn own_name(&self) -> &str {
        self.name.rsplit_once('.').map_or(&self.name, |(_, own)| own)
    }

    /// As JSON schema has it.
    pub fn schema(&self) -> serde_json::Value {
        let mut schema = match self.kind {
            Kind::Boolean => json!({"type": "boolean"}),
            Kind::Integer => json!({"type": "integer"}),
            Kind::Number => json!({"type": "number"}),
            Kind::Text => json!({"type": "string"}),
            // Either version; JSON schema has a format for each, but none for both.
            Kind::Address => json!({"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}),
            Kind::Texts => json!({"type": "array", "items": {"type": "string"}}),
            Kind::Choice(names) => json!({"type": "string", "enum": names}),
            Kind::NumberOr(names) => json!({"anyOf": [{"type": "number"}, {"enum": names}]}),
        };
        if let Some(Range { low, high, or }) = self.range {
            let within = json!({"minimum": low, "maximum": high});
            match or {
                Some(or) => schema["anyOf"] = json!([{"const": or}, within]),
                None => {
                    schema["minimum"] = within["minimum"].clone();
                    schema["maximum"] = within["maximum"].clone();
                }
            }
        }
        schema["description"] = self.text().into();
        schema["default"] = serde_json::to_value(&self.default).unwrap_or_default();
        if !self.unit.is_empty() {
            schema["x-unit"] = self.unit.into();
        }
        schema["x-applies"] = match self.applies {
            Applies::AtStart => "at start",
            Applies::AtOnce => "at once",
        }
        .into();
        schema
    }

    /// The doc comment as one text.
    fn text(&self) -> String {
        let lines: Vec<_> = self.doc.iter().map(|line| line.trim()).collect();
        lines.join(" ")
    }
}

fn quoted(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("{name:?}")).collect();
    quoted.join(", ")
}

impl Range {
    fn holds(&self, value: &toml::Value) -> bool {
        let number = match value {
            toml::Value::Integer(whole) => *whole as f64,
            toml::Value::Float(number) => *number,
            _ => return true,
        };
        // Written so that NaN is out of range too.
        (self.low..=self.high).contains(&number) || self.or == Some(number)
    }
}

/// Why a value is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What the key takes.
    pub expected: String,
    /// What was given.
    pub found: String,
}
