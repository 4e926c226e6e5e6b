//! The ways of the balls of a shot, as lines with few corners.

use std::time::Duration;

use ghostball_world::{EventBall, ShotPath, TrackId};
use glam::DVec2;
use serde::{Deserialize, Serialize};

use crate::track::Track;

/// Points kept of one ball before the line is thinned: eight seconds of 30 frames each.
const ROOM: usize = 256;

/// Where one ball was when.
type Point = (Duration, DVec2);

/// Writes down the ways of all balls that move. Keeps its buffers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ShotPaths {
    /// In order of track.
    ways: Vec<(TrackId, Vec<Point>)>,
    #[serde(skip)]
    spare: Vec<Vec<Point>>,
}

impl ShotPaths {
    /// Forgets all ways.
    pub fn clear(&mut self) {
        for (_, mut points) in self.ways.drain(..) {
            points.clear();
            self.spare.push(points);
        }
    }

    /// Takes in a ball that moves at `now`, and `lay_at` one place until the frame before, at `before`.
    pub fn follow(&mut self, now: Duration, track: &Track, before: Duration, lay_at: DVec2) {
        let place = self.ways.binary_search_by_key(&track.id, |(id, _)| *id);
        let index = place.unwrap_or_else(|index| {
            let mut points = self.spare.pop().unwrap_or_default();
            points.push((before, lay_at));
            self.ways.insert(index, (track.id, points));
            index
        });
        let points = &mut self.ways[index].1;
        if points.last().is_some_and(|(at, _)| *at >= now) {
            return;
        }
        points.push((now, track.filter.position));
        thin_to(points, ROOM);
    }

    /// A corner of the way of ball `id`, found out later: where it touched something.
    pub fn insert(&mut self, id: TrackId, at: Duration, position: DVec2) {
        let Ok(index) = self.ways.binary_search_by_key(&id, |(id, _)| *id) else {
            return;
        };
        let points = &mut self.ways[index].1;
        let place = points.partition_point(|(other, _)| *other < at);
        // Before the first it would be another ball's touch, and after the last, a guess.
        if place > 0 && place < points.len() && points[place].0 != at {
            points.insert(place, (at, position));
        }
    }

    /// The ways of the balls that `start` knows, with few corners.
    pub fn of(&self, start: &[EventBall]) -> Vec<ShotPath> {
        let path = |ball: &EventBall| {
            let index = self
                .ways
                .binary_search_by_key(&ball.track_id, |(id, _)| *id)
                .ok()?;
            let mut points = self.ways[index].1.clone();
            thin(&mut points, ShotPath::TOLERANCE);
            thin_to(&mut points, ShotPath::MOST_POINTS);
            Some(ShotPath { ball: *ball, points })
        };
        start.iter().filter_map(path).collect()
    }
}

/// Leaves out points, the least telling first, until there are no more than `room`.
fn thin_to(points: &mut Vec<Point>, room: usize) {
    let mut tolerance = ShotPath::TOLERANCE;
    while points.len() > room {
        thin(points, tolerance);
        tolerance *= 2.0;
    }
}

/// Leaves out every point that lies no farther than `tolerance` from the line through the rest, at its time (Douglas &
/// Peucker, Cartographica 10, 1973, in space and time).
fn thin(points: &mut Vec<Point>, tolerance: f64) {
    let Some(last) = points.len().checked_sub(1) else {
        return;
    };
    let mut kept = vec![false; points.len()];
    (kept[0], kept[last]) = (true, true);
    let mut stretches = vec![(0, last)];
    while let Some((from, to)) = stretches.pop() {
        let (start, end) = (points[from], points[to]);
        let span = (end.0.as_secs_f64() - start.0.as_secs_f64()).max(1e-9);
        let off = |index: usize| {
            let share = (points[index].0.as_secs_f64() - start.0.as_secs_f64()) / span;
            points[index].1.distance(start.1.lerp(end.1, share))
        };
        let farthest = (from + 1..to).max_by(|a, b| off(*a).total_cmp(&off(*b)));
        if let Some(farthest) = farthest.filter(|index| off(*index) > tolerance) {
            kept[farthest] = true;
            stretches.extend([(from, farthest), (farthest, to)]);
        }
    }
    let mut kept = kept.into_iter();
    points.retain(|_| kept.next().unwrap_or(true));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(n: u32, x: f64, y: f64) -> Point {
        (Duration::from_millis(u64::from(n) * 33), DVec2::new(x, y))
    }

    #[test]
    fn a_straight_way_has_two_ends_and_a_bent_one_its_corner() {
        let mut points: Vec<Point> = (0..=50)
            .map(|n| at(n, f64::from(n.min(30)) * 0.01, f64::from(n.max(30) - 30) * 0.01))
            .collect();
        thin(&mut points, ShotPath::TOLERANCE);
        assert_eq!(points, [at(0, 0.0, 0.0), at(30, 0.3, 0.0), at(50, 0.3, 0.2)]);
    }

    #[test]
    fn a_way_of_any_length_has_room() {
        let mut points = Vec::new();
        for n in 0..2_000_u32 {
            points.push(at(n, libm::sin(f64::from(n)), libm::cos(f64::from(n) * 0.7)));
            thin_to(&mut points, ROOM);
        }
        assert!((2..=ROOM).contains(&points.len()), "{}", points.len());
    }
}
