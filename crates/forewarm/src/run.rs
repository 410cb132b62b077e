//! `forewarm run`: behaves as the program it runs.
//!
//! The program's streams and exit status are its own. Forewarm's words go to standard error: errors always, warnings
//! and the account of the run where they are asked for.

use std::fs::File;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;

use forewarm_orchestrator::{FunctionError, Orchestrator, Outcome, Report};
use forewarm_types::observation::Score;
use forewarm_types::{Exit, ExitCause, Plan, SCHEMA};
use serde::Serialize;

use crate::cli::RunArgs;
use crate::commands::{read_json, request};
use crate::document::Document;
use crate::failure::{Failure, INTERNAL, SIGNALLED, TIMEOUT, USAGE};
use crate::output::{Output, json};
use crate::session::Session;
use crate::streams;
use crate::watchdog::Watchdog;

/// Runs a program; returns the exit code of the process.
///
/// # Errors
/// Where the program could not be run. A program that fails is no error here.
pub fn run(arguments: RunArgs, output: &'static dyn Output, verbose: bool) -> Result<i32, Failure> {
    if Orchestrator::is_process(&arguments.program.file) {
        return run_process(arguments, output, verbose);
    }
    let timeout = arguments.program.timeout;
    let session = Session::open()?;
    let (mut request, report) = request(arguments.program, &session.config);
    if let Some(file) = &arguments.plan {
        request.plan = Some(read_json(file, "cannot read the plan")?);
    }
    let report = report.map(ReportFile::create).transpose()?.map(Arc::new);
    let last_words = LastWords {
        orchestrator: Arc::clone(&session.orchestrator),
        file: request.file.clone(),
        report: report.clone(),
        output,
    };
    let beside = Arc::clone(&session.orchestrator);
    let first = move || beside.get_ready();
    let watchdog = Watchdog::start(timeout, first, Box::new(move |cause, signal| last_words.say(cause, signal)))
        .map_err(|error| Failure { cause: Some(error.to_string()), ..internal("cannot watch over the run") })?;
    let result = session.orchestrator.run_telling(&request, &|| watchdog.finish());
    watchdog.finish();
    streams::warn(&session.warnings(), verbose);
    let done = result?;
    if let Some(report) = report {
        report.write(&json::pretty(&done), output);
    }
    // Closing what the system closes anyhow would only keep the user waiting.
    std::mem::forget(session);
    account(done, request.file, output, verbose)
}

/// Runs a program that is a process of its own. It needs no watchdog: the sandbox passes signals on and keeps the time.
fn run_process(arguments: RunArgs, output: &'static dyn Output, verbose: bool) -> Result<i32, Failure> {
    let session = Session::open()?;
    let (mut request, report) = request(arguments.program, &session.config);
    if let Some(file) = &arguments.plan {
        request.plan = Some(read_json(file, "cannot read the plan")?);
    }
    let report = report.map(ReportFile::create).transpose()?;
    let result = session.orchestrator.run(&request);
    streams::warn(&session.warnings(), verbose);
    let done = result?;
    if let Some(report) = report {
        report.write(&json::pretty(&done), output);
    }
    // Closing what the system closes anyhow would only keep the user waiting.
    std::mem::forget(session);
    for flag in &done.observation.denied {
        streams::note(&format!("hint: {}\n", hint(flag)));
    }
    let exit = &done.observation.exit;
    let failed = exit.cause == ExitCause::Exited && exit.code != 0 && done.observation.denied.is_empty();
    if failed && request.directories.is_empty() && (verbose || std::io::stderr().is_terminal()) {
        streams::note(&format!("hint: {}\n", hint("--dir")));
    }
    account(done, request.file, output, verbose)
}

/// What a flag would have allowed.
fn hint(flag: &str) -> &'static str {
    match flag {
        "--net" => "the program tried to reach another machine; --net lets it",
        "--max-processes" => "the program was refused a process; --max-processes N allows more",
        "--max-memory" => {
            "the program filled a private scratch directory; --dir DIR lets it write to DIR, a larger --max-memory allows more"
        }
        _ => "the program could write to private scratch directories only; --dir DIR lets it write to DIR",
    }
}

/// Says what the program cannot say itself, and what was asked for; returns the exit code.
fn account(done: Report, file: PathBuf, output: &dyn Output, verbose: bool) -> Result<i32, Failure> {
    let exit = done.observation.exit.clone();
    if !done.results.is_empty() {
        streams::answer(&output.document(&Document::Results(done.results.clone())))?;
    }
    if let Some(Outcome::Failed(error) | Outcome::Unable(error)) = &done.outcome {
        streams::note(&function_error(error));
    }
    let unanswered = done.outcome.as_ref().and_then(|outcome| Failure::of_outcome(outcome, &exit, &file));
    if let Some(failure) = unanswered.or_else(|| Failure::of_exit(&exit, &file)) {
        streams::complain(output, &failure);
    }
    if verbose {
        streams::note(&output.document(&Document::Report { file, report: Box::new(done) }));
    }
    Ok(exit.code)
}

/// What a function said when it failed, as its own language would.
fn function_error(error: &FunctionError) -> String {
    let mut text = format!("{}: {}\n", error.kind, error.message);
    for place in &error.trace {
        text.push_str(&format!("  {}\n", place.trim_end()));
    }
    text
}

fn internal(message: &str) -> Failure {
    Failure { code: INTERNAL, ..Failure::usage(message) }
}

/// Where `--report` goes: opened before the run, so that a mistyped path costs no run.
struct ReportFile {
    path: PathBuf,
    file: File,
}

impl ReportFile {
    fn create(path: PathBuf) -> Result<Self, Failure> {
        match File::create(&path) {
            Ok(file) => Ok(Self { path, file }),
            Err(error) => Err(Failure::file(USAGE, "cannot write the report", &path, error)),
        }
    }

    /// Writes the report. The run is over and its exit status stands, so that trouble is told and no more.
    fn write(&self, text: &str, output: &dyn Output) {
        if let Err(error) = (&self.file).write_all(text.as_bytes()) {
            streams::complain(output, &Failure::file(INTERNAL, "cannot write the report", &self.path, error));
        }
    }
}

/// What is still to be done when a run is cut short.
struct LastWords {
    orchestrator: Arc<Orchestrator>,
    file: PathBuf,
    report: Option<Arc<ReportFile>>,
    output: &'static dyn Output,
}

impl LastWords {
    fn say(&self, cause: ExitCause, signal: Option<i32>) {
        let abandoned = self.orchestrator.abandon(cause, signal);
        let code = signal.map_or(TIMEOUT, |signal| SIGNALLED + signal);
        let unstarted = || Exit { cause, code, signal, message: None };
        let exit = abandoned.as_ref().map_or_else(unstarted, |report| report.observation.exit.clone());
        if let Some(failure) = Failure::of_exit(&exit, &self.file) {
            streams::complain(self.output, &failure);
        }
        if let Some(report) = &self.report {
            let document = match &abandoned {
                Some(abandoned) => json::pretty(abandoned),
                None => json::pretty(&UnstartedReport::of(exit)),
            };
            report.write(&document, self.output);
        }
    }
}

/// The report of a run that was cut short before the program began: how it ended is known, and no more.
#[derive(Serialize)]
struct UnstartedReport {
    schema: u32,
    plan: Option<Plan>,
    observation: UnstartedObservation,
    prediction: Option<Score>,
}

#[derive(Serialize)]
struct UnstartedObservation {
    exit: Exit,
}

impl UnstartedReport {
    fn of(exit: Exit) -> Self {
        Self { schema: SCHEMA, plan: None, observation: UnstartedObservation { exit }, prediction: None }
    }
}
