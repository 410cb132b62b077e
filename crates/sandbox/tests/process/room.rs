//! Running programs in the sandbox by way of the example `confine`, as the user of the test and as one without rights.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

/// Says that a test was skipped, where CI collects it.
#[expect(clippy::print_stderr, reason = "a skipped test says why")]
pub fn skip(test: &str, reason: &str) {
    let line = format!("SKIP {test}: {reason}");
    eprintln!("{line}");
    if let Some(list) = std::env::var_os("FOREWARM_SKIPS") {
        use std::io::Write;
        let file = fs::OpenOptions::new().append(true).create(true).open(list);
        let _ = file.and_then(|mut file| writeln!(file, "{line}"));
    }
}

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A user to run as, by whom a program's init is forked, and a folder of its own.
pub struct Room {
    name: String,
    root: bool,
    launcher: bool,
    folder: tempfile::TempDir,
    confine: PathBuf,
}

/// What a run left.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        use std::os::unix::process::ExitStatusExt;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let code = output.status.code().or(output.status.signal().map(|signal| 1000 + signal));
        Self { code: code.unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// The cause that the sandbox gave.
    pub fn cause(&self) -> &str {
        let after = self.stderr.rsplit_once("Ended { cause: ").map_or("", |(_, after)| after);
        after.split_once(", wall").map_or("", |(cause, _)| cause)
    }
}

/// A command line for a shell, to be completed.
pub struct Line(Command, String);

impl Line {
    pub fn piped(mut self, rest: &str) -> Ran {
        Ran::of(self.0.arg(format!("{} {rest}", self.1)).output().unwrap())
    }
}

/// The users there are to run as, root and nobody for root, else the own; and the own by way of a launcher.
pub fn rooms(test: &str) -> Vec<Room> {
    if !is_root() {
        skip(test, "not run as root, since the test is not");
        return vec![Room::new(test, false, false), Room::new(test, false, true)];
    }
    if Command::new("setpriv").arg("--version").output().is_err() {
        skip(test, "not run as a user without rights, since there is no setpriv");
        return vec![Room::new(test, true, false), Room::new(test, true, true)];
    }
    vec![Room::new(test, true, false), Room::new(test, false, false), Room::new(test, true, true)]
}

impl Room {
    fn new(test: &str, root: bool, launcher: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let open = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
        open(folder.path());
        // Copied, since the folder it is built in may be closed to others.
        let built = std::env::current_exe().unwrap();
        let built = built.parent().and_then(Path::parent).unwrap().join("examples/confine");
        let confine = folder.path().join("confine");
        fs::copy(&built, &confine).unwrap_or_else(|error| panic!("{}: {error}", built.display()));
        open(&confine);
        Self { name: test.to_owned(), root, launcher, folder, confine }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn is_root(&self) -> bool {
        self.root
    }

    pub fn may_group(&self) -> bool {
        self.root && forewarm_sandbox::process::available().tier.is_some_and(|tier| tier.name().starts_with("cgroup"))
    }

    /// A folder anyone can write to, below that of the room.
    pub fn folder(&self) -> String {
        let folder = tempfile::Builder::new().tempdir_in(self.folder.path()).unwrap().keep();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        folder.to_str().unwrap().to_owned()
    }

    /// The mark by which this room's processes are found: a variable of their environment.
    fn mark(&self) -> String {
        format!("FOREWARM_ROOM={}", self.folder.path().display())
    }

    fn prefix(&self) -> Vec<String> {
        let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
        let nobody = if self.root || !is_root() { &[][..] } else { &nobody[..] };
        let confine = [self.confine.display().to_string()].into_iter();
        let confine = confine.chain(self.launcher.then(|| "--launcher".to_owned()));
        nobody.iter().map(|word| (*word).to_owned()).chain(confine).collect()
    }

    pub fn command(&self, flags: &[&str], program: &[&str]) -> Command {
        let words = self.prefix();
        let mut command = Command::new(&words[0]);
        let (name, value) = self.mark().split_once('=').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        command.args(&words[1..]).args(flags).args(program).env(name, value).env("HOME", "/").current_dir("/");
        command
    }

    pub fn run(&self, flags: &[&str], program: &[&str]) -> Ran {
        Ran::of(self.command(flags, program).output().unwrap())
    }

    /// The same by a shell, with commands before it.
    pub fn run_by_shell(&self, flags: &[&str], before: &str, program: &[&str]) -> Line {
        let quoted = |word: &str| format!("'{}'", word.replace('\'', "'\\''"));
        let words: Vec<String> = self.prefix().iter().map(|word| quoted(word)).collect();
        let rest: Vec<String> = flags.iter().chain(program).map(|word| quoted(word)).collect();
        let mut command = Command::new("sh");
        let (name, value) = self.mark().split_once('=').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        command.arg("-c").env(name, value).current_dir("/");
        Line(command, format!("{before} {} {}", words.join(" "), rest.join(" ")))
    }

    /// Processes of this room that live.
    pub fn living(&self) -> Vec<String> {
        let mark = self.mark();
        let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        let marked = entries.filter(|entry| {
            let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
        });
        marked.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }

    /// Waits a second at most for all of this room's processes to be gone.
    pub fn assert_gone(&self) {
        for _ in 0..100 {
            if self.living().is_empty() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("left behind: {:?}", self.living());
    }
}
