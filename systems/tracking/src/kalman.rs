//! Where one moving ball is and how fast it goes, with the uncertainty of both.

use std::f64::consts::TAU;

use glam::DVec2;
use serde::{Deserialize, Serialize};

/// Deceleration of a rolling ball, m/s²: 0.01 g (physics of the pool ball, Marlow 1995; 0.0102 g measured on a real
/// table). Slower than anything a camera sees in one frame, but a ball hidden for a second feels it.
pub const ROLLING_DECELERATION: f64 = 0.1;

/// A priori scatter of the acceleration, m/s², of a ball that slides, with 0.2 g = 2 m/s² in a direction that its spin decides…
const SLIDING_SIGMA: f64 = 1.0;
/// …and of one that rolls: as much as cloths differ, and are not level.
const ROLLING_SIGMA: f64 = 0.15;
/// How long a ball slides after it was struck or hit, for each m/s of its speed: `2 v / (7 μ g)` (Marlow, The Physics of
/// Pocket Billiards, 1995), with a coefficient of sliding friction μ of 0.2.
const SLIDING_SECS: f64 = 2.0 / (7.0 * 0.2 * 9.81);

/// How precisely a sighting tells where a ball is: standard deviations along its motion and across it, metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Noise {
    /// Along the motion.
    pub along: f64,
    /// Across it.
    pub aside: f64,
}

impl Noise {
    /// The same in all directions.
    pub fn even(sigma: f64) -> Self {
        Self {
            along: sigma,
            aside: sigma,
        }
    }
}

/// What is not known of place and speed in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Spread {
    /// Variance of the position, m².
    position: f64,
    /// Covariance of position and velocity, m²/s.
    covariance: f64,
    /// Variance of the velocity, m²/s².
    velocity: f64,
}

impl Spread {
    /// Lets `dt` seconds pass, in which a white acceleration scatters with variance `q`.
    fn predict(&mut self, dt: f64, q: f64) {
        let dt2 = dt * dt;
        self.position += 2.0 * dt * self.covariance + dt2 * self.velocity + 0.25 * q * dt2 * dt2;
        self.covariance += dt * self.velocity + 0.5 * q * dt2 * dt;
        self.velocity += q * dt2;
    }

    /// Takes in a place measured with noise `sigma`: what share of the innovation position and velocity take, per metre.
    fn see_place(&mut self, sigma: f64) -> (f64, f64) {
        take_in(
            &mut self.position,
            &mut self.covariance,
            &mut self.velocity,
            sigma,
        )
    }

    /// The same for a speed measured with noise `sigma`, m/s; per m/s.
    fn see_speed(&mut self, sigma: f64) -> (f64, f64) {
        let (velocity_gain, gain) = take_in(
            &mut self.velocity,
            &mut self.covariance,
            &mut self.position,
            sigma,
        );
        (gain, velocity_gain)
    }
}

/// Takes in what has this variance, measured with noise `sigma`: what share of the innovation it takes, and the other that
/// varies with it.
fn take_in(measured: &mut f64, covariance: &mut f64, other: &mut f64, sigma: f64) -> (f64, f64) {
    let scatter = *measured + sigma * sigma;
    if scatter <= 0.0 {
        return (0.0, 0.0);
    }
    let (gain, other_gain) = (*measured / scatter, *covariance / scatter);
    *other -= other_gain * *covariance;
    *covariance *= 1.0 - gain;
    *measured *= 1.0 - gain;
    (gain, other_gain)
}

/// A constant-velocity Kalman filter in table space.
///
/// What is not known differs along the motion, where a ball is drawn out while the shutter is open, and across it: there is a
/// covariance for each, and they turn with the velocity. Process noise is the discrete white acceleration of Bar-Shalom, Li &
/// Kirubarajan, Estimation with Applications to Tracking and Navigation (2001), §6.3.2.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BallFilter {
    /// Centre, metres.
    pub position: DVec2,
    /// Metres per second.
    pub velocity: DVec2,
    along: Spread,
    aside: Spread,
    /// It still slides for so long, seconds.
    sliding_secs: f64,
}

impl BallFilter {
    /// A ball that was `before` at one place and is now, `elapsed_secs` later, at `position`: the start of a motion,
    /// or what is left to say after a bounce or a hit. Its velocity is that of the straight way between the two, as
    /// uncertain as it must be when the motion changed at an unknown moment in between.
    pub fn after_a_turn(
        before: DVec2,
        position: DVec2,
        velocity_before: DVec2,
        elapsed_secs: f64,
        noise: Noise,
    ) -> Self {
        let elapsed_secs = elapsed_secs.max(1e-3);
        let velocity = (position - before) / elapsed_secs;
        let turn = 0.5 * velocity.distance(velocity_before);
        let spread = |sigma: f64| {
            let variance = sigma * sigma;
            Spread {
                position: variance,
                covariance: variance / elapsed_secs,
                velocity: 2.0 * variance / (elapsed_secs * elapsed_secs) + turn * turn,
            }
        };
        Self {
            position,
            velocity,
            along: spread(noise.along),
            aside: spread(noise.aside),
            sliding_secs: SLIDING_SECS * velocity.length(),
        }
    }

    /// A ball that physics brings to `position` with `velocity` after a touch so many seconds ago; one component of what the
    /// touch gave it is known to `velocity_sigma`, m/s, and where it was then to `sigma`, metres.
    pub fn after_a_touch(
        position: DVec2,
        velocity: DVec2,
        velocity_sigma: f64,
        since_secs: f64,
        sigma: f64,
    ) -> Self {
        let variance = velocity_sigma * velocity_sigma;
        let spread = Spread {
            position: sigma * sigma + since_secs * since_secs * variance,
            covariance: since_secs * variance,
            velocity: variance,
        };
        Self {
            position,
            velocity,
            along: spread,
            aside: spread,
            sliding_secs: SLIDING_SECS * velocity.length(),
        }
    }

    /// Whether it slides still, rather than rolls.
    pub fn is_sliding(&self) -> bool {
        self.sliding_secs > 0.0
    }

    /// A ball at rest, known to `sigma` metres.
    pub fn at_rest(position: DVec2, sigma: f64) -> Self {
        let spread = Spread {
            position: sigma * sigma,
            ..Spread::default()
        };
        Self {
            position,
            velocity: DVec2::ZERO,
            along: spread,
            aside: spread,
            sliding_secs: 0.0,
        }
    }

    /// Lets `dt_secs` pass.
    pub fn predict(&mut self, dt_secs: f64) {
        let speed = self.velocity.length();
        let slower = (speed - ROLLING_DECELERATION * dt_secs).max(0.0);
        if speed > 0.0 {
            let after = self.velocity * (slower / speed);
            self.position += 0.5 * (self.velocity + after) * dt_secs;
            self.velocity = after;
        }
        let sigma = if self.sliding_secs > 0.0 {
            SLIDING_SIGMA
        } else {
            ROLLING_SIGMA
        };
        self.sliding_secs -= dt_secs;
        self.along.predict(dt_secs, sigma * sigma);
        self.aside.predict(dt_secs, sigma * sigma);
    }

    /// Unit vector along the motion; any one of a ball at rest, of which the same is known in all directions.
    fn direction(&self) -> DVec2 {
        self.velocity.try_normalize().unwrap_or(DVec2::X)
    }

    /// A vector in table space as what is along the motion, and what is across it.
    fn resolve(&self, vector: DVec2) -> DVec2 {
        let direction = self.direction();
        DVec2::new(direction.dot(vector), direction.perp_dot(vector))
    }

    /// Standard deviations of where a sighting with this noise is expected.
    pub fn expected(&self, noise: Noise) -> Noise {
        Noise {
            along: (self.along.position + noise.along * noise.along).sqrt(),
            aside: (self.aside.position + noise.aside * noise.aside).sqrt(),
        }
    }

    /// How far `measured` is from what was expected, squared, in units of the expected scatter. With two degrees of
    /// freedom 95 % of true sightings are below 6.0, 99.97 % below 16.
    pub fn distance_squared(&self, measured: DVec2, noise: Noise) -> f64 {
        let Noise { along, aside } = self.expected(noise);
        let off = self.resolve(measured - self.position) / DVec2::new(along, aside);
        off.length_squared()
    }

    /// How likely a sighting at `measured` is, per square metre.
    pub fn density(&self, measured: DVec2, noise: Noise) -> f64 {
        let Noise { along, aside } = self.expected(noise);
        libm::exp(-0.5 * self.distance_squared(measured, noise)) / (TAU * along * aside)
    }

    /// Takes in a sighting at `measured`.
    pub fn update(&mut self, measured: DVec2, noise: Noise) {
        let innovation = self.resolve(measured - self.position);
        let along = self.along.see_place(noise.along);
        let aside = self.aside.see_place(noise.aside);
        self.correct(innovation, along, aside);
    }

    /// Takes in a velocity, of which each component is known to `sigma`, m/s.
    pub fn update_velocity(&mut self, measured: DVec2, sigma: f64) {
        let innovation = self.resolve(measured - self.velocity);
        let along = self.along.see_speed(sigma);
        let aside = self.aside.see_speed(sigma);
        self.correct(innovation, along, aside);
    }

    fn correct(&mut self, innovation: DVec2, along: (f64, f64), aside: (f64, f64)) {
        let direction = self.direction();
        self.position += direction.rotate(innovation * DVec2::new(along.0, aside.0));
        self.velocity += direction.rotate(innovation * DVec2::new(along.1, aside.1));
    }

    /// Reflects the ball at the cushions that bound a playing surface of `half_size` (what a ball's centre can
    /// reach), when its predicted way leads through one. How lively a cushion is differs from table to table
    /// (restitution 0.6 to 0.9), and so does the spin that changes the angle: both go into the uncertainty.
    pub fn reflect_at_cushions(&mut self, half_size: DVec2) {
        const RESTITUTION: f64 = 0.75;
        const RESTITUTION_SIGMA: f64 = 0.15;
        let speed = self.velocity.length();
        let mut reflected = false;
        for axis in 0..2 {
            let over = self.position[axis].abs() - half_size[axis];
            if over > 0.0 && self.velocity[axis] * self.position[axis] > 0.0 {
                let side = self.position[axis].signum();
                self.position[axis] = side * (half_size[axis] - (RESTITUTION * over).min(half_size[axis]));
                self.velocity[axis] *= -RESTITUTION;
                let spread = RESTITUTION_SIGMA * over;
                self.along.position += spread * spread;
                self.aside.position += spread * spread;
                reflected = true;
            }
        }
        if reflected {
            self.sliding_secs = SLIDING_SECS * speed;
            let spread = RESTITUTION_SIGMA * speed;
            self.along.velocity += spread * spread;
            self.aside.velocity += spread * spread;
        }
    }

    /// As fast as it may be at most, by what is known, m/s: the chance of more is 1 in 50.
    pub fn fastest(&self) -> f64 {
        self.velocity.length() + 2.0 * self.velocity_sigma()
    }

    /// Standard deviation of one component of the velocity, m/s: of the one known less well.
    pub fn velocity_sigma(&self) -> f64 {
        self.along.velocity.max(self.aside.velocity).max(0.0).sqrt()
    }

    /// Standard deviation of one coordinate of the position, metres: of the one known less well.
    pub fn position_sigma(&self) -> f64 {
        self.along.position.max(self.aside.position).max(0.0).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DT: f64 = 1.0 / 30.0;
    const SIGMA: f64 = 0.8e-3;

    /// Small deterministic noise of about one SIGMA.
    fn noise(n: u32) -> DVec2 {
        let t = f64::from(n);
        SIGMA * DVec2::new(libm::sin(t * 12.9898), libm::cos(t * 78.233))
    }

    #[test]
    fn a_rolling_ball_is_followed_closer_than_it_is_measured() {
        // Cloths differ.
        for deceleration in [0.5, 1.0, 1.6].map(|times| times * ROLLING_DECELERATION) {
            let (start, direction) = (DVec2::new(-1.0, 0.1), DVec2::new(1.0, -0.1).normalize());
            let speed = |n: u32| 1.2 - deceleration * f64::from(n) * DT;
            let at = |n: u32| start + direction * (0.5 * (1.2 + speed(n)) * f64::from(n) * DT);
            let mut filter = BallFilter::after_a_turn(at(0), at(1), DVec2::ZERO, DT, Noise::even(SIGMA));
            for n in 2..60 {
                filter.predict(DT);
                filter.update(at(n) + noise(n), Noise::even(SIGMA));
                if n > 15 {
                    let off = filter.velocity.distance(speed(n) * direction);
                    assert!(off < 0.02, "{deceleration}, {n}: velocity is off by {off} m/s");
                    assert!(
                        filter.position.distance(at(n)) < 1.5 * SIGMA,
                        "{deceleration}, {n}"
                    );
                }
            }
        }
    }

    #[test]
    fn after_a_turn_the_next_sighting_settles_the_velocity() {
        // Struck in the middle of the first interval: the first estimate is half the true speed.
        let velocity = DVec2::new(3.0, 0.0);
        let mut filter = BallFilter::after_a_turn(
            DVec2::ZERO,
            velocity * (0.5 * DT),
            DVec2::ZERO,
            DT,
            Noise::even(SIGMA),
        );
        filter.predict(DT);
        filter.update(velocity * (1.5 * DT), Noise::even(SIGMA));
        assert!(
            filter.velocity.distance(velocity) < 0.1 * velocity.length(),
            "{}",
            filter.velocity
        );
    }

    #[test]
    fn what_is_seen_badly_along_the_motion_leaves_the_direction_known() {
        let direction = DVec2::new(0.6, 0.8);
        let noise = Noise {
            along: 10.0 * SIGMA,
            aside: SIGMA,
        };
        let at = |n: u32| 1.5 * f64::from(n) * DT * direction;
        let mut filter = BallFilter::after_a_turn(at(0), at(1), DVec2::ZERO, DT, noise);
        for n in 2..30 {
            let askew = if n % 2 == 0 { 10.0 } else { -10.0 } * SIGMA;
            filter.predict(DT);
            filter.update(at(n) + askew * direction, noise);
        }
        assert!(
            filter.velocity.perp_dot(direction).abs() < 1e-3,
            "{}",
            filter.velocity
        );
        assert!(
            (filter.velocity.length() - 1.5).abs() < 0.1,
            "{}",
            filter.velocity
        );
        // Off by as much, but across.
        let expected = filter.expected(noise);
        assert!(expected.along > 5.0 * expected.aside, "{expected:?}");
        let aside = filter.position + 10.0 * SIGMA * direction.perp();
        assert!(filter.distance_squared(aside, noise) > 16.0);
    }

    #[test]
    fn a_speed_that_is_told_corrects_one_that_is_not_known() {
        let way = 0.02 * DVec2::X;
        let mut filter = BallFilter::after_a_turn(DVec2::ZERO, way, DVec2::ZERO, DT, Noise::even(SIGMA));
        let before = filter.velocity_sigma();
        filter.update_velocity(2.0 * DVec2::X, 0.05);
        assert!((filter.velocity.x - 2.0).abs() < 0.1, "{}", filter.velocity);
        assert!(filter.velocity_sigma() < 0.2 * before);
        // Its place hardly hangs on that.
        assert!(filter.position.distance(way) < SIGMA, "{}", filter.position);
    }

    #[test]
    fn a_ball_nobody_sees_rolls_out_and_stands() {
        let mut filter =
            BallFilter::after_a_turn(DVec2::ZERO, DVec2::X * 0.01, DVec2::ZERO, 0.1, Noise::even(SIGMA));
        for _ in 0..120 {
            filter.predict(DT);
        }
        assert_eq!(filter.velocity, DVec2::ZERO);
        // v² / 2a beyond where it was seen last.
        assert!((filter.position.x - 0.06).abs() < 2e-3, "{}", filter.position.x);
    }

    #[test]
    fn a_ball_that_would_run_through_a_cushion_comes_back() {
        let mut filter = BallFilter::after_a_turn(
            DVec2::new(1.1, 0.0),
            DVec2::new(1.2, 0.0),
            DVec2::ZERO,
            DT,
            Noise::even(SIGMA),
        );
        filter.predict(DT);
        filter.reflect_at_cushions(DVec2::new(1.24, 0.61));
        assert!(filter.velocity.x < 0.0);
        assert!(filter.position.x < 1.24 && filter.position.x > 1.1);
    }
}
