//! What to simulate.

use std::str::FromStr;

use ghostball_world::{PictureError, PixelFormat};

/// Which game is played; it decides the table, the balls and the rack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Game {
    /// Cue ball and 1 to 15 on a nine-foot pool table.
    #[default]
    EightBall,
    /// Cue ball and 1 to 9 on a nine-foot pool table.
    NineBall,
    /// Fifteen reds, six colours and the cue ball on a twelve-foot table.
    Snooker,
    /// White, yellow and red on a table without pockets.
    Carom,
}

impl Game {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::EightBall, Self::NineBall, Self::Snooker, Self::Carom];

    /// As it is written in `sim?game=…`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EightBall => "8ball",
            Self::NineBall => "9ball",
            Self::Snooker => "snooker",
            Self::Carom => "carom",
        }
    }
}

impl FromStr for Game {
    type Err = SimulationError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|game| game.name() == name)
            .ok_or_else(|| SimulationError::Game(name.to_owned()))
    }
}

/// What to simulate and how the camera delivers it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SimulationOptions {
    /// Decides everything that happens and how it looks.
    pub seed: u64,
    /// Which game is played.
    pub game: Game,
    /// Pixels per row: even, 160 to 3840.
    pub width: u32,
    /// Rows: even, 90 to 2160.
    pub height: u32,
    /// Frames per simulated second: 1 to 240.
    pub fps: f64,
    /// How the camera delivers its pixels.
    pub format: PixelFormat,
}

impl Default for SimulationOptions {
    /// Seed 1, 8-ball, 1280x720 at 30 frames a second as planes of YUV 4:2:0.
    fn default() -> Self {
        Self {
            seed: 1,
            game: Game::EightBall,
            width: 1280,
            height: 720,
            fps: 30.0,
            format: PixelFormat::Yuv420,
        }
    }
}

impl SimulationOptions {
    /// Whether a camera could deliver this.
    pub fn check(&self) -> Result<(), SimulationError> {
        let (width, height) = (self.width, self.height);
        let fits = (160..=3840).contains(&width) && (90..=2160).contains(&height);
        if !fits || width % 2 == 1 || height % 2 == 1 {
            return Err(SimulationError::Size { width, height });
        }
        if !(1.0..=240.0).contains(&self.fps) {
            return Err(SimulationError::Fps(self.fps));
        }
        Ok(())
    }
}

/// Why a table cannot be simulated.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SimulationError {
    /// No such game.
    #[error("unknown game {0:?}: expected 8ball, 9ball, snooker or carom")]
    Game(String),
    /// Outside of what the simulated camera delivers.
    #[error(
        "a simulated picture of {width}x{height} is not possible: \
         expected an even width of 160 to 3840 and an even height of 90 to 2160"
    )]
    Size {
        /// The width asked for.
        width: u32,
        /// The height asked for.
        height: u32,
    },
    /// Outside of what the simulated camera delivers.
    #[error("{0} frames a second are not possible: expected 1 to 240")]
    Fps(f64),
    /// The picture could not be made.
    #[error(transparent)]
    Picture(#[from] PictureError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_game_is_found_by_its_name() {
        for game in Game::ALL {
            assert_eq!(game.name().parse(), Ok(game));
        }
        let error = "darts".parse::<Game>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown game \"darts\": expected 8ball, 9ball, snooker or carom"
        );
    }

    #[test]
    fn sizes_and_rates_beyond_a_camera_are_refused() {
        let check = |width, height, fps| {
            SimulationOptions {
                width,
                height,
                fps,
                ..Default::default()
            }
            .check()
        };
        assert_eq!(check(1280, 720, 30.0), Ok(()));
        assert!(check(0, 720, 30.0).is_err());
        assert!(check(1281, 720, 30.0).is_err());
        assert!(check(1280, 100_000, 30.0).is_err());
        assert!(check(1280, 720, 0.0).is_err());
        assert!(check(1280, 720, f64::NAN).is_err());
    }
}
