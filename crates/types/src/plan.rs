//! The plan: the chosen configuration, every candidate with its cost, and what was rejected and why.
//!
//! This is the planner's output and the `forewarm plan --format json` contract.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::code::CodeInfo;
use crate::configuration::Configuration;
use crate::cost::{Cost, Objective, Weights};
use crate::counts::Counts;
use crate::estimate::Estimate;
use crate::ladder::Step;
use crate::units::Bytes;

/// A possible configuration with its cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Where and how it would run.
    pub configuration: Configuration,
    /// Whether every hard constraint holds.
    pub feasible: bool,
    /// The rule that rejected it, and why.
    pub why_not: Option<String>,
    /// Its cost.
    pub cost: Cost,
}

/// The winner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// Where and how it runs.
    pub configuration: Configuration,
    /// Its cost.
    pub cost: Cost,
    /// One sentence: why it won.
    pub why: String,
}

/// A step of the climb to the first instruction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WarmStep {
    /// Which step.
    pub step: Step,
    /// How long it will take.
    pub seconds: Estimate,
    /// How much energy.
    pub joules: Estimate,
    /// Bytes then held.
    pub bytes: Bytes,
}

/// A task's place in time on a processor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    /// What is done.
    pub task: String,
    /// Where.
    pub processor: String,
    /// From when, in seconds after the plan.
    pub start_seconds: f64,
    /// Until when.
    pub end_seconds: f64,
}

/// An artifact worth preparing after the run, for the runs expected next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preparation {
    /// The configuration whose artifact is to be made.
    pub configuration: Configuration,
    /// Runs expected to use it before it is evicted.
    pub expected_reuses: f64,
    /// What those runs save, less what making and holding it costs.
    pub net_value_dollars: f64,
}

/// A decision, with all that led to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Version of this document.
    pub schema: u32,
    /// What is to run.
    pub code: CodeInfo,
    /// What was made small.
    pub objective: Objective,
    /// The weights in force.
    pub weights: Weights,
    /// The winner.
    pub chosen: Choice,
    /// Candidates by rising cost, feasible ones first.
    pub candidates: Vec<Candidate>,
    /// The climb to the first instruction.
    pub warm_up: Vec<WarmStep>,
    /// Who does what when.
    pub schedule: Vec<Slot>,
    /// Candidates enumerated.
    pub considered: u64,
    /// Candidates rejected, by rule.
    pub rejected: BTreeMap<String, u64>,
    /// What was taken for granted, with its source.
    pub assumptions: Vec<String>,
    /// An artifact worth preparing afterwards.
    pub prepare: Option<Preparation>,
    /// Predicted CPU time of the run proper on the chosen configuration.
    pub predicted_cpu_seconds: Estimate,
    /// Time the planner took.
    pub plan_seconds: f64,
    /// Time trials took.
    pub emulation_seconds: f64,
}

/// How much a trial may take.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TrialLimits {
    /// Operators it may execute.
    pub operators: u64,
    /// CPU seconds of everything, compiling on all its threads included: what it may cost, however busy the machine is.
    pub cpu_seconds: f64,
    /// Wall seconds of its execution, less those in which it waited for a core: what it may keep others waiting by waiting
    /// itself.
    pub wall_seconds: f64,
}

impl TrialLimits {
    /// So many operators, and as many seconds on either clock.
    #[must_use]
    pub fn of(operators: u64, seconds: f64) -> Self {
        Self { operators, cpu_seconds: seconds, wall_seconds: seconds }
    }
}

/// A bounded run of the code before the real one.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Trial {
    /// Operators executed, in wasmtime's fuel units.
    pub ops: u64,
    /// Whether the program ran to its end, so that `ops` is the whole count and not a lower bound.
    pub complete: bool,
    /// What stopped it where it did not.
    pub stopped_by: Option<String>,
    /// How it ended where it did and that was no success: its exit code, or its trap. What ends otherwise than other inputs do tells
    /// nothing of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Wall time, compiling included.
    pub wall_seconds: f64,
    /// CPU time of everything, compiling included.
    #[serde(default)]
    pub cpu_seconds: f64,
    /// CPU time of the execution alone, on the instrumented tier.
    pub run_cpu_seconds: f64,
    /// Peak linear memory.
    pub peak_linear_memory_bytes: Bytes,
    /// All that was counted, where the code could be rewritten to count it; else `ops` is all there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
}
