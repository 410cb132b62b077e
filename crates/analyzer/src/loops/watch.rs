//! What a function's own code does besides computing, noted while it is walked where that was asked for.
//!
//! A stack frame of its own is gone when a function returns, so that what it keeps there is no effect. Which global is the
//! stack's pointer is told by a function that moves it down by a constant as it begins. Part of the loop walk.

use wasmparser::{BinaryReader, FunctionBody, Operator};

use crate::effects::Effects;
use crate::frontend::wasm::module::{Body, Module};
use crate::program::Function;
use crate::values::Val;

/// Operators from a function's begin within which it moves the stack's pointer, if it does.
const PROLOGUE: usize = 16;

/// Functions in which a move of the stack's pointer is looked for: compilers let the first few of a module have a frame.
const MAX_PROLOGUES: usize = 64;

/// Places in a frame that are told apart.
const MAX_STORED: usize = 64;

/// What was noted so far.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    pub on: bool,
    /// The global that is the stack's pointer.
    stack: Option<u32>,
    /// The symbol of its value as the function begins, once that was read.
    pointer: Option<u32>,
    /// Whether it stands elsewhere.
    moved: bool,
    effects: Effects,
    /// Bytes of the frame that were stored to: distances from the pointer.
    stored: Vec<(i64, i64)>,
}

impl Watch {
    /// Begins to watch a function of a module whose stack's pointer is this global.
    pub(crate) fn begin(&mut self, stack: Option<u32>) {
        self.stored.clear();
        *self = Self { on: true, stack, stored: std::mem::take(&mut self.stored), ..Self::default() };
    }

    /// What was noted of a function, which is watched no longer.
    pub(crate) fn end(&mut self, tree: &Function) -> Effects {
        self.on = false;
        if tree.opaque || tree.formats || self.moved { Effects::ANY } else { self.effects }
    }

    /// Something is done that is not followed.
    pub(super) fn anything(&mut self) {
        self.effects = Effects::ANY;
    }

    /// A global is read that may change.
    pub(super) fn read_global(&mut self, global: u32, value: Val) {
        match self.pointer {
            None if self.stack == Some(global) && !self.moved => self.pointer = value.as_symbol(),
            _ => self.effects |= Effects::READS,
        }
    }

    /// A global is written: the stack's pointer is moved down, and put back.
    pub(super) fn write_global(&mut self, global: u32, value: Val) {
        let own = self.stack == Some(global) && self.pointer == Some(value.symbol) && value.scale == 1;
        if own && value.offset <= 0 {
            self.moved = value.offset < 0;
        } else {
            self.anything();
        }
    }

    /// Memory is accessed, so many bytes from an address on.
    pub(super) fn access(&mut self, address: Val, displacement: i64, width: i64, store: bool) {
        let from = address.offset.wrapping_add(displacement);
        let until = from.saturating_add(width);
        let framed = self.pointer == Some(address.symbol) && address.scale == 1 && until <= 0;
        match (framed, store) {
            (true, true) if self.stored.len() < MAX_STORED => self.stored.push((from, until)),
            (true, true) => {}
            (true, false) if self.stored.iter().any(|&(first, end)| first <= from && until <= end) => {}
            (false, false) => self.effects |= Effects::READS,
            // What it did not store in its frame itself a call before may have left there.
            (true, false) | (false, true) => self.anything(),
        }
    }
}

/// The global that is the stack's pointer of a module, told by the first function that has a frame.
pub(crate) fn stack_pointer(module: &Module<'_>) -> Option<u32> {
    module.bodies.iter().take(MAX_PROLOGUES).find_map(|body| moved_down(*body))
}

/// The global that a function moves down by a constant as it begins.
fn moved_down(body: Body<'_>) -> Option<u32> {
    #[derive(Clone, Copy)]
    enum Known {
        /// A global's value and what was added to it.
        Of(u32, i64),
        Number(i64),
    }
    use Known::{Number, Of};
    let (mut stack, mut locals): (Vec<Known>, Vec<(u32, Known)>) = (Vec::new(), Vec::new());
    let body = FunctionBody::new(BinaryReader::new(body.bytes, body.offset as usize));
    for operator in body.get_operators_reader().ok()?.into_iter().take(PROLOGUE) {
        match operator.ok()? {
            Operator::GlobalGet { global_index } => stack.push(Of(global_index, 0)),
            Operator::I32Const { value } => stack.push(Number(i64::from(value))),
            Operator::LocalGet { local_index } => {
                stack.push(locals.iter().rev().find(|local| local.0 == local_index)?.1);
            }
            Operator::LocalSet { local_index } => locals.push((local_index, stack.pop()?)),
            Operator::LocalTee { local_index } => locals.push((local_index, *stack.last()?)),
            Operator::I32Add => {
                let (Number(more), Of(global, by)) = (stack.pop()?, stack.pop()?) else { return None };
                stack.push(Of(global, by.wrapping_add(more)));
            }
            Operator::I32Sub => {
                let (Number(less), Of(global, by)) = (stack.pop()?, stack.pop()?) else { return None };
                stack.push(Of(global, by.wrapping_sub(less)));
            }
            Operator::GlobalSet { global_index } => {
                return match stack.pop()? {
                    Of(global, by) if global == global_index && by < 0 => Some(global),
                    _ => None,
                };
            }
            _ => return None,
        }
    }
    None
}
