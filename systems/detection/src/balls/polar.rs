//! Colours on a polar grid round a supposed ball: rays outwards, samples along them.
//!
//! The layout is [sample][ray], so that what is done alike on all rays is done with vector instructions.

use ghostball_world::{Chroma, Plane, Planes};
use glam::DVec2;

use super::border::{TAP_SPACING, TAPS, Taps};
use super::ellipse::Ellipse;

/// Rays per ball.
pub const RAYS: usize = 32;
/// Samples per ray.
pub const SAMPLES: usize = 16;
/// Nearest sample, in radii.
pub const FIRST: f32 = 0.5625;
/// Distance of samples, in radii: about a pixel for a ball of 15 pixels.
pub const SPACING: f32 = 0.0625;

/// One value per ray.
pub type PerRay = [f32; RAYS];

/// Unit vectors of the rays.
#[derive(Clone, Copy, Debug)]
pub struct Rays {
    /// Cosines.
    pub cos: PerRay,
    /// Sines.
    pub sin: PerRay,
}

impl Default for Rays {
    fn default() -> Self {
        let angle = |ray: usize| std::f32::consts::TAU * ray as f32 / RAYS as f32;
        Self {
            cos: std::array::from_fn(|ray| libm::cosf(angle(ray))),
            sin: std::array::from_fn(|ray| libm::sinf(angle(ray))),
        }
    }
}

/// The grid's colours (Y, U, V): `colors[channel][sample][ray]`.
#[derive(Clone, Debug)]
pub struct PolarGrid {
    /// Where it lies: samples are at multiples of its radius in each direction.
    pub ellipse: Ellipse,
    /// Half widths of that ellipse along the rays, pixels.
    pub radius: PerRay,
    /// Colours.
    pub colors: [[PerRay; SAMPLES]; 3],
}

impl Default for PolarGrid {
    fn default() -> Self {
        Self {
            ellipse: Ellipse::default(),
            radius: [0.0; RAYS],
            colors: [[[0.0; RAYS]; SAMPLES]; 3],
        }
    }
}

/// Fixed-point numbers of pixels: conversions from floating point, with their checks, would cost more than all else.
const ONE: i32 = 1 << 16;

/// Interpolates between pixels of all planes, across the outline that the rays from `center` meet at these distances
/// (pixels): samples [`TAP_SPACING`] pixels of their own plane apart.
pub fn read_taps(planes: &Planes, rays: &Rays, center: DVec2, outline_px: &PerRay, out: &mut [Taps; 3]) {
    let center = center.as_vec2().to_array();
    let lay = |pitch_px: f32| {
        let (mut from, mut step) = ([[0; RAYS]; 2], [[0; RAYS]; 2]);
        let spacing = TAP_SPACING * pitch_px;
        for (axis, directions) in [&rays.cos, &rays.sin].into_iter().enumerate() {
            for ray in 0..RAYS {
                let nearest = outline_px[ray] - 0.5 * (TAPS - 1) as f32 * spacing;
                from[axis][ray] = fixed(center[axis] + nearest * directions[ray]);
                step[axis][ray] = fixed(spacing * directions[ray]);
            }
        }
        [from, step]
    };
    let [ys, us, vs] = out;
    interpolate(&planes.luma, lay(1.0), ys);
    interpolate_chroma(planes, lay(chroma_pitch_px(planes)), us, vs);
}

/// How far apart the pixels of chroma are, in those of luma: along rows or columns, what is more.
pub fn chroma_pitch_px(planes: &Planes) -> f32 {
    let shift = |chroma: &Chroma| chroma.shift_x.max(chroma.shift_y);
    planes
        .chroma
        .as_ref()
        .map_or(1.0, |chroma| (1 << shift(chroma)) as f32)
}

#[inline]
fn fixed(v: f32) -> i32 {
    (v * ONE as f32) as i32
}

impl PolarGrid {
    /// Reads the nearest pixels.
    pub fn read(&mut self, planes: &Planes, rays: &Rays, ellipse: &Ellipse) {
        let [from, step] = self.lay(rays, ellipse, [0.5, 0.5]);
        let most = [planes.luma.width, planes.luma.height].map(|n| n.saturating_sub(1) as i32);
        let [ys, us, vs] = &mut self.colors;
        let mut places = [[0_i32; RAYS]; 2];
        for i in 0..SAMPLES {
            for axis in 0..2 {
                for ray in 0..RAYS {
                    let at = from[axis][ray].wrapping_add((i as i32).wrapping_mul(step[axis][ray])) >> 16;
                    places[axis][ray] = at.clamp(0, most[axis]);
                }
            }
            read_row(&planes.luma, &places, [0, 0], &mut ys[i]);
            if let Some(chroma) = &planes.chroma {
                let shift = [chroma.shift_x, chroma.shift_y];
                read_row(&chroma.u, &places, shift, &mut us[i]);
                read_row(&chroma.v, &places, shift, &mut vs[i]);
            } else {
                us[i] = [128.0; RAYS];
                vs[i] = [128.0; RAYS];
            }
        }
    }

    /// Interpolates between pixels.
    pub fn read_finely(&mut self, planes: &Planes, rays: &Rays, ellipse: &Ellipse) {
        let grid = self.lay(rays, ellipse, [0.0, 0.0]);
        let [ys, us, vs] = &mut self.colors;
        interpolate(&planes.luma, grid, ys);
        interpolate_chroma(planes, grid, us, vs);
    }

    /// First places and steps along the rays, x and y, in fixed point.
    fn lay(&mut self, rays: &Rays, ellipse: &Ellipse, offset: [f32; 2]) -> [[[i32; RAYS]; 2]; 2] {
        self.ellipse = *ellipse;
        let mut from = [[0; RAYS]; 2];
        let mut step = [[0; RAYS]; 2];
        let center = ellipse.center.as_vec2().to_array();
        for ray in 0..RAYS {
            self.radius[ray] = ellipse.radius_towards([rays.cos[ray], rays.sin[ray]]);
        }
        for (axis, directions) in [&rays.cos, &rays.sin].into_iter().enumerate() {
            let start = center[axis] + offset[axis];
            for ray in 0..RAYS {
                let along = self.radius[ray] * directions[ray];
                from[axis][ray] = fixed(start + FIRST * along);
                step[axis][ray] = fixed(SPACING * along);
            }
        }
        [from, step]
    }

    /// Colours at a distance of each ray, in the grid's radii: of the nearest samples.
    pub fn at(&self, distance: &PerRay) -> [PerRay; 3] {
        let mut colors = [[0.0; RAYS]; 3];
        let mut samples = [0_u32; RAYS];
        for ray in 0..RAYS {
            samples[ray] = sample_at(distance[ray]);
        }
        for (out, channel) in colors.iter_mut().zip(&self.colors) {
            for ray in 0..RAYS {
                out[ray] = channel[samples[ray] as usize % SAMPLES][ray];
            }
        }
        colors
    }

    /// A place in the picture by its distance from the centre along a direction.
    pub fn place(&self, rays: &Rays, ray: usize, distance: f32) -> DVec2 {
        let along = f64::from(distance * self.radius[ray]);
        self.ellipse.center + along * DVec2::new(f64::from(rays.cos[ray]), f64::from(rays.sin[ray]))
    }
}

/// The sample nearest to a distance. Adding 2^23 leaves whole numbers in the lowest bits, which vector instructions do
/// where they have no checked conversion.
#[inline]
pub(super) fn sample_at(distance: f32) -> u32 {
    const TWO_TO_23: f32 = 8_388_608.0;
    let sample = ((distance - FIRST) * (1.0 / SPACING))
        .max(0.0)
        .min((SAMPLES - 1) as f32);
    (sample + TWO_TO_23).to_bits() & 0xff
}

fn read_row(plane: &Plane, places: &[[i32; RAYS]; 2], shift: [u32; 2], out: &mut PerRay) {
    let (stride, step) = (plane.stride as i32, plane.step as i32);
    let mut at = [0; RAYS];
    for ray in 0..RAYS {
        at[ray] = (places[1][ray] >> shift[1]) * stride + (places[0][ray] >> shift[0]) * step;
    }
    let mut values = [0_u8; RAYS];
    for ray in 0..RAYS {
        values[ray] = plane.samples.get(at[ray] as usize).copied().unwrap_or(0);
    }
    *out = values.map(f32::from);
}

/// The same of chroma; the samples are laid as in luma.
fn interpolate_chroma<const N: usize>(
    planes: &Planes,
    [mut from, mut step]: [[[i32; RAYS]; 2]; 2],
    us: &mut [PerRay; N],
    vs: &mut [PerRay; N],
) {
    let Some(chroma) = &planes.chroma else {
        us.fill([128.0; RAYS]);
        vs.fill([128.0; RAYS]);
        return;
    };
    // The middle of the luma pixels that share a chroma sample.
    for (axis, shift) in [chroma.shift_x, chroma.shift_y].into_iter().enumerate() {
        if shift > 0 {
            from[axis] = from[axis].map(|v| (v >> 1) - ONE / 4);
            step[axis] = step[axis].map(|v| v >> 1);
        }
    }
    interpolate(&chroma.u, [from, step], us);
    interpolate(&chroma.v, [from, step], vs);
}

/// Interpolates between the pixels of a plane at places (16 fractional bits), one sample after the other along each ray:
/// columns and rows of the first, and steps from one to the next.
#[multiversion::multiversion(targets("x86_64+avx2"))]
fn interpolate<const N: usize>(plane: &Plane, [from, steps]: [[[i32; RAYS]; 2]; 2], out: &mut [PerRay; N]) {
    let (stride, step) = (plane.stride as i32, plane.step as i32);
    // The last pixel but one, so that there is a next.
    let most = [plane.width, plane.height].map(|n| n.saturating_sub(2) as i32);
    let next = [
        if plane.width > 1 { plane.step } else { 0 },
        if plane.height > 1 { plane.stride } else { 0 },
    ];
    let samples = plane.samples;
    let mut at = [0; RAYS];
    let mut share = [[0.0; RAYS]; 2];
    for (i, out) in out.iter_mut().enumerate() {
        let along = |axis: usize, ray: usize| {
            let v = from[axis][ray].wrapping_add((i as i32).wrapping_mul(steps[axis][ray]));
            let whole = (v >> 16).clamp(0, most[axis]);
            let share = v.wrapping_sub(whole << 16).clamp(0, ONE) as f32 * (1.0 / ONE as f32);
            (whole, share)
        };
        for ray in 0..RAYS {
            let (x, fx) = along(0, ray);
            let (y, fy) = along(1, ray);
            at[ray] = y * stride + x * step;
            share[0][ray] = fx;
            share[1][ray] = fy;
        }
        let mut corners = [[0_u8; RAYS]; 4];
        for ray in 0..RAYS {
            let first = at[ray] as usize;
            let value = |at: usize| samples.get(at).copied().unwrap_or(0);
            corners[0][ray] = value(first);
            corners[1][ray] = value(first + next[0]);
            corners[2][ray] = value(first + next[1]);
            corners[3][ray] = value(first + next[0] + next[1]);
        }
        for ray in 0..RAYS {
            let [a, b, c, d] = [0, 1, 2, 3].map(|i: usize| f32::from(corners[i][ray]));
            let (top, bottom) = (a + (b - a) * share[0][ray], c + (d - c) * share[0][ray]);
            out[ray] = top + (bottom - top) * share[1][ray];
        }
    }
}
