//! Inputs that no simulation can start from.

use crate::{BallState, Physics, TableShape};

/// Why a shot cannot be simulated.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PhysicsError {
    /// A ball has a position, velocity or spin that is not a number or beyond ±10⁶ in SI units.
    #[error("ball {ball}: expected position, velocity and spin within a million SI units, found {state:?}")]
    BadBall {
        /// The ball's index.
        ball: usize,
        /// Its state.
        state: BallState,
    },
    /// A property is outside its range.
    #[error("{name}: expected {expected}, found {found}")]
    BadProperty {
        /// The property.
        name: &'static str,
        /// Its range.
        expected: &'static str,
        /// Its value.
        found: f64,
    },
    /// The table has a part that is not finite.
    #[error("table: expected finite cushions, jaws and pockets, found {part} {index} that is not")]
    BadTable {
        /// Kind of the part.
        part: &'static str,
        /// Index of the part.
        index: usize,
    },
}

/// Checks everything a simulation relies on.
pub(crate) fn check(table: &TableShape, physics: &Physics, balls: &[BallState]) -> Result<(), PhysicsError> {
    let ball = &physics.ball;
    for (name, value) in [
        ("ball radius", ball.radius),
        ("ball mass", ball.mass),
        ("sliding friction", ball.sliding_friction),
        ("rolling friction", ball.rolling_friction),
        ("spin deceleration", ball.spin_deceleration),
        ("gravity", ball.gravity),
    ] {
        if !(value > 0.0 && value.is_finite()) {
            return Err(PhysicsError::BadProperty {
                name,
                expected: "a positive number",
                found: value,
            });
        }
    }
    for (name, value) in [
        ("ball restitution", ball.ball_restitution),
        ("cushion restitution", ball.cushion_restitution),
    ] {
        if !(0.0..=1.0).contains(&value) {
            return Err(PhysicsError::BadProperty {
                name,
                expected: "0 to 1",
                found: value,
            });
        }
    }
    if !(ball.cushion_friction >= 0.0 && ball.cushion_friction.is_finite()) {
        return Err(PhysicsError::BadProperty {
            name: "cushion friction",
            expected: "0 or a positive number",
            found: ball.cushion_friction,
        });
    }
    if !table.cushion_height.is_finite() {
        return Err(PhysicsError::BadProperty {
            name: "cushion height",
            expected: "a finite number",
            found: table.cushion_height,
        });
    }
    let bad_part = |part, index: Option<usize>| index.map(|index| PhysicsError::BadTable { part, index });
    let bad = bad_part(
        "cushion",
        table
            .cushions
            .iter()
            .position(|c| !(c.start.is_finite() && c.end.is_finite() && c.normal.is_normalized())),
    )
    .or(bad_part(
        "jaw",
        table
            .jaws
            .iter()
            .position(|j| !(j.center.is_finite() && j.radius.is_finite())),
    ))
    .or(bad_part(
        "pocket",
        table
            .pockets
            .iter()
            .position(|p| !(p.center.is_finite() && p.radius.is_finite())),
    ));
    if let Some(error) = bad {
        return Err(error);
    }
    match balls.iter().position(|state| !is_plausible(state)) {
        Some(ball) => Err(PhysicsError::BadBall {
            ball,
            state: balls[ball],
        }),
        None => Ok(()),
    }
}

/// Beyond these numbers squares of squares lose their meaning, and no ball is there.
fn is_plausible(state: &BallState) -> bool {
    const MOST: f64 = 1e6;
    // Comparisons with NaN are false.
    state.position.abs().max_element() <= MOST
        && state.velocity.abs().max_element() <= MOST
        && state.spin.abs().max_element() <= MOST
        && state.is_finite()
}
