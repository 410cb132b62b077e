//! Loads and stores as affine forms: an address as a base and a slope for each loop around it.
//!
//! A reference starts as the value that was its address and is resolved loop by loop from the inside out, as each loop
//! ends and the steps of its variables are known. Wrap-around is not modelled, as nowhere in the analyzer. Called by
//! the recorder beside it.

use crate::trip_count::Variable;
use crate::values::{Def, Linear, Val, Values};

/// How an address moves with one loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slope {
    /// The loop, by its place among the function's loops.
    pub of: u32,
    /// Bytes per iteration; multiplied by `symbol` where there is one.
    pub bytes: i64,
    /// A value that does not change in the loop and multiplies the slope.
    pub symbol: Option<u32>,
}

/// What is accessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Space {
    /// Linear memory.
    Memory,
    /// A global, by index.
    Global(u32),
}

/// A load or store in a loop.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    pub space: Space,
    pub store: bool,
    /// Bytes moved.
    pub width: i64,
    /// The innermost loop around it, by its place among the function's loops.
    pub inside: u32,
    /// Address in the first iteration of all loops resolved so far.
    pub base: Linear,
    /// How it moves with each loop resolved so far; loops with which it does not move are left out.
    pub slopes: Vec<Slope>,
    /// The innermost loop in which the address is no affine function of the loop's variables.
    pub irregular: Option<u32>,
    /// Of a store, what is stored; of a load, what came of it.
    pub value: Val,
}

/// What a loop's end tells about its variables.
pub(crate) struct Scope<'a> {
    pub values: &'a Values,
    /// The loop.
    pub of: u32,
    /// The first symbol made inside it.
    pub first_symbol: u32,
    pub variables: &'a [Variable],
}

impl Reference {
    /// How the address moves with a loop: nothing, a slope, or the sum of several.
    pub(crate) fn slopes_of(&self, of: u32) -> impl Iterator<Item = &Slope> {
        self.slopes.iter().filter(move |slope| slope.of == of)
    }

    /// Bytes the address moves by with each iteration of a loop; `None` where that is not a number.
    pub(crate) fn bytes(&self, of: u32) -> Option<i64> {
        self.slopes_of(of).try_fold(0, |_, slope| slope.symbol.is_none().then_some(slope.bytes))
    }

    /// Whether two references access the same bytes in the same way, whatever is stored.
    pub(crate) fn same_access(&self, other: &Self) -> bool {
        self.base.constant == other.base.constant
            && (self.store, self.width, self.space) == (other.store, other.width, other.space)
            && self.irregular == other.irregular
            && self.base == other.base
            && self.slopes == other.slopes
    }

    /// Whether two references move alike with every loop.
    pub(crate) fn moves_with(&self, other: &Self) -> bool {
        self.slopes.len() == other.slopes.len() && self.slopes.iter().all(|slope| other.slopes.contains(slope))
    }

    /// Tells what the variables of the loop that just ended contribute to the address.
    pub(crate) fn resolve(&mut self, scope: &Scope<'_>) {
        // What was made before the loop moves with nothing in it.
        if self.irregular.is_some() || self.base.terms().iter().all(|term| term.0 < scope.first_symbol) {
            return;
        }
        let mut base = Linear::number(self.base.constant);
        let before = self.slopes.len();
        let start = self.base;
        for &(symbol, coefficient) in start.terms() {
            if !self.term(scope, &mut base, symbol, coefficient) {
                self.slopes.truncate(before);
                self.irregular = Some(scope.of);
                return;
            }
        }
        match base.usable() {
            Some(base) => self.base = base,
            None => {
                self.slopes.truncate(before);
                self.irregular = Some(scope.of);
            }
        }
    }

    /// Resolves one term of the address; false where it is not affine.
    fn term(&mut self, scope: &Scope<'_>, base: &mut Linear, symbol: u32, coefficient: i64) -> bool {
        let values = scope.values;
        if symbol < scope.first_symbol {
            base.add(symbol, coefficient);
            return true;
        }
        if let Some(variable) = scope.variables.iter().find(|variable| variable.symbol == symbol) {
            let (bytes, by) = match *variable {
                Variable { step: Some(step), .. } => (step.wrapping_mul(coefficient), None),
                Variable { stride: Some((by, factor)), .. } if values.invariant(by, scope.first_symbol) => {
                    (factor.wrapping_mul(coefficient), Some(by))
                }
                _ => return false,
            };
            self.add_slope(Slope { of: scope.of, bytes, symbol: by });
            if variable.init.is_junk() {
                // Whatever it starts from, it is one and the same for all that moves with it.
                base.add(symbol, coefficient);
            } else {
                base.add_linear(&values.linear(variable.init), coefficient);
            }
            return true;
        }
        if values.invariant(symbol, scope.first_symbol) {
            base.add(symbol, coefficient);
            return true;
        }
        self.product(scope, base, symbol, coefficient)
    }

    /// Resolves a product of a variable and something that does not change.
    fn product(&mut self, scope: &Scope<'_>, base: &mut Linear, symbol: u32, coefficient: i64) -> bool {
        let Def::Operation { code: 0x6c | 0x7e, a, b } = scope.values.def(symbol) else { return false };
        let fixed = |value: Val| value.offset == 0 && scope.values.invariant(value.symbol, scope.first_symbol);
        let (moving, by) = if fixed(b) { (a, b) } else { (b, a) };
        if !fixed(by) || moving.is_junk() {
            return false;
        }
        let factor = coefficient.wrapping_mul(i64::from(by.scale));
        let variable = scope.variables.iter().find(|variable| variable.symbol == moving.symbol);
        let Some(&Variable { step: Some(step), init, .. }) = variable else { return false };
        let Some(init) = init.as_constant() else { return false };
        let scale = i64::from(moving.scale);
        let bytes = factor.wrapping_mul(scale).wrapping_mul(step);
        self.add_slope(Slope { of: scope.of, bytes, symbol: Some(by.symbol) });
        let first = init.wrapping_mul(scale).wrapping_add(moving.offset);
        if first != 0 {
            base.add(by.symbol, factor.wrapping_mul(first));
        }
        true
    }

    /// Adds up slopes of one loop; those by different symbols stand beside each other.
    fn add_slope(&mut self, slope: Slope) {
        let same = |known: &&mut Slope| known.of == slope.of && known.symbol == slope.symbol;
        match self.slopes.iter_mut().find(same) {
            Some(known) => known.bytes = known.bytes.wrapping_add(slope.bytes),
            None => self.slopes.push(slope),
        }
        self.slopes.retain(|slope| slope.bytes != 0);
    }
}
