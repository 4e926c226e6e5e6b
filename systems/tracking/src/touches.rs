//! Which ball touched which ball or cushion, and when between two frames.
//!
//! Balls whose ways meet may touch. Whether they did is told by what the touch gave them: along the line of their centres
//! they exchange nearly the whole speed at which they closed in, at a cushion a ball turns round; nothing happens to balls
//! that just miss. Where and when follows from the ways before the touch: two centres a diameter apart, or one that can
//! go no further out. Two frames later the speeds after it are known well enough to tell.

use std::time::Duration;

use ghostball_world::TrackId;
use glam::DVec2;

use crate::association::Way;
use crate::bed::Bed;
use crate::track::Track;
use crate::tracks::BallTracker;

/// Frames after a touch in which the speeds after it become known.
const SETTLING_FRAMES: u32 = 2;
/// Two ways that come nearer than so many radii may touch: two, and what is not known of their places.
const MEETING_RADII: f64 = 2.5;
/// A touch exchanges nearly all of the speed at which two balls close in (restitution 0.9 to 0.98), a miss nothing: more than
/// half of it is a touch.
const EXCHANGED: f64 = 0.5;
/// Less than this, m/s, is not told from nothing: a ball that rolls so slowly comes to rest within 2 mm.
const LEAST_SPEED: f64 = 0.02;

/// …and a change of speed within so many of its standard deviations is not, either.
const TOLD_SIGMAS: f64 = 3.0;
/// What the one ball of two got, the other one got less, but not as much of the opposite.
const SPOILT: f64 = 0.25;

/// What a ball touched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Touched {
    /// The ball of this track, whose centre was then here, metres.
    Ball(TrackId, DVec2),
    /// A cushion.
    Cushion,
}

/// A touch.
#[derive(Clone, Copy, Debug, PartialEq)]
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
    fn balls(&self) -> impl Iterator<Item = TrackId> {
        let other = match self.touched {
            Touched::Ball(id, _) => Some(id),
            Touched::Cushion => None,
        };
        [Some(self.id), other].into_iter().flatten()
    }
}

/// Balls, or a ball and a cushion, whose ways meet.
#[derive(Clone, Copy, Debug, PartialEq)]
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
}

/// Finds the touches of all balls of one table.
#[derive(Clone, Debug, Default)]
pub struct TouchFinder {
    meetings: Vec<Meeting>,
    touches: Vec<Touch>,
}

impl TouchFinder {
    /// The touches found out in the last frame.
    pub fn touches(&self) -> &[Touch] {
        &self.touches
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
        for (index, way) in ways.iter().enumerate() {
            for other in &ways[index + 1..] {
                if let Some(meeting) = meeting_of(way, other, before, elapsed_secs, bed) {
                    self.expect(meeting, tracks);
                }
            }
            if way.is_moving() {
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
        let touches = &mut self.touches;
        self.meetings.retain(|meeting| {
            let is_due = meeting.frames > SETTLING_FRAMES;
            // After it touched one ball its way within the same frame is not known: another that it would have met may have
            // been left aside.
            if is_due && meeting.happened(tracks) && !touches.iter().any(|touch| meeting.is_spoilt_by(touch))
            {
                touches.push(meeting.touch);
            }
            !is_due
        });
    }

    /// Ways that go on meeting are one meeting: the latest before anything happened to the balls.
    fn expect(&mut self, meeting: Meeting, tracks: &[Track]) {
        match self.meetings.iter_mut().find(|known| known.is_with(&meeting)) {
            Some(known) if !known.happened(tracks) || known.frames == 0 => *known = meeting,
            Some(_) => {}
            None => self.meetings.push(meeting),
        }
    }
}

impl Meeting {
    /// Whether the same two meet.
    fn is_with(&self, other: &Self) -> bool {
        let same = match (self.touch.touched, other.touch.touched) {
            (Touched::Ball(a, _), Touched::Ball(b, _)) => a == b,
            (Touched::Cushion, Touched::Cushion) => self.normal == other.normal,
            _ => false,
        };
        same && self.touch.id == other.touch.id
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
        let track_of = |id: TrackId| {
            let index = tracks.binary_search_by_key(&id, |track| track.id).ok()?;
            Some(&tracks[index])
        };
        let ball = track_of(self.touch.id);
        let lost = ball.map(|ball| (self.before[0] - ball.velocity()).dot(self.normal));
        match self.touch.touched {
            // It does not only stop.
            Touched::Cushion => lost.is_some_and(|lost| lost > self.closing.max(LEAST_SPEED)),
            Touched::Ball(other, _) => {
                let other = track_of(other);
                let gained = other.map(|other| (other.velocity() - self.before[1]).dot(self.normal));
                // What one of the two did next, to a third ball or a cushion, spoils its half of the sum.
                let most = lost.unwrap_or(0.0).max(gained.unwrap_or(0.0));
                let least = lost.unwrap_or(most).min(gained.unwrap_or(most));
                let noise = [ball, other]
                    .into_iter()
                    .flatten()
                    .map(|ball| ball.filter.velocity_sigma());
                let told = (EXCHANGED * self.closing).max(LEAST_SPEED);
                most > told.max(TOLD_SIGMAS * noise.fold(0.0, f64::max)) && least > -SPOILT * most
            }
        }
    }
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
