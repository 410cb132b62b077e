//! Runs a shell's words from a process that changed after its launcher stood by: `launched WORDS` runs them four times at once,
//! ends the launcher, and runs them once more. What is found of each stands on standard error.
#![forbid(unsafe_code)]
#![expect(clippy::print_stderr, reason = "an example shows what it found")]

use std::error::Error;

use forewarm_sandbox::process::{Bounds, Confinement, Program, spawn, stand_by};
use forewarm_types::Bytes;
use rustix::fs::Mode;
use rustix::process::{Pid, Resource, Rlimit, Signal};

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    stand_by()?;
    rustix::process::setpgid(None, None)?;
    rustix::process::umask(Mode::from_raw_mode(0o077));
    rustix::process::setrlimit(Resource::Nofile, Rlimit { current: Some(100), maximum: Some(200) })?;
    rustix::process::setpriority_process(None, 5)?;
    let cores = forewarm_sandbox::affinity::allowed()?;
    forewarm_sandbox::affinity::bind(cores.get(..1).unwrap_or_default())?;
    let script = std::env::args_os().nth(1).ok_or("which words?")?;
    let program = Program {
        executable: "/bin/sh".into(),
        arguments: vec!["sh".into(), "-c".into(), script],
        environment: std::env::vars_os().collect(),
        directory: "/usr".into(),
    };
    let bounds = Bounds { open_files: Some(150), ..Bounds::default() };
    let confinement = Confinement { scratch: Bytes::MIB, bounds, ..Confinement::default() };
    let run = || {
        let child = spawn(&program, &confinement)?;
        eprintln!("child of this process and in its group: {}", is_near(child.process()));
        child.wait().map(|ended| ended.cause.code())
    };
    let codes = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
        runs.into_iter().filter_map(|run| run.join().ok()).collect::<Result<Vec<_>, _>>()
    })?;
    let children = std::fs::read_to_string("/proc/thread-self/children")?;
    let launcher = children.split_whitespace().next().and_then(|pid| Pid::from_raw(pid.parse().ok()?));
    rustix::process::kill_process(launcher.ok_or("no launcher stands by")?, Signal::KILL)?;
    eprintln!("ended {codes:?}, without a launcher {:?}", run()?);
    Ok(())
}

/// Whether a process' parent is this one (proc_pid_status(5)), and its process group this one's.
fn is_near(pid: i32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let child = status.lines().any(|line| line == format!("PPid:\t{}", std::process::id()));
    child && rustix::process::getpgid(Pid::from_raw(pid)) == Ok(rustix::process::getpgrp())
}
