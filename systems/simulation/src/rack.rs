//! Balls as they are set up before the first shot.

use ghostball_world::BallKind;
use glam::DVec2;

use crate::{Game, Random, TableModel};

/// A ball to be put on the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Placed {
    pub kind: BallKind,
    pub number: Option<u8>,
    pub position_in_table: DVec2,
}

/// What the pool ball of this number is.
fn pool_kind(number: u8) -> BallKind {
    match number {
        8 => BallKind::Eight,
        9.. => BallKind::Stripe,
        _ => BallKind::Solid,
    }
}

/// The opening layout, the cue ball first.
pub(crate) fn rack(game: Game, table: &TableModel, random: &mut Random) -> Vec<Placed> {
    let half = table.half_size();
    let foot = DVec2::new(0.5 * half.x, 0.0);
    let head = DVec2::new(-0.5 * half.x, 0.0);
    let placed = |kind, number, position_in_table| Placed {
        kind,
        number,
        position_in_table,
    };
    match game {
        Game::EightBall => {
            let cue = head - DVec2::new(random.between(0.0, 0.2), random.between(-0.25, 0.25));
            let mut numbers: Vec<u8> = (1..=15).filter(|n| *n != 8).collect();
            random.shuffle(&mut numbers);
            // The 8 in the middle, one solid and one stripe in the rear corners.
            numbers.insert(4, 8);
            let swap_into = |numbers: &mut Vec<u8>, corner: usize, kind: BallKind| {
                let is_free = |(i, n): &(usize, &u8)| ![4, 10, 14].contains(i) && pool_kind(**n) == kind;
                if pool_kind(numbers[corner]) != kind
                    && let Some((i, _)) = numbers.iter().enumerate().find(is_free)
                {
                    numbers.swap(corner, i);
                }
            };
            swap_into(&mut numbers, 10, BallKind::Solid);
            swap_into(&mut numbers, 14, BallKind::Stripe);
            let spots = triangle(foot, 5, table.ball_radius, random);
            let objects = numbers.iter().zip(spots);
            let mut balls = vec![placed(BallKind::Cue, None, cue)];
            balls.extend(objects.map(|(n, at)| placed(pool_kind(*n), Some(*n), at)));
            balls
        }
        Game::NineBall => {
            let cue = head - DVec2::new(random.between(0.0, 0.2), random.between(-0.25, 0.25));
            let mut numbers: Vec<u8> = (2..=8).collect();
            random.shuffle(&mut numbers);
            numbers.insert(0, 1);
            numbers.insert(4, 9);
            // The middle nine of the fifteen places of a triangle make the diamond.
            let spots = triangle(foot, 5, table.ball_radius, random);
            let diamond = [0, 1, 2, 3, 4, 5, 7, 8, 12].map(|i| spots[i]);
            let mut balls = vec![placed(BallKind::Cue, None, cue)];
            let objects = numbers.iter().zip(diamond);
            balls.extend(objects.map(|(n, at)| placed(pool_kind(*n), Some(*n), at)));
            balls
        }
        Game::Snooker => {
            // WPBSA: baulk line 737 mm from the cushion, D of 292 mm, black 324 mm from the top cushion, of 3.569 m; on
            // smaller tables as much less, or the black would lie among the reds.
            let scale = 2.0 * half.x / 3.569;
            let (baulk, d) = (0.737 * scale - half.x, 0.292 * scale);
            let (behind, aside) = (random.between(0.02, 0.1), random.between(0.05, 0.2) * scale);
            // Clear of brown and green by a millimetre.
            let (clear, beside) = (2.0 * table.ball_radius + 1e-3, aside.min(d - aside));
            let least = (clear * clear - beside * beside).max(0.0).sqrt();
            let cue = DVec2::new(baulk - behind.max(least), aside);
            let colors = [
                (BallKind::Yellow, DVec2::new(baulk, -d)),
                (BallKind::Green, DVec2::new(baulk, d)),
                (BallKind::Brown, DVec2::new(baulk, 0.0)),
                (BallKind::Blue, DVec2::ZERO),
                (BallKind::Pink, foot),
                (BallKind::Black, DVec2::new(half.x - 0.324 * scale, 0.0)),
            ];
            let apex = foot + DVec2::X * (2.0 * table.ball_radius + 0.003);
            let reds = triangle(apex, 5, table.ball_radius, random);
            let mut balls = vec![placed(BallKind::Cue, None, cue)];
            balls.extend(colors.map(|(kind, at)| placed(kind, None, at)));
            balls.extend(reds.into_iter().map(|at| placed(BallKind::Red, None, at)));
            balls
        }
        Game::Carom => {
            let aside = DVec2::new(0.0, 0.1825);
            vec![
                placed(BallKind::Cue, None, head + aside),
                placed(BallKind::Yellow, None, head),
                placed(BallKind::Red, None, foot),
            ]
        }
    }
}

/// Rows of 1, 2, 3, … balls from the apex on in the direction of x, almost touching.
fn triangle(apex: DVec2, rows: u32, radius: f64, random: &mut Random) -> Vec<DVec2> {
    // Racked by hand: a tenth of a millimetre between neighbours, never quite the same.
    let spacing = 2.0 * radius + 2e-4;
    let row_spacing = spacing * 0.5 * 3.0_f64.sqrt();
    let mut spots = Vec::new();
    for row in 0..rows {
        for i in 0..=row {
            let aside = (f64::from(i) - 0.5 * f64::from(row)) * spacing;
            let shift = DVec2::new(random.between(-5e-5, 5e-5), random.between(-5e-5, 5e-5));
            spots.push(apex + DVec2::new(f64::from(row) * row_spacing, aside) + shift);
        }
    }
    spots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_ball_is_racked_inside_another_or_off_the_bed() {
        let six_feet = TableModel::sized(Game::Snooker, 1.83, 0.915, 0.026_25);
        let tables = Game::ALL.map(|game| (game, TableModel::for_game(game)));
        for (game, table) in tables.into_iter().chain([(Game::Snooker, six_feet)]) {
            for seed in 0..20 {
                let balls = rack(game, &table, &mut Random::from_seed(seed));
                for (i, ball) in balls.iter().enumerate() {
                    assert!(table.shape.holds(ball.position_in_table, table.ball_radius));
                    for other in &balls[..i] {
                        let distance = ball.position_in_table.distance(other.position_in_table);
                        assert!(distance > 2.0 * table.ball_radius, "{game:?} {distance}");
                    }
                }
            }
        }
    }

    #[test]
    fn an_eight_ball_rack_has_the_8_in_the_middle_and_unlike_corners() {
        let table = TableModel::for_game(Game::EightBall);
        for seed in 0..50 {
            let balls = rack(Game::EightBall, &table, &mut Random::from_seed(seed));
            let mut numbers: Vec<_> = balls[1..].iter().filter_map(|ball| ball.number).collect();
            assert_eq!(numbers[4], 8);
            assert_ne!(balls[11].kind, balls[15].kind);
            numbers.sort_unstable();
            assert_eq!(numbers, (1..=15).collect::<Vec<u8>>());
        }
    }
}
