//! Colours that could be the cloth's.

use ghostball_world::{ColorRange, Planes};

/// Frequent chromas looked at, and frequent brightnesses of each.
const CHROMAS: usize = 4;
const LUMAS: usize = 2;
/// Most colours that are offered.
pub(crate) const MOST_SHADES: usize = CHROMAS * LUMAS;
/// Light on cloth relative to its most frequent brightness: from the darkest corner to under the lamp.
const LIGHT: [f32; 2] = [0.4, 1.7];
/// The same from one place to its surroundings, or where chroma tells nothing.
const NEAR_LIGHT: [f32; 2] = [0.7, 1.35];

/// How closely colours are looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grain {
    /// Width of the bins in which chroma is counted: what noise and compression make of one colour spans three.
    pub chroma: f32,
    /// Pixels of a cell looked at both ways: noise falls with their number.
    pub samples: usize,
    /// How far the chroma of neighbouring cells of one cloth may differ, levels: any, or what noise leaves of a drift.
    pub drift: f32,
}

impl Grain {
    /// For most pictures first, then for those in which cloth, rails and floor are of nearly one colour: each time with half
    /// of the levels between what is told apart.
    pub const ALL: [Self; 3] = [Self::COARSE, Self::halved(2.0, 1.25), Self::halved(1.0, 0.625)];

    const COARSE: Self = Self {
        chroma: 4.0,
        samples: 2,
        drift: 16.0,
    };

    const fn halved(chroma: f32, drift: f32) -> Self {
        Self {
            chroma,
            samples: 4,
            drift,
        }
    }

    /// Levels of noise, of which there are so many where the grain is coarse.
    pub fn noise(self, coarse: f32) -> f32 {
        coarse * self.chroma / Self::COARSE.chroma
    }
}

/// A colour that could be the cloth's.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shade {
    /// Its most frequent Y, U, V.
    pub color: [f32; 3],
    /// Y of black.
    pub black: f32,
    /// Least and most light, by that of `color`.
    pub light: [f32; 2],
    /// How far chroma may be from that of this colour in the same light.
    pub reach: f32,
    /// The same where tint drifts over the table: only as far as it does so little by little.
    pub farthest: f32,
    /// How far the chroma of neighbouring places of cloth may differ.
    pub step: f32,
}

impl Shade {
    /// How far a colour's chroma is from that of this one in the same light; infinite in impossible light. Light
    /// scales Y above black and chroma alike.
    #[inline]
    pub fn distance(&self, color: [f32; 3]) -> f32 {
        self.distance_squared(color).sqrt()
    }

    #[inline]
    fn distance_squared(&self, [y, u, v]: [f32; 3]) -> f32 {
        let light = (y - self.black) / (self.color[0] - self.black).max(1.0);
        if light < self.light[0] || light > self.light[1] {
            return f32::INFINITY;
        }
        // Sensors saturate chroma before luma: bright cloth has no more of it.
        let light = light.min(1.2);
        let du = u - 128.0 - light * (self.color[1] - 128.0);
        let dv = v - 128.0 - light * (self.color[2] - 128.0);
        du * du + dv * dv
    }

    /// Whether a colour is this one, in whatever light.
    #[inline]
    pub fn covers(&self, color: [f32; 3]) -> bool {
        self.distance_squared(color) <= self.reach * self.reach
    }

    /// The same colour where light, too, has to be nearly the same: tells a grey cloth from grey rails, and a red one
    /// from red wood.
    pub fn in_near_light(&self) -> Self {
        Self {
            light: NEAR_LIGHT,
            ..*self
        }
    }
}

/// Finds frequent colours. Holds buffers.
#[derive(Clone, Debug, Default)]
pub(crate) struct ShadeFinder {
    chroma: Vec<u32>,
}

impl ShadeFinder {
    /// The colours that most of `colors` (Y, U, V of cells all over the picture) are, most frequent chroma first; none
    /// that fewer than `least_share` of them have.
    pub fn frequent(
        &mut self,
        planes: &Planes,
        colors: &[[f32; 3]],
        least_share: f64,
        grain: Grain,
    ) -> [Option<Shade>; MOST_SHADES] {
        let bins = (256.0 / grain.chroma) as usize;
        let black = if planes.color.range == ColorRange::Limited {
            16.0
        } else {
            0.0
        };
        let bin = |value: f32| ((value / grain.chroma) as usize).clamp(1, bins - 2);
        self.chroma.clear();
        self.chroma.resize(bins * bins, 0);
        for [_, u, v] in colors {
            self.chroma[bin(*v) * bins + bin(*u)] += 1;
        }
        let mut shades = [None; MOST_SHADES];
        for chroma_rank in 0..CHROMAS {
            let (mut most, mut peak) = (0, (1, 1));
            for row in 1..bins - 1 {
                for column in 1..bins - 1 {
                    let mass = (row - 1..=row + 1)
                        .map(|r| {
                            self.chroma[r * bins + column - 1..=r * bins + column + 1]
                                .iter()
                                .sum::<u32>()
                        })
                        .sum();
                    if mass > most {
                        (most, peak) = (mass, (row, column));
                    }
                }
            }
            if f64::from(most) < 0.5 * least_share * colors.len() as f64 {
                break;
            }
            let center = [peak.1, peak.0].map(|bin| grain.chroma * (bin as f32 + 0.5));
            let lumas = frequent_lumas(colors, center, grain);
            for (luma_rank, luma) in lumas.into_iter().enumerate() {
                shades[chroma_rank * LUMAS + luma_rank] =
                    luma.map(|luma| shade_at(colors, center, luma, black, grain));
            }
            for row in peak.0.saturating_sub(2)..=(peak.0 + 2).min(bins - 1) {
                for column in peak.1.saturating_sub(2)..=(peak.1 + 2).min(bins - 1) {
                    self.chroma[row * bins + column] = 0;
                }
            }
        }
        shades
    }
}

fn frequent_lumas(colors: &[[f32; 3]], [u, v]: [f32; 2], grain: Grain) -> [Option<f32>; LUMAS] {
    let near = 1.5 * grain.chroma;
    let mut counts = [0_u32; 66];
    for color in colors {
        if (color[1] - u).abs() <= near && (color[2] - v).abs() <= near {
            counts[(color[0] / 4.0) as usize + 1] += 1;
        }
    }
    let mut lumas = [None; LUMAS];
    for luma in &mut lumas {
        // A window of ±8 levels holds the noise of dark cameras.
        let mass = |bin: usize| {
            counts[bin.saturating_sub(2)..=(bin + 2).min(65)]
                .iter()
                .sum::<u32>()
        };
        let Some(peak) = (1..65).max_by_key(|bin| (mass(*bin), *bin)) else {
            break;
        };
        if f64::from(mass(peak)) < 0.02 * colors.len() as f64 {
            break;
        }
        *luma = Some(4.0 * peak as f32 - 2.0);
        let (from, to) = ((peak * 2 / 3).min(peak - 1), (peak * 4 / 3).min(65));
        counts[from..=to].fill(0);
    }
    lumas
}

/// The colour of the peak, made exact, and how far its chroma spreads.
fn shade_at(colors: &[[f32; 3]], [u, v]: [f32; 2], luma: f32, black: f32, grain: Grain) -> Shade {
    let rough = Shade {
        color: [luma, u, v],
        black,
        light: LIGHT,
        reach: grain.noise(16.0),
        farthest: grain.noise(16.0),
        step: grain.drift,
    };
    let (mut sum, mut n) = ([0.0_f32; 3], 0.0);
    for color in colors.iter().filter(|color| rough.covers(**color)) {
        if (color[0] - luma).abs() <= 16.0 {
            sum = [0, 1, 2].map(|i| sum[i] + color[i]);
            n += 1.0;
        }
    }
    let color = if n > 0.0 { sum.map(|s| s / n) } else { rough.color };
    let exact = Shade { color, ..rough };
    let mut distances = [0_u32; 64];
    let mut count = 0;
    for color in colors.iter().filter(|color| exact.covers(**color)) {
        distances[((4.0 * exact.distance(*color)) as usize).min(63)] += 1;
        count += 1;
    }
    let mut below = 0;
    let median = distances.iter().position(|d| {
        below += d;
        2 * below >= count
    });
    // The median distance in a plane is 1.18 standard deviations; five hold everything but objects, also where the
    // light's tint changes over the table. Half-way to grey is another colour.
    let saturation =
        ((color[1] - 128.0) * (color[1] - 128.0) + (color[2] - 128.0) * (color[2] - 128.0)).sqrt();
    let spread = (median.unwrap_or(0) as f32 + 0.5) / 4.0 / 1.18;
    let reach = (4.0 * spread)
        .clamp(grain.noise(5.0), grain.noise(5.0 + 0.3 * saturation))
        .max(grain.noise(0.2 * saturation));
    let farthest = (2.5 * reach).min(grain.noise(8.0 + 0.6 * saturation)).max(reach);
    Shade {
        reach,
        farthest,
        ..exact
    }
}
