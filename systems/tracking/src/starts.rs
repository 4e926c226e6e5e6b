//! Balls that set off though no touch is known: who pushed them, by where they lay and which way they go.
//!
//! A ball that lies is sent off along the line of the two centres. Whoever was there, one diameter behind it, when it set off,
//! pushed it, even if its own way was not known: it had itself been struck or hit in the same frame.

use std::time::Duration;

use ghostball_world::TrackId;
use glam::DVec2;
use serde::{Deserialize, Serialize};

use crate::bed::{Bed, distance_to_segment};
use crate::touches::{Touch, Touched};
use crate::track::Track;

/// Frames after which the way of a ball is known, and what touched it is told, if that was foreseen.
const SETTLED_FRAMES: u32 = 4;
/// Frames remembered: those, and the ones in which a ball had to be seen to move.
const FRAMES: usize = 12;
/// Whoever pushed it was no farther than this, in radii, from one diameter behind it: two places that are known to a millimetre
/// and a way that is known to a tenth.
const ASIDE_RADII: f64 = 0.3;
/// It had moved, or moves, by more than this within three frames, in radii: what a place is off.
const MOVED_RADII: f64 = 0.1;
/// Its way must be this long by then to have a direction, in radii: 0.1 m/s. What creeps leaves it open who pushed it.
const WAY_RADII: f64 = 0.5;
/// Touches this near in time, seconds, are its start.
const SAME_SECS: f64 = 0.07;

/// Where one ball was.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Place {
    id: TrackId,
    position: DVec2,
}

/// A ball that is followed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Known {
    id: TrackId,
    /// Where it lay last, metres.
    lay_at: DVec2,
    /// Frames since.
    frames: u32,
    is_there: bool,
}

/// Finds what pushed balls that set off.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct StartFinder {
    /// Oldest first.
    frames: Vec<(Duration, Vec<Place>)>,
    known: Vec<Known>,
}

impl StartFinder {
    /// Takes in the frame at `now`; `told` are the touches of late. Hands every touch that it finds to `tell`.
    pub fn follow(
        &mut self,
        now: Duration,
        tracks: &[Track],
        told: &[Touch],
        bed: &Bed,
        mut tell: impl FnMut(Touch),
    ) {
        self.remember(now, tracks);
        self.known.iter_mut().for_each(|known| known.is_there = false);
        for track in tracks {
            let place = track.filter.position;
            let index = match self.known.binary_search_by_key(&track.id, |known| known.id) {
                Ok(index) => index,
                Err(index) => {
                    let known = Known {
                        id: track.id,
                        lay_at: place,
                        frames: if track.is_moving() { SETTLED_FRAMES } else { 0 },
                        is_there: true,
                    };
                    self.known.insert(index, known);
                    index
                }
            };
            let known = &mut self.known[index];
            known.is_there = true;
            if !track.is_moving() {
                (known.lay_at, known.frames) = (place, 0);
                continue;
            }
            known.frames = known.frames.saturating_add(1);
            let has_way = place.distance(known.lay_at) >= WAY_RADII * bed.ball_radius;
            if known.frames == SETTLED_FRAMES && has_way {
                let known = *known;
                if let Some(touch) = self.pusher_of(&known, track, now, told, bed) {
                    tell(touch);
                }
            }
        }
        self.known.retain(|known| known.is_there);
    }

    fn remember(&mut self, now: Duration, tracks: &[Track]) {
        let mut places = if self.frames.len() < FRAMES {
            Vec::new()
        } else {
            self.frames.remove(0).1
        };
        places.clear();
        places.extend(tracks.iter().map(|track| Place {
            id: track.id,
            position: track.seen.map_or(track.filter.position, |seen| seen.position),
        }));
        self.frames.push((now, places));
    }

    fn pusher_of(
        &self,
        known: &Known,
        track: &Track,
        now: Duration,
        told: &[Touch],
        bed: &Bed,
    ) -> Option<Touch> {
        let way = track.filter.position - known.lay_at;
        let direction = way.try_normalize()?;
        let speed = track.velocity().dot(direction);
        if speed <= 0.0 {
            return None;
        }
        let at = now.checked_sub(secs(way.length() / speed))?;
        let is_its_start = |touch: &Touch| touch.at.abs_diff(at) < secs(SAME_SECS);
        let mut lately = told.iter().filter(|touch| is_its_start(touch));
        if lately.any(|touch| touch.balls().any(|id| id == known.id)) {
            return None;
        }
        let behind = known.lay_at - 2.0 * bed.ball_radius * direction;
        // From the frame before to the one after, and the moments before and after those.
        let around = self.frames.windows(2).filter(|pair| {
            let [(start, _), (end, _)] = pair else {
                return false;
            };
            *end + secs(0.5 * SAME_SECS) > at && *start < at + secs(0.5 * SAME_SECS)
        });
        let place = |places: &[Place], id| {
            places
                .iter()
                .find(|place| place.id == id)
                .map(|place| place.position)
        };
        let aside_and_moved = |id: TrackId| {
            let (mut aside, mut moved) = (f64::INFINITY, 0.0);
            for pair in around.clone() {
                let (Some(start), Some(end)) = (place(&pair[0].1, id), place(&pair[1].1, id)) else {
                    continue;
                };
                aside = f64::min(aside, distance_to_segment(behind, start, end));
                moved += start.distance(end);
            }
            (aside, moved)
        };
        let (aside, other) = self
            .known
            .iter()
            .filter(|other| other.id != known.id)
            .filter_map(|other| {
                let (aside, moved) = aside_and_moved(other.id);
                (moved > MOVED_RADII * bed.ball_radius).then_some((aside, other.id))
            })
            .min_by(|a, b| a.0.total_cmp(&b.0))?;
        (aside < ASIDE_RADII * bed.ball_radius).then_some(Touch {
            at,
            id: known.id.min(other),
            position: if known.id < other { known.lay_at } else { behind },
            touched: Touched::Ball(
                known.id.max(other),
                if known.id < other { behind } else { known.lay_at },
            ),
        })
    }
}

/// Seconds that cannot be a duration count for none.
fn secs(secs: f64) -> Duration {
    Duration::try_from_secs_f64(secs).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bed::tests::geometry;
    use crate::kalman::BallFilter;
    use crate::track::Observation;

    const DT: f64 = 1.0 / 30.0;

    /// What is told of ball 2, which sets off along x at 1 m/s, when ball 1 goes through these places in the frames before and
    /// after, and ball 3 lies a diameter behind it for ever.
    fn told(first: [DVec2; 4], known: &[Touch]) -> Vec<Touch> {
        let bed = Bed::of(&geometry());
        let mut finder = StartFinder::default();
        let mut told = Vec::new();
        for n in 0..8_usize {
            let moved_secs = (n as f64 - 2.5).max(0.0) * DT;
            let ball = |id: u32, position: DVec2, velocity: DVec2| {
                let mut track = Track::new(Observation::at(position));
                track.id = TrackId(id);
                if velocity != DVec2::ZERO {
                    track.motion.set_moving(position);
                    track.filter = BallFilter::after_a_touch(position, velocity, 0.01, 0.0, 5e-4);
                }
                track
            };
            let second = if moved_secs > 0.0 { DVec2::X } else { DVec2::ZERO };
            let tracks = [
                ball(1, first[n.saturating_sub(1).min(3)], DVec2::Y),
                ball(2, moved_secs * DVec2::X, second),
                ball(3, -2.0 * bed.ball_radius * DVec2::X, DVec2::ZERO),
            ];
            let now = secs(1.0 + n as f64 * DT);
            finder.follow(now, &tracks, known, &bed, |touch| told.push(touch));
        }
        told
    }

    #[test]
    fn who_was_a_diameter_behind_a_ball_when_it_set_off_pushed_it() {
        let behind = -2.0 * geometry().ball_radius * DVec2::X;
        let through = [-1.0, -0.3, 0.4, 1.0].map(|aside| behind + 0.05 * aside * DVec2::Y);
        let touch = told(through, &[])[0];
        assert_eq!((touch.id, told(through, &[]).len()), (TrackId(1), 1));
        assert!(matches!(touch.touched, Touched::Ball(TrackId(2), place) if place == DVec2::ZERO));
        let truly = secs(1.0 + 2.5 * DT);
        assert!(touch.at.abs_diff(truly) < secs(0.2 * DT), "{touch:?}");
        // It is told already; the other ball was elsewhere.
        assert_eq!(told(through, &[touch]), []);
        assert_eq!(told(through.map(|place| place - 0.05 * DVec2::X), &[]), []);
    }
}
