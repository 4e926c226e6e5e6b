//! Balls drawn in code, of every set, under lights that differ.

use ghostball_world::{CircleInImage, ColorEncoding, Picture, PixelFormat};
use glam::DVec2;

use super::*;

const SIZE: [usize; 2] = [640, 360];
const RADIUS: f64 = 13.0;
const CLOTH: [f32; 3] = [40.0, 110.0, 90.0];

/// Multiplies red, green and blue.
type Tint = [f32; 3];

const NEUTRAL: Tint = [1.0, 1.0, 1.0];
const WARM: Tint = [1.0, 0.93, 0.78];
const COLD: Tint = [0.86, 0.95, 1.0];
const DIM: Tint = [0.72, 0.72, 0.72];

/// What is drawn: white cap towards the camera's side (`cap` is the cosine from which on all is white), a white disc of
/// this radius off the centre, or neither.
#[derive(Clone, Copy)]
enum Drawn {
    Plain,
    Disc(f32),
    /// Two caps beyond this height over a belt that runs across.
    Caps(f32),
    White,
}

fn table_of(balls: &[([u8; 3], Drawn)], tint: Tint) -> (Picture, Vec<BallSighting>) {
    let [width, height] = SIZE;
    let mut picture = Picture::default();
    let encoding = ColorEncoding::default();
    let bytes = picture
        .reshape(PixelFormat::Yuv420, width as u32, height as u32, encoding)
        .unwrap();
    let mut rgb = vec![CLOTH; width * height];
    let mut sightings = Vec::new();
    for (i, (paint, drawn)) in balls.iter().enumerate() {
        let center = DVec2::new(40.0 + 60.0 * (i % 10) as f64, 60.0 + 90.0 * (i / 10) as f64);
        sightings.push(BallSighting {
            circle: CircleInImage {
                center,
                radius: RADIUS,
            },
            streak_in_image: None,
            kind: BallKind::Unknown,
            number: None,
            confidence: 1.0,
        });
        for y in 0..height {
            for x in 0..width {
                let (dx, dy) = ((x as f64 - center.x) / RADIUS, (y as f64 - center.y) / RADIUS);
                let squared = (dx * dx + dy * dy) as f32;
                if squared > 1.0 {
                    continue;
                }
                let (dx, dy) = (dx as f32, dy as f32);
                let is_white = match drawn {
                    Drawn::Plain => false,
                    Drawn::Disc(radius) => (dx - 0.3) * (dx - 0.3) + dy * dy < radius * radius,
                    Drawn::Caps(height) => dy.abs() > *height,
                    Drawn::White => true,
                };
                let paint = if is_white { [245, 241, 230] } else { *paint };
                // Light from above, through gamma.
                let shade = libm::powf(0.35 + 0.65 * (1.0 - squared).sqrt(), 0.45);
                rgb[y * width + x] = paint.map(|c| f32::from(c) * shade);
            }
        }
    }
    let yuv: Vec<[f32; 3]> = rgb
        .iter()
        .map(|c| encoding.yuv_from_rgb([c[0] * tint[0], c[1] * tint[1], c[2] * tint[2]]))
        .collect();
    let (luma, chroma) = bytes.split_at_mut(width * height);
    for (out, color) in luma.iter_mut().zip(&yuv) {
        *out = color[0] as u8;
    }
    let quarter = chroma.len() / 2;
    for (i, out) in chroma.iter_mut().enumerate() {
        let (x, y) = (2 * (i % quarter % (width / 2)), 2 * (i % quarter / (width / 2)));
        let corners = [(0, 0), (1, 0), (0, 1), (1, 1)];
        let sum: f32 = corners
            .iter()
            .map(|(dx, dy)| yuv[(y + dy) * width + x + dx][1 + i / quarter])
            .sum();
        *out = (0.25 * sum) as u8;
    }
    (picture, sightings)
}

fn named_by(
    recognizer: &mut Recognizer,
    balls: &[([u8; 3], Drawn)],
    tint: Tint,
) -> Vec<(BallKind, Option<u8>)> {
    let (picture, mut sightings) = table_of(balls, tint);
    let planes = picture.planes().unwrap();
    recognizer.name_balls(&planes, &ClothModel::new(), &mut sightings);
    sightings.iter().map(|ball| (ball.kind, ball.number)).collect()
}

fn named(balls: &[([u8; 3], Drawn)], tint: Tint) -> Vec<(BallKind, Option<u8>)> {
    named_by(&mut Recognizer::new(BallSet::Auto), balls, tint)
}

/// The paints of 1 to 8 by another maker than the references: darker, and each a little beside.
const POOL: [[u8; 3]; 8] = [
    [240, 180, 20],
    [20, 50, 150],
    [190, 20, 36],
    [84, 44, 120],
    [232, 92, 24],
    [8, 84, 48],
    [104, 24, 30],
    [20, 20, 22],
];
const TV_PINK: [u8; 3] = [236, 104, 160];
const TV_BROWN: [u8; 3] = [150, 84, 48];

fn pool_ball(number: usize, paints: &[[u8; 3]; 8]) -> ([u8; 3], Drawn) {
    let drawn = match number {
        9.. => Drawn::Caps(0.5),
        _ if number.is_multiple_of(2) => Drawn::Disc(0.3),
        _ => Drawn::Plain,
    };
    (paints[(number - 1) % 8], drawn)
}

fn pool_name(number: usize) -> (BallKind, Option<u8>) {
    let kind = match number {
        1..8 => BallKind::Solid,
        8 => BallKind::Eight,
        _ => BallKind::Stripe,
    };
    (kind, Some(number as u8))
}

const CUE: ([u8; 3], Drawn) = ([0; 3], Drawn::White);

#[test]
fn all_balls_of_pool_are_named_under_every_light() {
    let balls: Vec<_> = (1..=15).map(|n| pool_ball(n, &POOL)).chain([CUE]).collect();
    let names: Vec<_> = (1..=15).map(pool_name).chain([(BallKind::Cue, None)]).collect();
    for tint in [NEUTRAL, WARM, COLD, DIM] {
        assert_eq!(named(&balls, tint), names, "{tint:?}");
    }
}

#[test]
fn television_s_pink_and_brown_are_4_and_7() {
    let mut paints = POOL;
    (paints[3], paints[6]) = (TV_PINK, TV_BROWN);
    let numbers = [1, 2, 3, 4, 6, 7, 8, 9];
    let balls: Vec<_> = numbers
        .iter()
        .map(|n| pool_ball(*n, &paints))
        .chain([CUE])
        .collect();
    let names: Vec<_> = numbers
        .iter()
        .map(|n| pool_name(*n))
        .chain([(BallKind::Cue, None)])
        .collect();
    for tint in [NEUTRAL, WARM, COLD] {
        assert_eq!(named(&balls, tint), names, "{tint:?}");
    }
}

#[test]
fn purple_beside_light_brown_is_still_the_4() {
    let mut paints = POOL;
    paints[6] = TV_BROWN;
    let balls: Vec<_> = (1..=15).map(|n| pool_ball(n, &paints)).collect();
    let names: Vec<_> = (1..=15).map(pool_name).collect();
    assert_eq!(named(&balls, NEUTRAL), names);
}

#[test]
fn snooker_s_brown_among_reds_is_told_by_the_reds() {
    let red = ([190, 16, 24], Drawn::Plain);
    let mut balls = vec![red; 9];
    let colors = [
        ([240, 196, 36], BallKind::Yellow),
        ([4, 100, 76], BallKind::Green),
        ([160, 60, 34], BallKind::Brown),
        ([20, 92, 170], BallKind::Blue),
        ([240, 140, 156], BallKind::Pink),
        ([22, 22, 24], BallKind::Black),
    ];
    balls.extend(colors.map(|(paint, _)| (paint, Drawn::Plain)));
    balls.push(CUE);
    for tint in [NEUTRAL, WARM, COLD, DIM] {
        let names = named(&balls, tint);
        assert!(
            names[..9].iter().all(|n| *n == (BallKind::Red, None)),
            "{tint:?} {names:?}"
        );
        for (name, (_, kind)) in names[9..].iter().zip(colors) {
            assert_eq!(*name, (kind, None), "{tint:?}");
        }
        assert_eq!(names[15].0, BallKind::Cue, "{tint:?}");
    }
}

#[test]
fn three_plain_balls_are_carom() {
    let balls = [CUE, ([240, 190, 30], Drawn::Plain), ([196, 24, 30], Drawn::Plain)];
    for tint in [NEUTRAL, WARM, COLD] {
        let kinds: Vec<BallKind> = named(&balls, tint).iter().map(|name| name.0).collect();
        assert_eq!(
            kinds,
            [BallKind::Cue, BallKind::Yellow, BallKind::Red],
            "{tint:?}"
        );
    }
}

#[test]
fn a_set_that_is_configured_is_not_guessed() {
    let balls = [CUE, ([240, 190, 30], Drawn::Plain), ([196, 24, 30], Drawn::Plain)];
    let mut recognizer = Recognizer::new(BallSet::AmericanPool);
    let names = named_by(&mut recognizer, &balls, NEUTRAL);
    assert_eq!(names, [(BallKind::Cue, None), pool_name(1), pool_name(3)]);
}

#[test]
fn the_last_balls_of_pool_are_not_taken_for_carom() {
    let mut recognizer = Recognizer::new(BallSet::Auto);
    let all: Vec<_> = (1..=15).map(|n| pool_ball(n, &POOL)).chain([CUE]).collect();
    for _ in 0..30 {
        named_by(&mut recognizer, &all, NEUTRAL);
    }
    let last = [CUE, ([240, 190, 30], Drawn::Plain), ([196, 24, 30], Drawn::Plain)];
    for _ in 0..30 {
        let names = named_by(&mut recognizer, &last, NEUTRAL);
        assert_eq!(names, [(BallKind::Cue, None), pool_name(1), pool_name(3)]);
    }
}

#[test]
fn two_balls_of_one_look_get_two_names() {
    let yellow = ([240, 186, 30], Drawn::Plain);
    let names = named_by(
        &mut Recognizer::new(BallSet::AmericanPool),
        &[yellow, yellow, CUE],
        NEUTRAL,
    );
    assert_ne!(names[0], names[1]);
}

#[test]
fn a_ball_beyond_the_picture_and_a_grey_picture_are_survived() {
    let (picture, mut sightings) = table_of(&[CUE], NEUTRAL);
    for (x, y, radius) in [
        (-50.0, -50.0, 9.0),
        (639.0, 359.0, 14.0),
        (1e9, 5.0, 3.0),
        (30.0, 30.0, 0.0),
    ] {
        sightings.push(BallSighting {
            circle: CircleInImage {
                center: DVec2::new(x, y),
                radius,
            },
            streak_in_image: None,
            ..sightings[0]
        });
    }
    let planes = picture.planes().unwrap();
    let mut recognizer = Recognizer::new(BallSet::Auto);
    recognizer.name_balls(&planes, &ClothModel::new(), &mut sightings);
    let grey = Planes {
        chroma: None,
        ..planes
    };
    recognizer.name_balls(&grey, &ClothModel::new(), &mut sightings);
}
