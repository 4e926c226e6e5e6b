//! The colours balls are drawn in.

use ghostball_world::BallKind;

/// `#rrggbb` of a ball as billiard suppliers colour it (Aramith's pool and snooker sets); grey while it is unknown.
pub(crate) const fn color_of(kind: BallKind, number: Option<u8>) -> &'static str {
    match (kind, number) {
        (BallKind::Cue, _) => "#ffffff",
        (_, Some(1 | 9)) => "#f2c230",
        (_, Some(2 | 10)) => "#1f4fb5",
        (_, Some(3 | 11)) => "#d22f27",
        (_, Some(4 | 12)) => "#5b2a86",
        (_, Some(5 | 13)) => "#f07820",
        (_, Some(6 | 14)) => "#14754a",
        (_, Some(7 | 15)) => "#7d1f2b",
        (_, Some(8)) | (BallKind::Eight | BallKind::Black, _) => "#16161a",
        (BallKind::Red, _) => "#c41e26",
        (BallKind::Yellow, _) => "#f2c230",
        (BallKind::Green, _) => "#14754a",
        (BallKind::Brown, _) => "#6b4226",
        (BallKind::Blue, _) => "#1f4fb5",
        (BallKind::Pink, _) => "#f08cae",
        (BallKind::Unknown | BallKind::Solid | BallKind::Stripe, _) => "#9aa3ad",
    }
}
