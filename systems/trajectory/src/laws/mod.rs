//! The laws of one table, fitted to what was seen of shots on it: friction of the cloth, and the cushions.
//!
//! What is seen of a ball between two touches of other balls is a [`Stretch`]: cloth and cushions alone decide it. Each
//! stretch is played by the physics engine from a start of its own (place, velocity, slip: unknown), all of them under
//! the same laws (unknown too), and the sum of squared distances from where the balls were seen is made least: a bundle
//! adjustment (see `solve`). Slip tells sliding friction, the rest of the way rolling friction, and what a bounce does to
//! speed and angle the cushions. What no stretch tells stays as it is usual.

mod matrix;
mod play;
mod solve;
mod start;
mod stretches;
#[cfg(test)]
mod tests;

use ghostball_physics::Physics;
use ghostball_world::TableGeometry;

pub use stretches::{SeenBall, Stretch, Ways};

use play::Player;
use solve::Bundle;

/// Shots are taken apart into at most so many parts, each of which is predicted with what is fitted to the others.
const FOLDS: usize = 5;
/// More stretches than this tell nothing new: a dozen shots of three balls have thirty, and recover the laws of a table to
/// some percent.
const MOST_STRETCHES: usize = 60;

/// What differs from table to table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Laws {
    /// Coefficient of rolling friction, 0.002 to 0.05.
    pub rolling_friction: f64,
    /// Coefficient of sliding friction, 0.05 to 0.6.
    pub sliding_friction: f64,
    /// Share of the normal speed kept at a cushion, 0.3 to 0.98.
    pub cushion_restitution: f64,
    /// Coefficient of friction between ball and cushion, 0.02 to 0.6.
    pub cushion_friction: f64,
}

impl Laws {
    const COUNT: usize = 4;
    /// Least and most that a table can have: beyond, something else was seen.
    const BOUNDS: [[f64; 2]; Self::COUNT] = [[0.002, 0.05], [0.05, 0.6], [0.3, 0.98], [0.02, 0.6]];
    /// Standard deviation of each one's logarithm among tables: rolling 0.005 to 0.015 and sliding 0.15 to 0.4 (Marlow, The
    /// Physics of Pocket Billiards, 1995; Alciatore), restitution 0.6 to 0.9 and friction 0.14 to 0.3 (Han 2005; Mathavan
    /// 2010).
    const SPREADS: [f64; Self::COUNT] = [0.4, 0.4, 0.15, 0.4];

    /// Those that `physics` has.
    pub fn of(physics: &Physics) -> Self {
        Self::from_array([
            physics.ball.rolling_friction,
            physics.ball.sliding_friction,
            physics.ball.cushion_restitution,
            physics.ball.cushion_friction,
        ])
    }

    /// `physics` with these.
    pub fn applied_to(&self, mut physics: Physics) -> Physics {
        physics.ball.rolling_friction = self.rolling_friction;
        physics.ball.sliding_friction = self.sliding_friction;
        physics.ball.cushion_restitution = self.cushion_restitution;
        physics.ball.cushion_friction = self.cushion_friction;
        physics
    }

    /// The first that is not in its range: its name, its range, and what it is.
    pub fn out_of_range(&self) -> Option<(&'static str, [f64; 2], f64)> {
        const NAMES: [&str; Laws::COUNT] = [
            "rolling_friction",
            "sliding_friction",
            "cushion_restitution",
            "cushion_friction",
        ];
        let values = self.to_array();
        (0..Self::COUNT)
            // NaN is in no range.
            .find(|i| !(Self::BOUNDS[*i][0]..=Self::BOUNDS[*i][1]).contains(&values[*i]))
            .map(|i| (NAMES[i], Self::BOUNDS[i], values[i]))
    }

    fn from_array([rolling, sliding, restitution, friction]: [f64; Self::COUNT]) -> Self {
        Self {
            rolling_friction: rolling,
            sliding_friction: sliding,
            cushion_restitution: restitution,
            cushion_friction: friction,
        }
    }

    fn to_array(self) -> [f64; Self::COUNT] {
        [
            self.rolling_friction,
            self.sliding_friction,
            self.cushion_restitution,
            self.cushion_friction,
        ]
    }

    /// With `steps` added to the logarithms, as far as the bounds let them.
    fn stepped(self, steps: &[f64; Self::COUNT]) -> Self {
        let values = self.to_array();
        Self::from_array(std::array::from_fn(|i| {
            let [least, most] = Self::BOUNDS[i];
            (values[i] * libm::exp(steps[i])).clamp(least, most)
        }))
    }
}

/// Laws, and how well they tell what was seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FittedLaws {
    /// The most likely ones.
    pub laws: Laws,
    /// Standard deviation of each, as a share of it; about as large as it is among tables where nothing told it.
    pub spreads: Laws,
    /// Shots that were used.
    pub shots: usize,
    /// Stretches of one ball that were used.
    pub stretches: usize,
    /// How often a ball met a cushion on them.
    pub bounces: usize,
    /// Median distance, metres, from where balls came to the end of their stretch, seen from the first half of it, with
    /// the usual laws …
    pub error_before: f64,
    /// … and with fitted ones: those fitted to other shots, where there is more than one.
    pub error_after: f64,
    /// Whether that was measured on shots that the laws had not been fitted to.
    pub is_held_out: bool,
    /// Whether `laws` are the usual ones, as fitted ones did not tell shots that they had not been fitted to any better:
    /// something else was fitted, such as stamps that are off.
    pub is_usual: bool,
}

/// Why nothing was fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LawsError {
    /// No ball moved.
    #[error("balls in motion were expected, none moved in {frames} frames")]
    NothingMoved {
        /// Frames looked at.
        frames: u64,
    },
    /// They moved too shortly, or through each other all the time.
    #[error(
        "a ball that rolls by itself for {} s or more was expected, found none in {shots} shots",
        stretches::LEAST_SECS
    )]
    TooShort {
        /// Shots seen.
        shots: usize,
    },
    /// What was seen fits no laws.
    #[error("the ways of {stretches} balls fit no friction and cushions")]
    NoSolution {
        /// Stretches tried.
        stretches: usize,
    },
}

/// The longest ones, in order of shot: they tell most.
fn longest(mut stretches: Vec<Stretch>) -> Vec<Stretch> {
    let secs = |stretch: &Stretch| stretch.seen.last().map_or(0.0, |seen| seen.0);
    stretches.sort_by(|a, b| secs(b).total_cmp(&secs(a)));
    stretches.truncate(MOST_STRETCHES);
    stretches.sort_by_key(|stretch| stretch.shot);
    stretches
}

/// Fits the laws of a table to what was seen of shots on it; `physics` is what it is thought to be before.
pub fn fit(ways: &Ways, geometry: &TableGeometry, physics: Physics) -> Result<FittedLaws, LawsError> {
    if ways.shots() == 0 {
        return Err(LawsError::NothingMoved {
            frames: ways.frames(),
        });
    }
    let stretches = longest(ways.stretches());
    if stretches.is_empty() {
        return Err(LawsError::TooShort { shots: ways.shots() });
    }
    let no_solution = LawsError::NoSolution {
        stretches: stretches.len(),
    };
    let mut player = Player::new(geometry, physics);
    let before = Laws::of(&physics);
    let all = Bundle::fit(&mut player, before, stretches.iter()).ok_or(no_solution)?;
    let bounces = all.bounces(&mut player);

    let mut shots: Vec<usize> = stretches.iter().map(|stretch| stretch.shot).collect();
    shots.dedup();
    let folds = shots.len().min(FOLDS);
    let fold_of = |stretch: &Stretch| shots.partition_point(|shot| *shot < stretch.shot) % folds;
    let is_held_out = folds > 1;
    let mut errors = [Vec::new(), Vec::new()];
    for fold in 0..folds {
        let others = || stretches.iter().filter(|stretch| fold_of(stretch) != fold);
        let laws = if is_held_out {
            Bundle::fit(&mut player, before, others())
                .ok_or(no_solution)?
                .laws
        } else {
            all.laws
        };
        for stretch in stretches.iter().filter(|stretch| fold_of(stretch) == fold) {
            let ends = [before, laws].map(|laws| start::end_error(&mut player, laws, stretch));
            if let [Some(with_usual), Some(with_fitted)] = ends {
                errors[0].push(with_usual);
                errors[1].push(with_fitted);
            }
        }
    }
    let [error_before, error_after] = errors.map(median);
    let is_usual = is_held_out && error_after >= error_before;
    Ok(FittedLaws {
        laws: if is_usual { before } else { all.laws },
        spreads: all.spreads,
        shots: shots.len(),
        stretches: stretches.len(),
        bounces,
        error_before,
        error_after,
        is_held_out,
        is_usual,
    })
}

/// The median: a ball that is expected to pass a jaw and does not comes to another end of the table, and would be all that
/// a mean shows. 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    let middle = values.len() / 2;
    if values.is_empty() {
        return 0.0;
    }
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}
