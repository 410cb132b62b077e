//! A module asked again about single functions: their layout with work told by class, their names.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::module::Module;
use super::trees::{self, Recordings, Work};
use super::words;
use crate::dependence::{Accesses, Finding, Recorder, Recording};
use crate::effects::{Callees, Effects};
use crate::error::AnalyzeError;
use crate::frontend::reading::allocator;
use crate::frontend::{Algorithms, Allocator, Detail};
use crate::hash::QuickMap;
use crate::loops::watch::stack_pointer;
use crate::loops::{Keep, Walker};
use crate::program::{Forest, Function, Program};

/// Longest function name that is shown, in characters.
const MAX_NAME: usize = 300;

/// What was found when the whole module was read.
#[derive(Default)]
pub(super) struct Kept {
    pub algorithms: Algorithms,
    /// Addresses that functions name which may not be laid out, by function.
    pub named: Vec<(u32, u32)>,
    pub recordings: Recordings,
    /// What functions do, as far as it was noted while they were laid out.
    pub effects: QuickMap<u32, Effects>,
}

/// A core module and what it takes to read its bodies once more.
#[derive(Default)]
pub(super) struct Bodies<'a> {
    module: Module<'a>,
    walker: Walker,
    recorder: Recorder,
    kept: Kept,
    /// Of the name section, once they were asked for.
    names: OnceCell<Vec<(u32, &'a str)>>,
    /// The global that is the stack's pointer, if any, once that was asked.
    stack: Option<Option<u32>>,
}

impl<'a> Bodies<'a> {
    pub(super) fn new(module: Module<'a>, kept: Kept) -> Self {
        Self { module, kept, ..Self::default() }
    }

    /// Functions and their names in the name section.
    fn named(&self) -> &[(u32, &'a str)] {
        self.names.get_or_init(|| {
            let sections = self.module.names.clone().into_iter().flatten().map_while(Result::ok);
            let functions = sections.filter_map(|section| match section {
                wasmparser::Name::Function(map) => Some(map),
                _ => None,
            });
            let each = functions.flat_map(|map| map.into_iter().map_while(Result::ok));
            each.map(|naming| (naming.index, naming.name)).collect()
        })
    }

    /// Decodes a body; the count of parameters, or `None` where there is no body.
    fn decode(&mut self, function: u32) -> Result<Option<u32>, AnalyzeError> {
        let Some(body) = self.module.body(function) else { return Ok(None) };
        let params = self.module.params(function);
        self.walker.decoded.read(&self.module, body.bytes, body.offset, params, &mut 0)?;
        Ok(Some(params))
    }

    /// What the loops of a function access, told by a walk through it whose tree is not kept.
    fn record(&mut self, function: u32) -> Option<Recording> {
        let params = self.decode(function).ok()??;
        self.walker.walk(&self.module, params, &mut Forest::default(), Keep::Accesses);
        self.walker.recording()
    }
}

impl Detail for Bodies<'_> {
    fn grow(&mut self, functions: &[u32], program: &mut Program) -> Result<(), AnalyzeError> {
        let work = Work { module: &self.module, keep: Keep::Counts, tables: None, check: false, stack: None };
        let grown = work.each(functions, &mut self.walker, |walker, part| work.lay_out(walker, part))?;
        trees::take(program, grown);
        Ok(())
    }

    fn settle(&mut self, program: &mut Program) {
        let waits = |function: u32| program.tree(function).is_some_and(|(_, tree)| tree.uncalled);
        let named: Vec<u32> = self.kept.named.iter().filter(|named| waits(named.0)).map(|named| named.1).collect();
        program.constant_words = words::unchanged(&self.module, &program.forests, &named);
    }

    fn lay_out(&mut self, function: u32, _: Callees, forest: &mut Forest) -> Result<Option<Function>, AnalyzeError> {
        let Some(params) = self.decode(function)? else { return Ok(None) };
        Ok(Some(self.walker.walk(&self.module, params, forest, Keep::Classes)))
    }

    /// In a full analysis alone.
    fn examines(&self) -> bool {
        self.module.check.is_some()
    }

    fn examine(&mut self, function: u32, callees: &Callees, asked: &[bool]) -> Option<(Vec<Finding>, Accesses)> {
        let recording = match self.kept.recordings.remove(&function) {
            Some(kept) => kept,
            None => self.record(function)?,
        };
        Some(recording.examine(&mut self.recorder, callees, asked))
    }

    /// Told, where it was not noted, by a walk through the function whose tree is not kept.
    fn effects(&mut self, function: u32) -> Effects {
        if let Some(&known) = self.kept.effects.get(&function) {
            return known;
        }
        let stack = *self.stack.get_or_insert_with(|| stack_pointer(&self.module));
        let Ok(Some(params)) = self.decode(function) else { return Effects::ANY };
        self.walker.watch.begin(stack);
        let tree = self.walker.walk(&self.module, params, &mut Forest::default(), Keep::Counts);
        self.walker.watch.end(&tree)
    }

    /// Names from the name section, else those under which functions are exported.
    fn names(&self, functions: &[u32]) -> BTreeMap<u32, String> {
        let mut out: BTreeMap<u32, String> = functions.iter().map(|&function| (function, String::new())).collect();
        for &(function, name) in self.named() {
            if let Some(place) = out.get_mut(&function) {
                *place = name.chars().take(MAX_NAME).collect();
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

    /// By the names of imports, of exports, and of the name section.
    fn allocators(&self) -> BTreeMap<u32, Allocator> {
        let mut out = BTreeMap::new();
        let imports = (0..).zip(&self.module.imports).map(|(function, import)| (function, import.name));
        let exports = self.module.exports.iter().map(|&(name, function)| (function, name));
        for (function, name) in imports.chain(exports) {
            out.extend(allocator(name).map(|found| (function, found)));
        }
        let named = self.named().iter().filter_map(|&(function, name)| Some((function, allocator(name)?)));
        out.extend(named);
        out
    }

    fn offset(&self, function: u32) -> Option<u64> {
        self.module.body(function).map(|body| body.offset)
    }

    fn algorithms(&mut self, function: u32) -> BTreeSet<&'static str> {
        self.kept.algorithms.by_function.get(&function).cloned().unwrap_or_default()
    }

    fn all_algorithms(&mut self) -> Algorithms {
        self.kept.algorithms.clone()
    }
}
