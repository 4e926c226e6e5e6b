//! A table for tests: a nine-foot table seen from straight above in a 1280x720 picture, 1000 pixels long.

use std::time::Duration;

use ghostball_world::{
    BallKind, BallSnapshot, CircleInImage, CueInImage, CuePose, CueSnapshot, CueState, GhostBall, Origin,
    Outcome, PathKind, PathLine, PocketName, PredictedCollision, PredictedContact, PredictedRest, Prediction,
    Snapshot, Stamp, TableGeometry, TableSighting, TableSpecification, TrackId,
};
use glam::DVec2;

use crate::WallTime;

/// 2026-01-01T12:00:00Z.
pub(crate) const NOON: WallTime = WallTime {
    micros: 1_767_268_800_000_000,
};

pub(crate) fn table() -> TableGeometry {
    let corners = [[140.0, 110.0], [1140.0, 110.0], [1140.0, 610.0], [140.0, 610.0]].map(DVec2::from);
    let [tl, tr, br, bl] = corners;
    let pockets = [tl, 0.5 * (tl + tr), tr, br, 0.5 * (br + bl), bl];
    let sighting = TableSighting {
        corners_in_image: corners,
        pockets_in_image: pockets.map(|center| CircleInImage { center, radius: 23.5 }),
        ball_radius_px: 11.25,
        lens: None,
        confidence: 1.0,
    };
    TableGeometry::from_sighting(&sighting, &TableSpecification::default()).unwrap()
}

fn ball(track_id: u32, kind: BallKind, number: Option<u8>, position: [f64; 2]) -> BallSnapshot {
    let position_in_table = DVec2::from(position);
    BallSnapshot {
        track_id: TrackId(track_id),
        kind,
        number,
        position_in_table,
        velocity_in_table: DVec2::ZERO,
        radius: 0.028575,
        is_moving: false,
        confidence: 0.95,
        seen_in_image: Some(table().ball_in_image(position_in_table)),
    }
}

/// A cue ball that rolls, a numbered ball at rest, one that is hidden and not named yet; a cue, a prediction.
pub(crate) fn snapshot() -> Snapshot {
    let mut cue_ball = ball(3, BallKind::Cue, None, [0.5, 0.3]);
    cue_ball.velocity_in_table = DVec2::new(1.0, -0.25);
    cue_ball.is_moving = true;
    let mut unnamed = ball(17, BallKind::Stripe, None, [-0.4, -0.2]);
    unnamed.seen_in_image = None;
    let tip_in_table = DVec2::new(0.4, 0.3);
    let butt_in_table = DVec2::new(-0.6, 0.3);
    let table = table();
    Snapshot {
        frame_number: 1234,
        captured_at: Stamp::from_nanos(41_133_333_333),
        since_first: Duration::from_nanos(41_133_333_333),
        picture_size: [1280, 720],
        balls: vec![
            cue_ball,
            ball(4, BallKind::Eight, Some(8), [0.635, 0.0]),
            ball(9, BallKind::Solid, Some(2), [0.9, -0.3]),
            unnamed,
        ],
        cue: Some(CueSnapshot {
            pose: CuePose {
                tip_in_table,
                butt_in_table,
                confidence: 0.8,
                direction_sigma: 0.0,
            },
            state: CueState::Aiming,
            aimed_ball: None,
            in_image: Some(CueInImage {
                tip_in_image: table.image_from_table.apply(tip_in_table),
                butt_in_image: table.image_from_table.apply(butt_in_table),
            }),
        }),
        table: Some(table),
        prediction: Some(prediction()),
        events: Vec::new(),
    }
}

fn prediction() -> Prediction {
    let (cue_ball, eight) = (TrackId(3), TrackId(4));
    let contact = DVec2::new(0.6, 0.05);
    let line = |ball, start, end, kind| PathLine {
        ball,
        start,
        end,
        kind,
        confidence: 0.9,
    };
    Prediction {
        origin: Origin::Motion,
        ball: cue_ball,
        lines: vec![
            line(cue_ball, DVec2::new(0.5, 0.3), contact, PathKind::Primary),
            line(cue_ball, contact, DVec2::new(1.2, 0.3), PathKind::Reflection),
            line(
                eight,
                DVec2::new(0.635, 0.0),
                DVec2::new(1.27, -0.635),
                PathKind::Collision,
            ),
        ],
        collisions: vec![
            PredictedCollision {
                ball: cue_ball,
                contact: PredictedContact::Ball(eight),
                position: contact,
                angle: std::f64::consts::FRAC_PI_6,
                time: 0.25,
                confidence: 0.9,
            },
            PredictedCollision {
                ball: eight,
                contact: PredictedContact::Pocket(PocketName::BottomRight),
                position: DVec2::new(1.27, -0.635),
                angle: 0.0,
                time: 1.5,
                confidence: 0.7,
            },
        ],
        ghost_balls: vec![GhostBall {
            ball: cue_ball,
            position: contact,
        }],
        rest: vec![
            PredictedRest {
                ball: cue_ball,
                position: DVec2::new(1.2, 0.3),
                pocketed: None,
            },
            PredictedRest {
                ball: eight,
                position: DVec2::new(1.27, -0.635),
                pocketed: Some(PocketName::BottomRight),
            },
        ],
        outcomes: vec![Outcome {
            ball: eight,
            pocket: PocketName::BottomRight,
            probability: 0.7,
        }],
        confidence: 0.85,
    }
}
