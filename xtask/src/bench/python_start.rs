//! `bench python-start`: from asking for a Python program to its first instruction, by each way there is: the interpreter
//! itself, Forewarm from nothing and from each rung of its warm ladder, and `multiprocessing.forkserver`. All take turns.
//! Beside that, what it takes when none of the files is in memory any more, with and without reading them ahead.
//!
//! What is run says on its standard output when it began, on the clock that all processes share.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use nix::time::{ClockId, clock_gettime};
use serde::Serialize;

use super::statistics::median;
use super::{Arguments, runner, write};
use crate::corpus::Corpus;
use crate::process::{Outcome, While, command, failure, output_of, require, target};

/// What the programs import, of the versions the figures are of.
const PACKAGES: [&str; 2] = ["numpy==2.4.6", "scikit-learn==1.9.1"];

/// The rungs, rising.
const RUNGS: [&str; 4] = ["interpreter", "imports", "module", "worker"];

/// A handler that imports much and says when it was called.
const HANDLER: &str = "\
import time
import numpy as np
from sklearn.linear_model import LinearRegression

def handler(event, context):
    began = time.monotonic_ns()
    assert LinearRegression is not None and np is not None
    return began
";

/// A script that imports little and says when its own first statement ran.
const SCRIPT: &str = "\
import time
import argparse
import json
print(time.monotonic_ns())
";

/// The same as a handler calls it by the interpreter alone, and from a fork server that has imported it.
const DIRECT: &str = "import sys; sys.path.insert(0, sys.argv[1]); import handler; print(handler.handler({}, None))";
const FORK_SERVER: &str = "\
import multiprocessing, sys, time

def call(queue):
    import handler
    queue.put(handler.handler({}, None))

if __name__ == '__main__':
    sys.path.insert(0, sys.argv[1])
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(['handler'])
    for _ in range(int(sys.argv[2]) + 1):
        queue = context.SimpleQueue()
        asked = time.monotonic_ns()
        process = context.Process(target=call, args=(queue,))
        process.start()
        began = queue.get()
        process.join()
        print(began - asked)
";

/// How long a zygote is given to have its next process waiting before the next round.
const SETTLE: Duration = Duration::from_millis(60);

/// One way to start, with what was measured.
#[derive(Debug, Serialize)]
struct Row {
    program: &'static str,
    way: String,
    /// From asking to the first instruction; of a fork server, from `Process.start` on, inside a process that stands.
    start_seconds: f64,
    /// Of the whole process that was asked; none for the fork server.
    wall_seconds: Option<f64>,
    /// What a standing rung holds and took to climb to.
    held_bytes: Option<u64>,
    climb_seconds: Option<f64>,
    samples_seconds: Vec<f64>,
}

/// Measures both programs.
///
/// # Errors
/// The packages cannot be installed, or a way does not work.
pub fn run(arguments: &Arguments, corpus: &Corpus) -> Outcome {
    let python = environment()?;
    let folder = tempfile::tempdir().doing("making a folder")?;
    fs::write(folder.path().join("handler.py"), HANDLER).doing("writing the handler")?;
    fs::write(folder.path().join("script.py"), SCRIPT).doing("writing the script")?;
    fs::write(folder.path().join("server.py"), FORK_SERVER).doing("writing the fork server's client")?;
    fs::write(folder.path().join("event.json"), "{}").doing("writing the event")?;
    let rounds = if arguments.quick { 3 } else { arguments.rounds };
    println!("\nto the first instruction; medians of {rounds} rounds, all ways in turn");
    println!("{:<10}{:<26}{:>12}{:>12}{:>12}{:>12}", "program", "way", "start ms", "wall ms", "held MB", "climb s");
    let mut rows = measure("handler", folder.path(), &python, rounds)?;
    rows.push(fork_server(folder.path(), &python, rounds)?);
    rows.extend(measure("script", folder.path(), &python, rounds)?);
    rows.extend(measure_gone(folder.path(), &python, rounds)?);
    rows.iter().for_each(print_row);
    write("python-start", corpus, rows)
}

/// The interpreter of an environment with the packages.
fn environment() -> Outcome<PathBuf> {
    let folder = target().join("python-start/venv");
    let (python, stamp) = (folder.join("bin/python"), folder.join("packages.stamp"));
    let wanted = PACKAGES.join("\n");
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(python);
    }
    println!("python-start: fetching {}", PACKAGES.join(", "));
    require(command("python3", &["-m", "venv", "--clear"]).arg(&folder))?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    require(command(&python, &install).args(PACKAGES))?;
    fs::write(&stamp, wanted).doing("noting what is installed")?;
    Ok(python)
}

/// A way to start: its name, how it is asked, and the rung it stands on.
struct Way {
    name: String,
    rung: Option<&'static str>,
    home: tempfile::TempDir,
    held: Option<u64>,
    climbed: Option<f64>,
    starts: Vec<f64>,
    walls: Vec<f64>,
}

fn measure(program: &'static str, folder: &Path, python: &Path, rounds: u32) -> Outcome<Vec<Row>> {
    let rungs = RUNGS.into_iter().filter(|rung| program == "handler" || *rung != "module");
    let names = ["python", "forewarm, from nothing"].map(|name| (name.to_owned(), None));
    let warm = rungs.map(|rung| (format!("forewarm, {rung}"), Some(rung)));
    let mut ways = Vec::new();
    for (name, rung) in names.into_iter().chain(warm) {
        let mut way = way(name, rung)?;
        climb(&mut way, program, folder, python)?;
        // Once to fill the page cache, and Forewarm's own memory of the program.
        once(&way, program, folder, python)?;
        ways.push(way);
    }
    for _ in 0..rounds {
        for way in &mut ways {
            std::thread::sleep(SETTLE);
            let (start, wall) = once(way, program, folder, python)?;
            way.starts.push(start);
            way.walls.push(wall);
        }
    }
    for way in ways.iter().filter(|way| way.rung.is_some()) {
        require(forewarm(way, folder, &["warm", "--drop"]).stdout(Stdio::null()))?;
    }
    Ok(ways.into_iter().map(|way| row(program, way)).collect())
}

fn way(name: String, rung: Option<&'static str>) -> Outcome<Way> {
    let home = tempfile::tempdir().doing("making a home")?;
    fs::DirBuilder::new().mode(0o700).create(home.path().join("runtime")).doing("making a home")?;
    Ok(Way { name, rung, home, held: None, climbed: None, starts: Vec::new(), walls: Vec::new() })
}

/// The handler's start with all files of the interpreter and its packages gone from memory before each run.
fn measure_gone(folder: &Path, python: &Path, rounds: u32) -> Outcome<Vec<Row>> {
    let names = ["python, files gone", "forewarm, files gone", "forewarm, files read ahead"];
    let mut ways = names.into_iter().map(|name| way(name.to_owned(), None)).collect::<Outcome<Vec<_>>>()?;
    let noted = ["warm", "--rung", "page-cache", "--python", &python.to_string_lossy(), "handler.py"];
    require(forewarm(&ways[2], folder, &noted).stdout(Stdio::null()))?;
    for way in &ways {
        once(way, "handler", folder, python)?;
    }
    let asked = output_of(Command::new(python).args(["-c", "import sys, os; print(os.path.dirname(os.__file__))"]))?;
    let folders = [target().join("python-start/venv"), PathBuf::from(asked.trim())];
    for _ in 0..rounds {
        for way in &mut ways {
            folders.iter().try_for_each(|folder| let_go(folder))?;
            let (start, wall) = once(way, "handler", folder, python)?;
            way.starts.push(start);
            way.walls.push(wall);
        }
    }
    Ok(ways.into_iter().map(|way| row("handler", way)).collect())
}

/// Has the system let go of all files below a folder.
fn let_go(folder: &Path) -> Outcome {
    for entry in fs::read_dir(folder).doing("looking for files")?.filter_map(Result::ok) {
        let kind = entry.file_type().doing("looking for files")?;
        if kind.is_dir() {
            let_go(&entry.path())?;
        } else if kind.is_file() {
            let file = fs::File::open(entry.path()).doing("opening a file")?;
            let advice = PosixFadviseAdvice::POSIX_FADV_DONTNEED;
            posix_fadvise(&file, 0, 0, advice).doing("letting go of a file")?;
        }
    }
    Ok(())
}

fn row(program: &'static str, way: Way) -> Row {
    Row {
        program,
        way: way.name,
        start_seconds: median(&way.starts),
        wall_seconds: Some(median(&way.walls)),
        held_bytes: way.held,
        climb_seconds: way.climbed,
        samples_seconds: way.starts,
    }
}

/// The binary with this way's own state and holder.
fn forewarm(way: &Way, folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(runner::forewarm_binary());
    command.args(words).current_dir(folder).stdin(Stdio::null());
    let home = way.home.path();
    for (name, below) in [
        ("XDG_DATA_HOME", "data"),
        ("XDG_CACHE_HOME", "cache"),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_RUNTIME_DIR", "runtime"),
    ] {
        command.env(name, home.join(below));
    }
    command
}

fn climb(way: &mut Way, program: &str, folder: &Path, python: &Path) -> Outcome {
    let Some(rung) = way.rung else { return Ok(()) };
    let file = format!("{program}.py");
    let words = ["warm", "--format", "json", "--rung", rung, "--python", &python.to_string_lossy(), &file];
    let document: serde_json::Value =
        serde_json::from_str(&output_of(&mut forewarm(way, folder, &words))?).doing("reading what was climbed")?;
    let climb = document.pointer("/warmed/0").ok_or_else(|| failure("nothing was climbed"))?;
    (way.held, way.climbed) = (climb["held_bytes"].as_u64(), climb["seconds"].as_f64());
    if climb["rung"].as_str() == Some(rung) { Ok(()) } else { Err(failure(format!("{rung} was refused: {climb}"))) }
}

/// Runs once; seconds to its first instruction, and to its end.
fn once(way: &Way, program: &str, folder: &Path, python: &Path) -> Outcome<(f64, f64)> {
    let file = format!("{program}.py");
    let python_text = python.to_string_lossy();
    let mut command = match (way.name.split(',').next().unwrap_or_default(), program) {
        ("python", "script") => {
            let mut command = Command::new(python);
            command.arg(&file).current_dir(folder).stdin(Stdio::null());
            command
        }
        ("python", _) => {
            let mut command = Command::new(python);
            command.args(["-c", DIRECT]).arg(folder).current_dir(folder).stdin(Stdio::null());
            command
        }
        (_, "script") => forewarm(way, folder, &["run", "--no-prepare", "--python", &python_text, &file]),
        _ => {
            let words = ["run", "--no-prepare", "--python", &python_text, "--event", "event.json", &file];
            forewarm(way, folder, &words)
        }
    };
    let asked = now()?;
    let said = output_of(&mut command)?;
    let ended = now()?;
    let began: i64 = said.trim().parse().doing(format_args!("reading when {} began", way.name))?;
    Ok(((began - asked) as f64 * 1e-9, (ended - asked) as f64 * 1e-9))
}

fn fork_server(folder: &Path, python: &Path, rounds: u32) -> Outcome<Row> {
    let mut command = Command::new(python);
    command.arg(folder.join("server.py")).arg(folder).arg(rounds.to_string()).current_dir(folder);
    let said = output_of(&mut command)?;
    let nanoseconds: Vec<f64> = said.lines().filter_map(|line| line.parse::<f64>().ok()).collect();
    // The first starts the server.
    let samples: Vec<f64> = nanoseconds.iter().skip(1).map(|nanoseconds| nanoseconds * 1e-9).collect();
    Ok(Row {
        program: "handler",
        way: "forkserver, in a process".to_owned(),
        start_seconds: median(&samples),
        wall_seconds: None,
        held_bytes: None,
        climb_seconds: None,
        samples_seconds: samples,
    })
}

/// Nanoseconds on the clock that Python's `time.monotonic_ns` reads.
fn now() -> Outcome<i64> {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC).doing("reading the clock")?;
    Ok(time.tv_sec() * 1_000_000_000 + time.tv_nsec())
}

fn print_row(row: &Row) {
    let cell = |value: Option<f64>, scale: f64| value.map_or_else(String::new, |value| format!("{:.1}", value * scale));
    println!(
        "{:<10}{:<26}{:>12.1}{:>12}{:>12}{:>12}",
        row.program,
        row.way,
        row.start_seconds * 1e3,
        cell(row.wall_seconds, 1e3),
        cell(row.held_bytes.map(|bytes| bytes as f64), 1e-6),
        row.climb_seconds.map_or_else(String::new, |seconds| format!("{seconds:.2}")),
    );
}
