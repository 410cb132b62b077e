//! Static analysis: WebAssembly, a native program or Python source to a demand profile.
//!
//! [`analyze`] reads a core module, a component or an ELF file and says what a run of it will take: operators by class, memory,
//! host services, which compiler tiers can take it, and the loops where the time goes. A front end by the kind of code
//! makes a [`program`] of the bytes; everything after that is shared. Pure: no I/O, no clock, no randomness; the same
//! bytes give the same answer. Total on any bytes: an error or a cautious result, never a panic. Called by the
//! orchestrator.
//!
//! Bounds, all linear in the file. Memory of a WebAssembly analysis, besides the file itself: 3 to 10 bytes for each byte
//! of code in small programs and of what a run of a large one comes to (a tenth of CPython's 6.2 MB of code), at most some
//! 80 where the code is made of nothing but empty loops, and in a full analysis some 20 more for what loops access; in a first run the same of the 64 KiB that are looked into, and some 100 bytes for each function. Time: functions
//! nested deeper than 2,000 blocks, or whose joins would take more than 64 steps per operator, are counted and not
//! understood; of the loops around a place 64 are looked at, of all loops 65,536 are told of. Function bodies above
//! 7,654,321 bytes and above 50,000 locals are refused as engines refuse them.
#![forbid(unsafe_code)]

mod branches;
mod callgraph;
mod dependence;
mod effects;
mod environment;
mod error;
mod export;
mod flags;
mod formatting;
mod frequency;
mod frontend;
#[doc(hidden)]
pub mod fuzz;
mod hash;
mod io;
mod lanes;
mod loops;
mod memory;
mod mix;
pub mod operators;
mod priors;
mod profile;
mod program;
mod regions;
mod signatures;
mod sniff;
mod start;
#[doc(hidden)]
pub mod study;
mod summary;
mod trip_count;
mod values;

use forewarm_types::demand::ParallelismKind;
use forewarm_types::{Analysis, Bytes, CodeInfo, CodeKind, Digest};

pub use environment::{Environment, ModuleCost, ModuleFile, ModuleForm, Nothing, SharedLibrary};
pub use error::AnalyzeError;
pub use frontend::elf::{Asking, LibraryFiles, module_libraries, resolve_libraries};
pub use frontend::python::PythonSource;
pub use sniff::{binary, is_python, kind};
pub use start::starts_by_itself;

use frontend::Reading;

/// How much to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// What a plan needs, as fast as can be: bodies are not validated (the engine does, when it compiles), only those
    /// nearest the entry point are understood where there are many, and no regions are told apart.
    Run,
    /// For people: validated, with all regions that matter.
    Full,
}

/// Code bytes that a first run waits for.
#[derive(Debug, Clone, Copy)]
struct Budget {
    /// A module of no more is understood whole.
    whole: usize,
    /// Of a larger one, the functions nearest the entry point in so many bytes.
    nearest: usize,
}

/// A choice, not a measurement: at some 25 MB/s, which is what code full of branches is analysed at, the analysis takes
/// two milliseconds and a half at most where it can be whole, and one where it cannot, an eighth of what the fast tier
/// takes to compile the least module that is larger.
const FIRST_SIGHT: Budget = Budget { whole: 64 << 10, nearest: 24 << 10 };

/// Analyses a binary module or component (see [`binary`] for text). `digest` and `size_bytes` are of the file as it
/// lies on disk and pass into the result; `seconds` is left zero.
///
/// # Errors
/// [`AnalyzeError`] where the bytes are not WebAssembly, break the format, exceed a limit that engines share, or, with
/// [`Depth::Full`], do not validate.
pub fn analyze(bytes: &[u8], digest: Digest, size_bytes: Bytes, depth: Depth) -> Result<Analysis, AnalyzeError> {
    analyze_within(bytes, digest, size_bytes, depth, FIRST_SIGHT)
}

/// Analyses a binary, in a first run within a budget.
fn analyze_within(
    bytes: &[u8],
    digest: Digest,
    size_bytes: Bytes,
    depth: Depth,
    budget: Budget,
) -> Result<Analysis, AnalyzeError> {
    let kind = kind(bytes)?;
    let budget = (depth == Depth::Run).then_some(budget);
    let Reading { entry, mut program, facts, mut detail, native, warnings: found } = read(bytes, kind, budget)?;
    let run = match entry {
        Some(_) => Some(summary::run(&mut program, &mut *detail)?),
        None => None,
    };
    let (mut profile, mut warnings) = profile::assemble(facts, run.as_ref(), depth);
    warnings.extend(found);
    let mut regions = Vec::new();
    if depth == Depth::Full {
        regions = run.map_or_else(Vec::new, |run| regions::list(&program, &mut *detail, &run));
        profile.contention.extend(regions::bandwidth(&regions));
        if profile.parallelism.kind == ParallelismKind::Serial {
            profile.parallelism = regions::unused_parallelism(&regions).unwrap_or(profile.parallelism);
        }
        let algorithms = detail.all_algorithms();
        profile.libraries.extend(algorithms.all.iter().map(|algorithm| format!("algorithm: {algorithm}")));
        regions::add_algorithms(&mut regions, &*detail, &algorithms);
    }
    let code = CodeInfo { digest, kind, size_bytes, entry: entry.unwrap_or_default() };
    Ok(Analysis { code, profile, regions, warnings, native, python: None, seconds: 0.0 })
}

/// Analyses Python source: a script, or a file with a handler. `digest`, `size_bytes` and `seconds` are as for
/// [`analyze`].
///
/// # Errors
/// [`AnalyzeError::Syntax`] with the place, [`AnalyzeError::Limit`] for what nests deeper than CPython takes, and
/// [`AnalyzeError::NoHandler`].
pub fn analyze_python(
    bytes: &[u8],
    digest: Digest,
    size_bytes: Bytes,
    depth: Depth,
    source: &PythonSource<'_>,
) -> Result<Analysis, AnalyzeError> {
    frontend::python::analyze(bytes, digest, size_bytes, depth, source)
}

/// Has the front end for a kind of code read it: whole and validated, or as much as a budget of code bytes allows.
fn read(bytes: &[u8], kind: CodeKind, budget: Option<Budget>) -> Result<Reading<'_>, AnalyzeError> {
    match kind {
        CodeKind::WasmModule | CodeKind::WasmComponent | CodeKind::Python => frontend::wasm::read(bytes, kind, budget),
        CodeKind::Elf => frontend::elf::read(bytes, budget),
    }
}
