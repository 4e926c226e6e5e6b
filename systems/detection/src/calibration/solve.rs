//! Nonlinear least squares for a handful of unknowns.

/// The most likely unknowns.
pub(super) struct Solved<const N: usize> {
    pub unknowns: [f64; N],
    /// Steps whose outer products sum to their covariance, where residuals are in standard deviations: what is left
    /// unknown.
    pub directions: [[f64; N]; N],
}

const ROUNDS: usize = 25;
/// Step of the differences that stand for derivatives; unknowns are of the order of 1, or pixels.
const STEP: f64 = 1e-6;
/// A round that gains less than this share of the sum is the last.
const LEAST_GAIN: f64 = 1e-9;

/// Levenberg-Marquardt (Marquardt 1963; Press et al., Numerical Recipes, 3rd ed., §15.5) from zero. `residuals` appends
/// what has to be small, always as many numbers, each in its standard deviation. `None` where the unknowns are not told.
pub(super) fn least_squares<const N: usize>(
    residuals: impl Fn(&[f64; N], &mut Vec<f64>),
) -> Option<Solved<N>> {
    let mut unknowns = [0.0; N];
    let (mut here, mut there) = (Vec::new(), Vec::new());
    residuals(&unknowns, &mut here);
    let mut sum = sum_of_squares(&here);
    let mut damping = 1e-3;
    let mut columns: [Vec<f64>; N] = std::array::from_fn(|_| Vec::with_capacity(here.len()));
    let mut normal = [[0.0; N]; N];
    let mut stayed = false;
    for _ in 0..ROUNDS {
        if !stayed {
            for (i, column) in columns.iter_mut().enumerate() {
                let mut moved = unknowns;
                moved[i] += STEP;
                column.clear();
                residuals(&moved, column);
                for (d, r) in column.iter_mut().zip(&here) {
                    *d = (*d - r) / STEP;
                }
            }
            for i in 0..N {
                for j in 0..=i {
                    normal[i][j] = dot(&columns[i], &columns[j]);
                    normal[j][i] = normal[i][j];
                }
            }
        }
        let mut damped = normal;
        for (i, row) in damped.iter_mut().enumerate() {
            row[i] *= 1.0 + damping;
        }
        let gradient: [f64; N] = std::array::from_fn(|i| -dot(&columns[i], &here));
        let factor = cholesky(damped)?;
        let step = solve(&factor, gradient);
        let next: [f64; N] = std::array::from_fn(|i| unknowns[i] + step[i]);
        there.clear();
        residuals(&next, &mut there);
        let next_sum = sum_of_squares(&there);
        stayed = next_sum.is_nan() || next_sum >= sum;
        if stayed {
            damping *= 10.0;
            if damping > 1e6 {
                break;
            }
            continue;
        }
        let gain = sum - next_sum;
        unknowns = next;
        std::mem::swap(&mut here, &mut there);
        sum = next_sum;
        damping = (0.1 * damping).max(1e-9);
        if gain <= LEAST_GAIN * (1.0 + sum) {
            break;
        }
    }
    let factor = cholesky(normal)?;
    // The covariance is (L Lᵀ)⁻¹: the columns of L⁻ᵀ are such steps.
    let directions = std::array::from_fn(|i| {
        let unit = std::array::from_fn(|j| if i == j { 1.0 } else { 0.0 });
        solve_transposed(&factor, unit)
    });
    sum.is_finite().then_some(Solved { unknowns, directions })
}

fn sum_of_squares(values: &[f64]) -> f64 {
    dot(values, values)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The lower triangle L of a positive definite matrix L Lᵀ.
fn cholesky<const N: usize>(mut m: [[f64; N]; N]) -> Option<[[f64; N]; N]> {
    for i in 0..N {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| m[i][k] * m[j][k]).sum();
            let rest = m[i][j] - known;
            if i == j {
                if rest.is_nan() || rest <= 1e-14 * m[i][i].abs() {
                    return None;
                }
                m[i][i] = rest.sqrt();
            } else {
                m[i][j] = rest / m[j][j];
            }
        }
    }
    Some(m)
}

/// x of L Lᵀ x = b.
fn solve<const N: usize>(l: &[[f64; N]; N], mut b: [f64; N]) -> [f64; N] {
    for i in 0..N {
        let known: f64 = (0..i).map(|k| l[i][k] * b[k]).sum();
        b[i] = (b[i] - known) / l[i][i];
    }
    solve_transposed(l, b)
}

/// x of Lᵀ x = b.
fn solve_transposed<const N: usize>(l: &[[f64; N]; N], mut b: [f64; N]) -> [f64; N] {
    for i in (0..N).rev() {
        let known: f64 = (i + 1..N).map(|k| l[k][i] * b[k]).sum();
        b[i] = (b[i] - known) / l[i][i];
    }
    b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decay_is_fitted_to_its_samples() {
        let data: Vec<(f64, f64)> = (0..20)
            .map(|i| 0.2 * f64::from(i))
            .map(|t| (t, 3.0 * libm::exp(-0.7 * t)))
            .collect();
        let solved = least_squares(|[a, b]: &[f64; 2], out| {
            // From 1 and 0.
            out.extend(
                data.iter()
                    .map(|(t, y)| ((1.0 + a) * libm::exp(-b * t) - y) / 0.1),
            );
        })
        .unwrap();
        assert!((solved.unknowns[0] - 2.0).abs() < 1e-6 && (solved.unknowns[1] - 0.7).abs() < 1e-6);
        // Twenty samples good to 0.1, of which about six are large.
        let spread = solved.directions.iter().map(|d| d[0] * d[0]).sum::<f64>().sqrt();
        assert!((0.02..0.1).contains(&spread), "{spread}");
    }

    #[test]
    fn what_nothing_tells_is_refused() {
        assert!(least_squares(|[a, _]: &[f64; 2], out| out.push(*a - 1.0)).is_none());
    }
}
