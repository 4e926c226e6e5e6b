//! Which shot to play: a simple player looks for the easiest pot and misses it now and then.

use glam::DVec2;

use crate::{Random, TableModel};

/// A shot the player has made up his mind to play.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Plan {
    /// Where the cue ball is to go: of unit length.
    pub direction: DVec2,
    /// Speed of the stick at impact, m/s.
    pub stick_speed: f64,
    /// Where the tip hits: left of and above the ball's centre, in ball radii.
    pub offset: DVec2,
    /// How steeply the stick points down, radians.
    pub elevation: f64,
}

/// Looks for a pot among `targets`; without one plays onto one of them, without targets somewhere.
/// `others` are all balls on the table but the cue ball.
pub(crate) fn choose(
    table: &TableModel,
    cue_ball: DVec2,
    targets: &[DVec2],
    others: &[DVec2],
    random: &mut Random,
) -> Plan {
    let diameter = 2.0 * table.ball_radius;
    let mut best: Option<(f64, DVec2, f64)> = None;
    for &target in targets {
        for pocket in &table.shape.pockets {
            let Some(to_pocket) = (pocket.center - target).try_normalize() else {
                continue;
            };
            let ghost = target - diameter * to_pocket;
            let Some(aim) = (ghost - cue_ball).try_normalize() else {
                continue;
            };
            // Cosine of the cut angle; a middle pocket must also be open from there.
            let fullness = aim.dot(to_pocket);
            let is_middle = pocket.center.x.abs() < 0.25 * table.shape.length;
            let opening = if is_middle { to_pocket.y.abs() } else { 1.0 };
            let is_free = fullness > 0.35
                && opening > 0.6
                && table.shape.holds(ghost, table.ball_radius)
                && is_clear(cue_ball, ghost, others, Some(target), diameter)
                && is_clear(target, pocket.center, others, Some(target), diameter);
            if !is_free {
                continue;
            }
            let way = ghost.distance(cue_ball) + 1.5 * target.distance(pocket.center);
            let ease = fullness * fullness * opening / (0.5 + way) * random.between(0.6, 1.4);
            if best.is_none_or(|(most, ..)| ease > most) {
                best = Some((ease, aim, way / fullness));
            }
        }
    }
    let (aim, way, error) = match best {
        Some((_, aim, way)) => (aim, way, 0.005),
        None => {
            let target = targets.get(random.below(targets.len()));
            let aim = target.and_then(|target| (*target - cue_ball).try_normalize());
            (aim.unwrap_or(DVec2::X), random.between(2.0, 4.0), 0.012)
        }
    };
    // Half the speed a ball has to start with to roll that far is plenty on a table with cushions.
    let stick_speed = (0.8 + 0.35 * way + random.between(-0.1, 0.5)).clamp(0.8, 3.5);
    let offset = DVec2::new(0.08 * random.normal(), random.between(-0.35, 0.45)).clamp_length_max(0.5);
    Plan {
        direction: turned(aim, error * random.normal()),
        stick_speed,
        offset,
        elevation: 0.0,
    }
}

/// A vector turned counter-clockwise by `angle`, radians.
pub(crate) fn turned(vector: DVec2, angle: f64) -> DVec2 {
    let (sin, cos) = libm::sincos(angle);
    DVec2::new(cos, sin).rotate(vector)
}

/// Whether a ball can go from `from` to `to` without touching any of `balls` but `ignored`.
fn is_clear(from: DVec2, to: DVec2, balls: &[DVec2], ignored: Option<DVec2>, diameter: f64) -> bool {
    balls
        .iter()
        .filter(|ball| Some(**ball) != ignored)
        .all(|ball| distance_from_segment(*ball, from, to) > 1.02 * diameter)
}

fn distance_from_segment(point: DVec2, start: DVec2, end: DVec2) -> f64 {
    let way = end - start;
    let share = ((point - start).dot(way) / way.length_squared().max(1e-12)).clamp(0.0, 1.0);
    point.distance(start + share * way)
}

/// How steeply the stick has to point down to pass over cushion, rail and balls behind the cue ball, radians.
pub(crate) fn least_elevation(
    table: &TableModel,
    cue_ball: DVec2,
    direction: DVec2,
    tip_height: f64,
    balls: &[DVec2],
) -> f64 {
    /// Room for stick and hand, metres.
    const ROOM: f64 = 0.02;
    const USUAL: f64 = 0.05;
    const STEEPEST: f64 = 0.5;
    let backwards = -direction;
    let half = table.half_size();
    let reach = |at: f64, step: f64, half: f64| {
        if step.abs() < 1e-6 {
            f64::INFINITY
        } else {
            (half * step.signum() - at) / step
        }
    };
    let to_cushion = reach(cue_ball.x, backwards.x, half.x).min(reach(cue_ball.y, backwards.y, half.y));
    let slope = |height: f64, distance: f64| (height + ROOM - tip_height) / distance.max(0.03);
    let mut steepest = slope(table.shape.cushion_height, to_cushion);
    for ball in balls {
        let from = *ball - cue_ball;
        let behind = from.dot(backwards);
        let is_under_the_stick = (0.0..crate::SceneCue::USUAL_LENGTH).contains(&behind)
            && from.perp_dot(backwards).abs() < table.ball_radius + 0.012;
        if is_under_the_stick {
            steepest = steepest.max(slope(2.0 * table.ball_radius, behind - table.ball_radius));
        }
    }
    libm::atan(steepest).clamp(USUAL, STEEPEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Game;

    #[test]
    fn a_ball_before_a_pocket_is_played_into_it() {
        let table = TableModel::for_game(Game::EightBall);
        let pocket = table.shape.pockets[2].center;
        let target = pocket * 0.8;
        let cue_ball = pocket * 0.3;
        let plan = choose(&table, cue_ball, &[target], &[target], &mut Random::from_seed(2));
        assert!(plan.direction.dot(pocket.normalize()) > 0.999);
    }

    #[test]
    fn the_stick_is_raised_over_a_cushion_and_a_ball() {
        let table = TableModel::for_game(Game::EightBall);
        let least = |at: DVec2, balls: &[DVec2]| least_elevation(&table, at, DVec2::X, 0.0286, balls);
        let free = least(DVec2::ZERO, &[]);
        assert!(least(DVec2::new(-1.2, 0.0), &[]) > free + 0.1);
        assert!(least(DVec2::ZERO, &[DVec2::new(-0.2, 0.01)]) > free + 0.1);
        assert_eq!(least(DVec2::ZERO, &[DVec2::new(0.2, 0.0)]), free);
    }
}
