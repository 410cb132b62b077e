//! `cargo xtask bench NAME`: Forewarm beside its peers, run in turn on the same machine; a table for people and JSON with
//! the machine's description for records. Nothing here asserts a time: a bench reports, people judge. One run is in
//! `run`, who is run in `runner`, the machine in `machine`, medians in `statistics`, each bench in a file of its name.

mod accuracy;
mod analyze;
mod cold_start;
mod criteria;
mod emulate;
mod growth;
mod imports;
mod jolteon;
mod machine;
mod multiply;
mod native;
mod native_start;
mod predict;
mod processes;
mod python_start;
mod run;
mod runner;
mod stages;
mod statistics;
mod warm_start;
mod wasm_start;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::corpus::cases::{Case, Group};
use crate::corpus::{self, Corpus};
use crate::process::{Outcome, While, cargo, failure, require, target};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    /// First run ever, nothing cached, against both of the peer's compilers and node.
    ColdStart,
    /// A run whose artifact stands, against the peer on a precompiled module.
    WarmStart,
    /// What lies before the program's first instruction and after its last.
    Stages,
    /// What the analyzer says kernels execute, against what they do.
    Accuracy,
    /// What the analyzer says native programs execute, against what they do.
    Native,
    /// What imports are resolved to, against what the interpreter loads.
    Imports,
    /// A Python program's start: from nothing, from each rung of its warm ladder, and by its peers.
    PythonStart,
    /// A native function's start: from nothing, and from each rung of its warm ladder.
    NativeStart,
    /// A known WebAssembly program's start: as usual, from each rung of its warm ladder, and by the peer.
    WasmStart,
    /// How fast the analyzer is, beside validating the same bytes, and how its time and memory grow.
    Analyze,
    /// What a few small runs foretell of a long one, against what it counts.
    Growth,
    /// Which configurations are probed, and which is chosen, on a table recorded in a real cloud.
    Jolteon,
    /// What counting a program costs, and how well its run time follows from its counts.
    Emulate,
    /// What is foretold of runs, and what is chosen for them, against a table of every configuration.
    Predict,
    /// What is foretold of first runs of the system's own programs, against what they take.
    Processes,
}

/// How a result is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// One JSON document.
    Json,
}

/// `cargo xtask bench`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// What is measured.
    #[arg(value_enum)]
    name: Name,
    /// Only cases whose name begins so (may be repeated); names of the corpus outside the speed goals work too.
    #[arg(long)]
    only: Vec<String>,
    /// Rounds of each runner whose run takes under a second (longer ones take a third, at least 3).
    #[arg(long, default_value_t = 9)]
    rounds: u32,
    /// Three rounds, to see that everything works.
    #[arg(long)]
    quick: bool,
    /// With `accuracy`: kernels compiled by unusual flags too.
    #[arg(long)]
    all: bool,
    /// Leave Forewarm out: what must be beaten.
    #[arg(long)]
    peers_only: bool,
    /// Turn the detached preparation of artifacts off (else it is waited for after each run, outside the measured time).
    #[arg(long)]
    no_prepare: bool,
    /// Leave node out.
    #[arg(long)]
    no_node: bool,
    /// With `jolteon`: another workflow's table of the same form; with `predict`: another table than the one kept.
    #[arg(long, value_name = "FILE")]
    table: Option<PathBuf>,
    /// With `predict`: measure what the table lacks (`--rounds` runs of each, a round of all before the next).
    #[arg(long)]
    measure: bool,
    /// With `predict`: the same of each pair just before it is planned.
    #[arg(long)]
    in_turn: bool,
    /// With `predict`: from the code alone, programs whose trip counts it holds.
    #[arg(long, conflicts_with_all = ["table", "measure", "in_turn"])]
    fixed: bool,
    /// With `predict`: how the figures are shown.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Measure this Forewarm instead of building this tree's first (an older build, say).
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
}

impl Arguments {
    /// Options for every measured run of Forewarm.
    fn forewarm_options(&self) -> &'static [&'static str] {
        if self.no_prepare { &["--no-prepare"] } else { &[] }
    }

    /// Rounds for a run that takes so long: all of them under a second, a third above, at least three.
    fn rounds(&self, first: Duration) -> u32 {
        let rounds = if self.quick { 3 } else { self.rounds };
        if first < Duration::from_secs(1) { rounds } else { (rounds / 3).max(3).min(rounds) }
    }
}

/// Runs one bench.
///
/// # Errors
/// The corpus or the binary cannot be made, or a result cannot be written.
pub fn run(arguments: &Arguments) -> Outcome {
    if arguments.name == Name::Accuracy {
        return accuracy::run(arguments, &Corpus::open()?);
    }
    if arguments.name == Name::Imports {
        prepare_binary(arguments)?;
        return imports::run(arguments);
    }
    if arguments.name == Name::Native {
        return native::run(arguments, &Corpus::open()?);
    }
    if arguments.name == Name::Analyze {
        return analyze::run(arguments, &Corpus::open()?);
    }
    if arguments.name == Name::Emulate {
        return emulate::run(arguments, &Corpus::open()?);
    }
    if arguments.name == Name::Growth {
        return growth::run(arguments, &Corpus::open()?);
    }
    if arguments.name == Name::Jolteon {
        return jolteon::run(arguments, &Corpus::open()?);
    }
    if arguments.name == Name::Predict {
        prepare_binary(arguments)?;
        return predict::run(arguments, &Corpus::open()?);
    }
    if arguments.name == Name::Processes {
        prepare_binary(arguments)?;
        return processes::run(arguments, &Corpus::open()?);
    }
    if arguments.name == Name::PythonStart {
        prepare_binary(arguments)?;
        return python_start::run(arguments, &Corpus::open()?);
    }
    if arguments.name == Name::NativeStart {
        prepare_binary(arguments)?;
        return native_start::run(arguments, &Corpus::open()?);
    }
    let (corpus, cases) = corpus::prepare()?;
    prepare_binary(arguments)?;
    let cases = chosen(arguments, cases)?;
    match arguments.name {
        Name::ColdStart => cold_start::run(arguments, &corpus, &cases),
        Name::WarmStart => warm_start::run(arguments, &corpus, &cases),
        Name::WasmStart => wasm_start::run(arguments, &corpus, &cases),
        Name::Stages => stages::run(arguments, &corpus),
        Name::Accuracy
        | Name::Analyze
        | Name::Emulate
        | Name::Growth
        | Name::Imports
        | Name::Jolteon
        | Name::Native
        | Name::NativeStart
        | Name::Predict
        | Name::Processes
        | Name::PythonStart => Ok(()),
    }
}

/// Builds Forewarm, or takes the one that is named.
fn prepare_binary(arguments: &Arguments) -> Outcome {
    match &arguments.binary {
        Some(binary) => runner::use_binary(binary.canonicalize().doing(format_args!("finding {}", binary.display()))?),
        None if arguments.peers_only => {}
        None => require(&mut cargo(&["build", "--release", "--package", "forewarm"]))?,
    }
    Ok(())
}

fn chosen(arguments: &Arguments, cases: Vec<Case>) -> Outcome<Vec<Case>> {
    let named = |case: &Case| arguments.only.iter().any(|name| case.name.starts_with(name.as_str()));
    let cases: Vec<Case> = cases
        .into_iter()
        .filter(|case| if arguments.only.is_empty() { case.group == Group::Bench } else { named(case) })
        .filter(|case| matches!(case.group, Group::Bench | Group::Ordinary))
        .collect();
    if cases.is_empty() { Err(failure("no case has such a name")) } else { Ok(cases) }
}

/// A bench's whole result, as written.
#[derive(Serialize)]
struct Document<'a, R> {
    schema: u32,
    bench: &'a str,
    command: String,
    machine: machine::Machine,
    results: R,
}

/// Writes `target/bench/NAME.json`.
fn write(name: &str, corpus: &Corpus, results: impl Serialize) -> Outcome {
    let document = Document {
        schema: 1,
        bench: name,
        command: std::iter::once("cargo xtask".to_owned())
            .chain(std::env::args().skip(1))
            .collect::<Vec<_>>()
            .join(" "),
        machine: machine::describe(corpus),
        results,
    };
    // Beside what may be a document on standard output.
    eprintln!("\nmachine: {}", document.machine);
    let path = target().join("bench").join(format!("{name}.json"));
    fs::create_dir_all(target().join("bench")).doing("creating the folder of results")?;
    let bytes = serde_json::to_vec_pretty(&document).doing("describing the results")?;
    fs::write(&path, bytes).doing(format_args!("writing {}", path.display()))?;
    eprintln!("written: target/bench/{name}.json");
    Ok(())
}
