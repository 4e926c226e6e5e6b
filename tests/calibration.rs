//! `ghostball calibrate`, and the file that it writes.
#![allow(clippy::unwrap_used, reason = "helpers of tests: a failure ends the test")]

mod common;

use std::fs;
use std::path::Path;

use bevy_ecs::message::Messages;
use common::{Simulated, ghostball, run};
use ghostball::calibration_file::{self, PhysicsRecord};
use ghostball::simulation::{SimulatedTable, SimulationOptions};
use ghostball::world::{Alert, LatestSnapshot, Picture, TableGeometry};
use glam::DVec2;

const SOURCE: &str = "sim?seed=5&size=960x540";

fn options() -> SimulationOptions {
    SimulationOptions {
        seed: 5,
        width: 960,
        height: 540,
        ..SimulationOptions::default()
    }
}

fn calibrate(to: &Path, more: &[&str]) {
    let arguments = ["calibrate", "--source", SOURCE, "--out", to.to_str().unwrap()];
    let output = run(&[&arguments, more].concat());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("px") && told.contains("mm"), "{told}");
}

/// Mean error over the frames of a replay of balls that lie still, millimetres.
fn replay_error_mm(more: &[&str]) -> f64 {
    let arguments = ["replay", SOURCE, "--frames", "20", "--jsonl", "-"];
    let output = ghostball().args(arguments).args(more).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut table = SimulatedTable::new(options()).unwrap();
    let mut picture = Picture::default();
    let (mut sum, mut count) = (0.0, 0);
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let truth = table.render_next(&mut picture).unwrap().clone();
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        for ball in truth.balls.iter().filter(|ball| !ball.is_moving) {
            let place = |seen: &serde_json::Value| {
                let at = &seen["position"];
                DVec2::new(at["x"].as_f64().unwrap(), at["y"].as_f64().unwrap())
            };
            let balls = row["balls"].as_array().unwrap().iter();
            let nearest = balls
                .map(|seen| place(seen).distance(ball.position_in_table))
                .fold(f64::INFINITY, f64::min);
            if nearest < 0.02 {
                sum += 1e3 * nearest;
                count += 1;
            }
        }
    }
    assert!(count > 200, "{count} balls were seen");
    sum / f64::from(count)
}

#[test]
fn a_simulated_table_is_calibrated_and_the_file_places_balls_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("table.toml");
    calibrate(&file, &[]);
    let calibration = calibration_file::read(&file).unwrap().camera;
    assert_eq!(calibration.size(), [960, 540]);
    assert!(
        calibration.errors.frames >= 10 && calibration.errors.nose_px < 0.2,
        "{calibration:?}"
    );

    let mut table = SimulatedTable::new(options()).unwrap();
    let truth = table.render_next(&mut Picture::default()).unwrap().clone();
    let sighting = calibration.sighting_in([960, 540]).unwrap();
    for (found, truth) in sighting
        .corners_in_image
        .iter()
        .zip(&truth.table.corners_in_image)
    {
        assert!(found.distance(*truth) < 0.5, "{found} for {truth}");
    }
    let geometry =
        TableGeometry::from_sighting(&sighting, &calibration.specification(&table.table())).unwrap();
    for ball in &truth.balls {
        let place = geometry.table_from_image.apply(ball.circle_in_image.center);
        let off = place.distance(ball.position_in_table);
        assert!(off < 0.0015, "{off} m: {place} for {}", ball.position_in_table);
    }

    let (with, without) = (
        replay_error_mm(&["--calibration", file.to_str().unwrap()]),
        replay_error_mm(&[]),
    );
    assert!(
        with < 1.5 && with < without + 0.1,
        "{with} mm with calibration, {without} mm without"
    );
}

#[test]
fn corners_set_by_hand_win() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("table.toml");
    calibrate(
        &file,
        &["--corners", "80,70,860.5,70,860,460,80,461", "--frames", "2"],
    );
    let calibration = calibration_file::read(&file).unwrap().camera;
    assert!(calibration.image.corners_by_hand);
    assert_eq!(
        calibration.image.corners,
        [[80.0, 70.0], [860.5, 70.0], [860.0, 460.0], [80.0, 461.0]]
    );
}

#[test]
fn a_camera_that_comes_back_with_other_proportions_is_told_of_and_the_table_is_found_anew() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("table.toml");
    calibrate(&file, &["--frames", "2"]);
    let mut simulated = Simulated::new(options());
    let world = simulated.app.world_mut();
    world.insert_resource(calibration_file::read(&file).unwrap().camera);
    let mut told = Vec::new();
    for size in [[960, 540], [800, 600], [640, 360]] {
        simulated.table = SimulatedTable::new(SimulationOptions {
            width: size[0],
            height: size[1],
            ..options()
        })
        .unwrap();
        for _ in 0..60 {
            simulated.step();
            let mut alerts = simulated.app.world_mut().resource_mut::<Messages<Alert>>();
            told.extend(alerts.drain().map(|alert| (alert.begins, alert.text)));
        }
        let snapshot = &simulated.app.world().resource::<LatestSnapshot>().0;
        assert_eq!(snapshot.picture_size, size);
        let (found, there) = (snapshot.balls.len(), simulated.step().balls.len());
        assert!(found + 1 >= there, "{found} balls of {there} at {size:?}");
    }
    assert_eq!(
        told.iter().map(|(begins, _)| *begins).collect::<Vec<_>>(),
        [true, false]
    );
    assert!(
        told[0].1.contains("960x540 pixels, and these have 800x600"),
        "{told:?}"
    );
}

#[test]
fn pictures_of_other_proportions_and_broken_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("table.toml");
    calibrate(&file, &["--frames", "2"]);
    let path = file.to_str().unwrap();
    let refused = |arguments: &[&str], mentions: &[&str]| {
        let output = run(arguments);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(mentions.iter().all(|mention| told.contains(mention)), "{told}");
    };
    refused(
        &[
            "replay",
            "sim?size=800x600",
            "--frames",
            "2",
            "--calibration",
            path,
        ],
        &["960x540", "800x600", path],
    );
    // The same proportions are as good.
    let half = run(&[
        "replay",
        "sim?seed=5&size=480x270",
        "--frames",
        "2",
        "--calibration",
        path,
    ]);
    assert!(half.status.success(), "{}", String::from_utf8_lossy(&half.stderr));

    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("version = 1", "version = 2")).unwrap();
    refused(
        &["replay", SOURCE, "--frames", "1", "--calibration", path],
        &["version 1", "version 2"],
    );
    fs::write(&file, text.replace("focal_px", "focal_length")).unwrap();
    refused(
        &["replay", SOURCE, "--frames", "1", "--calibration", path],
        &["line", "focal"],
    );
    for (key, number) in [
        ("image.confidence", "confidence = 9.0"),
        ("image.confidence", "confidence = nan"),
    ] {
        let line = text.lines().find(|line| line.starts_with("confidence")).unwrap();
        fs::write(&file, text.replace(line, number)).unwrap();
        refused(
            &["replay", SOURCE, "--frames", "1", "--calibration", path],
            &[key, "0 to 1"],
        );
    }
    // Anticlockwise: a mirrored table.
    refused(
        &[
            "calibrate",
            "--source",
            SOURCE,
            "--frames",
            "1",
            "--corners",
            "80,70,80,461,860,460,860,70",
        ],
        &["clockwise", "TL TR BR BL"],
    );
    fs::write(&file, text.replace("length = 2.54", "length = -2.54")).unwrap();
    refused(
        &["replay", SOURCE, "--frames", "1", "--calibration", path],
        &["table.length", "-2.54"],
    );
    refused(
        &["calibrate", "--source", SOURCE, "--physics", "gone.mp4"],
        &["gone.mp4"],
    );
    let physics = |rolling: &str| {
        format!(
            "{text}\n[physics]\nrolling_friction = {rolling}\nsliding_friction = 0.2\ncushion_restitution = 0.8\n\
             cushion_friction = 0.2\nshots = 3\nerror_before_mm = 20.0\nerror_after_mm = 10.0\n"
        )
    };
    fs::write(&file, physics("0.5")).unwrap();
    refused(
        &["replay", SOURCE, "--frames", "1", "--calibration", path],
        &["physics.rolling_friction", "0.002 to 0.05", "0.5"],
    );
    fs::write(&file, physics("\"much\"")).unwrap();
    let line = text.lines().count() + 3;
    refused(
        &["replay", SOURCE, "--frames", "1", "--calibration", path],
        &[&format!("line {line}"), "much"],
    );
}

/// Length of all predicted lines of the first frames that have any, metres.
fn predicted_way(calibration: &Path) -> f64 {
    let arguments = ["replay", SOURCE, "--frames", "130", "--jsonl", "-"];
    let output = ghostball()
        .args(arguments)
        .args(["--calibration", calibration.to_str().unwrap()])
        .output()
        .unwrap();
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    let rows = String::from_utf8(output.stdout).unwrap();
    rows.lines()
        .map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap())
        .flat_map(|row| row["trajectory"]["lines"].as_array().cloned().unwrap_or_default())
        .map(|line| {
            let across = ["x", "y"].map(|axis| number(&line["end"][axis]) - number(&line["start"][axis]));
            DVec2::from(across).length()
        })
        .sum()
}

#[test]
fn friction_in_the_file_is_what_predictions_are_made_with() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("table.toml");
    calibrate(&file, &["--frames", "3"]);
    let usual = predicted_way(&file);
    let mut calibration = calibration_file::read(&file).unwrap();
    calibration.physics = Some(PhysicsRecord {
        rolling_friction: 0.04,
        sliding_friction: 0.2,
        cushion_restitution: 0.85,
        cushion_friction: 0.2,
        shots: 3,
        error_before_mm: 20.0,
        error_after_mm: 10.0,
    });
    fs::write(&file, calibration_file::to_text(&calibration).unwrap()).unwrap();
    let slow = calibration_file::read(&file).unwrap();
    assert_eq!(slow.physics, calibration.physics);
    assert_eq!(slow.camera, calibration.camera);
    let slowed = predicted_way(&file);
    assert!(usual > 1.0 && slowed < 0.6 * usual, "{slowed} m of {usual} m");
}

#[test]
fn nothing_is_fitted_to_balls_that_lie_still() {
    let folder = tempfile::tempdir().unwrap();
    let pictures = folder.path().join("pictures");
    fs::create_dir(&pictures).unwrap();
    let mut table = SimulatedTable::new(options()).unwrap();
    let mut picture = Picture::default();
    table.render_next(&mut picture).unwrap();
    for name in ["1.png", "2.png", "3.png"] {
        let file = fs::File::create(pictures.join(name)).unwrap();
        let mut encoder = png::Encoder::new(file, picture.width(), picture.height());
        encoder.set_color(png::ColorType::Rgb);
        let pixels: Vec<u8> = (0..picture.height())
            .flat_map(|y| (0..picture.width()).map(move |x| [x, y]))
            .flat_map(|[x, y]| picture.rgb_at(x, y))
            .collect();
        encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    }
    let output = run(&["calibrate", "--physics", pictures.to_str().unwrap()]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("none moved in 3 frames"), "{told}");
}
