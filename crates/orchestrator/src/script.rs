//! Scripts of other interpreters than Python: executed by the system, which starts the interpreter that their first line
//! names (execve(2), "Interpreter scripts"), and known by that.
//!
//! Called where a program is looked at before it runs. What such a script does is not analysed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use forewarm_analyzer::Depth;
use forewarm_types::{Analysis, Bytes, CodeKind, Digest};

use crate::consider::invalid;
use crate::error::Error;
use crate::program::{Program, digest_of};

/// As much of a first line as the system reads (`BINPRM_BUF_SIZE`: Linux include/uapi/linux/binfmts.h).
pub(crate) const LINE: usize = 256;

/// How many scripts the system goes through until it comes to an interpreter that is none (execve(2)).
const NESTED: usize = 4;

/// The interpreter that a script's first line names: a path, or a name that `env` looks for on the path.
pub(crate) fn interpreter(script: &[u8]) -> Option<PathBuf> {
    let head = script.get(..script.len().min(LINE))?;
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
    let path = Path::new(words.next()?);
    if path.file_name()? != "env" {
        return path.exists().then(|| path.to_owned());
    }
    let name = words.find(|word| !word.starts_with('-') && !word.contains('='))?;
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|found| found.is_file())
}

/// What is known of a script: its interpreter, and that nothing is known of how much that has to do.
pub(crate) fn analyze(
    program: &mut Program,
    script: &[u8],
    interpreter: &Path,
    depth: Depth,
) -> Result<Analysis, Error> {
    let unreadable = |path: &Path, cause: std::io::Error| Error::Invalid {
        file: program.path().to_owned(),
        cause: format!("its interpreter {}: {cause}", path.display()),
        hint: None,
    };
    let mut path = interpreter.to_owned();
    let mut bytes = std::fs::read(&path).map_err(|cause| unreadable(&path, cause))?;
    for _ in 0..NESTED {
        let Some(next) = self::interpreter(&bytes) else { break };
        bytes = std::fs::read(&next).map_err(|cause| unreadable(&next, cause))?;
        path = next;
    }
    let size = Bytes(script.len() as u64);
    let analysis = forewarm_analyzer::analyze(&bytes, Digest([0; 32]), size, depth);
    let mut analysis = analysis.map_err(|error| invalid(program, &error))?;
    (analysis.code.digest, analysis.code.kind, analysis.code.size_bytes) = (digest_of(script), CodeKind::Elf, size);
    analysis.profile.ops.total = None;
    analysis.warnings.push(format!("a script for {}, of which alone this tells", path.display()));
    program.identify(analysis.code.digest, CodeKind::Elf, Arc::new(bytes));
    Ok(analysis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_line_names_its_interpreter() {
        let check = |line: &str, expected: Option<&str>| {
            let found = interpreter(format!("{line}\nprint(1)\n").as_bytes());
            assert_eq!(found.as_ref().and_then(|path| path.file_name()?.to_str()), expected, "{line}");
        };
        check("#!/bin/sh -e", Some("sh"));
        check("#!/usr/bin/env -S sh -e", Some("sh"));
        check("#!/no/such/python3", None);
        check("import os", None);
        assert!(interpreter(b"#!").is_none() && interpreter(b"").is_none());
    }
}
