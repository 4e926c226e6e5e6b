//! A ball at rest that is seen beside its place: has it set off, or is it seen askew?
//!
//! What sets off goes on, evenly. What is seen askew, half covered or its band taken for its edge, jumps there and back, or
//! stays.

use glam::DVec2;
use serde::{Deserialize, Serialize};

use crate::motion::{Glimpse, RESTING_SPEED};

/// A suspicious ball that has gone this many sigmas further moves…
const GROWTH_SIGMAS: f64 = 2.0;
/// …if that is also this share of what it had gone at first. It had set off at some moment since the frame before; in a
/// whole frame it goes at least as far again, less what it slows down.
const GROWTH_SHARE: f64 = 0.5;
/// One that sets off slower than this would stand again before it could be told.
const STARTING_SPEED: f64 = 2.0 * RESTING_SPEED;
/// A ball that rolls goes as far in one frame as in the next, and in the same direction: at least so far as a share of the
/// longer one of the two.
const EVEN_SHARE: f64 = 0.5;
/// How long, seconds, a ball may stay beside its anchor without going further before the anchor is moved to it: it was
/// nudged, or the camera was…
const NUDGE_SECS: f64 = 0.3;
/// …and how long where it is no farther off than a ball is seen askew: an arm over it, or light on it, passes.
const ASKEW_SECS: f64 = 3.0;

/// A ball at rest that was seen beside its anchor.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suspicion {
    /// How far and which way from the anchor it was seen at first.
    first: DVec2,
    lasting_secs: f64,
    mean: DVec2,
    weight: f64,
    last: DVec2,
    /// From the sighting before to the last one, m/s.
    velocity: DVec2,
    /// Of the ball's sightings at rest before, m².
    pub own_variance: f64,
    /// Another ball may have touched it before the last sighting, and that is far enough off.
    pub is_by_ball: bool,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// It moves.
    GoesOn,
    /// It is nearer to its anchor than at first.
    ComesBack,
    /// It stays beside its anchor: the mean of so many sightings.
    Stays(DVec2, f64),
    /// Nothing yet.
    Open,
}

impl Suspicion {
    /// Seen at `position`, so far and that way from its anchor, where its sightings had this variance, m².
    pub fn of(position: DVec2, offset: DVec2, own_variance: f64, is_by_ball: bool) -> Self {
        Self {
            first: offset,
            lasting_secs: 0.0,
            mean: position,
            weight: 1.0,
            last: position,
            velocity: DVec2::ZERO,
            own_variance,
            is_by_ball,
        }
    }

    /// Takes in another sighting, `offset` from the anchor, where sightings scatter by `scatter` metres. If it
    /// `may_start` two sightings tell that it moves: something pushes it that way, or it is hardly seen askew. Else three do.
    pub fn follow(
        &mut self,
        glimpse: &Glimpse,
        offset: DVec2,
        scatter: f64,
        may_start: bool,
        is_askew: bool,
    ) -> Verdict {
        self.lasting_secs += glimpse.elapsed_secs;
        self.weight += 1.0;
        self.mean += (glimpse.position - self.mean) / self.weight;
        let velocity = (glimpse.position - self.last) / glimpse.elapsed_secs.max(1e-3);
        let before = std::mem::replace(&mut self.velocity, velocity);
        self.last = glimpse.position;
        let longer = velocity.length_squared().max(before.length_squared());
        let is_even = velocity.dot(before) >= EVEN_SHARE * longer;
        let first = self.first.length();
        let growth = offset.dot(self.first) / first - first;
        let has_grown = growth > (GROWTH_SIGMAS * scatter).max(GROWTH_SHARE * first)
            && growth > STARTING_SPEED * self.lasting_secs;
        let patience_secs = if is_askew { ASKEW_SECS } else { NUDGE_SECS };
        if has_grown && (may_start || is_even) {
            Verdict::GoesOn
        } else if growth < -GROWTH_SIGMAS * scatter {
            Verdict::ComesBack
        } else if self.lasting_secs >= patience_secs {
            Verdict::Stays(self.mean, self.weight)
        } else {
            Verdict::Open
        }
    }
}
