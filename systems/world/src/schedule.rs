//! The order of things, declared once.

use bevy_app::{App, MainScheduleOrder, Plugin, Update};
use bevy_ecs::prelude::*;
use bevy_ecs::schedule::{LogLevel, ScheduleBuildSettings, ScheduleLabel, SingleThreadedExecutor};

use crate::{
    AdmittedChange, Alert, CurrentFrame, FrameClock, LatestSnapshot, Predictions, Remember as _, Sightings,
    StageTimes, Table, TableEvent, TableGeometry, TableSpecification, snapshot,
};

/// Runs once per camera frame, inside the main schedule.
#[derive(ScheduleLabel, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FrameTick;

/// Runs when no frame has come for a while: camera state, alerts, keep-alive. Never during a replay. Same order of
/// [`FrameSystems`] as [`FrameTick`].
#[derive(ScheduleLabel, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IdleTick;

/// The stages of a frame, in this order. A system says `.in_set(…)` and nothing more.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FrameSystems {
    /// Responsible for taking the frame in and moving the [`FrameClock`] to it. Filled by `ghostball_capture`.
    Admit,
    /// Responsible for [`Sightings`] and the table entity. Filled by `ghostball_detection`.
    Detect,
    /// Responsible for ball and cue entities. and [`TableEvent`]s. Filled by `ghostball_tracking`.
    Track,
    /// Responsible for [`Predictions`]. Filled by `ghostball_trajectory`.
    Predict,
    /// Responsible for the [`LatestSnapshot`]. Filled by [`WorldPlugin`].
    Snapshot,
    /// Responsible for what is written to disk. Filled by `ghostball_recording`.
    Record,
    /// Responsible for handing the snapshot to the network. Filled by `ghostball_broadcast`.
    Publish,
}

/// Puts the schedules and shared resources in place. Goes in before every other plugin.
pub struct WorldPlugin;

impl Plugin for WorldPlugin {
    fn build(&self, app: &mut App) {
        app.add_schedule(strictly_ordered(FrameTick))
            .add_schedule(strictly_ordered(IdleTick));
        app.world_mut()
            .resource_mut::<MainScheduleOrder>()
            .insert_after(Update, FrameTick);
        let in_order = (
            FrameSystems::Admit,
            FrameSystems::Detect,
            FrameSystems::Track,
            FrameSystems::Predict,
            FrameSystems::Snapshot,
            FrameSystems::Record,
            FrameSystems::Publish,
        );
        app.configure_sets(FrameTick, in_order.chain());
        app.configure_sets(IdleTick, in_order.chain());
        app.init_resource::<FrameClock>()
            .init_resource::<AdmittedChange>()
            .init_resource::<CurrentFrame>()
            .init_resource::<TableSpecification>()
            .init_resource::<Sightings>()
            .init_resource::<Predictions>()
            .init_resource::<LatestSnapshot>()
            .init_resource::<StageTimes>()
            .remember::<FrameClock>("the frame clock")
            .remember::<TableSpecification>("the table's sizes")
            .remember::<Predictions>("predictions")
            .remember_with("the table", table, lay_table)
            .add_message::<Alert>()
            .add_message::<TableEvent>()
            .add_systems(FrameTick, snapshot::take_snapshot.in_set(FrameSystems::Snapshot));
    }
}

fn table(world: &mut World) -> Option<TableGeometry> {
    let mut tables = world.query_filtered::<&TableGeometry, With<Table>>();
    tables.iter(world).next().copied()
}

fn lay_table(world: &mut World, table: Option<TableGeometry>) {
    if let Some(geometry) = table {
        world.spawn((Table, geometry));
    }
}

/// One thread and no undecided order: the same input gives the same output, and an order that nobody declared
/// fails at start-up rather than now and then.
fn strictly_ordered(label: impl ScheduleLabel) -> Schedule {
    let mut schedule = Schedule::new(label);
    schedule
        .set_executor(SingleThreadedExecutor::new())
        .set_build_settings(ScheduleBuildSettings {
            ambiguity_detection: LogLevel::Error,
            hierarchy_detection: LogLevel::Error,
            ..Default::default()
        });
    schedule
}
