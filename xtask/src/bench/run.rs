//! One measured run of one command: wall and CPU time of the process, what it wrote and how it ended; and waiting for
//! what it left behind. Called by every bench.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde::Serialize;

use crate::corpus::cases::Case;
use crate::process::{Outcome, While, failure, shown};

/// How long a detached step may take before the bench gives up waiting.
const LEFT_BEHIND_LIMIT: Duration = Duration::from_secs(300);

/// What was measured of one run.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Sample {
    /// From the start of the process to its end, as its parent sees it.
    pub wall_seconds: f64,
    /// User and system time of the process and of those it waited for.
    pub cpu_seconds: f64,
}

/// A finished run.
#[derive(Debug)]
pub struct Finished {
    /// Its times.
    pub sample: Sample,
    /// The exit status as a shell would give it: 128 + the signal's number for a death by signal.
    pub exit: i32,
    /// All of standard output.
    pub stdout: Vec<u8>,
    /// All of standard error.
    pub stderr: String,
    /// The files it was to leave, in the case's order; empty where one is missing.
    pub files: Vec<Vec<u8>>,
    /// When its parent saw its end.
    pub ended: SystemTime,
}

/// A fresh folder with what a case needs; removed when dropped.
pub struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    /// Makes the folder and copies the inputs of the case's directories.
    ///
    /// # Errors
    /// The folder or a copy cannot be made.
    pub fn new(case: &Case) -> Outcome<Self> {
        let scratch = Self { folder: tempfile::tempdir().doing("making a scratch folder")? };
        for (index, directory) in case.dirs.iter().enumerate() {
            let host = scratch.directory(index);
            fs::create_dir(&host).doing("making a scratch folder")?;
            for input in &directory.inputs {
                let name = input.file_name().ok_or_else(|| failure("an input without a name"))?;
                fs::copy(input, host.join(name)).doing(format_args!("copying {}", input.display()))?;
            }
        }
        Ok(scratch)
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The host's folder of the case's n-th directory.
    pub fn directory(&self, index: usize) -> PathBuf {
        self.folder.path().join(format!("directory-{index}"))
    }
}

/// Runs a command to its end; streams go through files, so that no reader competes for a core.
///
/// # Errors
/// It cannot be started.
pub fn measure(mut command: Command, case: &Case, scratch: &Scratch) -> Outcome<Finished> {
    let (out, err) = (scratch.path().join("stdout"), scratch.path().join("stderr"));
    let stdin = match &case.stdin {
        Some(path) => Stdio::from(File::open(path).doing(format_args!("opening {}", path.display()))?),
        None => Stdio::null(),
    };
    command.stdin(stdin);
    command.stdout(File::create(&out).doing("making a scratch file")?);
    command.stderr(File::create(&err).doing("making a scratch file")?);
    let words = shown(&command);
    let cpu_before = children_cpu_seconds()?;
    let begun = Instant::now();
    let mut child = command.spawn().doing(format_args!("starting {words}"))?;
    let status = child.wait().doing(format_args!("waiting for {words}"))?;
    let wall_seconds = begun.elapsed().as_secs_f64();
    let ended = SystemTime::now();
    let cpu_seconds = children_cpu_seconds()? - cpu_before;
    let outputs = case
        .dirs
        .iter()
        .enumerate()
        .flat_map(|(index, directory)| directory.outputs.iter().map(move |output| (index, output)));
    Ok(Finished {
        sample: Sample { wall_seconds, cpu_seconds },
        exit: status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1),
        stdout: fs::read(out).doing("reading what was printed")?,
        stderr: String::from_utf8_lossy(&fs::read(err).doing("reading what was printed")?).into_owned(),
        files: outputs
            .map(|(index, output)| fs::read(scratch.directory(index).join(output)).unwrap_or_default())
            .collect(),
        ended,
    })
}

/// CPU time of all children waited for so far. One child runs at a time, so the difference is that child's.
///
/// # Errors
/// The system does not tell.
pub fn children_cpu_seconds() -> Outcome<f64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).doing("reading the children's CPU time")?;
    let microseconds = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(microseconds as f64 / 1e6)
}

/// Waits until no process is left that was started with this folder in its environment (a detached step of a run that
/// has ended), so that it cannot disturb the next measurement.
///
/// # Errors
/// Something is still running after five minutes.
pub fn wait_for_left_behind(folder: &Path) -> Outcome {
    let marker = folder.to_string_lossy().into_owned();
    let begun = Instant::now();
    // A process has no environment to be known by at the moment when it becomes another program.
    let mut absent = 0;
    while absent < 3 {
        absent = if left_behind(&marker) { 0 } else { absent + 1 };
        if begun.elapsed() > LEFT_BEHIND_LIMIT {
            return Err(failure("a step that a run left behind does not end"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

fn left_behind(marker: &str) -> bool {
    let Ok(processes) = fs::read_dir("/proc") else { return false };
    processes.filter_map(Result::ok).any(|process| {
        let environment = fs::read(process.path().join("environ")).unwrap_or_default();
        process.file_name() != std::process::id().to_string().as_str()
            && String::from_utf8_lossy(&environment).contains(marker)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::cases::{Expectation, Group};

    fn case() -> Case {
        Case {
            name: "shell".to_owned(),
            file: PathBuf::new(),
            group: Group::Ordinary,
            args: Vec::new(),
            dirs: Vec::new(),
            stdin: None,
            env: Vec::new(),
            expect: Expectation { exit: Some(3), stdout: None },
            known_trip_counts: false,
            long_compute: false,
        }
    }

    #[test]
    fn a_run_is_measured_with_its_status_and_streams() {
        let case = case();
        let Ok(scratch) = Scratch::new(&case) else { panic!("no scratch folder") };
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2; exit 3"]);
        let Ok(finished) = measure(command, &case, &scratch) else { panic!("sh did not run") };
        assert_eq!(
            (finished.exit, finished.stdout.as_slice(), finished.stderr.as_str()),
            (3, b"out\n".as_slice(), "err\n")
        );
        assert!(finished.sample.wall_seconds > 0.0 && finished.sample.cpu_seconds >= 0.0);
    }

    #[test]
    fn what_a_run_left_behind_is_waited_for() {
        let case = case();
        let Ok(scratch) = Scratch::new(&case) else { panic!("no scratch folder") };
        let flag = scratch.path().join("done");
        let mut command = Command::new("sh");
        command.env("STATE", scratch.path());
        command.args(["-c", &format!("(sleep 0.2; touch {}) >/dev/null 2>&1 &", flag.display())]);
        assert!(measure(command, &case, &scratch).is_ok() && !flag.exists());
        assert!(wait_for_left_behind(scratch.path()).is_ok() && flag.exists());
    }
}
