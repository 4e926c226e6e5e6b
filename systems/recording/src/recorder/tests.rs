use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use ghostball_world::{AlertCode, AlertLevel, ColorEncoding, Picture, PixelFormat};

use super::*;
use crate::{Ending, PictureFormat, PictureReader, RecordingReader, Topic, decode_lossless};

const WAIT: RecordingSettings = RecordingSettings::new(QueuePolicy::Wait);

fn about() -> About {
    About {
        version: "1.2.3".to_owned(),
        source: "a test".to_owned(),
        frame_rate: 25.0,
        started_at: "2026-01-01T12:00:00.000000+00:00".to_owned(),
        configuration: "[table]\nlength = 2.54\n".to_owned(),
        calibration: Some("[lens]\n".to_owned()),
    }
}

/// A frame 40 ms after the one before; every other one is a JPEG.
fn frame(n: u64) -> Frame {
    let shade = n as u8;
    Frame {
        sequence: 2 * n,
        captured_at: Stamp::from_nanos(1_000_000_000 + n * 40_000_000),
        picture: Picture::new(PixelFormat::Grey, 8, 8, ColorEncoding::default(), vec![shade; 64]).unwrap(),
        jpeg: if n.is_multiple_of(2) {
            Vec::new()
        } else {
            vec![0xff, 0xd8, shade]
        },
        ..Frame::default()
    }
}

fn take(recorder: &mut Recorder, n: u64) {
    recorder.take_frame(&frame(n), |state| state.extend(n.to_string().bytes()));
}

/// States by the number of their frame, messages about other things, and how the file ends.
type Read = (Vec<u64>, Vec<(Topic, Vec<u8>)>, Ending);

/// Numbers of the frames of which state and picture are there, with what came between them.
fn read(path: &Path) -> Read {
    let mut reader = RecordingReader::open(path).unwrap();
    let (mut states, mut others, mut pictures) = (Vec::new(), Vec::new(), PictureReader::default());
    while let Some(message) = reader.next_message().unwrap() {
        match message.topic {
            Topic::Camera => {
                let n = u64::from(message.sequence) / 2;
                assert_eq!(message.captured_at, frame(n).captured_at);
                match pictures.read(message.data).unwrap() {
                    (PictureFormat::Jpeg, bytes) => assert_eq!(bytes, frame(n).jpeg),
                    (PictureFormat::Lossless, bytes) => {
                        let mut picture = Picture::default();
                        decode_lossless(bytes, &mut picture, &mut Vec::new()).unwrap();
                        assert_eq!(picture, frame(n).picture);
                    }
                }
            }
            Topic::State => states.push(std::str::from_utf8(message.data).unwrap().parse().unwrap()),
            topic => others.push((topic, message.data.to_vec())),
        }
    }
    assert_eq!(reader.damaged_chunks(), 0);
    (states, others, reader.ending())
}

/// Changes one bit of a picture in the middle.
fn spoil_a_picture(bytes: &mut [u8]) {
    let middle = bytes.len() / 2;
    let picture = bytes[middle..]
        .windows(4)
        .position(|window| window == b"IDAT")
        .unwrap();
    bytes[middle + picture] ^= 1;
}

/// A recording of so many frames.
fn record(path: &Path, frames: u64) {
    let mut recorder = Recorder::create(path, &about(), WAIT).unwrap();
    (0..frames).for_each(|n| take(&mut recorder, n));
    recorder.finish().unwrap();
}

#[test]
fn what_is_recorded_is_read_back_with_all_that_the_recording_says_of_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mcap");
    let mut recorder = Recorder::create(&path, &about(), WAIT).unwrap();
    for n in 0..100 {
        if n == 50 {
            recorder.take_alert(&Alert {
                level: AlertLevel::Error,
                code: AlertCode::CalibrationLost,
                begins: true,
                text: "the \"table\" is gone".to_owned(),
            });
        }
        take(&mut recorder, n);
    }
    let counters = recorder.finish().unwrap();
    assert_eq!((counters.recorded, counters.lost), (100, 0));
    let (states, others, ending) = read(&path);
    assert_eq!(states, (0..100).collect::<Vec<_>>());
    assert_eq!(ending, Ending::Closed);
    let alert =
        r#"{"begins":true,"code":"CALIBRATION_LOST","level":"error","message":"the \"table\" is gone"}"#;
    assert_eq!(others, [(Topic::Alert, alert.as_bytes().to_vec())]);
    let reader = RecordingReader::open(&path).unwrap();
    assert_eq!(reader.about(), &about());
    assert_eq!(reader.count(Topic::Camera), 100);
    let (first, last) = reader.span().unwrap();
    assert_eq!((first, last), (frame(0).captured_at, frame(99).captured_at));
}

#[test]
fn a_recording_that_was_cut_anywhere_gives_its_whole_chunks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mcap");
    record(&path, 60);
    let whole = std::fs::read(&path).unwrap();
    let cut = folder.path().join("cut.mcap");
    let mut most = 0;
    for length in (0..whole.len()).step_by(97) {
        std::fs::write(&cut, &whole[..length]).unwrap();
        if RecordingReader::open(&cut).is_err() {
            assert_eq!(most, 0, "cut at {length} bytes");
            continue;
        }
        let (states, _, ending) = read(&cut);
        assert_eq!(states, (0..states.len() as u64).collect::<Vec<_>>());
        assert!(states.len() >= most, "more bytes give more frames");
        assert!(matches!(ending, Ending::CutShort { .. }));
        most = states.len();
    }
    assert_eq!(most, 60);
}

#[test]
fn a_chunk_whose_bytes_are_not_what_was_written_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mcap");
    record(&path, 60);
    let mut bytes = std::fs::read(&path).unwrap();
    spoil_a_picture(&mut bytes);
    std::fs::write(&path, bytes).unwrap();
    let mut reader = RecordingReader::open(&path).unwrap();
    let mut states = 0;
    while let Some(message) = reader.next_message().unwrap() {
        states += u64::from(message.topic == Topic::State);
    }
    assert_eq!(reader.damaged_chunks(), 1);
    assert!((45..60).contains(&states), "{states}");
}

/// A disk that takes bytes only while it is told to.
#[derive(Clone, Default)]
struct Fake {
    bytes: Arc<Mutex<Vec<u8>>>,
    is_full: Arc<AtomicBool>,
}

impl Storage for Fake {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let is_full = self.is_full.load(Ordering::SeqCst);
        // A disk that fills up takes a part.
        let taken = if is_full { bytes.len() / 2 } else { bytes.len() };
        self.bytes.lock().unwrap().extend(&bytes[..taken]);
        if is_full {
            Err(io::ErrorKind::StorageFull.into())
        } else {
            Ok(())
        }
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.bytes.lock().unwrap().truncate(length as usize);
        Ok(())
    }
}

#[test]
fn a_recording_that_is_there_is_kept_until_the_first_frame_of_the_next_comes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mcap");
    record(&path, 100);
    let before = std::fs::read(&path).unwrap();
    record(&path, 0);
    assert_eq!(std::fs::read(&path).unwrap(), before);
    record(&path, 10);
    let (states, _, ending) = read(&path);
    assert_eq!(states, (0..10).collect::<Vec<_>>());
    assert_eq!(ending, Ending::Closed);
}

#[test]
fn a_full_disk_costs_frames_which_are_counted_and_once_there_is_room_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mcap");
    let disk = Fake::default();
    let storage = Box::new(disk.clone());
    let mut recorder = Recorder::start(
        &path,
        &about(),
        RecordingSettings::new(QueuePolicy::Lose),
        640,
        storage,
        false,
    )
    .unwrap();
    let mut n = 0;
    let mut take_until = |recorder: &mut Recorder, done: &dyn Fn(&Recorder) -> bool| {
        while !done(recorder) {
            take(recorder, n);
            n += 1;
            thread::yield_now();
        }
        n
    };
    take_until(&mut recorder, &|recorder| recorder.counters().recorded >= 40);
    disk.is_full.store(true, Ordering::SeqCst);
    let is_full = |recorder: &Recorder| matches!(recorder.trouble(), Some(Trouble::DiskFull(_)));
    take_until(&mut recorder, &|recorder| {
        is_full(recorder) && recorder.counters().lost >= 100
    });
    assert!(recorder.wants_keyframe(Stamp::default()) || recorder.lost_before > 0);
    disk.is_full.store(false, Ordering::SeqCst);
    let recorded = recorder.counters().recorded;
    let taken = take_until(&mut recorder, &|recorder| {
        recorder.trouble().is_none() && recorder.counters().recorded >= recorded + 40
    });
    let counters = recorder.finish().unwrap();
    assert_eq!(counters.recorded + counters.lost, taken);
    std::fs::write(&path, &*disk.bytes.lock().unwrap()).unwrap();
    let (states, others, ending) = read(&path);
    assert_eq!(ending, Ending::Closed);
    assert_eq!(states.len() as u64, counters.recorded);
    assert!(states.is_sorted());
    let lost: u64 = others
        .iter()
        .map(|(topic, gap)| {
            assert_eq!(*topic, Topic::Gap);
            serde_json::from_slice::<serde_json::Value>(gap).unwrap()["lost_frames"]
                .as_u64()
                .unwrap()
        })
        .sum();
    assert!(
        lost >= 100 && lost <= counters.lost,
        "{lost} of {}",
        counters.lost
    );
}

#[test]
fn a_disk_that_stays_full_ends_the_recording_with_an_error_and_whole_chunks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mcap");
    let disk = Fake::default();
    let storage = Box::new(disk.clone());
    let mut recorder = Recorder::start(&path, &about(), WAIT, 640, storage, false).unwrap();
    (0..60).for_each(|n| take(&mut recorder, n));
    disk.is_full.store(true, Ordering::SeqCst);
    (60..90).for_each(|n| take(&mut recorder, n));
    let error = recorder.finish().unwrap_err().to_string();
    assert!(error.contains("cannot write the end of it"), "{error}");
    std::fs::write(&path, &*disk.bytes.lock().unwrap()).unwrap();
    let (states, _, ending) = read(&path);
    assert!((11..90).contains(&states.len()), "{}", states.len());
    assert_eq!(ending, Ending::CutShort { torn_bytes: 0 });
}

#[test]
fn the_doctor_finds_nothing_in_a_whole_recording_and_mends_others_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mcap");
    record(&path, 60);
    let found = crate::check(&path).unwrap();
    assert!(found.is_healthy() && found.frames == 60, "{found:?}");

    // Something is wrong in the middle, and the end is missing.
    let mut bytes = std::fs::read(&path).unwrap();
    spoil_a_picture(&mut bytes);
    bytes.truncate(bytes.len() * 19 / 20);
    std::fs::write(&path, &bytes).unwrap();
    let found = crate::check(&path).unwrap();
    assert!(!found.is_healthy() && found.lost_frames > 0, "{found:?}");
    assert_eq!(crate::mend(&path).unwrap(), found);
    assert_eq!(std::fs::read(crate::damaged_name(&path)).unwrap(), bytes);

    let mended = crate::check(&path).unwrap();
    assert!(mended.is_healthy() && mended.frames == found.frames, "{mended:?}");
    let (states, others, ending) = read(&path);
    assert_eq!((states.len() as u64, ending), (found.frames, Ending::Closed));
    let gap = format!("{{\"lost_frames\":{}}}", found.lost_frames);
    assert_eq!(others, [(Topic::Gap, gap.into_bytes())]);
    assert_eq!(RecordingReader::open(&path).unwrap().about(), &about());
}

#[test]
fn any_bytes_of_a_recording_can_be_wrong_and_nothing_panics() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mcap");
    record(&path, 30);
    let whole = std::fs::read(&path).unwrap();
    let mut random = 1_u64;
    let mut below = |limit: usize| {
        // Knuth's linear congruential generator; its upper bits.
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) as usize % limit
    };
    for _ in 0..400 {
        let mut bytes = whole.clone();
        for _ in 0..=below(4) {
            let at = below(bytes.len());
            match below(3) {
                0 => bytes[at] = below(256) as u8,
                1 => bytes[at] = [0, 1, 0x7f, 0xff][below(4)],
                _ => drop(bytes.drain(at..(at + below(9)).min(bytes.len() - 1).max(at))),
            }
        }
        std::fs::write(&path, &bytes).unwrap();
        if let Ok(mut reader) = RecordingReader::open(&path) {
            while let Ok(Some(message)) = reader.next_message() {
                PictureReader::default().read(message.data);
            }
        }
        if let (Ok(found), Ok(mended)) = (crate::check(&path), crate::mend(&path)) {
            assert_eq!(found, mended);
        }
    }
}

#[test]
fn an_attachment_shorter_than_its_own_header_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mcap");
    for length in 0..40_u64 {
        let mut bytes = mcap::MAGIC.to_vec();
        bytes.push(mcap::records::op::ATTACHMENT);
        bytes.extend(length.to_le_bytes());
        bytes.extend(vec![0; length as usize]);
        std::fs::write(&path, &bytes).unwrap();
        assert!(RecordingReader::open(&path).is_err());
    }
}
