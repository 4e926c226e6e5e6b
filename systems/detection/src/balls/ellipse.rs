//! The outline of a sphere in a picture, and its fit to rim points.
//!
//! Seen off the optical axis a sphere is an ellipse whose long axis points to the picture's middle. How much longer it
//! is depends on the lens, which is not known here, so it is fitted, with a prior.

use glam::DVec2;

use super::polar::{PerRay, RAYS, Rays};

/// A rim point of weight 1 is good to about this many radii.
pub const SIGMA: f32 = 0.04;
/// How far the elongation may be from the usual one, in radii (standard deviation of the prior): lenses differ.
const ELONGATION_SIGMA: f32 = 0.02;
/// Distances of balls that touch are known this well, in radii: how a table that is seen at an angle is foreshortened is
/// known to some percent.
const TOUCHING_SIGMA: f32 = 0.04;
/// Balls that seem this much farther apart than touching ones, in radii, do not touch.
const FARTHEST_TOUCHING: f32 = 0.2;
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

/// What the rays from an ellipse's centre met.
#[derive(Clone, Copy, Debug)]
pub struct RimPoints {
    /// From the centre, in mean radii.
    pub distance: PerRay,
    /// 1 for a point that is good to [`SIGMA`], less for one that is worse.
    pub weight: PerRay,
}

/// What a ball's outline should be at its place.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Pixels.
    pub radius: f64,
    /// Standard deviation of that, by the radius.
    pub radius_sigma: f32,
    /// By the radius.
    pub elongation: f32,
    /// Balls that are so near that they may touch it.
    pub touching: &'a [Touching],
}

/// Another ball.
#[derive(Clone, Copy, Debug, Default)]
pub struct Touching {
    /// Its centre, pixels.
    pub center: DVec2,
    /// How far apart both are if they touch, pixels.
    pub distance: f64,
}

/// An ellipse relative to another one, in units of that one's mean radius.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// Of the centre, right and down.
    pub shift: [f32; 2],
    /// Mean of the half axes.
    pub radius: f32,
    /// Half of the difference of the half axes.
    pub elongation: f32,
}

impl Ellipse {
    /// One that is not longer in any direction.
    #[cfg(test)]
    pub fn circle(center: DVec2, radius: f64) -> Self {
        Self {
            center,
            radius,
            elongation: 0.0,
            axis: DVec2::X,
        }
    }

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

    /// This ellipse, relative to itself.
    pub fn as_fit(&self) -> Fit {
        Fit {
            shift: [0.0, 0.0],
            radius: 1.0,
            elongation: (self.elongation / self.radius) as f32,
        }
    }

    /// Where the rays meet what `fit` is, in mean radii. Exact to second order in the shift.
    pub fn meet(&self, rays: &Rays, fit: &Fit) -> PerRay {
        let ([x, y], bend) = (fit.shift, 0.5 / fit.radius.max(0.1));
        std::array::from_fn(|ray| {
            let (cos, sin) = (rays.cos[ray], rays.sin[ray]);
            let across = x * sin - y * cos;
            x * cos + y * sin + fit.radius + fit.elongation * self.cos_double([cos, sin])
                - bend * across * across
        })
    }

    /// Improves a fit by rim points, in one round of least squares: those `reach` radii off it count little, those twice as
    /// far nothing (Tukey's biweight: Huber & Ronchetti, Robust Statistics, 2nd ed., §4.8).
    pub fn fit(&self, rays: &Rays, points: &[RimPoints], expected: &Expected, reach: f32, fit: &mut Fit) {
        let radius = (expected.radius / self.radius) as f32;
        let double: PerRay = std::array::from_fn(|ray| self.cos_double([rays.cos[ray], rays.sin[ray]]));
        let per_reach = 0.5 / reach;
        let met = self.meet(rays, fit);
        let mut weight = [0.0; RAYS];
        let mut pull = [0.0; RAYS];
        for points in points {
            for ray in 0..RAYS {
                let off = points.distance[ray] - met[ray];
                let far = off * per_reach;
                let biweight = (1.0 - far * far).max(0.0);
                let trust = biweight * biweight * points.weight[ray];
                weight[ray] += trust;
                pull[ray] += trust * off;
            }
        }
        let rows = [&rays.cos, &rays.sin, &[1.0; RAYS], &double];
        let mut system = NormalEquations::new(rows, &weight, &pull);
        let prior = |sigma: f32| (SIGMA / sigma) * (SIGMA / sigma);
        system.hold(0, -fit.shift[0], prior(SHIFT_SIGMA));
        system.hold(1, -fit.shift[1], prior(SHIFT_SIGMA));
        system.hold(2, radius - fit.radius, prior(expected.radius_sigma));
        system.hold(
            3,
            expected.elongation * radius - fit.elongation,
            prior(ELONGATION_SIGMA),
        );
        let center = self.moved(fit).center;
        for other in expected.touching {
            let away = center - other.center;
            let lacking = ((other.distance - away.length()) / self.radius) as f32;
            let far = (-lacking / FARTHEST_TOUCHING).max(0.0);
            let trust = (1.0 - far * far).max(0.0);
            // The other ball gives way as much.
            let pull = 0.5 * lacking;
            system.hold_along(
                away.normalize_or_zero(),
                pull,
                trust * trust * prior(TOUCHING_SIGMA),
            );
        }
        let Some([x, y, wider, longer]) = system.solve() else {
            return;
        };
        fit.shift[0] += x;
        fit.shift[1] += y;
        fit.radius = (fit.radius + wider).clamp(0.8 * radius, 1.25 * radius);
        fit.elongation = (fit.elongation + longer).clamp(-0.05, 0.15);
    }

    /// What `fit` is.
    pub fn moved(&self, fit: &Fit) -> Self {
        let [x, y] = fit.shift.map(f64::from);
        Self {
            center: self.center + self.radius * DVec2::new(x, y),
            radius: self.radius * f64::from(fit.radius),
            elongation: self.radius * f64::from(fit.elongation),
            axis: self.axis,
        }
    }
}

/// In a fixed order, whatever the processor.
#[inline]
pub(super) fn sum_of_products(a: &PerRay, b: &PerRay) -> f32 {
    let mut sums = [0.0; 8];
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for i in 0..8 {
            sums[i] += a[i] * b[i];
        }
    }
    ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]))
}

/// Weighted least squares for four unknowns.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NormalEquations {
    matrix: [[f32; 4]; 4],
    right: [f32; 4],
}

impl NormalEquations {
    /// Of what the rays say: each weighs so much, and its row by the change of the unknowns is how far it is off; `pull` is that
    /// by its weight.
    pub fn new(rows: [&PerRay; 4], weight: &PerRay, pull: &PerRay) -> Self {
        let mut system = Self::default();
        for i in 0..4 {
            let weighed: PerRay = std::array::from_fn(|ray| rows[i][ray] * weight[ray]);
            for (j, row) in rows.iter().enumerate().take(i + 1) {
                let sum = sum_of_products(&weighed, row);
                system.matrix[i][j] = sum;
                system.matrix[j][i] = sum;
            }
            system.right[i] = sum_of_products(rows[i], pull);
        }
        system
    }

    /// Draws an unknown to a value.
    #[inline]
    pub fn hold(&mut self, unknown: usize, value: f32, weight: f32) {
        self.matrix[unknown][unknown] += weight;
        self.right[unknown] += weight * value;
    }

    /// Draws the shift along a unit vector to a value.
    #[inline]
    fn hold_along(&mut self, direction: DVec2, value: f32, weight: f32) {
        let along = direction.as_vec2().to_array();
        for i in 0..2 {
            for j in 0..2 {
                self.matrix[i][j] += weight * along[i] * along[j];
            }
            self.right[i] += weight * along[i] * value;
        }
    }

    /// By elimination; the priors make the matrix positive definite, so no pivoting is needed.
    pub fn solve(mut self) -> Option<[f32; 4]> {
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
        let guess = Ellipse::circle(DVec2::new(100.0, 50.0), 15.0);
        let rays = Rays::default();
        // Where a ray meets the true outline, by bisection.
        let meet = |ray: usize| {
            let direction = DVec2::new(f64::from(rays.cos[ray]), f64::from(rays.sin[ray]));
            let (mut near, mut far) = (0.0, 40.0);
            for _ in 0..40 {
                let middle = 0.5 * (near + far);
                let off = (guess.center + middle * direction - truth.center) / DVec2::new(16.5, 14.5);
                if off.length_squared() < 1.0 {
                    near = middle;
                } else {
                    far = middle;
                }
            }
            (near / guess.radius) as f32
        };
        let points = RimPoints {
            distance: std::array::from_fn(meet),
            weight: std::array::from_fn(|ray| if ray < 20 { 1.0 } else { 0.0 }),
        };
        let mut fit = guess.as_fit();
        let expected = Expected {
            radius: 15.5,
            radius_sigma: 0.05,
            elongation: 0.05,
            touching: &[],
        };
        for _ in 0..6 {
            guess.fit(&rays, &[points], &expected, 0.16, &mut fit);
        }
        let found = guess.moved(&fit);
        // Second order in the shift; a grid laid anew there is right.
        assert!(found.center.distance(truth.center) < 0.3, "{found:?}");
        assert!((found.radius - truth.radius).abs() < 0.2, "{found:?}");
    }

    #[test]
    fn a_ball_that_shows_nothing_lies_where_it_touches_those_round_it() {
        let guess = Ellipse::circle(DVec2::new(101.5, 49.2), 15.0);
        let touching = [[70.0, 50.0], [130.0, 50.0], [100.0, 80.0]].map(|center| Touching {
            center: DVec2::from(center),
            distance: 30.0,
        });
        let points = RimPoints {
            distance: [1.3; RAYS],
            weight: [0.001; RAYS],
        };
        let expected = Expected {
            radius: 15.0,
            radius_sigma: 0.05,
            elongation: 0.0,
            touching: &touching,
        };
        let mut fit = guess.as_fit();
        for _ in 0..6 {
            guess.fit(&Rays::default(), &[points], &expected, 0.1, &mut fit);
        }
        let found = guess.moved(&fit).center;
        assert!(found.distance(DVec2::new(100.0, 50.0)) < 0.3, "{found}");
        // Far from balls that do not touch it, it stays.
        let apart = touching.map(|other| Touching {
            distance: 20.0,
            ..other
        });
        let mut fit = guess.as_fit();
        let expected = Expected {
            touching: &apart,
            ..expected
        };
        guess.fit(&Rays::default(), &[points], &expected, 0.1, &mut fit);
        assert!(guess.moved(&fit).center.distance(guess.center) < 0.1);
    }
}
