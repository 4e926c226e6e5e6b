//! Balls that lie next to each other, set apart as physics wants them: neither into each other nor, in a pack, loose.
//!
//! Measured places overlap or gape by a millimetre or so. Who touches whom in a pack, and in which order, hangs on gaps far
//! smaller than that. Balls that seem to lie against each other do, so all of them are put as near as balls in a rack are.

use ghostball_physics::BallState;
use glam::DVec2;

/// Two lying balls that are no farther from touching than this, in radii, lean on each other: as far as a good sighting beside
/// another ball is off. Breaks are retold equally well from half of this to twice as much.
const LEANING_RADII: f64 = 0.1;
/// What is then between them, metres: balls of one set differ by up to 0.127 mm in diameter (World Pool-Billiard Association,
/// equipment specifications). Breaks are retold equally well from half of this to six times as much.
const LEANING_GAP: f64 = 1e-4;
/// What is left between balls that are pushed out of each other, metres, as in prediction.
const PARTING_GAP: f64 = 1e-6;
/// Rounds of moving all pairs, each of which puts right this share of what is wrong: all pull at each other.
const ROUNDS: usize = 30;
const SHARE: f64 = 0.7;
/// …and of pushing apart what overlaps after that.
const PARTING_ROUNDS: usize = 8;

/// Whether these two balls of this radius lie against each other, by where they are seen.
pub fn do_lean(a: &BallState, b: &BallState, radius: f64) -> bool {
    let do_lie = a.velocity == DVec2::ZERO && b.velocity == DVec2::ZERO;
    do_lie && a.position.distance(b.position) < (2.0 + LEANING_RADII) * radius
}

/// Moves balls of this radius so that none overlap and those that lean on each other nearly touch.
pub fn set_apart(states: &mut [BallState], radius: f64) {
    settle(states, ROUNDS, |a, b| {
        let gap = if do_lean(a, b, radius) {
            LEANING_GAP
        } else if a.position.distance(b.position) < 2.0 * radius {
            PARTING_GAP
        } else {
            return None;
        };
        Some((2.0 * radius + gap, SHARE))
    });
    settle(states, PARTING_ROUNDS, |a, b| {
        let overlap = a.position.distance(b.position) < 2.0 * radius;
        overlap.then_some((2.0 * radius + PARTING_GAP, 1.0))
    });
}

/// Brings pairs of balls nearer to the distance they are wanted at, by a share of what is missing.
fn settle(
    states: &mut [BallState],
    rounds: usize,
    wanted: impl Fn(&BallState, &BallState) -> Option<(f64, f64)>,
) {
    for _ in 0..rounds {
        let mut is_settled = true;
        for b in 1..states.len() {
            for a in 0..b {
                let Some((distance, share)) = wanted(&states[a], &states[b]) else {
                    continue;
                };
                let between = states[b].position - states[a].position;
                let missing = distance - between.length();
                let push = 0.5 * share * missing * between.normalize_or(DVec2::X);
                states[a].position -= push;
                states[b].position += push;
                is_settled &= missing.abs() < PARTING_GAP;
            }
        }
        if is_settled {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RADIUS: f64 = 0.028575;

    #[test]
    fn a_pack_seen_askew_is_tight_again_and_what_lies_apart_stays() {
        let height = 3.0_f64.sqrt() * RADIUS;
        let places = [
            DVec2::new(1.0e-3, 0.0),
            DVec2::new(height, RADIUS + 0.8e-3),
            DVec2::new(height - 0.9e-3, -RADIUS),
            DVec2::new(height + 2.3 * RADIUS, RADIUS),
        ];
        let mut states = places.map(BallState::at_rest);
        set_apart(&mut states, RADIUS);
        for (a, b) in [(0, 1), (0, 2), (1, 2)] {
            let distance = states[a].position.distance(states[b].position);
            assert!(
                (distance - 2.0 * RADIUS - LEANING_GAP).abs() < 2e-5,
                "{a} {b}: {distance}"
            );
        }
        assert_eq!(states[3].position, places[3]);
    }

    #[test]
    fn a_ball_that_moves_is_only_pushed_out_of_another() {
        let moving = |x: f64| BallState::moving(DVec2::X * x, DVec2::X, glam::DVec3::ZERO);
        let mut states = [BallState::at_rest(DVec2::ZERO), moving(2.05 * RADIUS)];
        set_apart(&mut states, RADIUS);
        assert_eq!(states[1].position.x, 2.05 * RADIUS);
        let mut states = [BallState::at_rest(DVec2::ZERO), moving(1.95 * RADIUS)];
        set_apart(&mut states, RADIUS);
        let distance = states[1].position.x - states[0].position.x;
        assert!((2.0 * RADIUS..2.0 * RADIUS + 2.0 * PARTING_GAP).contains(&distance));
    }
}
