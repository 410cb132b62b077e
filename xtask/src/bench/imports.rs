//! `bench imports`: what the analyzer resolves imports to, against what the interpreter loads: how many modules, and of which
//! installed distributions. Modules of the standard library and of the corpus's Python packages, each imported alone.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::statistics::median;
use super::{Arguments, runner, write};
use crate::corpus::{self, Corpus};
use crate::process::{Outcome, While, command, failure, output_of};

/// What is imported.
const MODULES: [&str; 48] = [
    "argparse",
    "asyncio",
    "base64",
    "concurrent.futures",
    "configparser",
    "csv",
    "ctypes",
    "dataclasses",
    "datetime",
    "decimal",
    "email.message",
    "fractions",
    "gzip",
    "hashlib",
    "http.client",
    "json",
    "logging.handlers",
    "multiprocessing.pool",
    "pathlib",
    "pickle",
    "sqlite3",
    "ssl",
    "statistics",
    "subprocess",
    "tempfile",
    "unittest.mock",
    "urllib.request",
    "xml.etree.ElementTree",
    "zipfile",
    "certifi",
    "charset_normalizer",
    "cryptography.fernet",
    "cryptography.x509",
    "dateutil.parser",
    "idna",
    "joblib",
    "numpy",
    "numpy.random",
    "pandas",
    "PIL.Image",
    "PIL.ImageFont",
    "requests",
    "scipy.sparse",
    "scipy.stats",
    "sklearn.cluster",
    "sklearn.linear_model",
    "threadpoolctl",
    "urllib3",
];

/// Tells as JSON how many modules an import loads beyond those of every interpreter, and of which distributions.
const LOADED: &str = "\
import sys
before = set(sys.modules)
__import__(sys.argv[1])
new = set(sys.modules) - before
import importlib.metadata, json
of = importlib.metadata.packages_distributions()
names = {name for module in new for name in of.get(module.partition('.')[0], [])}
print(json.dumps({'modules': len(new), 'distributions': sorted(names)}))
";

/// One import, resolved and made.
#[derive(Debug, Serialize)]
struct Row {
    module: &'static str,
    loaded: f64,
    resolved: f64,
    /// Distributions that are loaded and were not found, and that were found and are not loaded.
    missed: BTreeSet<String>,
    beyond: BTreeSet<String>,
}

impl Row {
    /// How far off the number of modules is, as a factor of at least one.
    fn factor(&self) -> f64 {
        let ratio = self.resolved.max(1.0) / self.loaded.max(1.0);
        ratio.max(1.0 / ratio)
    }
}

/// Resolves, imports, compares, prints and writes.
///
/// # Errors
/// The corpus's Python cannot be made, Forewarm refuses a script, or a module cannot be imported.
pub fn run(arguments: &Arguments) -> Outcome {
    let (corpus, _) = corpus::prepare()?;
    let python = corpus.at("python/bin/python");
    if !python.exists() {
        return Err(failure(format!("{} is missing; `cargo xtask corpus` makes it", python.display())));
    }
    let chosen =
        |name: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| name.starts_with(only.as_str()));
    let folder = tempfile::tempdir().doing("making a folder")?;
    let mut rows = Vec::new();
    println!("{:<24}{:>8}{:>10}{:>8}", "import", "loaded", "resolved", "factor");
    for module in MODULES.into_iter().filter(|module| chosen(module)) {
        let row = compare(module, &corpus, &python, folder.path())?;
        println!(
            "{module:<24}{:>8}{:>10}{:>8.2}  {}{}",
            row.loaded,
            row.resolved,
            row.factor(),
            said("not found", &row.missed),
            said("not loaded", &row.beyond)
        );
        rows.push(row);
    }
    let right = rows.iter().filter(|row| row.missed.is_empty()).count();
    let factors: Vec<f64> = rows.iter().map(Row::factor).collect();
    println!(
        "{} imports: all distributions found for {right}, median factor of modules {:.2}, at most {:.2}",
        rows.len(),
        median(&factors),
        factors.iter().copied().fold(1.0, f64::max)
    );
    write("imports", &corpus, rows)
}

/// Has Forewarm resolve an import, and the interpreter make it.
fn compare(module: &'static str, corpus: &Corpus, python: &Path, folder: &Path) -> Outcome<Row> {
    let script = folder.join("script.py");
    fs::write(&script, format!("import {module}\n")).doing("writing a script")?;
    let mut resolving = command(runner::forewarm_binary(), &["analyze", "--format", "json", "--python"]);
    resolving.arg(python).arg(&script).env("XDG_DATA_HOME", folder).env("XDG_CACHE_HOME", folder);
    let resolved = json(&output_of(&mut resolving)?)?;
    let loaded = json(&output_of(command(python, &["-c", LOADED, module]).current_dir(corpus.at("")))?)?;
    let names = |list: Option<&Value>, name: &dyn Fn(&Value) -> Option<String>| -> BTreeSet<String> {
        list.and_then(Value::as_array).into_iter().flatten().filter_map(name).collect()
    };
    let found = names(resolved.pointer("/python/distributions"), &|one| one["name"].as_str().map(normal));
    let made = names(loaded.get("distributions"), &|one| one.as_str().map(normal));
    let count =
        |value: Option<&Value>| value.and_then(Value::as_f64).ok_or_else(|| failure(format!("{module}: no count")));
    Ok(Row {
        module,
        loaded: count(loaded.get("modules"))?,
        resolved: count(resolved.pointer("/python/init/modules"))?,
        missed: made.difference(&found).cloned().collect(),
        beyond: found.difference(&made).cloned().collect(),
    })
}

fn json(text: &str) -> Outcome<Value> {
    serde_json::from_str(text).doing("reading JSON")
}

/// A distribution's name as names are compared (PEP 503).
fn normal(name: &str) -> String {
    name.to_lowercase().replace(['_', '.'], "-")
}

fn said(what: &str, names: &BTreeSet<String>) -> String {
    if names.is_empty() {
        return String::new();
    }
    format!("{what}: {} ", names.iter().cloned().collect::<Vec<_>>().join(", "))
}
