//! What programs are like before anything is known of one: the prior over run times, learned from the first run of each code on
//! this machine.
//!
//! A normal distribution of the logarithm, whose default is worth the programs it is of (conjugate prior: Gelman et al.,
//! "Bayesian Data Analysis", 3rd ed., section 3.3). Only first runs count, so that a program that is run often does not speak for
//! others. Called by the orchestrator after a run.

use forewarm_resources::{Figure, ResourceModel};
use forewarm_types::{Observation, OpMix, Tier};

use crate::estimator::log;
use crate::tier_of;

/// The source of a figure that runs have refined.
const SOURCE: &str = "learned from the first runs of programs";

/// Programs that the default is of (its source names them), and so what it is worth.
const DEFAULT_PROGRAMS: f64 = 6.0;

/// Takes in the first run of a code.
pub fn meet(model: &mut ResourceModel, observation: &Observation) {
    let Some(seconds) = seconds_on_fastest(model, observation) else { return };
    let (median, deviation) = (&model.workload.run_median_seconds, &model.workload.run_log_deviation);
    let (mean, variance, met) = (log(median.value), deviation.value.powi(2), median.samples);
    // A run cut short stands at twice its bound, its median by Gott (1993); one cut shorter than usual tells nothing.
    let value = log(if observation.censored { 2.0 * seconds } else { seconds });
    if observation.censored && value < mean {
        return;
    }
    let weight = DEFAULT_PROGRAMS + met as f64;
    let apart = value - mean;
    let learned = |value: f64| Figure::measured(value, 0.0, met + 1, SOURCE);
    model.workload.run_median_seconds = learned((mean + apart / (weight + 1.0)).exp());
    let variance = weight / (weight + 1.0) * (variance + apart * apart / (weight + 1.0));
    model.workload.run_log_deviation = learned(variance.sqrt());
}

/// What the run would have taken on the fastest tier, of which the prior is, by how the tiers compare over programs.
fn seconds_on_fastest(model: &ResourceModel, observation: &Observation) -> Option<f64> {
    let usual = |tier: Tier| model.op_costs.mean(&OpMix::default(), tier).map(|cost| cost.seconds);
    let here = usual(tier_of(&observation.configuration_class)?)?;
    let fastest = Tier::ALL.into_iter().filter_map(usual).fold(here, f64::min);
    let seconds = observation.run_cpu_seconds * fastest / here;
    (seconds.is_finite() && seconds > 0.0).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use forewarm_resources::{defaults, inventory};

    use super::*;
    use crate::sample::{Normal, observation};

    fn model() -> ResourceModel {
        defaults::model(inventory::unknown(2))
    }

    /// Median and deviation after programs of a log-normal with this median and deviation, on a tier.
    fn check(class: &str, programs: u32, median: f64, deviation: f64) -> (f64, f64) {
        let (mut model, mut normal) = (model(), Normal::new(5));
        for _ in 0..programs {
            meet(&mut model, &observation(class, 1, median * (deviation * normal.next()).exp()));
        }
        let workload = &model.workload;
        assert_eq!(workload.run_median_seconds.samples, u64::from(programs));
        (workload.run_median_seconds.value, workload.run_log_deviation.value)
    }

    #[test]
    fn many_programs_outweigh_the_default_and_few_move_it() {
        let (before, spread) = (model().workload.run_median_seconds.value, model().workload.run_log_deviation.value);
        let (median, deviation) = check("cranelift/native", 400, 2.0, 1.0);
        assert!((median / 2.0).ln().abs() < 0.2 && (deviation - 1.0).abs() < 0.2, "{median} {deviation}");
        let (median, deviation) = check("cranelift/native", 3, 2.0, 0.0);
        assert!(median > 2.0 * before && median < 1.0 && deviation > 0.8 * spread, "{median} {deviation}");
        // The same times on a slower tier are those of shorter programs.
        let (slower, _) = check("winch/native", 400, 2.0, 1.0);
        assert!(slower < 1.5, "{slower}");
    }

    #[test]
    fn what_was_cut_short_counts_as_long_or_not_at_all() {
        let after = |seconds: f64| {
            let mut model = model();
            let run = Observation { censored: true, ..observation("cranelift/native", 1, seconds) };
            meet(&mut model, &run);
            model.workload.run_median_seconds.value / self::model().workload.run_median_seconds.value
        };
        assert_eq!(after(1e-4), 1.0);
        assert!(after(60.0) > 1.5);
    }
}
