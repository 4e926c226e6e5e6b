//! Recordings of the assembled program.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a failure ends the test, a skip is told"
)]

mod common;

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::service::Service;
use common::{ghostball, run};
use ghostball::capture::{self, Pace, Received, RingPolicy, SourceSpec};
use ghostball::recording::{
    About, Ending, PictureReader, QueuePolicy, Recorder, RecordingReader, RecordingSettings, Topic,
    decode_lossless,
};
use ghostball::world::{ColorEncoding, Frame, Picture, PixelFormat, Stamp};
use serde_json::Value;

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

/// The fields that a schema describes, as paths.
fn described(schema: &Value, path: &str, fields: &mut BTreeSet<String>) {
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        described(schema, &path, fields);
        fields.insert(path);
    }
    if schema["items"].is_object() {
        described(&schema["items"], &format!("{path}[]"), fields);
    }
}

/// The fields that a value has.
fn found(value: &Value, path: &str, fields: &mut BTreeSet<String>) {
    for (name, value) in value.as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        found(value, &path, fields);
        fields.insert(path);
    }
    for value in value.as_array().into_iter().flatten() {
        found(value, &format!("{path}[]"), fields);
    }
}

#[test]
fn the_schema_of_states_describes_every_field_of_them_and_no_other() {
    let schema = include_str!("../systems/recording/src/schemas/state.json");
    let schema: Value = serde_json::from_str(schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let (mut known, mut seen) = (BTreeSet::new(), BTreeSet::new());
    described(&schema, "", &mut known);
    for line in replay("sim?seed=7&size=640x360", &["--frames", "300"]).lines() {
        let state: Value = serde_json::from_str(line).unwrap();
        assert!(validator.is_valid(&state), "{line}");
        found(&state, "", &mut seen);
    }
    // Of events, there are many kinds, each with fields of its own.
    seen.retain(|field| !field.starts_with(".events[]"));
    assert_eq!(seen, known);
}

#[test]
fn pictures_without_a_jpeg_are_recorded_as_jpegs_where_that_is_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let [exact, small, config] = ["a.mcap", "b.mcap", "c.toml"].map(|name| folder.path().join(name));
    record(&exact, "1");
    std::fs::write(&config, "[recording]\njpeg_quality = 95\n").unwrap();
    let arguments = [
        "record",
        "--source",
        "sim?seed=7&size=640x360",
        "--seconds",
        "1",
        "--out",
    ];
    let with = [small.to_str().unwrap(), "--config", config.to_str().unwrap()];
    let recorded = run(&[&arguments[..], &with[..]].concat());
    assert!(recorded.status.success(), "{recorded:?}");
    let pictures = |path| {
        let source = capture::open(&SourceSpec::Recording(path)).unwrap();
        let frames = capture::spawn(source, RingPolicy::Replay, Pace::Max, 2).unwrap();
        std::iter::from_fn(move || match frames.receive(Duration::from_secs(30)) {
            Received::Frame(frame) => Some(frame),
            _ => None,
        })
    };
    let bytes = [&exact, &small].map(|path| std::fs::metadata(path).unwrap().len());
    assert!(2 * bytes[1] < bytes[0], "{bytes:?}");
    let mut count = 0;
    for (exact, small) in pictures(exact).zip(pictures(small)) {
        assert!(exact.jpeg.is_empty() && !small.jpeg.is_empty());
        for (x, y) in [(100, 100), (320, 180), (500, 300)] {
            let [exact, small] = [&exact, &small].map(|frame| frame.picture.rgb_at(x, y));
            let worst = exact.iter().zip(small).map(|(a, b)| a.abs_diff(b)).max();
            assert!(worst <= Some(16), "{exact:?} became {small:?}");
        }
        count += 1;
    }
    assert_eq!(count, 30);
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
    let mut recorder =
        Recorder::create(Path::new(&out), &about, RecordingSettings::new(QueuePolicy::Lose)).unwrap();
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

/// Serves on a port of its own.
fn serve(arguments: &[&str]) -> Service {
    Service::start(ghostball().args(arguments).args(["--listen", "127.0.0.1:0"]))
}

/// Asks again until `is_done`.
fn wait_for(service: &Service, path: &str, is_done: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..600 {
        let (status, body) = service.ask("GET", path, "");
        if let (200, Ok(found)) = (status, serde_json::from_str(&body))
            && is_done(&found)
        {
            return found;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("{path} never came to it: {}", service.said());
}

#[test]
fn what_clients_change_while_a_recording_is_made_is_replayed_at_its_frame() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mcap");
    let path = path.to_str().unwrap();
    let config = folder.path().join("ghostball.toml");
    std::fs::write(&config, "[recording]\nkeyframe_seconds = 0.5\n").unwrap();
    let service = serve(&[
        "run",
        "--source",
        "sim?seed=7&size=640x360",
        "--record",
        path,
        "--config",
        config.to_str().unwrap(),
    ]);
    wait_for(&service, "/api/v1/game/state", |_| true);
    let change = r#"{"trajectory": {"assumed_stick_speed": 3.3}}"#;
    service.json("PUT", "/api/v1/config", change, 200);
    // One that is refused is no change.
    let wrong = r#"{"trajectory": {"assumed_stick_speed": -1}}"#;
    service.json("PUT", "/api/v1/config", wrong, 422);
    service.json("POST", "/api/v1/calibration", "", 202);
    wait_for(&service, "/api/v1/calibration", |found| found["status"] == "done");
    std::thread::sleep(Duration::from_secs(2));
    drop(service);

    let mut reader = RecordingReader::open(Path::new(path)).unwrap();
    let mut changes = Vec::new();
    while let Some(message) = reader.next_message().unwrap() {
        if message.topic == Topic::Change {
            let change: Value = serde_json::from_slice(message.data).unwrap();
            changes.extend(change.as_object().unwrap().keys().cloned());
        }
    }
    assert_eq!(changes, ["configuration", "calibration"]);
    // It was killed: what is there is as it was.
    let (code, said) = check(path);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("states are those recorded, 0 could not"), "{said}");
}

/// Whether a replay of it is the recorded run: the exit code, and what was said.
fn check(recording: &str) -> (Option<i32>, String) {
    let checked = run(&["replay", recording, "--check"]);
    (checked.status.code(), String::from_utf8(checked.stderr).unwrap())
}

#[test]
fn a_replay_that_is_not_the_recorded_run_is_told_and_fails() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mcap");
    record(&path, "2");
    let (code, said) = check(path.to_str().unwrap());
    assert_eq!(code, Some(0), "{said}");
    // Another state in one frame, with a sum that fits.
    let mut reader = RecordingReader::open(&path).unwrap();
    let settings = RecordingSettings::new(QueuePolicy::Wait);
    let other = folder.path().join("b.mcap");
    let about = reader.about().clone();
    let mut recorder = Recorder::create(&other, &about, settings).unwrap();
    let mut pictures = PictureReader::default();
    let mut frame = Frame::default();
    while let Some(message) = reader.next_message().unwrap() {
        match message.topic {
            Topic::Keyframe => recorder.take_keyframe(message.captured_at, message.data),
            Topic::Camera => {
                frame.captured_at = message.captured_at;
                let (_, bytes) = pictures.read(message.data).unwrap();
                decode_lossless(bytes, &mut frame.picture, &mut Vec::new()).unwrap();
            }
            Topic::State => {
                let text = String::from_utf8(message.data.to_vec()).unwrap();
                let text = text.replace("\"frame\":41,", "\"frame\":42,");
                recorder.take_frame(&frame, |state| state.extend(text.bytes()));
            }
            _ => {}
        }
    }
    recorder.finish().unwrap();
    let (code, said) = check(other.to_str().unwrap());
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("59 the same and 1 others, first in frame 41"),
        "{said}"
    );
    let (code, said) = check("sim");
    assert_eq!(code, Some(1), "{said}");
}

#[test]
fn a_replay_is_paused_stepped_sought_hastened_and_looked_at_again_after_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mcap");
    record(&path, "4");
    let path = path.to_str().unwrap();
    let service = serve(&["replay", path, "--serve"]);
    let frame = || service.json("GET", "/api/v1/game/state", "", 200)["frame_number"].clone();
    let post = |what: &str, body: &str| service.json("POST", &format!("/api/v1/replay/{what}"), body, 200);
    wait_for(&service, "/api/v1/replay", |view| {
        view["position_seconds"].as_f64() > Some(0.0)
    });
    let paused = post("pause", "");
    assert_eq!((&paused["paused"], &paused["speed"]), (&true.into(), &1.0.into()));
    assert!((paused["duration_seconds"].as_f64().unwrap() - 119.0 / 30.0).abs() < 1e-6);

    let change = r#"{"trajectory.assumed_stick_speed": 5}"#;
    let refused = service.json("PUT", "/api/v1/config", change, 409).to_string();
    assert!(
        refused.contains("a.mcap, which is played"),
        "what decided the recorded states is not changed: {refused}"
    );
    let (_, metrics) = service.ask("GET", "/metrics", "");
    let captured = metrics
        .lines()
        .find_map(|line| line.strip_prefix("ghostball_source_frames_total "));
    assert!(captured.is_some_and(|count| count != "0"), "{metrics}");

    let at = |seconds: f64| {
        move |view: &Value| (view["position_seconds"].as_f64().unwrap() - seconds).abs() < 1e-6
    };
    post("seek", r#"{"seconds": 3.0}"#);
    wait_for(&service, "/api/v1/replay", at(3.0));
    wait_for(&service, "/api/v1/game/state", |state| {
        state["frame_number"] == 90
    });
    post("step", "");
    wait_for(&service, "/api/v1/replay", at(91.0 / 30.0));
    post("step", r#"{"frames": 4}"#);
    wait_for(&service, "/api/v1/replay", at(95.0 / 30.0));
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(frame(), 95);
    // Back, and at another speed to the end; somebody who looks on keeps it.
    post("seek", r#"{"seconds": 1.0}"#);
    wait_for(&service, "/api/v1/replay", at(1.0));
    let mut viewer = TcpStream::connect(&service.address).unwrap();
    write!(
        viewer,
        "GET /ws HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        service.address
    )
    .unwrap();
    viewer.read_exact(&mut [0; 12]).unwrap();
    assert_eq!(post("speed", r#"{"speed": 8.0}"#)["speed"], 8.0);
    post("resume", "");
    wait_for(&service, "/api/v1/replay", |view| view["ended"] == true);
    post("pause", "");
    post("seek", r#"{"seconds": 0.5}"#);
    wait_for(&service, "/api/v1/game/state", |state| {
        state["frame_number"] == 15
    });

    for (what, body) in [
        ("seek", r#"{"seconds": -1}"#),
        ("speed", r#"{"speed": 0}"#),
        ("step", r#"{"frames": 0}"#),
    ] {
        service.json("POST", &format!("/api/v1/replay/{what}"), body, 422);
    }
}

#[test]
fn a_recording_is_not_recorded_into_itself() {
    let folder = tempfile::tempdir().unwrap();
    let [path, link] = ["a.mcap", "link.mcap"].map(|name| folder.path().join(name));
    record(&path, "1");
    let before = std::fs::read(&path).unwrap();
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let refused = run(&[
        "record",
        "--source",
        path.to_str().unwrap(),
        "--out",
        link.to_str().unwrap(),
    ]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("expected another file"));
    assert!(std::fs::read(&path).unwrap() == before);
}

#[test]
fn only_a_recording_is_replayed() {
    let service = serve(&["run", "--source", "sim?size=640x360"]);
    service.json("GET", "/api/v1/replay", "", 404);
    service.json("POST", "/api/v1/replay/pause", "", 404);
}

#[test]
fn clients_record_and_save_what_was_kept_and_it_replays_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let recordings = folder.path().join("recordings");
    let config = folder.path().join("ghostball.toml");
    let keys = format!(
        "[recording]\nfolder = {:?}\nring_seconds = 5\nkeyframe_seconds = 0.5\n",
        recordings.to_str().unwrap()
    );
    std::fs::write(&config, keys).unwrap();
    let config = config.to_str().unwrap();
    let service = serve(&["run", "--source", "sim?seed=7&size=640x360", "--config", config]);
    wait_for(&service, "/api/v1/game/state", |_| true);
    let ask = |body: &str, status| service.json("POST", "/api/v1/recording", body, status);
    ask("{}", 422);
    ask(r#"{"stop": true}"#, 409);
    let started = ask(r#"{"start": true}"#, 200);
    ask(r#"{"start": true}"#, 409);
    std::thread::sleep(Duration::from_secs(3));
    let listed = service.json("GET", "/api/v1/recordings", "", 200);
    assert_eq!(listed["recording"]["file"], started["file"]);
    let stopped = ask(r#"{"stop": true}"#, 200);
    assert!(stopped["frames"].as_u64() > Some(0), "{stopped}");
    std::thread::sleep(Duration::from_secs(2));
    let saved = ask(r#"{"save_last_seconds": 3}"#, 200);
    assert!(
        // A part and a keyframe more at most.
        (0.1..5.0).contains(&saved["seconds"].as_f64().unwrap()),
        "{saved}"
    );
    ask(r#"{"save_last_seconds": 0}"#, 422);
    let listed = service.json("GET", "/api/v1/recordings", "", 200);
    assert_eq!(listed["recordings"].as_array().unwrap().len(), 2);
    drop(service);
    for file in [&stopped["file"], &saved["file"]] {
        let file = file.as_str().unwrap();
        let (code, said) = check(file);
        // Dropped before they came to the recorder, or not: none is missing in it.
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("states are those recorded, 0 could not"), "{said}");
    }
    let without = serve(&["run", "--source", "sim?size=640x360"]);
    wait_for(&without, "/api/v1/game/state", |_| true);
    without.json("POST", "/api/v1/recording", r#"{"save_last_seconds": 3}"#, 409);
}
