//! A small patch of picture in which something is drawn before it is laid over the canvas.

use core::ops::Range;

use crate::canvas::{Canvas, to_byte};

/// Colours weighted by coverage. Aligned to even pixels, so that it holds whole chroma samples.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tile {
    /// Left edge, even.
    pub left: usize,
    /// Top edge, even.
    pub top: usize,
    /// Even.
    pub width: usize,
    /// Even.
    pub height: usize,
    /// Coverage 0 to 1, then Y, U, V times coverage.
    samples: Vec<[f32; 4]>,
}

impl Tile {
    /// An empty tile over the pixels from `low` to `high` (inclusive), as far as they lie in the canvas.
    /// `false`: none of them does.
    pub fn cover(&mut self, canvas: &Canvas, low: [f64; 2], high: [f64; 2]) -> bool {
        let columns = span(low[0], high[0], canvas.width);
        let rows = span(low[1], high[1], canvas.height);
        if columns.is_empty() || rows.is_empty() {
            return false;
        }
        (self.left, self.top) = (columns.start, rows.start);
        (self.width, self.height) = (columns.len(), rows.len());
        self.samples.clear();
        self.samples.resize(self.width * self.height, [0.0; 4]);
        true
    }

    /// Samples of one row, from its left edge.
    pub fn row(&mut self, y: usize) -> &mut [[f32; 4]] {
        let start = (y - self.top) * self.width;
        &mut self.samples[start..start + self.width]
    }

    /// Weakens it to what a mask of the whole canvas lets through, 0 to 255.
    pub fn mask(&mut self, mask: &[u8], canvas_width: usize) {
        for y in 0..self.height {
            let through = &mask[(self.top + y) * canvas_width + self.left..][..self.width];
            let samples = &mut self.samples[y * self.width..(y + 1) * self.width];
            for (sample, through) in samples.iter_mut().zip(through) {
                *sample = sample.map(|value| value * f32::from(*through) / 255.0);
            }
        }
    }

    /// Lays the tile over the canvas.
    pub fn blend(&self, canvas: &mut Canvas) {
        let chroma_width = canvas.width / 2;
        for y in (0..self.height).step_by(2) {
            for x in (0..self.width).step_by(2) {
                let mut sum = [0.0_f32; 4];
                for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                    let sample = &self.samples[(y + dy) * self.width + x + dx];
                    if sample[0] > 0.0 {
                        let at = (self.top + y + dy) * canvas.width + self.left + x + dx;
                        let below = f32::from(canvas.luma[at]);
                        canvas.luma[at] = to_byte(below * (1.0 - sample[0]) + sample[1]);
                        for (sum, sample) in sum.iter_mut().zip(sample) {
                            *sum += 0.25 * sample;
                        }
                    }
                }
                if sum[0] > 0.0 {
                    let at = (self.top + y) / 2 * chroma_width + (self.left + x) / 2;
                    let over = |below: u8, value: f32| to_byte(f32::from(below) * (1.0 - sum[0]) + value);
                    canvas.u[at] = over(canvas.u[at], sum[2]);
                    canvas.v[at] = over(canvas.v[at], sum[3]);
                }
            }
        }
    }
}

/// Pixels from `low` to `high` within 0..`limit` (an even number), widened to even ends. Any number is good for `low` and
/// `high`: infinite ones are cut at the limits, and NaN counts as 0.
pub(crate) fn span(low: f64, high: f64, limit: usize) -> Range<usize> {
    let cut = |value: f64| value.max(0.0).min(limit as f64);
    let start = (cut(low) as usize) & !1;
    let end = (cut(high).ceil() as usize + 1).next_multiple_of(2).min(limit);
    start..end.max(start)
}
