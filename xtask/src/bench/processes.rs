//! `bench processes`: first runs of native programs of this system, each by a Forewarm that knows nothing: what was foretold of
//! memory and CPU time, against what the run took. Programs chosen by chance are asked for their version; commands chosen by
//! hand do something with a file of the corpus.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde::Serialize;
use serde_json::Value;

use super::statistics::median;
use super::{Arguments, runner, write};
use crate::corpus::Corpus;
use crate::corpus::inputs::Random;
use crate::process::{Outcome, While, command, failure};

/// Where the programs asked for their version come from, how many they are, and what chooses them.
const PROGRAMS: &str = "/usr/bin";
const CHOSEN: usize = 50;
const SEED: u64 = 37;

/// How long a program may take, which might wait for something that never comes.
const LONGEST: &str = "20s";

/// Commands that do something, of the kinds that people run; `TEXT` (which they are given as input too) and `CODE` are files of
/// the corpus, a quarter of a megabyte of words and two of JavaScript.
const COMMANDS: [&str; 32] = [
    "gzip -9 -c CODE",
    "bzip2 -c CODE",
    "xz -1 -c TEXT",
    "zstd -19 -c TEXT",
    "tar -cf - CODE TEXT",
    "sha256sum CODE",
    "md5sum CODE",
    "cksum CODE",
    "base64 CODE",
    "od -x TEXT",
    "sort CODE",
    "sort -u TEXT",
    "uniq -c CODE",
    "wc CODE",
    "cat CODE",
    "tac CODE",
    "rev TEXT",
    "fold -w 40 CODE",
    "tr a-z A-Z",
    "grep -c function CODE",
    "grep -E -o [a-z]+ TEXT",
    "sed s/plan/cost/g CODE",
    "awk {n+=NF}END{print(n)} CODE",
    "diff CODE TEXT",
    "find /usr/share/doc -name copyright",
    "du -s /usr/lib",
    "ls -lR /usr/lib",
    "perl -ne $n+=length;END{print$n} CODE",
    "openssl sha512 CODE",
    "gcc -dM -E -x c /dev/null",
    "git hash-object CODE",
    "strings /usr/bin/git",
];

/// A quantity foretold, and what it was.
#[derive(Debug, Serialize)]
struct Scored {
    low: f64,
    expected: f64,
    high: f64,
    actual: f64,
}

impl Scored {
    fn of(foretold: &Value, scale: f64, actual: &Value) -> Option<Self> {
        let at = |key: &str| foretold[key].as_f64().map(|value| value / scale);
        let actual = actual.as_f64().filter(|actual| *actual > 0.0)?;
        Some(Self { low: at("low")?, expected: at("expected")?, high: at("high")?, actual })
    }

    fn holds(&self) -> bool {
        (self.low..=self.high).contains(&self.actual)
    }

    /// By how many times what was expected is off, either way.
    fn factor(&self) -> f64 {
        (self.expected / self.actual).ln().abs().exp()
    }
}

/// One first run.
#[derive(Debug, Serialize)]
struct Row {
    command: String,
    memory_bytes: Scored,
    cpu_seconds: Scored,
}

/// Runs and scores.
///
/// # Errors
/// No program can be run, or the results cannot be written.
pub fn run(arguments: &Arguments, corpus: &Corpus) -> Outcome {
    let [text, code] = ["text.txt", "large.js"].map(|name| corpus.input(name).display().to_string());
    let scored = |line: &str, input: Option<&Path>| {
        let row = first_run(line, &line.replace("TEXT", &text).replace("CODE", &code), input);
        if row.is_none() {
            eprintln!("left out, since it is not here or cannot be scored: {line}");
        }
        row
    };
    let chosen = by_chance(if arguments.quick { CHOSEN / 10 } else { CHOSEN })?;
    let versions: Vec<Row> = chosen.iter().filter_map(|name| scored(&format!("{name} --version"), None)).collect();
    let works: Vec<Row> = COMMANDS.iter().filter_map(|line| scored(line, Some(Path::new(&text)))).collect();
    if versions.is_empty() && works.is_empty() {
        return Err(failure("no program could be run"));
    }
    println!("\nfirst runs, each by a Forewarm that knows nothing");
    println!("{:<44}{:>6}{:>18}{:>12}", "what", "runs", "inside 90 %", "factor off");
    for (name, rows) in [("chosen by chance, asked for their version", &versions), ("commands that work", &works)] {
        print(&format!("memory, {name}"), rows.iter().map(|row| &row.memory_bytes));
        print(&format!("CPU, {name}"), rows.iter().map(|row| &row.cpu_seconds));
    }
    write("processes", corpus, [versions, works])
}

fn print<'a>(name: &str, scored: impl Iterator<Item = &'a Scored>) {
    let scored: Vec<&Scored> = scored.collect();
    let inside = scored.iter().filter(|scored| scored.holds()).count() as f64 / scored.len() as f64 * 100.0;
    let factors: Vec<f64> = scored.iter().map(|scored| scored.factor()).collect();
    println!("{name:<56}{:>6}{inside:>11.0} %{:>10.1}", scored.len(), median(&factors));
}

/// The names of so many of the system's native programs.
fn by_chance(count: usize) -> Outcome<Vec<String>> {
    let entries = fs::read_dir(PROGRAMS).doing(format_args!("reading {PROGRAMS}"))?;
    let native = entries.filter_map(Result::ok).filter(|entry| is_native(&entry.path()));
    let mut names: Vec<String> = native.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    let mut random = Random(SEED);
    let count = count.min(names.len());
    Ok((0..count).map(|_| names.swap_remove(random.below(names.len()))).collect())
}

/// Whether a file, and none that merely leads to it, begins as a native program does.
fn is_native(path: &Path) -> bool {
    use std::io::Read;
    let plain = path.symlink_metadata().is_ok_and(|found| found.is_file());
    let mut head = [0; 4];
    plain && fs::File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok() && head == *b"\x7fELF"
}

/// The first run of a command, scored under its name; `None` where it cannot be run, or does not end by itself.
fn first_run(name: &str, line: &str, input: Option<&Path>) -> Option<Row> {
    let mut words = line.split(' ');
    let program = Path::new(PROGRAMS).join(words.next()?);
    let state = tempfile::tempdir().ok()?;
    let report = state.path().join("report.json");
    let mut run = command(runner::forewarm_binary(), &["run", "--timeout", LONGEST, "--report"]);
    run.arg(&report).arg(program).arg("--").args(words).current_dir(state.path());
    runner::with_state(&mut run, state.path());
    let input = input.and_then(|path| fs::File::open(path).ok()).map_or_else(Stdio::null, Stdio::from);
    run.stdin(input).stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
    let report: Value = serde_json::from_slice(&fs::read(report).ok()?).ok()?;
    let (cost, observed) = (&report["plan"]["chosen"]["cost"], &report["observation"]);
    if observed["censored"] == true {
        return None;
    }
    // Others running beside it take wall time, which the plan foretells, and none of its CPU time.
    let beside = cost["contention_factor"].as_f64().unwrap_or(1.0).max(1.0);
    Some(Row {
        command: name.to_owned(),
        memory_bytes: Scored::of(&cost["memory_bytes"], 1.0, &observed["peak_linear_memory_bytes"])?,
        cpu_seconds: Scored::of(&cost["run_seconds"], beside, &observed["run_cpu_seconds"])?,
    })
}
