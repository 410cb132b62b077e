//! The cost of each step of the warm ladder.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use forewarm_types::{Step, Tier};

use crate::Figure;

/// Cost of a step: a fixed part and a part that grows with size, in CPU time, with what it holds.
///
/// Size is that of the step's natural driver: file bytes for `Read`, code-section bytes for `Analyze`, `Compile`,
/// `Persist` and `Map`, and initial memory bytes for `Prefault`; `Link` and `Instantiate` are fixed but for code bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepCost {
    /// CPU seconds at size zero.
    pub fixed_seconds: f64,
    /// CPU seconds per 10^6 bytes.
    pub seconds_per_megabyte: f64,
    /// Standard deviation of `ln(actual / predicted)`.
    pub log_deviation: f64,
    /// Share of the work that several threads can divide (Amdahl 1967), 0 to 1.
    pub parallel_fraction: f64,
    /// Bytes held afterwards per byte of size: compiled code in memory or on disk.
    pub bytes_per_byte: f64,
    /// Peak bytes held during the step per byte of size.
    pub peak_bytes_per_byte: f64,
    /// State of the recursive estimator, opaque to all but the learner: inverse covariance and moment sums.
    #[serde(default)]
    pub estimator: Vec<f64>,
    /// Measurements behind it; 0 for a default.
    pub samples: u64,
    /// Where it comes from.
    pub source: String,
}

/// Costs of all steps.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Transitions {
    /// Steps that cost the same whatever the tier (`Read`, `Analyze`, `Prefault`).
    pub common: BTreeMap<Step, StepCost>,
    /// Steps by tier.
    pub tiers: BTreeMap<Tier, BTreeMap<Step, StepCost>>,
    /// Seconds to fault in one byte of fresh memory at its first touch by the program.
    pub first_touch_seconds_per_byte: Option<Figure>,
}
