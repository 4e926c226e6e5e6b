//! Recordings of the assembled program.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a failure ends the test, a skip is told"
)]

mod common;

use std::path::Path;
use std::process::Command;

use common::run;

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
