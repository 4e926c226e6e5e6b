//! What can go wrong with a recording, on the program itself: killed, no room on the disk, a disk that is too slow.
//!
//! It is killed KILLS times, 4 where nobody says.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a failure ends the test, and what a disk does takes its time"
)]

mod common;

use std::fs::File;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use common::service::Service;
use common::{ghostball, have, run};
use ghostball::recording::{RecordingReader, Topic};
use serde_json::Value;
use tungstenite::Message;

const SOURCE: &str = "sim?seed=7&size=640x360";
const MEGABYTE: u64 = 1 << 20;

/// Records into `path`; started by `sh`, which says first what `before` says.
fn start(path: &Path, before: &str) -> Service {
    let program = ghostball();
    let script = format!("{before} exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg(program.get_program());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.args(["run", "--source", SOURCE, "--listen", "127.0.0.1:0", "--record"]);
    Service::start(command.arg(path))
}

/// The number of the newest frame, once there are `least`.
fn frames(service: &Service, least: u64) -> u64 {
    for _ in 0..1200 {
        let (status, body) = service.ask("GET", "/api/v1/game/state", "");
        let found: Option<Value> = serde_json::from_str(&body).ok();
        let number = found.and_then(|state| state["frame_number"].as_u64());
        if let (200, Some(number)) = (status, number)
            && number + 1 >= least
        {
            return number + 1;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{least} frames never came: {}", service.said());
}

/// What the program says goes wrong and ends going wrong: code, and whether it begins.
fn alerts(service: &Service) -> Receiver<(String, bool)> {
    let stream = TcpStream::connect(&service.address).unwrap();
    let url = format!("ws://{}/api/v1/ws?subscribe=alert", service.address);
    let (mut socket, _) = tungstenite::client(url, stream).unwrap();
    let (tell, told) = channel();
    std::thread::spawn(move || {
        while let Ok(message) = socket.read() {
            let Message::Text(text) = message else { continue };
            let message: Value = serde_json::from_str(&text).unwrap();
            let alert = &message["data"];
            if message["type"] == "alert" {
                let code = alert["code"].as_str().unwrap().to_owned();
                tell.send((code, alert["details"]["condition"] == "begins")).ok();
            }
        }
    });
    told
}

/// The next alert about a disk.
fn disk_alert(alerts: &Receiver<(String, bool)>) -> (String, bool) {
    loop {
        let alert = alerts.recv_timeout(Duration::from_secs(120)).unwrap();
        if alert.0.starts_with("DISK") {
            return alert;
        }
    }
}

/// Frames, frames said to be missing, and whether a keyframe comes before the first frame of all and after every gap.
fn contents(path: &Path) -> (u64, u64, bool) {
    let mut reader = RecordingReader::open(path).unwrap();
    let (mut frames, mut lost, mut is_known, mut always_known) = (0, 0, false, true);
    while let Some(message) = reader.next_message().unwrap() {
        match message.topic {
            Topic::Gap => (lost, is_known) = (lost + message.lost_frames(), false),
            Topic::Keyframe => is_known = true,
            Topic::Camera => (frames, always_known) = (frames + 1, always_known && is_known),
            _ => {}
        }
    }
    (frames, lost, always_known)
}

/// Replays it: all states are those recorded.
fn check(path: &Path) {
    let checked = run(&["replay", path.to_str().unwrap(), "--check"]);
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(said.contains("states are those recorded, 0 could not"), "{said}");
}

#[test]
fn the_program_killed_at_any_moment_leaves_all_but_the_last_second() {
    let kills = std::env::var("KILLS").ok();
    let kills = kills.map_or(4, |kills| kills.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    for kill in 0..kills {
        let path = folder.path().join(format!("{kill}.mcap"));
        let service = start(&path, "");
        // Moments from 1 to 4 seconds, spread by a multiplicative hash.
        let taken = frames(&service, 31 + ((kill * 2_654_435_761_u64) >> 7) % 90);
        drop(service);
        let name = path.to_str().unwrap();
        let mended = run(&["doctor", name]);
        assert_eq!(mended.status.code(), Some(3), "{mended:?}");
        let (left, lost, always_known) = contents(&path);
        assert_eq!((lost, always_known), (0, true));
        assert!(taken <= left + 30, "{left} frames are left of {taken}");
        check(&path);
    }
}

#[test]
fn a_full_disk_costs_frames_of_the_recording_and_a_keyframe_follows_the_gap() {
    if !have("prlimit", "--version") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mcap");
    // A file of this program can be so long and no longer, as if the disk were full. In blocks of 512 bytes.
    let service = start(&path, "trap '' XFSZ; ulimit -S -f 65536;");
    let alerts = alerts(&service);
    assert_eq!(disk_alert(&alerts), ("DISK_FULL".to_owned(), true));
    assert!(std::fs::metadata(&path).unwrap().len() <= 32 * MEGABYTE);
    // The table goes on, also once nothing more can wait for the disk: 32 MB, 100 to 300 frames of this size.
    let now = frames(&service, 0);
    frames(&service, now + 330);
    let limit = Command::new("prlimit")
        .args(["--pid", &service.id().to_string(), "--fsize=unlimited"])
        .output();
    assert!(limit.unwrap().status.success());
    assert_eq!(disk_alert(&alerts), ("DISK_FULL".to_owned(), false));
    let now = frames(&service, 0);
    frames(&service, now + 30);
    // It says with its exit code that the recording lacks frames.
    service.terminate_with(3);
    let (frames, lost, always_known) = contents(&path);
    assert!(frames > 30 && lost > 0 && always_known, "{frames}, {lost}");
    check(&path);
}

#[test]
fn a_slow_disk_costs_frames_of_the_recording_and_never_the_table() {
    if !have("mkfifo", "--version") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let [pipe, path] = ["pipe", "a.mcap"].map(|name| folder.path().join(name));
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // A disk that takes nothing until it is told to, and then everything.
    let (go_on, wait) = channel::<()>();
    let (from, to) = (pipe.clone(), path.clone());
    let disk = std::thread::spawn(move || {
        let mut from = File::open(from).unwrap();
        wait.recv().ok();
        std::io::copy(&mut from, &mut File::create(to).unwrap()).unwrap();
    });
    let service = start(&pipe, "");
    let alerts = alerts(&service);
    assert_eq!(disk_alert(&alerts), ("DISK_SLOW".to_owned(), true));
    let now = frames(&service, 0);
    frames(&service, now + 30);
    go_on.send(()).unwrap();
    assert_eq!(disk_alert(&alerts), ("DISK_SLOW".to_owned(), false));
    let now = frames(&service, 0);
    frames(&service, now + 30);
    // It says with its exit code that the recording lacks frames.
    service.terminate_with(3);
    disk.join().unwrap();
    let (frames, lost, always_known) = contents(&path);
    assert!(frames > 30 && lost > 0 && always_known, "{frames}, {lost}");
    check(&path);
}
