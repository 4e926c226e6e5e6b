//! What a cushion does to a ball's velocity and spin.

use glam::{DVec2, DVec3};

use crate::{BallProperties, BallState, stronge};

/// Model of collisions with straight cushions and jaws.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CushionModel {
    /// Rigid impulse with restitution and friction at the nose, which is above the ball's centre: Han, Dynamics in
    /// carom and three cushion billiards (2005).
    Han,
    /// Springs along and across the contact, which wind up and spring back: Stronge, Impact Mechanics, chapter 5.
    #[default]
    StrongeCompliant,
}

impl CushionModel {
    /// Reflects a ball that moves towards a nose at this height. `to_ball` points in plan from the nose, or from the axis of
    /// a rounded one, to the ball's centre.
    pub(crate) fn collide(
        self,
        ball: &mut BallState,
        to_ball: DVec2,
        cushion_height: f64,
        properties: &BallProperties,
    ) {
        match self {
            Self::Han => han(ball, to_ball.normalize_or(DVec2::X), cushion_height, properties),
            Self::StrongeCompliant => {
                stronge::collide(ball, to_ball, cushion_height - properties.radius, properties);
            }
        }
    }
}

/// Han 2005, equations 14 to 22, in the frame with X into the cushion, Y along it to the left, Z up. The nose touches
/// the ball at θ above its equator, sin θ = h/R − 1. The ball stays on the cloth: the vertical impulse turns it but
/// does not lift it.
fn han(ball: &mut BallState, normal: DVec2, cushion_height: f64, properties: &BallProperties) {
    let (radius, mass) = (properties.radius, properties.mass);
    let into = -normal;
    let left = into.perp();
    let (vx, vy) = (ball.velocity.dot(into), ball.velocity.dot(left));
    let spin = ball.spin.truncate();
    let (wx, wy, wz) = (spin.dot(into), spin.dot(left), ball.spin.z);
    let sin = (cushion_height / radius - 1.0).clamp(-1.0, 1.0);
    let cos = (1.0 - sin * sin).sqrt();

    // Velocity of the ball's surface at the nose (eq. 14), and the impulses that end it (eq. 16 to 20).
    let sx = vx * sin + radius * wy;
    let sy = -vy - radius * wz * cos + radius * wx * sin;
    let slip = (sx * sx + sy * sy).sqrt();
    let pressed = (1.0 + properties.cushion_restitution) * mass * vx * cos;
    let stopping = 2.0 / 7.0 * mass * slip;
    let dragged = properties.cushion_friction * pressed;
    let share = if stopping <= dragged {
        2.0 / 7.0 * mass
    } else {
        dragged / slip
    };
    let (px, py) = (share * sx, share * sy);

    // Back from the tangent plane at the nose to the table (eq. 21 and 22).
    let across = -px * sin - pressed * cos;
    let up = px * cos - pressed * sin;
    let turned = 2.5 / (mass * radius);
    let (dx, dy) = (-turned * py * sin, turned * (across * sin - up * cos));
    ball.velocity += (across * into + py * left) / mass;
    ball.spin += DVec3::from(((dx * into + dy * left), turned * py * cos));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ball after a cushion in the way of +x whose nose is as high as the ball's centre, after Han.
    fn reflected(velocity: DVec2, spin: DVec3, friction: f64) -> BallState {
        let properties = BallProperties {
            cushion_friction: friction,
            ..BallProperties::default()
        };
        let mut ball = BallState::moving(DVec2::ZERO, velocity, spin);
        CushionModel::Han.collide(&mut ball, DVec2::NEG_X, properties.radius, &properties);
        ball
    }

    #[test]
    fn a_ball_that_rolls_straight_at_a_level_nose_keeps_two_sevenths_of_its_roll() {
        let radius = BallProperties::default().radius;
        // Grip ends the slip of 1 m/s up the nose: 2/7 of it as impulse, 5/7 of the spin. Restitution 0.85.
        let ball = reflected(DVec2::X, DVec3::new(0.0, 1.0 / radius, 0.0), 0.2);
        assert!(ball.velocity.abs_diff_eq(DVec2::new(-0.85, 0.0), 1e-12));
        assert!(
            ball.spin
                .abs_diff_eq(DVec3::new(0.0, 2.0 / 7.0 / radius, 0.0), 1e-9)
        );
        // Friction of 0.05 × 1.85 m/s is not enough for that: 2.5 × 0.0925 of the spin goes.
        let ball = reflected(DVec2::X, DVec3::new(0.0, 1.0 / radius, 0.0), 0.05);
        assert!(
            ball.spin
                .abs_diff_eq(DVec3::new(0.0, 0.768_75 / radius, 0.0), 1e-9)
        );
    }

    #[test]
    fn a_ball_without_spin_keeps_five_sevenths_of_its_speed_along_a_level_nose() {
        let radius = BallProperties::default().radius;
        let ball = reflected(DVec2::new(1.0, 0.5), DVec3::ZERO, 0.2);
        assert!(
            ball.velocity
                .abs_diff_eq(DVec2::new(-0.85, 0.5 * 5.0 / 7.0), 1e-12)
        );
        assert!(
            ball.spin
                .abs_diff_eq(DVec3::new(0.0, 0.0, -5.0 / 7.0 * 0.5 / radius), 1e-9)
        );
    }
}
