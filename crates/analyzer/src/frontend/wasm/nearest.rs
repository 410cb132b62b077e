//! The functions nearest the entry point, for a first run of a large module: what a plan waits for must not grow with
//! the file.
//!
//! Breadth-first over calls, bodies are decoded as they are met until a budget of code bytes is spent: callees first,
//! what a table may hold after all that is called by name. All others are only scanned, for their proposals and their
//! length; the summary takes them for functions it does not understand, with an interval as wide as that deserves.

use std::collections::VecDeque;
use std::mem;

use rayon::prelude::*;

use super::module::Module;
use super::read::Groups;
use super::scan::{Scanned, scan};
use super::trees::{self, TASK_BYTES};
use crate::error::AnalyzeError;
use crate::frontend::wasm::decode::Decoded;
use crate::loops::{Keep, Walker};
use crate::program::{Definition, Forest, Function, Node, Program};

/// Lays out the functions nearest `roots` in `budget` bytes of code; notes the proposals that all functions use in
/// `module.features`.
///
/// # Errors
/// [`AnalyzeError`] where a body that is looked into cannot be decoded.
pub(super) fn grow(
    module: &mut Module<'_>,
    groups: &Groups,
    roots: &[u32],
    budget: usize,
) -> Result<Program, AnalyzeError> {
    let shared = &*module;
    let (near, scanned) = rayon::join(|| Search::new(shared, groups).run(roots, budget), || survey(shared));
    let (Search { forest, functions: found, .. }, scanned) = (near?, scanned?);
    let mut functions = vec![Definition::Host; module.imports.len()];
    functions.reserve(module.bodies.len());
    let laid_out = found.into_iter().zip(&scanned).map(|(found, scanned)| {
        let beyond = || Function { static_ops: scanned.ops, opaque: true, detailed: true, ..Function::default() };
        Definition::Body { forest: 0, function: found.unwrap_or_else(beyond) }
    });
    functions.extend(laid_out);
    module.features |= scanned.iter().fold(0, |set, scanned| set | scanned.features);
    Ok(Program { forests: vec![forest], functions, partial: true, ..Program::default() })
}

/// Scans all bodies, and decodes those that a scan leaves open.
pub(super) fn survey(module: &Module<'_>) -> Result<Vec<Scanned>, AnalyzeError> {
    let tasks = trees::tasks(module, TASK_BYTES);
    let one = |decoded: &mut Decoded, index: usize| match scan(module.bodies[index].bytes) {
        Some(scanned) => Ok(scanned),
        None => {
            let (body, function) = (module.bodies[index], (module.imports.len() + index) as u32);
            let mut features = 0;
            decoded.read(module, body.bytes, body.offset, module.params(function), &mut features)?;
            Ok(Scanned { features, ops: decoded.ops.len() as u32 })
        }
    };
    let parts: Vec<Result<Vec<Scanned>, AnalyzeError>> = tasks
        .into_par_iter()
        .map_init(Decoded::default, |decoded, range| range.map(|index| one(decoded, index)).collect())
        .collect();
    let mut out = Vec::with_capacity(module.bodies.len());
    for part in parts {
        out.append(&mut part?);
    }
    Ok(out)
}

/// The search from the entry point outwards.
struct Search<'a> {
    module: &'a Module<'a>,
    groups: &'a Groups,
    walker: Walker,
    forest: Forest,
    /// The tree of each function with a body, where it was laid out.
    functions: Vec<Option<Function>>,
    met: Vec<bool>,
    groups_met: Vec<bool>,
    called: VecDeque<u32>,
    in_tables: VecDeque<u32>,
}

impl<'a> Search<'a> {
    fn new(module: &'a Module<'a>, groups: &'a Groups) -> Self {
        Self {
            module,
            groups,
            walker: Walker::default(),
            forest: Forest::default(),
            functions: vec![None; module.bodies.len()],
            met: vec![false; module.functions.len()],
            groups_met: vec![false; groups.members.len()],
            called: VecDeque::new(),
            in_tables: VecDeque::new(),
        }
    }

    fn run(mut self, roots: &[u32], budget: usize) -> Result<Self, AnalyzeError> {
        roots.iter().for_each(|&root| self.meet(root));
        let mut left = budget;
        while left > 0
            && let Some(function) = self.called.pop_front().or_else(|| self.in_tables.pop_front())
        {
            // A body that is too large for what is left is left out, and smaller ones have their turn.
            if let Some(body) = self.module.body(function)
                && let Some(rest) = left.checked_sub(body.bytes.len())
            {
                left = rest;
                self.lay_out(function)?;
            }
        }
        Ok(self)
    }

    fn meet(&mut self, function: u32) {
        if let Some(met) = self.met.get_mut(function as usize)
            && !mem::replace(met, true)
        {
            self.called.push_back(function);
        }
    }

    fn lay_out(&mut self, function: u32) -> Result<(), AnalyzeError> {
        let tree = trees::lay_out(self.module, &mut self.walker, function, &mut self.forest, Keep::Classes, &mut 0)?;
        for at in tree.nodes.clone() {
            match self.forest.nodes[at as usize] {
                Node::Call { function, .. } => self.meet(function),
                Node::CallIndirect { class } => self.meet_group(class),
                _ => {}
            }
        }
        if let Some(place) = self.functions.get_mut(function as usize - self.module.imports.len()) {
            *place = Some(tree);
        }
        Ok(())
    }

    fn meet_group(&mut self, class: u32) {
        let Some(&group) = self.groups.classes.get(class as usize) else { return };
        let Some(met) = self.groups_met.get_mut(group as usize) else { return };
        if mem::replace(met, true) {
            return;
        }
        for &member in &self.groups.members[group as usize] {
            if !mem::replace(&mut self.met[member as usize], true) {
                self.in_tables.push_back(member);
            }
        }
    }
}

/// Holds the scan against the decoder over all bodies of arbitrary bytes.
///
/// # Panics
/// Where they differ.
pub(crate) fn check_scan(bytes: &[u8]) {
    let Ok(contents) = super::parse::parse(bytes) else { return };
    let mut decoded = Decoded::default();
    for module in &contents.modules {
        for (function, body) in (module.imports.len() as u32..).zip(&module.bodies) {
            let mut features = 0;
            let read = decoded.read(module, body.bytes, body.offset, module.params(function), &mut features);
            if let (Some(scanned), Ok(())) = (scan(body.bytes), read) {
                assert_eq!(scanned, Scanned { features, ops: decoded.ops.len() as u32 });
            }
        }
    }
}
