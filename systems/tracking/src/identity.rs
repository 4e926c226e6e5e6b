//! Which ball is which: votes over time, settled for all balls together.

use ghostball_world::{BallKind, BallNumber};
use serde::{Deserialize, Serialize};

use crate::assignment::{Assigner, CostMatrix};

/// Different labels remembered for one ball; the weakest makes room for a new one.
const REMEMBERED: usize = 8;
/// A vote loses this share with every later one: the memory reaches back a hundred sightings, so that a wrong label
/// given under an arm is outvoted and a right one outlives a bad second.
const FADING: f64 = 0.99;
/// Votes of this weight are assumed for "something else": one sighting alone does not make certain.
const DOUBT: f64 = 1.0;
/// How much larger the share of another label must be before a ball changes its name.
const LOYALTY: f64 = 0.1;

/// A ball is named once its label has so many votes: a third of a second at rest, at the usual 30 frames a second…
const SURE_VOTES: f64 = 8.0;
/// …and this share of all, so that no other label comes near.
const SURE_SHARE: f64 = 0.7;

/// What a sighting says a ball is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Label {
    /// Its kind.
    pub kind: BallKind,
    /// Its number, 1 to 15.
    pub number: Option<u8>,
}

impl Label {
    /// Whether no set has two of these. Reds have many siblings, and so has a solid or a stripe without a number.
    pub fn is_one_of_a_kind(self) -> bool {
        match self.kind {
            BallKind::Unknown | BallKind::Red => false,
            BallKind::Solid | BallKind::Stripe => self.number.is_some(),
            BallKind::Cue
            | BallKind::Eight
            | BallKind::Yellow
            | BallKind::Green
            | BallKind::Brown
            | BallKind::Blue
            | BallKind::Pink
            | BallKind::Black => true,
        }
    }

    /// The part of a label that only one ball has which many have: a solid or a stripe, but nothing of a colour.
    pub fn without_number(self) -> Self {
        match self.kind {
            BallKind::Solid | BallKind::Stripe => Self {
                kind: self.kind,
                number: None,
            },
            _ => Self::default(),
        }
    }

    /// Its components.
    pub fn components(self) -> (BallKind, BallNumber) {
        (self.kind, BallNumber(self.number))
    }
}

/// What the sightings of one ball said it is, and what was settled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Votes {
    votes: [(Label, f64); REMEMBERED],
    settled: Label,
}

impl Votes {
    /// Takes in what one sighting says; `weight` 0 to 1 is how far it can be trusted. Unknown says nothing.
    pub fn cast(&mut self, label: Label, weight: f64) {
        if label.kind == BallKind::Unknown {
            return;
        }
        for (_, votes) in &mut self.votes {
            *votes *= FADING;
        }
        let known = self
            .votes
            .iter()
            .position(|(l, votes)| *l == label && *votes > 0.0);
        let index = known.unwrap_or_else(|| {
            let weakest = (0..REMEMBERED).min_by(|a, b| self.votes[*a].1.total_cmp(&self.votes[*b].1));
            let index = weakest.unwrap_or(0);
            self.votes[index] = (label, 0.0);
            index
        });
        self.votes[index].1 += weight;
    }

    /// Adds what another track of the same ball has gathered.
    pub fn absorb(&mut self, other: &Self) {
        for (label, votes) in other.votes {
            if votes > 0.0 {
                self.cast(label, votes);
            }
        }
    }

    /// What the ball is taken to be at present; may change from frame to frame.
    pub fn settled(&self) -> Label {
        self.settled
    }

    /// Whether `label` is one that only one ball has, and certain enough to name this ball for good.
    pub fn is_sure_of(&self, label: Label) -> bool {
        let votes_for = self.votes.iter().filter(|(known, _)| *known == label);
        let weight: f64 = votes_for.map(|(_, votes)| votes).sum();
        label.is_one_of_a_kind() && weight >= SURE_VOTES && self.share(label) >= SURE_SHARE
    }

    /// The share of all votes that `label` has, 0 to below 1.
    pub fn share(&self, label: Label) -> f64 {
        let all: f64 = self.votes.iter().map(|(_, votes)| votes).sum();
        let own: f64 = self
            .votes
            .iter()
            .filter(|(l, _)| *l == label)
            .map(|(_, votes)| votes)
            .sum();
        own / (all + DOUBT)
    }

    /// How far `label` speaks against this ball's votes: 0 (agrees, or nothing is known) to 1. A number that differs
    /// within the same kind is half a contradiction: colours are told apart less surely than white, solid and stripe.
    pub fn contradiction(&self, label: Label) -> f64 {
        if label.kind == BallKind::Unknown {
            return 0.0;
        }
        let all: f64 = self.votes.iter().map(|(_, votes)| votes).sum();
        let against: f64 = self
            .votes
            .iter()
            .map(|(known, votes)| {
                if known.kind != label.kind {
                    *votes
                } else if known.number != label.number {
                    0.5 * votes
                } else {
                    0.0
                }
            })
            .sum();
        against / (all + DOUBT)
    }

    /// The label with the most votes, without regard to other balls; unknown where there are none.
    pub fn strongest(&self) -> Label {
        let cast = self.votes.iter().filter(|(_, votes)| *votes > 0.0);
        cast.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
            .map_or(Label::default(), |(label, _)| *label)
    }

    /// The strongest label that may be given to many balls.
    fn strongest_shared(&self) -> Label {
        let shared = self
            .votes
            .iter()
            .filter(|(label, votes)| *votes > 0.0 && !label.is_one_of_a_kind());
        shared
            .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
            .map_or(Label::default(), |(label, _)| *label)
    }
}

/// Settles the labels of all balls at once, so that no set has two of a kind that exists once.
#[derive(Clone, Debug, Default)]
pub struct Registrar {
    labels: Vec<Label>,
    costs: CostMatrix,
    assigner: Assigner,
}

impl Registrar {
    /// Settles `votes_of`(ball) for every ball of `balls`: the labels that exist once are given so that the sum of the
    /// balls' shares is greatest; a ball that gets none of them takes its strongest other label, or stays unknown.
    pub fn settle<T>(&mut self, balls: &mut [T], votes_of: impl Fn(&mut T) -> &mut Votes) {
        self.labels.clear();
        for ball in balls.iter_mut() {
            let votes = votes_of(ball).votes;
            let unique = votes
                .iter()
                .filter(|(label, votes)| *votes > 0.0 && label.is_one_of_a_kind());
            self.labels.extend(unique.map(|(label, _)| *label));
        }
        self.labels.sort_unstable();
        self.labels.dedup();
        let singles = self.labels.len();
        // One more column per ball, for none of them.
        let columns = singles + balls.len();
        self.costs.reset(balls.len(), columns);
        for (row, ball) in balls.iter_mut().enumerate() {
            let votes = votes_of(ball);
            for (column, label) in self.labels.iter().enumerate() {
                let share = votes.share(*label);
                if share > 0.0 {
                    let loyalty = if votes.settled == *label { LOYALTY } else { 0.0 };
                    self.costs.set(row, column, -share - loyalty);
                }
            }
            let shared = votes.strongest_shared();
            let loyalty = if votes.settled == shared { LOYALTY } else { 0.0 };
            for column in singles..columns {
                self.costs.set(row, column, -votes.share(shared) - loyalty);
            }
        }
        let columns = self.assigner.solve(&self.costs);
        for (ball, column) in balls.iter_mut().zip(columns) {
            let votes = votes_of(ball);
            votes.settled = match self.labels.get(*column) {
                Some(label) => *label,
                None => votes.strongest_shared(),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CUE: Label = Label {
        kind: BallKind::Cue,
        number: None,
    };

    fn solid(number: u8) -> Label {
        Label {
            kind: BallKind::Solid,
            number: Some(number),
        }
    }

    fn settled(balls: &mut [Votes]) -> Vec<Label> {
        Registrar::default().settle(balls, |votes| votes);
        balls.iter().map(Votes::settled).collect()
    }

    fn votes(labels: &[(Label, f64)]) -> Votes {
        let mut votes = Votes::default();
        for (label, weight) in labels {
            votes.cast(*label, *weight);
        }
        votes
    }

    #[test]
    fn the_majority_of_sightings_names_the_ball() {
        let mut balls = [votes(&[(solid(3), 0.9), (solid(3), 0.9), (CUE, 0.9)])];
        assert_eq!(settled(&mut balls), [solid(3)]);
    }

    #[test]
    fn two_balls_never_share_a_number() {
        let mut balls = [
            votes(&[(solid(3), 0.9), (solid(3), 0.9), (solid(7), 0.5)]),
            votes(&[(solid(3), 0.9), (solid(3), 0.9), (solid(3), 0.9)]),
        ];
        assert_eq!(settled(&mut balls), [solid(7), solid(3)]);
    }

    #[test]
    fn a_second_cue_ball_is_unknown() {
        let mut balls = [votes(&[(CUE, 0.9)]), votes(&[(CUE, 0.9), (CUE, 0.9)])];
        assert_eq!(settled(&mut balls), [Label::default(), CUE]);
    }

    #[test]
    fn a_ball_is_sure_of_its_name_after_many_sightings_that_agree() {
        let is_sure = |labels: &[(Label, f64)]| votes(labels).is_sure_of(CUE);
        assert!(!is_sure(&[(CUE, 0.9); 3]));
        assert!(is_sure(&[(CUE, 0.9); 12]));
        assert!(!is_sure(&[[(CUE, 0.9); 12], [(solid(1), 0.9); 12]].concat()));
    }

    #[test]
    fn reds_may_be_many() {
        let red = Label {
            kind: BallKind::Red,
            number: None,
        };
        let mut balls = [votes(&[(red, 0.9)]), votes(&[(red, 0.7)])];
        assert_eq!(settled(&mut balls), [red, red]);
    }

    #[test]
    fn a_name_is_kept_until_another_is_clearly_better() {
        let mut balls = [votes(&[(solid(3), 0.9); 10])];
        settled(&mut balls);
        for _ in 0..10 {
            balls[0].cast(solid(7), 0.9);
        }
        assert_eq!(settled(&mut balls), [solid(3)]);
        for _ in 0..20 {
            balls[0].cast(solid(7), 0.9);
        }
        assert_eq!(settled(&mut balls), [solid(7)]);
    }

    #[test]
    fn any_number_of_labels_finds_its_place() {
        let mut ball = Votes::default();
        for n in 0..100 {
            ball.cast(solid(1 + n % 15), 0.5);
        }
        assert!(ball.votes.iter().all(|(_, votes)| *votes > 0.0));
        assert_eq!(settled(&mut []), []);
    }
}
