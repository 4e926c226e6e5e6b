//! What happens on the simulated table, whose truth is known, is told: seen through the whole pipeline.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a failure ends the test")]

mod common;

use std::collections::BTreeMap;

use common::Simulated;
use ghostball::simulation::SimulationOptions;
use ghostball::world::{LatestSnapshot, PocketName, TableEventKind};
use glam::DVec2;

/// A ball that truly fell: frame, where it was last, and its number.
struct Fall {
    frame: u64,
    position: DVec2,
    number: Option<u8>,
    is_told: bool,
}

#[test]
fn pots_and_shots_of_the_simulated_table_are_told_once() {
    let (mut falls_in_all, mut shots_in_all) = (0, 0);
    for seed in [3, 7, 11, 19, 23, 31] {
        let mut simulated = Simulated::new(SimulationOptions {
            seed,
            ..Default::default()
        });
        let mut balls = BTreeMap::new();
        let mut falls: Vec<Fall> = Vec::new();
        let (mut started, mut ended, mut truly_started, mut was_moving) = (0, 0, 0, false);
        for frame in 0..760_u64 {
            let truth = simulated.step();
            let is_moving = truth.balls.iter().any(|ball| ball.is_moving);
            truly_started += u32::from(is_moving && !was_moving);
            was_moving = is_moving;
            let now: BTreeMap<_, _> = truth
                .balls
                .iter()
                .map(|ball| (ball.id, (ball.position_in_table, ball.number)))
                .collect();
            for (id, (position, number)) in &balls {
                if !now.contains_key(id) {
                    println!("seed {seed}, frame {frame}: ball {number:?} fell at {position}");
                    falls.push(Fall {
                        frame,
                        position: *position,
                        number: *number,
                        is_told: false,
                    });
                }
            }
            balls = now;
            let snapshot = simulated.app.world().resource::<LatestSnapshot>().0.clone();
            for event in &snapshot.events {
                if !event.kind.is_motion() {
                    println!(
                        "seed {seed}, frame {frame}: {} at {:?}",
                        event.kind.name(),
                        event.at
                    );
                }
                match &event.kind {
                    TableEventKind::ShotStarted(..) => started += 1,
                    TableEventKind::ShotEnded(_) => ended += 1,
                    TableEventKind::Potted(ball, pocket) => {
                        let at_frame = event.at.as_secs_f64() * simulated.table.options().fps;
                        let is_this = |fall: &&mut Fall| {
                            // The aim is one frame. Not met yet by a ball that rolled about in the jaws unseen.
                            let near = (at_frame - fall.frame as f64).abs() <= 2.5;
                            let same = ball.number.is_none() || ball.number == fall.number;
                            near && same && !fall.is_told && pocket_at(fall.position) == *pocket
                        };
                        let fall = falls.iter_mut().find(is_this);
                        let fall = fall.unwrap_or_else(|| panic!("seed {seed}: nothing fell: {event:?}"));
                        fall.is_told = true;
                    }
                    _ => {}
                }
            }
        }
        // What fell last may not be sure yet: a ball whose way was covered is waited for, two seconds.
        let untold: Vec<u64> = falls
            .iter()
            .filter(|fall| !fall.is_told && fall.frame < 690)
            .map(|fall| fall.frame)
            .collect();
        println!(
            "seed {seed}: {} fell, {truly_started} shots, {started} started, {ended} ended",
            falls.len()
        );
        assert!(
            untold.is_empty(),
            "seed {seed}: fell in {untold:?}, and nobody was told"
        );
        // None is told twice. Not every one is told yet: a ball that is seen now here, now there keeps a shot from ending.
        assert!(
            started <= truly_started,
            "seed {seed}: {started} of {truly_started}"
        );
        assert!(
            started - ended <= 1,
            "seed {seed}: {started} began, {ended} ended"
        );
        falls_in_all += falls.len();
        shots_in_all += started;
    }
    assert!(shots_in_all >= 6, "{shots_in_all} shots show little");
    assert!(falls_in_all >= 3, "{falls_in_all} balls fell, which shows little");
}

/// The pocket nearest to a place on a nine-foot table.
fn pocket_at(position: DVec2) -> PocketName {
    let (left, right, up) = (position.x < -0.6, position.x > 0.6, position.y > 0.0);
    match (left, right, up) {
        (true, _, true) => PocketName::TopLeft,
        (_, true, true) => PocketName::TopRight,
        (_, _, true) => PocketName::TopMiddle,
        (true, _, false) => PocketName::BottomLeft,
        (_, true, false) => PocketName::BottomRight,
        (_, _, false) => PocketName::BottomMiddle,
    }
}
