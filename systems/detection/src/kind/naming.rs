//! Names for all balls of a picture, each to one ball only, under the light that fits them best.

use glam::{Mat3, Vec3};

use super::assignment::Assignment;
use super::clue::Clue;
use super::light::{Light, LightFit};
use super::paint::{Game, MOST_NAMES, MOST_PAINTS, Name, Pattern};
use super::siblings::Siblings;
use super::spread::{Spread, ln_density, outer};

/// Index of no name.
pub(super) const NAMELESS: usize = MOST_NAMES;
/// No score is less, so that sums stay numbers.
const LEAST_SCORE: f32 = -1e4;
/// Share of the cloth's light that a ball throws back, whatever its paint: its lower half mirrors the cloth.
const BOUNCED: f32 = 0.1;
/// No ball is surer to be there, or not to be there, than this short of certainty.
const LEAST_CHANCE: f32 = 0.2;
/// Names and light settle in so many turns.
const TURNS: usize = 3;
/// As many exchanges settle any picture; each is the best there is.
const MOST_EXCHANGES: usize = 16;
/// An exchange that loses more than this, nats, cannot be worth it: two balls of one paint gain less.
const HOPELESS: f32 = 12.0;

/// Names the balls of one game. Keeps its buffers, and the light it found.
#[derive(Clone, Debug)]
pub(super) struct Naming {
    pub game: Game,
    /// The light of the last picture.
    pub light: Light,
    /// Index of each ball's name, or [`NAMELESS`].
    pub names: Vec<usize>,
    /// How likely the balls look as they do with these names, nats.
    pub score: f32,
    /// What each name scores for each ball.
    scores: Vec<[f32; MOST_NAMES + 1]>,
    paints: [PaintInLight; MOST_PAINTS],
    /// Covariance of what the cloth adds to all of them.
    bounced: Mat3,
    /// Names before the last turn.
    before: Vec<usize>,
    /// What white says to that, and how likely such a ball is on the table rather than not.
    patterns: Vec<[f32; MOST_NAMES]>,
    /// How likely the table is empty.
    absent: f32,
    /// The more balls are seen, the more of them can be none.
    ln_balls: f32,
    /// The best that a ball can do without a name that only one ball has: score and name.
    common: Vec<(f32, usize)>,
    assignment: Assignment,
    unique: Vec<usize>,
}

/// A paint under the light of the table.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PaintInLight {
    pub color: Vec3,
    /// How far another set's is from it.
    pub of_paint: Mat3,
    /// How far one of its balls is from another.
    pub of_ball: Mat3,
}

impl Naming {
    /// For this game.
    pub fn new(game: Game) -> Self {
        let unique = (0..game.names.len())
            .filter(|name| game.names[*name].count == 1)
            .collect();
        Self {
            game,
            light: Light::default(),
            names: Vec::new(),
            score: 0.0,
            scores: Vec::new(),
            paints: [PaintInLight::default(); MOST_PAINTS],
            bounced: Mat3::ZERO,
            before: Vec::new(),
            patterns: Vec::new(),
            absent: 0.0,
            ln_balls: 0.0,
            common: Vec::new(),
            assignment: Assignment::default(),
            unique,
        }
    }

    /// Names for balls that look like this, under the light of the picture before.
    /// `cloth` is the cloth's colour, seen as the balls' are.
    pub fn begin(&mut self, clues: &[Clue], cloth: Vec3) {
        self.bounced = outer(cloth, BOUNCED * BOUNCED);
        self.score_patterns(clues);
        self.names.clear();
        self.turn(clues);
    }

    /// Goes on until names and light agree.
    pub fn settle(&mut self, clues: &[Clue]) {
        for _ in 1..TURNS {
            self.fit_light(clues);
            self.before.clone_from(&self.names);
            self.turn(clues);
            if self.before == self.names {
                return;
            }
        }
    }

    fn turn(&mut self, clues: &[Clue]) {
        self.paints = self.paints_in_light();
        self.score_names(clues);
        self.assign();
        self.exchange(clues);
        self.score = self.total(clues);
    }

    /// Which balls lie on the table: those that stay do so whatever else does, and of those that come and go, as many as
    /// makes up for the number of balls that are seen. Where that are fewer than stay, they are what is left of a game,
    /// or what somebody practises with. Each lies there or not, independently of others.
    fn score_patterns(&mut self, clues: &[Clue]) {
        let balls = clues.len() as f32;
        let staying = self.game.names.iter().filter(|name| name.stays.is_some()).count() as f32;
        // The cue ball is what nobody does without.
        let few = (balls / staying.max(1.0)).max(LEAST_CHANCE);
        let left = |name: &Name, chance: f32| match name.pattern {
            Pattern::Cue => chance,
            _ => chance.min(few),
        };
        let (mut stay, mut others) = (0.0, 0.0);
        for name in &self.game.names {
            match name.stays {
                Some(chance) => stay += left(name, chance),
                None => others += name.count as f32,
            }
        }
        let rest = ((balls - stay) / f32::max(others, 1.0)).clamp(LEAST_CHANCE, 1.0 - LEAST_CHANCE);
        let mut present = [0.0; MOST_NAMES];
        self.absent = 0.0;
        for (present, name) in present.iter_mut().zip(&self.game.names) {
            let chance = name.stays.map_or(rest, |chance| left(name, chance));
            *present = libm::logf(name.count as f32 * chance / (1.0 - chance));
            self.absent += name.count as f32 * libm::logf(1.0 - chance);
        }
        self.patterns.clear();
        for clue in clues {
            let mut scores = [LEAST_SCORE; MOST_NAMES];
            for ((score, name), present) in scores.iter_mut().zip(&self.game.names).zip(present) {
                *score = clue.pattern(name.pattern) + present;
            }
            self.patterns.push(scores);
        }
        self.ln_balls = libm::logf(balls.max(1.0));
    }

    fn paints_in_light(&self) -> [PaintInLight; MOST_PAINTS] {
        let mut paints = [PaintInLight::default(); MOST_PAINTS];
        let show = self.light.shows();
        for (shown, paint) in paints.iter_mut().zip(&self.game.paints) {
            let color = show(*paint);
            *shown = PaintInLight {
                color,
                of_paint: Spread::OF_PAINT.covariance_about(color) + self.bounced,
                of_ball: Spread::OF_BALL.covariance_about(color),
            };
        }
        paints
    }

    fn score_names(&mut self, clues: &[Clue]) {
        let Self {
            game,
            names,
            scores,
            patterns,
            common,
            paints,
            ln_balls,
            ..
        } = self;
        let siblings = Siblings::of(game, names, clues, paints);
        scores.clear();
        common.clear();
        for (ball, (clue, patterns)) in clues.iter().zip(patterns.iter()).enumerate() {
            let mut by_paint = [LEAST_SCORE; MOST_PAINTS];
            if clue.shows_color() {
                for (score, paint) in by_paint.iter_mut().zip(paints.iter()).take(game.paints.len()) {
                    *score = ln_density(
                        clue.look.color - paint.color,
                        paint.of_paint + paint.of_ball + clue.noise,
                    );
                }
            }
            let mut best = (clue.nameless + *ln_balls, NAMELESS);
            let mut score = [LEAST_SCORE; MOST_NAMES + 1];
            score[NAMELESS] = best.0;
            for (i, name) in game.names.iter().enumerate() {
                let color = match siblings.posterior(i, ball) {
                    _ if name.pattern == Pattern::Cue || !clue.shows_color() => 0.0,
                    Some((color, covariance)) => ln_density(clue.look.color - color, covariance + clue.noise),
                    None => by_paint[name.paints[0]].max(by_paint[name.paints[1]]),
                };
                let left = siblings.ln_share_left(i, name);
                score[i] = (color + patterns[i] + left).max(LEAST_SCORE);
                if name.count > 1 && score[i] > best.0 {
                    best = (score[i], i);
                }
            }
            scores.push(score);
            common.push(best);
        }
    }

    /// The best names for all, each unique one to one ball at most.
    fn assign(&mut self) {
        let Self {
            names,
            scores,
            common,
            assignment,
            unique,
            ..
        } = self;
        names.clear();
        names.extend(common.iter().map(|(_, name)| *name));
        assignment.solve(
            unique.len(),
            scores.len(),
            |name, ball| common[ball].0 - scores[ball][unique[name]],
            |name, ball| names[ball] = unique[name],
        );
    }

    /// Solid and stripe of one paint look alike, which the assignment cannot know: balls exchange names, or take one that
    /// is free, as long as that fits better.
    fn exchange(&mut self, clues: &[Clue]) {
        let has_pairs = (0..self.game.names.len()).any(|name| self.game.partner(name).is_some());
        for _ in 0..MOST_EXCHANGES {
            let mut best = (1e-3, 0, 0);
            for ball in 0..if has_pairs { self.names.len() } else { 0 } {
                for other in 0..ball {
                    let names = [self.names[ball], self.names[other]];
                    let loss = self.scores[ball][names[0]] + self.scores[other][names[1]]
                        - self.scores[ball][names[1]]
                        - self.scores[other][names[0]];
                    if names[0] == names[1] || loss > HOPELESS {
                        continue;
                    }
                    let before = self.pairs_score(names, clues);
                    self.names.swap(ball, other);
                    let gain = self.pairs_score(names, clues) - before - loss;
                    self.names.swap(ball, other);
                    if gain > best.0 {
                        best = (gain, ball, other);
                    }
                }
                let old = self.names[ball];
                for name in 0..self.game.names.len() {
                    let loss = self.scores[ball][old] - self.scores[ball][name];
                    if loss > HOPELESS || self.names.contains(&name) {
                        continue;
                    }
                    let before = self.pairs_score([old, name], clues);
                    self.names[ball] = name;
                    let gain = self.pairs_score([old, name], clues) - before - loss;
                    self.names[ball] = old;
                    if gain > best.0 {
                        best = (gain, ball, self.names.len() + name);
                    }
                }
            }
            let (_, ball, other) = best;
            match other.checked_sub(self.names.len()) {
                None if ball == other => return,
                None => self.names.swap(ball, other),
                Some(name) => self.names[ball] = name,
            }
        }
    }

    /// What the pairs of solid and stripe add to which these names belong.
    fn pairs_score(&self, names: [usize; 2], clues: &[Clue]) -> f32 {
        let [first, second] = names.map(|name| self.game.partner(name).map(|partner| name.min(partner)));
        let second = if first == second { None } else { second };
        let pairs = [first, second].into_iter().flatten();
        pairs.map(|solid| self.pair_score(solid, clues)).sum()
    }

    /// What it adds that the ball with the name `solid` looks like its stripe: the density of one's colour about the
    /// other's, over that about the paint's.
    fn pair_score(&self, solid: usize, clues: &[Clue]) -> f32 {
        let holder = |name: usize| self.names.iter().position(|n| *n == name);
        let Some((a, b)) = holder(solid).zip(self.game.partner(solid).and_then(holder)) else {
            return 0.0;
        };
        let (a, b) = (&clues[a], &clues[b]);
        if !a.tells_paint() || !b.tells_paint() {
            return 0.0;
        }
        let paint = &self.paints[self.game.names[solid].paints[0]];
        let of_pair = Spread::OF_PAIR.covariance_about(paint.color);
        let (of_a, of_b) = (of_pair + a.noise, of_pair + b.noise);
        let learnt = paint.of_paint * (paint.of_paint + of_b).inverse();
        let color = paint.color + learnt * (b.look.color - paint.color);
        let covariance = paint.of_paint - learnt * paint.of_paint;
        ln_density(a.look.color - color, covariance + of_a)
            - ln_density(a.look.color - paint.color, paint.of_paint + of_a)
    }

    fn total(&self, clues: &[Clue]) -> f32 {
        let single: f32 = self
            .scores
            .iter()
            .zip(&self.names)
            .map(|(scores, name)| scores[*name])
            .sum();
        let solids = (1..8).filter(|name| self.game.partner(*name).is_some());
        let pairs: f32 = solids.map(|solid| self.pair_score(solid, clues)).sum();
        single + pairs + self.absent + self.light.ln_prior() - self.game.rarity
    }

    /// The light under which the balls look most like their names.
    fn fit_light(&mut self, clues: &[Clue]) {
        let mut fit = LightFit::from(self.light);
        let paints = &self.paints;
        for (i, paint) in paints.iter().enumerate().take(self.game.paints.len()) {
            let (mut sum, mut noise, mut count) = (Vec3::ZERO, Mat3::ZERO, 0.0_f32);
            for (clue, name) in clues.iter().zip(&self.names) {
                if let Some(name) = self.game.names.get(*name)
                    && name.pattern != Pattern::Cue
                    && clue.tells_paint()
                    && nearer(name, clue.look.color, paints) == i
                {
                    sum += clue.look.color;
                    noise += clue.noise;
                    count += 1.0;
                }
            }
            if count > 0.0 {
                let of_mean = (paint.of_ball + noise * (1.0 / count)) * (1.0 / count);
                fit.add(paint.color, sum / count, paint.of_paint + of_mean);
            }
        }
        self.light = fit.solve();
    }
}

/// Which of a name's paints a ball has.
fn nearer(name: &Name, color: Vec3, paints: &[PaintInLight; MOST_PAINTS]) -> usize {
    let [first, second] = name.paints;
    if first == second {
        return first;
    }
    let score = |paint: usize| ln_density(color - paints[paint].color, paints[paint].of_paint);
    if score(second) > score(first) {
        second
    } else {
        first
    }
}
