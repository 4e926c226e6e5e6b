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
use crate::follower::{Agreement, Follower};
use crate::output::Output;
use crate::playback::Playing;
use crate::recorded::{self, Loaded};
use crate::rows::FrameRow;
use crate::run::{
    Outcome, RING_CAPACITY, RunError, answer_clients, check_calibration, health_view, serve, stop_on_signal,
};
use crate::runner::{Runner, Step};

/// Plays a source and writes a line for each frame.
pub fn replay(args: &ReplayArgs) -> Result<Outcome, RunError> {
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
    let is_recording = matches!(args.source, SourceSpec::Recording(_));
    if args.check && !is_recording {
        return Err(RunError::NothingToCompare);
    }
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
    if let Some(bridge) = bridge.clone() {
        if let Some(playing) = Playing::new(&frames, bridge.clone(), args.repeat) {
            app.insert_resource(playing);
        }
        answer_clients(&mut app, effective, &config, source, bridge)?;
    }
    let span = frames.description().span.filter(|_| !args.repeat);
    let mut runner = Runner::new(app, frames);
    // With another configuration or calibration the states are meant to be others.
    if is_recording && args.config.is_none() && args.calibration.is_none() {
        runner = runner.following(Follower::new(args.check));
    }
    if let Some(server) = &server {
        tracing::info!("open http://{}/ in a browser, Ctrl-C stops", server.local_addr());
    }

    let progress = progress_bar(args.frames.or(expected_frames));
    let began = Instant::now();
    let mut played = 0;
    while !stop.load(Ordering::Relaxed) && args.frames != Some(played) {
        let step = runner.step()?;
        if let Some(bridge) = &bridge {
            bridge.publish_source_health(health_view(runner.source_health()));
        }
        match step {
            Step::Frame => {
                check_calibration(&config, calibration_file.as_deref(), &runner.snapshot())?;
                let snapshot = runner.snapshot();
                if runner.is_leading() {
                    continue;
                }
                played += 1;
                match (span, expected_frames) {
                    // Wherever it was sought.
                    (Some((first, last)), Some(frames)) => {
                        let share = snapshot.captured_at.since(first).as_secs_f64()
                            / last.since(first).as_secs_f64().max(1e-9);
                        progress.set_position((share * frames as f64) as u64);
                    }
                    _ => progress.inc(1),
                }
                if let Some(lines) = &mut lines {
                    lines.write_line(&FrameRow::from(&*snapshot))?;
                }
            }
            Step::Idle => {}
            // Who opened the page during the replay may go on looking at its end, or elsewhere.
            Step::End if server.as_ref().is_some_and(|server| server.clients() > 0) => {
                std::thread::sleep(Duration::from_millis(50));
            }
            Step::End => break,
        }
    }
    let counters = runner.counters();
    let lost = counters.damaged + counters.missed;
    progress.finish_and_clear();
    if let Some(lines) = lines {
        lines.finish()?;
    }
    let took_secs = began.elapsed().as_secs_f64();
    let frame_rate = played as f64 / took_secs.max(1e-9);
    tracing::info!(
        "{played} frames in {took_secs:.2} s ({frame_rate:.0} frames/s), {} damaged, {} missing",
        counters.damaged,
        counters.missed
    );
    if let Some(agreement) = runner.agreement().filter(|_| args.check) {
        compared(&agreement)?;
    }
    Ok(Outcome::of(lost))
}

/// Tells how the states compared with those recorded.
fn compared(agreement: &Agreement) -> Result<(), RunError> {
    let Agreement {
        same,
        different,
        unknown,
        different_keyframes,
        first_different,
    } = *agreement;
    if different + different_keyframes == 0 && same > 0 {
        tracing::info!("{same} states are those recorded, {unknown} could not be compared");
        return Ok(());
    }
    let first = first_different.map_or_else(String::new, |frame| format!(", first in frame {frame}"));
    Err(RunError::OtherStates(format!(
        "the states recorded were expected, found {same} the same and {different} others{first}; {unknown} could not be \
         compared, {different_keyframes} keyframes differ; states are the same only with the version that recorded them"
    )))
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
