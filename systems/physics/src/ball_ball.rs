//! What a collision of two balls does to their velocities and spins.

use glam::DVec3;

use crate::{BallProperties, BallState};

/// Model of ball-ball collisions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BallBallModel {
    /// No friction, no loss: the balls exchange their speeds along the line of centres.
    FrictionlessElastic,
    /// With restitution [`BallProperties::ball_restitution`] and with friction that falls with the speed of the
    /// surfaces over each other, so that a ball is thrown by cut and by side spin: Alciatore, technical proofs A-5,
    ///
    #[default]
    Frictional,
}

impl BallBallModel {
    /// Collides `a` with `b`; `normal` is the unit vector from a to b.
    pub(crate) fn collide(
        self,
        a: &mut BallState,
        b: &mut BallState,
        normal: glam::DVec2,
        properties: &BallProperties,
    ) {
        let closing = (a.velocity - b.velocity).dot(normal);
        let restitution = match self {
            Self::FrictionlessElastic => 1.0,
            Self::Frictional => properties.ball_restitution,
        };
        if self == Self::Frictional {
            throw(a, b, normal.extend(0.0), closing, properties);
        }
        let exchanged = 0.5 * (1.0 + restitution) * closing * normal;
        a.velocity -= exchanged;
        b.velocity += exchanged;
    }
}

/// Friction at the point of contact. The balls' surfaces pass each other with `surface`; equal and opposite tangential
/// impulses slow that, each by 7 times the change of a ball's velocity, up to the moment it stops (no slip) and at most
/// by friction. The vertical part of the change lifts a ball by less than it weighs and is left out.
fn throw(a: &mut BallState, b: &mut BallState, normal: DVec3, closing: f64, properties: &BallProperties) {
    let radius = properties.radius;
    let between = (a.velocity - b.velocity).extend(0.0);
    let surface = between - between.dot(normal) * normal + radius * (a.spin + b.spin).cross(normal);
    let speed = surface.length();
    if speed <= f64::EPSILON {
        return;
    }
    let friction = 0.009_951 + 0.108 * libm::exp(-1.088 * speed);
    // The measure of the normal impulse is the speed at which the balls part, as in pooltool 0.6.0.
    let sliding = friction * properties.ball_restitution * closing;
    let change = -sliding.min(speed / 7.0) / speed * surface;
    let spin = 2.5 / radius * normal.cross(change);
    a.velocity += change.truncate();
    b.velocity -= change.truncate();
    a.spin += spin;
    b.spin += spin;
}
