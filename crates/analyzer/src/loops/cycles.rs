//! Variables that begin again: a buffer's fill that is set back when the buffer is full, a place in a ring.
//!
//! Such a variable is, in the mean, evenly spread between where it begins and where it is set back, and so is known how
//! often that happens. Part of the loop walk.

use super::Walker;
use crate::program::Forest;
use crate::trip_count::Variable;
use crate::values::{Def, Val};

impl Walker {
    /// Notes the range of each variable of a loop that is set back to a constant when it reaches another.
    pub(super) fn cycles(&mut self, forest: &mut Forest, steps: &[Variable]) {
        for variable in steps {
            let Some((cond, cycle)) = variable.latch.and_then(|latch| self.cycle(latch, variable.symbol)) else {
                continue;
            };
            let value = self.conditions[(cond - self.first_condition) as usize];
            let expr = self.export(forest, value);
            forest.conds[cond as usize].expr = expr;
            if let Some(phi) = self.exporter.phi(forest, variable.symbol) {
                forest.phis[phi as usize].cycle = Some(cycle);
            }
        }
    }

    /// The condition by which a variable is set back, and the range in which it runs.
    fn cycle(&self, latch: Val, symbol: u32) -> Option<(u32, (i64, i64))> {
        if latch.scale != 1 {
            return None;
        }
        let Def::Choose { cond, a, b } = self.values.def(latch.symbol) else { return None };
        let (start, moved) = match (a.as_constant(), b.as_constant()) {
            (Some(start), None) => (start, b),
            (None, Some(start)) => (start, a),
            _ => return None,
        };
        let start = start.wrapping_add(latch.offset);
        let mut change = self.values.linear(moved);
        change.add(symbol, -1);
        let change = change.usable().filter(|change| change.terms().is_empty())?;
        let step = change.constant.wrapping_add(latch.offset);
        let value = *self.conditions.get(cond.checked_sub(self.first_condition)? as usize)?;
        let Def::Operation { code, a, b } = self.values.def(value.as_symbol()?) else { return None };
        let mut difference = self.values.linear(a);
        difference.add_linear(&self.values.linear(b), -1);
        let difference = difference.usable().filter(|difference| difference.terms() == [(symbol, 1)])?;
        let relation = code.checked_sub(if code <= 0x4f { 0x46 } else { 0x51 })?;
        let end = match relation {
            // Equality is met only by steps that divide the way; taken to be so for single ones alone.
            0 | 1 if step.abs() == 1 => difference.constant.wrapping_neg(),
            2 | 3 | 8 | 9 => difference.constant.wrapping_neg(),
            4..=7 => difference.constant.wrapping_neg().wrapping_add(1),
            _ => return None,
        };
        let towards = (end > start && step > 0) || (end < start && step < 0);
        towards.then(|| (cond, (start.min(end), start.max(end))))
    }
}
