//! How long work takes, for the developer's tools.

use std::time::Instant;

/// The best of several passes, milliseconds.
#[expect(
    clippy::disallowed_methods,
    reason = "a developer's tool measures how long the work takes"
)]
pub fn best_of(count: u32, mut pass: impl FnMut()) -> f64 {
    let time = |_| {
        let started = Instant::now();
        pass();
        1e3 * started.elapsed().as_secs_f64()
    };
    (0..count).map(time).fold(f64::INFINITY, f64::min)
}

/// The middle one of some values, the upper of two; NaN of none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
