//! Conformal calibration: intervals stretched or shrunk until a stated 90 % covers 90 % of what was seen.

use forewarm_types::Estimate;

/// Ends of an interval at least this far (relative) from its middle are used to measure with.
const LEAST_WIDTH: f64 = 1e-3;

/// An interval is not shrunk below this part of its width, however well the past was predicted: the past seen is short,
/// and a run's surroundings change.
const LEAST_STRETCH: f64 = 0.5;

/// How far outside its interval a value fell: 1 at either end, 0 at the middle, on the log scale (the normalised
/// nonconformity score of Lei et al. 2018, "Distribution-free predictive inference for regression", section 5.2).
#[must_use]
pub fn nonconformity(estimate: &Estimate, actual: f64) -> f64 {
    let expected = estimate.expected.max(f64::MIN_POSITIVE);
    let distance = (actual.max(f64::MIN_POSITIVE) / expected).ln();
    let end = if distance >= 0.0 { estimate.high / expected } else { expected / estimate.low.max(f64::MIN_POSITIVE) };
    distance.abs() / end.ln().max(LEAST_WIDTH)
}

/// Stretches an estimate's interval by split conformal prediction (Vovk et al. 2005; Lei et al. 2018): by the
/// `ceil((n + 1) * 0.9)`-th smallest past score. Fewer than 9 scores cannot promise 90 %, and leave it as it is.
#[must_use]
pub fn calibrate(estimate: &Estimate, past_scores: &[f64]) -> Estimate {
    let mut scores: Vec<f64> = past_scores.iter().copied().filter(|score| score.is_finite()).collect();
    scores.sort_by(f64::total_cmp);
    let rank = (0.9 * (scores.len() + 1) as f64).ceil() as usize;
    let stretch = match scores.get(rank.max(1) - 1) {
        Some(score) => score.max(LEAST_STRETCH),
        None => 1.0,
    };
    if estimate.expected <= 0.0 || estimate.low <= 0.0 || estimate.high == estimate.low {
        return *estimate;
    }
    let reach = |end: f64| estimate.expected * (end / estimate.expected).powf(stretch);
    Estimate { low: reach(estimate.low), high: reach(estimate.high), ..*estimate }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Normal;
    use forewarm_types::Basis;

    #[test]
    fn scores_are_one_at_the_ends() {
        let e = Estimate::new(1.0, 2.0, 8.0, Basis::Observed);
        for (actual, score) in [(1.0, 1.0), (2.0, 0.0), (8.0, 1.0), (32.0, 2.0), (0.5, 2.0)] {
            assert!((nonconformity(&e, actual) - score).abs() < 1e-12, "{actual}");
        }
    }

    #[test]
    fn few_scores_change_nothing() {
        let e = Estimate::new(1.0, 2.0, 4.0, Basis::Observed);
        assert_eq!(calibrate(&e, &[0.1; 8]), e);
        assert!(calibrate(&e, &[0.1; 40]).high < e.high);
        assert!((calibrate(&e, &[3.0; 9]).high - 16.0).abs() < 1e-9);
    }

    /// Stated intervals three times too narrow or wide cover about 90 % once calibrated on 60 scores.
    #[test]
    fn calibration_mends_coverage() {
        for wrong in [0.3_f64, 1.0, 1.9] {
            let mut normal = Normal::new(7);
            let stated = Estimate::new((-1.645 * wrong).exp(), 1.0, (1.645 * wrong).exp(), Basis::Observed);
            let mut covered = 0;
            for _ in 0..2000 {
                let scores: Vec<f64> = (0..60).map(|_| nonconformity(&stated, normal.next().exp())).collect();
                covered += u32::from(calibrate(&stated, &scores).contains(normal.next().exp()));
            }
            let coverage = f64::from(covered) / 2000.0;
            assert!((0.87..0.93).contains(&coverage), "{wrong}: {coverage}");
        }
    }
}
