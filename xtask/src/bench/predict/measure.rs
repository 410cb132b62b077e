//! The sweep that makes the table: every pair on every configuration it can be told to use, in rounds, each run by a
//! Forewarm that knows nothing yet. What was measured before is not measured again.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::pairs::{Kind, Pair};
use super::table::{self, Run};
use crate::bench::machine;
use crate::bench::run::{Scratch, measure, wait_for_left_behind};
use crate::bench::runner::Runner;
use crate::corpus::Corpus;
use crate::process::{Outcome, While, failure};

/// Longest run, in CPU seconds, that is repeated at all; longer ones say enough in one.
const LONGEST_REPEATED: f64 = 60.0;

/// Longest run, in CPU seconds on the fastest tier, that the interpreter is measured on too: there it takes some thirty times
/// as long.
const LONGEST_INTERPRETED: f64 = 0.15;

/// Runs every pair as often as is wanted, one round of all before the next, and appends each run as it ends.
///
/// # Errors
/// A program ends otherwise than it should, or the table cannot be written.
pub fn sweep(corpus: &Corpus, pairs: &[Pair], path: &Path, rounds: u32) -> Outcome {
    let mut known = table::runs(path)?;
    let heading = json!({"schema": 1, "made_by": "cargo xtask bench predict --measure",
                         "machine": machine::describe(corpus)});
    for round in 0..rounds {
        for pair in pairs {
            for configuration in pair.configurations() {
                let of = |run: &&Run| run.pair == pair.case.name && run.configuration == configuration;
                let before: Vec<&Run> = known.iter().filter(of).collect();
                let done: BTreeSet<u32> = before.iter().map(|run| run.round).collect();
                let long = before.iter().any(|run| run.cpu_seconds > LONGEST_REPEATED);
                let fastest = known.iter().filter(|run| run.pair == pair.case.name);
                let fastest = fastest.map(|run| run.cpu_seconds).fold(f64::INFINITY, f64::min);
                let hopeless = configuration == "pulley" && fastest > LONGEST_INTERPRETED;
                if done.contains(&round) || long || hopeless {
                    continue;
                }
                let run = once(corpus, pair, &configuration, round)?;
                println!("{round} {:24} {configuration:10} {:9.4} s", run.pair, run.cpu_seconds);
                table::append(path, &heading, &run)?;
                known.push(run);
            }
        }
    }
    Ok(())
}

/// One run, in fresh folders, by a Forewarm that knows nothing yet.
///
/// # Errors
/// The program ends otherwise than it should, or its report lacks a figure.
pub fn once(corpus: &Corpus, pair: &Pair, configuration: &str, round: u32) -> Outcome<Run> {
    let scratch = Scratch::new(&pair.case)?;
    let state = scratch.path().join("state");
    let report = scratch.path().join("report.json");
    let report_text = report.display().to_string();
    let mut options = vec!["--no-prepare", "--emulate", "never", "--report", &report_text];
    let lever = if pair.kind == Kind::Wasm { "--tier" } else { "--threads" };
    options.extend([lever, configuration]);
    let own = pair.options();
    options.extend(own.iter().map(String::as_str));
    let command = Runner::Forewarm(state.clone()).command(corpus, &pair.case, &scratch, &options);
    let finished = measure(command, &pair.case, &scratch)?;
    wait_for_left_behind(&state)?;
    if finished.exit != 0 {
        let name = &pair.case.name;
        return Err(failure(format!("{name} on {configuration} ended with {}: {}", finished.exit, finished.stderr)));
    }
    let text = fs::read(&report).doing(format_args!("reading the report of {}", pair.case.name))?;
    let report: Value = serde_json::from_slice(&text).doing("reading a report")?;
    let number = |key: &str| {
        let value = report["observation"][key].as_f64();
        value.ok_or_else(|| failure(format!("{}: its report lacks {key}", pair.case.name)))
    };
    let peak = if pair.kind == Kind::Wasm { "peak_linear_memory_bytes" } else { "peak_memory_bytes" };
    Ok(Run {
        pair: pair.case.name.clone(),
        program: pair.program.clone(),
        kind: pair.kind.name().to_owned(),
        configuration: configuration.to_owned(),
        round,
        cpu_seconds: number("run_cpu_seconds")?,
        run_seconds: number("run_seconds")?,
        total_cpu_seconds: number("cpu_seconds")?,
        wall_seconds: number("wall_seconds")?,
        memory_bytes: number(peak)?,
        code_bytes: fs::metadata(&pair.case.file).doing("looking at a program")?.len() as f64,
    })
}
