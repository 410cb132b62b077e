//! Describes the machine that a result was measured on. Called by `bench` when it writes a result.

use std::fmt::Display;
use std::fs;
use std::process::Command;

use serde::Serialize;

use super::runner::forewarm_binary;
use crate::corpus::Corpus;

/// The machine and the versions of what ran on it.
#[derive(Debug, Serialize)]
pub struct Machine {
    cpu: String,
    cores: usize,
    memory_bytes: u64,
    kernel: String,
    load_average: String,
    forewarm: String,
    commit: String,
    wasmtime: String,
    node: String,
}

impl Display for Machine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{}, {} cores, {:.1} GiB, Linux {}, load {}; {} ({}), {}, node {}",
            self.cpu,
            self.cores,
            self.memory_bytes as f64 / f64::from(1 << 30),
            self.kernel,
            self.load_average,
            self.forewarm,
            self.commit,
            self.wasmtime,
            self.node
        )
    }
}

/// Describes this machine; what cannot be found out is said to be unknown.
pub fn describe(corpus: &Corpus) -> Machine {
    Machine {
        cpu: field("/proc/cpuinfo", "model name").unwrap_or_else(unknown),
        cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        memory_bytes: memory_bytes().unwrap_or_default(),
        kernel: read("/proc/sys/kernel/osrelease").unwrap_or_else(unknown),
        load_average: read("/proc/loadavg")
            .and_then(|line| Some(line.split(' ').next()?.to_owned()))
            .unwrap_or_else(unknown),
        forewarm: version(Command::new(forewarm_binary()).arg("--version")),
        commit: version(&mut crate::process::command("git", &["rev-parse", "--short", "HEAD"])),
        wasmtime: version(Command::new(corpus.wasmtime()).arg("--version")),
        node: version(Command::new("node").arg("--version")),
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}

fn read(path: &str) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

/// The value of the first line `KEY : VALUE` of a file.
fn field(path: &str, key: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn memory_bytes() -> Option<u64> {
    let kibibytes: u64 = field("/proc/meminfo", "MemTotal")?.trim_end_matches("kB").trim().parse().ok()?;
    Some(kibibytes * 1024)
}

fn version(command: &mut Command) -> String {
    let output = command.output().ok().filter(|output| output.status.success());
    output.map_or_else(unknown, |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
