//! Faint rims: of balls of the cloth's own colour.
//!
//! From pixel to pixel such a rim is less than noise. But there is a centre round which the colour changes by the same step
//! nearly everywhere, just where the rim of a ball of the known size is, and what lies round it is cloth. Each sector is told by
//! a dozen pixels in three channels, so that a step of one standard deviation of a pixel is three and a half of its noise;
//! and the weakest of them tell a ball from what is bright or dark on one side only.
//!
//! Cost: some 10 µs per spot with nothing round it, twice that for a ball.

use glam::{DVec2, Vec2, Vec3};

use super::edges::LEAST_STEP_SIGMAS;
use super::ellipse::Ellipse;
use super::polar::{RAYS, Rays};
use super::rim::{LIGHT_OUTSIDE, RimFinder, TINT_OUTSIDE};
use super::select::NEAREST_CENTERS;
use crate::sample::color_of;

/// Where the inside and outside of a faint rim are looked at, in radii: as near as blur allows.
const INSIDE: [f32; 3] = [0.80, 0.87, 0.94];
const OUTSIDE: [f32; 3] = [1.08, 1.15, 1.22];
/// Where nothing but cloth may be, in radii; on so many rays something else may: a print's glint, another thing's border.
const ROUND: [f32; 4] = [1.1, 1.2, 1.3, 1.4];
const MOST_FOREIGN: usize = 8;
/// What lies nearer than this to another ball's centre, in its radii, may show that ball or its shadow.
const SHOWN: f64 = 1.3;
/// How far out a rim is compared at most, in radii: where a ray ends that others may hide.
const FARTHEST: f64 = 1.25;
/// Neighbouring rays are taken together, so many.
const PER_SECTOR: usize = 2;
const SECTORS: usize = RAYS / PER_SECTOR;
/// How the centre is looked for: steps in radii, one to all sides, then finer ones; what is compared across the rim lies as
/// far from it as the last step leaves it uncertain. Together they reach half a radius, as far as a lamp's image may be off.
const SEARCH: [Search; 4] = [
    Search {
        step: 0.3,
        every: 2,
        inside: &[0.75],
        outside: &[1.28],
        share: 0.0,
        counts_weakest: false,
    },
    Search {
        step: 0.15,
        every: 2,
        inside: &[0.83],
        outside: &[1.2],
        share: 0.5,
        counts_weakest: false,
    },
    Search {
        step: 0.07,
        every: 1,
        inside: &[0.87],
        outside: &[1.15],
        share: 0.75,
        counts_weakest: true,
    },
    Search {
        step: 0.035,
        every: 1,
        inside: &INSIDE,
        outside: &OUTSIDE,
        share: 1.0,
        counts_weakest: true,
    },
];
/// No sector speaks for a centre by more than this, in standard deviations of cloth pixels: a print at the rim or a neighbour
/// is no better a rim.
const MOST_STEP: f32 = 4.0;
/// What all sectors show in the mean, and the weakest quarter of them, in standard deviations of cloth pixels. Noise comes to
/// a third in the best of many places; of what lies on the cloth the weakest quarter shows less than half of one.
const LEAST_STEP: f32 = 2.2;
const LEAST_WEAK_STEP: f32 = 1.0;
/// Outside of a sector it looks otherwise than two sectors farther on both sides by this many standard deviations of a
/// pixel: cloth in a shadow hardly does, the surroundings of a corner of lines do. Not so many sectors may, and fewer where
/// others hide a quarter of the rim.
const MARKED: f32 = 3.0;
const BESIDE_MARK: usize = 2;
const MOST_MARKED: f32 = 0.7;
const MOST_MARKED_IN_PART: f32 = 0.5;
/// So many sectors have to be free of neighbours.
const LEAST_FREE: u32 = 4;
/// A stick leads to its tip: beyond the far rim of a ball in which the spot could be mirrored, in one of so many directions, it
/// looks otherwise so far from the spot than so far beside that, in radii (sticks are at least 0.34 wide there), by as much as an
/// edge does in the mean of five places and both sides, and by half of that at four of the places and on either side.
const DIRECTIONS: usize = 64;
const ALONG_STICK: [f32; 5] = [1.6, 1.85, 2.1, 2.35, 2.6];
const BESIDE_STICK: f32 = 0.5;
const LEAST_BAR: f32 = LEAST_STEP_SIGMAS;
const LEAST_ALONG: usize = 4;
/// What leads on in the opposite direction too, within so many of these, is a line on the cloth that goes through.
const OPPOSITE: u32 = 4;

/// What tells of a picture what is where.
#[derive(Clone, Copy, Debug)]
pub(super) struct FaintScene<'a> {
    pub finder: &'a RimFinder<'a>,
    pub rays: &'a Rays,
}

/// One round of the search for a centre.
#[derive(Clone, Copy, Debug)]
struct Search {
    step: f64,
    /// On every how manieth ray.
    every: usize,
    inside: &'static [f32],
    outside: &'static [f32],
    /// After it, this share of [`LEAST_STEP`] is asked for: where the centre is a fifth and a tenth of a radius off at best, a
    /// rim is half and three quarters of what it is. Most spots have nothing round them, and are done then.
    share: f32,
    /// And of [`LEAST_WEAK_STEP`]: where the centre is farther off, the weakest sectors look past the rim.
    counts_weakest: bool,
}

/// What speaks for a faint rim at a place, in standard deviations of cloth pixels.
#[derive(Clone, Copy, Debug, Default)]
struct FaintRim {
    /// Mean of what the free sectors show along the common step.
    step: f32,
    /// The same of the weakest quarter of them.
    weak_step: f32,
    /// Of those with free ones on both sides, the share outside of which it looks otherwise than there.
    marked: f32,
    /// How many there are.
    free: u32,
}

impl FaintScene<'_> {
    /// The ball in which a spot may be mirrored, beside others.
    pub fn ball_round(&self, spot: DVec2, balls: &[DVec2]) -> Option<Ellipse> {
        let place = self.finder.place;
        let usual = self.finder.usual_ellipse(spot);
        let mut best = (spot, FaintRim::default());
        for search in &SEARCH {
            best.1 = FaintRim::default();
            let from = best.0;
            let step = search.step * place.radius_at(spot);
            for y in -1..=1 {
                for x in -1..=1 {
                    let center = from + step * DVec2::new(f64::from(x), f64::from(y));
                    let free = !self.hidden(center, (FARTHEST * usual.radius) as f32, balls);
                    let rim = self.faint_rim(&usual, center, search, free);
                    if rim.step > best.1.step {
                        best = (center, rim);
                    }
                }
            }
            let is_weak = search.counts_weakest && best.1.weak_step < search.share * LEAST_WEAK_STEP;
            if best.1.step < search.share * LEAST_STEP || is_weak {
                return None;
            }
        }
        let (center, rim) = best;
        let ellipse = self.finder.usual_ellipse(center);
        let free = !self.hidden(center, (FARTHEST * ellipse.radius) as f32, balls);
        let has_room = |ball: &DVec2| ball.distance(center) >= NEAREST_CENTERS * ellipse.radius;
        let is_whole = rim.free as usize >= SECTORS - SECTORS / 4;
        let most_marked = if is_whole {
            MOST_MARKED
        } else {
            MOST_MARKED_IN_PART
        };
        let is_ball = place.allows_center(center)
            && rim.free >= LEAST_FREE
            && rim.marked <= most_marked
            && balls.iter().all(has_room)
            && self.count_of_foreign(center, ellipse.radius as f32, &ROUND, free) <= MOST_FOREIGN
            && !self.is_tip(spot, ellipse.radius as f32, balls);
        is_ball.then_some(ellipse)
    }

    /// Whether something long and thin ends at a spot.
    fn is_tip(&self, spot: DVec2, radius: f32, balls: &[DVec2]) -> bool {
        let hidden = self.hidden(spot, ALONG_STICK[2] * radius, balls);
        // What is beside a ray is a ray farther on.
        let hidden = hidden | hidden.rotate_left(1) | hidden.rotate_right(1);
        let per_ray = DIRECTIONS / RAYS;
        let leads = |direction: &usize| {
            let angle = std::f32::consts::TAU * *direction as f32 / DIRECTIONS as f32;
            hidden >> (direction / per_ray) & 1 == 0
                && self.is_bar(spot, radius * Vec2::new(libm::cosf(angle), libm::sinf(angle)))
        };
        let bars = (0..DIRECTIONS)
            .filter(leads)
            .fold(0_u64, |bars, direction| bars | 1 << direction);
        let half = DIRECTIONS as u32 / 2;
        let goes_through = (half - OPPOSITE..=half + OPPOSITE).any(|by| bars & bars.rotate_left(by) != 0);
        bars != 0 && !goes_through
    }

    /// Whether it looks otherwise along a direction than on either side of it, and in the same way: along a cushion it does on
    /// one side only.
    fn is_bar(&self, spot: DVec2, radius_towards: Vec2) -> bool {
        let across = BESIDE_STICK * radius_towards.perp();
        let per_noise = Vec3::from(self.finder.per_noise);
        let sides = ALONG_STICK.map(|distance| {
            let at = spot.as_vec2() + distance * radius_towards;
            let [on, left, right] = [at, at + across, at - across].map(|p| Vec3::from(self.color_at(p)));
            [left, right].map(|side| (on - side) * per_noise)
        });
        let mean_of = |side: usize| sides.iter().map(|sides| sides[side]).sum::<Vec3>() / sides.len() as f32;
        let [left, right] = [0, 1].map(mean_of);
        let Some(towards) = (left + right).try_normalize() else {
            return false;
        };
        let along = |step: Vec3| step.dot(towards);
        let is_along = |[left, right]: &&[Vec3; 2]| along(*left + *right) >= LEAST_BAR;
        0.5 * along(left + right) >= LEAST_BAR
            && along(left).min(along(right)) >= 0.5 * LEAST_BAR
            && sides.iter().filter(is_along).count() >= LEAST_ALONG
    }

    /// The colour at a distance from a place.
    pub fn color(&self, center: DVec2, distance: f32, ray: usize) -> [f32; 3] {
        self.color_at(center.as_vec2() + distance * Vec2::new(self.rays.cos[ray], self.rays.sin[ray]))
    }

    #[inline]
    fn color_at(&self, p: Vec2) -> [f32; 3] {
        let p = p + 0.5;
        let inside = |v: f32, count: usize| (v.max(0.0) as usize).min(count - 1);
        let luma = &self.finder.planes.luma;
        let [y, u, v] = color_of(
            self.finder.planes,
            inside(p.x, luma.width),
            inside(p.y, luma.height),
        );
        // In a closure for `map` this would be a call for each pixel.
        [f32::from(y), f32::from(u), f32::from(v)]
    }

    /// Of these rays, one bit each, how many meet something else than cloth, lit or shaded, at one of these distances in radii.
    pub fn count_of_foreign(&self, center: DVec2, radius: f32, distances: &[f32], rays: u32) -> usize {
        let cloth = self.finder.cloth.color_at(center.x as f32, center.y as f32);
        let is_foreign = |ray: usize| {
            distances.iter().any(|distance| {
                let color = self.color(center, distance * radius, ray);
                self.finder
                    .is_unlike_any_cloth(cloth, color, LIGHT_OUTSIDE, TINT_OUTSIDE)
            })
        };
        (0..RAYS)
            .filter(|ray| rays >> ray & 1 == 1 && is_foreign(*ray))
            .count()
    }

    /// Rays that end on or near another ball, one bit each.
    pub fn hidden(&self, center: DVec2, distance: f32, balls: &[DVec2]) -> u32 {
        let mut hidden = 0;
        for ball in balls {
            let reach = (SHOWN * self.finder.place.radius_at(*ball)) as f32;
            let off = (center - *ball).as_vec2();
            if off.length() > distance + reach {
                continue;
            }
            for ray in 0..RAYS {
                let at = off + distance * Vec2::new(self.rays.cos[ray], self.rays.sin[ray]);
                hidden |= u32::from(at.length_squared() < reach * reach) << ray;
            }
        }
        hidden
    }

    /// What is seen round a centre on rays that are free, one bit each.
    fn faint_rim(&self, ellipse: &Ellipse, center: DVec2, search: &Search, free: u32) -> FaintRim {
        let seen = self.sectors_round(ellipse, center, search);
        let is_free = |sector: &usize| {
            let rays = ((1 << PER_SECTOR) - 1) << (PER_SECTOR * sector);
            free & rays == rays
        };
        let sectors = (0..SECTORS).filter(is_free);
        let Some(towards) = seen.common_step(sectors.clone()) else {
            return FaintRim::default();
        };
        let mut buffer = [0.0; SECTORS];
        let steps = sectors.clone().map(|sector| seen.steps[sector].dot(towards));
        let along = filled(&mut buffer, steps.map(|step| step.clamp(-MOST_STEP, MOST_STEP)));
        along.sort_unstable_by(f32::total_cmp);
        let (mut compared, mut marked) = (0, 0);
        for sector in sectors {
            let beside = [SECTORS - BESIDE_MARK, BESIDE_MARK].map(|by| (sector + by) % SECTORS);
            if beside.iter().all(is_free) {
                let other = seen.outside[sector] - 0.5 * (seen.outside[beside[0]] + seen.outside[beside[1]]);
                compared += 1;
                marked += u32::from(other.length_squared() > MARKED * MARKED);
            }
        }
        let mean = |along: &[f32]| along.iter().sum::<f32>() / along.len().max(1) as f32;
        FaintRim {
            step: mean(along),
            weak_step: mean(&along[..along.len().div_ceil(4)]),
            marked: marked as f32 / compared.max(1) as f32,
            free: along.len() as u32,
        }
    }

    fn sectors_round(&self, ellipse: &Ellipse, center: DVec2, search: &Search) -> Sectors {
        let samples = (PER_SECTOR / search.every * search.inside.len()) as f32;
        let per_step = Vec3::from(self.finder.per_noise) / samples;
        let mut sectors = Sectors::default();
        for ray in (0..RAYS).step_by(search.every) {
            let radius = ellipse.radius_towards([self.rays.cos[ray], self.rays.sin[ray]]);
            let sector = ray / PER_SECTOR;
            for (inside, outside) in search.inside.iter().zip(search.outside) {
                let inside = Vec3::from(self.color(center, inside * radius, ray));
                let outside = Vec3::from(self.color(center, outside * radius, ray));
                sectors.steps[sector] += (inside - outside) * per_step;
                sectors.outside[sector] += outside * per_step;
            }
        }
        sectors
    }
}

/// What sectors show, in standard deviations of cloth pixels (Y, U, V).
#[derive(Clone, Copy, Debug, Default)]
struct Sectors {
    /// How much the inside differs from the outside.
    steps: [Vec3; SECTORS],
    outside: [Vec3; SECTORS],
}

impl Sectors {
    /// Unit vector along the median of the steps: prints take up less than half of a rim. `None` where there is no step.
    fn common_step(&self, sectors: impl Iterator<Item = usize> + Clone) -> Option<Vec3> {
        let mut common = Vec3::ZERO;
        for channel in 0..3 {
            let mut buffer = [0.0; SECTORS];
            let steps = sectors.clone().map(|sector| self.steps[sector][channel]);
            let steps = filled(&mut buffer, steps);
            if steps.is_empty() {
                return None;
            }
            common[channel] = *steps.select_nth_unstable_by(steps.len() / 2, f32::total_cmp).1;
        }
        common.try_normalize()
    }
}

/// The part of a buffer that these values fill.
fn filled(buffer: &mut [f32; SECTORS], values: impl Iterator<Item = f32>) -> &mut [f32] {
    let mut count = 0;
    for (place, value) in buffer.iter_mut().zip(values) {
        *place = value;
        count += 1;
    }
    &mut buffer[..count]
}
