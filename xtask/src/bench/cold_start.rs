//! `bench cold-start`: the first run ever of each program. Every Forewarm run finds empty folders and pays for all of its
//! own work; the peers' caches are off. Runners take turns, round after round.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use serde::Serialize;

use super::criteria::{self, Measured};
use super::run::{Finished, Sample};
use super::runner::{Runner, difference, wrong};
use super::statistics::median;
use super::{Arguments, write};
use crate::corpus::Corpus;
use crate::corpus::cases::Case;
use crate::process::{Outcome, While};

/// One case's results.
#[derive(Debug, Serialize)]
pub struct Row {
    case: String,
    module_bytes: u64,
    known_trip_counts: bool,
    long_compute: bool,
    runners: BTreeMap<&'static str, Column>,
}

/// One runner's results on a case.
#[derive(Debug, Serialize)]
struct Column {
    wall_median_seconds: f64,
    cpu_median_seconds: f64,
    samples: Vec<Sample>,
    /// Why there are no samples, or how the result differs.
    note: Option<String>,
}

/// Measures all cases.
///
/// # Errors
/// Forewarm or the peer does not do what the case expects: a time of something else would mean nothing.
pub fn run(arguments: &Arguments, corpus: &Corpus, cases: &[Case]) -> Outcome {
    let runners = runners(arguments);
    println!("\nfirst run ever, caches off; median wall ms (CPU ms) of each process");
    print!("{:<16}{:>9}", "case", "KB");
    runners.iter().for_each(|runner| print!("{:>20}", runner.name()));
    println!("  vs cranelift  vs winch  vs better");
    let mut rows = Vec::new();
    for case in cases {
        let row = measure(arguments, corpus, case, &runners)?;
        print_row(&row, &runners);
        rows.push(row);
    }
    let summary = criteria::cold(&rows.iter().filter_map(Row::measured).collect::<Vec<_>>());
    println!();
    for criterion in &summary {
        println!("{criterion}");
    }
    write("cold-start", corpus, serde_json::json!({"cases": rows, "criteria": summary}))
}

fn runners(arguments: &Arguments) -> Vec<Runner> {
    let mut runners = vec![Runner::Cranelift, Runner::Winch];
    if !arguments.peers_only {
        runners.push(Runner::ForewarmFirst);
    }
    if !arguments.no_node && crate::process::exists("node") {
        runners.push(Runner::Node);
    }
    runners
}

fn measure(arguments: &Arguments, corpus: &Corpus, case: &Case, runners: &[Runner]) -> Outcome<Row> {
    let module = fs::read(&case.file).doing(format_args!("reading {}", case.file.display()))?;
    let mut columns: BTreeMap<&'static str, Column> = BTreeMap::new();
    let mut rounds: BTreeMap<&'static str, u32> = BTreeMap::new();
    let mut peer: Option<Finished> = None;
    for round in 0..arguments.rounds(Duration::ZERO) {
        for runner in runners {
            let name = runner.name();
            if rounds.get(name).is_some_and(|rounds| round >= *rounds) {
                continue;
            }
            let finished = runner.run_with(corpus, case, arguments.forewarm_options())?;
            let column = columns.entry(name).or_insert_with(Column::empty);
            column.note = difference(case, &finished, peer.as_ref());
            if let Some(note) = &column.note {
                if *runner != Runner::Node {
                    return Err(wrong(case, runner, note));
                }
                // Node's WASI is its own: what it cannot do is noted, and not timed.
                rounds.insert(name, 0);
                column.samples.clear();
                continue;
            }
            column.samples.push(finished.sample);
            let wall = Duration::from_secs_f64(finished.sample.wall_seconds);
            rounds.entry(name).or_insert_with(|| arguments.rounds(wall));
            peer.get_or_insert(finished);
        }
    }
    columns.values_mut().for_each(Column::settle);
    Ok(Row {
        case: case.name.clone(),
        module_bytes: module.len() as u64,
        known_trip_counts: case.known_trip_counts,
        long_compute: case.long_compute,
        runners: columns,
    })
}

impl Column {
    fn empty() -> Self {
        Self { wall_median_seconds: f64::NAN, cpu_median_seconds: f64::NAN, samples: Vec::new(), note: None }
    }

    fn settle(&mut self) {
        let of = |part: fn(&Sample) -> f64| median(&self.samples.iter().map(part).collect::<Vec<_>>());
        (self.wall_median_seconds, self.cpu_median_seconds) =
            (of(|sample| sample.wall_seconds), of(|sample| sample.cpu_seconds));
    }
}

impl Row {
    fn wall(&self, runner: &Runner) -> Option<f64> {
        Some(self.runners.get(runner.name())?.wall_median_seconds).filter(|wall| wall.is_finite())
    }

    /// What the criteria look at; `None` where Forewarm was left out.
    fn measured(&self) -> Option<Measured> {
        Some(Measured {
            case: self.case.clone(),
            module_bytes: self.module_bytes,
            known_trip_counts: self.known_trip_counts,
            long_compute: self.long_compute,
            forewarm_seconds: self.wall(&Runner::ForewarmFirst)?,
            cranelift_seconds: self.wall(&Runner::Cranelift)?,
            winch_seconds: self.wall(&Runner::Winch)?,
        })
    }
}

fn print_row(row: &Row, runners: &[Runner]) {
    print!("{:<16}{:>9.0}", row.case, row.module_bytes as f64 / 1e3);
    for runner in runners {
        match row.runners.get(runner.name()) {
            Some(column) if column.note.is_none() => {
                let cell = format!("{:.1} ({:.1})", column.wall_median_seconds * 1e3, column.cpu_median_seconds * 1e3);
                print!("{cell:>20}");
            }
            _ => print!("{:>20}", "cannot"),
        }
    }
    match row.measured() {
        Some(measured) => println!(
            "{:>13.2}x{:>9.2}x{:>10.3}",
            measured.cranelift_seconds / measured.forewarm_seconds,
            measured.winch_seconds / measured.forewarm_seconds,
            measured.forewarm_seconds / measured.better_seconds()
        ),
        None => println!(),
    }
    for (name, column) in &row.runners {
        if let Some(note) = &column.note {
            println!("{:<16}{name}: {note}", "");
        }
    }
}
