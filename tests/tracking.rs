//! Who is who, how fast, and what touched what, on simulated games seen through the whole pipeline.
//!
//! `GHOSTBALL_SEEDS=20` plays so many games to three thousand frames; without it two games are begun.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a failure ends the test")]

mod common;

use std::collections::BTreeMap;

use common::Simulated;
use ghostball::simulation::{GroundTruth, SimulationOptions, Touched, TrueBall, TrueContact};
use ghostball::world::{LatestSnapshot, Snapshot, TableEventKind, TrackId};
use glam::DVec2;

/// A velocity changes by no more than this in a frame, m/s, while a ball only rolls: 0.1 m/s², and as much again.
const ROLLING_CHANGE: f64 = 0.01;
/// More touches than this within a frame and a half are a break: not to be told apart by any camera of 30 frames a second.
const CROWD: usize = 6;

#[derive(Default)]
struct Score {
    switches: usize,
    /// Balls said to move half a second after they stood still.
    false_motion: usize,
    /// Squares of velocity errors of rolling balls, in units of 2 % or 1 cm/s, and how many.
    velocity_squares: f64,
    rolling: usize,
    contacts: Vec<TrueContact>,
    /// Told: seconds, ball, and the other ball.
    told: Vec<(f64, u32, Option<u32>)>,
    track_of: BTreeMap<u32, TrackId>,
    /// Seconds for which a ball has rolled, or lain, undisturbed.
    rolling_for: BTreeMap<u32, u32>,
    lying_for: BTreeMap<u32, u32>,
    before: GroundTruth,
}

impl Score {
    /// Scores the frame `before`, for which `snapshot` was published, now that what came `after` is known.
    fn take(&mut self, snapshot: &Snapshot, after: &GroundTruth) {
        let now = std::mem::replace(&mut self.before, after.clone());
        for ball in &now.balls {
            let next = after.balls.iter().find(|next| next.id == ball.id);
            self.take_ball(snapshot, ball, next);
        }
        self.contacts.extend(&after.contacts);
        let ball_of = |id: TrackId| {
            let of = self.track_of.iter().find(|(_, track)| **track == id);
            of.map_or(u32::MAX, |(ball, _)| *ball)
        };
        for event in &snapshot.events {
            let (ball, other) = match &event.kind {
                TableEventKind::BallCollision(ball, other) => (ball, Some(ball_of(other.track_id))),
                TableEventKind::Cushion(ball) => (ball, None),
                _ => continue,
            };
            self.told
                .push((event.at.as_secs_f64(), ball_of(ball.track_id), other));
        }
    }

    fn take_ball(&mut self, snapshot: &Snapshot, ball: &TrueBall, next: Option<&TrueBall>) {
        let is_steady = next.is_some_and(|next| {
            next.is_moving
                && ball.is_moving
                && next.velocity_in_table.distance(ball.velocity_in_table) < ROLLING_CHANGE
        });
        let rolling = self.rolling_for.entry(ball.id).or_default();
        *rolling = if is_steady { *rolling + 1 } else { 0 };
        let lying = self.lying_for.entry(ball.id).or_default();
        *lying = if ball.is_moving { 0 } else { *lying + 1 };
        let (rolling, lying) = (*rolling, *lying);
        let off = |place: DVec2| place.distance(ball.circle_in_image.center);
        let seen = snapshot
            .balls
            .iter()
            .filter_map(|seen| Some((seen, seen.seen_in_image?)));
        let nearest = seen.min_by(|a, b| off(a.1.center).total_cmp(&off(b.1.center)));
        let Some((seen, _)) = nearest.filter(|(_, circle)| off(circle.center) < circle.radius) else {
            return;
        };
        if ball.visible_share < 0.9 {
            return;
        }
        let before = self.track_of.insert(ball.id, seen.track_id);
        self.switches += usize::from(before.is_some_and(|before| before != seen.track_id));
        self.false_motion += usize::from(lying > 15 && seen.is_moving);
        // The frames just after a touch are for finding out what it did.
        if rolling > 4 && seen.is_moving {
            let limit = (0.02 * ball.velocity_in_table.length()).max(0.01);
            let error = seen.velocity_in_table.distance(ball.velocity_in_table) / limit;
            self.velocity_squares += error * error;
            self.rolling += 1;
        }
    }

    /// Touches that were told within a frame, all that could have been, and told ones that were none.
    fn touches(&self, fps: f64) -> (usize, usize, usize) {
        let is_touch =
            |contact: &&TrueContact| matches!(contact.touched, Touched::Ball(_) | Touched::Cushion);
        let contacts: Vec<_> = self.contacts.iter().filter(is_touch).collect();
        let is_crowded = |at: f64| {
            contacts
                .iter()
                .filter(|other| (other.time_secs - at).abs() * fps < 1.5)
                .count()
                > CROWD
        };
        let mut told = self.told.clone();
        let (mut right, mut all) = (0, 0);
        for contact in &contacts {
            let other = match contact.touched {
                Touched::Ball(id) => Some(id),
                _ => None,
            };
            let is_it = |told: &(f64, u32, Option<u32>)| {
                let same = (told.1, told.2) == (contact.ball, other)
                    || other == Some(told.1) && told.2 == Some(contact.ball);
                same && (told.0 - contact.time_secs).abs() * fps <= 1.0
            };
            let found = told.iter().position(is_it);
            if let Some(index) = found {
                told.remove(index);
            }
            if !is_crowded(contact.time_secs) {
                all += 1;
                right += usize::from(found.is_some());
            }
        }
        told.retain(|told| !is_crowded(told.0));
        (right, all, told.len())
    }
}

#[test]
fn balls_of_simulated_games_are_followed_and_their_touches_told() {
    let games = std::env::var("GHOSTBALL_SEEDS")
        .ok()
        .and_then(|seeds| seeds.parse().ok());
    let (seeds, frames): (Vec<u64>, u32) = match games {
        Some(games) => ((1..=games).collect(), 3_000),
        None => (vec![1, 5], 600),
    };
    let (mut right, mut all, mut false_touches) = (0, 0, 0);
    for seed in seeds {
        let mut simulated = Simulated::new(SimulationOptions {
            seed,
            ..Default::default()
        });
        let fps = simulated.table.options().fps;
        let mut score = Score {
            before: simulated.step(),
            ..Score::default()
        };
        for _ in 1..frames {
            let snapshot = simulated.app.world().resource::<LatestSnapshot>().0.clone();
            let after = simulated.step();
            score.take(&snapshot, &after);
        }
        // What touched last may not be sure yet.
        let end = f64::from(frames - 6) / fps;
        score.contacts.retain(|contact| contact.time_secs < end);
        let touches = score.touches(fps);
        let velocity = (score.velocity_squares / score.rolling.max(1) as f64).sqrt();
        println!(
            "seed {seed}: {} switches, {} frames of false motion, velocity error {velocity:.2} of the limit ({} frames), \
             {} of {} touches told, {} false",
            score.switches, score.false_motion, score.rolling, touches.0, touches.1, touches.2
        );
        assert_eq!(score.switches, 0, "seed {seed}");
        if games.is_none() {
            assert_eq!(score.false_motion, 0, "seed {seed}");
            assert!(velocity <= 1.0, "seed {seed}: {velocity}");
        }
        (right, all, false_touches) = (right + touches.0, all + touches.1, false_touches + touches.2);
    }
    println!("{right} of {all} touches told, {false_touches} false");
    // All, and none false, is the aim. What is missed: the second touch of a ball within a frame, and jaws of pockets.
    assert!(right * 100 >= all * 85, "{right} of {all} touches told");
    assert!(false_touches * 100 <= all * 10, "{false_touches} of {all} false");
}
