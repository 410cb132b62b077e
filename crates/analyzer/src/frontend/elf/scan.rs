//! What one function's instructions tell besides its control flow: the features they need, the addresses they take, the
//! data they touch, and whether they ask the processor what it can do.

use iced_x86::{Code as Opcode, Instruction, OpKind, Register};

use super::code::Code;

/// A function's part.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scan {
    /// Features of the instructions that the function's begin leads to.
    pub features: u64,
    /// Features of what no way leads to, which may be data.
    pub doubtful: u64,
    /// Asks the processor: `cpuid`, `xgetbv`.
    pub asks: bool,
    /// Starts threads or waits by itself: system calls, locked instructions.
    pub system_calls: u32,
    pub locked: u32,
    /// Functions called or jumped to, by number.
    pub calls: Vec<u32>,
    /// Functions whose address is taken, by number.
    pub taken: Vec<u32>,
    /// Addresses of data that the program can write.
    pub data: Vec<u64>,
    pub instructions: u32,
}

impl Scan {
    /// Looks at an instruction that goes on to the next.
    #[inline]
    pub(crate) fn note(&mut self, code: &Code<'_>, instruction: &Instruction) {
        match instruction.code() {
            Opcode::Cpuid | Opcode::Xgetbv => self.asks = true,
            Opcode::Syscall => self.system_calls += 1,
            _ => self.locked += u32::from(instruction.has_lock_prefix()),
        }
        if instruction.memory_base() == Register::RIP {
            let address = instruction.memory_displacement64();
            if instruction.code() == Opcode::Lea_r64_m
                && let Some(function) = code.starting(address)
            {
                self.taken.push(code.number(function));
                return;
            }
            if code.image.writable(address) {
                self.data.push(address);
            }
        } else if instruction.op1_kind() == OpKind::Immediate32 && !code.image.moves() {
            // In a program at fixed addresses a pointer is a number.
            if let Some(function) = code.starting(u64::from(instruction.immediate32())) {
                self.taken.push(code.number(function));
            }
        } else if !code.image.moves() && instruction.memory_base() == Register::None {
            let address = instruction.memory_displacement64();
            if address != 0 && code.image.writable(address) {
                self.data.push(address);
            }
        }
    }

    pub(crate) fn finish(&mut self) {
        for list in [&mut self.calls, &mut self.taken] {
            list.sort_unstable();
            list.dedup();
            list.shrink_to_fit();
        }
        self.data.sort_unstable();
        self.data.dedup();
        self.data.shrink_to_fit();
    }
}
