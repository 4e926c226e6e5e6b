//! `ghostball calibrate`: table, ball size and lens from many frames of a source; friction and cushions from shots.
#![allow(
    clippy::disallowed_methods,
    reason = "a source that gives no usable frame is given up after some seconds of the host's time"
)]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use glam::DVec2;

use crate::calibration_file::{self, CalibrationFile, CalibrationFileError, PhysicsRecord};
use crate::capture::{self, CaptureError, Pace, Received, RingPolicy, SimulationOptions, SourceSpec};
use crate::cli::CalibrateArgs;
use crate::config::{Config, ConfigError};
use crate::detection::{Calibration, Calibrator, DetectionError};
use crate::fit::{self, FitError};
use crate::output::{Output, OutputError};
use crate::run::RING_CAPACITY;
use crate::world::TableSpecification;

/// Longest that a live source is watched.
const LONGEST: Duration = Duration::from_secs(15);

/// Why there is no calibration.
#[derive(Debug, thiserror::Error)]
pub enum CalibrateError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The source gives no frames.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// The results cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A number that no file can hold.
    #[error("cannot write the calibration down")]
    Format(#[from] toml::ser::Error),
    /// No frame shows a table.
    #[error(
        "{source_name}: a table was expected in its pictures, found none in {frames} frames{}; show the whole table, \
         or set its corners with --corners",
        why.as_ref().map(|why| format!(" (the last: {why})")).unwrap_or_default()
    )]
    NoTable {
        /// The source.
        source_name: String,
        /// Frames looked at.
        frames: u32,
        /// What was wrong with the last of them.
        why: Option<DetectionError>,
    },
    /// The calibration to start from cannot be used.
    #[error(transparent)]
    Calibration(#[from] CalibrationFileError),
    /// Friction and cushions cannot be told.
    #[error(transparent)]
    Fit(#[from] FitError),
}

/// Calibrates, tells how exactly, and writes it down.
pub fn calibrate(args: &CalibrateArgs) -> Result<(), CalibrateError> {
    let config = Config::load(args.config.as_deref(), std::env::vars_os())?
        .with_calibration(args.calibration.as_deref())?;
    let mut file = match &config.calibration {
        Some(file) => file.clone(),
        None => {
            let camera = watch(args, &config)?;
            tell(&camera);
            CalibrationFile {
                camera,
                physics: None,
            }
        }
    };
    if !args.physics.is_empty() {
        let camera = file.camera.clone();
        let config = Config {
            calibration: Some(file.clone()),
            ..config
        };
        let fitted = fit::fit(&args.physics, &camera, &config)?;
        fit::tell(&fitted);
        file.physics = Some(PhysicsRecord::from(&fitted));
    }
    let text = calibration_file::to_text(&file)?;
    let to = args.out.clone().unwrap_or_else(|| PathBuf::from("-"));
    let mut output = Output::create(&to)?;
    output.write_text(&text)?;
    output.finish()?;
    if args.out.is_some() {
        tracing::info!("written to {}; use it with --calibration {0}", to.display());
    }
    Ok(())
}

fn calibrator(args: &CalibrateArgs, config: &Config) -> Calibrator {
    let configured = config.specification();
    let specification = args.table_size.map_or(configured, |size| TableSpecification {
        length: size.length,
        width: size.width,
        ..configured
    });
    let calibrator = Calibrator::new(specification);
    match &args.corners {
        Some(corners) => calibrator.with_corners(corners.0.map(DVec2::from)),
        None => calibrator,
    }
}

/// Looks at frames until they change nothing any more.
fn watch(args: &CalibrateArgs, config: &Config) -> Result<Calibration, CalibrateError> {
    let mut calibrator = calibrator(args, config);
    let simulated = SourceSpec::Simulation(SimulationOptions::default());
    let source = args.source.as_ref().or(args.physics.first());
    let source = source.unwrap_or(&simulated).clone();
    let source = capture::open(&source.configured(&config.camera.config()))?;
    let policy = if source.description().live {
        RingPolicy::Live
    } else {
        RingPolicy::Replay
    };
    let frames = capture::spawn(source, policy, Pace::Max, RING_CAPACITY)?;
    let source_name = frames.description().name.clone();
    let is_live = frames.description().live;
    let began = Instant::now();
    let (mut looked_at, mut why) = (0, None);
    while looked_at < args.frames && !calibrator.is_settled() && !(is_live && began.elapsed() > LONGEST) {
        match frames.receive(Duration::from_millis(100)) {
            Received::Frame(frame) => {
                looked_at += 1;
                if let Err(error) = calibrator.look(&frame.picture) {
                    why = Some(error);
                }
            }
            Received::Idle => {}
            Received::End => break,
            Received::Failed(error) => return Err(error.into()),
        }
    }
    calibrator.finish().ok_or(CalibrateError::NoTable {
        source_name,
        frames: looked_at,
        why,
    })
}

/// What was found, for people.
fn tell(calibration: &Calibration) {
    let Calibration {
        table, lens, errors, ..
    } = calibration;
    let [width, height] = calibration.size();
    tracing::info!(
        "the table in {} frames of {width}x{height} pixels: {:.3} x {:.3} m, balls of {:.1} mm, noses {:.1} mm high",
        errors.frames,
        table.length,
        table.width,
        2e3 * table.ball_radius,
        1e3 * table.nose_height,
    );
    tracing::info!(
        "the lens: focal length {:.0} px (± {:.0} %), distortion k1 {:+.4}",
        lens.focal_px,
        errors.focal_percent,
        lens.radial[0],
    );
    tracing::info!(
        "errors: noses off the table's sides by {:.2} px, {:.2} mm; balls placed within {:.1} mm (standard deviation)",
        errors.nose_px,
        errors.nose_mm,
        errors.place_mm,
    );
}
