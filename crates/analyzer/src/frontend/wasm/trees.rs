//! Every body of a module to its tree, in parallel where that pays.

use std::ops::Range;

use rayon::prelude::*;

use super::module::Module;
use crate::error::AnalyzeError;
use crate::loops::Walker;
use crate::program::{Definition, Forest, Function, Program};

/// Code bytes laid out by one task: large enough to amortise its buffers, small enough to balance two cores.
const TASK_BYTES: usize = 96 << 10;

/// What one task makes: a forest, its functions, and the features their operators use.
type Grown = (Forest, Vec<Function>, u32);

/// Lays out all functions, imported ones first; notes the proposals their operators use in `module.features`.
///
/// # Errors
/// [`AnalyzeError`] of the first body, in order, that cannot be decoded.
pub(crate) fn grow(module: &mut Module<'_>) -> Result<Program, AnalyzeError> {
    let tasks = tasks(module);
    let shared = &*module;
    let grown: Vec<Result<Grown, AnalyzeError>> = if tasks.len() < 2 {
        let mut walker = Walker::default();
        tasks.iter().map(|range| task(shared, &mut walker, range.clone())).collect()
    } else {
        tasks.par_iter().map_init(Walker::default, |walker, range| task(shared, walker, range.clone())).collect()
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

/// Splits the bodies into runs of about [`TASK_BYTES`].
fn tasks(module: &Module<'_>) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let (mut begin, mut bytes) = (0, 0);
    for (index, body) in module.bodies.iter().enumerate() {
        bytes += body.bytes.len();
        if bytes >= TASK_BYTES {
            out.push(begin..index + 1);
            (begin, bytes) = (index + 1, 0);
        }
    }
    if begin < module.bodies.len() {
        out.push(begin..module.bodies.len());
    }
    out
}

fn task(module: &Module<'_>, walker: &mut Walker, range: Range<usize>) -> Result<Grown, AnalyzeError> {
    let mut forest = Forest::default();
    let mut functions = Vec::with_capacity(range.len());
    let mut features = 0;
    for index in range {
        let body = module.bodies[index];
        let function = (module.imports.len() + index) as u32;
        let params = module.params(function);
        walker.decoded.read(module, body.bytes, body.offset, params, &mut features)?;
        functions.push(walker.walk(module, params, &mut forest, false));
    }
    Ok((forest, functions, features))
}
