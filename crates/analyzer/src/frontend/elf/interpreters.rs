//! Programs that interpret others: what they run is decided by their input, and code alone cannot tell it.
//!
//! A loop around a large jump table is met where functions are laid out. What threads its operations one to the next has
//! no such loop: each ends in a jump by a table of labels (computed gotos), or returns the operation that follows to a
//! loop that calls it. Told from the data and from the first look at all functions; called for the facts.

use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};

use super::code::Code;
use super::scan::Scans;
use super::traits::{self, Flow};
use crate::hash::QuickMap;

/// Labels of one function in a row from which on they are an interpreter's operations: as many as targets of a jump table
/// make a loop one in WebAssembly, where the C library's `printf` has some 20 and byte-code interpreters 100 and more.
const LABELS: usize = 48;

/// Places in a function that read one table of labels, which may be that of a `switch`: such a table is read in one place. A
/// choice: where gotos are computed each operation reads it.
const READS: u32 = 16;

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
        return longest(image.pointers.iter().copied(), code, |of| jumps(scans, of) > 0);
    }
    let holds = |name: &str| name.starts_with(".rodata") || name.starts_with(".data");
    let data = image.sections.iter().filter(|section| section.address != 0 && holds(section.name));
    let words = data.flat_map(|section| {
        let bytes = image.bytes.get(section.file.clone()).unwrap_or_default();
        let words = bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
        (0..).map(|word| section.address.wrapping_add(8 * word)).zip(words)
    });
    // Nearly all words are no addresses of code.
    let words = words.filter(|&(_, word)| code.spans(word));
    let mut known: QuickMap<u32, bool> = QuickMap::default();
    let mut threads =
        |of: u32| jumps(scans, of) >= READS && *known.entry(of).or_insert_with(|| reads(code, of) >= READS);
    longest(words, code, &mut threads)
}

/// Jumps of a function through registers or memory.
fn jumps(scans: &Scans, of: u32) -> u32 {
    scans.list.get(of as usize).map_or(0, |scan| scan.jumps)
}

/// How often a function goes by the table of addresses that it goes by most. Those whose place a register holds are taken for
/// one: code that can be anywhere has distances in the tables of its `switch`es.
fn reads(code: &Code<'_>, of: u32) -> u32 {
    let mut decoder = Decoder::with_ip(64, code.bytes(of as usize), 0, DecoderOptions::NONE);
    let mut tables: QuickMap<u64, u32> = QuickMap::default();
    let mut before = Instruction::default();
    for instruction in &mut decoder {
        if traits::of(&instruction).flow == Flow::IndirectJump {
            // What is jumped to was read just before, or is read by the jump.
            let loaded =
                instruction.op0_kind() == OpKind::Register && instruction.op0_register() == before.op0_register();
            let read = if loaded { &before } else { &instruction };
            if read.memory_index() != Register::None && read.memory_index_scale() == 8 {
                let known = read.memory_base() == Register::None;
                *tables.entry(if known { read.memory_displacement64() } else { 0 }).or_default() += 1;
            }
        }
        before = instruction;
    }
    tables.into_values().max().unwrap_or(0)
}

/// Of the functions into whose middle enough words of one table point, and that thread operations, the one with most labels;
/// words come with their places, in order. What seldom runs may have been moved out into a function of its own, so that a
/// table is words in a row that point into the middle of some function.
fn longest(
    words: impl Iterator<Item = (u64, u64)>,
    code: &Code<'_>,
    mut threads: impl FnMut(u32) -> bool,
) -> Option<u32> {
    let mut best: Option<(usize, u32)> = None;
    let mut table: Vec<(u32, u64)> = Vec::new();
    let mut next = 0;
    let inside = |address: u64| code.holding(address).filter(|&at| code.functions.ranges[at as usize].start != address);
    // One that points nowhere ends the last.
    for (place, address) in words.chain([(0, 0)]) {
        let function = inside(address);
        if function.is_none() || place != next {
            let least = best.map_or(LABELS, |best| best.0 + 1);
            // Nearly all are too short.
            if table.len() >= least {
                table.sort_unstable();
                table.dedup();
                let labels = table.chunk_by(|a, b| a.0 == b.0).map(|labels| (labels.len(), labels[0].0)).max();
                best = labels.filter(|&(labels, of)| labels >= least && threads(of)).or(best);
            }
            table.clear();
        }
        table.extend(function.map(|function| (function, address)));
        next = place.wrapping_add(8);
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
        (0..body.len()).any(|at| calls_result(&body, at))
    })
}

/// Whether an instruction calls what lies behind the address that the last call returned, and is come back to while that is
/// not zero.
fn calls_result(body: &[Instruction], at: usize) -> bool {
    let returned = |instruction: &Instruction| {
        traits::of(instruction).flow == Flow::IndirectCall
            && instruction.op0_kind() == OpKind::Memory
            && instruction.memory_base() == Register::RAX
            && instruction.memory_index() == Register::None
    };
    if !returned(&body[at]) {
        return false;
    }
    let keeps = |instruction: &Instruction| {
        let what = traits::of(instruction);
        let explicit = instruction.op0_kind() == OpKind::Register
            && instruction.op0_register().full_register() == Register::RAX
            && what.writes & 1 != 0;
        what.flow == Flow::Next && !explicit && what.implicit & traits::bit(Register::RAX) == 0
    };
    let after = &body[at + 1..];
    let straight = after.iter().take_while(|instruction| keeps(instruction)).count();
    let (Some(branch), Some(test)) = (after.get(straight), straight.checked_sub(1).map(|last| &after[last])) else {
        return false;
    };
    let both = [test.op0_register(), test.op1_register()];
    let tested = test.mnemonic() == Mnemonic::Test && both == [Register::RAX; 2] && branch.mnemonic() == Mnemonic::Jne;
    let head = body[..=at].iter().position(|instruction| instruction.ip() == branch.near_branch_target());
    tested && head.is_some_and(|head| body[head..at].iter().all(keeps))
}
