//! The little linear algebra that a few dozen configurations take. Called by `mixture`.

/// A square matrix by rows.
pub(super) type Matrix = Vec<Vec<f64>>;

/// The lower triangle `L` with `L Lᵀ` the matrix, which must be symmetric; a pivot that rounding made negative is taken for
/// the least positive one.
pub(super) fn cholesky(matrix: &Matrix) -> Matrix {
    let size = matrix.len();
    let mut lower = vec![vec![0.0; size]; size];
    for row in 0..size {
        for column in 0..=row {
            let done: f64 = (0..column).map(|at| lower[row][at] * lower[column][at]).sum();
            let rest = matrix[row][column] - done;
            lower[row][column] = if row == column { rest.max(1e-12).sqrt() } else { rest / lower[column][column] };
        }
    }
    lower
}

/// The solution of `L x = values` by forward substitution.
pub(super) fn forward(lower: &Matrix, values: &[f64]) -> Vec<f64> {
    let mut solution: Vec<f64> = Vec::with_capacity(values.len());
    for (row, value) in lower.iter().zip(values) {
        let done: f64 = row.iter().zip(&solution).map(|(a, b)| a * b).sum();
        solution.push((value - done) / row[solution.len()]);
    }
    solution
}

/// `ln Σ exp(x)`.
pub(super) fn log_sum(logs: impl Iterator<Item = f64> + Clone) -> f64 {
    let most = logs.clone().fold(f64::NEG_INFINITY, f64::max);
    if most.is_finite() { most + logs.map(|log| (log - most).exp()).sum::<f64>().ln() } else { most }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_triangle_multiplied_by_itself_is_the_matrix() {
        let matrix = vec![vec![4.0, 2.0, 0.6], vec![2.0, 5.0, 1.0], vec![0.6, 1.0, 3.0]];
        let lower = cholesky(&matrix);
        for row in 0..3 {
            for column in 0..3 {
                let cell: f64 = (0..3).map(|at| lower[row][at] * lower[column][at]).sum();
                assert!((cell - matrix[row][column]).abs() < 1e-12);
            }
        }
        let solution = forward(&lower, &[2.0, 3.0, 4.0]);
        let back: f64 = lower[2].iter().zip(&solution).map(|(a, b)| a * b).sum();
        assert!((back - 4.0).abs() < 1e-12);
    }

    #[test]
    fn sums_of_tiny_numbers_keep_their_logarithm() {
        assert!((log_sum([-1000.0, -1000.0].into_iter()) + 1000.0 - 2_f64.ln()).abs() < 1e-12);
    }
}
