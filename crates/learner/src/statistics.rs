//! The few distribution functions and robust averages that the estimators share.

use forewarm_types::estimate::Z95;

/// 95th percentile of Student's t distribution with `df` (real, >= 1) degrees of freedom.
///
/// Cornish-Fisher expansion about the normal quantile (Abramowitz & Stegun 1964, 26.7.5), which is within 0.5 % from 3
/// degrees on; below, interpolated in `1/df` between the exact values 6.314, 2.920 and 2.353.
#[must_use]
pub(crate) fn student_t95(df: f64) -> f64 {
    const EXACT: [f64; 3] = [6.313_752, 2.919_986, 2.353_363];
    let df = df.max(1.0);
    if df < 2.0 {
        return between(1.0 / df, 1.0, EXACT[0], 0.5, EXACT[1]);
    }
    if df < 3.0 {
        return between(1.0 / df, 0.5, EXACT[1], 1.0 / 3.0, EXACT[2]);
    }
    let z = Z95;
    let (z3, z5, z7) = (z.powi(3), z.powi(5), z.powi(7));
    let terms = [
        (z3 + z) / 4.0,
        (5.0 * z5 + 16.0 * z3 + 3.0 * z) / 96.0,
        (3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * z) / 384.0,
    ];
    terms.iter().zip(1..).fold(z, |sum, (term, power)| sum + term / df.powi(power))
}

fn between(x: f64, x0: f64, y0: f64, x1: f64, y1: f64) -> f64 {
    y0 + (y1 - y0) * (x - x0) / (x1 - x0)
}

/// The middle value; the mean of the middle two; `None` of nothing.
#[must_use]
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    Some(f64::midpoint(*sorted.get(sorted.len() / 2 - 1)?, upper))
}

/// Location, deviation and effective size of a weighted sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Summary {
    /// Robust mean.
    pub mean: f64,
    /// Sum of squared (winsorised) residuals over the weights' sum: the variance before its small-sample correction.
    pub variance: f64,
    /// Kish's effective sample size, `(sum w)^2 / sum w^2` (Kish 1965).
    pub size: f64,
}

/// Below this many values a scale estimated from their median deviation means nothing, and all count in full.
const ROBUST_FROM: usize = 5;
/// Huber's tuning constant: 95 % efficient under normality (Huber 1964).
pub(crate) const HUBER: f64 = 1.345;
/// Residuals are winsorised here for the variance; under normality 0.3 % of them are, which costs next to nothing.
const WINSOR: f64 = 3.0;
/// Ratio of deviation to median absolute deviation under normality.
const MAD_TO_DEVIATION: f64 = 1.4826;

/// Summarises `(value, weight)` pairs by Huber's M-estimate of location, in a few reweighting steps.
#[must_use]
pub(crate) fn summarise(values: &[(f64, f64)]) -> Option<Summary> {
    let weight: f64 = values.iter().map(|(_, w)| w).sum();
    let squares: f64 = values.iter().map(|(_, w)| w * w).sum();
    if values.is_empty() || weight <= 0.0 {
        return None;
    }
    let mut mean = values.iter().map(|(x, w)| x * w).sum::<f64>() / weight;
    let mut limit = f64::INFINITY;
    if values.len() >= ROBUST_FROM {
        let middle = median(&values.iter().map(|(x, _)| *x).collect::<Vec<_>>())?;
        let scale = MAD_TO_DEVIATION * median(&values.iter().map(|(x, _)| (x - middle).abs()).collect::<Vec<_>>())?;
        if scale > 0.0 {
            limit = WINSOR * scale;
            mean = huber_mean(values, middle, scale);
        }
    }
    let clipped = |x: f64| (x - mean).clamp(-limit, limit).powi(2);
    let variance = values.iter().map(|(x, w)| clipped(*x) * w).sum::<f64>() / weight;
    Some(Summary { mean, variance, size: weight * weight / squares })
}

fn huber_mean(values: &[(f64, f64)], start: f64, scale: f64) -> f64 {
    // Five steps bring the iteration within a thousandth of its limit for any start inside the data.
    (0..5).fold(start, |mean, _| {
        let (sum, total) = values.iter().fold((0.0, 0.0), |(sum, total), (x, w)| {
            let w = w * (HUBER * scale / (x - mean).abs()).min(1.0);
            (sum + w * x, total + w)
        });
        if total > 0.0 { sum / total } else { mean }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_quantiles_match_the_tables() {
        // Abramowitz & Stegun 1964, table 26.10, 95 % one-sided.
        for (df, table) in [(1.0, 6.314), (2.0, 2.920), (3.0, 2.353), (4.0, 2.132), (9.0, 1.833), (30.0, 1.697)] {
            assert!((student_t95(df) / table - 1.0).abs() < 0.005, "{df}: {} for {table}", student_t95(df));
        }
        assert!((student_t95(1e9) - Z95).abs() < 1e-6);
    }

    #[test]
    fn one_wild_value_hardly_moves_a_robust_mean() {
        let calm: Vec<_> = (0..20).map(|n| (f64::from(n % 5) * 0.01, 1.0)).collect();
        let mut wild = calm.clone();
        wild.push((50.0, 1.0));
        let (before, after) = (summarise(&calm).unwrap(), summarise(&wild).unwrap());
        assert!((before.mean - after.mean).abs() < 0.005 && after.variance < 4.0 * before.variance);
    }

    #[test]
    fn median_of_even_and_odd() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }
}
