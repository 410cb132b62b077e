//! The resource model: what this machine has, and what everything costs on it.
//!
//! Data and arithmetic only: nothing here times anything, reads a file by itself, chooses, or speaks SQL. The emulator
//! fills it, the learner refines it, the planner prices by it, the orchestrator keeps it.
#![forbid(unsafe_code)]

pub mod contention;
pub mod costs;
pub mod defaults;
pub mod inventory;
pub mod power;
pub mod transitions;

use serde::{Deserialize, Serialize};

pub use contention::Contention;
pub use costs::{OpCosts, TierCosts};
pub use inventory::Inventory;
pub use power::{Power, Price};
pub use transitions::{StepCost, Transitions};

/// A number of the model with where it comes from.
///
/// A default has no samples and a source in words; a measurement has samples and loses its default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// The value, in the unit of the key that holds it.
    pub value: f64,
    /// Standard deviation of single measurements (for a default: as the source states or implies it).
    pub deviation: f64,
    /// Measurements behind it; 0 for a default.
    pub samples: u64,
    /// Where it comes from: a citation for a default, how it was timed for a measurement.
    pub source: String,
}

/// Everything known of this machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResourceModel {
    /// Version of this document.
    pub schema: u32,
    /// Processors, memory, caches.
    pub inventory: Inventory,
    /// Cost of each operator class on each tier.
    pub op_costs: OpCosts,
    /// Cost of each step of the warm ladder.
    pub transitions: Transitions,
    /// Power drawn.
    pub power: Power,
    /// What is paid.
    pub price: Price,
    /// How running things slow each other.
    pub contention: Contention,
}
