//! How one stretch starts: the least squares of one ball under given laws.

use glam::{DVec2, DVec3};

use super::matrix::{damped, dot, inverse, products, times};
use super::play::{Player, Start};
use super::{Laws, Stretch};

const ROUNDS: usize = 40;
/// Rounds in which a start follows a change of the laws.
pub(super) const FEW_ROUNDS: usize = 3;
/// Steps of the differences that stand for derivatives: a tenth of a millimetre and of a millimetre per second; a
/// ten-thousandth of a law.
pub(super) const STEP: f64 = 1e-4;
/// A round that gains less than this share of the cost is the last.
pub(super) const LEAST_GAIN: f64 = 1e-7;
/// Where damping starts, and beyond which there is no way down.
pub(super) const DAMPING: [f64; 2] = [1e-3, 1e6];
/// A miss counts as so many standard deviations at most, to begin with; see `solve::MOST_SIGMAS`.
const FIRST_MOST_SIGMAS: f64 = 60.0;
/// The first place is believed to so many standard deviations of a sighting: it is there for starts in a cushion, which
/// are drawn back.
const PLACE_SIGMAS: f64 = 5.0;
/// Slip is at most about a ball's speed; side spin, which cushions make and players add, about half of it.
const SIDE_WEIGHT: f64 = 2.0;
/// First guess of how places scatter, metres: a thirtieth of a ball's radius.
const FIRST_SIGMA: f64 = 1e-3;
/// The least they do: a tenth of a millimetre, below any camera.
const LEAST_SIGMA: f64 = 1e-4;
/// Median of the absolute value of a normal variable, in standard deviations.
const MEDIAN_SIGMAS: f64 = 0.6745;
/// Sightings from which a velocity is guessed at first.
const FIRST_SIGHTINGS: usize = 4;

/// A stretch, how it is believed to start, and how it scatters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member<'a> {
    pub stretch: &'a Stretch,
    pub start: Start,
    /// Standard deviation of one coordinate of a place, metres.
    pub sigma: f64,
    /// What a miss counts at most (Geman & McClure 1987), in standard deviations.
    pub most_sigmas: f64,
    /// Places that are looked at, from the first.
    count: usize,
}

impl<'a> Member<'a> {
    /// A stretch of which the first `count` places are looked at.
    pub fn new(stretch: &'a Stretch, count: usize) -> Option<Self> {
        Some(Self {
            stretch,
            start: seen_start(stretch)?,
            sigma: FIRST_SIGMA,
            most_sigmas: FIRST_MOST_SIGMAS,
            count,
        })
    }

    /// Sets `out` to what has to be small, each in its standard deviation: the misses, the place of the start, and the
    /// slip, which is at most about the ball's speed.
    pub fn residuals(
        &self,
        player: &mut Player,
        laws: Laws,
        start: &Start,
        out: &mut Vec<f64>,
    ) -> Option<()> {
        out.clear();
        let most = self.most_sigmas * self.most_sigmas;
        player.misses(laws, start, self.stretch, self.count, |miss| {
            let off = miss / self.sigma;
            out.extend((off / (1.0 + off.length_squared() / most).sqrt()).to_array());
        })?;
        let first = self.stretch.seen.first()?.1;
        out.extend(((start.position - first) / (PLACE_SIGMAS * self.sigma)).to_array());
        let turning = DVec3::new(start.slip.x, start.slip.y, SIDE_WEIGHT * start.side);
        out.extend((turning / self.stretch.speed()).to_array());
        Some(())
    }

    /// Levenberg-Marquardt (Marquardt 1963; Press et al., Numerical Recipes, 3rd ed., §15.5) on the start alone; returns
    /// the cost.
    pub fn settle(&mut self, player: &mut Player, laws: Laws, rounds: usize) -> Option<f64> {
        let (mut here, mut there) = (Vec::new(), Vec::new());
        self.residuals(player, laws, &self.start, &mut here)?;
        let mut cost = dot(&here, &here);
        let [mut damping, most_damping] = DAMPING;
        let mut columns: [Vec<f64>; Start::COUNT] = Default::default();
        for _ in 0..rounds {
            for (i, column) in columns.iter_mut().enumerate() {
                let mut step = [0.0; Start::COUNT];
                step[i] = STEP;
                self.residuals(player, laws, &self.start.stepped(&step), column)?;
                for (d, r) in column.iter_mut().zip(&here) {
                    *d = (*d - r) / STEP;
                }
            }
            let normal = products(&columns);
            let downhill = std::array::from_fn(|i| -dot(&columns[i], &here));
            let mut has_gained = None;
            while has_gained.is_none() && damping < most_damping {
                let next = self
                    .start
                    .stepped(&times(&inverse(&damped(&normal, damping))?, &downhill));
                let played = self.residuals(player, laws, &next, &mut there);
                let next_cost = dot(&there, &there);
                if played.is_some() && next_cost < cost {
                    has_gained = Some(cost - next_cost);
                    (self.start, cost) = (next, next_cost);
                    std::mem::swap(&mut here, &mut there);
                    damping = (0.1 * damping).max(1e-9);
                } else {
                    damping *= 10.0;
                }
            }
            if has_gained.is_none_or(|gain| gain <= LEAST_GAIN * cost) {
                break;
            }
        }
        Some(cost)
    }

    /// Fits the start: from what is believed, and from a ball that rolls, one without spin and one with as much backspin,
    /// as what is in between is found from one of them.
    pub fn reconsider(&mut self, player: &mut Player, laws: Laws) -> Option<()> {
        let seen = seen_start(self.stretch)?;
        let slipping = |share: f64| Start {
            slip: share * seen.velocity,
            ..seen
        };
        let mut best: Option<(f64, Start)> = None;
        for start in [self.start, slipping(0.0), slipping(1.0), slipping(2.0)] {
            self.start = start;
            let cost = self.settle(player, laws, ROUNDS);
            if let Some(cost) = cost.filter(|cost| best.is_none_or(|(least, _)| *cost < least)) {
                best = Some((cost, self.start));
            }
        }
        self.start = best?.1;
        Some(())
    }

    /// Learns how places scatter about the played way, from the median of the misses.
    pub fn learn_scatter(&mut self, player: &mut Player, laws: Laws) -> Option<()> {
        let mut off = Vec::with_capacity(2 * self.count);
        player.misses(laws, &self.start, self.stretch, self.count, |miss| {
            off.extend(miss.abs().to_array());
        })?;
        let middle = off.len() / 2;
        let (_, median, _) = off.select_nth_unstable_by(middle, f64::total_cmp);
        self.sigma = (*median / MEDIAN_SIGMAS).max(LEAST_SIGMA);
        Some(())
    }
}

/// How a stretch seems to start, by its first sightings.
fn seen_start(stretch: &Stretch) -> Option<Start> {
    let (first, later) = (stretch.seen.first()?, stretch.seen.get(FIRST_SIGHTINGS - 1)?);
    Some(Start {
        position: first.1,
        velocity: (later.1 - first.1) / (later.0 - first.0).max(1e-3),
        ..Start::default()
    })
}

/// Distance, metres, from where the ball was last to where it comes under `laws` when it is known from the first half
/// of the stretch's time; `None` where that shows too little of it.
pub(super) fn end_error(player: &mut Player, laws: Laws, stretch: &Stretch) -> Option<f64> {
    let (secs, place): (f64, DVec2) = *stretch.seen.last()?;
    let count = stretch.seen.partition_point(|seen| seen.0 <= 0.5 * secs);
    if count < 2 * FIRST_SIGHTINGS {
        return None;
    }
    let mut member = Member::new(stretch, count)?;
    member.reconsider(player, laws)?;
    let end = player.play(laws, &member.start, secs)?.state_at(0, secs)?;
    Some(end.position.distance(place))
}
