//! An MCAP file as it lies on the disk: where its chunks are, and how it ends. The index at its end is not needed for
//! that, so a recording that was cut short reads like any other.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use mcap::records::{Record, op};

use crate::about::{About, CALIBRATION, CONFIGURATION, METADATA};
use crate::error::RecordingError;

/// An opcode and the length of what follows.
const RECORD_HEADER_BYTES: u64 = 9;
/// Larger chunks are refused: no recording has them, and memory is bounded.
const MOST_CHUNK_BYTES: u64 = 256 << 20;
/// Larger records outside chunks are passed over unread.
const MOST_RECORD_BYTES: u64 = 16 << 20;

/// Where a chunk lies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ChunkAt {
    /// Where its record begins.
    pub(crate) offset: u64,
    /// Bytes of its record after opcode and length.
    pub(crate) length: u64,
    /// Earliest stamp in it, nanoseconds.
    pub(crate) first_nanos: u64,
    /// Latest stamp in it, nanoseconds.
    pub(crate) last_nanos: u64,
    /// Messages of each channel, as its index tells.
    pub(crate) counts: BTreeMap<u16, u64>,
}

/// How a file ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With its index: it was closed.
    Closed,
    /// In the middle: writing was cut short. So many bytes at the end belong to no whole record.
    CutShort {
        /// They are of no use.
        torn_bytes: u64,
    },
}

/// A record of a chunk's data or of the file.
pub(crate) struct RawRecord<'a> {
    pub(crate) opcode: u8,
    pub(crate) body: &'a [u8],
}

/// The record that begins at `bytes[at]`, and where the next begins; `None` where there is no whole one.
pub(crate) fn record_at(bytes: &[u8], at: usize) -> Option<(RawRecord<'_>, usize)> {
    let (header, rest) = bytes
        .get(at..)?
        .split_first_chunk::<{ RECORD_HEADER_BYTES as usize }>()?;
    let [opcode, length @ ..] = *header;
    let length = usize::try_from(u64::from_le_bytes(length)).ok()?;
    let body = rest.get(..length)?;
    Some((RawRecord { opcode, body }, at + header.len() + length))
}

/// What a record says. An attachment too short for its own header is looked for first: the library (0.26) panics at it.
pub(crate) fn parse(opcode: u8, body: &[u8]) -> Result<Record<'_>, mcap::McapError> {
    if opcode == op::ATTACHMENT && !has_attachment_header(body) {
        return Err(mcap::McapError::UnexpectedEof);
    }
    mcap::parse_record(opcode, body)
}

/// Two times, name and media type after their lengths, the length of the data; then data, and a checksum of 4 bytes.
fn has_attachment_header(body: &[u8]) -> bool {
    let after_text = |at: usize| {
        let length = body.get(at..)?.first_chunk::<4>()?;
        (at + 4).checked_add(usize::try_from(u32::from_le_bytes(*length)).ok()?)
    };
    let needed = after_text(16)
        .and_then(after_text)
        .and_then(|at| at.checked_add(8 + 4));
    needed.is_some_and(|needed| needed <= body.len())
}

/// A file whose records were walked through once.
#[derive(Debug)]
pub(crate) struct RecordingFile {
    file: File,
    pub(crate) path: PathBuf,
    /// Bytes.
    pub(crate) length: u64,
    /// In the order of the file.
    pub(crate) chunks: Vec<ChunkAt>,
    pub(crate) about: About,
    pub(crate) ending: Ending,
}

impl RecordingFile {
    pub(crate) fn open(path: &Path) -> Result<Self, RecordingError> {
        let file = File::open(path).map_err(RecordingError::io(path, "open it"))?;
        let metadata = file.metadata().map_err(RecordingError::io(path, "open it"))?;
        let mut opened = Self {
            file,
            path: path.to_owned(),
            length: metadata.len(),
            chunks: Vec::new(),
            about: About::default(),
            ending: Ending::Closed,
        };
        let mut magic = [0; mcap::MAGIC.len()];
        if !metadata.is_file() || opened.read_at(&mut magic, 0).is_err() || magic != mcap::MAGIC {
            return Err(RecordingError::NotARecording {
                path: path.to_owned(),
            });
        }
        opened.walk()?;
        Ok(opened)
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> Result<(), RecordingError> {
        let read = self.file.read_exact_at(bytes, offset);
        read.map_err(RecordingError::io(&self.path, "read it"))
    }

    fn read_number<const N: usize>(&self, offset: u64) -> Result<[u8; N], RecordingError> {
        let mut bytes = [0; N];
        self.read_at(&mut bytes, offset)?;
        Ok(bytes)
    }

    /// Goes from record to record, up to the end of the data.
    fn walk(&mut self) -> Result<(), RecordingError> {
        let mut at = mcap::MAGIC.len() as u64;
        loop {
            let body_at = at + RECORD_HEADER_BYTES;
            let mut header = [0; RECORD_HEADER_BYTES as usize];
            let is_whole = body_at <= self.length;
            if is_whole {
                self.read_at(&mut header, at)?;
            }
            let [opcode, length @ ..] = header;
            let length = u64::from_le_bytes(length);
            // No record has opcode 0: a disk that lost power leaves zeros.
            if !is_whole || opcode == 0 || length > self.length - body_at {
                self.ending = Ending::CutShort {
                    torn_bytes: self.length - at,
                };
                return Ok(());
            }
            match opcode {
                op::CHUNK if length >= 16 => {
                    let times = self.read_number::<16>(body_at)?;
                    let nanos = |half: usize| {
                        let mut bytes = [0; 8];
                        bytes.copy_from_slice(&times[8 * half..8 * half + 8]);
                        u64::from_le_bytes(bytes)
                    };
                    self.chunks.push(ChunkAt {
                        offset: at,
                        length,
                        first_nanos: nanos(0),
                        last_nanos: nanos(1),
                        counts: BTreeMap::new(),
                    });
                }
                op::MESSAGE_INDEX if length >= 6 => {
                    let channel = u16::from_le_bytes(self.read_number::<2>(body_at)?);
                    if let Some(chunk) = self.chunks.last_mut() {
                        // Channel and length of the array; then a time and an offset for each message.
                        chunk.counts.insert(channel, (length - 6) / 16);
                    }
                }
                op::METADATA | op::ATTACHMENT if length <= MOST_RECORD_BYTES => {
                    let mut body = vec![0; length as usize];
                    self.read_at(&mut body, body_at)?;
                    self.take_about(opcode, &body);
                }
                op::DATA_END => {
                    self.ending = self.ending_after(body_at + length)?;
                    return Ok(());
                }
                _ => {}
            }
            at = body_at + length;
        }
    }

    /// After the data comes the index, and the same magic as at the beginning.
    fn ending_after(&self, data_end: u64) -> Result<Ending, RecordingError> {
        let magic_at = self.length.saturating_sub(mcap::MAGIC.len() as u64);
        let is_closed = magic_at >= data_end && self.read_number::<8>(magic_at)? == mcap::MAGIC;
        Ok(if is_closed {
            Ending::Closed
        } else {
            Ending::CutShort {
                torn_bytes: self.length - data_end,
            }
        })
    }

    /// What is not understood tells nothing.
    fn take_about(&mut self, opcode: u8, body: &[u8]) {
        match parse(opcode, body) {
            Ok(Record::Metadata(record)) if record.name == METADATA => {
                self.about.take_metadata(&record.metadata);
            }
            Ok(Record::Attachment { header, data, .. }) => {
                let text = String::from_utf8_lossy(&data).into_owned();
                match header.name.as_str() {
                    CONFIGURATION => self.about.configuration = text,
                    CALIBRATION => self.about.calibration = Some(text),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// Reads the records of a chunk into `data`. The outer error is that of the disk; the inner says why the chunk is of no
    /// use.
    pub(crate) fn read_chunk(
        &self,
        chunk: &ChunkAt,
        data: &mut Vec<u8>,
    ) -> Result<Result<(), String>, RecordingError> {
        data.clear();
        if chunk.length > MOST_CHUNK_BYTES {
            let megabytes = chunk.length >> 20;
            return Ok(Err(format!("it has {megabytes} MiB, more than any recording")));
        }
        data.resize(chunk.length as usize, 0);
        self.read_at(data, chunk.offset + RECORD_HEADER_BYTES)?;
        let (compression, crc, length) = match parse(op::CHUNK, data) {
            Ok(Record::Chunk { header, data }) => (header.compression, header.uncompressed_crc, data.len()),
            Ok(_) => return Ok(Err("it is no chunk".to_owned())),
            Err(error) => return Ok(Err(error.to_string())),
        };
        if !compression.is_empty() {
            return Ok(Err(format!("it is compressed ({compression})")));
        }
        // Two times, the size, the sum, the name of no compression, the size again.
        const HEADER_BYTES: usize = 8 + 8 + 8 + 4 + 4 + 8;
        data.drain(..HEADER_BYTES);
        data.truncate(length);
        let found = crc32fast::hash(data);
        Ok(if crc != 0 && crc != found {
            Err(format!("its checksum is {found:08x} instead of {crc:08x}"))
        } else {
            Ok(())
        })
    }

    /// Records outside chunks that others may have put in, in order: metadata and attachments.
    pub(crate) fn extras(&self) -> Result<Vec<(u8, Vec<u8>)>, RecordingError> {
        let mut extras = Vec::new();
        let mut at = mcap::MAGIC.len() as u64;
        while at + RECORD_HEADER_BYTES <= self.length {
            let [opcode, length @ ..] = self.read_number::<{ RECORD_HEADER_BYTES as usize }>(at)?;
            let length = u64::from_le_bytes(length);
            let body_at = at + RECORD_HEADER_BYTES;
            if opcode == 0 || opcode == op::DATA_END || length > self.length - body_at {
                break;
            }
            if matches!(opcode, op::METADATA | op::ATTACHMENT) && length <= MOST_RECORD_BYTES {
                let mut body = vec![0; length as usize];
                self.read_at(&mut body, body_at)?;
                extras.push((opcode, body));
            }
            at = body_at + length;
        }
        Ok(extras)
    }
}
