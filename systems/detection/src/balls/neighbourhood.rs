//! What is round a ball among balls: where its rim cannot be seen, and what it may touch.

use super::ellipse::Touching;
use super::place::BallPlace;
use super::rim::{Rays, Rim};
use super::votes::Candidate;

/// A place within this many radii of a ball's centre shows that ball, or the dark gap beside it.
const SHOWN: f64 = 1.15;
/// Balls nearer than this many radii may touch, those nearer than that may be seen behind each other's rims.
const PERHAPS_TOUCHING: f64 = 2.5;
const PERHAPS_BEHIND: f64 = 3.0;
/// Six balls can touch one; some that seem to may not.
const MOST_TOUCHING: usize = 8;
/// A ball that sees others on so many rays shows too little to be placed by itself: a third of its rim.
const SURROUNDED: u32 = 12;

/// What is round a ball.
#[derive(Clone, Copy, Debug, Default)]
pub struct Neighbourhood {
    /// Rays that see another ball, or the gap beside it, just outside: one bit each.
    pub rays: u32,
    touching: [Touching; MOST_TOUCHING],
    count: usize,
}

impl Neighbourhood {
    /// What is round ball `i` of `rims`, where the balls are those that were `chosen`.
    pub fn new(
        i: usize,
        rims: &[(Candidate, Rim)],
        chosen: &[usize],
        place: &BallPlace,
        rays: &Rays,
    ) -> Self {
        let mut around = Self::default();
        let rim = &rims[i].1;
        let (center, radius) = (rim.ellipse.center, rim.ellipse.radius);
        for j in chosen.iter().filter(|j| **j != i) {
            let other = rims[*j].1.ellipse;
            let between = other.center - center;
            let distance = between.length();
            if distance < PERHAPS_BEHIND * radius {
                around.rays |= rim.rays_that_see(rays, other.center, SHOWN * other.radius);
            }
            if distance < PERHAPS_TOUCHING * radius && around.count < MOST_TOUCHING {
                let touching = 2.0 * place.radius_at(center + 0.5 * between);
                around.touching[around.count] = Touching {
                    center: other.center,
                    distance: touching * distance / place.distance_on_cloth(center, between).max(1e-9),
                };
                around.count += 1;
            }
        }
        around
    }

    /// Balls that may touch it.
    pub fn touching(&self) -> &[Touching] {
        &self.touching[..self.count]
    }

    /// Whether it shows too little of its rim to be placed by itself.
    pub fn is_surrounded(&self) -> bool {
        self.rays.count_ones() >= SURROUNDED
    }
}
