//! Another program's output, within bounded time and size. Called by the emulator and the orchestrator.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// What a program left.
#[derive(Debug)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to standard output, up to the bound.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error, up to the bound.
    pub stderr: Vec<u8>,
    /// Whether it was killed for taking too long.
    pub timed_out: bool,
}

/// Runs a command without input, in a process group of its own that is killed after `seconds`; of each stream at most
/// `bytes` are kept.
///
/// # Errors
/// Where the program cannot be started or waited for.
pub fn output(command: &mut Command, seconds: f64, bytes: u64) -> io::Result<Output> {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn()?;
    let (done, finished) = mpsc::channel();
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let reader = done.clone();
    std::thread::spawn(move || {
        // The receiver is gone where the program was given up.
        let _ = reader.send((0, out.map(|out| collect(out, bytes)).unwrap_or_default()));
    });
    std::thread::spawn(move || {
        let _ = done.send((1, err.map(|err| collect(err, bytes)).unwrap_or_default()));
    });
    let wait = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    let mut kept = [Vec::new(), Vec::new()];
    let mut timed_out = false;
    for _ in 0..2 {
        // Each stream has the whole time: one that ends late has used it up for both.
        match finished.recv_timeout(if timed_out { Duration::from_millis(100) } else { wait }) {
            Ok((number, text)) => kept[number] = text,
            Err(_) => {
                timed_out = true;
                kill(&mut child);
            }
        }
    }
    let status = child.wait()?;
    let [stdout, stderr] = kept;
    Ok(Output { status, stdout, stderr, timed_out })
}

/// Reads to the end and keeps the beginning, so that the writer never waits for a reader.
fn collect(mut stream: impl Read, bytes: u64) -> Vec<u8> {
    let mut kept = Vec::new();
    let _ = stream.by_ref().take(bytes).read_to_end(&mut kept);
    let _ = io::copy(&mut stream, &mut io::sink());
    kept
}

fn kill(child: &mut Child) {
    let group = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    let killed = group.map(|group| rustix::process::kill_process_group(group, rustix::process::Signal::KILL));
    if !matches!(killed, Some(Ok(()))) {
        let _ = child.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_kept_up_to_its_bound() {
        let out = output(Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"]), 10.0, 2).unwrap();
        assert_eq!((&out.stdout[..], &out.stderr[..]), (&b"ou"[..], &b"er"[..]));
        assert_eq!((out.status.code(), out.timed_out), (Some(3), false));
    }

    #[test]
    fn what_takes_too_long_is_killed_with_its_children() {
        let out = output(Command::new("sh").args(["-c", "sleep 100 & sleep 100"]), 0.2, 100).unwrap();
        assert!(out.timed_out && !out.status.success());
    }
}
