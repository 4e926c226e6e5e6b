//! The outcome of a simulation: what happened, and where every ball was at every moment.

use glam::DVec2;

use crate::{BallState, Motion};

/// What happens in an event. Balls, cushions, jaws and pockets are indices into what was given to the simulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// Two balls collide; `a` < `b`.
    BallBall {
        /// The ball of lower index.
        a: usize,
        /// The ball of higher index.
        b: usize,
    },
    /// A ball hits a straight cushion.
    Cushion {
        /// The ball.
        ball: usize,
        /// Index into [`TableShape::cushions`](crate::TableShape::cushions).
        cushion: usize,
    },
    /// A ball hits the rounded end of a cushion.
    Jaw {
        /// The ball.
        ball: usize,
        /// Index into [`TableShape::jaws`](crate::TableShape::jaws).
        jaw: usize,
    },
    /// A ball falls into a pocket.
    Pocket {
        /// The ball.
        ball: usize,
        /// Index into [`TableShape::pockets`](crate::TableShape::pockets).
        pocket: usize,
    },
    /// A ball stops sliding and rolls.
    SlideToRoll {
        /// The ball.
        ball: usize,
    },
    /// A ball stops rolling and turns in place.
    RollToSpin {
        /// The ball.
        ball: usize,
    },
    /// A rolling ball comes to rest.
    RollToRest {
        /// The ball.
        ball: usize,
    },
    /// A ball that turned in place comes to rest.
    SpinToRest {
        /// The ball.
        ball: usize,
    },
}

impl EventKind {
    /// Whether something touches something, as against a ball that changes the way it moves by itself.
    pub const fn is_contact(self) -> bool {
        matches!(
            self,
            Self::BallBall { .. } | Self::Cushion { .. } | Self::Jaw { .. } | Self::Pocket { .. }
        )
    }
}

/// What an event does to one ball.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// The ball.
    pub ball: usize,
    /// Its state just before.
    pub before: BallState,
    /// Its state just after.
    pub after: BallState,
}

/// Something that happens to one ball or two.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// Seconds from the start of the shot.
    pub time: f64,
    /// What happens.
    pub kind: EventKind,
    /// Unit vector of contact, from the first ball towards what it touches; zero where nothing is touched.
    pub normal: DVec2,
    /// The ball it happens to; of two, that of lower index.
    pub first: Change,
    /// The other ball of a collision.
    pub second: Option<Change>,
}

impl Event {
    /// What it does to each ball involved, in order of index.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        [Some(&self.first), self.second.as_ref()].into_iter().flatten()
    }

    /// What it does to this ball, if it is involved.
    pub fn change_of(&self, ball: usize) -> Option<&Change> {
        self.changes().find(|change| change.ball == ball)
    }
}

/// A stretch of one ball's way on which nothing happens to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// The ball.
    pub ball: usize,
    /// Seconds from the start of the shot.
    pub start_time: f64,
    /// Seconds from the start of the shot, not before `start_time`.
    pub end_time: f64,
    /// How it moves, counted from `start_time`.
    pub motion: Motion,
}

impl Segment {
    /// State at `time` (seconds from the start of the shot), held at the ends of the stretch.
    pub fn state_at(&self, time: f64) -> BallState {
        self.motion
            .state_at(time.clamp(self.start_time, self.end_time) - self.start_time)
    }

    /// Where the ball is at the end of the stretch.
    pub fn end_position(&self) -> DVec2 {
        self.motion.position_at(self.end_time - self.start_time)
    }

    /// Points after the start that make a chain of straight pieces nowhere further than `tolerance` metres from
    /// the path; the last is its end. A straight path gives one point, a ball in place none.
    pub fn polyline(&self, tolerance: f64) -> impl Iterator<Item = DVec2> + use<> {
        let duration = self.end_time - self.start_time;
        let motion = self.motion;
        let chord = self.end_position() - motion.start.position;
        // A chord over t seconds of a parabola is off by a⊥ t² / 8 at most, a⊥ the acceleration across it.
        let across = motion.acceleration.perp_dot(chord.normalize_or_zero()).abs();
        let eighth = 0.125 * duration * duration;
        let pieces = if !motion.start.motion.is_moving() || duration <= 0.0 {
            0
        } else if eighth * across <= tolerance {
            1
        } else {
            let most = eighth * motion.acceleration.length();
            (most / tolerance).sqrt().ceil().min(1_000.0) as u32
        };
        (1..=pieces).map(move |piece| motion.position_at(duration * f64::from(piece) / f64::from(pieces)))
    }
}

/// Why a simulation ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ended {
    /// Every ball is at rest or in a pocket.
    #[default]
    AtRest,
    /// [`Limits::events`](crate::Limits::events) was reached: the shot is right as far as it goes, and its end is
    /// the state at the last event.
    EventBudget,
    /// [`Limits::time`](crate::Limits::time) was reached.
    TimeLimit,
}

/// A simulated shot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shot {
    /// What happened, in order of time.
    pub events: Vec<Event>,
    /// The way of every ball, in order of ball, then time; the segments of a ball follow each other without gap from 0
    /// to [`duration`](Self::duration), those at rest or in a pocket included.
    pub segments: Vec<Segment>,
    /// State of every ball at the end.
    pub end: Vec<BallState>,
    /// Seconds from start to end.
    pub duration: f64,
    /// Why it ended.
    pub ended: Ended,
}

impl Shot {
    /// The way of one ball, in order of time.
    pub fn segments_of(&self, ball: usize) -> &[Segment] {
        let first = self.segments.partition_point(|segment| segment.ball < ball);
        let count = self.segments[first..].partition_point(|segment| segment.ball == ball);
        &self.segments[first..first + count]
    }

    /// State of a ball `time` seconds from the start, held before the start and after the end; `None` when there is no
    /// such ball. At the very moment of an event it is the state after it.
    pub fn state_at(&self, ball: usize, time: f64) -> Option<BallState> {
        if time >= self.duration {
            return self.end.get(ball).copied();
        }
        let segments = self.segments_of(ball);
        let next = segments.partition_point(|segment| segment.start_time <= time);
        segments
            .get(next.saturating_sub(1))
            .map(|segment| segment.state_at(time))
    }
}
