//! Between runs: having programs warmed by the holder, and starting runs from what it holds.
//!
//! What is warmed goes through the same loop as a run (recognised, planned, confined), so that what is held is what a run
//! of the same kind asks for. A run that cannot be served runs as if nothing were held.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use forewarm_executor::process::Wanted;
use forewarm_holder::{Climb, Held, Holder, Program, PythonProgram, Run, Rung, Started, Walls};
use forewarm_sandbox::process::{Confinement, Ended, Program as Command};
use forewarm_types::python::{ImportOrigin, ImportTime};
use forewarm_types::{Bytes, CodeKind};
use serde::{Deserialize, Serialize};

use crate::Orchestrator;
use crate::consider::Considered;
use crate::error::Error;
use crate::memory::lock;
use crate::page_cache::Pages;
use crate::process::{RUNNER, confinement, handler_of, is_handled};
use crate::request::Request;
use crate::warm_wasm::settled;

const SECONDS_PER_HOUR: f64 = 3600.0;

/// A program that was warmed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Warmed {
    /// Its file.
    pub file: PathBuf,
    /// How far the climb came and what it took.
    #[serde(flatten)]
    pub climb: Climb,
    /// Of a native or Python program, the lowest rung, where that was climbed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages: Option<Pages>,
}

impl Warmed {
    /// What a climb came to, the lowest rung before it.
    pub(crate) fn of(request: &Request, mut climb: Climb, pages: Option<Pages>) -> Self {
        if let Some(pages) = &pages {
            climb.steps.insert(0, pages.step());
            // What stands already took none of this time.
            climb.seconds += if climb.seconds > 0.0 { pages.seconds } else { 0.0 };
        }
        Self { file: request.file.clone(), climb, pages }
    }

    /// What was climbed to that nobody holds, and the rung above that was refused.
    pub(crate) fn in_memory(request: &Request, pages: Pages, refused: Option<(Rung, String)>) -> Self {
        let (rung, files, seconds) = (Rung::PageCache, pages.files, pages.seconds);
        let climb = Climb { rung, steps: vec![pages.step()], refused, held_bytes: Bytes::ZERO, files, seconds };
        Self { file: request.file.clone(), climb, pages: Some(pages) }
    }
}

/// A program that is held, and what that costs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Kept {
    /// What the holder says of it.
    #[serde(flatten)]
    pub held: Held,
    /// Price of the memory it holds, in US dollars per hour.
    pub hold_dollars_per_hour: f64,
}

impl Orchestrator {
    /// Whether a Python file is a handler by its look: it defines one of the usual names, and nothing for being run.
    #[must_use]
    pub fn looks_like_handler(file: &Path) -> Option<String> {
        let source = std::fs::read_to_string(file).ok()?;
        if source.lines().any(|line| line.starts_with("if __name__")) {
            return None;
        }
        handler_of(&source)
    }

    /// Has a program warmed up to a rung; above the lowest the holder must be there.
    ///
    /// # Errors
    /// Where it cannot be kept warm, planned for, or the holder cannot warm it.
    pub fn warm(&self, request: &Request, rung: Option<Rung>) -> Result<Warmed, Error> {
        let stamp = settled(&request.file);
        let mut considered = self.consider(request)?;
        if rung == Some(Rung::PageCache) {
            let pages = self.warm_pages(request, &mut considered)?;
            self.remember(&considered);
            return Ok(Warmed::in_memory(request, pages, None));
        }
        match considered.analysis.code.kind {
            CodeKind::Python => self.warm_python(request, considered, rung.unwrap_or(Rung::Worker)),
            CodeKind::WasmModule | CodeKind::WasmComponent => {
                self.warm_wasm(request, considered, stamp, rung.unwrap_or(Rung::Instance))
            }
            CodeKind::Elf => self.warm_native(request, considered, rung),
        }
    }

    fn warm_python(&self, request: &Request, mut considered: Considered, rung: Rung) -> Result<Warmed, Error> {
        let (plan, _) = self.decide(&mut considered, request)?;
        let command = self.command(request, CodeKind::Python)?;
        let lease = self.executor.allocate_process(&plan.chosen.configuration);
        let command = lease.map_err(|error| Error::from_warm(&request.file, error))?.told(command);
        let walls = confinement(request, &command, false)?;
        let program = program(request, &considered, &command, &walls).map_err(|cause| Error::Usage {
            message: format!("{} cannot be kept warm: {cause}", request.file.display()),
            hint: None,
        })?;
        // What it reads is not noted for this: importing tells, and is what the climb does.
        let pages = self.read_known(&considered);
        let climb = self.climb(&considered, Program::Python(program), rung)?;
        Ok(Warmed::of(request, climb.map_err(|why| unkept(request, why))?, pages))
    }

    /// Has the holder climb, and remembers what it took; or says why it did not.
    pub(crate) fn climb(
        &self,
        considered: &Considered,
        program: Program,
        rung: Rung,
    ) -> Result<Result<Climb, String>, Error> {
        let holder = self.holder()?.ok_or_else(|| self.failed("the holder could not be started", &""))?;
        let climb = match holder.warm(program, rung) {
            Ok(climb) => climb,
            Err(error) => return Ok(Err(error.to_string())),
        };
        self.remember(considered);
        if climb.seconds > 0.0 {
            let rungs: Vec<_> = climb.steps.iter().map(|step| (step.rung.name(), step.seconds, step.bytes.0)).collect();
            self.memory.write(|store| store.add_climb(&considered.analysis.code.digest, &rungs, self.clock.unix().0));
        }
        Ok(Ok(climb))
    }

    /// What the holder holds; nothing where there is none.
    ///
    /// # Errors
    /// Where its place is not this user's alone, or it does not answer.
    pub fn held(&self) -> Result<Vec<Kept>, Error> {
        let held = self.holder()?.map(|holder| holder.list()).transpose();
        let held = held.map_err(|error| self.failed("the holder cannot be asked", &error))?.unwrap_or_default();
        let price = self.resources().price.dollars_per_byte_second.value;
        let kept =
            |held: Held| Kept { hold_dollars_per_hour: held.held_bytes.as_f64() * price * SECONDS_PER_HOUR, held };
        Ok(held.into_iter().map(kept).collect())
    }

    /// Has the holder let go of a program, or of all; returns how many were held.
    ///
    /// # Errors
    /// As [`Self::held`].
    pub fn release(&self, file: Option<&Path>) -> Result<usize, Error> {
        let file = file.map(|file| std::path::absolute(file).unwrap_or_else(|_| file.to_owned()));
        let dropped = self.holder()?.map(|holder| holder.release(file)).transpose();
        dropped.map(Option::unwrap_or_default).map_err(|error| self.failed("the holder cannot be asked", &error))
    }

    pub(crate) fn holder(&self) -> Result<Option<Holder>, Error> {
        let found = self.holder.as_ref().map(Holder::find).transpose();
        found.map(Option::flatten).map_err(|error| self.failed("the holder cannot be met", &error))
    }

    /// Whether a holder holds something of a file, which it then looks at while the run is planned. Where there is none this
    /// costs a look at the file system.
    pub(crate) fn expect_warm(&self, file: &Path) -> bool {
        // What stands against it is told when the run asks.
        let Some(holder) = self.holder_if_there() else { return false };
        let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        let held = !holder.expects(file).is_empty();
        *lock(&self.expecting) = held.then_some(holder);
        held
    }

    /// A connection to the holder, where there is one.
    pub(crate) fn holder_if_there(&self) -> Option<Holder> {
        if self.stands_ready() { self.holder().ok().flatten() } else { None }
    }

    pub(crate) fn failed(&self, message: &str, cause: &dyn std::fmt::Display) -> Error {
        Error::State {
            message: message.to_owned(),
            file: self.holder.as_ref().map(forewarm_holder::Place::socket).unwrap_or_default(),
            cause: cause.to_string(),
            hint: Some("forewarm run works without it".to_owned()),
        }
    }

    /// Runs a program from what is warm; `None` where it is to run from nothing, with a warning where something is warm
    /// and cannot serve it.
    pub(crate) fn run_warm(
        &self,
        request: &Request,
        considered: &Considered,
        wanted: &Wanted<'_>,
    ) -> Option<(Ended, Rung)> {
        if considered.analysis.code.kind != CodeKind::Python {
            return None;
        }
        let expecting = lock(&self.expecting).take();
        let holder = match expecting.map_or_else(|| self.holder(), |holder| Ok(Some(holder))) {
            Ok(holder) => holder?,
            Err(error) => {
                self.memory.warn(format!("the holder is not used: {}", error.cause().unwrap_or_default()));
                return None;
            }
        };
        let started = started(request, considered, wanted.program, wanted.confinement);
        let admit = |process: i32| wanted.admit(process);
        let why = match started.map(|started| holder.run_python(&started, &admit)) {
            Ok(Ok(Run::Ended { ended, rung })) => return Some((*ended, rung)),
            Ok(Ok(Run::Cold(why))) => why.filter(|why| !why.starts_with("nothing is warm")),
            Ok(Err(error)) => Some(error.to_string()),
            Err(why) => Some(why),
        };
        if let Some(why) = why {
            self.memory.warn(format!("not started from what is warm: {why}"));
        }
        None
    }
}

/// What else decides how a program is planned for: what stands serves runs that are planned for alike.
pub(crate) fn planning(request: &Request) -> String {
    let Request { objective, weights, overrides, .. } = request;
    format!("{objective:?} {weights:?} {overrides:?}")
}

/// A program that the holder does not keep.
pub(crate) fn unkept(request: &Request, cause: String) -> Error {
    Error::State { message: "cannot be kept warm".to_owned(), file: request.file.clone(), cause, hint: None }
}

/// A run as the holder is asked for it.
fn started<'a>(
    request: &Request,
    considered: &Considered,
    command: &Command,
    bounds: &'a Confinement,
) -> Result<Started<'a>, String> {
    let handled = is_handled(request);
    if handled && !request.arguments.is_empty() {
        return Err("arguments for a handler's module are there when it is imported".to_owned());
    }
    let (event, event_file) = match request.event.as_deref().map(Path::as_os_str) {
        None => (String::new(), None),
        Some(event) if event == "-" => ("-".to_owned(), None),
        Some(event) => {
            let file = std::fs::File::open(event).map_err(|error| format!("the event: {error}"))?;
            (event.to_string_lossy().into_owned(), Some(file))
        }
    };
    // The event comes as an open file, wherever it lies.
    let eventless = Request { event: None, ..request.clone() };
    let walls = confinement(&eventless, command, false).map_err(|error| error.to_string())?;
    let program = PythonProgram {
        runner: handled.then(|| RUNNER.to_owned()),
        ..program(&eventless, considered, command, &walls)?
    };
    let name = request.python.handler.as_deref().map_or("", |name| name.rsplit('.').next().unwrap_or(name));
    let first = considered.program.path().as_os_str().as_bytes().to_vec();
    let given = request.arguments.iter().map(|argument| argument.as_bytes().to_vec());
    let pair =
        |(name, value): &(std::ffi::OsString, std::ffi::OsString)| [name.as_bytes(), b"=", value.as_bytes()].concat();
    Ok(Started {
        program,
        arguments: std::iter::once(first).chain(given).collect(),
        environment: command.environment.iter().map(pair).collect(),
        handler: name.to_owned(),
        event,
        event_file,
        confinement: bounds,
    })
}

/// What a zygote would be of, or what stands against one.
fn program(
    request: &Request,
    considered: &Considered,
    command: &Command,
    walls: &Confinement,
) -> Result<PythonProgram, String> {
    let text = |text: &std::ffi::OsStr| text.to_str().map(str::to_owned);
    let environment = command.environment.iter().map(|(name, value)| Some((text(name)?, text(value)?)));
    let environment = environment.collect::<Option<Vec<_>>>().ok_or("its environment is not UTF-8")?;
    let file = std::path::absolute(considered.program.path()).map_err(|error| error.to_string())?;
    let paths = [&file, &command.executable, &command.directory];
    if paths.into_iter().chain(&walls.visible).any(|path| path.to_str().is_none()) {
        return Err("a path is not UTF-8".to_owned());
    }
    let imports = considered.analysis.python.iter().flat_map(|python| &python.imports);
    let installed = [ImportOrigin::Standard, ImportOrigin::Distribution];
    let leading = imports.filter(|import| {
        import.when == ImportTime::Static && import.function.is_none() && installed.contains(&import.origin)
    });
    Ok(PythonProgram {
        python: command.executable.clone(),
        file,
        runner: is_handled(request).then(|| RUNNER.to_owned()),
        directory: command.directory.clone(),
        environment,
        import_lines: leading.map(|import| import.line).collect(),
        walls: Walls::of(walls),
    })
}
