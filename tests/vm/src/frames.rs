//! Frames as capture gives them: whole, in order, in the format that was asked for.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use ghostball_capture::{Pace, Received, RingPolicy, SourceSpec};
use ghostball_world::{Frame, PixelFormat};

use crate::camera::{CameraModel, SimulatedCamera, wait_for_node};
use crate::vivid::Vivid;

/// Takes `count` frames of `source`; also how many the driver took and did not deliver.
fn take(source: &str, bytes_alone: bool, count: usize) -> anyhow::Result<(Vec<Frame>, u64)> {
    let mut spec: SourceSpec = source.parse()?;
    if let SourceSpec::Camera(camera) = &mut spec {
        camera.bytes_alone = bytes_alone;
    }
    let source = ghostball_capture::open(&spec)?;
    let receiver = ghostball_capture::spawn(source, RingPolicy::Replay, Pace::Max, 4)?;
    let mut frames = Vec::new();
    while frames.len() < count {
        match receiver.receive(Duration::from_secs(5)) {
            Received::Frame(frame) => frames.push(Frame::clone(&frame)),
            other => bail!("after {} frames: {other:?}", frames.len()),
        }
    }
    let counters = receiver.counters();
    ensure!(counters.damaged == 0, "{} frames were damaged", counters.damaged);
    Ok((frames, counters.missed))
}

/// Every frame of an MJPEG camera comes, as it was sent and in order.
pub(crate) fn mjpeg_is_bit_identical(model: &CameraModel) -> anyhow::Result<()> {
    let mut camera = SimulatedCamera::new();
    camera.plug(model)?;
    let node = wait_for_node()?;
    let (width, height, fps) = (model.width, model.height, model.fps);
    let source = format!("v4l2:{node}?width={width}&height={height}&fps={fps}&format=MJPG");
    let count = 3 * model.frames.len();
    let (frames, missed) = take(&source, true, count)?;
    let skipped = camera.condition().skipped;
    ensure!(
        missed == 0 && skipped == 0,
        "{missed} frames missed, {skipped} not asked for in time"
    );
    let first = model.frames.iter().position(|sent| *sent == frames[0].jpeg);
    let first = first.context("the first frame is none that was sent")?;
    for (number, frame) in frames.iter().enumerate() {
        let sent = &model.frames[(first + number) % model.frames.len()];
        ensure!(frame.jpeg == *sent, "frame {number} is not the one that was sent");
        ensure!(
            frame.sequence == frames[0].sequence + number as u64,
            "frame {number} has the number {}",
            frame.sequence
        );
        ensure!(
            number == 0 || frame.captured_at > frames[number - 1].captured_at,
            "the stamp of frame {number} is not later than the one before"
        );
    }
    Ok(())
}

/// YUYV, NV12 and RGB show the same test picture.
pub(crate) fn raw_formats_agree() -> anyhow::Result<()> {
    let vivid = Vivid::load()?;
    // A picture that stands still, without text.
    vivid.set("Horizontal Movement", 3)?;
    vivid.set("OSD Text Mode", 2)?;
    let formats = [
        ("YUYV", PixelFormat::Yuyv),
        ("NV12", PixelFormat::Nv12),
        ("RGB3", PixelFormat::Rgb),
    ];
    let mut seen: Vec<Vec<[u8; 3]>> = Vec::new();
    for (name, format) in formats {
        let source = format!("v4l2:{}?width=640&height=360&format={name}", vivid.node);
        let (frames, _) = take(&source, false, 5)?;
        let picture = &frames[4].picture;
        ensure!(
            (picture.format(), picture.width(), picture.height()) == (format, 640, 360),
            "{name}: a picture of {:?} {}x{}",
            picture.format(),
            picture.width(),
            picture.height()
        );
        // In the middle of each of the eight bars.
        seen.push((0..8).map(|bar| picture.rgb_at(40 + 80 * bar, 100)).collect());
    }
    let distinct: std::collections::BTreeSet<_> = seen[0].iter().collect();
    ensure!(
        distinct.len() == 8,
        "expected eight bars of colour, found {:?}",
        seen[0]
    );
    for other in &seen[1..] {
        let worst = seen[0]
            .iter()
            .zip(other)
            .flat_map(|(a, b)| (0..3).map(move |c| a[c].abs_diff(b[c])));
        let worst = worst.max().unwrap_or(0);
        ensure!(
            worst <= 6,
            "colours differ by {worst} levels: {:?} and {other:?}",
            seen[0]
        );
    }
    Ok(())
}

/// While it is asked to, a camera keeps the exposure that it has found, and then finds it again by itself.
pub(crate) fn exposure_is_held(model: &CameraModel) -> anyhow::Result<()> {
    let mut camera = SimulatedCamera::new();
    camera.plug(model)?;
    let node = wait_for_node()?;
    let spec: SourceSpec = format!("v4l2:{node}?format=MJPG").parse()?;
    let receiver =
        ghostball_capture::spawn(ghostball_capture::open(&spec)?, RingPolicy::Replay, Pace::Max, 1)?;
    // As webcams spell it in USB: 1 by hand, 8 automatic. Nothing is held before an automatic has had its 2 s.
    for (hold, seconds, expected) in [(false, 3, 8), (true, 2, 1), (false, 2, 8)] {
        receiver.hold_exposure(hold);
        for _ in 0..seconds * model.fps {
            match receiver.receive(Duration::from_secs(5)) {
                Received::Frame(_) => {}
                other => bail!("hold {hold}: {other:?}"),
            }
        }
        let found = camera.condition().controls.current("auto_exposure");
        ensure!(
            found == Some(expected),
            "hold {hold}: expected auto_exposure {expected}, found {found:?}"
        );
    }
    Ok(())
}
