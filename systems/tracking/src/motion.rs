//! Does it move? Standing and moving told apart by where the ball is, not by a noisy speed.
//!
//! A ball at rest has an anchor: the mean of its sightings. It moves once it leaves the anchor, and stands once it has
//! stayed near one place for a while. All lengths are multiples of the measurement noise or of the ball's radius, so
//! that nothing depends on the camera's resolution.

use ghostball_world::Motion;
use glam::DVec2;

/// Farther from its anchor than this many sigmas a sighting is suspicious: with two dimensions 1 in 90 by chance.
const SUSPICIOUS_SIGMAS: f64 = 3.0;
/// A suspicious ball that has gone this many sigmas further moves.
const GROWTH_SIGMAS: f64 = 2.0;
/// A ball this many radii from its anchor moves, whatever else: no noise does that. Twice as far for a sighting of
/// twice the usual noise: a doubtful one may be half a hand.
const SURE_RADII: f64 = 0.5;
/// One that a moving ball may just have hit moves when it is seen farther from its anchor than this, in radii, and than
/// suspicion asks for: as far as a ball is seen askew beside another.
const HIT_RADII: f64 = 0.1;
/// A ball that stays this many sigmas around one place…
const RESTING_SIGMAS: f64 = 3.5;
/// …for this long, seconds, stands. A rolling ball (0.1 m/s²) that goes less than 2 mm in that time has less than
/// 1 mm to go.
pub(crate) const RESTING_SECS: f64 = 0.25;
/// How long, seconds, a ball may stay beside its anchor without going further before the anchor is moved to it: it was
/// nudged, or the camera was.
const NUDGE_SECS: f64 = 0.3;
/// Sightings that the anchor's mean reaches back.
const ANCHOR_MEMORY: f64 = 30.0;

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
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MotionDetector {
    motion: Motion,
    anchor: DVec2,
    /// Sightings in the anchor's mean, up to [`ANCHOR_MEMORY`].
    weight: f64,
    /// Seconds since the anchor was set (while moving).
    anchored_secs: f64,
    suspicion: Option<Suspicion>,
}

/// A ball at rest that was seen beside its anchor.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Suspicion {
    first_distance: f64,
    lasting_secs: f64,
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
            anchored_secs: 0.0,
            suspicion: None,
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

    /// Standard deviation of one coordinate of the anchor, where one sighting has `sigma` metres.
    pub fn anchor_sigma(&self, sigma: f64) -> f64 {
        sigma / self.weight.sqrt()
    }

    /// Moves the memory along with a change of table space.
    pub fn remap(&mut self, map: impl Fn(DVec2) -> DVec2) {
        self.anchor = map(self.anchor);
        self.suspicion = None;
    }

    /// The ball is known to move, for example because it jumped.
    pub fn set_moving(&mut self, position: DVec2) {
        self.motion = Motion::Moving;
        self.suspicion = None;
        self.restart_anchor(position);
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
        let distance = position.distance(self.anchor);
        let scatter = glimpse.sigma * (1.0 + 1.0 / self.weight).sqrt();
        let sure_radii = if glimpse.may_be_hit { HIT_RADII } else { SURE_RADII };
        let sure = sure_radii * doubt * glimpse.ball_radius;
        if distance > sure.max(SUSPICIOUS_SIGMAS * scatter) {
            return self.set_moving(position);
        }
        if distance <= SUSPICIOUS_SIGMAS * scatter {
            self.suspicion = None;
            self.average(position);
            return;
        }
        let Some(suspicion) = &mut self.suspicion else {
            self.suspicion = Some(Suspicion {
                first_distance: distance,
                lasting_secs: 0.0,
                mean: position,
                weight: 1.0,
            });
            return;
        };
        suspicion.lasting_secs += glimpse.elapsed_secs;
        suspicion.weight += 1.0;
        suspicion.mean += (position - suspicion.mean) / suspicion.weight;
        if distance > suspicion.first_distance + GROWTH_SIGMAS * scatter {
            self.set_moving(position);
        } else if suspicion.lasting_secs >= NUDGE_SECS {
            (self.anchor, self.weight) = (suspicion.mean, suspicion.weight);
            self.suspicion = None;
        }
    }

    fn observe_moving(&mut self, glimpse: &Glimpse) {
        if glimpse.position.distance(self.anchor) > RESTING_SIGMAS * glimpse.sigma {
            self.restart_anchor(glimpse.position);
            return;
        }
        self.anchored_secs += glimpse.elapsed_secs;
        self.average(glimpse.position);
        if self.anchored_secs >= RESTING_SECS && self.weight >= 3.0 {
            self.motion = Motion::Still;
            // The mean still drags the ball's last way behind it: let it catch up quickly.
            self.weight = 2.0;
        }
    }

    fn restart_anchor(&mut self, position: DVec2) {
        self.anchor = position;
        self.weight = 1.0;
        self.anchored_secs = 0.0;
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
    fn a_nudged_ball_gets_a_new_anchor_without_moving() {
        let mut detector = seen_at_rest(30);
        for n in 0..30 {
            observe(&mut detector, DVec2::Y * 0.004 + 0.5 * noise(n));
        }
        assert_eq!(detector.motion(), Motion::Still);
        assert!(detector.anchor().distance(DVec2::Y * 0.004) < SIGMA);
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
