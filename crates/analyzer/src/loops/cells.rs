//! Words of memory that a function names by one address: globals in data, fields behind a pointer, slots of the stack.
//! They are followed like locals, so that a loop is understood whose bound or counter lies in memory.
//!
//! A cell is a base, which is nothing or one symbol that is not a loop's variable, and an offset. Stores to other
//! addresses are taken not to meet it, as compilers lay scalars and arrays out apart; a call may change what this
//! function has stored where the callee can find it. In a loop a cell becomes a variable when it is first met there.
//! Part of the loop walk.

use super::{Latch, Tracked, Walker};
use crate::frontend::wasm::decode::Op;
use crate::frontend::wasm::module::Module;
use crate::program::Forest;
use crate::values::{Def, Source, Val};

/// Cells of a function that are followed: a power of two.
const MAX_CELLS: usize = 32;

/// Segments that are looked through for a word: linkers make one or two for constants and variables.
const MAX_SEGMENTS: usize = 16;

/// Values looked at, one behind the other, to tell where a store may go.
const MAX_SCATTER: u32 = 4;

/// A word of memory that is followed.
#[derive(Debug, Clone, Copy)]
struct Cell {
    symbol: u32,
    offset: i64,
    wide: bool,
    /// Where its value is kept, beyond the function's own locals.
    local: u32,
    /// The number of the innermost loop in which it has been met, plus one.
    met: u32,
    /// Whether this function has stored to it what a call may change.
    stored: bool,
}

/// The cells of a function.
#[derive(Debug)]
pub(super) struct Cells {
    all: Vec<Cell>,
    /// By hash: an index in `all`, valid where it lies below its length and the cell agrees.
    table: [u8; MAX_CELLS],
    /// Those that were stored to, by index.
    stored: Vec<u8>,
    /// Whether they can be told from locals that are not followed.
    on: bool,
    /// The symbol of the first mutable global that was read: in what LLVM makes, the stack's pointer.
    pub stack: u32,
    /// Where constant data lies.
    data: (i64, i64),
}

impl Default for Cells {
    fn default() -> Self {
        Self { all: Vec::new(), table: [0; MAX_CELLS], stored: Vec::new(), on: false, stack: 0, data: (0, 0) }
    }
}

impl Cells {
    pub(super) fn begin(&mut self, on: bool, module: &Module<'_>) {
        self.all.clear();
        self.stored.clear();
        (self.on, self.stack) = (on, 0);
        let ends = |&(address, data): &(Option<i64>, &[u8])| address.map(|at| (at, at + data.len() as i64));
        let segments = module.data.iter().take(MAX_SEGMENTS).filter_map(ends);
        self.data = segments.fold((i64::MAX, 0), |all, one| (all.0.min(one.0), all.1.max(one.1)));
    }

    /// Whether a number may be an address of constant data.
    pub(super) fn in_data(&self, number: i64) -> bool {
        self.data.0 <= number && number < self.data.1
    }
}

/// The word that constant data holds at an address.
fn word(module: &Module<'_>, address: i64, wide: bool) -> Option<i64> {
    module.data.iter().take(MAX_SEGMENTS).find_map(|&(start, data)| {
        let at = usize::try_from(address.checked_sub(start?)?).ok()?;
        if wide {
            data.get(at..at.checked_add(8)?)
                .map(|bytes| bytes.iter().rev().fold(0, |sum, &byte| sum << 8 | i64::from(byte)))
        } else {
            let bytes = data.get(at..at.checked_add(4)?)?;
            Some(i64::from(i32::from_le_bytes(bytes.try_into().ok()?)))
        }
    })
}

impl Walker {
    /// The value of a load of a whole word.
    pub(super) fn load(&mut self, module: &Module<'_>, op: Op, wide: bool, address: Val) -> Val {
        if let Some(at) = self.cell(module, op, wide, address) {
            return self.locals[self.cells.all[at].local as usize];
        }
        match address.as_constant() {
            Some(base) if !self.cells.on => self.held(module, base.wrapping_add(op.b), wide),
            _ => self.values.opaque(Source::Memory),
        }
    }

    /// What an address holds as far as the data tells.
    fn held(&mut self, module: &Module<'_>, address: i64, wide: bool) -> Val {
        match word(module, address, wide).filter(|_| self.cells.in_data(address)) {
            Some(value) => self.values.word(address as u32, value),
            None => self.values.opaque(Source::Memory),
        }
    }

    /// Notes a store of a whole word.
    pub(super) fn store(&mut self, module: &Module<'_>, op: Op, wide: bool, address: Val, value: Val) {
        if let Some(at) = self.cell(module, op, wide, address) {
            let value = if value.is_junk() { self.values.opaque(Source::Other) } else { value };
            let cell = &mut self.cells.all[at];
            let local = cell.local;
            if !std::mem::replace(&mut cell.stored, true) {
                self.cells.stored.push(at as u8);
            }
            self.assign(local, value);
        } else if !self.cells.stored.is_empty() {
            let address = Val { offset: address.offset.wrapping_add(op.b), ..address };
            self.scatter(address, 0);
        }
    }

    /// Forgets the cells that a store may meet whose address is one of several.
    fn scatter(&mut self, address: Val, depth: u32) {
        match self.values.def(address.symbol) {
            Def::Opaque(_) | Def::Param(_) => {
                let same = |cell: &Cell| (cell.symbol, cell.offset) == (address.symbol, address.offset);
                if let Some(at) = self.cells.all.iter().position(same).filter(|_| depth > 0 && address.scale == 1) {
                    self.lose(at);
                }
            }
            Def::Either(a, b) | Def::Choose { a, b, .. } if depth < MAX_SCATTER && address.scale == 1 => {
                let moved = |value: Val| Val { offset: value.offset.wrapping_add(address.offset), ..value };
                self.scatter(moved(a), depth + 1);
                self.scatter(moved(b), depth + 1);
            }
            Def::Phi { init, .. } if depth < MAX_SCATTER && address.scale == 1 => {
                self.scatter(Val { offset: init.offset.wrapping_add(address.offset), ..init }, depth + 1);
            }
            _ => {}
        }
    }

    /// Notes that nothing is known any more of what a cell holds.
    fn lose(&mut self, at: usize) {
        self.meet(at);
        let value = self.values.opaque(Source::Memory);
        self.assign(self.cells.all[at].local, value);
    }

    /// Notes which constant data may be changed: what is stored to, and addresses that are handed on.
    pub(super) fn note_store(&mut self, forest: &mut Forest, op: Op, address: Val, value: Val) {
        let place = address.offset.wrapping_add(op.b);
        if self.cells.in_data(place) {
            let known = address.as_constant().is_some();
            forest.words.stored.push((place as u32, known));
        }
        self.note_handed(forest, value);
    }

    /// Notes an address of constant data that is handed on.
    pub(super) fn note_handed(&mut self, forest: &mut Forest, value: Val) {
        if self.cells.in_data(value.offset) {
            forest.words.stored.push((value.offset as u32, false));
        }
    }

    /// The cell that an address names, made a variable of the loops around that have not met it.
    fn cell(&mut self, module: &Module<'_>, op: Op, wide: bool, address: Val) -> Option<usize> {
        // Behind the last loop nothing is repeated.
        let over = self.open.is_empty() && self.loops_begun as usize == self.decoded.loops.len();
        if !self.cells.on || over || address.is_junk() || address.scale > 1 {
            return None;
        }
        let constant = address.as_constant().is_some();
        let base = constant
            || match self.values.def(address.symbol) {
                Def::Param(_) | Def::Opaque(Source::Call) => true,
                Def::Opaque(_) => address.symbol == self.cells.stack,
                _ => false,
            };
        if !base {
            return None;
        }
        let offset = address.offset.wrapping_add(op.b);
        let hash = (u64::from(address.symbol) << 32 ^ offset as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let slot = (hash >> 58) as usize % MAX_CELLS;
        let at = usize::from(self.cells.table[slot]);
        let at = match self.cells.all.get(at) {
            Some(cell) if (cell.symbol, cell.offset) == (address.symbol, offset) => {
                if cell.wide != wide {
                    return None;
                }
                at
            }
            _ if self.cells.all.len() >= MAX_CELLS => return None,
            _ => {
                let value = if constant { self.held(module, offset, wide) } else { self.values.opaque(Source::Memory) };
                let local = self.locals.len() as u32;
                self.locals.push(value);
                self.stamps.resize(self.stamps.len().max(self.locals.len()), 0);
                let cell = Cell { symbol: address.symbol, offset, wide, local, met: 0, stored: false };
                self.cells.all.push(cell);
                self.cells.table[slot] = self.cells.all.len() as u8 - 1;
                self.cells.all.len() - 1
            }
        };
        self.meet(at);
        Some(at)
    }

    /// Makes a cell a variable of the loops around that have not met it.
    fn meet(&mut self, at: usize) {
        let Cell { local, met, .. } = self.cells.all[at];
        let Some(innermost) = self.open.last().filter(|open| open.number >= met) else { return };
        self.cells.all[at].met = innermost.number + 1;
        let mut value = self.locals[local as usize];
        for open in self.open.iter_mut().filter(|open| open.number >= met) {
            let init = value;
            value = self.values.phi(open.index, init);
            let Some(symbol) = value.as_symbol() else { return };
            let latch = if open.backs > 0 { Latch::Is(value) } else { Latch::Unseen };
            open.variables.push(Tracked { local, symbol, init, latch });
        }
        self.locals[local as usize] = value;
        let steps = 8 * self.open.len();
        self.spend(steps);
    }

    /// What a call may change is not known any more: globals this function has stored to, and what lies behind a
    /// pointer that it hands on.
    pub(super) fn forget(&mut self, handed: std::ops::Range<usize>) {
        if self.cells.stored.is_empty() {
            return;
        }
        let mut stored = std::mem::take(&mut self.cells.stored);
        let steps = stored.len() * (handed.len() + 1);
        stored.retain(|&at| {
            let at = usize::from(at);
            let symbol = self.cells.all[at].symbol;
            let global = self.values.is_number(symbol);
            let reached = global || self.stack[handed.clone()].iter().any(|value| value.symbol == symbol);
            if reached {
                self.lose(at);
                self.cells.all[at].stored = false;
            }
            !reached
        });
        self.cells.stored = stored;
        self.spend(steps);
    }
}
