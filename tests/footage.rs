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
