//! Whether the iterations of an innermost loop depend on each other: an affine test on its addresses, and a look at what
//! its variables carry.
//!
//! Says `Unknown` whenever unsure: calls, atomics, bulk operations, addresses that are not affine in the loop's
//! variables, or bases that cannot be compared. Called by the loop walk for functions that matter.

use forewarm_types::demand::Dependence;

use crate::trip_count::Variable;
use crate::values::{Def, Linear, Val, Values};

/// Accesses of a loop that are compared; a loop with more is left unknown.
pub(crate) const MAX_ACCESSES: usize = 64;

/// A load or store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Access {
    pub store: bool,
    pub address: Val,
    /// The operator's constant displacement.
    pub displacement: i64,
    /// Bytes moved.
    pub width: u8,
}

/// What is known of a loop's body when it ends.
pub(crate) struct Body<'a> {
    pub values: &'a Values,
    pub first_symbol: u32,
    pub variables: &'a [Variable],
    /// How often each variable, in the same order, is read.
    pub reads: &'a [u32],
    pub accesses: &'a [Access],
    /// The trip count, where it is constant.
    pub trips: Option<i64>,
}

/// What a loop's iterations share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Finding {
    pub dependence: Dependence,
    /// Whether every access moves on by its own width, or stays, from one iteration to the next.
    pub contiguous: bool,
}

/// An access as `slope * iteration + base`.
struct Affine {
    base: Linear,
    slope: i64,
    width: i64,
    store: bool,
}

impl Body<'_> {
    pub(crate) fn finding(&self) -> Finding {
        let scalars = self.scalars();
        let Some(accesses) = self.accesses.iter().map(|access| self.affine(access)).collect::<Option<Vec<_>>>() else {
            let dependence = if scalars == Dependence::Carried { scalars } else { Dependence::Unknown };
            return Finding { dependence, contiguous: false };
        };
        let contiguous = !accesses.is_empty()
            && accesses.iter().all(|access| access.slope == access.width || (access.slope == 0 && !access.store));
        Finding { dependence: worst(scalars, memory(&accesses, self.trips.unwrap_or(i64::MAX))), contiguous }
    }

    fn affine(&self, access: &Access) -> Option<Affine> {
        let mut form = self.values.linear(access.address);
        form.constant = form.constant.wrapping_add(access.displacement);
        let form = form.usable()?;
        let mut base = Linear::number(form.constant);
        let mut slope = 0_i64;
        for &(symbol, coefficient) in form.terms() {
            match self.variables.iter().find(|variable| variable.symbol == symbol) {
                Some(Variable { step: Some(step), init, .. }) => {
                    slope = slope.wrapping_add(step.wrapping_mul(coefficient));
                    base.add_linear(&self.values.linear(*init), coefficient);
                }
                Some(_) => return None,
                None if self.values.invariant(symbol, self.first_symbol) => base.add(symbol, coefficient),
                None => return None,
            }
        }
        Some(Affine { base: base.usable()?, slope, width: i64::from(access.width), store: access.store })
    }

    /// What the variables other than counters carry.
    fn scalars(&self) -> Dependence {
        let mut out = Dependence::Independent;
        for (variable, &reads) in self.variables.iter().zip(self.reads) {
            if variable.step.is_some() || variable.stride.is_some() {
                continue;
            }
            let found = match variable.latch {
                // Set before it is read in each iteration: nothing is carried.
                _ if reads == 0 => Dependence::Independent,
                Some(latch) if reads == 1 && self.accumulates(latch, variable.symbol) => Dependence::Reduction,
                Some(_) => Dependence::Carried,
                None => Dependence::Unknown,
            };
            out = worst(out, found);
        }
        out
    }

    /// Whether a value is a chain of one associative operator with the variable at its root.
    fn accumulates(&self, latch: Val, symbol: u32) -> bool {
        let mut at = latch;
        let mut operator = None;
        for _ in 0..8 {
            if at.as_symbol() == Some(symbol) {
                return operator.is_some();
            }
            let Some(Def::Operation { code, a, b }) = at.as_symbol().map(|symbol| self.values.def(symbol)) else {
                return false;
            };
            if !associative(code) || *operator.get_or_insert(code) != code {
                return false;
            }
            // The root lies on the side that is the variable or another link of the chain.
            let link = |value: Val| {
                let def = value.as_symbol().map(|symbol| self.values.def(symbol));
                value.as_symbol() == Some(symbol) || matches!(def, Some(Def::Operation { code: c, .. }) if c == code)
            };
            at = if link(a) { a } else { b };
        }
        false
    }
}

/// Operators whose order may be changed, floating-point sums and products with the usual licence.
fn associative(code: u16) -> bool {
    matches!(code, 0x6a | 0x6c | 0x71..=0x73 | 0x7c | 0x7e | 0x83..=0x85 | 0x92 | 0x94 | 0x96 | 0x97)
        || matches!(code, 0xa0 | 0xa2 | 0xa4 | 0xa5 | 0x2ae | 0x2b5 | 0x2ce | 0x2e4 | 0x2e6 | 0x2f0 | 0x2f2)
}

/// What the accesses carry from one iteration to another.
fn memory(accesses: &[Affine], trips: i64) -> Dependence {
    let mut out = Dependence::Independent;
    for (index, first) in accesses.iter().enumerate() {
        for second in &accesses[index..] {
            if first.store || second.store {
                out = worst(out, pair(first, second, trips));
            }
        }
    }
    out
}

fn pair(first: &Affine, second: &Affine, trips: i64) -> Dependence {
    let mut distance = first.base;
    distance.add_linear(&second.base, -1);
    if !distance.terms().is_empty() || first.slope != second.slope {
        return Dependence::Unknown;
    }
    let apart = distance.constant;
    if first.slope == 0 {
        let overlap = apart < second.width && apart.saturating_neg() < first.width;
        return if overlap { Dependence::Carried } else { Dependence::Independent };
    }
    // In some other iteration the two meet if a multiple of the slope brings them within their widths.
    let slope = first.slope.saturating_abs();
    let meets = |iteration: i64| {
        let apart = apart.saturating_add(iteration.saturating_mul(slope));
        iteration != 0
            && iteration.saturating_abs() < trips
            && apart < second.width
            && apart.saturating_neg() < first.width
    };
    let near = apart.saturating_neg() / slope;
    if (near.saturating_sub(1)..=near.saturating_add(1)).any(meets) {
        Dependence::Carried
    } else {
        Dependence::Independent
    }
}

/// The stronger of two findings; what is carried is carried whatever else is not known.
fn worst(a: Dependence, b: Dependence) -> Dependence {
    let rank = |dependence: Dependence| match dependence {
        Dependence::Independent => 0,
        Dependence::Reduction => 1,
        Dependence::Unknown => 2,
        Dependence::Carried => 3,
    };
    if rank(a) >= rank(b) { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(base: i64, slope: i64, width: i64, store: bool) -> Affine {
        Affine { base: Linear::number(base), slope, width, store }
    }

    fn check(accesses: &[Affine], expected: Dependence) {
        assert_eq!(memory(accesses, 2000), expected);
    }

    #[test]
    fn distances_decide() {
        check(&[access(0, 8, 8, false), access(8000, 8, 8, true)], Dependence::Carried);
        check(&[access(0, 8, 8, false), access(16_000, 8, 8, true)], Dependence::Independent);
        check(&[access(4, 8, 4, false), access(0, 8, 4, true)], Dependence::Independent);
        check(&[access(0, 8, 8, false), access(0, 8, 8, true)], Dependence::Independent);
        check(&[access(0, 8, 8, false), access(8, 8, 8, true)], Dependence::Carried);
        check(&[access(0, 4, 8, true)], Dependence::Carried);
        check(&[access(0, 0, 4, true)], Dependence::Carried);
        check(&[access(0, 8, 8, false), access(64, 16, 8, true)], Dependence::Unknown);
        check(&[access(0, 8, 8, false), access(0, 0, 8, false)], Dependence::Independent);
    }
}
