//! A core module's sections as the later passes need them. Plain data; filled by the parser beside it.

use wasmparser::NameSectionReader;

use super::validate::Check;

/// Operand counts of a function type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Signature {
    pub params: u16,
    pub results: u16,
    /// Distinguishes types of equal counts: a hash of the value types.
    pub shape: u64,
}

/// An imported function.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ImportedFunction<'a> {
    pub module: &'a str,
    pub name: &'a str,
}

/// A function body, its locals included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Body<'a> {
    pub bytes: &'a [u8],
    /// Offset in the file.
    pub offset: u64,
}

/// A declared or imported linear memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MemorySize {
    pub initial_bytes: u64,
    pub maximum_bytes: Option<u64>,
    pub shared: bool,
}

/// A core module.
#[derive(Default)]
pub(crate) struct Module<'a> {
    /// Function types by type index; `None` for other types.
    pub signatures: Vec<Option<Signature>>,
    pub imports: Vec<ImportedFunction<'a>>,
    /// Type index of each function, imported ones first.
    pub functions: Vec<u32>,
    pub bodies: Vec<Body<'a>>,
    /// What bodies are validated against, where they are.
    pub check: Option<Check>,
    /// Value of each immutable global with a constant initialiser, imported ones first.
    pub globals: Vec<Option<i64>>,
    /// Exported functions.
    pub exports: Vec<(&'a str, u32)>,
    pub start: Option<u32>,
    /// Functions a table can hold, in order and each once.
    pub table_functions: Vec<u32>,
    pub memories: Vec<MemorySize>,
    /// Data segments, each with its address where that is constant.
    pub data: Vec<(Option<i64>, &'a [u8])>,
    /// Address of the text that marks the C library's formatted output.
    pub format_mark: Option<i64>,
    /// Set of proposals used, as bits.
    pub features: u32,
    /// Entries of the `producers` section: field, name, version.
    pub producers: Vec<(&'a str, &'a str, &'a str)>,
    pub names: Option<NameSectionReader<'a>>,
    /// Whether Go's linker made it.
    pub go: bool,
    pub code_bytes: u64,
    /// Functions that end the program: imported `proc_exit`, and those that end in calling such a one. Sorted.
    pub exits: Vec<u32>,
}

impl Module<'_> {
    /// The function type at a type index.
    pub(crate) fn signature(&self, index: u32) -> Option<Signature> {
        self.signatures.get(index as usize).copied().flatten()
    }

    /// The type of a function.
    pub(crate) fn function_signature(&self, function: u32) -> Option<Signature> {
        self.signature(*self.functions.get(function as usize)?)
    }

    /// How many parameters a function takes.
    pub(crate) fn params(&self, function: u32) -> u32 {
        self.function_signature(function).map_or(0, |signature| u32::from(signature.params))
    }

    /// The body of a function; `None` for imported and missing ones.
    pub(crate) fn body(&self, function: u32) -> Option<Body<'_>> {
        self.bodies.get((function as usize).checked_sub(self.imports.len())?).copied()
    }

    /// Whether calling a function ends the program in an orderly way.
    pub(crate) fn exits(&self, function: u32) -> bool {
        self.exits.binary_search(&function).is_ok()
    }
}
