//! Instructions by shape: their length and what they do, told from prefixes, opcode and the fields of one byte behind
//! it, without taking the operands apart.
//!
//! The commonest instructions, of which there is nothing to tell but their length and where they go, are told by a fixed
//! table ([`swift`]). For the others there is a table in front of the decoder: the first instruction of each shape is
//! decoded, all later ones are looked up and only their length is computed. What the shape does not decide (the x87
//! instructions by register, EVEX, `lock`, address-size prefixes, more than four prefixes) is decoded each time; so is
//! any shape whose computed length is not what the decoder says. Lengths: Intel, "Software Developer's Manual", volume
//! 2, chapter 2 and appendix A.

use iced_x86::{Code as Opcode, Decoder, DecoderOptions, Instruction, OpKind, Register};

use super::classes::repeats;
use super::crypto;
use super::traits::{self, Flow};

/// Bytes that an instruction may have (volume 2, section 2.3.11), and then one.
const WINDOW: usize = 16;

/// What all instructions of a shape do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Kind {
    /// Feature bits (see [`super::features`]).
    pub features: u64,
    pub flow: Flow,
    /// Asks the processor what it can do.
    pub asks: bool,
    pub system_call: bool,
    /// Takes an address: `lea` to 64 bits.
    pub lea: bool,
    /// Has a 32-bit number for its second operand.
    pub number: bool,
    /// Repeats itself on a string.
    pub repeats: bool,
    pub locks: bool,
    /// What processors have it for, where that is cryptography.
    pub algorithm: Option<&'static str>,
    /// None of all that: goes on to the next and has no more to tell than where its memory is.
    pub plain: bool,
}

/// Where an instruction finds its memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nowhere, or at an address that only a run tells.
    Elsewhere,
    /// At a distance from the instruction's end.
    Relative(u64),
    /// At an address without a base register.
    Absolute(u64),
}

/// An instruction, as far as its shape tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub length: usize,
    pub kind: Kind,
    pub place: Place,
    /// What a near branch, jump or call goes to; a number of 32 bits where the kind says there is one.
    pub value: u64,
}

/// How far a walk over the instructions of a function has come: bytes, and instructions.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Walk {
    pub at: usize,
    pub count: u32,
}

/// What is told of an instruction in passing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// It goes on to the next, and its memory lies where only a run tells.
    Nothing,
    /// It goes elsewhere, so far from its end where that is fixed.
    Goes(Flow, u64),
    /// It goes elsewhere, as a register says, or memory so far from its end.
    Leaves(Flow, Option<u64>),
    /// It goes on to the next, and its memory lies so far from its end; whether it takes that address.
    Touches(bool, u64),
    /// It goes on to the next, and has this number for its second operand.
    Number(u32),
    Shape(Shape),
}

/// How an opcode goes on: bytes of an immediate in the lowest bits, and flags. Four bytes are two with the operand-size
/// prefix.
const IMM: u8 = 7;
const IMM8: u8 = 1;
const IMMZ: u8 = 4;
const MODRM: u8 = 8;
/// The register field belongs to the opcode.
const GROUP: u8 = 16;
/// Goes somewhere relative to its end.
const RELATIVE: u8 = 32;
/// `mov` of eight bytes with `REX.W`; `test` in a group that has an immediate where the register field is 0 or 1.
const SPECIAL: u8 = 64;
const DECODE: u8 = 128;

/// How opcodes go on by map: one-byte, `0f`, `0f 38`, `0f 3a`.
static FORMS: [[u8; 256]; 4] = [one_byte(), two_bytes(), [MODRM; 256], [MODRM | IMM8; 256]];

const fn one_byte() -> [u8; 256] {
    let mut out = [0; 256];
    let mut op = 0;
    while op < 256 {
        out[op] = match op {
            0x06 | 0x07 | 0x0e | 0x16 | 0x17 | 0x1e | 0x1f | 0x27 | 0x2f | 0x37 | 0x3f => DECODE,
            0x00..=0x3f => match op & 7 {
                0..=3 => MODRM,
                4 => IMM8,
                5 => IMMZ,
                _ => DECODE,
            },
            0x60..=0x62 | 0x82 | 0x9a | 0xa0..=0xa3 | 0xc2 | 0xc8 | 0xca | 0xd4..=0xd6 | 0xd8..=0xdf | 0xea => DECODE,
            0x63 | 0x84..=0x8e => MODRM,
            0x68 | 0xa9 => IMMZ,
            0x69 => MODRM | IMMZ,
            0x6a | 0xa8 | 0xb0..=0xb7 | 0xcd | 0xe4..=0xe7 => IMM8,
            0x6b => MODRM | IMM8,
            0x70..=0x7f | 0xe0..=0xe3 | 0xeb => IMM8 | RELATIVE,
            0x80 | 0x83 | 0xc0 | 0xc1 | 0xc6 => MODRM | GROUP | IMM8,
            0x81 | 0xc7 => MODRM | GROUP | IMMZ,
            0x8f | 0xd0..=0xd3 | 0xfe | 0xff => MODRM | GROUP,
            0xb8..=0xbf => IMMZ | SPECIAL,
            0xe8 | 0xe9 => IMMZ | RELATIVE,
            0xf6 | 0xf7 => MODRM | GROUP | SPECIAL,
            _ => 0,
        };
        op += 1;
    }
    out
}

const fn two_bytes() -> [u8; 256] {
    let mut out = [MODRM; 256];
    let mut op = 0;
    while op < 256 {
        out[op] = match op {
            0x05..=0x09 | 0x0b | 0x30..=0x35 | 0x77 | 0xa0..=0xa2 | 0xa8..=0xaa | 0xc8..=0xcf => 0,
            0x01 | 0x04 | 0x0a | 0x0c | 0x0e | 0x0f | 0x20..=0x27 | 0x36..=0x3f | 0x78..=0x7b | 0xa6 | 0xa7 | 0xae => {
                DECODE
            }
            0x00 | 0x0d | 0x18 | 0x1c | 0x1e | 0xc7 => MODRM | GROUP,
            0x70 | 0xa4 | 0xac | 0xc2 | 0xc4..=0xc6 => MODRM | IMM8,
            0x71..=0x73 | 0xba => MODRM | GROUP | IMM8,
            0x80..=0x8f => IMMZ | RELATIVE,
            _ => MODRM,
        };
        op += 1;
    }
    out
}

/// What a byte behind the opcode makes of the operand in memory: bytes that follow it in the lowest bits, and flags.
const FOLLOW: u8 = 7;
const IN_REGISTER: u8 = 8;
const AT_DISTANCE: u8 = 16;
/// The base is told by the next byte, which may ask for four more.
const BASELESS: u8 = 32;

static OPERANDS: [u8; 256] = operands();

const fn operands() -> [u8; 256] {
    let mut out = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let scaled = if byte & 7 == 4 { 1 } else { 0 };
        out[byte] = match (byte >> 6, byte & 7) {
            (0, 5) => AT_DISTANCE | 4,
            (0, 4) => BASELESS | 1,
            (0, _) => 0,
            (1, _) => 1 + scaled,
            (2, _) => 4 + scaled,
            _ => IN_REGISTER,
        };
        byte += 1;
    }
    out
}

/// Prefixes by byte: operand size, `repne`, `rep`, those that change nothing here, and `REX`.
const SIZE: u8 = 1;
const REPNE: u8 = 2;
const REP: u8 = 4;
const SEGMENT: u8 = 8;
const REX: u8 = 16;
/// `lock`, address size: decoded each time.
const OTHER: u8 = 32;

static PREFIXES: [u8; 256] = prefixes();

const fn prefixes() -> [u8; 256] {
    let mut out = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        out[byte] = match byte {
            0x26 | 0x2e | 0x36 | 0x3e | 0x64 | 0x65 => SEGMENT,
            0x40..=0x4f => REX,
            0x66 => SIZE,
            0x67 | 0xf0 => OTHER,
            0xf2 => REPNE,
            0xf3 => REP,
            _ => 0,
        };
        byte += 1;
    }
    out
}

/// Opcodes of the one-byte map, then of `0f`, that [`swift`] tells: [`IMM`], [`MODRM`], [`RELATIVE`] as above, and this.
const SWIFT: u8 = 128;

static COMMON: [u8; 768] = common();

const fn common() -> [u8; 768] {
    let mut out = [0; 768];
    let mut op = 0;
    while op < 256 {
        let form = match op {
            0x00..=0x3f if op & 7 < 4 => MODRM,
            0x00..=0x3f if op & 7 == 4 => IMM8,
            0x50..=0x5f | 0x90 | 0x98 | 0x99 | 0xc9 => 0,
            0x63 | 0x84..=0x8b | 0x8d | 0xd0..=0xd3 => MODRM,
            0x68 => IMMZ,
            0x05 | 0x0d | 0x15 | 0x1d | 0x25 | 0x2d | 0x35 | 0x3d | 0xa9 | 0xb8..=0xbf => IMMZ | SPECIAL,
            0x81 | 0xc7 => MODRM | IMMZ | SPECIAL,
            0xf6 | 0xf7 | 0xfe | 0xff => MODRM | SPECIAL,
            0x69 => MODRM | IMMZ,
            0x6b | 0x80 | 0x83 | 0xc0 | 0xc1 => MODRM | IMM8,
            0x6a | 0xa8 | 0xb0..=0xb7 => IMM8,
            0x70..=0x7f | 0xeb => IMM8 | RELATIVE,
            0xe8 | 0xe9 => IMMZ | RELATIVE,
            0xc3 => RELATIVE,
            _ => DECODE | RELATIVE,
        };
        if form != DECODE | RELATIVE {
            out[op] = form | SWIFT;
        }
        let form = match op {
            0x10 | 0x11 | 0x1f | 0x28 | 0x29 | 0x2e | 0x2f | 0x57 => MODRM,
            0x40..=0x4f | 0x90..=0x9f | 0xaf | 0xb6 | 0xb7 | 0xbc..=0xbf => MODRM,
            0xa3 | 0xab | 0xb3 | 0xbb => MODRM,
            0x80..=0x8f => IMMZ | RELATIVE,
            0xc8..=0xcf => 0,
            _ => DECODE | RELATIVE,
        };
        if form != DECODE | RELATIVE {
            out[256 + op] = form | SWIFT;
        }
        // SSE and SSE2 behind one of their prefixes, and what pads.
        let form = match op {
            0x10 | 0x11 | 0x1f | 0x28..=0x2a | 0x2c..=0x2f | 0x51 | 0x54..=0x6f | 0x74..=0x76 | 0x7e | 0x7f => MODRM,
            0xd4..=0xef | 0xf1..=0xfe => MODRM,
            0x70 | 0xc6 => MODRM | IMM8,
            _ => DECODE | RELATIVE,
        };
        if form != DECODE | RELATIVE {
            out[512 + op] = form | SWIFT;
        }
        op += 1;
    }
    out
}

/// The length of a common instruction, what is told of it, and a number that goes with that.
type Quick = (usize, What, u64);

/// What is told of a common instruction; see [`Told`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Nothing,
    /// The decoder has to tell.
    Else,
    Goes(Flow),
    Leaves(Flow),
    LeavesBySlot(Flow),
    Touches,
    Takes,
    Number,
}

impl What {
    fn told(self, value: u64) -> Told {
        match self {
            Self::Nothing | Self::Else => Told::Nothing,
            Self::Goes(flow) => Told::Goes(flow, value),
            Self::Leaves(flow) => Told::Leaves(flow, None),
            Self::LeavesBySlot(flow) => Told::Leaves(flow, Some(value)),
            Self::Touches => Told::Touches(false, value),
            Self::Takes => Told::Touches(true, value),
            Self::Number => Told::Number(value as u32),
        }
    }
}

const ELSE: Quick = (0, What::Else, 0);

/// The commonest instructions: without features, with no prefix but `REX` or one of SSE's, and plain or going to a fixed
/// distance. [`ELSE`] for all others.
#[inline(always)]
fn swift(window: &[u8; WINDOW]) -> Quick {
    let prefixed = usize::from(matches!(window[0], 0x66 | 0xf2 | 0xf3));
    let mut at = prefixed + usize::from(window[prefixed] & 0xf0 == 0x40);
    let mut opcode = usize::from(window[at]);
    at += 1;
    if opcode == 0x0f {
        opcode = 256 + 256 * prefixed + usize::from(window[at]);
        at += 1;
    } else if prefixed != 0 {
        return ELSE;
    }
    let form = COMMON[opcode];
    let opened = at;
    if form & MODRM != 0 {
        let operand = OPERANDS[usize::from(window[at])];
        at += 1 + usize::from(operand & FOLLOW);
        if operand & (AT_DISTANCE | BASELESS) != 0 {
            if operand & AT_DISTANCE != 0 {
                return at_distance(window, opcode, form, opened, at);
            }
            if window[opened + 1] & 7 == 5 {
                return ELSE;
            }
        }
    }
    if form & (RELATIVE | SPECIAL) != 0 || form == 0 {
        return notable(window, opcode, form, opened, at);
    }
    (at + usize::from(form & IMM), What::Nothing, 0)
}

#[inline]
fn word(window: &[u8; WINDOW], at: usize) -> i32 {
    i32::from_le_bytes(std::array::from_fn(|byte| window[(at + byte) & (WINDOW - 1)]))
}

/// Whether `REX.W` stands before an opcode of the one-byte map, which ends where this says.
#[inline]
fn is_wide(window: &[u8; WINDOW], opened: usize) -> bool {
    opened > 1 && window[opened - 2] & 0xf8 == 0x48
}

/// An instruction whose memory lies at a distance, told just before `at`.
#[inline]
fn at_distance(window: &[u8; WINDOW], opcode: usize, form: u8, opened: usize, at: usize) -> Quick {
    let by = i64::from(word(window, at - 4)) as u64;
    let length = at + usize::from(form & IMM);
    if form & SPECIAL == 0 {
        // Of less than eight bytes it is no address.
        let takes = opcode == 0x8d && is_wide(window, opened);
        return (length, if takes { What::Takes } else { What::Touches }, by);
    }
    match (opcode, window[opened] >> 3 & 7) {
        (0xff, 2) => (length, What::LeavesBySlot(Flow::IndirectCall), by),
        (0xff, 4) => (length, What::LeavesBySlot(Flow::IndirectJump), by),
        (0xff, 0 | 1 | 6) | (0xfe, 0 | 1) | (0xf6 | 0xf7, 2..) => (length, What::Touches, by),
        // A number beside an address.
        _ => ELSE,
    }
}

/// An instruction that goes elsewhere, or whose opcode of the one-byte map is many or has a number for its operand, which
/// stands at `at`.
#[inline]
fn notable(window: &[u8; WINDOW], opcode: usize, form: u8, opened: usize, at: usize) -> Quick {
    if form == 0 {
        return ELSE;
    }
    let immediate = usize::from(form & IMM);
    if form & RELATIVE != 0 {
        let by = match immediate {
            1 => i64::from(word(window, at) as i8),
            4 => i64::from(word(window, at)),
            _ => 0,
        };
        let flow = match opcode {
            0xc3 => Flow::Return,
            0xe8 => Flow::Call,
            0xe9 | 0xeb => Flow::Jump,
            _ => Flow::Branch,
        };
        return (at + immediate, What::Goes(flow), by as u64);
    }
    let wide = is_wide(window, opened);
    // A number that is extended to eight bytes is none of 32 bits.
    let number = if wide { What::Nothing } else { What::Number };
    match (opcode, window[opened] >> 3 & 7) {
        (0xff, 2) => (at, What::Leaves(Flow::IndirectCall), 0),
        (0xff, 4) => (at, What::Leaves(Flow::IndirectJump), 0),
        (0xff, 0 | 1 | 6) | (0xfe, 0 | 1) | (0xf6 | 0xf7, 2..) => (at, What::Nothing, 0),
        (0xf6, 0) => (at + 1, What::Nothing, 0),
        (0xb8..=0xbf, _) if wide => ELSE,
        (0xf6, _) | (0xf7 | 0xc7, 1..) | (0xfe | 0xff, _) => ELSE,
        _ => (at + 4, number, u64::from(word(window, at) as u32)),
    }
}

/// Places for shapes by a hash of their key: programs have some hundreds. A shape whose place is taken by another takes
/// it over.
const PLACES: usize = 1 << 12;

/// Kinds of shapes that stand for themselves.
const DECODED: u16 = 1;

/// The shapes met so far.
pub(crate) struct Shapes {
    /// Shapes met, by hash: key and kind.
    entries: Vec<(u32, u16)>,
    kinds: Vec<Kind>,
    instruction: Instruction,
}

impl Default for Shapes {
    fn default() -> Self {
        Self {
            entries: vec![(u32::MAX, DECODED); PLACES],
            kinds: vec![Kind::default(); 2],
            instruction: Instruction::default(),
        }
    }
}

/// The place for a key: `VEX` or not, map, opcode, prefixes, `W`, vector length, whether the operand is a register, group.
/// Fibonacci hashing (Knuth, "The Art of Computer Programming" 3, section 6.4).
#[inline]
fn place(key: usize) -> usize {
    (key as u32).wrapping_mul(0x9e37_79b1) as usize >> (32 - PLACES.trailing_zeros())
}

/// An instruction taken apart as far as its length needs.
struct Parts {
    key: usize,
    length: usize,
    /// Whether there is a displacement of four bytes without a base register, and where.
    place: u8,
    displacement: usize,
    /// Where the immediate begins, and how long it is.
    immediate: usize,
    relative: bool,
}

const ELSEWHERE: u8 = 0;
const RELATIVE_PLACE: u8 = 1;
const ABSOLUTE_PLACE: u8 = 2;

impl Shapes {
    /// The next instruction of which there is something to tell, in a function of `end` bytes that begins at `start`;
    /// `bytes` begins with it and goes on behind it. Where it stands and what it tells; goes to its end, and counts those
    /// passed over as well.
    #[inline]
    pub(crate) fn next(&mut self, (bytes, end): (&[u8], usize), start: u64, walk: &mut Walk) -> Option<(usize, Told)> {
        let Walk { mut at, mut count } = *walk;
        let found = loop {
            if at >= end {
                break None;
            }
            count += 1;
            let (length, what, value) = bytes[at..].first_chunk::<WINDOW>().map_or(ELSE, swift);
            if what == What::Nothing && length <= end - at {
                at += length;
                continue;
            }
            let (length, told) = if what != What::Else && length <= end - at {
                (length, what.told(value))
            } else {
                self.look_up(&bytes[at..], end - at, start.wrapping_add(at as u64))
            };
            at += length;
            if !matches!(told, Told::Nothing) {
                break Some((at - length, told));
            }
        };
        *walk = Walk { at, count };
        found
    }

    /// The instruction at a place in the code, and its length: `bytes` begins with it and goes on behind the function's
    /// end, which is `left` bytes away.
    fn read(&mut self, bytes: &[u8], left: usize, address: u64) -> (usize, Told) {
        match bytes.first_chunk::<WINDOW>().map_or(ELSE, swift) {
            (length, what, value) if what != What::Else && length <= left => (length, what.told(value)),
            _ => self.look_up(bytes, left, address),
        }
    }

    /// The same of instructions that are not among the commonest.
    fn look_up(&mut self, bytes: &[u8], left: usize, address: u64) -> (usize, Told) {
        if let Some(window) = bytes.first_chunk::<WINDOW>()
            && let Some(parts) = parts(window)
            && parts.length <= left
        {
            let (key, mut entry) = self.entries[place(parts.key)];
            if key != parts.key as u32 {
                entry = self.learn(window, &parts);
            }
            if entry != DECODED {
                let kind = &self.kinds[usize::from(entry)];
                if kind.plain && parts.place == ELSEWHERE {
                    return (parts.length, Told::Nothing);
                }
                return (parts.length, Told::Shape(assemble(window, &parts, *kind)));
            }
        }
        let shape = self.decode(&bytes[..left.min(bytes.len())], address);
        (shape.length, Told::Shape(shape))
    }

    /// Has the decoder say what a shape does.
    #[cold]
    fn learn(&mut self, window: &[u8; WINDOW], parts: &Parts) -> u16 {
        let mut decoder = Decoder::with_ip(64, window, 0, DecoderOptions::NONE);
        decoder.decode_out(&mut self.instruction);
        let told = assemble(window, parts, self.kind());
        let known = self.kinds.iter().position(|kind| *kind == told.kind).unwrap_or(self.kinds.len());
        let agreed = !self.instruction.is_invalid() && told == self.shape(0);
        let entry = u16::try_from(known).ok().filter(|_| agreed).unwrap_or(DECODED);
        if agreed && known == self.kinds.len() {
            self.kinds.push(told.kind);
        }
        self.entries[place(parts.key)] = (parts.key as u32, entry);
        entry
    }

    /// Decodes an instruction in full.
    #[cold]
    fn decode(&mut self, bytes: &[u8], address: u64) -> Shape {
        let mut decoder = Decoder::with_ip(64, bytes, address, DecoderOptions::NONE);
        decoder.decode_out(&mut self.instruction);
        self.shape(address)
    }

    fn kind(&self) -> Kind {
        let instruction = &self.instruction;
        let what = traits::of(instruction);
        let kind = Kind {
            features: what.features,
            flow: what.flow,
            plain: false,
            asks: matches!(instruction.code(), Opcode::Cpuid | Opcode::Xgetbv),
            system_call: instruction.code() == Opcode::Syscall,
            lea: instruction.code() == Opcode::Lea_r64_m,
            number: instruction.op_count() > 1 && instruction.op1_kind() == OpKind::Immediate32,
            repeats: repeats(instruction),
            locks: instruction.has_lock_prefix(),
            algorithm: crypto::algorithm(instruction.mnemonic()),
        };
        Kind { plain: kind == Kind::default(), ..kind }
    }

    /// What the decoder made of an instruction at an address.
    fn shape(&self, address: u64) -> Shape {
        let kind = self.kind();
        let instruction = &self.instruction;
        let memory = (0..instruction.op_count()).any(|at| instruction.op_kind(at) == OpKind::Memory);
        let end = address.wrapping_add(instruction.len() as u64);
        let place = match instruction.memory_base() {
            Register::RIP => Place::Relative(instruction.memory_displacement64().wrapping_sub(end)),
            Register::None if memory && instruction.memory_displ_size() >= 4 => {
                Place::Absolute(instruction.memory_displacement64())
            }
            _ => Place::Elsewhere,
        };
        let value = match instruction.op_count() {
            1.. if instruction.op0_kind() == OpKind::NearBranch64 => instruction.near_branch_target().wrapping_sub(end),
            2.. if kind.number => u64::from(instruction.immediate32()),
            _ => 0,
        };
        Shape { length: instruction.len().max(1), kind, place, value }
    }
}

/// Where the opcode stands behind several prefixes, which, and `REX.W`; `None` where the decoder has to tell.
#[inline]
fn prefixed(window: &[u8; WINDOW]) -> Option<(usize, u8, usize)> {
    let mut prefixes = 0;
    for (at, &byte) in window.iter().enumerate().take(6) {
        let prefix = PREFIXES[usize::from(byte)];
        if prefix == 0 {
            return Some((at, prefixes, 0));
        }
        if prefix == REX {
            let last = PREFIXES[usize::from(window[at + 1])] == 0;
            return last.then_some((at + 1, prefixes, usize::from(byte >> 3 & 1)));
        }
        if prefix == OTHER {
            return None;
        }
        prefixes |= prefix;
    }
    None
}

/// Takes an instruction apart; `None` where the decoder has to.
#[inline(always)]
fn parts(window: &[u8; WINDOW]) -> Option<Parts> {
    let byte = |at: usize| window[at & (WINDOW - 1)];
    // Most instructions have no prefix but `REX`, and that every other.
    let rex = usize::from(byte(0) & 0xf0 == 0x40);
    let (mut at, mut prefixes, mut wide) = (rex, 0, rex & usize::from(byte(0) >> 3));
    if PREFIXES[usize::from(byte(at))] != 0 {
        (at, prefixes, wide) = prefixed(window)?;
    }
    let mut opcode = usize::from(byte(at));
    at += 1;
    let (mut map, mut key) = (0, usize::from(prefixes & (SIZE | REPNE | REP)));
    match opcode {
        0x0f => {
            opcode = usize::from(byte(at));
            at += 1;
            map = 1;
            if opcode == 0x38 || opcode == 0x3a {
                map = if opcode == 0x38 { 2 } else { 3 };
                opcode = usize::from(byte(at));
                at += 1;
            }
        }
        0xc4 | 0xc5 => {
            if at != 1 {
                return None;
            }
            let mut last = byte(1);
            map = 1;
            at = 2;
            if opcode == 0xc4 {
                map = usize::from(last & 0x1f);
                last = byte(2);
                at = 3;
                wide = usize::from(last >> 7);
                if !(1..=3).contains(&map) {
                    return None;
                }
            }
            key = usize::from(last & 3) | 1 << 19 | usize::from(last >> 2 & 1) << 18;
            opcode = usize::from(byte(at));
            at += 1;
        }
        _ => {}
    }
    let form = FORMS[map][opcode];
    if form & DECODE != 0 || key >> 19 != 0 && form & RELATIVE != 0 {
        return None;
    }
    key |= wide << 3 | opcode << 8 | map << 16;
    let mut immediate_bytes = usize::from(form & IMM);
    let (mut place, mut group) = (ELSEWHERE, 0);
    let displacement = at + 1;
    if form & MODRM != 0 {
        let modrm = byte(at);
        let operand = OPERANDS[usize::from(modrm)];
        group = modrm >> 3 & 7;
        key |= usize::from(operand & IN_REGISTER) << 1;
        key |= usize::from(group) << 5 & (0xe0 * usize::from(form & GROUP != 0));
        at += 1 + usize::from(operand & FOLLOW);
        if operand & AT_DISTANCE != 0 {
            place = RELATIVE_PLACE;
        } else if operand & BASELESS != 0 && byte(displacement) & 7 == 5 {
            place = ABSOLUTE_PLACE;
            at += 4;
        }
    }
    if form & SPECIAL != 0 {
        immediate_bytes = match opcode {
            0xf6 if group < 2 => 1,
            0xf7 if group < 2 => 4,
            0xf6 | 0xf7 => 0,
            _ if wide != 0 => 8,
            _ => 4,
        };
    }
    if prefixes & SIZE != 0 && wide == 0 && immediate_bytes == 4 {
        if form & RELATIVE != 0 {
            return None;
        }
        immediate_bytes = 2;
    }
    let length = at + immediate_bytes;
    // An instruction's last byte is the fifteenth at most.
    (length < WINDOW).then_some(Parts {
        key,
        length,
        place,
        // Behind the byte that tells of the base, where there is one.
        displacement: displacement + usize::from(place == ABSOLUTE_PLACE),
        immediate: at,
        relative: form & RELATIVE != 0,
    })
}

/// Puts an instruction together again, now that it is known what it does.
#[inline]
fn assemble(window: &[u8; WINDOW], parts: &Parts, kind: Kind) -> Shape {
    let word = |at: usize| {
        let at = at & (WINDOW - 1);
        i32::from_le_bytes(std::array::from_fn(|byte| window[(at + byte) & (WINDOW - 1)]))
    };
    let place = match parts.place {
        RELATIVE_PLACE => Place::Relative(i64::from(word(parts.displacement)) as u64),
        ABSOLUTE_PLACE => Place::Absolute(i64::from(word(parts.displacement)) as u64),
        _ => Place::Elsewhere,
    };
    let value = if parts.relative {
        if parts.length - parts.immediate == 1 {
            i64::from(window[parts.immediate & (WINDOW - 1)] as i8) as u64
        } else {
            i64::from(word(parts.immediate)) as u64
        }
    } else if kind.number {
        u64::from(word(parts.immediate) as u32)
    } else {
        0
    };
    Shape { length: parts.length, kind, place, value }
}

/// Whether shapes tell of each instruction what decoding it tells.
///
/// # Panics
/// Where they differ, but for encodings that no processor takes.
pub(crate) fn check(bytes: &[u8]) {
    let mut shapes = Shapes::default();
    let mut at = 0;
    while at < bytes.len() {
        let (length, told) = shapes.read(&bytes[at..], bytes.len() - at, at as u64);
        let decoded = shapes.decode(&bytes[at..], at as u64);
        // An address that is computed from registers is nothing to tell of.
        let silent = decoded.kind == Kind { lea: decoded.kind.lea, plain: decoded.kind.plain, ..Kind::default() };
        let told = match told {
            Told::Nothing if silent => Shape { length, place: Place::Elsewhere, value: 0, ..decoded },
            Told::Nothing => Shape { length, kind: Kind::default(), place: Place::Elsewhere, value: 0 },
            Told::Goes(flow, value) => {
                Shape { length, kind: Kind { flow, ..Kind::default() }, place: Place::Elsewhere, value }
            }
            Told::Leaves(flow, distance) => {
                let place = distance.map_or(Place::Elsewhere, Place::Relative);
                Shape { length, kind: Kind { flow, ..Kind::default() }, place, value: 0 }
            }
            Told::Number(value) => {
                let kind = Kind { number: true, ..Kind::default() };
                Shape { length, kind, place: Place::Elsewhere, value: u64::from(value) }
            }
            Told::Touches(lea, by) => {
                let kind = Kind { lea, ..Kind::default() };
                Shape { length, kind: Kind { plain: !lea, ..kind }, place: Place::Relative(by), value: 0 }
            }
            Told::Shape(shape) => shape,
        };
        if !shapes.instruction.is_invalid() {
            assert_eq!(told, decoded, "at {at}: {:x?}", &bytes[at..bytes.len().min(at + WINDOW)]);
        }
        at += decoded.length;
    }
}
