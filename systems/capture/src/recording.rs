//! Recordings: the frames of an MCAP file, as they were captured.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ghostball_recording::{
    Ending, PictureFormat, PictureReader, RecordingError, RecordingReader, Topic, decode_lossless,
};
use ghostball_world::{Frame, FramePool, Recorded, Stamp};

use crate::jpeg::JpegDecoder;
use crate::{CaptureError, FrameSource, SourceDescription, SourceTimes};

/// What is told of the first frame, before anything was read.
const FIRST: Recorded = Recorded {
    is_cut: true,
    is_leading: false,
    keyframe: Vec::new(),
    change: Vec::new(),
    state: Vec::new(),
};

/// A recording and what decodes its pictures.
pub(crate) struct RecordingSource {
    reader: RecordingReader,
    pictures: PictureReader,
    jpeg: JpegDecoder,
    scratch: Vec<u8>,
    description: SourceDescription,
    /// The place that was sought last: what comes before it is not shown.
    sought: Stamp,
    /// What is told of the frame to come.
    recorded: Recorded,
    /// The driver's count, unwound: it is recorded as wide as drivers count.
    sequence: Option<u64>,
    /// Stamp of the picture read last.
    captured_at: Stamp,
    /// Pictures left out because they are none.
    damaged: u64,
    /// Frames that were lost when it was recorded.
    missed: u64,
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
            span: reader.span(),
            live: false,
        };
        let mut source = Self {
            reader,
            pictures: PictureReader::default(),
            jpeg: JpegDecoder::default(),
            scratch: Vec::new(),
            description,
            sought: Stamp::default(),
            recorded: FIRST,
            sequence: None,
            captured_at: Stamp::default(),
            damaged: 0,
            missed: 0,
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
        (source.recorded, source.sequence) = (FIRST, None);
        (source.damaged, source.missed) = (0, 0);
        Ok(source)
    }

    /// Takes in what is told of the frame to come, up to its picture; `None` where there is no frame any more.
    fn read_up_to_picture(&mut self) -> Result<Option<Option<PictureFormat>>, CaptureError> {
        while let Some(message) = self.reader.next_message()? {
            match message.topic {
                Topic::Gap => {
                    self.missed = self.missed.saturating_add(message.lost_frames());
                    self.recorded.is_cut = true;
                }
                Topic::Keyframe => {
                    self.recorded.keyframe.clear();
                    self.recorded.keyframe.extend_from_slice(message.data);
                }
                Topic::Change => {
                    self.recorded.change.clear();
                    self.recorded.change.extend_from_slice(message.data);
                }
                Topic::State | Topic::Alert => {}
                Topic::Camera => {
                    let before = self.sequence.unwrap_or_default();
                    let step = message.sequence.wrapping_sub(before as u32);
                    // A count that goes back begins anew.
                    self.sequence = match self.sequence {
                        Some(before) if step < u32::MAX / 2 => Some(before + u64::from(step)),
                        _ => Some(u64::from(message.sequence)),
                    };
                    self.captured_at = message.captured_at;
                    let format = self.pictures.take(message.data);
                    self.recorded.is_cut |= self.reader.take_skipped();
                    return Ok(Some(format));
                }
            }
        }
        Ok(None)
    }

    /// Takes in what is told of a frame after its picture.
    fn read_state(&mut self) {
        self.recorded.state.clear();
        if let Some(state) = self.reader.next_message_about(Topic::State) {
            self.recorded.state.extend_from_slice(state.data);
        }
    }

    /// Decodes the picture that was read last; `None` where it is none.
    fn decode(&mut self, format: PictureFormat, frame: &mut Frame) -> Option<()> {
        let Self {
            pictures,
            jpeg,
            scratch,
            ..
        } = self;
        frame.jpeg.clear();
        let bytes = pictures.compressed();
        match format {
            PictureFormat::Jpeg => {
                jpeg.decode(bytes, &mut frame.picture).ok()?;
                frame.jpeg.extend_from_slice(bytes);
            }
            PictureFormat::Lossless => decode_lossless(bytes, &mut frame.picture, scratch).ok()?,
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
        while let Some(format) = self.read_up_to_picture()? {
            self.read_state();
            let filled = pool.fill(|frame| {
                frame.sequence = self.sequence.unwrap_or_default();
                frame.captured_at = self.captured_at;
                format.and_then(|format| self.decode(format, frame)).ok_or(())?;
                std::mem::swap(&mut frame.recorded, &mut self.recorded);
                frame.recorded.is_leading = self.captured_at < self.sought;
                Ok(())
            });
            self.recorded.clear();
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
            self.recorded.is_cut = true;
        }
        if self.reader.ending() != Ending::Closed && !self.is_cut_short {
            self.is_cut_short = true;
            let name = &self.description.name;
            tracing::warn!("{name}: the recording was cut short; `ghostball doctor` repairs it");
        }
        Ok(None)
    }

    fn seek(&mut self, since_first: Duration) -> bool {
        let Some((first, last)) = self.description.span else {
            return false;
        };
        let nanos = u64::try_from(since_first.as_nanos()).unwrap_or(u64::MAX);
        self.sought = Stamp::from_nanos(first.nanos.saturating_add(nanos)).min(last);
        self.reader.seek(self.sought);
        (self.recorded, self.sequence, self.is_cut_short) = (FIRST, None, false);
        true
    }

    fn times(&self) -> SourceTimes {
        SourceTimes {
            decode: self.jpeg.took(),
            ..SourceTimes::default()
        }
    }

    fn missed(&self) -> u64 {
        self.missed
    }

    fn damaged(&self) -> u64 {
        self.damaged + self.reader.damaged_chunks() + u64::from(self.is_cut_short)
    }
}
