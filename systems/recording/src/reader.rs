//! Reads a recording, message by message.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use ghostball_world::Stamp;
use mcap::records::{MessageHeader, Record, op};
use prost::Message as _;

use crate::about::About;
use crate::channel::{CompressedImage, IMAGE_SCHEMA, Topic};
use crate::error::RecordingError;
use crate::file::{Ending, RecordingFile, parse, record_at};

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// What it is about.
    pub topic: Topic,
    /// The driver's count of its frame, as wide as drivers count.
    pub sequence: u32,
    /// When its frame was captured.
    pub captured_at: Stamp,
    /// As [`Topic`] says.
    pub data: &'a [u8],
}

impl Message<'_> {
    /// Frames that were lost before the next one; only a message about [`Topic::Gap`] tells of any.
    pub fn lost_frames(&self) -> u64 {
        #[derive(serde::Deserialize)]
        struct Gap {
            lost_frames: u64,
        }
        match self.topic {
            Topic::Gap => serde_json::from_slice(self.data).map_or(0, |gap: Gap| gap.lost_frames),
            _ => 0,
        }
    }
}

/// Goes through a recording in the order in which it was written. Chunks that are damaged are left out and counted.
#[derive(Debug)]
pub struct RecordingReader {
    file: RecordingFile,
    channels: Channels,
    next_chunk: usize,
    /// Records of the chunk under way.
    records: Vec<u8>,
    at: usize,
    damaged_chunks: u64,
    /// Chunks were left out since the last message.
    has_skipped: bool,
}

impl RecordingReader {
    /// Opens a recording. It need not be whole.
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        let mut reader = Self {
            file: RecordingFile::open(path)?,
            channels: Channels::default(),
            next_chunk: 0,
            records: Vec::new(),
            at: 0,
            damaged_chunks: 0,
            has_skipped: false,
        };
        // The first chunk tells the channels; whoever jumps over it has to know them.
        let mut found = None;
        while reader.channels.of_topic(Topic::Camera).is_none()
            && reader.next_chunk < reader.file.chunks.len()
        {
            if let Err(why) = reader.load_next_chunk()? {
                found.get_or_insert(why);
            }
            let mut at = 0;
            while let Some((record, next)) = record_at(&reader.records, at) {
                reader.channels.take(record.opcode, record.body);
                at = next;
            }
        }
        reader.rewind();
        if reader.channels.of_topic(Topic::Camera).is_none() {
            let found = found.unwrap_or_else(|| "no picture is in it".to_owned());
            return Err(RecordingError::NothingToSee {
                path: path.to_owned(),
                found,
            });
        }
        Ok(reader)
    }

    /// Where it comes from and what it was made with.
    pub fn about(&self) -> &About {
        &self.file.about
    }

    /// How the file ends.
    pub fn ending(&self) -> Ending {
        self.file.ending
    }

    /// How many messages of a topic there are, as the indexes of the chunks tell.
    pub fn count(&self, topic: Topic) -> u64 {
        let channel = self.channels.of_topic(topic);
        let count_in = |chunk: &crate::file::ChunkAt| channel.and_then(|id| chunk.counts.get(&id).copied());
        self.file.chunks.iter().filter_map(count_in).sum()
    }

    /// First and last stamp; `None` without a frame.
    pub fn span(&self) -> Option<(Stamp, Stamp)> {
        let with_messages = || {
            let chunks = self.file.chunks.iter();
            chunks.filter(|chunk| chunk.counts.values().any(|count| *count > 0))
        };
        let first = with_messages().map(|chunk| chunk.first_nanos).min()?;
        let last = with_messages().map(|chunk| chunk.last_nanos).max()?;
        Some((Stamp::from_nanos(first), Stamp::from_nanos(last)))
    }

    /// Chunks that were left out so far because they are damaged.
    pub fn damaged_chunks(&self) -> u64 {
        self.damaged_chunks
    }

    /// Whether chunks were left out since this was asked the last time.
    pub fn take_skipped(&mut self) -> bool {
        std::mem::take(&mut self.has_skipped)
    }

    /// Begins anew.
    pub fn rewind(&mut self) {
        self.go_to_chunk(0);
        self.damaged_chunks = 0;
    }

    /// Goes to the last keyframe at or before this stamp, or else to the beginning.
    pub fn seek(&mut self, stamp: Stamp) {
        self.go_to_chunk(self.chunk_before(stamp));
    }

    /// Which chunk begins with that.
    pub(crate) fn chunk_before(&self, stamp: Stamp) -> usize {
        let keyframes = self.channels.of_topic(Topic::Keyframe);
        let is_start = |chunk: &crate::file::ChunkAt| {
            chunk.first_nanos <= stamp.nanos && keyframes.is_some_and(|id| chunk.counts.contains_key(&id))
        };
        self.file.chunks.iter().rposition(is_start).unwrap_or(0)
    }

    fn go_to_chunk(&mut self, index: usize) {
        self.next_chunk = index;
        self.records.clear();
        self.at = 0;
        self.has_skipped = false;
    }

    /// The next message; `None` after the last.
    pub fn next_message(&mut self) -> Result<Option<Message<'_>>, RecordingError> {
        let found = self.advance()?;
        Ok(found.map(|(topic, header, data)| Message {
            topic,
            sequence: header.sequence,
            captured_at: Stamp::from_nanos(header.log_time),
            data: self.records.get(data).unwrap_or_default(),
        }))
    }

    /// The next message if it is about this, in the chunk under way: what belongs to one frame is in one chunk.
    pub fn next_message_about(&mut self, topic: Topic) -> Option<Message<'_>> {
        let (record, next) = record_at(&self.records, self.at)?;
        let Ok(Record::Message { header, data }) = parse(record.opcode, record.body) else {
            return None;
        };
        if self.channels.topic_of(header.channel_id) != Some(topic) {
            return None;
        }
        let data = next - data.len()..next;
        self.at = next;
        Some(Message {
            topic,
            sequence: header.sequence,
            captured_at: Stamp::from_nanos(header.log_time),
            data: self.records.get(data).unwrap_or_default(),
        })
    }

    /// Goes to the next message: what it is about, its header, and where its data lies.
    fn advance(&mut self) -> Result<Option<(Topic, MessageHeader, Range<usize>)>, RecordingError> {
        loop {
            let Some((record, next)) = record_at(&self.records, self.at) else {
                // A chunk that does not end with a whole record is damaged, whatever its checksum says.
                if self.at < self.records.len() {
                    self.skip();
                }
                if self.next_chunk == self.file.chunks.len() {
                    self.records.clear();
                    self.at = 0;
                    return Ok(None);
                }
                if let Err(why) = self.load_next_chunk()? {
                    let path = self.file.path.display();
                    if self.damaged_chunks == 0 {
                        tracing::error!("{path}: a part of the recording is damaged: {why}; it is left out");
                    }
                    self.records.clear();
                    self.skip();
                }
                continue;
            };
            self.at = next;
            if record.opcode != op::MESSAGE {
                self.channels.take(record.opcode, record.body);
                continue;
            }
            let Ok(Record::Message { header, data }) = parse(record.opcode, record.body) else {
                self.skip();
                continue;
            };
            let Some(topic) = self.channels.topic_of(header.channel_id) else {
                continue;
            };
            let data = next - data.len()..next;
            return Ok(Some((topic, header, data)));
        }
    }

    fn skip(&mut self) {
        self.damaged_chunks += 1;
        self.has_skipped = true;
    }

    fn load_next_chunk(&mut self) -> Result<Result<(), String>, RecordingError> {
        self.at = 0;
        let Some(chunk) = self.file.chunks.get(self.next_chunk) else {
            self.records.clear();
            return Ok(Ok(()));
        };
        self.next_chunk += 1;
        self.file.read_chunk(chunk, &mut self.records)
    }
}

/// Which channel is about what.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    /// Names of the schemas.
    schemas: BTreeMap<u16, String>,
    topics: BTreeMap<u16, Topic>,
}

impl Channels {
    /// Learns from a schema or channel; other records tell nothing.
    pub(crate) fn take(&mut self, opcode: u8, body: &[u8]) {
        if !matches!(opcode, op::SCHEMA | op::CHANNEL) {
            return;
        }
        match parse(opcode, body) {
            Ok(Record::Schema { header, .. }) => {
                self.schemas.insert(header.id, header.name);
            }
            Ok(Record::Channel(channel)) => {
                let schema = self.schemas.get(&channel.schema_id).map(String::as_str);
                // Of others' recordings, the first camera is the one.
                let is_camera = schema == Some(IMAGE_SCHEMA)
                    && channel.message_encoding == "protobuf"
                    && self
                        .of_topic(Topic::Camera)
                        .is_none_or(|known| known == channel.id);
                let ours = Topic::ALL.into_iter().find(|topic| {
                    *topic != Topic::Camera
                        && topic.name() == channel.topic
                        && topic.message_encoding() == channel.message_encoding
                });
                let topic = if is_camera { Some(Topic::Camera) } else { ours };
                if let Some(topic) = topic {
                    self.topics.insert(channel.id, topic);
                }
            }
            _ => {}
        }
    }

    pub(crate) fn of_topic(&self, topic: Topic) -> Option<u16> {
        let mut channels = self.topics.iter();
        channels
            .find(|(_, known)| **known == topic)
            .map(|(channel, _)| *channel)
    }

    pub(crate) fn topic_of(&self, channel: u16) -> Option<Topic> {
        self.topics.get(&channel).copied()
    }
}

/// How a picture is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureFormat {
    /// As the camera made it.
    Jpeg,
    /// See [`crate::decode_lossless`].
    Lossless,
}

/// Takes pictures out of their messages, with one buffer.
#[derive(Debug, Default)]
pub struct PictureReader {
    image: CompressedImage,
}

impl PictureReader {
    /// Takes the compressed picture out of a message of [`Topic::Camera`]; `None` where there is none that can be read.
    pub fn take(&mut self, data: &[u8]) -> Option<PictureFormat> {
        self.image.clear();
        self.image.merge(data).ok()?;
        match self.image.format.as_str() {
            "jpeg" | "jpg" => Some(PictureFormat::Jpeg),
            "png" => Some(PictureFormat::Lossless),
            _ => None,
        }
    }

    /// The picture that was taken out last.
    pub fn compressed(&self) -> &[u8] {
        &self.image.data
    }

    /// Both in one.
    pub fn read(&mut self, data: &[u8]) -> Option<(PictureFormat, &[u8])> {
        let format = self.take(data)?;
        Some((format, self.compressed()))
    }
}
