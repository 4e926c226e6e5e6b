//! How an error grows on a ball's way: the honest part of a prediction.
//!
//! A path starts with a lateral error (where the ball is) and an angular one (where it goes). Distance turns angle into
//! offset; a cushion adds to the angle; a collision turns offset into angle, the worse the thinner the hit. The
//! confidence in a stretch is the chance that the ball passes within its own radius of the line.

/// Scatter of a measured place, in ball radii: a millimetre for a pool ball.
const PLACE_SIGMA_RADII: f64 = 0.035;
/// Scatter of one component of a measured velocity, m/s: a millimetre over some frames.
const VELOCITY_SIGMA: f64 = 0.02;
/// What a cushion adds to the angle, radians: rubber, cloth and unseen side spin.
const CUSHION_SIGMA: f64 = 0.03;
/// Hits thinner than this cosine of the cut angle are treated as if they were as thin: the formula has a pole there.
const THINNEST: f64 = 0.1;

/// Errors of one ball's path, one standard deviation each.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    /// Across the path, metres.
    pub lateral: f64,
    /// Of the direction, radians.
    pub angular: f64,
}

impl Spread {
    /// A ball at rest, of this radius.
    pub fn at_rest(ball_radius: f64) -> Self {
        Self {
            lateral: PLACE_SIGMA_RADII * ball_radius,
            angular: 0.0,
        }
    }

    /// A ball that moves at `speed` m/s.
    pub fn moving(ball_radius: f64, speed: f64) -> Self {
        Self {
            angular: VELOCITY_SIGMA / speed.max(VELOCITY_SIGMA),
            ..Self::at_rest(ball_radius)
        }
    }

    /// After a way of `distance` metres.
    pub fn after(self, distance: f64) -> Self {
        Self {
            lateral: libm::hypot(self.lateral, self.angular * distance),
            ..self
        }
    }

    /// After a cushion.
    pub fn reflected(self) -> Self {
        Self {
            angular: libm::hypot(self.angular, CUSHION_SIGMA),
            ..self
        }
    }

    /// After a collision with a ball of spread `other`, met at `angle` radians off the line of centres: an offset δ
    /// turns that line by δ / (2R cos angle).
    pub fn collided(self, other: Self, angle: f64, ball_radius: f64) -> Self {
        let offset = libm::hypot(self.lateral, other.lateral);
        let turn = offset / (2.0 * ball_radius * libm::cos(angle).max(THINNEST));
        Self {
            angular: libm::hypot(self.angular, turn),
            ..self
        }
    }

    /// Chance that the ball passes within its radius of the line.
    pub fn confidence(self, ball_radius: f64) -> f64 {
        let sigmas = ball_radius / self.lateral.max(1e-9);
        libm::erf(sigmas * std::f64::consts::FRAC_1_SQRT_2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RADIUS: f64 = 0.028_575;

    #[test]
    fn confidence_is_the_chance_of_a_normal_variable() {
        let at = |sigmas: f64| {
            let lateral = RADIUS / sigmas;
            Spread {
                lateral,
                angular: 0.0,
            }
            .confidence(RADIUS)
        };
        for (sigmas, chance) in [(1.0, 0.682_689), (2.0, 0.954_500), (0.1, 0.079_656)] {
            assert!((at(sigmas) - chance).abs() < 1e-6, "{sigmas}: {}", at(sigmas));
        }
    }

    #[test]
    fn confidence_falls_along_the_way_and_with_every_contact() {
        let start = Spread::moving(RADIUS, 1.0);
        let later = start.after(1.5);
        let banked = start.reflected().after(1.5);
        let full = start.collided(Spread::at_rest(RADIUS), 0.0, RADIUS).after(1.5);
        let thin = start.collided(Spread::at_rest(RADIUS), 1.3, RADIUS).after(1.5);
        let confidence = |spread: Spread| spread.confidence(RADIUS);
        assert!(confidence(start) > 0.99);
        for chain in [[start, later, banked], [start, full, thin], [start, later, full]] {
            assert!(
                chain.map(confidence).is_sorted_by(|a, b| a > b),
                "{:?}",
                chain.map(confidence)
            );
        }
    }
}
