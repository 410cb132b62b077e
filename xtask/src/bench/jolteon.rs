//! `bench jolteon`: how well probes are chosen on tables that others recorded in a real cloud, where every configuration of
//! every stage was measured, so that regret is exact. The planner's example `recorded` chooses; the table is read where it
//! lies and not copied. Method and figures: docs/prediction.md.

use std::path::PathBuf;

use serde_json::Value;

use super::{Arguments, write};
use crate::corpus::Corpus;
use crate::process::{Outcome, While, cargo, command, failure, output_of, require, root, target};

/// The table beside the project, unless another is named.
const TABLE: &str = "../shared/data/jolteon/ML-Pipeline_profile.json";

/// Orders of the configurations, of each of which the choice is made anew.
const SEEDS: u32 = 20;

/// Chooses, prints and writes.
///
/// # Errors
/// The table is missing or another's, or the example cannot be built.
pub fn run(arguments: &Arguments, corpus: &Corpus) -> Outcome {
    let table = arguments.table.clone().unwrap_or_else(|| root().join(TABLE));
    if !table.exists() {
        return Err(failure(format!("{} is missing; name a table with --table", table.display())));
    }
    let seeds = if arguments.quick { 3 } else { SEEDS };
    let text = output_of(command(&example()?, &[]).arg(&table).arg(seeds.to_string()))?;
    let results: Value = serde_json::from_str(&text).doing("reading the example's result")?;
    print(&results);
    write("jolteon", corpus, results)
}

fn example() -> Outcome<PathBuf> {
    require(&mut cargo(&["build", "--profile", "ci", "--package", "forewarm-planner", "--example", "recorded"]))?;
    let built = std::env::var_os("CARGO_TARGET_DIR").map_or_else(target, Into::into);
    Ok(built.join("ci/examples/recorded"))
}

fn print(results: &Value) {
    let percent = |value: &Value| 100.0 * value.as_f64().unwrap_or(f64::NAN);
    println!(
        "\n{:38} {:>8} {:>14} {:>12} {:>10}   by stage: regret / error %",
        "cost x time, at most 3 probes a stage", "regret %", "stage error %", "all errors %", "inside %"
    );
    for way in results["ways"].as_array().into_iter().flatten() {
        let stages = way["stages"].as_array().into_iter().flatten();
        let stage = |row: &Value| format!("{:.1}/{:.1}", percent(&row["regret"]), percent(&row["median_error"]));
        println!(
            "{:38} {:8.2} {:14.2} {:12.2} {:10.1}   {}",
            way["way"].as_str().unwrap_or_default(),
            percent(&way["mean_regret"]),
            percent(&way["mean_of_median_errors"]),
            percent(&way["median_error"]),
            percent(&way["coverage"]),
            stages.map(stage).collect::<Vec<_>>().join("  ")
        );
    }
    println!("{:38} {:8.2}", "one configuration for all stages", percent(&results["best_single_regret"]));
    let first = &results["ways"][0];
    let goals = [
        ("mean regret", "mean_regret", 5.0),
        ("mean over stages of median error", "mean_of_median_errors", 8.0),
        ("median of all errors", "median_error", 8.0),
    ];
    for (what, key, wanted) in goals {
        let reached = percent(&first[key]);
        let verdict = if reached <= wanted { "holds " } else { "MISSED" };
        println!("  {verdict} {what:40} {reached:6.2} % (wanted at most {wanted} %)");
    }
    for stage in first["stages"].as_array().into_iter().flatten() {
        println!(
            "  {}: probes {} chose {}",
            stage["stage"].as_str().unwrap_or_default(),
            stage["probes"],
            stage["chosen"]
        );
    }
}
