//! `bench growth`: what five small runs foretell of one some hundred times as long, against what that one counts. Truth and
//! prediction come from the emulator's example `growth`; the programs are `corpus/scalable/*.c`.

use serde::Serialize;
use serde_json::Value;

use super::statistics::median;
use super::{Arguments, write};
use crate::corpus::Corpus;
use crate::corpus::scalable;
use crate::process::{Outcome, While, cargo, command, failure, output_of, require, target};

/// One program, foretold and counted.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    growth: String,
    law: String,
    /// The large run's count over the largest small one's.
    factor: f64,
    truth: f64,
    low: f64,
    expected: f64,
    high: f64,
}

impl Row {
    fn error(&self) -> f64 {
        self.expected / self.truth - 1.0
    }

    fn inside(&self) -> bool {
        self.low <= self.truth && self.truth <= self.high
    }
}

/// Counts, foretells, prints and writes.
///
/// # Errors
/// A program does not compile or run.
pub fn run(arguments: &Arguments, corpus: &Corpus) -> Outcome {
    let wanted =
        |name: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| name.starts_with(only.as_str()));
    let programs = scalable::compile_all(corpus, &wanted)?;
    require(&mut cargo(&["build", "--profile", "ci", "--workspace", "--example", "growth"]))?;
    let built = std::env::var_os("CARGO_TARGET_DIR").map_or_else(target, Into::into);
    let example = built.join("ci/examples/growth");
    println!(
        "{:14} {:22} {:24} {:>7} {:>10} {:>9} {:>15}",
        "program", "growth", "law", "factor", "truth", "error %", "interval"
    );
    let mut rows = Vec::new();
    for program in programs {
        let text = output_of(command(&example, &[]).arg(&program.wasm).args(&program.runs))?;
        let told: Value = serde_json::from_str(&text).doing("reading the example's result")?;
        let number = |key: &str| told[key].as_f64().ok_or_else(|| failure(format!("{}: no {key}", program.name)));
        let row = Row {
            factor: number("factor")?,
            truth: number("truth")?,
            low: number("low")?,
            expected: number("expected")?,
            high: number("high")?,
            law: told["law"].as_str().unwrap_or_default().to_owned(),
            growth: program.growth,
            name: program.name,
        };
        println!(
            "{:14} {:22} {:24} {:7.0} {:10.3e} {:9.2} {:7.3} {:7.3}{}",
            row.name,
            row.growth,
            row.law,
            row.factor,
            row.truth,
            100.0 * row.error(),
            row.low / row.truth,
            row.high / row.truth,
            if row.inside() { "" } else { " OUTSIDE" }
        );
        rows.push(row);
    }
    summarise(&rows)?;
    write("growth", corpus, rows)
}

fn summarise(rows: &[Row]) -> Outcome {
    let mut errors: Vec<f64> = rows.iter().map(|row| row.error().abs()).collect();
    errors.sort_by(f64::total_cmp);
    // The smallest error that nine in ten do not exceed.
    let ninth = (0.9 * errors.len() as f64).ceil() as usize;
    let Some(high) = ninth.checked_sub(1).and_then(|at| errors.get(at)) else {
        return Err(failure("no program has such a name"));
    };
    let inside = rows.iter().filter(|row| row.inside()).count() as f64 / rows.len() as f64;
    let goals = [("median error", median(&errors), 0.05), ("90th percentile of errors", *high, 0.2)];
    println!("\n{} programs, {:.0} % inside the 90 % interval", rows.len(), 100.0 * inside);
    for (what, reached, wanted) in goals {
        let verdict = if reached <= wanted { "holds " } else { "MISSED" };
        println!("  {verdict} {what:30} {:6.2} % (wanted at most {:.0} %)", 100.0 * reached, 100.0 * wanted);
    }
    Ok(())
}
