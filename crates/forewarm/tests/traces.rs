//! What runs of processes leave behind: nothing after their end, and after a violent end of Forewarm nothing but what the
//! next start sweeps.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{Home, eventually, is_root, skip};

/// A user to run as, in a home of its own.
struct User {
    home: Home,
    /// Whether rights are given up first.
    nobody: bool,
}

/// The user of the test, and where that is root one without rights as well.
fn users(test: &str) -> Vec<User> {
    let own = User { home: Home::new(), nobody: false };
    if !is_root() {
        skip(test, "not run as root, since the test is not");
        return vec![own];
    }
    if Command::new("setpriv").arg("--version").output().is_err() {
        skip(test, "not run as a user without rights, since there is no setpriv");
        return vec![own];
    }
    let other = User { home: Home::new(), nobody: true };
    let open = |path: &Path| {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(path, mode).unwrap();
    };
    open(&other.home.path(""));
    // Copied, since the folder it is built in may be closed to others.
    std::fs::copy(env!("CARGO_BIN_EXE_forewarm"), other.home.path("forewarm")).unwrap();
    open(&other.home.path("forewarm"));
    vec![own, other]
}

impl User {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = if self.nobody {
            let words = ["--reuid=65534", "--regid=65534", "--clear-groups", "--"].map(str::to_owned);
            let mut command = self.home.any("setpriv", words);
            command.arg(self.home.path("forewarm")).args(arguments);
            command
        } else {
            self.home.command(arguments)
        };
        command.env("FOREWARM_TRACE_OF", self.mark());
        command
    }

    fn mark(&self) -> String {
        self.home.path("").display().to_string()
    }

    /// Processes that this user's runs have started and that live, by a variable of their environment.
    fn living(&self) -> Vec<String> {
        let mark = format!("FOREWARM_TRACE_OF={}", self.mark());
        let entries = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        let marked = entries.filter(|entry| {
            let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
        });
        marked.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }

    /// Files of the machine that a run could leave: in the leases, and what [`MESSY`] writes to scratch.
    fn files(&self) -> BTreeSet<PathBuf> {
        let folders = [self.home.cache().join("leases"), self.home.path("runtime")];
        let entries = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten();
        let scratch = ["/tmp/forewarm-mess", "/dev/shm/forewarm-mess"].map(PathBuf::from);
        let left = scratch.into_iter().filter(|file| file.exists());
        entries.map(|entry| entry.unwrap().path()).chain(left).collect()
    }
}

/// Control groups of Forewarm that belong to a process of this number.
fn groups(of: u32) -> Vec<String> {
    let found = Command::new("find").args(["/sys/fs/cgroup", "-name"]).arg(format!("forewarm-{of}*")).output().unwrap();
    String::from_utf8(found.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn mounts() -> usize {
    std::fs::read_to_string("/proc/self/mountinfo").unwrap().lines().count()
}

/// Leaves orphans, scratch files and shared memory behind, as far as that goes.
const MESSY: &str =
    "echo x > /tmp/forewarm-mess; echo y > /dev/shm/forewarm-mess; (setsid sleep 300 &); sleep 300 & exit 4";

fn runs(rounds: u32) {
    for user in users("many runs") {
        let (before, files) = (mounts(), user.files());
        for round in 0..rounds {
            let limits: &[&str] = if round % 10 == 0 { &["--max-memory", "256MiB"] } else { &[] };
            let words = [&["run"], limits, &["/bin/sh", "--", "-c", MESSY]].concat();
            let mut child = user.command(&words).stdout(Stdio::null()).spawn().unwrap();
            assert_eq!(child.wait().unwrap().code(), Some(4));
            assert_eq!(groups(child.id()), [""; 0]);
        }
        eventually("all processes are gone", || user.living().is_empty());
        assert_eq!(mounts(), before);
        assert_eq!(user.files().difference(&files).count(), 0);
        user.home.assert_intact();
    }
}

#[test]
fn runs_leave_nothing() {
    runs(20);
}

#[test]
#[ignore = "a thousand runs take a minute or two: cargo nextest run -p forewarm --test traces --run-ignored all"]
fn a_thousand_runs_leave_nothing() {
    runs(1000);
}

#[test]
fn killing_forewarm_leaves_nothing_but_what_the_next_start_sweeps() {
    for user in users("killing") {
        let script = "(setsid sleep 300 &); sleep 300 & echo x > /dev/shm/forewarm-mess; echo ready; sleep 300";
        let files = user.files();
        for limits in [&[][..], &["--max-memory", "256MiB"]] {
            let words = [&["run"], limits, &["/bin/sh", "--", "-c", script]].concat();
            let mut child = user.command(&words).stdout(Stdio::piped()).spawn().unwrap();
            let mut ready = [0; 6];
            child.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
            child.kill().unwrap();
            child.wait().unwrap();
            // Everything holds the pipe: its end is the last process'.
            let mut rest = Vec::new();
            child.stdout.take().unwrap().read_to_end(&mut rest).unwrap();
            assert_eq!(user.living(), [""; 0]);
            let words = [&["run"], limits, &["/bin/true"]].concat();
            assert!(user.command(&words).status().unwrap().success());
            assert_eq!(groups(child.id()), [""; 0]);
            assert_eq!(user.files().difference(&files).count(), 0);
        }
    }
}
