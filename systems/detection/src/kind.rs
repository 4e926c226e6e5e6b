//! Which ball is which, by its colours.
//!
//! 1. [`look`]: of each ball, what is white, how far about that lies, and the colour of the rest.
//! 2. [`white`]: white of all balls together tells the light's tint; colours are seen as under a white light.
//! 3. [`paint`]: the games, their balls' names, and what they are painted with; [`spread`]: how far that strays between
//!    makers, tables and balls; [`light`]: what a table's light and camera do to all paints alike.
//! 4. [`naming`]: for each game, the names under which the balls are most likely to look as they do: each name to one
//!    ball at most ([`assignment`]), solids and stripes of one paint alike, the light such as fits them all.
//! 5. The game under which the balls are most likely is in play, in this picture and those before.
//!
//! Scores are logarithms of probability densities (nats), so that colours, white and games add up.

mod assignment;
mod light;
mod look;
mod naming;
mod paint;
mod spread;
mod white;

use ghostball_world::{BallKind, BallSet, BallSighting, Planes};

use crate::cloth::ClothModel;
use look::{Look, Samples};
use naming::Naming;
use paint::Game;
use white::{White, WhiteFinder};

/// How much of what was seen of the game is forgotten with each picture: with 30 a second, a new game on the table is
/// recognised after minutes, and the last two or three balls of a frame of pool are not taken for carom.
const FORGETTING: f32 = 1.0 / 4000.0;
/// A game that is this much less likely than another, nats, is out of the question.
const OUT_OF_QUESTION: f32 = 30.0;

/// Names balls. Remembers light and game, not the balls.
#[derive(Clone, Debug)]
pub struct Recognizer {
    games: Vec<Naming>,
    /// How likely each game is by what was seen before, nats below the likeliest.
    evidence: Vec<f32>,
    white: White,
    white_finder: WhiteFinder,
    samples: Samples,
    looks: Vec<Look>,
}

impl Recognizer {
    /// For this set of balls.
    pub fn new(ball_set: BallSet) -> Self {
        let is_possible = |game: &Game| ball_set == BallSet::Auto || game.set == ball_set;
        let games: Vec<Naming> = Game::all()
            .into_iter()
            .filter(is_possible)
            .map(Naming::new)
            .collect();
        Self {
            evidence: vec![0.0; games.len()],
            games,
            white: White::default(),
            white_finder: WhiteFinder::default(),
            samples: Samples::default(),
            looks: Vec::new(),
        }
    }

    /// Fills in kind and number of each of `balls`.
    pub fn name_balls(&mut self, planes: &Planes, cloth: &ClothModel, balls: &mut [BallSighting]) {
        if balls.is_empty() || planes.chroma.is_none() {
            return;
        }
        self.samples.take(planes, balls.iter().map(|ball| &ball.circle));
        self.white = self
            .white_finder
            .find(self.samples.colors(), self.samples.per_ball(), self.white);
        self.looks.clear();
        let looks = self.samples.looks(&self.white).zip(balls.iter());
        self.looks
            .extend(looks.map(|(look, ball)| look.relit(cloth, ball)));
        let Some(naming) = self.recognize() else { return };

        for (ball, name) in balls.iter_mut().zip(&naming.names) {
            let name = naming.game.names.get(*name);
            ball.kind = name.map_or(BallKind::Unknown, |name| name.kind);
            ball.number = name.and_then(|name| name.number);
        }
    }

    /// The game under which balls are most likely to look as they do, in this picture and those before.
    fn recognize(&mut self) -> Option<&Naming> {
        let mut best = f32::NEG_INFINITY;
        // Starting with the one that was in play, as it usually is: others are then soon out of the question.
        let in_play = self.evidence.iter().position(|e| *e >= 0.0).unwrap_or(0);
        let order = (in_play..self.games.len()).chain(0..in_play);
        for game in order {
            let naming = &mut self.games[game];
            naming.find(&self.looks, best - OUT_OF_QUESTION);
            best = best.max(naming.score);
        }
        let mut likeliest = (f32::NEG_INFINITY, 0);
        for (i, (evidence, naming)) in self.evidence.iter_mut().zip(&self.games).enumerate() {
            *evidence = (1.0 - FORGETTING) * *evidence + (naming.score - best).max(-OUT_OF_QUESTION);
            if *evidence > likeliest.0 {
                likeliest = (*evidence, i);
            }
        }
        for evidence in &mut self.evidence {
            *evidence -= likeliest.0;
        }
        self.games.get(likeliest.1)
    }
}

#[cfg(test)]
mod tests;
