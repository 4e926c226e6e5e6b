//! Stronge's compliant impact: the contact is a spring along the normal and one across it, with friction between.
//!
//! A rigid impulse ends all slip or none; a real cushion is wound up sideways and springs back, so that a ball can leave
//! with its contact point turned around. Source: Stronge, Impact Mechanics, chapter 5 (collinear impact with tangential
//! compliance and a bilinear normal law). Only the ratio of both springs' frequencies matters, not their stiffness: time is
//! counted here in radians of the normal spring, so that compression lasts π/2 and restitution e π/2.

use std::f64::consts::FRAC_PI_2;

use glam::{DVec2, DVec3};

use crate::{BallProperties, BallState};

/// Frequency of the tangential spring over that of the normal one, between 1 and 2.
const FREQUENCY_RATIO: f64 = 1.8;

/// β of a solid sphere: tangential impulse changes the velocity of the contact point 7/2 times as much as normal impulse.
const INERTIA_RATIO: f64 = 3.5;

/// Reflects a ball at a nose; `to_ball` points in plan from the nose, or from the axis of a rounded one, to the ball's
/// centre, and the nose is `rise` higher than the centre, metres. The line from there to the centre is the normal of contact.
/// The ball stays on the cloth: vertical impulse is left out.
pub(crate) fn collide(ball: &mut BallState, to_ball: DVec2, rise: f64, properties: &BallProperties) {
    let radius = properties.radius;
    let normal = to_ball.extend(-rise).normalize();
    let velocity = ball.velocity.extend(0.0);
    let approach = -velocity.dot(normal);
    let surface = velocity + radius * normal.cross(ball.spin);
    let slip = surface + approach * normal;
    let speed = slip.length();

    let mut change = (1.0 + properties.cushion_restitution) * approach * normal;
    if speed > f64::EPSILON {
        let direction = slip / speed;
        let left_over = slip_after(
            speed,
            approach,
            properties.cushion_friction,
            properties.cushion_restitution.max(1e-6),
        );
        let across: DVec3 = (left_over - speed) / INERTIA_RATIO * direction;
        change += across;
        ball.spin -= 2.5 / radius * normal.cross(across);
    }
    ball.velocity += change.truncate();
}

/// Slip that is left of `slip` (both in its direction, m/s) after a contact at normal speed `approach`.
fn slip_after(slip: f64, approach: f64, friction: f64, restitution: f64) -> f64 {
    let e = restitution;
    let stiffness = INERTIA_RATIO / (FREQUENCY_RATIO * FREQUENCY_RATIO);
    let grip = friction * approach;
    // Phase of the normal spring during restitution, which runs 1/e times as fast: sin is its force, cos its speed.
    let restitution_phase = |t: f64| t / e + FRAC_PI_2 * (1.0 - 1.0 / e);
    let end = FRAC_PI_2 * (1.0 + e);

    let slipping = slip / grip;
    // Below a restitution of 1 / FREQUENCY_RATIO what is not held in compression never is.
    let never_held = ((1.0 + e) * INERTIA_RATIO - stiffness / e).max(INERTIA_RATIO);
    if slipping >= never_held || grip <= 0.0 {
        return slip - grip * INERTIA_RATIO * (1.0 + e);
    }
    // When the tangential spring takes hold, how far it is wound up then (against the slip), and its slip.
    let (hold, wound, held_slip) = if slipping <= stiffness {
        (0.0, 0.0, slip)
    } else if slipping <= INERTIA_RATIO {
        let cos = (slipping - INERTIA_RATIO) / (stiffness - INERTIA_RATIO);
        let hold = libm::acos(cos.clamp(-1.0, 1.0));
        (
            hold,
            grip * stiffness * libm::sin(hold),
            slip - grip * INERTIA_RATIO * (1.0 - cos),
        )
    } else {
        let cos = (slipping - INERTIA_RATIO) / (stiffness / e - e * INERTIA_RATIO);
        let phase = libm::acos(cos.clamp(-1.0, 1.0));
        (
            e * (phase - FRAC_PI_2 * (1.0 - 1.0 / e)),
            grip * stiffness * libm::sin(phase),
            slip - grip * INERTIA_RATIO * (1.0 - e * cos),
        )
    };
    let swing = |t: f64| libm::sincos(FREQUENCY_RATIO * (t - hold));
    let pull = |t: f64| {
        let (sin, cos) = swing(t);
        wound * cos + held_slip / FREQUENCY_RATIO * sin
    };
    // It lets go in restitution, when it pulls harder than friction holds: mostly forwards, having swung through, but still
    // backwards where restitution is short.
    let pull_over_grip = |t: f64| pull(t).abs() - grip * stiffness * libm::sin(restitution_phase(t));
    let release = root_between(pull_over_grip, FRAC_PI_2, end);
    let (sin, cos) = swing(release);
    held_slip * cos
        - FREQUENCY_RATIO * wound * sin
        - pull(release).signum() * grip * INERTIA_RATIO * e * (1.0 + libm::cos(restitution_phase(release)))
}

/// Where a function rises through zero between `low` and `high`; the end it is nearer to if it does not. Regula falsi,
/// Illinois variant (Dowell & Jarratt 1971), with a bisection whenever three steps have not halved the bracket.
fn root_between(function: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    let (mut at_low, mut at_high) = (function(low), function(high));
    if at_low >= 0.0 {
        return low;
    }
    if at_high <= 0.0 {
        return high;
    }
    let mut kept_low = 0;
    let mut bracket = high - low;
    for step in 1..100 {
        if high - low <= 2.0 * f64::EPSILON * high {
            break;
        }
        let mut middle = (low * at_high - high * at_low) / (at_high - at_low);
        if step % 3 == 0 {
            if high - low > 0.5 * bracket {
                middle = 0.5 * (low + high);
            }
            bracket = high - low;
        }
        if !(middle > low && middle < high) {
            break;
        }
        let value = function(middle);
        if value == 0.0 {
            return middle;
        }
        if value < 0.0 {
            (low, at_low) = (middle, value);
            if kept_low < 0 {
                at_high *= 0.5;
            }
            kept_low = -1;
        } else {
            (high, at_high) = (middle, value);
            if kept_low > 0 {
                at_low *= 0.5;
            }
            kept_low = 1;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contact step by step: springs along and across, the one across held by friction.
    fn slip_by_steps(slip: f64, approach: f64, friction: f64, restitution: f64) -> f64 {
        let stiffness = FREQUENCY_RATIO * FREQUENCY_RATIO / INERTIA_RATIO;
        let steps = 100_000;
        let step = FRAC_PI_2 * (1.0 + restitution) / f64::from(steps);
        let (mut slip, mut wound) = (slip, 0.0_f64);
        for i in 0..steps {
            let time = (f64::from(i) + 0.5) * step;
            let pressed = if time < FRAC_PI_2 {
                libm::sin(time)
            } else {
                libm::cos((time - FRAC_PI_2) / restitution).max(0.0)
            };
            let most = friction * approach * pressed / stiffness;
            wound = (wound + slip * step).clamp(-most, most);
            slip -= INERTIA_RATIO * stiffness * wound * step;
        }
        slip
    }

    #[test]
    fn the_slip_that_is_left_is_that_of_the_springs_step_by_step() {
        // Held from the start, held in compression, held in restitution, never held; of all restitutions.
        for restitution in [0.05, 0.3, 0.45, 0.56, 0.7, 0.85, 0.98] {
            for slipping in [0.3, 0.8, 0.96, 1.3, 2.2, 3.1, 3.6, 4.5, 6.0, 8.0] {
                for friction in [0.05, 0.2, 0.5] {
                    let slip = slipping * friction;
                    let found = slip_after(slip, 1.0, friction, restitution);
                    let expected = slip_by_steps(slip, 1.0, friction, restitution);
                    let off = (found - expected).abs();
                    assert!(
                        off < 1e-4 * slip.max(1.0),
                        "{restitution} {slipping} {friction}: {found} {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn slip_that_friction_never_holds_loses_friction_times_both_impulses() {
        // 2 − 0.2 × 7/2 × 1.85.
        assert!((slip_after(2.0, 1.0, 0.2, 0.85) - 0.705).abs() < 1e-12);
    }
}
