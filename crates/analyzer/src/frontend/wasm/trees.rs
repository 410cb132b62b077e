//! Every body of a module to its tree, in parallel where that pays.

use std::ops::Range;

use rayon::prelude::*;

use super::module::Module;
use crate::error::AnalyzeError;
use crate::loops::Walker;
use crate::program::{Definition, Forest, Function, Program};

/// Code bytes laid out by one task: large enough to amortise its buffers, small enough to balance two cores.
pub(super) const TASK_BYTES: usize = 96 << 10;

/// What one task makes: a forest, its functions, and the features their operators use.
type Grown = (Forest, Vec<Function>, u32);

/// Lays out all functions, imported ones first, in `detail` where a first run wants each only once; notes the proposals their operators use in `module.features`.
///
/// # Errors
/// [`AnalyzeError`] of the first body, in order, that cannot be decoded.
pub(crate) fn grow(module: &mut Module<'_>, detail: bool) -> Result<Program, AnalyzeError> {
    let tasks = tasks(module, TASK_BYTES);
    let shared = &*module;
    let grown: Vec<Result<Grown, AnalyzeError>> = if tasks.len() < 2 {
        let mut walker = Walker::default();
        tasks.iter().map(|range| task(shared, &mut walker, range.clone(), detail)).collect()
    } else {
        tasks
            .par_iter()
            .map_init(Walker::default, |walker, range| task(shared, walker, range.clone(), detail))
            .collect()
    };
    let mut program = Program::default();
    program.functions.reserve(module.functions.len());
    program.functions.resize(module.imports.len(), Definition::Host);
    let mut features = 0;
    for result in grown {
        let (tree, functions, used) = result?;
        let forest = program.forests.len() as u32;
        program.forests.push(tree);
        program.functions.extend(functions.into_iter().map(|function| Definition::Body { forest, function }));
        features |= used;
    }
    module.features |= features;
    Ok(program)
}

/// Splits the bodies into runs of about so many bytes.
pub(super) fn tasks(module: &Module<'_>, most: usize) -> Vec<Range<usize>> {
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

fn task(module: &Module<'_>, walker: &mut Walker, range: Range<usize>, detail: bool) -> Result<Grown, AnalyzeError> {
    let mut forest = Forest::default();
    let mut functions = Vec::with_capacity(range.len());
    let mut features = 0;
    for index in range {
        let function = (module.imports.len() + index) as u32;
        functions.push(lay_out(module, walker, function, &mut forest, detail, &mut features)?);
    }
    Ok((forest, functions, features))
}

/// Decodes a function that has a body and lays it out in a forest, with its work told by class where `detail` is asked
/// for; notes the proposals that it uses.
pub(super) fn lay_out(
    module: &Module<'_>,
    walker: &mut Walker,
    function: u32,
    forest: &mut Forest,
    detail: bool,
    features: &mut u32,
) -> Result<Function, AnalyzeError> {
    let Some(body) = module.body(function) else { return Ok(Function::default()) };
    let params = module.params(function);
    walker.decoded.read(module, body.bytes, body.offset, params, features)?;
    Ok(walker.walk(module, params, forest, detail))
}
