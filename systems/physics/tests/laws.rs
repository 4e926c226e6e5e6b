//! The engine against what can be worked out by hand.

use std::f64::consts::{FRAC_PI_2, PI};

use ghostball_physics::{
    BallBallModel, BallMotion, BallProperties, BallState, CushionModel, Ended, EventKind, Limits, Motion,
    Physics, PhysicsError, Shot, Simulator, Strike, TableShape, strike,
};
use glam::{DVec2, DVec3};

const ELASTIC: BallBallModel = BallBallModel::FrictionlessElastic;

fn pool_table() -> TableShape {
    TableShape::pool(2.54, 1.27, BallProperties::default().radius)
}

fn play(physics: &Physics, balls: &[BallState]) -> Shot {
    let mut simulator = Simulator::new();
    simulator
        .run(&pool_table(), physics, balls, &Limits::default())
        .expect("a sound shot")
        .clone()
}

fn along(angle: f64) -> DVec2 {
    let (sin, cos) = libm::sincos(angle);
    DVec2::new(cos, sin)
}

#[test]
fn a_sliding_ball_rolls_after_two_sevenths_of_its_slip_with_five_sevenths_of_its_speed() {
    let physics = Physics::default();
    let velocity = DVec2::new(1.4, 0.3);
    let ball = BallState::moving(DVec2::new(-0.8, 0.0), velocity, DVec3::ZERO);
    let shot = play(&physics, &[ball]);
    let event = &shot.events[0];
    assert_eq!(event.kind, EventKind::SlideToRoll { ball: 0 });
    let expected = 2.0 * velocity.length() / (7.0 * physics.ball.sliding_friction * physics.ball.gravity);
    assert!((event.time - expected).abs() < 1e-12, "{} s", event.time);
    let after = event.first.after;
    assert!(after.velocity.abs_diff_eq(velocity * 5.0 / 7.0, 1e-12));
    assert_eq!(after.motion, BallMotion::Rolling);
    assert!(after.slip(physics.ball.radius).length() < 1e-12);
}

#[test]
fn a_rolling_ball_stops_after_half_its_speed_squared_over_the_friction() {
    let physics = Physics::default();
    let ball = BallState::rolling(DVec2::new(-0.5, 0.2), DVec2::new(0.4, 0.0), &physics.ball);
    let shot = play(&physics, &[ball]);
    let friction = physics.ball.rolling_friction * physics.ball.gravity;
    assert_eq!(shot.events.len(), 1);
    assert_eq!(shot.events[0].kind, EventKind::RollToRest { ball: 0 });
    assert!((shot.duration - 0.4 / friction).abs() < 1e-12);
    let expected = ball.position.x + 0.4 * 0.4 / (2.0 * friction);
    assert!((shot.end[0].position.x - expected).abs() < 1e-12);
    assert_eq!(shot.end[0].motion, BallMotion::Stationary);
}

#[test]
fn a_ball_spinning_in_place_stops_when_its_spin_is_used_up() {
    let physics = Physics::default();
    let ball = BallState::moving(DVec2::ZERO, DVec2::ZERO, DVec3::new(0.0, 0.0, -30.0));
    let shot = play(&physics, &[ball]);
    assert_eq!(shot.events[0].kind, EventKind::SpinToRest { ball: 0 });
    assert!((shot.duration - 30.0 / physics.ball.spin_deceleration).abs() < 1e-12);
    assert_eq!(shot.end[0], BallState::at_rest(DVec2::ZERO));
}

#[test]
fn after_a_stun_shot_the_balls_part_at_a_right_angle() {
    let physics = Physics {
        ball_ball: ELASTIC,
        ..Physics::default()
    };
    // Just short of the object ball, so that the cue ball arrives without roll.
    let radius = physics.ball.radius;
    let object = DVec2::new(0.0, 0.1);
    let cue = object - 2.0 * radius * along(0.6) - DVec2::new(1e-7, 0.0);
    let balls = [
        BallState::moving(cue, DVec2::new(2.0, 0.0), DVec3::ZERO),
        BallState::at_rest(object),
    ];
    let shot = play(&physics, &balls);
    let event = &shot.events[0];
    assert_eq!(event.kind, EventKind::BallBall { a: 0, b: 1 });
    let [a, b] = [0, 1].map(|ball| event.change_of(ball).expect("both take part").after.velocity);
    assert!((a.angle_to(b).abs() - FRAC_PI_2).abs() < 1e-6, "{a} {b}");
    assert!(
        (b.to_angle() - 0.6).abs() < 1e-6,
        "the object ball leaves along the line of centres"
    );
    assert!((a + b).abs_diff_eq(DVec2::new(2.0, 0.0), 1e-6), "momentum");
}

#[test]
fn friction_throws_the_object_ball_towards_the_way_of_the_cue_ball() {
    let physics = Physics::default();
    let cut = 0.5;
    let cue = -(2.0 * physics.ball.radius + 1e-7) * along(cut);
    let balls = [
        BallState::moving(cue, DVec2::new(1.5, 0.0), DVec3::ZERO),
        BallState::at_rest(DVec2::ZERO),
    ];
    let angle = play(&physics, &balls).events[0]
        .change_of(1)
        .expect("it is hit")
        .after
        .velocity
        .to_angle();
    // Alciatore, technical proof A-14: throw at a half-ball hit is some degrees at most.
    let throw_degrees = (cut - angle).to_degrees();
    assert!((0.5..6.0).contains(&throw_degrees), "{throw_degrees}");
}

#[test]
fn a_level_cushion_without_friction_reflects_by_restitution_alone() {
    let mut table = TableShape::without_pockets(2.0, 1.0, 0.03);
    table.cushion_height = 0.03;
    for cushion in [CushionModel::Han, CushionModel::StrongeCompliant] {
        let physics = Physics {
            ball: BallProperties {
                radius: 0.03,
                cushion_friction: 0.0,
                cushion_restitution: 0.8,
                ..BallProperties::default()
            },
            cushion,
            ..Physics::default()
        };
        let velocity = DVec2::new(0.7, 1.1);
        let ball = BallState::rolling(DVec2::new(0.0, 0.5 - 0.03 - 1e-9), velocity, &physics.ball);
        let mut simulator = Simulator::new();
        let shot = simulator
            .run(&table, &physics, &[ball], &Limits::default())
            .expect("sound");
        let after = shot.events[0].first.after;
        assert!(
            after.velocity.abs_diff_eq(DVec2::new(0.7, -0.88), 1e-7),
            "{cushion:?} {after:?}"
        );
        assert_eq!(after.spin, shot.events[0].first.before.spin);
        assert_eq!(shot.events[0].normal, DVec2::Y);
    }
}

#[test]
fn a_ball_sent_straight_at_a_cushion_returns_on_its_line() {
    for cushion in [CushionModel::Han, CushionModel::StrongeCompliant] {
        let physics = Physics {
            cushion,
            ..Physics::default()
        };
        let ball = BallState::rolling(DVec2::new(0.4, 0.0), DVec2::new(0.0, 0.9), &physics.ball);
        let shot = play(&physics, &[ball]);
        let hit = shot
            .events
            .iter()
            .find(|event| event.kind.is_contact())
            .expect("a hit");
        let (before, after) = (hit.first.before, hit.first.after);
        assert!(matches!(hit.kind, EventKind::Cushion { .. }));
        let kept = -after.velocity.y / before.velocity.y;
        assert!((0.3..1.0).contains(&kept), "{cushion:?} keeps {kept}");
        assert!((shot.end[0].position.x - 0.4).abs() < 1e-9);
    }
}

#[test]
fn running_side_makes_the_angle_off_a_cushion_wider() {
    let hit = |side: f64| {
        let physics = Physics::default();
        let velocity = DVec2::new(0.6, 0.8);
        let mut ball = BallState::rolling(DVec2::new(0.2, 0.5), velocity, &physics.ball);
        ball.spin.z = side;
        let shot = play(&physics, &[ball]);
        shot.events[0].first.after.velocity
    };
    // The ball goes to the right along the upper cushion: rolling along it would turn it counterclockwise.
    assert!(hit(40.0).x > hit(0.0).x);
    assert!(hit(-40.0).x < hit(0.0).x);
}

#[test]
fn a_ball_rolled_into_each_pocket_is_potted_there() {
    let physics = Physics::default();
    let table = pool_table();
    for (index, pocket) in table.pockets.iter().enumerate() {
        let ball = BallState::rolling(DVec2::ZERO, pocket.center.normalize() * 1.2, &physics.ball);
        let shot = play(&physics, &[ball]);
        let last = shot.events.last().expect("something happens");
        assert_eq!(
            last.kind,
            EventKind::Pocket {
                ball: 0,
                pocket: index
            }
        );
        assert_eq!(shot.end[0].motion, BallMotion::Pocketed(index));
        assert_eq!(shot.end[0].position, pocket.center);
        assert_eq!(shot.ended, Ended::AtRest);
    }
}

#[test]
fn pockets_go_clockwise_from_the_top_left() {
    let signs: Vec<(f64, f64)> = pool_table()
        .pockets
        .iter()
        .map(|pocket| {
            let x = if pocket.center.x.abs() < 1e-9 {
                0.0
            } else {
                pocket.center.x.signum()
            };
            (x, pocket.center.y.signum())
        })
        .collect();
    assert_eq!(
        signs,
        [
            (-1.0, 1.0),
            (0.0, 1.0),
            (1.0, 1.0),
            (1.0, -1.0),
            (0.0, -1.0),
            (-1.0, -1.0)
        ]
    );
}

#[test]
fn no_ball_leaves_the_table_in_any_direction() {
    let table = pool_table();
    let physics = Physics::default();
    let mut simulator = Simulator::new();
    for step in 0..720 {
        let direction = PI * f64::from(step) / 360.0;
        let ball = BallState::moving(DVec2::new(0.31, -0.17), 7.0 * along(direction), DVec3::ZERO);
        let shot = simulator
            .run(&table, &physics, &[ball], &Limits::default())
            .expect("sound");
        let end = shot.end[0];
        // It may come to rest between the jaws of a pocket, one radius behind the noses at most.
        assert!(
            end.motion.is_pocketed() || table.holds(end.position, -physics.ball.radius),
            "at {direction}: {end:?}"
        );
        assert_eq!(shot.ended, Ended::AtRest);
    }
}

#[test]
fn a_row_of_touching_balls_passes_the_impulse_on_to_the_last() {
    let physics = Physics {
        ball_ball: ELASTIC,
        ..Physics::default()
    };
    let pitch = 2.0 * physics.ball.radius;
    let mut balls: Vec<BallState> = (0..4)
        .map(|i| BallState::at_rest(DVec2::new(pitch * f64::from(i), 0.0)))
        .collect();
    balls.push(BallState::moving(
        DVec2::new(-0.1, 0.0),
        DVec2::new(1.0, 0.0),
        DVec3::ZERO,
    ));
    let shot = play(&physics, &balls);
    let contacts: Vec<EventKind> = shot
        .events
        .iter()
        .map(|event| event.kind)
        .filter(|kind| kind.is_contact())
        .take(4)
        .collect();
    assert_eq!(
        contacts,
        [(0, 4), (0, 1), (1, 2), (2, 3)].map(|(a, b)| EventKind::BallBall { a, b })
    );
    let hit = shot
        .events
        .iter()
        .find(|event| event.change_of(3).is_some())
        .expect("it is hit");
    let speed = hit.change_of(3).expect("it takes part").after.velocity.x;
    assert!(speed > 0.8, "{speed}");
}

#[test]
fn a_centre_hit_gives_the_speed_of_an_elastic_impact_and_no_spin() {
    let properties = BallProperties::default();
    let shot = Strike {
        stick_speed: 1.0,
        direction: 0.7,
        ..Strike::default()
    };
    let (velocity, spin) = strike(&properties, &shot);
    let expected = 2.0 / (1.0 + properties.mass / shot.stick_mass);
    assert!(velocity.abs_diff_eq(expected * along(0.7), 1e-12));
    assert!(spin.length() < 1e-12);
}

#[test]
fn a_hit_two_fifths_above_the_centre_makes_the_ball_roll_at_once() {
    let properties = BallProperties::default();
    let shot = Strike {
        offset_up: 0.4,
        direction: -2.0,
        ..Strike::default()
    };
    let (velocity, spin) = strike(&properties, &shot);
    let ball = BallState::moving(DVec2::ZERO, velocity, spin);
    assert!(ball.slip(properties.radius).length() < 1e-12);
}

#[test]
fn a_hit_on_the_left_turns_the_ball_clockwise_and_squirts_it_to_the_right() {
    let (velocity, spin) = strike(
        &BallProperties::default(),
        &Strike {
            offset_left: 0.4,
            ..Strike::default()
        },
    );
    assert!(spin.z < 0.0);
    let squirt_degrees = -velocity.to_angle().to_degrees();
    // Alciatore, technical proof A-31: 1 to 3 degrees at most.
    assert!((0.5..3.0).contains(&squirt_degrees), "{squirt_degrees}");
}

#[test]
fn an_elevated_stick_with_side_makes_the_path_curve() {
    let properties = BallProperties::default();
    let (velocity, spin) = strike(
        &properties,
        &Strike {
            offset_left: 0.3,
            elevation: 0.8,
            ..Strike::default()
        },
    );
    let motion = Motion::new(BallState::moving(DVec2::ZERO, velocity, spin), &properties);
    let bend = velocity.perp_dot(motion.acceleration);
    assert!(bend > 0.0, "hit on the left, it curves to the left: {bend}");
}

#[test]
fn segments_tile_the_shot_and_agree_with_its_events() {
    let physics = Physics::default();
    let balls = [
        BallState::rolling(DVec2::new(-0.6, 0.0), DVec2::new(1.5, 0.1), &physics.ball),
        BallState::at_rest(DVec2::new(0.2, 0.05)),
        BallState::at_rest(DVec2::new(0.9, 0.4)),
    ];
    let shot = play(&physics, &balls);
    for (ball, start) in balls.iter().enumerate() {
        let segments = shot.segments_of(ball);
        assert_eq!(segments[0].start_time, 0.0);
        assert_eq!(segments.last().expect("at least one").end_time, shot.duration);
        for pair in segments.windows(2) {
            assert_eq!(pair[0].end_time, pair[1].start_time);
            let jump = pair[0].end_position().distance(pair[1].motion.start.position);
            assert!(jump < 1e-9, "ball {ball} jumps by {jump}");
        }
        assert_eq!(shot.state_at(ball, 1e9), Some(shot.end[ball]));
        assert_eq!(shot.state_at(ball, -1.0), Some(*start));
    }
    for event in &shot.events {
        for change in event.changes() {
            let state = shot.state_at(change.ball, event.time).expect("a ball");
            assert!(state.position.abs_diff_eq(change.after.position, 1e-9));
        }
    }
    assert_eq!(shot.state_at(3, 0.0), None);
}

#[test]
fn a_polyline_stays_within_its_tolerance_of_a_curved_path() {
    let physics = Physics::default();
    let ball = BallState::moving(
        DVec2::new(-0.9, -0.3),
        DVec2::new(1.0, 1.0),
        DVec3::new(90.0, 0.0, 0.0),
    );
    let shot = play(&physics, &[ball]);
    let segment = shot.segments_of(0)[0];
    assert_eq!(segment.motion.start.motion, BallMotion::Sliding);
    let mut corners = vec![segment.motion.start.position];
    corners.extend(segment.polyline(1e-3));
    assert!(corners.len() > 2, "the path is curved");
    assert!(
        corners
            .last()
            .expect("an end")
            .abs_diff_eq(segment.end_position(), 1e-12)
    );
    for step in 0..=1_000 {
        let position = segment
            .state_at(segment.end_time * f64::from(step) / 1_000.0)
            .position;
        let distance = corners
            .windows(2)
            .map(|piece| {
                let chord = piece[1] - piece[0];
                let share = ((position - piece[0]).dot(chord) / chord.length_squared()).clamp(0.0, 1.0);
                position.distance(piece[0] + share * chord)
            })
            .fold(f64::INFINITY, f64::min);
        assert!(distance <= 1e-3 + 1e-9, "{distance}");
    }
}

#[test]
fn the_limits_end_a_shot_and_say_so() {
    let physics = Physics::default();
    let ball = BallState::rolling(DVec2::ZERO, DVec2::new(1.0, 0.7), &physics.ball);
    let mut simulator = Simulator::new();
    let time = Limits {
        time: 0.5,
        ..Limits::default()
    };
    let shot = simulator
        .run(&pool_table(), &physics, &[ball], &time)
        .expect("sound");
    assert_eq!((shot.ended, shot.duration), (Ended::TimeLimit, 0.5));
    let events = Limits {
        events: 2,
        ..Limits::default()
    };
    let shot = simulator
        .run(&pool_table(), &physics, &[ball], &events)
        .expect("sound");
    assert_eq!((shot.ended, shot.events.len()), (Ended::EventBudget, 2));
    assert_eq!(shot.duration, shot.events[1].time);
}

#[test]
fn nothing_happens_to_balls_at_rest_or_to_no_ball() {
    let physics = Physics::default();
    let resting = [
        BallState::at_rest(DVec2::ZERO),
        BallState::at_rest(DVec2::new(0.057, 0.0)),
    ];
    for balls in [&resting[..], &[]] {
        let shot = play(&physics, balls);
        assert_eq!(
            (shot.events.len(), shot.duration, shot.ended),
            (0, 0.0, Ended::AtRest)
        );
        assert_eq!(shot.end, balls);
    }
}

#[test]
fn numbers_that_make_no_sense_are_refused_by_name() {
    let mut simulator = Simulator::new();
    let limits = Limits::default();
    let bad_ball = [BallState::at_rest(DVec2::new(f64::NAN, 0.0))];
    let error = simulator.run(&pool_table(), &Physics::default(), &bad_ball, &limits);
    assert!(matches!(error, Err(PhysicsError::BadBall { ball: 0, .. })));

    let mut physics = Physics::default();
    physics.ball.rolling_friction = 0.0;
    let error = simulator
        .run(&pool_table(), &physics, &[], &limits)
        .expect_err("refused");
    assert_eq!(
        error.to_string(),
        "rolling friction: expected a positive number, found 0"
    );

    let mut table = pool_table();
    table.cushions[3].normal = DVec2::ZERO;
    let error = simulator.run(&table, &Physics::default(), &[], &limits);
    assert!(matches!(
        error,
        Err(PhysicsError::BadTable {
            part: "cushion",
            index: 3
        })
    ));
}
