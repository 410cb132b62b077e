//! Bounded trials of the code, and the calibration of this machine.
//!
//! Both drive the executor's engine and return data: a [`Trial`] counts what a program executes before its real run,
//! [`calibrate()`] fills the resource model with what this machine takes. What to probe, and what to make of the
//! answer, is decided elsewhere; nothing is stored here. Called by the orchestrator.
#![forbid(unsafe_code)]

mod branches;
pub mod calibrate;
mod chains;
mod component;
pub mod counting;
mod fit;
pub mod generate;
pub mod growth;
pub mod imports;
pub mod instrument;
pub mod intervals;
pub mod nnls;
mod reuse;
mod sections;
mod sharing;
mod statistics;
mod table;
pub mod timing;
pub mod trial;

pub use calibrate::{Budget, calibrate, measure_accelerators, measure_power};
pub use forewarm_types::plan::Trial;
pub use trial::{Trials, measure};

/// What stops a trial or a calibration.
#[derive(Debug, thiserror::Error)]
pub enum EmulateError {
    /// The program's bytes cannot be read.
    #[error("cannot read the program: {0}")]
    Read(#[source] std::io::Error),
    /// No tier of the engine takes the code, or the code cannot be linked or instantiated.
    #[error("cannot try the program: {0}")]
    Warm(#[from] forewarm_executor::lease::WarmError),
    /// The calibration's scratch file cannot be written.
    #[error("cannot write a scratch artifact: {0} (is the temporary folder full?)")]
    Scratch(#[source] std::io::Error),
    /// The process that times a run cannot be started, or says something else than it should.
    #[error("cannot time the program: {0}")]
    Timing(String),
    /// This machine runs none of the engine's tiers.
    #[error("no tier of the engine works on this machine: {0}")]
    NoTier(String),
}
