//! Where a stick ends.

use ghostball_world::BallSighting;
use glam::DVec2;

use super::CueScene;
use super::slice::{least_difference, off_cloth};
use crate::median::upper_median;
use crate::sample::color_near;

/// How far outwards from where the edges end the tip may be, ball diameters.
const REACH: f64 = 0.7;
/// A tip ends where it is unlike cloth by less than this share of what the stick is: leather, chalked, is less unlike.
const EDGE: f64 = 0.3;
/// Distance of samples along a tip, pixels.
const STEP: f64 = 0.5;
/// What follows a gap of so many ball diameters is something else.
const GAP: f64 = 0.25;

/// Where the stick ends, near `tip`, no more than `inwards_px` beyond it; `outward` leads to its butt. `values` is a
/// buffer.
pub(crate) fn tip_near(
    scene: &CueScene,
    tip: DVec2,
    outward: DVec2,
    inwards_px: f64,
    values: &mut Vec<f64>,
) -> DVec2 {
    let diameter_px = 2.0 * scene.table.ball_radius_px;
    let beside = 0.06 * diameter_px * outward.perp();
    let strangeness = |inward: f64| {
        let at = tip - inward * outward;
        let cloth = scene.cloth.color_at(at.x as f32, at.y as f32);
        let sum: f32 = [-1.0, 0.0, 1.0]
            .iter()
            .filter_map(|side| color_near(scene.planes, at + *side * beside))
            .map(|color| off_cloth(cloth, color))
            .sum();
        f64::from(sum / 3.0)
    };
    let outwards = REACH * diameter_px;
    values.clear();
    let mut at = -2.0 * outwards;
    while at < -0.5 * outwards {
        values.push(strangeness(at));
        at += 2.0 * STEP;
    }
    let stick = upper_median(values).unwrap_or(0.0);
    let edge = (EDGE * stick).max(f64::from(least_difference(scene.cloth)));
    let (mut at, mut before) = (-outwards, strangeness(-outwards));
    let mut end = None;
    while at < inwards_px {
        let value = strangeness(at + STEP);
        if before >= edge && value < edge {
            end = Some(at + STEP * (before - edge) / (before - value));
        }
        if end.is_some_and(|end| at - end > GAP * diameter_px) {
            break;
        }
        (at, before) = (at + STEP, value);
    }
    before_balls(tip - end.unwrap_or(0.0) * outward, outward, scene.balls)
}

/// Draws a tip that lies on a ball's picture back to where the ball begins.
fn before_balls(mut tip: DVec2, outward: DVec2, balls: &[BallSighting]) -> DVec2 {
    for ball in balls {
        let off = ball.circle.center - tip;
        let across = off.perp_dot(outward);
        let within = ball.circle.radius * ball.circle.radius - across * across;
        // How far outward the stick leaves the ball's outline.
        let leaves = off.dot(outward) + within.max(0.0).sqrt();
        if within > 0.0 && leaves > 0.0 && leaves < 3.0 * ball.circle.radius {
            tip += leaves * outward;
        }
    }
    tip
}
