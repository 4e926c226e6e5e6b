//! One ball, followed from frame to frame.

use ghostball_world::{BallKind, CircleInImage, Motion, TrackId};
use glam::DVec2;
use serde::{Deserialize, Serialize};

use crate::bed::Bed;
use crate::foresight::Foreseen;
use crate::identity::{Label, Votes};
use crate::kalman::{BallFilter, Noise};
use crate::motion::{Glimpse, MotionDetector};
use crate::noise::PixelNoise;
use crate::pushes::{Push, Pusher};

/// A sighting farther than this many sigmas from where its ball should be means that the ball was hit or bounced.
const TURN_SIGMAS: f64 = 4.0;
/// After so many frames off its way a ball no longer comes back to it: it was hit.
const STRAIGHT_FRAMES: u32 = 3;
/// A camera that skips frames without saying so makes balls leap along their way; it skips no more than this, seconds.
const SKIP_SECS: f64 = 0.3;
/// A ball that no touch was foreseen for may be seen askew by so many radii: its band taken for its edge.
const ASKEW_RADII: f64 = 0.5;
/// Frames are not taken just when their stamps say, by some tenths of a millisecond: this share of its way in a frame is added
/// to the noise of a moving ball.
const JITTER: f64 = 0.01;
/// A ball that motion draws out is seen anywhere on the way that it went while the shutter was open, unless its streak is told:
/// [`TURN_SIGMAS`] of this share of it lead from its middle to its end.
const STREAK_SHARE: f64 = 0.5 / TURN_SIGMAS;
/// How well the length of a streak is told, pixels: either end is as blurred as pictures are.
const STREAK_SIGMA_PX: f64 = 2.0;
/// A speed is known whose standard deviation is less than this share of it.
const KNOWN_SHARE: f64 = 0.1;
/// A ball seen again after this long, seconds, and elsewhere was carried, not rolled: it starts anew, at rest.
const CARRIED_SECS: f64 = 0.5;
/// A moving ball that is not seen is believed to roll on for this long, seconds; after that nobody knows.
const ROLLING_ON_SECS: f64 = 1.0;
/// A ball at rest stays where it is published while corrections of table space would move it by no more than this in all, in
/// radii: looks at the same table differ by that, 1.4 mm on a pool table.
const HELD_RADII: f64 = 0.05;
/// Weight of one sighting in the smoothed confidence.
const CONFIDENCE_GAIN: f64 = 0.2;
/// Time constant with which the confidence in a ball that is not seen fades, seconds.
const FADING_SECS: f64 = 5.0;
/// What one sighting can say for or against a ball at most, in nats of log-odds: sightings of the same thing are not
/// independent of each other.
const MOST_EVIDENCE: f64 = 2.0;
/// What a frame without a sighting says against a ball.
const MISS_EVIDENCE: f64 = 1.0;
/// A sighting that touches so many others is in a pack: what is no ball lies beside one ball by chance, hardly between two…
const PACK: u32 = 2;
/// …and what each of them says for it. It would have to lie within a fifth of a radius of touching by chance, of the radius
/// or so that it may be off: at most `ln 5`; less, as the same thing is seen again and again.
const TOUCH_EVIDENCE: f64 = 1.0;
/// How far the votes of a moving, smeared ball are trusted compared with one at rest.
const SMEARED_VOTE: f64 = 0.3;

/// A ball sighting, mapped into table space.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Centre, metres.
    pub position: DVec2,
    /// Standard deviation of one of its coordinates, metres.
    pub sigma: f64,
    /// How many times the usual noise that is, from 1: a doubtful ball is half covered or half a hand.
    pub doubt: f64,
    /// Metres per pixel at this place.
    pub metres_per_px: f64,
    /// How far it went while the shutter was open, metres, this way or the opposite one; `None` where that is not seen.
    pub streak: Option<DVec2>,
    /// How long the shutter is open, seconds, where that is known.
    pub exposure_secs: Option<f64>,
    /// Where it was seen, pixels.
    pub circle: CircleInImage,
    /// What it looks like.
    pub label: Label,
    /// 0 to 1.
    pub confidence: f64,
}

impl Observation {
    /// How precisely it tells where a ball is that moves with this speed, m/s, in pictures that are taken every `elapsed_secs`; one
    /// at rest would be seen with `sigma`, metres.
    fn noise(&self, sigma: f64, speed: f64, elapsed_secs: f64) -> Noise {
        let untold_secs = match self.streak {
            Some(_) => 0.0,
            None => self.exposure_secs.unwrap_or(0.0),
        };
        let aside = sigma + JITTER * speed * elapsed_secs;
        Noise {
            along: aside + STREAK_SHARE * speed * untold_secs,
            aside,
        }
    }

    /// The velocity that its streak tells, of the two the one nearer to `velocity`, and its standard deviation, m/s.
    fn velocity_like(&self, velocity: DVec2) -> Option<(DVec2, f64)> {
        let exposure_secs = self.exposure_secs?;
        let told = self.streak? / exposure_secs;
        let told = if told.dot(velocity) < 0.0 { -told } else { told };
        Some((told, STREAK_SIGMA_PX * self.metres_per_px / exposure_secs))
    }
}

#[cfg(test)]
impl Observation {
    /// A ball seen well at this place; nothing is known of its looks.
    pub fn at(position: DVec2) -> Self {
        Self {
            position,
            sigma: 5e-4,
            doubt: 1.0,
            metres_per_px: 2e-3,
            streak: None,
            exposure_secs: None,
            circle: CircleInImage {
                center: DVec2::ZERO,
                radius: 14.0,
            },
            label: Label::default(),
            confidence: 0.9,
        }
    }
}

/// Log-odds of a chance, at most [`MOST_EVIDENCE`] either way.
fn log_odds(chance: f64) -> f64 {
    let chance = chance.clamp(1e-6, 1.0 - 1e-6);
    libm::log(chance / (1.0 - chance)).clamp(-MOST_EVIDENCE, MOST_EVIDENCE)
}

/// How unlikely it is to be seen at `position`: −2 log of the density of two coordinates of a normal distribution, less what is
/// the same for all.
fn unlikeliness(filter: &BallFilter, position: DVec2, noise: Noise) -> f64 {
    let Noise { along, aside } = filter.expected(noise);
    filter.distance_squared(position, noise) + 2.0 * libm::log(along * aside)
}

/// One ball that is, or may be, on the table.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Track {
    /// Its name; 0 while it is only a candidate.
    pub id: TrackId,
    /// The label that only this ball has. Given once, when it is sure, and never taken back.
    pub name: Option<Label>,
    /// Where it is and how fast.
    pub filter: BallFilter,
    /// Whether it moves.
    pub motion: MotionDetector,
    /// What it is.
    pub votes: Votes,
    /// Its sighting in the current frame.
    pub seen: Option<Observation>,
    /// Its latest sighting.
    pub last_seen: Observation,
    /// What was known of it then.
    pub filter_when_seen: BallFilter,
    /// Seconds from its latest sighting to the frame before this one.
    pub unseen_secs: f64,
    /// Frames in a row without a sighting.
    pub frames_missed: u32,
    /// Frames since the first sighting, including it.
    pub age_frames: u32,
    /// Frames with a sighting.
    pub sightings: u32,
    /// Seconds it has been seen for, in all.
    pub seen_secs: f64,
    /// Log-odds that it is a ball: what its sightings say for it and its absence against.
    pub evidence: f64,
    /// Smoothed, 0 to 1.
    pub confidence: f64,
    /// Published before it was confirmed, at the start of the stream.
    pub provisional: bool,
    /// It leapt along its way in the frame before.
    pub leapt: bool,
    /// It set off or turned between its last two sightings.
    pub is_new: bool,
    /// Where it would be had it gone straight on, where it was seen off its way lately.
    pub straight: Option<Straight>,
    /// Where it would be in this frame had the cushion not turned it that it is thought to have come to.
    pub unreflected: Option<BallFilter>,
    /// Sightings in the current frame that touch it, by what is known: a ball among others is often not seen.
    pub touching: u32,
    /// Frames in a row in which another ball lay where this unseen one should be.
    pub shadowed_frames: u32,
    /// Where another ball or a cushion is so near its way since it was seen that they may touch: the greatest speed it can have
    /// after that, m/s.
    pub touch_speed: Option<f64>,
    /// What may set it in motion in this frame, if it lies.
    pub push: Option<Push>,
    /// Where physics brings it in this frame, if it touches anything.
    pub foreseen: Option<Foreseen>,
    /// By how much it is seen off its place since table space was corrected, metres, as long as it lies.
    pub held_off: DVec2,
}

/// A ball that was seen off its way, had it not been.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Straight {
    filter: BallFilter,
    /// Frames since.
    frames: u32,
}

impl Track {
    /// A ball seen for the first time; taken to be at rest.
    pub fn new(observation: Observation) -> Self {
        let mut votes = Votes::default();
        votes.cast(observation.label, observation.confidence);
        Self {
            id: TrackId(0),
            name: None,
            filter: BallFilter::at_rest(observation.position, observation.sigma),
            motion: MotionDetector::at_rest(observation.position),
            votes,
            seen: Some(observation),
            last_seen: observation,
            filter_when_seen: BallFilter::at_rest(observation.position, observation.sigma),
            unseen_secs: 0.0,
            frames_missed: 0,
            age_frames: 1,
            sightings: 1,
            seen_secs: 0.0,
            evidence: log_odds(observation.confidence),
            confidence: 0.5 * observation.confidence,
            provisional: false,
            leapt: false,
            is_new: false,
            straight: None,
            unreflected: None,
            touching: 0,
            shadowed_frames: 0,
            touch_speed: None,
            push: None,
            foreseen: None,
            held_off: DVec2::ZERO,
        }
    }

    /// Whether it moves.
    pub fn is_moving(&self) -> bool {
        self.motion.motion() == Motion::Moving
    }

    /// What it is said to be: its name, or else at most a label that many balls have.
    pub fn label(&self) -> Label {
        self.name.unwrap_or_else(|| {
            let settled = self.votes.settled();
            if settled.is_one_of_a_kind() {
                settled.without_number()
            } else {
                settled
            }
        })
    }

    /// Confidence of its sighting in the current frame; 0 without one.
    pub fn confidence_now(&self) -> f64 {
        self.seen.map_or(0.0, |observation| observation.confidence)
    }

    /// Metres per second; exactly zero at rest.
    pub fn velocity(&self) -> DVec2 {
        if self.is_moving() {
            self.filter.velocity
        } else {
            DVec2::ZERO
        }
    }

    /// Whether it has rolled or slid for long enough that its speed is known.
    pub fn goes_straight(&self) -> bool {
        let is_known = self.filter.velocity_sigma() < KNOWN_SHARE * self.velocity().length();
        is_known && !self.is_new && self.straight.is_none() && self.foreseen.is_none()
    }

    /// Lets `elapsed_secs` pass and forgets the sighting of the frame before.
    pub fn predict(&mut self, elapsed_secs: f64, bed: &Bed) {
        if !self.is_moving() {
            return;
        }
        if self.unseen_secs > ROLLING_ON_SECS {
            self.stop();
            return;
        }
        self.filter.predict(elapsed_secs);
        self.unreflected = None;
        // A ball on its way into a pocket runs past where the cushions would be, and ends there.
        let end = self.filter.position;
        match bed.way_into_pocket(self.last_seen.position, end) {
            Some(fall) if !bed.holds(end) => self.filter.position = fall,
            Some(_) => {}
            None if bed.is_at_pocket(end) => {}
            None => {
                let straight = self.filter;
                self.filter.reflect_at_cushions(bed.half_reach);
                self.unreflected = (self.filter != straight).then_some(straight);
            }
        }
    }

    /// Takes it to be at rest where it is.
    pub fn stop(&mut self) {
        self.motion = MotionDetector::at_rest(self.filter.position);
        self.filter = BallFilter::at_rest(self.filter.position, self.filter.position_sigma());
    }

    /// How precisely a sighting tells where this ball is that has moved as before for `elapsed_secs`.
    pub fn noise_of(&self, observation: &Observation, elapsed_secs: f64) -> Noise {
        let sigma = observation.sigma.max(observation.doubt * self.motion.own_sigma());
        observation.noise(sigma, self.velocity().length(), elapsed_secs)
    }

    /// What is known of it if it turned, or set off, at some moment since it was seen, `since_seen_secs` ago.
    fn turned(&self, observation: &Observation, since_seen_secs: f64) -> BallFilter {
        let before = self.last_seen.position;
        let speed = observation.position.distance(before) / since_seen_secs.max(1e-3);
        let noise = observation.noise(observation.sigma, speed, since_seen_secs);
        let mut filter = BallFilter::after_a_turn(
            before,
            observation.position,
            self.velocity(),
            since_seen_secs,
            noise,
        );
        if let Some((velocity, sigma)) = observation.velocity_like(filter.velocity) {
            filter.update_velocity(velocity, sigma);
        }
        filter
    }

    /// Takes in its sighting in a fresh picture, `elapsed_secs` after the one before.
    pub fn see(&mut self, observation: Observation, elapsed_secs: f64, bed: &Bed, noise: &mut PixelNoise) {
        let observation = Observation {
            position: observation.position - self.held_off,
            ..observation
        };
        let since_seen_secs = self.unseen_secs + elapsed_secs;
        let glimpse = Glimpse {
            position: observation.position,
            sigma: observation.sigma,
            doubt: observation.doubt,
            ball_radius: bed.ball_radius,
            elapsed_secs: since_seen_secs,
            has_band: self.votes.strongest().kind == BallKind::Stripe,
            push: self.push_as_seen(&observation),
        };
        let jumped = observation.position.distance(self.filter.position) > bed.ball_radius;
        if since_seen_secs > CARRIED_SECS && jumped {
            self.filter = BallFilter::at_rest(observation.position, observation.sigma);
            self.motion = MotionDetector::at_rest(observation.position);
        } else if self.is_moving() {
            self.see_moving(observation, elapsed_secs, bed);
            self.motion.observe(&glimpse);
        } else {
            let residual = observation.position.distance(self.motion.anchor());
            let motion = self.motion.observe(&glimpse);
            if motion == Motion::Moving {
                self.is_new = true;
                let touched = self.as_foreseen(&observation, Noise::even(observation.sigma));
                self.filter = touched.unwrap_or_else(|| self.turned(&observation, since_seen_secs));
            } else if self.sightings > 3 {
                noise.learn(residual / observation.metres_per_px / observation.doubt);
            }
        }
        if self.is_moving() {
            self.held_off = DVec2::ZERO;
        } else {
            self.filter =
                BallFilter::at_rest(self.motion.place(), self.motion.place_sigma(observation.sigma));
        }
        let trust = if self.is_moving() { SMEARED_VOTE } else { 1.0 };
        self.votes.cast(observation.label, trust * observation.confidence);
        self.last_seen = observation;
        self.filter_when_seen = self.filter;
        self.unseen_secs = 0.0;
        self.seen_secs += elapsed_secs;
        self.note_sighting(observation);
    }

    fn see_moving(&mut self, observation: Observation, elapsed_secs: f64, bed: &Bed) {
        let noise = self.noise_of(&observation, elapsed_secs);
        let position = observation.position;
        if let Some(straight) = self.unreflected.take()
            && unlikeliness(&straight, position, noise) < unlikeliness(&self.filter, position, noise)
        {
            // It goes into a pocket whose mouth is wider than is known, or the cushion is farther.
            self.filter = straight;
        }
        let fits =
            |filter: &BallFilter| filter.distance_squared(position, noise) <= TURN_SIGMAS * TURN_SIGMAS;
        if let Some(mut straight) = self.straight {
            straight.filter.predict(elapsed_secs);
            straight.frames += 1;
            if fits(&straight.filter) {
                // It went straight on: what looked like a turn was a ball seen askew.
                self.filter = straight.filter;
            }
            self.straight =
                (!fits(&straight.filter) && straight.frames < STRAIGHT_FRAMES).then_some(straight);
        }
        if let Some(touched) = self.as_foreseen(&observation, noise)
            && self.is_likelier_touched(position, noise)
        {
            (self.leapt, self.is_new, self.straight) = (false, false, None);
            self.filter = touched;
            return;
        }
        if fits(&self.filter) {
            (self.leapt, self.is_new) = (false, false);
            return self.filter.update(position, noise);
        }
        // How fast a ball is that set off, or turned, at some moment of the frame before is not known yet.
        let is_new = std::mem::take(&mut self.is_new);
        // Twice in a row is no skip, but a ball that was hit from behind.
        let may_leap = !self.leapt && !is_new;
        let skipped_secs = if may_leap {
            self.leap(position, noise)
        } else {
            None
        };
        self.leapt = skipped_secs.is_some();
        if let Some(secs) = skipped_secs {
            self.filter.predict(secs);
            return self.filter.update(position, noise);
        }
        let since_seen_secs = self.unseen_secs + elapsed_secs;
        let turned = self.turned(&observation, since_seen_secs);
        let was_astray = self.straight.is_some();
        if !was_astray {
            self.straight = Some(Straight {
                filter: self.filter,
                frames: 0,
            });
        }
        let doubt = TURN_SIGMAS * noise.along * 2.0_f64.sqrt() / since_seen_secs.max(1e-3);
        let can_turn = self
            .touch_speed
            .is_some_and(|speed| turned.velocity.length() <= speed + doubt);
        let off = position.distance(self.filter.position);
        let may_be_askew = self.foreseen.is_none() && off < ASKEW_RADII * observation.doubt * bed.ball_radius;
        // Where nothing can have turned it, or by so little, once is a ball seen askew.
        if can_turn && !may_be_askew || was_astray || is_new {
            self.filter = turned;
            self.is_new = true;
        }
    }

    /// What may have set it in motion, given where it is seen.
    fn push_as_seen(&self, observation: &Observation) -> Option<Push> {
        let push = self.push?;
        let noise = Noise::even(observation.sigma);
        let is_as_foreseen = self.as_foreseen(observation, noise).is_some()
            && self.is_likelier_touched(observation.position, noise);
        let by = if is_as_foreseen {
            Pusher::SeenTouch
        } else {
            push.by
        };
        Some(Push { by, ..push })
    }

    /// The ball after the touch that was foreseen, if it was seen about where that brings it.
    fn as_foreseen(&self, observation: &Observation, noise: Noise) -> Option<BallFilter> {
        let mut filter = self.foreseen?.filter(observation.sigma);
        let fits = filter.distance_squared(observation.position, noise) < TURN_SIGMAS * TURN_SIGMAS;
        filter.update(observation.position, noise);
        fits.then_some(filter)
    }

    /// Whether it is likelier to be seen at `position` after the touch that was foreseen than without it.
    fn is_likelier_touched(&self, position: DVec2, noise: Noise) -> bool {
        let untouched = unlikeliness(&self.filter, position, noise);
        self.foreseen
            .is_some_and(|foreseen| unlikeliness(&foreseen.filter(noise.along), position, noise) < untouched)
    }

    /// How much longer than expected it must have rolled straight on to be at `position`, seconds; `None` where it would
    /// not have come by there.
    pub fn leap(&self, position: DVec2, noise: Noise) -> Option<f64> {
        let off = position - self.filter.position;
        let speed = self.filter.velocity.length();
        let direction = self.filter.velocity.try_normalize()?;
        let aside = self.filter.expected(noise).aside;
        let secs = off.dot(direction) / speed;
        let straight = off.perp_dot(direction).abs() < TURN_SIGMAS * aside;
        (straight && secs > 0.0 && secs < SKIP_SECS).then_some(secs)
    }

    /// Takes in its sighting in a picture that only repeats the one before: it is seen, but nothing is new, and nothing more
    /// speaks for it.
    pub fn see_again(&mut self, observation: Observation) {
        self.note_frame(observation);
    }

    /// Takes in its sighting after time has jumped: it lies there, and how it came there is not known.
    pub fn see_anew(&mut self, observation: Observation) {
        self.filter = BallFilter::at_rest(observation.position, observation.sigma);
        self.motion = MotionDetector::at_rest(observation.position);
        (self.leapt, self.is_new, self.straight) = (false, false, None);
        self.held_off = DVec2::ZERO;
        self.last_seen = observation;
        self.filter_when_seen = self.filter;
        self.unseen_secs = 0.0;
        self.note_sighting(observation);
    }

    /// What it says for a ball that it touches others, in nats.
    fn evidence_of_others(&self) -> f64 {
        if self.touching >= PACK {
            TOUCH_EVIDENCE * f64::from(self.touching)
        } else {
            0.0
        }
    }

    fn note_frame(&mut self, observation: Observation) {
        self.seen = Some(observation);
        self.frames_missed = 0;
        self.age_frames += 1;
    }

    fn note_sighting(&mut self, observation: Observation) {
        self.note_frame(observation);
        self.sightings += 1;
        self.evidence += (log_odds(observation.confidence) + self.evidence_of_others()).min(MOST_EVIDENCE);
        self.confidence += CONFIDENCE_GAIN * (observation.confidence - self.confidence);
    }

    /// It is not in this picture.
    pub fn miss(&mut self, elapsed_secs: f64) {
        self.seen = None;
        self.evidence -= MISS_EVIDENCE / f64::from(1 + self.touching);
        self.frames_missed += 1;
        self.age_frames += 1;
        self.unseen_secs += elapsed_secs;
        self.confidence *= libm::exp(-elapsed_secs / FADING_SECS);
    }

    /// Goes on as `other`, which turned out to be the same ball; keeps its name.
    pub fn continue_as(&mut self, other: &Self) {
        let mut votes = self.votes;
        votes.absorb(&other.votes);
        *self = Self {
            id: self.id,
            name: self.name,
            votes,
            provisional: false,
            sightings: self.sightings + other.sightings,
            age_frames: self.age_frames,
            seen_secs: self.seen_secs + other.seen_secs,
            ..*other
        };
    }

    /// Moves it along with a change of table space; a ball that lies is not moved by little, for balls of `ball_radius`.
    pub fn remap(&mut self, map: impl Fn(DVec2) -> DVec2, ball_radius: f64) {
        let held_off = std::mem::take(&mut self.held_off);
        if !self.is_moving() {
            let place = self.filter.position;
            let off = map(place + held_off) - place;
            if off.length() <= HELD_RADII * ball_radius {
                self.held_off = off;
                return;
            }
        }
        let map = |place: DVec2| map(place + held_off);
        let position = map(self.filter.position);
        // A velocity is the way of a moment; a centimetre is short enough for any lens.
        let moment_secs = 0.01 / self.filter.velocity.length().max(0.01);
        let after = map(self.filter.position + moment_secs * self.filter.velocity);
        self.filter.position = position;
        self.filter.velocity = (after - position) / moment_secs;
        self.straight = None;
        self.last_seen.position = map(self.last_seen.position);
        self.motion.remap(map);
    }
}
