//! Branches: the state each carries, the loops it leaves or goes round, and what it jumps over.
//!
//! Part of the loop walk.

use super::{Exit, Kind, Latch, MAX_EXITS, Open, Walker};
use crate::branches;
use crate::frontend::wasm::decode::{Op, code};
use crate::program::{Forest, NONE, Node};
use crate::values::Val;

impl Walker {
    pub(super) fn enter_if(&mut self, forest: &mut Forest, op: Op, at: u32) {
        let value = self.pop();
        let end = op.b as u32;
        let chance = 1.0 - branches::chance(&self.values, value, op.code, true, &self.around(at, end));
        let cond = self.cond(forest, value, chance);
        self.flush(forest);
        forest.nodes.push(Node::If(cond));
        self.enter(Kind::If, op.a & 0xffff, op.a >> 16, end);
        // Until an `else` says otherwise, the other path goes straight to the end.
        if let Some(frame) = self.frames.last_mut() {
            frame.branches = 1;
            frame.cond = Some((value, cond));
        }
    }

    pub(super) fn target(&self, depth: u32) -> Option<u32> {
        (self.frames.len() as u32).checked_sub(depth + 1)
    }

    /// Notes a branch: the state it carries, and the loops it leaves or goes round.
    pub(super) fn branch(&mut self, op: Op, exit: Option<(Val, u32)>) {
        let Some(target) = self.target(op.a) else { return };
        let dies = op.code & code::TAKEN_DIES != 0;
        // A branch that is the body of an `if` is a conditional branch by another name.
        let body_of = self.frames.last().and_then(|frame| frame.cond);
        let inner = usize::from(exit.is_none() && body_of.is_some());
        let exit = exit.or(body_of);
        let certain = self.open.last().is_some_and(|open| self.certain(open, inner));
        self.note_leaving(target, exit.map(|(value, cond)| (value, cond, certain)), dies);
        let log_len = self.log.len() as u32;
        let frame = &mut self.frames[target as usize];
        if let Kind::Loop(index) = frame.kind {
            self.back_edge(index, exit, certain);
        } else {
            if frame.branches == 0 {
                frame.first_branch = log_len;
            }
            frame.branches += 1;
        }
    }

    /// Tells the loops that a branch to `target` leaves.
    pub(super) fn note_leaving(&mut self, target: u32, exit: Option<(Val, u32, bool)>, dies: bool) {
        let mut innermost = true;
        for open in self.open.iter_mut().rev().take_while(|open| open.frame > target) {
            match exit {
                Some((value, cond, certain)) if innermost && !dies && open.exits.len() < MAX_EXITS => {
                    open.exits.push(Exit { value, cond, again: false, certain, backs: open.backs });
                }
                _ => open.early_since |= !dies,
            }
            innermost = false;
        }
        let steps = self.open.len();
        self.spend(steps);
    }

    /// Whether every iteration of the loop that does not leave it comes by here, and none has gone round before.
    ///
    /// The innermost `skip` frames are not looked at.
    pub(super) fn certain(&self, open: &Open, skip: usize) -> bool {
        let Some(inside) = self.frames.get(open.frame as usize + 1..self.frames.len() - skip) else { return false };
        open.backs == 0
            && inside.len() < 64
            && inside.iter().all(|frame| frame.kind == Kind::Block && frame.branches == 0)
    }

    pub(super) fn back_edge(&mut self, index: u32, exit: Option<(Val, u32)>, certain: bool) {
        let innermost = index as usize + 1 == self.open.len();
        let locals = &self.locals;
        let open = &mut self.open[index as usize];
        for variable in &mut open.variables {
            let now = locals[variable.local as usize];
            variable.latch = match variable.latch {
                Latch::Unseen => Latch::Is(now),
                Latch::Is(value) if value == now && !now.is_junk() => Latch::Is(value),
                _ => Latch::Differs,
            };
        }
        let steps = open.variables.len();
        open.last_back = exit.map(|(value, cond)| Exit {
            value,
            cond,
            again: true,
            certain: certain && innermost,
            backs: open.backs,
        });
        open.backs += 1;
        open.early |= std::mem::take(&mut open.early_since);
        self.spend(steps);
    }

    pub(super) fn branch_if(&mut self, forest: &mut Forest, op: Op, at: u32) {
        let value = if op.code & code::MASK == code::BR_IF { self.pop() } else { Val::JUNK };
        let end = self.target(op.a).map_or(NONE, |target| self.frames[target as usize].end);
        let chance = branches::chance(&self.values, value, op.code, false, &self.around(at, end));
        let cond = self.cond(forest, value, chance);
        self.flush(forest);
        forest.nodes.push(Node::BrIf { depth: op.a, cond });
        self.branch(op, Some((value, cond)));
    }

    pub(super) fn around(&self, at: u32, end: u32) -> branches::Skipped {
        // A third of the function and more is taken to be what it is there for.
        let most = end != NONE && 3 * end.saturating_sub(at) as usize > self.decoded.ops.len();
        let end = self.decoded.ops.get(end as usize);
        let loops = end.is_some_and(|end| end.a > self.loops_begun);
        // Calls between here and the end: the first one suffices, and is found near if at all.
        let calls = end.is_some()
            && self.decoded.ops[at as usize + 1..]
                .iter()
                .take(24)
                .any(|op| matches!(op.code & code::MASK, code::CALL | code::CALL_INDIRECT));
        branches::Skipped { loops, calls, most }
    }

    pub(super) fn branch_table(&mut self, forest: &mut Forest, op: Op) {
        self.pop();
        self.flush(forest);
        let (begin, len) = (op.a as usize, op.b as usize);
        let start = forest.tables.len() as u32;
        forest.tables.extend_from_slice(&self.decoded.tables[begin..begin + len]);
        forest.nodes.push(Node::BrTable { start, len: len as u32 });
        for open in &mut self.open {
            open.table_targets = open.table_targets.max(len as u32);
        }
        for slot in begin..begin + len {
            let depth = self.decoded.tables[slot].0;
            self.branch(Op { code: code::BR, a: depth, b: 0 }, None);
        }
        let steps = len + self.open.len();
        self.spend(steps);
    }
}
