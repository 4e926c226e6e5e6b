//! Pictures that show again what the one before showed: 15 frames a second doubled to 30, a driver that hands out its
//! last buffer twice. Taken for fresh they would stop every ball in every second frame and double its speed in the
//! others; recognised, their time simply counts to the next fresh one.

use serde::{Deserialize, Serialize};

use crate::bed::{Bed, distance_to_segment};
use crate::track::{Observation, Track};

/// Repeats in a row that are believed; after that the balls have really stopped.
const REPEATS_IN_A_ROW: u32 = 1;
/// A ball must be expected to go this many sigmas before its standing still means anything…
const TELLING_SIGMAS: f64 = 4.0;
/// …or this many where repeats were found shortly before.
const TELLING_SIGMAS_AGAIN: f64 = 1.5;
/// A ball within this many sigmas of its last sighting, or this share of its expected way, stood still.
const STANDING_SIGMAS: f64 = 2.0;
const STANDING_SHARE: f64 = 0.2;
/// The memory of repeats fades by this factor with every frame.
const FADING: f64 = 0.8;

/// Tells repeated pictures from fresh ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RepeatDetector {
    in_a_row: u32,
    lately: f64,
}

impl RepeatDetector {
    /// Whether `observations`, `dt_secs` after the picture before, repeat it: every ball that was seen to move stands
    /// where it was seen, and nothing beside it left its place. Without a moving ball a repeat tells, and spoils,
    /// nothing.
    pub fn is_repeat(
        &mut self,
        tracks: &[Track],
        observations: &[Observation],
        dt_secs: f64,
        bed: &Bed,
    ) -> bool {
        let repeats = self.in_a_row < REPEATS_IN_A_ROW && self.all_stood(tracks, observations, dt_secs, bed);
        self.lately *= FADING;
        if repeats {
            self.in_a_row += 1;
            self.lately += 1.0;
        } else {
            self.in_a_row = 0;
        }
        repeats
    }

    fn all_stood(&self, tracks: &[Track], observations: &[Observation], dt_secs: f64, bed: &Bed) -> bool {
        let telling_sigmas = if self.lately > 0.5 {
            TELLING_SIGMAS_AGAIN
        } else {
            TELLING_SIGMAS
        };
        let mut telling = 0;
        for track in tracks
            .iter()
            .filter(|track| track.seen.is_some() && track.is_moving())
        {
            let start = track.last_seen.position;
            let way = track.velocity() * dt_secs;
            if way.length() < telling_sigmas * track.last_seen.sigma {
                continue;
            }
            telling += 1;
            let near = (STANDING_SHARE * way.length()).max(STANDING_SIGMAS * track.last_seen.sigma);
            let stood = |place, near: f64| observations.iter().any(|o| o.position.distance(place) < near);
            let all_stood_beside = || {
                tracks
                    .iter()
                    .filter(|other| other.seen.is_some() && !other.is_moving())
                    .filter(|other| {
                        distance_to_segment(other.filter.position, start, start + way) < 4.0 * bed.ball_radius
                    })
                    .all(|other| stood(other.last_seen.position, TELLING_SIGMAS * other.last_seen.sigma))
            };
            if !stood(start, near.min(0.5 * way.length())) || !all_stood_beside() {
                return false;
            }
        }
        telling > 0
    }
}
