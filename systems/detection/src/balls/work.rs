//! The part of a picture that holds the table, reduced so that every ball is about as many pixels wide.

use ghostball_world::{Plane, Planes};
use glam::DVec2;

use super::place::BallPlace;

/// The reduced ball's radius is at least this many pixels (while the picture itself has that many): enough for its rim
/// to give a direction, few enough for speed.
const LEAST_RADIUS: f64 = 6.0;

/// Sums of so many samples fit 16 bits.
const MOST_SCALE: usize = 256;
/// Vector instructions take so many bytes at most. Without its outermost pixels, which have no neighbours, a row is a
/// multiple of that long.
pub(super) const LANES: usize = 32;

/// A reduced copy of the picture round the table: Y, U and V, each pixel the mean (Y) or the middle (U, V) of a square.
#[derive(Clone, Debug, Default)]
pub struct WorkPicture {
    /// Pixels of the picture per pixel here.
    pub scale: usize,
    /// Which picture pixel the first pixel here starts at.
    pub origin: [usize; 2],
    /// Pixels per row; those beyond the picture repeat its last one.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Of these, pixels that show the picture.
    filled: usize,
    lines: [Vec<u8>; 2],
    sums: Vec<u16>,
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
        let scale = ((radius / LEAST_RADIUS) as usize).clamp(1, MOST_SCALE);
        let origin = [first(least.x), first(least.y)];
        let filled = last(most.x, width).saturating_sub(origin[0]) / scale;
        Self {
            scale,
            origin,
            filled,
            lines: Default::default(),
            sums: Vec::new(),
            width: filled.saturating_sub(2).next_multiple_of(LANES) + 2,
            height: last(most.y, height).saturating_sub(origin[1]) / scale,
            planes: Default::default(),
        }
    }

    /// Fills it from a picture of the size it was made for.
    pub fn fill(&mut self, planes: &Planes) {
        fill(self, planes);
    }

    /// Whether it has colour.
    pub fn has_chroma(&self) -> bool {
        !self.planes[1].is_empty()
    }

    /// Its planes: Y, U and V, or Y alone.
    pub fn channels(&self) -> &[Vec<u8>] {
        &self.planes[..if self.has_chroma() { 3 } else { 1 }]
    }

    /// Where the middle of pixel (x, y) lies in the picture.
    pub fn in_image(&self, x: f64, y: f64) -> [f64; 2] {
        let s = self.scale as f64;
        [
            self.origin[0] as f64 + (x + 0.5) * s - 0.5,
            self.origin[1] as f64 + (y + 0.5) * s - 0.5,
        ]
    }

    /// Which place here shows a place in the picture.
    pub fn from_image(&self, p: DVec2) -> [f64; 2] {
        let s = self.scale as f64;
        [
            (p.x + 0.5 - self.origin[0] as f64) / s - 0.5,
            (p.y + 0.5 - self.origin[1] as f64) / s - 0.5,
        ]
    }
}

#[multiversion::multiversion(targets("x86_64+avx2"))]
fn fill(work: &mut WorkPicture, planes: &Planes) {
    let (w, h, s, filled) = (work.width, work.height, work.scale, work.filled);
    let [x0, y0] = work.origin;
    if filled == 0 {
        return;
    }
    let [luma, us, vs] = &mut work.planes;
    luma.resize(w * h, 0);
    for (row, out) in luma.chunks_exact_mut(w).enumerate() {
        let (out, beyond) = out.split_at_mut(filled);
        let part = Part {
            plane: &planes.luma,
            x: x0,
            y: y0 + row * s,
            width: filled * s,
        };
        match s {
            1 => out.copy_from_slice(part.line(0, &mut work.lines[0])),
            2 => part.halve(&mut work.lines, out),
            _ => part.reduce(s, &mut work.lines[0], &mut work.sums, out),
        }
        beyond.fill(out.last().copied().unwrap_or_default());
    }
    let Some(chroma) = planes.chroma else {
        us.clear();
        vs.clear();
        return;
    };
    for (plane, out) in [(chroma.u, us), (chroma.v, vs)] {
        out.resize(w * h, 0);
        for (row, out) in out.chunks_exact_mut(w).enumerate() {
            let (out, beyond) = out.split_at_mut(filled);
            let part = Part {
                plane: &plane,
                x: x0 >> chroma.shift_x,
                y: (y0 + row * s + s / 2) >> chroma.shift_y,
                width: (filled * s).div_ceil(1 << chroma.shift_x),
            };
            let line = part.line(0, &mut work.lines[0]);
            match chroma.shift_x {
                1 => pick_halved(s, line, out),
                _ => pick_every(s, s / 2, line, out),
            }
            beyond.fill(out.last().copied().unwrap_or_default());
        }
    }
}

/// The part of a plane that a row of the work picture shows, from its upper left on.
struct Part<'a> {
    plane: &'a Plane<'a>,
    x: usize,
    y: usize,
    width: usize,
}

impl<'a> Part<'a> {
    /// A row of it, without what lies between its samples.
    #[inline(always)]
    fn line<'b>(&self, row: usize, buffer: &'b mut Vec<u8>) -> &'b [u8]
    where
        'a: 'b,
    {
        let step = self.plane.step;
        let line = &self.plane.samples[(self.y + row) * self.plane.stride + self.x * step..];
        if step == 1 {
            return &line[..self.width];
        }
        buffer.resize(self.width, 0);
        pick_every(step, 0, line, buffer);
        buffer
    }

    /// Means of squares of two by two.
    #[inline(always)]
    fn halve(&self, [a, b]: &mut [Vec<u8>; 2], out: &mut [u8]) {
        let (a, b) = (self.line(0, a), self.line(1, b));
        // Columns are rounded up and rows down.
        let mean = |a: u8, b: u8| (u16::from(a) + u16::from(b) + 1) >> 1;
        let pairs = a.as_chunks::<2>().0.iter().zip(b.as_chunks::<2>().0);
        for (out, ([a, b], [c, d])) in out.iter_mut().zip(pairs) {
            *out = ((mean(*a, *c) + mean(*b, *d)) >> 1) as u8;
        }
    }

    /// Means of squares of `s` by `s`.
    #[inline(always)]
    fn reduce(&self, s: usize, buffer: &mut Vec<u8>, sums: &mut Vec<u16>, out: &mut [u8]) {
        sums.clear();
        sums.resize(self.width, 0);
        for row in 0..s {
            for (sum, sample) in sums.iter_mut().zip(self.line(row, buffer)) {
                *sum += u16::from(*sample);
            }
        }
        match s {
            3 => means::<3>(sums, out),
            4 => means::<4>(sums, out),
            5 => means::<5>(sums, out),
            _ => {
                for (sums, out) in sums.chunks_exact(s).zip(out) {
                    let sum: u32 = sums.iter().map(|sum| u32::from(*sum)).sum();
                    *out = (sum / (s * s) as u32) as u8;
                }
            }
        }
    }
}

/// Means of squares, by the sums of their columns.
#[inline(always)]
fn means<const S: usize>(sums: &[u16], out: &mut [u8]) {
    for (sums, out) in sums.as_chunks::<S>().0.iter().zip(out) {
        let sum: u32 = sums.iter().map(|sum| u32::from(*sum)).sum();
        *out = (sum / (S * S) as u32) as u8;
    }
}

/// Every how manieth sample, from `first` on.
#[inline(always)]
fn pick_every(step: usize, first: usize, line: &[u8], out: &mut [u8]) {
    match step {
        1 => out.copy_from_slice(&line[first..][..out.len()]),
        2 => pick::<2>(first, line, out),
        3 => pick::<3>(first, line, out),
        4 => pick::<4>(first, line, out),
        _ => {
            for (sample, out) in line[first..].iter().step_by(step).zip(out) {
                *out = *sample;
            }
        }
    }
}

#[inline(always)]
fn pick<const STEP: usize>(first: usize, line: &[u8], out: &mut [u8]) {
    let (groups, rest) = line[first..].as_chunks::<STEP>();
    let last = rest.first().copied();
    for (sample, out) in groups.iter().map(|group| group[0]).chain(last).zip(out) {
        *out = sample;
    }
}

/// The samples in the middle of every `s` pixels, where two pixels share one.
#[inline(always)]
fn pick_halved(s: usize, line: &[u8], out: &mut [u8]) {
    match s {
        _ if s.is_multiple_of(2) => pick_every(s / 2, s / 4, line, out),
        1 => pick_pairs::<1>(line, out),
        3 => pick_pairs::<3>(line, out),
        5 => pick_pairs::<5>(line, out),
        _ => {
            for (column, out) in out.iter_mut().enumerate() {
                *out = line[(column * s + s / 2) >> 1];
            }
        }
    }
}

/// The same for an odd number.
#[inline(always)]
fn pick_pairs<const S: usize>(line: &[u8], out: &mut [u8]) {
    let (pairs, rest) = out.as_chunks_mut::<2>();
    let count = 2 * pairs.len();
    for (out, samples) in pairs.iter_mut().zip(line.as_chunks::<S>().0) {
        *out = [samples[S / 4], samples[(S + S / 2) / 2]];
    }
    if let [out] = rest {
        *out = line[(count * S + S / 2) >> 1];
    }
}

#[cfg(test)]
mod tests {
    use ghostball_world::{CircleInImage, ColorEncoding, Picture, PixelFormat, TableSighting};
    use glam::DVec2;

    use super::*;

    #[test]
    fn a_pixel_is_the_mean_of_its_square_and_the_middle_of_its_colour_at_every_scale() {
        let (width, height) = (640_usize, 320_usize);
        // No two neighbours alike, in any plane, and colour for every second pixel.
        let samples: Vec<u8> = (0..width * height * 3 / 2)
            .map(|i| (i * 89 % 251) as u8)
            .collect();
        for format in [PixelFormat::Yuv420, PixelFormat::Nv12] {
            let picture = Picture::new(
                format,
                width as u32,
                height as u32,
                ColorEncoding::default(),
                samples.clone(),
            )
            .unwrap();
            let planes = picture.planes().unwrap();
            let chroma = planes.chroma.unwrap();
            for radius in [6.5, 13.0, 19.0, 25.0, 31.0, 37.0, 45.0] {
                let table = TableSighting {
                    corners_in_image: [[70.0, 60.0], [570.0, 60.0], [570.0, 260.0], [70.0, 260.0]]
                        .map(DVec2::from),
                    pockets_in_image: [CircleInImage::default(); 6],
                    ball_radius_px: radius,
                    lens: None,
                    confidence: 1.0,
                };
                let mut work = WorkPicture::new(&BallPlace::new(&table), [width, height]);
                work.fill(&planes);
                let s = work.scale;
                assert_eq!(s, (radius / LEAST_RADIUS) as usize);
                for (row, column) in (0..work.height).flat_map(|y| (0..work.filled).map(move |x| (y, x))) {
                    let (x, y) = (work.origin[0] + column * s, work.origin[1] + row * s);
                    let square = (0..s * s).map(|i| f64::from(planes.luma.at(x + i % s, y + i / s)));
                    let mean = square.sum::<f64>() / (s * s) as f64;
                    let at = row * work.width + column;
                    assert!(
                        (f64::from(work.planes[0][at]) - mean).abs() <= 1.0,
                        "{s} {row} {column}"
                    );
                    for (plane, seen) in [chroma.u, chroma.v].iter().zip(&work.planes[1..]) {
                        assert_eq!(
                            seen[at],
                            plane.at((x + s / 2) >> 1, (y + s / 2) >> 1),
                            "{s} {row} {column}"
                        );
                    }
                }
            }
        }
    }
}
