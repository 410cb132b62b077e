//! Compiles `corpus/scalable/*.c` to WASI, and some for this machine, once per content: programs that take their size as
//! arguments. Called by `bench growth` and `bench predict`. A program's first line says what it is, how it grows, and its runs: `Runs: 100 200 300 > 3000.`, small ones and
//! the large one, commas between the arguments of a run.

use std::fs;
use std::path::PathBuf;

use super::{Corpus, fetch};
use crate::process::{Outcome, While, command, failure, require, root};

/// One program.
pub struct Scalable {
    /// File name without extension.
    pub name: String,
    /// How it grows, in words.
    pub growth: String,
    /// Its runs, the large one last.
    pub runs: Vec<String>,
    /// The module.
    pub wasm: PathBuf,
}

/// Flags of every compilation.
const FLAGS: [&str; 5] = ["-target", "wasm32-wasi", "-O2", "-Wall", "-Wextra"];

/// Compiles what is new or changed of what is wanted.
///
/// # Errors
/// A program cannot be read, lacks its first line, or does not compile.
pub fn compile_all(corpus: &Corpus, wanted: &dyn Fn(&str) -> bool) -> Outcome<Vec<Scalable>> {
    let python = fetch::all(corpus)?.python;
    let folder = root().join("corpus/scalable");
    fs::create_dir_all(corpus.at("scalable")).doing("creating the folder of scalable programs")?;
    let mut programs = Vec::new();
    for entry in fs::read_dir(&folder).doing(format_args!("reading {}", folder.display()))? {
        let source = entry.doing("reading the folder of scalable programs")?.path();
        let name = source.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        if source.extension().is_none_or(|extension| extension != "c") || !wanted(&name) {
            continue;
        }
        let text = fs::read_to_string(&source).doing(format_args!("reading {}", source.display()))?;
        let (growth, runs) = header(&text).ok_or_else(|| failure(format!("{name}: its first line lacks its runs")))?;
        let wasm = corpus.at("scalable").join(format!("{name}.wasm"));
        let stamp = wasm.with_extension("stamp");
        if !wasm.exists() && stamp.exists() {
            fs::remove_file(&stamp).doing("removing a stale stamp")?;
        }
        fetch::once(&stamp, &format!("{}\n{text}", FLAGS.join(" ")), || {
            let cache = corpus.at("zig-cache");
            require(
                command(&python, &["-m", "ziglang", "cc"])
                    .args(FLAGS)
                    .arg(&source)
                    .arg("-o")
                    .arg(&wasm)
                    .env("ZIG_GLOBAL_CACHE_DIR", &cache)
                    .env("ZIG_LOCAL_CACHE_DIR", &cache),
            )
        })?;
        programs.push(Scalable { name, growth, runs, wasm });
    }
    programs.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(programs)
}

/// Compiles one of the programs for this processor, statically, if it is new or changed.
///
/// # Errors
/// It cannot be read or does not compile.
pub fn compile_native(corpus: &Corpus, name: &str) -> Outcome<PathBuf> {
    let python = fetch::all(corpus)?.python;
    let source = root().join("corpus/scalable").join(format!("{name}.c"));
    let text = fs::read_to_string(&source).doing(format_args!("reading {}", source.display()))?;
    let flags = [format!("--target={}-linux-musl", std::env::consts::ARCH), "-O2".to_owned(), "-static".to_owned()];
    fs::create_dir_all(corpus.at("scalable")).doing("creating the folder of scalable programs")?;
    let binary = corpus.at("scalable").join(name);
    let stamp = corpus.at("scalable").join(format!("{name}.native-stamp"));
    if !binary.exists() && stamp.exists() {
        fs::remove_file(&stamp).doing("removing a stale stamp")?;
    }
    fetch::once(&stamp, &format!("{}\n{text}", flags.join(" ")), || {
        let cache = corpus.at("zig-cache");
        require(
            command(&python, &["-m", "ziglang", "cc"])
                .args(&flags)
                .arg(&source)
                .arg("-o")
                .arg(&binary)
                .env("ZIG_GLOBAL_CACHE_DIR", &cache)
                .env("ZIG_LOCAL_CACHE_DIR", &cache),
        )
    })?;
    Ok(binary)
}

fn header(text: &str) -> Option<(String, Vec<String>)> {
    let (_, rest) = text.lines().next()?.split_once("Growth: ")?;
    let (growth, runs) = rest.split_once(". Runs: ")?;
    let (small, large) = runs.trim_end_matches('.').split_once(" > ")?;
    let runs: Vec<String> = small.split(' ').chain([large]).map(str::to_owned).collect();
    (runs.len() > 3).then(|| (growth.to_owned(), runs))
}
