//! Recordings that clients start, stop, list, and save from the ring: `/api/v1/recording`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bevy_ecs::prelude::*;
use serde_json::{Value, json};

use crate::broadcast::{BridgeHandle, RecordAction, Refusal, RefusalReason, Request, WallTime, WorldCommand};
use crate::capture::SourceDescription;
use crate::config::Config;
use crate::record::{self, free_name};
use crate::recording::{About, QueuePolicy, Recorder, Recording, RecordingError, Ring, RingSettings};
use crate::token;

/// Where recordings go, and what they say of themselves. Without it, clients cannot record.
#[derive(Resource)]
pub struct Recordings {
    folder: PathBuf,
    bridge: BridgeHandle,
    source: SourceDescription,
    config: Config,
}

impl Recordings {
    /// For a program that was started with this configuration.
    pub fn new(config: &Config, bridge: BridgeHandle, source: SourceDescription) -> Self {
        Self {
            folder: folder(config),
            bridge,
            source,
            config: config.clone(),
        }
    }

    /// What a recording says that begins now. What clients have changed since the start is in its keyframes.
    fn about(&self) -> About {
        record::about(&self.config, self.bridge.calibration().file.clone(), &self.source)
    }

    /// Begins to keep the last minutes, where that is configured.
    pub fn start_ring(&self, world: &mut World) -> Result<(), RecordingError> {
        let config = &self.config.recording;
        if config.ring_seconds <= 0.0 {
            return Ok(());
        }
        let settings = RingSettings {
            folder: self.folder.join("ring"),
            keep: Duration::try_from_secs_f64(config.ring_seconds).unwrap_or_default(),
            most_bytes: u64::from(config.ring_megabytes) * 1_000_000,
            recording: config.settings(QueuePolicy::Lose),
        };
        let ring = Ring::start(self.about(), settings)?;
        if let Some(mut recording) = world.get_resource_mut::<Recording>() {
            recording.ring = Some(ring);
        }
        Ok(())
    }

    fn new_file(&self, what: &str) -> Result<PathBuf, Refusal> {
        std::fs::create_dir_all(&self.folder).map_err(|error| {
            let folder = self.folder.display();
            Refusal::new(
                RefusalReason::Failed,
                format!("{folder}: cannot create it: {error}"),
            )
        })?;
        // As ISO 8601 without the fraction; colons are not for file names.
        let now: String = WallTime::now().to_string().chars().take(19).collect();
        let name = format!("{what}-{}.mcap", now.replace(':', "-"));
        Ok(free_name(&self.folder.join(name)))
    }
}

/// Where recordings go.
fn folder(config: &Config) -> PathBuf {
    match config.recording.folder.as_str() {
        "" => {
            let environment: Vec<_> = std::env::vars_os().collect();
            token::state_folder(&environment)
                .unwrap_or_default()
                .join("recordings")
        }
        folder => PathBuf::from(folder),
    }
}

/// Carries out [`WorldCommand::Record`] and [`WorldCommand::ListRecordings`].
pub fn carry_out(world: &mut World, request: Request) {
    let WorldCommand::Record { action } = request.command else {
        return list(world, request);
    };
    match action {
        RecordAction::Start => {
            let started = start(world);
            request.answer(started);
        }
        RecordAction::Stop => stop(world, request),
        RecordAction::SaveLast { seconds } => save(world, seconds, request),
    }
}

fn nobody() -> Refusal {
    Refusal::new(
        RefusalReason::NotFound,
        "this program makes no recordings for clients: expected `ghostball run`",
    )
}

fn failed(error: RecordingError) -> Refusal {
    let reason = match error {
        RecordingError::Busy { .. } => RefusalReason::Conflict,
        _ => RefusalReason::Failed,
    };
    Refusal::new(reason, error)
}

fn start(world: &mut World) -> Result<Value, Refusal> {
    let under_way = world
        .get_resource::<Recording>()
        .and_then(|recording| recording.recorder.as_ref());
    if let Some(recorder) = under_way {
        let message = format!("a recording is under way already: {}", recorder.path().display());
        return Err(Refusal::new(RefusalReason::Conflict, message));
    }
    let recordings = world.get_resource::<Recordings>().ok_or_else(nobody)?;
    let path = recordings.new_file("recording")?;
    let settings = recordings.config.recording.settings(QueuePolicy::Lose);
    let recorder = Recorder::create(&path, &recordings.about(), settings).map_err(failed)?;
    let mut recording = world.get_resource_mut::<Recording>().ok_or_else(nobody)?;
    recording.recorder = Some(recorder);
    tracing::info!("recording into {}", path.display());
    Ok(json!({"recording": true, "file": path}))
}

/// What still waits is written first: that takes its time, on a thread apart.
fn stop(world: &mut World, request: Request) {
    let recording = world.get_resource_mut::<Recording>();
    let Some(recorder) = recording.and_then(|mut recording| recording.recorder.take()) else {
        let message = "a recording was expected to be under way, none is";
        return request.answer(Err(Refusal::new(RefusalReason::Conflict, message)));
    };
    apart(request, move || {
        let path = recorder.path().to_owned();
        let counters = recorder.finish().map_err(failed)?;
        tracing::info!("{}", record::summary(&counters, &path));
        Ok(json!({
            "recording": false, "file": path, "frames": counters.recorded, "lost_frames": counters.lost,
            "bytes": counters.bytes,
        }))
    });
}

fn save(world: &mut World, seconds: f64, request: Request) {
    let last = Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|last| !last.is_zero());
    let Some(last) = last else {
        let message = format!("expected seconds above 0, found {seconds}");
        return request.answer(Err(Refusal::new(RefusalReason::Invalid, message)));
    };
    let path = match world.get_resource::<Recordings>().ok_or_else(nobody) {
        Ok(recordings) => recordings.new_file("saved"),
        Err(refusal) => Err(refusal),
    };
    let mut recording = world.get_resource_mut::<Recording>();
    let ring = recording.as_mut().and_then(|recording| recording.ring.as_mut());
    match (path, ring) {
        (Ok(path), Some(ring)) => ring.save(last, path, move |saved| {
            request.answer(saved.map_err(failed).map(|saved| {
                tracing::info!(
                    "saved the last {:.1} s in {}",
                    saved.duration.as_secs_f64(),
                    saved.path.display()
                );
                json!({"file": saved.path, "frames": saved.frames, "seconds": saved.duration.as_secs_f64()})
            }));
        }),
        (Err(refusal), _) => request.answer(Err(refusal)),
        (Ok(_), None) => {
            let message =
                "nothing is kept that could be saved: set recording.ring_seconds above 0 and start anew";
            request.answer(Err(Refusal::new(RefusalReason::Conflict, message)));
        }
    }
}

/// What there is, newest first, and what is under way.
fn list(world: &mut World, request: Request) {
    let Some(recordings) = world.get_resource::<Recordings>() else {
        return request.answer(Err(nobody()));
    };
    let folder = recordings.folder.clone();
    let recording = world.get_resource::<Recording>();
    let under_way = recording.and_then(|recording| recording.recorder.as_ref()).map(|recorder| {
        let counters = recorder.counters();
        json!({
            "file": recorder.path(), "frames": counters.recorded, "lost_frames": counters.lost, "bytes": counters.bytes,
        })
    });
    let ring_seconds = recording
        .and_then(|recording| recording.ring.as_ref())
        .map(|_| recordings.config.recording.ring_seconds);
    apart(request, move || {
        Ok(json!({
            "folder": folder, "recordings": files(&folder), "recording": under_way, "ring_seconds": ring_seconds,
        }))
    });
}

fn files(folder: &Path) -> Vec<Value> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<_> = entries
        .flatten()
        .filter(|entry| {
            entry
                .path()
                .extension()
                .is_some_and(|extension| extension == "mcap")
        })
        .filter_map(|entry| {
            let metadata = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
            Some((metadata.modified().ok()?, entry.path(), metadata.len()))
        })
        .collect();
    files.sort_by(|a, b| b.cmp(a));
    files
        .into_iter()
        .map(|(_, file, bytes)| json!({"file": file, "bytes": bytes}))
        .collect()
}

/// Disks take their time: they are asked on a thread apart.
fn apart(request: Request, ask: impl FnOnce() -> Result<Value, Refusal> + Send + 'static) {
    let started = std::thread::Builder::new()
        .name("recordings".to_owned())
        .spawn(move || request.answer(ask()));
    if let Err(error) = started {
        // The request is gone with the thread, and answered as failed.
        tracing::error!(%error, "no thread is to be had for the disk");
    }
}
