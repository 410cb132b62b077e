//! Values that outlive a walk through a function, as expressions of the program representation: each symbol once.
//!
//! Called by the walks that follow values, over WebAssembly's operators and over registers.

use crate::program::{Expr, Forest, NONE, Phi, Trip};
use crate::trip_count::{Formula, Per, Variable};
use crate::values::{Def, Source, Val, Values};

/// How deep definitions are followed.
const MAX_FOLLOW: u32 = 10;

/// Variables of a loop that are followed value by value.
const MAX_FOLLOWED: u32 = 6;

/// What was exported of one function.
#[derive(Debug, Default)]
pub(crate) struct Exporter {
    /// The expression of each symbol that has one.
    done: Vec<u32>,
    /// Parameters that some expression depends on, one bit each for the first 64.
    pub sensitive: u64,
}

impl Exporter {
    /// Begins another function.
    pub(crate) fn clear(&mut self) {
        self.done.clear();
        self.sensitive = 0;
    }

    /// The expression of a value; `NONE` where nothing is known of it.
    pub(crate) fn value(&mut self, values: &Values, forest: &mut Forest, value: Val) -> u32 {
        self.value_at(values, forest, value, 0)
    }

    /// The expression of a symbol.
    pub(crate) fn symbol(&mut self, values: &Values, forest: &mut Forest, symbol: u32) -> u32 {
        self.symbol_at(values, forest, symbol, 0)
    }

    /// A count as a trip formula of the forest.
    pub(crate) fn formula(&mut self, values: &Values, forest: &mut Forest, formula: &Formula) -> Trip {
        let start = forest.terms.len() as u32;
        for &(symbol, coefficient) in formula.terms.terms() {
            let expr = self.symbol(values, forest, symbol);
            forest.terms.push((expr, coefficient));
        }
        let len = forest.terms.len() as u32 - start;
        let per = match formula.per {
            None => NONE,
            Some(Per::Symbol(symbol)) => self.symbol(values, forest, symbol),
            Some(Per::Between(low, high)) => add(forest, Expr::Between(low, high)),
            Some(Per::Data) => add(forest, Expr::Opaque { source: Source::Step }),
            Some(Per::Rests) => add(forest, Expr::Opaque { source: Source::Rest }),
        };
        Trip::Formula { start, len, constant: formula.terms.constant, step: formula.step, per }
    }

    /// The loop variable that a symbol was exported as, by its index in the forest.
    pub(crate) fn phi(&self, forest: &Forest, symbol: u32) -> Option<u32> {
        let expr = self.done.get(symbol as usize).filter(|&&expr| expr != NONE)?;
        match forest.exprs.get(*expr as usize) {
            Some(&Expr::Phi(phi)) => Some(phi),
            _ => None,
        }
    }

    /// Notes what each iteration adds to the variables of a loop that ends here, and what they hold after it where it
    /// runs exactly `trips` times. Symbols below `first_symbol` are older than the loop.
    pub(crate) fn settle(
        &mut self,
        values: &mut Values,
        forest: &mut Forest,
        variables: &[Variable],
        first_symbol: u32,
        trips: Option<i64>,
    ) {
        for &Variable { symbol, step, stride, init, .. } in variables {
            if let Some(phi) = self.phi(forest, symbol) {
                forest.phis[phi as usize].step = step;
                if let Some((by, factor)) = stride.filter(|&(by, _)| values.invariant(by, first_symbol)) {
                    forest.phis[phi as usize].stride = (self.symbol(values, forest, by), factor);
                }
            }
            let moved = match (step, trips) {
                (Some(0), _) => Some(0),
                (Some(step), Some(trips)) => step.checked_mul(trips - 1),
                _ => None,
            };
            if let Some(moved) = moved
                && !init.is_junk()
            {
                values.close(symbol, Val { offset: init.offset.wrapping_add(moved), ..init });
            }
        }
    }

    /// Has a loop's variables followed value by value that something depends on: a slice of `followed`.
    pub(crate) fn follow(&mut self, values: &Values, forest: &mut Forest, steps: &[Variable]) -> (u32, u32) {
        let first = forest.followed.len() as u32;
        let mut rest: Vec<Variable> = steps.to_vec();
        // Exporting what a variable becomes may bring in further ones.
        while forest.followed.len() as u32 - first < MAX_FOLLOWED {
            let found =
                rest.iter().enumerate().find_map(|(at, variable)| Some((at, self.phi(forest, variable.symbol)?)));
            let Some((at, phi)) = found else { break };
            let variable = rest.swap_remove(at);
            let latch = variable.latch.map_or(NONE, |latch| self.value(values, forest, latch));
            forest.phis[phi as usize].latch = latch;
            forest.followed.push(phi);
        }
        (first, forest.followed.len() as u32 - first)
    }

    fn value_at(&mut self, values: &Values, forest: &mut Forest, value: Val, depth: u32) -> u32 {
        if let Some(constant) = value.as_constant() {
            return add(forest, Expr::Const(constant));
        }
        if value.is_junk() {
            return NONE;
        }
        let x = self.symbol_at(values, forest, value.symbol, depth);
        if value.scale == 1 && value.offset == 0 {
            return x;
        }
        add(forest, Expr::Linear { x, scale: i64::from(value.scale), offset: value.offset })
    }

    fn symbol_at(&mut self, values: &Values, forest: &mut Forest, symbol: u32, depth: u32) -> u32 {
        if self.done.len() <= symbol as usize {
            self.done.resize(values.next_symbol() as usize, NONE);
        }
        let done = self.done[symbol as usize];
        if done != NONE {
            return done;
        }
        let def = values.def(symbol);
        let expr = match def {
            Def::Opaque(source) => Expr::Opaque { source },
            _ if depth > MAX_FOLLOW => Expr::Opaque { source: Source::Other },
            Def::Param(index) => {
                self.sensitive |= 1 << index.min(63);
                Expr::Param(index)
            }
            Def::Word { address, value } => {
                forest.words.read.push(address);
                Expr::Word { address, value }
            }
            Def::Phi { of, init } => {
                let init = self.value_at(values, forest, init, depth + 1);
                forest.phis.push(Phi { of, init, step: None, stride: (NONE, 0), latch: NONE, cycle: None });
                Expr::Phi((forest.phis.len() - 1) as u32)
            }
            Def::Closed(last) => {
                let x = self.value_at(values, forest, last, depth + 1);
                Expr::Linear { x, scale: 1, offset: 0 }
            }
            Def::Operation { code, a, b } => {
                let (a, b) = self.both(values, forest, (a, b), depth);
                Expr::Operation { code, a, b }
            }
            Def::Either(a, b) => {
                let (a, b) = self.both(values, forest, (a, b), depth);
                Expr::Either(a, b)
            }
            Def::Choose { cond, a, b } => {
                let (a, b) = self.both(values, forest, (a, b), depth);
                Expr::Choose { cond, a, b }
            }
        };
        let index = add(forest, expr);
        // What holds after a loop is not what held in it: a later use is exported anew.
        if !matches!(def, Def::Closed(_)) {
            self.done[symbol as usize] = index;
        }
        index
    }

    fn both(&mut self, values: &Values, forest: &mut Forest, (a, b): (Val, Val), depth: u32) -> (u32, u32) {
        (self.value_at(values, forest, a, depth + 1), self.value_at(values, forest, b, depth + 1))
    }
}

fn add(forest: &mut Forest, expr: Expr) -> u32 {
    forest.exprs.push(expr);
    (forest.exprs.len() - 1) as u32
}
