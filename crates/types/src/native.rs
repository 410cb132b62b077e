//! What a native program needs beyond the demand of any code: its machine and linkage, the shared libraries it loads,
//! the language it was written in, the libraries whose functions it calls.
//!
//! Part of the analyzer's output: the `native` object of `forewarm analyze --format json`.

use serde::{Deserialize, Serialize};

use crate::units::Bytes;

/// What an ELF file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NativeKind {
    /// Something that can be started.
    Program,
    /// A shared library.
    Library,
    /// What a compiler made, before linking.
    Object,
    /// Anything else, such as a memory dump.
    Other,
}

/// How a program comes by its libraries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Linkage {
    /// Everything lies in the file.
    Static,
    /// Libraries are loaded when it starts.
    Dynamic,
}

/// A group of libraries with one purpose, recognised by the functions that the code calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kit {
    /// `BLAS`, `OpenMP`, `CUDA`, …
    pub name: String,
    /// Some of the functions.
    pub via: Vec<String>,
}

/// A shared library that is loaded with the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NativeLibrary {
    /// The name under which it is asked for.
    pub name: String,
    /// Where it was found.
    pub path: String,
    /// Who asks for it first: the program, or a library by name.
    pub needed_by: String,
    /// Size of the file.
    pub size_bytes: Bytes,
}

/// What is known of a native program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NativeDemand {
    /// What the file is.
    pub kind: NativeKind,
    /// The machine it is for: `x86-64`, `aarch64`, …
    pub machine: String,
    /// Width of its addresses.
    pub address_bits: u32,
    /// Whether its code was decoded: of other machines than x86-64 only the headers, symbols and libraries are read.
    pub decoded: bool,
    /// What `ops` counts: `machine instruction`, those of shared libraries apart.
    pub unit: String,
    /// How it comes by its libraries.
    pub linkage: Linkage,
    /// Whether it can be loaded anywhere.
    pub position_independent: bool,
    /// The dynamic linker it names.
    pub interpreter: Option<String>,
    /// Whether the names of its own functions are gone.
    pub stripped: bool,
    /// Languages and packagings recognised: `Go`, `Rust`, `C++`, `Java launcher`, `PyInstaller`, `Lambda runtime`.
    pub runtimes: Vec<String>,
    /// What the functions it calls are for.
    pub kits: Vec<Kit>,
    /// Libraries that the file itself names.
    pub needed: Vec<String>,
    /// Those and what they need in turn, in the order in which they are loaded, as found on this machine.
    #[serde(default)]
    pub libraries: Vec<NativeLibrary>,
    /// Libraries that were not found on this machine.
    #[serde(default)]
    pub missing: Vec<String>,
}
