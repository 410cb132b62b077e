//! The program representation, one for all front ends: functions by number, each a tree of control structure laid out
//! in one preorder list.
//!
//! A [`Program`] numbers everything that can be called. A function is [`Definition::Host`], served from outside (an
//! import, a library's entry, a built-in), or [`Definition::Body`], a slice of a [`Forest`]. Everything of a group of
//! functions lies in one forest, so that analysing ten thousand functions takes a handful of allocations. Front ends
//! fill it; frequencies, the call summary, host calls and regions are read off it. No bytes, no operators.
//!
//! Control is structured, as in WebAssembly: `Block`, `Loop` and `If` open a frame that `End` closes, and a branch names
//! the frame it goes to by depth, 0 for the innermost: past its `End`, or to the head where the frame is a loop. The
//! function itself is the outermost frame. A front end whose code has arbitrary jumps restructures them first (Ramsey,
//! "Beyond Relooper", ICFP 2022); one whose language has `while` and `if` lays those out: `while c { b }` is
//! `Block Loop BrIf(1, !c) b Br(0) End End`.
//!
//! A rule for every index: it points into the list of the same forest that its comment names, and [`NONE`] is "none".

use std::ops::Range;

use crate::dependence::{Accesses, Finding};
use crate::priors::Ending;
use crate::values::Source;

/// "None" for an index.
pub(crate) const NONE: u32 = u32::MAX;

/// One step of a function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Node {
    /// Straight-line operators: how many, and the slice of `mixes` that tells their classes where it was asked for.
    Work {
        ops: u32,
        mix: u32,
    },
    Block,
    /// A loop, by its index in `loops`.
    Loop(u32),
    /// An `if`, by its condition in `conds`.
    If(u32),
    Else,
    End,
    /// From here to `EndTail`, code that stands inside the innermost loop runs after it, and does not go back.
    Tail,
    EndTail,
    /// A branch to a depth.
    Br(u32),
    BrIf {
        depth: u32,
        cond: u32,
    },
    /// A branch to one of several depths: a slice of `tables`.
    BrTable {
        start: u32,
        len: u32,
    },
    Return,
    /// Nothing follows: `unreachable`, a throw.
    Stop,
    /// A direct call: the function by number, and its arguments in `args`.
    Call {
        function: u32,
        args: u32,
    },
    /// A call of one of a group of functions, told by the class of the callee: an index in [`Program::classes`].
    CallIndirect {
        class: u32,
    },
    /// A bulk operation that moves `length` (an expression) bytes.
    Bulk {
        length: u32,
    },
    /// `memory.grow` by `pages` (an expression).
    Grow {
        pages: u32,
    },
}

/// The condition of a branch or `if`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cond {
    /// Expression whose truth takes the branch, where it depends on parameters and loop variables alone.
    pub expr: u32,
    /// Chance of taking the branch, by heuristics.
    pub chance: f32,
    /// Whether it decides to run a tail, which leaves the loop.
    pub leaves: bool,
}

/// An expression of parameters, loop variables and opaque values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Expr {
    Const(i64),
    Param(u32),
    Opaque {
        source: Source,
    },
    /// What constant data holds at an address, unless something changes it.
    Word {
        address: u32,
        value: i64,
    },
    /// A loop variable, by its index in `phis`.
    Phi(u32),
    Linear {
        x: u32,
        scale: i64,
        offset: i64,
    },
    /// An integer operation, numbered as WebAssembly numbers it whatever the front end (see [`crate::values::fold`]).
    Operation {
        code: u16,
        a: u32,
        b: u32,
    },
    Either(u32, u32),
    /// Anything between two numbers.
    Between(i64, i64),
    /// The first of two expressions where a condition, by its index in `conds`, is true, else the second.
    Choose {
        cond: u32,
        a: u32,
        b: u32,
    },
}

/// A loop variable.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Phi {
    /// Its loop, by index in `loops`.
    pub of: u32,
    pub init: u32,
    /// What each iteration adds, where that is constant.
    pub step: Option<i64>,
    /// Else an expression, and its factor, by which each iteration moves it; `NONE` where there is none.
    pub stride: (u32, i64),
    /// Its next value, as an expression; `NONE` where that was not asked for.
    pub latch: u32,
    /// The smallest and largest value, where it counts up or down to one and begins again at the other.
    pub cycle: Option<(i64, i64)>,
}

/// How often a loop's header runs each time it is entered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Trip {
    /// `max(1, ceil((sum(terms) + constant) / (step * per)) + 1)`; `per` is an expression, or `NONE` for 1.
    Formula {
        start: u32,
        len: u32,
        constant: i64,
        step: i64,
        per: u32,
    },
    Unknown(crate::priors::UnknownLoop),
}

/// A loop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Loop {
    /// Byte offset in the file.
    pub offset: u64,
    /// Depth, 1 for an outermost loop.
    pub depth: u32,
    pub trip: Trip,
    /// The condition that decides whether to go round again.
    pub main: u32,
    /// Whether taking the branch of `main` goes round again (else it leaves).
    pub again: bool,
    /// Of a loop whose head is also that of a loop inside it: the condition by which it goes round without its counter
    /// moving, and what is known of how often it does so each time. `trip` then counts the counter's moves.
    pub lingers: Option<(u32, crate::priors::UnknownLoop)>,
    /// Of a loop with unknown trips: the condition by which alone it ends, as an expression of its variables; `NONE` where
    /// there is no such. And the variables this depends on, or, of a loop that steers others by a variable that goes another
    /// way than by steps, its variables: a slice of `followed`.
    pub test: u32,
    pub phis: (u32, u32),
    /// Whether its variables decide how often a loop inside it runs.
    pub steers: bool,
    /// Whether other exits may leave it early.
    pub early: bool,
    /// What leaves it where data does: of a loop with known trips, early.
    pub ending: Ending,
    /// A number that loops alike share, copies that a compiler made of one say: they run alike. 0 where none is known.
    pub like: u32,
    /// What its iterations share, where that was asked for: an index in `findings`.
    pub finding: Option<u32>,
}

/// What becomes of constant data.
#[derive(Debug, Default)]
pub(crate) struct Words {
    /// Addresses of words that expressions depend on.
    pub read: Vec<u32>,
    /// Addresses stored to, and whether that address alone; else memory from there on may be changed through it.
    pub stored: Vec<(u32, bool)>,
}

/// Functions as trees; every index in a node points into the lists beside it.
#[derive(Debug, Default)]
pub(crate) struct Forest {
    pub nodes: Vec<Node>,
    pub conds: Vec<Cond>,
    pub exprs: Vec<Expr>,
    pub phis: Vec<Phi>,
    pub loops: Vec<Loop>,
    /// Loop variables, by index in `phis`, that decide when a loop ends.
    pub followed: Vec<u32>,
    /// Terms of trip formulas: expression and coefficient.
    pub terms: Vec<(u32, i64)>,
    /// Arguments of calls: each list preceded by its length; `NONE` for what is not known.
    pub args: Vec<u32>,
    /// Targets of jump tables: depth and entries.
    pub tables: Vec<(u32, u32)>,
    /// Work by class: class number (see [`crate::mix`]) and count; each list preceded by `(length, 0)`.
    pub mixes: Vec<(u32, u32)>,
    /// Words of constant data.
    pub words: Words,
    /// What the iterations of loops share, of a function that was laid out again.
    pub findings: Vec<Finding>,
    /// What the loops of such a function access, by function.
    pub accesses: Vec<Accesses>,
}

impl Forest {
    /// With room for what so many bytes of WebAssembly come to: in CPython, resvg, graphviz and esbuild one node for
    /// The classes of straight-line work, by the place of its mix.
    pub(crate) fn mix(&self, place: u32) -> &[(u32, u32)] {
        let len = self.mixes[place as usize].0 as usize;
        &self.mixes[place as usize + 1..place as usize + 1 + len]
    }

    /// seven to nine bytes of code, and an expression or two for each condition and call.
    pub(crate) fn with_room(code_bytes: usize) -> Self {
        Self {
            nodes: Vec::with_capacity(code_bytes / 7),
            conds: Vec::with_capacity(code_bytes / 30),
            exprs: Vec::with_capacity(code_bytes / 12),
            args: Vec::with_capacity(code_bytes / 20),
            ..Self::default()
        }
    }
}

/// A function within a forest.
#[derive(Debug, Clone, Default)]
pub(crate) struct Function {
    pub nodes: Range<u32>,
    pub loops: Range<u32>,
    /// Index of its first condition, so that sites are numbered alike in every forest it is laid out in.
    pub conds: u32,
    /// Index of its first expression.
    pub exprs: u32,
    /// Parameters on which a trip count, branch or argument depends, one bit each for the first 64.
    pub sensitive: u64,
    /// Operators in the body, structural ones included.
    pub static_ops: u32,
    /// Whether there is nothing to be gained by laying it out again: its work is told by class, and its loops were
    /// examined for dependence where anyone asks.
    pub detailed: bool,
    /// Whether its work is told by class at the least.
    pub classes: bool,
    /// Whether it works on vectors already, where its work is told by class.
    pub vectors: bool,
    /// What its loops access, where that was asked for: an index in `accesses`.
    pub accesses: Option<u32>,
    /// Too deeply nested, too entangled or too far from the entry point to follow: only `static_ops` is known.
    pub opaque: bool,
    /// Whether no scenario is known to call it, so that only its calls are laid out.
    pub uncalled: bool,
    /// Whether it is the C library's formatted output, whose cost is told by its format (see [`crate::formatting`]): only its
    /// calls are laid out.
    pub formats: bool,
}

impl Function {
    /// A number that functions of like size and structure share, whatever their names and places.
    pub(crate) fn shape(&self) -> u32 {
        let parts = [self.static_ops, self.nodes.len() as u32, self.loops.len() as u32];
        crate::lanes::seed(parts.map(u64::from)) as u32
    }
}

/// What a number of the call graph stands for.
#[derive(Debug, Clone)]
pub(crate) enum Definition {
    /// Served from outside: its calls are counted, its cost is not known.
    Host,
    /// A body in one of the forests.
    Body { forest: u32, function: Function },
}

/// A whole program as the shared analyses see it.
#[derive(Debug, Default)]
pub(crate) struct Program {
    pub forests: Vec<Forest>,
    /// Functions by number.
    pub functions: Vec<Definition>,
    /// Functions that an indirect call can reach, in groups of like ones.
    pub groups: Vec<Vec<u32>>,
    /// The group of each class of indirect callees; `NONE` where nothing is of that class.
    pub classes: Vec<u32>,
    /// Whether functions are laid out only when they are asked for ([`crate::frontend::Detail::grow`]); until then they are
    /// `uncalled`.
    pub lazy: bool,
    /// Whether functions were left out for want of time (they are then `opaque`).
    pub partial: bool,
    /// What the run calls, in order: functions that begin it, then the entry proper. Those that do not exist count for
    /// nothing.
    pub roots: Vec<u32>,
    /// The lowest number that may be an address: where constant data begins.
    pub addresses: i64,
    /// Addresses of words of data that nothing is seen to change, in order.
    pub constant_words: Vec<u32>,
    /// Constant data by address, where a function that formats may read its format.
    pub text: Vec<(i64, Vec<u8>)>,
}

impl Program {
    /// A function's tree; `None` for what has no body here.
    pub(crate) fn tree(&self, function: u32) -> Option<(&Forest, &Function)> {
        match self.functions.get(function as usize)? {
            Definition::Host => None,
            Definition::Body { forest, function } => Some((self.forests.get(*forest as usize)?, function)),
        }
    }

    /// Whether a function is served from outside.
    pub(crate) fn is_host(&self, function: u32) -> bool {
        matches!(self.functions.get(function as usize), Some(Definition::Host))
    }

    /// The group of a class of indirect callees.
    pub(crate) fn group(&self, class: u32) -> Option<u32> {
        self.classes.get(class as usize).copied().filter(|&group| group != NONE)
    }

    /// Constant data from an address on.
    pub(crate) fn text(&self, address: i64) -> Option<&[u8]> {
        self.text.iter().find_map(|(start, bytes)| {
            let at = usize::try_from(address.checked_sub(*start)?).ok()?;
            bytes.get(at..).filter(|rest| !rest.is_empty())
        })
    }

    /// Nodes of a function.
    pub(crate) fn nodes(&self, function: u32) -> &[Node] {
        self.tree(function)
            .and_then(|(forest, tree)| forest.nodes.get(tree.nodes.start as usize..tree.nodes.end as usize))
            .unwrap_or_default()
    }
}
