//! Where the stick points, and whether it was seen to strike, on simulated games seen through the whole pipeline, while arms
//! reach over the table and frames are lost or come late.
//!
//! `GHOSTBALL_SEEDS` as in `common/game.rs`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a failure ends the test")]

mod common;

use common::game::{DisturbedGame, Games};
use ghostball::simulation::{GroundTruth, SimulationOptions, Touched};
use ghostball::world::{LatestSnapshot, Snapshot, TableEventKind};
use glam::DVec2;

/// A stick is steady whose direction has changed by less than this, radians, over so many frames.
const STEADY: f64 = 3e-4;
const STEADY_FRAMES: usize = 8;
/// With less of it over the bed than this, metres, a tip is hardly more than the hand before it shows.
const LEAST_OVER_BED: f64 = 0.15;

#[derive(Default)]
struct Score {
    /// Directions of the true stick in the last frames, while it was there.
    directions: Vec<DVec2>,
    /// Errors of the direction of a steady stick that is seen, degrees; and how often it is not.
    errors: Vec<f64>,
    unseen: usize,
    /// Frames in which one is seen that is not there, and in which none is.
    imagined: usize,
    without: usize,
    /// When the cue ball was struck, and when the stick was told to have, seconds.
    strokes: Vec<f64>,
    told: Vec<f64>,
    began: f64,
}

impl Score {
    fn take(&mut self, truth: &GroundTruth, snapshot: &Snapshot, half_size: DVec2) {
        let struck = truth
            .contacts
            .iter()
            .filter(|contact| contact.touched == Touched::Stick);
        self.strokes.extend(struck.map(|contact| contact.time_secs));
        for event in &snapshot.events {
            if let TableEventKind::ShotStarted(_, _, Some(_)) = &event.kind {
                self.told.push(self.began + event.at.as_secs_f64());
            }
        }
        let seen = snapshot.cue.filter(|cue| cue.in_image.is_some());
        let Some(cue) = &truth.cue else {
            self.without += 1;
            self.imagined += usize::from(seen.is_some());
            return self.directions.clear();
        };
        let direction = (cue.tip_in_table - cue.butt_in_table).normalize();
        self.directions.push(direction);
        let last = self.directions.iter().rev().take(STEADY_FRAMES);
        let is_steady = self.directions.len() >= STEADY_FRAMES
            && last
                .clone()
                .all(|before| before.perp_dot(direction).abs() < STEADY);
        if !is_steady || over_bed(cue.tip_in_table, direction, half_size) < LEAST_OVER_BED {
            return;
        }
        match seen {
            Some(seen) => {
                let seen = DVec2::from_angle(seen.pose.angle());
                self.errors.push(seen.angle_to(direction).to_degrees().abs());
            }
            None => self.unseen += 1,
        }
    }
}

/// Length of the stick from its tip to where it leaves the bed, metres.
fn over_bed(tip: DVec2, direction: DVec2, half_size: DVec2) -> f64 {
    let along = |axis: usize| (half_size[axis] * -direction[axis].signum() - tip[axis]) / -direction[axis];
    along(0).min(along(1))
}

#[test]
fn a_stick_is_followed_and_its_strokes_are_told() {
    let games = Games::from_environment();
    let (mut errors, mut unseen, mut strokes, mut told) = (Vec::new(), 0, 0, 0);
    let (mut imagined, mut without) = (0, 0);
    for seed in games.seeds {
        let options = SimulationOptions {
            seed,
            ..Default::default()
        };
        let fps = options.fps;
        let mut game = DisturbedGame::new(options);
        let mut score = Score::default();
        let mut now = 0.0;
        for frame in 0..games.frames {
            let truth = game.step();
            now = truth.time_secs;
            if frame == 0 {
                score.began = now;
            }
            let snapshot = &game.app.world().resource::<LatestSnapshot>().0;
            score.take(&truth, snapshot, game.half_size);
        }
        // What happened last may not be known yet.
        score.strokes.retain(|at| *at < now - 1.0);
        let is_told = |at: &&f64| score.told.iter().any(|told| (told - **at).abs() * fps < 4.0);
        told += score.strokes.iter().filter(is_told).count();
        strokes += score.strokes.len();
        println!(
            "seed {seed}: unseen {} of {}, imagined {} of {}, strokes {}",
            score.unseen,
            score.unseen + score.errors.len(),
            score.imagined,
            score.without,
            score.strokes.len()
        );
        imagined += score.imagined;
        without += score.without;
        errors.extend(score.errors);
        unseen += score.unseen;
    }
    errors.sort_by(f64::total_cmp);
    let (all, exact) = (errors.len(), errors.partition_point(|error| *error <= 0.3));
    println!(
        "steady and at least {LEAST_OVER_BED} m over the bed: seen {all}, unseen {unseen}; within 0.3 degrees {exact}, median {:.3}; \
         imagined in {imagined} of {without} frames; strokes told {told} of {strokes}",
        errors[all / 2]
    );
    // All of them is the aim. What is missed: sticks behind hands; how high a stick is held is not seen from above.
    assert!(all * 100 >= (all + unseen) * 85, "{all} of {} seen", all + unseen);
    assert!(
        imagined * 100 <= without,
        "imagined in {imagined} of {without} frames"
    );
    assert!(exact * 100 >= all * 75, "{exact} of {all} within 0.3 degrees");
    assert!(errors[all / 2] < 0.15, "{}", errors[all / 2]);
    assert!(told * 2 >= strokes, "{told} of {strokes} strokes told");
}
