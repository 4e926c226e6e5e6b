//! The configuration: read, changed, taken back.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Shared;
use super::reply::{HttpError, Sent};
use crate::{ConfigView, WorldCommand};

/// Every value in force, and where it came from.
pub(super) async fn show(State(shared): State<Arc<Shared>>) -> Json<ConfigView> {
    Json(ConfigView::clone(&shared.config.borrow()))
}

/// What `config` may look like.
pub(super) async fn schema(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(Value::clone(&shared.config.borrow().schema))
}

/// Some values, in their sections or under dotted keys: all of them are changed, or none.
pub(super) async fn change(
    State(shared): State<Arc<Shared>>,
    Sent(values): Sent<Map<String, Value>>,
) -> Result<Json<Value>, HttpError> {
    Ok(Json(
        shared.commands.ask(WorldCommand::Configure { values }).await?,
    ))
}

/// Which values are taken back.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reset {
    /// Keys or sections; none means all.
    #[serde(default)]
    keys: Vec<String>,
}

/// Takes values back to what they are by default.
pub(super) async fn reset(
    State(shared): State<Arc<Shared>>,
    Sent(Reset { keys }): Sent<Reset>,
) -> Result<Json<Value>, HttpError> {
    let command = WorldCommand::ResetConfiguration { keys };
    Ok(Json(shared.commands.ask(command).await?))
}
