//! Which ball is which, by its colours.
//!
//! Each ball is told by the colour of its coloured part and by how much of it is white, and where: a cue ball is white
//! all over, a striped ball at its rim, a numbered ball at most in a spot. What it costs to call a ball by a name is the
//! distance of its colours from those of that name; names are given to all balls of a picture together, each name to one
//! ball only (but for snooker's reds), at the least cost. Where the set is not known, the one whose names cost least is
//! in play.

pub mod look;

use ghostball_world::{BallKind, BallSet, BallSighting, Planes};
use look::Look;

use crate::cloth::ClothModel;

/// What balls look like: Y, U, V (full range, BT.601) of the coloured part under white light, as cameras show them.
/// Nominal paints differ by maker by less than neighbouring names do.
type Color = [f32; 3];

/// A name and the looks that go with it.
#[derive(Clone, Copy, Debug)]
struct Name {
    kind: BallKind,
    number: Option<u8>,
    color: Color,
    /// How many balls of a set have this name.
    count: usize,
}

const WHITE: Color = [248.0, 122.0, 129.0];
const BLACK: Color = [30.0, 131.0, 130.0];
const POOL_COLORS: [Color; 7] = [
    [200.0, 50.0, 155.0],
    [85.0, 178.0, 90.0],
    [80.0, 112.0, 218.0],
    [100.0, 160.0, 128.0],
    [150.0, 80.0, 195.0],
    [82.0, 128.0, 92.0],
    [90.0, 112.0, 167.0],
];
/// The 4 of television sets.
const PINK: Color = [135.0, 133.0, 197.0];
const SNOOKER_COLORS: [(BallKind, Color, usize); 7] = [
    (BallKind::Red, [76.0, 98.0, 238.0], 15),
    (BallKind::Yellow, [210.0, 28.0, 155.0], 1),
    (BallKind::Green, [104.0, 150.0, 68.0], 1),
    (BallKind::Brown, [102.0, 93.0, 204.0], 1),
    (BallKind::Blue, [105.0, 181.0, 57.0], 1),
    (BallKind::Pink, [198.0, 115.0, 168.0], 1),
    (BallKind::Black, BLACK, 1),
];
const CAROM_COLORS: [(BallKind, Color, usize); 2] = [
    (BallKind::Red, [76.0, 105.0, 222.0], 1),
    (BallKind::Yellow, [200.0, 50.0, 155.0], 1),
];

/// A difference of this many values of Y, U, V costs 1.
const COLOR_UNIT: f32 = 40.0;
/// Luma counts less than chroma: light differs over a table and with it.
const LUMA_WEIGHT: f32 = 0.6;
/// The same where the colour was seen on this table.
const SEEN_COLOR_UNIT: f32 = 25.0;
/// White shares: a cue ball shows at least this much (less in poor light costs little), a stripe shows at least this much, a number's spot and reflections at most that, reflections alone less.
const CUE_WHITE: f32 = 0.85;
const STRIPE_WHITE: f32 = 0.36;
const SPOT_WHITE: f32 = 0.2;
const REFLECTION_WHITE: f32 = 0.1;
/// A spot with a number shows at least this much white. It is hidden below or behind on half of the balls.
const LEAST_SPOT: f32 = 0.05;
const HIDDEN_NUMBER: f32 = 0.25;
/// A stripe seen on its cap shows a crescent of its colour at the rim. It tells the cue ball from the stripe where both
/// are white; a larger share than this is shade.
const MOST_CRESCENT: f32 = 0.2;
/// What it costs to call a ball a stripe that shows nothing but white.
const HIDDEN_COLOR: f32 = 1.2;
/// What it costs to call a ball by a name that only one ball of the set has, where others have it in common with many.
const RARE: f32 = 0.2;
/// What a wrong amount of white costs, per share of the ball.
const WHITE_COST: f32 = 3.0;
/// No name costs more: a ball without a fitting name is unknown, not a reason to misname the others.
const MOST_COST: f32 = 2.5;
/// At least so many reds tell what this table's reds look like.
const LEAST_REDS: usize = 3;
/// How much of what was known of the set is forgotten with each picture.
const FORGETTING: f32 = 0.02;
/// Names without a difference in cost: balls that are merely coloured are snooker's.
const BARE_COLOR_PRIOR: f32 = 0.5;

/// Names balls. Remembers which set is in play, not the balls.
#[derive(Clone, Debug)]
pub struct Recognizer {
    ball_set: BallSet,
    /// Cost of each set of `CANDIDATES` so far, relative to the best.
    evidence: [f32; CANDIDATES.len()],
    /// Names in each set of `CANDIDATES`.
    names_of_sets: [Vec<Name>; CANDIDATES.len()],
    looks: Vec<Look>,
    pairs: Vec<Pair>,
    /// What each name costs each ball.
    costs: Vec<[f32; MOST_NAMES + 1]>,
    /// Index of each ball's name.
    names: Vec<usize>,
}

#[derive(Clone, Copy, Debug)]
struct Pair {
    cost: f32,
    ball: usize,
    name: usize,
}

/// The sets that are told apart.
const CANDIDATES: [BallSet; 4] = [
    BallSet::Snooker,
    BallSet::AmericanPool,
    BallSet::TvPool,
    BallSet::Carom,
];

impl Recognizer {
    /// For this set of balls.
    pub fn new(ball_set: BallSet) -> Self {
        Self {
            ball_set,
            evidence: [0.0, BARE_COLOR_PRIOR, 2.0 * BARE_COLOR_PRIOR, BARE_COLOR_PRIOR],
            names_of_sets: CANDIDATES.map(names_of),
            looks: Vec::new(),
            pairs: Vec::new(),
            costs: Vec::new(),
            names: Vec::new(),
        }
    }

    /// Fills in kind and number of each of `balls`.
    pub fn name_balls(&mut self, planes: &Planes, cloth: &ClothModel, balls: &mut [BallSighting]) {
        self.looks.clear();
        self.looks
            .extend(balls.iter().map(|ball| Look::at(planes, cloth, &ball.circle)));
        if balls.is_empty() || planes.chroma.is_none() {
            return;
        }
        let set = match self.ball_set {
            BallSet::Auto => self.recognize(),
            known => known,
        };
        let set = CANDIDATES.iter().position(|s| *s == set).unwrap_or(0);
        self.assign(set);
        for (ball, name) in balls.iter_mut().zip(&self.names) {
            let name = self.names_of_sets[set].get(*name);
            ball.kind = name.map_or(BallKind::Unknown, |name| name.kind);
            ball.number = name.and_then(|name| name.number);
        }
    }

    /// The set whose names fit best, in this picture and those before.
    fn recognize(&mut self) -> BallSet {
        for i in 0..CANDIDATES.len() {
            let cost = self.assign(i);
            self.evidence[i] = (1.0 - FORGETTING) * self.evidence[i] + cost;
        }
        let least = self.evidence.iter().copied().fold(f32::INFINITY, f32::min);
        self.evidence = self.evidence.map(|e| e - least);
        let best = self.evidence.iter().position(|e| *e <= 0.0).unwrap_or(0);
        CANDIDATES[best]
    }

    /// Gives each ball the index of its name in a set of `CANDIDATES`; returns what that costs.
    fn assign(&mut self, set: usize) -> f32 {
        let names = &self.names_of_sets[set];
        let red = self.red_of_this_table(names);
        self.costs.clear();
        self.pairs.clear();
        for (ball, look) in self.looks.iter().enumerate() {
            // No name, which comes last, costs most.
            let mut costs = [MOST_COST; MOST_NAMES + 1];
            for (name, candidate) in names.iter().enumerate() {
                let cost = match red {
                    Some(red) if candidate.kind == BallKind::Red => {
                        distance(look.color, red) / SEEN_COLOR_UNIT
                    }
                    _ => cost(look, candidate),
                };
                let is_common = candidate.count > 1 || names.len() == CAROM_COLORS.len() + 1;
                let cost = cost + if is_common { 0.0 } else { RARE };
                costs[name] = cost;
                if cost < MOST_COST {
                    self.pairs.push(Pair { cost, ball, name });
                }
            }
            self.costs.push(costs);
        }
        self.pairs.sort_by(|a, b| {
            a.cost
                .total_cmp(&b.cost)
                .then(a.ball.cmp(&b.ball))
                .then(a.name.cmp(&b.name))
        });
        self.names.clear();
        self.names.resize(self.looks.len(), MOST_NAMES);
        let mut left: [usize; MOST_NAMES] =
            std::array::from_fn(|i| names.get(i).map_or(0, |name| name.count));
        for pair in &self.pairs {
            if self.names[pair.ball] == MOST_NAMES && left[pair.name] > 0 {
                self.names[pair.ball] = pair.name;
                left[pair.name] -= 1;
            }
        }
        self.exchange_names();
        let named = self.costs.iter().zip(&self.names);
        named.map(|(costs, name)| costs[*name]).sum()
    }

    /// Lets two balls exchange names as long as that costs less: the cheapest first is not the least for all.
    fn exchange_names(&mut self) {
        for _ in 0..MOST_EXCHANGES {
            let mut best = (1e-4, 0, 0);
            for i in 0..self.names.len() {
                for j in 0..i {
                    let (a, b) = (self.names[i], self.names[j]);
                    let gain = self.costs[i][a] + self.costs[j][b] - self.costs[i][b] - self.costs[j][a];
                    if gain > best.0 {
                        best = (gain, i, j);
                    }
                }
            }
            if best.1 == best.2 {
                return;
            }
            self.names.swap(best.1, best.2);
        }
    }

    /// Reds are many and alike: their median tells red from brown better than paint's nominal colour.
    fn red_of_this_table(&self, names: &[Name]) -> Option<Color> {
        let red = names
            .iter()
            .find(|name| name.kind == BallKind::Red && name.count > 1)?;
        let is_red = |look: &&Look| names.iter().all(|name| cost(look, name) >= cost(look, red));
        let mut channel = [0.0_f32; 32];
        let mut color = red.color;
        for (i, value) in color.iter_mut().enumerate() {
            let mut n = 0;
            for (slot, look) in channel.iter_mut().zip(self.looks.iter().filter(is_red)) {
                *slot = look.color[i];
                n += 1;
            }
            if n < LEAST_REDS {
                return None;
            }
            *value = *channel[..n].select_nth_unstable_by(n / 2, f32::total_cmp).1;
        }
        Some(color)
    }
}

const MOST_NAMES: usize = 16;
/// As many exchanges settle any picture; each is the best there is.
const MOST_EXCHANGES: usize = 32;

fn names_of(set: BallSet) -> Vec<Name> {
    let cue = Name {
        kind: BallKind::Cue,
        number: None,
        color: WHITE,
        count: 1,
    };
    let mut names = vec![cue];
    let colors: &[(BallKind, Color, usize)] = match set {
        BallSet::Carom => &CAROM_COLORS,
        BallSet::Snooker => &SNOOKER_COLORS,
        BallSet::AmericanPool | BallSet::TvPool | BallSet::Auto => &[],
    };
    names.extend(colors.iter().map(|(kind, color, count)| Name {
        kind: *kind,
        number: None,
        color: *color,
        count: *count,
    }));
    if colors.is_empty() {
        for number in 1..=15 {
            let (kind, mut color) = match number {
                1..=7 => (BallKind::Solid, POOL_COLORS[number - 1]),
                8 => (BallKind::Eight, BLACK),
                _ => (BallKind::Stripe, POOL_COLORS[number - 9]),
            };
            if set == BallSet::TvPool && number % 8 == 4 {
                color = PINK;
            }
            names.push(Name {
                kind,
                number: Some(number as u8),
                color,
                count: 1,
            });
        }
    }
    names
}

/// What it costs to call a ball by a name.
fn cost(look: &Look, name: &Name) -> f32 {
    let color = distance(look.color, name.color) / COLOR_UNIT;
    let white = look.white;
    match name.kind {
        BallKind::Cue => {
            let color_at_rim = (1.0 - look.rim_white).min(MOST_CRESCENT);
            distance(look.mean, WHITE) / COLOR_UNIT + 0.4 * (CUE_WHITE - white).max(0.0) + color_at_rim
        }
        BallKind::Stripe if !look.shows_color => HIDDEN_COLOR,
        BallKind::Stripe => color + WHITE_COST * (STRIPE_WHITE - look.stripedness()).max(0.0),
        _ if name.number.is_some() => {
            let hidden_number = if white < LEAST_SPOT { HIDDEN_NUMBER } else { 0.0 };
            color + hidden_number + WHITE_COST * (look.stripedness() - SPOT_WHITE).max(0.0)
        }
        _ => color + WHITE_COST * (white - REFLECTION_WHITE).max(0.0),
    }
}

fn distance(a: Color, b: Color) -> f32 {
    let d = [LUMA_WEIGHT * (a[0] - b[0]), a[1] - b[1], a[2] - b[2]];
    (d[0] * d[0] + d[1] * d[1] + d[2] * d[2]).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(color: Color, white: f32, rim_white: f32) -> Look {
        Look {
            color,
            mean: if white > 0.5 { WHITE } else { color },
            white,
            rim_white,
            shows_color: white < 0.9,
        }
    }

    fn named(looks: Vec<Look>) -> Vec<(BallKind, Option<u8>)> {
        let mut recognizer = Recognizer::new(BallSet::Auto);
        recognizer.looks = looks;
        let set = recognizer.recognize();
        recognizer.assign(CANDIDATES.iter().position(|s| *s == set).unwrap());
        let names = names_of(set);
        let name = |i: &usize| {
            names
                .get(*i)
                .map_or((BallKind::Unknown, None), |n| (n.kind, n.number))
        };
        recognizer.names.iter().map(name).collect()
    }

    #[test]
    fn a_brown_among_reds_is_told_by_the_reds() {
        let red = look([70.0, 104.0, 224.0], 0.02, 0.0);
        let brown = look([98.0, 98.0, 190.0], 0.02, 0.0);
        let cue = look([245.0, 123.0, 128.0], 1.0, 1.0);
        let names = named(vec![red, red, brown, red, cue, red]);
        assert_eq!(names[2].0, BallKind::Brown);
        assert_eq!(names[4].0, BallKind::Cue);
        assert!(
            [0, 1, 3, 5].iter().all(|i| names[*i].0 == BallKind::Red),
            "{names:?}"
        );
    }

    #[test]
    fn a_spot_in_the_middle_is_a_number_and_white_at_the_rim_a_stripe() {
        let solid = look(POOL_COLORS[0], 0.16, 0.0);
        let stripe = look(POOL_COLORS[0], 0.16, 0.33);
        let eight = look(BLACK, 0.1, 0.02);
        let names = named(vec![stripe, solid, eight, look(POOL_COLORS[5], 0.1, 0.0)]);
        assert_eq!(names[0], (BallKind::Stripe, Some(9)));
        assert_eq!(names[1], (BallKind::Solid, Some(1)));
        assert_eq!(names[2], (BallKind::Eight, Some(8)));
        assert_eq!(names[3], (BallKind::Solid, Some(6)));
    }

    #[test]
    fn three_plain_balls_are_carom() {
        let names = named(vec![
            look([224.0, 126.0, 128.0], 1.0, 1.0),
            look([183.0, 52.0, 158.0], 0.03, 0.0),
            look([72.0, 105.0, 204.0], 0.03, 0.0),
        ]);
        let kinds: Vec<BallKind> = names.iter().map(|n| n.0).collect();
        assert_eq!(kinds, [BallKind::Cue, BallKind::Yellow, BallKind::Red]);
    }
}
