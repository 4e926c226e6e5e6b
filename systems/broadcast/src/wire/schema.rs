//! JSON schemas of the messages, made from the types that are sent.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform as _};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

use super::{
    AlertData, ErrorData, EventsData, GreetingData, HeartbeatData, MetricsMessage, MotionData,
    PerformanceData, PictureData, PongData, StateData, StatusData, SubscribedData, TrajectoryData,
};
use crate::ConfigChange;

/// A function that gives the schema of a message's data.
type DataSchema = fn(&mut SchemaGenerator) -> Schema;

/// Every message from server to client, by its type.
const MESSAGES: [(&str, DataSchema); 17] = [
    ("alert", data::<AlertData<'_>>),
    ("config", data::<ConfigChange>),
    ("connection", data::<GreetingData<'_>>),
    ("error", data::<ErrorData>),
    ("events", data::<EventsData>),
    ("frame", data::<PictureData>),
    ("heartbeat_response", data::<HeartbeatData>),
    ("metrics", data::<MetricsMessage>),
    ("motion", data::<MotionData>),
    ("performance", data::<PerformanceData>),
    ("pong", data::<PongData>),
    ("simulated", data::<TrajectoryData>),
    ("state", data::<StateData>),
    ("status", data::<StatusData<'_>>),
    ("subscribed", data::<SubscribedData>),
    ("trajectory", data::<TrajectoryData>),
    ("unsubscribed", data::<SubscribedData>),
];

fn data<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// The types of messages that there are schemas of.
pub(crate) fn message_types() -> impl Iterator<Item = &'static str> {
    MESSAGES.iter().map(|(name, _)| *name)
}

/// The schema of a whole message: envelope and data, without filters.
pub(crate) fn of_message(name: &str) -> Option<Value> {
    let (name, data) = MESSAGES.iter().find(|(known, _)| *known == name)?;
    let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let data = data(&mut generator);
    let time = generator.subschema_for::<crate::WallTime>();
    Some(json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": name,
        "type": "object",
        "required": ["type", "timestamp", "sequence", "data"],
        "additionalProperties": false,
        "properties": {
            "type": {"const": name},
            "timestamp": time,
            "sequence": {"type": "integer", "minimum": 1, "description": "Counts the messages of the connection."},
            "data": data,
        },
        "$defs": closed(generator.take_definitions(true)),
    }))
}

/// Objects hold what their types say and nothing else: so a client can be sure that it knows all.
pub(crate) fn closed(
    definitions: impl IntoIterator<Item = (String, Value)>,
) -> serde_json::Map<String, Value> {
    let mut close = RecursiveTransform(|schema: &mut Schema| {
        if schema.get("properties").is_some() && schema.get("additionalProperties").is_none() {
            schema.insert("additionalProperties".to_owned(), false.into());
        }
    });
    let closed = definitions.into_iter().map(|(name, value)| {
        let Ok(mut schema) = Schema::try_from(value.clone()) else {
            return (name, value);
        };
        close.transform(&mut schema);
        (name, schema.into())
    });
    closed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::Stream;

    #[test]
    fn every_stream_has_a_schema_of_its_messages() {
        for stream in Stream::ALL {
            assert!(of_message(stream.name()).is_some(), "{stream:?}");
        }
    }
}
