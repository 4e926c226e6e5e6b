//! What a client may say.

use serde_json::{Map, Value};

use super::{ErrorCode, ErrorData, SimulateRequest};
use crate::filters::shortened;

/// A message from a client, taken apart.
#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    Ping,
    /// The answer to nothing we ask: only a sign of life.
    Pong,
    Subscribe {
        streams: Vec<String>,
        filters: Map<String, Value>,
    },
    Unsubscribe {
        streams: Vec<String>,
    },
    GetStatus,
    Heartbeat {
        client_time: Value,
    },
    Simulate(SimulateRequest),
}

/// Takes a text message apart, or tells the client what is wrong with it.
pub(crate) fn parse_command(text: &str) -> Result<Command, ErrorData> {
    let value: Value = serde_json::from_str(text).map_err(|error| ErrorData {
        code: ErrorCode::InvalidJson,
        message: format!("expected a JSON object with a \"type\", found no JSON: {error}"),
        details: None,
    })?;
    let Value::Object(mut message) = value else {
        return Err(ErrorData {
            code: ErrorCode::InvalidJson,
            message: format!(
                "expected a JSON object with a \"type\", found {}",
                name_of(&value)
            ),
            details: None,
        });
    };
    let mut data = match message.remove("data") {
        Some(Value::Object(data)) => data,
        _ => Map::new(),
    };
    match message.get("type").and_then(Value::as_str) {
        Some("ping") => Ok(Command::Ping),
        Some("pong") => Ok(Command::Pong),
        Some("get_status") => Ok(Command::GetStatus),
        Some("heartbeat") => Ok(Command::Heartbeat {
            client_time: data.remove("clientTime").unwrap_or(Value::Null),
        }),
        Some("subscribe") => {
            let code = ErrorCode::InvalidSubscribeFormat;
            Ok(Command::Subscribe {
                streams: streams(&data, code)?,
                filters: filters(data.remove("filters"), code)?,
            })
        }
        Some("unsubscribe") => Ok(Command::Unsubscribe {
            streams: streams(&data, ErrorCode::InvalidUnsubscribeFormat)?,
        }),
        Some("simulate") => SimulateRequest::parse(data)
            .map(Command::Simulate)
            .map_err(|message| ErrorData {
                code: ErrorCode::MessageHandlerError,
                message,
                details: None,
            }),
        found => Err(ErrorData {
            code: ErrorCode::UnknownMessageType,
            message: format!(
                "expected type ping, pong, subscribe, unsubscribe, get_status, heartbeat or simulate, found {}",
                found.map_or_else(|| "none".to_owned(), |found| format!("{:?}", shortened(found)))
            ),
            details: None,
        }),
    }
}

fn streams(data: &Map<String, Value>, code: ErrorCode) -> Result<Vec<String>, ErrorData> {
    let wrong = |found: &str| ErrorData {
        code,
        message: format!("expected data.streams to be a list of stream names, found {found}"),
        details: None,
    };
    let list = match data.get("streams") {
        Some(Value::Array(list)) => list,
        Some(other) => return Err(wrong(name_of(other))),
        None => return Err(wrong("none")),
    };
    list.iter()
        .map(|name| match name {
            Value::String(name) => Ok(shortened(name).to_owned()),
            other => Err(wrong(&format!("a list with {}", name_of(other)))),
        })
        .collect()
}

fn filters(value: Option<Value>, code: ErrorCode) -> Result<Map<String, Value>, ErrorData> {
    match value {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(filters)) => Ok(filters),
        Some(other) => Err(ErrorData {
            code,
            message: format!("expected data.filters to be an object, found {}", name_of(&other)),
            details: None,
        }),
    }
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (ErrorCode, String) {
        let error = parse_command(text).unwrap_err();
        (error.code, error.message)
    }

    #[test]
    fn a_subscription_is_taken_apart() {
        let text = r#"{"type":"subscribe","data":{"streams":["state"],"filters":{"max_fps":5}}}"#;
        let Command::Subscribe { streams, filters } = parse_command(text).unwrap() else {
            panic!("not a subscription");
        };
        assert_eq!(
            (streams, filters["max_fps"].as_f64()),
            (vec!["state".to_owned()], Some(5.0))
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_what_was_expected_and_found() {
        assert_eq!(refused("{").0, ErrorCode::InvalidJson);
        assert_eq!(
            refused("[]"),
            (
                ErrorCode::InvalidJson,
                "expected a JSON object with a \"type\", found a list".to_owned()
            )
        );
        assert_eq!(
            refused(r#"{"type":"dance"}"#),
            (
                ErrorCode::UnknownMessageType,
                "expected type ping, pong, subscribe, unsubscribe, get_status, heartbeat or simulate, found \"dance\""
                    .to_owned()
            )
        );
        assert_eq!(
            refused(r#"{"type":"subscribe","data":{"streams":"state"}}"#),
            (
                ErrorCode::InvalidSubscribeFormat,
                "expected data.streams to be a list of stream names, found a string".to_owned()
            )
        );
        assert_eq!(
            refused(r#"{"type":"unsubscribe"}"#),
            (
                ErrorCode::InvalidUnsubscribeFormat,
                "expected data.streams to be a list of stream names, found none".to_owned()
            )
        );
    }
}
