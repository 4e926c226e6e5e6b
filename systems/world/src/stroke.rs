//! Strokes that nobody has played.

use glam::DVec2;

use crate::TrackId;

/// A stroke to think through: which ball is struck, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stroke {
    /// The ball that is struck.
    pub ball: TrackId,
    /// Where the stick points, a unit vector in table space.
    pub direction_in_table: DVec2,
    /// Speed of the stick at impact, metres per second, above 0.
    pub stick_speed: f64,
    /// Where the tip hits, in radii of the ball from its middle: to the player's right (English), -0.7 to 0.7.
    pub side: f64,
    /// Likewise upwards (follow above 0, draw below), -0.7 to 0.7.
    pub top: f64,
    /// How steeply the stick points down, radians, 0 to less than π/2.
    pub elevation: f64,
}
