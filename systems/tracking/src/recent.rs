//! The last sightings of one ball, and the straight line through them.

use glam::DVec2;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// Sightings kept at most: a quarter of a second at 120 frames a second.
const MOST: usize = 32;

/// Where a ball was seen lately, oldest first. Lives in place: tracks are copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recent {
    /// Seconds since the first sighting after [`Recent::clear`], and place, metres.
    sightings: [(f64, DVec2); MOST],
    #[serde(deserialize_with = "read_length")]
    length: usize,
}

/// A length within the array: a keyframe can be anybody's.
fn read_length<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    let length = usize::deserialize(from)?;
    let too_long = || D::Error::custom(format!("at most {MOST} sightings were expected, found {length}"));
    (length <= MOST).then_some(length).ok_or_else(too_long)
}

/// Places by time, fitted with a straight line by least squares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// How many.
    pub sightings: usize,
    /// From the first to the last, seconds.
    pub span_secs: f64,
    /// Metres per second.
    pub slope: DVec2,
    /// Standard deviation of one coordinate about the line, metres.
    pub scatter: f64,
    /// Standard deviation of one coordinate of the slope for one metre of that, 1/s.
    pub slope_sigma_per_sigma: f64,
    /// Mean place of the latter half, metres.
    pub latter_mean: DVec2,
}

impl Recent {
    /// Forgets all.
    pub fn clear(&mut self) {
        self.length = 0;
    }

    /// Adds a sighting, so long after the one before.
    pub fn push(&mut self, elapsed_secs: f64, position: DVec2) {
        let before = self
            .length
            .checked_sub(1)
            .map_or(0.0, |last| self.sightings[last].0);
        if self.length == MOST {
            self.drop_first(1);
        }
        self.sightings[self.length] = (before + elapsed_secs, position);
        self.length += 1;
    }

    /// Forgets those more than `secs` before the last, but for the one by which the rest covers that time.
    pub fn keep(&mut self, secs: f64) {
        let Some(last) = self.length.checked_sub(1) else {
            return;
        };
        let since = self.sightings[last].0 - secs;
        let sightings = &self.sightings[..self.length];
        let later = sightings.iter().position(|(at, _)| *at > since).unwrap_or(last);
        self.drop_first(later.saturating_sub(1));
    }

    fn drop_first(&mut self, count: usize) {
        self.sightings.copy_within(count..self.length, 0);
        self.length -= count;
    }

    /// The sightings of the last `secs`, and the one by which they cover that time.
    fn within(&self, secs: f64) -> &[(f64, DVec2)] {
        let sightings = &self.sightings[..self.length];
        let since = sightings.last().map_or(0.0, |(at, _)| at - secs);
        let later = sightings.iter().position(|(at, _)| *at > since).unwrap_or(0);
        &sightings[later.saturating_sub(1)..]
    }

    /// Where the most sightings lie within `radius` of one of them, if those go on for `secs`: their mean, and how many.
    pub fn crowd(&self, radius: f64, secs: f64) -> Option<(DVec2, usize)> {
        let sightings = &self.sightings[..self.length];
        let near = |(_, middle): &(f64, DVec2)| {
            let middle = *middle;
            sightings
                .iter()
                .filter(move |(_, place)| place.distance(middle) <= radius)
        };
        let middle = sightings.iter().max_by_key(|sighting| near(sighting).count())?;
        let (first, last) = (near(middle).next()?, near(middle).next_back()?);
        let count = near(middle).count();
        let sum: DVec2 = near(middle).map(|(_, place)| *place).sum();
        (last.0 - first.0 >= secs).then(|| (sum / count as f64, count))
    }

    /// The line through those of the last `secs`; `None` of fewer than three, or of one moment.
    pub fn line(&self, secs: f64) -> Option<Line> {
        let sightings = self.within(secs);
        if sightings.len() < 3 {
            return None;
        }
        let n = sightings.len() as f64;
        let mean_secs = sightings.iter().map(|(at, _)| at).sum::<f64>() / n;
        let mean = sightings.iter().map(|(_, place)| *place).sum::<DVec2>() / n;
        let spread: f64 = sightings
            .iter()
            .map(|(at, _)| (at - mean_secs) * (at - mean_secs))
            .sum();
        if spread <= 0.0 {
            return None;
        }
        let slope = sightings
            .iter()
            .map(|(at, place)| (at - mean_secs) * (*place - mean))
            .sum::<DVec2>()
            / spread;
        let residual = |(at, place): &(f64, DVec2)| place.distance_squared(mean + (at - mean_secs) * slope);
        let squares: f64 = sightings.iter().map(residual).sum();
        let latter = &sightings[sightings.len() / 2..];
        Some(Line {
            sightings: sightings.len(),
            span_secs: sightings[sightings.len() - 1].0 - sightings[0].0,
            slope,
            // Two coordinates, of each of which the line takes two degrees of freedom.
            scatter: (squares / (2.0 * (n - 2.0))).sqrt(),
            slope_sigma_per_sigma: 1.0 / spread.sqrt(),
            latter_mean: latter.iter().map(|(_, place)| *place).sum::<DVec2>() / latter.len() as f64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_fitted_with_its_scatter() {
        let mut recent = Recent::default();
        for n in 0..40_u32 {
            let side = if n % 2 == 0 { 1.0 } else { -1.0 };
            recent.push(0.01, DVec2::new(0.02 * f64::from(n), side));
        }
        recent.keep(0.2);
        let Some(line) = recent.line(0.1) else {
            panic!("a line")
        };
        assert_eq!(line.sightings, 11);
        assert!((line.span_secs - 0.1).abs() < 1e-9);
        assert!((line.slope.x - 2.0).abs() < 1e-9, "{line:?}");
        assert!((line.scatter - (11.0_f64 / 18.0).sqrt()).abs() < 0.02, "{line:?}");
    }

    #[test]
    fn a_crowd_is_where_most_sightings_lie_for_long_enough() {
        let mut recent = Recent::default();
        for n in 0..15_u32 {
            let askew = if n % 3 == 0 { 9.0 } else { 0.0 };
            recent.push(0.03, DVec2::new(askew, 0.1 * f64::from(n % 2)));
        }
        let (mean, count) = recent.crowd(1.0, 0.3).unwrap();
        assert_eq!(count, 10);
        assert!(mean.distance(DVec2::new(0.0, 0.05)) < 0.01, "{mean}");
        assert_eq!(recent.crowd(1.0, 0.5), None);
    }

    #[test]
    fn two_sightings_or_one_moment_make_no_line() {
        let mut recent = Recent::default();
        assert_eq!(recent.line(1.0), None);
        for _ in 0..5 {
            recent.push(0.0, DVec2::X);
        }
        assert_eq!(recent.line(1.0), None);
        recent.clear();
        recent.keep(0.1);
        assert_eq!(recent, Recent { length: 0, ..recent });
    }
}
