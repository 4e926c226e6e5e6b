//! Balls do not go through each other.
//!
//! In a cluster little of a ball's rim borders on cloth, and its fit may be drawn to a neighbour's. Two that seem nearer
//! to each other than balls can lie are moved apart, the one that is less sure of its place more.

use super::place::BallPlace;
use super::rim::Rim;
use super::votes::Candidate;

/// Balls that touch are two radii apart; radii are known this well, and centres fitted.
const TOUCHING: f64 = 1.96;
/// Rounds of moving pairs apart; a push goes through a rack in as many as it has rows.
const ROUNDS: usize = 5;
/// How much a rim point that has no cloth behind it tells about the place, against one that has.
pub const WEIGHT_AMONG_BALLS: f64 = 0.1;

/// Moves the `chosen` of `rims` apart where they overlap.
pub fn move_apart(rims: &mut [(Candidate, Rim)], chosen: &[usize], place: &BallPlace) {
    for _ in 0..ROUNDS {
        let mut is_apart = true;
        for (at, i) in chosen.iter().enumerate() {
            for j in &chosen[at + 1..] {
                let [a, b] = [*i, *j].map(|i| rims[i].1);
                let between = b.ellipse.center - a.ellipse.center;
                let touching = TOUCHING * place.radius_at(a.ellipse.center + 0.5 * between);
                let distance = place.distance_on_cloth(a.ellipse.center, between);
                if distance >= touching || distance <= 0.0 {
                    continue;
                }
                is_apart = false;
                let push = (touching / distance - 1.0) * between;
                let share = sureness(&b) / (sureness(&a) + sureness(&b));
                rims[*i].1.ellipse.center -= share * push;
                rims[*j].1.ellipse.center += (1.0 - share) * push;
            }
        }
        if is_apart {
            break;
        }
    }
}

/// How well a ball's place is known from its own rim.
fn sureness(rim: &Rim) -> f64 {
    let to_cloth = f64::from((rim.agreeing & rim.free).count_ones());
    let among_balls = f64::from((rim.agreeing & !rim.free).count_ones());
    1.0 + to_cloth + WEIGHT_AMONG_BALLS * among_balls
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balls::ellipse::Ellipse;
    use glam::DVec2;

    #[test]
    fn of_two_balls_in_each_other_the_one_that_shows_no_cloth_gives_way() {
        let place = BallPlace::from_above();
        let ball = |x: f64, free: u32| {
            let center = DVec2::new(x, 300.0);
            let ellipse = Ellipse::circle(center, 15.0);
            let rim = Rim {
                ellipse,
                agreeing: !0,
                free,
                ..Rim::default()
            };
            (Candidate { center, share: 1.0 }, rim)
        };
        let mut rims = [ball(300.0, !0), ball(320.0, 0), ball(400.0, 0)];
        move_apart(&mut rims, &[0, 1, 2], &place);
        let x = [0, 1, 2].map(|i: usize| rims[i].1.ellipse.center.x);
        assert!((x[1] - x[0] - 30.0).abs() < 1.0, "{x:?}");
        assert!((x[0] - 300.0).abs() < 2.0 && x[2] == 400.0, "{x:?}");
    }
}
