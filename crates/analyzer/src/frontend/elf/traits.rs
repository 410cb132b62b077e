//! What is known of each instruction code: its class, the features it needs, which operands it reads and writes.
//!
//! Looked up once per code and remembered for as long as the process lives, since the full description costs ten times what
//! decoding does. Called for every instruction.

use std::sync::OnceLock;

use forewarm_types::OpClass;
use iced_x86::{Code, FlowControl, Instruction, InstructionInfoFactory, Mnemonic, OpAccess, OpKind, Register};

use super::features;

/// What an instruction code does.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Traits {
    /// Feature bits (see [`features`]).
    pub features: u64,
    /// Registers written besides operands, one bit each (see [`slot`]).
    pub implicit: u32,
    /// Operands read and written, one bit each.
    pub reads: u8,
    pub writes: u8,
    /// Class where no operand lies in memory, or the instruction computes.
    pub class: u8,
    pub flow: Flow,
    /// Copies its operand and does nothing else: a load or store where the operand lies in memory.
    pub moves: bool,
    /// Touches the stack through `rsp`: bytes pushed or popped.
    pub pushes: bool,
    pub pops: bool,
    pub vector: bool,
    /// Works on a string of bytes or words that `rsi` or `rdi` point to.
    pub string: bool,
}

/// How an instruction goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Flow {
    #[default]
    Next,
    Jump,
    IndirectJump,
    Branch,
    Call,
    IndirectCall,
    Return,
    /// Does not go on: `ud2`, `hlt`, bytes that make no instruction.
    Stop,
}

/// The traits of all codes met so far, by number.
static KNOWN: [OnceLock<Traits>; CODES] = [const { OnceLock::new() }; CODES];

/// Room for all codes, of which there are some 4,900.
const CODES: usize = 1 << 13;

/// The traits of an instruction.
#[inline]
pub(crate) fn of(instruction: &Instruction) -> &'static Traits {
    KNOWN[instruction.code() as usize % CODES].get_or_init(|| describe(instruction))
}

/// An instruction of the same code with nothing of its own: whatever instance of a code is met first, it tells the same.
fn typical(instruction: &Instruction) -> Instruction {
    let mut out = *instruction;
    if out.is_string_instruction() {
        out.set_has_rep_prefix(true);
    }
    let last = out.op_count().saturating_sub(1);
    let register = |at: u32| (out.op_kind(at) == OpKind::Register).then(|| out.op_register(at));
    if last > 0
        && let Some(same) = register(last).filter(|_| register(last) == register(last - 1))
    {
        // A register by itself clears or moves nowhere.
        let other = if same.number() == 0 { same + 1 } else { same - 1 };
        out.set_op_register(last, other);
    }
    out
}

#[cold]
fn describe(instruction: &Instruction) -> Traits {
    let instruction = &typical(instruction);
    let code = instruction.code();
    let mut factory = InstructionInfoFactory::new();
    let info = factory.info(instruction);
    let mut traits = Traits { features: features::of(code), ..Traits::default() };
    let mut explicit = 0_u32;
    for operand in 0..instruction.op_count() {
        let access = info.op_access(operand);
        // Clearing a register by itself is told as a write alone; another instance of the code may read.
        let cleared = access == OpAccess::None && instruction.op_kind(operand) == OpKind::Register;
        let read =
            matches!(access, OpAccess::Read | OpAccess::CondRead | OpAccess::ReadWrite | OpAccess::ReadCondWrite)
                || (cleared && operand > 0);
        let write =
            matches!(access, OpAccess::Write | OpAccess::CondWrite | OpAccess::ReadWrite | OpAccess::ReadCondWrite);
        traits.reads |= u8::from(read) << operand;
        traits.writes |= u8::from(write) << operand;
        if write && instruction.op_kind(operand) == OpKind::Register {
            explicit |= bit(instruction.op_register(operand));
        }
    }
    for used in info.used_registers() {
        if matches!(
            used.access(),
            OpAccess::Write | OpAccess::CondWrite | OpAccess::ReadWrite | OpAccess::ReadCondWrite
        ) {
            traits.implicit |= bit(used.register()) & !explicit;
        }
    }
    traits.flow = flow(code);
    traits.string = code.is_string_instruction();
    let name = format!("{:?}", code.mnemonic()).to_ascii_lowercase();
    traits.vector = is_vector(&name, instruction);
    traits.class = class(&name, traits.flow, traits.vector) as u8;
    traits.moves = is_move(&name);
    traits.pushes = name.starts_with("push") || name.starts_with("call") || name == "enter";
    traits.pops = name.starts_with("pop") && name != "popcnt" || name.starts_with("ret") || name == "leave";
    traits
}

/// The number of a register among those that are followed: 0 to 15 general, 16 to 31 vector.
#[inline]
pub(crate) fn slot(register: Register) -> Option<usize> {
    if register.is_gpr() {
        return Some(register.full_register() as usize - Register::RAX as usize);
    }
    (register.is_vector_register() && register.number() < 16).then(|| 16 + register.number())
}

/// The numbers of the registers in a set, one bit each.
pub(crate) fn slots(mut set: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let slot = set.trailing_zeros();
        set &= set.wrapping_sub(1);
        (slot < u32::BITS).then_some(slot as usize)
    })
}

/// The bit of a register among those that are followed.
#[inline]
pub(crate) fn bit(register: Register) -> u32 {
    slot(register).map_or(0, |slot| 1 << slot)
}

fn flow(code: Code) -> Flow {
    match code.flow_control() {
        FlowControl::Next => {
            if code.mnemonic() == Mnemonic::Hlt {
                Flow::Stop
            } else {
                Flow::Next
            }
        }
        FlowControl::UnconditionalBranch => Flow::Jump,
        FlowControl::IndirectBranch => Flow::IndirectJump,
        FlowControl::ConditionalBranch | FlowControl::XbeginXabortXend => {
            if code.is_jcc_short_or_near() || code.is_jcx_short() || code.is_loop() || code.is_loopcc() {
                Flow::Branch
            } else {
                Flow::Next
            }
        }
        FlowControl::Return => Flow::Return,
        FlowControl::Call if matches!(code.mnemonic(), Mnemonic::Call) => Flow::Call,
        FlowControl::IndirectCall => Flow::IndirectCall,
        // System calls and software interrupts come back.
        FlowControl::Call | FlowControl::Interrupt => {
            if matches!(code.mnemonic(), Mnemonic::Int3 | Mnemonic::Int1) {
                Flow::Stop
            } else {
                Flow::Next
            }
        }
        FlowControl::Exception => Flow::Stop,
    }
}

/// Whether the instruction works on several numbers at once.
fn is_vector(name: &str, instruction: &Instruction) -> bool {
    let registers = (0..instruction.op_count()).any(|operand| {
        instruction.op_kind(operand) == OpKind::Register && instruction.op_register(operand).is_vector_register()
    });
    let scalar = name.ends_with("ss") || name.ends_with("sd") || name.contains("comis") || name.contains("cvt");
    let between = matches!(name, "movd" | "movq" | "vmovd" | "vmovq");
    registers && !between && (!scalar || name.contains("cvtps") || name.contains("cvtpd") || name.contains("cvtdq"))
}

fn is_move(name: &str) -> bool {
    let name = name.strip_prefix('v').unwrap_or(name);
    name.starts_with("mov") && !name.starts_with("movmsk")
        || name.starts_with("push")
        || name.starts_with("pop") && name != "popcnt"
        || matches!(name, "lddqu" | "broadcastss" | "broadcastsd" | "fld" | "fst" | "fstp" | "fild" | "fistp" | "xlatb")
}

/// The class of an instruction by its name.
fn class(name: &str, flow: Flow, vector: bool) -> OpClass {
    match flow {
        Flow::Jump | Flow::IndirectJump | Flow::Branch | Flow::Return | Flow::Stop => return OpClass::Branch,
        Flow::Call => return OpClass::Call,
        Flow::IndirectCall => return OpClass::CallIndirect,
        Flow::Next => {}
    }
    let bare = name.strip_prefix('v').unwrap_or(name);
    let scalar = |stem: &str| bare.strip_prefix(stem).is_some_and(|rest| matches!(rest, "ss" | "sd" | "sh"));
    let x87 = |stems: &[&str]| stems.contains(&name);
    match () {
        () if matches!(name, "syscall" | "sysenter" | "int") => OpClass::HostCall,
        () if bare.starts_with("cvt") && !vector => OpClass::Convert,
        () if is_move(name) => OpClass::Local,
        () if vector => OpClass::Vector,
        () if scalar("mul")
            || bare.starts_with("fm")
            || bare.starts_with("fnm")
            || x87(&["fmul", "fmulp", "fimul"]) =>
        {
            OpClass::FloatMul
        }
        () if scalar("div") || x87(&["fdiv", "fdivp", "fdivr", "fdivrp", "fidiv", "fidivr"]) => OpClass::FloatDiv,
        () if scalar("sqrt") || scalar("round") || x87(&["fsqrt", "frndint"]) => OpClass::FloatSqrt,
        () if bare.ends_with("ss") || bare.ends_with("sd") || name.starts_with('f') && name != "fence" => {
            OpClass::FloatAdd
        }
        () if matches!(name, "imul" | "mul" | "mulx") => OpClass::IntMul,
        () if matches!(name, "idiv" | "div") => OpClass::IntDiv,
        () if name.starts_with("cmpxchg") || matches!(name, "xchg" | "xadd" | "mfence" | "lfence" | "sfence") => {
            OpClass::Atomic
        }
        () if matches!(name, "nop" | "endbr64" | "pause" | "cpuid" | "xgetbv") || name.starts_with("prefetch") => {
            OpClass::Other
        }
        () => OpClass::IntAlu,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_all_codes() {
        assert!(Code::values().count() <= CODES);
    }
}
