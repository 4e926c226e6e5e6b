//! The channels of a recording, with the schemas that others know them by.
//!
//! Pictures are `foxglove.CompressedImage` in protobuf, which Foxglove shows and every MCAP library reads; in JSON they
//! would be a third larger. Everything else is JSON with its schema.

use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet, Timestamp};

/// Schema by which pictures are known.
pub(crate) const IMAGE_SCHEMA: &str = "foxglove.CompressedImage";

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// A picture: the camera's JPEG untouched, or a PNG without loss. It begins a frame.
    Camera,
    /// The world after a frame: a line of `ghostball replay --jsonl`.
    State,
    /// What clients changed before the next frame.
    Change,
    /// A condition that began or ended.
    Alert,
    /// The memory of all systems before the next frame: the state from which a replay goes on exactly.
    Keyframe,
    /// Frames that were lost to a full or slow disk, before the next frame.
    Gap,
}

impl Topic {
    /// All of them, in the order of their channels.
    pub const ALL: [Self; 6] = [
        Self::Camera,
        Self::State,
        Self::Change,
        Self::Alert,
        Self::Keyframe,
        Self::Gap,
    ];

    /// As it is called in the file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Camera => "/camera",
            Self::State => "/state",
            Self::Change => "/change",
            Self::Alert => "/alert",
            Self::Keyframe => "/keyframe",
            Self::Gap => "/gap",
        }
    }

    /// Encoding of its messages.
    pub(crate) const fn message_encoding(self) -> &'static str {
        match self {
            Self::Camera => "protobuf",
            Self::Keyframe => "octet-stream",
            Self::State | Self::Change | Self::Alert | Self::Gap => "json",
        }
    }

    /// Name, encoding and text of its schema; `None` for bytes that only ghostball reads.
    pub(crate) fn schema(self) -> Option<(&'static str, &'static str, Vec<u8>)> {
        let json = |name, text: &str| Some((name, "jsonschema", text.as_bytes().to_vec()));
        match self {
            Self::Camera => Some((IMAGE_SCHEMA, "protobuf", image_descriptor())),
            Self::State => json("ghostball.State", include_str!("schemas/state.json")),
            Self::Change => json("ghostball.Change", include_str!("schemas/change.json")),
            Self::Alert => json("ghostball.Alert", include_str!("schemas/alert.json")),
            Self::Gap => json("ghostball.Gap", include_str!("schemas/gap.json")),
            Self::Keyframe => None,
        }
    }
}

/// A picture as Foxglove knows it: <https://docs.foxglove.dev/docs/sdk/schemas/compressed-image>.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CompressedImage {
    /// When it was captured.
    #[prost(message, optional, tag = "1")]
    pub(crate) timestamp: Option<Timestamp>,
    /// The compressed picture.
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) data: Vec<u8>,
    /// `jpeg` or `png`.
    #[prost(string, tag = "3")]
    pub(crate) format: String,
    /// Frame of reference.
    #[prost(string, tag = "4")]
    pub(crate) frame_id: String,
}

/// The descriptor of [`CompressedImage`] and of what it needs, as protobuf channels carry it.
fn image_descriptor() -> Vec<u8> {
    let field = |name: &str, number, kind: Type, type_name: Option<&str>| FieldDescriptorProto {
        name: Some(name.to_owned()),
        number: Some(number),
        label: Some(Label::Optional.into()),
        r#type: Some(kind.into()),
        type_name: type_name.map(str::to_owned),
        json_name: Some(name.to_owned()),
        ..FieldDescriptorProto::default()
    };
    let file = |name: &str, package: &str, dependency: &[&str], message: &str, field| FileDescriptorProto {
        name: Some(name.to_owned()),
        package: Some(package.to_owned()),
        dependency: dependency.iter().map(|&name| name.to_owned()).collect(),
        message_type: vec![DescriptorProto {
            name: Some(message.to_owned()),
            field,
            ..DescriptorProto::default()
        }],
        syntax: Some("proto3".to_owned()),
        ..FileDescriptorProto::default()
    };
    let timestamp = "google/protobuf/timestamp.proto";
    let timestamp_fields = vec![
        field("seconds", 1, Type::Int64, None),
        field("nanos", 2, Type::Int32, None),
    ];
    let image_fields = vec![
        field("timestamp", 1, Type::Message, Some(".google.protobuf.Timestamp")),
        field("frame_id", 4, Type::String, None),
        field("data", 2, Type::Bytes, None),
        field("format", 3, Type::String, None),
    ];
    let files = vec![
        file(timestamp, "google.protobuf", &[], "Timestamp", timestamp_fields),
        file(
            "foxglove/CompressedImage.proto",
            "foxglove",
            &[timestamp],
            "CompressedImage",
            image_fields,
        ),
    ];
    FileDescriptorSet { file: files }.encode_to_vec()
}
