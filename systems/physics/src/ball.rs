//! A ball: what it is made of, and how it moves at one instant.

use glam::{DVec2, DVec3};
use serde::Deserialize;

/// What all balls of a table have in common: size, mass, and how cloth, balls and cushions act on them.
///
/// The defaults are those of a pool ball. Balls of one table are alike: the collision models assume equal masses.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BallProperties {
    /// Radius, metres.
    pub radius: f64,
    /// Mass, kilograms.
    pub mass: f64,
    /// Coefficient of friction between the cloth and a sliding ball.
    pub sliding_friction: f64,
    /// Coefficient of rolling friction: deceleration of a rolling ball in units of gravity.
    pub rolling_friction: f64,
    /// Angular deceleration of spin about the vertical, rad/s². Marlow measured about 10; the default is what
    /// pooltool uses, 10.9.
    pub spin_deceleration: f64,
    /// Share of the normal speed kept in a collision of two balls, 0 to 1.
    pub ball_restitution: f64,
    /// Share of the normal speed kept in a collision with a cushion, 0 to 1.
    pub cushion_restitution: f64,
    /// Coefficient of friction between ball and cushion.
    pub cushion_friction: f64,
    /// Acceleration of gravity, m/s².
    pub gravity: f64,
}

impl Default for BallProperties {
    fn default() -> Self {
        Self {
            radius: 0.028_575,
            mass: 0.170_097,
            sliding_friction: 0.2,
            rolling_friction: 0.01,
            spin_deceleration: 10.9,
            ball_restitution: 0.95,
            cushion_restitution: 0.85,
            cushion_friction: 0.2,
            gravity: 9.81,
        }
    }
}

/// The way a ball moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BallMotion {
    /// At rest.
    #[default]
    Stationary,
    /// In place, turning about the vertical.
    Spinning,
    /// Moving with its lowest point sliding over the cloth: its path is a parabola.
    Sliding,
    /// Moving with its lowest point at rest on the cloth: its path is straight.
    Rolling,
    /// In the pocket of this index.
    Pocketed(usize),
}

impl BallMotion {
    /// Whether the ball's place changes.
    pub const fn is_moving(self) -> bool {
        matches!(self, Self::Sliding | Self::Rolling)
    }

    /// Whether the ball has left the table.
    pub const fn is_pocketed(self) -> bool {
        matches!(self, Self::Pocketed(_))
    }
}

/// A ball at one instant, in table space.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BallState {
    /// Centre, metres.
    pub position: DVec2,
    /// Velocity of the centre, m/s.
    pub velocity: DVec2,
    /// Angular velocity, rad/s, right-handed about x, y and the upward z.
    pub spin: DVec3,
    /// The way it moves.
    pub motion: BallMotion,
}

impl BallState {
    /// A ball at rest.
    pub fn at_rest(position: DVec2) -> Self {
        Self {
            position,
            ..Self::default()
        }
    }

    /// A ball that rolls without slipping and without side spin; at rest when `velocity` is zero.
    pub fn rolling(position: DVec2, velocity: DVec2, properties: &BallProperties) -> Self {
        if velocity == DVec2::ZERO {
            return Self::at_rest(position);
        }
        Self {
            position,
            velocity,
            spin: rolling_spin(velocity, properties.radius).extend(0.0),
            motion: BallMotion::Rolling,
        }
    }

    /// A ball with any velocity and spin, as after a strike: it slides, turns in place, or rests.
    pub fn moving(position: DVec2, velocity: DVec2, spin: DVec3) -> Self {
        let motion = if velocity != DVec2::ZERO || spin.truncate() != DVec2::ZERO {
            BallMotion::Sliding
        } else if spin.z != 0.0 {
            BallMotion::Spinning
        } else {
            BallMotion::Stationary
        };
        Self {
            position,
            velocity,
            spin,
            motion,
        }
    }

    /// Kinetic energy of moving and turning, joules; zero in a pocket.
    pub fn energy(&self, properties: &BallProperties) -> f64 {
        let inertia_per_mass = 0.4 * properties.radius * properties.radius;
        0.5 * properties.mass
            * (self.velocity.length_squared() + inertia_per_mass * self.spin.length_squared())
    }

    /// Velocity of the ball's lowest point over the cloth, m/s: u = v + ω × (−R ẑ); zero when rolling.
    pub fn slip(&self, radius: f64) -> DVec2 {
        self.velocity - radius * DVec2::new(self.spin.y, -self.spin.x)
    }

    /// Whether every number in it is finite.
    pub fn is_finite(&self) -> bool {
        self.position.is_finite() && self.velocity.is_finite() && self.spin.is_finite()
    }
}

/// Horizontal spin of a ball that rolls with `velocity`: ω = ẑ × v / R.
pub(crate) fn rolling_spin(velocity: DVec2, radius: f64) -> DVec2 {
    velocity.perp() / radius
}
