//! A module or component to a [`Reading`]: which function a run begins with, its module as a program, its facts.

use std::collections::BTreeSet;

use forewarm_types::CodeKind;

use super::decode::{Decoded, Op};
use super::detail::{Bodies, Kept};
use super::module::Module;
use super::parse::{self, Contents};
use super::trees::Signs;
use super::{facts, nearest, trees};
use crate::error::AnalyzeError;
use crate::frontend::{Algorithms, Reading};
use crate::hash::QuickMap;
use crate::loops::Keep;
use crate::program::{NONE, Node, Program};
use crate::signatures;
use crate::{Budget, FIRST_SIGHT};

/// Constant data kept of each segment to read formats from, in bytes.
const MOST_TEXT: usize = 1 << 20;

/// Reads a module or component: validated and whole, or, with a `budget` of code bytes, neither.
///
/// # Errors
/// [`AnalyzeError`] where the bytes break the format, exceed a limit that engines share, or, without a budget, do not
/// validate.
pub(crate) fn read(bytes: &[u8], kind: CodeKind, budget: Option<Budget>) -> Result<Reading<'_>, AnalyzeError> {
    let mut contents = parse::parse(bytes, budget.is_none())?;
    let entry = entry(&contents, kind);
    let main = entry.as_ref().map_or(0, |entry| entry.module);
    let (entry, roots) = entry.map_or((None, Vec::new()), |entry| (Some(entry.name.to_owned()), entry.roots));
    let mut program = Program::default();
    let mut kept = Kept::default();
    for (index, module) in contents.modules.iter_mut().enumerate() {
        if index == main {
            let groups = groups(module);
            let grown = match budget {
                Some(budget) if module.code_bytes > budget.whole as u64 => {
                    nearest::grow(module, &groups, &roots, budget.nearest)?
                }
                Some(_) => trees::grow(module, &groups, &roots, Keep::Classes, None)?.0,
                None => {
                    let (program, found) = whole(module, &groups, &roots)?;
                    kept = found;
                    program
                }
            };
            program = Program { groups: groups.members, classes: groups.classes, ..grown };
        } else if budget.is_none() {
            // Of the other modules of a component only the proposals they use are needed.
            module.features |= trees::proposals(module)?;
        }
    }
    let data = contents.modules.get(main).map(|module| module.data.as_slice()).unwrap_or_default();
    program.addresses = data.iter().filter_map(|(address, _)| *address).min().unwrap_or(0);
    program.text = text(&contents, main);
    let facts = facts::facts(&contents, main);
    let module = contents.modules.drain(..).nth(main).unwrap_or_default();
    Ok(Reading {
        entry,
        program: Program { roots, ..program },
        facts,
        detail: Box::new(Bodies::new(module, kept)),
        native: None,
        warnings: Vec::new(),
    })
}

/// Lays out what a run of a module may come to, or looks through it where it is large; tells the algorithms that its functions and data betray.
fn whole(module: &mut Module<'_>, groups: &Groups, roots: &[u32]) -> Result<(Program, Kept), AnalyzeError> {
    let mut decoded = Decoded::default();
    let mut read = |module: &Module<'_>, function: u32| -> Result<Vec<Op>, AnalyzeError> {
        let Some(body) = module.body(function) else { return Ok(Vec::new()) };
        decoded.read(module, body.bytes, body.offset, module.params(function), &mut 0)?;
        Ok(decoded.ops.clone())
    };
    // Tables may be put in place by the start function.
    let start = module.start.map(|start| read(module, start)).transpose()?.unwrap_or_default();
    let tables = signatures::tables(module, &signatures::placed(&start));
    let (program, signs, mut kept) = if module.code_bytes > FIRST_SIGHT.whole as u64 {
        trees::look_through(module, &tables)?
    } else {
        trees::grow(module, groups, roots, Keep::Accesses, Some(&tables))?
    };
    let Signs { mut by_function, multipliers } = signs;
    if !multipliers.is_empty() {
        for function in 0..program.functions.len() as u32 {
            let calls = program
                .nodes(function)
                .iter()
                .filter(|node| matches!(node, Node::Call { function, .. } if multipliers.contains(function)));
            if signatures::sums_products(calls.count(), || read(module, function))? {
                by_function.entry(function).or_default().insert(signatures::LONG_PRODUCT);
            }
        }
    }
    let mut all: BTreeSet<_> = tables.all.iter().map(|table| table.algorithm).collect();
    all.extend(by_function.values().flatten());
    kept.algorithms = Algorithms { all, by_function };
    Ok((program, kept))
}

/// The constant data of a module that formats output.
fn text(contents: &Contents<'_>, main: usize) -> Vec<(i64, Vec<u8>)> {
    let Some(module) = contents.modules.get(main).filter(|module| module.format_mark.is_some()) else {
        return Vec::new();
    };
    let short = |data: &[u8]| data[..data.len().min(MOST_TEXT)].to_vec();
    module.data.iter().filter_map(|(address, data)| Some(((*address)?, short(data)))).collect()
}

/// What an indirect call can reach.
pub(super) struct Groups {
    /// The functions a table can hold, grouped by type.
    pub members: Vec<Vec<u32>>,
    /// The group of each type; `NONE` where no such function is in a table.
    pub classes: Vec<u32>,
}

fn groups(module: &Module<'_>) -> Groups {
    let mut groups: Vec<Vec<u32>> = Vec::new();
    let mut group_of = QuickMap::default();
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
    Groups { members: groups, classes: module.signatures.iter().map(|ty| class(ty).unwrap_or(NONE)).collect() }
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
