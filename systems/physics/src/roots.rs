//! When a ball first touches something: the first time a polynomial comes down to zero.
//!
//! Closed formulas for quartics lose the small roots and the nearly double ones of a grazing ball. Here the interval is
//! cut where the polynomial turns, found from its derivatives; between two cuts it is monotone, so that the signs at
//! both ends tell for certain whether there is a root, and a bracketed Newton iteration finds it.

/// A polynomial of degree 4: coefficients of τ⁰ to τ⁴.
pub(crate) type Quartic = [f64; 5];

/// Bodies that touch and approach so slowly that it takes them longer than this, seconds, to pass the tolerance are pressed
/// together, not in collision.
const PRESSING_TIME: f64 = 1e-5;

/// First τ in `0..=horizon` at which `polynomial` is at or below zero and decreasing, which is contact when it measures
/// the gap. A dip that stays above −`tolerance` is none: balls that move side by side touch without pressing. Bodies that are
/// pressed together from rest are in contact once they pass −`tolerance`, so that an impact on its way through a row of
/// touching balls comes first.
pub(crate) fn first_contact(polynomial: &Quartic, horizon: f64, tolerance: f64) -> Option<f64> {
    if stays_positive(polynomial, horizon) {
        return None;
    }
    let [_, c1, c2, c3, c4] = *polynomial;
    let slope = [c1, 2.0 * c2, 3.0 * c3, 4.0 * c4];

    let mut turns_of_slope = Cuts::new(horizon);
    for root in quadratic_roots(2.0 * c2, 6.0 * c3, 12.0 * c4) {
        turns_of_slope.push(root);
    }
    let mut turns = Cuts::new(horizon);
    for (left, right) in turns_of_slope.pieces() {
        let (at_left, at_right) = (evaluate(&slope, left), evaluate(&slope, right));
        if (at_left < 0.0) != (at_right < 0.0) {
            turns.push(root_between(&slope, left, right, at_left < at_right));
        }
    }
    for (left, right) in turns.pieces() {
        let (at_left, at_right) = (evaluate(polynomial, left), evaluate(polynomial, right));
        if !(at_right < at_left && at_right < -tolerance) {
            continue;
        }
        if at_left > 0.0 {
            return Some(root_between(polynomial, left, right, false));
        }
        let approaches = evaluate(&slope, left) * PRESSING_TIME < -tolerance;
        if approaches || at_left <= -tolerance {
            return Some(left);
        }
        let mut lifted = *polynomial;
        lifted[0] += tolerance;
        return Some(root_between(&lifted, left, right, false));
    }
    None
}

/// Whether all Bernstein coefficients over `0..=horizon` are positive: the polynomial lies within their hull, so that this
/// rules out a root for certain. Most balls that could meet by their bounding boxes are ruled out here.
fn stays_positive(polynomial: &Quartic, horizon: f64) -> bool {
    let mut power = 1.0;
    let [c0, c1, c2, c3, c4] = polynomial.map(|coefficient| {
        let scaled = coefficient * power;
        power *= horizon;
        scaled
    });
    c0 > 0.0
        && c0 + c1 / 4.0 > 0.0
        && c0 + c1 / 2.0 + c2 / 6.0 > 0.0
        && c0 + 0.75 * c1 + c2 / 2.0 + c3 / 4.0 > 0.0
        && c0 + c1 + c2 + c3 + c4 > 0.0
}

/// Cuts of an interval that starts at zero, pushed in ascending order.
struct Cuts {
    at: [f64; 5],
    len: usize,
    end: f64,
}

impl Cuts {
    fn new(end: f64) -> Self {
        Self {
            at: [0.0; 5],
            len: 1,
            end,
        }
    }

    fn push(&mut self, cut: f64) {
        if cut > self.at[self.len - 1] && cut < self.end && self.len < self.at.len() {
            self.at[self.len] = cut;
            self.len += 1;
        }
    }

    fn pieces(&self) -> impl Iterator<Item = (f64, f64)> {
        (0..self.len).map(|i| {
            (
                self.at[i],
                if i + 1 < self.len {
                    self.at[i + 1]
                } else {
                    self.end
                },
            )
        })
    }
}

fn evaluate<const N: usize>(polynomial: &[f64; N], at: f64) -> f64 {
    polynomial.iter().rev().fold(0.0, |sum, c| sum * at + c)
}

fn evaluate_with_slope<const N: usize>(polynomial: &[f64; N], at: f64) -> (f64, f64) {
    polynomial.iter().rev().fold((0.0, 0.0), |(value, slope), c| {
        (value * at + c, slope * at + value)
    })
}

/// Real roots of c0 + c1 τ + c2 τ², ascending; those that do not exist are NaN, which no comparison lets through.
pub(crate) fn quadratic_roots(c0: f64, c1: f64, c2: f64) -> [f64; 2] {
    let discriminant = c1 * c1 - 4.0 * c2 * c0;
    // Adding numbers of the same sign only: no cancellation in either root.
    let q = -0.5 * (c1 + discriminant.sqrt().copysign(c1));
    let (a, b) = (q / c2, c0 / q);
    match (a.is_finite(), b.is_finite()) {
        (true, true) => [a.min(b), a.max(b)],
        (true, false) => [a, f64::NAN],
        _ => [b, f64::NAN],
    }
}

/// The root of a polynomial that is monotone between `left` and `right` and has one there.
fn root_between<const N: usize>(polynomial: &[f64; N], left: f64, right: f64, rising: bool) -> f64 {
    let (mut low, mut high) = if rising { (left, right) } else { (right, left) };
    let mut root = 0.5 * (low + high);
    // Each step at least halves the bracket or converges quadratically: 64 exhaust the digits of f64.
    for _ in 0..64 {
        let (value, slope) = evaluate_with_slope(polynomial, root);
        if value == 0.0 {
            return root;
        }
        if value < 0.0 {
            low = root;
        } else {
            high = root;
        }
        let newton = root - value / slope;
        let (lower, upper) = (low.min(high), low.max(high));
        let next = if newton > lower && newton < upper {
            newton
        } else {
            0.5 * (low + high)
        };
        if (next - root).abs() <= f64::EPSILON * root.abs() || upper - lower <= f64::EPSILON * upper {
            return next;
        }
        root = next;
    }
    root
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// (τ − a)(τ − b)(τ² + c² + d), expanded.
    fn with_roots(a: f64, b: f64, c: f64, d: f64) -> Quartic {
        let (p, q) = (a * b, -(a + b));
        let (r, s) = (c * c + d, -2.0 * c);
        [p * r, q * r + p * s, r + q * s + p, q + s, 1.0]
    }

    proptest! {
        #[test]
        fn the_first_root_of_a_quartic_is_found(a in 0.01..1.0, apart in 0.01..1.0, c in -1.0..1.0, d in 0.1..1.0) {
            let found = first_contact(&with_roots(a, a + apart, c, d), 3.0, 1e-12);
            prop_assert!(found.is_some_and(|root| (root - a).abs() < 1e-9), "{:?} instead of {}", found, a);
        }
    }

    #[test]
    fn a_dip_that_does_not_reach_zero_is_no_contact() {
        assert_eq!(first_contact(&[1.0001, -2.0, 1.0, 0.0, 0.0], 5.0, 1e-12), None);
    }

    #[test]
    fn a_contact_beyond_the_horizon_is_none() {
        assert_eq!(first_contact(&[1.0, -1.0, 0.0, 0.0, 0.0], 0.9, 1e-12), None);
        assert_eq!(first_contact(&[1.0, -1.0, 0.0, 0.0, 0.0], 1.1, 1e-12), Some(1.0));
    }

    #[test]
    fn touching_bodies_that_part_are_in_contact_only_when_they_meet_again() {
        // Zero at 0 and at 2, above zero between.
        let found = first_contact(&[0.0, 2.0, -1.0, 0.0, 0.0], 5.0, 1e-12);
        assert!(found.is_some_and(|root| (root - 2.0).abs() < 1e-12));
    }

    #[test]
    fn touching_bodies_that_approach_are_in_contact_at_once() {
        assert_eq!(first_contact(&[0.0, -1.0, 1.0, 0.0, 0.0], 5.0, 1e-12), Some(0.0));
    }

    #[test]
    fn touching_bodies_that_are_pressed_together_are_in_contact_a_moment_later() {
        let found = first_contact(&[0.0, -1e-15, -1.0, 0.0, 0.0], 5.0, 1e-12);
        assert!(found.is_some_and(|root| (root - 1e-6).abs() < 1e-9), "{found:?}");
    }

    #[test]
    fn touching_bodies_that_move_side_by_side_are_never_in_contact() {
        assert_eq!(first_contact(&[0.0, -1e-17, 1e-18, 0.0, 0.0], 5.0, 1e-12), None);
        assert_eq!(first_contact(&[0.0; 5], f64::INFINITY, 1e-12), None);
    }

    #[test]
    fn quadratic_roots_keep_their_digits_when_one_is_tiny() {
        let [small, large] = quadratic_roots(1e-12, -1.0, 1.0);
        assert!((small / 1e-12 - 1.0).abs() < 1e-9 && (large - 1.0).abs() < 1e-9);
        assert!(quadratic_roots(1.0, 0.0, 1.0).iter().all(|root| root.is_nan()));
    }
}
