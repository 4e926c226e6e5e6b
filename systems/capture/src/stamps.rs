//! Stamps of sources that have a frame rate and no clock.

use ghostball_world::Stamp;

const NANOS_PER_SECOND: f64 = 1e9;

/// When frame `number` (from 0) of a source with `frame_rate` frames a second was captured. Each stamp is rounded by
/// itself, so that errors do not add up.
pub(crate) fn stamp_of(number: u64, frame_rate: f64) -> Stamp {
    Stamp::from_nanos((number as f64 * NANOS_PER_SECOND / frame_rate).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_seconds_of_frames_take_a_thousand_seconds() {
        assert_eq!(stamp_of(0, 30.0).nanos, 0);
        assert_eq!(stamp_of(1, 30.0).nanos, 33_333_333);
        assert_eq!(stamp_of(30_000, 30.0).nanos, 1_000_000_000_000);
    }
}
