//! Which ball is which, by its colours.
//!
//! Each ball is told by the colour of its coloured part and by how much of it is white, and where: a cue ball is white
//! all over, a striped ball at its rim, a numbered ball at most in a spot. What it costs to call a ball by a name is the
//! distance of its colours from those of that name; names are given to all balls of a picture together, each name to one
//! ball only (but for snooker's reds), at the least cost. Where the set is not known, the one whose names cost least is
//! in play.

mod look;

use ghostball_world::{BallKind, BallSet, BallSighting, Planes};
use look::Look;

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
    (BallKind::Red, [76.0, 98.0, 238.0], 1),
    (BallKind::Yellow, [210.0, 50.0, 155.0], 1),
];

/// A difference of this many values of Y, U, V costs 1.
const COLOR_UNIT: f32 = 40.0;
/// Luma counts less than chroma: light differs over a table and with it.
const LUMA_WEIGHT: f32 = 0.6;
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
    looks: Vec<Look>,
    pairs: Vec<Pair>,
    names: Vec<Option<usize>>,
}

#[derive(Clone, Copy, Debug)]
struct Pair {
    cost: f32,
    ball: usize,
    name: usize,
}

/// The sets that are told apart. Carom is not among them: its balls are snooker's too, by looks.
const CANDIDATES: [BallSet; 3] = [BallSet::Snooker, BallSet::AmericanPool, BallSet::TvPool];

impl Recognizer {
    /// For this set of balls.
    pub fn new(ball_set: BallSet) -> Self {
        Self {
            ball_set,
            evidence: [0.0, BARE_COLOR_PRIOR, 2.0 * BARE_COLOR_PRIOR],
            looks: Vec::new(),
            pairs: Vec::new(),
            names: Vec::new(),
        }
    }

    /// Fills in kind and number of each of `balls`.
    pub fn name_balls(&mut self, planes: &Planes, balls: &mut [BallSighting]) {
        self.looks.clear();
        self.looks
            .extend(balls.iter().map(|ball| Look::at(planes, &ball.circle)));
        if balls.is_empty() || planes.chroma.is_none() {
            return;
        }
        let set = match self.ball_set {
            BallSet::Auto => self.recognize(),
            known => known,
        };
        let names = names_of(set);
        self.assign(&names);
        for (ball, name) in balls.iter_mut().zip(&self.names) {
            let name = name.and_then(|i| names.get(i));
            ball.kind = name.map_or(BallKind::Unknown, |name| name.kind);
            ball.number = name.and_then(|name| name.number);
        }
    }

    /// The set whose names fit best, in this picture and those before.
    fn recognize(&mut self) -> BallSet {
        for (i, set) in CANDIDATES.iter().enumerate() {
            let cost = self.assign(&names_of(*set));
            self.evidence[i] = (1.0 - FORGETTING) * self.evidence[i] + cost;
        }
        let least = self.evidence.iter().copied().fold(f32::INFINITY, f32::min);
        self.evidence = self.evidence.map(|e| e - least);
        let best = self.evidence.iter().position(|e| *e <= 0.0).unwrap_or(0);
        CANDIDATES[best]
    }

    /// Gives each ball the index of its name; returns what that costs.
    fn assign(&mut self, names: &[Name]) -> f32 {
        let red = self.red_of_this_table(names);
        self.pairs.clear();
        for (ball, look) in self.looks.iter().enumerate() {
            for (name, candidate) in names.iter().enumerate() {
                let mut candidate = *candidate;
                if candidate.kind == BallKind::Red {
                    candidate.color = red.unwrap_or(candidate.color);
                }
                let cost = cost(look, &candidate);
                if cost < MOST_COST {
                    self.pairs.push(Pair { cost, ball, name });
                }
            }
        }
        self.pairs.sort_by(|a, b| {
            a.cost
                .total_cmp(&b.cost)
                .then(a.ball.cmp(&b.ball))
                .then(a.name.cmp(&b.name))
        });
        self.names.clear();
        self.names.resize(self.looks.len(), None);
        let mut left: [usize; MOST_NAMES] =
            std::array::from_fn(|i| names.get(i).map_or(0, |name| name.count));
        let mut total = MOST_COST * self.looks.len() as f32;
        for pair in &self.pairs {
            if self.names[pair.ball].is_none() && left[pair.name] > 0 {
                self.names[pair.ball] = Some(pair.name);
                left[pair.name] -= 1;
                total += pair.cost - MOST_COST;
            }
        }
        total
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
    let between = |a: Color, b: Color| {
        let d = [LUMA_WEIGHT * (a[0] - b[0]), a[1] - b[1], a[2] - b[2]];
        (d[0] * d[0] + d[1] * d[1] + d[2] * d[2]).sqrt() / COLOR_UNIT
    };
    let (least_white, most_white) = match name.kind {
        BallKind::Cue => return between(look.mean, WHITE),
        BallKind::Stripe => (0.2, 0.9),
        // A spot with a number, seen from above, and a lamp's reflection.
        _ if name.number.is_some() => (0.0, 0.15),
        _ => (0.0, 0.1),
    };
    let white = look.white;
    let white_cost = WHITE_COST * (least_white - white).max(white - most_white).max(0.0);
    between(look.color, name.color) + white_cost
}
