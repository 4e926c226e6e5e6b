//! Small dense matrices, just what least squares need.

pub(super) type Square<const N: usize> = [[f64; N]; N];

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(super) fn times<const N: usize>(matrix: &Square<N>, vector: &[f64; N]) -> [f64; N] {
    matrix.map(|row| dot(&row, vector))
}

/// Products of columns with each other: the normal equations of their least squares.
pub(super) fn products<const N: usize>(columns: &[Vec<f64>; N]) -> Square<N> {
    std::array::from_fn(|i| std::array::from_fn(|j| dot(&columns[i], &columns[j])))
}

/// With the diagonal raised by this share (Marquardt 1963), and by a trace, so that there is an inverse where nothing is
/// told.
pub(super) fn damped<const N: usize>(matrix: &Square<N>, damping: f64) -> Square<N> {
    const TRACE: f64 = 1e-9;
    let mut matrix = *matrix;
    for (i, row) in matrix.iter_mut().enumerate() {
        row[i] += damping * row[i] + TRACE;
    }
    matrix
}

/// Inverse of a symmetric positive definite matrix, by Gauss-Jordan elimination, which needs no search for pivots there;
/// `None` where it is not.
pub(super) fn inverse<const N: usize>(matrix: &Square<N>) -> Option<Square<N>> {
    const LEAST_SHARE: f64 = 1e-12;
    let mut left = *matrix;
    let mut right: Square<N> = std::array::from_fn(|i| std::array::from_fn(|j| f64::from(i == j)));
    for pivot in 0..N {
        let divisor = left[pivot][pivot];
        if divisor.is_nan() || divisor <= LEAST_SHARE * matrix[pivot][pivot] {
            return None;
        }
        let left_row = left[pivot].map(|value| value / divisor);
        let right_row = right[pivot].map(|value| value / divisor);
        for (row, (left, right)) in left.iter_mut().zip(&mut right).enumerate() {
            let factor = left[pivot];
            if row == pivot {
                (*left, *right) = (left_row, right_row);
                continue;
            }
            for column in 0..N {
                left[column] -= factor * left_row[column];
                right[column] -= factor * right_row[column];
            }
        }
    }
    Some(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_times_its_inverse_is_one() {
        let matrix = [[4.0, 1.0, 0.5], [1.0, 3.0, -1.0], [0.5, -1.0, 2.0]];
        let inverse = inverse(&matrix).unwrap();
        for (i, row) in matrix.iter().enumerate() {
            let product = times(&inverse, row);
            for (j, value) in product.iter().enumerate() {
                assert!((value - f64::from(i == j)).abs() < 1e-12, "{product:?}");
            }
        }
        assert_eq!(super::inverse(&[[1.0, 1.0], [1.0, 1.0]]), None);
    }
}
