//! `forewarm warm`, and the holder it starts.
//!
//! The holder is this binary again, detached: a session of its own, no terminal, no streams, the root directory.

use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use forewarm_holder::{Holder, Room, Rung};
use forewarm_orchestrator::{Emulate, Orchestrator, Overrides, ProcessLimits, PythonOptions, Request};
use forewarm_sandbox::RealClock;
use forewarm_types::Bytes;

use crate::cli::WarmArgs;
use crate::document::Document;
use crate::failure::{Failure, INTERNAL};
use crate::session::{Session, holder_place};

/// How long to wait for a holder that was just started, and how long between two looks: it binds a socket and is there.
const START: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(1);

/// Warms, lists or lets go.
///
/// # Errors
/// Where the holder cannot be started or asked, or a program cannot be warmed.
pub fn warm(session: &Session, arguments: WarmArgs) -> Result<Document, Failure> {
    let orchestrator = &session.orchestrator;
    if arguments.list {
        return Ok(Document::Held(orchestrator.held()?));
    }
    if let Some(file) = &arguments.drop {
        return Ok(Document::Dropped(orchestrator.release(file.as_deref())?));
    }
    if arguments.rung != Some(Rung::PageCache) {
        start(session)?;
    }
    let inherited = |name: &str| std::env::var(name).ok();
    let environment: Vec<_> =
        arguments.access.environment.iter().cloned().filter_map(|variable| variable.resolve(inherited)).collect();
    let mut warmed = Vec::new();
    for file in &arguments.files {
        let named = arguments.python.handler.clone();
        let found = || if arguments.script { None } else { Orchestrator::looks_like_handler(file) };
        let python = PythonOptions { handler: named.or_else(found), python: arguments.python.python.clone() };
        let request = Request {
            arguments: arguments.arguments.clone(),
            environment: environment.clone(),
            directories: arguments.access.directories.clone(),
            network: arguments.access.net,
            overrides: Overrides { tier: arguments.tier, ..Overrides::default() },
            ..bare(session, file, python)
        };
        // A native program that is no function's waits to be executed.
        let native = arguments.script && Orchestrator::is_native(file);
        let rung = arguments.rung.or(native.then_some(Rung::Spawned));
        warmed.push(orchestrator.warm(&request, rung)?);
    }
    Ok(Document::Warmed(warmed))
}

/// A request of what is not to run yet, and is given nothing.
pub fn bare(session: &Session, file: &Path, python: PythonOptions) -> Request {
    Request {
        file: file.to_owned(),
        arguments: Vec::new(),
        environment: Vec::new(),
        directories: Vec::new(),
        invoke: None,
        network: false,
        max_memory: session.config.max_memory,
        timeout_seconds: None,
        objective: session.config.objective,
        weights: session.config.weights,
        emulate: Emulate::Never,
        samples: Vec::new(),
        overrides: Overrides::default(),
        python,
        event: None,
        limits: ProcessLimits::default(),
        plan: None,
        prepare: false,
        all_candidates: false,
    }
}

/// Serves as the holder.
///
/// # Errors
/// Where its place cannot be used.
pub fn hold(idle: Duration, most: Option<Bytes>) -> Result<(), Failure> {
    // Who started it may end; what it holds is nobody's session. A leader of a group stays where it is.
    let _ = rustix::process::setsid();
    let _ = std::env::set_current_dir("/");
    let settings = forewarm_holder::Settings {
        idle_seconds: idle.as_secs_f64(),
        room: Room::under("/", most),
        // By what it is, so that another build in its place makes no difference.
        stand: vec!["/proc/self/exe".into(), "stand".into()],
    };
    forewarm_holder::serve(&holder_place(), settings).map_err(|error| trouble("cannot hold anything", &error))
}

/// Stands for a WebAssembly program; the line to the holder is the standard input.
///
/// # Errors
/// Where the line is none, or breaks.
pub fn stand() -> Result<(), Failure> {
    let broken = |error: std::io::Error| trouble("cannot stand for a program", &error);
    let line = rustix::io::fcntl_dupfd_cloexec(std::io::stdin(), 3).map_err(|error| broken(error.into()))?;
    let nothing = std::fs::File::open("/dev/null").map_err(broken)?;
    forewarm_sandbox::streams::replace(&[nothing.as_fd()]).map_err(broken)?;
    forewarm_orchestrator::stand(line, Arc::new(RealClock)).map_err(broken)
}

/// Starts the holder where none is there, and waits until it is.
fn start(session: &Session) -> Result<(), Failure> {
    let place = holder_place();
    let there = || Holder::find(&place).map_err(|error| trouble("the holder cannot be met", &error));
    if there()?.is_some() {
        return Ok(());
    }
    let program = std::env::current_exe().map_err(|error| trouble("cannot start the holder", &error))?;
    let idle = format!("{}s", session.config.holder_idle.as_secs_f64());
    let mut command = Command::new(program);
    command.args(["hold", "--idle", &idle]);
    if let Some(most) = session.config.holder_memory {
        command.args(["--memory", &most.0.to_string()]);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut holder = command.spawn().map_err(|error| trouble("cannot start the holder", &error))?;
    for _ in 0..(START.as_millis() / LOOK.as_millis()) {
        if there()?.is_some() {
            return Ok(());
        }
        // Where another was quicker, this one ends and the other is there.
        if let Ok(Some(status)) = holder.try_wait()
            && !status.success()
        {
            break;
        }
        std::thread::sleep(LOOK);
    }
    Err(trouble("the holder could not be started", &"see what `forewarm hold` says"))
}

fn trouble(message: &str, cause: &dyn std::fmt::Display) -> Failure {
    Failure { code: INTERNAL, cause: Some(cause.to_string()), ..Failure::usage(message) }
}
