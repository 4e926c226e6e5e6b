//! `ghostball replay`: any source through the whole pipeline, every frame, then stop.
#![allow(
    clippy::disallowed_methods,
    reason = "waits for the last viewer to leave, and tells how fast it was"
)]

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::app;
use crate::broadcast::SourceView;
use crate::capture::{self, CaptureError, FrameReceiver, Pace, RingPolicy, SourceSpec};
use crate::cli::{ReplayArgs, Speed};
use crate::output::Output;
use crate::recorded::{self, Loaded};
use crate::rows::FrameRow;
use crate::run::{RING_CAPACITY, RunError, answer_clients, check_calibration, serve, stop_on_signal};
use crate::runner::{Runner, Step};

/// How a replay went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replayed {
    /// Every frame of the source went through.
    Whole,
    /// Some frames were damaged and are missing.
    WithLosses,
}

/// Plays a source and writes a line for each frame.
pub fn replay(args: &ReplayArgs) -> Result<Replayed, RunError> {
    let Loaded {
        effective,
        config,
        calibration_file,
        ..
    } = recorded::load(
        Some(&args.source),
        args.config.as_deref(),
        args.calibration.as_deref(),
        args.listen,
    )?;
    let pace = match args.speed {
        Some(Speed::Max) => Pace::Max,
        Some(Speed::Times(times)) => Pace::Speed(times),
        None if args.serve => Pace::Speed(1.0),
        None => Pace::Max,
    };
    let source = args.source.clone().configured(&config.camera.config());
    let frames = play(&source, pace, args.repeat)?;
    let source = SourceView {
        name: frames.description().name.clone(),
        live: frames.description().live,
    };
    let expected_frames = frames.description().expected_frames.filter(|_| !args.repeat);
    let stop = stop_on_signal()?;
    let served = if args.serve { Some(serve(&config)?) } else { None };
    let (server, bridge) = served.unzip();
    let mut lines = args.jsonl.as_deref().map(Output::create).transpose()?;
    let mut app = app::build(&config, bridge.clone());
    if let Some(bridge) = bridge {
        answer_clients(&mut app, effective, &config, source, bridge)?;
    }
    let mut runner = Runner::new(app, frames);
    if let Some(server) = &server {
        tracing::info!("open http://{}/ in a browser, Ctrl-C stops", server.local_addr());
    }

    let progress = progress_bar(args.frames.or(expected_frames));
    let began = Instant::now();
    let mut played = 0;
    while !stop.load(Ordering::Relaxed) && args.frames != Some(played) {
        match runner.step()? {
            Step::Frame => {
                check_calibration(&config, calibration_file.as_deref(), &runner.snapshot())?;
                played += 1;
                progress.inc(1);
                if let Some(lines) = &mut lines {
                    lines.write_line(&FrameRow::from(&*runner.snapshot()))?;
                }
            }
            Step::Idle => {}
            Step::End => break,
        }
    }
    let damaged = runner.counters().damaged;
    progress.finish_and_clear();
    if let Some(lines) = lines {
        lines.finish()?;
    }
    let took_secs = began.elapsed().as_secs_f64();
    let frame_rate = played as f64 / took_secs.max(1e-9);
    tracing::info!("{played} frames in {took_secs:.2} s ({frame_rate:.0} frames/s), {damaged} damaged");
    if let Some(server) = &server {
        // Who opened the page during the replay may go on looking at its end.
        while server.clients() > 0 && !stop.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    Ok(if damaged == 0 {
        Replayed::Whole
    } else {
        Replayed::WithLosses
    })
}

/// Opens the source and starts its thread.
fn play(source: &SourceSpec, pace: Pace, repeat: bool) -> Result<FrameReceiver, CaptureError> {
    if repeat {
        capture::spawn_repeating(source.clone(), RingPolicy::Replay, pace, RING_CAPACITY)
    } else {
        capture::spawn(capture::open(source)?, RingPolicy::Replay, pace, RING_CAPACITY)
    }
}

/// Shown on a terminal only.
fn progress_bar(frames: Option<u64>) -> ProgressBar {
    let progress = frames.map_or_else(ProgressBar::no_length, ProgressBar::new);
    let template = "{wide_bar} {pos}/{len} frames, {per_sec}, {eta} left";
    match ProgressStyle::with_template(template) {
        Ok(style) => progress.with_style(style),
        Err(_) => progress,
    }
}
