//! What must not change the counts of a compiled program, and what must change them in a known way: as `metamorphic` does by
//! hand-written text, here with what a C compiler makes of names, order, symbols and the constants that bound loops.
//!
//! `cargo xtask corpus` fetches the compiler; without it the tests say that they are skipped.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test fails by panicking and says when it is skipped")]

use std::path::{Path, PathBuf};
use std::process::Command;

use forewarm_analyzer::{Depth, analyze};
use forewarm_types::{Bytes, Digest, Estimate};

/// The functions of the program under test, none of which a compiler may dissolve in another.
const FUNCTIONS: [&str; 4] = [
    "__attribute__((noinline)) int scan(const char *p) { int n = 0; while (p[n]) n++; return n; }",
    "__attribute__((noinline)) int walk(struct node *p) { return p ? 1 + walk(p->left) + walk(p->right) : 0; }",
    "__attribute__((noinline)) void nest(int n) {
         for (int i = 0; i < n; i++) for (int j = 0; j <= i; j++) table[i][j] += i * j;
     }",
    "__attribute__((noinline)) int choose(int x) { if (text[x & 63] > 7) nest(9); return scan(text + (x & 31)); }",
];

const HEAD: &str = "struct node { struct node *left, *right; };
    int table[64][64]; char text[64]; struct node *root;
    int scan(const char *p); int walk(struct node *p); void nest(int n); int choose(int x);";
const MAIN: &str = "int main(void) { nest(48); return choose(table[5][3]) + walk(root); }";

fn target() -> PathBuf {
    let built = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    built.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"))
}

/// What the corpus's compiler makes of a text; `None` where it is not there.
fn compile(name: &str, text: &str, flags: &[&str]) -> Option<Vec<u8>> {
    let corpus = target().join("corpus");
    let python = corpus.join("venv/bin/python");
    if !python.exists() {
        eprintln!("skipped: no C compiler for WebAssembly; `cargo xtask corpus` fetches one");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let (source, wasm) = (folder.path().join(name).with_extension("c"), folder.path().join("out.wasm"));
    std::fs::write(&source, text).unwrap();
    let done = Command::new(&python)
        .args(["-m", "ziglang", "cc", "-target", "wasm32-wasi", "-O2", "-w"])
        .args(flags)
        .args([&source, Path::new("-o"), &wasm])
        .env("ZIG_GLOBAL_CACHE_DIR", corpus.join("zig-cache"))
        .env("ZIG_LOCAL_CACHE_DIR", corpus.join("zig-cache"))
        .output()
        .unwrap();
    assert!(done.status.success(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
    Some(std::fs::read(wasm).unwrap())
}

fn total(bytes: &[u8]) -> Estimate {
    let analysis = analyze(bytes, Digest([0; 32]), Bytes(bytes.len() as u64), Depth::Full).unwrap();
    analysis.profile.ops.total.unwrap()
}

fn program(order: &[usize]) -> String {
    let functions: Vec<&str> = order.iter().map(|&index| FUNCTIONS[index]).collect();
    format!("{HEAD}\n{}\n{MAIN}\n", functions.join("\n"))
}

#[test]
fn names_order_and_symbols_change_no_count() {
    let Some(first) = compile("first", &program(&[0, 1, 2, 3]), &[]) else { return };
    let whole = total(&first);
    assert!(whole.low < whole.high, "the program must hold unknowns: {whole:?}");
    let renamed = ["-Dscan=alpha", "-Dwalk=longer_than_it_was", "-Dnest=b", "-Dchoose=c"];
    let variants: [(&str, &[usize], &[&str]); 4] = [
        ("renamed", &[0, 1, 2, 3], &renamed),
        ("stripped", &[0, 1, 2, 3], &["-s"]),
        ("reversed", &[3, 2, 1, 0], &[]),
        ("shuffled", &[2, 0, 3, 1], &renamed),
    ];
    for (name, order, flags) in variants {
        let Some(bytes) = compile(name, &program(order), flags) else { return };
        assert!(bytes != first, "{name}: the variant must differ");
        let other = total(&bytes);
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.max(b);
        let same = [(whole.low, other.low), (whole.expected, other.expected), (whole.high, other.high)];
        assert!(same.iter().all(|&(a, b)| close(a, b)), "{name}: {whole:?} {other:?}");
    }
}

/// Kernels of the corpus, three sizes each twice the last, and by how much what each adds grows: by the degree of the nest.
const NESTS: [(&str, [&str; 3], f64); 3] = [
    ("gemm", ["-DN=24", "-DN=48", "-DN=96"], 8.0),
    ("atax", ["-DN=100", "-DN=200", "-DN=400"], 4.0),
    ("crc", ["-DN=4000", "-DN=8000", "-DN=16000"], 2.0),
];

#[test]
fn a_constant_times_two_counts_as_the_nest_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/kernels");
    for (name, sizes, growth) in NESTS {
        let text = std::fs::read_to_string(folder.join(name).with_extension("c")).unwrap();
        let mut counts = Vec::new();
        for size in sizes {
            let Some(bytes) = compile(name, &text, &[size, "-lm"]) else { return };
            counts.push(total(&bytes).expected);
        }
        let found = (counts[2] - counts[1]) / (counts[1] - counts[0]);
        assert!((found / growth - 1.0).abs() < 0.05, "{name}: {counts:?} grow by {found}, not {growth}");
    }
}
