//! Why a piece of code could not be analysed.

/// What stood in the way of an analysis.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnalyzeError {
    /// The file holds nothing.
    #[error("the file is empty")]
    Empty,
    /// The file is something else; `found` says what, where its first bytes tell.
    #[error("not WebAssembly: {found}")]
    NotWasm {
        /// What it seems to be.
        found: String,
    },
    /// The file begins as WebAssembly and ends within its eight-byte header.
    #[error("truncated: {size} bytes of an 8-byte WebAssembly header")]
    TruncatedHeader {
        /// How many bytes there are.
        size: u64,
    },
    /// A header whose version is neither that of a module nor that of a component.
    #[error("unknown WebAssembly version {version:#x}")]
    UnknownVersion {
        /// The version word.
        version: u32,
    },
    /// WebAssembly text that does not parse.
    #[error("invalid WebAssembly text: {message}")]
    Text {
        /// What is wrong and where, over several lines.
        message: String,
        /// Byte offset in the text.
        offset: Option<u64>,
    },
    /// A binary that breaks the format or does not validate.
    #[error("invalid WebAssembly: {message} (at offset {offset:#x})")]
    Invalid {
        /// What is wrong.
        message: String,
        /// Byte offset in the binary.
        offset: u64,
        /// Whether the file ends before what it announces.
        truncated: bool,
    },
    /// A native program whose headers cannot be read.
    #[error("invalid ELF file: {message}")]
    Elf {
        /// What is wrong.
        message: String,
        /// Whether the file ends before what it announces.
        truncated: bool,
    },
    /// Python source that does not parse.
    #[error("{file}:{line}:{column}: {message}\n{line:>5} | {excerpt}\n      | {:caret$}^", "", caret = caret)]
    Syntax {
        /// The file's name as it was given.
        file: String,
        /// Line, from 1.
        line: u64,
        /// Column in characters, from 1.
        column: u64,
        /// What is wrong.
        message: String,
        /// The line, or the part of it around the place.
        excerpt: String,
        /// Characters of the excerpt before the place.
        caret: usize,
        /// Byte offset in the text.
        offset: u64,
    },
    /// Python source without the function that was to be called.
    #[error("there is no function for the handler {handler:?}")]
    NoHandler {
        /// What was asked for.
        handler: String,
        /// Functions there are.
        found: Vec<String>,
    },
    /// Something beyond a limit that WebAssembly engines share.
    #[error("{what} exceeds the limit of {limit} (at offset {offset:#x})")]
    Limit {
        /// What is too large.
        what: &'static str,
        /// The limit.
        limit: u64,
        /// Byte offset in the binary.
        offset: u64,
    },
}

impl AnalyzeError {
    /// Byte offset in the file where the trouble lies, where it lies at one place.
    #[must_use]
    pub fn offset(&self) -> Option<u64> {
        match self {
            Self::Invalid { offset, .. } | Self::Limit { offset, .. } | Self::Syntax { offset, .. } => Some(*offset),
            Self::Text { offset, .. } => *offset,
            Self::TruncatedHeader { size } => Some(*size),
            Self::Empty
            | Self::NotWasm { .. }
            | Self::UnknownVersion { .. }
            | Self::Elf { .. }
            | Self::NoHandler { .. } => None,
        }
    }

    /// What the user can do about it, in words.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Empty => "check that the build or the download that made it succeeded",
            Self::NotWasm { found }
                if found.contains("ELF") || found.contains("Windows") || found.contains("Mach-O") =>
            {
                "native programs are not taken; build for WebAssembly, as with --target wasm32-wasip1"
            }
            Self::NotWasm { found } if found.contains("archive") || found.contains("compressed") => {
                "unpack it and give the .wasm file inside"
            }
            Self::NotWasm { found } if found.contains("precompiled") => "give the .wasm file it was compiled from",
            Self::NotWasm { .. } => {
                "a .wasm file begins with the bytes 00 61 73 6d; a .wat text with an open parenthesis"
            }
            Self::TruncatedHeader { .. }
            | Self::Invalid { truncated: true, .. }
            | Self::Elf { truncated: true, .. } => "the file is cut short; build or download it again",
            Self::Elf { .. } => "the file is damaged, or not what its first bytes say",
            Self::UnknownVersion { .. } => "modules of version 1 and components of version 0xd are taken",
            Self::Text { .. } => "correct the text, or give the .wasm binary",
            Self::Invalid { .. } => {
                "the compiler that made it may use a proposal that is off here, or the file is damaged"
            }
            Self::Syntax { .. } => "Python would refuse it as well; correct the line",
            Self::NoHandler { found, .. } if found.is_empty() => "the file defines no functions",
            Self::NoHandler { found, .. } => {
                let named: Vec<&str> = found.iter().take(5).map(String::as_str).collect();
                return Some(format!("there is {}", named.join(", ")));
            }
            Self::Limit { what, .. } if what.contains("Python") => {
                "CPython's own parser has such limits; split the expression"
            }
            Self::Limit { .. } => "WebAssembly engines reject such a module as well; split the function",
        };
        Some(hint.to_owned())
    }
}

impl From<wasmparser::BinaryReaderError> for AnalyzeError {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        let message = error.message().to_owned();
        let truncated = message.contains("unexpected end") || message.contains("unexpected-eof");
        Self::Invalid { message, offset: error.offset() as u64, truncated }
    }
}
