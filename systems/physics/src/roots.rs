//! When a ball first touches something: the first time a polynomial comes down to zero.
//!
//! Closed formulas for quartics lose the small roots and the nearly double ones of a grazing ball. Here the interval is
//! cut where the polynomial turns, found from its derivatives; between two cuts it is monotone, so that the signs at
//! both ends tell for certain whether there is a root, and a bracketed Newton iteration finds it.

/// A polynomial of degree 4: coefficients of τ⁰ to τ⁴.
pub(crate) type Quartic = [f64; 5];

/// First τ in `0..=horizon` at which `polynomial` is at or below zero and decreasing, which is contact when it measures
/// the gap. A dip that stays above −`tolerance` is none: balls that move side by side touch without pressing.
pub(crate) fn first_contact(polynomial: &Quartic, horizon: f64, tolerance: f64) -> Option<f64> {
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
        let falls_below = at_right < at_left && at_right < -tolerance;
        if falls_below && at_left <= 0.0 {
            return Some(left);
        }
        if falls_below {
            return Some(root_between(polynomial, left, right, false));
        }
    }
    None
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
