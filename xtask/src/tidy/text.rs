//! Checks of file contents: the header, banned calls, length, and words that belong to one machine. Called by `tidy`.

use super::Finding;
use super::source::code_of;

/// Lines above which a file is warned about, and above which it fails: ours are mostly under 300.
const LONG_LINES: usize = 500;
const TOO_LONG_LINES: usize = 800;

/// A word that code may not hold.
struct Ban {
    word: &'static str,
    /// Path prefixes where it may stand.
    except: &'static [&'static str],
    /// Whether tests and examples may hold it.
    tests_may: bool,
    why: &'static str,
}

const PRINTS: &str = "only the binary prints; return data instead";
const PRINTERS: &[&str] = &["crates/forewarm/", "xtask/"];
const CLOCK: &str = "time comes in through forewarm_types::host::Clock";
const CLOCKS: &[&str] = &["crates/sandbox/", "xtask/"];

const BANS: [Ban; 13] = [
    Ban {
        word: "process::exit",
        except: &["crates/forewarm/"],
        tests_may: true,
        why: "only the binary ends the process; return an error instead",
    },
    Ban { word: "println!", except: PRINTERS, tests_may: true, why: PRINTS },
    Ban { word: "print!", except: PRINTERS, tests_may: true, why: PRINTS },
    Ban { word: "eprintln!", except: PRINTERS, tests_may: true, why: PRINTS },
    Ban { word: "eprint!", except: PRINTERS, tests_may: true, why: PRINTS },
    Ban { word: "Instant::now", except: CLOCKS, tests_may: true, why: CLOCK },
    Ban { word: "SystemTime::now", except: CLOCKS, tests_may: true, why: CLOCK },
    Ban { word: "todo!", except: &[], tests_may: false, why: "finish it, or leave it out" },
    Ban { word: "unimplemented!", except: &[], tests_may: false, why: "finish it, or leave it out" },
    Ban { word: "dbg!", except: &[], tests_may: false, why: "a debugging aid was left behind" },
    Ban { word: "#[allow(", except: &[], tests_may: false, why: "use #[expect(…, reason = \"…\")]" },
    Ban { word: "#![allow(", except: &[], tests_may: false, why: "use #![expect(…, reason = \"…\")]" },
    Ban {
        word: "unsafe",
        except: &["crates/sandbox/", "crates/executor/src/wasm/load.rs"],
        tests_may: false,
        why: "unsafe code lives in crates/sandbox, and in the executor's one module that loads artifacts",
    },
];

/// Beginnings of paths that exist on one machine only. (Written in pieces, so that this file passes its own check.)
const MACHINE_PATHS: [&str; 4] =
    [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/"), concat!("/wo", "rk/")];
/// Hosts that packages are fetched from: clients know them, and mirrors differ.
const HOSTS: [&str; 4] =
    [concat!("pypi", ".org"), concat!("pythonhosted", ".org"), concat!("npmjs", ".org"), concat!("crates", ".io")];

/// What is wrong with one file. `path` is relative to the repository's root.
pub fn check(path: &str, content: &str) -> Vec<Finding> {
    let mut findings = machine_words(path, content);
    if path.ends_with("Cargo.toml") {
        findings.extend(lints(path, content));
    }
    if path.ends_with(".rs") {
        findings.extend(header(path, content));
        findings.extend(length(path, content));
        findings.extend(banned_words(path, content));
    }
    findings
}

fn header(path: &str, content: &str) -> Option<Finding> {
    let opens = content.lines().next().is_some_and(|line| line.starts_with("//!"));
    (!opens).then(|| {
        Finding::error(path, "does not open with a `//!` paragraph: what lives here, what does not, who calls it")
    })
}

/// Every crate of the workspace takes its lints, so that a rule is changed in one place; one with a workspace of its
/// own has none to take.
fn lints(path: &str, content: &str) -> Option<Finding> {
    let lines: Vec<&str> = content.lines().map(str::trim).collect();
    let member = lines.contains(&"[package]") && !lines.contains(&"[workspace]");
    let missing = member && !lines.windows(2).any(|pair| pair == ["[lints]", "workspace = true"]);
    missing.then(|| Finding::error(path, "lacks `[lints]` with `workspace = true`"))
}

fn length(path: &str, content: &str) -> Option<Finding> {
    let lines = content.lines().count();
    let message = format!("has {lines} lines; split it by what it does (at most {TOO_LONG_LINES}, better under 300)");
    match lines {
        0..=LONG_LINES => None,
        _ if lines <= TOO_LONG_LINES => Some(Finding::warning(path, message)),
        _ => Some(Finding::error(path, message)),
    }
}

fn banned_words(path: &str, content: &str) -> Vec<Finding> {
    let code = code_of(content);
    let tests_begin = if is_test_file(path) { 0 } else { first_test_line(&code) };
    let mut findings = Vec::new();
    for (index, line) in code.lines().enumerate() {
        for ban in BANS.iter().filter(|ban| holds_word(line, ban.word)) {
            let excepted = ban.except.iter().any(|prefix| path.starts_with(prefix));
            if !(excepted || ban.tests_may && index >= tests_begin) {
                findings.push(Finding::error(format!("{path}:{}", index + 1), format!("`{}`: {}", ban.word, ban.why)));
            }
        }
    }
    findings
}

fn is_test_file(path: &str) -> bool {
    ["/tests/", "/benches/", "/examples/"].iter().any(|folder| path.contains(folder)) || path.ends_with("/tests.rs")
}

/// The line (from 0) where the file's test module begins.
fn first_test_line(code: &str) -> usize {
    let lines: Vec<&str> = code.lines().map(str::trim).collect();
    let begins = |pair: &[&str]| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ");
    lines.windows(2).position(begins).unwrap_or(usize::MAX)
}

/// Whether the line holds the word, not as a part of a longer one.
fn holds_word(line: &str, word: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back().is_some_and(is_part);
        let after = word.ends_with(is_part) && line[at + word.len()..].chars().next().is_some_and(is_part);
        !before && !after
    })
}

fn machine_words(path: &str, content: &str) -> Vec<Finding> {
    // The lock file is cargo's own, and names its registry.
    if path.rsplit('/').next() == Some("Cargo.lock") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (index, line) in content.lines().enumerate() {
        let place = || format!("{path}:{}", index + 1);
        for prefix in MACHINE_PATHS.iter().filter(|prefix| holds_path(line, prefix)) {
            findings.push(Finding::error(place(), format!("holds the absolute path `{prefix}…` of one machine")));
        }
        for host in HOSTS.iter().filter(|host| line.contains(*host)) {
            findings.push(Finding::error(
                place(),
                format!("names the host `{host}`; name the package, its client knows the host"),
            ));
        }
    }
    findings
}

/// Whether a path begins so: the prefix stands where no longer path runs into it, and not as a guest's name (`HOST::GUEST`).
fn holds_path(line: &str, prefix: &str) -> bool {
    line.match_indices(prefix).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|character| character.is_alphanumeric() || "._-/*}:~".contains(character))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_file(path: &str, content: &str, expected: &[&str]) {
        let found = check(path, content);
        let shown: Vec<_> = found.iter().map(|finding| format!("{}: {}", finding.place, finding.message)).collect();
        assert_eq!(found.len(), expected.len(), "{shown:?}");
        for (finding, part) in shown.iter().zip(expected) {
            assert!(finding.contains(part), "{finding} lacks {part}");
        }
    }

    #[track_caller]
    fn check_code(path: &str, code: &str, expected: &[&str]) {
        check_file(path, &format!("//! Header.\n{code}\n"), expected);
    }

    #[test]
    fn a_file_opens_with_its_paragraph() {
        check_file("crates/types/src/a.rs", "//! What it is.\n", &[]);
        check_file("crates/types/src/a.rs", "use std::fs;\n", &["//!"]);
        check_file("crates/types/src/a.rs", "", &["//!"]);
        check_file("corpus/a.c", "int main(void) {}\n", &[]);
    }

    #[test]
    fn every_ban_is_found_where_it_holds_and_not_where_it_is_excepted() {
        for ban in &BANS {
            check_code("crates/planner/src/a.rs", &format!("fn f() {{ {} }}", ban.word), &[ban.word]);
            for prefix in ban.except {
                check_code(&format!("{prefix}a.rs"), &format!("fn f() {{ {} }}", ban.word), &[]);
            }
            let expected: &[&str] = if ban.tests_may { &[] } else { &[ban.word] };
            check_code("crates/planner/tests/a.rs", &format!("fn f() {{ {} }}", ban.word), expected);
            check_code("crates/planner/src/a.rs", &format!("#[cfg(test)]\nmod tests {{\n{}\n}}", ban.word), expected);
        }
    }

    #[test]
    fn a_word_in_a_sentence_or_a_longer_word_is_no_finding() {
        check_code(
            "crates/planner/src/a.rs",
            "// todo! unsafe dbg!\nlet x = \"println!\"; #![deny(unsafe_code)] my_dbg!();",
            &[],
        );
        check_code("crates/planner/src/a.rs", "#[cfg(test)]\nfn f() { println!() }", &["println!"]);
        check_code("crates/planner/src/a.rs", "\n\nunsafe { f() }", &["a.rs:4"]);
    }

    #[test]
    fn long_files_are_warned_about_and_then_fail() {
        let lines = |count: usize| format!("//! Header.\n{}", "x\n".repeat(count - 1));
        check_file("a.rs", &lines(LONG_LINES), &[]);
        check_file("a.rs", &lines(LONG_LINES + 1), &["501 lines"]);
        assert!(!check("a.rs", &lines(TOO_LONG_LINES))[0].fails);
        assert!(check("a.rs", &lines(TOO_LONG_LINES + 1))[0].fails);
    }

    #[test]
    fn a_crate_takes_the_workspaces_lints() {
        check_file("crates/a/Cargo.toml", "[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n", &[]);
        check_file("crates/a/Cargo.toml", "[package]\nname = \"a\"\n", &["[lints]"]);
        check_file("Cargo.toml", "[workspace]\n", &[]);
        check_file("fuzz/Cargo.toml", "[package]\nname = \"f\"\n\n[workspace]\n", &[]);
    }

    #[test]
    fn words_of_one_machine_are_found() {
        check_file("README.md", &format!("See `{}me/x`.", concat!("/ho", "me/")), &["absolute path"]);
        check_file("README.md", concat!("--dir data::/wo", "rk/in and target/wo", "rk/x"), &[]);
        check_file("a.sh", &format!("curl https://{}/x", concat!("pypi", ".org")), &["names the host"]);
        check_file("Cargo.lock", concat!("crates", ".io"), &[]);
        check_file("corpus/lambda/Cargo.lock", concat!("crates", ".io"), &[]);
    }
}
