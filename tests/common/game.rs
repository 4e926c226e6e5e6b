//! A simulated game as a room and a real camera disturb it: hands and arms lie over the table, frames are lost or come late.

use std::sync::Arc;

use bevy_app::App;
use ghostball::capture::PendingFrame;
use ghostball::config::Config;
use ghostball::simulation::{
    GroundTruth, Hall, Player, Random, Renderer, Scene, SceneArm, SimulationOptions,
};
use ghostball::world::{BallKind, Frame, Stamp};
use glam::DVec2;

/// Share of the frames that never arrive, and of those taken late, by up to most of the time to the next.
const LOST: f64 = 0.02;
const LATE: f64 = 0.03;
const LATEST: f64 = 0.8;
/// Somebody reaches over the table so often, every so many seconds on average, for so long, seconds.
const REACH_EVERY_SECS: f64 = 15.0;
const REACH_SECS: [f64; 2] = [0.5, 6.0];
/// A hand comes and goes in this time, seconds, from this far away, metres.
const ARRIVE_SECS: f64 = 0.4;
const ARRIVE_FROM: f64 = 0.9;
/// The bridge hand lies this far behind the cue ball, metres.
const BRIDGE: f64 = 0.25;

/// The games to play.
pub struct Games {
    pub seeds: Vec<u64>,
    /// Of each game.
    pub frames: u32,
    /// They were asked for: `GHOSTBALL_SEEDS=20` plays so many to fifteen hundred frames; without it two are begun.
    pub are_asked_for: bool,
}

impl Games {
    pub fn from_environment() -> Self {
        let asked = std::env::var("GHOSTBALL_SEEDS").map(|seeds| seeds.parse());
        match asked {
            Ok(Ok(games)) => Self {
                seeds: (1..=games).collect(),
                frames: 1_500,
                are_asked_for: true,
            },
            _ => Self {
                seeds: vec![1, 5],
                frames: 500,
                are_asked_for: false,
            },
        }
    }
}

/// Somebody's arm, and when it comes and goes, seconds.
struct Reach {
    arm: SceneArm,
    from: f64,
    until: f64,
}

impl Reach {
    /// The arm at `now`, somewhere on its way.
    fn at(&self, now: f64) -> Option<SceneArm> {
        let come = ((now - self.from) / ARRIVE_SECS).min((self.until - now) / ARRIVE_SECS);
        let away = ARRIVE_FROM * (1.0 - come.min(1.0));
        (come > 0.0).then(|| SceneArm {
            hand_in_table: self.arm.hand_in_table - away * self.arm.direction,
            ..self.arm
        })
    }
}

/// The assembled pipeline, fed by a disturbed game whose truth is known for every frame.
pub struct DisturbedGame {
    pub app: App,
    player: Player,
    renderer: Renderer,
    scene: Scene,
    options: SimulationOptions,
    random: Random,
    reach: Option<Reach>,
    /// Of the playing surface, metres.
    pub half_size: DVec2,
    /// Of the camera's clock.
    next_tick: u64,
    delivered: u64,
}

impl DisturbedGame {
    pub fn new(options: SimulationOptions) -> Self {
        let mut app = ghostball::app::build(&Config::default(), None);
        app.finish();
        app.cleanup();
        let Hall { table, look, pose } = Hall::well_kept(options.game, options.seed);
        let (width, height, seed) = (options.width, options.height, options.seed);
        Self {
            app,
            half_size: table.half_size(),
            player: Player::new(options.game, table.clone(), seed),
            renderer: Renderer::new(table, look, &pose, width, height, seed).unwrap(),
            scene: Scene::default(),
            options,
            random: Random::for_purpose(seed, 77),
            reach: None,
            next_tick: 0,
            delivered: 0,
        }
    }

    /// Renders the next frame that arrives, sends it through the pipeline, and says what is really there, and what touched
    /// since the one before.
    pub fn step(&mut self) -> GroundTruth {
        let mut truth = GroundTruth::default();
        let mut contacts = Vec::new();
        let mut frame = Frame::default();
        loop {
            let is_lost = self.delivered > 0 && self.random.chance(LOST);
            let is_late = self.random.chance(LATE);
            let late = if is_late {
                self.random.between(0.0, LATEST)
            } else {
                0.0
            };
            let now = (self.next_tick as f64 + late) / self.options.fps;
            self.next_tick += 1;
            self.player.play_until(now, &mut self.scene);
            contacts.extend_from_slice(self.player.contacts());
            self.scene.arm = self.arm(now);
            if is_lost {
                continue;
            }
            let (renderer, format) = (&mut self.renderer, self.options.format);
            renderer
                .render(&self.scene, format, &mut frame.picture, &mut truth)
                .unwrap();
            frame.sequence = self.next_tick;
            frame.captured_at = Stamp::from_nanos((now * 1e9) as u64);
            truth.time_secs = now;
            break;
        }
        truth.frame_number = self.delivered;
        truth.contacts = contacts;
        self.delivered += 1;
        self.app.insert_resource(PendingFrame(Some(Arc::new(frame))));
        self.app.update();
        truth
    }

    fn arm(&mut self, now: f64) -> Option<SceneArm> {
        if self.reach.as_ref().is_some_and(|reach| now > reach.until) {
            self.reach = None;
        }
        if self.reach.is_none() && self.random.chance(1.0 / (REACH_EVERY_SECS * self.options.fps)) {
            self.reach = Some(self.somebody(now));
        }
        self.reach
            .as_ref()
            .and_then(|reach| reach.at(now))
            .or_else(|| self.bridge())
    }

    /// Somebody who reaches over a long rail.
    fn somebody(&mut self, now: f64) -> Reach {
        let random = &mut self.random;
        let half = self.half_size;
        let hand_in_table = DVec2::new(random.between(-half.x, half.x), random.between(-half.y, half.y));
        let inward = if hand_in_table.y < 0.0 {
            DVec2::Y
        } else {
            DVec2::NEG_Y
        };
        let direction = DVec2::from_angle(random.between(-0.6, 0.6)).rotate(inward);
        let [shortest, longest] = REACH_SECS;
        Reach {
            arm: SceneArm {
                hand_in_table,
                direction,
                spread: random.between(0.0, 0.4),
                bare_share: random.between(0.1, 1.0),
                skin: [198, 134, 96],
                sleeve: [0; 3].map(|_| random.between(20.0, 200.0) as u8),
            },
            from: now,
            until: now + random.between(shortest, longest) + 2.0 * ARRIVE_SECS,
        }
    }

    /// The hand that the stick lies on, while it does.
    fn bridge(&self) -> Option<SceneArm> {
        let cue = self.scene.cue?;
        let ball = self.scene.balls.iter().find(|ball| ball.kind == BallKind::Cue)?;
        let is_at_ball = !ball.is_moving && ball.position_in_table.distance(cue.tip.truncate()) < BRIDGE;
        is_at_ball.then(|| SceneArm {
            hand_in_table: ball.position_in_table - BRIDGE * cue.direction,
            direction: DVec2::from_angle(0.35).rotate(cue.direction),
            spread: 0.2,
            bare_share: 0.7,
            skin: [224, 172, 138],
            sleeve: [60, 60, 70],
        })
    }
}
