//! What each command does: it asks the orchestrator and returns data to be shown.
//!
//! `run`, which behaves as the program it runs, has a file of its own.

use std::path::{Path, PathBuf};

use clap::CommandFactory;
use forewarm_orchestrator::{Emulate, Orchestrator, Overrides, ProcessLimits, PythonOptions, Request, Sample};
use forewarm_resources::ResourceModel;
use forewarm_sandbox::limits::Limits;
use forewarm_types::{Bytes, Configuration, Levers, Seconds};

use crate::cli::{
    CacheAction, Cli, Command, ConfigAction, Explain, Format, HistoryAction, HistoryArgs, LeverArgs, LimitArgs,
    ProgramArgs, PythonArgs, ResourcesAction,
};
use crate::config::{self, Config};
use crate::document::Document;
use crate::failure::{Failure, INTERNAL, USAGE};
use crate::output::{Json, Output, Text};
use crate::session::{Places, Session};
use crate::{run, streams, warm};

/// How long `forewarm emulate` tries a program where no time is given: the longest wait that leaves a user's flow of
/// thought unbroken (Nielsen, "Usability Engineering", 1993, chapter 5).
const TRIAL_SECONDS: f64 = 1.0;

/// Carries out a command and shows its result; returns the exit code.
pub fn execute(cli: Cli) -> i32 {
    let output: &'static dyn Output = match cli.general.format {
        Format::Text => &Text,
        Format::Json => &Json,
    };
    let result = match cli.command {
        Command::Run(arguments) => run::run(arguments, output, cli.general.verbose),
        command => perform(command, cli.general.verbose).and_then(|shown| match shown {
            Some(document) => streams::answer(&output.document(&document)).map(|()| 0),
            None => Ok(0),
        }),
    };
    result.unwrap_or_else(|failure| {
        streams::complain(output, &failure);
        failure.code
    })
}

/// Carries out a command that needs no orchestrator, or hands on to [`ask`].
fn perform(command: Command, verbose: bool) -> Result<Option<Document>, Failure> {
    match command {
        Command::Config { action } => configuration(action).map(Some),
        Command::Completions { shell } => Ok(Some(completions(shell))),
        Command::Man { out } => manual(out).map(Some),
        Command::Hold { idle, memory } => warm::hold(idle, memory).map(|()| None),
        Command::Stand => warm::stand().map(|()| None),
        Command::Time { file } => time(&file).map(|()| None),
        Command::Prepare { file, configuration, pages, python } => {
            prepare(&file, &configuration, pages.then_some(python)).map(|()| None)
        }
        command => {
            let session = Session::open()?;
            let result = ask(&session, command);
            streams::warn(&session.warnings(), verbose);
            result.map(Some)
        }
    }
}

fn ask(session: &Session, command: Command) -> Result<Document, Failure> {
    let Session { orchestrator, config, .. } = session;
    Ok(match command {
        Command::Analyze { file, python } => {
            Document::Analysis { analysis: Box::new(orchestrator.analyze(&file, &options(python))?), file }
        }
        Command::Plan(arguments) => {
            let file = arguments.program.file.clone();
            let (request, report) = request(arguments.program, config);
            let request = Request { all_candidates: arguments.all, ..request };
            let (plan, models) = match arguments.explain {
                Some(Explain::Model) => orchestrator.emulate(&request).map(|made| (made.plan, made.models))?,
                _ => (orchestrator.plan(&request)?, Vec::new()),
            };
            save(report, &plan)?;
            Document::Plan { file, plan: Box::new(plan), explain: arguments.explain.is_some() || arguments.all, models }
        }
        Command::Emulate(arguments) => {
            let file = arguments.program.file.clone();
            if orchestrator.is_python(&file)? {
                let options = options(arguments.program.python.clone());
                let analysis = Box::new(orchestrator.measure_python(&file, &options)?);
                if arguments.program.samples.is_empty() {
                    return Ok(Document::Analysis { analysis, file });
                }
            }
            // Who asks for a trial gets one, whatever a run would do by itself.
            let emulate = arguments.program.emulate.unwrap_or(Emulate::Seconds(TRIAL_SECONDS));
            let (request, report) = request(arguments.program, config);
            let emulation = orchestrator.emulate(&Request { emulate, ..request })?;
            save(report, &emulation)?;
            Document::Emulation { file, emulation: Box::new(emulation) }
        }
        Command::Resources { action } => resources(orchestrator, action.unwrap_or(ResourcesAction::Show))?,
        Command::History(arguments) => history(orchestrator, arguments)?,
        Command::Cache { action: CacheAction::List } => Document::Cached(orchestrator.cached()?),
        Command::Cache { action: CacheAction::Prune { keep } } => Document::Pruned(orchestrator.prune(keep)?),
        Command::Doctor => Document::Doctor(orchestrator.doctor()),
        Command::Warm(arguments) => warm::warm(session, arguments)?,
        Command::Run(_)
        | Command::Hold { .. }
        | Command::Time { .. }
        | Command::Stand
        | Command::Config { .. }
        | Command::Completions { .. }
        | Command::Man { .. }
        | Command::Prepare { .. } => {
            return Err(Failure::usage("this command asks nothing of the orchestrator"));
        }
    })
}

fn limits(arguments: &LimitArgs) -> ProcessLimits {
    ProcessLimits {
        cpu_seconds: arguments.max_cpu.map(|limit| limit.as_secs_f64()),
        processes: arguments.max_processes,
        file_size: arguments.max_file_size,
        open_files: arguments.max_open_files,
    }
}

fn options(arguments: PythonArgs) -> PythonOptions {
    PythonOptions { handler: arguments.handler, python: arguments.python }
}

/// The request that flags and configuration make together; flags win. The report's file comes along.
pub fn request(arguments: ProgramArgs, config: &Config) -> (Request, Option<PathBuf>) {
    let inherited = |name: &str| std::env::var(name).ok();
    let named = arguments.objective.is_some();
    let request = Request {
        file: arguments.file,
        arguments: arguments.arguments,
        environment: arguments
            .access
            .environment
            .into_iter()
            .filter_map(|variable| variable.resolve(inherited))
            .collect(),
        directories: arguments.access.directories,
        invoke: arguments.invoke,
        network: arguments.access.net,
        max_memory: arguments.max_memory.or(config.max_memory),
        timeout_seconds: arguments.timeout.map(|timeout| timeout.as_secs_f64()),
        objective: arguments.objective.unwrap_or(config.objective),
        // An objective named on the command line beats weights written in the file.
        weights: arguments.weights.or(config.weights.filter(|_| !named)),
        emulate: arguments.emulate.unwrap_or(config.emulate),
        samples: arguments.samples.iter().map(|given| sample(given)).collect(),
        overrides: Overrides { tier: arguments.tier, threads: arguments.threads, levers: levers(&arguments.levers) },
        python: options(arguments.python),
        event: arguments.event,
        limits: limits(&arguments.limits),
        plan: None,
        prepare: config.prepare && !arguments.no_prepare,
        all_candidates: false,
    };
    (request, arguments.report)
}

/// A folder of samples where there is one of that name, else arguments between blanks.
fn sample(given: &str) -> Sample {
    let folder = Path::new(given);
    match folder.is_dir() {
        true => Sample::Folder(std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned())),
        false => Sample::Arguments(given.split_whitespace().map(str::to_owned).collect()),
    }
}

fn levers(arguments: &LeverArgs) -> Levers {
    let LeverArgs { isa_ceiling, large_pages, pin_cores } = *arguments;
    Levers { isa_ceiling, large_pages, pinned: pin_cores }
}

/// Writes what `--report` asks for, where it asks for anything.
fn save(report: Option<PathBuf>, document: &impl serde::Serialize) -> Result<(), Failure> {
    match report {
        Some(file) => write(&file, &crate::output::json::pretty(document)),
        None => Ok(()),
    }
}

fn resources(orchestrator: &Orchestrator, action: ResourcesAction) -> Result<Document, Failure> {
    match action {
        ResourcesAction::Show => {
            Ok(Document::Resources { model: Box::new(orchestrator.resources()), nodes: orchestrator.nodes() })
        }
        ResourcesAction::Probe => {
            let mut progress = |stage: &str| streams::note(&format!("{stage}\n"));
            let model = Box::new(orchestrator.probe(&mut progress)?);
            Ok(Document::Resources { model, nodes: orchestrator.nodes() })
        }
        ResourcesAction::Export { file } => {
            let text = crate::output::json::pretty(&orchestrator.resources());
            match file {
                None => Ok(Document::Verbatim { key: "resources", text }),
                Some(file) => write(&file, &text).map(|()| Document::Written(vec![file])),
            }
        }
        ResourcesAction::Import { file, node } => {
            let model: ResourceModel = read_json(&file, "cannot read the resource model")?;
            match &node {
                Some(node) => orchestrator.import_node(node, &model)?,
                None => orchestrator.import_resources(&model)?,
            }
            Ok(Document::Imported { file, node })
        }
        ResourcesAction::Forget { node } => {
            orchestrator.forget_node(&node)?;
            Ok(Document::ForgottenNode(node))
        }
    }
}

fn history(orchestrator: &Orchestrator, arguments: HistoryArgs) -> Result<Document, Failure> {
    Ok(match arguments.action {
        Some(HistoryAction::Forget { file }) => Document::Forgotten(orchestrator.forget(file.as_deref())?),
        None => Document::History(orchestrator.history(arguments.file.as_deref(), arguments.limit)?),
    })
}

fn configuration(action: ConfigAction) -> Result<Document, Failure> {
    match action {
        ConfigAction::Default => Ok(Document::Verbatim { key: "configuration", text: config::DEFAULT.to_owned() }),
        ConfigAction::Path => match Places::find(|name| std::env::var_os(name)).config {
            Some(path) => Ok(Document::Path(path)),
            None => Err(Failure::usage("there is no place for a configuration").hint("set HOME or XDG_CONFIG_HOME")),
        },
    }
}

fn completions(shell: clap_complete::Shell) -> Document {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "forewarm", &mut script);
    Document::Verbatim { key: "script", text: String::from_utf8_lossy(&script).into_owned() }
}

fn manual(out: Option<PathBuf>) -> Result<Document, Failure> {
    let Some(folder) = out else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command())
            .render(&mut page)
            .map_err(|error| Failure::usage(format!("cannot render the page: {error}")))?;
        return Ok(Document::Verbatim { key: "page", text: String::from_utf8_lossy(&page).into_owned() });
    };
    let failed = |error| Failure::file(INTERNAL, "cannot write the manual", &folder, error);
    std::fs::create_dir_all(&folder).map_err(failed)?;
    clap_mangen::generate_to(Cli::command(), &folder).map_err(failed)?;
    let entries = std::fs::read_dir(&folder).map_err(failed)?;
    let pages = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let ours = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("forewarm"));
    let mut pages: Vec<PathBuf> = pages.filter(ours).collect();
    pages.sort();
    Ok(Document::Written(pages))
}

/// Bounds of the detached step: about thirty times the CPU time and ten times the memory that the optimising compiler
/// takes for the largest module measured, 6 MB of code (DESIGN section 8: 1.04 s per MB, 445 MB held).
const PREPARE_LIMITS: Limits = Limits {
    cpu: Some(Seconds(200.0)),
    address_space: None,
    data: Some(Bytes(4 << 30)),
    file_size: Some(Bytes(1 << 30)),
    open_files: None,
    core: Some(Bytes(0)),
};

/// The body of the process that times runs before another: it ends with whoever started it, who may end it at any time.
fn time(file: &Path) -> Result<(), Failure> {
    // Where the system has no such signal, the end of the orders ends it, a run later.
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    let session = Session::open()?;
    Ok(session.orchestrator.time_runs(file, std::io::stdin().lock(), std::io::stdout().lock())?)
}

/// The body of the detached step: but for the database's upkeep it gives way to everything else, and what it cannot do
/// nobody waits for.
fn prepare(file: &Path, configuration: &str, pages: Option<Option<PathBuf>>) -> Result<(), Failure> {
    let configuration: Configuration = serde_json::from_str(configuration)
        .map_err(|error| Failure::usage(format!("cannot follow the configuration: {error}")))?;
    let session = Session::open()?;
    session.orchestrator.maintain();
    // The step may already lead a session of its own, and a system may refuse part of the rest: it works all the same.
    let _ = forewarm_sandbox::background::leave_session();
    let _ = forewarm_sandbox::background::yield_to_others();
    let _ = PREPARE_LIMITS.apply();
    session.orchestrator.prepare(file, &configuration)?;
    if let Some(python) = pages {
        session.orchestrator.note_pages(&warm::bare(&session, file, PythonOptions { handler: None, python }))?;
    }
    Ok(())
}

/// Reads a JSON document that Forewarm wrote.
pub fn read_json<T: serde::de::DeserializeOwned>(file: &Path, message: &str) -> Result<T, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::file(USAGE, message, file, error))?;
    serde_json::from_str(&text).map_err(|error| Failure::file(USAGE, message, file, error))
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(file, text).map_err(|error| Failure::file(INTERNAL, "cannot write", file, error))
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use forewarm_types::{Bytes, Objective};

    use super::*;

    fn asked(line: &str, config: &Config) -> Request {
        match Cli::parse_from(line.split_whitespace()).command {
            Command::Run(arguments) => request(arguments.program, config).0,
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn flags_beat_the_file() {
        let weights = crate::quantities::weights("seconds=1").unwrap();
        let config = Config {
            objective: Objective::Cost,
            emulate: Emulate::Never,
            prepare: true,
            max_memory: Some(Bytes(1)),
            weights: Some(weights),
            ..Config::default()
        };
        let plain = asked("forewarm run p.wasm", &config);
        assert_eq!((plain.objective, plain.emulate, plain.prepare), (Objective::Cost, Emulate::Never, true));
        assert_eq!((plain.max_memory, plain.weights), (Some(Bytes(1)), Some(weights)));
        let line = "forewarm run --objective energy --emulate auto --max-memory 2B --no-prepare p.wasm";
        let flagged = asked(line, &config);
        assert_eq!((flagged.objective, flagged.emulate, flagged.prepare), (Objective::Energy, Emulate::Auto, false));
        assert_eq!((flagged.max_memory, flagged.weights), (Some(Bytes(2)), None));
    }

    #[test]
    fn the_file_can_forbid_preparing() {
        let config = Config { prepare: false, ..Config::default() };
        assert!(!asked("forewarm run p.wasm", &config).prepare);
    }
}
