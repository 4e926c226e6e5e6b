//! A table that plays for ever.

use ghostball_world::{Picture, TableSpecification};

use crate::camera::CameraPose;
use crate::look::Look;
use crate::player::Player;
use crate::renderer::Renderer;
use crate::scene::Scene;
use crate::{GroundTruth, Random, SimulationError, SimulationOptions, TableModel};

/// A table with its balls, a player and a camera above it.
#[derive(Clone, Debug)]
pub struct SimulatedTable {
    options: SimulationOptions,
    player: Player,
    renderer: Renderer,
    scene: Scene,
    truth: GroundTruth,
    next_frame: u64,
}

impl SimulatedTable {
    /// Sets the table up; the first frame shows the rack.
    pub fn new(options: SimulationOptions) -> Result<Self, SimulationError> {
        options.check()?;
        let SimulationOptions {
            seed,
            game,
            width,
            height,
            ..
        } = options;
        let table = TableModel::for_game(game);
        let mut random = Random::for_purpose(seed, 2);
        let look = Look::random(game, &table, &mut random);
        let pose = CameraPose::random(&mut random);
        Ok(Self {
            player: Player::new(game, table.clone(), seed),
            renderer: Renderer::new(table, look, &pose, width, height, seed)?,
            scene: Scene::default(),
            truth: GroundTruth::default(),
            next_frame: 0,
            options,
        })
    }

    /// Plays on to the next frame, renders it into `picture` (whose buffer is used again) and tells what is in it.
    pub fn render_next(&mut self, picture: &mut Picture) -> Result<&GroundTruth, SimulationError> {
        let time_secs = self.next_frame as f64 / self.options.fps;
        self.player.play_until(time_secs, &mut self.scene);
        self.renderer
            .render(&self.scene, self.options.format, picture, &mut self.truth)?;
        self.truth.frame_number = self.next_frame;
        self.truth.time_secs = time_secs;
        self.next_frame += 1;
        Ok(&self.truth)
    }

    /// What it was made with.
    pub fn options(&self) -> &SimulationOptions {
        &self.options
    }

    /// True size of table and balls.
    pub fn table(&self) -> TableSpecification {
        self.renderer.table().specification()
    }
}
