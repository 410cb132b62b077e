//! A predicted run time in its terms: what `forewarm emulate` prints of the model behind each tier's prediction.

use serde::{Deserialize, Serialize};

use crate::configuration::Tier;
use crate::estimate::Estimate;

/// One term of a run time: so many of something, each costing so long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelTerm {
    /// What is counted: an operator class, `functions entered`, `bulk bytes`, or accesses that a level of the memory
    /// hierarchy serves.
    pub name: String,
    /// How many.
    pub count: f64,
    /// CPU seconds of each.
    pub seconds_each: f64,
    /// CPU seconds of all.
    pub seconds: f64,
    /// Where the cost comes from, in words.
    pub source: String,
}

/// The run time on a tier and what it is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunModel {
    /// The tier.
    pub tier: Tier,
    /// CPU seconds: the terms' sum times the correction learned from runs.
    pub cpu_seconds: Estimate,
    /// What past runs say of the terms' sum: actual over predicted; 1 until there are any.
    pub correction: f64,
    /// The terms, greatest first.
    pub terms: Vec<ModelTerm>,
}
