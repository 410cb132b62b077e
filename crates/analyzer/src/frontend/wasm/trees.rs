//! Every body of a module to its tree, in parallel where that pays.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use rayon::prelude::*;
use wasmparser::FuncValidatorAllocations;

use super::decode::Decoded;
use super::module::Module;
use super::words;
use crate::error::AnalyzeError;
use crate::loops::{Keep, Walker};
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

/// What one task makes: a forest, its functions, the features their operators use, and signs of cryptography.
type Grown = (Forest, Vec<Function>, u32, Signs);

/// Lays out all functions, imported ones first, and looks for cryptography where its tables are given; notes the
/// proposals their operators use in `module.features`.
///
/// # Errors
/// [`AnalyzeError`] of the first body, in order, that cannot be decoded.
pub(super) fn grow(
    module: &mut Module<'_>,
    keep: Keep,
    tables: Option<&Tables>,
) -> Result<(Program, Signs), AnalyzeError> {
    let tasks = tasks(module, TASK_BYTES);
    let shared = &*module;
    let grown: Vec<Result<Grown, AnalyzeError>> = if tasks.len() < 2 {
        let mut walker = Walker::default();
        tasks.iter().map(|range| task(shared, &mut walker, range.clone(), keep, tables)).collect()
    } else {
        tasks
            .par_iter()
            .map_init(Walker::default, |walker, range| task(shared, walker, range.clone(), keep, tables))
            .collect()
    };
    let mut program = Program::default();
    program.functions.reserve(module.functions.len());
    program.functions.resize(module.imports.len(), Definition::Host);
    let (mut features, mut signs) = (0, Signs::default());
    for result in grown {
        let (tree, functions, used, mut found) = result?;
        signs.by_function.append(&mut found.by_function);
        signs.multipliers.append(&mut found.multipliers);
        let forest = program.forests.len() as u32;
        program.forests.push(tree);
        program.functions.extend(functions.into_iter().map(|function| Definition::Body { forest, function }));
        features |= used;
    }
    module.features |= features;
    program.constant_words = words::unchanged(module, &mut program.forests);
    Ok((program, signs))
}

/// The proposals that the operators of a module use.
///
/// # Errors
/// [`AnalyzeError`] of the first body that cannot be decoded.
pub(super) fn features(module: &Module<'_>) -> Result<u32, AnalyzeError> {
    let mut decoded = Decoded::default();
    let mut features = 0;
    for (function, body) in (module.imports.len() as u32..).zip(&module.bodies) {
        decoded.read(module, body.bytes, body.offset, module.params(function), &mut features)?;
    }
    Ok(features)
}

/// Splits the bodies into runs of about so many bytes.
fn tasks(module: &Module<'_>, most: usize) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let (mut begin, mut bytes) = (0, 0);
    for (index, body) in module.bodies.iter().enumerate() {
        bytes += body.bytes.len();
        if bytes >= most {
            out.push(begin..index + 1);
            (begin, bytes) = (index + 1, 0);
        }
    }
    if begin < module.bodies.len() {
        out.push(begin..module.bodies.len());
    }
    out
}

fn task(
    module: &Module<'_>,
    walker: &mut Walker,
    range: Range<usize>,
    keep: Keep,
    tables: Option<&Tables>,
) -> Result<Grown, AnalyzeError> {
    let mut forest = Forest::with_room(module.bodies[range.clone()].iter().map(|body| body.bytes.len()).sum());
    let mut functions = Vec::with_capacity(range.len());
    let (mut features, mut signs) = (0, Signs::default());
    let mut allocations = FuncValidatorAllocations::default();
    for index in range {
        let function = (module.imports.len() + index) as u32;
        functions.push(match &module.check {
            Some(check) => {
                let params = module.params(function);
                let checked = (check.function(module, function), &mut allocations);
                walker.decoded.read_checked(module, module.bodies[index], params, &mut features, checked)?;
                walker.walk(module, params, &mut forest, keep)
            }
            None => lay_out(module, walker, function, &mut forest, keep, &mut features)?,
        });
        if let Some(tables) = tables {
            let ops = &walker.decoded.ops;
            let algorithms = signatures::algorithms(ops, &walker.decoded.census, tables);
            if !algorithms.is_empty() {
                signs.by_function.insert(function, algorithms);
            }
            if module.bodies[index].bytes.len() <= signatures::MULTIPLIER_BYTES
                && signatures::multiplies_wide(ops, &walker.decoded.census)
            {
                signs.multipliers.insert(function);
            }
        }
    }
    Ok((forest, functions, features, signs))
}

/// Decodes a function that has a body and lays it out in a forest; notes the proposals that it uses.
pub(super) fn lay_out(
    module: &Module<'_>,
    walker: &mut Walker,
    function: u32,
    forest: &mut Forest,
    keep: Keep,
    features: &mut u32,
) -> Result<Function, AnalyzeError> {
    let Some(body) = module.body(function) else { return Ok(Function::default()) };
    let params = module.params(function);
    walker.decoded.read(module, body.bytes, body.offset, params, features)?;
    Ok(walker.walk(module, params, forest, keep))
}
