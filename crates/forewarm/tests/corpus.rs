//! Real programs: the same status, output and files as `wasmtime run`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{Ended, Home, corpus, skip};
use serde_json::Value;

/// The cases of the corpus in these groups; `None`, said aloud, where it was not made.
fn cases(test: &str, groups: &[&str]) -> Option<Vec<Value>> {
    let manifest = corpus().join("manifest.json");
    let Ok(text) = std::fs::read_to_string(&manifest) else {
        skip(test, "there is no corpus; `cargo xtask corpus` makes it");
        return None;
    };
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    let wanted = |case: &Value| groups.contains(&case["group"].as_str().unwrap());
    Some(cases.into_iter().filter(|case| wanted(case) && file(case).exists()).collect())
}

fn file(case: &Value) -> PathBuf {
    PathBuf::from(case["file"].as_str().unwrap())
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

/// Runs a case in directories made afresh below `folder`; returns what it said and the files it left.
fn perform(mut command: Command, case: &Value, folder: &Path) -> (Ended, BTreeMap<String, Vec<u8>>) {
    let mut outputs = Vec::new();
    for (index, dir) in case["dirs"].as_array().unwrap().iter().enumerate() {
        let host = folder.join(index.to_string());
        std::fs::create_dir_all(&host).unwrap();
        for input in strings(&dir["inputs"]) {
            std::fs::copy(&input, host.join(Path::new(&input).file_name().unwrap())).unwrap();
        }
        command.arg("--dir").arg(format!("{}::{}", host.display(), dir["guest"].as_str().unwrap()));
        outputs.extend(strings(&dir["outputs"]).into_iter().map(|name| host.join(name)));
    }
    for pair in case["env"].as_array().unwrap() {
        let pair = strings(pair);
        command.arg("--env").arg(format!("{}={}", pair[0], pair[1]));
    }
    command.arg(file(case));
    let arguments = strings(&case["args"]);
    // `wasmtime run` takes what follows the file as the program's own, a `--` included.
    if !arguments.is_empty() && command.get_program() != peer_binary() {
        command.arg("--");
    }
    command.args(arguments);
    if let Some(stdin) = case["stdin"].as_str() {
        command.stdin(Stdio::from(std::fs::File::open(stdin).unwrap()));
    }
    let ended = command.output().unwrap().into();
    let read = |path: PathBuf| {
        (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap_or_default())
    };
    (ended, outputs.into_iter().map(read).collect())
}

fn peer_binary() -> PathBuf {
    corpus().join("bin/wasmtime")
}

fn compare(case: &Value, home: &Home) {
    let name = case["name"].as_str().unwrap();
    let (theirs, their_files) = perform(home.any(peer_binary(), ["run"]), case, &home.path("peer"));
    let (ours, our_files) = perform(home.command(["run", "--no-prepare"]), case, &home.path("ours"));
    assert_eq!(ours.code, theirs.code, "{name}: {} against {}", ours.stderr, theirs.stderr);
    if let Some(expected) = case["expect"]["exit"].as_i64() {
        assert_eq!(ours.code.map(i64::from), Some(expected), "{name}");
    }
    assert!(ours.stdout == theirs.stdout, "{name}: standard output differs");
    if let Some(expected) = case["expect"]["stdout"].as_str() {
        assert_eq!(ours.text(), expected, "{name}");
    }
    // On a trap each engine's own words follow the program's.
    if ours.code != Some(134) {
        assert_eq!(ours.stderr, theirs.stderr, "{name}");
    }
    assert!(our_files == their_files, "{name}: files differ");
}

#[test]
fn output_and_files_are_those_of_the_peer() {
    let Some(cases) = cases("output_and_files_are_those_of_the_peer", &["bench", "ordinary"]) else {
        return;
    };
    assert!(cases.len() >= 10, "the corpus is not whole");
    let home = Home::new();
    for case in &cases {
        compare(case, &home);
    }
    home.assert_intact();
    // A run that was made again with more memory is told of twice.
    let (history, cases) = (home.history(), cases.len());
    let repeated = history.iter().filter(|row| row["repeated"].is_object()).count();
    assert_eq!(history.len(), cases + repeated);
}

#[test]
fn bad_files_are_refused() {
    let Some(cases) = cases("bad_files_are_refused", &["bad"]) else {
        return;
    };
    let home = Home::new();
    for case in &cases {
        let (ended, _) = perform(home.command(["run"]), case, &home.path("bad"));
        assert_eq!(ended.code, Some(126), "{}: {}", case["name"], ended.stderr);
        assert!(ended.stderr.starts_with("error: "), "{}", ended.stderr);
    }
    home.assert_intact();
}

#[test]
fn hostile_programs_meet_their_limits() {
    let Some(cases) = cases("hostile_programs_meet_their_limits", &["hostile"]) else {
        return;
    };
    let home = Home::new();
    for case in &cases {
        let limits = ["run", "--timeout", "3s", "--max-memory", "128MiB"];
        let (ended, _) = perform(home.command(limits), case, &home.path("hostile"));
        // A limit ends it, or it is refused what it wants and gives up by itself.
        let code = ended.code.unwrap_or_default();
        assert_ne!(code, 0, "{}: {}", case["name"], ended.stderr);
    }
    home.assert_intact();
}
