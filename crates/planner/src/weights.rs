//! The named objectives as weights of the cost function.

use forewarm_resources::defaults::DOLLARS_PER_CORE_HOUR;
use forewarm_types::{Objective, Weights};

/// Mean hourly wage over all occupations in the United States, in dollars: Bureau of Labor Statistics, Occupational
/// Employment and Wage Statistics, May 2023.
const WAGE_PER_HOUR: f64 = 31.48;

/// What a joule costs everyone beyond its price, in dollars: 190 dollars per ton of carbon dioxide (EPA, Report on the
/// Social Cost of Greenhouse Gases, 2023, 2 % discount rate) times 0.373 kg per kWh (EPA, eGRID 2022, United States).
const CARBON_PER_JOULE: f64 = 190.0 / 1000.0 * 0.373 / 3.6e6;

/// A dollar per joule: so far above any price of time or cores that these only break ties.
const ENERGY_FIRST: f64 = 1.0;

/// The weights of a named objective.
///
/// - `latency`: someone waits, whose second is worth a second's wage.
/// - `balanced`: a second of waiting is worth what a core-second costs, so that neither time nor money rules.
/// - `cost`: only what is paid counts.
/// - `energy`: joules decide, money breaks ties.
#[must_use]
pub fn weights(objective: Objective) -> Weights {
    let (dollars_per_second, dollars_per_joule) = match objective {
        Objective::Latency => (WAGE_PER_HOUR / 3600.0, CARBON_PER_JOULE),
        Objective::Balanced => (DOLLARS_PER_CORE_HOUR / 3600.0, CARBON_PER_JOULE),
        Objective::Cost => (0.0, 0.0),
        Objective::Energy => (0.0, ENERGY_FIRST),
    };
    Weights { dollars_per_second, dollars_per_joule, price_factor: 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_worth_less_from_latency_to_cost() {
        let time = Objective::ALL.map(|objective| weights(objective).dollars_per_second);
        assert!(time[0] > time[1] && time[1] > time[2] && time[2] == 0.0, "{time:?}");
    }
}
