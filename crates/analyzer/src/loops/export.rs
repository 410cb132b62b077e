//! Values that outlive the walk: conditions, arguments and bounds as expressions of the program representation.
//!
//! Part of the loop walk.

use super::Walker;
use crate::dependence::Why;
use crate::frequency::MAX_ARGUMENTS;
use crate::frontend::wasm::decode::{Op, code};
use crate::frontend::wasm::module::Module;
use crate::program::{Cond, Expr, Forest, NONE, Node, Phi};
use crate::values::{Def, Source, Val};

impl Walker {
    pub(super) fn cond(&mut self, forest: &mut Forest, value: Val, chance: f64) -> u32 {
        let expr = if self.values.is_pure(value) { self.export(forest, value, 0) } else { NONE };
        forest.conds.push(Cond { expr, chance: chance as f32, leaves: false });
        (forest.conds.len() - 1) as u32
    }

    pub(super) fn call(&mut self, module: &Module<'_>, forest: &mut Forest, op: Op) {
        self.notes.obstacle(Why::Calls);
        if let Some(open) = self.open.last_mut() {
            open.calls = true;
        }
        let direct = matches!(op.code, code::CALL | code::RETURN_CALL);
        let signature = if direct { module.function_signature(op.a) } else { module.signature(op.a) };
        if !direct {
            self.pop();
        }
        let Some(signature) = signature else {
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
                exported[slot - first] = self.export(forest, arg, 0);
            }
        }
        let index = forest.args.len() as u32;
        forest.args.push((last - first) as u32);
        forest.args.extend_from_slice(&exported[..last - first]);
        index
    }

    /// The expression of a value in the forest.
    pub(super) fn export(&mut self, forest: &mut Forest, value: Val, depth: u32) -> u32 {
        let add = |forest: &mut Forest, expr: Expr| {
            forest.exprs.push(expr);
            (forest.exprs.len() - 1) as u32
        };
        if let Some(constant) = value.as_constant() {
            return add(forest, Expr::Const(constant));
        }
        if value.is_junk() {
            return NONE;
        }
        let x = self.export_symbol(forest, value.symbol, depth);
        if value.scale == 1 && value.offset == 0 {
            return x;
        }
        add(forest, Expr::Linear { x, scale: i64::from(value.scale), offset: value.offset })
    }

    pub(super) fn export_symbol(&mut self, forest: &mut Forest, symbol: u32, depth: u32) -> u32 {
        if self.exported.len() <= symbol as usize {
            self.exported.resize(self.values.next_symbol() as usize, NONE);
        }
        let done = self.exported[symbol as usize];
        if done != NONE {
            return done;
        }
        let opaque = |source: Source| Expr::Opaque { source };
        let expr = match self.values.def(symbol) {
            Def::Opaque(source) => opaque(source),
            _ if depth > 10 => opaque(Source::Other),
            Def::Param(index) => {
                self.sensitive |= 1 << index.min(63);
                Expr::Param(index)
            }
            Def::Phi { of, init } => {
                let init = self.export(forest, init, depth + 1);
                forest.phis.push(Phi { of, init, step: None, stride: (NONE, 0), latch: NONE });
                Expr::Phi((forest.phis.len() - 1) as u32)
            }
            Def::Closed(last) => {
                let x = self.export(forest, last, depth + 1);
                Expr::Linear { x, scale: 1, offset: 0 }
            }
            Def::Operation { code, a, b } => {
                let (a, b) = (self.export(forest, a, depth + 1), self.export(forest, b, depth + 1));
                Expr::Operation { code, a, b }
            }
            Def::Either(a, b) => {
                let (a, b) = (self.export(forest, a, depth + 1), self.export(forest, b, depth + 1));
                Expr::Either(a, b)
            }
        };
        forest.exprs.push(expr);
        let index = (forest.exprs.len() - 1) as u32;
        if !matches!(self.values.def(symbol), Def::Closed(_)) {
            self.exported[symbol as usize] = index;
        }
        index
    }
}
