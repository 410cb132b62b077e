//! What the variables of a loop carry from one iteration to the next: nothing, an accumulation, or a value.
//!
//! A variable carries nothing where no iteration can read what an earlier one left in it. It accumulates where all that
//! happens to it is a chain of one associative operator, and no link of the chain is used for anything else. Called by
//! the recorder.

use crate::trip_count::Variable;
use crate::values::{Def, MAX, MIN, Val, Values};

/// Links of a chain of operators that are followed.
const MAX_LINKS: usize = 32;

/// Passes over a loop's symbols until the live ones stay the same; beyond that all are taken to be live.
const MAX_PASSES: u32 = 8;

/// Associative operators that may be mixed with each other in one accumulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Family {
    Sum,
    Product,
    And,
    Or,
    Xor,
    Minimum,
    /// Sums and products of floats, which change when they are reordered.
    FloatSum,
    FloatProduct,
    FloatMinimum,
}

impl Family {
    /// In words, for a reason.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Product => "product",
            Self::And => "and",
            Self::Or => "or",
            Self::Xor => "exclusive or",
            Self::Minimum | Self::FloatMinimum => "minimum or maximum",
            Self::FloatSum => "float sum",
            Self::FloatProduct => "float product",
        }
    }

    /// Whether another order of the operands gives another result.
    pub(crate) fn needs_reassociation(self) -> bool {
        matches!(self, Self::FloatSum | Self::FloatProduct)
    }

    /// The family of an operator, and whether only its first operand may be the accumulator.
    fn of(code: u16) -> Option<(Self, bool)> {
        Some(match code {
            0x6a | 0x7c => (Self::Sum, false),
            0x6b | 0x7d => (Self::Sum, true),
            0x6c | 0x7e => (Self::Product, false),
            0x71 | 0x83 => (Self::And, false),
            0x72 | 0x84 => (Self::Or, false),
            0x73 | 0x85 => (Self::Xor, false),
            0x92 | 0xa0 => (Self::FloatSum, false),
            0x93 | 0xa1 => (Self::FloatSum, true),
            0x94 | 0xa2 => (Self::FloatProduct, false),
            0x96 | 0x97 | 0xa4 | 0xa5 => (Self::FloatMinimum, false),
            0x24e => (Self::And, false),
            0x250 => (Self::Or, false),
            0x251 => (Self::Xor, false),
            // i8x16, i16x8, i32x4, i64x2: add, sub.
            0x26e | 0x28e | 0x2ae | 0x2ce => (Self::Sum, false),
            0x271 | 0x291 | 0x2b1 | 0x2d1 => (Self::Sum, true),
            0x295 | 0x2b5 | 0x2d5 => (Self::Product, false),
            // Minimum and maximum, signed and unsigned.
            0x276..=0x279 | 0x296..=0x299 | 0x2b6..=0x2b9 => (Self::Minimum, false),
            0x2e4 | 0x2f0 => (Self::FloatSum, false),
            0x2e5 | 0x2f1 => (Self::FloatSum, true),
            0x2e6 | 0x2f2 => (Self::FloatProduct, false),
            0x2e8..=0x2eb | 0x2f4..=0x2f7 => (Self::FloatMinimum, false),
            _ => return None,
        })
    }
}

/// What a variable carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carries {
    Nothing,
    /// A chain of a family; whether products are accumulated.
    Accumulation(Family, bool),
    Value,
}

/// How the symbols of a function are used.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    /// Operands that each symbol was, by symbol.
    counts: Vec<u32>,
    /// Choices between two values: the symbol of the choice, and the condition.
    selects: Vec<(u32, Val)>,
    /// Variables of finished loops: symbol, last value of an iteration, what they accumulate.
    finished: Vec<(u32, Val, Option<Family>)>,
    /// Symbols that are one of several values, or those of a variable, in order; of so many symbols.
    passing: Vec<u32>,
    looked_at: u32,
}

impl Uses {
    pub(crate) fn clear(&mut self) {
        self.counts.clear();
        self.selects.clear();
        self.finished.clear();
        self.passing.clear();
        self.looked_at = 0;
    }

    /// Notes which of the symbols up to `next` pass on the use of themselves to other values.
    pub(crate) fn look_at(&mut self, values: &Values, next: u32) {
        let passes = |&symbol: &u32| {
            matches!(values.def(symbol), Def::Either(..) | Def::Choose { .. } | Def::Phi { .. } | Def::Closed(_))
        };
        self.passing.extend((self.looked_at..next).filter(passes));
        self.looked_at = self.looked_at.max(next);
    }

    /// Those from a symbol on up to another.
    fn passing(&self, first: u32, next: u32) -> &[u32] {
        let place = |symbol: u32| self.passing.partition_point(|&passing| passing < symbol);
        &self.passing[place(first)..place(next)]
    }

    /// The variables of finished loops that began after a symbol was made.
    fn finished_since(&self, first: u32) -> &[(u32, Val, Option<Family>)] {
        let before = self.finished.iter().rposition(|finished| finished.0 < first);
        &self.finished[before.map_or(0, |at| at + 1)..]
    }

    /// Notes an operand.
    pub(crate) fn operand(&mut self, symbol: u32) {
        let symbol = symbol as usize;
        if self.counts.len() <= symbol {
            self.counts.resize(symbol + 1, 0);
        }
        self.counts[symbol] += 1;
    }

    /// Notes on which condition a choice depends.
    pub(crate) fn select(&mut self, chosen: Val, condition: Val) {
        self.selects.push((chosen.symbol, condition));
    }

    fn count(&self, symbol: u32) -> u32 {
        self.counts.get(symbol as usize).copied().unwrap_or(0)
    }
}

/// A loop that has just ended.
pub(crate) struct Ended<'a> {
    pub values: &'a Values,
    pub uses: &'a mut Uses,
    /// The first symbol made inside it, and the first made after it.
    pub first_symbol: u32,
    pub next_symbol: u32,
    pub variables: &'a [Variable],
}

/// A chain of operators from a value down to an accumulator.
#[derive(Default)]
struct Chain {
    family: Option<Family>,
    /// Symbols on the way, with numbers of times that the chain itself uses them as an operand: as often as it does.
    links: Vec<(u32, u32)>,
    /// Values looked at.
    steps: usize,
    /// Whether a product was met beside the accumulator.
    products: bool,
}

impl Chain {
    fn uses(&mut self, symbol: u32, times: u32) {
        self.links.push((symbol, times));
    }

    /// Whether the chain is all that uses its symbols, each of which is used so often.
    fn is_all(&mut self, uses: impl Fn(u32) -> u32) -> bool {
        self.links.sort_unstable();
        let mut symbols = self.links.chunk_by(|a, b| a.0 == b.0);
        symbols.all(|links| links.iter().map(|link| link.1).sum::<u32>() == uses(links[0].0))
    }

    fn holds(&self, symbol: u32) -> bool {
        self.links.iter().any(|link| link.0 == symbol)
    }

    /// Whether an operator of this family fits what was met so far.
    fn fits(&mut self, family: Family) -> bool {
        *self.family.get_or_insert(family) == family
    }
}

impl Ended<'_> {
    /// What each variable carries, in order; counters and pointers that move evenly carry nothing.
    pub(crate) fn carries(&self, live: &dyn Fn(u32) -> bool) -> Vec<Carries> {
        let fixed = |symbol: u32| self.values.invariant(symbol, self.first_symbol);
        let even = |v: &Variable| v.step.is_some() || v.stride.is_some_and(|stride| fixed(stride.0));
        let carried = |variable: &Variable| match variable.latch {
            _ if even(variable) => Carries::Nothing,
            _ if !live(variable.symbol) => Carries::Nothing,
            Some(latch) => {
                let root = |value: Val| value.symbol == variable.symbol;
                self.accumulates(latch, &root, live, (Some(variable.symbol), 0))
                    .map_or(Carries::Value, |(family, products)| Carries::Accumulation(family, products))
            }
            None => Carries::Value,
        };
        self.variables.iter().map(carried).collect()
    }

    /// Notes what the variables carry, for the loops around.
    pub(crate) fn note(&mut self, found: &[Carries]) {
        for (variable, carries) in self.variables.iter().zip(found) {
            let family = match carries {
                Carries::Accumulation(family, _) => Some(*family),
                _ => None,
            };
            self.uses.finished.push((variable.symbol, variable.latch.unwrap_or(Val::JUNK), family));
        }
    }

    /// The family in which a value accumulates onto the root, if it does that and nothing else is made of it on the way.
    /// The variable that holds it may be `own`; the value itself may be an operand `uses` times.
    pub(crate) fn accumulates(
        &self,
        value: Val,
        root: &dyn Fn(Val) -> bool,
        live: &dyn Fn(u32) -> bool,
        (own, uses): (Option<u32>, u32),
    ) -> Option<(Family, bool)> {
        let mut chain = Chain::default();
        if root(value) || !self.follow(value, root, &mut chain) {
            return None;
        }
        chain.uses(value.symbol, uses);
        let family = chain.family?;
        if !chain.is_all(|symbol| self.uses.count(symbol)) {
            return None;
        }
        // Choices and inner variables that hold a link must belong to the chain.
        let in_chain = |symbol: u32| chain.holds(symbol);
        let escapes = || {
            self.uses.passing(self.first_symbol, self.next_symbol).iter().any(|&symbol| {
                let holds = match self.values.def(symbol) {
                    Def::Either(a, b) | Def::Choose { a, b, .. } => in_chain(a.symbol) || in_chain(b.symbol),
                    Def::Phi { init, .. } | Def::Closed(init) => in_chain(init.symbol),
                    _ => false,
                };
                holds && !in_chain(symbol) && live(symbol)
            })
        };
        // A variable that holds a link from one iteration to the next, of this loop or one inside.
        let keeps = |symbol: u32, latch: Val| in_chain(latch.symbol) && !in_chain(symbol) && live(symbol);
        let own = |v: &&Variable| Some(v.symbol) != own;
        let kept = self.variables.iter().filter(own).any(|v| v.latch.is_some_and(|latch| keeps(v.symbol, latch)))
            || self.uses.finished_since(self.first_symbol).iter().any(|f| keeps(f.0, f.1));
        (!kept && !escapes()).then_some((family, chain.products))
    }

    fn follow(&self, value: Val, root: &dyn Fn(Val) -> bool, chain: &mut Chain) -> bool {
        chain.steps += 1;
        if chain.steps > MAX_LINKS || value.is_junk() || value.as_constant().is_some() {
            return false;
        }
        // What is added to a value on the way is part of a sum, and of nothing else.
        if value.scale != 1 || (value.offset != 0 && !chain.fits(Family::Sum)) {
            return false;
        }
        // What was followed once is counted once.
        if chain.holds(value.symbol) {
            return true;
        }
        chain.uses(value.symbol, 0);
        if root(value) {
            return true;
        }
        match self.values.def(value.symbol) {
            // Both operands also stand in the comparison that decides, which must decide nothing else.
            Def::Operation { code: MIN | MAX, a, b } => {
                let choice = self.uses.selects.iter().find(|select| select.0 == value.symbol);
                choice.is_some_and(|choice| self.uses.count(choice.1.symbol) == 1)
                    && a.symbol != b.symbol
                    && chain.fits(Family::Minimum)
                    && (self.try_side(a, 2, root, chain) || self.try_side(b, 2, root, chain))
            }
            Def::Operation { code, a, b } => {
                let Some((family, first_only)) = Family::of(code) else { return false };
                let sides = [(a, b), (b, a)];
                let sides = if first_only { &sides[..1] } else { &sides[..] };
                chain.fits(family)
                    && sides.iter().any(|&(side, other)| {
                        let found = side.symbol != other.symbol && self.try_side(side, 1, root, chain);
                        chain.products |= found && self.is_product(other);
                        found
                    })
            }
            Def::Either(a, b) | Def::Choose { a, b, .. } => {
                let choice = self.uses.selects.iter().find(|select| select.0 == value.symbol);
                if choice.is_some_and(|choice| self.extreme(choice.1, a, b, root, chain)) {
                    return true;
                }
                // An operator that chooses uses both; where two paths meet, nothing does.
                let times = u32::from(choice.is_some());
                self.try_side(a, times, root, chain) && self.try_side(b, times, root, chain)
            }
            // An inner loop that does the same.
            Def::Phi { init, .. } => {
                let inner = self.uses.finished.iter().find(|finished| finished.0 == value.symbol);
                inner.and_then(|inner| inner.2).is_some_and(|family| chain.fits(family))
                    && self.follow(init, root, chain)
            }
            _ => false,
        }
    }

    /// Whether a value is a product of two others, of numbers or vectors.
    fn is_product(&self, value: Val) -> bool {
        let def = value.as_symbol().map(|symbol| self.values.def(symbol));
        let Some(Def::Operation { code, a, b }) = def else { return false };
        let multiplies = matches!(code, 0x6c | 0x7e | 0x94 | 0xa2 | 0x295 | 0x2b5 | 0x2ba | 0x2d5 | 0x2e6 | 0x2f2);
        multiplies && a.as_constant().is_none() && b.as_constant().is_none()
    }

    /// Follows one operand, used this many times; leaves the chain as it was where that leads nowhere.
    fn try_side(&self, side: Val, times: u32, root: &dyn Fn(Val) -> bool, chain: &mut Chain) -> bool {
        let (family, links, products) = (chain.family, chain.links.len(), chain.products);
        let found = self.follow(side, root, chain);
        if found {
            chain.uses(side.symbol, times);
        } else {
            chain.links.truncate(links);
            (chain.family, chain.products) = (family, products);
        }
        found
    }

    /// The smaller or larger of the accumulator and something else: a choice on a comparison of the two.
    fn extreme(&self, condition: Val, a: Val, b: Val, root: &dyn Fn(Val) -> bool, chain: &mut Chain) -> bool {
        let compared = condition.as_symbol().map(|symbol| self.values.def(symbol));
        let Some(Def::Operation { code, a: x, b: y }) = compared else { return false };
        let ordered = matches!(code, 0x48..=0x4f | 0x53..=0x5a | 0x5d..=0x60 | 0x63..=0x66);
        let same = (x == a && y == b) || (x == b && y == a);
        // Once in the comparison, once in the choice; and the comparison decides nothing else.
        let once = self.uses.count(condition.symbol) == 1;
        ordered
            && once
            && same
            && a.symbol != b.symbol
            && chain.fits(Family::Minimum)
            && (self.try_side(a, 2, root, chain) || self.try_side(b, 2, root, chain))
    }

    /// Which symbols made in the loop, and which of its variables, may be used: as an operand, or through a choice, an
    /// inner loop or the next iteration by something that is.
    pub(crate) fn live(&self) -> impl Fn(u32) -> bool + use<> {
        let first = self.first_symbol;
        let count = (self.next_symbol - first) as usize;
        let counts = self.uses.counts.get(first as usize..).unwrap_or_default();
        let mut live: Vec<bool> = counts.iter().take(count).map(|&count| count > 0).collect();
        live.resize(count, false);
        let finished = self.uses.finished_since(first);
        let edges = || {
            let own = self.variables.iter().map(|v| (v.symbol, v.latch.unwrap_or(Val::JUNK).symbol));
            own.chain(finished.iter().map(|f| (f.0, f.1.symbol)))
        };
        let mark = |live: &mut Vec<bool>, symbol: u32| {
            let place = symbol.checked_sub(first).and_then(|at| live.get_mut(at as usize));
            place.is_some_and(|place| !std::mem::replace(place, true))
        };
        let mut settled = false;
        for _ in 0..MAX_PASSES {
            settled = true;
            // Backwards, since what a value is made of mostly was made before it.
            for &symbol in self.uses.passing(first, self.next_symbol).iter().rev() {
                if !live[(symbol - first) as usize] {
                    continue;
                }
                settled &= match self.values.def(symbol) {
                    Def::Either(a, b) | Def::Choose { a, b, .. } => {
                        !(mark(&mut live, a.symbol) | mark(&mut live, b.symbol))
                    }
                    Def::Phi { init, .. } | Def::Closed(init) => !mark(&mut live, init.symbol),
                    _ => true,
                };
            }
            for (symbol, latch) in edges() {
                if symbol.checked_sub(first).is_some_and(|at| live.get(at as usize).copied().unwrap_or(true)) {
                    settled &= !mark(&mut live, latch);
                }
            }
            if settled {
                break;
            }
        }
        move |symbol| {
            !settled || symbol.checked_sub(first).is_none_or(|at| live.get(at as usize).copied().unwrap_or(true))
        }
    }
}
