//! Names for all balls of a picture, each to one ball only, under the light that fits them best.

use glam::{Mat3, Vec3};

use super::assignment::Assignment;
use super::light::{Light, LightFit};
use super::look::Look;
use super::paint::{Game, MOST_NAMES, MOST_PAINTS, Name, Pattern};
use super::spread::{LN_ANY_COLOR, Spread, ln_density, outer};

/// Index of no name.
pub(super) const NAMELESS: usize = MOST_NAMES;
/// One in this many balls of which detection is sure is none, or of another set.
const ONE_IN_NAMELESS: f32 = 300.0;
/// Half of what detection doubts is a ball is none.
const DOUBTFUL: f32 = 0.5;
/// Noise of a colour seen on a whole ball, steps of 255: what is left of 8-bit chroma and compression in a median.
const NOISE: f32 = 4.5;
/// A colour seen on this share of a ball is twice as noisy: it mixes with what is beside it.
const NOISY_SHARE: f32 = 0.1;
/// Of a ball half of which is white, this share of the other half's colour is white, too: chroma is seen at half the
/// resolution, over two or three hundredths of the ball's width on either side of a border.
const MIXED: f32 = 0.05;
/// Less white than this share of a ball has a shorter border.
const SPOT: f32 = 0.2;
/// Less than this share of a ball shows no colour that could be told.
const LEAST_SHARE: f32 = 0.02;
/// No score is less, so that sums stay numbers.
const LEAST_SCORE: f32 = -1e4;
/// The cue ball is on the table in this share of pictures.
const CUE_IN_PLAY: f32 = 0.9;
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
    /// What white says to that.
    patterns: Vec<[f32; MOST_NAMES]>,
    /// The best that a ball can do without a name that only one ball has: score and name.
    common: Vec<(f32, usize)>,
    assignment: Assignment,
    unique: Vec<usize>,
}

/// A paint under the light of the table.
#[derive(Clone, Copy, Debug, Default)]
struct PaintInLight {
    color: Vec3,
    /// How far another set's is from it.
    of_paint: Mat3,
    /// How far one of its balls is from another.
    of_ball: Mat3,
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
            patterns: Vec::new(),
            common: Vec::new(),
            assignment: Assignment::default(),
            unique,
        }
    }

    /// Names for balls that look like this. Gives up after the first turn where that scores less than `least`.
    pub fn find(&mut self, looks: &[Look], least: f32) {
        self.score_patterns(looks);
        self.names.clear();
        for turn in 0..TURNS {
            let paints = self.paints_in_light();
            self.score_names(looks, &paints);
            self.assign();
            self.exchange(looks, &paints);
            self.score = self.total(looks, &paints);
            if turn + 1 == TURNS || self.score < least {
                return;
            }
            self.fit_light(looks, &paints);
        }
    }

    fn score_patterns(&mut self, looks: &[Look]) {
        let others = (self.game.ball_count() - 1) as f32;
        let cue = CUE_IN_PLAY / looks.len().max(1) as f32;
        self.patterns.clear();
        for look in looks {
            let mut scores = [LEAST_SCORE; MOST_NAMES];
            for (score, name) in scores.iter_mut().zip(&self.game.names) {
                // The cue ball nearly always lies there, and any other as likely as the next.
                let share = match name.pattern {
                    Pattern::Cue => cue,
                    _ => (1.0 - cue) * name.count as f32 / others,
                };
                *score = pattern_score(look, name.pattern) + libm::logf(share);
            }
            self.patterns.push(scores);
        }
    }

    fn paints_in_light(&self) -> [PaintInLight; MOST_PAINTS] {
        let mut paints = [PaintInLight::default(); MOST_PAINTS];
        for (shown, paint) in paints.iter_mut().zip(&self.game.paints) {
            let color = self.light.show(*paint);
            *shown = PaintInLight {
                color,
                of_paint: Spread::OF_PAINT.covariance_about(color),
                of_ball: Spread::OF_BALL.covariance_about(color),
            };
        }
        paints
    }

    fn score_names(&mut self, looks: &[Look], paints: &[PaintInLight; MOST_PAINTS]) {
        let Self {
            game,
            names,
            scores,
            patterns,
            common,
            ..
        } = self;
        let siblings = Siblings::of(game, names, looks, paints);
        scores.clear();
        common.clear();
        for (ball, (look, patterns)) in looks.iter().zip(patterns.iter()).enumerate() {
            let mut by_paint = [LEAST_SCORE; MOST_PAINTS];
            if look.color_share >= LEAST_SHARE {
                let noise = noise_of(look);
                for (score, paint) in by_paint.iter_mut().zip(paints).take(game.paints.len()) {
                    *score = ln_density(look.color - paint.color, paint.of_paint + paint.of_ball + noise);
                }
            }
            // Without a name, any colour is as likely as the next.
            let nameless = (DOUBTFUL * (1.0 - look.confidence)).max(1.0 / ONE_IN_NAMELESS);
            let mut best = (LN_ANY_COLOR + libm::logf(nameless), NAMELESS);
            let mut score = [LEAST_SCORE; MOST_NAMES + 1];
            score[NAMELESS] = best.0;
            for (i, name) in game.names.iter().enumerate() {
                let color = match name.pattern {
                    _ if look.color_share < LEAST_SHARE => no_color_score(name.pattern),
                    Pattern::Cue => shaded_white_score(look, game.paints[name.paints[0]]),
                    _ => match siblings.posterior(i, ball, names) {
                        Some((color, covariance)) => {
                            ln_density(look.color - color, covariance + noise_of(look))
                        }
                        None => name
                            .paints
                            .iter()
                            .map(|p| by_paint[*p])
                            .fold(LEAST_SCORE, f32::max),
                    },
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
    fn exchange(&mut self, looks: &[Look], paints: &[PaintInLight; MOST_PAINTS]) {
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
                    let before = self.pairs_score(names, looks, paints);
                    self.names.swap(ball, other);
                    let gain = self.pairs_score(names, looks, paints) - before - loss;
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
                    let before = self.pairs_score([old, name], looks, paints);
                    self.names[ball] = name;
                    let gain = self.pairs_score([old, name], looks, paints) - before - loss;
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
    fn pairs_score(&self, names: [usize; 2], looks: &[Look], paints: &[PaintInLight; MOST_PAINTS]) -> f32 {
        let [first, second] = names.map(|name| self.game.partner(name).map(|partner| name.min(partner)));
        let second = if first == second { None } else { second };
        let pairs = [first, second].into_iter().flatten();
        pairs.map(|solid| self.pair_score(solid, looks, paints)).sum()
    }

    /// What it adds that the ball with the name `solid` looks like its stripe: the density of one's colour about the
    /// other's, over that about the paint's.
    fn pair_score(&self, solid: usize, looks: &[Look], paints: &[PaintInLight; MOST_PAINTS]) -> f32 {
        let holder = |name: usize| self.names.iter().position(|n| *n == name);
        let Some((a, b)) = holder(solid).zip(self.game.partner(solid).and_then(holder)) else {
            return 0.0;
        };
        let (a, b) = (&looks[a], &looks[b]);
        if a.color_share < NOISY_SHARE || b.color_share < NOISY_SHARE {
            return 0.0;
        }
        let paint = &paints[self.game.names[solid].paints[0]];
        let of_pair = Spread::OF_PAIR.covariance_about(paint.color);
        let (of_a, of_b) = (of_pair + noise_of(a), of_pair + noise_of(b));
        let learnt = paint.of_paint * (paint.of_paint + of_b).inverse();
        let color = paint.color + learnt * (b.color - paint.color);
        let covariance = paint.of_paint - learnt * paint.of_paint;
        ln_density(a.color - color, covariance + of_a)
            - ln_density(a.color - paint.color, paint.of_paint + of_a)
    }

    fn total(&self, looks: &[Look], paints: &[PaintInLight; MOST_PAINTS]) -> f32 {
        let single: f32 = self
            .scores
            .iter()
            .zip(&self.names)
            .map(|(scores, name)| scores[*name])
            .sum();
        let solids = (1..8).filter(|name| self.game.partner(*name).is_some());
        let pairs: f32 = solids.map(|solid| self.pair_score(solid, looks, paints)).sum();
        single + pairs + self.light.ln_prior() - self.game.rarity
    }

    /// The light under which the balls look most like their names.
    fn fit_light(&mut self, looks: &[Look], paints: &[PaintInLight; MOST_PAINTS]) {
        let mut fit = LightFit::from(self.light);
        for (i, paint) in paints.iter().enumerate().take(self.game.paints.len()) {
            let (mut sum, mut noise, mut count) = (Vec3::ZERO, Mat3::ZERO, 0.0_f32);
            for (look, name) in looks.iter().zip(&self.names) {
                if let Some(name) = self.game.names.get(*name)
                    && name.pattern != Pattern::Cue
                    && look.color_share >= NOISY_SHARE
                    && nearer(name, look, paints) == i
                {
                    sum += look.color;
                    noise += noise_of(look);
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
fn nearer(name: &Name, look: &Look, paints: &[PaintInLight; MOST_PAINTS]) -> usize {
    let [first, second] = name.paints;
    if first == second {
        return first;
    }
    let score = |paint: usize| ln_density(look.color - paints[paint].color, paints[paint].of_paint);
    if score(second) > score(first) {
        second
    } else {
        first
    }
}

/// Balls of a name that many share: they tell what their paint looks like on this table.
struct Siblings {
    /// The name.
    name: Option<usize>,
    count: usize,
    of_ball: Mat3,
    /// Inverse of the covariance of what is known of the paint, and that times the paint.
    information: Mat3,
    weighted: Vec3,
    /// What each ball contributed.
    contributions: [(Mat3, Vec3); MOST_SIBLINGS],
    balls: [usize; MOST_SIBLINGS],
}

/// Snooker's reds, and some that are none.
const MOST_SIBLINGS: usize = 24;

impl Siblings {
    fn of(game: &Game, names: &[usize], looks: &[Look], paints: &[PaintInLight; MOST_PAINTS]) -> Self {
        let mut siblings = Self {
            name: game.names.iter().position(|name| name.count > 1),
            count: 0,
            of_ball: Mat3::ZERO,
            information: Mat3::ZERO,
            weighted: Vec3::ZERO,
            contributions: [(Mat3::ZERO, Vec3::ZERO); MOST_SIBLINGS],
            balls: [usize::MAX; MOST_SIBLINGS],
        };
        let Some(name) = siblings.name else {
            return siblings;
        };
        let paint = &paints[game.names[name].paints[0]];
        siblings.of_ball = paint.of_ball;
        siblings.information = paint.of_paint.inverse();
        siblings.weighted = siblings.information * paint.color;
        for (ball, look) in looks.iter().enumerate() {
            if names.get(ball) != Some(&name)
                || look.color_share < NOISY_SHARE
                || siblings.count == MOST_SIBLINGS
            {
                continue;
            }
            let information = (paint.of_ball + noise_of(look)).inverse();
            let weighted = information * look.color;
            siblings.information += information;
            siblings.weighted += weighted;
            siblings.contributions[siblings.count] = (information, weighted);
            siblings.balls[siblings.count] = ball;
            siblings.count += 1;
        }
        siblings
    }

    /// What the paint of this name looks like, by the other balls that have it.
    fn posterior(&self, name: usize, ball: usize, names: &[usize]) -> Option<(Vec3, Mat3)> {
        if self.name != Some(name) || self.count == 0 || names.is_empty() {
            return None;
        }
        let own = self.balls[..self.count].iter().position(|b| *b == ball);
        let (own_information, own_weighted) = own.map_or((Mat3::ZERO, Vec3::ZERO), |i| self.contributions[i]);
        let covariance = (self.information - own_information).inverse();
        Some((
            covariance * (self.weighted - own_weighted),
            covariance + self.of_ball,
        ))
    }

    /// How much rarer the name gets by those that have it: a set has only so many. Logarithm.
    fn ln_share_left(&self, name: usize, of: &Name) -> f32 {
        if self.name != Some(name) || self.count == 0 {
            return 0.0;
        }
        let left = (of.count + 1).saturating_sub(self.count).max(1);
        libm::logf(left as f32 / of.count as f32)
    }
}

/// Covariance of the noise of a ball's colour. A small share of it is mixed with the white beside it.
fn noise_of(look: &Look) -> Mat3 {
    let share = look.color_share.max(LEAST_SHARE);
    let noise = NOISE * (1.0 + 0.5 * NOISY_SHARE / share);
    let mixed = MIXED * (look.white / SPOT).min(1.0) / share;
    outer(Vec3::new(255.0, 0.0, 0.0) - look.color, mixed * mixed)
        + Mat3::from_diagonal(Vec3::splat(noise * noise))
}

/// How likely a ball shows nothing but white.
fn no_color_score(pattern: Pattern) -> f32 {
    match pattern {
        Pattern::Cue => -0.1,
        // Seen on its cap.
        Pattern::Striped => -3.2,
        Pattern::Plain | Pattern::Pale | Pattern::Numbered => -6.9,
    }
}

/// How likely a cue ball shows this colour: it is its own shade, or, in one of three, anything.
fn shaded_white_score(look: &Look, white: Vec3) -> f32 {
    let covariance = Spread::OF_SHADED_WHITE.covariance_about(white) + noise_of(look);
    let shade = ln_density(look.color - white, covariance);
    let other = LN_ANY_COLOR - 1.2;
    let (more, less) = (shade.max(other), shade.min(other));
    more + libm::logf(1.0 + libm::expf(less - more)) - 0.7
}

/// How likely a ball with this pattern shows so much white, and so spread. Densities over the share of white: even over
/// what its geometry allows, normal beyond. From any side at all, the two caps of a stripe with a belt of half a
/// diameter are 0.33 to 0.8 of what is seen, and a number's disc is up to 0.2; half of the balls hide their numbers at the
/// rim or below.
fn pattern_score(look: &Look, pattern: Pattern) -> f32 {
    let beyond = |value: f32, limit: f32, sigma: f32| {
        let z = (value - limit).max(0.0) / sigma;
        -0.5 * z * z
    };
    let (white, spread) = (look.white, look.white_spread);
    match pattern {
        // Shade and spots take some.
        Pattern::Cue => 1.6 - 5.0 * (1.0 - white),
        Pattern::Striped => {
            0.7 + beyond(-white, -0.33, 0.09)
                + beyond(white, 0.8, 0.08)
                + beyond(-spread, -0.29, 0.06)
                + beyond(-look.color_share, -0.15, 0.05)
        }
        Pattern::Numbered => {
            let density = if white < 0.05 { 2.3 } else { 1.0 };
            density + beyond(white, 0.2, 0.07) + beyond(spread, 0.12, 0.045)
        }
        Pattern::Plain => 3.1 + beyond(white, 0.03, 0.035) + beyond(spread, 0.02, 0.035),
        Pattern::Pale => 1.0 + beyond(white, 0.3, 0.12) + beyond(spread, 0.15, 0.07),
    }
}
