//! The program representation: each function as a tree of control structure, laid out in one preorder list.
//!
//! Everything of a group of functions lies in one [`Forest`], so that analysing ten thousand functions takes a handful
//! of allocations. Front ends fill it; frequencies and costs are read off it. No bytes, no operators.

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
    Loop(u32),
    If(u32),
    Else,
    End,
    Br(u32),
    BrIf {
        depth: u32,
        cond: u32,
    },
    BrTable {
        start: u32,
        len: u32,
    },
    Return,
    /// Nothing follows: `unreachable`, a throw.
    Stop,
    Call {
        function: u32,
        args: u32,
    },
    CallIndirect {
        ty: u32,
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
}

/// An expression of parameters, loop variables and opaque values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Expr {
    Const(i64),
    Param(u32),
    Opaque {
        source: Source,
    },
    /// A loop variable, by its index in `phis`.
    Phi(u32),
    Linear {
        x: u32,
        scale: i64,
        offset: i64,
    },
    Operation {
        code: u16,
        a: u32,
        b: u32,
    },
    Either(u32, u32),
}

/// A loop variable.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Phi {
    /// Its loop, by index in `loops`.
    pub of: u32,
    pub init: u32,
    /// What each iteration adds, where that is constant.
    pub step: Option<i64>,
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
    /// Whether other exits may leave it early.
    pub early: bool,
    /// What its iterations share, where that was asked for.
    pub finding: Option<crate::dependence::Finding>,
}

/// Functions as trees; every index in a node points into the lists beside it.
#[derive(Debug, Default)]
pub(crate) struct Forest {
    pub nodes: Vec<Node>,
    pub conds: Vec<Cond>,
    pub exprs: Vec<Expr>,
    pub phis: Vec<Phi>,
    pub loops: Vec<Loop>,
    /// Terms of trip formulas: expression and coefficient.
    pub terms: Vec<(u32, i64)>,
    /// Arguments of calls: each list preceded by its length; `NONE` for what is not known.
    pub args: Vec<u32>,
    /// Targets of jump tables: depth and entries.
    pub tables: Vec<(u32, u32)>,
    /// Work by class: class number (see [`crate::mix`]) and count; each list preceded by `(length, 0)`.
    pub mixes: Vec<(u32, u32)>,
}

/// A function within a forest.
#[derive(Debug, Clone, Default)]
pub(crate) struct Function {
    pub nodes: std::ops::Range<u32>,
    pub loops: std::ops::Range<u32>,
    /// Index of its first condition, so that sites are numbered alike in every forest it is laid out in.
    pub conds: u32,
    /// Index of its first expression.
    pub exprs: u32,
    /// Parameters on which a trip count, branch or argument depends, one bit each for the first 64.
    pub sensitive: u64,
    /// Operators in the body, structural ones included.
    pub static_ops: u32,
    /// Too deeply nested or too entangled to follow: only `static_ops` is known.
    pub opaque: bool,
}
