//! Bad input of every kind: one clear line, the right exit code, nothing left behind.

mod common;

use std::fs;
use std::net::TcpListener;
use std::process::Output;

use common::{have, run};

/// Asserts one line on standard error that mentions all of `mentions`, nothing on standard output, and the exit code.
#[track_caller]
fn refused(output: &Output, exit_code: i32, mentions: &[&str]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(exit_code), "{stderr}");
    assert_eq!(
        stderr.trim_end().lines().count(),
        1,
        "one line was expected:\n{stderr}"
    );
    for mention in mentions {
        assert!(stderr.contains(mention), "`{mention}` was expected in:\n{stderr}");
    }
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[test]
fn a_missing_file_is_named() {
    refused(
        &run(&["replay", "no/such/clip.mp4"]),
        1,
        &["no/such/clip.mp4", "no such file"],
    );
    refused(
        &run(&["detect", "no/such/picture.jpg"]),
        1,
        &["no/such/picture.jpg"],
    );
    refused(
        &run(&["simulate", "no/such/cases.json"]),
        1,
        &["no/such/cases.json"],
    );
    refused(&run(&["run", "--config", "no/such.toml"]), 1, &["no/such.toml"]);
}

#[test]
fn an_empty_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    refused(
        &run(&["replay", folder.path().to_str().unwrap()]),
        1,
        &["no image"],
    );
}

#[test]
fn a_truncated_jpeg_is_refused_and_the_other_pictures_are_still_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    common::write_rendered_frames(folder.path(), 1, 5);
    let whole = folder.path().join("0000.jpg");
    let cut = folder.path().join("cut.jpg");
    let bytes = fs::read(&whole).unwrap();
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let (whole, cut) = (whole.to_str().unwrap(), cut.to_str().unwrap());

    refused(&run(&["replay", cut]), 1, &["cut.jpg"]);
    let output = run(&["detect", "--json", cut, whole]);
    refused(&output, 1, &["cut.jpg"]);
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found.as_object().unwrap().keys().collect::<Vec<_>>(), [whole]);
    assert!(found[whole]["table"]["corners"].is_array(), "{found}");
}

#[test]
fn a_damaged_picture_in_a_folder_is_left_out_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    common::write_rendered_frames(folder.path(), 2, 5);
    fs::write(folder.path().join("0000b.jpg"), b"\xff\xd8 no picture").unwrap();
    let output = run(&["replay", folder.path().to_str().unwrap(), "--jsonl", "-"]);
    assert_eq!(
        output.status.code(),
        Some(3),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(output.stdout.iter().filter(|byte| **byte == b'\n').count(), 2);
    assert!(String::from_utf8_lossy(&output.stderr).contains("0000b.jpg"));
}

#[test]
fn with_the_same_table_a_picture_of_another_size_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    common::write_rendered_frames(folder.path(), 1, 5);
    let other = folder.path().join("other.jpg");
    let encoder = jpeg_encoder::Encoder::new_file(&other, 90).unwrap();
    encoder
        .encode(&[90; 3 * 200 * 100], 200, 100, jpeg_encoder::ColorType::Rgb)
        .unwrap();
    let first = folder.path().join("0000.jpg");
    let arguments = [
        "detect",
        "--json",
        "--table",
        "same",
        first.to_str().unwrap(),
        other.to_str().unwrap(),
    ];
    refused(&run(&arguments), 1, &["other.jpg", "960x540", "200x100"]);
}

#[test]
fn an_environment_that_is_no_text_does_no_harm() {
    use std::os::unix::ffi::OsStrExt as _;
    let not_text = std::ffi::OsStr::from_bytes(b"\xff");
    let replay = |name: &str| {
        let mut command = common::ghostball();
        command
            .args(["replay", "sim", "--frames", "1"])
            .env(name, not_text)
            .output()
            .unwrap()
    };
    assert!(replay("SOMEBODY_ELSES").status.success());
    refused(
        &replay("GHOSTBALL_TABLE__LENGTH"),
        1,
        &["GHOSTBALL_TABLE__LENGTH", "UTF-8"],
    );
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    use std::io::{BufRead as _, BufReader};
    let mut command = common::ghostball();
    command.args(["replay", "sim?size=320x180", "--frames", "200", "--jsonl", "-"]);
    let mut child = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert!(line.starts_with("{\"frame\":0,"), "{line}");
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_mistake_in_the_cases_costs_no_earlier_result() {
    let folder = tempfile::tempdir().unwrap();
    let earlier = folder.path().join("earlier.jsonl");
    fs::write(&earlier, "kept").unwrap();
    let output = run(&[
        "simulate",
        "no/such/cases.json",
        "--jsonl",
        earlier.to_str().unwrap(),
    ]);
    refused(&output, 1, &["no/such/cases.json"]);
    assert_eq!(fs::read_to_string(&earlier).unwrap(), "kept");
}

#[test]
fn a_picture_of_one_pixel_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dot.jpg");
    let encoder = jpeg_encoder::Encoder::new_file(&path, 90).unwrap();
    encoder
        .encode(&[10, 200, 30], 1, 1, jpeg_encoder::ColorType::Rgb)
        .unwrap();
    refused(
        &run(&["detect", "--json", path.to_str().unwrap()]),
        1,
        &["dot.jpg", "1x1"],
    );
    refused(&run(&["replay", path.to_str().unwrap()]), 1, &["dot.jpg", "1x1"]);
}

#[test]
fn a_video_without_pictures_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sound.mp4");
    if !have("ffmpeg", "-version") {
        fs::write(&path, b"not even a video").unwrap();
        refused(
            &run(&["replay", path.to_str().unwrap()]),
            1,
            &["ffmpeg", "apt install ffmpeg"],
        );
        return;
    }
    let made = std::process::Command::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            "sine=duration=1",
            "-c:a",
            "aac",
        ])
        .arg(&path)
        .status()
        .unwrap();
    assert!(made.success());
    refused(&run(&["replay", path.to_str().unwrap()]), 1, &["sound.mp4"]);
    fs::write(&path, b"not even a video").unwrap();
    refused(&run(&["replay", path.to_str().unwrap()]), 1, &["sound.mp4"]);
}

#[test]
fn an_unknown_option_is_wrong_usage() {
    for arguments in [
        &["--no-such-option"][..],
        &["replay", "sim", "--speed", "-1"],
        &["replay", "sim?sed=7"],
        &["detect"],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"));
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    refused(&run(&["run", "--listen", &address]), 1, &[&address, "in use"]);
    refused(
        &run(&["replay", "sim", "--frames", "1", "--serve", "--listen", &address]),
        1,
        &[&address],
    );
}

#[test]
fn an_output_that_cannot_be_written_is_named() {
    refused(
        &run(&[
            "replay",
            "sim",
            "--frames",
            "1",
            "--jsonl",
            "no/such/folder/out.jsonl",
        ]),
        1,
        &["no/such/folder"],
    );
}

#[test]
fn cases_that_are_no_cases_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [
        ("a.json", &b"{\"cases\": 7}"[..]),
        ("b.json", b"{"),
        ("c.json.gz", b"\x1f\x8b\x08oops"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        refused(&run(&["simulate", path.to_str().unwrap()]), 1, &[name]);
    }
}

#[test]
fn the_configuration_is_shown_with_where_each_value_came_from() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ghostball/ghostball.toml");
    fs::create_dir(file.parent().unwrap()).unwrap();
    fs::write(&file, "[table]\nlength = 2.24\nwidth = 1.12\n").unwrap();
    let in_folder = |arguments: &[&str]| {
        let mut command = common::ghostball();
        command
            .args(arguments)
            .env("XDG_CONFIG_HOME", folder.path())
            .env("GHOSTBALL_API__SERVER__PORT", "9000")
            .output()
            .unwrap()
    };
    let shown = in_folder(&["config", "show"]);
    let text = String::from_utf8(shown.stdout).unwrap();
    let from_file = format!("length = 2.24 # {}, line 2", file.display());
    for line in [
        &from_file,
        "port = 9000 # environment variable GHOSTBALL_API__SERVER__PORT",
        "ball_set = \"auto\" # default",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "{line} was expected in:\n{text}"
        );
    }
    assert!(in_folder(&["config", "check"]).status.success());

    fs::write(&file, "[table]\nlenght = 2.24\n").unwrap();
    let told = "line 2: there is no configuration key table.lenght; the nearest is table.length";
    for arguments in [
        &["config", "check"][..],
        &["run"],
        &["replay", "sim", "--frames", "1"],
    ] {
        refused(&in_folder(arguments), 1, &[file.to_str().unwrap(), told]);
    }
}

#[test]
fn the_reference_and_the_schema_go_to_standard_output() {
    let reference = run(&["config", "reference"]);
    assert!(String::from_utf8_lossy(&reference.stdout).contains("\n[api.server]\n"));
    let schema: serde_json::Value = serde_json::from_slice(&run(&["config", "schema"]).stdout).unwrap();
    assert_eq!(
        schema["properties"]["table"]["properties"]["length"]["maximum"],
        10.0
    );
}
