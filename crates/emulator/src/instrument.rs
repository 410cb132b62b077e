//! Rewriting a WebAssembly module so that it counts what it executes.
//!
//! Nothing of the module moves: what is added stands behind what is there in each index space (types, functions, a
//! memory, a table, globals, exports), so that every operator is copied byte for byte, whatever proposal it is of. Added
//! are, in each body ([`body`]):
//!
//! - a counter per straight stretch of code, raised where the stretch ends, before control can go elsewhere. What a
//!   stretch holds is known from the code ([`Layout`]), so that one counter gives the operators by class, the loops'
//!   iterations, the calls of imports and the rest, exactly (basic-block counting: Knuth, "An empirical study of FORTRAN
//!   programs", 1971);
//! - a clock that runs down at loop headers and function entries, and calls the host when it has run out: the end of an
//!   interval, a look at the budgets;
//! - where asked, the addresses of loads and stores, or the ways that branches go, written down while the host has a window
//!   of the kind open (bursty tracing: Hirzel and Chilimbi, FDDO 2001).
//!
//! The start section becomes an export, since it must not run before the host has put its clock in. Components are
//! refused: a nested module's memory cannot be reached from outside through the component model; the command in one is a module
//! by itself ([`crate::component`]). What the counters come to is
//! in [`crate::counting`]; called by [`crate::trial`].

mod assemble;
mod body;
mod encode;
mod module;

use std::ops::Range;
use std::sync::Arc;

use forewarm_types::OpClass;

pub(crate) use body::{ADDRESS_BITS, memory_argument, site_of};
use module::Module;

/// What stands in the way of rewriting.
#[derive(Debug, thiserror::Error)]
pub enum InstrumentError {
    /// It is not a well-formed module.
    #[error("invalid code: {0}")]
    Malformed(#[from] wasmparser::BinaryReaderError),
    /// A part that would have to be changed in a way that is not provided for.
    #[error("cannot be rewritten: {0}")]
    Unsupported(&'static str),
}

/// Addresses that a window holds; each takes 8 bytes of the added memory.
pub const WINDOW_RECORDS: u32 = 1 << 16;

/// A rewritten module; a copy shares all but its bytes.
#[derive(Debug, Clone)]
pub struct Instrumented {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What its counters mean.
    pub layout: Arc<Layout>,
    /// Names under which the host finds what was added.
    pub ports: Ports,
    /// Whether windows can be opened.
    pub tracing: bool,
    /// The module as it was.
    pub original: Arc<Vec<u8>>,
}

/// Export names of what was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ports {
    /// The memory: counters from 0 on, 8 bytes each, then [`WINDOW_RECORDS`] addresses.
    pub memory: String,
    /// Its size in bytes.
    pub memory_bytes: u64,
    /// The table whose only element is called when the clock has run out.
    pub table: String,
    /// `i64`: operators, roughly, until then.
    pub clock: String,
    /// `i64`: bytes moved by bulk operations so far.
    pub bulk: String,
    /// `i32`: whether a window is open.
    pub open: String,
    /// `i32`: accesses until it closes.
    pub left: String,
    /// `i32`: lines whose hash is below it are written down; the hash has 24 bits.
    pub threshold: String,
    /// `i32`: bytes written down.
    pub written: String,
    /// `i32`: whether a window of branches is open, which fills the same place as one of addresses.
    pub branching: String,
    /// The start function, where there is one.
    pub start: Option<String>,
}

/// What each counter stands for.
#[derive(Debug, Default)]
pub struct Layout {
    /// By counter.
    pub stretches: Vec<Stretch>,
    /// Operators of the stretches by class.
    pub mixes: Vec<(OpClass, u32)>,
    /// Imports that the stretches call, as indices into `imports`.
    pub calls: Vec<u32>,
    /// Names of imported functions, `module.name`.
    pub imports: Vec<String>,
    /// Functions with a body.
    pub functions: Vec<Function>,
    /// Loops.
    pub loops: Vec<Loop>,
}

/// A straight stretch of code: control comes in at its beginning and goes through to its end.
#[derive(Debug, Clone, Default)]
pub struct Stretch {
    /// The function it belongs to, as an index into [`Layout::functions`].
    pub function: u32,
    /// Operators in fuel's unit, the function's entry among them where it begins one.
    pub operators: u32,
    /// Bytes read by loads.
    pub load_bytes: u32,
    /// Bytes written by stores.
    pub store_bytes: u32,
    /// Whether it ends with a branch that can go more ways than one.
    pub conditional: bool,
    /// Byte offset in the file of the operator that ends it.
    pub end: u64,
    /// Its part of [`Layout::mixes`].
    pub mix: Range<u32>,
    /// Its part of [`Layout::calls`].
    pub calls: Range<u32>,
}

/// A function with a body.
#[derive(Debug, Clone)]
pub struct Function {
    /// In the function index space.
    pub index: u32,
    /// From the name section or the exports; else `func[index]`.
    pub name: String,
    /// The counter of its entry.
    pub entry: u32,
}

/// A loop.
#[derive(Debug, Clone, Copy)]
pub struct Loop {
    /// Index of its function in the function index space.
    pub function: u32,
    /// Byte offset of its operator in the file.
    pub offset: u64,
    /// 1 for an outermost loop of its function.
    pub depth: u32,
    /// The counter of the stretch before it.
    pub entered: u32,
    /// The counter of its header.
    pub header: u32,
}

/// Rewrites a module; with `tracing`, so that windows of addresses can be opened.
///
/// # Errors
/// [`InstrumentError`] where the bytes are no module, or hold what is not provided for.
pub fn instrument(wasm: &[u8], tracing: bool) -> Result<Instrumented, InstrumentError> {
    let module = Module::read(wasm)?;
    assemble::assemble(&module, tracing)
}
