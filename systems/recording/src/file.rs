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

/// What a record says, of the kinds that are read here. Whether its texts are there is looked at first: the library (0.26)
/// makes room for as many bytes as a text claims to have, up to 4 GB, and panics at an attachment without a header.
pub(crate) fn parse(opcode: u8, body: &[u8]) -> Result<Record<'_>, mcap::McapError> {
    // Bytes before the texts, how many those are, and bytes after them that have to be there.
    let (before, texts, after) = match opcode {
        op::SCHEMA => (2, 2, 4),
        op::CHANNEL => (4, 2, 4),
        op::MESSAGE => (22, 0, 0),
        op::CHUNK => (28, 1, 8),
        // The length of the data; then data, and a checksum of 4 bytes.
        op::ATTACHMENT => (16, 2, 8 + 4),
        op::METADATA => (0, 1, 4),
        _ => return Err(mcap::McapError::UnexpectedEof),
    };
    let is_whole = after_texts(body, before, texts).is_some_and(|at| {
        body.len() - at >= after && (!matches!(opcode, op::CHANNEL | op::METADATA) || has_its_map(body, at))
    });
    match is_whole {
        true => mcap::parse_record(opcode, body),
        false => Err(mcap::McapError::UnexpectedEof),
    }
}

/// Where so many texts end, each after its length, the first of which is at `at`; `None` where they are not whole.
fn after_texts(body: &[u8], at: usize, texts: u32) -> Option<usize> {
    (0..texts)
        .try_fold(at, |at, _| {
            let length = body.get(at..)?.first_chunk::<4>()?;
            (at + 4).checked_add(usize::try_from(u32::from_le_bytes(*length)).ok()?)
        })
        .filter(|at| *at <= body.len())
}

/// Whether a map, pairs of texts after the length of all of them, is whole.
fn has_its_map(body: &[u8], at: usize) -> bool {
    let Some(length) = body.get(at..).and_then(|rest| rest.first_chunk::<4>()) else {
        return false;
    };
    let mut at = at + 4;
    let end = at.saturating_add(u32::from_le_bytes(*length) as usize);
    while at < end {
        match after_texts(body, at, 2) {
            Some(after) => at = after,
            None => return false,
        }
    }
    true
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

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Vec<u8> {
        [&(text.len() as u32).to_le_bytes(), text.as_bytes()].concat()
    }

    /// A body of each kind, and where its lengths are.
    fn bodies() -> [(u8, Vec<u8>, Vec<usize>); 5] {
        let texts = [text("ab"), text("c")].concat();
        let map = [&6_u32.to_le_bytes()[..], &text("d"), &text("")[..]].concat();
        let map = [&((map.len() - 4) as u32).to_le_bytes(), &map[4..]].concat();
        [
            (op::SCHEMA, [&[1, 0][..], &texts, &[0; 4]].concat(), vec![2, 8]),
            (
                op::CHANNEL,
                [&[0; 4][..], &texts, &map].concat(),
                vec![4, 10, 15, 19, 24],
            ),
            (
                op::CHUNK,
                [&[0; 28][..], &text("lz4"), &[0; 8]].concat(),
                vec![28],
            ),
            (
                op::ATTACHMENT,
                [&[0; 16][..], &texts, &[0; 12]].concat(),
                vec![16, 22],
            ),
            (op::METADATA, [&text("ab")[..], &map].concat(), vec![0, 6, 10, 15]),
        ]
    }

    #[test]
    fn a_record_whose_texts_are_not_there_is_none_and_gets_no_memory() {
        for (opcode, body, lengths) in bodies() {
            assert!(parse(opcode, &body).is_ok(), "{opcode}: {body:?}");
            for end in 0..body.len() {
                assert!(parse(opcode, &body[..end]).is_err(), "{end} bytes of {opcode}");
            }
            for at in lengths {
                let mut claims = body.clone();
                claims[at..at + 4].copy_from_slice(&(u32::MAX - 8).to_le_bytes());
                assert!(parse(opcode, &claims).is_err(), "{opcode} at {at}");
            }
        }
    }
}
