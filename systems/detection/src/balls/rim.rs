//! Whether there is a ball's rim round a place, and where exactly.
//!
//! Rays run outwards from the supposed centre. On each, the edge that speaks most for a rim near the expected radius is
//! a rim point; an ellipse is fitted to them, and what share of the rays then agree with it, with something unlike cloth inside and cloth
//! outside, is the evidence for a ball.

use ghostball_world::Planes;
use glam::DVec2;

use super::border::{TAPS, Taps};
use super::ellipse::{Ellipse, Expected, Fit, RimPoints};
use super::place::BallPlace;
use super::polar::{PerRay, PolarGrid, SAMPLES};
pub use super::polar::{RAYS, Rays};
use super::steps::{LEAST_STEP_SIGMAS, NOT_TO_CLOTH, StepFinder, Steps};
use crate::cloth::ClothModel;
use crate::sample::color_of;

/// Where the ball is looked for, in radii from the centre.
const INSIDE: [f32; 2] = [0.70, 0.83];
/// Where cloth is looked for; at several distances, for marks on the cloth are no ball.
const OUTSIDE: [f32; 3] = [1.15, 1.27, 1.33];
/// As far as the middle one of these.
const OUTSIDE_DISTANCE: f64 = 1.25;
/// Where the middle of a ball is looked at, in radii, and on every how manieth ray.
const MIDDLE: [(f32, usize); 2] = [(0.3, 4), (0.55, 2)];
const MIDDLE_SAMPLES: usize = RAYS / 4 + RAYS / 2;

/// Where a first glance is taken, in radii, and on every how manieth ray: a candidate a fifth of a radius beside a ball
/// has all of them inside. Of these so many are unlike lit cloth: of a ball nine in ten are, less what chance takes.
const GLANCE: [f32; 2] = [0.4, 0.75];
const GLANCE_EVERY: usize = 4;
const LEAST_GLANCE: usize = 12;

/// How far from the expected rim, in radii, steps are preferred: round a candidate, and once an ellipse is fitted.
const WIDE_REACH: f32 = 0.16;
const NARROW_REACH: f32 = 0.08;
/// Rim points this near to the ellipse, in radii, agree with it.
const AGREEMENT: f32 = 0.09;
/// How far a ball's radius may be from the expected one, in radii (standard deviation), where that was measured on this
/// table, and where it is a guess.
const RADIUS_SIGMA: f32 = 0.05;
const GUESSED_RADIUS_SIGMA: f32 = 0.15;
/// Rounds of least squares with the same points: each weighs them anew.
const FITS: usize = 2;
/// A candidate of which fewer rays than this share meet any step near the expected rim is given up at once.
const LEAST_STEPS: f32 = 0.4;
/// A step this many times the least has full weight in the fit.
const FULL_STEP: f32 = 3.0;
/// Focal length of a usual lens by the picture's width; those of others make little difference.
const USUAL_FOCAL_LENGTH: f64 = 0.8;
/// No picture is wide enough for more, see [`Expected::elongation`].
const MOST_ELONGATION: f64 = 0.12;
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
/// With so many rays that see a rim and cloth behind it, three quarters, nothing but a ball is so round and of just this
/// size.
pub const WHOLE_RIM: u32 = 24;
/// Share of the cloth's light that a shadow leaves, at least: under a ball's edge, where several lamps are hidden,
/// and in the open, where what is darker is taken for a ball.
pub(super) const LIGHT_OUTSIDE: f32 = 0.25;
const LIGHT_INSIDE: f32 = 0.45;
/// Share of the cloth's light that a lamp's or projector's spot leaves, at most.
const MOST_LIGHT: f32 = 1.35;
/// Outside a ball, shadow and reflected colour may remain; the outside is at most this much as unlike lit cloth as the
/// inside, where a larger thing would go on.
const LESS_STRANGE: f32 = 0.5;
/// Lamps differ in tint, so where one of them is hidden the chroma moves, by up to this share of the missing luma:
/// under a ball's edge, with what the ball reflects, and in the open.
pub(super) const TINT_OUTSIDE: f32 = 0.3;
const TINT_INSIDE: f32 = 0.12;

/// What is seen round a supposed centre. Sets of rays are one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rim {
    /// The outline.
    pub ellipse: Ellipse,
    /// How far motion has drawn the ball out, pixels, in one direction or the opposite one; `None` where that is not seen.
    pub streak: Option<DVec2>,
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
    /// Whether a spot of the inside is far brighter than lit cloth and most of it is not: a lamp's image on a coloured ball.
    pub has_glint: bool,
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

/// Buffers of the looking, and its tables.
#[derive(Clone, Debug)]
pub struct Scratch {
    /// Directions.
    pub rays: Rays,
    pub(super) grid: PolarGrid,
    pub(super) cloth: [PerRay; SAMPLES],
    pub(super) finder: StepFinder,
    pub(super) taps: [Taps; 3],
}

impl Default for Scratch {
    fn default() -> Self {
        let rays = Rays::default();
        Self {
            rays,
            grid: PolarGrid::default(),
            cloth: [[0.0; RAYS]; SAMPLES],
            finder: StepFinder::default(),
            taps: [[[0.0; RAYS]; TAPS]; 3],
        }
    }
}

impl Rim {
    /// The rays that look, just outside, at a disc.
    pub fn rays_that_see(&self, rays: &Rays, center: DVec2, radius: f64) -> u32 {
        let off = (self.ellipse.center - center).as_vec2();
        let (reach, radius) = ((OUTSIDE_DISTANCE * self.ellipse.radius) as f32, radius as f32);
        let mut seen = 0;
        for ray in 0..RAYS {
            let (x, y) = (off.x + reach * rays.cos[ray], off.y + reach * rays.sin[ray]);
            seen |= u32::from(x * x + y * y < radius * radius) << ray;
        }
        seen
    }
}

/// Looks for rims in one picture.
#[derive(Clone, Copy, Debug)]
pub struct RimFinder<'a> {
    pub(super) planes: &'a Planes<'a>,
    pub(super) cloth: &'a ClothModel,
    pub(super) place: &'a BallPlace,
    middle_of_image: DVec2,
    /// Reciprocals of the standard deviations of cloth pixels.
    pub(super) per_noise: [f32; 3],
    radius_sigma: f32,
}

impl<'a> RimFinder<'a> {
    /// `noise` is the standard deviation of cloth pixels (Y, U, V); `is_size_known` says that balls have the table's
    /// apparent radius, which is otherwise a guess.
    pub fn new(
        planes: &'a Planes<'a>,
        cloth: &'a ClothModel,
        place: &'a BallPlace,
        noise: [f32; 3],
        is_size_known: bool,
    ) -> Self {
        Self {
            planes,
            cloth,
            place,
            middle_of_image: 0.5
                * DVec2::new(planes.luma.width as f64 - 1.0, planes.luma.height as f64 - 1.0),
            per_noise: noise.map(|n| 1.0 / n),
            radius_sigma: if is_size_known {
                RADIUS_SIGMA
            } else {
                GUESSED_RADIUS_SIGMA
            },
        }
    }

    /// What is round `center`; `None` where that is surely no ball.
    pub fn look(&self, center: DVec2, scratch: &mut Scratch) -> Option<Rim> {
        let Scratch {
            rays,
            grid,
            cloth,
            finder,
            ..
        } = scratch;
        let color = self.cloth.color_at(center.x as f32, center.y as f32);
        let ellipse = self.usual_ellipse(center);
        if !self.may_be_filled(&ellipse, rays, color) {
            return None;
        }
        grid.read(self.planes, rays, &ellipse);
        self.mark_cloth(grid, color, cloth);
        finder.find(grid, cloth, self.per_noise);
        let mut fit = ellipse.as_fit();
        let steps = finder.steps(cloth, &[1.0; RAYS], WIDE_REACH);
        let near = |ray: &usize| {
            steps.height[*ray] >= LEAST_STEP_SIGMAS && (steps.distance[*ray] - 1.0).abs() < 2.0 * WIDE_REACH
        };
        if ((0..RAYS).filter(near).count() as f32) < LEAST_STEPS * RAYS as f32 {
            return None;
        }
        self.fit(grid, rays, &steps, WIDE_REACH, &mut fit);
        let steps = finder.steps(cloth, &rim_on(grid, rays, &fit), NARROW_REACH);
        self.fit(grid, rays, &steps, NARROW_REACH, &mut fit);
        Some(self.judge(grid, rays, color, &steps, &fit))
    }

    /// Centre and radius of a ball whose size is asked for.
    pub fn measure(&self, rim: &mut Rim, scratch: &mut Scratch) {
        let Scratch {
            rays,
            grid,
            cloth,
            finder,
            ..
        } = scratch;
        let center = rim.ellipse.center.as_vec2();
        let color = self.cloth.color_at(center.x, center.y);
        grid.read_finely(self.planes, rays, &rim.ellipse);
        self.mark_cloth(grid, color, cloth);
        finder.find(grid, cloth, self.per_noise);
        let mut fit = grid.ellipse.as_fit();
        for reach in [NARROW_REACH, 0.75 * NARROW_REACH] {
            let steps = finder.steps(cloth, &rim_on(grid, rays, &fit), reach);
            self.fit(grid, rays, &steps, reach, &mut fit);
        }
        rim.ellipse = grid.ellipse.moved(&fit);
    }

    /// Whether enough of the inside is unlike lit cloth, at a first glance: most candidates lie half on a shadow or
    /// between lines on the cloth, and are seen through with some dozen pixels.
    fn may_be_filled(&self, ellipse: &Ellipse, rays: &Rays, cloth: [f32; 3]) -> bool {
        let [x, y] = ellipse.center.as_vec2().to_array().map(|v| v + 0.5);
        let mut filled = 0;
        for distance in GLANCE {
            let radius = distance * ellipse.radius as f32;
            for ray in (0..RAYS).step_by(GLANCE_EVERY) {
                let at = [x + radius * rays.cos[ray], y + radius * rays.sin[ray]].map(|v| v as i32);
                let color = self.color_at(at[0], at[1]).map(f32::from);
                let difference = std::array::from_fn(|i| color[i] - cloth[i]);
                filled += usize::from(self.is_unlike_lit_cloth(difference));
            }
        }
        filled >= LEAST_GLANCE
    }

    /// What a ball looks like here.
    pub(super) fn usual_ellipse(&self, center: DVec2) -> Ellipse {
        let radius = self.place.radius_at(center);
        Ellipse {
            center,
            radius,
            elongation: f64::from(self.expected_elongation(center)) * radius,
            axis: (center - self.middle_of_image).normalize_or_zero(),
        }
    }

    /// A sphere seen at an angle a off the axis is 1 / cos a times as long as wide.
    pub(super) fn expected_elongation(&self, center: DVec2) -> f32 {
        let focal_length = USUAL_FOCAL_LENGTH * 2.0 * self.middle_of_image.x.max(1.0);
        let tangent = center.distance(self.middle_of_image) / focal_length;
        (0.25 * tangent * tangent).min(MOST_ELONGATION) as f32
    }

    /// Marks the samples that may be cloth, lit or shaded, under a ball's edge.
    pub(super) fn mark_cloth(&self, grid: &PolarGrid, color: [f32; 3], out: &mut [PerRay; SAMPLES]) {
        self.mark(grid, color, [LIGHT_OUTSIDE, TINT_OUTSIDE], out);
    }

    /// Marks those that look like cloth in the open, lit or shaded, which a ball hardly does.
    pub(super) fn mark_open_cloth(&self, grid: &PolarGrid, color: [f32; 3], out: &mut [PerRay; SAMPLES]) {
        self.mark(grid, color, [LIGHT_INSIDE, TINT_INSIDE], out);
    }

    fn mark(
        &self,
        grid: &PolarGrid,
        color: [f32; 3],
        [least_light, tint]: [f32; 2],
        out: &mut [PerRay; SAMPLES],
    ) {
        for (i, out) in out.iter_mut().enumerate() {
            let colors = [0, 1, 2].map(|channel| &grid.colors[channel][i]);
            *out = self.unlike_any_cloth(color, colors, least_light, tint);
            for value in out {
                *value = 1.0 - *value;
            }
        }
    }

    fn fit(&self, grid: &PolarGrid, rays: &Rays, steps: &Steps, reach: f32, fit: &mut Fit) {
        let ellipse = &grid.ellipse;
        let per_radius = 1.0 / ellipse.radius as f32;
        let weight = std::array::from_fn(|ray| {
            let trust = (steps.height[ray] * (1.0 / (FULL_STEP * LEAST_STEP_SIGMAS))).min(1.0);
            trust * trust * (NOT_TO_CLOTH + (1.0 - NOT_TO_CLOTH) * steps.is_to_cloth[ray])
        });
        let points = RimPoints {
            distance: std::array::from_fn(|ray| steps.distance[ray] * grid.radius[ray] * per_radius),
            weight,
        };
        let expected = Expected {
            radius: self.place.radius_at(ellipse.center),
            radius_sigma: self.radius_sigma,
            elongation: self.expected_elongation(ellipse.center),
            touching: &[],
        };
        for _ in 0..FITS {
            ellipse.fit(rays, &[points], &expected, reach, fit);
        }
    }

    fn judge(&self, grid: &PolarGrid, rays: &Rays, cloth: [f32; 3], steps: &Steps, fit: &Fit) -> Rim {
        let ellipse = grid.ellipse.moved(fit);
        let mut rim = Rim {
            ellipse,
            ..Rim::default()
        };
        let at = rim_on(grid, rays, fit);
        let is_lit = |y: f32| y - cloth[0] > -UNSHADED * cloth[0];
        for (ray, at) in at.iter().enumerate() {
            let off = steps.distance[ray] - at;
            if off.abs() <= AGREEMENT && steps.height[ray] >= LEAST_STEP_SIGMAS {
                rim.agreeing |= 1 << ray;
                rim.roughness += off * off;
            }
        }
        rim.roughness = (rim.roughness / rim.agreeing.count_ones().max(1) as f32).sqrt();
        let inside = INSIDE.map(|d| grid.at(&at.map(|rim| d * rim)));
        let unlike = inside
            .each_ref()
            .map(|c| self.unlike_any_cloth(cloth, c.each_ref(), LIGHT_INSIDE, TINT_INSIDE));
        let dark = inside.each_ref().map(|c| self.unlike_lit_cloth(cloth, c));
        let strange = inside.each_ref().map(|c| strangeness_of(cloth, c));
        let (mut fill, mut dark_fill, mut lit_fill) = (0, 0, 0);
        for ray in 0..RAYS {
            let bit = 1 << ray;
            if unlike[0][ray] + unlike[1][ray] > 0.0 {
                rim.covered |= bit;
                fill += 1;
            } else if is_lit(inside[0][0][ray]) && is_lit(inside[1][0][ray]) {
                lit_fill += 1;
            }
            if dark[0][ray] + dark[1][ray] > 0.0 {
                rim.dark |= bit;
                dark_fill += 1;
            }
        }
        for d in OUTSIDE {
            let colors = grid.at(&at.map(|rim| d * rim));
            let unlike = self.unlike_any_cloth(cloth, colors.each_ref(), LIGHT_OUTSIDE, TINT_OUTSIDE);
            let strange_outside = strangeness_of(cloth, &colors);
            let changed = inside
                .each_ref()
                .map(|inside| self.are_different(inside, &colors));
            for ray in 0..RAYS {
                let limit = LESS_STRANGE * strange[0][ray].max(strange[1][ray]);
                let is_cloth = unlike[ray] == 0.0 || strange_outside[ray] < limit;
                rim.free |= u32::from(is_cloth && changed[0][ray] + changed[1][ray] > 1.0) << ray;
            }
        }
        if self.place.inside_by(ellipse.center) < 2.0 * ellipse.radius
            || self.place.is_near_pocket(ellipse.center, 2.0 * ellipse.radius)
        {
            for (ray, at) in at.iter().enumerate() {
                let outside = grid.place(rays, ray, OUTSIDE_DISTANCE as f32 * at);
                rim.beyond |= u32::from(self.place.is_beyond_cloth(outside)) << ray;
            }
        }
        let [x, y] = ellipse.center.as_vec2().to_array();
        let mut middle = [0.0; MIDDLE_SAMPLES];
        let (mut lit_middle, mut covered_middle) = (0, 0);
        let places = MIDDLE.iter().flat_map(|(distance, every)| {
            (0..RAYS)
                .step_by(*every)
                .map(|ray| (*distance, [rays.cos[ray], rays.sin[ray]]))
        });
        for (middle, (distance, direction)) in middle.iter_mut().zip(places) {
            let radius = distance * ellipse.radius_towards(direction);
            let [px, py] = [x + radius * direction[0], y + radius * direction[1]].map(|v| (v + 0.5) as i32);
            let color = self.color_at(px, py).map(f32::from);
            let difference = std::array::from_fn(|i| color[i] - cloth[i]);
            let is_covered = self.is_unlike_any_cloth(cloth, color, LIGHT_INSIDE, TINT_INSIDE);
            covered_middle += usize::from(is_covered);
            lit_fill += usize::from(!is_covered && is_lit(color[0]));
            dark_fill += usize::from(self.is_unlike_lit_cloth(difference));
            *middle = strangeness(difference);
            lit_middle += usize::from(is_lit(color[0]));
        }
        fill += covered_middle;
        let count = (RAYS + MIDDLE_SAMPLES) as f32;
        rim.fill = fill as f32 / count;
        rim.dark_fill = dark_fill as f32 / count;
        // Without colour every dark ball would be one.
        rim.is_shade = self.planes.chroma.is_some() && rim.fill < LEAST_FILL;
        let brightest = self.brightest_inside(&ellipse);
        let glint = cloth[0] + GLINT * (self.cloth.white - cloth[0]);
        let is_bright = brightest > glint;
        let bright = inside[0][0].iter().filter(|y| **y > glint).count();
        rim.has_glint = is_bright && bright <= RAYS / 4;
        rim.has_highlight = brightest > cloth[0] + UNLIKE_SIGMAS / self.per_noise[0];
        rim.is_glossy = is_bright && lit_fill as f32 <= MOST_LIT * count;
        rim.inner = median(&mut middle);
        let mut outer = strange[1];
        rim.outer = median(&mut outer);
        // What is drawn or thrown on the cloth in one colour is lighter than it all round, or darker.
        let lighter = inside[1][0].iter().filter(|y| **y > cloth[0]).count();
        let is_painted = (RAYS / 8..=RAYS - RAYS / 8).contains(&lighter);
        let is_whole = (rim.agreeing & rim.free).count_ones() >= WHOLE_RIM;
        // Most of a band that looks like lit cloth to some is unlike any, or a lamp is mirrored in it.
        let is_band = is_painted && (is_bright && is_whole || 2 * covered_middle >= MIDDLE_SAMPLES);
        rim.is_hollow = !(rim.is_glossy || is_band)
            && 2 * lit_middle > MIDDLE_SAMPLES
            && rim.inner < LEAST_SOLIDITY * rim.outer;
        rim
    }

    /// Y of the brightest pixel away from the rim.
    fn brightest_inside(&self, ellipse: &Ellipse) -> f32 {
        let plane = &self.planes.luma;
        let [x, y] = ellipse.center.as_vec2().to_array().map(|v| v as i32);
        let reach = (HIGHLIGHT_REACH * ellipse.radius) as i32;
        let mut brightest = 0;
        for dy in -reach..=reach {
            let half = ((reach * reach - dy * dy) as f32).sqrt() as i32;
            let row = (y + dy).clamp(0, plane.height as i32 - 1) as usize;
            let first = (x - half).clamp(0, plane.width as i32 - 1) as usize;
            let last = (x + half).clamp(0, plane.width as i32 - 1) as usize;
            let start = row * plane.stride;
            if let Some(line) = plane
                .samples
                .get(start + first * plane.step..=start + last * plane.step)
            {
                brightest = line
                    .iter()
                    .step_by(plane.step)
                    .fold(brightest, |most, v| most.max(*v));
            }
        }
        f32::from(brightest)
    }

    /// Colour of a pixel; outside the picture, of the nearest one.
    #[inline]
    fn color_at(&self, x: i32, y: i32) -> [u8; 3] {
        let x = (x.max(0) as usize).min(self.planes.luma.width - 1);
        let y = (y.max(0) as usize).min(self.planes.luma.height - 1);
        color_of(self.planes, x, y)
    }

    /// Whether a colour is neither lit nor shaded cloth: a shadow takes the same share of all light, so Y above black
    /// and the chroma's distance from neutral shrink alike.
    #[inline]
    pub(super) fn is_unlike_any_cloth(
        &self,
        cloth: [f32; 3],
        color: [f32; 3],
        least_light: f32,
        tint: f32,
    ) -> bool {
        let full = (cloth[0] - self.cloth.black).max(1.0);
        let d = color[0] - cloth[0];
        let light = ((full + d) * (1.0 / full)).max(0.0);
        let off = |i: usize| color[i] - cloth[i] + (1.0 - light) * (cloth[i] - 128.0);
        let (u, v) = (off(1), off(2));
        let reach = UNLIKE_SIGMAS / self.per_noise[1].min(self.per_noise[2]) + tint * d.abs();
        (u * u + v * v > reach * reach) | (light < least_light) | (light > MOST_LIGHT)
    }

    /// The same for all rays: 1 or 0.
    #[inline]
    fn unlike_any_cloth(&self, cloth: [f32; 3], colors: [&PerRay; 3], least_light: f32, tint: f32) -> PerRay {
        let mut unlike = [0.0; RAYS];
        for ray in 0..RAYS {
            let color = [colors[0][ray], colors[1][ray], colors[2][ray]];
            unlike[ray] = if self.is_unlike_any_cloth(cloth, color, least_light, tint) {
                1.0
            } else {
                0.0
            };
        }
        unlike
    }

    #[inline]
    fn is_unlike_lit_cloth(&self, d: [f32; 3]) -> bool {
        let [y, u, v] = [0, 1, 2].map(|i| d[i] * self.per_noise[i]);
        y * y + u * u + v * v > UNLIKE_SIGMAS * UNLIKE_SIGMAS
    }

    /// Whether colours differ by more than cloth does, ray by ray: 1 or 0.
    fn are_different(&self, a: &[PerRay; 3], b: &[PerRay; 3]) -> PerRay {
        let mut different = [0.0; RAYS];
        for ray in 0..RAYS {
            let d = [0, 1, 2].map(|i| a[i][ray] - b[i][ray]);
            different[ray] = if self.is_unlike_lit_cloth(d) { 1.0 } else { 0.0 };
        }
        different
    }

    fn unlike_lit_cloth(&self, cloth: [f32; 3], colors: &[PerRay; 3]) -> PerRay {
        let mut unlike = [0.0; RAYS];
        for ray in 0..RAYS {
            let d = [0, 1, 2].map(|i| colors[i][ray] - cloth[i]);
            unlike[ray] = if self.is_unlike_lit_cloth(d) { 1.0 } else { 0.0 };
        }
        unlike
    }
}

/// Where the rays of a grid meet a fitted ellipse, in the grid's radii.
pub(super) fn rim_on(grid: &PolarGrid, rays: &Rays, fit: &Fit) -> PerRay {
    let met = grid.ellipse.meet(rays, fit);
    let radius = grid.ellipse.radius as f32;
    std::array::from_fn(|ray| met[ray] * radius / grid.radius[ray])
}

/// Length of a difference from lit cloth, in values of Y, U, V; what is darker counts half, as shadows are.
#[inline]
fn strangeness([y, u, v]: [f32; 3]) -> f32 {
    let y = if y < 0.0 { 0.5 * y } else { y };
    (y * y + u * u + v * v).sqrt()
}

fn strangeness_of(cloth: [f32; 3], colors: &[PerRay; 3]) -> PerRay {
    std::array::from_fn(|ray| strangeness([0, 1, 2].map(|i| colors[i][ray] - cloth[i])))
}

fn median(values: &mut [f32]) -> f32 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}
