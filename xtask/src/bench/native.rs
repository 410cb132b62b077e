//! `bench native`: the analyzer's counts of native programs against what they execute: the kernels at their least size by this
//! machine's C compiler (`cc`, or what `CC` names), counted by `valgrind --tool=callgrind`. Whole runs, of which only
//! instructions of the program's own file count, as the analyzer counts them: shared libraries are files of their own.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use serde::Serialize;

use super::accuracy::profiles;
use super::statistics::median;
use super::{Arguments, write};
use crate::corpus::Corpus;
use crate::corpus::kernels::{self, Source};
use crate::process::{Outcome, While, command, exists, failure, output_of, require};

/// Flags of every compilation; mathematics last, as linkers want it.
const FLAGS: [&str; 2] = ["-O2", "-w"];

/// One kernel, predicted and counted.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    size: String,
    data_dependent: bool,
    truth: f64,
    low: f64,
    expected: f64,
    high: f64,
}

impl Row {
    fn inside(&self) -> bool {
        self.low <= self.truth && self.truth <= self.high
    }

    /// How far off what is expected is, as a factor of at least one.
    fn factor(&self) -> f64 {
        let ratio = self.expected / self.truth;
        ratio.max(1.0 / ratio)
    }
}

/// Compiles, counts, compares, prints and writes.
///
/// # Errors
/// There is no C compiler or no valgrind, a kernel does not compile or run, or the analyzer refuses it.
pub fn run(arguments: &Arguments, corpus: &Corpus) -> Outcome {
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    for (program, package) in [(compiler.as_str(), "gcc"), ("valgrind", "valgrind")] {
        if !exists(program) {
            return Err(failure(format!(
                "`{program}` is missing, which this bench needs; on Debian: apt-get install {package}"
            )));
        }
    }
    let chosen =
        |name: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| name.starts_with(only.as_str()));
    let folder = tempfile::tempdir().doing("making a folder")?;
    let mut rows = Vec::new();
    for source in kernels::sources(&chosen)? {
        let row = compare(&source, &compiler, folder.path())?;
        shown(&row);
        rows.push(row);
    }
    for (what, wanted) in [("control flow fixed", Some(false)), ("by data", Some(true)), ("all", None)] {
        let part: Vec<&Row> =
            rows.iter().filter(|row| wanted.is_none_or(|wanted| row.data_dependent == wanted)).collect();
        let inside = part.iter().filter(|row| row.inside()).count() as f64 / part.len().max(1) as f64;
        let factors: Vec<f64> = part.iter().map(|row| row.factor()).collect();
        let widths: Vec<f64> = part.iter().map(|row| row.high / row.low.max(1.0)).collect();
        println!(
            "{what:<20}{:>4} kernels: truth inside the interval {:5.1} %, median factor {:.3}, median high/low {:.2}",
            part.len(),
            inside * 100.0,
            median(&factors),
            median(&widths)
        );
    }
    write("native", corpus, rows)
}

/// Compiles a kernel, runs it under callgrind, and asks the analyzer.
fn compare(source: &Source, compiler: &str, folder: &Path) -> Outcome<Row> {
    let (binary, counts) = (folder.join(&source.name), folder.join("counts"));
    let size = source.sizes.first().cloned().unwrap_or_default();
    let mut compiling = command(compiler, &FLAGS);
    compiling.arg(format!("-DN={size}")).arg(&source.path).arg("-o").arg(&binary).arg("-lm");
    require(&mut compiling)?;
    let mut counting = command("valgrind", &["--quiet", "--tool=callgrind"]);
    output_of(counting.arg(format!("--callgrind-out-file={}", counts.display())).arg(&binary))?;
    let text = fs::read_to_string(&counts).doing("reading what callgrind counted")?;
    let truth = executed(&text, &binary.to_string_lossy()) as f64;
    let profile = profiles(&[&binary])?.remove(0);
    let total = &profile["profile"]["ops"]["total"];
    let end = |end: &str| total[end].as_f64().ok_or_else(|| failure(format!("{}: no count", source.name)));
    let (low, expected, high) = (end("low")?, end("expected")?, end("high")?);
    fs::remove_file(&binary).doing("removing a program")?;
    let Source { name, data_dependent, .. } = source;
    Ok(Row { name: name.clone(), size, data_dependent: *data_dependent, truth, low, expected, high })
}

/// Instructions that a run executed in one file, as callgrind wrote them (valgrind's manual, "Callgrind Format
/// Specification"): a line of costs after each place, where lines after `calls=` hold what was called.
fn executed(text: &str, file: &str) -> u64 {
    let mut names: HashMap<&str, &str> = HashMap::new();
    let (mut here, mut called, mut sum) = (false, false, 0);
    for line in text.lines() {
        if let Some((key @ ("ob" | "cob"), value)) = line.split_once('=') {
            // A name is written once, behind its number.
            let (number, name) = value.split_once(' ').unwrap_or((value, ""));
            let name = if name.is_empty() { names.get(number).copied().unwrap_or_default() } else { name };
            names.insert(number, name);
            if key == "ob" {
                here = name == file;
            }
        } else if line.starts_with("calls=") {
            called = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '*')) {
            let cost: u64 = line.split(' ').nth(1).and_then(|cost| cost.parse().ok()).unwrap_or(0);
            sum += if here && !called { cost } else { 0 };
            called = false;
        }
    }
    sum
}

fn shown(row: &Row) {
    println!(
        "{:14} {:>10} {} {:11.4e} {:11.4e} {:11.4e} {:11.4e} {:8.3} {}",
        row.name,
        row.size,
        if row.data_dependent { 'd' } else { 'f' },
        row.truth,
        row.low,
        row.expected,
        row.high,
        row.expected / row.truth,
        if row.inside() { "" } else { "OUTSIDE" }
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_files_own_instructions_count() {
        let text = "events: Ir\n\nob=(1) /lib/ld.so\nfl=(1) a.c\nfn=(1) start\n5 100\ncob=(2) /bin/it\ncfn=(2) main\n\
                    calls=1 9\n6 70\n\nob=(2)\nfn=(2)\n9 30\n+1 7\ncob=(1)\ncfn=(1)\ncalls=2 5\n* 25\n-3 3\n";
        assert_eq!((executed(text, "/bin/it"), executed(text, "/lib/ld.so")), (40, 100));
    }
}
