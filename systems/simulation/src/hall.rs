//! Where a table stands and what watches it: everything that differs from hall to hall.

use glam::{DVec2, DVec3};

use crate::look::{FloorThing, row_of_lamps};
use crate::{CameraPose, ClothMark, Game, Lamp, Lens, Look, Random, Sights, TableModel};

/// A table in its light, and the camera above it.
#[derive(Clone, Debug, PartialEq)]
pub struct Hall {
    /// The table.
    pub table: TableModel,
    /// Cloth, wood, lamps and the camera's noise.
    pub look: Look,
    /// How the camera hangs, and its lens.
    pub pose: CameraPose,
}

/// Playing surface (length, width) and radius of a ball, metres: nine, eight and seven feet, and a table for the home.
const POOL_TABLES: [[f64; 3]; 6] = [
    [2.54, 1.27, 0.028_575],
    [2.34, 1.17, 0.028_575],
    [2.24, 1.12, 0.028_575],
    [1.98, 0.99, 0.028_575],
    [1.88, 0.94, 0.028_575],
    [1.83, 0.915, 0.0254],
];
/// Twelve, ten and six feet.
const SNOOKER_TABLES: [[f64; 3]; 3] = [
    [3.569, 1.778, 0.026_25],
    [3.0, 1.5, 0.026_25],
    [1.88, 0.94, 0.026_15],
];
/// Match, half-match and small tables.
const CAROM_TABLES: [[f64; 3]; 3] = [
    [2.84, 1.42, 0.030_75],
    [2.54, 1.27, 0.030_75],
    [2.1, 1.05, 0.030_75],
];

impl Hall {
    /// A well-kept hall whose camera hangs straight above the table and has a good lens.
    pub fn well_kept(game: Game, seed: u64) -> Self {
        let table = TableModel::for_game(game);
        let mut random = Random::for_purpose(seed, 2);
        let look = Look::random(game, &table, &mut random);
        let pose = CameraPose::random(&mut random);
        Self { table, look, pose }
    }

    /// Any table under any light before any camera that one could meet: cloth, wood and pockets of all colours, dim and
    /// bright, warm and cold light from lamps, tubes and windows, things on the floor, a camera beside the middle with a
    /// cheap lens, noise and a picture that is soft or sharpened.
    pub fn random(game: Game, seed: u64) -> Self {
        let mut random = Random::for_purpose(seed, 4);
        let table = random_table(game, &mut random);
        let look = random_look(game, &table, &mut random);
        let pose = random_pose(&table, &mut random);
        let marks = random_marks(&table, &mut random);
        Self {
            table,
            look: Look { marks, ..look },
            pose,
        }
    }
}

/// Stickers on the spots, chalk dust, and burns where the cue ball was struck hard.
fn random_marks(table: &TableModel, random: &mut Random) -> Vec<ClothMark> {
    let half = table.half_size();
    let mut marks = Vec::new();
    if random.chance(0.3) {
        let color = if random.chance(0.5) {
            [14, 14, 16]
        } else {
            [225, 222, 214]
        };
        let radius = random.between(0.004, 0.0085);
        marks.extend([-0.5, 0.5].map(|share| ClothMark {
            center_in_table: DVec2::new(share * half.x, 0.0),
            radius,
            smudge: None,
            turn: 0.0,
            color,
            strength: 1.0,
        }));
    }
    for _ in 0..random.below(14) {
        let is_chalk = random.chance(0.6);
        let center_in_table = DVec2::new(random.between(-half.x, half.x), random.between(-half.y, half.y));
        let turn = random.between(0.0, core::f64::consts::TAU);
        marks.push(if is_chalk {
            ClothMark {
                center_in_table,
                radius: random.between(0.008, 0.04),
                smudge: Some(random.between(0.2, 0.8)),
                turn,
                color: [168, 190, 205],
                strength: random.between(0.1, 0.45) as f32,
            }
        } else {
            ClothMark {
                center_in_table,
                radius: random.between(0.0015, 0.004),
                smudge: None,
                turn,
                color: [215, 213, 205],
                strength: random.between(0.1, 0.6) as f32,
            }
        });
    }
    marks
}

fn random_table(game: Game, random: &mut Random) -> TableModel {
    let sizes: &[[f64; 3]] = match game {
        Game::EightBall | Game::NineBall => &POOL_TABLES,
        Game::Snooker => &SNOOKER_TABLES,
        Game::Carom => &CAROM_TABLES,
    };
    let [length, width, ball_radius] = sizes[random.below(sizes.len())];
    TableModel {
        rail_width: random.between(0.06, 0.15),
        ..TableModel::sized(game, length, width, ball_radius)
    }
}

/// An sRGB colour from hue (turns), saturation and value (0 to 1).
fn from_hsv(hue: f64, saturation: f64, value: f64) -> [u8; 3] {
    [5.0, 3.0, 1.0].map(|n| {
        let k = (n + 6.0 * (hue + 1.0)) % 6.0;
        let fall = k.min(4.0 - k).clamp(0.0, 1.0);
        (255.0 * value * (1.0 - saturation * fall)) as u8
    })
}

fn random_cloth(game: Game, random: &mut Random) -> [u8; 3] {
    let green = (0.28, 0.47);
    let blue = (0.53, 0.62);
    let hues = match game {
        Game::Snooker => [green, green, green, green, green, blue],
        Game::Carom => [blue, blue, blue, blue, green, (0.95, 1.01)],
        // Half green or blue; then red and burgundy, petrol, and whatever else is sold.
        Game::EightBall | Game::NineBall => [green, green, blue, blue, (0.95, 1.01), (0.0, 1.0)],
    };
    let (low, high) = hues[random.below(hues.len())];
    let hue = random.between(low, high);
    let is_grey = game != Game::Snooker && random.chance(0.15);
    let saturation = if is_grey {
        random.between(0.0, 0.14)
    } else {
        random.between(0.35, 0.95)
    };
    from_hsv(hue, saturation, random.between(0.26, 0.8))
}

fn random_look(game: Game, table: &TableModel, random: &mut Random) -> Look {
    let cloth = random_cloth(game, random);
    // Wood from nearly black over mahogany and oak to painted grey and white.
    let wood = match random.below(5) {
        0 => from_hsv(0.6, random.between(0.0, 0.1), random.between(0.08, 0.25)),
        1 => from_hsv(0.1, random.between(0.0, 0.12), random.between(0.5, 0.85)),
        _ => from_hsv(
            random.between(0.0, 0.1),
            random.between(0.3, 0.75),
            random.between(0.18, 0.65),
        ),
    };
    let rim = match random.below(3) {
        0 => from_hsv(0.07, random.between(0.3, 0.6), random.between(0.2, 0.5)),
        _ => from_hsv(0.0, 0.02, random.between(0.08, 0.22)),
    };
    let casting = match random.below(4) {
        0 => Some(from_hsv(0.6, 0.03, random.between(0.45, 0.85))),
        1 => Some(from_hsv(0.6, 0.03, random.between(0.1, 0.2))),
        _ => None,
    };
    let sights = match random.below(5) {
        0 => Sights::None,
        1 | 2 => Sights::Diamonds,
        _ => Sights::Dots,
    };
    let brightness = random.between(0.45, 1.15);
    let (warmth, tint) = (random.between(-0.16, 0.16), random.between(-0.05, 0.05));
    let floor = from_hsv(
        random.between(0.0, 1.0),
        random.between(0.0, 0.4),
        random.between(0.15, 0.75),
    );
    Look {
        cloth,
        wood,
        rim,
        casting,
        floor,
        sights,
        has_markings: game == Game::Snooker || random.chance(0.7),
        has_spotted_cue_ball: random.chance(0.3),
        lamps: random_lamps(table, random),
        light: [1.0 + warmth, 1.0 + tint, 1.0 - warmth].map(|c| (brightness * c) as f32),
        vignetting: random.between(0.0, 0.35),
        cloth_texture: random.between(0.008, 0.035),
        noise: random.between(0.7, 3.2),
        exposure_secs: random.between(0.0005, 0.004),
        softness: random.between(-0.1, 0.22),
        marks: Vec::new(),
        floor_things: random_floor_things(table, cloth, random),
    }
}

/// One of the ways in which halls are lit; at most seven lamps.
fn random_lamps(table: &TableModel, random: &mut Random) -> Vec<Lamp> {
    let half_length = 0.5 * table.shape.length;
    let share = random.between(0.3, 0.85);
    let aside = random.between(-0.5, 0.5);
    match random.below(4) {
        // Shades in a row over the table.
        0 => {
            let reach = random.between(0.4, 0.95) * half_length;
            row_of_lamps(2 + random.below(3), reach, random.between(0.8, 1.6), aside, share)
        }
        // A tube or a long box: many small lamps.
        1 => {
            let reach = random.between(0.5, 1.1) * half_length;
            row_of_lamps(7, reach, random.between(0.9, 2.2), aside, share)
        }
        // One lamp on the ceiling, and the window's light from one side.
        2 => {
            let turn = random.between(0.0, core::f64::consts::TAU);
            let (sin, cos) = libm::sincos(turn);
            let distance = random.between(2.0, 4.0);
            let ceiling = DVec3::new(random.between(-1.0, 1.0), aside, random.between(1.8, 3.0));
            vec![
                lamp(ceiling, random.between(0.05, 0.2), 0.6 * share),
                lamp(
                    DVec3::new(distance * cos, distance * sin, random.between(1.0, 2.0)),
                    random.between(0.3, 0.7),
                    0.3 * share,
                ),
            ]
        }
        // Ceiling lamps anywhere in the room.
        _ => {
            let count = 1 + random.below(4);
            (0..count)
                .map(|_| {
                    let at = DVec3::new(
                        random.between(-2.0, 2.0),
                        random.between(-1.5, 1.5),
                        random.between(1.5, 3.0),
                    );
                    lamp(at, random.between(0.05, 0.3), share / count as f64)
                })
                .collect()
        }
    }
}

fn lamp(position: DVec3, radius: f64, share: f64) -> Lamp {
    Lamp {
        position,
        radius,
        share,
    }
}

/// Chairs, bags, mats, and now and then another table of the same cloth.
fn random_floor_things(table: &TableModel, cloth: [u8; 3], random: &mut Random) -> Vec<FloorThing> {
    let outer = table.half_outer_size();
    (0..random.below(7))
        .map(|_| {
            let is_table = random.chance(0.12);
            let size = if is_table {
                DVec2::new(1.0, 0.5)
            } else {
                DVec2::new(random.between(0.08, 0.4), random.between(0.08, 0.4))
            };
            let around = if random.chance(0.5) {
                DVec2::new(random.between(-1.2, 1.2) * outer.x, outer.y + size.max_element())
            } else {
                DVec2::new(outer.x + size.max_element(), random.between(-1.2, 1.2) * outer.y)
            };
            let side = if random.chance(0.5) { 1.0 } else { -1.0 };
            FloorThing {
                center_in_table: side * (around + random.between(0.05, 0.5)),
                half_size: size,
                turn: random.between(-0.5, 0.5),
                is_round: !is_table && random.chance(0.4),
                color: if is_table {
                    cloth
                } else {
                    from_hsv(
                        random.between(0.0, 1.0),
                        random.between(0.0, 0.8),
                        random.between(0.05, 0.95),
                    )
                },
            }
        })
        .collect()
}

/// Above the bed (beyond it, noses would hide balls at the near rail), up to half a metre beside its middle.
fn random_pose(table: &TableModel, random: &mut Random) -> CameraPose {
    let half = table.half_size();
    // Half of the cameras are hung with care.
    let reach = if random.chance(0.5) {
        0.12
    } else {
        0.85 * half.y.min(0.65)
    };
    let mut spot = |reach: f64| DVec2::new(random.between(-reach, reach), random.between(-reach, reach));
    let offset_in_table = spot(reach);
    let looks_at_in_table = spot(0.08);
    let principal_offset = spot(0.012);
    CameraPose {
        focal_length: random.between(0.58, 1.3),
        offset_in_table,
        looks_at_in_table,
        roll: random.between(-0.05, 0.05),
        margin: random.between(-0.02, 0.09),
        lens: Lens {
            k1: random.between(-0.12, 0.03),
            principal_offset,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hues_are_where_they_belong() {
        assert_eq!(from_hsv(0.0, 1.0, 1.0), [255, 0, 0]);
        assert_eq!(from_hsv(1.0 / 3.0, 1.0, 1.0), [0, 255, 0]);
        assert_eq!(from_hsv(2.0 / 3.0, 1.0, 1.0), [0, 0, 255]);
        assert_eq!(from_hsv(0.4, 0.0, 0.5), [127; 3]);
    }

    #[test]
    fn the_noses_of_a_random_hall_are_in_the_picture() {
        for seed in 0..100 {
            let game = Game::ALL[seed as usize % 4];
            let hall = Hall::random(game, seed);
            let camera = crate::Camera::above(&hall.table, &hall.pose, 1280, 720);
            for corner in hall.table.corners_in_table() {
                let at = camera.project(corner.extend(hall.table.shape.cushion_height));
                assert!(
                    (4.0..1275.0).contains(&at.x) && (4.0..715.0).contains(&at.y),
                    "{seed} {at}"
                );
            }
        }
    }
}
