//! The commonest instructions, of which there is nothing to tell but their length and where they go: by fixed tables,
//! without the decoder.
//!
//! Most instructions are settled by their first two bytes behind `REX`, nearly all others by what follows their opcode. Of
//! those of which there is something to tell a [`Listener`] is told. Called for every instruction that [`super::shapes`] tells.

use super::shapes::Shape;
use super::traits::Flow;

/// Bytes that an instruction may have (volume 2, section 2.3.11), and then one.
pub(super) const WINDOW: usize = 16;

/// How an opcode goes on: bytes of an immediate in the lowest bits, and flags. Four bytes are two with the operand-size
/// prefix.
pub(super) const IMM: u8 = 7;
pub(super) const IMM8: u8 = 1;
pub(super) const IMMZ: u8 = 4;
pub(super) const MODRM: u8 = 8;
/// The register field belongs to the opcode.
pub(super) const GROUP: u8 = 16;
/// Goes somewhere relative to its end.
pub(super) const RELATIVE: u8 = 32;
/// `mov` of eight bytes with `REX.W`; `test` in a group that has an immediate where the register field is 0 or 1.
pub(super) const SPECIAL: u8 = 64;
pub(super) const DECODE: u8 = 128;

/// What a byte behind the opcode makes of the operand in memory: bytes that follow it in the lowest bits, and flags.
pub(super) const FOLLOW: u8 = 7;
pub(super) const IN_REGISTER: u8 = 8;
pub(super) const AT_DISTANCE: u8 = 16;
/// The base is told by the next byte, which may ask for four more.
pub(super) const BASELESS: u8 = 32;

pub(super) static OPERANDS: [u8; 256] = operands();

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

/// Opcodes of the one-byte map, then of `0f`, that [`many`] tells: [`IMM`], [`MODRM`], [`SPECIAL`] as above, and this.
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
            _ => RELATIVE,
        };
        if form != RELATIVE {
            out[op] = form | SWIFT;
        }
        let form = match op {
            0x10 | 0x11 | 0x1f | 0x28 | 0x29 | 0x2e | 0x2f | 0x57 => MODRM,
            0x40..=0x4f | 0x90..=0x9f | 0xaf | 0xb6 | 0xb7 | 0xbc..=0xbf => MODRM,
            0xa3 | 0xab | 0xb3 | 0xbb => MODRM,
            0xc8..=0xcf => 0,
            _ => RELATIVE,
        };
        if form != RELATIVE {
            out[256 + op] = form | SWIFT;
        }
        // SSE and SSE2 behind one of their prefixes, and what pads.
        let form = match op {
            0x10 | 0x11 | 0x1f | 0x28..=0x2a | 0x2c..=0x2f | 0x51 | 0x54..=0x6f | 0x74..=0x76 | 0x7e | 0x7f => MODRM,
            0xd4..=0xef | 0xf1..=0xfe => MODRM,
            0x70 | 0xc6 => MODRM | IMM8,
            _ => RELATIVE,
        };
        if form != RELATIVE {
            out[512 + op] = form | SWIFT;
        }
        op += 1;
    }
    out
}

/// What the first two bytes behind `REX` tell: the instruction's length without that in the lowest bits, 0 where more bytes
/// have to be looked at; and where it goes, if elsewhere. Opcodes are the higher byte, so that what is common lies together.
static PAIRS: [u8; 1 << 16] = pairs();

const LENGTH: u8 = 15;
/// Relative to its end by one byte, by four, or by four behind `0f`; and back to the caller.
const BY_BYTE: u8 = 16;
const BY_WORD: u8 = 32;
const BY_WORD_BEHIND: u8 = 48;
const BACK: u8 = 64;
/// Goes on to the next, and finds its memory at a distance that stands behind both bytes.
const TOUCHES: u8 = 80;
/// Its operand is told by the byte behind both, and there is nothing to tell of it where that lies at no distance; the length
/// up to there and with that byte.
const BEHIND: u8 = 96;

const fn pairs() -> [u8; 1 << 16] {
    let (common, operands) = (common(), operands());
    let mut out = [0; 1 << 16];
    let mut pair = 0;
    while pair < 1 << 16 {
        let (opcode, modrm) = (pair >> 8, pair & 0xff);
        out[pair] = match opcode {
            0x0f if modrm >> 4 == 8 => BY_WORD_BEHIND | 6,
            0x0f if common[256 + modrm] == MODRM | SWIFT => BEHIND | 3,
            0x70..=0x7f | 0xeb => BY_BYTE | 2,
            0xe8 | 0xe9 => BY_WORD | 5,
            0xc3 => BACK | 1,
            _ => plain_length(common[opcode], opcode, modrm, operands[modrm]),
        };
        pair += 1;
    }
    out
}

/// The length of an instruction of which there is no more to tell than where its memory is; 0 where that takes more than its
/// opcode and the byte behind it.
const fn plain_length(form: u8, opcode: usize, modrm: usize, operand: u8) -> u8 {
    let immediate = match (opcode, modrm >> 3 & 7) {
        (0xff, 0 | 1 | 6) | (0xfe, 0 | 1) | (0xf6 | 0xf7, 2..) => 0,
        (0xf6, 0) => 1,
        _ if form & SPECIAL != 0 || form == 0 => return 0,
        _ => form & IMM,
    };
    match form & MODRM {
        0 => 1 + immediate,
        _ if operand & AT_DISTANCE != 0 && form & SPECIAL == 0 => TOUCHES | (6 + immediate),
        _ if operand & (AT_DISTANCE | BASELESS) != 0 => 0,
        _ => 2 + (operand & FOLLOW) + immediate,
    }
}

/// An instruction met on a walk, by its offset and that of its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    pub from: usize,
    pub next: usize,
}

/// Takes note of the instructions of a walk of which there is something to tell.
pub(crate) trait Listener {
    /// Each, before anything else is told of it.
    #[inline(always)]
    fn meets(&mut self, _from: usize) {}
    /// One that goes elsewhere, so far from its end where that is fixed.
    fn goes(&mut self, at: At, flow: Flow, by: u64);
    /// One that goes elsewhere, as a register says, or memory so far from its end.
    fn leaves(&mut self, at: At, flow: Flow, by: Option<u64>);
    /// One that goes on to the next, and whose memory lies so far from its end; whether it takes that address.
    fn touches(&mut self, at: At, takes: bool, by: u64);
    /// One that goes on to the next, and has this number for its second operand.
    fn number(&mut self, at: At, value: u32);
    /// Any other.
    fn shape(&mut self, at: At, shape: &Shape);
}

/// Takes note of nothing.
pub(crate) struct Deaf;

impl Listener for Deaf {
    fn goes(&mut self, _at: At, _flow: Flow, _by: u64) {}
    fn leaves(&mut self, _at: At, _flow: Flow, _by: Option<u64>) {}
    fn touches(&mut self, _at: At, _takes: bool, _by: u64) {}
    fn number(&mut self, _at: At, _value: u32) {}
    fn shape(&mut self, _at: At, _shape: &Shape) {}
}

/// What an instruction's first bytes tell: bytes of `REX`, and what [`PAIRS`] says of those behind that.
#[derive(Clone, Copy)]
pub(super) struct Begin {
    rex: usize,
    pair: u8,
}

impl Begin {
    #[inline(always)]
    pub(super) fn of(window: &[u8; WINDOW]) -> Self {
        let first = window.first_chunk::<4>().map_or(0, |first| u32::from_be_bytes(*first));
        let rex = usize::from(first >> 28 == 4);
        // Both are looked up, so that neither waits for the other or for a branch that cannot be foretold.
        let (bare, behind) = (PAIRS[(first >> 16) as usize], PAIRS[usize::from((first >> 8) as u16)]);
        let chosen = (rex as u8).wrapping_neg();
        Self { rex, pair: bare ^ (bare ^ behind) & chosen }
    }

    #[inline(always)]
    fn length(self) -> usize {
        self.rex + usize::from(self.pair & LENGTH)
    }

    /// The length of an instruction of which there is nothing to tell; 0 where this is none, or does not tell.
    #[inline(always)]
    pub(super) fn plain(self) -> usize {
        if matches!(self.pair, 1..=LENGTH) { self.length() } else { 0 }
    }
}

/// A common instruction in its surroundings: its first bytes, where it begins, and how many bytes are left of its function.
struct Common<'w, L> {
    window: &'w [u8; WINDOW],
    from: usize,
    left: usize,
    listener: &'w mut L,
}

/// Tells of a common instruction that begins at an offset, in a function of which so many bytes are left; its length, or 0
/// where more has to be known: it has features, other prefixes than `REX` or one of SSE's, or is longer than what is left.
#[inline(always)]
pub(super) fn tell(
    begin: Begin,
    window: &[u8; WINDOW],
    (from, left): (usize, usize),
    listener: &mut impl Listener,
) -> usize {
    let Begin { rex, pair } = begin;
    let length = begin.length();
    if length > left {
        return 0;
    }
    let at = At { from, next: from + length };
    match pair & !LENGTH {
        0 if pair == 0 => Common { window, from, left, listener }.many(),
        0 => length,
        BY_BYTE if window[rex] == 0xeb => goes(listener, at, Flow::Jump, i64::from(window[rex + 1] as i8)),
        BY_BYTE => goes(listener, at, Flow::Branch, i64::from(window[rex + 1] as i8)),
        BY_WORD if window[rex] == 0xe8 => goes(listener, at, Flow::Call, word(window, rex + 1)),
        BY_WORD => goes(listener, at, Flow::Jump, word(window, rex + 1)),
        BY_WORD_BEHIND => goes(listener, at, Flow::Branch, word(window, rex + 2)),
        TOUCHES => {
            // Of less than eight bytes it is no address.
            let takes = window[rex] == 0x8d && window[0] & 0xf8 == 0x48;
            listener.touches(at, takes, word(window, rex + 2) as u64);
            length
        }
        BEHIND => {
            let operand = OPERANDS[usize::from(window[rex + 2])];
            let length = length + usize::from(operand & FOLLOW);
            if operand & (AT_DISTANCE | BASELESS) == 0 && length <= left {
                return length;
            }
            Common { window, from, left, listener }.many()
        }
        _ => goes(listener, at, Flow::Return, 0),
    }
}

#[inline(always)]
fn goes(listener: &mut impl Listener, at: At, flow: Flow, by: i64) -> usize {
    listener.goes(at, flow, by as u64);
    at.next - at.from
}

/// Four bytes with their sign.
#[inline(always)]
fn word(window: &[u8; WINDOW], at: usize) -> i64 {
    i64::from(i32::from_le_bytes(std::array::from_fn(|byte| window[(at + byte) & (WINDOW - 1)])))
}

impl<L: Listener> Common<'_, L> {
    /// One that more than two bytes tell.
    #[inline(never)]
    fn many(mut self) -> usize {
        let window = self.window;
        let prefixed = usize::from(matches!(window[0], 0x66 | 0xf2 | 0xf3));
        let mut at = prefixed + usize::from(window[prefixed] & 0xf0 == 0x40);
        let mut opcode = usize::from(window[at]);
        at += 1;
        if opcode == 0x0f {
            opcode = 256 + 256 * prefixed + usize::from(window[at]);
            at += 1;
        } else if prefixed != 0 {
            return 0;
        }
        let form = COMMON[opcode];
        let opened = at;
        if form & MODRM != 0 {
            let operand = OPERANDS[usize::from(window[at])];
            at += 1 + usize::from(operand & FOLLOW);
            if operand & AT_DISTANCE != 0 {
                return self.at_distance(opcode, form, opened, at);
            }
            if operand & BASELESS != 0 && window[opened + 1] & 7 == 5 {
                return 0;
            }
        }
        match form {
            0 => 0,
            _ if form & SPECIAL != 0 => self.notable(opcode, opened, at),
            _ => self.nothing(at + usize::from(form & IMM)),
        }
    }

    #[inline(always)]
    fn nothing(&self, length: usize) -> usize {
        if length > self.left { 0 } else { length }
    }

    #[inline(always)]
    fn at(&self, length: usize) -> At {
        At { from: self.from, next: self.from + length }
    }

    #[inline(always)]
    fn leaves(&mut self, length: usize, flow: Flow, by: Option<u64>) -> usize {
        if length > self.left {
            return 0;
        }
        self.listener.leaves(self.at(length), flow, by);
        length
    }

    /// Whether `REX.W` stands before an opcode of the one-byte map, which ends where this says.
    #[inline(always)]
    fn is_wide(&self, opened: usize) -> bool {
        opened > 1 && self.window[opened - 2] & 0xf8 == 0x48
    }

    /// One whose memory lies at a distance, told just before `at`.
    #[inline]
    fn at_distance(&mut self, opcode: usize, form: u8, opened: usize, at: usize) -> usize {
        let by = word(self.window, at - 4) as u64;
        let length = at + usize::from(form & IMM);
        // Of less than eight bytes it is no address.
        let takes = opcode == 0x8d && self.is_wide(opened);
        match (opcode, self.window[opened] >> 3 & 7) {
            _ if form & SPECIAL == 0 => self.touches(length, takes, by),
            (0xff, 2) => self.leaves(length, Flow::IndirectCall, Some(by)),
            (0xff, 4) => self.leaves(length, Flow::IndirectJump, Some(by)),
            (0xff, 0 | 1 | 6) | (0xfe, 0 | 1) | (0xf6 | 0xf7, 2..) => self.touches(length, false, by),
            // A number beside an address.
            _ => 0,
        }
    }

    #[inline(always)]
    fn touches(&mut self, length: usize, takes: bool, by: u64) -> usize {
        if length > self.left {
            return 0;
        }
        self.listener.touches(self.at(length), takes, by);
        length
    }

    /// One that goes where a register says, or whose opcode of the one-byte map is many or has a number for its operand, which
    /// stands at `at`.
    #[inline]
    fn notable(&mut self, opcode: usize, opened: usize, at: usize) -> usize {
        let wide = self.is_wide(opened);
        match (opcode, self.window[opened] >> 3 & 7) {
            (0xff, 2) => self.leaves(at, Flow::IndirectCall, None),
            (0xff, 4) => self.leaves(at, Flow::IndirectJump, None),
            (0xff, 0 | 1 | 6) | (0xfe, 0 | 1) | (0xf6 | 0xf7, 2..) => self.nothing(at),
            (0xf6, 0) => self.nothing(at + 1),
            (0xb8..=0xbf, _) if wide => 0,
            (0xf6, _) | (0xf7 | 0xc7, 1..) | (0xfe | 0xff, _) => 0,
            // A number that is extended to eight bytes is none of 32 bits, but may be an address where a register gets it.
            _ if wide && (opcode != 0xc7 || OPERANDS[usize::from(self.window[opened])] & IN_REGISTER == 0) => {
                self.nothing(at + 4)
            }
            _ if at + 4 > self.left => 0,
            _ => {
                self.listener.number(self.at(at + 4), word(self.window, at) as u32);
                at + 4
            }
        }
    }
}
