//! A table that plays for ever.

use ghostball_world::{Picture, TableSpecification};

use crate::hall::Hall;
use crate::player::Player;
use crate::renderer::Renderer;
use crate::scene::Scene;
use crate::{GroundTruth, SimulationError, SimulationOptions};

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
        let Hall { table, look, pose } = Hall::well_kept(game, seed);
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
        self.truth.contacts.clear();
        self.truth.contacts.extend_from_slice(self.player.contacts());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Game;
    use ghostball_world::PixelFormat;

    /// Small and slow enough for a break within a few frames.
    fn options(seed: u64) -> SimulationOptions {
        SimulationOptions {
            seed,
            width: 320,
            height: 180,
            fps: 15.0,
            ..SimulationOptions::default()
        }
    }

    /// FNV-1a over all bytes of the frames, and how many frames showed balls in motion.
    fn hash_of(options: SimulationOptions, frames: u32) -> (u64, u32) {
        let mut table = SimulatedTable::new(options).unwrap();
        let mut picture = Picture::default();
        let (mut hash, mut moving) = (0xcbf2_9ce4_8422_2325_u64, 0);
        for _ in 0..frames {
            let truth = table.render_next(&mut picture).unwrap();
            moving += u32::from(truth.balls.iter().any(|ball| ball.is_moving));
            for byte in picture.bytes() {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        }
        (hash, moving)
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
        let (hash, moving) = hash_of(options(7), 60);
        assert!(moving > 5, "no shot within the frames compared: {moving}");
        assert_eq!(hash_of(options(7), 60), (hash, moving));
        assert_ne!(hash_of(options(8), 60).0, hash);
    }

    #[test]
    fn every_game_is_played_in_every_format() {
        for game in Game::ALL {
            let mut table = SimulatedTable::new(SimulationOptions { game, ..options(1) }).unwrap();
            let mut picture = Picture::default();
            for format in [
                PixelFormat::Grey,
                PixelFormat::Yuyv,
                PixelFormat::Nv12,
                PixelFormat::Yuv420,
                PixelFormat::Rgb,
            ] {
                table.options.format = format;
                let truth = table.render_next(&mut picture).unwrap();
                let expected = match game {
                    Game::EightBall => 16,
                    Game::NineBall => 10,
                    Game::Snooker => 22,
                    Game::Carom => 3,
                };
                assert_eq!(truth.balls.len(), expected);
                assert_eq!(
                    (picture.format(), picture.width(), picture.height()),
                    (format, 320, 180)
                );
            }
        }
    }
}
