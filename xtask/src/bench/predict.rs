//! `bench predict`: what is said of runs before they happen, held against a table in which every configuration of every
//! program and input was measured.
//!
//! `--measure` makes the table: one line of JSON a run, appended as it ends, so that a sweep that was broken off goes on
//! where it stopped. `--in-turn` measures what the table lacks of each pair just before it is planned: on a shared machine
//! a run takes half as long again in one hour as in another. Without it the table is read, each pair is planned anew by this tree's Forewarm (with a bounded
//! emulation, and without any), and both are scored, each program by what the others alone have taught. Which pairs there
//! are is in `pairs`, the table in `table`, the runs in `measure`, the plans in `foretell`, what the figures are in `score` and
//! `choice`, the picture in `plot`. `--fixed` is about other programs, whose code alone holds how often each loop runs (`fixed`). Method and figures: docs/prediction.md.

mod choice;
mod fixed;
mod foretell;
mod measure;
mod pairs;
mod plot;
mod report;
mod score;
mod table;

use std::path::PathBuf;

use super::{Arguments, write};
use crate::corpus::Corpus;
use crate::process::{Outcome, failure, root, target};
use table::Table;

/// Where the measured table lies, unless another is named: with the documents, since it is data.
const TABLE: &str = "docs/prediction/table.jsonl";

/// Where the picture is put.
const PLOT: &str = "docs/prediction/calibration.svg";

/// Measures, or foretells and scores.
///
/// # Errors
/// The corpus or the binary cannot be made, a program ends otherwise than it should, or the table is missing or damaged.
pub fn run(arguments: &Arguments, corpus: &Corpus) -> Outcome {
    if arguments.fixed {
        return fixed::run(arguments, corpus);
    }
    let path = arguments.table.clone().unwrap_or_else(|| root().join(TABLE));
    let wanted =
        |name: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| name.starts_with(only.as_str()));
    let pairs: Vec<_> = pairs::all(corpus)?.into_iter().filter(|pair| wanted(&pair.case.name)).collect();
    if arguments.measure {
        return measure::sweep(corpus, &pairs, &path, arguments.rounds);
    }
    let foretold = foretell::all(&pairs, |pair| {
        if arguments.in_turn {
            measure::sweep(corpus, std::slice::from_ref(pair), &path, arguments.rounds)?;
        }
        Table::read(&path)
    })?;
    let table = Table::read(&path)?;
    if table.measured.is_empty() {
        return Err(failure(format!("{} holds no run; make it with --measure", path.display())));
    }
    let report = report::Report::of(&table, &foretold);
    if arguments.format == super::Format::Json {
        println!("{}", report.json()?);
    } else {
        report.print();
    }
    plot::write(&report.calibration, &picture(arguments))?;
    write("predict", corpus, &report)
}

/// A part of the pairs, or another table, must not replace the picture of all.
fn picture(arguments: &Arguments) -> PathBuf {
    if arguments.only.is_empty() && arguments.table.is_none() {
        root().join(PLOT)
    } else {
        target().join("bench/calibration.svg")
    }
}
