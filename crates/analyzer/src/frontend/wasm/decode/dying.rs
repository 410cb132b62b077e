//! Which branches lead only to a trap or to the end of the program, told by one walk backwards over the control flow.
//!
//! Part of the decoder.

use super::{Decoded, code};
use crate::frontend::wasm::module::Module;

/// How a path ends, from the usual to the last resort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    /// It returns, or goes round a loop.
    Goes,
    /// It can only end the program by `exit`.
    Exits,
    /// It can only trap.
    Traps,
}

/// What lies after an open block, seen from behind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dying {
    after: End,
    is_loop: bool,
    otherwise: Option<End>,
}

impl Decoded {
    /// Marks each conditional branch whose one side can only trap or exit, walking backwards.
    pub(crate) fn mark_dying(&mut self, module: &Module<'_>) {
        let mut stack = std::mem::take(&mut self.dying);
        stack.clear();
        let control = std::mem::take(&mut self.control);
        let mut now = End::Goes;
        for &index in control.iter().rev() {
            let op = self.ops[index as usize];
            let target = |depth: u32| {
                let at = stack.len().checked_sub(1 + depth as usize);
                let block = at.and_then(|at| stack.get(at)).filter(|block: &&Dying| !block.is_loop);
                block.map_or(End::Goes, |block| block.after)
            };
            match op.code {
                code::END | code::END_LOOP => {
                    stack.push(Dying { after: now, is_loop: op.code == code::END_LOOP, otherwise: None });
                }
                code::BLOCK | code::LOOP => drop(stack.pop()),
                code::ELSE => {
                    if let Some(block) = stack.last_mut() {
                        block.otherwise = Some(now);
                        now = block.after;
                    }
                }
                code::IF => {
                    let taken = stack.pop().map_or(End::Goes, |block| block.otherwise.unwrap_or(block.after));
                    now = self.mark_branch(index, now, taken);
                }
                code::BR_IF | code::BR_ON_NULL | code::BR_ON_NON_NULL => {
                    let taken = target(op.a);
                    now = self.mark_branch(index, now, taken);
                }
                code::BR => {
                    now = target(op.a);
                    self.ops[index as usize].code |= if now == End::Traps { code::TAKEN_DIES } else { 0 };
                }
                code::BR_TABLE => {
                    let targets = &self.tables[self.targets(op)];
                    now = targets.iter().map(|&(depth, _)| target(depth)).min().unwrap_or(End::Goes);
                }
                code::UNREACHABLE => {
                    let before = (index as usize).checked_sub(1).map(|before| self.ops[before]);
                    let exits = before.is_some_and(|call| call.code == code::CALL && module.exits(call.a));
                    now = if exits { End::Exits } else { End::Traps };
                }
                code::THROW | code::THROW_REF => now = End::Traps,
                _ => now = End::Goes,
            }
        }
        self.dying = stack;
        self.control = control;
    }

    fn mark_branch(&mut self, index: u32, fall: End, taken: End) -> End {
        let mark = match fall.max(taken) {
            _ if fall == taken => 0,
            End::Traps if fall > taken => code::FALL_DIES,
            End::Traps => code::TAKEN_DIES,
            _ if fall > taken => code::FALL_EXITS,
            _ => code::TAKEN_EXITS,
        };
        self.ops[index as usize].code |= mark;
        fall.min(taken)
    }
}
