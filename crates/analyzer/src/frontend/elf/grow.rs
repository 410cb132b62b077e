//! Every function of an image to its tree, in parallel where that pays.

use std::ops::Range;

use rayon::prelude::*;

use super::code::Code;
use super::layout::Layout;
use super::scan::Scan;
use crate::program::{Definition, Forest, Function, Program};

/// Code bytes laid out by one task: large enough to amortise its buffers, small enough to balance two cores.
const TASK_BYTES: u64 = 96 << 10;

/// What one task makes.
type Grown = (Forest, Vec<Function>, Vec<Scan>);

/// Lays out all functions; what each tells besides.
pub(crate) fn grow(code: &Code<'_>) -> (Program, Vec<Scan>) {
    let tasks = tasks(code);
    let grown: Vec<Grown> = if tasks.len() < 2 {
        let mut layout = Layout::default();
        tasks.iter().map(|range| task(code, &mut layout, range.clone())).collect()
    } else {
        tasks.par_iter().map_init(Layout::default, |layout, range| task(code, layout, range.clone())).collect()
    };
    let mut program = Program::default();
    program.functions.resize(code.first() as usize, Definition::Host);
    let mut scans = Vec::new();
    for (forest, functions, scanned) in grown {
        let number = program.forests.len() as u32;
        program.forests.push(forest);
        program.functions.extend(functions.into_iter().map(|function| Definition::Body { forest: number, function }));
        scans.extend(scanned);
    }
    (program, scans)
}

/// Splits the functions into runs of about [`TASK_BYTES`].
fn tasks(code: &Code<'_>) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let (mut begin, mut bytes) = (0, 0);
    for (index, range) in code.functions.ranges.iter().enumerate() {
        bytes += range.end - range.start;
        if bytes >= TASK_BYTES {
            out.push(begin..index + 1);
            (begin, bytes) = (index + 1, 0);
        }
    }
    if begin < code.functions.ranges.len() {
        out.push(begin..code.functions.ranges.len());
    }
    out
}

fn task(code: &Code<'_>, layout: &mut Layout, range: Range<usize>) -> Grown {
    let mut forest = Forest::default();
    let mut functions = Vec::with_capacity(range.len());
    let mut scans = Vec::with_capacity(range.len());
    for index in range {
        let function = layout.function(code, index, &mut forest, false);
        scans.push(layout.scan(!function.opaque));
        functions.push(function);
    }
    (forest, functions, scans)
}
