//! The bundle adjustment: many starts and one set of laws, together.

use super::matrix::{Square, damped, dot, inverse, times};
use super::play::{Player, Start};
use super::start::{DAMPING, FEW_ROUNDS, LEAST_GAIN, Member, STEP};
use super::{Laws, Stretch};

const ROUNDS: usize = 40;
/// A miss of so many standard deviations or more counts as so many at most. Under usual laws all places may be missed by
/// far: what is taken for something else narrows (graduated non-convexity, Blake & Zisserman 1987). How far a stretch
/// scatters is learnt between the passes.
const MOST_SIGMAS: [f64; 4] = [60.0, 20.0, 5.0, 5.0];
/// Most that the logarithm of a law changes in a round: what is told of it is told near where it was.
const MOST_STEP: f64 = 0.2;
/// A way that changes by more than so many metres for a metre, a metre per second, or a law twice as large, jumps.
const MOST_GROWTH: f64 = 30.0;

/// Logarithms of laws by those of the usual ones.
type Steps = [f64; Laws::COUNT];

/// Stretches and laws that fit them.
pub(super) struct Bundle<'a> {
    members: Vec<Member<'a>>,
    usual: Laws,
    steps: Steps,
    /// The laws.
    pub laws: Laws,
    /// Their standard deviations, as shares.
    pub spreads: Laws,
}

impl<'a> Bundle<'a> {
    /// Fits starts and laws to `stretches`, from `usual` laws, which also are what is thought of tables before.
    pub fn fit(
        player: &mut Player,
        usual: Laws,
        stretches: impl Iterator<Item = &'a Stretch>,
    ) -> Option<Self> {
        let mut bundle = Self {
            members: stretches
                .filter_map(|stretch| Member::new(stretch, stretch.seen.len()))
                .collect(),
            usual,
            steps: [0.0; Laws::COUNT],
            laws: usual,
            spreads: usual,
        };
        for most_sigmas in MOST_SIGMAS {
            let laws = bundle.laws;
            bundle.members.retain_mut(|member| {
                member.most_sigmas = most_sigmas;
                member.reconsider(player, laws).is_some()
            });
            bundle.adjust(player)?;
            let laws = bundle.laws;
            bundle
                .members
                .retain_mut(|member| member.learn_scatter(player, laws).is_some());
        }
        (!bundle.members.is_empty()).then_some(bundle)
    }

    /// How often balls met a cushion on the stretches.
    pub fn bounces(&self, player: &mut Player) -> usize {
        let secs = |member: &Member| member.stretch.seen.last().map_or(0.0, |seen| seen.0);
        self.members
            .iter()
            .map(|member| player.bounces(self.laws, &member.start, secs(member)))
            .sum()
    }

    /// Levenberg-Marquardt; each start is eliminated from the normal equations by itself, which leaves those of the laws
    /// (the Schur complement: Triggs et al., Bundle Adjustment, 2000, §6.1).
    fn adjust(&mut self, player: &mut Player) -> Option<()> {
        let (mut cost, _) = self.cost(player, &self.steps, None)?;
        let [mut damping, most_damping] = DAMPING;
        for _ in 0..ROUNDS {
            let normal = self.linearise(player);
            let mut has_gained = None;
            while has_gained.is_none() && damping < most_damping {
                let tried = normal.solve(damping).and_then(|moves| {
                    let next: Steps = std::array::from_fn(|i| self.steps[i] + moves.laws[i]);
                    let (next_cost, starts) = self.cost(player, &next, Some(&moves.starts))?;
                    (next_cost < cost).then_some((next_cost, next, starts))
                });
                let Some((next_cost, next, starts)) = tried else {
                    damping *= 10.0;
                    continue;
                };
                has_gained = Some(cost - next_cost);
                (self.steps, cost) = (next, next_cost);
                for (member, start) in self.members.iter_mut().zip(starts) {
                    member.start = start;
                }
                damping = (0.1 * damping).max(1e-9);
            }
            if has_gained.is_none_or(|gain| gain <= LEAST_GAIN * cost) {
                break;
            }
        }
        self.laws = self.usual.stepped(&self.steps);
        let covariance = inverse(&self.linearise(player).reduced(0.0)?.0)?;
        self.spreads = Laws::from_array(std::array::from_fn(|i| covariance[i][i].max(0.0).sqrt()));
        Some(())
    }

    /// What the laws at `steps` cost, and the starts that go with them: each is moved if that helps, then settles.
    fn cost(
        &self,
        player: &mut Player,
        steps: &Steps,
        moves: Option<&[[f64; Start::COUNT]]>,
    ) -> Option<(f64, Vec<Start>)> {
        let laws = self.usual.stepped(steps);
        let unusual = |i: usize| steps[i] / Laws::SPREADS[i];
        let mut cost: f64 = (0..Laws::COUNT).map(|i| unusual(i) * unusual(i)).sum();
        let mut starts = Vec::with_capacity(self.members.len());
        let (mut here, mut there) = (Vec::new(), Vec::new());
        for (index, believed) in self.members.iter().enumerate() {
            let mut member = *believed;
            if let Some(step) = moves.and_then(|moves| moves.get(index)) {
                let moved = member.start.stepped(step);
                member.residuals(player, laws, &member.start, &mut here)?;
                let played = member.residuals(player, laws, &moved, &mut there);
                if played.is_some() && dot(&there, &there) < dot(&here, &here) {
                    member.start = moved;
                }
            }
            cost += member.settle(player, laws, FEW_ROUNDS)?;
            starts.push(member.start);
        }
        Some((cost, starts))
    }

    fn linearise(&self, player: &mut Player) -> Normal {
        let mut normal = Normal::default();
        for (i, spread) in Laws::SPREADS.iter().enumerate() {
            let weight = 1.0 / (spread * spread);
            normal.laws[i][i] = weight;
            normal.laws_downhill[i] = -weight * self.steps[i];
        }
        let (mut here, mut columns) = (Vec::new(), vec![Vec::new(); Start::COUNT + Laws::COUNT]);
        for member in &self.members {
            let played = self.differentiate(player, member, &mut here, &mut columns);
            // Just where a bounce more or less is decided there is no derivative: such a stretch stays as it is.
            let most = MOST_GROWTH / member.sigma;
            if played.is_none() || columns.iter().flatten().any(|d| d.abs() > most) {
                columns.iter_mut().for_each(|column| column.fill(0.0));
            }
            normal.add(&here, &columns);
        }
        normal
    }

    fn differentiate(
        &self,
        player: &mut Player,
        member: &Member,
        here: &mut Vec<f64>,
        columns: &mut [Vec<f64>],
    ) -> Option<()> {
        let laws = self.usual.stepped(&self.steps);
        member.residuals(player, laws, &member.start, here)?;
        for (i, column) in columns.iter_mut().enumerate() {
            let (mut start, mut laws) = (member.start, laws);
            if i < Start::COUNT {
                let mut step = [0.0; Start::COUNT];
                step[i] = STEP;
                start = start.stepped(&step);
            } else {
                let mut steps = self.steps;
                steps[i - Start::COUNT] += STEP;
                laws = self.usual.stepped(&steps);
            }
            member.residuals(player, laws, &start, column)?;
            for (d, r) in column.iter_mut().zip(&*here) {
                *d = (*d - r) / STEP;
            }
        }
        Some(())
    }
}

/// Normal equations of a bundle.
#[derive(Default)]
struct Normal {
    laws: Square<{ Laws::COUNT }>,
    laws_downhill: Steps,
    members: Vec<NormalOfMember>,
}

struct NormalOfMember {
    start: Square<{ Start::COUNT }>,
    downhill: [f64; Start::COUNT],
    /// Start by law.
    between: [[f64; Start::COUNT]; Laws::COUNT],
}

struct Moves {
    laws: Steps,
    starts: Vec<[f64; Start::COUNT]>,
}

impl Normal {
    fn add(&mut self, here: &[f64], columns: &[Vec<f64>]) {
        let (starts, laws) = columns.split_at(Start::COUNT);
        for (i, law) in laws.iter().enumerate() {
            for (j, other) in laws.iter().enumerate() {
                self.laws[i][j] += dot(law, other);
            }
            self.laws_downhill[i] -= dot(law, here);
        }
        self.members.push(NormalOfMember {
            start: std::array::from_fn(|a| std::array::from_fn(|b| dot(&starts[a], &starts[b]))),
            downhill: std::array::from_fn(|a| -dot(&starts[a], here)),
            between: std::array::from_fn(|i| std::array::from_fn(|a| dot(&laws[i], &starts[a]))),
        });
    }

    /// The equations of the laws alone: matrix and right side.
    fn reduced(&self, damping: f64) -> Option<(Square<{ Laws::COUNT }>, Steps)> {
        let mut matrix = damped(&self.laws, damping);
        let mut downhill = self.laws_downhill;
        for member in &self.members {
            let inverse = inverse(&damped(&member.start, damping))?;
            let through = member.between.map(|law| times(&inverse, &law));
            for (i, through) in through.iter().enumerate() {
                downhill[i] -= dot(through, &member.downhill);
                for (j, law) in member.between.iter().enumerate() {
                    matrix[i][j] -= dot(through, law);
                }
            }
        }
        Some((matrix, downhill))
    }

    fn solve(&self, damping: f64) -> Option<Moves> {
        let (matrix, downhill) = self.reduced(damping)?;
        let laws = times(&inverse(&matrix)?, &downhill).map(|step| step.clamp(-MOST_STEP, MOST_STEP));
        let starts = self.members.iter().map(|member| {
            let taken = |a: usize| {
                (0..Laws::COUNT)
                    .map(|i| member.between[i][a] * laws[i])
                    .sum::<f64>()
            };
            let left = std::array::from_fn(|a| member.downhill[a] - taken(a));
            Some(times(&inverse(&damped(&member.start, damping))?, &left))
        });
        Some(Moves {
            laws,
            starts: starts.collect::<Option<Vec<_>>>()?,
        })
    }
}
