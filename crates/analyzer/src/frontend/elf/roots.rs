//! Where a run begins, and what an indirect call can reach.

use iced_x86::{Code as Opcode, Decoder, DecoderOptions, Instruction, Register};

use super::code::{Callee, Code};
use super::reach::Looks;

/// Instructions of the start-up code in which the address of `main` is looked for: glibc's and musl's have 15.
const START_UP: usize = 64;

/// Largest `main` that is taken for the shim with which Rust hands its own over, in instructions.
const SHIM: u32 = 16;

/// Where a run begins.
pub(crate) struct Roots {
    /// Functions called in order.
    pub begin: Vec<u32>,
    /// What people call the entry.
    pub name: String,
    /// Functions whose address is taken, in code or data, but for those that begin the run.
    pub reachable: Vec<u32>,
}

/// Finds the beginning of a program; of a library there is none.
pub(crate) fn find(looks: &mut Looks<'_, '_>) -> Roots {
    let code = looks.code();
    let image = &code.image;
    let mut begin = Vec::new();
    let mut name = String::new();
    if image.is_program()
        && let Callee::Known(start) = code.callee(image.entry)
    {
        let known = |address: &u64| match code.callee(*address) {
            Callee::Known(function) => Some(function),
            _ => None,
        };
        begin.push(start);
        begin.extend(image.init.iter().filter_map(known));
        "_start".clone_into(&mut name);
        if let Some(main) = main(code, start) {
            "main".clone_into(&mut name);
            begin.push(main);
            begin.extend(handed_over(looks, main));
        }
        let mut seen = std::collections::HashSet::new();
        begin.retain(|function| seen.insert(*function));
    }
    let mut reachable: Vec<u32> = looks.scans().all_taken().to_vec();
    let pointers = image.pointers.iter().filter_map(|pointer| code.starting(pointer.1));
    reachable.extend(pointers.map(|range| code.number(range)));
    reachable.sort_unstable();
    reachable.dedup();
    reachable.retain(|function| *function >= code.first() && !begin.contains(function));
    Roots { begin, name, reachable }
}

/// The function that start-up code hands to the C library in `rdi`, or that Go's runtime calls by name.
fn main(code: &Code<'_>, start: u32) -> Option<u32> {
    let named = |wanted: &str| {
        let at = code.functions.ranges.iter().position(|range| range.name == wanted)?;
        Some(code.number(at as u32))
    };
    if let Some(main) = named("main.main").filter(|_| code.image.section(".gopclntab").is_some()) {
        return Some(main);
    }
    // A header may name a stub of an import for the entry.
    let range = start.checked_sub(code.first())? as usize;
    let bytes = code.bytes(range);
    let mut decoder = Decoder::with_ip(64, bytes, code.functions.ranges[range].start, DecoderOptions::NONE);
    let mut found = None;
    for instruction in decoder.iter().take(START_UP) {
        if instruction.is_call_near() || instruction.is_call_near_indirect() {
            break;
        }
        found = address_to(&instruction, Register::RDI).or(found);
    }
    let handed = found.and_then(|address| code.starting(address)).map(|range| code.number(range));
    handed.or_else(|| named("main"))
}

/// The address that an instruction puts into a register.
fn address_to(instruction: &Instruction, register: Register) -> Option<u64> {
    if instruction.op0_register().full_register() != register {
        return None;
    }
    match instruction.code() {
        Opcode::Lea_r64_m if instruction.is_ip_rel_memory_operand() => Some(instruction.ip_rel_memory_address()),
        Opcode::Mov_rm64_imm32 | Opcode::Mov_r32_imm32 | Opcode::Mov_r64_imm64 => Some(instruction.immediate(1)),
        _ => None,
    }
}

/// What a short `main` hands to the runtime it calls: Rust's own `main`.
fn handed_over(looks: &mut Looks<'_, '_>, main: u32) -> Option<u32> {
    let code = looks.code();
    let scan = looks.at(main.checked_sub(code.first())?)?.clone();
    let calls_runtime = looks.scans().calls(&scan).iter().any(|&callee| code.name(callee).contains("lang_start"));
    match *looks.scans().taken(&scan) {
        [only] if scan.instructions <= SHIM && calls_runtime => Some(only),
        _ => None,
    }
}
