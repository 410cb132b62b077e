//! The functions of an image to trees: all are looked at, those that a run can come to are laid out; in parallel where
//! that pays.
//!
//! Functions in which something repeats are followed first. Of the others only those are followed that call one whose
//! counts depend on its arguments, so that constants are passed on where they tell something; the rest is laid out for
//! its counts alone.

use std::ops::Range;

use rayon::prelude::*;

use super::code::Code;
use super::layout::{Layout, Look};
use super::roots::Roots;
use super::scan::{Scanner, Scans};
use crate::lanes::LANES;
use crate::program::{Definition, Forest, Function, NONE, Program};

/// Code bytes looked at or laid out by one task: large enough to amortise its buffers, small enough to balance two
/// cores.
const TASK_BYTES: u64 = 192 << 10;

/// Rounds in which functions are followed because one they call depends on its arguments: as many wrappers deep
/// constants are passed on. A choice: wrappers of wrappers of wrappers are rare.
const ROUNDS: usize = 4;

/// Looks at all functions.
pub(crate) fn scan(code: &Code<'_>) -> Scans {
    let all: Vec<u32> = (0..code.functions.ranges.len() as u32).collect();
    let tasks = tasks(code, &all);
    let look = |scanner: &mut Scanner, range: &Range<usize>| {
        let mut out = Scans::default();
        range.clone().for_each(|index| scanner.function(code, index, &mut out));
        out
    };
    let mut parts: Vec<Scans> = if rayon::current_num_threads() < 2 || tasks.len() < 2 {
        let mut scanner = Scanner::default();
        let mut out = Scans::default();
        all.iter().for_each(|&index| scanner.function(code, index as usize, &mut out));
        vec![out]
    } else {
        tasks.par_iter().map_init(Scanner::default, look).collect()
    };
    if parts.len() == 1 {
        return parts.swap_remove(0);
    }
    let mut out = Scans::default();
    parts.iter().for_each(|part| out.append(part));
    out
}

/// Lays out what a run can come to. Of the functions that an indirect call can reach as many are taken as the estimate
/// has scenarios, evenly spread over all, since each scenario calls one of them.
pub(crate) fn grow(code: &Code<'_>, scans: &Scans, roots: Roots) -> Program {
    // Where nothing begins, nothing is reached.
    let group = if roots.begin.is_empty() { Vec::new() } else { spread(roots.reachable) };
    let first = code.first();
    let mut program = Program::default();
    program.functions.resize(first as usize, Definition::Host);
    let none = || Definition::Body { forest: NONE, function: Function::default() };
    program.functions.resize_with(first as usize + scans.len(), none);
    let mut left = reached(code, scans, roots.begin.iter().chain(&group));
    let mut depends = vec![false; scans.len()];
    for round in 0..=ROUNDS {
        let (now, later): (Vec<u32>, Vec<u32>) = left.iter().partition(|&&index| {
            let scan = &scans.list[index as usize];
            let calls = || scans.calls(scan).iter().filter_map(|callee| callee.checked_sub(first));
            let telling = |callee: u32| depends.get(callee as usize).copied().unwrap_or(false) || callee == index;
            round > 0 && calls().any(telling) || round == 0 && (scan.repeats || calls().any(telling))
        });
        if now.is_empty() && round > 0 {
            break;
        }
        lay_out(code, &mut program, &now, Look::Values);
        left = later;
        for index in now {
            if let Some((_, function)) = program.tree(first + index) {
                depends[index as usize] = function.sensitive != 0;
            }
        }
    }
    lay_out(code, &mut program, &left, Look::Counts);
    program.classes = vec![if group.is_empty() { NONE } else { 0 }];
    program.groups = vec![group];
    program.roots = roots.begin;
    program
}

/// As many members of a list as there are scenarios.
fn spread(list: Vec<u32>) -> Vec<u32> {
    if list.len() <= LANES {
        return list;
    }
    (0..LANES).map(|at| list[(2 * at + 1) * list.len() / (2 * LANES)]).collect()
}

/// Functions that calls lead to, by place in the list, in order.
fn reached<'a>(code: &Code<'_>, scans: &Scans, from: impl Iterator<Item = &'a u32>) -> Vec<u32> {
    let mut seen = vec![false; scans.len()];
    let mut work: Vec<u32> = from.copied().collect();
    let mut out = Vec::new();
    while let Some(function) = work.pop() {
        let Some(index) = function.checked_sub(code.first()) else { continue };
        let Some(scan) = scans.list.get(index as usize) else { continue };
        if !std::mem::replace(&mut seen[index as usize], true) {
            out.push(index);
            work.extend_from_slice(scans.calls(scan));
        }
    }
    out.sort_unstable();
    out
}

/// Lays functions out, given by place in the list.
fn lay_out(code: &Code<'_>, program: &mut Program, list: &[u32], look: Look) {
    let tasks = tasks(code, list);
    let task = |layout: &mut Layout, range: &Range<usize>| {
        let mut forest = Forest::default();
        let lay = |&index: &u32| layout.function(code, index as usize, &mut forest, look);
        let functions: Vec<Function> = list[range.clone()].iter().map(lay).collect();
        (forest, functions)
    };
    let grown: Vec<(Forest, Vec<Function>)> = if rayon::current_num_threads() < 2 || tasks.len() < 2 {
        let mut layout = Layout::default();
        (!list.is_empty()).then(|| task(&mut layout, &(0..list.len()))).into_iter().collect()
    } else {
        tasks.par_iter().map_init(Layout::default, task).collect()
    };
    let mut next = list.iter();
    for (forest, functions) in grown {
        let number = program.forests.len() as u32;
        program.forests.push(forest);
        for (function, &index) in functions.into_iter().zip(next.by_ref()) {
            program.functions[(code.first() + index) as usize] = Definition::Body { forest: number, function };
        }
    }
}

/// Splits functions, given by place in the list, into runs of about [`TASK_BYTES`].
fn tasks(code: &Code<'_>, list: &[u32]) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let (mut begin, mut bytes) = (0, 0);
    for (at, &index) in list.iter().enumerate() {
        let range = &code.functions.ranges[index as usize];
        bytes += range.end - range.start;
        if bytes >= TASK_BYTES {
            out.push(begin..at + 1);
            (begin, bytes) = (at + 1, 0);
        }
    }
    if begin < list.len() {
        out.push(begin..list.len());
    }
    out
}
