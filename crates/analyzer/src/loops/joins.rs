//! Where paths meet: assignments are logged, taken back where a path ends, and merged where several come together.
//!
//! Part of the loop walk.

use super::{Frame, Kind, Walker};
use crate::program::{Forest, Node};
use crate::values::{Source, Val};

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
            ambiguous: Vec::new(),
            cond: None,
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
        frame.first_branch = start;
        frame.kind = Kind::Else;
        frame.cond = None;
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
            if !live && frame.branches == 1 && frame.ambiguous.is_empty() {
                self.undo(frame.first_branch);
            } else {
                self.merge(frame.first_branch, &std::mem::take(&mut frame.ambiguous));
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
        let mut extra = 0;
        for frame in self.frames.iter_mut().filter(|frame| frame.branches > 0 && frame.first_branch > to) {
            // What it carried is known where nothing was assigned since.
            let one = frame.branches == 1 && frame.first_branch == end;
            frame.first_branch = to;
            let carried = |&(local, value): &(u32, Val)| (local, if one { value } else { Val::JUNK });
            frame.ambiguous.extend(self.touched.iter().map(carried));
            extra += self.touched.len();
        }
        self.spend(extra + self.frames.len());
    }

    /// Joins paths: what was assigned since the first of them left is one value or another from here on.
    pub(super) fn merge(&mut self, first: u32, ambiguous: &[(u32, Val)]) {
        self.spend(self.log.len() - first as usize + ambiguous.len() + self.frames.len());
        self.stamp += 1;
        let mut kept = first as usize;
        for index in first as usize..self.log.len() {
            let (local, old) = self.log[index];
            if std::mem::replace(&mut self.stamps[local as usize], self.stamp) != self.stamp {
                let now = self.locals[local as usize];
                if now != old || now.is_junk() {
                    self.locals[local as usize] = self.values.either(old, now);
                }
                self.log[kept] = (local, old);
                kept += 1;
            }
        }
        self.log.truncate(kept);
        self.stamp += 1;
        for &(local, carried) in ambiguous {
            let again = std::mem::replace(&mut self.stamps[local as usize], self.stamp) == self.stamp;
            let now = self.local(local);
            if !again && now == carried && !now.is_junk() {
                continue;
            }
            let joined = if again || carried.is_junk() || now.is_junk() {
                self.values.opaque(Source::Other)
            } else {
                self.values.either(carried, now)
            };
            self.assign(local, joined);
        }
        for frame in &mut self.frames {
            frame.first_branch = frame.first_branch.min(first.max(frame.log_start));
        }
    }
}
