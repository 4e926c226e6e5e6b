//! The tracker's beliefs as entities.

use std::collections::BTreeMap;

use bevy_ecs::prelude::*;
use bevy_ecs::query::QueryData;
use ghostball_world::{
    AimedAt, Alert, Ball, BallKind, BallNumber, Confidence, Cue, CueInImage, CuePose, CueState, FrameClock,
    Hidden, Motion, PositionInTable, Predictions, SeenInImage, Sightings, TableEvent, TableGeometry, TrackId,
    VelocityInTable,
};
use serde::{Deserialize, Serialize};

use crate::bed::Bed;
use crate::continuity::{self, Continuity};
use crate::cue::{CueFollower, SeenCue};
use crate::events::{Context, EventTeller, Moment};
use crate::identity::Label;
use crate::stick::pose_of;
use crate::swing::AimedBall;
use crate::track::Track;
use crate::tracks::{BallTracker, SeenBall, Tick};

/// What tracking remembers from frame to frame. In order of track, so that nothing depends on hashing.
#[derive(Resource, Default, Serialize, Deserialize)]
pub(crate) struct Followed {
    tracker: BallTracker,
    #[serde(skip)]
    entities: BTreeMap<TrackId, Entity>,
    geometry: Option<TableGeometry>,
    continuity: Continuity,
    #[serde(skip)]
    seen: Vec<SeenBall>,
}

/// What events are told from.
#[derive(Resource, Default, Serialize, Deserialize)]
pub(crate) struct Told(EventTeller);

/// All of a ball's components.
#[derive(QueryData)]
#[query_data(mutable)]
pub(crate) struct BallParts {
    ball: &'static mut Ball,
    kind: &'static mut BallKind,
    number: &'static mut BallNumber,
    position: &'static mut PositionInTable,
    velocity: &'static mut VelocityInTable,
    motion: &'static mut Motion,
    confidence: &'static mut Confidence,
    seen: Option<&'static mut SeenInImage>,
    hidden: Option<&'static mut Hidden>,
}

/// Follows the balls through the sightings of this frame.
pub(crate) fn follow_balls(
    mut commands: Commands,
    clock: Res<FrameClock>,
    sightings: Res<Sightings>,
    table: Option<Single<&TableGeometry>>,
    mut followed: ResMut<Followed>,
    mut balls: Query<BallParts>,
    mut alerts: MessageWriter<Alert>,
) {
    let followed = &mut *followed;
    let verdict = followed.continuity.follow(clock.captured_at);
    if let Some(begins) = verdict.report {
        alerts.write(continuity::alert(begins));
    }
    let tick = Tick {
        dt_secs: clock.dt.as_secs_f64(),
        jumped_back: verdict.jumped_back || verdict.is_shuffled,
    };
    match table {
        Some(geometry) => {
            let bed = Bed::of(&geometry);
            map_sightings(&sightings, &geometry, &mut followed.seen);
            if let Some(before) = followed.geometry.replace(**geometry)
                && before != **geometry
            {
                let remap = |place| {
                    geometry
                        .table_from_image
                        .apply(before.image_from_table.apply(place))
                };
                followed.tracker.recalibrated(&followed.seen, &bed, remap);
            }
            let tip = sightings
                .cue
                .map(|cue| geometry.table_from_image.apply(cue.tip_in_image));
            followed.tracker.follow(tick, &followed.seen, &bed, tip);
        }
        None => {
            followed.tracker.clear();
            followed.geometry = None;
        }
    }
    let radius = followed.geometry.map_or(0.0, |geometry| geometry.ball_radius);
    let tracks = followed.tracker.tracks();
    followed.entities.retain(|id, entity| {
        let stays = tracks.binary_search_by_key(id, |track| track.id).is_ok();
        if !stays {
            commands.entity(*entity).despawn();
        }
        stays
    });
    for track in tracks {
        match followed.entities.get(&track.id) {
            Some(entity) => {
                if let Ok(parts) = balls.get_mut(*entity) {
                    write(&mut commands, *entity, parts, track, radius);
                }
            }
            None => {
                let entity = spawn(&mut commands, track, radius);
                followed.entities.insert(track.id, entity);
            }
        }
    }
}

/// Tells what happened, from the balls as they were followed in this frame.
pub(crate) fn tell_events(
    clock: Res<FrameClock>,
    followed: Res<Followed>,
    cue: Res<FollowedCue>,
    predictions: Option<Res<Predictions>>,
    mut told: ResMut<Told>,
    mut events: MessageWriter<TableEvent>,
) {
    let Some(geometry) = &followed.geometry else {
        told.0.clear();
        return;
    };
    let moment = Moment {
        now: clock.since_first,
        dt: clock.dt,
    };
    let context = Context {
        bed: &Bed::of(geometry),
        // Of the frame before: predictions come after tracking.
        prediction: predictions
            .as_ref()
            .and_then(|predictions| predictions.current.as_ref()),
        cue: Some(&cue.follower),
    };
    told.0.follow(moment, &followed.tracker, &context);
    events.write_batch(told.0.events().iter().cloned());
}

fn map_sightings(sightings: &Sightings, geometry: &TableGeometry, seen: &mut Vec<SeenBall>) {
    seen.clear();
    seen.extend(sightings.balls.iter().map(|ball| {
        let position = geometry.table_from_image.apply(ball.circle.center);
        let at = |share: f64| {
            let streak = ball
                .streak_in_image
                .map(|streak| ball.circle.center + share * streak);
            streak.map(|place| geometry.table_from_image.apply(place))
        };
        SeenBall {
            position,
            streak: at(0.5).zip(at(-0.5)).map(|(to, from)| to - from),
            metres_per_px: 1.0 / geometry.image_from_table.scale_at(position),
            circle: ball.circle,
            label: Label {
                kind: ball.kind,
                number: ball.number,
            },
            confidence: ball.confidence,
        }
    }));
}

fn motion(track: &Track) -> Motion {
    if track.is_moving() {
        Motion::Moving
    } else {
        Motion::Still
    }
}

fn spawn(commands: &mut Commands, track: &Track, radius: f64) -> Entity {
    let (kind, number) = track.label().components();
    let mut entity = commands.spawn((
        Ball { radius },
        track.id,
        kind,
        number,
        PositionInTable(track.filter.position),
        VelocityInTable(track.velocity()),
        motion(track),
        Confidence(track.confidence),
    ));
    if let Some(observation) = track.seen {
        entity.insert(SeenInImage(observation.circle));
    }
    entity.id()
}

/// Writes only what changed, so that change detection tells the truth and a still table moves no components.
fn write(commands: &mut Commands, entity: Entity, mut parts: BallPartsItem, track: &Track, radius: f64) {
    if parts.ball.radius != radius {
        parts.ball.radius = radius;
    }
    let (kind, number) = track.label().components();
    parts.kind.set_if_neq(kind);
    parts.number.set_if_neq(number);
    parts.position.set_if_neq(PositionInTable(track.filter.position));
    parts.velocity.set_if_neq(VelocityInTable(track.velocity()));
    parts.motion.set_if_neq(motion(track));
    parts.confidence.set_if_neq(Confidence(track.confidence));
    let now_seen = track.seen.map(|observation| SeenInImage(observation.circle));
    match (now_seen, parts.seen) {
        (Some(now), Some(mut seen)) => {
            seen.set_if_neq(now);
        }
        (Some(now), None) => {
            commands.entity(entity).remove::<Hidden>().insert(now);
        }
        (None, _) => {
            let frames = track.frames_missed.max(1);
            match parts.hidden {
                Some(mut hidden) => hidden.frames = frames,
                None => {
                    commands
                        .entity(entity)
                        .remove::<SeenInImage>()
                        .insert(Hidden { frames });
                }
            }
        }
    }
}

/// What is remembered of the stick.
#[derive(Resource, Default, Serialize, Deserialize)]
pub(crate) struct FollowedCue {
    follower: CueFollower,
    #[serde(skip)]
    entity: Option<Entity>,
}

/// Follows the stick.
pub(crate) fn follow_cue(
    mut commands: Commands,
    clock: Res<FrameClock>,
    sightings: Res<Sightings>,
    table: Option<Single<&TableGeometry>>,
    balls: Res<Followed>,
    mut followed: ResMut<FollowedCue>,
    mut cues: Query<(&mut CuePose, &mut CueState, &mut AimedAt, Option<&mut CueInImage>), With<Cue>>,
) {
    let followed = &mut *followed;
    let tracks = balls.tracker.tracks();
    let aimed = tracks.iter().map(|track| AimedBall {
        id: track.id,
        position: track.filter.position,
        is_moving: track.is_moving(),
        is_cue_ball: track.label().kind == BallKind::Cue,
    });
    let seen = match (&table, &sightings.cue) {
        (Some(geometry), Some(cue)) => Some(SeenCue {
            pose: pose_of(cue, geometry, aimed.clone()),
            in_image: CueInImage {
                tip_in_image: cue.tip_in_image,
                butt_in_image: cue.butt_in_image,
            },
        }),
        _ => None,
    };
    let radius = table.map_or(0.0, |geometry| geometry.ball_radius);
    let Some(cue) = followed
        .follower
        .follow(seen, clock.dt.as_secs_f64(), aimed, radius)
    else {
        if let Some(entity) = followed.entity.take() {
            commands.entity(entity).despawn();
        }
        return;
    };
    let Some(entity) = followed.entity else {
        let mut entity = commands.spawn((Cue, cue.pose, cue.state, AimedAt(cue.aimed_ball)));
        if let Some(in_image) = cue.in_image {
            entity.insert(in_image);
        }
        followed.entity = Some(entity.id());
        return;
    };
    let Ok((mut pose, mut state, mut aimed_at, in_image)) = cues.get_mut(entity) else {
        return;
    };
    pose.set_if_neq(cue.pose);
    state.set_if_neq(cue.state);
    aimed_at.set_if_neq(AimedAt(cue.aimed_ball));
    match (cue.in_image, in_image) {
        (Some(now), Some(mut seen)) => {
            seen.set_if_neq(now);
        }
        (Some(now), None) => {
            commands.entity(entity).insert(now);
        }
        (None, Some(_)) => {
            commands.entity(entity).remove::<CueInImage>();
        }
        (None, None) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bevy_app::App;
    use ghostball_world::{
        BallSighting, CircleInImage, CueSighting, FrameTick, LatestSnapshot, Stamp, Table, WorldPlugin,
    };
    use glam::DVec2;

    use super::*;
    use crate::TrackPlugin;
    use crate::bed::tests::geometry;

    fn app() -> App {
        let mut app = App::new();
        app.add_plugins((WorldPlugin, TrackPlugin));
        app
    }

    fn ball(x: f64, y: f64, kind: BallKind) -> BallSighting {
        BallSighting {
            circle: CircleInImage {
                center: DVec2::new(x, y),
                radius: 14.3,
            },
            streak_in_image: None,
            kind,
            number: None,
            confidence: 0.9,
        }
    }

    fn two_balls() -> Vec<BallSighting> {
        vec![
            ball(600.0, 400.0, BallKind::Cue),
            ball(300.0, 200.0, BallKind::Red),
        ]
    }

    /// Runs one frame of these sightings, a thirtieth of a second after the one before.
    fn tick(app: &mut App, balls: Vec<BallSighting>, cue: Option<CueSighting>) {
        let world = app.world_mut();
        let mut clock = world.resource_mut::<FrameClock>();
        let next = clock.captured_at.nanos + Duration::from_millis(33).as_nanos() as u64;
        clock.advance_to(Stamp::from_nanos(next));
        *world.resource_mut::<Sightings>() = Sightings { balls, cue };
        world.run_schedule(FrameTick);
    }

    #[test]
    fn without_a_table_there_are_no_balls() {
        let mut app = app();
        tick(&mut app, two_balls(), None);
        assert_eq!(app.world_mut().query::<&Ball>().iter(app.world()).count(), 0);
    }

    #[test]
    fn a_ball_is_one_entity_with_its_documented_components_from_the_first_frame_and_named_once_it_is_sure() {
        let mut app = app();
        app.world_mut().spawn((Table, geometry()));
        tick(&mut app, two_balls(), None);
        let mut kinds = app.world_mut().query::<(&TrackId, &BallKind)>();
        let mut first: Vec<_> = kinds.iter(app.world()).map(|(id, kind)| (*id, *kind)).collect();
        first.sort_unstable();
        assert_eq!(
            first,
            [(TrackId(1), BallKind::Red), (TrackId(2), BallKind::Unknown)]
        );
        for _ in 0..12 {
            tick(&mut app, two_balls(), None);
        }
        let mut query = app.world_mut().query::<(
            &Ball,
            &TrackId,
            &BallKind,
            &PositionInTable,
            &VelocityInTable,
            &Motion,
            &SeenInImage,
        )>();
        let mut balls: Vec<_> = query.iter(app.world()).collect();
        balls.sort_by_key(|ball| *ball.1);
        assert_eq!(balls.len(), 2);
        let (shape, id, kind, position, velocity, motion, seen) = balls[1];
        assert!((shape.radius - 0.028575).abs() < 1e-9);
        assert_eq!((*id, *kind, *motion), (TrackId(2), BallKind::Cue, Motion::Still));
        assert!(position.0.abs_diff_eq(DVec2::new(-0.27, 0.035), 1e-9));
        assert_eq!(velocity.0, DVec2::ZERO);
        assert_eq!(seen.0.center, DVec2::new(600.0, 400.0));
    }

    #[test]
    fn a_ball_that_is_not_seen_is_hidden_and_comes_back_as_the_same_entity() {
        let mut app = app();
        app.world_mut().spawn((Table, geometry()));
        for _ in 0..5 {
            tick(&mut app, two_balls(), None);
        }
        let mut query = app
            .world_mut()
            .query_filtered::<(Entity, &TrackId, Option<&SeenInImage>, Option<&Hidden>), With<Ball>>();
        let state = |app: &App, query: &mut QueryState<_, _>| {
            query
                .iter(app.world())
                .find(
                    |ball: &(Entity, &TrackId, Option<&SeenInImage>, Option<&Hidden>)| *ball.1 == TrackId(2),
                )
                .map(|(entity, _, seen, hidden)| (entity, seen.is_some(), hidden.map(|hidden| hidden.frames)))
        };
        let before = state(&app, &mut query).unwrap();
        assert_eq!((before.1, before.2), (true, None));
        for frames in 1..=3 {
            tick(&mut app, two_balls().split_off(1), None);
            assert_eq!(state(&app, &mut query), Some((before.0, false, Some(frames))));
        }
        assert_eq!(app.world().resource::<LatestSnapshot>().0.balls.len(), 2);
        tick(&mut app, two_balls(), None);
        assert_eq!(state(&app, &mut query), Some(before));
    }

    #[test]
    fn the_stick_is_an_entity_while_it_is_seen() {
        let mut app = app();
        app.world_mut().spawn((Table, geometry()));
        let cue = CueSighting {
            tip_in_image: DVec2::new(560.0, 400.0),
            butt_in_image: DVec2::new(160.0, 400.0),
            confidence: 0.9,
        };
        tick(&mut app, two_balls(), Some(cue));
        tick(&mut app, two_balls(), Some(cue));
        let mut query = app
            .world_mut()
            .query::<(&CuePose, &CueState, Option<&CueInImage>)>();
        let (pose, state, in_image) = query.single(app.world()).unwrap();
        assert_eq!((*state, in_image.is_some()), (CueState::Aiming, true));
        assert!(pose.tip_in_table.abs_diff_eq(DVec2::new(-0.35, 0.035), 1e-9));
        for _ in 0..6 {
            tick(&mut app, two_balls(), None);
        }
        assert_eq!(query.iter(app.world()).count(), 0);
    }

    #[test]
    fn of_shuffled_frames_nothing_is_said_to_move_and_one_alert_tells_of_them() {
        let mut app = app();
        app.world_mut().spawn((Table, geometry()));
        let mut told = Vec::new();
        for n in 0..60_u64 {
            // A ball rolls along the table; from the tenth frame on they come in any order.
            let frame = if n < 10 { n } else { 10 + (n * 37) % 53 };
            let world = app.world_mut();
            world
                .resource_mut::<FrameClock>()
                .advance_to(Stamp::from_nanos(1_000_000_000 + frame * 33_333_333));
            world.resource_mut::<Sightings>().balls =
                vec![ball(200.0 + 12.0 * frame as f64, 300.0, BallKind::Cue)];
            world.run_schedule(FrameTick);
            told.extend(world.resource_mut::<Messages<Alert>>().drain());
            let snapshot = world.resource::<LatestSnapshot>().0.clone();
            let moves = snapshot.balls.iter().any(|ball| ball.is_moving);
            assert!(n < 13 || !moves, "frame {n}");
            assert!(
                n < 13 || snapshot.events.is_empty(),
                "frame {n}: {:?}",
                snapshot.events
            );
        }
        let codes: Vec<_> = told
            .iter()
            .map(|alert| (alert.code.name(), alert.begins))
            .collect();
        assert_eq!(codes, [("TIME_JUMPED", true)]);
    }

    #[test]
    fn when_the_table_is_lost_so_are_the_balls_and_names_are_never_given_twice() {
        let mut app = app();
        let table = app.world_mut().spawn((Table, geometry())).id();
        tick(&mut app, two_balls(), None);
        app.world_mut().despawn(table);
        tick(&mut app, two_balls(), None);
        let mut query = app.world_mut().query::<&TrackId>();
        assert_eq!(query.iter(app.world()).count(), 0);
        app.world_mut().spawn((Table, geometry()));
        tick(&mut app, two_balls(), None);
        let mut ids: Vec<_> = query.iter(app.world()).copied().collect();
        ids.sort_unstable();
        assert_eq!(ids, [TrackId(3), TrackId(4)]);
    }
}
