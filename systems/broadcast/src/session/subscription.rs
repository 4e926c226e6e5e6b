//! What a client wants: streams and filters.

use serde_json::{Map, Value};

use crate::stream::Stream;
use crate::wire::{Compression, StateQuality};

/// How a client wants one stream.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Filters {
    /// Messages a second at most, above 0 to 240. Default 30.
    pub(crate) max_fps: f64,
    pub(crate) quality: StateQuality,
    pub(crate) compression: Compression,
}

impl Default for Filters {
    fn default() -> Self {
        Self {
            max_fps: 30.0,
            quality: StateQuality::Full,
            compression: Compression::None,
        }
    }
}

impl Filters {
    /// Applies one filter; `false` where no filter has that name.
    fn apply(&mut self, name: &str, value: &Value) -> Result<bool, String> {
        match name {
            "max_fps" | "frame_rate" => match value.as_f64() {
                Some(rate) if rate > 0.0 && rate <= 240.0 => self.max_fps = rate,
                _ => {
                    return Err(format!(
                        "{name}: expected a number above 0, to 240, found {value}"
                    ));
                }
            },
            "quality_level" | "quality" => match value.as_str() {
                Some("low") => self.quality = StateQuality::Low,
                Some("medium" | "high" | "ultra" | "auto") => self.quality = StateQuality::Full,
                _ => {
                    return Err(format!(
                        "{name}: expected low, medium, high or auto, found {value}"
                    ));
                }
            },
            "compression" => match value.as_str() {
                Some("none") => self.compression = Compression::None,
                Some("zlib") => self.compression = Compression::Zlib,
                _ => return Err(format!("{name}: expected none or zlib, found {value}")),
            },
            "aggregation_window_ms"
            | "include_fields"
            | "exclude_fields"
            | "min_confidence"
            | "max_latency_ms" => return Err(format!("{name}: not supported by this version")),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// The names of `wanted` that can be had, and what is to be said about the others.
pub(crate) fn known_streams(wanted: &[String]) -> (Vec<Stream>, Option<String>) {
    let (mut known, mut refused) = (Vec::new(), Vec::new());
    for name in wanted {
        match Stream::from_name(name) {
            Some(stream) if stream.is_served() => known.push(stream),
            Some(stream) => refused.push(format!("{} (not published by this version)", stream.name())),
            None => refused.push(format!("{name:?} (unknown)")),
        }
    }
    known.sort_unstable();
    known.dedup();
    let complaint = (!refused.is_empty()).then(|| {
        format!(
            "expected streams among state, trajectory, events, motion and alert; left out: {}",
            refused.join(", ")
        )
    });
    (known, complaint)
}

/// The filters that `given` asks for on `stream`, on top of the defaults, and what is wrong with them. Filters come flat
/// (for every stream) or keyed by stream.
pub(crate) fn filters_for(stream: Stream, given: &Map<String, Value>) -> (Filters, Vec<String>) {
    let (mut filters, mut wrong) = (Filters::default(), Vec::new());
    let mut apply = |name: &str, value: &Value| match filters.apply(name, value) {
        Ok(true) => {}
        Ok(false) => wrong.push(format!("{name}: no such filter")),
        Err(error) => wrong.push(error),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filters(given: Value) -> (Filters, Vec<String>) {
        filters_for(Stream::State, given.as_object().unwrap())
    }

    #[test]
    fn filters_come_flat_or_by_stream_and_in_the_old_spelling() {
        let wanted = Filters {
            max_fps: 5.0,
            quality: StateQuality::Low,
            compression: Compression::Zlib,
        };
        let flat = json!({"max_fps": 5, "quality_level": "low", "compression": "zlib"});
        let keyed = json!({"state": flat, "trajectory": {"max_fps": 1}});
        let old = json!({"frame_rate": 5.0, "quality": "low", "compression": "zlib"});
        for given in [flat, keyed, old] {
            assert_eq!(filters(given), (wanted, vec![]));
        }
    }

    #[test]
    fn a_wrong_filter_is_named_and_the_rest_still_applies() {
        let (filters, wrong) = filters(json!({"max_fps": -1, "quality_level": "low", "colour": 3}));
        assert_eq!((filters.max_fps, filters.quality), (30.0, StateQuality::Low));
        assert_eq!(
            wrong,
            [
                "colour: no such filter",
                "max_fps: expected a number above 0, to 240, found -1"
            ]
        );
    }

    #[test]
    fn streams_that_cannot_be_had_are_left_out_by_name() {
        let wanted = ["state", "frame", "weather", "state"].map(str::to_owned);
        let (known, complaint) = known_streams(&wanted);
        assert_eq!(known, [Stream::State]);
        assert_eq!(
            complaint.unwrap(),
            "expected streams among state, trajectory, events, motion and alert; left out: frame (not published by this version), \
             \"weather\" (unknown)"
        );
    }
}
