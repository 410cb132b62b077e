//! What runs of processes leave behind: nothing after their end, and after a violent end of Forewarm nothing but what the
//! next start sweeps.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{Home, MARK, eventually, is_root, living, skip};
use forewarm_sandbox::RealClock;
use forewarm_types::host::Clock;

/// A user to run as, in a home of its own.
struct User {
    home: Home,
    /// Whether rights are given up first.
    nobody: bool,
}

/// The user of the test, and where that is root one without rights as well.
fn users(test: &str) -> Vec<User> {
    let users = all_users(test);
    for user in &users {
        std::fs::create_dir(user.home.path("temporary")).unwrap();
        open_to_all(&user.home.path("temporary"));
    }
    users
}

fn open_to_all(path: &Path) {
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(path, mode).unwrap();
}

fn all_users(test: &str) -> Vec<User> {
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
    open_to_all(&other.home.path(""));
    // Copied, since the folder it is built in may be closed to others.
    std::fs::copy(env!("CARGO_BIN_EXE_forewarm"), other.home.path("forewarm")).unwrap();
    open_to_all(&other.home.path("forewarm"));
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
        command.env(MARK, self.mark()).env("TMPDIR", self.home.path("temporary"));
        command
    }

    fn mark(&self) -> String {
        self.home.path("").display().to_string()
    }

    /// Processes that this user's runs have started and that live.
    fn living(&self) -> Vec<String> {
        living(&self.mark())
    }

    /// Fails where one start after the end of these processes does not remove their control groups.
    fn expect_swept(&self, numbers: &[u32]) {
        assert!(self.command(&["run", "/bin/true"]).status().unwrap().success());
        assert_eq!(groups(numbers), [""; 0]);
    }

    /// Files of the machine that a run could leave: leases that somebody holds, or more free seats than are kept for the next
    /// ones, and what [`MESSY`] writes to scratch.
    fn files(&self) -> BTreeSet<PathBuf> {
        let folders = [self.home.cache().join("leases"), self.home.path("runtime"), self.home.path("temporary")];
        let entries = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten();
        let scratch = ["/tmp/forewarm-mess", "/dev/shm/forewarm-mess"].map(PathBuf::from);
        let left = scratch.into_iter().filter(|file| file.exists());
        entries.map(|entry| entry.unwrap().path()).filter(|path| !is_free_seat(path)).chain(left).collect()
    }
}

/// Whether a file is one of the few seats that stay, and nobody has it.
fn is_free_seat(path: &Path) -> bool {
    let number = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".seat")?.parse::<u32>().ok());
    number.is_some_and(|number| number < 8) && std::fs::File::open(path).unwrap().try_lock_shared().is_ok()
}

/// Control groups of Forewarm that belong to processes of these numbers.
fn groups(of: &[u32]) -> Vec<String> {
    let found = Command::new("find").args(["/sys/fs/cgroup", "-name", "forewarm-*"]).output().unwrap();
    let text = String::from_utf8(found.stdout).unwrap();
    let own = |path: &&str| {
        let name = path.rsplit('/').next().unwrap_or_default().trim_start_matches("forewarm-");
        let digits = name.find(|c: char| !c.is_ascii_digit()).map_or(name, |end| &name[..end]);
        digits.parse().is_ok_and(|number| of.contains(&number))
    };
    text.lines().filter(own).map(str::to_owned).collect()
}

fn mounts() -> usize {
    std::fs::read_to_string("/proc/self/mountinfo").unwrap().lines().count()
}

/// Leaves orphans, scratch files and shared memory behind, as far as that goes.
const MESSY: &str =
    "echo x > /tmp/forewarm-mess; echo y > /dev/shm/forewarm-mess; (setsid sleep 300 &); sleep 300 & exit 4";

/// A kind of run: what stands before and after `run`'s file, and how it ends.
struct Kind {
    name: &'static str,
    words: &'static [&'static str],
    code: i32,
}

/// Runs of every kind that ends in another way.
const KINDS: [Kind; 9] = [
    Kind { name: "short", words: &["/bin/true"], code: 0 },
    Kind { name: "failing", words: &["/bin/false"], code: 1 },
    Kind { name: "leaving all it can", words: &["/bin/sh", "--", "-c", MESSY], code: 4 },
    Kind { name: "too long", words: &["--timeout", "20ms", "/bin/sleep", "--", "300"], code: 124 },
    Kind {
        name: "deaf",
        words: &["--timeout", "20ms", "/bin/sh", "--", "-c", "trap '' TERM; sleep 300 & sleep 300"],
        code: 124,
    },
    Kind { name: "ending itself", words: &["/bin/sh", "--", "-c", "(setsid sleep 300 &); kill -9 $$"], code: 137 },
    Kind {
        name: "refused a file",
        words: &["--max-file-size", "1KiB", "/bin/sh", "--", "-c", "head -c 9999 /dev/zero > /tmp/f"],
        code: 153,
    },
    Kind { name: "a script", words: &["script.py"], code: 3 },
    Kind { name: "in groups", words: &["--max-memory", "256MiB", "/bin/sh", "--", "-c", MESSY], code: 4 },
];

const SCRIPT: &str =
    "import multiprocessing as m, subprocess as s\nq = m.Queue()\ns.Popen(['sleep', '300'])\nraise SystemExit(3)\n";

/// How many runs go on at once.
const BESIDE: u32 = 3;

/// Runs once; the number of its process.
fn run_once(user: &User, round: u32) -> u32 {
    // Every tenth is killed itself.
    if round % 10 == 9 {
        let words = ["run", "/bin/sh", "--", "-c", "(setsid sleep 300 &); echo ready; sleep 300"];
        let mut child = user.command(&words).stdout(Stdio::piped()).spawn().unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0; 6]).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        return child.id();
    }
    let Kind { name, words, code } = KINDS[(round % 10) as usize];
    let command = [&["run"], words].concat();
    let child = user.command(&command).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let number = child.id();
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(code), "{name}: {}", String::from_utf8_lossy(&ended.stderr));
    number
}

fn runs(rounds: u32) {
    for user in users("many runs") {
        user.home.write("script.py", SCRIPT);
        let (before, files) = (mounts(), user.files());
        let lanes = (0..BESIDE).map(|lane| (lane..rounds).step_by(BESIDE as usize));
        let numbers: Vec<u32> = std::thread::scope(|scope| {
            let user = &user;
            let lanes: Vec<_> = lanes
                .map(|lane| scope.spawn(move || lane.map(|round| run_once(user, round)).collect::<Vec<_>>()))
                .collect();
            lanes.into_iter().flat_map(|lane| lane.join().unwrap()).collect()
        });
        eventually("all processes are gone", || user.living().is_empty());
        user.expect_swept(&numbers);
        assert_eq!(mounts(), before);
        let left: Vec<_> = user.files().difference(&files).cloned().collect();
        assert_eq!(left, Vec::<PathBuf>::new());
        user.home.assert_intact();
    }
}

#[test]
fn runs_leave_nothing() {
    runs(60);
}

#[test]
#[ignore = "a thousand runs per user take a minute or two: cargo nextest run --cargo-profile ci --workspace --test traces --run-ignored all"]
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
            child.stdout.as_mut().unwrap().read_exact(&mut [0; 6]).unwrap();
            let killed = RealClock.monotonic();
            child.kill().unwrap();
            child.wait().unwrap();
            // Everything holds the pipe: its end is the last process'.
            let mut rest = Vec::new();
            child.stdout.take().unwrap().read_to_end(&mut rest).unwrap();
            let took = RealClock.monotonic() - killed;
            assert!(took.0 < 1.0, "{took:?}");
            assert_eq!(user.living(), [""; 0]);
            user.expect_swept(&[child.id()]);
            assert_eq!(user.files().difference(&files).count(), 0);
        }
    }
}
