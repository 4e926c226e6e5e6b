//! Balls on a known table.
//!
//! 1. [`work`]: the table's part of the picture, reduced so that balls have a radius of 6 to 12 pixels.
//! 2. [`votes`]: edges vote for centres; the peaks are candidates.
//! 3. [`rim`]: each candidate's rim is looked for at full resolution, and an ellipse fitted to it.
//! 4. `gaps`: where balls that touch leave room for another one, it is looked for in the same way.
//! 5. [`select`]: of candidates that cannot both be balls, the better one stays; what has too little of a ball goes.
//! 6. `settle`: what is a ball is placed to a fraction of a pixel; by `streak` where motion has drawn it out.
//! 7. `gloss`, when the stick is known: balls of the cloth's own colour, by the lamp's image in them and their `faint` rims.

mod border;
mod contact;
pub mod edges;
pub mod ellipse;
mod faint;
mod gaps;
mod gloss;
mod looks;
mod mask;
mod neighbourhood;
pub mod place;
mod polar;
pub mod rim;
pub mod select;
mod settle;
pub mod size;
mod steps;
mod streak;
#[cfg(test)]
mod tests;
pub mod votes;
pub mod work;

use ghostball_world::{BallSet, BallSighting, CircleInImage, CueSighting, Planes, TableSighting};

use crate::cloth::ClothModel;
use crate::kind::{LearntNames, Recognizer};
use edges::{Edge, EdgeFinder};
use ellipse::Ellipse;
use faint::FaintScene;
use glam::DVec2;
use gloss::{GlossFinder, GlossScene};
use looks::Looks;
use neighbourhood::Neighbourhood;
use place::BallPlace;
use rim::{Rim, RimFinder, Scratch};
use select::Choice;
use votes::{Candidate, Votes};
use work::WorkPicture;

/// Candidates looked at per frame: several times as many as any game has balls; it bounds the time.
const MOST_CANDIDATES: usize = 160;
/// Finest noise told: pixels are whole numbers, and compression moves them by about one.
const LEAST_NOISE: f32 = 1.0;

/// Finds the balls on one table. Keeps its buffers from frame to frame, but no memory of balls.
#[derive(Clone, Debug)]
pub struct BallFinder {
    place: BallPlace,
    size: [usize; 2],
    is_size_known: bool,
    work: WorkPicture,
    edges: EdgeFinder,
    votes: Votes,
    candidates: Vec<Candidate>,
    scratch: Scratch,
    looks: Looks,
    choice: Choice,
    gloss: GlossFinder,
    recognizer: Recognizer,
}

impl BallFinder {
    /// For pictures of `size` (width, height) that show this table, with this set of balls in play.
    pub fn new(table: &TableSighting, size: [u32; 2], ball_set: BallSet) -> Self {
        let place = BallPlace::new(table);
        let size = size.map(|v| v as usize);
        let work = WorkPicture::new(&place, size);
        Self {
            edges: EdgeFinder::new(&place, &work),
            work,
            place,
            size,
            is_size_known: true,
            votes: Votes::default(),
            candidates: Vec::new(),
            scratch: Scratch::default(),
            looks: Looks::default(),
            choice: Choice::default(),
            gloss: GlossFinder::default(),
            recognizer: Recognizer::new(ball_set),
        }
    }

    /// For measuring how large balls are: the table's `ball_radius_px` is only near it.
    pub fn with_guessed_size(self) -> Self {
        Self {
            is_size_known: false,
            ..self
        }
    }

    /// Goes on with what another finder has learnt of the light and the game: for the same table, found a little elsewhere.
    pub fn with_names_of(self, other: Self) -> Self {
        Self {
            recognizer: other.recognizer,
            ..self
        }
    }

    /// What it has learnt of the light and the game.
    pub(crate) fn learnt(&self) -> LearntNames {
        self.recognizer.learnt()
    }

    /// Goes on with that.
    pub(crate) fn with_learnt(self, learnt: LearntNames) -> Self {
        Self {
            recognizer: self.recognizer.with_learnt(learnt),
            ..self
        }
    }

    /// Replaces `out` by the balls in a picture, most confident first. A picture of another size than the finder was
    /// made for shows none. `cloth` is what the cloth looks like in this picture.
    pub fn find(&mut self, planes: &Planes, cloth: &ClothModel, out: &mut Vec<BallSighting>) {
        self.find_nameless(planes, cloth, out);
        self.complete(planes, cloth, None, out);
    }

    /// The same without kinds and numbers: where only places and sizes count, names would be told for nothing.
    pub fn find_nameless(&mut self, planes: &Planes, cloth: &ClothModel, out: &mut Vec<BallSighting>) {
        out.clear();
        self.looks.clear();
        if [planes.luma.width, planes.luma.height] != self.size || self.work.width == 0 {
            return;
        }
        let noise = noise_of(cloth);
        self.work.fill(planes);
        self.edges.find(&self.work, noise);
        self.votes.find(
            &self.edges,
            &self.work,
            &self.place,
            MOST_CANDIDATES,
            &mut self.candidates,
        );
        let finder = RimFinder::new(planes, cloth, &self.place, noise, self.is_size_known);
        for candidate in &self.candidates {
            self.looks.add(*candidate, &finder, &mut self.scratch);
        }
        let share_at = |center| self.votes.share_at(center, &self.work, &self.place);
        self.looks.add_gaps(share_at, &finder, &mut self.scratch);
        self.choice
            .choose(&self.looks.rims, &self.place, &self.scratch.rays);
        let chosen = &self.choice.chosen;
        contact::move_apart(&mut self.looks.rims, chosen, &self.place);
        for i in chosen {
            if self.is_size_known {
                let around =
                    Neighbourhood::new(*i, &self.looks.rims, chosen, &self.place, &self.scratch.rays);
                finder.settle(&mut self.looks.rims[*i].1, &around, &mut self.scratch);
            } else {
                finder.measure(&mut self.looks.rims[*i].1, &mut self.scratch);
            }
        }
        for i in chosen {
            if self.is_size_known {
                // Those round it have settled since.
                let around =
                    Neighbourhood::new(*i, &self.looks.rims, chosen, &self.place, &self.scratch.rays);
                if around.is_surrounded() {
                    finder.settle(&mut self.looks.rims[*i].1, &around, &mut self.scratch);
                }
            }
            let rim = &self.looks.rims[*i].1;
            let confidence = f64::from(self.choice.score(*i));
            out.push(nameless(&rim.ellipse, rim.streak, confidence));
        }
    }

    /// Adds to the balls that [`Self::find_nameless`] found in this picture those of the cloth's own colour, which are not on the
    /// stick, and tells what each is.
    pub fn complete(
        &mut self,
        planes: &Planes,
        cloth: &ClothModel,
        cue: Option<&CueSighting>,
        out: &mut Vec<BallSighting>,
    ) {
        if [planes.luma.width, planes.luma.height] == self.size && self.work.has_chroma() {
            self.add_mirroring(planes, cloth, cue, out);
        }
        self.recognizer.name_balls(planes, cloth, out);
    }

    fn add_mirroring(
        &mut self,
        planes: &Planes,
        cloth: &ClothModel,
        cue: Option<&CueSighting>,
        out: &mut Vec<BallSighting>,
    ) {
        let scene = GlossScene {
            faint: FaintScene {
                finder: &RimFinder::new(planes, cloth, &self.place, noise_of(cloth), self.is_size_known),
                rays: &self.scratch.rays,
            },
            work: &self.work,
            edges: self.edges.edges(),
            cue,
        };
        self.gloss.find(&scene, out);
        // Its rim is just enough.
        let confidence = f64::from(select::LEAST_SCORE);
        for ellipse in &self.gloss.found {
            let at = out.partition_point(|ball| ball.confidence >= confidence);
            out.insert(at, nameless(ellipse, None, confidence));
        }
    }

    /// The outlines of the balls found in the last picture, each with the confidence that it is a ball.
    pub fn outlines(&self) -> impl Iterator<Item = (&Ellipse, f32)> {
        let outline = |i: &usize| Some((&self.looks.rims.get(*i)?.1.ellipse, self.choice.score(*i)));
        self.choice.chosen.iter().filter_map(outline)
    }

    /// How many of the balls found last show a lamp's image and a whole rim, as nothing else does.
    pub fn count_of_mirroring(&self, least_confidence: f32) -> usize {
        let is_one = |i: &&usize| {
            self.choice.score(**i) >= least_confidence
                && self
                    .looks
                    .rims
                    .get(**i)
                    .is_some_and(|(_, rim)| rim.has_glint && select::is_whole(rim))
        };
        self.choice.chosen.iter().filter(is_one).count()
    }

    /// A ball's apparent radius by the one that was expected at its place.
    pub fn size_against_expected(&self, ball: &BallSighting) -> f64 {
        ball.circle.radius / self.place.radius_at(ball.circle.center)
    }

    /// The reduced picture of the last [`BallFinder::find`], and the edges in it.
    pub fn edges(&self) -> (&WorkPicture, &[Edge]) {
        (&self.work, self.edges.edges())
    }

    /// Every candidate of the last picture with what was seen round it, for finding out why a ball was missed.
    pub fn looked_at(&self) -> impl Iterator<Item = (&Candidate, &Rim, f32)> {
        (0..)
            .zip(&self.looks.rims)
            .map(|(i, (candidate, rim))| (candidate, rim, self.choice.score(i)))
    }
}

/// Standard deviation of cloth pixels (Y, U, V).
fn noise_of(cloth: &ClothModel) -> [f32; 3] {
    cloth.spread.map(|s| s.max(LEAST_NOISE))
}

/// A ball of which it is not told yet which one it is.
fn nameless(ellipse: &Ellipse, streak_in_image: Option<DVec2>, confidence: f64) -> BallSighting {
    BallSighting {
        circle: CircleInImage {
            center: ellipse.center,
            radius: ellipse.radius,
        },
        streak_in_image,
        kind: Default::default(),
        number: None,
        confidence,
    }
}
