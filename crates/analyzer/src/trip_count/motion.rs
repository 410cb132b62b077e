//! Variables that data moves: which way, as far as their next values tell.
//!
//! Part of the trip count analysis.

use super::drift::bounds;
use crate::values::{Def, Val, Values};

/// How deep definitions are followed.
const MAX_FOLLOW: u32 = 6;

/// Which way each iteration moves a variable by what data tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Motion {
    Up,
    Down,
    /// Now up, now down.
    Both,
}

impl Motion {
    fn of(amount: i64) -> Option<Self> {
        match amount.signum() {
            0 => None,
            1 => Some(Self::Up),
            _ => Some(Self::Down),
        }
    }
}

/// Ways that one path moves a variable, and another.
fn either(a: Option<Motion>, b: Option<Motion>) -> Option<Motion> {
    match (a, b) {
        (Some(a), Some(b)) if a != b => Some(Motion::Both),
        (a, b) => a.or(b),
    }
}

/// Which way a variable goes that is itself and something more at the end of each iteration, and whether some paths leave it
/// alone; `None` where it is something else on some path, or never moves.
pub(super) fn motion(values: &Values, symbol: u32, latch: Val, first_symbol: u32) -> Option<(Motion, bool)> {
    let mut rests = false;
    let motion = moved(values, symbol, latch, (first_symbol, 0), &mut rests)??;
    Some((motion, rests))
}

/// `Some(None)` where a path leaves the variable alone.
fn moved(
    values: &Values,
    symbol: u32,
    latch: Val,
    (first_symbol, depth): (u32, u32),
    rests: &mut bool,
) -> Option<Option<Motion>> {
    if depth > MAX_FOLLOW || latch.is_junk() {
        return None;
    }
    let change = values.linear(latch).usable()?;
    let mut out = Motion::of(change.constant);
    let mut itself = false;
    let mut within = None;
    for &(of, factor) in change.terms() {
        if of == symbol && factor == 1 && !itself {
            itself = true;
        } else if within.is_none() && factor == 1 && joins(values, of, first_symbol) {
            within = Some(of);
        } else {
            *rests |= bounds(values, of, 0) == Some((0, 1));
            // Lengths and sizes are no less than nothing.
            out = either(out, Motion::of(factor));
        }
    }
    match (itself, within) {
        (true, None) => {
            *rests |= out.is_none();
            Some(out)
        }
        // What is joined is the amount, not the variable.
        (true, Some(_)) => Some(either(out, Some(Motion::Up))),
        (false, Some(of)) => {
            let place = (first_symbol, depth + 1);
            let found = match values.def(of) {
                Def::Either(a, b) | Def::Choose { a, b, .. } => {
                    either(moved(values, symbol, a, place, rests)?, moved(values, symbol, b, place, rests)?)
                }
                // A loop inside has moved it on.
                Def::Phi { init, .. } => either(moved(values, symbol, init, place, &mut false)?, Some(Motion::Up)),
                _ => return None,
            };
            Some(either(out, found))
        }
        (false, None) => None,
    }
}

/// Whether a symbol is one of several values of a variable.
fn joins(values: &Values, symbol: u32, first_symbol: u32) -> bool {
    match values.def(symbol) {
        Def::Either(..) | Def::Choose { .. } => true,
        Def::Phi { .. } => symbol >= first_symbol,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::Source;

    const ADD: u16 = 0x6a;
    const LESS: u16 = 0x48;

    #[test]
    fn what_data_moves_goes_one_way_or_both() {
        let mut v = Values::default();
        v.clear();
        let place = v.phi(0, Val::constant(0));
        let length = v.opaque(Source::Memory);
        let of = |v: &Values, latch| motion(v, place.symbol, latch, place.symbol);
        let on = v.binary(ADD, place, length);
        assert_eq!(of(&v, on), Some((Motion::Up, false)));
        let back = v.binary(0x6b, place, length);
        assert_eq!(of(&v, back), Some((Motion::Down, false)));
        let popped = v.binary(ADD, place, Val::constant(-1));
        let pushed = v.either(popped, on);
        assert_eq!(of(&v, pushed), Some((Motion::Both, false)));
        let kept = v.either(place, on);
        assert_eq!(of(&v, kept), Some((Motion::Up, true)));
        let smaller = v.binary(LESS, length, place);
        let taken = v.binary(ADD, place, smaller);
        assert_eq!(of(&v, taken), Some((Motion::Up, true)));
    }

    #[test]
    fn a_loop_inside_moves_what_begins_there() {
        let mut v = Values::default();
        v.clear();
        let place = v.phi(0, Val::constant(0));
        let inner = v.phi(1, place);
        let on = v.binary(ADD, inner, Val::constant(1));
        assert_eq!(motion(&v, place.symbol, on, place.symbol), Some((Motion::Up, false)));
        let other = v.opaque(Source::Memory);
        assert_eq!(motion(&v, place.symbol, other, place.symbol), None);
        assert_eq!(motion(&v, place.symbol, place, place.symbol), None);
    }
}
