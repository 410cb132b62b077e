//! Least squares of relative errors, with what each run would have been missed by had it been left out.

/// Columns of a matrix, or rows.
type Columns = Vec<Vec<f64>>;

/// A fit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fitted {
    /// Coefficients by column.
    pub coefficients: Vec<f64>,
    /// Mean square of the relative errors of runs left out.
    pub left_out_square: f64,
}

impl Fitted {
    /// The value of a row.
    pub fn value(&self, row: &[f64]) -> f64 {
        row.iter().zip(&self.coefficients).map(|(value, coefficient)| value * coefficient).sum()
    }
}

/// Below this share of its length a column is taken to depend on those before it.
const DEPENDENT: f64 = 1e-9;

/// Fits `counts` by the rows' columns, each run's relative error weighed by its weight. `None` where columns depend on each other, or nothing is left to judge by.
///
/// The error of a run left out is its residual over one less its leverage (Allen's PRESS, Technometrics 1974). Parameters
/// that were `searched` for beside the coefficients have seen every run, which their degrees of freedom pay for.
pub(super) fn fit(rows: &[Vec<f64>], counts: &[f64], weights: &[f64], searched: usize) -> Option<Fitted> {
    let (runs, width) = (rows.len(), rows.first()?.len());
    if width + searched + 1 > runs {
        return None;
    }
    let scales: Vec<f64> = (0..width).map(|at| rows.iter().map(|row| row[at].abs()).fold(0.0, f64::max)).collect();
    if scales.iter().any(|scale| !scale.is_finite() || *scale <= 0.0) {
        return None;
    }
    let relative: Vec<f64> = weights.iter().zip(counts).map(|(weight, count)| weight / count).collect();
    let column = |at: usize| rows.iter().zip(&relative).map(|(row, each)| row[at] / scales[at] * each).collect();
    let (basis, triangle) = orthogonal((0..width).map(column).collect())?;
    // Every relative target is one.
    let target = |direction: &Vec<f64>| direction.iter().zip(weights).map(|(value, weight)| value * weight).sum();
    let along: Vec<f64> = basis.iter().map(target).collect();
    let mut square = 0.0;
    for run in 0..runs {
        let fitted: f64 = basis.iter().zip(&along).map(|(direction, length)| direction[run] * length).sum();
        let leverage: f64 = basis.iter().map(|direction| direction[run] * direction[run]).sum();
        if 1.0 - leverage < 1e-10 {
            return None;
        }
        square += ((weights[run] - fitted) / (1.0 - leverage)).powi(2);
    }
    let paid = (runs as f64 / (runs - 2 * searched) as f64).powi(2);
    let coefficients = back(&triangle, &along).iter().zip(&scales).map(|(value, scale)| value / scale).collect();
    Some(Fitted { coefficients, left_out_square: square / runs as f64 * paid })
}

/// Orthonormal directions of the columns and the triangle that makes the columns of them (modified Gram and Schmidt, twice:
/// Giraud et al. 2005).
fn orthogonal(columns: Vec<Vec<f64>>) -> Option<(Columns, Columns)> {
    let width = columns.len();
    let mut basis: Vec<Vec<f64>> = Vec::new();
    let mut triangle = vec![vec![0.0; width]; width];
    for (at, mut column) in columns.into_iter().enumerate() {
        let length = norm(&column);
        for _ in 0..2 {
            for (before, direction) in basis.iter().enumerate() {
                let along: f64 = direction.iter().zip(&column).map(|(a, b)| a * b).sum();
                triangle[before][at] += along;
                column.iter_mut().zip(direction).for_each(|(cell, value)| *cell -= along * value);
            }
        }
        let rest = norm(&column);
        if !rest.is_finite() || rest <= DEPENDENT * length {
            return None;
        }
        triangle[at][at] = rest;
        basis.push(column.into_iter().map(|cell| cell / rest).collect());
    }
    Some((basis, triangle))
}

fn norm(column: &[f64]) -> f64 {
    column.iter().map(|cell| cell * cell).sum::<f64>().sqrt()
}

/// The solution of `triangle x = right` by back substitution.
fn back(triangle: &[Vec<f64>], right: &[f64]) -> Vec<f64> {
    let width = right.len();
    let mut solution = vec![0.0; width];
    for row in (0..width).rev() {
        let done: f64 = (row + 1..width).map(|at| triangle[row][at] * solution[at]).sum();
        solution[row] = (right[row] - done) / triangle[row][row];
    }
    solution
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_fitted_and_nothing_is_missed() {
        let rows: Vec<Vec<f64>> = [1.0, 2.0, 5.0, 9.0].iter().map(|n| vec![1.0, *n]).collect();
        let fitted = fit(&rows, &[5.0, 7.0, 13.0, 21.0], &[1.0; 4], 0).unwrap();
        assert!((fitted.coefficients[0] - 3.0).abs() < 1e-9 && (fitted.coefficients[1] - 2.0).abs() < 1e-9);
        assert!(fitted.left_out_square < 1e-18);
        assert!((fitted.value(&[1.0, 100.0]) - 203.0).abs() < 1e-6);
    }

    #[test]
    fn what_is_left_out_is_what_a_fit_without_it_misses() {
        let rows: Vec<Vec<f64>> = [1.0, 2.0, 4.0].iter().map(|n| vec![1.0, *n]).collect();
        let counts = [2.0, 3.0, 9.0];
        // Without the last run the line is n + 1, which says 5 where 9 were counted; and so on.
        let missed = |without: usize| {
            let (rest, kept): (Vec<_>, Vec<_>) =
                (0..3).filter(|at| *at != without).map(|at| (rows[at].clone(), counts[at])).unzip();
            let slope = (kept[1] - kept[0]) / (rest[1][1] - rest[0][1]);
            let value = kept[0] + slope * (rows[without][1] - rest[0][1]);
            (value / counts[without] - 1.0).powi(2)
        };
        let wanted = (missed(0) + missed(1) + missed(2)) / 3.0;
        assert!((fit(&rows, &counts, &vec![1.0; counts.len()], 0).unwrap().left_out_square - wanted).abs() < 1e-9);
    }

    #[test]
    fn columns_that_say_the_same_are_refused() {
        let rows: Vec<Vec<f64>> = [1.0, 2.0, 4.0, 5.0].iter().map(|n| vec![1.0, *n, 2.0 * n]).collect();
        assert!(fit(&rows, &[2.0, 3.0, 9.0, 11.0], &[1.0; 4], 0).is_none());
        assert!(fit(&rows[..2], &[2.0, 3.0], &[1.0; 2], 0).is_none());
    }
}
