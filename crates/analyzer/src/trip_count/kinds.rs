//! What a loop is taken for whose end cannot be solved: by what it does to its variables, what it calls, and how it is
//! dispatched.
//!
//! Part of the trip count analysis.

use super::Test;
use crate::priors::{Ending, UnknownLoop};
use crate::values::{Def, Val};

/// Distinct targets of a jump table from which on the loop around it is taken for an interpreter's dispatch.
///
/// A default: the C library's `printf` has some 20, byte-code interpreters 100 and more.
const DISPATCH_TARGETS: usize = 48;

/// Distinct targets from which on it is taken for a state machine or a small interpreter: a default.
const MACHINE_TARGETS: usize = 8;

/// What else there is in a loop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings {
    /// Whether it calls anything.
    pub calls: bool,
    /// Distinct targets of the largest jump table in it.
    pub targets: usize,
}

impl Surroundings {
    /// A kind and what ends it, seen with what else there is.
    pub(crate) fn seen(self, kind: UnknownLoop, ending: Ending) -> (UnknownLoop, Ending) {
        let kind = match kind {
            _ if self.targets >= DISPATCH_TARGETS => UnknownLoop::Dispatch,
            UnknownLoop::Data if self.targets >= MACHINE_TARGETS => UnknownLoop::Machine,
            UnknownLoop::Data if self.calls => UnknownLoop::Calling,
            kind => kind,
        };
        // What halves something and calls may leave one half to the call: a recursion whose last call is a loop.
        let halves = self.calls && kind == UnknownLoop::Halving;
        (kind, if halves { ending.with(Ending::OTHER) } else { ending })
    }
}

/// What a loop does to its variables.
#[derive(Debug, Default)]
struct Pace {
    halves: bool,
    doubles: bool,
    remainder: bool,
}

/// How deep a variable's next value is looked into.
const MAX_PACE: u32 = 4;

impl Test<'_> {
    /// How fast a loop's variables run where what ends it cannot be solved: whether each halves or doubles something, or
    /// takes a remainder; else it ends by data.
    pub(crate) fn pace(&self) -> UnknownLoop {
        let mut pace = Pace::default();
        for variable in self.steps {
            if let Some(latch) = variable.latch {
                self.pace_of(latch, variable.symbol, 0, &mut pace);
            }
        }
        match pace {
            Pace { remainder: true, .. } => UnknownLoop::Remainder,
            // What halves and doubles by turns gets nowhere soon.
            Pace { halves, doubles, .. } if halves != doubles => UnknownLoop::Halving,
            _ => UnknownLoop::Data,
        }
    }

    fn pace_of(&self, value: Val, symbol: u32, depth: u32, pace: &mut Pace) {
        // Larger factors are those of random numbers and hashes.
        pace.doubles |= value.symbol == symbol && (2..=8).contains(&value.scale);
        if depth > MAX_PACE || value.as_constant().is_some() || value.symbol < self.first_symbol {
            return;
        }
        match self.values.def(value.symbol) {
            Def::Either(a, b) | Def::Choose { a, b, .. } => {
                self.pace_of(a, symbol, depth + 1, pace);
                self.pace_of(b, symbol, depth + 1, pace);
            }
            Def::Operation { code: 0x6f | 0x70 | 0x81 | 0x82, a, b } if b.as_constant().is_none() => {
                pace.remainder |=
                    self.steps.iter().any(|variable| variable.symbol == a.symbol || variable.symbol == b.symbol);
            }
            Def::Operation { code, a, b } => {
                let by = b.as_constant().unwrap_or(0);
                let halves = match code {
                    0x75 | 0x76 | 0x87 | 0x88 => (1..=3).contains(&by),
                    0x6d | 0x6e | 0x7f | 0x80 => (2..=8).contains(&by),
                    _ => false,
                };
                if halves && self.varies(a, 0) {
                    pace.halves = true;
                } else if matches!(code, 0x6a | 0x6b | 0x7c | 0x7d) {
                    self.pace_of(a, symbol, depth + 1, pace);
                    self.pace_of(b, symbol, depth + 1, pace);
                }
            }
            _ => {}
        }
    }

    /// Whether a value depends on a variable of the loop by arithmetic alone.
    fn varies(&self, value: Val, depth: u32) -> bool {
        if self.steps.iter().any(|variable| variable.symbol == value.symbol) {
            return true;
        }
        match self.values.def(value.symbol) {
            Def::Operation { a, b, .. } | Def::Either(a, b) | Def::Choose { a, b, .. } if depth < MAX_PACE => {
                self.varies(a, depth + 1) || self.varies(b, depth + 1)
            }
            _ => false,
        }
    }
}
