//! The bodies of a module to their trees, in parallel where that pays. Those of a small one are decoded, and laid out as far
//! as calls lead to them. Of a large one they are validated and looked through for what they hold and call, and laid out
//! when the summary asks for them: a run comes to one operator in ten, and there are no two ways of laying a body out.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use rayon::prelude::*;
use wasmparser::FuncValidatorAllocations;

use super::decode::{Census, Decoded, Glance, Op};
use super::detail::Kept;
use super::module::{Body, Module};
use super::nearest::Search;
use super::read::Groups;
use super::words;
use crate::dependence::Recording;
use crate::effects::Effects;
use crate::error::AnalyzeError;
use crate::hash::QuickMap;
use crate::loops::{Keep, Walker, called, watch};
use crate::program::{Definition, Forest, Function, Program};
use crate::signatures::{self, Tables};

/// Code bytes laid out by one task: large enough to amortise its buffers, small enough to balance two cores.
const TASK_BYTES: usize = 96 << 10;

/// Functions that cryptography was told of by what they hold.
#[derive(Default)]
pub(super) struct Signs {
    pub by_function: BTreeMap<u32, BTreeSet<&'static str>>,
    /// Functions that multiply wide numbers.
    pub multipliers: BTreeSet<u32>,
}

/// What the loops of functions access, to be examined where it matters.
pub(super) type Recordings = QuickMap<u32, Recording>;

/// What one task makes: a forest, its functions by number, the features their operators use, and signs of cryptography.
#[derive(Default)]
pub(super) struct Grown {
    pub forest: Forest,
    pub functions: Vec<(u32, Function)>,
    pub features: u32,
    signs: Signs,
    /// Addresses of data that functions name, by function, where they are not laid out.
    named: Vec<(u32, u32)>,
    /// Of functions that are laid out where accesses are kept: what their loops access, and what they do besides computing.
    recordings: Recordings,
    effects: QuickMap<u32, Effects>,
    /// Those of the validator, from function to function.
    allocations: FuncValidatorAllocations,
}

impl Grown {
    /// With room for what so many bytes of code come to.
    pub(super) fn with_room(code_bytes: usize) -> Self {
        Self { forest: Forest::with_room(code_bytes), ..Self::default() }
    }
}

/// What all tasks are told.
#[derive(Clone, Copy)]
pub(super) struct Work<'a> {
    pub module: &'a Module<'a>,
    pub keep: Keep,
    pub tables: Option<&'a Tables>,
    /// Whether bodies are to be validated, where the module is.
    pub check: bool,
    /// The global that is the stack's pointer, where accesses are kept.
    pub stack: Option<u32>,
}

/// Lays out the functions that calls lead to from `roots`, and tells of the others what they call; looks for cryptography
/// where its tables are given, and notes the proposals that operators use in `module.features`.
///
/// # Errors
/// [`AnalyzeError`] of the first body, in order, that cannot be decoded or, where the module is to be validated, is not
/// valid.
pub(super) fn grow(
    module: &mut Module<'_>,
    groups: &Groups,
    roots: &[u32],
    keep: Keep,
    tables: Option<&Tables>,
) -> Result<(Program, Signs, Kept), AnalyzeError> {
    let stack = if keep == Keep::Accesses { watch::stack_pointer(module) } else { None };
    let work = Work { module, keep, tables, check: true, stack };
    let mut grown = Search::new(work, groups).all(roots).map_err(|error| work.first_offence().unwrap_or(error))?;
    let [Grown { recordings, effects, .. }, Grown { named, .. }] = &mut grown;
    let (recordings, effects) = (std::mem::take(recordings), std::mem::take(effects));
    let named: Vec<u32> = named.iter().map(|named| named.1).collect();
    let mut program = beginning(module, |_| Function::default());
    let (features, signs) = take(&mut program, grown.into());
    module.features |= features;
    program.constant_words = words::unchanged(module, &program.forests, &named);
    Ok((program, signs, Kept { recordings, effects, ..Kept::default() }))
}

/// Looks through all functions, and lays out none; further the addresses of data that functions name, by function.
///
/// # Errors
/// As [`grow`].
pub(super) fn look_through(module: &mut Module<'_>, tables: &Tables) -> Result<(Program, Signs, Kept), AnalyzeError> {
    let work = Work { module, keep: Keep::Counts, tables: Some(tables), check: true, stack: None };
    let data = words::range(module);
    let mut grown = work.each(&work.all(), &mut Walker::default(), |walker, part| {
        work.look_through(&mut walker.decoded, part, &data)
    })?;
    let named = grown.iter_mut().flat_map(|part| std::mem::take(&mut part.named)).collect();
    let mut program = Program { lazy: true, ..beginning(module, |_| Function::default()) };
    let (features, signs) = take(&mut program, grown);
    module.features |= features;
    Ok((program, signs, Kept { named, ..Kept::default() }))
}

/// A module's functions, none laid out: each is taken to be this by its body.
pub(super) fn beginning(module: &Module<'_>, unseen: impl Fn(&Body<'_>) -> Function) -> Program {
    let body = |body| Definition::Body { forest: 0, function: unseen(body) };
    let imports = module.imports.iter().map(|_| Definition::Host);
    Program { functions: imports.chain(module.bodies.iter().map(body)).collect(), ..Program::default() }
}

/// Adds what tasks have made to a program; the proposals that operators use, and signs of cryptography.
pub(super) fn take(program: &mut Program, grown: Vec<Grown>) -> (u32, Signs) {
    let (mut features, mut signs) = (0, Signs::default());
    for mut part in grown {
        signs.by_function.append(&mut part.signs.by_function);
        signs.multipliers.append(&mut part.signs.multipliers);
        let forest = program.forests.len() as u32;
        program.forests.push(part.forest);
        for (number, function) in part.functions {
            program.functions[number as usize] = Definition::Body { forest, function };
        }
        features |= part.features;
    }
    (features, signs)
}

/// The proposals that the operators of a module use, which is not looked into further.
///
/// # Errors
/// As [`grow`].
pub(super) fn proposals(module: &Module<'_>) -> Result<u32, AnalyzeError> {
    let work = Work { module, keep: Keep::Counts, tables: None, check: true, stack: None };
    let grown = work.each(&work.all(), &mut Walker::default(), |walker, part| {
        work.look_through(&mut walker.decoded, part, &(0..0))
    })?;
    Ok(grown.iter().fold(0, |set, part| set | part.features))
}

impl Work<'_> {
    /// All functions with a body.
    pub(super) fn all(self) -> Vec<u32> {
        (self.module.imports.len() as u32..self.module.functions.len() as u32).collect()
    }

    /// Has all of these functions, given in order, done by tasks.
    ///
    /// # Errors
    /// Of the first that fails.
    pub(super) fn each(
        self,
        functions: &[u32],
        walker: &mut Walker,
        task: impl Fn(&mut Walker, &[u32]) -> Result<Grown, AnalyzeError> + Sync,
    ) -> Result<Vec<Grown>, AnalyzeError> {
        let tasks = self.tasks(functions);
        if tasks.len() < 2 || rayon::current_num_threads() < 2 {
            return tasks.into_iter().map(|part| task(walker, part)).collect();
        }
        // Of several that fail the first by place is told, whatever order the threads ran in.
        let grown: Vec<_> = tasks.par_iter().map_init(Walker::default, |walker, part| task(walker, part)).collect();
        grown.into_iter().collect()
    }

    /// Splits functions into runs of about so many bytes as a task takes.
    fn tasks(self, functions: &[u32]) -> Vec<&[u32]> {
        let mut out = Vec::new();
        let (mut begin, mut bytes) = (0, 0);
        for (index, &function) in functions.iter().enumerate() {
            bytes += self.module.body(function).map_or(0, |body| body.bytes.len());
            if bytes >= TASK_BYTES {
                out.push(&functions[begin..=index]);
                (begin, bytes) = (index + 1, 0);
            }
        }
        if begin < functions.len() {
            out.push(&functions[begin..]);
        }
        out
    }

    /// Decodes a function, validating it where the module is to be; the count of its parameters.
    fn decode(
        self,
        decoded: &mut Decoded,
        function: u32,
        body: Body<'_>,
        grown: &mut Grown,
    ) -> Result<u32, AnalyzeError> {
        let params = self.module.params(function);
        match self.module.check.as_ref().filter(|_| self.check) {
            Some(check) => {
                let checked = (check.function(self.module, function), &mut grown.allocations);
                decoded.read_checked(self.module, body, params, &mut grown.features, checked)?;
            }
            None => decoded.read(self.module, body.bytes, body.offset, params, &mut grown.features)?,
        }
        Ok(params)
    }

    /// What is wrong with the first body, in order, with which anything is.
    fn first_offence(self) -> Option<AnalyzeError> {
        let (mut decoded, mut grown) = (Decoded::default(), Grown::default());
        let offends = |function| self.decode(&mut decoded, function, self.module.body(function)?, &mut grown).err();
        self.all().into_iter().find_map(offends)
    }

    /// Lays out functions, and takes note of what they hold.
    pub(super) fn lay_out(self, walker: &mut Walker, part: &[u32]) -> Result<Grown, AnalyzeError> {
        let bytes = part.iter().filter_map(|&function| self.module.body(function)).map(|body| body.bytes.len()).sum();
        let mut grown = Grown::with_room(bytes);
        for &function in part {
            self.one(walker, function, &mut grown)?;
        }
        Ok(grown)
    }

    /// Lays a function out at the end of what a task has made.
    pub(super) fn one(self, walker: &mut Walker, function: u32, grown: &mut Grown) -> Result<(), AnalyzeError> {
        let Some(body) = self.module.body(function) else { return Ok(()) };
        let params = self.decode(&mut walker.decoded, function, body, grown)?;
        if self.keep == Keep::Accesses {
            walker.watch.begin(self.stack);
        }
        let tree = walker.walk(self.module, params, &mut grown.forest, self.keep);
        if self.keep == Keep::Accesses {
            grown.effects.insert(function, walker.watch.end(&tree));
            grown.recordings.extend(walker.recording().map(|recording| (function, recording)));
        }
        grown.functions.push((function, tree));
        let Decoded { ops, census, .. } = &walker.decoded;
        self.sign(census, (function, body), &mut grown.signs, || Ok(ops))
    }

    /// Lays out of functions what they call alone.
    pub(super) fn outline(self, walker: &mut Walker, part: &[u32]) -> Result<Grown, AnalyzeError> {
        let mut grown = Grown::default();
        for &function in part {
            let Some(body) = self.module.body(function) else { continue };
            self.decode(&mut walker.decoded, function, body, &mut grown)?;
            let tree = walker.outline(self.module, &mut grown.forest);
            grown.functions.push((function, tree));
        }
        Ok(grown)
    }

    /// Takes note of what functions hold, and of what they call.
    pub(super) fn look_through(
        self,
        decoded: &mut Decoded,
        part: &[u32],
        data: &Range<i64>,
    ) -> Result<Grown, AnalyzeError> {
        let mut grown = Grown::default();
        let mut glance = Glance::default();
        for &function in part {
            // Only a module that is read in full is looked through, and such a one can be checked.
            debug_assert!(self.module.check.is_some());
            let (Some(body), Some(check)) = (self.module.body(function), &self.module.check) else { continue };
            let checked = (check.function(self.module, function), &mut grown.allocations);
            glance.read(self.module, body, data, &mut grown.features, checked)?;
            let nodes = &mut grown.forest.nodes;
            let first = nodes.len() as u32;
            nodes.extend(glance.calls.iter().copied().map(called));
            let nodes = first..nodes.len() as u32;
            grown.named.extend(glance.named.iter().map(|&address| (function, address)));
            let static_ops = glance.operators;
            grown.functions.push((function, Function { nodes, static_ops, uncalled: true, ..Function::default() }));
            self.sign(&glance.census, (function, body), &mut grown.signs, || {
                decoded.read(self.module, body.bytes, body.offset, self.module.params(function), &mut 0)?;
                Ok(&decoded.ops)
            })?;
        }
        Ok(grown)
    }

    /// Notes the cryptography that a function betrays by its census, and by its operators where the census asks for them.
    fn sign<'o>(
        self,
        census: &Census,
        (function, body): (u32, Body<'_>),
        signs: &mut Signs,
        ops: impl FnOnce() -> Result<&'o Vec<Op>, AnalyzeError>,
    ) -> Result<(), AnalyzeError> {
        let Some(tables) = self.tables else { return Ok(()) };
        let mut algorithms = signatures::by_constants(census, tables);
        let rounds = signatures::may_go_in_rounds(census);
        let multiplies = body.bytes.len() <= signatures::MULTIPLIER_BYTES && signatures::may_multiply_wide(census);
        if rounds || multiplies {
            let ops = ops()?;
            if rounds {
                signatures::by_rounds(ops, &mut algorithms);
            }
            if multiplies && signatures::multiplies_wide(ops) {
                signs.multipliers.insert(function);
            }
        }
        if !algorithms.is_empty() {
            signs.by_function.insert(function, algorithms);
        }
        Ok(())
    }
}
