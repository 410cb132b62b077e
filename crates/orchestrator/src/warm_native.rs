//! Between runs of native programs: what the holder is asked to keep of them, and runs from that.

use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::path::Path;

use forewarm_executor::bootstrap::{Call, Called};
use forewarm_executor::levers;
use forewarm_executor::process::Wanted;
use forewarm_holder::{
    NativeBegun, NativeEnd, NativeExecution, NativeLimits, NativePlace, NativeProgram, NativeRun, NativeStarted,
    Program, Rung, Terms, Walls,
};
use forewarm_lambda::ADDRESS;
use forewarm_sandbox::process::{Confinement, Ended, Program as Command};
use forewarm_types::{CodeKind, Configuration, Seconds, Settings};

use crate::Orchestrator;
use crate::consider::Considered;
use crate::error::Error;
use crate::memory::lock;
use crate::process::{bootstrap, confinement, is_handled};
use crate::request::{Overrides, Request};
use crate::warm::{Warmed, planning};

/// What the analyzer calls programs that were written for the Lambda runtime API.
const LAMBDA_RUNTIME: &str = "Lambda runtime";

/// The name that Lambda starts a custom runtime by.
const BOOTSTRAP: &str = "bootstrap";

/// A run that something warm was asked for.
pub(crate) enum Asked {
    /// Nothing is warm that could serve it.
    Nothing,
    /// It has begun.
    Begun(Underway),
}

/// A run that has begun in a process that stood ready, and when that was asked for.
pub(crate) struct Underway {
    begun: Box<NativeBegun>,
    /// On the monotonic clock.
    pub asked_at: Seconds,
}

impl Underway {
    /// The rung it started from.
    pub fn rung(&self) -> Rung {
        self.begun.rung
    }

    /// The configuration that its process stood for.
    pub fn configuration(&self) -> Result<Configuration, Error> {
        let unheard = |error| Error::Internal(format!("what stands warm: {error}"));
        serde_json::from_str(&self.begun.configuration).map_err(unheard)
    }

    /// Gives the processes of the run, one by one.
    pub fn each_process(&self, give: impl FnMut(i32)) {
        self.begun.each_process(give);
    }
}

impl Orchestrator {
    /// Has a native program warmed: its files, and a process that waits to execute it, or of one that serves events one that
    /// waits for them.
    pub(crate) fn warm_native(
        &self,
        request: &Request,
        mut considered: Considered,
        rung: Option<Rung>,
    ) -> Result<Warmed, Error> {
        let rung = rung.unwrap_or(if serves_events(request, &considered) { Rung::Waiting } else { Rung::Spawned });
        let place = self.place(request, &mut considered, rung)?;
        let pages = self.warm_pages(request, &mut considered)?;
        // What is executed when a run comes is opened then.
        let loaded = if rung == Rung::Waiting { self.loaded(&considered) } else { Vec::new() };
        let file = absolute(&request.file);
        match self.climb(&considered, Program::Native(NativeProgram { file, loaded, place }), rung)? {
            Ok(climb) => Ok(Warmed::of(request, climb, Some(pages))),
            Err(why) => Ok(Warmed::in_memory(request, pages, Some((rung, why)))),
        }
    }

    /// Where runs would find the program.
    fn place(&self, request: &Request, considered: &mut Considered, rung: Rung) -> Result<NativePlace, Error> {
        let (plan, _) = self.decide(considered, request)?;
        let mut command = self.command(request, CodeKind::Elf)?;
        let mut walls = confinement(request, &command, false)?;
        let events = rung == Rung::Waiting;
        if events {
            bootstrap::furnish(request, &mut command, &mut walls);
        }
        let configuration = standing(plan.chosen.configuration);
        let lease =
            self.executor.allocate_process(&configuration).map_err(|error| Error::from_warm(&request.file, error))?;
        if events {
            command = lease.told(command);
        }
        let place = place(&command, &walls, events, Some(planning(request))).and_then(|place| {
            let configuration = serde_json::to_string(&configuration).map_err(|error| error.to_string())?;
            Ok(NativePlace { configuration, ..place })
        });
        place.map_err(|cause| Error::Usage {
            message: format!("{} cannot be kept warm: {cause}", request.file.display()),
            hint: None,
        })
    }

    /// The files a program is loaded from, its own apart.
    pub(crate) fn loaded(&self, considered: &Considered) -> Vec<std::path::PathBuf> {
        let mut analysis = considered.analysis.clone();
        crate::native::find_libraries(&mut analysis, considered.program.path());
        let native = analysis.native.iter();
        let libraries = native.clone().flat_map(|native| native.libraries.iter().map(|library| library.path.clone()));
        let linker = native.filter_map(|native| native.interpreter.clone());
        linker.chain(libraries).map(Into::into).collect()
    }

    /// Whether a run can begin before it is planned: where there are no bounds that only a plan can hold against it, and
    /// nothing that a plan is to follow.
    pub(crate) fn begins_unplanned(request: &Request) -> bool {
        let bounded = request.max_memory.is_some() || request.timeout_seconds.is_some();
        !bounded && request.samples.is_empty() && request.plan.is_none() && request.overrides == Overrides::default()
    }

    /// Begins a run of a native program from what is warm, as far as something is; a warning says where something is warm
    /// and cannot serve it.
    pub(crate) fn ask_native(&self, request: &Request, wanted: &Wanted<'_>) -> Asked {
        let expecting = lock(&self.expecting).take();
        if wanted.call.is_none() && at_terminal() {
            // There a program belongs to its session, for job control and a terminal of its own.
            return Asked::Nothing;
        }
        let Some(holder) = expecting.or_else(|| self.holder_if_there()) else { return Asked::Nothing };
        let asked_at = self.clock.monotonic();
        let why = match self.started(request, wanted) {
            Err(why) => Some(why),
            Ok(program) => {
                let started = NativeStarted {
                    program,
                    arguments: &wanted.program.arguments,
                    environment: &wanted.program.environment,
                    event: wanted.call.map(|call| &call.event),
                    confinement: wanted.confinement,
                };
                let admit = |process: i32| wanted.admit(process);
                let added = |configuration: &str| match wanted.is_planned() {
                    true => Some(Vec::new()),
                    false => added(configuration, &wanted.program.environment),
                };
                match holder.begin_native(&started, &Terms { admit: &admit, added: &added }) {
                    Ok(NativeRun::Begun(begun)) => return Asked::Begun(Underway { begun, asked_at }),
                    Ok(NativeRun::Cold(why)) => why,
                    Err(error) => Some(error.to_string()),
                }
            }
        };
        self.told_cold(why);
        Asked::Nothing
    }

    fn told_cold(&self, why: Option<String>) {
        if let Some(why) = why.filter(|why| !why.starts_with("nothing is warm")) {
            self.memory.warn(format!("not started from what is warm: {why}"));
        }
    }

    /// Sees to the end of a run that has begun; `None` where it is to start from nothing after all.
    pub(crate) fn finish_native(&self, underway: Underway, wanted: &Wanted<'_>) -> Option<(Ended, Option<Called>)> {
        let silent: fn(&[u8]) = |_| {};
        let deliver = wanted.call.map_or(silent, |call: &Call| call.deliver);
        match underway.begun.finish(deliver) {
            NativeEnd::Ended(ended) => Some((*ended, None)),
            NativeEnd::Served(ended, outcome) => Some((*ended, Some(Called { outcome, asked: None }))),
            NativeEnd::Unexecuted(why) => {
                self.told_cold(Some(why));
                None
            }
        }
    }

    /// What a run is of, as the holder is asked for it.
    fn started(&self, request: &Request, wanted: &Wanted<'_>) -> Result<NativeProgram, String> {
        // The event comes by the runtime API, wherever it lies.
        let eventless = Request { event: None, ..request.clone() };
        let mut walls = confinement(&eventless, wanted.program, false).map_err(|error| error.to_string())?;
        walls.port = wanted.confinement.port;
        let planning = (!wanted.is_planned()).then(|| planning(request));
        let place = place(wanted.program, &walls, wanted.call.is_some(), planning)?;
        Ok(NativeProgram { file: absolute(&request.file), loaded: Vec::new(), place })
    }
}

/// Whether a program serves events: it is said to, has the name that Lambda starts, or speaks of the runtime API.
fn serves_events(request: &Request, considered: &Considered) -> bool {
    let runtimes = considered.analysis.native.iter().flat_map(|native| &native.runtimes);
    is_handled(request)
        || request.file.file_name() == Some(OsStr::new(BOOTSTRAP))
        || runtimes.into_iter().any(|runtime| runtime == LAMBDA_RUNTIME)
}

fn place(
    command: &Command,
    walls: &Confinement,
    events: bool,
    planning: Option<String>,
) -> Result<NativePlace, String> {
    let paths = walls.visible.iter().chain([&command.directory, &command.executable]);
    if paths.into_iter().any(|path| path.to_str().is_none()) {
        return Err("a path is not UTF-8".to_owned());
    }
    Ok(NativePlace {
        directory: command.directory.clone(),
        walls: Walls::of(walls),
        limits: NativeLimits::of(walls),
        execution: events.then(|| execution(command)).transpose()?,
        planning,
        configuration: String::new(),
    })
}

/// The configuration of runs that begin where something stands: they have the cores of who asks for them, and find their
/// files in memory.
fn standing(mut configuration: Configuration) -> Configuration {
    for placement in &mut configuration.placements {
        if let Settings::Process(settings) = &mut placement.settings {
            (settings.pinned, settings.read_ahead) = (false, false);
        }
    }
    configuration
}

/// What a run is told that is of a configuration; `None` where that is another version's.
fn added(configuration: &str, environment: &[(OsString, OsString)]) -> Option<Vec<(OsString, OsString)>> {
    let configuration: Configuration = serde_json::from_str(configuration).ok()?;
    Some(levers::variables(&configuration.process()?, environment))
}

fn execution(command: &Command) -> Result<NativeExecution, String> {
    let arguments = command.arguments.iter().map(|argument| argument.to_str().map(str::to_owned));
    let arguments = arguments.collect::<Option<Vec<_>>>().ok_or("an argument is not UTF-8")?;
    let own: Vec<_> = command.environment.iter().filter(|(name, _)| name != ADDRESS).cloned().collect();
    Ok(NativeExecution { arguments, environment: texts(&own)? })
}

fn texts(variables: &[(OsString, OsString)]) -> Result<Vec<(String, String)>, String> {
    let text = |text: &OsStr| text.to_str().map(str::to_owned);
    let texts = variables.iter().map(|(name, value)| Some((text(name)?, text(value)?)));
    texts.collect::<Option<_>>().ok_or_else(|| "its environment is not UTF-8".to_owned())
}

/// Whether a standard stream is a terminal.
fn at_terminal() -> bool {
    std::io::stdin().is_terminal() || std::io::stdout().is_terminal() || std::io::stderr().is_terminal()
}

fn absolute(file: &Path) -> std::path::PathBuf {
    std::path::absolute(file).unwrap_or_else(|_| file.to_owned())
}
