//! Branches: the state each carries, the loops it leaves or goes round, and what it jumps over.
//!
//! Part of the loop walk.

use super::{Aside, Exit, Kind, Latch, MAX_EXITS, Open, Walker};
use crate::branches;
use crate::frontend::wasm::decode::{Op, code};
use crate::program::{Forest, NONE, Node};
use crate::values::Val;

/// Operators behind a branch among which a call counts as what it skips.
const NEAR: u32 = 24;

impl Walker {
    pub(super) fn enter_if(&mut self, forest: &mut Forest, op: Op, at: u32) {
        let value = self.pop();
        let end = op.b as u32;
        let skipped = self.around(at, end);
        let chance = 1.0 - branches::chance(&self.values, value, op.code, true, &skipped);
        let cond = self.cond(forest, value, chance);
        self.flush(forest);
        forest.nodes.push(Node::If(cond));
        self.enter(Kind::If, op.a & 0xffff, op.a >> 16, end);
        let exit = Exit { value, cond, again: false, certain: false, late: false, backs: 0 };
        // Until an `else` says otherwise, the other path goes straight to the end.
        if let Some(frame) = self.frames.last_mut() {
            frame.branches = 1;
            frame.cond = Some((value, cond));
            frame.guards.inverted = true;
            frame.guards.add(cond, frame.log_start);
        }
        self.begin_tails(forest, at, self.frames.len() as u32 - 1, exit);
    }

    /// Marks the block just entered, which ends at `end`, where what follows its end is that of the loop around it.
    pub(super) fn mark_leaving(&mut self, end: usize) {
        let last = self.decoded.ops.get(end + 1).is_some_and(|op| op.code & code::MASK == code::END_LOOP);
        if let [.., around, frame] = self.frames.as_mut_slice() {
            frame.leaves = last && matches!(around.kind, Kind::Loop(index) if index as usize + 1 == self.open.len());
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
        let late = self.open.last().is_some_and(|open| self.always(open, inner));
        let certain = late && self.open.last().is_some_and(|open| open.backs == 0);
        self.note_leaving(target, exit.map(|(value, cond)| (value, cond, late)), dies);
        let log_len = self.log.len() as u32;
        let guards = op.code & code::MASK == code::BR_IF && self.straight(target);
        let around = (op.code & code::MASK == code::BR && target as usize + 2 == self.frames.len())
            .then(|| self.frames.last().map(|frame| frame.guards))
            .flatten()
            .and_then(|guards| match guards.told(true) {
                &[cond] => Some((cond, guards.inverted)),
                _ => None,
            });
        let frame = &mut self.frames[target as usize];
        if let Kind::Loop(index) = frame.kind {
            if index as usize >= self.open.len() {
                return;
            }
            self.back_edge(index, exit, (certain, late));
        } else {
            if frame.branches == 0 {
                frame.first_branch = log_len;
            }
            frame.branches += 1;
            frame.last_branch = log_len;
            if frame.leaves && !dies {
                let open = self.open.last_mut().filter(|open| open.frame + 1 == target);
                match (open, exit) {
                    (Some(open), Some((value, cond))) if open.exits.len() < MAX_EXITS => {
                        open.exits.push(Exit { value, cond, again: false, certain, late, backs: open.backs });
                    }
                    (Some(open), _) => open.early_since = true,
                    (None, _) => {}
                }
            }
            match exit {
                Some((_, cond)) if guards && !frame.guards.inverted => frame.guards.add(cond, log_len),
                _ => match around {
                    // What a branch within one of two sides skips is the other side.
                    Some((cond, inverted)) if frame.branches == 1 => {
                        frame.guards.add(cond, log_len);
                        frame.guards.inverted = !inverted;
                    }
                    _ => frame.guards.others = frame.guards.others.saturating_add(1),
                },
            }
        }
    }

    /// Whether control has come straight here from where a frame was entered, but for branches to its end.
    fn straight(&self, target: u32) -> bool {
        let inside = &self.frames[target as usize + 1..];
        inside.len() < 8 && inside.iter().all(|frame| frame.kind == Kind::Block && frame.branches == 0)
    }

    /// Tells the loops that a branch to `target` leaves.
    pub(super) fn note_leaving(&mut self, target: u32, exit: Option<(Val, u32, bool)>, dies: bool) {
        let mut innermost = true;
        for open in self.open.iter_mut().rev().take_while(|open| open.frame > target) {
            match exit {
                Some((value, cond, late)) if innermost && !dies && open.exits.len() < MAX_EXITS => {
                    let certain = late && open.backs == 0;
                    open.exits.push(Exit { value, cond, again: false, certain, late, backs: open.backs });
                }
                _ => open.early_since |= !dies,
            }
            innermost = false;
        }
        let steps = self.open.len();
        self.spend(steps);
    }

    /// Whether every iteration of the loop that does not leave it or go round before comes by here.
    ///
    /// The innermost `skip` frames are not looked at.
    pub(super) fn always(&self, open: &Open, skip: usize) -> bool {
        let Some(inside) = self.frames.get(open.frame as usize + 1..self.frames.len() - skip) else { return false };
        inside.len() < 64
            && inside.iter().enumerate().all(|(at, frame)| {
                let at = open.frame + 1 + at as u32;
                let past = |aside: &Aside| aside.base <= at && at <= aside.top;
                (frame.kind == Kind::Block && (frame.branches == 0 || frame.leaves)) || self.aside.iter().any(past)
            })
    }

    pub(super) fn back_edge(&mut self, index: u32, exit: Option<(Val, u32)>, (certain, late): (bool, bool)) {
        let innermost = index as usize + 1 == self.open.len();
        let locals = &self.locals;
        let open = &mut self.open[index as usize];
        for variable in &mut open.variables {
            let now = locals[variable.local as usize];
            variable.latch = match variable.latch {
                Latch::Unseen => Latch::Is(now),
                Latch::Is(value) if value == now && !now.is_junk() => Latch::Is(value),
                Latch::Is(value) if !value.is_junk() && !now.is_junk() => Latch::Is(self.values.either(value, now)),
                _ => Latch::Differs,
            };
        }
        let steps = open.variables.len();
        open.last_back = exit.map(|(value, cond)| Exit {
            value,
            cond,
            again: true,
            certain: certain && innermost,
            late: late && innermost,
            backs: open.backs,
        });
        if open.backs == 0 {
            open.first_back = exit.map(|(_, cond)| cond);
        }
        open.backs += 1;
        open.early |= std::mem::take(&mut open.early_since);
        self.spend(steps);
    }

    pub(super) fn branch_if(&mut self, forest: &mut Forest, op: Op, at: u32) {
        let value = if op.code & code::MASK == code::BR_IF { self.pop() } else { Val::JUNK };
        let end = self.target(op.a).map_or(NONE, |target| self.frames[target as usize].end);
        let skipped = self.around(at, end);
        let chance = branches::chance(&self.values, value, op.code, false, &skipped);
        let cond = self.cond(forest, value, chance);
        self.flush(forest);
        forest.nodes.push(Node::BrIf { depth: op.a, cond });
        self.branch(op, Some((value, cond)));
        if let Some(target) = self.target(op.a) {
            let exit = Exit { value, cond, again: true, certain: false, late: false, backs: 0 };
            self.begin_tails(forest, at, target, exit);
        }
    }

    /// Sets the innermost loop aside where the operator at `at` begins code that runs after it.
    ///
    /// `frame` is the one that the operator skips to the end of; `exit` says when it does not.
    fn begin_tails(&mut self, forest: &mut Forest, at: u32, frame: u32, exit: Exit) {
        while let Some(&tail) = self.tails.found.get(self.next_tail).filter(|tail| tail.at <= at) {
            self.next_tail += 1;
            if tail.at < at {
                continue;
            }
            let Some(open) = self.open.last() else { continue };
            let until = if tail.behind {
                if open.number != tail.stays {
                    continue;
                }
                let around = self.aside.last().map(|aside| aside.until).filter(|&until| until > open.frame);
                around.unwrap_or(open.frame)
            } else {
                if frame <= open.frame || (tail.stays != NONE && tail.stays >= open.frame) {
                    continue;
                }
                let late = self.always(open, self.frames.len() - frame as usize);
                let backs = open.backs;
                let certain = late && backs == 0;
                forest.conds[exit.cond as usize].leaves = true;
                match self.open.last_mut() {
                    Some(open) if open.exits.len() < MAX_EXITS => {
                        open.exits.push(Exit { certain, late, backs, ..exit });
                    }
                    Some(open) => open.early_since = true,
                    None => {}
                }
                frame
            };
            self.flush(forest);
            forest.nodes.push(Node::Tail);
            if let Some(open) = self.open.pop() {
                let top = if tail.behind { self.frames.len() as u32 - 1 } else { frame };
                self.aside.push(Aside { until, base: open.frame, top, open });
            }
        }
    }

    /// Takes loops up again whose tails end with a frame.
    pub(super) fn end_tails(&mut self, forest: &mut Forest, frame: u32) {
        while self.aside.last().is_some_and(|aside| aside.until >= frame) {
            if let Some(aside) = self.aside.pop() {
                forest.nodes.push(Node::EndTail);
                self.open.push(aside.open);
            }
        }
        for aside in &mut self.aside {
            aside.top = aside.top.min(frame.saturating_sub(1));
        }
    }

    pub(super) fn around(&mut self, at: u32, end: u32) -> branches::Skipped {
        // A third of the function and more is taken to be what it is there for.
        let most = end != NONE && 3 * end.saturating_sub(at) as usize > self.decoded.ops.len();
        let end = self.decoded.ops.get(end as usize);
        let loops = end.is_some_and(|end| end.a > self.loops_begun);
        let calls = end.is_some() && self.next_call(at).is_some_and(|call| call - at <= NEAR);
        branches::Skipped { loops, calls, most }
    }

    /// The call that follows an operator; asked for in order.
    fn next_call(&mut self, at: u32) -> Option<u32> {
        let passed = self.decoded.calls[self.calls_passed..].iter().take_while(|&&call| call <= at).count();
        self.calls_passed += passed;
        self.decoded.calls.get(self.calls_passed).copied()
    }

    pub(super) fn branch_table(&mut self, forest: &mut Forest, op: Op) {
        let index = self.pop();
        self.flush(forest);
        let slots = self.decoded.targets(op);
        let len = slots.len();
        if !self.choices(forest, op, index) {
            let start = forest.tables.len() as u32;
            forest.tables.extend_from_slice(&self.decoded.tables[slots.clone()]);
            forest.nodes.push(Node::BrTable { start, len: len as u32 });
        }
        for open in &mut self.open {
            open.table_targets = open.table_targets.max(len as u32);
        }
        for slot in slots {
            let depth = self.decoded.tables[slot].0;
            self.branch(Op { code: code::BR, a: depth, b: 0 }, None);
        }
        let steps = len + self.open.len();
        self.spend(steps);
    }

    /// Lays a jump by a short table out as branches by what its index is, where that depends on parameters and loop
    /// variables alone: what a loop does in its first iterations, and what in the others.
    fn choices(&mut self, forest: &mut Forest, op: Op, index: Val) -> bool {
        const EQUAL: u16 = 0x46;
        let entries = self.decoded.entries(op).to_vec();
        let Some((&(rest, _), first)) = entries.split_last().filter(|_| self.values.is_pure(index)) else {
            return false;
        };
        let mut left = entries.len();
        for (at, &(depth, _)) in first.iter().enumerate() {
            let truth = self.values.binary(EQUAL, index, Val::constant(at as i64));
            let cond = self.cond(forest, truth, 1.0 / left as f64);
            forest.nodes.push(Node::BrIf { depth, cond });
            left -= 1;
        }
        forest.nodes.push(Node::Br(rest));
        true
    }
}
