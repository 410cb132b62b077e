//! What can be held: a program of one of the kinds, and the rungs of their warm ladders.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::native::NativeProgram;
use crate::python::PythonProgram;
use crate::wasm::WasmProgram;

/// A state of a program between runs; of each kind of program, coldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rung {
    /// What a native or Python program reads of its files is in the page cache: the lowest rung, which nobody holds.
    PageCache,
    /// A zygote: the interpreter, started.
    Interpreter,
    /// The zygote has imported what the program begins by importing.
    Imports,
    /// The zygote has imported the handler's module.
    Module,
    /// A process forked from the highest of these waits for its run.
    Worker,
    /// A stand has mapped the artifact of a WebAssembly program.
    Mapped,
    /// It has resolved the program's imports as well.
    Linked,
    /// A process forked from it waits for its run with an instance.
    Instance,
    /// A process stands behind the walls of a native program and waits to execute it.
    Spawned,
    /// A native program has been initialised and waits for its next event.
    Waiting,
}

impl Rung {
    /// The ladder of a Python program, rising.
    pub const PYTHON: [Self; 4] = [Self::Interpreter, Self::Imports, Self::Module, Self::Worker];

    /// The ladder of a WebAssembly program, rising.
    pub const WASM: [Self; 3] = [Self::Mapped, Self::Linked, Self::Instance];

    /// The ladder of a native program, rising; the highest is of those that serve events.
    pub const NATIVE: [Self; 2] = [Self::Spawned, Self::Waiting];

    /// Every rung.
    pub const ALL: [Self; 10] = [
        Self::PageCache,
        Self::Interpreter,
        Self::Imports,
        Self::Module,
        Self::Worker,
        Self::Mapped,
        Self::Linked,
        Self::Instance,
        Self::Spawned,
        Self::Waiting,
    ];

    /// The rung's key in JSON, on the command line and in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Interpreter => "interpreter",
            Self::Imports => "imports",
            Self::Module => "module",
            Self::Worker => "worker",
            Self::Mapped => "mapped",
            Self::Linked => "linked",
            Self::Instance => "instance",
            Self::PageCache => "page-cache",
            Self::Spawned => "spawned",
            Self::Waiting => "waiting",
        }
    }

    /// The rung of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rung| rung.name() == name)
    }
}

/// What is held, or asked for: one per code, environment and flags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Program {
    /// A Python script or handler.
    Python(PythonProgram),
    /// A WebAssembly module or component.
    Wasm(WasmProgram),
    /// A native program.
    Native(NativeProgram),
}

impl Program {
    /// Its file, absolute.
    #[must_use]
    pub fn file(&self) -> &Path {
        match self {
            Self::Python(program) => &program.file,
            Self::Wasm(program) => &program.file,
            Self::Native(program) => &program.file,
        }
    }

    /// The rungs it can be held on, rising.
    #[must_use]
    pub fn ladder(&self) -> &'static [Rung] {
        match self {
            Self::Python(_) => &Rung::PYTHON,
            Self::Wasm(_) => &Rung::WASM,
            Self::Native(_) => &Rung::NATIVE,
        }
    }

    /// Why what is held for this program cannot serve a run of another; `None` where it can.
    #[must_use]
    pub fn differs(&self, wanted: &Self) -> Option<String> {
        match (self, wanted) {
            (Self::Python(held), Self::Python(wanted)) => held.differs(wanted),
            (Self::Wasm(held), Self::Wasm(wanted)) => held.differs(wanted),
            (Self::Native(held), Self::Native(wanted)) => held.differs(wanted),
            _ => Some(nothing()),
        }
    }
}

/// What is said where nothing is held of a program at all.
pub(crate) fn nothing() -> String {
    "nothing is warm for this program".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rungs_are_named() {
        assert!(Rung::ALL.iter().all(|rung| Rung::named(rung.name()) == Some(*rung)));
        assert_eq!(Rung::named("roof"), None);
    }
}
