//! Every model against single calls of pooltool 0.6.0, where the reference data are at hand (`GHOSTBALL_SHARED`).
//!
//! The file's space is another than ours, but right-handed with z up as well: no model depends on where the origin is.
//! pooltool moves bodies some 1e-6 m apart before it resolves their contact; the normal is taken from where they are then.

use std::io::Read as _;
use std::path::Path;

use glam::{DVec2, DVec3};
use serde_json::Value;

use crate::{
    BallBallModel, BallMotion, BallProperties, BallState, CushionModel, CushionSegment, Jaw, Motion,
    PocketShape, Strike, contact, strike,
};

/// What velocity (m/s), spin (rad/s), time (s) and, in evolution, position (m) may differ by.
const TOLERANCE: f64 = 1e-9;

struct Reference {
    file: Value,
    ball: BallProperties,
}

impl Reference {
    /// The reference data; `None`, and a word about it, where there are none.
    fn load() -> Option<Self> {
        let Some(shared) = std::env::var_os("GHOSTBALL_SHARED") else {
            println!("skipped: GHOSTBALL_SHARED does not name the folder of reference data");
            return None;
        };
        let packed = std::fs::File::open(Path::new(&shared).join("physics/unit.json.gz")).expect("the file");
        let mut text = String::new();
        flate2::read::MultiGzDecoder::new(packed)
            .read_to_string(&mut text)
            .expect("unpacked");
        let file: Value = serde_json::from_str(&text).expect("JSON");
        let number = |name: &str| file["ball_params"][name].as_f64().expect("a number");
        let ball = BallProperties {
            radius: number("R"),
            mass: number("m"),
            sliding_friction: number("u_s"),
            rolling_friction: number("u_r"),
            spin_deceleration: 2.5 * number("u_sp") * number("g") / number("R"),
            ball_restitution: number("e_b"),
            cushion_restitution: number("e_c"),
            cushion_friction: number("f_c"),
            gravity: number("g"),
        };
        Some(Self { file, ball })
    }

    fn rows(&self, group: &str, model: &str) -> &[Value] {
        let rows = &self.file["cases"][group];
        let rows = if model.is_empty() { rows } else { &rows[model] };
        rows.as_array().expect("rows")
    }

    fn part(&self, kind: &str, id: &Value) -> &Value {
        let parts = self.file["table"][kind].as_array().expect("parts of the table");
        parts.iter().find(|part| part["id"] == *id).expect("the part")
    }

    fn cushion(&self, id: &Value) -> CushionSegment {
        let part = self.part("linear", id);
        let (start, end) = (point(&part["p1"]), point(&part["p2"]));
        let positive = DVec2::new(part["lx"].as_f64().expect("lx"), part["ly"].as_f64().expect("ly"));
        let side = if part["direction"] == 1 { 1.0 } else { -1.0 };
        CushionSegment::facing(start, end, start + side * positive)
    }

    fn jaw(&self, id: &Value) -> Jaw {
        let part = self.part("circular", id);
        Jaw {
            center: point(&part["center"]),
            radius: part["radius"].as_f64().expect("a radius"),
        }
    }
}

fn point(value: &Value) -> DVec2 {
    DVec2::new(value[0].as_f64().expect("x"), value[1].as_f64().expect("y"))
}

fn state(row: &Value) -> BallState {
    let [s, x, y, vx, vy, wx, wy, wz]: [f64; 8] = serde_json::from_value(row.clone()).expect("a state");
    let motion = match s as u8 {
        0 => BallMotion::Stationary,
        1 => BallMotion::Spinning,
        2 => BallMotion::Sliding,
        _ => BallMotion::Rolling,
    };
    BallState {
        position: DVec2::new(x, y),
        velocity: DVec2::new(vx, vy),
        spin: DVec3::new(wx, wy, wz),
        motion,
    }
}

fn assert_agrees(found: &BallState, expected: &BallState, what: impl std::fmt::Debug) {
    let agrees = found.velocity.abs_diff_eq(expected.velocity, TOLERANCE)
        && found.spin.abs_diff_eq(expected.spin, TOLERANCE);
    assert!(agrees, "{what:?}: expected {expected:?}, found {found:?}");
}

fn assert_same_time(found: Option<f64>, expected: Option<f64>, what: impl std::fmt::Debug) {
    let agrees = match (found, expected) {
        (Some(found), Some(expected)) => (found - expected).abs() <= TOLERANCE,
        (found, expected) => found == expected,
    };
    assert!(agrees, "{what:?}: expected {expected:?}, found {found:?}");
}

/// What pooltool does after each collision model (`resolve_continually_touching`), and we do not: of balls that now move almost
/// in parallel, the one that is faster along the line of centres loses a tenth of that speed to the other. Where they run
/// against that line this makes them approach again, with more energy than they had.
fn exchange_once_more(a: &mut BallState, b: &mut BallState, normal: DVec2) {
    let (along_a, along_b) = (a.velocity.dot(normal), b.velocity.dot(normal));
    let product = a.velocity.length() * b.velocity.length();
    let are_parallel = product > 0.0 && a.velocity.dot(b.velocity) > 0.9 * product;
    if are_parallel && (along_b - along_a).abs() < 0.01 {
        let share = 0.1 * if along_a > along_b { along_a } else { -along_b };
        a.velocity -= share * normal;
        b.velocity += share * normal;
    }
}

#[test]
fn collisions_of_balls_agree() {
    let Some(reference) = Reference::load() else {
        return;
    };
    for (model, name) in [
        (BallBallModel::FrictionlessElastic, "frictionless_elastic"),
        (BallBallModel::Frictional, "frictional_inelastic_alciatore"),
    ] {
        let rows = reference.rows("ball_ball", name);
        assert!(rows.len() >= 100);
        for row in rows {
            let (mut a, mut b) = (state(&row[0]), state(&row[1]));
            let (after_a, after_b) = (state(&row[2]), state(&row[3]));
            let normal = (after_b.position - after_a.position).normalize();
            model.collide(&mut a, &mut b, normal, &reference.ball);
            exchange_once_more(&mut a, &mut b, normal);
            assert_agrees(&a, &after_a, row);
            assert_agrees(&b, &after_b, row);
        }
    }
}

#[test]
fn collisions_with_cushions_and_jaws_agree() {
    let Some(reference) = Reference::load() else {
        return;
    };
    let height = reference.file["table"]["dims"]["cushion_height"]
        .as_f64()
        .expect("a height");
    for (model, name) in [
        (CushionModel::Han, "han_2005"),
        (CushionModel::StrongeCompliant, "stronge_1.8"),
    ] {
        for (group, is_straight) in [("ball_linear_cushion", true), ("ball_circular_cushion", false)] {
            let rows = reference.rows(group, name);
            assert!(rows.len() >= 100);
            for row in rows {
                let (mut ball, after) = (state(&row[0]), state(&row[2]));
                let to_ball = if is_straight {
                    let cushion = reference.cushion(&row[1]);
                    cushion.normal.dot(after.position - cushion.start) * cushion.normal
                } else {
                    after.position - reference.jaw(&row[1]).center
                };
                model.collide(&mut ball, to_ball, height, &reference.ball);
                assert_agrees(&ball, &after, (name, row));
            }
        }
    }
}

#[test]
fn strikes_agree() {
    let Some(reference) = Reference::load() else {
        return;
    };
    let rows = reference.rows("stick_ball", "");
    assert!(rows.len() >= 100);
    for row in rows {
        let number = |name: &str| row[0][name].as_f64().expect("a number");
        let (velocity, spin) = strike(
            &reference.ball,
            &Strike {
                stick_speed: number("V0"),
                direction: number("phi").to_radians(),
                offset_left: number("a"),
                offset_up: number("b"),
                elevation: number("theta").to_radians(),
                ..Strike::default()
            },
        );
        let struck = BallState::moving(DVec2::ZERO, velocity, spin);
        assert_agrees(&struck, &state(&row[1]), row);
    }
}

#[test]
fn motion_between_events_agrees() {
    let Some(reference) = Reference::load() else {
        return;
    };
    let rows = reference.rows("evolve", "");
    assert!(rows.len() >= 100);
    for row in rows {
        let mut ball = state(&row[0]);
        let mut left = row[1].as_f64().expect("a time");
        loop {
            let motion = Motion::new(ball, &reference.ball);
            if left <= motion.duration {
                ball = motion.state_at(left);
                break;
            }
            left -= motion.duration;
            ball = motion.end(&reference.ball);
        }
        let expected = state(&row[2]);
        assert_agrees(&ball, &expected, row);
        assert!(ball.position.abs_diff_eq(expected.position, TOLERANCE), "{row}");
    }
}

#[test]
fn times_of_contact_agree() {
    /// Longer than any motion, seconds: the data go on with the first motion beyond its end.
    const LONG: f64 = 1e4;
    let Some(reference) = Reference::load() else {
        return;
    };
    let ball = &reference.ball;
    let mut hits = 0;
    let mut check = |found: Option<f64>, row: &Value, expected: &Value| {
        hits += usize::from(expected.is_f64());
        assert_same_time(found, expected.as_f64(), row);
    };
    for row in reference.rows("detect_ball_ball", "") {
        let (a, b) = (
            Motion::new(state(&row[0]), ball),
            Motion::new(state(&row[1]), ball),
        );
        let found = contact::within(
            b.start.position - a.start.position,
            b.start.velocity - a.start.velocity,
            b.acceleration - a.acceleration,
            2.0 * ball.radius,
            LONG,
        );
        check(found, row, &row[2]);
    }
    for row in reference.rows("detect_circular", "") {
        let motion = Motion::new(state(&row[0]), ball);
        let found = contact::with_jaw(&motion, &reference.jaw(&row[1]), ball.radius, LONG);
        check(found, row, &row[2]);
    }
    for row in reference.rows("detect_pocket", "") {
        let motion = Motion::new(state(&row[0]), ball);
        let part = reference.part("pockets", &row[1]);
        let pocket = PocketShape {
            center: point(&part["center"]),
            radius: part["radius"].as_f64().expect("a radius"),
        };
        check(contact::with_pocket(&motion, &pocket, LONG), row, &row[2]);
    }
    for row in reference.rows("detect_linear", "") {
        let motion = Motion::new(state(&row[0]), ball);
        let cushion = reference.cushion(&row[1]);
        let found = contact::with_cushion(&motion, &cushion, ball.radius, motion.duration);
        // The data have contacts with the back of a cushion, on the way out of it, and some after the end of the motion.
        let is_contact =
            |time: f64| time <= motion.duration && motion.velocity_at(time).dot(cushion.normal) <= 0.0;
        if row[2].as_f64().is_none_or(is_contact) {
            check(found, row, &row[2]);
        } else {
            assert_eq!(found, None, "{row}");
        }
    }
    assert!(hits > 100, "{hits} contacts");
}
