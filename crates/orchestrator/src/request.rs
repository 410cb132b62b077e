//! What is asked of the orchestrator: settings for its life, and a request per run.

use std::path::PathBuf;

use forewarm_executor::Directory;
use forewarm_planner::Belief;
use forewarm_types::{Bytes, Levers, Objective, Plan, Tier, Weights};

/// Settings of an orchestrator.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the database lies (a folder); `None` to keep no history at all.
    pub data_directory: Option<PathBuf>,
    /// Where artifacts lie; `None` to keep none.
    pub cache_directory: Option<PathBuf>,
    /// Most bytes of artifacts.
    pub cache_limit: Bytes,
    /// Whether to write to the database (`FOREWARM_NO_RECORD` unset).
    pub record: bool,
    /// Give a run's memory back when it is over. A process that ends with its run spares its user the time.
    pub release_memory: bool,
    /// Program and arguments that run [`crate::Orchestrator::prepare`] in a process of its own; `None` to prepare nothing.
    pub prepare_command: Option<PathBuf>,
    /// Program that is [`crate::Orchestrator::time_runs`] when it is called with `time -- FILE`, with the orders on its standard input
    /// and the answers on its standard output; `None` to time nothing before a run.
    pub timing_command: Option<PathBuf>,
}

/// Whether and how long to try a code before its run.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Emulate {
    /// Where the expected gain is worth it.
    #[default]
    Auto,
    /// Not at all.
    Never,
    /// Always, at most so many seconds.
    Seconds(f64),
}

/// Sample inputs that the user gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sample {
    /// The arguments of a run.
    Arguments(Vec<String>),
    /// A folder of input files, files of arguments (`*.args`, one a line) and, for what is run for an event, events (`*.json`).
    Folder(PathBuf),
}

/// Parts of the plan fixed by the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Overrides {
    /// The compiler.
    pub tier: Option<Tier>,
    /// The threads.
    pub threads: Option<u32>,
    /// Of a native or Python program, what no plan proposes.
    pub levers: Levers,
}

/// One program to plan for or run.
#[derive(Debug, Clone)]
pub struct Request {
    /// The program's file.
    pub file: PathBuf,
    /// The arguments after its name.
    pub arguments: Vec<String>,
    /// Environment variables given to it.
    pub environment: Vec<(String, String)>,
    /// Directories given to it.
    pub directories: Vec<Directory>,
    /// An export to call instead of the command's entry point.
    pub invoke: Option<String>,
    /// Whether sockets are allowed.
    pub network: bool,
    /// Most linear memory.
    pub max_memory: Option<Bytes>,
    /// Deadline, as a hard constraint of the plan; ending the run is the caller's ([`crate::Orchestrator::abandon`]).
    pub timeout_seconds: Option<f64>,
    /// What is to be made small.
    pub objective: Objective,
    /// Explicit weights in place of the objective's.
    pub weights: Option<Weights>,
    /// Whether to try the code first.
    pub emulate: Emulate,
    /// Smaller inputs, from which a longer run may be foreseen; of a WebAssembly program derived ones where there are none.
    pub samples: Vec<Sample>,
    /// Parts of the plan fixed by the user.
    pub overrides: Overrides,
    /// How to take the program where it is Python.
    pub python: crate::PythonOptions,
    /// The event a handler is called with, or a native program by way of the Lambda runtime API; `-` for standard input.
    pub event: Option<PathBuf>,
    /// Limits of a process, beyond time and memory.
    pub limits: crate::ProcessLimits,
    /// A whole plan to execute as it stands.
    pub plan: Option<Plan>,
    /// Whether an artifact may be prepared for later runs.
    pub prepare: bool,
    /// Keep every candidate in the plan, not only the 20 best.
    pub all_candidates: bool,
}

impl Request {
    /// The weights given, or those of the objective for a run that is believed to be so.
    pub(crate) fn weights_for(&self, belief: &Belief) -> Weights {
        self.weights.unwrap_or_else(|| forewarm_planner::weights_of_run(self.objective, belief))
    }
}
