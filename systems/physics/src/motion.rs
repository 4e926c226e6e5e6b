//! Motion between two events: position quadratic, spin linear in time.
//!
//! Formulas: Leckie & Greenspan, An Event-Based Pool Physics Simulator (2006); Marlow, The Physics of Pocket
//! Billiards (1995). With the contact velocity u = v + ω × (−R ẑ), a sliding ball accelerates by −μₛ g û and its
//! spin by 5 μₛ g / (2R) ẑ × û until u = 0 after 2|u| / (7 μₛ g); a rolling ball decelerates by μᵣ g along v.

use glam::{DVec2, DVec3};

use crate::ball::rolling_spin;
use crate::{BallMotion, BallProperties, BallState};

/// How a ball goes on from a state while nothing touches it, until the way it moves changes by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Motion {
    /// State at the start.
    pub start: BallState,
    /// Constant acceleration of the centre, m/s².
    pub acceleration: DVec2,
    /// Constant angular acceleration, rad/s²; that about z ends where the spin about z has become zero.
    pub spin_acceleration: DVec3,
    /// Seconds until sliding turns into rolling, rolling into rest, and so on; infinite for a ball at rest.
    pub duration: f64,
}

impl Motion {
    /// The motion that follows from a state.
    pub fn new(start: BallState, properties: &BallProperties) -> Self {
        let spin_rate = if start.spin.z == 0.0 {
            0.0
        } else {
            -start.spin.z.signum() * properties.spin_deceleration
        };
        let (acceleration, horizontal_rate, duration) = match start.motion {
            BallMotion::Stationary | BallMotion::Pocketed(_) => {
                return Self {
                    start,
                    acceleration: DVec2::ZERO,
                    spin_acceleration: DVec3::ZERO,
                    duration: f64::INFINITY,
                };
            }
            BallMotion::Spinning => (
                DVec2::ZERO,
                DVec2::ZERO,
                start.spin.z.abs() / properties.spin_deceleration,
            ),
            BallMotion::Sliding => {
                let slip = start.slip(properties.radius);
                let direction = slip.normalize_or_zero();
                let friction = properties.sliding_friction * properties.gravity;
                (
                    -friction * direction,
                    2.5 * friction / properties.radius * direction.perp(),
                    2.0 * slip.length() / (7.0 * friction),
                )
            }
            BallMotion::Rolling => {
                let friction = properties.rolling_friction * properties.gravity;
                let acceleration = -friction * start.velocity.normalize_or_zero();
                (
                    acceleration,
                    rolling_spin(acceleration, properties.radius),
                    start.velocity.length() / friction,
                )
            }
        };
        Self {
            start,
            acceleration,
            spin_acceleration: horizontal_rate.extend(spin_rate),
            duration,
        }
    }

    /// Centre `elapsed` seconds after the start, metres in table space.
    pub fn position_at(&self, elapsed: f64) -> DVec2 {
        self.start.position + elapsed * (self.start.velocity + 0.5 * elapsed * self.acceleration)
    }

    /// Velocity `elapsed` seconds after the start, m/s.
    pub fn velocity_at(&self, elapsed: f64) -> DVec2 {
        self.start.velocity + elapsed * self.acceleration
    }

    /// State `elapsed` seconds after the start, within the duration.
    pub fn state_at(&self, elapsed: f64) -> BallState {
        let mut spin = self.start.spin + elapsed * self.spin_acceleration;
        if spin.z * self.start.spin.z <= 0.0 {
            spin.z = 0.0;
        }
        BallState {
            position: self.position_at(elapsed),
            velocity: self.velocity_at(elapsed),
            spin,
            motion: self.start.motion,
        }
    }

    /// State at the end of the duration, moving in its next way.
    pub fn end(&self, properties: &BallProperties) -> BallState {
        if self.duration.is_infinite() {
            return self.start;
        }
        let mut state = self.state_at(self.duration);
        match self.start.motion {
            BallMotion::Sliding => {
                state.motion = BallMotion::Rolling;
                state.spin = rolling_spin(state.velocity, properties.radius).extend(state.spin.z);
            }
            BallMotion::Rolling if state.spin.z != 0.0 => {
                state.motion = BallMotion::Spinning;
                state.velocity = DVec2::ZERO;
                state.spin = DVec3::new(0.0, 0.0, state.spin.z);
            }
            BallMotion::Rolling | BallMotion::Spinning => {
                state = BallState::at_rest(state.position);
            }
            BallMotion::Stationary | BallMotion::Pocketed(_) => {}
        }
        state
    }

    /// Smallest box, lower and upper corner, that holds the centre during the first `elapsed` seconds.
    pub(crate) fn bounds(&self, elapsed: f64) -> (DVec2, DVec2) {
        let end = self.position_at(elapsed);
        let mut lower = self.start.position.min(end);
        let mut upper = self.start.position.max(end);
        // Each coordinate is a parabola: its turning point may lie outside both ends.
        for axis in 0..2 {
            let turning = -self.start.velocity[axis] / self.acceleration[axis];
            if turning > 0.0 && turning < elapsed {
                let extreme = self.position_at(turning)[axis];
                lower[axis] = lower[axis].min(extreme);
                upper[axis] = upper[axis].max(extreme);
            }
        }
        (lower, upper)
    }
}
