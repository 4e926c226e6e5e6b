//! The cue hits the ball.

use glam::{DVec2, DVec3};

use crate::BallProperties;

/// A strike with a cue stick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Strike {
    /// Speed of the stick at impact, m/s.
    pub stick_speed: f64,
    /// Direction of the shot, radians from +x towards +y.
    pub direction: f64,
    /// Where the tip hits, to the left of the centre as the player sees it, in ball radii.
    pub offset_left: f64,
    /// Where the tip hits, above the centre as the player sees it along the stick, in ball radii.
    pub offset_up: f64,
    /// How steeply the stick points down, radians, 0 for a level stick.
    pub elevation: f64,
    /// Mass of the stick, kilograms.
    pub stick_mass: f64,
    /// Mass of the part of the stick's end that moves aside with an off-centre tip, kilograms: it is what makes the
    /// ball squirt.
    pub end_mass: f64,
}

impl Default for Strike {
    /// A level stick of 20 ounces on the centre at 1 m/s along +x.
    fn default() -> Self {
        Self {
            stick_speed: 1.0,
            direction: 0.0,
            offset_left: 0.0,
            offset_up: 0.0,
            elevation: 0.0,
            stick_mass: 0.567,
            end_mass: 0.005_669_9,
        }
    }
}

/// Velocity (m/s) and spin (rad/s) that a resting ball gets from a strike.
///
/// The impact is instantaneous, on one point and without slip: Alciatore, technical proof A-30 (also Leckie & Greenspan
/// 2006, section 3); squirt after technical proof A-31. Offsets beyond the ball's edge are drawn in to it.
pub fn strike(properties: &BallProperties, strike: &Strike) -> (DVec2, DVec3) {
    let offset = DVec2::new(strike.offset_left, strike.offset_up).clamp_length_max(1.0);
    let (sin, cos) = libm::sincos(strike.elevation);
    // Point of contact on the unit sphere: to the left, up, and back towards the player, in the frame of the stick …
    let (left, up) = (offset.x, offset.y);
    let back = (1.0 - offset.length_squared()).max(0.0).sqrt();
    // … and in that of the table.
    let (back, up) = (cos * back - sin * up, sin * back + cos * up);

    let arm_up = up * cos - back * sin;
    let arm_squared = left * left + arm_up * arm_up;
    let speed = 2.0 * strike.stick_speed / (1.0 + properties.mass / strike.stick_mass + 2.5 * arm_squared);

    let inner = 1.0 - left * left;
    let squirt = libm::atan2(
        2.5 * left * inner.sqrt(),
        1.0 + properties.mass / strike.end_mass + 2.5 * inner,
    );
    let along = |angle: f64| {
        let (sin, cos) = libm::sincos(angle);
        DVec2::new(cos, sin)
    };
    let forward = along(strike.direction);
    let velocity = speed * cos * along(strike.direction - squirt);
    let spin_in_plane = arm_up * forward.perp() - left * sin * forward;
    let spin = 2.5 * speed / properties.radius * spin_in_plane.extend(-left * cos);
    (velocity, spin)
}
