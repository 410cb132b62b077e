//! What calls do besides giving a result, so that a loop is not taken for one whose iterations depend on each other merely
//! because it calls something.
//!
//! A front end tells what a function's own code does ([`Detail::effects`]); what it calls is added here, through all that
//! can be reached, up to a bound. Asked for the callees of functions that are laid out in detail. Called by the summary.

use std::ops::{BitOr, BitOrAssign};

use crate::frontend::Detail;
use crate::hash::{QuickMap, QuickSet};
use crate::program::{Node, Program};

/// Functions that one call is followed into at most; a call that leads to more may do anything.
const MAX_REACHED: usize = 48;

/// Nodes of such functions, at most.
const MAX_NODES: usize = 1 << 14;

/// Members of a group up to which an indirect call is followed into all of them.
const MAX_MEMBERS: usize = 8;

/// What code does besides computing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Effects {
    what: What,
    /// Registers that it may take arguments in, one bit each, where the caller does not name its arguments.
    pub takes: u32,
}

/// From less to more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    #[default]
    Computes,
    Reads,
    Anything,
}

impl Effects {
    /// It computes alone; what it keeps in a stack frame of its own is gone when it returns.
    pub(crate) const NONE: Self = Self { what: What::Computes, takes: 0 };
    /// It reads memory that others may write.
    pub(crate) const READS: Self = Self { what: What::Reads, takes: 0 };
    /// It may do anything.
    pub(crate) const ANY: Self = Self { what: What::Anything, takes: 0 };

    /// Whether it may do anything.
    pub(crate) fn is_any(self) -> bool {
        self.what == What::Anything
    }

    /// Whether it reads memory at the most, and does that.
    pub(crate) fn reads(self) -> bool {
        self.what == What::Reads
    }

    /// The same of code that takes arguments in these registers.
    pub(crate) fn taking(self, takes: u32) -> Self {
        Self { takes, ..self }
    }
}

impl BitOr for Effects {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self { what: self.what.max(other.what), takes: self.takes | other.takes }
    }
}

impl BitOrAssign for Effects {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}

/// What the calls of a function do, by callee: the number of a function, or the class of an indirect one.
#[derive(Debug, Default)]
pub(crate) struct Callees {
    direct: QuickMap<u32, Effects>,
    indirect: QuickMap<u32, Effects>,
}

impl Callees {
    /// What a node does that is a call.
    pub(crate) fn of(&self, node: &Node) -> Effects {
        let found = match node {
            Node::Call { function, .. } => self.direct.get(function),
            Node::CallIndirect { class } => self.indirect.get(class),
            _ => None,
        };
        found.copied().unwrap_or(Effects::ANY)
    }
}

/// What functions do by themselves, as far as it was asked.
#[derive(Debug, Default)]
pub(crate) struct Known {
    own: QuickMap<u32, Effects>,
}

impl Known {
    /// What the calls of a function do in loops; empty where it has none there.
    pub(crate) fn callees(&mut self, program: &Program, detail: &mut dyn Detail, function: u32) -> Callees {
        let mut out = Callees::default();
        let mut loops: Vec<bool> = Vec::new();
        for node in program.nodes(function) {
            match *node {
                Node::Block | Node::If(_) => loops.push(false),
                Node::Loop(_) => loops.push(true),
                Node::End => drop(loops.pop()),
                Node::Call { function, .. } if loops.contains(&true) && !out.direct.contains_key(&function) => {
                    let effects = self.reached(program, detail, &[function]);
                    out.direct.insert(function, effects);
                }
                Node::CallIndirect { class } if loops.contains(&true) && !out.indirect.contains_key(&class) => {
                    let group = program.group(class).and_then(|group| program.groups.get(group as usize));
                    let members = group.filter(|members| members.len() <= MAX_MEMBERS);
                    let effects = members.map_or(Effects::ANY, |members| self.reached(program, detail, members));
                    out.indirect.insert(class, effects);
                }
                _ => {}
            }
        }
        out
    }

    /// What functions do, and all that they call: whom that leads to is told first, since many lead to the host and need not
    /// be looked into.
    fn reached(&mut self, program: &Program, detail: &mut dyn Detail, functions: &[u32]) -> Effects {
        let (mut waiting, mut met, mut nodes) = (functions.to_vec(), QuickSet::default(), 0);
        let mut order = Vec::new();
        while let Some(function) = waiting.pop() {
            if !met.insert(function) {
                continue;
            }
            nodes += program.nodes(function).len();
            let known = self.own.get(&function).copied();
            let host = program.is_host(function).then(|| detail.effects(function));
            let full = met.len() > MAX_REACHED || nodes > MAX_NODES;
            if full || known.is_some_and(Effects::is_any) || host.is_some_and(Effects::is_any) {
                return Effects::ANY;
            }
            order.push(function);
            for node in program.nodes(function) {
                match *node {
                    Node::Call { function, .. } => waiting.push(function),
                    Node::CallIndirect { class } => {
                        let group = program.group(class).and_then(|group| program.groups.get(group as usize));
                        let Some(members) = group.filter(|members| members.len() <= MAX_MEMBERS) else {
                            return Effects::ANY;
                        };
                        waiting.extend_from_slice(members);
                    }
                    _ => {}
                }
            }
        }
        let mut effects = Effects::NONE;
        for function in order {
            effects |= *self.own.entry(function).or_insert_with(|| detail.effects(function));
            if effects.is_any() {
                break;
            }
        }
        effects
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::AnalyzeError;
    use crate::program::{Definition, Forest, Function, NONE};
    use std::collections::BTreeMap;

    /// Functions whose own effects are given.
    struct Given(Vec<Effects>);

    impl Detail for Given {
        fn names(&self, _functions: &[u32]) -> BTreeMap<u32, String> {
            BTreeMap::new()
        }

        fn offset(&self, _function: u32) -> Option<u64> {
            None
        }

        fn effects(&mut self, function: u32) -> Effects {
            self.0[function as usize]
        }

        fn grow(&mut self, _functions: &[u32], _program: &mut Program) -> Result<(), AnalyzeError> {
            Ok(())
        }
    }

    /// A program of functions that call each other as the lists say.
    fn program(calls: &[&[u32]]) -> Program {
        let mut forest = Forest::default();
        let mut functions = Vec::new();
        for callees in calls {
            let first = forest.nodes.len() as u32;
            forest.nodes.push(Node::Loop(0));
            forest.nodes.extend(callees.iter().map(|&function| Node::Call { function, args: NONE }));
            forest.nodes.push(Node::End);
            let nodes = first..forest.nodes.len() as u32;
            functions.push(Definition::Body { forest: 0, function: Function { nodes, ..Function::default() } });
        }
        Program { forests: vec![forest], functions, ..Program::default() }
    }

    #[test]
    fn effects_are_those_of_all_that_is_called() {
        let program = program(&[&[1, 2, 3], &[1], &[3], &[2, 4], &[]]);
        let mut detail = Given(vec![Effects::ANY, Effects::NONE, Effects::NONE, Effects::NONE, Effects::READS]);
        let callees = Known::default().callees(&program, &mut detail, 0);
        let of = |function| callees.of(&Node::Call { function, args: NONE });
        assert_eq!((of(1), of(2), of(3)), (Effects::NONE, Effects::READS, Effects::READS));
        assert_eq!(of(4), Effects::ANY, "it is not called there");
    }
}
