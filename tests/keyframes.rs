//! Keyframes of the assembled program: from each of them a replay is the recorded run, byte for byte.
#![allow(clippy::unwrap_used, reason = "a failure ends the test")]

use std::path::Path;
use std::time::Duration;

use bevy_ecs::world::World;
use ghostball::capture::{
    self, FrameReceiver, Pace, PlaybackControl, RingPolicy, SimulationOptions, SourceSpec,
};
use ghostball::commands;
use ghostball::config::Config;
use ghostball::detection::Calibrator;
use ghostball::follower::{Agreement, Follower};
use ghostball::recording::{About, QueuePolicy, Recorder, RecordingReader, RecordingSettings, Topic};
use ghostball::runner::{Runner, Step};
use ghostball::simulation::SimulatedTable;
use ghostball::world::{AdmittedChange, Picture, TableSpecification, load_memory, save_memory};
use ghostball::{app, record};

/// Frames of the recorded run: balls are struck and move during most of it.
const FRAMES: u64 = 240;

fn options() -> SimulationOptions {
    SimulationOptions {
        seed: 7,
        width: 640,
        height: 360,
        ..SimulationOptions::default()
    }
}

fn runner(frames: FrameReceiver) -> Runner {
    Runner::new(app::build(&Config::default(), None), frames)
}

fn simulated() -> FrameReceiver {
    let source = capture::open(&SourceSpec::Simulation(options())).unwrap();
    capture::spawn(source, RingPolicy::Replay, Pace::Max, 2).unwrap()
}

/// A calibration from the simulated table's pictures.
fn calibration() -> String {
    let mut table = SimulatedTable::new(options()).unwrap();
    let mut calibrator = Calibrator::new(TableSpecification::default());
    let mut picture = Picture::default();
    for _ in 0..5 {
        table.render_next(&mut picture).unwrap();
        calibrator.look(&picture).unwrap();
    }
    toml::to_string(&calibrator.finish().unwrap()).unwrap()
}

/// What clients change before these frames.
fn changes() -> [(u64, AdmittedChange); 2] {
    let faster = AdmittedChange {
        configuration: Some("[trajectory]\nassumed_stick_speed = 3.1\n".to_owned()),
        calibration: None,
    };
    let calibrated = AdmittedChange {
        configuration: None,
        calibration: Some(calibration()),
    };
    [(70, faster), (110, calibrated)]
}

/// As the commands of clients do it.
fn put_into_force(world: &mut World, change: &AdmittedChange) {
    commands::admit_again(world, change).unwrap();
    world.insert_resource(change.clone());
}

fn record(path: &Path) {
    let settings = RecordingSettings {
        keyframe_interval: Duration::from_secs(1),
        ..RecordingSettings::new(QueuePolicy::Wait)
    };
    let about = About {
        frame_rate: 30.0,
        ..About::default()
    };
    let mut runner = runner(simulated());
    runner.recording().recorder = Some(Recorder::create(path, &about, settings).unwrap());
    let changes = changes();
    for n in 0..FRAMES {
        if let Some((_, change)) = changes.iter().find(|(frame, _)| *frame == n) {
            put_into_force(runner.world_mut(), change);
        }
        assert_eq!(runner.step().unwrap(), Step::Frame);
    }
    let recorder = runner.recording().recorder.take().unwrap();
    assert_eq!(recorder.finish().unwrap().lost, 0);
}

/// Stamps of the keyframes since the first frame, and how many states and changes there are.
fn contents(path: &Path) -> (Vec<Duration>, u64, u64) {
    let mut reader = RecordingReader::open(path).unwrap();
    let (first, _) = reader.span().unwrap();
    let (mut keyframes, mut states, mut changes) = (Vec::new(), 0, 0);
    while let Some(message) = reader.next_message().unwrap() {
        match message.topic {
            Topic::Keyframe => keyframes.push(message.captured_at.since(first)),
            Topic::State => states += 1,
            Topic::Change => changes += 1,
            _ => {}
        }
    }
    (keyframes, states, changes)
}

/// Replays from the place that `seek` goes to.
fn replay(path: &Path, seek: impl Fn(&PlaybackControl)) -> Agreement {
    let source = capture::open(&SourceSpec::Recording(path.to_owned())).unwrap();
    let frames = capture::spawn(source, RingPolicy::Replay, Pace::Max, 2).unwrap();
    let control = frames.control();
    control.pause();
    seek(&control);
    control.resume();
    let mut runner = runner(frames).following(Follower::new(true));
    while runner.step().unwrap() != Step::End {}
    runner.agreement().unwrap()
}

#[test]
fn from_every_keyframe_a_replay_gives_the_recorded_states_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mcap");
    record(&path);
    let (keyframes, states, changes) = contents(&path);
    assert_eq!((keyframes.len(), states, changes), (8, FRAMES, 2));
    for (index, at) in keyframes.iter().enumerate() {
        let agreement = replay(&path, |control| control.seek(*at));
        let expected = Agreement {
            same: FRAMES - 30 * index as u64,
            ..Agreement::default()
        };
        assert_eq!(agreement, expected, "from the keyframe after {at:?}");
    }
    // In between, what leads to the place is played too.
    let agreement = replay(&path, |control| control.seek(Duration::from_millis(4500)));
    assert_eq!((agreement.same, agreement.different), (FRAMES - 4 * 30, 0));
}

#[test]
fn a_run_that_forgets_all_but_its_memory_goes_on_as_if_it_had_not() {
    let mut whole = runner(simulated());
    let mut forgetful = runner(simulated());
    let mut memory = Vec::new();
    let mut states = [Vec::new(), Vec::new()];
    for n in 0..150 {
        for (runner, state) in [&mut whole, &mut forgetful].into_iter().zip(&mut states) {
            assert_eq!(runner.step().unwrap(), Step::Frame);
            state.clear();
            record::write_state(&runner.snapshot(), state);
        }
        assert!(states[0] == states[1], "frame {n}");
        // Every few frames, at other moments of what goes on.
        if n % 7 == 3 {
            save_memory(forgetful.world_mut(), &mut memory).unwrap();
            load_memory(forgetful.world_mut(), &memory).unwrap();
        }
    }
}
