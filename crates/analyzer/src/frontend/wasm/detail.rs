//! A module asked again about single functions: their layout with work told by class, their names, the algorithms their
//! constants betray.

use std::collections::{BTreeMap, BTreeSet};

use super::module::Module;
use crate::error::AnalyzeError;
use crate::frontend::{Algorithms, Detail};
use crate::loops::Walker;
use crate::program::{Forest, Function};
use crate::signatures::{self, Holdings};

/// Longest function name that is shown, in characters.
const MAX_NAME: usize = 300;

/// A core module and what it takes to read its bodies once more.
#[derive(Default)]
pub(super) struct Bodies<'a> {
    module: Module<'a>,
    walker: Walker,
    /// What cryptography needs, looked for at the first question.
    holdings: Option<Holdings>,
}

impl<'a> Bodies<'a> {
    pub(super) fn new(module: Module<'a>) -> Self {
        Self { module, ..Self::default() }
    }

    /// Finds the tables of cryptography, also those that the start function puts in place, and wide multiplications.
    fn take_stock(&mut self) {
        if self.holdings.is_some() {
            return;
        }
        let start = self.module.start.map(|start| self.decode(start));
        let placed = matches!(start, Some(Ok(Some(_)))).then(|| signatures::placed(&self.walker.decoded.ops));
        let tables = signatures::tables(&self.module, &placed.unwrap_or_default());
        let first = self.module.imports.len() as u32;
        let small = |index: &usize| self.module.bodies[*index].bytes.len() <= signatures::MULTIPLIER_BYTES;
        let small: Vec<u32> = (0..self.module.bodies.len()).filter(small).map(|index| first + index as u32).collect();
        let mut multipliers = BTreeSet::new();
        for function in small {
            if matches!(self.decode(function), Ok(Some(_))) && signatures::multiplies_wide(&self.walker.decoded.ops) {
                multipliers.insert(function);
            }
        }
        self.holdings = Some(Holdings { tables, multipliers });
    }

    /// Decodes a body; the count of parameters, or `None` where there is no body.
    fn decode(&mut self, function: u32) -> Result<Option<u32>, AnalyzeError> {
        let Some(body) = self.module.body(function) else { return Ok(None) };
        let params = self.module.params(function);
        self.walker.decoded.read(&self.module, body.bytes, body.offset, params, &mut 0)?;
        Ok(Some(params))
    }
}

impl Detail for Bodies<'_> {
    fn lay_out(&mut self, function: u32, forest: &mut Forest) -> Result<Option<Function>, AnalyzeError> {
        let Some(params) = self.decode(function)? else { return Ok(None) };
        Ok(Some(self.walker.walk(&self.module, params, forest, true)))
    }

    /// Names from the name section, else those under which functions are exported.
    fn names(&self, functions: &[u32]) -> BTreeMap<u32, String> {
        let mut out: BTreeMap<u32, String> = functions.iter().map(|&function| (function, String::new())).collect();
        if let Some(reader) = self.module.names.clone() {
            for name in reader.into_iter().map_while(Result::ok) {
                if let wasmparser::Name::Function(map) = name {
                    for naming in map.into_iter().map_while(Result::ok) {
                        if let Some(place) = out.get_mut(&naming.index) {
                            *place = naming.name.chars().take(MAX_NAME).collect();
                        }
                    }
                    break;
                }
            }
        }
        for (name, function) in &self.module.exports {
            if let Some(place) = out.get_mut(function).filter(|place| place.is_empty()) {
                *place = name.chars().take(MAX_NAME).collect();
            }
        }
        out.retain(|_, name| !name.is_empty());
        out
    }

    fn offset(&self, function: u32) -> Option<u64> {
        self.module.body(function).map(|body| body.offset)
    }

    fn algorithms(&mut self, function: u32) -> BTreeSet<&'static str> {
        self.take_stock();
        if !matches!(self.decode(function), Ok(Some(_))) {
            return BTreeSet::new();
        }
        self.holdings.as_ref().map(|held| signatures::algorithms(&self.walker.decoded.ops, held)).unwrap_or_default()
    }

    fn all_algorithms(&mut self) -> Algorithms {
        let first = self.module.imports.len() as u32;
        let functions = first..first + self.module.bodies.len() as u32;
        let found = functions.map(|function| (function, self.algorithms(function)));
        let by_function: BTreeMap<_, _> = found.filter(|(_, algorithms)| !algorithms.is_empty()).collect();
        let tables = self.holdings.iter().flat_map(|held| &held.tables);
        let mut all: BTreeSet<_> = tables.map(|table| table.algorithm).collect();
        all.extend(by_function.values().flatten());
        Algorithms { all, by_function }
    }
}
