//! Medians of a few values. They sort, too.

/// Mean of the two values in the middle, or the one; 0 of none.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        n => 0.5 * (values[(n - 1) / 2] + values[n / 2]),
    }
}

/// The value in the middle, the greater one of two: always one that was there.
pub(crate) fn upper_median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_even_count_one_median_lies_between_the_middle_values_and_one_is_the_greater() {
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 9.0]), 3.0);
        assert_eq!(upper_median(&mut [4.0, 1.0, 2.0, 9.0]), Some(4.0));
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(upper_median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!((median(&mut []), upper_median(&mut [])), (0.0, None));
    }
}
