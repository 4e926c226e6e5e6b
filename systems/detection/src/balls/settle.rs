//! Where exactly a ball lies, once it is known to be one.
//!
//! At first all edges round it pull at its outline, those far from it too, so that it comes to where a disc of its size has
//! edges on all sides: the edge of a shadow is often stronger than the ball's own, but on one side only. Between that edge and
//! the border of a stripe it may be held beside its place all the same: where too few rays meet an edge, discs all round are
//! tried. Then its [`borders`] in luma and chroma place it to a fraction of a pixel. A ball among others shows little of its
//! border, and is held by those that it touches.

use super::border::{Taps, borders};
use super::contact::WEIGHT_AMONG_BALLS;
use super::ellipse::{Ellipse, Expected, Fit, RimPoints, SIGMA};
use super::neighbourhood::Neighbourhood;
use super::polar::{PerRay, PolarGrid, RAYS, Rays, chroma_pitch_px, read_taps};
use super::rim::{Rim, RimFinder, Scratch, WHOLE_RIM, rim_on};
use super::steps::StepFinder;

/// How far from the outline edges pull at it, in radii, round after round: from as far as a candidate is off, to where the
/// [`borders`] are told.
const PULLS: [f32; 3] = [0.35, 0.22, 0.12];
/// Discs that are tried beside the one that was found: so many radii off, on every how manieth ray. As far as a shadow and a
/// stripe draw a candidate off, and so dense that a ball is no farther from one of them than its edges are seen.
const SHIFTS: [(f32, usize); 3] = [(0.14, 4), (0.28, 2), (0.42, 2)];
/// And then round the best of those.
const FINE_SHIFT: (f32, usize) = (0.06, 4);
/// Where this share of its rays meets edges, a ball is not looked for beside its place: what has that is a ball there, whatever
/// its colour.
const SURE_SUPPORT: f32 = WHOLE_RIM as f32 / RAYS as f32;
/// One of those discs is taken where so many more rays do, not counting those that see other balls: noise and prints make one
/// or two…
const SURELY_BETTER: f32 = 2.0;
/// …and this share of all: the ramps of a ball that motion has drawn out are met by discs of several places, in part.
const LEAST_SUPPORT: f32 = 0.625;
/// Rounds of looking at borders, each from where the one before has placed them.
const ROUNDS: usize = 2;
/// Borders farther than this from where the outline is now are of something else, pixels.
const FARTHEST_PX: f32 = 1.25;
/// How well a ball's radius is known at its place, in radii (standard deviation): a table's is measured on all of its balls.
const RADIUS_SIGMA: f32 = 0.02;
/// By how much the colour on one side of a border may change over some pixels besides its noise, values of Y and of U, V
/// (standard deviation): a ball's limb darkens, and prints, stripes, glints and shadows end there.
const SHADING: [f32; 2] = [16.0, 4.0];

impl RimFinder<'_> {
    /// Puts a ball where the picture tells that it lies, given what is round it.
    pub fn settle(&self, rim: &mut Rim, around: &Neighbourhood, scratch: &mut Scratch) {
        let Scratch {
            rays,
            grid,
            cloth,
            finder,
            taps,
        } = scratch;
        let sureness: PerRay = std::array::from_fn(|ray| {
            if around.rays >> ray & 1 == 1 {
                WEIGHT_AMONG_BALLS as f32
            } else {
                1.0
            }
        });
        let expected = Expected {
            radius: self.place.radius_at(rim.ellipse.center),
            radius_sigma: RADIUS_SIGMA,
            elongation: self.expected_elongation(rim.ellipse.center),
            touching: around.touching(),
        };

        let center = rim.ellipse.center.as_vec2();
        grid.read_finely(self.planes, rays, &rim.ellipse);
        let color = self.cloth.color_at(center.x, center.y);
        self.mark_cloth(grid, color, cloth);
        finder.find_faint(grid, cloth, self.per_noise);
        let per_radius = 1.0 / grid.ellipse.radius as f32;
        let pull = |finder: &StepFinder, fit: &mut Fit, reaches: &[f32]| {
            for reach in reaches {
                let (distance, weight) = finder.pulls(&rim_on(grid, rays, fit), *reach);
                let points = RimPoints {
                    distance: std::array::from_fn(|ray| distance[ray] * grid.radius[ray] * per_radius),
                    weight: std::array::from_fn(|ray| weight[ray] * sureness[ray]),
                };
                grid.ellipse.fit(rays, &[points], &expected, f32::INFINITY, fit);
            }
        };
        let mut fit = grid.ellipse.as_fit();
        pull(finder, &mut fit, &PULLS);
        let discs = Discs {
            grid,
            rays,
            sureness: &sureness,
            radius: (expected.radius / grid.ellipse.radius) as f32,
        };
        finder.weigh_discs(cloth);
        // What may be cloth under a ball's edge is more than what is: with the rest of its edges it is surer still.
        if !discs.are_sure_of(&fit, finder) {
            self.mark_open_cloth(grid, color, cloth);
            finder.weigh_discs(cloth);
            if let Some(beside) = discs.better_than(&fit, finder) {
                fit = beside;
                // No shadow's edge may pull it back from far off.
                pull(finder, &mut fit, &PULLS[1..]);
            }
        }

        for _ in 0..ROUNDS {
            let points = self.border_points(&grid.ellipse, rays, &fit, &sureness, taps);
            let reach = 0.5 * FARTHEST_PX * per_radius;
            grid.ellipse.fit(rays, &points, &expected, reach, &mut fit);
        }
        rim.ellipse = grid.ellipse.moved(&fit);
        let streak = self.streak(grid, rays, &fit, around.rays);
        if let Some(streak) = streak {
            rim.ellipse.center = streak.center;
        }
        rim.streak = streak.map(|streak| streak.extent);
    }

    /// Borders in luma, and in chroma.
    fn border_points(
        &self,
        ellipse: &Ellipse,
        rays: &Rays,
        fit: &Fit,
        sureness: &PerRay,
        taps: &mut [Taps; 3],
    ) -> [RimPoints; 2] {
        let radius = ellipse.radius as f32;
        let met = ellipse.meet(rays, fit);
        read_taps(
            self.planes,
            rays,
            ellipse.center,
            &met.map(|met| radius * met),
            taps,
        );
        let [y, u, v] = self.per_noise.map(|per_noise| 1.0 / (per_noise * per_noise));
        let [shading_y, shading_uv] = SHADING.map(|s| s * s);
        let [ys, us, vs] = &*taps;
        // Weights are relative to those of a point that is good to `SIGMA`.
        let per_usual = SIGMA * SIGMA * radius * radius;
        [
            borders([ys], 1.0, y + shading_y),
            borders([us, vs], chroma_pitch_px(self.planes), u.max(v) + shading_uv),
        ]
        .map(|borders| RimPoints {
            distance: std::array::from_fn(|ray| met[ray] + borders.offset[ray] * (1.0 / radius)),
            weight: std::array::from_fn(|ray| per_usual * sureness[ray] * borders.weight[ray]),
        })
    }
}

/// Discs of the size that a ball should have, round where one was found.
struct Discs<'a> {
    grid: &'a PolarGrid,
    rays: &'a Rays,
    sureness: &'a PerRay,
    /// In the grid's mean radii.
    radius: f32,
}

impl Discs<'_> {
    /// How many rays meet edges on the outline, by how sure they are.
    fn support(&self, fit: &Fit, finder: &StepFinder) -> f32 {
        finder.support(&rim_on(self.grid, self.rays, fit), self.sureness)
    }

    /// Most that there could be.
    fn most_support(&self) -> f32 {
        self.sureness.iter().sum()
    }

    fn are_sure_of(&self, fit: &Fit, finder: &StepFinder) -> bool {
        self.support(fit, finder) >= SURE_SUPPORT * self.most_support()
    }

    /// The one that has most support, if that is surely more than what `fit` has.
    fn better_than(&self, fit: &Fit, finder: &StepFinder) -> Option<Fit> {
        if self.are_sure_of(fit, finder) {
            return None;
        }
        let beside = |[x, y]: [f32; 2], (distance, every): (f32, usize)| {
            let discs = (0..RAYS).step_by(every).map(move |ray| Fit {
                shift: [
                    x + distance * self.rays.cos[ray],
                    y + distance * self.rays.sin[ray],
                ],
                radius: self.radius,
                ..*fit
            });
            best_of(discs.map(|disc| (self.support(&disc, finder), disc)))
        };
        let rough = best_of(SHIFTS.into_iter().filter_map(|shifts| beside([0.0; 2], shifts)))?;
        let fine = beside(rough.1.shift, FINE_SHIFT);
        let (most, disc) = best_of(fine.into_iter().chain([rough]))?;
        let least = self.support(fit, finder) + SURELY_BETTER;
        (most >= least.max(LEAST_SUPPORT * self.most_support())).then_some(disc)
    }
}

fn best_of(discs: impl Iterator<Item = (f32, Fit)>) -> Option<(f32, Fit)> {
    discs.max_by(|a, b| a.0.total_cmp(&b.0))
}
