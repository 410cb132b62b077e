//! The value of information (Raiffa and Schlaifer 1961): which measurement, of those that could be made before deciding, is
//! worth its price.
//!
//! The chooser is a pure function over the [`Probe`] trait: what a probe would gain and cost by the present belief is the
//! probe's own to say, whether it is a trial of the program ([`crate::probes`]), a run on another configuration
//! ([`crate::scaling::Setting`]), or a row of a recorded table.

use crate::distribution::normal;

/// What a measurement is expected to gain, and what it is expected to cost, in one unit of the objective.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Worth {
    /// What knowing its result is expected to save.
    pub gain: f64,
    /// What it is expected to cost.
    pub price: f64,
}

impl Worth {
    /// Gain less price.
    #[must_use]
    pub fn net(&self) -> f64 {
        self.gain - self.price
    }
}

/// Something that could be measured before deciding.
pub trait Probe {
    /// What is thought of what it would measure.
    type Belief;

    /// What it is worth by the present belief; `None` where it cannot be made.
    fn worth(&self, belief: &Self::Belief) -> Option<Worth>;
}

/// The probe whose gain exceeds its price most; `None` where none's does. Of equals, the first.
pub fn most_valuable<'a, P: Probe>(belief: &P::Belief, probes: &'a [P]) -> Option<(&'a P, Worth)> {
    let mut best: Option<(&P, Worth)> = None;
    for probe in probes {
        let Some(worth) = probe.worth(belief).filter(|worth| worth.net() > 0.0) else { continue };
        if best.is_none_or(|(_, other)| worth.net() > other.net()) {
            best = Some((probe, worth));
        }
    }
    best
}

/// What is thought of several outcomes at once: jointly normal.
#[derive(Debug, Clone, PartialEq)]
pub struct Gaussian {
    /// Means.
    pub mean: Vec<f64>,
    /// Covariances between outcomes.
    pub covariance: Vec<Vec<f64>>,
    /// Variance that a measurement of each adds.
    pub noise: Vec<f64>,
}

/// How much lower the least of the means is expected to be once one of the outcomes is measured: the knowledge gradient for
/// correlated normal beliefs (Frazier, Powell and Dayanik, INFORMS Journal on Computing 21(4), 2009). Never negative.
#[must_use]
pub fn knowledge_gradient(belief: &Gaussian, measured: usize) -> f64 {
    let (Some(row), Some(noise)) = (belief.covariance.get(measured), belief.noise.get(measured)) else { return 0.0 };
    let deviation = (row[measured] + noise).max(0.0).sqrt();
    if deviation < 1e-12 {
        return 0.0;
    }
    // After the measurement the means are lines in one standard normal variable; smallest means are largest negatives.
    let mut lines: Vec<(f64, f64)> =
        belief.mean.iter().zip(row).map(|(mean, covariance)| (-covariance / deviation, -mean)).collect();
    lines.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let hull = upper_envelope(&lines);
    let gain = |pair: &[(f64, f64)]| {
        let slope = pair[1].0 - pair[0].0;
        let crossing = -((pair[0].1 - pair[1].1) / slope).abs();
        let density = (-crossing * crossing / 2.0).exp() / std::f64::consts::TAU.sqrt();
        slope * (density + crossing * normal(crossing))
    };
    hull.windows(2).map(gain).sum::<f64>().max(0.0)
}

/// The lines `(slope, height)`, by rising slope, that are highest somewhere.
fn upper_envelope(lines: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let crossing = |a: &(f64, f64), b: &(f64, f64)| (a.1 - b.1) / (b.0 - a.0);
    let mut hull: Vec<(f64, f64)> = Vec::new();
    for line in lines {
        if hull.last().is_some_and(|last| line.0 - last.0 < 1e-12) {
            hull.pop();
        }
        while let [.., before, last] = hull.as_slice() {
            if crossing(last, line) > crossing(before, last) {
                break;
            }
            hull.pop();
        }
        hull.push(*line);
    }
    hull
}

#[cfg(test)]
mod tests {
    use super::*;

    fn belief(mean: &[f64], covariance: &[&[f64]], noise: f64) -> Gaussian {
        let covariance = covariance.iter().map(|row| row.to_vec()).collect();
        Gaussian { mean: mean.to_vec(), covariance, noise: vec![noise; mean.len()] }
    }

    #[test]
    fn of_two_the_gradient_is_the_expected_improvement() {
        // E[max(0, sZ)] = s / sqrt(2 pi) for two equal means, one known.
        let equal = belief(&[1.0, 1.0], &[&[0.0, 0.0], &[0.0, 4.0]], 0.0);
        assert!((knowledge_gradient(&equal, 1) - 2.0 / std::f64::consts::TAU.sqrt()).abs() < 1e-6);
        assert_eq!(knowledge_gradient(&equal, 0), 0.0);
        let noisy = belief(&[1.0, 1.0], &[&[0.0, 0.0], &[0.0, 4.0]], 12.0);
        assert!((knowledge_gradient(&noisy, 1) - 1.0 / std::f64::consts::TAU.sqrt()).abs() < 1e-6);
    }

    #[test]
    fn what_cannot_change_the_choice_is_worth_nothing() {
        // Two outcomes that move together: whichever is measured, the order stays.
        let tied = belief(&[1.0, 2.0], &[&[4.0, 4.0], &[4.0, 4.0]], 0.0);
        assert!(knowledge_gradient(&tied, 0) < 1e-12);
        let far = belief(&[0.0, 50.0], &[&[0.0, 0.0], &[0.0, 1.0]], 0.0);
        assert!(knowledge_gradient(&far, 1) < 1e-12);
    }

    #[test]
    fn the_gradient_agrees_with_simulation() {
        let belief = belief(
            &[0.0, 0.3, 0.5, 0.2],
            &[&[1.0, 0.4, 0.1, 0.0], &[0.4, 0.8, 0.3, 0.1], &[0.1, 0.3, 2.0, 0.6], &[0.0, 0.1, 0.6, 0.5]],
            0.3,
        );
        for measured in 0..4 {
            let deviation = (belief.covariance[measured][measured] + 0.3).sqrt();
            let count = 20_001;
            let least: f64 = (0..count)
                .map(|at| crate::distribution::inverse_normal((f64::from(at) + 0.5) / f64::from(count)))
                .map(|z| {
                    let after = |at: usize| belief.mean[at] + z * belief.covariance[measured][at] / deviation;
                    (0..4).map(after).fold(f64::INFINITY, f64::min)
                })
                .sum::<f64>()
                / f64::from(count);
            assert!((knowledge_gradient(&belief, measured) + least).abs() < 2e-3, "{measured}");
        }
    }

    struct Fixed(f64, f64);
    impl Probe for Fixed {
        type Belief = ();
        fn worth(&self, (): &()) -> Option<Worth> {
            Some(Worth { gain: self.0, price: self.1 })
        }
    }

    #[test]
    fn a_probe_that_does_not_pay_is_not_made() {
        assert!(most_valuable(&(), &[Fixed(1.0, 2.0), Fixed(0.0, 0.0)]).is_none());
        let best = most_valuable(&(), &[Fixed(1.0, 0.5), Fixed(9.0, 2.0), Fixed(9.0, 2.0)]);
        assert_eq!(best.unwrap().1.net(), 7.0);
    }
}
