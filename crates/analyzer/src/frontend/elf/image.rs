//! An ELF file's headers as the later passes need them: what is mapped where, symbols, relocations, dynamic entries.
//!
//! Plain data; filled by [`super::read`]. Addresses are those the file names, before relocation.

use std::ops::Range;

/// What a symbol names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SymbolKind {
    Function,
    /// A resolver that the dynamic linker calls to choose an implementation.
    IndirectFunction,
    Other,
}

/// A defined symbol.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Symbol<'a> {
    pub name: &'a str,
    pub address: u64,
    pub size: u64,
    pub kind: SymbolKind,
    /// Whether other files can see it.
    pub exported: bool,
}

/// A loaded part of the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Segment {
    pub address: u64,
    pub offset: u64,
    /// Bytes in the file, cut to what is there, and in memory.
    pub file_bytes: u64,
    pub memory_bytes: u64,
    pub executable: bool,
    pub writable: bool,
}

/// A section.
#[derive(Debug, Clone)]
pub(crate) struct Section<'a> {
    pub name: &'a str,
    pub address: u64,
    /// Bytes in the file; empty for a section that has none.
    pub file: Range<usize>,
    pub executable: bool,
}

/// What of instruction sets a property note demands (`GNU_PROPERTY_X86_ISA_1_NEEDED`, x86-64 psABI, section 5.4).
pub(crate) const ISA_V2: u32 = 2;
pub(crate) const ISA_V3: u32 = 4;
pub(crate) const ISA_V4: u32 = 8;

/// An ELF file.
#[derive(Debug, Default)]
pub(crate) struct Image<'a> {
    pub bytes: &'a [u8],
    pub is_64: bool,
    pub little_endian: bool,
    pub machine: u16,
    pub object_type: u16,
    pub entry: u64,
    pub interpreter: Option<&'a str>,
    /// Whether there is a dynamic section.
    pub dynamic: bool,
    pub flags_1: u64,
    pub soname: Option<&'a str>,
    pub needed: Vec<&'a str>,
    pub rpath: Option<&'a str>,
    pub runpath: Option<&'a str>,
    pub segments: Vec<Segment>,
    pub sections: Vec<Section<'a>>,
    pub symbols: Vec<Symbol<'a>>,
    /// Undefined dynamic symbols, each once, in order.
    pub imports: Vec<&'a str>,
    /// Slots filled by the dynamic linker with an import's address: slot and index in `imports`, in order.
    pub slots: Vec<(u64, u32)>,
    /// Addresses that relocations put into data, with the place: `(place, address)`.
    pub pointers: Vec<(u64, u64)>,
    /// Resolvers called by `IRELATIVE` relocations.
    pub resolvers: Vec<u64>,
    /// Functions called before and after `main`.
    pub init: Vec<u64>,
    /// Bits of `GNU_PROPERTY_X86_ISA_1_NEEDED`.
    pub isa_needed: u32,
    /// Offset and bytes of `.eh_frame_hdr`.
    pub eh_frame_hdr: Option<(u64, Range<usize>)>,
    /// Addresses that only the dynamic linker writes to, in order.
    pub fixed: Vec<Range<u64>>,
    /// What was left out because it could not be read.
    pub warnings: Vec<String>,
}

impl<'a> Image<'a> {
    /// The machine `EM_X86_64` in 64-bit form: the code that is decoded.
    pub(crate) fn decodable(&self) -> bool {
        self.machine == object::elf::EM_X86_64 && self.is_64 && self.little_endian
    }

    /// The bytes of the file from an address to the end of the segment it lies in.
    pub(crate) fn at(&self, address: u64) -> Option<&'a [u8]> {
        let segment = self.segment(address)?;
        let inside = address - segment.address;
        let begin = usize::try_from(segment.offset.checked_add(inside)?).ok()?;
        let end = usize::try_from(segment.offset.checked_add(segment.file_bytes)?).ok()?;
        self.bytes.get(begin..end)
    }

    /// A little-endian word at an address.
    pub(crate) fn word(&self, address: u64) -> Option<u64> {
        let bytes: [u8; 8] = self.at(address)?.get(..8)?.try_into().ok()?;
        Some(u64::from_le_bytes(bytes))
    }

    /// The segment an address lies in, where the file has bytes for it.
    fn segment(&self, address: u64) -> Option<&Segment> {
        let inside = |s: &&Segment| address >= s.address && address - s.address < s.file_bytes;
        self.segments.iter().find(inside)
    }

    /// Whether an address lies in memory that the program can write.
    pub(crate) fn writable(&self, address: u64) -> bool {
        let inside = |s: &&Segment| address >= s.address && address - s.address < s.memory_bytes;
        self.segments.iter().find(inside).is_some_and(|segment| segment.writable)
    }

    /// The import whose address the dynamic linker puts into a slot.
    #[inline]
    pub(crate) fn import_at(&self, slot: u64) -> Option<u32> {
        let at = self.slots.binary_search_by_key(&slot, |known| known.0).ok()?;
        Some(self.slots[at].1)
    }

    /// Whether only the dynamic linker writes to an address: it lies in a table of addresses or in memory that is made
    /// read-only after relocation.
    pub(crate) fn relocated_once(&self, address: u64) -> bool {
        let after = self.fixed.partition_point(|range| range.start <= address);
        after.checked_sub(1).is_some_and(|at| self.fixed[at].contains(&address))
    }

    /// A section by name.
    pub(crate) fn section(&self, name: &str) -> Option<&Section<'a>> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// A section's bytes.
    pub(crate) fn contents(&self, name: &str) -> Option<&'a [u8]> {
        self.bytes.get(self.section(name)?.file.clone()).filter(|bytes| !bytes.is_empty())
    }

    /// The end of what sections and segments hold of the file.
    pub(crate) fn described_bytes(&self) -> usize {
        let sections = self.sections.iter().map(|section| section.file.end);
        let segments = self.segments.iter().map(|segment| (segment.offset + segment.file_bytes) as usize);
        sections.chain(segments).max().unwrap_or(0)
    }

    /// Whether its addresses are only settled when it is loaded.
    pub(crate) fn moves(&self) -> bool {
        self.object_type != object::elf::ET_EXEC
    }

    /// Whether it is a program rather than a library or object file.
    pub(crate) fn is_program(&self) -> bool {
        match self.object_type {
            object::elf::ET_EXEC => self.entry != 0,
            object::elf::ET_DYN => self.entry != 0 && (self.flags_1 & DF_1_PIE != 0 || self.interpreter.is_some()),
            _ => false,
        }
    }

    /// Ranges of machine code: address, place in the file. Each byte of the file is in one range at most.
    pub(crate) fn code(&self) -> Vec<(u64, Range<usize>)> {
        let from_sections = self.sections.iter().filter(|s| s.executable && !s.file.is_empty());
        let mut ranges: Vec<(u64, Range<usize>)> = from_sections.map(|s| (s.address, s.file.clone())).collect();
        if ranges.is_empty() {
            let loaded = self.segments.iter().filter(|segment| segment.executable && segment.file_bytes > 0);
            ranges.extend(loaded.map(|s| (s.address, s.offset as usize..(s.offset + s.file_bytes) as usize)));
        }
        ranges.sort_by_key(|range| (range.1.start, range.1.end));
        let mut end = 0;
        ranges.retain(|range| {
            let fresh = range.1.start >= end && range.1.end <= self.bytes.len();
            end = if fresh { range.1.end } else { end };
            fresh
        });
        ranges.sort_by_key(|range| range.0);
        let mut next = 0;
        ranges.retain(|(address, file)| {
            let fresh = *address >= next && address.checked_add(file.len() as u64).is_some();
            next = if fresh { address + file.len() as u64 } else { next };
            fresh
        });
        ranges
    }
}

/// A position-independent program (`DF_1_PIE`, System V ABI as extended by Solaris and GNU).
pub(crate) const DF_1_PIE: u64 = 0x0800_0000;
