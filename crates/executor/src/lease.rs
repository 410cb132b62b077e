//! Allocation: a plan's place is held, climbed to readiness, and run in.

use std::path::PathBuf;
use std::sync::Arc;

use forewarm_types::host::Clock;
use forewarm_types::{Bytes, CodeKind, Configuration, Digest, Exit, IsaLevel, StepTiming, Tier};

use crate::artifacts::ArtifactCache;
use crate::invocation::Invocation;

/// The code to run, whose bytes are read only when a step needs them.
pub trait CodeSource: Send {
    /// Name for messages: the file's path as given.
    fn name(&self) -> &str;
    /// SHA-256 of the file.
    fn digest(&self) -> Digest;
    /// Kind of code.
    fn kind(&self) -> CodeKind;
    /// The WebAssembly binary (text already translated).
    ///
    /// # Errors
    /// Where the file cannot be read or has changed since it was digested.
    fn bytes(&mut self) -> Result<Arc<[u8]>, std::io::Error>;
}

/// What stops a program from being warmed.
#[derive(Debug, thiserror::Error)]
pub enum WarmError {
    /// The file cannot be read.
    #[error("cannot read the program: {0}")]
    Read(#[source] std::io::Error),
    /// The engine rejects the code.
    #[error("invalid code: {0}")]
    Invalid(String),
    /// The tier cannot compile the code.
    #[error("{tier} cannot compile this code: {cause}")]
    Unsupported {
        /// The tier asked.
        tier: Tier,
        /// The engine's words.
        cause: String,
    },
    /// The program imports what is not offered.
    #[error("missing imports: {}", .0.join(", "))]
    MissingImports(Vec<String>),
    /// The program has no such entry point.
    #[error("no exported function {name:?}{}", if .exports.is_empty() { String::new() } else { format!(" (exported: {})", .exports.join(", ")) })]
    NoEntry {
        /// What was wanted.
        name: String,
        /// What there is.
        exports: Vec<String>,
    },
    /// The arguments of `--invoke` do not fit the function.
    #[error("{0}")]
    Arguments(String),
    /// A directory cannot be opened.
    #[error("cannot open directory {path}: {cause}")]
    Directory {
        /// The host path.
        path: PathBuf,
        /// The system's words.
        cause: std::io::Error,
    },
    /// The configuration asks for what this machine cannot give.
    #[error("cannot allocate: {0}")]
    Allocate(String),
    /// Instantiation failed: initial memory over the limit, a trapping start function.
    #[error("cannot instantiate: {0}")]
    Instantiate(String),
}

/// Executes plans on this machine.
pub struct Executor {
    pub(crate) artifacts: Option<ArtifactCache>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Cores, memory and an engine, held.
pub struct Lease {}

/// A program at its first instruction.
pub struct Ready {}

/// How a run went, as the executor measured it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// How it ended.
    pub exit: Exit,
    /// Wall time from the first instruction to the last.
    pub run_seconds: f64,
    /// CPU time of the process in between.
    pub run_cpu_seconds: f64,
    /// Peak linear memory.
    pub peak_linear_memory_bytes: Bytes,
    /// What `--invoke` returned, one text per value as `wasmtime run` prints them.
    pub results: Vec<String>,
}

impl Executor {
    /// An executor that keeps artifacts in `artifacts`, or none.
    #[must_use]
    pub fn new(artifacts: Option<ArtifactCache>, clock: Arc<dyn Clock>) -> Self {
        Self { artifacts, clock }
    }

    /// The tiers and instruction-set levels for which a trusted artifact of the code stands on disk.
    #[must_use]
    pub fn standing(&self, digest: &Digest) -> Vec<(Tier, IsaLevel)> {
        let _ = digest;
        todo!()
    }

    /// Holds the place a configuration describes: cores bound where it says so, thread pool sized, memory bounded.
    ///
    /// # Errors
    /// [`WarmError::Allocate`] where the machine cannot give it.
    pub fn allocate(&self, configuration: &Configuration) -> Result<Lease, WarmError> {
        let _ = configuration;
        todo!()
    }
}

impl Lease {
    /// Climbs from the highest standing rung to an instance ready for its first instruction.
    ///
    /// # Errors
    /// Any [`WarmError`]; a corrupt artifact is not one: it is rebuilt.
    pub fn warm(self, code: &mut dyn CodeSource, invocation: &Invocation) -> Result<Ready, WarmError> {
        let _ = (code, invocation);
        todo!()
    }
}

impl Ready {
    /// The steps climbed, timed.
    #[must_use]
    pub fn steps(&self) -> &[StepTiming] {
        todo!()
    }

    /// Runs the program to its end.
    #[must_use]
    pub fn run(self) -> Outcome {
        todo!()
    }
}
