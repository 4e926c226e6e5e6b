//! The straight line through the middles of a stick.

use crate::median::upper_median;
use crate::table::line::{Line, least_squares};

/// Middles farther off than so many times what is typical are left out, but for those within half a pixel.
const ASTRAY: f64 = 3.0;
const ALWAYS_PX: f64 = 0.5;
const ROUNDS: usize = 3;

/// The line through most of these middles (along, off), and how far off they typically are, in the median. Where a hand or a
/// ball touches the stick, its middle is told wrongly: what is far off is left out, more strictly each time. `values` is a
/// buffer.
pub(crate) fn axis_through(middles: &[(f64, f64)], values: &mut Vec<f64>) -> Option<(Line, f64)> {
    values.clear();
    values.extend(middles.iter().map(|(_, off)| *off));
    let mut axis = Line {
        offset: upper_median(values)?,
        slope: 0.0,
    };
    let mut typical = typical_distance(middles, &axis, values)?;
    for _ in 0..ROUNDS {
        let reach = (ASTRAY * typical).max(ALWAYS_PX);
        let near = middles
            .iter()
            .filter(|(at, off)| (off - axis.at(*at)).abs() <= reach);
        axis = least_squares(near.map(|(at, off)| (*at, *off, 1.0))).unwrap_or(axis);
        typical = typical_distance(middles, &axis, values)?;
    }
    Some((axis, typical))
}

fn typical_distance(middles: &[(f64, f64)], axis: &Line, values: &mut Vec<f64>) -> Option<f64> {
    values.clear();
    values.extend(middles.iter().map(|(at, off)| (off - axis.at(*at)).abs()));
    upper_median(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn middles_that_a_hand_moved_do_not_turn_the_axis() {
        let middles: Vec<(f64, f64)> = (0..40)
            .map(f64::from)
            .map(|at| (at, 3.0 + 0.02 * at + if at > 30.0 { 4.0 } else { 0.0 }))
            .collect();
        let (axis, typical) = axis_through(&middles, &mut Vec::new()).unwrap();
        assert!(
            (axis.slope - 0.02).abs() < 1e-9 && typical < 1e-9,
            "{axis:?} {typical}"
        );
        assert_eq!(axis_through(&[], &mut Vec::new()), None);
    }
}
