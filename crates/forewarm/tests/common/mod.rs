//! What every end-to-end test needs: a home of its own, the binary, and whether the database is intact.

#![expect(dead_code, reason = "every test binary uses another part of it")]

pub mod programs;

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// A user's home with its own database, cache and configuration.
pub struct Home {
    folder: TempDir,
}

/// How a command ended and what it said.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Home {
    pub fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn database(&self) -> PathBuf {
        self.path("data/forewarm/forewarm.sqlite3")
    }

    pub fn cache(&self) -> PathBuf {
        self.path("cache/forewarm")
    }

    /// Writes a file into the home and says where it lies.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, contents).unwrap();
        path
    }

    /// The binary in this home, with the streams of a program that nobody watches.
    pub fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        self.any(env!("CARGO_BIN_EXE_forewarm"), arguments)
    }

    /// Another program in this home.
    pub fn any<A: AsRef<OsStr>>(&self, program: impl AsRef<OsStr>, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        // A shell that stands before an interpreter (pyenv's does) drops an OLDPWD that the sandbox hides from it.
        command.env_remove("FOREWARM_NO_RECORD").env_remove("OLDPWD").env("HOME", self.folder.path());
        for (name, folder) in [
            ("XDG_DATA_HOME", "data"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_RUNTIME_DIR", "runtime"),
        ] {
            command.env(name, self.path(folder));
        }
        command
    }

    pub fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Ended {
        self.command(arguments).output().unwrap().into()
    }

    /// The JSON document of a command that must succeed.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let ended = self.run([arguments, &["--format", "json"]].concat());
        assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
        document(&ended.stdout)
    }

    /// The runs on record, newest first.
    pub fn history(&self) -> Vec<Value> {
        self.json(&["history", "--limit", "1000"])["runs"].as_array().unwrap().clone()
    }

    /// Fails where the database is there and damaged.
    pub fn assert_intact(&self) {
        if self.database().exists() {
            let connection = rusqlite::Connection::open(self.database()).unwrap();
            let verdict: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
            assert_eq!(verdict, "ok");
        }
    }

    /// Compares snapshots with what differs from home to home left out.
    pub fn snapshots(&self, compare: impl FnOnce()) {
        let mut settings = insta::Settings::clone_current();
        settings.add_filter(&self.folder.path().display().to_string(), "[HOME]");
        settings.bind(compare);
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let signal = std::os::unix::process::ExitStatusExt::signal(&output.status);
        Self { code: output.status.code(), signal, stdout: output.stdout, stderr }
    }
}

impl Ended {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

/// Parses a document and checks that it begins with its schema.
pub fn document(bytes: &[u8]) -> Value {
    let text = std::str::from_utf8(bytes).unwrap();
    let start: String = text.chars().filter(|c| !c.is_whitespace()).take(11).collect();
    assert_eq!(start, "{\"schema\":1", "a document begins with its schema: {text:.200}");
    serde_json::from_str(text).unwrap()
}

/// The variable of its environment by which what a test started is found again.
pub const MARK: &str = "FOREWARM_TRACE_OF";

/// Processes that live and have this mark.
pub fn living(mark: &str) -> Vec<String> {
    let mark = format!("{MARK}={mark}");
    let entries = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let marked = entries.filter(|entry| {
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
    });
    marked.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// Fails where a document lacks one of the keys, given as JSON pointers.
pub fn assert_keys(document: &Value, pointers: &[&str]) {
    for pointer in pointers {
        assert!(document.pointer(pointer).is_some(), "{pointer} is missing in {document:#}");
    }
}

/// Runs a command with these bytes on its standard input.
pub fn feed(mut command: Command, input: &[u8]) -> Ended {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let ended = child.wait_with_output().unwrap().into();
    // A program that reads only a part closes the pipe early, which is its right.
    let _ = writer.join().unwrap();
    ended
}

/// Waits until something is true; fails where it never is.
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..600 {
        if condition() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("never: {what}");
}

/// Says that a test was skipped, where CI collects it.
#[expect(clippy::print_stderr, reason = "the test runner shows it")]
pub fn skip(test: &str, reason: &str) {
    let line = format!("SKIP {test}: {reason}");
    eprintln!("{line}");
    if let Some(list) = std::env::var_os("FOREWARM_SKIPS") {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(list);
        let _ = file.and_then(|mut file| writeln!(file, "{line}"));
    }
}

/// A program of this machine by its name; a script that stands for one is not it.
pub fn installed(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file());
    found.filter(|path| std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"\x7fELF")))
}

/// Whether file permissions bind us.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The folder of real programs that `cargo xtask corpus` makes.
pub fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/corpus")
}
