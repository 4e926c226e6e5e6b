//! Finding the table in one frame with no help.
//!
//! Coarse to fine: the area of cloth on a grid of some 256 cells ([`area`]), then the cushion noses along its four
//! sides ([`cushions`]), pockets and ball size.

mod area;
mod ball_size;
mod cushions;
pub(crate) mod line;
mod pockets;

use ghostball_world::{Planes, TableSighting};

use cushions::Noses;

use crate::TableNotFound;
use crate::cloth::ClothModel;
use crate::quad::Quad;

/// Pixels both ways below which no table is looked for: balls would be smaller than 2 pixels.
const LEAST_SIZE: usize = 96;
/// Length by width that an outline of noses may have, whatever the perspective.
const ASPECT: std::ops::Range<f64> = 1.5..2.7;
/// Areas of cloth tried before the best is taken.
const MOST_AREAS: usize = 3;
/// Rounds per area: the noses found in one make a better outline for the next.
const ROUNDS: usize = 2;
/// Noses and pockets seen so well that nothing else is tried.
const SURE: f64 = 0.8;

/// Finds the table in a frame. Holds buffers that are used again.
#[derive(Clone, Debug, Default)]
pub struct TableFinder {
    areas: area::AreaFinder,
    cushions: cushions::CushionFinder,
    cloth: ClothModel,
    balls: ball_size::BallSizer,
}

impl TableFinder {
    /// A finder without buffers yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Finds the table in one frame: the playing surface between the noses, the pockets, the size of a ball.
    pub fn find(&mut self, planes: &Planes) -> Result<TableSighting, TableNotFound> {
        let (width, height) = (planes.luma.width, planes.luma.height);
        if width.min(height) < LEAST_SIZE {
            return Err(TableNotFound::PictureTooSmall {
                expected: LEAST_SIZE,
                width,
                height,
            });
        }
        let no_cushions = |found| TableNotFound::NoCushions { found };
        let areas = self.areas.find(planes)?;
        let mut best: Option<Noses> = None;
        for area in areas.iter().take(MOST_AREAS) {
            let mut outline = area.outline;
            for _ in 0..ROUNDS {
                let Some(noses) = self.cushions.find(planes, &outline, &area.shade) else {
                    break;
                };
                outline = noses.cloth;
                if best.is_none_or(|best| noses.score > best.score) {
                    best = Some(noses);
                }
                if noses.confidence >= SURE {
                    break;
                }
            }
            if best.is_some_and(|best| best.confidence >= SURE) {
                break;
            }
        }
        let Some(noses) = best else {
            return Err(no_cushions(aspect_of(&areas[0].outline)));
        };
        let aspect = aspect_of(&noses.quad);
        if !ASPECT.contains(&aspect) {
            return Err(no_cushions(aspect));
        }
        let quad = noses.quad;
        let map = pockets::image_from_halves(&quad).ok_or_else(|| no_cushions(aspect))?;
        self.cloth.learn(planes, &quad.corners);
        let (ball_radius_px, _) = self.balls.measure(planes, &quad, &map, &self.cloth);
        Ok(TableSighting {
            corners_in_image: quad.corners,
            pockets_in_image: pockets::usual(&quad).map(|p| p.0).unwrap_or_default(),
            ball_radius_px,
            confidence: noses.confidence,
        })
    }
}

/// Length by width: the mean of the longer pair of sides by that of the shorter.
fn aspect_of(quad: &Quad) -> f64 {
    let [a, b, c, d] = quad.corners;
    let (across, down) = (a.distance(b) + d.distance(c), a.distance(d) + b.distance(c));
    across.max(down) / across.min(down)
}
