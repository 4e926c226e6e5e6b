//! Discs on a cloth, drawn here: what a ball finder has to find, and what it must not.

use ghostball_world::{
    BallSet, BallSighting, CircleInImage, ColorEncoding, CueSighting, Picture, PixelFormat, TableSighting,
};
use glam::DVec2;
use proptest::prelude::*;

use super::BallFinder;
use super::ellipse::Ellipse;
use super::neighbourhood::Neighbourhood;
use super::place::BallPlace;
use super::rim::{Rim, RimFinder, Scratch};
use crate::cloth::ClothModel;

const SIZE: [u32; 2] = [640, 360];
const CLOTH: [f64; 3] = [110.0, 118.0, 100.0];
const RED: [f64; 3] = [76.0, 98.0, 238.0];
const WHITE: [f64; 3] = [245.0, 124.0, 128.0];
const RADIUS: f64 = 9.0;

fn table() -> TableSighting {
    let corners = [[40.0, 40.0], [600.0, 40.0], [600.0, 320.0], [40.0, 320.0]].map(DVec2::from);
    let [a, b, c, d] = corners;
    TableSighting {
        corners_in_image: corners,
        pockets_in_image: [a, 0.5 * (a + b), b, c, 0.5 * (c + d), d]
            .map(|center| CircleInImage { center, radius: 20.0 }),
        ball_radius_px: RADIUS,
        lens: None,
        confidence: 1.0,
    }
}

/// A picture of cloth with noise, on which `paint` gives a place its colour and how much of it.
fn picture(format: PixelFormat, paint: impl Fn(DVec2) -> Option<([f64; 3], f64)>) -> Picture {
    let [w, h] = SIZE.map(|v| v as usize);
    let mut state = 1_u32;
    let mut noise = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 24) / 255.0 * 4.0 - 2.0
    };
    let color_at = |x: f64, y: f64| match paint(DVec2::new(x, y)) {
        Some((color, share)) => [0, 1, 2].map(|i| CLOTH[i] + share * (color[i] - CLOTH[i])),
        None => CLOTH,
    };
    let mut bytes = vec![0; PixelFormat::Yuv420.byte_count(SIZE[0], SIZE[1]).unwrap()];
    for y in 0..h {
        for x in 0..w {
            bytes[y * w + x] = (color_at(x as f64, y as f64)[0] + noise()) as u8;
        }
    }
    for y in 0..h / 2 {
        for x in 0..w / 2 {
            let color = color_at(2.0 * x as f64 + 0.5, 2.0 * y as f64 + 0.5);
            bytes[w * h + y * w / 2 + x] = (color[1] + 0.5 * noise()) as u8;
            bytes[w * h + w * h / 4 + y * w / 2 + x] = (color[2] + 0.5 * noise()) as u8;
        }
    }
    if format == PixelFormat::Grey {
        bytes.truncate(w * h);
    }
    Picture::new(format, SIZE[0], SIZE[1], ColorEncoding::default(), bytes).unwrap()
}

/// What a lamp's image on a ball looks like, and how large and where it is, radii.
const GLINT: [f64; 3] = [240.0, 128.0, 128.0];
const GLINT_RADIUS: f64 = 0.2;
const GLINT_OFF: DVec2 = DVec2::new(-0.2, -0.25);

/// Discs with soft rims, and the image of the lamp on each.
fn discs(balls: &[(DVec2, [f64; 3])]) -> impl Fn(DVec2) -> Option<([f64; 3], f64)> + '_ {
    |p| {
        balls
            .iter()
            .map(|(center, color)| {
                let glint = *center + RADIUS * GLINT_OFF;
                let is_glint = p.distance(glint) < RADIUS * GLINT_RADIUS;
                let color = if is_glint { GLINT } else { *color };
                (color, (RADIUS + 0.5 - p.distance(*center)).clamp(0.0, 1.0))
            })
            .max_by(|a, b| a.1.total_cmp(&b.1))
    }
}

fn balls_in(picture: &Picture, table: &TableSighting) -> Vec<BallSighting> {
    let planes = picture.planes().unwrap();
    let mut cloth = ClothModel::new();
    cloth.learn(&planes, &table.corners_in_image);
    let mut balls = Vec::new();
    BallFinder::new(table, [picture.width(), picture.height()], BallSet::Auto)
        .find(&planes, &cloth, &mut balls);
    balls
}

fn assert_found(balls: &[BallSighting], truth: &[(DVec2, [f64; 3])]) {
    assert_eq!(balls.len(), truth.len(), "{balls:?}");
    for (center, _) in truth {
        let nearest = balls.iter().map(|ball| ball.circle.center.distance(*center));
        let error = nearest.fold(f64::INFINITY, f64::min);
        assert!(error < 0.5, "{center} missed by {error}: {balls:?}");
    }
}

#[test]
fn balls_alone_at_a_cushion_and_in_a_rack_are_found() {
    let mut truth = vec![(DVec2::new(150.3, 100.7), WHITE), (DVec2::new(300.4, 49.5), RED)];
    // A rack: rows of touching balls, with the dark gap that touching spheres show.
    for row in 0..4 {
        for at in 0..=row {
            let x = 400.0 + f64::from(row) * 2.15 * RADIUS * 0.866;
            let y = 180.0 + (f64::from(at) - 0.5 * f64::from(row)) * 2.15 * RADIUS;
            truth.push((DVec2::new(x, y), RED));
        }
    }
    assert_found(
        &balls_in(&picture(PixelFormat::Yuv420, discs(&truth)), &table()),
        &truth,
    );
    let apart = &truth[..2];
    assert_found(
        &balls_in(&picture(PixelFormat::Grey, discs(apart)), &table()),
        apart,
    );
}

/// A ball with a soft shadow that falls to the left, as dark as under a ball's edge; `paint` gives its colour at a place,
/// radii from its centre.
fn shaded(center: DVec2, paint: impl Fn(DVec2) -> [f64; 3]) -> impl Fn(DVec2) -> Option<([f64; 3], f64)> {
    const FALLS: DVec2 = DVec2::new(-0.5, 0.0);
    const SOFT: f64 = 0.15;
    const DARKEST: [f64; 3] = [
        0.45 * CLOTH[0],
        0.5 * (CLOTH[1] + 128.0),
        0.5 * (CLOTH[2] + 128.0),
    ];
    move |p| {
        let off = (p - center) / RADIUS;
        let ball = ((1.0 - off.length()) * RADIUS + 0.5).clamp(0.0, 1.0);
        let shadow = ((1.0 - (off - FALLS).length()) / SOFT + 0.5).clamp(0.0, 1.0);
        let behind = |i: usize| CLOTH[i] + shadow * (DARKEST[i] - CLOTH[i]);
        let color = paint(off);
        Some(([0, 1, 2].map(|i| behind(i) + ball * (color[i] - behind(i))), 1.0))
    }
}

#[test]
fn a_ball_found_between_its_shadow_and_its_stripe_is_put_where_it_lies() {
    let center = DVec2::new(300.3, 180.6);
    let band = [55.0, 112.0, 160.0];
    // The white end of a striped ball turned left, at the edge of the shadow.
    let striped = shaded(center, |off| if off.x < 0.45 { WHITE } else { band });
    let (picture, table) = (picture(PixelFormat::Yuv420, striped), table());
    let planes = picture.planes().unwrap();
    let mut cloth = ClothModel::new();
    cloth.learn(&planes, &table.corners_in_image);
    let place = BallPlace::new(&table);
    let finder = RimFinder::new(&planes, &cloth, &place, cloth.spread, true);
    for step in 0..12 {
        let direction = DVec2::from_angle(f64::from(step) * std::f64::consts::TAU / 12.0);
        let mut rim = Rim {
            ellipse: Ellipse::circle(center + 0.45 * RADIUS * direction, RADIUS),
            ..Rim::default()
        };
        finder.settle(&mut rim, &Neighbourhood::default(), &mut Scratch::default());
        let error = rim.ellipse.center.distance(center);
        assert!(error < 0.2, "{error} off, from {direction} of it");
        assert_eq!(rim.streak, None, "from {direction} of it");
    }
}

/// Mean distance of what was found from where it is.
fn mean_error(balls: &[BallSighting], truth: &[(DVec2, [f64; 3])]) -> f64 {
    assert_eq!(balls.len(), truth.len(), "{balls:?}");
    let error = |center: DVec2| {
        let distances = balls.iter().map(|ball| ball.circle.center.distance(center));
        distances.fold(f64::INFINITY, f64::min)
    };
    truth.iter().map(|(center, _)| error(*center)).sum::<f64>() / truth.len() as f64
}

#[test]
fn balls_are_placed_to_a_twentieth_of_a_pixel() {
    let dark = [CLOTH[0] - 50.0, CLOTH[1], CLOTH[2] + 12.0];
    let truth: Vec<_> = (0..24)
        .map(|i| {
            let (column, row) = (f64::from(i % 8), f64::from(i / 8));
            let center = DVec2::new(80.0 + 61.37 * column, 80.0 + 83.61 * row);
            (center, [RED, WHITE, dark][i as usize % 3])
        })
        .collect();
    let error = mean_error(
        &balls_in(&picture(PixelFormat::Yuv420, discs(&truth)), &table()),
        &truth,
    );
    assert!(error < 0.05, "{error}");
}

#[test]
fn a_striped_ball_is_found_whose_band_has_the_cloths_colour() {
    let center = DVec2::new(300.4, 149.5);
    let glint = center + RADIUS * GLINT_OFF;
    let band = [CLOTH[0] - 14.0, CLOTH[1] + 4.0, CLOTH[2] - 4.0];
    let paint = |p: DVec2| {
        let color = if p.distance(glint) < RADIUS * GLINT_RADIUS {
            GLINT
        } else if (p.x - center.x).abs() > 0.6 * RADIUS {
            WHITE
        } else {
            band
        };
        Some((color, (RADIUS + 0.5 - p.distance(center)).clamp(0.0, 1.0)))
    };
    assert_found(
        &balls_in(&picture(PixelFormat::Yuv420, paint), &table()),
        &[(center, band)],
    );
}

#[test]
fn a_ball_of_the_cloths_own_colour_is_found_by_the_lamp_in_it() {
    let own = [CLOTH[0] + 4.0, CLOTH[1] + 1.0, CLOTH[2] - 1.0];
    // Alone, and beside another.
    let truth = [
        (DVec2::new(150.3, 100.7), own),
        (DVec2::new(300.4, 200.5), own),
        (DVec2::new(300.4, 221.0), RED),
    ];
    assert_found(
        &balls_in(&picture(PixelFormat::Yuv420, discs(&truth)), &table()),
        &truth,
    );
}

#[test]
fn bright_spots_without_a_rim_and_tips_of_sticks_are_no_balls() {
    let spots = [[150.3, 100.7], [300.4, 200.5], [306.0, 203.0]].map(DVec2::from);
    // A dark stick with a white tip and a soft shadow round that.
    let tip = DVec2::new(450.4, 220.3);
    let paint = |p: DVec2| {
        let is_spot = spots.iter().any(|spot| p.distance(*spot) < GLINT_RADIUS * RADIUS);
        let is_cross = (p.x - 480.0).abs() < 1.0 || (p.y - 150.0).abs() < 1.0;
        let is_letter = (p.x - 200.0).abs() < 2.0 && (p.y - 250.0).abs() < 6.0;
        let is_stick = p.x < tip.x && p.x > 380.0 && (p.y - tip.y).abs() < 2.5;
        let is_shadow = p.distance(tip) < RADIUS;
        if is_spot || is_cross || is_letter || p.distance(tip) < GLINT_RADIUS * RADIUS {
            Some((GLINT, 1.0))
        } else if is_stick {
            Some(([50.0, 120.0, 120.0], 1.0))
        } else {
            is_shadow.then_some(([CLOTH[0] - 6.0, CLOTH[1], CLOTH[2]], 1.0))
        }
    };
    let balls = balls_in(&picture(PixelFormat::Yuv420, paint), &table());
    assert!(balls.is_empty(), "{balls:?}");
}

#[test]
fn what_glints_on_a_stick_that_was_found_is_no_ball() {
    let own = [CLOTH[0] + 4.0, CLOTH[1] + 1.0, CLOTH[2] - 1.0];
    let center = DVec2::new(300.4, 200.5);
    let picture = picture(PixelFormat::Yuv420, discs(&[(center, own)]));
    let planes = picture.planes().unwrap();
    let mut cloth = ClothModel::new();
    cloth.learn(&planes, &table().corners_in_image);
    let mut finder = BallFinder::new(&table(), SIZE, BallSet::Auto);
    let mut count_beside = |cue: Option<CueSighting>| {
        let mut balls = Vec::new();
        finder.find_nameless(&planes, &cloth, &mut balls);
        finder.complete(&planes, &cloth, cue.as_ref(), &mut balls);
        balls.len()
    };
    let stick = |y: f64| CueSighting {
        tip_in_image: DVec2::new(295.0, y),
        butt_in_image: DVec2::new(50.0, y),
        confidence: 1.0,
    };
    assert_eq!(count_beside(None), 1);
    assert_eq!(count_beside(Some(stick(center.y - 2.0 * RADIUS))), 1);
    assert_eq!(count_beside(Some(stick(center.y + RADIUS * GLINT_OFF.y))), 0);
}

#[test]
fn a_ball_and_not_its_hard_shadow_is_found() {
    let center = DVec2::new(300.4, 149.5);
    let shadow = center + DVec2::new(0.7, 0.7) * RADIUS;
    let dark = [
        0.55 * (CLOTH[0] - 16.0) + 16.0,
        128.0 - 0.55 * 10.0,
        128.0 - 0.55 * 28.0,
    ];
    let ball = [(center, WHITE)];
    let disc = discs(&ball);
    let paint = |p: DVec2| {
        let share = (RADIUS + 0.5 - p.distance(shadow)).clamp(0.0, 1.0);
        disc(p).filter(|(_, share)| *share > 0.0).or(Some((dark, share)))
    };
    assert_found(&balls_in(&picture(PixelFormat::Yuv420, paint), &table()), &ball);
}

#[test]
fn arms_sticks_rings_and_potted_balls_are_no_balls() {
    let ring_center = DVec2::new(200.0, 250.0);
    let paint = |p: DVec2| {
        let is_arm = p.y < 150.0 && (p.x - 300.0).abs() < 12.0;
        let is_stick = (p.y - 200.0).abs() < 3.0 && p.x > 350.0;
        let is_ring = (p.distance(ring_center) - RADIUS).abs() < 1.5;
        let is_potted = p.distance(DVec2::new(600.0, 320.0)) < RADIUS;
        (is_arm || is_stick || is_ring || is_potted).then_some((WHITE, 1.0))
    };
    let balls = balls_in(&picture(PixelFormat::Yuv420, paint), &table());
    assert!(balls.is_empty(), "{balls:?}");
}

#[test]
fn a_picture_of_another_size_or_a_table_that_is_none_shows_no_balls() {
    let small = Picture::new(PixelFormat::Grey, 1, 1, ColorEncoding::default(), vec![7]).unwrap();
    let mut balls = Vec::new();
    let mut finder = BallFinder::new(&table(), SIZE, BallSet::Auto);
    finder.find(&small.planes().unwrap(), &ClothModel::new(), &mut balls);
    assert!(balls.is_empty());
    let broken = TableSighting {
        corners_in_image: [DVec2::NAN; 4],
        ..table()
    };
    assert!(balls_in(&small, &broken).is_empty());
    assert!(balls_in(&small, &table()).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_bytes_of_any_size_are_survived(
        width in 1..60_u32, height in 1..60_u32, seed in any::<u32>(), radius in 0.1..40.0_f64,
        corners in prop::array::uniform4((-20.0..80.0_f64, -20.0..80.0_f64)),
    ) {
        let mut state = seed;
        let bytes = (0..width * height).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        });
        let picture =
            Picture::new(PixelFormat::Grey, width, height, ColorEncoding::default(), bytes.collect()).unwrap();
        let table = TableSighting {
            corners_in_image: corners.map(|(x, y)| DVec2::new(x, y)),
            ball_radius_px: radius,
            ..table()
        };
        balls_in(&picture, &table);
    }
}
