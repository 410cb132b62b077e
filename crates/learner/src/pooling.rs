//! Partial pooling over inputs: what a few other inputs of a code say about one that differs from them in size.
//!
//! `ln value = a + Σ β_f ln(x_f / target_f) + noise`, so that `a` is what is wanted: Bayesian linear regression with a conjugate
//! prior (Gelman et al., "Bayesian Data Analysis", 3rd ed., sections 14.8 and 15.1). Before this code's inputs tell, the
//! exponents `β` are what they are over programs ([`forewarm_resources::Workload`]); each further input pulls them to its own, and what is not known of them widens
//! the interval by as much as the input is larger or smaller than those seen. No feature that differs leaves the spread between
//! inputs alone. Called by [`crate::residual`].

use forewarm_resources::{Figure, defaults};
use forewarm_types::Features;

use crate::estimator::Predictive;

/// What one input gave.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Group {
    /// Its features.
    pub vector: Vec<f64>,
    /// Logarithm of its value.
    pub log_value: f64,
}

/// Spread between inputs of a code before any were seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    /// Deviation of the logarithm.
    pub deviation: f64,
    /// Inputs that it is worth.
    pub worth: f64,
}

/// The value for an input with these features; `None` without any other input.
pub(crate) fn pool(groups: &[Group], target: &[f64], spread: Spread) -> Option<Predictive> {
    let compared = compared(groups, target);
    let rows: Vec<Vec<f64>> = groups.iter().map(|group| row(group, target, &compared)).collect();
    let values: Vec<f64> = groups.iter().map(|group| group.log_value).collect();
    // What is known of exponents does not widen where inputs spread more than is usual: so their prior is weighed against the
    // noise that a first regression finds (empirical Bayes: Efron and Morris 1973).
    let first = regress(&rows, &values, &compared, spread, spread.deviation)?;
    regress(&rows, &values, &compared, spread, first.deviation)
}

/// The regression whose exponents' prior is weighed against so much noise.
fn regress(
    rows: &[Vec<f64>],
    values: &[f64],
    compared: &[(usize, Figure)],
    spread: Spread,
    noise: f64,
) -> Option<Predictive> {
    // Means and precisions, these in units of the noise's; of the value itself nothing is known beforehand.
    let prior = |(_, exponent): &(usize, Figure)| (exponent.value, (noise / exponent.deviation).powi(2));
    let priors: Vec<(f64, f64)> = std::iter::once((0.0, 0.0)).chain(compared.iter().map(prior)).collect();
    let mut matrix = vec![vec![0.0; priors.len()]; priors.len()];
    let mut wanted = vec![0.0; priors.len()];
    for (at, (mean, precision)) in priors.iter().enumerate() {
        matrix[at][at] = *precision;
        wanted[at] = precision * mean;
    }
    for (row, value) in rows.iter().zip(values) {
        for (i, x) in row.iter().enumerate() {
            wanted[i] += x * value;
            row.iter().zip(&mut matrix[i]).for_each(|(y, sum)| *sum += x * y);
        }
    }
    let lower = cholesky(&matrix)?;
    let coefficients = solve(&lower, &wanted);
    let mut of_value = vec![0.0; priors.len()];
    of_value[0] = 1.0;
    let uncertainty = solve(&lower, &of_value)[0];
    let missed = rows.iter().zip(values).map(|(row, value)| (value - dot(row, &coefficients)).powi(2));
    let strayed = priors.iter().zip(&coefficients).map(|((mean, precision), found)| precision * (found - mean).powi(2));
    let freedom = spread.worth + (values.len() as f64 - 1.0);
    let squares = spread.worth * spread.deviation.powi(2) + missed.sum::<f64>() + strayed.sum::<f64>();
    let deviation = (squares / freedom).sqrt();
    let scale = deviation * (1.0 + uncertainty).sqrt();
    Some(Predictive { median: coefficients[0], deviation, scale, freedom })
}

/// Features that all inputs have and that are positive everywhere, by their place from the end of the vectors, so that sizes meet
/// sizes; numbers are compared only where all inputs have as many.
fn compared(groups: &[Group], target: &[f64]) -> Vec<(usize, Figure)> {
    let alike = groups.iter().all(|group| group.vector.len() == target.len());
    let exponent = |back: usize| match back {
        ..=Features::SIZES => defaults::growth_with_bytes(),
        _ => defaults::growth_with_numbers(),
    };
    let usable = |back: &usize| {
        let positive = |vector: &[f64]| from_end(vector, *back).is_some_and(|value| value > 0.0);
        (alike || *back <= Features::SIZES)
            && positive(target)
            && groups.iter().all(|group| positive(&group.vector))
            && groups.iter().any(|group| from_end(&group.vector, *back) != from_end(target, *back))
    };
    (1..=target.len()).filter(usable).map(|back| (back, exponent(back))).collect()
}

fn from_end(vector: &[f64], back: usize) -> Option<f64> {
    vector.get(vector.len().checked_sub(back)?).copied()
}

/// One, and by how much an input is larger than the target in each feature, on the log scale.
fn row(group: &Group, target: &[f64], compared: &[(usize, Figure)]) -> Vec<f64> {
    let larger = |(back, _): &(usize, Figure)| {
        let of = |vector: &[f64]| from_end(vector, *back).map_or(0.0, f64::ln);
        of(&group.vector) - of(target)
    };
    std::iter::once(1.0).chain(compared.iter().map(larger)).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The lower triangle whose product with its transpose is the matrix; `None` where that is not positive definite.
fn cholesky(matrix: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
    let mut lower: Vec<Vec<f64>> = Vec::with_capacity(matrix.len());
    for row in matrix {
        let mut next: Vec<f64> = Vec::with_capacity(matrix.len());
        for (above, entry) in lower.iter().zip(row) {
            let at = next.len();
            next.push((entry - dot(&above[..at], &next)) / above[at]);
        }
        let left = row[next.len()] - dot(&next, &next);
        if !(left.is_finite() && left > 0.0) {
            return None;
        }
        next.push(left.sqrt());
        lower.push(next);
    }
    Some(lower)
}

/// Solves for a product of a lower triangle and its transpose.
fn solve(lower: &[Vec<f64>], wanted: &[f64]) -> Vec<f64> {
    let mut found: Vec<f64> = Vec::with_capacity(wanted.len());
    for (row, value) in lower.iter().zip(wanted) {
        let at = found.len();
        found.push((value - dot(&row[..at], &found)) / row[at]);
    }
    for at in (0..found.len()).rev() {
        let later: f64 = (at + 1..found.len()).map(|below| lower[below][at] * found[below]).sum();
        found[at] = (found[at] - later) / lower[at][at];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPREAD: Spread = Spread { deviation: 0.7, worth: 2.0 };

    fn group(vector: &[f64], value: f64) -> Group {
        Group { vector: vector.to_vec(), log_value: value.ln() }
    }

    /// Median and width (high over low) of what is foretold.
    fn check(seen: &[(&[f64], f64)], target: &[f64]) -> (f64, f64) {
        let groups: Vec<Group> = seen.iter().map(|(vector, value)| group(vector, *value)).collect();
        let predictive = pool(&groups, target, SPREAD).unwrap();
        (predictive.median.exp(), predictive.estimate().width_ratio())
    }

    #[test]
    fn inputs_alike_in_size_are_their_mean_and_spread() {
        let (median, width) = check(&[(&[5.0, 3.0], 1.0), (&[5.0, 3.0], 4.0)], &[5.0, 3.0]);
        let plain = Predictive::new(
            crate::statistics::summarise(&[(0.0, 1.0), (4.0_f64.ln(), 1.0)]).unwrap(),
            SPREAD.deviation,
            SPREAD.worth,
        );
        assert!((median - 2.0).abs() < 1e-9 && (width / plain.estimate().width_ratio() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn bytes_carry_a_value_no_further_than_in_proportion() {
        let (same, _) = check(&[(&[2.0, 1.0], 0.01)], &[2.0, 1.0]);
        let (longer, _) = check(&[(&[2.0, 1.0], 0.01)], &[80.0, 1.0]);
        assert!(longer > same && longer < 40.0 * same, "{same} {longer}");
    }

    #[test]
    fn a_codes_own_inputs_outweigh_what_programs_do() {
        // Bytes that change nothing, seen over a factor of a thousand.
        let flat: [(&[f64], f64); 3] = [(&[8.0, 0.0], 0.5), (&[90.0, 0.0], 0.5), (&[8000.0, 0.0], 0.5)];
        let (few, many) = (check(&flat[..1], &[64_000.0, 0.0]), check(&flat, &[64_000.0, 0.0]));
        assert!(many.0 < 1.0 && few.0 > 10.0, "{few:?} {many:?}");
        assert!(many.1 < few.1 / 5.0, "{few:?} {many:?}");
        // A number that is the side of a square.
        let square: [(&[f64], f64); 2] = [(&[100.0, 0.0, 0.0], 0.1), (&[1000.0, 0.0, 0.0], 10.0)];
        let (median, _) = check(&square, &[10_000.0, 0.0, 0.0]);
        assert!((300.0..1000.0).contains(&median), "{median}");
    }

    #[test]
    fn bytes_stay_in_proportion_where_inputs_differ_by_what_they_say() {
        // Asked for its version, then for a line: thirty times as long, by no law of the length.
        let seen: [(&[f64], f64); 2] = [(&[2.0, 0.0], 0.002), (&[10.0, 0.0], 0.06)];
        let (median, width) = check(&seen, &[95.0, 0.0]);
        assert!((0.011..0.1).contains(&median) && width < 3000.0, "{median} {width}");
    }

    #[test]
    fn what_cannot_be_compared_is_not() {
        // Another count of numbers: the sizes at the end still meet each other.
        let (median, _) = check(&[(&[7.0, 10.0, 3.0], 1.0)], &[10.0, 3.0]);
        assert!((median - 1.0).abs() < 1e-9, "{median}");
        assert_eq!(pool(&[], &[1.0], SPREAD), None);
    }

    #[test]
    fn a_triangle_solves_its_equations() {
        let matrix = vec![vec![4.0, 2.0, 0.6], vec![2.0, 5.0, 1.0], vec![0.6, 1.0, 3.0]];
        let found = solve(&cholesky(&matrix).unwrap(), &[1.0, -2.0, 0.5]);
        for (row, value) in matrix.iter().zip([1.0, -2.0, 0.5]) {
            assert!((dot(row, &found) - value).abs() < 1e-12);
        }
        assert_eq!(cholesky(&[vec![1.0, 2.0], vec![2.0, 1.0]]), None);
    }
}
