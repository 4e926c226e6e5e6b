//! What may set each ball in motion, or turn it, in this frame: another ball, a cushion, the stick.

use glam::DVec2;
use serde::{Deserialize, Serialize};

use crate::association::{STICK_REACH, Way};
use crate::bed::Bed;
use crate::track::Track;

/// Two balls whose ways come nearer than so many radii may touch: two, and half of one for what is not known of their ways.
const TOUCH_RADII: f64 = 2.5;
/// A touch makes no ball faster than the fastest of those that touch. How fast that was is known to a factor: a ball that was
/// struck between two frames went its way in a part of the time. At a cushion a spinning ball gains a little.
pub const TOUCH_FACTOR: f64 = 2.0;
const CUSHION_FACTOR: f64 = 1.2;
/// A ball so near to a cushion, in radii, may touch it: half of one likewise.
const CUSHION_RADII: f64 = 0.5;
/// Cosine of how far from the expected direction a ball is sent off: where two balls meet that are known to a fifth of a radius
/// each, the line of their centres is known to 60° where the hit is thin, and better elsewhere.
const DIRECTION_COSINE: f64 = 0.5;
/// A ball that is hit goes less than this share of the other's way only where it is hit by half a hundredth of the other's
/// width, or just before the picture was taken: what is seen off by less is seen askew.
const THIN_SHARE: f64 = 0.1;
/// Of the tip of a stick, m/s: the hardest break.
pub const FASTEST_STROKE: f64 = 12.0;

/// What pushes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pusher {
    /// The stick, whose tip is near.
    Stick,
    /// Another ball, that just misses by what is known.
    Ball,
    /// Another ball, that touches by what is known.
    Touch,
    /// The same, and the ball is seen where that brings it.
    SeenTouch,
}

/// What may set a ball in motion that lies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Push {
    /// Where it would send the ball: a unit vector.
    pub towards: DVec2,
    /// How fast that goes, m/s.
    pub speed: f64,
    /// What it is.
    pub by: Pusher,
}

impl Push {
    /// Whether it can have sent a ball off by `offset`, metres, within `secs`, where `noise` metres are not known.
    pub fn explains(&self, offset: DVec2, secs: f64, noise: f64) -> bool {
        let distance = offset.length();
        let is_that_way = offset.dot(self.towards) >= DIRECTION_COSINE * distance;
        let least = match self.by {
            Pusher::Ball | Pusher::Touch => THIN_SHARE * self.speed * secs,
            Pusher::Stick | Pusher::SeenTouch => 0.0,
        };
        is_that_way && (least..=TOUCH_FACTOR * self.speed * secs + noise).contains(&distance)
    }
}

/// Looks at what may happen to `tracks`, which go these `ways` in this frame.
pub fn look(tracks: &mut [Track], ways: &[Way], cue_tip: Option<DVec2>, bed: &Bed) {
    let near = TOUCH_RADII * bed.ball_radius;
    for (index, (track, way)) in tracks.iter_mut().zip(ways).enumerate() {
        let others = ways.iter().enumerate().filter(|(other, at)| {
            *other != index && (at.is_moving() || way.is_moving()) && way.distance_to(at) < near
        });
        let fastest = others
            .clone()
            .map(|(_, at)| at.velocity.length())
            .reduce(f64::max);
        let speed = way.velocity.length();
        let margin = CUSHION_RADII * bed.ball_radius;
        let at_cushion = way.is_moving() && bed.turns_at(way.start, way.end, margin);
        let touch_speed = match fastest {
            Some(fastest) => Some(TOUCH_FACTOR * fastest.max(speed)),
            None => at_cushion.then_some(CUSHION_FACTOR * speed),
        };
        // What it touched while it was not seen shows when it is.
        let unseen = track.touch_speed.filter(|_| track.frames_missed > 0);
        track.touch_speed = [touch_speed, unseen].into_iter().flatten().reduce(f64::max);
        let nearest = others.min_by(|a, b| way.distance_to(a.1).total_cmp(&way.distance_to(b.1)));
        track.push = nearest.zip(fastest).map(|((_, at), fastest)| Push {
            towards: at.sends(way.start, bed.ball_radius),
            speed: fastest,
            by: if track.foreseen.is_some() {
                Pusher::Touch
            } else {
                Pusher::Ball
            },
        });
    }
    let Some(tip) = cue_tip else { return };
    let distance = |track: &Track| tip.distance(track.filter.position);
    let nearest = tracks
        .iter_mut()
        .min_by(|a, b| distance(a).total_cmp(&distance(b)));
    if let Some(track) = nearest.filter(|track| distance(track) < STICK_REACH && track.push.is_none()) {
        track.push = (track.filter.position - tip).try_normalize().map(|towards| Push {
            towards,
            speed: FASTEST_STROKE,
            by: Pusher::Stick,
        });
    }
}

#[cfg(test)]
mod tests {
    use ghostball_world::TrackId;

    use super::*;
    use crate::bed::tests::geometry;
    use crate::track::Observation;

    const DT: f64 = 1.0 / 30.0;

    /// What may push a ball that lies in the middle, where another one goes from `start` with `velocity`.
    fn pushed(start: DVec2, velocity: DVec2, cue_tip: Option<DVec2>) -> Track {
        let mut tracks = [DVec2::ZERO, start].map(|place| Track::new(Observation::at(place)));
        let ways = [(DVec2::ZERO, DVec2::ZERO), (start, velocity)].map(|(start, velocity)| Way {
            id: TrackId(0),
            start,
            end: start + DT * velocity,
            velocity,
        });
        look(&mut tracks, &ways, cue_tip, &Bed::of(&geometry()));
        tracks[0]
    }

    #[test]
    fn a_ball_that_comes_near_sends_another_along_the_line_of_their_centres() {
        let radius = geometry().ball_radius;
        let push = pushed(DVec2::new(-0.1, radius), 2.0 * DVec2::X, None)
            .push
            .unwrap();
        // It comes off by half of their distance: 30°.
        assert!(
            push.towards.distance(DVec2::new(0.75_f64.sqrt(), -0.5)) < 1e-9,
            "{push:?}"
        );
        assert!(push.explains(DVec2::X * 0.01, DT, 0.0));
        assert!(!push.explains(-DVec2::X * 0.01, DT, 0.0));
        assert!(!push.explains(DVec2::X * 0.2, DT, 0.0));
        assert_eq!(
            pushed(DVec2::new(-0.1, 4.0 * radius), 2.0 * DVec2::X, None).push,
            None
        );
    }

    #[test]
    fn the_stick_pushes_the_ball_next_to_its_tip() {
        let away = DVec2::new(0.5, 0.5);
        let push = pushed(away, DVec2::ZERO, Some(-0.1 * DVec2::Y)).push.unwrap();
        assert_eq!((push.by, push.towards), (Pusher::Stick, DVec2::Y));
        assert_eq!(pushed(away, DVec2::ZERO, Some(-0.4 * DVec2::Y)).push, None);
    }
}
