//! Candidates that were looked at in one picture.

use glam::DVec2;

use super::gaps;
use super::rim::{Rim, RimFinder, Scratch};
use super::select;
use super::votes::{Candidate, LEAST_SHARE};

/// Nothing nearer than so many radii to a ball that is certain can be another: balls whose centres are
/// [`select::NEAREST_CENTERS`] apart, of which a candidate is a fifth of a radius beside its own.
const CERTAIN_REACH: f64 = select::NEAREST_CENTERS - 0.2;
/// Gaps among balls looked into per picture: a snooker rack has six balls that others surround, and so many more on its
/// sides; it bounds the time.
const MOST_GAPS: usize = 32;

/// What was seen round candidates; holds buffers.
#[derive(Clone, Debug, Default)]
pub(super) struct Looks {
    /// Those that may be balls.
    pub rims: Vec<(Candidate, Rim)>,
    /// Centres of those that are balls whatever is round them.
    certain: Vec<DVec2>,
}

impl Looks {
    pub fn clear(&mut self) {
        self.rims.clear();
        self.certain.clear();
    }

    /// Keeps what is seen round a candidate, unless that is surely no ball, or none of its own.
    pub fn add(&mut self, candidate: Candidate, finder: &RimFinder, scratch: &mut Scratch) {
        let nearest = CERTAIN_REACH * finder.place.radius_at(candidate.center);
        let is_free = |ball: &DVec2| ball.distance(candidate.center) >= nearest;
        if self.certain.iter().all(is_free)
            && let Some(rim) = finder.look(candidate.center, scratch)
            && finder.place.allows_center(rim.ellipse.center)
        {
            let looked_at = (candidate, rim);
            if select::stands_alone(&looked_at) {
                self.certain.push(rim.ellipse.center);
            }
            self.rims.push(looked_at);
        }
    }

    /// Looks where those that touch leave room for another, and where these do. `share_at` tells what share of a whole
    /// rim votes for a place.
    pub fn add_gaps(&mut self, share_at: impl Fn(DVec2) -> f32, finder: &RimFinder, scratch: &mut Scratch) {
        let mut left = MOST_GAPS;
        let mut last = 0;
        while last < self.rims.len() {
            for first in 0..last {
                let places = gaps::beside(&self.rims, [first, last], finder.place, &scratch.rays);
                for center in places.into_iter().flatten() {
                    let share = share_at(center);
                    if share >= LEAST_SHARE && left > 0 {
                        left -= 1;
                        self.add(Candidate { center, share }, finder, scratch);
                    }
                }
            }
            last += 1;
        }
    }
}
