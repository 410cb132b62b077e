//! Where paths meet: assignments are logged, taken back where a path ends, and merged where several come together.
//!
//! Part of the loop walk.

use super::{Frame, Guards, Kind, MAX_TOLD, Walker};
use crate::program::{Forest, NONE, Node};
use crate::values::{Def, Source, Val};

impl Walker {
    #[inline]
    pub(super) fn assign(&mut self, local: u32, value: Val) {
        if let Some(place) = self.locals.get_mut(local as usize) {
            self.log.push((local, *place));
            *place = value;
        }
    }

    pub(super) fn spend(&mut self, steps: usize) {
        self.work = self.work.saturating_sub(steps as u64);
    }

    pub(super) fn enter(&mut self, kind: Kind, params: u32, results: u32, end: u32) {
        self.spend(params as usize + results as usize + 1);
        let height = (self.stack.len() as u32).saturating_sub(params);
        let log_start = self.log.len() as u32;
        self.floor = height as usize;
        self.frames.push(Frame {
            kind,
            height,
            results,
            end,
            log_start,
            branches: 0,
            first_branch: log_start,
            last_branch: log_start,
            ambiguous: Vec::new(),
            told: 0,
            cond: None,
            guards: Guards::default(),
            leaves: false,
        });
    }

    pub(super) fn otherwise(&mut self, forest: &mut Forest, live: bool) {
        self.flush(forest);
        forest.nodes.push(Node::Else);
        let Some(mut frame) = self.frames.pop() else { return };
        let start = frame.log_start;
        let explicit = frame.branches.saturating_sub(1);
        self.undo(start);
        if live || explicit > 0 {
            let one = live && explicit == 0;
            let carried = |&(local, value): &(u32, Val)| (local, if one { value } else { Val::JUNK });
            frame.ambiguous.extend(self.touched.iter().map(carried));
        }
        frame.branches = explicit + u32::from(live);
        frame.told = u32::from(live && explicit == 0);
        frame.first_branch = start;
        frame.kind = Kind::Else;
        let decided = frame.cond.take().filter(|_| live && explicit == 0);
        frame.guards = Guards { spoiled: true, ..Guards::default() };
        if let Some((_, cond)) = decided {
            frame.guards = Guards::default();
            frame.guards.add(cond, start);
        }
        self.stack.truncate(frame.height as usize);
        self.frames.push(frame);
    }

    /// The end of a block, loop or function; whether what follows can be reached.
    pub(super) fn leave(&mut self, forest: &mut Forest, live: bool) -> bool {
        self.flush(forest);
        self.end_tails(forest, self.frames.len() as u32 - 1);
        let Some(mut frame) = self.frames.pop() else { return false };
        self.floor = self.frames.last().map_or(0, |outer| outer.height as usize);
        if frame.kind != Kind::Function {
            forest.nodes.push(Node::End);
        }
        if let Kind::Loop(_) = frame.kind {
            self.finish_loop(forest, live);
        }
        let joined = frame.branches > 0 && !matches!(frame.kind, Kind::Loop(_));
        if joined {
            let passed = !live && frame.last_branch as usize != self.log.len();
            if !live && frame.branches == 1 && frame.ambiguous.is_empty() {
                self.undo(frame.first_branch);
            } else if passed && frame.told == frame.branches {
                self.meet_branches(forest, &frame);
            } else {
                // Where the end is not come to, what there is now is what the last branch carries.
                let last = u32::from(!live && frame.last_branch as usize == self.log.len());
                let all = frame.branches == 1 || (live || last == 1) && frame.told + last == frame.branches;
                self.merge(
                    forest,
                    frame.first_branch,
                    &std::mem::take(&mut frame.ambiguous),
                    (&frame.guards, live, frame.branches == 1, all),
                );
            }
        }
        self.results(&frame, joined);
        live || joined
    }

    /// Leaves a frame's results on the stack.
    pub(super) fn results(&mut self, frame: &Frame, joined: bool) {
        self.spend(frame.results as usize);
        let top = (frame.results == 1 && !joined).then(|| self.stack.last().copied()).flatten();
        let above = self.stack.len() > frame.height as usize;
        self.stack.truncate(frame.height as usize);
        match top {
            Some(value) if above => self.stack.push(value),
            _ => {
                for _ in 0..frame.results {
                    let value = self.values.opaque(Source::Other);
                    self.stack.push(value);
                }
            }
        }
    }

    /// Takes back assignments down to a length of the log, and leaves the locals concerned in `touched`.
    pub(super) fn undo(&mut self, to: u32) {
        self.stamp += 1;
        self.touched.clear();
        self.spend(self.log.len() - to as usize);
        let end = self.log.len() as u32;
        while self.log.len() > to as usize {
            let Some((local, old)) = self.log.pop() else { break };
            let now = std::mem::replace(&mut self.locals[local as usize], old);
            if std::mem::replace(&mut self.stamps[local as usize], self.stamp) != self.stamp {
                self.touched.push((local, now));
            }
        }
        // A branch to an outer frame may have carried one of the values just taken back.
        let (touched, mut extra) = (self.stamp, 0);
        for frame in self.frames.iter_mut().filter(|frame| frame.branches > 0 && frame.last_branch > to) {
            // What it carried is known where nothing was assigned since.
            let one = frame.branches == 1 && frame.first_branch == end;
            let next = frame.told > 0 && frame.told + 1 == frame.branches && frame.branches <= MAX_TOLD;
            let next = next && frame.last_branch == end;
            frame.first_branch = frame.first_branch.min(to);
            frame.last_branch = to;
            frame.guards.last = frame.guards.last.min(to);
            if next {
                // What only this branch or only others have changed the others carry, or this one, as it was before.
                let known = self.stamp + 1;
                self.stamp += 2;
                let shared = self.stamp;
                for at in 0..frame.ambiguous.len() {
                    let (local, _) = frame.ambiguous[at];
                    let stamp = &mut self.stamps[local as usize];
                    if *stamp == touched {
                        *stamp = shared;
                    } else if *stamp != shared && std::mem::replace(stamp, known) != known {
                        frame.ambiguous.push((local, self.locals[local as usize]));
                    }
                }
                for &(local, value) in &self.touched {
                    if std::mem::replace(&mut self.stamps[local as usize], touched) != shared {
                        frame.ambiguous.push((local, self.locals[local as usize]));
                    }
                    frame.ambiguous.push((local, value));
                }
            } else {
                let carried = |&(local, value): &(u32, Val)| (local, if one { value } else { Val::JUNK });
                frame.ambiguous.extend(self.touched.iter().map(carried));
            }
            frame.told += u32::from(one || next);
            extra += frame.ambiguous.len();
        }
        self.spend(extra + self.frames.len());
    }

    /// Joins paths: what was assigned since the first of them left is one value or another from here on.
    pub(super) fn merge(
        &mut self,
        forest: &Forest,
        first: u32,
        ambiguous: &[(u32, Val)],
        (guards, live, one, all): (&Guards, bool, bool, bool),
    ) {
        self.spend(self.log.len() - first as usize + ambiguous.len() + self.frames.len());
        // What one path carries and the other has now, before anything is merged.
        let told = guards.told(live);
        let carried: Vec<(u32, Val, Val)> = if told.len() == 1 || one {
            ambiguous.iter().map(|&(local, carried)| (local, carried, self.local(local))).collect()
        } else {
            Vec::new()
        };
        // Where it is known what all branches carried, what there was before them is none of the values.
        self.stamp += 1;
        let known = self.stamp;
        for &(local, _) in ambiguous.iter().filter(|_| all) {
            self.stamps[local as usize] = known;
        }
        self.stamp += 1;
        let mut kept = first as usize;
        for index in first as usize..self.log.len() {
            let (local, old) = self.log[index];
            let met = std::mem::replace(&mut self.stamps[local as usize], self.stamp);
            if met != self.stamp {
                let now = self.locals[local as usize];
                if met != known && (now != old || now.is_junk()) {
                    let conds = if index >= guards.last as usize { told } else { &[] };
                    self.locals[local as usize] = self.joined(forest, conds, guards.inverted, old, now);
                }
                self.log[kept] = (local, old);
                kept += 1;
            }
        }
        self.log.truncate(kept);
        self.stamp += 1;
        for (at, &(local, value)) in ambiguous.iter().enumerate() {
            let again = std::mem::replace(&mut self.stamps[local as usize], self.stamp) == self.stamp;
            let now = self.local(local);
            if now == value && !now.is_junk() && (!again || all) {
                continue;
            }
            let joined = match carried.get(at) {
                Some(&(_, value, other)) if !again && !value.is_junk() && !other.is_junk() => {
                    self.joined(forest, told, guards.inverted, value, other)
                }
                _ if (again && !all) || value.is_junk() || now.is_junk() => self.values.opaque(Source::Other),
                _ => self.values.either(value, now),
            };
            self.assign(local, joined);
        }
        for frame in &mut self.frames {
            frame.first_branch = frame.first_branch.min(first.max(frame.log_start));
        }
    }

    /// Joins the branches to the end of a frame that is not come to otherwise, each of which has told what it carries.
    fn meet_branches(&mut self, forest: &Forest, frame: &Frame) {
        self.undo(frame.first_branch);
        let told = if frame.branches == 2 { frame.guards.told(false) } else { &[] };
        self.stamp += 1;
        for &(local, value) in &frame.ambiguous {
            if std::mem::replace(&mut self.stamps[local as usize], self.stamp) != self.stamp {
                self.assign(local, value);
                continue;
            }
            let now = self.local(local);
            if now != value || now.is_junk() {
                let told = if told.len() == 1 { told } else { &[] };
                let known = !now.is_junk() && !value.is_junk();
                let joined = if known {
                    self.joined(forest, told, frame.guards.inverted, now, value)
                } else {
                    self.values.opaque(Source::Other)
                };
                self.locals[local as usize] = joined;
            }
        }
        self.spend(frame.ambiguous.len());
    }

    /// The value that two paths agree on where one holds a constant that is what the other comes to under the condition
    /// which chose the first: `i == 0 ? 1 : i + 1`.
    fn same_where(&self, cond: u32, a: Val, b: Val) -> Option<Val> {
        let value = *self.conditions.get(cond.checked_sub(self.first_condition)? as usize)?;
        let (of, equals, whole) = match self.values.def(value.as_symbol()?) {
            Def::Operation { code: 0x45 | 0x50, a: of, .. } => (of, 0, a),
            Def::Operation { code: 0x46 | 0x51, a: of, b: with } => (of, with.as_constant()?, a),
            Def::Operation { code: 0x47 | 0x52, a: of, b: with } => (of, with.as_constant()?, b),
            Def::Operation { code: 0x49 | 0x54, a: of, b: with } if with.as_constant() == Some(1) => (of, 0, a),
            _ => (value, 0, b),
        };
        let other = if whole == a { b } else { a };
        let at = whole.as_constant()?;
        let told = of.scale == 1 && other.symbol == of.symbol;
        let there = i64::from(other.scale).wrapping_mul(equals.wrapping_sub(of.offset)).wrapping_add(other.offset);
        (told && there == at).then_some(other)
    }

    /// What a local holds where two paths meet: `old` on the one that any of the conditions chose, else `now`.
    fn joined(&mut self, forest: &Forest, conds: &[u32], inverted: bool, old: Val, now: Val) -> Val {
        if conds.is_empty() {
            return self.values.either(old, now);
        }
        conds.iter().rev().fold(now, |now, &cond| {
            let pure = forest.conds[cond as usize].expr != NONE;
            let (a, b) = if inverted { (now, old) } else { (old, now) };
            if let Some(same) = self.same_where(cond, a, b) {
                return same;
            }
            self.values.choose(cond, pure, a, b)
        })
    }
}
