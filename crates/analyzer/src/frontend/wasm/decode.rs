//! One function body to a flat list of operators, and what later passes need to know ahead of their walk: which locals
//! each loop assigns, and which paths can only end in `unreachable`.
//!
//! Its own decoder, because the first plan waits for it: it does no checks beyond staying inside the body. Rare
//! operators (garbage-collected objects, stack switching) are read by wasmparser. Where a body is validated too, that and
//! decoding are one pass ([`checked`]). Called by the loop walk.
//!
//! Bounds: 16 bytes of memory per operator, at most [`MAX_DEPTH`] nested blocks kept, at most [`MAX_LOCALS`] locals.

use std::ops::Range;

use wasmparser::{BinaryReader, Operator, OperatorsReader};

use super::features::{self, Feature};
use super::module::Module;
use crate::error::AnalyzeError;
use crate::formatting::FORMAT;

mod census;
mod checked;
mod dying;
mod glance;

pub(crate) use census::Census;
use dying::Dying;
pub(crate) use glance::Glance;

/// Locals a function may declare: wasmparser's and every engine's limit.
pub(crate) const MAX_LOCALS: u64 = 50_000;

/// Size of a function body in bytes: wasmparser's limit, which engines share.
pub(crate) const MAX_BODY_BYTES: usize = 7_654_321;

/// Nested blocks that are followed; a function with more is only counted, not understood. Compilers stay below 300.
pub(crate) const MAX_DEPTH: usize = 2_000;

/// Entries of a `br_table` that are kept in order, the default aside: a compiler's choice between the first few iterations
/// and the rest has two.
const SHORT_TABLE: u32 = 8;

/// In place of a loop's number: an open block that is no loop, and an `if` whose `else` has come.
const NO_LOOP: u32 = u32::MAX;
const ELSE_SEEN: u32 = u32::MAX - 1;

/// Operators as numbers: one-byte opcodes as they are, prefixed ones by page.
pub(crate) mod code {
    pub(crate) const UNREACHABLE: u16 = 0x00;
    pub(crate) const BLOCK: u16 = 0x02;
    pub(crate) const LOOP: u16 = 0x03;
    pub(crate) const IF: u16 = 0x04;
    pub(crate) const ELSE: u16 = 0x05;
    pub(crate) const THROW: u16 = 0x08;
    pub(crate) const THROW_REF: u16 = 0x0a;
    pub(crate) const END: u16 = 0x0b;
    pub(crate) const BR: u16 = 0x0c;
    pub(crate) const BR_IF: u16 = 0x0d;
    pub(crate) const BR_TABLE: u16 = 0x0e;
    pub(crate) const RETURN: u16 = 0x0f;
    pub(crate) const CALL: u16 = 0x10;
    pub(crate) const CALL_INDIRECT: u16 = 0x11;
    pub(crate) const RETURN_CALL: u16 = 0x12;
    pub(crate) const RETURN_CALL_INDIRECT: u16 = 0x13;
    pub(crate) const CALL_REF: u16 = 0x14;
    pub(crate) const RETURN_CALL_REF: u16 = 0x15;
    pub(crate) const BR_ON_NULL: u16 = 0xd5;
    pub(crate) const BR_ON_NON_NULL: u16 = 0xd6;
    pub(crate) const MISC: u16 = 0x100;
    pub(crate) const SIMD: u16 = 0x200;
    pub(crate) const ATOMIC: u16 = 0x400;
    /// Any operator left to wasmparser; its effect on the operand stack is not tracked.
    pub(crate) const RARE: u16 = 0x500;
    /// `end` of a loop.
    pub(crate) const END_LOOP: u16 = 0x501;
    /// The operator proper, without the marks below.
    pub(crate) const MASK: u16 = 0x0fff;
    /// Mark on a branch: not taking it can only end in `unreachable`.
    pub(crate) const FALL_DIES: u16 = 0x1000;
    /// Mark on a branch: taking it can only end in `unreachable`.
    pub(crate) const TAKEN_DIES: u16 = 0x2000;
    /// Mark on a branch: not taking it can only end the program.
    pub(crate) const FALL_EXITS: u16 = 0x4000;
    /// Mark on a branch: taking it can only end the program.
    pub(crate) const TAKEN_EXITS: u16 = 0x8000;
}

/// One operator.
///
/// `a` and `b` hold the immediates: index or branch depth in `a`; constant, or memory offset, in `b`. A block has its
/// parameter and result counts in `a` (16 bits each) and the index of its `end` in `b`; a loop its number in `a`; an
/// `end` the number of loops begun before it in `a` and of calls in `b`; a `br_table` its places in `tables` (see
/// [`Decoded::targets`] and [`Decoded::entries`]).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Op {
    pub code: u16,
    pub a: u32,
    pub b: i64,
}

impl Op {
    /// Whether it holds a number that may be the address of data which is changed through it: a constant, or where a store
    /// goes.
    pub(crate) fn names(self) -> bool {
        matches!(self.code & code::MASK, 0x36..=0x3e | 0x41 | 0x42)
    }
}

/// A loop as found by the decoder.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LoopShape {
    /// Byte offset of its `loop` operator in the file.
    pub offset: u64,
    /// Slice of `assigned`: the locals set inside it, each once.
    pub assigned: (u32, u32),
    /// Operand parameters and results.
    pub arity: u32,
}

/// A decoded body; the buffers are reused from function to function.
#[derive(Debug, Default)]
pub(crate) struct Decoded {
    pub ops: Vec<Op>,
    /// Branch depths of each `br_table`, each once with its number of entries; before them, of a short table, all entries
    /// in order.
    pub tables: Vec<(u32, u32)>,
    pub loops: Vec<LoopShape>,
    pub assigned: Vec<u32>,
    pub locals: u32,
    pub census: Census,
    /// Indices of the calls, in order, but for tail calls and those by reference.
    pub calls: Vec<u32>,
    /// Set where nesting is too deep to follow.
    pub too_deep: bool,
    open: Vec<(u32, u32)>,
    open_loops: u32,
    control: Vec<u32>,
    sets: Vec<u32>,
    /// Per local, the generation in which it was last seen; generations grow over all functions, so that a large
    /// function does not make every small one after it clear the list.
    stamps: Vec<u64>,
    generation: u64,
    dying: Vec<Dying>,
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    #[inline]
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    #[inline]
    fn unsigned(&mut self) -> Option<u64> {
        let first = self.byte()?;
        // Nearly all numbers are of one byte.
        if first < 0x80 { Some(u64::from(first)) } else { self.unsigned_after(first) }
    }

    #[inline(never)]
    fn unsigned_after(&mut self, first: u8) -> Option<u64> {
        let mut value = u64::from(first & 0x7f);
        let mut shift = 7;
        loop {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
            shift += 7;
            if shift > 63 {
                return None;
            }
        }
    }

    #[inline]
    fn index(&mut self) -> Option<u32> {
        let first = *self.bytes.get(self.at)?;
        self.at += 1;
        if first < 0x80 { Some(u32::from(first)) } else { u32::try_from(self.unsigned_after(first)?).ok() }
    }

    #[inline]
    fn signed(&mut self) -> Option<i64> {
        let first = *self.bytes.get(self.at)?;
        if first < 0x80 {
            self.at += 1;
            return Some(i64::from(first) << 57 >> 57);
        }
        self.signed_long()
    }

    #[inline(never)]
    fn signed_long(&mut self) -> Option<i64> {
        let (mut value, mut shift) = (0_i64, 0);
        loop {
            let byte = self.byte()?;
            value |= i64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return Some(if shift < 64 { value << (64 - shift) >> (64 - shift) } else { value });
            }
            if shift > 63 {
                return None;
            }
        }
    }

    #[inline]
    fn little_endian(&mut self, count: usize) -> Option<u64> {
        let bytes = self.bytes.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }

    #[inline]
    fn skip(&mut self, count: usize) -> Option<()> {
        self.at = self.at.checked_add(count).filter(|&at| at <= self.bytes.len())?;
        Some(())
    }
}

impl Decoded {
    /// Decodes a body (locals and operators) that begins at `offset` in the file. `params` is the count of parameters.
    pub(crate) fn read(
        &mut self,
        module: &Module<'_>,
        body: &[u8],
        offset: u64,
        params: u32,
        features: &mut u32,
    ) -> Result<(), AnalyzeError> {
        let mut cursor = self.begin(module, body, offset, params)?;
        let mut calls = 0_i64;
        while !self.open.is_empty() {
            let at = cursor.at;
            self.operator(module, &mut cursor, offset, &mut calls, features)
                .ok_or_else(|| malformed(body, offset, at, complaint(body.get(at))))?;
        }
        if cursor.at != body.len() {
            return Err(malformed(body, offset, cursor.at, "operators remaining after end of function"));
        }
        Ok(())
    }

    /// Begins a body: up to its first operator.
    fn begin<'b>(
        &mut self,
        module: &Module<'_>,
        body: &'b [u8],
        offset: u64,
        params: u32,
    ) -> Result<Cursor<'b>, AnalyzeError> {
        self.clear();
        self.census.begin(module.format_mark.filter(|_| params as usize > FORMAT));
        bounded(body, offset)?;
        let mut cursor = Cursor { bytes: body, at: 0 };
        let locals = read_locals(&mut cursor)
            .ok_or_else(|| malformed(body, offset, cursor.at, "malformed local declarations"))?;
        let locals = locals.saturating_add(u64::from(params));
        if locals > MAX_LOCALS + 1000 {
            return Err(AnalyzeError::Limit { what: "the number of locals", limit: MAX_LOCALS, offset });
        }
        self.locals = locals as u32;
        self.stamps.resize(self.stamps.len().max(body.len().min(locals as usize)), 0);
        self.make_room(body.len());
        // The function's own block: closed by the last `end`.
        self.open.push((u32::MAX, NO_LOOP));
        Ok(cursor)
    }

    /// Makes room for the operators of a body of so many bytes: one takes two and some, in few bodies less.
    pub(crate) fn make_room(&mut self, body_bytes: usize) {
        self.ops.reserve(body_bytes * 5 / 8);
    }

    fn clear(&mut self) {
        self.ops.clear();
        self.tables.clear();
        self.calls.clear();
        self.loops.clear();
        self.assigned.clear();
        self.open.clear();
        self.open_loops = 0;
        self.control.clear();
        self.sets.clear();
        self.too_deep = false;
    }

    #[inline]
    fn push(&mut self, code: u16, a: u32, b: i64) {
        self.ops.push(Op { code, a, b });
    }

    /// Indices of the operators that direct control, in order, calls among them.
    pub(crate) fn control(&self) -> &[u32] {
        &self.control
    }

    fn push_control(&mut self, code: u16, a: u32, b: i64) {
        self.control.push(self.ops.len() as u32);
        self.push(code, a, b);
    }

    /// Decodes one operator; `None` where the bytes do not make one.
    fn operator(
        &mut self,
        module: &Module<'_>,
        cursor: &mut Cursor<'_>,
        offset: u64,
        calls: &mut i64,
        features: &mut u32,
    ) -> Option<()> {
        let start = cursor.at;
        let opcode = cursor.byte()?;
        let plain = u16::from(opcode);
        match opcode {
            0x20 | 0x23 | 0x24 | 0x25 | 0x26 | 0x3f | 0x40 | 0xd2 => {
                *features |= features::of_opcode(opcode);
                let index = cursor.index()?;
                self.push(plain, index, 0);
            }
            0x21 | 0x22 => {
                let index = cursor.index()?;
                self.push(plain, index, 0);
                if self.open_loops > 0 {
                    self.sets.push(index);
                }
            }
            0x41 => {
                let value = i64::from(cursor.signed()? as i32);
                self.push(plain, 0, value);
                self.census.note(plain, value);
            }
            0x42 => {
                let value = cursor.signed()?;
                self.push(plain, 0, value);
                self.census.note(plain, value);
            }
            0x45..=0xc4 | 0x00 | 0x01 | 0x0f | 0x1a | 0x1b | 0xd1 => {
                if matches!(opcode, 0x00 | 0x0f) {
                    self.push_control(plain, 0, 0);
                } else {
                    self.census.meet(plain);
                    self.push(plain, 0, 0);
                    *features |= features::of_opcode(opcode);
                }
            }
            0x28..=0x3e => {
                let (memory, displacement) = memory_argument(cursor, features)?;
                self.push(plain, memory, displacement);
                if opcode <= 0x35 {
                    self.census.note(plain, displacement);
                }
            }
            0x02 | 0x04 | 0x1f => {
                let arity = block_type(module, cursor)?;
                if opcode == 0x1f {
                    catches(cursor)?;
                    *features |= features::of_opcode(opcode);
                }
                self.enter(if opcode == 0x04 { code::IF } else { code::BLOCK }, arity);
            }
            0x03 => {
                let arity = block_type(module, cursor)?;
                self.enter_loop(offset + start as u64, arity);
            }
            0x05 => self.otherwise()?,
            0x0b => self.leave(*calls)?,
            0x0c | 0x0d | 0xd5 | 0xd6 => {
                let depth = self.depth(cursor)?;
                *features |= features::of_opcode(opcode);
                self.push_control(plain, depth, 0);
            }
            0x0e => self.table(cursor)?,
            0x10 | 0x12 | 0x14 | 0x15 => {
                let index = cursor.index()?;
                *calls += 1;
                *features |= features::of_opcode(opcode);
                self.call(plain, index, 0);
            }
            0x11 | 0x13 => {
                let index = cursor.index()?;
                let table = cursor.index()?;
                *calls += 1;
                *features |= features::of_opcode(opcode);
                self.call(plain, index, i64::from(table));
            }
            // Both as the bits of a double.
            0x43 => {
                let bits = cursor.little_endian(4)?;
                self.push(plain, 0, f64::from(f32::from_bits(bits as u32)).to_bits() as i64);
            }
            0x44 => {
                let bits = cursor.little_endian(8)?;
                self.push(plain, 0, bits as i64);
            }
            0xfc..=0xfe => match prefixed(opcode, cursor, features)? {
                Some(Op { code, a, b }) => {
                    self.census.meet(code);
                    self.push(code, a, b);
                }
                None => self.rare(cursor, start, features)?,
            },
            _ => self.rare(cursor, start, features)?,
        }
        Some(())
    }

    fn call(&mut self, code: u16, index: u32, table: i64) {
        if matches!(code, code::RETURN_CALL | code::RETURN_CALL_INDIRECT | code::RETURN_CALL_REF) {
            self.push_control(code, index, table);
        } else {
            if code != code::CALL_REF {
                self.calls.push(self.ops.len() as u32);
            }
            self.push(code, index, table);
        }
    }

    fn enter(&mut self, code: u16, arity: u32) {
        self.open.push((self.ops.len() as u32, NO_LOOP));
        self.too_deep |= self.open.len() > MAX_DEPTH;
        self.push_control(code, arity, 0);
    }

    fn enter_loop(&mut self, offset: u64, arity: u32) {
        let number = self.loops.len() as u32;
        self.open_loops += 1;
        // `assigned.0` holds where the loop's assignments begin in `sets` until it closes.
        self.loops.push(LoopShape { offset, assigned: (self.sets.len() as u32, 0), arity });
        self.open.push((self.ops.len() as u32, number));
        self.too_deep |= self.open.len() > MAX_DEPTH;
        self.push_control(code::LOOP, number, 0);
    }

    /// An `else`, which must belong to an `if` that has none yet.
    fn otherwise(&mut self) -> Option<()> {
        let (start, number) = self.open.last_mut()?;
        if *number != NO_LOOP || self.ops.get(*start as usize)?.code != code::IF {
            return None;
        }
        *number = ELSE_SEEN;
        self.push_control(code::ELSE, 0, 0);
        Some(())
    }

    fn leave(&mut self, calls: i64) -> Option<()> {
        let (start, number) = self.open.pop()?;
        let here = self.ops.len() as i64;
        if let Some(op) = self.ops.get_mut(start as usize) {
            op.b = here;
        }
        let is_loop = !matches!(number, NO_LOOP | ELSE_SEEN);
        let code = if is_loop { code::END_LOOP } else { code::END };
        if is_loop {
            self.open_loops -= 1;
            self.close_loop(number);
        }
        self.push_control(code, self.loops.len() as u32, calls);
        Some(())
    }

    /// Keeps each local that the loop assigns once, for it and for the loops around it.
    fn close_loop(&mut self, number: u32) {
        let begin = self.loops[number as usize].assigned.0 as usize;
        let mut kept = begin;
        self.generation += 1;
        for index in begin..self.sets.len() {
            let local = self.sets[index];
            let Some(stamp) = self.stamps.get_mut(local as usize) else { continue };
            if *stamp != self.generation {
                *stamp = self.generation;
                self.sets[kept] = local;
                kept += 1;
            }
        }
        self.sets.truncate(kept);
        // Nested deeply enough, the sets of all loops together outgrow the code: the function is then only counted.
        if self.assigned.len() > 16 * self.ops.len() + 4096 {
            self.too_deep = true;
            self.loops[number as usize].assigned = (0, 0);
            return;
        }
        self.loops[number as usize].assigned = (self.assigned.len() as u32, (kept - begin) as u32);
        self.assigned.extend_from_slice(&self.sets[begin..]);
    }

    /// Reads a branch depth that exists.
    fn depth(&self, cursor: &mut Cursor<'_>) -> Option<u32> {
        cursor.index().filter(|&depth| (depth as usize) < self.open.len())
    }

    fn table(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        let count = cursor.index()?;
        let all = self.tables.len();
        for _ in 0..=count {
            let depth = self.depth(cursor)?;
            self.tables.push((depth, 1));
        }
        let entries = if count < SHORT_TABLE { count + 1 } else { 0 };
        self.tables.extend_from_within(all..all + entries as usize);
        let begin = all + entries as usize;
        self.tables[begin..].sort_unstable();
        let mut kept = begin;
        for index in begin + 1..self.tables.len() {
            if self.tables[index].0 == self.tables[kept].0 {
                self.tables[kept].1 += 1;
            } else {
                kept += 1;
                self.tables[kept] = self.tables[index];
            }
        }
        self.tables.truncate(kept + 1);
        self.push_control(code::BR_TABLE, begin as u32, (kept + 1 - begin) as i64 | i64::from(entries) << 32);
        Some(())
    }

    /// The branch depths of a `br_table`, each once with its number of entries.
    pub(crate) fn targets(&self, op: Op) -> Range<usize> {
        let begin = (op.a as usize).min(self.tables.len());
        begin..begin.saturating_add(op.b as u32 as usize).min(self.tables.len())
    }

    /// The branch depths of a `br_table` in order, the default last; none where it is long.
    pub(crate) fn entries(&self, op: Op) -> &[(u32, u32)] {
        let count = (op.b >> 32) as usize;
        (op.a as usize).checked_sub(count).and_then(|begin| self.tables.get(begin..op.a as usize)).unwrap_or_default()
    }

    /// Leaves an operator that begins at `start` to wasmparser.
    fn rare(&mut self, cursor: &mut Cursor<'_>, start: usize, features: &mut u32) -> Option<()> {
        let (operator, code) = rare(cursor, start, features)?;
        match code {
            code::THROW | code::THROW_REF => self.push_control(code, 0, 0),
            code::BR_ON_NULL => {
                let depth = features::branch_depth(&operator)?;
                if depth as usize >= self.open.len() {
                    return None;
                }
                self.push_control(code, depth, 0);
            }
            _ => self.push(code, 0, 0),
        }
        Some(())
    }
}

/// An operator that begins at `start`, read by wasmparser, and how it is treated.
fn rare<'b>(cursor: &mut Cursor<'b>, start: usize, features: &mut u32) -> Option<(Operator<'b>, u16)> {
    let mut reader = OperatorsReader::new(BinaryReader::new(cursor.bytes.get(start..)?, 0));
    let operator = reader.read().ok()?;
    cursor.at = start + reader.original_position();
    let code = features::rare(&operator, features)?;
    Some((operator, code))
}

/// An operator behind a prefix; `Some(None)` for one that is left to wasmparser.
fn prefixed(prefix: u8, cursor: &mut Cursor<'_>, features: &mut u32) -> Option<Option<Op>> {
    match prefix {
        0xfc => misc(cursor, features).map(Some),
        0xfd => simd(cursor, features).map(Some),
        _ => atomic(cursor, features),
    }
}

fn misc(cursor: &mut Cursor<'_>, features: &mut u32) -> Option<Op> {
    let sub = cursor.index()?;
    let (feature, immediates) = match sub {
        0..=7 => (Feature::SaturatingConversion, 0),
        8 | 10 | 12 | 14 => (Feature::BulkMemory, 2),
        9 | 11 | 13 => (Feature::BulkMemory, 1),
        15..=17 => (Feature::ReferenceTypes, 1),
        18 => (Feature::MemoryControl, 1),
        19..=22 => (Feature::WideArithmetic, 0),
        _ => return None,
    };
    *features |= feature.bit();
    let mut first = 0;
    for immediate in 0..immediates {
        let index = cursor.index()?;
        first = if immediate == 0 { index } else { first };
    }
    Some(Op { code: code::MISC + sub as u16, a: first, b: 0 })
}

fn simd(cursor: &mut Cursor<'_>, features: &mut u32) -> Option<Op> {
    let sub = cursor.index()?;
    *features |= if sub >= 0x100 { Feature::RelaxedSimd.bit() } else { Feature::Simd.bit() };
    let mut displacement = 0;
    match sub {
        0..=11 | 92 | 93 => displacement = memory_argument(cursor, features)?.1,
        84..=91 => {
            displacement = memory_argument(cursor, features)?.1;
            cursor.skip(1)?;
        }
        12 | 13 => cursor.skip(16)?,
        21..=34 => cursor.skip(1)?,
        14..=0x113 => {}
        _ => return None,
    }
    Some(Op { code: code::SIMD + sub as u16, a: 0, b: displacement })
}

/// An atomic operator; `Some(None)` for those of a later proposal.
fn atomic(cursor: &mut Cursor<'_>, features: &mut u32) -> Option<Option<Op>> {
    let sub = cursor.index()?;
    if sub > 0x4e {
        return Some(None);
    }
    *features |= Feature::Threads.bit();
    let displacement = if sub == 3 {
        cursor.skip(1)?;
        0
    } else {
        memory_argument(cursor, features)?.1
    };
    Some(Some(Op { code: code::ATOMIC + sub as u16, a: 0, b: displacement }))
}

/// Whether a body, at `offset` in the file, is small enough to be looked at.
fn bounded(body: &[u8], offset: u64) -> Result<(), AnalyzeError> {
    let (what, limit) = ("a function body", MAX_BODY_BYTES as u64);
    if body.len() as u64 > limit { Err(AnalyzeError::Limit { what, limit, offset }) } else { Ok(()) }
}

/// A body, at `offset` in the file, that breaks the format at one of its bytes.
fn malformed(body: &[u8], offset: u64, at: usize, message: &str) -> AnalyzeError {
    AnalyzeError::Invalid { message: message.to_owned(), offset: offset + at as u64, truncated: at >= body.len() }
}

/// What to say of an operator that could not be read.
fn complaint(opcode: Option<&u8>) -> &'static str {
    match opcode {
        Some(0x06 | 0x07 | 0x09 | 0x18 | 0x19) => "legacy exception handling, which no tier of the engine runs",
        Some(_) => "malformed operator",
        None => "unexpected end of a function body",
    }
}

fn read_locals(cursor: &mut Cursor<'_>) -> Option<u64> {
    let groups = cursor.unsigned()?;
    let mut total = 0_u64;
    for _ in 0..groups {
        total = total.saturating_add(cursor.unsigned()?);
        value_type(cursor)?;
    }
    Some(total)
}

/// Skips a value type: one byte, or a reference with a heap type.
fn value_type(cursor: &mut Cursor<'_>) -> Option<()> {
    if matches!(cursor.byte()?, 0x63 | 0x64) {
        cursor.signed()?;
    }
    Some(())
}

/// A block type's parameter and result counts, 16 bits each.
fn block_type(module: &Module<'_>, cursor: &mut Cursor<'_>) -> Option<u32> {
    let first = *cursor.bytes.get(cursor.at)?;
    match first {
        0x40 => {
            cursor.at += 1;
            Some(0)
        }
        0x63 | 0x64 => {
            value_type(cursor)?;
            Some(1 << 16)
        }
        0x41..=0x7f => {
            cursor.at += 1;
            Some(1 << 16)
        }
        _ => {
            let index = u32::try_from(cursor.signed()?).ok()?;
            let signature = module.signature(index)?;
            Some(u32::from(signature.params) | u32::from(signature.results) << 16)
        }
    }
}

fn memory_argument(cursor: &mut Cursor<'_>, features: &mut u32) -> Option<(u32, i64)> {
    let flags = cursor.index()?;
    let memory = if flags & 0x40 != 0 { cursor.index()? } else { 0 };
    if memory != 0 {
        *features |= Feature::MultiMemory.bit();
    }
    Some((memory, cursor.unsigned()? as i64))
}

/// Skips the handlers of a `try_table`; how often exceptions fly is not modelled.
fn catches(cursor: &mut Cursor<'_>) -> Option<()> {
    for _ in 0..cursor.index()? {
        if cursor.byte()? < 2 {
            cursor.index()?;
        }
        cursor.index()?;
    }
    Some(())
}
