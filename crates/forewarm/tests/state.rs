//! Database and cache: what cannot be recorded costs a warning, and damage costs a rebuild, never the run.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{Home, document, eventually, is_root, programs, skip};

/// A home with a program that says hello, run once so that all state exists.
fn lived_in() -> Home {
    let home = Home::new();
    home.write("hello.wat", programs::HELLO);
    assert_says_hello(&mut home.command(["run", "hello.wat"]));
    home
}

fn assert_says_hello(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "hello\n", "{stderr}");
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    stderr
}

/// The program runs silently, and with `--verbose` says what could not be done.
fn assert_costs_a_warning(home: &Home, dress: impl Fn(&mut Command)) {
    let mut quiet = home.command(["run", "hello.wat"]);
    dress(&mut quiet);
    assert_eq!(assert_says_hello(&mut quiet), "", "nobody asked");
    let mut verbose = home.command(["run", "--verbose", "hello.wat"]);
    dress(&mut verbose);
    let words = assert_says_hello(&mut verbose);
    assert!(words.contains("warning: "), "{words}");
}

#[test]
fn a_locked_database_costs_a_warning() {
    let home = lived_in();
    let connection = rusqlite::Connection::open(home.database()).unwrap();
    connection.execute_batch("BEGIN EXCLUSIVE").unwrap();
    assert_costs_a_warning(&home, |_| ());
    connection.execute_batch("ROLLBACK").unwrap();
    home.assert_intact();
    assert_eq!(home.history().len(), 1);
}

#[test]
fn a_place_where_nothing_can_be_written_costs_a_warning() {
    let home = lived_in();
    // Nobody can make directories in /proc, not even root.
    assert_costs_a_warning(&home, |command| {
        command.env("XDG_DATA_HOME", "/proc").env("XDG_CACHE_HOME", "/proc");
    });
    assert_costs_a_warning(&home, |command| {
        command.env("XDG_DATA_HOME", home.path("hello.wat"));
    });
}

#[test]
fn a_read_only_database_costs_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    if is_root() {
        return skip("a_read_only_database_costs_a_warning", "permissions do not bind root");
    }
    let home = lived_in();
    let folder = home.path("data/forewarm");
    for (path, mode) in [(home.database(), 0o400), (folder.clone(), 0o500)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    assert_costs_a_warning(&home, |_| ());
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_corrupt_database_costs_a_warning() {
    let home = lived_in();
    for garbage in [&b"not a database at all, only words"[..], b"", &[0x53; 8192]] {
        std::fs::write(home.database(), garbage).unwrap();
        for log in ["data/forewarm/forewarm.sqlite3-wal", "data/forewarm/forewarm.sqlite3-shm"] {
            let _ = std::fs::remove_file(home.path(log));
        }
        assert_says_hello(&mut home.command(["run", "hello.wat"]));
        // Whatever became of the old one, the next run stands on a sound one.
        assert_says_hello(&mut home.command(["run", "hello.wat"]));
        home.assert_intact();
        assert!(!home.history().is_empty());
    }
}

#[test]
fn a_missing_database_is_made_anew() {
    let home = lived_in();
    std::fs::remove_dir_all(home.path("data")).unwrap();
    assert_says_hello(&mut home.command(["run", "hello.wat"]));
    assert_eq!(home.history().len(), 1);
}

#[test]
fn a_full_disk_costs_a_warning() {
    let home = lived_in();
    // In a namespace of its own, so that nobody else sees the mount and it ends with the process.
    let script = "mount -t tmpfs -o size=8k none \"$2\" && mount -t tmpfs -o size=8k none \"$3\" || exit 99; \
                  head -c 8192 /dev/zero > \"$2/full\"; head -c 8192 /dev/zero > \"$3/full\"; exec \"$0\" run --verbose \"$1\"";
    let [data, cache, file] = ["data", "cache", "hello.wat"].map(|name| home.path(name));
    let binary = Path::new(env!("CARGO_BIN_EXE_forewarm"));
    let line = ["-rm", "sh", "-c", script].map(Path::new).into_iter().chain([binary, &file, &data, &cache]);
    let mut probe = home.any("unshare", ["-rm", "mount", "-t", "tmpfs", "none", "."]);
    if !probe.output().is_ok_and(|output| output.status.success()) {
        return skip("a_full_disk_costs_a_warning", "this system lets nobody mount a small disk");
    }
    let words = assert_says_hello(&mut home.any("unshare", line));
    assert!(words.contains("warning: "), "{words}");
    assert_says_hello(&mut home.command(["run", "hello.wat"]));
    home.assert_intact();
}

#[test]
fn no_home_costs_warnings() {
    let home = Home::new();
    home.write("hello.wat", programs::HELLO);
    let homeless = |command: &mut Command| {
        for name in ["HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"] {
            command.env_remove(name);
        }
    };
    assert_costs_a_warning(&home, homeless);
}

#[test]
fn runs_are_recorded_unless_told_otherwise() {
    let home = lived_in();
    let unrecorded = home.command(["run", "hello.wat"]).env("FOREWARM_NO_RECORD", "1").output().unwrap();
    assert_eq!(unrecorded.stdout, b"hello\n");
    let runs = home.history();
    assert_eq!(runs.len(), 1);
    let keys = ["/configuration_class", "/wall_seconds", "/run_cpu_seconds", "/exit/code", "/prediction/run_ratio"];
    common::assert_keys(&runs[0], &keys);
}

#[test]
fn without_recording_no_database_is_made() {
    let home = Home::new();
    home.write("hello.wat", programs::HELLO);
    assert_says_hello(home.command(["run", "hello.wat"]).env("FOREWARM_NO_RECORD", "1"));
    assert!(!home.database().exists());
}

#[test]
fn history_keeps_no_values() {
    let home = Home::new();
    home.write("args.wat", programs::ARGUMENTS);
    let ended = home.run(["run", "--env", "TOKEN=hunter2hunter2", "args.wat", "--", "--password=swordfish"]);
    assert_eq!(ended.code, Some(0));
    eventually("the run is on record", || !home.history().is_empty());
    for file in files(&home.path("data")) {
        let bytes = std::fs::read(&file).unwrap();
        for secret in ["hunter2hunter2", "swordfish"] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} is in {}", file.display());
        }
    }
}

#[test]
fn history_is_of_one_program_or_all_and_can_be_forgotten() {
    let home = lived_in();
    home.write("exit.wat", programs::exits(3));
    assert_eq!(home.run(["run", "exit.wat"]).code, Some(3));
    assert_says_hello(&mut home.command(["run", "hello.wat"]));
    assert_eq!(home.history().len(), 3);
    assert_eq!(home.json(&["history", "--limit", "2"])["runs"].as_array().unwrap().len(), 2);
    let of_one = home.json(&["history", "exit.wat"]);
    assert_eq!(of_one["runs"].as_array().unwrap().len(), 1);
    assert_eq!(of_one["runs"][0]["exit"]["code"], 3);
    let table = home.run(["history"]).text();
    assert!(table.contains("configuration") && table.lines().count() >= 4, "{table}");
    assert_eq!(home.json(&["history", "forget", "exit.wat"])["forgotten_runs"], 1);
    assert_eq!(home.history().len(), 2);
    assert_eq!(home.json(&["history", "forget"])["forgotten_runs"], 2);
    assert_eq!(home.run(["history"]).text(), "no runs are on record\n");
    home.assert_intact();
}

/// Every regular file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Puts the artifact of the program into the cache, as the detached step does.
fn prepare(home: &Home, file: &str, tier: &str) {
    let plan = document(&home.run(["plan", "--format", "json", "--tier", tier, file]).stdout);
    let configuration = plan["chosen"]["configuration"].to_string();
    let ended = home.run(["prepare", file, "--configuration", &configuration]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

fn artifacts(home: &Home) -> usize {
    home.json(&["cache", "list"])["artifacts"].as_array().unwrap().len()
}

#[test]
fn the_cache_is_listed_and_pruned() {
    let home = lived_in();
    prepare(&home, "hello.wat", "cranelift");
    assert!(artifacts(&home) >= 1);
    let listed = home.json(&["cache", "list"]);
    common::assert_keys(&listed["artifacts"][0], &["/digest", "/tier", "/isa", "/size_bytes", "/used_unix_seconds"]);
    assert!(home.run(["cache", "list"]).text().contains("cranelift/"));
    assert_eq!(home.json(&["cache", "prune", "--keep", "1GiB"])["freed_bytes"], 0);
    assert!(home.json(&["cache", "prune"])["freed_bytes"].as_u64().unwrap() > 0);
    assert_eq!(artifacts(&home), 0);
    assert_says_hello(&mut home.command(["run", "hello.wat"]));
}

#[test]
fn a_damaged_artifact_is_never_run_and_made_again() {
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 4] = [
        ("flipped in the middle", |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x20;
        }),
        ("flipped at the end", |bytes| *bytes.last_mut().unwrap() ^= 1),
        ("cut short", |bytes| bytes.truncate(bytes.len() / 2)),
        ("emptied", Vec::clear),
    ];
    for (name, damage) in damages {
        let home = lived_in();
        prepare(&home, "hello.wat", "cranelift");
        let damaged = files(&home.cache());
        assert!(!damaged.is_empty(), "the cache holds something to damage");
        for file in damaged {
            let mut bytes = std::fs::read(&file).unwrap();
            if !bytes.is_empty() {
                damage(&mut bytes);
                std::fs::write(file, bytes).unwrap();
            }
        }
        for _ in 0..2 {
            assert_says_hello(&mut home.command(["run", "--tier", "cranelift", "hello.wat"]));
        }
        prepare(&home, "hello.wat", "cranelift");
        assert_says_hello(&mut home.command(["run", "--tier", "cranelift", "hello.wat"]));
        assert!(artifacts(&home) >= 1, "{name}");
    }
}

#[test]
fn a_cache_of_another_owners_making_is_not_used() {
    use std::os::unix::fs::PermissionsExt;
    let home = lived_in();
    std::fs::set_permissions(home.cache(), std::fs::Permissions::from_mode(0o777)).unwrap();
    // Whether it is repaired or left alone, the program runs.
    assert_says_hello(&mut home.command(["run", "hello.wat"]));
}

#[test]
fn many_at_once_share_one_database() {
    let home = Home::new();
    home.write("hello.wat", programs::HELLO);
    let spawn = |_| home.command(["run", "hello.wat"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let children: Vec<_> = (0..12).map(spawn).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        let said = (output.status.code(), output.stdout.as_slice(), output.stderr.as_slice());
        assert_eq!(said, (Some(0), &b"hello\n"[..], &b""[..]));
    }
    home.assert_intact();
    assert_eq!(home.history().len(), 12);
}

#[test]
fn killing_it_leaves_the_database_whole() {
    let home = lived_in();
    home.write("counts.wat", programs::counts(3_000_000));
    for round in 0..40 {
        let mut child = home.command(["run", "counts.wat"]).stderr(Stdio::null()).spawn().unwrap();
        // From before the database is opened to after the run is recorded.
        std::thread::sleep(std::time::Duration::from_micros(700 * round));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    home.assert_intact();
    assert_says_hello(&mut home.command(["run", "hello.wat"]));
    assert!(home.history().len() >= 2);
}

#[test]
fn preparing_can_be_turned_off() {
    let home = lived_in();
    home.write("config/forewarm/config.toml", "prepare = false\n");
    for _ in 0..3 {
        assert_says_hello(&mut home.command(["run", "hello.wat"]));
    }
    assert_says_hello(&mut home.command(["run", "--no-prepare", "hello.wat"]));
}
