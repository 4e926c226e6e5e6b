//! Detection in the app.

use std::sync::Arc;
use std::time::Duration;

use bevy_app::{App, Plugin};
use bevy_ecs::prelude::*;
use ghostball_world::{
    Alert, AlertCode, AlertLevel, CurrentFrame, FrameClock, FrameSystems, FrameTick, Remember as _,
    Sightings, Table, TableGeometry, TableSpecification,
};
use serde::{Deserialize, Serialize};

use crate::calibration::Calibration;
use crate::detector::Detector;
use crate::lookout::{LookTerms, Lookout, LookoutMemory};
use crate::memory::DetectorMemory;
use crate::watch::{TableNews, TableWatch, TableWatchSettings};

/// Fills [`FrameSystems::Detect`]: keeps the table's entity and writes the [`Sightings`] of each frame.
pub struct DetectionPlugin;

impl Plugin for DetectionPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<TableWatchSettings>()
            .init_resource::<Eyes>()
            .remember::<Calibration>("the calibration")
            .remember_with("detection", Eyes::memory, Eyes::remember)
            .add_systems(
                FrameTick,
                (take_calibration, see_table, see_balls_and_cue)
                    .chain()
                    .in_set(FrameSystems::Detect),
            )
            // When this frame's work is done: a thread that is woken in its midst may take the processor away from it.
            .add_systems(FrameTick, begin_look.after(FrameSystems::Publish));
    }
}

/// What detection keeps from frame to frame: buffers, and which table to believe.
#[derive(Resource)]
struct Eyes {
    detector: Detector,
    watch: TableWatch,
    lookout: Lookout,
    /// A look is to be begun with this frame.
    wants_look: bool,
    /// The calibration that the table was taken from, and the size of the pictures.
    calibrated: Option<(Calibration, [u32; 2])>,
}

/// What is remembered of [`Eyes`].
#[derive(Serialize, Deserialize)]
struct EyesMemory {
    detector: DetectorMemory,
    watch: TableWatch,
    look: LookoutMemory,
    calibrated: Option<(Calibration, [u32; 2])>,
}

impl Eyes {
    fn memory(world: &mut World) -> Option<EyesMemory> {
        world.get_resource_mut::<Self>().map(|mut eyes| EyesMemory {
            detector: eyes.detector.memory(),
            watch: eyes.watch.clone(),
            look: eyes.lookout.memory(),
            calibrated: eyes.calibrated.clone(),
        })
    }

    fn remember(world: &mut World, memory: Option<EyesMemory>) {
        let Some(memory) = memory else { return };
        world.insert_resource(Self {
            detector: Detector::with_memory(memory.detector),
            watch: memory.watch,
            lookout: Lookout::with_memory(memory.look),
            wants_look: false,
            calibrated: memory.calibrated,
        });
    }
}

impl Eyes {
    fn begin_look(&mut self, frame: &CurrentFrame, specification: &TableSpecification, now: Duration) {
        let Some(frame) = &frame.0 else { return };
        let terms = LookTerms {
            lens: self.detector.lens(),
            ball_by_length: specification
                .ball_radius
                .map(|radius| radius / specification.length)
                .or_else(|| self.watch.ball_by_length(now)),
            width_by_length: specification.width / specification.length,
        };
        self.lookout.begin(Arc::clone(frame), terms, now);
        self.wants_look = false;
    }
}

impl FromWorld for Eyes {
    fn from_world(world: &mut World) -> Self {
        let specification = world
            .get_resource::<TableSpecification>()
            .copied()
            .unwrap_or_default();
        let settings = world
            .get_resource::<TableWatchSettings>()
            .copied()
            .unwrap_or_default();
        Self {
            detector: Detector::new(specification.ball_set),
            watch: TableWatch::new(settings),
            lookout: Lookout::default(),
            wants_look: false,
            calibrated: None,
        }
    }
}

/// Puts the table where a calibration says, in the first frame and whenever pictures change their size. Where they have
/// other proportions than those of the calibration, the table is looked for without it, which is told.
#[allow(clippy::too_many_arguments, reason = "they are what it is about")]
fn take_calibration(
    frame: Res<CurrentFrame>,
    clock: Res<FrameClock>,
    specification: Res<TableSpecification>,
    calibration: Option<Res<Calibration>>,
    mut eyes: ResMut<Eyes>,
    table: Option<Single<Entity, With<Table>>>,
    mut alerts: MessageWriter<Alert>,
    mut commands: Commands,
) {
    let Some((picture, calibration)) = frame.picture().zip(calibration) else {
        return;
    };
    let size = [picture.width(), picture.height()];
    // A new one is taken at once.
    let is_same = |(taken, for_size): &(Calibration, _)| {
        *for_size == size && (!calibration.is_changed() || *taken == *calibration)
    };
    if eyes.calibrated.as_ref().is_some_and(is_same) {
        return;
    }
    let before = eyes.calibrated.replace((calibration.clone(), size));
    let fitted = before.map(|(before, size)| before.sighting_in(size).is_ok());
    let known = calibration.sighting_in(size);
    // Whoever gave one that never fitted is told where the source is opened.
    let news = match (fitted, &known) {
        (Some(true), Err(error)) => Some((
            true,
            AlertLevel::Error,
            format!("{error}; the table is looked for anew"),
        )),
        (Some(false), Ok(_)) => Some((false, AlertLevel::Info, "the calibration fits again".to_owned())),
        _ => None,
    };
    alerts.write_batch(news.map(|(begins, level, text)| Alert {
        level,
        code: AlertCode::CalibrationLost,
        begins,
        text,
    }));
    let known = known.ok();
    eyes.detector.set_lens(known.and_then(|known| known.lens));
    let geometry = known.and_then(|known| TableGeometry::from_sighting(&known, &specification).ok());
    if let (Some(known), Some(geometry)) = (known, geometry) {
        eyes.lookout.abandon();
        eyes.watch.hold(known, size, clock.since_first);
        place(&mut commands, table.map(|table| *table), geometry);
    }
}

/// Looks for the table when it is time to and keeps its entity where it is seen.
fn see_table(
    frame: Res<CurrentFrame>,
    clock: Res<FrameClock>,
    specification: Res<TableSpecification>,
    mut eyes: ResMut<Eyes>,
    table: Option<Single<Entity, With<Table>>>,
    mut alerts: MessageWriter<Alert>,
    mut commands: Commands,
) {
    let Some(picture) = frame.picture() else { return };
    let now = clock.since_first;
    let mut tell = |begins, level, text| {
        alerts.write(Alert {
            level,
            code: AlertCode::CalibrationLost,
            begins,
            text,
        });
    };
    if let Some(planes) = picture.planes()
        && eyes.watch.glance(&planes, now) == TableNews::Lost
    {
        // What is found in a picture from before is no news.
        eyes.lookout.abandon();
        let text = "the camera was moved, or the light changed: the table is looked for anew";
        tell(true, AlertLevel::Error, text.to_owned());
    }
    eyes.wants_look = eyes.watch.wants_look([picture.width(), picture.height()], now);
    if eyes.watch.held().is_none() && eyes.wants_look {
        // There is nothing else to do.
        eyes.begin_look(&frame, &specification, now);
    }
    let begun = eyes.lookout.begun();
    if !begun.is_some_and(|begun| eyes.watch.is_due(begun, now)) {
        return;
    }
    let Some((begun, look)) = eyes.lookout.finish() else {
        return;
    };
    let why = look.seen.as_ref().err().cloned();
    // A quadrilateral that maps to no table is none.
    let seen = look
        .seen
        .ok()
        .filter(|seen| TableGeometry::from_sighting(seen, &specification).is_ok());
    let news = eyes.watch.take(seen, begun);
    eyes.watch.remember(look.noses);
    // It is known now when the next one is due.
    eyes.wants_look = eyes.watch.wants_look([picture.width(), picture.height()], now);
    match news {
        TableNews::None => return,
        TableNews::Lost => {
            let why = why.unwrap_or_else(|| "it is seen elsewhere than before".to_owned());
            tell(
                true,
                AlertLevel::Error,
                format!("no table where one was expected: {why}"),
            );
            return;
        }
        TableNews::Placed(_) => (),
        TableNews::Regained(held) => {
            tell(false, AlertLevel::Info, "the table is found".to_owned());
            // It may be where it was, in another light.
            if let Err(error) = eyes.detector.know_table(picture, &held) {
                tracing::warn!(%error, "a frame could not be analysed");
            }
        }
    }
    let held = eyes.watch.held();
    let Some(geometry) = held.and_then(|held| TableGeometry::from_sighting(held, &specification).ok()) else {
        return;
    };
    place(&mut commands, table.map(|table| *table), geometry);
}

/// Begins the look that is due in this frame.
fn begin_look(
    frame: Res<CurrentFrame>,
    clock: Res<FrameClock>,
    specification: Res<TableSpecification>,
    mut eyes: ResMut<Eyes>,
) {
    if std::mem::take(&mut eyes.wants_look) && eyes.lookout.begun().is_none() {
        eyes.begin_look(&frame, &specification, clock.since_first);
    }
}

/// Keeps the one table's entity.
fn place(commands: &mut Commands, table: Option<Entity>, geometry: TableGeometry) {
    match table {
        Some(entity) => {
            commands.entity(entity).insert(geometry);
        }
        None => {
            commands.spawn((Table, geometry));
        }
    }
}

/// Looks for balls and cue stick on the table that is held.
fn see_balls_and_cue(frame: Res<CurrentFrame>, mut eyes: ResMut<Eyes>, mut sightings: ResMut<Sightings>) {
    let Eyes { detector, watch, .. } = &mut *eyes;
    let seen = match (frame.picture(), watch.held()) {
        (Some(picture), Some(table)) => detector.see_balls_and_cue(picture, table, &mut sightings),
        _ => {
            sightings.balls.clear();
            sightings.cue = None;
            Ok(())
        }
    };
    if let Err(error) = seen {
        tracing::warn!(%error, "a frame could not be analysed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{BALLS, Drawn, draw};
    use ghostball_world::{Frame, Picture, PixelFormat, WorldPlugin};

    fn app() -> App {
        let mut app = App::new();
        app.add_plugins((WorldPlugin, DetectionPlugin));
        app
    }

    /// Runs one frame `millis` after the first and gives the alerts it raised.
    fn show(app: &mut App, picture: &Picture, millis: u64) -> Vec<Alert> {
        let frame = Frame {
            picture: picture.clone(),
            ..Frame::default()
        };
        app.world_mut().resource_mut::<CurrentFrame>().0 = Some(Arc::new(frame));
        app.world_mut().resource_mut::<FrameClock>().since_first = Duration::from_millis(millis);
        app.update();
        let mut alerts = app.world_mut().resource_mut::<Messages<Alert>>();
        alerts.drain().collect()
    }

    #[test]
    fn one_table_entity_and_the_balls_of_the_first_frame_are_there_after_it() {
        let mut app = app();
        let picture = draw(&Drawn::default());
        for frame in 0..3 {
            assert_eq!(show(&mut app, &picture, 33 * frame), []);
        }
        let mut tables = app.world_mut().query::<(&Table, &TableGeometry)>();
        assert_eq!(tables.iter(app.world()).count(), 1);
        assert_eq!(app.world().resource::<Sightings>().balls.len(), BALLS.len());
    }

    #[test]
    fn a_table_that_goes_out_of_sight_raises_one_alert_and_another_when_it_is_back() {
        let mut app = app();
        let table = draw(&Drawn::default());
        let mut dark = Picture::default();
        dark.reshape(PixelFormat::Yuv420, 800, 450, table.color())
            .unwrap()
            .fill(90);
        let mut alerts = Vec::new();
        for second in 0..40 {
            let picture = if (10..20).contains(&second) { &dark } else { &table };
            alerts.extend(
                show(&mut app, picture, 1000 * second)
                    .into_iter()
                    .map(|alert| alert.begins),
            );
        }
        assert_eq!(alerts, [true, false]);
        assert_eq!(app.world_mut().query::<&Table>().iter(app.world()).count(), 1);
    }
}
