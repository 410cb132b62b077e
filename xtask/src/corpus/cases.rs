//! The runnable cases: which program, with what, and what to expect. Written to `manifest.json` for the end-to-end tests,
//! and used by the benches as they stand.

use std::path::PathBuf;

use serde::Serialize;

use super::{Corpus, bad};

/// What a case is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// One of the workloads that the speed goals name.
    Bench,
    /// Any other program that ends by itself.
    Ordinary,
    /// A program that only a limit ends.
    Hostile,
    /// A file that is no runnable program.
    Bad,
}

/// A directory given to the program: a fresh folder that holds copies of the inputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Directory {
    /// The name the program knows it by.
    pub guest: String,
    /// Files to copy into it before the run.
    pub inputs: Vec<PathBuf>,
    /// Names of the files the program leaves in it.
    pub outputs: Vec<String>,
}

/// What must come of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expectation {
    /// The exit status; `None` where only a limit ends it.
    pub exit: Option<i32>,
    /// The whole of standard output, where it is known beforehand.
    pub stdout: Option<String>,
}

/// One program with its surroundings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Case {
    /// Unique name.
    pub name: String,
    /// The wasm file.
    pub file: PathBuf,
    /// What it is for.
    pub group: Group,
    /// Arguments after the program's name.
    pub args: Vec<String>,
    /// Directories given to it.
    pub dirs: Vec<Directory>,
    /// The file that is its standard input, if not empty.
    pub stdin: Option<PathBuf>,
    /// Environment given to it.
    pub env: Vec<(String, String)>,
    /// What must come of it.
    pub expect: Expectation,
    /// Whether every trip count that matters can be known from the code.
    pub known_trip_counts: bool,
    /// Whether it is one of the long computations on which Winch is to be beaten.
    pub long_compute: bool,
}

impl Case {
    /// A program that is given nothing and is to end with 0.
    pub fn new(corpus: &Corpus, name: &str, program: &str, group: Group) -> Self {
        Self {
            name: name.to_owned(),
            file: corpus.wasm(program),
            group,
            args: Vec::new(),
            dirs: Vec::new(),
            stdin: None,
            env: Vec::new(),
            expect: Expectation { exit: Some(0), stdout: None },
            known_trip_counts: false,
            long_compute: false,
        }
    }

    /// With these arguments.
    pub fn args(mut self, args: &[&str]) -> Self {
        self.args = args.iter().map(|argument| (*argument).to_owned()).collect();
        self
    }

    fn dir(mut self, inputs: &[PathBuf], outputs: &[&str]) -> Self {
        let outputs = outputs.iter().map(|output| (*output).to_owned()).collect();
        self.dirs.push(Directory { guest: ".".to_owned(), inputs: inputs.to_vec(), outputs });
        self
    }

    fn stdin(mut self, file: PathBuf) -> Self {
        self.stdin = Some(file);
        self
    }

    fn exit(mut self, code: i32) -> Self {
        self.expect.exit = Some(code);
        self
    }

    fn stdout(mut self, text: &str) -> Self {
        self.expect.stdout = Some(text.to_owned());
        self
    }

    fn known(mut self) -> Self {
        self.known_trip_counts = true;
        self
    }

    fn long(mut self) -> Self {
        self.long_compute = true;
        self
    }

    fn endless(mut self) -> Self {
        self.expect.exit = None;
        self
    }
}

/// Forewarm's exit status for a trap, the same as the peer's.
const TRAP: i32 = 134;
/// Forewarm's exit status for invalid code.
const INVALID_CODE: i32 = 126;

/// All cases, the benches' first.
pub fn all(corpus: &Corpus) -> Vec<Case> {
    let mut cases = bench(corpus);
    cases.extend(ordinary(corpus));
    cases.extend(hostile(corpus));
    cases.extend(malformed(corpus));
    cases
}

fn bench(corpus: &Corpus) -> Vec<Case> {
    let case = |name, program| Case::new(corpus, name, program, Group::Bench);
    vec![
        case("noop", "noop").stdout("").known(),
        case("hello", "hello").stdout("hello\n").known(),
        case("matmul-64", "matmul-64").known(),
        case("matmul-256", "matmul-256").known(),
        case("matmul-1024", "matmul-1024").known().long(),
        case("statemachine", "statemachine").known().long(),
        case("resvg", "resvg").args(&["small.svg", "small.png"]).dir(&[corpus.input("small.svg")], &["small.png"]),
        case("flite", "flite").args(&["-t", "hello world", "-o", "hello.wav"]).dir(&[], &["hello.wav"]),
        case("python-sum", "python").args(&["-c", "print(1+1)"]).stdout("2\n"),
        case("python-loop", "python").args(&["-c", "print(sum(i*i%7 for i in range(2000000)))"]),
        case("esbuild-10k", "esbuild").args(&["--minify"]).stdin(corpus.input("small.js")),
        case("esbuild-2m", "esbuild").args(&["--minify"]).stdin(corpus.input("large.js")),
        case("graphviz", "graphviz").stdin(corpus.input("small.dot")),
    ]
}

fn ordinary(corpus: &Corpus) -> Vec<Case> {
    let case = |name, program| Case::new(corpus, name, program, Group::Ordinary);
    let text = corpus.input("text.txt");
    vec![
        case("matmul-arg-32", "matmul-arg").args(&["32"]),
        case("matmul-arg-400", "matmul-arg").args(&["400"]),
        case("sieve", "sieve").stdout("148933 primes\n").known(),
        case("quicksort", "quicksort"),
        case("sha256", "sha256").known(),
        case("strhash", "strhash"),
        case("nbody", "nbody").known(),
        case("wc", "wc").stdin(text.clone()),
        case("wc-empty", "wc").stdout("0 0 0\n"),
        case("wordfreq", "wordfreq").stdin(text.clone()),
        case("copyfile", "copyfile").args(&["text.txt", "upper.txt"]).dir(&[text], &["upper.txt"]),
        case("copyfile-missing", "copyfile").args(&["missing.txt", "upper.txt"]).dir(&[], &[]).exit(1),
        Case {
            env: vec![("COLOUR".to_owned(), "green".to_owned())],
            ..case("showargs", "showargs")
                .args(&["one", "two words", "--dir"])
                .stdout("argument 1: one\nargument 2: two words\nargument 3: --dir\nenvironment: COLOUR=green\n")
        },
        case("longprint", "longprint"),
        case("exit-42", "exitcode").stdout("").exit(42),
        case("trap-abort", "trap-abort").stdout("before\n").exit(TRAP),
        case("trap-unreachable", "trap-unreachable").exit(TRAP),
        case("trap-divide", "trap-divide").exit(TRAP),
        case("memhog-64", "memhog").args(&["64"]).stdout("took 64 MiB\n"),
        case("deeprec-1000", "deeprec").args(&["1000"]),
        case("deeprec", "deeprec").exit(TRAP),
        case("usvg", "usvg").args(&["small.svg", "plain.svg"]).dir(&[corpus.input("small.svg")], &["plain.svg"]),
    ]
}

fn hostile(corpus: &Corpus) -> Vec<Case> {
    let case = |name, program| Case::new(corpus, name, program, Group::Hostile);
    vec![case("endless", "endless").endless(), case("memhog", "memhog").endless()]
}

fn malformed(corpus: &Corpus) -> Vec<Case> {
    ["not-wasm", "truncated", "empty", "invalid", "no-start", "missing-import", "zeros"]
        .into_iter()
        .map(|name| {
            let case = Case::new(corpus, &format!("bad-{name}"), name, Group::Bad).exit(INVALID_CODE);
            Case { file: bad::path(corpus, name), ..case }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_every_speed_goal_has_its_case() {
        let cases = all(&Corpus::new());
        let names: BTreeSet<_> = cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names.len(), cases.len());
        assert_eq!(cases.iter().filter(|case| case.group == Group::Bench).count(), 13);
        assert_eq!(cases.iter().filter(|case| case.long_compute).count(), 2);
    }
}
