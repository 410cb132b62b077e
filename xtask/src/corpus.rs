//! `cargo xtask corpus`: brings `target/corpus` to its full state and describes it in `manifest.json`. What is fetched
//! is in `fetch` and `native`, what is compiled in `programs`, generated inputs in `inputs`, malformed files in `bad`, the list of
//! runnable cases in `cases`. Tests, benches and CI call it first.

mod bad;
pub mod cases;
mod fetch;
mod graphviz;
pub mod inputs;
pub mod kernels;
mod native;
mod programs;
pub mod scalable;

use std::fs;
use std::path::{Path, PathBuf};

use crate::process::{Outcome, While, target};

/// Where things lie in the corpus.
#[derive(Debug, Clone)]
pub struct Corpus {
    root: PathBuf,
}

impl Corpus {
    fn new() -> Self {
        Self { root: target().join("corpus") }
    }

    /// The corpus with its folders made, and nothing in them yet.
    ///
    /// # Errors
    /// A folder cannot be made.
    pub fn open() -> Outcome<Self> {
        let corpus = Self::new();
        for folder in ["wasm", "inputs", "bad", "bin", "crypto"] {
            fs::create_dir_all(corpus.at(folder)).doing("creating the corpus's folders")?;
        }
        Ok(corpus)
    }

    /// A path below the corpus's folder.
    pub fn at(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// The wasm file of a program.
    pub fn wasm(&self, name: &str) -> PathBuf {
        self.at("wasm").join(format!("{name}.wasm"))
    }

    /// A generated input file.
    pub fn input(&self, name: &str) -> PathBuf {
        self.at("inputs").join(name)
    }

    /// The peer's binary.
    pub fn wasmtime(&self) -> PathBuf {
        self.at("bin/wasmtime")
    }
}

/// Brings the corpus to its full state and returns its cases; work already done is not repeated.
///
/// # Errors
/// A package cannot be fetched, a program not compiled, a file not written.
pub fn prepare() -> Outcome<(Corpus, Vec<cases::Case>)> {
    let corpus = Corpus::open()?;
    let fetched = fetch::all(&corpus)?;
    fetch::install(&corpus, &fetched)?;
    native::all(&corpus, &fetched.python)?;
    programs::compile_all(&corpus, &fetched.python)?;
    kernels::compile_all(&corpus, kernels::Extent::Usual, &|name| kernels::GUARDS.contains(&name))?;
    inputs::write_all(&corpus)?;
    bad::write_all(&corpus)?;
    let cases = cases::all(&corpus);
    let manifest = serde_json::to_vec_pretty(&cases).doing("describing the corpus")?;
    write_if_new(&corpus.at("manifest.json"), &manifest)?;
    println!("corpus: {} cases in {}", cases.len(), corpus.at("manifest.json").display());
    Ok((corpus, cases))
}

/// Writes a file unless it already holds these bytes, so that unchanged files keep their time stamps.
fn write_if_new(path: &Path, bytes: &[u8]) -> Outcome {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    fs::write(path, bytes).doing(format_args!("writing {}", path.display()))
}
