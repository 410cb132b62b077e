//! Values that outlive the walk over registers: conditions, arguments, lengths and bounds as expressions of the program
//! representation.

use iced_x86::{Instruction, Mnemonic};

use super::layout::Layout;
use super::registers::{ARGUMENTS, Registers};
use crate::dependence::Why;
use crate::priors::UnknownLoop;
use crate::program::{Expr, Forest, NONE, Node, Phi, Trip};
use crate::trip_count::Formula;
use crate::values::{Def, Source, Val};

/// How deep definitions are followed.
const MAX_FOLLOW: u32 = 10;

impl Registers {
    /// The truth of the branch that ends a block, turned round where the layout did so.
    pub(super) fn note_cond(&mut self, layout: &Layout, forest: &mut Forest, block: u32, truth: Val) {
        let (cond, inverted) = layout.conds[block as usize];
        let truth = match truth.as_constant() {
            _ if !inverted || truth.is_junk() => truth,
            Some(value) => Val::constant(i64::from(value == 0)),
            None => self.values.binary(0x45, truth, Val::constant(0)),
        };
        self.truths[block as usize] = truth;
        if self.values.is_pure(truth) {
            forest.conds[cond as usize].expr = self.export(forest, truth, 0);
        }
    }

    /// The arguments of a call that depend on constants and parameters alone.
    pub(super) fn note_arguments(&mut self, forest: &mut Forest, site: Option<u32>) {
        let Some(Node::Call { function, .. }) = site.and_then(|site| forest.nodes.get(site as usize).copied()) else {
            return;
        };
        let known = ARGUMENTS.map(|register| self.now.registers[register]);
        if !known.iter().any(|&value| self.values.is_pure(value)) {
            return;
        }
        let mut exported = [NONE; ARGUMENTS.len()];
        for (slot, &value) in exported.iter_mut().zip(&known) {
            if self.values.is_pure(value) {
                *slot = self.export(forest, value, 0);
            }
        }
        let args = forest.args.len() as u32;
        forest.args.push(exported.len() as u32);
        forest.args.extend_from_slice(&exported);
        if let Some(node) = site.and_then(|site| forest.nodes.get_mut(site as usize)) {
            *node = Node::Call { function, args };
        }
    }

    /// An instruction that repeats itself as often as `rcx` says, or until it finds something.
    pub(super) fn repeat(&mut self, forest: &mut Forest, site: Option<u32>, instruction: &Instruction) {
        let Some(site) = site.map(|site| site as usize) else { return };
        self.rule_out(Why::Bulk);
        let count = self.now.registers[1];
        let width = super::classes::memory(instruction).map_or(1, |place| i64::from(place.1.max(1)));
        let bytes = self.values.binary(0x7e, count, Val::constant(width));
        let length = self.export(forest, bytes, 0);
        let looks =
            matches!(instruction.mnemonic(), Mnemonic::Scasb | Mnemonic::Scasw | Mnemonic::Scasd | Mnemonic::Scasq)
                || matches!(
                    instruction.mnemonic(),
                    Mnemonic::Cmpsb | Mnemonic::Cmpsw | Mnemonic::Cmpsd | Mnemonic::Cmpsq
                );
        let mut terms = self.values.linear(count);
        terms.constant = terms.constant.wrapping_sub(1);
        let formula = terms.usable().filter(|_| !looks).map(|terms| Formula { terms, step: 1, per: None });
        self.notes.enter(self.values.next_symbol());
        self.notes.leave(&self.values, &[], (formula, false, formula.is_some()));
        if let Some(node) = forest.nodes.get_mut(site) {
            *node = Node::Bulk { length };
        }
        let Some(Node::Loop(index)) = forest.nodes.get(site + 1).copied() else { return };
        forest.loops[index as usize].trip = match formula {
            Some(formula) => self.formula(forest, &formula),
            None if looks => Trip::Unknown(UnknownLoop::Data),
            None => Trip::Unknown(UnknownLoop::Counted),
        };
    }

    /// A count in the forest.
    pub(super) fn formula(&mut self, forest: &mut Forest, formula: &Formula) -> Trip {
        // Expressions first: exporting one may add terms of its own.
        let terms: Vec<(u32, i64)> = formula
            .terms
            .terms()
            .iter()
            .map(|&(symbol, coefficient)| (self.export_symbol(forest, symbol, 0), coefficient))
            .collect();
        let per = formula.per.map_or(NONE, |symbol| self.export_symbol(forest, symbol, 0));
        let start = forest.terms.len() as u32;
        forest.terms.extend_from_slice(&terms);
        Trip::Formula { start, len: terms.len() as u32, constant: formula.terms.constant, step: formula.step, per }
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
        let expr = match self.values.def(symbol) {
            Def::Opaque(source) => Expr::Opaque { source },
            _ if depth > MAX_FOLLOW => Expr::Opaque { source: Source::Other },
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
