//! Where functions begin and end: by symbols, by unwind entries where those are stripped, by Go's own table, else by
//! what the code calls.
//!
//! The result is a sorted list of ranges that do not overlap, so that every byte of code belongs to one function at
//! most.

use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, OpKind};

use super::image::{Image, SymbolKind};

/// A function's code.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range<'a> {
    pub start: u64,
    pub end: u64,
    /// Place in the file.
    pub offset: usize,
    /// Name, where a symbol gives one.
    pub name: &'a str,
}

/// All functions with code in the file, and the imports behind their stubs.
#[derive(Debug, Default)]
pub(crate) struct Functions<'a> {
    pub ranges: Vec<Range<'a>>,
    /// Stubs of the procedure linkage table, in order: address and import.
    pub stubs: Vec<(u64, u32)>,
    /// Whether symbols or unwind entries tell where functions begin.
    pub told: bool,
}

/// Finds all functions of an image whose code is decoded; those that only code mentions where it is to be `thorough`,
/// since all code is looked through for them.
pub(crate) fn find<'a>(image: &Image<'a>, thorough: bool) -> Functions<'a> {
    let code = image.code();
    let stubs = stubs(image, &code);
    let mut starts: Vec<(u64, u64, &'a str)> = Vec::new();
    for symbol in &image.symbols {
        if symbol.kind != SymbolKind::Other {
            starts.push((symbol.address, symbol.size, symbol.name));
        }
    }
    let named = starts.len();
    starts.extend(super::unwind::ranges(image).into_iter().map(|(start, size)| (start, size, "")));
    starts.extend(super::go::functions(image));
    let unaided = starts.is_empty();
    let mut bare = |address: u64| starts.push((address, 0, ""));
    bare(image.entry);
    image.init.iter().chain(&image.resolvers).copied().for_each(&mut bare);
    if unaided || (named == 0 && starts.len() < 16) {
        let most = if thorough { u64::MAX } else { AROUND_ENTRY };
        starts.extend(call_targets(image, &code, most).into_iter().map(|address| (address, 0, "")));
    }
    let mut found = ranges(&code, &mut starts);
    let mentioned = if thorough { mentioned(image, &code, &found) } else { Vec::new() };
    if !mentioned.is_empty() {
        starts.extend(mentioned.into_iter().map(|address| (address, 0, "")));
        found = ranges(&code, &mut starts);
    }
    Functions { ranges: found, stubs, told: !unaided }
}

/// Bytes between functions that are padding and no code: `nop` in its forms, `int3`, zeros.
const PADDING: [u8; 10] = [0x00, 0x0f, 0x1f, 0x2e, 0x40, 0x44, 0x66, 0x80, 0x84, 0x90];

/// Pages of 4 KiB for which it is noted whether there is such code in them, by the low bits of their number.
const PAGES: usize = 1 << 14;

/// Code between the known functions: assembly without unwind entries. Addresses in it that calls, jumps, address
/// computations or pointers elsewhere name begin a function. Their bytes are looked for without decoding.
fn mentioned(image: &Image<'_>, code: &[(u64, std::ops::Range<usize>)], found: &[Range<'_>]) -> Vec<u64> {
    let mut gaps: Vec<std::ops::Range<u64>> = Vec::new();
    let mut at = 0;
    for (address, file) in code {
        let end = address + file.len() as u64;
        let mut from = *address;
        while from < end {
            while found.get(at).is_some_and(|range| range.end <= from) {
                at += 1;
            }
            let next = found.get(at).map_or(end, |range| range.start.min(end)).max(from);
            let bytes = &image.bytes[file.start + (from - address) as usize..file.start + (next - address) as usize];
            if bytes.iter().any(|byte| !PADDING.contains(byte) && *byte != 0xcc) {
                gaps.push(from..next);
            }
            from = found.get(at).map_or(end, |range| range.end).max(next).max(from + 1);
        }
    }
    if gaps.is_empty() {
        return Vec::new();
    }
    // Nearly every address is settled by its page.
    let page = |address: u64| (address >> 12) as usize % PAGES;
    let mut pages = vec![false; PAGES];
    for gap in &gaps {
        let last = (gap.end - 1) >> 12;
        (gap.start >> 12..=last).take(PAGES).for_each(|at| pages[at as usize % PAGES] = true);
    }
    let inside = |address: u64| {
        if !pages[page(address)] {
            return false;
        }
        let after = gaps.partition_point(|gap| gap.start <= address);
        after.checked_sub(1).is_some_and(|at| gaps[at].contains(&address))
    };
    let mut out: Vec<u64> = image.pointers.iter().map(|pointer| pointer.1).filter(|&address| inside(address)).collect();
    for (address, file) in code {
        let bytes = &image.bytes[file.clone()];
        // call, jmp; lea with rip, whose displacement comes one byte later.
        for at in memchr::memchr3_iter(0xe8, 0xe9, 0x8d, bytes) {
            let skip = match (bytes[at], bytes.get(at + 1)) {
                (0x8d, Some(next)) if next & 0xc7 == 0x05 => 2,
                (0x8d, _) => continue,
                _ => 1,
            };
            let Some(word) = bytes.get(at + skip..).and_then(|rest| rest.first_chunk::<4>()) else { continue };
            let next = address + (at + skip + 4) as u64;
            let target = next.wrapping_add_signed(i64::from(i32::from_le_bytes(*word)));
            if inside(target) {
                out.push(target);
            }
        }
    }
    out
}

/// Cuts the starts to ranges: within one piece of code, up to the size told or the next start.
fn ranges<'a>(code: &[(u64, std::ops::Range<usize>)], starts: &mut [(u64, u64, &'a str)]) -> Vec<Range<'a>> {
    // Of several entries for one place, a name comes first, then the largest size.
    starts.sort_by(|a, b| (a.0, a.2.is_empty(), b.1).cmp(&(b.0, b.2.is_empty(), a.1)));
    let mut out: Vec<Range<'a>> = Vec::new();
    let mut piece = 0;
    let mut at = 0;
    while at < starts.len() {
        let (start, mut size, name) = starts[at];
        at += 1;
        while at < starts.len() && starts[at].0 == start {
            size = size.max(starts[at].1);
            at += 1;
        }
        while piece < code.len() && code[piece].0 + code[piece].1.len() as u64 <= start {
            piece += 1;
        }
        let Some((address, file)) = code.get(piece).filter(|piece| piece.0 <= start) else { continue };
        let mut limit = address + file.len() as u64;
        if let Some(next) = starts.get(at) {
            limit = limit.min(next.0);
        }
        let end = if size == 0 { limit } else { start.saturating_add(size).min(limit) };
        out.push(Range { start, end, offset: file.start + (start - address) as usize, name });
    }
    out
}

/// Calls to decode for stubs: one jump through a slot each.
fn stubs(image: &Image<'_>, code: &[(u64, std::ops::Range<usize>)]) -> Vec<(u64, u32)> {
    let mut out = Vec::new();
    for section in image.sections.iter().filter(|section| section.executable && section.name.starts_with(".plt")) {
        // Only what is code of its own, so that no byte is decoded for two sections.
        if !code.iter().any(|piece| piece.1 == section.file) {
            continue;
        }
        let mut decoder =
            Decoder::with_ip(64, &image.bytes[section.file.clone()], section.address, DecoderOptions::NONE);
        let mut instruction = Instruction::default();
        let mut before = None;
        while decoder.can_decode() {
            decoder.decode_out(&mut instruction);
            let indirect = instruction.flow_control() == FlowControl::IndirectBranch;
            if indirect
                && instruction.is_ip_rel_memory_operand()
                && let Some(import) = image.import_at(instruction.ip_rel_memory_address())
            {
                out.push((instruction.ip(), import));
                if let Some(start) = before {
                    out.push((start, import));
                }
            }
            before = (instruction.code() == iced_x86::Code::Endbr64).then(|| instruction.ip());
        }
    }
    out.sort_unstable();
    out
}

/// Code from the entry on that is looked through for calls in a hurry, in bytes: ten times what is then laid out.
const AROUND_ENTRY: u64 = 256 << 10;

/// Targets of direct calls, for code that nothing else divides; where `most` bytes are to be decoded, those from the entry
/// on.
fn call_targets(image: &Image<'_>, code: &[(u64, std::ops::Range<usize>)], most: u64) -> Vec<u64> {
    let inside =
        |address: u64| code.iter().any(|(start, file)| address >= *start && address - start < file.len() as u64);
    let mut out = Vec::new();
    for (address, file) in code {
        let (from, size) = match image.entry.checked_sub(*address) {
            Some(before) if most < u64::MAX => (before, most),
            None if most < u64::MAX => continue,
            _ => (0, most),
        };
        let Some(bytes) = usize::try_from(from).ok().and_then(|from| image.bytes[file.clone()].get(from..)) else {
            continue;
        };
        let bytes = &bytes[..bytes.len().min(usize::try_from(size).unwrap_or(usize::MAX))];
        let mut decoder = Decoder::with_ip(64, bytes, address + from, DecoderOptions::NONE);
        let mut instruction = Instruction::default();
        while decoder.can_decode() {
            decoder.decode_out(&mut instruction);
            let call =
                instruction.flow_control() == FlowControl::Call && instruction.op0_kind() == OpKind::NearBranch64;
            if call && inside(instruction.near_branch_target()) {
                out.push(instruction.near_branch_target());
            }
            // The address of `main` is handed to the C library, not called.
            if instruction.mnemonic() == iced_x86::Mnemonic::Mov
                && instruction.op1_kind() == OpKind::Immediate32to64
                && inside(instruction.immediate(1))
            {
                out.push(instruction.immediate(1));
            }
            if instruction.code() == iced_x86::Code::Lea_r64_m
                && instruction.is_ip_rel_memory_operand()
                && inside(instruction.ip_rel_memory_address())
            {
                out.push(instruction.ip_rel_memory_address());
            }
        }
    }
    out
}
