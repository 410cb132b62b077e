//! What a function's own instructions do besides computing: told by the memory they touch.
//!
//! What lies at a fixed distance from the stack's pointer, or from the frame's where one is kept, is gone when the function
//! returns. Called for the callees of functions whose loops are examined for dependence.

use forewarm_types::OpClass;
use iced_x86::{Decoder, DecoderOptions, Instruction, InstructionInfoFactory, Mnemonic, OpAccess, OpKind, Register};

use super::classes;
use super::code::Code;
use super::traits::{self, Flow};
use crate::effects::Effects;

/// Largest function that is looked through, in bytes.
const MAX_BYTES: usize = 16 << 10;

/// Functions of the C library that compute alone (C11, section 7.12), but for `errno` and floating-point flags, which no
/// loop goes by; each also with `f` or `l` behind it. Those that store by a pointer are left out.
const COMPUTE: [&str; 45] = [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "ceil",
    "copysign",
    "cos",
    "cosh",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "fabs",
    "fdim",
    "floor",
    "fma",
    "fmax",
    "fmin",
    "fmod",
    "hypot",
    "ilogb",
    "ldexp",
    "llrint",
    "llround",
    "log",
    "log10",
    "log1p",
    "log2",
    "logb",
    "lrint",
    "lround",
    "nearbyint",
    "pow",
    "remainder",
    "rint",
    "round",
    "sin",
    "sinh",
    "sqrt",
    "tan",
];

/// Those of them that take more than one argument.
const SEVERAL: [&str; 11] =
    ["atan2", "copysign", "fdim", "fma", "fmax", "fmin", "fmod", "hypot", "ldexp", "pow", "remainder"];

/// Registers in which those take arguments, and in which the others do: `xmm0` to `xmm2` with `rdi`, and `xmm0`; integers
/// lie in `rdi`.
const ARGUMENTS: u32 = 0b111 << 16 | INTEGER;
const ARGUMENT: u32 = 1 << 16;
const INTEGER: u32 = 1 << 7;

/// What an import does, by its name.
pub(super) fn of_import(name: &str) -> Effects {
    let stem = name.strip_suffix(['f', 'l']).unwrap_or(name);
    let computes = |name: &str| COMPUTE.binary_search(&name).is_ok() || matches!(name, "tanh" | "trunc");
    let takes = match () {
        () if matches!(name, "abs" | "labs") => INTEGER,
        () if SEVERAL.contains(&name) || SEVERAL.contains(&stem) => ARGUMENTS,
        () if computes(name) || computes(stem) => ARGUMENT,
        () => return Effects::ANY,
    };
    Effects::NONE.taking(takes)
}

/// What the function at a place in the list does.
pub(super) fn of_function(code: &Code<'_>, range: usize) -> Effects {
    let bytes = code.bytes(range);
    if bytes.is_empty() || bytes.len() > MAX_BYTES {
        return Effects::ANY;
    }
    let mut decoder = Decoder::with_ip(64, bytes, code.functions.ranges[range].start, DecoderOptions::NONE);
    let mut instruction = Instruction::default();
    let (mut effects, mut framed) = (Effects::NONE, false);
    let (mut factory, mut written, mut straight) = (InstructionInfoFactory::new(), 0, true);
    while decoder.can_decode() && !effects.is_any() {
        decoder.decode_out(&mut instruction);
        framed |= keeps_frame(&instruction);
        effects |= of_instruction(code, &instruction, framed);
        let (read, changed) = registers(&mut factory, &instruction);
        effects.takes |= read & !written;
        // What is written on one of several ways may be read on another.
        straight &= traits::of(&instruction).flow == Flow::Next;
        written |= if straight { changed } else { 0 };
    }
    effects
}

/// Registers that an instruction reads, and those that it writes whatever happens.
fn registers(factory: &mut InstructionInfoFactory, instruction: &Instruction) -> (u32, u32) {
    let (mut read, mut written) = (0, 0);
    for used in factory.info(instruction).used_registers() {
        let bit = traits::bit(used.register());
        match used.access() {
            OpAccess::Read | OpAccess::CondRead => read |= bit,
            OpAccess::Write => written |= bit,
            OpAccess::ReadWrite | OpAccess::ReadCondWrite => read |= bit,
            _ => {}
        }
    }
    (read, written)
}

/// Whether an instruction makes the frame's pointer that of the stack.
fn keeps_frame(instruction: &Instruction) -> bool {
    let moves = instruction.mnemonic() == Mnemonic::Mov && instruction.op1_kind() == OpKind::Register;
    moves && instruction.op0_register() == Register::RBP && instruction.op1_register() == Register::RSP
}

fn of_instruction(code: &Code<'_>, instruction: &Instruction, framed: bool) -> Effects {
    let what = traits::of(instruction);
    let class = OpClass::ALL[usize::from(what.class)];
    if what.string || instruction.has_lock_prefix() || matches!(class, OpClass::HostCall | OpClass::Atomic) {
        return Effects::ANY;
    }
    let Some((operand, _)) = classes::memory(instruction) else { return Effects::NONE };
    let (reads, writes) = (what.reads >> operand & 1 != 0, what.writes >> operand & 1 != 0);
    let base = instruction.memory_base();
    let own = instruction.memory_index() == Register::None
        && instruction.segment_prefix() == Register::None
        && (base == Register::RSP || framed && base == Register::RBP);
    if own || !reads && !writes {
        return Effects::NONE;
    }
    let fixed = instruction.is_ip_rel_memory_operand() && !code.image.writable(instruction.ip_rel_memory_address());
    match writes {
        true => Effects::ANY,
        false if fixed || guards_stack(instruction) => Effects::NONE,
        false => Effects::READS,
    }
}

/// Whether an instruction reads the word that stands guard over stack frames (`fs:0x28` in glibc's thread control block).
fn guards_stack(instruction: &Instruction) -> bool {
    let bare = instruction.memory_base() == Register::None && instruction.memory_index() == Register::None;
    instruction.segment_prefix() == Register::FS && bare && instruction.memory_displacement64() == 0x28
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mathematics_computes_alone() {
        assert!(COMPUTE.is_sorted());
        for name in ["sin", "sinf", "ceil", "erf", "trunc", "fabsf"] {
            assert_eq!(of_import(name), Effects::NONE.taking(ARGUMENT), "{name}");
        }
        assert_eq!(
            (of_import("powl"), of_import("abs")),
            (Effects::NONE.taking(ARGUMENTS), Effects::NONE.taking(INTEGER))
        );
        for name in ["puts", "sincos", "frexp", "modf", "lgamma", "free", "l"] {
            assert_eq!(of_import(name), Effects::ANY, "{name}");
        }
    }
}
