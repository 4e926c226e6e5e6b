//! How well a sighting fits a ball: negative log-likelihoods, in nats, that the assignment adds up.
//!
//! A ball goes on as it did, or it touches what physics says, or it turned: it was struck, hit or bounced otherwise. In the
//! first two cases its sighting is normally distributed about the prediction. In the third it lies anywhere within reach of
//! where it was seen last; its distance is taken to be exponentially distributed, as most shots are slow and few are fast.
//! Densities are per square metre, so that a sighting's fit to a ball and the chance that it is something new can be compared.

use ghostball_world::TrackId;
use glam::DVec2;
use serde::{Deserialize, Serialize};

use crate::assignment::{Assigner, CostMatrix};
use crate::bed::{Bed, distance_to_segment};
use crate::kalman::Noise;
use crate::pushes::{FASTEST_STROKE, TOUCH_FACTOR};
use crate::track::{Observation, Track};

/// How often a ball that was seen in the frame before is seen again.
const SEEN_AGAIN: f64 = 0.95;
/// How often a ball that was not seen in the frame before is seen: what hides it usually stays.
const SEEN_AT_LAST: f64 = 0.5;
/// Chance that a moving ball turns within a frame: a shot has a handful of contacts in a hundred frames.
const TURN_MOVING: f64 = 0.15;
/// Chance that a ball at rest starts within a frame with something beside it that can start it…
const TURN_DISTURBED: f64 = 0.3;
/// …and with nothing there, or that either goes faster than what is there can make it: the cue or the other ball was not seen.
const TURN_UNDISTURBED: f64 = 0.002;
/// Chance that a ball which touches another, or a cushion, by what is known goes on as physics says: the rest are near misses,
/// and what is not known of the balls' spin.
const AS_FORESEEN: f64 = 0.6;
/// Mean speed at which a ball at rest is sent off, m/s: a typical shot (the hardest break is 12 m/s).
const START_SPEED: f64 = 1.5;
/// A ball's reach grows with time, but no longer than this, seconds.
const REACH_SECS: f64 = 0.5;
/// A ball at rest that was not seen for this long, seconds, is covered; it does not jump at the first likeness.
const COVERED_SECS: f64 = 0.15;
/// Sightings of no ball, or of a new one, per square metre and frame: at confidence 0, and what is left of it at 1.
const NEW_DOUBTFUL: f64 = 0.2;
const NEW_SURE: f64 = 0.004;
/// Nats for a full contradiction of kinds: a detector takes one kind for another in less than one of a hundred sightings.
const CONTRADICTION: f64 = 5.0;
/// The same where balls may be anywhere and looks are all there is to go by: more than any distance on a table says.
const CONTRADICTION_ANYWHERE: f64 = 12.0;
/// A ball at rest that is half covered is seen this far beside its place, in radii.
const ASKEW_RADII: f64 = 0.1;
/// What the tip of a stick can reach within a frame, metres.
pub const STICK_REACH: f64 = 0.3;

/// Where a ball goes within one frame if nothing stops it, metres.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Way {
    /// Which.
    pub id: TrackId,
    /// Where it was in the frame before.
    pub start: DVec2,
    /// Where it should be now.
    pub end: DVec2,
    /// Metres per second at the start; 0 at rest.
    pub velocity: DVec2,
}

impl Way {
    /// Whether it moves.
    pub fn is_moving(&self) -> bool {
        self.velocity != DVec2::ZERO
    }

    fn distance_from(&self, place: DVec2) -> f64 {
        distance_to_segment(place, self.start, self.end)
    }

    /// Where a ball that lies at `place` goes if the ball of this way touches it, for balls of `radius`: a unit vector.
    pub fn sends(&self, place: DVec2, radius: f64) -> DVec2 {
        let from = place - self.start;
        let direction = self.velocity.normalize_or_zero();
        let (along, aside) = (from.dot(direction), from.perp_dot(direction));
        let back = (4.0 * radius * radius - aside * aside).max(0.0).sqrt();
        // What has gone by already sends it where it would from where it is.
        let touching = self.start + (along - back).max(0.0) * direction;
        (place - touching).normalize_or_zero()
    }

    /// How near the centres of two balls come that go these ways at the same time.
    pub fn distance_to(&self, other: &Self) -> f64 {
        distance_to_segment(DVec2::ZERO, other.start - self.start, other.end - self.end)
    }
}

/// What the rest of the table lets a ball do in this frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expectation {
    /// Chance that it turns.
    turn: f64,
    /// How far from where it was seen last that brings it at most, metres, unless by something unseen.
    farthest: f64,
    /// Mean distance, metres, from where it was seen last if it turned.
    reach: f64,
    /// Nats for a full contradiction of kinds.
    contradiction: f64,
}

impl Expectation {
    /// What to expect of `track`, given the ways of all balls in this frame and the tip of the stick.
    pub fn of(track: &Track, elapsed_secs: f64, bed: &Bed, ways: &[Way], cue_tip: Option<DVec2>) -> Self {
        let since_seen_secs = track.unseen_secs + elapsed_secs;
        let speed = track.velocity().length();
        let reach = (START_SPEED + 0.5 * speed) * since_seen_secs.min(REACH_SECS);
        // How fast it may be then, m/s.
        let (turn, fastest) = if track.is_moving() && track.is_new {
            // Struck or hit at some moment of the frame before: any speed.
            (TURN_MOVING, f64::INFINITY)
        } else if track.is_moving() {
            let fastest = track.filter.fastest();
            (
                TURN_MOVING,
                track.touch_speed.map_or(fastest, |speed| speed.max(fastest)),
            )
        } else {
            let place = track.filter.position;
            let is_at_tip = cue_tip.is_some_and(|tip| tip.distance(place) < STICK_REACH);
            let by_stick = is_at_tip.then_some(FASTEST_STROKE);
            let disturbers = ways
                .iter()
                .filter(|way| way.is_moving() && way.distance_from(place) < 3.0 * bed.ball_radius);
            let by_balls = disturbers.map(|way| TOUCH_FACTOR * way.velocity.length());
            match by_balls.chain(by_stick).reduce(f64::max) {
                Some(fastest) => (TURN_DISTURBED, fastest),
                None if since_seen_secs < COVERED_SECS => (TURN_UNDISTURBED, f64::INFINITY),
                None => (0.0, 0.0),
            }
        };
        Self {
            turn,
            // What is seen of it overlaps the ball, however askew.
            farthest: fastest * since_seen_secs + bed.ball_radius,
            reach,
            contradiction: CONTRADICTION,
        }
    }

    /// What to expect when time has jumped: any ball may be anywhere.
    pub fn after_a_gap(bed: &Bed) -> Self {
        Self {
            turn: 0.5,
            farthest: f64::INFINITY,
            reach: 0.5 * bed.half_reach.x,
            contradiction: CONTRADICTION_ANYWHERE,
        }
    }

    /// What to expect of a ball seen only once or twice.
    pub fn of_candidate(track: &Track, elapsed_secs: f64) -> Self {
        Self {
            turn: TURN_DISTURBED,
            farthest: f64::INFINITY,
            reach: START_SPEED * (track.unseen_secs + elapsed_secs).min(REACH_SECS),
            contradiction: CONTRADICTION,
        }
    }

    /// Cost of `observation` being `track`.
    fn pair_cost(&self, track: &Track, observation: &Observation, elapsed_secs: f64, bed: &Bed) -> f64 {
        use std::f64::consts::TAU;
        let noise = track.noise_of(observation, elapsed_secs);
        let mut noise_if_straight = noise;
        if !track.is_moving() {
            noise_if_straight = Noise::even(libm::hypot(noise.along, ASKEW_RADII * bed.ball_radius));
        }
        let on_its_way = track.filter.density(observation.position, noise_if_straight);
        let reach = self.reach.max(0.1 * bed.ball_radius);
        let way = observation.position.distance(track.last_seen.position);
        let turned = libm::exp(-way / reach) / (TAU * reach * reach);
        let is_explained = way <= self.farthest || track.leap(observation.position, noise).is_some();
        let turn = if is_explained {
            self.turn
        } else {
            self.turn.min(TURN_UNDISTURBED)
        };
        let mut density = (1.0 - turn) * on_its_way + turn * turned;
        if let Some(foreseen) = &track.foreseen {
            let filter = foreseen.filter(noise.along);
            let as_foreseen = filter.density(observation.position, noise);
            density += AS_FORESEEN * (as_foreseen - density);
        }
        let kind = self.contradiction * track.votes.contradiction(observation.label);
        -libm::log(seen_chance(track) * density) + kind
    }
}

/// Cost of `track` not being seen.
fn miss_cost(track: &Track) -> f64 {
    -libm::log(1.0 - seen_chance(track))
}

/// Cost of `observation` being none of the known balls.
fn novelty_cost(observation: &Observation) -> f64 {
    -libm::log(NEW_SURE + NEW_DOUBTFUL * (1.0 - observation.confidence.clamp(0.0, 1.0)))
}

fn seen_chance(track: &Track) -> f64 {
    if track.frames_missed == 0 {
        SEEN_AGAIN
    } else {
        SEEN_AT_LAST
    }
}

/// Finds the sighting of every track, all together at the least cost. Keeps its buffers.
#[derive(Clone, Debug, Default)]
pub struct Matcher {
    expectations: Vec<Expectation>,
    costs: CostMatrix,
    assigner: Assigner,
    matches: Vec<Option<usize>>,
}

impl Matcher {
    /// Finds which of the `free` observations belongs to each track, if any, and takes those from `free`.
    /// `expectation_of` says what to expect of a track.
    pub fn match_up(
        &mut self,
        tracks: &[Track],
        expectation_of: impl Fn(&Track) -> Expectation,
        observations: &[Observation],
        free: &mut [bool],
        elapsed_secs: f64,
        bed: &Bed,
    ) -> &[Option<usize>] {
        self.expectations.clear();
        self.expectations.extend(tracks.iter().map(expectation_of));
        self.matches.clear();
        self.matches.resize(tracks.len(), None);
        let seen = observations.len();
        // One more column per track, for not being seen.
        self.costs.reset(tracks.len(), seen + tracks.len());
        for (row, (track, expectation)) in tracks.iter().zip(&self.expectations).enumerate() {
            let miss = miss_cost(track);
            for (column, observation) in observations.iter().enumerate() {
                if !free[column] {
                    continue;
                }
                let cost =
                    expectation.pair_cost(track, observation, elapsed_secs, bed) - novelty_cost(observation);
                if cost < miss {
                    self.costs.set(row, column, cost);
                }
            }
            for column in seen..seen + tracks.len() {
                self.costs.set(row, column, miss);
            }
        }
        for (row, column) in self.assigner.solve(&self.costs).iter().enumerate() {
            if *column < seen {
                self.matches[row] = Some(*column);
                free[*column] = false;
            }
        }
        &self.matches
    }
}
