//! What differs from hall to hall: cloth, wood, lamps, and the camera's noise.

use glam::{DVec2, DVec3};

use crate::cloth::value_noise;
use crate::color::{Linear, linear, times};
use crate::{Game, Random, TableModel};

/// A lamp above the table: a bright disc that shines evenly downwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lamp {
    /// Metres in table space.
    pub position: DVec3,
    /// Radius of the disc, metres: how soft its shadows are.
    pub radius: f64,
    /// Share of the light in the middle of the table, 0 to 1.
    pub share: f64,
}

/// Marks along the rails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sights {
    /// None.
    None,
    /// Round inlays.
    Dots,
    /// Diamonds, longer across the rail.
    Diamonds,
}

/// How table, room and camera look. Colours are sRGB, as they appear in the middle of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// Cloth.
    pub cloth: [u8; 3],
    /// Rails.
    pub wood: [u8; 3],
    /// Pocket rims.
    pub rim: [u8; 3],
    /// Metal or plastic pieces around the pockets; `None`: the wood goes on.
    pub casting: Option<[u8; 3]>,
    /// Floor, under the same light.
    pub floor: [u8; 3],
    /// Marks along the rails.
    pub sights: Sights,
    /// Lines and spots on the cloth, as the game has them.
    pub has_markings: bool,
    /// Six red dots on the cue ball, as televised games have it.
    pub has_spotted_cue_ball: bool,
    /// Lamps; what their shares leave to 1 comes evenly from everywhere.
    pub lamps: Vec<Lamp>,
    /// Colour of the light, linear, about 1.
    pub light: Linear,
    /// How much darker the corners of the picture are, 0 to 1.
    pub vignetting: f64,
    /// How uneven the cloth is, standard deviation as a share of its brightness.
    pub cloth_texture: f64,
    /// Standard deviation of the noise of luma, in steps of 255; chroma has half of it. 0: no noise.
    pub noise: f64,
    /// How long the shutter is open, seconds.
    pub exposure_secs: f64,
    /// Share of each of the four neighbours in a pixel, twice: −0.12 (sharpened by the camera) to 0.25 (out of focus).
    pub softness: f64,
    /// Stickers, chalk and worn spots on the cloth.
    pub marks: Vec<ClothMark>,
    /// What lies on the floor beside the table.
    pub floor_things: Vec<FloorThing>,
}

/// A mark on the cloth: a round sticker, or a smudge of chalk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClothMark {
    /// Metres in table space.
    pub center_in_table: DVec2,
    /// Greatest reach, metres.
    pub radius: f64,
    /// A smudge's width by its length, 0 to 1; `None`: a round sticker with a sharp edge.
    pub smudge: Option<f64>,
    /// Direction of a smudge, radians.
    pub turn: f64,
    /// sRGB.
    pub color: [u8; 3],
    /// How much it hides of the cloth in its middle, 0 to 1.
    pub strength: f32,
}

impl ClothMark {
    /// How much it hides of the cloth at a point, 0 to 1.
    pub(crate) fn strength_at(&self, point_in_table: DVec2, seed: u64) -> f32 {
        let offset = point_in_table - self.center_in_table;
        let Some(width) = self.smudge else {
            let is_inside = offset.length_squared() < self.radius * self.radius;
            return if is_inside { self.strength } else { 0.0 };
        };
        let (sin, cos) = libm::sincos(self.turn);
        let at = DVec2::new(cos, -sin).rotate(offset) / DVec2::new(self.radius, width * self.radius);
        // Dust has no edge, and more of it lies here than there.
        let left = (1.0 - at.length_squared()).max(0.0) as f32;
        let patches = value_noise(point_in_table / 0.006, seed) + value_noise(point_in_table / 0.015, seed);
        self.strength * left * left * (0.5 + 0.5 * patches).clamp(0.0, 1.0)
    }
}

/// A flat thing beside the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FloorThing {
    /// Metres in table space, on the floor.
    pub center_in_table: DVec2,
    /// Half its extent along its own axes, metres.
    pub half_size: DVec2,
    /// Radians.
    pub turn: f64,
    /// An ellipse, or else a rectangle.
    pub is_round: bool,
    /// sRGB.
    pub color: [u8; 3],
}

impl FloorThing {
    /// Whether a point of the floor lies under it.
    pub(crate) fn contains(&self, point_in_table: DVec2) -> bool {
        let (sin, cos) = libm::sincos(self.turn);
        let at = DVec2::new(cos, -sin).rotate(point_in_table - self.center_in_table) / self.half_size;
        if self.is_round {
            at.length_squared() <= 1.0
        } else {
            at.abs().max_element() <= 1.0
        }
    }
}

/// Lighter than the ball of the same colour, as cloths are.
const CLOTHS: [[u8; 3]; 8] = [
    [30, 132, 82],
    [38, 132, 110],
    [16, 104, 186],
    [52, 128, 178],
    [20, 156, 136],
    [112, 120, 122],
    [164, 46, 56],
    [94, 128, 110],
];

const WOODS: [[u8; 3]; 6] = [
    [96, 52, 32],
    [128, 76, 44],
    [44, 42, 44],
    [86, 30, 30],
    [66, 44, 34],
    [150, 104, 64],
];

const FLOORS: [[u8; 3]; 5] = [
    [92, 86, 84],
    [60, 58, 64],
    [112, 92, 74],
    [44, 54, 66],
    [120, 112, 108],
];

impl Look {
    /// Green cloth, brown wood, three lamps, no noise and nothing printed on the cloth: for pictures that are to be
    /// understood rather than to be hard.
    pub fn plain() -> Self {
        Self {
            cloth: CLOTHS[0],
            wood: WOODS[0],
            rim: [28, 26, 26],
            casting: None,
            floor: FLOORS[0],
            sights: Sights::Dots,
            has_markings: false,
            has_spotted_cue_ball: false,
            lamps: row_of_lamps(3, 1.0, 1.5, 0.0, 0.7),
            light: [1.0; 3],
            vignetting: 0.1,
            cloth_texture: 0.0,
            noise: 0.0,
            exposure_secs: 0.0,
            softness: 0.0,
            marks: Vec::new(),
            floor_things: Vec::new(),
        }
    }

    /// A hall as one meets it.
    pub fn random(game: Game, table: &TableModel, random: &mut Random) -> Self {
        let mut pick = |choices: &[[u8; 3]]| {
            let shade = random.between(0.94, 1.06);
            choices[random.below(choices.len())].map(|c| (f64::from(c) * shade).min(255.0) as u8)
        };
        let cloth = match game {
            // Snooker is played on green only; carom nearly always on blue.
            Game::Snooker => pick(&[CLOTHS[0], CLOTHS[1], CLOTHS[7]]),
            Game::Carom => pick(&[CLOTHS[2], CLOTHS[3]]),
            Game::EightBall | Game::NineBall => pick(&CLOTHS),
        };
        let (wood, floor) = (pick(&WOODS), pick(&FLOORS));
        let casting = match random.below(4) {
            0 => Some([150, 152, 156]),
            1 => Some([36, 36, 40]),
            _ => None,
        };
        let sights = match game {
            Game::Snooker => Sights::None,
            _ if random.chance(0.5) => Sights::Diamonds,
            _ => Sights::Dots,
        };
        let count = 2 + random.below(3);
        let reach = random.between(0.55, 0.95) * 0.5 * table.shape.length;
        let height = random.between(1.2, 2.0);
        let aside = random.between(-0.35, 0.35);
        let share = random.between(0.6, 0.78);
        let warmth = random.between(-0.05, 0.07) as f32;
        Self {
            cloth,
            wood,
            rim: [30, 28, 28],
            casting,
            floor,
            sights,
            has_markings: true,
            has_spotted_cue_ball: random.chance(0.3),
            lamps: row_of_lamps(count, reach, height, aside, share),
            light: [1.0 + warmth, 1.0, 1.0 - warmth],
            vignetting: random.between(0.06, 0.2),
            cloth_texture: random.between(0.012, 0.025),
            noise: random.between(1.4, 2.6),
            exposure_secs: 0.002,
            softness: 0.0,
            marks: Vec::new(),
            floor_things: Vec::new(),
        }
    }

    /// Light that falls on a horizontal surface at a point, 1 in the middle of the bed.
    ///
    /// Each lamp by the inverse square of its distance, the cosine at the surface and the cosine at the lamp.
    pub(crate) fn irradiance(&self, point_in_table: DVec3) -> f32 {
        let lamps: f64 = self
            .lamps
            .iter()
            .map(|lamp| lamp.share * lamp.falloff(point_in_table))
            .sum();
        (self.ambient_share() + lamps) as f32
    }

    /// Share of the light that comes evenly from everywhere.
    pub(crate) fn ambient_share(&self) -> f64 {
        1.0 - self.lamps.iter().map(|lamp| lamp.share).sum::<f64>()
    }

    /// A colour as light, under this hall's light.
    pub(crate) fn lit(&self, srgb: [u8; 3]) -> Linear {
        times(linear(srgb), self.light)
    }
}

impl Lamp {
    /// Light on a horizontal surface at a point, relative to the middle of the bed.
    pub(crate) fn falloff(&self, point_in_table: DVec3) -> f64 {
        let strength = |point: DVec3| {
            let to_lamp = self.position - point;
            // Cosine squared by distance squared.
            let share = to_lamp.z.max(0.0) / to_lamp.length_squared();
            share * share
        };
        strength(point_in_table) / strength(DVec3::ZERO)
    }
}

/// Lamps in a row along x from −`reach` to `reach`, `aside` metres off the axis, that give `share` of the light.
pub(crate) fn row_of_lamps(count: usize, reach: f64, height: f64, aside: f64, share: f64) -> Vec<Lamp> {
    let at = |i: usize| reach * (2.0 * i as f64 / (count.max(2) - 1) as f64 - 1.0);
    (0..count)
        .map(|i| Lamp {
            position: DVec2::new(at(i), aside).extend(height),
            radius: 0.09,
            share: share / count as f64,
        })
        .collect()
}
