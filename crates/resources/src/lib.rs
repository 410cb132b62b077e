//! The resource model: what this machine has, and what everything costs on it.
//!
//! Data and arithmetic only: nothing here times anything, reads a file by itself, chooses, or speaks SQL. The emulator
//! fills it, the learner refines it, the planner prices by it, the orchestrator keeps it.
#![forbid(unsafe_code)]

pub mod contention;
pub mod costs;
pub mod defaults;
pub mod energy;
pub mod figure;
pub mod hierarchy;
pub mod inventory;
pub mod merge;
pub mod power;
pub mod pressure;
pub mod process;
pub mod run_model;
pub mod sources;
pub mod transitions;
pub mod workload;

use serde::{Deserialize, Serialize};

pub use contention::{Beside, Contention, Crowded};
pub use costs::{OpCosts, TierCosts};
pub use figure::Figure;
pub use hierarchy::{Hierarchy, MemoryLevel};
pub use inventory::Inventory;
pub use merge::{merge, without_defaults};
pub use power::{AcceleratorWatts, Power, Price};
pub use process::{ProcessCosts, Start, StartCost, process_costs};
pub use transitions::{PageTouch, StepCost, Transitions};
pub use workload::{Metering, Own, Processes, Workload};

/// Everything known of this machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResourceModel {
    /// Version of this document.
    pub schema: u32,
    /// Processors, memory, caches.
    pub inventory: Inventory,
    /// Cost of each operator class on each tier.
    pub op_costs: OpCosts,
    /// What accesses cost that the nearest cache does not serve.
    #[serde(default)]
    pub hierarchy: Hierarchy,
    /// Cost of each step of the warm ladder.
    pub transitions: Transitions,
    /// Power drawn.
    pub power: Power,
    /// What is paid.
    pub price: Price,
    /// How running things slow each other.
    pub contention: Contention,
    /// What programs are like before anything is known of one.
    #[serde(default)]
    pub workload: Workload,
    /// What counting operators in a trial adds to its costs.
    #[serde(default)]
    pub metering: Metering,
}
