//! Compiles `corpus/*.c` to WASI preview 1 with zig, each once per content and flags. Called by `corpus`.

use std::fs;
use std::path::Path;

use super::Corpus;
use super::fetch::once;
use crate::process::{Outcome, While, command, failure, require, root};

/// How every program is compiled: as a user would ship it.
const FLAGS: [&str; 6] = ["-target", "wasm32-wasi", "-O2", "-s", "-Wall", "-Wextra"];

/// Programs built more than once: name, source, further flags.
const VARIANTS: [(&str, &str, &str); 3] =
    [("matmul-64", "matmul", "-DN=64"), ("matmul-256", "matmul", "-DN=256"), ("matmul-1024", "matmul", "-DN=1024")];

/// Compiles what is new or changed.
///
/// # Errors
/// A source cannot be read or does not compile.
pub fn compile_all(corpus: &Corpus, python: &Path) -> Outcome {
    let folder = root().join("corpus");
    let mut sources = Vec::new();
    for entry in fs::read_dir(&folder).doing(format_args!("reading {}", folder.display()))? {
        let path = entry.doing("reading the corpus folder")?.path();
        if path.extension().is_some_and(|extension| extension == "c") {
            sources.push(path);
        }
    }
    sources.sort();
    for source in &sources {
        let stem = source.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let variants: Vec<_> = VARIANTS.iter().filter(|(_, of, _)| *of == stem).collect();
        if variants.is_empty() {
            compile(corpus, python, source, &stem.replace('_', "-"), None)?;
        }
        for (name, _, flag) in variants {
            compile(corpus, python, source, name, Some(flag))?;
        }
    }
    if sources.is_empty() { Err(failure("the corpus folder holds no C program")) } else { Ok(()) }
}

fn compile(corpus: &Corpus, python: &Path, source: &Path, name: &str, flag: Option<&str>) -> Outcome {
    let text = fs::read_to_string(source).doing(format_args!("reading {}", source.display()))?;
    let output = corpus.wasm(name);
    let key = format!("{} {}\n{text}", FLAGS.join(" "), flag.unwrap_or_default());
    let stamp = corpus.at("wasm").join(format!("{name}.stamp"));
    if !output.exists() {
        // A stamp without its output is a build that was cut short.
        fs::remove_file(&stamp)
            .or_else(|error| if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
            .doing("removing a stale stamp")?;
    }
    once(&stamp, &key, || {
        println!("corpus: compiling {name}");
        let cache = corpus.at("zig-cache");
        require(
            command(python, &["-m", "ziglang", "cc"])
                .args(FLAGS)
                .args(flag)
                .arg(source)
                .arg("-o")
                .arg(&output)
                .env("ZIG_GLOBAL_CACHE_DIR", &cache)
                .env("ZIG_LOCAL_CACHE_DIR", &cache),
        )
    })
}
