//! Whether there is a ball's rim round a place, and where exactly.
//!
//! Rays run outwards from the supposed centre. Along each, the steepest change of colour near the expected radius is a
//! rim point; an ellipse is fitted to them, and what share of the rays then agree with it, with something unlike cloth
//! inside and cloth outside, is the evidence for a ball.

use ghostball_world::{Plane, Planes};
use glam::DVec2;

use super::ellipse::{Ellipse, RimPoint};
use super::place::BallPlace;
use crate::cloth::ClothModel;
use crate::sample::color_of;

/// Rays per ball.
pub const RAYS: usize = 32;
/// Samples per ray.
const SAMPLES: usize = 14;
/// Nearest sample, in radii.
const FIRST: f32 = 0.58;
/// Distance of samples, in radii: about a pixel for a ball of 15 pixels.
const SPACING: f32 = 0.0625;
/// Samples of a ray that look for the ball: 0.70 and 0.83 radii from the centre.
const INSIDE: [usize; 2] = [2, 4];
/// Samples that look for cloth: 1.14, 1.27 and 1.33 radii; at several distances, for marks on the cloth are no ball.
const OUTSIDE: [usize; 3] = [9, 11, 12];
/// As far as the middle one of these.
const OUTSIDE_DISTANCE: f64 = 1.25;
/// Where the middle of a ball is looked at, in radii, and on every how manieth ray.
const MIDDLE: [(f32, usize); 2] = [(0.3, 4), (0.55, 2)];
const MIDDLE_SAMPLES: usize = RAYS / 4 + RAYS / 2;

/// How far from the expected rim, in radii, steps are preferred: round a candidate, and once an ellipse is fitted.
const WIDE_REACH: f32 = 0.16;
const NARROW_REACH: f32 = 0.08;
/// A rim point is a step of at least this many standard deviations of cloth pixels.
const LEAST_STEP_SIGMAS: f32 = 5.0;
/// A step this many times the least has full weight in the fit.
const FULL_STEP: f32 = 3.0;
/// How much a step inside a ball or between two of them is preferred, against one from a ball to cloth.
const INNER_STEP: f32 = 0.1;
/// How much a step counts in the fit where no cloth is behind it, against one where there is.
const NEIGHBOURS_TRUST: f32 = 0.4;
/// Rim points this near to the ellipse, in radii, agree with it.
const AGREEMENT: f32 = 0.09;
/// A candidate of which fewer rays than this share meet any step near the expected rim is given up at once.
const LEAST_STEPS: f32 = 0.4;
/// A pixel this many standard deviations from the cloth's colour is not lit cloth.
const UNLIKE_SIGMAS: f32 = 5.0;
/// A ball is unlike cloth in its middle by at least this share of what its rim is, unless it is darker than lit cloth by
/// more than this share: a stripe can have the cloth's own hue.
const LEAST_SOLIDITY: f32 = 0.45;
const UNSHADED: f32 = 0.15;
/// What has less than this share of its inside unlike shaded cloth may be a shadow.
const LEAST_FILL: f32 = 0.4;
/// How far from the centre highlights are looked for, in radii.
const HIGHLIGHT_REACH: f64 = 0.6;
/// A glint is brighter than this share of the way from lit cloth to white: a lamp's image, whatever the paint.
const GLINT: f32 = 0.5;
/// What has a glint is a ball where at most this share of its inside could be lit cloth.
const MOST_LIT: f32 = 0.05;
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

/// What is seen round a supposed centre. Sets of rays are one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rim {
    /// The outline.
    pub ellipse: Ellipse,
    /// Share of the inside that is neither lit nor shaded cloth.
    pub fill: f32,
    /// Share of the inside that is not lit cloth.
    pub dark_fill: f32,
    /// Median distance of the middle from the colour of lit cloth, in values of Y, U, V.
    pub inner: f32,
    /// The same for what lies just inside the rim.
    pub outer: f32,
    /// Root mean square distance of the agreeing rim points from the ellipse, radii.
    pub roughness: f32,
    /// Whether its middle is lit cloth rather than more of what is at its rim: a ring on the cloth.
    pub is_hollow: bool,
    /// Whether its colours could be those of cloth in a shadow: a shadow, or a ball of the cloth's own colour.
    pub is_shade: bool,
    /// Whether some of the inside is brighter than lit cloth, as no shadow is and every ball under a lamp.
    pub has_highlight: bool,
    /// Whether a lamp is mirrored in the inside and hardly any of it could be lit cloth: a ball's gloss, whatever its
    /// colour. Shadows have none, and light thrown on the cloth leaves it lit.
    pub is_glossy: bool,
    /// Rays with a rim point on the ellipse.
    pub agreeing: u32,
    /// Rays that see something else than cloth, lit or shaded, just inside.
    pub covered: u32,
    /// Rays that see something else than lit cloth just inside.
    pub dark: u32,
    /// Rays that see cloth, lit or shaded, just outside.
    pub free: u32,
    /// Rays that leave the cloth just outside: over a cushion or into a pocket, which may have any colour.
    pub beyond: u32,
}

/// Unit vectors of the rays.
#[derive(Clone, Copy, Debug)]
pub struct Rays([[f32; 2]; RAYS]);

impl Default for Rays {
    fn default() -> Self {
        Self(std::array::from_fn(|ray| {
            let (sin, cos) = libm::sincosf(std::f32::consts::TAU * ray as f32 / RAYS as f32);
            [cos, sin]
        }))
    }
}

impl Rays {
    /// The rays of `rim` that look, just outside, at a disc.
    pub fn that_see(&self, rim: &Rim, center: DVec2, radius: f64) -> u32 {
        let mut rays = 0;
        for (ray, [cos, sin]) in self.0.iter().enumerate() {
            let along = DVec2::new(f64::from(*cos), f64::from(*sin));
            let outside = rim.ellipse.center + OUTSIDE_DISTANCE * rim.ellipse.radius * along;
            if outside.distance_squared(center) < radius * radius {
                rays |= 1 << ray;
            }
        }
        rays
    }
}

/// Looks for rims in one picture.
#[derive(Clone, Copy, Debug)]
pub struct RimFinder<'a> {
    planes: &'a Planes<'a>,
    cloth: &'a ClothModel,
    place: &'a BallPlace,
    rays: &'a Rays,
    middle_of_image: DVec2,
    per_noise: [f32; 3],
}

/// Colours along the rays, as differences from lit cloth (Y, U, V).
struct Samples {
    cloth: [f32; 3],
    rays: [[[f32; 3]; SAMPLES]; RAYS],
}

#[derive(Clone, Copy, Debug, Default)]
struct Step {
    /// From the centre, in radii towards that direction.
    distance: f32,
    /// Standard deviations of cloth pixels.
    height: f32,
}

impl<'a> RimFinder<'a> {
    /// `noise` is the standard deviation of cloth pixels (Y, U, V).
    pub fn new(
        planes: &'a Planes<'a>,
        cloth: &'a ClothModel,
        place: &'a BallPlace,
        rays: &'a Rays,
        noise: [f32; 3],
    ) -> Self {
        Self {
            planes,
            cloth,
            place,
            rays,
            middle_of_image: 0.5
                * DVec2::new(planes.luma.width as f64 - 1.0, planes.luma.height as f64 - 1.0),
            per_noise: noise.map(|n| 1.0 / n),
        }
    }

    /// What is round `center`; `None` where that is surely no ball.
    pub fn look(&self, center: DVec2) -> Option<Rim> {
        let radius = self.place.radius_at(center);
        let mut ellipse = Ellipse {
            center,
            radius,
            elongation: 0.0,
            axis: (center - self.middle_of_image).normalize_or_zero(),
        };
        let steps = self.steps::<false>(&self.sample_rays::<false>(&ellipse), WIDE_REACH);
        let near = |s: &&Step| s.height >= LEAST_STEP_SIGMAS && (s.distance - 1.0).abs() < 2.0 * WIDE_REACH;
        if (steps.iter().filter(near).count() as f32) < LEAST_STEPS * RAYS as f32 {
            return None;
        }
        self.fit(&mut ellipse, &steps, !0, WIDE_REACH);
        let samples = self.sample_rays::<false>(&ellipse);
        let steps = self.steps::<false>(&samples, NARROW_REACH);
        Some(self.judge(ellipse, &samples, &steps))
    }

    /// Centre and radius as well as the picture tells them. Where the size of balls is a guess only, what has the most
    /// contrast is taken for the rim.
    pub fn refine(&self, rim: &mut Rim, is_size_known: bool) {
        // A stripe's cap has a rim of its own, of more contrast and a little smaller: what borders on cloth leads.
        if is_size_known {
            let steps = self.steps::<true>(&self.sample_rays::<true>(&rim.ellipse), WIDE_REACH);
            self.fit(&mut rim.ellipse, &steps, rim.free, WIDE_REACH);
        }
        for reach in [NARROW_REACH, 0.75 * NARROW_REACH] {
            let steps = self.steps::<false>(&self.sample_rays::<true>(&rim.ellipse), reach);
            self.fit(&mut rim.ellipse, &steps, rim.free, reach);
        }
    }

    /// Colours along the rays: of the nearest pixels, or, where `FINE`, interpolated between them.
    fn sample_rays<const FINE: bool>(&self, ellipse: &Ellipse) -> Samples {
        let [x, y] = ellipse.center.as_vec2().to_array();
        let cloth = self.cloth.color_at(x, y);
        let mut rays = [[[0.0; 3]; SAMPLES]; RAYS];
        for (samples, direction) in rays.iter_mut().zip(&self.rays.0) {
            let radius = ellipse.radius_towards(*direction);
            let [dx, dy] = direction.map(|d| radius * d);
            if FINE {
                for (i, sample) in samples.iter_mut().enumerate() {
                    let d = FIRST + SPACING * i as f32;
                    let color = self.color_between(x + d * dx, y + d * dy);
                    *sample = std::array::from_fn(|i| color[i] - cloth[i]);
                }
            } else {
                // Fixed point, 1/65536 pixel: conversions from floating point would cost more than all else.
                let fixed = |v: f32| (v * 65536.0) as i32;
                let [mut px, mut py] = [fixed(x + FIRST * dx + 0.5), fixed(y + FIRST * dy + 0.5)];
                let [step_x, step_y] = [fixed(SPACING * dx), fixed(SPACING * dy)];
                for sample in samples {
                    let color = self.color_at(px >> 16, py >> 16);
                    *sample = std::array::from_fn(|i| f32::from(color[i]) - cloth[i]);
                    px = px.saturating_add(step_x);
                    py = py.saturating_add(step_y);
                }
            }
        }
        Samples { cloth, rays }
    }

    /// Colour of a pixel; outside the picture, of the nearest one.
    #[inline]
    fn color_at(&self, x: i32, y: i32) -> [u8; 3] {
        let x = (x.max(0) as usize).min(self.planes.luma.width - 1);
        let y = (y.max(0) as usize).min(self.planes.luma.height - 1);
        color_of(self.planes, x, y)
    }

    /// Colour between pixels.
    #[inline]
    fn color_between(&self, x: f32, y: f32) -> [f32; 3] {
        let luma = interpolate(&self.planes.luma, x, y);
        let Some(chroma) = &self.planes.chroma else {
            return [luma, 128.0, 128.0];
        };
        // The middle of the luma pixels that share a chroma sample.
        let at = |v: f32, shift: u32| if shift == 0 { v } else { 0.5 * v - 0.25 };
        let (cx, cy) = (at(x, chroma.shift_x), at(y, chroma.shift_y));
        [
            luma,
            interpolate(&chroma.u, cx, cy),
            interpolate(&chroma.v, cx, cy),
        ]
    }

    /// The steepest change on each ray, preferring those within `reach` radii of the rim; and, where `TO_CLOTH`, those
    /// from something else to cloth, whatever their contrast.
    fn steps<const TO_CLOTH: bool>(&self, samples: &Samples, reach: f32) -> [Step; RAYS] {
        let preference: [f32; SAMPLES] = std::array::from_fn(|i| {
            let off = (FIRST + SPACING * i as f32 - 1.0) / reach;
            1.0 / ((1.0 + off * off) * (1.0 + off * off))
        });
        let weights = self.per_noise.map(|w| w * w);
        let mut steps = [Step::default(); RAYS];
        for (step, colors) in steps.iter_mut().zip(&samples.rays) {
            let mut squares = [0.0_f32; SAMPLES];
            for i in 1..SAMPLES - 1 {
                let (a, b) = (colors[i - 1], colors[i + 1]);
                let d = [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
                squares[i] = d[0] * d[0] * weights[0] + d[1] * d[1] * weights[1] + d[2] * d[2] * weights[2];
            }
            let (mut best, mut at) = (0.0, 0);
            for i in 1..SAMPLES - 1 {
                let mut score = squares[i] * preference[i];
                if TO_CLOTH {
                    if squares[i] < squares[i - 1] || squares[i] < squares[i + 1] {
                        continue;
                    }
                    let is_cloth = |at: usize| {
                        let color = colors[at.min(SAMPLES - 1)];
                        !self.is_unlike_any_cloth(samples.cloth, color, LIGHT_OUTSIDE, TINT_OUTSIDE)
                    };
                    let sure = FULL_STEP * LEAST_STEP_SIGMAS;
                    score = squares[i].min(sure * sure) * preference[i];
                    if !is_cloth(i + 2) || is_cloth(i.saturating_sub(2)) {
                        score *= INNER_STEP;
                    }
                }
                if score > best {
                    (best, at) = (score, i);
                }
            }
            if at > 0 {
                let [a, b, c] = [at - 1, at, at + 1].map(|i| squares[i].sqrt());
                let bend = a - 2.0 * b + c;
                let shift = if bend < 0.0 {
                    (0.5 * (a - c) / bend).clamp(-0.5, 0.5)
                } else {
                    0.0
                };
                *step = Step {
                    distance: FIRST + SPACING * (at as f32 + shift),
                    height: b,
                };
            }
        }
        steps
    }

    /// `free` are the rays that see cloth outside: what they meet is this ball's rim, not a neighbour's.
    fn fit(&self, ellipse: &mut Ellipse, steps: &[Step; RAYS], free: u32, reach: f32) {
        let mut points = [RimPoint::default(); RAYS];
        for (ray, (point, step)) in points.iter_mut().zip(steps).enumerate() {
            let direction = &self.rays.0[ray];
            let trust = (step.height / (FULL_STEP * LEAST_STEP_SIGMAS)).min(1.0);
            *point = RimPoint {
                distance: step.distance * ellipse.radius_towards(*direction) / ellipse.radius as f32,
                weight: trust
                    * trust
                    * if free & (1 << ray) != 0 {
                        1.0
                    } else {
                        NEIGHBOURS_TRUST
                    },
            };
        }
        let expected = self.place.radius_at(ellipse.center);
        ellipse.fit(&self.rays.0, &points, expected, reach);
    }

    fn judge(&self, ellipse: Ellipse, samples: &Samples, steps: &[Step; RAYS]) -> Rim {
        let mut rim = Rim {
            ellipse,
            ..Rim::default()
        };
        let cloth = samples.cloth;
        let is_lit = |color: [f32; 3]| color[0] > -UNSHADED * cloth[0];
        let (mut fill, mut dark_fill, mut lit_fill) = (0, 0, 0);
        let mut outer = [0.0; RAYS];
        let [x, y] = ellipse.center.as_vec2().to_array();
        for (ray, colors) in samples.rays.iter().enumerate() {
            let bit = 1 << ray;
            if (steps[ray].distance - 1.0).abs() <= AGREEMENT && steps[ray].height >= LEAST_STEP_SIGMAS {
                rim.agreeing |= bit;
                rim.roughness += (steps[ray].distance - 1.0) * (steps[ray].distance - 1.0);
            }
            let inside = INSIDE.map(|i| colors[i]);
            if inside
                .iter()
                .any(|c| self.is_unlike_any_cloth(cloth, *c, LIGHT_INSIDE, TINT_INSIDE))
            {
                rim.covered |= bit;
                fill += 1;
            } else if inside.iter().all(|c| is_lit(*c)) {
                lit_fill += 1;
            }
            if inside.iter().any(|c| self.is_unlike_lit_cloth(*c)) {
                rim.dark |= bit;
                dark_fill += 1;
            }
            outer[ray] = strangeness(inside[1]);
            let strange = inside.map(strangeness);
            let limit = LESS_STRANGE * strange[0].max(strange[1]);
            let is_cloth = |i: &usize| {
                let color = colors[*i];
                !self.is_unlike_any_cloth(cloth, color, LIGHT_OUTSIDE, TINT_OUTSIDE)
                    || strangeness(color) < limit
            };
            if OUTSIDE.iter().any(is_cloth) {
                rim.free |= bit;
            }
            let direction = self.rays.0[ray].map(f64::from);
            let outside = ellipse.center + OUTSIDE_DISTANCE * ellipse.radius * DVec2::from(direction);
            if self.place.is_beyond_cloth(outside) {
                rim.beyond |= bit;
            }
        }
        rim.roughness = (rim.roughness / rim.agreeing.count_ones().max(1) as f32).sqrt();
        let mut middle = [0.0; MIDDLE_SAMPLES];
        let mut lit_middle = 0;
        let places = MIDDLE
            .iter()
            .flat_map(|(distance, every)| self.rays.0.iter().step_by(*every).map(|d| (*distance, *d)));
        for (middle, (distance, direction)) in middle.iter_mut().zip(places) {
            let radius = distance * ellipse.radius_towards(direction);
            let [px, py] = [x + radius * direction[0], y + radius * direction[1]].map(|v| (v + 0.5) as i32);
            let color = self.color_at(px, py);
            let color = std::array::from_fn(|i| f32::from(color[i]) - cloth[i]);
            let is_covered = self.is_unlike_any_cloth(cloth, color, LIGHT_INSIDE, TINT_INSIDE);
            fill += usize::from(is_covered);
            lit_fill += usize::from(!is_covered && is_lit(color));
            dark_fill += usize::from(self.is_unlike_lit_cloth(color));
            *middle = strangeness(color);
            lit_middle += usize::from(is_lit(color));
        }
        let count = (RAYS + MIDDLE_SAMPLES) as f32;
        rim.fill = fill as f32 / count;
        rim.dark_fill = dark_fill as f32 / count;
        // Without colour every dark ball would be one.
        rim.is_shade = self.planes.chroma.is_some() && rim.fill < LEAST_FILL;
        let brightest = self.brightest_inside(&ellipse);
        rim.has_highlight = brightest > cloth[0] + UNLIKE_SIGMAS / self.per_noise[0];
        rim.is_glossy = brightest > cloth[0] + GLINT * (self.cloth.white - cloth[0])
            && lit_fill as f32 <= MOST_LIT * count;
        rim.inner = median(&mut middle);
        rim.outer = median(&mut outer);
        rim.is_hollow =
            !rim.is_glossy && 2 * lit_middle > MIDDLE_SAMPLES && rim.inner < LEAST_SOLIDITY * rim.outer;
        rim
    }

    /// Y of the brightest pixel away from the rim.
    fn brightest_inside(&self, ellipse: &Ellipse) -> f32 {
        let [x, y] = ellipse.center.as_vec2().to_array().map(|v| v as i32);
        let reach = (HIGHLIGHT_REACH * ellipse.radius) as i32;
        let mut brightest = 0;
        for dy in -reach..=reach {
            let width = ((reach * reach - dy * dy) as f32).sqrt() as i32;
            for dx in -width..=width {
                brightest = brightest.max(self.color_at(x + dx, y + dy)[0]);
            }
        }
        f32::from(brightest)
    }

    /// Whether a difference from lit cloth is neither lit nor shaded cloth: a shadow takes the same share of all
    /// light, so Y above black and the chroma's distance from neutral shrink alike.
    fn is_unlike_any_cloth(&self, cloth: [f32; 3], d: [f32; 3], least_light: f32, tint: f32) -> bool {
        let full = (cloth[0] - self.cloth.black).max(1.0);
        let light = (full + d[0]).max(0.0) / full;
        let off = |i: usize| d[i] + (1.0 - light) * (cloth[i] - 128.0);
        let (u, v) = (off(1), off(2));
        let reach = UNLIKE_SIGMAS / self.per_noise[1].min(self.per_noise[2]) + tint * d[0].abs();
        u * u + v * v > reach * reach || !(least_light..=MOST_LIGHT).contains(&light)
    }

    fn is_unlike_lit_cloth(&self, d: [f32; 3]) -> bool {
        let [y, u, v] = [0, 1, 2].map(|i| d[i] * self.per_noise[i]);
        y * y + u * u + v * v > UNLIKE_SIGMAS * UNLIKE_SIGMAS
    }
}

/// Length of a difference from lit cloth, in values of Y, U, V; what is darker counts half, as shadows are.
fn strangeness([y, u, v]: [f32; 3]) -> f32 {
    let y = if y < 0.0 { 0.5 * y } else { y };
    (y * y + u * u + v * v).sqrt()
}

fn median(values: &mut [f32]) -> f32 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}

/// The plane at a place between its samples; the border's outside.
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
