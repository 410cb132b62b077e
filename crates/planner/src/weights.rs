//! Objectives as weights of the cost function.

use forewarm_resources::defaults::DOLLARS_PER_CORE_HOUR;
use forewarm_types::{Objective, Weights};

use crate::belief::Belief;
use crate::candidates::candidates;

/// Mean hourly wage over all occupations in the United States, in dollars: Bureau of Labor Statistics, Occupational
/// Employment and Wage Statistics, May 2023.
const WAGE_PER_HOUR: f64 = 31.48;

/// What a joule costs everyone beyond its price, in dollars: 190 dollars per ton of carbon dioxide (EPA, Report on the
/// Social Cost of Greenhouse Gases, 2023, 2 % discount rate) times 0.373 kg per kWh (EPA, eGRID 2022, United States).
const CARBON_PER_JOULE: f64 = 190.0 / 1000.0 * 0.373 / 3.6e6;

/// A dollar per joule: so far above any price of time or cores that these only break ties.
const ENERGY_FIRST: f64 = 1.0;

/// Only what is paid, and only what is waited.
const MONEY: Weights = Weights { dollars_per_second: 0.0, dollars_per_joule: 0.0, price_factor: 1.0 };
const SECONDS: Weights = Weights { dollars_per_second: 1.0, dollars_per_joule: 0.0, price_factor: 0.0 };

/// The weights of a named objective.
///
/// - `latency`: someone waits, whose second is worth a second's wage.
/// - `balanced`: a second of waiting is worth what a core-second costs, so that neither time nor money rules.
/// - `cost`: only what is paid counts.
/// - `energy`: joules decide, money breaks ties.
/// - `cost-time`: a second is worth what the run pays for one, which only its candidates tell ([`weights_of_run`]); the price of
///   a core-second stands in until they are known.
#[must_use]
pub fn weights(objective: Objective) -> Weights {
    let (dollars_per_second, dollars_per_joule) = match objective {
        Objective::Latency => (WAGE_PER_HOUR / 3600.0, CARBON_PER_JOULE),
        Objective::Balanced => (DOLLARS_PER_CORE_HOUR / 3600.0, CARBON_PER_JOULE),
        Objective::Cost => (0.0, 0.0),
        Objective::Energy => (0.0, ENERGY_FIRST),
        Objective::CostTime => (DOLLARS_PER_CORE_HOUR / 3600.0, 0.0),
    };
    Weights { dollars_per_second, dollars_per_joule, ..MONEY }
}

/// The weights of an objective for a run that is believed to be so.
#[must_use]
pub fn weights_of_run(objective: Objective, belief: &Belief) -> Weights {
    settled(objective, |weights| {
        let candidates = candidates(belief, weights);
        let passing = candidates.priced.iter().map(|priced| priced.rejection.is_none().then_some(priced.total_dollars));
        passing.collect()
    })
}

/// The weights of an objective, given what any weights make of the candidates in some fixed order; `None` for those that are
/// rejected.
///
/// The least product of money `M` and time `T` is the least sum `M + λT` at `λ = M*/T*`, the rate at which the best candidate
/// pays for its seconds: for any other, `M + λT ≥ 2 √(λMT) ≥ 2 √(λM*T*) = M* + λT*` (the inequality of arithmetic and geometric
/// means). So the product needs no cost function of its own, and its terms add up as those of any other objective do.
pub(crate) fn settled(objective: Objective, totals: impl Fn(&Weights) -> Vec<Option<f64>>) -> Weights {
    let usual = weights(objective);
    if objective != Objective::CostTime {
        return usual;
    }
    let positive = |total: Option<f64>| total.filter(|total| total.is_finite() && *total > 0.0);
    let pairs = totals(&MONEY).into_iter().zip(totals(&SECONDS));
    let passing = pairs.filter_map(|(money, seconds)| positive(money).zip(positive(seconds)));
    let best = passing.min_by(|a, b| (a.0 * a.1).total_cmp(&(b.0 * b.1)));
    best.map_or(usual, |(money, seconds)| Weights { dollars_per_second: money / seconds, ..usual })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_worth_less_from_latency_to_cost() {
        let time =
            [Objective::Latency, Objective::Balanced, Objective::Cost].map(|one| weights(one).dollars_per_second);
        assert!(time[0] > time[1] && time[1] > time[2] && time[2] == 0.0, "{time:?}");
    }

    #[test]
    fn the_least_product_has_the_least_sum() {
        // Dollars and seconds of candidates; the third is rejected.
        let all = [(1.0, 10.0), (3.0, 3.0), (0.1, 0.1), (9.0, 1.2), (4.0, 2.0)];
        let totals = |weights: &Weights| {
            let total =
                |(money, seconds): (f64, f64)| weights.price_factor * money + weights.dollars_per_second * seconds;
            all.iter().enumerate().map(|(at, one)| (at != 2).then_some(total(*one))).collect::<Vec<_>>()
        };
        let found = settled(Objective::CostTime, totals);
        assert_eq!(found, Weights { dollars_per_second: 2.0, ..MONEY });
        let sums = totals(&found);
        let least = sums.iter().flatten().copied().fold(f64::INFINITY, f64::min);
        assert_eq!(sums[4], Some(least), "{sums:?}");
        assert_eq!(settled(Objective::CostTime, |_| vec![None]), weights(Objective::CostTime), "nothing to go by");
    }
}
