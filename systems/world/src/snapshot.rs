//! The world at one frame, as plain data: what is recorded, printed and published.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bevy_ecs::prelude::*;
use glam::DVec2;

use crate::{
    AimedAt, Ball, BallKind, BallNumber, CircleInImage, Confidence, Cue, CueInImage, CuePose, CueState,
    CurrentFrame, FrameClock, Motion, Pool, PositionInTable, Prediction, Predictions, SeenInImage, Stamp,
    TableEvent, TableGeometry, TrackId, VelocityInTable,
};

/// One ball on the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BallSnapshot {
    /// Names the ball for as long as it is on the table.
    pub track_id: TrackId,
    /// What it is.
    pub kind: BallKind,
    /// Its number, 1 to 15, where it has one that is known.
    pub number: Option<u8>,
    /// Centre, metres.
    pub position_in_table: DVec2,
    /// Metres per second.
    pub velocity_in_table: DVec2,
    /// Metres.
    pub radius: f64,
    /// Whether it moves.
    pub is_moving: bool,
    /// 0 to 1.
    pub confidence: f64,
    /// Where it was seen in this frame; `None` while it is hidden.
    pub seen_in_image: Option<CircleInImage>,
}

impl BallSnapshot {
    /// The ball's name for people and clients: `cue`, `1` to `15` once the number is known, before that `t17`.
    pub fn name(&self) -> String {
        self.kind.name_with(self.number, self.track_id)
    }
}

impl Snapshot {
    /// The name of a tracked ball, also when it has left the table.
    pub fn name_of(&self, track_id: TrackId) -> String {
        let ball = self.balls.iter().find(|ball| ball.track_id == track_id);
        ball.map_or_else(|| format!("t{}", track_id.0), BallSnapshot::name)
    }
}

/// The cue stick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CueSnapshot {
    /// Tip, butt and confidence in table space.
    pub pose: CuePose,
    /// What the player does with it.
    pub state: CueState,
    /// The ball it points at.
    pub aimed_ball: Option<TrackId>,
    /// Tip and butt in the picture.
    pub in_image: Option<CueInImage>,
}

/// The table.
pub type TableSnapshot = TableGeometry;

/// The world at one frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Counts the frames from 0.
    pub frame_number: u64,
    /// The frame's stamp.
    pub captured_at: Stamp,
    /// Time since the first frame.
    pub since_first: Duration,
    /// Size of the picture, pixels.
    pub picture_size: [u32; 2],
    /// Balls on the table, in order of their track.
    pub balls: Vec<BallSnapshot>,
    /// The cue stick, while one is seen.
    pub cue: Option<CueSnapshot>,
    /// The table, once it is found.
    pub table: Option<TableSnapshot>,
    /// Where the balls will go.
    pub prediction: Option<Prediction>,
    /// What was found out in this frame to have happened.
    pub events: Vec<TableEvent>,
}

/// The newest snapshot. Shared, never copied: readers keep the `Arc` for as long as they need it.
#[derive(Resource, Clone, Debug, Default)]
pub struct LatestSnapshot(pub Arc<Snapshot>);

type BallData<'a> = (
    &'a Ball,
    &'a TrackId,
    &'a BallKind,
    &'a BallNumber,
    &'a PositionInTable,
    &'a VelocityInTable,
    &'a Motion,
    &'a Confidence,
    Option<&'a SeenInImage>,
);

type CueData<'a> = (&'a CuePose, &'a CueState, &'a AimedAt, Option<&'a CueInImage>);

/// Copies what matters of the world into a [`Snapshot`].
pub(crate) fn take_snapshot(
    (clock, frame): (Res<FrameClock>, Res<CurrentFrame>),
    (predictions, mut events): (Res<Predictions>, MessageReader<TableEvent>),
    balls: Query<BallData>,
    cue: Option<Single<CueData, With<Cue>>>,
    table: Option<Single<&TableGeometry>>,
    mut latest: ResMut<LatestSnapshot>,
    mut pool: Local<Pool<Snapshot>>,
) {
    let Ok(taken) = pool.fill(|snapshot: &mut Snapshot| -> Result<(), Infallible> {
        snapshot.frame_number = clock.frame_number;
        snapshot.captured_at = clock.captured_at;
        snapshot.since_first = clock.since_first;
        snapshot.picture_size = frame
            .picture()
            .map_or([0, 0], |picture| [picture.width(), picture.height()]);
        snapshot.balls.clear();
        snapshot.balls.extend(balls.iter().map(
            |(ball, track_id, kind, number, position, velocity, motion, confidence, seen)| BallSnapshot {
                track_id: *track_id,
                kind: *kind,
                number: number.0,
                position_in_table: position.0,
                velocity_in_table: velocity.0,
                radius: ball.radius,
                is_moving: *motion == Motion::Moving,
                confidence: confidence.0,
                seen_in_image: seen.map(|seen| seen.0),
            },
        ));
        // Query order is not spawn order once a component has come and gone.
        snapshot.balls.sort_unstable_by_key(|ball| ball.track_id);
        snapshot.cue = cue.map(|cue| {
            let (pose, state, aimed_at, in_image) = *cue;
            CueSnapshot {
                pose: *pose,
                state: *state,
                aimed_ball: aimed_at.0,
                in_image: in_image.copied(),
            }
        });
        snapshot.table = table.map(|table| **table);
        snapshot.prediction.clone_from(&predictions.current);
        snapshot.events.clear();
        snapshot.events.extend(events.read().cloned());
        Ok(())
    });
    latest.0 = taken;
}
