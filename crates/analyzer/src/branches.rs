//! Which way a branch goes, from the code around it: the heuristics of Wu and Larus (MICRO 1994) that survive in
//! WebAssembly, combined by Dempster and Shafer's rule as they propose. Called by the loop walk.

use crate::frontend::wasm::decode::code;
use crate::priors::{EQUAL, EVEN, NEVER, NORETURN, OPCODE_UNLIKELY, SKIP_LOOP};
use crate::values::{Def, Source, Val, Values};

/// Chance of a branch that skips a call: calls stand on the path less taken, 78 % (Wu and Larus 1994, table 1).
const SKIP_CALL: f64 = 0.78;

/// Chance of a branch that returns early: returns stand on the path less taken, 72 % (Wu and Larus 1994, table 1).
const SKIP_MOST: f64 = 0.28;

/// Chance of a branch that skips most of a function, loops among it: what a function is there for is done, but for
/// errors. A default.
const SKIP_WORK: f64 = 0.02;

/// What a branch jumps over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Skipped {
    pub loops: bool,
    pub calls: bool,
    /// A good part of the function: the branch is an early return.
    pub most: bool,
}

/// Chance that a branch is taken. `inverted`: it is an `if`, whose "branch" past the body is taken on zero.
pub(crate) fn chance(values: &Values, value: Val, marked: u16, inverted: bool, skipped: &Skipped) -> f64 {
    // For an `if` the marks are on falling into the body and on going past it.
    if marked & code::TAKEN_DIES != 0 {
        return NEVER;
    }
    if marked & code::FALL_DIES != 0 {
        return 1.0 - NEVER;
    }
    if marked & code::TAKEN_EXITS != 0 {
        return NORETURN;
    }
    if marked & code::FALL_EXITS != 0 {
        return 1.0 - NORETURN;
    }
    let by_opcode = truth(values, value);
    let mut chance = if inverted { 1.0 - by_opcode } else { by_opcode };
    if skipped.most && skipped.loops {
        return combine(chance, SKIP_WORK);
    }
    if skipped.loops {
        chance = combine(chance, SKIP_LOOP);
    }
    if skipped.most {
        chance = combine(chance, SKIP_MOST);
    } else if skipped.calls && !skipped.loops {
        chance = combine(chance, SKIP_CALL);
    }
    chance
}

/// Chance that a value is not zero, by the operator that made it.
fn truth(values: &Values, value: Val) -> f64 {
    let Some(symbol) = value.as_symbol() else { return EVEN };
    let Def::Operation { code, a, b } = values.def(symbol) else {
        // What a call returns is as often a status, zero for success, as a thing found.
        let status = matches!(values.def(symbol), Def::Opaque(Source::Call));
        return if status { EVEN } else { 1.0 - OPCODE_UNLIKELY };
    };
    let with_constant = a.as_constant().is_some() || b.as_constant().is_some();
    let with_zero = b.as_constant() == Some(0);
    match code {
        // eqz of a comparison is its opposite.
        0x45 | 0x50 => 1.0 - truth(values, a),
        0x46 | 0x51 if with_constant => OPCODE_UNLIKELY,
        0x47 | 0x52 if with_constant => 1.0 - OPCODE_UNLIKELY,
        0x48 | 0x53 if with_zero => OPCODE_UNLIKELY,
        0x4e | 0x59 if with_zero => 1.0 - OPCODE_UNLIKELY,
        0x4a | 0x55 if b.as_constant() == Some(-1) => 1.0 - OPCODE_UNLIKELY,
        0x46 | 0x51 => EQUAL,
        0x47 | 0x52 => 1.0 - EQUAL,
        _ => EVEN,
    }
}

/// Two pieces of evidence for the same thing.
fn combine(p: f64, q: f64) -> f64 {
    let both = p * q;
    both / (both + (1.0 - p) * (1.0 - q))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_adds_up_and_cancels() {
        assert!(combine(0.75, 0.75) > 0.75);
        assert!((combine(0.75, 0.25) - 0.5).abs() < 1e-12);
    }
}
