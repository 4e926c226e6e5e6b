//! The part of a picture that holds the table, reduced so that every ball is about as many pixels wide.

use ghostball_world::{Plane, Planes};

use super::place::BallPlace;

/// The reduced ball's radius is at least this many pixels (while the picture itself has that many): enough for its rim
/// to give a direction, few enough for speed.
const LEAST_RADIUS: f64 = 6.0;

/// A reduced copy of the picture round the table: Y, U and V, each pixel the mean (Y) or the middle (U, V) of a square.
#[derive(Clone, Debug, Default)]
pub struct WorkPicture {
    /// Pixels of the picture per pixel here.
    pub scale: usize,
    /// Which picture pixel the first pixel here starts at.
    pub origin: [usize; 2],
    /// Pixels per row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Y, U, V; the latter two empty for a grey picture.
    pub planes: [Vec<u8>; 3],
}

impl WorkPicture {
    /// For pictures of this size with balls at this place.
    pub fn new(place: &BallPlace, [width, height]: [usize; 2]) -> Self {
        let radius = place.radius_at_middle();
        let (least, most) = place.quad().bounds();
        let usable = least.is_finite() && most.is_finite() && radius.is_finite() && radius >= 1.0;
        if !usable {
            return Self {
                scale: 1,
                ..Self::default()
            };
        }
        let margin = 1.5 * radius;
        // Even, so that halved chroma lines up.
        let first = |v: f64| (v - margin).max(0.0) as usize & !1;
        let last = |v: f64, count: usize| ((v + margin).max(0.0) as usize).min(count);
        let scale = ((radius / LEAST_RADIUS) as usize).max(1);
        let origin = [first(least.x), first(least.y)];
        Self {
            scale,
            origin,
            width: last(most.x, width).saturating_sub(origin[0]) / scale,
            height: last(most.y, height).saturating_sub(origin[1]) / scale,
            planes: Default::default(),
        }
    }

    /// Fills it from a picture of the size it was made for.
    pub fn fill(&mut self, planes: &Planes) {
        let (w, h, s) = (self.width, self.height, self.scale);
        let [x0, y0] = self.origin;
        let [luma, us, vs] = &mut self.planes;
        luma.resize(w * h, 0);
        for (row, out) in luma.chunks_exact_mut(w.max(1)).enumerate() {
            reduce_row(&planes.luma, x0, y0 + row * s, s, out);
        }
        let Some(chroma) = planes.chroma else {
            us.clear();
            vs.clear();
            return;
        };
        for (plane, out) in [(chroma.u, us), (chroma.v, vs)] {
            out.resize(w * h, 0);
            for (row, out) in out.chunks_exact_mut(w.max(1)).enumerate() {
                let y = (y0 + row * s + s / 2) >> chroma.shift_y;
                let line = &plane.samples[y * plane.stride..];
                if s == 2 && chroma.shift_x == 1 && plane.step == 1 {
                    out.copy_from_slice(&line[x0 / 2..][..w]);
                } else {
                    for (column, out) in out.iter_mut().enumerate() {
                        *out = line[((x0 + column * s + s / 2) >> chroma.shift_x) * plane.step];
                    }
                }
            }
        }
    }

    /// Whether it has colour.
    pub fn has_chroma(&self) -> bool {
        !self.planes[1].is_empty()
    }

    /// Where the middle of pixel (x, y) lies in the picture.
    pub fn in_image(&self, x: f64, y: f64) -> [f64; 2] {
        let s = self.scale as f64;
        [
            self.origin[0] as f64 + (x + 0.5) * s - 0.5,
            self.origin[1] as f64 + (y + 0.5) * s - 0.5,
        ]
    }
}

/// Means of squares of `s` pixels, from row `y` and column `x0` on.
fn reduce_row(plane: &Plane, x0: usize, y: usize, s: usize, out: &mut [u8]) {
    let step = plane.step;
    let line = |dy: usize| &plane.samples[(y + dy) * plane.stride + x0 * step..];
    match (s, step) {
        (1, 1) => out.copy_from_slice(&line(0)[..out.len()]),
        (2, 1) => {
            let (a, b) = (line(0).chunks_exact(2), line(1).chunks_exact(2));
            // Pairs as 16-bit words: what the compiler turns into vector instructions.
            let sum_of = |pair: &[u8]| {
                let word = u16::from_le_bytes([pair[0], pair[1]]);
                (word & 0xff) + (word >> 8)
            };
            for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
                *out = ((sum_of(a) + sum_of(b) + 2) / 4) as u8;
            }
        }
        _ => {
            let count = (s * s) as u32;
            for (column, out) in out.iter_mut().enumerate() {
                let mut sum = count / 2;
                for dy in 0..s {
                    let line = line(dy);
                    for dx in 0..s {
                        sum += u32::from(line[(column * s + dx) * step]);
                    }
                }
                *out = (sum / count) as u8;
            }
        }
    }
}
