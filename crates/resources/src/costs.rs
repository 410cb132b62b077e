//! The cost of operator classes on each tier, and run times from operator counts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use forewarm_types::{Basis, Estimate, OpClass, OpMix, Tier};

use crate::figure::Z95;
use crate::{Figure, defaults};

/// Costs of one tier.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TierCosts {
    /// CPU seconds per executed operator, by class.
    pub seconds_per_op: BTreeMap<OpClass, Figure>,
    /// Ratio of actual to predicted CPU time over real runs, learned; 1 until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction: Option<Figure>,
    /// CPU seconds that a branch costs which went otherwise than foreseen, where measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mispredicted_seconds: Option<Figure>,
    /// CPU seconds until the result of an operator can be used by the next, by class, where measured; of
    /// [`OpClass::Local`]: what it takes longer to be handed on in a local.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub waiting_seconds: BTreeMap<OpClass, Figure>,
    /// Run time over what the operators alone would take, where measured: what hinders programs of which nothing is counted
    /// beyond operators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hindrance: Option<Figure>,
    /// CPU seconds of a run that does nothing, where measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry_seconds: Option<Figure>,
    /// Run time of code for the baseline instruction set over that of code for this processor, where measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_factor: Option<Figure>,
}

/// Costs of all tiers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct OpCosts {
    /// By tier.
    pub tiers: BTreeMap<Tier, TierCosts>,
}

/// CPU seconds per operator of some mix on some tier.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanCost {
    /// CPU seconds per operator.
    pub seconds: f64,
    /// Standard deviation of its natural logarithm.
    pub log_deviation: f64,
    /// What it rests on.
    pub basis: Basis,
}

impl TierCosts {
    /// What programs' times are multiplied by of which nothing is counted beyond operators, at least 1: nothing hinders less
    /// than not at all. `None` where that was not measured.
    #[must_use]
    pub fn in_general(&self) -> Option<Figure> {
        self.hindrance.as_ref().map(|figure| Figure { value: figure.value.max(1.0), ..figure.clone() })
    }

    /// CPU seconds of a run that does nothing; 0 where that was not measured.
    #[must_use]
    pub fn entry_seconds(&self) -> f64 {
        self.entry_seconds.as_ref().map_or(0.0, |figure| figure.value.max(0.0))
    }
}

impl OpCosts {
    /// Predicted CPU time of a run on a tier; `None` where the tier has no costs or the mix no counts.
    ///
    /// `T = correction * sum over classes c of count_c * cost_c`. The classes' counts share their error (the trip
    /// counts) and so add end to end; the costs' common error multiplies the sum as an independent log-normal factor.
    #[must_use]
    pub fn run_seconds(&self, mix: &OpMix, tier: Tier) -> Option<Estimate> {
        let counted =
            if mix.classes.values().any(|count| count.expected > 0.0) { weighted_sum(mix) } else { mix.total? };
        let cost = self.mean(mix, tier)?;
        let spread = (Z95 * cost.log_deviation).exp();
        let factor = Estimate::new(cost.seconds / spread, cost.seconds, cost.seconds * spread, cost.basis);
        Some(counted.mul_independent(factor))
    }

    /// Actual over predicted CPU time on a tier, learned from runs; 1 where nothing was learned.
    #[must_use]
    pub fn correction(&self, tier: Tier) -> f64 {
        let correction = self.tiers.get(&tier).and_then(|costs| costs.correction.as_ref());
        correction.map_or(1.0, |figure| figure.value.max(f64::MIN_POSITIVE))
    }

    /// CPU seconds of a run that does nothing on a tier; 0 where that was not measured.
    #[must_use]
    pub fn entry_seconds(&self, tier: Tier) -> f64 {
        self.tiers.get(&tier).map_or(0.0, TierCosts::entry_seconds)
    }

    /// Mean CPU seconds per operator of a mix of which nothing else is counted: those of the operators alone
    /// ([`Self::unhindered`]) times what hinders programs in general.
    #[must_use]
    pub fn mean(&self, mix: &OpMix, tier: Tier) -> Option<MeanCost> {
        let mean = self.unhindered(mix, tier)?;
        let Some(hindrance) = self.tiers.get(&tier)?.in_general() else { return Some(mean) };
        let seconds = mean.seconds * hindrance.value;
        let log_deviation = mean.log_deviation.hypot(hindrance.log_deviation());
        (seconds.is_finite() && seconds > 0.0).then_some(MeanCost { seconds, log_deviation, ..mean })
    }

    /// Mean CPU seconds per operator of a mix where nothing hinders them: costs weighted by the mix's expected shares, or by
    /// [`defaults::OP_MIX`] where it has none. A class without a cost takes the mean of the others.
    #[must_use]
    pub fn unhindered(&self, mix: &OpMix, tier: Tier) -> Option<MeanCost> {
        let costs = self.tiers.get(&tier)?;
        let known: Vec<_> = mix.classes.iter().filter(|(_, count)| count.expected > 0.0).collect();
        let mean = if known.is_empty() {
            average(costs, defaults::OP_MIX.iter().copied())
        } else {
            average(costs, known.into_iter().map(|(class, count)| (*class, count.expected)))
        }?;
        let Some(correction) = &costs.correction else { return Some(mean) };
        let deviation = if correction.is_default() {
            mean.log_deviation.hypot(correction.log_deviation())
        } else {
            // A correction learned on real runs has taken the operators' own error in.
            correction.log_deviation()
        };
        let basis = if correction.is_default() { mean.basis } else { Basis::Observed };
        let seconds = mean.seconds * correction.value.max(f64::MIN_POSITIVE);
        (seconds.is_finite() && seconds > 0.0).then_some(MeanCost { seconds, log_deviation: deviation, basis })
    }
}

/// The sum of a mix's classes, fully correlated.
fn weighted_sum(mix: &OpMix) -> Estimate {
    let zero = Estimate::exact(0.0, Basis::Observed);
    mix.classes.values().fold(zero, |sum, count| sum.add_correlated(*count))
}

/// Cost per operator of weighted classes; errors of the classes' costs are taken as fully correlated.
fn average(costs: &TierCosts, weights: impl Iterator<Item = (OpClass, f64)>) -> Option<MeanCost> {
    let (mut seconds, mut deviation, mut weight) = (0.0, 0.0, 0.0);
    let mut basis = Basis::Observed;
    for (class, share) in weights {
        let Some(figure) = costs.seconds_per_op.get(&class).filter(|f| f.value.is_finite() && f.value >= 0.0) else {
            continue;
        };
        seconds += share * figure.value;
        deviation += share * figure.deviation.clamp(0.0, 10.0 * figure.value);
        weight += share;
        basis = basis.min(figure.basis());
    }
    let log_deviation = (deviation / seconds).powi(2).ln_1p().sqrt();
    let mean = MeanCost { seconds: seconds / weight, log_deviation, basis };
    (mean.seconds.is_finite() && mean.seconds > 0.0 && log_deviation.is_finite()).then_some(mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mix(classes: &[(OpClass, f64)]) -> OpMix {
        let classes = classes.iter().map(|(class, count)| (*class, Estimate::exact(*count, Basis::Static))).collect();
        OpMix { classes, ..OpMix::default() }
    }

    fn inner_product() -> OpMix {
        let classes = [
            (OpClass::Local, 6e9),
            (OpClass::Const, 2e9),
            (OpClass::Load, 2e9),
            (OpClass::IntAlu, 3e9),
            (OpClass::FloatMul, 1e9),
            (OpClass::FloatAdd, 1e9),
            (OpClass::Branch, 1e9),
        ];
        mix(&classes)
    }

    #[test]
    fn default_tiers_differ_as_measured() {
        let costs = defaults::op_costs();
        let of = |tier| costs.run_seconds(&inner_product(), tier).unwrap().expected;
        let (winch, cranelift, pulley) = (of(Tier::Winch), of(Tier::Cranelift), of(Tier::Pulley));
        assert!((1.5..=2.5).contains(&(winch / cranelift)), "{}", winch / cranelift);
        assert!((14.0..=50.0).contains(&(pulley / cranelift)), "{}", pulley / cranelift);
        let common = |tier| costs.mean(&OpMix::default(), tier).unwrap().seconds;
        assert!((1.5..=2.5).contains(&(common(Tier::Winch) / common(Tier::Cranelift))));
        assert!((14.0..=50.0).contains(&(common(Tier::Pulley) / common(Tier::Cranelift))));
    }

    #[test]
    fn run_time_is_the_weighted_sum() {
        let mut costs = OpCosts::default();
        let figure = |value| Figure::measured(value, 0.0, 1, "test");
        let seconds_per_op = [(OpClass::IntAlu, figure(2.0)), (OpClass::Load, figure(3.0))].into();
        costs.tiers.insert(Tier::Winch, TierCosts { seconds_per_op, ..TierCosts::default() });
        let run = costs.run_seconds(&mix(&[(OpClass::IntAlu, 10.0), (OpClass::Load, 1.0)]), Tier::Winch).unwrap();
        assert!((run.expected - 23.0).abs() < 1e-9);
        assert_eq!(costs.run_seconds(&inner_product(), Tier::Pulley), None);
    }

    #[test]
    fn a_learned_correction_scales_and_narrows() {
        let mut costs = defaults::op_costs();
        let before = costs.mean(&inner_product(), Tier::Winch).unwrap();
        costs.tiers.get_mut(&Tier::Winch).unwrap().correction = Some(Figure::measured(2.0, 0.2, 9, "runs"));
        let after = costs.mean(&inner_product(), Tier::Winch).unwrap();
        assert!((after.seconds / before.seconds - 2.0).abs() < 1e-9);
        assert!(after.log_deviation < before.log_deviation);
        assert_eq!(after.basis, Basis::Observed);
    }

    #[test]
    fn what_hinders_programs_counts_where_nothing_else_is_known() {
        let mut costs = defaults::op_costs();
        let before = costs.mean(&inner_product(), Tier::Winch).unwrap();
        costs.tiers.get_mut(&Tier::Winch).unwrap().hindrance = Some(Figure::measured(1.5, 0.3, 9, "probe"));
        let after = costs.mean(&inner_product(), Tier::Winch).unwrap();
        assert!((after.seconds / before.seconds - 1.5).abs() < 1e-9 && after.log_deviation > before.log_deviation);
        assert_eq!(costs.unhindered(&inner_product(), Tier::Winch), Some(before));
    }

    #[test]
    fn unknown_counts_stay_unknown() {
        assert_eq!(defaults::op_costs().run_seconds(&OpMix::default(), Tier::Winch), None);
    }
}
