//! What single instructions do to values. Part of the walk over registers.

use iced_x86::{Instruction, Mnemonic, OpKind};

use super::code::Code;
use super::registers::{GENERAL, Registers};
use super::states::Flags;
use super::traits::Traits;
use crate::dependence::Why;
use crate::values::{Source, Val};

impl Registers {
    /// Follows one instruction that is no branch.
    pub(super) fn execute(&mut self, code: &Code<'_>, instruction: &Instruction, what: &Traits) {
        let wide = self.width(instruction) == 8;
        match instruction.mnemonic() {
            Mnemonic::Mov | Mnemonic::Movsxd | Mnemonic::Movzx | Mnemonic::Movsx => {
                let value = self.operand(code, instruction, 1);
                // Of a narrow load only the fact remains.
                let value = if value.is_junk() { self.values.opaque(Source::Other) } else { value };
                self.write(instruction, 0, value);
            }
            Mnemonic::Lea => {
                let address = self.address(instruction);
                self.escape(address);
                self.write(instruction, 0, address);
            }
            Mnemonic::Add => self.two(code, instruction, 0x6a, wide),
            Mnemonic::Sub => self.subtract(code, instruction, wide),
            Mnemonic::And => self.two(code, instruction, 0x71, wide),
            Mnemonic::Or => self.two(code, instruction, 0x72, wide),
            Mnemonic::Xor => self.exclusive(code, instruction, wide),
            Mnemonic::Shl | Mnemonic::Sal => self.two(code, instruction, 0x74, wide),
            Mnemonic::Sar => self.two(code, instruction, 0x75, wide),
            Mnemonic::Shr => self.two(code, instruction, 0x76, wide),
            Mnemonic::Inc => self.step(code, instruction, 1, wide),
            Mnemonic::Dec => self.step(code, instruction, -1, wide),
            Mnemonic::Imul if instruction.op_count() > 1 => self.multiply(code, instruction, wide),
            Mnemonic::Cmp => {
                let (a, b) = (self.operand(code, instruction, 0), self.operand(code, instruction, 1));
                self.now.flags = Flags::Compared(a, b, wide);
            }
            Mnemonic::Test => {
                let (a, b) = (self.operand(code, instruction, 0), self.operand(code, instruction, 1));
                let both = if a == b { a } else { self.integer(0x71, a, b, wide) };
                self.now.flags = Flags::Result(both, wide);
            }
            Mnemonic::Push => {
                let value = self.operand(code, instruction, 0);
                self.push(value);
            }
            Mnemonic::Pop => {
                let value = self.pop();
                self.write(instruction, 0, value);
            }
            Mnemonic::Leave => {
                self.now.registers[4] = self.now.registers[5];
                let value = self.pop();
                self.now.registers[5] = value;
            }
            Mnemonic::Cdqe | Mnemonic::Nop | Mnemonic::Endbr64 | Mnemonic::Pause => {}
            // What a string instruction walks over is followed as a whole.
            _ if instruction.is_string_instruction() => self.spoil(what.implicit),
            name => self.other(code, instruction, what, name),
        }
    }

    fn width(&self, instruction: &Instruction) -> u32 {
        match instruction.op0_kind() {
            OpKind::Register => instruction.op0_register().size() as u32,
            OpKind::Memory => instruction.memory_size().size() as u32,
            _ => 8,
        }
    }

    /// An integer operator by its 32-bit WebAssembly number.
    fn integer(&mut self, operator: u16, a: Val, b: Val, wide: bool) -> Val {
        self.values.binary(if wide { operator + (0x7c - 0x6a) } else { operator }, a, b)
    }

    fn two(&mut self, code: &Code<'_>, instruction: &Instruction, operator: u16, wide: bool) {
        let (a, b) = (self.operand(code, instruction, 0), self.operand(code, instruction, 1));
        self.finish(instruction, operator, a, b, wide);
    }

    fn finish(&mut self, instruction: &Instruction, operator: u16, a: Val, b: Val, wide: bool) {
        let value = self.integer(operator, a, b, wide);
        self.write(instruction, 0, value);
        self.now.flags = Flags::Result(value, wide);
    }

    fn subtract(&mut self, code: &Code<'_>, instruction: &Instruction, wide: bool) {
        let (a, b) = (self.operand(code, instruction, 0), self.operand(code, instruction, 1));
        let value = self.integer(0x6b, a, b, wide);
        self.write(instruction, 0, value);
        self.now.flags = Flags::Compared(a, b, wide);
    }

    fn exclusive(&mut self, code: &Code<'_>, instruction: &Instruction, wide: bool) {
        let same = instruction.op1_kind() == OpKind::Register
            && instruction.op0_kind() == OpKind::Register
            && instruction.op0_register() == instruction.op1_register();
        if same && instruction.op0_register().size() >= 4 {
            self.write(instruction, 0, Val::constant(0));
            self.now.flags = Flags::Result(Val::constant(0), wide);
        } else {
            self.two(code, instruction, 0x73, wide);
        }
    }

    fn step(&mut self, code: &Code<'_>, instruction: &Instruction, by: i64, wide: bool) {
        let value = self.operand(code, instruction, 0);
        let value = self.integer(0x6a, value, Val::constant(by), wide);
        self.write(instruction, 0, value);
        self.now.flags = Flags::Result(value, wide);
    }

    fn multiply(&mut self, code: &Code<'_>, instruction: &Instruction, wide: bool) {
        let first = if instruction.op_count() == 3 { 1 } else { 0 };
        let (a, b) = (self.operand(code, instruction, first), self.operand(code, instruction, first + 1));
        self.finish(instruction, 0x6c, a, b, wide);
        self.now.flags = Flags::Unknown;
    }

    /// Everything else: conditional moves and sets, floats and vectors, and what is not followed.
    fn other(&mut self, code: &Code<'_>, instruction: &Instruction, what: &Traits, name: Mnemonic) {
        let condition = instruction.condition_code();
        if condition != iced_x86::ConditionCode::None {
            let value = if instruction.op_count() == 2 {
                let (a, b) = (self.operand(code, instruction, 0), self.operand(code, instruction, 1));
                self.values.either(a, b)
            } else {
                self.truth(condition)
            };
            let value = if value.is_junk() { self.values.opaque(Source::Other) } else { value };
            return self.write(instruction, 0, value);
        }
        if self.detail && what.vector | instruction.op0_register().is_xmm() && self.float(code, instruction, name) {
            return;
        }
        self.reach(instruction, what);
        if instruction.has_lock_prefix() {
            self.rule_out(Why::Atomics);
        } else if name == Mnemonic::Syscall {
            self.rule_out(Why::Effects);
        }
        for operand in 0..instruction.op_count() {
            if instruction.op_kind(operand) == OpKind::Register {
                let register = instruction.op_register(operand);
                if what.writes >> operand & 1 != 0 {
                    self.spoil(super::traits::bit(register));
                } else if self.detail
                    && let Some(slot) = super::traits::slot(register)
                {
                    self.notes.operand(self.now.registers[slot]);
                }
            }
        }
        self.spoil(what.implicit);
        if instruction.rflags_modified() != 0 {
            self.now.flags = Flags::Unknown;
        }
    }

    /// Registers that hold something else from here on.
    fn spoil(&mut self, set: u32) {
        for slot in super::traits::slots(set) {
            self.now.registers[slot] = if slot < GENERAL { self.values.opaque(Source::Other) } else { Val::JUNK };
        }
    }

    /// Sums, products, minima and maxima of floats and vectors, remembered so that reductions are seen; moves and loads.
    fn float(&mut self, code: &Code<'_>, instruction: &Instruction, name: Mnemonic) -> bool {
        if instruction.op0_kind() != OpKind::Register {
            return false;
        }
        let operator = match name {
            Mnemonic::Addss | Mnemonic::Vaddss | Mnemonic::Subss => 0x92,
            Mnemonic::Mulss | Mnemonic::Vmulss => 0x94,
            Mnemonic::Minss | Mnemonic::Vminss => 0x96,
            Mnemonic::Maxss | Mnemonic::Vmaxss => 0x97,
            Mnemonic::Addsd | Mnemonic::Vaddsd | Mnemonic::Subsd => 0xa0,
            Mnemonic::Mulsd | Mnemonic::Vmulsd => 0xa2,
            Mnemonic::Minsd | Mnemonic::Vminsd => 0xa4,
            Mnemonic::Maxsd | Mnemonic::Vmaxsd => 0xa5,
            Mnemonic::Addps | Mnemonic::Vaddps => 0x2e4,
            Mnemonic::Mulps | Mnemonic::Vmulps => 0x2e6,
            Mnemonic::Addpd | Mnemonic::Vaddpd => 0x2f0,
            Mnemonic::Mulpd | Mnemonic::Vmulpd => 0x2f2,
            Mnemonic::Paddd | Mnemonic::Vpaddd => 0x2ae,
            Mnemonic::Paddq | Mnemonic::Vpaddq => 0x2ce,
            Mnemonic::Vfmadd231ss | Mnemonic::Vfmadd231sd | Mnemonic::Vfmadd231ps | Mnemonic::Vfmadd231pd => 0xa0,
            Mnemonic::Pxor | Mnemonic::Xorps | Mnemonic::Xorpd | Mnemonic::Vpxor | Mnemonic::Vxorps => {
                let last = instruction.op_count() - 1;
                let cleared = instruction.op_kind(last) == OpKind::Register
                    && instruction.op_register(last) == instruction.op_register(last - 1);
                if cleared {
                    let zero = self.values.opaque(Source::Other);
                    self.write(instruction, 0, zero);
                }
                return cleared;
            }
            _ => {
                let moves = matches!(
                    name,
                    Mnemonic::Movaps
                        | Mnemonic::Movups
                        | Mnemonic::Movapd
                        | Mnemonic::Movupd
                        | Mnemonic::Movdqa
                        | Mnemonic::Movdqu
                        | Mnemonic::Vmovaps
                        | Mnemonic::Vmovups
                        | Mnemonic::Vmovapd
                        | Mnemonic::Vmovupd
                        | Mnemonic::Vmovdqa
                        | Mnemonic::Vmovdqu
                        | Mnemonic::Movss
                        | Mnemonic::Movsd
                        | Mnemonic::Vmovss
                        | Mnemonic::Vmovsd
                );
                if moves && instruction.op_count() == 2 {
                    let value = self.operand(code, instruction, 1);
                    self.write(instruction, 0, value);
                    return true;
                }
                return false;
            }
        };
        // Two operands: the first is added to; three: the last two; of a fused one the first is the sum.
        let fused = matches!(
            name,
            Mnemonic::Vfmadd231ss | Mnemonic::Vfmadd231sd | Mnemonic::Vfmadd231ps | Mnemonic::Vfmadd231pd
        );
        let last = instruction.op_count() - 1;
        let first = if fused { 0 } else { last - 1 };
        let (a, b) = (self.operand(code, instruction, first), self.operand(code, instruction, last));
        if fused {
            let _ = self.operand(code, instruction, 1);
        }
        let solid = |values: &mut crate::values::Values, value: Val| {
            if value.is_junk() { values.opaque(Source::Other) } else { value }
        };
        let (a, b) = (solid(&mut self.values, a), solid(&mut self.values, b));
        let value = self.values.remember(operator, a, b);
        self.write(instruction, 0, value);
        true
    }
}
