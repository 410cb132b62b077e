//! An image asked again about single functions: their layout with work told by class, their names, the algorithms their
//! constants betray.

use std::collections::{BTreeMap, BTreeSet};

use super::budgets;
use super::code::Code;
use super::effects;
use super::grow::Grown;
use super::layout::{Layout, Look};
use super::scan::Scans;
use crate::effects::{Callees, Effects};
use crate::error::AnalyzeError;
use crate::frontend::{Algorithms, Detail};
use crate::program::{Forest, Function, Program};

/// Longest function name that is shown, in characters.
const MAX_NAME: usize = 300;

/// An image and what it takes to read its functions once more.
pub(super) struct Functions<'a> {
    code: Code<'a>,
    scans: Scans,
    layout: Layout,
    grown: Grown,
    algorithms: Algorithms,
    /// Code bytes that may still be laid out in detail.
    budget: u64,
}

impl<'a> Functions<'a> {
    /// The image, a first look at its functions, what lays them out and how far, what the constants betray, and a budget of code
    /// bytes for layouts in detail.
    pub(super) fn new(
        code: Code<'a>,
        scans: Scans,
        (layout, grown): (Layout, Grown),
        algorithms: Algorithms,
        budget: u64,
    ) -> Self {
        Self { code, scans, layout, grown, algorithms, budget }
    }
}

impl Detail for Functions<'_> {
    fn grow(&mut self, functions: &[u32], program: &mut Program) -> Result<(), AnalyzeError> {
        let Self { code, scans, layout, grown, .. } = self;
        grown.add(code, scans, functions, layout, program);
        Ok(())
    }

    fn settle(&mut self, program: &mut Program) {
        let Self { code, scans, layout, grown, .. } = self;
        grown.settle(code, scans, layout, program);
    }

    fn lay_out(
        &mut self,
        function: u32,
        callees: Callees,
        forest: &mut Forest,
    ) -> Result<Option<Function>, AnalyzeError> {
        let Some(range) = function.checked_sub(self.code.first()) else { return Ok(None) };
        let (repeats, bytes) = (self.scans.list[range as usize].repeats, self.code.bytes(range as usize).len() as u64);
        let Some(left) = self.budget.checked_sub(budgets::cost(repeats, bytes)) else { return Ok(None) };
        self.budget = left;
        self.layout.registers.callees = callees;
        // Followed only where it was, so that both layouts count alike.
        let look = if self.grown.follows(range) { Look::Detail } else { Look::Classes };
        Ok(Some(self.layout.function(&self.code, range as usize, forest, look)))
    }

    fn effects(&mut self, function: u32) -> Effects {
        match function.checked_sub(self.code.first()) {
            Some(range) => effects::of_function(&self.code, range as usize),
            None => effects::of_import(self.code.name(function)),
        }
    }

    fn names(&self, functions: &[u32]) -> BTreeMap<u32, String> {
        let name = |&function: &u32| {
            let name = self.code.name(function);
            (!name.is_empty()).then(|| (function, name.chars().take(MAX_NAME).collect()))
        };
        functions.iter().filter_map(name).collect()
    }

    fn offset(&self, function: u32) -> Option<u64> {
        let range = function.checked_sub(self.code.first())?;
        self.code.functions.ranges.get(range as usize).map(|range| range.offset as u64)
    }

    fn algorithms(&mut self, function: u32) -> BTreeSet<&'static str> {
        self.algorithms.by_function.get(&function).cloned().unwrap_or_default()
    }

    fn all_algorithms(&mut self) -> Algorithms {
        self.algorithms.clone()
    }
}
