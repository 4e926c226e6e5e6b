//! From the border of the table along a line to the tip of a stick.

/// Gaps in a stick are glints and balls' gloss: up to this, cells.
const GAP: usize = 6;
/// Least length over which both edges are seen, ball diameters: the part before the hand.
pub(crate) const LEAST_SLIM: f64 = 1.6;
/// The same where the stick is seen to go on beyond the border: a tip, a hand on the rail behind it.
pub(crate) const LEAST_SHORT: f64 = 0.6;
/// Least share of the way from tip to border over which both edges are seen: hands and arms hide the rest.
const LEAST_SLIM_SHARE: f64 = 0.3;
/// Least share of that way that is covered by anything.
const LEAST_COVER: f64 = 0.85;
/// Least length of a stick that does not come from outside, ball diameters: longer than rulers, chalk and hands.
const LEAST_LONE: f64 = 10.0;
/// So much of that has to be seen as a stick.
pub(crate) const LEAST_LONE_SLIM: f64 = LEAST_LONE * LEAST_SLIM_SHARE;
/// So many ball diameters of stick tell all that length can.
const PLAIN_LENGTH: f64 = 6.0;

/// What is at a place on a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Seen {
    /// Cloth.
    Cloth,
    /// Something, without the edges of a stick.
    Covered,
    /// Both edges of a stick.
    Stick,
}

/// A stick from the border to its tip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Reach {
    /// Cells from the border to the tip.
    pub tip: usize,
    /// Cells of stick.
    pub slim: usize,
    diameter: f64,
}

impl Reach {
    /// Whether what is seen over the bed is too little for a stick by itself.
    pub fn is_short(&self) -> bool {
        (self.slim as f64) < LEAST_SLIM * self.diameter
    }

    /// The same stick, so many cells long, of which so many were seen as stick; `None` where that is too little.
    pub fn cut_to(self, tip: usize, slim: usize) -> Option<Self> {
        let cut = Self { tip, slim, ..self };
        cut.is_stick().then_some(cut)
    }

    /// Whether enough of it is seen.
    fn is_stick(&self) -> bool {
        let slim = self.slim as f64;
        slim >= LEAST_SHORT * self.diameter && slim >= LEAST_SLIM_SHARE * (self.tip + 1) as f64
    }

    /// The same stick, of which so many ball diameters more are seen beyond the border.
    pub fn with_beyond(self, diameters: f64) -> Self {
        let cells = (diameters * self.diameter) as usize;
        Self {
            tip: self.tip + cells,
            slim: self.slim + cells,
            ..self
        }
    }

    /// 0 to 1: how much of it was seen, and how long that is against a hand's reach before the bridge.
    pub fn confidence(&self) -> f64 {
        let share = (self.slim as f64 / (self.tip as f64 + 1.0)).min(1.0);
        share.sqrt() * (self.slim as f64 / (PLAIN_LENGTH * self.diameter)).min(1.0)
    }
}

/// Walks over `cells` from the border inwards as long as something covers the cloth; the last stretch of stick is the tip.
/// `diameter` is that of a ball, cells. `None` where no stick begins at the border, and where one goes on to the other
/// border: nobody plays with that.
pub(crate) fn walk(cells: usize, diameter: f64, look: impl Fn(usize) -> Seen) -> Option<Reach> {
    let (mut gap, mut covered, mut slim, mut run) = (0, 0, 0, 0);
    let mut last: Option<(Reach, usize)> = None;
    for cell in 0..cells {
        match look(cell) {
            Seen::Stick => {
                (gap, covered, slim, run) = (0, covered + 1, slim + 1, run + 1);
                // A few cells in a row: single ones are the rims of balls.
                if run >= GAP {
                    let reach = Reach {
                        tip: cell,
                        slim,
                        diameter,
                    };
                    last = Some((reach, covered));
                }
            }
            Seen::Covered => (gap, covered, run) = (0, covered + 1, run.saturating_sub(1)),
            Seen::Cloth => (gap, run) = (gap + 1, 0),
        }
        if gap > GAP {
            break;
        }
        if cell + 1 == cells {
            return None;
        }
    }
    let (reach, covered) = last?;
    let is_covered = covered as f64 >= LEAST_COVER * (reach.tip + 1) as f64;
    (is_covered && reach.is_stick()).then_some(reach)
}

/// The longest stretch of stick, if it is long enough for a stick that lies about: its first and last cell.
pub(crate) fn lone(cells: usize, diameter: f64, look: impl Fn(usize) -> Seen) -> Option<([usize; 2], Reach)> {
    let mut best: Option<([usize; 2], usize)> = None;
    let (mut run, mut gap): (Option<([usize; 2], usize)>, usize) = (None, 0);
    for cell in 0..cells {
        match (look(cell), &mut run) {
            (Seen::Stick, Some((ends, slim))) => (ends[1], *slim, gap) = (cell, *slim + 1, 0),
            (Seen::Stick, None) => (run, gap) = (Some(([cell, cell], 1)), 0),
            (Seen::Covered, _) => gap = 0,
            (Seen::Cloth, _) => gap += 1,
        }
        if run.map(|(_, slim)| slim) > best.map(|(_, slim)| slim) {
            best = run;
        }
        if gap > GAP {
            run = None;
        }
    }
    let (ends, slim) = best?;
    let reach = Reach {
        tip: ends[1] - ends[0],
        slim,
        diameter,
    };
    let way = reach.tip as f64;
    (way >= LEAST_LONE * diameter && slim as f64 >= LEAST_SLIM_SHARE * way).then_some((ends, reach))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Seen::{Cloth, Covered, Stick};

    fn look(parts: &[(Seen, usize)]) -> Option<Reach> {
        let cells: Vec<Seen> = parts
            .iter()
            .flat_map(|(seen, count)| vec![*seen; *count])
            .collect();
        walk(cells.len(), 15.0, |cell| cells[cell])
    }

    #[test]
    fn a_stick_ends_where_cloth_begins() {
        let reach = look(&[(Stick, 60), (Cloth, 100)]).unwrap();
        assert_eq!((reach.tip, reach.slim), (59, 60));
    }

    #[test]
    fn a_hand_and_an_arm_may_lie_over_it() {
        let reach = look(&[(Covered, 80), (Stick, 60), (Cloth, 100)]).unwrap();
        assert_eq!((reach.tip, reach.slim), (139, 60));
    }

    #[test]
    fn what_begins_inside_or_goes_right_across_is_no_stick() {
        assert_eq!(look(&[(Cloth, 20), (Stick, 60), (Cloth, 100)]), None);
        assert_eq!(look(&[(Stick, 200)]), None);
    }

    #[test]
    fn the_longest_stretch_counts_where_none_begins_at_the_border() {
        let mut cells = vec![Cloth; 300];
        cells[20..30].fill(Stick);
        cells[60..250].fill(Stick);
        cells[100..110].fill(Covered);
        let seen = |count| lone(count, 15.0, |cell: usize| cells[cell]);
        let ([first, last], reach) = seen(300).unwrap();
        assert_eq!(([first, last], reach.slim), ([60, 249], 180));
        assert_eq!(seen(200), None);
    }

    #[test]
    fn a_ball_beyond_the_tip_is_not_the_stick() {
        let reach = look(&[(Stick, 60), (Cloth, 3), (Covered, 15), (Cloth, 80)]).unwrap();
        assert_eq!(reach.tip, 59);
    }
}
