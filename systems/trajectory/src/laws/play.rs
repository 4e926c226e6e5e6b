//! A stretch as the physics engine plays it.

use ghostball_physics::{BallState, Event, EventKind, Limits, Physics, Shot, Simulator, TableShape};
use ghostball_world::TableGeometry;
use glam::DVec2;

use super::{Laws, Stretch};
use crate::scene::{self, Scene};

/// A ball alone on its way meets a handful of cushions; more events than this are no way of a ball.
const MOST_EVENTS: usize = 200;

/// Where a stretch starts, how fast, and how the ball's lowest point slips over the cloth there.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Start {
    /// Metres in table space.
    pub position: DVec2,
    /// m/s.
    pub velocity: DVec2,
    /// m/s; zero for a ball that rolls, the velocity for one without spin.
    pub slip: DVec2,
    /// Speed at its equator of a ball's turning about the vertical, m/s: only cushions show it.
    pub side: f64,
}

impl Start {
    pub const COUNT: usize = 7;

    pub fn stepped(&self, step: &[f64; Self::COUNT]) -> Self {
        let [px, py, vx, vy, ux, uy, side] = *step;
        Self {
            position: self.position + DVec2::new(px, py),
            velocity: self.velocity + DVec2::new(vx, vy),
            slip: self.slip + DVec2::new(ux, uy),
            side: self.side + side,
        }
    }
}

/// Plays stretches on one table.
#[derive(Clone, Debug)]
pub(super) struct Player {
    shape: TableShape,
    physics: Physics,
    simulator: Simulator,
}

impl Player {
    pub fn new(geometry: &TableGeometry, physics: Physics) -> Self {
        let mut scene = Scene::new(physics);
        scene.set_table(geometry);
        Self {
            shape: scene.shape,
            physics: scene.physics,
            simulator: Simulator::new(),
        }
    }

    /// The ball's way for `secs` seconds; `None` where the engine refuses it.
    pub fn play(&mut self, laws: Laws, start: &Start, secs: f64) -> Option<&Shot> {
        let physics = laws.applied_to(self.physics);
        let radius = physics.ball.radius;
        let mut position = start.position;
        scene::keep_on_bed(&self.shape, &mut position, radius);
        // Without slip a ball that rolls turns as (v − u) / R says.
        let spin = (start.velocity - start.slip).perp() / radius;
        let ball = BallState::moving(position, start.velocity, spin.extend(start.side / radius));
        let limits = Limits {
            events: MOST_EVENTS,
            time: secs,
        };
        self.simulator.run(&self.shape, &physics, &[ball], &limits).ok()
    }

    /// Tells `each` how far the played ball is, metres, from each of the first `count` places of `stretch`.
    pub fn misses(
        &mut self,
        laws: Laws,
        start: &Start,
        stretch: &Stretch,
        count: usize,
        mut each: impl FnMut(DVec2),
    ) -> Option<()> {
        let seen = stretch.seen.get(..count)?;
        let shot = self.play(laws, start, seen.last()?.0)?;
        for (time, position) in seen {
            each(shot.state_at(0, *time)?.position - *position);
        }
        Some(())
    }

    /// How often the ball meets a cushion.
    pub fn bounces(&mut self, laws: Laws, start: &Start, secs: f64) -> usize {
        self.play(laws, start, secs).map_or(0, |shot| {
            let bounces =
                |event: &&Event| matches!(event.kind, EventKind::Cushion { .. } | EventKind::Jaw { .. });
            shot.events.iter().filter(bounces).count()
        })
    }
}
