//! Variables that every iteration moves the same way, though not always as far: a decoder's place in its text, the place
//! of a merge in what it writes. How often such a loop runs lies between what the shortest and the longest step make it.
//!
//! Part of the trip count analysis.

use super::{Test, Variable};
use crate::values::{Def, Val, Values};

/// How deep definitions are followed.
const MAX_FOLLOW: u32 = 6;

/// The smallest and the largest value.
pub(super) type Range = (i64, i64);

/// The larger step over the smaller from which on a range tells too little to be called known.
const WIDEST: i64 = 16;

/// What each iteration adds to a variable at the least and at the most, where that moves it one way.
fn drift(values: &Values, symbol: u32, latch: Val) -> Option<Range> {
    let (low, high) = change(values, symbol, latch, 0)?;
    let (near, far) = if low > 0 { (low, high) } else { (high.checked_neg()?, low.checked_neg()?) };
    (near > 0 && near < far && far / near <= WIDEST).then_some((low, high))
}

/// What is added to a variable by those iterations that do not leave it alone, at the most.
pub(crate) fn hop(values: &Values, symbol: u32, latch: Val) -> Option<i64> {
    match change(values, symbol, latch, 0)? {
        (0, high) if high > 0 => Some(high),
        (low, 0) if low < 0 => Some(low),
        _ => None,
    }
}

fn change(values: &Values, symbol: u32, latch: Val, depth: u32) -> Option<Range> {
    if depth > MAX_FOLLOW || latch.is_junk() {
        return None;
    }
    if latch.symbol != symbol
        && latch.scale == 1
        && let Def::Either(a, b) | Def::Choose { a, b, .. } = values.def(latch.symbol)
    {
        let side = |value: Val| {
            let moved = Val { offset: value.offset.wrapping_add(latch.offset), ..value };
            change(values, symbol, moved, depth + 1)
        };
        return union(side(a)?, side(b)?);
    }
    // What is no sum is the variable itself moved, or has nothing to do with it.
    if !values.is_sum(latch.symbol) {
        return (latch.symbol == symbol && latch.scale == 1).then_some((latch.offset, latch.offset));
    }
    let mut change = values.linear(latch);
    change.add(symbol, -1);
    let change = change.usable()?;
    let mut out = (change.constant, change.constant);
    for &(of, factor) in change.terms() {
        if of == symbol {
            return None;
        }
        out = sum(out, scaled(bounds(values, of, 0)?, factor)?)?;
    }
    Some(out)
}

/// The range of a symbol's values, whatever is known of anything else.
pub(super) fn bounds(values: &Values, symbol: u32, depth: u32) -> Option<Range> {
    if depth > MAX_FOLLOW {
        return None;
    }
    let operand = |value: Val| match value.as_constant() {
        Some(constant) => Some((constant, constant)),
        None if value.is_junk() => None,
        None => {
            let (low, high) = scaled(bounds(values, value.symbol, depth + 1)?, i64::from(value.scale))?;
            Some((low.checked_add(value.offset)?, high.checked_add(value.offset)?))
        }
    };
    match values.def(symbol) {
        Def::Either(a, b) | Def::Choose { a, b, .. } => union(operand(a)?, operand(b)?),
        Def::Closed(last) => operand(last),
        Def::Operation { code, a, b } => match (code, b.as_constant()) {
            (0x45..=0x5a, _) => Some((0, 1)),
            (0x6a | 0x7c, _) => sum(operand(a)?, operand(b)?),
            (0x6b | 0x7d, _) => sum(operand(a)?, scaled(operand(b)?, -1)?),
            (0x71 | 0x83, Some(mask)) if mask >= 0 => Some((0, mask)),
            (0x70 | 0x82, Some(by)) if by > 0 => Some((0, by - 1)),
            _ => None,
        },
        _ => None,
    }
}

fn union(a: Range, b: Range) -> Option<Range> {
    Some((a.0.min(b.0), a.1.max(b.1)))
}

fn sum(a: Range, b: Range) -> Option<Range> {
    Some((a.0.checked_add(b.0)?, a.1.checked_add(b.1)?))
}

fn scaled(range: Range, factor: i64) -> Option<Range> {
    let (a, b) = (range.0.checked_mul(factor)?, range.1.checked_mul(factor)?);
    Some((a.min(b), a.max(b)))
}

impl Test<'_> {
    /// A symbol as a variable that drifts, or as what such a one becomes at the end of an iteration, and its range of
    /// steps.
    pub(super) fn drifting(&self, symbol: u32) -> Option<(&Variable, Range, bool)> {
        let of =
            |variable: &&Variable| variable.symbol == symbol || variable.latch.and_then(Val::as_symbol) == Some(symbol);
        let variable = self.steps.iter().find(of).filter(|variable| self.varying && variable.step.is_none())?;
        let steps = drift(self.values, variable.symbol, variable.latch?)?;
        Some((variable, steps, variable.symbol != symbol))
    }

    /// The range of what is added in a loop beside its variables.
    pub(super) fn added_between(&self, symbol: u32, factor: i64) -> Option<Range> {
        scaled(bounds(self.values, symbol, 0)?, factor)
    }
}

/// The steps by which a difference drifts, and how much further on it is when it is first looked at.
#[derive(Debug, Default)]
pub(super) struct Drift {
    pub steps: Option<Range>,
    pub ahead: Option<Range>,
}

impl Drift {
    /// Adds a variable's steps; `ended` where it is looked at as it stands at the end of the iteration.
    pub(super) fn add(&mut self, steps: Range, factor: i64, ended: bool) -> Option<()> {
        let steps = scaled(steps, factor)?;
        self.steps = Some(sum(self.steps.unwrap_or_default(), steps)?);
        if ended { self.lead(steps) } else { Some(()) }
    }

    /// Adds what is looked at beside the variables.
    pub(super) fn lead(&mut self, by: Range) -> Option<()> {
        self.ahead = Some(sum(self.ahead.unwrap_or_default(), by)?);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_any_side_count() {
        let mut v = Values::default();
        v.clear();
        let place = v.phi(0, Val::constant(0));
        let one = v.binary(0x6a, place, Val::constant(1));
        let two = v.binary(0x6a, place, Val::constant(2));
        let either = v.either(one, two);
        let more = v.choose(0, false, either, two);
        let found = |v: &Values, latch| drift(v, place.symbol, latch);
        assert_eq!(found(&v, more), Some((1, 2)));
        assert_eq!(found(&v, one), None, "a step that is always the same is no drift");
        let back = v.binary(0x6b, place, Val::constant(1));
        let to_and_fro = v.either(one, back);
        assert_eq!(found(&v, to_and_fro), None);
        let size = v.either(Val::constant(3), Val::constant(4));
        let on = v.binary(0x6a, place, size);
        assert_eq!(found(&v, on), Some((3, 4)));
        let down = v.binary(0x6b, place, size);
        assert_eq!(found(&v, down), Some((-4, -3)));
    }

    #[test]
    fn what_may_stand_still_is_no_drift() {
        let mut v = Values::default();
        v.clear();
        let (place, other) = (v.phi(0, Val::constant(0)), v.param(0));
        let kept = v.binary(0x49, other, Val::constant(9));
        let on = v.binary(0x6a, place, kept);
        assert_eq!(drift(&v, place.symbol, on), None);
        let at_least_one = v.binary(0x6a, on, Val::constant(1));
        assert_eq!(drift(&v, place.symbol, at_least_one), Some((1, 2)));
        let unknown = v.binary(0x6a, place, other);
        assert_eq!(drift(&v, place.symbol, unknown), None);
    }
}
