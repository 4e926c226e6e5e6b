//! Recordings of the assembled program.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a failure ends the test, a skip is told"
)]

mod common;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::run;
use ghostball::recording::{
    About, Ending, PictureReader, QueuePolicy, Recorder, RecordingReader, Topic, decode_lossless,
};
use ghostball::world::{ColorEncoding, Frame, Picture, PixelFormat, Stamp};

/// Records the simulated table for so long.
fn record(out: &Path, seconds: &str) {
    let recorded = run(&[
        "record",
        "--source",
        "sim?seed=7&size=640x360",
        "--seconds",
        seconds,
        "--out",
        out.to_str().unwrap(),
    ]);
    assert!(recorded.status.success(), "{recorded:?}");
}

/// The states that a replay gives.
fn replay(source: &str, options: &[&str]) -> String {
    let replayed = run(&[&["replay", source, "--jsonl", "-"], options].concat());
    assert!(replayed.status.success(), "{replayed:?}");
    String::from_utf8(replayed.stdout).unwrap()
}

#[test]
fn the_simulated_table_is_recorded_twice_the_same_but_for_one_wall_clock_field() {
    let folder = tempfile::tempdir().unwrap();
    let [a, b] = ["a.mcap", "b.mcap"].map(|name| folder.path().join(name));
    record(&a, "3");
    record(&b, "3");
    let started_at = "started_at";
    let [mut a, mut b] = [a, b].map(|path| std::fs::read(path).unwrap());
    for bytes in [&mut a, &mut b] {
        let at = bytes
            .windows(started_at.len())
            .position(|window| window == started_at.as_bytes())
            .unwrap();
        let length_at = at + started_at.len();
        let length = u32::from_le_bytes(bytes[length_at..length_at + 4].try_into().unwrap()) as usize;
        bytes[length_at + 4..length_at + 4 + length].fill(b'0');
    }
    assert!(a == b, "the recordings differ");
}

#[test]
fn a_replay_of_a_recording_gives_the_states_of_the_source_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mcap");
    record(&path, "5");
    let states = replay(path.to_str().unwrap(), &[]);
    assert_eq!(states.lines().count(), 150);
    assert!(states == replay("sim?seed=7&size=640x360", &["--frames", "150"]));
}

#[test]
fn the_mcap_package_for_python_reads_every_message() {
    const SCRIPT: &str = "
import sys
from mcap.reader import make_reader, NonSeekingReader
with open(sys.argv[1], 'rb') as file:
    by_index = list(make_reader(file, validate_crcs=True).iter_messages(log_time_order=False))
with open(sys.argv[1], 'rb') as file:
    in_order = list(NonSeekingReader(file, validate_crcs=True).iter_messages(log_time_order=False))
assert len(by_index) == len(in_order)
for schema, channel, message in in_order:
    if channel.topic == '/state':
        print(message.data.decode())
    if channel.topic == '/camera':
        assert schema.name == 'foxglove.CompressedImage' and schema.encoding == 'protobuf'
";
    let known = Command::new("python3")
        .args(["-c", "import mcap.reader"])
        .output();
    if !known.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: Python with the package mcap is not installed (pip install mcap)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mcap");
    record(&path, "2");
    let read = Command::new("python3")
        .args(["-c", SCRIPT, path.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(read.status.success(), "{read:?}");
    assert!(String::from_utf8(read.stdout).unwrap() == replay(path.to_str().unwrap(), &[]));
}

/// Where the child below records; set by its parent only.
const CHILD_OUT: &str = "GHOSTBALL_TEST_RECORDS_INTO";

/// The picture of a frame: a pattern that no other frame has.
fn pattern(n: u64) -> Picture {
    let bytes = (0..64 * 48).map(|i| (i as u64 * 7 + n * 31) as u8).collect();
    Picture::new(PixelFormat::Grey, 64, 48, ColorEncoding::default(), bytes).unwrap()
}

/// Not a test of its own: what the next one kills. Records 30 frames a second and says of each that it is taken.
#[test]
fn a_child_that_records_until_it_is_killed() {
    let Some(out) = std::env::var_os(CHILD_OUT) else {
        return;
    };
    let about = About {
        frame_rate: 30.0,
        ..About::default()
    };
    let mut recorder = Recorder::create(Path::new(&out), &about, QueuePolicy::Lose).unwrap();
    for n in 0..900 {
        let frame = Frame {
            sequence: n,
            captured_at: Stamp::from_nanos(n * 1_000_000_000 / 30),
            picture: pattern(n),
            ..Frame::default()
        };
        recorder.take_frame(&frame, |state| state.extend(n.to_string().bytes()));
        println!("\ntaken {n}");
        std::thread::sleep(Duration::from_millis(33));
    }
}

#[test]
fn a_recording_that_is_killed_at_any_moment_loses_less_than_its_last_second() {
    let folder = tempfile::tempdir().unwrap();
    let killed: Vec<_> = (0..20_u64)
        .map(|i| {
            let path = folder.path().join(format!("{i}.mcap"));
            let child = Command::new(std::env::current_exe().unwrap())
                .args([
                    "--exact",
                    "a_child_that_records_until_it_is_killed",
                    "--nocapture",
                ])
                .env(CHILD_OUT, &path)
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            // Moments from 1 to 3 seconds, spread by a multiplicative hash.
            let last = 30 + ((i * 2_654_435_761) >> 7) % 60;
            std::thread::spawn(move || (kill_after(child, last), path))
        })
        .collect();
    for handle in killed {
        let (taken, path) = handle.join().unwrap();
        let name = path.to_str().unwrap();
        let mended = run(&["doctor", name]);
        assert_eq!(mended.status.code(), Some(3), "{mended:?}");
        let again = run(&["doctor", name]);
        assert_eq!(again.status.code(), Some(0), "{again:?}");

        let mut reader = RecordingReader::open(&path).unwrap();
        let (mut frames, mut states, mut pictures) = (0, 0, PictureReader::default());
        while let Some(message) = reader.next_message().unwrap() {
            match message.topic {
                Topic::Camera => {
                    let mut picture = Picture::default();
                    let (_, bytes) = pictures.read(message.data).unwrap();
                    decode_lossless(bytes, &mut picture, &mut Vec::new()).unwrap();
                    assert!(picture == pattern(frames), "frame {frames} of {name}");
                    frames += 1;
                }
                Topic::State => {
                    assert_eq!(message.data, states.to_string().as_bytes());
                    states += 1;
                }
                _ => {}
            }
        }
        assert_eq!((frames, reader.ending()), (states, Ending::Closed));
        assert!(taken <= frames + 30, "{frames} frames are left of {taken}");
        let replayed = run(&["replay", name, "--jsonl", "-"]);
        assert!(replayed.status.success(), "{replayed:?}");
        assert_eq!(
            replayed.stdout.iter().filter(|byte| **byte == b'\n').count() as u64,
            frames
        );
    }
}

/// Kills the child once it has said that it took frame `last`; how many it took.
fn kill_after(mut child: Child, last: u64) -> u64 {
    let mut taken = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        if let Some(n) = line.unwrap().strip_prefix("taken ") {
            taken = n.parse::<u64>().unwrap() + 1;
        }
        if taken > last {
            break;
        }
    }
    // On Unix that is SIGKILL.
    child.kill().unwrap();
    child.wait().unwrap();
    taken
}
