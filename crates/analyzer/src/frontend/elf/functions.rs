//! Where functions begin and end: by symbols, by unwind entries where those are stripped, by Go's own table, else by
//! what the code calls. What the first look at them (`scan`) finds named between them is added.
//!
//! The result is a sorted list of ranges that do not overlap, so that every byte of code belongs to one function at
//! most.

use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction};

use super::image::{Image, SymbolKind};
use super::shapes::{Place, Shape, Shapes};
use super::swift::{At, Listener};
use super::traits::Flow;

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
    /// Code that belongs to none, in order, where that was looked for.
    gaps: Vec<std::ops::Range<u64>>,
}

/// Finds all functions of an image whose code is decoded; what lies between them where it is to be `thorough`.
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
    let ranges = ranges(&code, &mut starts);
    let gaps = if thorough { gaps(image, &code, &ranges) } else { Vec::new() };
    Functions { ranges, stubs, told: !unaided, gaps }
}

impl Functions<'_> {
    /// Whether an address lies in code that belongs to no function.
    #[inline]
    pub(crate) fn is_between(&self, address: u64) -> bool {
        let (Some(first), Some(last)) = (self.gaps.first(), self.gaps.last()) else { return false };
        if address < first.start || address >= last.end {
            return false;
        }
        let after = self.gaps.partition_point(|gap| gap.start <= address);
        after.checked_sub(1).is_some_and(|at| self.gaps[at].contains(&address))
    }

    /// Has functions begin at addresses in what lies between the others, given in order; the new place of each old one.
    pub(crate) fn add(&mut self, image: &Image<'_>, addresses: &[u64]) -> Vec<u32> {
        let mut new = self.divide_gaps(image, addresses).into_iter().peekable();
        let old = std::mem::take(&mut self.ranges);
        let mut places = Vec::with_capacity(old.len());
        self.ranges.reserve(old.len() + new.len());
        for range in old {
            while let Some(before) = new.next_if(|new| new.start < range.start) {
                self.ranges.push(before);
            }
            places.push(self.ranges.len() as u32);
            self.ranges.push(range);
        }
        self.ranges.extend(new);
        places
    }

    /// Cuts the gaps at addresses in them: what begins there, up to the next or the gap's end, is a gap no more.
    fn divide_gaps(&mut self, image: &Image<'_>, addresses: &[u64]) -> Vec<Range<'static>> {
        let code = image.code();
        let mut out = Vec::new();
        let mut addresses = addresses.iter().copied().peekable();
        for gap in std::mem::take(&mut self.gaps) {
            while addresses.next_if(|&address| address < gap.start).is_some() {}
            let piece = code.iter().find(|(address, file)| gap.start.wrapping_sub(*address) < file.len() as u64);
            let Some((address, file)) = piece else { continue };
            let offset = |at: u64| file.start + (at - address) as usize;
            let mut from = gap.start;
            let mut named = false;
            while let Some(start) = addresses.next_if(|&address| address < gap.end) {
                if named {
                    out.push(Range { start: from, end: start, offset: offset(from), name: "" });
                } else if !is_padding(&image.bytes[offset(from)..offset(start)]) {
                    self.gaps.push(from..start);
                }
                (from, named) = (start, true);
            }
            if named {
                out.push(Range { start: from, end: gap.end, offset: offset(from), name: "" });
            } else {
                self.gaps.push(gap);
            }
        }
        out
    }
}

/// Bytes between functions that are padding and no code: `nop` in its forms, `int3`, zeros.
static PADDING: [bool; 256] = padding();

const fn padding() -> [bool; 256] {
    let bytes = [0x00, 0x0f, 0x1f, 0x2e, 0x40, 0x44, 0x66, 0x80, 0x84, 0x90, 0xcc];
    let mut out = [false; 256];
    let mut at = 0;
    while at < bytes.len() {
        out[bytes[at]] = true;
        at += 1;
    }
    out
}

/// Whether bytes between functions are no code.
fn is_padding(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| PADDING[usize::from(byte)])
}

/// Code between the known functions: assembly without unwind entries, in which what others name begins a function.
fn gaps(image: &Image<'_>, code: &[(u64, std::ops::Range<usize>)], found: &[Range<'_>]) -> Vec<std::ops::Range<u64>> {
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
            if !is_padding(bytes) {
                gaps.push(from..next);
            }
            from = found.get(at).map_or(end, |range| range.end).max(next).max(from + 1);
        }
    }
    gaps
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
    let (mut out, mut shapes) = (Vec::new(), Shapes::default());
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
        let start = address + from;
        let mut targets = Targets { bytes, start, code, out: &mut out };
        shapes.walk((bytes, bytes.len()), start, &mut targets);
    }
    out
}

/// Takes note of what calls go to, and of addresses of code that are taken.
struct Targets<'c> {
    bytes: &'c [u8],
    start: u64,
    code: &'c [(u64, std::ops::Range<usize>)],
    out: &'c mut Vec<u64>,
}

impl Targets<'_> {
    fn meet(&mut self, target: u64) {
        let mut code = self.code.iter();
        let inside = code.any(|(start, file)| target >= *start && target - start < file.len() as u64);
        self.out.extend(inside.then_some(target));
    }

    fn behind(&self, at: At, by: u64) -> u64 {
        self.start.wrapping_add(at.next as u64).wrapping_add(by)
    }
}

impl Listener for Targets<'_> {
    #[inline]
    fn goes(&mut self, at: At, flow: Flow, by: u64) {
        if flow == Flow::Call {
            self.meet(self.behind(at, by));
        }
    }

    fn leaves(&mut self, _at: At, _flow: Flow, _by: Option<u64>) {}

    fn touches(&mut self, at: At, takes: bool, by: u64) {
        if takes {
            self.meet(self.behind(at, by));
        }
    }

    /// The address of `main` is handed to the C library, not called: by `mov` in either form.
    fn number(&mut self, at: At, value: u32) {
        let first = self.bytes[at.from];
        let opcode = if first & 0xf0 == 0x40 { self.bytes[at.from + 1] } else { first };
        if matches!(opcode, 0xb8..=0xbf | 0xc7) {
            self.meet(u64::from(value));
        }
    }

    fn shape(&mut self, at: At, shape: &Shape) {
        match shape.place {
            Place::Relative(by) if shape.kind.lea => self.meet(self.behind(at, by)),
            _ => self.goes(at, shape.kind.flow, shape.value),
        }
    }
}
