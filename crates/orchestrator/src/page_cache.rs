//! The lowest rung of a process: the files it reads, in the page cache.
//!
//! Which they are is noted once (`forewarm warm`, or the step a cold run detaches) and kept in the store; a run that finds
//! them gone has them read ahead where the planner says so. Called by the run of a process and by who warms one.

use std::fs::File;
use std::io::{Read, Seek};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use forewarm_executor::page_cache::{Manifest, Reading};
use forewarm_holder::{Rung, RungStep};
use forewarm_planner::AbsentFiles;
use forewarm_sandbox::process::{Bounds, Cause, Confinement, Program as Command, spawn_on};
use forewarm_store::PageSample;
use forewarm_types::python::{ImportOrigin, ImportTime};
use forewarm_types::{Bytes, CodeKind, Observation, Plan, Seconds, StepTiming};
use serde::{Deserialize, Serialize};

use crate::Orchestrator;
use crate::consider::Considered;
use crate::error::Error;
use crate::memory::lock;
use crate::process::confinement;
use crate::request::Request;

/// What names the files that a Python program reads: given to the interpreter with `-c`.
const FILES: &str = include_str!("page_cache/files.py");

/// How many files are looked at before every run: a microsecond or two each, and the largest hold most of what is read.
const LOOKED_AT: usize = 8;

/// Longest that importing is waited for, as of a measured import (`emulator::imports`).
const MOST_SECONDS: Seconds = Seconds(60.0);

/// Most bytes of names: sixteen thousand of the longest.
const MOST_NAMES: u64 = 64 << 20;

/// What a program reads of its files, brought into memory.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Pages {
    /// Files it reads.
    pub files: usize,
    /// Bytes of them.
    pub bytes: Bytes,
    /// Bytes that were not in memory and are now.
    pub read_bytes: Bytes,
    /// Time that took, in seconds.
    pub seconds: f64,
    /// Whether they had to be noted first, by doing what reads them.
    pub noted: bool,
}

impl Pages {
    /// As the lowest rung of a climb.
    pub(crate) fn step(&self) -> RungStep {
        RungStep { rung: Rung::PageCache, seconds: self.seconds, bytes: self.bytes }
    }
}

impl Orchestrator {
    /// Has what a process reads of its files brought into memory; which that is is noted where it is not known.
    ///
    /// # Errors
    /// Where the program is no process, or cannot be analysed.
    pub(crate) fn warm_pages(&self, request: &Request, considered: &mut Considered) -> Result<Pages, Error> {
        if let Some(known) = self.read_known(considered) {
            return Ok(known);
        }
        let manifest = self.note_of(request, considered)?;
        Ok(Pages { noted: true, ..self.read_manifest(considered, &manifest) })
    }

    /// The same where it is known what that is and no file has changed since.
    pub(crate) fn read_known(&self, considered: &Considered) -> Option<Pages> {
        let known = self.manifest(considered).filter(|manifest| !manifest.is_empty() && manifest.is_current())?;
        Some(self.read_manifest(considered, &known))
    }

    fn read_manifest(&self, considered: &Considered, manifest: &Manifest) -> Pages {
        let began = self.clock.monotonic();
        let read_bytes = manifest.read_ahead();
        manifest.settle();
        let seconds = (self.clock.monotonic() - began).0;
        self.add_reading(considered, seconds, read_bytes);
        Pages { files: manifest.len(), bytes: manifest.bytes(), read_bytes, seconds, noted: false }
    }

    /// Notes which files a process reads: part of the detached step after a cold run.
    ///
    /// # Errors
    /// Where the program is no process, or cannot be analysed.
    pub fn note_pages(&self, request: &Request) -> Result<(), Error> {
        let mut considered = self.consider(request)?;
        self.note_of(request, &mut considered).map(drop)
    }

    fn note_of(&self, request: &Request, considered: &mut Considered) -> Result<Manifest, Error> {
        let files = match considered.analysis.code.kind {
            CodeKind::Python => self.files_of_python(request, considered)?,
            CodeKind::Elf => self.files_of_native(request, considered),
            kind => {
                return Err(Error::Usage {
                    message: format!("{} is {kind} code, whose files are not kept in memory", request.file.display()),
                    hint: Some("native and Python programs' are".into()),
                });
            }
        };
        let manifest = Manifest::record(files);
        let text = |manifest: &Manifest| serde_json::to_string(manifest).unwrap_or_default();
        let sample = PageSample { bytes: manifest.bytes().0, sample: text(&manifest.sample(LOOKED_AT)) };
        let (digest, now) = (considered.analysis.code.digest, self.clock.unix().0);
        self.memory.write(|store| store.set_pages(&digest, &sample, &text(&manifest), now));
        Ok(manifest)
    }

    /// The program itself, its dynamic linker and its libraries as that finds them, all read once so that they are there.
    fn files_of_native(&self, request: &Request, considered: &Considered) -> Vec<PathBuf> {
        let file = std::path::absolute(&request.file).unwrap_or_else(|_| request.file.clone());
        let files: Vec<PathBuf> = std::iter::once(file).chain(self.loaded(considered)).collect();
        // What cannot be read is not recorded.
        files.iter().filter_map(|file| File::open(file).ok()).for_each(|mut file| {
            let _ = std::io::copy(&mut file, &mut std::io::sink());
        });
        files
    }

    /// What the interpreter reads for the imports a program begins with, carried out in the sandbox without network and with
    /// nothing to write to.
    fn files_of_python(&self, request: &Request, considered: &Considered) -> Result<Vec<PathBuf>, Error> {
        let command = self.command(request, CodeKind::Python)?;
        let bare = Request { directories: Vec::new(), network: false, ..request.clone() };
        let walls = confinement(&bare, &command, false)?;
        let walls = Confinement { bounds: Bounds { wall: Some(MOST_SECONDS), ..walls.bounds }, ..walls };
        let file = std::path::absolute(&request.file).unwrap_or_else(|_| request.file.clone());
        let lines = leading(considered).map(|line| line.to_string().into());
        let words = [command.executable.clone().into(), "-c".into(), FILES.into(), file.into()];
        let listing = Command { arguments: words.into_iter().chain(lines).collect(), ..command };
        let failed = |cause: String| Error::Sandbox { file: request.file.clone(), cause };
        let names = listed(&listing, &walls).map_err(|error| failed(format!("listing its files: {error}")))?;
        let names = names.ok_or_else(|| failed("the interpreter did not tell its files".to_owned()))?;
        let names = names.split(|byte| *byte == 0).filter(|name| !name.is_empty());
        Ok(names.map(|name| PathBuf::from(std::ffi::OsStr::from_bytes(name))).collect())
    }

    fn manifest(&self, considered: &Considered) -> Option<Manifest> {
        let digest = considered.analysis.code.digest;
        let text = self.memory.recall(|store| store.page_manifest(&digest)).flatten()?;
        serde_json::from_str(&text).ok()
    }

    /// What of the files a process reads is not in memory, by a look at those that have most. Nothing where something warm
    /// is about to run it.
    pub(crate) fn absent(&self, considered: &Considered) -> AbsentFiles {
        let nothing = AbsentFiles::default();
        if !considered.analysis.code.kind.is_process() || lock(&self.expecting).is_some() {
            return nothing;
        }
        let digest = considered.analysis.code.digest;
        let Some(known) = self.memory.recall(|store| store.page_sample(&digest)).flatten() else { return nothing };
        let Ok(sample) = serde_json::from_str::<Manifest>(&known.sample) else { return nothing };
        let absent = sample.absent();
        if absent.0 == 0 {
            return nothing;
        }
        let rungs = self.memory.recall(|store| store.rungs(&digest)).unwrap_or_default();
        let measured = rungs.iter().find(|row| row.rung == Rung::PageCache.name() && row.bytes > 0);
        AbsentFiles {
            bytes: absent.as_f64() / sample.bytes().as_f64().max(1.0) * known.bytes as f64,
            ahead_seconds_per_byte: measured.map(|row| row.seconds / row.bytes as f64),
        }
    }

    /// Begins to read a process' files ahead where the plan says so, beside whatever follows.
    pub(crate) fn read_ahead(&self, considered: &Considered, plan: &Plan) -> Option<Reading> {
        plan.chosen.configuration.process().filter(|settings| settings.read_ahead)?;
        let digest = considered.analysis.code.digest;
        let text = self.memory.recall(|store| store.page_manifest(&digest)).flatten()?;
        Reading::begin(move || serde_json::from_str(&text).ok(), Arc::clone(&self.clock))
    }

    /// Takes note of a reading that is over.
    pub(crate) fn add_reading(&self, considered: &Considered, seconds: f64, bytes: Bytes) {
        if bytes.0 > 0 {
            let (digest, now) = (considered.analysis.code.digest, self.clock.unix().0);
            self.memory.write(|store| store.add_climb(&digest, &[(Rung::PageCache.name(), seconds, bytes.0)], now));
        }
    }

    /// What a reading beside a run took, where it is over by now.
    pub(crate) fn read(&self, considered: &Considered, reading: Option<Reading>) -> Option<StepTiming> {
        let step = reading?.told()?;
        self.add_reading(considered, step.wall_seconds, step.bytes);
        Some(step)
    }

    /// Whether the files of a run that is over are worth being noted for later ones.
    pub(crate) fn notes_pages(
        &self,
        request: &Request,
        considered: &Considered,
        plan: &Plan,
        observation: &Observation,
    ) -> bool {
        let read = observation.process.as_ref().map_or(0, |process| process.read_bytes.0);
        let reads_ahead = plan.chosen.configuration.process().is_some_and(|settings| settings.read_ahead);
        if read == 0 || reads_ahead || observation.censored {
            return false;
        }
        let runs = considered.reuse.code_runs + 1;
        let inputs = self.inputs(considered, request, &[]);
        forewarm_planner::noting_pays(&inputs, &plan.weights, read as f64, observation.run_cpu_seconds, runs)
    }
}

/// Lines of the imports that always happen when the program is loaded, and lead to installed modules.
fn leading(considered: &Considered) -> impl Iterator<Item = u32> + '_ {
    let imports = considered.analysis.python.iter().flat_map(|python| &python.imports);
    let installed = [ImportOrigin::Standard, ImportOrigin::Distribution];
    let leading = imports.filter(move |import| {
        import.when == ImportTime::Static && import.function.is_none() && installed.contains(&import.origin)
    });
    leading.map(|import| import.line)
}

/// What a confined program writes to its output; `None` where it fails or writes too much.
fn listed(program: &Command, walls: &Confinement) -> Result<Option<Vec<u8>>, Box<dyn std::error::Error>> {
    let null = File::options().read(true).write(true).open(Path::new("/dev/null"))?;
    let mut output = File::from(rustix::fs::memfd_create("forewarm", rustix::fs::MemfdFlags::CLOEXEC)?);
    let ended = spawn_on(program, walls, [null.as_fd(), output.as_fd(), null.as_fd()])?.wait()?;
    let length = output.metadata()?.len();
    if ended.cause != Cause::Exited(0) || length == 0 || length > MOST_NAMES {
        return Ok(None);
    }
    output.rewind()?;
    let mut names = Vec::new();
    output.read_to_end(&mut names)?;
    Ok(Some(names))
}
