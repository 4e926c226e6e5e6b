//! `ghostball run`: the service.
#![allow(
    clippy::disallowed_methods,
    reason = "reports losses once a second of the host's time"
)]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bevy_app::App;

use crate::app;
use crate::broadcast::{
    Access, BridgeHandle, BroadcastError, Origin as PageOrigin, Server, ServerConfig, Simulator,
    SourceHealthView, SourceView,
};
use crate::calibration_file::CalibrationFileError;
use crate::capture::{
    self, CaptureCounters, CaptureError, Pace, RingPolicy, SimulationOptions, SourceHealth, SourceSpec,
};
use crate::cli::RunArgs;
use crate::config::{Config, ConfigError, Effective, Origin, Setting, change};
use crate::follower::Follower;
use crate::live_calibration::LiveCalibration;
use crate::log;
use crate::output::OutputError;
use crate::playback::Playing;
use crate::record;
use crate::recorded::{self, Loaded};
use crate::recording::{QueuePolicy, Recorder, RecordingError};
use crate::recordings::Recordings;
use crate::runner::{Runner, Step};
use crate::token::{self, AccessTokenError};
use crate::trajectory::what_if;
use crate::world::Snapshot;

/// Frames that may wait for the pipeline. One is analysed while the next is decoded; more would only be old.
pub(crate) const RING_CAPACITY: usize = 3;

/// Why the service or a replay ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The calibration cannot be used.
    #[error(transparent)]
    Calibration(#[from] CalibrationFileError),
    /// The source gives no frames.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// There is no access token.
    #[error(transparent)]
    Token(#[from] AccessTokenError),
    /// The recording cannot be read or written.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The port is not to be had.
    #[error(transparent)]
    Broadcast(#[from] BroadcastError),
    /// A file was to be recorded into itself.
    #[error("--out {} is what is to be recorded: expected another file", .0.display())]
    OverItself(PathBuf),
    /// The results cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// Nothing can save the configuration.
    #[error("cannot start a thread")]
    Thread(#[source] std::io::Error),
    /// States were to be compared, and there are none.
    #[error("--check compares states with those recorded: expected a recording (.mcap) as the source")]
    NothingToCompare,
    /// A replay is not the recorded run.
    #[error("{0}")]
    OtherStates(String),
    /// Ctrl-C cannot be caught.
    #[error("cannot listen for Ctrl-C")]
    Signal(#[from] ctrlc::Error),
}

/// Whether all that was to go through went through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every frame.
    Whole,
    /// Some frames are missing: damaged, or lost.
    WithLosses,
}

impl Outcome {
    pub(crate) fn of(lost: u64) -> Self {
        match lost {
            0 => Self::Whole,
            _ => Self::WithLosses,
        }
    }
}

/// Watches a table and serves it until it is told to stop, or the source ends. Lost is what a recording that is made lacks,
/// and of what is played what was damaged or is missing; a camera's frame that nobody had time for is none.
pub fn run(args: &RunArgs) -> Result<Outcome, RunError> {
    let Loaded {
        effective,
        config,
        calibration_file,
        calibration_text,
    } = recorded::load(
        args.source.as_ref(),
        args.config.as_deref(),
        args.calibration.as_deref(),
        args.listen,
    )?;
    let stop = stop_on_signal()?;
    // Before the source, which may take its time: the page is there at once and says that it waits for frames.
    let (server, bridge) = serve(&config)?;
    let simulated = SourceSpec::Simulation(SimulationOptions::default());
    let source = args
        .source
        .clone()
        .unwrap_or(simulated)
        .configured(&config.camera.config());
    let is_recording = matches!(source, SourceSpec::Recording(_));
    let source = capture::open_lasting(&source)?;

    let description = source.description().clone();
    let [name, address] = [description.name.clone(), server.local_addr().to_string()];
    // A source that is not live plays at its own pace here, and a frame that comes too late is of no use to anybody; but of
    // a recording, each is needed to know the states that were recorded.
    let policy = if is_recording {
        RingPolicy::Replay
    } else {
        RingPolicy::Live
    };
    let frames = capture::spawn(source, policy, Pace::Speed(1.0), RING_CAPACITY)?;
    let mut app = app::build(&config, Some(bridge.clone()));
    let source = SourceView {
        name: name.clone(),
        live: frames.description().live,
    };
    answer_clients(&mut app, effective, &config, source, bridge.clone())?;
    let recordings = Recordings::new(&config, bridge.clone(), description.clone());
    recordings.start_ring(app.world_mut())?;
    app.insert_resource(recordings);
    if let Some(playing) = Playing::new(&frames, bridge.clone(), false) {
        app.insert_resource(playing);
    }
    let mut runner = Runner::new(app, frames);
    if is_recording && args.config.is_none() && args.calibration.is_none() {
        runner = runner.following(Follower::default());
    }
    if let Some(path) = &args.record {
        let path = record::free_name(path);
        let about = record::about(&config, calibration_text, &description);
        runner.recording().recorder = Some(Recorder::create(
            &path,
            &about,
            config.recording.settings(QueuePolicy::Lose),
        )?);
        tracing::info!("recording into {}", path.display());
    }
    tracing::info!("watching {name}; open http://{address}/ in a browser, Ctrl-C stops");

    let mut losses = LossReport::default();
    let mut has_ended = false;
    while !stop.load(Ordering::Relaxed) {
        if runner.step()? == Step::End {
            if !std::mem::replace(&mut has_ended, true) {
                tracing::info!("{name} has ended");
            }
            if server.clients() == 0 {
                break;
            }
            // Who has opened the page may go on looking at the end, or elsewhere.
            std::thread::sleep(Duration::from_millis(50));
        }
        check_calibration(&config, calibration_file.as_deref(), &runner.snapshot())?;
        let health = runner.source_health();
        losses.report(health.counters);
        bridge.publish_source_health(health_view(health));
    }
    let mut lost = 0;
    if !description.live {
        let counters = runner.counters();
        lost += counters.damaged + counters.missed;
    }
    if let Some(recorder) = runner.recording().recorder.take() {
        let path = recorder.path().to_owned();
        let counters = recorder.finish()?;
        tracing::info!("{}", record::summary(&counters, &path));
        lost += counters.lost;
    }
    Ok(Outcome::of(lost))
}

/// What clients are told of where frames come from.
pub(crate) fn health_view(health: SourceHealth) -> SourceHealthView {
    let CaptureCounters {
        captured,
        dropped,
        damaged,
        missed,
        outages,
    } = health.counters;
    SourceHealthView {
        away: health.is_away,
        outages,
        last_error: health.last_outage,
        frames_captured: captured,
        frames_dropped: dropped,
        frames_damaged: damaged,
        frames_missed: missed,
    }
}

/// Lets clients see where frames come from, and change configuration and calibration.
pub(crate) fn answer_clients(
    app: &mut App,
    effective: Effective,
    config: &Config,
    source: SourceView,
    bridge: BridgeHandle,
) -> Result<(), RunError> {
    bridge.publish_source(source);
    app.insert_resource(LiveCalibration::new(bridge.clone(), config.calibration.as_ref()));
    change::serve(app, effective, bridge).map_err(RunError::Thread)
}

/// Refuses a calibration that was made from other pictures than those that the source begins with. A camera that comes back
/// with others is no reason to end: the table is looked for without the calibration then.
pub(crate) fn check_calibration(
    config: &Config,
    file: Option<&Path>,
    snapshot: &Snapshot,
) -> Result<(), CalibrationFileError> {
    match (&config.calibration, file) {
        // Before the first frame there is no size.
        (Some(calibration), Some(file)) if snapshot.frame_number == 0 && snapshot.picture_size != [0, 0] => {
            let unusable = |source| CalibrationFileError::unusable(file, source);
            calibration
                .camera
                .sighting_in(snapshot.picture_size)
                .map(|_| ())
                .map_err(unusable)
        }
        _ => Ok(()),
    }
}

/// What `--listen` says of the configuration.
pub(crate) fn listen_at(listen: Option<SocketAddr>) -> Vec<Setting> {
    let Some(listen) = listen else {
        return Vec::new();
    };
    let says = |key: &str, value: toml::Value| Setting {
        key: key.to_owned(),
        value,
        origin: Origin::CommandLine("--listen"),
    };
    vec![
        says("api.server.host", listen.ip().to_string().into()),
        says("api.server.port", i64::from(listen.port()).into()),
    ]
}

/// Starts the server where the configuration says. On an address that others can reach it asks for a token.
pub(crate) fn serve(config: &Config) -> Result<(Server, BridgeHandle), RunError> {
    let (server, udp) = (&config.api.server, &config.api.udp);
    let listen = SocketAddr::new(server.host, server.port);
    let environment: Vec<_> = std::env::vars_os().collect();
    let file = (!listen.ip().is_loopback()).then(|| token::file(&environment));
    let file = file.transpose()?;
    let token = file.as_deref().map(token::load).transpose()?;
    // Those that are none were told of when the configuration was read.
    let allowed = server
        .allowed_origins
        .iter()
        .flat_map(|origin| PageOrigin::new(origin));
    let predict = app::predict_config(config);
    let started = Server::start(ServerConfig {
        listen,
        access: Access {
            token: token.clone(),
            open_read: config.auth.open_read,
            allowed_origins: allowed.collect(),
        },
        udp: udp.enabled.then(|| SocketAddr::new(udp.host, udp.port)),
        log: log::tail(),
        state_folder: token::state_folder(&environment),
        default_space: config.api.websocket.handler.default_coords,
        broadcaster: config.broadcaster(),
        handler: config.handler(),
        integration: config.integration(),
        simulator: Some(Simulator::new(move |table, stroke| {
            what_if(&predict, table, stroke)
        })),
    })?;
    if let (Some(token), Some(file)) = (token, file) {
        token::announce(&token, &file, started.0.local_addr());
    }
    Ok(started)
}

/// Becomes true on Ctrl-C or a request to terminate, so that everything that was started is ended in order.
pub(crate) fn stop_on_signal() -> Result<Arc<AtomicBool>, ctrlc::Error> {
    let stop = Arc::new(AtomicBool::new(false));
    let on_signal = Arc::clone(&stop);
    ctrlc::set_handler(move || on_signal.store(true, Ordering::Relaxed))?;
    Ok(stop)
}

/// Tells of lost frames at most once a second.
#[derive(Default)]
struct LossReport {
    told: CaptureCounters,
    at: Option<Instant>,
}

impl LossReport {
    const INTERVAL: Duration = Duration::from_secs(1);

    fn report(&mut self, counters: CaptureCounters) {
        let losses = |counters: CaptureCounters| (counters.dropped, counters.damaged, counters.missed);
        let is_news = losses(counters) != losses(self.told);
        if !is_news || self.at.is_some_and(|at| at.elapsed() < Self::INTERVAL) {
            return;
        }
        tracing::warn!(
            "{} frames dropped because the pipeline was busy, {} damaged, {} missed by the camera, of {} so far",
            counters.dropped,
            counters.damaged,
            counters.missed,
            counters.captured
        );
        self.told = counters;
        self.at = Some(Instant::now());
    }
}
