//! Everything that stands still, rendered once per camera: bed, cushions, rails, pockets, floor.

use glam::{DVec2, DVec3};

use crate::camera::Camera;
use crate::canvas::Canvas;
use crate::color::Encoder;
use crate::look::Look;
use crate::painter::{BED, BareBed, FINE, Painter};
use crate::table_model::TableModel;

/// Side of the blocks of bare cloth, pixels.
const BLOCK: usize = 8;

/// The picture of an empty table.
#[derive(Clone, Debug)]
pub(crate) struct Background {
    /// Without noise.
    pub canvas: Canvas,
    /// Per luma sample, share of the bed's cloth in it, 0 to 255: where shadows of balls fall.
    pub bed: Vec<u8>,
    /// Likewise of pockets: where potted balls are seen.
    pub holes: Vec<u8>,
}

impl Background {
    /// Renders the empty table.
    pub fn new(
        table: &TableModel,
        look: &Look,
        camera: &Camera,
        encoder: &Encoder,
        seed: u64,
        width: usize,
        height: usize,
    ) -> Self {
        let painter = Painter::new(table, look, camera, seed, width, height);
        let mut classes = vec![0_u8; width * height];
        let mut colors = vec![[0.0; 3]; width * height];
        let (mut bed, mut holes) = (vec![0; width * height], vec![0; width * height]);
        let columns = width.div_ceil(BLOCK) + 1;
        let corners = |row: usize| -> Vec<Corner> {
            let at = |column: usize| DVec2::new((column * BLOCK) as f64, (row * BLOCK) as f64);
            (0..columns)
                .map(|column| Corner::new(&painter, at(column)))
                .collect()
        };
        let mut upper = corners(0);
        for top in (0..height).step_by(BLOCK) {
            let lower = corners(top / BLOCK + 1);
            for left in (0..width).step_by(BLOCK) {
                let column = left / BLOCK;
                let block = Block([upper[column], upper[column + 1], lower[column], lower[column + 1]]);
                let bare = block.bare();
                for y in top..height.min(top + BLOCK) {
                    for x in left..width.min(left + BLOCK) {
                        let at = y * width + x;
                        let (right, down) = (x - left, y - top);
                        if let Some(bare) = &bare {
                            (classes[at], bed[at]) = (BED, 255);
                            let bare = joined(bare, right, down, BareBed::lerp);
                            colors[at] = painter.bare_bed_color(&bare, x as f64, y as f64);
                        } else {
                            let surface = painter.surface_along(block.ray(right, down));
                            classes[at] = surface.class();
                            bed[at] = if surface.is_bed() { 255 } else { 0 };
                            holes[at] = if surface.is_hole() { 255 } else { 0 };
                            colors[at] = painter.color(surface, x as f64, y as f64);
                        }
                    }
                }
            }
            upper = lower;
        }
        // Edges again, with sixteen rays per pixel.
        let is_edge = edges(&classes, width);
        for at in (0..width * height).filter(|at| is_edge[*at] || classes[*at] == FINE) {
            let (color, shares) = painter.supersampled(at % width, at / width);
            colors[at] = color;
            [bed[at], holes[at]] = shares.map(|share| (255.0 * share) as u8);
        }
        let mut canvas = Canvas::new(width, height);
        canvas.fill_from(|x, y| encoder.yuv(colors[y * width + x]));
        Self { canvas, bed, holes }
    }
}

/// A corner that four blocks of pixels share.
#[derive(Clone, Copy)]
struct Corner {
    ray: DVec3,
    bare: Option<BareBed>,
}

impl Corner {
    fn new(painter: &Painter, at: DVec2) -> Self {
        let ray = painter.ray(at);
        Self {
            ray,
            // As far as the opposite corner, and a pixel.
            bare: painter.bare_bed(ray, 1.5 * BLOCK as f64),
        }
    }
}

/// Pixels within which what varies slowly is joined linearly between the corners: upper left, upper right, lower left,
/// lower right. Directions are exact without a lens, and right to less than a hundredth of a pixel with one.
struct Block([Corner; 4]);

impl Block {
    /// Whether there is nothing but bare cloth, and how it is at the corners.
    fn bare(&self) -> Option<[BareBed; 4]> {
        let [a, b, c, d] = self.0.map(|corner| corner.bare);
        Some([a?, b?, c?, d?])
    }

    fn ray(&self, right: usize, down: usize) -> DVec3 {
        let lerp = |a: &DVec3, b: &DVec3, share: f32| a.lerp(*b, f64::from(share));
        joined(&self.0.map(|corner| corner.ray), right, down, lerp)
    }
}

fn joined<T>(corners: &[T; 4], right: usize, down: usize, lerp: impl Fn(&T, &T, f32) -> T) -> T {
    let [a, b, c, d] = corners;
    let [right, down] = [right, down].map(|pixels| pixels as f32 / BLOCK as f32);
    lerp(&lerp(a, c, down), &lerp(b, d, down), right)
}

/// Where the eight neighbours are not all of the same class.
fn edges(classes: &[u8], width: usize) -> Vec<bool> {
    // Least and greatest of three in a row, then of three such rows.
    let mut spans: Vec<[u8; 2]> = classes.iter().map(|class| [*class; 2]).collect();
    let join = |a: [u8; 2], b: [u8; 2]| [a[0].min(b[0]), a[1].max(b[1])];
    for (row, out) in classes.chunks_exact(width).zip(spans.chunks_exact_mut(width)) {
        for (x, pair) in row.windows(2).enumerate() {
            out[x] = join(out[x], [pair[1]; 2]);
            out[x + 1] = join(out[x + 1], [pair[0]; 2]);
        }
    }
    let rows: Vec<&[[u8; 2]]> = spans.chunks_exact(width).collect();
    let mut is_edge = Vec::with_capacity(classes.len());
    for y in 0..rows.len() {
        let (above, below) = (rows[y.saturating_sub(1)], rows[(y + 1).min(rows.len() - 1)]);
        for ((here, above), below) in rows[y].iter().zip(above).zip(below) {
            let [least, most] = join(join(*here, *above), *below);
            is_edge.push(least != most);
        }
    }
    is_edge
}
