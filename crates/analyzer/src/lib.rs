//! Static analysis: WebAssembly bytes to a demand profile.
//!
//! [`analyze`] reads a core module or a component and says what a run of it will take: operators by class, memory,
//! host services, which compiler tiers can take it, and the loops where the time goes. Pure: no I/O, no clock, no
//! randomness; the same bytes give the same answer. Total on any bytes: an error or a cautious result, never a panic.
//! Called by the orchestrator.
//!
//! Bounds, all linear in the file: 16 bytes per operator of the function at hand, some 40 bytes per operator kept for
//! the whole module; functions nested deeper than 2,000 blocks, or whose joins would take more than 64 steps per
//! operator, are counted and not understood. Function bodies above 7,654,321 bytes and above 50,000 locals are refused
//! as engines refuse them.
#![forbid(unsafe_code)]

mod branches;
mod callgraph;
mod dependence;
mod error;
mod flags;
mod frequency;
mod frontend;
#[doc(hidden)]
pub mod fuzz;
mod io;
mod lanes;
mod loops;
mod mix;
mod priors;
mod profile;
mod program;
mod regions;
mod signatures;
mod sniff;
mod summary;
mod trip_count;
mod values;

use forewarm_types::{Analysis, Bytes, CodeInfo, CodeKind, Digest};

pub use error::AnalyzeError;
pub use sniff::{binary, kind};

use frontend::wasm::module::Module;
use frontend::wasm::parse::Program;
use frontend::wasm::{parse, trees, validate};

/// How much to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// What a plan needs, as fast as can be: bodies are not validated (the engine does, when it compiles), at most 20
    /// regions.
    Run,
    /// For people: validated, with all regions that matter.
    Full,
}

/// Analyses a binary module or component (see [`binary`] for text). `digest` and `size_bytes` are of the file as it
/// lies on disk and pass into the result; `seconds` is left zero.
///
/// # Errors
/// [`AnalyzeError`] where the bytes are not WebAssembly, break the format, exceed a limit that engines share, or, with
/// [`Depth::Full`], do not validate.
pub fn analyze(bytes: &[u8], digest: Digest, size_bytes: Bytes, depth: Depth) -> Result<Analysis, AnalyzeError> {
    let kind = kind(bytes)?;
    if depth == Depth::Full {
        validate::validate(bytes)?;
    }
    let mut program = parse::parse(bytes)?;
    let entry = entry(&program, kind);
    let main = entry.as_ref().map_or(0, |entry| entry.module);
    let mut grown = Vec::with_capacity(program.modules.len());
    for module in &mut program.modules {
        grown.push(trees::grow(module)?);
    }
    let none = Module::default();
    let module = program.modules.get(main).unwrap_or(&none);
    let run = match (&entry, grown.get(main)) {
        (Some(entry), Some(trees)) => Some(summary::run(module, trees, &entry.roots)?),
        _ => None,
    };
    let (profile, warnings) = profile::assemble(&program, module, run.as_ref());
    let regions = match (&run, grown.get(main)) {
        (Some(run), Some(trees)) => regions::list(module, trees, run, depth),
        _ => Vec::new(),
    };
    let name = entry.map(|entry| entry.name).unwrap_or_default();
    let code = CodeInfo { digest, kind, size_bytes, entry: name };
    Ok(Analysis { code, profile, regions, warnings, seconds: 0.0 })
}

/// Where a run begins.
struct Entry {
    name: String,
    /// Which module.
    module: usize,
    /// Functions called in order: the start function, then the entry proper.
    roots: Vec<u32>,
}

/// Finds the entry point: `_start` of a module; of a component the core export behind `wasi:cli/run`.
fn entry(program: &Program<'_>, kind: CodeKind) -> Option<Entry> {
    let command = |name: &str| name == "wasi:cli/run" || name.starts_with("wasi:cli/run@");
    let name = match kind {
        CodeKind::WasmModule => "_start",
        CodeKind::WasmComponent => {
            program.component_exports.iter().any(|name| command(name)).then_some("wasi:cli/run")?
        }
    };
    let run = |name: &str| name.split_once('#').is_some_and(|(interface, item)| command(interface) && item == "run");
    let find = |wanted: &dyn Fn(&str) -> bool| {
        program.modules.iter().enumerate().find_map(|(index, module)| {
            module.exports.iter().find(|export| wanted(export.0)).map(|export| (index, export.1))
        })
    };
    // A module adapted from preview 1 keeps its `_start`; the adapter's `run` only calls it.
    let found = find(&|name| name == "_start");
    let found = if kind == CodeKind::WasmComponent { found.or_else(|| find(&run)) } else { found };
    let (module, function) = match found {
        Some(found) => found,
        None if kind == CodeKind::WasmComponent => (0, u32::MAX),
        None => return None,
    };
    let roots = program.modules.get(module)?.start.into_iter().chain([function]).collect();
    Some(Entry { name: name.to_owned(), module, roots })
}
