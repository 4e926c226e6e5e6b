//! A picture in the making: planes of YUV 4:2:0 without noise, and the way out into a camera's format.

use ghostball_world::{ColorEncoding, Picture, PixelFormat};

use crate::{Random, SimulationError};

/// Full-range BT.601 planes, as [`PixelFormat::Yuv420`]. Width and height are even.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Canvas {
    pub width: usize,
    pub height: usize,
    pub luma: Vec<u8>,
    pub u: Vec<u8>,
    pub v: Vec<u8>,
}

impl Canvas {
    /// Black.
    pub fn new(width: usize, height: usize) -> Self {
        let chroma = vec![128; (width / 2) * (height / 2)];
        Self {
            width,
            height,
            luma: vec![0; width * height],
            u: chroma.clone(),
            v: chroma,
        }
    }

    /// Takes over another canvas of the same size.
    pub fn copy_from(&mut self, other: &Self) {
        self.luma.copy_from_slice(&other.luma);
        self.u.copy_from_slice(&other.u);
        self.v.copy_from_slice(&other.v);
    }

    /// Gives every pixel its Y, U, V; chroma is the mean of four pixels.
    pub fn fill_from(&mut self, yuv: impl Fn(usize, usize) -> [f32; 3]) {
        for cy in 0..self.height / 2 {
            for cx in 0..self.width / 2 {
                let (mut u_sum, mut v_sum) = (0.0, 0.0);
                for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                    let (x, y) = (2 * cx + dx, 2 * cy + dy);
                    let [luma, u, v] = yuv(x, y);
                    self.luma[y * self.width + x] = to_byte(luma);
                    u_sum += u;
                    v_sum += v;
                }
                let at = cy * (self.width / 2) + cx;
                self.u[at] = to_byte(0.25 * u_sum);
                self.v[at] = to_byte(0.25 * v_sum);
            }
        }
    }

    /// Gives every sample `softness` of the difference to each of its neighbours, along rows and then along columns.
    pub fn soften(&mut self, softness: f64, scratch: &mut Vec<u8>) {
        if softness == 0.0 {
            return;
        }
        let (w, h) = (self.width, self.height);
        soften_plane(&mut self.luma, w, h, softness as f32, scratch);
        soften_plane(&mut self.u, w / 2, h / 2, softness as f32, scratch);
        soften_plane(&mut self.v, w / 2, h / 2, softness as f32, scratch);
    }

    /// Writes the picture with noise, in any format. Without chroma noise where the format has no chroma.
    pub fn deliver(
        &self,
        noise: &SensorNoise,
        random: &mut Random,
        format: PixelFormat,
        picture: &mut Picture,
    ) -> Result<(), SimulationError> {
        let (w, h) = (self.width, self.height);
        let bytes = picture.reshape(format, w as u32, h as u32, ColorEncoding::default())?;
        let (cw, ch) = (w / 2, h / 2);
        match format {
            PixelFormat::Grey => noise.luma(&self.luma, bytes, w, random),
            PixelFormat::Yuv420 => {
                let (luma, chroma) = bytes.split_at_mut(w * h);
                let (us, vs) = chroma.split_at_mut(cw * ch);
                noise.luma(&self.luma, luma, w, random);
                noise.chroma(&self.u, us, cw, random);
                noise.chroma(&self.v, vs, cw, random);
            }
            PixelFormat::Nv12 => {
                let (luma, chroma) = bytes.split_at_mut(w * h);
                noise.luma(&self.luma, luma, w, random);
                for (cy, row) in chroma.chunks_exact_mut(w).enumerate() {
                    let range = cy * cw..(cy + 1) * cw;
                    let mut grain = [noise.chroma_row(cw, random), noise.chroma_row(cw, random)];
                    let samples = self.u[range.clone()].iter().zip(&self.v[range]);
                    for (out, (u, v)) in row.chunks_exact_mut(2).zip(samples) {
                        out[0] = grain[0].on(*u);
                        out[1] = grain[1].on(*v);
                    }
                }
            }
            PixelFormat::Yuyv => {
                for (y, row) in bytes.chunks_exact_mut(2 * w).enumerate() {
                    let luma = &self.luma[y * w..(y + 1) * w];
                    let range = (y / 2) * cw..(y / 2 + 1) * cw;
                    let mut grain = noise.luma_row(w, random);
                    let mut color_grain = [noise.chroma_row(cw, random), noise.chroma_row(cw, random)];
                    let samples = self.u[range.clone()].iter().zip(&self.v[range]);
                    for ((out, pair), (u, v)) in
                        row.chunks_exact_mut(4).zip(luma.chunks_exact(2)).zip(samples)
                    {
                        out[0] = grain.on(pair[0]);
                        out[1] = color_grain[0].on(*u);
                        out[2] = grain.on(pair[1]);
                        out[3] = color_grain[1].on(*v);
                    }
                }
            }
            PixelFormat::Rgb => {
                let color = ColorEncoding::default();
                for (y, row) in bytes.chunks_exact_mut(3 * w).enumerate() {
                    let mut grain = noise.luma_row(w, random);
                    let mut color_grain = [noise.chroma_row(cw, random), noise.chroma_row(cw, random)];
                    for (cx, out) in row.chunks_exact_mut(6).enumerate() {
                        let at = (y / 2) * cw + cx;
                        let u = f32::from(color_grain[0].on(self.u[at]));
                        let v = f32::from(color_grain[1].on(self.v[at]));
                        for (x, pixel) in (2 * cx..).zip(out.chunks_exact_mut(3)) {
                            let luma = f32::from(grain.on(self.luma[y * w + x]));
                            let rgb = color.rgb_from_yuv(luma, u, v);
                            for (channel, value) in pixel.iter_mut().zip(rgb) {
                                *channel = to_byte(value);
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

fn soften_plane(plane: &mut [u8], width: usize, height: usize, share: f32, scratch: &mut Vec<u8>) {
    let mixed = |before: u8, here: u8, after: u8| {
        let [before, here, after] = [before, here, after].map(f32::from);
        to_byte(here + share * (before + after - 2.0 * here))
    };
    scratch.clear();
    for row in plane.chunks_exact(width) {
        let at = |x: usize| row[x.min(width - 1)];
        scratch.extend((0..width).map(|x| mixed(at(x.saturating_sub(1)), at(x), at(x + 1))));
    }
    for (y, out) in plane.chunks_exact_mut(width).enumerate() {
        let row = |y: usize| &scratch[y.min(height - 1) * width..][..width];
        let rows = row(y.saturating_sub(1)).iter().zip(row(y)).zip(row(y + 1));
        for (out, ((before, here), after)) in out.iter_mut().zip(rows) {
            *out = mixed(*before, *here, *after);
        }
    }
}

/// The nearest byte.
#[inline]
pub(crate) fn to_byte(value: f32) -> u8 {
    (value + 0.5) as u8
}

/// Noise drawn once: a frame's rows read it from random places.
#[derive(Clone, Debug)]
pub(crate) struct SensorNoise {
    luma: NoiseTape,
    chroma: NoiseTape,
}

/// Random numbers about `middle`, so that adding one and taking `middle` away again are two saturating byte
/// operations, which vectorise.
#[derive(Clone, Debug)]
struct NoiseTape {
    middle: u8,
    values: Vec<u8>,
}

/// One row's stretch of a [`NoiseTape`].
struct Grain<'a> {
    middle: u8,
    values: core::slice::Iter<'a, u8>,
}

impl Grain<'_> {
    #[inline]
    fn on(&mut self, sample: u8) -> u8 {
        let noise = self.values.next().copied().unwrap_or(self.middle);
        sample.saturating_add(noise).saturating_sub(self.middle)
    }
}

/// Longer than any row by far, so that neighbouring rows rarely read the same stretch.
const TAPE_LENGTH: usize = 1 << 17;

impl NoiseTape {
    /// Standard deviation `sigma`; neighbours in a row are slightly alike, as after a camera's own processing.
    fn new(sigma: f64, random: &mut Random) -> Self {
        if sigma <= 0.0 {
            return Self {
                middle: 0,
                values: vec![0; TAPE_LENGTH],
            };
        }
        let middle = (4.0 * sigma).ceil().min(100.0);
        let (own, neighbours) = (0.917, 0.4);
        let mut before = random.normal();
        let mut value = || {
            let next = random.normal();
            let noise = sigma * (own * next + neighbours * before);
            before = next;
            (middle + noise).round().clamp(0.0, 2.0 * middle) as u8
        };
        let values = (0..TAPE_LENGTH).map(|_| value()).collect();
        Self {
            middle: middle as u8,
            values,
        }
    }

    fn row(&self, width: usize, random: &mut Random) -> &[u8] {
        let start = random.below(self.values.len() - width);
        &self.values[start..start + width]
    }

    fn add(&self, samples: &[u8], out: &mut [u8], width: usize, random: &mut Random) {
        for (from, to) in samples.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
            let noise = self.row(width, random);
            for ((to, from), noise) in to.iter_mut().zip(from).zip(noise) {
                *to = from.saturating_add(*noise).saturating_sub(self.middle);
            }
        }
    }
}

impl SensorNoise {
    /// Luma noise of standard deviation `sigma` (of 255), chroma noise of half of it.
    pub fn new(sigma: f64, random: &mut Random) -> Self {
        Self {
            luma: NoiseTape::new(sigma, random),
            chroma: NoiseTape::new(0.5 * sigma, random),
        }
    }

    fn luma(&self, samples: &[u8], out: &mut [u8], width: usize, random: &mut Random) {
        self.luma.add(samples, out, width, random);
    }

    fn chroma(&self, samples: &[u8], out: &mut [u8], width: usize, random: &mut Random) {
        self.chroma.add(samples, out, width, random);
    }

    fn luma_row(&self, width: usize, random: &mut Random) -> Grain<'_> {
        Grain {
            middle: self.luma.middle,
            values: self.luma.row(width, random).iter(),
        }
    }

    fn chroma_row(&self, width: usize, random: &mut Random) -> Grain<'_> {
        Grain {
            middle: self.chroma.middle,
            values: self.chroma.row(width, random).iter(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_the_mean_and_spread_it_was_asked_for() {
        let mut random = Random::from_seed(4);
        let noise = SensorNoise::new(2.0, &mut random);
        let (grey, mut out) = (vec![100; 64_000], vec![0; 64_000]);
        noise.luma(&grey, &mut out, 640, &mut random);
        let mean = out.iter().map(|v| f64::from(*v)).sum::<f64>() / 64_000.0;
        let variance = out
            .iter()
            .map(|v| (f64::from(*v) - mean) * (f64::from(*v) - mean))
            .sum::<f64>();
        assert!((mean - 100.0).abs() < 0.1, "{mean}");
        assert!(((variance / 64_000.0).sqrt() - 2.0).abs() < 0.15);
    }

    #[test]
    fn softening_keeps_the_brightness_and_sharpening_raises_the_contrast() {
        let mut canvas = Canvas::new(8, 8);
        canvas.fill_from(|x, y| [if (x, y) == (4, 4) { 200.0 } else { 100.0 }, 128.0, 128.0]);
        let sum = |canvas: &Canvas| canvas.luma.iter().map(|v| u32::from(*v)).sum::<u32>();
        let (mut soft, mut sharp) = (canvas.clone(), canvas.clone());
        soft.soften(0.2, &mut Vec::new());
        sharp.soften(-0.1, &mut Vec::new());
        assert!(sum(&soft).abs_diff(sum(&canvas)) <= 4);
        assert_eq!(soft.luma[4 * 8 + 4], 136);
        assert_eq!(sharp.luma[4 * 8 + 4], 244);
    }

    #[test]
    fn every_format_shows_the_same_picture() {
        let mut canvas = Canvas::new(8, 4);
        canvas.fill_from(|x, y| [40.0 + (10 * x + y) as f32, 110.0, 140.0]);
        let mut random = Random::from_seed(1);
        let noise = SensorNoise::new(0.0, &mut random);
        let mut deliver = |format| {
            let mut picture = Picture::default();
            canvas.deliver(&noise, &mut random, format, &mut picture).unwrap();
            picture
        };
        let expected = deliver(PixelFormat::Yuv420);
        for format in [PixelFormat::Nv12, PixelFormat::Yuyv, PixelFormat::Rgb] {
            let picture = deliver(format);
            for (x, y) in [(0, 0), (7, 3), (4, 2), (3, 1)] {
                assert_eq!(picture.rgb_at(x, y), expected.rgb_at(x, y), "{format:?}");
            }
        }
        assert_eq!(deliver(PixelFormat::Grey).bytes(), &canvas.luma[..]);
    }
}
