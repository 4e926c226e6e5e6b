//! How much the lens bends the sides of a table, before it is known which edge is the nose.
//!
//! Rails, noses and shadows along one side are straight and parallel in space. A lens bends all of them alike, by an amount
//! that follows from where the side lies: one number tells all four sides. It is right where the edges, summed up along the
//! bend that it makes, are sharpest (as scans are turned upright by the variance of their projections: Postl 1986,
//! "Detection of linear oblique structures and skew scan in digitized documents").

use ghostball_world::Lens;

use super::strip::{LEAN, SAMPLES, Strip, add_shifted};
use crate::quad::Quad;

/// Strongest k1 looked for, either way: three standard deviations of webcams, which have -0.15 to 0.05 or so.
const STRONGEST: f64 = 0.3;
/// A change of k1 that is small against those.
const CHANGE: f64 = 0.01;
/// From one k1 to the next the middle of a side moves by so many samples, from one lean to the next its ends by half as
/// many as in `LEANS`: first so that the sums of an edge and its shadow still overlap, then by half an edge's width.
const STEPS: [usize; 2] = [4, 1];
const LEANS: [usize; 2] = [4, 2];

/// The quadrilateral of corners that a pinhole would show.
pub(crate) fn straight_quad(lens: &Lens, quad: &Quad) -> Quad {
    Quad::new(quad.corners.map(|corner| lens.straightened(corner)))
}

/// The quadrilateral of corners that the lens shows.
pub(crate) fn shown_quad(lens: &Lens, quad: &Quad) -> Quad {
    Quad::new(quad.corners.map(|corner| lens.bent(corner)))
}

/// The k1 with which the strips, laid out straight for `lens`, would show the sharpest edges; that of `lens` where nothing
/// tells.
pub(crate) fn sharpest_radial(strips: &[Strip; 4], lens: &Lens) -> f64 {
    let bows = |radial: f64| strips.each_ref().map(|strip| bow(strip, lens, radial));
    let most = bows(lens.radial[0] + CHANGE)
        .iter()
        .map(|bow| bow.abs() / CHANGE)
        .fold(0.0, f64::max);
    if !most.is_finite() || most < 1.0 {
        return lens.radial[0];
    }
    // What is bent out of its strip cannot be looked for.
    let most = most.min(SAMPLES as f64 / STRONGEST);
    let sharpness = |radial: f64, lean_step: usize| -> i64 {
        let pairs = strips.iter().zip(bows(radial));
        pairs
            .map(|(strip, bow)| sharpness_of(strip, bow, lean_step))
            .sum()
    };
    let mut best = (0, lens.radial[0]);
    let (mut reach, mut step) = (STRONGEST, 0.0);
    for (samples, leans) in STEPS.into_iter().zip(LEANS) {
        step = samples as f64 / most;
        let middle = best.1;
        best.0 = sharpness(middle, leans);
        let count = (reach / step).floor() as i32;
        for i in -count..=count {
            let radial = middle + step * f64::from(i);
            if i == 0 || radial.abs() > STRONGEST {
                continue;
            }
            let here = sharpness(radial, leans);
            if here > best.0 {
                best = (here, radial);
            }
        }
        reach = 0.5 * step;
    }
    // Between those looked at, a parabola through the best and its neighbours tells.
    let beside = [-step, step].map(|step| sharpness(best.1 + step, LEANS[1]) as f64);
    let bend = 2.0 * best.0 as f64 - beside[0] - beside[1];
    let shift = if bend > 0.0 {
        (0.5 * (beside[1] - beside[0]) / bend).clamp(-0.5, 0.5)
    } else {
        0.0
    };
    best.1 + step * shift
}

/// By how many samples the middle of a side moves inwards against its ends where k1 is this one.
fn bow(strip: &Strip, lens: &Lens, radial: f64) -> f64 {
    let changed = Lens {
        radial: [radial, lens.radial[1]],
        ..*lens
    };
    let moved = |along: f64| {
        let at = strip.middle + along * strip.side;
        (changed.straightened(lens.bent(at)) - at).dot(strip.inward)
    };
    (moved(0.0) - 0.5 * (moved(-0.5) + moved(0.5))) / strip.spacing_px
}

/// How sharp the edges of a strip are, summed up along lines with a bow of so many samples: the mean square of the sums, for
/// the lean that has most.
fn sharpness_of(strip: &Strip, bow: f64, lean_step: usize) -> i64 {
    let mut most = 0;
    for lean in (-LEAN..=LEAN).step_by(lean_step) {
        let mut sums = [0_i16; SAMPLES];
        for (along, column) in strip.glanced() {
            // A line of the pinhole's picture is seen against this bow: what moved inwards was farther out.
            let shift = f64::from(lean) * along - bow * (1.0 - 4.0 * along * along);
            let rounded = (shift + SAMPLES as f64 + 0.5).max(0.0) as isize - SAMPLES as isize;
            add_shifted(&mut sums, column, rounded);
        }
        most = most.max(sums.iter().map(|sum| i32::from(*sum) * i32::from(*sum)).sum());
    }
    i64::from(most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ghostball_world::{ColorEncoding, Picture, PixelFormat};
    use glam::DVec2;

    const SIZE: [u32; 2] = [640, 360];

    /// k1 found where the camera has this one, and the outline is this many pixels too large.
    fn found(radial: f64, too_large: f64) -> f64 {
        let usual = Lens::usual(SIZE);
        let lens = Lens {
            radial: [radial, 0.0],
            ..usual
        };
        let table = Quad::new([[70.0, 60.0], [560.0, 55.0], [570.0, 300.0], [75.0, 310.0]].map(DVec2::from));
        let pixels = (0..SIZE[0] * SIZE[1]).map(|i| {
            let at = DVec2::new(f64::from(i % SIZE[0]), f64::from(i / SIZE[0]));
            if table.contains(lens.straightened(at)) {
                120
            } else {
                60
            }
        });
        let (format, color) = (PixelFormat::Grey, ColorEncoding::default());
        let picture = Picture::new(format, SIZE[0], SIZE[1], color, pixels.collect()).unwrap();
        let planes = picture.planes().unwrap();
        let outline = shown_quad(&lens, &table.inset(-too_large).unwrap_or(table));
        let mut strips: [Strip; 4] = Default::default();
        for (i, (strip, side)) in strips.iter_mut().zip(outline.sides()).enumerate() {
            strip.place(side, 0.5, i % 2 == 0);
            strip.glance(&planes, &usual);
        }
        sharpest_radial(&strips, &usual)
    }

    /// This moves the middle of a side by a pixel here, of the several by which noses are traced.
    const A_PIXEL: f64 = 0.03;

    #[test]
    fn the_bend_of_the_sides_tells_the_lens() {
        for radial in [-0.2, -0.1, 0.0, 0.05] {
            for too_large in [0.0, 4.0] {
                let found = found(radial, too_large);
                assert!((found - radial).abs() < A_PIXEL, "{found} for {radial}");
            }
        }
    }

    #[test]
    fn strips_that_show_nothing_leave_the_lens_as_it_is() {
        let lens = Lens::usual(SIZE);
        let mut strips: [Strip; 4] = Default::default();
        assert_eq!(sharpest_radial(&strips, &lens), 0.0);
        for strip in &mut strips {
            strip.place((DVec2::ZERO, DVec2::splat(1e12)), 0.5, true);
        }
        assert_eq!(sharpest_radial(&strips, &lens), 0.0);
    }
}
