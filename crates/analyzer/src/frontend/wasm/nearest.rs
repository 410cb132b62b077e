//! The functions that calls lead to from the entry point, nearest first: all of a small module; of a large one, for a first
//! run, as many as a budget of code bytes allows, since what a plan waits for must not grow with the file.
//!
//! Breadth-first over calls, bodies are decoded as they are met: callees first, what a table may hold after all that is
//! called by name. Where there is a budget, the summary takes all others for functions it does not understand, with an
//! interval as wide as that deserves. Proposals that only they use stay unknown: where a tier then cannot compile the module,
//! the engine says so and the run is planned again without that tier.

use std::collections::VecDeque;
use std::mem;

use super::module::{Body, Module};
use super::read::Groups;
use super::trees::{self, Grown, Work};
use super::words;
use crate::error::AnalyzeError;
use crate::lanes;
use crate::loops::{Keep, Walker};
use crate::program::{Function, Node, Program};

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
    let work = Work { module, keep: Keep::Classes, tables: None, check: false, stack: None };
    let Search { grown, .. } = Search::new(work, groups).run(roots, budget)?;
    let beyond = |body: &Body<'_>| {
        let static_ops = (body.bytes.len() as f64 / OPERATOR_BYTES).ceil() as u32;
        Function { static_ops, opaque: true, detailed: true, ..Function::default() }
    };
    let mut program = Program { partial: true, ..trees::beginning(module, beyond) };
    module.features |= trees::take(&mut program, vec![grown]).0;
    Ok(program)
}

/// The search from the entry point outwards.
pub(super) struct Search<'a> {
    work: Work<'a>,
    groups: &'a Groups,
    walker: Walker,
    /// What was laid out.
    grown: Grown,
    met: Vec<bool>,
    groups_met: Vec<bool>,
    called: VecDeque<u32>,
    in_tables: VecDeque<u32>,
}

impl<'a> Search<'a> {
    pub(super) fn new(work: Work<'a>, groups: &'a Groups) -> Self {
        Self {
            work,
            groups,
            walker: Walker::default(),
            grown: Grown::default(),
            met: vec![false; work.module.functions.len()],
            groups_met: vec![false; groups.members.len()],
            called: VecDeque::new(),
            in_tables: VecDeque::new(),
        }
    }

    /// Lays out what calls lead to, and tells of all other functions what they call.
    ///
    /// # Errors
    /// Of the first that fails.
    pub(super) fn all(self, roots: &[u32]) -> Result<[Grown; 2], AnalyzeError> {
        let bytes = self.work.module.code_bytes as usize;
        let mut search = Self { grown: Grown::with_room(bytes), ..self };
        let largest = search.work.module.bodies.iter().map(|body| body.bytes.len()).max().unwrap_or(0);
        search.walker.make_room(largest);
        let Self { work, mut walker, grown, met, .. } = search.run(roots, usize::MAX)?;
        let rest: Vec<u32> = work.all().into_iter().filter(|&function| !met[function as usize]).collect();
        let beyond = match work.module.check {
            Some(_) => work.look_through(&mut walker.decoded, &rest, &words::range(work.module))?,
            None => work.outline(&mut walker, &rest)?,
        };
        Ok([grown, beyond])
    }

    fn run(mut self, roots: &[u32], budget: usize) -> Result<Self, AnalyzeError> {
        roots.iter().for_each(|&root| self.meet(root));
        let mut left = budget;
        while left > 0
            && let Some(function) = self.called.pop_front().or_else(|| self.in_tables.pop_front())
        {
            // A body that is too large for what is left is left out, and smaller ones have their turn.
            if let Some(body) = self.work.module.body(function)
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
        self.work.one(&mut self.walker, function, &mut self.grown)?;
        let Some((_, tree)) = self.grown.functions.last() else { return Ok(()) };
        // What a routine that formats calls is part of what it costs, which its format tells.
        let nodes = if tree.formats { 0..0 } else { tree.nodes.clone() };
        for at in nodes {
            match self.grown.forest.nodes[at as usize] {
                Node::Call { function, .. } => self.meet(function),
                Node::CallIndirect { class } => self.meet_group(class),
                _ => {}
            }
        }
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
