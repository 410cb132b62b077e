//! `bench accuracy`: the analyzer's operator counts against what kernels really execute, and the goals as arithmetic on
//! the comparison. Truth comes from the emulator's example `fuel`, predictions from the analyzer's example `profile`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::statistics::median;
use super::{Arguments, write};
use crate::corpus::Corpus;
use crate::corpus::kernels::{self, Extent, Kernel, Part};
use crate::process::{Outcome, While, cargo, command, failure, output_of, require, target};

/// One kernel, predicted and counted.
#[derive(Debug, Serialize)]
struct Row {
    #[serde(flatten)]
    kernel: Kernel,
    truth: f64,
    low: f64,
    expected: f64,
    high: f64,
    /// Whether the truth lies inside.
    inside: bool,
    /// Whether the function with the greatest true self count is among the first three by predicted self share.
    hottest_found: bool,
    hottest: String,
}

impl Row {
    fn ratio(&self) -> f64 {
        self.expected / self.truth
    }

    fn width(&self) -> f64 {
        self.high / self.low.max(1.0)
    }
}

/// One goal and what was reached.
#[derive(Debug, Serialize)]
struct Goal {
    what: &'static str,
    kernels: usize,
    reached: f64,
    wanted: f64,
    holds: bool,
}

/// Compares, prints and writes.
///
/// # Errors
/// A kernel does not compile or run, or the analyzer refuses it.
pub fn run(arguments: &Arguments, corpus: &Corpus) -> Outcome {
    let wanted =
        |name: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| name.starts_with(only.as_str()));
    let extent = if arguments.all { Extent::All } else { Extent::Usual };
    let kernels = kernels::compile_all(corpus, extent, &wanted)?;
    let truths = truths(&kernels)?;
    let files: Vec<&Path> = kernels.iter().map(|kernel| kernel.wasm.as_path()).collect();
    let profiles = profiles(&files)?;
    let mut rows = Vec::new();
    for ((kernel, truth), profile) in kernels.into_iter().zip(&truths).zip(&profiles) {
        rows.push(row(kernel, truth, profile)?);
    }
    print(&rows);
    let mut results = BTreeMap::new();
    let parts = [
        ("known", Some(Part::Known)),
        ("held-out", Some(Part::HeldOut)),
        ("later", Some(Part::HeldOutLater)),
        ("third", Some(Part::HeldOutThird)),
        ("fourth", Some(Part::HeldOutFourth)),
        ("all", None),
    ];
    for (half, wanted) in parts {
        let part: Vec<&Row> = rows.iter().filter(|row| wanted.is_none_or(|wanted| row.kernel.part == wanted)).collect();
        let goals = goals(&part);
        println!("\n{half}: {} modules", part.len());
        for goal in &goals {
            let verdict = if goal.holds { "holds " } else { "MISSED" };
            println!("  {verdict} {:70} {:8.3} (wanted {}), of {}", goal.what, goal.reached, goal.wanted, goal.kernels);
        }
        results.insert(half, goals);
    }
    write("accuracy", corpus, serde_json::json!({"goals": results, "kernels": rows}))
}

/// The example's binary, built; or the one a variable names, so that developing the analyzer rebuilds nothing else.
pub(super) fn example(name: &str) -> Outcome<std::path::PathBuf> {
    if let Some(path) = std::env::var_os(format!("FOREWARM_{}", name.to_uppercase())) {
        return Ok(path.into());
    }
    require(&mut cargo(&["build", "--profile", "ci", "--workspace", "--example", name]))?;
    let built = std::env::var_os("CARGO_TARGET_DIR").map_or_else(target, Into::into);
    Ok(built.join("ci/examples").join(name))
}

/// What each kernel executes; counted once per module.
fn truths(kernels: &[Kernel]) -> Outcome<Vec<Value>> {
    let missing: Vec<&Kernel> = kernels.iter().filter(|kernel| !truth_path(kernel).exists()).collect();
    if !missing.is_empty() {
        let fuel = example("fuel")?;
        for part in missing.chunks(16) {
            let lines = output_of(command(&fuel, &[]).args(part.iter().map(|kernel| &kernel.wasm)))?;
            for (line, kernel) in lines.lines().zip(part) {
                fs::write(truth_path(kernel), line).doing("keeping a count")?;
            }
        }
    }
    kernels.iter().map(|kernel| json(&fs::read_to_string(truth_path(kernel)).doing("reading a count")?)).collect()
}

fn truth_path(kernel: &Kernel) -> std::path::PathBuf {
    kernel.wasm.with_extension("truth")
}

fn json(text: &str) -> Outcome<Value> {
    serde_json::from_str(text).doing("reading JSON")
}

/// What the analyzer says of each file.
pub(super) fn profiles(files: &[&Path]) -> Outcome<Vec<Value>> {
    let profile = example("profile")?;
    let mut out = Vec::new();
    for part in files.chunks(100) {
        let lines = output_of(command(&profile, &[]).args(part))?;
        for line in lines.lines() {
            out.push(json(line)?);
        }
    }
    if out.len() == files.len() { Ok(out) } else { Err(failure("a profile is missing")) }
}

fn row(kernel: Kernel, truth: &Value, profile: &Value) -> Outcome<Row> {
    let what = |part: &str| failure(format!("{}: {part}", Path::new(&kernel.wasm).display()));
    let count = truth["operators"].as_f64().ok_or_else(|| what(&truth.to_string()))?;
    let total = &profile["profile"]["ops"]["total"];
    let end = |end: &str| total[end].as_f64().ok_or_else(|| what("no operator count"));
    let (low, expected, high) = (end("low")?, end("expected")?, end("high")?);
    let hottest = truth["functions"].as_array().into_iter().flatten();
    let hottest = hottest.max_by_key(|function| function["self"].as_u64()).ok_or_else(|| what("nothing ran"))?;
    let name = hottest["name"].as_str().map_or_else(|| format!("func[{}]", hottest["function"]), str::to_owned);
    let mut shares: Vec<(f64, &str)> = profile["regions"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|region| region["kind"] == "function")
        .filter_map(|region| Some((region["self_share"].as_f64()?, region["function"].as_str()?)))
        .collect();
    shares.sort_by(|a, b| b.0.total_cmp(&a.0));
    let hottest_found = shares.iter().take(3).any(|share| share.1 == name);
    let inside = low <= count && count <= high;
    Ok(Row { truth: count, low, expected, high, inside, hottest_found, hottest: name, kernel })
}

fn print(rows: &[Row]) {
    println!(
        "{:14} {:20} {:4} {:>11} {:>11} {:>11} {:>11} {:>8} {:>8}",
        "kernel", "variant", "", "truth", "low", "expected", "high", "ratio", "width"
    );
    for row in rows {
        println!(
            "{:14} {:20} {}{}  {:11.4e} {:11.4e} {:11.4e} {:11.4e} {:8.3} {:8.2} {}{}",
            row.kernel.name,
            row.kernel.variant,
            if row.kernel.data_dependent { 'd' } else { 'f' },
            match row.kernel.part {
                Part::Known => ' ',
                Part::HeldOut => 'h',
                Part::HeldOutLater => 'l',
                Part::HeldOutThird => 't',
                Part::HeldOutFourth => 'f',
            },
            row.truth,
            row.low,
            row.expected,
            row.high,
            row.ratio(),
            row.width(),
            if row.inside { "" } else { "OUTSIDE " },
            if row.hottest_found { String::new() } else { format!("not found hot: {}", row.hottest) },
        );
    }
}

fn goals(rows: &[&Row]) -> Vec<Goal> {
    let share = |of: &[&Row], holds: &dyn Fn(&Row) -> bool| {
        of.iter().filter(|row| holds(row)).count() as f64 / of.len().max(1) as f64
    };
    let fixed: Vec<&Row> = rows.iter().copied().filter(|row| !row.kernel.data_dependent).collect();
    let data: Vec<&Row> = rows.iter().copied().filter(|row| row.kernel.data_dependent).collect();
    let widths = |of: &[&Row]| median(&of.iter().map(|row| row.width()).collect::<Vec<_>>());
    let at_least = |what, of: &[&Row], reached: f64, wanted: f64| Goal {
        what,
        kernels: of.len(),
        reached,
        wanted,
        holds: reached >= wanted,
    };
    let at_most = |what, of: &[&Row], reached: f64, wanted: f64| Goal {
        what,
        kernels: of.len(),
        reached,
        wanted,
        holds: reached <= wanted,
    };
    let close = |row: &Row| (row.ratio() - 1.0).abs() <= 0.1;
    vec![
        at_least("fixed control flow: expected within 10 %", &fixed, share(&fixed, &close), 0.8),
        at_least("all: truth inside the interval", rows, share(rows, &|row| row.inside), 0.9),
        at_least("fixed control flow: truth inside", &fixed, share(&fixed, &|row| row.inside), 0.9),
        at_least("data-dependent: truth inside", &data, share(&data, &|row| row.inside), 0.9),
        at_most("fixed control flow: median high/low", &fixed, widths(&fixed), 1.2),
        at_most("data-dependent: median high/low", &data, widths(&data), 10.0),
        at_least("hottest function among the first three", rows, share(rows, &|row| row.hottest_found), 0.8),
    ]
}
