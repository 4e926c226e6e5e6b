//! Pictures of tables, drawn for tests: rails, cushions, noses with their shadow, bed, pockets, balls, a stick.

use ghostball_world::{ColorEncoding, Homography, Picture, PixelFormat};
use glam::DVec2;

/// What a drawn table looks like. Lengths by half the table's length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drawn {
    pub corners_in_image: [DVec2; 4],
    pub cloth: [f32; 3],
    pub rail: [f32; 3],
    pub floor: [f32; 3],
    pub ball_radius: f64,
    /// Tip and butt of a stick, by half the table's length.
    pub stick: Option<[DVec2; 2]>,
    /// Ends of a line that is projected, an eighth of a ball wide, by half the table's length.
    pub line: Option<[DVec2; 2]>,
    /// A thing that lies on table and rail: least and greatest coordinates.
    pub clutter: Option<[DVec2; 2]>,
}

impl Default for Drawn {
    fn default() -> Self {
        Self {
            corners_in_image: [[92.0, 71.5], [700.3, 66.0], [707.1, 371.0], [88.2, 377.0]].map(DVec2::from),
            cloth: [110.0, 112.0, 92.0],
            rail: [70.0, 118.0, 150.0],
            floor: [60.0, 128.0, 128.0],
            ball_radius: 0.0225,
            stick: None,
            line: None,
            clutter: None,
        }
    }
}

/// Centres of the balls drawn, by half the table's length.
pub(crate) const BALLS: [[f64; 2]; 7] = [
    [-0.5, 0.1],
    [0.2, -0.3],
    [0.5, 0.0],
    [0.62, 0.2],
    [-0.8, -0.2],
    [0.1, 0.3],
    [-0.2, -0.1],
];

/// Draws a table into a picture of 800x450 pixels, with noise.
pub(crate) fn draw(table: &Drawn) -> Picture {
    let (width, height) = (800_usize, 450_usize);
    let halves = [[-1.0, -0.5], [1.0, -0.5], [1.0, 0.5], [-1.0, 0.5]].map(DVec2::from);
    let map = Homography::from_four_points(&table.corners_in_image, &halves).unwrap();
    let mut picture = Picture::default();
    let bytes = picture
        .reshape(PixelFormat::Yuv420, 800, 450, ColorEncoding::default())
        .unwrap();
    let mut state = 1_u32;
    for y in 0..height {
        for x in 0..width {
            // Four samples make the edges soft.
            let mut sum = [0.0; 3];
            for (dx, dy) in [(-0.25, -0.25), (0.25, -0.25), (-0.25, 0.25), (0.25, 0.25)] {
                let place = map.apply(DVec2::new(x as f64 + dx, y as f64 + dy));
                let color = color_at(table, place);
                sum = [0, 1, 2].map(|i| sum[i] + 0.25 * color[i]);
            }
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (state >> 29) as f32 - 3.5;
            bytes[y * width + x] = (sum[0] + noise).clamp(0.0, 255.0) as u8;
            let chroma = width * height + (y / 2) * (width / 2) + x / 2;
            bytes[chroma] = sum[1] as u8;
            bytes[chroma + (width / 2) * (height / 2)] = sum[2] as u8;
        }
    }
    picture
}

/// Where along a stretch of line a place is, 0 to 1, and how far from it.
fn along_and_beside(place: DVec2, from: DVec2, to: DVec2) -> (f64, f64) {
    let along = ((place - from).dot(to - from) / (to - from).length_squared()).clamp(0.0, 1.0);
    (along, place.distance(from.lerp(to, along)))
}

fn color_at(table: &Drawn, place: DVec2) -> [f32; 3] {
    const CUSHION: f64 = 0.043;
    const RAIL: f64 = 0.1;
    let shaded = |color: [f32; 3], light: f32| {
        [
            color[0] * light,
            128.0 + light * (color[1] - 128.0),
            128.0 + light * (color[2] - 128.0),
        ]
    };
    if let Some([least, most]) = table.clutter
        && place.cmpge(least).all()
        && place.cmple(most).all()
    {
        return [210.0, 120.0, 140.0];
    }
    if let Some([tip, butt]) = table.stick {
        let (along, distance) = along_and_beside(place, tip, butt);
        if distance < table.ball_radius * (0.25 + 0.15 * along) {
            return [190.0, 105.0, 140.0];
        }
    }
    if let Some([from, to]) = table.line
        && along_and_beside(place, from, to).1 < 0.125 * table.ball_radius
    {
        return [190.0, 140.0, 100.0];
    }
    for (i, ball) in BALLS.iter().enumerate() {
        let off = place.distance(DVec2::from(*ball)) / table.ball_radius;
        if off < 1.0 {
            let colors = [
                [225.0, 120.0, 132.0],
                [80.0, 100.0, 220.0],
                [40.0, 128.0, 128.0],
                [150.0, 40.0, 170.0],
            ];
            return shaded(colors[i % 4], 1.0 - 0.3 * (off * off) as f32);
        }
    }
    for [x, y, r] in [[-1.0, -0.5, 0.06], [0.0, -0.53, 0.05], [1.0, -0.5, 0.06]] {
        if [1.0, -1.0]
            .iter()
            .any(|side| place.distance(DVec2::new(x, side * y)) < r)
        {
            return [14.0, 128.0, 128.0];
        }
    }
    let outside = (place.abs() - DVec2::new(1.0, 0.5)).max_element();
    // The lamp hangs over the middle.
    let light = 1.0 - 0.15 * place.length_squared() as f32;
    match outside {
        o if o > CUSHION + RAIL => table.floor,
        o if o > CUSHION => table.rail,
        o if o > 0.0 => shaded(table.cloth, light),
        o if o > -0.012 => shaded(table.cloth, 0.75 * light),
        _ => shaded(table.cloth, 0.97 * light),
    }
}
