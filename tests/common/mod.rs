//! What the tests of the assembled program share.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests: a failure ends the test, a skip is told"
)]

pub mod game;
pub mod service;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use bevy_app::App;
use ghostball::capture::PendingFrame;
use ghostball::config::Config;
use ghostball::simulation::{GroundTruth, SimulatedTable, SimulationOptions};
use ghostball::world::{Frame, PixelFormat, Stamp};

/// The program under test, out of reach of the configuration of whoever runs the tests.
pub fn ghostball() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ghostball"));
    let nowhere = Path::new(env!("CARGO_TARGET_TMPDIR")).join("nobody");
    command
        .env_remove("GHOSTBALL_LOG")
        .env_remove("CONFIGURATION_DIRECTORY")
        .env("XDG_CONFIG_HOME", &nowhere)
        .env("XDG_STATE_HOME", nowhere);
    command
}

/// Runs the program to its end.
pub fn run(arguments: &[&str]) -> Output {
    ghostball().args(arguments).output().unwrap()
}

/// Whether `program` can be started; says that the test is skipped where it cannot.
pub fn have(program: &str, version_option: &str) -> bool {
    let found = Command::new(program)
        .arg(version_option)
        .output()
        .is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("SKIPPED: the program {program} is not installed");
    }
    found
}

/// Whether `command` succeeds; says that the test is skipped where it does not.
pub fn have_done(command: &mut Command) -> bool {
    let succeeded = command.output().is_ok_and(|output| output.status.success());
    if !succeeded {
        eprintln!("SKIPPED: {command:?} fails");
    }
    succeeded
}

/// The labelled footage beside the checkout; says that the test is skipped where there is none.
pub fn shared() -> Option<PathBuf> {
    let shared = std::env::var_os("GHOSTBALL_SHARED").map(PathBuf::from);
    if shared.is_none() {
        eprintln!("SKIPPED: GHOSTBALL_SHARED does not name the folder with the labelled footage");
    }
    shared
}

/// The assembled pipeline, fed by a simulated table whose truth is known for every frame.
pub struct Simulated {
    pub app: App,
    pub table: SimulatedTable,
    frame_number: u64,
}

impl Simulated {
    pub fn new(options: SimulationOptions) -> Self {
        let mut app = ghostball::app::build(&Config::default(), None);
        app.finish();
        app.cleanup();
        Self {
            app,
            table: SimulatedTable::new(options).unwrap(),
            frame_number: 0,
        }
    }

    /// Renders the next frame, sends it through the pipeline, and says what is really there.
    pub fn step(&mut self) -> GroundTruth {
        let mut frame = Frame {
            sequence: self.frame_number,
            ..Frame::default()
        };
        let truth = self.table.render_next(&mut frame.picture).unwrap().clone();
        let nanos = self.frame_number as f64 * 1e9 / self.table.options().fps;
        frame.captured_at = Stamp::from_nanos(nanos as u64);
        self.frame_number += 1;
        self.app.insert_resource(PendingFrame(Some(Arc::new(frame))));
        self.app.update();
        truth
    }
}

/// Writes `count` frames of a simulated table as JPEG files into `folder`.
pub fn write_rendered_frames(folder: &Path, count: usize, seed: u64) {
    let options = SimulationOptions {
        seed,
        width: 960,
        height: 540,
        format: PixelFormat::Rgb,
        ..Default::default()
    };
    let mut table = SimulatedTable::new(options).unwrap();
    let mut frame = Frame::default();
    for n in 0..count {
        table.render_next(&mut frame.picture).unwrap();
        let path = folder.join(format!("{n:04}.jpg"));
        let (width, height) = (frame.picture.width() as u16, frame.picture.height() as u16);
        let encoder = jpeg_encoder::Encoder::new_file(path, 92).unwrap();
        encoder
            .encode(frame.picture.bytes(), width, height, jpeg_encoder::ColorType::Rgb)
            .unwrap();
    }
}
