//! A first look at every function: what it calls, the addresses it takes, the data it touches, the features it needs,
//! whether anything in it repeats, and whether it asks the processor what it can do.
//!
//! Instructions are told by their shape alone (see [`super::shapes`]). The functions that matter are decoded and
//! followed later.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

use super::body::MAX_BYTES;
use super::code::{Callee, Code};
use super::shapes::{Place, Shape, Shapes};
use super::swift::{At, Listener};
use super::traits::Flow;
use crate::signatures::{self, Sign};

/// Mark on what is called or taken where no function is known to begin: its place among the addresses [`Scans::between`].
const BETWEEN: u32 = 1 << 31;

/// Loops around a call that are told apart.
const MOST_LOOPS: usize = 4;

/// A function's part.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scan {
    /// Features of its instructions, those included that no way leads to, which may be data (see [`Certain`]).
    pub features: u64,
    pub system_calls: u32,
    pub locked: u32,
    pub instructions: u32,
    /// Asks the processor: `cpuid`, `xgetbv`.
    pub asks: bool,
    /// Whether something in it goes back.
    pub repeats: bool,
    /// Jumps to where a table or register says.
    pub jumps: u32,
    /// Loops around the call through a register or memory that has most, and one; 0 where there is none.
    pub indirect: u8,
    calls: Range<u32>,
    taken: Range<u32>,
    data: Range<u32>,
}

/// What all functions tell, by place in the list.
#[derive(Debug, Default)]
pub(crate) struct Scans {
    pub list: Vec<Scan>,
    calls: Vec<u32>,
    /// Loops around each of the calls.
    depths: Vec<u8>,
    taken: Vec<u32>,
    data: Vec<u64>,
    /// What tells of cryptography, by place of the function.
    pub signs: Vec<(u32, Sign)>,
    /// Addresses between functions that were named, for which functions are still to be made.
    between: Vec<u64>,
}

impl Scans {
    /// Of so many functions, none of which was looked at.
    pub(crate) fn unseen(functions: usize) -> Self {
        Self { list: vec![Scan::default(); functions], ..Self::default() }
    }

    /// Functions that one calls or jumps to, by number; some more than once.
    pub(crate) fn calls(&self, scan: &Scan) -> &[u32] {
        &self.calls[scan.calls.start as usize..scan.calls.end as usize]
    }

    /// The same with the number of loops around each, as far as jumps backwards tell.
    pub(crate) fn nested_calls(&self, scan: &Scan) -> impl Iterator<Item = (u32, u8)> {
        self.calls(scan).iter().copied().zip(self.depths[scan.calls.start as usize..].iter().copied())
    }

    /// Functions whose address it takes, by number.
    pub(crate) fn taken(&self, scan: &Scan) -> &[u32] {
        &self.taken[scan.taken.start as usize..scan.taken.end as usize]
    }

    /// Addresses of data that the program can write.
    pub(crate) fn data(&self, scan: &Scan) -> &[u64] {
        &self.data[scan.data.start as usize..scan.data.end as usize]
    }

    /// All functions whose address is taken.
    pub(crate) fn all_taken(&self) -> &[u32] {
        &self.taken
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Scan> {
        self.list.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// Adds what was found of the functions that follow.
    pub(crate) fn append(&mut self, other: &Self) {
        let by = [self.calls.len() as u32, self.taken.len() as u32, self.data.len() as u32];
        let moved = |range: &Range<u32>, by: u32| range.start + by..range.end + by;
        let between = self.between.len() as u32;
        let number = |&number: &u32| if number & BETWEEN != 0 { number + between } else { number };
        self.list.extend(other.list.iter().map(|scan| Scan {
            calls: moved(&scan.calls, by[0]),
            taken: moved(&scan.taken, by[1]),
            data: moved(&scan.data, by[2]),
            ..scan.clone()
        }));
        self.calls.extend(other.calls.iter().map(number));
        self.depths.extend_from_slice(&other.depths);
        self.taken.extend(other.taken.iter().map(number));
        self.data.extend_from_slice(&other.data);
        self.signs.extend_from_slice(&other.signs);
        self.between.extend_from_slice(&other.between);
    }

    /// Addresses between functions that were named.
    pub(crate) fn between(&self) -> &[u64] {
        &self.between
    }

    /// Takes note of functions that now begin between the others, at all addresses that were named: the new places of the others.
    pub(crate) fn renumber(&mut self, code: &Code<'_>, places: &[u32]) {
        let list = std::mem::take(&mut self.list);
        self.list.resize(code.functions.ranges.len(), Scan::default());
        for (scan, &place) in list.into_iter().zip(places) {
            self.list[place as usize] = scan;
        }
        let first = code.first();
        // Nothing begins where code lies too far apart for a program.
        let begun = |address: &u64| code.number_of(*address).unwrap_or(first);
        let between: Vec<u32> = self.between.drain(..).map(|address| begun(&address)).collect();
        for number in self.calls.iter_mut().chain(&mut self.taken).filter(|number| **number >= first) {
            *number = match between.get((*number ^ BETWEEN) as usize) {
                Some(&begun) => begun,
                None => first + places[(*number - first) as usize],
            };
        }
        self.signs.iter_mut().for_each(|sign| sign.0 = places[sign.0 as usize]);
    }

    /// The number that stands for the function to be made at an address.
    fn name_between(&mut self, address: u64) -> u32 {
        self.between.push(address);
        BETWEEN | (self.between.len() - 1) as u32
    }
}

/// Looks at functions; the buffers are reused from function to function.
#[derive(Default)]
pub(crate) struct Scanner {
    pub shapes: Shapes,
    /// Where calls stand, by offset; `None` for those through a register or memory.
    calls: Vec<(u32, Option<u32>)>,
    /// Where jumps backwards lead to and stand, by offset.
    back: Vec<(u32, u32)>,
    /// Ends of the loops that are open.
    open: BinaryHeap<Reverse<u32>>,
}

impl Scanner {
    /// Looks at the function at a place in the list; what it names is added to the lists of `out`.
    pub(crate) fn function(&mut self, code: &Code<'_>, range: usize, out: &mut Scans) -> Scan {
        let (calls, taken, data) = (out.calls.len() as u32, out.taken.len() as u32, out.data.len() as u32);
        let mut scan = Scan::default();
        let bytes = code.bytes(range);
        if bytes.len() as u64 <= MAX_BYTES {
            self.look(code, range, &mut scan, out);
        }
        let lists = (&mut out.calls, &mut out.taken, &mut out.data);
        scan.calls = calls..lists.0.len() as u32;
        scan.taken = taken..lists.1.len() as u32;
        scan.data = data..lists.2.len() as u32;
        scan
    }

    fn look(&mut self, code: &Code<'_>, range: usize, scan: &mut Scan, out: &mut Scans) {
        let (bytes, start) = (code.bytes_from(range), code.functions.ranges[range].start);
        let end = code.bytes(range).len();
        self.calls.clear();
        self.back.clear();
        let Self { shapes, calls, back, .. } = self;
        let mut notes = Notes { code, range, start, end, scan: &mut *scan, out: &mut *out, calls, back };
        scan.instructions = shapes.walk((bytes, end), start, &mut notes);
        scan.repeats |= !self.back.is_empty();
        self.nest(scan, out);
    }

    /// Tells how many loops lie around each call: what jumps backwards go over, those to one place taken as one loop.
    fn nest(&mut self, scan: &mut Scan, out: &mut Scans) {
        if self.calls.is_empty() {
            return;
        }
        self.back.sort_unstable_by_key(|&(to, from)| u64::from(to) << 32 | u64::from(from));
        // The last of those to one place goes over most.
        self.back.reverse();
        self.back.dedup_by_key(|back| back.0);
        self.open.clear();
        for &(at, callee) in &self.calls {
            while let Some((_, from)) = self.back.pop_if(|back| back.0 <= at) {
                self.open.push(Reverse(from));
            }
            while self.open.peek().is_some_and(|from| from.0 < at) {
                self.open.pop();
            }
            let depth = self.open.len().min(MOST_LOOPS) as u8;
            match callee {
                Some(number) => {
                    out.calls.push(number);
                    out.depths.push(depth);
                }
                None => scan.indirect = scan.indirect.max(depth + 1),
            }
        }
    }
}

/// What one function tells while it is walked over.
struct Notes<'n, 'c> {
    code: &'n Code<'c>,
    range: usize,
    start: u64,
    end: usize,
    scan: &'n mut Scan,
    out: &'n mut Scans,
    calls: &'n mut Vec<(u32, Option<u32>)>,
    back: &'n mut Vec<(u32, u32)>,
}

impl Notes<'_, '_> {
    fn behind(&self, at: At, by: u64) -> u64 {
        self.start.wrapping_add(at.next as u64).wrapping_add(by)
    }
}

impl Listener for Notes<'_, '_> {
    #[inline(always)]
    fn goes(&mut self, at: At, flow: Flow, by: u64) {
        let target = self.behind(at, by);
        let inside = target.wrapping_sub(self.start);
        match flow {
            Flow::Jump | Flow::Branch if inside <= at.from as u64 => self.back.push((inside as u32, at.from as u32)),
            Flow::Jump | Flow::Branch if inside < self.end as u64 => {}
            Flow::Jump | Flow::Branch | Flow::Call => match self.code.callee(target) {
                Callee::Known(number) => self.calls.push((at.from as u32, Some(number))),
                _ if self.code.functions.is_between(target) => {
                    let number = self.out.name_between(target);
                    self.calls.push((at.from as u32, Some(number)));
                }
                _ => {}
            },
            _ => {}
        }
    }

    fn leaves(&mut self, at: At, flow: Flow, by: Option<u64>) {
        match by.map_or(Callee::Indirect, |by| self.code.slot(self.behind(at, by))) {
            Callee::Known(number) => self.calls.push((at.from as u32, Some(number))),
            Callee::Indirect if flow == Flow::IndirectCall => self.calls.push((at.from as u32, None)),
            _ => self.scan.jumps += u32::from(flow == Flow::IndirectJump),
        }
    }

    fn touches(&mut self, at: At, takes: bool, by: u64) {
        touch(self.code, self.range, self.behind(at, by), takes, self.out);
    }

    #[inline]
    fn number(&mut self, _at: At, value: u32) {
        // Nearly all numbers are too small to be a sign.
        if !self.code.image.moves() || signatures::may_be_sign(value) {
            number(self.code, self.range, value, self.out);
        }
    }

    fn shape(&mut self, at: At, shape: &Shape) {
        self.scan.features |= shape.kind.features;
        match shape.kind.flow {
            Flow::Next => one(self.code, self.range, self.scan, shape, self.behind(at, 0), self.out),
            flow @ (Flow::IndirectCall | Flow::IndirectJump) => {
                let by = if let Place::Relative(by) = shape.place { Some(by) } else { None };
                self.leaves(at, flow, by);
            }
            flow => self.goes(at, flow, shape.value),
        }
    }
}

/// A number in the function at a place in the list, which is an address where the file does not move.
fn number(code: &Code<'_>, range: usize, value: u32, out: &mut Scans) {
    out.signs.extend(signatures::sign(value).map(|sign| (range as u32, sign)));
    if !code.image.moves() {
        out.taken.extend(code.number_of(u64::from(value)));
        betray(code, range, u64::from(value), out);
    }
}

/// Notes what there is to tell of an instruction that goes on to the next.
fn one(code: &Code<'_>, range: usize, scan: &mut Scan, shape: &Shape, next: u64, out: &mut Scans) {
    let kind = shape.kind;
    scan.asks |= kind.asks;
    scan.system_calls += u32::from(kind.system_call);
    scan.locked += u32::from(kind.locks);
    scan.repeats |= kind.repeats;
    if let Some(algorithm) = kind.algorithm {
        let sign = (range as u32, Sign::Instruction(algorithm));
        if out.signs.last() != Some(&sign) {
            out.signs.push(sign);
        }
    }
    match shape.place {
        Place::Elsewhere if kind.number => number(code, range, shape.value as u32, out),
        Place::Elsewhere => {}
        Place::Relative(by) => touch(code, range, next.wrapping_add(by), kind.lea, out),
        Place::Absolute(address) if !code.image.moves() && address != 0 => {
            betray(code, range, address, out);
            if code.image.writable(address) {
                out.data.push(address);
            }
        }
        Place::Absolute(_) => {}
    }
}

/// Notes an address in a table of cryptography.
#[inline]
fn betray(code: &Code<'_>, range: usize, address: u64, out: &mut Scans) {
    if let Some(table) = code.tables.as_ref().and_then(|tables| tables.at(address as i64)) {
        out.signs.push((range as u32, Sign::Table(table.algorithm)));
    }
}

/// Notes an address that an instruction names: a function whose address is taken, or data that can be written.
fn touch(code: &Code<'_>, range: usize, address: u64, takes: bool, out: &mut Scans) {
    betray(code, range, address, out);
    if takes && let Some(number) = code.number_of(address) {
        out.taken.push(number);
    } else if takes && code.functions.is_between(address) {
        let number = out.name_between(address);
        out.taken.push(number);
    } else if code.image.writable(address) {
        out.data.push(address);
    }
}
