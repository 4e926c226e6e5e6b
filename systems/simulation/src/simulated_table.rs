//! A table that plays for ever.

use ghostball_world::{BallSet, ColorEncoding, Picture, TableSpecification};

use crate::{Game, GroundTruth, SimulationError, SimulationOptions};

/// A table with its balls, a player and a camera above it.
#[derive(Clone, Debug)]
pub struct SimulatedTable {
    options: SimulationOptions,
    truth: GroundTruth,
}

impl SimulatedTable {
    /// Sets the table up; the first frame shows the rack.
    pub fn new(options: SimulationOptions) -> Result<Self, SimulationError> {
        options.check()?;
        Ok(Self {
            options,
            truth: GroundTruth::default(),
        })
    }

    /// Plays on to the next frame, renders it into `picture` (whose buffer is used again) and tells what is in it.
    pub fn render_next(&mut self, picture: &mut Picture) -> Result<&GroundTruth, SimulationError> {
        let SimulationOptions {
            format,
            width,
            height,
            ..
        } = self.options;
        let bytes = picture.reshape(format, width, height, ColorEncoding::default())?;
        bytes.fill(128);
        Ok(&self.truth)
    }

    /// What it was made with.
    pub fn options(&self) -> &SimulationOptions {
        &self.options
    }

    /// True size of table and balls.
    pub fn table(&self) -> TableSpecification {
        let (length, width, ball_radius, ball_set) = match self.options.game {
            Game::EightBall | Game::NineBall => (2.54, 1.27, 0.028_575, BallSet::AmericanPool),
            Game::Snooker => (3.569, 1.778, 0.026_25, BallSet::Snooker),
            Game::Carom => (2.84, 1.42, 0.030_75, BallSet::Carom),
        };
        TableSpecification {
            length,
            width,
            ball_radius: Some(ball_radius),
            ball_set,
        }
    }
}
