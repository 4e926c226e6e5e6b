//! What concerns one connection: greeting, subscriptions, liveness, errors.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::WallTime;

/// `connection`: the first message.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct GreetingData<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) status: &'static str,
    pub(crate) timestamp: WallTime,
}

/// `subscribed` and `unsubscribed`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SubscribedData {
    /// Streams the answer is about.
    pub(crate) streams: Vec<&'static str>,
    /// All that are subscribed to now.
    pub(crate) all_subscriptions: Vec<&'static str>,
}

/// `pong`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PongData {
    pub(crate) timestamp: WallTime,
    /// 1: the connection takes everything at once; 0: it is always behind.
    pub(crate) quality_score: f64,
}

/// `heartbeat_response`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct HeartbeatData {
    /// As the client sent it.
    #[serde(rename = "clientTime")]
    pub(crate) client_time: Value,
    #[serde(rename = "serverTime")]
    pub(crate) server_time: WallTime,
    pub(crate) timestamp: WallTime,
}

/// `status`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StatusData<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) connected_at: WallTime,
    /// Seconds.
    pub(crate) uptime: f64,
    pub(crate) subscriptions: Vec<&'static str>,
    /// Sent to this client.
    pub(crate) message_count: u64,
    pub(crate) bytes_sent: u64,
    pub(crate) bytes_received: u64,
    pub(crate) quality_score: f64,
    pub(crate) is_alive: bool,
}

/// `error`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ErrorData {
    pub(crate) code: ErrorCode,
    pub(crate) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) details: Option<Value>,
}

/// What a client did wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum ErrorCode {
    RateLimit,
    UnknownMessageType,
    InvalidJson,
    InvalidSubscribeFormat,
    InvalidUnsubscribeFormat,
    /// The message was understood, and could not be done.
    MessageHandlerError,
}
