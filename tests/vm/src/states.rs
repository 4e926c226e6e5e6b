//! The whole program on a camera tells the same states as on the same pictures from files.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use ghostball::capture::PendingFrame;
use ghostball::config::Config;
use ghostball::rows::FrameRow;
use ghostball::world::{Frame, LatestSnapshot, Stamp};
use serde_json::Value;

use crate::camera::{CameraModel, SimulatedCamera, wait_for_node};
use crate::render;

/// In the machine: the states of as many frames as there are, to `lines`.
pub(crate) fn watch(model: &CameraModel, lines: &Path) -> anyhow::Result<()> {
    let mut camera = SimulatedCamera::new();
    camera.plug(model)?;
    let node = wait_for_node()?;
    let (width, height) = (model.width, model.height);
    let source = format!("v4l2:{node}?width={width}&height={height}&format=MJPG");
    let output = Command::new("ghostball")
        .args([
            "replay",
            &source,
            "--frames",
            &model.frames.len().to_string(),
            "--jsonl",
        ])
        .arg(lines)
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "ghostball replay: {}: {said}",
        output.status
    );
    let skipped = camera.condition().skipped;
    ensure!(skipped == 0, "{skipped} frames were not asked for in time");
    Ok(())
}

/// Outside: the same pictures from their files, with the camera's stamps, give the same lines.
pub(crate) fn compare(folder: &Path, lines: &Path) -> anyhow::Result<()> {
    let told = fs::read_to_string(lines)?;
    let jpegs = render::read(folder)?;
    ensure!(
        told.lines().count() == jpegs.len(),
        "{} lines",
        told.lines().count()
    );
    let mut app = ghostball::app::build(&Config::default(), None);
    app.finish();
    app.cleanup();
    for (number, (line, jpeg)) in told.lines().zip(&jpegs).enumerate() {
        let secs = serde_json::from_str::<Value>(line)?["t"]
            .as_f64()
            .context("a line without t")?;
        let mut frame = Frame {
            sequence: number as u64,
            // Drivers stamp in microseconds.
            captured_at: Stamp::from_nanos((secs * 1e6).round() as u64 * 1000),
            ..Frame::default()
        };
        ghostball::capture::decode_image(jpeg, &mut frame.picture)?;
        app.insert_resource(PendingFrame(Some(Arc::new(frame))));
        app.update();
        let row = FrameRow::from(&*app.world().resource::<LatestSnapshot>().0);
        let expected = serde_json::to_string(&row)?;
        if line != expected {
            bail!("frame {number}: the camera gives\n{line}\nand the file gives\n{expected}");
        }
    }
    let last = told.lines().last().context("no lines")?;
    let balls = serde_json::from_str::<Value>(last)?["balls"]
        .as_array()
        .map_or(0, Vec::len);
    ensure!(balls > 5, "only {balls} balls are seen in the last frame");
    println!(
        "{} frames through the camera and from files: the same bytes, {balls} balls at the end",
        jpegs.len()
    );
    Ok(())
}
