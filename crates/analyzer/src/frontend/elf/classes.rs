//! Machine instructions by class of work, and the bytes they move.

use forewarm_types::OpClass;
use iced_x86::{Instruction, MemorySize, OpKind};

use super::traits::Traits;
use crate::mix::{LOAD_BYTES, STORE_BYTES, Tally, VECTORS};

/// Counts of straight-line instructions.
#[derive(Default)]
pub(crate) struct Mix {
    tally: Tally,
    any: bool,
}

impl Mix {
    /// Appends what was counted; `None` where nothing was.
    pub(crate) fn flush(&mut self, mixes: &mut Vec<(u32, u32)>) -> Option<u32> {
        std::mem::take(&mut self.any).then(|| self.tally.flush(mixes))
    }
}

/// The operand of an instruction that lies in memory: which, and its size in bytes.
#[inline]
pub(crate) fn memory(instruction: &Instruction) -> Option<(u32, u32)> {
    let at = (0..instruction.op_count()).find(|&at| instruction.op_kind(at) == OpKind::Memory)?;
    Some((at, size(instruction.memory_size())))
}

fn size(size: MemorySize) -> u32 {
    size.size() as u32
}

/// Counts an instruction once in the class of what it computes; memory operands show in the bytes. One that is `free`
/// counts in its bytes alone.
pub(crate) fn count(mix: &mut Mix, instruction: &Instruction, what: &Traits, free: bool) {
    mix.any = true;
    let (mut loaded, mut stored) = (0, 0);
    let bytes = size(instruction.memory_size());
    for operand in (0..instruction.op_count()).filter(|&at| !matches!(instruction.op_kind(at), OpKind::Register)) {
        if immediate(instruction.op_kind(operand)) {
            continue;
        }
        loaded += if what.reads >> operand & 1 != 0 { bytes } else { 0 };
        stored += if what.writes >> operand & 1 != 0 { bytes } else { 0 };
    }
    // The stack is memory: 8 bytes a push, pop, call or return in 64-bit mode.
    stored += if what.pushes { 8 } else { 0 };
    loaded += if what.pops { 8 } else { 0 };
    if !free {
        mix.tally.add(class(instruction, what, loaded, stored) as usize, 1);
    }
    if what.vector {
        let bits = 8 * width(instruction) as u32;
        VECTORS.iter().filter(|vector| vector.1 == bits).for_each(|vector| mix.tally.add(vector.0, 1));
    }
    if loaded > 0 {
        mix.tally.add(LOAD_BYTES, loaded);
    }
    if stored > 0 {
        mix.tally.add(STORE_BYTES, stored);
    }
}

/// Bytes of the widest vector register among the operands.
fn width(instruction: &Instruction) -> usize {
    let registers = (0..instruction.op_count()).map(|at| instruction.op_register(at));
    registers.filter(|register| register.is_vector_register()).map(|register| register.size()).max().unwrap_or(0)
}

fn class(instruction: &Instruction, what: &Traits, loaded: u32, stored: u32) -> OpClass {
    if instruction.is_string_instruction() {
        return if stored > 0 { OpClass::Store } else { OpClass::Load };
    }
    let class = OpClass::ALL[usize::from(what.class)];
    if instruction.has_lock_prefix() {
        return OpClass::Atomic;
    }
    if what.moves {
        return match (stored > 0, loaded > 0) {
            (true, _) => OpClass::Store,
            (false, true) => OpClass::Load,
            _ if instruction.op_count() == 2 && immediate(instruction.op1_kind()) => OpClass::Const,
            _ if what.vector => OpClass::Vector,
            _ => OpClass::Local,
        };
    }
    // An exchange of registers is a move; one with memory locks the bus.
    if class == OpClass::Atomic && instruction.op0_kind() == OpKind::Register && loaded + stored == 0 {
        return OpClass::IntAlu;
    }
    class
}

/// Neither a register nor memory, named by an address or, in string instructions, by a register of its own.
fn immediate(kind: OpKind) -> bool {
    use OpKind::{Memory, MemoryESDI, MemoryESEDI, MemoryESRDI, MemorySegDI, MemorySegEDI, MemorySegESI};
    use OpKind::{MemorySegRDI, MemorySegRSI, MemorySegSI, Register};
    !matches!(
        kind,
        Register
            | Memory
            | MemoryESDI
            | MemoryESEDI
            | MemoryESRDI
            | MemorySegDI
            | MemorySegEDI
            | MemorySegESI
            | MemorySegRDI
            | MemorySegRSI
            | MemorySegSI
    )
}

/// Whether an instruction moves or fills a block of memory whose length lies in `rcx`.
pub(crate) fn repeats(instruction: &Instruction) -> bool {
    (instruction.has_rep_prefix() || instruction.has_repne_prefix()) && instruction.is_string_instruction()
}
