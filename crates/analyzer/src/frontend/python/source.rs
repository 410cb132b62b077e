//! Python source bytes to a syntax tree, or to an error that shows where.

use std::borrow::Cow;

use ruff_python_ast::ModModule;
use ruff_python_parser::parse_module;

use super::nesting;
use crate::error::AnalyzeError;

/// Largest source that is parsed, in bytes: its tree takes some thirty times as much memory. A default; the largest file
/// of CPython's own library is below 1 MB.
const MAX_SOURCE_BYTES: usize = 64 << 20;

/// Stack that a level of a tree takes where it is made, walked or freed, and what a flat one takes. Measured: the
/// deepest texts that are let through need 5 KiB a level.
const STACK_PER_LEVEL: usize = 10 << 10;
const STACK_BYTES: usize = 512 << 10;

/// Longest part of a line that an error shows, in characters.
const MAX_SHOWN: usize = 120;

/// Does something with the tree of a source text, on a stack that is deep enough for it.
///
/// # Errors
/// [`AnalyzeError::Syntax`] or [`AnalyzeError::Limit`], and what `body` returns.
pub(super) fn with_tree<T>(
    text: &str,
    file: &str,
    body: impl FnOnce(&ModModule) -> Result<T, AnalyzeError>,
) -> Result<T, AnalyzeError> {
    let depth = nesting::check(text.as_bytes())?;
    let stack = STACK_BYTES + depth * STACK_PER_LEVEL;
    stacker::maybe_grow(stack, stack, || {
        let parsed = parse_module(text).map_err(|error| {
            let offset = usize::from(error.location.start());
            syntax(text, file, offset, &error.error.to_string())
        })?;
        body(parsed.syntax())
    })
}

/// The text of a source file: UTF-8 unless its first two lines name another encoding (PEP 263).
///
/// # Errors
/// [`AnalyzeError::Limit`] for a file too large, [`AnalyzeError::Syntax`] for bytes that are not of its encoding.
pub(super) fn decode<'a>(bytes: &'a [u8], file: &str) -> Result<Cow<'a, str>, AnalyzeError> {
    if bytes.len() > MAX_SOURCE_BYTES {
        return Err(AnalyzeError::Limit { what: "Python source", limit: MAX_SOURCE_BYTES as u64, offset: 0 });
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Cow::Borrowed(text)),
        // Syntax is ASCII in every encoding Python takes; what other bytes mean does not matter here.
        Err(_) if foreign_encoding(bytes) => Ok(bytes.iter().map(|&byte| char::from(byte)).collect()),
        Err(error) => {
            let valid = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            let message = format!("byte {:#04x} is not valid UTF-8", bytes[error.valid_up_to()]);
            Err(syntax(valid, file, valid.len(), &message))
        }
    }
}

/// Whether a comment in the first two lines names an encoding other than UTF-8.
fn foreign_encoding(bytes: &[u8]) -> bool {
    bytes.split(|&byte| byte == b'\n').take(2).any(|line| {
        let line = String::from_utf8_lossy(&line[..line.len().min(200)]).to_ascii_lowercase();
        let after = line.trim_start().starts_with('#').then(|| line.split_once("coding")).flatten();
        after.is_some_and(|(_, rest)| {
            let name = rest.trim_start_matches([':', '=']).trim_start();
            !name.is_empty() && !name.starts_with("utf-8") && !name.starts_with("utf8")
        })
    })
}

/// An error at a byte offset, with its line and a caret.
fn syntax(text: &str, file: &str, offset: usize, message: &str) -> AnalyzeError {
    let offset = (0..=offset.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    let before = &text[..offset];
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.bytes().filter(|&byte| byte == b'\n').count() as u64 + 1;
    let column = before[start..].chars().count();
    let shown = text[start..].lines().next().unwrap_or_default();
    // A long line is shown from shortly before the place.
    let skipped = column.saturating_sub(MAX_SHOWN / 2);
    let excerpt: String = shown.chars().skip(skipped).take(MAX_SHOWN).collect();
    AnalyzeError::Syntax {
        file: file.to_owned(),
        line,
        column: column as u64 + 1,
        message: message.to_owned(),
        excerpt: excerpt.replace('\t', " "),
        caret: column - skipped,
        offset: offset as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &[u8], place: (u64, u64), words: &str) {
        let outcome = decode(source, "f.py").and_then(|text| with_tree(&text, "f.py", |_| Ok(())));
        let Err(error @ AnalyzeError::Syntax { line, column, .. }) = outcome else { panic!("{outcome:?}") };
        assert_eq!((line, column), place, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }

    #[test]
    fn syntax_errors_show_line_and_caret() {
        check(b"x = 1\ndef f(x)\n    return x\n", (2, 9), "    2 | def f(x)\n      |         ^");
        check(b"x = (1,\n", (2, 1), "f.py:2:1: ");
        check("é = 'ü' +\n".as_bytes(), (1, 10), "    1 | é = 'ü' +\n      |          ^");
        check(b"ok = 1\nx = '\xff'\n", (2, 6), "0xff");
        check(format!("x = {}1 2", " ".repeat(500)).as_bytes(), (1, 507), "^");
    }

    #[test]
    fn encodings_are_told_by_their_comment() {
        for (source, ok) in [
            (&b"\xef\xbb\xbfx = 1\n"[..], true),
            (b"# -*- coding: latin-1 -*-\nx = '\xff'\n", true),
            (b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\nx = '\xff'\n", true),
            (b"# coding: utf-8\nx = '\xff'\n", false),
        ] {
            assert_eq!(decode(source, "f.py").is_ok(), ok, "{source:?}");
        }
    }

    #[test]
    fn the_deepest_text_allowed_is_parsed_walked_and_freed() {
        for text in [
            format!("x = {}1", "1+".repeat(5900)),
            format!("x = {}1", "-".repeat(5900)),
            format!("x = {}1", "not ".repeat(5900)),
            format!("x = {}1", "lambda:".repeat(2900)),
            format!("x = {}1", "a if b else ".repeat(1400)),
            format!("x = a{}", ".b".repeat(5900)),
            format!("x = {}1{}", "(-".repeat(190), ")".repeat(190)),
        ] {
            let depth = with_tree(&text, "f.py", |tree| Ok(format!("{tree:?}").len()));
            assert!(depth.is_ok_and(|length| length > 5000), "{}", &text[..20]);
        }
    }
}
