//! `bench emulate`: what counting a program costs, how well its run time follows from its counts, and how well a few
//! intervals stand for the whole. Figures come from the emulator's example `emulate` on the kernels of `corpus/kernels` at
//! a size of their own; no figure of the model was fitted to any of them. Where a predictor needs a constant of other
//! programs, it comes from all kernels but the one judged. Method and figures: docs/prediction.md.

use serde::Serialize;
use serde_json::Value;

use super::statistics::median;
use super::{Arguments, write};
use crate::corpus::Corpus;
use crate::corpus::kernels::{self, Extent};
use crate::process::{Outcome, While, cargo, command, failure, output_of, require, target};

/// Shortest run, in seconds, whose time is judged: below, what a run begins and ends with is much of it.
const SHORTEST: f64 = 0.002;

/// Tiers that programs run on.
const TIERS: [&str; 2] = ["winch", "cranelift"];

/// How a figure lies over all kernels.
#[derive(Debug, Serialize)]
struct Spread {
    tier: &'static str,
    what: &'static str,
    kernels: usize,
    median: f64,
    p90: f64,
}

/// Counts, prints and writes.
///
/// # Errors
/// A kernel does not compile, the example cannot be built, or too little ran long enough to be judged.
pub fn run(arguments: &Arguments, corpus: &Corpus) -> Outcome {
    let wanted =
        |name: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| name.starts_with(only.as_str()));
    let kernels = kernels::compile_all(corpus, Extent::Grown, &wanted)?;
    let example = example()?;
    let model = target().join("bench").join("emulate-model.json");
    std::fs::create_dir_all(target().join("bench")).doing("creating the folder of results")?;
    let mut rows = Vec::new();
    for kernel in &kernels {
        let text = output_of(command(&example, &[]).arg(&model).arg(&kernel.wasm))?;
        let row: Value = serde_json::from_str(&text).doing("reading the example's result")?;
        match row["error"].as_str() {
            Some(error) => println!("{:14} left out: {error}", kernel.name),
            None => rows.push(row),
        }
    }
    let spreads = spreads(&rows);
    if spreads.is_empty() {
        return Err(failure("no kernel ran long enough"));
    }
    print(&spreads);
    write("emulate", corpus, serde_json::json!({"spreads": spreads, "kernels": rows}))
}

fn example() -> Outcome<std::path::PathBuf> {
    require(&mut cargo(&["build", "--profile", "ci", "--workspace", "--example", "emulate"]))?;
    let built = std::env::var_os("CARGO_TARGET_DIR").map_or_else(target, Into::into);
    Ok(built.join("ci/examples/emulate"))
}

fn number(row: &Value, tier: &str, key: &str) -> f64 {
    row["tiers"][tier].pointer(key).and_then(Value::as_f64).unwrap_or(f64::NAN)
}

fn spreads(rows: &[Value]) -> Vec<Spread> {
    let mut spreads = Vec::new();
    for tier in TIERS {
        let long: Vec<&Value> = rows.iter().filter(|row| number(row, tier, "/seconds") >= SHORTEST).collect();
        let mut add = |what: &'static str, values: Vec<f64>| {
            let mut values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
            values.sort_by(f64::total_cmp);
            let Some(last) = values.len().checked_sub(1) else { return };
            let p90 = values[(0.9 * last as f64).ceil() as usize];
            spreads.push(Spread { tier, what, kernels: values.len(), median: median(&values), p90 });
        };
        let of = |key: &str| long.iter().map(|row| number(row, tier, key)).collect::<Vec<_>>();
        let ratios = |key: &str, to: &str| of(key).iter().zip(of(to)).map(|(a, b)| a / b).collect::<Vec<_>>();
        add("run, counted / plain", ratios("/counted_seconds", "/seconds"));
        add("run, counted without addresses / plain", ratios("/untraced_seconds", "/seconds"));
        add("compiling, counted / plain", ratios("/counted_compile_seconds", "/compile_seconds"));
        add("error: model", errors(&ratios("/model/cpu_seconds/expected", "/seconds")));
        add("error: model without memory", errors(&ratios("/without_memory_seconds", "/seconds")));
        let model = ratios("/model/cpu_seconds/expected", "/seconds");
        add("error: model, corrected by the others", errors(&corrected(&model)));
        let timed = ratios("/own_seconds", "/seconds");
        add("error: counted time, corrected by the others", errors(&corrected(&timed)));
        let operators: Vec<f64> = long.iter().map(|row| row["operators"].as_f64().unwrap_or(f64::NAN)).collect();
        let flat: Vec<f64> = operators.iter().zip(of("/seconds")).map(|(count, seconds)| count / seconds).collect();
        add("error: operators in total, corrected by the others", errors(&corrected(&flat)));
        let enough = |key: &str| {
            let many = long.iter().filter(|row| number(row, tier, "/represented/intervals") >= 20.0);
            many.map(|row| number(row, tier, key)).collect::<Vec<_>>()
        };
        add("representatives: error", enough("/represented/error").iter().map(|error| error.abs()).collect());
        add("representatives: share timed", enough("/represented/timed_share"));
        add("representatives: share until the last", enough("/represented/passed_share"));
    }
    spreads
}

/// Relative errors of predictions given over the truth.
fn errors(ratios: &[f64]) -> Vec<f64> {
    ratios.iter().map(|ratio| (ratio - 1.0).abs()).collect()
}

/// Each ratio divided by the median of the others: what a factor learned on other programs leaves.
fn corrected(ratios: &[f64]) -> Vec<f64> {
    let others = |skip: usize| {
        let rest: Vec<f64> = ratios
            .iter()
            .enumerate()
            .filter(|(at, ratio)| *at != skip && ratio.is_finite())
            .map(|(_, ratio)| *ratio)
            .collect();
        median(&rest)
    };
    ratios.iter().enumerate().map(|(at, ratio)| ratio / others(at)).collect()
}

fn print(spreads: &[Spread]) {
    println!("\n{:10} {:52} {:>8} {:>9} {:>9}", "tier", "", "kernels", "median", "p90");
    for spread in spreads {
        println!("{:10} {:52} {:8} {:9.3} {:9.3}", spread.tier, spread.what, spread.kernels, spread.median, spread.p90);
    }
}
