//! Which ball is which, by its colours.
//!
//! 1. `look`: of each ball, what is white, how far about that lies, and the colour of the rest.
//! 2. `white`: white of all balls together tells the light's tint; colours are seen as under a white light.
//! 3. `paint`: the games, their balls' names, and what they are painted with; `spread`: how far that strays between
//!    makers, tables and balls; `light`: what a table's light and camera do to all paints alike.
//! 4. `clue`: what a look says whatever the game; `naming`: for each game, the names under which the balls are most
//!    likely to look as they do: each name to one ball at most (`assignment`), solids and stripes of one paint alike,
//!    `siblings` like each other, the light such as fits them all.
//! 5. The game under which the balls are most likely is in play, in this picture and those before.
//!
//! Scores are logarithms of probability densities (nats), so that colours, white and games add up.

mod assignment;
mod clue;
mod light;
mod look;
mod naming;
mod paint;
mod siblings;
mod spread;
mod white;

use ghostball_world::{BallKind, BallSet, BallSighting, Planes};
use glam::Vec3;
use serde::{Deserialize, Serialize};

use crate::cloth::ClothModel;
use clue::Clue;
use light::Light;
use look::{Look, Samples};
use naming::Naming;
use paint::Game;
use white::{BRIGHT, White, WhiteFinder};

/// How much of what was seen of a game is forgotten each time it is tried, every sixth picture: a new game on the table
/// is recognised within minutes, and the last two or three balls of a frame of pool are not taken for carom.
const FORGETTING: f32 = 1.0 / 800.0;
/// A game that is this much less likely than another at first sight, nats, is out of the question: the light that fits it
/// best adds less.
const OUT_OF_QUESTION: f32 = 20.0;

/// Names balls. Remembers light and game, not the balls.
#[derive(Clone, Debug)]
pub struct Recognizer {
    games: Vec<Naming>,
    /// How likely each game is by what was seen before, nats below the one in play.
    evidence: Vec<f32>,
    in_play: usize,
    is_recognized: bool,
    next_rival: usize,
    white: White,
    white_finder: WhiteFinder,
    samples: Samples,
    looks: Vec<Look>,
    clues: Vec<Clue>,
}

/// What a [`Recognizer`] has learnt of light and game.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LearntNames {
    /// Of each game.
    lights: Vec<Light>,
    evidence: Vec<f32>,
    in_play: usize,
    is_recognized: bool,
    next_rival: usize,
    white: White,
}

impl Recognizer {
    /// What it has learnt.
    pub(crate) fn learnt(&self) -> LearntNames {
        LearntNames {
            lights: self.games.iter().map(|naming| naming.light).collect(),
            evidence: self.evidence.clone(),
            in_play: self.in_play,
            is_recognized: self.is_recognized,
            next_rival: self.next_rival,
            white: self.white,
        }
    }

    /// Goes on with what another one of the same set of balls has learnt; what comes from another set is left out.
    pub(crate) fn with_learnt(mut self, learnt: LearntNames) -> Self {
        let count = self.games.len();
        if [learnt.lights.len(), learnt.evidence.len()] != [count; 2]
            || learnt.in_play.max(learnt.next_rival) >= count
        {
            return self;
        }
        for (naming, light) in self.games.iter_mut().zip(learnt.lights) {
            naming.light = light;
        }
        Self {
            evidence: learnt.evidence,
            in_play: learnt.in_play,
            is_recognized: learnt.is_recognized,
            next_rival: learnt.next_rival,
            white: learnt.white,
            ..self
        }
    }

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
            in_play: 0,
            is_recognized: false,
            next_rival: 0,
            games,
            white: White::default(),
            white_finder: WhiteFinder::default(),
            samples: Samples::default(),
            looks: Vec::new(),
            clues: Vec::new(),
        }
    }

    /// Fills in kind and number of each of `balls`.
    pub fn name_balls(&mut self, planes: &Planes, cloth: &ClothModel, balls: &mut [BallSighting]) {
        if balls.is_empty() || planes.chroma.is_none() {
            return;
        }
        self.samples.take(planes, balls.iter().map(|ball| &ball.circle));
        let bright = self.samples.brighter_than(BRIGHT);
        self.white = self
            .white_finder
            .find(bright, self.samples.per_ball(), self.white);
        self.samples.looks(&self.white, &mut self.looks);
        self.clues.clear();
        let lit = self
            .looks
            .iter()
            .zip(balls.iter())
            .map(|(look, ball)| look.relit(cloth, ball));
        self.clues.extend(lit.map(Clue::of));
        let cloth = self.samples.balanced(cloth.color, &self.white);
        let Some(naming) = self.recognize(cloth) else {
            return;
        };

        for (ball, name) in balls.iter_mut().zip(&naming.names) {
            let name = naming.game.names.get(*name);
            ball.kind = name.map_or(BallKind::Unknown, |name| name.kind);
            ball.number = name.and_then(|name| name.number);
        }
    }

    /// The game under which balls are most likely to look as they do, in this picture and those before. The first picture
    /// is tried with every game, later ones with the one in play and one other in turn.
    fn recognize(&mut self, cloth: Vec3) -> Option<&Naming> {
        let count = self.games.len();
        let in_play = self.in_play;
        let is_tried = |game: usize| !self.is_recognized || game == in_play || game == self.next_rival;
        let mut best = f32::NEG_INFINITY;
        for game in (0..count).filter(|game| is_tried(*game)) {
            self.games[game].begin(&self.clues, cloth);
            best = best.max(self.games[game].score);
        }
        for game in (0..count).filter(|game| is_tried(*game)) {
            if self.games[game].score > best - OUT_OF_QUESTION || game == in_play {
                self.games[game].settle(&self.clues);
            }
        }
        let score = |game: usize| self.games[game].score;
        let best = (0..count)
            .filter(|game| is_tried(*game))
            .map(score)
            .fold(f32::NEG_INFINITY, f32::max);
        let mut likeliest = (f32::NEG_INFINITY, in_play);
        for game in 0..count {
            let evidence = &mut self.evidence[game];
            if is_tried(game) {
                *evidence += (self.games[game].score - best).max(-OUT_OF_QUESTION) - FORGETTING * *evidence;
            }
            if *evidence > likeliest.0 {
                likeliest = (*evidence, game);
            }
        }
        for evidence in &mut self.evidence {
            *evidence -= likeliest.0;
        }
        self.is_recognized = true;
        self.in_play = likeliest.1;
        self.next_rival = (self.next_rival + 1) % count;
        self.games.get(self.in_play)
    }
}

#[cfg(test)]
mod tests;
