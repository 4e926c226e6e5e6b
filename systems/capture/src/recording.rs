//! Recordings: the frames of an MCAP file, as they were captured.

use std::path::Path;
use std::sync::Arc;

use ghostball_recording::{
    Ending, PictureFormat, PictureReader, RecordingError, RecordingReader, Topic, decode_lossless,
};
use ghostball_world::{Frame, FramePool};

use crate::jpeg::JpegDecoder;
use crate::{CaptureError, FrameSource, SourceDescription};

/// A recording and what decodes its pictures.
pub(crate) struct RecordingSource {
    reader: RecordingReader,
    pictures: PictureReader,
    jpeg: JpegDecoder,
    scratch: Vec<u8>,
    description: SourceDescription,
    /// The driver's count, unwound: it is recorded as wide as drivers count.
    sequence: Option<u64>,
    /// Pictures left out because they are none.
    damaged: u64,
    /// The end was cut short, and that was told.
    is_cut_short: bool,
}

impl RecordingSource {
    /// Reads the first picture to know its size.
    pub(crate) fn open(path: &Path) -> Result<Self, CaptureError> {
        if !path.exists() {
            return Err(CaptureError::Missing {
                path: path.to_owned(),
            });
        }
        let reader = RecordingReader::open(path)?;
        let about = reader.about();
        let description = SourceDescription {
            name: path.display().to_string(),
            width: 0,
            height: 0,
            frame_rate: if about.frame_rate > 0.0 {
                about.frame_rate
            } else {
                frame_rate(&reader)
            },
            expected_frames: Some(reader.count(Topic::Camera)),
            live: false,
        };
        let mut source = Self {
            reader,
            pictures: PictureReader::default(),
            jpeg: JpegDecoder::default(),
            scratch: Vec::new(),
            description,
            sequence: None,
            damaged: 0,
            is_cut_short: false,
        };
        let first = source.next_frame(&mut FramePool::default())?;
        let Some(first) = first else {
            return Err(CaptureError::Recording(RecordingError::NothingToSee {
                path: path.to_owned(),
                found: "none of its pictures can be read".to_owned(),
            }));
        };
        source.description.width = first.picture.width();
        source.description.height = first.picture.height();
        source.reader.rewind();
        (source.sequence, source.damaged) = (None, 0);
        Ok(source)
    }

    /// Takes the picture out of a message; `None` where there is none.
    fn decode(
        pictures: &mut PictureReader,
        jpeg: &mut JpegDecoder,
        scratch: &mut Vec<u8>,
        data: &[u8],
        frame: &mut Frame,
    ) -> Option<()> {
        frame.jpeg.clear();
        match pictures.read(data)? {
            (PictureFormat::Jpeg, bytes) => {
                jpeg.decode(bytes, &mut frame.picture).ok()?;
                frame.jpeg.extend_from_slice(bytes);
            }
            (PictureFormat::Lossless, bytes) => {
                decode_lossless(bytes, &mut frame.picture, scratch).ok()?;
            }
        }
        Some(())
    }
}

/// From the stamps, where nobody says.
fn frame_rate(reader: &RecordingReader) -> f64 {
    let seconds = reader
        .span()
        .map_or(0.0, |(first, last)| last.since(first).as_secs_f64());
    let intervals = reader.count(Topic::Camera).saturating_sub(1) as f64;
    if seconds > 0.0 && intervals > 0.0 {
        intervals / seconds
    } else {
        30.0
    }
}

impl FrameSource for RecordingSource {
    fn description(&self) -> &SourceDescription {
        &self.description
    }

    fn next_frame(&mut self, pool: &mut FramePool) -> Result<Option<Arc<Frame>>, CaptureError> {
        while let Some(message) = self.reader.next_message()? {
            if message.topic != Topic::Camera {
                continue;
            }
            let before = self.sequence.unwrap_or_default();
            let step = message.sequence.wrapping_sub(before as u32);
            // A count that goes back begins anew.
            let sequence = match self.sequence {
                Some(before) if step < u32::MAX / 2 => before + u64::from(step),
                _ => u64::from(message.sequence),
            };
            self.sequence = Some(sequence);
            let filled = pool.fill(|frame| {
                frame.sequence = sequence;
                frame.captured_at = message.captured_at;
                let (pictures, jpeg) = (&mut self.pictures, &mut self.jpeg);
                Self::decode(pictures, jpeg, &mut self.scratch, message.data, frame).ok_or(())
            });
            match filled {
                Ok(frame) => return Ok(Some(frame)),
                // One line for the first: the others are counted.
                Err(()) if self.damaged == 0 => {
                    let name = &self.description.name;
                    tracing::error!("{name}: a picture of the recording cannot be read; it is left out");
                }
                Err(()) => {}
            }
            self.damaged += 1;
        }
        if self.reader.ending() != Ending::Closed && !self.is_cut_short {
            self.is_cut_short = true;
            let name = &self.description.name;
            tracing::warn!("{name}: the recording was cut short; `ghostball doctor` repairs it");
        }
        Ok(None)
    }

    fn damaged(&self) -> u64 {
        self.damaged + self.reader.damaged_chunks() + u64::from(self.is_cut_short)
    }
}
