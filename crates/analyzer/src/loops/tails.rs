//! Code that stands inside a loop but runs after it: LLVM lays what follows a loop out where the loop is left, before
//! its back edge, as long as that saves a branch. Whole functions are nested so.
//!
//! A tail begins behind a conditional branch over it, or behind a loop's last back edge, and can only leave. The walk
//! takes it as standing outside. Part of the loop walk; one pass over a function's control operators.

use crate::frontend::wasm::decode::{Decoded, code};
use crate::program::NONE;

/// A stretch of code that can only leave the loop around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tail {
    /// Index of the branch or `if` that begins it.
    pub at: u32,
    /// Index of the `end` before which it ends.
    pub end: u32,
    /// The innermost frame around it that it can go on in, by depth from the function; `NONE` where it ends the function.
    pub stays: u32,
    /// Whether it lies behind a last back edge, rather than being skipped by a branch.
    pub behind: bool,
}

/// Tails of a function, in order; the lists are reused.
#[derive(Debug, Default)]
pub(super) struct Tails {
    pub found: Vec<Tail>,
    frames: Vec<Frame>,
    pending: Vec<Pending>,
    /// Index of the last branch to each loop's head.
    last_back: Vec<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    /// A loop's number, else `NONE`.
    number: u32,
    end: u32,
    branches: u32,
    is_if: bool,
    /// Whether code before it was reached at all.
    live: bool,
}

#[derive(Debug, Clone, Copy)]
struct Pending {
    at: u32,
    frame: u32,
    stays: u32,
}

/// Candidates watched at a time.
const MAX_PENDING: usize = 64;

impl Tails {
    /// Finds the tails of a decoded function.
    pub(super) fn find(&mut self, decoded: &Decoded) {
        self.found.clear();
        if decoded.loops.is_empty() || decoded.too_deep {
            return;
        }
        self.last_back.clear();
        self.last_back.resize(decoded.loops.len(), NONE);
        self.frames.clear();
        self.pending.clear();
        let end = decoded.ops.len() as u32 - 1;
        self.frames.push(Frame { number: NONE, end, branches: 0, is_if: false, live: true });
        let mut live = true;
        for &at in decoded.control() {
            self.step(decoded, at, &mut live);
        }
        self.behind(decoded);
        self.found.sort_unstable_by_key(|tail| (tail.at, tail.behind));
    }

    fn step(&mut self, decoded: &Decoded, at: u32, live: &mut bool) {
        let op = decoded.ops[at as usize];
        match op.code & code::MASK {
            plain @ (code::BLOCK | code::IF | code::LOOP) => {
                let number = if plain == code::LOOP { op.a } else { NONE };
                let is_if = plain == code::IF;
                let end = if plain == code::LOOP { NONE } else { op.b as u32 };
                self.frames.push(Frame { number, end, branches: u32::from(is_if), is_if, live: *live });
                if is_if && *live {
                    self.watch(at, self.frames.len() as u32 - 1);
                }
            }
            code::ELSE => {
                if let Some(frame) = self.frames.last_mut() {
                    *live = frame.live;
                    // What the `if` skips has another side now.
                    frame.branches += 1;
                }
            }
            code::END | code::END_LOOP => self.leave(live),
            _ if !*live => {}
            code::BR => {
                self.branch(decoded, at, op.a);
                *live = false;
            }
            code::BR_IF | code::BR_ON_NULL | code::BR_ON_NON_NULL => {
                let target = (self.frames.len() as u32).checked_sub(op.a + 1);
                self.branch(decoded, at, op.a);
                let first = |frame: &Frame| frame.number == NONE && frame.branches == 1 && !frame.is_if;
                if let Some(target) = target.filter(|&target| target > 0 && first(&self.frames[target as usize])) {
                    self.watch(at, target);
                }
            }
            code::BR_TABLE => {
                for &(depth, _) in &decoded.tables[decoded.targets(op)] {
                    self.branch(decoded, at, depth);
                }
                *live = false;
            }
            code::RETURN | code::RETURN_CALL | code::RETURN_CALL_INDIRECT | code::RETURN_CALL_REF => *live = false,
            code::UNREACHABLE | code::THROW | code::THROW_REF => *live = false,
            _ => {}
        }
    }

    fn watch(&mut self, at: u32, frame: u32) {
        if self.pending.len() < MAX_PENDING {
            self.pending.push(Pending { at, frame, stays: NONE });
        }
    }

    fn branch(&mut self, decoded: &Decoded, at: u32, depth: u32) {
        let Some(target) = (self.frames.len() as u32).checked_sub(depth + 1) else { return };
        let frame = &mut self.frames[target as usize];
        frame.branches += 1;
        if frame.number != NONE {
            self.last_back[frame.number as usize] = at;
        }
        // A block that ends where the loop around it does leads out of that loop.
        let end = frame.end as usize;
        let plain = frame.number == NONE && !frame.is_if;
        let last = plain && decoded.ops.get(end + 1).is_some_and(|op| op.code & code::MASK == code::END_LOOP);
        let leads = if last && target >= 2 { target - 2 } else { target };
        for pending in self.pending.iter_mut().filter(|pending| target < pending.frame && leads > 0) {
            let target = leads;
            pending.stays = if pending.stays == NONE { target } else { pending.stays.max(target) };
        }
    }

    fn leave(&mut self, live: &mut bool) {
        let number = self.frames.len() as u32 - 1;
        let Some(frame) = self.frames.pop() else { return };
        while let Some(&pending) = self.pending.last().filter(|pending| pending.frame >= number) {
            self.pending.pop();
            if pending.frame == number && !*live && frame.branches == 1 {
                self.found.push(Tail { at: pending.at, end: frame.end, stays: pending.stays, behind: false });
            }
        }
        *live |= frame.number == NONE && frame.branches > 0;
    }

    /// Adds what lies behind each loop's last back edge, up to the loop's end or that of the tail it lies in.
    fn behind(&mut self, decoded: &Decoded) {
        for (number, &at) in self.last_back.iter().enumerate() {
            let conditional = at != NONE && decoded.ops[at as usize].code & code::MASK == code::BR_IF;
            let next = decoded.ops.get(at as usize + 1).map(|op| op.code & code::MASK);
            // The usual bottom test has nothing behind it.
            if conditional && !matches!(next, Some(code::END_LOOP)) {
                self.found.push(Tail { at, end: NONE, stays: number as u32, behind: true });
            }
        }
    }
}
