//! The functions of an image to trees: of those that a run can come to as many as a budget allows are chosen, and laid out
//! when the summary asks for them, in parallel where that pays.
//!
//! Functions in which something repeats are followed first. Of the others only those are followed that call one whose
//! counts depend on its arguments, so that constants are passed on where they tell something; the rest is laid out for
//! its counts alone.

use std::ops::Range;

use rayon::prelude::*;

use super::code::Code;
use super::layout::{INDIRECT, Layout, Look};
use super::reach::{self, Looks, Reached};
use super::roots::Roots;
use super::scan::{Scanner, Scans};
use crate::lanes::LANES;
use crate::program::{Definition, Forest, Function, NONE, Node, Program};

/// Code bytes looked at or laid out by one task: large enough to amortise its buffers, small enough to balance two
/// cores.
const TASK_BYTES: u64 = 192 << 10;

/// Rounds in which functions are followed because one they call depends on its arguments: as many wrappers deep
/// constants are passed on. A choice: wrappers of wrappers of wrappers are rare.
const ROUNDS: usize = 4;

/// Code bytes of an instruction, by which functions that were not looked at are told their length: 4.1 in bash and
/// wasmtime, 4.2 in a static program of glibc, 4.3 in rustfmt (`objdump -d`, padding included).
const INSTRUCTION_BYTES: f64 = 4.2;

/// Rounds in which functions are looked at that only those of the last one name; what those of the last name is found and not
/// looked at. A choice: assembly that calls assembly.
const BETWEEN: usize = 4;

/// Looks at all functions, those included that the others name between them.
pub(crate) fn scan(code: &mut Code<'_>, scanner: &mut Scanner) -> Scans {
    let mut out = all(code, scanner);
    let pointers = code.image.pointers.iter().map(|pointer| pointer.1);
    let mut addresses: Vec<u64> = pointers.filter(|&address| code.functions.is_between(address)).collect();
    for round in 0..=BETWEEN {
        addresses.extend(out.between());
        addresses.sort_unstable();
        addresses.dedup();
        if addresses.is_empty() {
            break;
        }
        let places = code.add(&addresses);
        out.renumber(code, &places);
        for address in addresses.drain(..).filter(|_| round < BETWEEN) {
            if let Some(place) = code.starting(address) {
                out.list[place as usize] = scanner.function(code, place as usize, &mut out);
            }
        }
    }
    out
}

/// Looks at all functions that are known.
fn all(code: &Code<'_>, scanner: &mut Scanner) -> Scans {
    let all: Vec<u32> = (0..code.functions.ranges.len() as u32).collect();
    let tasks = tasks(code, &all);
    let look = |scanner: &mut Scanner, range: Range<usize>| {
        let mut out = Scans::default();
        for index in range {
            let scan = scanner.function(code, index, &mut out);
            out.list.push(scan);
        }
        out
    };
    if rayon::current_num_threads() < 2 || tasks.len() < 2 {
        return look(scanner, 0..all.len());
    }
    let look = |scanner: &mut Scanner, range: &Range<usize>| look(scanner, range.clone());
    let parts: Vec<Scans> = tasks.par_iter().map_init(Scanner::default, look).collect();
    let mut out = Scans::default();
    parts.iter().for_each(|part| out.append(part));
    out
}

/// Chooses what may be laid out, of what a run can come to the likeliest to matter first, in a budget of code bytes; the
/// others are left `opaque`. Of the functions that an indirect call can reach as many are taken as the estimate has
/// scenarios, evenly spread over all, since each scenario calls one of them.
pub(crate) fn choose(looks: &mut Looks<'_, '_>, roots: Roots, budget: u64) -> (Program, Grown) {
    let code = looks.code();
    // Where nothing begins, nothing is reached.
    let group = if roots.begin.is_empty() { Vec::new() } else { spread(roots.reachable) };
    let Reached { list, unfollowed, partial } = reach::reach(looks, &roots.begin, &group, budget);
    let scans = looks.scans();
    let mut program = nothing(code, scans, partial);
    let (number, mut calls) = (program.forests.len() as u32, Forest::default());
    for index in list {
        let scan = &scans.list[index as usize];
        let first = calls.nodes.len() as u32;
        calls.nodes.extend(scans.calls(scan).iter().map(|&function| Node::Call { function, args: NONE }));
        calls.nodes.extend((scan.indirect > 0).then_some(Node::CallIndirect { class: INDIRECT }));
        let nodes = first..calls.nodes.len() as u32;
        let function = Function { nodes, static_ops: scan.instructions, uncalled: true, ..Function::default() };
        program.functions[code.number(index) as usize] = Definition::Body { forest: number, function };
    }
    program.forests.push(calls);
    program.lazy = true;
    program.classes = vec![if group.is_empty() { NONE } else { INDIRECT }];
    program.groups = vec![group];
    program.roots = roots.begin;
    (program, Grown { unfollowed, ..Grown::default() })
}

/// What was laid out of a program so far.
#[derive(Default)]
pub(crate) struct Grown {
    /// Functions whose values are not to be followed though something in them repeats, by place in the list, in order.
    unfollowed: Vec<u32>,
    /// Functions laid out for their counts alone, by place in the list.
    counted: Vec<u32>,
    /// Whether the counts of each function depend on its arguments; empty where none does.
    depends: Vec<bool>,
}

impl Grown {
    /// Whether the values of a function are followed, given by place in the list, where something in it asks for that.
    pub(crate) fn follows(&self, index: u32) -> bool {
        self.unfollowed.binary_search(&index).is_err()
    }

    /// Lays functions out, given by number: those in which something repeats are followed.
    pub(crate) fn add(
        &mut self,
        code: &Code<'_>,
        scans: &Scans,
        functions: &[u32],
        layout: &mut Layout,
        program: &mut Program,
    ) {
        let places = functions.iter().filter_map(|function| function.checked_sub(code.first()));
        let (repeat, rest): (Vec<u32>, Vec<u32>) = places.partition(|&index| scans.list[index as usize].repeats);
        let (repeat, structure): (Vec<u32>, Vec<u32>) = repeat.into_iter().partition(|&index| self.follows(index));
        lay_out(code, program, &structure, Look::Structure, layout);
        lay_out(code, program, &rest, Look::Counts, layout);
        self.counted.extend(rest);
        self.follow(code, &repeat, layout, program);
    }

    /// Follows those of the others that call what depends on its arguments, or themselves.
    pub(crate) fn settle(&mut self, code: &Code<'_>, scans: &Scans, layout: &mut Layout, program: &mut Program) {
        for _ in 0..=ROUNDS {
            let depends = |callee: u32| self.depends.get(callee as usize).copied().unwrap_or(false);
            let (now, later): (Vec<u32>, Vec<u32>) = self.counted.iter().partition(|&&index| {
                let calls = scans.calls(&scans.list[index as usize]).iter();
                let mut calls = calls.filter_map(|callee| callee.checked_sub(code.first()));
                calls.any(|callee| depends(callee) || callee == index)
            });
            if now.is_empty() {
                return;
            }
            self.counted = later;
            self.follow(code, &now, layout, program);
        }
    }

    fn follow(&mut self, code: &Code<'_>, list: &[u32], layout: &mut Layout, program: &mut Program) {
        lay_out(code, program, list, Look::Values, layout);
        for &index in list {
            if program.tree(code.number(index)).is_some_and(|(_, function)| function.sensitive != 0) {
                self.depends.resize(self.depends.len().max(index as usize + 1), false);
                self.depends[index as usize] = true;
            }
        }
    }
}

/// A program with nothing laid out; where some of it will not be, all functions are of a length alone.
fn nothing(code: &Code<'_>, scans: &Scans, partial: bool) -> Program {
    let mut program = Program { partial, ..Program::default() };
    program.functions.resize(code.first() as usize, Definition::Host);
    if !partial {
        let none = || Definition::Body { forest: NONE, function: Function::default() };
        program.functions.resize_with(program.functions.len() + scans.len(), none);
        return program;
    }
    program.forests.push(Forest::default());
    program.functions.extend(scans.iter().zip(&code.functions.ranges).map(|(scan, range)| {
        let guessed = ((range.end - range.start) as f64 / INSTRUCTION_BYTES).ceil() as u32;
        let static_ops = if scan.instructions > 0 { scan.instructions } else { guessed };
        let function = Function { static_ops, opaque: true, detailed: true, ..Function::default() };
        Definition::Body { forest: 0, function }
    }));
    program
}

/// As many members of a list as there are scenarios.
fn spread(list: Vec<u32>) -> Vec<u32> {
    if list.len() <= LANES {
        return list;
    }
    (0..LANES).map(|at| list[(2 * at + 1) * list.len() / (2 * LANES)]).collect()
}

/// Lays functions out, given by place in the list.
fn lay_out(code: &Code<'_>, program: &mut Program, list: &[u32], look: Look, layout: &mut Layout) {
    let tasks = tasks(code, list);
    let task = |layout: &mut Layout, range: &Range<usize>| {
        let mut forest = Forest::default();
        let lay = |&index: &u32| layout.function(code, index as usize, &mut forest, look);
        let functions: Vec<Function> = list[range.clone()].iter().map(lay).collect();
        (forest, functions)
    };
    let grown: Vec<(Forest, Vec<Function>)> = if rayon::current_num_threads() < 2 || tasks.len() < 2 {
        (!list.is_empty()).then(|| task(layout, &(0..list.len()))).into_iter().collect()
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
