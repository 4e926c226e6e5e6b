//! Whether there is a ball's rim round a place, and where exactly.
//!
//! Rays run outwards from the supposed centre. Along each, the steepest change of colour near the expected radius is a
//! rim point; an ellipse is fitted to them (least squares, iteratively reweighted with Tukey's biweight, Huber & Ronchetti,
//! Robust Statistics, 2nd ed., §4.8), and what share of the rays then agree with it is the evidence for a ball.

use ghostball_world::{Plane, Planes};
use glam::DVec2;

use super::place::BallPlace;
use crate::cloth::ClothModel;

/// Rays per ball.
pub const RAYS: usize = 32;
/// Samples per ray.
const SAMPLES: usize = 14;
/// Nearest sample, in radii.
const FIRST: f32 = 0.58;
/// Distance of samples, in radii: about a pixel for a ball of 15 pixels.
const SPACING: f32 = 0.0625;
/// A rim point is a step of at least this many standard deviations of cloth pixels.
const LEAST_STEP_SIGMAS: f32 = 5.0;
/// Rim points this near to the ellipse, in radii, agree with it.
const AGREEMENT: f32 = 0.09;
/// A pixel this many standard deviations from the cloth's colour is not lit cloth.
const UNLIKE_SIGMAS: f32 = 5.0;

/// Where rays look for the ball, in radii.
const INSIDE: [f32; 2] = [0.7, 0.85];
/// Where they look for cloth, in radii: at several distances, for marks on the cloth are no ball.
const OUTSIDE: [f32; 3] = [1.15, 1.25, 1.35];
/// Share of the cloth's light that a shadow leaves, at least: under a ball's edge, where several lamps are hidden,
/// and in the open, where what is darker is taken for a ball.
const LIGHT_OUTSIDE: f32 = 0.25;
const LIGHT_INSIDE: f32 = 0.45;
/// Share of the cloth's light that a lamp's or projector's spot leaves, at most.
const MOST_LIGHT: f32 = 1.35;
/// Outside a ball, shadow and reflected colour may remain; the outside is at most this much as unlike lit cloth as the
/// inside, where a larger thing would go on.
const LESS_STRANGE: f32 = 0.5;

/// Lamps differ in tint, so where one of them is hidden the chroma moves, by up to this share of the missing luma:
/// under a ball's edge, with what the ball reflects, and in the open.
const TINT_OUTSIDE: f32 = 0.3;
const TINT_INSIDE: f32 = 0.12;

/// What is seen round a supposed centre.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rim {
    /// Centre of the ellipse, pixels.
    pub center: DVec2,
    /// Mean radius, pixels.
    pub radius: f64,
    /// Half of the difference of the half axes, pixels: along the line to the picture's middle minus across it.
    pub elongation: f64,
    /// Share of the inside that is neither lit nor shaded cloth.
    pub fill: f32,
    /// Share of the inside that is not lit cloth.
    pub dark_fill: f32,
    /// Median distance of the middle from the colour of lit cloth, in values of Y, U, V.
    pub inner: f32,
    /// The same for what lies just inside the rim.
    pub outer: f32,
    /// Mean contrast of rim points that agree, standard deviations of cloth pixels.
    pub contrast: f32,
    /// Rays with a rim point on the ellipse, one bit each.
    pub agreeing: u32,
    /// Rays that see something else than lit cloth just inside.
    pub covered: u32,
    /// Rays that see cloth, lit or shaded, just outside.
    pub free: u32,
    /// Rays that leave the cloth just outside: over a cushion or into a pocket, which may have any colour.
    pub beyond: u32,
}

impl Rim {
    /// Where a ray looks just outside the rim.
    pub fn outside(&self, ray: usize) -> DVec2 {
        let [cos, sin] = direction(ray).map(f64::from);
        self.center + f64::from(OUTSIDE[1]) * self.radius * DVec2::new(cos, sin)
    }
}

/// Looks for rims in one picture.
#[derive(Clone, Copy, Debug)]
pub struct RimFinder<'a> {
    planes: &'a Planes<'a>,
    cloth: &'a ClothModel,
    place: &'a BallPlace,
    middle: DVec2,
    per_noise: [f32; 3],
}

#[derive(Clone, Copy, Debug, Default)]
struct RimPoint {
    /// From the centre, radii.
    distance: f32,
    /// Step, standard deviations.
    step: f32,
}

impl<'a> RimFinder<'a> {
    /// `noise` is the standard deviation of cloth pixels (Y, U, V).
    pub fn new(planes: &'a Planes<'a>, cloth: &'a ClothModel, place: &'a BallPlace, noise: [f32; 3]) -> Self {
        let middle = 0.5 * DVec2::new(planes.luma.width as f64 - 1.0, planes.luma.height as f64 - 1.0);
        Self {
            planes,
            cloth,
            place,
            middle,
            per_noise: noise.map(|n| 1.0 / n),
        }
    }

    /// What is round `center`.
    pub fn look(&self, center: DVec2) -> Rim {
        let radius = self.place.radius_at(center);
        let mut rim = Rim {
            center,
            radius,
            elongation: 0.0,
            ..Rim::default()
        };
        // Wide first, then near what was found.
        for reach in [0.16, 0.10, 0.07] {
            let points = self.rim_points(&rim, reach);
            self.fit(&mut rim, &points, reach);
        }
        let points = self.rim_points(&rim, 0.08);
        self.judge(&mut rim, &points);
        rim
    }

    /// Colour against lit cloth, in standard deviations.
    fn difference(&self, cloth: [f32; 3], x: f32, y: f32) -> [f32; 3] {
        let color = self.sample(x, y);
        [0, 1, 2].map(|i| (color[i] - cloth[i]) * self.per_noise[i])
    }

    fn sample(&self, x: f32, y: f32) -> [f32; 3] {
        let luma = interpolate(&self.planes.luma, x, y);
        let Some(chroma) = &self.planes.chroma else {
            return [luma, 128.0, 128.0];
        };
        // The middle of the luma pixels that share a chroma sample.
        let at = |v: f32, shift: u32| {
            let size = (1 << shift) as f32;
            (v - 0.5 * (size - 1.0)) / size
        };
        let (cx, cy) = (at(x, chroma.shift_x), at(y, chroma.shift_y));
        [
            luma,
            interpolate(&chroma.u, cx, cy),
            interpolate(&chroma.v, cx, cy),
        ]
    }

    /// The steepest change on each ray, preferring those within `reach` radii of the rim.
    fn rim_points(&self, rim: &Rim, reach: f32) -> [RimPoint; RAYS] {
        let cloth = self.cloth.color_at(rim.center.x as f32, rim.center.y as f32);
        let shape = self.shape(rim);
        let mut points = [RimPoint::default(); RAYS];
        for (ray, point) in points.iter_mut().enumerate() {
            let [cos, sin] = direction(ray);
            let radius = shape.radius_towards(cos, sin);
            let mut colors = [[0.0; 3]; SAMPLES];
            for (i, color) in colors.iter_mut().enumerate() {
                let d = radius * (FIRST + SPACING * i as f32);
                *color = self.difference(cloth, shape.x + d * cos, shape.y + d * sin);
            }
            let mut steps = [0.0; SAMPLES];
            for i in 1..SAMPLES - 1 {
                let [a, b] = [colors[i - 1], colors[i + 1]];
                steps[i] = [0, 1, 2]
                    .map(|c| (b[c] - a[c]) * (b[c] - a[c]))
                    .iter()
                    .sum::<f32>()
                    .sqrt();
            }
            let (mut best, mut at) = (0.0, 0);
            for (i, step) in steps.iter().enumerate().take(SAMPLES - 1).skip(1) {
                let off = (FIRST + SPACING * i as f32 - 1.0) / reach;
                let score = step / (1.0 + off * off);
                if score > best {
                    (best, at) = (score, i);
                }
            }
            if at > 0 {
                let (a, b, c) = (steps[at - 1], steps[at], steps[at + 1]);
                let bend = a - 2.0 * b + c;
                let shift = if bend < 0.0 {
                    (0.5 * (a - c) / bend).clamp(-0.5, 0.5)
                } else {
                    0.0
                };
                *point = RimPoint {
                    distance: (FIRST + SPACING * (at as f32 + shift)) * radius / rim.radius as f32,
                    step: b,
                };
            }
        }
        points
    }

    fn shape(&self, rim: &Rim) -> Shape {
        let outwards = (rim.center - self.middle).normalize_or_zero();
        Shape {
            x: rim.center.x as f32,
            y: rim.center.y as f32,
            radius: rim.radius as f32,
            elongation: rim.elongation as f32,
            axis: [outwards.x as f32, outwards.y as f32],
        }
    }

    /// Moves `rim` to the ellipse through the points: radius + elongation cos 2(angle - axis) seen from its centre.
    fn fit(&self, rim: &mut Rim, points: &[RimPoint; RAYS], reach: f32) {
        let shape = self.shape(rim);
        let expected = (self.place.radius_at(rim.center) / rim.radius) as f32;
        // Unknown: shift in x and y, radius, elongation; all in units of the present radius.
        let mut solution = [0.0, 0.0, 1.0, shape.elongation / shape.radius];
        for _ in 0..3 {
            // Priors, as (weight, value): weights are relative to one rim point, which is good to 0.04 radii.
            let mut system = NormalEquations::default();
            system.add([1.0, 0.0, 0.0, 0.0], 0.0, 0.05);
            system.add([0.0, 1.0, 0.0, 0.0], 0.0, 0.05);
            system.add([0.0, 0.0, 1.0, 0.0], expected, 1.0);
            system.add([0.0, 0.0, 0.0, 1.0], 0.02, 1.5);
            for (ray, point) in points.iter().enumerate() {
                let [cos, sin] = direction(ray);
                let row = [cos, sin, 1.0, shape.cos_double(cos, sin)];
                let off = (point.distance - dot(row, solution)) / (2.0 * reach);
                let biweight = (1.0 - off * off).max(0.0);
                let trust = (point.step / LEAST_STEP_SIGMAS).min(3.0) / 3.0;
                system.add(row, point.distance, biweight * biweight * trust * trust);
            }
            let Some(found) = system.solve() else { return };
            solution = found;
        }
        let [dx, dy, radius, elongation] = solution.map(f64::from);
        // A candidate that has to move far is another's.
        if dx.abs() > 0.5 || dy.abs() > 0.5 {
            return;
        }
        let old = rim.radius;
        rim.center += old * DVec2::new(dx, dy);
        rim.radius = old * radius.clamp(0.8, 1.25);
        rim.elongation = old * elongation.clamp(-0.05, 0.15);
    }

    fn judge(&self, rim: &mut Rim, points: &[RimPoint; RAYS]) {
        let shape = self.shape(rim);
        let mut contrast = 0.0;
        for (ray, point) in points.iter().enumerate() {
            let [cos, sin] = direction(ray);
            let radius = shape.radius_towards(cos, sin);
            let at = |distance: f32| {
                [
                    shape.x + distance * radius * cos,
                    shape.y + distance * radius * sin,
                ]
            };
            let bit = 1 << ray;
            let off = (point.distance * shape.radius - radius).abs();
            if off <= AGREEMENT * radius && point.step >= LEAST_STEP_SIGMAS {
                rim.agreeing |= bit;
                contrast += point.step;
            }
            if INSIDE
                .iter()
                .any(|distance| self.unlike_any_cloth(at(*distance), (LIGHT_INSIDE, TINT_INSIDE)))
            {
                rim.covered |= bit;
            }
            let inside = INSIDE
                .map(|distance| self.strangeness(at(distance)))
                .into_iter()
                .fold(0.0, f32::max);
            let is_free = |distance: &f32| {
                let point = at(*distance);
                !self.unlike_any_cloth(point, (LIGHT_OUTSIDE, TINT_OUTSIDE))
                    || self.strangeness(point) < LESS_STRANGE * inside
            };
            if OUTSIDE.iter().any(is_free) {
                rim.free |= bit;
            }
            let [x, y] = at(OUTSIDE[1]).map(f64::from);
            if self.place.is_beyond_cloth(DVec2::new(x, y)) {
                rim.beyond |= bit;
            }
        }
        let (mut inner, mut inner_count) = ([0.0; 24], 0);
        let mut outer = [0.0; RAYS];
        for (ray, outer) in outer.iter_mut().enumerate() {
            let [cos, sin] = direction(ray);
            let d = 0.85 * shape.radius_towards(cos, sin);
            *outer = self.strangeness([shape.x + d * cos, shape.y + d * sin]);
        }
        let (mut fill, mut dark_fill, mut count) = (0, 0, 0);
        for (distance, every) in [(0.3, 4), (0.55, 2), (0.8, 2)] {
            for ray in (0..RAYS).step_by(every) {
                let [cos, sin] = direction(ray);
                let d = distance * shape.radius_towards(cos, sin);
                let point = [shape.x + d * cos, shape.y + d * sin];
                fill += usize::from(self.unlike_any_cloth(point, (LIGHT_INSIDE, TINT_INSIDE)));
                dark_fill += usize::from(self.unlike_lit_cloth(point));
                count += 1;
                if distance < 0.6 {
                    inner[inner_count] = self.strangeness(point);
                    inner_count += 1;
                }
            }
        }
        rim.inner = median(&mut inner);
        rim.outer = median(&mut outer);
        rim.contrast = contrast / rim.agreeing.count_ones().max(1) as f32;
        rim.fill = fill as f32 / count as f32;
        rim.dark_fill = dark_fill as f32 / count as f32;
    }

    /// Neither lit nor shaded cloth: a shadow takes the same share of all light, so Y above black and the chroma's
    /// distance from neutral shrink alike.
    fn unlike_any_cloth(&self, [x, y]: [f32; 2], (least_light, tint): (f32, f32)) -> bool {
        let cloth = self.cloth.color_at(x, y);
        let color = self.sample(x, y);
        let black = self.cloth.black;
        let light = (color[0] - black).max(0.0) / (cloth[0] - black).max(1.0);
        let off = |i: usize| color[i] - 128.0 - light * (cloth[i] - 128.0);
        let (u, v) = (off(1), off(2));
        let reach =
            UNLIKE_SIGMAS / self.per_noise[1].min(self.per_noise[2]) + tint * (color[0] - cloth[0]).abs();
        u * u + v * v > reach * reach || !(least_light..=MOST_LIGHT).contains(&light)
    }

    /// Distance from the colour of lit cloth, in values of Y, U, V; what is darker counts half, as shadows are.
    fn strangeness(&self, [x, y]: [f32; 2]) -> f32 {
        let cloth = self.cloth.color_at(x, y);
        let color = self.sample(x, y);
        let mut d = [0, 1, 2].map(|i| color[i] - cloth[i]);
        if d[0] < 0.0 {
            d[0] *= 0.5;
        }
        dot3(d, d).sqrt()
    }

    /// Not lit cloth.
    fn unlike_lit_cloth(&self, [x, y]: [f32; 2]) -> bool {
        let d = self.difference(self.cloth.color_at(x, y), x, y);
        dot3(d, d) > UNLIKE_SIGMAS * UNLIKE_SIGMAS
    }
}

/// An ellipse, one axis of which points to the picture's middle.
#[derive(Clone, Copy, Debug)]
struct Shape {
    x: f32,
    y: f32,
    radius: f32,
    elongation: f32,
    axis: [f32; 2],
}

impl Shape {
    /// Cosine of twice the angle between a direction and the axis.
    fn cos_double(&self, cos: f32, sin: f32) -> f32 {
        let along = cos * self.axis[0] + sin * self.axis[1];
        2.0 * along * along - 1.0
    }

    fn radius_towards(&self, cos: f32, sin: f32) -> f32 {
        self.radius + self.elongation * self.cos_double(cos, sin)
    }
}

/// Weighted least squares for four unknowns.
#[derive(Clone, Copy, Debug, Default)]
struct NormalEquations {
    matrix: [[f32; 4]; 4],
    right: [f32; 4],
}

impl NormalEquations {
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

fn dot(a: [f32; 4], b: [f32; 4]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn median(values: &mut [f32]) -> f32 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}

fn dot3(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Unit vector of a ray.
fn direction(ray: usize) -> [f32; 2] {
    let angle = std::f32::consts::TAU * ray as f32 / RAYS as f32;
    [libm::cosf(angle), libm::sinf(angle)]
}

/// The plane at a place between its samples; the nearest border sample outside.
#[inline]
fn interpolate(plane: &Plane, x: f32, y: f32) -> f32 {
    let x = x.clamp(0.0, (plane.width - 1) as f32);
    let y = y.clamp(0.0, (plane.height - 1) as f32);
    let (x0, y0) = (x as usize, y as usize);
    let (x1, y1) = ((x0 + 1).min(plane.width - 1), (y0 + 1).min(plane.height - 1));
    let (fx, fy) = (x - x0 as f32, y - y0 as f32);
    let at = |x, y| f32::from(plane.at(x, y));
    let top = at(x0, y0) + (at(x1, y0) - at(x0, y0)) * fx;
    let bottom = at(x0, y1) + (at(x1, y1) - at(x0, y1)) * fx;
    top + (bottom - top) * fy
}
