//! Who is who, how fast, and what touched what, on simulated games seen through the whole pipeline, while arms reach over the
//! table and frames are lost or come late.
//!
//! `GHOSTBALL_SEEDS` as in `common/game.rs`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a failure ends the test")]

mod common;

use std::collections::BTreeMap;

use common::game::{DisturbedGame, Games};
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
    /// Told: seconds, ball, and what it touched.
    told: Vec<(f64, u32, Touched)>,
    /// When the first frame was taken, seconds.
    began: f64,
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
            // Balls that are racked again have new ids, higher ones, and their old tracks.
            let of = self.track_of.iter().rev().find(|(_, track)| **track == id);
            of.map_or(u32::MAX, |(ball, _)| *ball)
        };
        for event in &snapshot.events {
            let (ball, touched) = match &event.kind {
                TableEventKind::BallCollision(ball, other) => (ball, Touched::Ball(ball_of(other.track_id))),
                TableEventKind::Cushion(ball) => (ball, Touched::Cushion),
                TableEventKind::Potted(ball, _) => (ball, Touched::Pocket),
                _ => continue,
            };
            let at = self.began + event.at.as_secs_f64();
            self.told.push((at, ball_of(ball.track_id), touched));
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

    /// What was told within a frame of when it happened, all that could have been, and told ones that did not happen; of the
    /// touches outside of breaks, or of the pots.
    fn told_of(&self, pots: bool, fps: f64) -> Told {
        let is_asked = |touched: Touched| match touched {
            Touched::Pocket => pots,
            Touched::Ball(_) | Touched::Cushion => !pots,
            Touched::Stick => false,
        };
        let contacts: Vec<_> = self
            .contacts
            .iter()
            .filter(|contact| is_asked(contact.touched))
            .collect();
        let is_crowded = |at: f64| {
            contacts
                .iter()
                .filter(|other| (other.time_secs - at).abs() * fps < 1.5)
                .count()
                > CROWD
        };
        let mut told = self.told.clone();
        told.retain(|told| is_asked(told.2));
        let mut result = Told::default();
        for contact in &contacts {
            let is_it = |told: &(f64, u32, Touched)| {
                let swapped = match (contact.touched, told.2) {
                    (Touched::Ball(other), Touched::Ball(ball)) => other == told.1 && ball == contact.ball,
                    _ => false,
                };
                let same = swapped || (told.1, told.2) == (contact.ball, contact.touched);
                same && (told.0 - contact.time_secs).abs() * fps <= 1.0
            };
            let found = told.iter().position(is_it);
            if let Some(index) = found {
                told.remove(index);
            }
            if !is_crowded(contact.time_secs) {
                result.all += 1;
                result.right += usize::from(found.is_some());
            }
        }
        result.wrong = told.iter().filter(|told| !is_crowded(told.0)).count();
        result
    }
}

#[derive(Clone, Copy, Default)]
struct Told {
    right: usize,
    all: usize,
    wrong: usize,
}

impl std::ops::AddAssign for Told {
    fn add_assign(&mut self, other: Self) {
        self.right += other.right;
        self.all += other.all;
        self.wrong += other.wrong;
    }
}

impl std::fmt::Display for Told {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { right, all, wrong } = self;
        write!(out, "{right} of {all} told, {wrong} that did not happen")
    }
}

#[test]
fn balls_of_disturbed_games_are_followed_and_their_touches_told() {
    let games = Games::from_environment();
    let (mut touches, mut pots) = (Told::default(), Told::default());
    for seed in games.seeds {
        let options = SimulationOptions {
            seed,
            ..Default::default()
        };
        let fps = options.fps;
        let mut game = DisturbedGame::new(options);
        let first = game.step();
        let mut score = Score {
            began: first.time_secs,
            before: first,
            ..Score::default()
        };
        for _ in 1..games.frames {
            let snapshot = game.app.world().resource::<LatestSnapshot>().0.clone();
            let after = game.step();
            score.take(&snapshot, &after);
        }
        // What happened last may not be sure yet: a pot under an arm is waited for, two seconds.
        let end = score.before.time_secs;
        let is_due = |at: f64, touched| at < end - if touched == Touched::Pocket { 2.5 } else { 0.3 };
        score
            .contacts
            .retain(|contact| is_due(contact.time_secs, contact.touched));
        score.told.retain(|told| is_due(told.0, told.2));
        let (touches_here, pots_here) = (score.told_of(false, fps), score.told_of(true, fps));
        let velocity = (score.velocity_squares / score.rolling.max(1) as f64).sqrt();
        println!(
            "seed {seed}: {} switches, {} frames of false motion, velocity error {velocity:.2} of the limit ({} frames), \
             touches outside of breaks: {touches_here}, pots: {pots_here}",
            score.switches, score.false_motion, score.rolling
        );
        if !games.are_asked_for {
            assert_eq!(score.switches, 0, "seed {seed}");
            assert_eq!(score.false_motion, 0, "seed {seed}");
            assert!(velocity <= 1.0, "seed {seed}: {velocity}");
        }
        touches += touches_here;
        pots += pots_here;
    }
    println!("touches outside of breaks: {touches}; pots: {pots}");
    // All, and none false, is the aim. What is missed: what an arm covers, slow balls that lean on each other, jaws.
    assert!(touches.right * 100 >= touches.all * 90, "{touches}");
    assert!(touches.wrong * 100 <= touches.all * 6, "{touches}");
    assert!(pots.right * 100 >= pots.all * 80, "{pots}");
}
