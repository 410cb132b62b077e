//! Python programs: analysed in their surroundings; their imports measured where that is asked for.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use forewarm_analyzer::{AnalyzeError, Depth, Environment, PythonSource};
use forewarm_emulator::imports::{MOST_SECONDS, ModuleTime, measure_imports};
use forewarm_store::ModuleCostRow;
use forewarm_types::python::{ImportOrigin, ImportTime};
use forewarm_types::{Analysis, Bytes};

use crate::environment::{KnownCost, ModuleCosts, Python, PythonEnvironment, find_interpreter};
use crate::error::Error;
use crate::program::{Program, digest_of};
use crate::{ANALYZER_VERSION, Orchestrator};

/// What is said of a Python program beyond its file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PythonOptions {
    /// The function called for each event, as `handler` or `file.handler`; `None` for a script.
    pub handler: Option<String>,
    /// The interpreter, or the folder of a virtual environment; `None` for `python3` on the path.
    pub python: Option<PathBuf>,
}

/// Where the figures of measured imports come from.
const SOURCE: &str = "measured here: python -X importtime";

impl Orchestrator {
    /// Whether a file is Python source.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn is_python(&self, file: &Path) -> Result<bool, Error> {
        let mut program = Program::open(file, self.clock.unix())?;
        let bytes = program.read()?;
        Ok(forewarm_analyzer::is_python(program.file_name(), &bytes))
    }

    /// Analyses a Python program in the surroundings of an interpreter.
    pub(crate) fn analyze_python(
        &self,
        program: &Program,
        bytes: &[u8],
        options: &PythonOptions,
        depth: Depth,
    ) -> Result<Analysis, Error> {
        let started = self.clock.monotonic();
        let python = self.interpreter(options)?;
        let environment = PythonEnvironment::new(python.clone(), local(program.path()), self.costs(python.as_ref()));
        let mut analysis = python_analysis(program, bytes, options, &environment, depth)?;
        analysis.seconds = (self.clock.monotonic() - started).0;
        Ok(analysis)
    }

    /// Imports what a program imports, in a process of its own, and keeps what each module took; then analyses the
    /// program with these figures. What was measured of the same version of a distribution before, for whatever program, is
    /// not imported again.
    ///
    /// # Errors
    /// Where the file cannot be read or analysed, there is no interpreter, or it takes too long.
    pub fn measure_python(&self, file: &Path, options: &PythonOptions) -> Result<Analysis, Error> {
        let mut program = Program::open(file, self.clock.unix())?;
        let bytes = program.read()?;
        let Some(python) = self.interpreter(options)? else {
            return Err(Error::Usage {
                message: "there is no Python interpreter to measure imports with".into(),
                hint: Some("name one with --python".into()),
            });
        };
        self.memory.settle();
        let environment = PythonEnvironment::new(Some(python.clone()), local(file), self.costs(Some(&python)));
        let found = python_analysis(&program, &bytes, options, &environment, Depth::Full)?;
        let mut costs = self.costs(Some(&python));
        costs.extend(self.measure_unknown(&python, &importable(&found), &environment)?.into_iter().map(priced));
        let environment = PythonEnvironment::new(Some(python), local(file), costs);
        let started = self.clock.monotonic();
        let mut analysis = python_analysis(&program, &bytes, options, &environment, Depth::Full)?;
        analysis.seconds = (self.clock.monotonic() - started).0;
        // So that plans and runs go by what was measured.
        if let Ok(text) = serde_json::to_string(&analysis) {
            let digest = analysis.code.digest;
            self.memory.write(|store| store.remember_analysis(&digest, ANALYZER_VERSION, &text));
            if let Some(stamp) = program.stamp() {
                self.memory.write(|store| store.remember_file(stamp, &digest));
            }
        }
        Ok(analysis)
    }

    /// Imports those modules of which nothing is known that holds for what is installed now, and keeps what they and what
    /// they import in turn took.
    fn measure_unknown(
        &self,
        python: &Python,
        modules: &[String],
        environment: &PythonEnvironment,
    ) -> Result<Vec<ModuleCostRow>, Error> {
        let unknown: Vec<String> = modules.iter().filter(|module| !lasts(environment, module)).cloned().collect();
        if unknown.is_empty() {
            return Ok(Vec::new());
        }
        let measured = measure_imports(&python.executable, &unknown, MOST_SECONDS)
            .map_err(|error| Error::Internal(error.to_string()))?;
        for failed in &measured.failed {
            self.memory.warn(format!("not imported: {failed}"));
        }
        // What is known stays as it was measured by itself, and who loads it too.
        let news = measured.modules.into_iter().filter(|time| !lasts(environment, &time.module));
        let rows: Vec<ModuleCostRow> = news.map(|time| row(time, environment)).collect();
        self.memory.write(|store| store.set_module_costs(&python.version, &rows));
        Ok(rows)
    }

    pub(crate) fn interpreter(&self, options: &PythonOptions) -> Result<Option<Python>, Error> {
        let memo = self.cache_directory.as_ref().map(|folder| folder.join("python-interpreter"));
        find_interpreter(options.python.as_deref(), memo.as_deref()).map_err(|error| Error::Usage {
            message: error.to_string(),
            hint: Some("--python names an executable, or the folder of a virtual environment".into()),
        })
    }

    fn costs(&self, python: Option<&Python>) -> ModuleCosts {
        let Some(python) = python else { return ModuleCosts::new() };
        let rows = self.memory.recall(|store| store.module_costs(&python.version)).unwrap_or_default();
        rows.into_iter().map(priced).collect()
    }
}

fn python_analysis(
    program: &Program,
    bytes: &[u8],
    options: &PythonOptions,
    environment: &PythonEnvironment,
    depth: Depth,
) -> Result<Analysis, Error> {
    let file_name = program.path().to_string_lossy();
    let source = PythonSource { file_name: &file_name, handler: options.handler.as_deref(), environment };
    let size = Bytes(bytes.len() as u64);
    forewarm_analyzer::analyze_python(bytes, digest_of(bytes), size, depth, &source).map_err(|error| {
        let (file, hint) = (program.path().to_owned(), error.hint());
        match error {
            AnalyzeError::NoHandler { .. } => Error::Usage { message: error.to_string(), hint },
            AnalyzeError::Syntax { .. } => Error::Syntax { file, cause: error.to_string(), hint },
            _ => Error::Invalid { file, cause: error.to_string(), hint },
        }
    })
}

/// The folder of a program's own modules: its own, as for `python FILE`.
fn local(file: &Path) -> Vec<PathBuf> {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    file.parent().map(Path::to_owned).into_iter().collect()
}

/// What a program imports that is not its own, in order and once each.
fn importable(analysis: &Analysis) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let imports = analysis.python.iter().flat_map(|python| &python.imports);
    let wanted = imports.filter(|import| {
        import.when != ImportTime::Never
            && matches!(import.origin, ImportOrigin::Standard | ImportOrigin::Distribution | ImportOrigin::File)
    });
    wanted.map(|import| import.module.clone()).filter(|module| seen.insert(module.clone())).collect()
}

/// Whether what is known of a module's cost lasts: it was measured in the version of its distribution that is installed, or is
/// of the standard library, which has the interpreter's version. Other files may have changed since.
fn lasts(environment: &PythonEnvironment, module: &str) -> bool {
    let Some(file) = environment.find(module) else { return false };
    let versioned = file.distribution.is_some() || file.origin == ImportOrigin::Standard;
    versioned && environment.cost(module, &file).is_some()
}

fn row(time: ModuleTime, environment: &PythonEnvironment) -> ModuleCostRow {
    let ModuleTime { module, seconds, variance, parent, bytes, startup, samples } = time;
    let distribution = environment.find(&module).and_then(|file| file.distribution);
    let distribution = distribution.map(|name| format!("{name} {}", environment.version(&name).unwrap_or_default()));
    let source = SOURCE.to_owned();
    ModuleCostRow { module, distribution, seconds, variance, parent, bytes, startup, samples, source }
}

fn priced(row: ModuleCostRow) -> (String, KnownCost) {
    let ModuleCostRow { module, distribution, seconds, variance, parent, bytes, startup, samples, .. } = row;
    let cost = forewarm_analyzer::ModuleCost { seconds, variance, bytes, samples, startup };
    (module, KnownCost { distribution, parent, cost })
}
