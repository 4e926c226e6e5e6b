//! From entries to the bytes of an MCAP file.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use ghostball_world::Stamp;
use mcap::records::{MessageHeader, Metadata};
use mcap::write::{NoSeek, WriteOptions};
use mcap::{Attachment, McapError};
use prost::Message as _;
use prost_types::Timestamp;

use crate::about::{About, CALIBRATION, CONFIGURATION, METADATA};
use crate::channel::{CompressedImage, Topic};
use crate::entry::Entry;
use crate::lossless;
use crate::settings::JpegEncoder;

/// A chunk is written out after this much time by the stamps: what a power cut or a kill can cost, twice over at most.
const CHUNK_NANOS: u64 = 400_000_000;
/// A chunk is written out at this size, however short: memory is bounded.
const CHUNK_BYTES: usize = 4 << 20;

/// Why an entry could not be encoded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EncodeError {
    #[error(transparent)]
    Mcap(#[from] McapError),
    #[error(transparent)]
    Picture(#[from] crate::error::LosslessError),
    #[error("no JPEG can be made of a picture: {0}")]
    Jpeg(String),
}

/// Bytes of the file that are not on the disk yet. The MCAP writer writes here and cannot fail.
#[derive(Clone, Debug, Default)]
struct Tape(Arc<Mutex<Vec<u8>>>);

impl Write for Tape {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut tape = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tape.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes entries in order; gives the bytes of whole chunks.
pub(crate) struct EntryWriter {
    mcap: mcap::Writer<NoSeek<Tape>>,
    tape: Tape,
    channels: BTreeMap<Topic, u16>,
    image: CompressedImage,
    jpeg: Option<JpegEncoder>,
    message: Vec<u8>,
    /// First stamp of the chunk under way, and its bytes so far.
    chunk: Option<(Stamp, usize)>,
}

impl EntryWriter {
    /// Begins a file: what it is, what it was made with, and all channels.
    pub(crate) fn new(about: &About, jpeg: Option<JpegEncoder>) -> Result<Self, EncodeError> {
        let tape = Tape::default();
        let mut mcap = WriteOptions::new()
            .compression(None)
            .chunk_size(None)
            .disable_seeking(true)
            // Each chunk has its own sum; one over everything would depend on the wall clock's one field.
            .calculate_data_section_crc(false)
            .library(format!("ghostball {}", about.version))
            .create(NoSeek::new(tape.clone()))?;
        mcap.write_metadata(&Metadata {
            name: METADATA.to_owned(),
            metadata: about.metadata(),
        })?;
        let texts = [
            (CONFIGURATION, Some(&about.configuration)),
            (CALIBRATION, about.calibration.as_ref()),
        ];
        for (name, text) in texts {
            let Some(text) = text else { continue };
            mcap.attach(&Attachment {
                log_time: 0,
                create_time: 0,
                name: name.to_owned(),
                media_type: "application/toml".to_owned(),
                data: text.as_bytes().into(),
            })?;
        }
        let mut channels = BTreeMap::new();
        for topic in Topic::ALL {
            let schema = match topic.schema() {
                Some((name, encoding, data)) => mcap.add_schema(name, encoding, &data)?,
                None => 0,
            };
            let channel =
                mcap.add_channel(schema, topic.name(), topic.message_encoding(), &BTreeMap::new())?;
            channels.insert(topic, channel);
        }
        mcap.flush()?;
        Ok(Self {
            mcap,
            tape,
            channels,
            image: CompressedImage {
                frame_id: "camera".to_owned(),
                ..CompressedImage::default()
            },
            jpeg,
            message: Vec::new(),
            chunk: None,
        })
    }

    /// Writes an entry into the chunk under way, or nothing of it. A keyframe begins a chunk, so that it can be sought.
    pub(crate) fn write(&mut self, entry: &mut Entry) -> Result<(), EncodeError> {
        let mut picture = std::mem::take(&mut self.message);
        let written = self
            .encode_picture(entry, &mut picture)
            .and_then(|()| self.messages(entry, &picture));
        self.message = picture;
        written
    }

    fn messages(&mut self, entry: &Entry, picture: &[u8]) -> Result<(), EncodeError> {
        if !entry.keyframe.is_empty() || entry.lost_before > 0 {
            self.end_chunk()?;
        }
        if entry.lost_before > 0 {
            let gap = format!("{{\"lost_frames\":{}}}", entry.lost_before);
            self.message(Topic::Gap, entry, gap.as_bytes())?;
        }
        if !entry.keyframe.is_empty() {
            self.message(Topic::Keyframe, entry, &entry.keyframe)?;
        }
        if !entry.change.is_empty() {
            self.message(Topic::Change, entry, &entry.change)?;
        }
        self.message(Topic::Camera, entry, picture)?;
        self.message(Topic::State, entry, &entry.state)?;
        for alert in &entry.alerts {
            self.message(Topic::Alert, entry, alert)?;
        }
        Ok(())
    }

    /// Puts the picture of an entry into `message`.
    fn encode_picture(&mut self, entry: &mut Entry, message: &mut Vec<u8>) -> Result<(), EncodeError> {
        let image = &mut self.image;
        let nanos = entry.captured_at.nanos;
        image.timestamp = Some(Timestamp {
            seconds: i64::try_from(nanos / 1_000_000_000).unwrap_or(i64::MAX),
            nanos: i32::try_from(nanos % 1_000_000_000).unwrap_or_default(),
        });
        image.format.clear();
        let is_jpeg = !entry.jpeg.is_empty();
        if is_jpeg {
            image.format.push_str("jpeg");
            // Lent, not copied.
            std::mem::swap(&mut image.data, &mut entry.jpeg);
        } else if let Some(jpeg) = &self.jpeg {
            image.format.push_str("jpeg");
            image.data = (jpeg.encode)(&entry.picture, jpeg.quality).map_err(EncodeError::Jpeg)?;
        } else {
            image.format.push_str("png");
            lossless::encode(&entry.picture, &mut image.data)?;
        }
        message.clear();
        message.reserve(image.encoded_len());
        image.encode_raw(message);
        if is_jpeg {
            std::mem::swap(&mut image.data, &mut entry.jpeg);
        }
        Ok(())
    }

    fn message(&mut self, topic: Topic, entry: &Entry, data: &[u8]) -> Result<(), EncodeError> {
        let Some(&channel_id) = self.channels.get(&topic) else {
            return Ok(());
        };
        let header = MessageHeader {
            channel_id,
            // As wide as drivers count.
            sequence: entry.sequence as u32,
            log_time: entry.captured_at.nanos,
            publish_time: entry.captured_at.nanos,
        };
        self.mcap.write_to_known_channel(&header, data)?;
        let (_, bytes) = self.chunk.get_or_insert((entry.captured_at, 0));
        *bytes += data.len();
        Ok(())
    }

    /// Whether the chunk under way should be ended now that the frame with this stamp is in it.
    pub(crate) fn is_chunk_due(&self, captured_at: Stamp) -> bool {
        self.chunk.is_some_and(|(began, bytes)| {
            captured_at < began || captured_at.nanos - began.nanos >= CHUNK_NANOS || bytes >= CHUNK_BYTES
        })
    }

    /// Ends the chunk under way, if there is one.
    pub(crate) fn end_chunk(&mut self) -> Result<(), EncodeError> {
        self.chunk = None;
        Ok(self.mcap.flush()?)
    }

    /// Ends the file with its index.
    pub(crate) fn finish(&mut self) -> Result<(), EncodeError> {
        self.mcap.finish()?;
        Ok(())
    }

    /// Moves the bytes that were made since the last time to the end of `out`.
    pub(crate) fn take_bytes(&mut self, out: &mut Vec<u8>) {
        let mut tape = self.tape.0.lock().unwrap_or_else(PoisonError::into_inner);
        out.append(&mut tape);
    }
}
