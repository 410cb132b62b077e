//! The loop: analyse, believe, probe, choose, allocate, warm, run, learn. What an embedder uses.
//!
//! It alone joins the rooms with the store. It prints nothing; what happened is in what it returns, and what could
//! not be done but did not matter is in [`Orchestrator::warnings`].
#![forbid(unsafe_code)]

pub mod error;
pub mod request;

use std::sync::Arc;

use forewarm_types::host::Clock;
use forewarm_types::observation::Score;
use forewarm_types::{Analysis, Exit, ExitCause, Observation, Plan};
use serde::{Deserialize, Serialize};

pub use error::Error;
pub use request::{Emulate, Overrides, Request, Settings};

/// The whole system on this machine.
pub struct Orchestrator {}

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
}

/// What `forewarm emulate` prints: the analysis with measured counts and predicted times.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Emulation {
    /// Version of this document.
    pub schema: u32,
    /// The static analysis.
    pub analysis: Analysis,
    /// The trial.
    pub trial: Option<forewarm_types::plan::Trial>,
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
        let _ = (settings, clock);
        todo!()
    }

    /// Analyses a file.
    ///
    /// # Errors
    /// Where the file cannot be read or is not valid code.
    pub fn analyze(&self, file: &std::path::Path) -> Result<Analysis, Error> {
        let _ = file;
        todo!()
    }

    /// Plans a run without running it.
    ///
    /// # Errors
    /// As [`Self::analyze`], and where no candidate satisfies the hard constraints.
    pub fn plan(&self, request: &Request) -> Result<Plan, Error> {
        let _ = request;
        todo!()
    }

    /// Runs a bounded trial and plans by it.
    ///
    /// # Errors
    /// As [`Self::plan`].
    pub fn emulate(&self, request: &Request) -> Result<Emulation, Error> {
        let _ = request;
        todo!()
    }

    /// The whole loop. The observation is recorded before this returns.
    ///
    /// # Errors
    /// As [`Self::plan`], and where the program cannot be warmed. A program that fails is no error: see
    /// [`Observation::exit`].
    pub fn run(&self, request: &Request) -> Result<Report, Error> {
        let _ = request;
        todo!()
    }

    /// Gives up on the run in progress, from another thread: records it as censored and says how the process should
    /// end. `None` where no run is in progress (nothing to record).
    pub fn abandon(&self, cause: ExitCause, signal: Option<i32>) -> Option<Exit> {
        let _ = (cause, signal);
        todo!()
    }

    /// What could not be done but did not matter, since the last call.
    pub fn warnings(&self) -> Vec<String> {
        todo!()
    }

    /// Makes the artifact a plan's [`forewarm_types::plan::Preparation`] asks for: the body of the detached step.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn prepare(&self, file: &std::path::Path, configuration: &forewarm_types::Configuration) -> Result<(), Error> {
        let _ = (file, configuration);
        todo!()
    }

    /// The resource model in force: measured where measured, defaults elsewhere.
    #[must_use]
    pub fn resources(&self) -> forewarm_resources::ResourceModel {
        todo!()
    }

    /// Measures this machine and stores what it finds. `progress` gets a line per stage.
    ///
    /// # Errors
    /// Where an engine cannot be made or nothing can be stored.
    pub fn probe(&self, progress: &mut dyn FnMut(&str)) -> Result<forewarm_resources::ResourceModel, Error> {
        let _ = progress;
        todo!()
    }

    /// Stores a model exported elsewhere.
    ///
    /// # Errors
    /// Where it cannot be stored.
    pub fn import_resources(&self, model: &forewarm_resources::ResourceModel) -> Result<(), Error> {
        let _ = model;
        todo!()
    }

    /// Past runs, newest first; of one file where given.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn history(&self, file: Option<&std::path::Path>, limit: u32) -> Result<Vec<Observation>, Error> {
        let _ = (file, limit);
        todo!()
    }

    /// Forgets past runs of one file, or all; returns how many.
    ///
    /// # Errors
    /// Where the database cannot be written.
    pub fn forget(&self, file: Option<&std::path::Path>) -> Result<u64, Error> {
        let _ = file;
        todo!()
    }

    /// Artifacts standing in the cache.
    ///
    /// # Errors
    /// Where the cache cannot be read.
    pub fn cached(&self) -> Result<Vec<forewarm_executor::artifacts::ArtifactInfo>, Error> {
        todo!()
    }

    /// Evicts artifacts down to a size; returns the bytes freed.
    ///
    /// # Errors
    /// Where the cache cannot be read.
    pub fn prune(&self, keep: forewarm_types::Bytes) -> Result<forewarm_types::Bytes, Error> {
        let _ = keep;
        todo!()
    }

    /// What this machine allows, and how to get more.
    #[must_use]
    pub fn doctor(&self) -> Vec<Check> {
        todo!()
    }
}
