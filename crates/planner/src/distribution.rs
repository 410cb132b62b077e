//! Log-normal and Pareto beliefs as equally likely nodes, and the normal distribution they rest on.

use forewarm_types::Estimate;
use forewarm_types::estimate::Z95;

/// Nodes of a belief: the quantiles at `(i + 1/2) / NODES`. Odd, so that the median is one; 31 reach ±2.1 standard
/// deviations, beyond which under 4 % of the probability lies.
pub(crate) const NODES: usize = 31;

/// Values of an uncertain quantity at its nodes, ascending.
pub(crate) type Nodes = [f64; NODES];

/// Bounds of logarithms of seconds and counts, far beyond any real one, so that arithmetic stays finite.
const LOG_BOUND: f64 = 60.0;

/// A real number made fit for arithmetic: not a number becomes zero, the infinite large, the negative zero.
pub(crate) fn tame(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value.clamp(0.0, 1e18) }
}

/// A log-normal quantity: mean and standard deviation of its natural logarithm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LogNormal {
    pub mu: f64,
    pub sigma: f64,
}

impl LogNormal {
    pub fn new(mu: f64, sigma: f64) -> Self {
        let mu = if mu.is_nan() { 0.0 } else { mu.clamp(-LOG_BOUND, LOG_BOUND) };
        Self { mu, sigma: if sigma.is_nan() { LOG_BOUND } else { sigma.clamp(0.0, LOG_BOUND) } }
    }

    /// The log-normal whose 5th and 95th percentiles are the estimate's; where the low end is zero, that whose median
    /// is the expected value.
    pub fn of(estimate: Estimate) -> Self {
        let log = |value: f64| tame(value).max(1e-18).ln();
        if estimate.low > 0.0 {
            Self::new(
                (log(estimate.low) + log(estimate.high)) / 2.0,
                (log(estimate.high) - log(estimate.low)) / (2.0 * Z95),
            )
        } else {
            let median = log(estimate.expected);
            Self::new(median, (log(estimate.high) - median) / Z95)
        }
    }

    /// The log-normal whose median is what the estimate expects, and whose interval is as wide as the estimate's. Of what was
    /// extrapolated, the ends need not lie evenly about what is likeliest.
    pub fn about(estimate: Estimate) -> Self {
        Self { mu: tame(estimate.expected).max(1e-18).ln(), ..Self::of(estimate) }
    }

    /// The quantity times an independent log-normal factor.
    pub fn times(self, mu: f64, sigma: f64) -> Self {
        Self::new(self.mu + mu, self.sigma.hypot(sigma))
    }

    /// The belief after joining an independent one about the same quantity: means weighed by inverse variance
    /// (Bayes' theorem for normal distributions; Gelman et al., Bayesian Data Analysis, 2.5).
    pub fn fuse(self, other: Self) -> Self {
        if self.sigma < 1e-9 {
            return self;
        }
        let (mine, theirs) = (self.sigma.powi(-2), other.sigma.max(1e-9).powi(-2));
        Self::new((self.mu * mine + other.mu * theirs) / (mine + theirs), (mine + theirs).sqrt().recip())
    }

    /// The sum with another quantity: its median is that of the sum of the medians, its 95th percentile as far beyond as those of
    /// the parts are together, taken for independent (their distances add in squares, as standard deviations do).
    pub fn plus(self, other: Self) -> Self {
        let beyond = |part: Self| part.quantile(0.95) - part.mu.exp();
        let median = self.mu.exp() + other.mu.exp();
        Self::new(median.ln(), (1.0 + beyond(self).hypot(beyond(other)) / median).ln() / Z95)
    }

    pub fn nodes(self, z: &Nodes) -> Nodes {
        z.map(|z| (self.mu + self.sigma * z).exp())
    }

    /// The value at a probability.
    pub fn quantile(self, probability: f64) -> f64 {
        (self.mu + self.sigma * inverse_normal(probability)).exp()
    }

    /// Nodes of what exceeds a value: the truncated distribution's, `Q(1 - (1 - p) S(value))` with `Q` the quantiles and `S` the
    /// chance of exceeding.
    pub fn beyond(self, value: f64) -> Nodes {
        let chance = self.exceeds(value);
        std::array::from_fn(|index| self.quantile(1.0 - (1.0 - probability_of(index)) * chance).max(value))
    }

    /// Probability of exceeding a value.
    pub fn exceeds(self, value: f64) -> f64 {
        if value <= 0.0 {
            return 1.0;
        }
        let distance = value.ln() - self.mu;
        if self.sigma < 1e-9 {
            // Equal up to rounding is not exceeded.
            return if distance < -1e-9 { 1.0 } else { 0.0 };
        }
        1.0 - normal(distance / self.sigma)
    }

    /// What it exceeds a value by, in the mean, nothing where it does not: `E[max(X - v, 0)]`, the call price of Black and
    /// Scholes (1973) without interest.
    pub fn excess(self, value: f64) -> f64 {
        let mean = (self.mu + self.sigma * self.sigma / 2.0).exp();
        if value <= 0.0 || self.sigma < 1e-9 {
            return (mean - value).max(0.0);
        }
        let distance = (self.mu - value.ln()) / self.sigma;
        (mean * normal(distance + self.sigma) - value * normal(distance)).max(0.0)
    }
}

/// Nodes of the standard normal distribution.
pub(crate) fn standard_nodes() -> Nodes {
    std::array::from_fn(|index| inverse_normal(probability_of(index)))
}

/// The probability below a node.
pub(crate) fn probability_of(index: usize) -> f64 {
    (index as f64 + 0.5) / NODES as f64
}

/// Nodes of what remains of something that has already lasted `at_least`: Pareto with exponent 1,
/// `P[T > t | T > b] = b / t` (Harchol-Balter, Process Lifetimes are Not Exponential, more like 1/T, UCB/CSD-94-826,
/// 1994, which finds it over Unix processes; known as Lindy's law).
pub(crate) fn lasting_nodes(at_least: f64) -> Nodes {
    std::array::from_fn(|index| at_least / (1.0 - probability_of(index)))
}

/// The value at a probability between nodes, interpolated on the log scale and held at the outermost nodes.
pub(crate) fn quantile(nodes: &Nodes, probability: f64) -> f64 {
    let position = (probability * NODES as f64 - 0.5).clamp(0.0, (NODES - 1) as f64);
    let below = position.floor() as usize;
    let above = (below + 1).min(NODES - 1);
    let share = position - below as f64;
    let log = |value: f64| value.max(1e-300).ln();
    (log(nodes[below]) * (1.0 - share) + log(nodes[above]) * share).exp()
}

/// The standard normal distribution function, by Abramowitz and Stegun 26.2.17 (error below 7.5e-8).
pub(crate) fn normal(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
    let series = [0.319_381_530, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
    let tail =
        series.iter().rev().fold(0.0, |sum, c| (sum + c) * t) * (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt();
    if x >= 0.0 { 1.0 - tail } else { tail }
}

/// The quantile of the standard normal distribution, by Abramowitz and Stegun 26.2.23 (error below 4.5e-4).
pub(crate) fn inverse_normal(probability: f64) -> f64 {
    let p = probability.clamp(1e-12, 1.0 - 1e-12);
    let tail = p.min(1.0 - p);
    let t = (-2.0 * tail.ln()).sqrt();
    let over = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let under = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    let z = t - over / under;
    if p < 0.5 { -z } else { z }
}

#[cfg(test)]
mod tests {
    use forewarm_types::Basis;

    use super::*;

    #[test]
    fn the_normal_distribution_is_right_where_it_is_known() {
        for (x, p) in [(0.0, 0.5), (Z95, 0.95), (-1.0, 0.158_655), (2.326_348, 0.99)] {
            assert!((normal(x) - p).abs() < 1e-6, "{x}");
            assert!((inverse_normal(p) - x).abs() < 1e-3, "{p}");
        }
    }

    #[test]
    fn an_estimate_keeps_its_ends() {
        let belief = LogNormal::of(Estimate::new(2.0, 10.0, 50.0, Basis::Static));
        assert!((belief.quantile(0.05) - 2.0).abs() < 0.01 && (belief.quantile(0.95) - 50.0).abs() < 0.2);
        assert!((belief.exceeds(50.0) - 0.05).abs() < 1e-4);
        let exact = LogNormal::of(Estimate::exact(7.0, Basis::Static));
        assert_eq!((exact.exceeds(6.9), exact.exceeds(7.0)), (1.0, 0.0));
    }

    #[test]
    fn a_sum_goes_as_far_as_its_parts() {
        let (start, own) = (LogNormal::new(0.0, 0.3), LogNormal::new(-1.0, 3.0));
        let sum = start.plus(own);
        assert!((sum.mu.exp() - (1.0 + (-1.0_f64).exp())).abs() < 1e-9);
        // The larger part's tail is the sum's; a part that is nothing beside the other changes nothing.
        assert!((sum.quantile(0.95) / own.quantile(0.95) - 1.0).abs() < 0.03, "{}", sum.quantile(0.95));
        let nothing = LogNormal::new(-40.0, 0.1);
        let same = start.plus(nothing);
        assert!((same.mu - start.mu).abs() < 1e-9 && (same.sigma - start.sigma).abs() < 1e-3);
    }

    #[test]
    fn the_excess_is_the_mean_of_what_lies_above() {
        let belief = LogNormal::new(2.0, 0.7);
        let nodes: Vec<f64> = (0..20_000).map(|i| belief.quantile((f64::from(i) + 0.5) / 20_000.0)).collect();
        for value in [1.0, 5.0, 7.4, 20.0] {
            let mean = nodes.iter().map(|node| (node - value).max(0.0)).sum::<f64>() / nodes.len() as f64;
            assert!((belief.excess(value) - mean).abs() < 0.01 * mean.max(0.1), "{value}: {}", belief.excess(value));
        }
        assert!((LogNormal::new(2.0, 0.0).excess(5.0) - (2_f64.exp() - 5.0)).abs() < 1e-9);
    }

    #[test]
    fn the_surer_belief_weighs_more() {
        let (sure, vague) = (LogNormal::new(0.0, 0.1), LogNormal::new(10.0, 5.0));
        let joined = sure.fuse(vague);
        assert!(joined.mu < 0.01 && joined.sigma < 0.1);
        assert_eq!(LogNormal::new(3.0, 0.0).fuse(vague), LogNormal::new(3.0, 0.0));
    }

    #[test]
    fn what_exceeds_a_value_keeps_the_tail() {
        let belief = LogNormal::new(0.0, 1.0);
        let all = belief.beyond(1e-9);
        assert!((all[NODES / 2] - 1.0).abs() < 1e-3);
        let half = belief.beyond(1.0);
        // The median of the upper half is the upper quartile.
        assert!((half[NODES / 2] - belief.quantile(0.75)).abs() < 1e-3 && half[0] > 1.0);
        assert!(belief.beyond(1e9).iter().all(|value| *value >= 1e9 && value.is_finite()));
    }

    #[test]
    fn what_has_lasted_lasts_as_long_again_in_the_median() {
        let nodes = lasting_nodes(3.0);
        assert!((nodes[NODES / 2] - 6.0).abs() < 1e-9);
        assert!(nodes[0] > 3.0);
        assert!((quantile(&nodes, 0.5) - 6.0).abs() < 1e-9);
    }
}
