//! Values in registers and stack slots at one point of a function; those at the ends of its blocks, which are kept to be
//! joined where paths meet. Part of the walk over registers.

use super::graph::NONE;
use super::registers::ALL;
use crate::values::{Def, Val, Values};

/// Stack slots that are followed at a time.
const SLOTS: usize = 12;

/// Loops that a variable may have ended in, one around the other.
const NESTED: usize = 8;

/// What the last comparison compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Flags {
    Unknown,
    /// `a - b`, 64 bits wide or less.
    Compared(Val, Val, bool),
    /// A result, against zero.
    Result(Val, bool),
}

/// A place in the frame that is followed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub at: i64,
    pub width: i64,
    pub value: Val,
}

/// Values at one point.
#[derive(Debug)]
pub(super) struct State {
    /// Registers that are followed, the first of all.
    live: usize,
    pub registers: [Val; ALL],
    pub slots: [Slot; SLOTS],
    pub len: usize,
    pub flags: Flags,
}

impl Default for State {
    fn default() -> Self {
        Self::new(ALL)
    }
}

/// Values that were kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'k> {
    /// Those registers that are followed.
    pub registers: &'k [Val],
    pub slots: &'k [Slot],
    flags: Flags,
}

/// The value of a slot that is just so wide.
fn slot(slots: &[Slot], at: i64, width: i64) -> Option<Val> {
    slots.iter().find(|slot| slot.at == at && slot.width == width).map(|slot| slot.value)
}

impl State {
    /// A state of which nothing is known, and of which so many registers are followed.
    pub(super) fn new(live: usize) -> Self {
        let slot = Slot { at: 0, width: 0, value: Val::JUNK };
        Self { live, registers: [Val::JUNK; ALL], slots: [slot; SLOTS], len: 0, flags: Flags::Unknown }
    }

    /// The value of a slot that is just so wide.
    pub(super) fn slot(&self, at: i64, width: i64) -> Option<Val> {
        slot(&self.slots[..self.len], at, width)
    }

    /// Puts a value into a slot that overlaps no other; false where no more are followed.
    pub(super) fn store(&mut self, at: i64, width: i64, value: Val) -> bool {
        if self.len == SLOTS {
            return false;
        }
        self.slots[self.len] = Slot { at, width, value };
        self.len += 1;
        true
    }

    pub(super) fn forget(&mut self, at: i64, width: i64) {
        let mut kept = 0;
        for index in 0..self.len {
            let slot = self.slots[index];
            if slot.at + slot.width <= at || slot.at >= at + width {
                self.slots[kept] = slot;
                kept += 1;
            }
        }
        self.len = kept;
    }

    /// Becomes a state that was kept.
    pub(super) fn copy(&mut self, other: &View<'_>) {
        self.registers[..other.registers.len()].copy_from_slice(other.registers);
        self.slots[..other.slots.len()].copy_from_slice(other.slots);
        (self.len, self.flags) = (other.slots.len(), other.flags);
    }

    /// Joins the values of another path, which may come `out` of a loop.
    pub(super) fn join(&mut self, other: &View<'_>, values: &mut Values, out: bool) {
        let mut both = |mine: Val, theirs: Val| {
            let theirs = if out { last(values, theirs) } else { theirs };
            if mine == theirs { mine } else { values.either(mine, theirs) }
        };
        for (mine, &theirs) in self.registers.iter_mut().zip(other.registers) {
            *mine = both(*mine, theirs);
        }
        let mut kept = 0;
        for index in 0..self.len {
            let Slot { at, width, value: mine } = self.slots[index];
            // Paths that meet have mostly stored in the same order.
            let like =
                other.slots.get(index).filter(|slot| (slot.at, slot.width) == (at, width)).map(|slot| slot.value);
            if let Some(theirs) = like.or_else(|| slot(other.slots, at, width)) {
                self.slots[kept] = Slot { at, width, value: both(mine, theirs) };
                kept += 1;
            }
        }
        self.len = kept;
        if self.flags != other.flags {
            self.flags = Flags::Unknown;
        }
    }

    /// Replaces variables of loops that are over by their last values, where those are known.
    pub(super) fn settle(&mut self, values: &Values) {
        self.registers[..self.live].iter_mut().for_each(|value| *value = last(values, *value));
        self.slots[..self.len].iter_mut().for_each(|slot| slot.value = last(values, slot.value));
    }
}

/// The last value of a variable of loops that are over.
fn last(values: &Values, mut value: Val) -> Val {
    // Loops nest; a variable of the inner may have ended as one of the outer.
    for _ in 0..NESTED {
        match values.def(value.symbol) {
            Def::Closed(last) if value.scale == 1 && !last.is_junk() => {
                value = Val { offset: last.offset.wrapping_add(value.offset), ..last };
            }
            _ => break,
        }
    }
    value
}

/// States at the ends of blocks, one behind the other, of which only what is followed is kept.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Registers that are followed.
    live: usize,
    registers: Vec<Val>,
    slots: Vec<Slot>,
    /// Where the slots of each begin, and what its last comparison compared.
    states: Vec<(u32, Flags)>,
    /// Which of them is a block's.
    state_of: Vec<u32>,
}

impl Kept {
    /// Begins a function of so many blocks, of which so many registers are followed.
    pub(super) fn begin(&mut self, blocks: usize, live: usize) {
        self.live = live;
        self.registers.clear();
        self.registers.reserve(blocks * live);
        self.slots.clear();
        self.slots.reserve(blocks * SLOTS);
        self.states.clear();
        self.state_of.clear();
        self.state_of.resize(blocks, NONE);
    }

    /// Keeps the state at the end of a block.
    pub(super) fn keep(&mut self, block: u32, state: &State) {
        self.state_of[block as usize] = self.states.len() as u32;
        self.states.push((self.slots.len() as u32, state.flags));
        self.registers.extend_from_slice(&state.registers[..self.live]);
        self.slots.extend_from_slice(&state.slots[..state.len]);
    }

    /// The state at the end of a block, if it was kept.
    pub(super) fn of(&self, block: u32) -> Option<View<'_>> {
        let number = self.state_of[block as usize] as usize;
        let &(first, flags) = self.states.get(number)?;
        let end = self.states.get(number + 1).map_or(self.slots.len(), |next| next.0 as usize);
        let registers = &self.registers[number * self.live..][..self.live];
        Some(View { registers, slots: &self.slots[first as usize..end], flags })
    }
}
