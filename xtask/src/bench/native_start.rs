//! `bench native-start`: from asking for an event of a native function (the corpus's one on `lambda_runtime`) to its answer,
//! and from asking for a run of the shell to its end, by each rung of their warm ladders. All take turns.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::statistics::median;
use super::{Arguments, runner, write};
use crate::corpus::Corpus;
use crate::process::{Outcome, While, command, failure, output_of, require};

/// What every round asks for, and what must come of it.
const EVENT: &str = r#"{"numbers": [1, 2, 3]}"#;
const SUM: f64 = 6.0;

/// The program that is run without an event.
const PROGRAM: &str = "/bin/sh";

/// How long what a run leaves running is given before the next.
const SETTLE: Duration = Duration::from_millis(60);

/// One way to start, with what was measured.
#[derive(Debug, Serialize)]
struct Row {
    way: &'static str,
    /// What is asked for.
    task: Task,
    /// Of the whole process that was asked.
    wall_seconds: f64,
    /// From the opening of the system inside it to the program's execution, as the report has it.
    first_instruction_seconds: Option<f64>,
    /// From the program's execution to its asking for an event, and what its event took, as the report has them.
    initialise_seconds: Option<f64>,
    run_seconds: Option<f64>,
    /// What a standing rung holds and took to climb to.
    held_bytes: Option<u64>,
    climb_seconds: Option<f64>,
    /// Ratio to the first way, of rounds in turn.
    ratio: f64,
    samples_seconds: Vec<f64>,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Task {
    /// An event, of the function.
    Event,
    /// A run of the shell that does nothing.
    Run,
    /// The same without Forewarm.
    Direct,
}

/// A way to start: whether the program's file is put out of memory before, and the rung it stands on.
struct Way {
    name: &'static str,
    task: Task,
    evicted: bool,
    rung: Option<&'static str>,
    home: tempfile::TempDir,
    climb: serde_json::Value,
    walls: Vec<f64>,
    initialised: Vec<f64>,
    runs: Vec<f64>,
    firsts: Vec<f64>,
}

/// What one start took.
struct Took {
    wall: f64,
    initialised: Option<f64>,
    run: Option<f64>,
    first: Option<f64>,
}

/// Measures.
///
/// # Errors
/// The corpus has no such function, or a way does not work.
pub fn run(arguments: &Arguments, corpus: &Corpus) -> Outcome {
    let program = corpus.at("lambda/bootstrap");
    if !program.exists() {
        return Err(failure("the corpus has no lambda/bootstrap; cargo xtask corpus builds it"));
    }
    let rounds = if arguments.quick { 3 } else { arguments.rounds };
    let mut ways = [
        way(Task::Event, "from nothing, file on disk", true, None)?,
        way(Task::Event, "from nothing, file in memory", false, None)?,
        way(Task::Event, "page-cache", false, Some("page-cache"))?,
        way(Task::Event, "waiting", false, Some("waiting"))?,
        way(Task::Direct, "directly", false, None)?,
        way(Task::Run, "from nothing", false, None)?,
        way(Task::Run, "spawned", false, Some("spawned"))?,
    ];
    for way in &mut ways {
        climb(way, &program)?;
        // Once to fill Forewarm's own memory of the program.
        once(way, &program)?;
    }
    for _ in 0..rounds {
        for way in &mut ways {
            std::thread::sleep(SETTLE);
            let Took { wall, initialised, run, first } = once(way, &program)?;
            way.walls.push(wall);
            way.initialised.extend(initialised);
            way.runs.extend(run);
            way.firsts.extend(first);
        }
    }
    for way in ways.iter().filter(|way| way.rung.is_some()) {
        require(forewarm(way, &["warm", "--drop"]).stdout(Stdio::null()))?;
    }
    let rows: Vec<Row> = ways.iter().map(|way| row(way, &ways)).collect();
    println!(
        "\nfrom asking for an event to its answer, and for a run of {PROGRAM} to its end; medians of {rounds} rounds"
    );
    println!(
        "{:<30}{:>10}{:>10}{:>10}{:>12}{:>10}{:>10}",
        "way", "wall ms", "ratio", "first ms", "initialise", "run ms", "held MB"
    );
    rows.iter().for_each(print_row);
    write("native-start", corpus, rows)
}

fn way(task: Task, name: &'static str, evicted: bool, rung: Option<&'static str>) -> Outcome<Way> {
    let home = tempfile::tempdir().doing("making a home")?;
    fs::DirBuilder::new().mode(0o700).create(home.path().join("runtime")).doing("making a home")?;
    fs::write(home.path().join("event.json"), EVENT).doing("writing the event")?;
    let (walls, initialised, runs, firsts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    Ok(Way { name, task, evicted, rung, home, climb: serde_json::Value::Null, walls, initialised, runs, firsts })
}

/// The binary with this way's own state and holder.
fn forewarm(way: &Way, words: &[&str]) -> Command {
    let home = way.home.path();
    let mut command = Command::new(runner::forewarm_binary());
    command.args(words).current_dir(home).stdin(Stdio::null()).stderr(Stdio::null());
    for (name, below) in [
        ("XDG_DATA_HOME", "data"),
        ("XDG_CACHE_HOME", "cache"),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_RUNTIME_DIR", "runtime"),
    ] {
        command.env(name, home.join(below));
    }
    command
}

fn climb(way: &mut Way, program: &Path) -> Outcome {
    let Some(rung) = way.rung else { return Ok(()) };
    let program = if way.task == Task::Event { program } else { Path::new(PROGRAM) };
    let words = ["warm", "--format", "json", "--rung", rung, &program.to_string_lossy()];
    let document: serde_json::Value =
        serde_json::from_str(&output_of(&mut forewarm(way, &words))?).doing("reading what was climbed")?;
    way.climb = document.pointer("/warmed/0").cloned().ok_or_else(|| failure("nothing was climbed"))?;
    if way.climb["rung"].as_str() == Some(rung) {
        Ok(())
    } else {
        Err(failure(format!("{rung} was refused: {}", way.climb)))
    }
}

/// Runs once.
fn once(way: &Way, program: &Path) -> Outcome<Took> {
    if way.evicted {
        // Drops the file's pages: dd(1), `nocache`.
        require(command("dd", &["iflag=nocache", "count=0", "status=none"]).arg(format!("if={}", program.display())))?;
    }
    let report: PathBuf = way.home.path().join("report.json");
    let (program, report_text) = (program.to_string_lossy(), report.to_string_lossy());
    let words = ["run", "--report", &report_text];
    let mut command = match way.task {
        Task::Event => forewarm(way, &[&words[..], &["--event", "event.json", &program]].concat()),
        Task::Run => forewarm(way, &[&words[..], &[PROGRAM, "--", "-c", ":"]].concat()),
        Task::Direct => crate::process::command(PROGRAM, &["-c", ":"]),
    };
    let began = Instant::now();
    let said = output_of(&mut command)?;
    let wall = began.elapsed().as_secs_f64();
    if way.task == Task::Direct {
        return Ok(Took { wall, initialised: None, run: None, first: None });
    }
    let report: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&report).doing("reading the report")?).doing("reading the report")?;
    let observed = &report["observation"];
    let answered = || {
        let answer: serde_json::Value = serde_json::from_str(&said).unwrap_or_default();
        answer["sum"].as_f64() == Some(SUM)
    };
    // Of the lowest rung nobody tells a run.
    let rung = way.rung.filter(|rung| *rung != "page-cache");
    if observed["warm_state"].as_str() != rung || (way.task == Task::Event && !answered()) {
        return Err(failure(format!("{}: answered {said:?} from {}", way.name, observed["warm_state"])));
    }
    let steps = observed["steps"].as_array().into_iter().flatten();
    let initialised = steps.filter(|step| step["step"] == "initialise").find_map(|step| step["wall_seconds"].as_f64());
    let seconds = |key: &str| observed[key].as_f64();
    Ok(Took { wall, initialised, run: seconds("run_seconds"), first: seconds("first_instruction_seconds") })
}

/// A way beside the first of its task.
fn row(way: &Way, all: &[Way]) -> Row {
    let event = |way: &Way| way.task == Task::Event;
    let first = all.iter().find(|other| event(other) == event(way)).map_or(&[][..], |first| &first.walls);
    let ratios: Vec<f64> = way.walls.iter().zip(first).map(|(wall, first)| wall / first).collect();
    let known = |samples: &[f64]| (!samples.is_empty()).then(|| median(samples));
    Row {
        way: way.name,
        task: way.task,
        wall_seconds: median(&way.walls),
        first_instruction_seconds: known(&way.firsts),
        initialise_seconds: known(&way.initialised),
        run_seconds: known(&way.runs),
        held_bytes: way.climb["held_bytes"].as_u64(),
        climb_seconds: way.climb["seconds"].as_f64(),
        ratio: median(&ratios),
        samples_seconds: way.walls.clone(),
    }
}

fn print_row(row: &Row) {
    let cell = |value: Option<f64>, scale: f64| value.map_or_else(String::new, |value| format!("{:.2}", value * scale));
    println!(
        "{:<30}{:>10.2}{:>10.3}{:>10}{:>12}{:>10}{:>10}",
        row.way,
        row.wall_seconds * 1e3,
        row.ratio,
        cell(row.first_instruction_seconds, 1e3),
        cell(row.initialise_seconds, 1e3),
        cell(row.run_seconds, 1e3),
        cell(row.held_bytes.map(|bytes| bytes as f64), 1e-6),
    );
}
