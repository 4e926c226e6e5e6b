//! `ghostball info` and `ghostball doctor`: what a recording holds, and whether it is whole.

use std::fmt::Write as _;
use std::path::Path;

use crate::recording::{Ending, RecordingError, RecordingReader, Topic, check, damaged_name, mend};

/// What a recording holds, for people.
pub fn info(path: &Path) -> Result<String, RecordingError> {
    let reader = RecordingReader::open(path)?;
    let about = reader.about();
    let frames = reader.count(Topic::Camera);
    let seconds = reader
        .span()
        .map_or(0.0, |(first, last)| last.since(first).as_secs_f64());
    let size = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    let unknown = |text: &str| {
        if text.is_empty() {
            "unknown".to_owned()
        } else {
            text.to_owned()
        }
    };
    let mut text = String::new();
    let mut line = |name: &str, value: String| writeln!(text, "{name:14} {value}").ok();
    line("file", format!("{}, {:.1} MB", path.display(), size as f64 / 1e6));
    line("source", unknown(&about.source));
    line("recorded", unknown(&about.started_at));
    line("by version", unknown(&about.version));
    let rate = (frames.saturating_sub(1)) as f64 / seconds.max(1e-9);
    let rate = if frames > 1 {
        format!(", {rate:.2} a second")
    } else {
        String::new()
    };
    line("frames", format!("{frames} in {seconds:.3} s{rate}"));
    line("states", reader.count(Topic::State).to_string());
    line("keyframes", reader.count(Topic::Keyframe).to_string());
    line("gaps", reader.count(Topic::Gap).to_string());
    line("alerts", reader.count(Topic::Alert).to_string());
    line("changes", reader.count(Topic::Change).to_string());
    let calibration = if about.calibration.is_some() {
        "included"
    } else {
        "none"
    };
    line("calibration", calibration.to_owned());
    line(
        "ending",
        match reader.ending() {
            Ending::Closed => "closed".to_owned(),
            Ending::CutShort { .. } => "cut short; `ghostball doctor` mends it".to_owned(),
        },
    );
    Ok(text)
}

/// What the doctor found, and whether something is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// For people.
    pub text: String,
    /// Whether frames are lost.
    pub is_lossy: bool,
}

/// Checks a recording, and mends it where something is wrong.
pub fn doctor(path: &Path) -> Result<Verdict, RecordingError> {
    let found = check(path)?;
    let name = path.display();
    if found.is_healthy() {
        return Ok(Verdict {
            text: format!("{name}: whole, {} frames\n", found.frames),
            is_lossy: false,
        });
    }
    let mut text = String::new();
    for damage in &found.damaged_chunks {
        writeln!(text, "{name}: damaged: {damage}").ok();
    }
    if !found.is_closed {
        writeln!(
            text,
            "{name}: cut short: {} bytes at the end belong to nothing whole; what was not on the disk yet, less than a \
             second, is lost",
            found.torn_bytes
        )
        .ok();
    }
    let mended = mend(path)?;
    writeln!(
        text,
        "{name}: mended: {} frames are kept, {} in damaged chunks are lost",
        mended.frames, mended.lost_frames
    )
    .ok();
    if !mended.damaged_chunks.is_empty() {
        writeln!(text, "{name}: as it was: {}", damaged_name(path).display()).ok();
    }
    Ok(Verdict { text, is_lossy: true })
}
