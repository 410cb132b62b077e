//! What a Python program needs beyond the demand of any code: imports and what they resolve to, the cost of getting
//! ready apart from the cost of a call, libraries and what they do with the interpreter's lock.
//!
//! Part of the analyzer's output: the `python` object of `forewarm analyze --format json`.

use serde::{Deserialize, Serialize};

use crate::estimate::Estimate;
use crate::units::Bytes;

/// What is known of a Python program.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PythonDemand {
    /// The interpreter whose installed packages the imports were resolved in; `None` where none was found.
    pub interpreter: Option<Interpreter>,
    /// What happens once, before the first call: the module's own statements and everything they import.
    pub init: Phase,
    /// What one call of the handler does; `None` for a script, whose run is its init.
    pub handler: Option<Handler>,
    /// Import statements and calls, in the order of the source.
    pub imports: Vec<Import>,
    /// Installed distributions that the imports lead to, by name.
    pub distributions: Vec<Distribution>,
    /// Use of libraries that do something other than interpret: where, and whether they hold the interpreter's lock.
    pub uses: Vec<LibraryUse>,
    /// Memory sizes given to other programs in arguments or the environment.
    pub memory_flags: Vec<MemoryFlag>,
}

/// A Python interpreter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interpreter {
    /// Its executable.
    pub path: String,
    /// `3.11` or `3.11.4`, as far as it could be told without running it.
    pub version: String,
    /// Folders in which modules are looked for, in order.
    pub search_path: Vec<String>,
}

/// The cost of one phase of a program's life.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Phase {
    /// Bytecode operations interpreted in the program's own code; imported libraries are not in it.
    pub ops: Option<Estimate>,
    /// Distinct modules imported, those of the libraries included.
    pub modules: u64,
    /// Those of them whose cost was measured.
    pub modules_measured: u64,
    /// Whether looking for them was cut short.
    pub modules_cut: bool,
    /// Time to import all of them once, in CPU seconds with files in the page cache; `None` where nothing was measured.
    pub import_seconds: Option<Estimate>,
    /// Resident memory that importing them adds.
    pub import_bytes: Option<Estimate>,
}

/// A function called for each event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Handler {
    /// Its name.
    pub name: String,
    /// Line of its definition.
    pub line: u32,
    /// The cost of one call; its imports are those that only the first call makes.
    #[serde(flatten)]
    pub phase: Phase,
}

/// When an import happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImportTime {
    /// Always, when the module is loaded.
    Static,
    /// When the module is loaded, under a condition that the code alone does not settle.
    Conditional,
    /// When the module is loaded, where failing is caught.
    Optional,
    /// When a function is called.
    Lazy,
    /// Never: for type checkers, or under a condition that does not hold.
    Never,
}

/// What an import leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImportOrigin {
    /// A file beside the program.
    Local,
    /// The standard library, or the interpreter itself.
    Standard,
    /// An installed distribution.
    Distribution,
    /// A file in a search path that belongs to no distribution.
    File,
    /// Nothing was found.
    Missing,
    /// There is no interpreter to look in.
    Unknown,
}

/// One import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// The module's absolute name.
    pub module: String,
    /// Line of the statement or call.
    pub line: u32,
    /// When it happens.
    pub when: ImportTime,
    /// The function it stands in, where it stands in one.
    pub function: Option<String>,
    /// Where it leads.
    pub origin: ImportOrigin,
    /// The distribution's name, where it leads to one.
    pub distribution: Option<String>,
}

/// An installed distribution that the program loads from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution {
    /// Its name as installed.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Modules of it in the union of all that is imported.
    pub modules: u64,
    /// Extension modules among them, by module name.
    pub extension_modules: Vec<String>,
    /// Shared libraries that those need, by file name: bundled ones and the system's.
    pub shared_libraries: Vec<String>,
    /// Size of extension modules and bundled libraries on disk.
    pub native_bytes: Bytes,
}

/// What a library does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LibraryKind {
    /// Arithmetic on whole arrays.
    Vectorised,
    /// Tensors: training or inference.
    Tensor,
    /// Cryptography.
    Crypto,
    /// Compression.
    Compression,
    /// Images and video.
    Image,
    /// Databases.
    Database,
    /// Network.
    Network,
    /// Threads.
    Thread,
    /// Processes.
    Process,
    /// An event loop.
    Asyncio,
    /// Text and data formats in native code.
    Parsing,
}

/// What a library does with the interpreter's global lock while it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gil {
    /// Gives it up for its long operations.
    Releases,
    /// Keeps it.
    Holds,
    /// It depends on the operation or on the size of its data.
    Depends,
}

/// Use of a library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LibraryUse {
    /// Its top-level module.
    pub library: String,
    /// What it does.
    pub kind: LibraryKind,
    /// What it does with the interpreter's lock.
    pub gil: Gil,
    /// What is called, or `import` where only the import is seen.
    pub call: String,
    /// Line of the first such use in that function.
    pub line: u32,
    /// The function, or `<module>`.
    pub function: String,
    /// Number of places in that function.
    pub places: u32,
    /// Whether it stands in a loop.
    pub in_loop: bool,
}

/// A memory size given to another program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryFlag {
    /// The flag as written, such as `-Xmx512m`.
    pub flag: String,
    /// The size it sets; `None` where it is a share or cannot be read.
    pub bytes: Option<Bytes>,
    /// The environment variable that carries it, where one does.
    pub variable: Option<String>,
    /// Line.
    pub line: u32,
}
