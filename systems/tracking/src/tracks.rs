//! All balls together: who is seen, who is new, who is gone.

use ghostball_world::{CircleInImage, PocketName, TrackId};
use glam::DVec2;
use serde::{Deserialize, Serialize};

use crate::association::{Expectation, Matcher, Way};
use crate::bed::Bed;
use crate::continuity::GAP_SECS;
use crate::exposure::Exposure;
use crate::falls::{Fall, Faller};
use crate::foresight::{ForeseenTouch, Foresight};
use crate::identity::{Label, Registrar};
use crate::names;
use crate::noise::PixelNoise;
use crate::pushes;
use crate::repeat::RepeatDetector;
use crate::track::{Observation, Track};

/// Frames in which every sighting is published at once: nothing was known before, so nothing can contradict it.
const OPENING_FRAMES: u32 = 3;
/// Sightings that make a ball of a candidate…
const CONFIRMING_SIGHTINGS: u32 = 3;
/// …and the log-odds they must add up to: balls hardly ever come to a table, so doubtful sightings must come often.
const CONFIRMING_EVIDENCE: f64 = 5.0;
/// In the opening frames a sighting is published that is a ball more likely than not.
const OPENING_CONFIDENCE: f64 = 0.5;
/// A candidate that was not seen in so many frames in a row was none.
const CANDIDATE_MISSES: u32 = 2;
/// The same for a ball published in the opening frames.
const PROVISIONAL_MISSES: u32 = 3;
/// After so many frames, one that is still more likely no ball is dropped though it is seen.
const PROVISIONAL_FRAMES: u32 = 15;
/// Candidates kept at most, the oldest; more sightings than that are ignored until they are sorted out.
const CANDIDATES: usize = 64;
/// How long a hidden ball is believed in, seconds: a player's arm stays no longer. Also no longer than…
const HIDDEN_SECS: f64 = 10.0;
/// …this many times as long as it has been seen.
const HIDDEN_FACTOR: f64 = 10.0;
/// Frames after which a ball that was lost on its way into a pocket is potted.
const POTTED_FRAMES: u32 = 3;
/// How long a ball taken for potted is remembered, seconds: one that only rattled in the jaws comes back with its name…
pub const DEPARTED_SECS: f64 = 2.0;
/// …within so many radii of where it was seen last. No more than these are remembered, the latest.
const DEPARTED_RADII: f64 = 15.0;
const DEPARTED: usize = 8;
/// A hidden ball in whose place another one lies for so many frames is not there.
const SHADOWED_FRAMES: u32 = 5;
/// Nearer than this many radii two sightings cannot be two balls.
const OVERLAP_RADII: f64 = 1.7;
/// Nearer than this many, two balls touch: places in a pack are known to a fifth of a radius.
const TOUCHING_RADII: f64 = 2.2;
/// A ball lost while it moved, or shortly ago, may be a new one elsewhere, seconds…
const LOST_SECS: f64 = 0.5;
/// …within what a ball can go in that time, m/s.
const FASTEST: f64 = 12.0;
/// So many balls that lie elsewhere from one frame to the next, and more than half of all, were carried off unseen: no shot
/// moves them at once from rest.
const REARRANGED: usize = 3;
/// Time between frames where the stamps stand still although the picture changes.
const NOMINAL_SECS: f64 = 1.0 / 30.0;

/// One ball as detection saw it, mapped into table space.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeenBall {
    /// Centre in table space, metres.
    pub position: DVec2,
    /// Metres per pixel there.
    pub metres_per_px: f64,
    /// How far it went while the shutter was open, metres, this way or the opposite one; `None` where that is not seen.
    pub streak: Option<DVec2>,
    /// Where it was seen, pixels.
    pub circle: CircleInImage,
    /// What it looks like.
    pub label: Label,
    /// 0 to 1.
    pub confidence: f64,
}

/// When a frame was captured, as far as tracking cares.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tick {
    /// Seconds since the frame before.
    pub dt_secs: f64,
    /// The stamps ran backwards: this is another place in the stream.
    pub jumped_back: bool,
}

/// A ball that left the table.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Departure {
    /// The ball as it was followed last.
    pub track: Track,
    /// The pocket it was on its way into when it was lost; `None` where it was hidden for too long to be there still.
    pub pocket: Option<PocketName>,
    /// How it fell into that, by physics; `None` where that would not have brought it there.
    pub fall: Option<Fall>,
}

/// What is the same for all balls in one frame.
struct Pass<'a> {
    /// Seconds since the last picture that showed something new; zero in one that does not.
    elapsed_secs: f64,
    is_repeat: bool,
    after_gap: bool,
    bed: &'a Bed,
    cue_tip: Option<DVec2>,
}

impl Pass<'_> {
    /// Hands every track its sighting, if it has one.
    fn update(
        &self,
        tracks: &mut [Track],
        matches: &[Option<usize>],
        observations: &[Observation],
        noise: &mut PixelNoise,
    ) {
        for (track, matched) in tracks.iter_mut().zip(matches) {
            let place = matched.map_or(track.filter.position, |index| observations[index].position);
            let radii = |ball: &Observation| ball.position.distance(place) / self.bed.ball_radius;
            let touches = |ball: &&Observation| (OVERLAP_RADII..TOUCHING_RADII).contains(&radii(ball));
            track.touching = observations.iter().filter(touches).count() as u32;
            match matched.map(|index| observations[index]) {
                Some(observation) if self.is_repeat => track.see_again(observation),
                Some(observation) if self.after_gap => track.see_anew(observation),
                Some(observation) => track.see(observation, self.elapsed_secs, self.bed, noise),
                None => track.miss(self.elapsed_secs),
            }
            if track.sightings >= CONFIRMING_SIGHTINGS && track.evidence >= CONFIRMING_EVIDENCE {
                track.provisional = false;
            }
        }
    }
}

/// Follows all balls of one table.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct BallTracker {
    tracks: Vec<Track>,
    candidates: Vec<Track>,
    /// Balls taken for potted a moment ago.
    departed: Vec<Track>,
    /// Balls that left the table in this frame.
    departures: Vec<Departure>,
    last_id: u32,
    frames: u32,
    noise: PixelNoise,
    exposure: Exposure,
    repeats: RepeatDetector,
    /// Time of repeated pictures, not yet lived through.
    pending_secs: f64,
    usual_secs: Option<f64>,
    #[serde(skip)]
    registrar: Registrar,
    #[serde(skip)]
    matcher: Matcher,
    #[serde(skip)]
    observations: Vec<Observation>,
    #[serde(skip)]
    free: Vec<bool>,
    elapsed_secs: f64,
    /// The ways of all tracks in this frame, as predicted.
    ways: Vec<Way>,
    #[serde(skip)]
    foresight: Foresight,
    #[serde(skip)]
    faller: Faller,
}

impl BallTracker {
    /// The balls on the table, in order of their names.
    pub fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    /// The balls that left the table in this frame, in order of their names.
    pub fn departures(&self) -> &[Departure] {
        &self.departures
    }

    /// Where the balls were in the frame before and should be in this one; of balls that have left since, too.
    pub fn ways(&self) -> &[Way] {
        &self.ways
    }

    /// The touches that were to come in this frame, and what was seen of them.
    pub fn foreseen_touches(&self) -> &[ForeseenTouch] {
        self.foresight.touches()
    }

    /// Seconds since the last picture that showed something new; zero in one that does not.
    pub fn elapsed_secs(&self) -> f64 {
        self.elapsed_secs
    }

    /// Whether nothing was known before this frame: what is seen in it, and in the two after it, was there already.
    pub fn is_opening(&self) -> bool {
        self.frames <= OPENING_FRAMES
    }

    /// Whether nothing was known before this frame, or no longer after a gap.
    pub fn has_just_begun(&self) -> bool {
        self.frames <= 1
    }

    /// Forgets everything but the names already given.
    pub fn clear(&mut self) {
        *self = Self {
            last_id: self.last_id,
            ..Self::default()
        };
    }

    /// Table space has changed: `map` takes a place in the old one to the same pixel's place in the new one. If the
    /// calibration was corrected, balls are where they were in the picture; if the camera was moved, they are where they
    /// were in table space. `seen` decides: the balls stay where they are nearer to what is seen.
    pub fn recalibrated(&mut self, seen: &[SeenBall], bed: &Bed, map: impl Fn(DVec2) -> DVec2) {
        // No farther than a radius: a ball that is not seen must not decide.
        let off = |place: DVec2| {
            let distances = seen.iter().map(|ball| ball.position.distance(place));
            distances.fold(bed.ball_radius, f64::min)
        };
        let (mut in_picture, mut in_table) = (0.0, 0.0);
        for track in &self.tracks {
            in_picture += off(map(track.filter.position));
            in_table += off(track.filter.position);
        }
        let tracks = self.tracks.iter_mut().chain(&mut self.candidates);
        for track in tracks.chain(&mut self.departed) {
            if in_picture <= in_table {
                track.remap(&map, bed.ball_radius);
            } else {
                track.held_off = DVec2::ZERO;
                track.motion.camera_moved();
            }
        }
    }

    /// Takes in one frame.
    pub fn follow(&mut self, tick: Tick, seen: &[SeenBall], bed: &Bed, cue_tip: Option<DVec2>) {
        self.observe(seen, bed);
        let after_gap = tick.jumped_back || tick.dt_secs > GAP_SECS || self.are_rearranged(bed);
        if after_gap {
            self.forget_motion();
        }
        let dt_secs = self.believable(tick.dt_secs);
        let is_repeat = !after_gap
            && self
                .repeats
                .is_repeat(&self.tracks, &self.observations, dt_secs, bed);
        let elapsed_secs = if is_repeat {
            self.pending_secs += dt_secs;
            0.0
        } else {
            dt_secs + std::mem::take(&mut self.pending_secs)
        };
        self.elapsed_secs = elapsed_secs;
        let pass = Pass {
            elapsed_secs,
            is_repeat,
            after_gap,
            bed,
            cue_tip,
        };
        self.follow_tracks(&pass);
        self.follow_candidates(&pass);
        self.bury(&pass);
        self.welcome(bed);
        self.registrar.settle(&mut self.tracks, |track| &mut track.votes);
        names::keep(&mut self.tracks);
        self.frames = self.frames.saturating_add(1);
    }

    /// Gives every sighting its uncertainty, and leaves out those that say nothing.
    fn observe(&mut self, seen: &[SeenBall], bed: &Bed) {
        self.noise.balls_appear(bed.ball_radius_px);
        let sigma_px = self.noise.sigma_px();
        let exposure_secs = self.exposure.secs();
        self.observations.clear();
        let usable = seen
            .iter()
            .filter(|ball| ball.position.is_finite() && ball.metres_per_px.is_finite());
        self.observations.extend(usable.map(|ball| {
            let confidence = ball.confidence.clamp(0.3, 1.0);
            let doubt = 1.0 / (confidence * confidence);
            Observation {
                position: ball.position,
                sigma: doubt * sigma_px * ball.metres_per_px.max(1e-9),
                doubt,
                metres_per_px: ball.metres_per_px.max(1e-9),
                streak: ball.streak.filter(|streak| streak.is_finite()),
                exposure_secs,
                circle: ball.circle,
                label: ball.label,
                confidence: ball.confidence,
            }
        }));
        self.free.clear();
        self.free.resize(self.observations.len(), true);
    }

    /// The time step: the stamps', or the usual one where they stand still.
    fn believable(&mut self, dt_secs: f64) -> f64 {
        if self.frames == 0 {
            return 0.0;
        }
        if dt_secs > 0.0 && dt_secs <= GAP_SECS {
            self.usual_secs = Some(dt_secs);
            dt_secs
        } else {
            self.usual_secs.unwrap_or(NOMINAL_SECS)
        }
    }

    /// Whether most balls stood in the frame before and lie elsewhere now: they were racked, or pictures are missing.
    fn are_rearranged(&self, bed: &Bed) -> bool {
        let is_near = |a: DVec2, b: DVec2| a.distance(b) < bed.ball_radius;
        let known = self.tracks.iter().filter(|track| track.seen.is_some());
        let seen = &self.observations;
        let is_lost = |track: &&Track| {
            !seen
                .iter()
                .any(|ball| is_near(ball.position, track.filter.position))
        };
        let is_new = |ball: &&Observation| {
            !self
                .tracks
                .iter()
                .any(|track| is_near(ball.position, track.filter.position))
        };
        let lost = known.clone().filter(is_lost).count();
        lost >= REARRANGED
            && 2 * lost > known.count()
            && seen.iter().filter(is_new).count() >= REARRANGED
            && !self.tracks.iter().any(Track::is_moving)
    }

    /// After a gap every ball lies somewhere; those not found again soon are gone.
    fn forget_motion(&mut self) {
        self.frames = 0;
        self.pending_secs = 0.0;
        self.candidates.clear();
        for track in &mut self.tracks {
            track.stop();
            track.provisional = true;
            track.sightings = 0;
            track.frames_missed = 0;
        }
    }

    /// Finds the sightings of the known balls.
    fn follow_tracks(&mut self, pass: &Pass) {
        self.ways.clear();
        for track in &mut self.tracks {
            let (start, velocity) = (track.filter.position, track.velocity());
            track.predict(pass.elapsed_secs, pass.bed);
            self.ways.push(Way {
                id: track.id,
                start,
                end: track.filter.position,
                velocity,
            });
        }
        let ways = &self.ways;
        self.foresight
            .look(&self.tracks, ways, pass.elapsed_secs, pass.bed);
        for (track, foreseen) in self.tracks.iter_mut().zip(self.foresight.foreseen()) {
            track.foreseen = *foreseen;
        }
        pushes::look(&mut self.tracks, ways, pass.cue_tip, pass.bed);
        let expectation_of = |track: &Track| {
            if pass.after_gap {
                Expectation::after_a_gap(pass.bed)
            } else {
                Expectation::of(track, pass.elapsed_secs, pass.bed, ways, pass.cue_tip)
            }
        };
        let matches = self.matcher.match_up(
            &self.tracks,
            expectation_of,
            &self.observations,
            &mut self.free,
            pass.elapsed_secs,
            pass.bed,
        );
        pass.update(&mut self.tracks, matches, &self.observations, &mut self.noise);
        for track in &self.tracks {
            if let Some(streak) = track.seen.and_then(|seen| seen.streak)
                && track.goes_straight()
            {
                self.exposure.learn(streak, track.velocity(), pass.elapsed_secs);
            }
        }
        self.foresight
            .compare(&self.tracks, &self.ways, pass.elapsed_secs, pass.bed);
    }

    /// Finds the sightings of the candidates among those left, and makes candidates of the rest.
    fn follow_candidates(&mut self, pass: &Pass) {
        for candidate in &mut self.candidates {
            candidate.predict(pass.elapsed_secs, pass.bed);
        }
        let matches = self.matcher.match_up(
            &self.candidates,
            |candidate| Expectation::of_candidate(candidate, pass.elapsed_secs),
            &self.observations,
            &mut self.free,
            pass.elapsed_secs,
            pass.bed,
        );
        pass.update(&mut self.candidates, matches, &self.observations, &mut self.noise);
        self.candidates
            .retain(|candidate| candidate.frames_missed < CANDIDATE_MISSES * (1 + candidate.touching));
        for (observation, free) in self.observations.iter().zip(&self.free) {
            let room = self.candidates.len() < CANDIDATES;
            if *free && room && !is_taken(&self.tracks, observation.position, pass.bed) {
                self.candidates.push(Track::new(*observation));
            }
        }
    }

    /// Takes balls from the table that are no longer on it.
    fn bury(&mut self, pass: &Pass) {
        for index in 0..self.tracks.len() {
            let place = self.tracks[index].filter.position;
            let shadowed = self.tracks[index].seen.is_none()
                && self.tracks.iter().any(|other| {
                    other.seen.is_some() && other.filter.position.distance(place) < pass.bed.ball_radius
                });
            let track = &mut self.tracks[index];
            track.shadowed_frames = if shadowed { track.shadowed_frames + 1 } else { 0 };
        }
        for track in &mut self.departed {
            track.miss(pass.elapsed_secs);
        }
        self.departed.retain(|track| track.unseen_secs < DEPARTED_SECS);
        let (departed, departures) = (&mut self.departed, &mut self.departures);
        let faller = &mut self.faller;
        departures.clear();
        self.tracks.retain(|track| {
            let (pocket, fall) = fall_of(track, pass, faller).unzip();
            let fall = fall.flatten();
            if pocket.is_some() {
                if departed.len() == DEPARTED {
                    departed.remove(0);
                }
                departed.push(*track);
            }
            let is_gone = pocket.is_some() || is_gone(track);
            // A false sighting at the start was no ball, and a shadowed one another's: neither left.
            let was_there = !track.provisional && track.shadowed_frames < SHADOWED_FRAMES;
            if is_gone && was_there {
                departures.push(Departure {
                    track: *track,
                    pocket,
                    fall,
                });
            }
            !is_gone
        });
    }

    /// Of candidates that cannot both be balls the better seen one stays.
    fn drop_overlapped_candidates(&mut self, bed: &Bed) {
        let near = OVERLAP_RADII * bed.ball_radius;
        let mut index = 0;
        while index < self.candidates.len() {
            let candidate = &self.candidates[index];
            let is_worse = self.candidates.iter().enumerate().any(|(other_index, other)| {
                let better = other
                    .evidence
                    .total_cmp(&candidate.evidence)
                    .then(other.confidence_now().total_cmp(&candidate.confidence_now()))
                    .then(index.cmp(&other_index));
                other.seen.is_some()
                    && better.is_gt()
                    && other.last_seen.position.distance(candidate.last_seen.position) < near
            });
            if is_worse {
                self.candidates.remove(index);
            } else {
                index += 1;
            }
        }
    }

    /// Makes balls of candidates: at once in the opening frames, later when they are confirmed. One that takes up
    /// where a lost ball left off is that ball.
    fn welcome(&mut self, bed: &Bed) {
        let opening = self.frames < OPENING_FRAMES;
        let is_ready = |candidate: &Track| {
            candidate.seen.is_some()
                && (opening && candidate.confidence_now() >= OPENING_CONFIDENCE
                    || candidate.sightings >= CONFIRMING_SIGHTINGS
                        && candidate.evidence >= CONFIRMING_EVIDENCE)
        };
        if !self.candidates.iter().any(is_ready) {
            return;
        }
        self.drop_overlapped_candidates(bed);
        // Names must not depend on the order in which detection reports.
        self.candidates.sort_by(|a, b| {
            let (a, b) = (a.filter.position, b.filter.position);
            a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y))
        });
        let mut index = 0;
        while index < self.candidates.len() {
            if !is_ready(&self.candidates[index]) {
                index += 1;
                continue;
            }
            let candidate = self.candidates.remove(index);
            if is_taken(&self.tracks, candidate.filter.position, bed) {
                continue;
            }
            if let Some(lost) = find_lost(&self.tracks, &candidate) {
                self.tracks[lost].continue_as(&candidate);
            } else if let Some(index) = find_departed(&self.departed, &candidate, bed) {
                let mut track = self.departed.remove(index);
                track.continue_as(&candidate);
                let place = self.tracks.partition_point(|other| other.id < track.id);
                self.tracks.insert(place, track);
            } else {
                self.last_id += 1;
                self.tracks.push(Track {
                    id: TrackId(self.last_id),
                    provisional: opening,
                    ..candidate
                });
            }
        }
    }
}

/// Whether a ball is seen so near that another cannot be at `position`. Sightings are compared, not estimates: two in
/// one picture are what cannot overlap.
fn is_taken(tracks: &[Track], position: DVec2, bed: &Bed) -> bool {
    tracks
        .iter()
        .filter_map(|track| track.seen)
        .any(|seen| seen.position.distance(position) < OVERLAP_RADII * bed.ball_radius)
}

fn is_gone(track: &Track) -> bool {
    if track.provisional {
        let disproved = track.age_frames > PROVISIONAL_FRAMES && track.evidence < 0.0;
        return disproved || track.frames_missed >= PROVISIONAL_MISSES * (1 + track.touching);
    }
    if track.frames_missed == 0 {
        return false;
    }
    let hidden_too_long = track.unseen_secs > HIDDEN_SECS.min(HIDDEN_FACTOR * track.seen_secs);
    (hidden_too_long && track.frames_missed > POTTED_FRAMES) || track.shadowed_frames >= SHADOWED_FRAMES
}

/// The pocket that `track` was lost on its way into: straight, or by way of a jaw, as physics has it.
fn fall_of(track: &Track, pass: &Pass, faller: &mut Faller) -> Option<(PocketName, Option<Fall>)> {
    let is_lost = track.is_moving() && track.frames_missed >= POTTED_FRAMES;
    if !is_lost {
        return None;
    }
    let start = track.last_seen.position;
    // As far as it would have come, and a frame further: the cloth ends before the pocket's middle.
    let end = track.filter.position + track.velocity() * pass.elapsed_secs;
    let fall = faller.play(&track.filter_when_seen, pass.bed);
    let is_over = |fall: &Fall| fall.after_secs <= track.unseen_secs + pass.elapsed_secs;
    let straight = pass.bed.pocket_on_way(start, end);
    let pocket = straight.or_else(|| fall.filter(is_over).map(|fall| fall.pocket))?;
    // Where it should still be rattling it went another way.
    let is_likely = |fall: &Fall| fall.pocket == pocket && (is_over(fall) || fall.touches[0].is_none());
    Some((pocket, fall.filter(is_likely)))
}

/// The hidden ball that `candidate` most likely is: it disappeared before the candidate came, its looks do not speak
/// against it, and it could have got there; or it bears the same name that only one ball can have.
fn find_lost(tracks: &[Track], candidate: &Track) -> Option<usize> {
    let looks = candidate.votes.strongest();
    let distance = |track: &Track| track.last_seen.position.distance(candidate.last_seen.position);
    let same_name = |track: &Track| {
        looks.is_one_of_a_kind() && track.name.unwrap_or_else(|| track.votes.settled()) == looks
    };
    let fits = |track: &Track| {
        if track.seen.is_some() || track.frames_missed < candidate.age_frames {
            return false;
        }
        if same_name(track) {
            return true;
        }
        let lost_just_now = track.unseen_secs < LOST_SECS || track.is_moving();
        track.votes.contradiction(looks) < 0.5
            && lost_just_now
            && distance(track) < FASTEST * track.unseen_secs
    };
    (0..tracks.len())
        .filter(|index| fits(&tracks[*index]))
        .min_by(|a, b| {
            let (a, b) = (&tracks[*a], &tracks[*b]);
            same_name(b)
                .cmp(&same_name(a))
                .then(distance(a).total_cmp(&distance(b)))
        })
}

/// The ball taken for potted that `candidate` is: near where it was lost, no farther than it can have gone since, and alike.
fn find_departed(departed: &[Track], candidate: &Track, bed: &Bed) -> Option<usize> {
    let looks = candidate.votes.strongest();
    let distance = |track: &Track| track.last_seen.position.distance(candidate.last_seen.position);
    (0..departed.len())
        .filter(|index| {
            let track = &departed[*index];
            // Jaws make no ball faster.
            let way = track.filter_when_seen.fastest() * track.unseen_secs;
            distance(track) < (DEPARTED_RADII * bed.ball_radius).min(way + bed.ball_radius)
                && track.frames_missed >= candidate.age_frames
                && track.votes.contradiction(looks) < 0.5
        })
        .min_by(|a, b| distance(&departed[*a]).total_cmp(&distance(&departed[*b])))
}

#[cfg(test)]
mod tests;
