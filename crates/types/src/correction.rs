//! What the past says about a code and an invocation: the learner's output, the planner's input.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::configuration::Tier;
use crate::estimate::Estimate;

/// What past runs say about the run to come.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Corrections {
    /// CPU time of the run proper by tier, in seconds, for this code with these features; a tier never observed is absent.
    pub run_cpu_seconds: BTreeMap<Tier, Estimate>,
    /// CPU time of a process, in seconds, for this code with these features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_cpu_seconds: Option<Estimate>,
    /// Executed operators of the run, where a past trial or run counted them.
    pub ops: Option<Estimate>,
    /// Peak linear memory, in bytes.
    pub peak_linear_memory_bytes: Option<Estimate>,
    /// Further runs of this code expected before its artifact would be evicted (λ); `None` where history cannot tell.
    pub expected_reuses: Option<Estimate>,
}

/// How often codes come back, over the whole history: what λ is estimated from.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ReuseStatistics {
    /// Distinct codes ever run.
    pub codes: u64,
    /// Runs of all codes.
    pub runs: u64,
    /// Codes run exactly once.
    pub singletons: u64,
    /// Runs of the code in question so far.
    pub code_runs: u64,
    /// Seconds since the code's first run; `None` before it.
    pub code_age_seconds: Option<f64>,
    /// Seconds since the code's latest run; `None` before it.
    pub code_idle_seconds: Option<f64>,
}
