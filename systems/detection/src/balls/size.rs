//! How large balls look on a table, when nobody said: the size at which most of what is seen are whole balls.

use ghostball_world::{BallSet, BallSighting, Planes, TableSighting};

use super::BallFinder;
use crate::cloth::ClothModel;

/// Balls of all games, as a share of half the table's length: full-size snooker (26.25 mm on 3.569 m) has 0.0147,
/// pool 0.0225 (nine feet) to 0.0289 (seven), toys up to 0.036.
const SHARES: [f64; 2] = [0.0128, 0.036];
/// Sizes are tried in steps of this factor: fits reach farther.
const STEP: f64 = 1.14;
/// Only what is surely a ball at a size tells for it.
const SURE: f64 = 0.75;
/// Rounds in which the median of the fitted radii becomes what is expected.
const ROUNDS: usize = 3;

/// Apparent radius of a ball at the middle of the table, pixels, and how many balls told it; `None` where no ball is
/// surely seen. Costs as much as finding balls a dozen times: for when a table is found, not for every frame.
pub fn measure_ball_radius(
    planes: &Planes,
    table: &TableSighting,
    cloth: &ClothModel,
) -> Option<(f64, usize)> {
    let [a, b, c, d] = table.corners_in_image;
    let sides = [a.distance(b) + c.distance(d), a.distance(d) + b.distance(c)];
    let half_length = 0.25 * sides[0].max(sides[1]);
    let mut balls = Vec::new();
    let mut best = (0.0, 0.0);
    let mut radius = SHARES[0] * half_length;
    while radius < SHARES[1] * half_length {
        let (evidence, _, _) = look(planes, table, cloth, radius, &mut balls);
        if evidence > best.0 {
            best = (evidence, radius);
        }
        radius *= STEP;
    }
    let (evidence, mut radius) = best;
    if evidence <= 0.0 {
        return None;
    }
    let mut count = 0;
    for _ in 0..ROUNDS {
        let (_, ratio, n) = look(planes, table, cloth, radius, &mut balls);
        if n == 0 {
            break;
        }
        (radius, count) = (radius * ratio, n);
    }
    (count > 0).then_some((radius, count))
}

/// How much speaks for balls of this size; the median ratio of the radii that were fitted; of how many balls.
fn look(
    planes: &Planes,
    table: &TableSighting,
    cloth: &ClothModel,
    radius: f64,
    balls: &mut Vec<BallSighting>,
) -> (f64, f64, usize) {
    let table = TableSighting {
        ball_radius_px: radius,
        ..*table
    };
    let size = [planes.luma.width as u32, planes.luma.height as u32];
    let mut finder = BallFinder::new(&table, size, BallSet::Snooker).with_guessed_size();
    finder.find(planes, cloth, balls);
    balls.retain(|ball| ball.confidence >= SURE);
    // Large things that look like balls are rarer than small ones: what speaks for a ball grows with its area.
    let surely = |ball: &BallSighting| (ball.confidence - SURE + 0.01) * (ball.confidence - SURE + 0.01);
    let evidence = radius * radius * balls.iter().map(surely).sum::<f64>();
    let mut ratios: Vec<f64> = balls
        .iter()
        .map(|ball| finder.size_against_expected(ball))
        .collect();
    ratios.sort_by(f64::total_cmp);
    let ratio = ratios.get(ratios.len() / 2).copied().unwrap_or(1.0);
    (evidence, ratio, ratios.len())
}
