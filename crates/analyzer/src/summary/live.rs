//! Which functions of a program a run comes to, before any of them is evaluated for what it costs: from the entry point
//! outwards, each function's flow is followed once, and what it calls in some scenario is laid out.
//!
//! A scenario goes one way at a branch that is met once and picks one of many functions that a call may reach, so that
//! a run comes to a small part of a large program, and only that need be understood. Part of the call summary.

use crate::error::AnalyzeError;
use crate::frequency::{Cost, Dealt, Visitor, evaluate};
use crate::frontend::Detail;
use crate::lanes::{LANES, Lanes};
use crate::program::{Node, Program};

/// Scenarios, one bit each.
type Scenarios = u16;

const ALL: Scenarios = Scenarios::MAX;

/// A call that some scenarios come to: of a function, or of one of a group.
#[derive(Debug, Clone, Copy)]
enum Callee {
    Function(u32),
    Group(u32),
}

/// The functions that a run is seen to come to.
pub(super) struct Live {
    /// The scenarios in which each function is called.
    called: Vec<Scenarios>,
    /// What each function calls that was looked at.
    calls: Vec<Option<Vec<(Callee, Scenarios)>>>,
    /// Those that are called and were not looked at.
    waiting: Vec<u32>,
    /// Calls whose scenarios have not been passed on.
    spreading: Vec<(u32, Scenarios)>,
}

impl Live {
    /// Of a program, from its roots.
    pub(super) fn new(program: &Program) -> Self {
        let functions = program.functions.len();
        let spreading = program.roots.iter().map(|&root| (root, ALL)).collect();
        Self { called: vec![0; functions], calls: vec![None; functions], waiting: Vec::new(), spreading }
    }

    /// Adds functions that were seen to be called under arguments that are known.
    pub(super) fn add(&mut self, functions: impl IntoIterator<Item = u32>) {
        self.spreading.extend(functions.into_iter().map(|function| (function, ALL)));
    }

    /// Lays out all that is called.
    ///
    /// # Errors
    /// Where the code cannot be read.
    pub(super) fn spread(&mut self, program: &mut Program, detail: &mut dyn Detail) -> Result<(), AnalyzeError> {
        loop {
            self.pass_on(program);
            let mut wave = std::mem::take(&mut self.waiting);
            if wave.is_empty() {
                return Ok(());
            }
            wave.sort_unstable();
            let new = |function: &u32| program.tree(*function).is_some_and(|(_, tree)| tree.uncalled);
            let new: Vec<u32> = wave.iter().copied().filter(new).collect();
            detail.grow(&new, program)?;
            for function in wave {
                let mut survey = Survey { program, calls: Vec::new() };
                let calls = program.nodes(function).iter().any(|node| survey.leads_to(node));
                if let Some((forest, tree)) = program.tree(function).filter(|_| calls) {
                    evaluate(forest, tree, &[], 0.0, &mut survey);
                }
                self.calls[function as usize] = Some(survey.calls);
                self.spreading.push((function, std::mem::take(&mut self.called[function as usize])));
            }
        }
    }

    /// Passes scenarios on from callers to callees that were looked at.
    fn pass_on(&mut self, program: &Program) {
        while let Some((function, scenarios)) = self.spreading.pop() {
            let Some(called) = self.called.get_mut(function as usize) else { continue };
            let new = scenarios & !*called;
            if new == 0 {
                continue;
            }
            let first = *called == 0;
            *called |= new;
            let Some(calls) = &self.calls[function as usize] else {
                if first {
                    self.waiting.push(function);
                }
                continue;
            };
            for &(callee, scenarios) in calls {
                match callee {
                    Callee::Function(function) => self.spreading.push((function, scenarios & new)),
                    Callee::Group(group) => {
                        let members = super::picks(group, &program.groups[group as usize]);
                        let each = members.into_iter().enumerate();
                        self.spreading.extend(each.map(|(lane, member)| (member, scenarios & new & 1 << lane)));
                    }
                }
            }
        }
    }
}

/// A function's flow, followed for what it calls.
struct Survey<'a> {
    program: &'a Program,
    calls: Vec<(Callee, Scenarios)>,
}

impl Survey<'_> {
    /// Whether a node may lead to code that is to be laid out.
    fn leads_to(&self, node: &Node) -> bool {
        match *node {
            Node::Call { function, .. } => !self.program.is_host(function),
            Node::CallIndirect { .. } => true,
            _ => false,
        }
    }

    fn note(&mut self, callee: Callee, times: Lanes) {
        let scenarios = (0..LANES).fold(0, |all, lane| all | Scenarios::from(times.0[lane] > 0.0) << lane);
        self.calls.push((callee, scenarios));
    }
}

impl Visitor for Survey<'_> {
    fn sensitive(&self, _function: u32) -> u64 {
        0
    }

    fn text(&self, address: i64) -> Option<&[u8]> {
        self.program.text(address)
    }

    fn addresses(&self) -> i64 {
        self.program.addresses
    }

    fn call(&mut self, function: u32, _arguments: &[Option<i64>], times: Lanes, _dealt: Dealt, _sum: &mut Cost) {
        if !self.program.is_host(function) {
            self.note(Callee::Function(function), times);
        }
    }

    fn call_indirect(&mut self, class: u32, times: Lanes, _sum: &mut Cost) {
        if let Some(group) = self.program.group(class) {
            self.note(Callee::Group(group), times);
        }
    }
}
