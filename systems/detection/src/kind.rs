//! Which ball is which.

use ghostball_world::{BallSet, BallSighting, Planes};

use crate::cloth::ClothModel;

/// Names balls by their colours.
#[derive(Clone, Debug)]
pub struct Recognizer {
    ball_set: BallSet,
}

impl Recognizer {
    /// For this set of balls.
    pub fn new(ball_set: BallSet) -> Self {
        Self { ball_set }
    }

    /// Fills in kind and number of each of `balls`.
    pub fn name_balls(&mut self, _planes: &Planes, _cloth: &ClothModel, _balls: &mut [BallSighting]) {
        let _ = self.ball_set;
    }
}
