//! A module or component to a [`Reading`]: which function a run begins with, its module as a program, its facts.

use std::collections::HashMap;

use forewarm_types::CodeKind;

use super::detail::Bodies;
use super::module::Module;
use super::parse::{self, Contents};
use super::{facts, trees, validate};
use crate::Depth;
use crate::error::AnalyzeError;
use crate::frontend::Reading;
use crate::program::{NONE, Program};

/// Reads a module or component.
///
/// # Errors
/// [`AnalyzeError`] where the bytes break the format, exceed a limit that engines share, or, with [`Depth::Full`], do
/// not validate.
pub(crate) fn read(bytes: &[u8], kind: CodeKind, depth: Depth) -> Result<Reading<'_>, AnalyzeError> {
    if depth == Depth::Full {
        validate::validate(bytes)?;
    }
    let mut contents = parse::parse(bytes)?;
    let entry = entry(&contents, kind);
    let main = entry.as_ref().map_or(0, |entry| entry.module);
    let mut program = Program::default();
    for (index, module) in contents.modules.iter_mut().enumerate() {
        let grown = trees::grow(module)?;
        if index == main {
            program = grown;
        }
    }
    let facts = facts::facts(&contents, main);
    let module = contents.modules.drain(..).nth(main).unwrap_or_default();
    (program.groups, program.classes) = groups(&module);
    let (entry, roots) = entry.map_or((None, Vec::new()), |entry| (Some(entry.name.to_owned()), entry.roots));
    Ok(Reading { entry, program: Program { roots, ..program }, facts, detail: Box::new(Bodies::new(module)) })
}

/// The functions a table can hold, grouped by type, and the group of each type: what an indirect call can reach.
fn groups(module: &Module<'_>) -> (Vec<Vec<u32>>, Vec<u32>) {
    let mut groups: Vec<Vec<u32>> = Vec::new();
    let mut group_of = HashMap::new();
    for &function in &module.table_functions {
        if let Some(signature) = module.function_signature(function) {
            let group = *group_of.entry(signature).or_insert(groups.len() as u32);
            if group as usize == groups.len() {
                groups.push(Vec::new());
            }
            groups[group as usize].push(function);
        }
    }
    let class = |signature: &Option<_>| signature.and_then(|signature| group_of.get(&signature).copied());
    (groups, module.signatures.iter().map(|signature| class(signature).unwrap_or(NONE)).collect())
}

/// Where a run begins.
struct Entry {
    name: &'static str,
    /// Which module.
    module: usize,
    /// Functions called in order: the start function, then the entry proper.
    roots: Vec<u32>,
}

/// Finds the entry point: `_start` of a module; of a component the core export behind `wasi:cli/run`.
fn entry(contents: &Contents<'_>, kind: CodeKind) -> Option<Entry> {
    let command = |name: &str| name == "wasi:cli/run" || name.starts_with("wasi:cli/run@");
    let component = kind == CodeKind::WasmComponent;
    if component && !contents.component_exports.iter().any(|name| command(name)) {
        return None;
    }
    let run = |name: &str| name.split_once('#').is_some_and(|(interface, item)| command(interface) && item == "run");
    let find = |wanted: &dyn Fn(&str) -> bool| {
        contents.modules.iter().enumerate().find_map(|(index, module)| {
            module.exports.iter().find(|export| wanted(export.0)).map(|export| (index, export.1))
        })
    };
    // A module adapted from preview 1 keeps its `_start`; the adapter's `run` only calls it.
    let found = find(&|name| name == "_start");
    let found = if component { found.or_else(|| find(&run)).or(Some((0, u32::MAX))) } else { found };
    let (module, function) = found?;
    let roots = contents.modules.get(module)?.start.into_iter().chain([function]).collect();
    Some(Entry { name: if component { "wasi:cli/run" } else { "_start" }, module, roots })
}
