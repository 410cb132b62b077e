//! Files that a process is going to read and that are not in memory: what reading them ahead saves, and whether noting
//! which they are pays.
//!
//! Read as the program comes to them, one after the other waits for the disk; read ahead, they come while it computes and
//! in the disk's own order.

use forewarm_resources::{ProcessCosts, process_costs};
use forewarm_types::Weights;

use crate::belief::Inputs;
use crate::distribution::tame;

/// What is known of the files a program is going to read.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct AbsentFiles {
    /// Bytes of them that are not in memory; 0 also where nothing is known of them.
    pub bytes: f64,
    /// Seconds that reading a byte of them ahead was measured to take; `None` where it was not.
    pub ahead_seconds_per_byte: Option<f64>,
}

impl AbsentFiles {
    /// Seconds that a run waits for them.
    pub(crate) fn seconds(&self, costs: &ProcessCosts, read_ahead: bool) -> f64 {
        let ahead = || self.ahead_seconds_per_byte.unwrap_or(costs.ahead_read_seconds_per_byte.value);
        let per_byte = if read_ahead { ahead() } else { costs.demand_read_seconds_per_byte.value };
        tame(self.bytes) * tame(per_byte)
    }
}

/// Whether it pays to note which files a program read, after a run that read so many bytes from disks: by what later runs
/// that find them gone again would save, against a repetition of what loaded them (at most this run's CPU time) in the
/// background.
///
/// `runs` counts those of this code, this one included. The next is cold with a probability by the rule of succession
/// (Laplace 1774) from one cold run among them.
#[must_use]
pub fn noting_pays(inputs: &Inputs<'_>, weights: &Weights, read_bytes: f64, cpu_seconds: f64, runs: u64) -> bool {
    let resources = inputs.resources;
    let costs = process_costs();
    let read = AbsentFiles { bytes: read_bytes, ..inputs.absent };
    let saved = read.seconds(&costs, false) - read.seconds(&costs, true);
    let reuses = inputs.corrections.expected_reuses.unwrap_or_else(|| resources.workload.expected_reuses.estimate());
    let cold = 2.0 / (runs as f64 + 2.0);
    let core = weights.price_factor * tame(resources.price.dollars_per_core_second.value)
        + weights.dollars_per_joule * tame(resources.power.busy_watts_per_core.value);
    weights.dollars_per_second * saved * tame(reuses.expected) * cold > core * tame(cpu_seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Problem;
    use forewarm_types::Objective;

    #[test]
    fn what_was_measured_goes_before_the_default() {
        let costs = process_costs();
        let unknown = AbsentFiles { bytes: 1e9, ahead_seconds_per_byte: None };
        let measured = AbsentFiles { ahead_seconds_per_byte: Some(1e-8), ..unknown };
        assert!(unknown.seconds(&costs, true) < unknown.seconds(&costs, false));
        assert!((measured.seconds(&costs, true) - 10.0).abs() < 1e-9);
        assert!(AbsentFiles::default().seconds(&costs, false).abs() < f64::EPSILON);
    }

    #[test]
    fn noting_pays_where_much_was_read_and_time_is_worth_something() {
        let problem = Problem::new(10_000, None);
        let pays = |objective, bytes| noting_pays(&problem.inputs(), &crate::weights(objective), bytes, 1.0, 1);
        assert!(pays(Objective::Latency, 200e6));
        assert!(!pays(Objective::Latency, 0.0) && !pays(Objective::Cost, 200e6));
    }
}
