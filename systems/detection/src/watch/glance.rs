//! Whether the table still is where it was, at a glance: some two hundred places of the noses are remembered, and in each
//! frame the brightness across each is read again. It costs microseconds, a search for the table costs frames.

use ghostball_world::Planes;
use glam::DVec2;
use serde::{Deserialize, Serialize};

use crate::median::upper_median;
use crate::table::noses::steepest;

/// Places remembered per side: enough for a median that noise does not move by a tenth of a pixel.
const PLACES: usize = 50;
/// Least places for a side to tell anything.
const LEAST_PLACES: usize = 8;
/// Farthest that a nose is looked for from where it was, pixels.
const REACH_PX: f64 = 8.0;
/// How near the noses as found the edges are that are remembered.
const NEAR_PX: f64 = 2.0;
/// Edges less steep than this, values per pixel, drown in the noise of a frame (2 to 3 values) and are not remembered.
const LEAST_STEEPNESS: f32 = 2.0;
/// Share of its steepness that an edge keeps where it is seen again, blurred or in half the light.
const LEAST_KEPT: f32 = 0.3;
/// A nose is in its place when it is this near, pixels: less than what moves balls by a millimetre or two.
const IN_PLACE_PX: f64 = 1.0;
/// Share of a side's places that have to agree for the side to be in its place, or to have moved. Half may be hidden.
const LEAST_AGREEING: f64 = 0.4;
/// Share of them below which nothing is seen of a side.
const NOTHING: f64 = 0.25;
/// Brightness by that remembered beyond which the light is another one. Half the light is 0.73 in a camera's values;
/// what a person in the picture makes an automatic exposure do stays within.
const SAME_LIGHT: [f32; 2] = [0.8, 1.25];
/// Share by which the light remembered follows that of each frame: daylight changes over minutes.
const FOLLOWING: f32 = 0.005;

/// What a glance tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Glance {
    /// Nothing was remembered that could be compared.
    #[default]
    Nothing,
    /// The table is where it was, as far as it is seen.
    InPlace,
    /// Opposite noses are not where they were: moved, or hidden.
    Unsure,
    /// The picture moved, or nothing of the table is seen any more.
    Moved,
    /// The table is where it was, but all of it is much darker or brighter.
    Relit,
}

/// One place of a nose.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Place {
    along: f64,
    across: f64,
    /// Values per pixel, more than 0 where it gets brighter with `across`.
    steepness: f32,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Side {
    over_columns: bool,
    places: Vec<Place>,
    level: f32,
}

/// What was seen of one side, as shares of its places.
#[derive(Clone, Copy, Debug, Default)]
struct SeenSide {
    in_place: f64,
    /// How many are shifted alike.
    shifted: f64,
    level: f32,
}

/// The noses as remembered. Holds buffers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NoseMemory {
    sides: [Side; 4],
    #[serde(skip)]
    shifts: Vec<f64>,
}

impl NoseMemory {
    /// Forgets everything.
    pub fn clear(&mut self) {
        self.sides.iter_mut().for_each(|side| side.places.clear());
    }

    /// What this picture shows at the noses (see [`TableFinder::nose_points`](crate::TableFinder::nose_points)).
    pub fn of(planes: &Planes, noses_in_image: [&[DVec2]; 4]) -> Self {
        let mut memory = Self::default();
        for (side, points) in memory.sides.iter_mut().zip(noses_in_image) {
            let (Some(first), Some(last)) = (points.first(), points.last()) else {
                continue;
            };
            let way = *last - *first;
            let over_columns = way.x.abs() >= way.y.abs();
            let step = points.len().div_ceil(PLACES).max(1);
            let (mut level, mut places) = (0.0, Vec::with_capacity(PLACES));
            for point in points.iter().step_by(step) {
                let (along, across) = if over_columns {
                    (point.x, point.y)
                } else {
                    (point.y, point.x)
                };
                let rises = [1.0, -1.0].map(|sign| {
                    let edge = steepest(planes, over_columns, along, across, sign, NEAR_PX)?;
                    Some((edge.across, sign * edge.steepness, edge.level))
                });
                let steepness = |edge: &Option<(f64, f32, f32)>| edge.map_or(0.0, |edge| edge.1.abs());
                let stronger = if steepness(&rises[0]) >= steepness(&rises[1]) {
                    rises[0]
                } else {
                    rises[1]
                };
                if let Some((across, steepness, here)) = stronger
                    && steepness.abs() >= LEAST_STEEPNESS
                {
                    level += here;
                    places.push(Place {
                        along,
                        across,
                        steepness,
                    });
                }
            }
            level /= places.len().max(1) as f32;
            *side = Side {
                over_columns,
                places,
                level,
            };
        }
        memory
    }

    /// Remembers these noses, except sides that show much less than what is remembered: somebody hides them.
    pub fn learn(&mut self, seen: Self) {
        for (side, seen) in self.sides.iter_mut().zip(seen.sides) {
            if !seen.places.is_empty() && 2 * seen.places.len() >= side.places.len() {
                *side = seen;
            }
        }
    }

    /// Compares a picture of the same size with what is remembered.
    pub fn glance(&mut self, planes: &Planes) -> Glance {
        let mut seen = [None; 4];
        for (side, seen) in self.sides.iter().zip(&mut seen) {
            if side.places.len() >= LEAST_PLACES {
                *seen = Some(look_at(side, planes, &mut self.shifts));
            }
        }
        let count = |is: &dyn Fn(&SeenSide) -> bool| seen.iter().flatten().filter(|side| is(side)).count();
        let known = count(&|_| true);
        if known < 2 {
            return Glance::Nothing;
        }
        let shifted = count(&|side| side.shifted >= LEAST_AGREEING && side.in_place < NOTHING);
        let gone = count(&|side| side.in_place < NOTHING && side.shifted < LEAST_AGREEING);
        // A picture that moves across two noses moves both alike; one that moves far leaves nothing where it was.
        if shifted >= 2 || shifted + gone == known {
            return Glance::Moved;
        }
        if shifted + gone >= 2 {
            return Glance::Unsure;
        }
        let light_of = |i: usize| seen[i].map(|seen| seen.level / self.sides[i].level.max(1.0));
        let lights = || (0..4).filter_map(light_of);
        if lights().all(|light| light < SAME_LIGHT[0]) || lights().all(|light| light > SAME_LIGHT[1]) {
            return Glance::Relit;
        }
        for (side, seen) in self.sides.iter_mut().zip(seen) {
            if let Some(seen) = seen {
                side.level += FOLLOWING * (seen.level - side.level);
            }
        }
        Glance::InPlace
    }
}

fn look_at(side: &Side, planes: &Planes, shifts: &mut Vec<f64>) -> SeenSide {
    shifts.clear();
    let mut level = 0.0;
    for place in &side.places {
        let sign = place.steepness.signum();
        let edge = steepest(
            planes,
            side.over_columns,
            place.along,
            place.across,
            sign,
            REACH_PX,
        );
        if let Some(edge) = edge {
            level += edge.level;
            if edge.steepness >= LEAST_KEPT * place.steepness.abs() {
                shifts.push(edge.across - place.across);
            }
        } else {
            level += side.level;
        }
    }
    let count = side.places.len() as f64;
    let share = |of: f64, shifts: &[f64]| {
        shifts
            .iter()
            .filter(|shift| (**shift - of).abs() <= IN_PLACE_PX)
            .count() as f64
            / count
    };
    let usual = upper_median(shifts).unwrap_or(0.0);
    SeenSide {
        in_place: share(0.0, shifts),
        shifted: if usual.abs() > IN_PLACE_PX {
            share(usual, shifts)
        } else {
            0.0
        },
        level: level / count as f32,
    }
}
