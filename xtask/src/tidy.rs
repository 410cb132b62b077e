//! `cargo xtask tidy`: the checks that no compiler makes. Crate floors are in `floors`, checks of file contents in `text`,
//! the blanking of comments and strings they rest on in `source`, listed dependencies in `dependencies`. CI calls it.

mod dependencies;
mod floors;
mod source;
mod text;

use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::process::{Outcome, While, cargo, command, failure, output_of, root};

/// One thing that is wrong, or about to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where: a file, with a line where there is one, or a crate.
    pub place: String,
    /// What is wrong and what to do.
    pub message: String,
    /// Whether it fails the check.
    pub fails: bool,
}

impl Finding {
    fn error(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into(), fails: true }
    }

    fn warning(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { fails: false, ..Self::error(place, message) }
    }
}

/// A package of the workspace, as `cargo metadata` describes it.
#[derive(Debug, Deserialize)]
pub struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

/// One dependency of a package; `kind` is `None` for normal ones, `source` for those of the workspace.
#[derive(Debug, Deserialize)]
pub struct Dependency {
    name: String,
    kind: Option<String>,
    source: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

/// Runs all checks on the working tree and prints what they find.
///
/// # Errors
/// Something was found, or the tree cannot be read.
pub fn run() -> Outcome {
    let architecture = fs::read_to_string(root().join("ARCHITECTURE.md")).doing("reading ARCHITECTURE.md")?;
    let metadata = output_of(&mut cargo(&["metadata", "--no-deps", "--format-version", "1", "--offline"]))
        .or_else(|_| output_of(&mut cargo(&["metadata", "--no-deps", "--format-version", "1"])))?;
    let packages = serde_json::from_str::<Metadata>(&metadata).doing("reading cargo's metadata")?.packages;
    let mut findings = floors::check(&architecture, &packages);
    findings.extend(dependencies::check(&architecture, &packages));
    let files = tracked()?;
    for path in &files {
        let Ok(bytes) = fs::read(root().join(path)) else { continue };
        // A NUL byte is how git, too, tells a binary file.
        if let (false, Ok(content)) = (bytes.contains(&0), String::from_utf8(bytes)) {
            findings.extend(text::check(path, &content));
        }
    }
    for Finding { place, message, fails } in &findings {
        println!("{}: {place}: {message}", if *fails { "error" } else { "warning" });
    }
    let errors = findings.iter().filter(|finding| finding.fails).count();
    println!("tidy: {} files, {errors} errors, {} warnings", files.len(), findings.len() - errors);
    if errors == 0 { Ok(()) } else { Err(failure(format!("tidy found {errors} errors"))) }
}

/// Every file that git tracks or would add.
fn tracked() -> Outcome<Vec<String>> {
    let listed = output_of(&mut command("git", &["ls-files", "-z", "--cached", "--others", "--exclude-standard"]))?;
    let mut files: Vec<String> = listed.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect();
    files.sort();
    files.dedup();
    files.retain(|path| root().join(Path::new(path)).is_file());
    if files.is_empty() { Err(failure("git lists no file: tidy checks a checkout")) } else { Ok(files) }
}
