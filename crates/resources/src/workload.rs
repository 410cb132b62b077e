//! What programs are like before anything is known of one: the planner's priors, and what a trial adds.

use serde::{Deserialize, Serialize};

use crate::{Figure, defaults};

/// Priors over programs and over their return.
///
/// A median and a deviation on the log scale rather than a mean: run times are so heavy-tailed that their mean says
/// nothing of any program (Harchol-Balter 1994 finds Unix process lifetimes Pareto with exponent near -1, whose mean
/// is infinite).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// Median CPU seconds of a run on the fastest tier.
    pub run_median_seconds: Figure,
    /// Standard deviation of the natural logarithm of that time.
    pub run_log_deviation: Figure,
    /// Wall seconds a process of our own takes to start and to end, which no plan changes.
    pub process_seconds: Figure,
    /// Wall seconds it takes to start a detached process.
    #[serde(default = "defaults::spawn_seconds")]
    pub spawn_seconds: Figure,
    /// With which exponent a run's values (time, operators, memory) grow in a number among its arguments.
    #[serde(default = "defaults::growth_with_numbers", skip_serializing_if = "Figure::is_default")]
    pub growth_with_numbers: Figure,
    /// The same in bytes, of arguments or of input.
    #[serde(default = "defaults::growth_with_bytes", skip_serializing_if = "Figure::is_default")]
    pub growth_with_bytes: Figure,
    /// Further runs expected of a code seen for the first time.
    pub expected_reuses: Figure,
    /// Seconds an artifact is held for its next use.
    pub artifact_hold_seconds: Figure,
}

/// Factors by which counting operators slows a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metering {
    /// On compile time.
    pub compile_factor: Figure,
    /// On run time.
    pub run_factor: Figure,
    /// On the run time of code that the engine meters, since it cannot be rewritten.
    #[serde(default = "defaults::fuel_run_factor")]
    pub fuel_run_factor: Figure,
    /// On the run time of the optimising tier's code, metered by the engine: what a run takes there is timed so.
    #[serde(default = "defaults::fuel_run_factor")]
    pub optimised_run_factor: Figure,
}

impl Default for Workload {
    fn default() -> Self {
        defaults::workload()
    }
}

impl Default for Metering {
    fn default() -> Self {
        defaults::metering()
    }
}
