//! A server fed with a made-up table, for working on the web client: sixteen balls that slide about and bounce, a cue
//! that turns around the white one, a path that is only drawn. No physics, no camera, no pipeline.
//!
//! `cargo run -p ghostball_broadcast --example fake_table -- 127.0.0.1:8001 [FRAMES A SECOND, 30] [moving]`
//!
//! With `moving` nobody ever aims, and every frame tells something new: so delivery can be measured.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ghostball_broadcast::{Server, ServerConfig};
use ghostball_world::{
    BallKind, BallSnapshot, CircleInImage, ColorEncoding, CueInImage, CuePose, CueSnapshot, CueState, Frame,
    GhostBall, Origin, PathKind, PathLine, Picture, PixelFormat, PocketName, PredictedCollision,
    PredictedContact, PredictedRest, Prediction, Snapshot, Stamp, TableGeometry, TableSighting,
    TableSpecification, TrackId,
};
use glam::DVec2;

const SIZE: [u32; 2] = [1280, 720];
const RADIUS: f64 = 0.028575;

type Failure = Box<dyn std::error::Error>;

#[allow(clippy::print_stdout, reason = "a program: it tells where it listens")]
fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let mut config = ServerConfig {
        listen: arguments.next().as_deref().unwrap_or("127.0.0.1:8001").parse()?,
        ..ServerConfig::default()
    };
    if let Some(rate) = arguments.next() {
        config.integration.target_fps = rate.parse()?;
        config.broadcaster.fps.default_target_fps = rate.parse()?;
    }
    let step = 1.0 / config.integration.target_fps;
    let always_moves = arguments.next().is_some();
    let (server, bridge) = Server::start(config)?;
    println!("http://{}/", server.local_addr());
    let table = table()?;
    let mut balls = rack(&table);
    let canvas = Canvas::new(&table);
    let started = now();
    for number in 0_u64.. {
        let seconds = number as f64 * step;
        // Six seconds of motion, six of aiming.
        let is_aiming = !always_moves && seconds % 12.0 >= 6.0;
        balls
            .iter_mut()
            .for_each(|ball| slide(ball, &table, is_aiming, step));
        let cue = is_aiming.then(|| cue(&balls[0], &table, seconds));
        let captured_at = Stamp::from_nanos((seconds * 1e9) as u64);
        let snapshot = Snapshot {
            frame_number: number,
            captured_at,
            since_first: Duration::from_secs_f64(seconds),
            picture_size: SIZE,
            prediction: cue.map(|cue| prediction(&cue, &balls)),
            balls: balls.clone(),
            cue,
            table: Some(table),
            events: Vec::new(),
        };
        let frame = Frame {
            sequence: number,
            captured_at,
            picture: canvas.draw(&snapshot, &table)?,
            ..Frame::default()
        };
        bridge.publish(Arc::new(snapshot), Some(Arc::new(frame)));
        let due = started + Duration::from_secs_f64(seconds + step);
        #[allow(clippy::disallowed_methods, reason = "no camera here that would set the pace")]
        std::thread::sleep(due.saturating_duration_since(now()));
    }
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "no camera here that would set the pace")]
fn now() -> Instant {
    Instant::now()
}

fn table() -> Result<TableGeometry, Failure> {
    let corners = [[165.0, 122.0], [1120.0, 118.0], [1124.0, 598.0], [160.0, 602.0]].map(DVec2::from);
    let [tl, tr, br, bl] = corners;
    let pockets = [tl, 0.5 * (tl + tr), tr, br, 0.5 * (br + bl), bl];
    let sighting = TableSighting {
        corners_in_image: corners,
        pockets_in_image: pockets.map(|center| CircleInImage { center, radius: 21.0 }),
        ball_radius_px: 10.8,
        lens: None,
        confidence: 1.0,
    };
    Ok(TableGeometry::from_sighting(
        &sighting,
        &TableSpecification::default(),
    )?)
}

fn rack(table: &TableGeometry) -> Vec<BallSnapshot> {
    let ball = |track: u32, kind, number, position: DVec2, velocity: DVec2| BallSnapshot {
        track_id: TrackId(track),
        kind,
        number,
        position_in_table: position,
        velocity_in_table: velocity,
        radius: RADIUS,
        is_moving: true,
        confidence: 0.97,
        seen_in_image: Some(table.ball_in_image(position)),
    };
    let mut balls = vec![ball(
        0,
        BallKind::Cue,
        None,
        DVec2::new(-0.635, 0.1),
        DVec2::new(0.5, 0.3),
    )];
    for n in 1..=15_u8 {
        let (kind, number) = match n {
            8 => (BallKind::Eight, Some(8)),
            // Two that are not known yet.
            5 => (BallKind::Solid, None),
            14 => (BallKind::Unknown, None),
            1..8 => (BallKind::Solid, Some(n)),
            _ => (BallKind::Stripe, Some(n)),
        };
        let turn = f64::from(n) * 2.4;
        let direction = DVec2::new(libm::cos(turn), libm::sin(turn));
        let position = direction * DVec2::new(1.0, 0.5) * (0.2 + 0.06 * f64::from(n));
        balls.push(ball(
            u32::from(n),
            kind,
            number,
            position,
            direction * (0.05 + 0.04 * f64::from(n % 5)),
        ));
    }
    balls
}

fn slide(ball: &mut BallSnapshot, table: &TableGeometry, is_resting: bool, seconds: f64) {
    ball.is_moving = !is_resting;
    if ball.is_moving {
        let limit = 0.5 * DVec2::new(table.length, table.width) - RADIUS;
        let next = ball.position_in_table + ball.velocity_in_table * seconds;
        if next.x.abs() > limit.x {
            ball.velocity_in_table.x = -ball.velocity_in_table.x;
        }
        if next.y.abs() > limit.y {
            ball.velocity_in_table.y = -ball.velocity_in_table.y;
        }
        ball.position_in_table = next.clamp(-limit, limit);
    }
    ball.seen_in_image = Some(table.ball_in_image(ball.position_in_table));
}

fn cue(cue_ball: &BallSnapshot, table: &TableGeometry, seconds: f64) -> CueSnapshot {
    let turn = 0.4 * libm::sin(0.5 * seconds);
    let direction = DVec2::new(libm::cos(turn), libm::sin(turn));
    let tip_in_table = cue_ball.position_in_table - direction * (0.06 + 0.02 * libm::sin(2.0 * seconds));
    let butt_in_table = tip_in_table - direction * 1.1;
    CueSnapshot {
        pose: CuePose {
            tip_in_table,
            butt_in_table,
            confidence: 0.9,
            direction_sigma: 0.0,
        },
        state: CueState::Aiming,
        aimed_ball: None,
        in_image: Some(CueInImage {
            tip_in_image: table.image_from_table.apply(tip_in_table),
            butt_in_image: table.image_from_table.apply(butt_in_table),
        }),
    }
}

/// Lines that look like a prediction: to the ball nearest to the line of aim, and on.
fn prediction(cue: &CueSnapshot, balls: &[BallSnapshot]) -> Prediction {
    let start = balls[0].position_in_table;
    let direction = cue.pose.direction_in_table().unwrap_or(DVec2::X);
    let is_ahead = |ball: &&BallSnapshot| {
        let way = ball.position_in_table - start;
        way.dot(direction) > 0.0 && way.perp_dot(direction).abs() < 2.0 * RADIUS
    };
    let hit = balls[1..].iter().filter(is_ahead).min_by(|a, b| {
        let along = |ball: &BallSnapshot| (ball.position_in_table - start).dot(direction);
        along(a).total_cmp(&along(b))
    });
    let line = |ball, start, end, kind| PathLine {
        ball,
        start,
        end,
        kind,
        confidence: 0.9,
    };
    let rest = |ball, position| PredictedRest {
        ball,
        position,
        pocketed: None,
    };
    let cue_ball = TrackId(0);
    let mut prediction = Prediction {
        origin: Origin::Aim,
        ball: cue_ball,
        lines: Vec::new(),
        collisions: Vec::new(),
        ghost_balls: Vec::new(),
        rest: Vec::new(),
        outcomes: Vec::new(),
        confidence: 0.9,
    };
    let wall = DVec2::new(1.24, (start + direction * (1.24 - start.x)).y.clamp(-0.6, 0.6));
    match hit {
        Some(hit) => {
            let way = hit.position_in_table - start;
            let beside = way.perp_dot(direction);
            let along = way.dot(direction) - libm::sqrt(4.0 * RADIUS * RADIUS - beside * beside);
            let ghost = start + direction * along;
            let push = (hit.position_in_table - ghost).normalize_or_zero();
            let object_end =
                (hit.position_in_table + push * 0.5).clamp(DVec2::new(-1.2, -0.6), DVec2::new(1.2, 0.6));
            let cue_end = (ghost + (direction - push * direction.dot(push)) * 0.5)
                .clamp(DVec2::new(-1.2, -0.6), DVec2::new(1.2, 0.6));
            prediction.lines = vec![
                line(cue_ball, start, ghost, PathKind::Primary),
                line(cue_ball, ghost, cue_end, PathKind::Collision),
                line(
                    hit.track_id,
                    hit.position_in_table,
                    object_end,
                    PathKind::Collision,
                ),
            ];
            prediction.ghost_balls = vec![GhostBall {
                ball: cue_ball,
                position: ghost,
            }];
            prediction.collisions = vec![PredictedCollision {
                ball: cue_ball,
                contact: PredictedContact::Ball(hit.track_id),
                position: ghost,
                angle: 0.3,
                time: 0.4,
                confidence: 0.9,
            }];
            prediction.rest = vec![
                rest(cue_ball, cue_end),
                PredictedRest {
                    pocketed: Some(PocketName::TopRight),
                    ..rest(hit.track_id, object_end)
                },
            ];
        }
        None => {
            let back = wall + DVec2::new(-0.7, 0.7 * direction.y);
            prediction.lines = vec![
                line(cue_ball, start, wall, PathKind::Primary),
                line(cue_ball, wall, back, PathKind::Reflection),
            ];
            prediction.collisions = vec![PredictedCollision {
                ball: cue_ball,
                contact: PredictedContact::Cushion,
                position: wall,
                angle: 0.3,
                time: 0.6,
                confidence: 0.9,
            }];
            prediction.rest = vec![rest(cue_ball, back)];
        }
    }
    prediction
}

/// Cloth, pockets and balls as discs of flat colour.
struct Canvas {
    empty_table: Vec<u8>,
}

impl Canvas {
    fn new(table: &TableGeometry) -> Self {
        let [w, h] = SIZE.map(|side| side as usize);
        let mut bytes = [vec![44; w * h], vec![130; w * h / 4], vec![126; w * h / 4]].concat();
        for i in 0..160 {
            for j in 0..80 {
                let at = DVec2::new(f64::from(i) / 160.0 - 0.5, f64::from(j) / 80.0 - 0.5);
                let center = table
                    .image_from_table
                    .apply(at * DVec2::new(table.length, table.width));
                disc(
                    &mut bytes,
                    CircleInImage { center, radius: 5.0 },
                    [20.0, 110.0, 90.0],
                );
            }
        }
        for pocket in table.pockets_in_image {
            disc(&mut bytes, pocket, [8.0, 8.0, 10.0]);
        }
        Self { empty_table: bytes }
    }

    fn draw(&self, snapshot: &Snapshot, table: &TableGeometry) -> Result<Picture, Failure> {
        let mut bytes = self.empty_table.clone();
        for ball in &snapshot.balls {
            let hue = f32::from(ball.track_id.0 as u8) * 12.0;
            let rgb = match ball.kind {
                BallKind::Cue => [240.0, 238.0, 228.0],
                _ => [60.0 + hue, 90.0, 230.0 - hue],
            };
            disc(&mut bytes, table.ball_in_image(ball.position_in_table), rgb);
        }
        let [width, height] = SIZE;
        Ok(Picture::new(
            PixelFormat::Yuv420,
            width,
            height,
            ColorEncoding::default(),
            bytes,
        )?)
    }
}

fn disc(bytes: &mut [u8], circle: CircleInImage, rgb: [f32; 3]) {
    let [w, h] = SIZE.map(|side| side as usize);
    let yuv = ColorEncoding::default()
        .yuv_from_rgb(rgb)
        .map(|sample| sample as u8);
    let (center, radius) = (circle.center, circle.radius);
    for y in (center.y - radius).max(0.0) as usize..((center.y + radius) as usize + 1).min(h) {
        for x in (center.x - radius).max(0.0) as usize..((center.x + radius) as usize + 1).min(w) {
            if DVec2::new(x as f64, y as f64).distance(center) <= radius {
                let chroma = (y / 2) * (w / 2) + x / 2;
                bytes[y * w + x] = yuv[0];
                bytes[w * h + chroma] = yuv[1];
                bytes[w * h + w * h / 4 + chroma] = yuv[2];
            }
        }
    }
}
