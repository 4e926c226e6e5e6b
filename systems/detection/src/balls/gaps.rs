//! Where balls that touch leave room for another one.
//!
//! Edges between balls of one colour are faint, and in the middle of a rack fewer of them vote for a ball than for the
//! gaps beside it. But balls that touch lie two radii apart: two of them leave one place on either side for a third that
//! touches both, and where neither sees cloth that way, something is there.

use glam::DVec2;

use super::place::BallPlace;
use super::polar::RAYS;
use super::rim::{Rays, Rim};
use super::select;
use super::votes::Candidate;

/// Balls farther apart than so many radii do not touch: a fifth more than two, for errors of candidates.
const TOUCHING: f64 = 2.4;
/// What was looked at so near to a place, in radii, was looked at there: candidates are found a fifth of a radius beside
/// their ball, and fits move them.
const SAME_PLACE: f64 = 0.3;

/// The places of a ball that would touch two candidates, where neither sees cloth and nothing was looked at yet.
pub(super) fn beside(
    rims: &[(Candidate, Rim)],
    [i, j]: [usize; 2],
    place: &BallPlace,
    rays: &Rays,
) -> [Option<DVec2>; 2] {
    let [a, b] = [i, j].map(|i| rims[i].1.ellipse.center);
    let between = b - a;
    let radius = place.radius_at(a + 0.5 * between);
    let touching = select::NEAREST_CENTERS * radius..TOUCHING * radius;
    // Most pairs are far apart, also in the picture.
    if between.length_squared() >= touching.end * touching.end {
        return [None; 2];
    }
    let distance = place.distance_on_cloth(a, between);
    if !touching.contains(&distance) || ![i, j].iter().all(|i| select::may_be_ball(&rims[*i])) {
        return [None; 2];
    }
    // On the cloth, where they form a triangle of equal sides; nearly so in the picture.
    let half_by_side = distance / (4.0 * radius);
    let height = 2.0 * radius * (1.0 - half_by_side * half_by_side).max(0.0).sqrt();
    [between.perp(), -between.perp()].map(|side| {
        let center = a + 0.5 * between + height * side.normalize_or_zero();
        let is_cloth = |i: usize| {
            let rim = &rims[i].1;
            let towards = (center - rim.ellipse.center).as_vec2();
            rim.free >> nearest_ray(rays, towards.x, towards.y) & 1 == 1
        };
        let was_looked_at = || {
            let near = SAME_PLACE * radius;
            rims.iter()
                .any(|(_, rim)| rim.ellipse.center.distance(center) < near)
        };
        (!is_cloth(i) && !is_cloth(j) && !was_looked_at()).then_some(center)
    })
}

/// The ray that points nearest to a direction.
fn nearest_ray(rays: &Rays, x: f32, y: f32) -> usize {
    let along = |ray: &usize| rays.cos[*ray] * x + rays.sin[*ray] * y;
    (0..RAYS)
        .max_by(|a, b| along(a).total_cmp(&along(b)))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balls::ellipse::Ellipse;

    fn ball(x: f64, y: f64, free: u32) -> (Candidate, Rim) {
        let center = DVec2::new(x, y);
        let rim = Rim {
            ellipse: Ellipse::circle(center, 15.0),
            fill: 1.0,
            dark_fill: 1.0,
            has_highlight: true,
            agreeing: !0,
            covered: !0,
            dark: !0,
            free,
            ..Rim::default()
        };
        (Candidate { center, share: 1.2 }, rim)
    }

    #[test]
    fn two_balls_that_touch_leave_room_for_a_third_that_touches_both_unless_cloth_or_another_is_there() {
        let (place, rays) = (BallPlace::from_above(), Rays::default());
        let places = |rims: &[_]| beside(rims, [0, 1], &place, &rays);
        let [above, below] = places(&[ball(300.0, 300.0, 0), ball(330.0, 300.0, 0)]).map(Option::unwrap);
        for center in [above, below] {
            assert!((center.distance(DVec2::new(300.0, 300.0)) - 30.0).abs() < 1e-9);
            assert!((center.distance(DVec2::new(330.0, 300.0)) - 30.0).abs() < 1e-9);
        }
        assert!((above - below).length() > 50.0);
        // The first sees cloth where y grows.
        let where_y_grows = 0xffff;
        let rest = places(&[ball(300.0, 300.0, where_y_grows), ball(330.0, 300.0, 0)]);
        let rest: Vec<DVec2> = rest.into_iter().flatten().collect();
        assert!(rest.len() == 1 && rest[0].y < 300.0, "{rest:?}");
        let third = ball(rest[0].x + 2.0, rest[0].y, 0);
        let rest = places(&[ball(300.0, 300.0, where_y_grows), ball(330.0, 300.0, 0), third]);
        assert_eq!(rest, [None; 2]);
        assert_eq!(places(&[ball(300.0, 300.0, 0), ball(340.0, 300.0, 0)]), [None; 2]);
    }
}
