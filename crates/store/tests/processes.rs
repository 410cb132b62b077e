//! Several threads and processes share one database, some of them killed while they write or forbidden to.
//!
//! Other processes are this test program again, told by an environment variable to play the part of `child`.
#![expect(clippy::unwrap_used, reason = "a test may panic, its helpers too")]
#![cfg(unix)]

#[path = "common/sample.rs"]
mod sample;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use forewarm_store::{FILE_NAME, Options, Record, Store, StoreError};
use sample::{observation, store};

const PATIENT: Options = Options { read_only: false, create: true, busy_ms: 20_000 };
const CHILD_DIRECTORY: &str = "FOREWARM_TEST_DIRECTORY";

fn record(store: &Store, code: u32, started: f64) -> Result<i64, StoreError> {
    let run = observation(code, started);
    store.record(&Record { observation: &run, file_name: "x.wasm", plan_json: None }, |count| {
        Some((count.map_or(0, |text| text.parse::<u64>().unwrap()) + 1).to_string())
    })
}

fn child(test: &str, directory: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(CHILD_DIRECTORY, directory);
    command.stdout(Stdio::piped());
    command
}

#[test]
fn eight_threads_open_and_record_at_once() {
    let directory = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let path = directory.path();
            scope.spawn(move || {
                let store = Store::open(path, PATIENT).unwrap();
                for n in 0..25 {
                    record(&store, thread, f64::from(n)).unwrap();
                }
            });
        }
    });
    let store = Store::open(directory.path(), PATIENT).unwrap();
    store.verify().unwrap();
    let reuse = store.reuse(&sample::digest(3), 99.0).unwrap();
    assert_eq!((reuse.runs, reuse.codes, reuse.singletons, reuse.code_runs), (200, 8, 0, 25));
    assert_eq!(store.model().unwrap().as_deref(), Some("200"), "no update of the model is lost");
    assert_eq!(store.history(None, 999).unwrap().len(), 200);
}

/// The part of a child: records until killed, and says which records were committed.
#[test]
fn child_records() {
    let Some(directory) = std::env::var_os(CHILD_DIRECTORY) else { return };
    let store = Store::open(Path::new(&directory), PATIENT).unwrap();
    for n in 0_u32.. {
        let number = record(&store, n % 5, f64::from(n)).unwrap();
        writeln!(std::io::stdout(), "committed {number}").unwrap();
        if store.wal_bytes() > 400_000 {
            let _ = store.maintain();
        }
    }
}

#[test]
fn a_kill_at_any_moment_loses_nothing_committed() {
    if std::env::var_os(CHILD_DIRECTORY).is_some() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut committed = Vec::new();
    for round in 0..12_u64 {
        let mut children: Vec<_> = (0..2).map(|_| child("child_records", directory.path()).spawn().unwrap()).collect();
        std::thread::sleep(Duration::from_millis(30 + 17 * round % 90));
        for process in &mut children {
            process.kill().unwrap();
            process.wait().unwrap();
            // The last line may be cut short by the kill; only whole lines count as said.
            let mut output = BufReader::new(process.stdout.take().unwrap());
            let mut line = String::new();
            while output.read_line(&mut line).unwrap() > 0 && line.ends_with('\n') {
                committed.extend(line.split("committed ").nth(1).and_then(|n| n.trim().parse::<i64>().ok()));
                line.clear();
            }
        }
        Store::open(directory.path(), PATIENT).unwrap().verify().unwrap();
    }
    assert!(committed.len() > 50, "the children must have got somewhere: {}", committed.len());
    let raw = rusqlite::Connection::open(directory.path().join(FILE_NAME)).unwrap();
    let newest: i64 = raw.query_row("SELECT max(id) FROM observations", [], |row| row.get(0)).unwrap();
    assert!(committed.iter().all(|number| *number <= newest));
    // Runs are counted in the transaction that records them, and pruning keeps the counters: all three agree.
    let store = Store::open(directory.path(), PATIENT).unwrap();
    let runs = store.reuse(&sample::digest(0), 0.0).unwrap().runs;
    assert!(runs >= committed.len() as u64, "{runs} runs counted, {} committed", committed.len());
    assert_eq!(store.model().unwrap(), Some(runs.to_string()));
}

/// The part of a child that may not write: reads, and must be told so when it records.
#[test]
fn child_may_not_write() {
    let Some(directory) = std::env::var_os(CHILD_DIRECTORY) else { return };
    let store = Store::open(Path::new(&directory), PATIENT).unwrap();
    assert_eq!(store.history(None, 9).unwrap().len(), 1);
    assert!(matches!(record(&store, 1, 1.0), Err(StoreError::ReadOnly { .. })));
    writeln!(std::io::stdout(), "as it should be").unwrap();
}

/// As another user where this one is root, whom modes do not bind.
fn check_read_only(prepare: impl FnOnce(&Path)) {
    let (directory, store) = store();
    record(&store, 1, 1.0).unwrap();
    store.maintain().unwrap();
    drop(store);
    prepare(directory.path());
    let program = directory.path().join("program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    for entry in fs::read_dir(directory.path()).unwrap() {
        fs::set_permissions(entry.unwrap().path(), PermissionsExt::from_mode(0o444)).unwrap();
    }
    fs::set_permissions(&program, PermissionsExt::from_mode(0o555)).unwrap();
    fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o555)).unwrap();
    let mut command = Command::new(&program);
    command.args(["--exact", "child_may_not_write", "--nocapture"]).env(CHILD_DIRECTORY, directory.path());
    if chown(directory.path(), Some(0), None).is_ok() {
        command.uid(65534);
    }
    let output = command.output().unwrap();
    fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("as it should be"), "{text}");
}

#[test]
fn a_directory_that_cannot_be_written_is_still_read() {
    check_read_only(|_| {});
}

#[test]
fn a_directory_that_cannot_be_written_is_read_without_a_log() {
    check_read_only(|directory| {
        for suffix in ["-wal", "-shm"] {
            fs::remove_file(directory.join(format!("{FILE_NAME}{suffix}"))).unwrap();
        }
    });
}
