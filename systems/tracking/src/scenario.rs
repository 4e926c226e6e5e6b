//! Shots on a table in code, seen through an imperfect camera: what the tests follow.

use ghostball_physics::{BallState, Limits, Physics, Simulator, Strike, TableShape, strike};
use ghostball_world::{BallKind, CircleInImage, TableGeometry};
use glam::DVec2;

use crate::bed::tests::geometry;
use crate::identity::Label;
use crate::tracks::SeenBall;

/// A seeded stream of random numbers (SplitMix64, Steele, Lea & Flood 2014).
pub(crate) struct Random(pub u64);

impl Random {
    /// Uniform from 0 to 1.
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) as f64 / u64::MAX as f64
    }

    /// Normal with standard deviation 1: twelve uniforms less their mean.
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

/// The faults of the camera and the detector.
#[derive(Clone, Copy)]
pub(crate) struct Faults {
    pub noise_px: f64,
    /// Chance that a ball is not seen in a frame.
    pub miss: f64,
    /// False sightings per frame.
    pub ghosts: f64,
    /// Chance that a kind is mistaken.
    pub wrong_kind: f64,
    /// Every picture is shown this many times.
    pub shown: u32,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            noise_px: 0.4,
            miss: 0.0,
            ghosts: 0.0,
            wrong_kind: 0.0,
            shown: 1,
        }
    }
}

pub(crate) const FPS: f64 = 30.0;

/// One frame: where the balls truly are (`None` in a pocket), how fast they go, and what is seen.
pub(crate) struct Scene {
    pub truth: Vec<Option<(DVec2, DVec2)>>,
    pub seen: Vec<SeenBall>,
}

/// The balls that a scenario starts with; the first is the cue ball.
pub(crate) fn label_of(ball: usize) -> Label {
    match ball {
        0 => Label {
            kind: BallKind::Cue,
            number: None,
        },
        8 => Label {
            kind: BallKind::Eight,
            number: Some(8),
        },
        n if n < 8 => Label {
            kind: BallKind::Solid,
            number: Some(n as u8),
        },
        n => Label {
            kind: BallKind::Stripe,
            number: Some(n as u8),
        },
    }
}

/// `still_frames` of the balls at rest, then the first of them struck at `stick_speed` m/s towards `direction`
/// radians, until `frames` are full.
pub(crate) fn shot(
    places: &[DVec2],
    stick_speed: f64,
    direction: f64,
    still_frames: u32,
    frames: u32,
    faults: Faults,
    seed: u64,
) -> Vec<Scene> {
    let geometry = geometry();
    let mut physics = Physics::default();
    physics.ball.radius = geometry.ball_radius;
    let table = TableShape::pool(geometry.length, geometry.width, geometry.ball_radius);
    let stroke = Strike {
        stick_speed,
        direction,
        ..Strike::default()
    };
    let (velocity, spin) = strike(&physics.ball, &stroke);
    let balls: Vec<BallState> = places
        .iter()
        .enumerate()
        .map(|(n, place)| match n {
            0 => BallState::moving(*place, velocity, spin),
            _ => BallState::at_rest(*place),
        })
        .collect();
    let mut simulator = Simulator::new();
    let shot = simulator
        .run(&table, &physics, &balls, &Limits::default())
        .unwrap();
    let mut random = Random(seed);
    let mut scenes: Vec<Scene> = Vec::new();
    for frame in 0..frames {
        let taken = frame - frame % faults.shown;
        // Struck a third of a frame before the first frame that shows it.
        let time = (f64::from(taken) - f64::from(still_frames) + 0.34) / FPS;
        let truth: Vec<_> = (0..places.len())
            .map(|ball| {
                if time < 0.0 {
                    return Some((places[ball], DVec2::ZERO));
                }
                let state = shot.state_at(ball, time).unwrap();
                (!state.motion.is_pocketed()).then_some((state.position, state.velocity))
            })
            .collect();
        let seen = match scenes.last() {
            Some(before) if frame != taken => before.seen.clone(),
            _ => look(&truth, &geometry, faults, &mut random),
        };
        scenes.push(Scene { truth, seen });
    }
    scenes
}

fn look(
    truth: &[Option<(DVec2, DVec2)>],
    geometry: &TableGeometry,
    faults: Faults,
    random: &mut Random,
) -> Vec<SeenBall> {
    let mut seen = Vec::new();
    for (ball, state) in truth.iter().enumerate() {
        let Some((position, _)) = state else { continue };
        let missed = random.uniform() < faults.miss;
        let noise = DVec2::new(random.normal(), random.normal()) * faults.noise_px;
        let mistaken = random.uniform() < faults.wrong_kind;
        let label = label_of(if mistaken {
            (random.uniform() * 16.0) as usize
        } else {
            ball
        });
        let center = geometry.image_from_table.apply(*position) + noise;
        if !missed {
            seen.push(seen_ball(geometry, center, label, 0.9));
        }
    }
    if random.uniform() < faults.ghosts {
        let center = DVec2::new(random.uniform() * 1270.0, random.uniform() * 635.0) + 100.0;
        seen.push(seen_ball(
            geometry,
            center,
            label_of((random.uniform() * 16.0) as usize),
            0.5,
        ));
    }
    // Detection reports in an order of its own.
    let shift = (random.uniform() * seen.len() as f64) as usize;
    let shift = shift.min(seen.len());
    seen.rotate_left(shift);
    seen
}

pub(crate) fn seen_ball(geometry: &TableGeometry, center: DVec2, label: Label, confidence: f64) -> SeenBall {
    let position = geometry.table_from_image.apply(center);
    SeenBall {
        position,
        metres_per_px: 1.0 / geometry.image_from_table.scale_at(position),
        streak: None,
        circle: CircleInImage { center, radius: 14.3 },
        label,
        confidence,
    }
}
