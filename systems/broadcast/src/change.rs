//! Whether anything happened between two snapshots that is worth telling.

use ghostball_world::{BallSnapshot, CueSnapshot, Snapshot, TableGeometry};
use glam::DVec2;

/// A ball at rest is found within this distance from frame to frame, pixels: detection is good to half a pixel, tracking
/// averages it.
const BALL_NOISE_PX: f64 = 0.25;

/// Likewise the ends of a stick, which are less sharp.
const CUE_NOISE_PX: f64 = 1.0;

/// Whether `now` tells a client anything that `before` did not.
pub(crate) fn is_change(before: &Snapshot, now: &Snapshot) -> bool {
    let metres_per_px = now
        .table
        .as_ref()
        .map_or(0.0, |table| 1.0 / table.image_from_table.scale_at(DVec2::ZERO));
    before.balls.len() != now.balls.len()
        || before
            .balls
            .iter()
            .zip(&now.balls)
            .any(|(before, now)| ball_changed(before, now, BALL_NOISE_PX * metres_per_px))
        || cue_changed(
            before.cue.as_ref(),
            now.cue.as_ref(),
            CUE_NOISE_PX * metres_per_px,
        )
        || table_changed(before.table.as_ref(), now.table.as_ref())
        || before.picture_size != now.picture_size
}

fn ball_changed(before: &BallSnapshot, now: &BallSnapshot, noise: f64) -> bool {
    (before.track_id, before.kind, before.number, before.is_moving)
        != (now.track_id, now.kind, now.number, now.is_moving)
        || before.seen_in_image.is_some() != now.seen_in_image.is_some()
        || before.position_in_table.distance(now.position_in_table) > noise
}

fn cue_changed(before: Option<&CueSnapshot>, now: Option<&CueSnapshot>, noise: f64) -> bool {
    match (before, now) {
        (None, None) => false,
        (Some(before), Some(now)) => {
            before.state != now.state
                || before.pose.tip_in_table.distance(now.pose.tip_in_table) > noise
                || before.pose.butt_in_table.distance(now.pose.butt_in_table) > noise
        }
        _ => true,
    }
}

fn table_changed(before: Option<&TableGeometry>, now: Option<&TableGeometry>) -> bool {
    match (before, now) {
        (None, None) => false,
        (Some(before), Some(now)) => {
            (before.length, before.width) != (now.length, now.width)
                || before
                    .corners_in_image
                    .iter()
                    .zip(&now.corners_in_image)
                    .any(|(before, now)| before.distance(*now) > BALL_NOISE_PX)
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn noise_is_no_change_and_everything_else_is() {
        let before = fixture::snapshot();
        // The fixture has 2.54 mm to the pixel.
        let moved_by = |metres: f64| {
            let mut now = before.clone();
            now.balls[1].position_in_table.x += metres;
            now
        };
        assert!(!is_change(&before, &moved_by(0.0005)));
        assert!(is_change(&before, &moved_by(0.0008)));
        let changed = |change: fn(&mut Snapshot)| {
            let mut now = before.clone();
            change(&mut now);
            is_change(&before, &now)
        };
        assert!(!changed(|now| now.frame_number += 1));
        assert!(!changed(|now| now.balls[0].confidence = 0.2));
        assert!(changed(|now| now.balls[0].seen_in_image = None));
        assert!(changed(|now| now.balls[3].number = Some(9)));
        assert!(changed(|now| now.balls.truncate(3)));
        assert!(changed(|now| now.cue = None));
        assert!(changed(|now| now.table = None));
    }
}
