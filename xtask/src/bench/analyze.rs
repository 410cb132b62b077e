//! `bench analyze`: how fast the analyzer is on one core beside the least that can be done with the same bytes (validating
//! a module, decoding native code, parsing Python), what memory it takes, and whether both grow linearly, on one of each
//! kind made 4 and 16 times as large. Measured by the analyzer's own example, one
//! process per file.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Arguments, multiply, write};
use crate::corpus::Corpus;
use crate::process::{Outcome, While, cargo, command, failure, output_of, require, target};

/// Modules measured, largest last.
const MODULES: [&str; 7] = ["hello", "sieve", "wordfreq", "graphviz", "resvg", "python", "esbuild"];

/// The module that is multiplied, and by what.
const MULTIPLIED: &str = "graphviz";
const FACTORS: [u32; 3] = [1, 4, 16];

/// What the example says of one file.
#[derive(Debug, Serialize, Deserialize)]
struct Measured {
    bytes: u64,
    code_bytes: u64,
    functions: u64,
    validate_seconds: f64,
    run_seconds: f64,
    full_seconds: f64,
    peak_memory_bytes: u64,
}

/// A row of either table.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    #[serde(flatten)]
    measured: Measured,
    /// Full analysis over the least that can be done: validation, decoding or parsing alone.
    full_over_validation: f64,
}

/// Measures, prints and writes.
///
/// # Errors
/// A module is missing, or the analyzer refuses it.
pub fn run(arguments: &Arguments, corpus: &Corpus) -> Outcome {
    let bench = example()?;
    let chosen =
        |name: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| name.starts_with(only.as_str()));
    let rounds = if arguments.quick { 3 } else { arguments.rounds.max(3) };
    let measure = |name: String, file: &Path, times: u32| -> Outcome<Row> {
        let mut measuring = command(&bench, &["--rounds", &rounds.to_string(), "--times", &times.to_string()]);
        let measured: Measured =
            serde_json::from_str(&output_of(measuring.arg(file))?).doing("reading the example's result")?;
        let full_over_validation = measured.full_seconds / measured.validate_seconds;
        Ok(Row { name, measured, full_over_validation })
    };
    println!("\nCPU time on one core, best of {rounds} rounds; a third of validation's speed is wanted");
    heading("validate");
    let mut modules = Vec::new();
    for name in MODULES.into_iter().filter(|name| chosen(name)) {
        modules.push(shown(measure(name.to_owned(), &corpus.wasm(name), 1)?));
    }
    let mut growth = Vec::new();
    if chosen(MULTIPLIED) {
        println!("\n{MULTIPLIED}, its functions many times over");
        heading("validate");
        let original = fs::read(corpus.wasm(MULTIPLIED)).doing("reading the module to multiply")?;
        let folder = tempfile::tempdir().doing("making a folder")?;
        for factor in FACTORS {
            let file = folder.path().join("multiplied.wasm");
            fs::write(&file, multiply::times(&original, factor)?).doing("writing a multiplied module")?;
            growth.push(shown(measure(format!("{MULTIPLIED} x{factor}"), &file, 1)?));
        }
    }
    let mut native = Vec::new();
    if chosen("native") {
        println!("\nnative programs; half the speed of decoding alone is wanted");
        heading("decode");
        let own = std::env::current_exe().doing("finding this very program")?;
        native.push(shown(measure("wasmtime".to_owned(), &corpus.wasmtime(), 1)?));
        native.push(shown(measure("xtask".to_owned(), &own, 1)?));
        for factor in FACTORS {
            native.push(shown(measure(format!("code x{factor}"), &own, factor)?));
        }
    }
    let mut python = Vec::new();
    if chosen("python-source") {
        println!("\nPython files; half the speed of parsing alone is wanted");
        heading("parse");
        let library = corpus.at("venv/lib");
        for factor in FACTORS {
            python.push(shown(measure(format!("packages x{factor}"), &library, factor)?));
        }
    }
    let all = serde_json::json!({"modules": modules, "growth": growth, "native": native, "python": python});
    write("analyze", corpus, all)
}

/// The example's binary, built; or the one that `FOREWARM_ANALYZE_BENCH` names.
fn example() -> Outcome<PathBuf> {
    if let Some(path) = std::env::var_os("FOREWARM_ANALYZE_BENCH") {
        return Ok(path.into());
    }
    let build = ["build", "--release", "--package", "forewarm-analyzer", "--example", "analyze_bench"];
    require(&mut cargo(&build))?;
    let built = std::env::var_os("CARGO_TARGET_DIR").map_or_else(target, Into::into);
    let path = built.join("release/examples/analyze_bench");
    if path.exists() { Ok(path) } else { Err(failure(format!("{} was not built", path.display()))) }
}

fn heading(least: &str) {
    println!(
        "{:<16}{:>10}{:>11}{:>13}{:>8}{:>14}{:>9}{:>8}{:>8}{:>10}",
        "file",
        "code KB",
        "functions",
        format!("{least} ms"),
        "MB/s",
        "first run ms",
        "full ms",
        "MB/s",
        "ratio",
        "peak MB"
    );
}

fn shown(row: Row) -> Row {
    let Measured { code_bytes, functions, validate_seconds, run_seconds, full_seconds, peak_memory_bytes, .. } =
        row.measured;
    let speed = |seconds: f64| code_bytes as f64 / 1e6 / seconds;
    println!(
        "{:<16}{:>10.0}{:>11}{:>13.2}{:>8.0}{:>14.2}{:>9.2}{:>8.0}{:>8.2}{:>10.0}",
        row.name,
        code_bytes as f64 / 1e3,
        functions,
        validate_seconds * 1e3,
        speed(validate_seconds),
        run_seconds * 1e3,
        full_seconds * 1e3,
        speed(full_seconds),
        row.full_over_validation,
        peak_memory_bytes as f64 / 1e6
    );
    row
}
