//! Does it move? Standing and moving told apart by where the ball is, not by a noisy speed.
//!
//! A ball at rest has an anchor: the mean of its sightings. It moves once it leaves the anchor and keeps going; what is
//! seen askew for a while (half covered, or fitted now so, now so) does not keep going. A moving ball stands once the
//! straight line through its last sightings has no slope that noise would not give it. All lengths are multiples of the
//! measurement noise, the ball's own included, or of its radius, so that nothing depends on the camera's resolution.

use ghostball_world::Motion;
use glam::DVec2;
use serde::{Deserialize, Serialize};

use crate::kalman::ROLLING_DECELERATION;
use crate::recent::Recent;

/// Farther from its anchor than this many sigmas a sighting is suspicious: with two dimensions 1 in 90 by chance.
const SUSPICIOUS_SIGMAS: f64 = 3.0;
/// A suspicious ball that has gone this many sigmas further moves…
const GROWTH_SIGMAS: f64 = 2.0;
/// …if that is also this share of what it had gone at first. It had set off at some moment since the frame before; in a
/// whole frame it goes at least as far again, less what it slows down.
const GROWTH_SHARE: f64 = 0.5;
/// A ball this many radii from its anchor moves, whatever else: a ball half hidden is not seen outside of itself. Twice
/// as far for a sighting of twice the usual noise.
const SURE_RADII: f64 = 1.0;
/// One that a moving ball may just have hit moves when it is seen farther from its anchor than this, in radii, and than
/// suspicion asks for: as far as a ball is seen askew beside another.
const HIT_RADII: f64 = 0.1;
/// For how long a ball must be seen to stay before it stands, seconds.
pub(crate) const RESTING_SECS: f64 = 0.25;
/// Sightings of a moving ball are remembered for so long, seconds: one that is seen askew every other time takes longer.
const REMEMBERED_SECS: f64 = 2.0 * RESTING_SECS;
/// A ball that was slower than this on average in that time, m/s, is at rest at the end of it: rolling friction took the rest.
const RESTING_SPEED: f64 = 0.5 * ROLLING_DECELERATION * RESTING_SECS;
/// One that sets off slower than this would stand again before it could be told.
const STARTING_SPEED: f64 = 2.0 * RESTING_SPEED;
/// A line whose slope is within so many of its own standard deviations has none.
const SLOPE_SIGMAS: f64 = 3.0;
/// Sightings that scatter more than this about a line, in radii, are no line: the ball turned.
const STRAIGHT_RADII: f64 = 0.1;
/// Sightings that make a line.
const LINE_SIGHTINGS: usize = 4;
/// How long, seconds, a ball may stay beside its anchor without going further before the anchor is moved to it: it was
/// nudged, or the camera was…
const NUDGE_SECS: f64 = 0.3;
/// …and how long where it is no farther off than [`ASKEW_RADII`]: an arm over it, or light on it, passes.
const ASKEW_SECS: f64 = 3.0;
/// A ball that rolls back over the place where it stood is there for one sighting, unless it comes to rest just there; one
/// seen there so many times in a row never left it.
const BACK_SIGHTINGS: u32 = 2;
/// Sightings that the anchor's mean reaches back, ten seconds' worth: long enough that its own noise is a twentieth of a
/// sighting's. A ball that was nudged does not wait for it.
const ANCHOR_MEMORY: f64 = 300.0;
/// Weight of one sighting in what is known of a ball's own noise: a second's worth. A sighting beyond suspicion counts
/// as one just suspicious, and none for more than [`ASKEW_RADII`].
const OWN_NOISE_GAIN: f64 = 0.03;
/// How far a ball is seen askew, in radii, whose band or shadow is taken for its edge.
const ASKEW_RADII: f64 = 0.25;

/// One sighting of a ball, as far as its motion goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Glimpse {
    /// Where it was seen, metres.
    pub position: DVec2,
    /// Standard deviation of one of its coordinates, metres.
    pub sigma: f64,
    /// How many times the usual noise that is, from 1.
    pub doubt: f64,
    /// Radius of a ball, metres.
    pub ball_radius: f64,
    /// Seconds since the sighting before.
    pub elapsed_secs: f64,
    /// Another ball went by since, so near that it may have hit this one.
    pub may_be_hit: bool,
}

/// Tells whether one ball moves.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MotionDetector {
    motion: Motion,
    anchor: DVec2,
    /// Sightings in the anchor's mean, up to [`ANCHOR_MEMORY`].
    weight: f64,
    /// Variance of one coordinate of this ball's sightings at rest, m²: some looks are harder to fit than others.
    own_variance: f64,
    suspicion: Option<Suspicion>,
    /// The last sightings of a moving ball.
    recent: Recent,
    /// Where it stood before, and how many times in a row it has been seen there again.
    left: Option<Place>,
    back: u32,
}

/// Where a ball stood: the mean of so many sightings.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Place {
    mean: DVec2,
    weight: f64,
}

/// A ball at rest that was seen beside its anchor.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Suspicion {
    /// How far and which way from the anchor it was seen at first.
    first: DVec2,
    lasting_secs: f64,
    mean: DVec2,
    weight: f64,
}

impl Suspicion {
    fn of(position: DVec2, offset: DVec2) -> Self {
        Self {
            first: offset,
            lasting_secs: 0.0,
            mean: position,
            weight: 1.0,
        }
    }
}

impl MotionDetector {
    /// A ball taken to be at rest at `position`.
    pub fn at_rest(position: DVec2) -> Self {
        Self {
            motion: Motion::Still,
            anchor: position,
            weight: 1.0,
            own_variance: 0.0,
            suspicion: None,
            recent: Recent::default(),
            left: None,
            back: 0,
        }
    }

    /// Whether it moves.
    pub fn motion(&self) -> Motion {
        self.motion
    }

    /// Where a ball at rest stands: the mean of its sightings.
    pub fn anchor(&self) -> DVec2 {
        self.anchor
    }

    /// Standard deviation of one coordinate of this ball's sightings at rest, metres; 0 where it has not been seen at rest.
    pub fn own_sigma(&self) -> f64 {
        self.own_variance.sqrt()
    }

    /// Standard deviation of one coordinate of the anchor, where one sighting has `sigma` metres.
    pub fn anchor_sigma(&self, sigma: f64) -> f64 {
        sigma / self.weight.sqrt()
    }

    /// Moves the memory along with a change of table space.
    pub fn remap(&mut self, map: impl Fn(DVec2) -> DVec2) {
        self.anchor = map(self.anchor);
        self.left = None;
        self.suspicion = None;
        self.recent.clear();
    }

    /// The ball is known to move, for example because it jumped.
    pub fn set_moving(&mut self, position: DVec2) {
        if self.motion == Motion::Still {
            (self.left, self.back) = (
                Some(Place {
                    mean: self.anchor,
                    weight: self.weight,
                }),
                0,
            );
        }
        self.motion = Motion::Moving;
        self.suspicion = None;
        self.recent.clear();
        self.recent.push(0.0, position);
    }

    /// Takes in a sighting.
    pub fn observe(&mut self, glimpse: &Glimpse) -> Motion {
        match self.motion {
            Motion::Still => self.observe_still(glimpse),
            Motion::Moving => self.observe_moving(glimpse),
        }
        self.motion
    }

    fn observe_still(&mut self, glimpse: &Glimpse) {
        let &Glimpse { position, doubt, .. } = glimpse;
        let offset = position - self.anchor;
        let distance = offset.length();
        let sigma = glimpse.sigma.max(doubt * self.own_variance.sqrt());
        let scatter = sigma * (1.0 + 1.0 / self.weight).sqrt();
        if distance <= SUSPICIOUS_SIGMAS * scatter {
            self.suspicion = None;
            self.learn_noise(distance / doubt, glimpse);
            self.average(position);
            return;
        }
        let sure_radii = if glimpse.may_be_hit { HIT_RADII } else { SURE_RADII };
        if distance > sure_radii * doubt * glimpse.ball_radius {
            return self.set_moving(position);
        }
        let Some(suspicion) = &mut self.suspicion else {
            self.suspicion = Some(Suspicion::of(position, offset));
            return;
        };
        let is_askew = distance <= ASKEW_RADII * doubt * glimpse.ball_radius;
        let patience_secs = if is_askew { ASKEW_SECS } else { NUDGE_SECS };
        suspicion.lasting_secs += glimpse.elapsed_secs;
        suspicion.weight += 1.0;
        suspicion.mean += (position - suspicion.mean) / suspicion.weight;
        let first = suspicion.first.length();
        let growth = offset.dot(suspicion.first) / first - first;
        let goes_on = growth > (GROWTH_SIGMAS * scatter).max(GROWTH_SHARE * first);
        if goes_on && growth > STARTING_SPEED * suspicion.lasting_secs {
            self.set_moving(position);
        } else if growth < -GROWTH_SIGMAS * scatter {
            self.suspicion = Some(Suspicion::of(position, offset));
        } else if suspicion.lasting_secs >= patience_secs {
            (self.anchor, self.weight) = (suspicion.mean, suspicion.weight);
            self.suspicion = None;
        } else {
            self.learn_noise(SUSPICIOUS_SIGMAS * sigma / doubt, glimpse);
        }
    }

    /// Whether it is seen again and again where it stood: then it never left, and was seen askew.
    fn is_back(&mut self, glimpse: &Glimpse) -> bool {
        let Some(left) = self.left else { return false };
        let sigma = glimpse.sigma.max(glimpse.doubt * self.own_sigma());
        let is_there = glimpse.position.distance(left.mean) <= SUSPICIOUS_SIGMAS * sigma;
        self.back = if is_there { self.back + 1 } else { 0 };
        self.back >= BACK_SIGHTINGS
    }

    fn observe_moving(&mut self, glimpse: &Glimpse) {
        if self.is_back(glimpse)
            && let Some(left) = self.left.take()
        {
            self.motion = Motion::Still;
            (self.anchor, self.weight) = (left.mean, left.weight);
            self.recent.clear();
            return;
        }
        self.recent.push(glimpse.elapsed_secs, glimpse.position);
        self.recent.keep(REMEMBERED_SECS);
        if let Some((place, sightings)) = self.resting_place(glimpse) {
            self.motion = Motion::Still;
            (self.anchor, self.weight) = (place, 0.5 * sightings as f64);
            self.recent.clear();
        }
    }

    /// Where a moving ball has come to rest, and how many sightings say so.
    fn resting_place(&self, glimpse: &Glimpse) -> Option<(DVec2, usize)> {
        let line = self.recent.line(RESTING_SECS)?;
        // Half a frame short of it is meant to count.
        if line.sightings < LINE_SIGHTINGS || line.span_secs + 0.5 * glimpse.elapsed_secs < RESTING_SECS {
            return None;
        }
        let sigma = line.scatter.max(glimpse.sigma);
        let is_line = sigma <= (STRAIGHT_RADII * glimpse.ball_radius).max(SUSPICIOUS_SIGMAS * glimpse.sigma);
        if is_line {
            let slow = RESTING_SPEED.max(SLOPE_SIGMAS * sigma * line.slope_sigma_per_sigma);
            return (line.slope.length() <= slow).then_some((line.latter_mean, line.sightings));
        }
        // It turned, or it stands and is seen now here, now there: then most of its sightings are of one place.
        let place = self.recent.crowd(SUSPICIOUS_SIGMAS * glimpse.sigma, RESTING_SECS);
        place.filter(|(_, sightings)| *sightings >= LINE_SIGHTINGS)
    }

    /// Learns from a residual, metres, of a sighting at rest.
    fn learn_noise(&mut self, residual: f64, glimpse: &Glimpse) {
        let most = ASKEW_RADII * glimpse.ball_radius;
        // Two coordinates share the squared distance.
        let one_coordinate = (0.5 * residual * residual).min(most * most);
        self.own_variance += OWN_NOISE_GAIN * (one_coordinate - self.own_variance);
    }

    fn average(&mut self, position: DVec2) {
        self.weight = (self.weight + 1.0).min(ANCHOR_MEMORY);
        self.anchor += (position - self.anchor) / self.weight;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DT: f64 = 1.0 / 30.0;
    const SIGMA: f64 = 0.8e-3;
    const RADIUS: f64 = 0.028;

    fn observe(detector: &mut MotionDetector, position: DVec2) -> Motion {
        detector.observe(&glimpse(position))
    }

    fn glimpse(position: DVec2) -> Glimpse {
        Glimpse {
            position,
            sigma: SIGMA,
            doubt: 1.0,
            ball_radius: RADIUS,
            elapsed_secs: DT,
            may_be_hit: false,
        }
    }

    fn noise(n: u32) -> DVec2 {
        let t = f64::from(n);
        SIGMA * DVec2::new(libm::sin(t * 12.9898) * 1.4, libm::cos(t * 78.233) * 1.4)
    }

    fn seen_at_rest(frames: u32) -> MotionDetector {
        let mut detector = MotionDetector::at_rest(noise(0));
        for n in 1..frames {
            assert_eq!(observe(&mut detector, noise(n)), Motion::Still, "frame {n}");
        }
        detector
    }

    #[test]
    fn a_ball_at_rest_never_moves_however_long_it_is_watched() {
        let detector = seen_at_rest(3_000);
        assert!(detector.anchor().length() < SIGMA);
    }

    #[test]
    fn a_struck_ball_moves_in_its_first_frame() {
        let mut detector = seen_at_rest(30);
        assert_eq!(observe(&mut detector, DVec2::X * 0.03), Motion::Moving);
    }

    #[test]
    fn a_ball_beside_which_another_goes_by_moves_with_less() {
        let mut detector = seen_at_rest(30);
        let hit = |x: f64| Glimpse {
            may_be_hit: true,
            ..glimpse(DVec2::X * x)
        };
        assert_eq!(detector.observe(&hit(0.002)), Motion::Still);
        assert_eq!(detector.observe(&hit(0.006)), Motion::Moving);
    }

    #[test]
    fn a_gently_pushed_ball_moves_in_its_second_frame() {
        let mut detector = seen_at_rest(30);
        assert_eq!(observe(&mut detector, DVec2::X * 0.004), Motion::Still);
        assert_eq!(observe(&mut detector, DVec2::X * 0.008), Motion::Moving);
    }

    #[test]
    fn a_ball_that_is_seen_where_it_stood_again_and_again_never_left() {
        let mut detector = seen_at_rest(30);
        let askew = Glimpse {
            may_be_hit: true,
            ..glimpse(DVec2::X * 0.02)
        };
        assert_eq!(detector.observe(&askew), Motion::Moving);
        assert_eq!(observe(&mut detector, noise(1)), Motion::Moving);
        assert_eq!(observe(&mut detector, noise(2)), Motion::Still);
        assert!(detector.anchor().length() < SIGMA);
    }

    #[test]
    fn a_ball_that_rolls_back_over_its_place_goes_on() {
        let mut detector = seen_at_rest(30);
        for n in 0..8 {
            let place = DVec2::X * (0.06 - 0.02 * f64::from(n));
            assert_eq!(observe(&mut detector, place), Motion::Moving, "{n}");
        }
    }

    #[test]
    fn a_ball_seen_askew_for_a_moment_has_not_moved() {
        // A hand over its edge shifts what is seen of it.
        let mut detector = seen_at_rest(30);
        for n in 0..5 {
            assert_eq!(
                observe(&mut detector, DVec2::Y * 0.004 + 0.5 * noise(n)),
                Motion::Still
            );
        }
        assert_eq!(observe(&mut detector, noise(9)), Motion::Still);
        assert!(detector.anchor().length() < SIGMA);
    }

    #[test]
    fn a_ball_that_is_fitted_now_so_now_so_never_moves() {
        // A stripe's band is taken for its edge in some frames: three places, millimetres apart.
        let places = [0.0, 0.002, -0.003].map(|x| DVec2::X * x);
        let mut detector = seen_at_rest(30);
        let mut random = crate::scenario::Random(1);
        for n in 0..3_000 {
            let place = places[(random.uniform() * 3.0) as usize % 3];
            assert_eq!(
                observe(&mut detector, place + 0.2 * noise(n)),
                Motion::Still,
                "frame {n}"
            );
        }
    }

    #[test]
    fn a_turn_at_a_cushion_is_no_rest() {
        let mut detector = MotionDetector::at_rest(DVec2::ZERO);
        detector.set_moving(DVec2::ZERO);
        for n in 0..60 {
            let there_and_back = (0.5 - (f64::from(n) * DT - 1.0).abs() * 0.5).abs();
            assert_eq!(
                observe(&mut detector, DVec2::X * there_and_back + noise(n)),
                Motion::Moving,
                "frame {n}"
            );
        }
    }

    #[test]
    fn a_nudged_ball_gets_a_new_anchor_without_moving() {
        let mut detector = seen_at_rest(30);
        for n in 0..30 {
            observe(&mut detector, DVec2::Y * 0.009 + 0.5 * noise(n));
        }
        assert_eq!(detector.motion(), Motion::Still);
        assert!(detector.anchor().distance(DVec2::Y * 0.009) < SIGMA);
    }

    #[test]
    fn a_ball_that_rolls_out_stops_once_and_for_all() {
        let mut detector = seen_at_rest(30);
        let mut changes = Vec::new();
        for n in 0..150 {
            // From 0.3 m/s down at 0.1 m/s²: at rest after 3 s.
            let t = (f64::from(n) * DT).min(3.0);
            let position = DVec2::X * (0.03 + 0.3 * t - 0.05 * t * t);
            let before = detector.motion();
            if observe(&mut detector, position + noise(n)) != before {
                changes.push((n, detector.motion()));
            }
        }
        assert_eq!(changes.len(), 2, "{changes:?}");
        assert_eq!(changes[0], (0, Motion::Moving));
        let (frame, motion) = changes[1];
        assert_eq!(motion, Motion::Still);
        assert!(
            (80..110).contains(&frame),
            "stopped in frame {frame}, not about 90"
        );
    }
}
