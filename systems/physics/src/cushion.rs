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
