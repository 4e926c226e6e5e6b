//! Which ball touched which ball or cushion, and when between two frames.
//!
//! Physics foresees most touches, and when both balls are then seen where it brings them, they touched. Balls whose ways
//! nearly meet may have touched as well. Whether they did is told by what the touch gave them: along the line of their
//! centres they exchange nearly the whole speed at which they closed in, at a cushion a ball turns round; nothing happens to
//! balls that just miss. Two frames later, six where they touch gently, the speeds after it are known well enough to tell, and
//! when it was: where the ways before and after it cross.

use std::time::Duration;

use ghostball_world::TrackId;
use glam::DVec2;
use serde::{Deserialize, Serialize};

use crate::association::Way;
use crate::bed::Bed;
use crate::foresight::ForeseenTouch;
use crate::motion::RESTING_SECS;
use crate::starts::StartFinder;
use crate::track::Track;
use crate::tracks::BallTracker;

/// Frames after a touch in which the speeds after it become known…
const SETTLING_FRAMES: u32 = 2;
/// …and after a gentle one of two balls: what they exchange is less, and over three times as long it is known three times as well.
const GENTLE_SETTLING_FRAMES: u32 = 3 * SETTLING_FRAMES;
/// Two ways that come nearer than so many radii may touch, though by what is known they just miss: two, and 9 mm, as much as two
/// places are off from each other where the lens is not known (collisions on such footage are lost below 2.2).
const MEETING_RADII: f64 = 2.3;
/// A touch exchanges nearly all of the speed at which two balls close in (restitution 0.9 to 0.98), a miss nothing: more than
/// half of it is a touch.
const EXCHANGED: f64 = 0.5;
/// More than so many times of it was exchanged with something else…
const MOST_EXCHANGED: f64 = 1.5;
/// …but for this share of the speed at which they pass: the line of their centres is known to a tenth, where they graze.
const GRAZING: f64 = 0.1;
/// Less than this, m/s, is not told from nothing: places known to 0.8 mm, a thirtieth of a second apart, seem to go 0.034 m/s…
const LEAST_SPEED: f64 = 0.04;
/// …and less than this not after a gentle touch: balls that lean on each other creep at that.
const GENTLE_LEAST_SPEED: f64 = 0.02;
/// A change of speed within so many of its standard deviations is not, either.
const TOLD_SIGMAS: f64 = 3.0;
/// A ball that stood, and still stands when what the touch did is due to be known, was not touched at more than this, m/s: it
/// would have gone a quarter of its radius by then. Two balls that close in at less touch gently.
const MOVING_ON: f64 = 0.1;
/// A ball that was set off is taken to lie until it is seen a few millimetres from where it lay: after one frame it may go at
/// this speed, m/s.
const CREEPING_ON: f64 = 0.15;
/// What the one ball of two got, the other one got less, but not as much of the opposite.
const SPOILT: f64 = 0.25;

/// Touches are remembered for so long, seconds: until the way of a ball that sets off slowly is known.
const LATELY_SECS: f64 = 0.5;

/// Cosine between the directions of one cushion and its rounded end; those of two cushions are at a right angle.
const SAME_CUSHION: f64 = 0.7;

/// The moment at which two ways cross is taken where it is known to this share of a frame…
const CROSSING_SHARE: f64 = 0.5;
/// …and is no more than so many frames from when the touch was foreseen.
const CROSSING_FRAMES: f64 = 3.0;

/// What a ball touched.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Touched {
    /// The ball of this track, whose centre was then here, metres.
    Ball(TrackId, DVec2),
    /// A cushion.
    Cushion,
}

/// A touch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Touch {
    /// Time since the first frame.
    pub at: Duration,
    /// Whose.
    pub id: TrackId,
    /// Where its centre was then, metres.
    pub position: DVec2,
    /// What it touched.
    pub touched: Touched,
}

impl Touch {
    /// The ball, or both.
    pub fn balls(&self) -> impl Iterator<Item = TrackId> {
        let other = match self.touched {
            Touched::Ball(id, _) => Some(id),
            Touched::Cushion => None,
        };
        [Some(self.id), other].into_iter().flatten()
    }
}

/// Balls, or a ball and a cushion, whose ways meet.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Meeting {
    touch: Touch,
    /// Unit vector from the ball towards what it may touch.
    normal: DVec2,
    /// How fast it closes in along that, m/s.
    closing: f64,
    /// Velocities before, m/s, of the ball and of the other one.
    before: [DVec2; 2],
    /// Frames since.
    frames: u32,
    /// What was seen of it at once, where physics foresaw it.
    seen_as_foreseen: Option<[Option<bool>; 2]>,
}

/// Finds the touches of all balls of one table.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TouchFinder {
    meetings: Vec<Meeting>,
    touches: Vec<Touch>,
    /// Balls of packs that were hit, and when.
    shaken: Vec<(TrackId, Duration)>,
    starts: StartFinder,
    /// Touches told in the last moments.
    lately: Vec<Touch>,
}

impl TouchFinder {
    /// The touches found out in the last frame.
    pub fn touches(&self) -> &[Touch] {
        &self.touches
    }

    /// Those, and what was found out shortly before.
    pub fn lately(&self) -> &[Touch] {
        &self.lately
    }

    /// Takes in what `tracker` made of the frame at `now`, time since the first frame.
    pub fn follow(&mut self, now: Duration, tracker: &BallTracker, bed: &Bed) {
        self.touches.clear();
        let elapsed_secs = tracker.elapsed_secs();
        if elapsed_secs <= 0.0 {
            return;
        }
        let before = now.saturating_sub(secs(elapsed_secs));
        let ways = tracker.ways();
        let tracks = tracker.tracks();
        let foreseen = tracker.foreseen_touches();
        // Both lists are in the order of the tracks' names.
        let is_foreseen = |id, other| foreseen.iter().any(|touch| touch.ids == (id, other));
        self.shaken
            .retain(|(_, at)| now.saturating_sub(*at) < secs(RESTING_SECS));
        for touch in foreseen {
            let meeting = Meeting::foreseen(touch, before);
            if !self.is_part_of_a_shake(&meeting, now) {
                if touch.do_lean && meeting.was_seen() {
                    self.shaken.extend(meeting.touch.balls().map(|id| (id, now)));
                }
                self.expect(meeting, tracks);
            }
        }
        for (index, way) in ways.iter().enumerate() {
            for other in &ways[index + 1..] {
                if is_foreseen(way.id, Some(other.id)) {
                    continue;
                }
                let meeting = meeting_of(way, other, before, elapsed_secs, bed);
                if let Some(meeting) = meeting.filter(|meeting| !self.is_part_of_a_shake(meeting, now)) {
                    self.expect(meeting, tracks);
                }
            }
            // Between the jaws there is no cushion straight ahead.
            if way.is_moving() && !is_foreseen(way.id, None) && !bed.is_at_pocket(way.start) {
                for (outward, after_secs) in bed.cushions_ahead(way.start, way.velocity, 1.5 * elapsed_secs) {
                    let after_secs = after_secs.max(0.0);
                    self.expect(
                        Meeting {
                            touch: Touch {
                                at: before + secs(after_secs),
                                id: way.id,
                                position: way.start + after_secs * way.velocity,
                                touched: Touched::Cushion,
                            },
                            normal: outward,
                            closing: way.velocity.dot(outward),
                            before: [way.velocity, DVec2::ZERO],
                            frames: 0,
                            seen_as_foreseen: None,
                        },
                        tracks,
                    );
                }
            }
        }
        for meeting in &mut self.meetings {
            meeting.frames += 1;
        }
        self.meetings
            .sort_by_key(|meeting| (meeting.touch.at, meeting.touch.id));
        for index in 0..self.meetings.len() {
            let meeting = self.meetings[index];
            // After it touched one ball its way within the same frame is not known: another that it would have met may have
            // been left aside.
            let is_spoilt = || {
                let spoils = |touch: &Touch| meeting.is_spoilt_by(touch);
                !meeting.was_seen() && self.touches.iter().any(spoils)
            };
            if meeting.is_due() && meeting.is_told(tracks) && !is_spoilt() {
                let is_alone = self
                    .meetings
                    .iter()
                    .enumerate()
                    .all(|(other, at)| other == index || !meeting.shares_a_ball_with(at));
                let as_seen = if is_alone {
                    meeting.when_ways_cross(now, elapsed_secs, tracks)
                } else {
                    None
                };
                self.touches.push(Touch {
                    at: as_seen.unwrap_or(meeting.touch.at),
                    ..meeting.touch
                });
            }
        }
        self.meetings.retain(|meeting| !meeting.is_due());
        self.lately
            .retain(|touch| now.saturating_sub(touch.at) < secs(LATELY_SECS));
        self.lately.extend(&self.touches);
        let touches = &mut self.touches;
        let known = touches.len();
        let tell = |touch| touches.push(touch);
        self.starts.follow(now, tracks, &self.lately, bed, tell);
        self.lately.extend(&self.touches[known..]);
        self.touches.sort_by_key(|touch| (touch.at, touch.id));
    }

    /// Whether what a ball seems to get in this frame, it may have got when the pack was hit that it is from.
    fn is_part_of_a_shake(&self, meeting: &Meeting, now: Duration) -> bool {
        let was_shaken = |id: TrackId| self.shaken.iter().any(|(ball, at)| *ball == id && *at < now);
        let mut balls = meeting.touch.balls().zip(meeting.before);
        meeting.closing < CREEPING_ON && balls.any(|(id, before)| before == DVec2::ZERO && was_shaken(id))
    }

    /// Ways that go on meeting are one meeting: the latest before anything happened to the balls.
    fn expect(&mut self, meeting: Meeting, tracks: &[Track]) {
        match self.meetings.iter_mut().find(|known| known.is_with(&meeting)) {
            Some(known) if known.gives_way_to(&meeting, tracks) => *known = meeting,
            Some(_) => {}
            None => self.meetings.push(meeting),
        }
    }
}

impl Meeting {
    /// A touch that physics foresaw, in the frame that began at `before`.
    fn foreseen(touch: &ForeseenTouch, before: Duration) -> Self {
        let [position, other_position] = touch.positions;
        let closing = match touch.ids.1 {
            Some(_) => touch.before[0] - touch.before[1],
            None => touch.before[0],
        };
        Self {
            touch: Touch {
                at: before + secs(touch.after_secs),
                id: touch.ids.0,
                position,
                touched: match touch.ids.1 {
                    Some(other) => Touched::Ball(other, other_position),
                    None => Touched::Cushion,
                },
            },
            normal: touch.normal,
            closing: closing.dot(touch.normal),
            before: touch.before,
            frames: 0,
            seen_as_foreseen: Some(touch.seen_as_foreseen),
        }
    }

    /// Whether it was foreseen, and seen at once.
    fn was_seen(&self) -> bool {
        let seen = self.seen_as_foreseen;
        seen.is_some_and(|balls| balls.contains(&Some(true)) && !balls.contains(&Some(false)))
    }

    /// Whether `later`, of the same two, is the better account of their one touch.
    fn gives_way_to(&self, later: &Self, tracks: &[Track]) -> bool {
        if self.was_seen() || later.was_seen() {
            return !self.was_seen();
        }
        // Where they no longer close in as they did, they have touched.
        later.closing > EXCHANGED * self.closing && !self.happened(tracks)
    }

    /// Whether what is known by now says that it happened.
    fn is_told(&self, tracks: &[Track]) -> bool {
        self.was_seen() || self.happened(tracks)
    }

    /// Whether the same two meet.
    fn is_with(&self, other: &Self) -> bool {
        let same = match (self.touch.touched, other.touch.touched) {
            (Touched::Ball(a, _), Touched::Ball(b, _)) => a == b,
            (Touched::Cushion, Touched::Cushion) => self.normal.dot(other.normal) > SAME_CUSHION,
            _ => false,
        };
        same && self.touch.id == other.touch.id
    }

    /// What the balls do after it is known.
    fn is_due(&self) -> bool {
        let is_of_balls = matches!(self.touch.touched, Touched::Ball(..));
        let settling = if is_of_balls && self.closing < MOVING_ON {
            GENTLE_SETTLING_FRAMES
        } else {
            SETTLING_FRAMES
        };
        self.frames > settling
    }

    fn shares_a_ball_with(&self, other: &Self) -> bool {
        self.touch
            .balls()
            .any(|id| other.touch.balls().any(|ball| ball == id))
    }

    /// When the way before the touch leads over into the way after it, by what is seen at `now`: more exact than where the
    /// ball was thought to be before, and where the cushion. `None` where the ways differ too little to say so.
    fn when_ways_cross(&self, now: Duration, frame_secs: f64, tracks: &[Track]) -> Option<Duration> {
        let ball = track_of(tracks, self.touch.id)?;
        let since_secs = now.as_secs_f64() - self.touch.at.as_secs_f64();
        let (mut place_before, mut place) = (self.touch.position, ball.filter.position);
        let mut velocity = ball.velocity();
        let mut doubt = ball.last_seen.sigma + since_secs * ball.filter.velocity_sigma();
        let mut before = self.before[0];
        if let Touched::Ball(other, other_position) = self.touch.touched {
            let other = track_of(tracks, other)?;
            place_before -= other_position;
            place -= other.filter.position;
            velocity -= other.velocity();
            before -= self.before[1];
            doubt += other.last_seen.sigma + since_secs * other.filter.velocity_sigma();
        }
        let turn = (before - velocity).dot(self.normal);
        let gone = (place - place_before - since_secs * velocity).dot(self.normal);
        let later_secs = gone / turn;
        let is_known = turn > 0.0 && doubt < CROSSING_SHARE * frame_secs * turn;
        let at = self.touch.at.as_secs_f64() + later_secs;
        (is_known && at < now.as_secs_f64() && later_secs.abs() < CROSSING_FRAMES * frame_secs)
            .then(|| secs(at))
    }

    fn is_spoilt_by(&self, touch: &Touch) -> bool {
        let is_ball = |touch: &Touch| matches!(touch.touched, Touched::Ball(..));
        let shared = self
            .touch
            .balls()
            .any(|id| touch.balls().any(|other| other == id));
        shared && is_ball(touch) && is_ball(&self.touch)
    }

    /// Whether the balls now go as they would after a touch. One that is no longer there says nothing.
    fn happened(&self, tracks: &[Track]) -> bool {
        let ball = track_of(tracks, self.touch.id);
        let lost = ball.map(|ball| (self.before[0] - ball.velocity()).dot(self.normal));
        match self.touch.touched {
            // It does not only stop.
            Touched::Cushion => lost.is_some_and(|lost| lost > self.closing.max(LEAST_SPEED)),
            Touched::Ball(other, _) => {
                let other = track_of(tracks, other);
                let stands = |ball: Option<&Track>, before: DVec2| {
                    before == DVec2::ZERO && ball.is_some_and(|ball| !ball.is_moving())
                };
                if self.closing > MOVING_ON && (stands(ball, self.before[0]) || stands(other, self.before[1]))
                {
                    return false;
                }
                let gained = other.map(|other| (other.velocity() - self.before[1]).dot(self.normal));
                // What one of the two did next, to a third ball or a cushion, spoils its half of the sum.
                let most = lost.unwrap_or(0.0).max(gained.unwrap_or(0.0));
                let least = lost.unwrap_or(most).min(gained.unwrap_or(most));
                let told = (EXCHANGED * self.closing).max(GENTLE_LEAST_SPEED);
                let passing = self.before[0].distance(self.before[1]);
                let most_given = MOST_EXCHANGED * self.closing + GRAZING * passing;
                let is_known = |ball: Option<&Track>, change: Option<f64>| {
                    let noise = ball.map_or(0.0, |ball| ball.filter.velocity_sigma());
                    change.is_some_and(|change| change > told.max(TOLD_SIGMAS * noise) && change < most_given)
                };
                (is_known(ball, lost) || is_known(other, gained)) && least > -SPOILT * most
            }
        }
    }
}

fn track_of(tracks: &[Track], id: TrackId) -> Option<&Track> {
    let index = tracks.binary_search_by_key(&id, |track| track.id).ok()?;
    Some(&tracks[index])
}

/// The meeting of two balls that go these ways from the moment `start` on, for `elapsed_secs`.
fn meeting_of(way: &Way, other: &Way, start: Duration, elapsed_secs: f64, bed: &Bed) -> Option<Meeting> {
    if !way.is_moving() && !other.is_moving() || way.distance_to(other) > MEETING_RADII * bed.ball_radius {
        return None;
    }
    let apart = other.start - way.start;
    let drift = other.velocity - way.velocity;
    if apart.dot(drift) >= 0.0 {
        return None;
    }
    let after_secs = contact_secs(apart, drift, 2.0 * bed.ball_radius).clamp(0.0, elapsed_secs);
    let normal = (apart + after_secs * drift).try_normalize()?;
    Some(Meeting {
        touch: Touch {
            at: start + secs(after_secs),
            id: way.id,
            position: way.start + after_secs * way.velocity,
            touched: Touched::Ball(other.id, other.start + after_secs * other.velocity),
        },
        normal,
        closing: -drift.dot(normal),
        before: [way.velocity, other.velocity],
        frames: 0,
        seen_as_foreseen: None,
    })
}

/// When two places that are `apart` and `drift` are at this distance; where they never come so near, when they are nearest.
fn contact_secs(apart: DVec2, drift: DVec2, distance: f64) -> f64 {
    let (a, b) = (drift.length_squared(), apart.dot(drift));
    let c = apart.length_squared() - distance * distance;
    (-b - (b * b - a * c).max(0.0).sqrt()) / a
}

/// Seconds that cannot be a duration count for none.
fn secs(secs: f64) -> Duration {
    Duration::try_from_secs_f64(secs).unwrap_or_default()
}

#[cfg(test)]
mod tests;
