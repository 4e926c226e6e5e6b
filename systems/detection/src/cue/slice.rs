//! What lies across a line, at the picture's full resolution.

use ghostball_world::Planes;
use glam::DVec2;

use crate::cloth::ClothModel;
use crate::sample::color_near;

/// Samples of a slice, and how long it is by a ball's diameter: twice the widest stick.
const SAMPLES: usize = 41;
const LENGTH: f64 = 1.4;
/// Chroma has half the resolution of luma, so it counts half.
pub(crate) const WEIGHTS: [f32; 3] = [1.0, 0.5, 0.5];
/// Where a bar ends: this share of its difference from the cloth. Both of its sides are told alike, so the middle does
/// not depend on it, and a glint leaves the sides of a stick much weaker than its middle.
const EDGE: f32 = 0.35;
/// What is this near to the cloth's colour, in standard deviations of it, is no bar.
const LEAST_SIGMAS: f32 = 5.0;

/// Share of the cloth's light that a stick's shadow leaves at least: of several lamps it hides one at a place.
const LEAST_LIGHT: f32 = 0.35;
/// Lamps differ in tint, so where one of them is hidden the chroma moves, by up to this share of the missing luma.
const TINT: f32 = 0.3;

/// A bar where a slice crosses it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Slice {
    /// Of its middle from the middle of the slice, along the slice's normal, pixels.
    pub off: f64,
    /// Pixels.
    pub width: f64,
    /// Whether it may be a shadow on the cloth.
    pub is_shade: bool,
}

/// How far a colour is from lit cloth, in values of Y, weighted.
pub(crate) fn off_cloth(cloth_color: [f32; 3], color: [f32; 3]) -> f32 {
    let square = |i: usize| {
        let off = WEIGHTS[i] * (color[i] - cloth_color[i]);
        off * off
    };
    (square(0) + square(1) + square(2)).sqrt()
}

/// Least difference of that kind that is no noise.
pub(crate) fn least_difference(cloth: &ClothModel) -> f32 {
    LEAST_SIGMAS * (0..3).map(|i| WEIGHTS[i] * cloth.spread[i]).fold(1.0, f32::max)
}

/// The bar that crosses `place`: the stretch along `normal` that is unlike cloth by [`EDGE`] of the most that it is.
/// `None` where there is none, or no end of it.
pub(crate) fn slice_at(
    planes: &Planes,
    cloth: &ClothModel,
    place: DVec2,
    normal: DVec2,
    diameter_px: f64,
) -> Option<Slice> {
    let across = |i: usize| (i as f64 / (SAMPLES - 1) as f64 - 0.5) * LENGTH * diameter_px;
    let cloth_color = cloth.color_at(place.x as f32, place.y as f32);
    let (mut unlike, mut luma) = ([0.0_f32; SAMPLES], [0.0_f32; SAMPLES]);
    for i in 0..SAMPLES {
        let color = color_near(planes, place + across(i) * normal)?;
        (unlike[i], luma[i]) = (off_cloth(cloth_color, color), color[0]);
    }
    let middle = SAMPLES * 3 / 8..SAMPLES - SAMPLES * 3 / 8;
    let peak = middle.max_by(|a, b| unlike[*a].total_cmp(&unlike[*b]))?;
    let edge = EDGE * unlike[peak];
    if unlike[peak] < least_difference(cloth) {
        return None;
    }
    // A dark stick has a bright glint along it, and one colour turns into the other by way of the cloth's brightness:
    // a sample between two that belong to the bar does so too.
    let belongs = |i: &usize| {
        unlike[*i] >= edge || *i > 0 && *i + 1 < SAMPLES && unlike[*i - 1] >= edge && unlike[*i + 1] >= edge
    };
    let first = (0..=peak).rev().take_while(belongs).last()?;
    let last = (peak..SAMPLES).take_while(belongs).last()?;
    if first == 0 || last + 1 == SAMPLES {
        return None;
    }
    // Where the edge is crossed, between two samples.
    let crossing = |inner: usize, outer: usize| {
        let share = f64::from((unlike[inner] - edge) / (unlike[inner] - unlike[outer]));
        across(inner) + share * (across(outer) - across(inner))
    };
    let (from, to) = (crossing(first, first - 1), crossing(last, last + 1));
    let color = color_near(planes, place + across(peak) * normal)?;
    Some(Slice {
        off: 0.5 * (from + to),
        width: to - from,
        is_shade: is_shade(cloth, cloth_color, color) && !has_glint(&luma[first..=last], cloth),
    })
}

/// Whether `color` may be cloth of `cloth_color` in the shadow of one lamp or several.
fn is_shade(cloth: &ClothModel, cloth_color: [f32; 3], color: [f32; 3]) -> bool {
    let full = (cloth_color[0] - cloth.black).max(1.0);
    let light = (color[0] - cloth.black) / full;
    let tint = TINT * (1.0 - light) * full;
    (LEAST_LIGHT..=1.0).contains(&light)
        && (1..3).all(|i| {
            let off = color[i] - 128.0 - light * (cloth_color[i] - 128.0);
            off.abs() <= LEAST_SIGMAS * cloth.spread[i].max(1.0) + tint
        })
}

/// Whether something in the middle is brighter than both sides: a round, polished stick mirrors a lamp all along.
fn has_glint(luma: &[f32], cloth: &ClothModel) -> bool {
    let darkest = |part: &[f32]| part.iter().copied().fold(f32::INFINITY, f32::min);
    let rise = |i: usize| luma[i] - darkest(&luma[..=i]).max(darkest(&luma[i..]));
    let most = (0..luma.len()).map(rise).fold(0.0, f32::max);
    most >= LEAST_SIGMAS * cloth.spread[0].max(1.0)
}
