//! Cost in dollars, so that unlike terms add up; and the objective that weighs them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::configuration::UnknownName;
use crate::estimate::Estimate;
use crate::load::Pressure;
use crate::units::Bytes;

/// A term of the cost function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    /// Time spent planning.
    Plan,
    /// Time spent on trials.
    Probe,
    /// Time waiting for a resource.
    Wait,
    /// Time climbing the warm ladder, on the critical path.
    Transition,
    /// Time running, contention included.
    Run,
    /// Time imposed on others.
    Imposed,
    /// Energy of climbing.
    TransitionEnergy,
    /// Energy of running.
    RunEnergy,
    /// Price of core-seconds.
    Cores,
    /// Price of byte-seconds.
    Memory,
    /// Price of holding the state left standing until its next use.
    Hold,
    /// Expected cost of more memory, in a second run or in place, where what is set aside proves too little.
    Retry,
    /// Expected cost of failure.
    Failure,
    /// Value of the state left behind, as a negative cost.
    Reuse,
}

impl Term {
    /// Every term.
    pub const ALL: [Self; 14] = [
        Self::Plan,
        Self::Probe,
        Self::Wait,
        Self::Transition,
        Self::Run,
        Self::Imposed,
        Self::TransitionEnergy,
        Self::RunEnergy,
        Self::Cores,
        Self::Memory,
        Self::Hold,
        Self::Retry,
        Self::Failure,
        Self::Reuse,
    ];
}

/// The cost of a candidate: its total, the terms that sum to it, and the physical quantities behind them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Sum of `terms_dollars`.
    pub total_dollars: f64,
    /// The terms.
    pub terms_dollars: BTreeMap<Term, f64>,
    /// Time waiting for a resource.
    pub wait_seconds: Estimate,
    /// Critical path of the climb.
    pub transition_seconds: Estimate,
    /// Wall time of the run proper.
    pub run_seconds: Estimate,
    /// Energy of climb and run.
    pub energy_joules: Estimate,
    /// Peak memory.
    pub memory_bytes: Estimate,
    /// Slow-down by what else is running, 1 for none.
    pub contention_factor: f64,
    /// What the run itself asks of memory, which others are slowed by.
    #[serde(default, skip_serializing_if = "Pressure::is_none")]
    pub pressure: Pressure,
    /// What becomes of a run that needs more memory than is set aside; `None` where it cannot need more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
}

/// What becomes of a program whose memory proves too little: a second run of a WebAssembly program where nobody can have seen
/// the first; any other is given more in place.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Retry {
    /// Probability that the first needs more than is set aside for it.
    pub probability: f64,
    /// Most memory the second may have.
    pub memory_bytes: Bytes,
}

/// What is to be made small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Objective {
    /// Time above all.
    #[default]
    Latency,
    /// Time and money both.
    Balanced,
    /// Money above all.
    Cost,
    /// Energy above all.
    Energy,
    /// The product of money and time.
    CostTime,
}

impl Objective {
    /// Every named objective.
    pub const ALL: [Self; 5] = [Self::Latency, Self::Balanced, Self::Cost, Self::Energy, Self::CostTime];

    /// The objective's key in JSON and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::Balanced => "balanced",
            Self::Cost => "cost",
            Self::Energy => "energy",
            Self::CostTime => "cost-time",
        }
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Objective {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|objective| objective.name() == name).ok_or_else(|| UnknownName {
            what: "objective",
            name: name.to_owned(),
            known: Self::ALL.map(Self::name).join(", "),
        })
    }
}

/// The weights of the cost function.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// Value of a second of latency, in dollars (`vt`).
    pub dollars_per_second: f64,
    /// Value of a joule, in dollars (`ve`).
    pub dollars_per_joule: f64,
    /// Factor on the resource model's prices of core-seconds and byte-seconds.
    pub price_factor: f64,
}
