//! Does it move? Standing and moving told apart by where the ball is, not by a noisy speed.
//!
//! A ball at rest has an anchor: the mean of its sightings. It is said to lie where that was once it was known, until it is
//! seen elsewhere: what wanders is what is seen of it, while light, arms and codecs change. It moves once it leaves the
//! anchor and keeps going; what is seen askew for a while (half covered, or fitted now so, now so) does not keep going. A
//! moving ball stands once the straight line through its last sightings has no slope that noise would not give it. All
//! lengths are multiples of the measurement noise, the ball's own included, or of its radius, so that nothing depends on
//! the camera's resolution.

use ghostball_world::Motion;
use glam::DVec2;
use serde::{Deserialize, Serialize};

use crate::kalman::ROLLING_DECELERATION;
use crate::pushes::{Push, Pusher};
use crate::recent::Recent;
use crate::suspicion::{Suspicion, Verdict};

/// Farther from its anchor than this many sigmas a sighting is suspicious: with two dimensions 1 in 90 by chance.
const SUSPICIOUS_SIGMAS: f64 = 3.0;
/// A ball this many radii from its anchor moves, whatever else: a ball half hidden is not seen outside of itself. Twice
/// as far for a sighting of twice the usual noise.
const SURE_RADII: f64 = 1.0;
/// One that another ball touched by what is known moves when it is seen farther from its anchor than this, in radii, and
/// than suspicion asks for: as far as a good sighting beside another ball is off…
const TOUCHED_RADII: f64 = 0.1;
/// …and one beside which a ball went by that missed it by what is known, than this. Seen there twice, the former is enough:
/// what is seen askew jumps back, mostly.
const PASSED_RADII: f64 = 0.15;
/// For how long a ball must be seen to stay before it stands, seconds.
pub(crate) const RESTING_SECS: f64 = 0.25;
/// Sightings of a moving ball are remembered for so long, seconds: one that is seen askew every other time takes longer.
const REMEMBERED_SECS: f64 = 2.0 * RESTING_SECS;
/// A ball that was slower than this on average in that time, m/s, is at rest at the end of it: rolling friction took the rest.
pub(crate) const RESTING_SPEED: f64 = 0.5 * ROLLING_DECELERATION * RESTING_SECS;
/// A line whose slope is within so many of its own standard deviations has none.
const SLOPE_SIGMAS: f64 = 3.0;
/// Sightings that scatter more than this about a line, in radii, are no line: the ball turned.
const STRAIGHT_RADII: f64 = 0.1;
/// Sightings that make a line.
const LINE_SIGHTINGS: usize = 4;
/// A ball that rolls back over the place where it stood is there for one sighting, unless it comes to rest just there; one
/// seen there so many times in a row never left it.
const BACK_SIGHTINGS: u32 = 2;
/// Sightings that the anchor's mean reaches back, ten seconds' worth: long enough that its own noise is a twentieth of a
/// sighting's. A ball that was nudged does not wait for it.
const ANCHOR_MEMORY: f64 = 300.0;
/// Sightings after which a ball at rest has its place: their mean is known to a third of what one of them scatters…
const PLACING_SIGHTINGS: f64 = 8.0;
/// …and which it keeps while its anchor is within so many sigmas of one sighting: noise alone never brings it there.
const HELD_SIGMAS: f64 = 2.0;
/// Weight of one sighting in what is known of a ball's own noise: a second's worth. None counts for more than
/// [`ASKEW_RADII`]: what is farther off may be motion.
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
    /// It is striped: its band may be taken for its edge.
    pub has_band: bool,
    /// What may have set it in motion since.
    pub push: Option<Push>,
}

/// Tells whether one ball moves.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MotionDetector {
    motion: Motion,
    anchor: DVec2,
    /// Sightings in the anchor's mean, up to [`ANCHOR_MEMORY`].
    weight: f64,
    /// Where it is said to lie, or to have lain.
    place: DVec2,
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

impl MotionDetector {
    /// A ball taken to be at rest at `position`.
    pub fn at_rest(position: DVec2) -> Self {
        Self {
            motion: Motion::Still,
            anchor: position,
            weight: 1.0,
            place: position,
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

    /// Where a ball at rest is said to lie: it does not follow its anchor's every step.
    pub fn place(&self) -> DVec2 {
        self.place
    }

    /// Standard deviation of one coordinate of this ball's sightings at rest, metres; 0 where it has not been seen at rest.
    pub fn own_sigma(&self) -> f64 {
        self.own_variance.sqrt()
    }

    /// Standard deviation of one coordinate of the place, where one sighting has `sigma` metres.
    pub fn place_sigma(&self, sigma: f64) -> f64 {
        // Two coordinates share the squared distance.
        let off = 0.5 * self.place.distance_squared(self.anchor);
        (sigma * sigma / self.weight + off).sqrt()
    }

    /// Moves the memory along with a change of table space.
    pub fn remap(&mut self, map: impl Fn(DVec2) -> DVec2) {
        self.anchor = map(self.anchor);
        self.place = map(self.place);
        self.left = None;
        self.suspicion = None;
        self.recent.clear();
    }

    /// The camera was moved, a while ago maybe: a ball at rest is where it lay before it was seen from elsewhere.
    pub fn camera_moved(&mut self) {
        self.anchor = self.place;
        self.suspicion = None;
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
        // What is learnt from a ball that is seen beside its place must not hide that it is.
        let own_variance = self
            .suspicion
            .map_or(self.own_variance, |suspicion| suspicion.own_variance);
        let sigma = glimpse.sigma.max(doubt * own_variance.sqrt());
        let scatter = sigma * (1.0 + 1.0 / self.weight).sqrt();
        if distance <= SUSPICIOUS_SIGMAS * scatter {
            self.suspicion = None;
            self.learn_noise(distance / doubt, glimpse);
            self.average(position);
            self.keep_place(glimpse);
            return;
        }
        let explains = |push: &Push| push.explains(offset, glimpse.elapsed_secs, SUSPICIOUS_SIGMAS * scatter);
        let push = glimpse.push.filter(explains);
        let sure_radii = match push.map(|push| push.by) {
            None | Some(Pusher::Stick) => SURE_RADII,
            Some(Pusher::Ball) => PASSED_RADII,
            Some(Pusher::Touch) => TOUCHED_RADII,
            Some(Pusher::SeenTouch) => 0.0,
        };
        let is_beyond = |radii: f64| distance > radii * doubt * glimpse.ball_radius;
        let is_by_ball = push.is_some_and(|push| push.by != Pusher::Stick) && is_beyond(TOUCHED_RADII);
        let was_by_ball = self.suspicion.is_some_and(|suspicion| suspicion.is_by_ball);
        if is_beyond(sure_radii) || is_by_ball && was_by_ball {
            return self.set_off(glimpse);
        }
        let own_variance = self.own_variance;
        self.learn_noise(distance / doubt, glimpse);
        let Some(suspicion) = &mut self.suspicion else {
            self.suspicion = Some(Suspicion::of(position, offset, own_variance, is_by_ball));
            return;
        };
        suspicion.is_by_ball = is_by_ball;
        let is_askew = distance <= ASKEW_RADII * doubt * glimpse.ball_radius;
        match suspicion.follow(
            glimpse,
            offset,
            scatter,
            push.is_some() || !glimpse.has_band,
            is_askew,
        ) {
            Verdict::GoesOn => self.set_off(glimpse),
            Verdict::ComesBack => {
                *suspicion = Suspicion::of(position, offset, self.own_variance, is_by_ball);
            }
            Verdict::Stays(mean, weight) => {
                (self.anchor, self.weight) = (mean, weight);
                self.suspicion = None;
                self.keep_place(glimpse);
            }
            Verdict::Open => {}
        }
    }

    /// It moves, and was not seen askew before: unless it is striped, what was learnt from that was wrong.
    fn set_off(&mut self, glimpse: &Glimpse) {
        if let Some(suspicion) = self.suspicion.filter(|_| !glimpse.has_band) {
            self.own_variance = suspicion.own_variance;
        }
        self.set_moving(glimpse.position);
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
        if let Some(place) = self.resting_place(glimpse) {
            self.motion = Motion::Still;
            // It may still settle, by a millimetre, into the nap of the cloth: what was seen before counts for little.
            (self.anchor, self.weight, self.place) = (place, 1.0, place);
            self.recent.clear();
        }
    }

    /// Where a moving ball has come to rest.
    fn resting_place(&self, glimpse: &Glimpse) -> Option<DVec2> {
        let line = self.recent.line(RESTING_SECS)?;
        // Half a frame short of it is meant to count.
        if line.sightings < LINE_SIGHTINGS || line.span_secs + 0.5 * glimpse.elapsed_secs < RESTING_SECS {
            return None;
        }
        let sigma = line.scatter.max(glimpse.sigma);
        let is_line = sigma <= (STRAIGHT_RADII * glimpse.ball_radius).max(SUSPICIOUS_SIGMAS * glimpse.sigma);
        if is_line {
            let slow = RESTING_SPEED.max(SLOPE_SIGMAS * sigma * line.slope_sigma_per_sigma);
            return (line.slope.length() <= slow).then_some(line.latter_mean);
        }
        // It turned, or it stands and is seen now here, now there: then most of its sightings are of one place.
        let (place, sightings) = self
            .recent
            .crowd(SUSPICIOUS_SIGMAS * glimpse.sigma, RESTING_SECS)?;
        (sightings >= LINE_SIGHTINGS).then_some(place)
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

    /// Moves the place to the anchor where it is not known yet, or seen not to be there.
    fn keep_place(&mut self, glimpse: &Glimpse) {
        let sigma = self.own_sigma().max(glimpse.sigma / glimpse.doubt);
        if self.weight <= PLACING_SIGHTINGS || self.anchor.distance(self.place) > HELD_SIGMAS * sigma {
            self.place = self.anchor;
        }
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
            has_band: true,
            push: None,
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

    fn pushed(by: Pusher, x: f64) -> Glimpse {
        let push = Push {
            towards: DVec2::X,
            speed: 0.5,
            by,
        };
        Glimpse {
            push: Some(push),
            ..glimpse(DVec2::X * x)
        }
    }

    #[test]
    fn a_ball_that_another_touches_moves_with_less_where_that_would_send_it() {
        let starts = |by: Pusher, x: f64| seen_at_rest(30).observe(&pushed(by, x)) == Motion::Moving;
        assert!(starts(Pusher::SeenTouch, 0.0035));
        assert!(!starts(Pusher::Touch, 0.0024) && starts(Pusher::Touch, 0.0035));
        assert!(!starts(Pusher::Ball, 0.0036) && starts(Pusher::Ball, 0.005));
        assert!(!starts(Pusher::Stick, 0.008));
        assert!(!starts(Pusher::SeenTouch, -0.008));
    }

    #[test]
    fn a_gently_pushed_ball_moves_in_its_second_frame_and_a_striped_one_that_nothing_pushes_in_its_third() {
        let mut detector = seen_at_rest(30);
        assert_eq!(detector.observe(&pushed(Pusher::Stick, 0.004)), Motion::Still);
        assert_eq!(detector.observe(&pushed(Pusher::Stick, 0.008)), Motion::Moving);
        let mut detector = seen_at_rest(30);
        let plain = |x: f64| Glimpse {
            has_band: false,
            ..glimpse(DVec2::X * x)
        };
        assert_eq!(detector.observe(&plain(0.004)), Motion::Still);
        assert_eq!(detector.observe(&plain(0.008)), Motion::Moving);
        let mut detector = seen_at_rest(30);
        assert_eq!(observe(&mut detector, DVec2::X * 0.004), Motion::Still);
        assert_eq!(observe(&mut detector, DVec2::X * 0.008), Motion::Still);
        assert_eq!(observe(&mut detector, DVec2::X * 0.012), Motion::Moving);
    }

    #[test]
    fn a_ball_whose_band_is_taken_for_its_edge_now_and_then_never_moves() {
        let mut detector = seen_at_rest(30);
        // A little off, then far off, there for a while or not, and back.
        for jump in 0..60_u32 {
            for x in [0.0035, 0.01, 0.01, 0.0].iter().take(2 + jump as usize % 3) {
                let askew = observe(&mut detector, noise(jump) + DVec2::X * *x);
                assert_eq!(askew, Motion::Still, "jump {jump}");
            }
            assert_eq!(observe(&mut detector, noise(jump)), Motion::Still, "jump {jump}");
        }
    }

    #[test]
    fn a_ball_that_is_seen_where_it_stood_again_and_again_never_left() {
        let mut detector = seen_at_rest(30);
        assert_eq!(detector.observe(&pushed(Pusher::Touch, 0.02)), Motion::Moving);
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
    fn a_ball_at_rest_keeps_its_place_while_what_is_seen_of_it_wanders() {
        let mut detector = seen_at_rest(30);
        let place = detector.place();
        assert!(place.length() < SIGMA);
        for n in 0..600 {
            // Another light: a sigma to one side, and back.
            let askew = DVec2::X * SIGMA * f64::from(n / 150 % 2);
            assert_eq!(observe(&mut detector, noise(n) + askew), Motion::Still);
            assert_eq!(detector.place(), place, "frame {n}");
        }
        for n in 0..60 {
            observe(&mut detector, DVec2::Y * 0.009 + 0.5 * noise(n));
        }
        assert!(detector.place().distance(DVec2::Y * 0.009) < SIGMA);
    }

    #[test]
    fn a_ball_that_settles_after_it_came_to_rest_lies_where_it_settled() {
        let mut detector = MotionDetector::at_rest(DVec2::X);
        detector.set_moving(DVec2::ZERO);
        let mut rests = 0;
        let mut n = 0;
        while rests < 10 && n < 60 {
            // Three sightings after it was first said to stand it has sunk back by a millimetre.
            let back = DVec2::X * 1e-3 * f64::from(rests.min(3)) / 3.0;
            let motion = observe(&mut detector, -back + 0.05 * noise(n));
            rests += u32::from(motion == Motion::Still);
            n += 1;
        }
        let off = detector.place().distance(-DVec2::X * 1e-3);
        assert!(rests == 10 && off < 3e-4, "{rests}: off by {off}");
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
