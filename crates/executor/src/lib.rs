//! Engines, warm ladders and artifacts: a lease is allocated, climbed and run; nothing is chosen here.
//!
//! Called by the orchestrator (real runs) and the emulator (trials and calibration).

pub mod artifacts;
pub mod invocation;
pub mod lease;
pub mod wasm;

pub use artifacts::ArtifactCache;
pub use invocation::{Directory, Invocation, Progress, Stdio};
pub use lease::{Executor, Lease, Outcome, Ready};
