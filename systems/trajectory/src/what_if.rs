//! Strokes that nobody has played, on a table as it is or as somebody imagines it.

use ghostball_world::{Prediction, Snapshot, Stroke};

use crate::predictor::{PredictConfig, Predictor};
use crate::scene::BallOnTable;

/// Where the balls of `table` would go after `stroke`; all are taken to be at rest. Says what is missing where they go
/// nowhere.
pub fn what_if(config: &PredictConfig, table: &Snapshot, stroke: &Stroke) -> Result<Prediction, String> {
    let geometry = table.table.as_ref().ok_or("expected a table, found none")?;
    let balls: Vec<_> = table
        .balls
        .iter()
        .map(|ball| BallOnTable {
            id: ball.track_id,
            kind: ball.kind,
            position: ball.position_in_table,
            velocity: glam::DVec2::ZERO,
            moving_secs: 0.0,
            confidence: ball.confidence,
        })
        .collect();
    Predictor::new(*config)
        .predict_stroke(geometry, &balls, stroke)
        .ok_or_else(|| "expected the struck ball on the cloth, found it over a pocket or nowhere".to_owned())
}

#[cfg(test)]
mod tests {
    use ghostball_world::{BallKind, BallSnapshot, PocketName, TrackId};
    use glam::DVec2;

    use super::*;
    use crate::scene::tests::geometry;

    fn table() -> Snapshot {
        let ball = |id, kind, x, y| BallSnapshot {
            track_id: TrackId(id),
            kind,
            number: None,
            position_in_table: DVec2::new(x, y),
            velocity_in_table: DVec2::ZERO,
            radius: 0.028_575,
            is_moving: false,
            confidence: 1.0,
            seen_in_image: None,
        };
        Snapshot {
            table: Some(geometry()),
            // In line with the pocket at the top right.
            balls: vec![
                ball(1, BallKind::Cue, 0.535, -0.1),
                ball(2, BallKind::Solid, 0.835, 0.2),
            ],
            ..Snapshot::default()
        }
    }

    fn stroke(ball: u32, top: f64) -> Stroke {
        Stroke {
            ball: TrackId(ball),
            direction_in_table: DVec2::new(1.0, 1.0).normalize(),
            stick_speed: 1.5,
            side: 0.0,
            top,
            elevation: 0.0,
        }
    }

    #[test]
    fn a_straight_shot_pots_and_draw_brings_the_cue_ball_back() {
        let config = PredictConfig::default();
        let end_of = |prediction: &Prediction, ball: u32| {
            *prediction
                .rest
                .iter()
                .find(|rest| rest.ball == TrackId(ball))
                .unwrap()
        };
        let follow = what_if(&config, &table(), &stroke(1, 0.4)).unwrap();
        assert_eq!(end_of(&follow, 2).pocketed, Some(PocketName::TopRight));
        let draw = what_if(&config, &table(), &stroke(1, -0.5)).unwrap();
        assert_eq!(end_of(&draw, 2).pocketed, Some(PocketName::TopRight));
        assert!(end_of(&draw, 1).position.x < end_of(&follow, 1).position.x - 0.1);
    }

    #[test]
    fn what_cannot_be_struck_is_told() {
        let config = PredictConfig::default();
        assert!(
            what_if(&config, &table(), &stroke(9, 0.0))
                .unwrap_err()
                .contains("nowhere")
        );
        assert!(
            what_if(&config, &Snapshot::default(), &stroke(1, 0.0))
                .unwrap_err()
                .contains("table")
        );
    }
}
