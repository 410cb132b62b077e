//! The Python front end on sources nobody meant: random, mutated, and made to hurt; and, where one is installed, on the
//! whole of an interpreter's own library. Nothing here may panic, hang, or refuse what Python takes.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking, and says what it skips")]

#[path = "support/cases.rs"]
mod support;

use std::path::{Path, PathBuf};

use forewarm_analyzer::fuzz::analyze_python_bytes;
use forewarm_analyzer::{AnalyzeError, Depth, Nothing, PythonSource, analyze_python};
use forewarm_types::{Analysis, Bytes, Digest};
use proptest::prelude::*;
use support::cases;

fn run(source: &str) -> Result<Analysis, AnalyzeError> {
    let of = PythonSource { file_name: "t.py", handler: None, environment: &Nothing };
    analyze_python(source.as_bytes(), Digest([0; 32]), Bytes(source.len() as u64), Depth::Full, &of)
}

fn golden() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden_python");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// Pieces that mostly parse when strung together, so that the layout sees nonsense and not only the parser does.
const PIECES: [&str; 60] = [
    "x",
    "n",
    "f",
    "range(n)",
    "range(10)",
    "1",
    "0",
    "-3",
    "10**30",
    "'s'",
    "f'{x}'",
    "[1, 2]",
    "()",
    "{}",
    "(",
    ")",
    "[",
    "]",
    ":",
    ",",
    " = ",
    " += ",
    " + ",
    " * ",
    " % ",
    " if ",
    " else ",
    "for x in ",
    "while x < n:\n    ",
    "while True:\n  ",
    "    ",
    "\n",
    "\n    ",
    "\n  ",
    "def f(n):\n    ",
    "class C:\n    ",
    "return f(n - 1)",
    "break",
    "continue",
    "import numpy as x",
    "from . import y",
    "lambda n: ",
    "yield ",
    "await ",
    "try:\n    ",
    "except E:\n    ",
    "finally:\n    ",
    "with x as n:\n    ",
    "match x:\n    case ",
    "del x",
    "global n",
    "not ",
    ".append(1)",
    ".y",
    "len(x)",
    "x = n = 3\n",
    "i = 0\nwhile i < 9:\n    i += 2\n",
    "[x for x in range(n) if x]",
    "f(n=3)",
    "# c\n",
];

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn random_bytes(data in proptest::collection::vec(any::<u8>(), 0..300)) {
        analyze_python_bytes(&data);
    }

    #[test]
    fn random_pieces(pieces in proptest::collection::vec(0..PIECES.len(), 0..60)) {
        let text: String = pieces.iter().map(|&piece| PIECES[piece]).collect();
        analyze_python_bytes(text.as_bytes());
    }

    #[test]
    fn mutated_programs(
        which in any::<prop::sample::Index>(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), 0..PIECES.len()), 1..6),
    ) {
        let programs = golden();
        let mut bytes = programs[which.index(programs.len())].clone();
        for (place, piece) in edits {
            let at = place.index(bytes.len());
            bytes.splice(at..(at + 3).min(bytes.len()), PIECES[piece].bytes());
        }
        analyze_python_bytes(&bytes);
    }
}

#[test]
fn what_nests_too_deeply_is_refused_in_time() {
    let deep = 200_000;
    for text in [
        "(".repeat(deep),
        "x = ".to_owned() + &"[".repeat(deep) + &"]".repeat(deep),
        "x = ".to_owned() + &"-".repeat(deep) + "1",
        "x = ".to_owned() + &"not ".repeat(deep) + "1",
        "x = ".to_owned() + &"1 + ".repeat(deep) + "1",
        "x = ".to_owned() + &"lambda: ".repeat(deep) + "1",
        "x = ".to_owned() + &"a if b else ".repeat(deep) + "1",
        "x = a".to_owned() + &".b".repeat(deep),
        "x = a".to_owned() + &"()".repeat(deep),
        "x = ".to_owned() + &"f\"{".repeat(deep),
        (0..2000).map(|depth| " ".repeat(depth) + "if x:\n").collect(),
        "match x:\n case ".to_owned() + &"[".repeat(deep),
        "@".repeat(deep),
    ] {
        let error = run(&text).unwrap_err();
        let expected = matches!(error, AnalyzeError::Limit { .. } | AnalyzeError::Syntax { .. });
        assert!(expected, "{error}: {}", &text[..20]);
    }
}

#[test]
fn what_is_long_but_flat_is_taken() {
    for text in [
        "x = [1, 2, 3]\n".repeat(50_000),
        format!("x = [{}]", "1, ".repeat(200_000)),
        format!("if x:\n    pass\n{}", "elif y == 1:\n    f()\n".repeat(20_000)),
        "def f(n):\n    return f(n - 1)\n".repeat(5_000),
        (0..20_000).map(|n| format!("a{n} = a{} + 1\n", n.max(1) - 1)).collect(),
        format!("def f():\n{}", "    for i in range(10):\n        g(i)\n".repeat(10_000)),
        (0..2_000).map(|n| format!("class C{n}:\n    def m{n}(self):\n        return self.m{n}()\n")).collect(),
        format!("x = {}", "(lambda: 1), ".repeat(20_000)),
        format!("x = {}0", "y and ".repeat(2_000)),
    ] {
        assert!(run(&text).is_ok(), "{:?}: {}", run(&text).err(), &text[..20]);
    }
}

/// Python files below a folder.
fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "py") {
            files.push(path);
        }
    }
}

#[test]
fn an_interpreters_own_library_is_understood() {
    let folders = ["/usr/lib/python3", "/usr/lib/python3.11", "/usr/lib/python3.12", "/usr/lib/python3.13"];
    let mut files = Vec::new();
    folders.iter().for_each(|folder| collect(Path::new(folder), &mut files));
    if files.is_empty() {
        println!("SKIPPED: there is no Python library below /usr/lib");
        return;
    }
    let mut refused = Vec::new();
    for file in &files {
        let Ok(text) = std::fs::read(file) else { continue };
        let name = file.to_string_lossy();
        let source = PythonSource { file_name: &name, handler: None, environment: &Nothing };
        // Broken on purpose: what tests of parsers are fed.
        let broken = name.contains("/bad") || name.contains("lib2to3/tests/data") || name.contains("/test_");
        match analyze_python(&text, Digest([0; 32]), Bytes(text.len() as u64), Depth::Run, &source) {
            Err(error) if !broken => refused.push(error.to_string()),
            _ => {}
        }
    }
    assert!(refused.is_empty(), "of {} files {} were refused: {refused:#?}", files.len(), refused.len());
}
