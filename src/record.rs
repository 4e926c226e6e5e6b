//! `ghostball record`, and what goes into every recording.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use crate::app;
use crate::broadcast::WallTime;
use crate::capture::{self, CaptureCounters, Pace, RingPolicy, SourceDescription, SourceSpec};
use crate::cli::RecordArgs;
use crate::config::Config;
use crate::recorded;
use crate::recording::{About, QueuePolicy, Recorder, Recording, RecordingCounters};
use crate::rows::FrameRow;
use crate::run::{Outcome, RING_CAPACITY, RunError, check_calibration, stop_on_signal};
use crate::runner::{Runner, Step};
use crate::world::Snapshot;

/// Records a source until it ends, the time is up, or it is told to stop.
pub fn record(args: &RecordArgs) -> Result<Outcome, RunError> {
    let loaded = recorded::load(
        Some(&args.source),
        args.config.as_deref(),
        args.calibration.as_deref(),
        None,
    )?;
    check_another_file(&args.source, &args.out)?;
    let camera = loaded.config.camera.config();
    let source = capture::open_lasting(&args.source.clone().configured(&camera))?;
    let description = source.description().clone();
    // A camera does not wait. What does wait is recorded whole, the same on every run.
    let (ring, queue) = if description.live {
        (RingPolicy::Live, QueuePolicy::Lose)
    } else {
        (RingPolicy::Replay, QueuePolicy::Wait)
    };
    let about = about(&loaded.config, loaded.calibration_text.clone(), &description);
    let recorder = Recorder::create(&args.out, &about, loaded.config.recording.settings(queue))?;
    let frames = capture::spawn(source, ring, Pace::Max, RING_CAPACITY)?;
    let mut runner = Runner::new(app::build(&loaded.config, None), frames);
    runner.recording().recorder = Some(recorder);
    let stop = stop_on_signal()?;
    tracing::info!(
        "recording {} into {}; Ctrl-C stops",
        description.name,
        args.out.display()
    );
    while !stop.load(Ordering::Relaxed) {
        match runner.step()? {
            Step::Frame => {
                let snapshot = runner.snapshot();
                check_calibration(&loaded.config, loaded.calibration_file.as_deref(), &snapshot)?;
                let passed = snapshot.since_first.as_secs_f64();
                // The last frame is the one before the time is up.
                let interval = 1.0 / description.frame_rate.max(1.0);
                if args.seconds.is_some_and(|seconds| passed + interval >= seconds) {
                    break;
                }
            }
            Step::Idle => {}
            Step::End => break,
        }
    }
    let CaptureCounters {
        damaged,
        dropped,
        missed,
        ..
    } = runner.counters();
    let Some(recorder) = runner.recording().recorder.take() else {
        return Ok(Outcome::Whole);
    };
    let counters = recorder.finish()?;
    tracing::info!("{}", summary(&counters, &args.out));
    if dropped + damaged + missed > 0 {
        tracing::warn!(
            "{dropped} frames dropped because the pipeline was busy, {damaged} were damaged, {missed} never came"
        );
    }
    Ok(Outcome::of(counters.lost + damaged + dropped + missed))
}

/// What is recorded is not written over while it is read.
fn check_another_file(source: &SourceSpec, out: &Path) -> Result<(), RunError> {
    let (SourceSpec::Recording(source) | SourceSpec::Video(source)) = source else {
        return Ok(());
    };
    match (source.canonicalize(), out.canonicalize()) {
        (Ok(from), Ok(to)) if from == to => Err(RunError::OverItself(source.clone())),
        _ => Ok(()),
    }
}

/// For people: what was recorded.
pub(crate) fn summary(counters: &RecordingCounters, path: &Path) -> String {
    let RecordingCounters {
        recorded,
        lost,
        bytes,
    } = counters;
    let megabytes = *bytes as f64 / 1e6;
    format!(
        "{}: {recorded} frames, {megabytes:.1} MB, {lost} lost",
        path.display()
    )
}

/// What a recording says of itself.
pub(crate) fn about(config: &Config, calibration: Option<String>, source: &SourceDescription) -> About {
    About {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        source: source.name.clone(),
        frame_rate: source.frame_rate,
        started_at: WallTime::now().to_string(),
        configuration: toml::to_string(config).unwrap_or_default(),
        calibration,
    }
}

/// Puts a state as it is recorded into `out`: a line of `replay --jsonl`.
pub fn write_state(snapshot: &Snapshot, out: &mut Vec<u8>) {
    // Writing JSON into memory cannot fail: the rows hold no maps with other keys than text.
    if serde_json::to_writer(&mut *out, &FrameRow::from(snapshot)).is_err() {
        out.clear();
    }
}

/// The name that a new recording gets: one that is there already stays, and a number is put behind the new one's.
pub(crate) fn free_name(path: &Path) -> PathBuf {
    let numbered = |n: u32| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let mut name = format!("{stem}-{n}");
        if let Some(extension) = path.extension() {
            name = format!("{name}.{}", extension.to_string_lossy());
        }
        path.with_file_name(name)
    };
    let is_free = |path: &PathBuf| !path.is_file();
    std::iter::once(path.to_owned())
        .chain((2..u32::MAX).map(numbered))
        .find(is_free)
        .unwrap_or_else(|| path.to_owned())
}

impl Runner {
    /// The recording under way, to begin or end it.
    pub fn recording(&mut self) -> bevy_ecs::change_detection::Mut<'_, Recording> {
        self.world_mut().resource_mut::<Recording>()
    }
}
