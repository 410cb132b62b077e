//! Between runs of native programs: what the holder is asked to keep of them, and runs from that.

use std::ffi::OsStr;
use std::path::Path;

use forewarm_executor::bootstrap::{Call, Called};
use forewarm_executor::process::Wanted;
use forewarm_holder::{NativeLimits, NativePlace, NativeProgram, NativeRun, NativeStarted, Program, Rung, Walls};
use forewarm_lambda::ADDRESS;
use forewarm_sandbox::process::{Confinement, Ended, Program as Command};
use forewarm_types::CodeKind;

use crate::Orchestrator;
use crate::consider::Considered;
use crate::error::Error;
use crate::memory::lock;
use crate::process::{bootstrap, confinement, is_handled};
use crate::request::Request;
use crate::warm::Warmed;

/// What the analyzer calls programs that were written for the Lambda runtime API.
const LAMBDA_RUNTIME: &str = "Lambda runtime";

/// The name that Lambda starts a custom runtime by.
const BOOTSTRAP: &str = "bootstrap";

/// A run from what is warm, as far as it came.
#[derive(Debug, Default)]
pub(crate) struct FromWarm {
    /// How it ended; `None` where it is to start from nothing.
    pub ended: Option<(Ended, Option<Called>)>,
    /// The rung it starts from.
    pub rung: Option<Rung>,
}

impl Orchestrator {
    /// Has a native program warmed: its files, and of one that serves events a process that waits for them.
    pub(crate) fn warm_native(
        &self,
        request: &Request,
        mut considered: Considered,
        rung: Option<Rung>,
    ) -> Result<Warmed, Error> {
        let rung = rung.unwrap_or(if serves_events(request, &considered) { Rung::Waiting } else { Rung::PageCache });
        let place = if rung == Rung::Waiting { Some(self.place(request, &mut considered)?) } else { None };
        let loaded = self.loaded(&mut considered);
        let file = absolute(&request.file);
        self.climb(request, &considered, Program::Native(NativeProgram { file, loaded, place }), rung)
    }

    /// How a run for events would execute the program.
    fn place(&self, request: &Request, considered: &mut Considered) -> Result<NativePlace, Error> {
        let (plan, _) = self.decide(considered, request)?;
        let mut command = self.command(request, CodeKind::Elf)?;
        let mut walls = confinement(request, &command, false)?;
        bootstrap::furnish(request, &mut command, &mut walls);
        let lease = self.executor.allocate_process(&plan.chosen.configuration);
        let command = lease.map_err(|error| Error::from_warm(&request.file, error))?.told(command);
        place(&command, &walls).map_err(|cause| Error::Usage {
            message: format!("{} cannot be kept warm: {cause}", request.file.display()),
            hint: None,
        })
    }

    /// The files a program is loaded from, its own first.
    fn loaded(&self, considered: &mut Considered) -> Vec<std::path::PathBuf> {
        let mut analysis = considered.analysis.clone();
        crate::native::find_libraries(&mut analysis, &mut considered.program);
        let native = analysis.native.iter();
        let libraries = native.clone().flat_map(|native| native.libraries.iter().map(|library| library.path.clone()));
        let linker = native.filter_map(|native| native.interpreter.clone());
        linker.chain(libraries).map(Into::into).collect()
    }

    /// Runs a native program from what is warm, as far as something is; a warning says where something is warm and cannot
    /// serve it.
    pub(crate) fn run_native_warm(&self, request: &Request, wanted: &Wanted<'_>) -> FromWarm {
        let Some(holder) = lock(&self.expecting).take() else { return FromWarm::default() };
        let why = match self.started(request, wanted) {
            Err(why) => Some(why),
            Ok(program) => {
                let event = wanted.call.map(|call| &call.event);
                let silent: fn(&[u8]) = |_| {};
                let deliver = wanted.call.map_or(silent, |call: &Call| call.deliver);
                let started = NativeStarted { program, event, confinement: wanted.confinement };
                match holder.run_native(&started, deliver) {
                    Ok(NativeRun::Files) => return FromWarm { ended: None, rung: Some(Rung::PageCache) },
                    Ok(NativeRun::Ended { ended, outcome, rung }) => {
                        let called = Some(Called { outcome, asked: None });
                        return FromWarm { ended: Some((*ended, called)), rung: Some(rung) };
                    }
                    Ok(NativeRun::Cold(why)) => why,
                    Err(error) => Some(error.to_string()),
                }
            }
        };
        if let Some(why) = why.filter(|why| !why.starts_with("nothing is warm")) {
            self.memory.warn(format!("not started from what is warm: {why}"));
        }
        FromWarm::default()
    }

    /// What a run is of, as the holder is asked for it.
    fn started(&self, request: &Request, wanted: &Wanted<'_>) -> Result<NativeProgram, String> {
        // The event comes by the runtime API, wherever it lies.
        let eventless = Request { event: None, ..request.clone() };
        let mut walls = confinement(&eventless, wanted.program, false).map_err(|error| error.to_string())?;
        walls.port = wanted.confinement.port;
        let place = place(wanted.program, &walls)?;
        Ok(NativeProgram { file: absolute(&request.file), loaded: Vec::new(), place: Some(place) })
    }
}

/// Whether a program serves events: it is said to, has the name that Lambda starts, or speaks of the runtime API.
fn serves_events(request: &Request, considered: &Considered) -> bool {
    let runtimes = considered.analysis.native.iter().flat_map(|native| &native.runtimes);
    is_handled(request)
        || request.file.file_name() == Some(OsStr::new(BOOTSTRAP))
        || runtimes.into_iter().any(|runtime| runtime == LAMBDA_RUNTIME)
}

fn place(command: &Command, walls: &Confinement) -> Result<NativePlace, String> {
    let text = |text: &OsStr| text.to_str().map(str::to_owned);
    let own = command.environment.iter().filter(|(name, _)| name != ADDRESS);
    let environment = own.map(|(name, value)| Some((text(name)?, text(value)?))).collect::<Option<Vec<_>>>();
    let arguments = command.arguments.iter().map(|argument| text(argument)).collect::<Option<Vec<_>>>();
    let paths = walls.visible.iter().chain([&command.directory, &command.executable]);
    if paths.into_iter().any(|path| path.to_str().is_none()) {
        return Err("a path is not UTF-8".to_owned());
    }
    Ok(NativePlace {
        arguments: arguments.ok_or("an argument is not UTF-8")?,
        directory: command.directory.clone(),
        environment: environment.ok_or("its environment is not UTF-8")?,
        walls: Walls::of(walls),
        limits: NativeLimits::of(walls),
    })
}

fn absolute(file: &Path) -> std::path::PathBuf {
    std::path::absolute(file).unwrap_or_else(|_| file.to_owned())
}
