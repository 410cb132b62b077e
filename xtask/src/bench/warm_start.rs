//! `bench warm-start`: a run whose artifact stands, against the peer on a module it has compiled before with the tier that
//! Forewarm chose. The two take turns.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::criteria::{self, warm_allowance_seconds};
use super::run::Sample;
use super::runner::{Runner, difference, precompile, wrong};
use super::stages::Report;
use super::statistics::median;
use super::{Arguments, write};
use crate::corpus::Corpus;
use crate::corpus::cases::Case;
use crate::process::{Outcome, While, failure};

/// Runs in which Forewarm may come to a standing artifact and a settled choice.
const SETTLING_RUNS: u32 = 8;

/// One case's results.
#[derive(Debug, Serialize)]
struct Row {
    case: String,
    module_bytes: u64,
    configuration_class: String,
    /// Runs until the artifact stood and the choice no longer changed.
    settled_after_runs: u32,
    artifact_stood: bool,
    same_class_afterwards: bool,
    forewarm_wall_seconds: f64,
    precompiled_wall_seconds: f64,
    forewarm_cpu_seconds: f64,
    precompiled_cpu_seconds: f64,
    difference_seconds: f64,
    allowance_seconds: f64,
    forewarm_samples: Vec<Sample>,
    precompiled_samples: Vec<Sample>,
}

/// Measures all cases.
///
/// # Errors
/// Forewarm or the peer does not do what the case expects, or Forewarm is left out.
pub fn run(arguments: &Arguments, corpus: &Corpus, cases: &[Case]) -> Outcome {
    if arguments.peers_only {
        return Err(failure("warm-start compares with Forewarm's choice of tier; it cannot leave it out"));
    }
    println!("\nartifact standing; median wall ms (CPU ms) of each process");
    println!(
        "{:<16}{:>9}{:>20}{:>6}{:>20}{:>20}{:>10}{:>9}",
        "case", "KB", "class", "runs", "forewarm", "precompiled", "diff ms", "allowed"
    );
    let mut rows = Vec::new();
    for case in cases {
        let row = measure(arguments, corpus, case)?;
        print_row(&row);
        rows.push(row);
    }
    let differences: Vec<_> =
        rows.iter().map(|row| (row.case.clone(), row.module_bytes, row.difference_seconds)).collect();
    let criterion = criteria::warm(&differences);
    println!();
    criterion.iter().for_each(|criterion| println!("{criterion}"));
    write("warm-start", corpus, serde_json::json!({"cases": rows, "criteria": criterion}))
}

fn measure(arguments: &Arguments, corpus: &Corpus, case: &Case) -> Outcome<Row> {
    let state = tempfile::tempdir().doing("making a folder for state")?;
    let forewarm = Runner::Forewarm(state.path().to_path_buf());
    let (settled, settled_after_runs) = settle(corpus, case, &forewarm, state.path())?;
    let peer = precompile(corpus, case, settled.tier())?;
    let expected = peer.run(corpus, case)?;
    if let Some(what) = difference(case, &expected, None) {
        return Err(wrong(case, &peer, &what));
    }
    let (mut ours, mut theirs): (Vec<Sample>, Vec<Sample>) = (Vec::new(), Vec::new());
    let rounds = arguments.rounds(Duration::from_secs_f64(expected.sample.wall_seconds));
    for _ in 0..rounds {
        for (runner, samples) in [(&forewarm, &mut ours), (&peer, &mut theirs)] {
            let finished = runner.run_with(corpus, case, arguments.forewarm_options())?;
            if let Some(what) = difference(case, &finished, Some(&expected)) {
                return Err(wrong(case, runner, &what));
            }
            samples.push(finished.sample);
        }
    }
    let afterwards = Report::of_run(corpus, case, &forewarm, state.path())?;
    let module_bytes = fs::metadata(&case.file).doing("reading the module's size")?.len();
    let wall = |samples: &[Sample]| median(&samples.iter().map(|sample| sample.wall_seconds).collect::<Vec<_>>());
    let cpu = |samples: &[Sample]| median(&samples.iter().map(|sample| sample.cpu_seconds).collect::<Vec<_>>());
    Ok(Row {
        case: case.name.clone(),
        module_bytes,
        artifact_stood: !settled.compiled() && !afterwards.compiled(),
        same_class_afterwards: settled.configuration_class() == afterwards.configuration_class(),
        configuration_class: settled.configuration_class().to_owned(),
        settled_after_runs,
        forewarm_wall_seconds: wall(&ours),
        precompiled_wall_seconds: wall(&theirs),
        forewarm_cpu_seconds: cpu(&ours),
        precompiled_cpu_seconds: cpu(&theirs),
        difference_seconds: wall(&ours) - wall(&theirs),
        allowance_seconds: warm_allowance_seconds(module_bytes),
        forewarm_samples: ours,
        precompiled_samples: theirs,
    })
}

/// Runs the case until three runs in a row chose alike and the latter two compiled nothing.
fn settle(corpus: &Corpus, case: &Case, forewarm: &Runner, state: &Path) -> Outcome<(Report, u32)> {
    let mut last = Report::of_run(corpus, case, forewarm, state)?;
    let mut alike = 0;
    for runs in 2..=SETTLING_RUNS {
        let next = Report::of_run(corpus, case, forewarm, state)?;
        let settled = !next.compiled() && next.configuration_class() == last.configuration_class();
        alike = if settled { alike + 1 } else { 0 };
        last = next;
        if alike == 2 {
            return Ok((last, runs));
        }
    }
    Ok((last, SETTLING_RUNS))
}

fn print_row(row: &Row) {
    let cell = |wall: f64, cpu: f64| format!("{:.2} ({:.2})", wall * 1e3, cpu * 1e3);
    println!(
        "{:<16}{:>9.0}{:>20}{:>6}{:>20}{:>20}{:>10.2}{:>9.1}{}{}",
        row.case,
        row.module_bytes as f64 / 1e3,
        row.configuration_class,
        row.settled_after_runs,
        cell(row.forewarm_wall_seconds, row.forewarm_cpu_seconds),
        cell(row.precompiled_wall_seconds, row.precompiled_cpu_seconds),
        row.difference_seconds * 1e3,
        row.allowance_seconds * 1e3,
        if row.artifact_stood { "" } else { "  NO ARTIFACT STOOD" },
        if row.same_class_afterwards { "" } else { "  THE CHOICE CHANGED MEANWHILE" },
    );
}
