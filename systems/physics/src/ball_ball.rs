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

#[cfg(test)]
mod tests {
    use glam::DVec2;

    use super::*;

    /// Two balls after a frictional collision; the one at rest has no spin.
    fn collided(velocity: DVec2, side_spin: f64, angle_of_centers: f64) -> [BallState; 2] {
        let properties = BallProperties::default();
        let (sin, cos) = libm::sincos(angle_of_centers);
        let mut a = BallState::moving(DVec2::ZERO, velocity, DVec3::new(0.0, 0.0, side_spin));
        let mut b = BallState::at_rest(DVec2::ZERO);
        BallBallModel::Frictional.collide(&mut a, &mut b, DVec2::new(cos, sin), &properties);
        [a, b]
    }

    #[test]
    fn a_half_ball_hit_without_spin_slides_through_the_contact() {
        // The surfaces pass at 2 sin 30° = 1 m/s: friction 0.009951 + 0.108 e^−1.088 = 0.0463351, of 0.95 × 2 cos 30°
        // gives 0.0762420 m/s, less than the 1/7 m/s that would end the slip. Along the centres 0.975 × 1.7320508.
        let [a, b] = collided(DVec2::new(2.0, 0.0), 0.0, std::f64::consts::FRAC_PI_6);
        assert!(
            b.velocity
                .abs_diff_eq(DVec2::new(1.500_620_985_878, 0.778_347_284_315), 1e-11)
        );
        assert!(
            a.velocity
                .abs_diff_eq(DVec2::new(0.499_379_014_122, -0.778_347_284_315), 1e-11)
        );
        // 2.5 × 0.0762420 / 0.028575, the same for both.
        for ball in [a, b] {
            assert!(
                ball.spin
                    .abs_diff_eq(DVec3::new(0.0, 0.0, 6.670_338_736_245), 1e-10)
            );
        }
    }

    #[test]
    fn a_full_hit_with_side_spin_throws_by_a_seventh_of_the_spin() {
        // The surfaces pass at 0.028575 × 10 m/s, of which a seventh, 0.0408214 m/s, is less than friction could give.
        let [a, b] = collided(DVec2::X, 10.0, 0.0);
        assert!(
            a.velocity
                .abs_diff_eq(DVec2::new(0.025, -0.040_821_428_571), 1e-11)
        );
        assert!(
            b.velocity
                .abs_diff_eq(DVec2::new(0.975, 0.040_821_428_571), 1e-11)
        );
        // 2.5 / 7 of the spin goes, and as much comes the other way round to the other ball.
        assert!((a.spin.z - 6.428_571_428_571).abs() < 1e-10);
        assert!((b.spin.z + 3.571_428_571_429).abs() < 1e-10);
    }
}
