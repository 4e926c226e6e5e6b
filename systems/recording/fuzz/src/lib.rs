//! Any bytes as a recording: an error or messages, no panic, bounded time and memory.
//!
//! `cargo +nightly fuzz run recording` and `… keyframe`, in this folder; how to do without nightly is told in `systems/detection/fuzz`.

use std::cell::RefCell;
use std::path::PathBuf;

use bevy_app::App;
use ghostball_recording::{
    PictureReader, RecordingReader, Topic, check, damaged_name, decode_lossless, mend,
};
use ghostball_tracking::TrackPlugin;
use ghostball_trajectory::PredictPlugin;
use ghostball_world::{FrameTick, Picture, Stamp, WorldPlugin, load_memory, save_memory};

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

thread_local! {
    /// A world, and what it remembers before anything happens in it.
    static WORLD: RefCell<(App, Vec<u8>)> = RefCell::new(new_world());
}

fn new_world() -> (App, Vec<u8>) {
    let mut app = App::new();
    app.add_plugins((WorldPlugin, TrackPlugin, PredictPlugin));
    app.update();
    let mut keyframe = Vec::new();
    save_memory(app.world_mut(), &mut keyframe).expect("a new world can be saved");
    (app, keyframe)
}

/// Takes the bytes for what the systems remembered: as they are, and written over a keyframe that is one, from the place on
/// that the first two tell. What is taken over can be worked with and remembered again.
pub fn read_keyframe(bytes: &[u8]) {
    WORLD.with_borrow_mut(|(app, keyframe)| {
        take_over(app, bytes);
        let Some((place, bytes)) = bytes.split_first_chunk() else {
            return;
        };
        let from = usize::from(u16::from_le_bytes(*place)) % keyframe.len();
        let to = (from + bytes.len()).min(keyframe.len());
        let mut other = keyframe.clone();
        other.splice(from..to, bytes.iter().copied());
        take_over(app, &other);
    });
}

fn take_over(app: &mut App, keyframe: &[u8]) {
    match load_memory(app.world_mut(), keyframe) {
        Ok(()) => {
            app.world_mut().run_schedule(FrameTick);
            save_memory(app.world_mut(), &mut Vec::new()).expect("a world can be saved");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// One for each process, in memory where there is such a folder.
fn file() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() {
        memory
    } else {
        std::env::temp_dir()
    };
    folder.join(format!("ghostball-fuzz-{}.mcap", std::process::id()))
}
