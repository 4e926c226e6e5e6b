//! What happened: told from the tracks, once, when it is sure.
//!
//! A shot begins when, of balls that all stand, one leaves its place, and ends when all have stood for a while. A ball that was lost on
//! its way into a pocket is potted unless it shows itself again; one that was hidden too long was removed; one that is
//! there while no shot is on, and was not before, was placed.

use std::sync::Arc;
use std::time::Duration;

use ghostball_world::{
    BallKind, EventBall, Origin, PocketName, Prediction, Shot, TableEvent, TableEventKind, TrackId,
};
use glam::DVec2;
use serde::{Deserialize, Serialize};

use crate::bed::Bed;
use crate::cue::CueFollower;
use crate::falls::Fall;
use crate::motion::RESTING_SECS;
use crate::shot_paths::ShotPaths;
use crate::touches::{Touch, TouchFinder, Touched};
use crate::track::Track;
use crate::tracks::{BallTracker, DEPARTED_SECS, Departure};

/// All balls must have stood for so long before a shot is over, seconds: twice what it takes to tell one that stands, as
/// the last ball may lean on another and roll off again.
const SETTLED_SECS: f64 = 2.0 * RESTING_SECS;
/// The speed of a ball that sets off is told once its standard deviation is this share of it: some four sightings of a slow
/// one. In the frame in which it set off it may have moved for a part of the time only…
const KNOWN_SHARE: f64 = 0.05;
/// …and not known better after this long, seconds, it is told as it is.
const UNKNOWN_SECS: f64 = 0.2;
/// A ball that fell into a pocket from its edge does not come back after this long, seconds: thrown up by the back of
/// the pocket, it falls its own diameter in `√(2 · 0.057 / 9.81)` = 0.11 s.
const DROP_SECS: f64 = 0.11;
/// A ball that was hit within a frame is not taken to have moved for less than this share of it: how far it went then is not
/// known well enough to say how fast.
const LEAST_OF_A_FRAME: f64 = 0.1;
/// A ball is not said to be placed before it has stood in view for so long, seconds: a hand that holds it may go on…
const PLACED_SECS: f64 = 2.0 * RESTING_SECS;
/// …nor is one that came to light so soon after the table did, seconds: what covered it may have been there before.
const WATCHED_SECS: f64 = 1.0;

/// When a frame was captured, as far as events care.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moment {
    /// Time since the first frame.
    pub now: Duration,
    /// Time since the frame before.
    pub dt: Duration,
}

/// What else is known in a frame.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The table.
    pub bed: &'a Bed,
    /// What was predicted in the frame before.
    pub prediction: Option<&'a Prediction>,
    /// The stick.
    pub cue: Option<&'a CueFollower>,
}

/// A ball that is followed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Known {
    ball: EventBall,
    is_moving: bool,
    /// Where it stood last, metres.
    lay_at: DVec2,
    /// When it was set in motion, while it moves.
    set_off_at: Duration,
    /// Metres per second.
    velocity: DVec2,
    /// That is known well enough to be told.
    has_known_speed: bool,
    /// It was there when the table was found, came back, or was told as placed: no news any more.
    is_told: bool,
    /// When it came, or moved last.
    stands_since: Duration,
    /// It is still followed.
    is_there: bool,
}

/// A ball that is taken for potted, unless it shows itself again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Falling {
    ball: EventBall,
    pocket: PocketName,
    at: Duration,
    /// When it is believed.
    sure_at: Duration,
    /// When it was seen last.
    last_seen_at: Duration,
    /// How it fell, by physics.
    fall: Option<Fall>,
    /// The frame before, where it was seen only once since it lay: it may have been set off at any moment between the two.
    lay_until: Option<Duration>,
}

impl Falling {
    /// A ball that was seen only once since it lay was taken to have moved for a whole frame. Hit in the midst of that, it
    /// went as far in less: it is faster, and fell sooner.
    fn learn_from(&mut self, touch: &Touch) {
        let Some(lay_until) = self.lay_until else {
            return;
        };
        let is_its_start = touch.balls().any(|id| id == self.ball.track_id)
            && matches!(touch.touched, Touched::Ball(..))
            && (lay_until..self.last_seen_at).contains(&touch.at);
        if !is_its_start {
            return;
        }
        self.lay_until = None;
        let taken = self.last_seen_at.saturating_sub(lay_until);
        let moved = self.last_seen_at.saturating_sub(touch.at);
        let share = (moved.as_secs_f64() / taken.as_secs_f64()).max(LEAST_OF_A_FRAME);
        let rolled = self.at.saturating_sub(self.last_seen_at);
        self.at = self.last_seen_at + rolled.mul_f64(share);
        let touches = self.fall.iter_mut().flat_map(|fall| &mut fall.touches);
        for (after_secs, _) in touches.flatten() {
            *after_secs *= share;
        }
    }
}

/// Tells events from the tracks of one table.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct EventTeller {
    /// In order of track.
    known: Vec<Known>,
    falling: Vec<Falling>,
    touches: TouchFinder,
    /// Touches of a shot that is not told to have begun yet.
    early: Vec<TableEvent>,
    shot: Option<Shot>,
    paths: ShotPaths,
    /// What was predicted for the shot that is on, or that is about to be told.
    prediction: Option<Prediction>,
    /// When the last ball came to rest.
    at_rest_since: Duration,
    watched_since: Option<Duration>,
    events: Vec<TableEvent>,
}

impl EventTeller {
    /// What was found out in the last frame.
    pub fn events(&self) -> &[TableEvent] {
        &self.events
    }

    /// Forgets everything: the table is gone, or time has jumped.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Takes in what `tracker` made of the frame of this moment.
    pub fn follow(&mut self, moment: Moment, tracker: &BallTracker, context: &Context) {
        let bed = context.bed;
        self.events.clear();
        if tracker.has_just_begun() {
            // Nobody saw the end of a shot that a gap cut off.
            self.clear();
            self.watched_since = Some(moment.now);
        }
        self.note_departures(moment, tracker.departures(), bed);
        self.note_tracks(moment, tracker);
        self.expect(context.prediction);
        self.tell_start(moment, context);
        self.tell_touches(moment, tracker, bed);
        self.tell_pots(moment);
        self.tell_placed(moment);
        self.tell_end(moment);
        self.record();
    }

    fn note_departures(&mut self, moment: Moment, departures: &[Departure], bed: &Bed) {
        for Departure { track, pocket, fall } in departures {
            let ball = ball_of(track, track.last_seen.position);
            // A track stands at the frame it was lost in, and was seen so long before.
            let last_seen_at = moment.now.saturating_sub(secs(track.unseen_secs));
            let left_at = match pocket {
                Some(pocket) => {
                    let mut falling = falling(ball, *pocket, *fall, last_seen_at, track, moment, bed);
                    let known = self
                        .known
                        .binary_search_by_key(&track.id, |known| known.ball.track_id);
                    let set_off_at = known.ok().map(|index| self.known[index].set_off_at);
                    falling.lay_until = set_off_at
                        .filter(|at| *at >= last_seen_at)
                        .and_then(|_| last_seen_at.checked_sub(moment.dt));
                    self.falling.push(falling);
                    falling.at
                }
                None => {
                    self.tell(last_seen_at, TableEventKind::BallRemoved(ball));
                    if ball.kind == BallKind::Cue && self.shot.is_none() {
                        self.tell(last_seen_at, TableEventKind::BallInHand(ball));
                    }
                    last_seen_at
                }
            };
            if track.is_moving() {
                self.at_rest_since = self.at_rest_since.max(left_at);
            }
        }
    }

    fn note_tracks(&mut self, moment: Moment, tracker: &BallTracker) {
        self.known.iter_mut().for_each(|known| known.is_there = false);
        for track in tracker.tracks() {
            let ball = ball_of(track, track.filter.position);
            let is_moving = track.is_moving();
            self.falling.retain(|falling| falling.ball.track_id != track.id);
            let place = self
                .known
                .binary_search_by_key(&track.id, |known| known.ball.track_id);
            let index = place.unwrap_or_else(|index| {
                let known = Known {
                    ball,
                    is_moving: false,
                    lay_at: ball.position_in_table,
                    set_off_at: moment.now,
                    velocity: DVec2::ZERO,
                    has_known_speed: false,
                    is_told: tracker.is_opening() || !self.is_watched_at(moment.now) || self.shot.is_some(),
                    stands_since: moment.now,
                    is_there: true,
                };
                self.known.insert(index, known);
                index
            });
            let known = &mut self.known[index];
            (known.ball, known.velocity, known.is_there) = (ball, track.velocity(), true);
            known.has_known_speed = track.filter.velocity_sigma() <= KNOWN_SHARE * known.velocity.length();
            if is_moving {
                let before = moment.now.saturating_sub(moment.dt);
                self.paths.follow(moment.now, track, before, known.lay_at);
            } else {
                known.lay_at = ball.position_in_table;
            }
            if is_moving == known.is_moving {
                if is_moving || !known.is_told && track.seen.is_none() {
                    known.stands_since = moment.now;
                }
                continue;
            }
            (known.is_moving, known.stands_since) = (is_moving, moment.now);
            let kind = if is_moving {
                known.set_off_at = moment.now;
                TableEventKind::Started(ball, track.velocity())
            } else {
                let since = moment.now.saturating_sub(secs(RESTING_SECS));
                self.at_rest_since = self.at_rest_since.max(since);
                TableEventKind::Stopped(ball)
            };
            self.tell(moment.now, kind);
        }
        self.known.retain(|known| known.is_there);
    }

    /// Keeps what the stick was aimed to do when the first ball set off, or else what the balls were about to do.
    fn expect(&mut self, prediction: Option<&Prediction>) {
        let is_calm = self.known.iter().all(|known| !known.is_moving);
        if is_calm && self.shot.is_none() {
            self.prediction = None;
            self.paths.clear();
        }
        if is_calm || self.prediction.is_some() {
            return;
        }
        let is_for_it = |prediction: &&Prediction| prediction.origin == Origin::Aim || self.shot.is_some();
        self.prediction = prediction.filter(is_for_it).cloned();
    }

    /// A shot is on once a ball has left its place, and its speed is known.
    fn tell_start(&mut self, moment: Moment, context: &Context) {
        let ball_radius = context.bed.ball_radius;
        if self.shot.is_some() {
            return;
        }
        // What is seen of a ball half covered by the stick or a hand lies still within the ball.
        let has_left = |known: &&Known| {
            known.is_moving && known.ball.position_in_table.distance(known.lay_at) > ball_radius
        };
        // Struck and hit in the same frame: the cue ball was struck.
        let order = |known: &&Known| (known.set_off_at, known.ball.kind != BallKind::Cue);
        let Some(first) = self.known.iter().filter(has_left).min_by_key(order) else {
            return;
        };
        let is_new = moment.now.saturating_sub(first.set_off_at) < secs(UNKNOWN_SECS);
        if !first.has_known_speed && is_new {
            return;
        }
        let (ball, velocity) = (first.ball, first.velocity);
        // As long before as it takes to come here; no longer before the frame that showed it than a frame before that.
        let way_secs = ball.position_in_table.distance(first.lay_at) / velocity.length().max(1e-6);
        let rolled = moment.now.saturating_sub(secs(way_secs));
        let at = rolled.clamp(first.set_off_at.saturating_sub(2 * moment.dt), first.set_off_at);
        let as_it_lay = |known: &Known| EventBall {
            position_in_table: known.lay_at,
            ..known.ball
        };
        self.shot = Some(Shot {
            started_at: at,
            start: self.known.iter().map(as_it_lay).collect(),
            ..Shot::default()
        });
        let stroke = context.cue.and_then(|cue| cue.stroke_at(ball.track_id));
        self.tell(at, TableEventKind::ShotStarted(ball, velocity, stroke));
    }

    /// Collisions and cushions, of a shot.
    fn tell_touches(&mut self, moment: Moment, tracker: &BallTracker, bed: &Bed) {
        self.touches.follow(moment.now, tracker, bed);
        let known = &self.known;
        let ball_at = |id: TrackId, position_in_table: DVec2| {
            let index = known.binary_search_by_key(&id, |known| known.ball.track_id).ok();
            let ball = index.map(|index| known[index].ball);
            let gone = || {
                self.falling
                    .iter()
                    .map(|falling| falling.ball)
                    .find(|ball| ball.track_id == id)
            };
            let ball = ball.or_else(gone)?;
            Some(EventBall {
                position_in_table,
                ..ball
            })
        };
        for touch in self.touches.touches() {
            let Some(ball) = ball_at(touch.id, touch.position) else {
                continue;
            };
            let kind = match touch.touched {
                Touched::Ball(id, position) => match ball_at(id, position) {
                    Some(other) => TableEventKind::BallCollision(ball, other),
                    None => continue,
                },
                Touched::Cushion => TableEventKind::Cushion(ball),
            };
            for ball in [kind.ball(), kind.other_ball()].into_iter().flatten() {
                self.paths.insert(ball.track_id, touch.at, ball.position_in_table);
            }
            self.early.push(TableEvent { at: touch.at, kind });
        }
        for touch in self.touches.lately() {
            self.falling
                .iter_mut()
                .for_each(|falling| falling.learn_from(touch));
        }
        if self.shot.is_some() {
            self.events.append(&mut self.early);
        } else if self.known.iter().all(|known| !known.is_moving) {
            self.early.clear();
        }
    }

    fn is_watched_at(&self, now: Duration) -> bool {
        self.watched_since
            .is_some_and(|since| now.saturating_sub(since) >= secs(WATCHED_SECS))
    }

    fn tell_pots(&mut self, moment: Moment) {
        while let Some(index) = self.falling.iter().position(|ball| ball.sure_at <= moment.now) {
            let Falling {
                ball,
                pocket,
                at,
                last_seen_at,
                fall,
                ..
            } = self.falling.remove(index);
            for (after_secs, position_in_table) in fall.iter().flat_map(|fall| fall.touches).flatten() {
                let ball = EventBall {
                    position_in_table,
                    ..ball
                };
                self.tell(last_seen_at + secs(after_secs), TableEventKind::Cushion(ball));
            }
            self.tell(at, TableEventKind::Potted(ball, pocket));
        }
    }

    fn tell_placed(&mut self, moment: Moment) {
        for index in 0..self.known.len() {
            let known = &mut self.known[index];
            let stood = moment.now.saturating_sub(known.stands_since);
            if known.is_told || known.is_moving || stood < secs(PLACED_SECS) {
                continue;
            }
            known.is_told = true;
            let (ball, at) = (known.ball, known.stands_since);
            self.tell(at, TableEventKind::BallPlaced(ball));
        }
    }

    fn tell_end(&mut self, moment: Moment) {
        let is_calm = self.falling.is_empty() && self.known.iter().all(|known| !known.is_moving);
        let settled = moment.now.saturating_sub(self.at_rest_since) >= secs(SETTLED_SECS);
        if !is_calm || !settled {
            return;
        }
        self.record();
        if let Some(mut shot) = self.shot.take() {
            let last_pot = shot.events.last().map_or(shot.started_at, |event| event.at);
            shot.ended_at = self.at_rest_since.max(last_pot).max(shot.started_at);
            shot.end.extend(self.known.iter().map(|known| known.ball));
            shot.paths = self.paths.of(&shot.start);
            shot.prediction = self.prediction.take();
            let is_in_hand = tells_cue_ball_gone(&shot);
            // Who came to light in a shot is no news after it.
            self.known.iter_mut().for_each(|known| known.is_told = true);
            let ended_at = shot.ended_at;
            self.tell(ended_at, TableEventKind::ShotEnded(Arc::new(shot)));
            if let Some(ball) = is_in_hand {
                self.tell(ended_at, TableEventKind::BallInHand(ball));
            }
        }
    }

    /// Keeps what was told in this frame with the shot it belongs to.
    fn record(&mut self) {
        if let Some(shot) = &mut self.shot {
            let room = Shot::MOST_EVENTS.saturating_sub(shot.events.len());
            let belongs = |event: &&TableEvent| {
                !event.kind.is_motion() && !matches!(event.kind, TableEventKind::ShotStarted(..))
            };
            shot.events
                .extend(self.events.iter().filter(belongs).take(room).cloned());
        }
    }

    fn tell(&mut self, at: Duration, kind: TableEventKind) {
        self.events.push(TableEvent { at, kind });
    }
}

/// A ball that was seen last at `last_seen_at`, and rolled on from there until its centre came over the hole. If that is long
/// after it was lost, something covers its way, and it may still come out from under it.
fn falling(
    ball: EventBall,
    pocket: PocketName,
    fall: Option<Fall>,
    last_seen_at: Duration,
    track: &Track,
    moment: Moment,
    bed: &Bed,
) -> Falling {
    let velocity = track.velocity();
    let way = bed.way_to_fall(pocket, track.last_seen.position, velocity.normalize_or_zero());
    let straight_secs = way / velocity.length().max(1e-6);
    let at = last_seen_at + secs(fall.map_or(straight_secs, |fall| fall.after_secs));
    // The pocket's rim and shadow hide the last of its way: as much as a ball's diameter.
    let near = 2.0 * bed.ball_radius + velocity.length() * moment.dt.as_secs_f64();
    let (at, wait_secs) = if way <= near {
        // It tips over the edge already, however slowly it seemed to come.
        (at.min(moment.now + secs(DROP_SECS)), DROP_SECS)
    } else {
        (at, DEPARTED_SECS)
    };
    Falling {
        ball,
        pocket,
        at,
        sure_at: at.max(moment.now) + secs(wait_secs),
        last_seen_at,
        fall,
        lay_until: None,
    }
}

/// The cue ball, if it fell or left the table in this shot and did not come back.
fn tells_cue_ball_gone(shot: &Shot) -> Option<EventBall> {
    let is_gone = |ball: &EventBall| {
        ball.kind == BallKind::Cue && !shot.end.iter().any(|end| end.track_id == ball.track_id)
    };
    let mut left = shot.events.iter().filter_map(|event| match &event.kind {
        TableEventKind::Potted(ball, _) | TableEventKind::BallRemoved(ball) => Some(*ball),
        _ => None,
    });
    left.rfind(is_gone)
}

fn ball_of(track: &Track, position_in_table: DVec2) -> EventBall {
    let label = track.label();
    EventBall {
        track_id: TrackId(track.id.0),
        kind: label.kind,
        number: label.number,
        position_in_table,
    }
}

/// Seconds that cannot be a duration count for none.
fn secs(secs: f64) -> Duration {
    Duration::try_from_secs_f64(secs).unwrap_or_default()
}

#[cfg(test)]
mod tests;
