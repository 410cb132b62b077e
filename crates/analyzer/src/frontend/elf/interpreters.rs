//! Programs that interpret others: what they run is decided by their input, and code alone cannot tell it.
//!
//! A loop around a large jump table is met where functions are laid out. What threads its operations one to the next has
//! no such loop: each ends in a jump by a table of labels (computed gotos), or returns the operation that follows to a
//! loop that calls it. Told from the data and from the first look at all functions; called for the facts.

use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};

use super::code::Code;
use super::scan::Scans;
use super::traits::{self, Flow};

/// Labels of one function in a row from which on they are an interpreter's operations: as many as targets of a jump table
/// make a loop one in WebAssembly, where the C library's `printf` has some 20 and byte-code interpreters 100 and more.
const LABELS: usize = 48;

/// Jumps by a table in a function whose labels may be those of a `switch`, which is one such jump. A choice: few functions
/// hold so many large ones, and where gotos are computed each operation has its own.
const JUMPS: u32 = 16;

/// Instructions of a loop that calls what was returned, the function around it included: Perl's have some 40.
const LOOP: u32 = 64;

/// The function, by place in the list, that interprets most.
pub(crate) fn find(code: &Code<'_>, scans: &Scans) -> Option<u32> {
    if !code.functions.told {
        return None;
    }
    by_labels(code, scans).or_else(|| by_results(code, scans))
}

/// The function with the longest table of labels that it jumps by.
fn by_labels(code: &Code<'_>, scans: &Scans) -> Option<u32> {
    let image = &code.image;
    if image.moves() {
        // A table of a `switch` holds distances there, and needs no relocation.
        return longest(image.pointers.iter().copied(), code, |jumps| jumps > 0, scans);
    }
    let holds = |name: &str| name.starts_with(".rodata") || name.starts_with(".data");
    let data = image.sections.iter().filter(|section| section.address != 0 && holds(section.name));
    let words = data.flat_map(|section| {
        let bytes = image.bytes.get(section.file.clone()).unwrap_or_default();
        let words = bytes.chunks_exact(8).filter_map(|word| word.first_chunk().copied().map(u64::from_le_bytes));
        (0..).map(|word| section.address.wrapping_add(8 * word)).zip(words)
    });
    longest(words, code, |jumps| jumps >= JUMPS, scans)
}

/// Of the functions into whose middle enough words in a row point, and that jump often enough, the one with most labels;
/// words come with their places, in order.
fn longest(
    words: impl Iterator<Item = (u64, u64)>,
    code: &Code<'_>,
    often: impl Fn(u32) -> bool,
    scans: &Scans,
) -> Option<u32> {
    let mut best: Option<(usize, u32)> = None;
    let mut run: (Option<u32>, u64, Vec<u64>) = (None, 0, Vec::new());
    let inside = |address: u64| code.holding(address).filter(|&at| code.functions.ranges[at as usize].start != address);
    // One that points nowhere ends the last.
    for (place, address) in words.chain([(0, 0)]) {
        let function = inside(address);
        let (of, next, labels) = &mut run;
        if function.is_none() && of.is_none() {
            continue;
        }
        if function != *of || place != *next {
            labels.sort_unstable();
            labels.dedup();
            let jumps = of.and_then(|of| scans.list.get(of as usize)).map_or(0, |scan| scan.jumps);
            if let Some(of) = of.filter(|_| labels.len() >= LABELS && often(jumps))
                && best.is_none_or(|best| labels.len() > best.0)
            {
                best = Some((labels.len(), of));
            }
            labels.clear();
            *of = function;
        }
        *next = place.wrapping_add(8);
        labels.push(address);
    }
    best.map(|best| best.1)
}

/// The first function with a loop that calls what the last call returned, until that is nothing.
fn by_results(code: &Code<'_>, scans: &Scans) -> Option<u32> {
    // A call through memory with a loop around it.
    let may = |scan: &super::scan::Scan| scan.indirect > 1 && scan.instructions <= LOOP;
    let mut body: Vec<Instruction> = Vec::new();
    (0..).zip(scans.iter()).filter(|(_, scan)| may(scan)).map(|(index, _)| index).find(|&index| {
        let start = code.functions.ranges[index as usize].start;
        let mut decoder = Decoder::with_ip(64, code.bytes(index as usize), start, DecoderOptions::NONE);
        body.clear();
        body.extend(decoder.iter());
        (0..body.len()).any(|at| calls_result(&body[at..]))
    })
}

/// Whether some instructions begin with a call of what lies behind the returned address, and go back to it while that is
/// not zero.
fn calls_result(body: &[Instruction]) -> bool {
    let returned = |instruction: &Instruction| {
        traits::of(instruction).flow == Flow::IndirectCall
            && instruction.op0_kind() == OpKind::Memory
            && instruction.memory_base() == Register::RAX
            && instruction.memory_index() == Register::None
    };
    let Some((call, rest)) = body.split_first().filter(|(call, _)| returned(call)) else { return false };
    let mut tested = false;
    for instruction in rest {
        let what = traits::of(instruction);
        match what.flow {
            Flow::Branch => {
                let back = instruction.near_branch_target() <= call.ip();
                return tested && back && instruction.mnemonic() == Mnemonic::Jne;
            }
            Flow::Next => {}
            _ => return false,
        }
        let both = [instruction.op0_register(), instruction.op1_register()];
        tested = instruction.mnemonic() == Mnemonic::Test && both == [Register::RAX; 2];
        let overwrites = instruction.op0_kind() == OpKind::Register
            && instruction.op0_register().full_register() == Register::RAX
            && what.writes & 1 != 0;
        if overwrites || what.implicit & traits::bit(Register::RAX) != 0 {
            return false;
        }
    }
    false
}
