//! The outline of a sphere in a picture, and its fit to rim points.
//!
//! Seen off the optical axis a sphere is an ellipse whose long axis points to the picture's middle. How much longer it
//! is depends on the lens, which is not known here, so it is fitted, with a prior.

use glam::DVec2;

/// A rim point is good to about this many radii.
const SIGMA: f32 = 0.04;
/// How far the radius may be from the expected one, and the elongation from the usual one, in radii (standard
/// deviations of the priors). Wide lenses reach an elongation of 0.1 in the picture's corners, long ones 0.
const RADIUS_SIGMA: f32 = 0.05;
const ELONGATION_SIGMA: f32 = 0.03;
const USUAL_ELONGATION: f32 = 0.02;
/// A standard deviation for the shift that hardly holds it.
const SHIFT_SIGMA: f32 = 0.25;

/// An ellipse, one axis of which points to the picture's middle.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ellipse {
    /// Centre, pixels.
    pub center: DVec2,
    /// Mean of the half axes, pixels.
    pub radius: f64,
    /// Half of the difference of the half axes, pixels: towards the picture's middle minus across.
    pub elongation: f64,
    /// Unit vector towards or away from the picture's middle.
    pub axis: DVec2,
}

/// What a ray from the centre met.
#[derive(Clone, Copy, Debug, Default)]
pub struct RimPoint {
    /// From the centre, in mean radii.
    pub distance: f32,
    /// 0 to 1.
    pub weight: f32,
}

impl Ellipse {
    /// Half the width of the ellipse in a direction (cosine, sine), pixels; exact to first order in the elongation.
    #[inline]
    pub fn radius_towards(&self, [cos, sin]: [f32; 2]) -> f32 {
        self.radius as f32 + self.elongation as f32 * self.cos_double([cos, sin])
    }

    /// Cosine of twice the angle between a direction and the axis.
    #[inline]
    fn cos_double(&self, [cos, sin]: [f32; 2]) -> f32 {
        let along = cos * self.axis.x as f32 + sin * self.axis.y as f32;
        2.0 * along * along - 1.0
    }

    /// Moves the ellipse to rim points, one for each of `directions`; points `reach` radii off the present fit count
    /// little, those twice as far nothing (Tukey's biweight: Huber & Ronchetti, Robust Statistics, 2nd ed., §4.8).
    /// `expected` is the radius that a ball has here, pixels.
    pub fn fit(&mut self, directions: &[[f32; 2]], points: &[RimPoint], expected: f64, reach: f32) {
        let expected = (expected / self.radius) as f32;
        // Shift in x and y, radius, elongation; all in units of the present radius.
        let mut solution = [0.0, 0.0, 1.0, (self.elongation / self.radius) as f32];
        for _ in 0..3 {
            let mut system = NormalEquations::default();
            let weight = |sigma: f32| (SIGMA / sigma) * (SIGMA / sigma);
            system.add([1.0, 0.0, 0.0, 0.0], 0.0, weight(SHIFT_SIGMA));
            system.add([0.0, 1.0, 0.0, 0.0], 0.0, weight(SHIFT_SIGMA));
            system.add([0.0, 0.0, 1.0, 0.0], expected, weight(RADIUS_SIGMA));
            system.add([0.0, 0.0, 0.0, 1.0], USUAL_ELONGATION, weight(ELONGATION_SIGMA));
            for (direction, point) in directions.iter().zip(points) {
                if point.weight <= 0.0 {
                    continue;
                }
                let row = [direction[0], direction[1], 1.0, self.cos_double(*direction)];
                let off = (point.distance - dot(row, solution)) / (2.0 * reach);
                let biweight = (1.0 - off * off).max(0.0);
                system.add(row, point.distance, biweight * biweight * point.weight);
            }
            let Some(found) = system.solve() else { return };
            solution = found;
        }
        let [dx, dy, radius, elongation] = solution.map(f64::from);
        // What has to move far is another's rim.
        if dx.abs() > 0.5 || dy.abs() > 0.5 {
            return;
        }
        let unit = self.radius;
        self.center += unit * DVec2::new(dx, dy);
        self.radius = unit * radius.clamp(0.8, 1.25);
        self.elongation = unit * elongation.clamp(-0.05, 0.15);
    }
}

/// Weighted least squares for four unknowns.
#[derive(Clone, Copy, Debug, Default)]
struct NormalEquations {
    matrix: [[f32; 4]; 4],
    right: [f32; 4],
}

impl NormalEquations {
    #[inline]
    fn add(&mut self, row: [f32; 4], value: f32, weight: f32) {
        for i in 0..4 {
            for j in 0..4 {
                self.matrix[i][j] += weight * row[i] * row[j];
            }
            self.right[i] += weight * row[i] * value;
        }
    }

    /// By elimination; the priors make the matrix positive definite, so no pivoting is needed.
    fn solve(mut self) -> Option<[f32; 4]> {
        for i in 0..4 {
            let pivot = self.matrix[i][i];
            if pivot.is_nan() || pivot <= 1e-6 {
                return None;
            }
            for j in i + 1..4 {
                let factor = self.matrix[j][i] / pivot;
                for k in i..4 {
                    self.matrix[j][k] -= factor * self.matrix[i][k];
                }
                self.right[j] -= factor * self.right[i];
            }
        }
        let mut solution = [0.0; 4];
        for i in (0..4).rev() {
            let known: f32 = (i + 1..4).map(|k| self.matrix[i][k] * solution[k]).sum();
            solution[i] = (self.right[i] - known) / self.matrix[i][i];
        }
        solution.iter().all(|v: &f32| v.is_finite()).then_some(solution)
    }
}

#[inline]
fn dot(a: [f32; 4], b: [f32; 4]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shifted_ellipse_is_found_from_half_of_its_rim() {
        let truth = Ellipse {
            center: DVec2::new(101.5, 49.0),
            radius: 15.5,
            elongation: 1.0,
            axis: DVec2::X,
        };
        let mut found = Ellipse {
            center: DVec2::new(100.0, 50.0),
            radius: 15.0,
            elongation: 0.0,
            axis: DVec2::X,
        };
        let directions: Vec<[f32; 2]> = (0..32)
            .map(|i| libm::sincosf(i as f32 * 0.19635))
            .map(|(s, c)| [c, s])
            .collect();
        for _ in 0..3 {
            // Where the ray from the present centre meets the true outline, by bisection.
            let points: Vec<RimPoint> = directions
                .iter()
                .enumerate()
                .map(|(i, d)| {
                    let direction = DVec2::new(f64::from(d[0]), f64::from(d[1]));
                    let (mut near, mut far) = (0.0, 40.0);
                    for _ in 0..40 {
                        let middle = 0.5 * (near + far);
                        let v = found.center + middle * direction - truth.center;
                        let inside = (v.x / 16.5).powi_2() + (v.y / 14.5).powi_2() < 1.0;
                        if inside { near = middle } else { far = middle }
                    }
                    RimPoint {
                        distance: (near / found.radius) as f32,
                        weight: if i < 20 { 1.0 } else { 0.0 },
                    }
                })
                .collect();
            found.fit(&directions, &points, 15.5, 0.16);
        }
        assert!(found.center.distance(truth.center) < 0.3, "{found:?}");
        assert!((found.radius - truth.radius).abs() < 0.2, "{found:?}");
    }

    trait Square {
        fn powi_2(self) -> f64;
    }
    impl Square for f64 {
        fn powi_2(self) -> f64 {
            self * self
        }
    }
}
