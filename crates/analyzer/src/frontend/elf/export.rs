//! Values that outlive the walk over registers: conditions, arguments, lengths and bounds as expressions of the program
//! representation.

use iced_x86::{Instruction, Mnemonic};

use super::layout::Layout;
use super::registers::{ARGUMENTS, Registers};
use crate::dependence::Why;
use crate::priors::UnknownLoop;
use crate::program::{Forest, NONE, Node, Trip};
use crate::trip_count::Formula;
use crate::values::Val;

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
            forest.conds[cond as usize].expr = self.export(forest, truth);
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
                *slot = self.export(forest, value);
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
        let length = self.export(forest, bytes);
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
            Some(formula) => self.exporter.formula(&self.values, forest, &formula),
            None if looks => Trip::Unknown(UnknownLoop::Data),
            None => Trip::Unknown(UnknownLoop::Counted),
        };
    }

    /// The expression of a value in the forest.
    pub(super) fn export(&mut self, forest: &mut Forest, value: Val) -> u32 {
        self.exporter.value(&self.values, forest, value)
    }
}
