//! When balls touch things, and what keeps contacts that last from becoming endless events.

use glam::DVec2;

use crate::roots::first_contact;
use crate::{BallState, CushionSegment, Jaw, Motion, PocketShape};

/// Overlap that counts as touching, not as pressing, metres: far above the rounding of positions, far below 1 nm.
const TOUCH: f64 = 1e-11;

/// A contact at less than this closing speed, m/s, is slow; chattering bodies part at this speed at first. A ball that slides
/// against another is then some micrometres away from it before they meet again.
const SLOW: f64 = 5e-3;

/// A contact at more than this closing speed, m/s, shows that the bodies had parted for good.
const FAST: f64 = 4.0 * SLOW;

/// So many slow contacts of the same bodies without a fast one between are chatter.
const CHATTER_COUNT: u32 = 8;

/// Speed at which chattering bodies part at most, m/s: below [`FAST`], so that the chatter does not count as ended.
const FASTEST_PARTING: f64 = 3.0 * SLOW;

/// When a point that is at `between` and moves with `velocity` and constant `acceleration` first comes within
/// `distance` of the origin; seconds, at most `horizon`.
pub(crate) fn within(
    between: DVec2,
    velocity: DVec2,
    acceleration: DVec2,
    distance: f64,
    horizon: f64,
) -> Option<f64> {
    let polynomial = [
        between.length_squared() - distance * distance,
        2.0 * between.dot(velocity),
        velocity.length_squared() + between.dot(acceleration),
        velocity.dot(acceleration),
        0.25 * acceleration.length_squared(),
    ];
    first_contact(&polynomial, horizon, 2.0 * distance * TOUCH)
}

/// When a ball touches a straight cushion, seconds from the start of its motion.
pub(crate) fn with_cushion(
    motion: &Motion,
    cushion: &CushionSegment,
    radius: f64,
    horizon: f64,
) -> Option<f64> {
    let normal = cushion.normal;
    let gap = normal.dot(motion.start.position - cushion.start) - radius;
    let polynomial = [
        gap,
        normal.dot(motion.start.velocity),
        0.5 * normal.dot(motion.acceleration),
        0.0,
        0.0,
    ];
    // A centre behind the nose is beside the cushion, in the mouth of a pocket, and cannot hit it.
    if gap < -radius {
        return None;
    }
    let after = first_contact(&polynomial, horizon, TOUCH)?;
    let along = cushion.end - cushion.start;
    let foot = along.dot(motion.position_at(after) - cushion.start);
    (0.0..=along.length_squared()).contains(&foot).then_some(after)
}

/// When a ball touches the rounded end of a cushion.
pub(crate) fn with_jaw(motion: &Motion, jaw: &Jaw, radius: f64, horizon: f64) -> Option<f64> {
    within(
        motion.start.position - jaw.center,
        motion.start.velocity,
        motion.acceleration,
        jaw.radius + radius,
        horizon,
    )
}

/// When a ball's centre comes within a pocket; at once where it already is.
pub(crate) fn with_pocket(motion: &Motion, pocket: &PocketShape, horizon: f64) -> Option<f64> {
    let between = motion.start.position - pocket.center;
    if between.length_squared() < pocket.radius * pocket.radius {
        return Some(0.0);
    }
    within(
        between,
        motion.start.velocity,
        motion.acceleration,
        pocket.radius,
        horizon,
    )
}

/// Counts slow contacts of the same two bodies.
///
/// Bodies that press against each other while they move would bounce in ever smaller and more frequent steps: the
/// event-driven method knows no lasting contact. After [`CHATTER_COUNT`] slow contacts they are made to part at
/// [`SLOW`], then faster up to [`FASTEST_PARTING`]. The energy for that is taken from the rest of their motion, so that it
/// does not grow: a rack that a ball pushes along costs some hundred events. (Luding & McNamara, How to handle the inelastic
/// collapse of a dissipative hard-sphere gas with the TC model, 1998, act on the restitution instead, which does not bound
/// the number of contacts of elastic balls.)
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Chatter {
    count: u32,
}

impl Chatter {
    /// Notes a contact at this closing speed, m/s; when it belongs to a chatter, the speed at which the bodies have to part.
    pub(crate) fn parting_speed(&mut self, closing: f64) -> Option<f64> {
        if closing > FAST {
            self.count = 0;
        } else if closing < SLOW || self.count > CHATTER_COUNT {
            self.count += 1;
        }
        let lasting = self.count.checked_sub(CHATTER_COUNT).filter(|&count| count > 0)?;
        Some((f64::from(lasting) * SLOW).min(FASTEST_PARTING))
    }
}

/// Energy of a ball's spin divided by half its mass.
fn scaled_spin_energy(ball: &BallState, radius: f64) -> f64 {
    0.4 * radius * radius * ball.spin.length_squared()
}

/// Makes balls part at this speed, or as fast as the rest of their motion in their common frame allows: the energy comes from
/// there, their momentum stays.
pub(crate) fn part_balls(a: &mut BallState, b: &mut BallState, normal: DVec2, speed: f64, radius: f64) {
    let relative = b.velocity - a.velocity;
    let opening = relative.dot(normal);
    let across = relative - opening * normal;
    // Two balls that part at u each have u / 2 of it in their common frame.
    let rest = 0.5 * across.length_squared() + scaled_spin_energy(a, radius) + scaled_spin_energy(b, radius);
    let taken = (0.5 * (speed * speed - opening * opening)).min(rest);
    if opening >= speed || taken <= 0.0 {
        return;
    }
    let left = ((rest - taken) / rest).sqrt();
    let half = 0.5 * (left * across + (opening * opening + 2.0 * taken).sqrt() * normal);
    let common = 0.5 * (a.velocity + b.velocity);
    a.velocity = common - half;
    b.velocity = common + half;
    a.spin *= left;
    b.spin *= left;
}

/// Makes a ball leave a cushion at this speed at least without a growth of its energy.
pub(crate) fn part_from_cushion(ball: &mut BallState, normal: DVec2, speed: f64, radius: f64) {
    let lacking = speed - ball.velocity.dot(normal);
    if lacking <= 0.0 {
        return;
    }
    let energy = |ball: &BallState| ball.velocity.length_squared() + scaled_spin_energy(ball, radius);
    let before = energy(ball);
    ball.velocity += lacking * normal;
    let raised = energy(ball);
    if raised > before {
        let factor = (before / raised).sqrt();
        ball.velocity *= factor;
        ball.spin *= factor;
    }
}
