//! The loop: analyse, believe, probe, choose, allocate, warm, run, learn. What an embedder uses.
//!
//! It alone joins the rooms with the store. It prints nothing; what happened is in what it returns, and what could
//! not be done but did not matter is in [`Orchestrator::warnings`].
#![forbid(unsafe_code)]

mod consider;
mod decide;
mod doctor;
mod environment;
pub mod error;
mod features;
mod learn;
mod memory;
mod native;
mod nodes;
mod observe;
mod page_cache;
mod process;
mod program;
mod python;
pub mod request;
mod run;
mod samples;
mod script;
mod smaller;
mod stand;
mod timings;
mod upkeep;
mod warm;
mod warm_native;
mod warm_wasm;

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use forewarm_executor::{ArtifactCache, Executor};
use forewarm_sandbox::process::Surroundings;
use forewarm_types::host::Clock;
use forewarm_types::observation::Score;
use forewarm_types::{Analysis, Observation, Plan, Seconds};
use memory::Memory;
use serde::{Deserialize, Serialize};

pub use error::Error;
pub use forewarm_lambda::{FunctionError, Outcome};
pub use forewarm_sandbox::process::stand_by;
pub use forewarm_store::HistoryRow;
pub use page_cache::Pages;
pub use process::{ProcessLimits, rehearse::Rehearsed};
pub use python::PythonOptions;
pub use request::{Emulate, Overrides, Request, Sample, Settings};
pub use stand::stand;
pub use warm::{Kept, Warmed};

/// Version of what the analyzer finds; a stored analysis of another version is made anew.
pub(crate) const ANALYZER_VERSION: u32 = 19;

/// The whole system on this machine.
pub struct Orchestrator {
    executor: Executor,
    memory: Memory,
    clock: Arc<dyn Clock>,
    /// When the system was opened, until the first run counts from there.
    opened: Mutex<Option<Moment>>,
    /// Held by the run in progress; another waits for its turn.
    turn: Mutex<()>,
    in_flight: Mutex<Option<run::InFlight>>,
    /// What the machine does around the next run, where it was noted already.
    around: Mutex<Option<Surroundings>>,
    /// Whether a run was asked of the holder that is not in flight yet, and may have begun all the same.
    asked: AtomicBool,
    /// Whether this process goes on after its run, so that it does not stand for the program.
    goes_on: bool,
    data_directory: Option<PathBuf>,
    cache_directory: Option<PathBuf>,
    prepare_command: Option<PathBuf>,
    timing_command: Option<PathBuf>,
    /// Takes a function's response as soon as it is there.
    deliver: fn(&[u8]),
    /// Where the holder is met.
    holder: Option<forewarm_holder::Place>,
    /// The holder that was told of the run in progress.
    expecting: Mutex<Option<forewarm_holder::Holder>>,
}

/// A point in time on both clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// On the monotonic clock.
    pub monotonic: Seconds,
    /// Since the Unix epoch.
    pub unix: Seconds,
}

/// What a run leaves: the `--report` document.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// Version of this document.
    pub schema: u32,
    /// What was decided.
    pub plan: Plan,
    /// What happened.
    pub observation: Observation,
    /// The one against the other.
    pub prediction: Score,
    /// What `--invoke` returned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<String>,
    /// How the event went that a native program was run for. What a function said is in no report.
    #[serde(skip)]
    pub outcome: Option<forewarm_lambda::Outcome>,
}

/// What `forewarm emulate` prints: the analysis with measured counts and predicted times.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Emulation {
    /// Version of this document.
    pub schema: u32,
    /// The static analysis.
    pub analysis: Analysis,
    /// The trial, with all that it counted.
    pub trial: Option<forewarm_types::plan::Trial>,
    /// The run time on each tier that follows from what was counted, in its terms; empty where only operators in total
    /// were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<forewarm_types::model::RunModel>,
    /// Runs of a native or Python program on sample inputs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rehearsals: Vec<Rehearsed>,
    /// The plan that follows from it.
    pub plan: Plan,
}

/// A line of `forewarm doctor`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// Whether all is well.
    pub ok: bool,
    /// What was found.
    pub found: String,
    /// How to get more, where there is more to get.
    pub hint: Option<String>,
}

impl Orchestrator {
    /// Opens the system; never fails: what is missing costs warnings.
    #[must_use]
    pub fn open(settings: Settings, clock: Arc<dyn Clock>) -> Self {
        let opened = Moment { monotonic: clock.monotonic(), unix: clock.unix() };
        let memory = Memory::at(settings.data_directory.clone(), settings.record);
        let artifacts = settings.cache_directory.clone().and_then(|directory| {
            ArtifactCache::open(directory, settings.cache_limit)
                .inspect_err(|error| memory.warn(format!("the artifact cache is not used: {error}")))
                .ok()
        });
        let executor = Executor::new(artifacts, Arc::clone(&clock)).releasing_memory(settings.release_memory);
        let executor = match &settings.cache_directory {
            Some(directory) => executor.with_leases_in(directory.join("leases")),
            None => executor,
        };
        Self {
            executor,
            memory,
            clock,
            opened: Mutex::new(Some(opened)),
            turn: Mutex::new(()),
            in_flight: Mutex::new(None),
            around: Mutex::new(None),
            asked: AtomicBool::new(false),
            goes_on: settings.release_memory,
            data_directory: settings.data_directory,
            cache_directory: settings.cache_directory,
            prepare_command: settings.prepare_command,
            timing_command: settings.timing_command,
            deliver: |_| {},
            holder: None,
            expecting: Mutex::new(None),
        }
    }

    /// The same with a place where the holder may be met, whose warm processes runs then start from.
    #[must_use]
    pub fn with_holder_at(self, place: forewarm_holder::Place) -> Self {
        Self { holder: Some(place), ..self }
    }

    /// The same with one who takes what a native program's function responds, before its run is over.
    #[must_use]
    pub fn delivering_to(self, deliver: fn(&[u8])) -> Self {
        Self { deliver, ..self }
    }

    /// When a run begins: the first of a process with the opening of the system, which it caused; others now.
    pub(crate) fn begin(&self) -> Moment {
        let opened = memory::lock(&self.opened).take();
        opened.unwrap_or_else(|| Moment { monotonic: self.clock.monotonic(), unix: self.clock.unix() })
    }

    /// What could not be done but did not matter, since the last call.
    pub fn warnings(&self) -> Vec<String> {
        self.memory.warnings()
    }
}
