//! Checks a recording and mends it: what is whole is kept, what is not is told.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use ghostball_world::Stamp;
use mcap::WriteOptions;
use mcap::records::{MessageHeader, Record, op};

use crate::channel::Topic;
use crate::error::RecordingError;
use crate::file::{ChunkAt, Ending, RecordingFile, parse, record_at};
use crate::reader::{Channels, RecordingReader};

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// Frames that are whole.
    pub frames: u64,
    /// Frames in damaged chunks, as far as their indexes tell.
    pub lost_frames: u64,
    /// Chunks that are damaged, with where and why.
    pub damaged_chunks: Vec<String>,
    /// Whether the file ends with its index.
    pub is_closed: bool,
    /// Bytes at the end that belong to nothing whole.
    pub torn_bytes: u64,
}

impl Diagnosis {
    /// Whether nothing is wrong.
    pub fn is_healthy(&self) -> bool {
        self.is_closed && self.damaged_chunks.is_empty()
    }
}

/// Reads the whole recording.
pub fn check(path: &Path) -> Result<Diagnosis, RecordingError> {
    let file = RecordingFile::open(path)?;
    let mut channels = Channels::default();
    let mut diagnosis = begin(&file);
    let mut records = Vec::new();
    for chunk in &file.chunks {
        if let Some(messages) = examine(&file, chunk, &mut records, &mut diagnosis, &channels)? {
            walk(&records[..messages], |opcode, body| {
                channels.take(opcode, body);
                diagnosis.frames += u64::from(is_frame(&channels, opcode, body));
                Ok(())
            })?;
        }
    }
    Ok(diagnosis)
}

/// Where a mended recording leaves what it was made from, if that still holds something.
pub fn damaged_name(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".damaged");
    name.into()
}

/// Writes the recording anew with all that is whole, with its index, in place of the damaged one. Where damage lies in its
/// middle, the damaged one stays beside it under [`damaged_name`]; a torn end holds nothing that could be wanted.
pub fn mend(path: &Path) -> Result<Diagnosis, RecordingError> {
    let file = RecordingFile::open(path)?;
    rewrite(&[(file, 0)], path, |diagnosis| {
        if diagnosis.damaged_chunks.is_empty() {
            return Ok(());
        }
        std::fs::rename(path, damaged_name(path)).map_err(RecordingError::io(path, "rename it"))
    })
}

/// Writes what is whole of these recordings, which this program made one after the other, as one: of the first from the
/// last keyframe at or before `from` on.
pub(crate) fn join(paths: &[&Path], from: Stamp, to: &Path) -> Result<(), RecordingError> {
    let mut files = Vec::new();
    for path in paths {
        let first_chunk = match files.is_empty() {
            true => RecordingReader::open(path)?.chunk_before(from),
            false => 0,
        };
        files.push((RecordingFile::open(path)?, first_chunk));
    }
    rewrite(&files, to, |_| Ok(())).map(drop)
}

/// Writes what is whole of these files, each from a chunk on, beside `to`, and puts it there after `before_swap`.
fn rewrite(
    files: &[(RecordingFile, usize)],
    to: &Path,
    before_swap: impl FnOnce(&Diagnosis) -> Result<(), RecordingError>,
) -> Result<Diagnosis, RecordingError> {
    let mut name = to.as_os_str().to_owned();
    name.push(".mending");
    let beside = PathBuf::from(name);
    let diagnosis = write_anew(files, &beside).inspect_err(|_| {
        // Half a copy helps nobody; that it stays is no worse than the error.
        std::fs::remove_file(&beside).ok();
    })?;
    before_swap(&diagnosis)?;
    std::fs::rename(&beside, to).map_err(RecordingError::io(to, "put the mended recording in its place"))?;
    Ok(diagnosis)
}

fn begin(file: &RecordingFile) -> Diagnosis {
    let torn_bytes = match file.ending {
        Ending::Closed => 0,
        Ending::CutShort { torn_bytes } => torn_bytes,
    };
    Diagnosis {
        is_closed: file.ending == Ending::Closed,
        torn_bytes,
        ..Diagnosis::default()
    }
}

/// Reads a chunk into `records`; how many of its bytes are whole records, or `None` where it is of no use.
fn examine(
    file: &RecordingFile,
    chunk: &ChunkAt,
    records: &mut Vec<u8>,
    diagnosis: &mut Diagnosis,
    channels: &Channels,
) -> Result<Option<usize>, RecordingError> {
    let mut why = file.read_chunk(chunk, records)?.err();
    let mut whole = 0;
    while let Some((_, next)) = record_at(records, whole) {
        whole = next;
    }
    if why.is_none() && whole < records.len() {
        why = Some("it ends in the middle of a record".to_owned());
    }
    let Some(why) = why else {
        return Ok(Some(whole));
    };
    let camera = channels.of_topic(Topic::Camera);
    diagnosis.lost_frames += camera
        .and_then(|camera| chunk.counts.get(&camera).copied())
        .unwrap_or(0);
    diagnosis
        .damaged_chunks
        .push(format!("the chunk at byte {}: {why}", chunk.offset));
    Ok(None)
}

/// Calls `each` with opcode and body of each record.
fn walk(
    records: &[u8],
    mut each: impl FnMut(u8, &[u8]) -> Result<(), RecordingError>,
) -> Result<(), RecordingError> {
    let mut at = 0;
    while let Some((record, next)) = record_at(records, at) {
        each(record.opcode, record.body)?;
        at = next;
    }
    Ok(())
}

fn is_frame(channels: &Channels, opcode: u8, body: &[u8]) -> bool {
    // A message begins with its channel.
    opcode == op::MESSAGE
        && body
            .first_chunk()
            .is_some_and(|id| channels.topic_of(u16::from_le_bytes(*id)) == Some(Topic::Camera))
}

/// What the first file says of itself is what the new one says.
fn write_anew(files: &[(RecordingFile, usize)], to: &Path) -> Result<Diagnosis, RecordingError> {
    let failed = |error: mcap::McapError| RecordingError::io(to, "write it")(io::Error::other(error));
    let Some((first, _)) = files.first() else {
        return Err(RecordingError::NothingToSee {
            path: to.to_owned(),
            found: "nothing was recorded yet".to_owned(),
        });
    };
    let created = File::create(to).map_err(RecordingError::io(to, "create it"))?;
    let mut mended = WriteOptions::new()
        .compression(None)
        .chunk_size(None)
        .calculate_data_section_crc(false)
        .library(format!("ghostball {}", first.about.version))
        .create(BufWriter::new(created))
        .map_err(failed)?;
    for (opcode, body) in first.extras()? {
        match parse(opcode, &body) {
            Ok(Record::Metadata(metadata)) => mended.write_metadata(&metadata).map_err(failed)?,
            Ok(Record::Attachment { header, data, .. }) => mended
                .attach(&mcap::Attachment {
                    log_time: header.log_time,
                    create_time: header.create_time,
                    name: header.name,
                    media_type: header.media_type,
                    data,
                })
                .map_err(failed)?,
            _ => {}
        }
    }
    let mut channels = Channels::default();
    let mut diagnosis = begin(first);
    let mut records = Vec::new();
    let mut lost_before = 0;
    for (file, first_chunk) in files {
        let chunks = file.chunks.iter().enumerate();
        // The first tells of the channels.
        for (_, chunk) in chunks.filter(|(index, _)| *index == 0 || index >= first_chunk) {
            let lost = diagnosis.lost_frames;
            let Some(messages) = examine(file, chunk, &mut records, &mut diagnosis, &channels)? else {
                lost_before += (diagnosis.lost_frames - lost).max(1);
                continue;
            };
            if let (1.., Some(gap)) = (lost_before, channels.of_topic(Topic::Gap)) {
                let header = MessageHeader {
                    channel_id: gap,
                    sequence: 0,
                    log_time: chunk.first_nanos,
                    publish_time: chunk.first_nanos,
                };
                let text = format!("{{\"lost_frames\":{lost_before}}}");
                mended
                    .write_to_known_channel(&header, text.as_bytes())
                    .map_err(failed)?;
                lost_before = 0;
            }
            walk(&records[..messages], |opcode, body| {
                channels.take(opcode, body);
                diagnosis.frames += u64::from(is_frame(&channels, opcode, body));
                match parse(opcode, body) {
                    Ok(Record::Schema { header, data }) => mended
                        .add_schema_with_id(header.id, &header.name, &header.encoding, &data)
                        .map(drop),
                    Ok(Record::Channel(channel)) => mended
                        .add_channel_with_id(
                            channel.id,
                            channel.schema_id,
                            &channel.topic,
                            &channel.message_encoding,
                            &channel.metadata,
                        )
                        .map(drop),
                    Ok(Record::Message { header, data }) => mended.write_to_known_channel(&header, &data),
                    _ => Ok(()),
                }
                .map_err(failed)
            })?;
            // Keyframes go on beginning chunks.
            mended.flush().map_err(failed)?;
        }
        // What a torn end was to hold is not known.
        lost_before += u64::from(file.ending != Ending::Closed);
    }
    mended.finish().map_err(failed)?;
    let written = mended
        .into_inner()
        .into_inner()
        .map_err(io::IntoInnerError::into_error);
    let synced = written.and_then(|file| file.sync_all());
    synced.map_err(RecordingError::io(to, "write it"))?;
    Ok(diagnosis)
}
