//! The vocabulary of Forewarm as plain data.
//!
//! Every room speaks in these types: the estimate, the demand profile, the configuration, the cost, the plan, the
//! observation. Nothing here does I/O, reads a clock or knows an engine; what a room needs from the machine it asks
//! through the traits in [`host`]. Called by every other crate.
#![forbid(unsafe_code)]

pub mod code;
pub mod configuration;
pub mod correction;
pub mod cost;
pub mod counts;
pub mod demand;
pub mod estimate;
pub mod host;
pub mod invocation;
pub mod ladder;
pub mod load;
pub mod model;
pub mod native;
pub mod observation;
pub mod plan;
pub mod python;
pub mod units;

pub use code::{CodeInfo, CodeKind, Digest};
pub use configuration::{
    Configuration, CpuSettings, IsaCeiling, IsaLevel, Levers, Placement, ProcessSettings, Settings, Tier,
};
pub use correction::{Corrections, ReuseStatistics};
pub use cost::{Cost, Objective, Retry, Term, Weights};
pub use counts::Counts;
pub use demand::{Analysis, DemandProfile, OpClass, OpMix};
pub use estimate::{Basis, Estimate};
pub use invocation::Features;
pub use ladder::{Rung, Step};
pub use load::{Load, Pressure, Work};
pub use native::NativeDemand;
pub use observation::{Exit, ExitCause, Observation, PastRun, Pinning, ProcessUsage, Repeat, StepTiming};
pub use plan::{Candidate, Plan};
pub use python::PythonDemand;
pub use units::{Bytes, Dollars, Joules, Seconds};

/// Version of the JSON documents this crate serialises, the first key of each.
pub const SCHEMA: u32 = 1;
