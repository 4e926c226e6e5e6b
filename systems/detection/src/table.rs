//! Finding the table in one frame with no help.
//!
//! Coarse to fine: the area of cloth on a grid of some 256 cells ([`area`]), then the cushion noses along its four
//! sides ([`cushions`]), pockets and ball size.

mod area;
mod cushions;
pub(crate) mod line;
mod pockets;

use ghostball_world::{Planes, TableSighting};

use crate::TableNotFound;
use crate::quad::Quad;

/// Pixels both ways below which no table is looked for: balls would be smaller than 2 pixels.
const LEAST_SIZE: usize = 96;
/// Length by width that an outline of noses may have, whatever the perspective.
const ASPECT: std::ops::Range<f64> = 1.5..2.7;

/// Finds the table in a frame. Holds buffers that are used again.
#[derive(Clone, Debug, Default)]
pub struct TableFinder {
    areas: area::AreaFinder,
    cushions: cushions::CushionFinder,
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
        let area = self.areas.find(planes)?;
        if std::env::var("DEBUG_TABLE").is_ok() {
            eprintln!("{area:?}");
        }
        let no_cushions = |found| TableNotFound::NoCushions { found };
        let noses = self
            .cushions
            .find(planes, &area)
            .ok_or_else(|| no_cushions(aspect_of(&area.outline)))?;
        let aspect = aspect_of(&noses.quad);
        if !ASPECT.contains(&aspect) {
            return Err(no_cushions(aspect));
        }
        let length_px = 0.5 * {
            let [a, b, c, d] = noses.quad.corners;
            (a.distance(b) + d.distance(c)).max(a.distance(d) + b.distance(c))
        };
        Ok(TableSighting {
            corners_in_image: noses.quad.corners,
            pockets_in_image: pockets::usual(&noses.quad).map(|p| p.0).unwrap_or_default(),
            ball_radius_px: 0.01125 * length_px,
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
