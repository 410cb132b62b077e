//! What lies around a program: the questions that front ends ask about installed code, answered by whoever may do I/O.
//!
//! The analyzer stays pure: it calls these methods and reads no file itself. [`Nothing`] knows nothing, for bytes
//! without surroundings.

use std::sync::Arc;

use forewarm_types::Bytes;
use forewarm_types::python::{ImportOrigin, Interpreter};

/// A module that a name leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleFile {
    /// Its file; empty for what the interpreter holds itself.
    pub path: String,
    /// Where it is from.
    pub origin: ImportOrigin,
    /// What it is.
    pub form: ModuleForm,
    /// Whether it is a package, so that relative names in it start from itself.
    pub package: bool,
    /// The distribution it belongs to, by name.
    pub distribution: Option<Arc<str>>,
}

/// The form of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModuleForm {
    /// Source text.
    Source,
    /// A shared library.
    Extension,
    /// Part of the interpreter, or a folder without code.
    Empty,
}

/// What importing one module costs by itself, without what it imports in turn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ModuleCost {
    /// CPU seconds, files in the page cache.
    pub seconds: f64,
    /// Variance of the seconds from run to run, in square seconds, which all modules of a run share; 0 where it was not
    /// measured.
    pub variance: f64,
    /// Resident bytes it adds; `None` where that was not measured.
    pub bytes: Option<f64>,
    /// Measurements behind it.
    pub samples: u64,
    /// Whether the interpreter loads it at its start in any case.
    pub startup: bool,
}

/// A shared library that an extension module needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SharedLibrary {
    /// File name.
    pub name: String,
    /// Size, where the file was found.
    pub bytes: Option<Bytes>,
    /// Whether a distribution brings it along.
    pub bundled: bool,
}

/// Answers about a machine, as far as a program could see it.
pub trait Environment {
    /// The Python interpreter in whose installation names are looked up.
    fn interpreter(&self) -> Option<Interpreter> {
        None
    }

    /// What an absolute module name leads to, files beside the program first.
    fn find(&self, _module: &str) -> Option<ModuleFile> {
        None
    }

    /// The bytes of a file that [`Self::find`] named.
    fn read(&self, _path: &str) -> Option<Arc<[u8]>> {
        None
    }

    /// The version of an installed distribution.
    fn version(&self, _distribution: &str) -> Option<String> {
        None
    }

    /// What importing a module costs, where it was measured with this interpreter and this version of its distribution.
    fn cost(&self, _module: &str, _file: &ModuleFile) -> Option<ModuleCost> {
        None
    }

    /// Modules that were loaded while a module was imported, where that was measured: what its code imports through
    /// functions, on conditions, or for the attributes of a package.
    fn loaded_by(&self, _module: &str) -> Vec<String> {
        Vec::new()
    }

    /// The shared libraries that a file needs, and those that these need.
    fn shared_libraries(&self, _path: &str) -> Vec<SharedLibrary> {
        Vec::new()
    }

    /// Size of a file.
    fn size(&self, _path: &str) -> Option<Bytes> {
        None
    }
}

/// No surroundings.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nothing;

impl Environment for Nothing {}
