//! How often a loop runs: solves the condition that ends it for the iteration at which it does.
//!
//! Covers bottom- and top-tested loops, counting up or down by any constant, pointers that run to an end, two variables
//! running towards each other, tests for inequality under wrap-around, and steps that vary within a range ([`drift`]).
//! Called by the loop walk when a loop ends.

use crate::priors::{Ending, UnknownLoop};
use crate::values::{Def, Linear, LowestBit, Val, Values};

mod drift;
mod kinds;
mod motion;

use drift::Drift;
pub(crate) use drift::hop;
pub(crate) use kinds::Surroundings;
use motion::{Motion, motion};

/// `max(1, ceil(terms / step) + 1)` runs of the loop's header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Formula {
    pub terms: Linear,
    /// Positive.
    pub step: i64,
    /// What multiplies the step.
    pub per: Option<Per>,
}

/// What multiplies a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Per {
    /// A symbol, taken to be positive.
    Symbol(u32),
    /// Anything in a range above zero.
    Between(i64, i64),
    /// What data tells, at least one.
    Data,
    /// One in some iterations, nothing in others, as data tells.
    Rests,
}

impl Formula {
    /// The trip count, where it is constant.
    pub(crate) fn constant(&self) -> Option<i64> {
        (self.terms.terms().is_empty() && self.per.is_none()).then(|| trips(self.terms.constant, self.step))
    }

    /// Whether it is the same count as another.
    pub(crate) fn same(&self, other: &Self) -> bool {
        (self.terms, self.step, self.per) == (other.terms, other.step, other.per)
    }

    /// Whether it surely gives fewer trips than another; a constant is preferred to what depends on something.
    pub(crate) fn fewer(&self, other: &Self) -> bool {
        match (self.constant(), other.constant()) {
            (Some(mine), Some(theirs)) => mine < theirs,
            (Some(_), None) => true,
            _ => false,
        }
    }
}

/// Header runs for a distance and a step.
pub(crate) fn trips(distance: i64, step: i64) -> i64 {
    let quotient = distance.div_euclid(step) + i64::from(distance.rem_euclid(step) != 0);
    quotient.saturating_add(1).max(1)
}

/// What could be told of a loop's condition.
#[derive(Debug)]
pub(crate) enum Verdict {
    Known(Formula),
    Unknown(UnknownLoop),
}

/// The more telling of two kinds of unknown loop.
pub(crate) fn stronger(a: UnknownLoop, b: UnknownLoop) -> UnknownLoop {
    if a == UnknownLoop::Data { b } else { a }
}

/// What is known of a loop when it ends.
pub(crate) struct Test<'a> {
    pub values: &'a Values,
    /// The first symbol made inside the loop.
    pub first_symbol: u32,
    pub steps: &'a [Variable],
    /// Whether steps that vary are looked into.
    pub varying: bool,
    /// Whether `steps` are those of iterations that move a variable, so that what it is at the end of one may stand for it.
    pub hopping: bool,
}

/// A variable of a loop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Variable {
    pub symbol: u32,
    /// What each iteration adds, where that is constant.
    pub step: Option<i64>,
    /// What each iteration adds, where that is a multiple of one symbol.
    pub stride: Option<(u32, i64)>,
    /// Its first value.
    pub init: Val,
    /// Its value at the end of an iteration, where all paths agree.
    pub latch: Option<Val>,
}

impl Variable {
    /// A variable that begins as `init` and ends each iteration as `latch`, where all paths agree on that.
    pub(crate) fn new(values: &Values, symbol: u32, init: Val, latch: Option<Val>) -> Self {
        let fixed = Self { symbol, step: None, stride: None, init, latch };
        let Some(to) = latch else { return fixed };
        if to.symbol == symbol && to.scale == 1 {
            return Self { step: Some(to.offset), ..fixed };
        }
        // The usual things that are no sums of others.
        if to.symbol != symbol && !values.is_sum(to.symbol) {
            return fixed;
        }
        let mut change = values.linear(to);
        change.add(symbol, -1);
        let Some(change) = change.usable() else { return fixed };
        match change.terms() {
            [] => Self { step: Some(change.constant), ..fixed },
            &[stride] if change.constant == 0 => Self { stride: Some(stride), ..fixed },
            _ => fixed,
        }
    }
}

/// A comparison as "goes on while `difference` stands so to zero".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Relation {
    fn negated(self) -> Self {
        match self {
            Self::Equal => Self::Unequal,
            Self::Unequal => Self::Equal,
            Self::Less => Self::GreaterOrEqual,
            Self::LessOrEqual => Self::Greater,
            Self::Greater => Self::LessOrEqual,
            Self::GreaterOrEqual => Self::Less,
        }
    }
}

impl Test<'_> {
    /// Solves a loop that goes on while the truth of `value` is `again`.
    pub(crate) fn verdict(&self, value: Val, again: bool) -> Verdict {
        if let Some(constant) = value.as_constant() {
            // Never again: one trip. For ever: whatever else ends it does.
            let once = (constant != 0) != again;
            return if once { known(Linear::default(), 1) } else { Verdict::Unknown(UnknownLoop::Data) };
        }
        if value.is_junk() {
            return Verdict::Unknown(UnknownLoop::Data);
        }
        let mut compared = (Relation::Unequal, value, Val::constant(0), false, false);
        if value.as_symbol().is_some()
            && let Def::Operation { code, a, b } = self.values.def(value.symbol)
        {
            if matches!(code, 0x45 | 0x50) {
                return self.verdict(a, !again);
            }
            if (0x5b..=0x66).contains(&code) {
                return self.floating(code, a, b, again);
            }
            if let Some((relation, unsigned)) = relation(code) {
                compared = (relation, a, b, unsigned, code >= 0x50);
            }
        }
        let (relation, a, b, unsigned, wide) = compared;
        let relation = if again { relation } else { relation.negated() };
        self.solve(relation, a, b, unsigned, wide)
    }

    /// What leaves a loop that goes on while the truth of `value` is `again`, and whose end cannot be solved.
    pub(crate) fn ending(&self, value: Val, again: bool) -> Ending {
        let bare = if again { Ending::ZERO } else { Ending::NONZERO };
        if value.is_junk() || value.as_constant().is_some() {
            return Ending::OTHER;
        }
        let Some(Def::Operation { code, a, b }) = value.as_symbol().map(|symbol| self.values.def(symbol)) else {
            return bare;
        };
        if matches!(code, 0x45 | 0x50) {
            return self.ending(a, !again);
        }
        if (0x5d..=0x60).contains(&code) || (0x63..=0x66).contains(&code) {
            return Ending::ORDER;
        }
        let found = match code {
            0x5b | 0x61 => Some((Relation::Equal, false)),
            0x5c | 0x62 => Some((Relation::Unequal, false)),
            _ => relation(code),
        };
        let Some((found, _)) = found else { return bare };
        let zero = a.as_constant() == Some(0) || b.as_constant() == Some(0);
        match if again { found.negated() } else { found } {
            Relation::Equal if zero => Ending::ZERO,
            Relation::Equal => Ending::EQUAL,
            Relation::Unequal if zero => Ending::NONZERO,
            Relation::Unequal => Ending::DIFFERENT,
            _ => Ending::ORDER,
        }
    }

    /// Solves a loop that counts in floating point from one constant to another.
    fn floating(&self, code: u16, a: Val, b: Val, again: bool) -> Verdict {
        let counted = Verdict::Unknown(UnknownLoop::Counted);
        let number = |value: Val| value.as_constant().map(|bits| f64::from_bits(bits as u64));
        // A variable of the loop, and what has been added to it since the iteration began.
        let variable = |value: Val| {
            let symbol = value.as_symbol()?;
            let own = |symbol| self.steps.iter().find(|variable| variable.symbol == symbol);
            if let Some(variable) = own(symbol) {
                return Some((variable, 0.0));
            }
            let (symbol, added) = self.added(symbol)?;
            Some((own(symbol)?, added))
        };
        let (variable, bound, swapped) = match (variable(a), number(b), number(a), variable(b)) {
            (Some(variable), Some(bound), ..) => (variable, bound, false),
            (.., Some(bound), Some(variable)) => (variable, bound, true),
            _ => return Verdict::Unknown(UnknownLoop::Data),
        };
        let (variable, ahead) = variable;
        let step = variable.latch.and_then(Val::as_symbol).and_then(|latch| self.added(latch));
        let (Some((of, step)), Some(init)) = (step, number(variable.init)) else { return counted };
        if of != variable.symbol || step == 0.0 {
            return counted;
        }
        // Numbered alike for both widths: equal, unequal, less, greater, and these with equality.
        let relation = code - if code < 0x61 { 0x5b } else { 0x61 };
        let less = matches!(relation, 2 | 4) != swapped;
        let runs = ((bound - init - ahead) / step).max(0.0);
        let near = (runs.round() - runs).abs() < 1e-9 * runs.max(1.0);
        let (whole, next) = if near { (runs.round(), runs.round() + 1.0) } else { (runs.ceil(), runs.ceil()) };
        let trips = match (relation, again) {
            (2 | 3, true) | (4 | 5, false) => whole,
            (4 | 5, true) | (2 | 3, false) => next,
            _ => return counted,
        };
        // Going on while "greater" with a step upwards, or the like, is not counting towards the bound.
        if (less == again) != (step > 0.0) || !(0.0..1e15).contains(&trips) {
            return counted;
        }
        known(Linear::number(trips as i64), 1)
    }

    /// The variable that a symbol is at the end of an iteration, where some iterations move it and others do not.
    fn moved(&self, symbol: u32) -> Option<&Variable> {
        let latch = |variable: &&Variable| variable.latch.and_then(Val::as_symbol) == Some(symbol);
        self.steps.iter().filter(|_| self.hopping).find(|variable| latch(variable) && variable.step.is_some())
    }

    /// A symbol, and the constant in floating point that is added to it to make another.
    fn added(&self, symbol: u32) -> Option<(u32, f64)> {
        let Def::Operation { code, a, b } = self.values.def(symbol) else { return None };
        let constant = |value: Val| value.as_constant().map(|bits| f64::from_bits(bits as u64));
        match code {
            0x92 | 0xa0 => constant(b).map(|by| (a.symbol, by)).or_else(|| Some((b.symbol, constant(a)?))),
            0x93 | 0xa1 => Some((a.symbol, -constant(b)?)),
            _ => None,
        }
    }

    fn solve(&self, relation: Relation, a: Val, b: Val, unsigned: bool, wide: bool) -> Verdict {
        let operand = |value: Val| match value.as_constant() {
            // As an unsigned number, a negative constant is a large one.
            Some(constant) if unsigned && !wide => Linear::number(i64::from(constant as u32)),
            _ => self.values.linear(value),
        };
        let mut difference = operand(a);
        difference.add_linear(&operand(b), -1);
        let Some(difference) = difference.usable() else { return Verdict::Unknown(UnknownLoop::Data) };
        // The difference at the first test, and what each iteration adds to it.
        let (mut first, mut slope, mut loose, mut per) = (Linear::default(), 0_i64, false, None);
        if let Some(verdict) = self.by_data(relation, &difference) {
            return verdict;
        }
        let mut drift = Drift::default();
        first.constant = difference.constant;
        for &(symbol, coefficient) in difference.terms() {
            let itself = self.steps.iter().find(|variable| variable.symbol == symbol);
            match itself.or_else(|| self.moved(symbol)) {
                Some(&Variable { step: Some(step), init, .. }) => {
                    slope = slope.wrapping_add(step.wrapping_mul(coefficient));
                    first.add_linear(&self.values.linear(init), coefficient);
                }
                Some(&Variable { stride: Some((stride, factor)), init, .. })
                    if per.is_none() && self.values.invariant(stride, self.first_symbol) =>
                {
                    per = Some(stride);
                    slope = slope.wrapping_add(factor.wrapping_mul(coefficient));
                    first.add_linear(&self.values.linear(init), coefficient);
                }
                found => {
                    let outside = found.is_none() && self.values.invariant(symbol, self.first_symbol);
                    let drifts = || self.drifting(symbol).filter(|_| !outside);
                    if let Some((variable, steps, ended)) = drifts()
                        && drift.add(steps, coefficient, ended).is_some()
                    {
                        first.add_linear(&self.values.linear(variable.init), coefficient);
                        continue;
                    }
                    if found.is_some() {
                        return Verdict::Unknown(self.shrinking(&difference));
                    }
                    if outside {
                        first.add(symbol, coefficient);
                    } else {
                        let beside = self.added_between(symbol, coefficient);
                        loose |= beside.and_then(|by| drift.lead(by)).is_none();
                    }
                }
            }
        }
        if let Some(steps) = drift.steps.filter(|_| !loose && per.is_none()) {
            return drifted(relation, first, slope, steps, drift.ahead.unwrap_or_default());
        }
        // What is added in the loop beside a steady variable is not followed.
        loose |= drift.ahead.is_some();
        if slope == 0 {
            return Verdict::Unknown(self.shrinking(&difference));
        }
        match first.usable() {
            // A variable step beside a constant one is not followed.
            Some(first) if !loose && (per.is_none() || difference.terms().len() <= 2) => {
                match distance(relation, first, slope, wide && per.is_none()) {
                    Verdict::Known(formula) => Verdict::Known(Formula { per: per.map(Per::Symbol), ..formula }),
                    unknown => unknown,
                }
            }
            _ => Verdict::Unknown(UnknownLoop::Counted),
        }
    }

    /// A test of a variable that data moves: counted by steps that data tells, or worked off.
    fn by_data(&self, relation: Relation, difference: &Linear) -> Option<Verdict> {
        let moved = |variable: &Variable| {
            let steady = variable.stride.is_some_and(|stride| self.values.invariant(stride.0, self.first_symbol));
            // What goes by variables alone is gone through one value after the other.
            let pure = variable.latch.is_some_and(|latch| self.values.is_pure(latch));
            let open = self.varying && variable.step.is_none() && !steady && !pure && !self.by_bits(variable);
            open && self.drifting(variable.symbol).is_none()
        };
        let (variable, (motion, rests), coefficient, rest) = self.steps.iter().find_map(|variable| {
            // Few variables have a part in the test.
            let (coefficient, rest) = self.beside(variable, difference).filter(|_| moved(variable))?;
            let motion = motion(self.values, variable.symbol, variable.latch?, self.first_symbol)?;
            Some((variable, motion, coefficient, rest))
        })?;
        let worklist = Some(Verdict::Unknown(UnknownLoop::Worklist));
        let slope = match motion {
            Motion::Up => coefficient,
            Motion::Down => coefficient.checked_neg()?,
            Motion::Both => return worklist,
        };
        // What differs is on its way to where it does not: whether it meets that exactly the steps alone would tell.
        let differs = relation == Relation::Unequal;
        let relation = match relation {
            Relation::Unequal if slope > 0 => Relation::Less,
            Relation::Unequal => Relation::Greater,
            Relation::Equal => return None,
            ordered => ordered,
        };
        let towards = match relation {
            Relation::Less | Relation::LessOrEqual => slope > 0,
            _ => slope < 0,
        };
        let bound_moves = rest.terms().iter().any(|term| self.steps.iter().any(|variable| variable.symbol == term.0));
        if bound_moves || !towards {
            return worklist;
        }
        let mut first = rest;
        first.add_linear(&self.values.linear(variable.init), coefficient);
        let first = first.usable()?;
        // What begins beyond its end comes to it by wrapping around, if at all.
        if differs && first.terms().is_empty() && first.constant.signum() == slope.signum() {
            return worklist;
        }
        match distance(relation, first, slope, false) {
            Verdict::Known(formula) => {
                let per = if rests { Per::Rests } else { Per::Data };
                Some(Verdict::Known(Formula { per: Some(per), ..formula }))
            }
            unknown => Some(unknown),
        }
    }

    /// A variable's coefficient in a difference and what there is beside it, where that does not vary but by steps: of the
    /// variable as an iteration begins, or as it ends.
    fn beside(&self, variable: &Variable, difference: &Linear) -> Option<(i64, Linear)> {
        let factor = |symbol: u32| difference.terms().iter().find(|term| term.0 == symbol).map(|term| term.1);
        let steady = |symbol: u32| {
            let itself = self.steps.iter().find(|variable| variable.symbol == symbol);
            itself.map_or_else(|| self.values.invariant(symbol, self.first_symbol), |found| found.step.is_some())
        };
        let rest = |coefficient: i64, form: &Linear| {
            let mut rest = *difference;
            rest.add_linear(form, coefficient.checked_neg()?);
            rest.usable().filter(|rest| rest.terms().iter().all(|term| steady(term.0)))
        };
        if let Some(coefficient) = factor(variable.symbol) {
            let mut itself = Linear::default();
            itself.add(variable.symbol, 1);
            if let Some(rest) = rest(coefficient, &itself) {
                return Some((coefficient, rest));
            }
        }
        let latch = variable.latch?;
        if !self.values.is_sum(latch.symbol) && factor(latch.symbol).is_none() {
            return None;
        }
        let ended = self.values.linear(latch).usable()?;
        let &(symbol, by) = ended.terms().iter().find(|term| term.0 >= self.first_symbol)?;
        let coefficient = factor(symbol)?.checked_div(by)?;
        Some((coefficient, rest(coefficient, &ended)?))
    }

    /// Whether each iteration clears the lowest bit of a variable that is set, or carries it on.
    fn by_bits(&self, variable: &Variable) -> bool {
        let Some(latch) = variable.latch else { return false };
        let of = |symbol: u32, wanted: LowestBit| self.values.lowest_bit(symbol) == Some((variable.symbol, wanted));
        if latch.as_symbol().is_some_and(|symbol| of(symbol, LowestBit::Cleared)) {
            return true;
        }
        if !self.values.is_sum(latch.symbol) {
            return false;
        }
        let mut change = self.values.linear(latch);
        change.add(variable.symbol, -1);
        change.constant == 0 && matches!(change.terms(), &[(bit, 1 | -1)] if of(bit, LowestBit::Alone))
    }

    /// A loop on a variable that each iteration divides or shifts right runs at most as often as the width allows; one that
    /// takes bit after bit as often as there are some.
    fn shrinking(&self, difference: &Linear) -> UnknownLoop {
        let itself = |symbol: u32| {
            let is = |variable: &&Variable| {
                variable.symbol == symbol || variable.latch.and_then(Val::as_symbol) == Some(symbol)
            };
            self.steps.iter().find(is)
        };
        if difference.terms().iter().filter_map(|term| itself(term.0)).any(|variable| self.by_bits(variable)) {
            return UnknownLoop::Bits;
        }
        let found = difference.terms().iter().find_map(|&(symbol, _)| {
            let variable = self.steps.iter().find(|variable| variable.symbol == symbol);
            let made = variable.and_then(|variable| variable.latch).map_or(symbol, |latch| latch.symbol);
            let Def::Operation { code, a, b } = self.values.def(made) else { return None };
            let by = b.as_constant().filter(|_| self.steps.iter().any(|variable| variable.symbol == a.symbol))?;
            let width = if code < 0x79 { 32.0 } else { 64.0 };
            let bits = match code {
                0x75 | 0x76 | 0x87 | 0x88 => by as f64,
                0x6d | 0x6e | 0x7f | 0x80 => (by as f64).log2(),
                _ => return None,
            };
            (bits >= 1.0).then(|| UnknownLoop::Shrinking((width / bits).ceil() as u32))
        });
        found.unwrap_or(UnknownLoop::Data)
    }
}

/// The formula for a difference that starts at `first` and grows by `slope` and by what lies in a range; when it is first
/// looked at it is further on by `ahead`.
fn drifted(relation: Relation, first: Linear, slope: i64, steps: (i64, i64), ahead: (i64, i64)) -> Verdict {
    let counted = Verdict::Unknown(UnknownLoop::Counted);
    let mean = i64::midpoint(ahead.0, ahead.1);
    let (Some(low), Some(high)) = (steps.0.checked_add(slope), steps.1.checked_add(slope)) else { return counted };
    let Some(first) = first.usable().filter(|_| relation != Relation::Unequal) else { return counted };
    let first = first.with_constant(first.constant.saturating_add(mean));
    let (unit, per) = match (low > 0, high < 0) {
        (true, _) => (1, Per::Between(low, high)),
        (_, true) => (-1, Per::Between(-high, low.saturating_neg())),
        _ => return counted,
    };
    match distance(relation, first, unit, false) {
        Verdict::Known(formula) => Verdict::Known(Formula { per: Some(per), ..formula }),
        unknown => unknown,
    }
}

/// The formula for a difference that starts at `first` and grows by `slope`.
fn distance(relation: Relation, first: Linear, slope: i64, wide: bool) -> Verdict {
    let negative = |form: &Linear, extra: i64| {
        let mut out = Linear::number(extra);
        out.add_linear(form, -1);
        out
    };
    let counted = Verdict::Unknown(UnknownLoop::Counted);
    let (terms, step) = match relation {
        Relation::Less if slope > 0 => (negative(&first, 0), slope),
        Relation::LessOrEqual if slope > 0 => (negative(&first, 1), slope),
        Relation::Greater if slope < 0 => (first, -slope),
        Relation::GreaterOrEqual if slope < 0 => (first.with_constant(first.constant.saturating_add(1)), -slope),
        Relation::Unequal if slope > 0 => (negative(&first, 0), slope),
        Relation::Unequal => (first, slope.wrapping_neg()),
        _ => return counted,
    };
    if step <= 0 {
        return counted;
    }
    if relation == Relation::Unequal && terms.terms().is_empty() {
        // In terms of its step, which tells how much one iteration deals with.
        let exact = |steps: i64| match steps.checked_mul(step) {
            Some(distance) => known(Linear::number(distance), step),
            None => known(Linear::number(steps), 1),
        };
        return meets(terms.constant, step, wide).map_or(counted, exact);
    }
    known(terms, step)
}

/// Steps after which a distance is met exactly, wrapping around as the width has it; `None` where it never is.
///
/// The least solution of `steps * step = distance` modulo a power of two: what powers of two the step holds the distance
/// must hold too, and the odd rest has an inverse, which Newton's iteration finds (Hensel; Warren, "Hacker's Delight",
/// 2nd edition, section 10-16).
fn meets(distance: i64, step: i64, wide: bool) -> Option<i64> {
    let mask = if wide { u64::MAX } else { u64::from(u32::MAX) };
    let (distance, step) = (distance as u64 & mask, step as u64 & mask);
    let power = step.trailing_zeros();
    if distance == 0 {
        return Some(0);
    }
    if step == 0 || distance.trailing_zeros() < power {
        return None;
    }
    let odd = step >> power;
    // Right in three bits to begin with; each round doubles them.
    let inverse = (0..5).fold(odd, |found, _| found.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(found))));
    let steps = (distance >> power).wrapping_mul(inverse) & (mask >> power);
    i64::try_from(steps).ok()
}

fn known(terms: Linear, step: i64) -> Verdict {
    Verdict::Known(Formula { terms, step, per: None })
}

/// A comparison operator's relation, and whether it is of unsigned numbers.
fn relation(code: u16) -> Option<(Relation, bool)> {
    let base = if (0x46..=0x4f).contains(&code) { 0x46 } else { 0x51 };
    Some(match code.checked_sub(base)? {
        0 => (Relation::Equal, false),
        1 => (Relation::Unequal, false),
        2 => (Relation::Less, false),
        3 => (Relation::Less, true),
        4 => (Relation::Greater, false),
        5 => (Relation::Greater, true),
        6 => (Relation::LessOrEqual, false),
        7 => (Relation::LessOrEqual, true),
        8 => (Relation::GreaterOrEqual, false),
        9 => (Relation::GreaterOrEqual, true),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_met_after_wrapping_around() {
        let rows = [
            (0, 3, false, Some(0)),
            (10, 2, false, Some(5)),
            (-4, 4, false, Some((1 << 30) - 1)),
            (6, 4, false, None),
            (1, 2, true, None),
            (1, 3, false, Some(0xaaaa_aaab)),
            (10, -2, false, Some((1 << 31) - 5)),
            // Beyond what any run comes to.
            (1, 3, true, None),
        ];
        for (distance, step, wide, expected) in rows {
            let found = meets(distance, step, wide);
            assert_eq!(found, expected, "{distance} by {step}");
            let met = found.is_none_or(|steps| steps.wrapping_mul(step).wrapping_sub(distance) as u32 == 0);
            assert!(met, "{distance} by {step}");
        }
    }

    #[test]
    fn what_leaves_a_loop_is_told_by_its_test() {
        let mut v = Values::default();
        v.clear();
        let (a, b) = (v.param(0), v.param(1));
        let ending = |values: &Values, value, again| {
            Test { values, first_symbol: 0, steps: &[], varying: true, hopping: false }.ending(value, again)
        };
        let rows = [(0x46, true, Ending::DIFFERENT), (0x46, false, Ending::EQUAL), (0x48, true, Ending::ORDER)];
        for (code, again, expected) in rows {
            let value = v.binary(code, a, b);
            assert_eq!(ending(&v, value, again), expected, "{code:#x}");
        }
        let none = v.unary(0x45, a);
        assert_eq!((ending(&v, none, false), ending(&v, a, true)), (Ending::ZERO, Ending::ZERO));
        assert_eq!((ending(&v, none, true), ending(&v, Val::JUNK, true)), (Ending::NONZERO, Ending::OTHER));
    }

    #[test]
    fn bits_are_taken_one_after_the_other() {
        let mut v = Values::default();
        v.clear();
        let start = v.opaque(crate::values::Source::Memory);
        let x = v.phi(0, start);
        let less = v.binary(0x6a, x, Val::constant(-1));
        let cleared = v.binary(0x71, x, less);
        let negative = v.binary(0x6b, Val::constant(0), x);
        let bit = v.binary(0x71, x, negative);
        let carried = v.binary(0x6a, x, bit);
        let kind = |v: &Values, latch, tested| {
            let variable = Variable::new(v, x.symbol, start, Some(latch));
            let test = Test { values: v, first_symbol: x.symbol, steps: &[variable], varying: true, hopping: false };
            match test.verdict(tested, true) {
                Verdict::Unknown(kind) => Some(kind),
                Verdict::Known(_) => None,
            }
        };
        assert_eq!(kind(&v, cleared, cleared), Some(UnknownLoop::Bits));
        let in_bounds = v.binary(0x4c, carried, Val::constant(1000));
        assert_eq!(kind(&v, carried, in_bounds), Some(UnknownLoop::Bits));
        let doubled = v.binary(0x6a, x, x);
        assert_ne!(kind(&v, doubled, doubled), Some(UnknownLoop::Bits));
    }

    #[test]
    fn what_data_moves_towards_its_end_is_no_fixed_number_of_steps() {
        let mut v = Values::default();
        v.clear();
        let moved = |v: &mut Values, init: i64| {
            let init = Val::constant(init);
            let x = v.phi(0, init);
            let by = v.opaque(crate::values::Source::Memory);
            let latch = v.binary(0x6a, x, by);
            let differs = v.binary(0x47, latch, Val::constant(100));
            let variable = Variable::new(v, x.symbol, init, Some(latch));
            let steps = [variable];
            let test = Test { values: v, first_symbol: x.symbol, steps: &steps, varying: true, hopping: false };
            test.verdict(differs, true)
        };
        let up = moved(&mut v, 0);
        assert!(
            matches!(up, Verdict::Known(Formula { per: Some(Per::Data), terms, .. }) if terms.constant == 100),
            "{up:?}"
        );
        let beyond = moved(&mut v, 200);
        assert!(matches!(beyond, Verdict::Unknown(UnknownLoop::Worklist)), "{beyond:?}");
    }
}
