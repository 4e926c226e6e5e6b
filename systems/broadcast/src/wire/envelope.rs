//! The envelope: `{"type", "timestamp", "sequence", "data"}`.
//!
//! `sequence` counts the messages of one connection, everything else is the same for all. So the rest is encoded once,
//! and the sequence is put in front of it for each connection: a few bytes, not a serialisation.

use serde::Serialize;
use tokio_tungstenite::tungstenite::{Bytes, Message, Utf8Bytes};

use super::zlib::Deflated;
use crate::WallTime;

/// Whether a client takes compressed messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Compression {
    #[default]
    None,
    /// RFC 1950 in a binary frame, where it pays.
    Zlib,
}

#[derive(Serialize)]
struct Shared<'a, T> {
    r#type: &'static str,
    timestamp: WallTime,
    data: &'a T,
}

/// A message but for its sequence number, encoded once for everybody who sees the same view.
#[derive(Clone, Debug)]
pub(crate) struct Encoded {
    payload: Payload,
}

/// How the shared part of a message goes out.
#[derive(Clone, Debug)]
pub(crate) enum Payload {
    /// JSON text without its opening brace.
    Text(Utf8Bytes),
    /// The same, compressed.
    Zlib(Deflated),
}

impl Encoded {
    /// Encodes the shared part.
    pub(crate) fn new<T: Serialize>(
        r#type: &'static str,
        timestamp: WallTime,
        data: &T,
        compression: Compression,
    ) -> Result<Self, serde_json::Error> {
        let json = serde_json::to_string(&Shared {
            r#type,
            timestamp,
            data,
        })?;
        let tail = &json[1..];
        let deflated = match compression {
            Compression::None => None,
            Compression::Zlib => Deflated::where_it_pays(tail.as_bytes()),
        };
        let payload = match deflated {
            Some(deflated) => Payload::Zlib(deflated),
            None => Payload::Text(tail.into()),
        };
        Ok(Self { payload })
    }

    /// The whole message, as number `sequence` of its connection.
    pub(crate) fn message(&self, sequence: u64) -> Message {
        let head = format!("{{\"sequence\":{sequence},");
        match &self.payload {
            Payload::Text(tail) => Message::Text([&head, tail.as_str()].concat().into()),
            Payload::Zlib(tail) => Message::Binary(Bytes::from(tail.with_head(head.as_bytes()))),
        }
    }
}
