//! How a ball that started from rest really goes: all that was seen of it since, against the motion that friction allows.
//!
//! Where a ball comes to rest grows with the square of its speed: a percent of half a metre per second are five
//! centimetres. A filter that lets the speed change from frame to frame cannot know it that well after a few frames; the
//! whole way since the start, which by friction has but few unknowns, can. They are the velocity at the start, its
//! moment (some time after the ball was seen at rest last), and how the ball turned at first: the first is fitted by
//! least squares for each of some moments and turns, and these are averaged by how likely they are.

use ghostball_physics::BallProperties;
use glam::DVec2;

/// Most sightings that are kept: more than a second of them tells the speed better than cloth is even.
const MOST_SIGHTINGS: usize = 40;
/// Fewer sightings in motion than this leave the speed to the filter.
const LEAST_SIGHTINGS: usize = 3;
/// Moments of the start that are tried, as shares of the time between the last sighting at rest and the first in motion.
const MOMENTS: [f64; 5] = [0.1, 0.3, 0.5, 0.7, 0.9];
/// Slip at the start that is tried, as shares of the speed, with how unlikely each is, in halves of squared standard
/// deviations: a ball rolls at once, is hit in its middle or by another ball, or has as much backspin.
const SLIPS: [(f64, f64); 5] = [(0.0, 2.0), (0.5, 0.5), (1.0, 0.0), (1.5, 0.5), (2.0, 2.0)];
/// Scatter of a place along the way, in radii: it is seen to a thirtieth, and when it was seen is told to some
/// milliseconds by most files and many cameras.
const SIGMA_RADII: f64 = 0.06;
/// A place farther from the fitted way than this, in radii and in shares of the last step, is not on it: something was
/// touched, or time was lost.
const OFF_RADII: f64 = 0.2;
const OFF_SHARE: f64 = 0.35;
const ROUNDS: usize = 4;

/// What was seen of a ball since it was at rest.
#[derive(Clone, Debug)]
pub struct Launch {
    rest: DVec2,
    rest_time: f64,
    /// Seconds, and place in table space.
    seen: Vec<(f64, DVec2)>,
    /// Something was touched: this is told no longer.
    is_over: bool,
}

/// A ball's motion now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Going {
    /// Metres in table space.
    pub position: DVec2,
    /// Metres per second.
    pub velocity: DVec2,
    /// How fast its lowest point slips over the cloth, m/s, along the velocity.
    pub slip: f64,
}

impl Launch {
    /// A ball seen at rest at `position`, at `time` seconds.
    pub fn at_rest(position: DVec2, time: f64) -> Self {
        Self {
            rest: position,
            rest_time: time,
            seen: Vec::with_capacity(MOST_SIGHTINGS),
            is_over: false,
        }
    }

    /// It is at rest, still or again.
    pub fn rests(&mut self, position: DVec2, time: f64) {
        (self.rest, self.rest_time, self.is_over) = (position, time, false);
        self.seen.clear();
    }

    /// It was seen in motion. The same picture seen twice must not be told.
    pub fn moves(&mut self, position: DVec2, time: f64) {
        self.is_over |= self.seen.len() == MOST_SIGHTINGS;
        if !self.is_over && self.seen.last().is_none_or(|last| time > last.0) {
            self.seen.push((time, position));
        }
    }

    /// How it goes at `now`, seconds, not before the last sighting; `None` where that is not told, or no longer.
    pub fn going(&mut self, now: f64, ball: &BallProperties) -> Option<Going> {
        if self.is_over || self.seen.len() < LEAST_SIGHTINGS {
            return None;
        }
        let (first_time, (time, place)) = (self.seen.first()?.0, *self.seen.last()?);
        let sigma = SIGMA_RADII * ball.radius;
        let (mut weights, mut sum) = (0.0, Way::default());
        let mut least = f64::INFINITY;
        for moment in MOMENTS {
            let start_time = self.rest_time + moment * (first_time - self.rest_time);
            for (slip_share, unlikely) in SLIPS {
                let Some((velocity, squares)) = self.fit(start_time, slip_share, ball) else {
                    continue;
                };
                let cost = 0.5 * squares / (sigma * sigma) + unlikely;
                if cost < least {
                    // What was gathered counts as it would have, had this been known.
                    let scale = libm::exp(cost - least);
                    (weights, sum) = (weights * scale, sum.scaled(scale));
                    least = cost;
                }
                let weight = libm::exp(least - cost);
                let direction = velocity.normalize_or_zero();
                let at = |time: f64| way(velocity.length(), time - start_time, slip_share, ball);
                let (seen, now) = (at(time), at(now));
                weights += weight;
                sum.seen += weight * (self.rest + seen.gone * direction);
                sum.position += weight * (self.rest + now.gone * direction);
                sum.velocity += weight * now.speed * direction;
                sum.slip += weight * now.slip;
            }
        }
        if weights <= 0.0 {
            return None;
        }
        let going = sum.scaled(1.0 / weights);
        let step = self
            .seen
            .iter()
            .rev()
            .nth(1)
            .map_or(0.0, |before| place.distance(before.1));
        if going.seen.distance(place) > OFF_RADII * ball.radius + OFF_SHARE * step {
            self.is_over = true;
            return None;
        }
        Some(Going {
            position: going.position,
            velocity: going.velocity,
            slip: going.slip,
        })
    }

    /// The velocity at the start that fits best, and the sum of squared misses: Gauss-Newton on both components, the way
    /// being its length in the direction of the velocity.
    fn fit(&self, start_time: f64, slip_share: f64, ball: &BallProperties) -> Option<(DVec2, f64)> {
        let (time, place) = *self.seen.last()?;
        let mut velocity = (place - self.rest) / (time - start_time).max(1e-3);
        let mut squares = 0.0;
        for round in 0..=ROUNDS {
            let speed = velocity.length();
            let direction = velocity.normalize_or_zero();
            squares = 0.0;
            // Along and across the direction the equations are apart.
            let (mut along, mut across) = (DVec2::ZERO, DVec2::ZERO);
            for (time, place) in &self.seen {
                let elapsed = time - start_time;
                let now = way(speed, elapsed, slip_share, ball).gone;
                let faster = way(speed + SPEED_STEP, elapsed, slip_share, ball).gone;
                let off = *place - self.rest - now * direction;
                let (growth, turn) = ((faster - now) / SPEED_STEP, now / speed.max(SPEED_STEP));
                along += DVec2::new(growth * growth, growth * off.dot(direction));
                across += DVec2::new(turn * turn, turn * direction.perp_dot(off));
                squares += off.length_squared();
            }
            if round < ROUNDS {
                let step = |normal: DVec2| if normal.x > 0.0 { normal.y / normal.x } else { 0.0 };
                velocity += step(along) * direction + step(across) * direction.perp();
            }
        }
        velocity.is_finite().then_some((velocity, squares))
    }
}

/// Step of the speed that stands for a derivative, m/s.
const SPEED_STEP: f64 = 1e-4;

#[derive(Clone, Copy, Default)]
struct Way {
    /// At the last sighting.
    seen: DVec2,
    /// The rest now.
    position: DVec2,
    velocity: DVec2,
    slip: f64,
}

impl Way {
    fn scaled(self, by: f64) -> Self {
        Self {
            seen: by * self.seen,
            position: by * self.position,
            velocity: by * self.velocity,
            slip: by * self.slip,
        }
    }
}

struct Gone {
    gone: f64,
    speed: f64,
    slip: f64,
}

/// How far a ball has gone `elapsed` seconds after it started with `speed` and a slip of `slip_share` times that, how fast
/// it goes then and slips: sliding takes μ g from the speed and 3.5 μ g from the slip, rolling μ g of its own (Marlow, The
/// Physics of Pocket Billiards, 1995, ch. 5).
fn way(speed: f64, elapsed: f64, slip_share: f64, ball: &BallProperties) -> Gone {
    let sliding = ball.sliding_friction * ball.gravity;
    let rolling = ball.rolling_friction * ball.gravity;
    let elapsed = elapsed.max(0.0);
    let slid = elapsed.min(slip_share * speed / (3.5 * sliding));
    let after = speed - sliding * slid;
    let rolled = (elapsed - slid).min((after / rolling).max(0.0));
    Gone {
        gone: (speed - 0.5 * sliding * slid) * slid + (after - 0.5 * rolling * rolled) * rolled,
        speed: after - rolling * rolled,
        slip: (slip_share * speed - 3.5 * sliding * slid).max(0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: f64 = 1.0 / 30.0;

    /// Speeds that are told five frames after the start of a ball of 0.8 m/s, seen at `late(frame)` seconds beside the
    /// stamp.
    fn told(late: impl Fn(u32) -> f64) -> Going {
        let ball = BallProperties::default();
        let mut launch = Launch::at_rest(DVec2::ZERO, 0.0);
        let mut going = None;
        for frame in 1..=6 {
            let stamp = f64::from(frame) * FRAME;
            let gone = way(0.8, stamp + late(frame) - 0.4 * FRAME, 1.0, &ball).gone;
            launch.moves(DVec2::new(0.6, 0.8) * gone, stamp);
            going = launch.going(stamp, &ball);
        }
        going.unwrap()
    }

    fn truth() -> Gone {
        way(0.8, 5.6 * FRAME, 1.0, &BallProperties::default())
    }

    #[test]
    fn speed_slip_and_direction_are_told_after_a_few_frames() {
        let going = told(|_| 0.0);
        let truth = truth();
        assert!(
            (going.velocity.length() / truth.speed - 1.0).abs() < 0.04,
            "{going:?}"
        );
        assert!(going.velocity.perp_dot(DVec2::new(0.6, 0.8)).abs() < 1e-3);
        assert!(going.position.distance(DVec2::new(0.6, 0.8) * truth.gone) < 2e-3);
    }

    #[test]
    fn stamps_that_are_off_by_milliseconds_hurt_little() {
        let going = told(|frame| if frame % 2 == 0 { 3e-3 } else { -3e-3 });
        let truth = truth();
        assert!(
            (going.velocity.length() / truth.speed - 1.0).abs() < 0.06,
            "{going:?}"
        );
    }

    #[test]
    fn what_is_touched_ends_it() {
        let ball = BallProperties::default();
        let mut launch = Launch::at_rest(DVec2::ZERO, 0.0);
        let mut told = Vec::new();
        for frame in 1..=9 {
            let place = 0.02 * f64::from(frame.min(10 - frame));
            let now = f64::from(frame) * FRAME;
            launch.moves(DVec2::new(place, 0.0), now);
            told.push(launch.going(now, &ball).is_some());
        }
        assert_eq!(told, [false, false, true, true, true, false, false, false, false]);
        launch.rests(DVec2::ZERO, 1.0);
        assert!(!launch.is_over);
    }
}
