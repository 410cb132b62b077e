//! Non-negative least squares: the costs that best explain a set of timings, none of them below zero.
//!
//! Pure arithmetic. Called by [`crate::calibrate()`] for the operator costs.

/// Sweeps after which the solution is taken as it is; far beyond what 21 unknowns need.
const MAX_SWEEPS: usize = 200_000;

/// Relative change of every unknown below which a sweep counts as converged.
const TOLERANCE: f64 = 1e-10;

/// Minimises `|rows x - targets|` (Euclidean) over `x >= 0`.
///
/// Sequential coordinate-wise descent on the normal equations (Franc, Hlaváč and Navara, "Sequential coordinate-wise
/// algorithm for the non-negative least squares problem", CAIP 2005): each unknown in turn is set to its minimiser, or
/// to zero where that is negative; the objective is convex and falls with every step. `ridge` (>= 0), relative to each
/// column's own square sum, is added to the diagonal; it picks the smallest of equally good solutions where columns
/// are nearly dependent. Unknowns whose column is zero stay zero.
#[must_use]
pub fn solve(rows: &[Vec<f64>], targets: &[f64], ridge: f64) -> Vec<f64> {
    let unknowns = rows.first().map_or(0, Vec::len);
    let (gram, moment) = normal_equations(rows, targets, unknowns, ridge);
    let mut solution = vec![0.0; unknowns];
    // The gradient of half the squared residual: gram · x − moment.
    let mut gradient: Vec<f64> = moment.iter().map(|value| -value).collect();
    for _ in 0..MAX_SWEEPS {
        let scale = solution.iter().copied().fold(0.0, f64::max);
        let mut largest = 0.0_f64;
        for at in 0..unknowns {
            if gram[at][at] <= 0.0 {
                continue;
            }
            let next = (solution[at] - gradient[at] / gram[at][at]).max(0.0);
            let change = next - solution[at];
            if change != 0.0 {
                solution[at] = next;
                gradient.iter_mut().zip(&gram[at]).for_each(|(slope, entry)| *slope += change * entry);
                largest = largest.max(change.abs());
            }
        }
        if largest <= TOLERANCE * scale {
            break;
        }
    }
    solution
}

fn normal_equations(rows: &[Vec<f64>], targets: &[f64], unknowns: usize, ridge: f64) -> (Vec<Vec<f64>>, Vec<f64>) {
    let mut gram = vec![vec![0.0; unknowns]; unknowns];
    let mut moment = vec![0.0; unknowns];
    for (row, target) in rows.iter().zip(targets) {
        for (i, left) in row.iter().enumerate() {
            moment[i] += left * target;
            for (j, right) in row.iter().enumerate() {
                gram[i][j] += left * right;
            }
        }
    }
    for (at, line) in gram.iter_mut().enumerate() {
        line[at] *= 1.0 + ridge;
    }
    (gram, moment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(rows: &[&[f64]], targets: &[f64], expected: &[f64]) {
        let rows: Vec<Vec<f64>> = rows.iter().map(|row| row.to_vec()).collect();
        let found = solve(&rows, targets, 0.0);
        for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!((found - expected).abs() < 1e-6, "unknown {at}: {found} instead of {expected}");
        }
    }

    #[test]
    fn known_systems() {
        check(&[&[1.0, 0.0], &[0.0, 2.0]], &[3.0, 4.0], &[3.0, 2.0]);
        check(&[&[1.0, 1.0], &[1.0, 2.0], &[1.0, 3.0]], &[3.0, 5.0, 7.0], &[1.0, 2.0]);
        // Unconstrained, the first unknown would be -1: (0, 5/3·…) is the least-squares fit of the second alone.
        check(&[&[1.0, 1.0], &[1.0, 2.0], &[1.0, 3.0]], &[0.0, 1.0, 2.0], &[0.0, 8.0 / 14.0]);
        check(&[&[1.0, 0.0], &[2.0, 0.0]], &[2.0, 4.0], &[2.0, 0.0]);
        check(&[&[1.0]], &[-1.0], &[0.0]);
    }

    proptest! {
        #[test]
        fn recovers_what_made_the_targets(truth in prop::collection::vec(0.0..10.0_f64, 4),
                                          rows in prop::collection::vec(prop::collection::vec(0.0..5.0_f64, 4), 12)) {
            let targets: Vec<f64> = rows.iter().map(|row| row.iter().zip(&truth).map(|(a, x)| a * x).sum()).collect();
            let found = solve(&rows, &targets, 0.0);
            for (row, target) in rows.iter().zip(&targets) {
                let fitted: f64 = row.iter().zip(&found).map(|(a, x)| a * x).sum();
                prop_assert!((fitted - target).abs() <= 1e-3 * (1.0 + target.abs()), "{fitted} instead of {target}");
            }
            prop_assert!(found.iter().all(|value| *value >= 0.0));
        }
    }
}
