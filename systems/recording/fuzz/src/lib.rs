//! Any bytes as a recording: an error or messages, no panic, bounded time and memory.
//!
//! `cargo +nightly fuzz run recording`, in this folder; how to do without nightly is told in `systems/detection/fuzz`.

use std::path::PathBuf;

use ghostball_recording::{PictureReader, RecordingReader, Topic, check, damaged_name, decode_lossless, mend};
use ghostball_world::{Picture, Stamp};

/// Reads the bytes as a file from beginning to end, and from its middle on; checks it and mends it.
pub fn read_recording(bytes: &[u8]) {
    let path = file();
    if std::fs::write(&path, bytes).is_err() {
        return;
    }
    if let Ok(mut reader) = RecordingReader::open(&path) {
        read_all(&mut reader);
        if let Some((first, last)) = reader.span() {
            reader.seek(Stamp::from_nanos(first.nanos / 2 + last.nanos / 2));
            read_all(&mut reader);
        }
    }
    if let Ok(found) = check(&path)
        && let Ok(mended) = mend(&path)
    {
        assert_eq!(found, mended);
        assert_eq!(check(&path).map(|after| after.frames).ok(), Some(found.frames));
    }
    std::fs::remove_file(damaged_name(&path)).ok();
}

fn read_all(reader: &mut RecordingReader) {
    let (mut pictures, mut picture, mut scratch) = (PictureReader::default(), Picture::default(), Vec::new());
    while let Ok(Some(message)) = reader.next_message() {
        if message.topic == Topic::Camera
            && let Some((_, bytes)) = pictures.read(message.data)
        {
            decode_lossless(bytes, &mut picture, &mut scratch).ok();
        }
    }
}

/// One for each process, in memory where there is such a folder.
fn file() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() { memory } else { std::env::temp_dir() };
    folder.join(format!("ghostball-fuzz-{}.mcap", std::process::id()))
}
