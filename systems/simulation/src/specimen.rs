//! Pictures as varied as the world, for tests: one for each seed.

use ghostball_world::{Picture, PixelFormat};

use crate::layout::{any_arm, any_potted};
use crate::{Game, GroundTruth, Hall, Layout, Random, Renderer, Scene, SimulationError};

/// One picture of one table, with all that is known about it.
#[derive(Clone, Debug)]
pub struct Specimen {
    /// Decides everything.
    pub seed: u64,
    /// Whose balls lie there.
    pub game: Game,
    /// How they were put there.
    pub layout: Layout,
    /// Table, light and camera.
    pub hall: Hall,
    /// Balls, stick and arm.
    pub scene: Scene,
    /// Width and height, pixels.
    pub size: [u32; 2],
    /// How the camera delivers its pixels.
    pub format: PixelFormat,
}

impl Specimen {
    /// Any game, any hall, any layout, in one of the sizes and formats that cameras deliver.
    pub fn random(seed: u64) -> Self {
        let mut random = Random::for_purpose(seed, 5);
        let games = [
            Game::EightBall,
            Game::EightBall,
            Game::NineBall,
            Game::Snooker,
            Game::Snooker,
            Game::Carom,
        ];
        let game = games[random.below(games.len())];
        let layout = Layout::ALL[random.below(Layout::ALL.len())];
        let sizes = [[1280, 720], [1280, 720], [1280, 720], [1280, 960], [1920, 1080]];
        let size = sizes[random.below(sizes.len())];
        let formats = [PixelFormat::Yuv420, PixelFormat::Nv12, PixelFormat::Yuyv];
        let format = formats[random.below(formats.len())];
        let hall = Hall::random(game, random.next_u64());
        let mut scene = layout.scene(game, &hall.table, &mut random);
        if random.chance(0.4) {
            scene.potted = any_potted(game, &hall.table, &scene.balls, &mut random);
        }
        if random.chance(0.15) {
            scene.arm = Some(any_arm(&hall.table, &mut random));
        }
        Self {
            seed,
            game,
            layout,
            hall,
            scene,
            size,
            format,
        }
    }

    /// Hangs the camera and renders the empty table.
    pub fn renderer(&self) -> Result<Renderer, SimulationError> {
        let [width, height] = self.size;
        let Hall { table, look, pose } = self.hall.clone();
        Renderer::new(table, look, &pose, width, height, self.seed)
    }

    /// The picture, and what is in it.
    pub fn render(&self) -> Result<(Picture, GroundTruth), SimulationError> {
        let (mut picture, mut truth) = (Picture::default(), GroundTruth::default());
        self.renderer()?
            .render(&self.scene, self.format, &mut picture, &mut truth)?;
        Ok((picture, truth))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_specimen_is_the_same_again() {
        let (picture, truth) = Specimen::random(11).render().unwrap();
        let again = Specimen::random(11).render().unwrap();
        assert_eq!((picture.bytes(), &truth), (again.0.bytes(), &again.1));
    }
}
