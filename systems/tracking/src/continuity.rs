//! Whether the frames come one after the other: stamps that run backwards or leap tell that they do not.

use ghostball_world::{Alert, AlertCode, AlertLevel, Stamp};
use serde::{Deserialize, Serialize};

/// Stamps farther apart than this, seconds, are a gap: balls are looked up anew.
pub const GAP_SECS: f64 = 1.0;
/// One step back is a jump to another place of a recording. More than one before so many frames have come in order means that
/// no two frames need follow each other: of a shuffled recording, every other one steps back.
const ORDERED_FRAMES: u32 = 10;
/// The condition ends after so many frames in order: a second at the usual rate.
const CALM_FRAMES: u32 = 30;

/// Watches the stamps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Continuity {
    last: Option<Stamp>,
    /// Frames in order since the last jump.
    ordered: u32,
    /// Steps back without [`ORDERED_FRAMES`] between.
    steps_back: u32,
    is_broken: bool,
}

/// What the stamp of one frame tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// This is another place in the stream than the frame before.
    pub jumped_back: bool,
    /// Frames come in any order: what moved cannot be told.
    pub is_shuffled: bool,
    /// The condition begins (true) or ends (false) with this frame.
    pub report: Option<bool>,
}

impl Continuity {
    /// Takes in the stamp of the next frame.
    pub fn follow(&mut self, stamp: Stamp) -> Verdict {
        let before = self.last.replace(stamp);
        let Some(before) = before else {
            return Verdict::default();
        };
        let jumped_back = stamp < before;
        let is_jump = jumped_back || stamp.since(before).as_secs_f64() > GAP_SECS;
        if is_jump {
            self.ordered = 0;
        } else {
            self.ordered = self.ordered.saturating_add(1);
        }
        if self.ordered >= ORDERED_FRAMES {
            self.steps_back = 0;
        }
        self.steps_back += u32::from(jumped_back);
        let was_broken = self.is_broken;
        self.is_broken = is_jump || was_broken && self.ordered < CALM_FRAMES;
        Verdict {
            jumped_back,
            is_shuffled: self.steps_back > 1,
            report: (self.is_broken != was_broken).then_some(self.is_broken),
        }
    }
}

/// The alert for the begin or end of a broken stream.
pub fn alert(begins: bool) -> Alert {
    let text = if begins {
        "The frames' stamps ran backwards or leapt by more than a second: frames are missing or out of order. Balls are found \
         anew; a shot that was on has no end. Check the camera's driver, or the recording (ghostball doctor FILE)."
    } else {
        "The frames come in order again."
    };
    Alert {
        level: if begins {
            AlertLevel::Warning
        } else {
            AlertLevel::Info
        },
        code: AlertCode::TimeJumped,
        begins,
        text: text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(frame: u64) -> Stamp {
        Stamp::from_nanos(1_000_000_000 + frame * 33_333_333)
    }

    /// What each of these frames tells, but for those that tell nothing.
    fn follow(frames: impl Iterator<Item = u64>) -> Vec<(usize, Verdict)> {
        let mut continuity = Continuity::default();
        let told = frames.map(|frame| continuity.follow(stamp(frame))).enumerate();
        told.filter(|(_, verdict)| *verdict != Verdict::default())
            .collect()
    }

    #[test]
    fn frames_in_order_with_some_lost_or_twice_the_same_tell_nothing() {
        assert_eq!(follow((0..100).map(|n| n + n / 7).chain([120, 120, 121])), []);
    }

    #[test]
    fn a_jump_back_is_told_once_and_ends_after_a_second() {
        let told = follow((100..150).chain(20..100));
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!(
            (told[0].0, told[0].1.jumped_back, told[0].1.report),
            (50, true, Some(true))
        );
        assert_eq!((told[1].0, told[1].1.report), (80, Some(false)));
        assert!(told.iter().all(|(_, verdict)| !verdict.is_shuffled));
    }

    #[test]
    fn a_missing_minute_is_told() {
        let told = follow((0..50).chain(1_850..1_950));
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(!told[0].1.jumped_back && told[0].1.report == Some(true));
    }

    #[test]
    fn shuffled_frames_are_known_as_such_until_they_come_in_order() {
        let shuffled = (0..60).map(|n| (n * 37) % 61);
        let told = follow(shuffled.chain(100..200));
        let is_shuffled = |n: usize| told.iter().any(|(at, verdict)| *at == n && verdict.is_shuffled);
        assert!((5..60).all(is_shuffled), "{told:?}");
        assert!(!(75..160).any(is_shuffled), "{told:?}");
        let reports = told
            .iter()
            .filter(|(_, verdict)| verdict.report.is_some())
            .count();
        assert_eq!(reports, 2, "{told:?}");
    }
}
