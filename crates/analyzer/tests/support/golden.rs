//! Golden files: a program, then a mark, then what is expected of it, as comments of the program's own language.
//!
//! With `FOREWARM_BLESS=1` set, a test writes what the analyzer says now. Called by the golden tests of each front end.

use std::path::{Path, PathBuf};

use forewarm_types::Estimate;

/// What follows the sign of a comment on the line from which on a file holds expectations.
const MARK: &str = "---- expected ----";

/// A number as golden files show it.
fn number(value: f64) -> String {
    let rounded = (value * 1e3).round() / 1e3;
    if rounded.abs() < 1e12 { format!("{rounded}") } else { format!("{value:.3e}") }
}

/// An estimate as golden files show it.
pub fn shown(estimate: Option<Estimate>) -> String {
    match estimate {
        None => "unknown".to_owned(),
        Some(e) if e.low == e.high => number(e.expected),
        Some(e) => format!("{:.2e} ({:.2e} to {:.2e})", e.expected, e.low, e.high),
    }
}

/// Compares every file of a folder below `tests` (at least so many) with what is found of its program.
///
/// `comment` begins a comment; `found` gets the program's text and the file's name.
pub fn check_folder(folder: &str, comment: &str, least: usize, found: impl Fn(&str, &str) -> String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= least, "golden files are missing");
    let mark = format!("{comment} {MARK}");
    let failures: Vec<String> = files.iter().filter_map(|file| check(file, &mark, &found).err()).collect();
    assert!(failures.is_empty(), "{}\nFOREWARM_BLESS=1 accepts what was found", failures.join("\n\n"));
}

fn check(file: &Path, mark: &str, found: &impl Fn(&str, &str) -> String) -> Result<(), String> {
    let text = std::fs::read_to_string(file).unwrap();
    let (source, expected) = text.split_once(mark).unwrap_or((&text, ""));
    let source = format!("{}\n", source.trim_end());
    let found = found(&source, file.file_name().unwrap().to_str().unwrap());
    let expected = expected.trim_start();
    if found == expected {
        return Ok(());
    }
    if std::env::var_os("FOREWARM_BLESS").is_some() {
        std::fs::write(file, format!("{source}{mark}\n{found}")).unwrap();
        return Ok(());
    }
    Err(format!("{}\n--- expected\n{expected}\n--- found\n{found}", file.display()))
}
