//! What kind of file the bytes are, told from their beginning alone, and text turned into binary.

use std::borrow::Cow;

use forewarm_types::CodeKind;

use crate::error::AnalyzeError;

/// The first four bytes of every WebAssembly binary.
const MAGIC: [u8; 4] = *b"\0asm";

/// Longest text that is translated, in bytes: text is a form for people, and its parser holds many times its size.
const MAX_TEXT_BYTES: usize = 256 << 20;

/// The first four bytes of every ELF file.
const ELF: &[u8] = b"\x7fELF";

/// Beginnings of other formats, with their names.
const FORMATS: [(&[u8], &str); 16] = [
    (b"\x7fELF", "an ELF program or library"),
    (b"MZ", "a Windows program"),
    (b"\xcf\xfa\xed\xfe", "a Mach-O program"),
    (b"\xca\xfe\xba\xbe", "a Mach-O universal binary or Java class"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "gzip-compressed data"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed data"),
    (b"\xfd7zXZ", "xz-compressed data"),
    (b"BZh", "bzip2-compressed data"),
    (b"!<arch>", "an ar archive of object files"),
    (b"BC\xc0\xde", "LLVM bitcode"),
    (b"#!", "a script"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG image"),
    (b"<!DOCTYPE", "an HTML page"),
    (b"<html", "an HTML page"),
];

/// Tells a module from a component.
///
/// Looks at the first kilobytes at most, so that a large file of something else is rejected at once.
///
/// # Errors
/// [`AnalyzeError::Empty`], [`AnalyzeError::NotWasm`], [`AnalyzeError::TruncatedHeader`] or
/// [`AnalyzeError::UnknownVersion`].
pub fn kind(bytes: &[u8]) -> Result<CodeKind, AnalyzeError> {
    if bytes.is_empty() {
        return Err(AnalyzeError::Empty);
    }
    if bytes.starts_with(ELF) && !is_engine_code(bytes) {
        return Ok(CodeKind::Elf);
    }
    let head = &bytes[..bytes.len().min(4)];
    if !MAGIC.starts_with(head) || (bytes.len() < 4 && bytes.iter().all(|&byte| byte == 0)) {
        return Err(AnalyzeError::NotWasm { found: describe(bytes) });
    }
    let Some(version) = bytes.get(4..8) else {
        return Err(AnalyzeError::TruncatedHeader { size: bytes.len() as u64 });
    };
    match version {
        [1, 0, 0, 0] => Ok(CodeKind::WasmModule),
        [0x0d, 0, 1, 0] => Ok(CodeKind::WasmComponent),
        other => {
            Err(AnalyzeError::UnknownVersion { version: u32::from_le_bytes([other[0], other[1], other[2], other[3]]) })
        }
    }
}

/// Whether a file is Python source: by its name, or by a first line that names a Python interpreter.
#[must_use]
pub fn is_python(file_name: &str, bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(4096)];
    if head.starts_with(&MAGIC) || head.starts_with(b"\x7fELF") || (head.contains(&0) && !head.starts_with(b"#!")) {
        return false;
    }
    let line = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let named = line.starts_with(b"#!") && line.windows(6).any(|word| word == b"python");
    named || file_name.ends_with(".py") || file_name.ends_with(".pyw")
}

/// Translates text to binary; passes anything else through for [`kind`] to judge.
///
/// Text is what begins, after white space and comments, with an open parenthesis.
///
/// # Errors
/// [`AnalyzeError::Text`] where the text does not parse.
pub fn binary(bytes: &[u8]) -> Result<Cow<'_, [u8]>, AnalyzeError> {
    if bytes.starts_with(&MAGIC) || !is_text(bytes) {
        return Ok(Cow::Borrowed(bytes));
    }
    if bytes.len() > MAX_TEXT_BYTES {
        return Err(AnalyzeError::Limit { what: "WebAssembly text", limit: MAX_TEXT_BYTES as u64, offset: 0 });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| AnalyzeError::Text {
        message: "not valid UTF-8".to_owned(),
        offset: Some(error.valid_up_to() as u64),
    })?;
    wat::parse_str(text).map(Cow::Owned).map_err(|error| {
        let message = error.to_string();
        let offset = text_offset(text, &message);
        AnalyzeError::Text { message, offset }
    })
}

/// Whether the first thing in the bytes, after white space and comments, is an open parenthesis.
fn is_text(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    loop {
        rest = rest.trim_ascii_start();
        if rest.starts_with(b";;") {
            let Some(end) = rest.iter().position(|&byte| byte == b'\n') else { return false };
            rest = &rest[end..];
        } else if rest.starts_with(b"(;") {
            let Some(after) = skip_block_comment(rest) else { return false };
            rest = after;
        } else {
            return rest.first() == Some(&b'(');
        }
    }
}

/// What follows a block comment, which may hold others.
fn skip_block_comment(bytes: &[u8]) -> Option<&[u8]> {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(pair) = bytes.get(at..at + 2) {
        match pair {
            b"(;" => (depth, at) = (depth + 1, at + 2),
            b";)" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return bytes.get(at..);
        }
    }
    None
}

/// The byte offset of the `line:column` that the text parser's message names.
fn text_offset(text: &str, message: &str) -> Option<u64> {
    let place = message.lines().find_map(|line| line.split_once("-->"))?.1.trim();
    let mut parts = place.rsplit(':');
    let column: usize = parts.next()?.parse().ok()?;
    let line: usize = parts.next()?.parse().ok()?;
    let start: usize = text.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    Some((start + column.saturating_sub(1)) as u64)
}

/// Whether an ELF file holds what an engine compiled, which is no program.
fn is_engine_code(bytes: &[u8]) -> bool {
    bytes.starts_with(ELF) && memchr::memmem::find(&bytes[..bytes.len().min(4096)], b"wasmtime").is_some()
}

/// What bytes that are not WebAssembly seem to be.
fn describe(bytes: &[u8]) -> String {
    if let Some((_, name)) = FORMATS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        if is_engine_code(bytes) {
            return "precompiled wasmtime code".to_owned();
        }
        if *name == "a script" && bytes[..bytes.len().min(80)].windows(6).any(|w| w == b"python") {
            return "a Python script".to_owned();
        }
        return format!("it looks like {name}");
    }
    let head = &bytes[..bytes.len().min(4096)];
    if head.iter().all(|&byte| byte == 0) {
        return "it begins with zeros".to_owned();
    }
    let printable = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace() || *byte >= 0x80;
    if head.iter().all(printable) && std::str::from_utf8(&head[..head.len().min(1024).saturating_sub(4)]).is_ok() {
        let text = String::from_utf8_lossy(head);
        let python = ["import ", "from ", "def ", "print("];
        if text.lines().any(|line| python.iter().any(|word| line.starts_with(word))) {
            return "it looks like Python source".to_owned();
        }
        return "it looks like text".to_owned();
    }
    let shown: Vec<String> = bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("it begins with {}", shown.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: &str) {
        let found = match kind(bytes) {
            Ok(kind) => kind.to_string(),
            Err(error) => {
                assert!(error.hint().is_some());
                error.to_string()
            }
        };
        assert!(found.contains(expected), "{found:?} lacks {expected:?}");
    }

    #[test]
    fn kinds_are_told_by_the_first_bytes() {
        check(b"\0asm\x01\0\0\0", "wasm-module");
        check(b"\0asm\x0d\0\x01\0", "wasm-component");
        check(b"", "empty");
        check(b"\0asm\x01", "truncated: 5 bytes");
        check(b"\0as", "truncated: 3 bytes");
        check(b"\0asm\x02\0\0\0", "version 0x2");
        check(&vec![0; 100 << 20], "zeros");
        check(b"\0\0", "zeros");
        check(b"\x7fELF\x02\x01", "elf");
        check(b"PK\x03\x04", "zip");
        check(b"\x1f\x8b\x08", "gzip");
        check(b"#!/usr/bin/env python3\n", "Python script");
        check(b"import sys\nprint(1)\n", "Python source");
        check(b"hello", "text");
        check(b"\xff\x01\x02\x03\x04", "ff 01 02 03");
    }

    #[test]
    fn text_is_translated_whatever_precedes_it() {
        for text in ["(module)", " \n(module)", ";; c\n(module)", "(; a (; b ;) c ;)\n;; d\n (module)"] {
            assert_eq!(kind(&binary(text.as_bytes()).unwrap()), Ok(CodeKind::WasmModule), "{text}");
        }
        assert_eq!(binary(b";; only a comment").unwrap(), &b";; only a comment"[..]);
    }

    #[test]
    fn errors_in_text_say_where() {
        let error = binary(b"(module\n  (func (bogus)))").unwrap_err();
        assert_eq!(error.offset(), Some(17), "{error}");
    }
}
