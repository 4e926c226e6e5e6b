//! Balls that roll so fast that they are drawn out while the shutter is open.
//!
//! A border across the motion is then a ramp, on which one place looks like the next. But where the ramp begins, on the
//! cloth's side, can be told on all rays, and does not depend on how the ball is shaded: together these feet are the outline
//! of a disc of the ball's known size, swept along a line. The middle of that line is where the ball was in the middle of
//! the exposure.

use glam::DVec2;

use super::ellipse::{Ellipse, Fit, NormalEquations, sum_of_products};
use super::polar::{FIRST, PerRay, PolarGrid, RAYS, Rays, SAMPLES, SPACING};
use super::rim::{RimFinder, rim_on};

/// How far from the border the colours on both sides are compared, in radii: across a sharp border, which is no wider than
/// [`SHARP_PX`], the nearer ones differ hardly less than the farther ones; on a ramp by half.
const SPANS: [f32; 2] = [0.13, 0.27];
const SHARP_PX: f32 = 2.0;
/// Sharpness is what share of the farther difference the nearer one is. Along the motion it is low, and lower than across, where
/// a picture that is out of focus is as blurred: that sharpness by its share of the one across is less than this.
const LEAST_SHARPNESS: f32 = 0.62;
/// The same of either end alone, half way to what is sharp: a shadow's edge blurs the border on its side, and none on the
/// other.
const LEAST_SHARPNESS_AT_END: f32 = 0.8;
/// Rays that lead to either end.
const AXIS_COUNT: usize = RAYS / 2;
/// So many rays on either side of an axis, at both ends, are taken together: the ramp is as long to a tenth there.
const BESIDE: usize = 2;
/// With more rays than this among other balls, a quarter, there is not enough of an outline.
const MOST_AMONG_BALLS: u32 = 8;
/// Where the ramp has come so far, by the contrast of most rays; the line through both places leads to its foot. The lower
/// is well above noise, the upper below where a ball's limb is darker.
const LEVELS: [f32; 2] = [0.15, 0.4];
/// No foot is farther before the lower of them than this, in radii.
const LONGEST_FOOT: f32 = 0.3;
/// Samples in which the cloth is seen, and the ball.
const OUTSIDE: usize = 2;
const INSIDE: usize = 3;
/// Rays on either side of the supposed axis that are tried, round after round: each looks from where the one before leads.
const AXES: [usize; 3] = [3, 1, 1];
/// Feet farther than this off the outline count nothing, in radii: in the first fits, and in the last.
const REACH: [f32; 4] = [0.27, 0.27, 0.13, 0.13];
/// At a first glance, by so many of these, the streak is this share of the least.
const GLANCES: usize = 2;
const LEAST_AT_A_GLANCE: f32 = 0.5;
/// How far the camera's own blur carries feet beyond an outline, pixels, and how well that is known: pictures differ.
const BLUR_PX: f32 = 1.0;
const BLUR_SIGMA_PX: f32 = 1.4;
/// Streaks shorter than this, in radii, are told no better than by the borders of a ball at rest.
const LEAST_LENGTH: f32 = 0.25;
/// So many rays more have to agree with a streak than with a ball at rest, and so many in all.
const LEAST_GAIN: f32 = 6.0;
const LEAST_AGREEING: f32 = 20.0;
/// And half of the nine that are within 45 degrees (cosine) of either end: one end alone is a shadow's.
const NEAR_END: f32 = 0.7;
const LEAST_AT_END: f32 = 4.5;
/// That a ball was found up to half its streak from the middle, its motion explains, and so many pixels besides are errors.
const BESIDE_STREAK_PX: f32 = 1.0;

/// In place of a foot that is not seen: farther off than any counts.
const UNSEEN: f32 = 1e6;

/// A ball that motion has drawn out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Streak {
    /// Where its centre was in the middle of the exposure, pixels.
    pub center: DVec2,
    /// How far it went meanwhile, pixels; in one direction or the opposite one.
    pub extent: DVec2,
}

/// Where the ramps round a supposed ball begin.
#[derive(Clone, Copy, Debug)]
struct Feet<'r> {
    rays: &'r Rays,
    /// Half widths of the supposed ball along the rays.
    radius_px: PerRay,
    /// From its centre; [`UNSEEN`] where no foot is seen.
    distance_px: PerRay,
}

/// A disc swept along a line, as it lies round a supposed centre; pixels.
#[derive(Clone, Copy, Debug)]
struct Swept {
    /// The ray along which it goes.
    axis: usize,
    /// Where the middle of its way is, along that ray.
    along: f32,
    /// How far it goes.
    length: f32,
    /// Rays that agree: all, and those within 45 degrees of either end.
    agreeing: f32,
    at_ends: [f32; 2],
}

impl RimFinder<'_> {
    /// Looks whether motion has drawn a ball out that was found at rest, as `fit` on `grid`; `among_balls` are the rays that see
    /// others.
    pub(super) fn streak(
        &self,
        grid: &mut PolarGrid,
        rays: &Rays,
        fit: &Fit,
        among_balls: u32,
    ) -> Option<Streak> {
        let mut axis = self.blurred_axis(grid, &rim_on(grid, rays, fit), among_balls)?;
        let found = grid.ellipse.moved(fit);
        let least_px = LEAST_LENGTH * found.radius as f32;
        // Most that is blurred does not move, and is left before it costs much.
        let glance = self.feet(grid, rays, among_balls).glance(axis);
        if glance.length < LEAST_AT_A_GLANCE * least_px {
            return None;
        }
        let mut center = found.center;
        let mut seen = None;
        for beside in AXES {
            grid.read_finely(self.planes, rays, &Ellipse { center, ..found });
            let feet = self.feet(grid, rays, among_balls);
            let swept = (axis + RAYS - beside..=axis + RAYS + beside)
                .map(|axis| feet.swept(axis % RAYS))
                .max_by(|a, b| a.agreeing.total_cmp(&b.agreeing))?;
            axis = swept.axis;
            center += f64::from(swept.along) * direction(axis as f32);
            seen = Some((swept, feet));
        }
        let (swept, feet) = seen?;
        let moved_px = center.distance(found.center) as f32;
        let is_streak = swept.length >= least_px
            && swept.agreeing >= LEAST_AGREEING
            && swept.agreeing - feet.resting(axis).agreeing >= LEAST_GAIN
            && swept.at_ends.iter().all(|end| *end >= LEAST_AT_END)
            && moved_px <= 0.5 * swept.length + BESIDE_STREAK_PX;
        is_streak.then(|| {
            let agreeing = [RAYS - 1, 0, 1].map(|by| feet.swept((axis + by) % RAYS).agreeing);
            Streak {
                center,
                extent: f64::from(swept.length) * direction(axis as f32 + crest(agreeing)),
            }
        })
    }

    /// The ray along which borders are blurred most, if they are there far more than across.
    fn blurred_axis(&self, grid: &PolarGrid, rim: &PerRay, among_balls: u32) -> Option<usize> {
        if among_balls.count_ones() > MOST_AMONG_BALLS {
            return None;
        }
        let radius = grid.ellipse.radius as f32;
        let [near, far] = SPANS.map(|span| {
            let off_px = (span * radius).max(SHARP_PX);
            let at = |side: f32| {
                grid.at(&std::array::from_fn(|ray| {
                    rim[ray] + side * off_px / grid.radius[ray]
                }))
            };
            let (inside, outside) = (at(-1.0), at(1.0));
            let mut contrast = [0.0_f32; RAYS];
            for channel in 0..3 {
                for ray in 0..RAYS {
                    let step = (inside[channel][ray] - outside[channel][ray]) * self.per_noise[channel];
                    contrast[ray] += step * step;
                }
            }
            for (ray, contrast) in contrast.iter_mut().enumerate() {
                if among_balls >> ray & 1 == 1 {
                    *contrast = 0.0;
                }
            }
            // Towards one end of each axis, and the other.
            std::array::from_fn::<f32, RAYS, _>(|end| {
                (RAYS - BESIDE..=RAYS + BESIDE)
                    .map(|by| contrast[(end + by) % RAYS])
                    .sum()
            })
        });
        let squared_sharpness: [f32; AXIS_COUNT] = std::array::from_fn(|axis| {
            let [near, far] = [near, far].map(|ends| ends[axis] + ends[axis + AXIS_COUNT]);
            near / far.max(1.0)
        });
        let axis = (0..AXIS_COUNT).min_by(|a, b| squared_sharpness[*a].total_cmp(&squared_sharpness[*b]))?;
        let [along, across] =
            [axis, (axis + AXIS_COUNT / 2) % AXIS_COUNT].map(|axis| squared_sharpness[axis]);
        let is_blurred = |end: usize| {
            let at_end = near[end] / far[end].max(1.0);
            at_end * at_end < LEAST_SHARPNESS_AT_END * LEAST_SHARPNESS_AT_END * across
        };
        let are_both = is_blurred(axis) && is_blurred(axis + AXIS_COUNT);
        (are_both && along * along < LEAST_SHARPNESS * LEAST_SHARPNESS * across).then_some(axis)
    }

    /// Where the ramps begin.
    fn feet<'r>(&self, grid: &PolarGrid, rays: &'r Rays, among_balls: u32) -> Feet<'r> {
        let mean =
            |rows: &[PerRay], ray: usize| rows.iter().map(|row| row[ray]).sum::<f32>() / rows.len() as f32;
        // What cloth and ball differ by, in standard deviations of cloth pixels.
        let (mut cloth, mut step, mut height) = ([[0.0; RAYS]; 3], [[0.0; RAYS]; 3], [0.0; RAYS]);
        for (channel, rows) in grid.colors.iter().enumerate() {
            for ray in 0..RAYS {
                cloth[channel][ray] = mean(&rows[SAMPLES - OUTSIDE..], ray);
                let seen = (mean(&rows[..INSIDE], ray) - cloth[channel][ray]) * self.per_noise[channel];
                step[channel][ray] = seen;
                height[ray] += seen * seen;
            }
        }
        let height: PerRay = height.map(f32::sqrt);
        let mut sorted = height;
        let usual = *sorted.select_nth_unstable_by(RAYS / 2, f32::total_cmp).1;
        // How far each sample is on the way from one to the other, in the same.
        let mut heights = [[0.0; RAYS]; SAMPLES];
        for (channel, rows) in grid.colors.iter().enumerate() {
            for (heights, row) in heights.iter_mut().zip(rows) {
                for ray in 0..RAYS {
                    let way = step[channel][ray] * self.per_noise[channel] / height[ray].max(1.0);
                    heights[ray] += (row[ray] - cloth[channel][ray]) * way;
                }
            }
        }
        let distance_px = std::array::from_fn(|ray| {
            let [low, high] = LEVELS.map(|level| crossing(&heights, ray, level * usual));
            if let (Some(low), Some(high), 0) = (low, high, among_balls >> ray & 1) {
                let before = (low - high) * LEVELS[0] / (LEVELS[1] - LEVELS[0]);
                (low + before.clamp(0.0, LONGEST_FOOT)) * grid.radius[ray]
            } else {
                UNSEEN
            }
        });
        Feet {
            rays,
            radius_px: grid.radius,
            distance_px,
        }
    }
}

/// Unit vector along a ray, or between two.
fn direction(ray: f32) -> DVec2 {
    let (sin, cos) = libm::sincos(std::f64::consts::TAU * f64::from(ray) / RAYS as f64);
    DVec2::new(cos, sin)
}

/// Where a parabola through three values, one apart, is highest, from the middle one, which is the highest.
fn crest([before, here, after]: [f32; 3]) -> f32 {
    let bend = (2.0 * here - before - after).max(f32::MIN_POSITIVE);
    (0.5 * (after - before) / bend).clamp(-0.5, 0.5)
}

/// Where the ramp on a ray comes to a height and stays there for a sample, from the outside; in the grid's radii.
fn crossing(heights: &[PerRay; SAMPLES], ray: usize, level: f32) -> Option<f32> {
    let last = (1..SAMPLES - 1)
        .rev()
        .find(|i| heights[*i][ray] >= level && heights[*i - 1][ray] >= level)?;
    let (inside, outside) = (heights[last][ray], heights[last + 1][ray]);
    let share = if outside < level {
        (inside - level) / (inside - outside)
    } else {
        0.0
    };
    Some(FIRST + SPACING * (last as f32 + share))
}

impl Feet<'_> {
    /// The disc that goes best through the feet, swept along a ray.
    fn swept(&self, axis: usize) -> Swept {
        self.fit(axis, &REACH, true)
    }

    /// The same, roughly.
    fn glance(&self, axis: usize) -> Swept {
        self.fit(axis, &REACH[..GLANCES], true)
    }

    /// The disc at rest that goes best through them.
    fn resting(&self, axis: usize) -> Swept {
        self.fit(axis, &REACH, false)
    }

    /// By least squares, in which those that are far off count little or nothing (Tukey's biweight).
    fn fit(&self, axis: usize, reach: &[f32], moves: bool) -> Swept {
        let Self {
            rays,
            radius_px: radius,
            distance_px: feet,
        } = self;
        let mean = radius.iter().sum::<f32>() / RAYS as f32;
        let length = LEAST_LENGTH * mean;
        let (cos, sin) = (rays.cos[axis], rays.sin[axis]);
        let along: PerRay = std::array::from_fn(|ray| rays.cos[ray] * cos + rays.sin[ray] * sin);
        let across: PerRay = std::array::from_fn(|ray| rays.sin[ray] * cos - rays.cos[ray] * sin);
        let rows = [along, across, [1.0; RAYS], along.map(|along| 0.5 * along.abs())];
        let ends = [1.0, -1.0].map(|side| along.map(|along| if side * along > NEAR_END { 1.0 } else { 0.0 }));
        // Along the ray and across it, how far the camera's blur carries the outline, and the length.
        let mut values = [0.0, 0.0, BLUR_PX, if moves { length } else { 0.0 }];
        let (mut agreeing, mut at_ends) = (0.0, [0.0; 2]);
        for reach in reach {
            let per_reach = 1.0 / (reach * mean).max(SHARP_PX);
            let (mut weight, mut pull, mut agrees) = ([0.0; RAYS], [0.0; RAYS], [0.0; RAYS]);
            for ray in 0..RAYS {
                let outline = radius[ray] + (0..4).map(|i| rows[i][ray] * values[i]).sum::<f32>();
                let off = feet[ray] - outline;
                let far = off * per_reach;
                let near = (1.0 - far * far).max(0.0);
                weight[ray] = near * near;
                pull[ray] = near * near * off;
                agrees[ray] = near * near * near;
            }
            agreeing = sum_of_products(&agrees, &[1.0; RAYS]);
            at_ends = ends.each_ref().map(|end| sum_of_products(&agrees, end));
            let mut system = NormalEquations::new(rows.each_ref(), &weight, &pull);
            // Without feet it stays where it is.
            system.hold(0, -values[0], 0.01);
            system.hold(1, -values[1], 0.1);
            system.hold(2, BLUR_PX - values[2], 1.0 / (BLUR_SIGMA_PX * BLUR_SIGMA_PX));
            let (longer, weight) = if moves {
                (length - values[3], 0.01)
            } else {
                (0.0, 1e6)
            };
            system.hold(3, longer, weight);
            if let Some(change) = system.solve() {
                for (value, change) in values.iter_mut().zip(change) {
                    *value += change;
                }
            }
            values[3] = values[3].max(0.0);
        }
        let [along, _, _, length] = values;
        Swept {
            axis,
            along,
            length: if moves { length } else { 0.0 },
            agreeing,
            at_ends,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balls::place::BallPlace;
    use crate::cloth::ClothModel;
    use ghostball_world::{ColorEncoding, Picture, PixelFormat};

    const RADIUS_PX: PerRay = [15.0; RAYS];

    /// Of a disc that lies at a place and is swept along a ray.
    fn feet(rays: &Rays, at: [f32; 2], axis: usize, length: f32) -> Feet<'_> {
        let distance_px = std::array::from_fn(|ray| {
            let (cos, sin) = (rays.cos[ray], rays.sin[ray]);
            let along = cos * rays.cos[axis] + sin * rays.sin[axis];
            15.0 + BLUR_PX + at[0] * cos + at[1] * sin + 0.5 * length * along.abs()
        });
        Feet {
            rays,
            radius_px: RADIUS_PX,
            distance_px,
        }
    }

    #[test]
    fn a_disc_that_was_swept_is_found_in_the_middle_of_its_way_though_a_third_of_its_feet_are_hidden() {
        let rays = Rays::default();
        let mut feet = feet(&rays, [1.5, -0.8], 5, 9.0);
        feet.distance_px[10..14].fill(UNSEEN);
        feet.distance_px[24..30].fill(30.0);
        let (swept, resting) = (feet.swept(5), feet.resting(5));
        let along = 1.5 * rays.cos[5] - 0.8 * rays.sin[5];
        assert!((swept.along - along).abs() < 0.15, "{swept:?}");
        assert!((swept.length - 9.0).abs() < 0.4, "{swept:?}");
        assert!(
            swept.agreeing > resting.agreeing + LEAST_GAIN,
            "{swept:?} {resting:?}"
        );
    }

    #[test]
    fn a_disc_at_rest_is_no_streak_however_the_picture_is_blurred() {
        let rays = Rays::default();
        let mut feet = feet(&rays, [0.4, 0.3], 0, 0.0);
        feet.distance_px = feet.distance_px.map(|foot| foot + 1.5);
        let (swept, resting) = (feet.swept(3), feet.resting(3));
        assert!(swept.length < LEAST_LENGTH * 15.0, "{swept:?}");
        assert!(
            swept.agreeing < resting.agreeing + LEAST_GAIN,
            "{swept:?} {resting:?}"
        );
    }

    #[test]
    fn where_no_feet_are_seen_nothing_agrees() {
        let feet = Feet {
            rays: &Rays::default(),
            radius_px: RADIUS_PX,
            distance_px: [UNSEEN; RAYS],
        };
        let swept = feet.swept(3);
        assert_eq!(swept.agreeing, 0.0);
        assert!(swept.along.abs() < 1e-3 && swept.length.is_finite());
    }

    /// A disc on dark cloth: how bright it is on each ray, and how wide its border there, radii.
    fn borders(at: impl Fn(usize) -> [f32; 2]) -> PolarGrid {
        let mut grid = PolarGrid {
            ellipse: Ellipse::circle(DVec2::splat(50.0), 15.0),
            radius: [15.0; RAYS],
            ..PolarGrid::default()
        };
        for (sample, row) in grid.colors[0].iter_mut().enumerate() {
            let distance = FIRST + SPACING * sample as f32;
            *row = std::array::from_fn(|ray| {
                let [height, width] = at(ray);
                height * (0.5 - (distance - 1.0) / width).clamp(0.0, 1.0)
            });
        }
        grid
    }

    #[test]
    fn what_blurs_one_end_alone_is_no_motion() {
        let picture = Picture::new(
            PixelFormat::Grey,
            100,
            100,
            ColorEncoding::default(),
            vec![0; 10_000],
        )
        .unwrap();
        let (planes, cloth, place) = (
            picture.planes().unwrap(),
            ClothModel::new(),
            BallPlace::from_above(),
        );
        let finder = RimFinder::new(&planes, &cloth, &place, [2.0; 3], true);
        let (sharp, blurred) = (0.1, 0.6);
        let ends = |widths: [f32; 2]| {
            borders(move |ray| match (ray + RAYS - 4) % RAYS {
                // Four rays on either side of the one that leads right, and of the one that leads left.
                24..=31 | 0 => [80.0, widths[0]],
                8..=16 => [160.0, widths[1]],
                _ => [160.0, sharp],
            })
        };
        let axis = |widths| finder.blurred_axis(&ends(widths), &[1.0; RAYS], 0);
        assert_eq!(axis([blurred; 2]), Some(0));
        assert_eq!(axis([sharp, blurred]), None, "a shadow's edge");
        assert_eq!(axis([sharp; 2]), None);
    }
}
