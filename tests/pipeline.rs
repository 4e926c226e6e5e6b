//! The assembled pipeline on the simulated table, whose truth is known.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a failure ends the test"
)]

mod common;

use std::collections::BTreeSet;

use bevy_ecs::prelude::*;
use common::{Simulated, write_rendered_frames};
use ghostball::simulation::{SimulationOptions, TrueBall};
use ghostball::world::{
    Ball, BallKind, BallNumber, Confidence, Cue, CuePose, CueState, LatestSnapshot, Motion, PositionInTable,
    Table, TableGeometry, TrackId, VelocityInTable,
};

/// A ball of which less is seen (under the cue stick, at the rim of a pocket) may be found or not.
const VISIBLE_ENOUGH: f64 = 0.6;

#[test]
fn the_world_holds_one_table_one_cue_while_it_is_shown_and_one_entity_per_ball() {
    let mut simulated = Simulated::new(SimulationOptions {
        seed: 7,
        ..Default::default()
    });
    let (mut cue_frames, mut cue_seen, mut cue_imagined) = (0, 0, 0);
    for n in 0..150 {
        let truth = simulated.step();
        let world = simulated.app.world_mut();
        if n < 15 {
            continue;
        }
        let tables = world.query::<(&Table, &TableGeometry)>().iter(world).count();
        assert_eq!(tables, 1, "tables in frame {n}");

        let cues = world
            .query_filtered::<(&CuePose, &CueState), With<Cue>>()
            .iter(world)
            .count();
        match truth.cue {
            Some(_) => (cue_frames, cue_seen) = (cue_frames + 1, cue_seen + cues),
            None => cue_imagined += cues,
        }

        type Documented<'a> = (
            &'a Ball,
            &'a TrackId,
            &'a BallKind,
            &'a BallNumber,
            &'a PositionInTable,
            &'a VelocityInTable,
            &'a Motion,
            &'a Confidence,
        );
        let balls: Vec<_> = world
            .query::<Documented>()
            .iter(world)
            .map(|ball| (*ball.1, *ball.4))
            .collect();
        let tracks: BTreeSet<_> = balls.iter().map(|(track, _)| *track).collect();
        assert_eq!(tracks.len(), balls.len(), "two balls share a track in frame {n}");
        for ball in truth
            .balls
            .iter()
            .filter(|ball| !ball.is_moving && ball.visible_share > VISIBLE_ENOUGH)
        {
            let near = balls
                .iter()
                .filter(|(_, p)| p.0.distance(ball.position_in_table) < 0.02)
                .count();
            assert_eq!(
                near, 1,
                "entities at the ball {:?} in frame {n}",
                ball.position_in_table
            );
        }
    }
    assert!(cue_frames > 20, "the simulated player aims: {cue_frames} frames");
    assert!(
        cue_seen as f64 >= 0.9 * f64::from(cue_frames),
        "cue seen in {cue_seen} of {cue_frames} frames"
    );
    assert!(
        cue_imagined <= 5,
        "a cue in {cue_imagined} frames without one (a few of grace are right)"
    );
}

#[test]
fn balls_of_the_simulated_table_are_found_to_half_a_pixel() {
    let mut simulated = Simulated::new(SimulationOptions {
        seed: 11,
        ..Default::default()
    });
    let (mut there, mut found, mut hit, mut shots, mut error_px) = (0_u32, 0_u32, 0_u32, 0_u32, 0.0_f64);
    let mut was_moving = false;
    for n in 0..600 {
        let truth = simulated.step();
        let is_moving = truth.balls.iter().any(|ball| ball.is_moving);
        shots += u32::from(is_moving && !was_moving);
        was_moving = is_moving;
        let snapshot = &simulated.app.world().resource::<LatestSnapshot>().0;
        let mut unmatched: Vec<&TrueBall> = truth.balls.iter().collect();
        for circle in snapshot.balls.iter().filter_map(|ball| ball.seen_in_image) {
            let distance = |ball: &TrueBall| ball.circle_in_image.center.distance(circle.center);
            let nearest = (0..unmatched.len())
                .min_by(|a, b| distance(unmatched[*a]).total_cmp(&distance(unmatched[*b])))
                .filter(|index| distance(unmatched[*index]) < 0.5 * unmatched[*index].circle_in_image.radius);
            let Some(index) = nearest else {
                found += 1;
                continue;
            };
            let ball = unmatched.swap_remove(index);
            if ball.visible_share > VISIBLE_ENOUGH {
                (there, found, hit) = (there + 1, found + 1, hit + 1);
                error_px += distance(ball);
            }
        }
        let missed = unmatched
            .iter()
            .filter(|ball| ball.visible_share > VISIBLE_ENOUGH);
        there += missed
            .inspect(|ball| eprintln!("frame {n}: missed {ball:?}"))
            .count() as u32;
    }
    let (recall, precision) = (
        f64::from(hit) / f64::from(there),
        f64::from(hit) / f64::from(found),
    );
    let mean_error_px = error_px / f64::from(hit);
    println!(
        "{there} balls, {shots} shots: recall {recall:.4}, precision {precision:.4}, error {mean_error_px:.3} px"
    );
    assert!(shots >= 2, "{shots} shots in 600 frames");
    assert!(recall >= 0.99, "recall {recall}");
    assert!(precision >= 0.99, "precision {precision}");
    assert!(mean_error_px <= 0.5, "mean error {mean_error_px} px");
}

/// Replays twice, asserts that both runs print the same `frames` lines, and returns the last.
#[track_caller]
fn replays_to_the_same_bytes(arguments: &[&str], frames: usize) -> serde_json::Value {
    let replay = || {
        let output = common::run(&[&["replay", "--jsonl", "-"], arguments].concat());
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    };
    let first = replay();
    assert_eq!(first.lines().count(), frames);
    assert!(first == replay(), "two replays of {arguments:?} differ");
    serde_json::from_str(first.lines().last().unwrap()).unwrap()
}

#[test]
fn the_simulated_table_replays_to_the_same_bytes() {
    replays_to_the_same_bytes(&["sim?seed=7", "--frames", "300"], 300);
}

#[test]
fn a_folder_of_pictures_replays_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    write_rendered_frames(folder.path(), 40, 3);
    let last = replays_to_the_same_bytes(&[folder.path().to_str().unwrap()], 40);
    assert!(last["balls"].as_array().unwrap().len() >= 14, "{last}");
}

#[test]
fn a_video_replays_to_the_same_bytes() {
    if !common::have("ffmpeg", "-version") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    write_rendered_frames(folder.path(), 30, 4);
    let video = folder.path().join("clip.mp4");
    let made = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-framerate", "30", "-i"])
        .arg(folder.path().join("%04d.jpg"))
        .args(["-c:v", "libx264", "-pix_fmt", "yuv420p"])
        .arg(&video)
        .status();
    assert!(made.unwrap().success());
    let last = replays_to_the_same_bytes(&[video.to_str().unwrap()], 30);
    assert!(last["balls"].as_array().unwrap().len() >= 14, "{last}");
}
