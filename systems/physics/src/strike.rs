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

#[cfg(test)]
mod tests {
    use super::*;

    /// Mass of the ball over that of the stick 0.3, over that of its end 30, so that the numbers are short.
    fn struck(offset_left: f64, offset_up: f64, elevation: f64) -> (DVec2, DVec3) {
        let properties = BallProperties {
            mass: 0.17,
            radius: 0.03,
            ..BallProperties::default()
        };
        let blow = Strike {
            offset_left,
            offset_up,
            elevation,
            stick_mass: 0.17 / 0.3,
            end_mass: 0.17 / 30.0,
            ..Strike::default()
        };
        strike(&properties, &blow)
    }

    #[test]
    fn a_hit_off_centre_is_slower_turns_the_ball_and_squirts_it() {
        // 2 / (1 + 0.3 + 2.5 × 0.09); squirt atan(2.5 × 0.3 √0.91 / (1 + 30 + 2.5 × 0.91)) to the right.
        let (velocity, spin) = struck(0.3, 0.0, 0.0);
        assert!((velocity.length() - 2.0 / 1.525).abs() < 1e-12);
        assert!(
            (velocity.to_angle() + 0.021_498_0).abs() < 1e-6,
            "{}",
            velocity.to_angle()
        );
        assert!(spin.abs_diff_eq(DVec3::new(0.0, 0.0, -2.5 * 0.3 * 2.0 / 1.525 / 0.03), 1e-9));
    }

    #[test]
    fn a_stick_raised_by_sixty_degrees_on_the_centre_gives_half_the_speed_and_no_spin() {
        let (velocity, spin) = struck(0.0, 0.0, std::f64::consts::FRAC_PI_3);
        assert!(velocity.abs_diff_eq(DVec2::new(1.0 / 1.3, 0.0), 1e-12));
        assert!(spin.length() < 1e-9);
    }

    #[test]
    fn a_raised_stick_with_side_gives_the_spin_of_a_masse() {
        // Upright, the stick goes through the side of the ball: no speed over the cloth, all spin about the line of aim.
        let (velocity, spin) = struck(0.4, 0.0, std::f64::consts::FRAC_PI_2);
        assert!(velocity.length() < 1e-12);
        let speed = 2.0 / (1.3 + 2.5 * 0.16);
        assert!(spin.abs_diff_eq(DVec3::new(-2.5 * 0.4 * speed / 0.03, 0.0, 0.0), 1e-9));
    }
}
