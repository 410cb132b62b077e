//! Medians and deviations of repeated timings. Called by the calibration's stages.

use forewarm_resources::Figure;

/// The middle value (mean of the two middle ones); 0 for none.
#[must_use]
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        count if count % 2 == 1 => sorted[middle],
        _ => (sorted[middle - 1] + sorted[middle]) / 2.0,
    }
}

/// The lower quartile (nearest rank); 0 for none. What disturbs a timing on a shared machine only adds to it, and differences of
/// two timings are disturbed either way, so that the least may be too little, and the median too much.
#[must_use]
pub(crate) fn undisturbed(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 4).copied().unwrap_or(0.0)
}

/// Standard deviation of single values about their mean, with Bessel's correction; 0 for fewer than two.
#[must_use]
pub(crate) fn deviation(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt()
}

/// A measured figure from repeats.
#[must_use]
pub(crate) fn figure(values: &[f64], source: &str) -> Figure {
    Figure {
        value: median(values),
        deviation: deviation(values),
        samples: values.len() as u64,
        source: source.to_owned(),
    }
}

/// A figure from positive ratios of different things, log-normal about their median: with `σ` the deviation of their logarithms, that
/// of the log-normal is `√(exp σ² − 1)` of it (Aitchison and Brown 1957, 2.3). Some that are many times as large as the others say
/// little of these.
#[must_use]
pub(crate) fn ratios(values: &[f64], source: &str) -> Figure {
    let logs: Vec<f64> = values.iter().map(|value| value.ln()).collect();
    let relative = deviation(&logs).powi(2).exp_m1().sqrt();
    let value = median(values);
    Figure { deviation: relative * value, ..figure(values, source) }
}

/// Fits `fixed + slope · size` with both parts at least zero to the medians of each size's times, every residual
/// relative to its time: a disturbed timing then counts for nothing, and a small size as much as a large one.
#[must_use]
pub(crate) fn line(points: &[(f64, f64)]) -> (f64, f64) {
    let mut sizes: Vec<f64> = points.iter().map(|(size, _)| *size).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    let times = |size: f64| points.iter().filter(move |point| point.0 == size).map(|point| point.1);
    let medians = sizes.into_iter().map(|size| (size, median(&times(size).collect::<Vec<_>>())));
    let usable = medians.filter(|(_, seconds)| *seconds > 0.0);
    let rows: Vec<Vec<f64>> = usable.map(|(size, seconds)| vec![1.0 / seconds, size / seconds]).collect();
    let solution = crate::nnls::solve(&rows, &vec![1.0; rows.len()], 0.0);
    (solution.first().copied().unwrap_or(0.0), solution.get(1).copied().unwrap_or(0.0))
}

/// Standard deviation of `ln(actual / predicted)` of points about a line.
#[must_use]
pub(crate) fn log_deviation(points: &[(f64, f64)], (fixed, slope): (f64, f64)) -> f64 {
    let residuals: Vec<f64> = points
        .iter()
        .filter(|(size, seconds)| *seconds > 0.0 && fixed + slope * size > 0.0)
        .map(|(size, seconds)| (seconds / (fixed + slope * size)).ln())
        .collect();
    deviation(&residuals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_spread_by_their_logarithms() {
        let of = |values: &[f64]| ratios(values, "test");
        let even = of(&[0.5, 1.0, 2.0]);
        assert!(
            (even.value, even.samples) == (1.0, 3) && (even.log_deviation() - 2.0_f64.ln()).abs() < 1e-9,
            "{even:?}"
        );
        assert!(
            of(&[1.0, 1.1, 0.9, 1.0, 8.0]).log_deviation() < figure(&[1.0, 1.1, 0.9, 1.0, 8.0], "test").log_deviation()
        );
    }

    #[test]
    fn middles_and_spreads() {
        assert_eq!((median(&[]), median(&[3.0, 1.0, 2.0]), median(&[4.0, 1.0])), (0.0, 2.0, 2.5));
        assert_eq!((deviation(&[1.0]), deviation(&[1.0, 3.0])), (0.0, 2.0_f64.sqrt()));
    }

    #[test]
    fn lines_are_found_and_never_negative() {
        let (fixed, slope) = line(&[(0.0, 2.0), (1.0, 5.0), (2.0, 8.0)]);
        assert!((fixed - 2.0).abs() < 1e-6 && (slope - 3.0).abs() < 1e-6, "{fixed} {slope}");
        assert_eq!(line(&[(0.0, 2.0), (1.0, 5.0), (1.0, 5.0), (1.0, 50.0), (2.0, 8.0)]), (fixed, slope));
        let (fixed, slope) = line(&[(1.0, 1.0), (2.0, 4.0)]);
        assert!(fixed == 0.0 && slope > 0.0);
        assert!(log_deviation(&[(1.0, 3.0), (2.0, 6.0)], (0.0, 3.0)) < 1e-12);
    }
}
