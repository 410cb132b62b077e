//! The functions nearest the entry point, for a first run of a large module: what a plan waits for must not grow with
//! the file.
//!
//! Breadth-first over calls, bodies are decoded as they are met until a budget of code bytes is spent: callees first,
//! what a table may hold after all that is called by name. The summary takes all others for functions it does not
//! understand, with an interval as wide as that deserves. Proposals that only they use stay unknown: where a tier then
//! cannot compile the module, the engine says so and the run is planned again without that tier.

use std::collections::VecDeque;
use std::mem;

use super::module::Module;
use super::read::Groups;
use super::trees;
use crate::error::AnalyzeError;
use crate::lanes;
use crate::loops::{Keep, Walker};
use crate::program::{Definition, Forest, Function, Node, Program};

/// Code bytes of an operator, its immediates included, by which unread functions are told their length: 2.1 in graphviz
/// and esbuild, 2.2 in resvg, 2.3 in CPython, 2.4 in flite (builds for WASI, counted whole).
const OPERATOR_BYTES: f64 = 2.2;

/// Lays out the functions nearest `roots` in `budget` bytes of code; notes the proposals that they use in
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
    let Search { forest, functions: found, features, .. } = Search::new(module, groups).run(roots, budget)?;
    let mut functions = vec![Definition::Host; module.imports.len()];
    functions.reserve(module.bodies.len());
    functions.extend(module.bodies.iter().map(|body| {
        let static_ops = (body.bytes.len() as f64 / OPERATOR_BYTES).ceil() as u32;
        let beyond = Function { static_ops, opaque: true, detailed: true, ..Function::default() };
        Definition::Body { forest: 0, function: beyond }
    }));
    for (number, function) in found {
        if let Some(definition) = functions.get_mut(number as usize) {
            *definition = Definition::Body { forest: 0, function };
        }
    }
    module.features |= features;
    Ok(Program { forests: vec![forest], functions, partial: true, ..Program::default() })
}

/// The search from the entry point outwards.
struct Search<'a> {
    module: &'a Module<'a>,
    groups: &'a Groups,
    walker: Walker,
    forest: Forest,
    /// The trees of functions that were laid out, by number.
    functions: Vec<(u32, Function)>,
    features: u32,
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
            functions: Vec::new(),
            features: 0,
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
        let tree = trees::lay_out(
            self.module,
            &mut self.walker,
            function,
            &mut self.forest,
            Keep::Classes,
            &mut self.features,
        )?;
        for at in tree.nodes.clone() {
            match self.forest.nodes[at as usize] {
                Node::Call { function, .. } => self.meet(function),
                Node::CallIndirect { class } => self.meet_group(class),
                _ => {}
            }
        }
        self.functions.push((function, tree));
        Ok(())
    }

    fn meet_group(&mut self, class: u32) {
        let Some(&group) = self.groups.classes.get(class as usize) else { return };
        let Some(met) = self.groups_met.get_mut(group as usize) else { return };
        if mem::replace(met, true) {
            return;
        }
        // The others are picked in no scenario, and would only take the place of those that are.
        let members = &self.groups.members[group as usize];
        for member in lanes::picked(members.len()).map(|at| members[at]) {
            if !mem::replace(&mut self.met[member as usize], true) {
                self.in_tables.push_back(member);
            }
        }
    }
}
