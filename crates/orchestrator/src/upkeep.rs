//! Beside the loop: the resource model, history, the artifact cache, and what this machine allows.

use std::path::Path;

use forewarm_analyzer::Depth;
use forewarm_executor::artifacts::ArtifactInfo;
use forewarm_resources::{Inventory, ResourceModel};
use forewarm_sandbox::RealFiles;
use forewarm_store::StoreError;
use forewarm_types::{Analysis, Bytes};

use crate::error::Error;
use crate::program::Program;
use crate::python::PythonOptions;
use crate::{Check, Orchestrator};

/// Shares of a core considered where a quota can be enforced: halves, down to a quarter.
const SHARES: [f64; 2] = [0.5, 0.25];

/// Seconds of each look at the power drawn: counters are updated every millisecond, and a state takes some to settle.
const POWER_LOOK_SECONDS: f64 = 0.2;

impl Orchestrator {
    /// Analyses a file in full: validated, with names and regions. What `options` say matters for Python only.
    ///
    /// # Errors
    /// Where the file cannot be read or is not valid code.
    pub fn analyze(&self, file: &Path, options: &PythonOptions) -> Result<Analysis, Error> {
        let mut program = Program::open(file, self.clock.unix())?;
        let bytes = program.read()?;
        if forewarm_analyzer::is_python(program.file_name(), &bytes) {
            return self.analyze_python(&program, &bytes, options, Depth::Full);
        }
        self.inspect_bytes(&mut program, bytes, Depth::Full)
    }

    /// The resource model in force: measured where measured, defaults elsewhere.
    #[must_use]
    pub fn resources(&self) -> ResourceModel {
        let stored = self.memory.recall(forewarm_store::Store::model).flatten();
        ResourceModel { inventory: inventory(), ..self.resource_model(stored.as_deref()) }
    }

    /// A stored model where one is, with defaults for what it lacks; it is on the way to the first instruction, so that
    /// of an unprobed machine only what a plan cannot do without is looked at.
    pub(crate) fn resource_model(&self, stored: Option<&str>) -> ResourceModel {
        let stored: Option<ResourceModel> = stored.and_then(|text| serde_json::from_str(text).ok());
        let cores = allowed_cores();
        match stored {
            Some(stored) if stored.inventory.cores() == cores => {
                let defaults = forewarm_resources::defaults::model(stored.inventory.clone());
                forewarm_resources::merge(defaults, &stored)
            }
            Some(stored) => forewarm_resources::merge(forewarm_resources::defaults::model(glance(cores)), &stored),
            None => forewarm_resources::defaults::model(glance(cores)),
        }
    }

    /// Measures this machine and stores what it finds. `progress` gets a line per stage.
    ///
    /// # Errors
    /// Where an engine cannot be made or nothing can be stored.
    pub fn probe(&self, progress: &mut dyn FnMut(&str)) -> Result<ResourceModel, Error> {
        let clock = std::sync::Arc::clone(&self.clock);
        let mut model =
            forewarm_emulator::calibrate(inventory(), forewarm_emulator::Budget::default(), clock, progress)
                .map_err(|error| Error::Internal(error.to_string()))?;
        let (files, cores) = (forewarm_sandbox::RealFiles, model.inventory.cores());
        progress("power");
        forewarm_emulator::measure_power(&mut model.power, &files, &*self.clock, cores, POWER_LOOK_SECONDS);
        if let Some(accelerators) = forewarm_sandbox::nvml::Nvml::open() {
            forewarm_emulator::measure_accelerators(&mut model.power, &accelerators, &*self.clock, POWER_LOOK_SECONDS);
        }
        self.import_resources(&model)?;
        Ok(model)
    }

    /// Stores a model as this machine's.
    ///
    /// # Errors
    /// Where it cannot be stored.
    pub fn import_resources(&self, model: &ResourceModel) -> Result<(), Error> {
        let text = serde_json::to_string(model).map_err(|error| Error::Internal(error.to_string()))?;
        self.memory.settle();
        self.stored("the resource model cannot be stored", |store| store.set_model(&text))
    }

    /// Past runs, newest first; of one file where given.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn history(&self, file: Option<&Path>, limit: u32) -> Result<Vec<forewarm_store::HistoryRow>, Error> {
        let digest = file.map(|file| self.digest(file)).transpose()?;
        if !self.memory.is_open() {
            return Ok(Vec::new());
        }
        self.stored("history cannot be read", |store| store.history(digest.as_ref(), limit))
    }

    /// Forgets past runs of one file, or all; returns how many.
    ///
    /// # Errors
    /// Where the database cannot be written.
    pub fn forget(&self, file: Option<&Path>) -> Result<u64, Error> {
        let digest = file.map(|file| self.digest(file)).transpose()?;
        self.stored("history cannot be changed", |store| {
            let forgotten = store.forget(digest.as_ref())?;
            store.maintain()?;
            Ok(forgotten)
        })
    }

    fn digest(&self, file: &Path) -> Result<forewarm_types::Digest, Error> {
        let mut program = Program::open(file, self.clock.unix())?;
        Ok(crate::program::digest_of(&program.read()?))
    }

    pub(crate) fn stored<T>(
        &self,
        message: &str,
        ask: impl FnOnce(&forewarm_store::Store) -> Result<T, StoreError>,
    ) -> Result<T, Error> {
        let mut failure = None;
        let answer = self.memory.recall(|store| match ask(store) {
            Ok(answer) => Ok(Some(answer)),
            Err(error) => {
                failure = Some(error.to_string());
                Ok(None)
            }
        });
        answer.flatten().ok_or_else(|| Error::State {
            message: message.to_owned(),
            file: self.data_directory.clone().unwrap_or_default(),
            cause: failure.unwrap_or_else(|| "there is no database".into()),
            hint: Some("see what forewarm doctor says of it".into()),
        })
    }

    /// Artifacts standing in the cache.
    ///
    /// # Errors
    /// Where the cache cannot be read.
    pub fn cached(&self) -> Result<Vec<ArtifactInfo>, Error> {
        self.executor.artifacts().map_or(Ok(Vec::new()), |cache| cache.list().map_err(|e| self.cache_error(&e)))
    }

    /// Evicts artifacts down to a size; returns the bytes freed.
    ///
    /// # Errors
    /// Where the cache cannot be read.
    pub fn prune(&self, keep: Bytes) -> Result<Bytes, Error> {
        self.executor.artifacts().map_or(Ok(Bytes::ZERO), |cache| cache.prune(keep).map_err(|e| self.cache_error(&e)))
    }

    fn cache_error(&self, error: &std::io::Error) -> Error {
        Error::State {
            message: "the artifact cache cannot be used".into(),
            file: self.cache_directory.clone().unwrap_or_default(),
            cause: error.to_string(),
            hint: None,
        }
    }

    /// What this machine allows, and how to get more.
    #[must_use]
    pub fn doctor(&self) -> Vec<Check> {
        crate::doctor::checks(self)
    }
}

/// What this machine has, as its system says.
pub(crate) fn inventory() -> Inventory {
    let shares = forewarm_sandbox::cgroup::available();
    Inventory {
        executable_memory: forewarm_sandbox::memory::executable_allowed(),
        enforceable_shares: if shares { SHARES.to_vec() } else { Vec::new() },
        ..forewarm_resources::inventory::detect(&RealFiles, allowed_cores())
    }
}

/// The least of it that a plan cannot do without.
fn glance(cores: u32) -> Inventory {
    Inventory {
        executable_memory: forewarm_sandbox::memory::executable_allowed(),
        ..forewarm_resources::inventory::quick(&RealFiles, cores)
    }
}

/// Cores the scheduler lets this process use; one where it does not say.
fn allowed_cores() -> u32 {
    forewarm_sandbox::affinity::allowed().map_or(1, |cores| u32::try_from(cores.len()).unwrap_or(u32::MAX).max(1))
}
