//! Engines, warm ladders and artifacts: a lease is allocated, climbed and run; nothing is chosen here.
//!
//! Called by the orchestrator (real runs) and the emulator (trials and calibration).
#![deny(unsafe_op_in_unsafe_fn)]

mod ahead;
pub mod artifacts;
pub mod bootstrap;
mod cores;
pub mod error;
pub mod invocation;
pub mod lease;
pub mod levers;
pub mod occupancy;
pub mod page_cache;
pub mod persist;
pub mod process;
pub mod run;
pub mod standing;
mod stopwatch;
pub mod wasm;

pub use ahead::Ahead;
pub use artifacts::ArtifactCache;
pub use error::WarmError;
pub use invocation::{Directory, Invocation, Progress, Stdio};
pub use lease::{CodeSource, Executor, Lease};
pub use run::{Outcome, Ready, Repeated};
pub use standing::{Entered, Standing, Waiting};
