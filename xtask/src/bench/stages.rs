//! `bench stages`: what lies before a program's first instruction and after its last, by Forewarm's own reports and, from
//! outside, by programs that print the clock as their first and last act.

use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::Serialize;
use serde_json::Value;

use super::run::Finished;
use super::runner::{Runner, difference, precompile, wrong};
use super::statistics::median;
use super::{Arguments, write};
use crate::corpus::Corpus;
use crate::corpus::cases::{self, Case};
use crate::process::{Outcome, While, failure};

/// What `forewarm run --report` wrote.
pub struct Report(Value);

impl Report {
    /// Runs the case with a report and reads it.
    ///
    /// # Errors
    /// The run is not what the case expects, or the report cannot be read.
    pub fn of_run(corpus: &Corpus, case: &Case, runner: &Runner, state: &Path) -> Outcome<Self> {
        let path = state.join("report.json");
        let finished = runner.run_with(corpus, case, &["--report", &path.to_string_lossy()])?;
        if let Some(what) = difference(case, &finished, None) {
            return Err(wrong(case, runner, &what));
        }
        let bytes = fs::read(&path).doing("reading Forewarm's report")?;
        Ok(Self(serde_json::from_slice(&bytes).doing("reading Forewarm's report")?))
    }

    /// The class of the configuration it ran on, such as `winch/native`.
    pub fn configuration_class(&self) -> &str {
        self.0["observation"]["configuration_class"].as_str().unwrap_or("unknown")
    }

    /// The compiler it ran on.
    pub fn tier(&self) -> &str {
        self.configuration_class().split('/').next().unwrap_or("unknown")
    }

    /// Whether the run compiled anything.
    pub fn compiled(&self) -> bool {
        self.step_seconds("compile") > 0.0
    }

    fn seconds(&self, part: &str) -> f64 {
        self.0["observation"][part].as_f64().unwrap_or(f64::NAN)
    }

    fn step_seconds(&self, name: &str) -> f64 {
        let steps = self.0["observation"]["steps"].as_array();
        let matching = steps.into_iter().flatten().filter(|step| step["step"] == name);
        matching.filter_map(|step| step["wall_seconds"].as_f64()).fold(0.0, |sum, seconds| sum + seconds)
    }

    /// Everything before the first instruction, other than compiling.
    fn before_first_instruction(&self) -> f64 {
        let parts = ["plan_seconds", "emulation_seconds", "wait_seconds", "transition_seconds"];
        parts.map(|part| self.seconds(part)).iter().sum::<f64>() - self.step_seconds("compile")
    }
}

/// Medians of a case's reports, in seconds.
#[derive(Debug, Serialize)]
struct Stages {
    case: String,
    seen: &'static str,
    module_bytes: u64,
    plan_seconds: f64,
    emulation_seconds: f64,
    transition_seconds: f64,
    compile_seconds: f64,
    before_first_instruction_but_compiling_seconds: f64,
}

/// Medians seen from outside, in seconds.
#[derive(Debug, Serialize)]
struct Outside {
    case: String,
    runner: &'static str,
    before_first_stamp_seconds: f64,
    after_last_stamp_seconds: f64,
}

/// Measures.
///
/// # Errors
/// Forewarm or the peer does not do what the case expects.
pub fn run(arguments: &Arguments, corpus: &Corpus) -> Outcome {
    if arguments.peers_only {
        return Err(failure("stages are Forewarm's own; it cannot be left out"));
    }
    let all = cases::all(corpus);
    let named =
        |name: &str| all.iter().find(|case| case.name == name).ok_or_else(|| failure(format!("no case {name}")));
    println!("\nbefore the first instruction, by Forewarm's reports; median ms");
    println!(
        "{:<14}{:>9}{:>8}{:>9}{:>10}{:>12}{:>10}{:>16}",
        "case", "KB", "seen", "plan", "emulation", "transition", "compile", "all but compile"
    );
    let mut stages = Vec::new();
    for name in ["hello", "graphviz", "resvg", "esbuild-10k", "python-sum"] {
        for row in reported(arguments, corpus, named(name)?)? {
            print_stages(&row);
            stages.push(row);
        }
    }
    println!("\nby the clock of the program itself; median ms");
    println!("{:<14}{:>24}{:>22}{:>22}", "case", "runner", "start to first stamp", "last stamp to end");
    let mut outside = Vec::new();
    for case in stamps(corpus) {
        for row in stamped(arguments, corpus, &case)? {
            println!(
                "{:<14}{:>24}{:>22.2}{:>22.2}",
                row.case,
                row.runner,
                row.before_first_stamp_seconds * 1e3,
                row.after_last_stamp_seconds * 1e3
            );
            outside.push(row);
        }
    }
    write("stages", corpus, serde_json::json!({"reported": stages, "outside": outside}))
}

fn rounds(arguments: &Arguments) -> u32 {
    arguments.rounds(std::time::Duration::ZERO)
}

/// A program's stages on first sight, and when file and artifact are known.
fn reported(arguments: &Arguments, corpus: &Corpus, case: &Case) -> Outcome<[Stages; 2]> {
    let mut first = Vec::new();
    for _ in 0..rounds(arguments) {
        let fresh = tempfile::tempdir().doing("making a folder for state")?;
        first.push(Report::of_run(corpus, case, &Runner::Forewarm(fresh.path().to_path_buf()), fresh.path())?);
    }
    // Not in turn with the first runs: those give hundreds of megabytes back, and the kernel hands them to whoever is next.
    let standing = tempfile::tempdir().doing("making a folder for state")?;
    let runner = Runner::Forewarm(standing.path().to_path_buf());
    let known = || Report::of_run(corpus, case, &runner, standing.path());
    for _ in 0..3 {
        known()?;
    }
    let known = (0..rounds(arguments)).map(|_| known()).collect::<Outcome<Vec<_>>>()?;
    let module_bytes = fs::metadata(&case.file).doing("reading the module's size")?.len();
    Ok([("first", first), ("known", known)].map(|(seen, reports)| {
        let of = |part: &dyn Fn(&Report) -> f64| median(&reports.iter().map(part).collect::<Vec<_>>());
        Stages {
            case: case.name.clone(),
            seen,
            module_bytes,
            plan_seconds: of(&|report| report.seconds("plan_seconds")),
            emulation_seconds: of(&|report| report.seconds("emulation_seconds")),
            transition_seconds: of(&|report| report.seconds("transition_seconds")),
            compile_seconds: of(&|report| report.step_seconds("compile")),
            before_first_instruction_but_compiling_seconds: of(&Report::before_first_instruction),
        }
    }))
}

fn print_stages(row: &Stages) {
    let parts = [row.plan_seconds, row.emulation_seconds, row.transition_seconds, row.compile_seconds]
        .map(|seconds| seconds * 1e3);
    println!(
        "{:<14}{:>9.0}{:>8}{:>9.2}{:>10.2}{:>12.2}{:>10.2}{:>16.2}",
        row.case,
        row.module_bytes as f64 / 1e3,
        row.seen,
        parts[0],
        parts[1],
        parts[2],
        parts[3],
        row.before_first_instruction_but_compiling_seconds * 1e3
    );
}

/// A small and a large program that print the clock in nanoseconds, twice.
fn stamps(corpus: &Corpus) -> [Case; 2] {
    let script = "import time; print(time.time_ns()); print(time.time_ns())";
    let case =
        |name: &str, program: &str, args: &[&str]| Case::new(corpus, name, program, cases::Group::Ordinary).args(args);
    [case("stamp", "stamp", &[]), case("stamp-python", "python", &["-c", script])]
}

/// A stamping program under Forewarm, first and known, and under the peer, precompiled by the tier that Forewarm chose.
fn stamped(arguments: &Arguments, corpus: &Corpus, case: &Case) -> Outcome<Vec<Outside>> {
    let state = tempfile::tempdir().doing("making a folder for state")?;
    let known = Runner::Forewarm(state.path().to_path_buf());
    for _ in 0..2 {
        known.run(corpus, case)?;
    }
    let tier = Report::of_run(corpus, case, &known, state.path())?.tier().to_owned();
    let peer = precompile(corpus, case, &tier)?;
    let runners =
        [(Runner::ForewarmFirst, "forewarm, first"), (known, "forewarm, known"), (peer, "wasmtime, precompiled")];
    let mut times: Vec<(Vec<f64>, Vec<f64>)> = vec![Default::default(); runners.len()];
    for _ in 0..rounds(arguments) {
        for ((runner, _), (before, after)) in runners.iter().zip(&mut times) {
            let finished = runner.run(corpus, case)?;
            if let Some(what) = difference(case, &finished, None) {
                return Err(wrong(case, runner, &what));
            }
            let (first, last) = around(&finished).ok_or_else(|| wrong(case, runner, "printed no two time stamps"))?;
            before.push(first);
            after.push(last);
        }
    }
    let rows = runners.iter().zip(times).map(|((_, runner), (before, after))| Outside {
        case: case.name.clone(),
        runner,
        before_first_stamp_seconds: median(&before),
        after_last_stamp_seconds: median(&after),
    });
    Ok(rows.collect())
}

/// Seconds from the process's start to the first stamp, and from the last to the process's end.
fn around(finished: &Finished) -> Option<(f64, f64)> {
    let printed = String::from_utf8_lossy(&finished.stdout);
    let mut stamps = printed.lines().filter_map(|line| line.trim().parse::<i128>().ok());
    let (first, last) = (stamps.next()?, stamps.next()?);
    let ended = i128::try_from(finished.ended.duration_since(UNIX_EPOCH).ok()?.as_nanos()).ok()?;
    let seconds = |nanoseconds: i128| nanoseconds as f64 / 1e9;
    Some((finished.sample.wall_seconds - seconds(ended - first), seconds(ended - last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_by_its_contract() {
        let report = Report(serde_json::json!({"observation": {
            "configuration_class": "winch/native", "plan_seconds": 0.002, "emulation_seconds": 0.0, "wait_seconds": 0.0,
            "transition_seconds": 0.010, "steps": [{"step": "compile", "wall_seconds": 0.008}, {"step": "link", "wall_seconds": 0.001}]}}));
        assert_eq!((report.tier(), report.compiled()), ("winch", true));
        assert!((report.before_first_instruction() - 0.004).abs() < 1e-12);
        assert!(Report(serde_json::json!({})).seconds("plan_seconds").is_nan());
    }
}
