//! What must hold for every shot.

use ghostball_physics::{
    BallBallModel, BallProperties, BallState, CushionModel, Ended, Limits, Physics, Shot, Simulator,
    TableShape,
};
use glam::{DVec2, DVec3};
use proptest::prelude::*;

fn pool_table() -> TableShape {
    TableShape::pool(2.54, 1.27, BallProperties::default().radius)
}

fn physics() -> impl Strategy<Value = Physics> {
    let ball_ball = prop_oneof![
        Just(BallBallModel::FrictionlessElastic),
        Just(BallBallModel::Frictional)
    ];
    let cushion = prop_oneof![Just(CushionModel::Han), Just(CushionModel::StrongeCompliant)];
    (ball_ball, cushion).prop_map(|(ball_ball, cushion)| Physics {
        ball_ball,
        cushion,
        ..Physics::default()
    })
}

prop_compose! {
    fn moving_ball()(
        x in -1.2..1.2, y in -0.57..0.57,
        vx in -4.0..4.0, vy in -4.0..4.0,
        wx in -100.0..100.0, wy in -100.0..100.0, wz in -100.0..100.0,
        moves in 0..3_u8,
    ) -> BallState {
        let position = DVec2::new(x, y);
        let velocity = DVec2::new(vx, vy);
        match moves {
            0 => BallState::at_rest(position),
            1 => BallState::rolling(position, 0.3 * velocity, &BallProperties::default()),
            _ => BallState::moving(position, velocity, DVec3::new(wx, wy, wz)),
        }
    }
}

/// Balls that do not overlap, the first of which moves.
fn layout(balls: std::ops::Range<usize>) -> impl Strategy<Value = Vec<BallState>> {
    prop::collection::vec(moving_ball(), balls).prop_map(|balls| {
        let reach = 2.0 * BallProperties::default().radius;
        let mut kept: Vec<BallState> = Vec::new();
        for ball in balls {
            if kept
                .iter()
                .all(|other| other.position.distance(ball.position) > reach)
            {
                kept.push(ball);
            }
        }
        kept
    })
}

fn run(physics: &Physics, balls: &[BallState], limits: &Limits) -> Shot {
    Simulator::new()
        .run(&pool_table(), physics, balls, limits)
        .expect("a sound shot")
        .clone()
}

/// Checks a whole shot, at every event and half way between events.
fn check(shot: &Shot, physics: &Physics, balls: &[BallState]) -> Result<(), TestCaseError> {
    let table = pool_table();
    let reach = 2.0 * physics.ball.radius;
    let margin = 2.0 * physics.ball.radius;
    let mut energy: f64 = balls.iter().map(|ball| ball.energy(&physics.ball)).sum();
    let scale = energy;
    let mut before = 0.0;
    for time in shot.events.iter().map(|event| event.time) {
        prop_assert!(time >= before, "time runs backwards at {}", time);
        for time in [0.5 * (before + time), time] {
            let states: Vec<BallState> = (0..balls.len())
                .filter_map(|ball| shot.state_at(ball, time))
                .collect();
            let now: f64 = states.iter().map(|ball| ball.energy(&physics.ball)).sum();
            prop_assert!(
                now <= energy + 1e-12 * scale,
                "energy grows from {} to {} at {}",
                energy,
                now,
                time
            );
            energy = now;
            let on_table: Vec<&BallState> = states.iter().filter(|ball| !ball.motion.is_pocketed()).collect();
            for (i, ball) in on_table.iter().enumerate() {
                prop_assert!(ball.is_finite());
                prop_assert!(
                    ball.position.x.abs() < 0.5 * table.length + margin
                        && ball.position.y.abs() < 0.5 * table.width + margin,
                    "{:?} has left the table",
                    ball
                );
                for other in &on_table[..i] {
                    let gap = ball.position.distance(other.position) - reach;
                    prop_assert!(gap > -1e-9, "balls overlap by {} at {}", -gap, time);
                }
            }
        }
        before = time;
    }
    Ok(())
}

/// Asserts that the first events of two shots are the same, as long as their differences have had no time to grow.
fn same_beginning(one: &Shot, other: &Shot, rename: impl Fn(usize) -> usize) -> Result<(), TestCaseError> {
    let contacts = |shot: &Shot, rename: &dyn Fn(usize) -> usize| -> Vec<(f64, Vec<usize>)> {
        shot.events
            .iter()
            .filter(|event| event.kind.is_contact())
            .take(5)
            .map(|event| {
                let mut balls: Vec<usize> = event.changes().map(|change| rename(change.ball)).collect();
                balls.sort_unstable();
                (event.time, balls)
            })
            .collect()
    };
    let (one, other) = (contacts(one, &rename), contacts(other, &|ball| ball));
    prop_assert_eq!(one.len(), other.len());
    for (a, b) in one.iter().zip(&other) {
        prop_assert!((a.0 - b.0).abs() < 1e-6, "{:?} {:?}", a, b);
        prop_assert_eq!(&a.1, &b.1);
    }
    Ok(())
}

/// Asserts that no collision of balls changes the sum of their velocities, chatter included.
fn keeps_momentum(shot: &Shot) -> Result<(), TestCaseError> {
    for event in &shot.events {
        if let Some(second) = event.second {
            let before = event.first.before.velocity + second.before.velocity;
            let after = event.first.after.velocity + second.after.velocity;
            prop_assert!(before.abs_diff_eq(after, 1e-13), "{:?}", event);
        }
    }
    Ok(())
}

/// A table that takes no energy: next to no friction of the cloth, elastic balls, elastic and smooth cushions as high as a
/// ball's centre.
fn without_losses(cushion: CushionModel) -> (TableShape, Physics) {
    let ball = BallProperties {
        sliding_friction: 1e-14,
        rolling_friction: 1e-14,
        cushion_restitution: 1.0,
        cushion_friction: 0.0,
        ..BallProperties::default()
    };
    let table = TableShape {
        cushion_height: ball.radius,
        ..pool_table()
    };
    let physics = Physics {
        ball,
        ball_ball: BallBallModel::FrictionlessElastic,
        cushion,
    };
    (table, physics)
}

/// A tight rack of fifteen and a cue ball that hits it, off line by `aim`.
fn break_shot(speed: f64, aim: f64, spin: f64, gap: f64) -> Vec<BallState> {
    let pitch = 2.0 * BallProperties::default().radius + gap;
    let mut balls = vec![BallState::moving(
        DVec2::new(-0.635, 0.0),
        speed * DVec2::new(1.0, aim).normalize(),
        DVec3::new(0.0, spin, 0.0),
    )];
    for row in 0..5 {
        for place in 0..=row {
            let y = pitch * (f64::from(place) - 0.5 * f64::from(row));
            balls.push(BallState::at_rest(DVec2::new(
                0.635 + f64::from(row) * pitch * 0.75_f64.sqrt(),
                y,
            )));
        }
    }
    balls
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn energy_never_grows_and_balls_never_overlap_or_escape(physics in physics(), balls in layout(1..10)) {
        let shot = run(&physics, &balls, &Limits::default());
        check(&shot, &physics, &balls)?;
        prop_assert_eq!(shot.ended, Ended::AtRest);
    }

    #[test]
    fn balls_that_overlap_or_stand_in_cushions_and_pockets_end_sanely(
        physics in physics(), balls in prop::collection::vec(moving_ball(), 1..12), shrink in 0.05..1.15,
    ) {
        let balls: Vec<BallState> = balls
            .iter()
            .map(|ball| BallState { position: shrink * ball.position, ..*ball })
            .collect();
        let shot = run(&physics, &balls, &Limits::default());
        let mut before = 0.0;
        for event in &shot.events {
            prop_assert!(event.time >= before && event.time.is_finite());
            prop_assert!(event.changes().all(|change| change.after.is_finite()));
            before = event.time;
        }
        prop_assert!(shot.end.iter().all(BallState::is_finite));
        prop_assert_eq!(shot.ended, Ended::AtRest);
    }

    #[test]
    fn going_on_from_the_state_at_any_time_gives_the_same_shot(
        physics in physics(), balls in layout(1..4), pause in 0.01..0.6,
    ) {
        let end = pause + 0.4;
        let whole = run(&physics, &balls, &Limits { time: end, ..Limits::default() });
        let first = run(&physics, &balls, &Limits { time: pause, ..Limits::default() });
        let second = run(&physics, &first.end, &Limits { time: end - first.duration, ..Limits::default() });
        let contacts = whole.events.iter().filter(|event| event.kind.is_contact()).count();
        prop_assume!(contacts < 5);
        for (a, b) in whole.end.iter().zip(&second.end) {
            prop_assert!(a.position.abs_diff_eq(b.position, 1e-8), "{:?} {:?}", a, b);
        }
    }

    #[test]
    fn collisions_keep_the_momentum_of_the_balls(physics in physics(), balls in layout(2..10)) {
        keeps_momentum(&run(&physics, &balls, &Limits::default()))?;
    }

    #[test]
    fn a_shot_without_losses_runs_backwards_to_where_it_began(
        cushion in prop_oneof![Just(CushionModel::Han), Just(CushionModel::StrongeCompliant)],
        balls in layout(1..6), pause in 0.1..1.5,
    ) {
        let (table, physics) = without_losses(cushion);
        let limits = Limits { time: pause, ..Limits::default() };
        let play = |balls: &[BallState]| -> Shot {
            Simulator::new().run(&table, &physics, balls, &limits).expect("a sound shot").clone()
        };
        let start: Vec<BallState> =
            balls.iter().map(|ball| BallState::moving(ball.position, ball.velocity, DVec3::ZERO)).collect();
        let there = play(&start);
        // An error grows at every contact of balls.
        let is_chaotic = there.events.iter().filter(|event| event.second.is_some()).count() > 4;
        prop_assume!(!is_chaotic && there.end.iter().all(|ball| !ball.motion.is_pocketed()));
        let turned: Vec<BallState> = there
            .end
            .iter()
            .map(|ball| BallState::moving(ball.position, -ball.velocity, -ball.spin))
            .collect();
        let back = play(&turned);
        for (a, b) in start.iter().zip(&back.end) {
            prop_assert!(a.position.abs_diff_eq(b.position, 1e-7), "{:?} {:?}", a, b);
            prop_assert!(a.velocity.abs_diff_eq(-b.velocity, 1e-6), "{:?} {:?}", a, b);
        }
    }

    #[test]
    fn a_mirrored_shot_is_the_mirror_image_of_the_shot(
        physics in physics(), balls in layout(1..6),
        mirror in prop_oneof![Just(DVec2::new(1.0, -1.0)), Just(DVec2::new(-1.0, 1.0))],
    ) {
        // Spin turns the other way round about the axes that lie in the mirror.
        let mirrored: Vec<BallState> = balls.iter().map(|ball| BallState {
            position: ball.position * mirror,
            velocity: ball.velocity * mirror,
            spin: ball.spin * -mirror.extend(1.0),
            ..*ball
        }).collect();
        let limits = Limits::default();
        same_beginning(&run(&physics, &balls, &limits), &run(&physics, &mirrored, &limits), |ball| ball)?;
    }

    #[test]
    fn the_names_of_the_balls_do_not_matter(
        physics in physics(),
        (balls, order) in layout(2..6).prop_flat_map(|balls| {
            let order: Vec<usize> = (0..balls.len()).collect();
            (Just(balls), Just(order).prop_shuffle())
        }),
    ) {
        let renamed: Vec<BallState> = order.iter().map(|&ball| balls[ball]).collect();
        let limits = Limits::default();
        let new_name = |ball| order.iter().position(|&old| old == ball).unwrap_or(ball);
        same_beginning(&run(&physics, &balls, &limits), &run(&physics, &renamed, &limits), new_name)?;
    }

    #[test]
    fn the_same_shot_gives_the_same_bits(physics in physics(), balls in layout(2..8)) {
        let mut simulator = Simulator::new();
        let limits = Limits::default();
        let first = simulator.run(&pool_table(), &physics, &balls, &limits).expect("sound").clone();
        simulator.run(&pool_table(), &physics, &balls[1..], &limits).expect("sound");
        let again = simulator.run(&pool_table(), &physics, &balls, &limits).expect("sound");
        prop_assert_eq!(&first, again);
    }

    #[test]
    fn every_break_comes_to_rest(
        physics in physics(), speed in 2.0..12.0, aim in -0.04..0.04, spin in -50.0..250.0,
        gap in prop_oneof![Just(0.0), Just(1e-9), 0.0..1e-3],
    ) {
        let balls = break_shot(speed, aim, spin, gap);
        let shot = run(&physics, &balls, &Limits::default());
        prop_assert_eq!(shot.ended, Ended::AtRest, "{} events", shot.events.len());
        check(&shot, &physics, &balls)?;
        keeps_momentum(&shot)?;
    }
}
