//! Steps round a supposed ball: where along each ray colour changes.

use super::ellipse::sum_of_products;
use super::polar::{FIRST, PerRay, PolarGrid, RAYS, SAMPLES, SPACING, sample_at};

/// An edge is a step of at least this many standard deviations of cloth pixels.
pub const LEAST_STEP_SIGMAS: f32 = 5.0;
/// A step this many times the least is surely one: more contrast makes it no better a rim.
const SURE_STEP: f32 = 9.0;
/// How much an edge counts that has no cloth behind it, against one that has, as a ball's rim does.
pub const NOT_TO_CLOTH: f32 = 0.4;
/// Steps this many times the reach from where the rim should be are not taken for it.
const FAR: f32 = 2.5;
/// Less is no step at all: what the number of a sample alone makes of a score.
const LEAST_SCORE: f32 = 1e-6;
/// Where all edges count, steps of so many standard deviations begin to, and of so many count in full: a dark ball's rim
/// may be faint, and its shadow's edge beside it no better for being strong.
const FAINTEST_STEP_SIGMAS: f32 = 2.0;
const FULL_FAINT_STEP_SIGMAS: f32 = 4.0;
/// Where a disc's outline is held against all edges: how much an edge one sample beside it counts.
const BESIDE: f32 = 0.7;
/// And one with cloth, lit or shaded, on its inside too: a shadow's, or that of a ball of such a colour.
const FROM_SHADE: f32 = 0.6;
/// How far inside an edge cloth is looked for, in samples: past its blur.
const INSIDE: [usize; 2] = [2, 3];
/// Lowest bits of a score, where the number of its sample is kept: so the largest is found without a branch.
const SAMPLE_BITS: u32 = SAMPLES as u32 - 1;
/// How far behind an edge, in samples, cloth is looked for: past its blur.
const BEHIND: [usize; 2] = [2, 3];

/// Finds edges on a polar grid. Holds buffers.
#[derive(Clone, Debug)]
pub struct StepFinder {
    /// Squared step round each sample, in standard deviations of cloth pixels.
    squares: [PerRay; SAMPLES],
    /// How much each sample speaks for a rim there, 0 to 1; 0 beside the steepest place.
    evidence: [PerRay; SAMPLES],
    /// How much a disc's outline at each sample is worth, 0 to 1.
    worth: [PerRay; SAMPLES],
}

/// What is met on the rays.
#[derive(Clone, Copy, Debug)]
pub struct Steps {
    /// From the grid's centre, in its radii along the ray.
    pub distance: PerRay,
    /// Standard deviations of cloth pixels; 0 where none was met.
    pub height: PerRay,
    /// 1 where cloth is behind it, lit or shaded, else 0.
    pub is_to_cloth: PerRay,
}

impl Default for StepFinder {
    fn default() -> Self {
        Self {
            squares: [[0.0; RAYS]; SAMPLES],
            evidence: [[0.0; RAYS]; SAMPLES],
            worth: [[0.0; RAYS]; SAMPLES],
        }
    }
}

/// Whether there is cloth behind a sample: 1 or 0. `cloth` says which samples are.
#[inline]
fn behind(cloth: &[PerRay; SAMPLES], sample: usize, ray: usize) -> f32 {
    let [near, far] = BEHIND.map(|far| cloth[(sample + far).min(SAMPLES - 1)][ray]);
    near.max(far)
}

impl StepFinder {
    /// Finds the edges of a grid. `cloth` is 1 where a sample is cloth, lit or shaded, else 0; `per_noise` the
    /// reciprocal of the standard deviation of cloth pixels (Y, U, V).
    pub fn find(&mut self, grid: &PolarGrid, cloth: &[PerRay; SAMPLES], per_noise: [f32; 3]) {
        self.measure(grid, per_noise);
        let least = LEAST_STEP_SIGMAS * LEAST_STEP_SIGMAS;
        let per_sure = 1.0 / (SURE_STEP * SURE_STEP * least);
        self.weigh(cloth, |square| {
            if square >= least {
                (square * per_sure).min(1.0).sqrt()
            } else {
                0.0
            }
        });
    }

    /// The same, with faint edges too, which count nearly as much as strong ones: for [`StepFinder::pulls`].
    pub fn find_faint(&mut self, grid: &PolarGrid, cloth: &[PerRay; SAMPLES], per_noise: [f32; 3]) {
        self.measure(grid, per_noise);
        let [least, full] = [FAINTEST_STEP_SIGMAS, FULL_FAINT_STEP_SIGMAS].map(|s| s * s);
        let per_range = 1.0 / (full - least);
        self.weigh(cloth, |square| ((square - least) * per_range).clamp(0.0, 1.0));
    }

    fn measure(&mut self, grid: &PolarGrid, per_noise: [f32; 3]) {
        let [wy, wu, wv] = per_noise.map(|w| w * w);
        let [ys, us, vs] = &grid.colors;
        for i in 1..SAMPLES - 1 {
            let out = &mut self.squares[i];
            for ray in 0..RAYS {
                let [y, u, v] = [ys, us, vs].map(|channel| channel[i + 1][ray] - channel[i - 1][ray]);
                out[ray] = y * y * wy + u * u * wu + v * v * wv;
            }
        }
    }

    /// `worth` of a squared step in standard deviations is 0 to 1.
    #[inline(always)]
    fn weigh(&mut self, cloth: &[PerRay; SAMPLES], worth: impl Fn(f32) -> f32) {
        for i in 1..SAMPLES - 1 {
            let [before, here, after] = [i - 1, i, i + 1].map(|i| &self.squares[i]);
            let out = &mut self.evidence[i];
            for ray in 0..RAYS {
                let square = here[ray];
                let is_crest = (square >= before[ray]) & (square > after[ray]);
                let kind = NOT_TO_CLOTH + (1.0 - NOT_TO_CLOTH) * behind(cloth, i, ray);
                let evidence = worth(square) * kind;
                out[ray] = if is_crest { evidence } else { 0.0 };
            }
        }
    }

    /// Where all edges within `reach` radii draw a rim, in the grid's radii along each ray, and how strongly, 0 to about 1.
    pub fn pulls(&self, rim: &PerRay, reach: f32) -> (PerRay, PerRay) {
        let (mut strength, mut moment) = ([0.0_f32; RAYS], [0.0_f32; RAYS]);
        let per_reach = 1.0 / reach;
        for i in 1..SAMPLES - 1 {
            let (distance, evidence) = (FIRST + SPACING * i as f32, &self.evidence[i]);
            for ray in 0..RAYS {
                let off = distance - rim[ray];
                let far = off * per_reach;
                let preference = (1.0 - far * far).max(0.0);
                let pull = evidence[ray] * preference * preference;
                strength[ray] += pull;
                moment[ray] += pull * off;
            }
        }
        let distance = std::array::from_fn(|ray| rim[ray] + moment[ray] / strength[ray].max(LEAST_SCORE));
        (distance, strength)
    }

    /// Tells what outlines are worth, for [`StepFinder::support`]; `cloth` is 1 where a sample is cloth, lit or shaded, else 0:
    /// where that is inside an edge it may be a shadow's.
    pub fn weigh_discs(&mut self, cloth: &[PerRay; SAMPLES]) {
        let [near, far] = INSIDE;
        for i in 1..SAMPLES - 1 {
            let [before, here, after] = [i - 1, i, i + 1].map(|i| &self.evidence[i]);
            let [near, far] = [near, far].map(|inside| &cloth[i.saturating_sub(inside)]);
            let out = &mut self.worth[i];
            for ray in 0..RAYS {
                let shade = 1.0 - (1.0 - FROM_SHADE) * near[ray].min(far[ray]);
                out[ray] = here[ray].max(BESIDE * before[ray].max(after[ray])) * shade;
            }
        }
    }

    /// How much all edges together speak for a rim that is met at these distances: as many rays as meet one there.
    pub fn support(&self, rim: &PerRay, sureness: &PerRay) -> f32 {
        let mut met = [0.0; RAYS];
        for ray in 0..RAYS {
            met[ray] = self.worth[sample_at(rim[ray]) as usize % SAMPLES][ray];
        }
        sum_of_products(&met, sureness)
    }

    /// On each ray the edge that speaks most for a rim, preferring those within `reach` radii of where it should be.
    pub fn steps(&self, cloth: &[PerRay; SAMPLES], rim: &PerRay, reach: f32) -> Steps {
        let mut best = [0.0_f32; RAYS];
        let per_far = 1.0 / (FAR * reach);
        for i in 1..SAMPLES - 1 {
            let (distance, evidence) = (FIRST + SPACING * i as f32, &self.evidence[i]);
            for ray in 0..RAYS {
                let off = (distance - rim[ray]) * per_far;
                let preference = (1.0 - off * off).max(0.0);
                let score = evidence[ray] * preference * preference;
                let score = f32::from_bits(score.to_bits() & !SAMPLE_BITS | i as u32);
                best[ray] = if score > best[ray] { score } else { best[ray] };
            }
        }
        // Roots of squares, at the best place and both sides of it.
        let mut around = [[0.0_f32; RAYS]; 3];
        let mut steps = Steps {
            distance: [0.0; RAYS],
            height: [0.0; RAYS],
            is_to_cloth: [0.0; RAYS],
        };
        for ray in 0..RAYS {
            let i = ((best[ray].to_bits() & SAMPLE_BITS) as usize).clamp(1, SAMPLES - 2);
            around[0][ray] = self.squares[i - 1][ray];
            around[1][ray] = self.squares[i][ray];
            around[2][ray] = self.squares[i + 1][ray];
            steps.distance[ray] = i as f32;
            steps.is_to_cloth[ray] = behind(cloth, i, ray);
        }
        for ray in 0..RAYS {
            let [a, b, c] = [0, 1, 2].map(|i: usize| around[i][ray].sqrt());
            let bend = (2.0 * b - a - c).max(f32::MIN_POSITIVE);
            let shift = (0.5 * (c - a) / bend).clamp(-0.5, 0.5);
            steps.distance[ray] = FIRST + SPACING * (steps.distance[ray] + shift);
            steps.height[ray] = if best[ray] > LEAST_SCORE { b } else { 0.0 };
        }
        steps
    }
}
