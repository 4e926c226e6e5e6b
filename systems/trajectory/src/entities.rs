//! Entities in, predictions out: the only module that knows bevy's queries.

use std::collections::BTreeMap;

use bevy_ecs::prelude::*;
use ghostball_world::{
    Ball, BallKind, Confidence, Cue, CuePose, FrameClock, PositionInTable, Predictions, TableGeometry,
    TrackId, VelocityInTable,
};
use glam::DVec2;
use serde::{Deserialize, Serialize};

use crate::predictor::{PredictConfig, Predictor, PredictorMemory};
use crate::scene::BallOnTable;

/// What prediction remembers from frame to frame.
#[derive(Resource)]
pub(crate) struct Memory {
    predictor: Predictor,
    balls: Vec<BallOnTable>,
    /// Seconds since each ball started from rest, in order of name, so that nothing depends on hashing; infinite for one that
    /// was found in motion.
    moving_secs: BTreeMap<TrackId, f64>,
}

impl FromWorld for Memory {
    fn from_world(world: &mut World) -> Self {
        Self {
            predictor: Predictor::new(*world.get_resource_or_init::<PredictConfig>()),
            balls: Vec::new(),
            moving_secs: BTreeMap::new(),
        }
    }
}

/// What is remembered of [`Memory`], and the only thing in [`PredictConfig`] that changes while the program runs.
#[derive(Serialize, Deserialize)]
pub(crate) struct Remembered {
    assumed_speed: f64,
    predictor: PredictorMemory,
    moving_secs: BTreeMap<TrackId, f64>,
}

impl Memory {
    pub(crate) fn remembered(world: &mut World) -> Option<Remembered> {
        let config = world.get_resource::<PredictConfig>()?;
        world.get_resource::<Self>().map(|memory| Remembered {
            assumed_speed: config.assumed_speed,
            predictor: memory.predictor.memory(),
            moving_secs: memory.moving_secs.clone(),
        })
    }

    pub(crate) fn remember(world: &mut World, remembered: Option<Remembered>) {
        let Some(remembered) = remembered else { return };
        let mut config = world.get_resource_or_init::<PredictConfig>();
        config.assumed_speed = remembered.assumed_speed;
        let config = *config;
        world.insert_resource(Self {
            predictor: Predictor::with_memory(config, remembered.predictor),
            balls: Vec::new(),
            moving_secs: remembered.moving_secs,
        });
    }
}

type BallData<'a> = (
    &'a TrackId,
    &'a BallKind,
    &'a PositionInTable,
    &'a VelocityInTable,
    &'a Confidence,
);

/// Predicts where the balls will go, if anything has changed since the last time.
pub(crate) fn predict(
    clock: Res<FrameClock>,
    config: Res<PredictConfig>,
    table: Option<Single<&TableGeometry>>,
    balls: Query<BallData, With<Ball>>,
    cue: Option<Single<&CuePose, With<Cue>>>,
    mut memory: ResMut<Memory>,
    mut predictions: ResMut<Predictions>,
) {
    let memory = &mut *memory;
    let Some(geometry) = table else {
        if predictions.current.is_some() {
            predictions.current = None;
        }
        memory.predictor.clear();
        return;
    };
    let dt_secs = clock.dt.as_secs_f64();
    memory.balls.clear();
    for (id, kind, position, velocity, confidence) in &balls {
        let moving_secs = memory.moving_secs.entry(*id).or_insert(f64::INFINITY);
        if velocity.0 == DVec2::ZERO {
            *moving_secs = 0.0;
        } else {
            *moving_secs += dt_secs;
        }
        memory.balls.push(BallOnTable {
            id: *id,
            kind: *kind,
            position: position.0,
            velocity: velocity.0,
            moving_secs: *moving_secs,
            confidence: confidence.0,
        });
    }
    memory.balls.sort_unstable_by_key(|ball| ball.id);
    let present = &memory.balls;
    memory
        .moving_secs
        .retain(|id, _| present.binary_search_by_key(id, |ball| ball.id).is_ok());
    let cue = cue.as_deref().copied();
    if memory.predictor.is_news(&config, &geometry, &memory.balls, cue) {
        memory.predictor.predict(&mut predictions.current);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bevy_app::App;
    use ghostball_world::{FrameTick, Origin, Stamp, Table, WorldPlugin};

    use super::*;
    use crate::PredictPlugin;
    use crate::scene::tests::geometry;

    fn app() -> App {
        let mut app = App::new();
        app.add_plugins((WorldPlugin, PredictPlugin));
        app.world_mut().spawn((Table, geometry()));
        app
    }

    fn tick(app: &mut App) {
        let world = app.world_mut();
        let mut clock = world.resource_mut::<FrameClock>();
        let next = clock.captured_at.nanos + Duration::from_millis(33).as_nanos() as u64;
        clock.advance_to(Stamp::from_nanos(next));
        world.run_schedule(FrameTick);
    }

    fn spawn_ball(app: &mut App, id: u32, place: DVec2, velocity: DVec2) -> Entity {
        let ball = (
            Ball { radius: 0.028575 },
            TrackId(id),
            PositionInTable(place),
            VelocityInTable(velocity),
            Confidence(0.9),
        );
        app.world_mut().spawn(ball).id()
    }

    fn origin(app: &App) -> Option<Origin> {
        let predictions = app.world().resource::<Predictions>();
        predictions.current.as_ref().map(|prediction| prediction.origin)
    }

    #[test]
    fn a_moving_ball_is_predicted_until_it_stops() {
        let mut app = app();
        let ball = spawn_ball(&mut app, 1, DVec2::ZERO, DVec2::X);
        tick(&mut app);
        assert_eq!(origin(&app), Some(Origin::Motion));
        app.world_mut()
            .entity_mut(ball)
            .insert(VelocityInTable(DVec2::ZERO));
        tick(&mut app);
        assert_eq!(origin(&app), None);
    }

    #[test]
    fn an_aimed_stick_is_predicted_until_it_is_gone() {
        let mut app = app();
        spawn_ball(&mut app, 1, DVec2::ZERO, DVec2::ZERO);
        let pose = CuePose {
            tip_in_table: DVec2::new(-0.1, 0.0),
            butt_in_table: DVec2::new(-0.9, 0.1),
            confidence: 0.8,
            direction_sigma: 0.0,
        };
        let cue = app.world_mut().spawn((Cue, pose)).id();
        tick(&mut app);
        assert_eq!(origin(&app), Some(Origin::Aim));
        app.world_mut().despawn(cue);
        tick(&mut app);
        assert_eq!(origin(&app), None);
    }

    #[test]
    fn without_a_table_nothing_is_predicted() {
        let mut app = App::new();
        app.add_plugins((WorldPlugin, PredictPlugin));
        spawn_ball(&mut app, 1, DVec2::ZERO, DVec2::X);
        tick(&mut app);
        assert_eq!(origin(&app), None);
    }

    #[test]
    fn predictions_are_not_touched_while_the_table_is_still() {
        let mut app = app();
        spawn_ball(&mut app, 1, DVec2::ZERO, DVec2::ZERO);
        tick(&mut app);
        let before = app
            .world()
            .get_resource_ref::<Predictions>()
            .unwrap()
            .last_changed();
        tick(&mut app);
        let after = app
            .world()
            .get_resource_ref::<Predictions>()
            .unwrap()
            .last_changed();
        assert_eq!(before, after);
    }
}
