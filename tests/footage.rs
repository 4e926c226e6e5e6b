//! The labelled footage, where it is there: real tables, real cameras.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a failure ends the test"
)]

mod common;

use std::path::Path;
use std::process::Command;

use common::{ghostball, have, shared};
use ghostball::world::PocketName;
use glam::DVec2;

/// Runs a scorer of the footage folder and returns what it printed.
fn score(scorer: &Path, arguments: &[&Path]) -> String {
    let output = Command::new("python3")
        .arg(scorer)
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn balls_and_tables_of_the_labelled_pictures_are_found() {
    let Some(shared) = shared() else { return };
    if !have("python3", "--version") {
        return;
    }
    let footage = shared.join("footage");
    let mut images = Vec::new();
    for set in std::fs::read_dir(footage.join("images")).unwrap() {
        for image in std::fs::read_dir(set.unwrap().path()).unwrap() {
            images.extend(
                Some(image.unwrap().path()).filter(|path| path.extension().is_none_or(|e| e != "json")),
            );
        }
    }
    images.sort();
    let folder = tempfile::tempdir().unwrap();
    let found = folder.path().join("found.json");
    let status = ghostball()
        .args(["detect", "--json"])
        .args(&images)
        .stdout(std::fs::File::create(&found).unwrap())
        .status();
    assert!(status.unwrap().success());
    let report = score(&footage.join("score_images.py"), &[&found]);
    println!("{report}");
    let total: Vec<&str> = report.lines().last().unwrap().split_whitespace().collect();
    let (recall, precision): (f64, f64) = (total[5].parse().unwrap(), total[6].parse().unwrap());
    let tables: u32 = total[12].split('/').next().unwrap().parse().unwrap();
    assert!(
        recall >= 0.95 && precision >= 0.95,
        "recall {recall}, precision {precision}"
    );
    assert!(tables >= 120, "{tables} tables");
}

/// What a replay of a clip told under this name: frame, and the event.
fn told(video: &Path, states: &Path, name: &str) -> Vec<(u64, serde_json::Value)> {
    let replay = ghostball()
        .arg("replay")
        .arg(video)
        .arg("--jsonl")
        .arg(states)
        .output();
    assert!(replay.unwrap().status.success());
    let mut told = Vec::new();
    for line in std::fs::read_to_string(states).unwrap().lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let events = row["events"].as_array().unwrap().iter();
        let events = events.filter(|event| event["type"] == name);
        told.extend(events.map(|event| (row["frame"].as_u64().unwrap(), event.clone())));
    }
    told
}

#[test]
fn of_the_clips_with_every_ball_labelled_the_potted_red_is_told_in_its_pocket_and_no_other() {
    let Some(shared) = shared() else { return };
    if !have("ffmpeg", "-version") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let states = folder.path().join("states.jsonl");
    let clips = shared.join("footage/clips");
    for clip in ["cut_pot", "roll_to_rest", "slow_rings", "straight_1"] {
        let video = clips.join(clip).with_extension("mp4");
        let labels = std::fs::read_to_string(video.with_extension("json")).unwrap();
        let labels: serde_json::Value = serde_json::from_str(&labels).unwrap();
        let tracks = labels["tracks"].as_array().unwrap();
        let falls: Vec<&serde_json::Value> = tracks
            .iter()
            .filter(|track| track["leaves_bed_frame"].is_u64())
            .collect();
        let pots = told(&video, &states, "potted");
        assert_eq!(pots.len(), falls.len(), "{clip}: {pots:?}");
        for ((frame, pot), ball) in pots.iter().zip(falls) {
            let left = ball["leaves_bed_frame"].as_u64().unwrap();
            println!("{clip}: left the bed in {left}, told in {frame}: {pot}");
            assert!(
                (left..=left + 10).contains(frame),
                "{clip}: left in {left}: {pot}"
            );
            // Labelled pockets run clockwise from the top left, as the names do.
            let end = ball["samples"].as_array().unwrap().last().unwrap();
            let place = |value: &serde_json::Value, x: usize| {
                DVec2::new(value[x].as_f64().unwrap(), value[x + 1].as_f64().unwrap())
            };
            let pockets = labels["pockets_px"].as_array().unwrap();
            let far = |pocket: &serde_json::Value| place(pocket, 0).distance(place(end, 1));
            let nearest = (0..6).min_by(|a, b| far(&pockets[*a]).total_cmp(&far(&pockets[*b])));
            let name = serde_json::to_value(PocketName::ALL[nearest.unwrap()]).unwrap();
            assert_eq!(pot["pocket"], name, "{clip}: {pot}");
        }
    }
}

#[test]
fn balls_of_the_labelled_clips_are_followed() {
    let Some(shared) = shared() else { return };
    if !have("python3", "--version") || !have("ffmpeg", "-version") {
        return;
    }
    let clips = shared.join("footage/clips");
    let folder = tempfile::tempdir().unwrap();
    for clip in [
        "cut_pot",
        "roll_to_rest",
        "slow_rings",
        "straight_1",
        "blue_9ball_5",
    ] {
        let states = folder.path().join("states.jsonl");
        let video = clips.join(clip).with_extension("mp4");
        let output = ghostball()
            .arg("replay")
            .arg(&video)
            .arg("--jsonl")
            .arg(&states)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let report = score(
            &shared.join("footage/score_tracks.py"),
            &[&video.with_extension("json"), &states],
        );
        println!("{clip}\n{report}");
        let (mut balls, total) = (
            report.lines().skip(1).collect::<Vec<_>>(),
            report.lines().last().unwrap(),
        );
        balls.pop();
        for ball in balls {
            let switches: u32 = ball.split_whitespace().nth(7).unwrap().parse().unwrap();
            assert!(switches <= 1, "{clip}: {ball}");
        }
        let found: f64 = total.split_whitespace().nth(2).unwrap().parse().unwrap();
        assert!(found >= 0.95, "{clip}: {total}");
    }
}
