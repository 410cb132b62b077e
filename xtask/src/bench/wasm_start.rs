//! `bench wasm-start`: a known WebAssembly program's start: as an ordinary run, from each rung of its warm ladder, and by the
//! peer on a precompiled module. All take turns, in the same folders, and all must give the peer's output.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::run::{Scratch, measure};
use super::runner::{Runner, difference, precompile, wrong};
use super::statistics::median;
use super::{Arguments, write};
use crate::corpus::Corpus;
use crate::corpus::cases::Case;
use crate::process::{Outcome, While, failure, output_of, require};

/// The rungs, rising.
const RUNGS: [&str; 3] = ["mapped", "linked", "instance"];

/// How long a stand is given to have its next process waiting before the next round.
const SETTLE: Duration = Duration::from_millis(30);

/// One way to start, with what was measured.
#[derive(Debug, Serialize)]
struct Row {
    case: String,
    way: String,
    /// From the opening of the system to the program's first instruction, as the run's report says.
    first_instruction_seconds: Option<f64>,
    wall_seconds: f64,
    cpu_seconds: f64,
    held_bytes: Option<u64>,
    climb_seconds: Option<f64>,
    wall_samples_seconds: Vec<f64>,
}

/// One way to start: who runs, with what state, on which rung.
struct Way {
    name: String,
    runner: Runner,
    state: Option<tempfile::TempDir>,
    held: Option<u64>,
    climbed: Option<f64>,
    firsts: Vec<f64>,
    walls: Vec<f64>,
    cpus: Vec<f64>,
}

/// Measures all cases.
///
/// # Errors
/// A way does not work, or does not give the peer's output.
pub fn run(arguments: &Arguments, corpus: &Corpus, cases: &[Case]) -> Outcome {
    println!("\nmedian ms; held MB and climb ms of what stands");
    println!(
        "{:<16}{:<14}{:>14}{:>10}{:>10}{:>10}{:>10}",
        "case", "way", "first instr.", "wall", "CPU", "held", "climb"
    );
    let mut rows = Vec::new();
    for case in cases {
        let measured = measure_case(arguments, corpus, case)?;
        measured.iter().for_each(print_row);
        rows.extend(measured);
    }
    write("wasm-start", corpus, rows)
}

fn measure_case(arguments: &Arguments, corpus: &Corpus, case: &Case) -> Outcome<Vec<Row>> {
    let scratch = Scratch::new(case)?;
    let mut ways = Vec::new();
    for rung in [None].into_iter().chain(RUNGS.map(Some)) {
        ways.push(forewarm(corpus, case, &scratch, rung)?);
    }
    let tier = tier_of(ways.first())?;
    let peer = precompile(corpus, case, &tier)?;
    let expected = measure(peer.command(corpus, case, &scratch, &[]), case, &scratch)?;
    let rounds = arguments.rounds(Duration::from_secs_f64(expected.sample.wall_seconds));
    ways.insert(0, Way::of("precompiled", peer, None));
    for round in 0..=rounds {
        for way in &mut ways {
            std::thread::sleep(SETTLE);
            let report = scratch.path().join("report.json");
            let report_text = report.to_string_lossy().into_owned();
            let options: &[&str] = if way.state.is_some() { &["--no-prepare", "--report", &report_text] } else { &[] };
            let finished = measure(way.runner.command(corpus, case, &scratch, options), case, &scratch)?;
            if let Some(what) = difference(case, &finished, Some(&expected)) {
                return Err(wrong(case, &way.runner, &what));
            }
            // The first round fills caches.
            if round == 0 {
                continue;
            }
            way.walls.push(finished.sample.wall_seconds);
            way.cpus.push(finished.sample.cpu_seconds);
            if way.state.is_some() {
                way.firsts.push(first_instruction(&report, &way.name)?);
            }
        }
    }
    for way in &ways {
        if let Some(state) = &way.state {
            require(command(state.path(), &["warm", "--drop"]).stdout(Stdio::null()))?;
        }
    }
    Ok(ways.into_iter().map(|way| row(case, way)).collect())
}

impl Way {
    fn of(name: &str, runner: Runner, state: Option<tempfile::TempDir>) -> Self {
        let name = name.to_owned();
        Self { name, runner, state, held: None, climbed: None, firsts: Vec::new(), walls: Vec::new(), cpus: Vec::new() }
    }
}

/// Forewarm with state of its own, standing on a rung or, without one, with the same artifact and nothing held.
fn forewarm(corpus: &Corpus, case: &Case, scratch: &Scratch, rung: Option<&str>) -> Outcome<Way> {
    let state = tempfile::tempdir().doing("making a folder for state")?;
    fs::DirBuilder::new().mode(0o700).create(state.path().join("runtime")).doing("making a folder for state")?;
    let runner = Runner::Forewarm(state.path().to_owned());
    // Known before it is warmed.
    measure(runner.command(corpus, case, scratch, &["--no-prepare"]), case, scratch)?;
    let mut words = vec!["warm".to_owned(), "--format".to_owned(), "json".to_owned()];
    words.extend(["--rung".to_owned(), rung.unwrap_or("mapped").to_owned()]);
    for (index, directory) in case.dirs.iter().enumerate() {
        words.extend(["--dir".to_owned(), format!("{}::{}", scratch.directory(index).display(), directory.guest)]);
    }
    for (key, value) in &case.env {
        words.extend(["--env".to_owned(), format!("{key}={value}")]);
    }
    words.push(case.file.to_string_lossy().into_owned());
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let said = output_of(&mut command(state.path(), &words))?;
    let document: Value = serde_json::from_str(&said).doing("reading what was climbed")?;
    let climb = document.pointer("/warmed/0").ok_or_else(|| failure("nothing was climbed"))?;
    let (held, climbed) = (climb["held_bytes"].as_u64(), climb["seconds"].as_f64());
    let reached = climb["rung"].as_str().map(str::to_owned);
    let Some(rung) = rung else {
        require(command(state.path(), &["warm", "--drop"]).stdout(Stdio::null()))?;
        return Ok(Way::of("nothing held", runner, Some(state)));
    };
    if reached.as_deref() != Some(rung) {
        return Err(failure(format!("{}: {rung} was refused: {climb}", case.name)));
    }
    Ok(Way { held, climbed, ..Way::of(rung, runner, Some(state)) })
}

/// The compiler whose artifact stands.
fn tier_of(way: Option<&Way>) -> Outcome<String> {
    let state = way.and_then(|way| way.state.as_ref()).ok_or_else(|| failure("no state"))?;
    let said = output_of(&mut command(state.path(), &["cache", "list", "--format", "json"]))?;
    let document: Value = serde_json::from_str(&said).doing("reading what is cached")?;
    let newest = document["artifacts"].as_array().and_then(|all| {
        all.iter().max_by(|one, other| {
            let used = |one: &Value| one["used_unix_seconds"].as_f64().unwrap_or(0.0);
            used(one).total_cmp(&used(other))
        })
    });
    let tier = newest.and_then(|artifact| artifact["tier"].as_str()).map(str::to_owned);
    tier.ok_or_else(|| failure(format!("no artifact stands: {said}")))
}

/// The binary with state of its own.
fn command(state: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(super::runner::forewarm_binary());
    command.args(words).stdin(Stdio::null());
    super::runner::with_state(&mut command, state);
    command
}

fn first_instruction(report: &Path, way: &str) -> Outcome<f64> {
    let text = fs::read_to_string(report).doing("reading a report")?;
    let report: Value = serde_json::from_str(&text).doing("reading a report")?;
    let observation = &report["observation"];
    let from = observation["warm_state"].as_str();
    if from != Some(way) && from.is_some() | (way != "nothing held") {
        return Err(failure(format!("the run of {way} came from {from:?}")));
    }
    observation["first_instruction_seconds"].as_f64().ok_or_else(|| failure("a report without a first instruction"))
}

fn row(case: &Case, way: Way) -> Row {
    Row {
        case: case.name.clone(),
        way: way.name,
        first_instruction_seconds: (!way.firsts.is_empty()).then(|| median(&way.firsts)),
        wall_seconds: median(&way.walls),
        cpu_seconds: median(&way.cpus),
        held_bytes: way.held,
        climb_seconds: way.climbed,
        wall_samples_seconds: way.walls,
    }
}

fn print_row(row: &Row) {
    let cell = |value: Option<f64>, scale: f64| value.map_or_else(String::new, |value| format!("{:.2}", value * scale));
    println!(
        "{:<16}{:<14}{:>14}{:>10}{:>10}{:>10}{:>10}",
        row.case,
        row.way,
        cell(row.first_instruction_seconds, 1e3),
        cell(Some(row.wall_seconds), 1e3),
        cell(Some(row.cpu_seconds), 1e3),
        cell(row.held_bytes.map(|bytes| bytes as f64), 1e-6),
        cell(row.climb_seconds, 1e3),
    );
}
