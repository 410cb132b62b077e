//! Values that outlive the walk: conditions, arguments and bounds as expressions of the program representation.
//!
//! Part of the loop walk.

use super::Walker;
use crate::frequency::MAX_ARGUMENTS;
use crate::frontend::wasm::decode::{Op, code};
use crate::frontend::wasm::module::Module;
use crate::program::{Cond, Forest, NONE, Node};
use crate::values::{Source, Val};

impl Walker {
    pub(super) fn cond(&mut self, forest: &mut Forest, value: Val, chance: f64) -> u32 {
        let expr = if self.values.is_pure(value) { self.export(forest, value) } else { NONE };
        forest.conds.push(Cond { expr, chance: chance as f32, leaves: false });
        self.conditions.push(value);
        (forest.conds.len() - 1) as u32
    }

    /// The value of a `select`.
    pub(super) fn selected(&mut self, forest: &mut Forest, truth: Val, a: Val, b: Val) -> Val {
        if let Some(value) = self.values.extreme(truth, a, b) {
            return value;
        }
        let pure = |value| self.values.is_pure(value);
        if pure(truth) && pure(a) && pure(b) {
            let cond = self.cond(forest, truth, crate::priors::EVEN);
            return self.values.choose(cond, true, a, b);
        }
        self.values.either(a, b)
    }

    pub(super) fn call(&mut self, module: &Module<'_>, forest: &mut Forest, op: Op) {
        if let Some(open) = self.open.last_mut() {
            open.calls = true;
        }
        let direct = matches!(op.code, code::CALL | code::RETURN_CALL);
        let signature = if direct { module.function_signature(op.a) } else { module.signature(op.a) };
        if !direct {
            self.pop();
        }
        let Some(signature) = signature else {
            // One by reference.
            self.plain(code::RARE);
            self.flush(forest);
            return;
        };
        let count = usize::from(signature.params).min(self.stack.len());
        let first = self.stack.len() - count;
        let node = if direct {
            Node::Call { function: op.a, args: self.arguments(forest, first) }
        } else {
            Node::CallIndirect { class: op.a }
        };
        self.notes.call(node);
        for at in first..self.stack.len() {
            let value = self.stack[at];
            self.notes.operand(value);
            self.note_handed(forest, value);
        }
        self.forget(first..self.stack.len());
        self.stack.truncate(first);
        self.flush(forest);
        forest.nodes.push(node);
        self.spend(count + usize::from(signature.results));
        for _ in 0..signature.results {
            let value = self.values.opaque(Source::Call);
            self.stack.push(value);
        }
    }

    /// Exports the operands from `first` up that depend on constants and parameters alone; `NONE` where none does.
    pub(super) fn arguments(&mut self, forest: &mut Forest, first: usize) -> u32 {
        let last = self.stack.len().min(first + MAX_ARGUMENTS);
        if !self.stack[first..last].iter().any(|&arg| self.values.is_pure(arg)) {
            return NONE;
        }
        let mut exported = [NONE; MAX_ARGUMENTS];
        for slot in first..last {
            let arg = self.stack[slot];
            if self.values.is_pure(arg) {
                exported[slot - first] = self.export(forest, arg);
            }
        }
        let index = forest.args.len() as u32;
        forest.args.push((last - first) as u32);
        forest.args.extend_from_slice(&exported[..last - first]);
        index
    }

    /// The expression of a value in the forest.
    pub(super) fn export(&mut self, forest: &mut Forest, value: Val) -> u32 {
        self.exporter.value(&self.values, forest, value)
    }
}
