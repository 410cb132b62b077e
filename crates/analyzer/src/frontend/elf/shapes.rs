//! Instructions by shape: their length and what they do, told from prefixes, opcode and the fields of one byte behind
//! it, without taking the operands apart.
//!
//! The commonest instructions, of which there is nothing to tell but their length and where they go, are told by fixed
//! tables ([`super::swift`]). For the others there is a table in front of the decoder: the first instruction of each shape is
//! decoded, all later ones are looked up and only their length is computed. What the shape does not decide (`lock`,
//! address-size prefixes, more than four prefixes) is decoded each time; so is any shape whose computed length is not
//! what the decoder says. Lengths: Intel, "Software Developer's Manual", volume 2, chapter 2 and appendix A.

use iced_x86::{Code as Opcode, Decoder, DecoderOptions, Instruction, OpKind, Register};

use super::classes::repeats;
use super::crypto;
use super::swift::{
    AT_DISTANCE, At, BASELESS, Begin, DECODE, FOLLOW, GROUP, IMM, IMM8, IMMZ, IN_REGISTER, Listener, MODRM, OPERANDS,
    RELATIVE, SPECIAL, WINDOW, tell,
};
use super::traits::{self, Flow};

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
    /// Has a 32-bit number for its second operand, or puts one into a register of eight bytes.
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

/// The first of the eight opcodes of the x87 instructions, which registers tell apart.
const X87: usize = 0xd8;

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
            0x60..=0x62 | 0x82 | 0x9a | 0xa0..=0xa3 | 0xc2 | 0xc8 | 0xca | 0xd4..=0xd6 | 0xea => DECODE,
            X87..=0xdf => MODRM | GROUP,
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

/// Places for shapes by a hash of their key: programs have some hundreds. A shape whose place is taken by another takes
/// it over.
const PLACES: usize = 1 << 12;

/// Kinds of shapes that stand for themselves.
const DECODED: u16 = 1;

/// What stands at a place where no shape was met.
const UNMET: (u32, u16) = (u32::MAX, DECODED);

/// The shapes met so far.
pub(crate) struct Shapes {
    /// Shapes met, by hash: key and kind; empty before the first.
    entries: Vec<(u32, u16)>,
    kinds: Vec<Kind>,
    instruction: Instruction,
}

impl Default for Shapes {
    fn default() -> Self {
        Self { entries: Vec::new(), kinds: vec![Kind::default(); 2], instruction: Instruction::default() }
    }
}

/// The place for a key: `VEX` or `EVEX` or neither, map, opcode, prefixes, `W`, vector length, whether the operand is a
/// register, group, of x87 instructions the register.
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
    /// Walks over the instructions of a function of `end` bytes that begins at `start`, and tells of those of which there is
    /// something to tell; how many there are. `bytes` begins with it and goes on behind it.
    #[inline]
    pub(crate) fn walk(&mut self, (bytes, end): (&[u8], usize), start: u64, listener: &mut impl Listener) -> u32 {
        let (mut at, mut count) = (0, 0);
        while at < end {
            count += 1;
            listener.meets(at);
            let mut length = 0;
            if let Some(window) = bytes[at..].first_chunk::<WINDOW>() {
                let begin = Begin::of(window);
                length = begin.plain();
                if length != 0 && length <= end - at {
                    at += length;
                    continue;
                }
                length = tell(begin, window, (at, end - at), listener);
            }
            at += if length != 0 { length } else { self.look_up((bytes, end), at, start, listener) };
        }
        count
    }

    /// Tells of an instruction that is not among the commonest; its length.
    fn look_up(
        &mut self,
        (bytes, end): (&[u8], usize),
        from: usize,
        start: u64,
        listener: &mut impl Listener,
    ) -> usize {
        let (bytes, left) = (&bytes[from..], end - from);
        if let Some(window) = bytes.first_chunk::<WINDOW>()
            && let Some(parts) = parts(window)
            && parts.length <= left
        {
            let (key, mut entry) = self.entries.get(place(parts.key)).copied().unwrap_or(UNMET);
            if key != parts.key as u32 {
                entry = self.learn(window, &parts);
            }
            if entry != DECODED {
                let kind = &self.kinds[usize::from(entry)];
                if !kind.plain || parts.place != ELSEWHERE {
                    let at = At { from, next: from + parts.length };
                    listener.shape(at, &assemble(window, &parts, *kind));
                }
                return parts.length;
            }
        }
        let shape = self.decode(&bytes[..left.min(bytes.len())], start.wrapping_add(from as u64));
        listener.shape(At { from, next: from + shape.length }, &shape);
        shape.length
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
        self.entries.resize(PLACES, UNMET);
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
            number: has_number(instruction),
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

/// Whether an instruction has a number of 32 bits that may be a constant or an address.
fn has_number(instruction: &Instruction) -> bool {
    let sets = instruction.code() == Opcode::Mov_rm64_imm32 && instruction.op0_kind() == OpKind::Register;
    instruction.op_count() > 1 && (sets || instruction.op1_kind() == OpKind::Immediate32)
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
        0x62 => {
            let [first, second, third] = [byte(1), byte(2), byte(3)];
            map = usize::from(first & 7);
            if at != 1 || first & 8 != 0 || second & 4 == 0 || !(1..=3).contains(&map) {
                return None;
            }
            wide = usize::from(second >> 7);
            // The second bit of the vector length, and whether it broadcasts or rounds.
            key = usize::from(second & 3) | 1 << 19 | usize::from(third >> 5 & 1) << 18 | 1 << 20;
            key |= usize::from(third >> 6 & 1) << 21 | usize::from(third >> 4 & 1) << 22;
            opcode = usize::from(byte(4));
            at = 5;
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
        if map == 0 && opcode & 0xf8 == X87 && operand & IN_REGISTER != 0 {
            key |= usize::from(modrm & 7) << 20;
        }
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

/// Puts what is told of an instruction together as its shape, for comparison.
#[derive(Default)]
struct Told(Option<Shape>);

impl Told {
    fn note(&mut self, at: At, kind: Kind, place: Place, value: u64) {
        self.0 = Some(Shape { length: at.next - at.from, kind, place, value });
    }
}

impl Listener for Told {
    fn goes(&mut self, at: At, flow: Flow, by: u64) {
        self.note(at, Kind { flow, ..Kind::default() }, Place::Elsewhere, by);
    }

    fn leaves(&mut self, at: At, flow: Flow, by: Option<u64>) {
        self.note(at, Kind { flow, ..Kind::default() }, by.map_or(Place::Elsewhere, Place::Relative), 0);
    }

    fn touches(&mut self, at: At, lea: bool, by: u64) {
        self.note(at, Kind { lea, plain: !lea, ..Kind::default() }, Place::Relative(by), 0);
    }

    fn number(&mut self, at: At, value: u32) {
        self.note(at, Kind { number: true, ..Kind::default() }, Place::Elsewhere, u64::from(value));
    }

    fn shape(&mut self, at: At, shape: &Shape) {
        self.0 = Some(Shape { length: at.next - at.from, ..*shape });
    }
}

/// Whether shapes tell of each instruction what decoding it tells.
///
/// # Panics
/// Where they differ, but for encodings that no processor takes.
pub(crate) fn check(bytes: &[u8]) {
    let mut shapes = Shapes::default();
    let mut at = 0;
    while at < bytes.len() {
        let (rest, left, mut told) = (&bytes[at..], bytes.len() - at, Told::default());
        let window = rest.first_chunk::<WINDOW>();
        let swift = window.map_or(0, |window| tell(Begin::of(window), window, (0, left), &mut told));
        let length = if swift != 0 { swift } else { shapes.look_up((rest, left), 0, at as u64, &mut told) };
        let decoded = shapes.decode(rest, at as u64);
        // An address that is computed from registers is nothing to tell of.
        let silent = decoded.kind == Kind { lea: decoded.kind.lea, plain: decoded.kind.plain, ..Kind::default() };
        let nothing = Shape { length, kind: Kind::default(), place: Place::Elsewhere, value: 0 };
        let nothing = if silent { Shape { kind: decoded.kind, value: decoded.value, ..nothing } } else { nothing };
        if !shapes.instruction.is_invalid() {
            let told = told.0.unwrap_or(nothing);
            assert_eq!(told, decoded, "at {at}: {:x?}", &rest[..left.min(WINDOW)]);
        }
        at += decoded.length;
    }
}
