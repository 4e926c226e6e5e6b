//! What a client wants of a stream: its filters.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::stream::Stream;
use crate::wire::StateQuality;

/// The longest window in which messages are collected, milliseconds.
const MAX_WINDOW_MS: u64 = 10_000;

/// The oldest message that anybody may ask for, milliseconds.
const MAX_LATENCY_MS: u64 = 60_000;

/// Names in a list of fields, and their length: as many as the largest message has.
const MAX_FIELDS: usize = 100;
const MAX_FIELD_LEN: usize = 80;

/// How a client wants one stream.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Filters {
    /// Messages a second at most, above 0 to 240.
    pub(crate) max_fps: f64,
    pub(crate) quality_level: QualityLevel,
    /// What happens within such a time comes in one message; 0: at once.
    pub(crate) aggregation_window_ms: u32,
    #[serde(flatten)]
    pub(crate) fields: Fields,
    /// What is less sure than this is left out, 0 to 1.
    pub(crate) min_confidence: f64,
    /// What is older is dropped; 0: nothing is.
    pub(crate) max_latency_ms: u32,
    pub(crate) compression: Compression,
}

/// How much of a state a client wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum QualityLevel {
    Low,
    Medium,
    High,
    /// High while the client keeps up, low while it does not.
    Auto,
}

/// Which fields of a message's data: names, or ways to them through objects and lists (`balls.position`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Fields {
    /// Only these, where there are any.
    #[serde(rename = "include_fields")]
    pub(crate) include: Vec<String>,
    /// All but these.
    #[serde(rename = "exclude_fields")]
    pub(crate) exclude: Vec<String>,
}

/// Whether a client takes compressed messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Compression {
    #[default]
    None,
    /// RFC 1950 in a binary frame, where it pays.
    Zlib,
}

impl Filters {
    /// Of a client that asks for nothing but a rate.
    pub(crate) fn at(max_fps: f64) -> Self {
        Self {
            max_fps,
            quality_level: QualityLevel::High,
            aggregation_window_ms: 0,
            fields: Fields::default(),
            min_confidence: 0.0,
            max_latency_ms: 0,
            compression: Compression::None,
        }
    }

    /// The states it gets now.
    pub(crate) fn quality(&self, is_lagging: bool) -> StateQuality {
        match self.quality_level {
            QualityLevel::Low => StateQuality::Low,
            QualityLevel::Auto if is_lagging => StateQuality::Low,
            _ => StateQuality::Full,
        }
    }

    /// Zero where nothing is collected.
    pub(crate) fn window(&self, stream: Stream) -> Duration {
        match stream.has_windows() {
            true => Duration::from_millis(self.aggregation_window_ms.into()),
            false => Duration::ZERO,
        }
    }

    /// Applies one filter; `false` where no filter has that name.
    fn apply(&mut self, name: &str, value: &Value) -> Result<bool, String> {
        let expected = |what: &str| format!("{name}: expected {what}, found {value}");
        match name {
            "max_fps" | "frame_rate" => match value.as_f64() {
                Some(rate) if rate > 0.0 && rate <= 240.0 => self.max_fps = rate,
                _ => return Err(expected("a number above 0, to 240")),
            },
            "quality_level" | "quality" => {
                self.quality_level = match value.as_str() {
                    Some("low") => QualityLevel::Low,
                    Some("medium") => QualityLevel::Medium,
                    Some("high" | "ultra") => QualityLevel::High,
                    Some("auto") => QualityLevel::Auto,
                    _ => return Err(expected("low, medium, high or auto")),
                };
            }
            "aggregation_window_ms" => {
                let what = "a whole number from 0 to 10000";
                self.aggregation_window_ms = millis(value, MAX_WINDOW_MS).ok_or_else(|| expected(what))?;
            }
            "max_latency_ms" => {
                let what = "a whole number from 0 to 60000";
                self.max_latency_ms = millis(value, MAX_LATENCY_MS).ok_or_else(|| expected(what))?;
            }
            "min_confidence" => match value.as_f64() {
                Some(share) if (0.0..=1.0).contains(&share) => self.min_confidence = share,
                _ => return Err(expected("a number from 0 to 1")),
            },
            "include_fields" | "exclude_fields" => {
                let what = "a list of at most 100 names of fields, each of at most 80 bytes";
                let names = field_names(value).ok_or_else(|| expected(what))?;
                match name {
                    "include_fields" => self.fields.include = names,
                    _ => self.fields.exclude = names,
                }
            }
            "compression" => match value.as_str() {
                Some("none") => self.compression = Compression::None,
                Some("zlib") => self.compression = Compression::Zlib,
                _ => return Err(expected("none or zlib")),
            },
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn millis(value: &Value, most: u64) -> Option<u32> {
    let millis = value.as_u64().filter(|millis| *millis <= most)?;
    u32::try_from(millis).ok()
}

/// In order, each once: two clients that ask for the same fields in another order share a view.
fn field_names(value: &Value) -> Option<Vec<String>> {
    let list = value.as_array().filter(|list| list.len() <= MAX_FIELDS)?;
    let name = |value: &Value| {
        let name = value.as_str().filter(|name| name.len() <= MAX_FIELD_LEN)?;
        Some(name.to_owned())
    };
    let mut names = list.iter().map(name).collect::<Option<Vec<_>>>()?;
    names.sort_unstable();
    names.dedup();
    Some(names)
}

impl Fields {
    pub(crate) fn is_all(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    /// Takes away what is not wanted of `data`.
    pub(crate) fn apply(&self, data: &mut Value) {
        if !self.include.is_empty() {
            keep(data, &self.include, "");
        }
        for way in &self.exclude {
            remove(data, way);
        }
    }
}

/// Keeps what is on one of the ways, or below its end; lists are gone through.
fn keep(value: &mut Value, ways: &[String], here: &str) {
    match value {
        Value::Object(fields) => fields.retain(|name, value| {
            let way = match here {
                "" => name.clone(),
                _ => format!("{here}.{name}"),
            };
            if ways.contains(&way) {
                return true;
            }
            let leads_on = |wanted: &String| {
                wanted
                    .strip_prefix(&way)
                    .is_some_and(|rest| rest.starts_with('.'))
            };
            let is_passed = ways.iter().any(leads_on);
            if is_passed {
                keep(value, ways, &way);
            }
            is_passed
        }),
        Value::Array(list) => list.iter_mut().for_each(|value| keep(value, ways, here)),
        _ => {}
    }
}

/// Removes what is at the end of the way; lists are gone through.
fn remove(value: &mut Value, way: &str) {
    match value {
        Value::Object(fields) => match way.split_once('.') {
            None => drop(fields.remove(way)),
            Some((first, rest)) => {
                if let Some(value) = fields.get_mut(first) {
                    remove(value, rest);
                }
            }
        },
        Value::Array(list) => list.iter_mut().for_each(|value| remove(value, way)),
        _ => {}
    }
}

/// The names of `wanted` that can be had, and what is to be said about the others.
pub(crate) fn known_streams(wanted: &[String], serves_frames: bool) -> (Vec<Stream>, Option<String>) {
    let (mut known, mut refused) = (Vec::new(), Vec::new());
    for name in wanted {
        match Stream::from_name(name) {
            Some(Stream::Frame) if !serves_frames => refused.push("frame (switched off)".to_owned()),
            Some(stream) => known.push(stream),
            None => refused.push(format!("{name:?} (unknown)")),
        }
    }
    known.sort_unstable();
    known.dedup();
    refused.truncate(10);
    let complaint = (!refused.is_empty()).then(|| {
        let names = Stream::ALL.map(Stream::name).join(", ");
        format!("expected streams among {names}; left out: {}", refused.join(", "))
    });
    (known, complaint)
}

/// The filters that `given` asks for on `stream`, on top of the `default`, and what is wrong with them. Filters come flat
/// (for every stream) or keyed by stream.
pub(crate) fn filters_for(
    stream: Stream,
    given: &Map<String, Value>,
    default: Filters,
) -> (Filters, Vec<String>) {
    let (mut filters, mut wrong) = (default, Vec::new());
    let mut apply = |name: &str, value: &Value| match filters.apply(name, value) {
        Ok(true) => {}
        Ok(false) => wrong.push(format!("{:?}: no such filter", shortened(name))),
        Err(mut error) => {
            error.truncate(error.floor_char_boundary(200));
            wrong.push(error);
        }
    };
    for (name, value) in given {
        match (Stream::from_name(name), value) {
            (Some(keyed), Value::Object(own)) if keyed == stream => {
                own.iter().for_each(|(name, value)| apply(name, value));
            }
            (Some(_), Value::Object(_)) => {}
            _ => apply(name, value),
        }
    }
    wrong.truncate(10);
    (filters, wrong)
}

/// What a client sent goes back to it in errors, and into the log: not all of it.
pub(crate) fn shortened(name: &str) -> &str {
    let end = name.char_indices().nth(40).map_or(name.len(), |(at, _)| at);
    &name[..end]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filters(given: Value) -> (Filters, Vec<String>) {
        filters_for(Stream::State, given.as_object().unwrap(), Filters::at(30.0))
    }

    #[test]
    fn filters_come_flat_or_by_stream_and_in_the_old_spelling() {
        let wanted = Filters {
            quality_level: QualityLevel::Low,
            compression: Compression::Zlib,
            ..Filters::at(5.0)
        };
        let flat = json!({"max_fps": 5, "quality_level": "low", "compression": "zlib"});
        let keyed = json!({"state": flat, "trajectory": {"max_fps": 1}});
        let old = json!({"frame_rate": 5.0, "quality": "low", "compression": "zlib"});
        for given in [flat, keyed, old] {
            assert_eq!(filters(given), (wanted.clone(), vec![]));
        }
        assert_eq!(
            filters(json!({"quality": "ultra"})),
            filters(json!({"quality_level": "high"}))
        );
    }

    #[test]
    fn every_filter_is_taken() {
        let given = json!({
            "max_fps": 12.5, "quality_level": "auto", "aggregation_window_ms": 250, "max_latency_ms": 100,
            "include_fields": ["table", "balls.id", "balls.id"], "exclude_fields": ["balls.position.scale"],
            "min_confidence": 0.5, "compression": "none",
        });
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let wanted = Filters {
            max_fps: 12.5,
            quality_level: QualityLevel::Auto,
            aggregation_window_ms: 250,
            fields: Fields {
                include: names(&["balls.id", "table"]),
                exclude: names(&["balls.position.scale"]),
            },
            min_confidence: 0.5,
            max_latency_ms: 100,
            compression: Compression::None,
        };
        assert_eq!(filters(given), (wanted, vec![]));
    }

    #[test]
    fn a_wrong_filter_is_named_and_the_rest_still_applies() {
        let given = json!({
            "max_fps": -1, "quality_level": "low", "colour": 3, "min_confidence": 2, "max_latency_ms": 1.5,
            "aggregation_window_ms": 10_001, "include_fields": "balls", "exclude_fields": [7], "compression": "lzma",
        });
        let (filters, wrong) = filters(given);
        let low = Filters {
            quality_level: QualityLevel::Low,
            ..Filters::at(30.0)
        };
        assert_eq!(filters, low);
        let fields = "a list of at most 100 names of fields, each of at most 80 bytes";
        assert_eq!(
            wrong,
            [
                "aggregation_window_ms: expected a whole number from 0 to 10000, found 10001".to_owned(),
                "\"colour\": no such filter".to_owned(),
                "compression: expected none or zlib, found \"lzma\"".to_owned(),
                format!("exclude_fields: expected {fields}, found [7]"),
                format!("include_fields: expected {fields}, found \"balls\""),
                "max_fps: expected a number above 0, to 240, found -1".to_owned(),
                "max_latency_ms: expected a whole number from 0 to 60000, found 1.5".to_owned(),
                "min_confidence: expected a number from 0 to 1, found 2".to_owned(),
            ]
        );
    }

    #[test]
    fn fields_are_kept_and_left_out_by_their_way_through_objects_and_lists() {
        let data = json!({"balls": [{"id": "cue", "position": {"x": 1, "y": 2}}], "table": {"width": 3}, "cue": null});
        let filtered = |include: &[&str], exclude: &[&str]| {
            let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            let fields = Fields {
                include: names(include),
                exclude: names(exclude),
            };
            let mut data = data.clone();
            fields.apply(&mut data);
            data
        };
        assert_eq!(filtered(&["table"], &[]), json!({"table": {"width": 3}}));
        assert_eq!(
            filtered(&["balls.id", "cue"], &[]),
            json!({"balls": [{"id": "cue"}], "cue": null})
        );
        assert_eq!(
            filtered(&[], &["balls.position.x", "table", "nothing.here"]),
            json!({"balls": [{"id": "cue", "position": {"y": 2}}], "cue": null})
        );
        assert_eq!(
            filtered(&["balls"], &["balls.position"]),
            json!({"balls": [{"id": "cue"}]})
        );
    }

    #[test]
    fn streams_that_cannot_be_had_are_left_out_by_name() {
        let wanted = ["state", "frame", "weather", "state"].map(str::to_owned);
        let (known, complaint) = known_streams(&wanted, false);
        assert_eq!(known, [Stream::State]);
        assert_eq!(
            complaint.unwrap(),
            "expected streams among state, trajectory, events, motion, alert, config, performance, metrics, frame; \
             left out: frame (switched off), \"weather\" (unknown)"
        );
        assert_eq!(known_streams(&wanted, true).0, [Stream::State, Stream::Frame]);
    }
}
